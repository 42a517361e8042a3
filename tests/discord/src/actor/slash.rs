//! Typing a slash command: only what is registered, and offered to this member, can be sent.

use std::fmt::Write as _;

use serde_json::Value;

use crate::actor::delivery::{Delivery, Plan, Refused};
use crate::actor::options::Typed;
use crate::actor::{Channel, Interaction, Member};
use crate::interaction::Kind;
use crate::world::World;

/// A command being typed.
#[must_use = "a command is sent by `send().await`"]
#[derive(Debug, Clone)]
pub struct Slash {
    pub(super) member: Member,
    line: String,
    named: Vec<(String, String)>,
    pub(super) focused: Option<(String, String)>,
    channel: Option<u64>,
    forced: bool,
}

impl Slash {
    pub(super) fn new(member: &Member, line: &str) -> Self {
        Self {
            member: member.clone(),
            line: line.to_owned(),
            named: Vec::new(),
            focused: None,
            channel: None,
            forced: false,
        }
    }

    /// In this thread. Without, it is the guild's `#general`.
    pub fn in_thread(self, thread: &Channel) -> Self {
        self.in_channel(thread)
    }

    /// In this channel. Without, it is the guild's `#general`.
    pub fn in_channel(mut self, channel: &Channel) -> Self {
        self.channel = Some(channel.id());
        self
    }

    /// Sets an option by name.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.named.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it though the client would not offer it: a command of another guild, or one this member lacks the
    /// permissions for (an admin of the guild may have opened it to them).
    pub fn forced(mut self) -> Self {
        self.forced = true;
        self
    }

    /// Sends it. Panics if a client would not, or if the bot does not acknowledge within 3 s.
    pub async fn send(self) -> Interaction {
        self.delivery(Kind::Command).await
    }

    /// Sends it, and returns why it led to nothing instead of panicking.
    ///
    /// # Errors
    /// When a client would not offer it, and when no acknowledgement came within 3 s.
    pub async fn try_send(self) -> Result<Interaction, Refused> {
        self.delivery(Kind::Command).tried().await
    }

    /// Sends it, and panics if the bot acknowledges it within `wait`.
    pub async fn ignored(self, wait: std::time::Duration) {
        self.delivery(Kind::Command).ignored(wait).await;
    }

    pub(super) fn delivery(self, kind: Kind) -> Delivery {
        let plan = self.plan(kind);
        Delivery::new(&self.member, plan)
    }

    fn plan(&self, kind: Kind) -> Result<Plan, String> {
        let mut what = format!("{}: {}", self.member.name, self.line);
        for (name, value) in self.named.iter().chain(&self.focused) {
            let _ = write!(what, " {name}:{value}");
        }
        let explain = |why: String| format!("{what}: {why}");
        let typed = Typed::new(&self.line, &self.named, self.focused.clone()).map_err(explain)?;
        let world = self.member.shared.lock();
        let command = self.offered(&world, &typed.name).map_err(explain)?;
        let data = typed.data(&world, self.member.guild, command).map_err(explain)?;
        let general = || world.place_named(self.member.guild, "general", None);
        let channel = self.channel.or_else(general).ok_or_else(|| explain("no #general there".to_owned()))?;
        Ok(Plan { kind, channel, data, message: None, source: None, opened_by: None, what })
    }

    fn offered<'a>(&self, world: &'a World, name: &str) -> Result<&'a Value, String> {
        let guild = self.member.guild;
        let named = || world.commands.iter().filter(|command| command.body["name"] == name);
        let here = named().find(|command| command.guild.is_none_or(|scope| scope == guild));
        let command = match here {
            Some(command) => command,
            None if self.forced => {
                named().next().ok_or_else(|| format!("no command /{name} is registered anywhere"))?
            }
            None if world.others_commands.iter().any(|command| command.body["name"] == name) => {
                return Err(format!("/{name} is another application's"));
            }
            None => return Err(format!("no command /{name} is registered in this guild")),
        };
        let needs = command.body["default_member_permissions"].as_str();
        if let Some(needs) = needs.and_then(|text| text.parse::<u64>().ok()).filter(|_| !self.forced) {
            let has = world.permissions(guild, self.member.id);
            if needs == 0 || has & needs != needs {
                return Err(format!("/{name} is not offered to {}: it needs {needs:#x}", self.member.name));
            }
        }
        Ok(&command.body)
    }
}
