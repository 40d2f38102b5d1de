//! The templates as a consultant finds them: each fits the sandbox's org, runs there, and does nothing twice on days when
//! everything fails.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use crate::live::World;
use crossdock::sandbox::faults::Faults;
use crossdock::simulate::{Scenario, Setup, run};
use serde_json::{Value as Json, json};

const CRM: [&str; 8] = [
    "crm-closed-won",
    "crm-customers",
    "crm-daily-summary",
    "crm-delivered",
    "crm-exceptions",
    "crm-milestones",
    "crm-shipped-opportunity",
    "crm-shipping-history",
];

fn said(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn snapshots_are_what_the_org_says() {
    for template in CRM.into_iter().chain(["salesforce-shipstation"]) {
        let world = World::of(template, 1, Faults::default(), "10 minutes");
        let compared = world.command(&["schema", "diff"]);
        assert_eq!(compared.status.code(), Some(0), "{template}: {}", said(&compared));
    }
}

#[test]
fn they_say_where_their_events_come_from_and_what_the_org_needs() {
    for template in CRM {
        let text = std::fs::read_to_string(format!("{}/mappings/{template}/README.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
        for part in [
            "**Where the events come from:**",
            "## What the org needs",
            "## What to change for a client",
            "## Calls",
            &format!("--template {template}"),
        ] {
            assert!(text.contains(part), "{template} does not say `{part}`");
        }
    }
}

/// Orders of one shopper, shipped, over HTTP.
fn shopping(template: &str, orders: usize) -> World {
    let world = World::of(template, 1, Faults::default(), "10 minutes");
    world.crm_act("make", "Account", json!({"Name": "Ada & Co.", "Email__c": "ada@example.com"})).unwrap();
    // The first run finds nothing; what comes later is news.
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    for number in 0..orders {
        let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 60});
        let order = json!({"customerEmail": "ada@example.com", "customerUsername": "ada", "items": [item]});
        world.wms_act_with("create", &format!("W-{number}"), order).unwrap();
    }
    world.wms_act("ship_all", "").unwrap();
    world
}

fn made(world: &World, object: &str) -> Vec<Json> {
    world.crm_effects().into_iter().filter(|effect| effect.by_api && effect.object == object).map(|effect| effect.fields).collect()
}

#[test]
fn milestones_fire_once() {
    let world = shopping("crm-milestones", 11);
    for _ in 0..3 {
        assert_eq!(world.command(&["run"]).status.code(), Some(0));
    }
    let replayed = world.command(&["replay", "--flow", "milestones", "--all"]);
    assert_eq!(replayed.status.code(), Some(0), "{}", said(&replayed));
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let tasks = made(&world, "Task");
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(tasks[0]["Subject"], "Ada & Co. has had 10 orders: ask for a review");
    let offers = made(&world, "Opportunity");
    assert_eq!(offers.len(), 1, "{offers:?}");
    assert_eq!(offers[0]["Name"], "Ada & Co.: upsell at 1000.00");
}

#[test]
fn a_history_follows_what_is_voided() {
    let world = shopping("crm-shipping-history", 5);
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let newest = |name: &str| made(&world, "Account").iter().rev().find_map(|account| account.get(name).cloned()).unwrap();
    assert_eq!((newest("Orders_Shipped__c"), newest("Lifetime_Value__c")), (json!(5), json!(600)));
    world.wms_act("void", "W-3").unwrap();
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    assert_eq!((newest("Orders_Shipped__c"), newest("Lifetime_Value__c"), newest("Orders_90_Days__c")), (json!(4), json!(480), json!(4)));
    let traced = said(&world.command(&["trace", "ada@example.com"]));
    assert!(traced.contains("account_history") && traced.contains("update crm.Account"), "{traced}");
}

/// Orders of Salesforce with their parcels, over HTTP.
fn parcels(template: &str, orders: usize) -> World {
    let world = World::of(template, orders, Faults::default(), "10 minutes");
    for number in 1..=orders {
        let parcel = format!("T{number:09}");
        world.crm_act("change", &format!("{number:08}"), json!({"Tracking_Number__c": parcel})).unwrap();
        world.wms_act_with("create", &format!("W-{number}"), json!({})).unwrap();
        world.wms_act_with("ship", &format!("W-{number}"), json!({"trackingNumber": parcel})).unwrap();
    }
    world
}

fn ran(world: &World) {
    let run = world.command(&["run"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
}

#[test]
fn a_delivery_is_one_task() {
    let world = parcels("crm-delivered", 3);
    world.wms_act("scan", "W-1").unwrap();
    ran(&world);
    assert!(made(&world, "Task").is_empty());
    world.wms_act("deliver_all", "").unwrap();
    ran(&world);
    assert_eq!(world.command(&["replay", "--flow", "delivered", "--all"]).status.code(), Some(0));
    ran(&world);
    let tasks = made(&world, "Task");
    assert_eq!(tasks.len(), 3, "{tasks:?}");
    assert!(tasks.iter().all(|task| task["OwnerId"].is_string() && task["Subject"].as_str().unwrap().contains("was delivered")));
    let traced = world.command(&["trace", "T000000001"]);
    assert!(said(&traced).contains("crm.Task"), "{}", said(&traced));
    // It comes back: the task is no more to be done, and the others are left alone.
    world.wms_act("return", "W-2").unwrap();
    ran(&world);
    let told: Vec<Json> = made(&world, "Task").into_iter().skip(3).collect();
    assert_eq!(told, [json!({"Status": "Deferred"})]);
}

#[test]
fn a_parcel_in_trouble_is_one_case_until_it_ends() {
    let world = parcels("crm-exceptions", 2);
    world.wms_act("delay", "W-1").unwrap();
    ran(&world);
    let first = made(&world, "Case");
    assert_eq!((first.len(), first[0]["Incident__c"].as_str(), first[0]["Status"].as_str()), (1, Some("Delayed"), Some("New")), "{first:?}");
    assert!(first[0]["OwnerId"].as_str().unwrap().starts_with("00G") && first[0]["AccountId"].is_string());
    world.wms_act("fail", "W-1").unwrap();
    ran(&world);
    world.wms_act("deliver", "W-1").unwrap();
    ran(&world);
    ran(&world);
    let told: Vec<Json> = made(&world, "Case").iter().map(|case| json!([case.get("Incident__c"), case.get("Status")])).collect();
    assert_eq!(told, [json!(["Delayed", "New"]), json!(["Failed delivery", null]), json!([null, "Closed"])]);
}

/// Orders go out with their notes, and notes of the warehouse come back into the same field.
const BACK: &str = r#"edition 1

flow notes_back {
  from wms.Order as sent {
    changed sent.modifyDate overlap 10 minutes
    every 5 minutes
  }
  match order: crm.Order {
    by order.Id == sent.orderKey | without prefix "sf-"
    none -> skip
    many -> skip
  }
  update crm.Order of order {
    Package_Notes__c = sent.customerNotes
  }
}
"#;

#[test]
fn two_flows_that_face_each_other_come_to_rest() {
    let world = World::of("salesforce-shipstation", 3, Faults::default(), "10 minutes");
    std::fs::write(world.folder.path().join("back.dock"), BACK).unwrap();
    // What the systems' own logs hold of notes, and of updates in all.
    let notes = |world: &World| made(world, "Order").iter().filter_map(|order| order.get("Package_Notes__c").cloned()).collect::<Vec<_>>();
    let writes = |world: &World| world.crm_effects().iter().chain(&world.wms_effects()).filter(|effect| effect.by_api).count();
    for _ in 0..2 {
        ran(&world);
    }
    let before = writes(&world);
    ran(&world);
    assert_eq!(writes(&world), before, "nothing has changed, and nothing is written");
    // In Salesforce: it goes out once, and does not come back.
    world.crm_act("change", "00000001", json!({"Package_Notes__c": "ring twice"})).unwrap();
    for _ in 0..3 {
        ran(&world);
    }
    assert_eq!((writes(&world), notes(&world).len()), (before + 1, 0));
    // In ShipStation: it comes back once, and the echo ends.
    world.wms_act_with("change", "00000001", json!({"customerNotes": "leave it at the door"})).unwrap();
    for _ in 0..2 {
        ran(&world);
    }
    let rest = writes(&world);
    assert_eq!(notes(&world), ["leave it at the door"]);
    assert!(rest <= before + 3, "{} writes for one note", rest - before - 1);
    for _ in 0..3 {
        ran(&world);
    }
    assert_eq!(writes(&world), rest, "it goes round");
}

// 2,000 seeds in all.

fn on_bad_days(template: &str, seeds: std::ops::Range<u64>) {
    let setup = Setup::of(template).unwrap();
    let mut bad = Vec::new();
    let mut delivered = 0;
    for seed in seeds {
        let report = run(&setup, Scenario::small(seed)).unwrap();
        delivered += report.delivered;
        if !report.findings.is_empty() {
            bad.push(format!("seed {seed}: {:#?}", report.findings));
        }
    }
    assert!(bad.is_empty(), "{} runs of {template}: {}", bad.len(), bad.join("\n"));
    assert!(delivered > 0, "nothing was delivered, so nothing was tested");
}

#[test]
fn no_customer_is_made_twice() {
    on_bad_days("crm-customers", 0..400);
}

/// Roll-ups over the whole history and over a window equal what the sandbox's own orders give, after voids, late
/// arrivals and a replay. `simulate --template crm-shipping-history --volume 50000` has more of
/// them, and deaths; these are enough that the groups of one poll are more than the records that may wait.
#[test]
fn roll_ups_of_many_shipments_equal_a_recomputation() {
    let setup = Setup::of("crm-shipping-history").unwrap();
    let report = run(&setup, Scenario { kills: 0, ..Scenario::volume(1, 24_000) }).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert!(report.delivered > 36_000, "{} records of two flows", report.delivered);
}

#[test]
fn no_milestone_fires_twice() {
    on_bad_days("crm-milestones", 0..400);
}

#[test]
fn no_parcel_has_two_tasks_or_two_cases() {
    on_bad_days("crm-delivered", 0..300);
    on_bad_days("crm-exceptions", 0..300);
}

#[test]
fn histories_equal_the_orders() {
    on_bad_days("crm-shipping-history", 0..300);
    on_bad_days("crm-daily-summary", 0..100);
}

#[test]
fn what_is_shipped_and_what_is_won_goes_over_once() {
    on_bad_days("crm-shipped-opportunity", 0..200);
    on_bad_days("crm-closed-won", 0..200);
}

fn order_writes(world: &World, field: &str) -> Vec<Json> {
    made(world, "Order").into_iter().filter_map(|fields| fields.get(field).cloned()).collect()
}

#[test]
fn what_waits_for_a_review_is_seen_at_its_source() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    let config = std::fs::read_to_string(world.folder.path().join("crossdock.yaml")).unwrap();
    std::fs::write(world.folder.path().join("crossdock.yaml"), config.replace("20000.00", "1.00")).unwrap();
    world.command(&["run", "--flow", "export_orders"]);
    let told: Vec<Json> =
        order_writes(&world, "Fulfilment_Error__c").into_iter().filter(|error| error.to_string().contains("is above the limit")).collect();
    assert!(told.len() > 5, "{told:?}");
    let listed = said(&world.command(&["queue", "list"]));
    assert!(listed.contains("review"), "{listed}");
    // It is let go: the reason is taken off the order again.
    let approved = world.command(&["queue", "approve", "--owner", "finance", "--yes"]);
    assert_eq!(approved.status.code(), Some(0), "{}", said(&approved));
    world.command(&["run", "--flow", "export_orders"]);
    let cleared = order_writes(&world, "Fulfilment_Error__c").into_iter().filter(Json::is_null).count();
    assert!(cleared >= told.len(), "{cleared} of {}", told.len());
    assert!(world.wms_effects().iter().filter(|effect| effect.by_api && effect.object == "Order").count() >= told.len());
}

/// The first order of the sandbox that awaits shipment.
fn waiting_order(world: &World) -> String {
    let waits = |number: &String| world.wms_act_with("change", number, json!({})).is_ok_and(|shown| shown["orderStatus"] == "awaiting_shipment");
    (1..=20).map(|number| format!("{number:08}")).find(waits).unwrap()
}

#[test]
fn what_the_warehouse_cancels_holds_or_ships_by_hand_is_seen_in_salesforce() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    let file = world.folder.path().join("crossdock.live.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("print_labels: true", "print_labels: false")).unwrap();
    let status = |number: &str| world.crm_act("show", number, json!({})).unwrap();
    let by_api = |world: &World| world.wms_effects().iter().chain(&world.crm_effects()).filter(|effect| effect.by_api).count();
    ran(&world);
    ran(&world);
    let number = waiting_order(&world);
    for (verb, is, told) in [
        ("hold", "On Hold", Some("On Hold in ShipStation")),
        ("release", "Activated", None),
        ("cancel", "Cancelled", Some("Cancelled in ShipStation")),
    ] {
        world.wms_act(verb, &number).unwrap();
        ran(&world);
        let order = status(&number);
        assert_eq!((order["Status"].as_str(), order["Fulfilment_Status__c"].as_str()), (Some(is), told), "{verb}: {order}");
        // Salesforce says the same now: nothing goes back, and nobody is asked.
        let there = world.wms_effects().iter().filter(|effect| effect.by_api).count();
        ran(&world);
        assert_eq!(world.wms_effects().iter().filter(|effect| effect.by_api).count(), there, "{verb}");
        assert!(!said(&world.command(&["queue", "list"])).contains(&format!("{number} changed")), "{verb}");
    }
    // Somebody takes it up again in Salesforce: that stays, also when all is mapped again, and the warehouse is told.
    world.crm_act("activate", &number, json!({})).unwrap();
    ran(&world);
    assert!(said(&world.command(&["queue", "list"])).contains("it is cancelled in ShipStation"), "{}", said(&world.command(&["queue", "list"])));
    let before = by_api(&world);
    for flow in ["import_status", "export_orders", "import_shipments"] {
        assert_eq!(world.command(&["replay", "--flow", flow, "--all"]).status.code(), Some(0));
    }
    ran(&world);
    assert_eq!(status(&number)["Status"], "Activated");
    assert_eq!(by_api(&world), before, "a replay of everything changes nothing");
    world.wms_act("reopen", &number).unwrap();
    ran(&world);
    ran(&world);
    assert_eq!((&status(&number)["Status"], status(&number).get("Fulfilment_Status__c")), (&json!("Activated"), None));
    assert!(!said(&world.command(&["queue", "list"])).contains("it is cancelled in ShipStation"));
    // Shipped by hand: by another system, without a label of ShipStation.
    let number = waiting_order(&world);
    world.wms_act_with("mark", &number, json!({"carrierCode": "ups", "trackingNumber": "1Z999"})).unwrap();
    ran(&world);
    let order = status(&number);
    assert_eq!((order["Carrier__c"].as_str(), order["Tracking_Number__c"].as_str()), (Some("UPS"), Some("1Z999")), "{order}");
    assert!(order["Shipped_At__c"].is_string() && order["Status"] == "Activated", "{order}");
}

#[test]
fn a_hold_of_salesforce_is_not_released_by_an_edit_in_the_warehouse() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    let file = world.folder.path().join("crossdock.live.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("print_labels: true", "print_labels: false")).unwrap();
    ran(&world);
    let number = waiting_order(&world);
    let show = || world.crm_act("show", &number, json!({})).unwrap();
    // Both change it before the next poll: Salesforce holds it, the warehouse writes a note.
    world.crm_act("change", &number, json!({"Status": "On Hold"})).unwrap();
    world.wms_act_with("change", &number, json!({"internalNotes": "top shelf"})).unwrap();
    ran(&world);
    ran(&world);
    assert_eq!((show()["Status"].as_str(), show()["Fulfilment_Status__c"].as_str()), (Some("On Hold"), None));
    let there = world.wms_act_with("change", &number, json!({})).unwrap();
    assert_eq!((there["orderStatus"].as_str(), there["internalNotes"].as_str()), (Some("on_hold"), Some("top shelf")), "{there}");
    // It is activated again while the warehouse edits it once more.
    world.crm_act("activate", &number, json!({})).unwrap();
    world.wms_act_with("change", &number, json!({"internalNotes": "bottom shelf"})).unwrap();
    ran(&world);
    ran(&world);
    assert_eq!(show()["Status"], "Activated");
    assert_eq!(world.wms_act_with("change", &number, json!({})).unwrap()["orderStatus"], "awaiting_shipment");
}

#[test]
fn a_carrier_that_speaks_before_the_shipment_was_written_back_is_heard() {
    let world = World::of("crm-shipped-opportunity", 1, Faults::default(), "10 minutes");
    world.crm_act("make", "Account", json!({"Name": "Ada & Co.", "Email__c": "ada@example.com"})).unwrap();
    let won = world.crm_act("win", "ada@example.com", json!({})).unwrap();
    let id = won["Id"].as_str().or_else(|| won["id"].as_str()).unwrap_or_default().to_owned();
    world.wms_act_with("create", "W-1", json!({"orderKey": format!("opp-{id}")})).unwrap();
    world.wms_act("ship", "W-1").unwrap();
    world.wms_act("scan", "W-1").unwrap();
    let flow = |name: &str| {
        let run = world.command(&["run", "--flow", name]);
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    };
    // The carrier's word comes first: no opportunity has its number yet.
    flow("estimated_delivery");
    flow("shipped");
    assert!(made(&world, "Opportunity").iter().all(|fields| fields.get("Estimated_Delivery__c").is_none()));
    flow("estimated_delivery");
    let estimates: Vec<Json> = made(&world, "Opportunity").into_iter().filter_map(|fields| fields.get("Estimated_Delivery__c").cloned()).collect();
    assert_eq!(estimates.len(), 1, "{won}: {:?}", made(&world, "Opportunity"));
}

#[test]
fn a_telephone_in_another_spelling_is_the_same_contact() {
    let world = World::of("crm-customers", 1, Faults::default(), "10 minutes");
    let account = world.crm_act("make", "Account", json!({"Name": "Ada & Co."})).unwrap();
    let id = account["Id"].as_str().or_else(|| account["id"].as_str()).unwrap().to_owned();
    world.crm_act("make", "Contact", json!({"LastName": "Lovelace", "Phone": "(512) 555-0199", "AccountId": id})).unwrap();
    let before = world.crm_effects().iter().filter(|effect| effect.kind == "created" && effect.object == "Contact").count();
    for (number, phone) in [("W-1", "+1 512-555-0199"), ("W-2", "512.555.0199")] {
        let to = json!({"name": "Ada Lovelace", "street1": "1 Main Street", "city": "Austin", "state": "Texas", "postalCode": "73301", "country": "US",
            "phone": phone, "addressVerified": "Address validated successfully"});
        world
            .wms_act_with("create", number, json!({"customerEmail": format!("{number}@example.com"), "customerUsername": number, "shipTo": to}))
            .unwrap();
    }
    ran(&world);
    let effects = world.crm_effects();
    assert_eq!(
        effects.iter().filter(|effect| effect.kind == "created" && effect.object == "Contact").count(),
        before,
        "{:?}",
        made(&world, "Contact")
    );
    assert!(made(&world, "Contact").iter().any(|fields| fields["MailingStateCode"] == "TX"), "{:?}", made(&world, "Contact"));
}

#[test]
fn a_carrier_that_the_account_does_not_have_is_found_before_sending() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    let table = world.folder.path().join("tables/services.csv");
    let names = world.folder.path().join("schemas/wms/names.json");
    let (rows, snapshot) = (std::fs::read_to_string(&table).unwrap(), std::fs::read_to_string(&names).unwrap());
    std::fs::write(&table, rows.replace("stamps_com", "apc")).unwrap();
    let checked = said(&world.command(&["check"]));
    assert!(checked.contains("\"apc\" is no carrier of wms"), "{checked}");
    // A snapshot from a time when the account had it: doctor asks the account.
    std::fs::write(&names, snapshot.replace("\"Carrier\": [", "\"Carrier\": [ { \"name\": \"apc\", \"id\": \"apc\" },")).unwrap();
    let doctor = said(&world.command(&["doctor"]));
    assert!(doctor.contains("wms.Carrier: removed, or with another id than in the snapshot: apc"), "{doctor}");
}

#[test]
fn a_first_run_that_was_refused_leaves_history_what_it_is() {
    let world = World::of("crm-milestones", 1, Faults::default(), "10 minutes");
    world.crm_act("make", "Account", json!({"Name": "Ada & Co.", "Email__c": "ada@example.com"})).unwrap();
    for number in 0..11 {
        let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 60});
        world.wms_act_with("create", &format!("W-{number}"), json!({"customerEmail": "ada@example.com", "items": [item]})).unwrap();
    }
    world.wms_act("ship_all", "").unwrap();
    let file = world.folder.path().join("crossdock.live.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("api_secret: \"${PLANTED}\"", "api_secret: wrong")).unwrap();
    assert_ne!(world.command(&["run"]).status.code(), Some(0));
    std::fs::write(&file, settings).unwrap();
    ran(&world);
    ran(&world);
    assert!(
        made(&world, "Task").is_empty() && made(&world, "Opportunity").is_empty(),
        "{:?} {:?}",
        made(&world, "Task"),
        made(&world, "Opportunity")
    );
}

