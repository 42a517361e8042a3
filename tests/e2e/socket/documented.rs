//! What docs/token-socket.md shows, run as it stands there.

use super::*;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/token-socket.md"))
        .expect("the page is there")
}

/// The block of `language` on the page in which `word` stands.
fn block(language: &str, word: &str) -> String {
    let (page, fence) = (page(), format!("```{language}\n"));
    let mut blocks =
        page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    blocks.find(|block| block.contains(word)).unwrap_or_else(|| panic!("no {language} with {word}"))
}

async fn run(program: &str, arguments: &[&str], setup: &Setup, socket: &Path) -> (i32, String, String) {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(setup.dir.path()).env("LATCHKEY_SOCKET", socket);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LONG, command.output()).await.expect("it ends").expect("it runs");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout).trim_end().to_owned(), text(output.stderr))
}

/// Both clients of the page get the token, and say what is wrong where there is none.
#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_the_page_work_as_written() {
    let (setup, socket) = setup("").await;
    let tokens = seed(&setup, "acme", false).await;
    let mut bot = Bot::start(&setup).await;
    let python = block("python", "def token(");
    assert!(python.lines().count() <= 30, "{} lines", python.lines().count());
    let file = setup.dir.path().join("client.py");
    std::fs::write(&file, python).unwrap();
    let file = file.to_str().unwrap();
    let line = block("sh", "nc -NU");
    let shell = |tenant: &str| line.replace("codex", tenant);

    let (code, said, why) = run("python3", &[file, "acme"], &setup, &socket).await;
    assert_eq!((code, said.as_str()), (0, &*tokens.access), "{why}");
    let (code, said, why) = run("bash", &["-c", &shell("acme")], &setup, &socket).await;
    assert_eq!(
        (code, said.as_str()),
        (0, &*tokens.access),
        "{why} (scripts/test installs netcat-openbsd and jq)"
    );

    let (code, said, why) = run("python3", &[file, "acme@7"], &setup, &socket).await;
    assert_eq!((code, said.as_str()), (3, ""), "{why}");
    assert!(why.contains("/auth login"), "{why}");
    let (code, said, why) = run("bash", &["-c", &shell("acme@7")], &setup, &socket).await;
    assert_eq!(said, "", "{why}");
    assert!(code != 0 && why.contains("/auth login"), "{code}: {why}");
    assert!(bot.stop().await.success());
    let (code, _, why) = run("python3", &[file, "acme"], &setup, &socket).await;
    assert!(code == 4 && why.contains("latchkey run"), "{code}: {why}");
    let (code, said, why) = run("bash", &["-c", &shell("acme")], &setup, &socket).await;
    assert!(code != 0 && said.is_empty() && why.contains("latchkey run"), "{code}: {said} {why}");

    // A bearer token that is not there, and a server that dies after its hello.
    let unset = python_without_bearer(file, &setup, &socket).await;
    assert!(
        unset.0 == 4 && unset.2.contains("no-such-bearer") && !unset.2.contains("Traceback"),
        "{unset:?}"
    );
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let dying = tokio::spawn(async move {
        loop {
            let (mut caller, _) = listener.accept().await.unwrap();
            let hello = b"{\"latchkey\":\"token-socket\",\"version\":1}\n";
            drop(caller.write_all(hello).await);
        }
    });
    for (program, arguments) in [("python3", [file, "acme"]), ("bash", ["-c", &shell("acme")])] {
        let (code, said, why) = run(program, &arguments, &setup, &socket).await;
        assert!(code != 0 && said.is_empty() && why.contains("latchkey run"), "{code}: {said} {why}");
    }
    dying.abort();
}

async fn python_without_bearer(file: &str, setup: &Setup, socket: &Path) -> (i32, String, String) {
    let script = "LATCHKEY_SOCKET_BEARER_FILE=no-such-bearer exec python3 \"$0\" acme";
    run("bash", &["-c", script, file], setup, socket).await
}

/// The page names every limit and every word as the program has it.
#[test]
fn the_page_names_every_word_for_errors() {
    let page = page();
    for word in [
        "internal",
        "configuration",
        "needs_login",
        "transient",
        "denied",
        "store",
        "bad_request",
        "unknown_op",
        "not_allowed",
        "too_large",
        "busy",
        "timed_out",
        "closing",
    ] {
        assert!(page.contains(&format!("| `{word}` |")), "{word}");
    }
}
