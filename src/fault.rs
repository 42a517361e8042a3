//! Faults that tests set from outside, by the variable `FAILPOINTS` (`<name>=return`, and what the `fail` crate knows).
//!
//! Owns the names. Invariant: nothing of this is in a release build: every question is answered with "no" there.
//!
//! | name | what it does |
//! |---|---|
//! | `without-refresh-lock` | each process refreshes under a lock of its own, which proves what the lock is for |

use crate::tenant::TenantKey;

/// What keeps the faults of the environment in force.
#[derive(Default)]
#[must_use = "the faults end when this is dropped"]
pub struct Faults {
    #[cfg(debug_assertions)]
    _scenario: Option<fail::FailScenario<'static>>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faults")
    }
}

/// Reads the faults from the environment; in a release build, none.
pub fn from_environment() -> Faults {
    #[cfg(debug_assertions)]
    if std::env::var_os("FAILPOINTS").is_some() {
        return Faults { _scenario: Some(fail::FailScenario::setup()) };
    }
    Faults::default()
}

/// Whether the fault `name` is set.
#[must_use]
pub fn is_set(name: &str) -> bool {
    #[cfg(debug_assertions)]
    return fail::eval(name, |_| ()).is_some();
    #[cfg(not(debug_assertions))]
    {
        let _ = name;
        false
    }
}

/// A key that no other process locks.
#[must_use]
pub fn private(tenant: &TenantKey) -> TenantKey {
    let profile = format!("private-{}", std::process::id()).parse().ok();
    TenantKey { profile, ..tenant.clone() }
}
