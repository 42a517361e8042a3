//! The headers of every page.
//!
//! Owns what a browser is told not to do with a page (T15): load anything, frame it, keep it, or tell anybody its address.
//! Must not: depend on what the page says.

use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{Response, StatusCode};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const FIXED: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (OPENER_POLICY, "same-origin"),
    (CONTENT_TYPE, "text/html; charset=utf-8"),
];

/// A page of `html`, whose style carries `nonce`.
pub(super) fn page(status: StatusCode, html: String, nonce: &str) -> Response<Body> {
    let mut response = bare(status, Body::from(html));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A text for a program.
pub(super) fn plain(text: String) -> Response<Body> {
    let mut response = bare(StatusCode::OK, Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Sends the browser on to `link`; `None` where that can stand in no header.
pub(super) fn found(link: &str) -> Option<Response<Body>> {
    let link = HeaderValue::try_from(link).ok()?;
    let mut response = bare(StatusCode::FOUND, Body::empty());
    response.headers_mut().insert(LOCATION, link);
    Some(response)
}

/// The same answer, with the methods that there are (RFC 9110 section 10.2.1).
pub(super) fn allowing(mut response: Response<Body>, methods: &'static str) -> Response<Body> {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn bare(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in FIXED {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
