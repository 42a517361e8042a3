//! What to do about one tenant's token: a pure function of what is stored, what is wanted and the time.
//!
//! Owns the rules of freshness, of unknown outcomes (G19), of back-off (G16) and of forced refreshes (G15). Invariant:
//! [`decide`] asks for an exchange only where one is allowed; everything else asks it. Must not: do anything.

use std::time::Duration;

use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::credential::{Credential, CredentialKind, CredentialState, Intent, Unserved};
use crate::oauth::{DISCOVERY_BOUND, EXCHANGE_BOUND};
use crate::provider::{Provider, Reuse};
use crate::secret::TokenHash;
use crate::store::{Document, STORE_WAIT};
use crate::tenant::TenantKey;

/// Exchanges that one flight makes at most, for all reasons together (G10).
pub const EXCHANGES_A_FLIGHT: u32 = 2;
/// Writes of the store that a flight waits for at most, apart from those of a disk that fails: what a rescue file told of,
/// an intent and an outcome for each exchange.
const STORE_WRITES: u64 = 1 + 2 * EXCHANGES_A_FLIGHT as u64;
/// How long a flight waits for the tenant's refresh lock: what a holder may need, and a margin of ten seconds (G10).
pub const LOCK_WAIT: Duration = Duration::from_secs(
    DISCOVERY_BOUND.as_secs()
        + EXCHANGES_A_FLIGHT as u64 * EXCHANGE_BOUND.as_secs()
        + STORE_WRITES * STORE_WAIT.as_secs()
        + 10,
);
/// How long a caller waits unless it says otherwise (G10).
pub const CALLER_DEADLINE: Duration = Duration::from_secs(30);
/// The minimum validity unless a caller says otherwise, in seconds.
pub const MIN_VALID: i64 = 60;
/// A credential is not refreshed ahead of need within this many seconds of the last time, however short its tokens live.
pub const SHORTEST_REST: i64 = 30;
/// What a refresh has brought is not refreshed again within this many seconds for a caller's word alone: a token from a forced
/// refresh for one that is said to be rejected, any token for a minimum that it does not reach (G15).
pub const FORCED_AGAIN_AFTER: i64 = 60;
/// A plain `invalid_grant` is probed once more after this many seconds (G17).
pub const PROBE_AFTER: i64 = 600;
/// The longest wait between tries, in seconds.
pub const BACK_OFF_CAP: i64 = 300;
/// The longest wait between tries of a credential whose state is uncertain, in seconds.
pub const UNCERTAIN_CAP: i64 = 3_600;
/// The longest back-off that is believed, in seconds: a server may ask for a day; more is a clock that jumped (S14).
const LONGEST_BACK_OFF: i64 = 24 * 60 * 60 + SKEW_ALLOWED;

/// What a caller needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Seconds that the token must last.
    pub min_valid: i64,
    /// A token that was rejected: that one will not do (G14).
    pub rejected: Option<TokenHash>,
    /// Credential id and generation when the caller came: a newer one will do however short it lasts (G15).
    pub arrived: Option<(String, u64)>,
    /// Whether to refresh ahead of need, from the refresh point on (G24).
    pub ahead: bool,
    /// Whether only something newer than at arrival will do, although nothing speaks against what is there: somebody's
    /// wish, which is forced as a rejected token is (G15), and less than that where an outcome is unknown (G19).
    pub anew: bool,
    /// Whether a refresh that is under way is waited for although the present token would do: for whoever cannot ask again.
    pub settled: bool,
}

impl Default for Want {
    fn default() -> Self {
        Self {
            min_valid: MIN_VALID,
            rejected: None,
            arrived: None,
            ahead: false,
            anew: false,
            settled: false,
        }
    }
}

impl Want {
    /// A refresh ahead of need.
    #[must_use]
    pub fn ahead() -> Self {
        Self { ahead: true, ..Self::default() }
    }

    /// A refresh because somebody wishes it.
    #[must_use]
    pub fn anew() -> Self {
        Self { anew: true, ..Self::default() }
    }
}

