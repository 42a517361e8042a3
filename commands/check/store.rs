//! Whether the store can be trusted, written and locked.
//!
//! Owns the findings on the auth file, its folder and its locks (F4, F15). Must not: write there, but for a lock of its own.

use std::time::Duration;

use latchkey::config::Config;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, StoreError};

use super::finding::{Finding, Level};
use crate::exit::{Code, Exit};

const PART: &str = "store";
/// How long the store lock is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(3);
/// Below this nothing more can be promised to be written, in bytes: an auth file is written whole beside the old one.
const LEAST_ROOM: u64 = 16 << 20;
/// Below this somebody should look, in bytes.
const LITTLE_ROOM: u64 = 128 << 20;
/// And in files.
const FEW_FILES: u64 = 100;

/// It could not even be opened.
pub(super) fn unopened(error: &StoreError, config: &Config) -> Finding {
    failed(PART, error).at(config.store.path.display())
}

fn failed(part: &'static str, error: &StoreError) -> Finding {
    let exit = Exit::from(error.clone());
    Finding::told(Level::Problem, part, exit.code, &exit.message.unwrap_or_default())
}

pub(super) async fn look(config: &Config, store: &FileStore) -> Vec<Finding> {
    let mut found = Vec::new();
    let place = store.path().display().to_string();
    match store.snapshot() {
        Ok(document) => {
            let (tenants, logins) = (document.tenants().count(), document.logins().count());
            found.push(Finding::ok(PART, format!("{place} (tenants: {tenants}, logins: {logins})")));
            for damaged in document.damaged() {
                found.push(Finding::told(Level::Problem, PART, Code::Store, &damaged.to_string()).at(&place));
            }
            for (tenant, _) in document.tenants() {
                if config.providers.get(&tenant.provider).is_none() {
                    found.push(Finding::warning(
                        PART,
                        format!("{tenant} is stored and its provider is not configured"),
                        format!("add [providers.{}], or end it: `latchkey logout {tenant}`", tenant.provider),
                    ));
                }
            }
            found.extend(ground(store, &place));
        }
        Err(error) => found.push(failed(PART, &error).at(&place)),
    }
    match store.named_lock("check", LOCK_WAIT).await {
        Ok(_) => found.push(Finding::ok("locks", "the store can be locked")),
        Err(error) => found.push(failed("locks", &error)),
    }
    found
}

fn ground(store: &FileStore, place: &str) -> Vec<Finding> {
    let survey = match store.survey() {
        Ok(survey) => survey,
        Err(error) => return vec![failed(PART, &error).at(place)],
    };
    let mut found = Vec::new();
    match survey.file_system {
        Some(name) => found.push(Finding::ok(PART, format!("it is on {name}, whose locks hold"))),
        None => found.push(
            Finding::warning(
                PART,
                "it is on a file system whose locks are not known to hold, as allow_unverified_locks admits",
                "be sure that all programs that use it share its locks, or put it on ext4, xfs, btrfs, zfs, f2fs, tmpfs or overlay",
            )
            .at(place),
        ),
    }
    let me = rustix::process::geteuid().as_raw();
    if let Some((owner, mode)) = survey.file {
        if owner != me {
            let what = format!("it belongs to user {owner}, and this is user {me}");
            found.push(Finding::problem(PART, Code::Store, what, format!("`chown {me} {place}`")).at(place));
        }
        if mode & 0o077 != 0 {
            let what = format!("others may read or write it (mode {mode:o}), and it holds tokens");
            found.push(Finding::problem(PART, Code::Store, what, format!("`chmod 600 {place}`")).at(place));
        }
    }
    let room = survey.room / (1 << 20);
    let remedy =
        "make room on this disk: what a provider rotates must be written down, or the sign-in is lost";
    if survey.room < LEAST_ROOM || survey.files_left == Some(0) {
        let what = format!("there is no room left for it ({room} MiB free)");
        found.push(Finding::problem(PART, Code::Store, what, remedy).at(place));
    } else if survey.room < LITTLE_ROOM || survey.files_left.is_some_and(|left| left < FEW_FILES) {
        found.push(
            Finding::warning(PART, format!("the disk is nearly full ({room} MiB free)"), remedy).at(place),
        );
    }
    found
}
