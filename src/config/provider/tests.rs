//! Tests of providers' tables.

use super::*;
use crate::config::tests::{ACME, parse, parse_with, problems, provider};
use crate::provider::{AccountClaims, ClientAuth, EmptyRefusal};

mod builtins;
mod secrets;

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
        ("loopback_redirect_uri = \"https://127.0.0.1:1/cb\"", "is no http address of this host"),
        ("loopback_redirect_uri = \"http://10.0.0.1:1/cb\"", "is no http address of this host"),
        ("loopback_redirect_uri = \"http://127.0.0.1:1/cb?a=b\"", "is no http address of this host"),
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
        let why = vendor.why("en").strip_suffix('.').expect("a sentence");
        let expected = format!("{} is not supported: {why}; take the table out", vendor.title);
        assert!(shown.contains(&expected) && !shown.contains("token_endpoint"), "{shown}");
        assert!(builtin(vendor.name).is_none());
        let own = ACME.replace("acme", vendor.name);
        assert!(provider(&parse(&own), vendor.name).is_open());
    }
    assert!(!problems("[providers.kiro]\ntoken_endpoint = \"nowhere\"").contains("not supported"));
    let config = parse_with("[providers.mimocode]\napi_key_env = \"KEY\"", &[("KEY", "k")]).unwrap();
    assert_eq!(config.warnings, []);
}
