//! One host for a test: a folder with a configuration and an auth file, a server, and the program.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::broker::{Broker, Caller, LoginRequest};
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::oauth;
use latchkey::pending::LoginKind;
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::seal::{add_key, new_key};
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::{TenantKey, User};
use latchkey_test_authority::{Authority, CLIENT, Person, REDIRECT, TokenSet};

use crate::flights::end_all;
use crate::place::{KEYS, open};

/// Longer than anything here takes, unless it hangs.
pub const LONG: Duration = Duration::from_mins(1);

pub struct Host {
    pub authority: Authority,
    pub config: PathBuf,
    pub auth: PathBuf,
    _temp: tempfile::TempDir,
}

pub fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

/// A sign-in whose answer is pasted, though there may be one already.
pub fn by_paste(user: User, admin: bool, tenant: &str) -> LoginRequest {
    LoginRequest {
        caller: Caller { user, admin },
        tenant: key(tenant),
        kind: Some(LoginKind::Paste),
        watcher: None,
        bind: None,
        again: true,
        locale: None,
        redirect_uri: None,
    }
}

impl Host {
    pub fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let authority = Authority::start();
        let (config, auth) = (temp.path().join("latchkey.toml"), temp.path().join("data/auth.json"));
        let text = format!(
            "[store]\npath = {:?}\n[providers.acme]\nissuer = {:?}\ntoken_endpoint = {:?}\n\
             device_authorization_endpoint = {:?}\nauthorization_endpoint = {:?}\nrevocation_endpoint = {:?}\n\
             client_id = {CLIENT:?}\nredirect_uri = {REDIRECT:?}\nflows = [\"device\", \"paste\"]\n\
             scopes = [\"openid\", \"offline_access\"]\nshare = \"guild\"\n",
            auth.to_string_lossy(),
            authority.issuer(),
            authority.token_endpoint(),
            authority.device_authorization_endpoint(),
            authority.authorization_endpoint(),
            authority.revocation_endpoint(),
        );
        std::fs::write(&config, text).unwrap();
        Self { authority, config, auth, _temp: temp }
    }

    /// One whose auth file is sealed.
    pub fn sealed() -> Self {
        let host = Self::new();
        host.turn_sealing_on();
        host
    }

    /// The file of keys, if there is one.
    pub fn keys(&self) -> PathBuf {
        self.config.with_file_name(KEYS)
    }

    /// Makes a key, and names it in the configuration.
    pub fn turn_sealing_on(&self) {
        add_key(&self.keys(), &new_key(None).unwrap()).unwrap();
        let text = std::fs::read_to_string(&self.config).unwrap();
        let sealed = format!("[store]\nseal_key_file = {:?}", self.keys().to_string_lossy());
        std::fs::write(&self.config, text.replacen("[store]", &sealed, 1)).unwrap();
    }

    pub fn store(&self) -> Arc<FileStore> {
        open(&self.auth)
    }

    /// A broker in this process, on the same file.
    pub fn broker(&self) -> Broker {
        let config = Config::load(&self.config).unwrap();
        Broker::new(
            self.store(),
            config.providers,
            oauth::Client::new(),
            Clock::system(),
            latchkey::config::Limits { starts_per_minute: 50, ..Default::default() },
        )
    }

    /// The program, with these arguments.
    pub fn latchkey(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.arg("--config").arg(&self.config).args(arguments).env_remove("FAILPOINTS");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A sign-in whose access token ended a while ago.
    pub async fn expired(&self, tenant: &str) -> TokenSet {
        let tokens = self.authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
        self.put(tenant, &tokens, -10).await;
        tokens
    }

    /// A sign-in whose access token serves for an hour.
    pub async fn serving(&self, tenant: &str) -> TokenSet {
        let tokens = self.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]);
        self.put(tenant, &tokens, 3_600).await;
        tokens
    }

    async fn put(&self, tenant: &str, tokens: &TokenSet, left: i64) {
        let (tenant, now) = (key(tenant), Clock::system().now());
        let mut credential = Credential::new(
            CredentialKind::OAuth,
            tenant.provider.clone(),
            Secret::new(&*tokens.access),
            now,
        );
        credential.refresh_token = Some(Secret::new(&*tokens.refresh));
        credential.expires_at = Some(now + left);
        let (store, touches) = (self.store(), Touches::tenant(&tenant));
        update(&*store, touches, move |view| {
            view.put_tenant(&tenant, credential);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
    }

    /// Writes down that it was used today, as the first `latchkey token` of a day does: the next writes nothing for that.
    pub async fn used_today(&self, tenant: &str) {
        self.broker().note_use(&key(tenant)).await.unwrap();
    }

    pub fn stored(&self, tenant: &str) -> Option<Credential> {
        self.store().snapshot().unwrap().tenant(&key(tenant)).unwrap().map(|held| (*held).clone())
    }

    /// Waits until the tenant's credential is as wanted.
    pub fn eventually(&self, tenant: &str, holds: impl Fn(&Credential) -> bool) -> Credential {
        let end = Instant::now() + LONG;
        loop {
            match self.stored(tenant) {
                Some(held) if holds(&held) => return held,
                held => assert!(Instant::now() < end, "the store is still at {held:?}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Host {
    /// Nothing that a test started outlives its host, whatever became of the test.
    fn drop(&mut self) {
        end_all(&self.config);
    }
}

/// What it printed, without the line's end.
pub fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}

/// What it said on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
