//! Real disks that fail, where the machine allows it: a small tmpfs, a read-only one, another user, a limit of open files.
//!
//! Where it does not, a test says so, and runs the injected form where there is one.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use latchkey::credential::CredentialState;
use latchkey_test_authority::Endpoint;

use crate::disk::{assert_finished, assert_tidy, kept_aside, token};
use crate::disks::Namespace;
use crate::host::{Host, LONG, printed, said};

/// G21, F7: a real disk that fills up while the provider answers, with the process killed besides in one case.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_fills_up_during_the_request_loses_nothing() {
    for killed in [false, true] {
        let host = Host::new();
        let old = host.expired("acme").await;
        let folder = host.auth.parent().unwrap().to_owned();
        let Some(disk) = Namespace::with_disk(&folder, "1m") else {
            let faults = ["write-temporary=1*off->return(28)", "write-temporary=return(28)", ""];
            let calls = faults.map(|faults| || token(&host, faults));
            kept_aside(&host, &old, "make room on this disk", "injected", calls);
            continue;
        };
        let gate = host.authority.hold_reply(Endpoint::Token);
        let mut command = disk.inside(&host.latchkey(&["token", "acme", "--timeout", "50s"]));
        if killed {
            command.env("FAILPOINTS", "after-rescue=return(kill)");
        }
        let child = command.spawn().unwrap();
        assert!(host.authority.eventually(LONG, |_| gate.waiting() == 1).await, "the refresh never came");
        disk.fill(&folder);
        gate.release();
        let output = child.wait_with_output().unwrap();
        let text = said(&output);
        if killed {
            assert_eq!(output.status.code(), Some(1), "{text}");
        } else {
            assert_eq!(output.status.code(), Some(4), "{text}");
            assert!(text.contains("No space left on device") && text.contains("make room"), "{text}");
        }
        let inside = std::fs::read_to_string(disk.path(&host.auth)).unwrap();
        assert!(inside.contains(&old.refresh) && inside.contains("\"generation\": 1"), "{inside}");
        // Still full, what the process had open included: no request is made, and nothing is lost.
        disk.fill(&folder);
        let again = disk.inside(&host.latchkey(&["token", "acme"])).output().unwrap();
        assert_eq!(again.status.code(), Some(4), "{}", said(&again));
        disk.empty(&folder);
        let next = disk.inside(&host.latchkey(&["token", "acme"])).output().unwrap();
        assert_finished(&host, &old, &next);
        assert_tidy(&disk.path(&folder));
    }
}

/// G21, F7: a real disk that is full from the start: nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_disk_that_is_full_makes_no_request() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let folder = host.auth.parent().unwrap().to_owned();
    let disk = Namespace::with_disk(&folder, "1m");
    let run = |faults: &str| match &disk {
        Some(disk) => disk.inside(&host.latchkey(&["token", "acme"])).output().unwrap(),
        None => token(&host, faults),
    };
    let file =
        || std::fs::read(disk.as_ref().map_or(host.auth.clone(), |disk| disk.path(&host.auth))).unwrap();
    let before = file();
    if let Some(disk) = &disk {
        disk.fill(&folder);
    }
    let output = run("set-room-aside=return(28)");
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("make room on this disk"), "{}", said(&output));
    assert_eq!((host.authority.refreshes(), file() == before), (0, true));
    if let Some(disk) = &disk {
        disk.empty(&folder);
    }
    assert_finished(&host, &old, &run(""));
}

/// F7: a real file system that has become read-only. What is fresh is still handed out; a refresh sends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_read_only_file_system_serves_what_is_fresh_and_refreshes_nothing() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let fresh = host.serving("acme/fresh").await;
    let folder = host.auth.parent().unwrap().to_owned();
    let Some(disk) = Namespace::with_disk(&folder, "1m") else {
        let output = token(&host, "open-lock=return(30)");
        assert_eq!((output.status.code(), host.authority.refreshes()), (Some(6), 0), "{}", said(&output));
        return;
    };
    let run = |tenant: &str| disk.inside(&host.latchkey(&["token", tenant])).output().unwrap();
    disk.shell("mount -o remount,ro \"$0\"", &[&folder]);
    let output = run("acme");
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("Read-only file system"), "{}", said(&output));
    assert!(said(&output).contains("the store must be on a writable file system"), "{}", said(&output));
    assert_eq!(printed(&run("acme/fresh")), fresh.access);
    assert_eq!(host.authority.refreshes(), 0);
    disk.shell("mount -o remount,rw \"$0\"", &[&folder]);
    assert_finished(&host, &old, &run("acme"));
    assert_tidy(&disk.path(&folder));
}

/// Makes `command` one of an ordinary user, whom rights bind, if we are not.
fn ordinary(command: &Command) -> Command {
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    if rustix::process::geteuid().is_root() {
        other.arg("--");
    } else {
        other = Command::new("env");
    }
    other.arg(command.get_program()).args(command.get_args()).env_remove("FAILPOINTS");
    other.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    other
}

