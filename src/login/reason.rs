//! Why a login failed at its provider, as it is stored and told.
//!
//! Owns the step from a refusal to an [`EndReason`]. Pure. Invariant: what people are told is one of our reasons, for
//! which every language has words, or the provider's own words; our prose for the log does not reach them.

use crate::oauth::{Outcome, Refusal, RefusalKind};
use crate::pending::EndReason;

/// Of an answer that says no: its error `code`, and what the provider `said` with it.
pub(super) fn of_answer(code: &str, said: String) -> EndReason {
    match code {
        "server_error" | "temporarily_unavailable" => EndReason::Unavailable,
        _ => EndReason::Provider(said),
    }
}

/// Of an exchange that granted nothing.
pub(super) fn of_outcome(outcome: &Outcome) -> EndReason {
    match outcome {
        Outcome::Refused(refusal) => of_refusal(refusal),
        Outcome::Granted(_) | Outcome::NotSent(_) | Outcome::Unknown(_) => EndReason::Unavailable,
    }
}

/// Of a definite answer of the token endpoint.
pub(super) fn of_refusal(refusal: &Refusal) -> EndReason {
    match refusal.kind {
        RefusalKind::Transient { .. } => EndReason::Unavailable,
        RefusalKind::Dead(_) => EndReason::CodeRefused,
        RefusalKind::NoAccess => EndReason::NoAccess(refusal.own_words().map(str::to_owned)),
        RefusalKind::Operator => EndReason::Misconfigured(refusal.own_words().map(str::to_owned)),
    }
}

/// Of a sign-in's first exchange. One whose token is refused as soon as it came is not the person's fault, nor mended by
/// another.
pub(super) fn of_first_exchange(outcome: &Outcome) -> EndReason {
    match outcome {
        Outcome::Refused(refusal) if matches!(refusal.kind, RefusalKind::Dead(_)) => {
            EndReason::Misconfigured(refusal.own_words().map(str::to_owned))
        }
        Outcome::NotSent(error) if error.is_operators() => EndReason::Misconfigured(None),
        outcome => of_outcome(outcome),
    }
}

/// What the log says of an exchange that granted nothing. A server's prose may repeat what the request did not carry, the
/// state of the login for one: it is not logged.
pub(super) fn for_log(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(refusal) => format!("refused with HTTP {}: {:?}", refusal.status, refusal.kind),
        Outcome::Granted(_) | Outcome::NotSent(_) | Outcome::Unknown(_) => outcome.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::DeadReason;

    /// U3, T10
    #[test]
    fn our_prose_reaches_nobody() {
        let refusal = |kind, code: Option<&str>, said: Option<&str>| Refusal {
            kind,
            status: 400,
            code: code.map(str::to_owned),
            text: "our prose".to_owned(),
            said: said.map(str::to_owned),
        };
        let misconfigured = |said: &str| EndReason::Misconfigured(Some(said.to_owned()));
        for (refusal, expected) in [
            (refusal(RefusalKind::Transient { retry_after: None }, None, None), EndReason::Unavailable),
            (refusal(RefusalKind::Dead(DeadReason::Revoked), Some("x"), Some("y")), EndReason::CodeRefused),
            (refusal(RefusalKind::Operator, Some("x"), Some("y")), misconfigured("y")),
            (refusal(RefusalKind::Operator, Some("x"), None), misconfigured("x")),
            (refusal(RefusalKind::Operator, None, None), EndReason::Misconfigured(None)),
        ] {
            assert_eq!(of_outcome(&Outcome::Refused(refusal)), expected);
        }
        let echo = Outcome::Refused(refusal(RefusalKind::Operator, Some("x"), Some("state=st-42")));
        assert_eq!(for_log(&echo), "refused with HTTP 400: Operator");
        assert_eq!(of_answer("server_error", "x".to_owned()), EndReason::Unavailable);
        assert_eq!(of_answer("odd", "its words".to_owned()), EndReason::Provider("its words".to_owned()));
    }
}
