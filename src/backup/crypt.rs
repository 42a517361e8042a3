//! Encryption of a copy, as an ordinary age file (age-encryption.org/v1).
//!
//! Owns what a copy can be locked with (recipients, or one passphrase) and the typed reasons why one does not open. Invariants: what
//! it writes, the programs `age` and `rage` open, and the reverse; opening is bounded in memory and in work, whatever the file says.
//! Must not: read a file or ask a person.

use std::io::{Read, Write};
use std::str::FromStr;

use age::scrypt;
use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor};

use super::MOST_BYTES;
use crate::secret::Secret;

/// The work that a passphrase costs, as a power of two: what the age programs take (256 MiB, about a second).
const WORK: u8 = 18;
/// The memory that this takes for a moment, in bytes: scrypt's 128·N·r (RFC 7914 section 2), with the r of age, 8.
pub const PASSPHRASE_MEMORY: u64 = (128 * 8) << WORK;
/// The most that is done to try a passphrase (1 GiB): a file could ask for any amount.
const MOST_WORK: u8 = 20;
/// What a file of age begins with.
const MAGIC: &[u8] = b"age-encryption.org/";
/// What it begins with in the form that is fit for mail.
const ARMOURED: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// Who can open a copy.
#[derive(Debug)]
pub enum Openers {
    /// Whoever has the identity of one of these recipients, by their names.
    Recipients(Vec<String>),
    /// Whoever knows this.
    Passphrase(Secret),
}

/// What opens a copy.
pub enum Identities {
    /// Secret keys.
    Keys(Vec<Identity>),
    /// A passphrase.
    Passphrase(Secret),
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identities")
    }
}

/// Why a recipient or an identity file cannot be used. Shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no recipient.
    #[error(
        "{0:?} is no age recipient: one begins with age1; `latchkey export --make-identity FILE` makes one"
    )]
    NoRecipient(String),
    /// A secret key was given in its place.
    #[error(
        "that is an identity, which is secret: give the recipient that belongs to it, which begins with age1"
    )]
    SecretGiven,
    /// The identity file holds none.
    #[error("the identity file holds no identity: it has a line that begins with AGE-SECRET-KEY-1")]
    NoIdentity,
    /// A line of it is none of ours.
    #[error("line {line} of the identity file is no age identity of the ordinary kind (AGE-SECRET-KEY-1…)")]
    BadIdentity {
        /// Which, from 1.
        line: usize,
    },
    /// It is encrypted itself.
    #[error("the identity file is encrypted itself: open it first, with `age --decrypt`")]
    Encrypted,
}

/// Why a file could not be encrypted or opened.
#[derive(Debug, thiserror::Error)]
pub enum CryptError {
    /// Something else.
    #[error("it is no file that age encrypted: name the file that `latchkey export` wrote")]
    NotAge,
    /// Text.
    #[error(
        "it is an age file in the form for mail: turn it round first (`age --decrypt`, then `age --encrypt` without --armor)"
    )]
    Armoured,
    /// A later age.
    #[error("a later version of age encrypted it: use a newer Latchkey")]
    NewerAge,
    /// It is not as it was written. Where it ends too early and where it was changed cannot be told apart.
    #[error("it is cut short, or was changed since it was written: copy it again, or use another export")]
    Altered,
    /// Another identity's.
    #[error(
        "it is not encrypted for this identity: name the identity file whose recipient it was exported to"
    )]
    OtherIdentity,
    /// Another passphrase's.
    #[error("it does not open with this passphrase")]
    WrongPassphrase,
    /// A key was given.
    #[error("it is encrypted with a passphrase: use --passphrase-file, or answer on a terminal")]
    NeedsPassphrase,
    /// A passphrase was given.
    #[error("it is encrypted for a recipient: name the identity file with --identity")]
    NeedsIdentity,
    /// It asks for more work than is done.
    #[error(
        "its passphrase costs more work than is done here: open it with `age --decrypt`, and encrypt it again"
    )]
    TooMuchWork,
    /// It is larger than any export is.
    #[error("it is larger than any export is ({} MiB): name the file that `latchkey export` wrote", MOST_BYTES / 1024 / 1024)]
    TooLarge,
    /// There is nobody to encrypt it for.
    #[error("nobody is named who could open it: name a recipient with --to, or a passphrase")]
    NobodyNamed,
    /// A recipient or an identity cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A bug.
    #[error("internal error: it could not be encrypted: {0}")]
    Internal(String),
}

/// Checks that `name` is a recipient.
///
/// # Errors
/// When it is none.
pub fn recipient(name: &str) -> Result<Recipient, KeyError> {
    let name = name.trim();
    if name.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        return Err(KeyError::SecretGiven);
    }
    let shown = || name.chars().take(80).collect();
    Recipient::from_str(name).map_err(|_| KeyError::NoRecipient(shown()))
}