/// Whether that user can run the program on this host's configuration: a folder above either may be closed to others, and
/// root may be one that cannot become anybody else.
fn is_within_reach(host: &Host) -> bool {
    let folder = host.config.parent().unwrap();
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711)).unwrap();
    let mut probe = Command::new("sh");
    probe.args(["-c", r#"test -x "$0" && test -r "$1""#, env!("CARGO_BIN_EXE_latchkey")]).arg(&host.config);
    ordinary(&probe).status().is_ok_and(|status| status.success())
}

/// Gives the store to that user, if we are another. Tells whether it is theirs.
fn give_away(host: &Host) -> bool {
    if !rustix::process::geteuid().is_root() {
        return true;
    }
    let mut chown = Command::new("chown");
    chown.args(["-R", "65534:65534"]).arg(host.auth.parent().unwrap());
    chown.output().is_ok_and(|output| output.status.success())
}

/// F6, F7: real rights, and a user whom they bind.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_or_written_is_an_error_and_stays() {
    let host = Host::new();
    let old = host.expired("acme").await;
    let folder = host.auth.parent().unwrap();
    if !is_within_reach(&host) || !give_away(&host) {
        eprintln!(
            "SIMULATED: there is no ordinary user here who could run the program on a store of their own"
        );
        let output = token(&host, "make-temporary=return(13)");
        assert_eq!((output.status.code(), host.authority.refreshes()), (Some(6), 0), "{}", said(&output));
        return;
    }
    let run = || ordinary(&host.latchkey(&["token", "acme"])).output().unwrap();
    let before = std::fs::read(&host.auth).unwrap();
    let rights = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let locks = folder.join("auth.json.locks");
    for (path, mode, back) in [(&*host.auth, 0o000, 0o600), (folder, 0o500, 0o700), (&*locks, 0o500, 0o700)] {
        rights(path, mode);
        let output = run();
        rights(path, back);
        let text = said(&output);
        assert_eq!((output.status.code(), printed(&output).as_str()), (Some(6), ""), "{path:?}: {text}");
        assert!(text.contains("Permission denied"), "{path:?}: {text}");
        assert!(text.contains("it must belong to the user that runs Latchkey"), "{path:?}: {text}");
        assert!(text.contains(&*path.to_string_lossy()), "{path:?}: {text}");
        assert_eq!(std::fs::read(&host.auth).unwrap(), before);
        assert_eq!(host.authority.refreshes(), 0);
    }
    assert_finished(&host, &old, &run());
    assert_tidy(folder);
}

/// F4: a folder that belongs to another is refused with the remedy.
#[tokio::test(flavor = "multi_thread")]
async fn another_users_folder_is_refused() {
    let host = Host::new();
    host.serving("acme").await;
    if !rustix::process::geteuid().is_root() || !give_away(&host) {
        eprintln!(
            "SIMULATED: only root can give a folder away; the check itself is one comparison of user ids"
        );
        return;
    }
    let output = token(&host, "");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(
        text.contains(
            "is another user's store: it belongs to user 65534, and this is user 0: ask the operator "
        ),
        "{text}"
    );
}

/// F6: a real limit of open files, from one with which nothing can start to one that does for all: no answer is a wrong
/// one, nobody is asked to sign in, and no refresh token is presented twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_limit_of_open_files_loses_nothing() {
    let mut ended = Vec::new();
    for limit in (5..=21).chain([64]) {
        let host = Host::new();
        let old = host.expired("acme").await;
        let latchkey = host.latchkey(&["token", "acme"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(latchkey.get_program());
        limited.args(latchkey.get_args()).env_remove("FAILPOINTS").stdin(Stdio::null());
        let output = limited.output().unwrap();
        let code = output.status.code();
        assert_ne!(code, Some(3), "{limit}: nobody must sign in: {}", said(&output));
        assert_eq!(code == Some(0), !printed(&output).is_empty(), "{limit}: {}", said(&output));
        let held = host.stored("acme").unwrap();
        assert_eq!(held.state, CredentialState::Ok, "{limit}: {}", said(&output));
        let next = token(&host, "");
        if held.retry_at.is_none() {
            assert!(next.status.success(), "{limit}: {} then {}", said(&output), said(&next));
            assert!(printed(&next) != old.access && host.authority.refreshes() <= 2, "{limit}");
        }
        assert_eq!(host.authority.reuses(), 0, "{limit}: {} then {}", said(&output), said(&next));
        ended.push((limit, code));
    }
    eprintln!("{ended:?}");
    assert_ne!(ended.first().unwrap().1, Some(0), "the limit was none");
    assert_eq!(ended.last().unwrap().1, Some(0), "the limit was never enough");
}
