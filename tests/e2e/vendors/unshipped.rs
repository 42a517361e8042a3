//! What is not shipped: no secret of anybody stands in the project, neither in a descriptor nor in any other text.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey::config::Config;
use latchkey::provider::BUILTINS;
use latchkey::secret::{Secret, obscured};

use super::table::GOOGLES_SECRET;

/// What secrets of clients and tokens of accounts begin with at their issuers.
const SHAPES: &[&str] =
    &["GOCSPX-", "ya29.", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "sk-ant-", "xai-"];
/// The values of tests that look like one, to be told from it.
const TESTS_OWN: &[&str] = &[
    GOOGLES_SECRET,
    "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E",
    "GOCSPX-of_nobody",
    "GOCSPX-of-somebody-else",
    "sk-ant-oat-of-a-year",
];
/// No secret of these issuers is shorter.
const SHORTEST: usize = 8;
/// What is not the project's own text.
const FOREIGN: &[&str] = &["target", "node_modules", "data"];

/// Every file below `folder`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("its kind"));
        if kind.is_file() {
            found.push(entry.path());
        } else if kind.is_dir() && name != ".git" && !FOREIGN.iter().any(|foreign| name == *foreign) {
            files(&entry.path(), found);
        }
    }
}

/// The words of `text` that a secret could be one of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).filter(|word| !word.is_empty())
}

/// Whether `word` has the shape of a secret, or holds one after something that is no part of it.
fn is_secret(word: &str) -> bool {
    SHAPES.iter().flat_map(|shape| word.match_indices(shape)).any(|(at, shape)| {
        let begins = !word[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let secret = word[at..].trim_end_matches('.');
        begins && secret.len() >= shape.len() + SHORTEST && !TESTS_OWN.contains(&secret)
    })
}

/// Whether `word` is a secret as it stands, in base64, or obscured as `latchkey obscure` does it.
fn hides_a_secret(word: &str) -> bool {
    let decoded = URL_SAFE_NO_PAD.decode(word).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let revealed = obscured::reveal(word).ok();
    is_secret(word)
        || decoded.is_some_and(|text| is_secret(&text))
        || revealed.is_some_and(|secret| is_secret(secret.expose()))
}

/// The search finds what it is there for.
#[test]
fn a_secret_is_seen_in_each_of_its_dresses() {
    let secret = format!("GOCSPX-{}", "x".repeat(28));
    let hidden = obscured::obscure(&Secret::new(&*secret));
    for text in [
        secret.clone(),
        format!("key={secret}"),
        format!("{secret}."),
        URL_SAFE_NO_PAD.encode(&secret),
        hidden,
    ] {
        assert!(words(&text).any(hides_a_secret), "{text}");
    }
    for text in ["GOCSPX-", GOOGLES_SECRET, "it_weighs_more_than_nothing"] {
        assert!(!words(text).any(hides_a_secret), "{text}");
    }
}

/// VENDORS, T14: also where nobody looks for one: in documentation, in an example, in a header of a descriptor.
#[test]
fn no_secret_is_shipped() {
    let mut found = Vec::new();
    files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut found);
    let mut read = 0;
    for file in found {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        read += 1;
        for (line, number) in text.lines().zip(1..) {
            // The text itself is not for a log.
            assert!(!words(line).any(hides_a_secret), "{}:{number} has a secret", file.display());
        }
    }
    assert!(read > 500, "{read} files were read");
}

/// VENDORS, T14: a descriptor names the client, and whoever runs Latchkey brings its secret.
#[test]
fn no_descriptor_has_a_client_secret() {
    for builtin in BUILTINS {
        let table: toml::Table = builtin.text.parse().expect("a descriptor is TOML");
        for key in ["client_secret", "client_secret_obscured", "client_secret_file"] {
            assert!(!table.contains_key(key), "{}: {key}", builtin.name);
        }
        let terms = if builtin.text.contains("[terms_risk]") { "accept_terms_risk = true" } else { "" };
        let text = format!("[providers.{}]\n{}\n{terms}\n", builtin.table, builtin.needs);
        let config =
            Config::parse(&text, Path::new("latchkey.toml"), &|_| None).expect("a built-in is a provider");
        assert!(config.providers.iter().all(|provider| provider.client_secret.is_none()), "{}", builtin.name);
    }
}
