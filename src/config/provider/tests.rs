//! Tests of providers' tables.

use super::*;
use crate::config::tests::{ACME, parse, parse_with, problems, provider};
use crate::provider::BUILTINS;
use crate::provider::{
    AccountClaims, ClientAuth, DeviceProtocol, EmptyRefusal, IdentitySource, RefreshProtocol,
};

mod secrets;

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

    for (name, table, key) in [("copilot", "refresh", "endpoint"), ("codex", "device", "poll_endpoint")] {
        let text = format!("[providers.{name}]\n{token}");
        let shown = problems(&text);
        assert!(shown.contains(&format!("write {table}.{key} too")), "{shown}");
        parse(&format!("{text}[providers.{name}.{table}]\n{key} = \"https://git.example/x\"\n"));
        // What is not spoken needs no address.
        let standard = if table == "refresh" { "refresh_token" } else { "rfc8628" };
        parse(&format!("{text}[providers.{name}.{table}]\nprotocol = \"{standard}\"\n"));
    }
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

#[test]
fn the_client_id_variable_is_named_after_the_provider() {
    assert_eq!(client_id_variable(&"mcp:my-server.x".parse().unwrap()), "LATCHKEY_MCP_MY_SERVER_X_CLIENT_ID");
}

#[test]
fn what_a_provider_does_not_say_has_a_safe_default() {
    let config = parse(ACME);
    let acme = provider(&config, "acme");
    assert_eq!((acme.title.as_str(), acme.flows.as_slice()), ("acme", [Flow::Device].as_slice()));
    assert_eq!((acme.revocation, acme.reuse), (RevocationScope::Grant, Reuse::Strict));
    assert_eq!((acme.paste, acme.share, acme.bind), (PasteShape::Url, Share::Member, true));
    assert_eq!((acme.client_auth, acme.token_lifetime), (ClientAuth::None, None));
    assert_eq!(acme.account_claims, AccountClaims::default());
}

/// Each with what to write instead.
#[test]
fn a_provider_that_cannot_work_is_refused() {
    for (extra, expected) in [
        ("flows = [\"paste\"]", "\"paste\" needs authorization_endpoint"),
        ("flows = [\"callback\"]", "\"callback\" needs authorization_endpoint"),
        ("flows = [\"phone\"]", "is not a list of one of \"device\", \"paste\", \"callback\""),
        ("flows = []", "there is no way to sign in"),
        ("client_auth = \"basic\"", "needs a client secret"),
        ("client_secret_env = \"A\"\nclient_secret_file = \"b\"", "keep one of them"),
        ("redirect_uri = \"nowhere\"", "is not an address"),
        ("token_lifetime = 0", "is not a whole number, 1 or more"),
        ("terms_risk = 1", "is not a text for people: quoted, or { en = \"…\", de = \"…\" }"),
        ("issuer = \"https://id.example\"\nflows = [\"paste\"]", "\"paste\" needs redirect_uri"),
        ("authorization_response_iss_parameter_supported = true", "needs the issuer to compare with"),
        (
            "device = { protocol = \"user_code\" }",
            "needs poll_endpoint, verification_uri and exchange_redirect_uri",
        ),
        ("device = { pol_endpoint = \"x\" }", "did you mean `poll_endpoint`?"),
        ("scopes = \"a b\"", "is not a list of quoted texts"),
        ("zzzzzzzzzz = 1", "known here: accept_terms_risk, account_claim"),
    ] {
        let shown = problems(&format!("{ACME}{extra}"));
        assert!(shown.contains(expected), "{extra}: {shown}");
    }
    assert!(problems("[providers.\"a b\"]").contains("is not a provider name"));
    assert!(problems("[providers]\ncodex = 1").contains("write [providers.codex]"));
}

