//! From the pages of `view` to what Discord is sent.
//!
//! Owns the step from plain data to serenity's builders. Invariants: every answer to an interaction is ephemeral and mentions nobody,
//! whichever way it is sent (U2); an edit replaces text, embeds and components, so that no button outlives its page.

use latchkey::secret::TokenHash;
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateInputText,
    CreateInteractionResponse, CreateInteractionResponseFollowup, CreateInteractionResponseMessage,
    CreateMessage, CreateModal, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
    EditInteractionResponse, InputTextStyle, Nonce, UserId,
};

use crate::view::{Button, Does, Form, Look, MENU_CAP, Menu, Page, Row};

/// The custom id of a modal's one field.
pub const FIELD: &str = "answer";
/// The longest text that the field takes, in characters.
const FIELD_CAP: u16 = 4_000;
/// The longest nonce that Discord takes, in characters.
const NONCE_CAP: usize = 25;

/// A message that mentions nobody loudly.
pub fn nobody() -> CreateAllowedMentions {
    CreateAllowedMentions::new()
}

/// The first answer to an interaction.
pub fn answer(page: &Page) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(
        CreateInteractionResponseMessage::new()
            .content(&page.text)
            .embeds(embeds(page))
            .components(rows(page))
            .allowed_mentions(nobody())
            .ephemeral(true),
    )
}

/// The promise of an answer, seen by its member only.
pub fn deferral() -> CreateInteractionResponse {
    CreateInteractionResponse::Defer(CreateInteractionResponseMessage::new().ephemeral(true))
}

/// The new state of a message that is there.
pub fn edit(page: &Page) -> EditInteractionResponse {
    EditInteractionResponse::new()
        .content(&page.text)
        .embeds(embeds(page))
        .components(rows(page))
        .allowed_mentions(nobody())
}

/// One more message to the same member.
pub fn follow_up(page: &Page) -> CreateInteractionResponseFollowup {
    CreateInteractionResponseFollowup::new()
        .content(&page.text)
        .embeds(embeds(page))
        .components(rows(page))
        .allowed_mentions(nobody())
        .ephemeral(true)
}

/// A message that everybody in a channel reads; at most `called` is mentioned.
pub fn public(page: &Page, called: Option<UserId>) -> CreateMessage {
    CreateMessage::new()
        .content(&page.text)
        .embeds(embeds(page))
        .components(rows(page))
        .allowed_mentions(nobody().users(called))
}

/// What names a message that is not to show twice: Discord makes one of two that have the same.
pub fn nonce(name: &str) -> Nonce {
    Nonce::String(TokenHash::of(name).to_string().chars().take(NONCE_CAP).collect())
}

/// A modal.
pub fn modal(form: &Form) -> CreateInteractionResponse {
    let mut field = CreateInputText::new(InputTextStyle::Paragraph, &form.label, FIELD)
        .required(true)
        .min_length(1)
        .max_length(FIELD_CAP);
    if !form.example.is_empty() {
        field = field.placeholder(&form.example);
    }
    CreateInteractionResponse::Modal(
        CreateModal::new(form.press.to_string(), &form.title)
            .components(vec![CreateActionRow::InputText(field)]),
    )
}

fn embeds(page: &Page) -> Vec<CreateEmbed> {
    page.embed.iter().map(|text| CreateEmbed::new().description(text)).collect()
}

/// What stands below a message.
pub fn rows(page: &Page) -> Vec<CreateActionRow> {
    page.rows
        .iter()
        .map(|row| match row {
            Row::Buttons(buttons) => CreateActionRow::Buttons(buttons.iter().map(button).collect()),
            Row::Menu(menu) => CreateActionRow::SelectMenu(select(menu)),
        })
        .collect()
}

fn button(button: &Button) -> CreateButton {
    let style = match button.look {
        Look::Main => ButtonStyle::Primary,
        Look::Plain => ButtonStyle::Secondary,
        Look::Danger => ButtonStyle::Danger,
    };
    match &button.does {
        Does::Open(address) => CreateButton::new_link(address).label(&button.label),
        Does::Press(press) => CreateButton::new(press.to_string()).style(style).label(&button.label),
    }
}

fn select(menu: &Menu) -> CreateSelectMenu {
    let options = menu
        .entries
        .iter()
        .take(MENU_CAP)
        .map(|(label, value)| CreateSelectMenuOption::new(label, value))
        .collect();
    CreateSelectMenu::new(menu.press.to_string(), CreateSelectMenuKind::String { options })
        .placeholder(&menu.prompt)
}
