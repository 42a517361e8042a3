//! What comes in between a refresh and its end, and the host on which it does.

use std::io::Write as _;

use latchkey::broker::{Broker, Caller, LoginReply};
use latchkey::clock::Clock;
use latchkey::credential::{Account, Credential, CredentialKind};
use latchkey::login::Answered;
use latchkey::secret::Secret;
use latchkey::store::{Touches, update};
use latchkey::tenant::User;
use latchkey_test_authority::{CLIENT, Endpoint, Gate, Person, Revocation, TokenSet};

use crate::host::{Host, LONG, by_paste, key, printed, said};

pub const TENANT: &str = "acme";
const OWNER: u64 = 42;

/// What comes in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// By who signed in.
    Logout,
    /// By an admin, of what is somebody else's.
    AdminsRemoval,
    /// A whole sign-in of the same person.
    SignInAgain,
    /// The tenant is removed and made anew: another id, and the generation that was there before.
    RemovedAndRemade,
    /// An older state of the tenant is put back: the same id, and a lower generation.
    PutBack,
    /// From another program's file, by another process.
    Import,
}

impl Act {
    pub const ALL: [Self; 6] = [
        Self::Logout,
        Self::AdminsRemoval,
        Self::SignInAgain,
        Self::RemovedAndRemade,
        Self::PutBack,
        Self::Import,
    ];

    /// Does it. Gives the tokens that stand there after it.
    pub async fn done(self, host: &Host, broker: &Broker) -> Option<TokenSet> {
        match self {
            Self::Logout => {
                log_out(broker, &Caller { user: User::Discord(OWNER.into()), admin: false }).await;
                None
            }
            Self::AdminsRemoval => {
                log_out(broker, &Caller { user: User::Discord(7.into()), admin: true }).await;
                None
            }
            Self::SignInAgain => Some(sign_in(host, broker).await),
            Self::RemovedAndRemade => {
                let before = host.stored(TENANT).unwrap();
                let tokens = minted(host);
                let mut remade = credential(&tokens, 3_600);
                remade.generation = before.generation;
                put(host, None).await;
                put(host, Some(remade)).await;
                Some(tokens)
            }
            Self::PutBack => {
                let tokens = minted(host);
                let mut older = credential(&tokens, 3_600);
                older.id = host.stored(TENANT).unwrap().id;
                older.generation = 1;
                put(host, Some(older)).await;
                Some(tokens)
            }
            Self::Import => {
                let tokens = minted(host);
                import(host, &tokens);
                Some(tokens)
            }
        }
    }
}

pub fn minted(host: &Host) -> TokenSet {
    host.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"])
}

fn credential(tokens: &TokenSet, left: i64) -> Credential {
    let now = Clock::system().now();
    let mut made =
        Credential::new(CredentialKind::OAuth, key(TENANT).provider, Secret::new(&*tokens.access), now);
    made.refresh_token = Some(Secret::new(&*tokens.refresh));
    made.id_token = tokens.id_token.as_deref().map(Secret::new);
    made.client_id = Some(CLIENT.to_owned());
    made.account = Account::new(Some("ada"), Some("ada@example.test"));
    made.owner = Some(User::Discord(OWNER.into()));
    made.obtained_at = Some(now - 7_200);
    made.expires_at = Some(now + left);
    made
}

pub async fn put(host: &Host, credential: Option<Credential>) {
    let (store, tenant) = (host.store(), key(TENANT));
    let put = update(&*store, Touches::tenant(&tenant.clone()), move |view| {
        match credential {
            Some(credential) => view.put_tenant(&tenant, credential),
            None => view.remove_tenant(&tenant),
        }
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
}

async fn log_out(broker: &Broker, caller: &Caller) {
    broker.logout(caller, &key(TENANT)).await.unwrap();
}

/// A sign-in by its owner, whose own exchange passes whatever holds the refresh's reply.
async fn sign_in(host: &Host, broker: &Broker) -> TokenSet {
    drop(host.authority.hold_reply(Endpoint::Token));
    let user = User::Discord(OWNER.into());
    let request = by_paste(user.clone(), false, TENANT);
    let LoginReply::Started(started) = broker.login(request).await.unwrap() else { panic!("not again") };
    let url = started.login.authorize_url.as_ref().unwrap().expose().to_owned();
    let answer = host.authority.sign_in(&url, &Person::ada()).await;
    let pasted = broker.logins().paste(&user, &started.login.id, &answer).await.unwrap();
    assert_eq!(pasted, Answered::Succeeded);
    let held = host.stored(TENANT).unwrap();
    TokenSet {
        access: held.access_token.expose().to_owned(),
        refresh: held.refresh_token.unwrap().expose().to_owned(),
        ..minted(host)
    }
}

fn import(host: &Host, tokens: &TokenSet) {
    let record = serde_json::json!({
        "access_token": tokens.access, "refresh_token": tokens.refresh, "id_token": tokens.id_token,
        "expires_at": tokens.expires_at, "provider": "acme",
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(serde_json::json!({ TENANT: record }).to_string().as_bytes()).unwrap();
    let path = file.path().to_string_lossy().into_owned();
    let output = host.latchkey(&["import", "openab", &path, "--yes"]).output().unwrap();
    assert!(output.status.success(), "{} {}", printed(&output), said(&output));
}

/// A host whose sign-in was refreshed twice and has ended, at a provider whose tokens end alone: so every token that lives
/// on is one that somebody forgot.
pub async fn host() -> Host {
    let host = Host::new();
    host.authority.set(|settings| settings.revocation = Revocation::Token);
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, format!("{config}revocation = \"token\"\n")).unwrap();
    let tokens = host.authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    let mut held = credential(&tokens, -10);
    held.generation = 3;
    put(&host, Some(held)).await;
    host
}

/// The refresh tokens that the server would take.
pub fn alive(host: &Host) -> Vec<String> {
    let tokens = host.authority.secrets().into_iter().filter(|secret| secret.starts_with("rt-"));
    tokens.filter(|token| host.authority.would_refresh(token)).collect()
}

/// Waits until the refresh has reached the server, where its reply is held.
pub async fn arrived(host: &Host, gate: &Gate) {
    assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await, "the refresh never came");
}
