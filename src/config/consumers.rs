//! The sections of `latchkey.toml` for programs that take tokens: the socket, and files that are kept up to date.
//!
//! Owns their types, keys and defaults. Invariants: nobody but the bot's own user is admitted unless named (deny by default);
//! whatever names a tenant names one of a provider that is configured. Must not: open a socket or a file.

use std::ops::Range;
use std::path::PathBuf;

use super::reader::{Problems, Section};
use crate::provider::Catalog;
use crate::tenant::{TenantKey, TenantPattern};

const DEFAULT_SOCKET: &str = "data/latchkey.sock";
const DEFAULT_SOCKET_MODE: u32 = 0o600;
const ALLOW_REMEDY: &str =
    "write allow = [{ uid = 1000, tenants = [\"codex\"] }], or gid = …, or bearer = true in place of uid";

/// `[tokens]`: the token socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokensConfig {
    /// The socket, as written: relative to the working directory.
    pub socket: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// Its group, by name or number.
    pub group: Option<String>,
    /// Who may have which tenants, beside the bot's own user, who may have all.
    pub allow: Vec<AllowRule>,
    /// A file with a bearer token, by which callers are admitted whose user id says nothing here.
    pub bearer_file: Option<PathBuf>,
}

/// One entry of `allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowRule {
    /// Whom it admits.
    pub who: Admitted,
    /// What they may ask for.
    pub tenants: Vec<TenantPattern>,
}

/// Whom an entry of `allow` admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Admitted {
    /// Processes of this user, by the numeric id on this host.
    User(u32),
    /// Processes of this group, their supplementary ones included, by the numeric id on this host.
    Group(u32),
    /// Whoever shows the bearer token.
    Bearer,
}

/// `[feeds.<name>]`: a file of another program, in which the bot keeps an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// Its name in the configuration.
    pub name: String,
    /// Whose token.
    pub tenant: TenantKey,
    /// Which program's file it is.
    pub program: FeedProgram,
    /// The file, as written: relative to the working directory.
    pub path: PathBuf,
}

/// A program whose file can be kept up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedProgram {
    /// codex: `auth.json`.
    Codex,
    /// Claude Code: `.credentials.json`.
    Claude,
}

impl FeedProgram {
    /// The word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::Claude => "claude",
        }
    }
}

pub(super) fn tokens(
    root: &mut Section<'_, '_>,
    catalog: &Catalog,
    problems: &mut Problems<'_>,
) -> Option<TokensConfig> {
    let mut section = root.table("tokens", problems)?;
    let config = TokensConfig {
        socket: section.string("socket", problems).unwrap_or_else(|| DEFAULT_SOCKET.to_owned()).into(),
        mode: mode(&mut section, problems),
        group: section.string("group", problems),
        allow: allow(&mut section, catalog, problems),
        bearer_file: section.string("bearer_file", problems).map(PathBuf::from),
    };
    let by_bearer = config.allow.iter().any(|rule| rule.who == Admitted::Bearer);
    match &config.bearer_file {
        None if by_bearer => {
            let remedy = "name the file that holds the bearer token";
            section.missing(
                "bearer_file",
                "an entry of allow has bearer = true, and there is none",
                remedy,
                problems,
            );
        }
        Some(_) if !by_bearer => {
            let span = section.get("bearer_file").and_then(|found| found.span);
            let remedy = "say what it is good for: allow = [{ bearer = true, tenants = [\"codex\"] }]";
            problems.add(span, &section.key("bearer_file"), "admits nobody to anything", remedy);
        }
        _ => {}
    }
    section.finish(problems);
    Some(config)
}

