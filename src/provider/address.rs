//! Which addresses secrets may be sent to, and people sent to with them.
//!
//! Owns the rule for all (T7): HTTPS, or plain HTTP that does not leave this host; and the rule for addresses that
//! somebody else names (T13): public ones only. Must not: resolve names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether `url` may carry secrets: HTTPS, or HTTP to this host.
#[must_use]
pub fn is_safe(url: &Url) -> bool {
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

/// Whether `url` is an address alone: no user, no password, no fragment.
#[must_use]
pub fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
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

/// Whether `url` is one that a program on this host may be answered at: HTTP to it (RFC 8252 section 7.3).
#[must_use]
pub fn is_loopback_http(url: &Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

/// Whether a sign-in may be answered at `url` on this host: that, and nothing behind the path, where the answer comes to stand.
#[must_use]
pub fn is_answerable_here(url: &Url) -> bool {
    is_loopback_http(url) && url.query().is_none() && url.fragment().is_none()
}

/// How far a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Wherever the operator has written.
    Anywhere,
    /// To the public network: what a metadata document names must not lead into ours (T13).
    Public,
    /// To this host and no further: what the document of an issuer on this host names.
    Loopback,
}

impl Reach {
    /// How far whatever the metadata of `issuer` names may lead.
    #[must_use]
    pub fn of_issuer(issuer: &Url) -> Self {
        if is_loopback(issuer) { Self::Loopback } else { Self::Public }
    }

    /// Whether `url` is within reach, as far as can be told without resolving its name.
    #[must_use]
    pub fn admits(self, url: &Url) -> bool {
        is_safe(url)
            && match self {
                Self::Anywhere => true,
                Self::Loopback => is_loopback(url),
                Self::Public => match url.host() {
                    Some(Host::Domain(name)) => !is_local_name(name),
                    Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
                    Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
                    None => false,
                },
            }
    }
}

/// Names that mean this host wherever they are resolved (RFC 6761 section 6.3).
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether `address` is one of the public network: not this host's, not a private network's, not a link's, not that of a
/// cloud's metadata service, and none that only carries such a one inside.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    /// Azure answers machines at this address, although it is a public one.
    const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let [a, b, c, _] = address.octets();
    #[expect(
        clippy::unnested_or_patterns,
        reason = "one pattern for each network reads as the registry does"
    )]
    let special = matches!(
        (a, b, c),
        // This network, private, CGNAT (with Alibaba's metadata), loopback, link-local (with most clouds' metadata).
        (0 | 10 | 127, ..) | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _)
        // Protocol assignments, documentation, the old relay of 6to4, benchmarks.
        | (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) | (198, 18 | 19, _)
        // Multicast, reserved, broadcast.
        | (224..=255, ..)
    );
    !special && address != AZURE
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // IPv4 inside: mapped, translated (NAT64), 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => carried(high, low),
        // Protocol assignments, Teredo among them, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // The rest of what is assigned to the public network: neither unspecified, loopback, unique local, link-local,
        // site-local nor multicast is in it.
        [first, ..] => first & 0xe000 == 0x2000,
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

    /// T13
    #[test]
    fn only_addresses_of_the_public_network_are_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "168.63.129.17",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    /// T13, T7
    #[test]
    fn a_reach_admits_no_address_beyond_it() {
        use Reach::{Anywhere, Loopback, Public};
        for (address, admitted) in [
            ("https://id.example/token", vec![Anywhere, Public]),
            ("https://10.0.0.1/token", vec![Anywhere]),
            ("https://0xa9fea9fe/latest", vec![Anywhere]),
            ("https://[::ffff:169.254.169.254]/latest", vec![Anywhere]),
            ("https://1.1.1.1/token", vec![Anywhere, Public]),
            ("https://localhost/token", vec![Anywhere, Loopback]),
            ("https://a.localhost/token", vec![Anywhere]),
            ("https://localhost./token", vec![Anywhere]),
            ("http://127.0.0.1:9/token", vec![Anywhere, Loopback]),
            ("http://[::1]:9/token", vec![Anywhere, Loopback]),
            ("http://id.example/token", vec![]),
            ("ftp://id.example/token", vec![]),
        ] {
            let url = Url::parse(address).unwrap();
            let found: Vec<_> =
                [Anywhere, Public, Loopback].into_iter().filter(|reach| reach.admits(&url)).collect();
            assert_eq!(found, admitted, "{address}");
        }
    }
}
