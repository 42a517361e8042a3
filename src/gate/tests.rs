//! The gate against a strict authorization server: in one process here; across processes in `tests/`.

use latchkey_test_authority::{
    Authority, CLIENT, Canned, Endpoint, Fault, Person, Reuse, ReuseError, Rotation, Settings,
};
use tokio::task::JoinSet;

use super::*;
use crate::credential::Intent;
use crate::secret::Secret;
use crate::store::file::FileStore;
use crate::store::{
    Document, Holder, KernelLock, Mutation, Rescue, StoreError, StoreFuture, Touches, update,
};
use crate::tenant::User;
use crate::testing::{Host, catalog, key};

const LONG: Duration = Duration::from_secs(20);

impl Host {
    /// A gate of its own: what another process has.
    fn gate(&self) -> Gate {
        self.gate_over(self.store())
    }

    fn gate_over(&self, store: Arc<dyn Store>) -> Gate {
        Gate::new(store, self.catalog.clone(), oauth::Client::new(), self.clock.clone())
    }
}

fn rejected(token: &str) -> Want {
    Want { rejected: Some(Secret::new(token).hash()), ..Want::default() }
}

fn class(landing: &Landing) -> Class {
    landing.as_ref().expect_err("it should have been refused").class()
}

/// G1, G8: a thousand tasks in one process, and another "process" beside them.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_a_thousand_callers() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    let gates = [host.gate(), host.gate()];
    let mut callers = JoinSet::new();
    for number in 0..1_000 {
        let (gate, tenant) = (gates[number % 2].clone(), tenant.clone());
        callers.spawn(async move { gate.token(&tenant, Want::default(), LONG).await.unwrap() });
    }
    let tokens: Vec<_> = callers.join_all().await;
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert!(tokens.iter().all(|credential| credential.access_token == tokens[0].access_token));
    assert_ne!(tokens[0].access_token.expose(), old.access);
    for gate in gates {
        gate.drain().await;
        assert_eq!(gate.flights(), 0, "no map entry is left behind");
    }
    assert!(host.authority.would_refresh(host.stored(&tenant).unwrap().refresh_token.unwrap().expose()));
}

/// G24: nothing is asked, nothing is locked.
#[tokio::test]
async fn a_fresh_token_costs_no_request_and_no_lock() {
    let host = Host::new();
    let tenant = key("acme");
    let tokens = host.serving(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let _held = host.store().refresh_lock(&tenant, LONG).await.unwrap();
    let got = gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(got.access_token.expose(), tokens.access);
    assert_eq!(host.authority.requests().len(), 0);
}

/// G9, G10
#[tokio::test]
async fn callers_come_and_go_and_the_reply_is_stored_all_the_same() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let held = host.authority.hold_reply(Endpoint::Token);
    let left = gate.token(&tenant, Want::default(), Duration::from_millis(100)).await;
    assert_eq!(class(&left), Class::Transient, "{left:?}");
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    held.release();
    gate.drain().await;
    let stored = host.stored(&tenant).unwrap();
    assert_ne!(stored.access_token.expose(), old.access);
    assert_eq!((stored.generation, host.authority.refreshes()), (2, 1));
}

