//! The one layout of all pages.
//!
//! Owns HTML: the skeleton, the style, escaping. Invariants: no script, nothing from elsewhere, no style but our own, which
//! carries the nonce; labels, contrast and focus serve everybody. Must not: know what is said.

use crate::say;
use crate::words::Language;

const STYLE: &str = include_str!("style.css");

/// What a page is about, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// It asks something.
    Ask,
    /// All is well.
    Good,
    /// It is not over.
    Wait,
    /// It did not work.
    Bad,
}

/// One page. Every text is HTML.
pub(super) struct Sheet {
    pub tone: Tone,
    pub heading: String,
    /// What the last try came to.
    pub notice: Option<String>,
    pub text: Vec<String>,
    pub facts: Vec<Fact>,
    pub after: Vec<String>,
    pub form: Option<Form>,
    pub warning: Option<String>,
    /// Where "back to Discord" leads.
    pub back: Option<String>,
}

/// A line of facts.
pub(super) struct Fact {
    pub label: String,
    pub value: String,
}

/// The two answers to a question.
pub(super) struct Form {
    pub action: String,
    pub ticket: String,
    pub confirm: String,
    pub drop: String,
}

impl Sheet {
    pub fn new(tone: Tone, heading: String) -> Self {
        Self {
            tone,
            heading,
            notice: None,
            text: Vec::new(),
            facts: Vec::new(),
            after: Vec::new(),
            form: None,
            warning: None,
            back: None,
        }
    }
}

/// Foreign text, with nothing of HTML left in force. What would turn the direction of the text around it, or could not be
/// seen, becomes visible.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars().take(300) {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                safe.push('\u{fffd}');
            }
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Foreign text that stands out, and whose direction stays its own.
pub(super) fn strong(text: &str) -> String {
    format!("<strong><bdi>{}</bdi></strong>", escape(text))
}

/// `sheet` as a whole page.
pub(super) fn page(language: Language, sheet: &Sheet, nonce: &str) -> String {
    let mut parts = vec![format!(
        "<p class=\"brand\">{KEY}Latchkey</p>\n<div class=\"mark\">{}</div>\n<h1>{}</h1>\n",
        mark(sheet.tone),
        sheet.heading
    )];
    if let Some(notice) = &sheet.notice {
        parts.push(format!("<p class=\"notice\" role=\"status\">{notice}</p>\n"));
    }
    parts.push(paragraphs(&sheet.text));
    if !sheet.facts.is_empty() {
        let facts = sheet
            .facts
            .iter()
            .map(|fact| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", fact.label, fact.value));
        let facts = facts.collect::<Vec<_>>().concat();
        parts.push(format!("<dl>\n{facts}</dl>\n"));
    }
    parts.push(paragraphs(&sheet.after));
    if let Some(warning) = &sheet.warning {
        parts.push(format!("<p class=\"warning\">{warning}</p>\n"));
    }
    if let Some(form) = &sheet.form {
        parts.push(format!(
            "<form method=\"post\" action=\"{}\" autocomplete=\"off\">\n\
             <input type=\"hidden\" name=\"ticket\" value=\"{}\">\n\
             <button class=\"main\" name=\"decision\" value=\"confirm\">{}</button>\n\
             <button name=\"decision\" value=\"drop\">{}</button>\n</form>\n",
            form.action, form.ticket, form.confirm, form.drop
        ));
    }
    if let Some(back) = &sheet.back {
        let label = say!(language, "page-back");
        parts.push(format!(
            "<p class=\"actions\"><a class=\"button main\" href=\"{}\">{label}</a></p>\n",
            escape(back)
        ));
    }
    let body = parts.concat();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{} · Latchkey</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n\
         <body>\n<main class=\"{}\">\n{body}</main>\n</body>\n</html>\n",
        language.tag(),
        without_tags(&sheet.heading),
        class(sheet.tone),
    )
}

fn paragraphs(texts: &[String]) -> String {
    texts.iter().map(|text| format!("<p>{text}</p>\n")).collect::<Vec<_>>().concat()
}

/// A heading, for the title, which takes no elements.
fn without_tags(html: &str) -> String {
    let mut inside = false;
    html.chars()
        .filter(|c| match c {
            '<' => {
                inside = true;
                false
            }
            '>' => {
                inside = false;
                false
            }
            _ => !inside,
        })
        .collect()
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Ask => "ask",
        Tone::Good => "good",
        Tone::Wait => "wait",
        Tone::Bad => "bad",
    }
}

const KEY: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"7.5\" cy=\"12\" r=\"4.5\"/>\
    <path d=\"M12 12h10M18 12v4M21.5 12v3\"/></svg>";

fn mark(tone: Tone) -> String {
    let path = match tone {
        Tone::Ask => {
            "<path d=\"M9 9.2a3.1 3.1 0 1 1 4.4 2.8c-.9.5-1.4 1-1.4 2.2\"/><path d=\"M12 17.4v.1\"/>"
        }
        Tone::Good => "<path d=\"M7 12.6l3.4 3.4L17 9\"/>",
        Tone::Wait => "<path d=\"M12 7v5.2l3.2 2\"/>",
        Tone::Bad => "<path d=\"M12 7v6M12 16.9v.1\"/>",
    };
    format!("<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">{path}</svg>")
}
