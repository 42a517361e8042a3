//! What can be said of [feeds] from here.
//!
//! Owns the findings on files that the bot keeps for other programs. Must not: change such a file.

use latchkey::broker::{FromEnvironment, from_environment};
use latchkey::config::{Config, FeedConfig};
use latchkey::feed;
use latchkey::foreign::folder;
use rustix::fs::{Access, access};

use super::{Findings, Level};
use crate::exit::Code;

pub(super) fn feeds(config: &Config, findings: &mut Findings) {
    for feed in &config.feeds {
        let FeedConfig { name, tenant, program, .. } = feed;
        let program = program.as_str();
        file(feed, findings);
        if tenant.provider.as_str() != program {
            findings.warn(
                "feeds",
                format!(
                    "feeds.{name}: {program} takes tokens of the provider {program}, and {tenant} has another's: they must be \
                     accepted where {program} sends them"
                ),
            );
        }
        let provider = config.providers.get(&tenant.provider);
        if provider.and_then(|provider| from_environment(provider)) == Some(FromEnvironment::ApiKey) {
            let what = "is served an API key, and the file takes the token of a sign-in";
            findings.warn(
                "feeds",
                format!("feeds.{name}: {tenant} {what}: give {program} the key by its own means"),
            );
        }
    }
}

fn file(feed: &FeedConfig, findings: &mut Findings) {
    let FeedConfig { name, tenant, program, path } = feed;
    let (program, shown) = (program.as_str(), path.display());
    let mut problem = |text: String| findings.add(Level::Problem, "feeds", text, Code::Usage);
    let place = folder(path);
    if let Err(error) = access(place, Access::WRITE_OK | Access::EXEC_OK) {
        let remedy = "make it, and give the user that Latchkey runs as the right to write there";
        return problem(format!(
            "feeds.{name}: the folder {} cannot be written ({error}): {remedy}",
            place.display()
        ));
    }
    match feed::find(feed) {
        Err(error) => problem(format!("feeds.{name}: {shown} cannot be brought up to date: {error}")),
        Ok(found) if found.holds_refresh_token => findings.warn(
            "feeds",
            format!(
                "feeds.{name}: a refresh token stands in {shown}, with which {program} refreshes by itself: with its first write \
                 `latchkey run` keeps the file aside as it is and takes the refresh token out"
            ),
        ),
        Ok(_) => findings.ok("feeds", format!("feeds.{name}: {shown} gets the access token of {tenant}, for {program}")),
    }
}