/// Labels are not bought by themselves.
fn without_labels(world: &World) {
    let file = world.folder.path().join("crossdock.live.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("print_labels: true", "print_labels: false")).unwrap();
}

/// An order as ShipStation has it now.
fn there(world: &World, number: &str) -> Json {
    world.wms_act_with("change", number, json!({})).unwrap()
}

/// The first orders of the sandbox that await shipment and pass a condition.
fn waiting_orders(world: &World, fits: impl Fn(&Json) -> bool) -> Vec<String> {
    let shown = |number: &String| world.wms_act_with("change", number, json!({})).ok();
    let fits = |number: &String| shown(number).is_some_and(|order| order["orderStatus"] == "awaiting_shipment" && fits(&order));
    (1..=20).map(|number| format!("{number:08}")).filter(fits).collect()
}

#[test]
fn a_line_that_was_removed_is_not_declared() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    without_labels(&world);
    ran(&world);
    let declared = |order: &Json| {
        let items = order["internationalOptions"]["customsItems"].as_array().cloned().unwrap_or_default();
        items.iter().filter(|item| item["quantity"] != 0).count()
    };
    let number = waiting_orders(&world, |order| declared(order) > 1).remove(0);
    let before = there(&world, &number);
    world.crm_act("delete", &format!("{number}/1"), json!({})).unwrap();
    world.crm_act("change", &number, json!({"Package_Notes__c": "one less"})).unwrap();
    ran(&world);
    let after = there(&world, &number);
    assert_eq!(declared(&after), declared(&before) - 1, "{after:#}");
    assert_eq!(after["items"].as_array().unwrap().len(), before["items"].as_array().unwrap().len() - 1);
    let writes = |world: &World| world.wms_effects().iter().filter(|effect| effect.by_api).count();
    let rest = writes(&world);
    assert_eq!(world.command(&["replay", "--flow", "export_orders", "--all"]).status.code(), Some(0));
    ran(&world);
    assert_eq!(writes(&world), rest, "what cannot be removed is not sent again and again");
}

