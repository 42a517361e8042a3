//! Whether members are still served, and their own tenants with them (U7).
//!
//! Owns what a look at a member writes down: that their tenants rest, or serve again. Invariants: only the bot of the guild
//! that a tenant was signed in from, or whose member its owner was seen to be, lets it rest; any guild that serves them lifts
//! that; a shared tenant is never affected. Must not: look at anybody itself (the Discord program does), or touch tokens.

use std::collections::BTreeSet;

use super::Broker;
use crate::audit;
use crate::clock::UnixSeconds;
use crate::credential::{Credential, Suspension, Unserved};
use crate::login::machine::{Event, next};
use crate::pending::{EndReason, LoginStatus};
use crate::store::{StoreError, Touches, has_ended, update};
use crate::tenant::{User, UserId};

/// One that rests goes on being looked at for this many seconds: its uses are refused, so they do not show.
const LOOKED_AFTER_FOR: i64 = 30 * 24 * 60 * 60;

/// What becomes of a member's own tenant once a look of `guild`'s bot has found them `unserved`, or served; `None` if nothing.
fn noted(held: &Credential, guild: u64, unserved: Option<Unserved>, now: UnixSeconds) -> Option<Credential> {
    let mut noted = held.clone();
    match unserved {
        // Where somebody is served, there they belong from now on.
        None if held.suspended.is_some() || held.guild.is_none() => {
            (noted.guild, noted.suspended) = (Some(guild), None);
        }
        Some(reason) if held.guild == Some(guild) => {
            let same = held.suspended.filter(|suspension| suspension.reason == reason);
            noted.suspended = Some(same.unwrap_or(Suspension { reason, at: now }));
        }
        _ => {}
    }
    (noted != *held).then_some(noted)
}

impl Broker {
    /// The members of `guild` whose own tenants are in use, or rest, or who wait for an admin's word: those to be looked at
    /// once a day.
    ///
    /// # Errors
    /// The store's.
    pub fn members_in_use(&self, guild: u64) -> Result<BTreeSet<UserId>, StoreError> {
        let (document, now) = (self.store.snapshot()?, self.clock.now());
        let concerns = |held: &Credential| {
            let rests = held.suspended.is_some_and(|found| now.saturating_sub(found.at) < LOOKED_AFTER_FOR);
            held.guild.is_none_or(|own| own == guild) && (rests || held.is_in_use(now))
        };
        let owners = document.tenants().filter(|(_, held)| concerns(held)).filter_map(|(key, _)| key.user);
        let waiting = document.logins().filter(|login| {
            login.status == LoginStatus::Confirming && login.guild == Some(guild) && !has_ended(login, now)
        });
        Ok(owners.chain(waiting.filter_map(|login| login.user.discord().cloned())).collect())
    }

    /// Whether a tenant of `user` changes now that `guild` serves them.
    fn rests_for(&self, user: &UserId, guild: u64) -> Result<bool, StoreError> {
        let (document, now) = (self.store.snapshot()?, self.clock.now());
        let mut own = document.tenants().filter(|(key, _)| key.user.as_ref() == Some(user));
        Ok(own.any(|(_, held)| noted(&held, guild, None, now).is_some()))
    }

