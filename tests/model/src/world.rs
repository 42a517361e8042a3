//! What the model's world is made of, with the names of the code.
//!
//! Owns the state: the store's entry of one tenant, its rescue room, the authorization server, three processes, and what
//! the environment may still do. Invariant: a state is a plain value of bounded size; processes have no names, so they are
//! kept in order and states that differ by their order are one. Must not: decide or change anything.

/// How many processes share the tenant.
pub const PROCESSES: usize = 3;

/// Time, in steps of which each is longer than any back-off and exactly the life of an access token.
pub type Tick = u8;

/// `Credential::version` of the code: credential id and generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Which sign-in.
    pub id: u8,
    /// One up at every replacement of its tokens.
    pub generation: u8,
}

/// The tokens of one reply: the refresh token, and the access token that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    /// The sign-in that it descends from.
    pub id: u8,
    /// How often the server had rotated it.
    pub serial: u8,
}

/// Where a credential's refresh stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialState {
    /// Nothing known against it.
    Ok,
    /// A definite answer said that it is dead.
    NeedsLogin,
    /// Two attempts went out and no whole answer came back.
    Uncertain,
}

/// What is written down before a send (G19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Intent {
    /// Credential id and generation. The hash of the refresh token adds nothing here: a version has one refresh token.
    pub version: Version,
    /// How often it has been sent, this time included.
    pub attempt: u8,
    /// When.
    pub sent_at: Tick,
}

/// What the tenant holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Credential {
    /// Id and generation.
    pub version: Version,
    /// Both tokens.
    pub token: Token,
    /// The access token serves before this tick.
    pub expires_at: Tick,
    /// Where its refresh stands.
    pub state: CredentialState,
    /// A refresh that was sent and has no recorded end.
    pub intent: Option<Intent>,
    /// When it was last refreshed because a caller said that its token was rejected.
    pub forced_at: Option<Tick>,
    /// Not before this tick is it tried again.
    pub retry_at: Option<Tick>,
}

impl Credential {
    /// What a sign-in brings.
    #[must_use]
    pub fn of_sign_in(id: u8, now: Tick) -> Self {
        Self {
            version: Version { id, generation: 1 },
            token: Token { id, serial: 0 },
            expires_at: now + 1,
            state: CredentialState::Ok,
            intent: None,
            forced_at: None,
            retry_at: None,
        }
    }

    /// `Credential::open_intent` of the code.
    #[must_use]
    pub fn open_intent(&self) -> Option<Intent> {
        self.intent.filter(|intent| intent.version == self.version)
    }
}

/// A rotated credential that waits to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rescue {
    /// What it may replace.
    pub replaces: Version,
    /// What the reply made of it.
    pub credential: Credential,
}

/// The tenant's rescue file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Room {
    /// There is none.
    None,
    /// Set aside and empty.
    SetAside,
    /// It holds a rotation.
    Written(Rescue),
}

/// What a caller wants of a token, beyond that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Want {
    /// Nothing.
    Plain,
    /// Another than this one, which was rejected (G14).
    Rejects(Token),
    /// A longer life than any token has, so a newer one than this at arrival (G15).
    Longer(Version),
}

/// An exchange that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exchange {
    /// The credential as it was read, its intent before this exchange included.
    pub stored: Credential,
    /// The attempt that its intent counts.
    pub attempt: u8,
    /// Whether only a caller's word speaks against the present token.
    pub forced: bool,
}

/// `oauth::Outcome` of the code, as far as the protocol tells its cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// New tokens.
    Granted(Token),
    /// Not sent, or refused for the moment: nothing was used up.
    PassingRefusal,
    /// `invalid_grant`.
    Dead,
    /// Sent, and no whole answer.
    Unknown,
}

/// What a flight writes down besides tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// `mark_uncertain`.
    Uncertain,
    /// `mark_dead`, for an unknown attempt that a newer sign-in forbids to follow.
    GiveUp,
}

/// Where a flight ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Landing {
    /// With these tokens.
    Served(Version, Token),
    /// With an error: needs login, back-off, held, rejected, the store's.
    Failed,
    /// With the rotation in the rescue room.
    Unsaved,
}

/// The program counter of a process: the steps of `src/fault.rs`, and what lies between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// No caller; or killed, and started again.
    Idle,
    /// A caller has come; next is the look without a lock.
    Arrived,
    /// A flight, before it has the refresh lock. What was read outside the lock, for the design that keeps it.
    BeforeLock(Option<Credential>),
    /// With the refresh lock; nothing read yet.
    WithLock(Option<Credential>),
    /// A rotation that was kept aside is saved; its room is still there.
    RescueFinished,
    /// `LookAgain`: next is to read the store and to `decide`.
    Looking,
    /// `decide` said to write this down and to end.
    Marking(Credential, Mark),
    /// `decide` said `Refresh`, and room is set aside; next is the intent.
    AfterRoom(Exchange),
    /// The intent is durable; next is the last look at siblings.
    AfterIntent(Exchange),
    /// Nothing speaks against it; next is the send.
    Sending(Exchange),
    /// The server has answered, or never will; nothing is written down of it.
    AfterReply(Exchange, Outcome),
    /// The save has failed, and the rotation is nowhere but in memory.
    SaveFailed(Rescue),
    /// The rotation is in the rescue room; the store does not have it.
    AfterRescue(Rescue),
    /// The rotation is in the store; nobody has it.
    AfterSave(Version, Token),
    /// The flight is over; next it gives the room back and publishes.
    Landed(Landing),
    /// Published; next is to let go of the lock.
    AfterPublish,
}

