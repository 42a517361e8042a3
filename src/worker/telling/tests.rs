//! What a thread is told, as a table; and that it is told once, whatever happens in whatever order.

use std::collections::BTreeSet;

use latchkey_test_authority::Person;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::credential::{CredentialState, Suspension};
use crate::pending::LoginStatus::{Cancelled, Confirming, Pending};
use crate::provider::Provider;
use crate::testing::{Host, key};

const PLACE: &str = "7";

fn place() -> ThreadId {
    PLACE.parse().unwrap()
}

impl Host {
    async fn change(&self, tenant: &str, change: impl FnOnce(&mut Credential)) {
        let mut held = self.stored(&key(tenant)).unwrap();
        change(&mut held);
        self.put(&key(tenant), held).await;
    }

    async fn sign_in(&self, tenant: &str, owner: &str) {
        self.serving(&key(tenant), &Person::ada()).await;
        self.change(tenant, |held| held.owner = Some(owner.parse().unwrap())).await;
    }

    fn told(&self) -> Vec<String> {
        let document = self.store().snapshot().unwrap();
        document.binding(&place()).unwrap().map(|binding| binding.told.clone()).unwrap_or_default()
    }

    fn plan(&self, bound: &[&str], used: Option<&Use>) -> Plan {
        let tenants = bound.iter().map(|tenant| (key(tenant).provider, key(tenant))).collect();
        let binding = Binding { tenants, told: self.told(), ..Binding::default() };
        let document = self.store().snapshot().unwrap();
        plan(&document, &self.catalog, &Provider::as_configured, &place(), &binding, used, self.clock.now())
    }

    /// What would be told now, and that it was.
    async fn tell(&self, bound: &[&str], used: Option<&Use>) -> Vec<What> {
        let plan = self.plan(bound, used);
        for news in &plan.news {
            note(&*self.store(), &place(), news.mark.clone()).await.unwrap();
        }
        plan.news.into_iter().map(|news| news.what).collect()
    }
}

fn dead(held: &mut Credential) {
    held.state = CredentialState::NeedsLogin;
}

fn gone(held: &mut Credential) {
    held.suspended = Some(Suspension { reason: Unserved::Left, at: held.updated_at.unwrap_or(0) });
}

