//! `latchkey-token`: a fresh token without the rest of the program.
//!
//! Owns a shortcut and nothing else: a token that `latchkey token` would print without waiting and without writing is
//! printed here, by the same code of the library. Everything else, errors and help included, is done by `latchkey token`,
//! which takes over this process with the same arguments and environment. It is small because loading an image of the
//! bot's size takes longer than reading a token. Must not: refresh, lock, write, or word an error of its own where
//! `latchkey` has one.

mod asked;
mod here;
mod printed;

use std::ffi::OsString;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::unix::process::CommandExt;
use std::process::Command;

use latchkey::broker::{Ask, FreshToken, fresh_now};
use latchkey::clock::Clock;
use latchkey::config::{self, Config};
use latchkey::store::Store;
use latchkey::store::file::FileStore;

use crate::asked::Asked;

fn main() {
    let _faults = latchkey::fault::from_environment();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let found = asked::read(&arguments, &environment).and_then(|asked| {
        let format = asked.format;
        printed::text(&fresh(asked)?, format, &environment).ok()
    });
    let Some(text) = found else { hand_over(&arguments) };
    let code = match printed::write(&text) {
        Ok(()) => 0,
        Err(why) => {
            // Where standard error is closed there is nobody to tell.
            drop(writeln!(std::io::stderr(), "latchkey: {why}"));
            1
        }
    };
    std::process::exit(code)
}

/// The environment of this process; what is set to nothing or is not text counts as not set.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The token, if it can be handed out at once and its use today is noted already.
fn fresh(asked: Asked) -> Option<FreshToken> {
    let path = config::locate(asked.config.as_deref(), &environment).ok()?;
    let config = Config::load(&path).ok()?;
    let store = FileStore::configured(&config.store, &environment, Clock::system()).ok()?;
    // Not given back piece by piece: this process is about to end.
    let document = ManuallyDrop::new(store.snapshot().ok()?);
    let ask = Ask {
        target: asked.target,
        user: asked.user,
        thread: asked.place.thread,
        parent: asked.place.parent,
        want: asked.want,
        wait: false,
    };
    // The bot may know which channel the thread hangs from, which is to be asked; and that nobody knows it is to be said.
    let knows_a_bot = config.tokens.is_some() || environment("LATCHKEY_SOCKET").is_some();
    if knows_a_bot && ask.hangs_on_the_channel(&document, &config.providers).ok()?
        || ask.misses_the_channel(&document, &config.providers).ok()?
    {
        return None;
    }
    let tenant = ask.tenant(&document, &config.providers).ok()?;
    let token =
        fresh_now(&document, &config.providers, &tenant, &ask.want, Clock::system().now()).ok()?.ok()?;
    // The first use of a day is written down, which is the other program's work.
    (!token.unnoted).then_some(token)
}

/// Becomes `latchkey token`, the program beside this one.
fn hand_over(arguments: &[OsString]) -> ! {
    let beside = std::env::current_exe().map(|own| own.with_file_name("latchkey"));
    let error = match beside {
        Ok(beside) => {
            let error = Command::new(&beside).arg("token").args(arguments).exec();
            format!("cannot start {}: {error}; install it beside this program", beside.display())
        }
        Err(error) => format!("cannot tell where this program is: {error}"),
    };
    drop(writeln!(std::io::stderr(), "latchkey-token: {error}"));
    std::process::exit(1)
}
