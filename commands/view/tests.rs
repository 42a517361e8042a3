//! Every message a member can see, to be read side by side.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use latchkey::broker::{Health, LoggedOut, LogoutError, LogoutPreview, TenantStatus};
use latchkey::config::{Access, Config, Rule};
use latchkey::login::{Cancelled, PasteError, StartError};
use latchkey::oauth::AnswerError;
use latchkey::pending::{EndReason, LoginKind, LoginStatus, PendingLogin};
use latchkey::revocation::Ended;
use latchkey::secret::Secret;
use latchkey::store::StoreError;
use latchkey::tenant::ThreadId;

use super::*;
use crate::words::Language;

mod statuses;
mod tenants;

const ID: &str = "0123456789abcdef0123456789abcdef";
const ANN: &str = "80351110224678912";
const NOW: i64 = 1_800_000_000;

fn catalog() -> Catalog {
    let text = r#"
[providers.acme]
title = "Acme"
token_endpoint = "https://id.acme.example/token"
device_authorization_endpoint = "https://id.acme.example/device"
authorization_endpoint = "https://id.acme.example/authorize"
client_id = "latchkey"
flows = ["device", "paste"]
redirect_uri = "http://127.0.0.1:8765/cb"

[providers.notes]
title = "Notes"
token_endpoint = "https://id.notes.example/token"
authorization_endpoint = "https://id.notes.example/authorize"
client_id = "latchkey"
flows = ["paste"]
redirect_uri = "https://notes.example/code"
paste = "code#state"

[providers.codex]
"#;
    Config::parse(text, Path::new("latchkey.toml"), &|_| None).expect("a valid configuration").providers
}

fn slash() -> Slash {
    Slash { name: "auth".to_owned(), id: 7 }
}

fn user(id: &str) -> User {
    id.parse().unwrap()
}

fn login(tenant: &str, kind: LoginKind) -> PendingLogin {
    let device = kind == LoginKind::Device;
    let thread: ThreadId = "1234".parse().unwrap();
    PendingLogin {
        status: LoginStatus::Pending,
        bind: Some(thread),
        redirect_uri: (!device).then(|| "http://127.0.0.1:8765/cb".to_owned()),
        authorize_url: (!device).then(|| Secret::new("https://id.acme.example/authorize?state=x")),
        user_code: device.then(|| Secret::new("BCDF-GHJK")),
        verification_uri: device.then(|| "https://id.acme.example/device".to_owned()),
        ..PendingLogin::new(ID.to_owned(), kind, user(ANN), tenant.parse().unwrap(), NOW, NOW + 840)
    }
}

fn card(login: &PendingLogin, notice: Option<&Notice>, serves: Serves, account: Option<&str>) -> Page {
    login_card(&Card { login, catalog: &catalog(), slash: &slash(), notice, serves, account })
}

/// The page as a reader sees it: text, then buttons and menus.
fn shown(page: &Page) -> String {
    let mut text = page.text.clone();
    if let Some(embed) = &page.embed {
        write!(text, "\n│ {}", clip(embed, 80)).unwrap();
    }
    for row in &page.rows {
        let row = match row {
            Row::Buttons(buttons) => buttons
                .iter()
                .map(|button| match &button.does {
                    Does::Open(address) => format!("({} ↗ {address})", button.label),
                    Does::Press(_) if button.look == Look::Main => format!("[[{}]]", button.label),
                    Does::Press(_) => format!("[{}]", button.label),
                })
                .collect::<Vec<_>>()
                .join(" "),
            Row::Menu(menu) => {
                let entries: Vec<_> = menu.entries.iter().map(|(label, _)| label.as_str()).collect();
                format!("‹{}: {}›", menu.prompt, entries.join(" | "))
            }
        };
        write!(text, "\n{row}").unwrap();
    }
    text
}

