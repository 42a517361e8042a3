//! One file that is kept: what happens to it as sign-ins come, age and go, and as its program and the disk see fit.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use latchkey_test_authority::Person;
use serde_json::{Value, json};

use super::*;
use crate::credential::{Suspension, Unserved};
use crate::foreign::at_moments;
use crate::oauth::Client;
use crate::secret::Secret;
use crate::store::{Touches, update};
use crate::testing::{Host, key};

const THEIRS: &str = "{\"mcpOAuth\": {\"x\": 1}, \"claudeAiOauth\": {\"accessToken\": \"at-theirs\", \"refreshToken\": \"rt-theirs\"}}";

/// A host, and the feed of a file on it.
struct Kept {
    host: Host,
    feed: Feed,
    folder: tempfile::TempDir,
}

fn broker(host: &Host) -> Broker {
    Broker::new(
        host.store(),
        host.catalog.clone(),
        Client::new(),
        host.clock.clone(),
        crate::config::Limits { starts_per_minute: 50, ..Default::default() },
    )
}

impl Kept {
    fn new(program: FeedProgram) -> Self {
        let (host, folder) = (Host::new(), tempfile::tempdir().unwrap());
        let path = folder.path().join("file.json");
        let config = FeedConfig { name: "it".to_owned(), tenant: key("acme"), program, path };
        Self { feed: Feed::new(broker(&host), config), host, folder }
    }

    fn path(&self) -> PathBuf {
        self.feed.config.path.clone()
    }

    fn text(&self) -> Option<String> {
        std::fs::read_to_string(self.path()).ok()
    }

    /// The access token in the file of Claude Code.
    fn token(&self) -> Option<String> {
        let file: Value = serde_json::from_str(&self.text()?).unwrap();
        Some(file["claudeAiOauth"]["accessToken"].as_str()?.to_owned())
    }

    /// A look that leaves nothing to say.
    async fn looks(&mut self) -> Duration {
        let pause = self.feed.look().await;
        assert_eq!(self.feed.said, None);
        pause
    }

    /// What is said after a look.
    async fn says(&mut self) -> String {
        self.feed.look().await;
        self.feed.said.clone().expect("something is wrong")
    }

