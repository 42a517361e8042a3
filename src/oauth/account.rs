//! Who a credential belongs to, as an id token or another reply tells it, and what else there is to be kept of a reply.
//!
//! Owns the reading of an [`Account`] from claims, and of members by their paths. Invariant: blank is absent (I2). The
//! signature of an id token is not checked, and need not be: it came over TLS directly from the token endpoint, in the reply
//! to our own request (`OpenID` Connect Core section 3.1.3.7, point 6). For that reason must not: read an id token that came
//! by any other way, but the one in a file that the operator imports, whose word then is the operator's.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::clock::UnixSeconds;
use crate::credential::Account;
use crate::provider::AccountClaims;
use crate::secret::Secret;

/// The `iss` claim of an id token, if it is one.
#[must_use]
pub fn issuer_of(id_token: &Secret) -> Option<String> {
    Claims::of(id_token)?.issuer()
}

/// The `nonce` claim of an id token, if it has one.
pub(crate) fn nonce_of(id_token: &Secret) -> Option<String> {
    Claims::of(id_token)?.at(&["nonce"])
}

/// Whether two id tokens of one sign-in may be the same subject's, as `OpenID` Connect Core section 12.2 asks.
#[must_use]
pub fn is_same_subject(before: &Secret, now: &Secret) -> bool {
    let subject = |token| Claims::of(token)?.subject();
    subject(before).zip(subject(now)).is_none_or(|(before, now)| before == now)
}

/// The account that an imported id token tells of; nobody if it is none.
#[must_use]
pub fn account_of(id_token: &Secret, claims: &AccountClaims) -> Account {
    Claims::of(id_token).map(|read| read.account(claims)).unwrap_or_default()
}

/// The account id in an imported access token, where this provider puts a claim of its own into all its tokens. The
/// standard claims do not count here: an access token's `sub` need not be the id token's.
#[must_use]
pub fn vendor_account_of(access_token: &Secret, claims: &AccountClaims) -> Option<String> {
    let standard = AccountClaims::default();
    Claims::of(access_token).filter(|_| claims.id != standard.id)?.at(&claims.id)
}

/// When a token was issued and when it ends, in unix seconds, if it is a JSON Web Token that says so.
#[must_use]
pub fn life_of(token: &Secret) -> (Option<UnixSeconds>, Option<UnixSeconds>) {
    let claims = Claims::of(token);
    let stamp = |name: &str| claims.as_ref()?.at(&[name])?.parse().ok();
    (stamp("iat"), stamp("exp"))
}

/// The longest text that is kept of a reply, in bytes: more is no address or name.
const KEPT_CAP: usize = 2_048;

/// The claims of an id token, or the members of another reply.
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the payload of a JSON Web Token (RFC 7519 section 3). None if it is not one.
    pub(crate) fn of(id_token: &Secret) -> Option<Self> {
        let payload = id_token.expose().split('.').nth(1)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok().map(Self)
    }

    /// The members of a reply.
    pub(crate) fn over(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// The `sub` claim.
    pub(crate) fn subject(&self) -> Option<String> {
        self.at(&["sub"])
    }

    /// The text that the member names lead to, if it is one.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<String> {
        self.value_at(path)?.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The texts by these names, which may be paths with dots: what a descriptor has kept. Nothing that could be a secret
    /// is among them, whatever it is called, since they are shown.
    pub(crate) fn kept(&self, names: &[String], secrets: &[&Secret]) -> BTreeMap<String, String> {
        let is_plain = |text: &String| {
            text.len() <= KEPT_CAP
                && !text.chars().any(crate::text::is_unseen)
                && !secrets.iter().any(|secret| text.contains(secret.expose()))
        };
        let text = |name: &String| {
            let path: Vec<&str> = name.split('.').collect();
            let is_token = path.last().is_some_and(|last| last.ends_with("token"));
            let text = self.text_at(&[name]).or_else(|| self.text_at(&path));
            text.filter(|text| !is_token && is_plain(text))
        };
        names.iter().filter_map(|name| Some((name.clone(), text(name)?))).collect()
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
        let text = match self.value_at(path)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    fn value_at(&self, path: &[impl AsRef<str>]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        let start = self.0.get(first.as_ref())?;
        rest.iter().try_fold(start, |value, name| value.get(name.as_ref()))
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
