//! What unit tests of the gate, the logins, the workers and the front door stand on: one host.
//!
//! Owns [`Host`]: a folder with an auth file, a clock that can jump, and an authorization server behind the provider `acme`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use latchkey_test_authority::{Authority, CLIENT, Interval, Person, REDIRECT, TokenSet};

use crate::clock::Clock;
use crate::config::Config;
use crate::credential::{Account, Credential, CredentialKind};
use crate::provider::Catalog;
use crate::secret::Secret;
use crate::store::file::FileStore;
use crate::store::{Store, Touches, update};
use crate::tenant::{TenantKey, User};

pub(crate) struct Host {
    pub authority: Authority,
    pub path: PathBuf,
    pub clock: Clock,
    pub catalog: Catalog,
    _temp: tempfile::TempDir,
}

pub(crate) fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

/// The provider `acme` at `authority`, with these lines more in its table, or tables behind it.
pub(crate) fn catalog(authority: &Authority, more: &str) -> Catalog {
    let text = format!(
        "[providers.acme]\nissuer = {:?}\ntoken_endpoint = {:?}\nrevocation_endpoint = {:?}\n\
         device_authorization_endpoint = {:?}\nauthorization_endpoint = {:?}\nclient_id = {CLIENT:?}\n\
         redirect_uri = {REDIRECT:?}\nflows = [\"device\", \"paste\"]\nscopes = [\"openid\", \"offline_access\"]\n{more}",
        authority.issuer(),
        authority.token_endpoint(),
        authority.revocation_endpoint(),
        authority.device_authorization_endpoint(),
        authority.authorization_endpoint(),
    );
    Config::parse(&text, Path::new("latchkey.toml"), &|_| None).expect("the test's configuration").providers
}

impl Host {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With these lines more in the provider's table.
    pub fn with(more: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let authority = Authority::start();
        authority.set(|settings| {
            settings.interval = Interval::Number(3);
            settings.enforced_interval = Duration::ZERO;
        });
        let catalog = catalog(&authority, more);
        let clock = Clock::starting_at(Clock::system().now());
        let path = temp.path().join("auth.json");
        Self { authority, path, clock, catalog, _temp: temp }
    }

    /// A store of its own on the same file: what another process has.
    pub fn store(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(&self.path, false, self.clock.clone()).unwrap())
    }

    /// A sign-in of `person` whose access token serves for an hour.
    pub async fn serving(&self, tenant: &TenantKey, person: &Person) -> TokenSet {
        let tokens = self.authority.mint(person, CLIENT, &["openid", "offline_access"]);
        self.put(tenant, self.credential(&tokens, person)).await;
        tokens
    }

    /// A sign-in of `person` whose access token has ended.
    pub async fn expired(&self, tenant: &TenantKey, person: &Person) -> TokenSet {
        let tokens = self.authority.mint_expired(person, CLIENT, &["openid", "offline_access"]);
        let mut credential = self.credential(&tokens, person);
        credential.expires_at = Some(self.clock.now() - 1);
        self.put(tenant, credential).await;
        tokens
    }

    pub fn credential(&self, tokens: &TokenSet, person: &Person) -> Credential {
        let (now, provider) = (self.clock.now(), key("acme").provider);
        let mut credential =
            Credential::new(CredentialKind::OAuth, provider, Secret::new(&*tokens.access), now);
        credential.refresh_token = Some(Secret::new(&*tokens.refresh));
        credential.expires_at = Some(now + 3_600);
        credential.client_id = Some(CLIENT.to_owned());
        credential.account = Account::new(Some(&person.sub), Some(&person.email));
        credential.owner = Some(User::Local(1));
        credential
    }

    pub async fn put(&self, tenant: &TenantKey, credential: Credential) {
        let (key, store) = (tenant.clone(), self.store());
        let put = update(&*store, Touches::tenant(tenant), move |view| {
            view.put_tenant(&key, credential);
            Ok::<_, ()>(())
        });
        put.await.unwrap().unwrap();
    }

    pub fn stored(&self, tenant: &TenantKey) -> Option<Credential> {
        self.store().snapshot().unwrap().tenant(tenant).unwrap().map(|held| (*held).clone())
    }
}
