//! One interaction that was let in, and the ways to answer it.
//!
//! Owns who asks, where, and the acknowledgement. Invariants: exactly one first response; all that follows edits that
//! one message or is ephemeral by itself (U2). A failure to answer is logged without the interaction's token, and is
//! nobody's end: what was decided is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use latchkey::broker::Caller;
use latchkey::metrics;
use latchkey::pending::Watcher;
use latchkey::secret::Secret;
use latchkey::tenant::{ThreadId, User, UserId};
use serenity::all::{
    Builder, ChannelId, CommandInteraction, ComponentInteraction, CreateAutocompleteResponse,
    CreateInteractionResponse, Http, InteractionId, Member, Message, MessageId, MessageInteractionMetadata,
    ModalInteraction, PartialChannel,
};

use tokio::time::Instant;

use super::access::Standing;
use super::answers::Answers;
use super::{Desk, api, render};
use crate::view::{Form, Page};
use crate::words::Language;

/// How long Discord waits for a first response (U1).
pub(super) const DEADLINE: Duration = Duration::from_secs(3);

/// An interaction of somebody who is admitted.
pub struct Visit<'a> {
    /// What we have.
    pub desk: &'a Desk,
    /// Who asks.
    pub caller: Caller,
    /// Where.
    pub thread: ThreadId,
    /// The channel that the thread hangs from.
    pub parent: Option<ThreadId>,
    /// What the caller reads.
    pub language: Language,
    token: Secret,
    id: InteractionId,
    arrived: Instant,
    /// The message that was pressed, if it was made for the presser.
    own_message: Option<MessageId>,
    /// Whether the first response is out.
    answered: &'a AtomicBool,
}

/// The parts of any kind of interaction.
pub struct Parts<'a> {
    id: InteractionId,
    token: &'a str,
    channel_id: ChannelId,
    channel: Option<&'a PartialChannel>,
    message: Option<&'a Message>,
    /// What they read: the language of their Discord.
    pub language: Language,
    /// When it was taken up.
    arrived: Instant,
    /// Who, as Discord describes them with this interaction; nobody outside of guilds.
    pub member: Option<&'a Member>,
}

impl<'a> Parts<'a> {
    /// Where it came from, and the channel that this thread hangs from.
    pub fn place(&self) -> (ThreadId, Option<ThreadId>) {
        let thread = self.channel.filter(|channel| channel.thread_metadata.is_some());
        let parent = thread.and_then(|channel| channel.parent_id).map(|id| ThreadId::from(id.get()));
        (ThreadId::from(self.channel_id.get()), parent)
    }

    pub fn of_command(of: &'a CommandInteraction) -> Self {
        Self {
            id: of.id,
            token: &of.token,
            channel_id: of.channel_id,
            channel: of.channel.as_ref(),
            message: None,
            language: Language::of(&of.locale),
            arrived: Instant::now(),
            member: of.member.as_deref(),
        }
    }

    pub fn of_component(of: &'a ComponentInteraction) -> Self {
        Self {
            id: of.id,
            token: &of.token,
            channel_id: of.channel_id,
            channel: of.channel.as_ref(),
            message: Some(&of.message),
            language: Language::of(&of.locale),
            arrived: Instant::now(),
            member: of.member.as_ref(),
        }
    }

    pub fn of_modal(of: &'a ModalInteraction) -> Self {
        Self {
            id: of.id,
            token: &of.token,
            channel_id: of.channel_id,
            channel: of.channel.as_ref(),
            message: of.message.as_deref(),
            language: Language::of(&of.locale),
            arrived: Instant::now(),
            member: of.member.as_ref(),
        }
    }

    /// Answers without a visit: to somebody who is not admitted.
    pub async fn turn_away(&self, answers: &Answers, page: &Page) {
        self.respond(answers, render::answer(page)).await;
    }

    /// Answers somebody who comes too often. It is no line of the audit: whoever hammers must not fill it.
    pub async fn hold_off(&self, answers: &Answers, page: &Page) {
        self.respond(answers, render::answer(page)).await;
    }

    /// No choices, for somebody who is not admitted.
    pub async fn offer_nothing(&self, answers: &Answers) {
        let none = CreateInteractionResponse::Autocomplete(CreateAutocompleteResponse::new());
        self.respond(answers, none).await;
    }

    async fn respond(&self, answers: &Answers, response: CreateInteractionResponse) {
        if let Err(error) = acknowledge(answers, self.id, self.token, self.arrived, response).await {
            tracing::warn!(error, "an interaction could not be answered");
        }
    }
}

