//! Other users of the host, who can read a link in a browser's command line.

use latchkey::pending::LoginStatus;
use latchkey_test_authority::Person;

use super::seat::Seat;
use super::{host, only_login, opens};

/// C11: the answer that another user brings, with the right state, fills no slot; the terminal says whose it was, and waits on.
#[tokio::test(flavor = "multi_thread")]
async fn another_users_answer_fills_no_slot() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let host = host();
    let mut seat = Seat::terminal(&host, &["login", "acme", "--browser"], &[]);
    let link = seat.link();
    let theirs = host.authority.sign_in(&link, &Person::ben()).await;
    let script = format!(
        "import encodings.idna, os, urllib.request, urllib.error\nos.setuid(65534)\ntry: urllib.request.urlopen({theirs:?})\n\
         except urllib.error.HTTPError as error: print(error.code, error.read().decode())"
    );
    let mut program = tokio::process::Command::new("python3");
    program.env_remove("http_proxy").env_remove("HTTP_PROXY");
    let output = program.arg("-c").arg(script).output().await.unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.starts_with("403 ") && page.contains("another user"), "{page} {output:?}");
    seat.says("from a program of uid 65534, another user of this host, and was not used. If it was your browser, paste");
    assert_eq!((only_login(&host).status, host.authority.exchanges()), (LoginStatus::Pending, 0));
    opens(&host.authority.sign_in(&link, &Person::ada()).await).await;
    let (code, said) = seat.ended();
    assert!(code == 0 && said.contains("as ada@example.test"), "{code} {said}");
}
