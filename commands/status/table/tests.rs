//! What the table shows.

use latchkey::broker::Overview;

use super::*;

const NOW: UnixSeconds = 1_800_000_000;

fn tenant(name: &str, health: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut tenant = serde_json::json!({"tenant": name, "source": "sign_in", "health": health,
        "account": "ann@example.org", "owner": "80351110224678912", "expires_at": NOW + 3_200,
        "obtained_at": NOW - 400, "retry_at": null, "last_error": null, "generation": 3});
    for (key, value) in more.as_object().unwrap() {
        tenant[key] = value.clone();
    }
    tenant
}

/// Everything that a tenant can be, and all the rest that there is.
fn everything() -> Overview {
    let ended = NOW - 7_200;
    let failing = serde_json::json!({"expires_at": ended, "retry_at": NOW + 130, "last_error": "HTTP 503 from the provider"});
    let with = |key: &str| {
        let mut failing = failing.clone();
        failing[key] = true.into();
        failing
    };
    let tenants = [
        tenant("acme", "fresh", &serde_json::json!({})),
        tenant("acme/work", "fresh", &serde_json::json!({"retry_at": NOW + 40, "last_error": "no answer"})),
        tenant("claude@80351110224678912", "stale", &serde_json::json!({"expires_at": ended})),
        tenant(
            "codex",
            "needs_login",
            &serde_json::json!({"expires_at": ended, "last_error": "invalid_grant", "owner": "local:1000"}),
        ),
        tenant(
            "codex@42",
            "needs_login",
            &serde_json::json!({"expires_at": ended, "account": null, "owner": "42"}),
        ),
        tenant("gemini", "backing_off", &failing),
        tenant("gemini/a", "backing_off", &with("no_access")),
        tenant("gemini/b", "backing_off", &with("operators_error")),
        tenant("github", "uncertain", &serde_json::json!({"retry_at": NOW + 600})),
        tenant("github@7", "suspended", &serde_json::json!({})),
        tenant(
            "key",
            "environment",
            &serde_json::json!({"account": null, "owner": null, "expires_at": null}),
        ),
        tenant("key2", "bad_environment", &serde_json::json!({})),
        tenant("old", "not_configured", &serde_json::json!({})),
        tenant("oidc", "misconfigured", &serde_json::json!({})),
        tenant("tomorrow", "half_awake", &serde_json::json!({"last_error": "\u{1b}[31mred\u{202e}"})),
    ];
    serde_json::from_value(serde_json::json!({
        "sources": [{"provider": "key", "kind": "api_key", "variable": "KEY", "state": "set",
            "unused_variables": ["KEY_TOKEN"], "unused_sign_ins": ["key"]}],
        "tenants": tenants,
        "logins": [{"tenant": "codex", "user": "42", "status": "pending", "expires_at": NOW + 700},
            {"tenant": "acme", "user": "local:0", "status": "confirming", "expires_at": NOW + 80_000}],
        "damaged": ["tenants.broken: no access_token"],
        "revocations": [{"tenant": "acme", "owed_at": NOW - 60, "retry_at": NOW + 300, "ends_at": NOW + 80_000}],
    }))
    .unwrap()
}

/// U6, G27: every state in words, with the next step for what needs one; nothing is cut away from a terminal.
#[test]
fn everything_is_told_with_its_next_step() {
    insta::assert_snapshot!(table(&everything(), NOW, &Look::default()));
}

/// The same on a terminal of 80 columns: no line is wider.
#[test]
fn no_line_is_wider_than_the_terminal() {
    insta::assert_snapshot!(table(&everything(), NOW, &Look { width: Some(80), ..Look::default() }));
    for width in 1..=140 {
        for coloured in [false, true] {
            let look = Look { width: Some(width), coloured, quiet: false };
            let text = table(&everything(), NOW, &look);
            let widest = text.lines().map(|line| columns(&bare(line))).max().unwrap();
            assert!(widest <= width, "{widest} in {width}:\n{text}");
        }
    }
}

/// no-color.org: colours are put in place, and change nothing else.
#[test]
fn colours_change_nothing_but_the_colour() {
    for width in [None, Some(20), Some(60), Some(100)] {
        let plain = table(&everything(), NOW, &Look { width, ..Look::default() });
        let coloured = table(&everything(), NOW, &Look { width, coloured: true, quiet: false });
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        assert_eq!(bare(&coloured), plain, "{width:?}");
    }
    let coloured = table(&everything(), NOW, &Look { coloured: true, ..Look::default() });
    assert!(
        coloured.contains("\u{1b}[32mworks\u{1b}[0m")
            && coloured.contains("\u{1b}[31mneeds sign-in\u{1b}[0m")
    );
}

/// `--quiet`: data alone.
#[test]
fn quiet_leaves_out_the_headings() {
    let quiet = table(&everything(), NOW, &Look { quiet: true, ..Look::default() });
    assert!(!quiet.contains("TENANT") && quiet.contains("codex@42"), "{quiet}");
}

/// `text` without its colours.
fn bare(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// UAX #11: what is wide in East Asian type takes two columns.
#[test]
fn wide_characters_take_two_columns() {
    assert_eq!((columns("aé漢字"), cut("漢字漢字", 5)), (6, "漢字…".to_owned()));
    assert_eq!(
        (cut("abc", 3), cut("abcd", 3), cut("abcd", 0)),
        ("abc".to_owned(), "ab…".to_owned(), String::new())
    );
}