#[test]
fn holds_end_where_they_were_set_and_leave_what_was_before() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    without_labels(&world);
    ran(&world);
    let number = waiting_order(&world);
    let status = || world.crm_act("show", &number, json!({})).unwrap()["Status"].clone();
    // The warehouse holds an order that was ready to ship, and lets it go.
    world.crm_act("change", &number, json!({"Status": "Ready to Ship"})).unwrap();
    ran(&world);
    world.wms_act("hold", &number).unwrap();
    ran(&world);
    assert_eq!(status(), "On Hold");
    world.wms_act("release", &number).unwrap();
    ran(&world);
    assert_eq!(status(), "Ready to Ship");
    // Salesforce holds it, and the warehouse lets it go: the hold stays, and the warehouse is told.
    world.crm_act("change", &number, json!({"Status": "On Hold"})).unwrap();
    ran(&world);
    assert_eq!(there(&world, &number)["orderStatus"], "on_hold");
    world.wms_act("release", &number).unwrap();
    ran(&world);
    let listed = || said(&world.command(&["queue", "list"]));
    assert_eq!(status(), "On Hold");
    assert!(listed().contains("is on hold in Salesforce, and awaits shipment in ShipStation"), "{}", listed());
    // The warehouse holds it again, and nobody has to decide any more.
    world.wms_act("hold", &number).unwrap();
    ran(&world);
    assert!(!listed().contains("awaits shipment in ShipStation"), "{}", listed());
    world.wms_act("release", &number).unwrap();
    // Salesforce ends it.
    world.crm_act("activate", &number, json!({})).unwrap();
    for _ in 0..2 {
        ran(&world);
    }
    assert_eq!((status(), there(&world, &number)["orderStatus"].clone()), (json!("Activated"), json!("awaiting_shipment")));
}

