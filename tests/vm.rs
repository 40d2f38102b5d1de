//! The lowered flow gives the bytes that the reference gives, or leaves the record to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use crate::common::orders::Dice;
use crossdock::eval::{Inputs, Outcome, Program, Verdict, apply};
use crossdock::project::{Compiled, Options, Texts, compile};
use crossdock::run::files::{stopped, whole};
use crossdock::vm::{CompiledFlow, Form, MapStatus};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";

/// What both make of records.
struct Both<'c> {
    compiled: &'c Compiled,
    flow: &'c str,
    left: usize,
    ready: usize,
    skipped: usize,
    stopped: usize,
}

impl<'c> Both<'c> {
    fn new(compiled: &'c Compiled, flow: &'c str) -> Self {
        Both { compiled, flow, left: 0, ready: 0, skipped: 0, stopped: 0 }
    }

    /// Holds the one against the other, line by line.
    fn hold(&mut self, lines: impl IntoIterator<Item = String>) {
        let plan = self.compiled.plan.as_ref().unwrap();
        let program = Program::new(plan).unwrap();
        let flow = plan.mapping.flows.iter().find(|flow| flow.name == self.flow).unwrap();
        let (nothing, none) = (BTreeMap::new(), BTreeMap::new());
        let now = NOW.parse().unwrap();
        let flat = CompiledFlow::new(plan, flow, &self.compiled.names, now).unwrap();
        let (mut worker, mut oracle) = (flat.worker(), flat.reference_worker());
        for line in lines {
            let reference = |record: &Value| -> Outcome {
                let (matched, targets, results, names) = (&nothing, &none, &none, &self.compiled.names);
                let inputs = Inputs { record, group: &[], was_of_group: None, now, matched, targets, results, names, trace: false };
                apply(&program, flow, &inputs)
            };
            for form in [Form::Body, Form::Envelope] {
                let mut out = vec![b"before\n".to_vec(); flat.objects().len()];
                let mut counts = vec![0; out.len()];
                let way = worker.map(&line, form, &mut out, |object| counts[object] += 1);
                let made: Vec<String> = out.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
                // The reader that serde_json is: what the scanner takes, it takes, and sees the same in it.
                if way != MapStatus::Bailout {
                    let mut out = vec![b"before\n".to_vec(); flat.objects().len()];
                    assert_eq!(oracle.map(&line, form, &mut out, |_| {}), way, "{line}");
                    assert!(out.iter().zip(&made).all(|(read, scanned)| read == scanned.as_bytes()), "{line}");
                }
                let record: Option<Value> = serde_json::from_str(&line).ok().filter(Value::is_object);
                let outcome = record.as_ref().map(reference);
                match (way, outcome) {
                    (MapStatus::Bailout, _) => {
                        self.left += 1;
                        assert!(made.iter().all(|made| made == "before\n"), "{line}");
                    }
                    (MapStatus::NotEligible, Some(outcome)) => {
                        self.skipped += 1;
                        assert_eq!(outcome.verdict, Verdict::NotEligible, "{line}");
                    }
                    (MapStatus::Stopped { warned }, Some(outcome)) => {
                        self.stopped += 1;
                        let verdict = if worker.stopped().is_review() { Verdict::Review } else { Verdict::Rejected };
                        assert_eq!((outcome.verdict, !outcome.warnings.is_empty()), (verdict, warned), "{line}");
                        let mut told = Vec::new();
                        worker.stopped().write(7, &mut told);
                        let expected = stopped(7, record.as_ref().unwrap(), &outcome).to_string() + "\n";
                        assert_eq!(String::from_utf8(told).unwrap(), expected, "{line}");
                        assert!(worker.stopped().messages().eq(outcome.reasons.iter().map(|reason| reason.message.as_str())));
                        assert!(made.iter().all(|made| made == "before\n"), "{line}");
                    }
                    (MapStatus::Ready { warned }, Some(outcome)) => {
                        self.ready += 1;
                        assert_eq!((outcome.verdict, !outcome.warnings.is_empty()), (Verdict::Ready, warned), "{line}\n{:?}", outcome.reasons);
                        let mut expected = vec!["before\n".to_owned(); made.len()];
                        let mut count = vec![0; made.len()];
                        for payload in &outcome.payloads {
                            let object = payload.object.to_string();
                            let at = flat.objects().iter().position(|known| *known == object).unwrap();
                            let op = serde_json::to_value(payload.op).unwrap();
                            let body = whole(payload);
                            let text = match form {
                                Form::Body => body.to_string(),
                                Form::Envelope => json!({"op": op, "object": object, "key": payload.key, "id": payload.id, "body": body}).to_string(),
                            };
                            expected[at].push_str(&text);
                            expected[at].push('\n');
                            count[at] += 1;
                        }
                        assert_eq!(made, expected, "{line}");
                        assert_eq!(counts, count, "{line}");
                    }
                    (way, None) => panic!("{way:?} for what is no record: {line}"),
                }
            }
        }
    }

