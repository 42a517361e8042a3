//! A login under way, as it is stored.
//!
//! Owns the record [`PendingLogin`] and its statuses; what may follow what is `login/machine.rs`. Invariant: a login in
//! a terminal status carries no secret (C5), which [`PendingLogin::strip`] sees to: tokens that wait for an admin's word
//! ([`Confirming`]) are among them. Must not: know files or Discord.

mod words;

use std::fmt;

use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::credential::{Account, Credential, Registration};
use crate::secret::Secret;
use crate::tenant::{TenantKey, ThreadId, User};

/// The longest life of a login, in seconds: the last edit must still reach a message whose interaction token lasts
/// 15 minutes (S11).
pub const LONGEST_LIFE: i64 = 14 * 60;
/// The shortest, whatever the provider says, in seconds (S11).
pub const SHORTEST_LIFE: i64 = 60;
/// A login older than this is ancient, in seconds (S11).
pub const ANCIENT_AGE: i64 = 15 * 60;

/// How long a sign-in with another account waits for an admin's word, in seconds (I5): admins sleep, too.
pub const CONFIRMING_LIFE: i64 = 24 * 60 * 60;

/// The life of a login for which the provider gave `expires_in` seconds, or nothing (S11).
#[must_use]
pub fn life(expires_in: Option<u64>) -> i64 {
    expires_in
        .map_or(LONGEST_LIFE, |s| i64::try_from(s).unwrap_or(i64::MAX).clamp(SHORTEST_LIFE, LONGEST_LIFE))
}

/// How the member signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginKind {
    /// A device code (RFC 8628, or a provider's own protocol of that shape).
    Device,
    /// PKCE, with the answer pasted back.
    Paste,
    /// PKCE, with the answer delivered to our own page.
    Callback,
}

/// Where a login stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LoginStatus {
    /// Reserved; the provider is being asked.
    Starting,
    /// The member's move.
    Pending,
    /// A code is being spent.
    Exchanging,
    /// Signed in with another account; an admin must agree (I5).
    Confirming,
    /// Stored.
    Succeeded,
    /// Ended by somebody.
    Cancelled,
    /// Ended by time.
    Expired,
    /// Ended at the provider, by whoever was asked there.
    Denied,
    /// Ended by an error.
    Failed,
}

impl LoginStatus {
    /// All of them, in the order of a login's life.
    pub const ALL: [Self; 9] = [
        Self::Starting,
        Self::Pending,
        Self::Exchanging,
        Self::Confirming,
        Self::Succeeded,
        Self::Cancelled,
        Self::Expired,
        Self::Denied,
        Self::Failed,
    ];

    /// Whether the login is over (C3).
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self >= Self::Succeeded
    }

    /// The word in the file and in `status --json`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Pending => "pending",
            Self::Exchanging => "exchanging",
            Self::Confirming => "confirming",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for LoginStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a login failed or ended otherwise than the member wished, for the words that people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// Somebody else's sign-in filled the tenant first: their id (S9).
    CompletedBy(User),
    /// The process that was starting it died (S13).
    NotStarted,
    /// The process that was spending the code died (S13).
    Interrupted,
    /// The tokens came and could not be stored.
    NotStored,
    /// The tenant holds another account's credential (I2, I5).
    OtherAccount,
    /// The tenant belongs to another member (I6).
    OtherOwner,
    /// An admin agreed that this account takes the place of the one before (I5): their id.
    ConfirmedBy(User),
    /// An admin kept the account that the tenant has (I5): their id.
    RefusedBy(User),
    /// No admin gave their word in time (I5).
    Unconfirmed,
    /// The provider gave the very tokens that this other tenant holds (I9).
    HeldElsewhere(TenantKey),
    /// The tenant was logged out, or its provider removed, while this login ran.
    Removed,
    /// The one who started it is not served any more (U7).
    NotServed,
    /// Who ended it, where that was not its owner.
    CancelledBy(User),
    /// The provider gave no usable answer, although the sign-in went well on its page.
    Unavailable,
    /// The provider no longer accepted the code: too late, used before, or another sign-in's.
    CodeRefused,
    /// The provider refuses our client or request, which the operator must mend: its own words, sanitised (T10).
    Misconfigured(Option<String>),
    /// The sign-in is good, and its account may not have what is asked for: the provider's own words, sanitised (T10).
    NoAccess(Option<String>),
    /// Nothing told whose the sign-in is, and it would have taken a known account's place (I2).
    UnknownAccount,
    /// The provider was taken out of the configuration.
    NotOffered,
    /// The provider's words, sanitised (T10).
    Provider(String),
}

