//! A refreshing process that dies at any of its steps: its lock is free at once, the file is whole, and whoever comes next
//! makes at most one more try.
//!
//! The steps are those of `latchkey::fault`. What a dead process leaves is of three kinds, and the strict server tells them
//! apart: nothing was sent; the answer is durable; the token was rotated and the answer is lost. Only the last costs
//! anything: a second presentation, which a lenient server answers and a strict one takes for theft.

use std::process::{Child, Output};

use latchkey::credential::CredentialState;
use latchkey_test_authority::{Endpoint, Reuse};
use rustix::process::{Signal, kill_process};

use crate::flights::{flight_of, pid, waits_for_a_lock};
use crate::host::{Host, LONG, printed, said};

/// What a process leaves that died at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The provider knows nothing of it.
    NothingSent,
    /// The refresh token was rotated, and what came for it is gone.
    AnswerLost,
    /// The new tokens are stored.
    Stored,
}

/// Every step of a refresh at which its process can die, in the order in which they come. A refresh writes the store
/// twice: its intent, then what came of it.
const DEATHS: [(&str, Left); 18] = [
    ("before-lock=return(kill)", Left::NothingSent),
    ("with-lock=return(kill)", Left::NothingSent),
    ("after-room=return(kill)", Left::NothingSent),
    ("temporary-made=return(kill)", Left::NothingSent),
    ("temporary-written=return(kill)", Left::NothingSent),
    ("temporary-durable=return(kill)", Left::NothingSent),
    ("renamed=return(kill)", Left::NothingSent),
    ("replaced=return(kill)", Left::NothingSent),
    ("after-intent=return(kill)", Left::NothingSent),
    ("after-reply=return(kill)", Left::AnswerLost),
    ("temporary-made=1*off->return(kill)", Left::AnswerLost),
    ("temporary-written=1*off->return(kill)", Left::AnswerLost),
    ("temporary-durable=1*off->return(kill)", Left::AnswerLost),
    ("renamed=1*off->return(kill)", Left::Stored),
    ("replaced=1*off->return(kill)", Left::Stored),
    ("after-save=return(kill)", Left::Stored),
    ("after-publish=return(kill)", Left::Stored),
    // The disk refuses the save, the room takes it: as good as stored.
    ("write-temporary=1*off->return(28);after-rescue=return(kill)", Left::Stored),
];

async fn token_with(host: &Host, faults: Option<&str>) -> Output {
    let mut command = host.latchkey(&["token", "acme"]);
    if let Some(faults) = faults {
        command.env("FAILPOINTS", faults);
    }
    let mut command = tokio::process::Command::from(command);
    tokio::time::timeout(LONG, command.kill_on_drop(true).output()).await.unwrap().unwrap()
}

