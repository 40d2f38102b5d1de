//! The promise of the language: a mapping that passes `check` yields, for every record that fits the
//! source's schema, a payload that is valid or a rejection with a reason. An independent validator
//! holds the payloads against the same schema files; records are random over the source's schema.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use crate::common::orders::Dice;
use crossdock::eval::{Inputs, Outcome, Program, Verdict, apply};
use crossdock::ir::Flow;
use crossdock::plan::Plan;
use crossdock::project::Compiled;
use crossdock::schema::Object;
use crossdock::value::{Kind, WireEncoding};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";

fn run(program: &Program<'_>, compiled: &Compiled, flow: &Flow, record: &Value, matched: &BTreeMap<String, Vec<Value>>) -> Outcome {
    let none = BTreeMap::new();
    let inputs = Inputs {
        record,
        group: &[],
        was_of_group: None,
        now: NOW.parse().unwrap(),
        matched,
        targets: &none,
        results: &none,
        names: &compiled.names,
        trace: false,
    };
    apply(program, flow, &inputs)
}

/// The validator for an object of ShipStation, from the schema files as they stand.
fn validator(object: &str) -> jsonschema::Validator {
    validator_in(&crate::common::root().join("schemas/shipstation"), object)
}

fn validator_in(folder: &std::path::Path, object: &str) -> jsonschema::Validator {
    let mut defs = serde_json::Map::new();
    // The system's manifest lies beside its schemas.
    for (name, text) in crate::common::files(folder).into_iter().filter(|(name, _)| name.ends_with(".json")) {
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        rebase(&mut schema);
        schema.as_object_mut().unwrap().remove("$schema");
        defs.insert(name.trim_end_matches(".json").to_owned(), schema);
    }
    let whole = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": format!("#/$defs/{object}"), "$defs": defs });
    jsonschema::validator_for(&whole).unwrap()
}

fn rebase(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get_mut("$ref") {
                *target = format!("#/$defs/{}", target.trim_end_matches(".json"));
            }
            fields.values_mut().for_each(rebase);
        }
        Value::Array(items) => items.iter_mut().for_each(rebase),
        _ => {}
    }
}

fn valid(outcome: &Outcome, validator: &jsonschema::Validator, record: &Value) {
    match outcome.verdict {
        Verdict::Ready => {
            assert!(outcome.reasons.is_empty());
            for payload in &outcome.payloads {
                let body = crossdock::run::files::whole(payload);
                // Numbers are held by their digits here; the validator reads plain JSON.
                let plain: Value = serde_json::from_str(&body.to_string()).unwrap();
                if let Err(error) = validator.validate(&plain) {
                    panic!("{error}\nat {}\nin {plain:#}\nof {record:#}", error.instance_path());
                }
            }
        }
        Verdict::Rejected | Verdict::Review => {
            assert!(!outcome.reasons.is_empty(), "stopped without a reason: {record:#}");
            assert!(outcome.reasons.iter().all(|reason| !reason.message.trim().is_empty()));
            assert!(outcome.reasons.iter().all(|reason| reason.kind != "defect"), "{:#?}", outcome.reasons);
            // The checker has proved presence: that a required field is not set is never the gate's find.
            assert!(
                outcome.reasons.iter().all(|reason| !reason.message.contains("is required and not set")),
                "{:#?}\nof {record:#}",
                outcome.reasons
            );
        }
        Verdict::NotEligible => {}
    }
}

#[test]
fn generated_orders_give_valid_payloads_or_reasons() {
    let compiled = crate::common::compiled_template();
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let flow = &plan.mapping.flows.iter().find(|flow| flow.name == "export_orders").unwrap();
    let validator = validator("Order");
    let mut verdicts = BTreeMap::new();
    for record in crate::common::orders::orders(7, 3_000) {
        let outcome = run(&program, &compiled, flow, &record, &BTreeMap::new());
        valid(&outcome, &validator, &record);
        *verdicts.entry(format!("{:?}", outcome.verdict)).or_insert(0) += 1;
    }
    assert!(verdicts.get("Ready").is_some_and(|ready| *ready > 800), "{verdicts:?}");
    assert!(verdicts.get("Rejected").is_some_and(|rejected| *rejected > 200), "{verdicts:?}");
}