/// Somebody to tell how the login goes on: a thread, and the message there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Where.
    pub thread: ThreadId,
    /// The token of the interaction whose message shows the login; until the end only.
    pub interaction: Option<Secret>,
}

/// The name of a login: opaque, safe in a custom id.
pub type LoginId = String;

/// What stands in the pending entry while an admin is asked (I5).
#[derive(Debug, Clone, PartialEq)]
pub struct Confirming {
    /// What the sign-in brought, and is in no slot.
    pub credential: Credential,
    /// Since when it waits.
    pub since: UnixSeconds,
}

impl Confirming {
    /// When the wait is over: a day on, or with the access token, where nothing could refresh it.
    #[must_use]
    pub fn ends_at(&self) -> UnixSeconds {
        let longest = self.since.saturating_add(CONFIRMING_LIFE);
        let useless = self.credential.expires_at.filter(|_| self.credential.refresh_token.is_none());
        useless.map_or(longest, |at| at.min(longest))
    }

    /// The account that would take the slot over.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.credential.account
    }
}

/// A thread in which the admins are asked, durably, so that it is asked in once and can be told the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// About which login: one that takes another's place keeps the questions that nobody has closed yet.
    pub login: LoginId,
    /// Where.
    pub thread: ThreadId,
    /// When the question was about to be sent.
    pub at: UnixSeconds,
    /// The message that asks, once that is known.
    pub message: Option<String>,
}

/// A login under way, or just over.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingLogin {
    /// Its name.
    pub id: LoginId,
    /// How the member signs in.
    pub kind: LoginKind,
    /// Who started it, and alone may complete it (C11).
    pub user: User,
    /// Where the credential goes (C10).
    pub tenant: TenantKey,
    /// Where it stands.
    pub status: LoginStatus,
    /// Whether the one who started it is an admin (I6).
    pub by_admin: bool,
    /// The thread to bind on success, where wanted.
    pub bind: Option<ThreadId>,
    /// What the one who started it reads, as a language tag (BCP 47): its messages go on being written in that language.
    pub locale: Option<String>,
    /// The guild whose bot started it (U7).
    pub guild: Option<u64>,
    /// The issuer at the start (C10).
    pub issuer: Option<String>,
    /// Whether the server promised at the start to name itself in its answer (T4).
    pub iss_promised: bool,
    /// The token endpoint at the start (T5).
    pub token_endpoint: Option<String>,
    /// The client id at the start.
    pub client_id: Option<String>,
    /// Our client as the issuer registered it, where the operator has none there (RFC 7591). It goes on to the credential.
    pub registration: Option<Registration>,
    /// What the tokens are for, where the request names it (RFC 8707).
    pub resource: Option<String>,
    /// The redirect URI that the code is bound to.
    pub redirect_uri: Option<String>,
    /// The PKCE code verifier.
    pub verifier: Option<Secret>,
    /// The state that the answer must carry (T2).
    pub state: Option<Secret>,
    /// The link that asks for the sign-in (paste, callback). It carries the state.
    pub authorize_url: Option<Secret>,
    /// What is polled with.
    pub device_code: Option<Secret>,
    /// What the member types.
    pub user_code: Option<Secret>,
    /// Where the member types it.
    pub verification_uri: Option<String>,
    /// The same with the code in it.
    pub verification_uri_complete: Option<Secret>,
    /// Seconds between polls, `slow_down` included (T11).
    pub interval: Option<u64>,
    /// When the last poll went out.
    pub last_poll_at: Option<UnixSeconds>,
    /// Who is to be told.
    pub watchers: Vec<Watcher>,
    /// Threads that have been told the end.
    pub told: Vec<ThreadId>,
    /// The tokens that wait for an admin's word, while they do.
    pub confirming: Option<Box<Confirming>>,
    /// Where admins are asked, until that question is closed.
    pub asked: Vec<Asked>,
    /// Why it ended so.
    pub reason: Option<EndReason>,
    /// When it was started.
    pub created_at: UnixSeconds,
    /// When it ends by itself.
    pub expires_at: UnixSeconds,
    /// When it last changed status, or was told.
    pub updated_at: UnixSeconds,
}

