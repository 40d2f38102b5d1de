//! Records through whole mappings, from the text to the payload.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use crossdock::eval::{Inputs, Outcome, Program, Verdict, apply};
use crossdock::plan::Plan;
use crossdock::project::{Options, Texts, compile};
use crossdock::schema::{Named, Names};
use crossdock::value::{Json, ObjectRef};
use serde_json::json;

const CONFIG: &str = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\ntime_zone: Europe/London\n";

fn plan_of(files: &[(&str, &str)]) -> Plan {
    let mut texts = Texts::new([("crossdock.yaml", CONFIG)]);
    for (name, text) in files {
        texts.put(*name, *text);
    }
    let compiled = compile(&texts, &Options::default());
    let said: Vec<String> = compiled.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    compiled.plan.unwrap_or_else(|| panic!("no plan:\n{}", said.join("\n")))
}

fn plan(mapping: &str) -> Plan {
    plan_of(&[("orders.dock", mapping)])
}

/// What stands beside the record.
#[derive(Default)]
struct Beside {
    matched: BTreeMap<String, Vec<Json>>,
    targets: BTreeMap<String, Json>,
    results: BTreeMap<String, Json>,
    group: Vec<Json>,
    trace: bool,
}

fn map(plan: &Plan, record: &Json, beside: &Beside) -> Outcome {
    let program = Program::new(plan).unwrap();
    let store = Names { pulled: None, names: vec![Named { name: "US store".into(), id: json!(7) }, Named { name: "EU store".into(), id: json!(8) }] };
    let names = BTreeMap::from([(ObjectRef::new("wms", "Store"), Arc::new(store))]);
    let inputs = Inputs {
        record,
        group: &beside.group,
        was_of_group: None,
        now: "2026-03-01T12:00:00Z".parse().unwrap(),
        matched: &beside.matched,
        targets: &beside.targets,
        results: &beside.results,
        names: &names,
        trace: beside.trace,
    };
    apply(&program, &plan.mapping.flows[0], &inputs)
}

fn run(mapping: &str, record: Json) -> Outcome {
    map(&plan(mapping), &record, &Beside::default())
}

fn reasons(outcome: &Outcome) -> Vec<&str> {
    outcome.reasons.iter().map(|reason| reason.message.as_str()).collect()
}

/// A flow from Salesforce orders to ShipStation orders, with sections and rows of the test's own.
fn export(before: &str, sections: &str, rows: &str) -> String {
    format!(
        "edition 1\n{before}\nflow export {{\n  from crm.Order as order {{ every 5 minutes }}\n{sections}\n  upsert wms.Order key orderKey = \"sf-{{order.Id}}\" as sent {{\n    orderNumber = order.OrderNumber ?? \"none\"\n    orderDate = now\n    orderStatus = awaiting_shipment\n    billTo {{ name = \"A\" }}\n    shipTo {{ name = \"A\" }}\n{rows}\n  }}\n  when sent is rejected {{\n    update crm.Order of order {{ Description = reasons | join \"; \" }}\n  }}\n}}\n"
    )
}

fn order() -> Json {
    json!({
        "Id": "801x0", "OrderNumber": "00000101", "Status": "Activated", "TotalAmount": 120.50,
        "EffectiveDate": "2026-02-27", "Description": null, "CurrencyIsoCode": "EUR",
        "ShippingAddress": { "street": "1 High St", "city": "Leeds", "postalCode": "LS1 1AA", "countryCode": "GB" },
        "Account": { "Name": "Acme" },
        "OrderItems": { "totalSize": 2, "done": true, "records": [
            { "Id": "802a", "Quantity": 2, "UnitPrice": 10.25, "Product2": { "ProductCode": "SKU-1", "Name": "Lamp" } },
            { "Id": "802b", "Quantity": 1, "UnitPrice": 100.00, "Product2": { "ProductCode": null, "Name": "Shade" } },
        ] },
    })
}

const LINES: &str = "  let lines = each line in order.OrderItems where line.Quantity > 0\n";

#[test]
fn a_record_becomes_a_payload() {
    let outcome = run(
        &export("", LINES, "    amountPaid = sum(line.Quantity * line.UnitPrice for line in lines)\n    customerEmail = order.Account.Name | lower"),
        order(),
    );
    assert_eq!(outcome.verdict, Verdict::Ready, "{:?}", outcome.reasons);
    let payload = &outcome.payloads[0];
    assert_eq!(payload.key.as_deref(), Some("sf-801x0"));
    assert_eq!(payload.body["amountPaid"].to_string(), "120.50");
    assert_eq!(payload.body["customerEmail"], "acme");
    assert_eq!(payload.body["shipTo"], json!({ "name": "A" }));
}

