//! Whether the store can be trusted, written and locked.
//!
//! Owns the findings on the auth file, its folder and its locks (F4, F15). Must not: write there, but
//! for a lock of its own beside a store that is there already.

use std::path::Path;
use std::time::Duration;

use latchkey::config::{CREDENTIALS_VARIABLE, Config, SealKeySource};
use latchkey::store::file::{FileStore, Survey};
use latchkey::store::{Store, StoreError, as_its_owner};
use rustix::fs::{Access, access};

use super::as_the_unit;
use super::finding::{Finding, Level};
use crate::exit::{Code, Exit};
use crate::setup;

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
    let is_of_the_unit = matches!(config.store.seal_key, Some(SealKeySource::Credential(_)))
        && setup::environment(CREDENTIALS_VARIABLE).is_none();
    if is_of_the_unit && matches!(error, StoreError::Keys(_)) {
        let what = "it cannot be looked at from here: systemd hands the keys that seal it to the unit alone";
        return Finding::warning(PART, what, as_the_unit(config)).at(config.store.path.display());
    }
    failed(PART, error).at(config.store.path.display())
}

fn failed(part: &'static str, error: &StoreError) -> Finding {
    let exit = Exit::from(error.clone());
    Finding::told(Level::Problem, part, exit.code, &exit.message.unwrap_or_default())
}

pub(super) async fn look(config: &Config, store: &FileStore) -> Vec<Finding> {
    let mut found = Vec::new();
    let place = store.path().display().to_string();
    let is_there = FileStore::is_at(store.path());
    match store.snapshot() {
        Ok(_) if !store.path().exists() && !is_there => found.extend(to_come(store, &place)),
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
    if !is_there {
        found.push(Finding::ok("locks", "their folder is made at the first start"));
        return found;
    }
    match store.named_lock("check", LOCK_WAIT).await {
        Ok(_) => found.push(Finding::ok("locks", "the store can be locked")),
        Err(error) => found.push(failed("locks", &error)),
    }
    found
}

/// Nothing is stored yet. To make its folder now would make it this user's, who need not be the bot's.
fn to_come(store: &FileStore, place: &str) -> Vec<Finding> {
    let told = Finding::ok(PART, format!("{place} is not there yet: it is made at the first start"));
    let folder = store.path().parent().unwrap_or(Path::new("/"));
    let Some(above) = folder.ancestors().find(|above| above.exists()) else { return vec![told] };
    if above == folder {
        return std::iter::once(told).chain(ground(store, place)).collect();
    }
    match access(above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => vec![told],
        Err(error) => vec![
            Finding::warning(
                PART,
                format!("its folder is not there yet, and this user cannot make it in {} ({error})", above.display()),
                format!(
                    "make it: `install -d -m 700 -o USER {}`; where systemd has StateDirectory= it does that itself",
                    folder.display()
                ),
            )
            .at(place),
        ],
    }
}

fn ground(store: &FileStore, place: &str) -> Vec<Finding> {
    match store.survey() {
        Ok(survey) => judge(&survey, rustix::process::geteuid().as_raw(), place),
        Err(error) => vec![failed(PART, &error).at(place)],
    }
}

/// What the ground comes to for the user `me`.
fn judge(survey: &Survey, me: u32, place: &str) -> Vec<Finding> {
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
    if let Some((owner, mode)) = survey.file {
        if owner != me {
            let what = format!("it belongs to user {owner}, and this is user {me}");
            found.push(Finding::problem(PART, Code::Store, what, as_its_owner(place, owner, me)).at(place));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// F4, F15: whose the file is, who may read it, where it lies, and whether it can still be written.
    #[test]
    fn each_fault_of_the_ground_is_said_with_its_remedy() {
        let good =
            || Survey { file_system: Some("ext4"), file: Some((7, 0o600)), room: 1 << 30, files_left: None };
        for (survey, level, said, remedy) in [
            (good(), Level::Ok, "on ext4", ""),
            (Survey { file: None, ..good() }, Level::Ok, "on ext4", ""),
            (Survey { file_system: None, ..good() }, Level::Warning, "not known to hold", "share its locks"),
            (
                Survey { file: Some((8, 0o600)), ..good() },
                Level::Problem,
                "belongs to user 8",
                "chown 7 a.json",
            ),
            (Survey { file: Some((7, 0o640)), ..good() }, Level::Problem, "(mode 640)", "chmod 600 a.json"),
            (Survey { room: 15 << 20, ..good() }, Level::Problem, "no room left", "make room"),
            (Survey { files_left: Some(0), ..good() }, Level::Problem, "no room left", "make room"),
            (Survey { room: 100 << 20, ..good() }, Level::Warning, "nearly full (100 MiB free)", "make room"),
            (Survey { files_left: Some(99), ..good() }, Level::Warning, "nearly full", "make room"),
        ] {
            let found = judge(&survey, 7, "a.json");
            let worst = found.iter().max_by_key(|found| found.level).unwrap();
            assert_eq!(worst.level, level, "{survey:?}: {found:?}");
            assert!(worst.what.contains(said), "{survey:?}: {found:?}");
            assert!(worst.remedy.as_deref().unwrap_or_default().contains(remedy), "{survey:?}: {found:?}");
            let amiss = found.iter().filter(|found| found.level != Level::Ok).count();
            assert_eq!(amiss, usize::from(level != Level::Ok), "{survey:?}: {found:?}");
        }
    }

    /// F4: root is sent to the owner, and never told to take the bot's store over.
    #[test]
    fn root_is_not_told_to_take_the_store_over() {
        let survey =
            Survey { file_system: Some("ext4"), file: Some((7, 0o600)), room: 1 << 30, files_left: None };
        let found = judge(&survey, 0, "a.json");
        let told = found[1].remedy.as_deref().unwrap_or_default();
        assert_eq!(told, "run this as its owner: `runuser -u \"$(id -nu 7)\" -- …`");
        let refused = StoreError::AnotherUsers { folder: "data".to_owned(), owner: 7, me: 0 }.to_string();
        assert!(refused.ends_with(&format!("and this is user 0: {told}")), "{refused}");
    }
}
