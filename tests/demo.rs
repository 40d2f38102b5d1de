//! What somebody sees who tries it for the first time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::process::Command;

fn demo(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let run =
        Command::new(env!("CARGO_BIN_EXE_crossdock")).arg("demo").args(arguments).current_dir(folder.path()).env("NO_COLOR", "1").output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing where it is run");
    said
}

#[test]
fn it_ends_by_itself_and_tells_the_whole_story() {
    let said = demo(&[]);
    for told in [
        "in Salesforce, order 0000000",
        "writes in",
        "the ship-to street is missing",
        "changed after its label was made: stop the parcel",
        "print_labels      confirmed   create wms.Label",
        "import_shipments  confirmed",
        ", 0 of them twice",
        ", 0 orders with two",
        " lack it",
    ] {
        assert!(said.contains(told), "`{told}` is not in\n{said}");
    }
    assert!(said.contains("tracking number, 0 lack it"), "{said}");
    assert!(!said.contains("  waiting  "), "a run ends when nothing is left to be done: {said}");
    assert_eq!(said.matches("\n── ").count(), 8, "{said}");
}

#[test]
fn it_holds_with_answers_lost_on_the_way() {
    let said = demo(&["--faults", "lost_reply=30,refused_before=20", "--orders", "25"]);
    assert!(said.contains(", 0 of them twice") && said.contains(", 0 orders with two"), "{said}");
}

#[test]
fn the_one_of_shiphero_tells_what_came_back() {
    let said = demo(&["--template", "salesforce-shiphero", "--orders", "24"]);
    for told in [
        "in Salesforce, order 0000000",
        "writes in",
        "the ship-to street is missing",
        "its retry box is ticked",
        ", 0 of them twice",
        "0 of them not in Salesforce, 0 there that no label has",
        " 1 Picked, ",
        " 1 Canceled",
        "stock of 16 SKUs and warehouses in Salesforce",
    ] {
        assert!(said.contains(told), "`{told}` is not in\n{said}");
    }
    assert!(!said.contains("  waiting  "), "a run ends when nothing is left to be done: {said}");
    assert!(!said.contains(" 0 Shipped") && !said.contains(" 0 Backordered"), "{said}");
}

#[test]
fn the_one_of_commercetools_tells_what_came_back() {
    let said = demo(&["--template", "commercetools-shipstation", "--orders", "24"]);
    for told in [
        "in commercetools, order CT-000",
        "writes in",
        "upsert wms.Order ct-",
        "the ship-to street is missing",
        "commercetools: order CT-000",
        "which was rejected, now has a street",
        ", 0 of them twice",
        " deliveries in commercetools, 0 of them twice, 0 labels lack theirs",
        "0 changes of a price, a tax, a discount or a line in commercetools",
    ] {
        assert!(said.contains(told), "`{told}` is not in\n{said}");
    }
    assert!(!said.contains("  waiting  "), "a run ends when nothing is left to be done: {said}");
    assert!(!said.contains(" 0 labels bought") && !said.contains(" 0 labels; "), "{said}");
    assert_eq!(said.matches("\n── ").count(), 8, "{said}");
}

/// ShipHero is asked for each order by a call of its own. One that fails must not keep the other orders of its batch from going out.
#[test]
fn a_look_up_that_fails_keeps_no_other_order_waiting() {
    let said = demo(&["--template", "salesforce-shiphero", "--orders", "24", "--seed", "3", "--faults", "lost_reply=150"]);
    let created = said.split(" orders created in ShipHero").next().and_then(|before| before.split_whitespace().last()).unwrap();
    assert!(created.parse::<usize>().unwrap() >= 18, "{said}");
    assert!(said.contains(", 0 of them twice"), "{said}");
}
