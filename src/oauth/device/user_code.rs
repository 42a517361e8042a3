//! A start and a poll in JSON, whose answer is an authorization code with its verifier ([`DeviceProtocol::UserCode`]).
//!
//! Owns all that is said by it. Must not: spend that code.
//!
//! [`DeviceProtocol::UserCode`]: crate::provider::DeviceProtocol::UserCode

use url::Url;

use super::{
    DeviceOutcome, DevicePoll, DeviceStart, Opening, StartError, failed, interval, secret, user_code,
};
use crate::clock::UnixSeconds;
use crate::oauth::http::Reply;
use crate::oauth::reply::Members;
use crate::oauth::request::Post;
use crate::provider::{BodyFormat, Resolved, UserCodeProtocol};

pub(super) fn open(provider: &Resolved, endpoint: &Url) -> Opening {
    let post = Post::anonymous(provider, endpoint, BodyFormat::Json);
    Opening::of(post.text("client_id", &provider.client_id))
}

/// The answer to a start. The page is the descriptor's.
pub(super) fn read(
    members: &Members,
    protocol: &UserCodeProtocol,
    now: UnixSeconds,
) -> Result<DeviceStart, StartError> {
    Ok(DeviceStart {
        device_code: secret(members, &["device_auth_id"], "device code")?,
        user_code: user_code(members, &["user_code", "usercode"])?,
        verification_uri: protocol.verification_uri.to_string(),
        verification_uri_complete: None,
        expires_in: members.lifetime(now),
        interval: interval(members.seconds("interval")),
        verifier: None,
    })
}

pub(super) fn ask(provider: &Resolved, protocol: &UserCodeProtocol, poll: DevicePoll<'_>) -> Post {
    Post::anonymous(provider, &protocol.poll_endpoint, BodyFormat::Json)
        .secret("device_auth_id", poll.device_code)
        .text("user_code", poll.user_code)
}

/// The answers that mean "not yet" or "done" here and nothing elsewhere. Codes count before statuses.
pub(super) fn sort(
    reply: &Reply,
    members: Option<&Members>,
    protocol: &UserCodeProtocol,
) -> Option<DeviceOutcome> {
    let by_code =
        members.and_then(Members::error_code).is_some_and(|code| protocol.pending_codes.contains(&code));
    if by_code || protocol.pending_statuses.contains(&reply.status) {
        return Some(DeviceOutcome::Pending);
    }
    reply.is_success().then(|| code_of(reply, members, protocol))
}

fn code_of(reply: &Reply, members: Option<&Members>, protocol: &UserCodeProtocol) -> DeviceOutcome {
    let secret = |name: &str| members?.secret(name).ok().flatten();
    match (secret("authorization_code"), secret("code_verifier")) {
        (Some(code), Some(verifier)) => {
            DeviceOutcome::Code { code, verifier, redirect_uri: protocol.exchange_redirect_uri.clone() }
        }
        _ => failed(reply.status, "the provider's answer has no code and verifier"),
    }
}
