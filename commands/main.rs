//! The program: reads the command line and calls one file per command.
//!
//! Owns the command line's shape, the log filter and the exit codes. Must not: do any command's work.

mod cli;

use clap::Parser;

fn main() -> std::process::ExitCode {
    cli::Cli::parse().run()
}
