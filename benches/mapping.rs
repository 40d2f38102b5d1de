//! How long the work of a day takes, beside a reference in the same run: reading the same orders into
//! generic JSON and writing them again, which anything that maps JSON does at least.
//!
//! `cargo bench` prints medians; the figures to quote are ratios to `reference`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on stops")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;

use crossdock::eval::{Inputs, Outcome, Program, apply};
use crossdock::project::{Options, Texts, compile};
use crossdock::run::files::{self, Lines, Mapper, Sink};
use crossdock::syntax;
use crossdock::vm::CompiledFlow;
use divan::{Bencher, black_box};
use serde_json::Value;

fn main() {
    divan::main();
}

const ORDERS: usize = 1_000;

fn lines() -> String {
    common::orders::orders(1, ORDERS).iter().map(|order| format!("{order}\n")).collect()
}

#[divan::bench]
fn reference_read_and_write_json(bencher: Bencher<'_, '_>) {
    let input = lines();
    bencher.bench(|| {
        let mut bytes = 0;
        for line in input.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            bytes += serde_json::to_vec(&value).unwrap().len();
        }
        black_box(bytes)
    });
}

struct Nowhere(usize);

impl Sink for Nowhere {
    fn payloads(&mut self, _: &str, lines: &[u8]) -> std::io::Result<()> {
        self.0 += lines.len();
        Ok(())
    }

    fn stopped(&mut self, lines: &[u8]) -> std::io::Result<()> {
        self.0 += lines.len();
        Ok(())
    }
}

#[divan::bench(args = [1, 2])]
fn map_orders(bencher: Bencher<'_, '_>, workers: usize) {
    let compiled = common::compiled_template();
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let flow = plan.mapping.flows.iter().find(|flow| flow.name == "export_orders").unwrap();
    let (matched, none) = (BTreeMap::new(), BTreeMap::new());
    let map = |record: &Value| -> Outcome {
        let inputs = Inputs {
            record,
            group: &[],
            was_of_group: None,
            now: "2026-11-20T12:00:00Z".parse().unwrap(),
            matched: &matched,
            targets: &none,
            results: &none,
            names: &compiled.names,
            trace: false,
        };
        apply(&program, flow, &inputs)
    };
    let compiled = CompiledFlow::new(plan, flow, &compiled.names, "2026-11-20T12:00:00Z".parse().unwrap()).unwrap();
    let mapper = Mapper { map: &map, compiled: Some(&compiled), lines: Lines::Bodies, unread: &BTreeMap::new() };
    let input = lines();
    bencher.bench(|| {
        let mut sink = Nowhere(0);
        files::run(&mut input.as_bytes(), mapper, workers, &mut sink, &mut |_, _| {}).unwrap();
        black_box(sink.0)
    });
}

#[divan::bench]
fn check_and_plan_the_template(bencher: Bencher<'_, '_>) {
    let files = Texts::new(common::files(&common::template()));
    bencher.bench(|| compile(&files, &Options::default()).plan.map(|plan| plan.hash().to_owned()));
}

#[divan::bench]
fn read_the_template(bencher: Bencher<'_, '_>) {
    let text = std::fs::read_to_string(common::template().join("orders.dock")).unwrap();
    bencher.bench(|| syntax::read(crossdock::base::FileId(0), &text).0.items.len());
}

#[divan::bench]
fn format_the_template(bencher: Bencher<'_, '_>) {
    let text = std::fs::read_to_string(common::template().join("orders.dock")).unwrap();
    bencher.bench(|| syntax::format(&text).map(|text| text.len()));
}
