//! The gate against a strict authorization server: in one process here; across processes in `tests/`.

mod callers;
mod clock;
mod faulty;
mod keeping;
mod outcomes;
mod registered;
mod unknown;

use latchkey_test_authority::{
    Authority, CLIENT, Canned, Endpoint, Fault, Person, Reuse, ReuseError, Rotation, Settings,
};
use tokio::task::JoinSet;

use self::faulty::{Faulty, Overtaking};
use super::*;
use crate::credential::Intent;
use crate::secret::Secret;
use crate::store::file::FileStore;
use crate::store::{
    Document, Holder, KernelLock, Mutation, Rescue, StoreError, StoreFuture, Touches, update,
};
use crate::tenant::User;
use crate::testing::{Host, catalog, key};

const LONG: Duration = Duration::from_secs(20);

impl Host {
    /// A gate of its own: what another process has.
    fn gate(&self) -> Gate {
        self.gate_over(self.store())
    }

    fn gate_over(&self, store: Arc<dyn Store>) -> Gate {
        let client = oauth::Client::new();
        let directory = Directory::new(Arc::clone(&store), client.clone(), self.clock.clone());
        Gate::new(store, self.catalog.clone(), directory, client, self.clock.clone())
    }
}

fn rejected(token: &str) -> Want {
    Want { rejected: Some(Secret::new(token).hash()), ..Want::default() }
}

fn class(landing: &Landing) -> Class {
    landing.as_ref().expect_err("it should have been refused").class()
}
