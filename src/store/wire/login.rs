//! A pending login's entry: `pending.<user>/<tenant>`.
//!
//! Owns the field names of a login. Must not: write a secret of a login that is over (the record has none by then, and
//! unknown fields end with it; C5).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::confirming::{AskedWire, ConfirmingWire};
use super::entry::{Parts, if_readable};
use super::registration::RegistrationWire;
use super::{Record, Wire, named, parse, print, seconds, some_secret, some_text, text_of};
use crate::pending::{EndReason, LoginKind, LoginStatus, PendingLogin, Watcher};
use crate::store::seal::Secrets;
use crate::tenant::{NameError, ThreadId};

#[derive(Serialize, Deserialize)]
pub(super) struct WatcherWire {
    thread: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interaction: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ReasonWire {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PendingWire {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asked: Vec<AskedWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorize_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bind: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_admin: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirming: Option<ConfirmingWire>,
    #[serde(default, deserialize_with = "seconds")]
    created_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_code: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guild: Option<String>,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interval: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    iss_promised: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds")]
    last_poll_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_readable")]
    registration: Option<RegistrationWire>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_readable")]
    resource: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    status: String,
    tenant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
    #[serde(default, deserialize_with = "seconds")]
    updated_at: Option<i64>,
    user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verification_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verification_uri_complete: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verifier: Option<String>,
    #[serde(default)]
    watchers: Vec<WatcherWire>,
}

impl Wire for WatcherWire {}

impl Wire for ReasonWire {}

impl Wire for PendingWire {
    fn keep_parts(&self, before: &Self, parts: &mut Parts<'_>) {
        let (reason, watchers) = (self.reason.as_ref(), &self.watchers);
        parts.part("reason", reason, before.reason.as_ref(), |now, before| now.kind == before.kind);
        parts.part(
            "confirming",
            self.confirming.as_ref(),
            before.confirming.as_ref(),
            ConfirmingWire::is_same,
        );
        RegistrationWire::keep(parts, self.registration.as_ref(), before.registration.as_ref());
        if before.resource.is_none() {
            parts.unread("resource");
        }
        parts.list("asked", &self.asked, &before.asked, AskedWire::is_same);
        parts.list("watchers", watchers, &before.watchers, |now, before| now.thread == before.thread);
    }
}

fn reason_of(wire: ReasonWire) -> Result<EndReason, String> {
    let ReasonWire { kind, detail } = wire;
    let detail = detail.unwrap_or_default();
    let user = || detail.parse().map_err(|e: NameError| named(&e));
    Ok(match kind.as_str() {
        "completed_by" => EndReason::CompletedBy(user()?),
        "cancelled_by" => EndReason::CancelledBy(user()?),
        "not_started" => EndReason::NotStarted,
        "not_stored" => EndReason::NotStored,
        "interrupted" => EndReason::Interrupted,
        "other_account" => EndReason::OtherAccount,
        "other_owner" => EndReason::OtherOwner,
        "confirmed_by" => EndReason::ConfirmedBy(user()?),
        "refused_by" => EndReason::RefusedBy(user()?),
        "unconfirmed" => EndReason::Unconfirmed,
        "held_elsewhere" => EndReason::HeldElsewhere(detail.parse().map_err(|e| named(&e))?),
        "removed" => EndReason::Removed,
        "not_served" => EndReason::NotServed,
        "unavailable" => EndReason::Unavailable,
        "code_refused" => EndReason::CodeRefused,
        "misconfigured" => EndReason::Misconfigured(Some(detail).filter(|said| !said.is_empty())),
        "no_access" => EndReason::NoAccess(Some(detail).filter(|said| !said.is_empty())),
        "unknown_account" => EndReason::UnknownAccount,
        "not_offered" => EndReason::NotOffered,
        _ => EndReason::Provider(detail),
    })
}

fn reason_wire(reason: &EndReason) -> ReasonWire {
    let detail = match reason {
        EndReason::CompletedBy(user)
        | EndReason::CancelledBy(user)
        | EndReason::ConfirmedBy(user)
        | EndReason::RefusedBy(user) => Some(user.to_string()),
        EndReason::HeldElsewhere(holder) => Some(holder.to_string()),
        EndReason::Misconfigured(said) | EndReason::NoAccess(said) => said.clone(),
        EndReason::Provider(text) => Some(text.clone()),
        _ => None,
    };
    ReasonWire { kind: reason.as_str().to_owned(), detail }
}

impl Record for PendingLogin {
    const SECRETS: Secrets = Secrets::Fields(&[
        ("verifier", Secrets::Here),
        ("state", Secrets::Here),
        ("authorize_url", Secrets::Here),
        ("device_code", Secrets::Here),
        ("user_code", Secrets::Here),
        ("verification_uri_complete", Secrets::Here),
        ("watchers", Secrets::Items(&Secrets::Fields(&[("interaction", Secrets::Here)]))),
        ("registration", RegistrationWire::SECRETS),
        ("confirming", ConfirmingWire::SECRETS),
    ]);

    fn read(raw: &str) -> Result<Self, String> {
        let wire: PendingWire = parse(raw)?;
        let kind = match wire.kind.as_str() {
            "device" => LoginKind::Device,
            "paste" => LoginKind::Paste,
            "callback" => LoginKind::Callback,
            _ => return Err("\"kind\" is none of \"device\", \"paste\", \"callback\"".to_owned()),
        };
        let status = LoginStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == wire.status)
            .ok_or("\"status\" is not a known status")?;
        let thread = |text: String| text.parse::<ThreadId>().map_err(|e| named(&e));
        let watchers = wire.watchers.into_iter().map(|watcher| {
            Ok::<_, String>(Watcher {
                thread: thread(watcher.thread)?,
                interaction: some_secret(watcher.interaction),
            })
        });
        Ok(Self {
            id: wire.id,
            kind,
            user: wire.user.parse().map_err(|e| named(&e))?,
            tenant: wire.tenant.parse().map_err(|e| named(&e))?,
            status,
            by_admin: wire.by_admin,
            bind: some_text(wire.bind).map(thread).transpose()?,
            locale: some_text(wire.locale),
            guild: wire.guild.and_then(|id| id.parse().ok()),
            issuer: some_text(wire.issuer),
            iss_promised: wire.iss_promised,
            token_endpoint: some_text(wire.token_endpoint),
            client_id: some_text(wire.client_id),
            registration: wire.registration.map(RegistrationWire::registration),
            resource: some_text(wire.resource),
            redirect_uri: some_text(wire.redirect_uri),
            verifier: some_secret(wire.verifier),
            state: some_secret(wire.state),
            authorize_url: some_secret(wire.authorize_url),
            device_code: some_secret(wire.device_code),
            user_code: some_secret(wire.user_code),
            verification_uri: some_text(wire.verification_uri),
            verification_uri_complete: some_secret(wire.verification_uri_complete),
            interval: wire.interval,
            last_poll_at: wire.last_poll_at,
            watchers: watchers.collect::<Result<_, _>>()?,
            told: wire.told.into_iter().map(thread).collect::<Result<_, _>>()?,
            confirming: wire.confirming.map(ConfirmingWire::confirming).transpose()?.map(Box::new),
            asked: wire.asked.into_iter().map(AskedWire::asked).collect::<Result<_, _>>()?,
            reason: wire.reason.map(reason_of).transpose()?,
            created_at: wire.created_at.unwrap_or(0),
            expires_at: wire.expires_at.unwrap_or(0),
            updated_at: wire.updated_at.unwrap_or(0),
        })
    }

    fn write(&self, before: Option<&str>) -> Box<RawValue> {
        let watchers = self.watchers.iter().map(|watcher| WatcherWire {
            thread: watcher.thread.to_string(),
            interaction: text_of(watcher.interaction.as_ref()),
        });
        let wire = PendingWire {
            asked: self.asked.iter().map(AskedWire::of).collect(),
            authorize_url: text_of(self.authorize_url.as_ref()),
            bind: self.bind.as_ref().map(ToString::to_string),
            by_admin: self.by_admin,
            client_id: self.client_id.clone(),
            confirming: self.confirming.as_deref().map(ConfirmingWire::of),
            created_at: Some(self.created_at),
            device_code: text_of(self.device_code.as_ref()),
            expires_at: Some(self.expires_at),
            guild: self.guild.map(|id| id.to_string()),
            id: self.id.clone(),
            interval: self.interval,
            iss_promised: self.iss_promised,
            issuer: self.issuer.clone(),
            kind: self.kind.as_str().to_owned(),
            last_poll_at: self.last_poll_at,
            locale: self.locale.clone(),
            reason: self.reason.as_ref().map(reason_wire),
            redirect_uri: self.redirect_uri.clone(),
            registration: self.registration.as_ref().map(RegistrationWire::of),
            resource: self.resource.clone(),
            state: text_of(self.state.as_ref()),
            status: self.status.as_str().to_owned(),
            tenant: self.tenant.to_string(),
            token_endpoint: self.token_endpoint.clone(),
            told: self.told.iter().map(ToString::to_string).collect(),
            updated_at: Some(self.updated_at),
            user: self.user.to_string(),
            user_code: text_of(self.user_code.as_ref()),
            verification_uri: self.verification_uri.clone(),
            verification_uri_complete: text_of(self.verification_uri_complete.as_ref()),
            verifier: text_of(self.verifier.as_ref()),
            watchers: watchers.collect(),
        };
        // A login's unknown fields might hold what another version keeps secret: they end with it (C5).
        let before = before.filter(|_| !self.status.is_terminal());
        print(&wire, before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F5: every reason reads back; one that a later version wrote keeps its words.
    #[test]
    fn every_reason_reads_back() {
        let said = || "its words".to_owned();
        let holder = "acme/work@777".parse().unwrap();
        for reason in [
            EndReason::CompletedBy("777".parse().unwrap()),
            EndReason::CancelledBy("local:0".parse().unwrap()),
            EndReason::NotStarted,
            EndReason::NotStored,
            EndReason::Interrupted,
            EndReason::OtherAccount,
            EndReason::OtherOwner,
            EndReason::ConfirmedBy("777".parse().unwrap()),
            EndReason::RefusedBy("778".parse().unwrap()),
            EndReason::Unconfirmed,
            EndReason::HeldElsewhere(holder),
            EndReason::Removed,
            EndReason::NotServed,
            EndReason::Unavailable,
            EndReason::CodeRefused,
            EndReason::Misconfigured(None),
            EndReason::Misconfigured(Some(said())),
            EndReason::NoAccess(None),
            EndReason::NoAccess(Some(said())),
            EndReason::UnknownAccount,
            EndReason::NotOffered,
            EndReason::Provider(said()),
        ] {
            assert_eq!(reason_of(reason_wire(&reason)), Ok(reason));
        }
        let later = ReasonWire { kind: "later".to_owned(), detail: Some(said()) };
        assert_eq!(reason_of(later), Ok(EndReason::Provider(said())));
    }

    /// F5, C5: what a later version wrote into what waits stays while that waits, and goes with it.
    #[test]
    fn unknown_fields_of_what_waits_are_kept_while_it_waits() {
        let before = r#"{"id": "l1", "kind": "paste", "status": "confirming", "user": "42", "tenant": "acme",
            "created_at": 100, "expires_at": 200, "updated_at": 100,
            "confirming": {"since": 100, "later": 1, "credential": {"kind": "oauth", "provider": "acme",
                "access_token": "at", "credential_id": "c1", "generation": 1, "expires_at": 300, "later": 2}},
            "asked": [{"login": "l1", "thread": "7", "at": 100, "later": 3}]}"#;
        let mut login = PendingLogin::read(before).unwrap();
        login.asked[0].message = Some("555".to_owned());
        let later = |login: &PendingLogin| {
            let text: serde_json::Value = serde_json::from_str(login.write(Some(before)).get()).unwrap();
            let waiting = &text["confirming"];
            [&waiting["later"], &waiting["credential"]["later"], &text["asked"][0]["later"]]
                .map(serde_json::Value::as_u64)
        };
        assert_eq!(later(&login), [Some(1), Some(2), Some(3)]);
        let mut other = login.clone();
        other.asked[0].thread = "8".parse().unwrap();
        other.confirming.as_mut().unwrap().credential.id = "c2".to_owned();
        assert_eq!(later(&other), [None; 3], "of another sign-in and question nothing is known");
        login.status = LoginStatus::Cancelled;
        login.strip();
        assert_eq!(later(&login), [None; 3]);
    }
}
