//! The standard flow with PKCE, against a server that demands it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use latchkey_test_authority::{Authority, Endpoint, Person, Settings};
use sha2::{Digest, Sha256};

use super::*;

fn at(server: &Authority, pkce: bool) -> Resolved {
    let mut provider = provider(&server.token_endpoint());
    provider.device_authorization_endpoint = Url::parse(&server.device_authorization_endpoint()).ok();
    provider.device = DeviceProtocol::Rfc8628 { pkce };
    provider
}

/// T1: the challenge goes out with the start, the verifier with each poll and not before; both are of this login alone.
#[tokio::test]
async fn the_start_carries_a_challenge_and_each_poll_its_verifier() {
    let server = Authority::start_with(Settings { enforced_interval: Duration::ZERO, ..Settings::qwen() });
    let (client, provider) = (Client::new(), at(&server, true));
    let start = start(&client, &provider, 0).await.unwrap();
    let verifier = start.verifier.clone().unwrap();
    let sent = server.requests_to(Endpoint::DeviceStart).remove(0);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
    let fields: Vec<_> = sent.form.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        fields,
        [
            ("client_id", "latchkey"),
            ("scope", "openid offline_access"),
            ("code_challenge", &*challenge),
            ("code_challenge_method", "S256"),
        ]
    );
    assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(verifier.expose()).map(|bytes| bytes.len()), Ok(32));
    assert_ne!(super::start(&client, &provider, 0).await.unwrap().verifier, Some(verifier.clone()));

    let ask = DevicePoll {
        device_code: &start.device_code,
        user_code: &start.user_code,
        verifier: Some(&verifier),
    };
    assert_eq!(poll(&client, &provider, ask, 0).await, DeviceOutcome::Pending);
    server.approve_device(&start.user_code, &Person::ada()).await;
    let outcome = poll(&client, &provider, ask, 0).await;
    assert!(matches!(outcome, DeviceOutcome::Granted(_)), "{outcome:?}");
    let sent = server.requests_to(Endpoint::Token);
    assert!(sent.iter().all(|request| request.field("code_verifier") == Some(verifier.expose())));
}

/// T1: what such a server says where the challenge or the verifier lacks, or the verifier is another login's.
#[tokio::test]
async fn without_the_verifier_there_is_no_login() {
    let server = Authority::start_with(Settings { enforced_interval: Duration::ZERO, ..Settings::qwen() });
    let client = Client::new();
    let refused = start(&client, &at(&server, false), 0).await;
    assert_eq!(refused.map_err(|error| error.class()), Err(StartClass::Operator));
    let provider = at(&server, true);
    let (one, other) =
        (start(&client, &provider, 0).await.unwrap(), start(&client, &provider, 0).await.unwrap());
    server.approve_device(&one.user_code, &Person::ada()).await;
    for verifier in [None, other.verifier.as_ref()] {
        let ask = DevicePoll { device_code: &one.device_code, user_code: &one.user_code, verifier };
        let outcome = poll(&client, &provider, ask, 0).await;
        assert!(matches!(outcome, DeviceOutcome::Failed(_)), "{outcome:?}");
    }
}
