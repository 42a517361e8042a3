//! Every page in both languages, to be read; and rendered as pictures, to be looked at.

use std::fmt::Write as _;
use std::path::Path;

use latchkey::config::Config;
use latchkey::pending::{EndReason, LoginKind, LoginStatus, Watcher};
use latchkey::secret::Secret;

use super::*;

const CONFIG: &str = "[providers.acme]\ntitle = \"Acme\"\ntoken_endpoint = \"https://id.example/token\"\n\
    authorization_endpoint = \"https://id.example/authorize\"\nclient_id = \"latchkey\"\nflows = [\"callback\"]";

fn catalog() -> Catalog {
    Config::parse(CONFIG, Path::new("latchkey.toml"), &|_| None).expect("the test's configuration").providers
}

fn login(tenant: &str, user: &str) -> PendingLogin {
    let (tenant, user) = (tenant.parse().unwrap(), user.parse().unwrap());
    let mut login = PendingLogin::new("l0".to_owned(), LoginKind::Callback, user, tenant, 1, 2);
    login.status = LoginStatus::Pending;
    login.watchers = vec![Watcher { thread: "77".parse().unwrap(), interaction: None }];
    login
}

fn confirm(tenant: &str, user: &str, starter: Option<(&str, &str)>, notice: Option<Notice>) -> Page {
    let starter =
        starter.map(|(display, handle)| Starter { display: display.to_owned(), handle: handle.to_owned() });
    let (login, ticket) = (login(tenant, user), Secret::new("the-ticket"));
    Page::Confirm(Box::new(ConfirmPage { login, starter, ticket, notice }))
}

fn stands(status: LoginStatus, reason: Option<EndReason>, account: Option<&str>) -> Page {
    let mut login = login("acme@42", "42");
    (login.status, login.reason) = (status, reason);
    Page::Stands { login: Box::new(login), account: account.map(str::to_owned) }
}

/// All pages, by name.
fn pages() -> Vec<(&'static str, Page)> {
    let ann = Some(("Ann Example", "ann"));
    let failed = |reason| stands(LoginStatus::Failed, Some(reason), None);
    let ended = |status| stands(status, None, None);
    let mut pages = vec![
        ("confirm", confirm("acme@42", "42", ann, None)),
        ("confirm-shared", confirm("acme/work", "42", ann, None)),
        ("confirm-by-id", confirm("acme@42", "42", None, None)),
        ("confirm-operator", confirm("acme", "local:1000", None, None)),
        ("confirm-again", confirm("acme@42", "42", ann, Some(Notice::NotSent))),
        ("confirm-fault", confirm("acme@42", "42", ann, Some(Notice::Fault))),
        ("done", stands(LoginStatus::Succeeded, None, Some("ada@example.test"))),
        ("done-unknown", ended(LoginStatus::Succeeded)),
        (
            "done-other",
            stands(LoginStatus::Succeeded, Some(EndReason::CompletedBy("43".parse().unwrap())), None),
        ),
        ("confirming", ended(LoginStatus::Confirming)),
        (
            "confirmed",
            stands(
                LoginStatus::Succeeded,
                Some(EndReason::ConfirmedBy("43".parse().unwrap())),
                Some("ada@example.test"),
            ),
        ),
        ("kept", stands(LoginStatus::Cancelled, Some(EndReason::RefusedBy("43".parse().unwrap())), None)),
        ("unconfirmed", stands(LoginStatus::Expired, Some(EndReason::Unconfirmed), None)),
        ("cancelled", ended(LoginStatus::Cancelled)),
        ("expired", ended(LoginStatus::Expired)),
        ("denied", ended(LoginStatus::Denied)),
        ("removed", stands(LoginStatus::Cancelled, Some(EndReason::Removed), None)),
        ("failed", failed(EndReason::Provider("This app is blocked (access_blocked)".to_owned()))),
        ("not-stored", failed(EndReason::NotStored)),
        ("interrupted", failed(EndReason::Interrupted)),
        ("other-account", failed(EndReason::OtherAccount)),
        ("other-owner", failed(EndReason::OtherOwner)),
        ("held-elsewhere", failed(EndReason::HeldElsewhere("acme@43".parse().unwrap()))),
        ("unavailable", failed(EndReason::Unavailable)),
        ("code-refused", failed(EndReason::CodeRefused)),
        ("misconfigured", failed(EndReason::Misconfigured(None))),
        ("misconfigured-says", failed(EndReason::Misconfigured(Some("invalid_client".to_owned())))),
        ("no-access", failed(EndReason::NoAccess(None))),
        ("no-access-says", failed(EndReason::NoAccess(Some("You have no subscription".to_owned())))),
        ("unknown-account", failed(EndReason::UnknownAccount)),
        ("not-offered", failed(EndReason::NotOffered)),
        ("a-later-reason", failed(EndReason::Provider(String::new()))),
        ("in-use", Page::InUse(Box::new(login("acme@42", "42")))),
        ("dropped", Page::Dropped(Box::new(login("acme@42", "42")))),
    ];
    pages.extend(
        [
            ("issuer", Trouble::Answer(AnswerError::IssuerMissing)),
            ("incomplete", Trouble::Answer(AnswerError::Incomplete)),
            ("odd", Trouble::Answer(AnswerError::BothCodeAndError)),
            ("over", Trouble::OverOrUnknown),
            ("ticket", Trouble::TicketGone),
            ("restarting", Trouble::Restarting),
            ("not-found", Trouble::NotFound),
            ("bad-request", Trouble::BadForm),
            ("fault", Trouble::Fault),
        ]
        .map(|(name, trouble)| (name, Page::Trouble(trouble))),
    );
    pages
}

