//! The program: reads the command line and calls one file per command.
//!
//! Owns the shape of the command line. Must not: do any command's work, or start a runtime for commands that need none
//! (`latchkey token` answers in about a millisecond).

mod auth;
mod check;
mod completions;
mod discord;
mod exec;
mod exit;
mod export;
mod flight;
mod git;
mod health;
mod here;
mod import;
mod log;
mod login;
mod logout;
mod obscure;
mod ops;
mod pages;
mod passphrase;
mod printed;
mod providers;
mod restore;
mod run;
mod seal;
mod setup;
mod status;
mod terminal;
mod token;
mod view;
mod words;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::exit::{Code, Exit};

/// Latchkey signs people in from Discord, and gives every agent on this host a fresh access token, with one refresh per
/// account.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Examples:
  latchkey providers            what there is to sign in to
  latchkey check                is everything as it should be?
  latchkey                      the bot
  latchkey token codex          a fresh access token
  latchkey help token           all about a command

Exit codes: 0 done, 1 internal error, 2 usage, configuration or unknown tenant, \
3 needs sign-in, 4 transient (try again), 5 denied, or the account has no access, 6 store unusable.

LATCHKEY_LOG sets what is logged to standard error (error, warn, info, debug, trace), and LATCHKEY_LOG_FORMAT=json \
has each line be a JSON object. Secrets are never logged."
)]
struct Cli {
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "The configuration file [default: $LATCHKEY_CONFIG, ./latchkey.toml, /etc/latchkey/latchkey.toml]"
    )]
    config: Option<PathBuf>,
    /// Say nothing but errors and what was asked for
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bot (also what `latchkey` does alone)
    #[command(after_help = "Examples:
  latchkey run
  latchkey --config /etc/latchkey/latchkey.toml run
  LATCHKEY_LOG=debug latchkey run

It needs a [discord] table in the configuration, and the bot's token in DISCORD_TOKEN or in the file named as token_file. \
Ctrl-C or SIGTERM ends it once what is under way is finished and stored; a new one waits for that. SIGHUP has it read its \
configuration anew: see docs/operations.md.")]
    Run,
    /// Read configuration, store, locks and providers; say what is wrong, where, and the remedy
    Check(check::Arguments),
    /// Print a fresh access token, with or without a running bot
    Token(token::Arguments),
    /// Run a command with a fresh access token in its environment: the one at its start
    Exec(exec::Arguments),
    /// Sign in here, from this terminal
    Login(login::Arguments),
    /// Log out: revoke at the provider, and remove
    Logout(logout::Arguments),
    /// Show where every tenant stands
    Status(status::Arguments),
    /// List what there is to sign in to, what each provider needs, and the lines to write for it
    Providers(providers::Arguments),
    /// Hide a client secret from scanners and onlookers, as rclone does; this is no encryption
    Obscure(obscure::Arguments),
    /// Take over the sign-ins that another program keeps in a file
    Import(import::Arguments),
    /// Make a key that seals what is secret in the store, seal it with another, or open it
    Seal(seal::Arguments),
    /// Write all that is stored into one encrypted file
    Export(export::Arguments),
    /// Bring back what such a file holds
    Restore(restore::Arguments),
    /// Ask the running bot how it is, for health checks
    Health(health::Arguments),
    /// Print a script that has your shell complete commands, options and tenants
    Completions(completions::Arguments),
    /// A refresh on behalf of `latchkey token`, in a session of its own
    #[command(hide = true)]
    Flight(flight::Arguments),
}

fn main() -> ExitCode {
    let _faults = latchkey::fault::from_environment();
    completions::answer(Cli::command);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return tell(&told),
    };
    terminal::set_quiet(cli.quiet);
    let config = cli.config.as_deref();
    let result = match cli.command.unwrap_or(Command::Run) {
        Command::Run => return bot_end(run::run(config)),
        Command::Check(arguments) => check::run(config, &arguments),
        Command::Token(arguments) => token::run(config, &arguments),
        Command::Exec(arguments) => exec::run(config, &arguments),
        Command::Login(arguments) => login::run(config, &arguments),
        Command::Logout(arguments) => logout::run(config, &arguments),
        Command::Status(arguments) => status::run(config, &arguments),
        Command::Providers(arguments) => providers::run(config, &arguments),
        Command::Obscure(arguments) => obscure::run(&arguments),
        Command::Import(arguments) => import::run(config, &arguments),
        Command::Seal(arguments) => seal::run(config, &arguments),
        Command::Export(arguments) => export::run(config, &arguments),
        Command::Restore(arguments) => restore::run(config, &arguments),
        Command::Health(arguments) => health::run(config, &arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Flight(arguments) => flight::run(config, &arguments),
    };
    end(result)
}

/// Shows the help that was asked for, or what is wrong with the command line.
fn tell(told: &clap::Error) -> ExitCode {
    let written = told.print().and_then(|()| std::io::stdout().flush());
    match written {
        Err(error) if !told.use_stderr() && error.kind() != ErrorKind::BrokenPipe => {
            end(Err(terminal::unwritten(&error)))
        }
        _ => ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(Code::Usage as u8)),
    }
}

/// Why the bot ended is a line of its log, in the form of the others.
fn bot_end(result: Result<(), Exit>) -> ExitCode {
    let Err(Exit { code, message }) = result else { return ExitCode::SUCCESS };
    if let Some(message) = message {
        log::complain(&message);
    }
    ExitCode::from(code as u8)
}

fn end(result: Result<(), Exit>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Exit { code, message }) => {
            if let Some(message) = message {
                // Where standard error is closed there is nobody to tell.
                drop(writeln!(std::io::stderr(), "latchkey: {message}"));
            }
            ExitCode::from(code as u8)
        }
    }
}

#[cfg(test)]
mod tests;
