//! The login machine against the scripted authorization server: what the tests below share.

mod confirming;
mod device;
mod ending;
mod finishing;
mod hostile;
mod pasting;
mod registering;
mod resuming;
mod starting;
mod storing;

use std::time::Duration;

use latchkey_test_authority::{Authority, CLIENT, Canned, Endpoint, Fault, Person, Revocation};
use tokio::task::JoinSet;

use super::*;
use crate::broker::Broker;
use crate::pending::{LoginKind, Watcher};
use crate::secret::Secret;
use crate::tenant::{ThreadId, User};
use crate::testing::{Host, key};

const LONG: Duration = Duration::from_secs(30);

impl Host {
    /// A login machine of its own: what another process has.
    pub(super) fn logins(&self) -> Logins {
        let (store, client): (Arc<dyn Store>, _) = (self.store(), oauth::Client::new());
        let directory = Directory::new(Arc::clone(&store), client.clone(), self.clock.clone());
        let mut logins = Logins::new(
            store,
            self.catalog.clone(),
            directory,
            client,
            self.clock.clone(),
            crate::config::Limits::default(),
        );
        Arc::get_mut(&mut logins.0).unwrap().pauses = [Duration::from_millis(1); 2];
        logins
    }

    /// The front door of a process of its own.
    fn front(&self) -> Broker {
        Broker::new(
            self.store(),
            self.catalog.clone(),
            oauth::Client::new(),
            self.clock.clone(),
            crate::config::Limits { starts_per_minute: 50, ..Default::default() },
        )
    }

    /// The tokens whose end is owed to the provider.
    fn owed(&self) -> Vec<String> {
        self.store().snapshot().unwrap().owed().map(|owed| owed.token.expose().to_owned()).collect()
    }

    fn login(&self, id: &str) -> Option<PendingLogin> {
        self.store().snapshot().unwrap().login_by_id(&id.to_owned()).map(|login| (*login).clone())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }

    fn held(&self, tenant: &str) -> Option<crate::credential::Credential> {
        self.stored(&key(tenant))
    }

    async fn paste_login(&self, logins: &Logins, user: &str) -> PendingLogin {
        logins.start(request(user, LoginKind::Paste)).await.unwrap().login
    }

    async fn answer(&self, login: &PendingLogin, person: &Person) -> String {
        self.authority.sign_in(login.authorize_url.as_ref().unwrap().expose(), person).await
    }
}

fn user(text: &str) -> User {
    text.parse().unwrap()
}

fn thread(text: &str) -> ThreadId {
    text.parse().unwrap()
}

fn request(user: &str, kind: LoginKind) -> StartRequest {
    StartRequest {
        user: user.parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        kind: Some(kind),
        watcher: Some(Watcher {
            thread: thread("7"),
            interaction: Some(Secret::new(format!("interaction-of-{user}"))),
        }),
        bind: Some(thread("7")),
        by_admin: false,
        locale: None,
        redirect_uri: None,
    }
}
