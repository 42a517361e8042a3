//! Every event's way in: guild, access, then the command or the press.
//!
//! Owns the one door. Invariants: what comes from another guild gets nothing (U8); whoever is not admitted is told so and
//! reaches no handler, by whichever way they came (U7); whatever happens behind the door, even a panic, the member gets
//! an answer in our words.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use latchkey::audit;
use latchkey::fault;
use latchkey::metrics::{self, Answered};
use latchkey::tenant::{ThreadId, User};
use poise::{BoxFuture, FrameworkContext, FrameworkError, FrameworkOptions};
use serenity::all::{
    CommandInteraction, ComponentInteraction, ComponentInteractionDataKind, Context, FullEvent, GuildChannel,
    GuildId, Interaction, Member, ModalInteraction, ShardManager, UserId,
};
use tokio_util::task::TaskTracker;

use super::access::{Standing, standing};
use super::custom_id::Press;
use super::render::FIELD;
use super::visit::{DEADLINE, Parts, Visit};
use super::{Desk, watch::Watch};
use crate::auth;
use crate::view;

/// What a handler that failed gives: an error for the log, which the member is not shown.
pub type Failure = anyhow::Error;

/// The door. Every event comes to it.
pub struct Door {
    desk: Arc<Desk>,
    options: Arc<FrameworkOptions<Desk, Failure>>,
    shards: OnceLock<Arc<ShardManager>>,
    watch: Watch,
    /// The number of the connection that this is the door of.
    connection: u64,
    /// Handlers under way, so that the program's end can wait for them.
    handlers: TaskTracker,
}

impl Door {
    pub fn new(desk: Arc<Desk>, watch: Watch, handlers: TaskTracker, connection: u64) -> Self {
        let mut command = auth::auth();
        command.name = desk.slash.name.clone().into();
        let options = FrameworkOptions {
            commands: vec![command],
            on_error,
            initialize_owners: false,
            ..FrameworkOptions::default()
        };
        Self { desk, options: Arc::new(options), shards: OnceLock::new(), watch, connection, handlers }
    }

    async fn interaction(&self, context: &Context, interaction: Interaction) {
        let guild = match &interaction {
            Interaction::Command(i) | Interaction::Autocomplete(i) => i.guild_id,
            Interaction::Component(i) => i.guild_id,
            Interaction::Modal(i) => i.guild_id,
            _ => None,
        };
        if guild != Some(self.desk.home.id) {
            return tracing::debug!("an interaction from elsewhere was ignored");
        }
        let desk = Arc::clone(&self.desk);
        match interaction {
            Interaction::Command(i) => Box::pin(self.command(context, i)).await,
            Interaction::Autocomplete(i) => Box::pin(self.autocomplete(context, i)).await,
            Interaction::Component(i) => {
                let (i, answered) = (Arc::new(i), Arc::new(AtomicBool::new(false)));
                let (theirs, flag) = (Arc::clone(&i), Arc::clone(&answered));
                if !self.guarded("button", async move { component(&desk, &theirs, &flag).await }).await {
                    apologise(&self.desk, &Parts::of_component(&i), &answered).await;
                }
            }
            Interaction::Modal(i) => {
                let (i, answered) = (Arc::new(i), Arc::new(AtomicBool::new(false)));
                let (theirs, flag) = (Arc::clone(&i), Arc::clone(&answered));
                if !self.guarded("form", async move { modal(&desk, &theirs, &flag).await }).await {
                    apologise(&self.desk, &Parts::of_modal(&i), &answered).await;
                }
            }
            _ => {}
        }
    }

    /// Runs a handler as a task of its own, and says whether it came to its end: a panic in it is logged, and harms nobody
    /// else.
    async fn guarded(
        &self,
        command: &'static str,
        handler: impl Future<Output = Answered> + Send + 'static,
    ) -> bool {
        let ended = self.handlers.spawn(handler).await;
        if ended.is_err() {
            tracing::error!("an interaction could not be handled: its handler panicked");
        }
        metrics::interaction(command, *ended.as_ref().unwrap_or(&Answered::Panicked));
        ended.is_ok()
    }

    async fn command(&self, context: &Context, interaction: CommandInteraction) {
        let parts = Parts::of_command(&interaction);
        let Some(member) = parts.member else { return };
        if let_in(&self.desk, &parts, member).await.is_some() {
            self.dispatch(context, interaction, false).await;
        } else {
            metrics::interaction(word(&interaction), Answered::TurnedAway);
        }
    }

    async fn autocomplete(&self, context: &Context, interaction: CommandInteraction) {
        let parts = Parts::of_command(&interaction);
        let Some(member) = parts.member else { return };
        if standing(&self.desk.access.now(), member) == Standing::Stranger {
            return parts.offer_nothing(&self.desk.answers).await;
        }
        self.dispatch(context, interaction, true).await;
    }