#[test]
fn orders_that_the_warehouse_splits_or_combines_are_tracked() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    without_labels(&world);
    ran(&world);
    let tracking = |number: &str| world.crm_act("show", number, json!({})).unwrap()["Tracking_Number__c"].clone();
    let several = |order: &Json| order["items"].as_array().is_some_and(|items| items.len() > 1);
    let split = waiting_orders(&world, several).remove(0);
    world.wms_act("split", &split).unwrap();
    let apart = world.wms_effects().into_iter().find(|effect| effect.kind == "split").unwrap().fields["into"].to_string();
    let mut rest = waiting_orders(&world, |_| true);
    rest.retain(|number| *number != split);
    let (one, other) = (rest[0].clone(), rest[1].clone());
    world.wms_act_with("combine", &one, json!({"with": other})).unwrap();
    world.wms_act_with("ship", &apart, json!({"trackingNumber": "T-APART"})).unwrap();
    world.wms_act_with("ship", &one, json!({"trackingNumber": "T-BOTH"})).unwrap();
    ran(&world);
    assert_eq!((tracking(&split), tracking(&one), tracking(&other)), (json!("T-APART"), json!("T-BOTH"), json!("T-BOTH")));
    let listed = said(&world.command(&["queue", "list"]));
    assert!(!listed.contains("no Salesforce order"), "{listed}");
}

