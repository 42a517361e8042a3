//! Tests of `latchkey providers`, with made-up configurations and environments.

use super::*;

const OWN: &str = r#"
[providers.acme]
title = "Acme"
token_endpoint = "https://id.acme.example/token"
device_authorization_endpoint = "https://id.acme.example/device"
authorization_endpoint = "https://id.acme.example/authorize"
client_id = "latchkey"
flows = ["device", "callback"]
api_key_env = "ACME_KEY"
token_env = "ACME_TOKEN"
share = "guild"

[providers.claude]

[providers.gemini]

[providers."mcp:notes"]
url = "https://notes.example/mcp"

[providers.mimocode]
api_key_env = "MIMO_KEY"
"#;

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("latchkey.toml"), &environment)
}

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "ACME_TOKEN" => "sesame of acme",
        "CLAUDE_CODE_OAUTH_TOKEN" => "sesame-of-claude",
        _ => return None,
    };
    Some(value.to_owned())
}

fn of(text: &str) -> Shown {
    shown(Some(Path::new("latchkey.toml")), &read(text), &environment)
}

/// VENDORS, G25: everything that is built in or configured, with what it lacks and the lines to write.
#[test]
fn the_list_says_what_each_provider_is_and_needs() {
    let shown = of(OWN);
    insta::assert_snapshot!("text", text(&shown));
    let json = serde_json::to_string_pretty(&shown).unwrap();
    assert!(!text(&shown).contains("sesame") && !json.contains("sesame"));
    let fields = serde_json::to_value(&shown).unwrap();
    let some = serde_json::json!({
        "top": fields.as_object().unwrap().keys().collect::<Vec<_>>(),
        "acme": fields["providers"][0],
        "github": fields["providers"].as_array().unwrap().iter().find(|row| row["name"] == "github"),
        "unsupported": fields["unsupported"][0],
    });
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&some).unwrap());
}

/// A page of ours opens what needs one, and accepting the terms what waits for that.
#[test]
fn what_is_missing_goes_once_it_is_there() {
    let row = |text: &str, name: &str| of(text).providers.into_iter().find(|row| row.name == name).unwrap();
    let page = "[http]\npublic_url = \"https://login.example.org\"\n";
    let acme = row(OWN, "acme");
    assert_eq!((acme.state, acme.sign_in, acme.closed.len()), ("not_ready", vec!["device"], 1));
    let acme = row(&format!("{page}{OWN}"), "acme");
    assert_eq!((acme.sign_in, acme.closed.len()), (vec!["device", "callback"], 0));
    let claude = row(OWN, "claude");
    assert_eq!((claude.state, claude.sign_in.len(), claude.terms_accepted), ("key_only", 0, false));
    let claude = row("[providers.claude]\naccept_terms_risk = true", "claude");
    assert_eq!((claude.state, claude.sign_in, claude.terms_accepted), ("ready", vec!["paste"], true));
    assert_eq!(claude.missing, [""; 0]);
    let gemini = row(OWN, "gemini");
    assert_eq!((gemini.state, gemini.sign_in.len(), gemini.missing.len()), ("not_ready", 0, 1));
    // Also of what is not configured.
    assert_eq!((row("", "mcp").closed.len(), row("", "mcp").missing.len()), (1, 0));
    assert_eq!(row("", "mcp").title, "an MCP server");
    assert_eq!(row(page, "mcp").closed.len(), 0);
}

/// What was wrong is said beside the built-ins, which are there whatever the file says.
#[test]
fn built_ins_are_listed_without_a_configuration_and_with_a_broken_one() {
    let absent = shown(None, &Err(ConfigError::NotFound { looked: vec!["latchkey.toml".into()] }), &|_| None);
    let broken = of("[providers.codex]\nclientid = \"x\"");
    for shown in [&absent, &broken] {
        assert_eq!(shown.providers.len(), BUILTINS.len());
        assert!(shown.providers.iter().all(|row| row.state == "not_configured" && !row.write.is_empty()));
        assert!(shown.error.is_some());
    }
    assert!(text(&absent).starts_with("There is no configuration yet"));
    assert!(text(&broken).starts_with("latchkey.toml cannot be used"));
    assert!(broken.error.unwrap().contains("did you mean `client_id`?"));
}

/// The lines that are printed do what they promise.
#[test]
fn what_is_to_be_written_is_a_configuration() {
    for row in of("").providers {
        let config = read(&row.write.join("\n")).unwrap();
        assert_eq!(config.providers.len(), 1, "{}", row.name);
        let provider = config.providers.iter().next().unwrap();
        assert!(provider.is_open() || provider.client_missing.is_some(), "{}", row.name);
        assert_eq!(provider.awaiting_terms, [], "{}", row.name);
    }
}
