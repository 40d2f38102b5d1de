//! The promises, by simulation: see `src/simulate`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crossdock::simulate::{Scenario, Setup, run};

fn seeds(from: u64, to: u64) {
    let setup = Setup::new().unwrap();
    let mut bad = Vec::new();
    for seed in from..to {
        let report = run(&setup, Scenario::small(seed)).unwrap();
        if !report.findings.is_empty() {
            bad.push(format!("seed {seed}: {:#?}", report.findings));
        }
    }
    assert!(bad.is_empty(), "{} of {} seeds: {}", bad.len(), to - from, bad.join("\n"));
}

#[test]
fn calm_weather() {
    let setup = Setup::new().unwrap();
    let scenario = Scenario { faults: crossdock::sandbox::faults::Faults::default(), kills: 0, ..Scenario::small(1) };
    let report = run(&setup, scenario).unwrap();
    assert!(report.findings.is_empty(), "{report:#?}");
    println!("{report:?}");
}

#[test]
fn first_seeds() {
    seeds(0, 20);
}

/// One seed, told: CROSSDOCK_STORY=1 SEED=7 cargo test --test simulate story -- --ignored --nocapture
#[test]
#[ignore = "for people who look for a mistake"]
fn story() {
    let seed = std::env::var("SEED").unwrap().parse().unwrap();
    let calm = std::env::var("CALM").is_ok();
    let scenario = if calm {
        Scenario { faults: crossdock::sandbox::faults::Faults::default(), kills: 0, ..Scenario::small(seed) }
    } else {
        Scenario::small(seed)
    };
    let report = run(&Setup::new().unwrap(), scenario).unwrap();
    println!("{}\n{:#?}", report.story, report.findings);
}
