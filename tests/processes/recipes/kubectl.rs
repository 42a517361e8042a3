//! kubectl and its credential plugins.

use std::sync::Arc;

use super::api::{Answers, Api};
use super::{Ended, Place, recipe};

const NONE: &str =
    r#"{"kind":"NamespaceList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;

fn cluster() -> Answers {
    Arc::new(|path| (path == "/api/v1/namespaces").then(|| ("application/json", NONE.as_bytes().to_vec())))
}

/// The minor version of the kubectl that is installed.
async fn minor(place: &Place) -> u32 {
    let mut command = place.program("kubectl");
    command.args(["version", "--client", "-o", "json"]);
    let ended = place.run(command).await;
    let version: serde_json::Value = serde_json::from_str(&ended.printed).unwrap();
    let minor = version["clientVersion"]["minor"].as_str().unwrap();
    minor.trim_end_matches('+').parse().unwrap()
}

/// The recipe's user, on a cluster of ours.
fn set_up(place: &Place, api: &Api, trusted: &str, version: &str) {
    place.write("ca.pem", trusted);
    let users = recipe("yaml", "interactiveMode").replace("client.authentication.k8s.io/v1", version);
    place.write(
        ".kube/config",
        &format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: here\n  cluster:\n    \
             server: https://{}\n    certificate-authority: {}\ncontexts:\n- name: here\n  context:\n    \
             cluster: here\n    user: agent\n{users}",
            api.address(),
            place.at("ca.pem").display(),
        ),
    );
}

async fn ask(place: &Place) -> Ended {
    let mut command = place.program("kubectl");
    command.args(["get", "--raw", "/api/v1/namespaces"]);
    place.run(command).await
}

/// docs/consumers.md: the recipe works, in each version that the installed kubectl speaks; an old one says which it does not.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_sends_what_its_plugin_prints() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    let (api, trusted) = Api::secure(&place.host.authority, cluster()).await;
    let knows_v1 = minor(&place).await >= 22;
    for (version, is_known) in
        [("client.authentication.k8s.io/v1", knows_v1), ("client.authentication.k8s.io/v1beta1", true)]
    {
        set_up(&place, &api, &trusted, version);
        let before = api.seen().len();
        let ended = ask(&place).await;
        if is_known {
            assert_eq!((ended.code, ended.printed.trim()), (Some(0), NONE), "{}", ended.said);
            let asked = &api.seen()[before..];
            assert!(
                !asked.is_empty() && asked.iter().all(|seen| seen.token.as_ref() == Some(&tokens.access))
            );
        } else {
            assert!(ended.said.contains(version) && api.seen().len() == before, "{}", ended.said);
        }
    }
}

/// docs/consumers.md, G14: kubectl names no rejected token; the lines below "After a 401" do.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_goes_on_when_its_token_was_named() {
    let place = Place::new();
    let first = place.host.serving("acme").await;
    let (api, trusted) = Api::secure(&place.host.authority, cluster()).await;
    set_up(&place, &api, &trusted, "client.authentication.k8s.io/v1beta1");
    place.reject(&first.access);
    let refused = ask(&place).await;
    assert_eq!((refused.code, refused.printed.as_str()), (Some(1), ""));
    assert_eq!(place.host.authority.refreshes(), 0, "it named nothing");
    let named = place.shell(&recipe("sh", "> /dev/null"), &[]).await;
    assert_eq!((named.code, named.printed.as_str(), named.said.as_str()), (Some(0), "", ""));
    let ended = ask(&place).await;
    assert_eq!((ended.code, ended.printed.trim()), (Some(0), NONE), "{}", ended.said);
    assert_eq!(place.host.authority.refreshes(), 1);
}

/// docs/consumers.md: what cannot be had is said by kubectl, with the remedy.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_says_that_somebody_must_sign_in() {
    let place = Place::new();
    let (api, trusted) = Api::secure(&place.host.authority, cluster()).await;
    set_up(&place, &api, &trusted, "client.authentication.k8s.io/v1beta1");
    let ended = ask(&place).await;
    assert_eq!((ended.code, ended.printed.as_str()), (Some(1), ""));
    assert!(
        ended
            .said
            .contains("latchkey: no sign-in of acme serves here: use `latchkey login acme`, or /auth login"),
        "{}",
        ended.said
    );
}
