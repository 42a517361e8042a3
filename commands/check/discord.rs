//! Whether the bot can work in its guild: the token, the guild, its permissions there, its command.
//!
//! Owns what is asked of Discord. Invariants: it reads and registers nothing; the token goes where `latchkey run` sends it.
//! Must not: show the token.

use std::sync::Arc;

use latchkey::config::{Access, Config, DiscordConfig, TokenSourceError};
use latchkey::secret::Secret;
use serenity::all::{
    ApplicationId, Command, CommandType, CurrentApplicationInfo, GuildId, Http, PartialGuild, Permissions,
    StatusCode,
};

use super::clock::Reading;
use super::finding::{Finding, Level};
use super::{QUESTION, WHOLE, access, as_the_unit};
use crate::discord::api::{self, ApiError};
use crate::discord::reach::Reach;
use crate::exit::Code;
use crate::setup;

const PART: &str = "discord";

/// What the bot must be able to do, and what for.
const NEEDED: [(Permissions, &str, &str); 3] = [
    (Permissions::VIEW_CHANNEL, "View Channels", "to reach the threads that agents work in"),
    (Permissions::SEND_MESSAGES, "Send Messages", "to tell a channel when a sign-in has ended"),
    (
        Permissions::SEND_MESSAGES_IN_THREADS,
        "Send Messages in Threads",
        "to tell a thread when its sign-in has ended, and to ask admins there",
    ),
];

/// What can be said without asking anybody, and the token, if it is there.
pub(super) fn offline(config: &Config) -> (Vec<Finding>, Option<Secret>) {
    let Some(discord) = &config.discord else {
        let what = "there is no [discord] table: `latchkey run` needs one, other commands do not";
        let remedy = "write [discord], and guild = \"…\" with the id of your server below it";
        return (vec![Finding::warning(PART, what, remedy)], None);
    };
    match discord.token.read(&setup::environment) {
        Ok(token) => {
            let what = format!("guild {}, command /{}, token present", discord.guild, discord.command);
            (vec![Finding::ok(PART, what)], Some(token))
        }
        // Whoever checks is mostly not started by the unit, where alone this can be seen.
        Err(TokenSourceError::NoCredentials { name }) => {
            let what = format!(
                "guild {}, command /{}; the bot's token cannot be read from here, so Discord is not asked: systemd hands the credential \
                 {name} to the unit alone",
                discord.guild, discord.command
            );
            (vec![Finding::warning(PART, what, as_the_unit(config))], None)
        }
        Err(error) => (vec![Finding::told(Level::Problem, PART, Code::Usage, &error.to_string())], None),
    }
}

/// What is odd about a text that should be a bot's token: three parts, the first the bot's id in Base64.
pub(super) fn odd(token: &str) -> Option<&'static str> {
    let parts: Vec<&str> = token.split('.').collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    if token.to_ascii_lowercase().starts_with("bot ") {
        Some("it begins with \"Bot\": leave that out")
    } else if token.len() == 64 && token.chars().all(|c| c.is_ascii_hexdigit()) {
        Some("it looks like the application's public key")
    } else if !token.is_empty() && token.chars().all(|c| c.is_ascii_digit()) {
        Some("it looks like an id")
    } else if parts.len() == 1 && token.len() == 32 && token.chars().all(plain) {
        Some("it looks like the application's client secret")
    } else if parts.len() != 3 || parts.iter().any(|part| part.is_empty() || !part.chars().all(plain)) {
        Some("it is not shaped like a bot's token, which has three parts with dots between them")
    } else {
        None
    }
}

/// Without asking: only how the token looks.
pub(super) fn unasked(token: &Secret) -> Option<Finding> {
    let odd = odd(token.expose())?;
    Some(Finding::problem(PART, Code::Usage, format!("the bot's token cannot be right: {odd}"), ANEW))
}

const ANEW: &str = "copy it anew: Discord's developer portal, your application, Bot, Reset Token";

