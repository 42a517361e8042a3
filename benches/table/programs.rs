//! Whole processes: a fresh token, and a storm of twenty.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use latchkey::clock::Clock;
use latchkey::credential::Account;
use latchkey::secret::Secret;
use latchkey::store::file::FileStore;
use latchkey::store::seal::{Keys, add_key, new_key};
use latchkey_test_authority::{Authority, CLIENT, Endpoint, Person};

use crate::common::ground::{Ground, key, runtime};
use crate::common::pair::{Limit, Sample};
use crate::common::rows::set;
use crate::oidc_agent::OidcAgent;
use crate::row::Row;

/// The two programs that print a token, with the arguments that ask for one.
pub const PROGRAMS: [(&str, &str, &[&str]); 2] = [
    ("latchkey-token", env!("CARGO_BIN_EXE_latchkey-token"), &[]),
    ("latchkey token", env!("CARGO_BIN_EXE_latchkey"), &["token"]),
];

/// As fast as a program whose daemon has the token in memory.
const AS_FAST: Limit = Limit::AtMost(1.1);
const TURNS: usize = 150;
/// Processes of a storm.
const STORM: usize = 20;
const STORMS: usize = 7;
/// How long the endpoint of the storm takes.
const ENDPOINT: Duration = Duration::from_secs(1);

