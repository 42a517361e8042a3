//! Signing in and out from a terminal.

mod joining;
mod logout;
mod seat;
mod strangers;

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use latchkey::broker::LoginReply;
use latchkey::pending::{LoginStatus, PendingLogin};
use latchkey::store::Store;
use latchkey_test_authority::{Browser, Endpoint, Interval, Page, Person};
use rustix::process::{Signal, kill_process};

use self::seat::Seat;
use crate::flights::pid;
use crate::host::{Host, by_paste, key};

/// A host whose `acme` is answered at any free port of it.
fn host() -> Host {
    let host = Host::new();
    host.authority.set(|settings| {
        settings.any_client = true;
        settings.interval = Interval::Number(3);
        settings.enforced_interval = Duration::ZERO;
    });
    more(&host, "loopback_redirect_uri = \"http://127.0.0.1:0/cb\"\n");
    host
}

fn more(host: &Host, lines: &str) {
    let text = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, text + lines).unwrap();
}

/// The logins that are stored, ended ones included.
fn logins(host: &Host) -> Vec<PendingLogin> {
    host.store().snapshot().unwrap().logins().map(|login| (*login).clone()).collect()
}

fn only_login(host: &Host) -> PendingLogin {
    let mut all = logins(host);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn opens(address: &str) -> Page {
    Browser::new().get(address).await
}

/// RFC 8252 sections 7.3, 8.3; T2, Z1: a browser that is here is called with the link and nothing else, a wrong state is answered 400 and the
/// wait goes on, the right one signs in. Neither log nor terminal shows a secret but the link.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_on_this_host_is_answered_here() {
    let host = host();
    let folder = host.config.parent().unwrap();
    let (script, called) = (folder.join("browser"), folder.join("called"));
    let text = format!(
        "#!/bin/sh\n(printf '%s\\n' \"$#\" \"$@\"; env | grep of-the-operator) > {called:?}.new; mv {called:?}.new {called:?}\n"
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).unwrap();
    let text = std::fs::read_to_string(&host.config).unwrap();
    let text = format!("{text}[providers.bare]\napi_key_env = \"BARE_KEY\"\n");
    std::fs::write(&host.config, text).unwrap();
    let mut variables = vec![("BROWSER", script.to_str().unwrap()), ("LATCHKEY_LOG", "trace")];
    let secrets = ["DISCORD_TOKEN", "LATCHKEY_SOCKET_BEARER_FILE", "BARE_KEY"];
    variables.extend(secrets.map(|name| (name, "of-the-operator")));
    let mut seat = Seat::terminal(&host, &["login", "acme"], &variables);
    let link = seat.link();
    seat.says("waiting for the browser");
    let end = std::time::Instant::now() + crate::host::LONG;
    while !called.exists() {
        assert!(std::time::Instant::now() < end, "no browser was called: {}", seat.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_to_string(&called).unwrap(), format!("1\n{link}\n"));

    let answer = host.authority.sign_in(&link, &Person::ada()).await;
    let wrong = opens(&answer.replace("state=", "state=x")).await;
    assert!(wrong.status == 400 && wrong.body.contains("still waits"), "{} {}", wrong.status, wrong.body);
    assert_eq!(only_login(&host).status, LoginStatus::Pending);
    let right = opens(&answer).await;
    assert!(right.status == 200 && right.body.contains("Signed in to"), "{} {}", right.status, right.body);
    let (code, said) = seat.ended();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("signed in to acme as ada@example.test"), "{said}");
    assert_eq!(host.authority.exchanges(), 1);
    host.authority.assert_no_secret_in(&said.replace(&link, "<link>"));
    assert!(host.stored("acme").is_some());
    let again = host.latchkey(&["login", "acme"]).output().unwrap();
    let text = crate::host::said(&again);
    assert!(
        again.status.success() && text.contains("signed in already as ada@example.test (fresh)"),
        "{text}"
    );
}

