//! The writers of the auth file: the design as it is, and without each of its guards.

use latchkey_test_model::writer::{FREE, Guard, KEPT, LAWS, SURVIVES, WHOLE, Writers};
use stateright::{Checker, HasDiscoveries, Model};

/// F1, F3, F7, F8, F9, G12
#[test]
fn an_update_is_whole_durable_and_never_lost() {
    let checker = Writers { updates: 2, kills: 2, ..Writers::default() }.checker().spawn_bfs().join();
    for law in LAWS {
        checker.assert_no_discovery(law);
    }
    checker.assert_properties();
    eprintln!("writers: {} states, {} steps deep", checker.unique_state_count(), checker.max_depth());
}

/// F1, F3, F8, G12: each guard is there for something.
#[test]
fn no_guard_of_the_writers_can_be_spared() {
    for (guard, law) in [
        (Guard::StoreLock, KEPT),
        (Guard::KernelLock, FREE),
        (Guard::ReadInsideTheLock, KEPT),
        (Guard::TemporaryFile, WHOLE),
        (Guard::TemporaryFile, SURVIVES),
        (Guard::SyncTemporary, SURVIVES),
        (Guard::SyncFolder, SURVIVES),
    ] {
        let without = Writers { without: vec![guard], updates: 2, kills: 1 };
        let enough = HasDiscoveries::AllOf([law].into());
        let found = without.checker().finish_when(enough).spawn_bfs().join().discoveries();
        assert!(found.contains_key(law), "without {guard:?} it still holds that {law}");
    }
}
