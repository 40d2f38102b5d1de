//! What a plan says of a mapping: what it reads, what the source filters, its hash, its form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::Path;

use crossdock::connector::salesforce::soql;
use crossdock::eval::{Inputs, Program, apply};
use crossdock::plan::{Plan, Printed, show};
use crossdock::project::{Options, Planned, Texts, compile, records, templates};

const CONFIG: &str = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\n";

fn plan(mapping: &str) -> Plan {
    let compiled = compile(&Texts::new([("crossdock.yaml", CONFIG), ("orders.dock", mapping)]), &Options::default());
    let said: Vec<String> = compiled.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    compiled.plan.unwrap_or_else(|| panic!("no plan:\n{}", said.join("\n")))
}

const EXPORT: &str = r#"edition 1

parameter least: money = 10.00

function greeting(who: text?) -> text? = "Dear {who}"

flow export {
  from crm.Order as order {
    where   order.Status in ("Activated", "Draft") and order.TotalAmount >= least
    where   order.Account.Name == "O'Brien\\Sons"
    where   order.OrderNumber matches '[0-9]+'
    where   not (order.Description is missing) or order.EffectiveDate is present
    changed order.SystemModstamp, order.OrderItems.SystemModstamp overlap 10 minutes
    every   5 minutes
  }
  let lines   = each line in order.OrderItems where line.Quantity > 0
  let ship_to = order.ShippingAddress
  validate {
    require ship_to.city "no city"
    each line in lines { require line.Product2.ProductCode "line {index} has no SKU" }
    review when order.TotalAmount > 500.00 "much" for "sales" before order.CreatedDate + 2 days
  }
  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber = order.OrderNumber ?? "none"
    orderDate = now
    orderStatus = awaiting_shipment
    billTo { name = "A" }
    shipTo { name = ship_to.city }
    customerNotes = greeting(order.BillToContact.Name)
    internalNotes = order.Description once
    customerEmail = order.BillToContact.Email if empty
    amountPaid = sum(line.Quantity * line.UnitPrice for line in lines)
    guard target.orderStatus in (awaiting_shipment, on_hold) else review "left"
  }
  when sent is rejected { update crm.Order of order { BillingCity = order.Type } }
}
"#;

fn dotted(paths: &[Vec<String>]) -> Vec<String> {
    paths.iter().map(|path| path.join(".")).collect()
}

#[test]
fn just_what_is_read_is_fetched() {
    let plan = plan(EXPORT);
    let reads = &plan.flows[0];
    assert_eq!(
        dotted(&reads.reads),
        [
            "Account.Name",
            "BillToContact.Email",
            "BillToContact.Name",
            "CreatedDate",
            "Description",
            "EffectiveDate",
            "Id",
            "OrderItems.Product2.ProductCode",
            "OrderItems.Quantity",
            "OrderItems.SystemModstamp",
            "OrderItems.UnitPrice",
            "OrderNumber",
            "ShippingAddress.city",
            "Status",
            "SystemModstamp",
            "TotalAmount",
            "Type",
        ]
    );
    assert_eq!(dotted(&reads.target_reads["sent"]), ["customerEmail", "orderStatus"]);
}

#[test]
fn the_query_asks_for_that_and_filters_what_soql_can() {
    let plan = plan(EXPORT);
    let query = soql::query(&plan.selection_of(0, &[])).unwrap();
    let (select, filter) = query.split_once(" WHERE ").unwrap();
    assert!(select.contains("ShippingAddress") && select.contains("Account.Name"), "{select}");
    assert!(select.contains("(SELECT Id, Product2.ProductCode, Quantity, SystemModstamp, UnitPrice FROM OrderItems)"), "{select}");
    assert!(filter.contains("Status IN ('Activated', 'Draft')") && filter.contains("TotalAmount >= 10.00"), "{filter}");
    assert!(filter.contains(r"Account.Name = 'O\'Brien\\Sons'"), "{filter}");
    assert!(filter.ends_with("SystemModstamp >= :since ORDER BY SystemModstamp, Id"), "{filter}");
    assert_eq!(
        soql::child_queries(&plan.selection_of(0, &[])),
        ["SELECT OrderId FROM OrderItem WHERE SystemModstamp >= :since ORDER BY SystemModstamp, Id"]
    );
    // A pattern, and a long text that cannot be filtered by, are held here.
    assert!(!filter.contains("OrderNumber") && !filter.contains("Description"), "{filter}");
}

