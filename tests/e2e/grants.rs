//! Sign-ins that share a grant, at a certified server (npm `oidc-provider`): two of one person in one browser session. A
//! revocation of either ends both there, which is what Latchkey must reckon with (T12).

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::broker::{Broker, Caller, LoggedOut, LoginReply, LoginRequest};
use latchkey::clock::Clock;
use latchkey::config::Config;
use latchkey::gate::{Class, TokenError, Want};
use latchkey::login::{Answered, Started};
use latchkey::oauth;
use latchkey::pending::LoginKind;
use latchkey::revocation::Ended;
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::tenant::{TenantKey, User};
use latchkey_test_authority::{Browser, OidcProvider};

use crate::harness::{Bot, SOON};
use crate::oidc::{setup, table};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_mins(1);
const ANN: u64 = 42;

struct House {
    oidc: OidcProvider,
    broker: Broker,
    _dir: tempfile::TempDir,
}

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

/// A broker in this process.
fn broker(oidc: &OidcProvider, more: &str, auth_file: &Path) -> Broker {
    let text = format!("{}{more}", table(oidc));
    let config = Config::parse(&text, Path::new("latchkey.toml"), &|_| None).unwrap();
    let store = Arc::new(FileStore::open(auth_file, true, Clock::system()).unwrap());
    Broker::new(
        store,
        config.providers,
        oauth::Client::new(),
        Clock::system(),
        latchkey::config::Limits { starts_per_minute: 50, ..Default::default() },
    )
}

impl House {
    /// With the descriptor's word on what a revocation ends.
    async fn new(scope: &str) -> Self {
        let oidc = OidcProvider::start().await;
        let dir = tempfile::tempdir().unwrap();
        let more = format!("revocation = {scope:?}\n");
        let broker = broker(&oidc, &more, &dir.path().join("data/auth.json"));
        Self { oidc, broker, _dir: dir }
    }

    async fn sign_in(&self, browser: &mut Browser, tenant: &str) -> Secret {
        sign_in(&self.oidc, &self.broker, browser, ANN, tenant).await
    }

    /// Whether the server still refreshes this tenant, which holds `access`.
    async fn lives(&self, tenant: &str, access: &Secret) -> Result<Secret, TokenError> {
        let want = Want { rejected: Some(access.hash()), ..Want::default() };
        self.broker.token(&key(tenant), want, LONG).await.map(|token| token.access_token)
    }

    async fn log_out(&self, tenant: &str) -> LoggedOut {
        self.broker.logout(&caller(ANN), &key(tenant)).await.unwrap()
    }
}

fn caller(user: u64) -> Caller {
    Caller { user: User::Discord(user.into()), admin: false }
}

async fn start(broker: &Broker, user: u64, tenant: &str) -> Started {
    let request = LoginRequest {
        caller: caller(user),
        tenant: key(tenant),
        kind: Some(LoginKind::Paste),
        watcher: None,
        bind: None,
        again: true,
        locale: None,
        redirect_uri: None,
    };
    match broker.login(request).await.unwrap() {
        LoginReply::Started(started) => *started,
        LoginReply::SignedIn(status) => panic!("{status:?}"),
    }
}

async fn answer(oidc: &OidcProvider, browser: &mut Browser, started: &Started) -> String {
    let url = started.login.authorize_url.as_ref().unwrap().expose();
    oidc.sign_in_with(browser, url, "ada").await
}

/// A whole sign-in of Ada's; gives the access token.
async fn sign_in(
    oidc: &OidcProvider,
    broker: &Broker,
    browser: &mut Browser,
    user: u64,
    tenant: &str,
) -> Secret {
    let started = start(broker, user, tenant).await;
    let answer = answer(oidc, browser, &started).await;
    let pasted = broker.logins().paste(&User::Discord(user.into()), &started.login.id, &answer).await;
    assert_eq!(pasted.unwrap(), Answered::Succeeded);
    let held = broker.store().snapshot().unwrap().tenant(&key(tenant)).unwrap().unwrap();
    held.access_token.clone()
}

/// T12: signing in again ends nothing at the provider, since the old tokens' grant may be another's too. Here it is.
#[tokio::test(flavor = "multi_thread")]
async fn replacing_a_sign_in_leaves_its_sibling_alive() {
    let house = House::new("grant").await;
    let mut browser = Browser::new();
    house.sign_in(&mut browser, "real@42").await;
    let work = house.sign_in(&mut browser, "real/work@42").await;
    let again = house.sign_in(&mut browser, "real@42").await;
    assert_eq!(house.oidc.revocations().await, 0);
    house.lives("real/work@42", &work).await.unwrap();
    house.lives("real@42", &again).await.unwrap();
    assert_eq!((house.oidc.reuses().await, house.oidc.grant_revoked_events().await), (0, 0));
}

