//! Taking over what another program's file holds.
//!
//! Owns the way from a parsed record to a tenant's credential: which slot it fills, what of it is believed, and the one write
//! that stores it. Invariants: endpoint, issuer and client are the configured provider's, never the file's; every record
//! passes the identity gate inside the locked write, against all tenants (I1, I9); what is refused changes neither side
//! (I7); a preview says what the write would do, by the same judgement. Must not: revoke what was replaced, since what came
//! may descend from it (T12).

use std::sync::Arc;

use super::Broker;
use crate::audit;
use crate::clock::{SKEW_ALLOWED, UnixSeconds};
use crate::credential::{Account, Credential, CredentialKind, Objection, Registration, Way, admit};
use crate::import::{Content, Found, Tokens};
use crate::oauth;
use crate::provider::{Catalog, Provider, Resolved, Share};
use crate::store::{EntryError, StoreError, Touches, update};
use crate::tenant::{TenantKey, User, UserId};

/// What is to be imported, and by whom.
#[derive(Debug, Clone)]
pub struct ImportWish {
    /// The records of a file.
    pub found: Vec<Found>,
    /// The Discord user whose slots are meant, where the file does not say.
    pub user: Option<UserId>,
    /// Who imports: the operator.
    pub by: User,
}

/// One record, and what becomes of it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportItem {
    /// Where in the file.
    pub place: String,
    /// The slot that it fills or would fill.
    pub tenant: Option<TenantKey>,
    /// Whose account it is, where that is known.
    pub account: Option<String>,
    /// When its access token ends, where that is known.
    pub expires_at: Option<UnixSeconds>,
    /// Whether it has a refresh token: then the file's program must not use it any more.
    pub is_refreshed: bool,
    /// What becomes of it.
    pub fate: ImportFate,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportFate {
    /// It is stored; in a preview, it would be.
    Stored,
    /// There is nothing to import, for this reason.
    LeftOut(String),
    /// The configuration does not offer its provider, or differs from what the file says. With the remedy.
    Configure(String),
    /// The identity gate says no.
    Refused(Objection),
    /// What the slot holds cannot be read, and is not written over unseen.
    Damaged(EntryError),
}

/// A record on its way to the gate.
struct Candidate {
    item: ImportItem,
    /// None where its fate is known already.
    credential: Option<Credential>,
}

impl Broker {
    /// What [`Broker::import`] would do. Changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn preview_import(&self, wish: &ImportWish) -> Result<Vec<ImportItem>, StoreError> {
        let document = self.store.snapshot()?;
        let candidates = self.candidates(wish);
        let judged = judge(candidates, document.tenants().collect(), |key| document.tenant(key).map(|_| ()));
        Ok(judged.into_iter().map(|candidate| candidate.item).collect())
    }

    /// Imports what may be imported, in one write.
    ///
    /// # Errors
    /// The store's; then nothing was imported.
    pub async fn import(&self, wish: &ImportWish) -> Result<Vec<ImportItem>, StoreError> {
        let candidates = self.candidates(wish);
        let written = update(&*self.store, Touches::nothing().and_all_tenants(), move |view| {
            let judged = judge(candidates, view.tenants(), |key| view.tenant(key).map(|_| ()));
            let mut items = Vec::with_capacity(judged.len());
            for Candidate { item, credential } in judged {
                if let (Some(tenant), Some(credential)) = (&item.tenant, credential) {
                    view.put_tenant(tenant, credential);
                }
                items.push(item);
            }
            Ok::<_, StoreError>(items)
        });
        let items = written.await??;
        for item in &items {
            match (&item.tenant, &item.fate) {
                (Some(tenant), ImportFate::Stored) => audit::imported(&wish.by, tenant),
                (Some(tenant), ImportFate::Refused(why)) if *why != Objection::Same => {
                    audit::import_refused(&wish.by, tenant, why);
                }
                _ => {}
            }
        }
        Ok(items)
    }
}

