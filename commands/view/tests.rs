//! Every message a member can see, to be read side by side.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use latchkey::broker::{Health, NextRefresh, TenantStatus};
use latchkey::config::Config;
use latchkey::login::{PasteError, StartError};
use latchkey::oauth::AnswerError;
use latchkey::pending::{EndReason, LoginKind, LoginStatus, PendingLogin};
use latchkey::secret::Secret;
use latchkey::store::StoreError;
use latchkey::tenant::ThreadId;

use super::*;
use crate::words::Language;

mod confirming;
mod doors;
mod limits;
mod lists;
mod logouts;
mod offering;
mod statuses;
mod tenants;
mod uses;

use limits::within_limits;

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

[providers.claude]
accept_terms_risk = true
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
    login_in(Language::English, tenant, kind)
}

fn login_in(language: Language, tenant: &str, kind: LoginKind) -> PendingLogin {
    let device = kind == LoginKind::Device;
    let thread: ThreadId = "1234".parse().unwrap();
    PendingLogin {
        status: LoginStatus::Pending,
        bind: Some(thread),
        locale: Some(language.tag().to_owned()),
        redirect_uri: (!device).then(|| "http://127.0.0.1:8765/cb".to_owned()),
        authorize_url: (!device).then(|| Secret::new("https://id.acme.example/authorize?state=x")),
        user_code: device.then(|| Secret::new("BCDF-GHJK")),
        verification_uri: device.then(|| "https://id.acme.example/device".to_owned()),
        ..PendingLogin::new(ID.to_owned(), kind, user(ANN), tenant.parse().unwrap(), NOW, NOW + 840)
    }
}

