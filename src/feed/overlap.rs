//! Files that are named twice.
//!
//! Owns what a feed's file must not be: another feed's, or one of Latchkey's own. Invariant: files are told apart by the folder
//! itself and the name in it, so that no spelling hides one. Must not: look into a file.

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::{AuditSink, Config, SealKeySource, TokenSource};
use crate::foreign::folder;

/// A feed's file that is something else's too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("feeds.{feed}: {} is the file of {other} too: give the feed a file of its own", path.display())]
pub struct Overlap {
    /// The feed.
    pub feed: String,
    /// Its file, as written.
    pub path: PathBuf,
    /// What else it is.
    pub other: String,
}

#[derive(PartialEq, Eq, Hash)]
enum Folder {
    /// By device and inode.
    There(u64, u64),
    /// One that is not there cannot have a second name yet.
    Absent(PathBuf),
}

/// The place that `path` names, and that which it leads to.
fn places(path: &Path) -> HashSet<(Folder, OsString)> {
    let one = |path: &Path| {
        let folder = folder(path);
        let there = std::fs::metadata(folder).map(|found| Folder::There(found.dev(), found.ino()));
        let absent = |_| Folder::Absent(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
        Some((there.unwrap_or_else(absent), path.file_name()?.to_owned()))
    };
    [Some(path.to_owned()), path.canonicalize().ok()].iter().flatten().filter_map(|path| one(path)).collect()
}

/// The feeds whose file is that of an earlier feed, or of Latchkey's own.
#[must_use]
pub fn overlaps(config: &Config) -> Vec<Overlap> {
    let bearer = config.tokens.as_ref().and_then(|tokens| tokens.bearer_file.as_deref());
    let token = config.discord.as_ref().and_then(|discord| match &discord.token {
        TokenSource::File(path) => Some(path.as_path()),
        TokenSource::Environment | TokenSource::Credential(_) => None,
    });
    let seal_key = match &config.store.seal_key {
        Some(SealKeySource::File(path)) => Some(path.as_path()),
        _ => None,
    };
    let audit = match &config.log.audit {
        Some(AuditSink::File(path)) => Some(path.as_path()),
        _ => None,
    };
    let own = [
        ("[store]", Some(config.store.path.as_path())),
        ("bearer_file", bearer),
        ("token_file", token),
        ("seal_key_file", seal_key),
        ("audit", audit),
    ];
    let own = own.into_iter().filter_map(|(name, path)| Some((name.to_owned(), places(path?))));
    let mut taken: Vec<_> = own.collect();
    let mut overlaps = Vec::new();
    for feed in &config.feeds {
        let places = places(&feed.path);
        if let Some((other, _)) = taken.iter().find(|(_, taken)| !taken.is_disjoint(&places)) {
            let (feed, path) = (feed.name.clone(), feed.path.clone());
            overlaps.push(Overlap { feed, path, other: other.clone() });
        }
        taken.push((format!("feeds.{}", feed.name), places));
    }
    overlaps
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Z2: no spelling makes a feed write the store, a secret of ours, or what another feed writes.
    #[test]
    fn a_file_is_known_under_any_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("data")).unwrap();
        symlink(root.join("data"), root.join("alias")).unwrap();
        std::fs::write(root.join("data/real.json"), "{}").unwrap();
        symlink(root.join("data/real.json"), root.join("data/auth.json")).unwrap();
        let named = |feeds: &[(&str, &str)]| {
            let root = root.display();
            let mut text = format!(
                "[store]\npath = \"{root}/data/auth.json\"\n[providers.codex]\n[tokens]\nbearer_file = \"{root}/absent/bearer\"\n\
                 allow = [{{ bearer = true, tenants = [\"codex\"] }}]\n"
            );
            for (name, path) in feeds {
                let table = format!(
                    "[feeds.{name}]\ntenant = \"codex\"\nprogram = \"codex\"\npath = \"{root}/{path}\"\n"
                );
                text.push_str(&table);
            }
            let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None).unwrap();
            overlaps(&config).into_iter().map(|found| (found.feed, found.other)).collect::<Vec<_>>()
        };
        let pair = |feed: &str, other: &str| vec![(feed.to_owned(), other.to_owned())];
        for path in ["data/auth.json", "alias/auth.json", "alias/../data/real.json", "data//real.json"] {
            assert_eq!(named(&[("a", path)]), pair("a", "[store]"), "{path}");
        }
        assert_eq!(named(&[("a", "absent/./bearer")]), pair("a", "bearer_file"));
        assert_eq!(named(&[("a", "data/x.json"), ("b", "alias/x.json")]), pair("b", "feeds.a"));
        assert_eq!(named(&[("a", "data/x.json"), ("b", "data/y.json"), ("c", "x.json")]), []);
    }
}
