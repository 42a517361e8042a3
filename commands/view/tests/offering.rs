//! What is offered to be signed in to, and what is said where nobody can.

use super::*;

/// Providers that nobody can sign in to, each for another reason.
fn closed() -> Catalog {
    let text = "[providers.gemini]\n[providers.antigravity]\n[providers.claude]\n\
                [providers.house]\ntitle = \"House\"\napi_key_env = \"HOUSE_KEY\"\n\
                [providers.broken]\ntitle = \"Broken\"\napi_key_env = \"BROKEN_KEY\"\n";
    let environment = |name: &str| match name {
        "CLAUDE_CODE_OAUTH_TOKEN" => Some("sesame-of-claude".to_owned()),
        "HOUSE_KEY" => Some("sesame-of-house".to_owned()),
        "BROKEN_KEY" => Some("two sesames".to_owned()),
        _ => None,
    };
    Config::parse(text, Path::new("latchkey.toml"), &environment).expect("a valid configuration").providers
}

/// U3, G25: the next step, and nothing of what the operator has to do.
#[test]
fn what_cannot_be_signed_in_to_says_so() {
    in_every_language("logins-not-offered", |language| {
        let tried_at = |tenant: &str| {
            let tenant: TenantKey = tenant.parse().unwrap();
            let tried = Tried { tenant: &tenant, kind: None, bind: true, other: None };
            let why = "the client secret is missing: LATCHKEY_GEMINI_CLIENT_SECRET".to_owned();
            start_failed(language, &StartError::Operator { why }, &tried, &closed(), NOW)
        };
        let all = vec![
            ("a secret is missing", tried_at("gemini")),
            ("terms are not accepted", tried_at("antigravity")),
            ("a token serves", tried_at("claude")),
            ("a key serves", tried_at("house")),
            ("a key that is none", tried_at("broken")),
            ("none is ready", pick_provider(language, &closed(), None)),
            ("unknown, and none is ready", unknown_provider(language, "acmee", &closed(), None)),
            ("unsupported", unknown_provider(language, " Kiro", &catalog(), Some(true))),
            ("unsupported, and none is ready", unknown_provider(language, "cursor", &closed(), None)),
        ];
        for (name, page) in &all {
            let shown = shown(page);
            assert!(!shown.contains("LATCHKEY") && !shown.contains("sesame"), "{name}: {shown}");
            assert!(!shown.contains("HOUSE_KEY") && !shown.contains("Gemini, "), "{name}: {shown}");
        }
        all
    });
}

/// G25: whoever signs in below a key of the operator's is told so before the tap.
#[test]
fn a_sign_in_that_lies_unused_is_told_before_the_tap() {
    let text = "[providers.codex]\napi_key_env = \"KEY\"\n[providers.claude]\naccept_terms_risk = true\n";
    let environment =
        |name: &str| matches!(name, "KEY" | "CLAUDE_CODE_OAUTH_TOKEN").then(|| "sesame".to_owned());
    let with = |environment: &dyn Fn(&str) -> Option<String>| {
        let config = Config::parse(text, Path::new("latchkey.toml"), environment).unwrap();
        let page = |name: &str| {
            let login = login(name, LoginKind::Paste);
            let (slash, catalog) = (slash(), config.providers.clone());
            let (public_url, notice, account) = (None, None, None);
            let card = Card {
                login: &login,
                catalog: &catalog,
                barred: &[],
                slash: &slash,
                public_url,
                notice,
                serves: Serves::Untold,
                account,
            };
            login_card(&card).text
        };
        ["codex", "claude"].map(page)
    };
    let [key, token] = with(&environment);
    assert!(key.contains("For now no agent will use it: the operator set an API key"), "{key}");
    assert!(token.contains("For now no agent will use it: the operator set a token"), "{token}");
    let [bad, _] = with(&|name| (name == "KEY").then(|| "two sesames".to_owned()));
    assert!(bad.contains("For now agents get nothing here, with or without a sign-in"), "{bad}");
    assert!(with(&|_| None).iter().all(|text| !text.contains("For now")));
}

/// VENDORS: the doubt about a vendor's terms is told before every tap, whatever the way in.
#[test]
fn the_doubt_about_terms_is_told_on_every_way_in() {
    let text =
        "[providers.claude]\naccept_terms_risk = true\n[providers.antigravity]\naccept_terms_risk = true\n";
    let catalog = Config::parse(text, Path::new("latchkey.toml"), &|_| None).unwrap().providers;
    for language in Language::ALL {
        for kind in [LoginKind::Device, LoginKind::Paste, LoginKind::Callback] {
            for provider in catalog.iter() {
                let login = login_in(language, provider.name.as_str(), kind);
                let page = login_card(&Card {
                    login: &login,
                    catalog: &catalog,
                    barred: &[],
                    slash: &slash(),
                    public_url: None,
                    notice: None,
                    serves: Serves::Untold,
                    account: None,
                });
                let risk = provider.terms_risk.as_ref().unwrap().for_reader(language.tag());
                assert!(page.text.contains(risk), "{} {kind:?}: {}", provider.name, page.text);
            }
        }
    }
}
