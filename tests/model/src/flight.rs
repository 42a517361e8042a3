//! One flight, step by step: `gate::refresh` and `gate::keep` of the code.
//!
//! Owns what a process does at each [`Step`]. Invariant: a step sees or changes what others share at most once (a read of
//! the store, one update of it, the send, the lock), except where only the holder of the refresh lock looks. Must not:
//! choose; that is `decide`'s, the code's own.

use crate::guard::Guard;
use crate::keep::{Written, merge};
use crate::policy::Decision;
use crate::protocol::{Choice, Protocol};
use crate::world::{
    Credential, CredentialState, Exchange, Intent, Landing, Mark, Outcome, Process, Rescue, Room, Step,
    Version, World,
};

/// `gate::policy::EXCHANGES_A_FLIGHT` of the code.
const EXCHANGES_A_FLIGHT: u8 = {
    assert!(latchkey::gate::policy::EXCHANGES_A_FLIGHT == 2, "the model's witnesses count on two");
    2
};

impl Protocol {
    /// Makes the next step of `process`.
    pub(crate) fn advance(&self, world: &mut World, process: &mut Process, choice: Choice) -> Option<()> {
        process.step = match process.step {
            Step::Idle => return None,
            Step::Arrived => self.look_without_lock(world, process),
            Step::BeforeLock(read) => {
                process.holds_lock = true;
                Step::WithLock(read)
            }
            Step::WithLock(read) => self.finish_rescue(world, process, read, choice)?,
            Step::RescueFinished => {
                world.room = Room::None;
                self.step(world, process, None)
            }
            Step::Looking => self.step(world, process, None),
            Step::Marking(stored, mark) => self.mark(world, &stored, mark, choice)?,
            Step::AfterRoom(exchange) => self.record_intent(world, exchange, choice)?,
            Step::AfterIntent(exchange) if Self::looks_again(&exchange) => {
                if !self.has(Guard::SiblingsLookedForAgain) {
                    Step::Sending(exchange)
                } else if world.unchanged(exchange.stored.version).is_none() {
                    Step::Looking
                } else if self.has(Guard::SiblingRule) && Self::newer_sibling(world, &exchange.stored) {
                    Step::Marking(exchange.stored, Mark::GiveUp)
                } else {
                    Step::Sending(exchange)
                }
            }
            Step::AfterIntent(exchange) | Step::Sending(exchange) => {
                let outcome = self.send(world, process, exchange, choice);
                process.overtaken = false;
                Step::AfterReply(exchange, outcome)
            }
            Step::AfterReply(exchange, outcome) => {
                self.after_reply(world, process, exchange, outcome, choice)?
            }
            Step::SaveFailed(rescue) => {
                world.room = Room::Written(rescue);
                Step::AfterRescue(rescue)
            }
            Step::AfterRescue(_) if world.disk_is_full => Step::Landed(Landing::Unsaved),
            Step::AfterRescue(rescue) => self.save(world, rescue, choice)?,
            Step::AfterSave(version, token) => self.land(world, process, Landing::Served(version, token)),
            Step::Landed(landing) => self.land(world, process, landing),
            Step::AfterPublish => Step::Idle,
        };
        if process.step == Step::Idle {
            *process = Process::IDLE;
        }
        Some(())
    }

    /// `gate::look`.
    fn look_without_lock(&self, world: &mut World, process: &Process) -> Step {
        let Some(stored) = world.store else { return Step::Idle };
        match self.decide(world, &stored, process.want, false, false) {
            Decision::Serve => {
                hand_out(world, stored.version);
                Step::Idle
            }
            Decision::Refresh { .. } => {
                Step::BeforeLock(Some(stored).filter(|_| !self.has(Guard::ReadInsideTheLock)))
            }
            _ => Step::Idle,
        }
    }

    /// `Flight::finish_rescue`, and the first step after it where there is nothing to finish.
    fn finish_rescue(
        &self,
        world: &mut World,
        process: &mut Process,
        read: Option<Credential>,
        choice: Choice,
    ) -> Option<Step> {
        let rescue = match world.room {
            Room::Written(rescue) if self.has(Guard::RescueRead) => rescue,
            _ => return Some(self.step(world, process, read)),
        };
        Some(match self.compare_and_set(world, &rescue, Guard::RescueCompares, choice)? {
            Written::Done(_) => Step::RescueFinished,
            Written::Failed => Step::Landed(Landing::Unsaved),
        })
    }

    /// `Flight::step`, with the room set aside: only the holder of the lock sees the room.
    fn step(&self, world: &mut World, process: &mut Process, read: Option<Credential>) -> Step {
        let Some(stored) = read.or(world.store) else { return Step::Landed(Landing::Failed) };
        let sibling = self.has(Guard::SiblingRule) && Self::newer_sibling(world, &stored);
        match self.altered(&stored, self.decide(world, &stored, process.want, true, sibling)) {
            Decision::Serve => Step::Landed(Landing::Served(stored.version, stored.token)),
            Decision::Refresh { .. }
                if process.exchanges >= EXCHANGES_A_FLIGHT && self.has(Guard::TwoExchangesAFlight) =>
            {
                Step::Marking(stored, Mark::Uncertain)
            }
            Decision::Refresh { attempt, forced } => {
                process.exchanges += 1;
                let attempt = if self.has(Guard::IntentInTheStore) { attempt } else { process.exchanges };
                if self.has(Guard::RoomSetAside) && world.room == Room::None {
                    if world.disk_is_full {
                        return Step::Landed(Landing::Failed);
                    }
                    world.room = Room::SetAside;
                }
                Step::AfterRoom(Exchange { stored, attempt, forced })
            }
            Decision::MarkUncertain => Step::Marking(stored, Mark::Uncertain),
            Decision::GiveUp => Step::Marking(stored, Mark::GiveUp),
            Decision::Hold | Decision::Refuse => Step::Landed(Landing::Failed),
        }
    }

