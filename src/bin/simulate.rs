//! Runs many seeds of the simulation, or one long one; prints what must not be.
//!
//! ```text
//! cargo run --release --bin simulate -- --seeds 2000
//! cargo run --release --bin simulate -- --profile clocks --template crm-customers
//! cargo run --release --bin simulate -- --orders 1000000
//! ```

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use crossdock::simulate::{Finding, Off, Profile, Scenario, Setup, run};

/// Runs the engine under a seeded scheduler against the sandbox, with faults and deaths.
#[derive(Parser)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// In all so many orders, 500 a seed, instead of --seeds
    #[arg(long)]
    orders: Option<u64>,
    /// So many shipments in each seed, for templates that sum them up
    #[arg(long, value_name = "SHIPMENTS")]
    volume: Option<usize>,
    /// What the days are made for: calm, small, rough, large, calendar, clocks, disk, people, release, credentials, warehouse,
    /// numbers, limits, lanes, takeovers, deaths, older, flips, restored, alerts, quotes, doubts. Without it small ones, or those
    /// that are made for what --off names
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// With one mechanism of safety switched off: settle, overlap, dedupe, intents, look-up, lanes, checkpoints, fencing, restart,
    /// first-look, compare, recover, serial, keep, steady, outbox, scrub, patience, checksums
    #[arg(long)]
    off: Option<String>,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Of `mappings/`: which flows run
    #[arg(long, value_name = "NAME", default_value = "salesforce-shipstation")]
    template: String,
    /// Print each record's way where there is a finding, or only one seed
    #[arg(long)]
    story: bool,
    /// Findings that are printed
    #[arg(long, default_value_t = 10)]
    show: usize,
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let (off, profile) = match (args.off.as_deref().map(Off::named), args.profile.as_deref().map(Profile::named)) {
        (Some(None), _) => return wrong("there is no such mechanism"),
        (_, Some(None)) => return wrong("there is no such profile"),
        (off, profile) => (off.flatten(), profile.flatten()),
    };
    let profile = profile.or(off.map(Off::profile)).unwrap_or(Profile::Small);
    let setup = match Setup::of(&args.template) {
        Ok(setup) => setup,
        Err(why) => return wrong(&why),
    };
    let large = args.orders.is_some();
    let seeds = args.orders.map_or(args.seeds, |orders| orders.div_ceil(Scenario::LARGE));
    let next = AtomicU64::new(args.from);
    let (bad, delivered, calls, deaths) = (Mutex::new(Vec::new()), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= args.from + seeds {
                        return;
                    }
                    let begin = match args.volume {
                        Some(shipments) => Scenario::volume(seed, shipments),
                        None if large => Scenario::large(seed),
                        None => profile.day(seed),
                    };
                    let scenario = Scenario { off, story: args.story, ..begin };
                    match run(&setup, scenario) {
                        Ok(report) => {
                            delivered.fetch_add(report.delivered, Ordering::Relaxed);
                            calls.fetch_add(report.calls, Ordering::Relaxed);
                            deaths.fetch_add(u64::from(report.deaths), Ordering::Relaxed);
                            if !report.findings.is_empty() || seeds == 1 {
                                print!("{}", report.story);
                            }
                            if !report.findings.is_empty()
                                && let Ok(mut bad) = bad.lock()
                            {
                                bad.push((seed, report.findings));
                            }
                        }
                        Err(why) => {
                            if let Ok(mut bad) = bad.lock() {
                                bad.push((seed, vec![Finding { check: "simulation", what: why }]));
                            }
                        }
                    }
                }
            });
        }
    });
    let bad = bad.into_inner().unwrap_or_default();
    for (seed, findings) in bad.iter().take(args.show) {
        for finding in findings {
            println!("seed {seed}: {}: {}", finding.check, finding.what);
        }
    }
    println!(
        "{seeds} seeds, {} records delivered, {} calls, {} deaths, {:.1} s: {} seeds with findings",
        delivered.into_inner(),
        calls.into_inner(),
        deaths.into_inner(),
        began.elapsed().as_secs_f64(),
        bad.len()
    );
    if bad.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn wrong(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
