//! Programs that wait for the bot's answer when the bot ends.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{CLIENT, Endpoint, Fault, Gate, Person, Reuse};
use tokio::task::JoinSet;

use crate::harness::{Bot, Setup};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_mins(1);
/// How many wait that have the auth file, and how many that have the socket alone.
const EACH: usize = 4;

/// A sign-in that has ended, which nobody has used yet: the bot does not refresh it of its own accord.
async fn expired(setup: &Setup) {
    let tokens = setup.authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    let (tenant, now): (TenantKey, _) = ("acme@1".parse().unwrap(), Clock::system().now());
    let mut credential =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(&*tokens.access), now);
    credential.refresh_token = Some(Secret::new(&*tokens.refresh));
    credential.expires_at = Some(now - 10);
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    update(&store, Touches::tenant(&tenant.clone()), move |view| {
        view.put_tenant(&tenant, credential);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

fn held(setup: &Setup) -> Credential {
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    let document = store.snapshot().unwrap();
    (*document.tenant(&"acme@1".parse().unwrap()).unwrap().unwrap()).clone()
}

/// What waits: programs with the auth file, and programs that have the socket alone.
struct Waiting {
    with_file: JoinSet<Output>,
    alone: JoinSet<Output>,
}

impl Waiting {
    /// Starts them, and waits until the bot's request stands at the gate and all of them at the bot.
    async fn at(setup: &Setup, gate: &Gate) -> Self {
        let empty = setup.dir.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let (mut with_file, mut alone, mut processes) = (JoinSet::new(), JoinSet::new(), Vec::new());
        for _ in 0..EACH {
            let ask = ["token", "acme@1", "--timeout", "50s"];
            let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
            command.args(ask).current_dir(&empty).env_clear();
            command.env("LATCHKEY_SOCKET", setup.dir.path().join("t.sock"));
            let mut whole = setup.program();
            whole.args(ask);
            for (command, set) in [(whole, &mut with_file), (command, &mut alone)] {
                let mut command = tokio::process::Command::from(command);
                command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let child = command.kill_on_drop(true).spawn().unwrap();
                processes.push(child.id().unwrap());
                set.spawn(async move { child.wait_with_output().await.unwrap() });
            }
        }
        let is_connected = |process: &u32| {
            let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
            let mut paths = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
            paths.any(|path| path.to_string_lossy().starts_with("socket:"))
        };
        let all_are_there = || gate.waiting() == 1 && processes.iter().all(is_connected);
        assert!(setup.authority.eventually(LONG, |_| all_are_there()).await, "not all came to wait");
        // From being connected to having asked is a moment.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Self { with_file, alone }
    }

    async fn ended(self) -> (Vec<Output>, Vec<Output>) {
        let all = async { (self.with_file.join_all().await, self.alone.join_all().await) };
        tokio::time::timeout(LONG, all).await.expect("nobody hangs")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn assert_have(outputs: &[Output], token: &str) {
    for output in outputs {
        let ended = (output.status.code(), text(&output.stdout));
        assert_eq!(ended, (Some(0), format!("{token}\n")), "{}", text(&output.stderr));
    }
}

async fn setup() -> Setup {
    let setup = Setup::plan().more("[tokens]\nsocket = \"t.sock\"").start().await;
    expired(&setup).await;
    setup
}

/// G12, G19: the bot is killed while it refreshes for many. Whoever has the auth file goes on with it, by the one more try that is
/// allowed; whoever has the socket alone is told plainly what to do. Nobody hangs, and the family lives: at a strict provider that
/// had not acted on the request yet, and at a lenient one that had.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_bot_leaves_nobody_waiting() {
    for reuse in [Reuse::Strict, Reuse::Lenient] {
        let setup = setup().await;
        setup.authority.set(|settings| settings.reuse = reuse);
        if reuse == Reuse::Strict {
            setup.authority.fail_next(Endpoint::Token, 1, &Fault::CloseBefore);
        }
        let mut bot = Bot::start(&setup).await;
        let gate = setup.authority.hold(Endpoint::Token);
        let waiting = Waiting::at(&setup, &gate).await;
        bot.kill9();
        assert!(setup.authority.eventually(LONG, |_| gate.waiting() == 2).await, "nobody went on");
        gate.release();
        let (with_file, alone) = waiting.ended().await;
        let held = held(&setup);
        assert_have(&with_file, held.access_token.expose());
        for output in &with_file {
            let said = text(&output.stderr);
            assert!(said.contains("broke off without an answer"), "{said}");
            assert!(said.contains("going on without the bot"), "{said}");
        }
        for output in &alone {
            let (code, said) = (output.status.code(), text(&output.stderr));
            assert_eq!((code, text(&output.stdout)), (Some(4), String::new()), "{said}");
            assert!(said.contains("is it still running? Try again"), "{said}");
        }
        assert!(setup.authority.accepts(held.access_token.expose()), "{reuse:?}");
        assert!(setup.authority.would_refresh(held.refresh_token.unwrap().expose()), "the family lives");
        assert_eq!(setup.authority.refreshes(), 2);
    }
}

/// W5: a bot that is asked to end lets the refresh under way finish, and everybody who waits for it is served by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_ends_serves_those_who_wait_for_its_refresh() {
    let setup = setup().await;
    let mut bot = Bot::start(&setup).await;
    let gate = setup.authority.hold(Endpoint::Token);
    let waiting = Waiting::at(&setup, &gate).await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        gate.release();
    };
    let (ended, ()) = tokio::join!(bot.stop(), release);
    assert!(ended.success());
    let (with_file, alone) = waiting.ended().await;
    let held = held(&setup);
    assert_have(&with_file, held.access_token.expose());
    assert_have(&alone, held.access_token.expose());
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (1, 0));
}
