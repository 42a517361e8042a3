//! A small real bot, with serenity and poise, that runs against the stand-in.

#![expect(clippy::expect_used, clippy::unused_async, reason = "test support; poise wants async functions")]

use std::time::Duration;

use latchkey_test_discord::Discord;
use poise::serenity_prelude as serenity;
use serenity::{
    ActionRowComponent, AutocompleteChoice, ButtonStyle, ComponentInteraction, CreateActionRow,
    CreateAutocompleteResponse, CreateButton, CreateEmbed, CreateInputText, CreateInteractionResponse,
    CreateInteractionResponseFollowup, CreateInteractionResponseMessage, CreateModal, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption, FullEvent, GatewayIntents, HttpBuilder, InputTextStyle,
    Interaction, ModalInteraction,
};

type Error = serenity::Error;
type Context<'a> = poise::Context<'a, (), Error>;

/// A bot that runs until it is dropped.
pub struct Bot {
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Bot {
    /// Starts it; it registers `/auth` in the home guild.
    pub async fn start(discord: &Discord) -> Self {
        Self::launch(discord, discord.bot_token(), GatewayIntents::GUILDS).await
    }

    /// Starts it with another token.
    pub async fn start_with_token(discord: &Discord, token: &str) -> Self {
        Self::launch(discord, token, GatewayIntents::GUILDS).await
    }

    /// Starts it with other intents.
    pub async fn start_with(discord: &Discord, intents: GatewayIntents) -> Self {
        Self::launch(discord, discord.bot_token(), intents).await
    }

    async fn launch(discord: &Discord, token: &str, intents: GatewayIntents) -> Self {
        let http = HttpBuilder::new(token).proxy(discord.api_base()).ratelimiter_disabled(true).build();
        let guild = serenity::GuildId::new(discord.guild());
        let options = poise::FrameworkOptions {
            commands: vec![auth()],
            event_handler: |context, event| Box::pin(handle(context.serenity_context, event)),
            ..poise::FrameworkOptions::default()
        };
        let framework = poise::Framework::builder()
            .options(options)
            .setup(move |context, _, framework| {
                Box::pin(async move {
                    for command in &framework.options().commands {
                        let create = command.create_as_slash_command().expect("a slash command");
                        guild.create_command(context, create).await?;
                    }
                    Ok(())
                })
            })
            .build();
        let mut client = serenity::ClientBuilder::new_with_http(http, intents)
            .framework(framework)
            .await
            .expect("a client");
        Self { task: tokio::spawn(async move { client.start().await }) }
    }

    /// Waits up to 10 s until its client gives up.
    pub async fn end(&mut self) -> Result<(), Error> {
        let ended = tokio::time::timeout(Duration::from_secs(10), &mut self.task).await;
        ended.expect("the bot gives up").expect("the bot does not panic")
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sign in
#[poise::command(slash_command, subcommands("login", "status", "silent"))]
async fn auth(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Start a login
#[poise::command(slash_command)]
async fn login(
    context: Context<'_>,
    #[description = "Provider"]
    #[autocomplete = "providers"]
    provider: String,
    #[description = "Profile"] profile: Option<String>,
) -> Result<(), Error> {
    context.defer_ephemeral().await?;
    let poise::Context::Application(application) = context else { return Ok(()) };
    let link = CreateButton::new_link("https://provider.example/device").label("Open sign-in page");
    let row = CreateActionRow::Buttons(vec![
        link,
        CreateButton::new("paste").label("Paste").style(ButtonStyle::Primary),
        CreateButton::new("cancel").label("Cancel").style(ButtonStyle::Danger),
        CreateButton::new("off").label("Off").disabled(true),
    ]);
    let menu = CreateSelectMenu::new(
        "pick",
        CreateSelectMenuKind::String { options: vec![CreateSelectMenuOption::new("Codex", "codex")] },
    );
    let interaction = application.interaction;
    let edit = serenity::EditInteractionResponse::new()
        .content(format!("Sign in to {provider} {}", profile.unwrap_or_default()))
        .embed(CreateEmbed::new().title("Code").description("ABCD-1234"))
        .components(vec![row, CreateActionRow::SelectMenu(menu)]);
    interaction.edit_response(context.http(), edit).await?;
    interaction
        .create_followup(
            context.http(),
            CreateInteractionResponseFollowup::new().content("ABCD-1234").ephemeral(true),
        )
        .await?;
    Ok(())
}

async fn providers(_: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let fitting = ["claude", "codex", "github"].into_iter().filter(|p| p.starts_with(partial));
    CreateAutocompleteResponse::new().set_choices(fitting.map(|p| AutocompleteChoice::new(p, p)).collect())
}

/// Defers, then says twice: the second one is public
#[poise::command(slash_command)]
async fn status(context: Context<'_>) -> Result<(), Error> {
    context.defer_ephemeral().await?;
    context.say("first").await?;
    context.say("second").await?;
    Ok(())
}

/// Never answers
#[poise::command(slash_command)]
async fn silent(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

async fn handle(context: &serenity::Context, event: &FullEvent) -> Result<(), Error> {
    match event {
        FullEvent::InteractionCreate { interaction: Interaction::Component(press) } => {
            pressed(context, press).await
        }
        FullEvent::InteractionCreate { interaction: Interaction::Modal(modal) } => {
            submitted(context, modal).await
        }
        _ => Ok(()),
    }
}

async fn pressed(context: &serenity::Context, press: &ComponentInteraction) -> Result<(), Error> {
    let update = |text: &str| {
        let message = CreateInteractionResponseMessage::new().content(text).embeds(vec![]).components(vec![]);
        CreateInteractionResponse::UpdateMessage(message)
    };
    let response = match press.data.custom_id.as_str() {
        "cancel" => update("Cancelled."),
        "pick" => update("Picked."),
        "paste" => {
            let input = CreateInputText::new(InputTextStyle::Paragraph, "Address", "url").max_length(4000);
            let row = CreateActionRow::InputText(input);
            CreateInteractionResponse::Modal(
                CreateModal::new("paste", "Paste the address").components(vec![row]),
            )
        }
        other => {
            let unknown = CreateInteractionResponseMessage::new()
                .content(format!("This login is over: {other}"))
                .ephemeral(true);
            CreateInteractionResponse::Message(unknown)
        }
    };
    press.create_response(context, response).await
}

async fn submitted(context: &serenity::Context, modal: &ModalInteraction) -> Result<(), Error> {
    let ActionRowComponent::InputText(input) = &modal.data.components[0].components[0] else { return Ok(()) };
    if modal.message.is_none() {
        let cancel = CreateActionRow::Buttons(vec![CreateButton::new("cancel").label("Cancel")]);
        let message = CreateInteractionResponseMessage::new().content("on its own").components(vec![cancel]);
        modal.create_response(context, CreateInteractionResponse::Message(message.ephemeral(true))).await?;
        let message = CreateInteractionResponseFollowup::new().content("followed up").ephemeral(true);
        modal.create_followup(context, message).await?;
        return Ok(());
    }
    let text = format!("Pasted {}", input.value.as_deref().unwrap_or_default());
    modal.create_response(context, CreateInteractionResponse::Acknowledge).await?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let edit = serenity::EditInteractionResponse::new().content(text);
    modal.edit_response(context, edit).await?;
    Ok(())
}