#[test]
fn why_there_is_no_label_is_seen_in_salesforce() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    let flow = |name: &str| {
        let run = world.command(&["run", "--flow", name]);
        assert!(run.status.code().is_some_and(|code| code < 2), "{}", said(&run));
    };
    flow("export_orders");
    let number = waiting_orders(&world, |order| order["serviceCode"].is_string() && order["carrierCode"].is_string()).remove(0);
    let service = there(&world, &number)["serviceCode"].clone();
    let error = || world.crm_act("show", &number, json!({})).unwrap()["Fulfilment_Error__c"].clone();
    world.wms_act_with("change", &number, json!({"serviceCode": "by_pigeon"})).unwrap();
    flow("print_labels");
    assert!(error().as_str().is_some_and(|error| error.starts_with("no label: ") && error.contains("no service of")), "{}", error());
    world.wms_act_with("change", &number, json!({"serviceCode": service})).unwrap();
    flow("print_labels");
    assert_eq!((there(&world, &number)["orderStatus"].clone(), error()), (json!("shipped"), Json::Null));
}

#[test]
fn why_a_won_opportunity_is_no_order_is_seen_at_it() {
    let world = World::of("crm-closed-won", 1, Faults::default(), "10 minutes");
    world.crm_act("make", "Account", json!({"Name": "Ada & Co.", "Email__c": "ada@example.com", "ShippingCity": "Austin"})).unwrap();
    let won = world.crm_act("win", "ada@example.com", json!({})).unwrap();
    let id = won["id"].as_str().unwrap().to_owned();
    let error = || world.crm_act("show", &id, json!({})).unwrap()["Fulfilment_Error__c"].clone();
    world.command(&["run"]);
    assert!(error().as_str().is_some_and(|error| error.contains("street") && error.contains("is missing")), "{}", error());
    let account = world.crm_act("show", &id, json!({})).unwrap()["AccountId"].as_str().unwrap().to_owned();
    let address = json!({"ShippingStreet": "1 Main Street", "ShippingPostalCode": "73301", "ShippingStateCode": "TX", "ShippingCountryCode": "US"});
    world.crm_act("change", &account, address).unwrap();
    world.crm_act("change", &id, json!({"Name": "Tea"})).unwrap();
    ran(&world);
    assert_eq!(error(), Json::Null);
    assert!(world.wms_effects().iter().any(|effect| effect.kind == "created"));
}

