//! The contract of connectors: what each has to keep, over its sandbox in virtual time. A connector is held to it by an entry in
//! `systems`, and by nothing else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "modules of a test")]

mod answers;
mod hooks;
mod limits;
mod reads;
mod systems;
mod world;
mod writes;

/// Each clause as a test of each system.
macro_rules! contract {
    ($($room:ident::$clause:ident,)*) => {
        mod commercetools {
            $(#[tokio::test] async fn $clause() { super::$room::$clause(&super::systems::COMMERCETOOLS).await })*
        }
        mod salesforce {
            $(#[tokio::test] async fn $clause() { super::$room::$clause(&super::systems::SALESFORCE).await })*
        }
        mod shiphero {
            $(#[tokio::test] async fn $clause() { super::$room::$clause(&super::systems::SHIPHERO).await })*
        }
        mod shipstation {
            $(#[tokio::test] async fn $clause() { super::$room::$clause(&super::systems::SHIPSTATION).await })*
        }
        mod shipstation_v2 {
            $(#[tokio::test] async fn $clause() { super::$room::$clause(&super::systems::SHIPSTATION_V2).await })*
        }
    };
}

contract! {
    reads::nothing_is_read_where_there_is_nothing,
    reads::pages_hold_each_record,
    reads::what_changes_between_pages_is_read,
    reads::what_is_committed_late_is_read,
    reads::a_session_that_ends_between_pages_is_renewed,
    writes::what_is_written_is_there_once_and_its_receipt_names_it,
    writes::a_write_in_doubt_ends_with_one_effect,
    writes::each_item_of_a_batch_is_told_by_itself,
    writes::an_answer_that_lacks_or_shuffles_items_puts_none_in_the_others_place,
    writes::a_call_that_is_refused_as_a_whole_has_done_nothing,
    writes::what_exists_under_the_key_is_taken_up,
    answers::a_read_that_got_no_answer_has_done_nothing,
    answers::a_write_that_got_no_answer_is_in_doubt,
    limits::a_window_is_never_overrun,
    limits::a_refusal_for_the_limit_has_done_nothing,
    hooks::a_webhook_leads_to_its_record,
    hooks::what_is_no_webhook_of_the_system_is_refused,
}

/// A connector that no entry stands for is held to nothing.
#[test]
fn every_system_is_held_to_the_contract() {
    let held: Vec<&str> = systems::ALL.iter().map(|subject| subject.system).collect();
    assert_eq!(crossdock::system::all().map(|(system, _)| system).collect::<Vec<_>>(), held);
}
