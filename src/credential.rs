//! What a tenant holds, and the identity gate that every replacement passes.
//!
//! Owns [`Credential`] (tokens, expiry, account, owner, state of its refresh) and the rule of which account may
//! follow which ([`may_replace`], [`may_copy`]; I1, I2). Invariant: `generation` rises by one at every replacement of
//! the tokens and at nothing else; `id` changes only with a sign-in or an import. Must not: know files or networks.

use crate::clock::UnixSeconds;
use crate::secret::{Secret, TokenHash, random_id};
use crate::tenant::{ProviderName, User};

/// Who the provider says has signed in. A blank part is an absent part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The provider's own stable id of the account (OpenID's `sub`, say). Its case matters.
    pub id: Option<String>,
    /// The e-mail address, as the provider spelled it.
    pub email: Option<String>,
}

impl Account {
    /// An account from what a provider said, with blank parts dropped and white space trimmed.
    #[must_use]
    pub fn new(id: Option<&str>, email: Option<&str>) -> Self {
        let clean = |part: Option<&str>| part.map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
        Self { id: clean(id), email: clean(email) }
    }

    /// Whether nothing is known of who this is.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.id.is_none() && self.email.is_none()
    }

    /// How to name the account to its owner: the e-mail address, else the id.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.email.as_deref().or(self.id.as_deref())
    }

    /// Whether both are one account: `None` where they have nothing in common to compare. The account id outranks the
    /// e-mail address.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> Option<bool> {
        match (&self.id, &other.id) {
            (Some(a), Some(b)) => Some(a == b),
            _ => match (&self.email, &other.email) {
                (Some(a), Some(b)) => Some(a.to_lowercase() == b.to_lowercase()),
                _ => None,
            },
        }
    }
}

/// The strict rule (I2): may tokens of `incoming` replace those of `existing`?
///
/// Nothing known may become something known, never the reverse, and an id is not taken for an e-mail address.
#[must_use]
pub fn may_replace(existing: &Account, incoming: &Account) -> bool {
    existing.is_same(incoming).unwrap_or_else(|| existing.is_unknown())
}

/// The copy rule (I3): may what came for `incoming` be kept with `existing`, when the reply may leave identity out, as
/// a refresh does (G23)? Refuses only what is known to be another account, or cannot be compared at all.
#[must_use]
pub fn may_copy(existing: &Account, incoming: &Account) -> bool {
    existing.is_same(incoming).unwrap_or_else(|| existing.is_unknown() || incoming.is_unknown())
}

/// How a credential keeps itself fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// From an OAuth sign-in: refreshed with its refresh token.
    OAuth,
    /// Put there by the operator: served as it is, never refreshed or replaced by a refresh (I8).
    Static,
}

/// Where a credential's refresh stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// Nothing known against it.
    Ok,
    /// A definite answer said that it is dead: people must sign in again (G17).
    NeedsLogin,
    /// Two attempts went out and no whole answer came back (G19): tried again, with back-off.
    Uncertain,
}

/// What was written down before a refresh was sent (G19).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The credential whose refresh token was sent.
    pub credential_id: String,
    /// Its generation at that time.
    pub generation: u64,
    /// The hash of the refresh token that was sent.
    pub refresh_sha256: TokenHash,
    /// How often it has been sent, this time included.
    pub attempt: u32,
    /// When.
    pub sent_at: UnixSeconds,
}

/// Tokens of one account at one provider, with all that keeps them fresh.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// How it keeps itself fresh.
    pub kind: CredentialKind,
    /// The provider that issued it.
    pub provider: ProviderName,
    /// 128 random bits, new at each sign-in or import.
    pub id: String,
    /// One up at every replacement of the tokens.
    pub generation: u64,
    /// The issuer at the time of issue; compared with the configuration, never followed (G30).
    pub issuer: Option<String>,
    /// The token endpoint at the time of issue; likewise.
    pub token_endpoint: Option<String>,
    /// The client id at the time of issue; likewise.
    pub client_id: Option<String>,
    /// What programs use.
    pub access_token: Secret,
    /// What only the gate uses.
    pub refresh_token: Option<Secret>,
    /// The identity token, as it came.
    pub id_token: Option<Secret>,
    /// As the provider said it; `Bearer` where it did not.
    pub token_type: String,
    /// What the token is good for.
    pub scopes: Vec<String>,
    /// When these tokens came.
    pub obtained_at: Option<UnixSeconds>,
    /// When the access token ends, where that is known.
    pub expires_at: Option<UnixSeconds>,
    /// Whose it is at the provider.
    pub account: Account,
    /// Who signed in.
    pub owner: Option<User>,
    /// Where its refresh stands.
    pub state: CredentialState,
    /// A refresh that was sent and has no recorded end.
    pub intent: Option<Intent>,
    /// When it was last refreshed because a caller said that its token was rejected (G15).
    pub forced_at: Option<UnixSeconds>,
    /// Not before this time is it tried again (G16).
    pub retry_at: Option<UnixSeconds>,
    /// Refreshes that failed in a row.
    pub failures: u32,
    /// What the last one said, without secrets.
    pub last_error: Option<String>,
    /// Whether that is the operator's to mend: our client or its configuration is refused.
    pub operators_error: bool,
    /// The day it was last asked for, as that day's first second.
    pub last_used_at: Option<UnixSeconds>,
    /// When the slot was first filled by this sign-in.
    pub created_at: Option<UnixSeconds>,
    /// When anything of it last changed.
    pub updated_at: Option<UnixSeconds>,
}

