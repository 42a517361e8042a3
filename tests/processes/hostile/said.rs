//! What a hostile server says in words, and what it grants with strings attached.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use latchkey::credential::Account;
use serde_json::json;

use super::*;

/// The secrets of a request, as the server got them.
fn carried(asked: &Asked) -> Vec<String> {
    let basic =
        asked.head.lines().find_map(|line| line.split_once("Basic ").map(|(_, encoded)| encoded.trim()));
    let fields = ["refresh_token", "client_secret"].iter().filter_map(|name| asked.field(name));
    fields.chain(basic.map(str::to_owned)).collect()
}

/// All of them, each spelled by `spell`.
fn spelled(asked: &Asked, spell: impl Fn(&str) -> String) -> String {
    let all: Vec<_> = carried(asked).iter().map(|secret| spell(secret)).collect();
    assert!(!all.is_empty(), "{asked:?}");
    all.join(" ")
}

fn each_byte(text: &str, spell: impl Fn(u8) -> String) -> String {
    text.bytes().map(spell).collect::<String>()
}

fn in_form(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn halves(text: &str) -> (String, String) {
    let (first, second) = text.split_at(text.len() / 2);
    (first.to_owned(), second.to_owned())
}

/// T10, Z1: the request's own secrets come back in every spelling and every place, and nobody gets to see a piece of one.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_request_is_repeated() {
    let cases: [(&str, Told); 17] = [
        ("as it is", |asked| refused("invalid_client", &spelled(asked, str::to_owned))),
        ("in a form", |asked| refused("invalid_client", &spelled(asked, in_form))),
        ("in lower-case escapes", |asked| refused("x", &spelled(asked, |text| in_form(text).to_lowercase()))),
        ("escaped twice", |asked| refused("x", &spelled(asked, |text| in_form(&in_form(text))))),
        ("in escapes alone", |asked| {
            refused("x", &spelled(asked, |text| each_byte(text, |b| format!("%{b:02x}"))))
        }),
        ("in JSON in JSON", |asked| {
            refused("x", &spelled(asked, |text| each_byte(text, |b| format!("\\u{b:04x}"))))
        }),
        ("in a page's references", |asked| {
            refused("x", &spelled(asked, |text| each_byte(text, |b| format!("&#x{b:x};"))))
        }),
        ("in base64", |asked| refused("x", &spelled(asked, |text| BASE64_STANDARD.encode(text)))),
        ("in capitals", |asked| refused("x", &spelled(asked, str::to_uppercase))),
        ("padded with what is not seen", |asked| {
            refused("x", &spelled(asked, |text| text.chars().flat_map(|c| [c, '\u{200b}']).collect()))
        }),
        ("as the code", |asked| refused(&spelled(asked, str::to_owned), "")),
        ("half as the code, half in words", |asked| {
            let (first, second) = halves(&carried(asked)[0]);
            refused(&first, &second)
        }),
        ("in an address", |asked| {
            let address = format!("https://e.example/{}", spelled(asked, in_form));
            Raw::json(
                "400 Bad Request",
                json!({"error": "invalid_request", "error_uri": address}).to_string(),
            )
        }),
        ("in an object", |asked| {
            let error =
                json!({"error": {"code": spelled(asked, in_form), "message": spelled(asked, str::to_owned)}});
            Raw::json("400 Bad Request", error.to_string())
        }),
        ("on a page", |asked| {
            Raw::http(
                "400 Bad Request",
                &["content-type: text/html"],
                format!("<p>{}", spelled(asked, str::to_owned)),
            )
        }),
        ("in plain words", |asked| {
            Raw::http("400 Bad Request", &["content-type: text/plain"], spelled(asked, str::to_owned))
        }),
        ("in headers", |asked| {
            let secrets = spelled(asked, str::to_owned);
            let lines = ["retry-after", "www-authenticate", "location", "date", "server"];
            let lines: Vec<_> = lines.iter().map(|name| format!("{name}: {secrets}")).collect();
            Raw::http("503 Busy", &lines.iter().map(String::as_str).collect::<Vec<_>>(), "")
        }),
    ];
    for (at, (what, told)) in cases.into_iter().enumerate() {
        let hostile = Hostile::start(told);
        let (host, refresh) = host_of(&hostile).await;
        host.configure(if at % 2 == 0 { "client_auth = \"basic\"" } else { "client_auth = \"post\"" });
        let answer = loud(&host, &TOKEN).await;
        assert!(matches!(answer.end(), (Some(2 | 4), "")), "{what}: {answer:?}");
        let asked = hostile.asked();
        assert_eq!(carried(&asked[0]).len(), 1 + usize::from(true), "{what}: it carries both");
        let all = everything_said(&host, &answer).await;
        let folded = all.replace(['\u{200b}', ' '], "");
        for secret in [&*refresh, CLIENT_SECRET].into_iter().map(str::to_owned).chain(carried(&asked[0])) {
            for text in [&all, &folded] {
                assert_no_piece(&secret, text, what);
                assert_no_piece(&in_form(&secret), text, what);
                assert_no_piece(&BASE64_STANDARD.encode(&secret), text, what);
                assert_no_piece(&each_byte(&secret, |b| format!("&#x{b:x};")), text, what);
                assert_no_piece(&each_byte(&secret, |b| format!("u{b:04x}")), text, what);
            }
        }
    }
}

