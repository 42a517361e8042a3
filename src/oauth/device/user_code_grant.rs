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
use crate::oauth::refusal::folded;
use crate::oauth::reply::Members;
use crate::oauth::request::Post;
use crate::provider::{BodyFormat, Resolved};
use crate::secret::Secret;

const USER_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:user_code";
/// An interval from here on is in milliseconds.
const FIRST_MILLIS_OF_INTERVAL: u64 = 100;

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
            given.map(|given| if given < FIRST_MILLIS_OF_INTERVAL { given } else { given.div_ceil(1000) }),
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
        return by_words(&members.error_text().unwrap_or_default());
    }
    let granted = ["success", "succeeded"];
    members.status().filter(|status| !granted.contains(&&**status)).map(|_| DeviceOutcome::Pending)
}

/// What an error says of the person or the code. Only a plain statement ends a login; words of trouble on the way go on
/// (T11); all else is for the reader of all replies.
fn by_words(said: &str) -> Option<DeviceOutcome> {
    const DENIALS: [&str; 3] = ["denied", "declined", "rejected"];
    const TROUBLE: [&str; 8] =
        ["timeout", "timed out", "connection", "rate limit", "too many", "try again", "busy", "unavailable"];
    let said = folded(said);
    let words: Vec<&str> = said.split(' ').collect();
    // One of `verbs` said of `noun`, with nothing but such words between them.
    let states = |noun: &str, between: &[&str], verbs: &[&str]| {
        let mut after = words.iter().enumerate().filter(|(_, word)| **word == noun);
        after.any(|(at, _)| {
            let rest = &words[at + 1..];
            rest.iter().find(|word| !between.contains(word)).is_some_and(|word| verbs.contains(word))
        })
    };
    let denied = states("user", &["has", "have"], &DENIALS)
        || states("authorization", &["request", "has", "been", "was", "is"], &DENIALS)
        || DENIALS.iter().any(|verb| states(verb, &["by", "the"], &["user"]));
    if denied {
        Some(DeviceOutcome::Denied)
    } else if states("code", &["has", "is", "already", "been"], &["expired"]) {
        Some(DeviceOutcome::Expired)
    } else if TROUBLE.iter().any(|trouble| said.contains(trouble)) {
        Some(DeviceOutcome::BackOff { retry_after: None })
    } else {
        None
    }
}
