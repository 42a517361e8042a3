//! git and its credential helpers.

use std::sync::Arc;

use super::api::{Answers, Api};
use super::{Ended, Place, recipe};

/// A repository of one commit, as git fetches it from a server that knows nothing of git.
async fn repository(place: &Place) -> Answers {
    let script = "set -e; git init -q work; cd work; echo hello > file; git add file
        git -c user.name=Ada -c user.email=ada@example.org commit -qm first
        cd ..; git clone -q --bare work repo.git; git -C repo.git update-server-info; rm -r work";
    let ended = place.shell(script, &[]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let root = place.home.path().to_owned();
    Arc::new(move |path| {
        let bytes = std::fs::read(root.join(path.trim_start_matches('/'))).ok()?;
        Some(("application/octet-stream", bytes))
    })
}

/// What the recipe has a person do, with this server in place of GitHub's; and a helper for all hosts, which keeps what it is told.
async fn set_up(place: &Place, api: &Api) {
    let keeper = "git config --global credential.helper '!f() { cat; echo; } >> \"$HOME/kept\"; f'\n";
    let script = keeper.to_owned() + &recipe("sh", "git config").replace("https://github.com", &api.origin());
    let ended = place.shell(&script, &[]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

/// Clones, where a prompt for a password would be seen.
async fn clone(place: &Place, api: &Api, into: &str) -> Ended {
    place.write("askpass", "#!/bin/sh\necho \"$@\" >> \"$HOME/asked\"\n");
    let script = format!("chmod +x askpass; exec git clone -q {}/repo.git {into}", api.origin());
    let askpass = place.at("askpass").to_string_lossy().into_owned();
    place.shell(&script, &[("GIT_ASKPASS", &askpass), ("LC_ALL", "C")]).await
}

/// docs/consumers.md: git gets in with the token, asks nobody, and no other helper hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn git_clones_with_the_token_and_keeps_it_nowhere() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    let api = Api::start(&place.host.authority, repository(&place).await).await;
    set_up(&place, &api).await;
    let ended = clone(&place, &api, "cloned").await;
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(place.at("cloned/file")).unwrap(), "hello\n");
    let sent = api.seen().into_iter().find(|seen| seen.token.is_some()).unwrap();
    assert_eq!((sent.token, sent.ways), (Some(tokens.access), vec!["basic, oauth2"]));
    assert!(!place.at("asked").exists() && !place.at("kept").exists());
    assert_eq!(place.host.authority.refreshes(), 0);
}

/// G14, G15: git names the password that was rejected; that is one refresh, and the next command works.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_git_found_rejected_is_refreshed_once() {
    let place = Place::new();
    let first = place.host.serving("acme").await;
    let api = Api::start(&place.host.authority, repository(&place).await).await;
    set_up(&place, &api).await;
    place.reject(&first.access);
    let refused = clone(&place, &api, "refused").await;
    assert_eq!(refused.code, Some(128));
    assert!(refused.said.contains("Authentication failed"), "{}", refused.said);
    assert_eq!(place.host.authority.refreshes(), 1);
    let ended = clone(&place, &api, "cloned").await;
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    let erase = |password: &str| {
        format!(
            "printf 'protocol=https\\nhost=github.com\\nusername=oauth2\\npassword={password}\\n' |
             latchkey token github --format git erase"
        )
    };
    // An older token, and a token that a refresh has only just brought.
    let late = place.shell(&erase(&first.access), &[]).await;
    assert_eq!((late.code, late.printed.as_str(), late.said.as_str()), (Some(0), "", ""));
    let again = place.shell(&erase(&place.stored()), &[]).await;
    assert_eq!(again.printed, "");
    assert!(again.said.contains("latchkey: "), "{}", again.said);
    assert_eq!(place.host.authority.refreshes(), 1);
    assert!(!place.at("asked").exists() && !place.at("kept").exists());
}

/// docs/consumers.md: where somebody must sign in, git says so and asks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn git_says_that_somebody_must_sign_in() {
    let place = Place::new();
    let api = Api::start(&place.host.authority, repository(&place).await).await;
    set_up(&place, &api).await;
    let ended = clone(&place, &api, "cloned").await;
    assert_eq!(ended.code, Some(128));
    assert!(
        ended
            .said
            .contains("latchkey: no sign-in of acme serves here: use `latchkey login acme`, or /auth login"),
        "{}",
        ended.said
    );
    assert!(ended.said.contains("told us to quit"), "{}", ended.said);
    assert!(!place.at("asked").exists() && !place.at("kept").exists());
}

/// docs/consumers.md: a name that the configuration has for a host is kept.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_in_gits_configuration_is_kept() {
    let place = Place::new();
    place.host.serving("acme").await;
    let api = Api::start(&place.host.authority, repository(&place).await).await;
    set_up(&place, &api).await;
    let named = format!("git config --global credential.{}.username x-token-auth", api.origin());
    assert_eq!(place.shell(&named, &[]).await.code, Some(0));
    let ended = clone(&place, &api, "cloned").await;
    assert_eq!((ended.code, ended.said.as_str()), (Some(0), ""));
    let sent = api.seen().into_iter().find(|seen| seen.token.is_some()).unwrap();
    assert_eq!(sent.ways, ["basic"], "another name than the one without a configuration");
}

/// git-credential(1): git learns when the token ends, from version 2.41 on, where it began to ask.
#[tokio::test(flavor = "multi_thread")]
async fn git_knows_when_the_token_ends() {
    let place = Place::new();
    let tokens = place.host.serving("acme").await;
    let api = Api::start(&place.host.authority, Arc::new(|_| None)).await;
    set_up(&place, &api).await;
    let version = place.shell("git version", &[]).await.printed;
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    let script = format!("echo url={} | git credential fill", api.origin());
    let filled = place.shell(&script, &[]).await;
    let end = place.host.stored("acme").unwrap().expires_at.unwrap();
    let ends = if minor >= 41 { format!("password_expiry_utc={end}\n") } else { String::new() };
    let expected =
        format!("protocol=http\nhost={}\nusername=oauth2\npassword={}\n{ends}", api.address(), tokens.access);
    assert_eq!((filled.code, filled.printed), (Some(0), expected), "{}", filled.said);
}
