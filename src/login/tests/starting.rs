//! Starting: one login for many who ask, and what a start that fails or hangs costs.

use super::*;
use crate::broker::Caller;

/// S1, S3, S6, S7
#[tokio::test(flavor = "multi_thread")]
async fn many_starts_make_one_login_and_joining_is_no_start() {
    for kind in [LoginKind::Device, LoginKind::Paste] {
        let host = Host::new();
        let machines = [host.logins(), host.logins()];
        let mut starts = JoinSet::new();
        for number in 0..25 {
            let machine = machines[number % 2].clone();
            starts.spawn(async move { machine.start(request("42", kind)).await.unwrap() });
        }
        let started = starts.join_all().await;
        assert!(
            started.iter().all(|one| one.login.id == started[0].login.id),
            "all are shown the same login"
        );
        assert!(started.iter().all(|one| one.login.status == LoginStatus::Pending));
        let pollers = started.iter().filter(|one| one.handover.is_some()).count();
        match kind {
            LoginKind::Device => assert_eq!((host.authority.device_starts(), pollers), (1, 1)),
            _ => assert_eq!(started.iter().filter(|one| !one.joined).count(), 1),
        }
    }
}

/// S2, S8: a start that hangs holds nobody else up.
#[tokio::test]
async fn a_slow_start_delays_nobody_else() {
    let host = Host::new();
    let logins = host.logins();
    let held = host.authority.hold(Endpoint::DeviceStart);
    let slow = tokio::spawn({
        let logins = logins.clone();
        async move { logins.start(request("42", LoginKind::Device)).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    logins.start(request("43", LoginKind::Paste)).await.unwrap();
    logins.sweep().await.unwrap();
    let mine = logins.open_logins(&user("42"), false, None).unwrap();
    assert_eq!(mine.iter().map(|login| login.status).collect::<Vec<_>>(), [LoginStatus::Starting]);
    assert!(matches!(logins.cancel(&user("42"), false, &mine[0].id).await.unwrap(), Cancelled::Now(_)));
    held.release();
    assert_eq!(slow.await.unwrap().unwrap().login.status, LoginStatus::Cancelled, "C1");
}

/// S4
#[tokio::test]
async fn a_refused_start_leaves_nothing_and_the_next_works_at_once() {
    let host = Host::new();
    let logins = host.logins();
    host.authority.answer_next(Endpoint::DeviceStart, 1, Canned::html(503));
    let refused = logins.start(request("42", LoginKind::Device)).await;
    assert!(matches!(refused, Err(StartError::Transient { .. })), "{refused:?}");
    assert_eq!(host.store().snapshot().unwrap().logins().count(), 0);
    assert!(logins.start(request("42", LoginKind::Device)).await.unwrap().handover.is_some());
}

/// S7
#[tokio::test]
async fn starts_are_limited_for_each_person() {
    let host = Host::new();
    let logins = host.logins();
    for number in 0..6 {
        let mut request = request("42", LoginKind::Paste);
        request.tenant = format!("acme/p{number}").parse().unwrap();
        let started = logins.start(request).await;
        assert_eq!(matches!(started, Err(StartError::RateLimited { .. })), number == 5, "{started:?}");
    }
    logins.start(request("43", LoginKind::Paste)).await.unwrap();
}

/// A login machine of its own within `limits`, and starts at slots of `user`'s own or shared.
fn limited(host: &Host, limits: Limits) -> Logins {
    let (store, client): (Arc<dyn Store>, _) = (host.store(), oauth::Client::new());
    let directory = Directory::new(Arc::clone(&store), client.clone(), host.clock.clone());
    Logins::new(store, host.catalog.clone(), directory, client, host.clock.clone(), limits)
}

/// What came of a start, in a word.
async fn tried(logins: &Logins, user: &str, tenant: &str, admin: bool) -> &'static str {
    let request =
        StartRequest { tenant: tenant.parse().unwrap(), by_admin: admin, ..request(user, LoginKind::Paste) };
    match logins.start(request).await {
        Ok(started) if started.joined => "joined",
        Ok(_) => "started",
        Err(StartError::RateLimited { .. }) => "too often",
        Err(StartError::GuildRateLimited { wait }) if wait > Duration::ZERO => "too often here",
        Err(StartError::TooManyOpen { wait, .. }) if wait > Duration::ZERO => "too many open",
        Err(StartError::TooManyKept { .. }) => "too many kept",
        Err(other) => panic!("{other:?}"),
    }
}

/// S7: each bound holds for members, admins and the operator alike, but for that of the guild; joining a live login counts for
/// none, and what one bound refuses is not counted by another.
#[tokio::test]
async fn each_bound_holds_for_everybody_and_joining_counts_for_none() {
    for (limits, user, admin, starts) in [
        (
            Limits { starts_per_minute: 2, ..Limits::default() },
            "42",
            false,
            &[
                ("acme/a", "started"),
                ("acme/a", "joined"),
                ("acme/a", "joined"),
                ("acme/b", "started"),
                ("acme/b", "joined"),
                ("acme/c", "too often"),
                ("acme/a", "joined"),
            ][..],
        ),
        (
            Limits { starts_per_minute: 1, ..Limits::default() },
            "42",
            true,
            &[("acme/a", "started"), ("acme/b", "too often")],
        ),
        (
            Limits { starts_per_minute: 1, ..Limits::default() },
            "local:1",
            true,
            &[("acme/a", "started"), ("acme/b", "too often")],
        ),
        (
            Limits { guild_starts_per_minute: 1, ..Limits::default() },
            "42",
            false,
            &[("acme/a", "started"), ("acme/a", "joined"), ("acme/b", "too often here")],
        ),
        (
            Limits { guild_starts_per_minute: 1, ..Limits::default() },
            "42",
            true,
            &[("acme/a", "started"), ("acme/b", "too often here")],
        ),
        (
            Limits { guild_starts_per_minute: 1, ..Limits::default() },
            "local:1",
            true,
            &[("acme/a", "started"), ("acme/b", "started")],
        ),
        (
            Limits { open_logins: 2, ..Limits::default() },
            "42",
            false,
            &[
                ("acme/a", "started"),
                ("acme/b", "started"),
                ("acme/c", "too many open"),
                ("acme/b", "joined"),
            ],
        ),
        (
            Limits { open_logins: 1, ..Limits::default() },
            "42",
            true,
            &[("acme/a", "started"), ("acme/b", "too many open")],
        ),
        (
            Limits { open_logins: 1, ..Limits::default() },
            "local:1",
            true,
            &[("acme/a", "started"), ("acme/b", "too many open")],
        ),
        (
            Limits { tenants_per_user: 2, ..Limits::default() },
            "42",
            false,
            &[
                ("acme/a@42", "started"),
                ("acme/b@42", "started"),
                ("acme/c@42", "too many kept"),
                ("acme/c", "started"),
                ("acme/b@42", "joined"),
            ],
        ),
        (
            Limits { tenants_per_user: 1, ..Limits::default() },
            "42",
            true,
            &[("acme/a@42", "started"), ("acme/b@42", "too many kept")],
        ),
    ] {
        let host = Host::new();
        let logins = limited(&host, limits);
        for (tenant, expected) in starts {
            assert_eq!(
                tried(&logins, user, tenant, admin).await,
                *expected,
                "{user} (admin: {admin}) at {tenant}, {limits:?}"
            );
        }
    }
}

/// S7: one member's bound is not another's, but for that of the guild; what the guild's refuses does not use up a member's own.
#[tokio::test]
async fn the_guilds_bound_is_over_all_members_and_uses_up_nobodys_own() {
    let host = Host::new();
    let logins =
        limited(&host, Limits { starts_per_minute: 1, guild_starts_per_minute: 2, ..Limits::default() });
    assert_eq!(tried(&logins, "42", "acme/a", false).await, "started");
    assert_eq!(tried(&logins, "43", "acme/a", false).await, "started");
    for _ in 0..3 {
        assert_eq!(tried(&logins, "44", "acme/a", false).await, "too often here");
    }
    assert_eq!(tried(&logins, "local:0", "acme/a", true).await, "started", "the operator waits for no crowd");
}

/// A slot that is signed in already can be signed in to anew, however many there are; one that was logged out makes room.
#[tokio::test]
async fn what_is_kept_already_is_no_more() {
    let host = Host::new();
    for tenant in ["acme/a@42", "acme/b@42", "acme/a@43"] {
        host.serving(&key(tenant), &Person::ada()).await;
    }
    let logins = limited(&host, Limits { tenants_per_user: 2, ..Limits::default() });
    assert_eq!(tried(&logins, "42", "acme/c@42", false).await, "too many kept");
    assert_eq!(tried(&logins, "42", "acme/b@42", false).await, "started");
    host.front().logout(&Caller { user: user("42"), admin: false }, &key("acme/a@42")).await.unwrap();
    assert_eq!(tried(&logins, "42", "acme/c@42", false).await, "started");
}

/// A login that is over is open no more.
#[tokio::test]
async fn a_login_that_is_cancelled_makes_room() {
    let host = Host::new();
    let logins = limited(&host, Limits { open_logins: 1, ..Limits::default() });
    let first = host.paste_login(&logins, "42").await;
    assert_eq!(tried(&logins, "42", "acme/b", false).await, "too many open");
    logins.cancel(&user("42"), false, &first.id).await.unwrap();
    assert_eq!(tried(&logins, "42", "acme/b", false).await, "started");
}

/// S13: what is left of a cancelled login keeps nobody from starting anew.
#[tokio::test]
async fn a_hanging_poll_of_a_cancelled_login_delays_no_new_start() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    let held = host.authority.hold(Endpoint::Token);
    let polling = tokio::spawn({
        let logins = logins.clone();
        let handover = started.handover.unwrap();
        async move { logins.poll(handover).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    logins.cancel(&user("42"), false, &started.login.id).await.unwrap();
    let again = logins.start(request("42", LoginKind::Device)).await.unwrap();
    assert!(again.handover.is_some());
    held.release();
    polling.await.unwrap();
}

/// F5: a login that cannot be understood is not written over.
#[tokio::test]
async fn a_damaged_login_is_not_written_over() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    logins.cancel(&user("42"), false, &login.id).await.unwrap();
    std::fs::write(&host.path, host.text().replace("\"paste\"", "\"odd\"")).unwrap();
    let refused = logins.start(request("42", LoginKind::Paste)).await;
    assert!(matches!(refused, Err(StartError::Store(StoreError::Entry(_)))), "{refused:?}");
    assert!(host.text().contains("\"odd\""));
    assert_eq!(host.paste_login(&logins, "43").await.status, LoginStatus::Pending);
}