impl<'a> Visit<'a> {
    /// The visit of `member`, whose `standing` was judged.
    pub fn new(
        desk: &'a Desk,
        parts: &Parts<'_>,
        member: &Member,
        standing: Standing,
        answered: &'a AtomicBool,
    ) -> Self {
        let (thread, parent) = parts.place();
        let own = parts.message.filter(|message| was_made_for(message, member));
        Self {
            desk,
            caller: Caller {
                user: User::Discord(UserId::from(member.user.id.get())),
                admin: standing == Standing::Admin,
            },
            thread,
            parent,
            language: parts.language,
            token: Secret::new(parts.token),
            id: parts.id,
            arrived: parts.arrived,
            own_message: own.map(|message| message.id),
            answered,
        }
    }

    /// Us, as a watcher of a login: this thread, and this interaction's message.
    pub fn watcher(&self) -> Watcher {
        Watcher { thread: self.thread.clone(), interaction: Some(self.token.clone()) }
    }

    /// The message that was pressed, which this visit's token edits once the press is acknowledged; none where the answer
    /// is a message of its own.
    pub fn own_message(&self) -> Option<MessageId> {
        self.own_message
    }

    /// The token that edits this interaction's message.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Acknowledges, with the answer to come. U1: before anything that may take its time.
    pub async fn defer(&self) {
        self.respond(render::deferral()).await;
        self.settled().await;
    }

    /// Acknowledges, with a new state of the pressed message to come; or a message of its own, where the pressed one was
    /// made for somebody else.
    pub async fn defer_update(&self) {
        if self.own_message.is_some() {
            self.respond(CreateInteractionResponse::Acknowledge).await;
            self.settled().await;
        } else {
            self.defer().await;
        }
    }

    /// Somebody who is back is served from here on (U7).
    async fn settled(&self) {
        if let User::Discord(person) = &self.caller.user {
            self.desk.members.settled(person).await;
        }
    }

    /// Opens a modal: the first response, with nothing before it (U4).
    pub async fn open(&self, form: &Form) {
        self.respond(render::modal(form)).await;
    }

    /// Shows `page`: as the first response, or in the place of what was promised or pressed.
    pub async fn show(&self, page: &Page) {
        if !self.answered.load(Ordering::Acquire) {
            return self.respond(render::answer(page)).await;
        }
        let edited = render::edit(page).execute(&*self.http(), self.token.expose()).await;
        self.log(edited.map(drop).map_err(|error| api::words(&error)));
    }

    /// Shows `page` beside what is there.
    pub async fn add(&self, page: &Page) {
        if !self.answered.load(Ordering::Acquire) {
            return self.respond(render::answer(page)).await;
        }
        let added = render::follow_up(page).execute(&*self.http(), (None, self.token.expose())).await;
        self.log(added.map(drop).map_err(|error| api::words(&error)));
    }

    async fn respond(&self, response: CreateInteractionResponse) {
        self.answered.store(true, Ordering::Release);
        let token = self.token.expose();
        self.log(acknowledge(&self.desk.answers, self.id, token, self.arrived, response).await);
    }

    /// The way to answer this interaction.
    fn http(&self) -> Arc<Http> {
        self.desk.answers.to(self.token.expose())
    }

    fn log(&self, result: Result<(), String>) {
        if let Err(error) = result {
            let (user, thread) = (&self.caller.user, &self.thread);
            tracing::warn!(%user, %thread, error, "an answer did not reach Discord");
        }
    }
}

/// The first response. Discord takes none that is later, so that waiting longer for a rate limit would only hold up what
/// comes after.
async fn acknowledge(
    answers: &Answers,
    id: InteractionId,
    token: &str,
    arrived: Instant,
    response: CreateInteractionResponse,
) -> Result<(), String> {
    let answered = tokio::time::timeout(DEADLINE, response.execute(&*answers.to(token), (id, token))).await;
    if matches!(answered, Ok(Ok(()))) {
        metrics::acknowledged(arrived.elapsed());
    }
    match answered {
        Ok(sent) => sent.map_err(|error| api::words(&error)),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// Whether `message` answers an interaction of `member`, as everything does that has our buttons.
fn was_made_for(message: &Message, member: &Member) -> bool {
    message.interaction_metadata.as_deref().is_some_and(|metadata| match metadata {
        MessageInteractionMetadata::Command(of) => of.user.id == member.user.id,
        MessageInteractionMetadata::Component(of) => of.user.id == member.user.id,
        MessageInteractionMetadata::ModalSubmit(of) => of.user.id == member.user.id,
        _ => false,
    })
}
