//! The promises, by simulation: see `src/simulate`. `cargo run --release --bin simulate` runs more of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crossdock::sandbox::faults::Faults;
use crossdock::simulate::{Off, Scenario, Setup, run};

fn hold(scenarios: impl Iterator<Item = Scenario>) {
    let setup = Setup::new().unwrap();
    let mut bad = Vec::new();
    let mut delivered = 0;
    for scenario in scenarios {
        let report = run(&setup, scenario).unwrap();
        delivered += report.delivered;
        if !report.findings.is_empty() {
            bad.push(format!("{scenario:?}: {:#?}", report.findings));
        }
    }
    assert!(bad.is_empty(), "{} runs: {}", bad.len(), bad.join("\n"));
    assert!(delivered > 0, "nothing was delivered, so nothing was tested");
}

#[test]
fn in_calm_weather() {
    hold((0..10).map(|seed| Scenario { faults: Faults::default(), kills: 0, ..Scenario::small(seed) }));
}

// 2,000 seeds in all: in parts, so that they run side by side.

#[test]
fn on_bad_days_1() {
    hold((0..600).map(Scenario::small));
}

#[test]
fn on_bad_days_2() {
    hold((600..1_200).map(Scenario::small));
}

#[test]
fn on_bad_days_3() {
    hold((1_200..1_800).map(Scenario::small));
}

#[test]
fn over_a_rough_network() {
    hold((0..200).map(Scenario::rough));
}

#[test]
fn with_many_orders() {
    hold((0..3).map(Scenario::large));
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let setup = Setup::new().unwrap();
    for seed in [3, 7, 11] {
        let (one, other) = (run(&setup, Scenario::small(seed)).unwrap(), run(&setup, Scenario::small(seed)).unwrap());
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_ne!(one.trace, run(&setup, Scenario::small(seed + 1)).unwrap().trace);
    }
}

/// The gate: without any one mechanism of safety the simulation fails.
#[test]
fn each_mechanism_is_needed() {
    let setup = Setup::new().unwrap();
    for off in Off::ALL {
        let found = (0..400).any(|seed| {
            let scenario = if seed % 2 == 0 { Scenario::rough(seed / 2) } else { Scenario::small(seed / 2) };
            // A run that cannot even be set up without it shows it too.
            run(&setup, Scenario { off: Some(off), ..scenario }).map_or(true, |report| !report.findings.is_empty())
        });
        assert!(found, "400 runs without {off:?} were all fine: it is not needed, or not tested");
    }
}
