//! Whatever the bytes of a record: the scanner and serde_json see the same in it, and the compiled flow gives the bytes
//! that the reference evaluator gives. Two lines are two records, so that what was learned of one is held against the
//! next.

#![no_main]
#![allow(clippy::unwrap_used, clippy::panic, reason = "what does not hold stops the run")]

#[path = "../../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crossdock::eval::{Inputs, Program, Verdict, apply};
use crossdock::project::{Compiled, Options, Texts, compile};
use crossdock::run::files::{self, whole};
use crossdock::vm::{CompiledFlow, Form, MapStatus};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../mappings/salesforce-shipstation");
    compile(&Texts::new(common::files(&folder)), &Options::default())
});
static PROGRAM: LazyLock<Program<'static>> = LazyLock::new(|| Program::new(COMPILED.plan.as_ref().unwrap()).unwrap());
static FLAT: LazyLock<CompiledFlow<'static>> = LazyLock::new(|| {
    let plan = COMPILED.plan.as_ref().unwrap();
    CompiledFlow::new(plan, plan.mapping.flows.iter().find(|flow| flow.name == "export_orders").unwrap(), &COMPILED.names, now()).unwrap()
});

fn now() -> jiff::Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// With `SEEDS` in the environment, records to begin with are written into that folder, and no more is done.
fn seeds() {
    let Some(folder) = std::env::var_os("SEEDS") else { return };
    for (at, order) in common::orders::orders(17, 300).iter().enumerate() {
        std::fs::write(std::path::Path::new(&folder).join(format!("order-{at}")), order.to_string()).unwrap();
    }
    std::process::exit(0);
}

fuzz_target!(init: seeds(), |text: &str| {
    let (mut worker, mut oracle) = (FLAT.worker(), FLAT.reference_worker());
    for line in text.split('\n') {
        hold(line, &mut worker, &mut oracle);
    }
});

fn hold(line: &str, worker: &mut crossdock::vm::Worker<'_, '_>, oracle: &mut crossdock::vm::Worker<'_, '_>) {
    let mut made = vec![Vec::new(); FLAT.objects().len()];
    let way = worker.map(line, Form::Body, &mut made, |_| {});
    if way == MapStatus::Bailout {
        assert!(made.iter().all(Vec::is_empty));
        return;
    }
    let mut read = vec![Vec::new(); made.len()];
    assert_eq!(oracle.map(line, Form::Body, &mut read, |_| {}), way);
    assert_eq!(read, made);

    let record: Value = serde_json::from_str(line).unwrap();
    let plan = COMPILED.plan.as_ref().unwrap();
    let flow = plan.mapping.flows.iter().find(|flow| flow.name == "export_orders").unwrap();
    let (matched, none, names) = (BTreeMap::new(), BTreeMap::new(), &COMPILED.names);
    let inputs = Inputs {
        record: &record,
        group: &[],
        was_of_group: None,
        now: now(),
        matched: &matched,
        targets: &none,
        results: &none,
        names,
        trace: false,
    };
    let outcome = apply(&PROGRAM, flow, &inputs);
    match way {
        MapStatus::NotEligible => assert_eq!(outcome.verdict, Verdict::NotEligible),
        MapStatus::Ready { warned } => {
            assert_eq!((outcome.verdict, !outcome.warnings.is_empty()), (Verdict::Ready, warned));
            let expected: Vec<String> = outcome.payloads.iter().map(|payload| whole(payload).to_string() + "\n").collect();
            assert_eq!(String::from_utf8(made.concat()).unwrap(), expected.concat());
        }
        MapStatus::Stopped { warned } => {
            let stopped = worker.stopped();
            let verdict = if stopped.is_review() { Verdict::Review } else { Verdict::Rejected };
            assert_eq!((outcome.verdict, !outcome.warnings.is_empty()), (verdict, warned));
            let mut told = Vec::new();
            stopped.write(1, &mut told);
            assert_eq!(String::from_utf8(told).unwrap(), files::stopped(1, &record, &outcome).to_string() + "\n");
        }
        MapStatus::Bailout => {}
    }
}
