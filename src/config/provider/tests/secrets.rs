//! Tests of client secrets, and of keys and tokens from the environment.

use crate::config::tests::{ACME, parse, parse_with, problems, provider};
use crate::provider::{ClientAuth, EnvSource, Flow, Provider};
use crate::secret::Secret;

/// T14, G25
#[test]
fn secrets_come_from_the_environment_and_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "from-file\n").unwrap();
    let text = format!(
        "{ACME}client_secret_file = {:?}\napi_key_env = \"KEY\"\ntoken_env = \"TOKEN\"",
        file.display()
    );
    let config = parse_with(&text, &[("KEY", "k"), ("TOKEN", "  ")]).unwrap();
    let acme = provider(&config, "acme");
    assert_eq!(acme.client_secret, Some(Secret::new("from-file")));
    assert_eq!(acme.client_auth, ClientAuth::Basic);
    let source = |variable: &str, value: &str| Some(EnvSource::new(variable.to_owned(), Some(value)));
    assert_eq!((&acme.api_key, &acme.env_token), (&source("KEY", "k"), &source("TOKEN", "")));
    assert!(!format!("{config:?}").contains("from-file"));
}

/// A missing secret must not keep a program from reading other providers' tokens.
#[test]
fn a_missing_client_secret_is_a_warning() {
    let config = parse(&format!("{ACME}client_secret_env = \"ACME_SECRET\""));
    let acme = provider(&config, "acme");
    assert_eq!(
        acme.client_missing.as_deref(),
        Some(
            "the client secret is missing: the environment variable ACME_SECRET is not set: provide it, or name another place as client_secret_env, client_secret_file or client_secret_obscured"
        )
    );
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "providers.acme.client_secret_env: the environment variable ACME_SECRET is not set; provide it, or name another place as client_secret_env, client_secret_file or client_secret_obscured; until then nobody can sign in here and no token is refreshed"
        ]
    );
}

/// C10, T5
#[test]
fn a_captured_client_keeps_its_secret_only_if_it_is_the_same() {
    let config = parse_with(&format!("{ACME}client_secret_env = \"S\""), &[("S", "secret")]).unwrap();
    let acme = provider(&config, "acme");
    let endpoint: url::Url = "https://old.example/token".parse().unwrap();
    let same = acme.at(endpoint.clone(), "latchkey".to_owned());
    let at_endpoint =
        Provider { token_endpoint: Some(endpoint.clone()), found: vec![endpoint.clone()], ..acme.clone() };
    assert_eq!((&*same, &same.token_endpoint), (&at_endpoint, &endpoint));
    let other = acme.at(endpoint.clone(), "older".to_owned());
    assert_eq!(
        *other,
        Provider {
            token_endpoint: Some(endpoint.clone()),
            found: vec![endpoint],
            client_id: Some("older".to_owned()),
            client_secret: None,
            client_auth: ClientAuth::None,
            ..acme.clone()
        }
    );
}

/// G25: what needs no sign-in works without anybody's terms.
#[test]
fn without_its_terms_accepted_claude_serves_the_environment_and_nobody_signs_in() {
    let config = parse_with("[providers.claude]", &[("CLAUDE_CODE_OAUTH_TOKEN", "sk-1")]).unwrap();
    let claude = provider(&config, "claude");
    assert_eq!(
        (claude.flows.as_slice(), claude.awaiting_terms.as_slice()),
        ([].as_slice(), [Flow::Paste].as_slice())
    );
    let source = claude.env_token.as_ref().unwrap();
    assert_eq!(
        (source.variable.as_str(), source.secret()),
        ("CLAUDE_CODE_OAUTH_TOKEN", Some(&Secret::new("sk-1")))
    );
    assert!(!claude.is_open());
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("providers.claude.accept_terms_risk: nobody can sign in: Anthropic's terms")
            && warnings[0].contains("limited for it; set accept_terms_risk = true"),
        "{warnings:?}"
    );
}

