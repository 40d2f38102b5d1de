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

/// A project that works, to spoil.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = crossdock(folder.path(), &["new", "shop"]);
    assert_eq!(code, Some(0), "{said}");
    folder
}

/// Runs a command with these variables alone: none that is set on the machine by chance is seen.
fn with_variables(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"));
    for name in ["CRM_LOGIN_URL", "CRM_CLIENT_ID", "CRM_CLIENT_SECRET", "SS_KEY", "SS_SECRET"] {
        command.env_remove(name);
    }
    let output = command
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1")
        .envs([crate::common::WIDE])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// A project without mapping files is told so by whatever command, with what to do.
#[test]
fn a_project_without_mapping_files_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "crossdock.yaml", "connections:\n  crm: { system: salesforce }\n");
    write(folder.path(), "cases/a.yaml", "flow: x\ncases:\n  - name: one\n    given: { record: r.json }\n    expect: { rejected: [a] }\n");
    write(folder.path(), "r.json", "{}");
    write(folder.path(), "empty/note.txt", "");
    for command in [&["check"][..], &["fmt"], &["fmt", "--check"], &["plan"], &["test"], &["docs"], &["run"], &["preview", "r.json"], &["status"]] {
        let (code, said) = crossdock(folder.path(), command);
        assert!(code == Some(2) && said.contains("there is no mapping file in") && said.contains(".dock"), "{command:?}: {code:?} {said}");
    }
    write(folder.path(), "orders.dock", "edition 1\n");
    for command in [&["check", "empty"][..], &["fmt", "empty"]] {
        let (code, said) = crossdock(folder.path(), command);
        assert!(code == Some(2) && said.contains("in the folder that was named"), "{command:?}: {code:?} {said}");
    }
    // A mapping without a flow is none that a case can be about.
    let (_, said) = crossdock(folder.path(), &["test"]);
    assert!(said.contains("the project has no flow"), "{said}");
}

/// No record is no mistake, and is said: with the same exit code by each command that reads a file of records.
#[test]
fn a_file_without_a_record_is_told() {
    let folder = project();
    let shop = folder.path().join("shop");
    for (name, text) in [("a.jsonl", ""), ("a.csv", ""), ("a.json", ""), ("b.json", "[]"), ("b.csv", "Id,Name\n"), ("b.jsonl", "\n\n")] {
        write(&shop, name, text);
        for command in [
            &["run", "--flow", "export_orders", "--records", name][..],
            &["preview", "--flow", "export_orders", name],
            &["unmapped", "--flow", "export_orders", "--records", name],
        ] {
            let (code, said) = crossdock(&shop, command);
            assert!(code == Some(0) && said.contains(&format!("warning: {name} holds no record")), "{command:?}: {code:?} {said}");
        }
    }
    let (code, said) = crossdock(&shop, &["run", "--flow", "export_orders", "--records", "-"]);
    assert!(code == Some(0) && said.contains("standard input holds no record"), "{code:?} {said}");
}

#[test]
fn records_in_a_form_that_the_name_does_not_tell_are_told_which_forms_there_are() {
    let folder = project();
    let shop = folder.path().join("shop");
    for name in ["records.txt", "records", "records.xlsx"] {
        write(&shop, name, "Id,Name\n1,x\n");
        for command in [&["run", "--flow", "export_orders", "--records", name][..], &["preview", "--flow", "export_orders", name]] {
            let (code, said) = crossdock(&shop, command);
            assert!(code.is_some_and(|code| code > 1) && said.contains(".jsonl") && said.contains(".csv"), "{command:?}: {said}");
        }
    }
}

/// All variables that lack a value are told at once, and one that is set to nothing is told as that.
#[test]
fn every_missing_variable_is_told_at_once() {
    let folder = project();
    let shop = folder.path().join("shop");
    let (code, said) = with_variables(&shop, &["doctor"], &[("CRM_CLIENT_ID", ""), ("SS_KEY", "x")]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("4 variables"), "{said}");
    for wanted in ["`CRM_LOGIN_URL` is not set", "`CRM_CLIENT_ID` is set and empty", "`CRM_CLIENT_SECRET` is not set", "`SS_SECRET` is not set"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains("`SS_KEY` is"), "{said}");
    for name in ["CRM_LOGIN_URL", "CRM_CLIENT_ID", "CRM_CLIENT_SECRET", "SS_SECRET"] {
        assert_eq!(said.matches(&format!("{name}=…")).count(), 1, "{name}: {said}");
    }
    assert!(!said.contains("SS_KEY=…"), "{said}");
    let rest = [("CRM_CLIENT_ID", "x"), ("CRM_CLIENT_SECRET", "x"), ("SS_KEY", "x"), ("SS_SECRET", "")];
    let (_, said) = with_variables(&shop, &["doctor"], &[&rest[..], &[("CRM_LOGIN_URL", "https://login.example.invalid")]].concat());
    assert!(said.contains("`SS_SECRET` is set and empty, and `connections.wms.api_secret` needs it"), "{said}");
    // A value that cannot be used is told with the variable that it comes from.
    let all = [&rest[..3], &[("SS_SECRET", "x"), ("CRM_LOGIN_URL", "login.salesforce.com now")]].concat();
    let (_, said) = with_variables(&shop, &["doctor"], &all);
    assert!(said.contains("no URL") && said.contains("`CRM_LOGIN_URL`"), "{said}");
}

