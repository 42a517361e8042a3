//! Discord's Markdown, as far as a bot's messages use it, as HTML.
//!
//! Bold, italics, underline, code, masked links, lists, subtext, timestamps, mentions. What is not understood stays as it is, as it does in
//! Discord.

use std::fmt::Write as _;

use super::Names;

/// Who reads: what mentions stand for, and when it is (unix seconds).
pub(super) struct Reading<'a> {
    pub(super) names: &'a Names,
    pub(super) now: u64,
}

pub(super) const KEY: &str = "<svg viewBox='0 0 24 24'><circle cx='8' cy='12' r='4.2' fill='none' stroke='#fff' stroke-width='2.4'/>\
     <path d='M12 12h9M18 12v4M14.8 12v3' stroke='#fff' stroke-width='2.4' fill='none' stroke-linecap='round'/></svg>";
pub(super) const EYE: &str = "<svg viewBox='0 0 24 24'><path fill='currentColor' d='M12 5C6.5 5 2.7 9.6 1.5 12c1.2 2.4 5 7 10.5 7s9.3-4.6 \
     10.5-7C21.3 9.6 17.5 5 12 5Zm0 11a4 4 0 1 1 0-8 4 4 0 0 1 0 8Z'/></svg>";
pub(super) const OUT: &str = "<svg viewBox='0 0 24 24'><path fill='none' stroke='currentColor' stroke-width='2.2' stroke-linecap='round' \
     d='M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5'/></svg>";

/// Text as HTML, with the symbols drawn.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            // Asks for the coloured form of the symbol before it.
            '\u{fe0f}' => {}
            other => match symbol(other) {
                Some(drawn) => {
                    let _ = write!(html, "<svg class=symbol viewBox='0 0 24 24'>{drawn}</svg>");
                }
                None => html.push(other),
            },
        }
    }
    html
}

/// A symbol that no font is sure to have.
fn symbol(letter: char) -> Option<String> {
    let dot = |colour: &str| Some(format!("<circle cx='12' cy='12' r='10' fill='{colour}'/>"));
    match letter {
        '✅' => Some(
            "<rect x='1.5' y='1.5' width='21' height='21' rx='4' fill='#77b255'/>\
             <path d='M6.5 12.500l4 4 7-9' stroke='#fff' stroke-width='3' fill='none' stroke-linecap='round' stroke-linejoin='round'/>"
                .to_owned(),
        ),
        '⚠' => Some(
            "<path d='M12 1.8 23 21.500H1Z' fill='#ffcc4d' stroke='#ffcc4d' stroke-width='1.5' stroke-linejoin='round'/>\
             <path d='M12 8.500v6.5' stroke='#231f20' stroke-width='2.6' stroke-linecap='round'/><circle cx='12' cy='18.6' r='1.5' fill='#231f20'/>"
                .to_owned(),
        ),
        '⏳' => Some(
            "<path d='M5 2h14v3c0 3.5-4 5-4 7s4 3.5 4 7v3H5v-3c0-3.5 4-5 4-7s-4-3.5-4-7Z' fill='#ffe8b6'/>\
             <path d='M4 2h16M4 22h16' stroke='#3b88c3' stroke-width='3' stroke-linecap='round'/><path d='M8 20c1-2.5 3-3 4-5 1 2 3 2.5 4 5Z' fill='#ffac33'/>"
                .to_owned(),
        ),
        'ℹ' => Some(
            "<rect x='1.5' y='1.5' width='21' height='21' rx='4' fill='#3b88c3'/><circle cx='12' cy='7' r='1.9' fill='#fff'/>\
             <path d='M12 11v7' stroke='#fff' stroke-width='3.2' stroke-linecap='round'/>"
                .to_owned(),
        ),
        '🟢' => dot("#78b159"),
        '🟡' => dot("#fdcb58"),
        '🔴' => dot("#dd2e44"),
        '⚪' => dot("#e6e7e8"),
        '🔑' => Some(
            "<circle cx='7.5' cy='9' r='4.5' fill='none' stroke='#c1694f' stroke-width='3.2'/>\
             <path d='M11 12l9 9M17 18l3-3' stroke='#c1694f' stroke-width='3.2' stroke-linecap='round'/>"
                .to_owned(),
        ),
        _ => None,
    }
}