/// S1, S3, T11: two terminals at once make one login with one poller, and both see its end.
#[tokio::test(flavor = "multi_thread")]
async fn two_terminals_make_one_login() {
    let host = host();
    let mut seats = [(); 2].map(|()| Seat::piped(&host, &["login", "acme", "--device"], &[]));
    for seat in &seats {
        seat.says("waiting for you");
    }
    let login = only_login(&host);
    let code = login.user_code.clone().unwrap();
    assert!(
        seats.iter().all(|seat| seat.said().contains(&format!("\n  {}\n", code.expose()))),
        "{}",
        seats[1].said()
    );
    assert_eq!(host.authority.device_starts(), 1);
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    for seat in &mut seats {
        let (code, said) = seat.ended();
        assert!(code == 0 && said.contains("signed in to acme"), "{code} {said}");
    }
    assert_eq!(host.authority.polls_after_end(), 0, "one of them polled");
}

/// S3, S13: the terminal that polled is killed; the one that follows the login goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_goes_on_where_another_was_killed() {
    let host = host();
    let first = Seat::piped(&host, &["login", "acme", "--device"], &[]);
    first.says("waiting for you");
    let mut second = Seat::piped(&host, &["login", "acme"], &[]);
    second.says("this one follows it");
    kill_process(pid(first.id()), Signal::KILL).unwrap();
    let code = only_login(&host).user_code.unwrap();
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    assert_eq!(second.ended().0, 0, "{}", second.said());
}

/// S13: the terminal is killed, and a bot takes its device login over.
#[tokio::test(flavor = "multi_thread")]
async fn a_bot_takes_over_what_a_killed_terminal_began() {
    let host = host();
    let seat = Seat::piped(&host, &["login", "acme", "--device"], &[]);
    seat.says("waiting for you");
    let (broker, code) = (host.broker(), only_login(&host).user_code.unwrap());
    assert!(broker.logins().take_up().await.unwrap().is_empty(), "the terminal works on it");
    kill_process(pid(seat.id()), Signal::KILL).unwrap();
    host.authority.approve_device(code.expose(), &Person::ada()).await;
    let end = std::time::Instant::now() + crate::host::LONG;
    let handover = loop {
        if let Some(handover) = broker.logins().take_up().await.unwrap().pop() {
            break handover;
        }
        assert!(std::time::Instant::now() < end, "its lock is never free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    broker.logins().poll(handover).await;
    assert!(host.stored("acme").is_some());
}

/// C1, C11, S3: Ctrl-C cancels in the store what was started here, and leaves alone what another terminal has started.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_cancels_what_was_started_here() {
    let host = host();
    let mut first = Seat::terminal(&host, &["login", "acme", "--device"], &[]);
    first.says("waiting for you");
    let mut second = Seat::terminal(&host, &["login", "acme"], &[]);
    second.says("waiting for you");
    second.types("\u{3}");
    let (code, said) = second.ended();
    let expected = "goes on where it was started; `latchkey logout acme` ends it";
    assert!(code == 130 && said.contains(expected), "{code} {said}");
    assert_eq!(only_login(&host).status, LoginStatus::Pending);
    first.types("\u{3}");
    let (code, said) = first.ended();
    assert!(code == 130 && said.contains("was cancelled. Nothing was stored"), "{code} {said}");
    let login = only_login(&host);
    assert_eq!((login.status, login.device_code), (LoginStatus::Cancelled, None));
}

/// C1: Ctrl-C while the code is spent: the cancel wins, and the end does not wait for a provider that is slow.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_wins_over_an_exchange() {
    let host = host();
    let mut seat = Seat::terminal(&host, &["login", "acme", "--browser"], &[]);
    let link = seat.link();
    let answer = host.authority.sign_in(&link, &Person::ada()).await;
    let gate = host.authority.hold(Endpoint::Token);
    let page = tokio::spawn(async move { opens(&answer).await });
    seat.says("checking the answer");
    seat.types("\u{3}");
    let end = std::time::Instant::now() + crate::host::LONG;
    while only_login(&host).status != LoginStatus::Cancelled {
        assert!(std::time::Instant::now() < end, "it was never cancelled: {}", seat.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seat.types("\u{3}");
    let (code, said) = seat.ended();
    assert!(code == 130 && said.contains("was cancelled. Nothing was stored"), "{code} {said}");
    drop(gate);
    page.abort();
    assert!(host.stored("acme").is_none());
}

/// S4, C1: Ctrl-C while the provider is still asked for a code leaves nothing behind that is live.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_start_leaves_no_login() {
    let host = host();
    let gate = host.authority.hold(Endpoint::DeviceStart);
    let mut seat = Seat::terminal(&host, &["login", "acme", "--device"], &[]);
    let end = std::time::Instant::now() + crate::host::LONG;
    while logins(&host).is_empty() {
        assert!(std::time::Instant::now() < end, "nothing was reserved");
        std::thread::sleep(Duration::from_millis(20));
    }
    seat.types("\u{3}");
    let (code, said) = seat.ended();
    assert!(code == 130 && said.contains("was cancelled before it began"), "{code} {said}");
    assert!(logins(&host).iter().all(|login| login.status.is_terminal()), "{:?}", logins(&host));
    drop(gate);
}

/// RFC 8252 section 7.3: a port that another program has: that is said, and the answer is pasted; what is no answer is refused, and the wait goes on.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_port_is_taken_the_answer_is_pasted() {
    let host = Host::new();
    host.authority.set(|settings| settings.any_client = true);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    more(&host, &format!("loopback_redirect_uri = \"http://127.0.0.1:{port}/cb\"\n"));
    let mut seat = Seat::terminal(&host, &["login", "acme", "--browser"], &[]);
    seat.says(&format!("port {port} of this host is in use by another program"));
    let link = seat.link();
    assert!(link.contains("8765"), "the redirect URI of pasted answers: {link}");
    seat.types("a-bare-code\n");
    seat.says("not used: that is only a part of the answer");
    let answer = host.authority.sign_in(&link, &Person::ada()).await;
    seat.types(&format!("{answer}\n"));
    let (code, said) = seat.ended();
    assert_eq!(code, 0, "{said}");
    assert!(host.stored("acme").is_some());
}