/// Before the first run there is no store: what is to be done first is said. A store that was deleted is told as lost.
#[test]
fn a_store_that_is_not_there_is_told_with_what_to_do() {
    let folder = project();
    let shop = folder.path().join("shop");
    let commands = [
        &["status"][..],
        &["status", "--state", "failed"],
        &["trace", "00000001"],
        &["queue", "list"],
        &["audit", "show"],
        &["checkpoint", "show"],
        &["store", "check"],
        &["store", "backup", "copy.db"],
    ];
    for command in commands {
        let (code, said) = crossdock(&shop, command);
        assert!(code == Some(3) && said.contains("there is no store at") && said.contains("crossdock run"), "{command:?}: {code:?} {said}");
        assert!(!said.contains("cannot be used"), "{command:?}: {said}");
    }
    write(&shop, "crossdock.db.marker", "crossdock store marker 1\nstore abc\ncommits 5\n");
    for command in commands {
        let (code, said) = crossdock(&shop, command);
        assert!(code == Some(3) && said.contains("shows that there was one") && said.contains("--recover"), "{command:?}: {code:?} {said}");
    }
    let (code, said) = crossdock(&shop, &["doctor"]);
    assert!(code == Some(1) && said.contains("BAD") && said.contains("shows that there was one"), "{said}");
}

#[test]
fn what_a_run_would_overwrite_by_mistake_is_refused() {
    let folder = project();
    let shop = folder.path().join("shop");
    let before = std::fs::read_to_string(shop.join("crossdock.yaml")).unwrap();
    let run = |more: &[&str]| crossdock(&shop, &[&["run", "--flow", "export_orders", "--records", "orders.jsonl"], more].concat());
    std::fs::copy(shop.join("fixtures/us-order.json"), shop.join("order.json")).unwrap();
    write(&shop, "orders.jsonl", "");
    let (code, said) = run(&["--out", "crossdock.yaml"]);
    assert!(code == Some(2) && said.contains("is a file, and --out names the folder"), "{code:?} {said}");
    assert_eq!(std::fs::read_to_string(shop.join("crossdock.yaml")).unwrap(), before);
    // Its own input, under the name of what it writes.
    write(&shop, "out/wms.Order.jsonl", "{}\n");
    let (code, said) = crossdock(&shop, &["run", "--flow", "export_orders", "--records", "out/wms.Order.jsonl", "--out", "out"]);
    assert!(code == Some(2) && said.contains("is what this run reads"), "{code:?} {said}");
    assert_eq!(std::fs::read_to_string(shop.join("out/wms.Order.jsonl")).unwrap(), "{}\n");
    let (code, said) = run(&["--workers", "0"]);
    assert!(code == Some(2) && said.contains("1..=1024"), "{code:?} {said}");
    // A file of the project as the place of a `files` connection's records.
    let (code, said) = crossdock(folder.path(), &["new", "files", "--template", "files-demo"]);
    assert_eq!(code, Some(0), "{said}");
    let files = folder.path().join("files");
    let config = std::fs::read_to_string(files.join("crossdock.yaml")).unwrap();
    let path = config.lines().rfind(|line| line.contains("path:")).unwrap().split("path: ").nth(1).unwrap();
    let path = path.split([',', ' ', '}']).next().unwrap();
    write(&files, "crossdock.yaml", &config.replace(path, "crossdock.yaml"));
    let (code, said) = crossdock(&files, &["run"]);
    assert!(code == Some(2) && said.contains("is a file of the project"), "{code:?} {said}");
}