    /// Writes down what a look at `user` found: that `guild` serves them, or why it does not any more. Then their own
    /// tenants rest and their logins end; once they are served again, the tenants are too. Writes nothing where nothing is new.
    ///
    /// # Errors
    /// The store's.
    pub async fn note_member(
        &self,
        user: &UserId,
        guild: u64,
        unserved: Option<Unserved>,
    ) -> Result<(), StoreError> {
        // Most who come are served, as before: each of their presses asks this, and need not wait for the store's lock. A
        // tenant that comes in between rests for nobody.
        if unserved.is_none() && !self.rests_for(user, guild)? {
            return Ok(());
        }
        let (owner, who) = (user.clone(), User::Discord(user.clone()));
        let touches = Touches::nothing().and_all_tenants().and_logins_of(&who);
        let written = update(&*self.store, touches, move |view| {
            let now = view.now();
            let mut changed = Vec::new();
            for (key, held) in view.tenants().into_iter().filter(|(key, _)| key.user.as_ref() == Some(&owner))
            {
                let Some(noted) = noted(&held, guild, unserved, now) else { continue };
                changed.push((key.clone(), held.suspended, noted.suspended));
                view.put_tenant(&key, noted);
            }
            let mut ended = Vec::new();
            let logins = view.logins().into_iter().filter(|login| {
                unserved.is_some()
                    && login.user == who
                    && login.guild == Some(guild)
                    && !has_ended(login, now)
            });
            for mut login in logins {
                let Some(status) = next(login.status, Event::Cancel) else { continue };
                (login.status, login.reason) = (status, Some(EndReason::NotServed));
                view.put_login(login.clone());
                ended.push(login);
            }
            Ok::<_, StoreError>((changed, ended))
        });
        let (changed, ended) = written.await??;
        for (tenant, before, after) in changed {
            match (before, after) {
                (_, Some(after)) => audit::membership(&tenant, after.reason.as_str()),
                (Some(_), None) => audit::membership(&tenant, "served again"),
                (None, None) => {}
            }
        }
        for login in ended {
            audit::login_ended(&login, login.status);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use latchkey_test_authority::Person;

    use super::*;
    use crate::broker::{Caller, Health, LoginReply, LoginRequest, health};
    use crate::gate::{CALLER_DEADLINE, Class, TokenError, Want};
    use crate::oauth;
    use crate::pending::{Confirming, LoginKind, PendingLogin};
    use crate::testing::{Host, key};

    const HOME: u64 = 11;
    const ELSEWHERE: u64 = 22;

    fn ann() -> UserId {
        "42".parse().unwrap()
    }

    impl Host {
        fn bot(&self) -> Broker {
            Broker::new(
                self.store(),
                self.catalog.clone(),
                oauth::Client::new(),
                self.clock.clone(),
                crate::config::Limits { starts_per_minute: 50, ..Default::default() },
            )
        }

        /// Ann's own tenant and the shared one, both signed in from `guild`.
        async fn anns(&self, guild: Option<u64>) {
            for tenant in ["acme@42", "acme"] {
                self.serving(&key(tenant), &Person::ada()).await;
                let mut held = self.stored(&key(tenant)).unwrap();
                (held.guild, held.owner) = (guild, Some(User::Discord(ann())));
                self.put(&key(tenant), held).await;
            }
        }

        fn suspended(&self, tenant: &str) -> Option<Unserved> {
            self.stored(&key(tenant)).unwrap().suspended.map(|suspension| suspension.reason)
        }
    }

    /// U1, U7: whoever was served and is served costs no write, and waits for nobody's.
    #[tokio::test]
    async fn a_member_who_is_served_as_before_waits_for_no_lock() {
        let host = Host::new();
        host.anns(Some(HOME)).await;
        let (bot, ann) = (host.bot(), ann());
        let lock = std::fs::File::open(format!("{}.lock", host.path.display())).unwrap();
        fs4::FileExt::lock(&lock).unwrap();
        let noting = bot.note_member(&ann, HOME, None);
        tokio::time::timeout(Duration::from_secs(5), noting).await.expect("it does not wait").unwrap();
    }

    /// U7: who is gone is served no more, by the front door, by the gate, by what is due; the shared tenant goes on.
    #[tokio::test]
    async fn the_own_tenant_of_who_is_gone_rests_and_the_shared_one_serves() {
        let host = Host::new();
        host.anns(Some(HOME)).await;
        let bot = host.bot();
        bot.note_member(&ann(), HOME, Some(Unserved::Left)).await.unwrap();
        let refused = bot.token(&key("acme@42"), Want::default(), CALLER_DEADLINE).await.unwrap_err();
        assert!(matches!(refused, TokenError::Suspended { reason: Unserved::Left, .. }), "{refused}");
        assert_eq!(refused.class(), Class::Denied);
        let held = host.stored(&key("acme@42")).unwrap();
        assert_eq!(health(&held, host.clock.now()), Health::Suspended(Unserved::Left));
        host.clock.jump(3_500);
        assert_eq!(bot.gate().due(&held), None, "it is refreshed no more");
        bot.token(&key("acme"), Want::default(), CALLER_DEADLINE).await.unwrap();

        bot.note_member(&ann(), HOME, None).await.unwrap();
        bot.token(&key("acme@42"), Want::default(), CALLER_DEADLINE).await.unwrap();
        assert_eq!(host.suspended("acme@42"), None);
    }

    /// U7: a guild judges its own; one that serves somebody takes them in.
    #[tokio::test]
    async fn only_the_guild_of_a_sign_in_lets_it_rest_and_any_that_serves_lifts_it() {
        for (guild, by, expected) in [
            (Some(HOME), HOME, Some(Unserved::NotAdmitted)),
            (Some(HOME), ELSEWHERE, None),
            (None, HOME, None),
        ] {
            let host = Host::new();
            host.anns(guild).await;
            let bot = host.bot();
            bot.note_member(&ann(), by, Some(Unserved::NotAdmitted)).await.unwrap();
            assert_eq!(host.suspended("acme@42"), expected, "{guild:?} {by}");
            assert_eq!(host.suspended("acme"), None);
            bot.note_member(&ann(), ELSEWHERE, None).await.unwrap();
            assert_eq!(host.suspended("acme@42"), None);
            let moved = expected.is_some() || guild.is_none();
            let held = host.stored(&key("acme@42")).unwrap();
            assert_eq!(held.guild, if moved { Some(ELSEWHERE) } else { guild });
        }
    }

    /// U7: a login of somebody who is gone ends; one that another guild's bot started goes on.
    #[tokio::test]
    async fn the_logins_of_who_is_gone_end() {
        for (by, expected) in [(HOME, LoginStatus::Cancelled), (ELSEWHERE, LoginStatus::Pending)] {
            let host = Host::new();
            let bot = host.bot();
            bot.logins().serve(HOME);
            let request = LoginRequest {
                caller: Caller { user: User::Discord(ann()), admin: false },
                tenant: key("acme@42"),
                kind: Some(LoginKind::Paste),
                watcher: None,
                bind: None,
                again: false,
                locale: None,
                redirect_uri: None,
            };
            let LoginReply::Started(started) = bot.login(request).await.unwrap() else { panic!("signed in") };
            bot.note_member(&ann(), by, Some(Unserved::Left)).await.unwrap();
            let login = bot.store().snapshot().unwrap().login_by_id(&started.login.id).unwrap();
            let reason = (expected == LoginStatus::Cancelled).then_some(EndReason::NotServed);
            assert_eq!((login.status, &login.reason), (expected, &reason), "{by}");
        }
    }

    /// U7: looked at are the owners of what is in use, or rests, and who waits for an admin's word; nobody else, and nobody of another guild.
    #[tokio::test]
    async fn looked_at_is_who_uses_something() {
        let host = Host::new();
        let now = host.clock.now();
        for (tenant, guild, used, rests) in [
            ("acme@1", Some(HOME), now, None),
            ("acme@2", Some(ELSEWHERE), now, None),
            ("acme@3", None, now, None),
            ("acme@4", Some(HOME), now - 8 * 86_400, None),
            ("acme@5", Some(HOME), now - 8 * 86_400, Some(now - 9 * 86_400)),
            ("acme@6", Some(HOME), now - 40 * 86_400, Some(now - 31 * 86_400)),
            ("acme", Some(HOME), now, None),
        ] {
            host.serving(&key(tenant), &Person::ada()).await;
            let mut held = host.stored(&key(tenant)).unwrap();
            (held.guild, held.last_used_at, held.created_at) = (guild, Some(used), Some(used));
            held.suspended = rests.map(|at| Suspension { reason: Unserved::Left, at });
            host.put(&key(tenant), held).await;
        }
        for (user, guild, waits) in [("7", HOME, true), ("8", ELSEWHERE, true), ("9", HOME, false)] {
            let credential = host.stored(&key("acme")).unwrap();
            let who: User = user.parse().unwrap();
            let mut login = PendingLogin::new(
                format!("l{user}"),
                LoginKind::Paste,
                who.clone(),
                key("acme"),
                now,
                now + 840,
            );
            (login.status, login.guild) = (LoginStatus::Pending, Some(guild));
            if waits {
                login.status = LoginStatus::Confirming;
                login.wait_for_admin(Confirming { credential, since: now });
            }
            let store = host.store();
            let put = update(&*store, Touches::nothing().and_logins_of(&who), |view| {
                view.put_login(login);
                Ok::<_, ()>(())
            });
            put.await.unwrap().unwrap();
        }
        let found: Vec<_> = host.bot().members_in_use(HOME).unwrap().into_iter().collect();
        assert_eq!(found, ["1", "3", "5", "7"].map(|id| id.parse::<UserId>().unwrap()));
    }
}