/// A new identity, as the text of its file, and the recipient that belongs to it.
#[must_use]
pub fn make_identity() -> (Secret, String) {
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    let text = format!("# public key: {recipient}\n{}\n", identity.to_string().expose_secret());
    (Secret::new(text), recipient)
}

impl Identities {
    /// Reads the text of an identity file, as `age-keygen` and [`make_identity`] write it.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(text: &Secret) -> Result<Self, KeyError> {
        let bytes = text.expose().as_bytes();
        if bytes.starts_with(MAGIC) || bytes.starts_with(ARMOURED) {
            return Err(KeyError::Encrypted);
        }
        let lines = text.expose().lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, text)| Identity::from_str(text).map_err(|_| KeyError::BadIdentity { line }))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError::NoIdentity) } else { Ok(Self::Keys(keys)) }
    }
}

fn passphrase(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose().to_owned())
}

/// Encrypts `text` so that `openers` can open it.
///
/// # Errors
/// See [`CryptError`].
pub fn encrypt(text: &Secret, openers: &Openers) -> Result<Vec<u8>, CryptError> {
    let internal = |error: &dyn std::fmt::Display| CryptError::Internal(error.to_string());
    let encryptor = match openers {
        Openers::Recipients(names) if names.is_empty() => return Err(CryptError::NobodyNamed),
        Openers::Recipients(names) => {
            let keys = names.iter().map(|name| recipient(name)).collect::<Result<Vec<_>, _>>()?;
            Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient))
        }
        Openers::Passphrase(secret) => {
            let mut key = scrypt::Recipient::new(passphrase(secret));
            key.set_work_factor(WORK);
            Encryptor::with_recipients(std::iter::once(&key as &dyn age::Recipient))
        }
    };
    let encryptor = encryptor.map_err(|error| internal(&error))?;
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes).map_err(|error| internal(&error))?;
    writer.write_all(text.expose().as_bytes()).map_err(|error| internal(&error))?;
    writer.finish().map_err(|error| internal(&error))?;
    Ok(bytes)
}

/// Whether `bytes` opens with a passphrase rather than with an identity.
///
/// # Errors
/// When it is no file of age.
pub fn is_for_passphrase(bytes: &[u8]) -> Result<bool, CryptError> {
    Ok(decryptor(bytes)?.is_scrypt())
}

/// Opens `bytes`.
///
/// # Errors
/// See [`CryptError`].
pub fn open(bytes: &[u8], identities: &Identities) -> Result<Secret, CryptError> {
    let decryptor = decryptor(bytes)?;
    let for_passphrase = decryptor.is_scrypt();
    let opened = match identities {
        Identities::Keys(_) if for_passphrase => return Err(CryptError::NeedsPassphrase),
        Identities::Passphrase(_) if !for_passphrase => return Err(CryptError::NeedsIdentity),
        Identities::Keys(keys) => decryptor.decrypt(keys.iter().map(|key| key as &dyn age::Identity)),
        Identities::Passphrase(secret) => {
            let mut key = scrypt::Identity::new(passphrase(secret));
            key.set_max_work_factor(MOST_WORK);
            decryptor.decrypt(std::iter::once(&key as &dyn age::Identity))
        }
    };
    let reader = opened.map_err(|error| match (refused(&error), for_passphrase) {
        (CryptError::OtherIdentity, true) => CryptError::WrongPassphrase,
        (error, _) => error,
    })?;
    let mut text = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    reader.take(most.saturating_add(1)).read_to_end(&mut text).map_err(|_| CryptError::Altered)?;
    if text.len() > MOST_BYTES {
        return Err(CryptError::TooLarge);
    }
    // What is no text is no copy; an empty one is none either, and is said to be that by whoever reads it.
    Ok(String::from_utf8(text).map_or_else(|_| Secret::new(""), Secret::new))
}

fn decryptor(bytes: &[u8]) -> Result<Decryptor<&[u8]>, CryptError> {
    if bytes.starts_with(ARMOURED) {
        return Err(CryptError::Armoured);
    }
    if !bytes.starts_with(MAGIC) {
        return Err(CryptError::NotAge);
    }
    Decryptor::new_buffered(bytes).map_err(|error| refused(&error))
}

fn refused(error: &DecryptError) -> CryptError {
    match error {
        DecryptError::InvalidHeader | DecryptError::InvalidMac | DecryptError::Io(_) => CryptError::Altered,
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed => {
            CryptError::OtherIdentity
        }
        DecryptError::ExcessiveWork { .. } => CryptError::TooMuchWork,
        DecryptError::UnknownFormat => CryptError::NewerAge,
    }
}
