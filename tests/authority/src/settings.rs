//! What the scripted server can be told to do differently. Every field may change while it runs.
//!
//! The defaults are those of a strict, conforming server; each deviation is one a real server shows.

use std::collections::HashMap;
use std::time::Duration;

use crate::Endpoint;
use crate::person::Person;

/// How the server behaves.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named where it is set")]
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name on the sign-in page.
    pub name: String,
    /// The people whom the sign-in page offers; anybody else can be typed in.
    pub people: Vec<Person>,
    /// The path of the issuer: `""`, `/tenant`, or `/` for an issuer with a trailing slash.
    pub issuer_path: String,
    /// Put `iss` into the authorization answer and promise it in the metadata (RFC 9207).
    pub iss_in_answer: bool,
    /// How the person's approval gets back to the client.
    pub answer: Answer,
    /// Accept any client id as a public client with any redirect URI.
    pub any_client: bool,
    /// Members put over the metadata documents; `null` takes one out.
    pub metadata: serde_json::Map<String, serde_json::Value>,

    /// How long an access token really lives.
    pub access_lifetime: Duration,
    /// How long a refresh token really lives; `None` is for ever.
    pub refresh_lifetime: Option<Duration>,
    /// How long an authorization code lives.
    pub code_lifetime: Duration,
    /// An access token is refused until this long after its issue (`nbf`).
    pub not_before: Duration,
    /// Seconds that the server's clock is ahead of the machine's.
    pub clock_shift: i64,
    /// The API refuses every access token, whatever the clock says.
    pub api_rejects_all: bool,

    /// When a grant comes with a refresh token.
    pub refresh_tokens: RefreshTokens,
    /// What a refresh does to the refresh token.
    pub rotation: Rotation,
    /// What a second use of a refresh token does.
    pub reuse: Reuse,
    /// How a refused reuse is spelt.
    pub reuse_error: ReuseError,
    /// The words for a refresh token that is dead for any other reason.
    pub dead_words: String,
    /// What a revocation takes with it.
    pub revocation: Revocation,
    /// Two logins of one person at one client share a grant, so that ending one ends the other.
    pub one_grant_per_person: bool,
    /// A refresh answers for this subject in place of the one who signed in.
    pub refresh_as: Option<Person>,

    /// The shape of a token reply.
    pub reply: ReplyShape,
    /// Which bodies the token endpoint takes.
    pub bodies: Bodies,

    /// The `interval` of a device answer.
    pub interval: Interval,
    /// The spacing of polls that is enforced with `slow_down`, whatever `interval` says. Zero enforces none.
    pub enforced_interval: Duration,
    /// What each `slow_down` adds to the enforced spacing.
    pub slow_down_adds: Duration,
    /// How long a device code lives; also its `expires_in`.
    pub device_lifetime: Duration,
    /// Members put over a device answer, codex's too; `null` takes one out (`expires_in`, say).
    pub device_answer: serde_json::Map<String, serde_json::Value>,
    /// Whether a device answer has `verification_uri_complete` (by the user-code grant: whether its page has the code in it).
    pub complete_uri: bool,
    /// A device login needs PKCE, as at Qwen: its start a challenge by S256, its polls the verifier.
    pub device_pkce: bool,
    /// The token endpoint speaks as `MiniMax`'s: always HTTP 200, with `status`, `base_resp` and `expired_in`.
    pub status_replies: bool,
    /// What `expired_in` counts, where `status_replies` is set and at the start of the user-code grant.
    pub expired_in: ExpiredIn,
    /// The status of codex's "pending": 403 or 404.
    pub codex_pending_status: u16,
    /// Whether codex's device answer has `expires_at`.
    pub codex_expires_at: bool,
    /// The redirect URI that the exchange of codex's device protocol must name, if it is not below the issuer.
    pub codex_callback: Option<String>,

    /// What Copilot's exchange does.
    pub copilot: Copilot,
    /// How the userinfo endpoint spells its answer.
    pub userinfo: UserinfoShape,
    /// Members put over that answer; `null` takes one out.
    pub userinfo_extra: serde_json::Map<String, serde_json::Value>,

    /// Time spent before a request is acted on.
    pub latency: HashMap<Endpoint, Duration>,
    /// Time spent after a request was acted on, before the reply leaves.
    pub reply_latency: HashMap<Endpoint, Duration>,
}

/// How an approval gets back to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A redirect to the redirect URI.
    Redirect,
    /// A hosted page with `code#state` to copy.
    CodeHashState,
    /// A hosted page with the code alone to copy.
    BareCode,
}

/// When a grant comes with a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokens {
    /// Always.
    Always,
    /// With the scope `offline_access`.
    OfflineAccess,
    /// Never.
    Never,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// A new one; the old one is spent.
    Rotate,
    /// None in the reply; the old one goes on serving.
    Omit,
    /// The same one in the reply.
    Same,
}

/// What a second use of a refresh token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Refused, and the whole grant ends, the winner's tokens included.
    Strict,
    /// Counted, and answered with new tokens.
    Lenient,
    /// Refused, but the grant goes on.
    Refused,
}

/// How a refused reuse is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReuseError {
    /// 400 `invalid_grant`, worded as for any other dead refresh token.
    Plain,
    /// 400 `invalid_grant` whose description says that the token was used before.
    Prose,
    /// 401 `{"error": {"code": "refresh_token_reused", …}}`.
    Nested,
    /// 400 with a `message` and no `error`.
    ProseOnly,
}

