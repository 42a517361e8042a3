//! The login machine against the scripted authorization server.

use std::time::Duration;

use latchkey_test_authority::{Authority, CLIENT, Canned, Endpoint, Fault, Person, Revocation};
use tokio::task::JoinSet;

use super::*;
use crate::pending::{LoginKind, Watcher};
use crate::secret::Secret;
use crate::tenant::{ThreadId, User};
use crate::testing::{Host, key};

const LONG: Duration = Duration::from_secs(30);

impl Host {
    /// A login machine of its own: what another process has.
    fn logins(&self) -> Logins {
        Logins::new(self.store(), self.catalog.clone(), oauth::Client::new(), self.clock.clone(), 5)
    }

    fn login(&self, id: &str) -> Option<PendingLogin> {
        self.store().snapshot().unwrap().login_by_id(&id.to_owned()).map(|login| (*login).clone())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }

    fn held(&self, tenant: &str) -> Option<crate::credential::Credential> {
        self.stored(&key(tenant))
    }

    async fn paste_login(&self, logins: &Logins, user: &str) -> PendingLogin {
        logins.start(request(user, LoginKind::Paste)).await.unwrap().login
    }

    async fn answer(&self, login: &PendingLogin, person: &Person) -> String {
        self.authority.sign_in(login.authorize_url.as_ref().unwrap().expose(), person).await
    }
}

fn user(text: &str) -> User {
    text.parse().unwrap()
}

fn thread(text: &str) -> ThreadId {
    text.parse().unwrap()
}

fn request(user: &str, kind: LoginKind) -> StartRequest {
    StartRequest {
        user: user.parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        kind: Some(kind),
        watcher: Some(Watcher {
            thread: thread("7"),
            interaction: Some(Secret::new(format!("interaction-of-{user}"))),
        }),
        bind: Some(thread("7")),
        by_admin: false,
    }
}

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

/// T11, C5, C9: from the start to a stored credential, by a device code.
#[tokio::test]
async fn a_device_login_ends_with_a_stored_credential_and_no_secret_in_its_entry() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    let code = started.login.user_code.clone().unwrap();
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    logins.poll(started.handover.unwrap()).await;

    let login = host.login(&started.login.id).unwrap();
    assert_eq!(login.status, LoginStatus::Succeeded);
    let held = host.held("acme").unwrap();
    assert_eq!(held.account.email.as_deref(), Some(&*Person::ada().email));
    assert_eq!((held.owner, held.generation, held.client_id.as_deref()), (Some(user("42")), 1, Some(CLIENT)));
    let first = host.authority.first_poll(code.expose()).unwrap();
    assert!(
        first >= Duration::from_millis(2_900),
        "the first poll waits for the interval, and came after {first:?}"
    );
    let entry = serde_json::from_str::<serde_json::Value>(&host.text()).unwrap()["pending"].to_string();
    host.authority.assert_no_secret_in(&entry);
    assert!(!entry.contains("interaction-of") && !entry.contains(code.expose()), "{entry}");
    let bound = host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap();
    assert_eq!(bound.tenants.values().map(ToString::to_string).collect::<Vec<_>>(), ["acme"]);
}

/// T11
#[tokio::test]
async fn slow_down_is_for_good_and_trouble_ends_nothing() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(400, "slow_down", ""));
    let polling = tokio::spawn({
        let logins = logins.clone();
        let handover = started.handover.unwrap();
        async move { logins.poll(handover).await }
    });
    assert!(host.authority.eventually(LONG, |a| a.device_polls() == 1).await);
    let mut interval = None;
    for _ in 0..200 {
        interval = host.login(&started.login.id).unwrap().interval;
        if interval == Some(8) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(interval, Some(8));
    assert!(matches!(logins.cancel(&user("42"), false, &started.login.id).await, Ok(Cancelled::Now(_))));
    tokio::time::timeout(Duration::from_secs(3), polling).await.expect("a cancel ends the polling").unwrap();
    assert_eq!(host.authority.device_polls(), 1);
}

/// T11
#[tokio::test]
async fn a_no_at_the_provider_and_an_expired_code_end_it_in_their_own_words() {
    for (error, status) in [("access_denied", LoginStatus::Denied), ("expired_token", LoginStatus::Expired)] {
        let host = Host::new();
        let logins = host.logins();
        let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
        host.authority.answer_next(Endpoint::Token, 1, Canned::error(400, error, ""));
        logins.poll(started.handover.unwrap()).await;
        assert_eq!(host.login(&started.login.id).unwrap().status, status);
        assert!(host.held("acme").is_none());
    }
}

