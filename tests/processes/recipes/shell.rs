//! curl, shells, and files of variables.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::api::Api;
use super::{Place, recipe};

async fn api(place: &Place) -> Api {
    Api::start(&place.host.authority, Arc::new(|_| Some(("text/plain", b"good morning\n".to_vec())))).await
}

/// docs/consumers.md, `--format header`
#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_the_header() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    let api = api(&place).await;
    let ended = place.shell(&recipe("sh", "--format header"), &[("API_URL", &api.origin())]).await;
    assert_eq!((ended.code, ended.printed.as_str()), (Some(0), "good morning\n"), "{}", ended.said);
    assert_eq!(api.tokens(""), [(Some(tokens.access), 200)]);
}

/// docs/consumers.md, `--format env`
#[tokio::test(flavor = "multi_thread")]
async fn a_shell_has_the_variables() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    let api = api(&place).await;
    let ended = place.shell(&recipe("sh", "eval"), &[("API_URL", &api.origin())]).await;
    let end = place.host.stored("acme").unwrap().expires_at.unwrap();
    let expected = format!("good morning\nacme is good until {end}\n");
    assert_eq!((ended.code, ended.printed), (Some(0), expected), "{}", ended.said);
    let without = recipe("sh", "eval").replace("latchkey token codex", "latchkey token codex@7");
    let ended = place.shell(&without, &[("API_URL", &api.origin())]).await;
    assert_eq!((ended.code, ended.printed.as_str()), (Some(3), ""), "{}", ended.said);
    assert_eq!(api.tokens(""), [(Some(tokens.access), 200)]);
}

/// docs/consumers.md, G14: whoever names the token that was rejected gets another, and one refresh is all.
#[tokio::test(flavor = "multi_thread")]
async fn a_shell_names_the_rejected_token() {
    let place = Place::new();
    let first = place.host.serving("acme").await;
    place.reject(&first.access);
    let script = recipe("sh", "\"$TOKEN\"") + "printf %s \"$TOKEN\"";
    for _ in 0..2 {
        let ended = place.shell(&script, &[("TOKEN", &first.access)]).await;
        assert_eq!((ended.code, ended.printed), (Some(0), place.stored()), "{}", ended.said);
    }
    assert!(place.host.authority.accepts(&place.stored()));
    assert_eq!(place.host.authority.refreshes(), 1);
}

/// docs/consumers.md: the file is its owner's alone, and what docker reads from it, as it is, is the token.
#[tokio::test(flavor = "multi_thread")]
async fn docker_reads_the_token_from_a_file_of_its_owners() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    // docker itself needs a service; this reads a file of variables as its reference has it: each line is a name, the first
    // equals sign and a value that is taken as it is.
    place.write("bin/docker", "#!/bin/sh\n[ \"$*\" = \"run --rm --env-file $HOME/agent.env acme/agent\" ] && sed -n 's/^LATCHKEY_ACCESS_TOKEN=//p' \"$4\"\n");
    let script = format!("chmod +x bin/docker; PATH=\"$HOME/bin:$PATH\"\n{}", recipe("sh", "docker run"));
    let ended = place.shell(&script, &[]).await;
    assert_eq!((ended.code, ended.printed), (Some(0), tokens.access + "\n"), "{}", ended.said);
    let mode = std::fs::metadata(place.at("agent.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A file that others could read does not stay one, and without a token nothing is started.
    std::fs::set_permissions(place.at("agent.env"), PermissionsExt::from_mode(0o644)).unwrap();
    let ended = place.shell(&script, &[]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let mode = std::fs::metadata(place.at("agent.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let ended = place.shell(&script.replace("latchkey token codex", "latchkey token codex@7"), &[]).await;
    assert_eq!((ended.code, ended.printed.as_str()), (Some(3), ""), "{}", ended.said);
}

/// docs/consumers.md, systemd.exec(5): lines that `EnvironmentFile` reads without quotes, written by `ExecStartPre`.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_systemd_writes_the_file_that_it_reads() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    let unit = recipe("ini", "ExecStartPre");
    let setting = |name: &str| unit.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    // systemd makes this folder for the unit, with this mode.
    assert_eq!(
        (setting("RuntimeDirectory="), setting("RuntimeDirectoryMode=")),
        ("agent".into(), "0700".into())
    );
    std::fs::create_dir(place.at("agent")).unwrap();
    let here = |text: &str| text.replace("/run/agent", &place.at("agent").to_string_lossy());
    let ended = place.shell(&here(&setting("ExecStartPre=")), &[]).await;
    assert_eq!((ended.code, ended.printed.as_str()), (Some(0), ""), "{}", ended.said);
    let file = here(setting("EnvironmentFile=").strip_prefix('-').unwrap());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&format!("LATCHKEY_ACCESS_TOKEN={}\n", tokens.access)), "no quotes");
    assert!(!text.contains(['\'', '"', '\\']), "nothing that systemd and a shell read differently");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
