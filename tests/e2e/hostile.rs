//! An authorization server that means harm, against the whole bot: refused, told in plain words, bounded, followed nowhere,
//! and nothing leaked to Discord, to the log, or into the file's prose.

mod metadata;
mod servers;
mod signing;

use latchkey_test_authority::{Hostile, Raw};
use serde_json::{Value, json};

use crate::harness::{Bot, Setup};

/// What would do something in Discord, on a terminal or in a log, if it were let through.
const FORGED: &str = "@everyone @here <@1> <@&2> <#3> </x:4> [x](https://e.example) **b** ||c|| \u{1b}[31mred\u{7} \u{9b}2J \
                      \u{202e}etirw\u{2066} a\u{200b}b \u{e0041}\r\nlatchkey: forged";

/// A setup in which these endpoints of `acme` are `hostile`'s, each at the path of its own name.
async fn setup_of(hostile: &Hostile, flows: &str, endpoints: &[&str]) -> Setup {
    let line = |name: &&str| format!("{name} = {:?}", hostile.url(&format!("/{name}")));
    let lines = endpoints.iter().map(line).collect::<Vec<_>>().join("\n");
    Setup::plan().acme(&format!("flows = [{flows}]\n{lines}")).start().await
}

/// A bot that logs all it can, without colours: an escape in the log is somebody else's.
async fn loud(setup: &Setup) -> Bot {
    Bot::start_with(setup, |program| {
        program.env("LATCHKEY_LOG", "trace").env("RUST_LOG", "trace").env("NO_COLOR", "1");
    })
    .await
}

/// The most memory that the bot ever had, in MiB.
fn peak(bot: &Bot) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bot.id())).expect("the bot runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

/// Every text in `value`, as whoever reads the JSON has it.
fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(items) => {
            for item in items {
                texts(item, all);
            }
        }
        Value::Object(members) => {
            for item in members.values() {
                texts(item, all);
            }
        }
        _ => {}
    }
}

/// What members were sent.
fn sent(setup: &Setup) -> Vec<String> {
    let mut all = Vec::new();
    for request in setup.discord.requests() {
        texts(&request.body, &mut all);
    }
    all
}

/// Why logins ended and refreshes failed, as it is kept.
fn kept(setup: &Setup) -> Vec<String> {
    let stored: Value = serde_json::from_str(&setup.stored()).expect("JSON");
    let mut all = Vec::new();
    for entry in
        ["pending", "tenants"].iter().flat_map(|section| stored[section].as_object().into_iter().flatten())
    {
        for member in ["reason", "last_error", "token_type"] {
            texts(&entry.1[member], &mut all);
        }
    }
    all
}

/// Nothing of a server's words has any effect anywhere, and none of these secrets, or a piece of one, is to be seen.
fn assert_harmless(setup: &Setup, bot: &Bot, secrets: &[String]) {
    let said = bot.said();
    let all: Vec<String> = sent(setup).into_iter().chain(kept(setup)).chain([said]).collect();
    for text in &all {
        let odd =
            |c: &char| (c.is_control() && !"\n\t".contains(*c)) || "\u{202e}\u{2066}\u{e0041}".contains(*c);
        assert_eq!(text.chars().find(odd), None, "{text}");
        for live in ["@everyone", "@here", "<@1>", "<@&2>", "<#3>", "](https://e.example"] {
            // An escaped one is dead.
            let shown = text.replace("\\@", "").replace("\\<", "").replace("\\]", "");
            assert!(!shown.contains(live), "{live:?} is in\n{text}");
        }
        assert!(!text.lines().any(|line| line.starts_with("latchkey: forged")), "{text}");
        let folded = text.replace(['\u{200b}', ' ', '\\'], "").to_ascii_lowercase();
        for secret in secrets {
            let secret = secret.to_ascii_lowercase().into_bytes();
            for piece in secret.windows(12).map(String::from_utf8_lossy) {
                assert!(!folded.contains(&*piece), "{piece:?} of a secret is in\n{text}");
            }
        }
    }
    assert!(!setup.stored().contains("\\r\\nlatchkey: forged"), "it is kept as it came");
    setup.discord.assert_clean();
}

fn ok(body: &Value) -> Raw {
    Raw::json("200 OK", body.to_string())
}

fn refused(code: &str, description: &str) -> Raw {
    Raw::json("400 Bad Request", json!({"error": code, "error_description": description}).to_string())
}
