//! `latchkey run`: the bot.

use std::path::Path;

use crate::exit::Exit;
use crate::{log, setup};

pub fn run(config: Option<&Path>) -> Result<(), Exit> {
    log::start(log::BOT);
    let _loaded = setup::load(config)?;
    Ok(())
}
