//! How a tenant's state is put to people: a word, a colour, and what to do.
//!
//! Owns the words of the table. Invariants: what needs somebody names the next step; foreign text is shown without characters that
//! nobody sees (T10). Must not: lay anything out.

use latchkey::broker::{SourceView, TenantView};
use latchkey::clock::UnixSeconds;
use latchkey::text::is_unseen;

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Nothing to do.
    Good,
    /// It may come right by itself.
    Wavering,
    /// Somebody must do something.
    Bad,
    /// It is meant to be so.
    Resting,
}

/// The word for a tenant's health, and how urgent it is.
pub fn state(tenant: &TenantView) -> (String, Mood) {
    let (word, mood) = match tenant.health.as_str() {
        "fresh" | "stale" => ("works", Mood::Good),
        "environment" => ("from environment", Mood::Good),
        "backing_off" if tenant.no_access => ("no access", Mood::Bad),
        "backing_off" if tenant.operators_error => ("refused", Mood::Bad),
        "backing_off" => ("failing", Mood::Wavering),
        "uncertain" => ("uncertain", Mood::Wavering),
        "needs_login" => ("needs sign-in", Mood::Bad),
        "suspended" => ("suspended", Mood::Resting),
        "bad_environment" => ("bad environment", Mood::Bad),
        "misconfigured" => ("other settings", Mood::Bad),
        "not_configured" => ("no provider", Mood::Bad),
        other => return (plain(&other.replace('_', " ")), Mood::Wavering),
    };
    (word.to_owned(), mood)
}

/// What there is to know beside the row, and the next step.
pub fn next_step(tenant: &TenantView, now: UnixSeconds) -> Option<String> {
    let name = &tenant.tenant;
    let own = name.split_once('@').map(|(_, user)| user);
    let sign_in = match own {
        None => format!("sign in again: `latchkey login {name}`, or /auth login in Discord"),
        Some(user) => format!("Discord user {user} signs in again with /auth login"),
    };
    let again = tenant.retry_at.map_or_else(
        || "tried again at the next use".to_owned(),
        |at| format!("tried again {}", distance(at, now)),
    );
    let said =
        tenant.last_error.as_deref().map(|error| format!(" (it said: {})", plain(error))).unwrap_or_default();
    let step = match tenant.health.as_str() {
        "fresh" if tenant.retry_at.is_some() => format!("the last refresh failed, {again}{said}"),
        "fresh" | "environment" => return None,
        "stale" => "refreshed as soon as a program asks".to_owned(),
        "backing_off" if tenant.no_access => format!(
            "the provider gives this account no access, though its sign-in is good: get access for it there{said}"
        ),
        "backing_off" if tenant.operators_error => {
            let provider = name.split(['/', '@']).next().unwrap_or(name);
            format!(
                "the provider refuses Latchkey itself: correct the client under [providers.{provider}]{said}"
            )
        }
        "backing_off" => format!("the last refresh failed, {again}{said}"),
        "uncertain" => {
            format!(
                "the provider gave no clear answer to the last refresh, {again}; if that takes too long, {sign_in}"
            )
        }
        "needs_login" => format!("{sign_in}{said}"),
        "suspended" => match own {
            Some(user) => format!("Discord user {user} is no longer served here: it rests until they are"),
            None => "it rests".to_owned(),
        },
        "bad_environment" => {
            "what the environment holds for it cannot be used: correct or unset the variable".to_owned()
        }
        "misconfigured" => {
            format!("made under other settings of its provider than today's: restore those, or {sign_in}")
        }
        "not_configured" => format!(
            "its provider is not in the configuration: add it there, or remove the sign-in with `latchkey logout {name}`"
        ),
        _ => return tenant.last_error.as_deref().map(plain),
    };
    Some(step)
}

/// A source of the environment.
pub fn source(source: &SourceView) -> String {
    let noun = if source.kind == "api_key" { "API key" } else { "token" };
    let SourceView { provider, variable, .. } = source;
    let mut line = if source.state == "set" {
        format!("{provider}: the {noun} in {variable} is what is served: it stands above every sign-in")
    } else {
        format!(
            "{provider}: nothing is served: the {noun} in {variable} stands above every sign-in and cannot be used; \
             correct or unset it"
        )
    };
    let tokens = source.unused_variables.iter().map(|variable| format!("the token in {variable}"));
    let unused: Vec<_> = tokens.chain(source.unused_sign_ins.iter().cloned()).collect();
    if !unused.is_empty() {
        line.push_str("; unused below it: ");
        line.push_str(&unused.join(", "));
    }
    plain(&line)
}

/// A login's state, as the end of "the sign-in to … by … is".
pub fn login(status: &str) -> String {
    match status {
        "starting" => "being started".to_owned(),
        "pending" => "waiting for them".to_owned(),
        "exchanging" => "being finished".to_owned(),
        "confirming" => "waiting for an admin to agree to another account".to_owned(),
        other => plain(&other.replace('_', " ")),
    }
}

/// A moment as people say it: its distance from now.
pub fn distance(at: UnixSeconds, now: UnixSeconds) -> String {
    let length = |seconds: u64| match seconds {
        0..60 => "less than a minute".to_owned(),
        60..5_400 => format!("{} min", seconds / 60),
        5_400..129_600 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    };
    let away = length(at.abs_diff(now));
    if at > now { format!("in {away}") } else { format!("{away} ago") }
}

/// Foreign text with a mark in place of each character that nobody sees.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_as_its_distance() {
        let now = 1_000_000;
        for (away, said) in [
            (0, "less than a minute ago"),
            (-59, "less than a minute ago"),
            (1, "in less than a minute"),
            (60, "in 1 min"),
            (5_399, "in 89 min"),
            (5_400, "in 2 h"),
            (-3_600 * 30, "30 h ago"),
            (86_400 * 3, "in 3 days"),
            (i64::MAX - now, "in 106751991167289 days"),
        ] {
            assert_eq!(distance(now + away, now), said, "{away}");
        }
    }

    /// T10: what comes from a provider cannot steer the terminal.
    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\r\nd"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}d");
    }
}