#[test]
fn a_delivery_that_comes_before_the_write_back_finds_its_order_later() {
    let world = World::of("crm-delivered", 2, Faults::default(), "10 minutes");
    world.wms_act_with("create", "W-1", json!({})).unwrap();
    world.wms_act_with("ship", "W-1", json!({"trackingNumber": "T000000001"})).unwrap();
    world.wms_act("deliver", "W-1").unwrap();
    world.command(&["run"]);
    let listed = || said(&world.command(&["queue", "list"]));
    assert!(listed().contains("no order has the parcel") && made(&world, "Task").is_empty(), "{}", listed());
    world.command(&["run"]);
    assert!(listed().contains("1 open exception"), "{}", listed());
    world.crm_act("change", "00000001", json!({"Tracking_Number__c": "T000000001"})).unwrap();
    ran(&world);
    assert_eq!(made(&world, "Task").len(), 1, "{}", said(&world.command(&["trace", "T000000001"])));
    assert!(listed().contains("no open exceptions"), "{}", listed());
    ran(&world);
    assert_eq!(made(&world, "Task").len(), 1);
}

#[test]
fn a_case_that_comes_before_the_write_back_gets_its_order_later() {
    let world = World::of("crm-exceptions", 2, Faults::default(), "10 minutes");
    world.wms_act_with("create", "W-1", json!({})).unwrap();
    world.wms_act_with("ship", "W-1", json!({"trackingNumber": "T000000001"})).unwrap();
    world.wms_act("delay", "W-1").unwrap();
    ran(&world);
    let cases = made(&world, "Case");
    assert!(cases.len() == 1 && cases[0].get("Order_Number__c").is_none(), "{cases:?}");
    world.crm_act("change", "00000001", json!({"Tracking_Number__c": "T000000001"})).unwrap();
    ran(&world);
    let told = made(&world, "Case").remove(1);
    assert!(told["Order_Number__c"] == "00000001" && told["AccountId"].is_string(), "{told}");
    ran(&world);
    assert_eq!(made(&world, "Case").len(), 2, "it is told once");
}

