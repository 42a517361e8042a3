//! What is known of each vendor, and what a member meets there. Written by hand: see `wire/README.md`.

use std::time::Duration;

use latchkey_test_authority::{Answer, Bodies, IdToken, Interval, ReplyShape, Settings};

use super::story::{Vendor, Way};

/// What a member reads where tokens were ended at the provider.
const ENDED: &str = "It was ended at the provider too.";
/// What a member reads where they cannot be.
const STAYS_THERE: &str = "remove the access in your account there";

const GEMINI: &str = "681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com";
const ANTIGRAVITY: &str = "1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com";
pub const GOOGLES_SECRET: &str = "GOCSPX-of-the-operator";

/// What most have in common: a device login without an account to show, and an end in the person's own account there.
const PLAIN: Vendor = Vendor {
    name: "",
    typed: &[],
    title: "",
    client: ("", None, None),
    server: standard,
    operator: "",
    environment: &[],
    ways: &[Way::Device],
    notice: None,
    account: None,
    refreshes: true,
    goodbye: STAYS_THERE,
    script: "",
};

/// Every vendor, but for MCP servers.
pub const VENDORS: &[Vendor] = &[
    Vendor {
        name: "antigravity",
        typed: &["antigravity"],
        title: "Antigravity",
        client: (ANTIGRAVITY, Some(GOOGLES_SECRET), Some("http://localhost:51121/oauth-callback")),
        server: google,
        operator: "accept_terms_risk = true",
        environment: &[("LATCHKEY_ANTIGRAVITY_CLIENT_SECRET", GOOGLES_SECRET)],
        ways: &[Way::Address],
        notice: Some("accounts were reported banned"),
        account: Some("ada@example.test"),
        goodbye: ENDED,
        script: include_str!("wire/antigravity.txt"),
        ..PLAIN
    },
    Vendor {
        name: "claude",
        typed: &["anthropic"],
        title: "Claude",
        client: (
            "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
            None,
            Some("https://platform.claude.com/oauth/code/callback"),
        ),
        server: claude,
        operator: "accept_terms_risk = true",
        ways: &[Way::CodeHashState],
        notice: Some("Anthropic's terms restrict"),
        account: Some("ada@example.test"),
        script: include_str!("wire/claude.txt"),
        ..PLAIN
    },
    Vendor {
        name: "codex",
        typed: &["codex"],
        title: "OpenAI Codex",
        client: ("app_EMoamEEZ73f0CkXaXp7hrann", None, Some("http://localhost:1455/auth/callback")),
        server: codex,
        ways: &[Way::Device, Way::Address],
        notice: Some("switched off"),
        account: Some("ada@example.test"),
        script: include_str!("wire/codex.txt"),
        ..PLAIN
    },
    Vendor {
        name: "copilot",
        typed: &["github-copilot"],
        title: "GitHub Copilot",
        client: ("Iv1.b507a08c87ecfe98", None, None),
        server: Settings::copilot,
        // The number by which the server knows Ada.
        account: Some("1096414"),
        script: include_str!("wire/copilot.txt"),
        ..PLAIN
    },
    Vendor {
        name: "gemini",
        typed: &["google"],
        title: "Gemini",
        client: (GEMINI, Some(GOOGLES_SECRET), Some("https://codeassist.google.com/authcode")),
        server: google,
        environment: &[("LATCHKEY_GEMINI_CLIENT_SECRET", GOOGLES_SECRET)],
        ways: &[Way::Code],
        account: Some("ada@example.test"),
        goodbye: ENDED,
        script: include_str!("wire/gemini.txt"),
        ..PLAIN
    },
    Vendor {
        name: "github",
        typed: &["gh"],
        title: "GitHub",
        client: ("Iv1.0123456789abcdef", None, None),
        server: Settings::copilot,
        operator: "client_id = \"Iv1.0123456789abcdef\"\nscopes = [\"repo\", \"read:org\"]",
        // The number by which the server knows Ada.
        account: Some("1096414"),
        refreshes: false,
        script: include_str!("wire/github.txt"),
        ..PLAIN
    },
    Vendor {
        name: "grok",
        typed: &["grok", "xai"],
        title: "Grok",
        client: ("b1a00492-073a-47ea-816f-4c329264a828", None, Some("http://127.0.0.1:56121/callback")),
        server: standard,
        ways: &[Way::Device, Way::Address],
        account: Some("ada@example.test"),
        goodbye: ENDED,
        script: include_str!("wire/grok.txt"),
        ..PLAIN
    },
    Vendor {
        name: "kimi",
        typed: &["moonshot"],
        title: "Kimi",
        client: ("17e5f671-d194-4dfb-9706-5516cb48c098", None, None),
        server: kimi,
        script: include_str!("wire/kimi.txt"),
        ..PLAIN
    },
    Vendor {
        name: "minimax",
        typed: &["minimax"],
        title: "MiniMax",
        client: ("78257093-7e40-4613-99e0-527b14b39113", None, None),
        server: minimax,
        script: include_str!("wire/minimax.txt"),
        ..PLAIN
    },
    Vendor {
        name: "oidc",
        typed: &["oidc"],
        title: "OpenID Connect",
        client: ("agents-of-the-guild", None, Some("http://127.0.0.1:8765/callback")),
        server: standard,
        operator: "issuer = \"{issuer}\"\nclient_id = \"agents-of-the-guild\"",
        ways: &[Way::Device, Way::Address],
        account: Some("ada@example.test"),
        goodbye: ENDED,
        script: include_str!("wire/oidc.txt"),
        ..PLAIN
    },
    Vendor {
        name: "qwen",
        typed: &["qwen"],
        title: "Qwen",
        client: ("f0304373b74a44d2b584a3fb70ca9e56", None, None),
        server: qwen,
        script: include_str!("wire/qwen.txt"),
        ..PLAIN
    },
];

/// A server that does what the standards say, with the shortest interval that Latchkey keeps to.
pub fn standard() -> Settings {
    Settings {
        interval: Interval::Number(3),
        enforced_interval: Duration::from_millis(2_500),
        ..Settings::default()
    }
}

fn without_id_token() -> ReplyShape {
    ReplyShape { id_token: IdToken::None, ..ReplyShape::default() }
}

fn claude() -> Settings {
    let account = serde_json::json!({"uuid": "ada", "email_address": "ada@example.test"});
    let extra = serde_json::Map::from_iter([("account".to_owned(), account)]);
    Settings {
        bodies: Bodies::Json,
        iss_in_answer: false,
        reply: ReplyShape { extra, ..without_id_token() },
        ..standard()
    }
}

fn codex() -> Settings {
    Settings {
        interval: Interval::Text("3".to_owned()),
        enforced_interval: Duration::from_millis(2_500),
        iss_in_answer: false,
        codex_callback: Some("https://auth.openai.com/deviceauth/callback".to_owned()),
        ..Settings::codex()
    }
}

fn google() -> Settings {
    Settings { answer: Answer::Redirect, ..Settings::google() }
}

fn kimi() -> Settings {
    Settings { iss_in_answer: false, reply: without_id_token(), ..standard() }
}

fn minimax() -> Settings {
    Settings { any_client: false, interval: Interval::Number(3_000), ..Settings::minimax() }
}

fn qwen() -> Settings {
    let Settings { interval, enforced_interval, .. } = standard();
    Settings { any_client: false, interval, enforced_interval, ..Settings::qwen() }
}
