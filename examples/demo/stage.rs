//! What the story plays on: Discord, two providers, the bot, a folder.
//!
//! Owns their start and end. The bot's log is kept, to be searched for secrets at the end.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use latchkey_test_authority::{Authority, CLIENT, REDIRECT, Settings};
use latchkey_test_discord::Discord;

/// How long anything may take that nobody waits for at a keyboard.
pub const SOON: Duration = Duration::from_secs(30);

pub struct Stage {
    pub discord: Discord,
    pub acme: Authority,
    pub orbit: Authority,
    bot: Bot,
    program: PathBuf,
    config: PathBuf,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub async fn set() -> Self {
        Self::set_with(|_, _| String::new()).await
    }

    /// With `more` configuration, made for this server and Acme.
    pub async fn set_with(more: impl FnOnce(&Discord, &Authority) -> String) -> Self {
        let program = build();
        let discord = Discord::start().await;
        let named =
            |name: &str| Authority::start_with(Settings { name: name.to_owned(), ..Settings::default() });
        let (acme, orbit) = (named("Acme"), named("Orbit"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let config = folder.path().join("latchkey.toml");
        let tables = configuration(&discord, &acme, &orbit, folder.path()) + &more(&discord, &acme);
        std::fs::write(&config, tables).unwrap();
        let bot = Bot::start(&program, &config, &discord);
        discord.wait_ready(SOON).await;
        discord.wait_registered("auth", SOON).await;
        Self { discord, acme, orbit, bot, program, config, _folder: folder }
    }

    /// The program with these arguments, as an agent on this host would call it.
    pub fn latchkey(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.config).args(arguments).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.latchkey(arguments).output().expect("latchkey runs")
    }

    /// Ends the bot, and gives all that it logged.
    pub fn strike(mut self) -> String {
        self.bot.end();
        self.bot.log.lock().unwrap().clone()
    }
}

/// Builds the program that the demo runs, and says where it is. With the demo, so that all of it is built with one set of
/// features, and what is there is not built again.
fn build() -> PathBuf {
    println!("Building the bot …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut build = Command::new(cargo);
    // What `cargo run` says of this package would make build scripts that look at it run again, and all behind them.
    let of_this_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars().filter(|(name, _)| of_this_package(name)) {
        build.env_remove(name);
    }
    let built = build
        .args([
            "build",
            "--quiet",
            "--bin",
            "latchkey",
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "the bot does not build");
    let messages = String::from_utf8(built.stdout).expect("cargo speaks UTF-8");
    let mut found = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "latchkey")
            .then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    found.next_back().expect("cargo names the program")
}

fn configuration(discord: &Discord, acme: &Authority, orbit: &Authority, folder: &Path) -> String {
    let endpoints = |authority: &Authority| {
        format!(
            "issuer = {:?}\ntoken_endpoint = {:?}\ndevice_authorization_endpoint = {:?}\n\
             authorization_endpoint = {:?}\nrevocation_endpoint = {:?}\nclient_id = {CLIENT:?}\n\
             redirect_uri = {REDIRECT:?}\nscopes = [\"openid\", \"offline_access\"]\n",
            authority.issuer(),
            authority.token_endpoint(),
            authority.device_authorization_endpoint(),
            authority.authorization_endpoint(),
            authority.revocation_endpoint(),
        )
    };
    format!(
        "[discord]\nguild = \"{}\"\n[access]\nmembers = {{ anyone = true }}\n[store]\npath = {:?}\n\
         [providers.acme]\ntitle = \"Acme\"\nflows = [\"device\", \"paste\"]\n{}\
         [providers.orbit]\ntitle = \"Orbit\"\nflows = [\"paste\"]\nshare = \"guild\"\n{}",
        discord.guild(),
        folder.join("data/auth.json").to_string_lossy(),
        endpoints(acme),
        endpoints(orbit),
    )
}

/// The real bot, as a process.
struct Bot {
    process: Child,
    log: Arc<Mutex<String>>,
}

impl Bot {
    fn start(program: &Path, config: &Path, discord: &Discord) -> Self {
        let mut process = Command::new(program)
            .arg("--config")
            .arg(config)
            .arg("run")
            .env("LATCHKEY_DISCORD_API", discord.api_base())
            .env("DISCORD_TOKEN", discord.bot_token())
            .env("LATCHKEY_LOG", "trace")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the bot starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (mut output, kept) = (process.stderr.take().expect("it was piped"), Arc::clone(&log));
        std::thread::spawn(move || {
            let mut part = [0_u8; 8_192];
            while let Ok(length @ 1..) = output.read(&mut part) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..length]));
            }
        });
        Self { process, log }
    }

    fn end(&mut self) {
        // Already ended is ended too.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.end();
    }
}