    async fn change(&self, change: impl FnOnce(Option<Credential>) -> Option<Credential> + Send + 'static) {
        let store = self.host.store();
        let touched = update(&*store, Touches::tenant(&key("acme")), move |view| {
            match change(view.tenant(&key("acme")).unwrap()) {
                Some(credential) => view.put_tenant(&key("acme"), credential),
                None => view.remove_tenant(&key("acme")),
            }
            Ok::<_, ()>(())
        });
        touched.await.unwrap().unwrap();
    }

    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

/// Z2, G24: the file has the access token alone, and the next one before the program would ask for it, which counts as use.
#[tokio::test]
async fn the_next_token_is_there_before_the_programs_own_window() {
    let mut kept = Kept::new(FeedProgram::Claude);
    let tokens = kept.host.serving(&key("acme"), &Person::ada()).await;
    kept.looks().await;
    assert_eq!(kept.token().as_deref(), Some(&*tokens.access));
    assert!(!kept.text().unwrap().contains(&*tokens.refresh));
    assert_eq!(mode(&kept.path()), 0o600);
    assert!(
        kept.host.stored(&key("acme")).unwrap().last_used_at.is_some(),
        "it is kept fresh as what is in use is"
    );

    let before = std::fs::metadata(kept.path()).unwrap().ino();
    kept.looks().await;
    assert_eq!(
        std::fs::metadata(kept.path()).unwrap().ino(),
        before,
        "nothing is written that changes nothing"
    );

    // Ten minutes before its end, which is five before the program's window.
    kept.host.clock.jump(3_600 - 599);
    kept.looks().await;
    let stored = kept.host.stored(&key("acme")).unwrap();
    assert_eq!((stored.generation, kept.host.authority.refreshes()), (2, 1));
    assert_eq!(kept.token().as_deref(), Some(stored.access_token.expose()));
    assert!(!kept.text().unwrap().contains(stored.refresh_token.unwrap().expose()));
    assert_eq!(kept.files(), ["file.json"], "no temporary file is left");
}

/// G16: tokens that live less than the window asks for are not refreshed at each look.
#[tokio::test]
async fn a_short_life_is_no_reason_to_refresh_at_each_look() {
    let mut kept = Kept::new(FeedProgram::Claude);
    kept.host.authority.set(|settings| settings.access_lifetime = Duration::from_mins(4));
    kept.host.expired(&key("acme"), &Person::ada()).await;
    for _ in 0..4 {
        kept.looks().await;
    }
    assert_eq!(kept.host.authority.refreshes(), 1);
    kept.host.clock.jump(121);
    let pause = kept.looks().await;
    assert_eq!((kept.host.authority.refreshes(), pause), (2, LOOK_EVERY));
    kept.host.clock.jump(100);
    let pause = kept.looks().await;
    assert!(
        (Duration::from_secs(15)..=Duration::from_secs(20)).contains(&pause),
        "it looks when it is due: {pause:?}"
    );
}

/// Z2, F6: the program's refresh token is not used, is kept aside each time under a name of its own, and leaves.
#[tokio::test]
async fn a_refresh_token_is_kept_aside_and_leaves_with_the_first_write() {
    let mut kept = Kept::new(FeedProgram::Claude);
    let tokens = kept.host.serving(&key("acme"), &Person::ada()).await;
    let again = THEIRS.replace("at-theirs", "at-again");
    for theirs in [THEIRS, &again, THEIRS] {
        std::fs::write(kept.path(), theirs).unwrap();
        kept.looks().await;
        assert_eq!(kept.token().as_deref(), Some(&*tokens.access));
        assert!(!kept.text().unwrap().contains("theirs"));
        assert!(kept.text().unwrap().contains("{\"x\": 1}"), "what else stands there stays");
    }
    assert_eq!(kept.files(), ["file.json", "file.json.replaced", "file.json.replaced-2"]);
    for (aside, theirs) in [("file.json.replaced", THEIRS), ("file.json.replaced-2", &again)] {
        let aside = kept.folder.path().join(aside);
        assert_eq!((std::fs::read_to_string(&aside).unwrap().as_str(), mode(&aside)), (theirs, 0o600));
    }
    assert_eq!(kept.host.authority.refreshes(), 0);
}

/// Z2, Z3: a file that cannot be replaced at any look is copied once, and that is told of once, with the copy's name.
#[tokio::test]
async fn a_file_that_cannot_be_replaced_is_copied_once() {
    let mut kept = Kept::new(FeedProgram::Claude);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    for _ in 0..3 {
        tracing::callsite::rebuild_interest_cache();
        std::fs::write(kept.path(), THEIRS).unwrap();
        let path = kept.path();
        at_moments(vec![Box::new(move || std::fs::remove_file(path).unwrap())]);
        assert!(kept.says().await.contains("at the same time"));
        assert_eq!(kept.files(), ["file.json.replaced"]);
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("file.json.replaced")).collect();
    assert!(matches!(told[..], [one] if one.contains("is there yet")), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("latchkey::audit")).count(), 1, "{log}");
}

/// Z2: what a process that was killed left beside the file goes when the feed begins; the only copy of a sign-in does not.
#[tokio::test]
async fn what_a_killed_process_left_goes() {
    let kept = Kept::new(FeedProgram::Claude);
    let place = crate::foreign::Place::open(&kept.path()).unwrap();
    let under_way = place.prepare(None, b"{}", 0o600).unwrap();
    for (left, text) in
        [("1", THEIRS), ("2", "{\"claudeAiOauth\": {\"accessToken\": \"at\"}}"), ("3", "{\"half")]
    {
        std::fs::write(kept.folder.path().join(format!(".latchkey-file.json-{left}")), text).unwrap();
    }
    std::fs::write(kept.folder.path().join(".latchkey-other.json-1"), "{}").unwrap();
    file::tidy(&kept.feed.config).unwrap();
    let files = kept.files();
    assert_eq!(files.len(), 3, "{files:?}");
    assert_eq!((files[1].as_str(), files[2].as_str()), (".latchkey-other.json-1", "file.json.replaced"));
    assert_eq!(std::fs::read_to_string(kept.folder.path().join("file.json.replaced")).unwrap(), THEIRS);
    drop(under_way);
    assert_eq!(kept.files().len(), 2);
}

