//! The laws of sealing an entry: all that is secret, nothing else, and only at its own place.

use std::collections::BTreeMap;

use super::*;
use crate::binding::OwedRevocation;
use crate::credential::{
    Account, Credential, CredentialKind, CredentialState, Intent, Registration, Suspension, Unserved,
};
use crate::pending::{Asked, Confirming, EndReason, LoginKind, LoginStatus, PendingLogin, Watcher};
use crate::secret::{Secret, TokenHash};
use crate::store::wire::Record;
use crate::testing::key;

/// In every secret of the records below.
const MARKER: &str = "MARKER";

fn seal() -> Seal {
    Keys::parse("one AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "the keys").unwrap().into()
}

fn secret(name: &str) -> Secret {
    Secret::new(format!("{MARKER}-{name}-\"é\""))
}

fn registration() -> Registration {
    Registration {
        issuer: "https://id.example".to_owned(),
        client_id: "c-1".to_owned(),
        client_secret: Some(secret("client")),
        secret_expires_at: Some(900),
        auth_method: "client_secret_post".to_owned(),
        redirect_uris: vec!["http://127.0.0.1:8765/callback".to_owned()],
        registered_at: Some(100),
    }
}

/// Every field is named: who adds one comes by here, and says whether it is secret.
fn credential() -> Credential {
    Credential {
        kind: CredentialKind::OAuth,
        provider: key("acme").provider,
        id: "c1".to_owned(),
        generation: 2,
        issuer: Some("https://id.example".to_owned()),
        token_endpoint: Some("https://id.example/token".to_owned()),
        client_id: Some("c-1".to_owned()),
        registration: Some(registration()),
        resource: Some("https://mcp.example".to_owned()),
        access_token: secret("access"),
        refresh_token: Some(secret("refresh")),
        id_token: Some(secret("identity")),
        token_type: "Bearer".to_owned(),
        scopes: vec!["openid".to_owned()],
        extra: BTreeMap::from([("said".to_owned(), secret("extra").expose().to_owned())]),
        obtained_at: Some(100),
        expires_at: Some(200),
        account: Account::new(Some("a1"), Some("ada@example.test")),
        owner: Some("42".parse().unwrap()),
        state: CredentialState::Uncertain,
        intent: Some(Intent {
            credential_id: "c1".to_owned(),
            generation: 2,
            refresh_sha256: TokenHash::of("another"),
            attempt: 1,
            sent_at: 100,
        }),
        forced_at: Some(100),
        retry_at: Some(100),
        failures: 1,
        last_error: Some("it said no".to_owned()),
        operators_error: true,
        no_access: true,
        last_used_at: Some(100),
        guild: Some(1),
        suspended: Some(Suspension { reason: Unserved::Left, at: 100 }),
        created_at: Some(100),
        updated_at: Some(100),
    }
}

/// Likewise.
fn login() -> PendingLogin {
    PendingLogin {
        id: "l1".to_owned(),
        kind: LoginKind::Device,
        user: "42".parse().unwrap(),
        tenant: key("acme"),
        status: LoginStatus::Confirming,
        by_admin: true,
        bind: Some("7".parse().unwrap()),
        locale: Some("de".to_owned()),
        guild: Some(1),
        issuer: Some("https://id.example".to_owned()),
        iss_promised: true,
        token_endpoint: Some("https://id.example/token".to_owned()),
        client_id: Some("c-1".to_owned()),
        registration: Some(registration()),
        resource: Some("https://mcp.example".to_owned()),
        redirect_uri: Some("http://127.0.0.1:8765/callback".to_owned()),
        verifier: Some(secret("verifier")),
        state: Some(secret("state")),
        authorize_url: Some(secret("authorize")),
        device_code: Some(secret("device")),
        user_code: Some(secret("user")),
        verification_uri: Some("https://id.example/device".to_owned()),
        verification_uri_complete: Some(secret("complete")),
        interval: Some(5),
        last_poll_at: Some(100),
        watchers: vec![
            Watcher { thread: "7".parse().unwrap(), interaction: Some(secret("interaction")) },
            Watcher { thread: "8".parse().unwrap(), interaction: Some(secret("another")) },
        ],
        told: vec!["7".parse().unwrap()],
        confirming: Some(Box::new(Confirming { credential: credential(), since: 100 })),
        asked: vec![Asked {
            login: "l1".to_owned(),
            thread: "9".parse().unwrap(),
            at: 100,
            message: Some("555".to_owned()),
        }],
        reason: Some(EndReason::NotStored),
        created_at: 100,
        expires_at: 200,
        updated_at: 100,
    }
}

fn owed() -> OwedRevocation {
    OwedRevocation {
        id: "r1".to_owned(),
        provider: key("acme").provider,
        tenant: key("acme"),
        client_id: Some("c-1".to_owned()),
        registration: Some(registration()),
        token_endpoint: Some("https://id.example/token".to_owned()),
        account: Account::new(Some("a1"), None),
        token: secret("owed"),
        is_refresh: true,
        attempts: 1,
        owed_at: 100,
        retry_at: 100,
    }
}

/// Seals `record`, and opens it again.
fn there_and_back<T: Record + PartialEq + fmt::Debug>(record: &T, section: &str, at: &str) {
    let seal = seal();
    let open = record.write(None);
    let bound_to = T::bound_to(at, open.get());
    let spot = Spot { section, entry: &bound_to };
    let secrets = open.get().matches(MARKER).count();
    assert!(secrets > 0, "{section} has secrets");

    let sealed = seal.sealed(&T::SECRETS, spot, open.get()).unwrap();
    assert!(!sealed.contains(MARKER), "a secret of {section} is not sealed: {sealed}");
    assert_eq!(sealed.matches("\"sealed:1:one:").count(), secrets, "{section}: nothing else is sealed");
    assert_eq!(T::bound_to(at, &sealed), bound_to, "its name is the same when it is sealed");
    let opened = seal.opened(&T::SECRETS, spot, &sealed).unwrap();
    assert_eq!(&*opened, open.get(), "all else is the same to the byte");
    assert_eq!(&T::read(&opened).unwrap(), record);

    let elsewhere = Spot { entry: "elsewhere", ..spot };
    let told = seal.opened(&T::SECRETS, elsewhere, &sealed).err().unwrap();
    assert!(told.contains("was moved from another place") && !told.contains("sealed:"), "{told}");
    let told = Seal::default().opened(&T::SECRETS, spot, &sealed).err().unwrap();
    assert!(told.contains("the key \"one\", which is not among the keys here"), "{told}");

    let mut standing = SealStanding::default();
    seal.count(&T::SECRETS, spot, &sealed, &mut standing);
    let all = BTreeMap::from([("one".to_owned(), secrets)]);
    assert_eq!(standing, SealStanding { sealed: all, ..SealStanding::default() });
}

/// Sealing, Z1: no secret of any record stands in its sealed text, and nothing that is none is changed (F5).
#[test]
fn every_secret_of_every_record_is_sealed_and_nothing_else() {
    there_and_back(&credential(), "tenants", "acme");
    there_and_back(&login(), "pending", "42/acme");
    there_and_back(&owed(), "revocations", "");
}

/// F5, F14: what another program wrote in clear opens as it is, beside what is sealed; a pass seals it and keeps the rest.
#[test]
fn what_another_program_wrote_in_clear_is_read_and_sealed_by_a_pass() {
    let (seal, spot) = (seal(), Spot { section: "tenants", entry: "acme" });
    let mixed = seal.sealed(&Credential::SECRETS, spot, credential().write(None).get()).unwrap();
    let clear =
        mixed.replace("\n      \"id_token\"", "\n      \"x-mine\": \"sealed:1:one:theirs\",\n  \"id_token\"");
    let sealed = serde_json::from_str::<serde_json::Value>(&clear).unwrap()["access_token"].to_string();
    let clear = clear.replace(&sealed, "\"in-clear\"");
    let opened = seal.opened(&Credential::SECRETS, spot, &clear).unwrap();
    let held = Credential::read(&opened).unwrap();
    assert_eq!(
        (held.access_token, held.refresh_token),
        (Secret::new("in-clear"), credential().refresh_token)
    );

    let (passed, left) = seal.passed(Pass::Seal, &Credential::SECRETS, spot, &clear);
    let passed = passed.unwrap();
    assert!(left == 0 && !passed.contains("in-clear"), "{passed}");
    assert!(
        passed.contains("\"x-mine\": \"sealed:1:one:theirs\""),
        "what is not ours is not looked at: {passed}"
    );
    assert_eq!(seal.passed(Pass::Seal, &Credential::SECRETS, spot, &passed), (None, 0), "and that is all");
}
