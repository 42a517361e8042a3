//! The unit that ships, held against the program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::footing::DRAIN;
use crate::discord::connection::GOODBYE;
use crate::exit::Code;
use crate::ops::LAST_SCRAPE;

const UNIT: &str = include_str!("../../config/latchkey.service");
/// The most that `systemd-analyze security` may find, in tenths: what stays is the network, and no user namespace.
const EXPOSURE: u32 = 17;

/// The values of `key`, in order.
fn values(key: &str) -> Vec<&'static str> {
    let lines = UNIT.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(name, _)| *name == key).map(|(_, value)| value).collect()
}

/// What "2min", "90s" and the like stand for.
fn span(text: &str) -> Duration {
    let at = text.find(|c: char| !c.is_ascii_digit()).expect("a unit of time");
    let number: u64 = text[..at].parse().expect("a number");
    match &text[at..] {
        "s" => Duration::from_secs(number),
        "m" | "min" => Duration::from_mins(number),
        other => panic!("{other} is no unit of time that is used here"),
    }
}

/// Whoever stops the bot must give it longer than the exchanges under way may take.
fn leaves_time_to_drain(grace: Duration) {
    let longest = DRAIN + GOODBYE + LAST_SCRAPE;
    assert!(
        grace > longest,
        "{grace:?} is not above {longest:?}: {DRAIN:?}, {GOODBYE:?} and {LAST_SCRAPE:?}"
    );
}

/// G29, W5
#[test]
fn the_unit_gives_the_end_its_time() {
    leaves_time_to_drain(span(values("TimeoutStopSec")[0]));
    let compose = include_str!("../../docker-compose.yml");
    let graces: Vec<_> =
        compose.lines().filter_map(|line| line.trim().strip_prefix("stop_grace_period: ")).collect();
    assert!(!graces.is_empty(), "docker-compose.yml gives the bot time to end");
    for grace in graces {
        leaves_time_to_drain(span(grace));
    }
}

/// What a restart does not mend is not tried again; whatever else fails is.
#[test]
fn the_unit_restarts_what_a_restart_can_mend() {
    assert_eq!(values("Restart"), ["on-failure"]);
    assert_eq!(values("RestartPreventExitStatus"), [(Code::Usage as u8).to_string()]);
}

/// F4, T14: secrets come as credentials, the store's folder keeps its owner and is nobody else's.
#[test]
fn the_unit_keeps_secrets_and_store_to_the_bot() {
    assert!(values("LoadCredential")[0].starts_with("discord-token:"));
    assert!(UNIT.contains("#LoadCredential=seal-key:"));
    assert_eq!((values("StateDirectory"), values("StateDirectoryMode")), (vec!["latchkey"], vec!["0700"]));
    assert_eq!((values("User"), values("DynamicUser")), (vec!["latchkey"], Vec::new()));
    assert_eq!((values("LimitCORE"), values("UMask")), (vec!["0"], vec!["0077"]));
    assert!(values("Environment").is_empty() && values("EnvironmentFile").is_empty());
}

/// systemd's own judgement, where its program is there: it reads every line, and finds little to attack.
#[test]
fn systemd_understands_the_unit_and_finds_it_hardened() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return println!("not tried: there is no systemd-analyze");
    }
    let folder = tempfile::TempDir::new().unwrap();
    let unit = folder.path().join("latchkey.service");
    let me = std::env::current_exe().unwrap();
    // Only the place of the program differs where it is not installed.
    std::fs::write(&unit, UNIT.replace("/usr/local/bin/latchkey", &me.display().to_string())).unwrap();
    let analyzed = |arguments: &[&str], unit: &Path| {
        let output = Command::new("systemd-analyze").args(arguments).arg(unit).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (understood, said) = analyzed(&["verify", "--man=no"], &unit);
    let about_us: Vec<_> = said.lines().filter(|line| line.contains("latchkey.service")).collect();
    assert!(understood && about_us.is_empty(), "{said}");
    let threshold = format!("--threshold={EXPOSURE}");
    let (hardened, said) = analyzed(&["security", "--no-pager", "--offline=true", &threshold], &unit);
    assert!(hardened, "{said}");
}