fn mode(section: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> u32 {
    let Some(text) = section.string("mode", problems) else { return DEFAULT_SOCKET_MODE };
    match u32::from_str_radix(&text, 8) {
        // Other users only as a whole: who of them may have what, allow says.
        Ok(mode) if mode <= 0o777 => mode,
        _ => {
            let span = section.get("mode").and_then(|found| found.span);
            let remedy = "write \"0600\", \"0660\" with a group, or \"0666\": who may have what is said by allow in each case";
            problems.add(span, &section.key("mode"), "is no mode for the socket", remedy);
            DEFAULT_SOCKET_MODE
        }
    }
}

fn allow(section: &mut Section<'_, '_>, catalog: &Catalog, problems: &mut Problems<'_>) -> Vec<AllowRule> {
    let Some(found) = section.get("allow") else { return Vec::new() };
    let key = section.key("allow");
    let Some(items) = found.value.as_array() else {
        problems.add(found.span, &key, "is not a list", ALLOW_REMEDY);
        return Vec::new();
    };
    let mut rules = Vec::new();
    for item in items {
        let Some(table) = item.get_ref().as_table() else {
            problems.add(Some(item.span()), &key, "holds something else than tables", ALLOW_REMEDY);
            continue;
        };
        let mut entry = Section::new(key.clone(), Some(item.span()), Some(table), None);
        let who = who(&mut entry, problems);
        let names = entry.strings("tenants", problems);
        if names.as_ref().is_none_or(Vec::is_empty) {
            entry.missing("tenants", "an entry needs tenants", ALLOW_REMEDY, problems);
        }
        let tenants = names.unwrap_or_default();
        let tenants = tenants.iter().filter_map(|name| pattern(name, item.span(), &key, catalog, problems));
        let tenants = tenants.collect();
        entry.finish(problems);
        rules.extend(who.map(|who| AllowRule { who, tenants }));
    }
    rules
}

fn who(entry: &mut Section<'_, '_>, problems: &mut Problems<'_>) -> Option<Admitted> {
    let mut id = |name| {
        let found = entry.number(name, 0, problems)?;
        let id = u32::try_from(found).ok();
        if id.is_none() {
            entry.missing(name, "is no numeric id", "see `id -u` and `id -g`", problems);
        }
        id
    };
    let (uid, gid) = (id("uid"), id("gid"));
    let bearer = entry.boolean("bearer", problems);
    if bearer == Some(false) {
        entry.missing(
            "bearer",
            "false admits nobody",
            "write bearer = true, or leave the entry out",
            problems,
        );
        return None;
    }
    match (uid, gid, bearer) {
        (Some(uid), None, None) => Some(Admitted::User(uid)),
        (None, Some(gid), None) => Some(Admitted::Group(gid)),
        (None, None, Some(_)) => Some(Admitted::Bearer),
        _ => {
            entry.missing("uid", "an entry needs one of uid, gid and bearer", ALLOW_REMEDY, problems);
            None
        }
    }
}

fn pattern(
    name: &str,
    span: Range<usize>,
    key: &str,
    catalog: &Catalog,
    problems: &mut Problems<'_>,
) -> Option<TenantPattern> {
    let pattern = match name.parse::<TenantPattern>() {
        Ok(pattern) => pattern,
        Err(error) => {
            problems.add(Some(span), key, error.to_string(), "correct the tenant");
            return None;
        }
    };
    let provider = pattern.provider();
    if provider.contains('*') {
        return Some(pattern);
    }
    let rest = name.trim().get(provider.len()..).unwrap_or_default().to_owned();
    let provider = configured(provider, span, key, catalog, problems)?;
    format!("{provider}{rest}").parse().ok()
}

/// The name of the provider that `name` is, or is an alias of.
fn configured(
    name: &str,
    span: Range<usize>,
    key: &str,
    catalog: &Catalog,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let found = catalog.find(name).map(|provider| provider.name.to_string());
    if found.is_none() {
        let what = format!("{name:?} is no provider that is configured here");
        problems.add(Some(span), key, what, format!("add [providers.{name}], or correct the name"));
    }
    found
}

const PROGRAMS: &[(&str, FeedProgram)] = &[("codex", FeedProgram::Codex), ("claude", FeedProgram::Claude)];

pub(super) fn feeds(
    root: &mut Section<'_, '_>,
    catalog: &Catalog,
    problems: &mut Problems<'_>,
) -> Vec<FeedConfig> {
    let Some(section) = root.table("feeds", problems) else { return Vec::new() };
    let mut feeds: Vec<FeedConfig> = Vec::new();
    for (name, span, table) in section.entries(problems) {
        let mut entry = Section::new(format!("feeds.{name}"), Some(span.clone()), Some(table), None);
        let (tenant, key) = (entry.string("tenant", problems), entry.key("tenant"));
        let program = entry.choice("program", PROGRAMS, problems);
        let path = entry.string("path", problems).map(PathBuf::from);
        for (name, is_missing, remedy) in [
            ("tenant", entry.get("tenant").is_none(), "write tenant = \"codex\""),
            ("program", entry.get("program").is_none(), "write program = \"codex\", or \"claude\""),
            ("path", entry.get("path").is_none(), "write path = \"…\", the file that the program reads"),
        ] {
            if is_missing {
                entry.missing(name, "missing", remedy, problems);
            }
        }
        let at = entry.get("tenant").and_then(|found| found.span).unwrap_or_else(|| span.clone());
        let tenant = tenant.and_then(|text| named(&text, at, &key, catalog, problems));
        if let Some(other) = path.as_ref().and_then(|path| feeds.iter().find(|feed| feed.path == *path)) {
            let what = format!("is the file of feeds.{} too", other.name);
            problems.add(Some(span), &entry.key("path"), what, "give each feed a file of its own");
        }
        entry.finish(problems);
        if let (Some(tenant), Some(program), Some(path)) = (tenant, program, path) {
            feeds.push(FeedConfig { name, tenant, program, path });
        }
    }
    feeds
}

/// The tenant that `text` names, with its provider's own name in place of an alias.
fn named(
    text: &str,
    span: Range<usize>,
    key: &str,
    catalog: &Catalog,
    problems: &mut Problems<'_>,
) -> Option<TenantKey> {
    let (name, rest) = text.split_at(text.find(['/', '@']).unwrap_or(text.len()));
    let provider = configured(name, span.clone(), key, catalog, problems)?;
    match format!("{provider}{rest}").parse() {
        Ok(tenant) => Some(tenant),
        Err(error) => {
            problems.add(Some(span), key, format!("{error}"), "correct the tenant");
            None
        }
    }
}
