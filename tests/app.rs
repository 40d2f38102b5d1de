//! What commands print as JSON is made from the views of `app`: a server or an editor that calls the same function has the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use crossdock::app::comparison::{Records, compare};
use crossdock::app::exceptions::Exceptions;
use crossdock::app::loaded_project::{LoadedProject, ProjectAt};
use crossdock::app::{Context, audit, backup, cases, checkpoints, comparison, erasure, preview, status, trace, unmapped};
use crossdock::sandbox::faults::Faults;
use crossdock::store::Wanted;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::common::template;
use crate::live::World;

/// What differs between two moments: how long ago something was.
const OF_THE_MOMENT: [&str; 1] = ["age_seconds"];

fn without_the_moment(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            fields.retain(|name, _| !OF_THE_MOMENT.contains(&name.as_str()));
            fields.values_mut().for_each(without_the_moment);
        }
        Json::Array(items) => items.iter_mut().for_each(without_the_moment),
        _ => {}
    }
}

/// Holds a view against what a command prints, to the order of the fields.
fn same(view: &impl Serialize, printed: &[u8], what: &str) {
    let mut printed: Json = serde_json::from_slice(printed).unwrap_or_else(|error| panic!("{what}: {error}: {}", String::from_utf8_lossy(printed)));
    let mut view = serde_json::to_value(view).unwrap();
    without_the_moment(&mut printed);
    without_the_moment(&mut view);
    assert_eq!(serde_json::to_string_pretty(&view).unwrap(), serde_json::to_string_pretty(&printed).unwrap(), "{what}");
    assert!(printed.as_object().is_none_or(|fields| fields.len() > 1), "{what} says nothing: {printed}");
}

