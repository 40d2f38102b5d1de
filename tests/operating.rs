//! What those do who run it: they look at the queue, decide, take back, correct, and find a record by what they call it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Output;
use std::time::{Duration, Instant};

use crossdock::sandbox::faults::Faults;
use serde_json::{Value as Json, json};

use crate::live::World;

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn fine(world: &World, arguments: &[&str]) -> String {
    let output = world.command(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command prints on a terminal of 80 columns.
fn narrow(world: &World, arguments: &[&str]) -> String {
    let output = world.crossdock().args(arguments).args(["--env", "live"]).env("COLUMNS", "80").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn read(world: &World, arguments: &[&str]) -> Json {
    serde_json::from_str(&fine(world, &[arguments, &["--format", "json"]].concat())).unwrap()
}

/// Orders of which half have no street, and half no city.
fn stopped() -> World {
    let world = World::start(24, Faults::default());
    for number in 1..=24 {
        let field = if number <= 12 { "ShippingStreet" } else { "ShippingCity" };
        world.crm_act("change", &format!("{number:08}"), json!({field: null})).unwrap();
    }
    fine(&world, &["run"]);
    world
}

/// The number of the order that an exception is about.
fn order(world: &World, id: &str) -> String {
    read(world, &["queue", "show", id])["label"].as_str().unwrap().to_owned()
}

/// The open exceptions of one cause, by a word of its reasons.
fn cause<'j>(listed: &'j Json, word: &str) -> &'j Json {
    let causes = listed["causes"].as_array().unwrap();
    causes.iter().find(|cause| cause["reasons"].to_string().contains(word)).unwrap_or_else(|| panic!("no cause speaks of {word}: {causes:#?}"))
}

#[test]
fn the_queue_is_listed_by_cause_and_fits_a_terminal() {
    let world = stopped();
    let listed = read(&world, &["queue", "list"]);
    let (street, city) = (cause(&listed, "street"), cause(&listed, "city"));
    assert!(street["open"].as_u64() >= Some(4) && city["open"].as_u64() >= Some(4), "{listed:#}");
    let (one, other) = (order(&world, &street["example"].to_string()), order(&world, &city["example"].to_string()));
    let open: u64 = listed["causes"].as_array().unwrap().iter().map(|cause| cause["open"].as_u64().unwrap()).sum();
    assert_eq!(listed["open"].as_u64(), Some(open));
    assert_eq!(listed["exceptions"].as_array().unwrap().len() as u64, open);
    assert!(street["age_seconds"].as_i64().is_some_and(|age| (0..600).contains(&age)), "{street}");

    let shown = fine(&world, &["queue", "list"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].contains(&format!("{open} open exceptions")) && lines[0].contains("causes"), "{shown}");
    assert!(lines.iter().any(|line| line.starts_with("cause ") && line.contains("owner") && line.contains("due")), "{shown}");
    assert!(lines.len() < 4 * listed["causes"].as_array().unwrap().len() + 8, "{shown}");
    assert!(shown.contains("and 1 more") || shown.contains("more"), "{shown}");
    for arguments in [&["queue", "list"][..], &["queue", "list", "--each"], &["queue", "list", "--closed"], &["status"], &["trace", &one], &["plan"]]
    {
        let output = narrow(&world, arguments);
        if let Some(line) = output.lines().find(|line| line.chars().count() > 80) {
            panic!("{arguments:?} is wider than 80 columns: {line}\n{output}");
        }
    }
    let id = street["cause"].as_str().unwrap();
    let each = fine(&world, &["queue", "list", "--cause", id, "--each"]);
    assert!(each.contains(&one) && !each.contains(&other), "{each}");
    assert_eq!(fine(&world, &["queue", "list", "--cause", id, "--all"]), each, "`--all` says the same");
}

#[test]
fn filters_narrow_the_queue_and_an_unknown_word_is_a_mistake() {
    let world = stopped();
    let all = read(&world, &["queue", "list"]);
    let count = |arguments: &[&str]| read(&world, &[&["queue", "list"], arguments].concat())["open"].as_u64().unwrap();
    let open = all["open"].as_u64().unwrap();
    assert_eq!(count(&["--code", "rejected", "--flow", "export_orders"]), open);
    assert_eq!((count(&["--older-than", "1h"]), count(&["--older-than", "2099-01-01"])), (0, open));
    assert_eq!((count(&["--owner", "nobody"]), count(&["--due-within", "1h"])), (0, 0));
    assert!(fine(&world, &["queue", "list", "--older-than", "1h"]).contains("none of the"));
    for (arguments, says) in [
        (["--code", "bogus"], "rejected"),
        (["--code", "rejectd"], "did you mean `rejected`?"),
        (["--flow", "export_order"], "export_orders"),
        (["--cause", "ffffffff"], all["causes"][0]["cause"].as_str().unwrap()),
        (["--older-than", "soon"], "write 2h, 7d"),
        (["--due-within", "2099-01-01"], "write 30m, 2h or 7d"),
    ] {
        for command in ["list", "retry", "approve"] {
            let output = world.command(&[&["queue", command], &arguments[..]].concat());
            assert_eq!(output.status.code(), Some(2), "{command} {arguments:?}: {}", said(&output));
            assert!(said(&output).contains(says), "{command} {arguments:?}: {}", said(&output));
        }
    }
}

#[test]
fn a_cause_is_decided_as_one_with_the_name_of_who_did_it() {
    let world = stopped();
    let listed = read(&world, &["queue", "list"]);
    let (street, city) = (cause(&listed, "street").clone(), cause(&listed, "city").clone());
    let (one, other) = (order(&world, &street["example"].to_string()), order(&world, &city["example"].to_string()));
    let id = street["cause"].as_str().unwrap();
    // A script has to say that it means all of them.
    let asked = world.command(&["queue", "discard", "--cause", id, "--reason", "shipped by hand"]);
    assert_eq!(asked.status.code(), Some(2), "{}", said(&asked));
    assert!(said(&asked).contains(&format!("discard {} exceptions", street["open"])) && said(&asked).contains("--yes"), "{}", said(&asked));
    let done = fine(&world, &["queue", "discard", "--cause", id, "--reason", "shipped by hand", "--by", "ada", "--yes"]);
    assert!(done.contains(&format!("{} discarded", street["open"])), "{done}");
    let after = read(&world, &["queue", "list", "--closed"]);
    assert_eq!(after["open"].as_u64().unwrap(), listed["open"].as_u64().unwrap() - street["open"].as_u64().unwrap());
    let decided: Vec<&Json> = after["exceptions"].as_array().unwrap().iter().filter(|one| one["cause"] == street["cause"]).collect();
    assert_eq!(decided.len() as u64, street["open"].as_u64().unwrap());
    for one in decided {
        assert_eq!((&one["decided"]["by"], &one["decided"]["reason"]), (&json!("ada"), &json!("shipped by hand")), "{one}");
        assert!(one["decided"]["at"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()), "{one}");
    }
    let shown = fine(&world, &["trace", &one]);
    assert!(shown.contains("discarded by ada") && shown.contains("shipped by hand"), "{shown}");
    assert!(fine(&world, &["queue", "list", "--closed", "--cause", city["cause"].as_str().unwrap()]).contains("rejected"));
    // By what people call the record, under the login's name.
    let retried = world.command(&["queue", "retry", &other]);
    assert_eq!(retried.status.code(), Some(0), "{}", said(&retried));
    let shown = read(&world, &["trace", &other]);
    let by = std::env::var("LOGNAME").or_else(|_| std::env::var("USER")).ok();
    assert_eq!(shown["decisions"][0]["by"].as_str().map(str::to_owned), by, "{shown:#}");
}

#[test]
fn a_decision_is_taken_back_until_it_is_carried_out() {
    let world = stopped();
    let listed = read(&world, &["queue", "list"]);
    let id = cause(&listed, "street")["example"].as_i64().unwrap().to_string();
    let before = read(&world, &["queue", "show", &id]);
    for decision in [&["retry", &id][..], &["discard", &id, "--reason", "no"]] {
        fine(&world, &[&["queue"], decision].concat());
        assert_ne!(read(&world, &["queue", "show", &id])["closed"], Json::Null);
        assert!(fine(&world, &["queue", "undo", &id, "--by", "grace"]).contains("1 taken back"));
        assert_eq!(read(&world, &["queue", "show", &id]), before, "{decision:?}");
        let again = world.command(&["queue", "undo", &id]);
        assert!(again.status.code() == Some(1) && said(&again).contains("it is open"), "{}", said(&again));
    }
    assert!(fine(&world, &["trace", &order(&world, &id)]).contains("grace took it back"));
    // Once the next run has read the record again, it is too late.
    fine(&world, &["queue", "retry", &id]);
    fine(&world, &["run"]);
    let late = world.command(&["queue", "undo", &id]);
    assert!(late.status.code() == Some(1) && said(&late).contains("it is too late"), "{}", said(&late));
}

#[test]
fn beside_serve_a_decision_waits_a_moment_and_can_be_taken_back() {
    let world = stopped();
    let id = cause(&read(&world, &["queue", "list"]), "street")["example"].as_i64().unwrap().to_string();
    let mut serve = world.serve();
    world.listening();
    assert!(said(&world.command(&["queue", "retry", &id])).contains("in ten seconds"));
    assert!(fine(&world, &["queue", "undo", &id]).contains("1 taken back"));
    let number = order(&world, &id);
    world.crm_act("change", &number, json!({"ShippingStreet": "Main St 1"})).unwrap();
    let begun = Instant::now();
    // It is mended at its source and goes through by itself: whichever comes first closes it once.
    let again = world.command(&["queue", "retry", &id]);
    let is_taken = again.status.code() == Some(0);
    assert!(is_taken || said(&again).contains("one of its writes is in progress"), "{}", said(&again));
    while read(&world, &["trace", &number])["records"][0]["state"] != "delivered" {
        assert!(begun.elapsed() < Duration::from_secs(40), "{}", fine(&world, &["trace", &number]));
        std::thread::sleep(Duration::from_millis(500));
    }
    let late = world.command(&["queue", "undo", &id]);
    assert!(late.status.code() == Some(1) && (!is_taken || said(&late).contains("too late")), "{}", said(&late));
    world.terminate(&mut serve);
}

#[test]
fn a_dry_run_says_what_would_be_sent_in_few_lines() {
    let world = World::start(60, Faults::default());
    for number in 1..=4 {
        world.crm_act("change", &format!("{number:08}"), json!({"ShippingStreet": null})).unwrap();
    }
    let told = fine(&world, &["run", "--dry-run"]);
    assert!(told.contains("would be sent") && told.contains("would wait for a person"), "{told}");
    assert!(!told.contains("delivered") && told.lines().count() < 40, "{told}");
    assert!(narrow(&world, &["run", "--dry-run"]).lines().all(|line| line.chars().count() <= 80), "{told}");
    let all = fine(&world, &["run", "--dry-run", "--all"]);
    assert!(all.contains("orderNumber: \"") && all.lines().count() > 500, "{all}");
    let json = read(&world, &["run", "--dry-run"]);
    let created = json["summary"]["writes"].as_array().unwrap().iter().find(|one| one["object"] == "wms.Order").unwrap();
    assert_eq!(created["action"], "create");
    assert_eq!(
        created["records"].as_u64().unwrap() as usize,
        json["planned"].as_array().unwrap().iter().filter(|one| one["object"] == "wms.Order").count()
    );
    let street = json["summary"]["stopped"].as_array().unwrap().iter().find(|one| one["reasons"].to_string().contains("street")).unwrap();
    assert!(street["records"].as_u64() >= Some(4), "{street}");
    assert!(world.wms_effects().is_empty(), "nothing was sent");
    // After a run, what is left is an update: the summary says of which fields.
    fine(&world, &["run"]);
    world.crm_act("change", "00000010", json!({"Package_Notes__c": "ring twice"})).unwrap();
    let told = fine(&world, &["run", "--dry-run"]);
    assert!(told.contains("update") && told.contains("changes"), "{told}");
}

#[test]
fn one_refusal_of_many_records_is_one_cause_and_a_refused_payload_is_corrected_and_sent_again() {
    let world = World::start(24, Faults::default());
    fine(&world, &["run"]);
    world.wms_act("ship_all", "").unwrap();
    let message = "Service is kept by another team";
    world.crm_act("rule", "", json!({"object": "Order", "field": "Service__c", "message": message})).unwrap();
    fine(&world, &["run"]);
    let listed = read(&world, &["queue", "list", "--code", "refused"]);
    let causes = listed["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{listed:#}");
    assert!(causes[0]["open"].as_u64() >= Some(10), "{listed:#}");
    let id = causes[0]["example"].to_string();

    let payload = fine(&world, &["queue", "show", &id, "--payload", "--reveal"]);
    let mut body: Json = serde_json::from_str(&payload).unwrap();
    assert!(body["Service__c"].is_string() && body["Tracking_Number__c"].is_string(), "{body:#}");
    let file = world.folder.path().join("payload.json");
    // The last gate looks at it again.
    let mut wrong = body.clone();
    wrong["Tracking_Number__c"] = json!(["not", "a", "text"]);
    std::fs::write(&file, wrong.to_string()).unwrap();
    let edit = ["queue", "edit", &id, "--payload", file.to_str().unwrap(), "--by", "ada", "--reason", "without the service"];
    let refused = world.command(&edit);
    assert!(refused.status.code() == Some(1) && said(&refused).contains("does not fit its target: Tracking_Number__c"), "{}", said(&refused));
    // A payload is an object, whatever else is JSON.
    for other in ["[]", "null", "\"text\"", "7"] {
        std::fs::write(&file, other).unwrap();
        let refused = world.command(&edit);
        assert!(refused.status.code() == Some(2) && said(&refused).contains("a payload is a JSON object"), "{other}: {}", said(&refused));
    }
    body.as_object_mut().unwrap().remove("Service__c");
    std::fs::write(&file, body.to_string()).unwrap();
    // It can be taken back, and is as it was.
    fine(&world, &edit);
    fine(&world, &["queue", "undo", &id]);
    assert_eq!(fine(&world, &["queue", "show", &id, "--payload", "--reveal"]), payload);
    fine(&world, &edit);
    fine(&world, &["run"]);
    let number = &body["Tracking_Number__c"];
    let written: Vec<_> =
        world.crm_effects().into_iter().filter(|effect| effect.by_api && effect.fields.get("Tracking_Number__c") == Some(number)).collect();
    assert_eq!(written.iter().filter(|effect| effect.object == "Order").count(), 1, "{written:#?}");
    assert_eq!(written.iter().filter(|effect| effect.object == "Shipment__c").count(), 1, "its other write is not repeated: {written:#?}");
    let shown = read(&world, &["queue", "show", &id]);
    assert_eq!((&shown["decided"]["what"], &shown["decided"]["by"]), (&json!("edited"), &json!("ada")), "{shown:#}");
    let late = world.command(&["queue", "undo", &id]);
    assert!(late.status.code() == Some(1) && said(&late).contains("too late: its write"), "{}", said(&late));
    // All others of the cause go again when the rule is gone.
    world.crm_act("rule", "", json!({"object": "Order", "field": "Service__c"})).unwrap();
    let cause = causes[0]["cause"].as_str().unwrap();
    fine(&world, &["queue", "retry", "--cause", cause, "--yes"]);
    fine(&world, &["run"]);
    assert_eq!(read(&world, &["queue", "list", "--code", "refused"])["open"], json!(0));
}

#[test]
fn plan_tells_what_changes_cost() {
    const CHANGED: usize = 30;
    let world = World::start(60, Faults::default());
    fine(&world, &["run", "--flow", "export_orders"]);
    let keys: std::collections::BTreeSet<String> =
        world.wms_effects().into_iter().filter(|effect| effect.kind == "created").filter_map(|effect| effect.key).collect();
    let numbers: Vec<String> = (1..=60)
        .map(|number| format!("{number:08}"))
        .filter(|number| {
            world.crm_act("show", number, json!({})).is_ok_and(|order| keys.contains(&format!("sf-{}", order["Id"].as_str().unwrap_or(""))))
        })
        .take(CHANGED)
        .collect();
    assert_eq!(numbers.len(), CHANGED, "{keys:?}");
    for number in &numbers {
        world.crm_act("change", number, json!({"Package_Notes__c": "ring twice"})).unwrap();
    }
    let before = world.wms.locked().system.calls();
    fine(&world, &["run", "--flow", "export_orders"]);
    let took = usize::try_from(world.wms.locked().system.calls() - before).unwrap();

    use crossdock::connector::registry;
    use crossdock::project::{Options, compile, templates};
    let plan = compile(&templates::project("salesforce-shipstation").unwrap(), &Options::default()).plan.unwrap();
    let (flow, reads) = plan.mapping.flows.iter().zip(&plan.flows).find(|(flow, _)| flow.name == "export_orders").unwrap();
    let connectors = plan.systems.iter().map(|(name, system)| (name.clone(), registry::offline(name, system).unwrap())).collect();
    let told = crossdock::run::cost_estimate::of_changes(&plan, flow, reads, &connectors, CHANGED);
    let told: usize = told.iter().filter(|calls| calls.connection == "wms").map(|calls| calls.calls).sum();
    // Names of stores and warehouses come once a run; what is told is the most.
    assert!(took <= told + 4 && told > CHANGED, "{took} calls, and {told} were told");
    let printed = fine(&world, &["plan", "--flow", "export_orders"]);
    assert!(printed.contains("for 100 changed records together") && printed.contains("before its update"), "{printed}");
}

#[test]
fn an_edited_payload_stays_with_its_own_record() {
    let world = World::start(24, Faults::default());
    fine(&world, &["run"]);
    let listed = read(&world, &["queue", "list", "--code", "review"]);
    let id = listed["causes"][0]["example"].to_string();
    let payload = fine(&world, &["queue", "show", &id, "--payload", "--reveal"]);
    let mut body: Json = serde_json::from_str(&payload).unwrap();
    let file = world.folder.path().join("payload.json");
    let edit = ["queue", "edit", &id, "--payload", file.to_str().unwrap()];
    let other = world.wms_effects().into_iter().find(|effect| effect.kind == "created").and_then(|effect| effect.key).unwrap();
    body["orderStatus"] = json!("awaiting_shipment");
    body["orderKey"] = json!(other);
    std::fs::write(&file, body.to_string()).unwrap();
    let refused = world.command(&edit);
    assert!(refused.status.code() == Some(1) && said(&refused).contains("`orderKey` names the record"), "{}", said(&refused));
    body.as_object_mut().unwrap().remove("orderKey");
    body["orderId"] = json!(100_001);
    std::fs::write(&file, body.to_string()).unwrap();
    assert_eq!(world.command(&edit).status.code(), Some(1), "an id of another record");
    body.as_object_mut().unwrap().remove("orderId");
    std::fs::write(&file, body.to_string()).unwrap();
    fine(&world, &edit);
}

#[test]
fn a_checkpoint_is_not_sent_ahead() {
    let world = World::start(24, Faults::default());
    fine(&world, &["run"]);
    let ahead = world.command(&["checkpoint", "rewind", "--flow", "export_orders", "--to", "2099-01-01"]);
    assert!(ahead.status.code() == Some(2) && said(&ahead).contains("is in the future"), "{}", said(&ahead));
}

#[test]
fn what_does_not_exist_is_a_mistake_of_the_command_line() {
    let world = World::start(2, Faults::default());
    fine(&world, &["run"]);
    for command in [
        &["run", "--flow", "exprot_orders"][..],
        &["serve", "--flow", "export_orders, exprot_orders", "--listen", "127.0.0.1:0"],
        &["status", "--flow", "exprot_orders"],
        &["status", "--flow", "exprot_orders", "--state", "failed"],
        &["replay", "--flow", "exprot_orders", "00000001"],
        &["replay", "--flow", "exprot_orders", "--all"],
        &["checkpoint", "rewind", "--flow", "exprot_orders", "--to", "2h"],
    ] {
        let ended = world.command(command);
        let told = said(&ended);
        assert!(told.contains("there is no flow `exprot_orders`") && told.contains("did you mean `export_orders`?"), "{command:?}: {told}");
        assert_eq!(ended.status.code(), Some(2), "{command:?}: {told}");
    }
    for (command, why) in [
        (&["checkpoint", "rewind", "--flow", "export_orders", "--stream", "chnages", "--to", "2h"][..], "there is no stream `chnages`"),
        (&["replay", "--flow", "export_orders", "99999999"], "`export_orders` has no record"),
        (&["queue", "undo", "4711"], "there is no such exception"),
        (&["queue", "show", "4711"], "there is no exception 4711"),
        (&["trace", "99999999"], "no record is called 99999999"),
        (&["audit", "show", "4711"], "4711"),
    ] {
        let ended = world.command(command);
        assert!(said(&ended).contains(why), "{command:?}: {}", said(&ended));
        assert_eq!(ended.status.code(), Some(2), "{command:?}: {}", said(&ended));
    }
    // Of several, one is there: it is done, and the other one is told.
    let some = world.command(&["replay", "--flow", "export_orders", "00000001", "99999999"]);
    assert!(some.status.code() == Some(1) && said(&some).contains("1 to be read and mapped again"), "{}", said(&some));
}

#[test]
fn an_exception_that_is_named_twice_is_decided_once() {
    let world = stopped();
    let listed = read(&world, &["queue", "list"]);
    let id = cause(&listed, "street")["example"].to_string();
    let number = order(&world, &id);
    fine(&world, &["queue", "discard", &id, &number, "--reason", "twice", "--yes"]);
}

#[test]
fn the_exceptions_of_one_record_are_one_document() {
    let world = World::start_with(4, Faults::default(), "10 minutes");
    world.crm_act("change", "00000003", json!({"ShippingStreet": null})).unwrap();
    world.wms_act_with("create", "00000003", json!({})).unwrap();
    world.wms_act("ship", "00000003").unwrap();
    fine(&world, &["run"]);
    let shown = read(&world, &["queue", "show", "00000003"]);
    let exceptions = shown["exceptions"].as_array().unwrap_or_else(|| panic!("{shown:#}"));
    let flows: Vec<&Json> = exceptions.iter().map(|one| &one["flow"]).collect();
    assert_eq!((flows.len(), &shown["version"]), (2, &json!(1)), "{flows:?}");
    // One alone is as it is by its number.
    let id = exceptions[0]["id"].to_string();
    assert_eq!(read(&world, &["queue", "show", &id]), exceptions[0]);
    // The list says whether there is a payload to look at.
    let listed = read(&world, &["queue", "list"]);
    for one in listed["exceptions"].as_array().unwrap() {
        let shown = read(&world, &["queue", "show", &one["id"].to_string()]);
        assert_eq!(one["payload"], json!(!shown["payloads"].as_array().unwrap().is_empty()), "{one:#}");
    }
}

#[test]
fn a_sign_in_that_works_again_is_not_shown_as_refused() {
    let world = World::start_with(4, Faults::default(), "10 minutes");
    let file = world.folder.path().join("crossdock.live.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("api_secret: \"${PLANTED}\"", "api_secret: wrong")).unwrap();
    assert_ne!(world.command(&["run"]).status.code(), Some(0));
    let status = fine(&world, &["status"]);
    assert!(status.contains("denied") && status.contains("the sign-in was refused"), "{status}");
    std::fs::write(&file, settings).unwrap();
    fine(&world, &["run"]);
    let status = fine(&world, &["status"]);
    assert!(!status.contains("denied") && !status.contains("refused"), "{status}");
}

