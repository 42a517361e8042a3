//! The device flow (RFC 8628): the start, the verification page, and what a poll is told.
//!
//! What must hold: a poll is spaced as the server asked; a device code yields tokens once, and its replay ends
//! the grant. Codex's protocol shares the logins and the page, with its own wire format in `codex`; so does the user-code
//! grant, whose start and replies are in `user_code_grant`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::incoming::{BodyKind, Incoming};
use crate::ledger::{End, GrantId, millis};
use crate::pages;
use crate::person::{Client, Person};
use crate::reply::Reply;
use crate::secrets::user_code;
use crate::settings::Interval;
use crate::state::State;
use crate::token::{challenge_of, well_formed};
use crate::token_reply::{self, Occasion};

/// Polls may come this much too early: clocks and networks jitter.
const TOLERANCE: Duration = Duration::from_millis(150);

/// A login on a device.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub client: String,
    pub user_code: String,
    pub scopes: Vec<String>,
    /// What the verifier of each poll must match, where the start gave one.
    pub challenge: Option<String>,
    pub expires: i64,
    pub verdict: Verdict,
    /// The spacing now asked for, every `slow_down` included.
    pub spacing: Duration,
    pub started: Instant,
    pub polls: Vec<Instant>,
    /// A final answer was given; a well-behaved client never polls again.
    pub over: bool,
    pub polls_after_end: usize,
}

/// What the person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Waiting,
    Approved(Person),
    Denied,
    /// Approved, and the tokens (or codex's code) were handed out.
    Spent(Option<GrantId>),
}

/// What a poll finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    Pending,
    TooFast,
    Denied,
    Expired,
    Approved(Person),
    Spent(Option<GrantId>),
}

impl Device {
    /// The shortest time between two polls.
    pub fn closest_polls(&self) -> Option<Duration> {
        self.polls.windows(2).map(|pair| pair[1].duration_since(pair[0])).min()
    }

    /// The time from the start to the first poll.
    pub fn first_poll(&self) -> Option<Duration> {
        self.polls.first().map(|first| first.duration_since(self.started))
    }

    fn poll(&mut self, now: i64, slow_down_adds: Duration) -> Polled {
        let instant = Instant::now();
        let too_fast = self.polls.last().is_some_and(|last| instant - *last + TOLERANCE < self.spacing);
        self.polls.push(instant);
        if self.over {
            self.polls_after_end += 1;
        }
        let found = match &self.verdict {
            Verdict::Spent(grant) => Polled::Spent(*grant),
            Verdict::Denied => Polled::Denied,
            _ if self.expires <= now => Polled::Expired,
            _ if too_fast => {
                self.spacing += slow_down_adds;
                Polled::TooFast
            }
            Verdict::Waiting => Polled::Pending,
            Verdict::Approved(person) => Polled::Approved(person.clone()),
        };
        self.over |= !matches!(found, Polled::Pending | Polled::TooFast);
        found
    }
}

/// Answers the device authorization endpoint.
pub(crate) fn start(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method != "POST" || incoming.body != BodyKind::Form {
        return Reply::error(400, "invalid_request", "POST with a form-encoded body only");
    }
    if let Some(name) = Incoming::duplicate(&incoming.form) {
        return Reply::error(400, "invalid_request", &format!("{name} was sent twice"));
    }
    let client = match state.authenticate(incoming) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    let challenge = match challenge(incoming, state.settings.device_pkce) {
        Ok(challenge) => challenge,
        Err(why) => return Reply::error(400, "invalid_request", why),
    };
    let (device_code, user_code) = open(state, "dc", &client.id, scopes(incoming));
    challenged(state, &device_code, challenge);
    let page = state.url("/device");
    let mut body = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": page,
        "expires_in": state.settings.device_lifetime.as_secs(),
    });
    if state.settings.complete_uri {
        body["verification_uri_complete"] = format!("{page}?user_code={user_code}").into();
    }
    finish(&mut body, state);
    Reply::json(200, &body)
}

/// The scopes that a start asks for.
pub(crate) fn scopes(incoming: &Incoming) -> Vec<String> {
    incoming.field("scope").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
}

/// The code challenge of a start (RFC 7636, section 4.3), S256 only; `needed` says if it may be missing.
pub(crate) fn challenge(incoming: &Incoming, needed: bool) -> Result<Option<String>, &'static str> {
    let method = incoming.field("code_challenge_method");
    match incoming.field("code_challenge") {
        None if needed || method.is_some() => Err("code_challenge is missing"),
        None => Ok(None),
        Some(_) if method != Some("S256") => Err("code_challenge_method must be S256"),
        Some(challenge) if challenge.len() != 43 => Err("code_challenge is malformed"),
        Some(challenge) => Ok(Some(challenge.to_owned())),
    }
}

/// Has each poll of this login show the verifier of `challenge`.
pub(crate) fn challenged(state: &mut State, code: &str, challenge: Option<String>) {
    if let Some(device) = state.devices.get_mut(code) {
        device.challenge = challenge;
    }
}

/// Begins a login on a device and gives its device code and user code.
pub(crate) fn open(state: &mut State, prefix: &str, client: &str, scopes: Vec<String>) -> (String, String) {
    let device_code = state.secrets.fresh(prefix);
    let user_code = enter(state, Some(&device_code), client, scopes);
    (device_code, user_code)
}

