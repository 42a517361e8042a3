//! `latchkey seal`, keys that come and go, and the wrong one, with the real program.

use std::path::Path;
use std::process::{Command, Output};

use latchkey::fault::Step;
use latchkey::store::Store;
use latchkey::store::seal::{SealStanding, add_key, new_key};

use crate::disk::assert_tidy;
use crate::host::{Host, key, printed, said};
use crate::place::put;

fn run(host: &Host, arguments: &[&str]) -> Output {
    host.latchkey(arguments).output().unwrap()
}

/// What it printed; the test fails if it did not succeed.
fn done(host: &Host, arguments: &[&str]) -> String {
    let output = run(host, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    printed(&output)
}

fn bytes(host: &Host) -> String {
    std::fs::read_to_string(&host.auth).unwrap()
}

/// The ids of the keys, the one that seals first.
fn ids(host: &Host) -> Vec<String> {
    let text = std::fs::read_to_string(host.keys()).unwrap();
    text.lines().filter_map(|line| line.split_once(' ')).map(|(id, _)| id.to_owned()).collect()
}

fn standing(host: &Host) -> SealStanding {
    host.store().snapshot().unwrap().seal_standing()
}

/// What the small program alone prints: there is no other beside it to hand over to.
fn small(host: &Host) -> Output {
    let alone = host.config.with_file_name("latchkey-token");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_latchkey-token")).arg(&alone).status().unwrap();
    assert!(copied.success());
    Command::new(&alone)
        .arg("--config")
        .arg(&host.config)
        .arg("acme")
        .env_remove("FAILPOINTS")
        .output()
        .unwrap()
}

/// Sealing, G24: the way that docs/security.md describes, as it says it: a key, one line, sealed, served, opened again.
#[tokio::test(flavor = "multi_thread")]
async fn sealing_is_turned_on_and_off_as_the_page_says() {
    let host = Host::new();
    let tokens = host.serving("acme").await;
    host.used_today("acme").await;
    let before = bytes(&host);
    assert!(done(&host, &["seal", "status"]).contains("tokens stand in clear"));
    let refused = run(&host, &["seal", "now"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));

    let keys = host.keys();
    let told = done(&host, &["seal", "key", "--id", "first", "--add", &keys.to_string_lossy()]);
    assert!(told.contains("the key first now stands first") && told.contains("seal_key_file ="), "{told}");
    let text = std::fs::read_to_string(&host.config).unwrap();
    let line = format!("[store]\nseal_key_file = {:?}", keys.to_string_lossy());
    std::fs::write(&host.config, text.replacen("[store]", &line, 1)).unwrap();
    assert!(done(&host, &["seal", "status"]).contains("not sealed with the key first yet"));
    assert_eq!(bytes(&host), before, "looking changes nothing");

    assert!(done(&host, &["seal", "now"]).starts_with("sealed with the key first"));
    assert!(!bytes(&host).contains(&tokens.access) && !bytes(&host).contains(&tokens.refresh));
    assert_eq!(done(&host, &["token", "acme"]), tokens.access);
    let small = small(&host);
    assert_eq!(printed(&small), tokens.access, "{}", said(&small));
    let checked = run(&host, &["check"]);
    assert!(printed(&checked).contains("sealing: sealed with the key first"), "{}", printed(&checked));

    let unasked = run(&host, &["seal", "open"]);
    assert_eq!(unasked.status.code(), Some(2), "{}", said(&unasked));
    std::fs::write(&host.config, text).unwrap();
    let told = done(&host, &["seal", "open", "--yes", "--keys", &keys.to_string_lossy()]);
    assert!(told.contains("stands in clear"), "{told}");
    assert_eq!(bytes(&host), before, "as if it had never been sealed");
}

/// Sealing, F7: another key, another of the same name, and none: exit code 6, a sentence with the key's id, and the file as it
/// was to the byte, whatever is asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_key_is_refused_by_every_command_and_changes_nothing() {
    let host = Host::sealed();
    let tokens = host.expired("acme").await;
    let (before, right) = (bytes(&host), std::fs::read_to_string(host.keys()).unwrap());
    let id = ids(&host).remove(0);
    let config = std::fs::read_to_string(&host.config).unwrap();
    let line = config.lines().find(|line| line.starts_with("seal_key_file")).unwrap();
    let write = |key: &str| std::fs::write(host.keys(), format!("{key}\n")).unwrap();
    let cases: [(&str, &dyn Fn()); 3] = [
        ("which is not among those that are configured (other)", &|| {
            write(new_key(Some("other")).unwrap().expose());
        }),
        ("another key than the one that is configured as", &|| write(new_key(Some(&id)).unwrap().expose())),
        ("and no key is configured", &|| {
            std::fs::write(&host.config, config.replacen(line, "", 1)).unwrap();
        }),
    ];
    for (why, prepare) in cases {
        prepare();
        for arguments in [
            &["token", "acme"][..],
            &["status"],
            &["check"],
            &["seal", "status"],
            &["logout", "acme", "--yes"],
            &["exec", "--env", "TOKEN", "acme", "--", "true"],
        ] {
            let output = run(&host, arguments);
            let told = format!("{}{}", printed(&output), said(&output));
            assert_eq!(output.status.code(), Some(6), "{arguments:?}: {told}");
            assert!(told.contains(why) && told.contains(&format!("{id:?}")), "{arguments:?}: {told}");
            assert_eq!(bytes(&host), before, "{arguments:?}");
            assert_tidy(host.auth.parent().unwrap());
        }
    }
    assert_eq!(host.authority.refreshes(), 0);
    std::fs::write(&host.config, &config).unwrap();
    write(right.trim_end());
    let token = done(&host, &["token", "acme"]);
    assert!(token != tokens.access && host.authority.accepts(&token), "the right one goes on");
}

