//! Another program that takes part in the lock protocol, beside a busy bot.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use latchkey::binding::Binding;
use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::{TenantKey, ThreadId};
use latchkey_test_authority::{CLIENT, Person};
use latchkey_test_discord::Channel;
use serde_json::Value;

use crate::harness::{Bot, SOON, Setup};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_mins(2);
/// How many copies of the program take part, and how often each.
const COPIES: u32 = 4;
const TIMES: u32 = 200;
/// How many tenants the bot keeps fresh meanwhile.
const TENANTS: u32 = 5;

/// The other program, as a file; the one that the documentation shows.
fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/participant.py")
}

/// Copies of `program` that have begun; they are killed when the test lets go of them.
struct Copies(Vec<Child>);

impl Copies {
    fn start(program: &Path, auth: &Path) -> Self {
        let start = |copy: u32| {
            let mut command = Command::new("python3");
            command.arg(program).arg(auth).args([format!("p{copy}"), TIMES.to_string()]);
            command.stdin(Stdio::null()).stdout(Stdio::null());
            command.spawn().expect("python3 runs (scripts/test installs it)")
        };
        Self((0..COPIES).map(start).collect())
    }

    fn are_running(&mut self) -> bool {
        self.0.iter_mut().any(|copy| copy.try_wait().unwrap().is_none())
    }

    fn all_succeed(&mut self) -> bool {
        let end = Instant::now() + LONG;
        while self.are_running() {
            assert!(Instant::now() < end, "a participant hangs");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.0.iter_mut().all(|copy| copy.wait().unwrap().success())
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        for copy in &mut self.0 {
            // Most have ended by themselves.
            drop(copy.kill());
            drop(copy.wait());
        }
    }
}

/// What the participants have counted to, each in its entry and in its section.
fn counts(file: &Value) -> Vec<(u64, u64)> {
    let turns = |copy| {
        let name = format!("p{copy}");
        let own = &file["tenants"][format!("tool/{name}")]["turns"];
        (own.as_u64().unwrap_or(0), file["x-turns"][&name].as_u64().unwrap_or(0))
    };
    (0..COPIES).map(turns).collect()
}

fn read(auth: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(auth).unwrap()).expect("a reader without a lock sees a whole file")
}

fn key(text: &str) -> TenantKey {
    text.parse().unwrap()
}

fn tenant(number: u32) -> TenantKey {
    key(&format!("acme/t{number}"))
}

