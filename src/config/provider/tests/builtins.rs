//! Tests of the built-ins' tables, and of what an operator's table puts over them.

use crate::config::tests::{parse, parse_with, problems, provider};
use crate::provider::{
    AccountClaims, BUILTINS, BodyFormat, ClientAuth, DeviceProtocol, Flow, IdentitySource, PasteShape,
    RefreshProtocol, Reuse, Share,
};

/// The facts of VENDORS, and that a table is needed to offer it.
#[test]
fn codex_is_built_in() {
    assert!(parse("").providers.find("codex").is_none());
    let config = parse("[providers.codex]");
    let codex = provider(&config, "codex");
    assert_eq!(codex.client_id.as_deref(), Some("app_EMoamEEZ73f0CkXaXp7hrann"));
    assert_eq!(codex.flows, [Flow::Device, Flow::Paste]);
    assert_eq!(codex.scopes, ["openid", "profile", "email", "offline_access"]);
    assert_eq!(codex.client_auth, ClientAuth::None);
    assert_eq!(
        codex.account_claims,
        AccountClaims {
            id: vec!["https://api.openai.com/auth".to_owned(), "chatgpt_account_id".to_owned()],
            email: vec!["email".to_owned()]
        }
    );
    let DeviceProtocol::UserCode(protocol) = &codex.device else { panic!("{:?}", codex.device) };
    assert_eq!(protocol.pending_statuses, [403, 404]);
    assert!(codex.device_notice.is_some() && codex.authorize_params.len() == 2);
}

#[test]
fn every_built_in_is_valid_and_called_what_it_is() {
    for builtin in BUILTINS {
        let (name, more) = match builtin.name {
            "mcp" => ("mcp:x", "url = \"https://mcp.example/v1\""),
            "oidc" => ("oidc", "issuer = \"https://id.example\""),
            name => (name, ""),
        };
        let table = format!("[providers.{name:?}]\naccept_terms_risk = true\nclient_id = \"ours\"\n{more}");
        let secret = format!("LATCHKEY_{}_CLIENT_SECRET", name.to_ascii_uppercase());
        let config = parse_with(&table, &[(secret.as_str(), "s")]).unwrap();
        assert_eq!(provider(&config, name).name.as_str(), name);
        assert_eq!(config.warnings, []);
    }
}

/// VENDORS: whatever stands in a built-in's file, the operator's value of that key is read in its place; a key that is nearly
/// one of these is told with it.
#[test]
fn every_key_of_every_built_in_can_be_overridden() {
    const WORDS: &[(&str, &str)] = &[
        ("paste", "code"),
        ("paste", "url"),
        ("revocation", "token"),
        ("reuse", "lenient"),
        ("reuse", "strict"),
        ("client_auth", "basic"),
        ("token_body", "form"),
        ("identity", "reply"),
        ("identity", "id_token"),
    ];
    for known in BUILTINS {
        let header = format!(
            "[providers.{}]\n{}\naccept_terms_risk = true\nclient_id = \"c\"\n",
            known.table, known.needs
        );
        let header = |key: &str| {
            let lines = header.lines().filter(|line| !line.starts_with(&format!("{key} = ")));
            lines.flat_map(|line| [line, "\n"]).collect::<String>()
        };
        let usual = parse(&header("")).providers.iter().next().unwrap().clone();
        let table: toml::Table = known.text.parse().unwrap();
        for (key, value) in &table {
            let values: Vec<toml::Value> = match value {
                toml::Value::Boolean(flag) => vec![(!flag).into()],
                toml::Value::Array(_) => vec![vec!["other"].into()],
                toml::Value::Table(inner) => {
                    let other = inner.keys().map(|inner| (inner.clone(), "https://other.example/x".into()));
                    vec![toml::Value::Table(other.collect())]
                }
                _ if WORDS.iter().any(|(word, _)| word == key) => {
                    WORDS.iter().filter(|(word, _)| word == key).map(|(_, value)| (*value).into()).collect()
                }
                _ => vec!["https://other.example/x".into()],
            };
            let is_read = values.iter().any(|value| {
                let text = format!("{}{key} = {value}\n", header(key));
                match parse_with(&text, &[("https://other.example/x", "s")]) {
                    Ok(config) => config.providers.iter().next() != Some(&usual),
                    // Also where that value is none that the key takes.
                    Err(error) => {
                        error.to_string().contains(&format!(".{key}"))
                            && !error.to_string().contains("unknown key")
                    }
                }
            });
            assert!(is_read, "{}: {key} = {values:?}", known.name);
            let shown = problems(&format!("{}{key}x = 1\n", header("")));
            assert!(shown.contains(&format!("did you mean `{key}`?")), "{}: {shown}", known.name);
        }
    }
}

