//! The protocol as a transition system: what each process and the environment can do next.
//!
//! Owns [`Protocol`] and its actions. Invariant: every step of a process that others can see is an action of its own, and a
//! kill can come between any two. Must not: hold state; that is all in [`World`].

use latchkey::provider::Reuse;
use stateright::{Model, Property};

use crate::guard::Guard;
use crate::policy::{BackOff, Case, Decision, Objection, Policy, state};
use crate::property;
use crate::world::{Budget, Credential, Exchange, Process, Rescue, Room, Step, Tick, Version, Want, World};

/// What is explored.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// What the code's policy says.
    pub policy: Policy,
    /// How the server takes a second use of a refresh token.
    pub reuse: Reuse,
    /// The guards taken out.
    pub without: Vec<Guard>,
    /// What the environment may do.
    pub budget: Budget,
    /// How the three first callers come: what each wants, and for how many ticks the stored token serves.
    pub starts: Vec<(Want, Tick)>,
}

/// How a step of a process goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// As the code means it.
    AsMeant,
    /// Its write of the store is made, and reported as failed.
    InDoubt,
    /// Its request is not sent, or refused for the moment.
    PassingRefusal,
    /// Its request is lost on the way.
    RequestLost,
    /// The server did it, and the reply is lost.
    ReplyLost,
}

/// Something that happens. Processes are named by their present place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A process makes its next step.
    Step(usize, Choice),
    /// It is killed, and started again.
    Kill(usize),
    /// A caller comes to it.
    Caller(usize, Want),
    /// Somebody logs the tenant out.
    Logout,
    /// Somebody signs it in anew, in this grant.
    SignIn(u8),
    /// Somebody signs another tenant in, with the same account and in the first grant.
    SiblingSignsIn,
    /// Time passes.
    Tick,
    /// The disk fills up.
    DiskFills,
    /// There is room again.
    DiskIsEmptied,
}

impl Protocol {
    /// The design, for a strict server.
    #[must_use]
    pub fn new(starts: &[(Want, Tick)], budget: Budget) -> Self {
        let (policy, starts) = (Policy::of_the_code(Reuse::Strict), starts.to_vec());
        Self { policy, reuse: Reuse::Strict, without: Vec::new(), budget, starts }
    }

