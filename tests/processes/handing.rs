//! The refresh lock goes from a caller to its child, and callers that wait need no child.

use std::process::{Child, Output};

use latchkey_test_authority::{Endpoint, Reuse};
use rustix::process::{Signal, kill_process};

use crate::flights::{children, flight_of, lets_go_of, pid, waits_for_a_lock};
use crate::host::{Host, LONG, key, printed, said};

fn ended(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    output
}

/// G1, G31: whoever waits for somebody's refresh waits for its lock, has no child, and takes what the refresh brought.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_refresh_starts_none() {
    let host = Host::new();
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let ask = || host.latchkey(&["token", "acme", "--timeout", "50s"]).spawn().unwrap();
    let first = ask();
    assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await);
    let others: Vec<Child> = (0..3).map(|_| ask()).collect();
    for other in &others {
        waits_for_a_lock(other.id());
        assert!(children(other).is_empty(), "it waits by itself");
    }
    assert_eq!(children(&first).len(), 1);
    gate.release();
    let token = printed(&ended(first));
    for other in others {
        assert_eq!(printed(&ended(other)), token);
    }
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0));
}

/// G12: the lock is the refreshing child's alone. When it is killed, the next caller goes on at once, though the caller
/// that took the lock is stopped and lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_refresh_frees_the_lock_that_its_caller_took() {
    let host = Host::new();
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    // Longer than is waited for it below, so that it does not let go by ending.
    let mut caller = host.latchkey(&["token", "acme", "--timeout", "200s"]).spawn().unwrap();
    assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await);
    let flight = flight_of(&caller).unwrap();
    lets_go_of(caller.id(), &format!("{}.lock", key("acme").lock_name()));
    kill_process(pid(caller.id()), Signal::STOP).unwrap();
    kill_process(pid(flight), Signal::KILL).unwrap();
    gate.release();
    let next = host.latchkey(&["token", "acme", "--timeout", "20s"]).output().unwrap();
    kill_process(pid(caller.id()), Signal::CONT).unwrap();
    caller.wait().unwrap();
    assert!(next.status.success(), "{}", said(&next));
    assert!(host.authority.accepts(&printed(&next)));
}
