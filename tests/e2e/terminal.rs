//! A terminal beside a running bot: the same logins, in one store.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use latchkey_test_authority::Person;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Bot, NEXT_POLL, SOON, Setup};

/// `latchkey login` as a process that is ended with its test.
struct Terminal(Child);

impl Terminal {
    fn start(setup: &Setup, arguments: &[&str]) -> Self {
        let mut program = setup.program();
        program.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(program.spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Its exit code and what it said.
    async fn ended(mut self) -> (Option<i32>, String) {
        let end = Instant::now() + NEXT_POLL;
        let status = loop {
            match self.0.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < end, "it did not end"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut said).unwrap();
        (status.code(), said)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn setup() -> Setup {
    Setup::plan().acme("share = \"guild\"").start().await
}

/// The user code of the operator's own login, once it is there.
async fn operators_code(setup: &Setup) -> String {
    let end = Instant::now() + SOON;
    loop {
        let text = std::fs::read_to_string(setup.store()).unwrap_or_default();
        let stored: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let logins = stored["pending"].as_object().into_iter().flatten();
        let mine = logins.filter(|(key, _)| key.starts_with("local:")).map(|(_, login)| login);
        if let Some(code) = mine.filter_map(|login| login["user_code"].as_str()).next() {
            return code.to_owned();
        }
        assert!(Instant::now() < end, "no login of the operator: {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// S9: a member in Discord and the operator at a terminal sign in to one shared slot at once: the first that is stored completes the
/// other, who is told by whom.
#[tokio::test(flavor = "multi_thread")]
async fn discord_and_terminal_complete_one_another() {
    for operator_first in [true, false] {
        let setup = setup().await;
        let _bot = Bot::start(&setup).await;
        let (ann, thread) = (setup.discord.member("ann"), setup.thread("fix-ci"));
        let card = ann.slash("/auth login").in_thread(&thread).send().await;
        card.sees_text("Sign in to Acme", SOON).await;
        let terminal = Terminal::start(&setup, &["login", "acme", "--device"]);
        let code = operators_code(&setup).await;
        assert_eq!(setup.authority.device_starts(), 2, "each has a login of their own");
        if operator_first {
            setup.authority.approve_device(&code, &Person::ada()).await;
            let (code, said) = terminal.ended().await;
            assert!(code == Some(0) && said.contains("signed in to acme as ada@example.test"), "{code:?} {said}");
            card.sees_text("is signed in", NEXT_POLL).await;
        } else {
            setup.authority.approve_device(&card.user_code(), &Person::ada()).await;
            card.sees_text("Signed in to Acme", NEXT_POLL).await;
            let (code, said) = terminal.ended().await;
            assert!(code == Some(0) && said.contains("was faster"), "{code:?} {said}");
        }
        setup.discord.assert_clean();
    }
}

/// S13: the terminal is killed, and the running bot takes its login up and stores what comes of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_bot_takes_up_what_a_killed_terminal_began() {
    let setup = setup().await;
    let _bot = Bot::start(&setup).await;
    let terminal = Terminal::start(&setup, &["login", "acme", "--device"]);
    let code = operators_code(&setup).await;
    terminal.signal(Signal::KILL);
    let _ = terminal.ended().await;
    setup.authority.approve_device(&code, &Person::ada()).await;
    let end = Instant::now() + NEXT_POLL * 2;
    while setup.cli(&["token", "acme"]).await.code != 0 {
        assert!(Instant::now() < end, "nobody took it up: {}", setup.stored());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// C11: an admin in Discord sees the operator's login, and cancels it: the terminal says by whom.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_in_the_terminal_is_seen_by_the_bot() {
    let setup = setup().await;
    let _bot = Bot::start(&setup).await;
    let terminal = Terminal::start(&setup, &["login", "acme", "--device"]);
    let _ = operators_code(&setup).await;
    terminal.signal(Signal::INT);
    let (code, said) = terminal.ended().await;
    assert!(code == Some(130) && said.contains("was cancelled. Nothing was stored"), "{code:?} {said}");
    let stored: serde_json::Value = serde_json::from_str(&setup.stored()).unwrap();
    let statuses: Vec<_> =
        stored["pending"].as_object().unwrap().values().map(|login| login["status"].clone()).collect();
    assert_eq!(statuses, ["cancelled"]);
    let status: serde_json::Value =
        serde_json::from_str(&setup.cli(&["status", "--json"]).await.stdout).unwrap();
    assert_eq!(status["logins"], serde_json::json!([]));
}