/// T12, C4: what a cancelled sign-in brought is dropped. It is ended at the provider only if nobody could be ended with it.
#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_cancelled_sign_in_leaves_its_sibling_alive() {
    for has_sibling in [true, false] {
        let house = House::new("grant").await;
        let mut browser = Browser::new();
        let sibling =
            if has_sibling { Some(house.sign_in(&mut browser, "real/work@42").await) } else { None };
        let started = start(&house.broker, ANN, "real@42").await;
        let answer = answer(&house.oidc, &mut browser, &started).await;
        house.oidc.hold().await;
        let pasting = tokio::spawn({
            let (logins, id) = (house.broker.logins().clone(), started.login.id.clone());
            async move { logins.paste(&User::Discord(ANN.into()), &id, &answer).await }
        });
        let late = Instant::now() + LONG;
        while house.oidc.waiting().await == 0 {
            assert!(Instant::now() < late, "the exchange never came");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        house.broker.logins().cancel(&User::Discord(ANN.into()), false, &started.login.id).await.unwrap();
        house.oidc.release().await;
        assert_eq!(pasting.await.unwrap().unwrap(), Answered::Over);
        match sibling {
            Some(access) => {
                assert_eq!(house.oidc.revocations().await, 0);
                house.lives("real/work@42", &access).await.unwrap();
            }
            None => assert_eq!(house.oidc.grant_revoked_events().await, 1, "nobody could be ended with it"),
        }
    }
}

/// T12: a logout is a member's own wish. It names who ends with it, and they do.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_names_the_sibling_that_it_ends() {
    let house = House::new("grant").await;
    let mut browser = Browser::new();
    house.sign_in(&mut browser, "real@42").await;
    let work = house.sign_in(&mut browser, "real/work@42").await;
    let preview = house.broker.preview_logout(&caller(ANN), &key("real@42")).unwrap();
    assert_eq!((preview.would_end, preview.revokes), (vec![key("real/work@42")], true));
    assert_eq!(house.log_out("real@42").await.at_provider, Ended::Done);
    let ended = house.lives("real/work@42", &work).await.unwrap_err();
    assert_eq!(ended.class(), Class::NeedsLogin, "{ended}");
    assert_eq!((house.oidc.grant_revoked_events().await, house.oidc.reuses().await), (1, 0));
}

/// T12: where the descriptor says that a token ends alone, a replaced one is ended, and a logout names nobody. Two browsers
/// here, so that what the descriptor says is true.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_alone_is_ended_when_it_is_replaced() {
    let house = House::new("token").await;
    house.sign_in(&mut Browser::new(), "real@42").await;
    let work = house.sign_in(&mut Browser::new(), "real/work@42").await;
    let again = house.sign_in(&mut Browser::new(), "real@42").await;
    // What a sign-in replaced is owed in its own write, and settled by the timer.
    house.broker.retry_owed().await.unwrap();
    assert_eq!((house.oidc.revocations().await, house.oidc.grant_revoked_events().await), (1, 1));
    house.lives("real@42", &again).await.unwrap();
    let preview = house.broker.preview_logout(&caller(ANN), &key("real@42")).unwrap();
    assert_eq!((preview.would_end, preview.revokes), (Vec::new(), true));
    assert_eq!(house.log_out("real@42").await.at_provider, Ended::Done);
    house.lives("real/work@42", &work).await.unwrap();
}

/// T12: what the member reads before they confirm.
#[tokio::test(flavor = "multi_thread")]
async fn the_confirmation_of_a_logout_says_what_else_ends() {
    let oidc = OidcProvider::start().await;
    let setup = setup(&oidc).await;
    let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
    let id = ann.id().to_string();
    let _bot = Bot::start(&setup).await;
    let broker = broker(&oidc, "", &setup.store());
    let mut browser = Browser::new();
    let user: u64 = id.parse().unwrap();
    for tenant in [format!("real@{id}"), format!("real/work@{id}")] {
        sign_in(&oidc, &broker, &mut browser, user, &tenant).await;
    }
    let tenant = format!("real@{id}");
    let asked = ann.slash("/auth logout").option("tenant", &tenant).in_thread(&thread).send().await;
    let text = "At the provider these end with it: Real, profile work (your own).";
    asked.sees_text(text, SOON).await;
    setup.discord.assert_clean();
}
