//! Every text that people read from the bot, in every language it speaks.
//!
//! Owns the languages and the look-up of a text: [`say!`](crate::say) names one, and fills in what varies. The texts
//! themselves are Fluent files, one folder a language and one file a theme. Invariants: every language has every text,
//! with the same variables, and the code names no text that is not there (tests read the sources for that); what is
//! filled in is never read as Fluent. Must not: decide what is said, or let foreign text through unescaped (`view` does).

use std::fmt::Write as _;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::{LanguageIdentifier, langid};

/// A language that the bot speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, also for whoever reads none of the others.
    #[default]
    English,
    /// German.
    German,
}

/// One theme of one language: the file's name, and its text.
type Theme = (&'static str, &'static str);

/// Every theme, in the language of a folder.
macro_rules! themes {
    ($folder:literal) => {
        themes!($folder:
            "access",
            "cancel",
            "commands",
            "common",
            "confirm",
            "ended",
            "list",
            "login",
            "logout",
            "pages",
            "start",
            "status",
            "telling",
            "terminal",
            "use",
        )
    };
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!($folder, "/", $name, ".ftl")))),+]
    };
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language for somebody whose Discord, or browser, is set to `locale`: "de", "en-GB".
    pub fn of(locale: &str) -> Self {
        match locale.split(['-', '_']).next() {
            Some(first) if first.eq_ignore_ascii_case("de") => Self::German,
            _ => Self::English,
        }
    }

    /// The language that a browser prefers, by what it says it accepts: "de-DE,de;q=0.9,en;q=0.5" (RFC 9110 section
    /// 12.5.4).
    pub fn accepted(header: &str) -> Self {
        let mut best = (0.0, Self::default());
        for range in header.split(',').take(32) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality =
                parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.parse::<f32>().ok());
            let weight = quality.filter(|quality| (0.0..=1.0).contains(quality)).unwrap_or_default();
            let first = tag.trim().split('-').next().unwrap_or_default();
            let known = Self::ALL.into_iter().find(|language| first.eq_ignore_ascii_case(language.tag()));
            // Of equals the first counts.
            if let Some(language) = known
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }

    /// Its tag (BCP 47), as Discord, HTML and the auth file write it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::English => langid!("en"),
            Self::German => langid!("de"),
        }
    }

    fn themes(self) -> &'static [Theme] {
        match self {
            Self::English => themes!("en"),
            Self::German => themes!("de"),
        }
    }

    /// The text `key` with `arguments` filled in. Use [`say!`](crate::say), whose keys are checked.
    pub fn text(self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle = &BUNDLES[self as usize];
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            // The tests name every such key; a member sees at least which one it was.
            tracing::error!(key, "a text is missing");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, arguments, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, "a text lacks one of its variables");
        }
        text
    }
}

static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 2]> = LazyLock::new(|| Language::ALL.map(bundle));

/// All texts of one language. What cannot be read is left out, and found by the tests.
fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
    // Discord and HTML need no marks of direction around what is filled in, and copied text must not hold any.
    bundle.set_use_isolating(false);
    for (name, text) in language.themes() {
        let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(resource, errors)| {
            let mut all = String::new();
            for error in errors {
                // Writing to a String cannot fail.
                let _ = write!(all, "{error}; ");
            }
            tracing::error!(theme = name, language = language.tag(), errors = all, "texts cannot be read");
            resource
        });
        if bundle.add_resource(resource).is_err() {
            tracing::error!(theme = name, language = language.tag(), "a text stands twice");
        }
    }
    bundle
}

/// A text in a [`Language`]: `say!(language, "cancel-done", name = title)`. Values are text or whole numbers; a number
/// chooses the plural.
#[macro_export]
macro_rules! say {
    ($language:expr, $key:literal) => {
        $crate::words::Language::text($language, $key, None)
    };
    ($language:expr, $key:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        let mut arguments = ::fluent_bundle::FluentArgs::new();
        $(arguments.set(stringify!($name), $value);)+
        $crate::words::Language::text($language, $key, Some(&arguments))
    }};
}

#[cfg(test)]
mod tests;
