//! A thousand threads and many commands a second: every one is acknowledged, soon, and memory stays as it is.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use latchkey_test_discord::{Channel, Interaction, Member};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::harness::{Bot, SOON, Setup};
use crate::members::login;

/// How long an ordinary run lasts, in seconds; `LATCHKEY_LOAD_SECONDS=60` is the whole.
const SECONDS: u64 = 6;
/// Commands in a second: what a debug build does beside other tests. `LATCHKEY_LOAD_RATE=200` is the whole.
const RATE: u64 = 25;
const THREADS: usize = 1_000;
const MEMBERS: usize = 20;
/// Another program than the one these tests are built with: one that is built for release.
const PROGRAM: &str = "LATCHKEY_LOAD_PROGRAM";
/// An acknowledgement comes within this time, of a hundred all but one.
const ACKNOWLEDGED: Duration = Duration::from_millis(250);
/// On a machine that is slow just now: within so many of the stand-in's own round trips.
const ROUND_TRIPS: u32 = 50;
/// What memory may grow by once the bot is warm, in kB.
const GROWTH: u64 = 6_000;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// U1, W3: of the commands that come from a thousand threads, each is acknowledged, as soon as the machine is able to; and memory is flat.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_threads_are_served_at_once() {
    let setup = Setup::new().await;
    let threads: Vec<_> = (0..THREADS).map(|number| setup.thread(&format!("thread-{number}"))).collect();
    let bot = Bot::start_with(&setup, |program| {
        program.env("LATCHKEY_LOG", "warn");
        if let Some(other) = std::env::var_os(PROGRAM) {
            *program = in_place_of(program, &other);
        }
    });
    let bot = bot.await;
    let members: Vec<_> =
        (0..MEMBERS).map(|number| setup.discord.member(&format!("member-{number}"))).collect();
    let mut cards = Vec::new();
    for (member, thread) in members.iter().zip(&threads) {
        cards.push(login(member, thread).await);
    }
    // As many commands in a few threads first, so that what every command needs is there.
    let few = threads.get(..MEMBERS).unwrap();
    one_in_each(&members, few, THREADS).await;
    let before = memory(bot.id());
    one_in_each(&members, &threads, THREADS).await;
    let idle = memory(bot.id());
    println!(
        "memory: {before} kB with {MEMBERS} workers, {idle} kB with {THREADS}: {:.1} kB for each",
        f64::from(u32::try_from(idle.saturating_sub(before)).unwrap())
            / f64::from(u32::try_from(THREADS - MEMBERS).unwrap())
    );

    let seconds = setting("LATCHKEY_LOAD_SECONDS", SECONDS);
    let all = seconds * setting("LATCHKEY_LOAD_RATE", RATE);
    let mut next = tokio::time::interval(Duration::from_secs(seconds) / u32::try_from(all).unwrap());
    next.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let base = setup.discord.api_base();
    let (mut acts, mut own, mut warm, mut most) = (JoinSet::new(), Vec::new(), idle, idle);
    let (began, cpu) = (Instant::now(), [bot.id(), std::process::id()].map(used));
    for number in 0..all {
        next.tick().await;
        let place = MEMBERS + usize::try_from(number * 7_919).unwrap() % (THREADS - MEMBERS);
        let who = usize::try_from(number / 20).unwrap() % MEMBERS;
        acts.spawn(act(number, members[who].clone(), threads[place].clone(), cards[who].clone()));
        if number % (all / 20) == 0 {
            let trip = Instant::now();
            reqwest::get(format!("{base}/api/v10/gateway")).await.unwrap();
            own.push(trip.elapsed());
            most = memory(bot.id());
            println!("{:>5.1} s: {most} kB", began.elapsed().as_secs_f64());
        }
        if number == all / 4 {
            warm = memory(bot.id());
        }
    }
    let mut took: Vec<_> = tokio::time::timeout(SOON, acts.join_all()).await.expect("all are acknowledged");
    let ended = began.elapsed();
    let [busy, busy_own] = [bot.id(), std::process::id()].map(used);
    took.sort_unstable();
    own.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let trip = own[own.len() / 2];
    println!(
        "{} commands in {:.1} s: p50 {:?}, p90 {:?}, p99 {:?}, most {:?}; the stand-in's own round trip {trip:?}; processors: bot {:.0} %, stand-in {:.0} %",
        took.len(),
        ended.as_secs_f64(),
        at(50),
        at(90),
        at(99),
        at(100),
        f64::from(busy - cpu[0]) / ended.as_secs_f64(),
        f64::from(busy_own - cpu[1]) / ended.as_secs_f64(),
    );
    assert_eq!(took.len() as u64, all);
    assert!(at(99) <= ACKNOWLEDGED.max(trip * ROUND_TRIPS), "{:?}, and a round trip takes {trip:?}", at(99));
    assert!(most <= warm + GROWTH, "{warm} kB, then {most} kB");
    setup.discord.assert_clean();
}

/// The same command line and environment, for another program.
fn in_place_of(program: &Command, other: &OsStr) -> Command {
    let mut command = Command::new(other);
    command.args(program.get_args()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(program.get_current_dir().unwrap());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the process `id` has in memory, in kB.
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_ascii_whitespace().next().unwrap().parse().unwrap()
}

/// How many seconds of a processor the process `id` has used, in its ticks of a hundredth.
fn used(id: u32) -> u32 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
    fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap()
}

/// `/auth status` in each of `threads` in turn, so many in all, a few at once.
async fn one_in_each(members: &[Member], threads: &[Channel], all: usize) {
    let mut under_way = JoinSet::new();
    for (member, thread) in members.iter().cycle().zip(threads.iter().cycle()).take(all) {
        if under_way.len() == 8 {
            under_way.join_next().await.unwrap().unwrap();
        }
        let status = member.slash("/auth status").in_thread(thread);
        under_way.spawn(async move { drop(status.send().await) });
    }
    under_way.join_all().await;
}

/// One command, and how long its acknowledgement took.
async fn act(number: u64, member: Member, thread: Channel, card: Interaction) -> Duration {
    let done = match number % 10 {
        0..4 => member.slash("/auth status").in_thread(&thread).send().await,
        4..6 => member.slash("/auth list").in_thread(&thread).send().await,
        6 | 7 => {
            let began = Instant::now();
            let typed = member.autocomplete("/auth login").focused("provider", "ac").in_thread(&thread);
            assert_eq!(typed.send().await.len(), 1);
            return began.elapsed();
        }
        // Not where a card is that others press on.
        8 => member.slash("/auth login").in_thread(&thread).send().await,
        _ => card.click("Try another way").await,
    };
    done.acknowledged_after()
}
