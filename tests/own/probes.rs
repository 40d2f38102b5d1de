//! `crossdock system probe`, against a warehouse that keeps what its description says, and against ones that do not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossdock::app::ProjectAt;
use crossdock::app::system_probe::{self, Asked, Shown};

use super::northbay::{Manners, Northbay};
use super::{MAPPING, Project};

const PROBE: &[&str] = &["system", "probe", "northbay", "--connection", "wms", "--yes"];

/// A warehouse with some orders, and a project that describes it.
fn project(manners: Manners) -> Project {
    let project = Project::new(manners);
    for at in 0..130 {
        project.wms.put(&format!("OLD-{at}"), "TEA-1", 1);
    }
    project.write("order.json", r#"{"lines": [{"sku": "TEST-SKU", "quantity": 1}]}"#);
    project
}

fn probe(project: &Project, more: &[&str]) -> (Option<i32>, String) {
    let all: Vec<&str> = PROBE.iter().chain(more).copied().collect();
    project.crossdock(&all)
}

fn posted(wms: &Northbay) -> usize {
    wms.state().calls.iter().filter(|call| call.starts_with("POST")).count()
}

#[test]
fn what_a_probe_has_seen_counts() {
    let project = project(Manners { shows_after: 2, ..Manners::default() });
    project.write("deliver.dock", &MAPPING.replace(" in doubt review", ""));
    let (code, out) = project.crossdock(&["check"]);
    assert!(code == Some(1) && out.contains("crossdock system probe northbay"), "{out}");
    let (code, out) = probe(&project, &[]);
    assert_eq!(code, Some(0), "{out}");
    for line in [
        "ok   sign_in: Northbay at 127.0.0.1",
        "ok   Order, pages:",
        "ok   Order, order:",
        "ok   Order, from:",
        "ok   Order, get:",
        "ok   Order, find number:",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    // Each call is shown, and none of them writes.
    let shown = out.lines().filter(|line| line.starts_with("GET http://127.0.0.1")).count();
    assert_eq!((shown, posted(&project.wms)), (project.wms.state().calls.len(), 0), "{out}");
    // What only reads says nothing of writes.
    assert_eq!(project.crossdock(&["check"]).0, Some(1));
    let (code, out) = probe(&project, &["--writes", "--record", "Order=order.json"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("ok   Order, create: a second Order with the same `number` was refused") && out.contains("it could be read after"), "{out}");
    assert!(out.contains("test records that the system has now: Order crossdock-probe-"), "{out}");
    let made: Vec<String> = project.wms.numbers().into_iter().filter(|number| number.starts_with("crossdock-probe-")).collect();
    assert_eq!((made.len(), posted(&project.wms)), (1, 2), "{made:?}");
    let text = project.read("systems/northbay/probe.yaml");
    assert!(text.contains("holds: true") && text.contains("host: \"127.0.0.1\"") && !text.contains(super::TOKEN), "{text}");
    // From now on the description counts.
    project.fine(&["check"]);
    let out = project.fine(&["plan"]);
    assert!(out.contains("guarantee G0; if the answer is lost: sent again, one effect"), "{out}");
    // A later probe that writes nothing takes nothing back.
    assert_eq!(probe(&project, &[]).0, Some(0));
    project.fine(&["check"]);
    assert!(!out.contains(super::TOKEN));
}

#[test]
fn a_system_that_does_not_keep_what_is_said_of_it_is_told() {
    for (manners, wanted) in [
        (Manners { ignores_from: true, ..Manners::default() }, "NO   Order, from:"),
        (Manners { unsorted: true, ..Manners::default() }, "NO   Order, order:"),
        (Manners { one_page: true, ..Manners::default() }, "NO   Order, pages: the second page has the same records"),
    ] {
        let project = project(manners);
        let (code, out) = probe(&project, &[]);
        assert!(code == Some(1) && out.contains(wanted), "{wanted}: {out}");
        assert!(project.read("systems/northbay/probe.yaml").contains("holds: false"));
    }
    let project = project(Manners { doubles: true, ..Manners::default() });
    let (code, out) = probe(&project, &["--writes", "--record", "Order=order.json"]);
    assert!(
        code == Some(1) && out.contains("NO   Order, create: a second Order with the same `number` was accepted, and now there are two"),
        "{out}"
    );
    let out = project.fine(&["plan"]);
    assert!(out.contains("guarantee G3"), "a key that makes two is none: {out}");
}

#[test]
fn a_probe_asks_before_it_asks() {
    let project = project(Manners::default());
    // Nobody is at a terminal.
    let (code, out) = project.crossdock(&["system", "probe", "northbay", "--connection", "wms"]);
    assert!(code == Some(2) && out.contains("--yes") && project.wms.state().calls.is_empty(), "{out}");
    let (code, out) = project.crossdock(&["system", "probe", "northbay", "--yes"]);
    assert!(code == Some(2) && out.contains("--connection"), "{out}");
    let (code, out) = project.crossdock(&["system", "probe", "shipstation", "--yes"]);
    assert!(code == Some(2) && out.contains("comes with Crossdock"), "{out}");
    let (code, out) = probe(&project, &["--record", "Order=order.json"]);
    assert!(code == Some(2) && out.contains("--writes"), "{out}");
    // A record that the system refuses is told in its words, and shows nothing of its keys.
    let strict = self::project(Manners { unknown_sku: Some("TEST".to_owned()), ..Manners::default() });
    let (code, out) = probe(&strict, &["--writes", "--record", "Order=order.json"]);
    assert!(code == Some(0) && out.contains("?    Order, create: the test record was refused") && out.contains("TEST-SKU"), "{out}");
    assert!(!strict.read("systems/northbay/probe.yaml").contains("holds: true, found: \"a second"));
}

#[test]
fn whoever_is_not_let_in_asks_nothing_more() {
    let project = project(Manners::default());
    let config = project.read("crossdock.yaml");
    project.write("crossdock.yaml", &config.replace("${NORTHBAY_TOKEN}", "${HOME}"));
    let (code, out) = probe(&project, &["--writes"]);
    assert!(code == Some(1) && out.contains("NO   sign_in:"), "{out}");
    assert!(project.wms.state().calls.iter().all(|call| call.starts_with("GET")), "{out}");
    assert_eq!(posted(&project.wms), 0);
    assert!(!out.contains(&std::env::var("HOME").unwrap()), "{out}");
}

/// Without the line breaks of a narrow terminal.
fn in_one_line(out: &str) -> String {
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a probe did not learn takes nothing back that another one saw.
#[test]
fn a_probe_that_learns_nothing_leaves_what_is_there() {
    let project = project(Manners::default());
    assert_eq!(probe(&project, &["--writes", "--record", "Order=order.json"]).0, Some(0));
    let before = project.read("systems/northbay/probe.yaml");
    project.write("deliver.dock", &MAPPING.replace(" in doubt review", ""));
    project.fine(&["check"]);
    // Nobody answers at this port.
    let config = project.read("crossdock.yaml");
    project.write("crossdock.yaml", &config.replace(&project.wms.url, "http://127.0.0.1:9"));
    let (code, out) = probe(&project, &["--writes", "--record", "Order=order.json"]);
    assert!(code == Some(1) && out.contains("?    sign_in:") && out.contains("probe.yaml stays as it was"), "{out}");
    assert_eq!(project.read("systems/northbay/probe.yaml"), before);
    // A person allows nothing.
    project.write("crossdock.yaml", &config);
    let asked = Asked {
        at: ProjectAt { path: Some(project.folder.path()), env: None, allowed: &[] },
        name: "northbay".to_owned(),
        connection: Some("wms".to_owned()),
        objects: Vec::new(),
        writes: true,
        records: BTreeMap::new(),
    };
    project.write("crossdock.yaml", &config.replace("${NORTHBAY_TOKEN}", super::TOKEN));
    let found = system_probe::probe(&asked, Box::new(|_| false)).unwrap();
    assert!(found.text.is_none() && found.calls == 0 && !found.contradicts(), "{found:?}");
    // Only the first page: what was answered is kept, what was not allowed says nothing.
    let left = AtomicUsize::new(2);
    let some = Box::new(move |_: &Shown| left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok());
    let text = system_probe::probe(&asked, some).unwrap().text.unwrap();
    assert!(text.contains("was refused") && !text.contains("not allowed"), "{text}");
    // What cannot be read is not written over.
    project.write("systems/northbay/probe.yaml", "system: northbay\nhosts: [1\n");
    let (code, out) = probe(&project, &[]);
    assert!(code == Some(2) && out.contains("systems/northbay/probe.yaml") && out.contains("line "), "{out}");
    assert_eq!(project.read("systems/northbay/probe.yaml"), "system: northbay\nhosts: [1\n");
}

/// A test system may do otherwise than the one that orders go to.
#[test]
fn what_was_seen_at_one_host_says_nothing_of_another() {
    let project = project(Manners::default());
    project.write("deliver.dock", &MAPPING.replace(" in doubt review", ""));
    assert_eq!(probe(&project, &["--writes", "--record", "Order=order.json"]).0, Some(0));
    project.fine(&["check"]);
    let config = project.read("crossdock.yaml");
    let other = project.wms.url.replace("127.0.0.1", "localhost");
    project.write("crossdock.yaml", &config.replace(&project.wms.url, &other));
    let (code, out) = project.crossdock(&["check"]);
    let out = in_one_line(&out);
    assert!(code == Some(1) && out.contains("which a probe has seen at 127.0.0.1, and not at localhost"), "{out}");
    assert!(out.contains("crossdock system probe northbay --connection wms --writes"), "{out}");
    project.write("deliver.dock", MAPPING);
    let out = in_one_line(&project.fine(&["plan"]));
    assert!(
        out.contains("guarantee G3") && out.contains("G0 by its description, which a probe has seen at 127.0.0.1, and not at localhost"),
        "{out}"
    );
    let out = project.fine(&["doctor"]);
    assert!(out.contains("which a probe has seen at 127.0.0.1, and not at localhost"), "{out}");
    // A probe that only reads there takes nothing from the other host, and gives nothing to this one.
    assert_eq!(probe(&project, &[]).0, Some(0));
    let text = project.read("systems/northbay/probe.yaml");
    assert!(text.contains("host: \"127.0.0.1\"") && text.contains("host: \"localhost\""), "{text}");
    assert!(project.fine(&["plan"]).contains("guarantee G3"));
    // An environment with the address of the test system has what was seen there.
    project.write("crossdock.test.yaml", &format!("connections: {{ wms: {{ url: \"{}\" }} }}\n", project.wms.url));
    assert!(project.fine(&["plan", "--env", "test"]).contains("guarantee G0"));
    // So has an address that comes from the environment; without its value nobody knows where the connection leads.
    project.write("crossdock.yaml", &config.replace(&project.wms.url, "${CROSSDOCK_TEST_NORTHBAY_URL}"));
    let out = in_one_line(&project.fine(&["plan"]));
    assert!(out.contains("guarantee G3") && out.contains("where this connection leads is not known"), "{out}");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"));
    let output = command.current_dir(project.folder.path()).arg("plan").env("CROSSDOCK_TEST_NORTHBAY_URL", &project.wms.url).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("guarantee G0"));
}
