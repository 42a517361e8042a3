//! The way to Discord: its own address, or a stand-in on this host.
//!
//! Owns what the environment says of it, and every HTTP client. Invariant: once anything is overridden, the bot's token goes
//! to a loopback address only: past no proxy, after no redirect, and to no gateway elsewhere.

use std::net::SocketAddr;
use std::time::Duration;

use latchkey::secret::Secret;
use reqwest::header::HeaderMap;
use serenity::all::{ApplicationId, Http, HttpBuilder};
use url::{Host, Url};

use super::api::ApiError;

/// The variable that points the bot at a stand-in: `http://127.0.0.1:<port>`, which is spoken to without the rate limits
/// of Discord, or with [`AUTHORITY`] `https://127.0.0.1:<port>`, which is spoken to as if it were Discord itself.
pub const ADDRESS: &str = "LATCHKEY_DISCORD_API";
/// The variable that names a file with the certificate (PEM) of the one authority to trust for the stand-in.
pub const AUTHORITY: &str = "LATCHKEY_DISCORD_CA";
/// Discord's name, which the stand-in takes.
const DISCORD: &str = "discord.com";
/// One request to Discord takes at most this long, its answer included.
const REQUEST: Duration = Duration::from_secs(15);

/// The way to Discord. Cheap to clone.
#[derive(Clone)]
pub struct Reach {
    token: Secret,
    client: reqwest::Client,
    to: To,
}

#[derive(Clone)]
enum To {
    /// Discord's own address.
    Discord,
    /// A stand-in at this address, without serenity's rate limiter, which would send everything to Discord itself.
    Plain(String),
    /// A stand-in that has Discord's name, with everything as it is in production: where it is, and whom to trust for it.
    Named(SocketAddr, reqwest::Certificate),
}

impl To {
    /// An HTTP client for it, with connections of its own.
    fn client(&self) -> Result<reqwest::Client, ApiError> {
        let builder = reqwest::Client::builder().timeout(REQUEST);
        let builder = match self {
            Self::Discord => builder,
            Self::Plain(_) => alone(builder),
            Self::Named(address, authority) => alone(builder)
                .https_only(true)
                .tls_built_in_root_certs(false)
                .add_root_certificate(authority.clone())
                .resolve(DISCORD, *address),
        };
        builder.build().map_err(|error| ApiError(format!("cannot set up HTTPS: {error}")))
    }
}

impl Reach {
    /// The way that `environment` asks for.
    pub fn new(token: &Secret, environment: impl Fn(&str) -> Option<String>) -> Result<Self, ApiError> {
        let to = match (environment(ADDRESS), environment(AUTHORITY)) {
            (None, None) => To::Discord,
            (Some(base), None) => To::Plain(loopback(&base)?.0),
            (base, Some(file)) => {
                let address = base.as_deref().filter(|base| base.starts_with("https://"));
                let address = address.ok_or_else(|| {
                    ApiError(format!(
                        "${AUTHORITY} goes with ${ADDRESS}=https://127.0.0.1:<port>: set both, or unset it"
                    ))
                })?;
                let (_, address) = loopback(address)?;
                To::Named(address, certificate(&file)?)
            }
        };
        let client = to.client()?;
        Ok(Self { token: token.clone(), client, to })
    }

    /// A client of Discord's API, with a rate limiter of its own.
    pub fn http(&self) -> Http {
        self.builder(self.client.clone()).build()
    }

    /// The same, with connections of its own: those of the others live on when its runtime ends.
    pub fn http_apart(&self) -> Result<Http, ApiError> {
        Ok(self.builder(self.to.client()?).build())
    }

    /// The same, of an application that is known.
    pub fn http_of(&self, application: ApplicationId) -> Http {
        self.builder(self.client.clone()).application_id(application).build()
    }

    fn builder(&self, client: reqwest::Client) -> HttpBuilder {
        let builder = HttpBuilder::new(self.token.expose()).client(client);
        match &self.to {
            To::Discord | To::Named(..) => builder,
            To::Plain(base) => builder.proxy(base).ratelimiter_disabled(true),
        }
    }