impl Credential {
    /// A credential that has just come into being at `now`, with an id of its own and nothing known beyond its tokens.
    #[must_use]
    pub fn new(kind: CredentialKind, provider: ProviderName, access_token: Secret, now: UnixSeconds) -> Self {
        Self {
            kind,
            provider,
            id: random_id(),
            generation: 1,
            issuer: None,
            token_endpoint: None,
            client_id: None,
            access_token,
            refresh_token: None,
            id_token: None,
            token_type: "Bearer".to_owned(),
            scopes: Vec::new(),
            obtained_at: Some(now),
            expires_at: None,
            account: Account::default(),
            owner: None,
            state: CredentialState::Ok,
            intent: None,
            forced_at: None,
            retry_at: None,
            failures: 0,
            last_error: None,
            operators_error: false,
            last_used_at: None,
            created_at: Some(now),
            updated_at: Some(now),
        }
    }

    /// The version of the tokens: what a compare-and-set save names (G22).
    #[must_use]
    pub fn version(&self) -> (String, u64) {
        (self.id.clone(), self.generation)
    }

    /// Whether both were issued to one client at one authorization server, under whatever provider's name: what is done to
    /// one may then end the other.
    #[must_use]
    pub fn is_of_same_client(&self, other: &Self) -> bool {
        let same_server = match (&self.token_endpoint, &other.token_endpoint) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.provider == other.provider,
        };
        same_server && self.client_id == other.client_id
    }

    /// The intent, if it speaks of exactly these tokens.
    #[must_use]
    pub fn open_intent(&self) -> Option<&Intent> {
        self.intent.as_ref().filter(|intent| {
            intent.credential_id == self.id
                && intent.generation == self.generation
                && self.refresh_token.as_ref().is_some_and(|token| token.hash() == intent.refresh_sha256)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(id: &str, email: &str) -> Account {
        Account::new(Some(id), Some(email))
    }

    /// I2
    #[test]
    fn the_identity_table_holds() {
        for (existing, incoming, allowed, why) in [
            (("1", ""), ("1", ""), true, "same account"),
            (("1", ""), ("2", ""), false, "different account"),
            (("Abc", ""), ("abc", ""), false, "account ids keep their case"),
            (("", "a@x"), ("", " A@X "), true, "same e-mail"),
            (("", "a@x"), ("", "b@x"), false, "different e-mail"),
            (("1", "a@x"), ("1", "b@x"), true, "account outranks e-mail"),
            (("1", "a@x"), ("2", "a@x"), false, "account outranks e-mail"),
            (("", ""), ("", ""), true, "none to none"),
            (("", " "), ("1", ""), true, "none to some"),
            (("1", ""), ("", ""), false, "some to none"),
            (("", "a@x"), ("", ""), false, "some to none"),
            (("1", ""), ("", "a@x"), false, "account only against e-mail only"),
            (("", "a@x"), ("1", ""), false, "e-mail only against account only"),
            (("1", "a@x"), ("", "a@x"), true, "same e-mail, the rest unsaid"),
        ] {
            let verdict = may_replace(&account(existing.0, existing.1), &account(incoming.0, incoming.1));
            assert_eq!(verdict, allowed, "{why}: {existing:?} to {incoming:?}");
        }
    }

    fn any_account() -> impl Strategy<Value = Account> {
        ("[ abAB]{0,2}", "[ abAB]{0,2}").prop_map(|(id, email)| account(&id, &email))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        /// I3
        #[test]
        fn the_rules_are_reflexive_strict_and_ordered(a in any_account(), b in any_account()) {
            prop_assert!(may_replace(&a, &a) && may_copy(&a, &a));
            if a.id.is_some() && b.id.is_some() && a.id != b.id {
                prop_assert!(!may_replace(&a, &b) && !may_copy(&a, &b));
            }
            prop_assert!(!may_replace(&a, &b) || may_copy(&a, &b));
        }
    }
}
