//! Which places are taken, and which are refused with what remedy.

use std::os::unix::net::UnixListener as Listener;

use super::*;

fn config(socket: PathBuf) -> TokensConfig {
    TokensConfig { socket, mode: 0o640, group: None, allow: Vec::new(), bearer_file: None }
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

async fn refusal(config: &TokensConfig) -> String {
    bind(config).await.map(drop).unwrap_err().to_string()
}

/// A folder with mode 0700.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// The folder is made private; mode and group are the configured ones; and all is gone at the end.
#[tokio::test]
async fn a_socket_is_made_as_configured_and_goes_with_its_bot() {
    let temp = folder();
    let mine = config(temp.path().join("a/b/t.sock"));
    let mine = TokensConfig { group: Some(rustix::process::getegid().as_raw().to_string()), ..mine };
    let bound = bind(&mine).await.unwrap();
    assert_eq!((mode(&mine.socket), mode(&temp.path().join("a/b"))), (0o640, 0o700));
    assert_eq!(look(&mine).await.unwrap().1, Stands::Served);
    let refused = refusal(&mine).await;
    assert!(refused.contains("another Latchkey serves"), "{refused}");
    drop(bound);
    assert!(!mine.socket.exists());
    assert_eq!(look(&mine).await.unwrap().1, Stands::Free);
    drop(bind(&mine).await.unwrap());
}

/// What a killed bot left is replaced, half made or whole; what somebody serves, and what is no socket, is not.
#[tokio::test]
async fn only_a_dead_socket_is_replaced() {
    let temp = folder();
    let mine = config(temp.path().join("t.sock"));
    for left in ["t.sock", "t.sock.new"] {
        drop(Listener::bind(temp.path().join(left)).unwrap());
    }
    drop(bind(&mine).await.unwrap());

    let other = Listener::bind(&mine.socket).unwrap();
    assert!(refusal(&mine).await.contains("another program listens at"));
    assert!(mine.socket.exists());
    drop(other);
    std::fs::remove_file(&mine.socket).unwrap();

    std::fs::write(&mine.socket, "mine").unwrap();
    assert!(refusal(&mine).await.contains("is no socket; move it away"));
    assert_eq!(std::fs::read_to_string(&mine.socket).unwrap(), "mine");
}

/// What came into the place of ours is not ours to remove.
#[tokio::test]
async fn another_socket_in_our_place_stays() {
    let temp = folder();
    let mine = config(temp.path().join("t.sock"));
    let bound = bind(&mine).await.unwrap();
    std::fs::remove_file(&mine.socket).unwrap();
    let _other = Listener::bind(&mine.socket).unwrap();
    drop(bound);
    assert!(mine.socket.exists());
}

#[tokio::test]
async fn a_place_that_cannot_be_trusted_is_refused_with_the_remedy() {
    let temp = folder();
    let shared = temp.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    for (bits, words) in [(0o777, "chmod go-w"), (0o770, "chmod go-w"), (0o720, "chmod go-w")] {
        std::fs::set_permissions(&shared, PermissionsExt::from_mode(bits)).unwrap();
        let refused = refusal(&config(shared.join("t.sock"))).await;
        assert!(refused.contains(words), "{bits:o}: {refused}");
    }
    std::fs::set_permissions(&shared, PermissionsExt::from_mode(0o1777)).unwrap();
    let refused = refusal(&config(shared.join("t.sock"))).await;
    assert!(refused.contains("(mode 1777)") && refused.contains("such as /run/latchkey"), "{refused}");
    assert!(!refused.contains("chmod"), "nobody is told to shut /tmp: {refused}");

    let long = config(temp.path().join("x".repeat(120)));
    let bytes = long.socket.canonicalize().unwrap_or_else(|_| long.socket.clone()).as_os_str().len();
    let refused = refusal(&long).await;
    assert!(refused.contains(&format!("is {bytes} bytes long")) && refused.contains("103"), "{refused}");
    let longest = LONGEST - temp.path().canonicalize().unwrap().as_os_str().len() - 1;
    drop(bind(&config(temp.path().join("x".repeat(longest)))).await.unwrap());
    assert!(refusal(&config(temp.path().join("x".repeat(longest + 1)))).await.contains("bytes long"));

    let file = config(PathBuf::from("/proc/version/t.sock"));
    assert!(refusal(&file).await.contains("cannot make the folder"));
    assert!(refusal(&config(PathBuf::from("/"))).await.contains("names no file"));
    let nobody =
        TokensConfig { group: Some("no-such-group".to_owned()), ..config(temp.path().join("t.sock")) };
    assert!(refusal(&nobody).await.contains("\"no-such-group\" is not in /etc/group"));
}

#[test]
fn a_group_is_found_by_name_or_number() {
    let all = "root:x:0:\nbroken\nagents:x:1007:ann,ben\nnumber:x:none:\n";
    assert_eq!(
        ["root", "agents", "number", "ann", ""].map(|name| group_in(all, name)),
        [Some(0), Some(1007), None, None, None]
    );
    assert_eq!(group("4711").ok(), Some(4711));
}
