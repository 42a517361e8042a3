//! Where `latchkey status` knows things from.
//!
//! Owns the choice. Invariant: nothing is spent (G27).

use std::path::Path;
use std::sync::Arc;

use latchkey::broker::Overview;
use latchkey::clock::Clock;
use latchkey::directory;
use latchkey::provider::{Catalog, Provider};
use latchkey::store::Store;
use latchkey::store::file::FileStore;

use crate::exit::Exit;
use crate::setup::{self, Loaded};

/// What tells where things stand.
pub struct Source {
    loaded: Loaded,
    store: Arc<FileStore>,
}

impl Source {
    /// What there is for this user.
    pub fn find(config: Option<&Path>) -> Result<Self, Exit> {
        let loaded = setup::load(config)?;
        let store = setup::open_store(&loaded.config)?;
        Ok(Self { loaded, store })
    }

    /// The providers that are configured, where that is known.
    pub fn catalog(&self) -> Option<&Catalog> {
        Some(&self.loaded.config.providers)
    }

    /// Where everything stands now.
    pub fn overview(&mut self) -> Result<Overview, Exit> {
        let document = self.store.snapshot()?;
        let known = |provider: &Provider| directory::cached(&*self.store, provider);
        Ok(Overview::whole(&document, &self.loaded.config.providers, &known, Clock::system().now()))
    }
}
