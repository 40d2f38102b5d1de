//! Writes generated Salesforce orders as JSON lines: the same seed gives the same orders.
//!
//! ```text
//! cargo run --release --example generate_orders -- 100000 7 > orders.jsonl
//! crossdock run mappings/salesforce-shipstation --flow export_orders --records orders.jsonl --out out
//! ```

#[path = "../tests/common/orders.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests, which use more of it")]
mod orders;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(1_000), |word| word.parse::<usize>());
    let seed = arguments.next().map_or(Ok(7), |word| word.parse::<u64>());
    let (Ok(count), Ok(seed)) = (count, seed) else {
        eprintln!("usage: generate_orders [COUNT] [SEED]");
        return ExitCode::from(2);
    };
    match write(count, seed) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

fn write(count: usize, seed: u64) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut dice = orders::Dice::new(seed);
    for n in 1..=count {
        writeln!(out, "{}", orders::order(&mut dice, n))?;
    }
    out.flush()
}