#[test]
fn all_rules_run_and_each_cause_is_said_once() {
    let rules = format!(
        "{LINES}  validate {{\n    require order.BillToContact.Email \"no e-mail\"\n    require order.BillToContact.Email matches '.+@.+' \"{{order.BillToContact.Email}} is no address\"\n    each line in lines {{\n      require line.Product2.ProductCode \"line {{index}} has no SKU\"\n      require (line.Product2.ProductCode matches 'SKU-[0-9]+') \"line {{index}}: bad SKU {{line.Product2.ProductCode}}\"\n    }}\n    require order.TotalAmount > 500.00 \"{{order.Description}} is too little\"\n  }}\n"
    );
    let mut record = order();
    record["OrderItems"]["records"][0]["Product2"]["ProductCode"] = json!("X");
    let outcome = run(&export("", &rules, ""), record);
    assert_eq!(outcome.verdict, Verdict::Rejected);
    assert_eq!(reasons(&outcome), ["no e-mail", "line 1: bad SKU X", "line 2 has no SKU", "(none) is too little"]);
    assert!(outcome.payloads.is_empty());
    assert_eq!(outcome.follow_ups.len(), 1);
    assert_eq!(outcome.follow_ups[0].id.as_deref(), Some("801x0"));
    assert_eq!(outcome.follow_ups[0].body["Description"], "no e-mail; line 1: bad SKU X; line 2 has no SKU; (none) is too little");
}

const STATUS: &str =
    "values status: crm.Order.Status -> wms.Order.orderStatus {\n  \"Activated\" -> awaiting_shipment\n  else review \"{value} is not mapped\"\n}\n";

fn with_status(rows: &str) -> String {
    export(STATUS, "", rows).replace("orderStatus = awaiting_shipment", "orderStatus = order.Status | status")
}

#[test]
fn a_value_that_no_row_knows_goes_to_review_and_not_also_to_the_gate() {
    let mut record = order();
    record["Status"] = json!("Draft");
    let outcome = run(&with_status(""), record.clone());
    assert_eq!((outcome.verdict, reasons(&outcome)), (Verdict::Review, vec!["Draft is not mapped"]));
    assert_eq!(outcome.payloads.len(), 1);
    // A picklist value that the schema does not know is a built-in reason.
    record["Status"] = json!("Frozen");
    let outcome = run(&with_status(""), record);
    assert_eq!(outcome.verdict, Verdict::Rejected);
    assert_eq!(outcome.reasons[0].kind, "source_misfit");
}

#[test]
fn a_rejected_record_tells_what_its_value_maps_refuse_too() {
    let mapping = with_status("").replace("  upsert", "  validate { require order.Description \"no description\" }\n  upsert");
    let mut record = order();
    record["Status"] = json!("Draft");
    let outcome = run(&mapping, record);
    assert_eq!((outcome.verdict, reasons(&outcome)), (Verdict::Rejected, vec!["no description", "Draft is not mapped"]));
}

#[test]
fn the_gate_names_field_value_and_limit() {
    let mapping = "edition 1\nflow f {\n  from crm.Order as order { every 5 minutes }\n  update crm.Order of order {\n    BillingCity = order.ShippingAddress.city\n    BillingState = order.Account.Name\n  }\n}\n";
    let mut record = order();
    record["ShippingAddress"]["city"] = json!("9".repeat(41));
    record["Account"]["Name"] = json!("8".repeat(81));
    let outcome = run(mapping, record);
    assert_eq!((outcome.verdict, outcome.reasons.len()), (Verdict::Rejected, 2));
    let reason = &outcome.reasons[0];
    assert_eq!((reason.kind, reason.field.as_deref()), ("target_misfit", Some("BillingCity")));
    assert!(reason.message.contains("999") && reason.message.contains("40 characters"), "{}", reason.message);
}

#[test]
fn blank_null_and_absent_are_missing() {
    for value in [json!("  "), Json::Null, json!("")] {
        let mut record = order();
        record["Description"] = value;
        let outcome = run(
            &export(
                "",
                "",
                "    internalNotes = order.Description\n    customerNotes = \"a {order.Description}\"\n    gift = order.Description is missing",
            ),
            record,
        );
        let body = &outcome.payloads[0].body;
        assert_eq!((body.get("internalNotes"), body.get("customerNotes"), &body["gift"]), (None, None, &json!(true)));
    }
}