/// U7: who is signed out, or no longer served, leaves no token of ours behind; what a program signed in itself stays.
#[tokio::test]
async fn our_token_leaves_with_the_sign_in_and_theirs_stays() {
    let mut kept = Kept::new(FeedProgram::Claude);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    std::fs::write(kept.path(), "{\"mcpOAuth\": {\"x\": 1}}").unwrap();
    kept.looks().await;
    assert!(kept.token().is_some());
    kept.change(|held| {
        let suspended = Some(Suspension { reason: Unserved::Left, at: 0 });
        held.map(|held| Credential { suspended, ..held })
    })
    .await;
    kept.looks().await;
    assert_eq!((kept.token(), kept.text().as_deref()), (None, Some("{\n  \"mcpOAuth\": {\"x\": 1}\n}\n")));
    kept.change(|held| held.map(|held| Credential { suspended: None, ..held })).await;
    kept.looks().await;
    assert!(kept.token().is_some());
    kept.change(|_| None).await;
    kept.looks().await;
    assert_eq!(kept.token(), None);

    std::fs::write(kept.path(), THEIRS).unwrap();
    kept.looks().await;
    assert_eq!(kept.text().as_deref(), Some(THEIRS));
}

/// G17: a sign-in that cannot be refreshed leaves the file as it is.
#[tokio::test]
async fn a_sign_in_that_ended_leaves_the_file_as_it_is() {
    let mut kept = Kept::new(FeedProgram::Claude);
    let tokens = kept.host.serving(&key("acme"), &Person::ada()).await;
    kept.looks().await;
    kept.host.authority.expire_grant(&tokens.refresh);
    kept.host.clock.jump(3_600);
    assert_eq!(kept.says().await, "NeedsLogin");
    assert_eq!(kept.token().as_deref(), Some(&*tokens.access));
}

/// G16: while the provider is away, what there is does for the file too, as long as it lasts.
#[tokio::test]
async fn a_lost_file_is_made_anew_while_the_provider_is_away() {
    let mut kept = Kept::new(FeedProgram::Claude);
    let tokens = kept.host.serving(&key("acme"), &Person::ada()).await;
    kept.host.authority.go_down();
    kept.host.clock.jump(3_600 - OWN_WINDOW);
    kept.looks().await;
    assert_eq!(kept.token().as_deref(), Some(&*tokens.access));
}

/// F6: what cannot be read is not written over, and is brought up to date once it can.
#[tokio::test]
async fn what_cannot_be_read_is_left_alone_and_tried_again() {
    let mut kept = Kept::new(FeedProgram::Claude);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    for (bytes, said) in [(&b"{"[..], "mend it"), (&b""[..], "mend it"), (&b"\xff{}"[..], "not text")] {
        std::fs::write(kept.path(), bytes).unwrap();
        assert!(kept.says().await.contains(said));
        assert_eq!(std::fs::read(kept.path()).unwrap(), bytes);
    }
    std::fs::write(kept.path(), "{}").unwrap();
    kept.looks().await;
    assert!(kept.token().is_some());
    std::fs::remove_file(kept.path()).unwrap();
    std::fs::remove_dir(kept.folder.path()).unwrap();
    assert!(kept.says().await.contains("make its folder"));
    std::fs::create_dir(kept.folder.path()).unwrap();
    kept.looks().await;
    assert!(kept.token().is_some());
}

/// F15: a link leads nowhere, and what it points to is not touched; nor is a file with a second name, or a folder.
#[tokio::test]
async fn no_link_is_followed() {
    let mut kept = Kept::new(FeedProgram::Claude);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    let other = kept.folder.path().join("other.json");
    std::fs::write(&other, "{}").unwrap();
    symlink(&other, kept.path()).unwrap();
    assert!(kept.says().await.contains("symbolic link"));
    std::fs::remove_file(kept.path()).unwrap();
    std::fs::hard_link(&other, kept.path()).unwrap();
    assert!(kept.says().await.contains("second name"));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "{}");
    std::fs::remove_file(kept.path()).unwrap();
    std::fs::create_dir(kept.path()).unwrap();
    assert!(kept.says().await.contains("no ordinary file"));
}

/// F4: its owner and group stay, and its permissions but for those of other users.
#[tokio::test]
async fn the_file_keeps_its_owner_and_others_get_no_look_at_it() {
    let mut kept = Kept::new(FeedProgram::Claude);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    std::fs::write(kept.path(), "{}").unwrap();
    std::fs::set_permissions(kept.path(), PermissionsExt::from_mode(0o644)).unwrap();
    // Only the superuser may give a file away.
    let is_given = chown(kept.path(), Some(12_345), Some(23_456)).is_ok();
    kept.looks().await;
    let found = std::fs::metadata(kept.path()).unwrap();
    assert_eq!(found.mode() & 0o777, 0o640);
    assert!(!is_given || (found.uid(), found.gid()) == (12_345, 23_456));
}