    /// Of those that are mapped at all, how many of a hundred went by the lowered flow.
    fn percent(&self) -> usize {
        let all = self.ready + self.skipped + self.stopped;
        all * 100 / (all + self.left).max(1)
    }
}

#[test]
fn generated_orders_give_the_same_bytes() {
    let compiled = crate::common::compiled_template();
    let mut both = Both::new(&compiled, "export_orders");
    both.hold(crate::common::orders::orders(7, 3_000).iter().map(Value::to_string));
    println!("{} ready, {} not eligible, {} stopped, {} left", both.ready, both.skipped, both.stopped, both.left);
    assert!(both.ready > 1_000, "{}", both.ready);
}

/// Values that fields hold in the wild, and those that they should not.
fn odd(dice: &mut Dice) -> Value {
    let texts = [
        "",
        " ",
        "x",
        "A \"quoted\" text",
        "two\nlines\r\nthree",
        "tab\tand \\ backslash",
        "Zoë 🎂",
        "\u{7f}\u{1}",
        "2026-02-30",
        "2026-11-20",
        "12.50",
        "-0",
        "1e3",
        "007",
        "US",
        "us",
        "DE",
        "On Hold",
        "Cancelled",
        "\u{a0}",
        "ÀÉ",
        "ß",
        "a@b.de",
        "2026-11-20T17:00:00Z",
        "2026-11-20T17:00:00.000+0000",
        "2026-03-29T02:30:00",
    ];
    let numbers = [
        "0",
        "-0",
        "0.00",
        "1",
        "-1",
        "12.50",
        "1e3",
        "1E-2",
        "99999999999999999999",
        "0.1234567890123456789",
        "500.00",
        "500.01",
        "20000.00",
        "1.005",
        "2.675",
        "-3.5",
    ];
    match dice.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3 => json!({}),
        4 => json!([]),
        5 => json!({"records": []}),
        6 => json!("x".repeat(dice.below(300))),
        7..=9 => json!(texts[dice.below(texts.len())]),
        _ => serde_json::from_str(numbers[dice.below(numbers.len())]).unwrap(),
    }
}

/// Changes something somewhere in a record.
fn change(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(fields) if !fields.is_empty() && !dice.once_in(12) => {
            let at = dice.below(fields.len());
            let name = fields.keys().nth(at).unwrap().clone();
            if dice.once_in(10) {
                fields.shift_remove(&name);
            } else if let Some(inner) = fields.get_mut(&name) {
                change(inner, dice);
            }
        }
        Value::Array(items) if !items.is_empty() && !dice.once_in(6) => {
            let at = dice.below(items.len());
            if dice.once_in(8) {
                let again = items[at].clone();
                items.push(again);
            } else {
                change(&mut items[at], dice);
            }
        }
        other => *other = odd(dice),
    }
}

