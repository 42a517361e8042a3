//! Updates that go into one write (F17).

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use latchkey::store::{Store, Touches, update};
use rustix::process::{Signal, kill_process};

use crate::host::key;
use crate::place::{Ground, open, put};
use crate::worker::{Worker, say};

/// A worker's part: with the store lock held, so that they go into one write: a change that is refused, one that panics,
/// and three that are sound. Then a sound one alone.
pub async fn together(file: &Path) {
    let store = open(file);
    let held = File::options().write(true).create(true).truncate(false).open(lock_of(file)).unwrap();
    held.lock().unwrap();
    let bad = key("acme/bad");
    let refused = {
        let bad = bad.clone();
        update(&*store, Touches::tenant(&bad), move |view| {
            view.remove_tenant(&bad);
            Err::<(), _>("refused")
        })
    };
    let panics = update(&*store, Touches::tenant(&bad), |_| -> Result<(), ()> { panic!("a bug") });
    let sound = async {
        let tenants = [key("acme/a"), key("acme/b"), key("acme/c")];
        let puts = tenants.iter().map(|tenant| put(&store, tenant, "new"));
        let mut results = Vec::new();
        for result in futures(puts).await {
            results.push(result.map_or_else(|error| error.to_string(), |()| "stored".to_owned()));
        }
        results
    };
    let release = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(held);
    };
    let (refused, panics, sound, ()) = tokio::join!(refused, panics, sound, release);
    say(&format!("refused: {refused:?}"));
    say(&format!("panics: {:?}", panics.map_err(|error| error.to_string())));
    for result in sound {
        say(&result);
    }
    say(&put(&store, &key("acme/later"), "new")
        .await
        .map_or_else(|e| e.to_string(), |()| "stored".to_owned()));
}

async fn futures<F: Future>(these: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut these: Vec<_> = these.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = these.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, done) in these.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            return std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect());
        }
        std::task::Poll::Pending
    })
    .await
}

fn lock_of(file: &Path) -> PathBuf {
    file.with_file_name("auth.json.lock")
}

fn tokens(ground: &Ground) -> BTreeSet<String> {
    ground.store().snapshot().unwrap().tenants().map(|(key, _)| key.to_string()).collect()
}

/// F17: what is written together fails alone where the fault is its own, and as a whole where it is the disk's.
#[tokio::test]
async fn combined_updates_share_the_write_and_not_one_anothers_faults() {
    combined_updates_share_the_write_and_not_one_anothers_faults_on(Ground::new).await;
}

/// The same, on a host that is sealed or not.
pub async fn combined_updates_share_the_write_and_not_one_anothers_faults_on(new_ground: fn() -> Ground) {
    let panicked = r#"panics: Err("internal error: a change to the store panicked and was dropped")"#;
    let refused = r#"refused: Ok(Err("refused"))"#;

    let ground = new_ground();
    put(&ground.store(), &key("acme/bad"), "old").await.unwrap();
    // One write for the five, and one for the last: a third would die.
    let worker = Worker::start(&ground.file(), "together", "temporary-made=2*off->return(kill)");
    assert_eq!(worker.end(), [refused, panicked, "stored", "stored", "stored", "stored"]);
    let all = ["acme/a", "acme/b", "acme/bad", "acme/c", "acme/later"];
    assert_eq!(tokens(&ground), all.map(str::to_owned).into());

    let ground = new_ground();
    put(&ground.store(), &key("acme/bad"), "old").await.unwrap();
    let worker = Worker::start(&ground.file(), "together", "sync-temporary=1*return(5)->off");
    let said = worker.end();
    let failed = format!(
        "cannot write {}: Input/output error (os error 5); check this disk: the system's log says more",
        ground.file().canonicalize().unwrap().display()
    );
    // What was refused changed nothing; that it heard of the disk is as true.
    assert_eq!(said[1..], [panicked, &failed, &failed, &failed, "stored"], "{said:?}");
    assert_eq!(tokens(&ground), ["acme/bad", "acme/later"].map(str::to_owned).into());
}

/// F17: a writer that panics outside of any change fails those who wait, and the next update is written.
#[tokio::test]
async fn a_writer_that_panics_is_started_anew() {
    for place in ["temporary-written", "renamed", "open-lock"] {
        let ground = Ground::new();
        put(&ground.store(), &key("acme/bad"), "old").await.unwrap();
        let worker = Worker::start(&ground.file(), "together", &format!("{place}=1*panic->off"));
        let said = worker.end();
        let heard = ["Err(WriterPanicked)", "writing the store panicked"];
        assert!(
            heard.iter().any(|heard| said[0].contains(heard) || said[2].contains(heard)),
            "{place}: {said:?}"
        );
        assert_eq!(said[5], "stored", "{place}: {said:?}");
        assert!(tokens(&ground).contains("acme/later"));
        assert_eq!(ground.names(), ["auth.json", "auth.json.lock", "auth.json.locks"], "{place}");
    }
}

/// F17, F3: a writer that is stopped before the file is durable has answered nobody.
#[tokio::test]
async fn nobody_is_answered_while_the_write_is_under_way() {
    let ground = Ground::new();
    put(&ground.store(), &key("acme"), "old").await.unwrap();
    let worker = Worker::start(&ground.file(), "update", "renamed=1*return(stop)->off");
    worker.expect("ready");
    assert_eq!(worker.line_within(Duration::from_millis(500)), None);
    kill_process(worker.pid(), Signal::CONT).unwrap();
    worker.expect("stored");
}
