//! Asking Discord: who we are there, what our guild is, and our one command.
//!
//! Owns what is asked at the start, the registration, and the reading of errors. Invariants: registration touches our own
//! command and no other (U8); no error text holds an address, since the addresses of webhooks hold interaction tokens.

use std::time::Duration;

use serenity::all::{ApplicationId, CreateCommand, GuildId, Http, HttpError, StatusCode};

use crate::view::Slash;
use crate::words::Language;

/// The pauses before what failed at the start is tried again; the last is that before each further try.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];
/// How long after a first refusal Discord is asked again.
const DOUBT: Duration = Duration::from_secs(3);

/// Why the bot cannot begin: somebody must mend something, and the text says what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ApiError(pub String);

type Result<T> = std::result::Result<T, ApiError>;

/// Learns our application's id, which also shows whether the token is good.
pub async fn introduce(http: &Http) -> Result<ApplicationId> {
    let application =
        lasting("asking Discord who this bot is", || http.get_current_application_info()).await?;
    http.set_application_id(application.id);
    Ok(application.id)
}

/// What is known of our guild from its own description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Its id.
    pub id: GuildId,
    /// Its name.
    pub name: String,
    /// The language of what everybody in it can read: its preferred one.
    pub language: Language,
}

/// Looks at our guild.
pub async fn home(http: &Http, guild: GuildId) -> Result<Home> {
    let doing = format!("looking at server {guild}");
    let found = lasting(&doing, || http.get_guild(guild)).await?;
    Ok(Home { id: guild, name: found.name, language: Language::of(&found.preferred_locale) })
}

/// Registers `command` in `guild`: an upsert by name that leaves every other command alone (U8).
pub async fn register(http: &Http, guild: GuildId, name: &str, command: &CreateCommand) -> Result<Slash> {
    let doing = format!("registering /{name} in server {guild}");
    let registered = lasting(&doing, || http.create_guild_command(guild, command)).await?;
    Ok(Slash { name: name.to_owned(), id: registered.id.get() })
}

/// Whether Discord refuses the bot's token: asked twice, since one answer may be a mistake of Discord's.
pub async fn refuses_token(http: &Http) -> bool {
    for pause in [Duration::ZERO, DOUBT] {
        tokio::time::sleep(pause).await;
        let answer = http.get_current_user().await;
        if answer.err().as_ref().and_then(status) != Some(StatusCode::UNAUTHORIZED) {
            return false;
        }
    }
    true
}

/// Tries for as long as it may help: what passes ends no bot, and one refusal may be a mistake of Discord's.
async fn lasting<T, F: Future<Output = serenity::Result<T>>>(doing: &str, call: impl Fn() -> F) -> Result<T> {
    let (mut tries, mut is_refused) = (0, false);
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let (status, words) = (status(&error), words(&error));
        let pause = match remedy(status, code(&error)) {
            Some(remedy) if is_refused || !is_doubtful(status) => {
                return Err(ApiError(format!("{doing} failed: {words}; {remedy}")));
            }
            Some(_) => {
                is_refused = true;
                DOUBT
            }
            None => {
                is_refused = false;
                let [.., last] = PAUSES;
                let pause = PAUSES.get(tries).copied().unwrap_or(last);
                tries += 1;
                pause
            }
        };
        tracing::warn!(error = words, "{doing} failed; trying again in {} s", pause.as_secs_f32());
        tokio::time::sleep(pause).await;
    }
}

/// Whether a refusal is asked twice before it is believed.
fn is_doubtful(status: Option<StatusCode>) -> bool {
    matches!(status, Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
}

/// What somebody must do, where trying again will not help.
fn remedy(status: Option<StatusCode>, code: Option<isize>) -> Option<&'static str> {
    match (status?.as_u16(), code) {
        (401, _) => Some("the bot's token is wrong: copy it anew from Discord's developer portal"),
        (_, Some(50_001)) | (403 | 404, _) => Some(
            "invite the bot to that server with the scopes bot and applications.commands, and check guild under [discord]",
        ),
        (400, _) => Some("this is a fault in Latchkey: please report it"),
        _ => None,
    }
}

/// The HTTP status of an error, if Discord answered at all.
pub fn status(error: &serenity::Error) -> Option<StatusCode> {
    match error {
        serenity::Error::Http(error) => error.status_code(),
        _ => None,
    }
}

/// Discord's own code in an error.
pub fn code(error: &serenity::Error) -> Option<isize> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => Some(response.error.code),
        _ => None,
    }
}

/// An error in words, without the address, which may hold an interaction token.
pub fn words(error: &serenity::Error) -> String {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            format!("{} ({}, {})", response.error.message, response.status_code, response.error.code)
        }
        serenity::Error::Http(HttpError::Request(error)) => {
            let kind = if error.is_timeout() {
                "no answer in time"
            } else if error.is_connect() {
                "no connection"
            } else {
                "the connection broke"
            };
            format!("Discord could not be reached: {kind}")
        }
        serenity::Error::Http(_) => "Discord could not be asked".to_owned(),
        serenity::Error::Json(_) => "Discord's answer could not be read".to_owned(),
        serenity::Error::Model(_) => "the message is against Discord's rules".to_owned(),
        _ => "an internal fault".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_trying_again_cannot_mend_comes_with_a_remedy() {
        for (status, code, mends) in [
            (401, 0, false),
            (403, 50_001, false),
            (404, 10_004, false),
            (400, 50_035, false),
            (429, 0, true),
            (500, 0, true),
            (503, -1, true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(remedy(Some(status), Some(code)).is_none(), mends, "{status}");
        }
        assert_eq!(remedy(None, None), None);
    }
}