fn context(world: &World) -> Context {
    let at = ProjectAt { path: Some(world.folder.path()), env: Some("live"), allowed: &[] };
    Context::open(&at).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn what_is_kept_is_shown_by_the_same_views() {
    let world = World::start(12, Faults::default());
    world.crm_act("change", "00000003", json!({"ShippingStreet": null})).unwrap();
    assert!(world.command(&["run"]).status.success());
    let context = context(&world);
    let printed = |arguments: &[&str]| world.command(&[arguments, &["--format", "json"]].concat()).stdout;

    same(&status::status(&context, None).unwrap(), &printed(&["status"]), "status");
    same(&status::status(&context, Some("export_orders")).unwrap(), &printed(&["status", "--flow", "export_orders"]), "status of a flow");
    let delivered = status::in_state(&context, "delivered", None).unwrap();
    assert!(!delivered.records.is_empty());
    same(&delivered, &printed(&["status", "--state", "delivered"]), "records in a state");

    let exceptions = Exceptions::open(&context).unwrap();
    let listed = exceptions.list(&Wanted::default(), false).unwrap();
    assert!(listed.open > 0 && !listed.exceptions.is_empty());
    same(&listed, &printed(&["queue", "list"]), "queue list");
    same(&exceptions.list(&Wanted::default(), true).unwrap(), &printed(&["queue", "list", "--closed"]), "queue list --closed");
    let of_flow = exceptions.checked(Wanted { flow: Some("export_orders".to_owned()), ..Wanted::default() }).unwrap();
    same(&exceptions.list(&of_flow, false).unwrap(), &printed(&["queue", "list", "--flow", "export_orders"]), "queue list of a flow");
    let one = exceptions.one("00000003").unwrap();
    let (id, reveal) = (one.id.to_string(), ["--reveal"]);
    same(&exceptions.show(&one, false).unwrap(), &printed(&["queue", "show", &id]), "queue show");
    same(&exceptions.show(&one, true).unwrap(), &printed(&[&["queue", "show", &id][..], &reveal].concat()), "queue show --reveal");

    let number = delivered.records[0].label.clone().unwrap();
    for (name, requests) in [("00000003", false), (&*number, false), (&*number, true)] {
        let flag: &[&str] = if requests { &["--requests"] } else { &[] };
        same(&trace::trace(&context, name, requests).unwrap(), &printed(&[&["trace", name][..], flag].concat()), name);
    }
    let calls = audit::newest(&context, 5).unwrap();
    assert!(!calls.calls.is_empty());
    same(&calls, &printed(&["audit", "show", "--last", "5"]), "audit show");
    let id = calls.calls[0].id;
    same(&audit::one(&context, id).unwrap(), &printed(&["audit", "show", &id.to_string()]), "one call");
    same(&checkpoints::checkpoints(&context).unwrap(), &printed(&["checkpoint", "show"]), "checkpoint show");
    same(&backup::check(&context).unwrap(), &printed(&["store", "check"]), "store check");
    for linked in [false, true] {
        let flag: &[&str] = if linked { &["--linked"] } else { &[] };
        let kept = erasure::kept(&context, &number, linked).unwrap();
        assert!(!kept.records.is_empty());
        same(&kept, &printed(&[&["erase", &number][..], flag].concat()), "erase");
    }
}

#[test]
fn what_a_mapping_does_is_shown_by_the_same_views() {
    let world = World::start(1, Faults::default());
    let folder = world.folder.path();
    let project = LoadedProject::open(&ProjectAt { path: Some(folder), ..ProjectAt::default() }).unwrap_or_else(|error| panic!("{error:?}"));
    let printed = |arguments: &[&str]| world.crossdock().args(arguments).args(["--format", "json"]).output().unwrap().stdout;
    let records = folder.join("orders.jsonl").display().to_string();

    let (day, now) = ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z".parse().unwrap());
    let request = preview::Request { records: &records, flow: Some("export_orders"), now: Some(now), ..preview::Request::default() };
    let previewed = preview::preview(&project, &request).unwrap();
    assert!(previewed.records.len() > 1);
    same(&previewed.records, &printed(&["preview", "--flow", "export_orders", &records, "--now", day]), "preview");

    same(&cases::judge_all(&project, None).unwrap().report(), &printed(&["test"]), "test");
    same(&cases::judge_all(&project, Some("street")).unwrap().report(), &printed(&["test", "--only", "street"]), "test --only");
    let found = unmapped::unmapped(&project, "orders.jsonl", Some("export_orders"), 10).unwrap();
    same(&found, &printed(&["unmapped", "--records", "orders.jsonl", "--flow", "export_orders", "--least", "10"]), "unmapped");

    // An edit: orders of the live project against those of the template.
    let orders = folder.join("orders.dock");
    let edited = std::fs::read_to_string(&orders).unwrap().replace("company: order.Account.Name, ", "");
    std::fs::write(&orders, edited).unwrap();
    let new = LoadedProject::open(&ProjectAt { path: Some(folder), ..ProjectAt::default() }).unwrap_or_else(|error| panic!("{error:?}"));
    let request = comparison::Request { records: Records::File(records.as_ref()), flow: Some("export_orders"), matched: &[], now, mask: false };
    let compared = compare(&project, &new, &request, &mut |_| {}).unwrap();
    assert!(compared.comparison.same < compared.comparison.records);
    let before = template().display().to_string();
    let arguments = ["diff", &before, ".", "--records", &records, "--flow", "export_orders", "--now", day];
    same(&compared, &printed(&arguments), "diff");
}

#[test]
fn a_pull_says_which_names_have_changed() {
    let world = World::start(1, Faults::default());
    let names = world.folder.path().join("schemas/wms/names.json");
    let mut kept: Json = serde_json::from_slice(&std::fs::read(&names).unwrap()).unwrap();
    let kind = kept.as_object().unwrap().iter().find(|(_, names)| names.as_array().is_some_and(|all| !all.is_empty())).unwrap().0.clone();
    kept[&kind][0]["name"] = json!("A name of yesterday");
    std::fs::write(&names, kept.to_string()).unwrap();
    let pulled = world.command(&["schema", "pull", "wms", "--format", "json"]);
    let pulled: Json = serde_json::from_slice(&pulled.stdout).unwrap();
    let told = pulled["names"]["wms"].as_array().unwrap();
    assert!(told.iter().any(|line| line.as_str().unwrap().starts_with(&format!("- {kind} A name of yesterday"))), "{pulled:#}");
    assert!(told.iter().any(|line| line.as_str().unwrap().starts_with(&format!("+ {kind} "))), "{pulled:#}");
    assert_eq!(pulled["written"], json!(["schemas/wms/names.json"]));
}

/// A project whose mapping speaks of a kind of names that its snapshot lacks: the pull that the message names brings it.
#[test]
fn a_pull_brings_the_kinds_of_names_that_the_mapping_speaks_of() {
    for pull in [&["schema", "pull", "wms"][..], &["schema", "pull"]] {
        let world = World::start(1, Faults::default());
        let folder = world.folder.path();
        let orders = std::fs::read_to_string(folder.join("orders.dock")).unwrap();
        let tagged = orders.replacen("    amountPaid ", "    tagIds = (\"Fragile\",)\n    amountPaid ", 1);
        assert_ne!(orders, tagged);
        std::fs::write(folder.join("orders.dock"), tagged).unwrap();
        let names: Json = serde_json::from_slice(&std::fs::read(folder.join("schemas/wms/names.json")).unwrap()).unwrap();
        assert!(names.get("Tag").is_none() && names.get("Store").is_some());
        let check = world.command(&["check"]);
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(!check.status.success() && said.contains("E0308") && said.contains("crossdock schema pull wms"), "{said}");
        world.command(pull);
        let check = world.command(&["check"]);
        assert!(check.status.success(), "{pull:?}: {}", String::from_utf8_lossy(&check.stdout));
    }
}