/// Asks Discord.
pub(super) async fn ask(
    config: &DiscordConfig,
    access: &Access,
    token: &Secret,
) -> (Vec<Finding>, Option<Reading>) {
    let reach = match Reach::new(token, setup::environment) {
        Ok(reach) => reach,
        Err(ApiError(text)) => {
            return (vec![Finding::told(Level::Problem, PART, Code::Usage, &text)], None);
        }
    };
    let greeted = async {
        let headers = tokio::time::timeout(QUESTION, reach.greeted()).await.ok()?.ok()?;
        Reading::of("Discord", &headers)
    };
    let mut found = Vec::new();
    let standing = standing(Arc::new(reach.http()), config, access, token, &mut found);
    let (bounded, reading) = tokio::join!(tokio::time::timeout(WHOLE, standing), greeted);
    if bounded.is_err() {
        let why = format!("its answers took more than {} s", WHOLE.as_secs());
        found.push(Unanswered { status: None, why }.finding("all that was asked"));
    }
    (found, reading)
}

/// Question by question, so that what was answered is told though the rest is not.
async fn standing(
    http: Arc<Http>,
    config: &DiscordConfig,
    access: &Access,
    token: &Secret,
    found: &mut Vec<Finding>,
) {
    let application = match question(http.get_current_application_info()).await {
        Ok(application) => application,
        Err(Unanswered { status: Some(StatusCode::UNAUTHORIZED), .. }) => {
            let odd = odd(token.expose()).map(|odd| format!(": {odd}")).unwrap_or_default();
            let what = format!("Discord does not accept the bot's token{odd}");
            found.push(Finding::problem(PART, Code::Usage, what, ANEW));
            return;
        }
        Err(unanswered) => {
            found.push(unanswered.finding("who the bot is"));
            return;
        }
    };
    found.push(Finding::ok(
        PART,
        format!("Discord accepts the token: it is that of {} ({})", plain(&application.name), application.id),
    ));
    http.set_application_id(application.id);
    let id = GuildId::new(config.guild);
    match question(http.get_guild(id)).await {
        Ok(guild) => {
            let (rights, commands, admitted) = tokio::join!(
                rights(&http, &guild),
                commands(&http, config, id),
                access::known(&http, access, &guild)
            );
            found.extend(rights.0);
            found.extend(commands);
            found.extend(admitted);
            found.extend(access::called(access, &guild, rights.1));
        }
        Err(Unanswered { status: Some(StatusCode::FORBIDDEN | StatusCode::NOT_FOUND), .. }) => {
            found.push(absent(&application, config));
        }
        Err(unanswered) => found.push(unanswered.finding("what the server is")),
    }
}

fn absent(application: &CurrentApplicationInfo, config: &DiscordConfig) -> Finding {
    let what = format!("the bot is no member of the server {}", config.guild);
    let remedy = format!("invite it: {}; or correct guild", invitation(application.id));
    Finding::problem(PART, Code::Usage, what, remedy).at("discord.guild")
}

/// The address at which somebody with Manage Guild invites the bot with all that it needs.
fn invitation(application: ApplicationId) -> String {
    let all = NEEDED.iter().fold(Permissions::empty(), |all, (permission, ..)| all | *permission);
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={}",
        all.bits()
    )
}

/// What the bot may do in the whole server; a channel may say otherwise for itself.
async fn rights(http: &Http, guild: &PartialGuild) -> (Vec<Finding>, Permissions) {
    let bot = match question(http.get_current_user()).await {
        Ok(bot) => bot,
        Err(unanswered) => return (vec![unanswered.finding("who the bot is")], Permissions::all()),
    };
    let member = match question(http.get_member(guild.id, bot.id)).await {
        Ok(member) => member,
        Err(unanswered) => return (vec![unanswered.finding("what the bot may do")], Permissions::all()),
    };
    let everyone = guild.id.get();
    let roles =
        guild.roles.values().filter(|role| role.id.get() == everyone || member.roles.contains(&role.id));
    let mut may = roles.fold(Permissions::empty(), |all, role| all | role.permissions);
    if may.administrator() {
        may = Permissions::all();
    }
    let name = plain(&guild.name);
    let lacking: Vec<_> = NEEDED.iter().filter(|(permission, ..)| !may.contains(*permission)).collect();
    let mut found: Vec<_> = lacking
        .iter()
        .map(|(_, permission, purpose)| {
            let what = format!("the bot lacks the permission {permission} in {name}: it needs it {purpose}");
            let remedy =
                format!("give its role that permission: Server Settings, Roles, {}", plain(&bot.name));
            Finding::warning(PART, what, remedy)
        })
        .collect();
    if lacking.is_empty() {
        found.push(Finding::ok(PART, format!("the bot is in {name}, with all permissions that it needs")));
    }
    (found, may)
}

