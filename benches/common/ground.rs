//! A folder on a real disk, with a configuration and an auth file of so many tenants.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use latchkey::broker::Broker;
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::credential::{Account, Credential, CredentialKind};
use latchkey::oauth;
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Touches, update};
use latchkey::tenant::TenantKey;
use tokio::runtime::Runtime;

/// Characters of an access token and of a refresh token: with the rest of an entry about 1.5 KB, as vendors' are.
const LENGTHS: (usize, usize) = (900, 200);

pub struct Ground {
    pub config: PathBuf,
    pub auth: PathBuf,
    folder: tempfile::TempDir,
}

pub fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

/// A runtime as small as the program's own.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The names of `tenants` tenants: `acme`, `acme/t1`, `acme/t2` …
pub fn names(tenants: usize) -> impl Iterator<Item = TenantKey> {
    (0..tenants).map(|at| if at == 0 { key("acme") } else { key(&format!("acme/t{at}")) })
}

/// Text that looks like a token.
fn token(length: usize, salt: usize) -> String {
    let mut text = String::with_capacity(length + 64);
    let mut at = 0;
    while text.len() < length {
        let hash = Secret::new(format!("{salt}/{length}/{at}")).hash();
        write!(text, "{hash}").unwrap();
        at += 1;
    }
    text.truncate(length);
    text
}

impl Ground {
    /// With `tenants` tenants whose tokens serve for a day, of a provider that nobody will ask.
    pub fn new(tenants: usize) -> Self {
        Self::at(tenants, "https://id.acme.example/token")
    }

    /// The same, with the provider's token endpoint.
    pub fn at(tenants: usize, token_endpoint: &str) -> Self {
        // In the target folder: a temporary folder is often in memory, where nothing needs to be written.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (config, auth) = (folder.path().join("latchkey.toml"), folder.path().join("data/auth.json"));
        let text = format!(
            "[discord]\nguild = \"81384788765712384\"\n[store]\npath = {:?}\n[providers.codex]\nshare = \"guild\"\n\
             [providers.acme]\ntoken_endpoint = {token_endpoint:?}\n\
             device_authorization_endpoint = \"https://id.acme.example/device\"\nclient_id = {:?}\n\
             scopes = [\"openid\", \"offline_access\"]\nshare = \"guild\"\n",
            auth.to_string_lossy(),
            latchkey_test_authority::CLIENT,
        );
        std::fs::write(&config, text).unwrap();
        let ground = Self { config, auth, folder };
        runtime().block_on(ground.fill(tenants));
        ground
    }

    async fn fill(&self, tenants: usize) {
        let now = Clock::system().now();
        let mut touches = Touches::nothing();
        for tenant in names(tenants) {
            touches = touches.and_tenant(&tenant);
        }
        let store = self.store();
        let filled = update(&*store, touches, move |view| {
            for (at, tenant) in names(tenants).enumerate() {
                let access = Secret::new(token(LENGTHS.0, at));
                let mut credential =
                    Credential::new(CredentialKind::OAuth, tenant.provider.clone(), access, now);
                credential.refresh_token = Some(Secret::new(token(LENGTHS.1, at)));
                credential.expires_at = Some(now + 86_400);
                credential.scopes = vec!["openid".to_owned(), "offline_access".to_owned()];
                credential.account = Account::new(Some(&format!("account-{at}")), None);
                credential.last_used_at = Some(now - now.rem_euclid(86_400));
                view.put_tenant(&tenant, credential);
            }
            Ok::<_, ()>(())
        });
        filled.await.unwrap().unwrap();
    }

    pub fn store(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(&self.auth, false, Clock::system()).unwrap())
    }

    pub fn broker(&self) -> Broker {
        self.broker_over(self.store())
    }

    pub fn broker_over(&self, store: Arc<FileStore>) -> Broker {
        let config = Config::load(&self.config).unwrap();
        Broker::new(store, config.providers, oauth::Client::new(), Clock::system(), 50)
    }

    /// The bytes of the auth file.
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.auth).unwrap()
    }

    /// A file of one's own in the same folder.
    pub fn beside(&self) -> PathBuf {
        self.folder().join("peer")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
