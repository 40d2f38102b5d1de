//! Each command once from outside: it is wired up, its exit code is right, its JSON is JSON.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn crossdock(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crossdock")).current_dir(folder).args(arguments).envs([crate::common::WIDE]).output().unwrap()
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const CONFIG: &str = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\n";
const FINE: &str = "edition 1\n";
const BROKEN: &str = "edition 1\nuse \"shared/adress\"\n";

#[test]
fn check_ends_with_0_or_1_and_says_what_it_checked() {
    let fine = project(&[("crossdock.yaml", CONFIG), ("orders.dock", FINE)]);
    let output = crossdock(fine.path(), &["check"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(0), "checked 1 file, 0 flows: no errors, no warnings\n"));

    let broken = project(&[("crossdock.yaml", CONFIG), ("a/orders.dock", BROKEN), ("a/shared/address.dock", FINE)]);
    let output = crossdock(broken.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("error E0109") && out(&output).contains("did you mean `shared/address`?"), "{}", out(&output));
    assert!(!out(&output).contains('\u{1b}'), "no colours where there is no terminal");
    // From a folder inside the project the same project is found, and places are named from here.
    let output = crossdock(&broken.path().join("a"), &["check", "--format", "github"]);
    assert!(out(&output).starts_with("::error file=../a/orders.dock,line=2,"), "{}", out(&output));
}

