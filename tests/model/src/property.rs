//! What must hold in every state, and what must be reachable for that to mean anything.
//!
//! Owns the properties and their names. Invariant: each is a statement about one state. "Something happens in the end" is
//! said so too: no state may be left in which a caller waits and nobody moves. Together with the absence of endless runs,
//! which is tested by itself, that is progress. Must not: change the world.

use latchkey::provider::Reuse;
use stateright::Property;

use crate::protocol::{Choice, Protocol};
use crate::world::{
    CredentialState, Landing, Mark, Outcome, PROCESSES, Process, Room, Step, Tick, Want, World,
};

/// A property that was broken in a single moment, as a bit of the witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A token was presented that the store had replaced.
    Replaced = 1,
    /// See [`BOUNDED`].
    Unbounded = 2,
    /// See [`PACED`].
    Hasty = 4,
    /// See [`ANNOUNCED`].
    Unannounced = 8,
    /// See [`NEEDED`].
    Needless = 16,
    /// See [`SIBLING`].
    SiblingEnded = 32,
    /// See [`KEPT`].
    DroppedWhatIsStored = 64,
    /// See [`AT_RISK`].
    AtRisk = 128,
    /// See [`FORCED`].
    ForcedAgain = 256,
}

/// G2
pub const ONCE: &str = "a refresh token is presented once, but for each lost reply and each kill once more";
/// G19, G20
pub const BOUNDED: &str = "after two sends without an answer the third waits for a durable back-off";
/// G16
pub const PACED: &str = "nothing is sent before a stored back-off ends";
/// G10
pub const TWO_A_FLIGHT: &str = "a flight makes two exchanges at most";
/// G19
pub const ANNOUNCED: &str = "each send is preceded by its durable intent";
/// G1, G7
pub const NEEDED: &str = "a token that will do is not refreshed";
/// G15
pub const FORCED: &str = "what a forced refresh has just brought is not forced again";
/// G19
pub const AT_RISK: &str = "a strict server is not asked again while the access token serves";
/// G19
pub const SIBLING: &str = "a late second use ends no newer sign-in";
/// G21
pub const DURABLE: &str = "what anybody was handed is in the store, or something newer";
/// G22
pub const FINAL: &str = "a logout is final, and a newer sign-in stays";
/// G17, G18
pub const ALIVE: &str = "no living sign-in is called dead";
/// G21, G22
pub const KEPT: &str = "what is stored is not dropped as superseded";
/// G8, G12
pub const MOVES: &str = "where a caller waits somebody can move, and an idle host holds no lock";
/// G10, G21
pub const RECOVERS: &str =
    "once faults have ended, callers are served, or told to sign in where that is true";

/// The names of all that must hold.
pub const LAWS: [&str; 15] = [
    ONCE,
    BOUNDED,
    PACED,
    TWO_A_FLIGHT,
    ANNOUNCED,
    NEEDED,
    FORCED,
    AT_RISK,
    SIBLING,
    DURABLE,
    FINAL,
    ALIVE,
    KEPT,
    MOVES,
    RECOVERS,
];

type Condition = fn(&Protocol, &World) -> bool;

/// States without which the laws would be empty, and how they are known.
pub const SIGHTS: [(&str, Condition); 14] = [
    ("a rotation is kept aside", |_, world| matches!(world.room, Room::Written(_))),
    ("and the next holder finishes it", |_, world| is_any(world, |step| step == Step::RescueFinished)),
    ("and it was superseded by a newer sign-in", |_, world| match world.room {
        Room::Written(rescue) => world.store.is_some_and(|stored| stored.version.id != rescue.replaces.id),
        _ => false,
    }),
    ("an uncertain credential", |_, world| {
        world.store.is_some_and(|stored| stored.state == CredentialState::Uncertain)
    }),
    ("a third attempt, after a back-off", |_, world| {
        is_any(world, |step| matches!(step, Step::Sending(exchange) if exchange.attempt > 2))
    }),
    ("a second attempt that is granted", |_, world| {
        is_any(
            world,
            |step| matches!(step, Step::AfterReply(exchange, Outcome::Granted(_)) if exchange.attempt == 2),
        )
    }),
    ("a save that comes after a logout", |_, world| {
        world.store.is_none()
            && is_any(world, |step| matches!(step, Step::AfterReply(_, Outcome::Granted(_))))
    }),
    ("a save that comes after a newer sign-in", |_, world| {
        let stored = world.store.map(|stored| stored.version.id);
        is_any(world, |step| match step {
            Step::AfterReply(exchange, Outcome::Granted(_)) => {
                stored.is_some_and(|id| id != exchange.stored.version.id)
            }
            _ => false,
        })
    }),
    ("a loser that adopts the winner's token", |_, world| {
        world.processes.iter().any(|process| {
            process.exchanges == 0
                && matches!(process.step, Step::Landed(Landing::Served(version, _)) if version.generation > 1)
        })
    }),
    ("a dead credential", |_, world| {
        world.store.is_some_and(|stored| stored.state == CredentialState::NeedsLogin)
    }),
    ("its probe", |_, world| {
        is_any(
            world,
            |step| matches!(step, Step::AfterIntent(exchange) if exchange.stored.state == CredentialState::NeedsLogin),
        )
    }),
    ("an attempt given up for a sibling's sake", |_, world| {
        is_any(world, |step| matches!(step, Step::Marking(_, Mark::GiveUp)))
    }),
    ("a save that finds its own tokens stored", |_, world| {
        let stored = world.store.map(|stored| stored.version);
        is_any(
            world,
            |step| matches!(step, Step::AfterRescue(rescue) if stored == Some(rescue.credential.version)),
        )
    }),
    ("the second use that ends a grant", |_, world| world.server.grants.contains(&false)),
];