/// Asks the gate for each candidate in turn, with those before it already in their places. Only what is to be stored comes
/// back with its credential.
fn judge(
    candidates: Vec<Candidate>,
    mut stored: Vec<(TenantKey, Arc<Credential>)>,
    readable: impl Fn(&TenantKey) -> Result<(), EntryError>,
) -> Vec<Candidate> {
    let judged = candidates.into_iter().map(|Candidate { mut item, credential }| {
        let (Some(tenant), Some(mut incoming)) = (item.tenant.clone(), credential) else {
            return Candidate { item, credential: None };
        };
        let position = stored.iter().position(|(key, _)| *key == tenant);
        let held = position.map(|at| Arc::clone(&stored[at].1));
        item.fate = match readable(&tenant) {
            Err(damaged) => ImportFate::Damaged(damaged),
            Ok(()) => match admit(&tenant, held.as_deref(), &incoming, Way::Import { stored: &stored }) {
                Err(objection) => ImportFate::Refused(objection),
                Ok(()) => ImportFate::Stored,
            },
        };
        if item.fate != ImportFate::Stored {
            return Candidate { item, credential: None };
        }
        if let Some(held) = held {
            // Whose it is and that it is in use are the slot's, not the file's.
            incoming.owner = held.owner.clone().or(incoming.owner);
            incoming.last_used_at = held.last_used_at;
            (incoming.guild, incoming.suspended) = (held.guild, held.suspended);
        }
        match position {
            Some(at) => stored[at].1 = Arc::new(incoming.clone()),
            None => stored.push((tenant, Arc::new(incoming.clone()))),
        }
        Candidate { item, credential: Some(incoming) }
    });
    judged.collect()
}

impl Broker {
    fn candidates(&self, wish: &ImportWish) -> Vec<Candidate> {
        let now = self.clock.now();
        let known = |provider: &Provider| self.directory.known(provider);
        candidates(&self.catalog(), &known, wish, now)
    }
}

/// What is known of a provider's authorization server without asking it.
type Known<'a> = &'a dyn Fn(&Provider) -> Option<Resolved>;

fn candidates(catalog: &Catalog, known: Known<'_>, wish: &ImportWish, now: UnixSeconds) -> Vec<Candidate> {
    let candidates = wish.found.iter().map(|found| {
        let mut item = ImportItem {
            place: found.place.clone(),
            tenant: None,
            account: None,
            expires_at: None,
            is_refreshed: false,
            fate: ImportFate::Stored,
        };
        let made = match &found.content {
            Content::LeftOut(why) => Err(ImportFate::LeftOut(why.clone())),
            Content::Tokens(tokens) => candidate(catalog, known, tokens, wish, now),
        };
        match made {
            Err(fate) => {
                item.fate = fate;
                Candidate { item, credential: None }
            }
            Ok((tenant, credential)) => {
                item.tenant = Some(tenant);
                item.account = credential.account.label().map(str::to_owned);
                item.expires_at = credential.expires_at;
                item.is_refreshed = credential.refresh_token.is_some();
                Candidate { item, credential: Some(credential) }
            }
        }
    });
    candidates.collect()
}

fn candidate(
    catalog: &Catalog,
    known: Known<'_>,
    tokens: &Tokens,
    wish: &ImportWish,
    now: UnixSeconds,
) -> Result<(TenantKey, Credential), ImportFate> {
    let provider = catalog.find(&tokens.provider).ok_or_else(|| {
        let name = tokens.provider.escape_debug().to_string();
        ImportFate::Configure(format!(
            "provider {name} is not configured: add [providers.{name:?}] to latchkey.toml"
        ))
    })?;
    agrees(provider, tokens)?;
    let tenant = slot(provider, tokens, wish)?;
    let mut credential = credential(provider, tokens, now);
    if credential.refresh_token.is_some() {
        if provider.registers() {
            by_its_client(&mut credential, provider, known, tokens)?;
        }
        // Not the file's: what a refresh names (RFC 8707), as a sign-in here would have it.
        let named =
            known(provider).map_or_else(|| provider.resource.clone(), |server| server.resource.clone());
        credential.resource = named;
    }
    if credential.refresh_token.is_none() && credential.expires_at.is_some_and(|at| at <= now) {
        return Err(ImportFate::LeftOut("its token has ended, and there is no refresh token".to_owned()));
    }
    credential.owner = Some(tenant.user.clone().map_or_else(|| wish.by.clone(), User::Discord));
    Ok((tenant, credential))
}

