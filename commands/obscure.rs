//! `latchkey obscure`: a client secret as text that scanners and onlookers do not recognise (T14).
//!
//! Owns the way in and out. Invariants: the secret comes by standard input and never as an argument, where every process on
//! the host could read it; the result is called what it is, which is no encryption. Must not: read or write the configuration.

use std::io::{IsTerminal, Read};

use latchkey::secret::Secret;
use latchkey::secret::obscured::{client_secret, obscure, reveal};

use crate::exit::{Code, Exit};
use crate::{log, terminal};

/// The most bytes that are read.
const CAP: u64 = 64 * 1024;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  printf %s \"$SECRET\" | latchkey obscure
  latchkey obscure < secret.txt
  latchkey obscure --reveal < obscured.txt

Write what it prints as client_secret_obscured in a provider's table. The text is rclone's: `rclone obscure` and \
`rclone reveal` write and read the same.

This is no encryption. The key is published, in rclone and here: whoever has the text has the secret. It keeps a secret \
from scanners that search repositories for known shapes, and from whoever looks over your shoulder, and from nobody \
else. Where a secret must stay one, use client_secret_env or client_secret_file.")]
pub struct Arguments {
    /// Print what an obscured text hides
    #[arg(long)]
    reveal: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    let text = given(arguments.reveal)?;
    let printed = if arguments.reveal {
        reveal(text.expose()).map_err(|error| Exit::new(Code::Usage, error))?
    } else {
        log::say(
            "this hides the secret from scanners and onlookers; it is no encryption: whoever has the text has the secret",
        );
        let secret = client_secret(text.expose()).map_err(|error| Exit::new(Code::Usage, error))?;
        Secret::new(obscure(&secret))
    };
    // As it is: a secret may end in blanks.
    terminal::print_raw(&format!("{}\n", printed.expose())).map(drop)
}

/// What stands on standard input, without its line end.
fn given(revealing: bool) -> Result<Secret, Exit> {
    let input = std::io::stdin();
    if input.is_terminal() && !revealing {
        let remedy = "pipe it instead, such as: printf %s \"$SECRET\" | latchkey obscure";
        return Err(Exit::new(Code::Usage, format!("on a terminal the secret would be seen: {remedy}")));
    }
    let mut text = String::new();
    let read = input.lock().take(CAP + 1).read_to_string(&mut text);
    let text = Secret::new(text);
    read.map_err(|error| Exit::new(Code::Usage, format!("cannot read standard input: {error}")))?;
    if u64::try_from(text.expose().len()).unwrap_or(u64::MAX) > CAP {
        return Err(Exit::new(
            Code::Usage,
            format!("standard input holds more than {CAP} bytes: that is no secret"),
        ));
    }
    let line = text.expose();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Exit::new(Code::Usage, "standard input is empty: pipe the text in"));
    }
    if line.chars().any(char::is_control) {
        return Err(Exit::new(
            Code::Usage,
            "standard input holds several lines or control characters: pipe one line in",
        ));
    }
    Ok(Secret::new(line))
}
