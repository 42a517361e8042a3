//! A logout, a newer sign-in, an import, in the middle of a refresh or after it was cut short: whoever came later wins, and
//! what the refresh brought is dropped and, where that ends nothing else, ended at the provider too.

use std::io::Write as _;
use std::process::Output;

use latchkey::broker::{Broker, Caller, LoginReply, LoginRequest};
use latchkey::clock::Clock;
use latchkey::credential::{Account, Credential, CredentialKind, CredentialState};
use latchkey::gate::{TokenError, Want};
use latchkey::login::Pasted;
use latchkey::pending::LoginKind;
use latchkey::secret::Secret;
use latchkey::store::{Touches, update};
use latchkey::tenant::User;
use latchkey_test_authority::{CLIENT, Endpoint, Person, Revocation, TokenSet};

use crate::host::{Host, LONG, key, printed, said};

const TENANT: &str = "acme";
const OWNER: u64 = 42;

/// What comes in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
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
    const ALL: [Self; 6] = [
        Self::Logout,
        Self::AdminsRemoval,
        Self::SignInAgain,
        Self::RemovedAndRemade,
        Self::PutBack,
        Self::Import,
    ];

    /// Does it. Gives the tokens that stand there after it.
    async fn done(self, host: &Host, broker: &Broker) -> Option<TokenSet> {
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

fn minted(host: &Host) -> TokenSet {
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

async fn put(host: &Host, credential: Option<Credential>) {
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
    let request = LoginRequest {
        caller: Caller { user: user.clone(), admin: false },
        tenant: key(TENANT),
        kind: Some(LoginKind::Paste),
        watcher: None,
        bind: None,
        again: true,
    };
    let LoginReply::Started(started) = broker.login(request).await.unwrap() else { panic!("not again") };
    let url = started.login.authorize_url.as_ref().unwrap().expose().to_owned();
    let answer = host.authority.sign_in(&url, &Person::ada()).await;
    let pasted = broker.logins().paste(&user, &started.login.id, &answer).await.unwrap();
    assert_eq!(pasted, Pasted::Succeeded);
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
async fn host() -> Host {
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
fn alive(host: &Host) -> Vec<String> {
    let tokens = host.authority.secrets().into_iter().filter(|secret| secret.starts_with("rt-"));
    tokens.filter(|token| host.authority.would_refresh(token)).collect()
}

/// What must stand there in the end: what the act left, untouched by the refresh.
fn assert_won(act: Act, host: &Host, newer: Option<&TokenSet>) {
    let held = host.stored(TENANT);
    let refresh = held.and_then(|held| held.refresh_token);
    assert_eq!(
        refresh.map(|token| token.expose().to_owned()),
        newer.map(|newer| newer.refresh.clone()),
        "{act:?}"
    );
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{act:?}");
}

/// What a program that asks, or has been asking, is told.
fn assert_told(act: Act, output: &Output, newer: Option<&TokenSet>) {
    let told = (output.status.code(), printed(output));
    match newer {
        Some(newer) => assert_eq!(told, (Some(0), newer.access.clone()), "{act:?}: {}", said(output)),
        None => {
            assert_eq!(told, (Some(3), String::new()), "{act:?}");
            let text = said(output);
            assert!(text.contains("use /auth login in Discord"), "{act:?}: {text}");
        }
    }
}

/// Waits until only what the act left lives at the provider: `Some` of what it left, and nothing else.
async fn assert_nothing_forgotten(act: Act, host: &Host, newer: Option<&TokenSet>) {
    let expected: Vec<_> = newer.iter().map(|newer| newer.refresh.clone()).collect();
    // Minted beside the sign-in, to have its shape; nobody was given it.
    let spare = if act == Act::SignInAgain { 1 } else { 0 };
    let ended = host.authority.eventually(LONG, |_| {
        let alive = alive(host);
        alive.len() == expected.len() + spare && expected.iter().all(|token| alive.contains(token))
    });
    assert!(ended.await, "{act:?}: these live: {:?}, expected {expected:?}", alive(host));
}

async fn arrived(host: &Host, gate: &latchkey_test_authority::Gate) {
    assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await, "the refresh never came");
}

/// G22, I8, T12, C4: while `latchkey token` waits for the provider's reply.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_the_middle_of_a_refresh_wins() {
    for act in Act::ALL {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let waiting = host.latchkey(&["token", TENANT, "--timeout", "50s"]).spawn().unwrap();
        arrived(&host, &gate).await;
        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        gate.release();
        let output = waiting.wait_with_output().unwrap();
        assert_told(act, &output, newer.as_ref());
        broker.drain().await;
        assert_won(act, &host, newer.as_ref());
        assert_nothing_forgotten(act, &host, newer.as_ref()).await;
    }
}

/// G22, I8, T12, C4: the same while the bot refreshes, which has nobody who waits for it but its own callers.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_the_middle_of_the_bots_refresh_wins() {
    for act in Act::ALL {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let bot = host.broker();
        let waiting = tokio::spawn({
            let bot = bot.clone();
            async move { bot.token(&key(TENANT), Want::default(), LONG).await }
        });
        arrived(&host, &gate).await;
        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        gate.release();
        let landed = waiting.await.unwrap();
        match &newer {
            Some(newer) => assert_eq!(landed.unwrap().access_token.expose(), newer.access, "{act:?}"),
            None => assert!(matches!(landed, Err(TokenError::NeverSignedIn { .. })), "{act:?}: {landed:?}"),
        }
        bot.drain().await;
        broker.drain().await;
        assert_won(act, &host, newer.as_ref());
        assert_nothing_forgotten(act, &host, newer.as_ref()).await;
    }
}

/// G12, G20, G22: the refreshing process dies as soon as it has its reply. Nobody repeats what it sent for a credential that
/// stands there no more.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_refreshing_process_died_wins() {
    for act in Act::ALL {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let mut command = host.latchkey(&["token", TENANT, "--timeout", "50s"]);
        let dying = command.env("FAILPOINTS", "after-reply=return(kill)").spawn().unwrap();
        arrived(&host, &gate).await;
        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        gate.release();
        let output = dying.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), printed(&output)),
            (Some(1), String::new()),
            "{act:?}: {}",
            said(&output)
        );
        broker.drain().await;
        let next = host.latchkey(&["token", TENANT]).output().unwrap();
        assert_told(act, &next, newer.as_ref());
        assert_won(act, &host, newer.as_ref());
    }
}

