//! A logout, a newer sign-in, an import, in the middle of a refresh or after it was cut short: whoever came later wins, and
//! what the refresh brought is dropped and, where that ends nothing else, ended at the provider too.

mod act;

use std::process::Output;

use latchkey::gate::{TokenError, Want};
use latchkey::secret::Secret;
use latchkey_test_authority::{Endpoint, Revocation, TokenSet};

pub use self::act::{Act, TENANT, alive, arrived, host, minted, put};
use crate::host::{Host, LONG, key, printed, said};

/// What must stand there in the end: what the act left, untouched by the refresh.
fn assert_won(act: Act, host: &Host, newer: Option<&TokenSet>) {
    let held = host.stored(TENANT);
    let refresh = held.and_then(|held| held.refresh_token);
    assert_eq!(
        refresh.map(|token| token.expose().to_owned()),
        newer.map(|newer| newer.refresh.clone()),
        "{act:?}"
    );
    assert_eq!((host.authority.refreshes(), host.authority.reuses()), (1, 0), "{act:?}");
}

/// What a program that asks, or has been asking, is told.
fn assert_told(act: Act, output: &Output, newer: Option<&TokenSet>) {
    let told = (output.status.code(), printed(output));
    let Some(newer) = newer else {
        assert_eq!(told, (Some(3), String::new()), "{act:?}");
        let text = said(output);
        return assert!(text.contains("or /auth login in Discord"), "{act:?}: {text}");
    };
    assert_eq!(told, (Some(0), newer.access.clone()), "{act:?}: {}", said(output));
}

/// Waits until only what the act left lives at the provider: `Some` of what it left, and nothing else.
async fn assert_nothing_forgotten(act: Act, host: &Host, newer: Option<&TokenSet>) {
    let expected: Vec<_> = newer.iter().map(|newer| newer.refresh.clone()).collect();
    // Minted beside the sign-in, to have its shape; nobody was given it.
    let spare = usize::from(act == Act::SignInAgain);
    let ended = host.authority.eventually(LONG, |_| {
        let alive = alive(host);
        alive.len() == expected.len() + spare && expected.iter().all(|token| alive.contains(token))
    });
    assert!(ended.await, "{act:?}: these live: {:?}, expected {expected:?}", alive(host));
}

/// G22, I8, T12, C4: while `latchkey token` waits for the provider's reply.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_the_middle_of_a_refresh_wins() {
    for act in Act::ALL {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let waiting = host.latchkey(&["token", TENANT, "--timeout", "50s"]).spawn().unwrap();
        arrived(&host, &gate).await;
        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        gate.release();
        let output = waiting.wait_with_output().unwrap();
        assert_told(act, &output, newer.as_ref());
        broker.drain().await;
        assert_won(act, &host, newer.as_ref());
        assert_nothing_forgotten(act, &host, newer.as_ref()).await;
    }
}

/// G22, I8, T12, C4: the same while the bot refreshes, which has nobody who waits for it but its own callers.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_the_middle_of_the_bots_refresh_wins() {
    for act in Act::ALL {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let bot = host.broker();
        let waiting = tokio::spawn({
            let bot = bot.clone();
            async move { bot.token(&key(TENANT), Want::default(), LONG).await }
        });
        arrived(&host, &gate).await;
        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        gate.release();
        let landed = waiting.await.unwrap();
        match &newer {
            Some(newer) => assert_eq!(landed.unwrap().access_token.expose(), newer.access, "{act:?}"),
            None => assert!(matches!(landed, Err(TokenError::NeverSignedIn { .. })), "{act:?}: {landed:?}"),
        }
        bot.drain().await;
        broker.drain().await;
        assert_won(act, &host, newer.as_ref());
        assert_nothing_forgotten(act, &host, newer.as_ref()).await;
    }
}

