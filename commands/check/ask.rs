//! Asking whether somebody is there.
//!
//! Owns the short questions to other hosts: a connection, TLS, and at most the head of an answer. Invariants: each is bounded; no
//! redirect is followed; no secret is sent. Must not: read what a page says, but for a short text that is asked for.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect::Policy;
use tokio::net::TcpStream;
use url::Url;

use super::QUESTION;
use super::clock::Reading;

/// The most that is read of an answer, in bytes.
const ANSWER_CAP: usize = 64 * 1024;

/// Scheme, host and port of `url`.
pub(super) fn origin(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("/");
    origin.set_query(None);
    origin.set_fragment(None);
    origin
}

/// The host and port of `url`, as people write them.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether somebody is at `origin`. Over HTTPS any answer will do, and may say the time; on this host a connection is enough.
pub(super) async fn reach(origin: &Url) -> Result<Option<Reading>, String> {
    if origin.scheme() == "http" {
        return connect(origin, QUESTION).await.map(|()| None);
    }
    let client = client(QUESTION, false)?;
    match client.head(origin.clone()).send().await {
        Ok(answer) => Ok(Reading::of(&shown(origin), answer.headers())),
        Err(error) => Err(why(&error, QUESTION)),
    }
}

/// Whether a connection can be had, without saying anything.
pub(super) async fn connect(url: &Url, bound: Duration) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let steps = async {
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let addresses: Vec<_> =
            found.map_err(|error| format!("its name cannot be looked up ({error})"))?.collect();
        TcpStream::connect(&*addresses).await.map(drop).map_err(|error| format!("no connection ({error})"))
    };
    tokio::time::timeout(bound, steps)
        .await
        .unwrap_or_else(|_| Err(format!("no connection in {} s", bound.as_secs())))
}

/// The text at `url`, if it is a short one, and the answer's status.
pub(super) async fn text(url: &Url, bound: Duration) -> Result<(u16, String), String> {
    let is_here = url.scheme() == "http";
    let steps = async {
        let mut answer =
            client(bound, is_here)?.get(url.clone()).send().await.map_err(|error| why(&error, bound))?;
        let (status, mut text) = (answer.status().as_u16(), Vec::new());
        while let Some(part) = answer.chunk().await.map_err(|error| why(&error, bound))? {
            text.extend_from_slice(&part);
            if text.len() > ANSWER_CAP {
                break;
            }
        }
        text.truncate(ANSWER_CAP);
        Ok((status, String::from_utf8_lossy(&text).into_owned()))
    };
    tokio::time::timeout(bound, steps)
        .await
        .unwrap_or_else(|_| Err(format!("no answer in {} s", bound.as_secs())))
}

fn client(bound: Duration, is_here: bool) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .timeout(bound)
        .redirect(Policy::none())
        .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")));
    let builder = if is_here { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| format!("HTTPS cannot be set up ({error})"))
}

/// What kept an answer away, in words: the innermost cause, and never the address.
fn why(error: &reqwest::Error, bound: Duration) -> String {
    if error.is_timeout() {
        return format!("no answer in {} s", bound.as_secs());
    }
    let mut cause = error.source();
    let mut innermost = None;
    while let Some(inner) = cause {
        innermost = Some(inner.to_string());
        cause = inner.source();
    }
    let innermost = innermost.map(|text| format!(" ({text})")).unwrap_or_default();
    if error.is_connect() {
        format!("no connection, or no TLS on it{innermost}")
    } else {
        format!("the connection broke{innermost}")
    }
}
