//! The names that a line can be completed with, from the configuration and the auth file.
//!
//! Owns their reading. Invariants: nothing is asked of anybody, locked or made; what cannot be read has no names.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use clap_complete::CompletionCandidate;
use latchkey::clock::Clock;
use latchkey::config::{self, Config};
use latchkey::store::file::FileStore;
use latchkey::store::{Document, Store};
use latchkey::tenant::User;

use crate::setup;

/// Every tenant and every provider.
pub fn tenants_and_providers(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::read();
    beginning(typed, known.tenants().into_iter().chain(known.providers(false)))
}

/// The same, of providers that one can sign in to.
pub fn tenants_and_open_providers(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::read();
    beginning(typed, known.tenants().into_iter().chain(known.providers(true)))
}

/// Every tenant.
pub fn tenants(typed: &OsStr) -> Vec<CompletionCandidate> {
    beginning(typed, Known::read().tenants().into_iter())
}

/// Every thread that is bound to a tenant.
pub fn threads(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::read();
    let document = known.document.iter();
    let threads = document.flat_map(|document| document.bindings()).map(|(thread, _)| thread.to_string());
    beginning(typed, threads.collect::<Vec<_>>().into_iter())
}

/// Every Discord user who has signed in.
pub fn users(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = Known::read();
    let held = known.document.iter().flat_map(|document| document.tenants());
    let users = held.flat_map(|(key, held)| {
        let owner = match &held.owner {
            Some(User::Discord(user)) => Some(user.to_string()),
            _ => None,
        };
        owner.into_iter().chain(key.user.map(|user| user.to_string()))
    });
    beginning(typed, users.collect::<Vec<_>>().into_iter())
}

/// What can be read.
#[derive(Default)]
struct Known {
    config: Option<Config>,
    document: Option<Arc<Document>>,
}

impl Known {
    fn read() -> Self {
        let words: Vec<OsString> = std::env::args_os().collect();
        let explicit = explicit_configuration(&words);
        let path = config::locate(explicit.as_deref(), &setup::environment).ok();
        let Some(config) = path.and_then(|path| Config::load(&path).ok()) else { return Self::default() };
        let place = &config.store;
        // Opening makes what is missing.
        let store = FileStore::is_at(&place.path)
            .then(|| FileStore::configured(place, &setup::environment, Clock::system()).ok())
            .flatten();
        let document = store.and_then(|store| store.snapshot().ok());
        Self { config: Some(config), document }
    }

    fn tenants(&self) -> Vec<String> {
        let held = self.document.iter().flat_map(|document| document.tenants());
        held.map(|(key, _)| key.to_string()).collect()
    }

    fn providers(&self, open: bool) -> Vec<String> {
        let providers = self.config.iter().flat_map(|config| config.providers.iter());
        providers
            .filter(|provider| !open || provider.is_open())
            .map(|provider| provider.name.to_string())
            .collect()
    }
}

/// The file after `--config` on the line that is being typed.
fn explicit_configuration(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter().skip_while(|word| *word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--config=")) {
            return Some(path.into());
        }
        if word == "--" {
            break;
        }
    }
    None
}

fn beginning(typed: &OsStr, names: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let names: BTreeSet<_> = names.filter(|name| name.starts_with(typed)).collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}
