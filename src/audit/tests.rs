//! The words of the trail, as programs read them.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::credential::{Account, CredentialKind};
use crate::oauth::{DeadReason, Grant, Refusal, RefusalKind, TransportError, UnknownCause};
use crate::pending::LoginKind;
use crate::secret::Secret;
use crate::testing::key;

/// Takes down each event's level, name and fields.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<String>>>);

struct Fields(Vec<String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "message" {
            self.0.push(format!("{}={value:?}", field.name()));
        }
    }
}

impl Subscriber for Taken {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        let (name, level) = (event.metadata().name(), event.metadata().level());
        self.0.lock().unwrap().push(format!("{level} {name} {}", fields.0.join(" ")));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn grant() -> Grant {
    Grant {
        access_token: Secret::new("the-access-token"),
        refresh_token: Some(Secret::new("the-refresh-token")),
        id_token: None,
        token_type: "Bearer".to_owned(),
        scopes: None,
        expires_at: None,
        account: Account::default(),
        issuer: None,
        extra: std::collections::BTreeMap::new(),
    }
}

/// Each function, with everything that it can be given.
fn tell_all() {
    let (tenant, user) = (key("codex@777"), "777".parse::<User>().unwrap());
    let admin: User = "778".parse().unwrap();
    let refusal = |kind| {
        Outcome::Refused(Refusal {
            kind,
            status: 400,
            code: None,
            text: "the provider says no".to_owned(),
            said: None,
        })
    };
    let outcomes = [
        Outcome::Granted(grant()),
        refusal(RefusalKind::Transient { retry_after: None }),
        refusal(RefusalKind::Dead(DeadReason::InvalidGrant)),
        refusal(RefusalKind::Dead(DeadReason::Reused)),
        refusal(RefusalKind::Dead(DeadReason::Revoked)),
        refusal(RefusalKind::NoAccess),
        refusal(RefusalKind::Operator),
        Outcome::NotSent(TransportError::Unsendable { name: "x-client".to_owned() }),
        Outcome::NotSent(TransportError::ConnectTimedOut { host: "acme.example".to_owned(), seconds: 10 }),
        Outcome::Unknown(UnknownCause::TimedOut { seconds: 30 }),
        Outcome::Unknown(UnknownCause::ConnectionLost { reason: "it was reset".to_owned() }),
        Outcome::Unknown(UnknownCause::TooLarge),
        Outcome::Unknown(UnknownCause::Gateway { status: 502 }),
        Outcome::Unknown(UnknownCause::NoToken { status: 200 }),
    ];
    for outcome in &outcomes {
        refresh(&tenant, outcome);
    }
    identity_refused(&tenant);
    dropped(&tenant, "refreshed tokens");
    imported(&user, &tenant);
    import_refused(&user, &tenant, &Objection::OtherKind { held: CredentialKind::Static });
    fed("work", &tenant, "written");
    feed_found_refresh_token("work", &tenant);
    let mut login =
        PendingLogin::new("l1".to_owned(), LoginKind::Device, user.clone(), tenant.clone(), 0, 60);
    login.device_code = Some(Secret::new("the-device-code"));
    login.user_code = Some(Secret::new("the-user-code"));
    login_started(&login);
    login.status = LoginStatus::Succeeded;
    login_ended(&login, login.status);
    (login.status, login.reason) = (LoginStatus::Failed, Some(EndReason::Provider("their words".to_owned())));
    login_ended(&login, login.status);
    waits_for_admin(&login);
    admin_decided(&admin, &login, "replaced");
    denied(&user, "cancelling somebody else's login");
    not_served(&user);
    membership(&tenant, "served again");
    logout(&user, &tenant);
    bound(&user, &ThreadId::from(42), &tenant.provider, Some(&tenant));
    bound(&user, &ThreadId::from(42), &tenant.provider, None);
    refresh_wished(&user, &tenant);
    revocation_given_up(&tenant);
    revocation(&tenant, "done");
    handed_out("uid:1000", "codex@777", 1, None);
    not_handed_out("uid:1000", "codex", 7, Some(1_700_000_000 / 3_600 * 3_600));
    reloaded(true);
    reloaded(false);
    exported(&user, 3);
    restored(&user, &tenant, 1_700_000_000);
    restore_refused(&user, &tenant, &Objection::OtherKind { held: CredentialKind::Static });
    seal_key_added(&user, "key-1");
    sealed(&user, "key-1");
    opened(&user);
}

/// Nothing that the source tells is left out of [`tell_all`], and so of what the tests below hold.
#[test]
fn every_line_of_the_source_is_told_here() {
    let taken = Taken::default();
    tracing::subscriber::with_default(taken.clone(), tell_all);
    let told: BTreeSet<_> =
        taken.0.lock().unwrap().iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    let source = include_str!("../audit.rs").split("(name: \"").skip(1);
    let written: BTreeSet<_> = source.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    assert_eq!(told, written);
}

/// Z3: the words and fields are a contract, and none of them can hold a secret.
#[test]
fn every_line_of_the_trail_has_its_word_and_its_fields() {
    let taken = Taken::default();
    tracing::subscriber::with_default(taken.clone(), tell_all);
    let lines = taken.0.lock().unwrap().join("\n");
    assert!(!lines.contains("the-"), "{lines}");
    insta::assert_snapshot!(lines);
}

/// Z3: the manual names each word and each field, and no other.
#[test]
fn the_manual_has_all_words_and_fields() {
    let taken = Taken::default();
    tracing::subscriber::with_default(taken.clone(), tell_all);
    let (mut events, mut fields) = (BTreeSet::new(), BTreeSet::from(["time".to_owned(), "event".to_owned()]));
    for line in taken.0.lock().unwrap().iter() {
        let (_, rest) = line.split_once(' ').unwrap();
        events.insert(rest.split(' ').next().unwrap().to_owned());
        let names = rest.split(' ').filter_map(|word| Some(word.split_once('=')?.0.to_owned()));
        fields.extend(names);
    }
    let manual = include_str!("../../docs/operations.md");
    let column = |heading: &str| {
        let (_, table) = manual.split_once(heading).unwrap_or_else(|| panic!("{heading} is a table"));
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(column("| event | when |"), events);
    assert_eq!(column("| field | what |"), fields);
}
