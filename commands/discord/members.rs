//! Whether the members whose own sign-ins are in use are still there, and still admitted (U7).
//!
//! Owns when each is looked at: once a day over REST, and for nothing whenever Discord describes them with an interaction of
//! theirs. Invariants: only Discord's word that they are not there, or a description of them that `access` does not admit,
//! counts against them; a Discord that cannot be asked counts for nothing. Must not: delay an answer to anybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use latchkey::broker::Broker;
use latchkey::clock::UnixSeconds;
use latchkey::config::Access;
use latchkey::credential::Unserved;
use latchkey::tenant::UserId as Person;
use serenity::all::{GuildId, Http, Member, PartialGuild, Permissions, RoleId};
use tokio_util::sync::CancellationToken;

use super::access::{Standing, standing};
use super::api;
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
    access: Access,
    /// When each was looked at. Locked to look up or change, never across a wait.
    looked: Mutex<HashMap<Person, UnixSeconds>>,
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
    pub fn new(http: Arc<Http>, broker: Broker, guild: GuildId, access: Access) -> Self {
        Self { http, broker, guild, access, looked: Mutex::default() }
    }

    /// Discord has just described `person`, whose `standing` that is. Somebody who is back is served before this returns.
    /// It may wait for the store: whoever expects an answer has got its first response before.
    pub async fn seen(self: &Arc<Self>, person: &Person, standing: Standing) {
        self.note_look(person);
        let (members, person) = (Arc::clone(self), person.clone());
        // What is written must not end with whoever waits for it.
        let noting = tokio::spawn(async move { members.note(&person, verdict(standing)).await });
        if standing != Standing::Stranger && tokio::time::timeout(BACK, noting).await.is_err() {
            tracing::debug!("a member who is back is served in a moment");
        }
    }

    fn note_look(&self, person: &Person) {
        let now = self.broker.clock().now();
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).insert(person.clone(), now);
    }

    async fn note(&self, person: &Person, unserved: Option<Unserved>) {
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
                verdict(standing(&self.access, &member))
            }
            Err(error) if api::code(&error).is_some_and(|code| NOT_A_MEMBER.contains(&code)) => {
                Some(Unserved::Left)
            }
            Err(error) => return Err(error),
        };
        self.note_look(person);
        self.note(person, unserved).await;
        Ok(())
    }
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
