//! Signals that come at any step of a refresh: those that end a program lose nothing, and one that stops it is waited for.
//!
//! The faults of `latchkey::fault` raise the signal in the refreshing process itself, at the step, so that no race decides
//! where it comes.

use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use latchkey::fault::Step;
use latchkey::store::Store;
use latchkey_test_authority::Reuse;
use rustix::process::{Signal, kill_process};

use crate::flights::{flight_of, is_stopped, pid};
use crate::host::{Host, LONG, key, printed, said};
use crate::interrupted::wait;

async fn run(command: Command) -> Output {
    let mut command = tokio::process::Command::from(command);
    tokio::time::timeout(LONG, command.kill_on_drop(true).output()).await.unwrap().unwrap()
}

/// G29: a signal at each step, all in one refresh, those of the two writes twice.
#[tokio::test(flavor = "multi_thread")]
async fn signals_at_every_step_lose_nothing() {
    for signal in ["INT", "TERM", "HUP", "QUIT", "PIPE"] {
        let host = Host::new();
        host.expired("acme").await;
        host.used_today("acme").await;
        let faults: Vec<_> = Step::ALL.map(|step| format!("{}=return({signal})", step.name())).into();
        let mut command = host.latchkey(&["token", "acme"]);
        command.env("FAILPOINTS", faults.join(";"));
        let output = run(command).await;
        assert!(output.status.success(), "{signal}: {:?}: {}", output.status, said(&output));
        assert!(host.authority.accepts(&printed(&output)), "{signal}");
        let held = host.stored("acme").unwrap();
        assert_eq!((held.generation, held.intent), (2, None), "{signal}");
        assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()), "{signal}");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{signal}");
    }
}

/// Where a process is stopped with the tenant's lock in its hands, and whether what it got is to be seen in the store.
const STOPS: [(&str, bool); 14] = [
    ("with-lock=1*return(stop)", false),
    ("after-room=1*return(stop)", false),
    ("temporary-made=1*return(stop)", false),
    ("temporary-durable=1*return(stop)", false),
    ("renamed=1*return(stop)", false),
    ("after-intent=1*return(stop)", false),
    ("after-reply=1*return(stop)", false),
    ("temporary-made=1*off->1*return(stop)", false),
    ("temporary-written=1*off->1*return(stop)", false),
    ("temporary-durable=1*off->1*return(stop)", false),
    ("renamed=1*off->1*return(stop)", true),
    ("replaced=1*off->1*return(stop)", true),
    ("after-save=1*return(stop)", true),
    ("after-publish=1*return(stop)", true),
];

/// A `latchkey token` whose refreshing child has stopped. The host ends both with the test.
struct Stopped {
    child: Child,
    flight: u32,
}

impl Stopped {
    /// Waits until the refresh has stopped at `fault`.
    fn at(host: &Host, fault: &str) -> Self {
        let mut command = host.latchkey(&["token", "acme", "--timeout", "100s"]);
        let mut stopped = Self { child: command.env("FAILPOINTS", fault).spawn().unwrap(), flight: 0 };
        let end = Instant::now() + LONG;
        while !is_stopped(stopped.flight) {
            assert!(Instant::now() < end, "it never stopped at {fault}");
            std::thread::sleep(Duration::from_millis(10));
            stopped.flight = flight_of(&stopped.child).unwrap_or(0);
        }
        stopped
    }
}

fn signal(process: u32, signal: Signal) {
    kill_process(pid(process), signal).unwrap();
}

/// G31, G28, G21, G10: whoever comes names it in the time-out, and sends nothing. When it goes on, all is as if it had never stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_holder_is_named_waited_for_and_never_overtaken() {
    for (fault, stored) in STOPS {
        let host = Host::new();
        host.expired("acme").await;
        host.used_today("acme").await;
        let mut stopped = Stopped::at(&host, fault);
        let sent = host.authority.refreshes();
        let late = run(host.latchkey(&["token", "acme", "--timeout", "500ms"])).await;
        if stored {
            assert!(host.authority.accepts(&printed(&late)), "{fault}: {}", said(&late));
        } else {
            assert_eq!((late.status.code(), printed(&late).as_str()), (Some(4), ""), "{fault}");
            let named = format!("is stopped: `kill -CONT {}`", stopped.flight);
            assert!(said(&late).contains(&named), "{fault}: {}", said(&late));
        }
        let lock = host.store().refresh_lock(&key("acme"), Duration::from_millis(100)).await;
        assert!(lock.is_err(), "{fault}: the lock is let go after all else");
        assert_eq!(host.authority.refreshes(), sent, "{fault}: nobody overtakes it");
        signal(stopped.flight, Signal::CONT);
        assert!(wait(&mut stopped.child).success(), "{fault}");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{fault}");
        assert_eq!(host.stored("acme").unwrap().generation, 2, "{fault}");
    }
}

/// G12, G31: one that is stopped and then killed is followed at once by those who wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_holder_that_is_killed_is_followed() {
    for (fault, stored) in STOPS {
        let host = Host::new();
        host.authority.set(|settings| settings.reuse = Reuse::Lenient);
        host.expired("acme").await;
        host.used_today("acme").await;
        let mut stopped = Stopped::at(&host, fault);
        let waiting = tokio::spawn(run(host.latchkey(&["token", "acme", "--timeout", "50s"])));
        signal(stopped.flight, Signal::KILL);
        let output = waiting.await.unwrap();
        assert!(output.status.success(), "{fault}: {}", said(&output));
        assert!(host.authority.accepts(&printed(&output)), "{fault}");
        assert!(host.authority.refreshes() <= 2, "{fault}");
        assert!(!stored || host.authority.refreshes() == 1, "{fault}");
        wait(&mut stopped.child);
    }
}
