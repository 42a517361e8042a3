//! Sealing: what is secret in an entry, made unreadable to whoever has the file and not the key.
//!
//! Owns the passage between an entry's text as it stands in the file and its text as it is understood. Invariants: bytes that
//! are not secret stay as they are (F5); what is sealed opens where it was sealed and nowhere else; what cannot be opened
//! is never taken for what it hides. Must not: know field names (`wire/` lists them), or touch the auth file.

mod file;
mod keys;
mod places;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Deref, Range};
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::file::{add_key, look_at_file};
pub use self::keys::{KeyFile, Keys, KeysError, new_key};
pub(in crate::store) use self::places::Secrets;
use self::places::find;
use self::value::{Place, Unopened, is_sealed};
use crate::tenant::TenantKey;

/// How the text of each sealed value begins, as it stands in the file.
const BEGINNING: &str = "\"sealed:";
/// What is sealed to prove that a key is the file's.
const PROOF: &str = "latchkey";

/// Why a whole store cannot be opened. Nothing of it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// Nobody has said where a key is.
    #[error(
        "it is sealed with the key {key:?}, and no key is configured: name what holds it as seal_key_file, seal_key_env or \
         seal_key_credential under [store]"
    )]
    NoKey {
        /// The key's id.
        key: String,
    },
    /// The keys are others.
    #[error(
        "it is sealed with the key {key:?}, which is not among those that are configured ({known}): add its line behind them; \
         if it is lost, stop the bot, move this file away, and restore an export or sign in anew"
    )]
    Unknown {
        /// The key's id.
        key: String,
        /// The ids of those that are there.
        known: String,
    },
    /// A key of this id is there, and is another.
    #[error(
        "it is sealed with another key than the one that is configured as {key:?}: put back the right one, from where it is \
         kept; if it is lost, stop the bot, move this file away, and restore an export or sign in anew"
    )]
    Another {
        /// The id of both.
        key: String,
    },
}

/// How much of a store is sealed, and with what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealStanding {
    /// The ids of the keys that are configured; the first of them seals.
    pub keys: Vec<String>,
    /// The id of the key that the file says it is sealed with.
    pub file: Option<String>,
    /// How many values each key has sealed.
    pub sealed: BTreeMap<String, usize>,
    /// How many secret values stand in clear.
    pub in_clear: usize,
    /// How many sealed values do not open.
    pub unopened: usize,
    /// Rotated tokens that the auth file could not take, and that wait beside it.
    pub kept_aside: Vec<KeptAside>,
}

/// A rescue file in use (G21), as far as it can be told without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAside {
    /// Whose it is; none where no such tenant is stored.
    pub tenant: Option<TenantKey>,
    /// The file.
    pub file: PathBuf,
    /// The ids of the keys that have sealed it; none where it is in clear.
    pub keys: BTreeSet<String>,
}

impl fmt::Display for KeptAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tenant {
            Some(tenant) => write!(f, "{tenant}"),
            None => write!(f, "{}, of no tenant that is stored", self.file.display()),
        }
    }
}

/// What a pass over a whole file makes of its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// All are sealed with the first key.
    Seal,
    /// All stand in clear.
    Open,
}

/// The text of an entry as it is understood. What was opened for it is wiped when it goes.
pub(super) enum Opened<'a> {
    AsItStands(&'a str),
    Opened(Zeroizing<String>),
}

impl Deref for Opened<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::AsItStands(text) => text,
            Self::Opened(text) => text,
        }
    }
}

/// An entry's place in the file, as far as its secrets are bound to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub section: &'a str,
    pub entry: &'a str,
}

/// What seals and opens here: the keys, if there are any.
#[derive(Clone, Default)]
pub(super) struct Seal(Option<Arc<Keys>>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Seal(with keys)" } else { "Seal(without keys)" })
    }
}

impl From<Keys> for Seal {
    fn from(keys: Keys) -> Self {
        Self(Some(Arc::new(keys)))
    }
}

