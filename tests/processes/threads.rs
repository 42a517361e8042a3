//! One process a Discord thread: each gets the token of its own thread, from the file and over the socket.

use std::process::{Command, Stdio};

use latchkey::binding::Binding;
use latchkey::store::{Touches, update};
use latchkey::tenant::ThreadId;

use crate::host::{Host, key, printed, said};
use crate::sockets::{Listener, Manner, token};

const THREADS: [(&str, &str); 2] = [("1001", "acme@1"), ("1002", "acme@2")];

impl Host {
    async fn binds(&self, thread: &str, tenant: &str) {
        let (thread, tenant): (ThreadId, _) = (thread.parse().unwrap(), key(tenant));
        let touches = Touches::thread(&thread);
        update(&*self.store(), touches, move |view| {
            let mut binding: Binding = view.binding(&thread).unwrap();
            binding.tenants.insert(tenant.provider.clone(), tenant);
            view.put_binding(&thread, binding);
            Ok::<_, ()>(())
        })
        .await
        .unwrap()
        .unwrap();
    }
}

/// Both programs, where a thread's process would call them.
fn programs(host: &Host) -> [Command; 2] {
    let mut small = Command::new(env!("CARGO_BIN_EXE_latchkey-token"));
    small.arg("--config").arg(&host.config).env_remove("FAILPOINTS");
    small.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    [host.latchkey(&["token"]), small]
}

fn run(
    mut program: Command,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (Option<i32>, String, String) {
    let run = || program.args(arguments).envs(environment.iter().copied()).output().unwrap();
    let output = tokio::task::block_in_place(run);
    (output.status.code(), printed(&output), said(&output))
}

/// Two members, one provider, two threads: each process has its own thread's token, by variable or by option, and a thread of
/// neither has the shared one.
#[tokio::test(flavor = "multi_thread")]
async fn each_thread_gets_its_own_token() {
    let host = Host::new();
    let shared = host.serving("acme").await.access;
    let mut expected = vec![("1003", shared.clone())];
    for (thread, tenant) in THREADS {
        expected.push((thread, host.serving(tenant).await.access));
        host.binds(thread, tenant).await;
        host.used_today(tenant).await;
    }
    host.used_today("acme").await;
    for (thread, token) in &expected {
        for program in programs(&host) {
            let (code, printed, said) = run(program, &["acme"], &[("LATCHKEY_THREAD", thread)]);
            assert_eq!((code, &printed), (Some(0), token), "{thread}");
            // Its channel might be bound, and nobody here knows it.
            let misses = "which channel thread 1003 hangs from is not known here";
            assert_eq!(
                said.contains(misses) && said.contains("acme serves; name it by --parent"),
                *thread == "1003",
                "{said}"
            );
            assert_eq!(said.lines().count(), usize::from(*thread == "1003"), "{said}");
        }
        for program in programs(&host) {
            // The option wins.
            let by_option = run(program, &["acme", "--thread", thread], &[("LATCHKEY_THREAD", "1001")]);
            assert_eq!(by_option.1, *token, "{thread}");
        }
    }
    for program in programs(&host) {
        let with_channel =
            run(program, &["acme"], &[("LATCHKEY_THREAD", "1003"), ("LATCHKEY_PARENT", "2000")]);
        assert_eq!(with_channel, (Some(0), shared.clone(), String::new()));
    }
    for program in programs(&host) {
        assert_eq!(
            run(program, &["acme"], &[("LATCHKEY_THREAD", "")]).1,
            shared,
            "set to nothing is not set"
        );
    }
    for program in programs(&host) {
        let (code, printed, said) = run(program, &["acme"], &[("LATCHKEY_THREAD", "here")]);
        assert_eq!((code, printed.as_str()), (Some(2), ""));
        assert!(said.contains("LATCHKEY_THREAD is no Discord id"), "{said}");
    }
}

/// The channel counts where the thread has no binding, and only for the thread that it was named with; where nothing serves, the
/// candidates are named.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_without_a_binding_has_that_of_its_channel() {
    let host = Host::new();
    let (own, above) = (host.serving("acme@1").await.access, host.serving("acme@2").await.access);
    host.binds("1001", "acme@1").await;
    host.binds("2000", "acme@2").await;
    for tenant in ["acme@1", "acme@2"] {
        host.used_today(tenant).await;
    }
    let of_agent = [("LATCHKEY_THREAD", "1005"), ("LATCHKEY_PARENT", "2000")];
    for (arguments, environment, expected) in [
        (&["acme"][..], &of_agent[..], Some(&above)),
        (&["acme", "--thread", "1005", "--parent", "2000"], &[], Some(&above)),
        (&["acme", "--thread", "1001", "--parent", "2000"], &[], Some(&own)),
        (&["acme", "--thread", "1006"], &of_agent, None),
        (&["acme", "--parent", "2001"], &of_agent, None),
    ] {
        for program in programs(&host) {
            let (code, printed, said) = run(program, arguments, environment);
            if let Some(token) = expected {
                assert_eq!((code, &printed), (Some(0), token), "{arguments:?}: {said}");
            } else {
                assert_eq!((code, printed.as_str()), (Some(3), ""), "{arguments:?}");
                assert!(
                    said.contains("name one of these, or bind the thread to it: acme@1, acme@2"),
                    "{said}"
                );
            }
        }
    }
}

