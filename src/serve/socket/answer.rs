//! What a caller is told: words for programs, sentences for people, one line each.
//!
//! Owns the way from outcomes to [`wire`](super::wire). Invariant: nobody is told the names of tenants that they may not have. Must
//! not: decide who may have what.

use super::admit::Grant;
use super::crowd::Full;
use super::lines::{LINE_BOUND, LONGEST};
use super::wire::{Answer, ErrorBody, Reply, Word};
use crate::broker::{AskError, ResolveError};
use crate::gate::TokenError;
use crate::tenant::{TenantKey, ThreadId};

/// `reply` as it goes over the wire.
pub(super) fn line(reply: &Reply) -> Vec<u8> {
    // What is plain data can always be written.
    let mut line = serde_json::to_vec(reply).unwrap_or_default();
    line.push(b'\n');
    line
}

pub(super) fn error(word: Word, message: impl Into<String>) -> ErrorBody {
    ErrorBody { error: word.as_str().to_owned(), exit_code: word.exit_code(), message: message.into() }
}

/// To a user whom nothing admits.
pub(super) fn not_admitted(uid: u32) -> ErrorBody {
    let message = format!(
        "user {uid} may have no token here; ask the operator for an entry such as {{ uid = {uid}, tenants = [\"…\"] }} in allow \
         under [tokens]"
    );
    error(Word::NotAllowed, message)
}

/// To somebody whose bearer token is not the one, or who shows none.
pub(super) fn no_bearer() -> ErrorBody {
    error(
        Word::NotAllowed,
        "this needs the bearer token that the operator has put into bearer_file under [tokens]",
    )
}

/// To somebody who watches a tenant that they may not have.
pub(super) fn not_given(tenant: &TenantKey) -> ErrorBody {
    error(Word::NotAllowed, AskError::NotAllowed { tenant: tenant.clone() }.to_string())
}

/// To somebody who shows another bearer token than the one, whatever they have without it.
pub(super) fn wrong_bearer() -> ErrorBody {
    error(
        Word::NotAllowed,
        "the bearer token that was shown is not the one in bearer_file under [tokens]; copy it anew, or show none where this \
         user is named in allow",
    )
}

/// To one connection too many.
pub(super) fn crowded(full: Full) -> ErrorBody {
    let message = match full {
        Full::User => "there are too many connections of this user; close some, and try again",
        Full::Room => "there are too many connections of all users together; try again in a moment",
    };
    error(Word::Busy, message)
}

/// To one request too many of a connection.
pub(super) fn busy(most: usize) -> ErrorBody {
    error(
        Word::Busy,
        format!("{most} requests are under way on this connection; wait for an answer, and try again"),
    )
}

/// To one watch too many.
pub(super) fn watched_enough() -> ErrorBody {
    error(Word::Busy, "too many watch requests of this user are under way; end some, and try again")
}

/// To one long answer too many.
pub(super) fn unread_enough() -> ErrorBody {
    error(Word::Busy, "too many answers to this user wait to be read; read them, and try again")
}

/// To a line without an end.
pub(super) fn too_large() -> ErrorBody {
    error(Word::TooLarge, format!("a request may have {LONGEST} bytes"))
}

/// To half a line.
pub(super) fn too_slow() -> ErrorBody {
    error(Word::TimedOut, format!("a request must end within {} s of its first byte", LINE_BOUND.as_secs()))
}

/// To whoever is still there at the end.
pub(super) fn closing() -> ErrorBody {
    error(Word::Closing, "the bot is ending; try again in a moment, or use `latchkey token`")
}

/// Why there was no token for what the caller calls `target`.
pub(super) fn refusal(refused: &AskError, target: &str, grant: &Grant) -> ErrorBody {
    let word = match refused {
        AskError::NotAllowed { .. } => Word::NotAllowed,
        AskError::NobodyCame { .. } | AskError::Token(TokenError::TimedOut { .. }) => Word::TimedOut,
        AskError::Token(TokenError::Closing) => return closing(),
        other => other.class().into(),
    };
    let message = match refused {
        AskError::Resolve(ResolveError::NoneHere { is_open, provider, candidates: Some(candidates) }) => {
            let may_know = |name: &&str| name.parse().is_ok_and(|tenant| grant.admits(&tenant));
            let candidates: Vec<_> = candidates.split(", ").filter(may_know).collect();
            let candidates = (!candidates.is_empty()).then(|| candidates.join(", "));
            ResolveError::NoneHere { is_open: *is_open, provider: provider.clone(), candidates }.to_string()
        }
        // A provider's name may lead to what somebody else's thread is bound to.
        AskError::NotAllowed { tenant } if tenant.to_string() != target.trim() => {
            "what is meant by that is not among the tenants that this caller is allowed; ask the operator to add it to allow \
             under [tokens]"
                .to_owned()
        }
        other => other.to_string(),
    };
    error(word, message)
}

/// To somebody who is admitted to no tenant of what they name, whether it is configured or not. `theirs` are the providers of which
/// they may have something.
pub(super) fn none_of_these(theirs: &[&str]) -> ErrorBody {
    let theirs = if theirs.is_empty() { "none".to_owned() } else { theirs.join(", ") };
    let message = format!(
        "what is meant by that is not among the tenants that this caller is allowed, which are of these providers: {theirs}; ask \
         the operator to add it to allow under [tokens]"
    );
    error(Word::NotAllowed, message)
}

/// To somebody whose thread hangs from a channel that cannot be found out now.
pub(super) fn channel_unknown(thread: &ThreadId) -> ErrorBody {
    error(
        Word::Transient,
        format!(
            "which channel thread {thread} hangs from cannot be found out now; try again, or name it as parent"
        ),
    )
}

/// That the store could not be read.
pub(super) fn unreadable(failed: crate::store::StoreError) -> ErrorBody {
    let failed = TokenError::Store(failed);
    error(failed.class().into(), failed.to_string())
}

/// An answer to the request `id`.
pub(super) fn reply(id: Option<&serde_json::Value>, answer: Result<Answer, ErrorBody>) -> Reply {
    let ok = answer.is_ok();
    Reply { id: id.cloned(), ok, answer: answer.unwrap_or_else(Answer::Error) }
}
