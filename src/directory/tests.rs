//! The laws of what is kept, against the scripted authorization server.

use std::path::Path;

use latchkey_test_authority::{Authority, CLIENT, Canned, Endpoint};
use tokio::task::JoinSet;

use super::*;
use crate::config::Config;
use crate::testing::Host;

/// The provider `acme` by its issuer alone, with these lines more.
fn acme(authority: &Authority, more: &str) -> Provider {
    let text = format!("[providers.acme]\nissuer = {:?}\nclient_id = {CLIENT:?}\n{more}", authority.issuer());
    let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None).unwrap();
    (**config.providers.find("acme").unwrap()).clone()
}

impl Host {
    /// A directory of its own: what another process has.
    fn directory(&self) -> Directory {
        Directory::new(self.store(), Client::new(), self.clock.clone())
    }

    fn asked(&self) -> usize {
        self.authority.requests_to(Endpoint::Discovery).len()
    }

    fn moved(&self) {
        let elsewhere = self.authority.url("/oauth/token");
        self.authority.set(|settings| {
            settings.metadata.insert("token_endpoint".to_owned(), elsewhere.into());
        });
    }
}

async fn endpoint(directory: &Directory, provider: &Provider) -> Result<String, DiscoveryError> {
    directory.resolve(provider).await.map(|resolved| resolved.token_endpoint.to_string())
}

/// T13: whoever has us look at issuers without end fills neither the memory nor the cache.
#[tokio::test(flavor = "multi_thread")]
async fn issuers_without_end_fill_nothing() {
    let host = Host::new();
    let (directory, provider) = (host.directory(), acme(&host.authority, ""));
    host.authority
        .set(|settings| drop(settings.metadata.insert("issuer".to_owned(), "https://o.example".into())));
    let refused = endpoint(&directory, &provider).await.unwrap_err();
    assert!(matches!(refused, DiscoveryError::Refused { .. }), "{refused}");
    assert!(!host.path.with_extension("json.metadata").exists(), "nothing was in the cache before");
    host.authority.set(|settings| drop(settings.metadata.remove("issuer")));
    host.clock.jump(60);
    endpoint(&directory, &provider).await.unwrap();
    assert!(host.path.with_extension("json.metadata").exists());
    let asked = directory.0.issuer("https://asked.example");
    for number in 0..3 * MOST_ISSUERS {
        directory.0.issuer(&format!("https://{number}.example"));
    }
    let issuers = directory.0.issuers.lock().unwrap();
    assert!(issuers.len() <= MOST_ISSUERS, "{}", issuers.len());
    assert!(issuers.contains_key(&host.authority.issuer()), "what is kept stays");
    assert!(issuers.get("https://asked.example").is_some_and(|slot| Arc::ptr_eq(slot, &asked)));
}

/// T13: in one process, and in the next.
#[tokio::test(flavor = "multi_thread")]
async fn many_callers_ask_once_and_other_processes_not_at_all() {
    let host = Host::new();
    let (directory, provider) = (host.directory(), acme(&host.authority, ""));
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (directory, provider) = (directory.clone(), provider.clone());
        callers.spawn(async move { endpoint(&directory, &provider).await });
    }
    for found in callers.join_all().await {
        assert_eq!(found, Ok(host.authority.token_endpoint()));
    }
    assert_eq!(endpoint(&host.directory(), &provider).await, Ok(host.authority.token_endpoint()));
    assert_eq!(host.asked(), 1);
    // The server says `no-store`: five minutes, then it is asked again, by whoever comes.
    host.moved();
    host.clock.jump(299);
    assert_eq!(endpoint(&directory, &provider).await, Ok(host.authority.token_endpoint()));
    host.clock.jump(1);
    assert_eq!(endpoint(&host.directory(), &provider).await, Ok(host.authority.url("/oauth/token")));
    assert_eq!(endpoint(&directory, &provider).await, Ok(host.authority.url("/oauth/token")));
    assert_eq!(host.asked(), 2);
}

/// T13: stale is better than none; and a server that is down is not asked by everybody.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_before_serves_while_the_issuer_cannot_be_reached() {
    let host = Host::new();
    let provider = acme(&host.authority, "");
    let nothing_known = || async { endpoint(&host.directory(), &provider).await };
    host.authority.go_down();
    let error = nothing_known().await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    host.authority.come_back();
    nothing_known().await.unwrap();
    host.clock.jump(300);
    host.authority.go_down();
    for _ in 0..2 {
        assert_eq!(nothing_known().await, Ok(host.authority.token_endpoint()));
    }
    host.authority.come_back();
    for broken in [Canned::html(503), Canned::html(200), Canned::empty(404)] {
        host.clock.jump(300);
        host.authority.answer_next(Endpoint::Discovery, 3, broken);
        let before = host.asked();
        assert_eq!(nothing_known().await, Ok(host.authority.token_endpoint()));
        let asked = host.asked();
        assert!(asked > before);
        assert_eq!(nothing_known().await, Ok(host.authority.token_endpoint()));
        assert_eq!(host.asked(), asked, "asked again at once");
        host.authority.clear_faults();
    }
    host.clock.jump(60);
    host.moved();
    assert_eq!(nothing_known().await, Ok(host.authority.url("/oauth/token")));
}