/// The bot knows which channel a thread hangs from. It is asked only where that decides.
#[tokio::test(flavor = "multi_thread")]
async fn the_bot_is_asked_for_the_channel_where_only_it_knows() {
    let host = Host::new();
    let (shared, own, above) =
        (host.serving("acme").await, host.serving("acme@1").await, host.serving("acme@2").await);
    host.binds("1001", "acme@1").await;
    host.binds("2000", "acme@2").await;
    for tenant in ["acme", "acme@1", "acme@2"] {
        host.used_today(tenant).await;
    }
    let no_bot = |program| run(program, &["acme", "--thread", "1005"], &[]);
    for program in programs(&host) {
        assert_eq!(no_bot(program).1, shared.access);
    }
    host.knows_the_socket();
    {
        let _serving = host.serves(Some("2000")).await;
        for program in programs(&host) {
            assert_eq!(
                run(program, &["acme", "--thread", "1005"], &[]),
                (Some(0), above.access.clone(), String::new())
            );
        }
    }
    let listener = Listener::at(&host.socket(), &host.store_id(), &Manner::bot(&token("at-of-the-bot")));
    for (arguments, expected) in [
        (&["acme", "--thread", "1001"][..], &own.access),
        (&["acme", "--thread", "1005", "--parent", "2000"], &above.access),
        (&["acme", "--thread", "1005", "--parent", "2001"], &shared.access),
        (&["acme", "--thread", "1005", "--user", "1"], &own.access),
        (&["acme@1", "--thread", "1005"], &own.access),
        (&["acme"], &shared.access),
    ] {
        for program in programs(&host) {
            assert_eq!(run(program, arguments, &[]).1, *expected, "{arguments:?}");
        }
    }
    assert_eq!(listener.connections(), 0, "what a binding, a channel or a name decides needs no socket");
    for program in programs(&host) {
        assert_eq!(run(program, &["acme", "--thread", "1005"], &[]).1, "at-of-the-bot");
    }
}

/// Where nothing of the provider is bound, no channel can lead elsewhere, and nothing is said of it.
#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_bound_no_channel_is_missed() {
    let host = Host::new();
    let shared = host.serving("acme").await.access;
    host.used_today("acme").await;
    for program in programs(&host) {
        assert_eq!(
            run(program, &["acme", "--thread", "1003"], &[]),
            (Some(0), shared.clone(), String::new())
        );
    }
}