/// Begins a login under its device code, or, where it has none, under its user code, which it gives.
pub(crate) fn enter(
    state: &mut State,
    device_code: Option<&str>,
    client: &str,
    scopes: Vec<String>,
) -> String {
    let device = Device {
        client: client.to_owned(),
        user_code: user_code(),
        scopes,
        challenge: None,
        expires: state.now() + millis(state.settings.device_lifetime),
        verdict: Verdict::Waiting,
        spacing: state.settings.enforced_interval,
        started: Instant::now(),
        polls: Vec::new(),
        over: false,
        polls_after_end: 0,
    };
    let user_code = device.user_code.clone();
    state.devices.insert(device_code.unwrap_or(&user_code).to_owned(), device);
    user_code
}

/// Puts the interval, and what the settings put over the answer, into a device answer.
pub(crate) fn finish(body: &mut Value, state: &State) {
    match &state.settings.interval {
        Interval::Missing => {}
        Interval::Number(seconds) => body["interval"] = (*seconds).into(),
        Interval::Text(text) => body["interval"] = text.clone().into(),
    }
    if let Value::Object(members) = body {
        token_reply::overlay(members, &state.settings.device_answer);
    }
}

/// Counts a poll and says what it finds; `None` for a device code that was never made.
pub(crate) fn look(state: &mut State, device_code: &str) -> Option<Polled> {
    let (now, adds) = (state.now(), state.settings.slow_down_adds);
    state.devices.get_mut(device_code).map(|device| device.poll(now, adds))
}

/// Answers a poll at the token endpoint, which presents the code that it began with in the field `name`.
pub(crate) fn poll(state: &mut State, incoming: &Incoming, client: &Client, name: &str) -> Reply {
    let Some(device_code) = incoming.field(name) else {
        return Reply::error(400, "invalid_request", &format!("{name} is missing"));
    };
    let ours = state.devices.get(device_code).is_some_and(|device| device.client == client.id);
    let found = if ours { look(state, device_code) } else { None };
    let challenge = state.devices.get(device_code).and_then(|device| device.challenge.clone());
    let verifier = incoming.field("code_verifier").unwrap_or_default();
    if ours
        && challenge.is_some_and(|challenge| !well_formed(verifier) || challenge_of(verifier) != challenge)
    {
        return Reply::error(400, "invalid_grant", "code_verifier does not match the challenge");
    }
    match found {
        None => Reply::error(400, "invalid_grant", "the device code is unknown"),
        Some(Polled::Pending) => Reply::error(400, "authorization_pending", "nobody has decided yet"),
        Some(Polled::TooFast) => Reply::error(400, "slow_down", "polled too fast"),
        Some(Polled::Denied) => Reply::error(400, "access_denied", "the person said no"),
        Some(Polled::Expired) => Reply::error(400, "expired_token", "the device code has expired"),
        Some(Polled::Spent(grant)) => {
            if let Some(grant) = grant {
                state.ledger.end(grant, End::Revoked);
            }
            Reply::error(400, "invalid_grant", "the device code was used before")
        }
        Some(Polled::Approved(person)) => {
            let now = state.now();
            let scopes = state.devices.get(device_code).map(|device| device.scopes.clone());
            let scopes = scopes.unwrap_or_default();
            let grant = state.ledger.open(&client.id, &person, &scopes, &state.settings);
            if let Some(device) = state.devices.get_mut(device_code) {
                device.verdict = Verdict::Spent(Some(grant));
            }
            let issued = state.ledger.issue(grant, &state.settings, &mut state.secrets, now);
            token_reply::granted(state, &issued, Occasion::SignIn(None))
        }
    }
}

/// Answers the verification page.
pub(crate) fn page(state: &mut State, incoming: &Incoming) -> Reply {
    if incoming.method == "GET" {
        let code = incoming.parameter("user_code").unwrap_or_default();
        let person = pages::remembered(incoming);
        return Reply::page(200, pages::device(&state.settings, code, None, person.as_ref()));
    }
    let typed = incoming.field("user_code").unwrap_or_default().to_owned();
    let person = pages::chosen(&state.settings, incoming);
    let approve = incoming.field("decision") == Some("approve");
    let now = state.now();
    let again = |state: &State, why: &str| {
        Reply::page(400, pages::device(&state.settings, &typed, Some(why), person.as_ref()))
    };
    let waiting = |device: &&mut Device| {
        plain(&device.user_code) == plain(&typed)
            && device.verdict == Verdict::Waiting
            && now < device.expires
    };
    if approve && person.is_none() {
        return again(state, "Choose an account, or give a name and an e-mail address.");
    }
    let Some(device) = state.devices.values_mut().find(waiting) else {
        return again(state, "That code is not known, or it is no longer valid.");
    };
    match person {
        Some(person) if approve => {
            device.verdict = Verdict::Approved(person.clone());
            let page = pages::done(
                &state.settings,
                "You are signed in",
                "Go back to your device. This page can be closed.",
            );
            Reply::page(200, page).header("set-cookie", &pages::remember(&person))
        }
        _ => {
            device.verdict = Verdict::Denied;
            let page = pages::done(
                &state.settings,
                "Access was refused",
                "Nothing was shared. This page can be closed.",
            );
            Reply::page(200, page)
        }
    }
}

/// A user code as it is compared: letters and digits, in capitals.
pub(crate) fn plain(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}
