//! A line, understood: what is asked for, or what is wrong with it and where.
//!
//! Owns the way from bytes to a [`Wish`]. Invariants: what a caller sent is never in what it is told; times are bounded. Must not:
//! do anything.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::answer::error;
use super::wire::{ErrorBody, Request, Word};
use crate::broker::Ask;
use crate::gate::{CALLER_DEADLINE, MIN_VALID, Want};
use crate::secret::{Secret, TokenHash};
use crate::tenant::{TenantKey, ThreadId};

/// The longest that a caller may have us wait.
pub(super) const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// The longest `id`, in bytes of JSON: it is kept as long as its request is under way.
pub(super) const LONGEST_ID: usize = 128;
/// The longest of the other members that are kept, in bytes: no name of a tenant is longer.
pub(super) const LONGEST_MEMBER: usize = 256;

/// A request.
pub(super) struct Understood {
    /// What comes back with each answer.
    pub id: Option<Value>,
    /// The bearer token, where one was shown.
    pub bearer: Option<Secret>,
    /// What is asked for.
    pub wish: Wish,
}

/// What is asked for.
pub(super) enum Wish {
    /// A token, within that time.
    Token(Box<Ask>, Duration),
    /// Where everything stands.
    Status,
    /// What changes, of one tenant or all.
    Watch(Option<TenantKey>),
}

/// Why a line is no request, with its `id` where that could be read.
#[derive(Debug, PartialEq)]
pub(super) struct Misunderstood {
    pub id: Option<Value>,
    pub error: ErrorBody,
}

/// The `id` of what is a JSON object and no request.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<Value>,
}

/// What `line` asks for.
pub(super) fn understand(line: &[u8]) -> Result<Understood, Misunderstood> {
    let bad = |message: String| error(Word::BadRequest, message);
    let is_object = line.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let read = if is_object {
        serde_json::from_slice::<Request>(line).map_err(|error| wrong(&error))
    } else {
        Err("a request is one JSON object on one line".to_owned())
    };
    let request = match read {
        Ok(request) => request,
        Err(message) => {
            let id =
                serde_json::from_slice::<Named>(line).ok().filter(|_| is_object).and_then(|named| named.id);
            return Err(Misunderstood { id: id.filter(is_id), error: bad(message) });
        }
    };
    if request.id.as_ref().is_some_and(|id| !is_id(id)) {
        let why = format!("id is neither text nor a number of {LONGEST_ID} bytes at most");
        return Err(Misunderstood { id: None, error: bad(why) });
    }
    if let Some(name) = too_long(&request) {
        let why = format!("{name} has more than {LONGEST_MEMBER} bytes");
        return Err(Misunderstood { id: request.id, error: bad(why) });
    }
    let id = request.id.clone();
    let bearer = request.bearer.clone().map(Secret::new);
    let wish = match request.op.as_str() {
        "token" => token(&request).map_err(bad),
        "status" => Ok(Wish::Status),
        "watch" => member(request.tenant.as_deref(), "tenant", "the full name of a tenant")
            .map(Wish::Watch)
            .map_err(bad),
        "" => Err(bad("op is missing: token, status or watch".to_owned())),
        _ => Err(error(Word::UnknownOp, "this version knows the operations token, status and watch")),
    };
    match wish {
        Ok(wish) => Ok(Understood { id, bearer, wish }),
        Err(error) => Err(Misunderstood { id, error }),
    }
}

/// Whether it is an id that is worth keeping while the request is under way.
fn is_id(id: &Value) -> bool {
    (id.is_string() || id.is_number()) && id.to_string().len() <= LONGEST_ID
}

/// The name of a member that is longer than one is kept.
fn too_long(request: &Request) -> Option<&'static str> {
    let Request { tenant, user, thread, parent, rejected_sha256, .. } = request;
    let members = [
        ("tenant", tenant),
        ("user", user),
        ("thread", thread),
        ("parent", parent),
        ("rejected_sha256", rejected_sha256),
    ];
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > LONGEST_MEMBER);
    members.into_iter().find(|(_, text)| is_long(text)).map(|(name, _)| name)
}

/// What is wrong with a line, and where; not a byte of it, since it may hold a secret.
fn wrong(error: &serde_json::Error) -> String {
    let at = error.column();
    match error.classify() {
        Category::Data => {
            format!("a member has another type than it should have, or comes twice, at byte {at}")
        }
        Category::Eof => format!("the line ends at byte {at}, and the JSON object in it does not"),
        Category::Syntax | Category::Io => format!("this is no JSON from byte {at} on"),
    }
}

/// A member that is text of some form, where it is there.
fn member<T: std::str::FromStr>(text: Option<&str>, name: &str, form: &str) -> Result<Option<T>, String> {
    text.map(str::parse).transpose().map_err(|_| format!("{name} is not {form}"))
}

