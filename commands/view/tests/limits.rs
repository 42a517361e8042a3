//! What Discord takes, for the longest that configuration and people can give.

use super::*;

/// The most rows of a message, and buttons of a row.
const ROWS: usize = 5;
/// The longest custom id, value of a menu's entry, and example of a field, in characters.
const SHORT_CAP: usize = 100;
/// The longest prompt of a menu, in characters.
const PROMPT_CAP: usize = 150;
/// The longest title of a form, and label of its field, in characters.
const FORM_CAP: usize = 45;

fn fits(what: &str, text: &str, cap: usize) {
    let length = text.chars().count();
    assert!((1..=cap).contains(&length), "{what}: {length} characters of {cap}: {text}");
}

/// U4: all of `page` is within Discord's limits, and nothing of its text was cut off to get there.
pub(super) fn within_limits(name: &str, page: &Page) {
    fits(&format!("{name}: text"), &page.text, TEXT_CAP - 1);
    if let Some(embed) = &page.embed {
        fits(&format!("{name}: embed"), embed, 4_096);
    }
    assert!(page.rows.len() <= ROWS, "{name}: {} rows", page.rows.len());
    for row in &page.rows {
        match row {
            Row::Buttons(buttons) => {
                assert!((1..=ROWS).contains(&buttons.len()), "{name}: {} buttons", buttons.len());
                for button in buttons {
                    fits(&format!("{name}: button"), &button.label, 80);
                    match &button.does {
                        Does::Open(address) => fits(&format!("{name}: address"), address, 512),
                        Does::Press(press) => fits(&format!("{name}: id"), &press.to_string(), SHORT_CAP),
                    }
                }
            }
            Row::Menu(menu) => {
                fits(&format!("{name}: prompt"), &menu.prompt, PROMPT_CAP);
                fits(&format!("{name}: id"), &menu.press.to_string(), SHORT_CAP);
                assert!(!menu.entries.is_empty(), "{name}: a menu of nothing");
                for (label, value) in menu.entries.iter().take(MENU_CAP) {
                    fits(&format!("{name}: entry"), label, 100);
                    fits(&format!("{name}: value"), value, SHORT_CAP);
                }
            }
        }
    }
}

/// The longest names there can be, each character of which counts double once it is escaped.
fn longest() -> (Catalog, TenantKey) {
    let name = format!("a{}", "_".repeat(63));
    let title = "*".repeat(300);
    let mut text = String::new();
    for nth in 0..30 {
        let name = if nth == 0 { name.clone() } else { format!("a{nth}") };
        write!(
            text,
            "[providers.{name}]\ntitle = \"{title}\"\ntoken_endpoint = \"https://id.example/token\"\n\
             device_authorization_endpoint = \"https://id.example/device\"\n\
             authorization_endpoint = \"https://id.example/authorize\"\nclient_id = \"x\"\n\
             flows = [\"device\", \"paste\"]\nredirect_uri = \"http://127.0.0.1:1/{}\"\n\
             device_notice = \"{}\"\n",
            "r".repeat(300),
            "_".repeat(2_000),
        )
        .unwrap();
    }
    let catalog = Config::parse(&text, Path::new("latchkey.toml"), &|_| None).expect("valid").providers;
    let tenant = format!("{name}/{}@{}", "_".repeat(64), "9".repeat(20));
    (catalog, tenant.parse().unwrap())
}

/// U4: whatever the configuration calls things, every text of a login fits, in every language.
#[test]
fn the_longest_names_fit() {
    let (catalog, tenant) = longest();
    let slash = Slash { name: "a".repeat(32), id: u64::MAX };
    let foreign = "_".repeat(2_000);
    let thread: ThreadId = "9".repeat(20).parse().unwrap();
    let user = || User::Discord("9".repeat(20).parse().unwrap());
    for language in Language::ALL {
        let login = |kind| PendingLogin {
            tenant: tenant.clone(),
            bind: Some(thread.clone()),
            redirect_uri: Some(format!("http://127.0.0.1:1/{}", "r".repeat(300))),
            user_code: Some(Secret::new("X".repeat(64))),
            authorize_url: Some(Secret::new(format!("https://id.example/{}", "x".repeat(3_000)))),
            ..login_in(language, "acme", kind)
        };
        let why = AnswerError::WrongAddress { expected: "r".repeat(200) };
        let notice = Notice::of(language, &PasteError::Answer(why)).unwrap();
        let card = |login: &PendingLogin, serves| {
            let (notice, account) = (Some(&notice), Some(foreign.as_str()));
            let (catalog, slash, public_url) = (&catalog, &slash, None);
            login_card(&Card { login, catalog, barred: &[], slash, public_url, notice, serves, account })
        };
        for kind in [LoginKind::Device, LoginKind::Paste, LoginKind::Callback] {
            for status in LoginStatus::ALL {
                for reason in [
                    None,
                    Some(EndReason::CompletedBy(user())),
                    Some(EndReason::CancelledBy(user())),
                    Some(EndReason::HeldElsewhere(tenant.clone())),
                    Some(EndReason::Provider(foreign.clone())),
                    Some(EndReason::Misconfigured(Some(foreign.clone()))),
                ] {
                    let login = PendingLogin { status, reason, ..login(kind) };
                    within_limits(&format!("{kind:?} {status}"), &card(&login, Serves::Another));
                    within_limits("in the thread", &ended_in_thread(language, &login, &catalog, &slash));
                }
            }
            let form = paste_form(&login(kind), &catalog);
            fits("title", &form.title, FORM_CAP);
            fits("label", &form.label, FORM_CAP);
            fits("example", &form.example, SHORT_CAP);
        }
        within_limits("the code", &user_code(&login(LoginKind::Device)).unwrap());
        within_limits("moved", &moved(language, &catalog, &tenant));
        within_limits("which", &pick_provider(language, &catalog, Some(true)));
        within_limits("unknown", &unknown_provider(language, &foreign, &catalog, None));
        within_limits("wrong profile", &wrong_profile(language, &foreign));
        let logins: Vec<_> = (0..30).map(|_| login(LoginKind::Paste)).collect();
        within_limits(
            "which login",
            &pick_login(language, &logins, &User::Local(u32::MAX), &catalog, &slash),
        );
        let tried = Tried { tenant: &tenant, kind: Some(LoginKind::Device), bind: false, other: None };
        for error in [
            StartError::Refused { why: String::new(), said: Some(foreign.clone()) },
            StartError::NoFlow { provider: foreign.clone() },
            StartError::SwitchedOff { why: foreign.clone() },
        ] {
            within_limits("not started", &start_failed(language, &error, &tried, &catalog, NOW));
        }
    }
}
