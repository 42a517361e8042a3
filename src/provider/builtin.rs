//! The providers that Latchkey knows by itself.
//!
//! Owns the embedded descriptor texts. A built-in is offered only once the operator's configuration has its table, and
//! every value of it can be overridden there. Must not: parse (`config` reads these and the operator's tables alike).

/// One embedded descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The provider's name.
    pub name: &'static str,
    /// Its table, as TOML.
    pub text: &'static str,
}

/// What every MCP server begins with, whatever its name.
const MCP: &str = "mcp";

/// Every built-in, by name.
pub const BUILTINS: &[Builtin] = &[
    Builtin { name: "antigravity", text: include_str!("../../config/providers/antigravity.toml") },
    Builtin { name: "claude", text: include_str!("../../config/providers/claude.toml") },
    Builtin { name: "codex", text: include_str!("../../config/providers/codex.toml") },
    Builtin { name: "copilot", text: include_str!("../../config/providers/copilot.toml") },
    Builtin { name: "gemini", text: include_str!("../../config/providers/gemini.toml") },
    Builtin { name: "github", text: include_str!("../../config/providers/github.toml") },
    Builtin { name: "grok", text: include_str!("../../config/providers/grok.toml") },
    Builtin { name: "kimi", text: include_str!("../../config/providers/kimi.toml") },
    Builtin { name: MCP, text: include_str!("../../config/providers/mcp.toml") },
    Builtin { name: "minimax", text: include_str!("../../config/providers/minimax.toml") },
    Builtin { name: "oidc", text: include_str!("../../config/providers/oidc.toml") },
    Builtin { name: "qwen", text: include_str!("../../config/providers/qwen.toml") },
];

/// The built-in called `name`.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    let name = if name.starts_with("mcp:") { MCP } else { name };
    BUILTINS.iter().find(|builtin| builtin.name == name)
}
