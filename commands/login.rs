//! `latchkey login`: sign in from a terminal.

use std::path::Path;

use crate::exit::{Code, Exit};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A tenant (provider[/profile]), or a provider's name or alias
    #[arg(value_name = "TENANT OR PROVIDER")]
    target: String,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let _ = (config, arguments);
    Err(Exit::new(Code::Internal, "not there yet"))
}