fn card(login: &PendingLogin, notice: Option<&Notice>, serves: Serves, account: Option<&str>) -> Page {
    let public_url = None;
    login_card(&Card {
        login,
        catalog: &catalog(),
        barred: &[],
        slash: &slash(),
        public_url,
        notice,
        serves,
        account,
    })
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
        within_limits(name, &page);
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
    in_every_language("logins-open", |language| {
        let device = |tenant| login_in(language, tenant, LoginKind::Device);
        let paste = |tenant| login_in(language, tenant, LoginKind::Paste);
        let callback = PendingLogin {
            redirect_uri: Some("https://login.example.org/callback/acme".to_owned()),
            ..login_in(language, "acme", LoginKind::Callback)
        };
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
        let bad = Notice::of(language, &PasteError::Answer(AnswerError::BareCode)).unwrap();
        vec![
            ("device, shared", plain(device("acme"))),
            ("device, personal, with a profile", plain(device(&personal))),
            ("device, not binding", plain(PendingLogin { bind: None, ..device("acme") })),
            (
                "device, the code in the link",
                plain(PendingLogin {
                    verification_uri_complete: Some(Secret::new(
                        "https://id.acme.example/device?code=BCDF-GHJK",
                    )),
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
            ("callback", plain(callback)),
            ("paste, terms in doubt", plain(paste("claude"))),
            ("paste, a long link", plain(long(600))),
            ("paste, too long a link", plain(long(5_000))),
            ("paste, after a bad paste", card(&paste("acme"), Some(&bad), Serves::Untold, None)),
            ("starting", plain(with(LoginStatus::Starting))),
            ("exchanging", plain(with(LoginStatus::Exchanging))),
            ("confirming", plain(with(LoginStatus::Confirming))),
            ("the code alone", user_code(&device("acme")).unwrap()),
            ("moved", moved(language, &catalog(), &"acme".parse().unwrap())),
        ]
    });
}

/// U4: what is said above the card after a paste that was not used.
#[test]
fn pastes_that_were_not_used() {
    let errors = || {
        [
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
        ]
    };
    for language in Language::ALL {
        let errors = errors();
        let notices = errors.iter().map(|error| Notice::of(language, error).unwrap().to_string());
        let notices = notices.collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(format!("pastes-{}", language.tag()), notices);
    }
    let refused = AnswerError::Refused { code: "x".to_owned(), text: "x".to_owned() };
    for silent in [PasteError::Unknown, PasteError::NotYours, PasteError::Answer(refused)] {
        assert_eq!(Notice::of(Language::English, &silent), None);
    }
}

/// U3, S9: every end, with the next step.
#[test]
fn logins_that_are_over() {
    in_every_language("logins-over", |language| {
        let over =
            |status, reason| PendingLogin { status, reason, ..login_in(language, "acme", LoginKind::Device) };
        let plain = |status, reason| card(&over(status, reason), None, Serves::Untold, None);
        let failed = |reason| plain(LoginStatus::Failed, Some(reason));
        let said = |status| {
            let login = PendingLogin { locale: None, ..over(status, None) };
            ended_in_thread(language, &login, &catalog(), &slash())
        };
        let done = over(LoginStatus::Succeeded, None);
        let bob = || user("1099511627776");
        let held_by = |tenant: &str| EndReason::HeldElsewhere(tenant.parse().unwrap());
        let prose = || "the code was used before <@1> **now** (invalid_grant)".to_owned();
        vec![
            ("succeeded", card(&done, None, Serves::This, Some("ada@example.test"))),
            ("succeeded, the thread stays", card(&done, None, Serves::Another, None)),
            ("succeeded, not binding", card(&done, None, Serves::Untold, None)),
            ("by another", plain(LoginStatus::Succeeded, Some(EndReason::CompletedBy(bob())))),
            ("by the operator", plain(LoginStatus::Succeeded, Some(EndReason::CompletedBy(User::Local(0))))),
            ("cancelled", plain(LoginStatus::Cancelled, None)),
            ("cancelled by an admin", plain(LoginStatus::Cancelled, Some(EndReason::CancelledBy(bob())))),
            ("not served any more", plain(LoginStatus::Cancelled, Some(EndReason::NotServed))),
            ("logged out meanwhile", plain(LoginStatus::Cancelled, Some(EndReason::Removed))),
            ("expired", plain(LoginStatus::Expired, None)),
            ("denied", plain(LoginStatus::Denied, None)),
            ("failed", plain(LoginStatus::Failed, None)),
            ("not started", failed(EndReason::NotStarted)),
            ("not stored", failed(EndReason::NotStored)),
            ("interrupted", failed(EndReason::Interrupted)),
            ("another account", failed(EndReason::OtherAccount)),
            ("another owner", failed(EndReason::OtherOwner)),
            ("held elsewhere", failed(held_by(&format!("acme/work@{ANN}")))),
            ("held by another member", failed(held_by("acme/secret@777"))),
            ("no usable answer", failed(EndReason::Unavailable)),
            ("the code refused", failed(EndReason::CodeRefused)),
            ("misconfigured", failed(EndReason::Misconfigured(None))),
            ("misconfigured, says", failed(EndReason::Misconfigured(Some("invalid_client".to_owned())))),
            ("no access", failed(EndReason::NoAccess(None))),
            ("no access, says", failed(EndReason::NoAccess(Some(prose())))),
            ("whose it is is not known", failed(EndReason::UnknownAccount)),
            ("not offered", failed(EndReason::NotOffered)),
            ("the provider's words", failed(EndReason::Provider(prose()))),
            ("a reason of a later version", failed(EndReason::Provider(String::new()))),
            ("in the thread, succeeded", said(LoginStatus::Succeeded)),
            ("in the thread, cancelled", said(LoginStatus::Cancelled)),
            ("in the thread, expired", said(LoginStatus::Expired)),
            ("in the thread, denied", said(LoginStatus::Denied)),
            ("in the thread, failed", said(LoginStatus::Failed)),
        ]
    });
}

/// U3: why a login did not start, with the next step.
#[test]
fn logins_that_did_not_start() {
    in_every_language("logins-not-started", |language| {
        let tenant: TenantKey = "acme".parse().unwrap();
        let tried = Tried { tenant: &tenant, kind: None, bind: true, other: Some(LoginKind::Paste) };
        let failed = |error: &StartError| start_failed(language, error, &tried, &catalog(), NOW);
        let alone = |error: &StartError| {
            let tried = Tried { kind: Some(LoginKind::Device), bind: false, other: None, ..tried };
            start_failed(language, error, &tried, &catalog(), NOW)
        };
        let off = || StartError::SwitchedOff { why: "our own words for the log".to_owned() };
        let no_flow = || StartError::NoFlow { provider: "Acme".to_owned() };
        let refused = |said: Option<&str>| StartError::Refused {
            why: "our own words for the log".to_owned(),
            said: said.map(str::to_owned),
        };
        vec![
            ("which provider", pick_provider(language, &catalog(), None)),
            ("unknown provider", unknown_provider(language, "acmee", &catalog(), None)),
            ("no provider", no_provider(language)),
            ("wrong profile", wrong_profile(language, "a b")),
            ("not offered", failed(&StartError::UnknownProvider { provider: "acme".to_owned() })),
            ("no such way", failed(&no_flow())),
            ("no way at all", alone(&no_flow())),
            ("too often", failed(&StartError::RateLimited { wait: Duration::from_secs(42) })),
            (
                "too often in this server",
                failed(&StartError::GuildRateLimited { wait: Duration::from_secs(42) }),
            ),
            ("too many open", failed(&StartError::TooManyOpen { most: 10, wait: Duration::from_mins(7) })),
            ("too many kept", failed(&StartError::TooManyKept { most: 50 })),
            ("not yours", failed(&StartError::NotYours { tenant: tenant.clone() })),
            ("transient", failed(&StartError::Transient { why: "503".to_owned() })),
            ("winding up", failed(&StartError::WindingUp)),
            ("switched off", failed(&off())),
            ("switched off, no other way", alone(&off())),
            ("operator", failed(&StartError::Operator { why: "our own words for the log".to_owned() })),
            ("refused", failed(&refused(None))),
            ("refused, says", failed(&refused(Some("Unknown client")))),
            ("store", failed(&StartError::Store(StoreError::Closed))),
        ]
    });
}

fn reader(id: &str, admin: bool) -> Reader {
    Reader { user: user(id), admin }
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
        operators_error: false,
        no_access: false,
        next_refresh: matches!(health, Health::Fresh).then_some(NextRefresh::At(NOW + 300)),
        refreshable: true,
        generation: 3,
        extra: std::collections::BTreeMap::new(),
    }
}

/// U4: the form is in the language of the login, and asks for what its page shows.
#[test]
fn forms() {
    let callback = "https://login.example.org/callback/notes";
    for (language, kind, tenant, redirect_uri, expected) in [
        (
            Language::English,
            LoginKind::Paste,
            "acme",
            "http://127.0.0.1:8765/cb",
            ("Sign in to Acme", "Address of the last page", "http://127.0.0.1:8765/cb?code=…"),
        ),
        (
            Language::German,
            LoginKind::Paste,
            "notes",
            "https://notes.example/code",
            ("Anmeldung bei Notes", "Code von der letzten Seite", ""),
        ),
        (
            Language::English,
            LoginKind::Callback,
            "notes",
            callback,
            (
                "Sign in to Notes",
                "Address of the last page",
                "https://login.example.org/callback/notes?code=…",
            ),
        ),
    ] {
        let redirect_uri = Some(redirect_uri.to_owned());
        let login = PendingLogin { redirect_uri, ..login_in(language, tenant, kind) };
        let form = paste_form(&login, &catalog());
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