    /// The headers of an answer of Discord's that is for everybody, and for which no token is shown.
    pub async fn greeted(&self) -> reqwest::Result<HeaderMap> {
        let base = match &self.to {
            To::Discord | To::Named(..) => format!("https://{DISCORD}"),
            To::Plain(base) => base.clone(),
        };
        Ok(self.client.get(format!("{base}/api/v10/gateway")).send().await?.headers().clone())
    }

    /// Whether the token may go to a gateway at this address.
    pub fn admits_gateway(&self, address: &str) -> bool {
        match &self.to {
            To::Discord => true,
            To::Plain(_) | To::Named(..) => Url::parse(address).is_ok_and(|url| is_loopback(&url)),
        }
    }
}

/// Nothing of the environment, and nothing that is answered, leads a request elsewhere.
fn alone(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.no_proxy().redirect(reqwest::redirect::Policy::none())
}

fn certificate(file: &str) -> Result<reqwest::Certificate, ApiError> {
    let text = std::fs::read(file)
        .map_err(|error| ApiError(format!("the file of ${AUTHORITY} cannot be read: {error}")))?;
    reqwest::Certificate::from_pem(&text)
        .map_err(|_| ApiError(format!("the file of ${AUTHORITY} holds no certificate in PEM")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// `base`, if the token may go there, and its address.
fn loopback(base: &str) -> Result<(String, SocketAddr), ApiError> {
    let url = Url::parse(base).ok();
    let url = url.filter(|url| is_loopback(url) && matches!(url.scheme(), "http" | "https"));
    let address = url.and_then(|url| url.socket_addrs(|| None).ok()?.pop());
    match address {
        Some(address) => Ok((base.trim_end_matches('/').to_owned(), address)),
        None => Err(ApiError(format!(
            "${ADDRESS} is for a stand-in on this host: use http://127.0.0.1:<port>, or unset it"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(address: Option<&str>, authority: Option<&str>) -> Result<Reach, ApiError> {
        let environment = |name: &str| match name {
            ADDRESS => address.map(str::to_owned),
            AUTHORITY => authority.map(str::to_owned),
            _ => None,
        };
        Reach::new(&Secret::new("a token"), environment)
    }

    /// Z1
    #[test]
    fn the_token_goes_to_discord_or_to_this_host_only() {
        for good in ["http://127.0.0.1:8080", "http://127.1.2.3:1/", "http://[::1]:9", "https://127.0.0.1:2"]
        {
            loopback(good).expect(good);
        }
        for bad in
            ["http://example.org", "http://localhost:1", "http://10.0.0.1", "ftp://127.0.0.1", "127.0.0.1:1"]
        {
            loopback(bad).expect_err(bad);
        }
    }

    /// Z1
    #[test]
    fn a_gateway_elsewhere_gets_no_token_from_a_bot_at_a_stand_in() {
        let (discord, stand_in) = (reach(None, None), reach(Some("http://127.0.0.1:1"), None));
        let (discord, stand_in) = (discord.expect("Discord"), stand_in.expect("a stand-in"));
        for (address, admitted) in
            [("ws://127.0.0.1:2", true), ("wss://gateway.discord.gg", false), ("", false)]
        {
            assert!(discord.admits_gateway(address), "{address}");
            assert_eq!(stand_in.admits_gateway(address), admitted, "{address}");
        }
    }

    /// Z1: trust in another authority is for this host only.
    #[test]
    fn another_authority_is_trusted_for_a_loopback_address_over_https_only() {
        for address in
            [None, Some("http://127.0.0.1:1"), Some("https://192.0.2.1:1"), Some("https://discord.com")]
        {
            let refused = reach(address, Some("/nowhere")).err().map(|error| error.to_string());
            let before_it_is_read = refused.is_some_and(|why| !why.contains("cannot be read"));
            assert!(before_it_is_read, "{address:?}");
        }
        let refused =
            reach(Some("https://127.0.0.1:1"), Some("/nowhere")).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|why| why.contains("cannot be read")));
    }
}
