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

/// Every built-in, by name.
pub const BUILTINS: &[Builtin] = &[
    Builtin { name: "claude", text: include_str!("../../config/providers/claude.toml") },
    Builtin { name: "codex", text: include_str!("../../config/providers/codex.toml") },
    Builtin { name: "github", text: include_str!("../../config/providers/github.toml") },
];

/// The built-in called `name`.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}
