//! The keys: where they come from, and their text.
//!
//! Owns [`Keys`]: one a line, `<id> <base64 of 32 bytes>`, the first of which seals while all open. Invariants: a key is never
//! printed, not in an error either; what others on this host could write is no key file. Must not: seal.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use super::file::read;
use super::value::{Key, Place, Unopened, open};
use crate::config::{CREDENTIALS_VARIABLE, Env, SealKeySource};
use crate::secret::{Secret, random_id};

/// The longest id.
const ID: usize = 32;
/// Bytes of a key.
const KEY: usize = 32;

/// Why the keys that are configured cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// They are not here, or not for this user.
    #[error("cannot read the keys that seal the store from {place}: {why}")]
    Missing {
        /// Where they are said to be.
        place: String,
        /// What is wrong, and the remedy.
        why: String,
    },
    /// What is there is no list of keys.
    #[error("{place} is no list of keys that seal the store: {why}")]
    Malformed {
        /// Where it is.
        place: String,
        /// What is wrong, and the remedy.
        why: String,
    },
    /// Others could have put theirs there.
    #[error("the keys that seal the store cannot be trusted: {0}")]
    Unsafe(String),
}

/// A file that holds keys, with what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its path.
    pub path: PathBuf,
    /// Whether everybody on this host may read it.
    pub is_read_by_all: bool,
}

/// The keys of a store. They are wiped when this goes, and cannot be printed.
pub struct Keys {
    /// At least one; no two of one id.
    keys: Vec<Key>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

/// Whether `text` can name a key.
pub(super) fn is_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=ID).contains(&text.len()) && text.bytes().all(is_part)
}

/// A new key, as the line that a list of keys holds. Without an id it gets one.
///
/// # Errors
/// When `id` can name no key.
pub fn new_key(id: Option<&str>) -> Result<Secret, KeysError> {
    use chacha20poly1305::aead::OsRng;
    use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

    let made = || format!("key-{}", random_id().get(..8).unwrap_or_default());
    let id = id.map_or_else(made, str::to_owned);
    if !is_id(&id) {
        let why = format!("no key can be called {id:?}: use 1 to {ID} of a-z, 0-9 and '-'");
        return Err(KeysError::Malformed { place: "the new key's name".to_owned(), why });
    }
    let bytes = Zeroizing::new(<[u8; KEY]>::from(XChaCha20Poly1305::generate_key(&mut OsRng)));
    Ok(Secret::new(format!("{id} {}", *Zeroizing::new(STANDARD.encode(&bytes[..])))))
}

impl Keys {
    /// Reads the keys from where the configuration says.
    ///
    /// # Errors
    /// When they are not there, are no keys, or others could have written them.
    pub fn load(source: &SealKeySource, env: Env<'_>) -> Result<Self, KeysError> {
        match source {
            SealKeySource::File(path) => Self::in_file(path),
            SealKeySource::Environment(variable) => {
                let place = format!("the environment variable {variable}");
                match env(variable).map(Zeroizing::new) {
                    Some(text) => Self::parse(&text, &place),
                    None => Err(KeysError::Missing {
                        place,
                        why: "it is not set here; set it, or use seal_key_file, which every program of this user can read"
                            .to_owned(),
                    }),
                }
            }
            SealKeySource::Credential(_) => match Self::file_of(source, env) {
                Some(path) => Self::in_file(&path),
                None => Err(KeysError::Missing {
                    place: "systemd's credentials".to_owned(),
                    why: "systemd hands over none here: run this in the unit, ask the bot through its socket, or use \
                          seal_key_file"
                        .to_owned(),
                }),
            },
        }
    }

    /// The file that `source` names, if it is one.
    #[must_use]
    pub fn file_of(source: &SealKeySource, env: Env<'_>) -> Option<PathBuf> {
        match source {
            SealKeySource::File(path) => Some(path.clone()),
            SealKeySource::Environment(_) => None,
            SealKeySource::Credential(name) => Some(Path::new(&env(CREDENTIALS_VARIABLE)?).join(name)),
        }
    }

    /// Reads the keys in the file at `path`.
    ///
    /// # Errors
    /// Likewise.
    pub fn in_file(path: &Path) -> Result<Self, KeysError> {
        Self::parse(&read(path)?, &path.display().to_string())
    }

