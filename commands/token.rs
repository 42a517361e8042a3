//! `latchkey token`: a fresh access token on standard output.
//!
//! Owns the command; how the token is come by is `asking`'s. Invariant: standard output gets the token or nothing.

mod asking;
pub mod bot;
mod child;
pub mod source;
mod wanted;

use std::path::Path;
use std::time::Duration;

use latchkey::broker::FreshToken;
use latchkey::secret::TokenHash;

pub use self::asking::{Keeping, alone, obtain};
pub use self::bot::BEARER_FILE;
pub use self::wanted::Wanted;
use crate::exit::Exit;
use crate::git;
use crate::printed::{self, Format};
use crate::setup;

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  latchkey token codex                      the guild's shared sign-in
  latchkey token codex --thread 1234        what serves that Discord thread
  latchkey token claude/work@80351110224678912 --format json
  latchkey token codex --format header | curl -H @- https://api.example/
  env=$(latchkey token codex --format env) && eval \"$env\"
  git config --global credential.https://github.com.helper '!latchkey token github --format git'

After a 401, name the token that was rejected, so that it is refreshed once for everybody:
  latchkey token codex --rejected-sha256 $(printf %s \"$TOKEN\" | sha256sum | cut -d' ' -f1)

One process a thread: set LATCHKEY_THREAD, and LATCHKEY_PARENT for the channel that the thread
hangs from, once for the process, and each `latchkey token codex` in it gets what serves that
thread.

A fresh token comes from the auth file. For a refresh the running bot is asked, where [tokens]
or LATCHKEY_SOCKET names its socket; without a bot this program refreshes by itself. A user who
may not read the auth file, or a container without one, gets all tokens from the bot:
  LATCHKEY_SOCKET=/run/latchkey/latchkey.sock latchkey token codex
LATCHKEY_SOCKET_BEARER_FILE names the file with the bearer token, where the socket asks for one.")]
pub struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// With --format git alone: what git appends (get, store or erase); it sends the rest on standard input
    #[arg(value_name = "GIT'S OPERATION", index = 2)]
    operation: Option<String>,
    /// The SHA-256 of a token that was rejected: that one will not do
    #[arg(long, value_name = "HEX", value_parser = TokenHash::parse)]
    rejected_sha256: Option<TokenHash>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    format: Format,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    match git::Request::of(arguments.format, arguments.operation.as_deref())? {
        None => serve(config, arguments, |token| {
            Ok(printed::write(&printed::text(token, arguments.format, &setup::environment)?)?)
        }),
        Some(request) => answer_git(config, arguments, request),
    }
}

fn answer_git(config: Option<&Path>, arguments: &Arguments, request: git::Request) -> Result<(), Exit> {
    match request {
        git::Request::Get { username } => {
            serve(config, arguments, |token| Ok(printed::write(&git::answer(token, username.as_deref())?)?))
                .inspect_err(|_| git::quit())
        }
        // Any other token that still lasts at all answers this: then another was rejected, or somebody was faster (G14).
        git::Request::Erase(Some(rejected)) => {
            let wanted = Wanted { min_valid: Duration::ZERO, wait: false, ..arguments.wanted.clone() };
            let arguments = Arguments { rejected_sha256: Some(rejected), wanted, ..arguments.clone() };
            serve(config, &arguments, |_| Ok(()))
        }
        git::Request::Erase(None) | git::Request::Nothing => Ok(()),
    }
}

/// Comes by a token that will do, and has it handed out.
fn serve(
    config: Option<&Path>,
    arguments: &Arguments,
    hand_out: impl FnOnce(&FreshToken) -> Result<(), Exit>,
) -> Result<(), Exit> {
    let ask = arguments.wanted.ask(arguments.rejected_sha256)?;
    let obtained = obtain(config, &ask, arguments.wanted.timeout, Keeping::Short)?;
    hand_out(&obtained.token)?;
    obtained.note_use();
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use latchkey::gate::{CALLER_DEADLINE, MIN_VALID};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// G10
    #[test]
    fn the_defaults_are_the_gates() {
        let Line { arguments } = Line::parse_from(["token", "codex"]);
        assert_eq!(arguments.wanted.timeout, CALLER_DEADLINE);
        assert_eq!(i64::try_from(arguments.wanted.min_valid.as_secs()), Ok(MIN_VALID));
    }
}