#[test]
fn whatever_stands_in_a_record_the_bytes_are_the_same() {
    let compiled = crate::common::compiled_template();
    let mut both = Both::new(&compiled, "export_orders");
    let mut dice = Dice::new(11);
    // Mostly such as are mapped: one change is then the only thing that is odd.
    let plan = compiled.plan.as_ref().unwrap();
    let flow = plan.mapping.flows.iter().find(|flow| flow.name == "export_orders").unwrap();
    let flat = CompiledFlow::new(plan, flow, &compiled.names, NOW.parse().unwrap()).unwrap();
    let mut worker = flat.worker();
    let mut maps = |order: &Value| {
        !matches!(
            worker.map(&order.to_string(), Form::Body, &mut vec![Vec::new(); flat.objects().len()], |_| {}),
            MapStatus::Bailout | MapStatus::Stopped { .. }
        )
    };
    let orders: Vec<Value> = crate::common::orders::orders(3, 1_000)
        .into_iter()
        .enumerate()
        .filter(|(at, order)| at % 9 == 0 || maps(order))
        .map(|(_, order)| order)
        .collect();
    let lines: Vec<String> = (0..12_000)
        .map(|_| {
            let mut order = orders[dice.below(orders.len())].clone();
            for _ in 0..=dice.below(3) {
                change(&mut order, &mut dice);
            }
            let mut text = order.to_string();
            if dice.once_in(20) {
                // Torn, or with something in it that does not belong there.
                let at = dice.below(text.len());
                if text.is_char_boundary(at) {
                    if dice.once_in(2) { text.truncate(at) } else { text.insert(at, ['"', '\\', ',', '{', '\u{1}', ' ', '0'][dice.below(7)]) }
                }
            }
            text
        })
        .collect();
    both.hold(lines);
    println!("{} ready, {} not eligible, {} stopped, {} left", both.ready, both.skipped, both.stopped, both.left);
    assert!(both.ready > 3_000 && both.stopped > 500, "{} {}", both.ready, both.stopped);
}

const SMALL: &str = r#"edition 1

values carrier: wms.Shipment.carrierCode -> crm.Shipment__c.Carrier__c {
  "stamps_com" -> "USPS"
  "ups", "ups_walleted" -> "UPS"
  "fedex" -> "FedEx"
}

flow shipped {
  from wms.Shipment as shipment {
    where not shipment.voided
    every 15 minutes
    changed shipment.createDate overlap 10 minutes
  }

  upsert crm.Shipment__c key Shipment_Key__c = "ss-{shipment.shipmentId}" {
    Carrier__c         = shipment.carrierCode | carrier
    Service__c         = shipment.serviceCode
    Tracking_Number__c = shipment.trackingNumber
    Shipped_At__c      = shipment.createDate
    Status__c          = "Shipped"
  }
}
"#;

/// Names that rest on each other, deeper than the reference goes into a record.
#[test]
fn what_is_nested_too_deeply_is_left_to_the_reference() {
    let lets: String = (1..=60).map(|at| format!("  let t{at} = t{} | trim | trim | trim | trim | trim\n", at - 1)).collect();
    let lets = format!("  let t0 = shipment.trackingNumber\n{lets}\n  upsert crm.Shipment__c");
    let deep = SMALL.replace("  upsert crm.Shipment__c", &lets).replace("= shipment.trackingNumber\n    Shipped", "= t60\n    Shipped");
    let compiled = project(&deep);
    let plan = compiled.plan.as_ref().unwrap();
    let refused = CompiledFlow::new(plan, &plan.mapping.flows[0], &compiled.names, NOW.parse().unwrap()).err();
    assert_eq!(refused, Some("an expression that is nested too deeply"));
}

