//! A copy of all that is stored, to be kept elsewhere: its format, what it is encrypted with, and how it comes back.
//!
//! Owns [struct@Copy]: a header that says what it is, and the store's own entries. `crypt` encrypts it, `plan` judges what of it may come
//! back, `write` brings that back. Invariants: entries go along to the byte, with what is not known of them (F5); logins under way
//! are left out, since they are good for minutes and hold tokens of Discord; a copy never leaves this module unencrypted but
//! as a [`Secret`]. Must not: read or write a file that somebody named.

mod crypt;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod plan;
mod write;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::crypt::{
    CryptError, Identities, KeyError, Openers, PASSPHRASE_MEMORY, encrypt, is_for_passphrase, make_identity,
    open, recipient,
};
pub use self::plan::{Fate, Item, Left, Plan, Rest, Wish};
pub use self::write::{RestoreError, preview, restore};
use crate::clock::UnixSeconds;
use crate::secret::Secret;
use crate::store::{Document, RawEntry, Unreadable};

/// The version of the format that this program writes, and the latest that it reads.
pub const FORMAT: u64 = 1;

/// The largest copy that is made or read, in bytes, encrypted or not: somewhat more than the largest store.
pub const MOST_BYTES: usize = 80 * 1024 * 1024;

/// What a copy says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// When it was made.
    pub created_at: UnixSeconds,
    /// By which version of Latchkey.
    pub latchkey: String,
    /// The name of the store it was made of (F15).
    pub store_id: Option<String>,
    /// What is in it.
    pub counts: Counts,
}

/// How many entries there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tenants, those that cannot be understood included.
    pub tenants: usize,
    /// Threads.
    pub threads: usize,
    /// Revocations that are owed.
    pub revocations: usize,
}

/// A copy of a store.
#[derive(Debug)]
pub struct Copy {
    /// What it says of itself.
    pub header: Header,
    /// Its entries.
    pub entries: Document,
}

/// Why what was encrypted is no copy of a store that can be used. Shows no value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// It is something else.
    #[error("it was opened, and holds no export of Latchkey: name the file that `latchkey export` wrote")]
    NotACopy,
    /// A later Latchkey made it.
    #[error(
        "it has format {found}, and this Latchkey reads format {FORMAT}: use the Latchkey that wrote it, or a newer one"
    )]
    Newer {
        /// Its format.
        found: String,
    },
    /// It is one, and does not hold together.
    #[error("it is an export, and is damaged inside ({why}): use another export")]
    Damaged {
        /// What is wrong.
        why: String,
    },
    /// It is larger than any store may be.
    #[error("the store is larger than an export may be ({} MiB)", MOST_BYTES / 1024 / 1024)]
    TooLarge,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    latchkey_export: u64,
    created_at: UnixSeconds,
    latchkey_version: String,
    #[serde(default)]
    store_id: Option<String>,
    counts: Counts,
    #[serde(borrow)]
    store: &'a RawValue,
}

/// The one field that every format has.
#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow)]
    latchkey_export: &'a RawValue,
}

impl From<Unreadable> for CopyError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Damaged(why) => Self::Damaged { why },
            Unreadable::Newer(version) => {
                Self::Newer { found: format!("{FORMAT}, and entries of version {version}") }
            }
        }
    }
}

/// The copy of `document`, as it is before it is encrypted.
///
/// # Errors
/// [`CopyError::TooLarge`].
pub fn print(document: &Document, now: UnixSeconds) -> Result<(Header, Secret), CopyError> {
    let damaged = |error: serde_json::Error| CopyError::Damaged { why: error.to_string() };
    let header = Header {
        created_at: now,
        latchkey: env!("CARGO_PKG_VERSION").to_owned(),
        store_id: document.store_id().map(str::to_owned),
        counts: counts(document),
    };
    // The key that seals the store may be lost with its host.
    let store = Secret::new(entries(&document.in_clear()?));
    let wire = Wire {
        latchkey_export: FORMAT,
        created_at: header.created_at,
        latchkey_version: header.latchkey.clone(),
        store_id: header.store_id.clone(),
        counts: header.counts,
        store: serde_json::from_str(store.expose()).map_err(damaged)?,
    };
    let text = Secret::new(serde_json::to_string(&wire).map_err(damaged)?);
    if text.expose().len() > MOST_BYTES { Err(CopyError::TooLarge) } else { Ok((header, text)) }
}

/// Reads what [`print()`] made.
///
/// # Errors
/// See [`CopyError`].
pub fn read(text: &Secret) -> Result<Copy, CopyError> {
    let text = text.expose();
    let format: Format<'_> = serde_json::from_str(text).map_err(|_| CopyError::NotACopy)?;
    match format.latchkey_export.get().parse() {
        Ok(FORMAT) => {}
        Ok(later) if later > FORMAT => return Err(CopyError::Newer { found: later.to_string() }),
        _ => return Err(CopyError::NotACopy),
    }
    // Where it is wrong tells enough; what stands there may be a secret.
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| CopyError::Damaged {
        why: format!("its header cannot be read, at column {}", error.column()),
    })?;
    let entries = Document::of_copy(wire.store.get().to_owned())?;
    let header = Header {
        created_at: wire.created_at,
        latchkey: wire.latchkey_version,
        store_id: wire.store_id,
        counts: wire.counts,
    };
    if counts(&entries) != header.counts {
        return Err(CopyError::Damaged { why: "it does not hold as many entries as it says".to_owned() });
    }
    Ok(Copy { header, entries })
}

fn counts(document: &Document) -> Counts {
    let mut counts = Counts::default();
    for entry in document.raw_entries() {
        match entry.section {
            "tenants" => counts.tenants += 1,
            "threads" => counts.threads += 1,
            "revocations" => counts.revocations += 1,
            _ => {}
        }
    }
    counts
}

/// The entries that go along, as an auth file has them.
fn entries(document: &Document) -> String {
    let list = |section: &'static str| document.raw_entries().filter(move |entry| entry.section == section);
    let known = ["tenants", "pending", "threads", "revocations"];
    let mut text = String::from("{\"version\": 1");
    for section in ["tenants", "threads"] {
        push(&mut text, section, '{', list(section), '}');
    }
    push(&mut text, "revocations", '[', list("revocations"), ']');
    for RawEntry { section, text: raw, .. } in
        document.raw_entries().filter(|entry| !known.contains(&entry.section))
    {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, ",\n{}: {raw}", quoted(section));
    }
    text.push_str("\n}");
    text
}

fn push<'a>(
    text: &mut String,
    section: &str,
    open: char,
    entries: impl Iterator<Item = RawEntry<'a>>,
    close: char,
) {
    let _ = write!(text, ",\n{}: {open}", quoted(section));
    for (number, entry) in entries.enumerate() {
        text.push_str(if number == 0 { "\n" } else { ",\n" });
        if let Some(key) = entry.key {
            let _ = write!(text, "{}: ", quoted(key));
        }
        text.push_str(entry.text);
    }
    text.push(close);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
