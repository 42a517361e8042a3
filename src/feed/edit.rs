//! What is fed, and what becomes of a file by it.
//!
//! Owns the words that the writers of all programs' files share. Invariant: what is to be written holds no refresh token of the
//! sign-in it is for.

use serde_json::Value;

use super::object::{Members, NotAnObject};
use crate::clock::UnixSeconds;
use crate::secret::Secret;

/// The member by which a sign-in in a file is known as ours, beside its tokens: a sign-in that its program makes replaces them
/// all, and the mark goes with them.
const MARK: &str = "kept_by";
const US: &str = "latchkey";

/// An access token, with what a program wants to know beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// The token.
    pub access_token: Secret,
    /// The identity token of the same sign-in.
    pub id_token: Option<Secret>,
    /// The account's id at the provider.
    pub account: Option<String>,
    /// What the token is good for.
    pub scopes: Vec<String>,
    /// When it came, in unix seconds.
    pub obtained_at: UnixSeconds,
    /// When it ends, in unix seconds, where that is known.
    pub expires_at: Option<UnixSeconds>,
}

impl Offer {
    /// What says of an offer whose it is, and no more.
    pub fn of(account: Option<&str>) -> Self {
        Self {
            access_token: Secret::new(""),
            id_token: None,
            account: account.map(str::to_owned),
            scopes: Vec::new(),
            obtained_at: 0,
            expires_at: None,
        }
    }
}

/// What is to become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// It stays as it is.
    Keep,
    /// This is to stand there. Secret, since tokens are in it.
    Write(Secret),
}

/// What is to become of a file that gets a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fed {
    /// That.
    pub edit: Edit,
    /// Whether a refresh token stands there, with which the program would refresh by itself.
    pub held_refresh_token: bool,
}

/// Why a file is left alone for what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not the program's.
    #[error("it is not the JSON object that the program keeps: mend it, or move it away and it is made anew")]
    NotAnObject,
    /// Part of it is not the program's.
    #[error(
        "its {0} is not the JSON object that the program keeps: mend it, or move the file away and it is made anew"
    )]
    Member(&'static str),
    /// Somebody else has signed in there.
    #[error(
        "it holds the sign-in of another account, which is not ours to replace: sign out there with the program, or move the \
         file away and it is made anew"
    )]
    AnotherAccount,
    /// Somebody has signed in there, and it may be somebody else.
    #[error(
        "it holds the sign-in of an account, and ours does not say which account it is of, so it may be another's: sign out there \
         with the program, or move the file away and it is made anew"
    )]
    UnknownAccount,
    /// The program is signed in there by other means, which it would give up for our token.
    #[error(
        "its program is signed in there by an API key, or by other means than an account, which is not ours to replace: move the \
         file away and it is made anew"
    )]
    AnotherKind,
    /// It is a store like ours, in which whole sign-ins are kept.
    #[error("it is an auth file of Latchkey's own: correct the path of the feed")]
    OurStore,
}

impl From<NotAnObject> for Refusal {
    fn from(_: NotAnObject) -> Self {
        Self::NotAnObject
    }
}

/// The members of the file, of which there may be none yet.
pub(super) fn members(text: Option<&str>) -> Result<Members, Refusal> {
    let members = text.map(Members::parse).transpose()?.unwrap_or_default();
    if members.has("version") && (members.has("store_id") || members.has("tenants")) {
        return Err(Refusal::OurStore);
    }
    Ok(members)
}

/// The object in the member `name`.
pub(super) fn object(members: &Members, name: &'static str) -> Result<Option<Members>, Refusal> {
    members.object(name).map_err(|NotAnObject| Refusal::Member(name))
}

/// Marks the tokens in `members` as ours.
pub(super) fn mark(members: &mut Members) {
    members.set(MARK, &Value::from(US));
}

/// Whether the tokens in `members` are ours. A refresh token is not.
pub(super) fn is_ours(members: &Members, refresh_token: &str) -> bool {
    members.text(MARK).is_some_and(|by| by == US) && !members.holds(refresh_token)
}

/// What is to become of a file whose members these are by now. One without members stays too: made anew, it might be another
/// user's.
pub(super) fn edit(members: &Members) -> Edit {
    if members.has_changed() { Edit::Write(Secret::new(members.render(0) + "\n")) } else { Edit::Keep }
}