fn html(page: &Page, locale: &str, guild_name: &str) -> String {
    let asked = Wanted { page, locale: Some(locale), accept_language: None, nonce: "the-nonce" };
    render(&asked, &Scene { guild: 81, guild_name, catalog: &catalog() })
}

/// What somebody reads who sees no markup, line by line.
fn text(html: &str) -> String {
    let body = html.split("<main").nth(1).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest);
    let mut text = String::new();
    for piece in body.split('<') {
        let (tag, rest) = piece.split_once('>').unwrap_or(("", piece));
        if matches!(tag.split(' ').next(), Some("/p" | "/h1" | "/dt" | "/dd" | "/button" | "br")) {
            text.push('\n');
        }
        text.push_str(rest);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(String::new(), |mut all, line| {
        writeln!(all, "  {line}").unwrap();
        all
    })
}

/// U3, T15
#[test]
fn every_page_in_every_language() {
    for language in Language::ALL {
        let mut all = String::new();
        for (name, page) in pages() {
            writeln!(all, "{name}:\n{}", text(&html(&page, language.tag(), "Home & Garden"))).unwrap();
        }
        insta::assert_snapshot!(format!("pages-{}", language.tag()), all);
    }
}

/// T15: whoever names themselves or a guild in HTML changes nothing of the page.
#[test]
fn foreign_text_is_only_text() {
    let evil = "</strong><script>alert(1)</script>\u{202e}\" onload='x'";
    let failed = |reason| stands(LoginStatus::Failed, Some(reason), None);
    for page in [
        confirm("acme@42", "42", Some((evil, evil)), None),
        confirm("acme", "42", Some((evil, evil)), None),
        stands(LoginStatus::Succeeded, None, Some(evil)),
        failed(EndReason::Provider(evil.to_owned())),
        failed(EndReason::Misconfigured(Some(evil.to_owned()))),
    ] {
        let html = html(&page, "en", evil);
        assert!(
            !html.contains("<script") && !html.contains("' onload") && !html.contains('\u{202e}'),
            "{html}"
        );
    }
}

#[test]
fn the_reader_s_language_is_that_of_the_starter_else_of_the_browser() {
    let page = Page::Trouble(Trouble::NotFound);
    for (locale, accepts, tag) in
        [(Some("de"), Some("en"), "de"), (None, Some("de-AT,en;q=0.5"), "de"), (None, None, "en")]
    {
        let asked = Wanted { page: &page, locale, accept_language: accepts, nonce: "n" };
        let html = render(&asked, &Scene { guild: 81, guild_name: "Home", catalog: &catalog() });
        assert!(html.contains(&format!("<html lang=\"{tag}\">")), "{html}");
    }
}

/// What `scripts/pictures` has the browser render.
#[test]
#[ignore = "writes files for scripts/pictures into $LATCHKEY_PAGES"]
fn write_pages_for_pictures() {
    let folder = std::env::var_os("LATCHKEY_PAGES").expect("LATCHKEY_PAGES names a folder");
    for (name, page) in pages() {
        for language in Language::ALL {
            let file = Path::new(&folder).join(format!("{name}.{}.html", language.tag()));
            std::fs::write(file, html(&page, language.tag(), "Home of the Agents")).unwrap();
        }
    }
}