/// A sign-in that has expired, put there as a login would; where there is one, only its tokens are new.
async fn sign_in(setup: &Setup, store: &FileStore, tenant: &TenantKey, thread: &ThreadId) {
    let tokens = setup.authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    let now = Clock::system().now();
    let mut credential =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(&*tokens.access), now);
    credential.refresh_token = Some(Secret::new(&*tokens.refresh));
    credential.expires_at = Some(now - 10);
    credential.obtained_at = Some(now - 3_600);
    let (tenant, thread) = (tenant.clone(), thread.clone());
    let touches = Touches::tenant(&tenant).and_thread(&thread);
    let put = update(store, touches, move |view| {
        let bound = [(tenant.provider.clone(), tenant.clone())].into();
        view.put_binding(&thread, Binding { tenants: bound, ..Binding::default() });
        view.put_tenant(&tenant, credential);
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
}

/// Waits until the bot has refreshed every tenant.
async fn refreshed(store: &FileStore) {
    let end = Instant::now() + LONG;
    let is_fresh = |number| {
        store.snapshot().unwrap().tenant(&tenant(number)).unwrap().is_some_and(|held| held.generation == 2)
    };
    while !(0..TENANTS).all(is_fresh) {
        assert!(Instant::now() < end, "the bot does not refresh: {:?}", store.snapshot());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Starts a login and cancels it, over and over; gives the keys of their entries.
async fn logins(setup: &Setup, thread: &Channel, go_on: &AtomicBool) -> Vec<String> {
    let ann = setup.discord.member("ann");
    let mut keys = Vec::new();
    while go_on.load(Ordering::Relaxed) {
        let profile = format!("l{}", keys.len());
        let login = ann.slash("/auth login").option("profile", &profile).in_thread(thread).send().await;
        login.sees_text("Sign in to Acme", SOON).await;
        login.click("Cancel").await;
        login.sees_text("was cancelled", SOON).await;
        keys.push(format!("{}/acme/{profile}", ann.id()));
    }
    keys
}

/// F14, F1, F5: a program that knows the file from its documentation alone adds and changes entries of its own and fields
/// in the bot's, while the bot refreshes and members sign in. Nothing of either side is lost.
#[tokio::test(flavor = "multi_thread")]
async fn another_program_takes_part_beside_a_busy_bot() {
    let setup =
        Setup::plan().acme("share = \"guild\"").more("[limits]\nstarts_per_minute = 1000\nguild_starts_per_minute = 1000\ncommands_per_minute = 1000\n").start().await;
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    let threads: Vec<_> = (0..TENANTS).map(|n| setup.thread(&format!("thread-{n}"))).collect();
    let ids: Vec<ThreadId> = threads.iter().map(|thread| thread.id().to_string().parse().unwrap()).collect();
    for (number, id) in (0..).zip(&ids) {
        sign_in(&setup, &store, &tenant(number), id).await;
    }
    let bot = Bot::start(&setup).await;
    let mut copies = Copies::start(&program(), &setup.store());

    let (go_on, mut rounds) = (AtomicBool::new(true), 1_usize);
    let refreshing = async {
        refreshed(&store).await;
        while rounds < 3 || copies.are_running() {
            for (number, id) in (0..).zip(&ids) {
                sign_in(&setup, &store, &tenant(number), id).await;
            }
            refreshed(&store).await;
            rounds += 1;
        }
        go_on.store(false, Ordering::Relaxed);
    };
    let reading = async {
        while go_on.load(Ordering::Relaxed) {
            read(&setup.store());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let ((), (), started) = tokio::join!(refreshing, reading, logins(&setup, &threads[0], &go_on));

    assert!(copies.all_succeed(), "{}", bot.said());
    let file = read(&setup.store());
    let all = u64::from(TIMES);
    assert_eq!(counts(&file), [(all, all); COPIES as usize], "no turn of another program was lost");
    for number in 0..TENANTS {
        let entry = &file["tenants"][tenant(number).to_string()];
        for copy in 0..COPIES {
            assert_eq!(entry[format!("x-seen-by-p{copy}")], all, "fields that the bot does not know stay");
        }
        let refresh = entry["refresh_token"].as_str().unwrap();
        assert!(setup.authority.would_refresh(refresh), "{number}: what is stored is the server's live one");
    }
    let refreshes = rounds * TENANTS as usize;
    assert_eq!(
        (setup.authority.refreshes(), setup.authority.reuses()),
        (refreshes, 0),
        "no rotation was lost"
    );
    assert!(!started.is_empty());
    for login in started {
        assert_eq!(file["pending"][&login]["status"], "cancelled", "no login was lost: {login}");
    }
    setup.discord.assert_clean();
}

/// F14: the same program with its locks taken out loses what others wrote, and so the test above can tell.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_locks_updates_are_lost() {
    let setup = Setup::new().await;
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    sign_in(&setup, &store, &tenant(0), &"1".parse().unwrap()).await;
    let text = std::fs::read_to_string(program()).unwrap();
    let careless = text.replace("fcntl.flock(lock, fcntl.LOCK_EX)", "pass");
    assert_ne!(careless, text, "there is a lock to be taken out");
    let copy = setup.dir.path().join("careless.py");
    std::fs::write(&copy, careless).unwrap();
    assert!(Copies::start(&copy, &setup.store()).all_succeed());
    assert!(
        counts(&read(&setup.store())).iter().any(|count| count.0 < u64::from(TIMES)),
        "the lock is what keeps them"
    );
}

/// F14, G3: the worked examples of the documentation are what this program locks.
#[tokio::test]
async fn the_documented_lock_names_are_ours() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/auth-file.md")).unwrap();
    let setup = Setup::new().await;
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    let (shared, own) = (key("codex"), key("claude/work@80351110224678912"));
    for tenant in [&shared, &own] {
        drop(store.refresh_lock(tenant, LONG).await.unwrap());
    }
    drop(store.try_login_lock(&"80351110224678912".parse().unwrap(), &own).unwrap());
    let locks = std::fs::read_dir(setup.dir.path().join("data/auth.json.locks")).unwrap().flatten();
    let names: Vec<_> = locks.map(|lock| lock.file_name().to_string_lossy().replace(".lock", "")).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}