/// VENDORS: every value can be overridden, the client id by environment too.
#[test]
fn a_built_in_can_be_overridden() {
    let text = r#"
[providers.codex]
title = "Codex here"
client_id = "mine"
flows = ["paste"]
authorize_params = { prompt = "login" }
device = { poll_endpoint = "http://127.0.0.1:9/poll" }
share = "guild"
"#;
    let config = parse(text);
    let codex = provider(&config, "codex");
    let DeviceProtocol::UserCode(protocol) = &codex.device else { panic!("{:?}", codex.device) };
    assert_eq!(protocol.poll_endpoint.as_str(), "http://127.0.0.1:9/poll");
    assert_eq!(protocol.verification_uri.as_str(), "https://auth.openai.com/codex/device");
    assert_eq!(codex.authorize_params, [("prompt".to_owned(), "login".to_owned())]);
    assert_eq!(codex.flows, [Flow::Paste]);
    assert_eq!((codex.title.as_str(), codex.client_id.as_deref()), ("Codex here", Some("mine")));
    assert_eq!((codex.share, codex.reuse), (Share::Guild, Reuse::Strict));
    let config = parse_with(text, &[("LATCHKEY_CODEX_CLIENT_ID", "by-environment")]);
    assert_eq!(provider(&config.unwrap(), "codex").client_id.as_deref(), Some("by-environment"));
    let plain = parse("[providers.codex]\ndevice = { protocol = \"rfc8628\" }");
    assert_eq!(provider(&plain, "codex").device, DeviceProtocol::Rfc8628 { pkce: false });
}

/// VENDORS: what is Claude's alone, as data.
#[test]
fn claude_is_built_in_and_signs_in_where_its_terms_are_accepted() {
    let accepted = parse("[providers.claude]\naccept_terms_risk = true");
    assert_eq!(accepted.warnings, []);
    let claude = accepted.providers.find("anthropic").unwrap();
    assert_eq!(claude.client_id.as_deref(), Some("9d1c250a-e61b-44d9-88ed-5944d1962f5e"));
    assert_eq!(
        claude.token_endpoint.as_ref().unwrap().as_str(),
        "https://platform.claude.com/v1/oauth/token"
    );
    assert_eq!(claude.redirect_uri.as_deref(), Some("https://platform.claude.com/oauth/code/callback"));
    assert_eq!(
        (claude.flows.as_slice(), claude.paste),
        ([Flow::Paste].as_slice(), PasteShape::CodeHashState)
    );
    assert_eq!(claude.scopes.len(), 6);
    assert_eq!(claude.authorize_params, [("code".to_owned(), "true".to_owned())]);
    assert_eq!(
        (claude.token_body, claude.exchange_sends_state, claude.refresh_sends_scope),
        (BodyFormat::Json, true, false)
    );
    let risk = claude.terms_risk.as_ref().unwrap();
    assert!(risk.for_reader("en-GB").contains("restrict") && risk.for_reader("de").contains("Bedingungen"));
}

/// VENDORS, RFC 8252 section 7.3: where each is answered on this host.
#[test]
fn where_a_terminal_is_answered() {
    let text = "[providers.claude]\n[providers.gemini]\n[providers.antigravity]\n[providers.codex]\n[providers.grok]\n\
                [providers.oidc]\nissuer = \"https://id.example\"\n[providers.copilot]\n";
    let config = parse(text);
    for (name, expected) in [
        ("claude", Some("http://localhost:53692/callback")),
        ("gemini", Some("http://127.0.0.1:0/oauth2callback")),
        ("antigravity", Some("http://localhost:51121/oauth-callback")),
        ("codex", Some("http://localhost:1455/auth/callback")),
        ("grok", Some("http://127.0.0.1:56121/callback")),
        ("oidc", Some("http://127.0.0.1:8765/callback")),
        ("copilot", None),
    ] {
        assert_eq!(provider(&config, name).loopback(), expected, "{name}");
    }
}

