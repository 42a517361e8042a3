//! An acknowledged interaction, seen through the eyes of the member who started it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::actor::{Delivery, Member, Modal};
use crate::inspect::report;
use crate::interaction::{Acknowledgement, InteractionState};
use crate::shared::Shared;
use crate::view::View;
use crate::world::World;

/// A handle to one interaction.
#[derive(Clone)]
pub struct Interaction {
    pub(crate) member: Member,
    pub(crate) id: u64,
}

impl Interaction {
    pub(crate) fn new(member: &Member, id: u64) -> Self {
        Self { member: member.clone(), id }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.member.shared
    }

    fn state(&self) -> InteractionState {
        let found = self.shared().lock().interactions.get(&self.id).cloned();
        let Some(found) = found else { panic!("the stand-in has forgotten interaction {}", self.id) };
        found
    }

    /// Its id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its token: secret, so a log that shows it is a fault.
    pub fn token(&self) -> String {
        self.state().token
    }

    /// How the bot acknowledged it.
    pub fn acknowledgement(&self) -> Acknowledgement {
        match self.state().acknowledged {
            Some(acknowledged) => acknowledged,
            None => panic!("{}: not acknowledged", self.state().what),
        }
    }

    /// How long after it was sent to the bot it was acknowledged.
    pub fn acknowledged_after(&self) -> Duration {
        let state = self.state();
        match state.acknowledged_ms {
            Some(at) => Duration::from_millis(at.saturating_sub(state.sent_ms)),
            None => panic!("{}: not acknowledged", state.what),
        }
    }

    /// The first answer as it is now: its own message, or the one pressed on. Panics if there is none.
    pub fn message(&self) -> View {
        let original = {
            let world = self.shared().lock();
            let id = world.interactions.get(&self.id).and_then(|interaction| interaction.original);
            id.and_then(|id| world.messages.get(&id)).map(|message| View::of(&world, message))
        };
        match original {
            Some(view) => view,
            None => panic!("{}: it has no message", self.state().what),
        }
    }

    /// All its messages that the member sees, oldest first: the message pressed on (if it was changed), the
    /// first answer, and the follow-ups.
    pub fn messages(&self) -> Vec<View> {
        self.seen(&self.shared().lock())
    }

    fn seen(&self, world: &World) -> Vec<View> {
        let Some(interaction) = world.interactions.get(&self.id) else { return Vec::new() };
        let pressed = interaction.original.filter(|id| !interaction.messages.contains(id));
        pressed
            .iter()
            .chain(&interaction.messages)
            .filter_map(|id| world.messages.get(id))
            .filter(|message| world.can_see(self.member.id, message))
            .map(|message| View::of(world, message))
            .collect()
    }

    /// Waits until the member sees a message of this interaction that satisfies `want`; panics after `timeout`
    /// with all that was seen.
    pub async fn sees(&self, want: impl Fn(&View) -> bool, timeout: Duration) -> View {
        self.wait("what the test wants", want, timeout).await
    }

    /// Waits until the member sees a message of this interaction with `text` in its content, embeds, buttons or
    /// menus; panics after `timeout` with all that was seen.
    pub async fn sees_text(&self, text: &str, timeout: Duration) -> View {
        self.wait(&format!("{text:?}"), |view| view.contains(text), timeout).await
    }

    async fn wait(&self, wanted: &str, want: impl Fn(&View) -> bool, timeout: Duration) -> View {
        let newest = |seen: Vec<View>| seen.into_iter().rev().find(|view| want(view));
        match self.shared().wait_and_judge(timeout, |world| self.seen(world), newest).await {
            Some(view) => view,
            None => panic!("{wanted} not seen within {timeout:?}\n{}", self.story()),
        }
    }

    /// All that is known of it, for messages to people.
    pub fn story(&self) -> String {
        let world = self.shared().lock();
        let Some(interaction) = world.interactions.get(&self.id) else { return String::new() };
        let seen: Vec<String> = self.seen(&world).iter().map(View::with_history).collect();
        let modal = match &interaction.acknowledged {
            Some(Acknowledgement::Modal(data)) => Modal::of(data).render(&self.member.name),
            _ => String::new(),
        };
        format!(
            "{}\nacknowledged: {}\n{}{modal}\n{}",
            interaction.what,
            match &interaction.acknowledged {
                None => "no".to_owned(),
                Some(Acknowledgement::Modal(_)) => "with a modal".to_owned(),
                Some(how) => format!("{how:?}"),
            },
            seen.join("\n"),
            report(&world)
        )
    }

    /// The modal it was answered with. Panics if it was not.
    pub fn modal(&self) -> Modal {
        match self.acknowledgement() {
            Acknowledgement::Modal(data) => Modal::of(&data),
            other => panic!("no modal but {other:?}\n{}", self.story()),
        }
    }

    /// Fills in the modal it was answered with, by label or custom id, and submits it.
    pub fn submit_modal<'a>(&self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Delivery {
        let modal = self.modal();
        let fields: Vec<(&str, &str)> = fields.into_iter().collect();
        Delivery::new(&self.member, self.plan_modal(&modal, &fields))
    }

    /// Presses the button with that label, on the newest message that has it.
    pub fn click(&self, label: &str) -> Delivery {
        match self.with_button(label) {
            Some(view) => self.member.click(&view, label),
            None => {
                Delivery::new(&self.member, Err(format!("no button {label:?} to press\n{}", self.story())))
            }
        }
    }

    fn with_button(&self, label: &str) -> Option<View> {
        self.messages().into_iter().rev().find(|view| view.button(label).is_some())
    }

    /// Picks the option with that label (or value) from a select menu, on the newest message that has it.
    pub fn select(&self, option: &str) -> Delivery {
        match self.messages().into_iter().rev().find(|view| view.option(option).is_some()) {
            Some(view) => self.member.select(&view, option),
            None => Delivery::new(&self.member, Err(format!("no option {option:?}\n{}", self.story()))),
        }
    }

    /// The URL of the link with that label, on the newest message that has it. Panics without one.
    pub fn link(&self, label: &str) -> String {
        let links = self.links();
        match links.iter().rev().find(|(known, _)| known == label) {
            Some((_, url)) => url.clone(),
            None => panic!("no link {label:?} among {links:?}\n{}", self.story()),
        }
    }

    /// All links in its messages, as label and URL: link buttons and masked links.
    pub fn links(&self) -> Vec<(String, String)> {
        self.messages().iter().flat_map(View::links).collect()
    }
}

impl fmt::Debug for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interaction({} of {})", self.id, self.member.name)
    }
}
