//! Workers and their supervisor, with a notifier that writes down what it is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latchkey_test_authority::Person;

use super::*;
use crate::broker::{Broker, Caller, LoginReply, LoginRequest};
use crate::clock::Clock;
use crate::login::Started;
use crate::oauth;
use crate::pending::{LoginKind, LoginStatus, Watcher};
use crate::store::{Store, Touches, update};
use crate::tenant::User;
use crate::testing::{Host, key};

/// What was told: thread, status, and the interaction's token.
type Line = (String, LoginStatus, Option<String>);

#[derive(Default)]
struct Notes {
    told: Mutex<Vec<Line>>,
    /// What threads were told of their tenants.
    news: Mutex<Vec<(String, What)>>,
    /// What is to come of the next of that; then all is told.
    heard: Mutex<Vec<Heard>>,
    /// The next so many calls panic.
    panics: AtomicUsize,
    /// The next so many calls cannot deliver.
    late: AtomicUsize,
}

fn count_down(counter: &AtomicUsize) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Notifier for Notes {
    fn login_changed<'a>(
        &'a self,
        login: &'a PendingLogin,
        thread: &'a ThreadId,
        interaction: Option<&'a Secret>,
    ) -> Pin<Box<dyn Future<Output = Told> + Send + 'a>> {
        Box::pin(async move {
            assert!(!count_down(&self.panics), "a bug");
            if count_down(&self.late) {
                return Told::Later;
            }
            let token = interaction.map(|token| token.expose().to_owned());
            self.told.lock().unwrap().push((thread.to_string(), login.status, token));
            Told::Done
        })
    }

    fn tenant_news<'a>(
        &'a self,
        news: &'a News,
        thread: &'a ThreadId,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Heard> + Send + 'a>> {
        Box::pin(async move {
            let mut heard = self.heard.lock().unwrap();
            let heard = if heard.is_empty() { Heard::Told } else { heard.remove(0) };
            if heard == Heard::Told {
                self.news.lock().unwrap().push((thread.to_string(), news.what.clone()));
            }
            heard
        })
    }
}

