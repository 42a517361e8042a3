//! What a test asks of the stand-in afterwards: requests, violations, registered commands, public messages.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::actor::Channel;
use crate::fault::matches;
use crate::record::{Request, Violation};
use crate::rest::commands_shown;
use crate::server::Discord;
use crate::view::View;
use crate::world::{Registered, World};

/// Requests shown in a report.
const LAST: usize = 12;

impl Discord {
    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().record.requests.iter().cloned().collect()
    }

    /// The requests whose `METHOD /path` (without `/api/v10`) matches; `*` is any run of characters.
    pub fn requests_to(&self, pattern: &str) -> Vec<Request> {
        let line = |request: &Request| format!("{} {}", request.method, request.path);
        self.requests().into_iter().filter(|request| matches(pattern, &line(request))).collect()
    }

    /// Every rule broken so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.lock().record.violations.clone()
    }

    /// The same, and forgets them: for a test that provokes one.
    pub fn take_violations(&self) -> Vec<Violation> {
        std::mem::take(&mut self.shared.lock().record.violations)
    }

    /// Requests to routes the stand-in does not play.
    pub fn unexpected(&self) -> Vec<String> {
        self.shared.lock().record.unexpected.clone()
    }

    /// Panics if any rule was broken, or any route was unexpected.
    pub fn assert_clean(&self) {
        let world = self.shared.lock();
        let (violations, unexpected) = (&world.record.violations, &world.record.unexpected);
        if violations.is_empty() && unexpected.is_empty() {
            return;
        }
        let text = report(&world);
        drop(world);
        panic!("the bot broke Discord's rules\n{text}");
    }

    /// Whether bodies are judged by Discord's own schemas too.
    pub fn schema_available(&self) -> bool {
        self.shared.schemas.is_some()
    }

    /// The commands registered in a guild, or globally, as Discord returns them.
    pub fn commands(&self, guild: Option<u64>) -> Vec<Value> {
        let world = self.shared.lock();
        world.commands.iter().filter(|c| c.guild == guild).map(|c| c.body.clone()).collect()
    }

    /// Registers a command behind the bot's back, as an earlier run would have. Returns its id.
    pub fn seed_command(&self, guild: Option<u64>, command: &Value) -> u64 {
        self.shared.change(|world| {
            let id = world.new_id();
            let body = commands_shown(world, guild, id, command);
            world.commands.push(Registered { id, guild, body });
            id
        })
    }

    /// Registers a command of another application, as a second bot would. Whoever types its name gets ours, if we have one of
    /// that name: a client shows both, and people choose.
    pub fn seed_command_of_another(&self, guild: Option<u64>, command: &Value) -> u64 {
        self.shared.change(|world| {
            let (id, application) = (world.new_id(), world.new_id());
            let mut body = commands_shown(world, guild, id, command);
            body["application_id"] = application.to_string().into();
            world.others_commands.push(Registered { id, guild, body });
            id
        })
    }

    /// The commands of another application.
    pub fn commands_of_another(&self) -> Vec<Value> {
        self.shared.lock().others_commands.iter().map(|c| c.body.clone()).collect()
    }

    /// Waits until a command is registered in the home guild, or globally; panics after `timeout`.
    pub async fn wait_registered(&self, name: &str, timeout: Duration) -> Value {
        let look = |world: &World| {
            let offered = |c: &&Registered| c.guild.is_none_or(|guild| guild == world.home);
            world.commands.iter().filter(offered).find(|c| c.body["name"] == name).map(|c| c.body.clone())
        };
        let Some(found) = self.shared.wait(timeout, look).await else {
            panic!("no command /{name} registered within {timeout:?}\n{}", self.report());
        };
        found
    }

    /// The public messages of a channel or thread, oldest first.
    pub fn channel_messages(&self, channel: &Channel) -> Vec<View> {
        public(&self.shared.lock(), channel.id())
    }

    /// Waits for a public message that contains `text`; panics after `timeout`.
    pub async fn wait_channel_message(&self, channel: &Channel, text: &str, timeout: Duration) -> View {
        let look = |world: &World| public(world, channel.id()).into_iter().find(|view| view.contains(text));
        let Some(found) = self.shared.wait(timeout, look).await else {
            let there = self.channel_messages(channel);
            let there: Vec<_> = there.iter().map(View::render).collect();
            panic!(
                "no public message with {text:?} in #{} within {timeout:?}\nthere:\n{}\n{}",
                channel.name(),
                there.join("\n"),
                self.report()
            );
        };
        found
    }

    /// Everything worth knowing when a test fails.
    pub fn report(&self) -> String {
        report(&self.shared.lock())
    }
}

fn public(world: &World, channel: u64) -> Vec<View> {
    world
        .messages
        .values()
        .filter(|m| m.channel == channel && m.ephemeral_to.is_none() && !m.deleted)
        .map(|message| View::of(world, message))
        .collect()
}

/// The gateway's state, the last requests, and all violations.
pub(crate) fn report(world: &World) -> String {
    let mut text = format!("gateway: {}\n", world.gateway.describe());
    let record = &world.record;
    let skipped = record.requests.len().saturating_sub(LAST);
    let _ = writeln!(text, "last requests ({skipped} earlier):");
    for request in record.requests.iter().skip(skipped) {
        let _ = writeln!(text, "  {request}");
    }
    for violation in &record.violations {
        let _ = writeln!(text, "violation: {violation}");
    }
    for line in &record.unexpected {
        let _ = writeln!(text, "unexpected route: {line}");
    }
    text
}