/// T10: mentions, links, lines of ours, colours, and text that runs the other way: none of it has any effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_servers_words_forge_nothing() {
    let words = "@everyone @here <@1> <@&2> <#3> </x:4> <t:1:R> [x](https://e.example) `code` **b** ||c|| \u{1b}[31m\u{1b}]0;t\u{7} \
                 \u{9b}2J \u{202e}etirw\u{2066} a\u{200b}b\u{ad}c \u{e0041}\r\nlatchkey: signed in as root\n# big";
    let long = "word ".repeat(12_000);
    for (what, answer) in [
        ("in words", refused("invalid_client", words)),
        ("as the code", refused(words, "")),
        ("as both, at length", refused(&long, &long)),
        (
            "in an object",
            Raw::json("400 Bad", json!({"error": {"code": words, "message": words}}).to_string()),
        ),
        (
            "in half characters",
            Raw::json("400 Bad", b"{\"error\":\"\xff\xfe\",\"error_description\":\"\xc0\x80\"}"),
        ),
        ("on a page", Raw::http("400 Bad", &[], format!("<script>{words}</script>"))),
        ("in a dead one's", refused("invalid_grant", words)),
    ] {
        let hostile = Hostile::always(answer);
        let (host, _) = host_of(&hostile).await;
        let answer = loud(&host, &TOKEN).await;
        assert!(matches!(answer.end(), (Some(2 | 3), "")), "{what}: {answer:?}");
        let all = everything_said(&host, &answer).await;
        assert_plain(&all, what);
        assert!(!all.lines().any(|line| line.starts_with("latchkey: signed in")), "{what}:\n{all}");
        assert!(!all.contains("](https"), "{what}: a link is in\n{all}");
        let last_error = host.stored("acme").unwrap().last_error.unwrap_or_default();
        assert!(last_error.chars().count() <= 200, "{what}: {last_error}");
    }
}

/// T8, T9, I2, Z1: tokens are taken with whatever else stands beside them, and nothing beside them gets through that could
/// forge a header, a line or a name, or count beyond all time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_with_strings_attached_loses_them() {
    let id_token =
        |claims: serde_json::Value| format!("e30.{}.x", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let name = "a@x\n\u{1b}[31mFORGED \u{202e}x";
    let scopes: Vec<_> = (0..10_000).map(|number| format!("s{number}")).collect();
    let big = "x".repeat(60_000);
    for (what, mut reply) in [
        ("a type of two lines", json!({"token_type": "Bearer x\r\nX-Evil: 1"})),
        ("a type in colour", json!({"token_type": "\u{1b}[31mFORGED"})),
        ("a life beyond all time", json!({"expires_in": 1e300})),
        ("a life of text", json!({"expires_in": "99999999999999999999999"})),
        ("the longest life", json!({"expires_in": u64::MAX})),
        ("a life that is over", json!({"expires_in": -1})),
        ("scopes of two lines", json!({"scope": ["a\u{1b}[31mFORGED", "b \u{202e}FORGED"]})),
        ("ten thousand scopes", json!({"scope": scopes.join(" ")})),
        ("another's name", json!({"id_token": id_token(json!({"sub": name, "email": name}))})),
        (
            "a long name",
            json!({"id_token": id_token(json!({"sub": "x".repeat(30_000), "email": "y".repeat(9_000)}))}),
        ),
        ("no name", json!({"id_token": id_token(json!({"sub": {"a": [1]}, "email": {}, "iss": ["x"]}))})),
        ("a large token", json!({"access_token": big})),
    ] {
        let members = reply.as_object_mut().unwrap();
        members.entry("access_token").or_insert_with(|| "at-granted".into());
        let hostile = Hostile::always(json(&reply.to_string()));
        let (host, refresh) = host_of(&hostile).await;
        let answer = loud(&host, &["token", "acme", "--format", "json"]).await;
        let printed: serde_json::Value = serde_json::from_str(answer.token()).unwrap();
        assert_eq!(printed["access_token"], reply["access_token"], "{what}");
        let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        assert!(is_word(printed["token_type"].as_str().unwrap()), "{what}: {printed}");
        assert!(
            printed["scopes"].as_array().unwrap().iter().all(|scope| is_word(scope.as_str().unwrap())),
            "{what}"
        );
        assert_eq!(loud(&host, &TOKEN).await.code, Some(0), "{what}: it is served again");
        let all = everything_said(&host, &answer).await;
        assert_plain(&all, what);
        assert!(!all.contains("FORGED") && all.len() < 20_000, "{what}:\n{all}");
        assert_no_piece(&refresh, &all, what);
        assert_eq!(host.stored("acme").unwrap().account, Account::default(), "{what}");
    }
}
