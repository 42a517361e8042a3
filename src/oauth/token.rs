//! The token endpoint: a code or a refresh token goes in, an [`Outcome`] comes out.
//!
//! Owns both requests of RFC 6749 sections 4.1.3 and 6, the way to what a provider has in a refresh's place, and the
//! reading of a grant. Invariant: a [`Grant`] has an access token (C9), and its `expires_at` counts from before the request
//! was sent (T9). Must not: merge a grant with what is stored (G23), or send twice.

use std::collections::BTreeMap;
use std::fmt;

use super::account::{Claims, nonce_of};
use super::authorize;
use super::exchange;
use super::http::{Client, Reply, SendError, TransportError, UnknownCause};
use super::refusal::{self, Presented, Refusal, Verdict};
use super::reply::{Malformed, Members};
use super::request::Post;
use crate::clock::UnixSeconds;
use crate::credential::Account;
use crate::provider::{IdentitySource, Provider, RefreshProtocol, Resolved};
use crate::secret::Secret;

/// The longest token type that is taken, in bytes.
const TYPE_CAP: usize = 100;

/// What an exchange led to (G16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Tokens.
    Granted(Grant),
    /// A definite answer that grants nothing.
    Refused(Refusal),
    /// Nothing was sent: what was to be presented is not used up.
    NotSent(TransportError),
    /// Sent, but no whole answer came: what was presented may be used up.
    Unknown(UnknownCause),
}

impl Outcome {
    /// Its word and that of its reason, for metrics and audit lines: a contract. Nothing of what was said.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Granted(_) => ("granted", ""),
            Self::Refused(refusal) => ("refused", refusal.kind.as_str()),
            Self::NotSent(error) if error.is_operators() => ("not_sent", "operator"),
            Self::NotSent(_) => ("not_sent", "unreachable"),
            Self::Unknown(cause) => ("unknown", cause.as_str()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted(_) => f.write_str("granted"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotSent(error) => error.fmt(f),
            Self::Unknown(cause) => cause.fmt(f),
        }
    }
}

/// What the token endpoint grants. What is absent was not in the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token; absent means: keep the old one, if there is one.
    pub refresh_token: Option<Secret>,
    /// The id token.
    pub id_token: Option<Secret>,
    /// How the access token is presented: `Bearer`, unless the provider says otherwise.
    pub token_type: String,
    /// The scopes granted, where the reply names them.
    pub scopes: Option<Vec<String>>,
    /// When the access token expires, in unix seconds; None if neither reply nor descriptor knows (T9).
    pub expires_at: Option<UnixSeconds>,
    /// Whose it is, by what the descriptor says tells it; empty if this reply does not.
    pub account: Account,
    /// The `iss` claim of the id token.
    pub issuer: Option<String>,
    /// What else of the reply the descriptor has kept.
    pub extra: BTreeMap<String, String>,
}

/// An authorization code, with all that is needed to spend it.
#[derive(Debug, Clone, Copy)]
pub struct CodeGrant<'a> {
    /// The code.
    pub code: &'a Secret,
    /// The code verifier (RFC 7636).
    pub verifier: &'a Secret,
    /// The redirect URI of the authorization request, unchanged.
    pub redirect_uri: &'a str,
    /// The `state` of the authorization request, sent only where the descriptor says so.
    pub state: Option<&'a Secret>,
}

/// Spends an authorization code (RFC 6749 section 4.1.3). `now` is the time before the call. One request at most.
pub async fn exchange_code(
    client: &Client,
    provider: &Resolved,
    grant: CodeGrant<'_>,
    now: UnixSeconds,
) -> Outcome {
    let mut post = Post::by_client(provider, &provider.token_endpoint, provider.token_body)
        .text("grant_type", "authorization_code")
        .secret("code", grant.code)
        .text("redirect_uri", grant.redirect_uri)
        .secret("code_verifier", grant.verifier);
    if let Some(state) = grant.state {
        // The server knows it from the authorization request.
        post = if provider.exchange_sends_state { post.secret("state", state) } else { post.hiding(state) };
    }
    post = for_resource(post, provider);
    let outcome = spend(client, provider, &post, Presented::Code, now).await;
    match (outcome, authorize::nonce(provider, grant.verifier.expose())) {
        // OpenID Connect Core section 3.1.3.7, point 11. A server that leaves it out has said nothing wrong: the code and its
        // verifier belong together all the same.
        (Outcome::Granted(granted), Some(sent))
            if granted.id_token.as_ref().and_then(nonce_of).is_some_and(|nonce| nonce != sent) =>
        {
            Outcome::Refused(refusal::of_another_sign_in())
        }
        (outcome, _) => outcome,
    }
}

