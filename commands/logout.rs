//! `latchkey logout`: log a tenant out.

use std::path::Path;

use crate::exit::{Code, Exit};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The tenant
    #[arg(value_name = "TENANT")]
    target: String,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let _ = (config, arguments);
    Err(Exit::new(Code::Internal, "not there yet"))
}
