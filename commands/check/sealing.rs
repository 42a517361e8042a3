//! Whether what is secret in the store is sealed.
//!
//! Owns the findings on sealing. Must not: show a key.

use latchkey::config::Config;

use super::finding::Finding;

const PART: &str = "sealing";

/// From the configuration alone.
pub(super) fn look(config: &Config) -> Vec<Finding> {
    match &config.store.seal_key {
        None => vec![Finding::ok(
            PART,
            "the store is not sealed: whoever reads the auth file, or a copy of it, has its tokens; `latchkey seal` makes a key, and \
             the line seal_key_file = \"seal.key\" under [store] turns it on (docs/security.md)",
        )],
        Some(_) => vec![Finding::ok(PART, "a key for sealing the store is named")],
    }
}
