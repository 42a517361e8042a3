//! A metadata document as it is kept, in memory and in the store's cache.
//!
//! Owns the form in the cache and when a document is to be asked for again. Invariant: whatever the bytes are, what is
//! read of them is a document that would also be taken from the issuer; everything else is nothing. Must not: read a file.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::known::Answer;
use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::oauth::discovery::freshness::{LONGEST, Validators};
use crate::oauth::discovery::metadata::{self, Metadata};
use crate::oauth::discovery::{Document, METADATA_CAP, places};

/// The version of the form. Another one's files are replaced.
const VERSION: u32 = 1;

/// A document that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Where it stands.
    pub(crate) url: Url,
    /// What it says.
    pub(crate) metadata: Arc<Metadata>,
    /// By what to ask whether it has changed.
    pub(crate) validators: Validators,
    text: Arc<str>,
    asked_at: UnixSeconds,
    /// When the issuer last gave it, or said that it still holds.
    said_at: UnixSeconds,
    fresh_until: UnixSeconds,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    issuer: String,
    url: Url,
    asked_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said_at: Option<i64>,
    fresh_until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    document: Box<RawValue>,
}

impl Kept {
    pub(super) fn of(document: Document, now: UnixSeconds) -> Self {
        Self {
            url: document.url,
            metadata: Arc::new(document.metadata),
            validators: document.validators,
            text: document.text.into(),
            asked_at: now,
            said_at: now,
            fresh_until: now.saturating_add(document.fresh_for),
        }
    }

    /// The same, which the issuer says still holds, not to be asked for again before `seconds` have passed.
    pub(super) fn renewed(self, now: UnixSeconds, seconds: i64) -> Self {
        Self { said_at: now, ..self.put_off(now, seconds) }
    }

    /// The bytes for the cache.
    pub(super) fn print(&self, issuer: &str) -> Option<String> {
        let wire = Wire {
            version: VERSION,
            issuer: issuer.to_owned(),
            url: self.url.clone(),
            asked_at: self.asked_at,
            said_at: Some(self.said_at),
            fresh_until: self.fresh_until,
            etag: self.validators.etag.clone(),
            last_modified: self.validators.last_modified.clone(),
            document: RawValue::from_string(self.text.trim().to_owned()).ok()?,
        };
        serde_json::to_string(&wire).ok()
    }

    /// What the cache holds of `issuer`, if that is a document of it.
    pub(crate) fn read(bytes: &[u8], issuer: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(bytes).ok()?;
        let text = wire.document.get();
        let is_of_place = places(&Url::parse(issuer).ok()?).contains(&wire.url);
        if wire.version != VERSION || wire.issuer != issuer || !is_of_place || text.len() > METADATA_CAP {
            return None;
        }
        Some(Self {
            metadata: Arc::new(metadata::read(text.as_bytes(), issuer).ok()?),
            url: wire.url,
            validators: Validators { etag: wire.etag, last_modified: wire.last_modified },
            text: text.into(),
            asked_at: wire.asked_at,
            said_at: wire.said_at.unwrap_or(wire.asked_at),
            fresh_until: wire.fresh_until,
        })
    }
}

impl Answer for Kept {
    fn is_fresh(&self, now: UnixSeconds) -> bool {
        is_fresh(self.asked_at, self.fresh_until, now)
    }

    fn was_said_after(&self, time: UnixSeconds) -> bool {
        self.said_at > time
    }

    fn put_off(self, now: UnixSeconds, seconds: i64) -> Self {
        Self { asked_at: now, fresh_until: now.saturating_add(seconds), ..self }
    }
}

/// Whether what was asked for then holds now. A stamp from the future is a clock's fault (S14).
pub(super) fn is_fresh(asked_at: UnixSeconds, fresh_until: UnixSeconds, now: UnixSeconds) -> bool {
    let left = fresh_until.saturating_sub(now);
    asked_at <= now.saturating_add(SKEW_ALLOWED) && left > 0 && left <= LONGEST + SKEW_ALLOWED
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example/tenant";
    const DOCUMENT: &str =
        r#"{"issuer": "https://id.example/tenant", "token_endpoint": "https://id.example/token"}"#;

    fn kept() -> Kept {
        Kept::of(
            Document {
                url: "https://id.example/.well-known/openid-configuration/tenant".parse().unwrap(),
                text: format!("{DOCUMENT}\n"),
                metadata: metadata::read(DOCUMENT.as_bytes(), ISSUER).unwrap(),
                validators: Validators { etag: Some("\"v1\"".to_owned()), last_modified: None },
                fresh_for: 900,
            },
            1_000,
        )
    }

    /// T13
    #[test]
    fn what_is_printed_is_read_and_nothing_else_is() {
        let printed = kept().print(ISSUER).unwrap();
        let read = Kept::read(printed.as_bytes(), ISSUER).unwrap();
        assert_eq!(read, Kept { text: DOCUMENT.into(), ..kept() });
        assert_eq!(Kept::read(printed.as_bytes(), "https://id.example/other"), None, "another issuer's file");
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("configuration/tenant", "configuration/other"),
            ("https://id.example/.well-known", "https://evil.example/.well-known"),
            ("https://id.example/token", "https://10.0.0.1/token"),
            ("https://id.example/token", "http://id.example/token"),
            (
                "\"document\":{\"issuer\": \"https://id.example/tenant\"",
                "\"document\":{\"issuer\": \"https://id.example\"",
            ),
            ("\"asked_at\":1000", "\"asked_at\":\"now\""),
            ("}}", "}"),
        ] {
            let damaged = printed.replacen(from, to, 1);
            assert_ne!(damaged, printed, "{from}");
            assert_eq!(Kept::read(damaged.as_bytes(), ISSUER), None, "{to}");
        }
    }

    /// T13, S14
    #[test]
    fn a_document_is_fresh_for_its_time_and_never_by_a_clock_that_jumped() {
        let kept = kept();
        for (now, fresh) in [(1_000, true), (1_899, true), (1_900, false), (940, true), (939, false)] {
            assert_eq!(kept.is_fresh(now), fresh, "{now}");
        }
        let from_the_future = Kept { fresh_until: i64::MAX, ..kept.clone() };
        assert!(!from_the_future.is_fresh(1_000));
        assert!(kept.renewed(5_000, 300).is_fresh(5_299));
    }
}