/// T13: a document that says otherwise is no reason to go on with the old one.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_refused_ends_the_use_of_the_one_before() {
    let host = Host::new();
    let (directory, provider) = (host.directory(), acme(&host.authority, ""));
    endpoint(&directory, &provider).await.unwrap();
    host.clock.jump(300);
    host.authority.set(|settings| {
        settings.metadata.insert("issuer".to_owned(), "https://other.example".into());
    });
    for _ in 0..2 {
        let error = endpoint(&directory, &provider).await.unwrap_err();
        assert!(matches!(error, DiscoveryError::Refused { .. }), "{error}");
    }
    assert_eq!(
        host.asked(),
        4,
        "the three places once each, beside the first look; the second caller shares it"
    );
}

/// T13: a refusal stands until a document is accepted, also for those that come while the issuer cannot be reached.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_does_not_come_back_while_the_issuer_cannot_be_reached() {
    let host = Host::new();
    let (directory, other, provider) = (host.directory(), host.directory(), acme(&host.authority, ""));
    for one in [&directory, &other] {
        endpoint(one, &provider).await.unwrap();
    }
    host.clock.jump(300);
    host.authority.set(|settings| {
        settings.metadata.insert("issuer".to_owned(), "https://other.example".into());
    });
    endpoint(&directory, &provider).await.unwrap_err();
    host.authority.go_down();
    for late in [4, 300] {
        host.clock.jump(late);
        let error = endpoint(&directory, &provider).await.unwrap_err();
        assert!(error.is_passing(), "{error}");
        let error = endpoint(&host.directory(), &provider).await.unwrap_err();
        assert!(error.is_passing(), "another process, after {late} s: {error}");
    }
    // One that was not there when it was refused goes on with the old document, and keeps that for others.
    assert_eq!(endpoint(&other, &provider).await, Ok(host.authority.token_endpoint()));
    host.clock.jump(4);
    endpoint(&directory, &provider).await.expect_err("what was said before the refusal");
    host.authority.come_back();
    host.clock.jump(4);
    host.authority.set(|settings| {
        settings.metadata.remove("issuer");
    });
    assert_eq!(endpoint(&directory, &provider).await, Ok(host.authority.token_endpoint()));
    host.clock.jump(300);
    host.authority.go_down();
    assert_eq!(endpoint(&directory, &provider).await, Ok(host.authority.token_endpoint()));
}

/// T13: whatever lies in the cache, what is found is right, and replaces it.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_cache_is_ignored_and_replaced() {
    let host = Host::new();
    let provider = acme(&host.authority, "");
    endpoint(&host.directory(), &provider).await.unwrap();
    let folder = host.path.with_file_name("auth.json.metadata");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&file).unwrap();
    for damaged in [&b""[..], b"{", b"\xff", &whole[..whole.len() / 2]] {
        std::fs::write(&file, damaged).unwrap();
        let before = host.asked();
        assert_eq!(endpoint(&host.directory(), &provider).await, Ok(host.authority.token_endpoint()));
        assert_eq!(host.asked(), before + 1);
        let kept = Kept::read(&std::fs::read(&file).unwrap(), &host.authority.issuer());
        assert!(kept.is_some(), "it was replaced");
    }
}

/// T13: nothing is asked for that is configured.
#[tokio::test(flavor = "multi_thread")]
async fn configured_endpoints_are_not_asked_for() {
    let host = Host::new();
    let token = format!("token_endpoint = {:?}\n", host.authority.token_endpoint());
    let page =
        format!("device_authorization_endpoint = {:?}\n", host.authority.device_authorization_endpoint());
    let directory = host.directory();
    let whole = acme(&host.authority, &format!("{token}{page}"));
    directory.resolve(&whole).await.unwrap();
    assert!(directory.look(&whole).await.unwrap().is_none());
    let partly = acme(&host.authority, &token);
    directory.resolve_for_tokens(&partly).await.unwrap();
    assert_eq!(host.asked(), 0, "a refresh needs the token endpoint alone");
    let resolved = directory.resolve_for_revocation(&partly).await.unwrap();
    assert_eq!(
        resolved.revocation_endpoint.as_ref().map(ToString::to_string),
        Some(host.authority.revocation_endpoint())
    );
    assert_eq!(host.asked(), 1);
}