/// `preview` and `diff` print values as they are; with `--mask` none that is a person's, and all that is business.
#[test]
fn views_of_records_can_be_masked() {
    let folder = project();
    let shop = folder.path().join("shop");
    let persons = ["Alex Morgan", "Morgan", "alex.morgan", "Amphitheatre", "555 0123", "Mountain View"];
    let preview = |more: &[&str]| crossdock(&shop, &[&["preview", "--flow", "export_orders", "fixtures/us-order.json"], more].concat()).1;
    for more in [&[][..], &["--why"], &["--why", "rules"], &["--why", "shipTo.street1"], &["--format", "json"]] {
        let plain = preview(more);
        assert!(persons.iter().any(|person| plain.contains(person)), "{more:?}: {plain}");
        let masked = preview(&[more, &["--mask"]].concat());
        for person in persons {
            assert!(!masked.contains(person), "{more:?} shows {person}: {masked}");
        }
        assert!(masked.contains("•"), "{more:?}: {masked}");
    }
    let masked = preview(&["--mask"]);
    for business in ["WH-1001", "00000001", "awaiting_shipment", "2026-11-17"] {
        assert!(masked.contains(business), "{business}: {masked}");
    }
    // A rejection quotes what it rejects.
    let rejected = |more: &[&str]| crossdock(&shop, &[&["preview", "--flow", "export_orders", "fixtures/bad-email.json"], more].concat()).1;
    assert!(rejected(&[]).contains("kim.example.com"), "{}", rejected(&[]));
    assert!(!rejected(&["--mask"]).contains("kim.example.com"), "{}", rejected(&["--mask"]));

    let (code, said) = crossdock(folder.path(), &["new", "edited"]);
    assert_eq!(code, Some(0), "{said}");
    let address = std::fs::read_to_string(folder.path().join("edited/shared/address.dock")).unwrap();
    write(
        folder.path(),
        "edited/shared/address.dock",
        &address.replace("a.city | collapse", "a.city | collapse | upper").replace("a.city | trim", "a.city | trim | upper"),
    );
    let orders = std::fs::read_to_string(folder.path().join("edited/orders.dock")).unwrap();
    write(folder.path(), "edited/orders.dock", &orders.replace("= email_to", "= \"x{email_to}\""));
    let diff = |more: &[&str]| {
        crossdock(folder.path(), &[&["diff", "shop", "edited", "--flow", "export_orders", "--records", "shop/fixtures/us-order.json"], more].concat())
            .1
    };
    assert!(diff(&[]).to_lowercase().contains("mountain view") && diff(&[]).contains("alex.morgan"), "{}", diff(&[]));
    let persons = persons.map(str::to_lowercase);
    for more in [&[][..], &["--format", "json"]] {
        let masked = diff(&[more, &["--mask"]].concat());
        for person in &persons {
            assert!(!masked.to_lowercase().contains(person), "{more:?} shows {person}: {masked}");
        }
    }
}

const ACCOUNTS: &[(&str, &str)] =
    &[("CRM_LOGIN_URL", "http://127.0.0.1:9"), ("CRM_CLIENT_ID", "x"), ("CRM_CLIENT_SECRET", "x"), ("SS_KEY", "x"), ("SS_SECRET", "x")];