#[test]
fn check_speaks_json_and_sarif() {
    let broken = project(&[("crossdock.yaml", CONFIG), ("orders.dock", BROKEN)]);
    let output = crossdock(broken.path(), &["check", "--format", "json"]);
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((json["version"].as_u64(), json["errors"].as_u64(), output.status.code()), (Some(1), Some(1), Some(1)));
    assert_eq!(json["diagnostics"][0]["line"].as_u64(), Some(2));
    let output = crossdock(broken.path(), &["check", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "E0109");
}

#[test]
fn a_file_without_a_project_is_checked_with_connections_assumed() {
    let folder = project(&[("orders.dock", FINE)]);
    let output = crossdock(folder.path(), &["check", "orders.dock"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(err(&output).contains("crm is salesforce"), "{}", err(&output));
}

#[test]
fn trouble_with_the_command_itself_is_2_or_3() {
    let folder = project(&[("notes.txt", "")]);
    for (arguments, code, says) in [
        (&["check", "none.dock"][..], 3, "there is no `none.dock`"),
        (&["check", "notes.txt"][..], 2, "not a mapping file"),
        (&["check"][..], 2, "crossdock new"),
        (&["chekc"][..], 2, "check"),
        (&["explain", "E202"][..], 2, "E0202"),
        (&["schema", "show", "crm.Ordr"][..], 2, "did you mean `Order`?"),
    ] {
        let output = crossdock(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn explain_prints_a_page_and_the_list() {
    let folder = project(&[]);
    let page = out(&crossdock(folder.path(), &["explain", "e0202"]));
    assert!(page.starts_with("E0202: a value that may be missing is used where one is required\n"), "{page}");
    let list: Value = serde_json::from_str(&out(&crossdock(folder.path(), &["explain", "--format", "json"]))).unwrap();
    assert!(list.as_array().unwrap().len() > 100);
}

#[test]
fn a_schema_is_shown_and_inferred() {
    let folder = project(&[("orders.jsonl", "{\"id\": 1, \"zip\": \"01234\"}\n")]);
    let shown = out(&crossdock(folder.path(), &["schema", "show", "wms.Order"]));
    assert!(shown.contains("orderStatus") && shown.contains("key: orderKey"), "{shown}");
    let inferred = crossdock(folder.path(), &["schema", "infer", "orders.jsonl", "--name", "Order"]);
    let json: Value = serde_json::from_str(&out(&inferred)).unwrap();
    assert!(json["properties"]["zip"].to_string().contains("string"), "{json}");
}

#[test]
fn fmt_shows_a_difference_writes_it_and_is_content() {
    let folder = project(&[("crossdock.yaml", CONFIG), ("orders.dock", "edition 1\nfunction f(a:text)->text=a|trim\n")]);
    let output = crossdock(folder.path(), &["fmt", "--check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("+ function f(a: text) -> text = a | trim"), "{}", out(&output));
    assert_eq!(crossdock(folder.path(), &["fmt"]).status.code(), Some(0));
    assert_eq!(crossdock(folder.path(), &["fmt", "--check"]).status.code(), Some(0));
    std::fs::write(folder.path().join("orders.dock"), "edition 1\nnonsense here\n").unwrap();
    let output = crossdock(folder.path(), &["fmt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("E0001"), "{}", err(&output));
}

#[test]
fn a_plan_is_shown_with_its_query_and_given_as_json() {
    let flow = "edition 1\n\nflow copy_notes {\n  from crm.Order as order {\n    where order.Status == \"Activated\"\n    every 5 minutes\n  }\n\n  \
                update crm.Order of order { Description = order.OrderNumber }\n}\n";
    let folder = project(&[("crossdock.yaml", CONFIG), ("orders.dock", flow)]);
    let shown = out(&crossdock(folder.path(), &["plan"]));
    assert!(shown.contains("copy_notes") && shown.contains("SELECT") && shown.contains("'Activated'"), "{shown}");
    let first = crossdock(folder.path(), &["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&out(&first)).unwrap();
    assert_eq!(plan["hash"].as_str().map(str::len), Some(64));
    assert_eq!(out(&first), out(&crossdock(folder.path(), &["plan", "--format", "json"])), "the same input gives the same bytes");
    let unknown = crossdock(folder.path(), &["plan", "--flow", "copy_note"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("did you mean `copy_notes`?"), "{}", err(&unknown));
    let wrong = project(&[("crossdock.yaml", CONFIG), ("orders.dock", &flow.replace("OrderNumber", "OrderNumbr"))]);
    let refused = crossdock(wrong.path(), &["plan"]);
    assert_eq!((refused.status.code(), out(&refused).as_str()), (Some(1), ""));
    assert!(err(&refused).contains("E0103"), "{}", err(&refused));
}

#[test]
fn a_case_that_is_not_there_is_said_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    assert!(crossdock(folder.path(), &["new", "shop"]).status.success());
    let output = crossdock(&folder.path().join("shop"), &["test", "--only", "export_order_s"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(err(&output).contains("no case and no flow of a case has `export_order_s` in its name"), "{}", err(&output));
    assert!(err(&output).contains("did you mean `export_orders`?"), "{}", err(&output));
}

#[test]
fn a_new_project_keeps_its_stores_and_keys_out_of_the_repository_and_buys_no_postage() {
    let folder = tempfile::tempdir().unwrap();
    for template in ["salesforce-shipstation", "files-demo"] {
        assert!(crossdock(folder.path(), &["new", template, "--template", template]).status.success());
        let root = folder.path().join(template);
        for name in ["sandbox.db", "sandbox.db-wal", "sandbox.db-shm", "sandbox.db.lock", "sandbox.db.key", "crossdock.db", "crm.pem", ".env"] {
            std::fs::write(root.join(name), "").unwrap();
        }
        std::fs::create_dir_all(root.join("out")).unwrap();
        std::fs::write(root.join("out/wms.Order.jsonl"), "").unwrap();
        let git = |arguments: &[&str]| Command::new("git").current_dir(&root).args(arguments).output().unwrap();
        assert!(git(&["init", "-q"]).status.success());
        assert!(git(&["add", "-A"]).status.success());
        let kept = out(&git(&["ls-files"]));
        assert!(kept.contains("crossdock.yaml") && kept.contains(".gitignore"), "{kept}");
        for wrong in [".db", ".key", ".pem", ".env", "out/wms"] {
            assert!(!kept.contains(wrong), "`{wrong}` is in\n{kept}");
        }
    }
    let shop = folder.path().join("salesforce-shipstation");
    let parameter = |env: &[&str]| {
        let plan = crossdock(&shop, &[&["plan", "--format", "json"], env].concat());
        let plan: Value = serde_json::from_str(&out(&plan)).unwrap();
        plan["mapping"]["parameters"]["print_labels"]["value"].to_string()
    };
    assert!(parameter(&[]).contains("false"), "{}", parameter(&[]));
    assert!(parameter(&["--env", "sandbox"]).contains("true"));
}

#[test]
fn a_case_may_give_a_parameter_another_value() {
    let folder = tempfile::tempdir().unwrap();
    assert!(crossdock(folder.path(), &["new", "shop"]).status.success());
    let shop = folder.path().join("shop");
    let case = |parameters: &str, sent: &str| {
        let text = format!(
            "flow: print_labels\nnow: 2026-11-20T09:00:00Z\ncases:\n  - name: mine\n    given: {{ record: fixtures/shipments/waiting-order.json, matched: {{ source: fixtures/us-order.json }}, parameters: {{ {parameters} }} }}\n    expect: {{ sent: {{ {sent} }} }}\n"
        );
        std::fs::write(shop.join("cases/mine.yaml"), text).unwrap();
        let output = crossdock(&shop, &["test", "--only", "mine"]);
        (output.status.code(), out(&output) + &err(&output))
    };
    assert_eq!(case("print_labels: true", "wms.Label: { carrierCode: ups }").0, Some(0));
    assert_eq!(case("print_labels: false", "wms.Label: { carrierCode: ups }").0, Some(1));
    let (code, said) = case("print_labels: perhaps", "");
    assert!(code == Some(1) && said.contains("write it as `true` or `false`"), "{said}");
    let (code, said) = case("print_label: true", "");
    assert!(code == Some(1) && said.contains("print_labels"), "{said}");
}

/// `sandbox start` in a project: the account has what the names of the project list.
#[test]
fn the_sandbox_has_what_the_project_lists() {
    use std::io::{BufRead as _, Read as _, Write as _};
    let names = r#"{"Store": [{"name": "Web", "id": 7}], "Carrier": [{"name": "gls", "id": "gls"}]}"#;
    let folder = project(&[("crossdock.yaml", CONFIG), ("schemas/wms/names.json", names)]);
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_crossdock"))
        .current_dir(folder.path())
        .args(["sandbox", "start", "shipstation", "--shipstation", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let host = line.split_whitespace().find_map(|word| word.strip_prefix("http://")).unwrap_or_else(|| panic!("{line}")).to_owned();
    let get = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic c2FuZGJveDpzYW5kYm94\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let (stores, carriers) = (get("/stores"), get("/carriers"));
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert!(stores.contains("\"storeName\":\"Web\"") && !stores.contains("EU store"), "{stores}");
    assert!(carriers.contains("\"code\":\"gls\"") && !carriers.contains("fedex"), "{carriers}");
}

/// Runs a command whose results nobody reads any more.
fn unread(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_crossdock"))
        .current_dir(folder)
        .args(arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `crossdock test | head -1` ends as `crossdock test` does.
#[test]
fn a_reader_that_has_seen_enough_changes_no_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(crossdock(folder.path(), &["new", "shop"]).status.code(), Some(0));
    let shop = folder.path().join("shop");
    std::fs::write(shop.join("cases/fails.yaml"), FAILS).unwrap();
    let commands = [
        &["test"][..],
        &["test", "--format", "json"],
        &["check"],
        &["check", "--format", "json"],
        &["plan"],
        &["plan", "--format", "json"],
        &["explain"],
        &["explain", "E0202"],
        &["schema", "show", "crm.Order"],
        &["schema", "show", "crm.Nosuch"],
        &["fmt", "--check"],
        &["unmapped", "--records", "orders.jsonl", "--flow", "export_orders"],
        &["run", "--records", "orders.jsonl", "--flow", "export_orders"],
        &["preview", "orders.jsonl", "--flow", "export_orders"],
        &["doctor"],
        &["queue", "list"],
        &["--help"],
        &["nosuch"],
    ];
    for command in commands {
        let wanted = crossdock(&shop, command);
        let (code, said) = unread(&shop, command);
        assert_eq!(code, wanted.status.code(), "{command:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{command:?}: {said}");
    }
    let failed = unread(&shop, &["test"]);
    assert_eq!(failed.0, Some(1), "{failed:?}");
}

/// A case that cannot pass.
const FAILS: &str =
    "flow: export_orders\ncases:\n  - name: nothing is sent\n    given: { record: fixtures/us-order.json }\n    expect: { sent: nothing }\n";

/// How each command ends that cannot do its work: docs/reference/exit-codes.md.
#[test]
fn every_command_says_what_kind_of_trouble_it_has() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(crossdock(folder.path(), &["new", "shop"]).status.code(), Some(0));
    let shop = folder.path().join("shop");
    std::fs::create_dir(shop.join("folder")).unwrap();
    std::fs::write(shop.join("binary.json"), [0, 159, 146, 150]).unwrap();
    std::fs::write(shop.join("empty.yaml"), "").unwrap();
    std::fs::write(shop.join("no-store.db"), "this is no store, and longer than the head of a database of SQLite has to be: ".repeat(9)).unwrap();
    for (wanted, command) in [
        // Nobody has asked for something that could be done.
        (2, &["nosuch"][..]),
        (2, &["check", "--nosuch"]),
        (2, &["check", "--format", "nosuch"]),
        (2, &["plan", "--flow", "nosuch"]),
        (2, &["run", "--flow", "nosuch"]),
        (2, &["run", "--workers", "0"]),
        (2, &["run", "--workers", "many"]),
        (2, &["preview", "orders.jsonl", "--flow", "nosuch"]),
        (2, &["preview", "orders.jsonl", "--flow", "export_orders", "--id", ""]),
        (2, &["unmapped", "--records", "orders.jsonl", "--flow", "nosuch"]),
        (2, &["schema", "show", "nosuch.Order"]),
        (2, &["schema", "show", "crm.Nosuch"]),
        (2, &["schema", "pull", "nosuch"]),
        (2, &["schema", "diff", "nosuch"]),
        (2, &["serve", "--listen", "nosuch"]),
        (2, &["system", "check", "nosuch"]),
        (2, &["system", "import", "nosuch"]),
        (2, &["system", "probe", "nosuch", "--yes"]),
        (2, &["system", "new", "acme"]),
        (2, &["system", "new", "Acme", "--openapi", "empty.yaml"]),
        (2, &["system", "new", "acme", "--sample", "orders.jsonl"]),
        (2, &["explain", "E9999"]),
        (2, &["demo", "--template", "nosuch"]),
        (2, &["sandbox", "start", "nosuch"]),
        (2, &["sandbox", "act", "nosuch", "x"]),
        (2, &["new", "folder", "--template", "nosuch"]),
        (2, &["check", "orders.jsonl"]),
        // A file cannot be read or written.
        (3, &["check", "nosuch.dock"]),
        (3, &["fmt", "nosuch.dock"]),
        (3, &["test", "nosuch"]),
        (3, &["preview", "nosuch.json", "--flow", "export_orders"]),
        (3, &["preview", "folder", "--flow", "export_orders"]),
        (3, &["run", "--records", "nosuch.json", "--flow", "export_orders"]),
        (3, &["run", "--records", "folder", "--flow", "export_orders"]),
        (3, &["unmapped", "--records", "nosuch.json", "--flow", "export_orders"]),
        (3, &["schema", "infer", "nosuch.json"]),
        (3, &["schema", "infer", "folder"]),
        (3, &["system", "new", "acme", "--openapi", "nosuch.yaml"]),
        (3, &["system", "new", "acme", "--openapi", "folder"]),
        (3, &["system", "new", "acme", "--sample", "Order=nosuch.json"]),
        (3, &["queue", "list"]),
        (3, &["trace", "nosuch"]),
        (3, &["status"]),
        (3, &["store", "check"]),
        (3, &["store", "backup", "backup.db"]),
        (3, &["erase", "nosuch"]),
    ] {
        let output = crossdock(&shop, command);
        let said = format!("{}{}", out(&output), err(&output));
        assert_eq!(output.status.code(), Some(wanted), "{command:?}: {said}");
        assert!(!said.contains("panicked"), "{command:?}: {said}");
    }
    // A store that is none.
    let config = std::fs::read_to_string(shop.join("crossdock.yaml")).unwrap();
    let store = config.lines().find(|line| line.starts_with("store:")).unwrap();
    std::fs::write(shop.join("crossdock.yaml"), config.replace(store, "store: sqlite:no-store.db")).unwrap();
    for command in [&["queue", "list"][..], &["status"], &["store", "check"], &["trace", "x"]] {
        let output = crossdock(&shop, command);
        assert_eq!(output.status.code(), Some(3), "{command:?}: {}{}", out(&output), err(&output));
        assert!(err(&output).contains("no-store.db"), "{}", err(&output));
    }
}

/// What is printed for people fits a terminal of 80 columns, also where nobody says how wide it is. Data stays whole: JSON, payloads, examples
/// of mappings to copy, and words that are longer by themselves.
#[test]
fn what_is_printed_for_people_fits_80_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut wide = Vec::new();
    let mut printed = |at: &Path, arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_crossdock")).current_dir(at).args(arguments).env("NO_COLOR", "1").env_remove("COLUMNS").output();
        let run = run.unwrap();
        let text = out(&run) + &err(&run);
        let is_data = |line: &&str| {
            let inside = line.trim();
            inside.starts_with(['"', '{']) || !inside.contains(' ') || arguments[0] == "explain" && line.starts_with("    ")
        };
        for line in text.lines().filter(|line| line.chars().count() > 80).filter(|line| !is_data(line)) {
            wide.push(format!("{arguments:?}: {line}"));
        }
        text
    };
    let help = printed(folder.path(), &["--help"]);
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.starts_with("Options:"));
    let commands: Vec<String> = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned)).collect();
    let commands: Vec<&String> = commands.iter().filter(|name| !name.is_empty()).collect();
    assert!(commands.len() > 20, "{help}");
    for name in &commands {
        printed(folder.path(), &[name.as_str(), "--help"]);
    }
    printed(folder.path(), &["explain"]);
    for code in crossdock::base::diag::Code::ALL {
        printed(folder.path(), &["explain", code.number()]);
    }
    for (name, _) in crossdock::system::descriptions() {
        printed(folder.path(), &["system", "check", name]);
        printed(&crate::common::root(), &["system", "check", name]);
    }
    let mut count = 0;
    for template in std::fs::read_dir(crate::common::root().join("mappings")).unwrap().flatten() {
        let name = template.file_name().to_string_lossy().into_owned();
        printed(folder.path(), &["new", &name, "--template", &name]);
        let at = folder.path().join(&name);
        for arguments in [&["check"][..], &["test", "--coverage"], &["plan"], &["doctor"], &["docs"], &["schema", "show"], &["status"], &["run"]] {
            printed(&at, arguments);
        }
        let flows = std::fs::read_dir(&at).unwrap().flatten().filter(|file| file.path().extension().is_some_and(|ending| ending == "dock"));
        let flows: Vec<String> = flows
            .flat_map(|file| std::fs::read_to_string(file.path()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|line| line.strip_prefix("flow ")?.split(' ').next().map(str::to_owned))
            .collect();
        // The first record of a template, by each of its flows.
        let fixtures = at.join("fixtures");
        let files = if fixtures.is_dir() { crate::common::files(&fixtures) } else { Vec::new() };
        let mut records: Vec<String> = files.into_iter().map(|(name, _)| format!("fixtures/{name}")).collect();
        records.truncate(1);
        for (flow, record) in flows.iter().flat_map(|flow| records.iter().map(move |record| (flow, record))) {
            printed(&at, &["preview", record, "--flow", flow]);
            printed(&at, &["preview", record, "--flow", flow, "--why", "rules"]);
            count += 1;
        }
        // A mistake of each file's first flow.
        for (file, text) in crate::common::files(&at).into_iter().filter(|(name, _)| name.ends_with(".dock")) {
            std::fs::write(at.join(&file), text.replacen("where ", "where nosuch_name_of_a_thing == other_thing and ", 1)).unwrap();
        }
        printed(&at, &["check"]);
    }
    assert!(count > 20, "{count}");
    assert!(wide.is_empty(), "{} lines:\n{}", wide.len(), wide.join("\n"));
}
