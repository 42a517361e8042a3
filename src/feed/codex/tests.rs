//! What codex is told.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::feed::testing::{any_json, edited, offer, web_token};

const TOKEN: &str = "at-new";

/// The claims of a token of hers.
fn ada() -> Value {
    json!({"https://api.openai.com/auth": {"chatgpt_account_id": "acct-ada", "chatgpt_user_id": "user-ada"}})
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Z2: what codex takes from a program that signs in for it, and no refresh token.
#[test]
fn a_new_file_has_all_that_codex_wants_and_no_refresh_token() {
    let id_token = web_token(&ada());
    let mut offer = offer(TOKEN, Some("acct-ada"));
    offer.id_token = Some(Secret::new(&*id_token));
    let fed = put(None, &offer).unwrap();
    assert!(!fed.held_refresh_token);
    let expected = json!({
        "auth_mode": "chatgptAuthTokens",
        "tokens": {
            "id_token": id_token,
            "access_token": TOKEN,
            "refresh_token": "",
            "account_id": "acct-ada",
            "kept_by": "latchkey",
        },
        "last_refresh": "2026-03-01T12:00:00Z",
    });
    assert_eq!(read(&edited(&fed.edit)), expected);
}

/// Z2: the program's own refresh token leaves, and what is not ours stays as it is, down to spelling and order.
#[test]
fn a_refresh_token_leaves_and_all_else_stays() {
    let file = "{\"OPENAI_API_KEY\":  null, \"zebra\": 18446744073709551616,\n \"tokens\": {\"id_token\": \"x\", \
                \"refresh_token\": \"rt-theirs\", \"extra\": [1.0,  2], \"account_id\": \"acct-ada\"}, \"alpha\": {\"b\":1, \"a\":2}}";
    let fed = put(Some(file), &offer(TOKEN, Some("acct-ada"))).unwrap();
    assert!(fed.held_refresh_token);
    let text = edited(&fed.edit);
    assert!(!text.contains("rt-theirs"), "{text}");
    let kept = [
        "\"OPENAI_API_KEY\": null",
        "\"zebra\": 18446744073709551616",
        "\"extra\": [1.0,  2]",
        "{\"b\":1, \"a\":2}",
    ];
    let places: Vec<_> =
        kept.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}"))).collect();
    assert!(places.is_sorted(), "{text}");
}

/// A write happens only if something changes.
#[test]
fn what_stands_there_already_is_not_written() {
    let offer = offer(TOKEN, Some("acct-ada"));
    let text = edited(&put(None, &offer).unwrap().edit);
    assert_eq!(put(Some(&text), &offer).unwrap(), Fed { edit: Edit::Keep, held_refresh_token: false });
    let spaced = text.replace(": ", ":  ");
    assert_eq!(put(Some(&spaced), &offer).unwrap().edit, Edit::Keep);
}

/// I5: somebody else's sign-in is not ours to replace; what we wrote ourselves is, whoever signed in since.
#[test]
fn another_accounts_sign_in_is_left_alone_unless_we_wrote_it() {
    let claims = json!({"https://api.openai.com/auth": {"chatgpt_account_id": "acct-bob"}});
    let theirs = [
        json!({"tokens": {"refresh_token": "rt", "account_id": "acct-bob"}}),
        json!({"tokens": {"refresh_token": "rt", "id_token": web_token(&claims)}}),
        json!({"tokens": {"refresh_token": "rt", "account_id": "acct-bob", "kept_by": "latchkey"}}),
        json!({"tokens": {"refresh_token": "", "account_id": "acct-bob"}}),
    ];
    for file in theirs {
        let refused = put(Some(&file.to_string()), &offer(TOKEN, Some("acct-ada")));
        assert_eq!(refused, Err(Refusal::AnotherAccount), "{file}");
    }
    let ours = edited(&put(None, &offer("at-old", Some("acct-bob"))).unwrap().edit);
    let text = edited(&put(Some(&ours), &offer(TOKEN, Some("acct-ada"))).unwrap().edit);
    assert_eq!(read(&text)["tokens"]["account_id"], "acct-ada");
    for unknown in [json!({"tokens": {"refresh_token": "rt"}}), json!({"tokens": null}), json!({})] {
        assert!(put(Some(&unknown.to_string()), &offer(TOKEN, Some("acct-ada"))).is_ok(), "{unknown}");
    }
}