/// G4
#[tokio::test]
async fn a_stuck_tenant_delays_no_other() {
    let mut host = Host::new();
    let elsewhere = Authority::start();
    let other = format!(
        "[providers.other]\ntoken_endpoint = {:?}\nclient_id = {CLIENT:?}\nflows = [\"device\"]\n\
         device_authorization_endpoint = {:?}\n",
        elsewhere.token_endpoint(),
        elsewhere.device_authorization_endpoint()
    );
    host.catalog = catalog(&host.authority, &other);
    let (stuck, quick) = (key("acme"), key("other"));
    host.expired(&stuck, &Person::ada()).await;
    let tokens = elsewhere.mint_expired(&Person::ada(), CLIENT, &["openid"]);
    let mut credential = host.credential(&tokens, &Person::ada());
    credential.provider = quick.provider.clone();
    credential.expires_at = Some(0);
    host.put(&quick, credential).await;

    let gate = host.gate();
    let held = host.authority.hold(Endpoint::Token);
    let waiting = tokio::spawn({
        let (gate, stuck) = (gate.clone(), stuck.clone());
        async move { gate.token(&stuck, Want::default(), LONG).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    gate.token(&quick, Want::default(), LONG).await.unwrap();
    assert!(!waiting.is_finished());
    held.release();
    waiting.await.unwrap().unwrap();
}

/// G14
#[tokio::test]
async fn a_401_seen_by_many_makes_one_refresh_and_late_comers_adopt_it() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    let gates = [host.gate(), host.gate()];
    let mut callers = JoinSet::new();
    for number in 0..20 {
        let (gate, tenant, old) = (gates[number % 2].clone(), tenant.clone(), old.access.clone());
        callers.spawn(async move { gate.token(&tenant, rejected(&old), LONG).await.unwrap() });
    }
    let tokens = callers.join_all().await;
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    let late = host.gate().token(&tenant, rejected(&old.access), LONG).await.unwrap();
    assert_eq!(late.access_token, tokens[0].access_token);
    assert_eq!(host.authority.refreshes(), 1);
}

/// G15
#[tokio::test]
async fn a_token_from_a_forced_refresh_is_not_forced_again_for_a_minute() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    let new = host.gate().token(&tenant, rejected(&old.access), LONG).await.unwrap();
    let again = host.gate().token(&tenant, rejected(new.access_token.expose()), LONG).await;
    assert_eq!(class(&again), Class::Denied, "{again:?}");
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(61);
    host.gate().token(&tenant, rejected(new.access_token.expose()), LONG).await.unwrap();
    assert_eq!(host.authority.refreshes(), 2);
}

/// G15: never a loop.
#[tokio::test]
async fn a_minimum_that_is_never_granted_costs_one_refresh() {
    let host = Host::new();
    let tenant = key("acme");
    host.serving(&tenant, &Person::ada()).await;
    let want = Want { min_valid: 1_000_000, ..Want::default() };
    host.gate().token(&tenant, want, LONG).await.unwrap();
    assert_eq!(host.authority.refreshes(), 1);
}

/// G16
#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks_by_every_process() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let busy = Canned::html(503).with_header("retry-after", "120");
    host.authority.answer_next(Endpoint::Token, 1, busy);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(115);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(10);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.retry_at, landed.failures, landed.intent.clone()), (None, 0, None));
    assert_eq!(host.authority.reuses(), 0);
}

/// G16
#[tokio::test]
async fn what_was_not_sent_is_not_counted() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.go_down();
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.intent, stored.state, stored.failures), (None, CredentialState::Ok, 1));
    host.authority.come_back();
    host.clock.jump(10);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G17, G18
#[tokio::test]
async fn a_dead_grant_is_tried_by_nobody_else_but_for_one_probe() {
    let host = Host::new();
    let tenant = key("acme");
    let tokens = host.expired(&tenant, &Person::ada()).await;
    host.authority.expire_grant(&tokens.refresh);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!(host.authority.refreshes(), 1);
    assert!(host.stored(&tenant).unwrap().refresh_token.is_some(), "the refresh token is kept");
    host.clock.jump(601);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!(host.authority.refreshes(), 2, "one probe");
    host.clock.jump(10_000);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    assert_eq!(host.authority.refreshes(), 2);

    host.serving(&tenant, &Person::ada()).await;
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
}

/// G16, G17: reuse is told in many ways, and none of them is probed.
#[tokio::test]
async fn reuse_is_known_by_code_by_prose_and_when_nested() {
    for spelling in [ReuseError::Prose, ReuseError::Nested, ReuseError::ProseOnly] {
        let host = Host::new();
        host.authority.set(|settings| settings.reuse_error = spelling);
        let tenant = key("acme");
        let tokens = host.expired(&tenant, &Person::ada()).await;
        let client = oauth::Client::new();
        let provider = host.catalog.get(&tenant.provider).unwrap();
        // Somebody else spends it behind our back.
        oauth::refresh(&client, provider, &Secret::new(&*tokens.refresh), &[], 0).await;
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
        assert_eq!(host.stored(&tenant).unwrap().retry_at, None, "{spelling:?}");
    }
}

/// G19, G10: rotated, and the reply lost. A lenient server forgives the second try.
#[tokio::test]
async fn a_lost_reply_is_followed_by_one_more_try() {
    let host = Host::new();
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseAfter);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(host.authority.refreshes(), 2);
}

