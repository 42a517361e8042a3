//! `latchkey status`: where every tenant stands.
//!
//! Owns its arguments and what becomes of an [`Overview`]: JSON for programs, a table for people, once or at every change.
//! Invariant: reading it spends nothing and shows no secret (G27).

mod chosen;
mod source;
mod table;
mod watch;
mod wording;

use std::path::Path;

use latchkey::broker::Overview;
use latchkey::clock::{Clock, UnixSeconds};

use self::chosen::Chosen;
use self::source::Source;
use self::table::Look;
use crate::exit::{Code, Exit};
use crate::terminal;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey status                    every tenant, with the next step for what needs one
  latchkey status codex claude/work  all of codex, and one tenant of claude
  latchkey status '*@7' '*/*@7'      all that is Discord user 7's own: a star stays within its part
  latchkey status --watch            redrawn as things change, until Ctrl-C
  latchkey status --json | jq -r '.tenants[] | select(.health == \"needs_login\") | .tenant'
  latchkey status --json --watch     one whole JSON object a line, at the start and at every change

It reads the auth file; where this user may not read that, it asks the running bot over the token socket. It refreshes \
nothing and asks no provider.

In JSON, health is one of: fresh, stale (refreshed at its next use), backing_off, uncertain, needs_login, suspended, \
environment, bad_environment, misconfigured, not_configured. Times are unix seconds. docs/token-socket.md tells of every \
member, under `status`.")]
pub struct Arguments {
    /// Only these: a provider (all of its tenants), a tenant, or a pattern with stars [default: all]
    #[arg(value_name = "TENANT OR PROVIDER")]
    tenants: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Go on, and show it anew when something changes
    #[arg(long)]
    watch: bool,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let mut source = Source::find(config)?;
    let chosen = Chosen::read(&arguments.tenants, source.catalog())?;
    if arguments.watch {
        return watch::run(&mut source, &chosen, arguments.json);
    }
    let shown = chosen.of(source.overview()?);
    let text = if arguments.json {
        serde_json::to_string_pretty(&shown).map_err(|error| Exit::new(Code::Internal, error))?
    } else {
        page(&shown, &chosen, Clock::system().now(), &Look::here())
    };
    terminal::print(&text)
}

/// What people see; nothing where there is nothing to say.
fn page(shown: &Overview, chosen: &Chosen, now: UnixSeconds, look: &Look) -> String {
    if chosen::is_something(shown) {
        table::table(shown, now, look)
    } else if terminal::is_quiet() {
        String::new()
    } else {
        chosen.nothing().to_owned()
    }
}
