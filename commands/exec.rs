//! `latchkey exec`: a command with a fresh token in its environment.
//!
//! Owns what the command inherits. Invariants: this process becomes the command, so that signals, the exit code, the working
//! directory and the standard streams are its own, and no refresh of ours is under way by then (G29); of the bot's own secrets it
//! gets what `--env` names and nothing else. Must not: print, or start the command without a token.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::exit::{Code, Exit};
use crate::setup;
use crate::token::{Keeping, Wanted, obtain};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey exec codex --env OPENAI_API_KEY -- codex exec 'tidy up'
  latchkey exec claude --thread 1234 --env ANTHROPIC_AUTH_TOKEN -- claude -p 'tidy up'
  latchkey exec github --env GH_TOKEN --env GITHUB_TOKEN -- gh pr list

The value is the one at the start: it is not renewed while the command runs. --min-valid says
how long it must still last. A program that runs longer should ask for a token whenever it needs
one, with `latchkey token`.

The command takes this process's place: signals, standard streams and the exit code are its own.
Until it starts, the exit codes are those of `latchkey token`; 2 says that it could not be
started, too. It does not inherit DISCORD_TOKEN, the variables that the configuration names for
client secrets, keys and tokens, nor LATCHKEY_SOCKET_BEARER_FILE, unless --env names one of
them.")]
pub struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
    /// The variable that gets the token; several times for several
    #[arg(long, value_name = "NAME", required = true, value_parser = variable)]
    env: Vec<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", index = 2)]
    command: Vec<OsString>,
}

/// The name of an environment variable, as POSIX has them, in either case.
fn variable(text: &str) -> Result<String, String> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(text.to_owned());
    }
    Err("write the name of a variable alone, of letters, digits and _, as in --env OPENAI_API_KEY".to_owned())
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let [program, rest @ ..] = arguments.command.as_slice() else {
        return Err(Exit::new(Code::Usage, "name the command behind --"));
    };
    let wanted = &arguments.wanted;
    let obtained = obtain(config, &wanted.ask(None)?, wanted.timeout, Keeping::Long)?;
    // Now or never: nothing of ours comes after the command.
    obtained.note_use();
    let mut command = Command::new(program);
    command.args(rest);
    setup::keep_secrets_from(&mut command, obtained.config());
    for name in &arguments.env {
        command.env(name, obtained.token.access_token.expose());
    }
    let error = command.exec();
    Err(Exit::new(Code::Usage, not_started(program, &error)))
}

/// Why the command was not started, with what to do.
fn not_started(program: &OsString, error: &std::io::Error) -> String {
    let shown = program.display();
    match error.kind() {
        ErrorKind::NotFound => {
            format!(
                "cannot start {shown}: there is no such command; check its name, PATH, and the first line of a script"
            )
        }
        ErrorKind::PermissionDenied => {
            format!(
                "cannot start {shown}: it is not executable; see `ls -l`, and `chmod +x` for a script of yours"
            )
        }
        ErrorKind::ArgumentListTooLong => {
            format!(
                "cannot start {shown}: its arguments and environment are too long; shorten them, or pass a file"
            )
        }
        _ => format!("cannot start {shown}: {error}; check that it is a program for this machine"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn read(arguments: &[&str]) -> Result<Vec<String>, clap::error::ErrorKind> {
        let line = Line::try_parse_from(["exec"].iter().chain(arguments));
        line.map(|line| line.arguments.env).map_err(|error| error.kind())
    }

    /// What names no variable, and a command that is not behind `--`, is a matter of usage.
    #[test]
    fn only_names_of_variables_are_taken_and_only_a_command_behind_dashes() {
        use clap::error::ErrorKind;

        let names = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for (arguments, expected) in [
            (&["acme", "--env", "A_1", "--", "true"][..], names(&["A_1"])),
            (&["acme", "--env", "A", "--env=_b", "--", "true", "--env", "C"], names(&["A", "_b"])),
            (&["acme", "--env", "A=1", "--", "true"], Err(ErrorKind::ValueValidation)),
            (&["acme", "--env", "1A", "--", "true"], Err(ErrorKind::ValueValidation)),
            (&["acme", "--env", "A-B", "--", "true"], Err(ErrorKind::ValueValidation)),
            (&["acme", "--env", "", "--", "true"], Err(ErrorKind::ValueValidation)),
            (&["acme", "--env", "Ä", "--", "true"], Err(ErrorKind::ValueValidation)),
            (&["acme", "--", "true"], Err(ErrorKind::MissingRequiredArgument)),
            (&["acme", "--env", "A"], Err(ErrorKind::MissingRequiredArgument)),
            (&["acme", "--env", "A", "true"], Err(ErrorKind::UnknownArgument)),
        ] {
            assert_eq!(read(arguments), expected, "{arguments:?}");
        }
    }
}
