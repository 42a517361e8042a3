//! One sealed value: `sealed:<format>:<key id>:<base64url of nonce and ciphertext>`.
//!
//! Owns the cipher (XChaCha20-Poly1305), the text of a sealed value, and what a value is bound to: the store's format, and
//! section, entry and field. Invariants: each sealing has a nonce of its own, of 192 random bits; a value that was
//! moved, cut or changed does not open. Must not: say in an error what a value holds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;

use super::keys::is_id;

/// The format of sealed values.
const FORMAT: &str = "1";
/// What is bound to each value before everything else.
const CONTEXT: &str = "latchkey auth file";
const NONCE: usize = 24;

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub section: &'a str,
    pub entry: &'a str,
    pub field: &'a str,
}

impl Place<'_> {
    /// Where the proof stands that a key is the file's.
    pub(super) fn proof() -> Self {
        Self { section: "sealing", entry: "", field: "proof" }
    }

    /// The associated data: each part with its length, so that no two places have the same.
    fn bound(&self) -> Vec<u8> {
        let parts = [CONTEXT, FORMAT, self.section, self.entry, self.field];
        parts.iter().flat_map(|part| format!("{}:{part},", part.len()).into_bytes()).collect()
    }
}

/// Why a value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unopened {
    #[error("is sealed with the key {key:?}, which is not among the keys here: add that key")]
    Unknown { key: String },
    #[error(
        "is sealed and does not open: it is damaged, was moved from another place, or the key called {key:?} is another"
    )]
    Another { key: String },
    #[error("is sealed in a way that this program does not know")]
    Malformed,
}

/// Whether `text` claims to be sealed. What does is never taken for a secret itself.
pub(super) fn is_sealed(text: &str) -> bool {
    let format = text.strip_prefix("sealed:").and_then(|rest| rest.split_once(':')).map(|(format, _)| format);
    format.is_some_and(|format| !format.is_empty() && format.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The key's id and the rest of a value in the format that is known.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, body) =
        text.strip_prefix("sealed:")?.strip_prefix(FORMAT)?.strip_prefix(':')?.split_once(':')?;
    is_id(id).then_some((id, body))
}

/// The id of the key that has sealed `text`.
pub(super) fn key_of(text: &str) -> Option<&str> {
    parts(text).map(|(id, _)| id)
}

/// A key with its name. Wiped when it goes (the cipher sees to it); it has no `Debug`.
pub(super) struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl Key {
    pub(super) fn new(id: String, bytes: &[u8; 32]) -> Self {
        Self { id, cipher: XChaCha20Poly1305::new(bytes.into()) }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Seals `text`, for `place` alone.
    pub(super) fn seal(&self, place: &Place<'_>, text: &str) -> String {
        self.seal_with(rand::random(), place, text)
    }

    /// The same with a nonce that must never have been used with this key.
    pub(super) fn seal_with(&self, nonce: [u8; NONCE], place: &Place<'_>, text: &str) -> String {
        let payload = Payload { msg: text.as_bytes(), aad: &place.bound() };
        #[expect(
            clippy::expect_used,
            reason = "it fails from 256 GiB on, and a file is refused from 64 MiB on"
        )]
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), payload).expect("a text in memory");
        let body = URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat());
        format!("sealed:{FORMAT}:{}:{body}", self.id)
    }
}

/// Opens `text`, which was sealed for `place` with one of `keys`.
pub(super) fn open(keys: &[Key], place: &Place<'_>, text: &str) -> Result<Zeroizing<String>, Unopened> {
    let (id, body) = parts(text).ok_or(Unopened::Malformed)?;
    let unknown = || Unopened::Unknown { key: id.to_owned() };
    let key = keys.iter().find(|key| key.id == id).ok_or_else(unknown)?;
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| Unopened::Malformed)?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(Unopened::Malformed)?;
    let another = || Unopened::Another { key: id.to_owned() };
    let payload = Payload { msg: sealed, aad: &place.bound() };
    let open = key.cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| another())?;
    String::from_utf8(open).map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        another()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { section: "tenants", entry: "codex", field: "access_token" };

    fn keys() -> [Key; 2] {
        [("new", 1), ("old", 2)].map(|(id, byte)| Key::new(id.to_owned(), &[byte; 32]))
    }

    /// F14: the example of docs/auth-file.md, which another program can be tried against.
    #[test]
    fn the_documented_example_is_what_comes_out() {
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|at| u8::try_from(at + 64).unwrap());
        let sealed = Key::new("example".to_owned(), &key).seal_with(nonce, &PLACE, "at-example");
        let page = include_str!("../../../docs/auth-file.md");
        assert!(page.contains(&format!("`{sealed}`")), "{sealed}");
        let bound = String::from_utf8(PLACE.bound()).unwrap();
        assert!(page.contains(&format!("`{bound}`")), "{bound}");
    }

    /// Sealing: what was sealed opens at its own place, with its own key, whole, and in no other way.
    #[test]
    fn a_value_opens_where_it_was_sealed_and_nowhere_else() {
        let keys = keys();
        let sealed = keys[1].seal(&PLACE, "at-1 \"é\"");
        assert_eq!(open(&keys, &PLACE, &sealed).unwrap().as_str(), "at-1 \"é\"");
        let another = Err(Unopened::Another { key: "old".to_owned() });
        for place in [
            Place { section: "pending", ..PLACE },
            Place { entry: "codex@1", ..PLACE },
            Place { field: "refresh_token", ..PLACE },
            // The same bytes, divided otherwise.
            Place { entry: "codex5:", field: "access_token", ..PLACE },
        ] {
            assert_eq!(open(&keys, &place, &sealed), another, "{place:?}");
        }
        let body = sealed.rfind(':').unwrap() + 1;
        for at in body..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(open(&keys, &PLACE, &other).is_err(), "{other}");
        }
        for cut in body..sealed.len() {
            assert!(open(&keys, &PLACE, &sealed[..cut]).is_err(), "{cut}");
        }
        assert_eq!(open(&keys[..1], &PLACE, &sealed), Err(Unopened::Unknown { key: "old".to_owned() }));
        let renamed = sealed.replace(":old:", ":new:");
        assert_eq!(open(&keys, &PLACE, &renamed), Err(Unopened::Another { key: "new".to_owned() }));
        assert_ne!(keys[1].seal(&PLACE, "at-1"), keys[1].seal(&PLACE, "at-1"), "a nonce is used once");
    }

    /// Sealing: whatever claims to be sealed is treated as sealed, and damage in it is an error.
    #[test]
    fn what_claims_to_be_sealed_is_never_taken_for_a_secret() {
        for text in
            ["sealed:1:", "sealed:1:new:", "sealed:2:new:AAAA", "sealed:1:NEW:AAAA", "sealed:1:new:=!"]
        {
            assert!(is_sealed(text), "{text}");
            assert_eq!(open(&keys(), &PLACE, text), Err(Unopened::Malformed), "{text}");
        }
        for text in
            ["", "sealed", "sealed:", "sealed::x", "sealed:one:new:AAAA", "at-1", " sealed:1:new:AAAA"]
        {
            assert!(!is_sealed(text), "{text}");
        }
    }
}
