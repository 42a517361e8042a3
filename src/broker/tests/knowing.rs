//! `/auth list` and `/auth status`: who is told what.

use super::super::{NextRefresh, Reason};
use super::*;

/// U7: one's own and the shared ones; all for an admin; the threads of a tenant for whom they concern.
#[tokio::test]
async fn a_list_has_ones_own_and_the_shared_ones() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    host.sign_in("acme/work@42", &Person::ada(), "42").await;
    host.sign_in("acme@43", &Person::ben(), "43").await;
    host.bind("7", "acme").await;
    host.bind("8", "acme/work@42").await;
    host.bind("9", "acme/work@42").await;
    for (who, listed) in [
        (caller("42"), &["acme/work@42 in 8 9", "acme in 7"][..]),
        (caller("43"), &["acme@43 in ", "acme in "]),
        (caller("44"), &["acme in "]),
        (Caller { admin: true, ..caller("1") }, &["acme in 7", "acme/work@42 in 8 9", "acme@43 in "]),
    ] {
        let list = host.broker.list(&who).unwrap();
        let names = list.tenants.iter().map(|listed| {
            let threads: Vec<_> = listed.threads.iter().map(ToString::to_string).collect();
            format!("{} in {}", listed.status.tenant, threads.join(" "))
        });
        assert_eq!(names.collect::<Vec<_>>(), listed, "{who:?}");
    }
}

/// U6: a refresh ahead of need is foretold only where one will be made: in use, and bound by a thread. It is the gate's own.
#[tokio::test]
async fn the_next_refresh_is_the_gates_own() {
    let host = House::new();
    let tenant = key("acme");
    host.sign_in("acme", &Person::ada(), "42").await;
    let next = || {
        let status = host.broker.thread_status(&caller("42"), &"7".parse().unwrap(), None).unwrap();
        status.entries[0].held.as_ref().unwrap().next_refresh
    };
    assert_eq!(next(), Some(NextRefresh::AtUse), "no thread is bound to it");
    host.bind("7", "acme").await;
    let held = host.host.stored(&tenant).unwrap();
    assert_eq!(next(), host.broker.gate().due(&held).map(NextRefresh::At));
    assert!(matches!(next(), Some(NextRefresh::At(_))));
    let mut unused = held.clone();
    (unused.last_used_at, unused.created_at) = (None, Some(host.clock.now() - 8 * 24 * 60 * 60));
    host.host.put(&tenant, unused).await;
    assert_eq!(next(), Some(NextRefresh::AtUse), "nobody uses it of late");
    let mut dead = held.clone();
    dead.state = crate::credential::CredentialState::NeedsLogin;
    host.host.put(&tenant, dead).await;
    assert_eq!(next(), None);
    let mut resting = held.clone();
    let reason = crate::credential::Unserved::Left;
    resting.suspended = Some(crate::credential::Suspension { reason, at: host.clock.now() });
    host.host.put(&tenant, resting).await;
    assert_eq!(next(), None, "it rests");
    let mut fixed = held;
    fixed.refresh_token = None;
    host.host.put(&tenant, fixed).await;
    assert_eq!(next(), None);
}

/// G25: what the environment gives is told although nothing is signed in; and what serves nothing yet is apart.
#[tokio::test]
async fn a_key_from_the_environment_is_told_whatever_is_signed_in() {
    let host = House::new();
    let place: ThreadId = "7".parse().unwrap();
    let status = host.broker.thread_status(&caller("42"), &place, None).unwrap();
    assert_eq!((status.entries.len(), status.silent), (0, vec![key("acme").provider]));
    host.sign_in("acme/work@42", &Person::ada(), "42").await;
    let status = host.broker.thread_status(&caller("42"), &place, None).unwrap();
    assert_eq!(status.entries.len(), 1, "there is one that it could use");
    assert!(!status.entries[0].is_something());
    let status = host.broker.thread_status(&caller("43"), &place, None).unwrap();
    assert_eq!(status.entries.len(), 0, "not of another's");

    let text = "[providers.acme]\ntoken_endpoint = \"https://id.acme.example/token\"\nclient_id = \"x\"\n\
                authorization_endpoint = \"https://id.acme.example/a\"\nflows = [\"paste\"]\n\
                redirect_uri = \"http://127.0.0.1:1/cb\"\napi_key_env = \"ACME_KEY\"\n";
    let environment = |name: &str| (name == "ACME_KEY").then(|| "k".to_owned());
    let config = crate::config::Config::parse(text, std::path::Path::new("x"), &environment).unwrap();
    let broker = Broker::new(
        host.host.store(),
        config.providers,
        oauth::Client::new(),
        host.clock.clone(),
        crate::config::Limits::default(),
    );
    let status = broker.thread_status(&caller("43"), &place, None).unwrap();
    let entry = &status.entries[0];
    assert_eq!(entry.environment, Some(FromEnvironment::ApiKey));
    assert_eq!(entry.serving, Serving { tenant: key("acme"), reason: Reason::Server });
    assert_eq!(broker.list(&caller("43")).unwrap().environment.len(), 1);
}

