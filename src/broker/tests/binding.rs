//! `/auth use`: who may have a thread use what.

use super::super::{BindError, Reason};
use super::*;

fn thread(id: &str) -> ThreadId {
    id.parse().unwrap()
}

fn admin(user: &str) -> Caller {
    Caller { admin: true, ..caller(user) }
}

/// What a change came to: what served before, what serves now, or why not.
fn told(result: Result<Bound, BindError>) -> String {
    let named = |serving: Option<Serving>| match serving {
        Some(Serving { tenant, reason }) => format!("{tenant} by {reason:?}"),
        None => "nothing".to_owned(),
    };
    match result {
        Ok(bound) => format!("{} → {}", named(bound.before), named(bound.now)),
        Err(error) => error.to_string(),
    }
}

async fn house() -> House {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    host.sign_in("acme/work@42", &Person::ada(), "42").await;
    host.sign_in("acme@43", &Person::ben(), "43").await;
    host
}

/// U7: a member chooses among the shared ones and their own; an admin among all; whether another member's is there is
/// not told.
#[tokio::test]
async fn a_thread_uses_what_its_member_may_use() {
    let host = house().await;
    let refused = "is another member's: use a shared one or your own";
    for (who, place, tenant, outcome) in [
        (caller("42"), "7", "acme/work@42", "acme by Server → acme/work@42 by Thread".to_owned()),
        (caller("42"), "7", "acme/work@42", "acme/work@42 by Thread → acme/work@42 by Thread".to_owned()),
        (caller("42"), "7", "acme", "acme/work@42 by Thread → acme by Thread".to_owned()),
        (caller("42"), "7", "acme@43", format!("acme@43 {refused}")),
        (caller("42"), "7", "acme/none@43", format!("acme/none@43 {refused}")),
        (caller("42"), "7", "acme/new@42", "acme/new@42 is not signed in: sign in first".to_owned()),
        (caller("42"), "7", "acme/team", "acme/team is not signed in: sign in first".to_owned()),
        (caller("42"), "7", "other", "provider other is not configured: add it to latchkey.toml".to_owned()),
        (admin("1"), "7", "acme@43", "acme by Thread → acme@43 by Thread".to_owned()),
        (admin("1"), "7", "acme/none@43", "acme/none@43 is not signed in: sign in first".to_owned()),
        (caller("43"), "8", "acme@43", "acme by Server → acme@43 by Thread".to_owned()),
    ] {
        let done = host.broker.bind(&who, &thread(place), None, &key(tenant)).await;
        assert_eq!(told(done), outcome, "{who:?} {tenant}");
    }
    for (place, tenant) in [("7", "acme@43"), ("8", "acme@43")] {
        assert_eq!(host.resolve("acme", None, Some(place), None), tenant, "agents see the change");
    }
}

/// U7, I6: a thread that uses somebody's own is changed by them or an admin, by no way of anybody else's.
#[tokio::test]
async fn what_uses_somebody_elses_own_is_theirs_to_change() {
    let host = house().await;
    let place = thread("7");
    host.broker.bind(&caller("42"), &place, None, &key("acme/work@42")).await.unwrap();
    let refused = "the thread uses what is 42's own: they or an admin can change that";
    for tenant in ["acme", "acme@43"] {
        let done = host.broker.bind(&caller("43"), &place, None, &key(tenant)).await;
        assert_eq!(told(done), refused);
    }
    let provider = key("acme").provider;
    assert_eq!(told(host.broker.unbind(&caller("43"), &place, None, &provider).await), refused);
    assert_eq!(host.resolve("acme", None, Some("7"), None), "acme/work@42");
    let done = host.broker.unbind(&caller("42"), &place, None, &provider).await;
    assert_eq!(told(done), "acme/work@42 by Thread → acme by Server");
    host.broker.bind(&caller("42"), &place, None, &key("acme/work@42")).await.unwrap();
    let done = host.broker.bind(&admin("1"), &place, None, &key("acme")).await;
    assert_eq!(told(done), "acme/work@42 by Thread → acme by Thread");
}