fn rescue_files(host: &Host) -> usize {
    let locks = std::fs::read_dir(host.auth.with_file_name("auth.json.locks")).unwrap();
    locks.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".rescue")).count()
}

/// G21, G22, T12: the disk was full at the save, the rotated tokens were kept aside, and the process died. Whatever came
/// before the next holder of the lock looks, what was kept aside does not come back; it is ended at the provider.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_aside_never_replaces_what_came_since() {
    for act in Act::ALL {
        let host = host().await;
        let mut command = host.latchkey(&["token", TENANT]);
        // The first write is the intent.
        let faults = "write-temporary=1*off->return(28);after-rescue=return(kill)";
        let output = command.env("FAILPOINTS", faults).output().unwrap();
        assert_eq!((output.status.code(), printed(&output)), (Some(1), String::new()), "{}", said(&output));
        assert_eq!((host.authority.refreshes(), rescue_files(&host)), (1, 1), "{act:?}");
        assert_eq!((host.stored(TENANT).unwrap().generation, alive(&host).len()), (3, 1), "{act:?}");

        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        broker.drain().await;
        let next = host.latchkey(&["token", TENANT]).output().unwrap();
        assert_told(act, &next, newer.as_ref());
        assert_won(act, &host, newer.as_ref());
        let Some(newer) = newer else {
            assert_eq!(rescue_files(&host), 0, "{act:?}: a logout sees to it at once");
            assert_nothing_forgotten(act, &host, None).await;
            continue;
        };
        // Whoever refreshes next takes the lock, and finds it.
        let (id, generation) = host.stored(TENANT).unwrap().version();
        let hash = Secret::new(&*newer.access).hash().to_string();
        let forced = host.latchkey(&["token", TENANT, "--rejected-sha256", &hash]).output().unwrap();
        assert!(forced.status.success(), "{act:?}: {}", said(&forced));
        let held = host.stored(TENANT).unwrap();
        assert_eq!(
            held.version(),
            (id, generation + 1),
            "{act:?}: it is the newer sign-in that was refreshed"
        );
        assert_eq!(
            (host.authority.refreshes(), host.authority.reuses(), rescue_files(&host)),
            (2, 0, 0),
            "{act:?}"
        );
        let rotated = TokenSet { refresh: held.refresh_token.unwrap().expose().to_owned(), ..newer };
        assert_nothing_forgotten(act, &host, Some(&rotated)).await;
    }
}

