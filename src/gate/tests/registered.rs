//! Credentials whose client the server registered for them (RFC 7591).

use super::*;
use crate::credential::Registration;

/// The provider `acme` without a client of the operator's.
fn registering() -> Host {
    let mut host = Host::new();
    let acme = (**host.catalog.get(&key("acme").provider).unwrap()).clone();
    let endpoint = host.authority.url("/register").parse().ok();
    let acme = crate::provider::Provider { client_id: None, registration_endpoint: endpoint, ..acme };
    host.catalog = crate::provider::Catalog::new([acme]).unwrap();
    host
}

/// Gives the credential of `tenant` the client that it was issued to as a registration.
async fn registered(host: &Host, tenant: &TenantKey, secret_expires_at: Option<i64>) {
    let mut held = host.stored(tenant).unwrap();
    held.registration = Some(Registration {
        issuer: host.authority.issuer(),
        client_id: CLIENT.to_owned(),
        client_secret: None,
        secret_expires_at,
        auth_method: "none".to_owned(),
        redirect_uris: Vec::new(),
        registered_at: None,
    });
    host.put(tenant, held).await;
}

/// RFC 7591: it is refreshed by its own client; without one that is known, by none, which is told as G30 tells it.
#[tokio::test]
async fn a_credential_is_refreshed_by_the_client_that_was_registered_for_it() {
    let host = registering();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let before = host.stored(&tenant);
    let refused = host.gate().token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&refused), Class::Operator, "{refused:?}");
    assert_eq!((host.authority.requests_to(Endpoint::Token).len(), host.stored(&tenant)), (0, before));
    registered(&host, &tenant, Some(host.clock.now() + 60)).await;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert!(landed.registration.is_some(), "it stays with the credential");
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G16, S14: whether a client has ended is the server's word, not our clock's.
#[tokio::test]
async fn a_client_that_has_ended_by_our_clock_is_sent_and_the_server_decides() {
    for refuses in [false, true] {
        let host = registering();
        let tenant = key("acme");
        host.expired(&tenant, &Person::ada()).await;
        registered(&host, &tenant, Some(host.clock.now() + 3_600)).await;
        host.clock.jump(3_600);
        if refuses {
            host.authority.answer_next(Endpoint::Token, 1, Canned::error(401, "invalid_client", ""));
        }
        let landed = host.gate().token(&tenant, Want::default(), LONG).await;
        assert_eq!(landed.as_ref().err().map(TokenError::class), refuses.then_some(Class::NeedsLogin));
        let says_so = landed.is_err_and(|error| error.to_string().contains("has ended"));
        assert_eq!((says_so, host.authority.refreshes()), (refuses, 1));
    }
}

/// G17: a client that the server has forgotten is nothing that an operator could mend.
#[tokio::test]
async fn a_client_that_the_server_has_forgotten_needs_a_new_sign_in() {
    let host = registering();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    registered(&host, &tenant, None).await;
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(401, "invalid_client", ""));
    let refused = host.gate().token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&refused), Class::NeedsLogin, "{refused:?}");
    let held = host.stored(&tenant).unwrap();
    assert_eq!((held.state, held.operators_error, held.intent), (CredentialState::NeedsLogin, false, None));
    // It may have been a slip of the server's: one probe, as for every plain death.
    host.clock.jump(601);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(landed.state, CredentialState::Ok);
}