/// The command that asks for the token of `acme`.
pub fn asking(ground: &Ground, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg("--config").arg(&ground.config).arg("acme");
    command.env_remove("LATCHKEY_CONFIG").env_remove("FAILPOINTS");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// Spawned and reaped.
pub fn whole(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.status().unwrap();
    let took = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

pub fn fresh() -> Vec<Row> {
    let (one, many) = (Ground::new(1), Ground::new(1_000));
    let mut nothing = Command::new("/bin/true");
    nothing.stdin(Stdio::null()).stdout(Stdio::null());
    let mut asking: Vec<(String, Limit, Command, Vec<Duration>)> = Vec::new();
    for (name, program, arguments) in PROGRAMS {
        for (ground, size, limit) in
            [(&one, "", Limit::AtMost(2.0)), (&many, ", 1,000 tenants", Limit::AtMost(4.0))]
        {
            let what = format!("a fresh token, whole process of `{name}`{size}");
            asking.push((what, limit, self::asking(ground, program, arguments), Vec::new()));
        }
    }
    let agent = OidcAgent::start();
    if agent.is_none() {
        eprintln!("oidc-agent is not installed (Debian: oidc-agent-cli): its rows are left out");
    }
    let mut other = agent.as_ref().map(OidcAgent::asking);
    let (mut peers, mut others) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        let peer = whole(&mut nothing);
        let time = other.as_mut().map(whole);
        others.extend(time.filter(|_| turn > 0));
        for (_, _, command, times) in &mut asking {
            let time = whole(command);
            if turn > 0 {
                times.push(time);
            }
        }
        if turn > 0 {
            peers.push(peer);
        }
    }
    let peer = Sample::of(peers);
    let other = other.map(|_| Sample::of(others));
    let mut beside = Vec::new();
    if let Some(other) = other {
        let row =
            Row::ratio("a fresh token, whole process of `oidc-token`", "`/bin/true`", AS_FAST, other, peer);
        beside.push(row.for_comparison());
        for (what, _, command, times) in &asking {
            let row = Row::ratio(what, "`oidc-token`", AS_FAST, Sample::of(times.clone()), other);
            let is_theirs = command.get_program() == PROGRAMS[0].1 && !what.contains("1,000");
            beside.push(if is_theirs { row } else { row.for_comparison() });
        }
    }
    let row = |(what, limit, command, times): (String, Limit, Command, Vec<Duration>)| {
        let row = Row::ratio(&what, "`/bin/true`", limit, Sample::of(times), peer);
        // The row is about the fresh path's own program; the whole one stands beside it.
        if command.get_program() == PROGRAMS[0].1 { row } else { row.for_comparison() }
    };
    asking.into_iter().map(row).chain(beside).collect()
}

/// A ground whose file is sealed.
fn sealed_ground(tenants: usize) -> Ground {
    let ground = Ground::new(tenants);
    let keys = ground.folder().join("seal.keys");
    add_key(&keys, &new_key(None).unwrap()).unwrap();
    let text = std::fs::read_to_string(&ground.config).unwrap();
    let line = format!("[store]\nseal_key_file = {:?}", keys.to_string_lossy());
    std::fs::write(&ground.config, text.replacen("[store]", &line, 1)).unwrap();
    let store = FileStore::open(&ground.auth, false, Clock::system()).unwrap();
    let store = store.sealed_by(Keys::in_file(&keys).unwrap());
    runtime().block_on(store.seal_now()).unwrap();
    ground
}

/// What sealing costs somebody who asks for a fresh token: beside the same from a file in clear.
pub fn sealed() -> Vec<Row> {
    let grounds = [(1, ""), (1_000, ", 1,000 tenants")];
    let rows = PROGRAMS.into_iter().flat_map(|(name, program, arguments)| {
        grounds.into_iter().map(move |(tenants, size)| {
            let grounds = [sealed_ground(tenants), Ground::new(tenants)];
            let [mut sealed, mut clear] = grounds.each_ref().map(|ground| asking(ground, program, arguments));
            let (mut times, mut peers) = (Vec::new(), Vec::new());
            for turn in 0..=TURNS {
                let (time, peer) = (whole(&mut sealed), whole(&mut clear));
                if turn > 0 {
                    times.push(time);
                    peers.push(peer);
                }
            }
            let what = format!("a fresh token that is sealed, whole process of `{name}`{size}");
            Row::ratio(&what, "the same in clear", Limit::AtMost(1.25), Sample::of(times), Sample::of(peers))
        })
    });
    rows.collect()
}

/// A ground whose token of `acme` has ended, of a provider that takes its time.
pub fn expired(authority: &Authority, endpoint: Duration, tenants: usize) -> Ground {
    authority.latency(Endpoint::Token, endpoint);
    let ground = Ground::at(tenants, &authority.token_endpoint());
    expire(&ground, authority);
    ground
}

fn expire(ground: &Ground, authority: &Authority) {
    let tokens = authority.mint_expired(&Person::ada(), CLIENT, &["openid", "offline_access"]);
    runtime().block_on(set(&*ground.store(), key("acme"), move |held| {
        held.refresh_token = Some(Secret::new(&*tokens.refresh));
        held.account = Account::default();
        held.expires_at = Some(1);
    }));
}

/// How long `processes` that come at once take until the last of them has the new token.
pub fn one_storm(
    ground: &Ground,
    authority: &Authority,
    program: &str,
    arguments: &[&str],
    processes: usize,
) -> Duration {
    expire(ground, authority);
    let before = authority.refreshes();
    let start = Instant::now();
    let running: Vec<Child> =
        (0..processes).map(|_| asking(ground, program, arguments).spawn().unwrap()).collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let took = start.elapsed();
    assert_eq!(authority.refreshes(), before + 1, "a storm is one refresh");
    took
}

pub fn storm() -> Vec<Row> {
    let authority = Authority::start();
    let limit = Duration::from_millis(100);
    let measured = PROGRAMS.into_iter().map(|(name, program, arguments)| {
        let ground = expired(&authority, ENDPOINT, 1);
        let once = |_| one_storm(&ground, &authority, program, arguments, STORM).saturating_sub(ENDPOINT);
        let over = Sample::of((0..STORMS).map(once).collect());
        let what = format!("a storm of {STORM} `{name}`, beyond the endpoint's {} s", ENDPOINT.as_secs());
        Row::time(&what, over, "", limit)
    });
    measured.collect()
}
