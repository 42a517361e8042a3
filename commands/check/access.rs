//! Whom the configuration admits, and whether the guild knows them.
//!
//! Owns the findings on `[access]`. Must not: judge anybody; that is done at the door, by what Discord says there.

use std::collections::BTreeSet;
use std::sync::Arc;

use latchkey::config::{Access, Config};
use serenity::all::{Http, PartialGuild, Permissions, StatusCode, UserId};

use super::discord::{plain, question};
use super::finding::Finding;

const PART: &str = "access";
/// How many people are looked up; each is one request.
const PEOPLE: usize = 20;

/// What can be said without asking anybody.
pub(super) fn offline(config: &Config) -> Vec<Finding> {
    let members = &config.access.members;
    if members.anyone {
        return vec![Finding::ok(PART, "every member of the server may sign in")];
    }
    if members.roles.is_empty() && members.users.is_empty() {
        let what = "nobody but those with Manage Guild may sign in";
        return vec![Finding::warning(PART, what, "name roles or users under [access] members")];
    }
    let (roles, users) = (members.roles.len(), members.users.len());
    vec![Finding::ok(PART, format!("may sign in: roles named: {roles}, users named: {users}"))]
}

/// Whether the roles and people that are named are there.
pub(super) async fn known(http: &Arc<Http>, access: &Access, guild: &PartialGuild) -> Vec<Finding> {
    let mut found = Vec::new();
    let name = plain(&guild.name);
    let mut people = BTreeSet::new();
    for (key, rule) in [("access.members", &access.members), ("access.admins", &access.admins)] {
        for role in &rule.roles {
            if !guild.roles.keys().any(|known| known.get() == *role) {
                let what = format!("there is no role {role} in {name}, so that it admits nobody");
                let remedy = "copy the id of the role (Developer Mode, right-click the role, Copy Role ID), or leave it out";
                found.push(Finding::warning(PART, what, remedy).at(format!("{key}.roles")));
            }
        }
        people.extend(rule.users.iter().map(|user| (*user, key)));
    }
    let left = people.len().saturating_sub(PEOPLE);
    let mut asked = tokio::task::JoinSet::new();
    for (user, key) in people.into_iter().take(PEOPLE) {
        let (http, guild) = (Arc::clone(http), guild.id);
        asked.spawn(async move {
            (user, key, question(http.get_member(guild, UserId::new(user))).await.map(drop))
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(user, ..)| *user);
    for (user, key, answer) in answers {
        match answer {
            Ok(()) => {}
            Err(unanswered) if unanswered.status == Some(StatusCode::NOT_FOUND) => {
                let what =
                    format!("the user {user} is no member of {name}, and is not admitted until they are");
                found.push(
                    Finding::warning(PART, what, "correct the id, or leave it out")
                        .at(format!("{key}.users")),
                );
            }
            Err(unanswered) => found.push(unanswered.finding(&format!("whether {user} is a member"))),
        }
    }
    if left > 0 {
        found.push(Finding::ok(PART, format!("users that were not looked up, being many: {left}")));
    }
    found
}

/// Whether admins are called when they are asked.
pub(super) fn called(access: &Access, guild: &PartialGuild, may: Permissions) -> Vec<Finding> {
    if may.contains(Permissions::MENTION_EVERYONE) {
        return Vec::new();
    }
    let silent = access.admins.roles.iter().filter_map(|id| {
        let role = guild.roles.values().find(|role| role.id.get() == *id && !role.mentionable)?;
        Some(Finding::ok(
            PART,
            format!(
                "admins with the role {} are asked without being called: to have them called, allow anyone to mention it (Server \
                 Settings, Roles), or give the bot the permission Mention All Roles",
                plain(&role.name)
            ),
        ))
    });
    silent.collect()
}