/// A line of a street by any number, also by one that no line has.
#[test]
fn lines_of_a_street_are_those_of_the_reference() {
    // A literal that no street has is refused by the check: one from the record is not known before.
    for line in ["shipment.shipmentId - 1", "1", "2", "3", "shipment.shipmentId - 2", "2, 6", "1, shipment.shipmentId - 1"] {
        let compiled = project(&SMALL.replace("= shipment.serviceCode", &format!("= street_line(shipment.shipTo.street1, {line})")));
        let streets = ["12 High St", "12 High St\nFlat 3", " 12  High St", "12 High St,", "Zoë's, 3", "\u{a0}", "a\n\nb", "12 High St\n"];
        let mut both = Both::new(&compiled, "shipped");
        both.hold(streets.map(|street| {
            json!({"shipmentId": 1, "createDate": "2026-11-18T09:30:00.0000000", "carrierCode": "ups", "voided": false, "shipTo": {"street1": street}}).to_string()
        }));
        assert_eq!((both.ready, both.left), (2 * streets.len(), 0), "{line}");
    }
}

/// What the record holds already is not written again where its author says so: the source's own record is looked at.
#[test]
fn a_row_that_fills_what_is_empty_looks_at_the_record_itself() {
    for policy in ["", " if empty"] {
        let compiled = project(&format!(
            r#"edition 1

flow marked {{
  from crm.Order as order {{
    where order.Status == "Activated"
    every 15 minutes
    changed order.SystemModstamp
  }}

  update crm.Order of order {{
    Description = "seen"{policy}
  }}
}}
"#
        ));
        let flow = &compiled.plan.as_ref().unwrap().mapping.flows[0];
        let lowered = CompiledFlow::new(compiled.plan.as_ref().unwrap(), flow, &compiled.names, NOW.parse().unwrap());
        // The one that looks is left to the reference.
        assert_eq!(lowered.is_ok(), policy.is_empty());
        if lowered.is_ok() {
            let order = |id: Value, description: Value| json!({"Id": id, "Status": "Activated", "Description": description}).to_string();
            Both::new(&compiled, "marked").hold([
                order(json!("801"), json!("kept")),
                order(json!("801"), Value::Null),
                order(Value::Null, json!("")),
            ]);
        }
    }
}

const FORMS: &str = r#"edition 1

values brand: crm.Order.Brand__c -> text {
  "North" -> "north"
  else review "{value} is no brand of ours" for "brands"
}

values priority: crm.Order.Priority__c -> text {
  "High", "Normal" -> "soon"
  else reject "nothing of priority {value} is sent"
}

table kits from "tables/kits.csv" {
  key kit_sku: text
  many sku: text, quantity: integer, share: decimal
}

table skus from "tables/skus.csv" {
  key crm_code: text
  wms_sku: text, origin: text?, hs_code: text?
}

table services from "tables/services.csv" {
  key service: text, region: text
  carrier_code: text, service_code: text, package_code: text
}

