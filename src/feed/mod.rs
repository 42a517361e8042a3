//! Files of other programs that are kept up to date: for programs that insist on a file of their own.
//!
//! Owns [`Feed`], the task that keeps one file: it asks for a token that lasts longer than the program's own refresh window, and
//! writes it before the program would refresh by itself. Invariants: only an access token goes into a file (Z2); a refresh token
//! found there is never used, is kept aside and reported, and leaves with the first write; whatever else stands there stays;
//! somebody else's sign-in is not replaced where the file says whose it is, as codex's does and Claude Code's does not. Must not: take a lock, or refresh but through the [`Broker`].

mod claude;
mod codex;
mod edit;
mod file;
mod object;
mod overlap;
#[cfg(test)]
mod testing;

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::edit::Refusal;
use self::edit::{Edit, Offer};
pub use self::file::{FeedError, Found, Whose, find};
pub use self::overlap::{Overlap, overlaps};
use crate::audit;
use crate::broker::{Broker, FreshToken, FromEnvironment, from_environment};
use crate::clock::UnixSeconds;
use crate::config::{FeedConfig, FeedProgram};
use crate::credential::{Credential, CredentialKind};
use crate::gate::{CALLER_DEADLINE, Class, TokenError, Want};
use crate::metrics;

/// codex refreshes a token that ends within five minutes, and Claude Code does the same, where they have a refresh token.
/// Ours have none; other versions of theirs may look at the time alone.
const OWN_WINDOW: i64 = 5 * 60;
/// How much earlier the new token is there: for a provider that is slow or away for a while, and for the pause between looks.
const MARGIN: i64 = 5 * 60;
/// How often the file is looked at though nothing is due: its program may have written it.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long a look is put off at the least.
const REST: Duration = Duration::from_secs(1);

/// One file that is kept up to date.
#[derive(Debug)]
pub struct Feed {
    broker: Broker,
    config: FeedConfig,
    /// When this began: a token without a date is taken to be as old.
    since: UnixSeconds,
    /// What that was about which was said last to be wrong, so that it is said once.
    said: Option<String>,
}

/// What is stored of a tenant, as far as a file shows it.
type Version = Option<((String, u64), bool)>;

impl Feed {
    /// The feed that `config` describes.
    #[must_use]
    pub fn new(broker: Broker, config: FeedConfig) -> Self {
        let since = broker.clock().now();
        Self { broker, config, since, said: None }
    }

    /// Keeps the file until `closing`.
    pub async fn run(mut self, closing: CancellationToken) {
        self.keep(closing).await;
        // Of a feed that nobody wants any more nothing is measured.
        metrics::no_feed(&self.config.name);
    }

    async fn keep(&mut self, closing: CancellationToken) {
        if let Err(error) = crate::store::at_the_disk(|| file::tidy(&self.config)) {
            // The first look says what is wrong.
            tracing::debug!(
                "feeds.{}: what may be left beside the file was not removed: {error}",
                self.config.name
            );
        }
        let mut changes = self.broker.store().changes();
        loop {
            changes.borrow_and_update();
            let seen = self.version();
            let pause = tokio::select! {
                () = closing.cancelled() => return,
                pause = self.look() => pause,
            };
            let next = Instant::now() + pause;
            loop {
                tokio::select! {
                    () = closing.cancelled() => return,
                    () = tokio::time::sleep_until(next) => break,
                    changed = changes.changed() => match changed {
                        Ok(()) if self.version() == seen => {}
                        Ok(()) => break,
                        // The store ends with the process.
                        Err(_) => return,
                    },
                }
            }
        }
    }

    fn version(&self) -> Version {
        let credential = self.stored()?;
        Some((credential.version(), credential.suspended.is_some()))
    }

    fn stored(&self) -> Option<std::sync::Arc<Credential>> {
        self.broker.store().snapshot().ok()?.tenant(&self.config.tenant).ok()?
    }

    /// Puts the file right, once. Gives how long it is right at the least, as far as we know.
    async fn look(&mut self) -> Duration {
        let (outcome, pause) = match self.offer().await {
            Ok(offer) => {
                let pause = self.pause(&offer);
                (crate::store::at_the_disk(|| self.put(&offer)), pause)
            }
            Err(NoToken::Gone) => (crate::store::at_the_disk(|| self.take_out()), LOOK_EVERY),
            Err(NoToken::Other { why, class }) => (Err(FeedError::NoToken { why, class }), LOOK_EVERY),
        };
        self.say(outcome.err().as_ref());
        pause
    }

    /// Says what is wrong, if it was not said yet, and that it is right again.
    fn say(&mut self, error: Option<&FeedError>) {
        let FeedConfig { name, path, .. } = &self.config;
        metrics::feed(name, error.is_none());
        let topic = error.map(FeedError::topic);
        if topic == self.said {
            return;
        }
        if let Some(error) = error {
            tracing::warn!("feeds.{name}: {} was not brought up to date: {error}", path.display());
        } else {
            tracing::info!("feeds.{name}: {} is up to date again", path.display());
        }
        self.said = topic;
    }

