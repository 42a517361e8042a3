//! The providers that Latchkey knows by itself, and those that it is asked for in vain.
//!
//! Owns the embedded descriptor texts, and the reasons why some vendors have none. A built-in is offered only once the
//! operator's configuration has its table, and every value of it can be overridden there. Must not: parse (`config` reads these
//! and the operator's tables alike).

/// One embedded descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The provider's name.
    pub name: &'static str,
    /// Its table, as TOML.
    pub text: &'static str,
    /// Whether it has worked with a real server. The others stand as public sources have them.
    pub tried: bool,
    /// The table's name as an operator writes it.
    pub table: &'static str,
    /// A line that its table needs, as an example; blank where it needs none.
    pub needs: &'static str,
}

/// What every MCP server begins with, whatever its name.
const MCP: &str = "mcp";

/// A vendor's: one account system, whose values stand in its file.
const fn vendor(name: &'static str, text: &'static str) -> Builtin {
    Builtin { name, text, tried: false, table: name, needs: "" }
}

/// Every built-in, by name.
pub const BUILTINS: &[Builtin] = &[
    vendor("antigravity", include_str!("../../config/providers/antigravity.toml")),
    vendor("claude", include_str!("../../config/providers/claude.toml")),
    vendor("codex", include_str!("../../config/providers/codex.toml")),
    vendor("copilot", include_str!("../../config/providers/copilot.toml")),
    vendor("gemini", include_str!("../../config/providers/gemini.toml")),
    vendor("github", include_str!("../../config/providers/github.toml")),
    vendor("grok", include_str!("../../config/providers/grok.toml")),
    vendor("kimi", include_str!("../../config/providers/kimi.toml")),
    Builtin {
        name: MCP,
        text: include_str!("../../config/providers/mcp.toml"),
        tried: true,
        table: "\"mcp:notes\"",
        needs: "url = \"https://mcp.example.org/mcp\"",
    },
    vendor("minimax", include_str!("../../config/providers/minimax.toml")),
    Builtin {
        name: "oidc",
        text: include_str!("../../config/providers/oidc.toml"),
        tried: true,
        table: "oidc",
        needs: "issuer = \"https://id.example.org\"",
    },
    vendor("qwen", include_str!("../../config/providers/qwen.toml")),
];

/// The built-in called `name`.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    let name = if name.starts_with("mcp:") { MCP } else { name };
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// A vendor that people look for, and why there is no built-in for it. Its name stays free for an operator's own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported {
    /// What it is asked for by.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    en: &'static str,
    de: &'static str,
}

impl Unsupported {
    /// Why, for a reader of the language `tag`.
    #[must_use]
    pub fn why(&self, tag: &str) -> &'static str {
        if tag.to_ascii_lowercase().starts_with("de") { self.de } else { self.en }
    }
}

/// Every such vendor, by name.
pub const UNSUPPORTED: &[Unsupported] = &[
    Unsupported {
        name: "agentcore",
        title: "Amazon Bedrock AgentCore",
        en: "It signs each request with AWS keys (SigV4): there is no OAuth sign-in, and no token to refresh.",
        de: "Dort wird jede Anfrage mit AWS-Schlüsseln unterschrieben (SigV4): Es gibt keine OAuth-Anmeldung und kein Token zu erneuern.",
    },
    Unsupported {
        name: "cursor",
        title: "Cursor",
        en: "Its sign-in is not published and is known by reverse engineering alone; accounts that use it elsewhere risk a ban.",
        de: "Seine Anmeldung ist nicht veröffentlicht und nur durch Nachforschen bekannt; Konten, die sie anderswo benutzen, droht eine Sperre.",
    },
    Unsupported {
        name: "kiro",
        title: "Kiro",
        en: "Its sign-in is AWS's own protocol (JSON bodies, a registration for each client) and not OAuth as others speak it.",
        de: "Seine Anmeldung ist ein eigenes Protokoll von AWS (JSON statt Formularen, eine Registrierung je Client) und nicht OAuth, wie andere es sprechen.",
    },
    Unsupported {
        name: "mimocode",
        title: "MiMo Code",
        en: "Its sign-in is not published. An API key works: the operator names its environment variable as api_key_env.",
        de: "Seine Anmeldung ist nicht veröffentlicht. Ein API-Schlüssel geht: Der Betreiber nennt dessen Umgebungsvariable als api_key_env.",
    },
];

/// The unsupported vendor that somebody means by `text`, in any case.
#[must_use]
pub fn unsupported(text: &str) -> Option<&'static Unsupported> {
    let text = text.trim();
    UNSUPPORTED
        .iter()
        .find(|vendor| vendor.name.eq_ignore_ascii_case(text) || vendor.title.eq_ignore_ascii_case(text))
}