    /// What a policy without one of its rules would say.
    fn altered(&self, stored: &Credential, decision: Decision) -> Decision {
        let attempt = stored.open_intent().map_or(0, |intent| intent.attempt) + 1;
        match decision {
            Decision::Serve if !self.has(Guard::WantCheckedInsideTheLock) => {
                Decision::Refresh { attempt, forced: false }
            }
            Decision::MarkUncertain if !self.has(Guard::AttemptsAreBounded) => {
                Decision::Refresh { attempt, forced: false }
            }
            Decision::Hold if !self.has(Guard::Hold) => Decision::Refresh { attempt, forced: false },
            decision => decision,
        }
    }

    /// The intent of `Flight::exchange`.
    fn record_intent(&self, world: &mut World, exchange: Exchange, choice: Choice) -> Option<Step> {
        let sent_before = [Guard::Intent, Guard::IntentBeforeTheSend, Guard::IntentInTheStore];
        if sent_before.into_iter().any(|guard| !self.has(guard)) {
            return (choice == Choice::AsMeant).then_some(Step::Sending(exchange));
        }
        let now = world.now;
        let recorded = self.change(world, &exchange.stored, Guard::IntentCompares, choice, |current| {
            let (version, attempt) = (exchange.stored.version, exchange.attempt);
            current.intent = Some(Intent { version, attempt, sent_at: now });
            current.retry_at = current.retry_at.filter(|_| !self.has(Guard::EachTryWaits));
        })?;
        Some(match recorded {
            Written::Done(true) => Step::AfterIntent(exchange),
            Written::Done(false) => Step::Looking,
            Written::Failed => Step::Landed(Landing::Failed),
        })
    }

    /// The rest of `Flight::exchange`.
    fn after_reply(
        &self,
        world: &mut World,
        process: &mut Process,
        exchange: Exchange,
        outcome: Outcome,
        choice: Choice,
    ) -> Option<Step> {
        let stored = exchange.stored;
        if !self.has(Guard::IntentBeforeTheSend)
            && let Some(current) = world.store.as_mut().filter(|current| current.version == stored.version)
            && current.open_intent().is_none_or(|intent| intent.attempt != exchange.attempt)
        {
            current.intent =
                Some(Intent { version: stored.version, attempt: exchange.attempt, sent_at: world.now });
            return (choice == Choice::AsMeant).then_some(process.step);
        }
        match outcome {
            Outcome::Granted(token) => {
                if !self.has(Guard::LockHeldUntilDurable) && process.holds_lock {
                    process.holds_lock = false;
                    return (choice == Choice::AsMeant).then_some(process.step);
                }
                let credential = merge(&exchange, token, world);
                let is_known = world.witness.acknowledged >= credential.version.generation;
                if !self.has(Guard::DurableBeforePublished) && !is_known {
                    hand_out(world, credential.version);
                    return (choice == Choice::AsMeant).then_some(process.step);
                }
                self.save(world, Rescue { replaces: stored.version, credential }, choice)
            }
            Outcome::PassingRefusal => self.put_back(world, &stored, choice),
            Outcome::Dead => {
                if world.disk_is_full && world.unchanged(stored.version).is_some() {
                    // The answer cannot be written down: forgotten, as by a kill.
                    world.family(stored.version.id).uses -= 1;
                }
                self.mark_dead(world, &stored, stored.state != CredentialState::NeedsLogin, choice)
            }
            Outcome::Unknown if exchange.attempt == 1 => {
                // Only `last_error` is written, and whether it was is not asked.
                let written = self.change(world, &stored, Guard::MarkCompares, choice, |_| {})?;
                Some(match written {
                    Written::Done(_) => Step::Looking,
                    Written::Failed => Step::Landed(Landing::Failed),
                })
            }
            Outcome::Unknown => self.mark_uncertain(world, &stored, choice),
        }
    }

    /// The end of `Flight::run`, and `Runway::land`: only the holder of the lock sees the room.
    fn land(&self, world: &mut World, process: &Process, landing: Landing) -> Step {
        let is_needed = landing == Landing::Unsaved && self.has(Guard::RoomKeptWhileUnsaved);
        if process.exchanges > 0 && !is_needed {
            world.room = Room::None;
        }
        if let Landing::Served(version, _) = landing {
            hand_out(world, version);
        }
        Step::AfterPublish
    }
}

/// Bears witness that somebody has this.
fn hand_out(world: &mut World, version: Version) {
    if world.witness.held == Some(version.id) {
        world.witness.acknowledged = world.witness.acknowledged.max(version.generation);
    }
}
