//! How everything stands, for all who watch.
//!
//! Owns one picture of tenants and logins, renewed when the store changes and when time alone changes something. Invariant: it is
//! made once for all watchers, and what they get is never older than what they had. Must not: be made while nobody watches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::broker::{Broker, LoginView, Overview, TenantView};
use crate::clock::UnixSeconds;
use crate::provider::Provider;
use crate::store::{Document, StoreError};
use crate::tenant::TenantKey;

/// The longest that a picture is believed without a look: a clock may jump.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How tenants and logins stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub tenants: BTreeMap<TenantKey, TenantView>,
    /// By tenant, and who signs in.
    pub logins: BTreeMap<(TenantKey, String), LoginView>,
}

impl Standing {
    fn of(overview: Overview) -> Self {
        let key = |name: &str| name.parse::<TenantKey>().ok();
        let tenants = overview.tenants.into_iter().filter_map(|view| Some((key(&view.tenant)?, view)));
        let logins = overview.logins.into_iter();
        Self {
            tenants: tenants.collect(),
            logins: logins.filter_map(|view| Some(((key(&view.tenant)?, view.user.clone()), view))).collect(),
        }
    }

    /// When time alone changes something next.
    fn changes_at(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        let tenants = self.tenants.values().flat_map(|view| [view.expires_at, view.retry_at]).flatten();
        let logins = self.logins.values().map(|view| view.expires_at);
        tenants.chain(logins).filter(|at| *at > now).min()
    }
}

/// The picture, and those who watch it.
pub(super) struct Standings {
    broker: Broker,
    shown: watch::Sender<Arc<Standing>>,
    /// Of which document and moment the picture is. Locked while it is renewed, never across a wait, so that an older one
    /// never comes after a newer.
    made_of: Mutex<Option<(Arc<Document>, UnixSeconds)>>,
    somebody_came: Notify,
}

impl Standings {
    pub fn new(broker: Broker) -> Self {
        Self {
            broker,
            shown: watch::Sender::new(Arc::default()),
            made_of: Mutex::default(),
            somebody_came: Notify::new(),
        }
    }

    /// The picture as it is now, and the way to hear of newer ones.
    pub fn watch(&self) -> Result<(Arc<Standing>, watch::Receiver<Arc<Standing>>), StoreError> {
        let mut receiver = self.shown.subscribe();
        self.renew()?;
        self.somebody_came.notify_one();
        let standing = Arc::clone(&receiver.borrow_and_update());
        Ok((standing, receiver))
    }

    /// Renews the picture whenever there may be news, as long as somebody watches; returns when that changed.
    pub async fn wait_for_news(&self) {
        if self.shown.receiver_count() == 0 {
            return self.somebody_came.notified().await;
        }
        let mut changes = self.broker.store().changes();
        changes.borrow_and_update();
        // What cannot be read now is not told; watchers keep what they know.
        drop(self.renew());
        let now = self.broker.clock().now();
        let at = self.shown.borrow().changes_at(now);
        let rest = at.and_then(|at| u64::try_from(at - now).ok()).map_or(LOOK_EVERY, Duration::from_secs);
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
            () = tokio::time::sleep(rest.min(LOOK_EVERY)) => {}
        }
        drop(self.renew());
    }

    fn renew(&self) -> Result<(), StoreError> {
        let mut made_of = self.made_of.lock().unwrap_or_else(PoisonError::into_inner);
        let (document, now) = (self.broker.store().snapshot()?, self.broker.clock().now());
        if made_of.as_ref().is_some_and(|(of, at)| Arc::ptr_eq(of, &document) && *at == now) {
            return Ok(());
        }
        let known = |provider: &Provider| self.broker.directory().known(provider);
        let overview = Overview::of(&document, &self.broker.catalog(), &known, &|_| true, now);
        let standing = Standing::of(overview);
        self.shown.send_if_modified(|shown| {
            let is_news = **shown != standing;
            if is_news {
                *shown = Arc::new(standing);
            }
            is_news
        });
        *made_of = Some((document, now));
        Ok(())
    }
}
