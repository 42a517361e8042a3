//! The field names of the auth file.
//!
//! Owns the conversion between stored JSON and the domain's records, and is the only place that knows the names.
//! Invariants: fields that this program does not know survive a rewrite of their entry (F5); an error names the field
//! and never its value. Must not: decide anything about what it reads.

mod confirming;
mod entry;
mod login;
mod registration;
mod tenant;
mod thread;

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use self::entry::{Wire, print};
use crate::clock::UnixSeconds;
use crate::credential::Account;
use crate::secret::Secret;
use crate::store::seal::Secrets;
use crate::tenant::NameError;

/// A record that can stand in the auth file.
pub(super) trait Record: Sized {
    /// Where what is secret stands in an entry; sealed, if anything is.
    const SECRETS: Secrets;

    /// What secrets of the entry `raw` at `key` are bound to, besides its section.
    fn bound_to<'a>(key: &'a str, raw: &str) -> Cow<'a, str> {
        let _ = raw;
        Cow::Borrowed(key)
    }

    /// Reads an entry; the error says what is wrong without showing values.
    fn read(raw: &str) -> Result<Self, String>;

    /// Writes the entry, keeping what `before` held that this program does not know.
    fn write(&self, before: Option<&str>) -> Box<RawValue>;
}

fn parse<W: Wire>(raw: &str) -> Result<W, String> {
    serde_json::from_str(raw).map_err(|error| {
        // serde's own text may quote a value; where it stands and of what sort it is says enough.
        let sort = match error.classify() {
            serde_json::error::Category::Data => "a field is missing or of the wrong type",
            _ => "it is not JSON",
        };
        format!("{sort}, near line {} of the entry", error.line())
    })
}

/// A missing, null or blank text is no text.
fn some_text(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.is_empty())
}

fn some_secret(text: Option<String>) -> Option<Secret> {
    some_text(text).map(Secret::from)
}

fn text_of(secret: Option<&Secret>) -> Option<String> {
    secret.map(|s| s.expose().to_owned())
}

fn named(error: &NameError) -> String {
    error.to_string()
}

/// An account.
#[derive(Serialize, Deserialize)]
struct AccountWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl AccountWire {
    fn of(account: &Account) -> Option<Self> {
        (!account.is_unknown()).then(|| Self { id: account.id.clone(), email: account.email.clone() })
    }
}

impl Wire for AccountWire {}

impl AccountWire {
    /// Whether it is the same person's: what was said of another ends with that one.
    fn is_same(&self, before: &Self) -> bool {
        match (&self.id, &before.id) {
            (Some(now), Some(before)) => now == before,
            _ => self.email == before.email,
        }
    }
}

impl From<AccountWire> for Account {
    fn from(wire: AccountWire) -> Self {
        Self::new(wire.id.as_deref(), wire.email.as_deref())
    }
}

/// Reads whole seconds, also where another program wrote them as a fraction.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixSeconds>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Whole(i64),
        Fraction(f64),
    }
    Ok(match Option::<Number>::deserialize(deserializer)? {
        None => None,
        Some(Number::Whole(whole)) => Some(whole),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, which is what a stamp out of range wants"
        )]
        Some(Number::Fraction(fraction)) => Some(fraction as i64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F14: what another program reads of the format names every field.
    #[test]
    fn every_field_is_documented() {
        let text = include_str!("../../../docs/auth-file.md");
        let all = [
            entry::names::<tenant::TenantWire>(),
            entry::names::<registration::RegistrationWire>(),
            entry::names::<login::PendingWire>(),
            entry::names::<thread::ThreadWire>(),
            entry::names::<thread::RevocationWire>(),
        ];
        for fields in all {
            assert!(fields.len() > 2, "the fields are known");
            for field in fields {
                assert!(text.contains(&format!("`{field}`")), "{field} is not in docs/auth-file.md");
            }
        }
        for part in [
            entry::names::<tenant::IntentWire>(),
            entry::names::<tenant::SuspensionWire>(),
            entry::names::<AccountWire>(),
            entry::names::<login::ReasonWire>(),
            entry::names::<confirming::ConfirmingWire>(),
            entry::names::<confirming::AskedWire>(),
        ] {
            for field in part {
                assert!(text.contains(&format!("\"{field}\"")), "{field} is not in docs/auth-file.md");
            }
        }
    }
}
