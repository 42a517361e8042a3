//! Where tokens come from, as operators see it: sources, providers, and obscured secrets.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::host::{Host, printed, said};

/// G25: status tells which source is in force, and what lies unused below it; no value is shown.
#[tokio::test(flavor = "multi_thread")]
async fn status_tells_which_source_is_in_force() {
    let host = Host::new();
    host.serving("acme").await;
    host.configure("api_key_env = \"TEST_KEY\"\ntoken_env = \"TEST_TOKEN\"");
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = host.latchkey(arguments).envs(variables.iter().copied()).output().unwrap();
        assert!(!said(&output).contains("sesame"), "{}", said(&output));
        output
    };
    let both = [("TEST_KEY", "sesame-key"), ("TEST_TOKEN", "sesame-token")];
    let first = |variables: &[(&str, &str)]| {
        let text = printed(&with(variables, &["status"]));
        assert!(!text.contains("sesame"), "{text}");
        text.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        first(&both),
        "acme: the API key in TEST_KEY is what is served: it stands above every sign-in; unused below it: the token in TEST_TOKEN, acme"
    );
    assert_eq!(
        first(&both[1..]),
        "acme: the token in TEST_TOKEN is what is served: it stands above every sign-in; unused below it: acme"
    );
    assert!(first(&[]).starts_with("TENANT"));
    let json: serde_json::Value =
        serde_json::from_str(&printed(&with(&both, &["status", "--json"]))).unwrap();
    assert_eq!(
        json["sources"],
        serde_json::json!([{
            "provider": "acme", "kind": "api_key", "variable": "TEST_KEY", "state": "set",
            "unused_variables": ["TEST_TOKEN"], "unused_sign_ins": ["acme"],
        }])
    );
    assert_eq!(
        (&json["tenants"][0]["source"], &json["tenants"][0]["health"]),
        (&"api_key".into(), &"environment".into())
    );
    let json: serde_json::Value = serde_json::from_str(&printed(&with(&[], &["status", "--json"]))).unwrap();
    assert_eq!(
        (&json["sources"], &json["tenants"][0]["source"]),
        (&serde_json::json!([]), &"sign_in".into())
    );
}

/// G25: a value that is no token is never handed out, and nothing below it stands in.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_key_is_told_and_falls_through_to_nothing() {
    let host = Host::new();
    host.serving("acme").await;
    host.configure("api_key_env = \"TEST_KEY\"\ntoken_env = \"TEST_TOKEN\"");
    let with = |arguments: &[&str]| {
        let variables = [("TEST_KEY", "two sesames"), ("TEST_TOKEN", "sesame-token")];
        let output = host.latchkey(arguments).envs(variables).output().unwrap();
        let all = printed(&output) + &said(&output);
        assert!(!all.contains("sesame"), "{all}");
        (output.status.code(), printed(&output), said(&output))
    };
    let (code, token, text) = with(&["token", "acme"]);
    assert_eq!((code, token.as_str()), (Some(2), ""));
    assert!(text.contains("the API key in TEST_KEY cannot be used"), "{text}");
    let (code, text, _) = with(&["check"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("PROBLEM  providers: acme: the API key in TEST_KEY cannot be used"), "{text}");
    assert_eq!(text.matches("TEST_KEY").count(), 1, "told once: {text}");
    let (_, text, _) = with(&["status"]);
    assert!(text.starts_with("acme: nothing is served: the API key in TEST_KEY"), "{text}");
    assert!(text.contains("acme    bad environment"), "{text}");
    // White space around it is no fault.
    let output = host.latchkey(&["token", "acme"]).env("TEST_KEY", " sesame\n").output().unwrap();
    assert_eq!(printed(&output), "sesame");
}

/// A client that is not whole is a problem with its remedy, told once; less so where the environment serves. What is fresh is
/// served all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_client_is_a_problem_with_its_remedy() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    host.configure("client_secret_env = \"TEST_SECRET\"\napi_key_env = \"TEST_KEY\"");
    let output = host.latchkey(&["check"]).output().unwrap();
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("PROBLEM  providers: acme: the client secret is missing"), "{text}");
    assert_eq!(text.matches("TEST_SECRET").count(), 1, "told once: {text}");
    assert!(text.contains("client_secret_obscured"), "with the remedy: {text}");
    assert_eq!(printed(&host.latchkey(&["token", "acme"]).output().unwrap()), tokens.access);
    let output = host.latchkey(&["check"]).env("TEST_KEY", "k").output().unwrap();
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("warning  providers: acme: the API key in TEST_KEY is served before any sign-in"),
        "{text}"
    );
}