/// The `sealing` section of a sealed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The id of the key that seals.
    pub key: String,
    /// As it stands in the file.
    pub text: String,
}

/// Why a `sealing` section does not do.
#[derive(Debug)]
pub(super) enum HeaderError {
    /// It is none.
    Malformed,
    /// The key is not here.
    Sealed(SealedError),
}

impl Seal {
    /// Whether there is a key that seals.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The key that seals.
    pub(super) fn first(&self) -> Option<&str> {
        Some(self.0.as_ref()?.first().id())
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.0.iter().flat_map(|keys| keys.ids()).map(str::to_owned).collect()
    }

    /// The section for a file that the first key seals.
    pub(super) fn header(&self) -> Option<Header> {
        let key = self.0.as_ref()?.first();
        let proof = key.seal(&Place::proof(), PROOF);
        let id = key.id().to_owned();
        Some(Header { text: format!("{{\n    \"key\": {id:?},\n    \"proof\": {proof:?}\n  }}"), key: id })
    }

    /// Reads such a section, and makes sure that its key is here.
    pub(super) fn judged(&self, text: &str) -> Result<Header, HeaderError> {
        #[derive(Deserialize)]
        struct Found {
            key: String,
            proof: String,
        }
        let Found { key, proof } = serde_json::from_str(text).map_err(|_| HeaderError::Malformed)?;
        if !keys::is_id(&key) || !is_sealed(&proof) {
            return Err(HeaderError::Malformed);
        }
        let Some(keys) = &self.0 else { return Err(HeaderError::Sealed(SealedError::NoKey { key })) };
        match keys.open(&Place::proof(), &proof) {
            Ok(_) => Ok(Header { key, text: text.to_owned() }),
            Err(Unopened::Unknown { .. }) => {
                let known = keys.ids().collect::<Vec<_>>().join(", ");
                Err(HeaderError::Sealed(SealedError::Unknown { key, known }))
            }
            Err(Unopened::Another { .. } | Unopened::Malformed) => {
                Err(HeaderError::Sealed(SealedError::Another { key }))
            }
        }
    }

