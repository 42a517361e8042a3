//! `latchkey exec`: a command with a fresh token in its environment.

use std::path::Path;

use crate::exit::{Code, Exit};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A tenant (provider[/profile][@user]), or a provider's name or alias
    #[arg(value_name = "TENANT OR PROVIDER")]
    target: String,
    /// The variable that gets the token; several times for several
    #[arg(long, value_name = "NAME", required = true)]
    env: Vec<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let _ = (config, arguments);
    Err(Exit::new(Code::Internal, "not there yet"))
}
