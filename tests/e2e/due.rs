//! A tenant whose refresh is due: what a bot that starts, and agents that ask, meet on.

use std::time::{Duration, Instant};

use latchkey::binding::Binding;
use latchkey::clock::Clock;
use latchkey::credential::{Credential, CredentialKind};
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::{Store, Touches, update};
use latchkey::tenant::{TenantKey, ThreadId};
use latchkey_test_authority::{CLIENT, Person};

use crate::harness::Setup;

/// What is waited for comes within this time on any machine.
pub const LONG: Duration = Duration::from_mins(1);

fn store(setup: &Setup) -> FileStore {
    setup.open_store()
}

fn tenant() -> TenantKey {
    "acme@1".parse().unwrap()
}

/// A thread of a member whose token has ended, used today: the bot refreshes it as soon as it looks.
pub async fn due(setup: &Setup) {
    let tokens = setup.authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    let (tenant, now) = (tenant(), Clock::system().now());
    let thread: ThreadId = setup.thread("fix-ci").id().to_string().parse().unwrap();
    let mut credential =
        Credential::new(CredentialKind::OAuth, tenant.provider.clone(), Secret::new(&*tokens.access), now);
    credential.refresh_token = Some(Secret::new(&*tokens.refresh));
    credential.expires_at = Some(now - 10);
    credential.obtained_at = Some(now - 3_600);
    credential.last_used_at = Some(now);
    let binding =
        Binding { tenants: [(tenant.provider.clone(), tenant.clone())].into(), ..Binding::default() };
    let touches = Touches::tenant(&tenant).and_thread(&thread);
    update(&store(setup), touches, move |view| {
        view.put_tenant(&tenant, credential);
        view.put_binding(&thread, binding);
        Ok::<_, ()>(())
    })
    .await
    .unwrap()
    .unwrap();
}

/// What is stored of it.
pub fn held(setup: &Setup) -> Credential {
    let document = store(setup).snapshot().unwrap();
    (*document.tenant(&tenant()).unwrap().unwrap()).clone()
}

/// Waits until its refresh is stored.
pub async fn refreshed(setup: &Setup) -> Credential {
    let end = Instant::now() + LONG;
    loop {
        let held = held(setup);
        if held.generation == 2 && held.intent.is_none() {
            return held;
        }
        assert!(Instant::now() < end, "the store is still at {held:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a process sleeps in the kernel for a lock, on a thread of its own.
pub fn waits_for_a_lock(process: u32) {
    let end = Instant::now() + LONG;
    let is_waiting = || {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok())
            .any(|name| name == "latchkey-lock\n")
    };
    while !is_waiting() {
        assert!(Instant::now() < end, "it never waited");
        std::thread::sleep(Duration::from_millis(10));
    }
}
