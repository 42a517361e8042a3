//! That a page is served by a Latchkey, and by the one of a certain store.
//!
//! Owns the answer at `/check/<nonce>`, which `latchkey check` asks for. Invariant: it shows nothing that lasts: without the
//! `store_id`, which is random and never shown, no answer says anything about another. Must not: answer what is no nonce.

use sha2::{Digest, Sha256};

use crate::secret::hex;

/// The path of the question, below the public address and before the nonce.
pub const PATH: &str = "check";
/// The longest nonce that is answered, in characters.
const NONCE_CAP: usize = 64;

/// The answer of the page over the store `store_id`; none to what is no nonce.
#[must_use]
pub fn answer(store_id: Option<&str>, nonce: &str) -> Option<String> {
    let is_nonce =
        (16..=NONCE_CAP).contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_alphanumeric());
    is_nonce.then(|| {
        let told = format!("latchkey sign-in page\n{}\n{nonce}", store_id.unwrap_or_default());
        hex(&Sha256::digest(told))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each store answers otherwise, and each nonce gets another answer.
    #[test]
    fn an_answer_is_for_one_store_and_one_nonce() {
        let nonce = "0123456789abcdef";
        let one = answer(Some("a"), nonce).unwrap();
        assert_eq!(one.len(), 64);
        assert_eq!(answer(Some("a"), nonce), Some(one.clone()));
        for other in [answer(Some("b"), nonce), answer(None, nonce), answer(Some("a"), "0123456789abcdeg")] {
            assert_ne!(other.unwrap(), one);
        }
        for bad in ["", "short", "0123456789abcde/", &"a".repeat(65)] {
            assert_eq!(answer(Some("a"), bad), None, "{bad:?}");
        }
    }
}
