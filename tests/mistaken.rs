//! What people do by mistake on the command line: each is told with the place, the reason and what to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use crate::common::crossdock;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Without a `crossdock.yaml` nothing is searched, read or written, by whatever command. A mapping file that is named is meant.
#[test]
fn outside_of_a_project_every_command_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let unformatted = "edition 1\nfunction f(a:text)->text=a|trim\n";
    for name in ["orders.dock", "deep/below/orders.dock", "target/orders.dock"] {
        write(folder.path(), name, unformatted);
    }
    write(folder.path(), "orders.jsonl", "{}\n");
    for command in [
        &["fmt"][..],
        &["fmt", "--check"],
        &["fmt", "."],
        &["fmt", "deep"],
        &["check"],
        &["check", "deep"],
        &["test"],
        &["plan"],
        &["docs"],
        &["run"],
        &["run", "--dry-run"],
        &["run", "--records", "orders.jsonl"],
        &["preview", "orders.jsonl"],
        &["preview", "./orders.jsonl"],
        &["diff", ".", "deep", "--records", "orders.jsonl"],
        &["serve"],
        &["status"],
        &["doctor"],
        &["trace", "x"],
        &["queue", "list"],
        &["audit", "show"],
        &["checkpoint", "show"],
        &["store", "check"],
        &["replay", "--flow", "x", "--all"],
        &["erase", "a@example.com"],
        &["schema", "diff"],
        &["schema", "pull"],
        &["schema", "show", "--project", "."],
        &["unmapped", "--records", "orders.jsonl"],
    ] {
        let (code, said) = crossdock(folder.path(), command);
        assert!(code == Some(2) && said.contains("there is no project here"), "{command:?}: {code:?} {said}");
        assert!(said.contains("crossdock.yaml") && said.contains("crossdock new"), "{command:?}: {said}");
    }
    for name in ["orders.dock", "deep/below/orders.dock", "target/orders.dock"] {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), unformatted, "{name}");
    }
    // A file that is named is formatted, and no other.
    let (code, said) = crossdock(folder.path(), &["fmt", "orders.dock"]);
    assert!(code == Some(0) && said.contains("changed orders.dock"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("deep/below/orders.dock")).unwrap(), unformatted);
    // What the standard schemas say can be looked up anywhere.
    let (code, said) = crossdock(folder.path(), &["schema", "show", "wms.Order"]);
    assert!(code == Some(0) && said.contains("no crossdock.yaml here"), "{said}");
}

/// A walk stays in its project: not through links, not into other projects, nor into what tools leave there.
#[test]
fn formatting_a_project_touches_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let unformatted = "edition 1\nfunction f(a:text)->text=a|trim\n";
    write(folder.path(), "project/crossdock.yaml", "connections:\n  crm: { system: salesforce }\n");
    let others = ["outside/a.dock", "project/target/a.dock", "project/.git/a.dock", "project/node_modules/a.dock", "project/other/a.dock"];
    for name in others {
        write(folder.path(), name, unformatted);
    }
    write(folder.path(), "project/other/crossdock.yaml", "");
    write(folder.path(), "project/orders.dock", unformatted);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("outside"), folder.path().join("project/linked")).unwrap();
    let (code, said) = crossdock(&folder.path().join("project"), &["fmt"]);
    assert!(code == Some(0) && said.contains("changed orders.dock") && said.contains("1 file changed"), "{said}");
    for name in others {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), unformatted, "{name}");
    }
}