/// What `run` and `serve` refuse in the project's file, `check` and `doctor` refuse too, in the same words.
#[test]
fn what_a_run_would_refuse_in_the_project_file_is_an_error_of_the_check() {
    let folder = project();
    let shop = folder.path().join("shop");
    let usual = std::fs::read_to_string(shop.join("crossdock.yaml")).unwrap();
    let crm = r#"client_secret: "${CRM_CLIENT_SECRET}""#;
    for (from, to, told) in [
        (crm, "client_secret: { env: CRM_CLIENT_SECRET }", "`connections.crm.client_secret` is neither a text nor `{ file: … }`"),
        (crm, "client_secret: [a, b]", "`connections.crm.client_secret` is neither a text nor `{ file: … }`"),
        (crm, "client_secret:", "`connections.crm.client_secret` is neither a text nor `{ file: … }`"),
        (r#"login: "${CRM_LOGIN_URL}""#, "login: \"https://acme corp.my.salesforce.com\"", "the connection `crm` has a `login` that is no URL"),
        (r#"api_secret: "${SS_SECRET}""#, "api_secret: \"${SS_SECRET}\", url: \"https://\"", "the connection `wms` has a `url` that"),
        ("time_zone:", "alerts: { command: ./tell }\ntime_zone:", "the project names a command for its alerts that is not there: `./tell`"),
        ("time_zone:", "alerts: { command: ./fixtures }\ntime_zone:", "the project names a command for its alerts that is no program: `./fixtures`"),
        ("time_zone:", "alerts: { owners: { ops: { command: [./README.md] } } }\ntime_zone:", "that cannot be executed: `./README.md`"),
    ] {
        assert!(usual.contains(from), "{from}");
        write(&shop, "crossdock.yaml", &usual.replacen(from, to, 1));
        let (code, said) = with_variables(&shop, &["check"], &[]);
        assert!(code == Some(1) && said.contains(told), "{to}: {code:?} {said}");
        assert_eq!(said.matches("error E").count(), 1, "{to}: {said}");
        let (code, said) = with_variables(&shop, &["doctor"], ACCOUNTS);
        assert!(code == Some(1) && said.contains(told), "{to}: {code:?} {said}");
    }
    for (setting, told) in [
        ("alerts: { command: \"\" }", "`alerts.command` cannot be used"),
        ("alerts: { command: [] }", "`alerts.command` cannot be used"),
        ("schedules: { export_orders: \"0 0 30 2 *\" }", "`schedules.export_orders` is no schedule"),
        ("schema_drift: \"0 0 31 4,6 *\"", "`schema_drift` is no schedule"),
    ] {
        write(&shop, "crossdock.yaml", &usual.replacen("time_zone:", &format!("{setting}\ntime_zone:"), 1));
        for command in ["check", "doctor", "serve"] {
            let (code, said) = with_variables(&shop, &[command], ACCOUNTS);
            assert!(matches!(code, Some(1 | 2)) && said.contains(told), "{setting}: {command} {code:?} {said}");
        }
    }
    // What only this machine lacks may be where the project runs.
    write(&shop, "crossdock.yaml", &usual.replacen("time_zone:", "alerts: { command: [no-such-program] }\ntime_zone:", 1));
    let (code, said) = with_variables(&shop, &["check"], &[]);
    assert!(code == Some(0) && said.contains("alerts.command: the project names a command for its alerts that is not there"), "{code:?} {said}");
    let (code, said) = with_variables(&shop, &["doctor"], ACCOUNTS);
    assert!(code == Some(1) && said.contains("that is not there: `no-such-program`"), "{code:?} {said}");
    // A schedule may come from the environment: then it is known when something runs.
    write(&shop, "crossdock.yaml", &usual.replacen("time_zone:", "schedules: { export_orders: \"${EVERY}\" }\ntime_zone:", 1));
    assert_eq!(with_variables(&shop, &["check"], &[]).0, Some(0));
    let (_, said) = with_variables(&shop, &["doctor"], ACCOUNTS);
    assert!(said.contains("`EVERY` is not set, and `schedules.export_orders` needs it"), "{said}");
    let (_, said) = with_variables(&shop, &["doctor"], &[ACCOUNTS, &[("EVERY", "5 minutes")]].concat());
    assert!(!said.contains("schedules"), "{said}");
}

/// A case that `test` cannot run is an error of the check.
#[test]
fn a_case_that_cannot_run_is_an_error_of_the_check() {
    let folder = project();
    let shop = folder.path().join("shop");
    let case = |given: &str| format!("flow: export_orders\ncases:\n  - name: a\n    given: {given}\n    expect: {{ sent: nothing }}\n");
    let of = |text: &str| ("fixtures/own.json", text.to_owned(), case("{ record: fixtures/own.json }"));
    let file = |text: &str| ("fixtures/own.json", "{}".to_owned(), text.to_owned());
    for ((fixture, records, cases), told) in [
        (file(""), "the case file has no `cases`"),
        (file("# later\n"), "the case file has no `cases`"),
        (file("flow: export_orders\n"), "the case file has no `cases`"),
        (file("flow: export_orders\ncases:\n  - given: { record: fixtures/own.json }\n"), "the case has no `name`"),
        (file("flow: export_orders\ncases:\n  -\n"), "the case has no `name`"),
        (file("flow: export_orders\ncases:\n  - name: a\n"), "the case has no `given`"),
        (file("cases:\n  - name: a\n    given: { record: fixtures/own.json }\n"), "the case has no `flow`"),
        (file(&case("{ with: { Id: x } }")), "`given` has no `record`"),
        (file(&case("{}")), "`given` has no `record`"),
        (file("flow: export_orders\ncases:\n  - name: [a]\n    given: { record: fixtures/own.json }\n"), "expected string"),
        (file(&case("{ record: fixtures }")), "`fixtures` cannot be read as records: it cannot be read: it is a folder"),
        (of(""), "`fixtures/own.json` has no record"),
        (of("[]"), "`fixtures/own.json` has no record"),
        (of("{\n  \"Id\": \n"), "`fixtures/own.json` cannot be read as records: line 3: this is no JSON"),
        (of("[1]"), "item 1 of the list is no record"),
        (("fixtures/own.csv", "Id,Name\n".to_owned(), case("{ record: fixtures/own.csv }")), "`fixtures/own.csv` has no record"),
        (
            ("fixtures/own.jsonl", "{}\nx\n".to_owned(), case("{ record: fixtures/uk-order.json, target: fixtures/own.jsonl }")),
            "line 2: this is no JSON",
        ),
    ] {
        write(&shop, fixture, &records);
        write(&shop, "cases/own.yaml", &cases);
        let (code, said) = crossdock(&shop, &["check"]);
        assert!(code == Some(1) && said.contains(told) && said.contains("E0411"), "{cases:?} {records:?}: {code:?} {said}");
        assert_eq!(said.matches("error E").count(), 1, "{cases:?}: {said}");
        let (code, said) = crossdock(&shop, &["test"]);
        assert!(matches!(code, Some(1 | 2)), "{cases:?} {records:?}: {code:?} {said}");
        std::fs::remove_file(shop.join(fixture)).unwrap();
    }
    // A match may find nothing.
    write(&shop, "fixtures/own.json", "[]");
    write(
        &shop,
        "cases/own.yaml",
        "flow: import_shipments\ncases:\n  - name: a\n    given: { record: fixtures/shipments/ups.json, matched: { order: fixtures/own.json } }\n    expect: { sent: nothing }\n",
    );
    let (_, said) = crossdock(&shop, &["check"]);
    assert!(!said.contains("own.json"), "{said}");
}

/// A name that is misspelt in one place is one error, however often it is read: of each template, each name of a connection, a system, an object,
/// a file and a parameter.
#[test]
fn one_misspelt_name_is_one_error() {
    use crossdock::project::{Options, Texts, compile};

    let at = |name: &str, text: &str, marks: &[(&str, &str)]| -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (before, ends) in marks {
            // The first of its kind in a file: the name behind the mark gets a letter more.
            let Some(begin) = text.find(before).map(|begin| begin + before.len()) else { continue };
            let Some(end) = text[begin..].find(|c| ends.contains(c)).map(|end| begin + end) else { continue };
            found.push((format!("{name}: {before}{}x", &text[begin..end]), format!("{}x{}", &text[..end], &text[end..])));
        }
        found
    };
    let mappings = [
        ("\n  from ", "."),
        ("\n  from wms.", " "),
        ("\n  from crm.", " "),
        ("\n  upsert ", "."),
        ("\n  upsert wms.", " "),
        ("\n  create crm.", " "),
        ("\n  update crm.", " "),
        ("\nuse \"", ".\""),
        ("\nparameter ", ":"),
    ];
    let config = [("\n  crm:", ": "), ("\n  wms:", ": "), ("\n  tracking:", ": "), ("\n  shop:", ": "), ("system: ", ",\n }")];
    let (mut several, mut count) = (Vec::new(), 0);
    for template in std::fs::read_dir(crate::common::root().join("mappings")).unwrap().flatten() {
        let files = crate::common::files(&template.path());
        for (at_file, (name, text)) in files.iter().enumerate() {
            let spoilt = match name.as_str() {
                "crossdock.yaml" => {
                    let mut spoilt = at(name, text, &config[4..]);
                    spoilt.extend(config[..4].iter().filter(|(key, _)| text.contains(key)).map(|(key, _)| {
                        let key = key.trim_end_matches(':');
                        (format!("{name}:{key}x"), text.replacen(&format!("{key}:"), &format!("{key}x:"), 1))
                    }));
                    spoilt
                }
                name if name.ends_with(".dock") => at(name, text, &mappings),
                _ => continue,
            };
            // A parameter that the project does not set is read in several places only: each is told.
            let config = files.iter().find(|(name, _)| name == "crossdock.yaml").map_or("", |(_, text)| text.as_str());
            let is_set = |what: &str| {
                what.split_once("parameter ").is_none_or(|(_, name)| config.contains(&format!("{}:", name.strip_suffix('x').unwrap_or(name))))
            };
            for (what, spoilt) in spoilt.into_iter().filter(|(what, _)| is_set(what)) {
                let mut files = files.clone();
                files[at_file].1 = spoilt;
                let compiled = compile(&Texts::new(files), &Options::default());
                let errors: Vec<&str> = compiled.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.message.as_str()).collect();
                count += 1;
                if errors.len() != 1 {
                    several.push(format!("{}/{what}: {errors:#?}", template.file_name().to_string_lossy()));
                }
            }
        }
    }
    assert!(count > 60, "{count}");
    assert!(several.is_empty(), "{} of {count}\n{}", several.len(), several.join("\n"));
}