/// G19
#[tokio::test]
async fn two_lost_replies_make_it_uncertain_and_only_a_definite_answer_makes_it_dead() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 3, &Fault::CloseBefore);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    assert_eq!(host.stored(&tenant).unwrap().state, CredentialState::Uncertain);
    assert_eq!(host.authority.refreshes(), 2);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    assert_eq!(host.authority.refreshes(), 2, "the back-off holds");
    host.clock.jump(4_600);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((host.authority.refreshes(), stored.state), (3, CredentialState::Uncertain));
    host.clock.jump(4_600);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.state, landed.intent.clone()), (CredentialState::Ok, None));
}

/// G19: what still serves is not put at risk.
#[tokio::test]
async fn after_a_lost_reply_a_strict_server_is_not_asked_while_the_old_token_serves() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.serving(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    let want = Want { min_valid: 7_200, ..Want::default() };
    assert_eq!(class(&host.gate().token(&tenant, want, LONG).await), Class::Transient);
    let served = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(served.access_token.expose(), old.access);
    assert_eq!(host.authority.refreshes(), 1);
    host.clock.jump(3_601);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// G19: a newer sign-in of the same account would be ended by a second use.
#[tokio::test]
async fn a_newer_sign_in_of_the_same_account_is_not_put_at_risk() {
    let host = Host::new();
    let (tenant, newer) = (key("acme"), key("acme/newer"));
    host.expired(&tenant, &Person::ada()).await;
    let mut lost = host.stored(&tenant).unwrap();
    lost.intent = Some(crate::credential::Intent {
        credential_id: lost.id.clone(),
        generation: lost.generation,
        refresh_sha256: lost.refresh_token.as_ref().unwrap().hash(),
        attempt: 1,
        sent_at: host.clock.now() - 5,
    });
    host.put(&tenant, lost).await;
    host.serving(&newer, &Person::ada()).await;
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    assert_eq!(host.authority.refreshes(), 0);
}

/// G22
#[tokio::test]
async fn a_logout_or_a_newer_sign_in_during_a_refresh_wins() {
    for sign_in_again in [false, true] {
        let host = Host::new();
        let tenant = key("acme");
        host.expired(&tenant, &Person::ada()).await;
        let gate = host.gate();
        let held = host.authority.hold_reply(Endpoint::Token);
        let refreshing = tokio::spawn({
            let (gate, tenant) = (gate.clone(), tenant.clone());
            async move { gate.token(&tenant, Want::default(), LONG).await }
        });
        assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
        let newer = if sign_in_again {
            Some(host.serving(&tenant, &Person::ada()).await)
        } else {
            let key = tenant.clone();
            let store = host.store();
            let remove = update(&*store, Touches::tenant(&tenant), move |view| {
                view.remove_tenant(&key);
                Ok::<_, ()>(())
            });
            remove.await.unwrap().unwrap();
            None
        };
        held.release();
        let landed = refreshing.await.unwrap();
        gate.drain().await;
        if let Some(newer) = newer {
            assert_eq!(landed.unwrap().access_token.expose(), newer.access);
            assert_eq!(host.stored(&tenant).unwrap().refresh_token.unwrap().expose(), newer.refresh);
            assert_eq!(
                host.authority.revocations(),
                0,
                "the same account is in use: nothing is revoked (T12)"
            );
        } else {
            assert_eq!(class(&landed), Class::NeedsLogin);
            assert!(host.stored(&tenant).is_none());
            assert_eq!(
                host.authority.revocations(),
                1,
                "nothing is in use: the dropped tokens are revoked (T12)"
            );
        }
    }
}

/// I4
#[tokio::test]
async fn a_refresh_that_comes_back_for_somebody_else_is_not_stored() {
    let host = Host::new();
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    host.authority.set(|settings| settings.refresh_as = Some(Person::ben()));
    let landed = host.gate().token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landed), Class::NeedsLogin, "{landed:?}");
    let stored = host.stored(&tenant).unwrap();
    assert_eq!(stored.access_token.expose(), old.access);
    assert_eq!((stored.state, stored.retry_at), (CredentialState::NeedsLogin, None));
}

/// G23
#[tokio::test]
async fn what_a_reply_leaves_out_stays() {
    let host = Host::new();
    host.authority.set(|settings| {
        settings.rotation = Rotation::Omit;
        settings.reply.scope = latchkey_test_authority::ScopeShape::Missing;
        settings.reply.id_token = latchkey_test_authority::IdToken::None;
    });
    let tenant = key("acme");
    let old = host.expired(&tenant, &Person::ada()).await;
    let mut credential = host.stored(&tenant).unwrap();
    credential.scopes = vec!["openid".to_owned()];
    host.put(&tenant, credential.clone()).await;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(landed.refresh_token.as_ref().unwrap().expose(), old.refresh);
    assert_eq!((&landed.scopes, &landed.account), (&credential.scopes, &credential.account));
    assert_ne!(landed.access_token.expose(), old.access);
}

