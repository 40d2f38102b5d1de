//! The promises, by simulation: see `src/simulate`. `cargo run --release --bin simulate` runs more of it.
//!
//! CI runs other seeds for each commit: `CROSSDOCK_SIMULATION_WINDOW` names the window. Without it the seeds are always the
//! same ones. A run that fails prints the command that repeats it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crossdock::simulate::{Off, Profile, Report, Scenario, Setup, run};

const ORDERS: &str = "salesforce-shipstation";
const CRM_SIDE: [&str; 8] = [
    "crm-closed-won",
    "crm-customers",
    "crm-daily-summary",
    "crm-delivered",
    "crm-exceptions",
    "crm-milestones",
    "crm-shipping-history",
    "crm-shipped-opportunity",
];

/// The first seed of this commit's window.
fn first() -> u64 {
    let window = std::env::var("CROSSDOCK_SIMULATION_WINDOW").ok().and_then(|window| window.parse::<u64>().ok());
    window.unwrap_or(0) * 10_000
}

fn told(template: &str, scenario: &Scenario, what: &str) -> String {
    let (profile, seed) = (scenario.profile.word(), scenario.seed);
    format!("{what}\n    cargo run --release --bin simulate -- --template {template} --profile {profile} --from {seed} --seeds 1 --story")
}

fn hold_seeds(template: &str, profile: Profile, seeds: impl Iterator<Item = u64>) {
    let setup = Setup::of(template).unwrap();
    let mut bad = Vec::new();
    let mut delivered = 0;
    for scenario in seeds.map(|seed| profile.day(seed)) {
        let report: Report = run(&setup, scenario).unwrap_or_else(|why| panic!("{}", told(template, &scenario, &why)));
        delivered += report.delivered;
        if !report.findings.is_empty() {
            bad.push(told(template, &scenario, &format!("{:#?}", report.findings)));
        }
    }
    assert!(bad.is_empty(), "{} runs:\n{}", bad.len(), bad.join("\n"));
    assert!(delivered > 0, "nothing was delivered, so nothing was tested");
}

fn hold(profile: Profile, count: u64) {
    hold_seeds(ORDERS, profile, first()..first() + count);
}

// More than 1,000 days, in parts that run side by side. Those that are ignored are not among them.

#[test]
fn in_calm_weather() {
    hold(Profile::Calm, 10);
}

#[test]
fn on_bad_days_1() {
    hold(Profile::Small, 250);
}

/// A record waits for a person, and its reason is being written back to it: then it is deleted at its source, and the write-back
/// is refused. That it is gone must be told, though its payload still waits.
#[test]
fn what_is_deleted_under_a_write_back_is_told() {
    hold_seeds(ORDERS, Profile::Small, [105, 1_031, 1_206, 1_235].into_iter());
    hold_seeds(ORDERS, Profile::Rough, [22, 30, 71].into_iter());
}

#[test]
fn on_bad_days_2() {
    hold_seeds(ORDERS, Profile::Small, first() + 1_000..first() + 1_250);
}

/// A request that was lost is repeated after a person has cancelled the order: it is refused, looked up, and what is found
/// there is an older version. It must not count as delivered.
#[test]
fn what_is_found_after_a_refusal_is_compared_with_what_was_sent() {
    hold_seeds(ORDERS, Profile::Small, std::iter::once(7_001_309));
}

/// The clock is set back while a page is on its way: the checkpoint behind it must not lie ahead of the source.
#[test]
fn a_page_that_was_asked_under_another_clock_leaves_nothing_out() {
    hold_seeds(ORDERS, Profile::Clocks, [40_000_069, 40_000_259, 40_000_449].into_iter());
}

/// Two deadlines of one name are damaged; a record whose state is damaged is counted; a write of a kind that cannot be is told.
#[test]
fn damage_of_two_rows_with_one_name_leaves_nothing_waiting() {
    hold_seeds(ORDERS, Profile::Flips, [40_000_056, 40_000_073, 40_000_189, 40_000_200].into_iter());
}

/// The store is lost right after a label or an order with customs lines was made, and a search does not find them yet.
#[test]
fn what_a_lost_store_made_last_is_found_before_it_is_made_again() {
    hold_seeds(ORDERS, Profile::Older, [40_000_014, 40_000_256, 40_000_436, 40_000_514].into_iter());
    hold_seeds(ORDERS, Profile::Restored, [40_000_008].into_iter());
}

/// The source loses a field, and a write whose outcome is in doubt is looked up: only what was sent is asked for.
#[test]
fn a_look_up_does_without_a_field_that_is_gone() {
    hold_seeds(ORDERS, Profile::Release, [5_803_970_022, 5_803_970_048].into_iter());
}

/// The warehouse cancels an order and lets it go again: its label is made, though Salesforce still shows the cancellation.
#[test]
fn an_order_that_the_warehouse_opens_again_gets_its_label() {
    hold_seeds(ORDERS, Profile::Warehouse, [5_803_970_079].into_iter());
}

