//! A message as somebody sees it at one moment, to look at in a test or to print for people.

use std::fmt::Write as _;

use serde_json::Value;

use crate::message::{Body, MessageState};
use crate::rules::components::LINK;
use crate::rules::list;
use crate::world::World;

/// A message at one moment; it does not change when the message does.
#[derive(Debug, Clone)]
pub struct View {
    id: u64,
    channel: u64,
    place: String,
    author: String,
    ephemeral_to: Option<String>,
    loading: bool,
    body: Body,
    before: Vec<Body>,
    raw: Value,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What stands on it (its emoji where it has no label).
    pub label: String,
    /// Discord's style number; 5 is a link.
    pub style: u64,
    /// None for a link.
    pub custom_id: Option<String>,
    /// Only for a link.
    pub url: Option<String>,
    /// Whether it is greyed out.
    pub disabled: bool,
}

impl View {
    pub(crate) fn of(world: &World, message: &MessageState) -> Self {
        Self {
            id: message.id,
            channel: message.channel,
            place: world.place_name(message.channel).to_owned(),
            author: world.user_name(message.author).to_owned(),
            ephemeral_to: message.ephemeral_to.map(|user| world.user_name(user).to_owned()),
            loading: message.loading,
            body: message.body.clone(),
            before: message.before.clone(),
            raw: message.to_json(world),
        }
    }

    /// The message's id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The id of the channel or thread it stands in.
    pub fn channel(&self) -> u64 {
        self.channel
    }

    /// Who wrote it.
    pub(crate) fn author(&self) -> &str {
        &self.author
    }

    /// The message object as the bot gets it.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Its content, without embeds.
    pub fn content(&self) -> &str {
        &self.body.content
    }

    /// Its embeds, as sent.
    pub fn embeds(&self) -> &[Value] {
        &self.body.embeds
    }

    /// Its rows of components, as sent.
    pub fn components(&self) -> &[Value] {
        &self.body.components
    }

    /// The name of the only member who sees it; none for a public message.
    pub fn ephemeral_to(&self) -> Option<&str> {
        self.ephemeral_to.as_deref()
    }