/// Sealing: keys that cannot be read are told, and nothing is written in clear meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_read_are_no_reason_to_write_in_clear() {
    let host = Host::sealed();
    std::fs::remove_file(host.keys()).unwrap();
    let output = run(&host, &["token", "acme"]);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("cannot read the keys that seal the store"), "{}", said(&output));
    assert!(!host.auth.exists());
}

/// Sealing: two keys, of which the new one seals and the old one opens; then the old one is gone, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_key_can_be_dropped_once_the_new_one_has_sealed() {
    let host = Host::sealed();
    host.serving("acme").await;
    host.expired("acme/work").await;
    let old = ids(&host).remove(0);
    let told = done(&host, &["seal", "key", "--id", "new", "--add", &host.keys().to_string_lossy()]);
    assert!(told.contains(&format!("before {old}")) && told.contains("drop the old line once"), "{told}");
    assert!(done(&host, &["seal", "status"]).contains("not sealed with the key new yet"));
    // An ordinary refresh: its first write takes the other entry along.
    let token = done(&host, &["token", "acme/work"]);
    assert!(host.authority.accepts(&token));
    let found = standing(&host);
    assert_eq!(
        (found.file.as_deref(), found.sealed.keys().map(String::as_str).collect::<Vec<_>>()),
        (Some("new"), vec!["new"])
    );
    assert!(done(&host, &["seal", "status"]).contains(&format!("nothing here is sealed with {old}")));
    let text = std::fs::read_to_string(host.keys()).unwrap();
    std::fs::write(host.keys(), text.lines().next().unwrap()).unwrap();
    assert_eq!(done(&host, &["token", "acme/work"]), token);
    assert!(run(&host, &["token", "acme"]).status.success());
}

