//! Text that must never be printed: tokens, codes, verifiers, client secrets.
//!
//! Owns the one type that carries secret text through the program. `Debug` and `Display` show a mask, comparison takes
//! constant time, memory is wiped on drop. The text leaves only through [`Secret::expose`], so that a search for
//! that name finds every place where a secret is used. Must not: implement `serde`, or offer a second way out.

pub mod obscured;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Secret text. Shows as `[secret]` wherever it is printed (Z1).
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`. White space around it is kept: what to forgive is its parser's matter.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for a request body, the store, or the one output that hands it to its owner.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The SHA-256 of the text: how a token is spoken of without being shown.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.expose())
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Secret {}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The SHA-256 of a token: names it without showing it (`--rejected-sha256`, the intent of a refresh).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash([u8; 32]);

/// A token hash that is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a token hash is the token's SHA-256 as 64 hexadecimal digits")]
pub struct TokenHashError;

impl TokenHash {
    /// The hash of `token`.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits, in either case.
    ///
    /// # Errors
    /// Anything else is refused.
    pub fn parse(text: &str) -> Result<Self, TokenHashError> {
        let mut bytes = [0_u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(TokenHashError);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| TokenHashError)?;
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(TokenHashError);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| TokenHashError)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `bytes` as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A fresh random name of 128 bits, in hexadecimal: login ids, credential ids, store ids.
#[must_use]
pub fn random_id() -> String {
    hex(&rand::random::<[u8; 16]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Z1
    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("at-very-secret");
        let all = format!("{secret} {secret:?} {:?} {:#?}", Some(&secret), std::slice::from_ref(&secret));
        assert!(!all.contains("very"), "{all}");
        assert_eq!(secret.expose(), "at-very-secret");
    }

    #[test]
    fn a_hash_reads_back_what_it_prints() {
        let hash = Secret::new("abc").hash();
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(TokenHash::parse(&hash.to_string().to_uppercase()), Ok(hash));
        for bad in ["", "00", &"g".repeat(64), &"+f".repeat(32), &"é".repeat(32)] {
            assert_eq!(TokenHash::parse(bad), Err(TokenHashError), "{bad}");
        }
    }
}