    /// How long the token must last, in seconds: longer than the program's own window. No more than half of a life that is
    /// shorter than that, or each look would be a refresh.
    fn min_valid(&self) -> i64 {
        let life = self.stored().and_then(|held| Some(held.expires_at?.saturating_sub(held.obtained_at?)));
        (OWN_WINDOW + MARGIN).min(life.map_or(i64::MAX, |life| life / 2)).max(1)
    }

    fn pause(&self, offer: &Offer) -> Duration {
        let due = offer.expires_at.map(|at| at - self.min_valid() - self.broker.clock().now());
        let due = due.and_then(|due| u64::try_from(due.max(0)).ok()).map(Duration::from_secs);
        due.unwrap_or(LOOK_EVERY).clamp(REST, LOOK_EVERY)
    }

    async fn offer(&self) -> Result<Offer, NoToken> {
        let tenant = &self.config.tenant;
        let catalog = self.broker.catalog();
        if catalog.get(&tenant.provider).and_then(|provider| from_environment(provider))
            == Some(FromEnvironment::ApiKey)
        {
            return Err(NoToken::key(&self.config));
        }
        let want = Want { min_valid: self.min_valid(), ..Want::default() };
        let fresh = match self.broker.token(tenant, want, CALLER_DEADLINE).await {
            // What there is may do for a while yet: the file may have been lost.
            Err(error) if error.class() == Class::Transient => {
                let want = Want { min_valid: 1, ..Want::default() };
                self.broker.token(tenant, want, CALLER_DEADLINE).await.map_err(|_| NoToken::from(error))?
            }
            fresh => fresh?,
        };
        if fresh.unnoted
            && let Err(error) = self.broker.note_use(tenant).await
        {
            tracing::warn!("{tenant}: that it is in use was not noted: {error}");
        }
        let credential = self.stored().filter(|held| held.access_token == fresh.access_token);
        if credential.as_ref().is_some_and(|held| held.kind == CredentialKind::Static) {
            return Err(NoToken::key(&self.config));
        }
        Ok(self.offered(fresh, credential.as_deref()))
    }

    fn offered(&self, fresh: FreshToken, credential: Option<&Credential>) -> Offer {
        Offer {
            access_token: fresh.access_token,
            id_token: credential.and_then(|held| held.id_token.clone()),
            account: credential.and_then(|held| held.account.id.clone()),
            scopes: fresh.scopes,
            obtained_at: credential.and_then(|held| held.obtained_at).unwrap_or(self.since),
            expires_at: fresh.expires_at,
        }
    }

    fn put(&self, offer: &Offer) -> Result<(), FeedError> {
        let FeedConfig { name, tenant, path, .. } = &self.config;
        let put = file::put(&self.config, offer)?;
        let wrote = matches!(put.wrote, Ok(true));
        // A copy that was there, and a file that is as it was: both were told of before.
        if let Some(aside) = put.aside.filter(|aside| aside.is_new || wrote) {
            audit::feed_found_refresh_token(name, tenant);
            let became =
                if wrote { "is there no more" } else { "is there yet, since the file could not be replaced" };
            tracing::warn!(
                "feeds.{name}: a refresh token stood in {}; it was not used and {became}. The file as it was is {}: \
                 delete it once nobody needs it. {} must not sign in there by itself",
                path.display(),
                aside.path.display(),
                self.config.program.as_str(),
            );
        }
        if put.wrote? {
            audit::fed(name, tenant, "written");
        }
        Ok(())
    }

    fn take_out(&self) -> Result<(), FeedError> {
        if file::take_out(&self.config)? {
            audit::fed(&self.config.name, &self.config.tenant, "taken out");
        }
        Ok(())
    }
}

/// Why there is nothing to write.
enum NoToken {
    /// Nobody is signed in, or is not to be served: what we wrote goes too.
    Gone,
    /// Anything else; an access token that ends harms nobody, so the file keeps what it has.
    Other { why: String, class: Class },
}

impl NoToken {
    fn key(config: &FeedConfig) -> Self {
        let why = format!(
            "{} is an API key, and {} takes a sign-in's token in its file: give it the key by its own means",
            config.tenant,
            config.program.as_str()
        );
        Self::Other { why, class: Class::Operator }
    }
}

impl From<TokenError> for NoToken {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NeverSignedIn { .. } | TokenError::Suspended { .. } => Self::Gone,
            error => Self::Other { why: error.to_string(), class: error.class() },
        }
    }
}

/// How the file of `program` takes a token.
fn fed(program: FeedProgram, text: Option<&str>, offer: &Offer) -> Result<edit::Fed, Refusal> {
    match program {
        FeedProgram::Codex => codex::put(text, offer),
        FeedProgram::Claude => claude::put(text, offer),
    }
}

/// How it lets go of what we wrote.
fn emptied(program: FeedProgram, text: &str) -> Result<Edit, Refusal> {
    match program {
        FeedProgram::Codex => codex::take_out(text),
        FeedProgram::Claude => claude::take_out(text),
    }
}

/// Whether a refresh token stands there.
fn holds_refresh_token(program: FeedProgram, text: &str) -> Result<bool, Refusal> {
    match program {
        FeedProgram::Codex => codex::holds_refresh_token(text),
        FeedProgram::Claude => claude::holds_refresh_token(text),
    }
}

#[cfg(test)]
mod tests;
