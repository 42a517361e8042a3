//! A sign-in that another terminal has open: what is told about it, and how it is ended.

use latchkey::pending::LoginStatus;
use latchkey_test_authority::Endpoint;
use rustix::process::{Signal, kill_process};

use super::seat::Seat;
use super::{host, logins, more, only_login};
use crate::flights::pid;
use crate::host::{Host, said};

/// What was asked for is had or refused with the way out, never dropped in silence.
#[tokio::test(flavor = "multi_thread")]
async fn joining_drops_nothing_that_was_asked_for() {
    let host = host();
    let first = Seat::piped(&host, &["login", "acme", "--device"], &[]);
    first.says("waiting for you");
    for (option, value, differs) in
        [("--browser", None, "goes by a device code"), ("--thread", Some("1234"), "binds no thread")]
    {
        let arguments: Vec<_> = ["login", "acme", option].into_iter().chain(value).collect();
        let output = host.latchkey(&arguments).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(differs) && text.contains("`latchkey logout acme` ends it"), "{text}");
    }
    assert_eq!(only_login(&host).status, LoginStatus::Pending);
    let mut same = Seat::piped(&host, &["login", "acme", "--device"], &[]);
    same.says("this one follows it");
    kill_process(pid(same.id()), Signal::INT).unwrap();
    same.ended();
}

/// Where the answer arrives is said as it is: at the terminal that started it, whose port is not just anybody's.
#[tokio::test(flavor = "multi_thread")]
async fn who_joins_is_told_where_the_answer_arrives() {
    let host = Host::new();
    host.authority.set(|settings| settings.any_client = true);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    more(&host, &format!("loopback_redirect_uri = \"http://127.0.0.1:{port}/cb\"\n"));
    let first = Seat::terminal(&host, &["login", "acme", "--browser"], &[]);
    first.says("waiting for the browser");
    let second = Seat::terminal(&host, &["login", "acme", "--browser"], &[]);
    second.says("paste what the last page shows");
    let text = second.said();
    assert!(text.contains("the answer arrives at the terminal that started it"), "{text}");
    assert!(!text.contains("another program"), "{text}");
}

/// C1, S3: what a terminal that died has left open is ended by a logout, which says first who began it.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_what_a_dead_terminal_left_open() {
    let host = host();
    for is_asked in [true, false] {
        let first = Seat::piped(&host, &["login", "acme", "--paste"], &[]);
        first.says("paste what the last page shows");
        kill_process(pid(first.id()), Signal::KILL).unwrap();
        if is_asked {
            let mut seat = Seat::terminal(&host, &["logout", "acme"], &[]);
            let uid = rustix::process::getuid().as_raw();
            seat.says(&format!("Open sign-ins to it: by the user with uid {uid} on this host"));
            seat.says("Cancel them? [y/N]");
            seat.types("\n");
            assert_eq!((seat.ended().0, only_login(&host).status), (0, LoginStatus::Pending));
        }
        let output = host.latchkey(&["logout", "acme", "--yes"]).output().unwrap();
        let text = said(&output);
        assert!(output.status.success() && text.contains("were cancelled. Nothing was stored"), "{text}");
        assert!(logins(&host).iter().all(|login| login.status == LoginStatus::Cancelled));
    }
    let again = host.latchkey(&["logout", "acme", "--yes"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
}

/// C1: what is logged out names the open sign-ins that end with it; who follows one is not sent to log out what works.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_names_the_open_sign_ins_that_end_with_it() {
    let host = host();
    host.serving("acme").await;
    let mut first = Seat::piped(&host, &["login", "acme", "--device", "--again"], &[]);
    first.says("waiting for you");
    let mut second = Seat::piped(&host, &["login", "acme", "--again"], &[]);
    second.says("waiting for you");
    kill_process(pid(second.id()), Signal::INT).unwrap();
    let (code, text) = second.ended();
    assert!(
        code == 130 && text.contains("can be cancelled there") && !text.contains("logout"),
        "{code} {text}"
    );
    let mut seat = Seat::terminal(&host, &["logout", "acme"], &[]);
    seat.says("open sign-ins to it are cancelled: started by the user with uid");
    seat.says("Log it out? [y/N]");
    seat.types("y\n");
    assert_eq!(seat.ended().0, 0);
    let (code, text) = first.ended();
    assert!(code == 3 && text.contains("was logged out meanwhile"), "{code} {text}");
}

/// S3: Ctrl-C while another terminal opens it: what goes on is not called cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_elsewhere_is_not_called_cancelled() {
    let host = host();
    let gate = host.authority.hold(Endpoint::DeviceStart);
    let _first = Seat::piped(&host, &["login", "acme", "--device"], &[]);
    let end = std::time::Instant::now() + crate::host::LONG;
    while logins(&host).is_empty() {
        assert!(std::time::Instant::now() < end, "nothing was reserved");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let mut second = Seat::terminal(&host, &["login", "acme", "--device"], &[]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    second.types("\u{3}");
    let (code, text) = second.ended();
    assert!(code == 130 && text.contains("was started elsewhere goes on"), "{code} {text}");
    assert_eq!(only_login(&host).status, LoginStatus::Starting);
    drop(gate);
}