/// What [`decide`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Hand out what is stored.
    Serve,
    /// Exchange the refresh token; this will be the intent's `attempt`.
    Refresh {
        /// One, or more after an unknown outcome.
        attempt: u32,
        /// Whether a caller's word is all that speaks against the present token (G15).
        forced: bool,
    },
    /// People must sign in.
    NeedsLogin,
    /// The provider rejects what a forced refresh has just brought (G15).
    Rejected,
    /// Not before this time.
    BackOff {
        /// Unix seconds.
        until: UnixSeconds,
    },
    /// An earlier attempt's outcome is unknown, and another now could end the whole sign-in (G19).
    Hold {
        /// When the present token ends, in unix seconds.
        until: UnixSeconds,
    },
    /// Two attempts or more are unknown and the last is not written down yet: do so, with a back-off (G19).
    MarkUncertain,
    /// An unknown attempt, and a newer sign-in of the same account that a second use would end: give this one up (G19).
    GiveUp,
    /// Its owner is no longer served (U7): nothing is handed out, and nothing asked for.
    Suspended(Unserved),
    /// The configuration is not the one that this credential was issued to (G30).
    Misconfigured {
        /// What differs.
        what: &'static str,
    },
}

/// Whether `credential` gives `want` what it needs at `now`.
#[must_use]
pub fn satisfies(credential: &Credential, want: &Want, now: UnixSeconds) -> bool {
    if credential.suspended.is_some() {
        return false;
    }
    let is_newer = want.arrived.as_ref().is_some_and(|arrived| *arrived != credential.version());
    if is_rejected(credential, want)
        || (want.ahead && is_past_refresh_point(credential, now))
        || (want.anew && !is_newer)
    {
        return false;
    }
    let Some(expires_at) = credential.expires_at else { return true };
    let left = expires_at.saturating_sub(now);
    // The ordinary minimum must not turn every use of a token that lives a minute into a refresh; who asks for more than
    // the ordinary gets what they ask for, or something newer.
    let ordinary = want.min_valid <= MIN_VALID;
    // Another refresh now would bring no more; and whoever asks for too much again and again must not wear out a provider.
    let min_valid =
        if is_just_renewed(credential, now) { want.min_valid.min(MIN_VALID) } else { want.min_valid };
    let needed = life(credential)
        .filter(|_| ordinary || min_valid < want.min_valid)
        .map_or(min_valid, |life| min_valid.min(life / 2));
    left > 0 && (left >= needed || is_newer)
}

/// Whether a refresh brought the token within the last minute, as far as the clock can be believed (S14). A sign-in or an import
/// says less: its token may be older than what is written down of it.
fn is_just_renewed(credential: &Credential, now: UnixSeconds) -> bool {
    credential.generation > 1
        && credential.obtained_at.is_some_and(|at| now.abs_diff(at) < FORCED_AGAIN_AFTER.unsigned_abs())
}

/// Whether `credential` has the very token that the caller saw rejected (G14).
pub(super) fn is_rejected(credential: &Credential, want: &Want) -> bool {
    want.rejected.is_some_and(|rejected| credential.access_token.hash() == rejected)
}

fn is_past_refresh_point(credential: &Credential, now: UnixSeconds) -> bool {
    refresh_point(credential).is_some_and(|point| point <= now)
}

/// When a credential in use is refreshed ahead of its end: at 75 to 85 per cent of its life, spread by its id so that
/// tenants that were filled together do not all refresh together (G24), and never within [`SHORTEST_REST`] of the last
/// time. None where its end is not known.
#[must_use]
pub fn refresh_point(credential: &Credential) -> Option<UnixSeconds> {
    let (expires_at, obtained_at) = (credential.expires_at?, credential.obtained_at?);
    let life = life(credential)?;
    let spread = i64::from(spread(&credential.id));
    let point = expires_at.saturating_sub(life / 100 * 15).saturating_sub(life / 2_560 * spread);
    Some(point.max(obtained_at.saturating_add(SHORTEST_REST)))
}

