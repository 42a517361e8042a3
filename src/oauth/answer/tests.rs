//! Tests of what people paste.

use proptest::prelude::*;

use super::*;

const REDIRECT: &str = "http://localhost:1455/auth/callback";

fn parsed(text: &str, shape: PasteShape) -> Result<String, AnswerError> {
    let state = Secret::new("st-42");
    let expected = Expected {
        redirect_uri: REDIRECT,
        state: &state,
        issuer: Some("https://id.example"),
        iss_promised: false,
    };
    parse(text, shape, &expected).map(|code| code.expose().to_owned())
}

fn wrong() -> AnswerError {
    AnswerError::WrongAddress { expected: REDIRECT.to_owned() }
}

/// T3: what is forgiven.
#[test]
fn a_whole_answer_gives_its_code() {
    for text in [
        "http://localhost:1455/auth/callback?code=c/1&state=st-42",
        "  http://localhost:1455/auth/callback?code=c%2F1&state=st-42\n",
        "<http://localhost:1455/auth/callback?code=c%2F1&state=st-42>",
        "`http://localhost:1455/auth/callback?code=c%2F1&state=st-42`",
        "http://localhost:1455/auth/callb\n ack?code=c%2F1&st\r\nate=st-42",
        "localhost:1455/auth/callback?code=c%2F1&state=st-42",
        "//localhost:1455/auth/callback?code=c%2F1&state=st-42",
        "LOCALHOST:1455/auth/callback?code=c%2F1&state=st-42",
        "HTTP://Localhost:1455/auth/callback?state=st-42&scope=a+b&code=c%2F1#_=_",
        "http://localhost:1455/auth/callback?iss=https://id.example&code=c%2F1&state=st-42",
        "localhost:1455/auth/callback?iss=https%3A%2F%2Fid.example&code=c%2F1&state=st-42",
        "c/1#st-42",
        " c/1 #\n st-42 ",
    ] {
        for shape in [PasteShape::Url, PasteShape::CodeHashState, PasteShape::Code] {
            assert_eq!(parsed(text, shape), Ok("c/1".to_owned()), "{text}");
        }
    }
}

/// T3: an app's own scheme needs no host.
#[test]
fn a_redirect_uri_without_a_host_is_compared_too() {
    let state = Secret::new("s");
    let expected =
        Expected { redirect_uri: "com.example.app:/cb", state: &state, issuer: None, iss_promised: false };
    let parsed = |text: &str, shape| parse(text, shape, &expected).map(|code| code.expose().to_owned());
    assert_eq!(parsed("com.example.app:/cb?code=c&state=s", PasteShape::Url), Ok("c".to_owned()));
    assert_eq!(parsed("c#s", PasteShape::Url), Ok("c".to_owned()));
    assert_eq!(parsed("c", PasteShape::Url), Err(AnswerError::BareCode));
    assert!(matches!(
        parsed("com.example.app:/other?code=c&state=s", PasteShape::Url),
        Err(AnswerError::WrongAddress { .. })
    ));
}

/// T3: only where the descriptor says that there is nothing else.
#[test]
fn a_bare_code_is_refused_unless_the_page_shows_nothing_else() {
    for text in ["c0de", "4/0AeaYSHB", " c0\nde ", "c0de#"] {
        assert_eq!(parsed(text, PasteShape::Url), Err(AnswerError::BareCode), "{text}");
        assert_eq!(parsed(text, PasteShape::CodeHashState), Err(AnswerError::BareCode), "{text}");
    }
    assert_eq!(parsed("4/0AeaYSHB", PasteShape::Code), Ok("4/0AeaYSHB".to_owned()));
    assert_eq!(parsed("c0de#other", PasteShape::Code), Err(AnswerError::StateMismatch));
}

/// T3: scheme, host, port and path.
#[test]
fn another_address_is_refused() {
    for text in [
        "https://localhost:1455/auth/callback?code=c&state=st-42",
        "http://127.0.0.1:1455/auth/callback?code=c&state=st-42",
        "http://localhost:1456/auth/callback?code=c&state=st-42",
        "http://localhost/auth/callback?code=c&state=st-42",
        "http://localhost:1455/auth/callback/?code=c&state=st-42",
        "http://localhost:1455/auth/Callback?code=c&state=st-42",
        "http://localhost:1455/?code=c&state=st-42",
        "http://localhost:1455@evil.example/auth/callback?code=c&state=st-42",
        "http://me@localhost:1455/auth/callback?code=c&state=st-42",
        "localhost:14556/auth/callback?code=c&state=st-42",
        "https://id.example/authorize?client_id=x&state=st-42",
        "?code=c&state=st-42",
        "code=c&state=st-42",
        "http://",
    ] {
        assert_eq!(parsed(text, PasteShape::Url), Err(wrong()), "{text}");
    }
}