/// T13: an issuer that is down bars only the ways to sign in that need it; `check` weighs it so.
#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_down_bars_only_the_ways_that_need_it() {
    const PAGE: &str = "authorization_endpoint";
    let host = Host::new();
    let whole = std::fs::read_to_string(&host.config).unwrap();
    host.authority.go_down();
    for (absent, code, told) in [
        (&[PAGE][..], 0, "warning  providers: acme: no sign-in by paste, since"),
        (&["device_authorization_endpoint"], 4, "PROBLEM  providers: acme: "),
        (&["token_endpoint"], 4, "PROBLEM  providers: acme: "),
        (&[PAGE, "client_id"], 4, "PROBLEM  providers: acme: "),
    ] {
        let stays = |line: &&str| absent.iter().all(|key| !line.starts_with(key));
        let text: Vec<_> = whole.lines().filter(stays).collect();
        std::fs::write(&host.config, text.join("\n")).unwrap();
        let output = host.latchkey(&["check"]).output().unwrap();
        let checked = printed(&output);
        assert_eq!(output.status.code(), Some(code), "{absent:?}: {checked}");
        assert!(checked.contains(told), "{absent:?}: {checked}");
        let is_open = checked.contains("ok       providers: acme: sign-in by device\n");
        assert_eq!(is_open, code == 0, "{absent:?}: {checked}");
    }
}

/// A token that nobody can sign in for is looked for in vain, and the way to that is told.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_sign_in_where_nobody_can() {
    let host = Host::new();
    host.serving("acme").await;
    host.configure("[providers.antigravity]");
    for (asked, told) in [
        (
            "antigravity",
            "no sign-in of antigravity serves here, and nobody can sign in to it: see `latchkey providers`",
        ),
        (
            "antigravity/work@80351110224678912",
            "antigravity/work@80351110224678912 has no sign-in, and nobody can sign in to it: see `latchkey providers`",
        ),
        ("acme/work", "acme/work has no sign-in: use `latchkey login acme/work`, or /auth login in Discord"),
        ("acme@42", "acme@42 has no sign-in: use /auth login in Discord"),
    ] {
        let output = host.latchkey(&["token", asked]).output().unwrap();
        assert_eq!((output.status.code(), printed(&output).as_str()), (Some(3), ""));
        assert!(said(&output).contains(told), "{asked}: {}", said(&output));
    }
}

/// The list of providers needs no store, and no configuration that can be used.
#[tokio::test(flavor = "multi_thread")]
async fn providers_are_listed_whatever_is_wrong() {
    let host = Host::new();
    let listed = |arguments: &[&str]| {
        let output = host.latchkey(arguments).output().unwrap();
        (output.status.code(), printed(&output), said(&output))
    };
    let (code, text, said) = listed(&["providers"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(text.contains("acme") && text.contains("codex") && text.contains("kiro"), "{text}");
    assert!(!host.auth.exists(), "nothing was made");
    assert_eq!(host.authority.requests().len(), 0);
    let json: serde_json::Value = serde_json::from_str(&listed(&["providers", "--json"]).1).unwrap();
    assert_eq!(
        (&json["providers"][0]["name"], &json["providers"][0]["state"]),
        (&"acme".into(), &"ready".into())
    );

    std::fs::write(&host.config, "[providers.kiro]\n").unwrap();
    let (code, text, said) = listed(&["providers"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("codex") && said.contains("Kiro is not supported"), "{text}{said}");
    std::fs::remove_file(&host.config).unwrap();
    let (code, text, _) = listed(&["providers"]);
    assert_eq!(code, Some(2), "one that is named must be there");
    assert!(text.contains("codex"), "{text}");
}

fn piped(host: &Host, arguments: &[&str], input: &str) -> Output {
    let mut child = host.latchkey(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// T14: there and back, by standard input alone, and called what it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_obscured_and_revealed() {
    let host = Host::new();
    std::fs::remove_file(&host.config).unwrap();
    let output = piped(&host, &["obscure"], " sesame of acme \n");
    let obscured = printed(&output);
    assert!(output.status.success() && said(&output).contains("it is no encryption"), "{}", said(&output));
    let back = piped(&host, &["obscure", "--reveal"], &format!("{obscured}\n"));
    assert_eq!((printed(&back).trim_end(), said(&back).as_str()), ("sesame of acme", ""));
    let rclones = piped(&host, &["obscure", "--reveal"], "BAnKqeU6SkBzaMPZc_uNywdyw7f29eCl3Lo1dbE");
    assert_eq!(printed(&rclones).trim_end(), "correct-horse");
    for (arguments, input) in [
        (&["obscure"][..], ""),
        (&["obscure"], "a\nb\n"),
        (&["obscure"], "sésame"),
        (&["obscure"], "  "),
        (&["obscure", "--reveal"], "sesame"),
        (&["obscure", "sesame"], ""),
    ] {
        let output = piped(&host, arguments, input);
        assert_eq!((output.status.code(), printed(&output).as_str()), (Some(2), ""), "{input:?}");
        assert!(input.is_empty() || !said(&output).contains("sesame"), "{}", said(&output));
    }
}
