//! The way to addresses that somebody else has named: only into the public network, whatever a name resolves to (T13).
//!
//! Owns the resolver that leaves out addresses which are not public. Invariant: what was checked is what is connected to,
//! since the check is the resolver's. Where the environment names a proxy, that resolves the names: then only the proxy's
//! own name is let through here, and what is within its reach is for it to say. Must not: look at addresses that stand
//! in a URL as they are (`Reach::admits` does), since nobody resolves those.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::http::built;
use crate::provider::is_public;

/// Where the environment may name a proxy for HTTPS.
const PROXIES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// A client that is made at its first use: most processes never need it.
#[derive(Clone, Default)]
pub(super) struct Guarded {
    made: Arc<OnceLock<reqwest::Client>>,
    names: Option<Arc<dyn Resolve>>,
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("made", &self.made.get().is_some()).finish_non_exhaustive()
    }
}

impl Guarded {
    #[cfg(test)]
    pub(super) fn over(names: impl Resolve + 'static) -> Self {
        Self { made: Arc::default(), names: Some(Arc::new(names)) }
    }

    pub(super) fn client(&self, base: impl FnOnce() -> reqwest::ClientBuilder) -> &reqwest::Client {
        self.made.get_or_init(|| {
            let names = self.names.clone().unwrap_or_else(|| Arc::new(System));
            let proxies = PROXIES.into_iter().filter_map(|name| host_of_proxy(&std::env::var(name).ok()?));
            built(base().dns_resolver(Arc::new(PublicOnly { names, proxies: proxies.collect() })))
        })
    }
}

/// The host of a proxy, as the environment names it: an address, or a host with a port.
fn host_of_proxy(text: &str) -> Option<String> {
    let text = text.trim();
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    url.ok()?.host_str().map(str::to_ascii_lowercase)
}

/// Names as the system resolves them.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What is wrong with a name that metadata has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} leads to {address}, which is not a public address; if it is right, configure its endpoints by name"
)]
pub(super) struct NotPublic {
    name: String,
    address: String,
}

struct PublicOnly {
    names: Arc<dyn Resolve>,
    proxies: Vec<String>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let text = name.as_str().to_owned();
        let is_proxy = self.proxies.contains(&text.to_ascii_lowercase());
        let resolving = self.names.resolve(name);
        Box::pin(async move {
            let found: Vec<_> = resolving.await?.collect();
            // One such address among others is refused too: which one is connected to is chance.
            match found.iter().find(|address| !is_public(address.ip())) {
                Some(inner) if !is_proxy => {
                    Err(NotPublic { name: text, address: inner.ip().to_string() }.into())
                }
                _ => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// A resolver that knows one answer.
#[cfg(test)]
pub(crate) struct Always(pub Vec<&'static str>);

#[cfg(test)]
impl Resolve for Always {
    fn resolve(&self, _: Name) -> Resolving {
        let found: Vec<SocketAddr> =
            self.0.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(addresses: Vec<&'static str>, proxies: &[&str]) -> Result<Vec<String>, String> {
        let proxies = proxies.iter().map(|name| (*name).to_owned()).collect();
        let guard = PublicOnly { names: Arc::new(Always(addresses)), proxies };
        let found = guard.resolve("id.example".parse().unwrap()).await;
        found
            .map(|found| found.map(|address| address.ip().to_string()).collect())
            .map_err(|error| error.to_string())
    }

    /// T13
    #[tokio::test]
    async fn a_name_leads_to_public_addresses_or_nowhere() {
        assert_eq!(resolved(vec!["1.1.1.1", "2606:4700::1"], &[]).await.unwrap().len(), 2);
        for inner in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"] {
            let refusal = resolved(vec!["1.1.1.1", inner], &[]).await.unwrap_err();
            assert!(refusal.contains(&format!("id.example leads to {inner}, which is not a public address")));
        }
        assert_eq!(resolved(vec!["10.0.0.1"], &["id.example"]).await, Ok(vec!["10.0.0.1".to_owned()]));
    }

    #[test]
    fn a_proxy_is_known_by_its_host() {
        for (text, host) in [
            ("http://proxy.example:3128", Some("proxy.example")),
            ("proxy.example:3128", Some("proxy.example")),
            ("socks5h://Proxy.Example:1080", Some("proxy.example")),
            ("socks5h://user:password@proxy.example", Some("proxy.example")),
            ("  ", None),
        ] {
            assert_eq!(host_of_proxy(text).as_deref(), host, "{text}");
        }
    }
}
