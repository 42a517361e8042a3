//! A one-shot refresh that is interrupted: nothing that was rotated is lost.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use latchkey_test_authority::{Endpoint, Gate, Reuse};
use rustix::process::{Signal, kill_process, kill_process_group};

use crate::flights::{flight_of, pid};
use crate::host::{Host, LONG, printed, said};

/// Starts `latchkey token` in a process group of its own, and waits until its refresh has reached the server.
async fn refreshing(host: &Host, gate: &Gate) -> Child {
    let child = host.latchkey(&["token", "acme", "--timeout", "50s"]).process_group(0).spawn().unwrap();
    assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await, "the refresh never came");
    child
}

pub fn wait(child: &mut Child) -> std::process::ExitStatus {
    let end = Instant::now() + LONG;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

/// G29: what the terminal sends to the whole group ends the caller, not the exchange.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_the_group_ends_the_wait_and_not_the_exchange() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let host = Host::new();
        host.expired("acme").await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let mut child = refreshing(&host, &gate).await;
        kill_process_group(pid(child.id()), signal).unwrap();
        assert!(!wait(&mut child).success(), "{signal:?} ends the caller");
        gate.release();
        let held = host.eventually("acme", |held| held.generation == 2);
        assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()), "{signal:?}");
        assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
    }
}

/// G29: also when the refreshing process itself is told to end, by a service manager that ends all it knows of.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_the_refreshing_process_waits_for_the_save() {
    let host = Host::new();
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let mut child = refreshing(&host, &gate).await;
    let flight = flight_of(&child).unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        kill_process(pid(flight), signal).unwrap();
    }
    gate.release();
    assert!(wait(&mut child).success());
    assert_eq!(host.stored("acme").unwrap().generation, 2);
}

/// G29: nobody reads any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_loses_nothing() {
    let host = Host::new();
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let mut child = refreshing(&host, &gate).await;
    drop(child.stdout.take());
    drop(child.stderr.take());
    gate.release();
    wait(&mut child);
    assert_eq!(host.eventually("acme", |held| held.generation == 2).failures, 0);
}

/// G12, G19, G20: the refreshing process dies in the middle. Its lock is free at once, and the next caller makes the one
/// more try that is allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_refresh_is_followed_by_one_more_try() {
    let host = Host::new();
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let mut child = refreshing(&host, &gate).await;
    kill_process(pid(flight_of(&child).unwrap()), Signal::KILL).unwrap();
    assert_eq!(wait(&mut child).code(), Some(1));
    gate.release();
    let started = Instant::now();
    let output = host.latchkey(&["token", "acme"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(host.authority.accepts(&printed(&output)));
    assert!(started.elapsed() < Duration::from_secs(10), "within the ordinary bound");
    assert_eq!(host.authority.refreshes(), 2);
    assert_eq!(host.stored("acme").unwrap().intent, None);
}

/// G10, G31: a caller's deadline ends its wait and names who refreshes, stopped or not; the refresh goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_names_the_holder_and_never_overtakes_it() {
    let host = Host::new();
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let mut child = refreshing(&host, &gate).await;
    let flight = flight_of(&child).unwrap();
    let late = host.latchkey(&["token", "acme", "--timeout", "500ms"]).output().unwrap();
    assert_eq!((late.status.code(), printed(&late).as_str()), (Some(4), ""));
    assert!(said(&late).contains(&format!("process {flight} is refreshing it")), "{}", said(&late));

    kill_process(pid(flight), Signal::STOP).unwrap();
    let late = host.latchkey(&["token", "acme", "--timeout", "500ms"]).output().unwrap();
    assert!(said(&late).contains(&format!("is stopped: `kill -CONT {flight}`")), "{}", said(&late));
    kill_process(pid(flight), Signal::CONT).unwrap();
    gate.release();
    assert!(wait(&mut child).success());
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G29: standard output gets the token or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_printed_when_output_is_closed_from_the_start() {
    let host = Host::new();
    host.serving("acme").await;
    let mut command = host.latchkey(&["token", "acme"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let status = wait(&mut child);
    assert!(matches!(status.code(), Some(0 | 1)), "{status:?}: no panic, no hang");
}
