//! Grants and the tokens that stand for them.
//!
//! What must hold: a code or a refresh token is spent once. A second use of either ends the grant, and with it
//! every token of the grant, those of the first user included. Time comes in from outside, in milliseconds.

use std::collections::HashMap;

use crate::person::Person;
use crate::secrets::Secrets;
use crate::settings::{RefreshTokens, Reuse, Revocation, Rotation, Settings};

/// A place in the list of grants.
pub(crate) type GrantId = usize;

/// What a person allowed a client.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub client: String,
    pub person: Person,
    pub scopes: Vec<String>,
    pub ended: Option<End>,
}

/// Why a grant or token is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Revoked,
    Reused,
    Expired,
}

#[derive(Clone, Debug)]
struct Access {
    grant: GrantId,
    not_before: i64,
    expires: i64,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Refresh {
    grant: GrantId,
    expires: Option<i64>,
    spent: bool,
    ended: bool,
}

/// Tokens just made.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub grant: GrantId,
    pub access: String,
    pub refresh: Option<String>,
}

/// Why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unknown,
    OtherClient,
    Ended(End),
    Reused,
}

/// Every grant and token of the server.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    grants: Vec<Grant>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    pub reuses: usize,
    pub rotations: usize,
}

impl Ledger {
    pub fn open(&mut self, client: &str, person: &Person, scopes: &[String], settings: &Settings) -> GrantId {
        if settings.one_grant_per_person {
            let same = |grant: &Grant| {
                grant.ended.is_none() && grant.client == client && grant.person.sub == person.sub
            };
            if let Some(id) = self.grants.iter().position(same) {
                return id;
            }
        }
        self.grants.push(Grant {
            client: client.into(),
            person: person.clone(),
            scopes: scopes.to_vec(),
            ended: None,
        });
        self.grants.len() - 1
    }

    pub fn grant(&self, id: GrantId) -> &Grant {
        &self.grants[id]
    }

    /// New tokens for a grant, the refresh token according to the settings.
    pub fn issue(&mut self, grant: GrantId, settings: &Settings, secrets: &mut Secrets, now: i64) -> Issued {
        let wanted = match settings.refresh_tokens {
            RefreshTokens::Always => true,
            RefreshTokens::OfflineAccess => {
                self.grants[grant].scopes.iter().any(|scope| scope == "offline_access")
            }
            RefreshTokens::Never => false,
        };
        let access = self.issue_access(grant, settings, secrets, now);
        let refresh = wanted.then(|| self.issue_refresh(grant, settings, secrets, now));
        Issued { grant, access, refresh }
    }

    fn issue_access(
        &mut self,
        grant: GrantId,
        settings: &Settings,
        secrets: &mut Secrets,
        now: i64,
    ) -> String {
        let token = secrets.fresh("at");
        let access = Access {
            grant,
            not_before: now + millis(settings.not_before),
            expires: now + millis(settings.access_lifetime),
            ended: false,
        };
        self.access.insert(token.clone(), access);
        token
    }

    fn issue_refresh(
        &mut self,
        grant: GrantId,
        settings: &Settings,
        secrets: &mut Secrets,
        now: i64,
    ) -> String {
        let token = secrets.fresh("rt");
        let expires = settings.refresh_lifetime.map(|lifetime| now + millis(lifetime));
        self.refresh.insert(token.clone(), Refresh { grant, expires, spent: false, ended: false });
        token
    }

    /// Spends a refresh token and issues its successors.
    pub fn refresh(
        &mut self,
        token: &str,
        client: &str,
        settings: &Settings,
        secrets: &mut Secrets,
        now: i64,
    ) -> Result<Issued, Refused> {
        let found = self.refresh.get(token).cloned().ok_or(Refused::Unknown)?;
        let grant = found.grant;
        if self.grants[grant].client != client {
            return Err(Refused::OtherClient);
        }
        if found.spent {
            self.reuses += 1;
            match settings.reuse {
                Reuse::Strict => {
                    self.end(grant, End::Reused);
                    return Err(Refused::Reused);
                }
                Reuse::Refused => return Err(Refused::Reused),
                Reuse::Lenient => {}
            }
        }
        if let Some(end) = self.grants[grant].ended {
            return Err(Refused::Ended(end));
        }
        if found.ended {
            return Err(Refused::Ended(End::Revoked));
        }
        if found.expires.is_some_and(|at| at <= now) {
            return Err(Refused::Ended(End::Expired));
        }
        let access = self.issue_access(grant, settings, secrets, now);
        let refresh = match settings.rotation {
            Rotation::Omit => None,
            Rotation::Same => Some(token.to_owned()),
            Rotation::Rotate => {
                self.refresh.entry(token.to_owned()).and_modify(|old| old.spent = true);
                self.rotations += 1;
                Some(self.issue_refresh(grant, settings, secrets, now))
            }
        };
        Ok(Issued { grant, access, refresh })
    }