#[test]
fn two_new_customers_with_one_telephone_are_one_contact() {
    let world = World::of("crm-customers", 1, Faults::default(), "10 minutes");
    let created = |object: &str| world.crm_effects().iter().filter(|effect| effect.kind == "created" && effect.object == object).count();
    let before = (created("Contact"), created("Account"));
    for (number, mail, phone) in [("W-1", "ada@example.com", "+1 512-555-0199"), ("W-2", "lovelace@example.com", "(512) 555-0199")] {
        let to = json!({"name": "Ada Lovelace", "street1": "1 Main Street", "city": "Austin", "state": "TX", "postalCode": "73301", "country": "US",
            "phone": phone, "addressVerified": "Address validated successfully"});
        world.wms_act_with("create", number, json!({"customerEmail": mail, "customerUsername": mail, "shipTo": to})).unwrap();
    }
    ran(&world);
    ran(&world);
    assert_eq!((created("Contact"), created("Account")), (before.0 + 1, before.1 + 1), "{:?}", made(&world, "Contact"));
}

#[test]
fn a_field_that_a_match_needs_and_the_org_has_not_is_told_once() {
    let world = World::of("crm-delivered", 6, Faults::default(), "10 minutes");
    for number in 1..=5 {
        let (name, parcel) = (format!("W-{number}"), format!("T{number:09}"));
        world.crm_act("change", &format!("{number:08}"), json!({"Tracking_Number__c": parcel})).unwrap();
        world.wms_act_with("create", &name, json!({})).unwrap();
        world.wms_act_with("ship", &name, json!({"trackingNumber": parcel})).unwrap();
    }
    world.wms_act("deliver_all", "").unwrap();
    world.crm_act("schema", "Shipment__c.Tracking_Number__c", json!({"rename": "Parcel__c"})).unwrap();
    let run = world.command(&["run"]);
    assert!(run.status.code() != Some(0) && said(&run).contains("cannot look up what it matches with"), "{}", said(&run));
    let listed = said(&world.command(&["queue", "list"]));
    assert!(listed.contains("no open exceptions"), "{listed}");
    let status = said(&world.command(&["status"]));
    assert!(status.contains("cannot look up what it matches with"), "{status}");
    world.crm_act("schema", "Shipment__c.Parcel__c", json!({"rename": "Tracking_Number__c"})).unwrap();
    ran(&world);
    assert_eq!(made(&world, "Task").len(), 5);
    let status = said(&world.command(&["status"]));
    assert!(!status.contains("cannot look up"), "{status}");
}

