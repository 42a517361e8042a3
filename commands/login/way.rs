//! Which way to sign in is taken here.
//!
//! Owns the choice. Pure. Invariant: what was asked for is done or refused with the reason, never replaced in silence. Must not: open
//! or listen to anything.

use latchkey::pending::LoginKind;
use latchkey::provider::{Flow, Provider};

use crate::exit::{Code, Exit};

/// What the command line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Device,
    Paste,
    Browser,
}

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way<'a> {
    /// How, where that is settled; else the first that the provider turns out to have.
    pub kind: Option<LoginKind>,
    /// Where on this host an answer may arrive, if it comes to one.
    pub loopback: Option<&'a str>,
}

impl<'a> Way<'a> {
    /// The way at a terminal that has a browser or not, and to which something may be pasted or not.
    pub fn choose(
        provider: &'a Provider,
        asked: Option<Asked>,
        has_browser: bool,
        may_paste: bool,
    ) -> Result<Self, Exit> {
        let offers = |flow| provider.offered_flows().any(|offered| offered == flow);
        let usage = |text: String| Err(Exit::new(Code::Usage, text));
        let (name, loopback) = (&provider.name, provider.loopback());
        let unpasted = "nothing can be pasted here: standard input is neither a terminal nor a pipe; run it in a terminal";
        match asked {
            Some(Asked::Device) => Ok(Self { kind: Some(LoginKind::Device), loopback: None }),
            Some(Asked::Paste) if !may_paste => usage(unpasted.to_owned()),
            Some(Asked::Paste) => Ok(Self { kind: Some(LoginKind::Paste), loopback: None }),
            Some(Asked::Browser) if loopback.is_none() || !offers(Flow::Paste) => usage(format!(
                "{name} cannot be answered on this host: that takes \"paste\" among its flows, and a loopback_redirect_uri (or a \
                 redirect_uri on this host) that is registered there; use --device or --paste"
            )),
            Some(Asked::Browser) => Ok(Self { kind: Some(LoginKind::Paste), loopback }),
            None if has_browser && loopback.is_some() && offers(Flow::Paste) => {
                Ok(Self { kind: Some(LoginKind::Paste), loopback })
            }
            // The page of a bot is another host's way in, as a rule.
            None if provider.offered_flows().next() == Some(Flow::Callback) && offers(Flow::Device) => {
                Ok(Self { kind: Some(LoginKind::Device), loopback: None })
            }
            None if provider.offered_flows().next() == Some(Flow::Callback) && offers(Flow::Paste) => {
                Ok(Self { kind: Some(LoginKind::Paste), loopback })
            }
            None if !may_paste
                && loopback.is_none()
                && provider.offered_flows().next() == Some(Flow::Paste) =>
            {
                usage(unpasted.to_owned())
            }
            None => Ok(Self { kind: None, loopback: loopback.filter(|_| offers(Flow::Paste)) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use latchkey::config::Config;

    use super::*;

    fn provider(lines: &str) -> Provider {
        let text = format!(
            "[http]\npublic_url = \"https://login.example.org\"\n[providers.acme]\ntoken_endpoint = \"https://id.example/t\"\n\
             device_authorization_endpoint = \"https://id.example/d\"\nauthorization_endpoint = \"https://id.example/a\"\n\
             client_id = \"latchkey\"\n{lines}"
        );
        let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None).unwrap();
        (**config.providers.iter().next().unwrap()).clone()
    }

    /// RFC 8252 section 7.3: a browser that is here is answered here; else the provider's own order counts, and where nothing can
    /// be pasted that is said before anything is started.
    #[test]
    fn the_way_is_the_best_that_there_is_here() {
        let both = "flows = [\"device\", \"paste\"]\nredirect_uri = \"http://127.0.0.1:8765/cb\"\n";
        let hosted = "flows = [\"callback\", \"paste\"]\nredirect_uri = \"https://acme.example/shown\"\n";
        let shown = "flows = [\"paste\"]\nredirect_uri = \"https://acme.example/shown\"\n";
        let registered = "flows = [\"paste\"]\nredirect_uri = \"https://acme.example/shown\"\n\
                          loopback_redirect_uri = \"http://localhost:53692/callback\"\n";
        let queried = "flows = [\"paste\"]\nredirect_uri = \"http://127.0.0.1:8765/cb?x=y\"\n";
        let (here, other) = (Some("http://127.0.0.1:8765/cb"), Some("http://localhost:53692/callback"));
        let (device, paste) = (Some(LoginKind::Device), Some(LoginKind::Paste));
        for (lines, asked, has_browser, may_paste, expected) in [
            (both, None, true, true, Some((paste, here))),
            (both, None, false, true, Some((None, here))),
            (both, None, false, false, Some((None, here))),
            (both, Some(Asked::Device), true, true, Some((device, None))),
            (both, Some(Asked::Paste), true, true, Some((paste, None))),
            (both, Some(Asked::Paste), true, false, None),
            (both, Some(Asked::Browser), false, false, Some((paste, here))),
            (hosted, None, false, true, Some((paste, None))),
            (hosted, Some(Asked::Browser), true, true, None),
            (shown, None, true, true, Some((None, None))),
            (shown, None, true, false, None),
            (registered, None, false, false, Some((None, other))),
            (queried, Some(Asked::Browser), true, true, None),
            (queried, None, false, false, None),
        ] {
            let provider = provider(lines);
            let found = Way::choose(&provider, asked, has_browser, may_paste).ok();
            let found = found.map(|way| (way.kind, way.loopback));
            assert_eq!(found, expected, "{lines} {asked:?} {has_browser} {may_paste}");
        }
    }
}