/// T2, T4, T6
#[test]
fn an_answer_that_is_not_this_logins_is_refused() {
    use AnswerError::{BothCodeAndError, Duplicate, Empty, Incomplete, IssuerMismatch, StateMismatch};
    let duplicate = |name: &str| Duplicate { name: name.to_owned() };
    for (query, expected) in [
        ("code=c&state=st-43", StateMismatch),
        ("code=c&state=ST-42", StateMismatch),
        ("code=c&state=st-42%00", StateMismatch),
        ("error=access_denied&state=other", StateMismatch),
        ("code=c", Incomplete),
        ("state=st-42", Incomplete),
        ("code=&state=st-42", Incomplete),
        ("code=a%20b&state=st-42", Incomplete),
        ("error=access_denied", Incomplete),
        ("code=c&code=c&state=st-42", duplicate("code")),
        ("code=c&state=st-42&state=st-42", duplicate("state")),
        ("code=c&state=st-42&x=1&x=2", duplicate("x")),
        ("code=c&error=e&state=st-42", BothCodeAndError),
        ("code=c&state=st-42&iss=https://evil.example", IssuerMismatch),
        ("code=c&state=st-42&iss=https://id.example/", IssuerMismatch),
        ("error=access_denied&state=st-42&iss=", IssuerMismatch),
    ] {
        assert_eq!(parsed(&format!("{REDIRECT}?{query}"), PasteShape::Url), Err(expected), "{query}");
    }
    assert_eq!(parsed("c#", PasteShape::CodeHashState), Err(AnswerError::BareCode));
    assert_eq!(parsed("#st-42", PasteShape::CodeHashState), Err(Incomplete));
    assert_eq!(parsed("c#st-42#x", PasteShape::CodeHashState), Err(StateMismatch));
    for empty in ["", " \n\t ", "<>", "\u{200b}"] {
        assert_eq!(parsed(empty, PasteShape::Code), Err(Empty), "{empty:?}");
    }
    assert_eq!(parsed(&"x".repeat(4_000), PasteShape::Code).map(|code| code.len()), Ok(4_000));
    assert_eq!(parsed(&"x".repeat(4_001), PasteShape::Code), Err(AnswerError::TooLong));
}

/// T10
#[test]
fn a_refusal_is_told_in_plain_words() {
    let text = |query: &str| match parsed(&format!("{REDIRECT}?state=st-42&{query}"), PasteShape::Url) {
        Err(AnswerError::Refused { code, text }) => (code, text),
        other => panic!("{other:?}"),
    };
    let pair = |code: &str, text: &str| (code.to_owned(), text.to_owned());
    assert_eq!(
        text("error=access_denied&error_description=@everyone"),
        pair("access_denied", "the sign-in was declined at the provider; start again if that was not meant")
    );
    assert_eq!(
        text("error=server_error"),
        pair("server_error", "the provider could not complete the sign-in; start again in a few minutes")
    );
    assert_eq!(
        text("error=odd%0Aone&error_description=%3C@1%3E%60x"),
        pair("odd one", "(@\u{200b}1)'x (odd one)")
    );
    // The state is in every authorization request.
    assert_eq!(
        text("error=x-st-42&error_description=no+st-42+st-42"),
        pair("x-(secret)", "no (secret) (secret) (x-(secret))")
    );
}

/// T4: without a known issuer there is nothing to compare.
#[test]
fn an_issuer_is_compared_where_one_is_known() {
    let state = Secret::new("s");
    let expected = Expected { redirect_uri: REDIRECT, state: &state, issuer: None, iss_promised: false };
    let text = format!("{REDIRECT}?code=c&state=s&iss=https://any.example");
    assert_eq!(parse(&text, PasteShape::Url, &expected), Ok(Secret::new("c")));
}

proptest! {
    /// T2: no text gives a code without the state, and none makes it panic.
    #[test]
    fn no_code_comes_out_without_the_state(text in ".{0,120}") {
        prop_assume!(!text.contains("st-42"));
        prop_assert!(parsed(&text, PasteShape::Url).is_err());
        prop_assert!(parsed(&text, PasteShape::CodeHashState).is_err());
        let _ = parsed(&text, PasteShape::Code);
    }

    /// T2, T3: the same near the right shape.
    #[test]
    fn nor_from_something_like_an_answer(
        text in "(http|https|HTTP)?(://)?(localhost|localhost:1455)?/auth/callback\\?(code|state|error|iss)=[a-z0-9%-]{0,8}(&(code|state)=[a-z0-9%#-]{0,8}){0,2}",
    ) {
        prop_assert!(parsed(&text, PasteShape::Url).is_err(), "{}", text);
    }

    /// Z1: what was pasted is not repeated.
    #[test]
    fn an_error_does_not_repeat_what_was_pasted(code in "[a-z0-9]{12,30}", state in "[a-z0-9]{12,30}") {
        for text in [
            code.clone(),
            format!("{code}#{state}"),
            format!("{REDIRECT}?code={code}&state={state}"),
            format!("https://elsewhere.example/{code}?code={code}&state={state}"),
        ] {
            let error = parsed(&text, PasteShape::Url).unwrap_err();
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&code) && !shown.contains(&state), "{}", shown);
        }
    }
}