    /// The same for a lenient server.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self { policy: Policy::of_the_code(Reuse::Lenient), reuse: Reuse::Lenient, ..self }
    }

    /// The same without `guards`.
    #[must_use]
    pub fn without(self, guards: &[Guard]) -> Self {
        Self { without: guards.to_vec(), ..self }
    }

    /// Whether `guard` stands.
    pub(crate) fn has(&self, guard: Guard) -> bool {
        !self.without.contains(&guard)
    }

    /// What the caller's word has against `stored`.
    pub(crate) fn objection(stored: &Credential, want: Want) -> Objection {
        match want {
            Want::Rejects(token) if token == stored.token => Objection::Rejected,
            Want::Longer(arrived) if arrived == stored.version => Objection::TooShort,
            _ => Objection::None,
        }
    }

    /// `gate::policy::decide` of the code.
    pub(crate) fn decide(
        &self,
        world: &World,
        stored: &Credential,
        want: Want,
        locked: bool,
        sibling: bool,
    ) -> Decision {
        let intent = stored.open_intent();
        let waited = match (intent, stored.retry_at) {
            _ if !self.has(Guard::EachTryWaits) => true,
            (Some(intent), Some(retry_at)) => retry_at > intent.sent_at,
            _ => false,
        };
        self.policy.decide(Case {
            state: state(stored.state),
            attempt: intent.map_or(0, |intent| intent.attempt),
            waited,
            serves: stored.expires_at > world.now,
            back_off: match stored.retry_at {
                None => BackOff::None,
                Some(at) if at > world.now && self.has(Guard::BackOffHonoured) => BackOff::Holding,
                Some(_) => BackOff::Over,
            },
            forced_lately: stored.forced_at == Some(world.now) && self.has(Guard::ForcedOnce),
            objection: Self::objection(stored, want),
            locked,
            sibling,
        })
    }

    /// `gate::policy::newer_sibling` of the code. The account, issuer and client are the same.
    pub(crate) fn newer_sibling(world: &World, stored: &Credential) -> bool {
        let Some(intent) = stored.open_intent() else { return false };
        world.sibling.is_some_and(|created_at| created_at >= intent.sent_at)
    }

    /// The steps that `process` can make now, as meant and not.
    fn choices(world: &World, process: &Process) -> Vec<Choice> {
        let mut choices = vec![Choice::AsMeant];
        let left = &world.left;
        let is_sent = match process.step {
            Step::AfterIntent(exchange) => !Self::looks_again(&exchange),
            Step::Sending(_) => true,
            _ => false,
        };
        if is_sent {
            if left.refusals > 0 {
                choices.push(Choice::PassingRefusal);
            }
            if left.losses > 0 {
                choices.extend([Choice::RequestLost, Choice::ReplyLost]);
            }
        }
        let writes = match process.step {
            Step::WithLock(_) => matches!(world.room, Room::Written(_)),
            Step::AfterRoom(_) | Step::AfterReply(..) | Step::AfterRescue(_) | Step::Marking(..) => true,
            _ => false,
        };
        if writes && left.doubts > 0 && !world.disk_is_full {
            choices.push(Choice::InDoubt);
        }
        choices
    }

    /// Whether an exchange looks for siblings once more before it sends.
    pub(crate) fn looks_again(exchange: &Exchange) -> bool {
        exchange.stored.open_intent().is_some()
    }

    fn of_processes(&self, world: &World, actions: &mut Vec<Action>) {
        for (index, process) in world.processes.iter().enumerate() {
            // Processes have no names: what one can do, its double need not.
            if index > 0 && world.processes[index - 1] == *process {
                continue;
            }
            if process.step == Step::Idle {
                if world.left.callers > 0
                    && let Some(stored) = world.store
                {
                    let wants = [Want::Plain, Want::Rejects(stored.token), Want::Longer(stored.version)];
                    actions.extend(wants.map(|want| Action::Caller(index, want)));
                }
                continue;
            }
            if !self.is_blocked(world, process) {
                actions.extend(
                    Self::choices(world, process).into_iter().map(|choice| Action::Step(index, choice)),
                );
            }
            if world.left.kills > 0 {
                actions.push(Action::Kill(index));
            }
        }
    }

    /// Whether `process` waits for another or for the disk.
    pub(crate) fn is_blocked(&self, world: &World, process: &Process) -> bool {
        match process.step {
            Step::BeforeLock(_) => world.is_locked() && self.has(Guard::RefreshLock),
            Step::SaveFailed(_) => world.disk_is_full && world.room == Room::None,
            _ => false,
        }
    }

    fn of_environment(world: &World, actions: &mut Vec<Action>) {
        let left = &world.left;
        let possible = [
            (left.logouts > 0 && world.store.is_some() && !world.disk_is_full, Action::Logout),
            (left.sign_ins > 0 && !world.disk_is_full, Action::SignIn(0)),
            (left.sign_ins > 0 && !world.disk_is_full, Action::SignIn(1)),
            (left.siblings > 0 && !world.disk_is_full, Action::SiblingSignsIn),
            (left.ticks > 0, Action::Tick),
            (left.fills > 0 && !world.disk_is_full, Action::DiskFills),
            (left.empties > 0 && world.disk_is_full, Action::DiskIsEmptied),
        ];
        actions
            .extend(possible.into_iter().filter(|(is_possible, _)| *is_possible).map(|(_, action)| action));
    }

    fn spend(left: &mut Budget, action: Action) {
        let spent = match action {
            Action::Step(_, Choice::AsMeant) => return,
            Action::Step(_, Choice::InDoubt) => &mut left.doubts,
            Action::Step(_, Choice::PassingRefusal) => &mut left.refusals,
            Action::Step(_, Choice::RequestLost | Choice::ReplyLost) => &mut left.losses,
            Action::Kill(_) => &mut left.kills,
            Action::Caller(..) => &mut left.callers,
            Action::Logout => &mut left.logouts,
            Action::SignIn(_) => &mut left.sign_ins,
            Action::SiblingSignsIn => &mut left.siblings,
            Action::Tick => &mut left.ticks,
            Action::DiskFills => &mut left.fills,
            Action::DiskIsEmptied => &mut left.empties,
        };
        *spent -= 1;
    }

    fn kill(&self, world: &mut World, index: usize) {
        let killed = world.processes[index];
        // What it had sent, or was about to, has an outcome that nobody knows now.
        let unknown = match killed.step {
            Step::AfterIntent(exchange) | Step::Sending(exchange) | Step::AfterReply(exchange, _) => {
                Some(exchange.stored.version)
            }
            Step::SaveFailed(Rescue { replaces, .. }) => Some(replaces),
            _ => None,
        };
        if let Some(version) = unknown
            && world.unchanged(version).is_some()
        {
            world.family(version.id).uses -= 1;
        }
        world.stale_lock |= killed.holds_lock && !self.has(Guard::KernelLock);
        world.processes[index] = Process::IDLE;
    }

    fn sign_in(world: &mut World, grant: u8) {
        let id = 1;
        world.open_family(id, grant);
        world.store = Some(Credential::of_sign_in(id, world.now));
        world.witness.held = Some(id);
        world.witness.acknowledged = 1;
        if grant == 0 {
            overtake(world);
        }
    }

    /// A step of the process at `index`, and all that follows from it.
    ///
    /// The world as it is then; `None` where the choice changes nothing that the plain step does not.
    pub(crate) fn stepped(&self, world: &World, index: usize, choice: Choice) -> Option<World> {
        let mut next = *world;
        let mut process = next.processes[index];
        self.advance(&mut next, &mut process, choice)?;
        next.processes[index] = process;
        Some(next)
    }
}

/// A sign-in was stored: whoever has looked for siblings for the last time cannot know of it.
fn overtake(world: &mut World) {
    for process in &mut world.processes {
        if matches!(process.step, Step::Sending(_)) {
            process.overtaken = true;
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        self.starts.iter().map(|(want, life)| World::at_start(*want, *life, self.budget)).collect()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.of_processes(world, actions);
        Self::of_environment(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = match action {
            Action::Step(index, choice) => self.stepped(world, index, choice)?,
            _ => *world,
        };
        Self::spend(&mut next.left, action);
        match action {
            Action::Step(..) => {}
            Action::Kill(index) => self.kill(&mut next, index),
            Action::Caller(index, want) => {
                next.processes[index] = Process { step: Step::Arrived, want, ..Process::IDLE };
            }
            Action::Logout => {
                next.store = None;
                next.witness.held = None;
                next.witness.acknowledged = 0;
            }
            Action::SignIn(grant) => Self::sign_in(&mut next, grant),
            Action::SiblingSignsIn => {
                next.sibling = Some(next.now);
                overtake(&mut next);
            }
            Action::Tick => next.now += 1,
            Action::DiskFills => next.disk_is_full = true,
            Action::DiskIsEmptied => next.disk_is_full = false,
        }
        next.processes.sort_unstable();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        property::all()
    }
}

/// The first credential, as all runs begin with it.
pub const FIRST: Version = Version { id: 0, generation: 1 };
/// Its tokens.
pub const FIRST_TOKEN: crate::world::Token = crate::world::Token { id: 0, serial: 0 };
