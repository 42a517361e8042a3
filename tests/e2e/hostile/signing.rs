//! Sign-ins at a hostile server: the start of a device login, its polls, and the exchange of a code.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::*;
use crate::harness::{NEXT_POLL, SOON};
use crate::members::{ADDRESS, OPEN, PASTE, login};

const UNREACHABLE: &str = "could not be reached";
const MISCONFIGURED: &str = "is not set up right";
/// What the bot may grow by while all that happens, in MiB.
const GROWTH: u64 = 64;

/// A good start of a device login with these members put over it.
fn opened(over: &Value) -> Value {
    let mut start = json!({
        "device_code": "dc-0123456789-abcdefghij", "user_code": "ABCD-EFGH",
        "verification_uri": "https://id.example/device", "expires_in": 600, "interval": 0,
    });
    start.as_object_mut().expect("an object").extend(over.as_object().expect("an object").clone());
    start
}

/// T7, T8, T10, T11, U3: no start that cannot be shown safely shows anything, and the member is told in our words.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_start_of_a_device_login_shows_no_link() {
    let trap = Hostile::always(ok(&opened(&json!({}))));
    let hostile = Hostile::always(Raw::Close);
    let setup = setup_of(&hostile, "\"device\"", &["device_authorization_endpoint"]).await;
    let bot = loud(&setup).await;
    let (before, thread) = (peak(&bot), setup.thread("fix-ci"));
    let odd = |member: &str, value: &str| ok(&opened(&json!({ member: value })));
    let cases = [
        (Raw::endless_chunks("200 OK"), UNREACHABLE),
        (Raw::endless_length("200 OK"), UNREACHABLE),
        (Raw::endless_head("200 OK"), UNREACHABLE),
        (Raw::Close, UNREACHABLE),
        (Raw::Bytes(b"SSH-2.0-x\r\n".to_vec()), UNREACHABLE),
        (Raw::redirect("302 Found", &trap.url("/")), MISCONFIGURED),
        (Raw::redirect("307 Temporary Redirect", &trap.url("/")), MISCONFIGURED),
        (odd("verification_uri", "javascript:alert(1)"), MISCONFIGURED),
        (odd("verification_uri", "data:text/html,x"), MISCONFIGURED),
        (odd("verification_uri", "file:///etc/passwd"), MISCONFIGURED),
        (odd("verification_uri", "http://id.example/device"), MISCONFIGURED),
        (odd("verification_uri", "https://id.example@e.example/"), MISCONFIGURED),
        (odd("verification_uri", "discord://-/channels/1"), MISCONFIGURED),
        (odd("user_code", "`\n@everyone"), MISCONFIGURED),
        (odd("user_code", "AB\u{202e}CD"), MISCONFIGURED),
        (odd("user_code", &"A".repeat(65)), MISCONFIGURED),
        (odd("device_code", "dc\r\nX: 1"), MISCONFIGURED),
        (refused("invalid_client", FORGED), "The provider says"),
        (refused(FORGED, ""), "The provider says"),
    ];
    for (number, (answer, expected)) in cases.into_iter().enumerate() {
        let what = format!("{answer:?}").chars().take(200).collect::<String>();
        hostile.answer(move |_| answer.clone());
        let member = setup.discord.member(&format!("m{number}"));
        let start = member.slash("/auth login acme").in_thread(&thread).send().await;
        start.sees_text(expected, SOON).await;
        assert!(start.links().is_empty(), "{what}: {:?}", start.links());
    }
    assert_eq!(trap.connections(), 0);
    assert!(peak(&bot) < before + GROWTH, "from {before} to {} MiB", peak(&bot));
    assert_harmless(&setup, &bot, &[]);
}

