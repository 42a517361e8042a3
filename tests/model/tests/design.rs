//! The design as it is: every law in every state, in several bounds.

use std::collections::HashMap;

use latchkey_test_model::property::{LAWS, SIGHTS};
use latchkey_test_model::protocol::{FIRST, FIRST_TOKEN, Protocol};
use latchkey_test_model::world::{Budget, Tick, Want, World};
use stateright::{Checker, HasDiscoveries, Model};

use crate::trace::told;

const NONE: Budget = Budget {
    kills: 0,
    losses: 0,
    refusals: 0,
    doubts: 0,
    fills: 0,
    empties: 0,
    ticks: 0,
    callers: 0,
    logouts: 0,
    sign_ins: 0,
    siblings: 0,
};

/// Three callers whose token has ended; or was rejected; or lasts too short, today or until tomorrow.
const STARTS: [(Want, Tick); 4] = [
    (Want::Plain, 0),
    (Want::Rejects(FIRST_TOKEN), 1),
    (Want::Longer(FIRST), 1),
    (Want::Rejects(FIRST_TOKEN), 2),
];

/// Explores everything: no law may be broken anywhere, and each of `sights` must be seen.
fn holds(name: &str, protocol: Protocol, sights: &[usize]) {
    let checker = protocol.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    for law in LAWS {
        if let Some(path) = found.get(law) {
            panic!("{name}: it does not hold that {law}:\n{}", told(path));
        }
    }
    eprintln!("{name}: {} states, {} steps deep", checker.unique_state_count(), checker.max_depth());
    for (sight, _) in sights.iter().map(|sight| SIGHTS[*sight]) {
        assert!(found.contains_key(sight), "{name}: never seen: {sight}");
    }
}

/// G1, G2, G7, G12, G14, G15, G20
#[test]
fn one_refresh_whoever_is_killed() {
    let budget = Budget { kills: 3, callers: 3, ..NONE };
    holds("kills", Protocol::new(&STARTS, budget), &[5, 8, 9, 13]);
}

/// G10, G16, G17, G19, G20
#[test]
fn no_loss_of_requests_or_replies_ends_a_sign_in_unasked() {
    let budget = Budget { kills: 1, losses: 2, refusals: 1, ticks: 2, callers: 1, ..NONE };
    holds("answers", Protocol::new(&STARTS, budget), &[3, 4, 5, 8, 9, 10, 13]);
}

/// G18, G22
#[test]
fn a_logout_and_a_newer_sign_in_win() {
    let budget = Budget { kills: 1, losses: 1, logouts: 1, sign_ins: 1, callers: 1, ..NONE };
    holds("people", Protocol::new(&STARTS, budget), &[5, 6, 7, 8, 9]);
}

/// G19
#[test]
fn a_newer_sign_in_of_the_same_account_is_left_alone() {
    let budget = Budget { kills: 1, losses: 1, siblings: 1, ticks: 1, callers: 1, ..NONE };
    holds("siblings", Protocol::new(&STARTS, budget), &[5, 8, 9, 11, 13]);
}

/// G21, G22
#[test]
fn a_rotation_survives_a_full_disk() {
    let budget = Budget { kills: 1, doubts: 1, fills: 1, empties: 1, sign_ins: 1, callers: 1, ..NONE };
    holds("disk", Protocol::new(&STARTS, budget), &[0, 1, 2, 5, 7, 8, 9, 12]);
}

/// G19: towards a server that tolerates a second use.
#[test]
fn a_lenient_server_is_asked_again_at_once() {
    let budget = Budget { kills: 1, losses: 2, refusals: 1, ticks: 1, callers: 1, ..NONE };
    holds("lenient", Protocol::new(&STARTS, budget).lenient(), &[3, 4, 5, 8]);
}

/// All of it with more of everything; some minutes, a few gigabytes.
#[test]
#[ignore = "by hand or nightly: minutes, and gigabytes of memory"]
fn the_design_holds_in_larger_bounds() {
    let answers = Budget { kills: 2, losses: 2, refusals: 1, ticks: 2, callers: 2, ..NONE };
    let people =
        Budget { siblings: 1, callers: 1, logouts: 1, sign_ins: 1, kills: 1, losses: 1, ticks: 1, ..NONE };
    let disk =
        Budget { kills: 2, doubts: 1, fills: 1, empties: 1, sign_ins: 1, callers: 1, ticks: 1, ..NONE };
    for (name, budget) in [("more answers", answers), ("more people", people), ("more of the disk", disk)] {
        holds(name, Protocol::new(&STARTS, budget), &[]);
    }
}

/// G8, G10: no run is endless, so that what the laws say of states at rest is true of every run in the end.
#[test]
fn every_run_comes_to_rest() {
    let answers = Budget { kills: 1, losses: 1, refusals: 1, sign_ins: 1, ticks: 1, ..NONE };
    let disk = Budget { doubts: 1, fills: 1, empties: 1, sign_ins: 1, callers: 1, ..NONE };
    for budget in [answers, disk] {
        let protocol = Protocol::new(&STARTS, budget);
        if let Some(world) = cycle(&protocol) {
            panic!("a run comes back to {world:#?}");
        }
    }
}

/// A state that some run comes back to, by a depth-first search of all runs.
fn cycle(protocol: &Protocol) -> Option<World> {
    // Whether a state is on the way from the start to here, or was left for good.
    let mut on_the_way = HashMap::new();
    let mut way: Vec<(World, Vec<World>)> = Vec::new();
    for start in protocol.init_states() {
        way.push((start, protocol.next_states(&start)));
        on_the_way.insert(start, true);
        while let Some((world, ahead)) = way.last_mut() {
            let Some(next) = ahead.pop() else {
                on_the_way.insert(*world, false);
                way.pop();
                continue;
            };
            match on_the_way.get(&next) {
                Some(true) => return Some(next),
                Some(false) => {}
                None => {
                    on_the_way.insert(next, true);
                    way.push((next, protocol.next_states(&next)));
                }
            }
        }
    }
    None
}