/// What stands beside the auth file although nobody works on it.
fn leftovers(host: &Host) -> Vec<String> {
    let folder = host.auth.parent().unwrap();
    let listed = |path: &std::path::Path| {
        let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    let all = listed(folder).into_iter().chain(listed(&folder.join("auth.json.locks")));
    all.filter(|name| name.contains(".new-") || name.ends_with(".rescue")).collect()
}

/// Dies at `faults`, and has another process come after. Gives that one's end.
async fn dies_and_is_followed(host: &Host, faults: &str, left: Left) -> Output {
    let dead = token_with(host, Some(faults)).await;
    assert_eq!((dead.status.code(), printed(&dead).as_str()), (Some(1), ""), "{faults}: {}", said(&dead));
    assert!(said(&dead).contains("broke off (signal: 9"), "{faults}: {}", said(&dead));
    let sent = usize::from(left != Left::NothingSent);
    assert_eq!(host.authority.refreshes(), sent, "{faults}");
    // F8: whole, although nobody has looked after it since.
    assert!(host.stored("acme").is_some(), "{faults}");
    token_with(host, None).await
}

/// G12, G19, G20, G21, F8: whatever was lost is made good by one more try, where the provider lets it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_a_dead_process_gets_a_token_with_at_most_one_more_try() {
    whoever_follows_a_dead_process_gets_a_token_with_at_most_one_more_try_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn whoever_follows_a_dead_process_gets_a_token_with_at_most_one_more_try_on(
    new_host: fn() -> Host,
) {
    for (faults, left) in DEATHS {
        let host = new_host();
        host.authority.set(|settings| settings.reuse = Reuse::Lenient);
        host.expired("acme").await;
        let output = dies_and_is_followed(&host, faults, left).await;
        assert!(output.status.success(), "{faults}: {}", said(&output));
        assert!(host.authority.accepts(&printed(&output)), "{faults}");
        let tries = if left == Left::AnswerLost { 2 } else { 1 };
        assert_eq!(host.authority.refreshes(), tries, "{faults}");
        let held = host.stored("acme").unwrap();
        assert_eq!((held.state, held.intent, held.generation), (CredentialState::Ok, None, 2), "{faults}");
        assert!(host.authority.would_refresh(held.refresh_token.unwrap().expose()), "{faults}");

        // The room of a process that died with everything stored stays until the tenant's next refresh.
        let hash = held.access_token.hash().to_string();
        let next = host.latchkey(&["token", "acme", "--rejected-sha256", &hash]).output().unwrap();
        assert!(next.status.success(), "{faults}: {}", said(&next));
        assert_eq!((host.authority.refreshes(), host.stored("acme").unwrap().generation), (tries + 1, 3));
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{faults}");
    }
}

/// G19, G20: a server that takes the one more try for theft ends the sign-in; nobody tries a third time, and people are
/// told. Where nothing was lost, it sees no second use at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_strict_server_sees_a_second_use_only_where_an_answer_was_lost() {
    a_strict_server_sees_a_second_use_only_where_an_answer_was_lost_on(Host::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn a_strict_server_sees_a_second_use_only_where_an_answer_was_lost_on(new_host: fn() -> Host) {
    for (faults, left) in DEATHS {
        let host = new_host();
        host.expired("acme").await;
        let output = dies_and_is_followed(&host, faults, left).await;
        if left == Left::AnswerLost {
            assert_eq!(output.status.code(), Some(3), "{faults}: {}", said(&output));
            assert_eq!(token_with(&host, None).await.status.code(), Some(3), "{faults}");
            assert_eq!((host.authority.refreshes(), host.authority.reuses()), (2, 1), "{faults}");
            assert_eq!(host.stored("acme").unwrap().state, CredentialState::NeedsLogin, "{faults}");
        } else {
            assert!(output.status.success(), "{faults}: {}", said(&output));
            assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{faults}");
        }
    }
}

/// G19, G20: also when one after the other dies with the answer: two tries in all, then a back-off that is written down.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_die_with_the_answer_make_no_third_try() {
    let host = Host::new();
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    host.expired("acme").await;
    for _ in 0..2 {
        assert_eq!(token_with(&host, Some("after-reply=return(kill)")).await.status.code(), Some(1));
    }
    for _ in 0..2 {
        let output = token_with(&host, None).await;
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    }
    assert_eq!(host.authority.refreshes(), 2);
    let held = host.stored("acme").unwrap();
    assert_eq!(held.state, CredentialState::Uncertain);
    assert!(held.retry_at.is_some());
}

/// G12: those who wait get the lock in the moment in which its holder dies, not at a time-out.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_go_on_when_the_holder_dies() {
    let host = Host::new();
    host.authority.set(|settings| settings.reuse = Reuse::Lenient);
    host.expired("acme").await;
    let gate = host.authority.hold_reply(Endpoint::Token);
    let mut first = host.latchkey(&["token", "acme"]).spawn().unwrap();
    assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await);
    let ask = |_| host.latchkey(&["token", "acme", "--timeout", "50s"]).spawn().unwrap();
    let waiting: Vec<Child> = (0..5).map(ask).collect();
    for caller in &waiting {
        waits_for_a_lock(caller.id());
    }
    let flight = flight_of(&first).unwrap();
    kill_process(pid(flight), Signal::KILL).unwrap();
    gate.release();
    let outputs = waiting.into_iter().map(|caller| caller.wait_with_output().unwrap());
    let mut tokens: Vec<_> = outputs.map(|output| printed(&output)).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert!(host.authority.accepts(&tokens[0]));
    assert_eq!(host.authority.refreshes(), 2);
    first.wait().unwrap();
}
