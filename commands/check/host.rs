//! What of this host the bot needs besides: its address for operators, the audit file, descriptors.
//!
//! Owns the findings on `[ops]`, `[log]` and the limit of open files. Must not: write to the audit file.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use latchkey::config::{AuditSink, LogConfig, OpsConfig};
use latchkey::foreign::folder;
use rustix::fs::{Access, access};
use rustix::process::{Resource, getrlimit};
use url::Url;

use super::ask;
use super::finding::Finding;
use crate::exit::Code;

/// How long a bot of this host may take to answer.
const OPS: Duration = Duration::from_secs(3);
/// How many files a small bot has open: connections, locks, and the files themselves.
const FEW_DESCRIPTORS: u64 = 1_024;

/// Where metrics and health are asked for.
pub(super) async fn ops(config: &OpsConfig) -> Vec<Finding> {
    const PART: &str = "ops";
    let listen = config.listen;
    let mut found = match std::net::TcpListener::bind(listen) {
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
    let refused =
        |what: String, remedy: &str| Finding::problem(PART, Code::Usage, what, remedy).at(path.display());
    Some(match writable(path) {
        Ok(()) => Finding::ok(PART, format!("audit lines go to {}", path.display())),
        Err(why) => refused(
            format!("audit lines cannot be written: {why}"),
            "give the user that Latchkey runs as the right to write there, or choose another place for audit under [log]",
        ),
    })
}

fn writable(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err("it is a folder".to_owned()),
        Ok(_) => access(path, Access::WRITE_OK).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let place = folder(path);
            let refused = |error| format!("the folder {} cannot be written ({error})", place.display());
            access(place, Access::WRITE_OK | Access::EXEC_OK).map_err(refused)
        }
        Err(error) => Err(error.to_string()),
    }
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
    use super::super::finding::Level;
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
