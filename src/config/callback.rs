//! Where the sign-in page of each provider is.
//!
//! Owns the address made of `[http] public_url` where a provider sends browsers back to, and the warning where a provider
//! wants that way and nothing is served. Must not: offer a way that nobody named in `flows`, since the address has to be
//! registered with the provider.

use url::Url;

use super::problem::Problem;
use crate::provider::{Flow, Provider};

/// The address of the page of `provider`.
pub(super) fn address(public_url: &Url, provider: &Provider) -> String {
    format!("{}/callback/{}", public_url.as_str().trim_end_matches('/'), provider.name)
}

/// Writes down where `provider` is answered, or says why it cannot be.
pub(super) fn resolve(provider: &mut Provider, public_url: Option<&Url>, warnings: &mut Vec<Problem>) {
    provider.callback_uri = public_url.map(|public_url| address(public_url, provider));
    // An MCP server registers whatever address there is, so that way is everybody's wish and nobody's demand.
    let is_demanded = provider.mcp_url.is_none() || provider.flows.len() == 1;
    if provider.flows.contains(&Flow::Callback) && public_url.is_none() && is_demanded {
        let other = if provider.flows.len() == 1 { ", and there is no other way in" } else { "" };
        warnings.push(Problem {
            line: None, column: None,
            key: format!("providers.{}.flows", provider.name),
            what: format!("\"callback\" is not offered, since no page is served{other}"),
            remedy: "write public_url = \"https://…\" under [http], the address at which browsers reach this program"
                .to_owned(),
        });
    }
}
