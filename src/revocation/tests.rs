//! What a revocation would end, by what is stored.

use latchkey_test_authority::{Canned, Endpoint, Person};

use super::*;
use crate::credential::Account;
use crate::secret::Secret;
use crate::testing::{Host, key};

/// T12: the same or an unknown account of this issuer and client, whatever the tenant is called; for a token that ends
/// alone, only who holds that very token; a key never ends.
#[tokio::test]
async fn what_would_end_is_known_before_anything_is_revoked() {
    for (scope, shares, ends) in [
        ("grant", false, vec!["acme/same", "acme/unknown", "acme/unsaid"]),
        ("grant", true, vec!["acme/other", "acme/same", "acme/unknown", "acme/unsaid"]),
        ("token", false, vec![]),
        ("token", true, vec!["acme/other"]),
        ("none", true, vec![]),
    ] {
        let host = Host::with(&format!("revocation = {scope:?}\n"));
        let tenant = key("acme");
        host.serving(&tenant, &Person::ada()).await;
        let ours = host.stored(&tenant).unwrap();
        for (name, person) in [
            ("acme/same", Person::ada()),
            ("acme/unknown", Person::ada()),
            ("acme/unsaid", Person::ada()),
            ("acme/other", Person::ben()),
            ("acme/otherclient", Person::ada()),
            ("acme/key", Person::ada()),
        ] {
            host.serving(&key(name), &person).await;
            let mut held = host.stored(&key(name)).unwrap();
            match name {
                "acme/unknown" => held.account = Account::default(),
                "acme/unsaid" => held.client_id = None,
                "acme/otherclient" => held.client_id = Some("another".to_owned()),
                "acme/key" => {
                    held = Credential::new(
                        CredentialKind::Static,
                        key("acme").provider,
                        Secret::new("sk"),
                        host.clock.now(),
                    );
                }
                "acme/other" if shares => held.refresh_token.clone_from(&ours.refresh_token),
                _ => {}
            }
            host.put(&key(name), held).await;
        }
        let document = host.store().snapshot().unwrap();
        let provider = host.catalog.get(&tenant.provider).unwrap();
        let found = would_end(&document, &tenant, &ours, provider);
        assert_eq!(found, ends.iter().map(|name| key(name)).collect::<Vec<_>>(), "{scope}, shares {shares}");
    }
}

/// T12: what was dropped is not revoked while its own slot, read or not, may hold what would end with it.
#[tokio::test]
async fn what_was_dropped_is_at_risk_with_what_its_slot_holds_by_now() {
    for (scope, what, at_risk) in [
        ("grant", "gone", false),
        ("grant", "the same account", true),
        ("grant", "another account", false),
        ("grant", "damaged", true),
        ("grant", "gone, beside a damaged one", true),
        ("none", "gone, beside a damaged one", false),
        ("token", "gone", false),
        ("token", "the same account", false),
        ("token", "the same token", true),
        ("token", "damaged", true),
        ("none", "the same token", false),
    ] {
        let host = Host::with(&format!("revocation = {scope:?}\n"));
        let tenant = key("acme");
        host.serving(&tenant, &Person::ada()).await;
        let mut dropped = host.stored(&tenant).unwrap();
        if what != "the same token" {
            dropped.refresh_token = Some(Secret::new("rt-dropped"));
        }
        match what {
            "gone" => std::fs::remove_file(&host.path).unwrap(),
            "gone, beside a damaged one" => {
                let text = std::fs::read_to_string(&host.path).unwrap();
                let text = text.replace("\"acme\": {", "\"acme/b\": {").replace("\"oauth\"", "\"odd\"");
                std::fs::write(&host.path, text).unwrap();
                assert!(host.stored(&tenant).is_none());
            }
            "another account" => drop(host.serving(&tenant, &Person::ben()).await),
            "damaged" => {
                let text = std::fs::read_to_string(&host.path).unwrap().replace("\"oauth\"", "\"odd\"");
                std::fs::write(&host.path, text).unwrap();
            }
            _ => {}
        }
        let document = host.store().snapshot().unwrap();
        let provider = host.catalog.get(&tenant.provider).unwrap();
        assert_eq!(puts_at_risk(&document, &tenant, &dropped, provider), at_risk, "{scope}: {what}");
    }
}

/// T12: what could not be revoked when it was dropped is owed.
#[tokio::test]
async fn what_was_dropped_is_owed_until_the_provider_takes_it() {
    let host = Host::with("revocation = \"token\"\n");
    let tenant = key("acme");
    host.serving(&tenant, &Person::ada()).await;
    let dropped = host.stored(&tenant).unwrap();
    std::fs::remove_file(&host.path).unwrap();
    host.authority.answer_next(Endpoint::Revoke, 1, Canned::html(503));
    let store: Arc<dyn Store> = host.store();
    let provider = host.catalog.get(&tenant.provider).unwrap();
    let client = oauth::Client::new();
    let directory = Directory::new(Arc::clone(&store), client.clone(), host.clock.clone());
    of_dropped(&store, &client, &directory, provider, &tenant, &dropped, host.clock.now()).await;
    let owed: Vec<_> = store.snapshot().unwrap().owed().map(|owed| (*owed).clone()).collect();
    assert_eq!(owed.len(), 1);
    assert_eq!((&owed[0].token, owed[0].is_refresh), (dropped.refresh_token.as_ref().unwrap(), true));
}

/// T12, G19: an issuer that moved its token endpoint is the same server; another provider's elsewhere is not.
#[test]
fn a_moved_token_endpoint_is_the_same_server() {
    let held = |tenant: &str, endpoint: &str| {
        let mut held = Credential::new(CredentialKind::OAuth, key(tenant).provider, Secret::new("at"), 100);
        held.token_endpoint = Some(format!("https://id.example{endpoint}"));
        held
    };
    let ours = held("acme", "/token");
    for (tenant, endpoint, same) in [
        ("acme", "/token", true),
        ("acme", "/v2/token", true),
        ("other", "/token", true),
        ("other", "/t", false),
    ] {
        assert_eq!(ours.is_of_same_client(&held(tenant, endpoint)), same, "{tenant} {endpoint}");
    }
}

/// G30: a token is shown to no other server than the one that issued it.
#[tokio::test]
async fn nothing_is_revoked_at_another_server() {
    let host = Host::new();
    let tenant = key("acme");
    host.serving(&tenant, &Person::ada()).await;
    let provider = host.catalog.get(&tenant.provider).unwrap();
    let client = oauth::Client::new();
    let directory = Directory::new(host.store(), client.clone(), host.clock.clone());
    let here = host.authority.token_endpoint();
    for (issued_at, done) in [("https://elsewhere.example/token", false), (&*here, true)] {
        let mut held = host.stored(&tenant).unwrap();
        held.token_endpoint = Some(issued_at.to_owned());
        let ended = revoke(&client, &directory, provider, &tenant, &held, host.clock.now()).await;
        assert_eq!(matches!(ended, Ended::Done), done, "{ended:?}");
        assert_eq!(matches!(ended, Ended::Refused { .. }), !done, "{ended:?}");
        assert_eq!(host.authority.revocations(), usize::from(done));
    }
}