/// What is wrong is said once, with the remedy, and once that it is right again.
#[tokio::test]
async fn what_is_wrong_is_said_once() {
    let mut kept = Kept::new(FeedProgram::Claude);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    kept.host.expired(&key("acme"), &Person::ada()).await;
    kept.host.authority.go_down();
    for _ in 0..3 {
        // Another test may have met these events first, on a thread that nobody listens to, this very moment.
        tracing::callsite::rebuild_interest_cache();
        kept.says().await;
        // Past a back-off, so that each try has another one to tell of.
        kept.host.clock.jump(301);
    }
    kept.host.authority.come_back();
    for _ in 0..2 {
        kept.looks().await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!([count("was not brought up to date: "), count("is up to date again")], [1, 1], "{log}");
}

/// G25: an API key goes into no sign-in's place.
#[tokio::test]
async fn a_key_is_not_written_where_a_token_belongs() {
    let mut kept = Kept::new(FeedProgram::Codex);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    kept.change(|held| held.map(|held| Credential { kind: CredentialKind::Static, ..held })).await;
    assert_eq!(kept.says().await, "Operator");
    assert_eq!(kept.text(), None);
}

/// I5: codex's file says whose it is; somebody else's sign-in stays, and no copy is made of it.
#[tokio::test]
async fn anothers_sign_in_is_left_alone() {
    let mut kept = Kept::new(FeedProgram::Codex);
    kept.host.serving(&key("acme"), &Person::ada()).await;
    let theirs =
        json!({"tokens": {"access_token": "at", "refresh_token": "rt", "account_id": "bob"}}).to_string();
    std::fs::write(kept.path(), &theirs).unwrap();
    assert!(kept.says().await.contains("another account"));
    for (whose, said) in [(Whose::Of("ada"), "of another account"), (Whose::Unsaid, "it may be another's")] {
        assert!(find(&kept.feed.config, whose).unwrap_err().to_string().contains(said), "{whose:?}");
    }
    assert!(find(&kept.feed.config, Whose::Nobodys).unwrap().holds_refresh_token);
    assert_eq!((kept.text(), kept.files()), (Some(theirs), vec!["file.json".to_owned()]));
    let account = Person::ada().sub;
    let ours =
        json!({"tokens": {"access_token": "at", "refresh_token": "rt", "account_id": account}}).to_string();
    std::fs::write(kept.path(), ours).unwrap();
    kept.looks().await;
    assert_eq!(kept.files(), ["file.json", "file.json.replaced"]);
    let found = find(&kept.feed.config, Whose::Of(&account)).unwrap();
    assert_eq!(found, Found { is_there: true, holds_refresh_token: false });
}

/// F18: the task itself hears of a new sign-in and of a logout, and ends when it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn the_task_follows_the_store_and_ends_when_told() {
    let mut kept = Kept::new(FeedProgram::Claude);
    let closing = CancellationToken::new();
    let config = kept.feed.config.clone();
    let feed = std::mem::replace(&mut kept.feed, Feed::new(broker(&kept.host), config));
    let task = tokio::spawn(feed.run(closing.clone()));
    let kept = Arc::new(kept);
    let becomes = async |token: Option<Secret>| {
        let looks = async {
            while kept.token().map(Secret::new) != token {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // Sooner than the next look that nothing calls for.
        tokio::time::timeout(LOOK_EVERY / 2, looks).await.expect("the file follows");
    };
    for person in [Person::ada(), Person::ada()] {
        let tokens = kept.host.serving(&key("acme"), &person).await;
        becomes(Some(Secret::new(&*tokens.access))).await;
    }
    kept.change(|_| None).await;
    becomes(None).await;
    closing.cancel();
    tokio::time::timeout(LOOK_EVERY / 2, task).await.expect("it ends").unwrap();
}

/// Z4: a feed that leaves takes its series along, so that none calls an operator for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_leaves_has_no_series() {
    let Kept { host, feed, folder } = Kept::new(FeedProgram::Claude);
    let config = FeedConfig { name: "that-leaves".to_owned(), ..feed.config.clone() };
    let is_measured = || {
        let families = metrics::gather();
        let mut series = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
        series.any(|one| {
            one.get_label().iter().any(|label| label.name() == "feed" && label.value() == "that-leaves")
        })
    };
    let closing = CancellationToken::new();
    let running = tokio::spawn(Feed::new(broker(&host), config).run(closing.clone()));
    let late = Instant::now() + Duration::from_secs(20);
    while !is_measured() {
        assert!(Instant::now() < late, "it looks");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    closing.cancel();
    running.await.unwrap();
    assert!(!is_measured());
    drop(folder);
}
