//! What of this host the bot needs besides: its address for operators, the audit file, descriptors.
//!
//! Owns the findings on `[ops]`, `[log]` and the limit of open files. Must not: write to the audit file.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use latchkey::config::{AuditSink, LogConfig, OpsConfig};
use rustix::process::{Resource, getrlimit};
use url::Url;

use super::ask;
use super::finding::{Finding, Level};
use crate::exit::Code;
use crate::log::sink;

/// How long a bot of this host may take to answer.
const OPS: Duration = Duration::from_secs(3);
/// How many files a small bot has open: connections, locks, and the files themselves.
const FEW_DESCRIPTORS: u64 = 1_024;

/// A bot that runs and does not listen here: most likely in another container, which has loopback addresses of its own.
pub(super) const ELSEWHERE: &str = "a bot of this store runs, and not where this `check` does: run it beside the bot, as by `docker \
     compose exec`";

/// Where metrics and health are asked for.
pub(super) async fn ops(config: &OpsConfig, is_running: bool) -> Vec<Finding> {
    const PART: &str = "ops";
    let listen = config.listen;
    let mut found = match std::net::TcpListener::bind(listen) {
        Ok(_) if is_running => {
            vec![Finding::ok(PART, format!("health and metrics are not asked for: {ELSEWHERE}"))]
        }
        Ok(_) => {
            vec![Finding::ok(PART, format!("health and metrics are served on {listen} once a bot runs"))]
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => vec![taken(listen).await],
        Err(error) => {
            let what = format!("cannot listen on {listen}: {error}");
            let remedy = "choose another listen under [ops]";
            return vec![Finding::problem(PART, Code::Usage, what, remedy).at("ops.listen")];
        }
    };
    if is_open(listen.ip()) {
        found.push(
            Finding::warning(
                PART,
                format!("health and metrics on {listen} can be read by whoever reaches this host"),
                "write listen = \"127.0.0.1:8485\", or see to it that only your monitoring reaches that port",
            )
            .at("ops.listen"),
        );
    }
    found
}

async fn taken(listen: SocketAddr) -> Finding {
    let ip = if listen.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    let address = format!("http://{}/metrics", SocketAddr::new(ip, listen.port()));
    let answer = match address.parse::<Url>() {
        Ok(url) => ask::text(&url, OPS).await,
        Err(error) => Err(error.to_string()),
    };
    match answer {
        Ok((200, text)) if text.contains("latchkey_") => {
            Finding::ok("ops", format!("a Latchkey serves health and metrics on {listen}"))
        }
        _ => Finding::problem(
            "ops",
            Code::Usage,
            format!("another program listens on {listen}, or a bot that does not answer"),
            "choose another listen under [ops], or end that program",
        )
        .at("ops.listen"),
    }
}

/// Whether more than this host and its own network get there.
fn is_open(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// Whether audit lines can be written.
pub(super) fn audit(config: &LogConfig) -> Option<Finding> {
    const PART: &str = "log";
    let path = match config.audit.as_ref()? {
        AuditSink::StandardOutput => {
            return Some(Finding::ok(PART, "audit lines go to the bot's standard output"));
        }
        AuditSink::File(path) => path,
    };
    let refused = |text: &str| Finding::told(Level::Problem, PART, Code::Usage, text).at(path.display());
    Some(match sink::judge(path) {
        Ok(()) => Finding::ok(PART, format!("audit lines go to {}", path.display())),
        Err(error) => refused(&error.to_string()),
    })
}

/// Whether there are files enough to be opened.
pub(super) fn descriptors() -> Finding {
    enough(getrlimit(Resource::Nofile).maximum)
}

fn enough(limit: Option<u64>) -> Finding {
    match limit {
        Some(limit) if limit < FEW_DESCRIPTORS => Finding::warning(
            "host",
            format!("this user may open {limit} files at a time, which a busy bot has soon used up"),
            "raise it: LimitNOFILE=16384 in the systemd unit, `ulimit -Hn`, or the container's ulimits",
        ),
        Some(limit) => Finding::ok("host", format!("{limit} files may be open at a time")),
        None => Finding::ok("host", "any number of files may be open at a time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_reach_an_address_is_known_by_it() {
        for (ip, open) in [
            ("127.0.0.1", false),
            ("10.0.0.4", false),
            ("192.168.1.1", false),
            ("0.0.0.0", true),
            ("203.0.113.7", true),
            ("::1", false),
            ("::", true),
            ("fd00::1", false),
            ("2001:db8::1", true),
        ] {
            assert_eq!(is_open(ip.parse().unwrap()), open, "{ip}");
        }
    }

    #[test]
    fn few_descriptors_are_a_warning() {
        for (limit, level) in [(Some(1_023), Level::Warning), (Some(1_024), Level::Ok), (None, Level::Ok)] {
            assert_eq!(enough(limit).level, level, "{limit:?}");
        }
    }
}
