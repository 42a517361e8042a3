//! Where the link of a login goes on its card (U4).
//!
//! Owns the rungs: a button, a masked link in an embed, a short address of our own that leads there. Pure. Lengths are
//! counted as Discord counts them, in characters.

use latchkey::pending::{LoginKind, PendingLogin};
use latchkey::secret::Secret;
use url::Url;

use crate::say;
use crate::words::Language;

/// The longest address that a button takes, in characters.
pub(super) const BUTTON_CAP: usize = 512;
/// The longest text of an embed, in characters.
pub(super) const EMBED_CAP: usize = 4_096;

/// Where a link goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind a button.
    Button {
        /// What the button opens.
        address: String,
        /// Whether the page has the user code filled in.
        with_code: bool,
    },
    /// Into an embed.
    Embed {
        /// The embed's text.
        text: String,
    },
}

/// Where the link of `login` goes; `None` where it goes nowhere.
pub(super) fn placing(language: Language, login: &PendingLogin, public_url: Option<&Url>) -> Option<Place> {
    let expose = |link: &Option<Secret>| link.as_ref().map(|link| link.expose().to_owned());
    let (best, other) = match login.kind {
        LoginKind::Device => (expose(&login.verification_uri_complete), login.verification_uri.clone()),
        LoginKind::Paste | LoginKind::Callback => (expose(&login.authorize_url), None),
    };
    let with_code = login.kind == LoginKind::Device && best.is_some();
    // A page where the code must be typed is still easier to open than one that hides behind a long link.
    let rungs = [
        best.clone().and_then(|address| button(address, with_code)),
        other.clone().and_then(|address| button(address, false)),
        best.or(other).and_then(|address| embed(language, &address)),
    ];
    let has_link = login.verification_uri.is_some() || login.authorize_url.is_some();
    let short = public_url.filter(|_| has_link).map(|public_url| go(public_url, login));
    rungs.into_iter().flatten().next().or_else(|| button(short?, with_code))
}

/// The short address of our own that leads to the page of `login`.
fn go(public_url: &Url, login: &PendingLogin) -> String {
    format!("{}/go/{}", public_url.as_str().trim_end_matches('/'), login.id)
}

fn button(address: String, with_code: bool) -> Option<Place> {
    let length = address.chars().count();
    (1..=BUTTON_CAP).contains(&length).then_some(Place::Button { address, with_code })
}

/// A masked link. Brackets would end it early.
fn embed(language: Language, address: &str) -> Option<Place> {
    let address = address.replace('(', "%28").replace(')', "%29");
    let text = format!("**[{}]({address})**", say!(language, "login-open"));
    (!address.is_empty() && text.chars().count() <= EMBED_CAP).then_some(Place::Embed { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn login(kind: LoginKind) -> PendingLogin {
        let user = "80351110224678912".parse().unwrap();
        PendingLogin::new(ID.to_owned(), kind, user, "acme".parse().unwrap(), 0, 60)
    }

    /// An address of `length` characters.
    fn address(length: usize) -> String {
        let start = "https://id.acme.example/";
        format!("{start}{}", "x".repeat(length - start.len()))
    }

    fn paste(length: usize, public_url: Option<&str>) -> Option<Place> {
        let url = public_url.map(|url| Url::parse(url).unwrap());
        let login =
            PendingLogin { authorize_url: Some(Secret::new(address(length))), ..login(LoginKind::Paste) };
        placing(Language::English, &login, url.as_ref())
    }

    fn shape(place: Option<Place>) -> (&'static str, usize) {
        match place {
            Some(Place::Button { address, .. }) => ("button", address.chars().count()),
            Some(Place::Embed { text }) => ("embed", text.chars().count()),
            None => ("nothing", 0),
        }
    }

    /// U4: each rung to its last character, and the next one after it.
    #[test]
    fn a_link_goes_where_there_is_room() {
        let label = "**[Open sign-in page]()**".len();
        for (length, public_url, expected) in [
            (512, None, ("button", 512)),
            (513, None, ("embed", 513 + label)),
            (EMBED_CAP - label, None, ("embed", EMBED_CAP)),
            (EMBED_CAP - label + 1, None, ("nothing", 0)),
            (EMBED_CAP - label + 1, Some("https://login.example.org"), ("button", 25 + 4 + 32)),
            (513, Some("https://login.example.org"), ("embed", 513 + label)),
        ] {
            assert_eq!(shape(paste(length, public_url)), expected, "{length} {public_url:?}");
        }
    }

    /// U4
    #[test]
    fn the_short_address_is_below_the_public_one() {
        for public_url in ["https://login.example.org/bot", "https://login.example.org/bot/"] {
            let address = format!("https://login.example.org/bot/go/{ID}");
            let expected = Place::Button { address, with_code: false };
            assert_eq!(paste(5_000, Some(public_url)), Some(expected), "{public_url}");
        }
        let long = format!("https://login.example.org/{}", "y".repeat(600));
        assert_eq!(paste(5_000, Some(&long)), None);
    }

    /// U3, U4: the page with the code filled in where that fits, else the page where it is typed.
    #[test]
    fn a_device_login_leads_to_its_best_page() {
        let device = |complete: Option<usize>, page: usize| {
            let login = PendingLogin {
                verification_uri_complete: complete.map(|length| Secret::new(address(length))),
                verification_uri: Some(address(page)),
                ..login(LoginKind::Device)
            };
            placing(Language::English, &login, None)
        };
        let button = |length, with_code| Some(Place::Button { address: address(length), with_code });
        assert_eq!(device(Some(100), 50), button(100, true));
        assert_eq!(device(Some(600), 50), button(50, false));
        assert_eq!(device(None, 50), button(50, false));
        assert_eq!(shape(device(Some(600), 700)).0, "embed");
        assert_eq!(placing(Language::English, &login(LoginKind::Device), None), None);
    }

    /// U4: a bracket of the address does not end the link, and counts as what it becomes.
    #[test]
    fn brackets_do_not_end_a_masked_link() {
        let start = "https://id.acme.example/?scope=";
        let login = PendingLogin {
            authorize_url: Some(Secret::new(format!("{start}{}", "()".repeat(300)))),
            ..login(LoginKind::Paste)
        };
        let text = format!("**[Anmeldeseite öffnen]({start}{})**", "%28%29".repeat(300));
        assert_eq!(placing(Language::German, &login, None), Some(Place::Embed { text }));
    }
}