#[test]
fn parts_of_a_list_and_fields_of_that_name_are_kept_apart() {
    let plan = plan(
        "edition 1\nflow f {\n  from crm.Order as order { every 5 minutes }\n  split line in order.OrderItems by line.Product2.Family ?? \"none\" as part\n  upsert wms.Order key orderKey = \"{order.Id}-{part.key}\" {\n    orderNumber = order.Id\n    orderDate = now\n    orderStatus = awaiting_shipment\n    billTo { name = \"A\" }\n    shipTo { name = \"A\" }\n    items = each l in part.lines {\n      name = l.Description ?? \"x\"\n      quantity = 1\n    }\n  }\n}\n",
    );
    assert_eq!(dotted(&plan.flows[0].reads), ["Id", "OrderItems.Description", "OrderItems.Product2.Family"]);
    let back = self::plan(
        "edition 1\nflow f {\n  from wms.Order as o { every 5 minutes }\n  match order: crm.Order {\n    by order.OrderNumber == o.orderNumber\n    none -> skip\n    many -> skip\n  }\n  update crm.Order of order { Description = \"{count(o.items)} {first(o.items).sku ?? \"-\"}\" }\n}\n",
    );
    assert_eq!(dotted(&back.flows[0].reads), ["items.sku", "orderNumber"]);
    assert_eq!(dotted(&back.flows[0].match_reads["order"]), ["Id", "OrderNumber"]);
}

#[test]
fn the_same_files_give_the_same_bytes_and_another_mapping_another_hash() {
    let bytes = |mapping: &str| serde_json::to_vec(&plan(mapping)).unwrap();
    assert_eq!(bytes(EXPORT), bytes(EXPORT));
    let other = EXPORT.replace("500.00", "501.00");
    assert_ne!(plan(EXPORT).hash(), plan(&other).hash());
    assert_eq!(plan(EXPORT).hash().len(), 64);
}

#[test]
fn a_stored_plan_comes_back_as_it_was() {
    let before = plan(EXPORT);
    let text = serde_json::to_string(&before).unwrap();
    let after: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(before, after);
    assert_eq!(serde_json::to_string(&after).unwrap(), text);
}

#[test]
fn people_read_what_will_happen() {
    let plan = plan(EXPORT);
    let text = show::flow(&plan, &plan.mapping.flows[0], &plan.flows[0], None, &[]);
    for words in [
        "crm.Order as order",
        "every 5 minutes",
        "by SystemModstamp, OrderItems.SystemModstamp, 10 minutes again",
        "validate   2 require, 1 review",
        "upsert     wms.Order as sent",
        "key in orderKey",
        "guarantee G0",
        "internalNotes once",
        "customerEmail if empty",
        "stays at the target",
        "sent is rejected",
        "matches '[0-9]+'",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

/// Plans are stored with each record's history and read by other tools: their form is written down.
/// `CROSSDOCK_ACCEPT=1 cargo test --test plan` writes it anew.
#[test]
fn the_form_of_plans_is_the_one_written_down() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/plan.schema.json");
    let schema = serde_json::to_value(schemars::schema_for!(Printed)).unwrap();
    let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("CROSSDOCK_ACCEPT").is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "plans have another form than schemas/plan.schema.json says; CROSSDOCK_ACCEPT=1 cargo test --test all plan:: writes it (and VERSION goes up where stored plans no longer fit)"
    );
    let plan = serde_json::to_value(plan(EXPORT).printed()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let misfits: Vec<String> = validator.iter_errors(&plan).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(misfits.is_empty(), "{}", misfits.join("\n"));
}

/// What a preview is made with maps each record of each template as what runs does, whatever flow it is put into.
#[test]
fn a_plan_of_what_is_touched_maps_as_the_whole_one() {
    let (now, nothing, none) = ("2026-11-20T12:00:00Z".parse().unwrap(), BTreeMap::new(), BTreeMap::new());
    let (mut mapped, mut fewer) = (0, 0);
    for (name, files) in templates::TEMPLATES {
        let texts = templates::project(name).unwrap();
        let made = |planned| compile(&texts, &Options { planned, ..Options::default() });
        let (whole, touched) = (made(Planned::Whole), made(Planned::Touched));
        let (whole_plan, touched_plan) = (whole.plan.as_ref().unwrap(), touched.plan.as_ref().unwrap());
        fewer += usize::from(touched_plan.objects.len() < whole_plan.objects.len());
        let (by_whole, by_touched) = (Program::new(whole_plan).unwrap(), Program::new(touched_plan).unwrap());
        for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with("fixtures/") && path.ends_with(".json")) {
            let Ok(records) = records::read(path, std::str::from_utf8(bytes).unwrap()) else { continue };
            for (flow, same) in whole_plan.mapping.flows.iter().zip(&touched_plan.mapping.flows) {
                let matched: BTreeMap<_, _> = flow.matches.iter().map(|found| (found.name.clone(), records.clone())).collect();
                for record in &records {
                    let outcome = |program: &Program<'_>, flow| {
                        let group = std::slice::from_ref(record);
                        let (matched, targets, results, names) = (&matched, &nothing, &none, &whole.names);
                        let inputs = Inputs { record, group, was_of_group: None, now, matched, targets, results, names, trace: true };
                        serde_json::to_value(apply(program, flow, &inputs)).unwrap()
                    };
                    assert_eq!(outcome(&by_whole, flow), outcome(&by_touched, same), "{name} {path} {}", flow.name);
                    mapped += 1;
                }
            }
        }
    }
    assert!(mapped > 100 && fewer > 0, "{mapped} {fewer}");
}
