//! Whether the members whose own sign-ins are in use are still there, and still admitted (U7).
//!
//! Owns when each is looked at: once a day over REST, and for nothing whenever Discord describes them with an interaction of
//! theirs. Invariants: only Discord's word that they are not there, or a description of them that `access` does not admit,
//! counts against them; a Discord that cannot be asked counts for nothing; of two words about one member the later one stays. Must
//! not: delay an acknowledgement of anybody's (U1).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::clock::UnixSeconds;
use latchkey::credential::Unserved;
use latchkey::tenant::UserId as Person;
use serenity::all::{GuildId, Http, Member, PartialGuild, Permissions, RoleId};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::access::{Standing, standing};
use super::api;
use super::lanes::Lanes;
use super::notifier::refused;
use super::rules::Rules;
use super::telling::discord_id;

/// Each member is looked at this often, in seconds.
const LOOK_EVERY: i64 = 24 * 60 * 60;
/// How often it is looked who is due.
const ROUND: Duration = Duration::from_mins(1);
/// Between two members.
const APART: Duration = Duration::from_millis(500);
/// How long a command waits for the tenants of somebody who is back.
const BACK: Duration = Duration::from_millis(500);
/// Discord's codes for somebody who is not a member, and for an account that is gone.
const NOT_A_MEMBER: [isize; 2] = [10_007, 10_013];

/// The members whose own tenants are in use.
pub struct Members {
    http: Arc<Http>,
    broker: Broker,
    guild: GuildId,
    access: Rules,
    /// When each was looked at. Locked to look up or change, never across a wait.
    looked: Mutex<HashMap<Person, UnixSeconds>>,
    /// What was last found of each, until that is written down. Locked as above.
    unwritten: Mutex<HashMap<Person, Option<Unserved>>>,
    /// Whoever writes down what was found of a member.
    lanes: Lanes,
}

/// Whether somebody who was looked at then is to be looked at again. A look from the future is none (S14).
fn is_due(looked: Option<UnixSeconds>, now: UnixSeconds) -> bool {
    looked.is_none_or(|at| !(0..LOOK_EVERY).contains(&now.saturating_sub(at)))
}

/// What `member` may do in all of `guild`, as Discord computes it: its owner everything, others what their roles add up to.
fn permissions(guild: &PartialGuild, member: &Member) -> Permissions {
    if guild.owner_id == member.user.id {
        return Permissions::all();
    }
    let everyone = RoleId::new(guild.id.get());
    let roles = member.roles.iter().chain([&everyone]).filter_map(|id| guild.roles.get(id));
    roles.fold(Permissions::empty(), |all, role| all | role.permissions)
}

/// What a standing says of somebody's own tenants.
fn verdict(standing: Standing) -> Option<Unserved> {
    (standing == Standing::Stranger).then_some(Unserved::NotAdmitted)
}

impl Members {
    pub fn new(http: Arc<Http>, broker: Broker, guild: GuildId, access: Rules) -> Self {
        Self {
            http,
            broker,
            guild,
            access,
            looked: Mutex::default(),
            unwritten: Mutex::default(),
            lanes: Lanes::default(),
        }
    }

    /// Who is admitted has changed: everybody is looked at anew in the next round.
    pub fn look_anew(&self) {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Discord has just described `member`, whose `standing` that is. Nobody waits for what is written down of it.
    pub fn seen(self: &Arc<Self>, member: &Member, standing: Standing) {
        let person = Person::from(member.user.id.get());
        self.found(&person, verdict(standing));
        drop(self.noting(&person));
    }

    /// What was found of `person` is written down: somebody who is back is served when this returns, or in a moment.
    pub async fn settled(self: &Arc<Self>, person: &Person) {
        if tokio::time::timeout(BACK, self.noting(person)).await.is_err() {
            tracing::debug!("a member who is back is served in a moment");
        }
    }

    fn found(&self, person: &Person, unserved: Option<Unserved>) {
        self.note_look(person);
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).insert(person.clone(), unserved);
    }

    fn note_look(&self, person: &Person) {
        let now = self.broker.clock().now();
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(person.clone(), now);
    }

    /// As [`Self::note`], in a task: what is written must not end with whoever waits for it.
    fn noting(self: &Arc<Self>, person: &Person) -> JoinHandle<()> {
        let (members, person) = (Arc::clone(self), person.clone());
        tokio::spawn(async move { members.note(&person).await })
    }

