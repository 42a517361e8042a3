//! Which tenants somebody may have: a tenant's name, with stars in it.
//!
//! Owns [`TenantPattern`]. Invariant: a star stands for any run of characters within one part of a name (provider, profile
//! or user), so that `codex` is the shared slot alone and `codex@*` each member's own; a star alone is every tenant.

use std::fmt;
use std::str::FromStr;

use super::{NameError, ProviderName, TenantKey};

/// Tenants by their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantPattern(String);

impl TenantPattern {
    /// Whether it is every tenant.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0 == "*"
    }

    /// What stands where a tenant names its provider.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.0[..self.0.find(['/', '@']).unwrap_or(self.0.len())]
    }

    /// Whether a tenant of `provider` could be one of them.
    #[must_use]
    pub fn has_some_of(&self, provider: &ProviderName) -> bool {
        self.is_all() || glob(self.provider().as_bytes(), provider.as_str().as_bytes())
    }

    /// Whether `tenant` is one of them.
    #[must_use]
    pub fn matches(&self, tenant: &TenantKey) -> bool {
        self.is_all() || glob(self.0.as_bytes(), tenant.to_string().as_bytes())
    }
}

/// Whether `text` is as `pattern` says. Both are short, and a pattern has few stars.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            glob(rest, text)
                || matches!(text, [first, left @ ..] if !matches!(first, b'/' | b'@') && glob(pattern, left))
        }
        ([wanted, rest @ ..], [found, left @ ..]) => wanted == found && glob(rest, left),
        _ => false,
    }
}

impl FromStr for TenantPattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let mut folded = text.trim().to_ascii_lowercase();
        while folded.contains("**") {
            folded = folded.replace("**", "*");
        }
        // A star stands for what could stand there: with a digit in its place it is the name of a tenant.
        folded.replace('*', "1").parse::<TenantKey>()?;
        Ok(Self(folded))
    }
}

impl fmt::Display for TenantPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    /// Z2
    #[test]
    fn a_star_stays_within_its_part() {
        let tenants =
            ["codex", "codex2", "codex/work", "codex@42", "codex/work@42", "mcp:notes", "mcp:notes@7"];
        for (pattern, matched) in [
            ("*", "codex codex2 codex/work codex@42 codex/work@42 mcp:notes mcp:notes@7"),
            ("codex", "codex"),
            ("Codex", "codex"),
            ("codex*", "codex codex2"),
            ("codex/*", "codex/work"),
            ("codex@*", "codex@42"),
            ("codex/**@*", "codex/work@42"),
            ("codex@4*", "codex@42"),
            ("mcp:*", "mcp:notes"),
            ("*@*", "codex@42 mcp:notes@7"),
            ("*@42", "codex@42"),
        ] {
            let pattern: TenantPattern = pattern.parse().unwrap();
            let found: Vec<_> = tenants.into_iter().filter(|name| pattern.matches(&key(name))).collect();
            assert_eq!(found.join(" "), matched, "{pattern}");
        }
        for (pattern, some) in
            [("*", true), ("co*@7", true), ("codex/work", true), ("mcp:*", false), ("code", false)]
        {
            let pattern: TenantPattern = pattern.parse().unwrap();
            assert_eq!(pattern.has_some_of(&key("codex").provider), some, "{pattern}");
        }
        assert_eq!("codex/*@*".parse::<TenantPattern>().unwrap().provider(), "codex");
        for bad in ["", "codex/", "codex@ann", "co dex", "codex@*@*", "[a-z]"] {
            assert!(bad.parse::<TenantPattern>().is_err(), "{bad}");
        }
    }
}
