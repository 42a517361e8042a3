//! The words and the exit code of each end of a sign-in, and of each reason why one could not be started.
//!
//! Owns what a person at the terminal is told. Pure. Invariant: every end says what happened, what was changed, and what to do next;
//! foreign text is escaped. Must not: print.

use latchkey::login::{PasteError, StartError};
use latchkey::pending::{EndReason, LoginStatus, PendingLogin};
use latchkey::tenant::{TenantKey, User};

use crate::exit::{Code, Exit};

/// How `login`, which is over, ends the command. `account` is whose the credential is by now.
pub(super) fn told(login: &PendingLogin, account: Option<&str>) -> Result<String, Exit> {
    let tenant = &login.tenant;
    let again = format!("start again with `latchkey login {tenant}`");
    let (code, text) = match (login.status, &login.reason) {
        (LoginStatus::Succeeded, Some(EndReason::CompletedBy(other))) => {
            return Ok(format!(
                "{tenant} is signed in: {} was faster, so there is nothing left to do here",
                whom(other)
            ));
        }
        (LoginStatus::Succeeded, _) => {
            let whose = account.map(|account| format!(" as {}", account.escape_debug())).unwrap_or_default();
            return Ok(format!(
                "signed in to {tenant}{whose}. Programs get its tokens with `latchkey token {tenant}`"
            ));
        }
        (_, Some(EndReason::RefusedBy(by))) => (
            Code::Denied,
            format!(
                "{} keeps its present account. What you signed in with was not stored",
                by_whom(tenant, by, &login.user)
            ),
        ),
        (_, Some(EndReason::Unconfirmed)) => (
            Code::NeedsLogin,
            format!("nobody agreed to the other account in time, so nothing was changed; {again}"),
        ),
        (_, Some(EndReason::Removed)) => (
            Code::NeedsLogin,
            format!(
                "{tenant} was logged out meanwhile, which ended this sign-in too. Nothing was stored; {again}"
            ),
        ),
        (LoginStatus::Cancelled, Some(EndReason::CancelledBy(by))) => (
            Code::NeedsLogin,
            format!("the sign-in to {tenant} was cancelled by {}. Nothing was stored", whom(by)),
        ),
        (LoginStatus::Cancelled, _) => {
            (Code::NeedsLogin, format!("the sign-in to {tenant} was cancelled. Nothing was stored; {again}"))
        }
        (LoginStatus::Expired, _) => (
            Code::NeedsLogin,
            format!("the sign-in to {tenant} took too long and has expired. Nothing was stored; {again}"),
        ),
        (LoginStatus::Denied, _) => (
            Code::Denied,
            format!(
                "the sign-in to {tenant} was declined on the provider's page. Nothing was stored; if that was not meant, {again}"
            ),
        ),
        (_, reason) => {
            let (code, why) = failed(reason.as_ref(), &again);
            (code, format!("the sign-in to {tenant} failed: {why}"))
        }
    };
    Err(Exit::new(code, text))
}

fn failed(reason: Option<&EndReason>, again: &str) -> (Code, String) {
    let nothing = "nothing was stored";
    match reason {
        Some(EndReason::NotStored) => (
            Code::Store,
            format!("the provider agreed, but it could not be stored here; see that the auth file can be written, then {again}"),
        ),
        Some(EndReason::Interrupted | EndReason::NotStarted) => {
            (Code::Transient, format!("the program that worked on it was ended; {nothing}, {again}"))
        }
        Some(EndReason::OtherAccount) => (
            Code::Denied,
            "that is another account than the one in use here; nothing was changed. Sign in with that one, or log it out first with \
             `latchkey logout`"
                .to_owned(),
        ),
        Some(EndReason::OtherOwner) => {
            (Code::Denied, "what is in use here is somebody else's; log it out first with `latchkey logout`".to_owned())
        }
        Some(EndReason::HeldElsewhere(holder)) => (
            Code::Denied,
            format!("that very sign-in is here already, as {holder}, and it cannot be in two places; use that one, or log it out first"),
        ),
        Some(EndReason::Unavailable) => {
            (Code::Transient, format!("the provider gave no usable answer; {nothing}. In a few minutes, {again}"))
        }
        Some(EndReason::CodeRefused) => (
            Code::NeedsLogin,
            format!(
                "the provider no longer accepted the answer: it came too late, was used before, or is another sign-in's; {nothing}, {again}"
            ),
        ),
        Some(EndReason::Misconfigured(said)) => (
            Code::Usage,
            format!("the provider refuses our client or request{}; mend the provider's table, and see `latchkey check`", says(said.as_deref())),
        ),
        Some(EndReason::NoAccess(said)) => (
            Code::Denied,
            format!(
                "the account has no access to this{}; {nothing}. Get access for it there, or sign in with another account",
                says(said.as_deref())
            ),
        ),
        Some(EndReason::UnknownAccount) => (
            Code::Denied,
            format!("the provider did not say clearly whose account it is, so nothing was changed; {again}"),
        ),
        Some(EndReason::NotOffered) => {
            (Code::Usage, "its provider was taken out of the configuration meanwhile".to_owned())
        }
        Some(EndReason::NotServed) => {
            (Code::Denied, format!("who started it is no longer served here; {nothing}"))
        }
        Some(EndReason::Provider(said)) if !said.is_empty() => {
            (Code::Denied, format!("the provider says \u{201c}{}\u{201d}; {nothing}, {again}", said.escape_debug()))
        }
        _ => (Code::Transient, format!("{nothing}; {again}")),
    }
}

