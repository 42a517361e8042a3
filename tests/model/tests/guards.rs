//! The design without each of its guards: the model finds what each is there for.

use latchkey_test_model::guard::Guard::{self, *};
use latchkey_test_model::property::{
    ALIVE, ANNOUNCED, AT_RISK, BOUNDED, DURABLE, FINAL, FORCED, KEPT, LAWS, MOVES, NEEDED, ONCE, PACED,
    RECOVERS, SIBLING, TWO_A_FLIGHT,
};
use latchkey_test_model::protocol::{FIRST, FIRST_TOKEN, Protocol};
use latchkey_test_model::world::{Budget, Want};
use stateright::{Checker, HasDiscoveries, Model};

use crate::trace::told;

const STARTS: [(Want, u8); 3] = [(Want::Plain, 0), (Want::Rejects(FIRST_TOKEN), 2), (Want::Longer(FIRST), 1)];

/// Guards taken out, what the environment may do meanwhile, and the laws that break.
type Case<'a> = (&'a [Guard], Budget, &'a [&'static str]);

/// Each case breaks each of its laws.
fn break_each(cases: &[Case<'_>]) {
    for (guards, budget, laws) in cases {
        let without = Protocol::new(&STARTS, *budget).without(guards);
        let enough = HasDiscoveries::AllOf(laws.iter().copied().collect());
        let checker = without.checker().threads(2).finish_when(enough).spawn_bfs().join();
        let found = checker.discoveries();
        eprintln!("without {guards:?}: {} states", checker.unique_state_count());
        for law in *laws {
            assert!(found.contains_key(law), "without {guards:?} it still holds that {law}");
        }
    }
}

fn budget() -> Budget {
    Budget::default()
}

/// G1, G2, G7, G12
#[test]
fn no_guard_of_the_lock_can_be_spared() {
    break_each(&[
        (&[RefreshLock], budget(), &[ONCE]),
        (&[KernelLock], Budget { kills: 1, ..budget() }, &[MOVES]),
        (&[ReadInsideTheLock], Budget { kills: 2, ..budget() }, &[BOUNDED]),
        (&[ReadInsideTheLock, IntentCompares], budget(), &[ONCE]),
        (&[WantCheckedInsideTheLock], budget(), &[NEEDED]),
        (&[LockHeldUntilDurable], budget(), &[ONCE]),
        (&[TwoExchangesAFlight], Budget { losses: 1, sign_ins: 1, ticks: 1, ..budget() }, &[TWO_A_FLIGHT]),
    ]);
}

/// G15, G16, G19, G20
#[test]
fn no_guard_of_the_attempts_can_be_spared() {
    let kills = Budget { kills: 2, ..budget() };
    let refused = Budget { kills: 1, losses: 1, refusals: 1, ticks: 1, callers: 2, ..budget() };
    let uncertain = Budget { kills: 1, losses: 2, ticks: 1, callers: 1, ..budget() };
    break_each(&[
        (&[Intent], kills, &[ANNOUNCED, BOUNDED]),
        (&[IntentBeforeTheSend], kills, &[ANNOUNCED, BOUNDED]),
        (&[IntentInTheStore], kills, &[ANNOUNCED, BOUNDED]),
        (&[AttemptsAreBounded], kills, &[BOUNDED]),
        (&[UncertainIsWrittenDown], kills, &[RECOVERS]),
        (&[EachTryWaits], uncertain, &[BOUNDED]),
        (&[PutBackKeepsTheAttempt], refused, &[BOUNDED]),
        (&[BackOffHonoured], Budget { refusals: 1, ..budget() }, &[PACED]),
        (&[ForcedOnce], Budget { callers: 1, ..budget() }, &[FORCED]),
        (&[Hold], Budget { losses: 1, ..budget() }, &[AT_RISK]),
    ]);
}

/// G19
#[test]
fn no_guard_of_newer_sign_ins_can_be_spared() {
    let sibling = Budget { kills: 1, siblings: 1, ..budget() };
    let sign_in = Budget { kills: 1, sign_ins: 1, ..budget() };
    break_each(&[
        (&[SiblingRule], sibling, &[SIBLING]),
        (&[SiblingsLookedForAgain], sibling, &[SIBLING]),
        (&[SiblingsLookedForAgain], sign_in, &[SIBLING]),
        (&[MarkCompares], sign_in, &[ALIVE]),
    ]);
}

/// G21, G22
#[test]
fn no_guard_of_the_save_can_be_spared() {
    let (sign_in, logout) = (Budget { sign_ins: 1, ..budget() }, Budget { logouts: 1, ..budget() });
    break_each(&[
        (&[SaveCompares], sign_in, &[FINAL]),
        (&[SaveCompares], logout, &[FINAL]),
        (&[SaveComparesTheId], sign_in, &[FINAL]),
        (&[SaveKnowsItsOwn], Budget { doubts: 1, ..budget() }, &[KEPT]),
        (&[DurableBeforePublished], budget(), &[DURABLE]),
    ]);
}

/// G21, G22
#[test]
fn no_guard_of_the_rescue_can_be_spared() {
    let full = Budget { fills: 1, empties: 1, ..budget() };
    break_each(&[
        (&[RoomSetAside], full, &[MOVES]),
        (&[RescueRead], full, &[ONCE]),
        (&[RescueCompares], Budget { sign_ins: 1, ..full }, &[FINAL]),
        (&[RescueCompares], Budget { logouts: 1, ..full }, &[FINAL]),
        (&[RoomKeptWhileUnsaved], full, &[ONCE]),
    ]);
}

/// G2, G22: the one guard that is the second of two everywhere. What is read inside the lock can change before the intent is
/// written only by a logout or a sign-in, and then the save compares, and a second try looks again.
#[test]
fn the_intents_comparison_is_a_second_guard() {
    let budget = Budget { kills: 1, losses: 1, logouts: 1, sign_ins: 1, ..budget() };
    let without = Protocol::new(&STARTS, budget).without(&[IntentCompares]);
    let checker = without.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let alone = checker.discoveries();
    for law in LAWS {
        assert!(
            !alone.contains_key(law),
            "without {IntentCompares:?} it does not hold that {law}:\n{}",
            told(&alone[law])
        );
    }
}
