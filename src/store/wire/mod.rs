//! The field names of the auth file.
//!
//! Owns the conversion between stored JSON and the domain's records, and is the only place that knows the names.
//! Invariants: fields that this program does not know survive a rewrite of their entry (F5); an error names the field
//! and never its value. Must not: decide anything about what it reads.

mod login;
mod tenant;
mod thread;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::clock::UnixSeconds;
use crate::credential::Account;
use crate::secret::Secret;
use crate::tenant::NameError;

/// A record that can stand in the auth file.
pub(super) trait Record: Sized {
    /// Reads an entry; the error says what is wrong without showing values.
    fn read(raw: &str) -> Result<Self, String>;

    /// Writes the entry, keeping what `before` held that this program does not know.
    fn write(&self, before: Option<&str>) -> Box<RawValue>;
}

/// What `before` holds beyond the fields that `known` writes.
fn unknown_fields<W: Wire>(before: Option<&str>) -> Map<String, Value> {
    before.and_then(|raw| serde_json::from_str::<W>(raw).ok()).map(W::into_rest).unwrap_or_default()
}

/// A wire type with the fields it does not know kept aside.
trait Wire: for<'de> Deserialize<'de> + Serialize {
    fn into_rest(self) -> Map<String, Value>;
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

fn print<W: Wire>(wire: &W) -> Box<RawValue> {
    let pretty = serde_json::to_string_pretty(wire).unwrap_or_else(|_| "null".to_owned());
    // Entries stand two levels deep; JSON text holds no line break inside a string.
    let indented = pretty.replace('\n', "\n    ");
    RawValue::from_string(indented).unwrap_or_else(|_| RawValue::NULL.to_owned())
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
