//! Many processes, one expired token that comes by an exchange in place of a refresh: one request.

use std::collections::BTreeSet;
use std::time::Duration;

use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::{Touches, update};
use latchkey_test_authority::{CLIENT, CopilotAccess, Endpoint, Person, Settings};

use crate::asking::at_once;
use crate::host::{Host, key};

/// A host whose provider exchanges, with a sign-in whose access token has ended and that failed so often in a row.
async fn exchanging(failures: u32) -> Host {
    let host = Host::new();
    host.authority.set(|settings| *settings = Settings::copilot());
    let text = std::fs::read_to_string(&host.config).unwrap();
    let refresh = format!(
        "reuse = \"lenient\"\nkeep = [\"endpoints.api\"]\n[providers.acme.refresh]\nprotocol = \"exchange\"\nendpoint = {:?}\n\
         scheme = \"token\"\nheaders = {{ Editor-Version = \"test/1\" }}\n",
        host.authority.copilot_url()
    );
    std::fs::write(&host.config, text + &refresh).unwrap();
    let sign_in = host.authority.mint(&Person::ada(), CLIENT, &["read:user"]);
    let (tenant, now) = (key("acme"), Clock::system().now());
    let mut credential =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new("tid=old"), now);
    credential.refresh_token = Some(Secret::new(sign_in.access));
    credential.expires_at = Some(now - 10);
    credential.failures = failures;
    let (store, touches) = (host.store(), Touches::tenant(&tenant));
    let put = update(&*store, touches, move |view| {
        view.put_tenant(&tenant, credential);
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
    host
}

/// G1, G7
#[tokio::test(flavor = "multi_thread")]
async fn one_exchange_for_twenty_processes() {
    let host = exchanging(0).await;
    host.authority.latency(Endpoint::CopilotToken, Duration::from_millis(700));
    let answers = at_once(&host, 20, &["token", "acme", "--format", "json"], &[]).await;
    let tokens: BTreeSet<String> = answers
        .iter()
        .map(|answer| {
            let shown: serde_json::Value = serde_json::from_str(answer.token()).unwrap();
            assert!(shown["extra"]["endpoints.api"].as_str().is_some_and(|api| api.ends_with("/copilot")));
            shown["access_token"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(tokens.len(), 1, "everybody has the same token: {tokens:?}");
    assert!(host.authority.accepts(tokens.first().unwrap()));
    assert_eq!((host.authority.copilot_exchanges(), host.authority.refreshes()), (1, 0));
}

/// G16: what the provider says of the account reaches every process, and asks none to sign in.
#[tokio::test(flavor = "multi_thread")]
async fn no_access_is_heard_by_twenty_processes_of_one_request() {
    // The back-off after so many is minutes, so that no process comes so late that it asks once more.
    let host = exchanging(8).await;
    host.authority.set(|settings| settings.copilot.access = CopilotAccess::NoPlan);
    host.authority.latency(Endpoint::CopilotToken, Duration::from_secs(1));
    let answers = at_once(&host, 20, &["token", "acme"], &[]).await;
    for answer in &answers {
        assert_eq!(answer.end(), (Some(5), ""), "{answer:?}");
        assert!(answer.said.contains("No access to GitHub Copilot found"), "{answer:?}");
        host.authority.assert_no_secret_in(&answer.said);
    }
    assert_eq!(host.authority.copilot_exchanges(), 1);
}
