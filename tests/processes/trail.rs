//! The audit file, by many processes at once.

use serde_json::Value;

use crate::host::{Host, printed, said};

/// Z3: twenty processes tell of what they do in one file, and each line is whole; standard output is for data. A token that is
/// fresh is printed without a line.
#[tokio::test(flavor = "multi_thread")]
async fn many_processes_write_one_file_without_mixing() {
    let host = Host::new();
    let trail = host.config.with_file_name("audit.log");
    let config = std::fs::read_to_string(&host.config).unwrap();
    let audit = format!("[log]\naudit = {:?}\n", trail.to_string_lossy());
    std::fs::write(&host.config, format!("{config}{audit}")).unwrap();
    let mut names: Vec<_> = (0..20).map(|number| format!("acme/p{number}")).collect();
    for name in &names {
        host.expired(name).await;
    }
    let running: Vec<_> = names.iter().map(|name| host.latchkey(&["token", name]).spawn().unwrap()).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(!printed(&output).contains("event"), "{}", printed(&output));
    }
    let told = || std::fs::read_to_string(&trail).unwrap();
    let tenant = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!((&line["event"], &line["outcome"]), (&"refresh".into(), &"granted".into()), "{line}");
        line["tenant"].as_str().unwrap().to_owned()
    };
    let mut tenants: Vec<_> = told().lines().map(tenant).collect();
    tenants.sort();
    names.sort();
    assert_eq!(tenants, names, "a line each");

    let before = told();
    assert!(host.latchkey(&["token", "acme/p0"]).output().unwrap().status.success());
    assert_eq!(told(), before, "nothing was done");
    assert!(host.latchkey(&["logout", "acme/p0", "--yes"]).output().unwrap().status.success());
    let last = told().lines().filter(|line| line.contains("\"event\":\"logout\"")).count();
    assert_eq!(last, 1, "{}", told());
}

/// Z3: a command that cannot write its line does its work, and says what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_used_holds_nothing_up() {
    let host = Host::new();
    let trail = host.config.with_file_name("audit.log");
    std::os::unix::fs::symlink("/dev/null", &trail).unwrap();
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, format!("{config}[log]\naudit = {:?}\n", trail.to_string_lossy())).unwrap();
    host.serving("acme").await;
    let output = host.latchkey(&["logout", "acme", "--yes"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("it must not be a symbolic link"), "{}", said(&output));
    assert_eq!(host.stored("acme"), None);
}

/// Z3: what turns sealing on and off is the operator's act, and stands in the trail.
#[tokio::test(flavor = "multi_thread")]
async fn sealing_and_opening_stand_in_the_trail() {
    let host = Host::sealed();
    let trail = host.config.with_file_name("audit.log");
    let config = std::fs::read_to_string(&host.config).unwrap();
    std::fs::write(&host.config, format!("{config}[log]\naudit = {:?}\n", trail.to_string_lossy())).unwrap();
    host.serving("acme").await;
    let keys = host.keys().to_string_lossy().into_owned();
    for arguments in [
        &["seal", "key", "--id", "new", "--add", &keys][..],
        &["seal", "now"],
        &["seal", "status"],
        &["seal", "open", "--yes"],
    ] {
        let output = host.latchkey(arguments).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let told = std::fs::read_to_string(&trail).unwrap();
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> =
        lines.iter().map(|line| (line["event"].as_str().unwrap(), line["key"].as_str())).collect();
    assert_eq!(found, [("seal_key_added", Some("new")), ("sealed", Some("new")), ("opened", None)]);
    assert!(lines.iter().all(|line| line["user"].as_str().unwrap().starts_with("local:")), "{told}");
}