/// Updates waited for the rate limit after their orders were read, and people edited the orders meanwhile.
#[test]
fn an_edit_while_an_update_waits_for_its_turn_stays() {
    hold_seeds(ORDERS, Profile::Warehouse, [2_181_750_041, 2_181_750_079].into_iter());
}

/// A newer version arrives while it is not known what became of a write, and that write is followed by a write-back: the end of
/// the write-back is not the delivery of the newer version.
#[test]
fn a_version_that_arrives_during_a_doubt_is_delivered() {
    hold_seeds(ORDERS, Profile::Older, [6, 14].into_iter());
    hold_seeds(ORDERS, Profile::Rough, [37, 78].into_iter());
}

/// A new version of the mapping is released, and all is replayed, while writes are on their way: they are mapped again too.
#[test]
fn a_replay_of_all_takes_what_is_being_sent() {
    hold_seeds(ORDERS, Profile::Release, [57].into_iter());
}

/// What was confirmed of a target is damaged: its next version is compared with the target, and nothing there is added twice.
#[test]
fn what_was_confirmed_and_is_damaged_doubles_nothing() {
    hold_seeds(ORDERS, Profile::Flips, [19, 25, 27].into_iter());
}

/// A record left the filter while a late request for it could still be carried out, and was looked at again only by the next poll that
/// brought something.
#[test]
fn what_is_to_be_read_again_later_is_read_then() {
    hold_seeds("crm-closed-won", Profile::Disk, 7_028_330_000..7_028_330_006);
}

#[test]
fn over_a_rough_network() {
    hold(Profile::Rough, 80);
}

#[test]
fn with_many_orders() {
    hold(Profile::Large, 2);
}

#[test]
fn on_days_of_other_seasons() {
    hold(Profile::Calendar, 60);
}

#[test]
fn with_clocks_that_are_set() {
    hold(Profile::Clocks, 100);
}

#[test]
fn on_a_disk_that_fails() {
    hold(Profile::Disk, 160);
}

#[test]
fn while_people_decide() {
    hold(Profile::People, 160);
}

#[test]
fn while_the_mapping_is_released() {
    hold(Profile::Release, 100);
}

#[test]
fn while_secrets_are_rotated() {
    hold(Profile::Credentials, 100);
}

#[test]
fn while_others_work_at_the_target() {
    hold(Profile::Warehouse, 160);
}

#[test]
fn while_another_shop_gives_the_same_numbers() {
    hold(Profile::Numbers, 40);
}

#[test]
fn under_limits_that_do_not_end() {
    hold(Profile::Limits, 60);
}

#[test]
fn while_versions_overtake_each_other() {
    hold(Profile::Lanes, 20);
}

#[test]
fn while_processes_take_over() {
    hold(Profile::Takeovers, 100);
}

#[test]
fn while_processes_die_again_and_again() {
    hold(Profile::Deaths, 40);
}

#[test]
fn while_an_older_store_is_brought_back() {
    hold(Profile::Older, 60);
}

#[test]
fn while_bits_of_the_store_flip() {
    hold(Profile::Flips, 60);
}

#[test]
fn while_the_target_is_brought_back_from_its_backup() {
    hold(Profile::Restored, 60);
}

#[test]
fn while_outcomes_are_in_doubt() {
    hold(Profile::Doubts, 40);
}

#[test]
fn while_nobody_takes_the_alerts() {
    hold(Profile::Alerts, 40);
}

#[test]
fn while_systems_quote_what_they_were_sent() {
    hold(Profile::Quotes, 40);
}

/// Every other template on every kind of day that it can have.
fn every_day(templates: &[&str]) {
    for template in templates {
        for (profile, count) in [(Profile::Small, 30), (Profile::Rough, 12), (Profile::Calendar, 6), (Profile::Disk, 8), (Profile::People, 8)] {
            hold_seeds(template, profile, first()..first() + count);
        }
    }
}

#[test]
fn opportunities_that_are_won() {
    every_day(&CRM_SIDE[..1]);
}

#[test]
fn customers_and_summaries() {
    every_day(&CRM_SIDE[1..3]);
}

#[test]
fn parcels() {
    every_day(&CRM_SIDE[3..5]);
}

#[test]
fn milestones_and_histories() {
    every_day(&CRM_SIDE[5..7]);
}

#[test]
fn opportunities_that_are_shipped() {
    every_day(&CRM_SIDE[7..]);
}

const TO_SHIPHERO: &str = "salesforce-shiphero";
const OF_COMMERCETOOLS: &str = "commercetools-shipstation";

#[test]
fn orders_to_shiphero_in_calm_weather() {
    hold_seeds(TO_SHIPHERO, Profile::Calm, 0..16);
}

#[test]
fn orders_to_shiphero_on_bad_days() {
    hold_seeds(TO_SHIPHERO, Profile::Small, 0..20);
}

