//! What can be said of [feeds] from here.
//!
//! Owns the findings on files that the bot keeps for other programs. Must not: change such a file.

use std::sync::Arc;

use latchkey::broker::{FromEnvironment, from_environment};
use latchkey::config::{Config, FeedConfig};
use latchkey::feed::{self, Whose};
use latchkey::foreign::folder;
use latchkey::store::Store;
use latchkey::store::file::FileStore;
use rustix::fs::{Access, access};

use super::finding::{Finding, Findings, Level};
use crate::exit::Code;

const PART: &str = "feeds";

pub(super) fn feeds(config: &Config, store: Option<&Arc<FileStore>>, findings: &mut Findings) {
    for overlap in feed::overlaps(config) {
        findings.add(Finding::told(Level::Problem, PART, Code::Usage, &overlap.to_string()));
    }
    let document = store.and_then(|store| store.snapshot().ok());
    for feed in &config.feeds {
        let FeedConfig { name, tenant, program, .. } = feed;
        let program = program.as_str();
        let provider = config.providers.get(&tenant.provider);
        let of_environment = provider.and_then(|provider| from_environment(provider));
        let held = document.as_ref().and_then(|document| document.tenant(tenant).ok()?);
        let account = held.as_ref().and_then(|held| held.account.id.as_deref());
        let whose = match (of_environment, &held, account) {
            (None, None, _) => Whose::Nobodys,
            (None, Some(_), Some(account)) => Whose::Of(account),
            _ => Whose::Unsaid,
        };
        file(feed, whose, findings);
        if tenant.provider.as_str() != program {
            findings.add(Finding::warning(
                PART,
                format!("feeds.{name}: {program} takes tokens of the provider {program}, and {tenant} has another's"),
                format!("see that they are accepted where {program} sends them, or name another tenant"),
            ));
        }
        if of_environment == Some(FromEnvironment::ApiKey) {
            let what = "is served an API key, and the file takes the token of a sign-in";
            findings.add(Finding::warning(
                PART,
                format!("feeds.{name}: {tenant} {what}"),
                format!("give {program} the key by its own means"),
            ));
        }
    }
}

fn file(feed: &FeedConfig, whose: Whose<'_>, findings: &mut Findings) {
    let FeedConfig { name, tenant, program, path } = feed;
    let (program, shown) = (program.as_str(), path.display());
    let mut problem =
        |text: String| findings.add(Finding::told(Level::Problem, PART, Code::Usage, &text).at(&shown));
    let place = folder(path);
    if let Err(error) = access(place, Access::WRITE_OK | Access::EXEC_OK) {
        let remedy = "make it, and give the user that Latchkey runs as the right to write there";
        return problem(format!(
            "feeds.{name}: the folder {} cannot be written ({error}); {remedy}",
            place.display()
        ));
    }
    match feed::find(feed, whose) {
        Err(error) => problem(format!("feeds.{name}: {shown} cannot be brought up to date: {error}")),
        Ok(found) if found.holds_refresh_token => findings.add(Finding::warning(
            PART,
            format!("feeds.{name}: a refresh token stands in {shown}, with which {program} refreshes by itself"),
            "nothing is to be done: with its first write `latchkey run` keeps the file aside as it is and takes the refresh token out",
        )),
        Ok(_) => findings.add(Finding::ok(
            PART,
            format!("feeds.{name}: {shown} gets the access token of {tenant}, for {program}"),
        )),
    }
}