/// T7, T8, T10, C9, I2: what a poll answers ends the login or signs in, and neither shows what it should not.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_poll_ends_the_login_and_forges_nothing() {
    let id_token = |email: &str| {
        let claims = json!({"sub": FORGED, "email": email}).to_string();
        format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(claims))
    };
    let trap = Hostile::always(ok(&json!({"access_token": "at-of-the-trap"})));
    let code = |number: usize| format!("dc-{number}-Abcdefghij/klmnop+qrs");
    let granted = |email: &str| ok(&json!({"access_token": "at-0123456789abc", "id_token": id_token(email)}));
    let spelled = code(5).replace('/', "%2F").replace('+', "\\u002b");
    let polls = [
        (Raw::endless_chunks("200 OK"), "failed"),
        (refused("invalid_client", FORGED), "failed"),
        (granted(FORGED), "Signed in to Acme"),
        (granted("**@everyone**<@1>[x](https://e.example)"), "Signed in to Acme"),
        (Raw::redirect("307 Temporary Redirect", &trap.url("/")), "failed"),
        (refused(&code(5), &format!("no {spelled}")), "failed"),
    ];
    let expected: Vec<_> = polls.iter().map(|(_, text)| *text).collect();
    let begun = Mutex::new(0);
    let hostile = Hostile::start(move |asked| {
        if asked.path == "/device_authorization_endpoint" {
            let mut begun = begun.lock().expect("nobody panics");
            *begun += 1;
            // Wherever the server sends people is its own affair: it could name that host in the first place.
            let complete = "https://elsewhere.example/?user_code=ABCD-EFGH";
            return ok(&opened(
                &json!({"device_code": code(*begun - 1), "verification_uri_complete": complete}),
            ));
        }
        let device_code = asked.field("device_code").expect("a poll");
        let number: usize = device_code.split('-').nth(1).expect("a number").parse().expect("a number");
        polls[number].0.clone()
    });
    let setup = setup_of(&hostile, "\"device\"", &["device_authorization_endpoint", "token_endpoint"]).await;
    let bot = loud(&setup).await;
    let (before, thread) = (peak(&bot), setup.thread("fix-ci"));
    let mut cards = Vec::new();
    for number in 0..expected.len() {
        cards.push(login(&setup.discord.member(&format!("m{number}")), &thread).await);
    }
    for (card, text) in cards.iter().zip(expected) {
        card.sees_text(text, NEXT_POLL).await;
    }
    assert_eq!(trap.connections(), 0);
    assert!(peak(&bot) < before + GROWTH, "from {before} to {} MiB", peak(&bot));
    let codes: Vec<_> = (0..cards.len()).map(|number| format!("dc-{number}-Abcdefghij/klmnop+qrs")).collect();
    assert_harmless(&setup, &bot, &codes);
}

/// T7, T10, Z1: a token endpoint that gets a code shows it to nobody: not the code, the verifier or the state, however
/// spelled, nor to another server.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_exchange_repeats_no_code_no_verifier_and_no_state() {
    let trap = Hostile::always(ok(&json!({"access_token": "at-of-the-trap"})));
    let hostile = Hostile::always(Raw::Close);
    let setup = setup_of(&hostile, "\"paste\"", &["token_endpoint"]).await;
    let bot = loud(&setup).await;
    let thread = setup.thread("fix-ci");
    let (secrets, state) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(String::new())));
    let spellings: [fn(&str) -> String; 5] = [
        str::to_owned,
        str::to_uppercase,
        |text| text.bytes().fold(String::new(), |all, b| all + &format!("%{b:02x}")),
        |text| text.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        |text| text.chars().take(20).collect(),
    ];
    for (number, spell) in spellings.into_iter().enumerate() {
        let (seen, known, to) = (Arc::clone(&secrets), Arc::clone(&state), trap.url("/"));
        hostile.answer(move |asked| {
            let fields = ["code", "code_verifier"].map(|name| asked.field(name).expect("an exchange"));
            let carried = fields.into_iter().chain([known.lock().expect("nobody panics").clone()]);
            let carried: Vec<_> = carried.collect();
            let words: Vec<_> = carried.iter().map(|secret| spell(secret)).collect();
            seen.lock().expect("nobody panics").extend(carried);
            if number == 0 {
                Raw::redirect("308 Permanent Redirect", &to)
            } else {
                refused("x", &words.join(" "))
            }
        });
        let card = login(&setup.discord.member(&format!("m{number}")), &thread).await;
        let link: url::Url = card.link(OPEN).parse().expect("an address");
        let own = link.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
        *state.lock().expect("nobody panics") = own;
        let answer = setup.authority.sign_in(link.as_str(), &latchkey_test_authority::Person::ada()).await;
        let pasted = card.click(PASTE).await.submit_modal([(ADDRESS, answer.as_str())]).await;
        pasted.sees_text("failed", SOON).await;
        assert_eq!(hostile.asked().len(), number + 1, "a code is spent once");
    }
    assert_eq!(trap.connections(), 0);
    let mut secrets = secrets.lock().expect("nobody panics").clone();
    assert_eq!(secrets.len(), 15);
    // The link itself holds the state, and is the member's own.
    secrets.retain(|secret| {
        !sent(&setup).iter().any(|text| text.starts_with("http") && text.contains(secret.as_str()))
    });
    assert_eq!(secrets.len(), 10, "a code and a verifier each");
    assert_harmless(&setup, &bot, &secrets);
    let words = sent(&setup)
        .into_iter()
        .filter(|text| !text.starts_with("http"))
        .chain(kept(&setup))
        .chain([bot.said()]);
    let own = state.lock().expect("nobody panics")[..12].to_lowercase();
    for text in words {
        assert!(
            !text.replace(['\u{200b}', '\\'], "").to_lowercase().contains(&own),
            "the state is in\n{text}"
        );
    }
}
