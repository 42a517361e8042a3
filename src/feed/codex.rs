//! codex's `auth.json`.
//!
//! Owns what codex is told there: tokens in the form in which it takes them from a program that signs in for it
//! (`auth_mode` `chatgptAuthTokens`). In that form codex uses the token until a server refuses it, then reads the file again,
//! and never asks the token endpoint itself. Must not: leave a refresh token beside our access token.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::edit::{self, Edit, Fed, Offer, Refusal};
use super::object::Members;
use crate::clock::UnixSeconds;
use crate::oauth;
use crate::provider::AccountClaims;
use crate::secret::Secret;

const TOKENS: &str = "tokens";
const REFRESH_TOKEN: &str = "refresh_token";
const ACCOUNT_ID: &str = "account_id";
const MODE: &str = "auth_mode";
/// The mode of its own sign-in to an account.
const THEIR_OWN: &str = "chatgpt";
/// The mode in which somebody else keeps the tokens fresh.
const KEPT_FOR_IT: &str = "chatgptAuthTokens";
const LAST_REFRESH: &str = "last_refresh";
/// Where its identity tokens say whose they are, and there the names of the account and of the user, who may have several.
const CLAIMS: &str = "https://api.openai.com/auth";
const ACCOUNT_CLAIM: &str = "chatgpt_account_id";
const USER_CLAIMS: [&str; 2] = ["chatgpt_user_id", "user_id"];

pub(super) fn put(text: Option<&str>, offer: &Offer) -> Result<Fed, Refusal> {
    let mut file = edit::members(text)?;
    let found = edit::object(&file, TOKENS)?;
    let held_refresh_token = found.as_ref().is_some_and(|tokens| tokens.holds(REFRESH_TOKEN));
    if file.text(MODE).is_some_and(|mode| mode != THEIR_OWN && mode != KEPT_FOR_IT) {
        return Err(Refusal::AnotherKind);
    }
    let theirs = found.as_ref().filter(|tokens| !edit::is_ours(tokens, REFRESH_TOKEN)).and_then(account);
    match (theirs, &offer.account) {
        (Some(_), None) => return Err(Refusal::UnknownAccount),
        (Some(theirs), Some(ours)) if theirs != *ours => return Err(Refusal::AnotherAccount),
        _ => {}
    }
    let mut tokens = found.unwrap_or_default();
    tokens.set("id_token", &Value::from(id_token(offer).expose()));
    tokens.set("access_token", &Value::from(offer.access_token.expose()));
    // It does not read a file without this member.
    tokens.set(REFRESH_TOKEN, &Value::from(""));
    match &offer.account {
        Some(account) => tokens.set(ACCOUNT_ID, &Value::from(account.as_str())),
        None => tokens.remove(ACCOUNT_ID),
    }
    edit::mark(&mut tokens);
    file.set(MODE, &Value::from(KEPT_FOR_IT));
    file.set_object(TOKENS, &tokens);
    // Nor does it use tokens without this one.
    file.set(LAST_REFRESH, &Value::from(rfc3339(offer.obtained_at)));
    Ok(Fed { edit: edit::edit(&file), held_refresh_token })
}

/// Takes what [`put`] put there out again.
pub(super) fn take_out(text: &str) -> Result<Edit, Refusal> {
    let mut file = edit::members(Some(text))?;
    if !edit::object(&file, TOKENS)?.is_some_and(|tokens| edit::is_ours(&tokens, REFRESH_TOKEN)) {
        return Ok(Edit::Keep);
    }
    // All of it: a part of it codex cannot read, and then it does not read the rest of the file either.
    file.remove(TOKENS);
    file.remove(LAST_REFRESH);
    if file.text(MODE).is_some_and(|mode| mode == KEPT_FOR_IT) {
        file.remove(MODE);
    }
    Ok(edit::edit(&file))
}

/// Whether a refresh token stands there.
pub(super) fn holds_refresh_token(text: &str) -> Result<bool, Refusal> {
    let tokens = edit::object(&edit::members(Some(text))?, TOKENS)?;
    Ok(tokens.is_some_and(|tokens| tokens.holds(REFRESH_TOKEN)))
}

/// Whose the tokens are, if they say.
fn account(tokens: &Members) -> Option<String> {
    let of_token = |token: String| claim(&Secret::new(token), ACCOUNT_CLAIM);
    tokens.text(ACCOUNT_ID).or_else(|| tokens.text("id_token").and_then(of_token))
}

/// What `token` says of the account in the claim `name`.
fn claim(token: &Secret, name: &str) -> Option<String> {
    let claims = AccountClaims { id: [CLAIMS, name].map(str::to_owned).to_vec(), ..AccountClaims::default() };
    oauth::vendor_account_of(token, &claims)
}

/// The identity token that codex wants to find: our own, else the access token, which has the same claims, else one that says
/// no more than whose it is. codex reads its claims and checks no signature. It must name a user: where that lacks, codex takes
/// the next token for another person's, and stops in the middle of its work.
fn id_token(offer: &Offer) -> Secret {
    let names_user =
        |token: &&Secret| is_web_token(token) && USER_CLAIMS.iter().any(|name| claim(token, name).is_some());
    let own = offer.id_token.iter().chain([&offer.access_token]).find(names_user);
    own.cloned().unwrap_or_else(|| {
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let account = offer.account.as_deref();
        let claims = json!({CLAIMS: {ACCOUNT_CLAIM: account, USER_CLAIMS[0]: account.unwrap_or("unknown")}});
        Secret::new(format!("{}.{}.none", part(json!({"alg": "none"})), part(claims)))
    })
}

/// Whether `token` is a JSON Web Token (RFC 7519) as codex takes it: three parts, the second an object.
fn is_web_token(token: &Secret) -> bool {
    let parts: Vec<_> = token.expose().split('.').collect();
    let [head, payload, signature] = parts[..] else { return false };
    let is_object = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes).is_ok();
    !head.is_empty() && !signature.is_empty() && BASE64_URL_SAFE_NO_PAD.decode(payload).is_ok_and(is_object)
}

fn rfc3339(at: UnixSeconds) -> String {
    // As far as a year has four digits.
    let since = u64::try_from(at).unwrap_or(0).min(253_402_300_799);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(since)).to_string()
}

#[cfg(test)]
mod tests;
