//! `docs/operations.md` explains every error text: whoever searches it for the words that they see finds them.

use std::path::{Path, PathBuf};

use super::page;

/// What makes an error text in the sources. Behind each stands its first quoted text, or several.
const MAKERS: [&str; 10] = [
    "#[error(",
    "Exit::new(",
    "StoreError::Unsafe(",
    "StoreError::Io {",
    "StoreError::io(",
    "KeysError::Missing {",
    "KeysError::Malformed {",
    "KeysError::Unsafe(",
    "ApiError::Mend(",
    "ApiError::Passing(",
];
/// The same in the store and its sealing, where others mean something else by these names.
const MAKERS_OF_THE_STORE: [&str; 3] = ["let problem = ", "missing(", "wrong("];

/// Every source of library and program.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of the sources");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry of it").path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found
}

/// The quoted text that `source` begins with, and what stands behind it.
fn quoted(source: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = source.strip_prefix('"')?.chars();
    loop {
        match rest.next()? {
            '"' => return Some((text, rest.as_str())),
            '\\' => match rest.next()? {
                '\n' => rest = rest.as_str().trim_start().chars(),
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// The quoted texts up to the bracket that closes what has just been opened.
fn texts(mut source: &str) -> Vec<String> {
    let (mut depth, mut found) = (1, Vec::new());
    while let Some(next) = source.chars().next() {
        if let Some((text, rest)) = quoted(source) {
            found.push(text);
            source = rest;
            continue;
        }
        // A quote, or a bracket, as one character.
        let one =
            source.strip_prefix('\'').and_then(|rest| rest.find('\'')).filter(|end| (1..=2).contains(end));
        source = &source[one.map_or(next.len_utf8(), |end| end + 2)..];
        match next {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// Every error text of the sources.
fn errors() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for path in ["src", "commands"].iter().flat_map(|folder| sources(&root.join(folder))) {
        let text = std::fs::read_to_string(&path).expect("a source");
        let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let is_of_the_store = path.starts_with(root.join("src/store"));
        let more = MAKERS_OF_THE_STORE.iter().filter(|_| is_of_the_store);
        for maker in MAKERS.iter().chain(more) {
            for call in shipped.split(maker).skip(1) {
                // What stands behind the text of an error's attribute are its parts.
                let most = if *maker == "#[error(" { 1 } else { usize::MAX };
                found.extend(texts(call).into_iter().take(most));
            }
        }
    }
    found
}

/// The longest run of `text` that is always the same and stands on one line. None where it only passes on the words of another.
fn fixed(text: &str) -> Option<&str> {
    let mut pieces = vec![text];
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').map_or(rest.len(), |close| open + close + 1);
        pieces.pop();
        pieces.extend([&rest[..open], &rest[close..]]);
        rest = &rest[close..];
    }
    let words = pieces.into_iter().flat_map(|piece| piece.split(['`', '\n']));
    let words = words.map(|piece| piece.trim_matches(|c: char| !c.is_alphanumeric() && c != '>'));
    words.filter(|words| words.contains(char::is_alphabetic)).max_by_key(|words| words.len())
}

#[test]
fn the_longest_fixed_words_of_an_error_are_found() {
    for (text, expected) in [
        ("the store is closing", Some("the store is closing")),
        ("cannot lock {path}: {why}; {remedy}", Some("cannot lock")),
        ("{folder} is {me}'s: `chown {me} {folder}`, or run as its owner", Some("or run as its owner")),
        ("{tenant}: {why}", None),
    ] {
        assert_eq!(fixed(text), expected, "{text}");
    }
    let source = "Code::Usage, format!(\"one {}\", ')', \"two \\\n    lines\")) \"not this\"";
    assert_eq!(texts(source), ["one {}", "two lines"]);
}

/// Whoever is woken by an error finds its words on one line of the page, as they see them, with what to do.
#[test]
fn every_error_text_is_explained_for_operators() {
    let page = page("docs/operations.md");
    let (_, explained) = page.split_once("\n## Errors\n").expect("the page explains errors");
    let errors = errors();
    assert!(errors.len() > 200, "only {} error texts are found in the sources", errors.len());
    let is_known = |words: &str| explained.lines().any(|line| line.contains(words));
    let unknown: Vec<_> =
        errors.iter().filter(|text| fixed(text).is_some_and(|words| !is_known(words))).collect();
    assert!(
        unknown.is_empty(),
        "docs/operations.md does not explain these errors: write each on one line there, with what it means and what to do: {unknown:#?}"
    );
}