/// Presents a refresh token (RFC 6749 section 6), with `scopes` where the descriptor wants them named; or what stands in
/// its place, where the descriptor says so. `now` is the time before the call. One request at most.
pub async fn refresh(
    client: &Client,
    provider: &Resolved,
    refresh_token: &Secret,
    scopes: &[String],
    now: UnixSeconds,
) -> Outcome {
    if let RefreshProtocol::Exchange(by) = &provider.refresh {
        return exchange::exchange(client, provider, by, refresh_token, now).await;
    }
    let mut post = Post::by_client(provider, &provider.token_endpoint, provider.token_body)
        .text("grant_type", "refresh_token")
        .secret("refresh_token", refresh_token);
    if provider.refresh_sends_scope && !scopes.is_empty() {
        post = post.text("scope", &scopes.join(" "));
    }
    post = for_resource(post, provider);
    spend(client, provider, &post, Presented::RefreshToken, now).await
}

/// Names what the token is to be for (RFC 8707 section 2.2), as the authorization request did.
fn for_resource(post: Post, provider: &Provider) -> Post {
    match &provider.resource {
        Some(resource) => post.text("resource", resource),
        None => post,
    }
}

pub(crate) async fn spend(
    client: &Client,
    provider: &Provider,
    post: &Post,
    presented: Presented,
    now: UnixSeconds,
) -> Outcome {
    if let Some(missing) = &provider.client_missing {
        return Outcome::Refused(refusal::unready(missing));
    }
    match client.send(post).await {
        Ok(reply) => judge(&reply, presented, provider, post.secrets(), now),
        Err(SendError::NotSent(error)) => Outcome::NotSent(error),
        Err(SendError::Unknown(cause)) => Outcome::Unknown(cause),
    }
}

/// What a whole reply of the token endpoint means. `sent_at` is the time before the request.
pub(crate) fn judge(
    reply: &Reply,
    presented: Presented,
    provider: &Provider,
    secrets: &[Secret],
    sent_at: UnixSeconds,
) -> Outcome {
    sort(
        reply,
        |members| granted(members, provider, sent_at, reply.now(sent_at)),
        |members| refusal::classify(reply, members, presented, provider, secrets, sent_at),
    )
}

/// Sorts a whole reply: a success without an error is a grant, or leaves the outcome unknown; all else is a refusal (C9, T8).
pub(super) fn sort(
    reply: &Reply,
    granted: impl FnOnce(&Members) -> Option<Grant>,
    refused: impl FnOnce(Option<&Members>) -> Verdict,
) -> Outcome {
    let members = reply.body.as_deref().and_then(Members::read);
    if reply.is_success() && !members.as_ref().is_some_and(Members::has_error) {
        if reply.body.is_none() {
            return Outcome::Unknown(UnknownCause::TooLarge);
        }
        let none = Outcome::Unknown(UnknownCause::NoToken { status: reply.status });
        return members.as_ref().and_then(granted).map_or(none, Outcome::Granted);
    }
    match refused(members.as_ref()) {
        Verdict::Refused(refusal) => Outcome::Refused(refusal),
        Verdict::Unknown(cause) => Outcome::Unknown(cause),
    }
}

/// The grant in `members`; none without a usable access token (C9). A token that is there but malformed spoils the
/// whole: to keep the old refresh token beside the new access token would be a guess.
fn granted(
    members: &Members,
    provider: &Provider,
    sent_at: UnixSeconds,
    server_now: UnixSeconds,
) -> Option<Grant> {
    let read = || -> Result<Option<Grant>, Malformed> {
        let Some(access_token) = members.secret("access_token")? else { return Ok(None) };
        let id_token = members.secret("id_token")?;
        let refresh_token = members.secret("refresh_token")?;
        let claims = id_token.as_ref().and_then(Claims::of);
        let reply = members.claims();
        let secrets = [Some(&access_token), refresh_token.as_ref(), id_token.as_ref()];
        let extra = reply.kept(&provider.keep, &secrets.into_iter().flatten().collect::<Vec<_>>());
        // T9: what the reply leaves open is not "for ever".
        let lifetime = members.lifetime(server_now).or(provider.token_lifetime);
        Ok(Some(Grant {
            access_token,
            refresh_token,
            token_type: token_type(members.text("token_type")),
            scopes: members.scopes(),
            expires_at: lifetime.map(|seconds| sent_at.saturating_add_unsigned(seconds)),
            account: match provider.identity {
                IdentitySource::IdToken => {
                    claims.as_ref().map(|claims| claims.account(&provider.account_claims)).unwrap_or_default()
                }
                IdentitySource::Reply => reply.account(&provider.account_claims),
                // Another request tells it, once at each sign-in.
                IdentitySource::Userinfo => Account::default(),
            },
            issuer: claims.as_ref().and_then(Claims::issuer),
            id_token,
            extra,
        }))
    };
    read().ok().flatten()
}

/// RFC 6749 section 7.1 leaves the case open; `Bearer` is what goes into a header. What is not one visible word could
/// forge one, and says nothing (section 11.1 has the alphabet).
fn token_type(said: Option<String>) -> String {
    let is_word = |said: &String| said.len() <= TYPE_CAP && said.bytes().all(|b| b.is_ascii_graphic());
    match said.filter(is_word) {
        Some(said) if !said.eq_ignore_ascii_case("bearer") => said,
        _ => "Bearer".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
