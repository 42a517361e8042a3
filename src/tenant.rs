//! The names of things: providers, tenants, people and threads, in their one canonical spelling.
//!
//! Owns parsing and printing of [`TenantKey`]: `<provider>[/<profile>][@<discord user id>]`. A key that exists is
//! canonical: two keys are equal exactly if they name one credential slot (S5, F12). Must not: resolve aliases
//! (the catalog does, before a key is made) or know which tenants exist.

mod pattern;

use std::fmt;
use std::str::FromStr;

pub use self::pattern::TenantPattern;
use sha2::{Digest, Sha256};

use crate::secret::hex;

/// The prefix of an MCP server's name, which keeps it apart from every provider (F12).
const MCP_PREFIX: &str = "mcp:";
const MAX_NAME: usize = 64;
const MAX_USER_DIGITS: usize = 20;

/// Why a name was refused. Each text says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The provider part.
    #[error(
        "{0:?} is not a provider name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit"
    )]
    Provider(String),
    /// The part behind the slash.
    #[error("{0:?} is not a profile name: use 1 to 64 of a-z, 0-9, '.', '_' and '-'")]
    Profile(String),
    /// The part behind the at sign.
    #[error("{0:?} is not a Discord user id: use its 1 to 20 digits")]
    User(String),
    /// A thread or channel id.
    #[error("{0:?} is not a Discord channel id: use its 1 to 20 digits")]
    Thread(String),
}

/// A provider's name, or an MCP server's as `mcp:<server>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderName(String);

impl ProviderName {
    /// The name as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an MCP server's.
    #[must_use]
    pub fn is_mcp(&self) -> bool {
        self.0.starts_with(MCP_PREFIX)
    }
}

impl FromStr for ProviderName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let folded = text.to_ascii_lowercase();
        let bare = folded.strip_prefix(MCP_PREFIX).unwrap_or(&folded);
        let starts_well = bare.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if starts_well && is_name(bare) { Ok(Self(folded)) } else { Err(NameError::Provider(clip(text))) }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one of several accounts at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Profile(String);

impl Profile {
    /// The name as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Profile {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let folded = text.to_ascii_lowercase();
        if is_name(&folded) { Ok(Self(folded)) } else { Err(NameError::Profile(clip(text))) }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Discord user's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(String);

impl UserId {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_digits(text) { Ok(Self(text.to_owned())) } else { Err(NameError::User(clip(text))) }
    }
}

impl From<u64> for UserId {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who acts: a Discord user, or the operator at a terminal, written `local:<uid>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum User {
    /// A member of the guild.
    Discord(UserId),
    /// The operator, by the numeric user id on this host.
    Local(u32),
}

impl User {
    /// The Discord id, where there is one.
    #[must_use]
    pub fn discord(&self) -> Option<&UserId> {
        match self {
            Self::Discord(id) => Some(id),
            Self::Local(_) => None,
        }
    }
}

impl FromStr for User {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix("local:") {
            Some(uid) => uid.parse().map(Self::Local).map_err(|_| NameError::User(clip(text))),
            None => text.parse().map(Self::Discord),
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discord(id) => id.fmt(f),
            Self::Local(uid) => write!(f, "local:{uid}"),
        }
    }
}

/// A Discord thread, or a channel used as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadId(String);

impl ThreadId {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ThreadId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_digits(text) { Ok(Self(text.to_owned())) } else { Err(NameError::Thread(clip(text))) }
    }
}

impl From<u64> for ThreadId {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One credential slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey {
    /// Whose tokens.
    pub provider: ProviderName,
    /// Which of several accounts there.
    pub profile: Option<Profile>,
    /// Whose slot; none for one that the guild shares.
    pub user: Option<UserId>,
}

impl TenantKey {
    /// The guild's shared slot of `provider`.
    #[must_use]
    pub fn shared(provider: ProviderName) -> Self {
        Self { provider, profile: None, user: None }
    }

    /// The base name of this tenant's refresh lock: the SHA-256 of provider NUL profile NUL user (G3). Safe in any
    /// folder whatever the parts hold, and different for different tenants.
    #[must_use]
    pub fn lock_name(&self) -> String {
        let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
        lock_name_of(
            self.provider.as_str(),
            &part(self.profile.as_ref().map(Profile::as_str)),
            &part(self.user.as_ref().map(UserId::as_str)),
        )
    }
}

fn lock_name_of(provider: &str, profile: &str, user: &str) -> String {
    hex(&Sha256::digest(format!("{provider}\0{profile}\0{user}").as_bytes()))
}

impl FromStr for TenantKey {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (rest, user) = match text.split_once('@') {
            Some((rest, user)) => (rest, Some(user.parse()?)),
            None => (text, None),
        };
        let (provider, profile) = match rest.split_once('/') {
            Some((provider, profile)) => (provider, Some(profile.parse()?)),
            None => (rest, None),
        };
        Ok(Self { provider: provider.parse()?, profile, user })
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.provider)?;
        if let Some(profile) = &self.profile {
            write!(f, "/{profile}")?;
        }
        if let Some(user) = &self.user {
            write!(f, "@{user}")?;
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_digits(text: &str) -> bool {
    (1..=MAX_USER_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Enough of a refused name to recognise it by.
fn clip(text: &str) -> String {
    text.chars().take(MAX_NAME + 8).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Result<String, NameError> {
        text.parse::<TenantKey>().map(|key| key.to_string())
    }

    /// S5, F12
    #[test]
    fn keys_are_canonical() {
        for (given, canonical) in [
            ("codex", "codex"),
            ("Codex/Work", "codex/work"),
            ("claude/work@80351110224678912", "claude/work@80351110224678912"),
            ("github@1", "github@1"),
            ("mcp:Linear", "mcp:linear"),
            ("a.b_c-d/-x.", "a.b_c-d/-x."),
        ] {
            assert_eq!(key(given).as_deref(), Ok(canonical));
        }
    }

    /// S5
    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for bad in
            ["", "/x", "-a", "mcp:", "mcp:mcp:x", "a b", "a/", "a/b/c", "a@", "a@x", "a@1@2", "ä", "a\0b"]
        {
            assert!(key(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(key(&"a".repeat(64)).is_ok() && key(&"a".repeat(65)).is_err());
        assert!(key("a@12345678901234567890").is_ok() && key("a@123456789012345678901").is_err());
        assert_eq!(
            key("a@me").map_err(|e| e.to_string()),
            Err("\"me\" is not a Discord user id: use its 1 to 20 digits".to_owned())
        );
    }

    /// G3
    #[test]
    fn lock_names_differ_where_parts_run_together() {
        assert_ne!(lock_name_of("a", "b:c", ""), lock_name_of("a:b", "c", ""));
        assert_ne!(lock_name_of("a", "b", ""), lock_name_of("a", "", "b"));
        let name = "mcp:x/y@1".parse::<TenantKey>().map(|key| key.lock_name());
        assert!(name.is_ok_and(|name| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn people_are_members_or_the_operator() {
        assert_eq!("local:1000".parse(), Ok(User::Local(1000)));
        assert_eq!("42".parse(), Ok(User::Discord(UserId::from(42))));
        assert!("local:x".parse::<User>().is_err() && "ann".parse::<User>().is_err());
    }

    proptest! {
        /// S5
        #[test]
        fn printing_and_reading_agree(text in "[A-Za-z0-9:./@_-]{0,40}") {
            if let Ok(key) = text.parse::<TenantKey>() {
                prop_assert_eq!(key.to_string().parse::<TenantKey>(), Ok(key));
            }
        }
    }
}