flow forms {
  from crm.Order as order {
    where order.Status in ("Activated", "On Hold") or order.Channel__c == "Amazon"
    every 5 minutes
    changed order.SystemModstamp
  }

  let lines   = each line in order.OrderItems where line.Quantity > 0
  let dear    = order.TotalAmount > 500.00
  let address = if dear then order.ShippingAddress else (order.BillingAddress ?? order.ShippingAddress)
  let offered = services(order.Shipping_Service__c ?? "Standard", "US") ?? services("Standard", order.Region__c ?? "EU")
  let article = if count(lines) > 2 then skus("TENT-2P") else skus(order.Brand__c ?? "LAMP-9")
  let greeted = order.Gift_Message__c is present or order.Description is present

  validate {
    each line in lines, optional part in kits(line.Product2.ProductCode) {
      require part.quantity is missing or part.quantity > 1 or index < 3
          "combination {index} of {line.Id} has {part.quantity} of {part.sku}"
    }
    each line in lines where line.UnitPrice > 100.00 {
      warn when index > 2 "many dear lines"
      review when index > 3 and line.Quantity > 7 "line {index} is dear"
    }
    require not (order.Gift__c == true and not greeted) "a gift without words"
    require address.city is missing or address.city matches "[A-Z].*" "{address.city} is no city"
    warn when order.Description was sent and order.Account.Phone was sent "what was sent"
    require address.countryCode "no country"
    when address.countryCode != "US" {
      require address.postalCode is present "no postal code"
      require address.postalCode matches postal_code(address.countryCode) "{address.postalCode} is none of {address.countryCode}"
    }
  }

  route kind, note {
    when order.Channel__c == "Amazon" and dear -> "amazon", order.Package_Notes__c ?? "none"
    when order.Priority__c == "High"           -> "high", order.Description
    when greeted                               -> review "greeted: {order.Gift_Message__c}"
    else                                       -> "low", "{order.OrderNumber}-{count(lines)}"
  }

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber   = order.OrderNumber
    orderDate     = order.EffectiveDate | start_of_day "America/Los_Angeles"
    orderStatus   = if dear then on_hold else awaiting_shipment
    customerNotes = note
    customerEmail = order.Brand__c | brand
    giftMessage   = (order.Priority__c ?? "High") | priority
    internalNotes = if greeted then (order.Gift_Message__c ?? order.Description | truncate 20 | upper) else kind
    gift          = order.Gift__c == true and dear
    amountPaid    = sum(line.Quantity * line.UnitPrice - 0.50 for line in lines where line.UnitPrice > 50.00) | round 1
    taxAmount     = (order.Tax_Amount__c ?? 0.10) / 4 | round 2
    carrierCode   = offered.carrier_code
    serviceCode   = article.wms_sku ?? offered.service_code
    packageCode   = article.origin

    shipTo {
      name       = address.city | upper
      street1    = address.street ?? "-"
      city       = address.city | trim
      state      = address.stateCode ?? address.state ?? "none"
      postalCode = address.postalCode
      country    = address.countryCode
    }
    billTo {
      name       = order.BillToContact.Name ?? order.Account.Name
      street1    = "1 High St"
      city       = "Reno"
      state      = "NV"
      postalCode = "89501"
      country    = "US"
    }

    items = each line in lines, part in kits(line.Product2.ProductCode) where part.quantity > 1 or line.Quantity > 3 {
      lineItemKey = line.Id
      sku         = skus(part.sku).wms_sku ?? part.sku
      name        = "{part.sku} {line.Product2.Name ?? "-"}" | truncate 30
      quantity    = line.Quantity * part.quantity | round 0
      unitPrice   = line.UnitPrice * part.share | round 2 half even
      weight      = (if part.quantity > 1 then line.Product2.Weight__c else 0.25) as kg
    }
  }

  when sent fails or is rejected {
    update crm.Order of order { Fulfilment_Error__c = reasons | join "; " | truncate 1000 }
  }
}
"#;

/// Forms of the language that the template has not, or not together.
#[test]
fn other_forms_give_the_same_bytes() {
    let compiled = project(FORMS);
    let mut both = Both::new(&compiled, "forms");
    let mut dice = Dice::new(11);
    both.hold(crate::common::orders::orders(3, 1_500).into_iter().map(|mut order| {
        if dice.once_in(3) {
            change(&mut order, &mut dice);
        }
        order.to_string()
    }));
    println!("{} ready, {} not eligible, {} stopped, {} left", both.ready, both.skipped, both.stopped, both.left);
    assert!(both.ready > 100 && both.stopped > 1_000, "{} {}", both.ready, both.stopped);
}

const TABLES: &str = r#"edition 1

table wide from "tables/wide.csv" {
  key channel: text
  c1: text?, c2: text?, c3: text?, c4: text?, c5: text?, c6: text?, c7: text?, c8: text?, c9: text?,
  c10: text?, c11: text?, c12: text?, c13: text?, c14: text?, c15: text?, c16: text?, c17: decimal?
}

table counted from "tables/counted.csv" {
  key lines: integer
  word: text, other: text?
}