/// C6, S11
#[tokio::test]
async fn the_deadline_ends_a_device_login() {
    let host = Host::new();
    let logins = host.logins();
    let started = logins.start(request("42", LoginKind::Device)).await.unwrap();
    host.clock.jump(841);
    logins.poll(started.handover.unwrap()).await;
    assert_eq!(host.login(&started.login.id).unwrap().status, LoginStatus::Expired);
    assert_eq!(host.authority.device_polls(), 0);
}

/// T2, T3, T5, C9
#[tokio::test]
async fn a_pasted_answer_ends_with_a_stored_credential() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    assert_eq!(
        logins.paste(&user("42"), &login.id, &format!("  {answer}\n")).await.unwrap(),
        Pasted::Succeeded
    );
    assert_eq!(host.held("acme").unwrap().account.email.as_deref(), Some(&*Person::ada().email));
    let over = logins.paste(&user("42"), &login.id, &answer).await;
    assert!(matches!(over, Err(PasteError::Over(LoginStatus::Succeeded))), "{over:?}");
    assert_eq!(host.authority.exchanges(), 1);
}

/// C11, T2, T3: what is not this login's answer consumes nothing.
#[tokio::test]
async fn a_wrong_answer_or_a_stranger_consumes_nothing() {
    let host = Host::new();
    let logins = host.logins();
    let mine = host.paste_login(&logins, "42").await;
    let theirs = host.paste_login(&logins, "43").await;
    let (answer, other) =
        (host.answer(&mine, &Person::ada()).await, host.answer(&theirs, &Person::ben()).await);
    assert!(matches!(logins.paste(&user("43"), &mine.id, &answer).await, Err(PasteError::NotYours)));
    let elsewhere = answer.replace("127.0.0.1", "127.0.0.2");
    for bad in ["", "no", "https://x/?code=1&state=2", &*other, &*elsewhere] {
        let refused = logins.paste(&user("42"), &mine.id, bad).await;
        assert!(matches!(refused, Err(PasteError::Answer(_))), "{bad}: {refused:?}");
    }
    assert!(matches!(
        logins.paste(&user("42"), &"unknown".to_owned(), &answer).await,
        Err(PasteError::Unknown)
    ));
    assert_eq!(host.authority.exchanges(), 0);
    assert_eq!(logins.paste(&user("42"), &mine.id, &answer).await.unwrap(), Pasted::Succeeded);
}

/// C12
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_submits_of_one_code_make_one_exchange() {
    let host = Host::new();
    let machines = [host.logins(), host.logins()];
    let login = host.paste_login(&machines[0], "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let mut submits = JoinSet::new();
    for number in 0..100 {
        let (machine, id, answer) = (machines[number % 2].clone(), login.id.clone(), answer.clone());
        submits.spawn(async move { machine.paste(&user("42"), &id, &answer).await });
    }
    let results = submits.join_all().await;
    let won = results.iter().filter(|result| matches!(result, Ok(Pasted::Succeeded))).count();
    let told = results
        .iter()
        .filter(|result| matches!(result, Err(PasteError::InUse | PasteError::Over(LoginStatus::Succeeded))))
        .count();
    assert_eq!((host.authority.exchanges(), won, told), (1, 1, 99));
}

/// C12
#[tokio::test]
async fn what_could_not_be_sent_can_be_pasted_again() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.authority.go_down();
    assert!(matches!(logins.paste(&user("42"), &login.id, &answer).await, Err(PasteError::NotSent(_))));
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Pending);
    host.authority.come_back();
    assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Pasted::Succeeded);
}

/// C9, T8
#[tokio::test]
async fn a_reply_without_a_token_fails_the_login_and_writes_no_credential() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.authority.set(|settings| settings.reply.no_access_token = true);
    assert!(matches!(logins.paste(&user("42"), &login.id, &answer).await, Ok(Pasted::Failed(_))));
    assert!(host.held("acme").is_none());
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Failed);
}

