//! Delivering an interaction, and waiting 3 s for its acknowledgement.
//!
//! No answer in time is a panic with everything known in it, and a violation; a test that expects none says so
//! with `ignored`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::actor::{Interaction, Member};
use crate::gateway::intent;
use crate::inspect::report;
use crate::interaction::{ACKNOWLEDGE_MS, InteractionState, Kind};
use crate::shared::Shared;
use crate::wire::{self, Envelope};
use crate::world::World;

/// Interactions remembered.
const REMEMBERED: usize = 5_000;

/// Why an action led to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A real client would not have offered it: no such command, option or button.
    NotOffered(String),
    /// The bot is offline, or did not acknowledge within 3 s: "The application did not respond".
    NotAnswered(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered(why) | Self::NotAnswered(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refused {}

/// What is to be delivered.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) channel: u64,
    pub(crate) data: Value,
    /// The message pressed on, as the bot gets to see it.
    pub(crate) message: Option<Value>,
    pub(crate) source: Option<u64>,
    pub(crate) opened_by: Option<u64>,
    pub(crate) what: String,
}

/// An action about to happen; happens when awaited. Panics then if the bot does not acknowledge.
#[must_use = "an action happens when it is awaited"]
#[derive(Debug)]
pub struct Delivery {
    member: Member,
    plan: Result<Plan, String>,
}

impl Delivery {
    pub(crate) fn new(member: &Member, plan: Result<Plan, String>) -> Self {
        Self { member: member.clone(), plan }
    }

    /// Delivers it, and returns why it led to nothing instead of panicking.
    ///
    /// # Errors
    /// When a client would not offer it, and when no acknowledgement came within 3 s (still a violation).
    pub async fn tried(self) -> Result<Interaction, Refused> {
        let id = self.deliver()?;
        let shared = &self.member.shared;
        if answered(shared, id, Duration::from_millis(ACKNOWLEDGE_MS)).await {
            return Ok(Interaction::new(&self.member, id));
        }
        Err(Refused::NotAnswered(shared.change(|world| {
            let what = give_up(world, id);
            let text = format!("{what}: no acknowledgement within 3 s\n{}", report(world));
            world.record.violation(0, &what, "no acknowledgement within 3 s");
            text
        })))
    }

    /// Delivers it, and panics if the bot acknowledges it within `wait`.
    pub async fn ignored(self, wait: Duration) {
        let id = match self.deliver() {
            Ok(id) => id,
            Err(refused) => panic!("{refused}"),
        };
        let shared = &self.member.shared;
        let answered = answered(shared, id, wait).await;
        let what = shared.change(|world| give_up(world, id));
        assert!(!answered, "{what}: acknowledged, though it should have been ignored");
    }

    fn deliver(&self) -> Result<u64, Refused> {
        let plan = self.plan.as_ref().map_err(|why| Refused::NotOffered(why.clone()))?;
        let now_ms = self.member.shared.clock.now_ms();
        self.member.shared.change(|world| deliver(world, &self.member, plan, now_ms))
    }
}

impl IntoFuture for Delivery {
    type Output = Interaction;
    type IntoFuture = Pin<Box<dyn Future<Output = Interaction> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.tried().await {
                Ok(interaction) => interaction,
                Err(refused) => panic!("{refused}"),
            }
        })
    }
}

async fn answered(shared: &Arc<Shared>, id: u64, wait: Duration) -> bool {
    let look = |world: &World| world.interactions.get(&id)?.acknowledged.as_ref().map(|_| ());
    shared.wait(wait, look).await.is_some()
}

/// The client stops waiting. Returns what it waited for.
fn give_up(world: &mut World, id: u64) -> String {
    let Some(interaction) = world.interactions.get_mut(&id) else { return String::new() };
    interaction.abandoned = true;
    interaction.what.clone()
}

fn deliver(world: &mut World, member: &Member, plan: &Plan, now_ms: u64) -> Result<u64, Refused> {
    let refused = |why: &str| Refused::NotOffered(format!("{}: {why}", plan.what));
    let Some(place) = world.channels.get(&plan.channel).cloned() else {
        return Err(refused("the channel is gone"));
    };
    if !world.guilds.get(&place.guild).is_some_and(|guild| guild.members.contains_key(&member.id)) {
        return Err(refused("not a member of that guild"));
    }
    if plan.kind == Kind::Command && place.archived && place.locked {
        return Err(refused("the thread is locked"));
    }
    let id = world.new_event_id(now_ms);
    let token = format!("aW50ZXJhY3Rpb246{id}:{:016x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let event = wire::interaction(
        world,
        &Envelope {
            id,
            token: &token,
            kind: plan.kind.number(),
            user: member.id,
            place: &place,
            data: &plan.data,
            message: plan.message.as_ref(),
        },
    );
    let state = InteractionState {
        id,
        token,
        kind: plan.kind,
        user: member.id,
        guild: place.guild,
        channel: place.id,
        what: plan.what.clone(),
        sent_ms: now_ms,
        acknowledged: None,
        acknowledged_ms: None,
        abandoned: false,
        original: None,
        messages: Vec::new(),
        source: plan.source,
        opened_by: plan.opened_by,
    };
    if world.interactions.len() == REMEMBERED {
        world.interactions.pop_first();
    }
    world.interactions.insert(id, state);
    if world.gateway.dispatch("INTERACTION_CREATE", intent::NONE, &event) {
        return Ok(id);
    }
    let what = give_up(world, id);
    Err(Refused::NotAnswered(format!("{what}: the bot is offline\n{}", report(world))))
}