/// F5, U6: what cannot be read fails neither the status nor the rest of it, and its details are an admin's.
#[tokio::test]
async fn a_damaged_entry_is_told_and_fails_nothing_else() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    host.bind("7", "acme").await;
    let text = std::fs::read_to_string(&host.host.path).unwrap();
    let mut stored: serde_json::Value = serde_json::from_str(&text).unwrap();
    stored["threads"]["8"] = serde_json::json!({ "tenants": { "acme": "no tenant" } });
    stored["tenants"]["acme/work@42"] = serde_json::json!({ "kind": 7 });
    stored["threads"]["9"] = serde_json::json!({ "tenants": { "acme": "acme/work@42" } });
    std::fs::write(&host.host.path, stored.to_string()).unwrap();
    let admin = Caller { admin: true, ..caller("1") };
    for (place, unreadable, damaged_here) in [("7", false, false), ("8", true, false), ("9", false, true)] {
        for (who, damaged) in [(caller("42"), 0), (admin.clone(), 2)] {
            let status = host.broker.thread_status(&who, &place.parse().unwrap(), None).unwrap();
            let told = status.entries.iter().any(|entry| entry.damaged);
            assert_eq!(
                (status.unreadable, told, status.damaged.len()),
                (unreadable, damaged_here, damaged),
                "{place}"
            );
        }
    }
}

/// G30, U6: a sign-in that the configuration of now cannot refresh is told as that once it matters.
#[tokio::test]
async fn a_sign_in_under_other_settings_is_told_once_its_token_has_ended() {
    let host = House::new();
    host.sign_in("acme", &Person::ada(), "42").await;
    let mut held = host.host.stored(&key("acme")).unwrap();
    held.client_id = Some("another".to_owned());
    host.host.put(&key("acme"), held).await;
    let health = || host.broker.list(&caller("42")).unwrap().tenants[0].status.health;
    assert_eq!(health(), Health::Fresh);
    host.clock.jump(4_000);
    assert_eq!(health(), Health::Misconfigured);
}

/// G30, T13: what the gate refuses every time, status says, in each process, and asks nobody for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_endpoint_that_was_found_to_have_moved_is_told() {
    let mut host = Host::new();
    let found = format!(
        "\n[providers.found]\nissuer = {:?}\nclient_id = {:?}\n",
        host.authority.issuer(),
        latchkey_test_authority::CLIENT
    );
    host.catalog = crate::testing::catalog(&host.authority, &found);
    let broker = || {
        Broker::new(
            host.store(),
            host.catalog.clone(),
            oauth::Client::new(),
            host.clock.clone(),
            crate::config::Limits::default(),
        )
    };
    let tenant = key("found");
    let tokens = host.authority.mint(&Person::ada(), latchkey_test_authority::CLIENT, &["openid"]);
    let mut held = host.credential(&tokens, &Person::ada());
    held.provider = tenant.provider.clone();
    held.token_endpoint = Some("http://127.0.0.1:9/moved".to_owned());
    held.expires_at = Some(host.clock.now() - 1);
    host.put(&tenant, held.clone()).await;
    let health = |broker: &Broker| broker.all_tenants().unwrap()[0].health;
    let one = broker();
    assert_eq!(health(&one), Health::Stale, "nothing is known yet");
    let refused = one.token(&tenant, crate::gate::Want::default(), std::time::Duration::from_secs(20)).await;
    assert!(refused.unwrap_err().to_string().contains("another token_endpoint"));
    let asked = host.authority.requests().len();
    assert_eq!(health(&one), Health::Misconfigured);
    assert_eq!(health(&broker()), Health::Misconfigured, "another process");
    let provider = host.catalog.get(&tenant.provider).unwrap();
    let cached = crate::directory::cached(&*host.store(), provider).unwrap();
    assert_eq!(cached.token_endpoint.as_str(), host.authority.token_endpoint());
    assert_eq!(host.authority.requests().len(), asked);
    // While it rests that it rests is what counts.
    let reason = crate::credential::Unserved::Left;
    held.suspended = Some(crate::credential::Suspension { reason, at: host.clock.now() });
    host.put(&tenant, held).await;
    assert_eq!(health(&one), Health::Suspended(reason));
}