/// T4, RFC 9207: on error answers too, and a promise is believed.
#[test]
fn an_answer_says_from_whom_it_comes_where_that_was_promised() {
    let state = Secret::new("st-42");
    let ours = Some("https://id.example");
    let mismatch = Err(AnswerError::IssuerMismatch);
    let refused = |answer: &str, issuer, iss_promised| {
        let expected = Expected { redirect_uri: REDIRECT, state: &state, issuer, iss_promised };
        parse(&format!("{REDIRECT}?state=st-42&{answer}"), PasteShape::Url, &expected)
    };
    let iss = "iss=https%3A%2F%2Fid.example";
    for answer in ["code=c", "error=access_denied", "error=server_error"] {
        let missing = Err(AnswerError::IssuerMissing);
        assert_eq!(refused(answer, ours, true), missing, "{answer}: missing, and promised");
        assert_ne!(refused(answer, ours, false), missing, "{answer}: missing, and not promised");
        assert_ne!(refused(&format!("{answer}&{iss}"), ours, true), mismatch, "{answer}");
        for other in ["iss=https%3A%2F%2Fid.example%2F", "iss=https%3A%2F%2Fevil.example", "iss="] {
            assert_eq!(refused(&format!("{answer}&{other}"), ours, false), mismatch, "{answer}&{other}");
        }
    }
    // A page that shows code and state has no place for it.
    let expected = Expected { redirect_uri: REDIRECT, state: &state, issuer: ours, iss_promised: true };
    assert!(parse("c#st-42", PasteShape::CodeHashState, &expected).is_ok());
    for shape in [PasteShape::Url, PasteShape::Code] {
        assert_eq!(parse("c#st-42", shape, &expected), Err(AnswerError::IssuerMissing), "{shape:?}");
        assert_eq!(parse("c#other", shape, &expected), Err(AnswerError::StateMismatch), "{shape:?}");
    }
}

/// T4, T6, T2: what a browser brings is judged as what is pasted, and the issuer's promise is held against it.
#[test]
fn a_query_is_judged_like_a_pasted_address() {
    let state = Secret::new("the-state");
    let expected = |iss_promised| Expected {
        redirect_uri: REDIRECT,
        state: &state,
        issuer: Some("https://id.example"),
        iss_promised,
    };
    let iss = "iss=https%3A%2F%2Fid.example";
    let duplicate = |name: &str| Err(AnswerError::Duplicate { name: name.to_owned() });
    for (query, promised, came) in [
        (format!("code=c&state=the-state&{iss}"), true, Ok(Secret::new("c"))),
        ("code=c&state=the-state".to_owned(), false, Ok(Secret::new("c"))),
        ("code=c&state=the-state".to_owned(), true, Err(AnswerError::IssuerMissing)),
        ("error=access_denied&state=the-state".to_owned(), true, Err(AnswerError::IssuerMissing)),
        (
            "code=c&state=the-state&iss=https://evil.example".to_owned(),
            false,
            Err(AnswerError::IssuerMismatch),
        ),
        ("error=x&state=the-state&iss=".to_owned(), true, Err(AnswerError::IssuerMismatch)),
        (format!("code=c&state=other&{iss}"), true, Err(AnswerError::StateMismatch)),
        (format!("code=c&{iss}"), true, Err(AnswerError::Incomplete)),
        (format!("state=the-state&{iss}"), true, Err(AnswerError::Incomplete)),
        (format!("code=c&error=e&state=the-state&{iss}"), true, Err(AnswerError::BothCodeAndError)),
        (format!("code=c&code=c&state=the-state&{iss}"), true, duplicate("code")),
        (format!("code=c&state=the-state&state=the-state&{iss}"), true, duplicate("state")),
        (format!("code=c&state=the-state&{iss}&{iss}"), true, duplicate("iss")),
    ] {
        assert_eq!(from_query(&query, &expected(promised)), came, "{query}");
    }
    for (query, claimed) in
        [("code=c&state=a%2Bb&state=x", Some("a+b")), ("state=", None), ("code=c", None), ("", None)]
    {
        assert_eq!(state_of(query), claimed.map(Secret::new), "{query}");
    }
}