/// DESIGN: a choice of the thread's own hides its channel's, and without one that shines through.
#[tokio::test]
async fn the_channels_choice_shines_through_where_the_thread_has_none() {
    let host = house().await;
    let (place, channel) = (thread("7"), thread("1"));
    let provider = key("acme").provider;
    host.broker.bind(&caller("43"), &channel, None, &key("acme@43")).await.unwrap();
    let bind = |tenant: &'static str| {
        let host = &host;
        let (place, channel) = (place.clone(), channel.clone());
        async move { told(host.broker.bind(&caller("42"), &place, Some(&channel), &key(tenant)).await) }
    };
    assert_eq!(bind("acme").await, "acme@43 by Channel → acme by Thread", "only this thread is changed");
    assert_eq!(host.resolve("acme", None, Some("8"), Some("1")), "acme@43");
    assert_eq!(host.resolve("acme", None, Some("7"), Some("1")), "acme");
    let back = host.broker.unbind(&caller("42"), &place, Some(&channel), &provider).await;
    assert_eq!(told(back), "acme by Thread → acme@43 by Channel");
    let same = host.broker.unbind(&caller("42"), &place, Some(&channel), &provider).await;
    assert_eq!(told(same), "acme@43 by Channel → acme@43 by Channel");
    let status = host.broker.thread_status(&caller("42"), &place, Some(&channel)).unwrap();
    assert_eq!(status.entries[0].serving, Serving { tenant: key("acme@43"), reason: Reason::Channel });
}

/// What is chosen already costs no write.
#[tokio::test]
async fn choosing_what_is_chosen_writes_nothing() {
    let host = house().await;
    host.broker.bind(&caller("42"), &thread("7"), None, &key("acme")).await.unwrap();
    let before = host.broker.store().snapshot().unwrap();
    host.broker.bind(&caller("42"), &thread("7"), None, &key("acme")).await.unwrap();
    assert!(Arc::ptr_eq(&before, &host.broker.store().snapshot().unwrap()));
}

/// What people type: names, aliases, titles, full keys, and their own without the id.
#[tokio::test]
async fn what_people_type_is_understood() {
    let host = house().await;
    for (user, text, tenant) in [
        ("42", "acme", Some("acme")),
        ("43", " AM ", Some("acme")),
        ("42", "acme/work", Some("acme/work@42")),
        ("42", "am/work", Some("acme/work@42")),
        ("43", "acme/work", Some("acme/work@43")),
        ("43", "acme@me", Some("acme@43")),
        ("43", "am@43", Some("acme@43")),
        ("42", "acme@43", Some("acme@43")),
        ("42", "acme/new", Some("acme/new@42")),
        ("42", "none", None),
        ("42", "acme/a b", None),
        ("42", "", None),
    ] {
        let meant = host.broker.meant(&caller(user), text).unwrap();
        assert_eq!(meant, tenant.map(key), "{user} {text:?}");
    }
    let shares = House::with("share = \"guild\"\n");
    shares.sign_in("acme/work@42", &Person::ada(), "42").await;
    for (text, tenant) in [("acme/work", "acme/work@42"), ("acme/new", "acme/new"), ("acme", "acme")] {
        assert_eq!(shares.broker.meant(&caller("42"), text).unwrap(), Some(key(tenant)), "{text}");
    }
}

/// U7: nobody is offered what is another's; what does not serve yet and works comes first.
#[tokio::test]
async fn what_may_be_used_is_offered_best_first() {
    let host = house().await;
    host.sign_in("acme/aged@42", &Person::ada(), "42").await;
    let mut aged = host.host.stored(&key("acme/aged@42")).unwrap();
    aged.state = crate::credential::CredentialState::NeedsLogin;
    host.host.put(&key("acme/aged@42"), aged).await;
    for (who, offered) in [
        (caller("42"), &["acme/work@42", "acme/aged@42", "acme"][..]),
        (caller("43"), &["acme@43", "acme"]),
        (caller("44"), &["acme"]),
        (admin("43"), &["acme@43", "acme/work@42", "acme/aged@42", "acme"]),
    ] {
        let usable = host.broker.usable(&who, &thread("7"), None, None).unwrap();
        let names: Vec<_> = usable.iter().map(|choice| choice.status.tenant.to_string()).collect();
        assert_eq!(names, offered, "{who:?}");
        assert_eq!(usable.iter().filter(|choice| choice.serves).count(), 1);
    }
}
