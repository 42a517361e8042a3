//! `latchkey status` by a user who has no auth file to read: from the running bot, over the token socket.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Touches, update};
use latchkey::tenant::TenantKey;
use latchkey_test_authority::{CLIENT, Person};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Bot, Setup};

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_mins(1);

async fn with_a_socket() -> Setup {
    Setup::plan().more("[tokens]\nsocket = \"data/latchkey.sock\"\n").start().await
}

/// The program where there is no configuration, and nothing but the socket.
fn alone(setup: &Setup, elsewhere: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    program.args(arguments).env_clear().env("LATCHKEY_SOCKET", setup.store().with_file_name("latchkey.sock"));
    program.current_dir(elsewhere.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

async fn sign_in(setup: &Setup, tenant: &str) {
    let tenant: TenantKey = tenant.parse().unwrap();
    let tokens = setup.authority.mint(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    let now = Clock::system().now();
    let mut credential =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(&*tokens.access), now);
    credential.refresh_token = Some(Secret::new(&*tokens.refresh));
    credential.expires_at = Some(now + 3_600);
    credential.obtained_at = Some(now);
    let store = FileStore::open(&setup.store(), true, Clock::system()).unwrap();
    let put = update(&store, Touches::tenant(&tenant), move |view| {
        view.put_tenant(&tenant, credential);
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
}

/// Lines as they come, of one of a process's outputs.
fn lines(output: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The test may have failed meanwhile.
            drop(tell.send(line));
        }
    });
    lines
}

struct Watch {
    child: Child,
    shown: Receiver<String>,
    said: Receiver<String>,
}

impl Watch {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (shown, said) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, shown, said }
    }

    /// Waits for an object that names `tenant`.
    fn until(&self, tenant: &str) {
        let end = Instant::now() + LONG;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.shown.recv_timeout(left).expect("it shows the tenant");
            let shown: Value = serde_json::from_str(&line).unwrap();
            if shown["tenants"].as_array().unwrap().iter().any(|held| held["tenant"] == tenant) {
                return;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// U6, G27: who may not read the file sees the same from the bot; without a bot they are told what to do.
#[tokio::test(flavor = "multi_thread")]
async fn the_bot_tells_the_same_as_the_file() {
    let setup = with_a_socket().await;
    sign_in(&setup, "acme").await;
    let elsewhere = tempfile::tempdir().unwrap();
    let without = alone(&setup, &elsewhere, &["status"]).output().unwrap();
    let said = String::from_utf8(without.stderr).unwrap();
    assert_eq!(without.status.code(), Some(4), "{said}");
    assert!(said.contains("`latchkey run`") && said.contains("latchkey.toml"), "{said}");

    let mut bot = Bot::start(&setup).await;
    let from_file = setup.cli(&["status", "--json"]).await;
    let from_bot = alone(&setup, &elsewhere, &["status", "--json"]).output().unwrap();
    let from_bot = String::from_utf8(from_bot.stdout).unwrap();
    assert_eq!(from_bot.trim_end(), from_file.stdout);
    assert!(from_bot.contains("\"tenant\": \"acme\""), "{from_bot}");
    let none = alone(&setup, &elsewhere, &["status", "other", "--json"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&none.stdout).unwrap()["tenants"], serde_json::json!([]));
    bot.stop().await;
}

/// What changes is told at once; a bot that starts anew is waited for, and said once to be away.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlives_the_bot() {
    let setup = with_a_socket().await;
    let mut bot = Bot::start(&setup).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut watch = Watch::start(alone(&setup, &elsewhere, &["status", "--json", "--watch"]));
    watch.shown.recv_timeout(LONG).expect("it shows that there is nothing");
    sign_in(&setup, "acme").await;
    watch.until("acme");
    bot.kill9();
    let said = watch.said.recv_timeout(LONG).expect("it says that the bot is away");
    assert!(said.ends_with("; waiting for it"), "{said}");
    sign_in(&setup, "acme/work").await;
    let mut bot = Bot::start(&setup).await;
    watch.until("acme/work");
    assert!(watch.said.try_recv().is_err(), "said once");
    kill_process(Pid::from_raw(i32::try_from(watch.child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let end = Instant::now() + LONG;
    let code = loop {
        if let Some(status) = watch.child.try_wait().unwrap() {
            break status.code();
        }
        assert!(Instant::now() < end, "it hangs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(code, Some(0));
    bot.stop().await;
}