/// T15: our own page is offered where one is served, at exactly one address; where none is, the remedy is named.
#[test]
fn a_callback_is_offered_where_a_page_is_served() {
    let acme = format!(
        "{ACME}authorization_endpoint = \"https://id.example/authorize\"\nflows = [\"callback\", \"device\"]\n"
    );
    for (public_url, start) in [
        ("https://login.example.org", "https://login.example.org"),
        ("https://login.example.org/", "https://login.example.org"),
        ("https://example.org/latchkey/", "https://example.org/latchkey"),
        ("http://127.0.0.1:8484", "http://127.0.0.1:8484"),
    ] {
        let config = parse(&format!("{acme}[http]\npublic_url = \"{public_url}\""));
        let provider = config.providers.find("acme").unwrap();
        assert_eq!(provider.offered_flows().collect::<Vec<_>>(), [Flow::Callback, Flow::Device]);
        assert_eq!(provider.callback_uri, Some(format!("{start}/callback/acme")));
        assert!(config.warnings.is_empty());
    }
    let config = parse(&acme);
    let provider = config.providers.find("acme").unwrap();
    assert_eq!(provider.offered_flows().collect::<Vec<_>>(), [Flow::Device]);
    assert_eq!(provider.callback_uri, None);
    let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "providers.acme.flows: \"callback\" is not offered, since no page is served; write public_url = \"https://…\" \
             under [http], the address at which browsers reach this program"
        ]
    );
    for bad in
        ["https://login.example.org/?a=b", "https://login.example.org/#a", "https://me@login.example.org"]
    {
        let shown = problems(&format!("{acme}[http]\npublic_url = \"{bad}\""));
        assert!(shown.contains("http.public_url"), "{bad}: {shown}");
    }
}

/// S5
#[test]
fn a_name_leads_to_one_provider() {
    let two = format!("{ACME}aliases = [\"Codex\", \"a\"]\n[providers.codex]\naliases = [\"A\", \"codex\"]");
    let shown = problems(&two);
    assert!(shown.contains("codex and acme both answer to \"codex\""), "{shown}");
    assert!(shown.contains("acme and codex both answer to \"a\""), "{shown}");
    let config = parse(&format!("{ACME}aliases = [\"Road-Runner\"]"));
    for text in ["acme", " ACME ", "road-runner", "Road-Runner"] {
        assert_eq!(config.providers.find(text).map(|found| found.name.as_str()), Some("acme"), "{text}");
    }
    assert!(config.providers.find("coyote").is_none());
    assert!(
        config.providers.get(&"road-runner".parse().unwrap()).is_none(),
        "an alias is never a stored name"
    );
}

/// T8, T13: a nonce is what an OpenID provider takes, and who has metadata is taken for one; silence is the operator's until they
/// know better.
#[test]
fn habits_of_a_server_are_keys_of_its_table() {
    let habits = |text: &str| {
        let config = parse(text);
        let acme = provider(&config, "acme");
        (acme.nonce, acme.empty_refusal)
    };
    let found = "[providers.acme]\nissuer = \"https://id.acme.example\"\nclient_id = \"latchkey\"\n";
    assert_eq!(habits(ACME), (false, EmptyRefusal::Operator));
    assert_eq!(habits(found), (true, EmptyRefusal::Operator));
    let (with, without) = ("nonce = true\nempty_refusal = \"dead\"", "nonce = false");
    assert_eq!(habits(&format!("{ACME}{with}")), (true, EmptyRefusal::Dead));
    assert_eq!(habits(&format!("{found}{without}")), (false, EmptyRefusal::Operator));
}

