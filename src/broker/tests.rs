//! The front door: who may do what, which tenant is meant, and what a logout does.

use latchkey_test_authority::{Authority, Canned, Endpoint, Person};

use super::*;
use crate::pending::{EndReason, LoginStatus};
use crate::revocation::Ended;
use crate::store::{Touches, update};
use crate::tenant::UserId;
use crate::testing::{Host, key};

mod binding;
mod knowing;
mod owing;
mod wishing;

struct House {
    host: Host,
    authority: Authority,
    broker: Broker,
    clock: Clock,
}

impl House {
    fn new() -> Self {
        Self::with("")
    }

    /// With these lines more in the provider's table, or tables behind it.
    fn with(more: &str) -> Self {
        let host = Host::with(&format!("aliases = [\"am\"]\n{more}"));
        let clock = host.clock.clone();
        let broker = Broker::new(
            host.store(),
            host.catalog.clone(),
            oauth::Client::new(),
            clock.clone(),
            crate::config::Limits::default(),
        );
        Self { authority: host.authority.clone(), broker, clock, host }
    }

    async fn sign_in(&self, tenant: &str, person: &Person, owner: &str) {
        let tenant = key(tenant);
        self.host.serving(&tenant, person).await;
        let mut held = self.host.stored(&tenant).unwrap();
        held.owner = Some(owner.parse().unwrap());
        self.host.put(&tenant, held).await;
    }

    async fn bind(&self, place: &str, tenant: &str) {
        let (place, tenant): (ThreadId, _) = (place.parse().unwrap(), key(tenant));
        update(&**self.broker.store(), Touches::thread(&place), move |view| {
            let mut binding = view.binding(&place)?;
            binding.tenants.insert(tenant.provider.clone(), tenant);
            view.put_binding(&place, binding);
            Ok::<_, crate::store::EntryError>(())
        })
        .await
        .unwrap()
        .unwrap();
    }

    fn resolve(&self, text: &str, user: Option<&str>, thread: Option<&str>, parent: Option<&str>) -> String {
        let document = self.broker.store().snapshot().unwrap();
        let user: Option<UserId> = user.map(|user| user.parse().unwrap());
        let thread: Option<ThreadId> = thread.map(|thread| thread.parse().unwrap());
        let parent: Option<ThreadId> = parent.map(|parent| parent.parse().unwrap());
        let catalog = &self.broker.catalog();
        match resolve(&document, catalog, text, user.as_ref(), thread.as_ref(), parent.as_ref()) {
            Ok(tenant) => tenant.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn tenants(&self) -> Vec<String> {
        self.broker.all_tenants().unwrap().into_iter().map(|status| status.tenant.to_string()).collect()
    }
}

fn caller(user: &str) -> Caller {
    Caller { user: user.parse().unwrap(), admin: false }
}

/// DESIGN: a thread's binding, else its parent's, else the guild's, else none with the candidates named.
#[tokio::test]
async fn a_provider_means_the_nearest_binding_and_never_a_guess() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    assert_eq!(
        host.resolve("acme", None, Some("7"), None),
        "no sign-in of acme serves here; name one of these, or bind the thread to it: acme@42"
    );
    host.bind("7", "acme@42").await;
    host.bind("1", "acme/team").await;
    for (text, user, thread, parent, tenant) in [
        ("acme", None, Some("7"), Some("1"), "acme@42"),
        ("AM", None, Some("8"), Some("1"), "acme/team"),
        ("am/work", None, Some("7"), None, "acme/work"),
        ("acme", Some("43"), Some("7"), None, "acme@43"),
        ("acme/work@42", Some("43"), None, None, "acme/work@42"),
    ] {
        assert_eq!(host.resolve(text, user, thread, parent), tenant, "{text}");
    }
    host.sign_in("acme", &Person::ben(), "1").await;
    assert_eq!(host.resolve("acme", None, Some("8"), None), "acme");
    // A profile that is named is the thread's own of that name, else the shared one, and no other's.
    host.sign_in("acme/work@42", &Person::ada(), "42").await;
    let work =
        "no sign-in of acme/work serves here; name one of these, or bind the thread to it: acme/work@42";
    assert_eq!(host.resolve("acme/work", None, Some("7"), None), work);
    host.bind("7", "acme/work@42").await;
    assert_eq!(host.resolve("acme/work", None, Some("7"), None), "acme/work@42");
    assert_eq!(host.resolve("acme/work", None, Some("8"), None), work);
    host.sign_in("acme/work", &Person::ben(), "1").await;
    assert_eq!(host.resolve("acme/work", None, Some("8"), None), "acme/work");
    assert_eq!(host.resolve("acme/work", None, Some("7"), None), "acme/work@42");
    assert!(host.resolve("nobody", None, None, None).contains("configured are: acme"));
}

/// T12, F13, C1
#[tokio::test]
async fn a_logout_removes_that_tenant_only_and_tells_the_provider() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.sign_in("acme@43", &Person::ben(), "43").await;
    let done = host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
    assert_eq!(done.at_provider, Ended::Done);
    assert_eq!(host.tenants(), ["acme@43"]);
    assert_eq!((host.authority.revocations(), host.authority.live_grants()), (1, 1));
    assert_eq!(host.broker.store().snapshot().unwrap().owed().count(), 0);
    let again = host.broker.logout(&caller("42"), &key("acme@42")).await;
    assert!(matches!(again, Err(LogoutError::NotSignedIn { .. })));
}