/// G26
#[tokio::test]
async fn what_became_fresh_meanwhile_is_used_though_the_refresh_failed() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    host.authority.fail_next(Endpoint::Token, 1, &Fault::ReplyAfter(Canned::html(503)));
    let held = host.authority.hold_reply(Endpoint::Token);
    let refreshing = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG).await }
    });
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let newer = host.serving(&tenant, &Person::ada()).await;
    held.release();
    assert_eq!(refreshing.await.unwrap().unwrap().access_token.expose(), newer.access);
}

/// G30
#[tokio::test]
async fn a_credential_of_another_client_is_not_sent_anywhere() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let mut credential = host.stored(&tenant).unwrap();
    credential.client_id = Some("another".to_owned());
    host.put(&tenant, credential.clone()).await;
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Operator);
    assert_eq!(host.authority.requests().len(), 0);
    assert_eq!(host.stored(&tenant).unwrap().state, CredentialState::Ok);
}

/// G29, W5
#[tokio::test]
async fn once_draining_no_exchange_is_started_and_one_under_way_is_stored() {
    let host = Host::new();
    let (first, second) = (key("acme/first"), key("acme/second"));
    host.expired(&first, &Person::ada()).await;
    host.expired(&second, &Person::ben()).await;
    let gate = host.gate();
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(&first);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let draining = tokio::spawn({
        let gate = gate.clone();
        async move { gate.drain().await }
    });
    tokio::task::yield_now().await;
    assert!(matches!(gate.token(&second, Want::default(), LONG).await, Err(TokenError::Closing)));
    held.release();
    draining.await.unwrap();
    assert_eq!(host.authority.refreshes(), 1);
    assert_eq!(host.stored(&first).unwrap().generation, 2);
}

/// A store whose writes or locks can be made to fail: what a full disk, or a bug, does.
#[derive(Debug)]
struct Faulty {
    sound: Arc<FileStore>,
    /// Writes that still go through.
    writes_left: std::sync::atomic::AtomicUsize,
    panic_at_the_lock: std::sync::atomic::AtomicBool,
    /// Whether there is no room to set aside, and none to write into.
    no_room: std::sync::atomic::AtomicBool,
    /// What another process writes just before, or just after, the write that leaves so many.
    overtaking: std::sync::Mutex<Option<(usize, Overtaking)>>,
}

#[derive(Debug)]
enum Overtaking {
    Before(TenantKey, Credential),
    After(TenantKey, Credential),
}

async fn put(store: &FileStore, tenant: TenantKey, credential: Credential) -> Result<(), StoreError> {
    let put = update(store, Touches::tenant(&tenant.clone()), move |view| {
        view.put_tenant(&tenant, credential);
        Ok::<_, StoreError>(())
    });
    put.await?
}

impl Faulty {
    fn new(sound: Arc<FileStore>, writes_left: usize) -> Arc<Self> {
        Arc::new(Self {
            sound,
            writes_left: writes_left.into(),
            panic_at_the_lock: false.into(),
            no_room: false.into(),
            overtaking: std::sync::Mutex::default(),
        })
    }

    fn room(&self) -> Result<(), StoreError> {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let no_room = self.no_room.load(std::sync::atomic::Ordering::SeqCst);
        if no_room { Err(StoreError::io("write", std::path::Path::new("auth.json"), &full)) } else { Ok(()) }
    }
}

impl Store for Faulty {
    fn snapshot(&self) -> Result<Arc<Document>, StoreError> {
        self.sound.snapshot()
    }

    fn current(&self, lock: &KernelLock) -> Result<Arc<Document>, StoreError> {
        self.sound.current(lock)
    }

