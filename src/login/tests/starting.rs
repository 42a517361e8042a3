//! Starting: one login for many who ask, and what a start that fails or hangs costs.

use super::*;

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
