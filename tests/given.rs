//! Records of the other side that are given: `preview`, `run --records` and `test` look among them by the keys of a match, and a
//! match for each element of a list gives rows. And what `--why` answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use crate::common::crossdock;

const CONFIG: &str = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\n";

const KITS: &str = "kit,sku,quantity\nKIT,TENT,1\nKIT,MAT,2\nTEA,CUP,4\n";

const MAPPING: &str = r#"edition 1

table kits from "kits.csv" {
  key kit: text
  many sku: text, quantity: integer
}

flow orders {
  from crm.Order as order { every 5 minutes }

  let parts = each line in order.OrderItems, part in kits(line.Product2.ProductCode)

  match product: crm.Product2 for each part in parts as packed {
    by product.ProductCode == part.sku
    none -> review "no product has the code {part.sku}"
    many -> review "{count} products have the code {part.sku}"
  }

  upsert wms.Order key orderKey = "sf-{order.Id}" as sent {
    orderNumber = order.Id
    orderDate   = order.CreatedDate
    orderStatus = awaiting_shipment
    billTo { name = order.Id }
    shipTo { name = order.Id }
    items = each one in packed {
      sku      = one.part.sku
      name     = one.product.Name
      quantity = one.part.quantity
    }
  }
  when order is gone { update crm.Order of order { Description = "gone" } }
}
"#;

const NONE: &str = "none -> review \"no product has the code {part.sku}\"";

fn order(id: &str, code: &str) -> String {
    format!(
        r#"{{"Id":"{id}","Status":"Activated","CreatedDate":"2026-11-20T09:00:00.000+0000","OrderItems":{{"totalSize":1,"done":true,"records":[{{"Id":"1","Quantity":1,"Product2":{{"ProductCode":"{code}"}}}}]}}}}"#
    )
}

