//! Which addresses secrets may be sent to, and people sent to with them.
//!
//! Owns the one rule (T7): HTTPS, or plain HTTP that does not leave this host. Must not: resolve names.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether `url` may carry secrets: HTTPS, or HTTP to this host.
#[must_use]
pub fn is_safe(url: &Url) -> bool {
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

/// Whether `url` leads to this host: `localhost`, 127.0.0.0/8 or `::1`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T7
    #[test]
    fn plain_http_stays_on_this_host() {
        for (address, safe) in [
            ("https://id.example/token", true),
            ("http://id.example/token", false),
            ("http://localhost:1455/cb", true),
            ("http://LOCALHOST/cb", true),
            ("http://127.9.9.9/cb", true),
            ("http://[::1]:8/cb", true),
            ("http://0x7f.1/cb", true),
            ("http://localhost.example/cb", false),
            ("http://127.0.0.1.example/cb", false),
            ("http://localhost@id.example/cb", false),
            ("http://10.0.0.1/cb", false),
            ("http://[::ffff:10.0.0.1]/cb", false),
            ("ftp://localhost/cb", false),
            ("data:text/plain,x", false),
        ] {
            assert_eq!(Url::parse(address).is_ok_and(|url| is_safe(&url)), safe, "{address}");
        }
    }
}