/// A random record over the source's schema: every field by its kind, missing as often as it may be.
fn record(dice: &mut Dice, plan: &Plan, object: &Object, depth: usize) -> Value {
    let mut fields = serde_json::Map::new();
    for (name, field) in &object.fields {
        if !field.readable || (field.nullable && dice.once_in(3)) {
            match dice.below(3) {
                0 => drop(fields.insert(name.clone(), Value::Null)),
                1 if matches!(field.kind, Kind::Text) => drop(fields.insert(name.clone(), json!("  "))),
                _ if field.nullable => {}
                _ => {}
            }
            continue;
        }
        if let Some(value) = value(dice, plan, &field.kind, &field.wire, depth) {
            fields.insert(name.clone(), value);
        }
    }
    Value::Object(fields)
}

fn value(dice: &mut Dice, plan: &Plan, kind: &Kind, wire: &WireEncoding, depth: usize) -> Option<Value> {
    let texts = [
        "x",
        "US",
        "GB",
        "94043",
        "CA",
        "a@b.example",
        "KIT-CAMP",
        "TENT-2P",
        "line 1\nline 2",
        "Ünïcödé 山田",
        "0123",
        "O'Neill {x}",
        "+49 30 901820",
    ];
    Some(match kind {
        // A cell of a CSV file.
        Kind::Integer if *wire == WireEncoding::NumberText => json!(dice.below(1_000).to_string()),
        Kind::Decimal if *wire == WireEncoding::NumberText => json!(format!("{}.{:02}", dice.below(40), dice.below(100))),
        Kind::Text => {
            let text = dice.pick(&texts);
            if dice.once_in(50) { json!(text.repeat(60)) } else { json!(text) }
        }
        Kind::Integer => json!(dice.below(1_000)),
        Kind::Decimal | Kind::Money => {
            serde_json::from_str(&format!("{}{}.{:02}", if dice.once_in(20) { "-" } else { "" }, dice.below(40_000), dice.below(100))).unwrap()
        }
        Kind::Boolean => json!(dice.once_in(2)),
        Kind::Date => json!(format!("20{:02}-{:02}-{:02}", dice.below(90), 1 + dice.below(12), 1 + dice.below(28))),
        Kind::Datetime => match wire {
            WireEncoding::Zoned { .. } => {
                json!(format!("2026-{:02}-{:02}T0{}:30:00.0000000", 1 + dice.below(12), 1 + dice.below(28), dice.below(10)))
            }
            _ => json!(format!("2026-{:02}-{:02}T0{}:30:00.000+0000", 1 + dice.below(12), 1 + dice.below(28), dice.below(10))),
        },
        Kind::Enumeration(of) => json!(of.values.get(dice.below(of.values.len().max(1))).map_or("x", |known| known.value.as_str())),
        Kind::Object(of) => {
            let object = plan.objects.get(&of.to_string())?;
            if depth >= 2 {
                return None;
            }
            record(dice, plan, object, depth + 1)
        }
        Kind::List(of) => {
            if depth >= 2 {
                return None;
            }
            let items: Vec<Value> = (0..dice.below(4)).filter_map(|_| value(dice, plan, &of.kind, &WireEncoding::Plain, depth + 1)).collect();
            match wire {
                WireEncoding::Records => json!({ "totalSize": items.len(), "done": true, "records": items }),
                _ => Value::Array(items),
            }
        }
        _ => return None,
    })
}

#[test]
fn random_records_of_the_schema_give_valid_payloads_or_reasons() {
    let compiled = crate::common::compiled_template();
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let validator = validator("Order");
    for flow in &plan.mapping.flows {
        let source = &plan.objects[&flow.source.to_string()];
        let mut dice = Dice::new(99);
        let mut ready = 0;
        for _ in 0..10_000 {
            let mut given = record(&mut dice, plan, source, 0);
            // Most random orders would fail some rule: a good address lets the rest be met too.
            if flow.name == "export_orders" && dice.once_in(2) {
                let good = crate::common::orders::order(&mut dice, 1);
                for name in ["ShippingAddress", "OrderItems", "TotalAmount", "BillToContact"] {
                    given[name] = good[name].clone();
                }
            }
            // An order of ours that was packed into another one is rarer than any field's own chance.
            if flow.name == "import_combined" && dice.once_in(2) {
                given["orderStatus"] = json!("shipped");
                given["orderKey"] = json!("sf-801000000000001AAA");
                given["advancedOptions"] = json!({ "parentId": (1 + dice.below(100)).to_string() });
            }
            let matched: BTreeMap<String, Vec<Value>> = flow
                .matches
                .iter()
                .map(|found| {
                    let object = &plan.objects[&found.object.to_string()];
                    let records = (0..dice.below(3)).map(|_| record(&mut dice, plan, object, 1)).collect();
                    (found.name.clone(), records)
                })
                .collect();
            let outcome = run(&program, &compiled, flow, &given, &matched);
            if flow.writes.iter().all(|write| write.object.to_string() == "wms.Order") {
                valid(&outcome, &validator, &given);
            }
            ready += usize::from(outcome.verdict == Verdict::Ready);
        }
        assert!(ready > 100, "{}: {ready} records were sent", flow.name);
    }
}

