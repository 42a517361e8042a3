//! The reckoning, once the load has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use latchkey::credential::CredentialState;
use latchkey::secret::TokenHash;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::ThreadId;
use latchkey_test_authority::{Authority, Endpoint, Recorded};

use crate::signing::Bot;
use crate::world::{LENIENT, LOGINS, STRICT, key, lenient, login, strict};
use crate::{LONG, Run};

/// How often a tenant is asked for before its trouble is believed.
const TRIES: u32 = 8;

/// Lets everything come to rest: whoever was killed is followed by a next holder, and the bot ends.
pub async fn settle(run: &Run, bot: &Bot) {
    for tenant in (0..STRICT).map(strict).chain((0..LENIENT).map(lenient)) {
        for _ in 0..TRIES {
            let mut command =
                run.world.latchkey(&["token", &tenant, "--min-valid", "1h", "--timeout", "60s"]);
            let output = tokio::time::timeout(LONG, command.output()).await;
            let Ok(output) = output else {
                run.violations.add(format!("the last call for {tenant} does not end"));
                break;
            };
            if output.unwrap().status.success() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    let folder = run.world.folder();
    let end = Instant::now() + LONG;
    while let Some(left) = process_at(&folder) {
        if Instant::now() > end {
            run.violations.add(format!("a process is left: {left}"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let ended = tokio::time::timeout(LONG, bot.supervisor.shut_down()).await;
    run.violations.check(ended.is_ok(), || "the bot's part does not end".to_owned());
    let left = [
        ("flights", bot.broker.gate().flights()),
        ("locks waited for", bot.store.locks_waited_for()),
        ("workers", bot.supervisor.workers()),
    ];
    for (what, count) in left {
        run.violations.check(count == 0, || format!("{count} {what} are left"));
    }
}

/// A process that works in `folder`, this one apart.
fn process_at(folder: &str) -> Option<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter(|found| found.file_name() != *std::process::id().to_string()).find_map(|found| {
        let line = std::fs::read(found.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(folder).then_some(line)
    })
}

/// Judges what is stored, what the servers saw, and what is left in the folder.
pub async fn verdict(run: &Run) {
    presented_again(run, &run.world.strict, false);
    presented_again(run, &run.world.lenient, true);
    let reuses = run.world.strict.reuses();
    run.violations.check(reuses == 0, || format!("{reuses} times reuse at the strict server"));
    let mut unsettled = BTreeSet::new();
    for tenant in (0..STRICT).map(strict) {
        unsettled.extend(stored(run, &tenant, true));
        rotations(run, &tenant);
    }
    for tenant in (0..LENIENT).map(lenient) {
        unsettled.extend(stored(run, &tenant, true));
    }
    for tenant in (0..LOGINS).map(login) {
        unsettled.extend(stored(run, &tenant, false));
    }
    folder(run, &unsettled).await;
    let snapshot = run.world.store().snapshot();
    let damaged = snapshot.map(|document| (document.damaged().len(), document.logins().count()));
    let whole = matches!(damaged, Ok((0, logins)) if logins <= LOGINS as usize);
    run.violations.check(whole, || format!("the file is damaged or grows: {damaged:?}"));
}

/// A refresh token that was answered with another is presented again only if its answer or its sender was lost.
fn presented_again(run: &Run, server: &Authority, may_be_lost: bool) {
    let mut by_token: BTreeMap<(String, String), Vec<Recorded>> = BTreeMap::new();
    for request in server.requests_to(Endpoint::Token) {
        if let (Some(client), Some(token)) = (request.field("client_id"), request.field("refresh_token")) {
            by_token.entry((client.to_owned(), token.to_owned())).or_default().push(request);
        }
    }
    for ((tenant, _), presented) in by_token {
        for pair in presented.windows(2) {
            let rotated = pair[0].status() == Some(200);
            let explained = may_be_lost && run.kills.explain(&tenant, pair[0].at, pair[1].at);
            run.violations.check(!rotated || explained, || {
                format!(
                    "a refresh token of {tenant} was presented again though nothing was lost: {:?}",
                    pair[0].at
                )
            });
        }
    }
}

/// What is stored for a tenant is the server's live one. Gives the tenant back if its last refresh is not settled.
fn stored(run: &Run, tenant: &str, must_be_there: bool) -> Option<String> {
    let Some(held) = run.world.stored(tenant) else {
        run.violations.check(!must_be_there, || format!("{tenant} is gone"));
        return None;
    };
    let (state, open) = (held.state, held.open_intent().is_some());
    run.violations.check(state != CredentialState::NeedsLogin, || {
        format!("{tenant} needs a sign-in: {:?}", held.last_error)
    });
    // Whatever became of its last request, a strict server has rotated nothing that was lost.
    if !tenant.starts_with('f') || (state == CredentialState::Ok && !open) {
        let live =
            held.refresh_token.is_some_and(|token| run.world.server_of(tenant).would_refresh(token.expose()));
        run.violations.check(live, || format!("what is stored for {tenant} is not the server's live one"));
    }
    (open || state != CredentialState::Ok).then(|| tenant.to_owned())
}

/// Each rotation of a strict tenant was stored, once.
fn rotations(run: &Run, tenant: &str) {
    let requests = run.world.strict.requests_to(Endpoint::Token);
    let rotated = requests.iter().filter(|request| {
        request.field("client_id") == Some(tenant)
            && request.field("grant_type") == Some("refresh_token")
            && request.status() == Some(200)
    });
    let rotated = rotated.count() as u64;
    let generation = run.world.stored(tenant).map(|held| held.generation);
    run.violations.check(generation == Some(rotated + 1), || {
        format!("{tenant} was rotated {rotated} times and is at generation {generation:?}")
    });
}

/// The folder holds the file, its locks by key, and nothing that a next holder should have cleared.
async fn folder(run: &Run, unsettled: &BTreeSet<String>) {
    // What killed writers left goes with the first write of the next process.
    let (store, thread) = (run.world.store(), ThreadId::from(9));
    let touches = Touches::thread(&thread);
    let written = update(&*store, touches, move |view| {
        let binding = view.binding(&thread).unwrap();
        view.put_binding(&thread, binding);
        Ok::<_, ()>(())
    });
    run.violations.check(written.await.is_ok(), || "the store cannot be written".to_owned());
    let file = run.world.auth.file_name().unwrap().to_string_lossy().into_owned();
    let names = |folder: &std::path::Path| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let expected = [file.clone(), format!("{file}.lock"), format!("{file}.locks")];
    let beside: Vec<_> =
        names(run.world.auth.parent().unwrap()).into_iter().filter(|name| !expected.contains(name)).collect();
    run.violations.check(beside.is_empty(), || format!("left beside the file: {beside:?}"));

    let tenants: Vec<String> =
        (0..STRICT).map(strict).chain((0..LENIENT).map(lenient)).chain((0..LOGINS).map(login)).collect();
    let mut allowed: BTreeSet<String> = ["store_id", "turnstile.lock"].map(str::to_owned).into();
    for tenant in &tenants {
        let name = key(tenant).lock_name();
        allowed.insert(format!("{name}.lock"));
        if unsettled.contains(tenant) {
            allowed.insert(format!("{name}.rescue"));
        }
    }
    for number in 0..LOGINS {
        let text = format!("login\0{}\0{}", number + 1_000, login(number));
        allowed.insert(format!("{}.lock", TokenHash::of(&text)));
    }
    let locks = run.world.auth.with_file_name(format!("{file}.locks"));
    let left: Vec<_> = names(&locks).into_iter().filter(|name| !allowed.contains(name)).collect();
    run.violations.check(left.is_empty(), || format!("left in the lock folder: {left:?}"));
}