    /// Whether only one member sees it.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral_to.is_some()
    }

    /// Whether it still says "thinking…".
    pub fn is_deferred(&self) -> bool {
        self.loading
    }

    /// All text in it: content, embeds, buttons, menus; one piece a line.
    pub fn text(&self) -> String {
        let mut lines = vec![self.body.content.clone()];
        lines.extend(self.body.embeds.iter().flat_map(embed_lines));
        lines.extend(self.buttons().into_iter().map(|button| button.label));
        for menu in self.menus() {
            lines.extend(menu["placeholder"].as_str().map(str::to_owned));
            lines.extend(list(menu, "options").iter().map(|o| text(&o["label"]).to_owned()));
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    /// Whether `wanted` stands in its text, or in the URL of one of its links.
    pub fn contains(&self, wanted: &str) -> bool {
        self.text().contains(wanted) || self.links().iter().any(|(_, url)| url.contains(wanted))
    }

    /// Its buttons, in order.
    pub fn buttons(&self) -> Vec<Button> {
        self.parts().filter(|part| part["type"].as_u64() == Some(2)).map(Button::of).collect()
    }

    /// The button with that label.
    pub fn button(&self, label: &str) -> Option<Button> {
        self.buttons().into_iter().find(|button| button.label == label)
    }

    /// The custom id of the menu that has this option (by label or value), and the option's value.
    pub fn option(&self, wanted: &str) -> Option<(String, String)> {
        self.menus().find_map(|menu| {
            let fits = |option: &&Value| option["label"] == wanted || option["value"] == wanted;
            let option = list(menu, "options").iter().find(fits)?;
            Some((text(&menu["custom_id"]).to_owned(), text(&option["value"]).to_owned()))
        })
    }

    /// Its links as label and URL: link buttons first, then masked links in content and embeds.
    pub fn links(&self) -> Vec<(String, String)> {
        let buttons = self.buttons().into_iter().filter_map(|b| b.url.map(|url| (b.label, url)));
        let mut links: Vec<_> = buttons.collect();
        links.extend(masked_links(&self.body.content));
        for embed in &self.body.embeds {
            if let (Some(title), Some(url)) = (embed["title"].as_str(), embed["url"].as_str()) {
                links.push((title.to_owned(), url.to_owned()));
            }
            links.extend(embed_lines(embed).iter().flat_map(|line| masked_links(line)));
        }
        links
    }

    /// The URL of the link with that label. Panics without one.
    pub fn link(&self, label: &str) -> String {
        let links = self.links();
        match links.iter().find(|(known, _)| known == label) {
            Some((_, url)) => url.clone(),
            None => panic!("no link {label:?} among {links:?} on\n{}", self.render()),
        }
    }

    /// Whom it pings: mentions in the content that `allowed_mentions` does not hold back. Embeds ping nobody.
    pub fn pings(&self) -> Vec<String> {
        let allowed = &self.body.allowed_mentions;
        let may = |kind: &str, id: &str| {
            allowed.is_null()
                || list(allowed, "parse").iter().any(|k| *k == *kind)
                || list(allowed, kind).iter().any(|known| *known == *id)
        };
        let content = &self.body.content;
        let mut pings: Vec<String> = content
            .split("<@")
            .skip(1)
            .filter_map(|rest| rest.split_once('>').map(|(id, _)| id))
            .filter(|id| match id.strip_prefix('&') {
                Some(role) => may("roles", role),
                None => may("users", id.trim_start_matches('!')),
            })
            .map(|id| format!("<@{id}>"))
            .collect();
        let everyone = ["@everyone", "@here"].into_iter().filter(|word| content.contains(word));
        pings.extend(everyone.filter(|_| may("everyone", "")).map(str::to_owned));
        pings
    }

    /// As a card of plain text; Discord's timestamps stay as they are.
    pub fn render(&self) -> String {
        self.card(&self.body)
    }

    /// The card with all earlier states of the message under it.
    pub fn with_history(&self) -> String {
        let mut text = self.render();
        for body in self.before.iter().rev() {
            let _ = write!(text, "  before that:\n{}", self.card(body));
        }
        text
    }

    /// Its earlier states as cards, oldest first.
    pub fn history(&self) -> Vec<String> {
        self.before.iter().map(|body| self.card(body)).collect()
    }

    fn card(&self, body: &Body) -> String {
        let whom = match &self.ephemeral_to {
            Some(name) => format!("ephemeral to {name}"),
            None => format!("public in #{}", self.place),
        };
        let mut card = format!("[{whom}] {}\n", self.author);
        if self.loading {
            card.push_str("  (thinking…)\n");
        }
        for line in body.content.lines() {
            let _ = writeln!(card, "  {line}");
        }
        for line in body.embeds.iter().flat_map(embed_lines).flat_map(split_lines) {
            let _ = writeln!(card, "  │ {line}");
        }
        for row in &body.components {
            let parts: Vec<String> = list(row, "components").iter().map(part).collect();
            let _ = writeln!(card, "  {}", parts.join(" "));
        }
        card.lines().map(str::trim_end).fold(String::new(), |all, line| all + line + "\n")
    }

    fn parts(&self) -> impl Iterator<Item = &Value> {
        self.body.components.iter().flat_map(|row| list(row, "components"))
    }

    fn menus(&self) -> impl Iterator<Item = &Value> {
        self.parts().filter(|part| part["type"].as_u64() == Some(3))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[expect(clippy::needless_pass_by_value, reason = "stands in a flat_map over owned lines")]
fn split_lines(line: String) -> Vec<String> {
    line.lines().map(str::to_owned).collect()
}

impl Button {
    pub(crate) fn of(value: &Value) -> Self {
        let own = |key: &str| value[key].as_str().map(str::to_owned);
        let emoji = text(&value["emoji"]["name"]).to_owned();
        Self {
            label: own("label").unwrap_or(emoji),
            style: value["style"].as_u64().unwrap_or_default(),
            custom_id: own("custom_id"),
            url: own("url"),
            disabled: value["disabled"].as_bool().unwrap_or(false),
        }
    }
}

fn part(value: &Value) -> String {
    if value["type"].as_u64() == Some(2) {
        let button = Button::of(value);
        let off = if button.disabled { " (off)" } else { "" };
        return match button.url {
            Some(url) if button.style == LINK => format!("({} ↗ {url}){off}", button.label),
            _ => format!("[{}]{off}", button.label),
        };
    }
    let options: Vec<&str> = list(value, "options").iter().map(|o| text(&o["label"])).collect();
    let placeholder = value["placeholder"].as_str().map(|p| format!("{p}: ")).unwrap_or_default();
    format!("‹{placeholder}{}›", options.join(" | "))
}

fn embed_lines(embed: &Value) -> Vec<String> {
    let mut lines = vec![
        text(&embed["author"]["name"]).to_owned(),
        text(&embed["title"]).to_owned(),
        text(&embed["description"]).to_owned(),
    ];
    for field in list(embed, "fields") {
        lines.push(format!("{}: {}", text(&field["name"]), text(&field["value"])));
    }
    lines.push(text(&embed["footer"]["text"]).to_owned());
    lines.retain(|line| !line.is_empty());
    lines
}

/// The `[label](url)` in a text, as label and URL.
fn masked_links(text: &str) -> Vec<(String, String)> {
    let ends = text.match_indices("](");
    let links = ends.filter_map(|(at, _)| {
        let label = &text[text[..at].rfind('[')? + 1..at];
        let url = text[at + 2..].split(')').next()?.trim_matches(['<', '>']);
        url.starts_with("http").then(|| (label.to_owned(), url.to_owned()))
    });
    links.collect()
}