table alike from "tables/alike.csv" {
  key status: text
  a: text, b: text, c: text?
}

flow tables {
  from crm.Order as order {
    every 5 minutes
    changed order.SystemModstamp
  }

  let lines = each line in order.OrderItems

  validate {
    require order.ShippingAddress.street "no street"
  }

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber   = order.OrderNumber
    orderDate     = order.EffectiveDate | start_of_day "America/Los_Angeles"
    orderStatus   = awaiting_shipment
    customerNotes = wide(order.Channel__c ?? order.Id).c16
    internalNotes = counted(count(lines)).other ?? counted(count(lines)).word
    amountPaid    = sum(line.Quantity * line.UnitPrice for line in lines)
    taxAmount     = sum(line.UnitPrice * (line.Product2.Weight__c ?? 1) for line in lines)
    shippingAmount = (order.Shipping_Amount__c ?? 0.00) * (wide(order.Channel__c ?? order.Id).c17 ?? 1)
    giftMessage   = "{alike(order.Status).a}: \"{order.Gift_Message__c ?? "-"}\" {order.TotalAmount}"

    shipTo {
      name       = "{alike(order.Status).b} {alike(order.Status).c ?? "\"c\""}"
      street1    = order.ShippingAddress.street
      city       = "{order.ShippingAddress.city}|{order.ShippingAddress.state ?? wide(order.Channel__c ?? order.Id).c2}"
      country    = order.ShippingAddress.countryCode
    }
    billTo {
      name = order.Account.Name | trim
    }

    items = each line in lines {
      lineItemKey = line.Id
      sku         = wide(line.Product2.ProductCode).c1 ?? line.Product2.ProductCode
      name        = "{line.Quantity} x {line.Product2.Name}"
      quantity    = line.Quantity | round 0
      unitPrice   = line.UnitPrice
    }

    dimensions {
      units  = inches
      length = order.Package_Length__c
      width  = order.Package_Width__c
      height = order.Package_Height__c
    }
  }
}
"#;

/// Tables by other keys, with more columns than are read, or whose keys differ only in the middle; texts that are put
/// together; numbers at their bounds.
#[test]
fn tables_and_templates_give_the_same_bytes() {
    let columns = |of: &str| (1..=16).map(|at| format!(",{of}{at}")).collect::<String>();
    let wide = format!("channel{},c17\nAmazon{},0.10\nWholesale{},\nLAMP-9{},7\n", columns("c"), columns("v"), columns("é "), columns("\\"));
    let alike: String = (0..40).map(|at| format!("PREFIX-{at:03}-SUFFIX,{at},b,\n")).collect();
    let compiled = project_with(
        TABLES,
        [
            ("tables/wide.csv", wide),
            ("tables/counted.csv", "lines,word,other\n1,one,\n2,two,zwei\n3,\"th\"\"ree\",\n".to_owned()),
            ("tables/alike.csv", format!("status,a,b,c\n{alike}Activated,act,B1,C1\nOn Hold,hold,\"B\"\"2\",\nDraft,drf,B3,C3\n")),
        ],
    );
    let mut both = Both::new(&compiled, "tables");
    let mut dice = Dice::new(13);
    both.hold(crate::common::orders::orders(5, 1_500).into_iter().map(|mut order| {
        if dice.once_in(3) {
            change(&mut order, &mut dice);
        }
        if let Some(order) = order.as_object_mut() {
            let odd = [
                ("Package_Width__c", json!(-0.5)),
                ("Gift_Message__c", json!("\u{1F381} \"long\" ".repeat(60))),
                ("Status", json!("PREFIX-017-SUFFIX")),
            ];
            for (field, value) in odd.into_iter().filter(|_| dice.once_in(40)) {
                order.insert(field.to_owned(), value);
            }
        }
        order.to_string()
    }));
    println!("{} ready, {} not eligible, {} stopped, {} left", both.ready, both.skipped, both.stopped, both.left);
    assert!(both.ready > 1_500 && both.percent() > 70, "{} {}", both.ready, both.percent());
}