    /// Hands a command, or the completion of its options, to poise.
    async fn dispatch(&self, context: &Context, interaction: CommandInteraction, completes: bool) {
        let Some(shards) = self.shards.get().cloned() else { return };
        let (desk, options, mut context) =
            (Arc::clone(&self.desk), Arc::clone(&self.options), context.clone());
        // By this poise answers a completion; what a command says goes through its visit.
        context.http = desk.answers.to(&interaction.token);
        let command = if completes { "completion" } else { word(&interaction) };
        self.guarded(command, async move {
            let framework = FrameworkContext {
                serenity_context: &context,
                bot_id: UserId::new(interaction.application_id.get()),
                options: &options,
                user_data: &desk,
                shard_manager: &shards,
            };
            let answered = AtomicBool::new(false);
            let invocation_data = tokio::sync::Mutex::new(Box::new(()) as _);
            let arguments = interaction.data.options();
            let mut tree = Vec::new();
            let done = if completes {
                let tree = &mut tree;
                let completed = poise::dispatch_autocomplete(
                    framework,
                    &interaction,
                    &answered,
                    &invocation_data,
                    &arguments,
                    tree,
                );
                let Ok(done) = tokio::time::timeout(DEADLINE, completed).await else {
                    tracing::debug!("a completion had no answer in time");
                    return Answered::Failed;
                };
                done
            } else {
                let tree = &mut tree;
                poise::dispatch_interaction(
                    framework,
                    &interaction,
                    &answered,
                    &invocation_data,
                    &arguments,
                    tree,
                )
                .await
            };
            match done {
                Ok(()) => Answered::Done,
                Err(error) => {
                    error.handle(&options).await;
                    Answered::Failed
                }
            }
        })
        .await;
    }
}

impl Door {
    /// Whose events come through this door, before the first does.
    pub fn meet(&self, shards: &Arc<ShardManager>) {
        // A second client is never made for one door.
        drop(self.shards.set(Arc::clone(shards)));
    }

    /// Lets an event in.
    pub async fn enter(&self, context: Context, event: FullEvent) {
        self.watch.heard(self.connection);
        match event {
            FullEvent::InteractionCreate { interaction } => {
                Box::pin(self.interaction(&context, interaction)).await;
            }
            FullEvent::Ready { data_about_bot } => {
                let guild = self.desk.home.id;
                let is_in = data_about_bot.guilds.iter().any(|known| known.id == guild);
                let bot = &data_about_bot.user.name;
                self.watch.connected(self.connection, bot, &self.desk.slash.name, guild, is_in);
            }
            FullEvent::Resume { .. } => self.watch.resumed(self.connection),
            FullEvent::GuildCreate { guild, .. } if self.is_ours(guild.id) => {
                guild.threads.iter().for_each(|thread| self.note_thread(thread));
            }
            FullEvent::ThreadCreate { thread } if self.is_ours(thread.guild_id) => self.note_thread(&thread),
            FullEvent::ThreadListSync { thread_list_sync: sync } if self.is_ours(sync.guild_id) => {
                sync.threads.iter().for_each(|thread| self.note_thread(thread));
            }
            FullEvent::ThreadUpdate { new, .. } if self.is_ours(new.guild_id) => {
                let thread = ThreadId::from(new.id.get());
                self.note_thread(&new);
                if new.thread_metadata.is_some_and(|thread| thread.archived) {
                    self.desk.supervisor.thread_closed(&thread);
                } else {
                    self.desk.supervisor.thread_opened(&thread);
                }
            }
            FullEvent::ThreadDelete { thread, .. } if self.is_ours(thread.guild_id) => {
                self.desk.left(&ThreadId::from(thread.id.get()));
            }
            FullEvent::ChannelDelete { channel, .. } if self.is_ours(channel.guild_id) => {
                for thread in self.desk.places.within(&ThreadId::from(channel.id.get())) {
                    self.desk.left(&thread);
                }
            }
            _ => {}
        }
    }

    fn is_ours(&self, guild: GuildId) -> bool {
        guild == self.desk.home.id
    }

    /// Learns where a thread of our guild hangs: an agent of it may ask for a token before anybody does anything there.
    fn note_thread(&self, thread: &GuildChannel) {
        let parent = thread.parent_id.map(|parent| ThreadId::from(parent.get()));
        self.desk.places.note_ours(&ThreadId::from(thread.id.get()), parent);
    }
}

async fn component(desk: &Desk, interaction: &ComponentInteraction, answered: &AtomicBool) -> Answered {
    let parts = Parts::of_component(interaction);
    let Some(member) = parts.member else { return Answered::TurnedAway };
    let Some(visit) = admit(desk, &parts, member, answered).await else { return Answered::TurnedAway };
    fault::pressed();
    let chosen = match &interaction.data.kind {
        ComponentInteractionDataKind::StringSelect { values } => values.first().map(String::as_str),
        _ => None,
    };
    let handled = if let Ok(press) = interaction.data.custom_id.parse::<Press>() {
        auth::pressed(&visit, press, chosen).await
    } else {
        auth::unknown(&visit).await
    };
    settle(&visit, handled).await
}