/// A name, what becomes of the tenant, what the thread is bound to, whether somebody is there, and what is told.
type Row = (&'static str, fn(&mut Credential), &'static [&'static str], bool, Vec<What>);

/// W4, U7: each state, before anything was told and after, bound and not.
#[tokio::test]
async fn each_state_has_its_message() {
    let works = |_: &mut Credential| {};
    let unsure = |held: &mut Credential| held.state = CredentialState::Uncertain;
    let key_of_the_operators = |held: &mut Credential| {
        dead(held);
        held.kind = CredentialKind::Static;
    };
    let table: [Row; 9] = [
        ("works", works, &["acme"], true, vec![]),
        ("unsure", unsure, &["acme"], true, vec![]),
        ("a key", key_of_the_operators, &["acme"], true, vec![]),
        ("dead", dead, &["acme"], false, vec![What::NeedsLogin]),
        ("dead, shared, not bound", dead, &[], false, vec![]),
        ("dead, shared, not bound, used", dead, &[], true, vec![What::NeedsLogin]),
        ("dead, and bound to another", dead, &["acme/other"], true, vec![]),
        ("gone", gone, &["acme"], false, vec![What::Unserved(Unserved::Left)]),
        ("gone, not bound", gone, &[], true, vec![]),
    ];
    for (name, change, bound, is_used, expected) in table {
        let host = Host::new();
        host.sign_in("acme/other", "2").await;
        host.sign_in("acme", "1").await;
        host.change("acme", change).await;
        let used = is_used.then(Use::default);
        assert_eq!(host.tell(bound, used.as_ref()).await, expected, "{name}");
        assert_eq!(host.tell(bound, used.as_ref()).await, [], "{name}, again");
    }
}

/// W4: who is told that it works again, and by whom it does.
#[tokio::test]
async fn that_it_works_again_is_told_where_it_was_told_that_it_did_not() {
    let host = Host::new();
    host.sign_in("acme", "1").await;
    let renewed =
        |held: &mut Credential| (held.state, held.generation) = (CredentialState::Ok, held.generation + 1);
    let again = |by: Option<&str>| vec![What::WorksAgain { by: by.map(|by| by.parse().unwrap()) }];
    // It came back by itself.
    host.change("acme", dead).await;
    assert_eq!(host.tell(&["acme"], None).await, [What::NeedsLogin]);
    host.change("acme", renewed).await;
    assert_eq!(host.tell(&["acme"], None).await, again(None));
    // Somebody signed in.
    host.change("acme", dead).await;
    assert_eq!(host.tell(&["acme"], None).await, [What::NeedsLogin]);
    host.sign_in("acme", "2").await;
    assert_eq!(host.tell(&["acme"], None).await, again(Some("2")));
    // Somebody's own serves from now on; and what is told of it later is another's matter.
    host.change("acme", dead).await;
    assert_eq!(host.tell(&["acme"], None).await, [What::NeedsLogin]);
    host.sign_in("acme@3", "3").await;
    assert_eq!(host.tell(&["acme@3"], None).await, again(Some("3")));
    assert_eq!(host.tell(&["acme"], None).await, [], "of that version it was told before");
    host.change("acme@3", gone).await;
    assert_eq!(host.tell(&["acme@3"], None).await, [What::Unserved(Unserved::Left)]);
    host.change("acme@3", |held| held.suspended = None).await;
    assert_eq!(host.tell(&["acme@3"], None).await, [What::ServedAgain]);
    assert_eq!(host.tell(&["acme@3"], None).await, []);
}

/// W4: one that was told without a binding is told without one that it works again.
#[tokio::test]
async fn what_serves_by_the_channel_or_for_all_is_told_at_its_use_and_taken_back() {
    let host = Host::new();
    host.sign_in("acme@3", "3").await;
    let parent: ThreadId = "70".parse().unwrap();
    let channel = parent.clone();
    update(&*host.store(), Touches::thread(&parent), move |view| {
        let tenants = [(key("acme").provider, key("acme@3"))].into();
        view.put_binding(&channel, Binding { tenants, ..Binding::default() });
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    host.change("acme@3", dead).await;
    let used = Use { parent: Some(parent) };
    assert_eq!(host.tell(&[], None).await, []);
    let plan = host.plan(&[], Some(&used));
    assert_eq!((&plan.news[0].tenant, plan.news[0].is_bound), (&key("acme@3"), false));
    assert_eq!(host.tell(&[], Some(&used)).await, [What::NeedsLogin]);
    host.sign_in("acme@3", "3").await;
    assert_eq!(host.tell(&[], None).await, [What::WorksAgain { by: Some("3".parse().unwrap()) }]);
}

/// G17: what may be the provider's fault waits until that is known; what the provider was definite about does not.
#[tokio::test]
async fn several_that_die_at_once_are_told_after_their_probe() {
    let host = Host::new();
    let plainly = |host: &Host| {
        let now = host.clock.now();
        move |held: &mut Credential| {
            dead(held);
            held.retry_at = Some(now + PROBE_AFTER);
        }
    };
    for tenant in ["acme", "acme/b", "acme/c", "acme/d"] {
        host.sign_in(tenant, "1").await;
    }
    host.change("acme", plainly(&host)).await;
    let died = host.clock.now();
    assert_eq!(host.plan(&["acme"], None), Plan { next: Some(died + ALARM_WITHIN), ..Plan::default() });
    host.clock.jump(ALARM_WITHIN - 1);
    host.change("acme/b", plainly(&host)).await;
    host.change("acme/c", plainly(&host)).await;
    host.clock.jump(ALARM_WITHIN);
    for tenant in ["acme", "acme/b", "acme/c"] {
        let plan = host.plan(&[tenant], None);
        assert_eq!((plan.news.len(), plan.next), (0, Some(host.clock.now() + ALARM_LOOK)), "{tenant}");
    }
    host.change("acme/d", dead).await;
    assert_eq!(host.plan(&["acme/d"], None).news.len(), 1, "it was definite");
    host.clock.jump(PROBE_AFTER);
    // Its probe is out, which says nothing yet; and those that wait for theirs go on waiting.
    let (asked, other) = (host.clock.now(), host.stored(&key("acme/c")).unwrap());
    host.change("acme", |held| {
        held.retry_at = None;
        held.intent = Some(crate::credential::Intent {
            credential_id: held.id.clone(),
            generation: held.generation,
            refresh_sha256: held.refresh_token.as_ref().unwrap().hash(),
            attempt: 1,
            sent_at: asked,
        });
    })
    .await;
    host.change("acme/c", |held| held.retry_at = Some(asked + 20)).await;
    assert_eq!(host.plan(&["acme"], None).next, Some(asked + PROBE_TAKES));
    assert_eq!(host.plan(&["acme/c"], None).next, Some(asked + 20 + ALARM_WITHIN));
    host.put(&key("acme/c"), other).await;
    host.change("acme", |held| held.intent = None).await;
    // One came back, one is still dead, the third was not probed, since nobody uses it.
    host.change("acme", |held| (held.state, held.retry_at) = (CredentialState::Ok, None)).await;
    host.change("acme/b", |held| held.retry_at = None).await;
    for (tenant, expected) in
        [("acme", vec![]), ("acme/b", vec![What::NeedsLogin]), ("acme/c", vec![What::NeedsLogin])]
    {
        assert_eq!(host.tell(&[tenant], None).await, expected, "{tenant}");
    }
}

/// W4: nobody is called while somebody is at it; that a finished sign-in waits for an admin is no reason to be silent.
#[tokio::test]
async fn a_sign_in_under_way_holds_the_message_back() {
    let host = Host::new();
    host.sign_in("acme", "1").await;
    host.change("acme", dead).await;
    let now = host.clock.now();
    let kind = crate::pending::LoginKind::Paste;
    let mut login = crate::pending::PendingLogin::new(
        "0".repeat(32),
        kind,
        "2".parse().unwrap(),
        key("acme"),
        now,
        now + 840,
    );
    for (status, expected) in [(Pending, 0), (Confirming, 1), (Cancelled, 1)] {
        login.status = status;
        let waiting =
            crate::pending::Confirming { credential: host.stored(&key("acme")).unwrap(), since: now };
        login.confirming = (status == Confirming).then(|| Box::new(waiting));
        let stored = login.clone();
        update(&*host.store(), Touches::logins_at(&key("acme")), |view| {
            view.put_login(stored);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
        assert_eq!(host.plan(&["acme"], None).news.len(), expected, "{status}");
    }
}

/// W4: a thread's marks are bounded, and the newest stay.
#[test]
fn marks_are_bounded() {
    let told = (0..100).fold(Vec::new(), |told, n| marked(told, format!("acme needs_login {n}")));
    assert_eq!((told.len(), told[MARKS - 1].as_str()), (MARKS, "acme needs_login 99"));
    let told = marked(told, "acme needs_login 80".to_owned());
    assert_eq!((told.len(), told[MARKS - 1].as_str()), (MARKS, "acme needs_login 80"));
}

/// W4: in whatever order things happen, with crashes between the sending and the noting: each death is told at most once,
/// good news follow bad ones, and the last that stands in the thread is true.
#[tokio::test]
async fn in_any_order_of_events_each_death_is_told_once_and_the_last_message_is_true() {
    for seed in 0..12 {
        let mut random = StdRng::seed_from_u64(seed);
        let host = Host::new();
        host.sign_in("acme", "1").await;
        // What Discord shows: a nonce that it knows shows nothing new.
        let (mut shown, mut nonces) = (Vec::<News>::new(), BTreeSet::new());
        let mut story = Vec::new();
        for _ in 0..25 {
            let event = random.random_range(0..8);
            story.push(event);
            match event {
                0 | 1 => host.change("acme", dead).await,
                2 => {
                    let next = |held: &mut Credential| {
                        (held.state, held.generation) = (CredentialState::Ok, held.generation + 1);
                    };
                    host.change("acme", next).await;
                }
                3 => host.sign_in("acme", "2").await,
                4 => {
                    host.clock.jump(1);
                    host.change("acme", gone).await;
                }
                5 => host.change("acme", |held| held.suspended = None).await,
                // Told; or told and killed before that was written down, and told by the next bot.
                event => {
                    for news in host.plan(&["acme"], None).news {
                        for _ in 6..=event {
                            if nonces.insert(news.nonce.clone()) {
                                shown.push(news.clone());
                            }
                        }
                        note(&*host.store(), &place(), news.mark).await.unwrap();
                    }
                }
            }
        }
        for news in host.plan(&["acme"], None).news {
            if nonces.insert(news.nonce.clone()) {
                shown.push(news);
            }
        }
        let deaths: Vec<_> =
            shown.iter().filter(|news| news.what == What::NeedsLogin).map(|news| &news.mark).collect();
        let distinct: BTreeSet<_> = deaths.iter().collect();
        assert_eq!(deaths.len(), distinct.len(), "seed {seed}: {story:?}\n{shown:#?}");
        for two in shown.windows(2) {
            assert!(!two[1].is_good() || !two[0].is_good(), "seed {seed}: {story:?}\n{shown:#?}");
        }
        assert!(!shown.first().is_some_and(News::is_good), "seed {seed}: {story:?}\n{shown:#?}");
        let held = host.stored(&key("acme")).unwrap();
        let works = held.suspended.is_none() && held.state == CredentialState::Ok;
        let says_so = shown.last().is_none_or(News::is_good);
        assert_eq!(works, says_so, "seed {seed}: {story:?}\n{shown:#?}");
    }
}

/// W4: an agent that asks, in a thread without a binding too, is a use of its thread.
#[tokio::test]
async fn an_agent_that_was_refused_is_a_use_of_its_thread() {
    let host = Host::new();
    host.sign_in("acme", "1").await;
    host.change("acme", dead).await;
    let document = host.store().snapshot().unwrap();
    let now = host.clock.now();
    for (asked, expected) in [(None, 0), (Some(now - 86_400), 0), (Some(now - 86_399), 1)] {
        let binding = Binding { asked_at: asked, ..Binding::default() };
        let plan = plan(&document, &host.catalog, &Provider::as_configured, &place(), &binding, None, now);
        assert_eq!((plan.news.len(), plan.in_use), (expected, expected == 1), "{asked:?}");
    }
}

/// W4: what is known of threads that are bound to nothing does not pile up.
#[tokio::test]
async fn what_unbound_threads_were_told_is_forgotten_after_a_month() {
    let host = Host::new();
    let threads = ["1", "2"].map(|id| id.parse::<ThreadId>().unwrap());
    for thread in &threads {
        note(&*host.store(), thread, "acme needs_login 0".to_owned()).await.unwrap();
    }
    let bound = threads[1].clone();
    update(&*host.store(), Touches::thread(&bound), move |view| {
        let mut binding = view.binding(&bound).unwrap();
        binding.tenants.insert(key("acme").provider, key("acme"));
        view.put_binding(&bound, binding);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    for (later, left) in [(KEPT_FOR, 2), (2, 1)] {
        host.clock.jump(later);
        let store = host.store();
        forget(&*store, &store.snapshot().unwrap(), host.clock.now()).await.unwrap();
        assert_eq!(store.snapshot().unwrap().bindings().count(), left);
    }
}

/// W2: every change of the store makes a plan for each thread, so that one must not look at all the others.
#[tokio::test]
async fn a_plan_looks_at_no_other_threads() {
    let host = Host::new();
    host.sign_in("acme", "1").await;
    let threads: Vec<ThreadId> = (100..150).map(|id| id.to_string().parse().unwrap()).collect();
    let touches = threads.iter().fold(Touches::nothing(), Touches::and_thread);
    update(&*host.store(), touches, move |view| {
        for thread in threads {
            let tenants = [(key("acme").provider, key("acme"))].into();
            view.put_binding(&thread, Binding { tenants, ..Binding::default() });
        }
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
    let binding = Binding { tenants: [(key("acme").provider, key("acme"))].into(), ..Binding::default() };
    let used = Use { parent: Some("100".parse().unwrap()) };
    for state in [|_: &mut Credential| {}, dead] {
        host.change("acme", state).await;
        let document = host.store().snapshot().unwrap();
        let before = document.bindings_looked_at();
        let known = &Provider::as_configured;
        plan(&document, &host.catalog, known, &place(), &binding, Some(&used), host.clock.now());
        assert_eq!(document.bindings_looked_at(), before + 1, "the channel's alone");
    }
}