const THINGS: &str = r#"edition 1

table places from "tables/places.csv" {
  key region: text
  store: a store of wms, warehouse: a warehouse of wms?, carrier: a carrier of wms
}

table brands from "tables/brands.csv" {
  key store: a store of wms
  brand: text
}

values store_of: text -> a store of wms {
  "Amazon" -> "Amazon US"
  else "US store"
}

flow things {
  from crm.Order as order {
    every 5 minutes
    changed order.SystemModstamp
  }

  let place = places(order.Region__c)

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber   = order.OrderNumber
    orderDate     = order.EffectiveDate | start_of_day "America/Los_Angeles"
    orderStatus   = awaiting_shipment
    customerNotes = BRAND
    internalNotes = "{place.store}"
    carrierCode   = place.carrier | text
    shipTo { city = order.ShippingAddress.city }
    billTo { city = order.BillingAddress.city }
    advancedOptions {
      storeId     = place.store ?? (order.Channel__c | store_of)
      warehouseId = place.warehouse
    }
  }
}
"#;

/// Things that tables and value maps name: some rows are blank, and one region has no row.
#[test]
fn things_that_are_named_in_tables_give_the_same_bytes() {
    let places =
        "region,store,warehouse,carrier\nUS,US store,Reno DC,ups\nUK,EU store,Leeds DC,royal_mail\nEU,EU store,,dhl_express\nCA,Amazon US,,ups\n";
    let brands = "store,brand\nUS store,South\nEU store,North\n";
    for (brand, percent) in [("place.warehouse | text", 50), ("brands(place.store).brand", 0)] {
        let own = [("tables/places.csv", places.to_owned()), ("tables/brands.csv", brands.to_owned())];
        let compiled = project_with(&THINGS.replace("BRAND", brand), own);
        let mut both = Both::new(&compiled, "things");
        both.hold(crate::common::orders::orders(9, 800).iter().map(Value::to_string));
        println!("{} ready, {} not eligible, {} stopped, {} left", both.ready, both.skipped, both.stopped, both.left);
        assert!(both.percent() >= percent, "{brand}: {}", both.percent());
    }
}

const WAYS: &str = r#"edition 1

flow ways {
  from crm.Order as order {
    every 5 minutes
    changed order.SystemModstamp
  }

  let lines = each line in order.OrderItems
  let dear  = order.TotalAmount > 500.00
  let flat  = order.BillingAddress.street | street_line 2

  validate {
    require dear or order.Region__c != "LATAM" "a cheap one of the south"
  }

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber    = order.OrderNumber
    orderDate      = order.EffectiveDate | start_of_day "America/Los_Angeles"
    orderStatus    = if dear then on_hold else awaiting_shipment
    confirmation   = if order.Gift__c == true then none else if dear then signature else if order.Brand__c is present then delivery
    customerNotes  = if not dear then order.Description
    internalNotes  = if dear then order.Description | truncate 20
    giftMessage    = flat ?? "one line"
    amountPaid     = if not dear then order.TotalAmount * 1.1 | round 2
    taxAmount      = if dear then order.Tax_Amount__c
    shippingAmount = if not dear then order.Shipping_Amount__c
    weight         = (if not dear then order.Package_Length__c) as kg

    shipTo {
      name       = if dear then order.Account.Name | trim
      street1    = order.ShippingAddress.street | street_line 1
      street2    = order.ShippingAddress.street | street_line 2
      street3    = order.ShippingAddress.street | street_line 3
      city       = order.ShippingAddress.city
      postalCode = order.ShippingAddress.postalCode
      country    = order.ShippingAddress.countryCode
    }
    billTo {
      name    = order.Account.Name
      street1 = order.BillingAddress.street | street_line 1
      street2 = flat
      street3 = order.ShippingAddress.street | street_line 2
    }

    items = each line in lines {
      lineItemKey       = line.Id
      sku               = if not dear then order.BillingAddress.street | street_line 2
      name              = line.Product2.Name | street_line 1
      fulfillmentSku    = line.Product2.Name | street_line 2
      upc               = line.Product2.Name | street_line 3
      quantity          = (if line.Quantity > 1 then line.Quantity) | round 0
      unitPrice         = line.UnitPrice
      warehouseLocation = if line.Quantity > 3 then "A-\"1\"" else "B"
      weight            = (if line.Quantity > 3 then line.Product2.Weight__c) as kg
    }
  }
}
"#;

