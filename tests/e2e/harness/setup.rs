//! The world around the program.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use latchkey_test_authority::{Authority, CLIENT, Interval, REDIRECT};
use latchkey_test_discord::{Channel, Discord};
use tempfile::TempDir;

/// A one-shot command ends within this time, or the test fails.
const CLI_BOUND: Duration = Duration::from_secs(60);

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

impl Setup {
    /// Everybody may sign in; `acme` is each member's own, by device code first, then by paste.
    pub async fn new() -> Self {
        Self::with("members = { anyone = true }", "").await
    }

    /// As [`Setup::new`], but `acme` is the guild's.
    pub async fn shared() -> Self {
        Self::with("members = { anyone = true }", "share = \"guild\"").await
    }

    /// With these lines under `[access]`, and these more under `[providers.acme]`.
    pub async fn with(access: &str, acme: &str) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        Self::beside(Arc::new(dir), Authority::start(), "latchkey", access, acme).await
    }

    /// Another guild's setup over the same store and provider: a second bot, in a Discord of its own.
    pub async fn sibling(&self, access: &str, acme: &str) -> Self {
        Self::beside(Arc::clone(&self.dir), self.authority.clone(), "sibling", access, acme).await
    }

    async fn beside(dir: Arc<TempDir>, authority: Authority, name: &str, access: &str, acme: &str) -> Self {
        // The floor of the protocol: what a real provider's five seconds are, only sooner.
        authority.set(|settings| {
            settings.interval = Interval::Number(3);
            settings.enforced_interval = Duration::from_millis(2_500);
        });
        let mut builder = Discord::builder();
        if name == "sibling" {
            builder = builder.guild(999_888_777_666).other_guild(111_222_333_444);
        }
        let discord = builder.start().await.expect("the Discord stand-in starts");
        let config = dir.path().join(format!("{name}.toml"));
        let text = configuration(&discord, &authority, dir.path(), access, acme);
        std::fs::write(&config, text).expect("the configuration is written");
        Self { discord, authority, dir, config }
    }

    /// The auth file.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("data/auth.json")
    }

    /// The auth file's text, or nothing while there is none.
    pub fn stored(&self) -> String {
        std::fs::read_to_string(self.store()).unwrap_or_default()
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
            .env("LATCHKEY_DISCORD_API", self.discord.api_base())
            .env("DISCORD_TOKEN", self.discord.bot_token())
            .current_dir(self.dir.path())
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null());
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
        assert_eq!(cli.code, 0, "latchkey {line:?}: {cli:?}");
        cli.stdout
    }
}

fn configuration(discord: &Discord, authority: &Authority, dir: &Path, access: &str, acme: &str) -> String {
    format!(
        r#"
[discord]
guild = "{guild}"

[access]
{access}

[store]
path = "{store}"
allow_unverified_locks = true

[providers.acme]
title = "Acme"
issuer = "{issuer}"
token_endpoint = "{token}"
device_authorization_endpoint = "{device}"
authorization_endpoint = "{authorize}"
revocation_endpoint = "{revoke}"
client_id = "{CLIENT}"
scopes = ["openid", "offline_access"]
redirect_uri = "{REDIRECT}"
{flows}
{acme}
"#,
        guild = discord.guild(),
        store = dir.join("data/auth.json").display(),
        issuer = authority.issuer(),
        token = authority.token_endpoint(),
        device = authority.device_authorization_endpoint(),
        authorize = authority.authorization_endpoint(),
        revoke = authority.revocation_endpoint(),
        flows = if acme.contains("flows") { "" } else { "flows = [\"device\", \"paste\"]" },
    )
}