/// C1, C2, C4: a cancel in the middle of the exchange wins, and what was obtained is revoked where nothing is in use.
#[tokio::test]
async fn a_cancel_during_the_exchange_wins() {
    let host = Host::with("revocation = \"token\"\n");
    host.authority.set(|settings| settings.revocation = Revocation::Token);
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let held = host.authority.hold_reply(Endpoint::Token);
    let pasting = tokio::spawn({
        let (logins, id) = (logins.clone(), login.id.clone());
        async move { logins.paste(&user("42"), &id, &answer).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Exchanging);
    assert!(matches!(logins.cancel(&user("42"), false, &login.id).await, Ok(Cancelled::Now(_))));
    // The next start need not wait for the provider.
    let again = logins.start(request("42", LoginKind::Paste)).await.unwrap();
    assert_ne!(again.login.id, login.id);
    held.release();
    assert_eq!(pasting.await.unwrap().unwrap(), Pasted::Over);
    assert!(host.held("acme").is_none());
    assert_eq!(host.authority.revocations(), 1);
}

/// S9
#[tokio::test]
async fn the_first_of_two_members_completes_the_other() {
    let host = Host::new();
    let logins = host.logins();
    let (ann, bob) = (host.paste_login(&logins, "42").await, host.paste_login(&logins, "43").await);
    assert_ne!(ann.state, bob.state);
    let answer = host.answer(&ann, &Person::ada()).await;
    logins.paste(&user("42"), &ann.id, &answer).await.unwrap();
    let bob = host.login(&bob.id).unwrap();
    assert_eq!((bob.status, bob.reason), (LoginStatus::Succeeded, Some(EndReason::CompletedBy(user("42")))));
}

/// I1, I2, I6
#[tokio::test]
async fn another_account_or_another_members_slot_is_not_replaced() {
    let host = Host::new();
    let logins = host.logins();
    let first = host.paste_login(&logins, "42").await;
    let answer = host.answer(&first, &Person::ada()).await;
    logins.paste(&user("42"), &first.id, &answer).await.unwrap();
    let before = host.held("acme").unwrap();

    let second = host.paste_login(&logins, "42").await;
    let answer = host.answer(&second, &Person::ben()).await;
    let refused = logins.paste(&user("42"), &second.id, &answer).await.unwrap();
    assert_eq!(refused, Pasted::Failed(EndReason::OtherAccount));
    assert_eq!(host.held("acme"), Some(before.clone()));

    let mut nameless = before;
    nameless.account = crate::credential::Account::default();
    let store = host.store();
    update(&*store, Touches::tenant(&"acme".parse().unwrap()), move |view| {
        view.put_tenant(&"acme".parse().unwrap(), nameless);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    let stranger = logins.start(request("43", LoginKind::Paste)).await;
    assert!(matches!(stranger, Err(StartError::NotYours { .. })), "{stranger:?}");
    let admin = logins.start(StartRequest { by_admin: true, ..request("44", LoginKind::Paste) }).await;
    assert!(admin.is_ok(), "{admin:?}");
}

/// C3, C8, C11
#[tokio::test]
async fn cancelling_is_for_the_owner_or_an_admin_and_changes_nothing_that_is_over() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    assert_eq!(logins.cancel(&user("43"), false, &login.id).await.unwrap(), Cancelled::NotYours);
    assert_eq!(logins.cancel(&user("43"), false, &"none".to_owned()).await.unwrap(), Cancelled::Unknown);
    let Cancelled::Now(ended) = logins.cancel(&user("43"), true, &login.id).await.unwrap() else { panic!() };
    assert_eq!(ended.reason, Some(EndReason::CancelledBy(user("43"))));
    let again = logins.cancel(&user("42"), false, &login.id).await.unwrap();
    assert_eq!(again, Cancelled::Already(LoginStatus::Cancelled));
}

/// C10, T5: what was captured at the start counts, whatever the configuration says by then.
#[tokio::test]
async fn a_reconfiguration_in_the_middle_changes_nothing() {
    let mut host = Host::new();
    let login = host.paste_login(&host.logins(), "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let elsewhere = Authority::start();
    let provider = host.catalog.get(&login.tenant.provider).unwrap();
    let moved = provider.at(elsewhere.token_endpoint().parse().unwrap(), "another".to_owned());
    host.catalog = Catalog::new([moved]).unwrap();
    assert_eq!(host.logins().paste(&user("42"), &login.id, &answer).await.unwrap(), Pasted::Succeeded);
    assert_eq!((host.authority.exchanges(), elsewhere.requests().len()), (1, 0));
}

/// S12, S13
#[tokio::test]
async fn what_a_dead_process_left_is_taken_up_or_ended() {
    let host = Host::new();
    let dead = host.logins();
    let device = dead.start(request("42", LoginKind::Device)).await.unwrap();
    let login = host.paste_login(&dead, "43").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::Delay(Duration::from_mins(1)));
    let exchanging = tokio::spawn({
        let (dead, id) = (dead.clone(), login.id.clone());
        async move { dead.paste(&user("43"), &id, &answer).await }
    });
    assert!(host.authority.eventually(LONG, |a| a.exchanges() == 1).await);

    let next = host.logins();
    assert!(next.take_up().await.unwrap().is_empty(), "while the locks are held, nothing is taken up");
    let held = host.store().try_login_lock(&user("42"), &"acme".parse().unwrap()).unwrap();
    assert!(held.is_none());

    // The process dies: its locks are free. (Dropping the runtime's tasks is the nearest to that here; across real
    // processes it is shown in tests/.)
    drop(device.handover);
    let taken = next.take_up().await.unwrap();
    assert_eq!(taken.iter().map(|one| &one.login.id).collect::<Vec<_>>(), [&device.login.id]);
    assert_eq!(taken[0].login.interval, host.login(&device.login.id).unwrap().interval);
    exchanging.abort();
}

/// S13
#[tokio::test]
async fn an_interrupted_start_or_exchange_is_ended() {
    let host = Host::new();
    let logins = host.logins();
    for (status, reason) in
        [(LoginStatus::Starting, EndReason::NotStarted), (LoginStatus::Exchanging, EndReason::Interrupted)]
    {
        let login = host.paste_login(&logins, "42").await;
        let store = host.store();
        let id = login.id.clone();
        update(&*store, Touches::nothing().and_all_logins(), move |view| {
            let mut login = view.login_by_id(&id).unwrap();
            login.status = status;
            view.put_login(login);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        assert!(logins.take_up().await.unwrap().is_empty());
        let ended = host.login(&login.id).unwrap();
        assert_eq!((ended.status, ended.reason), (LoginStatus::Failed, Some(reason)));
    }
}

/// C6
#[tokio::test]
async fn an_expired_login_is_over_for_every_reader_before_any_sweep() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    host.clock.jump(841);
    assert_eq!(host.login(&login.id).unwrap().status, LoginStatus::Pending, "nobody has written");
    assert!(logins.open_logins(&user("42"), false, None).unwrap().is_empty());
    let late = logins.paste(&user("42"), &login.id, &answer).await;
    assert!(matches!(late, Err(PasteError::Over(LoginStatus::Expired))), "{late:?}");
    let cancelled = logins.cancel(&user("42"), false, &login.id).await.unwrap();
    assert_eq!(cancelled, Cancelled::Already(LoginStatus::Expired));
    assert_ne!(logins.start(request("42", LoginKind::Paste)).await.unwrap().login.id, login.id);
}

/// T12: a replaced sign-in is revoked only where a token ends alone.
#[tokio::test]
async fn signing_in_again_revokes_the_old_tokens_only_where_that_ends_nothing_else() {
    for (scope, revoked) in [("token", 1), ("grant", 0)] {
        let host = Host::with(&format!("revocation = {scope:?}\n"));
        let logins = host.logins();
        for _ in 0..2 {
            let login = host.paste_login(&logins, "42").await;
            let answer = host.answer(&login, &Person::ada()).await;
            logins.paste(&user("42"), &login.id, &answer).await.unwrap();
        }
        assert_eq!(host.authority.revocations(), revoked, "{scope}");
    }
}

/// C1, S13: expiry does not end an exchange; only its bound does.
#[tokio::test]
async fn an_exchange_is_frozen_for_its_bound_and_no_longer() {
    for (passed, status) in [(149, LoginStatus::Exchanging), (152, LoginStatus::Failed)] {
        let host = Host::new();
        let logins = host.logins();
        let login = host.paste_login(&logins, "42").await;
        let store = host.store();
        let id = login.id.clone();
        host.clock.jump(839);
        update(&*store, Touches::nothing().and_all_logins(), move |view| {
            let mut login = view.login_by_id(&id).unwrap();
            login.status = LoginStatus::Exchanging;
            view.put_login(login);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        host.clock.jump(passed);
        logins.sweep().await.unwrap();
        assert_eq!(host.login(&login.id).unwrap().status, status, "after {passed} s");
    }
}

/// DESIGN: a binding to somebody else's sign-in stays, but for an admin.
#[tokio::test]
async fn a_thread_bound_to_anothers_sign_in_stays_so() {
    for (by_admin, bound_to) in [(false, "acme@7"), (true, "acme@42")] {
        let host = Host::new();
        let logins = host.logins();
        let store = host.store();
        update(&*store, Touches::thread(&thread("7")), |view| {
            let mut binding = view.binding(&thread("7")).unwrap();
            binding.tenants.insert(key("acme").provider, key("acme@7"));
            view.put_binding(&thread("7"), binding);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        let request = StartRequest { tenant: key("acme@42"), by_admin, ..request("42", LoginKind::Paste) };
        let login = logins.start(request).await.unwrap().login;
        let answer = host.answer(&login, &Person::ada()).await;
        assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Pasted::Succeeded);
        let bound = host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap();
        assert_eq!(bound.tenants[&key("acme").provider], key(bound_to));
    }
}

/// F5: a damaged entry elsewhere costs a binding at most, never a sign-in.
#[tokio::test]
async fn a_damaged_thread_entry_costs_the_binding_and_not_the_sign_in() {
    let host = Host::new();
    let logins = host.logins();
    let login = host.paste_login(&logins, "42").await;
    let answer = host.answer(&login, &Person::ada()).await;
    let damaged = host.text().replace("\"threads\": {}", "\"threads\": {\"7\": {\"tenants\": 5}}");
    std::fs::write(&host.path, damaged).unwrap();
    assert_eq!(logins.paste(&user("42"), &login.id, &answer).await.unwrap(), Pasted::Succeeded);
    assert!(host.held("acme").is_some() && host.text().contains("\"tenants\": 5"));
}

/// S3, U5: a thread that has not heard how a login ended follows the next one, and the message it showed is named.
#[tokio::test]
async fn a_new_login_takes_over_who_watched_the_old_one() {
    let host = Host::new();
    let logins = host.logins();
    let first = host.paste_login(&logins, "42").await;
    let watcher = Watcher { thread: thread("8"), interaction: Some(Secret::new("elsewhere")) };
    logins.start(StartRequest { watcher: Some(watcher), ..request("42", LoginKind::Paste) }).await.unwrap();
    host.clock.jump(841);
    let again = StartRequest {
        watcher: Some(Watcher { thread: thread("7"), interaction: Some(Secret::new("newer")) }),
        ..request("42", LoginKind::Paste)
    };
    let second = logins.start(again).await.unwrap();
    assert_ne!(second.login.id, first.id);
    assert_eq!(second.older.as_ref().map(Secret::expose), Some("interaction-of-42"));
    let watching: Vec<_> = second.login.watchers.iter().map(|watcher| watcher.thread.to_string()).collect();
    assert_eq!(watching, ["7", "8"]);
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

/// I9, T12: a provider that gives one refresh token to every sign-in of a person. It stands in one slot, the second is
/// named the first, and what was dropped is not revoked, since it is the first one's too.
#[tokio::test]
async fn a_refresh_token_that_another_slot_holds_is_refused_and_not_revoked() {
    let host = Host::with("revocation = \"token\"\n");
    host.authority.set(|settings| {
        settings.reply.extra.insert("refresh_token".to_owned(), "rt-of-every-sign-in".into());
    });
    let logins = host.logins();
    let sign_in = async |tenant: &str| {
        let request = StartRequest { tenant: key(tenant), ..request("42", LoginKind::Paste) };
        let login = logins.start(request).await.unwrap().login;
        let answer = host.answer(&login, &Person::ada()).await;
        let pasted = logins.paste(&user("42"), &login.id, &answer).await.unwrap();
        (pasted, login.id)
    };
    assert_eq!(sign_in("acme").await.0, Pasted::Succeeded);
    let before = host.held("acme");
    let (refused, id) = sign_in("acme/other").await;
    let reason = EndReason::HeldElsewhere(key("acme"));
    assert_eq!(refused, Pasted::Failed(reason.clone()));
    assert_eq!(host.login(&id).unwrap().reason, Some(reason), "and it is stored so");
    assert_eq!((host.held("acme/other"), host.held("acme")), (None, before));
    assert_eq!(host.authority.revocations(), 0);
    assert_eq!(sign_in("acme").await.0, Pasted::Succeeded, "its own slot may have it again");
    assert_eq!(host.authority.revocations(), 0);
}