    fn apply(&self, touches: Touches, mutation: Mutation) -> StoreFuture<'_, Result<(), StoreError>> {
        use std::sync::atomic::Ordering::SeqCst;
        let Ok(left) = self.writes_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) else {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Box::pin(async move {
                Err(StoreError::io("write", std::path::Path::new("auth.json"), &full))
            });
        };
        let overtaking = self.overtaking.lock().unwrap().take_if(|(at, _)| *at == left);
        match overtaking {
            None => self.sound.apply(touches, mutation),
            Some((_, Overtaking::Before(tenant, credential))) => Box::pin(async move {
                put(&self.sound, tenant, credential).await?;
                self.sound.apply(touches, mutation).await
            }),
            Some((_, Overtaking::After(tenant, credential))) => Box::pin(async move {
                self.sound.apply(touches, mutation).await?;
                put(&self.sound, tenant, credential).await
            }),
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.sound.changes()
    }

    fn refresh_lock<'a>(
        &'a self,
        tenant: &TenantKey,
        bound: Duration,
    ) -> StoreFuture<'a, Result<KernelLock, StoreError>> {
        assert!(!self.panic_at_the_lock.swap(false, std::sync::atomic::Ordering::SeqCst), "a bug");
        self.sound.refresh_lock(tenant, bound)
    }

    fn refresh_holder(&self, tenant: &TenantKey) -> Option<Holder> {
        self.sound.refresh_holder(tenant)
    }

    fn try_login_lock(&self, user: &User, tenant: &TenantKey) -> Result<Option<KernelLock>, StoreError> {
        self.sound.try_login_lock(user, tenant)
    }

    fn set_rescue_aside(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        self.room().and_then(|()| self.sound.set_rescue_aside(lock, tenant))
    }

    fn write_rescue(&self, lock: &KernelLock, tenant: &TenantKey, saved: &Rescue) -> Result<(), StoreError> {
        self.room().and_then(|()| self.sound.write_rescue(lock, tenant, saved))
    }

    fn read_rescue(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<Option<Rescue>, StoreError> {
        self.sound.read_rescue(lock, tenant)
    }

    fn clear_rescue(&self, lock: &KernelLock, tenant: &TenantKey) -> Result<(), StoreError> {
        self.sound.clear_rescue(lock, tenant)
    }
}

/// G21
#[tokio::test]
async fn a_rotation_that_cannot_be_stored_is_kept_aside_and_finished_by_the_next_holder() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    // The intent is written; the disk fills up before the save.
    let unlucky = host.gate_over(Faulty::new(host.store(), 1));
    let landed = unlucky.token(&tenant, Want::default(), LONG).await;
    assert!(matches!(landed, Err(TokenError::Unsaved { .. })), "{landed:?}");
    unlucky.drain().await;
    assert_eq!(host.stored(&tenant).unwrap().generation, 1, "no new token was handed out or stored");

    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!(landed.generation, 2);
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    assert!(host.authority.would_refresh(landed.refresh_token.as_ref().unwrap().expose()));
    let leftovers = std::fs::read_dir(host.path.with_file_name("auth.json.locks")).unwrap();
    assert!(!leftovers.flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".rescue")));
}

/// G19, G21: without a durable intent nothing is sent.
#[tokio::test]
async fn a_store_that_cannot_be_written_makes_no_request() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let landed = host.gate_over(Faulty::new(host.store(), 0)).token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landed), Class::Store);
    assert_eq!(host.authority.requests().len(), 0);
}

/// G19: a sign-in of the same account that comes between the look and the second try, at another tenant or at this one, is
/// not put at risk either.
#[tokio::test]
async fn a_sign_in_that_comes_just_before_a_second_try_is_not_put_at_risk() {
    let (tenant, other) = (key("acme"), key("acme/other"));
    for (signed_in, after) in [(&other, false), (&other, true), (&tenant, false), (&tenant, true)] {
        let host = Host::new();
        host.expired(&tenant, &Person::ada()).await;
        let tokens = host.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]);
        let newer = host.credential(&tokens, &Person::ada());
        // The first intent, that it got no answer, and the second intent.
        let store = Faulty::new(host.store(), 100);
        let overtaking = if after { Overtaking::After } else { Overtaking::Before };
        *store.overtaking.lock().unwrap() = Some((98, overtaking(signed_in.clone(), newer)));
        host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
        let landed = host.gate_over(store).token(&tenant, Want::default(), LONG).await;
        let case = format!("{signed_in}, after: {after}");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{case}");
        if *signed_in == tenant {
            assert_eq!(landed.unwrap().access_token.expose(), tokens.access, "{case}");
        } else {
            assert_eq!(class(&landed), Class::NeedsLogin, "{case}");
        }
    }
}

