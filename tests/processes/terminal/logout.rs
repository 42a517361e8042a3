//! Logging out from a terminal.

use latchkey::store::Store;
use latchkey_test_authority::{Canned, Endpoint};

use super::seat::Seat;
use crate::host::{Host, said};

/// T12: nothing is changed without a yes; what is said before tells what it comes to.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_logged_out_without_a_yes() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    let output = host.latchkey(&["logout", "acme"]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("is removed here, and ended at the provider") && text.contains("--yes"), "{text}");
    let mut seat = Seat::terminal(&host, &["logout", "acme"], &[]);
    seat.says("Log it out? [y/N]");
    seat.types("\n");
    assert_eq!(seat.ended().0, 0);
    assert!(host.stored("acme").is_some() && host.authority.revocations() == 0);
    let mut seat = Seat::terminal(&host, &["logout", "ACME"], &[]);
    seat.says("Log it out? [y/N]");
    seat.types("y\n");
    let (code, text) = seat.ended();
    assert!(code == 0 && text.contains("acme is logged out and ended at the provider"), "{code} {text}");
    assert!(host.stored("acme").is_none() && host.authority.revocations() > 0);
    assert!(!text.contains(&tokens.refresh) && !text.contains(&tokens.access), "{text}");
    let again = host.latchkey(&["logout", "acme", "--yes"]).output().unwrap();
    assert!(again.status.code() == Some(2) && said(&again).contains("nothing to log out"), "{}", said(&again));
}

/// T12: what could not be ended at the provider is owed, and said to be.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_told_from_what_is_done() {
    let host = Host::new();
    host.serving("acme").await;
    host.authority.answer_next(Endpoint::Revoke, 2, Canned::html(503));
    let output = host.latchkey(&["logout", "acme", "--yes"]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("that is still owed, and a running bot goes on trying for a day"), "{text}");
    assert!(host.stored("acme").is_none());
    assert_eq!(host.store().snapshot().unwrap().owed().count(), 1);
}