#[test]
fn random_rows_of_the_files_template_give_valid_payloads_or_reasons() {
    let folder = crate::common::root().join("mappings/files-demo");
    let compiled =
        crossdock::project::compile(&crossdock::project::Texts::new(crate::common::files(&folder)), &crossdock::project::Options::default());
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let flow = &plan.mapping.flows[0];
    let source = &plan.objects[&flow.source.to_string()];
    let validator = validator_in(&folder.join("schemas/wms"), "Parcel");
    let mut dice = Dice::new(17);
    let mut ready = 0;
    for _ in 0..10_000 {
        let mut row = record(&mut dice, plan, source, 0);
        if dice.once_in(2) {
            row["country"] = json!("US");
            row["postcode"] = json!("94043");
        }
        let outcome = run(&program, &compiled, flow, &row, &BTreeMap::new());
        valid(&outcome, &validator, &row);
        ready += usize::from(outcome.verdict == Verdict::Ready);
    }
    assert!(ready > 300, "{ready} rows were sent");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (crate::common::compiled_template(), crate::common::compiled_template());
    let (plan, again) = (one.plan.as_ref().unwrap(), two.plan.as_ref().unwrap());
    assert_eq!(plan.hash(), again.hash());
    assert_eq!(serde_json::to_string(plan).unwrap(), serde_json::to_string(again).unwrap());
    let (first, second) = (Program::new(plan).unwrap(), Program::new(again).unwrap());
    for record in crate::common::orders::orders(3, 300) {
        let left = run(&first, &one, &plan.mapping.flows[0], &record, &BTreeMap::new());
        let right = run(&second, &two, &again.mapping.flows[0], &record, &BTreeMap::new());
        assert_eq!(serde_json::to_string(&left).unwrap(), serde_json::to_string(&right).unwrap());
    }
}

/// Puts something else in a random place of a record.
fn spoil(dice: &mut Dice, value: &mut Value, depth: usize) {
    let deeper = depth < 6 && !dice.once_in(3);
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = dice.below(fields.len());
            if let Some((_, inner)) = fields.iter_mut().nth(at) {
                spoil(dice, inner, depth + 1);
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = dice.below(items.len());
            spoil(dice, &mut items[at], depth + 1);
        }
        _ => {
            *value = match dice.below(12) {
                0 => Value::Null,
                1 => json!(true),
                2 => json!([]),
                3 => json!({}),
                4 => json!("x".repeat(70_000)),
                5 => serde_json::from_str("1e400").unwrap(),
                6 => serde_json::from_str("-99999999999999999999999999999.99").unwrap(),
                7 => json!([[[["deep"]]]]),
                8 => json!("\u{0}\u{feff}\"{}\\"),
                9 => json!({ "records": 5 }),
                10 => json!({ "records": [null, 1, "x", {}] }),
                _ => json!("2026-99-99"),
            }
        }
    }
}

#[test]
fn malformed_records_are_refused_and_never_crash() {
    let compiled = crate::common::compiled_template();
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let validator = validator("Order");
    let mut dice = Dice::new(5);
    for flow in &plan.mapping.flows {
        for n in 0..1_000 {
            let mut record = crate::common::orders::order(&mut dice, n);
            for _ in 0..1 + dice.below(4) {
                spoil(&mut dice, &mut record, 0);
            }
            let outcome = run(&program, &compiled, flow, &record, &BTreeMap::new());
            if outcome.verdict == Verdict::Ready && flow.name == "export_orders" {
                valid(&outcome, &validator, &record);
            }
            if outcome.verdict == Verdict::Rejected {
                assert!(!outcome.reasons.is_empty());
            }
        }
    }
}
