//! What is said to those who may not, and what a cancel did.

use latchkey::config::{Access, Rule};
use latchkey::login::Cancelled;

use super::*;

/// C8, C11
#[test]
fn cancels() {
    in_every_language("cancels", |language| {
        let result = |cancelled: &Cancelled| cancel_result(language, cancelled, &catalog(), &slash());
        let mine = login_in(language, "acme/work", LoginKind::Device);
        let bobs =
            PendingLogin { user: user("1099511627776"), ..login_in(language, "notes", LoginKind::Paste) };
        vec![
            ("now", result(&Cancelled::Now(mine.clone()))),
            ("already, succeeded", result(&Cancelled::Already(LoginStatus::Succeeded))),
            ("already, over", result(&Cancelled::Already(LoginStatus::Expired))),
            ("unknown", result(&Cancelled::Unknown)),
            ("not yours", result(&Cancelled::NotYours)),
            ("nothing", nothing_to_cancel(language, &slash())),
            ("which", pick_login(language, &[mine, bobs], &user(ANN), &catalog(), &slash())),
        ]
    });
}

/// U7, U9
#[test]
fn doors() {
    let rule = |roles: &[u64], users: &[u64]| Access {
        members: Rule { roles: roles.to_vec(), users: users.to_vec(), anyone: false },
        admins: Rule::default(),
    };
    in_every_language("doors", |language| {
        vec![
            ("nobody is admitted", not_allowed(language, &rule(&[], &[]))),
            ("one role", not_allowed(language, &rule(&[1], &[]))),
            ("several roles", not_allowed(language, &rule(&[1, 2], &[]))),
            ("people", not_allowed(language, &rule(&[], &[5]))),
            ("over", over_or_unknown(language, &slash())),
            ("somebody else's", foreign_press(language, &slash())),
            ("went wrong", went_wrong(language, &slash())),
            ("closing", closing(language)),
            ("too fast", too_fast(language, std::time::Duration::from_secs(12), NOW)),
        ]
    });
}
