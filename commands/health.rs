//! `latchkey health`: how the running bot is, for health checks.
//!
//! Owns the one question that it asks, over loopback. Invariants: it has an end within three seconds; it needs no runtime and no
//! store, since it is called every few seconds. Must not: judge; the bot does.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::exit::{Code, Exit};
use crate::{setup, terminal};

/// How long all of it may take.
const BOUND: Duration = Duration::from_secs(3);
/// The longest answer, in bytes; the bot's are a few hundred.
const ANSWER_CAP: u64 = 64 * 1_024;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latchkey health                  is the bot ready?
  latchkey health --live           does all of it run?
  latchkey health --json           the answer as the bot gave it
  latchkey --quiet health          the exit code alone

It asks the bot on this host at [ops] listen, and waits 3 s at most. Ready is: connected to Discord, and the store can be written. \
A bot that is not ready should be left alone: it says what it lacks and mends what it can; one that is not live should be restarted.

Exit codes: 0 yes, 4 no or nobody answers, 2 there is no [ops] in the configuration.")]
pub struct Arguments {
    /// Ask whether all of it runs, not whether it is ready
    #[arg(long)]
    live: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// What the bot says of itself; which members there are depends on the question.
#[derive(serde::Deserialize)]
struct Answer {
    /// Of `/readyz`.
    ready: Option<bool>,
    /// Of `/healthz`.
    alive: Option<bool>,
    /// What keeps it from being ready.
    #[serde(default)]
    lacking: Vec<String>,
    /// What of it runs no more.
    #[serde(default)]
    ended: Vec<String>,
}

pub fn run(config: Option<&Path>, arguments: &Arguments) -> Result<(), Exit> {
    let config = setup::load(config)?.config;
    let ops = config.ops.ok_or_else(|| {
        let text = "there is no [ops] table in the configuration, so the bot answers no health checks: add\n[ops]\nlisten = \"127.0.0.1:8485\"";
        Exit::new(Code::Usage, text)
    })?;
    let address = reachable(ops.listen);
    let path = if arguments.live { "/healthz" } else { "/readyz" };
    let asked = ask(address, path);
    let (status, body) = asked.map_err(|why| {
        let text = format!("no bot answers at {address}: {why}. Is it running? Start it with `latchkey run`");
        Exit::new(Code::Transient, text)
    })?;
    let strange = || {
        let text =
            format!("another program than Latchkey answers at {address}: choose another listen under [ops]");
        Exit::new(Code::Transient, text)
    };
    let answer: Answer = serde_json::from_str(&body).map_err(|_| strange())?;
    let said = if arguments.live { answer.alive } else { answer.ready }.ok_or_else(strange)?;
    if arguments.json {
        terminal::print(body.trim())?;
    }
    if said && status == 200 {
        return if arguments.json || terminal::is_quiet() {
            Ok(())
        } else {
            terminal::print(if arguments.live { "live" } else { "ready" })
        };
    }
    if arguments.json || terminal::is_quiet() {
        return Err(Exit::silent(Code::Transient));
    }
    Err(Exit::new(Code::Transient, wording(arguments.live, &answer)))
}

/// What is said of a bot that is not as it should be.
fn wording(live: bool, answer: &Answer) -> String {
    let (what, why) = if live { ("live", &answer.ended) } else { ("ready", &answer.lacking) };
    let lines = why.iter().flat_map(|why| ["\n  ", why.as_str()]).collect::<String>();
    let remedy = if live { "\nrestart it; what the log says of it is worth a report" } else { "" };
    format!("the bot is not {what}:{lines}{remedy}")
}

/// Where a bot that listens at `address` is reached from this host.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Asks, and gives the status with the body.
fn ask(address: SocketAddr, path: &str) -> Result<(u16, String), String> {
    let end = Instant::now() + BOUND;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
            format!("no answer within {} s", BOUND.as_secs())
        }
        _ => error.to_string(),
    };
    let mut stream = TcpStream::connect_timeout(&address, BOUND).map_err(failed)?;
    let left = || end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_write_timeout(Some(left())).map_err(failed)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        if Instant::now() >= end {
            return Err(format!("no whole answer within {} s", BOUND.as_secs()));
        }
        stream.set_read_timeout(Some(left())).map_err(failed)?;
        let length = stream.read(&mut piece).map_err(failed)?;
        answer.extend_from_slice(&piece[..length]);
        if length == 0 {
            break;
        }
        if answer.len() as u64 > ANSWER_CAP {
            return Err("its answer is too long for a bot's".to_owned());
        }
    }
    // Nothing more is said on it.
    let _ = stream.shutdown(Shutdown::Both);
    understand(&answer).ok_or_else(|| "what answers there speaks no HTTP".to_owned())
}

/// Status and body of a whole HTTP/1.1 answer (RFC 9112) that ends with its connection.
fn understand(answer: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?;
    let status: u16 = status.get(..3)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests;
