//! The field names of the auth file.
//!
//! Owns the conversion between stored JSON and the domain's records, and is the only place that knows the names.
//! Invariants: fields that this program does not know survive a rewrite of their entry (F5); an error names the field
//! and never its value. Must not: decide anything about what it reads.

mod login;
mod tenant;
mod thread;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

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

/// A wire type: what this program knows of an entry.
trait Wire: for<'de> Deserialize<'de> + Serialize {}
impl<W: for<'de> Deserialize<'de> + Serialize> Wire for W {}

/// Fields that this program does not know, as they stand in the file: a number keeps all its digits.
type Unknown = BTreeMap<String, Box<RawValue>>;

/// What `before` holds beyond the fields of `W`.
fn unknown_fields<W: Wire>(before: Option<&str>) -> Unknown {
    let mut fields: Unknown = before.and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    for name in names::<W>() {
        fields.remove(*name);
    }
    fields
}

/// The names of the fields of `W`: those that it asks a deserializer for.
fn names<W: Wire>() -> &'static [&'static str] {
    struct Asked<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Asked<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom("it was only asked"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // The answer is the question; that nothing comes of it is meant.
    drop(W::deserialize(Asked(&mut names)));
    names
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

/// The entry as text: what we know, then what we do not, which is put there as it was.
fn print<W: Wire>(wire: &W, unknown: &Unknown) -> Box<RawValue> {
    let pretty = serde_json::to_string_pretty(wire).unwrap_or_else(|_| "null".to_owned());
    // Entries stand two levels deep; JSON text holds no line break inside a string.
    let mut text = pretty.replace('\n', "\n    ");
    if let Some(known) = text.strip_suffix("\n    }") {
        text.truncate(known.len());
        for (name, value) in unknown {
            // Writing to a String cannot fail.
            let _ = write!(text, ",\n      {}: {value}", serde_json::Value::from(name.as_str()));
        }
        text.push_str("\n    }");
    }
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// F14: what another program reads of the format names every field.
    #[test]
    fn every_field_is_documented() {
        let text = include_str!("../../../docs/auth-file.md");
        let all = [
            names::<tenant::TenantWire>(),
            names::<login::PendingWire>(),
            names::<thread::ThreadWire>(),
            names::<thread::RevocationWire>(),
        ];
        for fields in all {
            assert!(fields.len() > 2, "the fields are known");
            for field in fields {
                assert!(text.contains(&format!("`{field}`")), "{field} is not in docs/auth-file.md");
            }
        }
        for part in [names::<tenant::IntentWire>(), names::<AccountWire>(), names::<login::ReasonWire>()] {
            for field in part {
                assert!(text.contains(&format!("\"{field}\"")), "{field} is not in docs/auth-file.md");
            }
        }
    }
}