impl PendingLogin {
    /// A login that is about to start, and knows no more than what it is for.
    #[must_use]
    pub fn new(
        id: LoginId,
        kind: LoginKind,
        user: User,
        tenant: TenantKey,
        created_at: UnixSeconds,
        expires_at: UnixSeconds,
    ) -> Self {
        Self {
            id,
            kind,
            user,
            tenant,
            status: LoginStatus::Starting,
            by_admin: false,
            bind: None,
            locale: None,
            guild: None,
            issuer: None,
            iss_promised: false,
            token_endpoint: None,
            client_id: None,
            registration: None,
            resource: None,
            redirect_uri: None,
            verifier: None,
            state: None,
            authorize_url: None,
            device_code: None,
            user_code: None,
            verification_uri: None,
            verification_uri_complete: None,
            interval: None,
            last_poll_at: None,
            watchers: Vec::new(),
            told: Vec::new(),
            confirming: None,
            asked: Vec::new(),
            reason: None,
            created_at,
            expires_at,
            updated_at: created_at,
        }
    }

    /// Whether its stamp is missing, too old, or from the future (S11, S14). What waits for an admin has a stamp of its own.
    #[must_use]
    pub fn is_ancient(&self, now: UnixSeconds) -> bool {
        let waiting = self.confirming.as_ref().filter(|_| self.status == LoginStatus::Confirming);
        let (stamp, age) = match waiting {
            Some(waiting) => (waiting.since, CONFIRMING_LIFE + SKEW_ALLOWED),
            None => (self.created_at, ANCIENT_AGE),
        };
        stamp <= 0 || now.saturating_sub(stamp) > age || stamp.saturating_sub(now) > SKEW_ALLOWED
    }

    /// Has it wait for an admin's word with what it brought: all that was needed to get there is spent, and goes.
    pub fn wait_for_admin(&mut self, waiting: Confirming) {
        self.strip_way();
        self.expires_at = waiting.ends_at();
        self.confirming = Some(Box::new(waiting));
    }

    /// Removes every secret (C5).
    pub fn strip(&mut self) {
        self.strip_way();
        self.confirming = None;
        self.forget_messages();
    }

    /// Removes what its messages are changed by.
    pub(crate) fn forget_messages(&mut self) {
        for watcher in &mut self.watchers {
            watcher.interaction = None;
        }
    }

    /// Removes what leads to the tokens.
    fn strip_way(&mut self) {
        self.verifier = None;
        self.state = None;
        self.authorize_url = None;
        self.device_code = None;
        self.user_code = None;
        self.verification_uri_complete = None;
        self.registration = None;
    }

    /// The page that the person is to open: the one of the authorization request, or the one that takes the user code.
    #[must_use]
    pub fn link(&self) -> Option<Secret> {
        let page = || self.verification_uri.as_deref().map(Secret::from);
        match self.kind {
            LoginKind::Device => self.verification_uri_complete.clone().or_else(page),
            LoginKind::Paste | LoginKind::Callback => self.authorize_url.clone(),
        }
    }

    /// The threads that still have to hear of the end.
    pub fn untold(&self) -> impl Iterator<Item = &ThreadId> {
        self.watchers.iter().map(|w| &w.thread).filter(|thread| !self.told.contains(thread))
    }
}

#[cfg(test)]
mod tests;
