//! SIGHUP while programs are at the socket, and while everything else is under way as well.

use latchkey_test_authority::{Browser, Client, Endpoint};
use rustix::process::Signal;

use super::*;
use crate::callback::free_port;
use crate::due;
use crate::harness::{NEXT_POLL, SOON};

/// Z2: a user who is struck from `allow` gets nothing more, on a connection that stands as well, and its watch falls silent.
#[tokio::test(flavor = "multi_thread")]
async fn what_allow_gives_is_as_the_configuration_says_now() {
    if !is_root() {
        return println!("not tried: only root can become another user");
    }
    let rule = format!("{{ uid = {STRANGER}, tenants = [\"acme@1\"] }}");
    let (setup, socket) = setup(&format!("allow = [{rule}]")).await;
    seed(&setup, "acme@1", false).await;
    seed(&setup, "acme@2", false).await;
    let bot = Bot::start(&setup).await;
    let mut program = Standing::connect(&socket);
    assert_eq!(program.ask("acme@1").await["ok"], json!(true));
    assert_eq!(program.ask("acme@2").await["ok"], json!(false));
    setup.configure(|text| text.replace("\"acme@1\"", "\"acme@2\""));
    bot.reload().await;
    assert_eq!(program.ask("acme@1").await["ok"], json!(false));
    assert_eq!(program.ask("acme@2").await["ok"], json!(true));
    setup.configure(|text| text.replace(&rule.replace("acme@1", "acme@2"), ""));
    bot.reload().await;
    assert_eq!(program.ask("acme@2").await["ok"], json!(false));
}

/// A program of another user that stays connected.
struct Standing {
    _child: tokio::process::Child,
    input: tokio::process::ChildStdin,
    output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Standing {
    fn connect(socket: &Path) -> Self {
        const PROGRAM: &str = "
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
lines = s.makefile('r'); lines.readline()
for line in sys.stdin:
    s.sendall(line.encode()); sys.stdout.write(lines.readline()); sys.stdout.flush()
";
        let mut python = tokio::process::Command::new("python3");
        python.args(["-c", PROGRAM]).arg(socket).kill_on_drop(true);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 runs");
        let input = child.stdin.take().expect("standard input");
        let output = BufReader::new(child.stdout.take().expect("standard output")).lines();
        Self { _child: child, input, output }
    }

    async fn ask(&mut self, tenant: &str) -> Value {
        let request = json!({"id": 1, "op": "token", "tenant": tenant});
        self.input.write_all(format!("{request}\n").as_bytes()).await.expect("it listens");
        let line = tokio::time::timeout(LONG, self.output.next_line()).await.expect("an answer in time");
        serde_json::from_str(&line.expect("a line").expect("not the end")).expect("a line of JSON")
    }
}

/// G1, C10, W5: fifty reloads while members sign in each way, tokens are refreshed and programs ask: nobody is dropped, and each account is
/// refreshed once.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_reloads_drops_nothing() {
    const HANGUPS: usize = 50;
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let hosted = "title = \"Hosted\"\nflows = [\"callback\"]\nclient_id = \"hosted\"\n\
                  authorization_response_iss_parameter_supported = true";
    let more = format!(
        "[http]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"{origin}\"\n[tokens]\nsocket = \"t.sock\"\nallow = []\n\
         [limits]\nstarts_per_minute = 50\n"
    );
    let setup = Setup::plan().second_provider("hosted", hosted).more(&more).start().await;
    setup.configure(|text| {
        let start = text.find("[providers.acme]").unwrap();
        let end = text.find("[providers.hosted]").unwrap();
        let paste = text[start..end].replace("acme", "pasted").replace("\"device\", \"paste\"", "\"paste\"");
        format!("{text}\n{}", paste.replace("title = \"Acme\"", "title = \"Pasted\""))
    });
    setup.authority.set(|settings| settings.iss_in_answer = true);
    setup.authority.register(Client::public("hosted", &[&format!("{origin}/callback/hosted")]));
    setup.authority.latency(Endpoint::Token, Duration::from_millis(300));
    due::due(&setup).await;
    seed(&setup, "acme@2", true).await;
    let bot = Bot::spawn(&setup, |_| {});
    bot.wait_said("latchkey: ready", LONG).await;

    let reloads = || bot.said().matches("configuration reloaded outcome=\"taken over\"").count();
    let storm = async {
        let mut sent = 0;
        // Signals that come while one is not yet taken are one.
        while sent < HANGUPS || reloads() < HANGUPS / 2 {
            setup.configure(|text| {
                let (now, then) = if sent % 2 == 0 { ("50", "60") } else { ("60", "50") };
                let text = text
                    .replace(&format!("starts_per_minute = {now}"), &format!("starts_per_minute = {then}"));
                let (now, then) =
                    if sent % 2 == 0 { ("\"Pasted\"", "\"Again\"") } else { ("\"Again\"", "\"Pasted\"") };
                text.replace(now, then)
            });
            bot.signal(Signal::HUP);
            sent += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let socket = setup.dir.path().join("t.sock");
    let programs = async {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let socket = socket.clone();
            callers.spawn(async move {
                let mut caller = Caller::connect(&socket).await;
                for _ in 0..20 {
                    for tenant in ["acme@1", "acme@2"] {
                        let answer = caller.ask(json!({"id": 1, "op": "token", "tenant": tenant})).await;
                        assert_eq!(answer["ok"], json!(true), "{answer}");
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
        callers.join_all().await;
    };
    let logins = async {
        let thread = setup.thread("all-at-once");
        let open = async |name: &str, provider: &str| {
            let member = setup.discord.member(name);
            let card = member.slash(&format!("/auth login {provider}")).in_thread(&thread).send().await;
            card.sees_text("Open sign-in page", SOON).await;
            card
        };
        let (device, paste) = (open("ann", "acme").await, open("bob", "pasted").await);
        let page = open("cyd", "hosted").await;
        setup.authority.approve_device(&device.link("Open sign-in page"), &Person::ada()).await;
        let answer = setup.authority.sign_in(&paste.link("Open sign-in page"), &Person::ben()).await;
        let form = paste.click("Paste the answer").await;
        form.submit_modal([("Address of the last page", answer.as_str())]).await;
        let arrived = setup.authority.sign_in(&page.link("Open sign-in page"), &Person::ada()).await;
        let mut browser = Browser::new();
        let asked = browser.get(&arrived).await;
        let done = browser.submit(&asked, &[("decision", "confirm")]).await;
        assert_eq!(done.status, 200, "{}", done.body);
        for card in [device, paste, page] {
            card.sees_text("Signed in to", NEXT_POLL).await;
        }
    };
    tokio::join!(storm, programs, logins);
    assert_eq!((setup.authority.refreshes(), setup.authority.reuses()), (2, 0), "one for each account");
    assert_eq!((setup.authority.device_starts(), setup.authority.exchanges()), (1, 2));
    assert!(!bot.said().contains("not reloaded"), "{}", bot.said());
    setup.discord.assert_clean();
}
