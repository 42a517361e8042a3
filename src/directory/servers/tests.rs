//! The laws of what MCP servers name, against servers on loopback.

use std::path::Path;

use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::config::Config;
use crate::directory::{Directory, cached};
use crate::oauth::Client;
use crate::testing::Host;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource/mcp";

fn notes(server: &MockServer, more: &str) -> Provider {
    let text = format!("[providers.\"mcp:notes\"]\nurl = \"{}/mcp\"\n{more}", server.uri());
    let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None).unwrap();
    (**config.providers.find("mcp:notes").unwrap()).clone()
}

fn directory(host: &Host) -> Directory {
    Directory::new(host.store(), Client::new(), host.clock.clone())
}

/// A server that names these issuers.
async fn naming(issuers: &[&str]) -> MockServer {
    let server = MockServer::start().await;
    name_instead(&server, issuers).await;
    server
}

async fn name_instead(server: &MockServer, issuers: &[&str]) {
    server.reset().await;
    Mock::given(method("POST"))
        .and(path("/mcp"))
        .respond_with(ResponseTemplate::new(401).insert_header("www-authenticate", "Bearer"))
        .mount(server)
        .await;
    let document = json!({ "resource": format!("{}/mcp", server.uri()), "authorization_servers": issuers,
        "scopes_supported": ["read"] });
    let answer =
        ResponseTemplate::new(200).set_body_json(document).insert_header("cache-control", "no-store");
    Mock::given(path(WELL_KNOWN)).respond_with(answer).mount(server).await;
}

async fn issuer(directory: &Directory, provider: &Provider) -> Result<String, DiscoveryError> {
    directory.resolve(provider).await.map(|found| found.issuer.clone().unwrap_or_default())
}

/// T13, G24: asked once by all, kept for other processes, and for a command that asks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_asked_once_and_what_it_named_is_kept() {
    let host = Host::new();
    let server = naming(&[&host.authority.issuer()]).await;
    let (provider, one) = (notes(&server, ""), directory(&host));
    assert!(cached(&*host.store(), &provider).is_none() && one.known(&provider).is_none());
    let (first, second) = tokio::join!(one.resolve(&provider), one.resolve(&provider));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first, second);
    assert_eq!(
        (
            first.issuer.clone(),
            first.resource.clone(),
            first.token_endpoint.to_string(),
            first.scopes.join(" ")
        ),
        (
            Some(host.authority.issuer()),
            Some(format!("{}/mcp", server.uri())),
            host.authority.token_endpoint(),
            "read offline_access".to_owned()
        )
    );
    assert_eq!(directory(&host).resolve(&provider).await.unwrap(), first, "another process");
    assert_eq!(cached(&*host.store(), &provider).unwrap(), first);
    assert_eq!(directory(&host).known(&provider).unwrap(), first);
    assert_eq!(server.received_requests().await.unwrap().len(), 2, "one knock, and one document");
    host.clock.jump(300);
    one.resolve(&provider).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 4, "`no-store`: five minutes");
}

/// G30: the one that was chosen is kept while it is named; one that fails to answer is not passed over.
#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_that_was_chosen_is_kept_while_it_is_named() {
    let host = Host::new();
    let own = host.authority.issuer();
    let nowhere = MockServer::start().await;
    let server = naming(&[&nowhere.uri(), &own]).await;
    let (provider, one) = (notes(&server, ""), directory(&host));
    assert_eq!(issuer(&one, &provider).await, Ok(own.clone()), "the first that publishes metadata");
    let body = json!({ "issuer": nowhere.uri(), "token_endpoint": format!("{}/token", nowhere.uri()) });
    Mock::given(path("/.well-known/oauth-authorization-server"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(&nowhere)
        .await;
    host.clock.jump(300);
    assert_eq!(issuer(&one, &provider).await, Ok(own.clone()), "although the other works by now");
    name_instead(&server, &[&nowhere.uri()]).await;
    host.clock.jump(300);
    assert_eq!(issuer(&one, &provider).await, Ok(nowhere.uri()));

    let (other, gone) = (Host::new(), "http://127.0.0.1:1");
    let server = naming(&[gone, &own]).await;
    let failed = issuer(&directory(&other), &notes(&server, "")).await.unwrap_err();
    assert!(failed.is_passing(), "it may be the right one, and back later: {failed}");
}

/// T13: stale is better than none; what is refused ends the use of what was said before.
#[tokio::test(flavor = "multi_thread")]
async fn silence_leaves_what_was_named_and_a_refusal_ends_it() {
    let host = Host::new();
    let own = host.authority.issuer();
    let server = naming(&[&own]).await;
    let (provider, one) = (notes(&server, ""), directory(&host));
    issuer(&one, &provider).await.unwrap();
    server.reset().await;
    host.clock.jump(300);
    assert_eq!(issuer(&one, &provider).await, Ok(own.clone()), "it says nothing any more");
    name_instead(&server, &["https://id.example"]).await;
    host.clock.jump(60);
    let refused = issuer(&one, &provider).await.unwrap_err();
    assert!(matches!(refused, DiscoveryError::ServerRefused { .. }), "{refused}");
    assert!(cached(&*host.store(), &provider).is_none(), "nor in another process");
    server.reset().await;
    host.clock.jump(60);
    let unnamed = issuer(&one, &provider).await.unwrap_err();
    assert!(unnamed.to_string().contains("write its issuer"), "{unnamed}");
}

/// Servers from before RFC 9728 are their own authorization server; many spell themselves with a slash.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_server_is_its_own_issuer_however_it_spells_itself() {
    for slash in ["", "/"] {
        let host = Host::new();
        let server = MockServer::start().await;
        let spelled = format!("{}{slash}", server.uri());
        let body = json!({ "issuer": spelled, "token_endpoint": format!("{}/token", server.uri()) });
        Mock::given(path("/.well-known/oauth-authorization-server"))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&server)
            .await;
        let provider = notes(&server, "");
        let found = directory(&host).resolve(&provider).await.unwrap();
        assert_eq!((found.issuer.as_ref(), &found.resource), (Some(&spelled), &None));
        assert_eq!(cached(&*host.store(), &provider).unwrap(), found);
    }
}

/// T13: what the operator writes is not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_configured_issuer_is_not_asked_for() {
    let host = Host::new();
    let server = naming(&["https://id.example"]).await;
    let provider = notes(&server, &format!("issuer = {:?}\n", host.authority.issuer()));
    let found = directory(&host).resolve(&provider).await.unwrap();
    assert_eq!(found.issuer, Some(host.authority.issuer()));
    assert_eq!(found.resource, Some(format!("{}/mcp", server.uri())));
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}