/// G19, G20: a third try that is killed is followed by a back-off, not by a fourth.
#[tokio::test]
async fn a_killed_try_of_an_uncertain_credential_is_waited_for() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 2, &Fault::CloseBefore);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(4_600);
    let mut killed = host.stored(&tenant).unwrap();
    killed.intent = killed.intent.map(|intent| Intent { attempt: 3, sent_at: host.clock.now(), ..intent });
    host.put(&tenant, killed).await;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await;
    assert!(matches!(landed, Err(TokenError::BackOff { .. })), "{landed:?}");
    assert_eq!(host.authority.refreshes(), 2);
    host.clock.jump(4_600);
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
}

/// G8
#[tokio::test]
async fn a_flight_that_panics_releases_the_gate() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let store = Faulty::new(host.store(), 100);
    store.panic_at_the_lock.store(true, std::sync::atomic::Ordering::SeqCst);
    let gate = host.gate_over(store);
    assert_eq!(class(&gate.token(&tenant, Want::default(), LONG).await), Class::Bug);
    assert_eq!(gate.flights(), 0);
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
}

/// G21: without room for the reply nothing is sent.
#[tokio::test]
async fn without_room_set_aside_no_request_is_made() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let store = Faulty::new(host.store(), 100);
    store.no_room.store(true, std::sync::atomic::Ordering::SeqCst);
    let landed = host.gate_over(store).token(&tenant, Want::default(), LONG).await;
    assert_eq!(class(&landed), Class::Store);
    assert_eq!((host.authority.requests().len(), host.stored(&tenant).unwrap().intent), (0, None));
}

/// G21: neither the store nor the room can be written. The lock is not let go, and the token is stored once a disk is
/// there again.
#[tokio::test]
async fn a_rotation_that_is_nowhere_but_in_memory_is_not_let_go() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let store = Faulty::new(host.store(), 1);
    let gate = host.gate_over(store.clone());
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(&tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    store.no_room.store(true, std::sync::atomic::Ordering::SeqCst);
    held.release();
    let other = host.gate().token(&tenant, Want::default(), Duration::from_secs(5)).await;
    assert!(matches!(other, Err(TokenError::TimedOut { .. })), "the lock is held: {other:?}");
    store.no_room.store(false, std::sync::atomic::Ordering::SeqCst);
    store.writes_left.store(100, std::sync::atomic::Ordering::SeqCst);
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.generation, host.authority.refreshes(), host.authority.reuses()), (2, 1, 0));
}

/// G21: room that a killed holder set aside goes with the next holder, though that one has nothing to send.
#[tokio::test(flavor = "multi_thread")]
async fn room_of_a_killed_holder_goes_with_the_next_one() {
    let (host, tenant) = (Host::new(), key("acme"));
    let store = host.store();
    let lock = store.refresh_lock(&tenant, LONG).await.unwrap();
    store.set_rescue_aside(&lock, &tenant).unwrap();
    drop(lock);
    let gate = host.gate();
    gate.refresh_ahead(&tenant);
    let landed = async {
        while gate.flights() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, landed).await.unwrap();
    let locks = std::fs::read_dir(host.path.with_file_name("auth.json.locks")).unwrap().flatten();
    let rooms = locks.filter(|entry| entry.file_name().to_string_lossy().ends_with(".rescue"));
    assert_eq!(rooms.count(), 0);
    assert_eq!(host.authority.refreshes(), 0);
}

/// G21, G22: a rescue that was superseded changes nothing, and what it held is not revoked while the account is in use.
#[tokio::test]
async fn a_rescue_is_compared_before_it_is_stored() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let before = host.stored(&tenant).unwrap();
    let mut kept = before.clone();
    kept.generation += 1;
    kept.access_token = Secret::new("at-kept-aside");
    kept.expires_at = Some(host.clock.now() + 3_600);
    let store = host.store();
    let lock = store.refresh_lock(&tenant, LONG).await.unwrap();
    store.set_rescue_aside(&lock, &tenant).unwrap();
    store.write_rescue(&lock, &tenant, &Rescue { replaces: before.version(), credential: kept }).unwrap();
    drop(lock);
    let newer = host.expired(&tenant, &Person::ada()).await;
    let id = host.stored(&tenant).unwrap().id;
    let landed = host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((landed.id.clone(), landed.generation), (id, 2), "{:?} was refreshed", newer.scopes);
    assert_eq!((host.authority.refreshes(), host.authority.revocations()), (1, 0));
}

