//! The sections of `latchkey.toml` other than the providers and the programs that take tokens.
//!
//! Owns their types, keys and defaults. Invariant: what is not said is the safe choice (nobody is admitted, nothing
//! listens). Must not: read a secret before it is needed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use url::Url;

use super::Env;
use super::provider::read_secret;
use super::reader::{Problems, Section};
use crate::secret::Secret;

/// The environment variable of the bot's token.
pub const TOKEN_VARIABLE: &str = "DISCORD_TOKEN";
/// The variable that names the folder of systemd's credentials (systemd.exec(5)).
pub const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
const COMMAND_CAP: usize = 32;

/// `[discord]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscordConfig {
    /// The one guild that is served.
    pub guild: u64,
    /// The slash command's name.
    pub command: String,
    /// Where the bot's token is.
    pub token: TokenSource,
}

/// Where the bot's token is. It is read when the bot starts: nothing else needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// `$DISCORD_TOKEN`.
    Environment,
    /// This file.
    File(PathBuf),
    /// The credential of this name that systemd hands over (`LoadCredential=`, systemd.exec(5)).
    Credential(String),
}

/// Why there is no token for the bot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenSourceError {
    /// The variable is not set.
    #[error(
        "the bot's token is missing: set DISCORD_TOKEN, or name a file as token_file or a credential as token_credential under \
         [discord]"
    )]
    NotSet,
    /// systemd hands nothing over.
    #[error(
        "the bot's token is missing: systemd hands over no credentials here; write LoadCredential={name}:… in the unit"
    )]
    NoCredentials {
        /// The credential's name.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the bot's token from {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

impl TokenSource {
    /// Reads the token.
    ///
    /// # Errors
    /// When it is not there.
    pub fn read(&self, env: Env<'_>) -> Result<Secret, TokenSourceError> {
        match self {
            Self::Environment => {
                let token = env(TOKEN_VARIABLE).map(|token| token.trim().to_owned());
                token.filter(|token| !token.is_empty()).map(Secret::new).ok_or(TokenSourceError::NotSet)
            }
            Self::File(path) => read_from(path),
            Self::Credential(name) => match env(CREDENTIALS_VARIABLE) {
                Some(folder) => read_from(&Path::new(&folder).join(name)),
                None => Err(TokenSourceError::NoCredentials { name: name.clone() }),
            },
        }
    }
}

fn read_from(path: &Path) -> Result<Secret, TokenSourceError> {
    read_secret(path).map_err(|reason| TokenSourceError::Unreadable { path: path.to_owned(), reason })
}

/// `[access]`: deny by default. Manage Guild always counts as admin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Who may sign in.
    pub members: Rule,
    /// Who may manage what is others'.
    pub admins: Rule,
}

/// Whom a rule admits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// Whoever has one of these roles.
    pub roles: Vec<u64>,
    /// These users.
    pub users: Vec<u64>,
    /// Every member of the guild. Never set for admins.
    pub anyone: bool,
}

/// Where the keys are that seal what is secret in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealKeySource {
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// The credential of this name that systemd hands over (`LoadCredential=`, systemd.exec(5)).
    Credential(String),
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogConfig {
    /// How lines of the log look.
    pub format: LogFormat,
    /// Where audit lines go besides the log, as JSON.
    pub audit: Option<AuditSink>,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Plain,
    /// One JSON object a line.
    Json,
}

/// Where audit lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditSink {
    /// Standard output: of the bot alone, since other commands print data there.
    StandardOutput,
    /// To the end of this file.
    File(PathBuf),
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The auth file, as written: relative to the working directory.
    pub path: PathBuf,
    /// Whether file systems are admitted whose locks are not known to hold (F15).
    pub allow_unverified_locks: bool,
    /// The keys that seal what is secret in it; without them it stands there in clear.
    pub seal_key: Option<SealKeySource>,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How the world reaches it, without a query; turns hosted callbacks on.
    pub public_url: Option<Url>,
}

/// `[ops]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpsConfig {
    /// Where to listen.
    pub listen: SocketAddr,
}

/// `[limits]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Logins that one person may start in a minute (S7).
    pub starts_per_minute: u32,
    /// Logins that all members of the guild may start in a minute, together.
    pub guild_starts_per_minute: u32,
    /// Logins that one person may have open at a time.
    pub open_logins: u32,
    /// Sign-ins of their own that one member may keep.
    pub tenants_per_user: u32,
    /// Commands, buttons and forms of one member that are answered in a minute.
    pub commands_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            starts_per_minute: 5,
            guild_starts_per_minute: 60,
            open_logins: 10,
            tenants_per_user: 50,
            commands_per_minute: 60,
        }
    }
}

