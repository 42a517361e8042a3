//! SIGHUP: the configuration is read anew while the bot runs.
//!
//! Owns what of it is taken over and what waits for a restart. Invariants: a configuration is taken over whole or refused whole,
//! and then the one before stays in force; what was begun goes on by what it captured (C10). Must not: end the bot.

use std::path::PathBuf;
use std::sync::Arc;

use latchkey::config::{Config, ConfigError, TokensConfig};
use latchkey::feed::overlaps;
use latchkey::serve::socket::{self, Admission};
use tokio::signal::unix::Signal;

use super::feeds::Feeds;
use super::hangup::Streams;
use super::service::Service;
use crate::discord::Desk;
use crate::log;

/// Takes changed configurations over.
pub struct Reload {
    /// Where the configuration stands.
    pub path: PathBuf,
    /// The one in force, with the old values of what a restart must change.
    pub in_force: Config,
    pub desk: Arc<Desk>,
    /// The token socket, where there is one.
    pub tokens: Option<socket::Server>,
    pub feeds: Feeds,
    pub service: Service,
    pub streams: Streams,
}

/// A configuration that can be taken over.
struct Accepted {
    config: Config,
    admission: Option<Admission>,
    /// The keys whose new values wait for a restart.
    waiting: Vec<&'static str>,
}

impl Reload {
    /// Reads the configuration anew at each of `hangups`, until one is the end of the terminal.
    pub async fn follow(mut self, mut hangups: Signal) {
        while hangups.recv().await.is_some() {
            if self.streams.have_lost_their_terminal() {
                return;
            }
            self.service.reloading();
            self.reload().await;
            self.service.reloaded();
        }
    }

    async fn reload(&mut self) {
        // Reading waits for the disk.
        let accepted = tokio::task::block_in_place(|| accept(&self.path, &self.in_force));
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(mut problems) => {
                // The file may have been rotated away, whatever is wrong with the configuration.
                if let Err(error) = tokio::task::block_in_place(log::reopen)
                    && !problems.contains(&error.to_string())
                {
                    problems.push(error.to_string());
                }
                for problem in &problems {
                    tracing::error!("the configuration was not reloaded: {problem}");
                }
                self.desk.health.reloaded(false);
                return;
            }
        };
        for key in &accepted.waiting {
            tracing::warn!("{key} has changed: that needs a restart; until then the old value is in force");
        }
        self.take_over(accepted).await;
        tracing::info!("the configuration was reloaded from {}", self.path.display());
        self.desk.health.reloaded(true);
    }

    async fn take_over(&mut self, accepted: Accepted) {
        let Accepted { config, admission, .. } = accepted;
        self.desk.broker.reconfigure(&config.providers, config.limits);
        if config.access != self.in_force.access {
            self.desk.access.replace(config.access.clone());
            // Whoever is admitted no more is to lose their own tenants soon, and not at their next look.
            self.desk.members.look_anew();
        }
        if let (Some(server), Some(admission)) = (&self.tokens, admission) {
            server.admit(admission);
        }
        self.feeds.follow(&config.feeds).await;
        self.in_force = config;
    }
}

/// Reads what is at `path`, and checks all of it that could fail later.
fn accept(path: &std::path::Path, in_force: &Config) -> Result<Accepted, Vec<String>> {
    let config = Config::load(path).map_err(|error| match error {
        ConfigError::Invalid { problems, .. } => problems.iter().map(ToString::to_string).collect(),
        error => vec![error.to_string()],
    })?;
    let overlaps: Vec<_> = overlaps(&config).iter().map(ToString::to_string).collect();
    if !overlaps.is_empty() {
        return Err(overlaps);
    }
    let waiting = waiting(in_force, &config);
    let config = keep(config, in_force);
    let admission = match (&config.tokens, &in_force.tokens) {
        (Some(new), Some(old)) if new != old => {
            Some(Admission::new(new).map_err(|error| vec![error.to_string()])?)
        }
        _ => None,
    };
    // Last, since it takes effect at once.
    log::configure_again(&config.log, &in_force.log).map_err(|error| vec![error.to_string()])?;
    Ok(Accepted { config, admission, waiting })
}

/// What differs and cannot change while the bot runs.
fn waiting(old: &Config, new: &Config) -> Vec<&'static str> {
    let discord = |config: &Config| config.discord.clone();
    let place = |config: &Config| {
        config.tokens.as_ref().map(|tokens| (tokens.socket.clone(), tokens.mode, tokens.group.clone()))
    };
    let listen = |config: &Config| config.http.as_ref().map(|http| http.listen);
    let public_url = |config: &Config| config.http.as_ref().and_then(|http| http.public_url.clone());
    let sealing = |config: &Config| config.store.seal_key.clone();
    let checks = [
        ("discord.guild", discord(old).map(|d| d.guild) != discord(new).map(|d| d.guild)),
        ("discord.command", discord(old).map(|d| d.command) != discord(new).map(|d| d.command)),
        ("the place of the bot's token", discord(old).map(|d| d.token) != discord(new).map(|d| d.token)),
        ("store.path", old.store.path != new.store.path),
        (
            "store.allow_unverified_locks",
            old.store.allow_unverified_locks != new.store.allow_unverified_locks,
        ),
        ("the place of the store's seal key", sealing(old) != sealing(new)),
        ("http.listen", listen(old) != listen(new)),
        ("http.public_url", public_url(old) != public_url(new)),
        ("ops.listen", old.ops != new.ops),
        ("the token socket (socket, mode or group under [tokens])", place(old) != place(new)),
    ];
    checks.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

/// `new` with what cannot change from `old`.
fn keep(new: Config, old: &Config) -> Config {
    let mut kept = new.with_page(old.http.clone());
    kept.discord.clone_from(&old.discord);
    kept.store = old.store.clone();
    kept.ops.clone_from(&old.ops);
    kept.tokens = match (kept.tokens.take(), &old.tokens) {
        (Some(new), Some(TokensConfig { socket, mode, group, .. })) => {
            Some(TokensConfig { socket: socket.clone(), mode: *mode, group: group.clone(), ..new })
        }
        // A socket that stands goes on to admit whom it does; one that does not stand admits nobody.
        (_, old) => old.clone(),
    };
    kept
}

#[cfg(test)]
mod tests;