#[test]
fn a_dry_run_shows_what_would_change_and_nothing_of_the_targets_own() {
    let world = World::start_with(8, Faults::default(), "10 minutes");
    let file = world.folder.path().join("crossdock.live.yaml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("print_labels: true", "print_labels: false")).unwrap();
    fine(&world, &["run"]);
    let waits = |number: &String| world.wms_act_with("change", number, json!({})).is_ok_and(|order| order["orderStatus"] == "awaiting_shipment");
    let number = (1..=8).map(|number| format!("{number:08}")).find(waits).unwrap();
    world.crm_act("change", &number, json!({"Package_Notes__c": "ring twice", "ShippingStreet": "9 Other Street"})).unwrap();
    let told = read(&world, &["run", "--dry-run", "--all", "--reveal"]);
    let planned = told["planned"].as_array().unwrap().iter().find(|one| one["object"] == "wms.Order").unwrap();
    let fields: Vec<&Json> = planned["fields"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert!(fields.contains(&&json!("customerNotes")) && fields.contains(&&json!("shipTo")) && fields.len() <= 3, "{planned:#}");
    let to = planned["fields"].as_array().unwrap().iter().find(|one| one["field"] == "shipTo").unwrap();
    assert_eq!(to["then"], json!({"street1": "9 Other Street"}), "{to:#}");
}
