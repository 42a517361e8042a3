//! What a flight writes down: `gate::keep` of the code, and the marks of `gate::refresh`.
//!
//! Owns every update of the store that a flight makes. Invariant: an update is one atomic step; that it is one is the
//! [`writer`](crate::writer)'s matter. It fails where the disk is full, and may be made and reported as failed. Must not: send.

use crate::guard::Guard;
use crate::property::Broken;
use crate::protocol::{Choice, Protocol};
use crate::world::{
    Credential, CredentialState, Exchange, Landing, Mark, Rescue, Room, Step, Token, Version, World,
};

/// What came of an update of the store.
pub(crate) enum Written<R> {
    /// It is durable.
    Done(R),
    /// It failed, or was reported so.
    Failed,
}

/// `keep::Saved` of the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    Stored,
    Superseded,
}

impl Protocol {
    /// `Flight::save`, one try of it.
    pub(crate) fn save(&self, world: &mut World, rescue: Rescue, choice: Choice) -> Option<Step> {
        Some(match self.compare_and_set(world, &rescue, Guard::SaveCompares, choice)? {
            Written::Done(Saved::Stored) => {
                Step::AfterSave(rescue.credential.version, rescue.credential.token)
            }
            Written::Done(Saved::Superseded) => Step::Looking,
            Written::Failed if world.room == Room::Written(rescue) => Step::AfterRescue(rescue),
            Written::Failed => Step::SaveFailed(rescue),
        })
    }

    /// `Flight::compare_and_set`; without `guard`, a set.
    pub(crate) fn compare_and_set(
        &self,
        world: &mut World,
        rescue: &Rescue,
        guard: Guard,
        choice: Choice,
    ) -> Option<Written<Saved>> {
        if world.disk_is_full {
            return (choice == Choice::AsMeant).then_some(Written::Failed);
        }
        let renewed = rescue.credential;
        let matches = match world.store {
            _ if !self.has(guard) => true,
            None => false,
            Some(current) if self.has(Guard::SaveComparesTheId) => current.version == rescue.replaces,
            Some(current) => current.version.generation == rescue.replaces.generation,
        };
        if matches {
            world.store = Some(renewed);
            settle(world, renewed.version.id, 0);
            return Some(if choice == Choice::InDoubt {
                Written::Failed
            } else {
                Written::Done(Saved::Stored)
            });
        }
        // Without a change there is no write, and nothing to doubt.
        if choice == Choice::InDoubt {
            return None;
        }
        let is_there = world
            .store
            .is_some_and(|current| current.version == renewed.version && current.token == renewed.token);
        if is_there && self.has(Guard::SaveKnowsItsOwn) {
            return Some(Written::Done(Saved::Stored));
        }
        if is_there {
            world.witness.broken |= Broken::DroppedWhatIsStored as u16;
        }
        Some(Written::Done(Saved::Superseded))
    }

    /// `Flight::change`: whether the credential was still the one that was read.
    pub(crate) fn change(
        &self,
        world: &mut World,
        stored: &Credential,
        guard: Guard,
        choice: Choice,
        change: impl FnOnce(&mut Credential),
    ) -> Option<Written<bool>> {
        if world.disk_is_full {
            return (choice == Choice::AsMeant).then_some(Written::Failed);
        }
        let compares = self.has(guard);
        match world.store.as_mut().filter(|current| !compares || current.version == stored.version) {
            None => (choice == Choice::AsMeant).then_some(Written::Done(false)),
            Some(current) => {
                change(current);
                Some(if choice == Choice::InDoubt { Written::Failed } else { Written::Done(true) })
            }
        }
    }

    /// `Flight::put_back`.
    pub(crate) fn put_back(&self, world: &mut World, stored: &Credential, choice: Choice) -> Option<Step> {
        let (now, version) = (world.now, stored.version);
        let before = stored.intent.filter(|_| self.has(Guard::PutBackKeepsTheAttempt));
        let is_ours = is_writable(world, version);
        let written = self.change(world, stored, Guard::MarkCompares, choice, |current| {
            current.intent = before;
            current.retry_at = Some(now + 1);
        })?;
        if is_ours {
            let family = world.family(version.id);
            family.unanswered = family.unanswered.saturating_sub(1);
        }
        Some(ended(&written))
    }

    /// `Flight::mark_dead`, on the provider's word.
    pub(crate) fn mark_dead(
        &self,
        world: &mut World,
        stored: &Credential,
        probe: bool,
        choice: Choice,
    ) -> Option<Step> {
        let retry_at = probe.then_some(world.now + 1);
        let is_ours = is_writable(world, stored.version);
        let written = self.change(world, stored, Guard::MarkCompares, choice, |current| {
            current.state = CredentialState::NeedsLogin;
            current.intent = None;
            current.retry_at = retry_at;
        })?;
        if is_ours {
            settle(world, stored.version.id, 0);
        }
        Some(ended(&written))
    }

    /// `Flight::mark_uncertain`.
    pub(crate) fn mark_uncertain(
        &self,
        world: &mut World,
        stored: &Credential,
        choice: Choice,
    ) -> Option<Step> {
        if !self.has(Guard::UncertainIsWrittenDown) {
            return (choice == Choice::AsMeant).then_some(Step::Landed(Landing::Failed));
        }
        let (now, id) = (world.now, stored.version.id);
        let is_ours = is_writable(world, stored.version);
        let written = self.change(world, stored, Guard::MarkCompares, choice, |current| {
            current.state = CredentialState::Uncertain;
            current.retry_at = Some(now + 1);
        })?;
        if is_ours {
            world.family(id).unanswered = 1;
        }
        Some(ended(&written))
    }

    pub(crate) fn mark(
        &self,
        world: &mut World,
        stored: &Credential,
        mark: Mark,
        choice: Choice,
    ) -> Option<Step> {
        match mark {
            Mark::Uncertain => self.mark_uncertain(world, stored, choice),
            Mark::GiveUp => self.mark_dead(world, stored, false, choice),
        }
    }
}

/// Whether a change of what was read as `version` would be written.
fn is_writable(world: &World, version: Version) -> bool {
    !world.disk_is_full && world.unchanged(version).is_some()
}

fn ended(written: &Written<bool>) -> Step {
    match written {
        Written::Done(false) => Step::Looking,
        Written::Done(true) | Written::Failed => Step::Landed(Landing::Failed),
    }
}

/// Bears witness that a definite answer about the tokens of `id` is written down.
fn settle(world: &mut World, id: u8, unanswered: u8) {
    let family = world.family(id);
    family.uses = 0;
    family.unanswered = unanswered;
}

/// `refresh::merge` of the code.
pub(crate) fn merge(exchange: &Exchange, token: Token, world: &World) -> Credential {
    let Version { id, generation } = exchange.stored.version;
    Credential {
        version: Version { id, generation: generation + 1 },
        token,
        expires_at: world.now + 1,
        state: CredentialState::Ok,
        intent: None,
        forced_at: exchange.forced.then_some(world.now),
        retry_at: None,
    }
}