/// G12, G20, G22: the refreshing process dies as soon as it has its reply. Nobody repeats what it sent for a credential that
/// stands there no more.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_refreshing_process_died_wins() {
    for act in Act::ALL {
        let host = host().await;
        let gate = host.authority.hold_reply(Endpoint::Token);
        let mut command = host.latchkey(&["token", TENANT, "--timeout", "50s"]);
        let dying = command.env("FAILPOINTS", "after-reply=return(kill)").spawn().unwrap();
        arrived(&host, &gate).await;
        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        gate.release();
        let output = dying.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), printed(&output)),
            (Some(1), String::new()),
            "{act:?}: {}",
            said(&output)
        );
        broker.drain().await;
        let next = host.latchkey(&["token", TENANT]).output().unwrap();
        assert_told(act, &next, newer.as_ref());
        assert_won(act, &host, newer.as_ref());
    }
}

fn rescue_files(host: &Host) -> usize {
    let locks = std::fs::read_dir(host.auth.with_file_name("auth.json.locks")).unwrap();
    locks.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".rescue")).count()
}

/// G21, G22, T12: the disk was full at the save, the rotated tokens were kept aside, and the process died. Whatever came
/// before the next holder of the lock looks, what was kept aside does not come back; it is ended at the provider.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_aside_never_replaces_what_came_since() {
    for act in Act::ALL {
        let host = host().await;
        let mut command = host.latchkey(&["token", TENANT]);
        // The first write is the intent.
        let faults = "write-temporary=1*off->return(28);after-rescue=return(kill)";
        let output = command.env("FAILPOINTS", faults).output().unwrap();
        assert_eq!((output.status.code(), printed(&output)), (Some(1), String::new()), "{}", said(&output));
        assert_eq!((host.authority.refreshes(), rescue_files(&host)), (1, 1), "{act:?}");
        assert_eq!((host.stored(TENANT).unwrap().generation, alive(&host).len()), (3, 1), "{act:?}");

        let broker = host.broker();
        let newer = act.done(&host, &broker).await;
        broker.drain().await;
        let next = host.latchkey(&["token", TENANT]).output().unwrap();
        assert_told(act, &next, newer.as_ref());
        assert_won(act, &host, newer.as_ref());
        let Some(newer) = newer else {
            assert_eq!(rescue_files(&host), 0, "{act:?}: a logout sees to it at once");
            assert_nothing_forgotten(act, &host, None).await;
            continue;
        };
        // Whoever refreshes next takes the lock, and finds it.
        let (id, generation) = host.stored(TENANT).unwrap().version();
        let hash = Secret::new(&*newer.access).hash().to_string();
        let forced = host.latchkey(&["token", TENANT, "--rejected-sha256", &hash]).output().unwrap();
        assert!(forced.status.success(), "{act:?}: {}", said(&forced));
        let held = host.stored(TENANT).unwrap();
        assert_eq!(
            held.version(),
            (id, generation + 1),
            "{act:?}: it is the newer sign-in that was refreshed"
        );
        assert_eq!(
            (host.authority.refreshes(), host.authority.reuses(), rescue_files(&host)),
            (2, 0, 0),
            "{act:?}"
        );
        let rotated = TokenSet { refresh: held.refresh_token.unwrap().expose().to_owned(), ..newer };
        assert_nothing_forgotten(act, &host, Some(&rotated)).await;
    }
}

/// T12, G22: where a token may take its whole grant with it, what a refresh brought too late is dropped and not ended, as
/// long as the same account is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_end_the_newer_sign_in_is_dropped_and_not_revoked() {
    let host = host().await;
    host.authority.set(|settings| settings.revocation = Revocation::PersonAndClient);
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, config.replace("revocation = \"token\"", "revocation = \"grant\"")).unwrap();
    let gate = host.authority.hold_reply(Endpoint::Token);
    let waiting = host.latchkey(&["token", TENANT, "--timeout", "50s"]).spawn().unwrap();
    arrived(&host, &gate).await;
    let newer = Act::SignInAgain.done(&host, &host.broker()).await;
    gate.release();
    assert_told(Act::SignInAgain, &waiting.wait_with_output().unwrap(), newer.as_ref());
    assert_eq!(host.authority.revocations(), 0);
    assert!(host.authority.would_refresh(&newer.unwrap().refresh), "it would be gone");
}
