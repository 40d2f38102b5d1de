#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Reader as _, Xlsx};

use super::{About, Document, Example, FieldPart, changes, document, html, xlsx};
use crate::eval::{Inputs, Program, apply};
use crate::project::{Options, Texts, compile};
use serde_json::json;

const MAPPING: &str = r#"edition 1

parameter greeting: text = "Hello <you> & yours"

## How fast it goes.
values speed: crm.Order.Type -> text {
  "Express" -> "ups_next_day_air"
  else review "{value} is no way of shipping"
}

function address(of: crm.Address, called: text) -> wms.Address = {
  name    = called
  street1 = of.street | street_line 1
  city    = of.city
}

## Orders go out.
flow out {
  from crm.Order as order {
    where order.Status == "Activated"
    every 5 minutes
  }
  let lines = each line in order.OrderItems where line.Quantity > 0
  validate {
    require order.ShippingAddress "no address"
    require order.ShippingAddress.street "no street" for "customer service"
    each line in lines {
      require line.Product2.ProductCode "line {index} has no code"
    }
  }
  route store {
    when order.Type == "Express" -> "US store"
    else                         -> reject "nobody sells {order.Type}"
  }
  upsert wms.Order key orderKey = "sf-{order.Id}" {
    orderNumber   = order.Id
    orderDate     = order.CreatedDate
    orderStatus   = awaiting_shipment
    billTo {
      name = "=1+1"
      city = order.BillingAddress.city
    }
    shipTo        = address(order.ShippingAddress, called: greeting)
    serviceCode   = order.Type | speed
    customerNotes = order.Description once
    internalNotes = order.PoNumber ?? "none"
    items = each line in lines {
      sku      = line.Product2.ProductCode
      name     = line.Description
      quantity = line.Quantity | round 0
    }
  }
}
"#;

fn made(mapping: &str) -> Document {
    let config = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\n";
    let names = r#"{"Store": [{"id": "1", "name": "US store"}]}"#;
    let files = [("crossdock.yaml", config), ("out.dock", mapping), ("schemas/wms/names.json", names)];
    let compiled = compile(&Texts::new(files), &Options::default());
    let plan = compiled.plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    let program = Program::new(&plan).unwrap();
    let record = json!({
        "Id": "8015g0000000001AAA", "Status": "Activated", "CreatedDate": "2026-11-20T09:00:00.000+0000", "Type": "Express",
        "ShippingAddress": {"street": "1 Main Street\nFlat 2", "city": "Reno"}, "BillingAddress": {"street": "2 High Street", "city": "Reno"},
        "OrderItems": {"totalSize": 1, "done": true, "records": [{"Id": "1", "Quantity": 2, "Product2": {"ProductCode": "TEA-1"}}]},
    });
    let (none, nothing) = (BTreeMap::new(), BTreeMap::new());
    let flow = &plan.mapping.flows[0];
    let inputs = Inputs {
        record: &record,
        group: &[],
        was_of_group: None,
        now: jiff::Timestamp::UNIX_EPOCH,
        matched: &none,
        targets: &nothing,
        results: &nothing,
        names: &compiled.names,
        trace: true,
    };
    let examples = [Example { flow: "out".into(), record: "orders.jsonl, record 1".into(), outcome: apply(&program, flow, &inputs) }];
    let about = About { project: "acme", environment: Some("production"), made: jiff::civil::date(2026, 11, 20) };
    document(about, &plan, &BTreeMap::from([("out.dock".to_owned(), mapping.to_owned())]), &examples)
}

