//! Clients that mean harm, and what every answer tells a browser.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use latchkey_test_authority::Browser;
use reqwest::Method;

use super::{Hosted, press};
use crate::harness::{Bot, SOON};

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// What comes back for these bytes, until the connection is closed.
fn raw(origin: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(origin.trim_start_matches("http://")).expect("the page is served");
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // It may be closed before all is sent: what came back counts.
    drop(stream.write_all(bytes));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// T15: every page, good or bad, is not stored, not framed, sends no referrer, and loads nothing.
#[tokio::test]
async fn every_answer_has_the_headers_that_keep_it_to_itself() {
    let hosted = Hosted::new().await;
    let (_bot, _ann, _thread, card) = hosted.begun().await;
    let answer = hosted.answer(&card).await;
    let at = |path: &str| format!("{}{path}", hosted.origin);
    for (method, address, status) in [
        (Method::GET, answer.clone(), 200),
        (Method::HEAD, answer.clone(), 405),
        (Method::PUT, at("/callback/acme"), 405),
        (Method::POST, at("/callback/acme"), 400),
        (Method::GET, at("/callback/Acme"), 404),
        (Method::GET, at("/callback/acme/"), 404),
        (Method::POST, at("/go/0"), 405),
        (Method::GET, at("/go/0"), 410),
        (Method::GET, at("/"), 404),
        (Method::GET, at("/metrics"), 404),
        (Method::GET, at(&format!("/callback/acme?state={}", "x".repeat(9_000))), 414),
    ] {
        let response = client().request(method.clone(), &address).send().await.unwrap();
        let what = format!("{method} {}", address.split('?').next().unwrap_or_default());
        assert_eq!(response.status().as_u16(), status, "{what}");
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let fixed =
            ["cache-control", "referrer-policy", "x-content-type-options", "x-frame-options", "content-type"];
        let found = fixed.map(header);
        let expected = ["no-store", "no-referrer", "nosniff", "DENY", "text/html; charset=utf-8"];
        assert_eq!(found, expected, "{what}");
        let policy = header("content-security-policy");
        let (start, rest) = policy.split_once("'nonce-").expect("a nonce");
        assert_eq!(start, "default-src 'none'; style-src ", "{what}");
        let (nonce, rest) = rest.split_once('\'').unwrap();
        assert_eq!(rest, "; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", "{what}");
        assert_eq!(header("allow").is_empty(), status != 405, "{what}");
        let body = response.text().await.unwrap();
        assert!(body.is_empty() == (method == Method::HEAD), "{what}");
        assert!(!body.contains("<script") && !body.contains("http://127"), "{what}: {body}");
        assert!(body.is_empty() || body.contains(&format!("<style nonce=\"{nonce}\">")), "{what}");
    }
    hosted.setup.discord.assert_clean();
}

/// Garbage, heads without end, huge and slow bodies, many idle connections: refused, and a sign-in beside them goes on.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_clients_are_refused_and_hold_up_nobody() {
    let hosted = Hosted::new().await;
    let (bot, _ann, _thread, card) = hosted.begun().await;
    let answer = hosted.answer(&card).await;
    let address = hosted.origin.trim_start_matches("http://").to_owned();
    let idle: Vec<_> = (0..100).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let mut slow = TcpStream::connect(&address).unwrap();
    slow.write_all(b"GET /callback/acme HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();

    let origin = hosted.origin.clone();
    let refused = tokio::task::spawn_blocking(move || {
        let head = |bytes: usize| {
            raw(
                &origin,
                format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(bytes)).as_bytes(),
            )
        };
        let (long, longer) = (head(10_000), head(100_000));
        assert!(long.starts_with("HTTP/1.1 404"), "{long}");
        assert!(longer.is_empty() || longer.starts_with("HTTP/1.1 431"), "{longer}");
        let garbage = raw(&origin, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 nonsense\r\n\r\n");
        assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
        let post = |length: usize, body: &str| {
            let kind = "application/x-www-form-urlencoded";
            let head = format!(
                "POST /callback/acme HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            );
            raw(&origin, format!("{head}{body}").as_bytes())
        };
        assert!(post(1_000_000, "").starts_with("HTTP/1.1 413"));
        let twice = "ticket=1&ticket=2&decision=confirm";
        assert!(post(twice.len(), twice).starts_with("HTTP/1.1 400"));
        let unknown = "ticket=1&decision=confirm";
        assert!(post(unknown.len(), unknown).starts_with("HTTP/1.1 410"));
        // A body that never comes.
        let begun = Instant::now();
        let never = post(100, "ticket=");
        assert!(never.starts_with("HTTP/1.1 408"), "{never}");
        assert!(begun.elapsed() < Duration::from_secs(50));
    });

    let mut browser = Browser::new();
    let page = browser.get(&answer).await;
    let done = press(&mut browser, &page, "confirm").await;
    assert!(done.body.contains("ada@example.test"), "{}", done.body);
    card.sees_text("Signed in to Acme", SOON).await;
    refused.await.expect("each is refused");
    slow.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut rest = Vec::new();
    assert!(slow.read_to_end(&mut rest).is_ok(), "it was closed");
    drop(idle);
    drop::<Bot>(bot);
    hosted.setup.discord.assert_clean();
}

/// Z1: nothing of an answer is in a log, whatever is logged and however it was refused.
#[tokio::test]
async fn no_code_and_no_state_is_in_any_log() {
    let hosted = Hosted::new().await;
    let loud = |program: &mut std::process::Command| {
        program.env("LATCHKEY_LOG", "trace").env("RUST_LOG", "trace");
    };
    let bot = Bot::start_with(&hosted.setup, loud).await;
    let card = super::login(&hosted.setup.discord.member("ann"), &hosted.setup.thread("fix-ci")).await;
    let answer = hosted.answer(&card).await;
    let mut browser = Browser::new();
    for bad in [answer.replace("iss=", "is="), format!("{answer}&code=2"), answer.replace("/acme", "/other")]
    {
        browser.get(&bad).await;
    }
    raw(&hosted.origin, format!("GET {answer} HTTP/9.9\r\n{answer}\r\n\r\n").as_bytes());
    let page = browser.get(&answer).await;
    let ticket = page.forms()[0].fields.iter().find(|(name, _)| name == "ticket").unwrap().1.clone();
    hosted.setup.authority.go_down();
    let again = press(&mut browser, &page, "confirm").await;
    hosted.setup.authority.come_back();
    let done = press(&mut browser, &again, "confirm").await;
    assert!(done.body.contains("ada@example.test"), "{}", done.body);
    browser.get(&answer).await;
    card.sees_text("Signed in to Acme", SOON).await;
    let said = bot.said();
    assert!(said.contains("login started"), "it did log:\n{said}");
    hosted.setup.authority.assert_no_secret_in(&said);
    assert!(!said.contains(&ticket), "a ticket:\n{said}");
    hosted.setup.discord.assert_clean();
}
