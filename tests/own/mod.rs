//! Systems that a project describes itself: from the description to the delivered order, with the real program and a small server that
//! plays the system.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod chapter;
mod drafts;
mod kit;
mod northbay;
mod probes;

use std::path::Path;
use std::process::Command;

use northbay::{Manners, Northbay, TOKEN};

/// A block of the book by what stands behind its opening fence.
fn book(block: &str) -> String {
    let page = std::fs::read_to_string(crate::common::root().join("docs/reference/descriptions.md")).unwrap();
    let text = page.split(&format!("```yaml {block}\n")).nth(1).unwrap_or_else(|| panic!("the book has no block {block}"));
    text.split("\n```").next().unwrap().to_owned() + "\n"
}

const MAPPING: &str = r#"edition 1

flow deliver {
  from shop.Order as order { every 5 minutes }

  create wms.Order key number = "CD-{order.number}" in doubt review {
    lines = each line in order.lines {
      sku      = line.sku
      quantity = line.quantity
    }
  }
}
"#;

/// A project in which orders go from one Northbay to another.
struct Project {
    folder: tempfile::TempDir,
    shop: Northbay,
    wms: Northbay,
}

impl Project {
    fn new(manners: Manners) -> Self {
        let project = Project { folder: tempfile::tempdir().unwrap(), shop: Northbay::start(Manners::default()), wms: Northbay::start(manners) };
        project.write("systems/northbay/system.yaml", &book("systems/northbay/system.yaml"));
        project.write("api.yaml", &book("api.yaml"));
        let (code, out) = project.crossdock(&["system", "import", "northbay", "--openapi", "api.yaml"]);
        assert_eq!(code, Some(0), "{out}");
        let config = format!(
            "connections:\n  shop: {{ system: northbay, token: \"${{NORTHBAY_TOKEN}}\", url: \"{}\" }}\n  \
             wms: {{ system: northbay, token: \"${{NORTHBAY_TOKEN}}\", url: \"{}\" }}\nstore: sqlite:crossdock.db\n",
            project.shop.url, project.wms.url
        );
        project.write("crossdock.yaml", &config);
        project.write("deliver.dock", MAPPING);
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn crossdock(&self, arguments: &[&str]) -> (Option<i32>, String) {
        run(self.folder.path(), arguments)
    }

    /// A command that has to end well.
    fn fine(&self, arguments: &[&str]) -> String {
        let (code, out) = self.crossdock(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {out}");
        out
    }

    /// As if a probe had found that the system keeps to what the description says of its creates.
    fn probed(&self) {
        let text = self.read("systems/northbay/system.yaml");
        let described: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let of = crossdock::system::fingerprint(&described["objects"]["Order"], "create");
        let found = format!("{{ described: \"{of}\", holds: true, found: \"a second order with the number was refused\" }}");
        self.write(
            "systems/northbay/probe.yaml",
            &format!("system: northbay\nhosts:\n  - host: 127.0.0.1\n    at: \"2026-11-18T09:00:00Z\"\n    objects:\n      Order: {{ writes: {{ create: {found} }} }}\n"),
        );
    }
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossdock"));
    let output =
        command.current_dir(folder).args(arguments).env("NO_COLOR", "1").envs([crate::common::WIDE]).env("NORTHBAY_TOKEN", TOKEN).output().unwrap();
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_project_of_its_own_system_is_checked_planned_and_carried_out() {
    let project = Project::new(Manners { unknown_sku: Some("X-".to_owned()), ..Manners::default() });
    for at in 0..120 {
        project.shop.put(&format!("A-{at}"), if at == 7 { "X-1" } else { "TEA-1" }, 2);
    }
    project.fine(&["check"]);
    let out = project.fine(&["plan"]);
    assert!(out.contains("(50 a call)") && out.contains("guarantee G3; if the answer is lost: a person decides"), "{out}");
    assert!(out.contains("G0 by its description, which no probe has seen"), "{out}");
    let out = project.fine(&["doctor"]);
    assert!(out.contains("wms: Northbay at 127.0.0.1: 1 orders"), "{out}");
    let out = project.fine(&["schema", "show", "wms.Order.status"]);
    assert!(out.contains("shipped"), "{out}");
    let out = project.fine(&["schema", "pull"]);
    assert!(!out.contains("error"), "{out}");
    let (code, out) = project.crossdock(&["run"]);
    assert_eq!(project.wms.numbers().len(), 119, "{code:?} {out}");
    assert!(project.wms.state().batches.iter().all(|batch| batch["orders"].as_array().unwrap().len() <= 50));
    assert_eq!(project.wms.state().orders[3]["lines"], serde_json::json!([{"sku": "TEA-1", "quantity": 2}]));
    let (_, out) = project.crossdock(&["queue", "list"]);
    assert!(out.contains("unknown_sku") && out.contains("X-1"), "{out}");
    let out = project.fine(&["status"]);
    assert!(out.contains("deliver"), "{out}");
    // Nothing has changed since.
    let before = project.wms.state().batches.len();
    let _ = project.crossdock(&["run"]);
    assert_eq!(project.wms.state().batches.len(), before);
    // A secret is shown nowhere.
    for arguments in [&["plan"][..], &["doctor"], &["queue", "list"], &["status"]] {
        assert!(!project.crossdock(arguments).1.contains(TOKEN), "{arguments:?}");
    }
}

/// Nobody has seen what Northbay does with an order that is sent twice: so nothing is sent twice.
#[test]
fn a_lost_reply_of_a_system_that_was_not_probed_is_left_to_a_person() {
    let project = Project::new(Manners { lost_replies: 1, ..Manners::default() });
    project.shop.put("A-1", "TEA-1", 2);
    let (_, out) = project.crossdock(&["run"]);
    assert_eq!(project.wms.numbers(), ["CD-A-1"], "{out}");
    assert_eq!(project.wms.state().batches.len(), 1);
    let (_, out) = project.crossdock(&["queue", "list"]);
    assert!(out.contains("in_doubt"), "{out}");
    let _ = project.crossdock(&["run"]);
    assert_eq!(project.wms.state().batches.len(), 1);
}

#[test]
fn a_lost_reply_of_a_system_that_was_probed_is_sent_again_and_has_one_effect() {
    let project = Project::new(Manners { lost_replies: 1, ..Manners::default() });
    project.probed();
    project.write("deliver.dock", &MAPPING.replace(" in doubt review", ""));
    project.shop.put("A-1", "TEA-1", 2);
    let out = project.fine(&["plan"]);
    assert!(out.contains("G0"), "{out}");
    let out = project.fine(&["run"]);
    assert_eq!(project.wms.numbers(), ["CD-A-1"], "{out}");
    assert_eq!(project.wms.state().batches.len(), 2, "{out}");
    let (_, out) = project.crossdock(&["queue", "list"]);
    assert!(!out.contains("in_doubt") && !out.contains("duplicate_number"), "{out}");
    // What was probed is described otherwise now: it counts no more.
    let text = project.read("systems/northbay/system.yaml");
    project.write("systems/northbay/system.yaml", &text.replace("batch: 50", "batch: 20"));
    let (code, out) = project.crossdock(&["check"]);
    assert!(code == Some(1) && out.contains("in doubt review") && out.contains("crossdock system probe northbay"), "{out}");
}

#[test]
fn what_is_wrong_with_a_description_is_told_at_its_place() {
    let project = Project::new(Manners::default());
    let text = project.read("systems/northbay/system.yaml");
    let broken = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        project.write("systems/northbay/system.yaml", &text.replacen(from, to, 1));
        project.crossdock(&["check"])
    };
    for (from, to, wanted) in [
        ("by: key", "by: kee", &["E0603", "systems/northbay/system.yaml:"][..]),
        ("system: northbay", "system: southbay", &["E0601", "its folder `northbay`"]),
        ("settings:", "settings: [", &["E0601", "systems/northbay/system.yaml:"]),
        ("match: [number]", "match: [place]", &["E0614"]),
    ] {
        let (code, out) = broken(from, to);
        assert!(code == Some(1) && wanted.iter().all(|wanted| out.contains(wanted)), "{from}: {out}");
        assert!(!out.contains("E0406"), "{out}");
        // Nothing is run with it.
        let (code, _) = project.crossdock(&["run"]);
        assert!(code != Some(0) && project.wms.state().calls.is_empty() && project.shop.state().calls.is_empty());
    }
    project.write("systems/northbay/system.yaml", &text);
    project.fine(&["check"]);
    // The settings are those of the description.
    let config = project.read("crossdock.yaml");
    for (from, to, wanted) in [
        ("token: \"${NORTHBAY_TOKEN}\"", "tokn: \"${NORTHBAY_TOKEN}\"", "token"),
        ("system: northbay", "system: northbuy", "E0406"),
        ("url: \"http://127.0.0.1:", "url: \"http://api.northbay.example:", "https"),
    ] {
        project.write("crossdock.yaml", &config.replacen(from, to, 1));
        let (code, out) = project.crossdock(&["check"]);
        assert!(code == Some(1) && out.contains(wanted), "{to}: {out}");
    }
    project.write("crossdock.yaml", &config.replacen("system: northbay", "system: northbuy", 1));
    assert!(project.crossdock(&["check"]).1.contains("did you mean `northbay`?"));
}

#[test]
fn the_name_of_a_system_of_the_program_is_not_taken() {
    let project = Project::new(Manners::default());
    project.write("systems/shipstation/system.yaml", &book("systems/northbay/system.yaml").replace("system: northbay", "system: shipstation"));
    let config = project.read("crossdock.yaml");
    project.write(
        "crossdock.yaml",
        &format!("{config}\n").replacen(
            "connections:\n",
            "connections:\n  old: { system: shipstation, api_key: \"${A}\", api_secret: \"${B}\" }\n",
            1,
        ),
    );
    let (code, out) = project.crossdock(&["check"]);
    assert!(code == Some(1) && out.contains("a system `shipstation` comes with Crossdock"), "{out}");
    // What one project describes, no other knows.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("crossdock.yaml"), config).unwrap();
    std::fs::write(other.path().join("deliver.dock"), MAPPING).unwrap();
    let (code, out) = run(other.path(), &["check"]);
    assert!(code == Some(1) && out.contains("E0406") && out.contains("crossdock system new northbay"), "{out}");
}

#[test]
fn objects_without_schemas_are_told_with_the_command_that_derives_them() {
    let project = Project::new(Manners::default());
    std::fs::remove_dir_all(project.folder.path().join("schemas")).unwrap();
    let (code, out) = project.crossdock(&["check"]);
    assert!(code == Some(1) && out.contains("crossdock system import northbay"), "{out}");
    assert!(!out.contains("E0201"), "{out}");
}

/// Its schemas stand in a folder of its name, and its name stands in YAML.
#[test]
fn a_name_that_means_something_else_is_no_name_of_a_system() {
    let project = Project::new(Manners::default());
    for (name, wanted) in [
        ("Acme", "small letters, digits and `-`"),
        ("../acme", "small letters, digits and `-`"),
        ("shipstation", "comes with Crossdock"),
        ("files", "comes with Crossdock"),
        ("no", "means something else in YAML"),
        ("null", "means something else in YAML"),
        ("1e3", "means something else in YAML"),
        ("404", "means something else in YAML"),
        ("com1", "means something else in YAML or to the file system"),
        ("shop", "there is a connection `shop` already, of the system `northbay`"),
    ] {
        let (code, out) = project.crossdock(&["system", "new", name, "--openapi", "api.yaml"]);
        assert!(code == Some(2) && out.contains(wanted), "{name}: {code:?} {out}");
        assert!(!project.folder.path().join("systems").join(name).exists());
    }
    project.write("systems/shop/system.yaml", &project.read("systems/northbay/system.yaml").replace("system: northbay", "system: shop"));
    let (code, out) = project.crossdock(&["check"]);
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == Some(1) && out.contains("the connection `shop` is called like the system that `systems/shop` describes"), "{out}");
}

/// All commands read a description in the same way, and say the same of it.
#[test]
fn a_description_that_cannot_be_used_is_told_alike_by_all_commands() {
    let project = Project::new(Manners::default());
    let text = project.read("systems/northbay/system.yaml");
    let import = &["system", "import", "northbay"][..];
    let commands = [&["system", "check", "northbay"][..], import, &["check"], &["run"]];
    for (broken, wanted) in [
        ("system: [\n", "E0601"),
        ("system: southbay\n", "its folder `northbay`"),
        ("- a\n", "E060"),
        ("", "E060"),
        ("title: 1\ntitle: 2\n", "E0601"),
    ] {
        let broken = if broken.starts_with("system: s") { text.replacen("system: northbay\n", broken, 1) } else { broken.to_owned() };
        project.write("systems/northbay/system.yaml", &broken);
        for command in commands {
            let (code, out) = project.crossdock(command);
            assert!(code == Some(1) && out.contains(wanted) && out.contains("systems/northbay/system.yaml:"), "{command:?}: {code:?} {out}");
        }
    }
    // What is not there, and what is no text.
    for command in [&["system", "check", "northbuy"][..], &["system", "import", "northbuy"], &["system", "probe", "northbuy", "--yes"]] {
        let (code, out) = project.crossdock(command);
        assert!(code == Some(2) && out.contains("did you mean `northbay`?"), "{command:?}: {code:?} {out}");
    }
    for command in [&["system", "check", "acme"][..], &["system", "import", "acme"], &["system", "probe", "acme", "--yes"]] {
        let (code, out) = project.crossdock(command);
        assert!(code == Some(2) && out.contains("crossdock system new acme"), "{command:?}: {code:?} {out}");
    }
    std::fs::write(project.folder.path().join("systems/northbay/system.yaml"), [0xff, 0xfe, 0, 1]).unwrap();
    for command in [&["system", "check", "northbay"][..], import] {
        let (code, out) = project.crossdock(command);
        assert!(
            code == Some(3) && out.contains("`systems/northbay/system.yaml` cannot be read") && out.contains("hint"),
            "{command:?}: {code:?} {out}"
        );
    }
    // From a folder of the project, too.
    project.write("systems/northbay/system.yaml", &text);
    project.write("fixtures/x.json", "{}");
    let (code, out) = run(&project.folder.path().join("fixtures"), &["system", "check", "northbay"]);
    assert!(code == Some(0), "{code:?} {out}");
}