pub(super) fn discord(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<DiscordConfig> {
    let mut section = root.table("discord", problems)?;
    section.refuse(
        "token",
        "a secret must not stand in the configuration",
        "set DISCORD_TOKEN, or put it into a file and name that as token_file",
        problems,
    );
    let guild = section.id("guild", problems);
    if guild.is_none() && section.get("guild").is_none() {
        let remedy = "write guild = \"…\" with the id of the server that the bot is for";
        section.missing("guild", "missing", remedy, problems);
    }
    let command = section.string("command", problems).unwrap_or_else(|| "auth".to_owned());
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if command.len() > COMMAND_CAP || !command.chars().all(plain) {
        let span = section.get("command").and_then(|found| found.span);
        let remedy = "use 1 to 32 of a-z, 0-9, '-' and '_', without the slash";
        problems.add(span, &section.key("command"), "is no name for a slash command", remedy);
    }
    let file = section.string("token_file", problems).map(|file| TokenSource::File(file.into()));
    let credential = credential(&mut section, "token_credential", problems).map(TokenSource::Credential);
    let token = one_source(&mut section, [("token_file", file), ("token_credential", credential)], problems);
    let token = token.unwrap_or(TokenSource::Environment);
    section.finish(problems);
    Some(DiscordConfig { guild: guild?, command, token })
}

pub(super) fn access(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Access {
    let Some(mut section) = root.table("access", problems) else { return Access::default() };
    let members = section.table("members", problems).map(|mut table| {
        let rule = rule(&mut table, problems);
        let anyone = table.boolean("anyone", problems).unwrap_or(false);
        table.finish(problems);
        Rule { anyone, ..rule }
    });
    let admins = section.table("admins", problems).map(|mut table| {
        let rule = rule(&mut table, problems);
        table.refuse("anyone", "not everybody can be an admin", "name roles or users", problems);
        table.finish(problems);
        rule
    });
    section.finish(problems);
    Access { members: members.unwrap_or_default(), admins: admins.unwrap_or_default() }
}

fn rule(table: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Rule {
    Rule { roles: table.ids("roles", problems), users: table.ids("users", problems), anyone: false }
}

pub(super) fn store(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> StoreConfig {
    let mut config =
        StoreConfig { path: "data/auth.json".into(), allow_unverified_locks: false, seal_key: None };
    if let Some(mut section) = root.table("store", problems) {
        if let Some(path) = section.string("path", problems) {
            config.path = path.into();
        }
        config.allow_unverified_locks = section.boolean("allow_unverified_locks", problems).unwrap_or(false);
        section.refuse(
            "seal_key",
            "a secret must not stand in the configuration",
            "name what holds it as seal_key_file, seal_key_env or seal_key_credential",
            problems,
        );
        let file = section.string("seal_key_file", problems).map(|file| SealKeySource::File(file.into()));
        let variable = section.string("seal_key_env", problems).map(SealKeySource::Environment);
        let credential =
            credential(&mut section, "seal_key_credential", problems).map(SealKeySource::Credential);
        let sources =
            [("seal_key_file", file), ("seal_key_env", variable), ("seal_key_credential", credential)];
        config.seal_key = one_source(&mut section, sources, problems);
        section.finish(problems);
    }
    config
}

/// A name under which systemd hands a credential over: one part of a path.
fn credential(
    section: &mut Section<'_, '_>,
    key: &'static str,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let name = section.string(key, problems)?;
    if name.contains('/') || name == "." || name == ".." {
        let span = section.get(key).and_then(|found| found.span);
        let remedy = "write the part of LoadCredential= before the colon";
        problems.add(span, &section.key(key), "is no name of a credential", remedy);
        return None;
    }
    Some(name)
}

/// The one that is named; two are one too many.
fn one_source<T, const N: usize>(
    section: &mut Section<'_, '_>,
    sources: [(&'static str, Option<T>); N],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let mut named = sources.into_iter().filter_map(|(key, source)| Some((key, source?)));
    let (first, source) = named.next()?;
    for (second, _) in named {
        let span = section.get(second).and_then(|found| found.span);
        let what = format!("stands beside {first}");
        problems.add(span, &section.key(second), what, "keep one of the two");
    }
    Some(source)
}

pub(super) fn log(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> LogConfig {
    let Some(mut section) = root.table("log", problems) else { return LogConfig::default() };
    let formats = [("plain", LogFormat::Plain), ("json", LogFormat::Json)];
    let format = section.choice("format", &formats, problems).unwrap_or_default();
    let audit = section.string("audit", problems).map(|place| match place.as_str() {
        "-" => AuditSink::StandardOutput,
        path => AuditSink::File(path.into()),
    });
    section.finish(problems);
    LogConfig { format, audit }
}

pub(super) fn http(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<HttpConfig> {
    let mut section = root.table("http", problems)?;
    let config = HttpConfig {
        listen: listen(&mut section, 8484, problems),
        public_url: section.endpoint("public_url", problems),
    };
    // Neither user nor fragment: that an address has none is known here.
    if let Some(public_url) = &config.public_url
        && public_url.query().is_some()
    {
        let span = section.get("public_url").and_then(|found| found.span);
        let remedy = "write scheme, host and path alone, as in \"https://login.example.org\"";
        problems.add(span, &section.key("public_url"), "holds more than an address", remedy);
    }
    section.finish(problems);
    Some(config)
}

pub(super) fn ops(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<OpsConfig> {
    let mut section = root.table("ops", problems)?;
    let config = OpsConfig { listen: listen(&mut section, 8485, problems) };
    section.finish(problems);
    Some(config)
}

fn listen(section: &mut Section<'_, '_>, port: u16, problems: &mut Problems<'_>) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Some(text) = section.string("listen", problems) else { return default };
    text.parse().unwrap_or_else(|_| {
        let span = section.get("listen").and_then(|found| found.span);
        let remedy = format!("write address and port, as in \"{default}\"");
        problems.add(span, &section.key("listen"), "is no address to listen on", remedy);
        default
    })
}

pub(super) fn limits(root: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Limits {
    let mut limits = Limits::default();
    if let Some(mut section) = root.table("limits", problems) {
        for (key, limit) in [
            ("starts_per_minute", &mut limits.starts_per_minute),
            ("guild_starts_per_minute", &mut limits.guild_starts_per_minute),
            ("open_logins", &mut limits.open_logins),
            ("tenants_per_user", &mut limits.tenants_per_user),
            ("commands_per_minute", &mut limits.commands_per_minute),
        ] {
            if let Some(number) = section.number(key, 1, problems) {
                *limit = u32::try_from(number).unwrap_or(u32::MAX);
            }
        }
        section.finish(problems);
    }
    limits
}