fn field<'d>(document: &'d Document, name: &str) -> &'d FieldPart {
    document.flows[0].writes[0].fields.iter().find(|field| field.field == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn each_field_says_from_where_by_what_rule_and_what_if_it_is_empty() {
    let document = made(MAPPING);
    let said: Vec<String> = document.flows[0].writes[0]
        .fields
        .iter()
        .map(|field| {
            let sent = field.example.as_ref().and_then(|shown| shown.sent.as_deref()).unwrap_or("-");
            format!("{} | {} | {} | {} | {sent}", field.field, field.sources.join(", "), field.rule, field.empty)
        })
        .collect();
    insta::assert_snapshot!("fields", said.join("\n"));
    let shown = field(&document, "shipTo.street1").example.as_ref().unwrap();
    assert_eq!(shown.record, "orders.jsonl, record 1");
    assert!(shown.read.iter().any(|(path, value)| path.ends_with("street") && value == "1 Main Street\nFlat 2"), "{shown:?}");
    let reasons: Vec<String> = document.flows[0]
        .reasons
        .iter()
        .map(|reason| format!("{} | {} | {} | {:?}", reason.what, reason.when, reason.message, reason.owner))
        .collect();
    insta::assert_snapshot!("reasons", reasons.join("\n"));
}

#[test]
fn what_has_changed_is_told_by_its_place() {
    let old = made(MAPPING);
    assert_eq!(changes(&old, &made(&format!("# a comment, and other lines\n{MAPPING}"))), [], "lines of files are no change");
    let new = made(
        &MAPPING
            .replace("order.Description once", "order.Description")
            .replace("    internalNotes = order.PoNumber ?? \"none\"\n", "    giftMessage = order.PoNumber\n")
            .replace("-> \"ups_next_day_air\"", "-> \"ups_ground\"")
            .replace("\"no street\"", "\"the street is missing\""),
    );
    let told: Vec<String> = changes(&old, &new).iter().map(|change| format!("{}: {:?} -> {:?}", change.at, change.was, change.is)).collect();
    insta::assert_snapshot!("changes", told.join("\n"));
}

#[test]
fn a_page_and_a_workbook_hold_all_of_it_as_text() {
    let (old, new) = (made(MAPPING), made(&MAPPING.replace("order.Description once", "order.Description")));
    let changed = changes(&old, &new);
    let page = html(&new, Some((&old, &changed)));
    assert!(page.contains("Hello &lt;you&gt; &amp; yours") && !page.contains("<you>"), "what a mapping holds is text, and no markup");
    assert!(page.contains(&new.plan) && page.contains("What has changed since 2026-11-20"));
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(xlsx(&new, Some((&old, &changed))).unwrap())).unwrap();
    assert_eq!(workbook.sheet_names(), ["Sign-off", "Fields", "Reasons", "Value maps", "Routing", "Names", "Tables", "Promises", "Changes"]);
    let fields = workbook.worksheet_range("Fields").unwrap();
    assert_eq!(fields.height(), 1 + new.flows[0].writes[0].fields.len());
    let row = fields.rows().find(|row| row[2] == "billTo.name").unwrap();
    assert_eq!(row[8], "=1+1", "what looks like a formula is a text");
    for (sheet, cell) in [
        ("Value maps", "ups_next_day_air"),
        ("Routing", "US store"),
        ("Reasons", "customer service"),
        ("Sign-off", new.plan.as_str()),
        ("Names", "lines"),
    ] {
        let range = workbook.worksheet_range(sheet).unwrap();
        assert!(range.rows().flatten().any(|found| *found == cell), "{sheet} lacks {cell}");
    }
}

/// What becomes of a field without a source: fallbacks, lists that have to have elements, and fields that are always emptied.
#[test]
fn where_the_source_is_empty_is_told_as_it_is() {
    let mapping = MAPPING.replace("order.PoNumber ?? \"none\"", "(order.PoNumber ?? order.Description) | trim").replace(
        "    require order.ShippingAddress \"no address\"",
        "    require order.ShippingAddress \"no address\"\n    require count(lines) > 0 \"no lines\"",
    );
    let document = made(&mapping);
    assert_eq!(
        field(&document, "internalNotes").empty,
        "order.Description is used instead; without that too, it is not sent; what the target has stays"
    );
    assert_eq!(field(&document, "items").empty, "the record is rejected: no lines");
    let cleared = MAPPING.replace("    customerNotes = order.Description once", "    clear customerNotes");
    let cleared = made(&cleared);
    let notes = field(&cleared, "customerNotes");
    assert_eq!((notes.rule.as_str(), notes.empty.as_str()), ("(emptied)", "always emptied"));
}
