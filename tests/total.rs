//! Whatever a source sends, a record is mapped or refused: the engine never panics, and it says the
//! same twice. Records of the template are changed at random places.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crossdock::eval::{Inputs, Outcome, Program, Verdict, apply};
use crossdock::plan::Plan;
use crossdock::project::{Options, Texts, compile};
use crossdock::value::Json;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn files(folder: &Path, root: &Path, texts: &mut Texts) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, root, texts);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            texts.put(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"), text);
        }
    }
}

fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/salesforce-shipstation")
}

fn plan() -> Plan {
    let mut texts = Texts::default();
    files(&template(), &template(), &mut texts);
    compile(&texts, &Options::default()).plan.expect("the template checks")
}

fn records() -> Vec<Json> {
    let text = std::fs::read_to_string(template().join("orders.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a system might send where something else was expected.
fn odd() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        Just(Json::from("")),
        Just(Json::from("   ")),
        Just(Json::from("{x}\u{0}\u{202e}\"'")),
        Just(Json::from("x".repeat(3000))),
        Just(Json::from(true)),
        Just(Json::from(-1)),
        Just(serde_json::from_str("1e400").unwrap_or(Json::Null)),
        Just(serde_json::from_str("123456789012345678901234567890.5").unwrap()),
        Just(serde_json::from_str("79228162514264337593543950335").unwrap()),
        Just(serde_json::from_str("0.0000000000000000000000000001").unwrap()),
        Just(Json::from("2026-02-30")),
        Just(Json::from("9999-12-31")),
        Just(Json::from("9999-12-31T23:59:59.999+0000")),
        Just(Json::Array(vec![])),
        Just(Json::Array(vec![Json::Null, Json::from("a")])),
        Just(Json::Object(serde_json::Map::new())),
        ".{0,12}".prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
    ]
}

/// Changes, removes or doubles what stands at a place of the record, counted in its own order.
fn change(json: &mut Json, place: &mut usize, what: &Json, how: u8) -> bool {
    if *place == 0 {
        *json = what.clone();
        return true;
    }
    *place -= 1;
    match json {
        Json::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                if *place == 0 && how == 1 {
                    fields.shift_remove(&name);
                    return true;
                }
                if fields.get_mut(&name).is_some_and(|inner| change(inner, place, what, how)) {
                    return true;
                }
            }
            false
        }
        Json::Array(items) => {
            if *place == 0 && how == 2 {
                let twice = items.clone();
                items.extend(twice);
                return true;
            }
            items.iter_mut().any(|item| change(item, place, what, how))
        }
        _ => false,
    }
}

fn outcome(program: &Program<'_>, plan: &Plan, record: &Json, trace: bool) -> Outcome {
    let (matched, none, names) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let inputs = Inputs {
        record,
        group: &[],
        was_of_group: None,
        now: "2026-11-20T12:00:00Z".parse().unwrap(),
        matched: &matched,
        targets: &none,
        results: &none,
        names: &names,
        trace,
    };
    apply(program, &plan.mapping.flows[0], &inputs)
}

#[test]
fn no_record_stops_the_engine_and_the_same_record_gives_the_same_bytes() {
    let plan = plan();
    let program = Program::new(&plan).unwrap();
    let records = records();
    let strategy = (0..records.len(), proptest::collection::vec((0_usize..160, odd(), 0_u8..3), 1..4));
    let mut runner = TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(at, changes)| {
            let mut record = records[at].clone();
            for (place, what, how) in &changes {
                change(&mut record, &mut place.clone(), what, *how);
            }
            let once = outcome(&program, &plan, &record, false);
            let again = outcome(&program, &plan, &record, false);
            prop_assert_eq!(serde_json::to_vec(&once).unwrap(), serde_json::to_vec(&again).unwrap());
            // A trace only tells: it changes nothing of what comes out.
            let told = outcome(&program, &plan, &record, true);
            prop_assert_eq!(&once.payloads, &told.payloads);
            prop_assert_eq!(&once.reasons, &told.reasons);
            // What is refused says why; and a defect of the program is no reason.
            prop_assert_eq!(matches!(once.verdict, Verdict::Rejected | Verdict::Review), !once.reasons.is_empty());
            let defects: Vec<_> = once.reasons.iter().filter(|reason| reason.kind == "defect").collect();
            prop_assert!(defects.is_empty(), "{:?}", defects);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_record_that_is_no_object_is_refused() {
    let plan = plan();
    let program = Program::new(&plan).unwrap();
    for record in [Json::Null, Json::from(3), Json::Array(vec![]), Json::from("x")] {
        let outcome = outcome(&program, &plan, &record, true);
        assert!(matches!(outcome.verdict, Verdict::Rejected | Verdict::NotEligible), "{:?}", outcome.verdict);
    }
}
