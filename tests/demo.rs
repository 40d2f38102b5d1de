//! What somebody sees who tries it for the first time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

fn demo(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_crossdock"))
        .arg("demo")
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .envs([crate::common::WIDE])
        .output()
        .unwrap();
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
    // What is said of a business matter is readable.
    let masked: Vec<&str> = said.lines().filter(|line| line.contains("  warned  ") && line.contains("•••")).collect();
    assert!(said.contains(" is not offered in ") && masked.is_empty(), "{masked:?}");
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

/// Stops a demo as soon as it says that a step begins; gives all that it says.
fn stopped_at(step: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_crossdock"));
    demo.arg("demo").args(arguments).current_dir(folder.path()).env("TMPDIR", folder.path()).env("NO_COLOR", "1");
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    while !said.contains(&format!("── {step}. ")) {
        assert!(out.read_line(&mut said).unwrap() > 0, "step {step} is not in\n{said}");
    }
    assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
    out.read_to_string(&mut said).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(1), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing: {said}");
    said
}

/// Whoever stops it is told at once what was done until then, and nothing more is done.
#[test]
fn a_stopped_demo_ends_with_what_was_done() {
    for (template, step) in [("salesforce-shipstation", 2), ("salesforce-shiphero", 3), ("commercetools-shipstation", 5)] {
        let said = stopped_at(&step.to_string(), &["--template", template, "--orders", "200"]);
        let end = format!("── {}. the demo ends here ── it was stopped in step {step}", step + 1);
        assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(&end), "{template}: {said}");
        assert_eq!(said.matches("\n── ").count(), step + 1, "{template}: {said}");
        assert!(said.contains(", 0 of them twice") && said.contains(" calls to "), "{template}: {said}");
    }
}

/// A step that fails is the last one: the demo says which, and what was done until then.
#[test]
fn a_demo_whose_run_fails_ends_with_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_crossdock"));
    demo.args(["demo", "--orders", "12"]).current_dir(folder.path()).env("TMPDIR", folder.path()).env("NO_COLOR", "1");
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    while !said.contains("── 4. ") {
        assert!(out.read_line(&mut said).unwrap() > 0, "{said}");
    }
    // Somebody clears the temporary files away.
    std::fs::remove_dir_all(std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path()).unwrap();
    out.read_to_string(&mut said).unwrap();
    let mut told = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_ne!(demo.wait().unwrap().code(), Some(0), "{said}{told}");
    assert!(said.contains("── 6. the demo ends here ── step 5 failed: "), "{said}{told}");
    assert!(said.contains(", 0 of them twice") && said.contains(" calls to ") && !said.contains("── 7. "), "{said}{told}");
}