/// A number from 0 to 255 that is another for most other ids. Every token that is handed out asks for it, so it is cheap:
/// FNV-1a, folded.
fn spread(id: &str) -> u8 {
    let hash =
        id.bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes().into_iter().fold(0, |folded, byte| folded ^ byte)
}

/// How long the access token lives in all, in seconds, where that is known.
fn life(credential: &Credential) -> Option<i64> {
    Some(credential.expires_at?.saturating_sub(credential.obtained_at?).clamp(0, i64::from(u32::MAX)))
}

/// When something is to be done ahead of need about `credential`, in unix seconds: its refresh, not before its back-off
/// ends, or the one probe of a dead one (G17).
#[must_use]
pub fn due(credential: &Credential, now: UnixSeconds) -> Option<UnixSeconds> {
    let rests = credential.suspended.is_some() || credential.kind == CredentialKind::Static;
    if rests || credential.refresh_token.is_none() {
        return None;
    }
    let retry_at = credential.retry_at.map(|at| backing_off(credential, now).unwrap_or(at.min(now)));
    if credential.state == CredentialState::NeedsLogin {
        return retry_at.filter(|_| credential.open_intent().is_none());
    }
    let point = refresh_point(credential)?;
    Some(retry_at.map_or(point, |retry| point.max(retry)))
}

/// When the stored back-off ends, if it holds at `now`. One that reaches further than any server may ask, or was written
/// down at a time that is still to come, is a clock's fault and holds nobody (S14).
#[must_use]
pub fn backing_off(credential: &Credential, now: UnixSeconds) -> Option<UnixSeconds> {
    let until = credential.retry_at.filter(|at| *at > now && at.saturating_sub(now) <= LONGEST_BACK_OFF)?;
    (!credential.updated_at.is_some_and(|at| is_from_the_future(at, now))).then_some(until)
}

/// Whether `credential` can be refreshed at all.
#[must_use]
pub fn is_refreshable(credential: &Credential) -> bool {
    credential.kind == CredentialKind::OAuth && credential.refresh_token.is_some()
}

/// Whether the clock has been set back since `stamp` was taken (S14).
fn is_from_the_future(stamp: UnixSeconds, now: UnixSeconds) -> bool {
    stamp.saturating_sub(now) > SKEW_ALLOWED
}

/// What to do for `want`, given what is stored. `locked` says whether the caller holds the tenant's refresh lock: only
/// then does an intent mean that its sender is gone. `sibling` says whether [`newer_sibling`] found one.
#[must_use]
pub fn decide(
    credential: &Credential,
    provider: &Provider,
    want: &Want,
    now: UnixSeconds,
    locked: bool,
    sibling: bool,
) -> Step {
    if let Some(suspension) = credential.suspended {
        return Step::Suspended(suspension.reason);
    }
    // Whoever looks ahead at a dead one asks for its probe, also while its token serves (G17).
    let probes = want.ahead && credential.state == CredentialState::NeedsLogin;
    if !probes && satisfies(credential, want, now) {
        return Step::Serve;
    }
    if credential.kind == CredentialKind::Static || credential.refresh_token.is_none() {
        return Step::NeedsLogin;
    }
    if let Some(what) = mismatch(credential, provider) {
        return Step::Misconfigured { what };
    }
    let back_off = backing_off(credential, now);
    if credential.state == CredentialState::NeedsLogin {
        // Only a plain `invalid_grant` leaves a time for its probe (G17).
        // An intent that is still open says that the probe went out and got no answer: it was the one.
        let probe_is_due =
            credential.retry_at.is_some() && back_off.is_none() && credential.open_intent().is_none();
        return if probe_is_due { Step::Refresh { attempt: 1, forced: false } } else { Step::NeedsLogin };
    }
    if let Some(until) = back_off {
        return Step::BackOff { until };
    }
    let serves_by_the_clock = credential.expires_at.is_none_or(|at| at > now);
    let rejected = is_rejected(credential, want);
    let forced = (rejected || want.anew) && serves_by_the_clock;
    let forced_lately =
        credential.forced_at.is_some_and(|at| now.abs_diff(at) < FORCED_AGAIN_AFTER.unsigned_abs());
    if forced && forced_lately {
        return Step::Rejected;
    }
    match credential.open_intent().filter(|_| locked) {
        None => Step::Refresh { attempt: 1, forced },
        Some(_) if sibling => Step::GiveUp,
        Some(intent) if intent.attempt >= 2 && !waited_since(credential, intent, now) => Step::MarkUncertain,
        Some(_) if provider.reuse == Reuse::Strict && serves_by_the_clock && !rejected => {
            Step::Hold { until: credential.expires_at.unwrap_or(now) }
        }
        Some(intent) => Step::Refresh { attempt: intent.attempt.saturating_add(1), forced },
    }
}