/// U3
#[test]
fn a_notice_is_one_text_or_one_for_each_language() {
    let notice = |value: &str| {
        let config = parse(&format!("{ACME}\ndevice_notice = {value}"));
        provider(&config, "acme").device_notice.clone().unwrap()
    };
    let plain = notice("\" Mind the step. \"");
    assert_eq!([plain.for_reader("en"), plain.for_reader("de")], ["Mind the step."; 2]);
    let both = notice("{ en = \"Mind the step.\", de = \"Vorsicht Stufe.\" }");
    assert_eq!([both.for_reader("fr"), both.for_reader("de")], ["Mind the step.", "Vorsicht Stufe."]);
    for bad in ["{}", "{ en = 1 }", "[\"x\"]"] {
        let found = problems(&format!("{ACME}\ndevice_notice = {bad}"));
        assert!(found.contains("providers.acme.device_notice"), "{bad}: {found}");
    }
    // A built-in's is there in every language that the program has words in.
    let config = parse("[providers.codex]");
    let codex = provider(&config, "codex").device_notice.clone().unwrap();
    assert_ne!(codex.for_reader("en"), codex.for_reader("de"));
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

/// T13: an issuer alone suffices.
#[test]
fn an_issuer_stands_for_the_endpoints_that_are_not_named() {
    let acme = |lines: &str| {
        let config = parse(&format!("[providers.acme]\nclient_id = \"c\"\n{lines}"));
        let acme = provider(&config, "acme");
        (acme.discovers, acme.flows.clone())
    };
    let issuer = "issuer = \"https://id.example/tenant\"\n";
    let redirect = "redirect_uri = \"http://127.0.0.1:1/cb\"\n";
    let token = "token_endpoint = \"https://id.example/token\"\n";
    let device = "device_authorization_endpoint = \"https://id.example/device\"\n";
    let page = "authorization_endpoint = \"https://id.example/authorize\"\n";
    for (lines, expected) in [
        (issuer.to_owned(), (true, vec![Flow::Device])),
        (format!("{issuer}{redirect}"), (true, vec![Flow::Device, Flow::Paste])),
        (format!("{issuer}{token}"), (true, vec![Flow::Device])),
        (format!("{issuer}{token}{device}"), (false, vec![Flow::Device])),
        (format!("{issuer}{token}{redirect}{page}"), (false, vec![Flow::Paste])),
        (
            format!("{issuer}{token}{device}{redirect}flows = [\"device\", \"paste\"]"),
            (true, vec![Flow::Device, Flow::Paste]),
        ),
        (format!("{issuer}{token}{device}{redirect}{page}flows = [\"paste\"]"), (false, vec![Flow::Paste])),
        ("issuer = \"http://127.0.0.1:9\"".to_owned(), (true, vec![Flow::Device])),
    ] {
        assert_eq!(acme(&lines), expected, "{lines}");
    }
}

/// T13, T7
#[test]
fn an_issuer_that_must_not_be_asked_is_refused_with_the_remedy() {
    for (issuer, expected) in [
        ("http://id.example", "is not an https address"),
        ("id.example", "is not an https address"),
        ("https://id.example?tenant=1", "without query and fragment"),
        ("https://user@id.example", "is not an https address"),
        ("https://10.0.0.1", "is an address of a private network; name its endpoints"),
        ("https://169.254.169.254/", "is an address of a private network"),
        ("https://[::1%25eth0]", "is not an https address"),
    ] {
        let shown = problems(&format!("[providers.acme]\nclient_id = \"c\"\nissuer = {issuer:?}"));
        assert!(shown.contains(expected), "{issuer}: {shown}");
        // Also where it is asked for the other endpoints alone.
        let token = "token_endpoint = \"https://id.example/token\"";
        let shown = problems(&format!("[providers.acme]\nclient_id = \"c\"\n{token}\nissuer = {issuer:?}"));
        assert!(shown.contains(expected), "{issuer}, with a token endpoint: {shown}");
    }
}

/// VENDORS: a name that is looked for in vain gives the reason, and stays free.
#[test]
fn an_unsupported_vendor_is_told_with_the_reason_and_may_be_defined() {
    for vendor in crate::provider::UNSUPPORTED {
        let shown = problems(&format!("[providers.{}]", vendor.name));
        let expected = format!("{} is not supported: {}", vendor.title, vendor.why("en"));
        assert!(shown.contains(&expected) && !shown.contains("token_endpoint"), "{shown}");
        assert!(builtin(vendor.name).is_none());
        let own = ACME.replace("acme", vendor.name);
        assert!(provider(&parse(&own), vendor.name).is_open());
    }
    assert!(!problems("[providers.kiro]\ntoken_endpoint = \"nowhere\"").contains("not supported"));
    let config = parse_with("[providers.mimocode]\napi_key_env = \"KEY\"", &[("KEY", "k")]).unwrap();
    assert_eq!(config.warnings, []);
}
