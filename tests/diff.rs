//! What an edit does to real records, told by the line that causes it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use crate::live::World;
use crossdock::project::templates::TEMPLATES;
use crossdock::sandbox::faults::Faults;
use serde_json::Value as Json;

fn project(folder: &Path) {
    let (_, files) = TEMPLATES.iter().find(|(name, _)| *name == "salesforce-shipstation").unwrap();
    for (path, bytes) in *files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn edit(folder: &Path, file: &str, edits: &[(&str, &str)]) {
    let path = folder.join(file);
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in edits {
        assert!(text.contains(from), "`{from}` is not in {file}");
        text = text.replace(from, to);
    }
    std::fs::write(path, text).unwrap();
}

fn diff(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossdock"));
    command.current_dir(folder).env("NO_COLOR", "1").envs([crate::common::WIDE]).args([
        "diff",
        "old",
        "new",
        "--records",
        "new/orders.jsonl",
        "--now",
        "2026-11-20T09:00:00Z",
    ]);
    command.args(more).output().unwrap()
}

fn both() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    project(&folder.path().join("old"));
    project(&folder.path().join("new"));
    folder
}

#[test]
fn nothing_edited_is_nothing_changed() {
    let folder = both();
    edit(&folder.path().join("new"), "orders.dock", &[("edition 1\n", "edition 1\n\n# A remark more.\n")]);
    let told = diff(folder.path(), &["--flow", "export_orders"]);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stdout).starts_with("50 records compared, 50 the same\n"));
}

#[test]
fn each_difference_is_told_by_its_line() {
    let folder = both();
    let new = folder.path().join("new");
    edit(
        &new,
        "orders.dock",
        &[
            ("order.Package_Notes__c\n", "order.Package_Notes__c | truncate 20\n"),
            ("    require ship_to.street \"the ship-to street is missing\" for \"customer service\"\n", ""),
            ("\"the ship-to city is missing\"", "\"there is no city\""),
            ("order.TotalAmount > 500", "order.TotalAmount > 100"),
        ],
    );
    let told = diff(folder.path(), &["--flow", "export_orders"]);
    assert_eq!(told.status.code(), Some(1));
    insta::assert_snapshot!("an_edit", String::from_utf8_lossy(&told.stdout));
    let json: Json = serde_json::from_slice(&diff(folder.path(), &["--flow", "export_orders", "--format", "json"]).stdout).unwrap();
    let notes = json["groups"].as_array().unwrap().iter().find(|group| group["what"] == "wms.Order.customerNotes").unwrap();
    assert_eq!((notes["edited"].clone(), notes["file"].clone()), (Json::Bool(true), Json::from("orders.dock")));
    assert_eq!(json["records"], 50);
}

#[test]
fn an_edited_value_row_is_the_cause_and_not_the_field_that_uses_it() {
    let folder = both();
    edit(&folder.path().join("new"), "orders.dock", &[("-> awaiting_shipment", "-> on_hold")]);
    let told: Json = serde_json::from_slice(&diff(folder.path(), &["--flow", "export_orders", "--format", "json"]).stdout).unwrap();
    let status = told["groups"].as_array().unwrap().iter().find(|group| group["what"] == "wms.Order.orderStatus").unwrap();
    let text = std::fs::read_to_string(folder.path().join("new/orders.dock")).unwrap();
    let line = usize::try_from(status["line"].as_u64().unwrap()).unwrap();
    assert!(text.lines().nth(line - 1).unwrap().contains("-> on_hold"), "{status}");
    assert!(status["edited"].as_bool().unwrap());
}

/// The edited line is named, in its file: of a value in `crossdock.yaml`, of a name that several fields use, and of which
/// records the flow takes.
#[test]
fn each_kind_of_edit_is_named_by_its_line() {
    let edits = [
        ("crossdock.yaml", "default_warehouse: \"Reno DC\"", "default_warehouse: \"Leeds DC\"", "default_warehouse: \"Leeds DC\""),
        ("crossdock.yaml", "review_above: \"20000.00\"", "review_above: \"100.00\"", "review_above: \"100.00\""),
        ("orders.dock", "line.Quantity > 0", "line.Quantity > 1", "line.Quantity > 1"),
        ("orders.dock", "\"Ready to Ship\", \"On Hold\"", "\"Ready to Ship\"", "where order.Status in"),
    ];
    for (file, from, to, line) in edits {
        let folder = both();
        edit(&folder.path().join("new"), file, &[(from, to)]);
        let told: Json = serde_json::from_slice(&diff(folder.path(), &["--flow", "export_orders", "--format", "json"]).stdout).unwrap();
        let text = std::fs::read_to_string(folder.path().join("new").join(file)).unwrap();
        let names = |group: &Json| {
            let at = group["line"].as_u64().and_then(|line| text.lines().nth(usize::try_from(line).unwrap() - 1));
            group["edited"] == true && group["file"] == file && at.is_some_and(|at| at.contains(line))
        };
        assert!(told["groups"].as_array().unwrap().iter().any(names), "{from}: {told:#}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn records_are_read_from_the_system_with_what_their_matches_find() {
    let world = World::start(12, Faults::default());
    assert_eq!(world.command(&["run", "--flow", "export_orders"]).status.code(), Some(0));
    world.wms_act("ship_all", "").unwrap();
    let before = tempfile::tempdir().unwrap();
    copy(world.folder.path(), before.path());
    edit(
        world.folder.path(),
        "shipments.dock",
        &[("Service__c         = shipment.serviceCode", "Service__c         = shipment.serviceCode | upper")],
    );
    let calls = world.crm_effects().len() + world.wms_effects().len();
    let old = before.path().display().to_string();
    let told = world.command(&["diff", &old, ".", "--flow", "import_shipments", "--since", "7d", "--format", "json"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let told: Json = serde_json::from_slice(&told.stdout).unwrap();
    let service = told["groups"].as_array().unwrap().iter().find(|group| group["what"] == "crm.Order.Service__c").unwrap();
    assert!(service["records"].as_u64().unwrap() > 5 && service["edited"].as_bool().unwrap(), "{told}");
    assert_eq!(told["records"], service["records"], "each shipment found its order: {told}");
    assert_eq!(world.crm_effects().len() + world.wms_effects().len(), calls, "nothing is sent");
}