/// G19: a definite "not now" to the second try leaves the first as unknown as it was.
#[tokio::test]
async fn a_busy_server_does_not_make_an_unknown_try_known() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(503, "temporarily_unavailable", ""));
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!(
        (stored.open_intent().map(|intent| intent.attempt), stored.state),
        (Some(1), CredentialState::Ok)
    );
}

/// G17, G19: a probe that gets no answer was the one.
#[tokio::test]
async fn a_probe_is_sent_once_whatever_comes_of_it() {
    let host = Host::new();
    let tenant = key("acme");
    let tokens = host.expired(&tenant, &Person::ada()).await;
    host.authority.expire_grant(&tokens.refresh);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    let stored = host.stored(&tenant).unwrap();
    assert_eq!(host.gate().due(&stored), stored.retry_at, "somebody will make the probe");
    host.clock.jump(601);
    host.authority.fail_next(Endpoint::Token, 3, &Fault::CloseBefore);
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::NeedsLogin);
    }
    assert_eq!((host.authority.refreshes(), host.gate().due(&host.stored(&tenant).unwrap())), (2, None));
}

/// G16: what is the operator's stays the operator's for those who come during the back-off.
#[tokio::test]
async fn a_refused_client_is_the_operators_matter_for_everybody() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    host.authority.answer_next(Endpoint::Token, 1, Canned::error(401, "invalid_client", ""));
    for _ in 0..3 {
        assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Operator);
    }
    assert_eq!((host.authority.refreshes(), host.stored(&tenant).unwrap().state), (1, CredentialState::Ok));
}

/// I4: the issuer is compared with the one that signed in, not with how the configuration spells it.
#[tokio::test]
async fn another_issuer_is_refused_and_another_spelling_of_the_configured_one_is_not() {
    for moved in [false, true] {
        let host = Host::new();
        let tenant = key("acme");
        let at = |path: &str| host.authority.set(|settings| path.clone_into(&mut settings.issuer_path));
        at(if moved { "/elsewhere" } else { "" });
        let tokens = host.expired(&tenant, &Person::ada()).await;
        at("");
        let mut credential = host.stored(&tenant).unwrap();
        credential.id_token = tokens.id_token.as_deref().map(Secret::new);
        host.put(&tenant, credential).await;
        let landed = host.gate().token(&tenant, Want::default(), LONG).await;
        assert_eq!(
            landed.as_ref().err().map(TokenError::class),
            moved.then_some(Class::NeedsLogin),
            "{landed:?}"
        );
    }
}

/// G24, T9: a token that lives for a minute is used for half of it, and one that has ended as it comes is no storm.
#[tokio::test]
async fn short_lives_are_no_storm() {
    for lifetime in [60, 0] {
        let host = Host::new();
        host.authority.set(|settings| {
            settings.access_lifetime = Duration::from_secs(lifetime);
        });
        let tenant = key("acme");
        host.expired(&tenant, &Person::ada()).await;
        for _ in 0..5 {
            host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
        }
        assert_eq!(host.authority.refreshes(), 1, "{lifetime} s");
    }
}

/// A flight for `tenant` whose reply is held; while it is, the wall clock jumps.
async fn jumped_in_flight(host: &Host, gate: &Gate, tenant: &TenantKey, seconds: i64) {
    let held = host.authority.hold_reply(Endpoint::Token);
    gate.refresh_ahead(tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    host.clock.jump(seconds);
    held.release();
    for _ in 0..2_000 {
        if gate.flights() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the flight does not land");
}

/// G16, S14: a try that a clock set back has let through is under way. The old back-off is not believed by those who come
/// meanwhile, though its entry was written to just now.
#[tokio::test]
async fn a_back_off_is_over_with_the_next_try() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let mut long_over = host.stored(&tenant).unwrap();
    long_over.expires_at = Some(host.clock.now() - 7_200);
    host.put(&tenant, long_over).await;
    let busy = Canned::html(503).with_header("retry-after", "600");
    host.authority.answer_next(Endpoint::Token, 1, busy);
    assert_eq!(class(&host.gate().token(&tenant, Want::default(), LONG).await), Class::Transient);
    host.clock.jump(-3_600);
    let held = host.authority.hold_reply(Endpoint::Token);
    let gate = host.gate();
    gate.refresh_ahead(&tenant);
    assert!(host.authority.eventually(LONG, |_| held.waiting() == 1).await);
    let other = host.gate().token(&tenant, Want::default(), Duration::from_millis(300)).await;
    assert!(matches!(other, Err(TokenError::TimedOut { .. })), "it waits for the try: {other:?}");
    held.release();
    host.gate().token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 0));
}

