//! `latchkey completions`: what a shell completes.
//!
//! Owns the scripts that are printed and the answers to them. A script calls this program with [`VARIABLE`] set to the shell's name and
//! the words that stand on the line. Invariants: completing makes no request, takes no lock, writes nothing and says nothing: what cannot be read
//! completes nothing. Must not: run unless the variable names one of these shells.

mod bash;
mod names;

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap_complete::CompleteEnv;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use self::bash::Bash;
use crate::exit::{Code, Exit};
use crate::terminal;

/// Set by the scripts alone.
const VARIABLE: &str = "LATCHKEY_COMPLETE";
const PROGRAM: &str = "latchkey";
const SHELLS: [&dyn EnvCompleter; 5] = [&Bash, &Elvish, &Fish, &Powershell, &Zsh];

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey completions bash

To have it for good, write into the shell's own file, and open a new shell:
  bash        ~/.bashrc                    source <(latchkey completions bash)
  zsh         ~/.zshrc, after compinit     source <(latchkey completions zsh)
  fish        ~/.config/fish/config.fish   latchkey completions fish | source
  elvish      ~/.config/elvish/rc.elv      eval (latchkey completions elvish | slurp)
  powershell  $PROFILE                     latchkey completions powershell | Out-String | iex

Commands and options are completed, and the tenants, providers, threads and users that the configuration and the auth \
file know of. That reads both and asks nobody; where they cannot be read, nothing is offered.")]
pub struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shell(usize);

impl clap::ValueEnum for Shell {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(0), Self(1), Self(2), Self(3), Self(4)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        SHELLS.get(self.0).map(|shell| PossibleValue::new(shell.name()))
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    let mut script = Vec::new();
    SHELLS[arguments.shell.0]
        .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
        .map_err(|error| Exit::new(Code::Internal, error))?;
    terminal::print(&String::from_utf8_lossy(&script))
}

/// Answers a script that called us, and ends; does nothing for anybody else.
pub fn answer(command: fn() -> clap::Command) {
    if std::env::var_os(VARIABLE).is_some_and(|value| SHELLS.iter().any(|shell| value == shell.name())) {
        let words: Vec<_> = std::env::args_os().collect();
        let here: Option<PathBuf> = std::env::current_dir().ok();
        let factory = || completed(command());
        let completing = CompleteEnv::with_factory(factory).var(VARIABLE).shells(Shells(&SHELLS));
        // Nobody reads an error in the middle of a line that they type.
        if !matches!(completing.try_complete(words, here.as_deref()), Ok(false)) {
            std::process::exit(0);
        }
    }
}

/// What a word can be.
type Candidates = fn(&std::ffi::OsStr) -> Vec<clap_complete::CompletionCandidate>;

/// Which argument of which command takes which names.
const TAKES: [(&str, &str, Candidates); 13] = [
    ("token", "target", names::tenants_and_providers),
    ("token", "thread", names::threads),
    ("token", "parent", names::threads),
    ("token", "user", names::users),
    ("exec", "target", names::tenants_and_providers),
    ("exec", "thread", names::threads),
    ("exec", "parent", names::threads),
    ("exec", "user", names::users),
    ("login", "target", names::tenants_and_open_providers),
    ("login", "thread", names::threads),
    ("logout", "target", names::tenants),
    ("status", "tenants", names::tenants_and_providers),
    ("import", "user", names::users),
];

/// `command`, with the names that its arguments take.
fn completed(mut command: clap::Command) -> clap::Command {
    for (name, argument, candidates) in TAKES {
        // What is not there completes nothing: a shell must not see a panic.
        if has(&command, name, argument) {
            command = command.mut_subcommand(name, |found| {
                found.mut_arg(argument, |known| known.add(ArgValueCompleter::new(candidates)))
            });
        }
    }
    command
}

fn has(command: &clap::Command, name: &str, argument: &str) -> bool {
    let mut arguments = command.find_subcommand(name).into_iter().flat_map(clap::Command::get_arguments);
    arguments.any(|known| known.get_id().as_str() == argument)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Whoever renames an argument hears of it here, and not from somebody whose shell has gone silent.
    #[test]
    fn each_argument_with_names_is_there() {
        let command = crate::Cli::command();
        for (name, argument, _) in TAKES {
            assert!(has(&command, name, argument), "latchkey {name}: {argument}");
        }
    }

    /// clap's own judgement of what is completed, which a release does not ask for.
    #[test]
    fn what_is_completed_is_sound() {
        completed(crate::Cli::command()).debug_assert();
    }
}