/// One process with one flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// Where it is.
    pub step: Step,
    /// What its caller wants.
    pub want: Want,
    /// How many exchanges this flight has made.
    pub exchanges: u8,
    /// Whether it holds the refresh lock.
    pub holds_lock: bool,
    /// Witness: a sign-in was stored after its last look at siblings and before its send.
    pub overtaken: bool,
}

impl Process {
    /// A process without a caller.
    pub const IDLE: Self =
        Self { step: Step::Idle, want: Want::Plain, exchanges: 0, holds_lock: false, overtaken: false };
}

/// The refresh tokens of one sign-in at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Family {
    /// The grant that it belongs to: sign-ins of one person in one browser session share one.
    pub grant: u8,
    /// The serial that counts; all before are used.
    pub serial: u8,
    /// Witness: presentations of the stored token since the last definite answer was written down, less the replies
    /// lost and the processes killed.
    pub uses: i8,
    /// Witness: sends without a written answer since the last one, or since a back-off was written down (which leaves one).
    pub unanswered: u8,
}

impl Family {
    const fn new(grant: u8) -> Self {
        Self { grant, serial: 0, uses: 0, unanswered: 0 }
    }
}

/// The authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Server {
    /// By credential id: the first sign-in, and the one after.
    pub families: [Family; 2],
    /// Which grants live.
    pub grants: [bool; 2],
}

/// What the environment may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// Kills, at any step of any process.
    pub kills: u8,
    /// Requests or replies that are lost.
    pub losses: u8,
    /// Requests that are not sent, or refused for the moment.
    pub refusals: u8,
    /// Writes of the store that are made and reported as failed.
    pub doubts: u8,
    /// Times that the disk fills up; it may be emptied again as often, and need not be.
    pub fills: u8,
    /// Times that a full disk is emptied.
    pub empties: u8,
    /// Ticks of the clock.
    pub ticks: u8,
    /// Callers that come later.
    pub callers: u8,
    /// Logouts.
    pub logouts: u8,
    /// Sign-ins of this tenant.
    pub sign_ins: u8,
    /// Sign-ins of another tenant with the same account.
    pub siblings: u8,
}

/// What the properties need to know of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The sign-in that people believe in.
    pub held: Option<u8>,
    /// The newest generation of it that somebody was handed.
    pub acknowledged: u8,
    /// The properties of a single moment that have been broken.
    pub broken: u16,
}

/// Everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    /// The time.
    pub now: Tick,
    /// The tenant's entry in the auth file.
    pub store: Option<Credential>,
    /// Its rescue file.
    pub room: Room,
    /// Whether nothing more can be written but into room set aside.
    pub disk_is_full: bool,
    /// When another tenant got a sign-in of the same account, in the first grant.
    pub sibling: Option<Tick>,
    /// A lock whose holder is gone; kernel locks know none.
    pub stale_lock: bool,
    /// The authorization server.
    pub server: Server,
    /// In order.
    pub processes: [Process; PROCESSES],
    /// What may still happen.
    pub left: Budget,
    /// What has happened.
    pub witness: Witness,
}

impl World {
    /// Three callers at once, each with `want`, and a token that serves for `life` ticks more.
    #[must_use]
    pub fn at_start(want: Want, life: Tick, left: Budget) -> Self {
        let mut first = Credential::of_sign_in(0, 0);
        first.expires_at = life;
        Self {
            now: 0,
            store: Some(first),
            room: Room::None,
            disk_is_full: false,
            sibling: None,
            stale_lock: false,
            server: Server { families: [Family::new(0), Family::new(0)], grants: [true, true] },
            processes: [Process { step: Step::Arrived, want, ..Process::IDLE }; PROCESSES],
            left,
            witness: Witness { held: Some(0), acknowledged: 1, broken: 0 },
        }
    }

    /// Whether the refresh lock is taken.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.stale_lock || self.processes.iter().any(|process| process.holds_lock)
    }

    /// The stored credential, if it is still the one that `read` was.
    #[must_use]
    pub fn unchanged(&self, read: Version) -> Option<Credential> {
        self.store.filter(|stored| stored.version == read)
    }

    /// The server's record of the refresh tokens of `id`.
    pub fn family(&mut self, id: u8) -> &mut Family {
        &mut self.server.families[usize::from(id)]
    }

    /// Puts a new sign-in of the tenant with the server, in `grant`.
    pub fn open_family(&mut self, id: u8, grant: u8) {
        *self.family(id) = Family::new(grant);
    }
}
