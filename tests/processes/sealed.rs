//! The storms of the other files, with everything sealed: whoever comes, dies or finds the disk full, the laws are the same.

use crate::combined::combined_updates_share_the_write_and_not_one_anothers_faults_on;
use crate::disk::{
    a_disk_that_fails_after_the_reply_loses_nothing_on,
    a_disk_that_fails_before_the_request_costs_nothing_on,
    a_name_that_is_not_durable_is_backed_by_the_room_set_aside_on,
    a_process_that_dies_after_the_rescue_is_finished_by_the_next_on,
};
use crate::host::Host;
use crate::killed::{
    a_strict_server_sees_a_second_use_only_where_an_answer_was_lost_on,
    whoever_follows_a_dead_process_gets_a_token_with_at_most_one_more_try_on,
};
use crate::place::Ground;
use crate::storm::{
    one_refresh_for_those_who_find_it_expired_and_those_who_saw_it_rejected_on,
    one_refresh_for_twenty_processes_and_a_thousand_tasks_on,
    one_refresh_for_twenty_processes_that_saw_the_same_401_on,
};
use crate::writers::{
    an_answer_comes_after_the_last_step_of_the_write_on, nothing_that_was_acknowledged_is_lost_to_kills_on,
};

/// G1, G2, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_twenty_processes_and_a_thousand_tasks() {
    one_refresh_for_twenty_processes_and_a_thousand_tasks_on(Host::sealed).await;
}

/// G14, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_twenty_processes_that_saw_the_same_401() {
    one_refresh_for_twenty_processes_that_saw_the_same_401_on(Host::sealed).await;
}

/// G1, G8, G14, sealed: in processes and in tasks at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_for_those_who_find_it_expired_and_those_who_saw_it_rejected() {
    one_refresh_for_those_who_find_it_expired_and_those_who_saw_it_rejected_on(Host::sealed).await;
}

/// G12, G19, G20, G21, F8, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_a_dead_process_gets_a_token_with_at_most_one_more_try() {
    whoever_follows_a_dead_process_gets_a_token_with_at_most_one_more_try_on(Host::sealed).await;
}

/// G19, G20, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_strict_server_sees_a_second_use_only_where_an_answer_was_lost() {
    a_strict_server_sees_a_second_use_only_where_an_answer_was_lost_on(Host::sealed).await;
}

/// F3, F6, F7, G21, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_before_the_request_costs_nothing() {
    a_disk_that_fails_before_the_request_costs_nothing_on(Host::sealed).await;
}

/// G21, F7, sealed: the room set aside holds nothing in clear, and serves all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_after_the_reply_loses_nothing() {
    a_disk_that_fails_after_the_reply_loses_nothing_on(Host::sealed).await;
}

/// G21, G26, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_durable_is_backed_by_the_room_set_aside() {
    a_name_that_is_not_durable_is_backed_by_the_room_set_aside_on(Host::sealed).await;
}

/// G21, G12, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_after_the_rescue_is_finished_by_the_next() {
    a_process_that_dies_after_the_rescue_is_finished_by_the_next_on(Host::sealed).await;
}

/// F17, sealed.
#[tokio::test]
async fn combined_updates_share_the_write_and_not_one_anothers_faults() {
    combined_updates_share_the_write_and_not_one_anothers_faults_on(Ground::sealed).await;
}

/// F1, F3, F8, sealed.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_to_kills() {
    nothing_that_was_acknowledged_is_lost_to_kills_on(Ground::sealed).await;
}

/// F8, F17, sealed.
#[tokio::test]
async fn an_answer_comes_after_the_last_step_of_the_write() {
    an_answer_comes_after_the_last_step_of_the_write_on(Ground::sealed).await;
}