impl Notes {
    fn news(&self) -> Vec<(String, What)> {
        self.news.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<Line> {
        self.told.lock().unwrap().clone()
    }
}

impl Host {
    fn broker(&self) -> Broker {
        Broker::new(
            self.store(),
            self.catalog.clone(),
            oauth::Client::new(),
            Clock::system(),
            crate::config::Limits { starts_per_minute: 50, ..Default::default() },
        )
    }
}

fn thread(text: &str) -> ThreadId {
    text.parse().unwrap()
}

async fn start(broker: &Broker, tenant: &str, kind: LoginKind, place: &str) -> Started {
    let request = LoginRequest {
        caller: Caller { user: User::Local(1), admin: false },
        tenant: key(tenant),
        kind: Some(kind),
        watcher: Some(Watcher {
            thread: thread(place),
            interaction: Some(Secret::new(format!("token-{place}"))),
        }),
        bind: Some(thread(place)),
        again: false,
        locale: None,
        redirect_uri: None,
    };
    match broker.login(request).await.unwrap() {
        LoginReply::Started(started) => *started,
        LoginReply::SignedIn(status) => panic!("signed in: {status:?}"),
    }
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// W2, S12, C5: a worker polls to the end and tells it on the message whose token left the store.
#[tokio::test]
async fn a_worker_polls_its_threads_login_and_has_its_end_told_once() {
    let host = Host::new();
    let (broker, notes) = (host.broker(), Arc::new(Notes::default()));
    let supervisor = Supervisor::start(broker.clone(), notes.clone());
    let started = start(&broker, "acme", LoginKind::Device, "7").await;
    supervisor.hand_over(&thread("7"), started.handover.unwrap());
    let code = started.login.user_code.unwrap();
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    eventually("told", || !notes.lines().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(notes.lines(), [("7".to_owned(), LoginStatus::Succeeded, Some("token-7".to_owned()))]);
    let login = broker.store().snapshot().unwrap().login_by_id(&started.login.id).unwrap();
    assert_eq!(login.untold().count(), 0, "and that is written down");
    supervisor.thread_closed(&thread("7"));
    eventually("the worker has ended", || supervisor.workers() == 0).await;
    // W1: its tenant is in use, and the store changes; for an archived thread that is no reason to come back.
    broker.note_use(&key("acme")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(supervisor.workers(), 0);
    supervisor.thread_opened(&thread("7"));
    update(&**broker.store(), Touches::thread(&thread("7")), |view| {
        let binding = view.binding(&thread("7")).unwrap();
        view.put_binding(&thread("7"), binding);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    eventually("a worker for the thread that is open again", || supervisor.workers() == 1).await;
}

/// W3
#[tokio::test]
async fn a_worker_that_panics_comes_back_and_the_others_do_not_notice() {
    let host = Host::new();
    let (broker, notes) = (host.broker(), Arc::new(Notes::default()));
    let supervisor = Supervisor::start(broker.clone(), notes.clone());
    let unlucky = start(&broker, "acme/one", LoginKind::Paste, "1").await.login;
    let lucky = start(&broker, "acme/two", LoginKind::Paste, "2").await.login;
    eventually("two workers", || supervisor.workers() == 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    notes.panics.store(1, Ordering::SeqCst);
    broker.logins().cancel(&User::Local(1), false, &unlucky.id).await.unwrap();
    eventually("the panic", || notes.panics.load(Ordering::SeqCst) == 0).await;
    broker.logins().cancel(&User::Local(1), false, &lucky.id).await.unwrap();
    eventually("the other is told", || notes.lines().iter().any(|line| line.0 == "2")).await;
    eventually("the one that panicked is told after all", || notes.lines().iter().any(|line| line.0 == "1"))
        .await;
    assert_eq!(notes.lines().len(), 2);
}

/// S12, U5: what cannot be delivered now is delivered later, though only the worker remembers the message.
#[tokio::test]
async fn what_could_not_be_told_is_told_again() {
    let host = Host::new();
    let (broker, notes) = (host.broker(), Arc::new(Notes::default()));
    let supervisor = Supervisor::start(broker.clone(), notes.clone());
    let login = start(&broker, "acme", LoginKind::Paste, "7").await.login;
    eventually("a worker", || supervisor.workers() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    notes.late.store(1, Ordering::SeqCst);
    broker.logins().cancel(&User::Local(1), false, &login.id).await.unwrap();
    eventually("told", || !notes.lines().is_empty()).await;
    assert_eq!(notes.lines(), [("7".to_owned(), LoginStatus::Cancelled, Some("token-7".to_owned()))]);
}

/// U5: what an open login has come to is shown as soon as it can be, though nothing changes any more; so is its end.
#[tokio::test]
async fn a_step_on_the_way_that_could_not_be_shown_is_shown_later() {
    let host = Host::new();
    let (broker, notes) = (host.broker(), Arc::new(Notes::default()));
    let supervisor = Supervisor::start(broker.clone(), notes.clone());
    let login = start(&broker, "acme", LoginKind::Paste, "7").await.login;
    eventually("a worker", || supervisor.workers() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    notes.late.store(2, Ordering::SeqCst);
    let (id, touches) = (login.id.clone(), Touches::logins_at(&login.tenant));
    update(&**broker.store(), touches, move |view| {
        let mut login = view.login_by_id(&id).unwrap();
        login.status = LoginStatus::Exchanging;
        view.put_login(login);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    eventually("shown", || !notes.lines().is_empty()).await;
    broker.logins().cancel(&User::Local(1), false, &login.id).await.unwrap();
    eventually("told", || notes.lines().len() > 1).await;
    let told = |status| ("7".to_owned(), status, Some("token-7".to_owned()));
    assert_eq!(notes.lines(), [told(LoginStatus::Exchanging), told(LoginStatus::Cancelled)]);
}

/// S12, W5: after a restart the polling goes on, and the message is still known.
#[tokio::test]
async fn a_new_supervisor_takes_up_what_the_old_one_left() {
    let host = Host::new();
    let first = host.broker();
    let notes = Arc::new(Notes::default());
    let supervisor = Supervisor::start(first.clone(), notes.clone());
    let started = start(&first, "acme", LoginKind::Device, "7").await;
    supervisor.hand_over(&thread("7"), started.handover.unwrap());
    tokio::time::timeout(Duration::from_secs(10), supervisor.shut_down()).await.expect("it drains");

    let second = host.broker();
    let _supervisor = Supervisor::start(second.clone(), notes.clone());
    let code = started.login.user_code.unwrap();
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    eventually("told", || !notes.lines().is_empty()).await;
    assert_eq!(notes.lines(), [("7".to_owned(), LoginStatus::Succeeded, Some("token-7".to_owned()))]);
    assert_eq!((host.authority.device_starts(), host.authority.rotations()), (1, 0));
}

/// W2, G24
#[tokio::test]
async fn what_is_in_use_is_refreshed_ahead_of_its_end_and_what_is_not_rests() {
    let host = Host::new();
    let broker = host.broker();
    let now = Clock::system().now();
    for (tenant, place, last_used) in [("acme/used", "1", now), ("acme/unused", "2", now - 8 * 86_400)] {
        let (tenant, place) = (key(tenant), thread(place));
        host.serving(&tenant, &Person::ada()).await;
        let mut held = host.stored(&tenant).unwrap();
        // Five of its sixty minutes are left.
        held.obtained_at = Some(now - 3_300);
        held.expires_at = Some(now + 300);
        held.created_at = Some(last_used);
        held.last_used_at = Some(last_used);
        update(&**broker.store(), Touches::tenant(&tenant).and_thread(&place), move |view| {
            let mut binding = view.binding(&place).unwrap();
            binding.tenants.insert(tenant.provider.clone(), tenant.clone());
            view.put_binding(&place, binding);
            view.put_tenant(&tenant, held);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
    }
    let supervisor = Supervisor::start(broker.clone(), Arc::new(Notes::default()));
    let generation =
        |tenant: &str| broker.store().snapshot().unwrap().tenant(&key(tenant)).unwrap().unwrap().generation;
    eventually("the refresh", || generation("acme/used") == 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((generation("acme/unused"), host.authority.refreshes()), (1, 1));
    assert_eq!(supervisor.workers(), 1, "nothing is to be done for the other thread");
}

/// A dead sign-in that thread 7 is bound to.
async fn dead_in_a_thread(host: &Host) {
    host.serving(&key("acme"), &Person::ada()).await;
    let mut held = host.stored(&key("acme")).unwrap();
    held.state = crate::credential::CredentialState::NeedsLogin;
    host.put(&key("acme"), held).await;
    update(&*host.store(), Touches::thread(&thread("7")), |view| {
        let mut binding = view.binding(&thread("7")).unwrap();
        binding.tenants.insert(key("acme").provider, key("acme"));
        view.put_binding(&thread("7"), binding);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

/// W4: once, by this bot or the next; and that it works again, once too.
#[tokio::test]
async fn a_thread_is_told_once_across_restarts_and_once_that_it_works_again() {
    let host = Host::new();
    dead_in_a_thread(&host).await;
    let notes = Arc::new(Notes::default());
    notes.heard.lock().unwrap().push(Heard::Later);
    let dead = ("7".to_owned(), What::NeedsLogin);
    for _ in 0..2 {
        let supervisor = Supervisor::start(host.broker(), notes.clone());
        eventually("told", || !notes.news().is_empty()).await;
        let marks = || host.store().snapshot().unwrap().binding(&thread("7")).unwrap().unwrap().told.len();
        eventually("written down", || marks() == 1).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(notes.news(), std::slice::from_ref(&dead));
        tokio::time::timeout(Duration::from_secs(10), supervisor.shut_down()).await.expect("it drains");
    }
    let _supervisor = Supervisor::start(host.broker(), notes.clone());
    host.serving(&key("acme"), &Person::ada()).await;
    eventually("the good news", || notes.news().len() == 2).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let by = Some(User::Local(1));
    assert_eq!(notes.news(), [dead, ("7".to_owned(), What::WorksAgain { by })]);
}

/// W4: what is shut or quiet is told once somebody is there, and not tried before.
#[tokio::test]
async fn what_was_not_heard_is_told_at_the_next_use() {
    for heard in [Heard::Shut, Heard::Quiet, Heard::NotOurs] {
        let host = Host::new();
        dead_in_a_thread(&host).await;
        let notes = Arc::new(Notes::default());
        notes.heard.lock().unwrap().push(heard);
        let supervisor = Supervisor::start(host.broker(), notes.clone());
        eventually("tried", || notes.heard.lock().unwrap().is_empty()).await;
        host.serving(&key("acme/other"), &Person::ada()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(notes.news(), [], "{heard:?}");
        supervisor.thread_used(&thread("7"), None);
        eventually("told", || !notes.news().is_empty()).await;
    }
}

/// W4: a thread without a binding of its own hears of what serves it when somebody is there.
#[tokio::test]
async fn a_thread_without_a_binding_is_told_when_it_is_used() {
    let host = Host::new();
    dead_in_a_thread(&host).await;
    let notes = Arc::new(Notes::default());
    let supervisor = Supervisor::start(host.broker(), notes.clone());
    eventually("told", || notes.news().len() == 1).await;
    supervisor.thread_used(&thread("8"), None);
    eventually("told", || notes.news().len() == 2).await;
    host.serving(&key("acme"), &Person::ada()).await;
    eventually("the good news", || notes.news().len() == 4).await;
    let mut places: Vec<_> = notes.news().into_iter().map(|(place, _)| place).collect();
    places.sort();
    assert_eq!(places, ["7", "7", "8", "8"]);
}