/// The clock was ahead for a while: what changes until then is read all the same.
#[test]
fn orders_to_shiphero_behind_a_clock_that_was_ahead() {
    hold_seeds(TO_SHIPHERO, Profile::Clocks, [0, 5].into_iter());
}

/// An update met a conflict while the delivery of the same record was under way, and the record was read again with the same version.
#[test]
fn a_write_that_met_a_conflict_is_not_lost() {
    hold_seeds(OF_COMMERCETOOLS, Profile::Small, [8, 12].into_iter());
}

/// A record is mapped again behind a write that is done: what follows takes its key from that write, though nothing was sent for it now.
#[test]
fn the_key_of_a_write_that_is_done_is_there_for_what_follows() {
    hold_seeds(OF_COMMERCETOOLS, Profile::Small, [103, 113, 166].into_iter());
}

#[test]
fn orders_of_commercetools_in_calm_weather() {
    hold_seeds(OF_COMMERCETOOLS, Profile::Calm, 0..16);
}

#[test]
fn orders_of_commercetools_on_bad_days() {
    hold_seeds(OF_COMMERCETOOLS, Profile::Small, 0..8);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let setup = Setup::new().unwrap();
    for seed in [3, 7] {
        for profile in [Profile::Small, Profile::People, Profile::Disk] {
            let (one, other) = (run(&setup, profile.day(seed)).unwrap(), run(&setup, profile.day(seed)).unwrap());
            assert_eq!(one.trace, other.trace, "seed {seed} of {}", profile.word());
            assert_ne!(one.trace, run(&setup, profile.day(seed + 1)).unwrap().trace);
        }
    }
}

/// The gate: without any one mechanism of safety at least one in twenty of the days that are made for it fails, and more where
/// more were measured. `least`: of forty.
fn needed(off: Off, least: u64) {
    needed_on(off.profile(), off, least);
}

/// The same for days of a kind that another mechanism was made for.
fn needed_on(profile: Profile, off: Off, least: u64) {
    const SEEDS: u64 = 40;
    assert!(least * 20 >= SEEDS);
    let setup = Setup::new().unwrap();
    let mut found = 0;
    for seed in 0..SEEDS {
        // A run that cannot even be set up without it shows it too.
        found += u64::from(run(&setup, Scenario { off: Some(off), ..profile.day(seed) }).map_or(true, |report| !report.findings.is_empty()));
        if found >= least {
            return;
        }
    }
    panic!("{SEEDS} days of {} without {} show it {found} times, and {least} were expected", profile.word(), off.word());
}

#[test]
fn settle_times_are_needed() {
    needed(Off::Settle, 2);
}

#[test]
fn overlaps_are_needed() {
    needed(Off::Overlap, 2);
}

#[test]
fn dropping_what_is_known_is_needed() {
    needed(Off::Dedupe, 2);
}

#[test]
fn intents_are_needed() {
    needed(Off::Intents, 2);
}

#[test]
fn looking_up_is_needed() {
    needed(Off::LookUp, 2);
}

#[test]
fn lanes_are_needed() {
    needed(Off::Lanes, 20);
}

#[test]
fn checkpoints_are_needed() {
    needed(Off::Checkpoints, 2);
}

#[test]
fn fencing_is_needed() {
    needed(Off::Fencing, 2);
}

#[test]
fn starting_anew_after_a_failed_commit_is_needed() {
    needed(Off::Restart, 2);
}

#[test]
fn a_first_look_is_needed() {
    needed(Off::FirstLook, 4);
}

#[test]
fn a_steady_clock_is_needed() {
    needed(Off::Steady, 2);
}

#[test]
fn an_outbox_of_alerts_is_needed() {
    needed(Off::Outbox, 8);
}

#[test]
fn scrubbing_is_needed() {
    needed(Off::Scrub, 4);
}

#[test]
fn looking_again_after_an_older_store_is_needed() {
    needed(Off::Recover, 6);
}

#[test]
fn checksums_are_needed() {
    needed(Off::Checksums, 3);
}

#[test]
fn patience_is_needed() {
    needed(Off::Patience, 3);
}

#[test]
fn keeping_what_others_entered_is_needed() {
    needed(Off::Keep, 4);
}

/// Each kind of day on which people or others do something has a mechanism that holds it.
#[test]
fn days_of_people_releases_secrets_and_calendars_need_a_mechanism_too() {
    needed_on(Profile::People, Off::Settle, 8);
    needed_on(Profile::Release, Off::Overlap, 3);
    needed_on(Profile::Credentials, Off::Checkpoints, 20);
    needed_on(Profile::Calendar, Off::Overlap, 5);
}

#[test]
fn every_mechanism_is_in_the_gate() {
    let gate = include_str!("simulate.rs");
    for off in Off::ALL {
        assert!(gate.contains(&format!("needed(Off::{off:?}, ")), "{off:?}");
    }
}