/// Where nothing can be pasted, that is said before anything is started; where the input ends, the login is cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_paste_says_where_there_can_be_none() {
    let host = host();
    let (code, said) = Seat::alone(&host, &["login", "acme", "--paste"]).ended();
    assert!(code == 2 && said.contains("nothing can be pasted here"), "{code} {said}");
    assert_eq!(logins(&host), []);
    let mut seat = Seat::piped(&host, &["login", "acme", "--paste"], &[]);
    seat.says("paste what the last page shows");
    seat.hangs_up();
    let (code, said) = seat.ended();
    assert!(code == 2 && said.contains("was cancelled. Run it in a terminal"), "{code} {said}");
    assert_eq!(only_login(&host).status, LoginStatus::Cancelled);
}

/// A pipe whose last line is no answer ends it as one without a line does, whichever of the two is seen first.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_has_only_a_wrong_answer_ends_it() {
    let host = host();
    for _ in 0..6 {
        let mut seat = Seat::piped(&host, &["login", "acme", "--paste"], &[]);
        seat.types("wrong\n");
        seat.hangs_up();
        let (code, said) = seat.ended();
        assert!(code == 2 && said.contains("was cancelled. Run it in a terminal"), "{code} {said}");
        assert!(said.contains("not used"), "{said}");
        assert!(logins(&host).iter().all(|login| login.status == LoginStatus::Cancelled));
    }
}

