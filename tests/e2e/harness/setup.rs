//! The world around the program.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use latchkey::clock::Clock;
use latchkey::store::file::FileStore;
use latchkey::store::seal::{Keys, add_key, new_key};
use latchkey::store::{StoreError, Touches, update};
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{Authority, CLIENT, Interval, REDIRECT};
use latchkey_test_discord::{Builder, Channel, Discord};
use tempfile::TempDir;

/// A one-shot command ends within this time, or the test fails.
const CLI_BOUND: Duration = Duration::from_mins(1);

/// The guild of a second bot.
const SIBLING_GUILD: u64 = 999_888_777_666_555;

/// A Discord stand-in, an authorization server, and a folder with configuration and store.
pub struct Setup {
    /// Discord.
    pub discord: Discord,
    /// The provider `acme`.
    pub authority: Authority,
    /// The folder. Setups that share it share the store.
    pub dir: Arc<TempDir>,
    /// This setup's configuration in it.
    config: PathBuf,
    /// The certificate to trust for Discord, as in production.
    trusted: Option<PathBuf>,
}

/// What a one-shot command came to.
#[derive(Debug)]
pub struct Cli {
    /// Its exit code.
    pub code: i32,
    /// Standard output, without the last line break.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// What is to be set up. Without more: everybody may sign in, and `acme` is each member's own, by device code first, then
/// by paste.
pub struct Plan {
    builder: Builder,
    production: bool,
    authority: Authority,
    dir: Option<Arc<TempDir>>,
    name: &'static str,
    access: Box<dyn FnOnce(&Discord) -> String + Send>,
    discord: String,
    acme: String,
    second: Option<(&'static str, String)>,
    more: String,
    sealed: bool,
}

impl Plan {
    /// These lines under `[access]` instead.
    pub fn access(mut self, lines: impl FnOnce(&Discord) -> String + Send + 'static) -> Self {
        self.access = Box::new(lines);
        self
    }

    /// These lines under `[discord]`, too.
    pub fn discord(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.discord);
        self
    }

    /// These lines under `[providers.acme]`, in place of the usual ones of the same keys.
    pub fn acme(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.acme);
        self
    }

    /// With another provider, over the same server, with these lines as [`Plan::acme`] takes them.
    pub fn second_provider(mut self, id: &'static str, lines: &str) -> Self {
        self.second = Some((id, lines.to_owned()));
        self
    }

    /// With a key that seals the auth file.
    pub fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// These tables, too.
    pub fn more(mut self, tables: &str) -> Self {
        tables.clone_into(&mut self.more);
        self
    }

    /// With Discord as it is in production: over HTTPS, by its name, and with rate limits.
    pub fn like_production(mut self) -> Self {
        self.builder = self.builder.like_production();
        self.production = true;
        self
    }

    /// With this other guild in the same Discord, where the bot is a member too.
    pub fn other_guild(mut self, id: u64) -> Self {
        self.builder = self.builder.other_guild(id);
        self
    }

    /// In a guild with this preferred language.
    pub fn guild_locale(mut self, locale: &str) -> Self {
        self.builder = self.builder.guild_locale(locale);
        self
    }

    /// With a gateway that asks for a heartbeat this often.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.builder = self.builder.heartbeat_interval(interval);
        self
    }

    /// Sets it up.
    pub async fn start(self) -> Setup {
        let authority = self.authority;
        // The floor of the protocol: what a real provider's five seconds are, only sooner.
        authority.set(|settings| {
            settings.interval = Interval::Number(3);
            settings.enforced_interval = Duration::from_millis(2_500);
        });
        let discord = self.builder.start().await.expect("the Discord stand-in starts");
        let dir = self.dir.unwrap_or_else(|| Arc::new(TempDir::new().expect("a temporary folder")));
        let config = dir.path().join(format!("{}.toml", self.name));
        let trusted = self.production.then(|| {
            let file = dir.path().join("discord-ca.pem");
            std::fs::write(&file, discord.authority()).expect("the authority's certificate is written");
            file
        });
        let parts = [
            format!("[discord]\nguild = \"{}\"", discord.guild()),
            self.discord,
            format!("[access]\n{}", (self.access)(&discord)),
            format!(
                "[store]\npath = \"data/auth.json\"\n{}",
                if self.sealed { sealed(&dir) } else { String::new() }
            ),
            format!("[providers.acme]\n{}", acme(&authority, &self.acme)),
            self.second
                .map(|(id, lines)| format!("[providers.{id}]\n{}", acme(&authority, &lines)))
                .unwrap_or_default(),
            self.more,
        ];
        std::fs::write(&config, parts.join("\n")).expect("the configuration is written");
        Setup { discord, authority, dir, config, trusted }
    }
}

/// The file of keys, in the setup's folder.
const KEYS: &str = "seal.keys";

/// Makes a key in `dir`. Gives the line that names it.
fn sealed(dir: &TempDir) -> String {
    let keys = dir.path().join(KEYS);
    add_key(&keys, &new_key(None).expect("a key")).expect("the key is written");
    format!("seal_key_file = {KEYS:?}")
}

