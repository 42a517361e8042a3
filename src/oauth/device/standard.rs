//! RFC 8628, as it stands and with PKCE on top.
//!
//! Owns what a start and a poll say by it, and the reading of a start. Must not: sort what a poll is told, which is the same
//! for all.

use url::Url;

use super::{DevicePoll, DeviceStart, Opening, StartError, interval, page, secret, user_code};
use crate::clock::UnixSeconds;
use crate::oauth::reply::Members;
use crate::oauth::request::Post;
use crate::provider::{BodyFormat, Resolved};

/// The grant type of RFC 8628.
pub(in crate::oauth) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The start (RFC 8628 section 3.1), with a code challenge (RFC 7636 section 4.3) where that is wanted.
pub(super) fn open(provider: &Resolved, endpoint: &Url, pkce: bool) -> Opening {
    let mut opening = Opening::of(Post::by_client(provider, endpoint, BodyFormat::Form));
    if !provider.scopes.is_empty() {
        opening = opening.text("scope", &provider.scopes.join(" "));
    }
    if pkce { opening.challenged() } else { opening }
}

/// The answer to a start (RFC 8628 section 3.2).
pub(super) fn read(members: &Members, now: UnixSeconds) -> Result<DeviceStart, StartError> {
    let (verification_uri, verification_uri_complete) = page(members)?;
    Ok(DeviceStart {
        device_code: secret(members, &["device_code"], "device code")?,
        user_code: user_code(members, &["user_code"])?,
        verification_uri,
        verification_uri_complete,
        expires_in: members.lifetime(now),
        interval: interval(members.seconds("interval")),
        verifier: None,
    })
}

/// A poll (RFC 8628 section 3.4).
pub(super) fn ask(provider: &Resolved, poll: DevicePoll<'_>) -> Post {
    let post = Post::by_client(provider, &provider.token_endpoint, provider.token_body)
        .text("grant_type", DEVICE_GRANT)
        .secret("device_code", poll.device_code);
    poll.verified(post)
}