/// RFC 8252 section 7.3: a port that another program has, and nothing to paste from: it ends at once, before a link is shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_without_an_input_ends_it() {
    let host = Host::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    more(&host, &format!("loopback_redirect_uri = \"http://127.0.0.1:{port}/cb\"\n"));
    let text = std::fs::read_to_string(&host.config).unwrap();
    let text = text.replace(latchkey_test_authority::REDIRECT, "https://acme.example/shown");
    std::fs::write(&host.config, text).unwrap();
    let (code, said) = Seat::alone(&host, &["login", "acme", "--browser"]).ended();
    assert!(
        code == 2 && said.contains("is in use by another program, and nothing can be pasted"),
        "{code} {said}"
    );
    assert!(!said.contains("Open this link"), "{said}");
    assert_eq!(only_login(&host).status, LoginStatus::Cancelled);
}

/// A terminal that can draw over nothing gets no codes for that, and one that can gets no line that wraps.
#[tokio::test(flavor = "multi_thread")]
async fn the_wait_is_redrawn_only_where_that_works() {
    let host = host();
    for (term, is_redrawn) in [("dumb", false), ("xterm", true)] {
        let mut seat = Seat::terminal(&host, &["login", "acme", "--device"], &[("TERM", term)]);
        seat.says("waiting for you to sign in");
        seat.types("\u{3}");
        let (_, said) = seat.ended();
        assert_eq!(said.contains('\u{1b}'), is_redrawn, "{term}: {said:?}");
    }
}

/// U3, DESIGN: refusals at the provider end it with their own exit code; `--quiet` shows link and code and no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_has_its_exit_code_and_quiet_shows_the_link_alone() {
    let host = host();
    let mut seat = Seat::piped(&host, &["--quiet", "login", "acme", "--device"], &[]);
    seat.says("and type this code there");
    let login = loop {
        if let Some(login) = logins(&host).pop().filter(|login| login.user_code.is_some()) {
            break login;
        }
    };
    let (link, user_code) = (login.link().unwrap(), login.user_code.clone().unwrap());
    let shown = format!(
        "Open this link to sign in:\n\n  {}\n\nand type this code there:\n\n  {}\n\n",
        link.expose(),
        user_code.expose()
    );
    seat.says(&shown);
    host.authority.deny_device(user_code.expose()).await;
    let (code, said) = seat.ended();
    assert_eq!(code, 5);
    let rest = said.strip_prefix(&shown).unwrap_or_else(|| panic!("{said:?} is not {shown:?} first"));
    assert!(
        rest.starts_with("latchkey: the sign-in to acme was declined") && rest.lines().count() == 1,
        "{rest}"
    );
}

/// S9: somebody else's sign-in fills the slot first, and completes what is waited for here.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_first_completes_the_other() {
    let host = host();
    let mut seat = Seat::piped(&host, &["login", "acme", "--device"], &[]);
    seat.says("waiting for you");
    let broker = host.broker();
    let request = by_paste("42".parse().unwrap(), false, "acme");
    let Ok(LoginReply::Started(started)) = broker.login(request).await else { panic!("not started") };
    let link = started.login.link().unwrap();
    let answer = host.authority.sign_in(link.expose(), &Person::ada()).await;
    broker.logins().paste(&started.login.user, &started.login.id, &answer).await.unwrap();
    let (code, said) = seat.ended();
    assert!(code == 0 && said.contains("acme is signed in: the Discord user 42 was faster"), "{code} {said}");
}

