//! Tests of the record of a login.

use super::*;

/// S11
#[test]
fn a_login_lives_between_one_and_fourteen_minutes() {
    for (given, lives) in
        [(None, 840), (Some(0), 60), (Some(59), 60), (Some(300), 300), (Some(u64::MAX), 840)]
    {
        assert_eq!(life(given), lives, "{given:?}");
    }
}

/// C3
#[test]
fn five_statuses_are_terminal() {
    let terminal: Vec<_> =
        LoginStatus::ALL.into_iter().filter(|s| s.is_terminal()).map(LoginStatus::as_str).collect();
    assert_eq!(terminal, ["succeeded", "cancelled", "expired", "denied", "failed"]);
}
