//! What members are offered: only what can work.

use crate::harness::{Bot, SOON, Setup};

/// Providers that lack something are in no choice; named, they say so, and a member is not told what the operator must do.
#[tokio::test]
async fn only_what_can_be_signed_in_to_is_offered() {
    let tables = "[providers.gemini]\n[providers.antigravity]\n[providers.github]\n\
                  [providers.house]\ntitle = \"House\"\napi_key_env = \"HOUSE_KEY\"\n\
                  [providers.claude]\naccept_terms_risk = true\n";
    let setup = Setup::plan().more(tables).start().await;
    let _bot = Bot::start_with(&setup, |program| {
        program.env("HOUSE_KEY", "sesame-of-house");
    })
    .await;
    let (ann, thread) = (setup.discord.member("ann").locale("de"), setup.thread("fix-ci"));
    let bob = setup.discord.member("bob");

    let choices = bob.autocomplete("/auth login").focused("provider", "").in_thread(&thread).send().await;
    let names: Vec<_> = choices.iter().map(|choice| choice.value.as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["acme", "claude"]);
    let which = bob.slash("/auth login").in_thread(&thread).send().await;
    let view = which.sees_text("Where do you want to sign in?", SOON).await;
    assert!(view.contains("Acme") && view.contains("Claude"), "{}", view.render());
    for absent in ["Gemini", "Antigravity", "GitHub", "House"] {
        assert!(!view.contains(absent), "{absent}: {}", view.render());
    }
    for (named, told) in [
        ("gemini", "Nobody can sign in to Gemini here yet"),
        ("antigravity", "Nobody can sign in to Antigravity here yet"),
        ("github", "Nobody can sign in to GitHub here yet"),
        ("house", "Nobody needs to sign in to House here"),
        ("kiro", "Kiro is not supported"),
        ("mimocode", "the operator names its environment variable"),
        ("nobody", "nobody is not offered here"),
    ] {
        let login = bob.slash("/auth login").option("provider", named).in_thread(&thread).send().await;
        let view = login.sees_text(told, SOON).await;
        for secret in ["LATCHKEY_", "HOUSE_KEY", "sesame", "accept_terms_risk"] {
            assert!(!view.contains(secret), "{}", view.render());
        }
    }
    // The doubt about its terms is told before the tap.
    for (member, doubt) in [(&bob, "Anthropic's terms restrict"), (&ann, "Die Bedingungen von Anthropic")] {
        let login = member.slash("/auth login").option("provider", "claude").in_thread(&thread).send().await;
        login.sees_text(doubt, SOON).await;
    }
    let checked = setup.cli(&["check", "--offline"]).await;
    assert_eq!(checked.code, 2);
    for finding in [
        "PROBLEM  providers: gemini: the client secret is missing",
        "PROBLEM  providers: github: the client id is missing: register a client",
        "providers.antigravity.accept_terms_risk: nobody can sign in",
        "claude: accept_terms_risk is set, although: Anthropic's terms",
    ] {
        assert!(checked.stdout.contains(finding), "{finding}: {}", checked.stdout);
    }
    setup.discord.assert_clean();
}