async fn modal(desk: &Desk, interaction: &ModalInteraction, answered: &AtomicBool) -> Answered {
    let parts = Parts::of_modal(interaction);
    let Some(member) = parts.member else { return Answered::TurnedAway };
    let Some(visit) = admit(desk, &parts, member, answered).await else { return Answered::TurnedAway };
    fault::pressed();
    let handled = if let Ok(Press::Paste(login)) = interaction.data.custom_id.parse::<Press>() {
        auth::login::pasted(&visit, &login, field(interaction)).await
    } else {
        auth::unknown(&visit).await
    };
    settle(&visit, handled).await
}

/// The text of a modal's one field.
fn field(interaction: &ModalInteraction) -> &str {
    let fields = interaction.data.components.iter().flat_map(|row| &row.components);
    let text = fields.filter_map(|component| match component {
        serenity::all::ActionRowComponent::InputText(input) if input.custom_id == FIELD => {
            input.value.as_deref()
        }
        _ => None,
    });
    text.into_iter().next().unwrap_or_default()
}

/// Lets a press in, or tells why not.
async fn admit<'a>(
    desk: &'a Desk,
    parts: &Parts<'_>,
    member: &Member,
    answered: &'a AtomicBool,
) -> Option<Visit<'a>> {
    let standing = let_in(desk, parts, member).await?;
    Some(Visit::new(desk, parts, member, standing, answered))
}

/// Judges whoever is at the door with a command or a press, and tells those who are not let in why. What is typed into an
/// option is not counted: it is dozens of questions for one command, and each costs no more than a look.
async fn let_in(desk: &Desk, parts: &Parts<'_>, member: &Member) -> Option<Standing> {
    if let Err(wait) = desk.pace.count(&member.user.id, desk.broker.limits().commands_per_minute) {
        let page = view::too_fast(parts.language, wait, desk.broker.clock().now());
        parts.hold_off(&desk.answers, &page).await;
        return None;
    }
    let access = desk.access.now();
    let standing = standing(&access, member);
    if standing == Standing::Stranger {
        audit::not_served(&User::Discord(member.user.id.get().into()));
        parts.turn_away(&desk.answers, &view::not_allowed(parts.language, &access)).await;
        desk.members.seen(member, standing);
        return None;
    }
    desk.members.seen(member, standing);
    if desk.closing.is_cancelled() {
        parts.turn_away(&desk.answers, &view::closing(parts.language)).await;
        return None;
    }
    let (thread, parent) = parts.place();
    desk.entered(&thread, parent);
    Some(standing)
}

/// The end of a handler that failed: the operator gets the error, the member our words.
async fn settle(visit: &Visit<'_>, handled: Result<(), Failure>) -> Answered {
    let Err(error) = handled else { return Answered::Done };
    tracing::error!(error = format!("{error:#}"), "a press could not be handled");
    visit.add(&view::went_wrong(visit.language, &visit.desk.slash)).await;
    Answered::Failed
}

/// The command's name, for metrics: one of ours, whatever Discord sends.
fn word(interaction: &CommandInteraction) -> &'static str {
    let called = interaction.data.options.first().map(|option| option.name.as_str());
    let ours = ["login", "status", "logout", "cancel", "use", "list"];
    ours.into_iter().find(|name| Some(*name) == called).unwrap_or("other")
}

/// The end of a handler that broke off, for the member.
async fn apologise(desk: &Desk, parts: &Parts<'_>, answered: &AtomicBool) {
    let Some(member) = parts.member else { return };
    let visit = Visit::new(desk, parts, member, standing(&desk.access.now(), member), answered);
    visit.add(&view::went_wrong(visit.language, &desk.slash)).await;
}

/// Whatever poise could not do, said in our words. Nothing of the framework's text is shown.
fn on_error(error: FrameworkError<'_, Desk, Failure>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let context = match &error {
            FrameworkError::Command { error, ctx, .. } => {
                tracing::error!(
                    command = &*ctx.command().name,
                    error = format!("{error:#}"),
                    "a command failed"
                );
                Some(*ctx)
            }
            FrameworkError::CommandPanic { ctx, .. } => {
                tracing::error!(command = &*ctx.command().name, "a command panicked");
                Some(*ctx)
            }
            FrameworkError::UnknownInteraction { interaction, framework, .. } => {
                tracing::warn!("a command that is not ours was called");
                let parts = Parts::of_command(interaction);
                let page = view::over_or_unknown(parts.language, &framework.user_data.slash);
                parts.turn_away(&framework.user_data.answers, &page).await;
                None
            }
            other => {
                tracing::warn!("a command could not be dispatched");
                other.ctx()
            }
        };
        let Some(poise::Context::Application(context)) = context else { return };
        if context.interaction_type == poise::CommandInteractionType::Autocomplete {
            return;
        }
        let desk = context.framework.user_data;
        apologise(desk, &Parts::of_command(context.interaction), context.has_sent_initial_response).await;
    })
}
