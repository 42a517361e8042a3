//! The code's own policy, asked once for every case that the model can meet.
//!
//! Owns [`Policy`]: a table of what `latchkey::gate::policy::decide` answers. The model has no `decide` of its own, so
//! the two cannot differ. Must not: decide anything.

use std::path::Path;
use std::sync::LazyLock;

use latchkey::config::Config;
use latchkey::credential::{Credential, CredentialKind, CredentialState, Intent};
use latchkey::gate::policy::{self, Step, Want};
use latchkey::provider::{Provider, Reuse};
use latchkey::secret::Secret;

use crate::world;

/// The unix time of tick 1; only differences count.
const NOW: i64 = 1_800_000_000;
/// One tick, in seconds: longer than any back-off that the code chooses, shorter than the longest that it believes.
const TICK: i64 = 10_000;
/// Attempts that are told apart.
const ATTEMPTS: u8 = 7;

/// What speaks against the stored token, by the caller's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objection {
    /// Nothing.
    None,
    /// It was rejected.
    Rejected,
    /// It lasts too short, and the caller has not seen another yet.
    TooShort,
}

/// A case as `decide` sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table")]
pub struct Case {
    /// The credential's state.
    pub state: CredentialState,
    /// The open intent's attempt; 0 where there is none.
    pub attempt: u8,
    /// Whether a back-off was written down after that intent.
    pub waited: bool,
    /// Whether the access token serves by the clock.
    pub serves: bool,
    /// The back-off: none, over, or still holding.
    pub back_off: BackOff,
    /// Whether it was force-refreshed a moment ago.
    pub forced_lately: bool,
    /// The caller's word.
    pub objection: Objection,
    /// Whether the refresh lock is held.
    pub locked: bool,
    /// Whether a newer sign-in of the same account was found.
    pub sibling: bool,
}

/// `retry_at`, against the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackOff {
    /// Not set.
    None,
    /// Passed.
    Over,
    /// Not passed.
    Holding,
}

/// What the code says to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Hand out what is stored.
    Serve,
    /// Exchange, as this attempt.
    Refresh {
        /// For the intent.
        attempt: u8,
        /// On a caller's word alone.
        forced: bool,
    },
    /// Write down that two tries went unanswered.
    MarkUncertain,
    /// Give the credential up for a newer one's sake.
    GiveUp,
    /// Wait for the present token's end.
    Hold,
    /// End with an error: people must sign in, a back-off holds, or a fresh token is rejected too.
    Refuse,
}

/// Every answer of the code's policy towards a provider of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    answers: &'static [Decision],
}

static STRICT: LazyLock<Vec<Decision>> = LazyLock::new(|| answers(Reuse::Strict));
static LENIENT: LazyLock<Vec<Decision>> = LazyLock::new(|| answers(Reuse::Lenient));

fn answers(reuse: Reuse) -> Vec<Decision> {
    let provider = provider(reuse);
    cases().map(|case| ask(&provider, case)).collect()
}

const STATES: [CredentialState; 3] =
    [CredentialState::Ok, CredentialState::NeedsLogin, CredentialState::Uncertain];
const BACK_OFFS: [BackOff; 3] = [BackOff::None, BackOff::Over, BackOff::Holding];
const OBJECTIONS: [Objection; 3] = [Objection::None, Objection::Rejected, Objection::TooShort];
const BOTH: [bool; 2] = [false, true];

impl Policy {
    /// Asks the code about every case, for a provider whose refresh tokens are `reuse`.
    ///
    /// # Panics
    /// When the provider's configuration, which stands here, is not understood.
    #[must_use]
    pub fn of_the_code(reuse: Reuse) -> Self {
        let answers = match reuse {
            Reuse::Strict => &STRICT,
            Reuse::Lenient => &LENIENT,
        };
        Self { answers }
    }

    /// What the code says to do in `case`.
    #[must_use]
    pub fn decide(&self, case: Case) -> Decision {
        self.answers[index(case)]
    }
}