    /// The text of an entry as it is to be understood; the error says what does not open, without showing it.
    pub(super) fn opened<'a>(
        &self,
        secrets: &Secrets,
        spot: Spot<'_>,
        raw: &'a str,
    ) -> Result<Opened<'a>, String> {
        // Of a file that is not sealed no entry is looked through.
        if !raw.contains(BEGINNING) {
            return Ok(Opened::AsItStands(raw));
        }
        let mut changes = Vec::new();
        for (at, field) in find(raw, secrets) {
            let Some(text) = text_at(raw, &at).filter(|text| is_sealed(text)) else { continue };
            let open = self.open(spot, &field, &text).map_err(|why| format!("\"{field}\" {why}"))?;
            changes.push((at, quoted(&open)));
        }
        Ok(Opened::Opened(spliced(raw, &changes)))
    }

    /// The text of an entry with all its secrets sealed, none of which is yet.
    pub(super) fn sealed(&self, secrets: &Secrets, spot: Spot<'_>, raw: &str) -> Option<String> {
        let key = self.0.as_ref()?.first();
        let mut changes = Vec::new();
        for (at, field) in find(raw, secrets) {
            if let Some(text) = text_at(raw, &at) {
                changes.push((at, quoted(&key.seal(&spot.field(&field), &text))));
            }
        }
        Some(spliced(raw, &changes).to_string())
    }

    /// The text of an entry as `pass` has it, if that is another; and how many values stay as they are, since they do not
    /// open.
    pub(super) fn passed(
        &self,
        pass: Pass,
        secrets: &Secrets,
        spot: Spot<'_>,
        raw: &str,
    ) -> (Option<String>, usize) {
        let Some(keys) = &self.0 else { return (None, 0) };
        let (mut changes, mut left) = (Vec::new(), 0);
        for (at, field) in find(raw, secrets) {
            let Some(text) = text_at(raw, &at) else { continue };
            let sealed_with = is_sealed(&text).then(|| value::key_of(&text));
            let place = spot.field(&field);
            match (pass, sealed_with) {
                (Pass::Seal, None) => changes.push((at, quoted(&keys.first().seal(&place, &text)))),
                (Pass::Open, None) => {}
                (Pass::Seal, Some(Some(id))) if id == keys.first().id() => {}
                (_, Some(_)) => match keys.open(&place, &text) {
                    Ok(open) if pass == Pass::Seal => {
                        changes.push((at, quoted(&keys.first().seal(&place, &open))));
                    }
                    // In clear it would be taken for what it looks like.
                    Ok(open) if is_sealed(&open) => left += 1,
                    Ok(open) => changes.push((at, quoted(&open))),
                    Err(_) => left += 1,
                },
            }
        }
        let text = (!changes.is_empty()).then(|| spliced(raw, &changes).to_string());
        (text, left)
    }

    /// Adds to `standing` what there is in an entry.
    pub(super) fn count(&self, secrets: &Secrets, spot: Spot<'_>, raw: &str, standing: &mut SealStanding) {
        for (at, field) in find(raw, secrets) {
            let Some(text) = text_at(raw, &at) else { continue };
            if !is_sealed(&text) {
                standing.in_clear += 1;
                continue;
            }
            let key = value::key_of(&text).unwrap_or("?");
            *standing.sealed.entry(key.to_owned()).or_default() += 1;
            standing.unopened += usize::from(self.open(spot, &field, &text).is_err());
        }
    }

    fn open(&self, spot: Spot<'_>, field: &str, text: &str) -> Result<Zeroizing<String>, Unopened> {
        match &self.0 {
            Some(keys) => keys.open(&spot.field(field), text),
            None => Err(Unopened::Unknown { key: value::key_of(text).unwrap_or_default().to_owned() }),
        }
    }
}

impl<'a> Spot<'a> {
    fn field(self, field: &'a str) -> Place<'a> {
        Place { section: self.section, entry: self.entry, field }
    }
}

/// The ids of the keys that have sealed what is secret in an entry.
pub(super) fn keys_in(secrets: &Secrets, raw: &str) -> BTreeSet<String> {
    let texts = find(raw, secrets).into_iter().filter_map(|(at, _)| text_at(raw, &at));
    let sealed = texts.filter(|text| is_sealed(text));
    sealed.map(|text| value::key_of(&text).unwrap_or("?").to_owned()).collect()
}

/// The text of an entry that stands in clear, wiped when it goes.
pub(super) fn in_clear(raw: Box<RawValue>) -> Zeroizing<String> {
    Zeroizing::new(String::from(Box::<str>::from(raw)))
}

/// The text at `at`; none where it is no valid Unicode, whose entry cannot be understood anyway.
fn text_at(raw: &str, at: &Range<usize>) -> Option<Zeroizing<String>> {
    serde_json::from_str(raw.get(at.clone())?).ok().map(Zeroizing::new)
}

fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(serde_json::Value::from(text).to_string())
}

/// `raw` with each of `changes`, which are in order, in its place.
fn spliced(raw: &str, changes: &[(Range<usize>, Zeroizing<String>)]) -> Zeroizing<String> {
    // Of its final length from the start: one that grows leaves pieces of secrets behind.
    let longer: usize = changes.iter().map(|(_, text)| text.len()).sum();
    let mut whole = Zeroizing::new(String::with_capacity(raw.len() + longer));
    let mut behind = 0;
    for (at, text) in changes {
        whole.push_str(raw.get(behind..at.start).unwrap_or_default());
        whole.push_str(text);
        behind = at.end;
    }
    whole.push_str(raw.get(behind..).unwrap_or_default());
    whole
}

#[cfg(test)]
mod tests;
