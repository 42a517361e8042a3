//! That docs/access.md says what the code does: its table is made by the functions that decide, its quotes are the texts.

use std::path::Path;

use latchkey::broker::{Act, Caller, May, may};
use latchkey::config::{Access, Limits};
use latchkey::credential::{Account, Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::tenant::{TenantKey, User};
use serenity::all::Permissions;

use super::{Standing, judge};
use crate::say;
use crate::words::Language;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/access.md")).unwrap()
}

/// Who asks: none of them for whoever does not get past the door.
fn callers() -> [Option<Caller>; 5] {
    let caller = |user: &str, admin| Some(Caller { user: user.parse().unwrap(), admin });
    let everybody = judge(&Access::default(), 41, &[], Permissions::empty());
    let stranger = if everybody == Standing::Stranger { None } else { caller("41", false) };
    [stranger, caller("43", false), caller("42", false), caller("44", true), caller("local:0", true)]
}

fn table() -> String {
    let ann: User = "42".parse().unwrap();
    let (own, shared): (TenantKey, TenantKey) = ("acme@42".parse().unwrap(), "acme".parse().unwrap());
    let held = |kind, account| {
        let mut held = Credential::new(kind, "acme".parse().unwrap(), Secret::new("at"), 1);
        held.owner = Some(ann.clone());
        held.account = Account::new(account, None);
        held
    };
    let known = held(CredentialKind::OAuth, Some("acc-1"));
    let unknown = held(CredentialKind::OAuth, None);
    let mut fixed = held(CredentialKind::Static, None);
    fixed.owner = Some("local:0".parse().unwrap());
    let manage = Act::Manage { owner: Some(&ann) };
    let sign_in = |held| Act::SignIn { held };
    let rows = [
        ("Ann's own: sign in", sign_in(None), &own),
        ("Ann's own: see its account, and use it in a thread", Act::Use, &own),
        ("Ann's own: refresh it now", manage, &own),
        ("Ann's own: log it out", manage, &own),
        ("Ann's own: take it from a thread that uses it", Act::Unbind, &own),
        ("a shared one: sign in where nobody is signed in", sign_in(None), &shared),
        ("a shared one: sign in anew, to an account that is known", sign_in(Some(&known)), &shared),
        ("a shared one: sign in anew, to an account that is not known", sign_in(Some(&unknown)), &shared),
        ("a shared one: sign in over an API key of the operator's", sign_in(Some(&fixed)), &shared),
        ("a shared one: see its account, and use it in a thread", Act::Use, &shared),
        ("a shared one, where Ann signed in: refresh it now", manage, &shared),
        ("a shared one, where Ann signed in: log it out", manage, &shared),
        ("a shared one: take it from a thread that uses it", Act::Unbind, &shared),
        (
            "a sign-in under way that Ann began: see its link and code, and finish it",
            Act::Complete { starter: &ann },
            &shared,
        ),
        ("a sign-in under way that Ann began: cancel it", Act::Cancel { starter: &ann }, &shared),
        ("a sign-in with another account: agree to it", Act::Confirm, &shared),
    ];
    let mut table =
        "| what | a stranger | a member | Ann | an admin | the operator, at a terminal |\n|---|---|---|---|---|---|\n".to_owned();
    for (what, act, tenant) in rows {
        let cells =
            callers().map(|caller| match caller.map_or(May::No, |caller| may(&caller, act, tenant)) {
                May::Yes => "yes",
                May::WithAdmin => "once an admin agrees",
                May::No => "no",
            });
        table.push_str(&["| ", what, " | ", &cells.join(" | "), " |\n"].concat());
    }
    table
}

/// U7, C11, I5, I6, I8
#[test]
fn the_table_of_access_is_made_by_the_functions_that_decide() {
    let table = table();
    assert!(page().contains(&table), "docs/access.md has another table; this is the one:\n{table}");
}

/// U7: who is refused reads these words, and no others.
#[test]
fn what_a_refused_person_is_told_is_quoted_as_it_is() {
    let (page, english) = (page(), Language::English);
    let (soon, limits) = ("in 12 seconds", Limits::default());
    let not_allowed = |missing: String| say!(english, "not-allowed", missing = missing);
    for told in [
        not_allowed(say!(english, "not-allowed-nobody")),
        not_allowed(say!(english, "not-allowed-unlisted")),
        not_allowed(say!(english, "not-allowed-role", role = "@agents")),
        not_allowed(say!(english, "not-allowed-roles", roles = "@agents, @staff")),
        say!(english, "foreign-press", login = "/auth login"),
        say!(english, "start-not-yours", name = "Acme"),
        say!(english, "too-fast", when = soon),
        say!(english, "start-too-often", when = soon),
        say!(english, "start-too-often-here", when = soon),
        say!(english, "start-too-many-open", most = limits.open_logins, when = soon),
        say!(english, "start-too-many-kept", most = limits.tenants_per_user),
    ] {
        let quote = format!("> {}\n", told.lines().collect::<Vec<_>>().join("\n> "));
        assert!(page.contains(&quote), "docs/access.md lacks the quote:\n{quote}");
    }
}

#[test]
fn the_limits_stand_there_with_their_defaults() {
    let (page, limits) = (page(), Limits::default());
    let Limits {
        starts_per_minute,
        guild_starts_per_minute,
        open_logins,
        tenants_per_user,
        commands_per_minute,
    } = limits;
    for (key, default) in [
        ("starts_per_minute", starts_per_minute),
        ("guild_starts_per_minute", guild_starts_per_minute),
        ("open_logins", open_logins),
        ("tenants_per_user", tenants_per_user),
        ("commands_per_minute", commands_per_minute),
    ] {
        assert!(page.contains(&format!("| `{key}` | {default} |")), "docs/access.md lacks {key} = {default}");
        let example = include_str!("../../../config/latchkey.example.toml");
        assert!(example.contains(&format!("# {key} = {default} ")), "the example lacks {key} = {default}");
    }
}
