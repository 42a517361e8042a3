//! `[access]` as it is in force.
//!
//! Owns its replacement by a reload. Invariant: who decides by what [`Rules::now`] gives decides by one configuration. Must
//! not: judge anybody; that is `access`.

use std::sync::Arc;

use arc_swap::ArcSwap;
use latchkey::config::Access;

/// Who may do what now. Cheap to clone, and every clone sees a reload.
#[derive(Clone)]
pub struct Rules(Arc<ArcSwap<Access>>);

impl Rules {
    pub fn new(access: Access) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(access)))
    }

    /// The rules of this moment.
    pub fn now(&self) -> Arc<Access> {
        self.0.load_full()
    }

    /// Goes by `access` from here on.
    pub fn replace(&self, access: Access) {
        self.0.store(Arc::new(access));
    }
}