/// T9, S14: a clock that is set back during the request does not lengthen the token's life.
#[tokio::test]
async fn a_clock_set_back_during_the_request_lengthens_no_life() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    jumped_in_flight(&host, &gate, &tenant, -3_600).await;
    let (stored, now) = (host.stored(&tenant).unwrap(), host.clock.now());
    let left = stored.expires_at.unwrap() - now;
    assert!((3_500..=3_600).contains(&left), "{left} s left");
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// T9, G15, S14: one that is set forward makes the new token old as it comes. Said as what it is, and mended at the next
/// call.
#[tokio::test]
async fn a_token_that_ends_on_its_way_is_no_rejection() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let first = host.authority.hold_reply(Endpoint::Token);
    let asking = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG * 3).await }
    });
    assert!(host.authority.eventually(LONG, |_| first.waiting() == 1).await);
    host.clock.jump(3_601);
    // Closed before the first is opened, so that the next request does not slip through.
    let second = host.authority.hold_reply(Endpoint::Token);
    first.release();
    assert!(host.authority.eventually(LONG, |_| second.waiting() == 1).await);
    host.clock.jump(3_601);
    second.release();
    let landed = asking.await.unwrap();
    assert!(matches!(landed, Err(TokenError::EndedAlready { .. })), "{landed:?}");
    assert_eq!(class(&landed), Class::Transient);
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (3, 0));
    assert_eq!(host.stored(&tenant).unwrap().state, CredentialState::Ok);
}

/// G10, G19: other sign-ins that come during a flight use up its exchanges, and nothing is said against the last of them.
#[tokio::test]
async fn sign_ins_that_overtake_a_flight_are_not_called_uncertain() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let first = host.authority.hold_reply(Endpoint::Token);
    let asking = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG * 3).await }
    });
    assert!(host.authority.eventually(LONG, |_| first.waiting() == 1).await);
    host.expired(&tenant, &Person::ada()).await;
    let second = host.authority.hold_reply(Endpoint::Token);
    first.release();
    assert!(host.authority.eventually(LONG, |_| second.waiting() == 1).await);
    let newest = host.expired(&tenant, &Person::ada()).await;
    second.release();
    let landed = asking.await.unwrap();
    assert!(matches!(landed, Err(TokenError::Overtaken { .. })), "{landed:?}");
    let stored = host.stored(&tenant).unwrap();
    assert_eq!((stored.state, stored.intent, stored.retry_at), (CredentialState::Ok, None, None));
    assert_eq!(stored.refresh_token.unwrap().expose(), newest.refresh);
    gate.token(&tenant, Want::default(), LONG).await.unwrap();
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (3, 0));
}

/// G26: the flight ended with an error, and the store is fresh all the same.
#[tokio::test]
async fn a_flight_that_fails_beside_a_fresh_store_is_no_failure() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let _elsewhere = host.store().refresh_lock(&tenant, LONG).await.unwrap();
    let waiting = tokio::spawn({
        let (gate, tenant) = (gate.clone(), tenant.clone());
        async move { gate.token(&tenant, Want::default(), LONG).await }
    });
    for _ in 0..200 {
        if gate.flights() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let newer = host.serving(&tenant, &Person::ada()).await;
    gate.drain().await;
    assert_eq!(waiting.await.unwrap().unwrap().access_token.expose(), newer.access);
}

/// Z1
#[tokio::test]
async fn a_gate_is_printed_for_debugging_without_a_token() {
    let host = Host::new();
    let tenant = key("acme");
    host.expired(&tenant, &Person::ada()).await;
    let gate = host.gate();
    let landed = gate.token(&tenant, Want::default(), LONG).await.unwrap();
    host.authority.assert_no_secret_in(&format!("{gate:?} {landed:?}"));
}

/// The settings of the scripted server are what these tests think they are.
#[test]
fn the_server_is_strict_unless_told_otherwise() {
    assert_eq!(Settings::default().reuse, Reuse::Strict);
}