/// Whether a back-off was written down after `intent` was sent. A try that was killed leaves an intent from after the back-off
/// that allowed it. A stamp from the future is a clock's fault, and says nothing (S14).
fn waited_since(credential: &Credential, intent: &Intent, now: UnixSeconds) -> bool {
    let is_believed = intent.sent_at <= now.saturating_add(SKEW_ALLOWED);
    credential.state == CredentialState::Uncertain
        && credential.retry_at.is_some_and(|at| at > intent.sent_at || !is_believed)
}

/// What of the credential's origin differs from the configuration, or from what was discovered by it (G30). An endpoint that
/// is yet to be discovered differs from none.
#[must_use]
pub fn mismatch(credential: &Credential, provider: &Provider) -> Option<&'static str> {
    let differs = |issued: Option<&str>, configured: &str| issued.is_some_and(|issued| issued != configured);
    // A refresh token is shown to nobody but its own provider (I8).
    if credential.provider != provider.name {
        Some("provider")
    } else if provider.client_id.as_deref().is_some_and(|own| differs(credential.client_id.as_deref(), own)) {
        Some("client_id")
    } else if provider.registers() && credential.registration.is_none() {
        // It was issued to a client that the operator had configured, or to one that nobody has written down.
        Some("registration")
    } else if provider
        .token_endpoint
        .as_ref()
        .is_some_and(|endpoint| differs(credential.token_endpoint.as_deref(), endpoint.as_str()))
    {
        Some("token_endpoint")
    } else if provider.issuer.as_deref().is_some_and(|issuer| differs(credential.issuer.as_deref(), issuer)) {
        Some("issuer")
    } else {
        None
    }
}

/// Whether another tenant got a sign-in of the same issuer, client and account after the intent was written: a second
/// use of the old refresh token could end that one too (G19). An intent of a time that is still to come does not tell
/// what was stored after it: then any such sign-in counts.
#[must_use]
pub fn newer_sibling(
    document: &Document,
    tenant: &TenantKey,
    credential: &Credential,
    now: UnixSeconds,
) -> bool {
    let Some(intent) = credential.open_intent() else { return false };
    let no_order = is_from_the_future(intent.sent_at, now);
    document.tenants().any(|(key, other)| {
        key != *tenant
            && other.is_of_same_client(credential)
            && other.account.is_same(&credential.account) == Some(true)
            && other.created_at.is_some_and(|at| no_order || at >= intent.sent_at)
    })
}

/// Seconds to wait after `failures` failures in a row: doubling from two seconds up to `cap`, and up to a quarter more by
/// `jitter` (0 to 1), so that processes do not come back together (G16).
#[must_use]
pub fn back_off(failures: u32, cap: i64, jitter: f64) -> i64 {
    let base = 2_i64.saturating_pow(failures.clamp(1, 20)).min(cap);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a few minutes at most")]
    let extra = (base as f64 / 4.0 * jitter.clamp(0.0, 1.0)) as i64;
    base + extra
}

#[cfg(test)]
mod tests;