/// All of them.
pub(crate) fn all() -> Vec<Property<Protocol>> {
    let laws: [Condition; 15] = [
        |_, world| {
            world.witness.broken & Broken::Replaced as u16 == 0
                && world.server.families.iter().all(|family| family.uses <= 1)
        },
        |_, world| holds(world, Broken::Unbounded),
        |_, world| holds(world, Broken::Hasty),
        |_, world| world.processes.iter().all(|process| process.exchanges <= 2),
        |_, world| holds(world, Broken::Unannounced),
        |_, world| holds(world, Broken::Needless),
        |_, world| holds(world, Broken::ForcedAgain),
        |_, world| holds(world, Broken::AtRisk),
        |_, world| holds(world, Broken::SiblingEnded),
        |_, world| world.store.is_none_or(|stored| stored.version.generation >= world.witness.acknowledged),
        |_, world| world.store.map(|stored| stored.version.id) == world.witness.held,
        no_living_sign_in_is_called_dead,
        |_, world| holds(world, Broken::DroppedWhatIsStored),
        somebody_can_move,
        recovers,
    ];
    let laws = LAWS.into_iter().zip(laws).map(|(name, law)| Property::always(name, law));
    laws.chain(SIGHTS.into_iter().map(|(name, sight)| Property::sometimes(name, sight))).collect()
}

fn holds(world: &World, broken: Broken) -> bool {
    world.witness.broken & broken as u16 == 0
}

fn is_any(world: &World, sought: impl Fn(Step) -> bool) -> bool {
    world.processes.iter().any(|process| sought(process.step))
}

/// Whether the server would grant what is stored, or what waits in the rescue room to be stored.
fn would_be_granted(protocol: &Protocol, world: &World) -> bool {
    let Some(stored) = world.store else { return false };
    let token = match world.room {
        Room::Written(rescue) if rescue.replaces == stored.version => rescue.credential.token,
        _ => stored.token,
    };
    let family = world.server.families[usize::from(token.id)];
    world.server.grants[usize::from(family.grant)]
        && (token.serial == family.serial || protocol.reuse == Reuse::Lenient)
}

/// Only what the server has ended is marked so, and what was given up for a newer sign-in's sake.
fn no_living_sign_in_is_called_dead(protocol: &Protocol, world: &World) -> bool {
    let is_marked = world.store.is_some_and(|stored| stored.state == CredentialState::NeedsLogin);
    !is_marked || world.sibling.is_some() || !would_be_granted(protocol, world)
}

fn somebody_can_move(protocol: &Protocol, world: &World) -> bool {
    let mut waiting = world.processes.iter().filter(|process| process.step != Step::Idle).peekable();
    if waiting.peek().is_none() {
        return !world.is_locked();
    }
    waiting.any(|process| !protocol.is_blocked(world, process))
}

/// From a host at rest: no faults from now on, time passes, and callers come one after the other.
fn recovers(protocol: &Protocol, world: &World) -> bool {
    const LATER: Tick = 10;
    if world.witness.broken != 0 || world.processes != [Process::IDLE; PROCESSES] {
        return true;
    }
    let mut world = World { disk_is_full: false, ..*world };
    let Some(before) = world.store else { return true };
    let is_served = before.state == CredentialState::NeedsLogin
        || world.sibling.is_some()
        || !would_be_granted(protocol, &world);
    // The first writes down what is uncertain, the second tries again.
    for _ in 0..2 {
        world.now += LATER;
        world.processes[0] = Process { step: Step::Arrived, want: Want::Plain, ..Process::IDLE };
        let mut steps = 0;
        while world.processes[0].step != Step::Idle {
            let Some(next) = protocol.stepped(&world, 0, Choice::AsMeant).filter(|_| steps < 50) else {
                return false;
            };
            (world, steps) = (next, steps + 1);
        }
        match world.store {
            Some(stored) if stored.expires_at > world.now => return world.witness.broken == 0,
            Some(stored) if stored.state == CredentialState::NeedsLogin && is_served => {
                return world.witness.broken == 0;
            }
            _ => {}
        }
    }
    false
}
