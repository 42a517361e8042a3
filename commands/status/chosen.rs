//! Which tenants somebody wants to see.
//!
//! Owns the reading of their names. Invariant: a provider's name, or an alias of it, is all of its tenants; what has a profile, a user
//! or a star is as under `allow` of the token socket. Must not: hide what cannot be understood in the store.

use latchkey::broker::Overview;
use latchkey::provider::Catalog;
use latchkey::tenant::{TenantKey, TenantPattern};

use crate::exit::{Code, Exit};

/// What is to be shown.
#[derive(Debug)]
pub struct Chosen(Vec<Choice>);

#[derive(Debug)]
enum Choice {
    /// All of a provider.
    Provider(String),
    /// What a pattern says.
    Pattern(TenantPattern),
}

impl Chosen {
    /// Reads `names`; none of them is everything. Without a catalog no alias is known.
    pub fn read(names: &[String], catalog: Option<&Catalog>) -> Result<Self, Exit> {
        let read = |name: &String| {
            let (provider, rest) =
                name.trim().split_at(name.trim().find(['/', '@']).unwrap_or(name.trim().len()));
            let known =
                catalog.and_then(|catalog| catalog.find(provider)).map(|known| known.name.to_string());
            let pattern: TenantPattern =
                format!("{}{rest}", known.as_deref().unwrap_or(provider)).parse().map_err(|error| {
                    Exit::new(
                        Code::Usage,
                        format!("{error}; name a provider, a tenant, or a pattern such as 'codex@*'"),
                    )
                })?;
            Ok(match known {
                Some(provider) if rest.is_empty() => Choice::Provider(provider),
                None if rest.is_empty() && !pattern.provider().contains('*') => {
                    Choice::Provider(pattern.provider().to_owned())
                }
                _ => Choice::Pattern(pattern),
            })
        };
        Ok(Self(names.iter().map(read).collect::<Result<_, Exit>>()?))
    }

    /// What of `shown` was chosen.
    pub fn of(&self, mut shown: Overview) -> Overview {
        if !self.0.is_empty() {
            shown.tenants.retain(|tenant| self.has(&tenant.tenant));
            shown.logins.retain(|login| self.has(&login.tenant));
            shown.revocations.retain(|owed| self.has(&owed.tenant));
            shown.sources.retain(|source| self.has_some_of(&source.provider));
        }
        shown
    }

    /// What to say where there is nothing.
    pub fn nothing(&self) -> &'static str {
        if self.0.is_empty() {
            "nobody has signed in yet: use /auth login in Discord, or `latchkey login`"
        } else {
            "nobody has signed in to any of these: `latchkey status` shows all that there is"
        }
    }

    fn has(&self, tenant: &str) -> bool {
        // What a newer bot names in a way that we do not know is shown rather than hidden.
        let Ok(key) = tenant.parse::<TenantKey>() else { return true };
        self.0.iter().any(|choice| match choice {
            Choice::Provider(provider) => *provider == key.provider.to_string(),
            Choice::Pattern(pattern) => pattern.matches(&key),
        })
    }

    fn has_some_of(&self, provider: &str) -> bool {
        self.0.iter().any(|choice| match choice {
            Choice::Provider(chosen) => chosen == provider,
            Choice::Pattern(pattern) => provider.parse().is_ok_and(|provider| pattern.has_some_of(&provider)),
        })
    }
}

/// Whether there is anything in it.
pub fn is_something(shown: &Overview) -> bool {
    let Overview { sources, tenants, logins, damaged, revocations } = shown;
    let is_empty = sources.is_empty() && tenants.is_empty() && logins.is_empty();
    !(is_empty && damaged.is_empty() && revocations.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(tenants: &[&str]) -> Overview {
        let tenant = |name: &&str| {
            serde_json::json!({"tenant": name, "source": "sign_in", "health": "fresh", "account": null, "owner": null,
                "expires_at": null, "obtained_at": null, "retry_at": null, "last_error": null, "generation": 1})
        };
        let tenants: Vec<_> = tenants.iter().map(tenant).collect();
        serde_json::from_value(
            serde_json::json!({"sources": [], "tenants": tenants, "logins": [], "damaged": []}),
        )
        .unwrap()
    }

    /// U6
    #[test]
    fn a_provider_is_all_of_its_tenants_and_a_tenant_is_itself() {
        let all = ["claude/work", "codex", "codex/work", "codex/work@7", "codex@42", "mcp:notes@42"];
        for (names, expected) in [
            (&[][..], "claude/work codex codex/work codex/work@7 codex@42 mcp:notes@42"),
            (&["Codex"], "codex codex/work codex/work@7 codex@42"),
            (&["codex@42"], "codex@42"),
            (&["codex/work"], "codex/work"),
            (&["*@42"], "codex@42 mcp:notes@42"),
            (&["claude", "mcp:notes@*"], "claude/work mcp:notes@42"),
            (&["*"], "claude/work codex codex/work codex/work@7 codex@42 mcp:notes@42"),
            (&["nobody"], ""),
        ] {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            let shown = Chosen::read(&names, None).unwrap().of(overview(&all));
            let shown: Vec<_> = shown.tenants.iter().map(|tenant| tenant.tenant.as_str()).collect();
            assert_eq!(shown.join(" "), expected, "{names:?}");
        }
        for (name, expected) in [
            ("ac*", "acme"),
            ("ac*@42", "acme"),
            ("acme/work", "acme"),
            ("*", "acme codex"),
            ("codex*", "codex"),
            ("mcp:*", ""),
        ] {
            let mut given = overview(&[]);
            for provider in ["acme", "codex"] {
                let source = serde_json::json!({"provider": provider, "kind": "token", "variable": "TOKEN", "state": "set",
                    "unused_variables": [], "unused_sign_ins": []});
                given.sources.push(serde_json::from_value(source).unwrap());
            }
            let shown = Chosen::read(&[name.to_owned()], None).unwrap().of(given);
            let shown: Vec<_> = shown.sources.iter().map(|source| source.provider.as_str()).collect();
            assert_eq!(shown.join(" "), expected, "{name}");
        }
        let error = Chosen::read(&["co dex".to_owned()], None).unwrap_err();
        assert_eq!(error.code, Code::Usage);
    }
}