/// T14: obscured text is one of three ways to the secret, and the operator's own beats a built-in's.
#[test]
fn a_client_secret_may_stand_obscured() {
    // rclone's, of "correct-horse".
    const OBSCURED: &str = "client_secret_obscured = \"BAnKqeU6SkBzaMPZc_uNywdyw7f29eCl3Lo1dbE\"";
    let config = parse(&format!("{ACME}{OBSCURED}"));
    let acme = provider(&config, "acme");
    assert_eq!((&acme.client_secret, &acme.client_missing), (&Some(Secret::new("correct-horse")), &None));
    assert_eq!(acme.client_auth, ClientAuth::Basic);
    let env = [("LATCHKEY_GEMINI_CLIENT_SECRET", "by-environment")];
    let gemini = parse_with(&format!("[providers.gemini]\n{OBSCURED}"), &env).unwrap();
    assert_eq!(provider(&gemini, "gemini").client_secret, Some(Secret::new("correct-horse")));
    let gemini = parse_with("[providers.gemini]", &env).unwrap();
    assert_eq!(provider(&gemini, "gemini").client_secret, Some(Secret::new("by-environment")));
    for (lines, expected) in [
        (
            format!("{OBSCURED}\nclient_secret_env = \"A\""),
            "client_secret_obscured: client_secret_env is there too; keep one of them",
        ),
        (
            format!("{OBSCURED}\nclient_secret_file = \"a\""),
            "client_secret_obscured: client_secret_file is there too; keep one of them",
        ),
        ("client_secret_obscured = 1".to_owned(), "client_secret_obscured: is not a quoted text"),
        (
            "client_secret_obscured = \"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E\"".to_owned(),
            "client_secret_obscured: it reveals no readable text",
        ),
        (
            "client_secret_obscured = \"OJf8QxY2d82IFxr7Gi3zMA\"".to_owned(),
            "client_secret_obscured: it hides an empty text",
        ),
        (
            "client_secret_obscured = \"1KmjNcoNOmzGMaKrsQB9oISJCvp07cnh-Q\"".to_owned(),
            "client_secret_obscured: a client secret has only visible ASCII characters",
        ),
    ] {
        let shown = problems(&format!("{ACME}{lines}"));
        assert!(shown.contains(expected), "{lines}: {shown}");
        assert!(!shown.contains("GOCSPX") && !shown.contains("BAnK"), "{shown}");
    }
}

/// G25: what an operator named and cannot be used is told, without what it holds.
#[test]
fn a_named_variable_without_a_usable_value_is_told() {
    let named = format!("{ACME}api_key_env = \"KEY\"\ntoken_env = \"TOKEN\"");
    let config = parse_with(&named, &[("KEY", " two words ")]).unwrap();
    let acme = provider(&config, "acme");
    assert_eq!(
        [&acme.api_key, &acme.env_token].map(|source| source.as_ref().unwrap().state()),
        ["malformed", "unset"]
    );
    let told: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("providers.acme.api_key_env: what KEY holds has white space inside"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("providers.acme.token_env: the environment variable TOKEN is not set"),
        "{told:?}"
    );
    assert!(!told.concat().contains("two words"));
    // A built-in's variable need not be set.
    assert_eq!(parse("[providers.claude]\naccept_terms_risk = true").warnings, []);
}

/// G25: whoever only hands on a key names nothing else.
#[test]
fn a_key_alone_makes_a_provider() {
    let config = parse_with("[providers.house]\napi_key_env = \"KEY\"", &[("KEY", "k")]).unwrap();
    let house = provider(&config, "house");
    assert_eq!((house.token_endpoint.as_ref(), house.flows.len(), house.is_open()), (None, 0, false));
    assert_eq!((config.warnings.len(), house.client_missing.as_ref(), house.registers()), (0, None, false));
    let shown = problems("[providers.house]\napi_key_env = \"KEY\"\nflows = [\"device\"]");
    assert!(shown.contains("\"device\" needs device_authorization_endpoint"), "{shown}");
}