fn product(code: &str, name: &str) -> String {
    format!(r#"{{"Id":"01t5g00000{code:0>5}AAA","ProductCode":"{code}","Name":"{name}"}}"#)
}

fn project(mapping: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("crossdock.yaml", CONFIG);
    write("kits.csv", KITS);
    write("orders.dock", mapping);
    write("kit.json", &order("8015g0000000001AAA", "KIT"));
    write("orders.jsonl", &[order("8015g0000000001AAA", "KIT"), order("8015g0000000002AAA", "TEA")].join("\n"));
    write("products.jsonl", &[product("TENT", "Tent"), product("mat", "Mat"), product("CUP", "Cup"), product("X", "Other")].join("\n"));
    write("few.jsonl", &[product("TENT", "Tent"), product("X", "Other")].join("\n"));
    write("twice.jsonl", &[product("TENT", "Tent"), product("TENT", "Tent 2"), product("MAT", "Mat")].join("\n"));
    folder
}

#[test]
fn each_part_of_a_kit_has_its_own_product() {
    let folder = project(MAPPING);
    let at = folder.path();
    let (code, said) = crossdock(at, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("is not used"), "{said}");
    let (code, said) = crossdock(at, &["preview", "kit.json", "--matched", "product=products.jsonl"]);
    assert!(code == Some(0) && said.contains("\"name\": \"Tent\"") && said.contains("\"name\": \"Mat\""), "{said}");
    assert!(!said.contains("Cup") && !said.contains("Other"), "{said}");
    // One reason for each element that has none.
    let (_, said) = crossdock(at, &["preview", "kit.json", "--matched", "product=few.jsonl"]);
    assert!(said.contains("no product has the code MAT") && !said.contains("no product has the code TENT"), "{said}");
    let (_, said) = crossdock(at, &["preview", "kit.json", "--matched", "product=twice.jsonl"]);
    assert!(said.contains("2 products have the code TENT"), "{said}");
    // The plan reads what is read of products, and says how they are asked.
    let (_, said) = crossdock(at, &["plan"]);
    assert!(said.contains("crm.Product2 as product for each part in parts"), "{said}");
    let (_, said) = crossdock(at, &["plan", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(plan["flows"][0]["match_reads"]["product"], serde_json::json!([["Name"], ["ProductCode"]]));
    let own = plan["flows"][0]["reads"].to_string();
    assert!(own.contains("OrderItems") && !own.contains("product"), "{own}");
}

#[test]
fn an_element_may_be_left_out_or_go_on_without() {
    let folder = project(&MAPPING.replace(NONE, "none -> skip"));
    let (code, said) = crossdock(folder.path(), &["preview", "kit.json", "--matched", "product=few.jsonl"]);
    assert!(code == Some(0) && said.contains("Tent") && !said.contains("\"MAT\""), "{said}");
    let without = MAPPING.replace(NONE, "none -> continue");
    let folder = project(&without.replace("one.product.Name", "one.product.Name ?? one.part.sku"));
    let (code, said) = crossdock(folder.path(), &["preview", "kit.json", "--matched", "product=few.jsonl"]);
    assert!(code == Some(0) && said.contains("\"name\": \"MAT\""), "{said}");
    // What is read of a record that may not be there may be missing: the checker says so.
    let named = "customerNotes = join(one.product.Name for one in packed, \", \")\n    billTo";
    for (mapping, fine) in [(MAPPING, true), (&without, false)] {
        let folder = project(&mapping.replace("billTo", named));
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert_eq!(code, Some(i32::from(!fine)), "{said}");
    }
}

#[test]
fn rows_need_a_name_and_nothing_is_made_for_an_element() {
    for (from, to, word) in [(" as packed", "", "as found"), (NONE, "none -> create", "continue")] {
        let folder = project(&MAPPING.replace(from, to));
        let (code, said) = crossdock(folder.path(), &["check"]);
        assert!(code == Some(1) && said.contains(word), "{said}");
    }
}

#[test]
fn a_file_of_records_runs_with_what_its_matches_look_among() {
    let folder = project(MAPPING);
    let at = folder.path();
    let (code, said) = crossdock(at, &["run", "--flow", "orders", "--records", "orders.jsonl"]);
    assert!(code == Some(2) && said.contains("--matched product=FILE"), "{said}");
    let (code, said) =
        crossdock(at, &["run", "--flow", "orders", "--records", "orders.jsonl", "--matched", "product=products.jsonl", "--out", "out"]);
    assert!(code == Some(0) && said.contains("2 records: 2 to send"), "{said}");
    let (code, said) = crossdock(at, &["run", "--flow", "orders", "--records", "orders.jsonl", "--matched", "prodct=products.jsonl"]);
    assert!(code == Some(2) && said.contains("did you mean product?"), "{said}");
}

#[test]
fn cases_look_by_the_keys_and_may_say_that_nothing_is_sent() {
    let folder = project(&MAPPING.replace("as sent {", "as sent when order.Status == \"Activated\" {"));
    let at = folder.path();
    std::fs::create_dir(at.join("cases")).unwrap();
    let cases = r#"flow: orders
cases:
  - name: a kit
    given: { record: kit.json, matched: { product: products.jsonl } }
    expect: { sent: { wms.Order: { items: [{ name: Tent }, { name: Matt }] } } }
  - name: nothing
    given: { record: kit.json, with: { Status: Draft }, matched: { product: products.jsonl } }
    expect: { sent: nothing }
  - name: not so
    given: { record: kit.json, matched: { product: products.jsonl } }
    expect: { sent: nothing }
"#;
    std::fs::write(at.join("cases/a.yaml"), cases).unwrap();
    let (code, said) = crossdock(at, &["test"]);
    assert!(code == Some(1) && said.contains("ok   nothing") && said.contains("1 passed, 2 failed"), "{said}");
    assert!(said.contains("- expected Matt") && said.contains("+ came out \"Mat\""), "{said}");
    // Only what is asserted is written.
    let (code, said) = crossdock(at, &["test", "--accept", "--only", "a kit"]);
    assert_eq!(code, Some(0), "{said}");
    let text = std::fs::read_to_string(at.join("cases/a.yaml")).unwrap();
    assert!(text.contains(r#"    expect: { sent: { wms.Order: { items: [{ name: "Tent" }, { name: "Mat" }] } } }"#), "{text}");
    // A record of which nothing goes out says so, and why.
    std::fs::write(at.join("draft.json"), order("8015g0000000001AAA", "KIT").replace("Activated", "Draft")).unwrap();
    let (_, said) = crossdock(at, &["preview", "draft.json", "--matched", "product=products.jsonl"]);
    assert!(said.contains("nothing to send") && said.contains("order.Status == \"Activated\"") && said.contains("= \"Draft\""), "{said}");
    let (_, said) = crossdock(at, &["test", "--accept", "--whole", "--only", "not so"]);
    let text = std::fs::read_to_string(at.join("cases/a.yaml")).unwrap();
    assert!(said.contains("accepted") && text.contains("orderStatus: \"awaiting_shipment\""), "{text}");
    assert!(crossdock(at, &["test"]).1.contains("3 passed, 0 failed"), "{text}");
}

/// Orders in several currencies, and a threshold for two of them.
#[test]
fn a_threshold_has_a_currency() {
    let rules =
        "  validate {\n    review when order.TotalAmount > 500.00 EUR or order.TotalAmount > above \"it is large\"\n  }\n\n  upsert wms.Order";
    let mapping = MAPPING.replace("  upsert wms.Order", rules).replace("flow orders", "parameter above: money = 450.00 GBP\n\nflow orders");
    let folder = project(&mapping);
    let at = folder.path();
    let (code, said) = crossdock(at, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    // The record names its currency where the org has several.
    let (_, schema) = crossdock(at, &["schema", "show", "crm.Order", "--format", "json"]);
    let mut schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    schema["properties"]["CurrencyIsoCode"] = serde_json::json!({ "type": "string", "readOnly": true });
    schema["properties"]["TotalAmount"]["x-currency-field"] = "CurrencyIsoCode".into();
    std::fs::create_dir_all(at.join("schemas/crm")).unwrap();
    std::fs::write(at.join("schemas/crm/Order.json"), schema.to_string()).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    for (amount, currency, large) in [(600, "EUR", true), (460, "EUR", false), (460, "GBP", true), (400, "GBP", false), (90_000, "JPY", false)] {
        let text = order("8015g0000000001AAA", "KIT").replacen('{', &format!("{{\"TotalAmount\":{amount},\"CurrencyIsoCode\":\"{currency}\","), 1);
        std::fs::write(at.join("one.json"), text).unwrap();
        let (_, said) = crossdock(at, &["preview", "one.json", "--matched", "product=products.jsonl"]);
        assert_eq!(said.contains("it is large"), large, "{amount} {currency}: {said}");
        assert!(!said.contains("rejected"), "{said}");
    }
}

/// A snapshot that was pulled before the org had several currencies lists no field for them; a record may have it all the same.
#[test]
fn the_currency_of_a_record_is_known_without_a_field_in_the_snapshot() {
    let rules = "  validate {\n    review when (currency(order.TotalAmount) ?? \"USD\") != \"USD\" \"it is in {currency(order.TotalAmount)}\"\n  }\n\n  upsert wms.Order";
    let folder = project(&MAPPING.replace("  upsert wms.Order", rules));
    let at = folder.path();
    assert_eq!(crossdock(at, &["check"]).0, Some(0));
    for (currency, said_of) in [("\"GBP\"", true), ("\"USD\"", false), ("\"\"", false), ("null", false)] {
        let text = order("8015g0000000001AAA", "KIT").replacen('{', &format!("{{\"TotalAmount\":12.50,\"CurrencyIsoCode\":{currency},"), 1);
        std::fs::write(at.join("one.json"), text).unwrap();
        let (_, said) = crossdock(at, &["preview", "one.json", "--matched", "product=products.jsonl"]);
        assert_eq!(said.contains("it is in GBP"), said_of, "{currency}: {said}");
    }
    // An org with one currency has no such field: it is never asked for.
    let (_, plan) = crossdock(at, &["plan"]);
    assert!(plan.contains("TotalAmount") && !plan.contains("CurrencyIsoCode"), "{plan}");
}

/// Why a rule did not fire, why this row, why a field is not there: each has an answer.
#[test]
fn why_answers_what_is_not_there() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(crossdock(home.path(), &["new", "acme"]).0, Some(0));
    let at = home.path().join("acme");
    let why = |record: &str, what: &str| crossdock(&at, &["preview", record, "--flow", "export_orders", "--why", what]).1;
    let said = why("fixtures/us-order.json", "warehouse");
    let told = ["no     order.Region__c in (\"UK\", \"EU\")", "order.Region__c = \"US\"", "taken  else"];
    assert!(told.iter().all(|word| said.contains(word)), "{said}");
    let said = why("fixtures/us-order.json", "dimensions.length");
    assert!(said.contains("set only when") && said.contains("order.Package_Length__c = null"), "{said}");
    let said = why("fixtures/us-order.json", "street is missing");
    assert!(said.contains("does not fire: ship_to.street is present holds"), "{said}");
    let said = why("fixtures/many-mistakes.json", "street is missing");
    assert!(said.contains("fires: ship_to.street is present does not hold"), "{said}");
    let said = why("fixtures/above-limit.json", "review");
    assert!(said.contains("rule") && said.contains("order.TotalAmount"), "{said}");
    let said = why("fixtures/us-order.json", "sent");
    assert!(said.contains("it applies: one payload"), "{said}");
    let said = why("fixtures/us-order.json", "warehose");
    assert!(said.contains("did you mean warehouse?"), "{said}");
    // A record's file elsewhere is looked at with the project of the current folder.
    std::fs::copy(at.join("fixtures/us-order.json"), home.path().join("order.json")).unwrap();
    let (code, said) = crossdock(&at, &["preview", "../order.json", "--flow", "export_orders"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_blank_project_is_clean_and_its_example_too() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(crossdock(home.path(), &["new", "acme", "--template", "blank"]).0, Some(0));
    let at = home.path().join("acme");
    let (code, said) = crossdock(&at, &["check"]);
    assert!(code == Some(0) && said.contains("no errors, no warnings"), "{said}");
    assert!(at.join(".gitignore").exists());
    let text = std::fs::read_to_string(at.join("flows.dock")).unwrap();
    let (head, example) = text.split_once("# flow").unwrap();
    let example = format!("# flow{example}");
    let example: String = example.lines().map(|line| format!("{}\n", line.trim_start_matches('#').strip_prefix(' ').unwrap_or(""))).collect();
    std::fs::write(at.join("flows.dock"), format!("{head}{example}")).unwrap();
    let (code, said) = crossdock(&at, &["check"]);
    assert!(code == Some(0) && said.contains("1 flow: no errors, no warnings"), "{said}");
    let (_, said) = crossdock(home.path(), &["new", "--list"]);
    assert!(said.contains("blank") && said.contains("salesforce-shipstation"), "{said}");
}

/// What a describe does not know of its fields stands beside it: units, labels, data classes.
#[test]
fn a_field_is_given_a_unit_and_a_class_beside_its_describe() {
    let folder = project(MAPPING);
    let at = folder.path();
    std::fs::create_dir_all(at.join("schemas/crm")).unwrap();
    let overlay = at.join("schemas/crm/Order.overlay.json");
    let text = r#"{ "properties": { "TotalAmount": { "type": "number", "x-kind": "weight", "x-unit": "lb", "title": "Gross weight" }, "Description": { "x-data-class": "secret" } } }"#;
    std::fs::write(&overlay, text).unwrap();
    let (code, said) = crossdock(at, &["schema", "show", "crm.Order.TotalAmount"]);
    assert!(code == Some(0) && said.contains("weight"), "{said}");
    let (_, said) = crossdock(at, &["schema", "show", "crm.Order.Description", "--format", "json"]);
    assert!(said.contains("\"secret\"") && said.contains("\"text\""), "only what is said differs: {said}");
    let (_, said) = crossdock(at, &["schema", "show"]);
    assert!(!said.contains("overlay"), "{said}");
    std::fs::write(&overlay, text.replace("TotalAmount", "TotalAmout")).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("Order.overlay.json") && said.contains("has no field `TotalAmout`"), "{said}");
}

/// Fields that nobody maps, weighed by the records, without a word of what they say.
#[test]
fn unmapped_fields_are_weighed() {
    let folder = project(MAPPING);
    let at = folder.path();
    let one = order("8015g0000000001AAA", "KIT").replacen('{', "{\"Notes__c\":\"Ring Twice\",\"Rare__c\":\"x\",", 1);
    let two = order("8015g0000000002AAA", "TEA").replacen('{', "{\"Notes__c\":\"Back door 7\",\"Rare__c\":\"\",", 1);
    std::fs::write(at.join("noted.jsonl"), format!("{one}\n{two}\n")).unwrap();
    let (code, said) = crossdock(at, &["unmapped", "--records", "noted.jsonl"]);
    assert!(code == Some(0) && said.contains("100 %  Notes__c") && said.contains(" 50 %  Rare__c") && said.contains("Xxxx Xxxxx"), "{said}");
    assert!(!said.contains("Ring") && !said.contains("CreatedDate") && !said.contains("ProductCode"), "{said}");
    let (_, said) = crossdock(at, &["unmapped", "--records", "noted.jsonl", "--least", "60"]);
    assert!(!said.contains("Rare__c"), "{said}");
}

/// A relation to an object that nobody has described: nothing of it would be read, so that is an error, told once.
#[test]
fn an_object_without_a_description_is_told() {
    let folder = project(&MAPPING.replace("line.Product2.ProductCode)", "line.Sku__c)").replace("order.OrderItems", "order.Parts__r"));
    let at = folder.path();
    std::fs::create_dir_all(at.join("schemas/crm")).unwrap();
    let (_, schema) = crossdock(at, &["schema", "show", "crm.Order", "--format", "json"]);
    let mut schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    schema["properties"]["Parts__r"] = schema["properties"]["OrderItems"].clone();
    let text = schema.to_string();
    let lines = schema["properties"]["Parts__r"].to_string();
    std::fs::write(at.join("schemas/crm/Order.json"), text.replace(&lines, &lines.replace("OrderItem.json", "Part__c.json"))).unwrap();
    let (code, said) = crossdock(at, &["check"]);
    assert!(code == Some(1) && said.contains("`crm.Part__c`") && said.contains("schemas/crm/Part__c.json"), "{said}");
    assert_eq!(said.matches("of which the project has no description").count(), 1, "{said}");
}