/// Rows that are left out, or are the same, on some of the ways to them.
#[test]
fn ways_past_rows_give_the_same_bytes() {
    let compiled = project(WAYS);
    let mut both = Both::new(&compiled, "ways");
    let mut dice = Dice::new(17);
    both.hold(crate::common::orders::orders(7, 1_500).into_iter().map(|mut order| {
        if dice.once_in(5) {
            change(&mut order, &mut dice);
        }
        let streets = ["12 High St\nFlat 3\nDoor 2", "12 High St, Flat 3", " 12  High St"];
        for at in ["/ShippingAddress/street", "/BillingAddress/street", "/OrderItems/records/0/Product2/Name", "/OrderItems/records/1/Product2/Name"]
        {
            if dice.once_in(4)
                && let Some(street) = order.pointer_mut(at)
            {
                *street = json!(streets[dice.below(streets.len())]);
            }
        }
        order.to_string()
    }));
    println!("{} ready, {} not eligible, {} stopped, {} left", both.ready, both.skipped, both.stopped, both.left);
    assert!(both.ready > 1_500 && both.percent() > 70, "{} {}", both.ready, both.percent());
}

fn small() -> Compiled {
    project(SMALL)
}

/// The template's schemas, with another mapping.
fn project(mapping: &str) -> Compiled {
    project_with(mapping, [])
}

/// The same with files of its own.
fn project_with<const N: usize>(mapping: &str, own: [(&str, String); N]) -> Compiled {
    let files = crate::common::files(&crate::common::template()).into_iter().filter(|(name, _)| !name.ends_with(".dock"));
    let own = own.into_iter().chain([("small.dock", mapping.to_owned())]).map(|(name, text)| (name.to_owned(), text));
    let compiled = compile(&Texts::new(files.chain(own)), &Options::default());
    assert!(compiled.plan.is_some(), "{:#?}", compiled.diagnostics);
    compiled
}

#[test]
fn shipments_give_the_same_bytes() {
    let compiled = small();
    let mut both = Both::new(&compiled, "shipped");
    let mut dice = Dice::new(5);
    let shipment = |dice: &mut Dice| {
        json!({
            "shipmentId": 1_000 + dice.below(9_000), "orderId": dice.below(1_000), "orderKey": "sf-801000000000001AAA", "orderNumber": "00000001",
            "createDate": "2026-11-18T09:30:00.0000000", "shipDate": "2026-11-18", "trackingNumber": "1Z999AA10123456784",
            "carrierCode": dice.pick(&["ups", "stamps_com", "fedex", "ups_walleted"]), "serviceCode": "ups_ground", "voided": dice.once_in(9),
            "shipmentCost": 12.50, "shipTo": {"name": "Zoë", "city": "Berlin"},
        })
    };
    let clean: Vec<String> = (0..500).map(|_| shipment(&mut dice).to_string()).collect();
    both.hold(clean);
    assert_eq!(both.percent(), 100);
    let changed: Vec<String> = (0..5_000)
        .map(|_| {
            let mut shipment = shipment(&mut dice);
            change(&mut shipment, &mut dice);
            shipment.to_string()
        })
        .collect();
    both.hold(changed);
    assert!(both.ready > 2_000, "{}", both.ready);
}
