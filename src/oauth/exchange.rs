//! The exchange in place of a refresh: the token of the sign-in goes in by GET, an access token that does not last comes
//! out.
//!
//! Owns that request and the reading of its reply ([`Exchange`]). Invariants: the outcome is typed as a refresh's is, so that
//! the gate need not know the difference; the sign-in's token goes to the configured endpoint alone, and is in no text
//! that comes out. Must not: send twice, or take what came for a new token of the sign-in.

use super::http::{Client, Reply, SendError};
use super::refusal;
use super::reply::Members;
use super::request::Get;
use super::token::{self, Grant, Outcome};
use crate::clock::UnixSeconds;
use crate::credential::Account;
use crate::provider::{Exchange, Provider, Resolved};
use crate::secret::Secret;

/// Has the token of the sign-in bring an access token. `now` is the time before the call. One request at most.
pub(crate) async fn exchange(
    client: &Client,
    provider: &Resolved,
    by: &Exchange,
    sign_in: &Secret,
    now: UnixSeconds,
) -> Outcome {
    let get = Get::by_token(provider, &by.endpoint, &by.scheme, sign_in).with_headers(&by.headers);
    match client.fetch(&get).await {
        Ok(reply) => judge(&reply, provider, get.secrets(), now),
        Err(SendError::NotSent(error)) => Outcome::NotSent(error),
        Err(SendError::Unknown(cause)) => Outcome::Unknown(cause),
    }
}

fn judge(reply: &Reply, provider: &Provider, secrets: &[Secret], sent_at: UnixSeconds) -> Outcome {
    token::sort(
        reply,
        |members| granted(members, reply, provider, secrets, sent_at),
        |members| refusal::of_exchange(reply, members, provider, secrets, sent_at),
    )
}

/// The grant in `members`; none without a usable access token (C9).
fn granted(
    members: &Members,
    reply: &Reply,
    provider: &Provider,
    secrets: &[Secret],
    sent_at: UnixSeconds,
) -> Option<Grant> {
    let token = |name| members.secret(name).ok().flatten();
    let access_token = token("token").or_else(|| token("access_token"))?;
    let kept: Vec<&Secret> = secrets.iter().chain([&access_token]).collect();
    let extra = members.claims().kept(&provider.keep, &kept);
    let lifetime = members.lifetime(reply.now(sent_at)).or(provider.token_lifetime);
    Some(Grant {
        access_token,
        refresh_token: None,
        id_token: None,
        token_type: "Bearer".to_owned(),
        scopes: None,
        expires_at: lifetime.map(|seconds| sent_at.saturating_add_unsigned(seconds)),
        account: Account::default(),
        issuer: None,
        extra,
    })
}

#[cfg(test)]
mod tests;