#[test]
fn clear_empties_what_was_read_and_is_empty_and_leaves_what_was_not_sent() {
    let rows = "  update crm.Order of order { Description = order.BillToContact.Phone clear }\n";
    let mapping = format!("edition 1\nflow f {{\n  from crm.Order as order {{ every 5 minutes }}\n{rows}}}\n");
    let plan = plan(&mapping);
    let body = |record: Json| map(&plan, &record, &Beside::default()).payloads[0].body.clone();
    assert_eq!(body(json!({ "Id": "1", "BillToContact": { "Phone": null } })), json!({ "Description": null }));
    assert_eq!(body(json!({ "Id": "1", "BillToContact": null })), json!({ "Description": null }));
    assert_eq!(body(json!({ "Id": "1", "BillToContact": {} })), json!({}));
    assert_eq!(body(json!({ "Id": "1" })), json!({}));
}

#[test]
fn routes_take_the_first_row_that_holds() {
    let route = "  route store {\n    when order.TotalAmount > 1000.00 -> review \"by hand\" for \"sales\"\n    when order.TotalAmount > 100.00 -> \"EU store\"\n    else -> \"US store\"\n  }\n";
    let mapping = export("", route, "    advancedOptions { storeId = store }");
    let files =
        [("orders.dock", mapping.as_str()), ("schemas/wms/names.json", r#"{"Store":[{"name":"US store","id":7},{"name":"EU store","id":8}]}"#)];
    let plan = plan_of(&files);
    let at = |total: f64| {
        let mut record = order();
        record["TotalAmount"] = json!(total);
        map(&plan, &record, &Beside::default())
    };
    assert_eq!(at(120.5).payloads[0].body["advancedOptions"]["storeId"], json!(8));
    assert_eq!(at(10.0).payloads[0].body["advancedOptions"]["storeId"], json!(7));
    let parked = at(2000.0);
    assert_eq!((parked.verdict, reasons(&parked), parked.reasons[0].owner.as_deref()), (Verdict::Review, vec!["by hand"], Some("sales")));
}

#[test]
fn guards_look_at_the_target_only_where_there_is_one() {
    let mapping = export(
        "",
        "",
        "    guard target.orderStatus in (awaiting_shipment, on_hold) else review \"{order.OrderNumber} left\" for \"warehouse\" before now + 2 hours",
    );
    let plan = plan(&mapping);
    assert_eq!(map(&plan, &order(), &Beside::default()).verdict, Verdict::Ready);
    let held = |status: &str| Beside { targets: BTreeMap::from([("sent".to_owned(), json!({ "orderStatus": status }))]), ..Beside::default() };
    assert_eq!(map(&plan, &order(), &held("on_hold")).verdict, Verdict::Ready);
    let left = map(&plan, &order(), &held("shipped"));
    assert_eq!((left.verdict, reasons(&left)), (Verdict::Review, vec!["00000101 left"]));
    assert_eq!(left.reasons[0].before.unwrap().to_string(), "2026-03-01T14:00:00Z");
}

const BACK: &str = "edition 1\nflow back {\n  from wms.Shipment as shipment { every 15 minutes }\n  match order: crm.Order {\n    by order.OrderNumber == shipment.orderNumber\n    none -> review \"no order for {shipment.orderNumber}\"\n    many -> reject \"{count} orders match\"\n  }\n  update crm.Order of order { Description = shipment.trackingNumber }\n}\n";

#[test]
fn none_and_many_mean_what_the_match_says() {
    let plan = plan(BACK);
    let shipment = json!({ "shipmentId": 5, "orderNumber": "A-1", "trackingNumber": "1Z" });
    let with = |orders: Vec<Json>| map(&plan, &shipment, &Beside { matched: BTreeMap::from([("order".to_owned(), orders)]), ..Beside::default() });
    let one = with(vec![json!({ "Id": "801" })]);
    assert_eq!((one.verdict, one.payloads[0].id.as_deref(), &one.payloads[0].body), (Verdict::Ready, Some("801"), &json!({ "Description": "1Z" })));
    let none = with(Vec::new());
    assert_eq!((none.verdict, reasons(&none)), (Verdict::Review, vec!["no order for A-1"]));
    let many = with(vec![json!({ "Id": "1" }), json!({ "Id": "2" })]);
    assert_eq!((many.verdict, reasons(&many)), (Verdict::Rejected, vec!["2 orders match"]));
    let lost = with(vec![json!({ "Name": "x" })]);
    assert_eq!((lost.verdict, lost.reasons[0].kind), (Verdict::Rejected, "target_misfit"));
}

#[test]
fn a_group_adds_up_what_its_where_keeps() {
    let mapping = "edition 1\nflow history {\n  from wms.Shipment as s {\n    where s.voided == false\n    every day at 02:00 in \"Europe/London\"\n  }\n  group by s.customerEmail as email\n  match account: crm.Account {\n    by account.Name == email\n    none -> skip\n  }\n  update crm.Account of account {\n    NumberOfEmployees = count()\n    Description = \"{email}: {max(s.shipDate)}\"\n  }\n}\n";
    let plan = plan(mapping);
    let group = vec![
        json!({ "customerEmail": "a@x.org", "voided": false, "shipDate": "2026-02-01" }),
        json!({ "customerEmail": "a@x.org", "voided": true, "shipDate": "2026-02-09" }),
        json!({ "customerEmail": "a@x.org", "voided": false, "shipDate": "2026-02-03" }),
        json!({ "customerEmail": null, "voided": false, "shipDate": "2026-02-04" }),
    ];
    let found = BTreeMap::from([("account".to_owned(), vec![json!({ "Id": "001" })])]);
    let outcome = map(&plan, &Json::Null, &Beside { group, matched: found, ..Beside::default() });
    assert_eq!(outcome.verdict, Verdict::Ready, "{:?}", outcome.reasons);
    assert_eq!(outcome.payloads[0].body, json!({ "NumberOfEmployees": 2, "Description": "a@x.org: 2026-02-03" }));
    let nobody = map(&plan, &Json::Null, &Beside { group: vec![json!({ "customerEmail": " ", "voided": false })], ..Beside::default() });
    assert_eq!(nobody.verdict, Verdict::NotEligible);
}

#[test]
fn a_split_writes_once_for_each_part() {
    let mapping = "edition 1\nflow parts {\n  from crm.Order as order { every 5 minutes }\n  split line in order.OrderItems by line.Product2.Family ?? \"none\" as part\n  upsert wms.Order key orderKey = \"sf-{order.Id}-{part.key}\" {\n    orderNumber = order.Id\n    orderDate = now\n    orderStatus = awaiting_shipment\n    billTo { name = \"A\" }\n    shipTo { name = \"A\" }\n    amountPaid = sum(l.Quantity * l.UnitPrice for l in part.lines)\n  }\n}\n";
    let mut record = order();
    record["OrderItems"]["records"][1]["Product2"]["Family"] = json!("B");
    let outcome = run(mapping, record);
    let seen: Vec<_> = outcome.payloads.iter().map(|p| (p.key.clone().unwrap(), p.body["amountPaid"].to_string())).collect();
    assert_eq!(seen, [("sf-801x0-none".to_owned(), "20.50".to_owned()), ("sf-801x0-B".to_owned(), "100.0".to_owned())], "{:?}", outcome.reasons);
}

#[test]
fn reconcile_says_the_difference() {
    let rule = "  validate { reconcile order.TotalAmount == sum((l.Quantity ?? 0) * (l.UnitPrice ?? 0.00) for l in order.OrderItems) \"off by {difference}\" }\n";
    let mapping = export("", rule, "");
    let plan = plan(&mapping);
    assert_eq!(map(&plan, &order(), &Beside::default()).verdict, Verdict::Ready);
    let mut record = order();
    record["TotalAmount"] = json!(121);
    let outcome = map(&plan, &record, &Beside::default());
    assert_eq!(outcome.verdict, Verdict::Rejected);
    assert!(reasons(&outcome)[0].starts_with("off by 0.50"), "{:?}", reasons(&outcome));
}

#[test]
fn the_trace_tells_every_field_how_it_came() {
    let rows = "    customerEmail = order.BillToContact.Email ?? order.Account.Name | lower\n    items = each line in lines {\n      name = line.Product2.Name\n      sku = line.Product2.ProductCode\n      quantity = 1\n    }";
    let mapping = export("", &format!("{LINES}  validate {{ require order.Account.Name \"no name\" }}\n"), rows);
    let outcome = map(&plan(&mapping), &order(), &Beside { trace: true, ..Beside::default() });
    let of = |field: &str| outcome.trace.iter().find(|trace| trace.field == field).unwrap_or_else(|| panic!("no trace of {field}"));
    let email = of("customerEmail");
    assert_eq!(email.value, Some(json!("acme")));
    let reads: Vec<_> = email.reads.iter().map(|read| (read.path.as_str(), read.missing)).collect();
    assert_eq!(reads, [("order.BillToContact.Email", Some("absent")), ("order.Account.Name", None)]);
    assert!(email.steps.iter().any(|step| step.text.contains("fallback")), "{:?}", email.steps);
    assert_eq!(of("items[1].name").value, Some(json!("Shade")));
    assert_eq!(of("items[1].sku").value, None);
    assert!(of("items[0].name").reads[0].path.ends_with("[0].Product2.Name"), "{:?}", of("items[0].name").reads);
    assert!(map(&plan(&mapping), &order(), &Beside::default()).trace.is_empty());
}

#[test]
fn two_mistakes_in_a_list_are_two_reasons() {
    let mapping = export(
        "values code: text -> text {\n  \"SKU-1\" -> \"1\"\n  else reject \"{value} is unknown\"\n}\n",
        "",
        "    items = each line in order.OrderItems {\n      name = \"x\"\n      quantity = 1\n      sku = (line.Product2.ProductCode ?? line.Id ?? \"none\") | code\n    }",
    );
    let mut record = order();
    record["OrderItems"]["records"][0]["Product2"]["ProductCode"] = json!("Q");
    let outcome = run(&mapping, record);
    assert_eq!((outcome.verdict, reasons(&outcome)), (Verdict::Rejected, vec!["Q is unknown", "802b is unknown"]));
}

#[test]
fn a_loop_over_loops_ends() {
    let mapping = export(
        "",
        "",
        "    amountPaid = sum(1.00 for a in order.OrderItems, b in order.OrderItems, c in order.OrderItems where a.Quantity == b.Quantity and b.Quantity == c.Quantity)",
    );
    let mut record = order();
    let line = json!({ "Id": "802a", "Quantity": 2 });
    record["OrderItems"] = json!({ "records": vec![line; 500] });
    let outcome = run(&mapping, record);
    assert_eq!((outcome.verdict, outcome.reasons[0].kind), (Verdict::Rejected, "limit"));
}

#[test]
fn expressions_inside_each_other_end_before_the_stack_does() {
    use crossdock::ir::{Expr, Flow, Generator};
    use crossdock::value::Literal;
    let mut plan = plan(BACK);
    let mut deep = Expr::Literal(Literal::Boolean(true));
    for _ in 0..400 {
        let one = Expr::List(vec![Expr::Literal(Literal::Boolean(true))]);
        let generator = Generator { slot: Flow::RECORD, name: "x".into(), list: one, optional: false, index: None };
        deep = Expr::Each { generators: vec![generator], condition: None, body: Box::new(Expr::Not(Box::new(deep))) };
    }
    plan.mapping.flows[0].filter = vec![deep];
    let outcome = map(&plan, &json!({}), &Beside::default());
    assert_eq!((outcome.verdict, outcome.reasons[0].kind), (Verdict::Rejected, "limit"));
}

#[test]
fn each_threshold_that_is_reached_is_a_write() {
    let mapping = "edition 1\nflow milestones {\n  from wms.Shipment as s { every day at 02:00 in \"Europe/London\" }\n  group by s.customerEmail as email\n  upsert wms.Order key orderKey = \"m/{email}/{reached}\" when count() reaches (2, 3, 10) {\n    orderNumber = \"n\"\n    orderDate = now\n    orderStatus = awaiting_shipment\n    billTo { name = \"A\" }\n    shipTo { name = \"A\" }\n  }\n}\n";
    let one = json!({ "customerEmail": "a@x.org" });
    let outcome = map(&plan(mapping), &Json::Null, &Beside { group: vec![one.clone(), one.clone(), one], ..Beside::default() });
    let keys: Vec<_> = outcome.payloads.iter().map(|payload| payload.key.as_deref().unwrap()).collect();
    assert_eq!(keys, ["m/a@x.org/2", "m/a@x.org/3"], "{:?}", outcome.reasons);
}

#[test]
fn a_write_back_that_does_not_fit_is_a_warning() {
    let mapping = export("", "  validate { require order.Description \"no description\" }\n", "")
        .replace("Description = reasons", "BillingCity = \"{count(reasons)} mistakes, far too many words for the name of a city\"")
        .replace("| join \"; \"", "");
    let outcome = run(&mapping, order());
    assert_eq!((outcome.verdict, outcome.follow_ups.len(), outcome.warnings.len()), (Verdict::Rejected, 0, 1));
    assert!(outcome.warnings[0].message.contains("crm.Order was not written back: BillingCity"), "{:?}", outcome.warnings);
    assert_eq!(reasons(&outcome), ["no description"]);
}

#[test]
fn a_computation_that_goes_too_far_names_its_field_once() {
    let mapping = export(
        "",
        "  let huge = order.TotalAmount * 10000000000000000\n",
        "    amountPaid = huge\n    taxAmount = huge\n    shippingAmount = order.TotalAmount * 20000000000000000",
    );
    let mut record = order();
    record["TotalAmount"] = serde_json::from_str("79000000000000.00").unwrap();
    let outcome = run(&mapping, record);
    let said: Vec<_> = outcome.reasons.iter().map(|reason| (reason.kind, reason.message.as_str())).collect();
    assert_eq!(said, [("number_too_large", "huge: a number is too large"), ("number_too_large", "shippingAmount: a number is too large")]);
}

/// What a table or a value map names is the thing: its id is sent, and it is found by its id as well as by its name.
#[test]
fn a_thing_that_a_table_or_a_value_map_names_is_sent_by_its_id() {
    const STORES: &str = "region,store,spare\nGB,EU store,\nUS,US store,EU store\n";
    const BRANDS: &str = "store,brand\nEU store,North\nUS store,South\n";
    const NAMES: &str = r#"{"Store":[{"name":"US store","id":7},{"name":"EU store","id":8}]}"#;
    let tables = "table stores from \"stores.csv\" { key region: text\n store: a store of wms, spare: a store of wms? }\n\
                  table brands from \"brands.csv\" { key store: a store of wms\n brand: text }\n\
                  values store_of: text -> a store of wms { \"GB\" -> \"EU store\"\n else \"US store\" }\n\
                  values short: a store of wms -> text { \"EU store\" -> \"eu\"\n else \"other\" }\n";
    let sent = |rows: &str| {
        let mapping = export(tables, "  let country = order.ShippingAddress.countryCode\n", rows);
        let files = [("orders.dock", mapping.as_str()), ("stores.csv", STORES), ("brands.csv", BRANDS), ("schemas/wms/names.json", NAMES)];
        let outcome = map(&plan_of(&files), &order(), &Beside::default());
        assert_eq!(outcome.verdict, Verdict::Ready, "{rows}: {:?}", outcome.reasons);
        outcome.payloads[0].body.clone()
    };
    let store = |value: &str| sent(&format!("    advancedOptions {{ storeId = {value} }}"))["advancedOptions"]["storeId"].clone();
    assert_eq!(store("stores(country).store"), 8);
    assert_eq!(store("stores(country).spare ?? stores(country).store"), 8);
    assert_eq!(store("if stores(country).store == \"EU store\" then stores(country).store else \"US store\""), 8);
    assert_eq!(store("country | store_of"), 8);
    assert_eq!(store("order.Status | store_of"), 7);
    let note = |value: &str| sent(&format!("    customerNotes = {value}"))["customerNotes"].clone();
    assert_eq!(note("stores(country).store | text"), "EU store");
    assert_eq!(note("\"to {stores(country).store}\""), "to EU store");
    assert_eq!(note("brands(stores(country).store).brand"), "North");
    assert_eq!(note("brands(country | store_of).brand"), "North");
    assert_eq!(note("brands(\"US store\").brand"), "South");
    assert_eq!(note("stores(country).store | short"), "eu");

    // Its name is gone since the check: the reason says so.
    let mapping = export(tables, "", "    advancedOptions { storeId = stores(order.ShippingAddress.countryCode).store }");
    let stores = STORES.replace("GB,EU store", "GB,Old store");
    let names = NAMES.replace("EU store", "EU store\",\"id\":8},{\"name\":\"Old store");
    let plan = plan_of(&[("orders.dock", &mapping), ("stores.csv", &stores), ("brands.csv", BRANDS), ("schemas/wms/names.json", &names)]);
    let outcome = map(&plan, &order(), &Beside::default());
    assert_eq!((outcome.verdict, outcome.reasons[0].kind), (Verdict::Rejected, "name_gone"), "{:?}", outcome.reasons);
    assert!(outcome.reasons[0].message.contains("wms has no store called \"Old store\" any more"), "{:?}", outcome.reasons);
}

/// A record holds the id of a thing, and the rows name it.
#[test]
fn a_record_with_the_id_of_a_thing_meets_the_row_that_names_it() {
    let mapping = "edition 1\ntable brands from \"brands.csv\" { key store: a store of wms\n brand: text }\n\
                   values short: a store of wms -> text { \"EU store\" -> \"eu\"\n else \"other\" }\n\
                   flow back {\n  from wms.Order as order { every 5 minutes }\n  let store = order.advancedOptions.storeId\n\
                   match known: crm.Order { by known.OrderNumber == order.orderNumber\n none -> skip\n many -> skip }\n\
                   update crm.Order of known { Description = \"{brands(store).brand ?? \"-\"}, {store | short}\" }\n}\n";
    let names = r#"{"Store":[{"name":"US store","id":7},{"name":"EU store","id":8}]}"#;
    let plan = plan_of(&[("orders.dock", mapping), ("brands.csv", "store,brand\nEU store,North\n"), ("schemas/wms/names.json", names)]);
    let matched = BTreeMap::from([("known".to_owned(), vec![json!({"Id": "801x0", "OrderNumber": "1"})])]);
    let order = json!({"orderId": 1, "orderNumber": "1", "advancedOptions": {"storeId": 8}});
    let outcome = map(&plan, &order, &Beside { matched, ..Beside::default() });
    assert_eq!(outcome.payloads[0].body["Description"], "North, eu", "{outcome:?}");
}

#[test]
fn a_name_that_is_gone_is_a_reason() {
    let mapping = export("", "", "    advancedOptions { storeId = \"US store\" }");
    let plan = plan_of(&[("orders.dock", &mapping), ("schemas/wms/names.json", r#"{"Store":[{"name":"US store","id":7}]}"#)]);
    let program = Program::new(&plan).unwrap();
    let (matched, none, names) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let record = order();
    let inputs = Inputs {
        record: &record,
        group: &[],
        was_of_group: None,
        now: "2026-03-01T12:00:00Z".parse().unwrap(),
        matched: &matched,
        targets: &none,
        results: &none,
        names: &names,
        trace: false,
    };
    let outcome = apply(&program, &plan.mapping.flows[0], &inputs);
    assert_eq!((outcome.verdict, outcome.reasons[0].kind), (Verdict::Rejected, "name_gone"));
}

#[test]
fn a_later_write_waits_for_the_result_that_it_reads() {
    let mapping = export("", "", "")
        .replace("  when sent is rejected", "  update crm.Order of order { Description = \"as {sent.orderId}\" }\n  when sent is rejected");
    let plan = plan(&mapping);
    let first = map(&plan, &order(), &Beside::default());
    assert_eq!(first.payloads[1].waits_for, ["sent"], "{:?}", first.reasons);
    let results = BTreeMap::from([("sent".to_owned(), json!({ "orderId": 99 }))]);
    let then = map(&plan, &order(), &Beside { results, ..Beside::default() });
    assert_eq!((then.payloads[1].waits_for.len(), &then.payloads[1].body), (0, &json!({ "Description": "as 99" })));
}

#[test]
fn once_and_if_empty_keep_to_what_the_target_holds() {
    let mapping = export(
        "",
        "",
        "    internalNotes = order.Account.Name once\n    customerEmail = order.Account.Name if empty\n    guard target.orderStatus == awaiting_shipment else review \"left\"",
    );
    let plan = plan(&mapping);
    let new = map(&plan, &order(), &Beside::default()).payloads.remove(0);
    assert_eq!((&new.body["internalNotes"], &new.body["customerEmail"]), (&json!("Acme"), &json!("Acme")));
    assert_eq!(new.policies.len(), 2);
    let held = |email: Json| {
        let target = json!({ "orderStatus": "awaiting_shipment", "customerEmail": email });
        map(&plan, &order(), &Beside { targets: BTreeMap::from([("sent".to_owned(), target)]), ..Beside::default() }).payloads.remove(0).body
    };
    assert_eq!((held(json!("x")).get("customerEmail"), held(json!("x")).get("internalNotes")), (None, None));
    assert_eq!(held(json!(" "))["customerEmail"], json!("Acme"));
}