/// A look-up is refused while its flow's poll has pages left: the run ends, and the next one carries on.
#[test]
fn a_refused_look_up_ends_a_run_with_pages_left() {
    let world = World::of("crm-customers", 1, Faults::default(), "10 minutes");
    for number in 1..=2_600 {
        let mail = format!("ada{number}@example.com");
        world.wms_act_with("create", &format!("W-{number}"), json!({"customerEmail": mail, "customerUsername": mail})).unwrap();
    }
    world.crm_act("schema", "Contact.Email", json!({"rename": "Mail__c"})).unwrap();
    let run = world.command(&["run"]);
    assert!(run.status.code() == Some(1) && said(&run).contains("cannot look up what it matches with"), "{}", said(&run));
    let status = said(&world.command(&["status"]));
    assert!(status.contains("cannot look up what it matches with"), "{status}");
}

#[test]
fn a_carrier_and_its_service_stay_together() {
    let world = World::start_with(20, Faults::default(), "10 minutes");
    without_labels(&world);
    ran(&world);
    let domestic = |order: &Json| order["serviceCode"] == "usps_priority_mail";
    let number = waiting_orders(&world, domestic).remove(0);
    // The warehouse chooses another carrier; then the customer another service of the one before.
    world.wms_act_with("change", &number, json!({"carrierCode": "fedex", "serviceCode": "fedex_2day", "packageCode": "fedex_pak"})).unwrap();
    world.crm_act("change", &number, json!({"Package_Notes__c": "ring twice"})).unwrap();
    ran(&world);
    let pair = |order: &Json| (order["carrierCode"].clone(), order["serviceCode"].clone(), order["packageCode"].clone());
    assert_eq!(pair(&there(&world, &number)), (json!("fedex"), json!("fedex_2day"), json!("fedex_pak")), "the choice of the warehouse stays");
    world.crm_act("change", &number, json!({"Shipping_Service__c": "Economy"})).unwrap();
    ran(&world);
    assert_eq!(pair(&there(&world, &number)), (json!("stamps_com"), json!("usps_ground_advantage"), json!("package")));
}

/// ShipHero's lists are read up to one second before now.
fn closed() {
    std::thread::sleep(std::time::Duration::from_millis(1_500));
}

/// What the warehouse takes back is taken back in Salesforce, and what it decides alone is a case that is found by the order's number.
#[test]
fn what_shiphero_takes_back_is_seen_in_salesforce() {
    let world = World::of("salesforce-shiphero", 8, Faults::default(), "10 minutes");
    ran(&world);
    let orders = world.wms_effects().into_iter().filter(|effect| effect.kind == "created" && effect.object == "Order");
    let numbers: Vec<String> = orders.filter_map(|effect| Some(effect.fields["order_number"].as_str()?.to_owned())).collect();
    let shipped = numbers.iter().find(|number| world.wms_act("ship", number).is_ok()).unwrap_or_else(|| panic!("{numbers:?}"));
    let show = |number: &str| world.crm_act("show", number, json!({})).unwrap();
    closed();
    ran(&world);
    assert_eq!((&show(shipped)["Status"], &show(shipped)["Fulfilment_Status__c"]), (&json!("Shipped"), &json!("Shipped")));
    world.wms_act("void", shipped).unwrap();
    closed();
    ran(&world);
    assert_eq!((&show(shipped)["Status"], &show(shipped)["Fulfilment_Status__c"]), (&json!("Activated"), &json!("In ShipHero")));
    world.wms_act("ship", shipped).unwrap();
    closed();
    ran(&world);
    assert_eq!(show(shipped)["Status"], "Shipped", "the next label ships it again");

    let canceled = numbers.iter().find(|number| *number != shipped && show(number)["Status"] == "Activated").unwrap();
    world.wms_act("cancel", canceled).unwrap();
    closed();
    world.command(&["run"]);
    let listed = said(&world.command(&["queue", "list"]));
    assert!(listed.contains("it was canceled in ShipHero") && listed.contains(canceled.as_str()), "{listed}");
    let traced = said(&world.command(&["trace", canceled])).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(traced.contains(&format!("import_status {canceled} (")), "the record is called by the order's number: {traced}");
    assert!(traced.contains(&format!("{canceled} is Activated, and it was canceled in ShipHero")), "{traced}");
}