/// C1: a logout in the middle of a login wins.
#[tokio::test]
async fn a_logout_ends_the_logins_of_its_tenant() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    let request = LoginRequest {
        caller: caller("42"),
        tenant: key("acme@42"),
        kind: Some(LoginKind::Paste),
        watcher: None,
        bind: None,
        again: true,
        locale: None,
        redirect_uri: None,
    };
    let LoginReply::Started(started) = host.broker.login(request).await.unwrap() else { panic!("not again") };
    let url = started.login.authorize_url.as_ref().unwrap().expose().to_owned();
    let answer = host.authority.sign_in(&url, &Person::ada()).await;
    let held = host.authority.hold_reply(Endpoint::Token);
    let pasting = tokio::spawn({
        let (logins, id) = (host.broker.logins().clone(), started.login.id.clone());
        async move { logins.paste(&"42".parse().unwrap(), &id, &answer).await }
    });
    assert!(host.authority.eventually(std::time::Duration::from_secs(20), |_| held.waiting() == 1).await);
    host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
    held.release();
    assert_eq!(pasting.await.unwrap().unwrap(), crate::login::Answered::Over);
    assert!(host.tenants().is_empty());
    let login = host.broker.store().snapshot().unwrap().login_by_id(&started.login.id).unwrap();
    assert_eq!((login.status, login.reason.clone()), (LoginStatus::Cancelled, Some(EndReason::Removed)));
}

/// I6, C11: whose it is decides, or an admin.
#[tokio::test]
async fn a_logout_is_for_the_owner_or_an_admin() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.sign_in("acme", &Person::ben(), "43").await;
    for (user, tenant) in [("43", "acme@42"), ("42", "acme")] {
        let refused = host.broker.logout(&caller(user), &key(tenant)).await;
        assert!(matches!(refused, Err(LogoutError::NotYours { .. })), "{user} {tenant}");
    }
    assert_eq!(host.tenants(), ["acme", "acme@42"]);
    host.broker.logout(&Caller { admin: true, ..caller("1") }, &key("acme@42")).await.unwrap();
    host.broker.logout(&caller("43"), &key("acme")).await.unwrap();
    assert!(host.tenants().is_empty());
}

