//! Obscured text, as rclone writes and reads it (T14).
//!
//! Owns both directions: AES-256 in counter mode under rclone's published key, the initialisation vector in front, base64url
//! without padding. It keeps a secret from scanners and from shoulders, and from nobody else: whoever has the text has the
//! secret. Invariant: an error quotes neither. Must not: be called encryption.

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};

use super::Secret;

/// The key that rclone publishes in its source, so that every copy of it reads what another wrote.
const KEY: [u8; 32] = [
    0x9c, 0x93, 0x5b, 0x48, 0x73, 0x0a, 0x55, 0x4d, 0x6b, 0xfd, 0x7c, 0x63, 0xc8, 0x86, 0xa9, 0x2b, 0xd3,
    0x90, 0x19, 0x8e, 0xb8, 0x12, 0x8a, 0xfb, 0xf4, 0xde, 0x16, 0x2b, 0x8b, 0x95, 0xf6, 0x38,
];
/// Bytes of the initialisation vector.
const IV: usize = 16;

/// Why a text reveals nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObscuredError {
    /// It has characters that obscured text never has, or was cut.
    #[error("it is not obscured text (base64url without padding); make it with `latchkey obscure`")]
    NotBase64,
    /// It has no room for an initialisation vector.
    #[error("it is too short for obscured text; make it with `latchkey obscure`")]
    TooShort,
    /// What comes out is no text.
    #[error(
        "it reveals no readable text: it is cut, or a secret that was never obscured; make it with `latchkey obscure`"
    )]
    NotText,
    /// What comes out, or is to be hidden, is no client secret.
    #[error("a client secret has only visible ASCII characters, and spaces inside")]
    NotASecret,
}

/// The client secret in `text` (RFC 6749 appendix A.2), without white space around it.
///
/// # Errors
/// Where it has other characters, or none.
pub fn client_secret(text: &str) -> Result<Secret, ObscuredError> {
    let text = text.trim();
    let is_one = !text.is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    is_one.then(|| Secret::new(text)).ok_or(ObscuredError::NotASecret)
}

/// `secret`, obscured: another text each time.
#[must_use]
pub fn obscure(secret: &Secret) -> String {
    obscured_with(rand::random(), secret)
}

fn obscured_with(iv: [u8; IV], secret: &Secret) -> String {
    let mut bytes = [&iv, secret.expose().as_bytes()].concat();
    Ctr128BE::<Aes256>::new(&KEY.into(), &iv.into()).apply_keystream(&mut bytes[IV..]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What `text` hides. White space around it is forgiven.
///
/// # Errors
/// Where it is not obscured text, as far as can be told: there is no checksum in it.
pub fn reveal(text: &str) -> Result<Secret, ObscuredError> {
    let mut bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| ObscuredError::NotBase64)?;
    let (iv, hidden) = bytes.split_at_mut_checked(IV).ok_or(ObscuredError::TooShort)?;
    let iv: [u8; IV] = (&*iv).try_into().map_err(|_| ObscuredError::TooShort)?;
    Ctr128BE::<Aes256>::new(&KEY.into(), &iv.into()).apply_keystream(hidden);
    // A wrong text comes out as noise, which is hardly ever text without control characters.
    let text = std::str::from_utf8(hidden).map_err(|_| ObscuredError::NotText)?;
    if text.chars().any(char::is_control) {
        return Err(ObscuredError::NotText);
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests;
