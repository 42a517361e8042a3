//! The authorization server of the model, and what is written down of each send.
//!
//! Owns rotation, reuse and the loss of replies. Invariant: a strict server ends the whole grant at the second use of a
//! refresh token; a lenient one rotates once more. Must not: know what clients store, but to bear witness.

use latchkey::provider::Reuse;

use crate::policy::{Decision, Objection};
use crate::property::Broken;
use crate::protocol::{Choice, Protocol};
use crate::world::{Credential, Exchange, Outcome, Process, Token, World};

impl Protocol {
    /// Sends the refresh token of `exchange`.
    pub(crate) fn send(
        &self,
        world: &mut World,
        process: &Process,
        exchange: Exchange,
        choice: Choice,
    ) -> Outcome {
        self.witness_send(world, process, exchange);
        let id = exchange.stored.version.id;
        world.family(id).unanswered += 1;
        if world.family(id).unanswered > 2 {
            world.witness.broken |= Broken::Unbounded as u16;
        }
        match choice {
            Choice::PassingRefusal => Outcome::PassingRefusal,
            Choice::RequestLost => {
                world.family(id).uses -= 1;
                Outcome::Unknown
            }
            Choice::ReplyLost => {
                self.present(world, process, &exchange.stored);
                world.family(id).uses -= 1;
                Outcome::Unknown
            }
            Choice::AsMeant | Choice::InDoubt => self.present(world, process, &exchange.stored),
        }
    }

    fn present(&self, world: &mut World, process: &Process, credential: &Credential) -> Outcome {
        let token = credential.token;
        let family = world.family(token.id);
        family.uses += 1;
        let (grant, is_reused) = (family.grant, token.serial < family.serial);
        if !world.server.grants[usize::from(grant)] {
            return Outcome::Dead;
        }
        if is_reused && self.reuse == Reuse::Strict {
            world.server.grants[usize::from(grant)] = false;
            Self::witness_reuse(world, process, credential, grant);
            return Outcome::Dead;
        }
        let family = world.family(token.id);
        family.serial += 1;
        Outcome::Granted(Token { id: token.id, serial: family.serial })
    }

    fn witness_send(&self, world: &mut World, process: &Process, exchange: Exchange) {
        let Some(stored) = world.store else { return };
        let ours = exchange.stored;
        if stored.version.id == ours.version.id && stored.version != ours.version {
            world.witness.broken |= Broken::Replaced as u16;
        }
        if stored.version != ours.version {
            return;
        }
        let announced = stored.open_intent().is_some_and(|intent| intent.attempt == exchange.attempt);
        let serves = stored.expires_at > world.now;
        let objection = Self::objection(&stored, process.want);
        let verdicts = [
            (!announced, Broken::Unannounced),
            (self.decide(world, &stored, process.want, true, false) == Decision::Serve, Broken::Needless),
            (
                exchange.attempt > 1
                    && serves
                    && objection != Objection::Rejected
                    && self.reuse == Reuse::Strict,
                Broken::AtRisk,
            ),
            (exchange.forced && stored.forced_at == Some(world.now), Broken::ForcedAgain),
            (ours.retry_at.is_some_and(|at| at > world.now), Broken::Hasty),
        ];
        for (_, broken) in verdicts.into_iter().filter(|(is_broken, _)| *is_broken) {
            world.witness.broken |= broken as u16;
        }
    }

    /// A grant has just ended by reuse: which newer sign-ins end with it that need not?
    fn witness_reuse(world: &mut World, process: &Process, presented: &Credential, grant: u8) {
        if process.overtaken {
            return;
        }
        let newer_sibling = grant == 0 && Self::newer_sibling(world, presented);
        let newer_sign_in = world.store.is_some_and(|stored| {
            stored.version.id != presented.version.id
                && world.server.families[usize::from(stored.version.id)].grant == grant
        });
        if newer_sibling || newer_sign_in {
            world.witness.broken |= Broken::SiblingEnded as u16;
        }
    }
}