/// T12, G22: where a token may take its whole grant with it, what a refresh brought too late is dropped and not ended, as
/// long as the same account is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_end_the_newer_sign_in_is_dropped_and_not_revoked() {
    let host = host().await;
    host.authority.set(|settings| settings.revocation = Revocation::PersonAndClient);
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, config.replace("revocation = \"token\"", "revocation = \"grant\"")).unwrap();
    let gate = host.authority.hold_reply(Endpoint::Token);
    let waiting = host.latchkey(&["token", TENANT, "--timeout", "50s"]).spawn().unwrap();
    arrived(&host, &gate).await;
    let newer = Act::SignInAgain.done(&host, &host.broker()).await;
    gate.release();
    assert_told(Act::SignInAgain, &waiting.wait_with_output().unwrap(), newer.as_ref());
    assert_eq!(host.authority.revocations(), 0);
    assert!(host.authority.would_refresh(&newer.unwrap().refresh), "it would be gone");
}

/// I4: by its account or its issuer. In every process the old tokens stay, nobody sends them again, and the reason is told;
/// it takes one write, so that nothing can come between.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_comes_back_for_somebody_else_is_told_to_everybody_and_not_stored() {
    for by_issuer in [false, true] {
        let host = host().await;
        let mut before = host.stored(TENANT).unwrap();
        if by_issuer {
            host.authority.set(|settings| settings.issuer_path = "/elsewhere".to_owned());
            before.id_token = minted(&host).id_token.map(Secret::from);
            host.authority.set(|settings| settings.issuer_path = String::new());
            put(&host, Some(before.clone())).await;
        } else {
            host.authority.set(|settings| settings.refresh_as = Some(Person::ben()));
        }
        let why = "the provider answered a refresh with another account's tokens";
        // The intent is the first write, the end the second; a third would fail.
        let mut first = host.latchkey(&["token", TENANT]);
        let first = first.env("FAILPOINTS", "write-temporary=2*off->return(28)").output().unwrap();
        let second = host.latchkey(&["token", TENANT]).output().unwrap();
        for output in [&first, &second] {
            assert_eq!((output.status.code(), printed(output)), (Some(3), String::new()), "{}", said(output));
            assert!(said(output).contains(why), "{}", said(output));
        }
        assert!(
            said(&first).contains("refresh refused: another account"),
            "the audit line: {}",
            said(&first)
        );
        let stored = host.stored(TENANT).unwrap();
        let expected = Credential {
            state: CredentialState::NeedsLogin,
            last_error: Some(why.to_owned()),
            updated_at: stored.updated_at,
            ..before
        };
        assert_eq!(stored, expected, "no token, and no account, is another's");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
        let status = printed(&host.latchkey(&["status"]).output().unwrap());
        assert!(status.contains("needs_login") && status.contains(why), "{status}");
        host.authority.assert_no_secret_in(&format!("{}{}{status}", said(&first), said(&second)));
    }
}

/// I8, G30: an entry that names another provider is shown to nobody: not to the provider whose slot it lies in.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_of_another_provider_is_not_sent() {
    let host = host().await;
    let mut foreign = host.stored(TENANT).unwrap();
    foreign.provider = key("other").provider;
    put(&host, Some(foreign)).await;
    let output = host.latchkey(&["token", TENANT]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("another provider"), "{}", said(&output));
    assert_eq!(host.authority.requests().len(), 0);
}

/// I4, I8: somebody edits the entry by hand in the middle of a refresh, and leaves id and generation. The reply is not put
/// over what it does not belong to, and the spent refresh token is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_was_edited_in_the_middle_is_not_overwritten_nor_sent_again() {
    for to_a_key in [true, false] {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let waiting = host.latchkey(&["token", TENANT, "--timeout", "50s"]).spawn().unwrap();
        arrived(&host, &gate).await;
        let mut edited = host.stored(TENANT).unwrap();
        if to_a_key {
            edited.kind = CredentialKind::Static;
            edited.access_token = Secret::new("sk-operators");
            edited.refresh_token = None;
            edited.expires_at = None;
        } else {
            edited.account = Account::new(Some("ben"), None);
        }
        put(&host, Some(edited.clone())).await;
        gate.release();
        let output = waiting.wait_with_output().unwrap();
        let held = host.stored(TENANT).unwrap();
        if to_a_key {
            assert_eq!((output.status.code(), printed(&output)), (Some(0), "sk-operators".to_owned()));
            // That it was used today is noted behind the token's back.
            edited.last_used_at = held.last_used_at;
        } else {
            assert_eq!(
                (output.status.code(), printed(&output)),
                (Some(3), String::new()),
                "{}",
                said(&output)
            );
            edited.state = CredentialState::NeedsLogin;
            edited.intent = None;
            edited.last_error = held.last_error.clone();
            assert!(held.last_error.as_ref().unwrap().contains("another account"), "{held:?}");
        }
        edited.updated_at = held.updated_at;
        assert_eq!(held, edited);
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{}", said(&output));
    }
}
