//! For how long a metadata document is used without asking again (RFC 9111, in the little that it takes).
//!
//! Owns the bounds. Must not: look at a clock.

/// Seconds where the server does not say.
pub const DEFAULT: i64 = 60 * 60;
/// The fewest seconds, whatever the server says: not every sign-in is to ask.
pub const SHORTEST: i64 = 5 * 60;
/// The most seconds, whatever the server says: an endpoint that has moved is found within a day.
pub const LONGEST: i64 = 24 * 60 * 60;

/// By what a server can tell whether a document has changed (RFC 9110 section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`, as it came.
    pub etag: Option<String>,
    /// `Last-Modified`, as it came.
    pub last_modified: Option<String>,
}

/// For how many seconds a document with this `Cache-Control` need not be asked for again.
#[must_use]
pub fn fresh_for(cache_control: Option<&str>) -> i64 {
    let mut seconds = None;
    for directive in cache_control.unwrap_or_default().split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return SHORTEST,
            "max-age" => {
                let value = value.trim().trim_matches('"');
                let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
                // A number too large for us is still one.
                seconds = seconds.or(is_number.then(|| value.parse().unwrap_or(i64::MAX)));
            }
            _ => {}
        }
    }
    seconds.unwrap_or(DEFAULT).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T13
    #[test]
    fn a_document_is_used_between_five_minutes_and_a_day() {
        for (cache_control, seconds) in [
            (None, DEFAULT),
            (Some(""), DEFAULT),
            (Some("public"), DEFAULT),
            (Some("max-age=900"), 900),
            (Some("public, Max-Age=\"900\", must-revalidate"), 900),
            (Some("max-age=0"), SHORTEST),
            (Some("max-age=86401"), LONGEST),
            (Some("max-age=99999999999999999999"), LONGEST),
            (Some("max-age=-5"), DEFAULT),
            (Some("max-age=soon"), DEFAULT),
            (Some("max-age=900, max-age=1"), 900),
            (Some("no-store, max-age=900"), SHORTEST),
            (Some("max-age=900, no-cache"), SHORTEST),
        ] {
            assert_eq!(fresh_for(cache_control), seconds, "{cache_control:?}");
        }
    }
}
