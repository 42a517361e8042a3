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

/// Fields that this program does not know.
type Unknown = Map<String, Value>;

/// A wire type with the fields it does not know kept aside.
trait Wire: for<'de> Deserialize<'de> + Serialize {
    /// Takes over from what stood there before what we do not know, in its parts too where they are the same ones (F5).
    fn take_over(&mut self, before: Self);
}

/// Takes over the unknown fields of a part, where the part before was `same`.
fn take_over_part<P>(
    now: Option<&mut P>,
    before: Option<P>,
    same: impl FnOnce(&P, &P) -> bool,
    unknown: impl Fn(&mut P) -> &mut Unknown,
) {
    if let (Some(now), Some(mut before)) = (now, before)
        && same(now, &before)
    {
        *unknown(now) = std::mem::take(unknown(&mut before));
    }
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

/// Prints `wire` with what `before` holds that we do not know.
fn print<W: Wire>(mut wire: W, before: Option<&str>) -> Box<RawValue> {
    if let Some(before) = before.and_then(|raw| serde_json::from_str(raw).ok()) {
        wire.take_over(before);
    }
    let pretty = serde_json::to_string_pretty(&wire).unwrap_or_else(|_| "null".to_owned());
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
    #[serde(flatten)]
    rest: Unknown,
}

impl AccountWire {
    fn of(account: &Account) -> Option<Self> {
        let Account { id, email } = account.clone();
        (!account.is_unknown()).then(|| Self { id, email, rest: Unknown::new() })
    }

    /// What was said of another person's account ends with it.
    fn take_over(now: Option<&mut Self>, before: Option<Self>) {
        let same = |now: &Self, before: &Self| match (&now.id, &before.id) {
            (Some(now), Some(before)) => now == before,
            _ => now.email == before.email,
        };
        take_over_part(now, before, same, |account| &mut account.rest);
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
