//! The host of a soak: two servers, one configuration, one auth file.
//!
//! Every tenant has a provider and a client id of its own, by which the servers' records tell them apart.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::clock::Clock;
use latchkey::config::{Config, Limits};
use latchkey::credential::{Credential, CredentialKind};
use latchkey::oauth;
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{Authority, Endpoint, Interval, Person, REDIRECT, Reuse, TokenSet};

/// Tenants at the strict server.
pub const STRICT: u32 = 4;
/// Tenants at the lenient one.
pub const LENIENT: u32 = 4;
/// Tenants whose members sign in and out, at the strict one.
pub const LOGINS: u32 = 3;

/// More than a soak ever does: it is about tokens, and not about limits.
const MANY: u32 = 1_000_000;

pub struct World {
    /// Ends a sign-in whose refresh token it sees twice.
    pub strict: Authority,
    /// Counts that, and goes on.
    pub lenient: Authority,
    pub auth: PathBuf,
    config: PathBuf,
    temp: tempfile::TempDir,
}

pub fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

pub fn strict(number: u32) -> String {
    format!("s{number}")
}

pub fn lenient(number: u32) -> String {
    format!("f{number}")
}

pub fn login(number: u32) -> String {
    format!("l{number}")
}

/// Whose account a tenant is.
pub fn person(tenant: &str) -> Person {
    Person::new(tenant, format!("{tenant}@example.test"))
}

fn server(reuse: Reuse) -> Authority {
    let authority = Authority::start();
    authority.set(|settings| {
        settings.any_client = true;
        settings.reuse = reuse;
        settings.access_lifetime = Duration::from_secs(3);
        settings.interval = Interval::Number(3);
        settings.enforced_interval = Duration::ZERO;
    });
    authority
}

impl World {
    pub async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let (config, auth) = (temp.path().join("latchkey.toml"), temp.path().join("data/auth.json"));
        let (calm, rough) = (server(Reuse::Strict), server(Reuse::Lenient));
        let mut text = format!("[store]\npath = {:?}\n", auth.to_string_lossy());
        let tables = (0..STRICT).map(|n| (strict(n), &calm, "strict"));
        let tables = tables.chain((0..LOGINS).map(|n| (login(n), &calm, "strict")));
        // Half of them are taken for strict, and wait for the access token to end before a second try.
        let tables =
            tables.chain((0..LENIENT).map(|n| (lenient(n), &rough, ["lenient", "strict"][n as usize % 2])));
        for (name, server, reuse) in tables {
            write!(
                text,
                "[providers.{name}]\nissuer = {:?}\ntoken_endpoint = {:?}\ndevice_authorization_endpoint = {:?}\n\
                 authorization_endpoint = {:?}\nrevocation_endpoint = {:?}\nclient_id = {name:?}\nreuse = {reuse:?}\n\
                 redirect_uri = {REDIRECT:?}\nflows = [\"device\", \"paste\"]\nshare = \"guild\"\n\
                 scopes = [\"openid\", \"offline_access\"]\n",
                server.issuer(),
                server.token_endpoint(),
                server.device_authorization_endpoint(),
                server.authorization_endpoint(),
                server.revocation_endpoint(),
            )
            .unwrap();
        }
        std::fs::write(&config, text).unwrap();
        let world = Self { strict: calm, lenient: rough, auth, config, temp };
        world.take(Duration::from_millis(30));
        let all = (0..STRICT).map(strict).chain((0..LENIENT).map(lenient));
        for tenant in all {
            world.sign_in(&tenant).await;
        }
        world
    }

    /// How long the servers take for a request.
    pub fn take(&self, time: Duration) {
        for server in [&self.strict, &self.lenient] {
            server.latency(Endpoint::Token, time);
        }
    }

    /// The folder that all of it is in, by which its processes can be told.
    pub fn folder(&self) -> String {
        self.temp.path().to_string_lossy().into_owned()
    }

    /// The server of a tenant.
    pub fn server_of(&self, tenant: &str) -> &Authority {
        if tenant.starts_with('f') { &self.lenient } else { &self.strict }
    }

    /// A store of its own on the file: what another process has.
    pub fn store(&self) -> Arc<FileStore> {
        Arc::new(FileStore::open(&self.auth, false, Clock::system()).unwrap())
    }

    /// A broker over `store`.
    pub fn broker(&self, store: Arc<FileStore>) -> Broker {
        let config = Config::load(&self.config).unwrap();
        Broker::new(
            store,
            config.providers,
            oauth::Client::new(),
            Clock::system(),
            Limits {
                starts_per_minute: MANY,
                guild_starts_per_minute: MANY,
                open_logins: MANY,
                ..Limits::default()
            },
        )
    }

    /// The program, with these arguments.
    pub fn latchkey(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.arg("--config").arg(&self.config).args(arguments).env_remove("FAILPOINTS").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Puts a new sign-in into `tenant`, in the place of what is there; gives its credential id, once that is durable.
    pub async fn sign_in(&self, tenant: &str) -> String {
        let TokenSet { access, refresh, expires_at, .. } =
            self.server_of(tenant).mint(&person(tenant), tenant, &["openid", "offline_access"]);
        let key = key(tenant);
        let mut credential = Credential::new(
            CredentialKind::OAuth,
            key.provider.clone(),
            Secret::new(access),
            Clock::system().now(),
        );
        credential.refresh_token = Some(Secret::new(refresh));
        credential.expires_at = Some(expires_at);
        credential.client_id = Some(tenant.to_owned());
        let (id, store) = (credential.id.clone(), self.store());
        let put = update(&*store, Touches::tenant(&key.clone()), move |view| {
            view.put_tenant(&key, credential);
            Ok::<_, ()>(())
        });
        put.await.unwrap().unwrap();
        id
    }

    /// What is stored for `tenant`, as another process sees it.
    pub fn stored(&self, tenant: &str) -> Option<Credential> {
        self.store().snapshot().unwrap().tenant(&key(tenant)).unwrap().map(|held| (*held).clone())
    }
}