/// Has `credential` be refreshed by the client that the file names, at the server that is known to register clients (I8, G30): the
/// client is the file's word, as the tokens are, and where to show them is not.
fn by_its_client(
    credential: &mut Credential,
    provider: &Provider,
    known: Known<'_>,
    tokens: &Tokens,
) -> Result<(), ImportFate> {
    let name = &provider.name;
    let Some(client_id) = tokens.client_id.clone() else {
        return Err(ImportFate::Configure(format!(
            "it does not say to which client it was issued: write its client_id under [providers.{:?}], or sign in anew",
            name.as_str()
        )));
    };
    let Some(server) = known(provider) else {
        return Err(ImportFate::Configure(format!(
            "the authorization server of {name} is not known yet: have `latchkey check` ask for it, then import again"
        )));
    };
    if !server.takes_public_clients() {
        return Err(ImportFate::Configure(format!(
            "the authorization server of {name} wants a secret of its clients, and the file has none: sign in anew"
        )));
    }
    credential.issuer.clone_from(&server.issuer);
    credential.token_endpoint = Some(server.token_endpoint.to_string());
    credential.client_id = Some(client_id.clone());
    credential.registration = Some(Registration {
        issuer: server.registrar(),
        client_id,
        client_secret: None,
        secret_expires_at: None,
        auth_method: "none".to_owned(),
        redirect_uris: Vec::new(),
        registered_at: None,
    });
    Ok(())
}

/// Whether file and configuration mean one client at one issuer: tokens of another would only be lost by a refresh (G30).
fn agrees(provider: &Provider, tokens: &Tokens) -> Result<(), ImportFate> {
    let name = &provider.name;
    if let Some(client) = tokens
        .client_id
        .as_deref()
        .filter(|client| provider.client_id.as_deref().is_some_and(|own| own != *client))
    {
        let why = format!(
            "it was issued to the client {client:?}: set client_id to that under [providers.\"{name}\"], or sign in anew"
        );
        return Err(ImportFate::Configure(why));
    }
    let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
    let issued_by = tokens.id_token.as_ref().and_then(oauth::issuer_of);
    match (issued_by, &provider.issuer) {
        (Some(theirs), Some(ours)) if bare(&theirs) != bare(ours) => Err(ImportFate::Configure(format!(
            "it was issued by {theirs:?}, and {name} is configured for {ours}: correct the issuer, or sign in anew"
        ))),
        _ => Ok(()),
    }
}

/// The slot that a record fills: the guild's, or a member's own.
fn slot(provider: &Provider, tokens: &Tokens, wish: &ImportWish) -> Result<TenantKey, ImportFate> {
    let left_out = |why: String| ImportFate::LeftOut(why);
    let named: Option<UserId> =
        tokens.user.as_deref().map(str::parse).transpose().map_err(|e| left_out(format!("{e}")))?;
    let user = match (named, &wish.user) {
        (Some(named), Some(wanted)) if named != *wanted => {
            return Err(left_out(format!("the file says that it is {named}'s, not {wanted}'s")));
        }
        (named, wanted) => named.or_else(|| wanted.clone()),
    };
    if user.is_none() && provider.share == Share::Member {
        let name = &provider.name;
        return Err(left_out(format!(
            "each member has a sign-in of their own to {name}: say whose this is, with --user and their Discord id"
        )));
    }
    let profile = tokens.profile.as_deref().map(str::parse).transpose();
    let profile = profile.map_err(|error| left_out(format!("{error}")))?;
    Ok(TenantKey { provider: provider.name.clone(), profile, user })
}

fn credential(provider: &Provider, tokens: &Tokens, now: UnixSeconds) -> Credential {
    let kind = if tokens.is_key { CredentialKind::Static } else { CredentialKind::OAuth };
    let mut made = Credential::new(kind, provider.name.clone(), tokens.access_token.clone(), now);
    if let Some(token_type) = &tokens.token_type {
        made.token_type.clone_from(token_type);
    }
    made.scopes.clone_from(&tokens.scopes);
    let (issued, ends) = oauth::life_of(&tokens.access_token);
    // A stamp from the future would make it fresher than whatever comes (S14).
    made.obtained_at = tokens.obtained_at.or(issued).filter(|at| *at <= now.saturating_add(SKEW_ALLOWED));
    made.expires_at = tokens.expires_at.or(ends);
    if kind == CredentialKind::Static {
        return made;
    }
    made.issuer.clone_from(&provider.issuer);
    made.token_endpoint = provider.token_endpoint.as_ref().map(ToString::to_string);
    made.client_id.clone_from(&provider.client_id);
    made.refresh_token.clone_from(&tokens.refresh_token);
    made.id_token.clone_from(&tokens.id_token);
    made.account = account(provider, tokens);
    made
}

fn account(provider: &Provider, tokens: &Tokens) -> Account {
    let claims = &provider.account_claims;
    let told = tokens.id_token.as_ref().map(|token| oauth::account_of(token, claims)).unwrap_or_default();
    let vendors = || oauth::vendor_account_of(&tokens.access_token, claims);
    let id = told.id.or_else(|| tokens.account_id.clone()).or_else(vendors);
    Account::new(id.as_deref(), told.email.as_deref())
}

#[cfg(test)]
mod tests;