/// I5: another account is put in the place of the one before only with a yes, by hand or beforehand; where nobody can be asked, it is not.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_takes_the_slot_only_with_a_yes() {
    let host = host();
    let held = || host.stored("acme").unwrap().account.label().map(str::to_owned);
    let mut first = Seat::terminal(&host, &["login", "acme", "--browser"], &[]);
    opens(&host.authority.sign_in(&first.link(), &Person::ada()).await).await;
    assert_eq!((first.ended().0, held().as_deref()), (0, Some("ada@example.test")));
    let arguments = ["login", "acme", "--browser", "--again"];
    let question =
        "acme holds ada@example.test; you signed in as ben@example.test. Put it in its place? [y/N]";
    for (typed, expected, after) in [("\n", 5, "ada@example.test"), ("\u{3}", 130, "ada@example.test")] {
        let mut seat = Seat::terminal(&host, &arguments, &[]);
        let page = opens(&host.authority.sign_in(&seat.link(), &Person::ben()).await).await;
        assert!(page.body.contains("The terminal asks"), "{}", page.body);
        seat.says(question);
        seat.types(typed);
        let (code, said) = seat.ended();
        assert_eq!((code, held().as_deref()), (expected, Some(after)), "{said}");
    }
    let mut nobody = Seat::piped(&host, &arguments, &[]);
    opens(&host.authority.sign_in(&nobody.link(), &Person::ben()).await).await;
    let (code, said) = nobody.ended();
    assert!(code == 5 && said.contains("With --yes it is put in its place"), "{code} {said}");
    assert_eq!(held().as_deref(), Some("ada@example.test"));
    let mut seat = Seat::terminal(&host, &arguments, &[]);
    opens(&host.authority.sign_in(&seat.link(), &Person::ben()).await).await;
    seat.says(question);
    seat.types("y\n");
    assert_eq!((seat.ended().0, held().as_deref()), (0, Some("ben@example.test")));
    let mut beforehand = Seat::piped(&host, &["login", "acme", "--browser", "--again", "--yes"], &[]);
    opens(&host.authority.sign_in(&beforehand.link(), &Person::ada()).await).await;
    assert_eq!((beforehand.ended().0, held().as_deref()), (0, Some("ada@example.test")));
}

/// I5: what was typed before the question was asked is no answer to it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_ahead_agrees_to_nothing() {
    let host = host();
    let mut first = Seat::piped(&host, &["login", "acme", "--browser"], &[]);
    opens(&host.authority.sign_in(&first.link(), &Person::ada()).await).await;
    assert_eq!(first.ended().0, 0);
    let held = || host.stored("acme").unwrap().account.label().map(str::to_owned);
    let before = held();
    let mut seat = Seat::terminal(&host, &["login", "acme", "--device", "--again"], &[]);
    seat.says("waiting for you");
    seat.types("y\ny");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let code = logins(&host).into_iter().find_map(|login| login.user_code).unwrap();
    host.authority.approve_device(code.expose(), &Person::ben()).await;
    seat.says("Put it in its place? [y/N]");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(logins(&host).iter().any(|login| login.status == LoginStatus::Confirming), "{}", seat.said());
    assert_eq!(held(), before);
    seat.types("n\n");
    assert_eq!((seat.ended().0, held()), (5, before), "{}", seat.said());
}

/// U7: a thread that is named uses what is signed in already, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_is_named_uses_what_is_there() {
    let host = host();
    host.serving("acme").await;
    let output = host.latchkey(&["login", "acme", "--thread", "1234"]).output().unwrap();
    let text = crate::host::said(&output);
    assert!(
        output.status.success() && text.contains("every agent in thread 1234 uses it from now on"),
        "{text}"
    );
    let binding = host.store().snapshot().unwrap().binding(&"1234".parse().unwrap()).unwrap().unwrap();
    assert_eq!(binding.tenants.values().collect::<Vec<_>>(), [&key("acme")]);
}

/// U7: a thread that is named uses it from then on, and that is said before.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_is_named_uses_it() {
    let host = host();
    let mut seat = Seat::piped(&host, &["login", "acme", "--browser", "--thread", "1234"], &[]);
    seat.says("once that is done, every agent in thread 1234 uses it");
    opens(&host.authority.sign_in(&seat.link(), &Person::ada()).await).await;
    let (code, said) = seat.ended();
    assert!(code == 0 && said.contains("every agent in thread 1234 uses it from now on"), "{code} {said}");
    let binding = host.store().snapshot().unwrap().binding(&"1234".parse().unwrap()).unwrap().unwrap();
    assert_eq!(binding.tenants.values().collect::<Vec<_>>(), [&key("acme")]);
}