/// VENDORS: the operator's own app.
#[test]
fn github_wants_the_operators_client() {
    let without = parse("[providers.github]");
    let missing = provider(&without, "github").client_missing.as_deref();
    assert!(missing.is_some_and(|what| what.contains("LATCHKEY_GITHUB_CLIENT_ID")), "{missing:?}");
    assert_eq!(without.warnings.len(), 1);
    let config = parse_with("[providers.gh]\nclient_id = \"x\"", &[]);
    assert!(config.is_err(), "an alias is no table");
    let github = parse("[providers.github]\nclient_id = \"Iv1.ours\"\nscopes = [\"repo\"]");
    let github = provider(&github, "github");
    assert_eq!((github.flows.as_slice(), github.client_auth), ([Flow::Device].as_slice(), ClientAuth::None));
    assert_eq!((github.discovers, github.may_revoke()), (false, false));
    let text = "[providers.github]\nclient_id = \"c\"\nclient_secret_env = \"S\"\nflows = [\"device\", \"callback\"]";
    let config = parse_with(text, &[("S", "secret")]).unwrap();
    assert_eq!(provider(&config, "github").client_auth, ClientAuth::Post);
}

/// VENDORS: how the built-ins tell whose a sign-in is, and what two of them do in place of, or at, a refresh.
#[test]
fn the_built_ins_say_who_tells_whose_a_sign_in_is() {
    let config = parse_with(
        "[providers.claude]\naccept_terms_risk = true\n[providers.codex]\n[providers.gemini]\n[providers.antigravity]\n\
         accept_terms_risk = true\n[providers.copilot]\n[providers.github]\nclient_id = \"ours\"",
        &[("LATCHKEY_GEMINI_CLIENT_SECRET", "s"), ("LATCHKEY_ANTIGRAVITY_CLIENT_SECRET", "s")],
    )
    .unwrap();
    for (name, source, id, email) in [
        ("claude", IdentitySource::Reply, "account.uuid", "account.email_address"),
        ("codex", IdentitySource::IdToken, "https://api.openai.com/auth.chatgpt_account_id", "email"),
        ("gemini", IdentitySource::Userinfo, "id", "email"),
        ("antigravity", IdentitySource::Userinfo, "id", "email"),
        ("copilot", IdentitySource::Userinfo, "id", "email"),
        ("github", IdentitySource::Userinfo, "id", "email"),
    ] {
        let provider = provider(&config, name);
        let claims = &provider.account_claims;
        assert_eq!(
            (provider.identity, claims.id.join("."), claims.email.join(".")),
            (source, id.to_owned(), email.to_owned()),
            "{name}"
        );
    }
    let gemini = provider(&config, "gemini");
    assert_eq!((gemini.paste, gemini.client_auth), (PasteShape::Code, ClientAuth::Post));
    let offline =
        [("access_type", "offline"), ("prompt", "consent")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(gemini.authorize_params, offline);
    let copilot = provider(&config, "copilot");
    let RefreshProtocol::Exchange(by) = &copilot.refresh else { panic!("{:?}", copilot.refresh) };
    assert_eq!(
        (by.endpoint.as_str(), by.scheme.as_str()),
        ("https://api.github.com/copilot_internal/v2/token", "token")
    );
    assert_eq!(
        (copilot.keep.as_slice(), copilot.may_revoke()),
        (["endpoints.api".to_owned()].as_slice(), false)
    );
}

/// Z1, T7: where the operator puts the token endpoint elsewhere, what it issues goes to no built-in endpoint.
#[test]
fn an_own_token_endpoint_leaves_no_secret_to_the_built_in_host() {
    let token = "token_endpoint = \"https://git.example/token\"\n";
    let told = |config: &crate::config::Config| -> Vec<String> {
        config.warnings.iter().map(|warning| format!("{}: {}", warning.key, warning.remedy)).collect()
    };
    let github = |more: &str| parse(&format!("[providers.github]\nclient_id = \"ours\"\n{more}"));
    let config = github("");
    let found = provider(&config, "github");
    assert_eq!((found.identity, found.userinfo_endpoint.is_some()), (IdentitySource::Userinfo, true));
    // The same host by another path, or another host with an endpoint of its own, is as it was.
    for (more, userinfo) in [
        ("token_endpoint = \"https://github.com/other\"\n".to_owned(), "https://api.github.com/user"),
        (format!("{token}userinfo_endpoint = \"https://git.example/user\"\n"), "https://git.example/user"),
    ] {
        let config = github(&more);
        let found = provider(&config, "github");
        assert_eq!(found.userinfo_endpoint.as_ref().map(url::Url::as_str), Some(userinfo));
        assert_eq!((found.identity, config.warnings.len()), (IdentitySource::Userinfo, 0));
    }
    let config = github(token);
    let found = provider(&config, "github");
    assert_eq!((found.identity, &found.userinfo_endpoint), (IdentitySource::IdToken, &None));
    assert_eq!(
        told(&config),
        ["providers.github.userinfo_endpoint: write it too, or identity = \"id_token\""]
    );
    let config = github(&format!("{token}identity = \"id_token\"\n"));
    assert_eq!(told(&config), [] as [&str; 0]);
    let shown = problems(&format!("[providers.github]\nclient_id = \"c\"\n{token}identity = \"userinfo\"\n"));
    assert!(shown.contains("\"userinfo\" needs userinfo_endpoint"), "{shown}");

    let secret = [("LATCHKEY_GEMINI_CLIENT_SECRET", "s")];
    let config = parse_with(&format!("[providers.gemini]\n{token}"), &secret).unwrap();
    let found = provider(&config, "gemini");
    assert_eq!((&found.revocation_endpoint, &found.userinfo_endpoint), (&None, &None));
    assert_eq!(told(&config).len(), 2);
    let own = "revocation = \"none\"\nuserinfo_endpoint = \"https://git.example/user\"\n";
    let config = parse_with(&format!("[providers.gemini]\n{token}{own}"), &secret).unwrap();
    assert_eq!(told(&config), [] as [&str; 0]);

    let text = format!("[providers.copilot]\n{token}");
    let shown = problems(&text);
    assert!(shown.contains("write refresh.endpoint too"), "{shown}");
    parse(&format!("{text}[providers.copilot.refresh]\nendpoint = \"https://git.example/x\"\n"));
    // What is not spoken needs no address.
    parse(&format!("{text}[providers.copilot.refresh]\nprotocol = \"refresh_token\"\n"));
    // Whoever puts only the token endpoint behind a proxy keeps the sign-in where it is: it is shown no token.
    parse(&format!("[providers.codex]\n{token}"));
    let mainland = "token_endpoint = \"https://account.minimaxi.com/oauth2/token\"\n\
                    device_authorization_endpoint = \"https://account.minimaxi.com/oauth2/device/code\"\n";
    assert_eq!(told(&parse(&format!("[providers.minimax]\n{mainland}"))), [] as [&str; 0]);
}

/// T7, T14: a request by token has its own headers, and can be sent.
#[test]
fn headers_of_an_exchange_are_such_as_can_be_sent() {
    for (line, expected) in [
        ("scheme = \"two words\"", ".scheme: is not one word"),
        ("scheme = \"a:b\"", ".scheme: is not one word"),
        ("headers = { \"odd name\" = \"x\" }", "is no header's name"),
        ("headers = { \"\" = \"x\" }", "is no header's name"),
        ("headers = { \"X-A\" = \"ä\" }", "the value of X-A cannot be sent"),
        ("headers = { \"X-A\" = \"a\\nb\" }", "the value of X-A cannot be sent"),
        ("headers = { \"HOST\" = \"x\" }", "the request has its own HOST"),
        ("headers = { \"authorization\" = \"x\" }", "the request has its own authorization"),
        ("headers = { \"Content-Length\" = \"1\" }", "has its own Content-Length"),
        ("headers = { \"Transfer-Encoding\" = \"x\" }", "has its own Transfer-Encoding"),
        ("headers = { \"Connection\" = \"x\" }", "has its own Connection"),
        ("headers = { \"Cookie\" = \"x\" }", "has its own Cookie"),
    ] {
        let shown = problems(&format!("[providers.copilot.refresh]\n{line}\n"));
        assert!(shown.contains(expected), "{line}: {shown}");
    }
    parse(
        "[providers.copilot.refresh]\nscheme = \"Bearer\"\nheaders = { \"X-A\" = \"visible, with spaces\" }\n",
    );
}