/// T12: what could not be done is owed, tried again later, and given up after a day.
#[tokio::test]
async fn what_the_provider_did_not_hear_is_owed_and_tried_again() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.authority.answer_next(Endpoint::Revoke, 2, Canned::html(503));
    let done = host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
    assert!(matches!(done.at_provider, Ended::Owed { .. }), "{done:?}");
    assert!(host.tenants().is_empty(), "the local removal succeeds all the same");

    let owed = || host.broker.store().snapshot().unwrap().owed().count();
    host.broker.retry_owed().await.unwrap();
    assert_eq!((host.authority.revocations(), owed()), (1, 1), "not yet");
    host.clock.jump(200);
    host.broker.retry_owed().await.unwrap();
    assert_eq!((host.authority.revocations(), owed()), (2, 1));
    host.clock.jump(4_000);
    host.broker.retry_owed().await.unwrap();
    assert_eq!((host.authority.revocations(), owed(), host.authority.live_grants()), (3, 0, 0));

    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.authority.go_down();
    host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
    assert_eq!(owed(), 1);
    host.clock.jump(86_401);
    host.broker.logins().sweep().await.unwrap();
    assert_eq!(owed(), 0);
    assert!(!std::fs::read_to_string(&host.host.path).unwrap().contains("rt-"), "and the token with it");
}

/// T12: what is owed for an old sign-in never ends a newer one of the same person.
#[tokio::test]
async fn an_owed_revocation_does_not_end_a_newer_sign_in() {
    for (again_as, revocations) in [(Person::ada(), 1), (Person::ben(), 2)] {
        let host = House::new();
        host.sign_in("acme@42", &Person::ada(), "42").await;
        host.authority.answer_next(Endpoint::Revoke, 1, Canned::html(503));
        host.broker.logout(&caller("42"), &key("acme@42")).await.unwrap();
        host.sign_in("acme@42", &again_as, "42").await;
        host.clock.jump(200);
        host.broker.retry_owed().await.unwrap();
        assert_eq!(host.authority.revocations(), revocations, "signed in again as {}", again_as.sub);
        assert_eq!(host.broker.store().snapshot().unwrap().owed().count(), 0);
    }
}

/// T12: the confirmation names what else would end.
#[tokio::test]
async fn a_preview_names_the_sign_ins_of_the_same_person_that_would_end_too() {
    let host = House::new();
    host.sign_in("acme@42", &Person::ada(), "42").await;
    host.sign_in("acme/other@42", &Person::ada(), "42").await;
    host.sign_in("acme@43", &Person::ben(), "43").await;
    let preview = host.broker.preview_logout(&caller("42"), &key("acme@42")).unwrap();
    assert_eq!(preview.would_end, [key("acme/other@42")]);
    assert!(preview.revokes);
}

/// G27: looking spends nothing.
#[tokio::test]
async fn status_asks_nobody() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    host.clock.jump(4_000);
    let status = host.broker.thread_status(&caller("42"), &"7".parse().unwrap(), None).unwrap();
    let healths = status.entries.iter().filter_map(|entry| entry.held.as_ref()).map(|held| held.health);
    assert_eq!(healths.collect::<Vec<_>>(), [Health::Stale]);
    host.broker.list(&caller("42")).unwrap();
    host.broker.usable(&caller("42"), &"7".parse().unwrap(), None, None).unwrap();
    assert_eq!(host.authority.requests().len(), 0);
}

/// W2: a use is noted once a day.
#[tokio::test]
async fn a_use_is_noted_once_a_day() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    let document = || host.broker.store().snapshot().unwrap();
    let fresh = |now| {
        fresh_now(&document(), &host.broker.catalog(), &key("acme"), &crate::gate::Want::default(), now)
    };
    let now = host.clock.now();
    assert!(fresh(now).unwrap().unwrap().unnoted);
    host.broker.note_use(&key("acme")).await.unwrap();
    assert!(!fresh(now).unwrap().unwrap().unnoted);
    let before = document();
    host.broker.note_use(&key("acme")).await.unwrap();
    assert!(Arc::ptr_eq(&before, &document()), "nothing is written again");
}
