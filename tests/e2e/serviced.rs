//! What a service manager sees: the words of `sd_notify(3)`, played by a socket of ours, as no systemd runs here.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::due::LONG;
use crate::harness::{Bot, Setup};

/// What comes to be told stands there within this time.
const QUIET: Duration = Duration::from_secs(4);

/// The manager's side.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn new(setup: &Setup) -> Self {
        let socket = UnixDatagram::bind(setup.dir.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Self { socket, heard: Vec::new() }
    }

    /// Starts a bot under this manager, with a watchdog of `watchdog`.
    fn start(setup: &Setup, watchdog: Duration, change: impl FnOnce(&mut std::process::Command)) -> Bot {
        Bot::spawn(setup, |program| {
            program.env("NOTIFY_SOCKET", setup.dir.path().join("notify"));
            program.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
            change(program);
        })
    }

    /// The next message, if one comes at once.
    fn next(&mut self) -> Option<String> {
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).ok()?;
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        self.heard.push(message.clone());
        Some(message)
    }

    /// Waits until a message with `line` has come.
    fn hears(&mut self, line: &str) -> String {
        let late = Instant::now() + LONG;
        loop {
            assert!(Instant::now() < late, "{line} was never told: {:?}", self.heard);
            if let Some(message) = self.next()
                && message.lines().any(|told| told.starts_with(line))
            {
                return message;
            }
        }
    }

    /// How many pings come within `time`.
    fn pings(&mut self, time: Duration) -> usize {
        let late = Instant::now() + time;
        let mut pings = 0;
        while Instant::now() < late {
            pings += usize::from(self.next().is_some_and(|message| message.contains("WATCHDOG=1")));
        }
        pings
    }
}

/// W5: READY only once members are answered, with words; a reload has its own two; the end is told; a credential is read where
/// the manager puts it.
#[tokio::test(flavor = "multi_thread")]
async fn the_manager_is_told_of_each_turn_of_a_bots_life() {
    let setup = Setup::plan().discord("token_credential = \"discord-token\"").start().await;
    let mut manager = Manager::new(&setup);
    let folder = setup.dir.path().join("credentials");
    std::fs::create_dir(&folder).unwrap();
    let credential = folder.join("discord-token");
    let mut bot = Manager::start(&setup, LONG, |program| {
        let token =
            program.get_envs().find(|(name, _)| *name == "DISCORD_TOKEN").and_then(|(_, value)| value);
        std::fs::write(&credential, token.unwrap().as_encoded_bytes()).unwrap();
        std::fs::set_permissions(&credential, PermissionsExt::from_mode(0o400)).unwrap();
        program.env_remove("DISCORD_TOKEN").env("CREDENTIALS_DIRECTORY", &folder);
    });
    let ready = manager.hears("READY=1");
    assert!(bot.said().contains("latchkey: ready"), "it was told before it was so: {}", bot.said());
    assert!(ready.contains("STATUS=answering commands"), "{ready}");
    let before = &manager.heard[..manager.heard.len() - 1];
    assert!(before.iter().any(|told| told.contains("EXTEND_TIMEOUT_USEC=60000000")), "{before:?}");
    assert!(before.iter().any(|told| told.contains("STATUS=starting")), "{before:?}");

    bot.signal(Signal::HUP);
    let reloading = manager.hears("RELOADING=1");
    let since = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!(since.parse::<u64>().unwrap() > 0, "{reloading}");
    manager.hears("READY=1");
    setup.configure(|text| format!("{text}\n[nonsense]\n"));
    bot.signal(Signal::HUP);
    manager.hears("RELOADING=1");
    let refused = manager.hears("READY=1");
    assert!(refused.contains("the configuration was refused at the last reload"), "{refused}");

    bot.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    assert!(bot.ended(LONG).await.success());
}

/// W5: a watchdog is fed as long as supervisor and store take their turns, and starves when either is stuck.
#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_starves_when_a_part_is_stuck() {
    for (fault, lives) in [
        (None, true),
        (Some("supervisor-turn=4*off->sleep(600000)"), false),
        (Some("writer-turn=30*off->sleep(600000)"), false),
    ] {
        let setup = Setup::new().await;
        let mut manager = Manager::new(&setup);
        let bot = Manager::start(&setup, Duration::from_millis(400), |program| {
            if let Some(fault) = fault {
                program.env("FAILPOINTS", fault);
            }
        });
        manager.hears("WATCHDOG=1");
        if lives {
            bot.wait_said("latchkey: ready", LONG).await;
            assert!(manager.pings(QUIET) >= 3, "{:?}", manager.heard);
            continue;
        }
        let late = Instant::now() + LONG;
        while manager.pings(QUIET) > 0 {
            assert!(Instant::now() < late, "{fault:?}: it is fed for ever: {:?}", manager.heard);
        }
    }
}

/// READY is never told by a bot that Discord does not let in.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_cannot_begin_is_never_ready() {
    let setup = Setup::new().await;
    let mut manager = Manager::new(&setup);
    let mut bot = Manager::start(&setup, LONG, |program| {
        program.env("DISCORD_TOKEN", "none.of.theirs");
    });
    assert_eq!(bot.ended(LONG).await.code(), Some(2), "what only the operator can mend: {}", bot.said());
    while manager.next().is_some() {}
    assert!(!manager.heard.iter().any(|told| told.contains("READY=1")), "{:?}", manager.heard);
}
