//! What people see, as HTML that looks like Discord on a phone, to be made into pictures for documentation.
//!
//! Owns the cards; their text is in `markdown`, their looks in `style.css`. Invariants: one record gives one picture,
//! whenever it is drawn (times are relative to the stand-in's clock and rounded, symbols are drawn and not taken from a
//! font); nothing is loaded from anywhere; all text of others is escaped.

mod markdown;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::actor::{Channel, Modal};
use crate::rules::list;
use crate::server::Discord;
use crate::view::{Button, View};
use crate::world::World;

use markdown::{Reading, escaped};

const STYLE: &str = include_str!("picture/style.css");

/// What a mention stands for: `@1` a person, `#1` a place, `&1` a role.
type Names = BTreeMap<String, String>;

impl Discord {
    /// A message as its reader sees it. `used` is the command or press that it answers, shown above it.
    pub fn picture(&self, view: &View, used: Option<&str>) -> String {
        let world = self.shared.lock();
        let names = names(&world);
        let reading = Reading { names: &names, now: self.shared.clock.now_ms() / 1_000 };
        drop(world);
        message(view, used, &reading)
    }

    /// The name of a place, as a title above its messages.
    pub fn picture_of_place(&self, place: &Channel) -> String {
        format!("<header><i>#</i>{}</header>", escaped(&place.name()))
    }
}

impl Modal {
    /// The form as the member has it before them, with `written` in its first field.
    pub fn picture(&self, application: &str, written: &str) -> String {
        let mut html = format!(
            "<section class=modal><h1>{}<i>✕</i></h1><p class=notice><b>This form will be submitted to {}.</b> Do not \
             share passwords or other sensitive information.</p>",
            escaped(&self.title),
            escaped(application)
        );
        for (number, input) in self.inputs.iter().enumerate() {
            let required = if input.required { "<em>*</em>" } else { "" };
            let (class, text) = match (number, written) {
                (0, text) if !text.is_empty() => ("", text),
                _ if !input.value.is_empty() => ("", input.value.as_str()),
                _ => ("empty", input.placeholder.as_str()),
            };
            let lines = if input.paragraph { "paragraph" } else { "line" };
            let _ = write!(
                html,
                "<label>{}{required}</label><div class=\"field {lines} {class}\">{}</div>",
                escaped(&input.label),
                escaped(text)
            );
        }
        html + "<footer><span class=\"button plain\">Cancel</span><span class=\"button s1\">Submit</span></footer></section>"
    }
}

/// A page of these cards, ready to be drawn.
pub fn page(cards: &[String]) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>picture</title><style>{STYLE}</style><main>{}</main>",
        cards.concat()
    )
}

fn names(world: &World) -> Names {
    let people = world.users.iter().map(|(id, name)| (format!("@{id}"), name.clone()));
    let places = world.channels.values().map(|place| (format!("#{}", place.id), place.name.clone()));
    let roles = world.guilds.values().flat_map(|guild| &guild.roles);
    let roles = roles.map(|(id, role)| (format!("&{id}"), role.name.clone()));
    people.chain(places).chain(roles).collect()
}

fn message(view: &View, used: Option<&str>, reading: &Reading<'_>) -> String {
    let mut html = String::from("<article>");
    if let (Some(used), Some(reader)) = (used, view.ephemeral_to()) {
        let initial: String = reader.chars().take(1).collect();
        let _ = write!(
            html,
            "<div class=used><i>{}</i><b>{}</b> used <span>{}</span></div>",
            escaped(&initial.to_uppercase()),
            escaped(reader),
            escaped(used)
        );
    }
    let _ = write!(
        html,
        "<div class=avatar>{}</div><div class=body><div class=head><b>{}</b><span class=app>APP</span>\
         <time>Today at 09:41</time></div>",
        markdown::KEY,
        escaped(view.author()),
    );
    if view.is_deferred() {
        let _ = write!(html, "<p class=thinking>{} is thinking…</p>", escaped(view.author()));
    }
    html.push_str(&reading.block(view.content()));
    for embed in view.embeds() {
        let _ = write!(html, "<div class=embed>{}</div>", embed_body(embed, reading));
    }
    for row in view.components() {
        html.push_str("<div class=row>");
        for part in list(row, "components") {
            html.push_str(&if part["type"].as_u64() == Some(2) {
                button(&Button::of(part))
            } else {
                menu(part)
            });
        }
        html.push_str("</div>");
    }
    if view.is_ephemeral() {
        let _ =
            write!(html, "<p class=only>{}Only you can see this · <a>Dismiss message</a></p>", markdown::EYE);
    }
    html + "</div></article>"
}

fn embed_body(embed: &Value, reading: &Reading<'_>) -> String {
    let part = |key: &str| embed[key].as_str().unwrap_or_default();
    let mut html = String::new();
    if !part("title").is_empty() {
        let _ = write!(html, "<h2>{}</h2>", reading.inline(part("title")));
    }
    html.push_str(&reading.block(part("description")));
    for field in list(embed, "fields") {
        let _ = write!(html, "<h3>{}</h3>", reading.inline(field["name"].as_str().unwrap_or_default()));
        html.push_str(&reading.block(field["value"].as_str().unwrap_or_default()));
    }
    html
}

fn button(button: &Button) -> String {
    let off = if button.disabled { " off" } else { "" };
    let out = if button.url.is_some() { markdown::OUT } else { "" };
    format!("<span class=\"button s{}{off}\">{}{out}</span>", button.style, escaped(&button.label))
}

/// A select menu, opened.
fn menu(part: &Value) -> String {
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let mut html = format!("<div class=menu><div>{}<i>⌄</i></div><ul>", text(&part["placeholder"]));
    for option in list(part, "options") {
        let _ = write!(html, "<li>{}</li>", text(&option["label"]));
    }
    html + "</ul></div>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_no_markup() {
        let names = Names::new();
        let reading = Reading { names: &names, now: 0 };
        assert_eq!(reading.block("<b>&\"</b>"), "<p>&lt;b&gt;&amp;&quot;&lt;/b&gt;</p>");
        let button = Button { label: "<i>".to_owned(), style: 1, custom_id: None, url: None, disabled: true };
        assert_eq!(super::button(&button), "<span class=\"button s1 off\">&lt;i&gt;</span>");
    }
}