/// Every case, in the order of [`index`].
pub fn cases() -> impl Iterator<Item = Case> {
    let sizes = [2, 2, 3, 2, 3, 2, 2, usize::from(ATTEMPTS), 3];
    (0..sizes.iter().product()).map(move |index: usize| {
        let mut rest = index;
        let mut digit = |size: usize| {
            let digit = rest % size;
            rest /= size;
            digit
        };
        Case {
            sibling: BOTH[digit(2)],
            locked: BOTH[digit(2)],
            objection: OBJECTIONS[digit(3)],
            forced_lately: BOTH[digit(2)],
            back_off: BACK_OFFS[digit(3)],
            serves: BOTH[digit(2)],
            waited: BOTH[digit(2)],
            attempt: u8::try_from(digit(usize::from(ATTEMPTS))).unwrap_or(ATTEMPTS),
            state: STATES[digit(3)],
        }
    })
}

/// The place of `case` among [`cases`].
#[must_use]
pub fn index(case: Case) -> usize {
    let digits = [
        (case.state as usize, 3),
        (usize::from(case.attempt.min(ATTEMPTS - 1)), usize::from(ATTEMPTS)),
        (usize::from(case.waited), 2),
        (usize::from(case.serves), 2),
        (case.back_off as usize, 3),
        (usize::from(case.forced_lately), 2),
        (case.objection as usize, 3),
        (usize::from(case.locked), 2),
        (usize::from(case.sibling), 2),
    ];
    digits.into_iter().fold(0, |index, (digit, size)| index * size + digit)
}

fn ask(provider: &Provider, case: Case) -> Decision {
    let mut credential =
        Credential::new(CredentialKind::OAuth, provider.name.clone(), Secret::new("access"), NOW - TICK);
    let refresh_token = Secret::new("refresh");
    credential.state = case.state;
    credential.expires_at = Some(if case.serves { NOW + TICK / 2 } else { NOW });
    credential.retry_at = match case.back_off {
        BackOff::None => None,
        BackOff::Over => Some(NOW),
        BackOff::Holding => Some(NOW + TICK),
    };
    credential.forced_at = Some(if case.forced_lately { NOW } else { NOW - TICK });
    credential.intent = (case.attempt > 0).then(|| Intent {
        credential_id: credential.id.clone(),
        generation: credential.generation,
        refresh_sha256: refresh_token.hash(),
        attempt: u32::from(case.attempt),
        // An intent that no back-off has followed was written when the last one ended.
        sent_at: if case.waited { NOW - TICK } else { NOW },
    });
    credential.refresh_token = Some(refresh_token);
    let mut want = Want { arrived: Some(credential.version()), ..Want::default() };
    match case.objection {
        Objection::None => {}
        Objection::Rejected => want.rejected = Some(credential.access_token.hash()),
        Objection::TooShort => want.min_valid = 10 * TICK,
    }
    match policy::decide(&credential, provider, &want, NOW, case.locked, case.sibling) {
        Step::Serve => Decision::Serve,
        Step::Refresh { attempt, forced } => {
            Decision::Refresh { attempt: u8::try_from(attempt).unwrap_or(u8::MAX), forced }
        }
        Step::MarkUncertain => Decision::MarkUncertain,
        Step::GiveUp => Decision::GiveUp,
        Step::Hold { .. } => Decision::Hold,
        Step::NeedsLogin
        | Step::Rejected
        | Step::BackOff { .. }
        | Step::Suspended(_)
        | Step::Misconfigured { .. } => Decision::Refuse,
    }
}

fn provider(reuse: Reuse) -> Provider {
    let text = "[providers.acme]\nissuer = \"https://acme.example\"\nclient_id = \"c\"\nflows = [\"device\"]\n\
        token_endpoint = \"https://acme.example/token\"\n\
        device_authorization_endpoint = \"https://acme.example/device\"\n";
    let config = Config::parse(text, Path::new("latchkey.toml"), &|_| None);
    let providers = config.unwrap_or_else(|error| panic!("the model's configuration: {error}")).providers;
    let Some(acme) = providers.iter().next() else { panic!("the model's configuration has no provider") };
    Provider { reuse, ..(**acme).clone() }
}

/// The model's words for a state, in the code's.
#[must_use]
pub fn state(state: world::CredentialState) -> CredentialState {
    match state {
        world::CredentialState::Ok => CredentialState::Ok,
        world::CredentialState::NeedsLogin => CredentialState::NeedsLogin,
        world::CredentialState::Uncertain => CredentialState::Uncertain,
    }
}
