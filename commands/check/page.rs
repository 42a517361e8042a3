//! Whether browsers reach the sign-in page.
//!
//! Owns the findings on `[http]`. Invariant: from here it can be seen whether the way leads to the bot of this store; that no
//! firewall stands before others is not to be seen. Must not: serve anything itself.

use std::io::ErrorKind;
use std::time::Duration;

use latchkey::config::{Config, HttpConfig};
use latchkey::provider::Flow;
use latchkey::secret::random_id;
use latchkey::serve::proof;
use latchkey::store::Store;
use latchkey::store::file::FileStore;
use url::Url;

use super::ask;
use super::finding::Finding;
use super::host::ELSEWHERE;
use crate::exit::Code;

const PART: &str = "http";
/// How long the page may take.
const PAGE: Duration = Duration::from_secs(5);

pub(super) async fn look(
    config: &Config,
    store: Option<&FileStore>,
    is_offline: bool,
    is_running: bool,
) -> Vec<Finding> {
    let Some(http) = &config.http else { return Vec::new() };
    let Some(public_url) = &http.public_url else {
        return vec![Finding::warning(
            PART,
            "[http] has no public_url, so no sign-in page is served",
            "write the address at which browsers reach it",
        )];
    };
    let mut found = match std::net::TcpListener::bind(http.listen) {
        Ok(_) => {
            vec![Finding::ok(PART, format!("the sign-in page is served on {} as {public_url}", http.listen))]
        }
        // By a running bot, most likely.
        Err(error) if error.kind() == ErrorKind::AddrInUse => Vec::new(),
        Err(error) => {
            let what = format!("cannot listen on {}: {error}", http.listen);
            let remedy = "choose another listen under [http]";
            return vec![Finding::problem(PART, Code::Usage, what, remedy).at("http.listen")];
        }
    };
    let is_taken = found.is_empty();
    if is_offline && is_taken {
        let what = format!("{} is in use: by a bot that runs already, or by another program", http.listen);
        found.push(Finding::ok(PART, what));
    } else if !is_offline {
        found.push(if is_taken {
            served(http, public_url, store).await
        } else if is_running {
            served_elsewhere(public_url, store).await
        } else {
            unserved(public_url).await
        });
    }
    for provider in config.providers.iter().filter(|provider| provider.flows.contains(&Flow::Callback)) {
        if let Some(address) = &provider.callback_uri {
            found.push(Finding::ok(
                PART,
                format!("{}: register the redirect URI {address} there", provider.name),
            ));
        }
    }
    found
}

/// No bot runs, so that only what stands before it can be looked at.
async fn unserved(public_url: &Url) -> Finding {
    let later = "start the bot and run `latchkey check` again: then it is seen whether the page is reached";
    if ask::connect(public_url, PAGE).await.is_ok() {
        return Finding::ok(PART, format!("somebody answers at {public_url}; no bot runs yet: {later}"));
    }
    match name_of(public_url).await {
        Ok(()) => Finding::ok(PART, format!("nobody answers at {public_url}, as no bot runs yet: {later}")),
        Err(why) => {
            let remedy = "enter the name in your DNS, or correct public_url";
            let what = format!("browsers cannot find {public_url}: {why}");
            Finding::problem(PART, Code::Usage, what, remedy).at("http.public_url")
        }
    }
}

async fn name_of(url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    match tokio::time::timeout(PAGE, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("its name cannot be looked up ({error})")),
        Err(_) => Err(format!("its name was not found in {} s", PAGE.as_secs())),
    }
}

/// A bot runs and does not listen here: whether the way leads to it can be seen all the same, if it does.
async fn served_elsewhere(public_url: &Url, store: Option<&FileStore>) -> Finding {
    let (answer, expected) = ask_for_proof(public_url, store).await;
    if answer.is_ok_and(|(status, text)| status == 200 && Some(text) == expected) {
        return Finding::ok(PART, format!("the sign-in page of this bot is reached at {public_url}"));
    }
    Finding::ok(PART, format!("{public_url} does not lead to the bot from here; {ELSEWHERE}"))
}

/// What answers at the public address to a question that only the bot of this store knows the answer to, and that answer.
async fn ask_for_proof(
    public_url: &Url,
    store: Option<&FileStore>,
) -> (Result<(u16, String), String>, Option<String>) {
    let nonce = random_id().chars().filter(char::is_ascii_alphanumeric).take(32).collect::<String>();
    let mut question = public_url.clone();
    question.set_path(&format!("{}/{}/{nonce}", public_url.path().trim_end_matches('/'), proof::PATH));
    let document = store.and_then(|store| store.snapshot().ok());
    let expected = proof::answer(document.as_ref().and_then(|document| document.store_id()), &nonce);
    (ask::text(&question, PAGE).await, expected)
}

/// Somebody listens where the bot does: is it the bot of this store that is reached at the public address?
async fn served(http: &HttpConfig, public_url: &Url, store: Option<&FileStore>) -> Finding {
    let listen = http.listen;
    let (answer, expected) = ask_for_proof(public_url, store).await;
    let place = |finding: Finding| finding.at("http.public_url");
    match answer {
        Ok((200, text)) if Some(&text) == expected.as_ref() => {
            Finding::ok(PART, format!("the sign-in page of this bot is reached at {public_url}"))
        }
        Ok((200, text)) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            place(Finding::problem(
                PART,
                Code::Usage,
                format!("{public_url} leads to a Latchkey of another store"),
                format!("have it lead to {listen} of this host"),
            ))
        }
        Ok((status, _)) => place(Finding::problem(
            PART,
            Code::Usage,
            format!(
                "{listen} is in use, and {public_url} does not lead to a bot there: what answers (HTTP {status}) is no Latchkey"
            ),
            format!(
                "have the reverse proxy send all below that address to http://{listen}, its path unchanged; or choose another listen, if another program has that one"
            ),
        )),
        Err(why) => place(Finding::problem(
            PART,
            Code::Usage,
            format!("{listen} is in use, and nobody answers at {public_url}: {why}"),
            "look at DNS, the reverse proxy and its certificate; where only this host cannot reach its own public address, try it from another",
        )),
    }
}
