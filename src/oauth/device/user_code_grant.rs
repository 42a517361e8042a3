//! The user code as a grant ([`DeviceProtocol::UserCodeGrant`]): a start like an authorization request, a poll that presents
//! the user code and the verifier, and replies that say in `status` how it stands, with HTTP 200.
//!
//! Owns all that is said by it. Invariants: the start's answer carries our state; there is no device code, so the user code
//! is what stands in its place. Must not: take what a `status` does not say for an end.
//!
//! [`DeviceProtocol::UserCodeGrant`]: crate::provider::DeviceProtocol::UserCodeGrant

use url::Url;

use super::{DeviceOutcome, DevicePoll, DeviceStart, Opening, StartError, interval, page, user_code};
use crate::clock::UnixSeconds;
use crate::oauth::http::Reply;
use crate::oauth::reply::Members;
use crate::oauth::request::Post;
use crate::provider::{BodyFormat, Resolved};
use crate::secret::Secret;

const USER_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:user_code";
/// An interval from here on is in milliseconds.
const FIRST_MILLIS: u64 = 100;

pub(super) fn open(provider: &Resolved, endpoint: &Url) -> Opening {
    let mut opening = Opening::of(Post::by_client(provider, endpoint, BodyFormat::Form));
    opening = opening.text("response_type", "code");
    if !provider.scopes.is_empty() {
        opening = opening.text("scope", &provider.scopes.join(" "));
    }
    opening.challenged().stateful()
}

/// The answer to a start. `state` is what it must repeat (T2).
pub(super) fn read(
    members: &Members,
    state: Option<&Secret>,
    now: UnixSeconds,
) -> Result<DeviceStart, StartError> {
    if members.secret("state").ok().flatten().as_ref() != state {
        return Err(StartError::Incomplete { what: "state (it must be the one that was sent)" });
    }
    let user_code = user_code(members, &["user_code"])?;
    let (page, complete) = page(members)?;
    // C5: the page with the code in it is not kept beyond the login's end, the bare one is.
    let (verification_uri, verification_uri_complete) = if page.contains(&*user_code) {
        let bare = page.split(['?', '#']).next().unwrap_or_default().to_owned();
        (bare, complete.or(Some(page)))
    } else {
        (page, complete)
    };
    let given = members.seconds("interval");
    Ok(DeviceStart {
        device_code: Secret::from(&*user_code),
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_in: members.lifetime(now),
        interval: interval(
            given.map(|given| if given < FIRST_MILLIS { given } else { given.div_ceil(1000) }),
        ),
        verifier: None,
    })
}

pub(super) fn ask(provider: &Resolved, poll: DevicePoll<'_>) -> Post {
    let post = Post::by_client(provider, &provider.token_endpoint, BodyFormat::Form)
        .text("grant_type", USER_CODE_GRANT)
        .secret("user_code", poll.device_code);
    poll.verified(post)
}

/// What `status` says, where that is all there is: tokens, and errors of other kinds, are for the reader of all replies.
pub(super) fn sort(reply: &Reply, members: Option<&Members>) -> Option<DeviceOutcome> {
    if !reply.is_success() {
        return None;
    }
    let members = members?;
    if members.has_error() {
        let said = members.error_text().unwrap_or_default().to_lowercase();
        let tells = |words: &[&str]| words.iter().any(|word| said.contains(word));
        return if tells(&["denied", "declined", "rejected", "refused"]) {
            Some(DeviceOutcome::Denied)
        } else if tells(&["expired", "timed out", "timeout"]) {
            Some(DeviceOutcome::Expired)
        } else {
            None
        };
    }
    let granted = ["success", "succeeded"];
    members.status().filter(|status| !granted.contains(&&**status)).map(|_| DeviceOutcome::Pending)
}
