//! Where `latchkey status` knows things from: the auth file, or the running bot where this user may not read it.
//!
//! Owns the asking, and the waiting for changes. Invariants: nothing is spent (G27); the same order as for tokens holds
//! (`token::source`), except that who can read the file needs no bot. Must not: draw anything.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::broker::Overview;
use latchkey::clock::Clock;
use latchkey::directory;
use latchkey::provider::{Catalog, Provider};
use latchkey::store::Store;
use latchkey::store::file::FileStore;

use crate::exit::Exit;
use crate::log;
use crate::setup::Loaded;
use crate::token::alone;
use crate::token::bot::{Bot, NoToken, Watching};
use crate::token::source;

/// How often it is looked if something changed, or whether somebody wants us to end. A look at the file is one `stat`.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the bot is asked although it told of no change: it tells of tenants and logins, and not of all else.
const ASK_EVERY: Duration = Duration::from_secs(15);

/// What tells where things stand.
pub enum Source {
    /// The auth file.
    File(Box<Loaded>, Arc<FileStore>),
    /// The running bot.
    Bot(Box<Remote>),
}

impl Source {
    /// What there is for this user.
    pub fn find(config: Option<&Path>) -> Result<Self, Exit> {
        Ok(match source::Source::find(config)? {
            source::Source::File { loaded, store, .. } => Self::File(Box::new(loaded), store),
            source::Source::Bot { bot, loaded, without_store } => {
                let (watching, is_away) = (None, false);
                Self::Bot(Box::new(Remote { bot, loaded, without_store, watching, is_away }))
            }
        })
    }

    /// The providers that are configured, where that is known.
    pub fn catalog(&self) -> Option<&Catalog> {
        let loaded = match self {
            Self::File(loaded, _) => Some(&**loaded),
            Self::Bot(remote) => remote.loaded.as_ref(),
        };
        loaded.map(|loaded| &loaded.config.providers)
    }

    /// Where everything stands now.
    pub fn overview(&self) -> Result<Overview, Exit> {
        match self {
            Self::File(loaded, store) => {
                let document = store.snapshot()?;
                let known = |provider: &Provider| directory::cached(&**store, provider);
                let now = Clock::system().now();
                Ok(Overview::whole(&document, &loaded.config.providers, &known, now))
            }
            Self::Bot(remote) => remote.bot.overview().map_err(|error| alone(error, &remote.without_store)),
        }
    }

    /// Where everything stands, if that may have changed; `wait` waits a moment, and says whether to go on.
    pub fn news(&mut self, wait: &dyn Fn(Duration) -> bool) -> Result<Option<Overview>, Exit> {
        match self {
            Self::File(..) => {
                if wait(LOOK_EVERY) {
                    self.overview().map(Some)
                } else {
                    Ok(None)
                }
            }
            Self::Bot(remote) => Ok(remote.news(wait)),
        }
    }
}

/// A bot, and the way to hear of its changes.
pub struct Remote {
    bot: Bot,
    loaded: Option<Loaded>,
    /// Why the file is not read.
    without_store: String,
    watching: Option<(Watching, Instant)>,
    is_away: bool,
}

impl Remote {
    /// What is new. A bot that has gone is waited for: it may be starting anew.
    fn news(&mut self, wait: &dyn Fn(Duration) -> bool) -> Option<Overview> {
        match self.heard() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return self.lost(&error, wait),
        }
        match self.bot.overview() {
            Ok(shown) => {
                self.is_away = false;
                Some(shown)
            }
            Err(error) => self.lost(&error, wait),
        }
    }

    /// Whether to ask now.
    fn heard(&mut self) -> Result<bool, NoToken> {
        let Some((watching, asked)) = &mut self.watching else {
            self.watching = Some((self.bot.watch()?, Instant::now()));
            return Ok(true);
        };
        let is_time = watching.has_news(LOOK_EVERY)? || asked.elapsed() >= ASK_EVERY;
        if is_time {
            *asked = Instant::now();
        }
        Ok(is_time)
    }

    fn lost(&mut self, error: &NoToken, wait: &dyn Fn(Duration) -> bool) -> Option<Overview> {
        self.watching = None;
        if !self.is_away {
            log::say(&format!("{error}; waiting for it"));
        }
        self.is_away = true;
        wait(LOOK_EVERY);
        None
    }
}