    /// Reads a list of keys, which came from `place`.
    ///
    /// # Errors
    /// When it is none; the error names the line, and shows nothing of it.
    pub fn parse(text: &str, place: &str) -> Result<Self, KeysError> {
        let malformed = |why: String| KeysError::Malformed { place: place.to_owned(), why };
        let mut keys: Vec<Key> = Vec::new();
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let wrong = |why: &str| malformed(format!("line {number}: {why}"));
            let mut words = line.split_ascii_whitespace();
            let (Some(id), Some(key), None) = (words.next(), words.next(), words.next()) else {
                return Err(wrong(
                    "write a name, a space, and the key in base64, as `latchkey seal key` prints it",
                ));
            };
            if !is_id(id) {
                return Err(wrong("the key's name must be 1 to 32 of a-z, 0-9 and '-'"));
            }
            let bytes = Zeroizing::new(STANDARD.decode(key).unwrap_or_default());
            let Ok(bytes) = <&[u8; KEY]>::try_from(bytes.as_slice()) else {
                return Err(wrong("the key must be 32 bytes in base64, such as `latchkey seal key` makes"));
            };
            if keys.iter().any(|known| known.id() == id) {
                return Err(wrong("a key of this name stands above; give each a name of its own"));
            }
            keys.push(Key::new(id.to_owned(), bytes));
        }
        if keys.is_empty() {
            return Err(malformed("it holds no key: `latchkey seal key` prints a new one".to_owned()));
        }
        Ok(Self { keys })
    }

    /// The ids, that of the key that seals first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(Key::id)
    }

    /// The key that seals.
    pub(super) fn first(&self) -> &Key {
        // There is one: `parse` refuses an empty list.
        &self.keys[0]
    }

    pub(super) fn open(&self, place: &Place<'_>, text: &str) -> Result<Zeroizing<String>, Unopened> {
        open(&self.keys, place, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "one AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const TWO: &str = "two ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

    fn refusal(text: &str) -> String {
        Keys::parse(text, "the keys").unwrap_err().to_string()
    }

    /// Sealing: the first line seals; comments and blank lines say nothing; an error names the line and shows no key.
    #[test]
    fn a_list_of_keys_is_read_strictly() {
        let keys = Keys::parse(&format!("# since May\n\n {TWO}\r\n{ONE}\n"), "the keys").unwrap();
        assert_eq!((keys.ids().collect::<Vec<_>>(), keys.first().id()), (vec!["two", "one"], "two"));
        let short = &ONE[..40];
        for (text, what) in [
            (String::new(), "it holds no key"),
            ("# nothing\n".to_owned(), "it holds no key"),
            (format!("{ONE}\n{}", ONE.replace("one", "")), "line 2: write a name, a space"),
            (format!("{ONE} # why"), "line 1: write a name, a space"),
            (ONE.replace("one", "One"), "line 1: the key's name"),
            (ONE.replace("one", &"o".repeat(33)), "line 1: the key's name"),
            (format!("\n{short}"), "line 2: the key must be 32 bytes"),
            (format!("{ONE}A"), "line 1: the key must be 32 bytes"),
            (format!("{TWO}\n{}", ONE.replace("one", "two")), "line 2: a key of this name"),
        ] {
            let told = refusal(&text);
            assert!(told.starts_with("the keys is no list") && told.contains(what), "{text:?}: {told}");
            assert!(!told.contains("AAEC") && !told.contains("ICEi"), "{told}");
        }
        assert_eq!(format!("{:?}", Keys::parse(ONE, "the keys").unwrap()), "[\"one\"]");
    }

    /// Sealing: a new key is one that can be read, and another each time.
    #[test]
    fn a_new_key_is_a_line_of_a_list() {
        let lines = [new_key(None).unwrap(), new_key(Some("may-2026")).unwrap()];
        let keys = Keys::parse(&lines.each_ref().map(Secret::expose).join("\n"), "the keys").unwrap();
        assert_eq!(keys.ids().nth(1), Some("may-2026"));
        assert_ne!(new_key(Some("a")).unwrap(), new_key(Some("a")).unwrap());
        assert!(new_key(Some("May 2026")).unwrap_err().to_string().contains("use 1 to 32 of a-z"));
    }

    /// Sealing: where the keys are said to be, and the remedy where they are not.
    #[test]
    fn keys_come_from_a_file_the_environment_or_systemd() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal");
        std::fs::write(&path, ONE).unwrap();
        let env = |name: &str| match name {
            "SEAL" => Some(TWO.to_owned()),
            CREDENTIALS_VARIABLE => Some(folder.path().display().to_string()),
            _ => None,
        };
        let first = |source: &SealKeySource| {
            Keys::load(source, &env)
                .map(|keys| keys.first().id().to_owned())
                .map_err(|error| error.to_string())
        };
        assert_eq!(first(&SealKeySource::File(path)), Ok("one".to_owned()));
        assert_eq!(first(&SealKeySource::Environment("SEAL".to_owned())), Ok("two".to_owned()));
        assert_eq!(first(&SealKeySource::Credential("seal".to_owned())), Ok("one".to_owned()));
        for (source, what) in [
            (SealKeySource::File(folder.path().join("none")), "none: No such file"),
            (SealKeySource::Environment("OTHER".to_owned()), "OTHER: it is not set here"),
            (SealKeySource::Credential("other".to_owned()), "other: No such file"),
        ] {
            let told = first(&source).unwrap_err();
            assert!(
                told.starts_with("cannot read the keys that seal the store from") && told.contains(what),
                "{told}"
            );
        }
        let told =
            Keys::load(&SealKeySource::Credential("seal".to_owned()), &|_| None).unwrap_err().to_string();
        assert!(told.contains("systemd hands over none here"), "{told}");
    }
}
