//! `latchkey health`: how the running bot is, for health checks.

use std::path::Path;

use crate::exit::{Code, Exit};

#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub fn run(_config: Option<&Path>, _arguments: &Arguments) -> Result<(), Exit> {
    Err(Exit::new(Code::Internal, "not there yet"))
}
