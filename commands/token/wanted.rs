//! What is asked for, on the command line of `latchkey token` and of `latchkey exec`.
//!
//! Owns the arguments that both have. Must not: answer them.

use std::time::Duration;

use latchkey::broker::Ask;
use latchkey::gate::Want;
use latchkey::secret::TokenHash;
use latchkey::tenant::{ThreadId, UserId};

use crate::exit::{Code, Exit};
use crate::here::Place;
use crate::setup;

#[derive(Debug, Clone, clap::Args)]
pub struct Wanted {
    /// A tenant (provider[/profile][@user]), or a provider's name or alias
    #[arg(value_name = "TENANT OR PROVIDER", index = 1)]
    pub target: String,
    #[arg(
        long,
        value_name = "ID",
        help = "The Discord thread that asks: its binding says which tenant [default: $LATCHKEY_THREAD]"
    )]
    pub thread: Option<ThreadId>,
    #[arg(
        long,
        value_name = "ID",
        help = "The channel that the thread hangs from: its binding counts where the thread has none [default: $LATCHKEY_PARENT]"
    )]
    pub parent: Option<ThreadId>,
    /// The Discord user whose own sign-in is meant
    #[arg(long, value_name = "ID")]
    pub user: Option<UserId>,
    /// How long the token must still last
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub min_valid: Duration,
    /// Wait for a sign-in that is under way
    #[arg(long)]
    pub wait: bool,
    /// How long to wait in all
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

impl Wanted {
    /// The question, with what the environment adds.
    pub fn ask(&self, rejected: Option<TokenHash>) -> Result<Ask, Exit> {
        let place = Place::of(self.thread.clone(), self.parent.clone(), &setup::environment)
            .map_err(|why| Exit::new(Code::Usage, why))?;
        Ok(Ask {
            target: self.target.clone(),
            user: self.user.clone(),
            thread: place.thread,
            parent: place.parent,
            want: Want {
                min_valid: i64::try_from(self.min_valid.as_secs()).unwrap_or(i64::MAX),
                rejected,
                ..Want::default()
            },
            wait: self.wait,
        })
    }
}
