//! Pressing buttons and picking from menus, on messages the member sees; or forging the press.

use serde_json::{Value, json};

use crate::actor::delivery::{Delivery, Plan};
use crate::actor::{Channel, Member};
use crate::interaction::Kind;
use crate::view::View;

impl Member {
    /// Presses the button with that label on a message, as the message is now. Link buttons, disabled ones, and
    /// messages this member does not see cannot be pressed.
    pub fn click(&self, view: &View, label: &str) -> Delivery {
        let plan = self.current(view).and_then(|view| {
            let labels = || view.buttons().into_iter().map(|button| button.label).collect::<Vec<_>>();
            let button = view.button(label).ok_or_else(|| {
                format!("no button {label:?} but {:?} on\n{}", labels(), view.with_history())
            })?;
            match (button.custom_id, button.disabled) {
                (None, _) => Err(format!("{label:?} is a link: it opens a page, the bot hears nothing")),
                (Some(_), true) => Err(format!("the button {label:?} is disabled")),
                (Some(id), false) => Ok(self.press(
                    &view,
                    &format!("[{label}]"),
                    json!({ "custom_id": id, "component_type": 2 }),
                )),
            }
        });
        Delivery::new(self, plan)
    }

    /// Picks an option, by label or value, from a select menu of a message.
    pub fn select(&self, view: &View, option: &str) -> Delivery {
        let plan = self.current(view).and_then(|view| {
            let (menu, value) = view
                .option(option)
                .ok_or_else(|| format!("no option {option:?} on\n{}", view.with_history()))?;
            let data = json!({ "custom_id": menu, "component_type": 3, "values": [value] });
            Ok(self.press(&view, &format!("‹{option}›"), data))
        });
        Delivery::new(self, plan)
    }

    /// Sends a press of `custom_id` on a message whatever this member sees, and as the view shows it (it may be
    /// stale): what a changed client can send.
    pub fn forge_click(&self, view: &View, custom_id: &str) -> Delivery {
        let data = json!({ "custom_id": custom_id, "component_type": 2 });
        Delivery::new(self, Ok(self.press(view, &format!("(forged) {custom_id}"), data)))
    }

    /// The same for a select menu.
    pub fn forge_select(&self, view: &View, custom_id: &str, values: &[&str]) -> Delivery {
        let data = json!({ "custom_id": custom_id, "component_type": 3, "values": values });
        Delivery::new(self, Ok(self.press(view, &format!("(forged) {custom_id}"), data)))
    }

    /// Submits a modal that nobody opened, with fields by custom id.
    pub fn forge_modal<'a>(
        &self,
        channel: &Channel,
        custom_id: &str,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Delivery {
        let rows: Vec<Value> = fields
            .into_iter()
            .map(|(id, value)| {
                json!({ "type": 1, "components": [{ "type": 4, "custom_id": id, "value": value }] })
            })
            .collect();
        let plan = Plan {
            kind: Kind::Modal,
            channel: channel.id(),
            data: json!({ "custom_id": custom_id, "components": rows }),
            message: None,
            source: None,
            opened_by: None,
            what: format!("{}: (forged) modal {custom_id}", self.name),
        };
        Delivery::new(self, Ok(plan))
    }

    /// The message as it is now, if this member sees it.
    fn current(&self, view: &View) -> Result<View, String> {
        let world = self.shared.lock();
        match world.messages.get(&view.id()) {
            Some(message) if world.can_see(self.id, message) => Ok(View::of(&world, message)),
            _ => Err(format!("{} does not see this message:\n{}", self.name, view.render())),
        }
    }

    fn press(&self, view: &View, what: &str, data: Value) -> Plan {
        Plan {
            kind: Kind::Component,
            channel: view.channel(),
            data,
            message: Some(view.raw().clone()),
            source: Some(view.id()),
            opened_by: None,
            what: format!("{}: {what}", self.name),
        }
    }
}
