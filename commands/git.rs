//! Git's questions to a credential helper, and their answers (git-credential(1), gitcredentials(7)).
//!
//! Owns the operations and attributes of that protocol. Invariants: no token goes to a host that is asked without TLS, unless
//! that is this one; of a password that git found rejected only the hash is kept. Must not: ask a person anything, or know how a
//! token is come by.

#[cfg(test)]
mod tests;

use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr};

use latchkey::broker::FreshToken;
use latchkey::secret::TokenHash;

use crate::exit::{Code, Exit};
use crate::printed::{self, Format, Unprinted};

/// Attributes are a few short lines, the password among them.
const LONGEST: u64 = 256 * 1_024;
/// The name for hosts that look at the password alone, and for GitLab, which wants this one.
const ANY_NAME: &str = "oauth2";

/// What git wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// A name and a password.
    Get {
        /// The name that the address or the configuration has.
        username: Option<String>,
    },
    /// The password was rejected; without one there is nothing to be done.
    Erase(Option<TokenHash>),
    /// Nothing of us: `store`, and what other versions of git may say, which gitcredentials(7) wants ignored.
    Nothing,
}

impl Request {
    /// What is asked for, from `operation` and standard input; none unless the format is git's.
    pub fn of(format: Format, operation: Option<&str>) -> Result<Option<Self>, Exit> {
        match (format, operation) {
            (Format::Git, Some(operation)) => Self::read(operation, std::io::stdin().lock()).map(Some),
            (Format::Git, None) => Err(Unprinted::NoOperation.into()),
            (_, Some(operation)) => Err(Exit::new(
                Code::Usage,
                format!("{operation:?} after the tenant is understood with --format git alone; leave it out"),
            )),
            (_, None) => Ok(None),
        }
    }

    fn read(operation: &str, input: impl Read) -> Result<Self, Exit> {
        // Read to its end in any case: git must not find its pipe closed.
        let attributes = Attributes::read(input)?;
        match operation {
            "get" => {
                attributes.may_have_a_token()?;
                Ok(Self::Get { username: attributes.username })
            }
            "erase" => Ok(Self::Erase(attributes.password)),
            _ => Ok(Self::Nothing),
        }
    }
}

/// What git says about the host that it speaks to.
#[derive(Debug, Default)]
struct Attributes {
    protocol: Option<String>,
    host: Option<String>,
    username: Option<String>,
    password: Option<TokenHash>,
}

fn bad_input(what: &str) -> Exit {
    let form = "git sends lines of the form attribute=value, such as protocol=https";
    Exit::new(Code::Usage, format!("standard input {what}; {form}"))
}

impl Attributes {
    fn read(input: impl Read) -> Result<Self, Exit> {
        let mut text = Vec::new();
        let read = input.take(LONGEST + 1).read_to_end(&mut text);
        read.map_err(|error| bad_input(&format!("cannot be read ({error})")))?;
        if text.len() as u64 > LONGEST {
            return Err(bad_input(&format!("is longer than {LONGEST} bytes")));
        }
        let text = String::from_utf8(text).map_err(|_| bad_input("is not UTF-8"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, Exit> {
        let mut attributes = Self::default();
        // An empty line ends them.
        for line in text.split('\n').take_while(|line| !line.is_empty()) {
            let (name, value) =
                line.split_once('=').ok_or_else(|| bad_input("has a line without an equals sign"))?;
            let value = Some(value).filter(|value| !value.is_empty());
            // The last one counts, as it does for git; what is not known here is passed over.
            match name {
                "protocol" => attributes.protocol = value.map(str::to_owned),
                "host" => attributes.host = value.map(str::to_owned),
                "username" => attributes.username = value.map(str::to_owned),
                "password" => attributes.password = value.map(TokenHash::of),
                _ => {}
            }
        }
        Ok(attributes)
    }

    /// Whether a token may go where git wants to take it.
    fn may_have_a_token(&self) -> Result<(), Exit> {
        let protocol = self.protocol.as_deref().ok_or_else(|| bad_input("names no protocol"))?;
        let host = self.host.as_deref().ok_or_else(|| bad_input("names no host"))?;
        match protocol {
            "https" => Ok(()),
            "http" if is_this_host(host) => Ok(()),
            _ => Err(Exit::new(
                Code::Usage,
                format!(
                    "git asks for a password for {host:?} over {protocol:?}, where the token could be read on the way; \
                     use an https address"
                ),
            )),
        }
    }
}

/// Whether `host`, as git writes it (perhaps with a port), is this one. Nothing is resolved.
fn is_this_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_loopback = match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => {
            name.eq_ignore_ascii_case("localhost")
                || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
    };
    is_loopback && port.is_none_or(is_port)
}

/// The answer to `get`.
pub fn answer(token: &FreshToken, username: Option<&str>) -> Result<String, Unprinted> {
    let username = username.unwrap_or(ANY_NAME);
    let password = printed::line(token)?;
    let ends = token.expires_at.map(|at| format!("password_expiry_utc={at}\n")).unwrap_or_default();
    Ok(format!("username={username}\npassword={password}\n{ends}"))
}

/// Has git end, rather than ask somebody for a password that nobody has. Why is on standard error.
pub fn quit() {
    // Where nobody reads, git has ended already.
    drop(printed::write("quit=1\n"));
}