/// The table of the provider `acme`: `lines`, and the usual values for what they leave out.
fn acme(authority: &Authority, lines: &str) -> String {
    let quoted = |text: String| format!("\"{text}\"");
    let usual = [
        ("title", quoted("Acme".to_owned())),
        ("issuer", quoted(authority.issuer())),
        ("token_endpoint", quoted(authority.token_endpoint())),
        ("device_authorization_endpoint", quoted(authority.device_authorization_endpoint())),
        ("authorization_endpoint", quoted(authority.authorization_endpoint())),
        ("revocation_endpoint", quoted(authority.revocation_endpoint())),
        ("client_id", quoted(CLIENT.to_owned())),
        ("scopes", "[\"openid\", \"offline_access\"]".to_owned()),
        ("redirect_uri", quoted(REDIRECT.to_owned())),
        ("flows", "[\"device\", \"paste\"]".to_owned()),
    ];
    let given: Vec<_> =
        lines.lines().filter_map(|line| line.split_once('=')).map(|(key, _)| key.trim()).collect();
    let usual = usual.into_iter().filter(|(key, _)| !given.contains(key));
    usual.map(|(key, value)| format!("{key} = {value}\n")).chain([lines.to_owned()]).collect()
}

impl Setup {
    /// Changes the configuration, in one step.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let text = change(std::fs::read_to_string(&self.config).expect("the configuration is there"));
        let new = self.config.with_extension("new");
        std::fs::write(&new, text).expect("the new configuration is written");
        std::fs::rename(&new, &self.config).expect("it takes the old one's place");
    }

    /// The usual setup: see [`Plan`].
    pub async fn new() -> Self {
        Self::plan().start().await
    }

    /// A setup to be changed before it starts.
    pub fn plan() -> Plan {
        Plan {
            builder: Discord::builder(),
            production: false,
            authority: Authority::start(),
            dir: None,
            name: "latchkey",
            access: Box::new(|_| "members = { anyone = true }".to_owned()),
            discord: String::new(),
            acme: String::new(),
            second: None,
            more: String::new(),
            sealed: false,
        }
    }

    /// Another guild's setup over the same store and provider: for a second bot, in a Discord of its own.
    pub fn sibling(&self) -> Plan {
        Plan {
            builder: Discord::builder().guild(SIBLING_GUILD),
            authority: self.authority.clone(),
            dir: Some(Arc::clone(&self.dir)),
            name: "sibling",
            ..Self::plan()
        }
    }

    /// The auth file.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("data/auth.json")
    }

    /// The store, with its keys if it has any.
    pub fn open_store(&self) -> FileStore {
        let store = FileStore::open(&self.store(), true, Clock::system()).expect("the store opens");
        let keys = self.dir.path().join(KEYS);
        if keys.is_file() { store.sealed_by(Keys::in_file(&keys).expect("the keys are read")) } else { store }
    }

    /// The auth file's text, or nothing while there is none.
    pub fn stored(&self) -> String {
        std::fs::read_to_string(self.store()).unwrap_or_default()
    }

    /// Lets time run out on the access token of `tenant`, and on a back-off of its refresh, as far as Latchkey knows.
    pub async fn expire(&self, tenant: &str) {
        let tenant: TenantKey = tenant.parse().expect("a tenant");
        let store = self.open_store();
        let past = Clock::system().now() - 10;
        update(&store, Touches::tenant(&tenant), move |view| {
            let mut held = view.tenant(&tenant)?.expect("the tenant is signed in");
            held.expires_at = Some(past);
            held.retry_at = held.retry_at.map(|_| past);
            view.put_tenant(&tenant, held);
            Ok::<_, StoreError>(())
        })
        .await
        .expect("the store is there")
        .expect("the tenant is read");
    }

    /// A thread in the channel `general`.
    pub fn thread(&self, name: &str) -> Channel {
        self.discord.thread(&self.discord.channel("general"), name)
    }

    /// The arguments that every call of the program begins with.
    pub fn program(&self) -> std::process::Command {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_latchkey"));
        program
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DISCORD_TOKEN", self.discord.bot_token())
            .current_dir(self.dir.path())
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null());
        match &self.trusted {
            Some(trusted) => program
                .env("LATCHKEY_DISCORD_API", self.discord.secure_base())
                .env("LATCHKEY_DISCORD_CA", trusted),
            None => program.env("LATCHKEY_DISCORD_API", self.discord.api_base()),
        };
        program
    }

    /// Runs a one-shot command to its end.
    pub async fn cli(&self, arguments: &[&str]) -> Cli {
        let mut command = tokio::process::Command::from(self.program());
        command.args(arguments).kill_on_drop(true);
        let output = tokio::time::timeout(CLI_BOUND, command.output())
            .await
            .unwrap_or_else(|_| panic!("latchkey {arguments:?} did not end in {} s", CLI_BOUND.as_secs()))
            .expect("latchkey runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        Cli {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout).trim_end_matches('\n').to_owned(),
            stderr: text(output.stderr),
        }
    }

    /// The token that `latchkey token` prints for `arguments`; the test fails if it prints none.
    pub async fn token(&self, arguments: &[&str]) -> String {
        let line: Vec<_> = ["token"].into_iter().chain(arguments.iter().copied()).collect();
        let cli = self.cli(&line).await;
        assert_eq!(cli.code, 0, "latchkey {line:?}: {}", cli.stderr);
        cli.stdout
    }
}
