//! The keys in force: what seals and opens in this process.
//!
//! Owns them, and their exchange for those that stand in their file by now. Invariant: they are exchanged only where those in force
//! do not open what is stored and the others do, so that another process may seal with a new key while this one runs.
//! Must not: open or seal.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::store::seal::{Keys, KeysError, Seal};

/// The keys of a store, and where they came from.
#[derive(Debug)]
pub(super) struct Keyring {
    /// Held for the moment of a copy or an exchange.
    seal: Mutex<Seal>,
    /// Their file; none where there is nothing to be read again.
    file: Option<PathBuf>,
}

impl Keyring {
    pub(super) fn new(seal: Seal, file: Option<PathBuf>) -> Self {
        Self { seal: Mutex::new(seal), file }
    }

    /// What seals and opens now.
    pub(super) fn seal(&self) -> Seal {
        self.seal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What would, with the keys that stand in the file by now; none where there is no file.
    pub(super) fn read_again(&self) -> Result<Option<Seal>, KeysError> {
        self.file.as_deref().map(|file| Keys::in_file(file).map(Seal::from)).transpose()
    }

    /// Puts `seal` in force.
    pub(super) fn exchange(&self, seal: Seal) {
        tracing::info!(keys = %seal.ids().join(", "), "the keys that seal the store were read again");
        *self.seal.lock().unwrap_or_else(PoisonError::into_inner) = seal;
    }
}
