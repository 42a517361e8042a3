//! Who a credential belongs to, as an id token tells it.
//!
//! Owns the reading of an [`Account`] from claims. Invariant: blank is absent (I2). The signature of an id token is not
//! checked, and need not be: it came over TLS directly from the token endpoint, in the reply to our own request (`OpenID`
//! Connect Core section 3.1.3.7, point 6). For that reason must not: read an id token that came by any other way.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::credential::Account;
use crate::provider::AccountClaims;
use crate::secret::Secret;

/// The `iss` claim of an id token, if it is one.
#[must_use]
pub fn issuer_of(id_token: &Secret) -> Option<String> {
    Claims::of(id_token)?.issuer()
}

/// The claims of an id token.
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the payload of a JSON Web Token (RFC 7519 section 3). None if it is not one.
    pub(crate) fn of(id_token: &Secret) -> Option<Self> {
        let payload = id_token.expose().split('.').nth(1)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok().map(Self)
    }

    pub(crate) fn account(&self, claims: &AccountClaims) -> Account {
        let id = self.at(&claims.id).or_else(|| self.at(&["sub"]));
        let email = self.at(&claims.email).or_else(|| self.at(&["email"]));
        Account::new(id.as_deref(), email.as_deref())
    }

    /// The `iss` claim.
    pub(crate) fn issuer(&self) -> Option<String> {
        self.at(&["iss"])
    }

    /// The text (or number: some servers count their users) that `path` leads to, unless blank.
    fn at(&self, path: &[impl AsRef<str>]) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let start = self.0.get(first.as_ref())?;
        let found = rest.iter().try_fold(start, |value, name| value.get(name.as_ref()))?;
        let text = match found {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(payload: &str, claims: &AccountClaims) -> Option<Account> {
        let token = format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(payload));
        Claims::of(&Secret::new(token)).map(|read| read.account(claims))
    }

    /// I2: the descriptor's claim, else the standard one; blank is absent; case is kept.
    #[test]
    fn the_account_is_where_the_descriptor_says() {
        let nested = AccountClaims {
            id: vec!["https://api.openai.com/auth".to_owned(), "chatgpt_account_id".to_owned()],
            ..AccountClaims::default()
        };
        for (payload, claims, id, email) in [
            (
                r#"{"sub":"s","https://api.openai.com/auth":{"chatgpt_account_id":"Acc-1"},"email":"A@b.c "}"#,
                &nested,
                Some("Acc-1"),
                Some("A@b.c"),
            ),
            (
                r#"{"sub":"s","https://api.openai.com/auth":{"chatgpt_account_id":" "}}"#,
                &nested,
                Some("s"),
                None,
            ),
            (r#"{"sub":"s","https://api.openai.com/auth":7}"#, &nested, Some("s"), None),
            (r#"{"sub":42,"email":""}"#, &AccountClaims::default(), Some("42"), None),
            (r#"{"sub":["x"],"email":{}}"#, &AccountClaims::default(), None, None),
        ] {
            assert_eq!(account(payload, claims), Some(Account::new(id, email)), "{payload}");
        }
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for bad in ["", "a", "a.b", "a.!.c", "e30.W10.x", "..."] {
            assert!(Claims::of(&Secret::new(bad)).is_none(), "{bad}");
        }
    }
}