/// All of `pages`, each under its name.
fn album(pages: impl IntoIterator<Item = (&'static str, Page)>) -> String {
    let mut album = String::new();
    for (name, page) in pages {
        assert!(page.text.chars().count() <= TEXT_CAP, "{name} is too long");
        write!(album, "━━ {name}\n{}\n\n", shown(&page)).unwrap();
    }
    album
}

/// The album of `pages` in each language, each held by a snapshot of its own.
fn in_every_language(name: &str, pages: impl Fn(Language) -> Vec<(&'static str, Page)>) {
    for language in Language::ALL {
        insta::assert_snapshot!(format!("{name}-{}", language.tag()), album(pages(language)));
    }
}

/// U3, U4
#[test]
fn logins_that_are_open() {
    let device = |tenant| login(tenant, LoginKind::Device);
    let paste = |tenant| login(tenant, LoginKind::Paste);
    let plain = |login: PendingLogin| card(&login, None, Serves::Untold, None);
    let personal = format!("acme/work@{ANN}");
    let with = |status| PendingLogin { status, ..device("acme") };
    let long = |length| PendingLogin {
        authorize_url: Some(Secret::new(format!(
            "https://id.acme.example/authorize?scope=({})",
            "x".repeat(length)
        ))),
        ..paste("acme")
    };
    let bad = Notice::of(&PasteError::Answer(AnswerError::BareCode)).unwrap();
    let pages = album([
        ("device, shared", plain(device("acme"))),
        ("device, personal, with a profile", plain(device(&personal))),
        ("device, not binding", plain(PendingLogin { bind: None, ..device("acme") })),
        (
            "device, the code in the link",
            plain(PendingLogin {
                verification_uri_complete: Some(Secret::new("https://id.acme.example/device?code=BCDF-GHJK")),
                ..device("acme")
            }),
        ),
        ("device, announced", plain(device("codex"))),
        ("paste, a dead page", plain(paste(&personal))),
        (
            "paste, a code",
            plain(PendingLogin {
                redirect_uri: Some("https://notes.example/code".to_owned()),
                ..paste("notes")
            }),
        ),
        ("paste, a long link", plain(long(600))),
        ("paste, too long a link", plain(long(5_000))),
        ("paste, after a bad paste", card(&paste("acme"), Some(&bad), Serves::Untold, None)),
        ("starting", plain(with(LoginStatus::Starting))),
        ("exchanging", plain(with(LoginStatus::Exchanging))),
        ("confirming", plain(with(LoginStatus::Confirming))),
        ("the code alone", user_code(&device("acme")).unwrap()),
        ("moved", moved(&catalog(), &"acme".parse().unwrap())),
    ]);
    insta::assert_snapshot!(pages);
}

/// U4: what is said above the card after a paste that was not used.
#[test]
fn pastes_that_were_not_used() {
    let errors = [
        PasteError::Answer(AnswerError::Empty),
        PasteError::Answer(AnswerError::TooLong),
        PasteError::Answer(AnswerError::BareCode),
        PasteError::Answer(AnswerError::WrongAddress { expected: "http://127.0.0.1:8765/cb".to_owned() }),
        PasteError::Answer(AnswerError::Incomplete),
        PasteError::Answer(AnswerError::StateMismatch),
        PasteError::Answer(AnswerError::Duplicate { name: "code".to_owned() }),
        PasteError::Answer(AnswerError::BothCodeAndError),
        PasteError::Answer(AnswerError::IssuerMismatch),
        PasteError::NotByPaste,
        PasteError::InUse,
        PasteError::NotSent("no route".to_owned()),
        PasteError::Closing,
        PasteError::NoProvider,
        PasteError::Store(StoreError::Closed),
    ];
    let login = login("acme", LoginKind::Paste);
    let notices = errors.iter().map(|error| {
        let page = card(&login, Notice::of(error).as_ref(), Serves::Untold, None);
        page.text.lines().next().unwrap().to_owned()
    });
    let notices = notices.collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(notices);
}

/// U3, S9: every end, with the next step.
#[test]
fn logins_that_are_over() {
    let over = |status, reason| PendingLogin { status, reason, ..login("acme", LoginKind::Device) };
    let plain = |status, reason| card(&over(status, reason), None, Serves::Untold, None);
    let done = over(LoginStatus::Succeeded, None);
    let bob = || user("1099511627776");
    let held_by = |tenant: &str| EndReason::HeldElsewhere(tenant.parse().unwrap());
    let prose = "invalid_grant: the code was used before <@1> **now**".to_owned();
    let pages = album([
        ("succeeded", card(&done, None, Serves::This, Some("ada@example.test"))),
        ("succeeded, the thread stays", card(&done, None, Serves::Another, None)),
        ("succeeded, not binding", card(&done, None, Serves::Untold, None)),
        ("by another", plain(LoginStatus::Succeeded, Some(EndReason::CompletedBy(bob())))),
        ("by the operator", plain(LoginStatus::Succeeded, Some(EndReason::CompletedBy(User::Local(0))))),
        ("cancelled", plain(LoginStatus::Cancelled, None)),
        ("cancelled by an admin", plain(LoginStatus::Cancelled, Some(EndReason::CancelledBy(bob())))),
        ("logged out meanwhile", plain(LoginStatus::Cancelled, Some(EndReason::Removed))),
        ("expired", plain(LoginStatus::Expired, None)),
        ("denied", plain(LoginStatus::Denied, None)),
        ("failed", plain(LoginStatus::Failed, None)),
        ("interrupted", plain(LoginStatus::Failed, Some(EndReason::Interrupted))),
        ("another account", plain(LoginStatus::Failed, Some(EndReason::OtherAccount))),
        ("another owner", plain(LoginStatus::Failed, Some(EndReason::OtherOwner))),
        ("held elsewhere", plain(LoginStatus::Failed, Some(held_by(&format!("acme/work@{ANN}"))))),
        ("held by another member", plain(LoginStatus::Failed, Some(held_by("acme/secret@777")))),
        ("the provider's words", plain(LoginStatus::Failed, Some(EndReason::Provider(prose)))),
        ("in the thread, succeeded", ended_in_thread(&done, &catalog(), &slash())),
        ("in the thread, expired", ended_in_thread(&over(LoginStatus::Expired, None), &catalog(), &slash())),
        ("in the thread, failed", ended_in_thread(&over(LoginStatus::Failed, None), &catalog(), &slash())),
    ]);
    insta::assert_snapshot!(pages);
}

/// U3: why a login did not start, with the next step.
#[test]
fn logins_that_did_not_start() {
    let tenant: TenantKey = "acme".parse().unwrap();
    let tried = Tried { tenant: &tenant, kind: None, bind: true, other: Some(LoginKind::Paste) };
    let failed = |error: &StartError| start_failed(error, &tried, &catalog(), NOW);
    let unbound = |error: &StartError, other| {
        let tried = Tried { kind: Some(LoginKind::Device), bind: false, other, ..tried };
        start_failed(error, &tried, &catalog(), NOW)
    };
    let why = || "the device login is switched off in the account's security settings".to_owned();
    let pages = album([
        ("which provider", pick_provider(&catalog(), None)),
        ("unknown provider", unknown_provider("acmee", &catalog(), None)),
        ("no provider", no_provider()),
        (
            "wrong name",
            wrong_name("\"a b\" is not a profile name: use 1 to 64 of a-z, 0-9, '.', '_' and '-'"),
        ),
        ("not offered", failed(&StartError::UnknownProvider { provider: "acme".to_owned() })),
        ("no flow", failed(&StartError::NoFlow { provider: "Acme".to_owned() })),
        ("too often", failed(&StartError::RateLimited { wait: Duration::from_secs(42) })),
        ("not yours", failed(&StartError::NotYours { tenant: tenant.clone() })),
        ("transient", failed(&StartError::Transient { why: "503".to_owned() })),
        ("switched off", failed(&StartError::SwitchedOff { why: why() })),
        ("transient, by device, not binding", unbound(&StartError::JoinedFailed, None)),
        (
            "switched off, not binding",
            unbound(&StartError::SwitchedOff { why: why() }, Some(LoginKind::Paste)),
        ),
        ("operator", failed(&StartError::Operator { why: "invalid_client: unknown client".to_owned() })),
        ("store", failed(&StartError::Store(StoreError::Closed))),
    ]);
    insta::assert_snapshot!(pages);
}

fn status(tenant: &str, health: Health) -> TenantStatus {
    TenantStatus {
        tenant: tenant.parse().unwrap(),
        provider_title: "Acme".to_owned(),
        health,
        account: Some("ada@example.test".to_owned()),
        owner: Some(user(ANN)),
        expires_at: Some(NOW + 600),
        obtained_at: Some(NOW - 3_000),
        retry_at: matches!(health, Health::BackingOff | Health::Uncertain).then_some(NOW + 60),
        last_error: None,
        generation: 3,
    }
}

/// T12
#[test]
fn logouts() {
    let preview = |tenant: &str, would_end: &[&str]| {
        let would_end = would_end.iter().map(|other| other.parse().unwrap()).collect();
        let preview = LogoutPreview { status: status(tenant, Health::Fresh), would_end, revokes: true };
        logout_preview(&preview, &catalog())
    };
    let tenant = || "acme".parse::<TenantKey>().unwrap();
    let done = |at_provider| logged_out(&LoggedOut { tenant: tenant(), at_provider }, &catalog(), &slash());
    let failed = |error: &LogoutError| logout_failed(error, &catalog(), &slash());
    let pages = album([
        ("asked", preview("acme", &[])),
        ("asked, with others", preview(&format!("acme/work@{ANN}"), &["acme", "acme/play"])),
        ("kept", kept()),
        ("done", done(Ended::Done)),
        ("not offered", done(Ended::NotOffered)),
        ("owed", done(Ended::Owed { why: "no connection".to_owned(), retry_after: None })),
        ("refused", done(Ended::Refused { why: "unsupported_token_type".to_owned() })),
        ("not signed in", failed(&LogoutError::NotSignedIn { tenant: tenant() })),
        ("not yours", failed(&LogoutError::NotYours { tenant: tenant() })),
        ("store", failed(&LogoutError::Store(StoreError::Closed))),
        ("nothing", nothing_to_log_out(&slash())),
        ("unknown", unknown_tenant("acme/wrok", &slash())),
        ("which", pick_logout(&[tenant(), "acme/work".parse().unwrap()], &catalog())),
    ]);
    insta::assert_snapshot!(pages);
}

/// C8, C11
#[test]
fn cancels() {
    in_every_language("cancels", |language| {
        let result = |cancelled: &Cancelled| cancel_result(language, cancelled, &catalog(), &slash());
        let mine = login("acme/work", LoginKind::Device);
        let bobs = PendingLogin { user: user("1099511627776"), ..login("notes", LoginKind::Paste) };
        vec![
            ("now", result(&Cancelled::Now(mine.clone()))),
            ("already, succeeded", result(&Cancelled::Already(LoginStatus::Succeeded))),
            ("already, over", result(&Cancelled::Already(LoginStatus::Expired))),
            ("unknown", result(&Cancelled::Unknown)),
            ("not yours", result(&Cancelled::NotYours)),
            ("nothing", nothing_to_cancel(language, &slash())),
            ("which", pick_login(language, &[mine, bobs], &user(ANN), &catalog())),
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
        ]
    });
}

/// U4: a modal within Discord's limits.
#[test]
fn forms() {
    let catalog = catalog();
    for (tenant, expected) in [
        ("acme", ("Sign in to Acme", "Address of the last page", "http://127.0.0.1:8765/cb?code=…")),
        ("notes", ("Sign in to Notes", "Code from the last page", "")),
    ] {
        let login = login(tenant, LoginKind::Paste);
        let form = paste_form(&login, catalog.get(&login.tenant.provider).map(|provider| &**provider));
        assert_eq!((form.title.as_str(), form.label.as_str(), form.example.as_str()), expected);
    }
}

/// U2: whatever stands in foreign text, it mentions nobody and formats nothing.
#[test]
fn foreign_text_is_only_text() {
    for (foreign, shows) in [
        ("a@b.example", "a\\@b.example"),
        ("<@1> @everyone", "\\<\\@1\\> \\@everyone"),
        ("**b** _i_ `c`\n# h", "\\*\\*b\\*\\* \\_i\\_ \\`c\\` # h"),
        ("[x](https://evil.example)", "\\[x\\](https\\://evil.example)"),
    ] {
        assert_eq!(plain(foreign), shows);
    }
}
