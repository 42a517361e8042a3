//! What must hold for any input whatever: the bodies of the fuzz targets in `fuzz/`, and of the tests that replay their
//! corpus.
//!
//! Owns no rule of its own; each body asks the reader in question and panics where its promise is broken. Not in the
//! library that is shipped: only tests and the feature `fuzzing` have it.

use std::path::Path;
use std::sync::OnceLock;

pub use crate::backup::fuzzing::export;
use crate::config::Config;
pub use crate::directory::fuzzing::{mcp_server, metadata};
use crate::oauth::fuzzing as oauth;
pub use crate::oauth::fuzzing::pasted_answer;
use crate::provider::Provider;
pub use crate::store::fuzzing::{auth_file, rescue_file};

/// A descriptor to judge replies by.
const PROVIDER: &str = "[providers.acme]\nissuer = \"https://id.example\"\ntoken_endpoint = \"https://id.example/token\"\n\
    authorization_endpoint = \"https://id.example/authorize\"\nclient_id = \"latchkey\"\nflows = [\"paste\"]\n\
    redirect_uri = \"http://127.0.0.1:8765/cb\"\n";

/// What the environment holds, whatever is looked up.
const SECRET: &str = "secret-of-the-environment-0123456789";

/// See the body of that name in `oauth`.
///
/// # Panics
/// When what it promises does not hold.
pub fn token_reply(bytes: &[u8]) {
    static ACME: OnceLock<Provider> = OnceLock::new();
    oauth::token_reply(ACME.get_or_init(provider), bytes);
}

fn provider() -> Provider {
    let config = Config::parse(PROVIDER, Path::new("latchkey.toml"), &|_| None);
    let acme = config.ok().and_then(|config| config.providers.find("acme").map(|acme| (**acme).clone()));
    acme.unwrap_or_else(|| panic!("the descriptor of the fuzz targets is refused"))
}

/// T14, Z1: any text is a configuration, or a list of what is wrong; neither shows what the environment holds.
///
/// # Panics
/// When that does not hold.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A client id is no secret, and is shown.
    let environment = |name: &str| (!name.ends_with("_CLIENT_ID")).then(|| SECRET.to_owned());
    let read = Config::parse(text, Path::new("latchkey.toml"), &environment);
    let shown = match &read {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(text.contains(SECRET) || !shown.contains(SECRET), "a secret of the environment is shown");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    type Body = fn(&[u8]);
    /// An input, with the name of its file.
    type Seed = (String, Vec<u8>);

    /// Every target, with its body.
    const TARGETS: [(&str, Body); 8] = [
        ("auth_file", auth_file),
        ("rescue_file", rescue_file),
        ("token_reply", token_reply),
        ("pasted_answer", pasted_answer),
        ("configuration", configuration),
        ("metadata", metadata),
        ("mcp_server", mcp_server),
        ("export", export),
    ];

    fn corpus(target: &str) -> Vec<Seed> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut found: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
            .collect();
        found.sort();
        found
    }

    /// F5, F6, G21, T2, T3, T8, T10, T13, T14: what was ever found, and the seeds.
    #[test]
    fn the_corpus_holds() {
        for (target, holds) in TARGETS {
            let corpus = corpus(target);
            assert!(corpus.len() >= 3, "{target} has seeds");
            for (name, bytes) in corpus {
                let held = std::panic::catch_unwind(|| holds(&bytes));
                assert!(held.is_ok(), "{name}");
            }
        }
    }

    /// One change to a seed.
    #[derive(Debug, Clone)]
    enum Edit {
        Put(Index, u8),
        Insert(Index, Vec<u8>),
        Remove(Index, usize),
        /// Some bytes of another seed.
        Splice(Index, Index, Index),
    }

    fn edit() -> impl Strategy<Value = Edit> {
        let odd: &[&[u8]] = &[
            b"null",
            b"{}",
            b"[",
            b"\"",
            b"1e400",
            b"\\ud800",
            b"-1",
            b",",
            b"#",
            b"?",
            b"\xff",
            b"\xef\xbb\xbf",
        ];
        prop_oneof![
            (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Put(at, byte)),
            (any::<Index>(), proptest::sample::select(odd))
                .prop_map(|(at, text)| Edit::Insert(at, text.to_vec())),
            (any::<Index>(), 1_usize..20).prop_map(|(at, count)| Edit::Remove(at, count)),
            any::<(Index, Index, Index)>().prop_map(|(at, seed, from)| Edit::Splice(at, seed, from)),
        ]
    }

    fn edited(seeds: &[Seed], seed: Index, edits: Vec<Edit>) -> Vec<u8> {
        let mut bytes = seed.get(seeds).1.clone();
        for edit in edits {
            let within = |at: Index| at.index(bytes.len() + 1);
            match edit {
                Edit::Put(at, byte) => {
                    let at = within(at);
                    bytes.splice(at..bytes.len().min(at + 1), [byte]);
                }
                Edit::Insert(at, text) => {
                    let at = within(at);
                    bytes.splice(at..at, text);
                }
                Edit::Remove(at, count) => {
                    let at = within(at);
                    bytes.drain(at..bytes.len().min(at + count));
                }
                Edit::Splice(at, seed, from) => {
                    let (at, other) = (within(at), &seed.get(seeds).1);
                    let from = from.index(other.len() + 1);
                    bytes.splice(at..at, other[from..other.len().min(from + 60)].to_vec());
                }
            }
        }
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

        /// The same, for seeds with a few bytes changed.
        #[test]
        fn what_is_near_the_corpus_holds(
            target in 0..TARGETS.len(),
            seed in any::<Index>(),
            edits in proptest::collection::vec(edit(), 1..6),
        ) {
            // Read once: a file system is slow beside this.
            static SEEDS: OnceLock<Vec<Vec<Seed>>> = OnceLock::new();
            let seeds = SEEDS.get_or_init(|| TARGETS.map(|(target, _)| corpus(target)).into());
            TARGETS[target].1(&edited(&seeds[target], seed, edits));
        }
    }
}