/// I5: where ours does not say whose it is, a sign-in that does may be somebody else's.
#[test]
fn a_sign_in_of_a_known_account_is_left_alone_where_ours_is_of_an_unknown_one() {
    let theirs = json!({"tokens": {"refresh_token": "rt", "account_id": "acct-bob"}}).to_string();
    assert_eq!(put(Some(&theirs), &offer(TOKEN, None)), Err(Refusal::UnknownAccount));
    let ours = edited(&put(None, &offer("at-old", Some("acct-ada"))).unwrap().edit);
    assert!(put(Some(&ours), &offer(TOKEN, None)).is_ok());
}

/// I5: who signed codex in by an API key does not lose that by our token.
#[test]
fn a_sign_in_by_other_means_is_left_alone() {
    for mode in ["apikey", "somethingNew"] {
        let theirs = json!({"auth_mode": mode, "OPENAI_API_KEY": "sk-1"}).to_string();
        assert_eq!(put(Some(&theirs), &offer(TOKEN, Some("acct-ada"))), Err(Refusal::AnotherKind), "{mode}");
    }
    let theirs = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": "sk-1"}).to_string();
    assert!(put(Some(&theirs), &offer(TOKEN, Some("acct-ada"))).is_ok());
}

/// Z2: an auth file of ours, which a mistaken path leads to, is no program's file.
#[test]
fn our_own_store_is_never_written() {
    for store in [
        json!({"version": 1, "store_id": "s"}),
        json!({"version": 1, "tenants": {}}),
        json!({"version": 1, "store_id": null, "tokens": {}}),
    ] {
        assert_eq!(put(Some(&store.to_string()), &offer(TOKEN, None)), Err(Refusal::OurStore), "{store}");
        assert_eq!(take_out(&store.to_string()), Err(Refusal::OurStore), "{store}");
    }
    assert!(put(Some("{\"version\": 1}"), &offer(TOKEN, None)).is_ok());
}

/// codex reads no file whose identity token is none, and takes one without a user for somebody else's after each refresh: one is
/// found, or made, whatever the sign-in has.
#[test]
fn there_is_always_an_identity_token_that_names_a_user() {
    let told = |offer: &Offer| {
        let text = edited(&put(None, offer).unwrap().edit);
        Secret::new(read(&text)["tokens"]["id_token"].as_str().unwrap())
    };
    let made = told(&offer(TOKEN, Some("acct-ada")));
    assert!(is_web_token(&made));
    let of_made = ["chatgpt_account_id", "chatgpt_user_id"].map(|name| claim(&made, name));
    assert_eq!(of_made, ["acct-ada", "acct-ada"].map(|name| Some(name.to_owned())));
    assert!(claim(&told(&offer(TOKEN, None)), "chatgpt_user_id").is_some());
    let web = offer(&web_token(&ada()), None);
    assert_eq!(told(&web), web.access_token);
    let nobodys =
        web_token(&json!({"sub": "ada", "https://api.openai.com/auth": {"chatgpt_account_id": "acct-ada"}}));
    let unsigned = web.access_token.expose().replace("c2ln", "");
    for odd in ["a.b.c", "e30.e30.", "e30.W10.x", "one", &nobodys, &unsigned] {
        let odd = Offer { id_token: Some(Secret::new(odd)), ..web.clone() };
        assert_eq!(told(&odd), web.access_token);
    }
    let older = json!({"https://api.openai.com/auth": {"user_id": "user-ada"}});
    let older = Offer { id_token: Some(Secret::new(web_token(&older))), ..web };
    assert_eq!(Some(told(&older)), older.id_token);
}

