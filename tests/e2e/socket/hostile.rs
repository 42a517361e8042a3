//! Callers who mean harm, and the bot unmoved.

use std::time::Instant;

use super::*;

/// A token for an honest program, soon.
async fn is_served(socket: &Path) {
    let began = Instant::now();
    let answer = Caller::connect(socket).await.ask(json!({"op": "token", "tenant": "acme"})).await;
    assert_eq!(answer["ok"], true, "{answer}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Whatever is no request is told so, and what comes after it is answered; nothing of it is repeated.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_told_so_and_the_connection_goes_on() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    let bot = Bot::start(&setup).await;
    let mut caller = Caller::connect(&socket).await;
    let deep = "[".repeat(10_000);
    let garbage: [&[u8]; 6] = [
        b"sesame open",
        b"\xff\xfe\x00sesame",
        b"{\"op\":\"token\",\"tenant\":\"sesame\"",
        b"{\"op\":\"open sesame\"}",
        deep.as_bytes(),
        b"{\"op\":\"token\",\"tenant\":7}",
    ];
    for bytes in garbage {
        caller.say([bytes, b"\n"].concat()).await;
        let answer = caller.hear().await.unwrap();
        assert!(matches!(answer["error"].as_str(), Some("bad_request" | "unknown_op")), "{answer}");
        assert!(!answer.to_string().contains("sesame"), "{answer}");
    }
    assert_eq!(caller.ask(json!({"op": "token", "tenant": "acme"})).await["ok"], true);
    assert!(!bot.said().contains("sesame"), "{}", bot.said());
}

/// A line without an end is refused at its sixteenth kilobyte, half a line and silence after ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_line_and_half_a_line_end_their_connection() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    let bot = Bot::start(&setup).await;
    let mut half = Caller::connect(&socket).await;
    half.say("{\"op\":\"tok").await;
    let began = Instant::now();
    let before = status_of(bot.id(), "VmRSS");
    for _ in 0..50 {
        let mut endless = Caller::connect(&socket).await;
        let mut sent = 0_usize;
        let flood = vec![b'x'; 256 * 1_024];
        while sent < 64 * 1_024 * 1_024 && endless.write.write_all(&flood).await.is_ok() {
            sent += flood.len();
        }
        assert!(sent < 4 * 1_024 * 1_024, "{sent} bytes were taken");
        let answer = endless.hear().await.unwrap();
        assert_eq!((&answer["error"], &answer["exit_code"]), (&json!("too_large"), &json!(2)), "{answer}");
        assert!(endless.is_let_go().await);
    }
    let grown = status_of(bot.id(), "VmRSS").saturating_sub(before);
    assert!(grown < 20_000, "{grown} kB");
    is_served(&socket).await;
    let answer = half.hear().await.unwrap();
    assert_eq!(answer["error"], "timed_out", "{answer}");
    assert!((8..30).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert!(half.is_let_go().await);
}

/// So many requests under way on a connection, and no more; the others wait for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_sixteen_requests_under_way() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", true).await;
    let _bot = Bot::start(&setup).await;
    let gate = setup.authority.hold(latchkey_test_authority::Endpoint::Token);
    let mut caller = Caller::connect(&socket).await;
    for id in 0..40 {
        caller.say(format!("{{\"id\":{id},\"op\":\"token\",\"tenant\":\"acme\"}}\n")).await;
    }
    for id in 16..40 {
        let answer = caller.hear().await.unwrap();
        assert_eq!((&answer["error"], &answer["id"]), (&json!("busy"), &json!(id)), "{answer}");
    }
    gate.release();
    let mut ids = Vec::new();
    for _ in 0..16 {
        let answer = caller.hear().await.unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
        ids.push(answer["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..16).collect::<Vec<_>>());
    assert_eq!(setup.authority.refreshes(), 1);
}

/// A caller that keeps to the limit is never told that it does not.
#[tokio::test(flavor = "multi_thread")]
async fn sixteen_at_a_time_are_never_too_many() {
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    let _bot = Bot::start(&setup).await;
    let mut caller = Caller::connect(&socket).await;
    caller.say("{\"op\":\"token\",\"tenant\":\"acme\"}\n".repeat(16)).await;
    for number in 0..5_000 {
        let answer = caller.hear().await.unwrap();
        assert_eq!(answer["ok"], true, "{number}: {answer}");
        caller.say("{\"op\":\"token\",\"tenant\":\"acme\"}\n").await;
    }
}

/// Who asks for long answers and reads none of them is let go, and costs little meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_not_kept() {
    const UNREADING: usize = 24;
    let (setup, socket) = setup("").await;
    seed(&setup, "acme", false).await;
    many_tenants(&setup, 1_000).await;
    let bot = Bot::start(&setup).await;
    is_served(&socket).await;
    let mut first = Caller::connect(&socket).await;
    first.say("{\"op\":\"status\"}\n").await;
    let length = first.hear().await.unwrap().to_string().len();
    assert!(length > 150_000, "{length}");
    let before = status_of(bot.id(), "VmRSS");
    let mut callers = Vec::new();
    for number in 0..UNREADING {
        let mut caller = Caller::connect(&socket).await;
        let (op, times) = if number % 2 == 0 { ("status", 16) } else { ("watch", 1) };
        caller.say(format!("{{\"op\":\"{op}\"}}\n").repeat(times)).await;
        callers.push(caller);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    is_served(&socket).await;
    let grown = status_of(bot.id(), "VmRSS").saturating_sub(before);
    // All of it would be more than 50 MB of status alone.
    assert!(grown < 40_000, "{grown} kB");
    // Longer than an answer waits to be read.
    tokio::time::sleep(Duration::from_secs(12)).await;
    for caller in &mut callers {
        assert!(caller.is_let_go().await);
    }
    is_served(&socket).await;
}

/// Puts so many tenants into the store that each answer about all is long.
async fn many_tenants(setup: &Setup, count: u64) {
    let now = Clock::system().now();
    let mut touches: Option<Touches> = None;
    let keys: Vec<TenantKey> =
        (0..count).map(|user| format!("acme@{}", 1_000_000 + user).parse().unwrap()).collect();
    for key in &keys {
        touches = Some(touches.map_or_else(|| Touches::tenant(key), |touches| touches.and_tenant(key)));
    }
    let store = store(setup);
    let put = update(&store, touches.unwrap(), move |view| {
        for key in &keys {
            let secret = Secret::new(format!("at-{key}"));
            let mut held = Credential::new(CredentialKind::OAuth, key.provider.clone(), secret, now);
            held.expires_at = Some(now + 3_600);
            view.put_tenant(key, held);
        }
        Ok::<_, ()>(())
    });
    put.await.unwrap().unwrap();
}

/// Ten thousand connections of one user, who is admitted: the others are served as before, and so is the bot's own user; memory
/// and descriptors stay bounded, and when they are gone, all is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_take_nobodys_place() {
    const PROGRAM: &str = "
import os, resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
path, uid, wanted = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if uid != os.getuid(): os.setgroups([]); os.setgid(uid); os.setuid(uid)
held, taken, refused = [], 0, 0
for _ in range(min(wanted, hard - 64)):
    caller = socket.socket(socket.AF_UNIX); caller.settimeout(50); caller.connect(path)
    first = caller.recv(4096)
    if b'\"busy\"' in first: refused += 1
    else: taken += 1
    held.append(caller)
print(taken, refused, flush=True)
sys.stdin.read()
";
    let (setup, socket) = setup(&format!(
        "allow = [{{ uid = {STRANGER}, tenants = [\"acme\"] }}, {{ uid = 4711, tenants = [\"acme\"] }}]"
    ))
    .await;
    seed(&setup, "acme", false).await;
    let bot = Bot::start(&setup).await;
    is_served(&socket).await;
    let (rss, open) = (status_of(bot.id(), "VmRSS"), descriptors_of(bot.id()));
    let own = rustix::process::geteuid().as_raw();
    let uid = if is_root() { STRANGER } else { own };
    let mut command = tokio::process::Command::new("python3");
    command.args(["-c", PROGRAM]).arg(&socket).args([uid.to_string(), "10000".to_owned()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut hostile = command.spawn().expect("python3 runs (scripts/test installs it)");
    let mut told = String::new();
    let mut output = BufReader::new(hostile.stdout.take().unwrap());
    tokio::time::timeout(LONG, output.read_line(&mut told)).await.expect("they connect").unwrap();
    let mut counts = told.split_whitespace().map(|count| count.parse::<usize>().unwrap());
    let (taken, refused) = (counts.next().unwrap(), counts.next().unwrap());
    let (grown, more) = (status_of(bot.id(), "VmRSS").saturating_sub(rss), descriptors_of(bot.id()) - open);
    println!("{taken} served and {refused} refused; {grown} kB and {more} descriptors more");
    assert!(taken <= 1_024 && refused >= 1_000, "{told}");
    assert!(more <= taken + 16, "{more} descriptors for {taken} connections");
    assert!(grown < 60_000, "{grown} kB");
    if is_root() {
        is_served(&socket).await;
        let heard = as_other(&socket, 4_711, &[], &[json!({"id": 1, "op": "token", "tenant": "acme"})]).await;
        assert_eq!(heard[1]["ok"], true, "{heard:?}");
        let heard =
            as_other(&socket, STRANGER, &[], &[json!({"id": 1, "op": "token", "tenant": "acme"})]).await;
        assert_eq!((heard.len(), &heard[0]["error"]), (1, &json!("busy")), "{heard:?}");
    } else {
        println!("that others are served was not tried: only root can become another user");
    }
    drop(hostile.stdin.take());
    tokio::time::timeout(LONG, hostile.wait()).await.expect("it ends").unwrap();
    let late = Instant::now() + LONG;
    while descriptors_of(bot.id()) > open + 4 {
        assert!(Instant::now() < late, "descriptors are still held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    is_served(&socket).await;
}