    /// Enters a token that was made of a grant's own, and dies with the grant.
    pub fn derive(&mut self, grant: GrantId, token: &str, now: i64, expires: i64) {
        self.access.insert(token.to_owned(), Access { grant, not_before: now, expires, ended: false });
    }

    /// The grant behind an access token that is good now.
    pub fn accepts(&self, token: &str, now: i64) -> Option<GrantId> {
        let access = self.access.get(token)?;
        let good = !access.ended
            && (access.not_before..access.expires).contains(&now)
            && self.grants[access.grant].ended.is_none();
        good.then_some(access.grant)
    }

    /// Whether a refresh token would be taken now.
    pub fn would_refresh(&self, token: &str, now: i64) -> bool {
        self.refresh.get(token).is_some_and(|refresh| {
            !refresh.spent
                && !refresh.ended
                && refresh.expires.is_none_or(|at| now < at)
                && self.grants[refresh.grant].ended.is_none()
        })
    }

    /// The grant that a token of any kind belongs to, good or not.
    pub fn grant_of(&self, token: &str) -> Option<GrantId> {
        let access = self.access.get(token).map(|access| access.grant);
        access.or_else(|| self.refresh.get(token).map(|refresh| refresh.grant))
    }

    pub fn end(&mut self, grant: GrantId, why: End) {
        self.grants[grant].ended.get_or_insert(why);
    }

    /// Revokes a token and whatever goes with it (RFC 7009, section 2.1).
    pub fn revoke(&mut self, token: &str, reach: Revocation) {
        let Some(grant) = self.grant_of(token) else {
            return;
        };
        match reach {
            Revocation::Refused => {}
            Revocation::Grant => self.end(grant, End::Revoked),
            Revocation::PersonAndClient => {
                let (client, sub) =
                    (self.grants[grant].client.clone(), self.grants[grant].person.sub.clone());
                let same = |other: &&mut Grant| other.client == client && other.person.sub == sub;
                for other in self.grants.iter_mut().filter(same) {
                    other.ended.get_or_insert(End::Revoked);
                }
            }
            Revocation::Token => {
                if let Some(refresh) = self.refresh.get_mut(token) {
                    refresh.ended = true;
                    self.access.values_mut().filter(|a| a.grant == grant).for_each(|a| a.ended = true);
                }
                self.end_access(token);
            }
        }
    }

    pub fn end_access(&mut self, token: &str) {
        if let Some(access) = self.access.get_mut(token) {
            access.ended = true;
        }
    }

    pub fn end_all_access(&mut self) {
        self.access.values_mut().for_each(|access| access.ended = true);
    }

    /// Grants that are still good.
    pub fn live_grants(&self) -> usize {
        self.grants.iter().filter(|grant| grant.ended.is_none()).count()
    }
}

pub(crate) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_use_ends_the_grant_and_the_winners_tokens() {
        let (mut ledger, mut secrets, settings) =
            (Ledger::default(), Secrets::default(), Settings::default());
        let grant = ledger.open("client", &Person::ada(), &[], &settings);
        let first = ledger.issue(grant, &settings, &mut secrets, 0).refresh.unwrap();
        let winner = ledger.refresh(&first, "client", &settings, &mut secrets, 1).unwrap();
        assert_eq!(ledger.accepts(&winner.access, 2), Some(grant));
        let loser = ledger.refresh(&first, "client", &settings, &mut secrets, 3);
        assert_eq!(loser.unwrap_err(), Refused::Reused);
        assert_eq!(ledger.accepts(&winner.access, 4), None);
        let next = ledger.refresh(&winner.refresh.unwrap(), "client", &settings, &mut secrets, 5);
        assert_eq!(next.unwrap_err(), Refused::Ended(End::Reused));
        assert_eq!((ledger.reuses, ledger.rotations), (1, 1));
    }

    #[test]
    fn another_client_cannot_spend_a_refresh_token() {
        let (mut ledger, mut secrets, settings) =
            (Ledger::default(), Secrets::default(), Settings::default());
        let grant = ledger.open("client", &Person::ada(), &[], &settings);
        let token = ledger.issue(grant, &settings, &mut secrets, 0).refresh.unwrap();
        let stolen = ledger.refresh(&token, "thief", &settings, &mut secrets, 1);
        assert_eq!(stolen.unwrap_err(), Refused::OtherClient);
        assert!(ledger.refresh(&token, "client", &settings, &mut secrets, 2).is_ok());
    }
}