    /// Writes down what was found of `person`, if nobody has; once this returns, that is done.
    async fn note(&self, person: &Person) {
        let _turn = self.lanes.turn(&person.to_string()).await;
        // Looked up in turn: what was found last is written last, whichever task comes first.
        let found = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).remove(person);
        let Some(unserved) = found else { return };
        if let Err(error) = self.broker.note_member(person, self.guild.get(), unserved).await {
            tracing::warn!(user = %person, %error, "what became of a member could not be written down; at the next look");
            self.looked.lock().unwrap_or_else(PoisonError::into_inner).remove(person);
        }
    }

    /// Looks at whoever is due, until the end.
    pub async fn look_after(self: Arc<Self>, closing: CancellationToken) {
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                () = self.round() => {}
            }
            tokio::select! {
                () = closing.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    async fn round(&self) {
        let due = match self.due() {
            Ok(due) if due.is_empty() => return,
            Ok(due) => due,
            Err(error) => {
                return tracing::warn!(%error, "the store cannot be read; members are looked at later");
            }
        };
        let guild = match self.http.get_guild(self.guild).await {
            Ok(guild) => guild,
            Err(error) => return tell_unknown(&error),
        };
        for person in due {
            if let Err(error) = self.look(&guild, &person).await {
                if is_about_them(&error) {
                    tracing::warn!(
                        user = %person, error = api::words(&error),
                        "Discord does not say whether somebody is still a member; asking again tomorrow"
                    );
                    self.note_look(&person);
                    continue;
                }
                // Discord has other troubles: everybody left is looked at in the next round.
                return tell_unknown(&error);
            }
            tokio::time::sleep(APART).await;
        }
    }

    fn due(&self) -> Result<Vec<Person>, latchkey::store::StoreError> {
        let (members, now) = (self.broker.members_in_use(self.guild.get())?, self.broker.clock().now());
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.retain(|person, _| members.contains(person));
        Ok(members.into_iter().filter(|person| is_due(looked.get(person).copied(), now)).collect())
    }

    async fn look(&self, guild: &PartialGuild, person: &Person) -> serenity::Result<()> {
        // A name that Discord never gave is nobody's.
        let Some(id) = discord_id(person) else { return Ok(()) };
        let unserved = match self.http.get_member(guild.id, id).await {
            Ok(mut member) => {
                member.permissions = Some(permissions(guild, &member));
                verdict(standing(&self.access.now(), &member))
            }
            Err(error) if api::code(&error).is_some_and(|code| NOT_A_MEMBER.contains(&code)) => {
                Some(Unserved::Left)
            }
            Err(error) => return Err(error),
        };
        self.found(person, unserved);
        self.note(person).await;
        Ok(())
    }
}

/// Whether Discord would say the same of nobody else: it does not take the question, though we may ask it.
fn is_about_them(error: &serenity::Error) -> bool {
    let concerns_all = |status: u16| matches!(status, 401 | 403 | 404);
    refused(error) && !api::status(error).is_some_and(|status| concerns_all(status.as_u16()))
}

fn tell_unknown(error: &serenity::Error) {
    tracing::warn!(
        error = api::words(error),
        "Discord could not be asked who is still a member; trying again"
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// U7: once a day, whatever the clock does.
    #[test]
    fn a_member_is_looked_at_once_a_day() {
        let now = 1_800_000_000;
        for (looked, due) in [
            (None, true),
            (Some(now), false),
            (Some(now - 86_399), false),
            (Some(now - 86_400), true),
            (Some(now + 1), true),
        ] {
            assert_eq!(is_due(looked, now), due, "{looked:?}");
        }
    }

    /// U7: what roles add up to counts as it does with an interaction; the guild's owner may everything.
    #[test]
    fn permissions_are_those_of_the_roles() {
        let role = |id: &str, permissions: Permissions| {
            json!({
                "id": id, "name": id, "permissions": permissions.bits().to_string(), "color": 0, "hoist": false,
                "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
                "managed": false, "mentionable": false, "position": 0, "guild_id": "1",
            })
        };
        let everyone = role("1", Permissions::VIEW_CHANNEL);
        let managers = role("2", Permissions::MANAGE_GUILD);
        let guild: PartialGuild = serde_json::from_value(json!({
            "id": "1", "name": "g", "owner_id": "9", "afk_timeout": 60, "default_message_notifications": 0,
            "emojis": [], "stickers": [], "features": [], "mfa_level": 0, "nsfw_level": 0, "preferred_locale": "en-US",
            "premium_tier": 0, "roles": [everyone, managers], "system_channel_flags": 0, "verification_level": 0,
            "explicit_content_filter": 0, "premium_progress_bar_enabled": false,
        }))
        .expect("a guild");
        for (user, roles, manages) in
            [("8", vec![], false), ("8", vec!["2"], true), ("8", vec!["3"], false), ("9", vec![], true)]
        {
            let member: Member = serde_json::from_value(json!({
                "guild_id": "1", "user": { "id": user, "username": "u", "discriminator": "0" }, "roles": roles,
                "deaf": false, "mute": false, "flags": 0, "joined_at": null,
            }))
            .expect("a member");
            let found = permissions(&guild, &member);
            assert_eq!(found.contains(Permissions::MANAGE_GUILD), manages, "{user} {roles:?}");
            assert!(found.contains(Permissions::VIEW_CHANNEL));
        }
    }
}