fn token(request: &Request) -> Result<Wish, String> {
    let target = request.tenant.clone().ok_or("token needs tenant: a tenant, or a provider's name")?;
    let rejected = request.rejected_sha256.as_deref().map(TokenHash::parse).transpose();
    let rejected = rejected.map_err(|_| "rejected_sha256 is not 64 hexadecimal digits".to_owned())?;
    let limit = match request.timeout {
        None => CALLER_DEADLINE,
        Some(seconds) if seconds < 0.0 => return Err("timeout is less than nothing".to_owned()),
        // More than there are seconds is as good as very many.
        Some(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT),
    };
    let min_valid = request.min_valid.map_or(MIN_VALID, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    let place =
        |text: Option<&str>, name| member::<ThreadId>(text, name, "the id of a Discord thread or channel");
    let ask = Ask {
        target,
        user: member(request.user.as_deref(), "user", "the id of a Discord user")?,
        thread: place(request.thread.as_deref(), "thread")?,
        parent: place(request.parent.as_deref(), "parent")?,
        want: Want { min_valid, rejected, settled: request.settled.unwrap_or(false), ..Want::default() },
        wait: request.wait.unwrap_or(false),
    };
    Ok(Wish::Token(Box::new(ask), limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> (Option<Value>, String, String) {
        let Err(Misunderstood { id, error }) = understand(line.as_bytes()) else {
            panic!("{line} is understood")
        };
        assert_eq!(error.exit_code, 2);
        (id, error.error, error.message)
    }

    /// Whatever comes, the caller is told what is wrong and where, and nothing of what it sent.
    #[test]
    fn what_is_wrong_is_told_without_a_byte_of_it() {
        for (line, id, word, message) in [
            ("", None, "bad_request", "a request is one JSON object on one line"),
            ("sesame", None, "bad_request", "a request is one JSON object on one line"),
            (r#"["token","sesame"]"#, None, "bad_request", "a request is one JSON object on one line"),
            (r#"{"op":"sesame" "id":1}"#, None, "bad_request", "this is no JSON from byte 16 on"),
            (r#"{"op":"token","tenant":"sesame"#, None, "bad_request", "the line ends at byte 30"),
            (r#"{"id":"a","op":"token","min_valid":"sesame"}"#, Some("a"), "bad_request", "at byte 43"),
            (r#"{"id":"a","op":"token","op":"sesame"}"#, Some("a"), "bad_request", "comes twice"),
            (r#"{"id":["sesame"],"op":"status"}"#, None, "bad_request", "id is neither text nor a number"),
            (r#"{"id":"a"}"#, Some("a"), "bad_request", "op is missing"),
            (r#"{"id":"a","op":"sesame"}"#, Some("a"), "unknown_op", "token, status and watch"),
            (r#"{"id":"a","op":"token"}"#, Some("a"), "bad_request", "token needs tenant"),
            (
                r#"{"id":"a","op":"token","tenant":"x","user":"sesame"}"#,
                Some("a"),
                "bad_request",
                "user is not",
            ),
            (
                r#"{"id":"a","op":"token","tenant":"x","thread":"sesame"}"#,
                Some("a"),
                "bad_request",
                "thread is not",
            ),
            (
                r#"{"id":"a","op":"token","tenant":"x","parent":"sesame"}"#,
                Some("a"),
                "bad_request",
                "parent is not",
            ),
            (
                r#"{"id":"a","op":"token","tenant":"x","timeout":-1}"#,
                Some("a"),
                "bad_request",
                "less than nothing",
            ),
            (
                r#"{"id":"a","op":"token","tenant":"x","rejected_sha256":"sesame"}"#,
                Some("a"),
                "bad_request",
                "64 hex",
            ),
            (
                r#"{"id":"a","op":"watch","tenant":"sesame!"}"#,
                Some("a"),
                "bad_request",
                "full name of a tenant",
            ),
        ] {
            let found = refusal(line);
            assert_eq!((found.0.as_ref().and_then(Value::as_str), found.1.as_str()), (id, word), "{line}");
            assert!(found.2.contains(message) && !found.2.contains("sesame"), "{line}: {}", found.2);
        }
        assert!(understand(&[b'{', 0xff, b'}']).is_err());
        assert!(understand(&[b"{\"a\":".as_slice(), &[b'['; 10_000]].concat()).is_err());
    }

    /// What is kept while a request is under way is short.
    #[test]
    fn long_members_are_no_request() {
        let line = |id: usize, name: &str, length: usize| {
            format!(
                r#"{{"op":"token","id":"{}","tenant":"x","{name}":"{}"}}"#,
                "i".repeat(id),
                "1".repeat(length)
            )
        };
        assert!(understand(line(LONGEST_ID - 2, "x", 9_000).as_bytes()).is_ok());
        let (id, word, why) = refusal(&line(LONGEST_ID - 1, "x", 1));
        assert_eq!((id, &*word), (None, "bad_request"));
        assert!(why.contains("128 bytes"), "{why}");
        for name in ["user", "thread", "parent", "rejected_sha256"] {
            let (id, word, why) = refusal(&line(1, name, LONGEST_MEMBER + 1));
            assert_eq!((id, &*word), (Some("i".into()), "bad_request"));
            assert_eq!(why, format!("{name} has more than 256 bytes"));
        }
        let tenant = format!(r#"{{"op":"token","tenant":"{}"}}"#, "x".repeat(LONGEST_MEMBER + 1));
        assert!(refusal(&tenant).2.starts_with("tenant has"));
    }

    /// G10
    #[test]
    fn times_are_bounded() {
        for (timeout, seconds) in
            [("0", 0.0), ("0.5", 0.5), ("3600", 3_600.0), ("3601", 3_600.0), ("1e300", 3_600.0)]
        {
            let line = format!(
                r#"{{"op":"token","tenant":"x","timeout":{timeout},"min_valid":18446744073709551615}}"#
            );
            let Ok(Understood { wish: Wish::Token(ask, limit), .. }) = understand(line.as_bytes()) else {
                panic!("{line} is not understood")
            };
            assert_eq!((limit, ask.want.min_valid), (Duration::from_secs_f64(seconds), i64::MAX));
        }
    }
}