/// Whether our command is registered, and what else of ours stands beside it.
async fn commands(http: &Http, config: &DiscordConfig, guild: GuildId) -> Vec<Finding> {
    let asked = tokio::join!(question(http.get_guild_commands(guild)), question(http.get_global_commands()));
    let (here, everywhere) = match asked {
        (Ok(here), Ok(everywhere)) => (here, everywhere),
        (Err(unanswered), _) | (_, Err(unanswered)) => {
            return vec![unanswered.finding("which commands are registered")];
        }
    };
    let name = &config.command;
    let is_ours = |command: &&Command| command.kind == CommandType::ChatInput && command.name == *name;
    let registered = if here.iter().any(|command| is_ours(&command)) {
        format!(
            "/{name} is registered; if members are shown another /{name} beside it, that is another bot's: choose another command \
             then, which Discord tells nobody but them"
        )
    } else {
        format!("/{name} is not registered yet: `latchkey run` does that")
    };
    let mut found = vec![Finding::ok(PART, registered)];
    if everywhere.iter().any(|command| is_ours(&command)) {
        found.push(Finding::warning(
            PART,
            format!("this bot has /{name} for all servers too, so that members are shown it twice"),
            "have whatever registered that remove it, or give Latchkey an application of its own",
        ));
    }
    let others: Vec<_> =
        here.iter().filter(|command| !is_ours(command)).map(|command| plain(&command.name)).collect();
    if !others.is_empty() {
        found.push(Finding::warning(
            PART,
            format!("this bot has other commands in the server, which Latchkey does not answer: {}", others.join(", ")),
            "if command was changed and they are from before, remove them by hand (Server Settings, Integrations); else give Latchkey \
             an application of its own",
        ));
    }
    found
}

/// Why a question to Discord had no answer.
pub(super) struct Unanswered {
    pub status: Option<StatusCode>,
    why: String,
}

impl Unanswered {
    pub fn finding(self, what: &str) -> Finding {
        let what = format!("Discord did not say {what}: {}", self.why);
        Finding::problem(
            PART,
            Code::Transient,
            what,
            "check the network, and https://discordstatus.com; then try again",
        )
    }
}

/// Waits for an answer of Discord's.
pub(super) async fn question<T>(asked: impl Future<Output = serenity::Result<T>>) -> Result<T, Unanswered> {
    match tokio::time::timeout(QUESTION, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Unanswered { status: api::status(&error), why: api::words(&error) }),
        Err(_) => {
            let why = format!("no answer in {} s", QUESTION.as_secs());
            Err(Unanswered { status: None, why })
        }
    }
}

/// A name that others chose, fit for a terminal.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && !latchkey::text::is_unseen(*c)).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_often_copied_in_place_of_the_token_is_named() {
        for (token, said) in [
            ("MTAwMDAwMDAwMDAwMDAwMDAw.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB", None),
            ("Bot MTAw.G.a", Some("leave that out")),
            ("aBcDeFgHiJkLmNoPqRsTuVwXyZ012345", Some("client secret")),
            (&*"0a".repeat(32), Some("public key")),
            ("81384788765712384", Some("an id")),
            ("MTAw..abc", Some("three parts")),
            ("hello world", Some("three parts")),
        ] {
            let odd = odd(token);
            assert!(
                odd.is_some() == said.is_some() && odd.unwrap_or_default().contains(said.unwrap_or_default()),
                "{token}: {odd:?}"
            );
        }
    }

    #[test]
    fn an_invitation_asks_for_what_is_needed_and_no_more() {
        let bits = 1 << 10 | 1 << 11 | 1u64 << 38;
        assert!(
            invitation(ApplicationId::new(7))
                .ends_with(&format!("client_id=7&scope=bot+applications.commands&permissions={bits}"))
        );
    }
}
