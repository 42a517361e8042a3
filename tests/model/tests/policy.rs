//! The table that the model decides by.

use latchkey_test_model::policy::{cases, index};

/// G19: no case of the code's policy stands in another's place.
#[test]
fn each_case_has_a_place_of_its_own() {
    let mut count = 0;
    for (place, case) in cases().enumerate() {
        assert_eq!(index(case), place, "{case:?}");
        count += 1;
    }
    assert_eq!(count, 6_048);
}