/// G21, sealing: a rotated token that is kept aside needs the key that has sealed it: the old one is not called unused, and the
/// file is not opened for good, until it is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_kept_aside_needs_its_key() {
    let host = Host::sealed();
    host.expired("acme").await;
    let old = ids(&host).remove(0);
    let faults = "write-temporary=1*off->return(28);after-rescue=return(kill)";
    let died = host.latchkey(&["token", "acme"]).env("FAILPOINTS", faults).output().unwrap();
    assert_eq!(died.status.code(), Some(1), "{}", said(&died));
    done(&host, &["seal", "key", "--id", "new", "--add", &host.keys().to_string_lossy()]);
    done(&host, &["seal", "now"]);
    let told = done(&host, &["seal", "status"]);
    let line = format!(
        "a rotated token that could not be stored yet is kept aside, sealed with the key {old}: acme"
    );
    assert!(told.contains(&line) && !told.contains("nothing here is sealed with"), "{told}");
    let checked = run(&host, &["check"]);
    assert!(printed(&checked).contains(&line), "{}", printed(&checked));
    let json: serde_json::Value = serde_json::from_str(&done(&host, &["seal", "status", "--json"])).unwrap();
    assert_eq!(
        (&json["kept_aside"][0]["tenant"], &json["kept_aside"][0]["keys"][0]),
        (&"acme".into(), &old.into())
    );

    let before = bytes(&host);
    let refused = run(&host, &["seal", "open", "--yes"]);
    assert_eq!(refused.status.code(), Some(6), "{}", said(&refused));
    assert!(
        said(&refused).contains("is kept aside, sealed (acme), so nothing was changed"),
        "{}",
        said(&refused)
    );
    assert_eq!(bytes(&host), before);

    let token = done(&host, &["token", "acme"]);
    assert!(
        host.authority.accepts(&token) && host.authority.refreshes() == 1,
        "it is stored, and not refreshed again"
    );
    done(&host, &["seal", "open", "--yes"]);
    assert!(bytes(&host).contains(&token));
}

/// F8, sealing: a process that dies at any step of sealing, of another key, and of opening leaves the file of before or of after,
/// whole; the next one finishes.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let steps =
        [Step::TemporaryMade, Step::TemporaryWritten, Step::TemporaryDurable, Step::Renamed, Step::Replaced];
    for step in steps {
        let host = Host::new();
        for number in 0..50 {
            put(&host.store(), &key(&format!("acme/n{number}")), &format!("token-{number}")).await.unwrap();
        }
        let clear = bytes(&host);
        host.turn_sealing_on();
        let is_new = matches!(step, Step::Renamed | Step::Replaced);
        let all_there = || {
            let document = host.store().snapshot().unwrap();
            let found: Vec<_> =
                document.tenants().map(|(_, held)| held.access_token.expose().to_owned()).collect();
            assert!(found.len() == 50 && found.contains(&"token-49".to_owned()), "{step:?}: {found:?}");
        };
        let dies = |arguments: &[&str]| {
            let faults = format!("{}=return(kill)", step.name());
            let output = host.latchkey(arguments).env("FAILPOINTS", faults).output().unwrap();
            assert_eq!(output.status.code(), None, "{step:?}: {}", said(&output));
            all_there();
        };
        dies(&["seal", "now"]);
        assert_eq!(bytes(&host) == clear, !is_new, "{step:?}");
        done(&host, &["seal", "now"]);
        assert_eq!(standing(&host).in_clear, 0, "{step:?}");

        add_key(&host.keys(), &new_key(Some("new")).unwrap()).unwrap();
        dies(&["seal", "now"]);
        assert_eq!(standing(&host).file.as_deref() == Some("new"), is_new, "{step:?}");
        done(&host, &["seal", "now"]);
        assert_eq!(standing(&host).sealed.keys().collect::<Vec<_>>(), ["new"], "{step:?}");

        dies(&["seal", "open", "--yes"]);
        done(&host, &["seal", "open", "--yes"]);
        assert_eq!(bytes(&host), clear, "{step:?}");
        assert_tidy(Path::new(host.auth.parent().unwrap()));
    }
}
