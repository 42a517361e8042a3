//! Whose an access token is, by asking (OpenID Connect Core section 5.3, or what a provider has in its place).
//!
//! Owns that request and what is believed of its answer. Invariants: an answer that names another subject than the id token
//! of the same reply is not used (section 5.3.2); the token that is shown is in no text that comes out. Must not: decide
//! what a sign-in is worth without an answer (`login::finish` does).

use std::time::Duration;

use url::Url;

use super::account::Claims;
use super::http::{Client, SendError};
use super::mask;
use super::reply::Members;
use super::request::Get;
use crate::credential::Account;
use crate::provider::{AccountClaims, RefreshProtocol, Resolved};
use crate::secret::Secret;

/// How long one request may take. Nothing is used up by one that is lost, and somebody waits.
const BOUND: Duration = Duration::from_secs(10);

/// Why it is not known whose a token is. Each text is for the log, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserinfoError {
    /// No whole answer, or one that says to come again.
    #[error("the userinfo endpoint gave no answer: {0}")]
    Passing(String),
    /// A definite answer that names nobody.
    #[error("the userinfo endpoint did not say whose the sign-in is: {0}")]
    Refused(String),
    /// It names somebody else than the id token does.
    #[error("the userinfo endpoint names another subject than the id token, and neither is believed")]
    OtherSubject,
}

/// Asks `endpoint` whose `token` is. `id_token` came with it, if any did. One request.
///
/// # Errors
/// When that cannot be told.
pub async fn userinfo(
    client: &Client,
    provider: &Resolved,
    endpoint: &Url,
    token: &Secret,
    id_token: Option<&Secret>,
) -> Result<Account, UserinfoError> {
    let scheme = match &provider.refresh {
        RefreshProtocol::Exchange(by) => &by.scheme,
        RefreshProtocol::RefreshToken => "Bearer",
    };
    let get = Get::by_token(provider, endpoint, scheme, token).within(BOUND);
    let reply = client.fetch(&get).await.map_err(|error| match error {
        SendError::NotSent(error) if error.is_operators() => UserinfoError::Refused(error.to_string()),
        SendError::NotSent(error) => UserinfoError::Passing(error.to_string()),
        SendError::Unknown(cause) => UserinfoError::Passing(cause.to_string()),
    })?;
    let members = reply.body.as_deref().and_then(Members::read);
    let status = reply.status;
    if !reply.is_success() {
        let said = members.as_ref().and_then(Members::error_text).unwrap_or_default();
        let why = mask::safe(&format!("HTTP {status} {said}"), get.secrets());
        let passes = matches!(status, 408 | 425 | 429 | 500..) || reply.asks_to_wait();
        return Err(if passes { UserinfoError::Passing(why) } else { UserinfoError::Refused(why) });
    }
    let members = members.ok_or_else(|| UserinfoError::Refused("its answer is no JSON object".to_owned()))?;
    believed(&members.claims(), id_token.and_then(Claims::of).as_ref(), &provider.account_claims)
}

/// The account that `said` names, if it agrees with the id token. Where the answer has no `sub`, which it must have by
/// the standard and lacks in the field, the account itself is compared.
fn believed(
    said: &Claims,
    id_token: Option<&Claims>,
    claims: &AccountClaims,
) -> Result<Account, UserinfoError> {
    let account = said.account(claims);
    if account.is_unknown() {
        return Err(UserinfoError::Refused("its answer names neither account nor e-mail address".to_owned()));
    }
    let agrees = id_token.is_none_or(|id_token| match (said.subject(), id_token.subject()) {
        (Some(said), Some(own)) => said == own,
        _ => account.id.is_none() || id_token.account(claims).id.is_none_or(|own| account.id == Some(own)),
    });
    if agrees { Ok(account) } else { Err(UserinfoError::OtherSubject) }
}

#[cfg(test)]
mod tests;
