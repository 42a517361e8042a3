//! `latchkey completions`: what a shell completes.

use crate::exit::{Code, Exit};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: String,
}

pub fn run(arguments: &Arguments) -> Result<(), Exit> {
    let _ = arguments;
    Err(Exit::new(Code::Internal, "not there yet"))
}