impl Reading<'_> {
    /// Lines as paragraphs.
    pub(super) fn block(&self, text: &str) -> String {
        let mut html = String::new();
        for line in text.lines() {
            let numbered =
                line.split_once(". ").filter(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
            let _ = if let Some(rest) = line.strip_prefix("-# ") {
                write!(html, "<p class=small>{}</p>", self.inline(rest))
            } else if let Some(rest) =
                line.strip_prefix("# ").or(line.strip_prefix("## ")).or(line.strip_prefix("### "))
            {
                write!(html, "<h2>{}</h2>", self.inline(rest))
            } else if let Some(rest) = line.strip_prefix("> ") {
                write!(html, "<p class=quote>{}</p>", self.inline(rest))
            } else if let Some(rest) = line.strip_prefix("- ").or(line.strip_prefix("* ")) {
                write!(html, "<p class=item><i>•</i>{}</p>", self.inline(rest))
            } else if let Some((number, rest)) = numbered {
                write!(html, "<p class=item><i>{number}.</i>{}</p>", self.inline(rest))
            } else {
                write!(html, "<p>{}</p>", self.inline(line))
            };
        }
        html
    }

    /// One line, or a part of one.
    pub(super) fn inline(&self, text: &str) -> String {
        let mut html = String::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some((drawn, length)) = self.markup(rest) {
                html.push_str(&drawn);
                rest = &rest[length..];
            } else {
                let (plain, after) = rest.split_at(letter.len_utf8());
                html.push_str(&escaped(plain));
                rest = after;
            }
        }
        html
    }

    /// The markup that `text` begins with, and its length.
    fn markup(&self, text: &str) -> Option<(String, usize)> {
        let between = |mark: &str| {
            let inner = text.strip_prefix(mark)?;
            let end = inner.find(mark).filter(|end| *end > 0)?;
            Some((&inner[..end], end + 2 * mark.len()))
        };
        if let Some(after) = text.strip_prefix('\\') {
            let letter = after.chars().next().filter(char::is_ascii_punctuation)?;
            return Some((escaped(&letter.to_string()), 2));
        }
        for (mark, tag) in [("**", "b"), ("__", "u"), ("~~", "s"), ("*", "em")] {
            if let Some((inner, length)) = between(mark) {
                return Some((format!("<{tag}>{}</{tag}>", self.inline(inner)), length));
            }
        }
        if let Some((code, length)) = between("`") {
            return Some((format!("<code>{}</code>", escaped(code)), length));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            return Some((format!("<a>{}</a>", escaped(&text[..end])), end));
        }
        if let Some(after) = text.strip_prefix('[') {
            let (label, link) = after.split_once("](")?;
            let end = link.find(')')?;
            return link
                .starts_with("http")
                .then(|| (format!("<a>{}</a>", self.inline(label)), 1 + label.len() + 2 + end + 1));
        }
        let end = text.strip_prefix('<')?.find('>')?;
        Some((self.angled(&text[1..=end])?, end + 2))
    }

    /// What stands in angle brackets: a timestamp, or a mention.
    fn angled(&self, inner: &str) -> Option<String> {
        if let Some(time) = inner.strip_prefix("t:") {
            let (at, style) = time.split_once(':').unwrap_or((time, "f"));
            return Some(format!("<time>{}</time>", escaped(&self.time(at.parse().ok()?, style))));
        }
        if let Some(command) = inner.strip_prefix('/') {
            let (name, _) = command.rsplit_once(':')?;
            return Some(format!("<span class=pill>/{}</span>", escaped(name)));
        }
        let pill = |sign: &str, key: String, unknown: &str| {
            let name = self.names.get(&key).map_or(unknown, String::as_str);
            Some(format!("<span class=pill>{sign}{}</span>", escaped(name)))
        };
        if let Some(role) = inner.strip_prefix("@&") {
            return pill("@", format!("&{role}"), "deleted-role");
        }
        if let Some(user) = inner.strip_prefix('@') {
            return pill("@", format!("@{}", user.trim_start_matches('!')), "unknown-user");
        }
        pill("#", format!("#{}", inner.strip_prefix('#')?), "unknown")
    }

    fn time(&self, at: u64, style: &str) -> String {
        if style != "R" {
            return "Today at 09:51".to_owned();
        }
        let seconds = at.abs_diff(self.now);
        let (count, unit) = match seconds {
            // Differs from one drawing to the next: said as roughly as it is known.
            0..=44 => return if at > self.now { "in a few seconds" } else { "a few seconds ago" }.to_owned(),
            45..=2_669 => ((seconds + 30) / 60, "minute"),
            2_670..=79_199 => ((seconds + 1_800) / 3_600, "hour"),
            _ => ((seconds + 43_200) / 86_400, "day"),
        };
        let count = count.max(1);
        let several = if count == 1 { "" } else { "s" };
        if at > self.now {
            format!("in {count} {unit}{several}")
        } else {
            format!("{count} {unit}{several} ago")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_shown_as_discord_shows_it() {
        let names = Names::from([
            ("@7".to_owned(), "ann".to_owned()),
            ("#8".to_owned(), "fix-ci".to_owned()),
            ("&9".to_owned(), "agents".to_owned()),
        ]);
        let reading = Reading { names: &names, now: 1_000 };
        for (text, expected) in [
            ("**a** `b*`", "<b>a</b> <code>b*</code>"),
            (r"a\*b\_c \ d", "a*b_c \\ d"),
            ("**[x](https://e.example/?a=1)**", "<b><a>x</a></b>"),
            ("[x](nowhere)", "[x](nowhere)"),
            (
                "<@7> <@!7> <#8> <@&9>",
                "<span class=pill>@ann</span> <span class=pill>@ann</span> \
              <span class=pill>#fix-ci</span> <span class=pill>@agents</span>",
            ),
            ("</auth status:5>", "<span class=pill>/auth status</span>"),
            (
                "<t:1600:R> <t:400:R> <t:1010:R>",
                "<time>in 10 minutes</time> <time>10 minutes ago</time> \
              <time>in a few seconds</time>",
            ),
            ("<t:8200:R>, <t:260200:R>", "<time>in 2 hours</time>, <time>in 3 days</time>"),
            ("2 < 3 > 1 **", "2 &lt; 3 &gt; 1 **"),
        ] {
            assert_eq!(reading.inline(text), expected, "{text}");
        }
        assert_eq!(
            reading.block("1. one\n-# small\n- item"),
            "<p class=item><i>1.</i>one</p><p class=small>small</p><p class=item><i>•</i>item</p>"
        );
    }
}