/// After a logout our token leaves, and nothing else does.
#[test]
fn only_what_we_wrote_is_taken_out() {
    let offer = offer(TOKEN, Some("acct-ada"));
    let ours = edited(&put(None, &offer).unwrap().edit);
    assert_eq!(edited(&take_out(&ours).unwrap()), "{}\n");
    let key = "{\"OPENAI_API_KEY\": \"sk-1\", \"x\": [ 1 ]}";
    let both = edited(&put(Some(key), &offer).unwrap().edit);
    assert_eq!(edited(&take_out(&both).unwrap()), "{\n  \"OPENAI_API_KEY\": \"sk-1\",\n  \"x\": [ 1 ]\n}\n");
    let theirs = [
        json!({"auth_mode": "chatgpt", "tokens": {"access_token": "at", "refresh_token": "rt", "kept_by": "latchkey"}}),
        json!({"auth_mode": "chatgpt", "tokens": {"access_token": "at", "refresh_token": ""}}),
        json!({"OPENAI_API_KEY": "sk-1"}),
    ];
    for file in theirs {
        assert_eq!(take_out(&file.to_string()), Ok(Edit::Keep), "{file}");
    }
}

/// F6: what is not codex's file is not written over.
#[test]
fn what_codex_would_not_write_is_left_alone() {
    for text in ["", " ", "[]", "null", "{", "\"x\"", "{} {}", "{\"a\":1,}"] {
        assert_eq!(put(Some(text), &offer(TOKEN, None)), Err(Refusal::NotAnObject), "{text}");
        assert_eq!(take_out(text), Err(Refusal::NotAnObject), "{text}");
    }
    for text in ["{\"tokens\": []}", "{\"tokens\": \"rt\"}", "{\"tokens\": 1}"] {
        assert_eq!(put(Some(text), &offer(TOKEN, None)), Err(Refusal::Member("tokens")), "{text}");
    }
}

proptest! {
    /// Z2: whatever stands there, what is not ours comes out as it went in, and no refresh token is left with our token.
    #[test]
    fn any_file_keeps_what_is_not_ours(beside in any_json(), within in any_json(), twice in any::<bool>()) {
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let (mut file, mut tokens): (Map<_, _>, Map<_, _>) = (object(&beside), object(&within));
        tokens.insert("refresh_token".to_owned(), Value::from("rt-theirs"));
        file.insert("tokens".to_owned(), Value::Object(tokens.clone()));
        // Of what else may stand there, another test tells.
        file.insert("auth_mode".to_owned(), Value::from("chatgpt"));
        let mut text = Value::Object(file.clone()).to_string();
        if twice {
            // A name that stands there twice must not carry the token through.
            text = text.replace("\"refresh_token\":\"rt-theirs\"", "\"refresh_token\":\"\",\"refresh_token\":\"rt-theirs\"");
        }
        let fed = put(Some(&text), &offer(TOKEN, None)).unwrap();
        prop_assert!(fed.held_refresh_token);
        let text = edited(&fed.edit);
        prop_assert!(!text.contains("rt-theirs"), "{}", text);
        let mut read = read(&text);
        let mut inner = read.as_object_mut().unwrap().remove("tokens").unwrap();
        for name in ["auth_mode", "last_refresh"] {
            file.remove(name);
            read.as_object_mut().unwrap().remove(name);
        }
        file.remove("tokens");
        prop_assert_eq!(read, Value::Object(file));
        for name in ["id_token", "access_token", "refresh_token", "account_id", "kept_by"] {
            tokens.remove(name);
            inner.as_object_mut().unwrap().remove(name);
        }
        prop_assert_eq!(inner, Value::Object(tokens));
    }

    /// F11: no bytes make it panic, and none are written over that are no object.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}|[\\[\\]{}\":,a-z0-9 ]{0,80}") {
        let is_object = serde_json::from_str::<Map<String, Value>>(text.trim_start_matches('\u{feff}')).is_ok();
        let fed = put(Some(&text), &offer(TOKEN, None));
        prop_assert!(is_object || fed.is_err(), "{}", text);
        drop(take_out(&text));
    }
}