/// What a revocation takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The token alone (and, for a refresh token, the access tokens of its grant).
    Token,
    /// The whole grant.
    Grant,
    /// Every grant of the same person at the same client.
    PersonAndClient,
    /// Refused with 401 `invalid_client`, as some servers do for public clients.
    Refused,
}

/// What a reply says about the lifetime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpiresIn {
    /// The real lifetime, a number of seconds.
    Real,
    /// The real lifetime, as a string.
    Text,
    /// Nothing.
    Missing,
    /// This value, true or not (negative numbers, strings, …).
    Says(serde_json::Value),
}

/// What `expired_in` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiredIn {
    /// Milliseconds since 1970: a time, for all its name.
    Millis,
    /// Seconds since 1970.
    Seconds,
    /// Seconds from now.
    Relative,
}

/// How scopes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeShape {
    /// Separated by spaces, as the standard says.
    Spaces,
    /// Separated by commas.
    Commas,
    /// A JSON array.
    Array,
    /// Left out.
    Missing,
}

/// Which identity token comes with the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdToken {
    /// None.
    None,
    /// A JWT with `alg` `none` and an empty signature.
    Unsigned,
    /// A JWT signed with HS256 and a key that nobody knows.
    Signed,
}

/// The shape of a successful token reply.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, named where it is set")]
#[derive(Clone, Debug)]
pub struct ReplyShape {
    /// The status: 200, or 201.
    pub status: u16,
    /// The `token_type`; `None` leaves it out.
    pub token_type: Option<String>,
    /// The `expires_in`.
    pub expires_in: ExpiresIn,
    /// The `scope`.
    pub scope: ScopeShape,
    /// Put white space around the tokens.
    pub padded: bool,
    /// Form-encoded in place of JSON.
    pub form_encoded: bool,
    /// Leave out the access token.
    pub no_access_token: bool,
    /// The identity token.
    pub id_token: IdToken,
    /// Put codex's account claim into the identity token.
    pub account_claim: bool,
    /// Members added to, or put over, the reply; `null` takes one out.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// Which request bodies the token endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    /// Form-encoded, as the standard says.
    Form,
    /// JSON.
    Json,
    /// Either.
    Either,
}

/// The `interval` of a device answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Left out: the client must assume 5 s.
    Missing,
    /// A number of seconds.
    Number(u64),
    /// A string.
    Text(String),
}

/// What Copilot's exchange does.
#[derive(Clone, Debug)]
pub struct Copilot {
    /// Whether the account may use it.
    pub access: CopilotAccess,
    /// How long a token that it brings lives.
    pub lifetime: Duration,
    /// Members put over its answer; `null` takes one out.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Default for Copilot {
    fn default() -> Self {
        Self { access: CopilotAccess::Plan, lifetime: Duration::from_mins(30), extra: serde_json::Map::new() }
    }
}

/// Whether an account may use Copilot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopilotAccess {
    /// It may.
    Plan,
    /// It has no subscription: 403, with details.
    NoPlan,
    /// 404, as for a token of another app.
    NotFound,
}

/// How a userinfo answer is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserinfoShape {
    /// `{sub, email, email_verified}`, to Bearer tokens.
    OpenId,
    /// `{id, email, verified_email}`, to Bearer tokens.
    Google,
    /// `{login, id, email: null}` with a number as id, to either scheme, and never to a token that an exchange brought.
    GitHub,
}

impl Settings {
    pub(crate) fn prefix(&self) -> &str {
        self.issuer_path.trim_end_matches('/')
    }
}

impl Default for ReplyShape {
    fn default() -> Self {
        Self {
            status: 200,
            token_type: Some("Bearer".into()),
            expires_in: ExpiresIn::Real,
            scope: ScopeShape::Spaces,
            padded: false,
            form_encoded: false,
            no_access_token: false,
            id_token: IdToken::Signed,
            account_claim: false,
            extra: serde_json::Map::new(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Northgate".into(),
            people: vec![Person::ada(), Person::ben()],
            issuer_path: String::new(),
            iss_in_answer: true,
            answer: Answer::Redirect,
            any_client: false,
            metadata: serde_json::Map::new(),
            access_lifetime: Duration::from_hours(1),
            refresh_lifetime: None,
            code_lifetime: Duration::from_mins(5),
            not_before: Duration::ZERO,
            clock_shift: 0,
            api_rejects_all: false,
            refresh_tokens: RefreshTokens::Always,
            rotation: Rotation::Rotate,
            reuse: Reuse::Strict,
            reuse_error: ReuseError::Plain,
            dead_words: "the refresh token is not valid".into(),
            revocation: Revocation::Grant,
            one_grant_per_person: false,
            refresh_as: None,
            reply: ReplyShape::default(),
            bodies: Bodies::Form,
            interval: Interval::Number(5),
            enforced_interval: Duration::from_secs(5),
            slow_down_adds: Duration::from_secs(5),
            device_lifetime: Duration::from_mins(10),
            device_answer: serde_json::Map::new(),
            complete_uri: true,
            device_pkce: false,
            status_replies: false,
            expired_in: ExpiredIn::Millis,
            codex_pending_status: 403,
            codex_expires_at: true,
            codex_callback: None,
            copilot: Copilot::default(),
            userinfo: UserinfoShape::OpenId,
            userinfo_extra: serde_json::Map::new(),
            latency: HashMap::new(),
            reply_latency: HashMap::new(),
        }
    }
}
