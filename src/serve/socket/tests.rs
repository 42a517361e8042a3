//! What is told of changes, and what the audit trail says.

use std::io::Write;
use std::sync::Mutex;

use latchkey_test_authority::Person;

use super::*;
use crate::clock::Clock;
use crate::testing::{Host, key};

/// The audit lines of `work`, without their time.
fn audited(work: impl FnOnce()) -> Vec<String> {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || to.clone())
        .without_time()
        .with_ansi(false)
        .with_target(false)
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(|line| line.trim().to_owned()).collect()
}

/// Z3: a line at the first, one with the count at the end of the hour, whatever comes first: the next hour's first, a look, or
/// the end of the bot.
#[tokio::test(start_paused = true)]
async fn hand_outs_are_a_line_and_a_count_for_each_hour() {
    let clock = Clock::starting_at(7_200 - 10);
    let tally = Tally::new(clock.clone());
    let agent = Consumer::User(1_000);
    let lines = audited(|| {
        (0..3).for_each(|_| tally.handed_out(agent, "codex"));
        tally.handed_out(agent, "acme@1");
        tally.handed_out(Consumer::Bearer, "codex");
        tally.look();
        clock.jump(3_600);
        tally.handed_out(agent, "codex");
        tally.handed_out(agent, "codex");
        tally.look();
        tally.close();
        tally.close();
    });
    let first = |consumer, tenant| {
        format!("INFO token handed out consumer=\"{consumer}\" tenant=\"{tenant}\" count=1")
    };
    let all = |count, hour| {
        format!("INFO token handed out consumer=\"uid:1000\" tenant=\"codex\" count={count} hour={hour}")
    };
    assert_eq!(
        lines,
        [
            first("uid:1000", "codex"),
            first("uid:1000", "acme@1"),
            first("bearer", "codex"),
            all(3, 3_600),
            first("uid:1000", "codex"),
            all(2, 7_200),
        ]
    );
}

/// Z3: whoever asks for what they make up fills no log, and takes no lines from others.
#[tokio::test(start_paused = true)]
async fn refusals_are_bounded_whatever_is_asked_for() {
    let tally = Tally::new(Clock::starting_at(0));
    let lines = audited(|| {
        for number in 0..10_000 {
            tally.refused(Consumer::User(1_000), &format!("acme@{number}"));
        }
        tally.refused(Consumer::User(1_001), "codex");
        tally.close();
    });
    let of = |consumer: &str| lines.iter().filter(|line| line.contains(consumer)).count();
    // Each of sixteen, the others' first, and their count.
    assert_eq!((of("uid:1000"), of("uid:1001"), lines.len()), (18, 1, 19), "{lines:#?}");
    assert!(lines.iter().any(|line| line.ends_with("tenant=\"others\" count=9984 hour=0")), "{lines:#?}");
    let lines = audited(|| {
        for uid in 0..10_000 {
            tally.refused(Consumer::User(uid), "any");
        }
        tally.close();
    });
    assert!(lines.len() < 1_100, "{}", lines.len());
}

/// G27: a picture is made of the store as it is, and anew when time alone changes it; nobody is asked.
#[tokio::test]
async fn a_watcher_hears_of_the_store_and_of_time() {
    let host = Host::new();
    let broker = Broker::new(
        host.store(),
        host.catalog.clone(),
        crate::oauth::Client::new(),
        host.clock.clone(),
        crate::config::Limits::default(),
    );
    let standings = Standings::new(broker);
    host.serving(&key("acme@1"), &Person::ada()).await;
    let (first, mut news) = standings.watch().unwrap();
    let health = |standing: &standing::Standing, tenant| {
        standing.tenants.get(&key(tenant)).map(|view| view.health.clone()).unwrap_or_default()
    };
    assert_eq!((health(&first, "acme@1"), health(&first, "acme")), ("fresh".to_owned(), String::new()));
    let heard = async {
        host.serving(&key("acme"), &Person::ada()).await;
        news.changed().await.unwrap();
        assert_eq!(health(&news.borrow_and_update(), "acme"), "fresh");
        let mut ending = host.stored(&key("acme")).unwrap();
        ending.expires_at = Some(host.clock.now() + 2);
        host.put(&key("acme"), ending).await;
        // From here on the store stays as it is.
        loop {
            news.changed().await.unwrap();
            if health(&news.borrow_and_update(), "acme") == "stale" {
                return;
            }
        }
    };
    let looking = async {
        loop {
            standings.wait_for_news().await;
        }
    };
    tokio::select! {
        () = heard => {}
        () = looking => {}
        () = tokio::time::sleep(Duration::from_secs(12)) => panic!("nothing was heard"),
    }
    assert_eq!(host.authority.refreshes(), 0);
}

/// The page names every word and every limit as the program has it.
#[test]
fn the_page_has_the_words_and_limits_of_the_program() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/token-socket.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (place, word) in wire::Word::ALL.into_iter().enumerate() {
        assert_eq!(word as usize, place, "{word:?}");
        let row = format!("| `{}` | {} | ", word.as_str(), word.exit_code());
        assert!(page.contains(&row), "{row}");
    }
    let table = page.split("\n### Errors\n").nth(1).unwrap().split("\n### ").next().unwrap();
    assert_eq!(
        table.lines().filter(|line| line.starts_with("| `")).count(),
        wire::Word::ALL.len() + 1,
        "and the head"
    );
    let thousands = |count: usize| format!("{},{:03}", count / 1_000, count % 1_000);
    for row in [
        format!(
            "| a line | {} KiB, and {} s from its first byte to its end |",
            lines::LONGEST / 1_024,
            lines::LINE_BOUND.as_secs()
        ),
        format!(
            "| a member that is kept | {} bytes of JSON for `id`, {} bytes for ",
            request::LONGEST_ID,
            request::LONGEST_MEMBER
        ),
        format!("| `id` | text or a number of {} bytes of JSON at most; ", request::LONGEST_ID),
        format!(
            "| requests under way | {} for each connection, of which a `watch` is one; {} `watch` for each user |",
            session::REQUESTS,
            crowd::WATCHES
        ),
        format!(
            "| connections | {} for each user, {} in all ",
            thousands(crowd::EACH),
            thousands(crowd::ALL)
        ),
        format!("closed after {} min of silence |", session::SILENCE.as_secs() / 60),
        format!(
            "| {} s to do so, one try; {} such at a time, ",
            session::INTRODUCTION.as_secs(),
            crowd::BENCH
        ),
        format!("| an answer that is not read | {} s, ", session::READ_BOUND.as_secs()),
        format!(
            "seconds to wait in all; {} if left out, {} at most.",
            crate::gate::CALLER_DEADLINE.as_secs(),
            request::LONGEST_WAIT.as_secs()
        ),
        format!("seconds that the token must last; {} if left out.", crate::gate::MIN_VALID),
    ] {
        assert!(page.contains(&row), "{row}");
    }
}