fn says(said: Option<&str>) -> String {
    said.map(|said| format!(" (it says \u{201c}{}\u{201d})", said.escape_debug())).unwrap_or_default()
}

/// A tenant about which `by` has decided, where that is not the one who reads it.
fn by_whom(tenant: &TenantKey, by: &User, reader: &User) -> String {
    if by == reader { tenant.to_string() } else { format!("by the word of {}, {tenant}", whom(by)) }
}

/// Somebody, as the terminal names them.
pub fn whom(user: &User) -> String {
    match user {
        User::Discord(id) => format!("the Discord user {id}"),
        User::Local(uid) => format!("the user with uid {uid} on this host"),
    }
}

/// How an open login that another terminal or Discord started is ended from here. A slot that is signed in is best left alone: to log
/// it out ends more than the login.
pub(super) fn how_to_end(tenant: &TenantKey, is_signed_in: bool) -> String {
    if is_signed_in {
        "it can be cancelled there, and ends by itself when its time is over".to_owned()
    } else {
        format!("`latchkey logout {tenant}` ends it")
    }
}

/// Why nothing was started.
pub(super) fn not_started(error: StartError) -> Exit {
    let code = match &error {
        StartError::UnknownProvider { .. }
        | StartError::NoFlow { .. }
        | StartError::Operator { .. }
        | StartError::Refused { .. } => Code::Usage,
        StartError::NotYours { .. } | StartError::SwitchedOff { .. } | StartError::TooManyKept { .. } => {
            Code::Denied
        }
        StartError::RateLimited { .. }
        | StartError::GuildRateLimited { .. }
        | StartError::TooManyOpen { .. }
        | StartError::Transient { .. }
        | StartError::JoinedFailed
        | StartError::WindingUp => Code::Transient,
        StartError::Store(error) => return error.clone().into(),
    };
    Exit::new(code, error)
}

/// What a pasted text came to that was not used: the wait goes on. `None` where the login itself says it better.
pub(super) fn not_used(error: &PasteError) -> Option<String> {
    match error {
        PasteError::Unknown | PasteError::Over(_) => None,
        PasteError::InUse => Some("an answer is being checked already".to_owned()),
        PasteError::NotSent(_) | PasteError::Closing => {
            Some("the provider could not be reached; nothing is lost, paste the same answer again".to_owned())
        }
        error => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use latchkey::pending::LoginKind;

    use super::*;

    /// U3, DESIGN: every end in words, with the next step and its exit code.
    #[test]
    fn every_end_says_what_to_do_next() {
        let other: User = "80351110224678912".parse().unwrap();
        let failed = |reason| (LoginStatus::Failed, Some(reason));
        let ends = [
            (LoginStatus::Succeeded, None),
            (LoginStatus::Succeeded, Some(EndReason::CompletedBy(other.clone()))),
            (LoginStatus::Cancelled, None),
            (LoginStatus::Cancelled, Some(EndReason::CancelledBy(other.clone()))),
            (LoginStatus::Cancelled, Some(EndReason::RefusedBy(other))),
            (LoginStatus::Cancelled, Some(EndReason::RefusedBy(User::Local(1)))),
            (LoginStatus::Cancelled, Some(EndReason::Removed)),
            (LoginStatus::Expired, None),
            (LoginStatus::Expired, Some(EndReason::Unconfirmed)),
            (LoginStatus::Denied, None),
            failed(EndReason::NotStored),
            failed(EndReason::Interrupted),
            failed(EndReason::OtherAccount),
            failed(EndReason::OtherOwner),
            failed(EndReason::HeldElsewhere("acme/work".parse().unwrap())),
            failed(EndReason::Unavailable),
            failed(EndReason::CodeRefused),
            failed(EndReason::Misconfigured(Some("bad\u{1b}client".to_owned()))),
            failed(EndReason::NoAccess(None)),
            failed(EndReason::UnknownAccount),
            failed(EndReason::NotOffered),
            failed(EndReason::NotServed),
            failed(EndReason::Provider("no".to_owned())),
        ];
        let mut all = String::new();
        for (status, reason) in ends {
            let (user, tenant) = (User::Local(1), "acme".parse().unwrap());
            let mut login = PendingLogin::new(String::new(), LoginKind::Paste, user, tenant, 1, 2);
            (login.status, login.reason) = (status, reason);
            match told(&login, Some("ada@example.test")) {
                Ok(text) => writeln!(all, "0 {text}"),
                Err(Exit { code, message }) => writeln!(all, "{} {}", code as u8, message.unwrap()),
            }
            .unwrap();
        }
        insta::assert_snapshot!(all);
    }
}
