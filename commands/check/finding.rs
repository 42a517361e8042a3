//! What was found, and how it is shown.
//!
//! Owns [`Finding`], its text and its JSON, which is a contract (docs/check.md). Invariant: a warning or a problem says what is
//! wrong, where, and what to do about it. Must not: find anything, or hold a secret.

use std::fmt::Write as _;

use crate::exit::Code;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody may be surprised.
    Warning,
    /// Something does not work.
    Problem,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Finding {
    pub level: Level,
    /// The part of Latchkey that it is about.
    pub part: &'static str,
    /// What is.
    pub what: String,
    /// The file with line and column, the key, the address or the path.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// How `latchkey check` ends if this is the first problem.
    #[serde(skip)]
    pub code: Code,
}

impl Finding {
    fn new(level: Level, part: &'static str, code: Code, what: impl Into<String>) -> Self {
        Self { level, part, what: what.into(), place: None, remedy: None, code }
    }

    /// All is well.
    pub fn ok(part: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Ok, part, Code::Internal, what)
    }

    /// It works, but.
    pub fn warning(part: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Level::Warning, part, Code::Internal, what).mended_by(remedy)
    }

    /// It does not work.
    pub fn problem(
        part: &'static str,
        code: Code,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(Level::Problem, part, code, what).mended_by(remedy)
    }

    /// An error of the library, whose text ends with its remedy, behind a semicolon or a colon.
    pub fn told(level: Level, part: &'static str, code: Code, text: &str) -> Self {
        match text.split_once("; ") {
            Some((what, remedy)) => Self::new(level, part, code, what).mended_by(remedy),
            None => Self::new(level, part, code, text),
        }
    }

    fn mended_by(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Where.
    pub fn at(mut self, place: impl std::fmt::Display) -> Self {
        self.place = Some(place.to_string());
        self
    }
}

/// All that was found, in the order of what is to be done first.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.0.extend(findings);
    }

    /// The first problem's code.
    pub fn first_problem(&self) -> Option<Code> {
        self.0.iter().find(|finding| finding.level == Level::Problem).map(|finding| finding.code)
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Result<String> {
        let is_ok = self.first_problem().is_none();
        serde_json::to_string_pretty(&serde_json::json!({ "findings": self.0, "ok": is_ok }))
    }

    /// For people.
    pub fn text(&self, coloured: bool) -> String {
        let mut text = String::new();
        for finding in &self.0 {
            let (mark, colour) = match finding.level {
                Level::Ok => ("ok      ", "32"),
                Level::Warning => ("warning ", "33"),
                Level::Problem => ("PROBLEM ", "1;31"),
            };
            let mark = if coloured { format!("\u{1b}[{colour}m{mark}\u{1b}[0m") } else { mark.to_owned() };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{mark} {}: {}", finding.part, indented(&finding.what));
            if let Some(place) = &finding.place {
                let _ = writeln!(text, "           where: {}", indented(place));
            }
            if let Some(remedy) = &finding.remedy {
                let _ = writeln!(text, "           remedy: {}", indented(remedy));
            }
        }
        let count = |level| self.0.iter().filter(|finding| finding.level == level).count();
        text + &match (count(Level::Problem), count(Level::Warning)) {
            (0, 0) => "Nothing is wrong.".to_owned(),
            (0, warnings) => format!("No problem, {}.", counted(warnings, "warning")),
            (problems, warnings) => {
                let next = if problems == 1 { "mend it" } else { "begin with the first" };
                let warned =
                    if warnings > 0 { format!(", {}", counted(warnings, "warning")) } else { String::new() };
                format!("{}{warned}: {next}, then check again.", counted(problems, "problem"))
            }
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n             ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Findings {
        Findings(vec![
            Finding::ok("store", "it is there"),
            Finding::warning("access", "nobody", "name somebody").at("latchkey.toml"),
            Finding::told(Level::Problem, "locks", Code::Store, "the lock is held; wait"),
        ])
    }

    #[test]
    fn a_person_reads_what_where_and_the_remedy() {
        insta::assert_snapshot!(found().text(false), @r"
        ok       store: it is there
        warning  access: nobody
                   where: latchkey.toml
                   remedy: name somebody
        PROBLEM  locks: the lock is held
                   remedy: wait
        1 problem, 1 warning: mend it, then check again.
        ");
        assert!(found().text(true).contains("\u{1b}[1;31mPROBLEM \u{1b}[0m locks"));
        assert_eq!(Findings::default().text(false), "Nothing is wrong.");
    }

    /// The contract of `--json`: every member, always, and nothing else.
    #[test]
    fn a_program_reads_every_member_always() {
        let json: serde_json::Value = serde_json::from_str(&found().json().unwrap()).unwrap();
        let expected = serde_json::json!({
            "findings": [
                { "level": "ok", "part": "store", "what": "it is there", "where": null, "remedy": null },
                { "level": "warning", "part": "access", "what": "nobody", "where": "latchkey.toml", "remedy": "name somebody" },
                { "level": "problem", "part": "locks", "what": "the lock is held", "where": null, "remedy": "wait" },
            ],
            "ok": false,
        });
        assert_eq!(json, expected);
    }
}
