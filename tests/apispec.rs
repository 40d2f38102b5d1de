//! Vendors' API descriptions, whole files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::path::Path;

use crossdock::apispec::{ApiSpec, Origin, Style, indented};
use crossdock::app::system_import::{self, Vendor};
use crossdock::base::diag::render::{Look, View, terminal};
use crossdock::base::{Source, Sources};
use crossdock::describe;
use crossdock::describe::against::{VendorFile, survey};
use crossdock::value::Json;
use crossdock::yaml;

/// Reads every API description below the folder that `CROSSDOCK_API_FILES` names:
/// `CROSSDOCK_API_FILES=… cargo nextest run --test all --run-ignored only every_file_of_a_folder`.
#[test]
#[ignore = "the vendors' whole files are not part of the repository"]
fn every_file_of_a_folder_can_be_read() {
    let root =
        std::env::var_os("CROSSDOCK_API_FILES").map(std::path::PathBuf::from).unwrap_or_else(|| unreachable!("CROSSDOCK_API_FILES names no folder"));
    let (mut waiting, mut read) = (vec![root], 0);
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let begun = std::time::Instant::now();
        let name = path.display().to_string();
        let api = match path.extension().and_then(|extension| extension.to_str()) {
            Some("graphql") => ApiSpec::graphql(&[(&name, &text)]).unwrap_or_else(|error| unreachable!("{name}: {error}")),
            Some("yaml") => {
                let read = yaml::read(&text).or_else(|error| yaml::read(&indented(&text).ok_or(error)?));
                let node = read.unwrap_or_else(|error| unreachable!("{name}: {error} at {}", error.at));
                ApiSpec::openapi(&node.json()).unwrap_or_else(|error| unreachable!("{name}: {error}"))
            }
            Some("json") => {
                let json: Json = serde_json::from_str(&text).unwrap();
                if json.get("swagger").is_none() && json.get("openapi").is_none() {
                    continue;
                }
                ApiSpec::openapi(&json).unwrap_or_else(|error| unreachable!("{name}: {error}"))
            }
            _ => continue,
        };
        assert!(!api.operations.is_empty(), "{name}");
        println!("{:>5} operations, {:>6} types, {:?}: {name}", api.operations.len(), api.named().count(), begun.elapsed());
        read += 1;
    }
    assert!(read > 0, "there is no API description in the folder");
}

/// A vendor's file of the repository: the cut, and of a run with `CROSSDOCK_API_FILES` the whole.
fn vendor(system: &str) -> (Vendor, Origin) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("systems").join(system);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (style, whole, source, retrieved) = match system {
        "shiphero" => (Style::GraphQl, "shiphero/schema-2022.graphql", "the public schema of April 2022", "2026-11-20"),
        "commercetools" => (
            Style::OpenApi,
            "commercetools/api.openapi.yaml",
            "commercetools/commercetools-api-reference, oas/api/openapi.yaml, commit 5867aa2",
            "2026-11-20",
        ),
        _ => (Style::OpenApi, "shipstation/shipstation-v2.openapi.yaml", "the vendor's OpenAPI description", "2026-11-20"),
    };
    let origin = Origin { source: source.to_owned(), retrieved: retrieved.to_owned() };
    let (file, corrections) = match std::env::var_os("CROSSDOCK_API_FILES") {
        Some(folder) => {
            let beside = root.join(if style == Style::GraphQl { "corrections.graphql" } else { "corrections.yaml" });
            (Path::new(&folder).join(whole), beside.is_file().then(|| read(&beside)))
        }
        None => (root.join(if style == Style::GraphQl { "spec.graphql" } else { "spec.json" }), None),
    };
    let corrections: Vec<&str> = corrections.iter().map(String::as_str).collect();
    (system_import::vendor(style, &read(&file), &corrections).unwrap_or_else(|error| panic!("{}: {error}", file.display())), origin)
}

fn description(system: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("systems").join(system).join("system.yaml");
    let path = if own.is_file() { own } else { root.join("tests/corpus/descriptions").join(format!("{system}.yaml")) };
    std::fs::read_to_string(path).unwrap()
}

/// A file of the repository as it should be; `CROSSDOCK_ACCEPT=1` writes it.
fn held(path: &Path, text: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("CROSSDOCK_ACCEPT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    } else if std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        wrong.push(path.display().to_string());
    }
}

const SYSTEMS: [&str; 3] = ["shipstation-v2", "shiphero", "commercetools"];

#[test]
fn cuts_and_schemas_are_what_import_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for system in SYSTEMS {
        let (vendor, origin) = vendor(system);
        let mut sources = Sources::default();
        let text = description(system);
        let file = sources.add(Source::new(system, text.as_str()));
        let described = describe::read(file, &text).0.unwrap();
        let (spec, schemas, found) = system_import::derive(&described, &vendor, &origin).unwrap();
        let shown: String = found.iter().map(|found| terminal(found, View::new(&sources), Look::PLAIN)).collect();
        held(&root.join(format!("tests/corpus/descriptions/{system}.found.txt")), &shown, &mut wrong);
        let name = if vendor.document.is_some() { "spec.json" } else { "spec.graphql" };
        held(&root.join("systems").join(system).join(name), &spec, &mut wrong);
        // The schemas of V2 were written by hand with more than its file says.
        if system != "shipstation-v2" {
            let folder = root.join("schemas").join(system);
            for entry in std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
                let object = entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                if entry.extension().is_some_and(|extension| extension == "json") && !schemas.contains_key(&object) {
                    wrong.push(format!("{}: nothing gives it", entry.display()));
                }
            }
            for (object, text) in schemas {
                crossdock::schema::read(&text, system, &object, system).unwrap_or_else(|error| panic!("{system}/{object}: {error}"));
                held(&root.join("schemas").join(system).join(format!("{object}.json")), &text, &mut wrong);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these are not what the descriptions and the vendors' files give (CROSSDOCK_ACCEPT=1 writes them): {}",
        wrong.join("\n")
    );
}

/// The sections of a description that name things of the vendor.
const NAMING: [&str; 5] = ["answers", "error", "objects", "names", "hello"];
/// Keys whose texts are for people, or are names of the description's own.
const PROSE: [&str; 11] = ["schema", "says", "source", "note", "hint", "nothing_done", "name", "say", "settle", "by", "is"];
/// Keys below which the names are the vendor's.
const VENDOR: [&str; 8] = ["query", "headers", "body", "arguments", "find", "selection", "actions", "data"];

/// Where the vendor's names stand in a description.
fn names(node: &yaml::Node, key: &str, vendors: bool, text: &str, out: &mut Vec<(usize, usize)>) {
    match &node.shape {
        yaml::Shape::Map(entries) => {
            for entry in entries {
                let inside = VENDOR.contains(&key) || (vendors && VENDOR.contains(&entry.key.as_str()));
                if VENDOR.contains(&key) && !["else", "key", "..."].contains(&entry.key.as_str()) {
                    words(entry.start, entry.end, text, out);
                }
                names(&entry.value, &entry.key, inside || vendors, text, out);
            }
        }
        yaml::Shape::List(items) => items.iter().for_each(|item| names(item, key, vendors, text, out)),
        yaml::Shape::Scalar { .. } if !PROSE.contains(&key) => words(node.start, node.end, text, out),
        _ => {}
    }
}

fn words(start: usize, end: usize, text: &str, out: &mut Vec<(usize, usize)>) {
    let mut at = start;
    for word in text[start..end].split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let begins = text[at..end].find(word).map_or(at, |found| at + found);
        at = begins + word.len();
        if word.len() > 2 && word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            out.push((begins, at));
        }
    }
}

/// Words of the notation and its expressions, which are nobody's names.
const WORDS: [&str; 40] = [
    "GET", "POST", "PUT", "DELETE", "and", "not", "any", "all", "for", "where", "missing", "present", "true", "false", "count", "each", "rest",
    "exact", "parts", "get", "target", "update", "status", "body", "value", "values", "item", "from", "until", "page", "seconds", "minutes",
    "minute", "hours", "day", "quoted", "escaped", "setting", "https", "record",
];

#[test]
fn a_broken_name_is_noticed() {
    let mut report = String::new();
    for system in SYSTEMS {
        let (vendor, _) = vendor(system);
        let text = description(system);
        let mut sources = Sources::default();
        let file = sources.add(Source::new(system, text.as_str()));
        let said = |text: &str| {
            let (described, read) = describe::read(file, text);
            let mut said: Vec<String> = read.iter().map(|found| found.message.clone()).collect();
            if let Some(described) = &described {
                said.extend(describe::check(described).iter().map(|found| found.message.clone()));
                if let Some(spec) = described.specs.first() {
                    said.extend(
                        survey(described, &[VendorFile { spec, api: &vendor.api, is_cut: false }]).found.iter().map(|found| found.message.clone()),
                    );
                }
            }
            said.sort();
            said
        };
        let before = said(&text);
        let node = yaml::read(&text).unwrap();
        let mut all = Vec::new();
        for entry in node.entries().unwrap().iter().filter(|entry| NAMING.contains(&entry.key.as_str())) {
            names(&entry.value, &entry.key, false, &text, &mut all);
        }
        all.sort_unstable();
        all.dedup();
        all.retain(|(start, end)| !WORDS.contains(&&text[*start..*end]));
        let mut left = Vec::new();
        for (start, end) in &all {
            let broken = format!("{}q{}", &text[..*end], &text[*end..]);
            if said(&broken) == before {
                let line = text[..*start].lines().count();
                left.push(format!("  {line}: {}", text[*start..].lines().next().unwrap_or("").chars().take(70).collect::<String>().trim_end()));
            }
        }
        let noticed = all.len() - left.len();
        let _ = writeln!(report, "{system}: {noticed} of {} broken names are noticed. The rest:\n{}\n", all.len(), left.join("\n"));
        if std::env::var_os("CROSSDOCK_ACCEPT").is_none() {
            assert!(noticed * 100 >= all.len() * 95, "{report}");
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn a_clients_own_system_is_imported_by_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let description = |records: &str| {
        format!(
            "system: wms\nsettings: {{ key: {{ secret: true }} }}\nhosts: [\"api.wms.example\"]\nbase: \"https://api.wms.example\"\n\
             auth: {{ header: {{ api-key: \"{{setting.key}}\" }} }}\nobjects:\n  Order:\n    changes:\n      - {{ name: orders, call: GET /orders, records: {records}, page: whole }}\n"
        )
    };
    write("systems/wms/system.yaml", &description("orders"));
    write(
        "api.yaml",
        "openapi: 3.1.0\ninfo: { title: WMS, version: '1' }\npaths:\n  /orders:\n    get:\n      responses:\n        200:\n          description: ''\n          content:\n            \
         application/json:\n              schema: { type: object, properties: { orders: { type: array, items: { $ref: '#/components/schemas/Order' } } } }\n  \
         /unused: { get: { responses: {} } }\ncomponents:\n  schemas:\n    Order:\n      type: object\n      required: [id]\n      properties:\n        \
         id: { type: string }\n        total: { type: object, properties: { amount: { type: string }, currency: { type: string } } }\n",
    );
    let said = |arguments: &[&str]| crate::common::crossdock(folder.path(), arguments);
    let output = said(&["system", "import", "wms", "--openapi", "api.yaml"]);
    assert_eq!(output.0, Some(0), "{output:?}");
    let order = std::fs::read_to_string(folder.path().join("schemas/wms/Order.json")).unwrap();
    assert!(order.contains("\"x-amount-field\": \"amount\"") && order.contains("\"readOnly\": true"), "{order}");
    let spec = std::fs::read_to_string(folder.path().join("systems/wms/spec.json")).unwrap();
    assert!(spec.contains("/orders") && !spec.contains("/unused"), "{spec}");
    assert_eq!(said(&["system", "import", "wms", "--check"]).0, Some(0));
    write("schemas/wms/Order.json", "{}");
    let differs = said(&["system", "import", "wms", "--check"]);
    assert_eq!(differs.0, Some(1), "{differs:?}");
    write("systems/wms/system.yaml", &description("order"));
    let wrong = said(&["system", "import", "wms", "--openapi", "api.yaml"]);
    assert!(wrong.1.contains("E0621") && wrong.1.contains("did you mean `orders`?"), "{wrong:?}");
    let checked = said(&["system", "check", "wms"]);
    assert!(checked.0 == Some(1) && checked.1.contains("E0621") && checked.1.contains("1 error"), "{checked:?}");
    write("systems/wms/system.yaml", &description("orders"));
    let checked = said(&["system", "check", "wms"]);
    assert!(checked.0 == Some(0) && checked.1.contains("1 object, 0 writes; compared with api.yaml"), "{checked:?}");
    std::fs::remove_file(folder.path().join("systems/wms/spec.json")).unwrap();
    let alone = said(&["system", "check", "wms"]);
    assert!(alone.0 == Some(0) && alone.1.contains("there is no file of the vendor"), "{alone:?}");
    let nothing = said(&["system", "check", "nothing"]);
    assert!(nothing.0 == Some(2) && nothing.1.contains("crossdock system new nothing"), "{nothing:?}");
    // What comes with the program can be looked at from any folder.
    for (name, _) in crossdock::system::descriptions() {
        let built_in = said(&["system", "check", name]);
        assert!(built_in.0 == Some(0) && built_in.1.contains("it comes with Crossdock") && built_in.1.contains("0 errors"), "{built_in:?}");
    }
    let by_code = said(&["system", "check", "salesforce"]);
    assert!(by_code.0 == Some(2) && by_code.1.contains("comes with Crossdock"), "{by_code:?}");
    // Corrections that are named have to be there, and what is wrong with them is told of their own file.
    write(
        "systems/wms/system.yaml",
        &description("orders").replace("system: wms\n", "system: wms\nspecs: [{ openapi: api.yaml, corrections: nosuch.yaml }]\n"),
    );
    for command in [&["system", "import", "wms", "--openapi", "api.yaml"][..], &["system", "check", "wms"][..]] {
        let missing = said(command);
        assert!(missing.0 == Some(1) && missing.1.contains("E0601") && missing.1.contains("no file `nosuch.yaml`"), "{missing:?}");
    }
    write("systems/wms/nosuch.yaml", "overlay: 1.0.0\ninfo: { title: a, version: '1' }\nactions: [{ target: $.paths }]\n");
    let wrong = said(&["system", "import", "wms", "--openapi", "api.yaml"]);
    assert!(wrong.0 == Some(1) && wrong.1.contains("nosuch.yaml: /actions/0"), "{wrong:?}");
    write("systems/wms/system.yaml", &description("orders"));
    for (arguments, words) in [(["system", "import", "other"], "`crossdock system new other`"), (["system", "import", "../x"], "no name of a system")]
    {
        let refused = said(&arguments);
        assert!(refused.0 == Some(2) && refused.1.contains(words), "{refused:?}");
    }
}

/// What a description says is held against the bounds and the demands of the vendor's file.
#[test]
fn what_the_vendors_file_demands_and_bounds_is_held() {
    let page = std::fs::read_to_string(crate::common::root().join("docs/reference/descriptions.md")).unwrap();
    let block = |name: &str| page.split(&format!("```yaml {name}\n")).nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned();
    let (api, description) = (block("api.yaml"), block("systems/northbay/system.yaml"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("systems/northbay")).unwrap();
    std::fs::write(folder.path().join("api.yaml"), &api).unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("systems/northbay/system.yaml"), text).unwrap();
    let said = |arguments: &[&str]| crate::common::crossdock(folder.path(), arguments).1;
    let header = "        headers: { Idempotency-Key: \"{items.0.number} {now}\" }\n";
    for (from, to, code, words) in [
        (header, "", "E0622", "demands the header `Idempotency-Key`"),
        ("batch: 50", "batch: 80", "E0622", "takes 50 at most, and `batch` is 80"),
        ("per_page: 100", "per_page: 500", "E0622", "takes 100 at most, and `per_page` is 500"),
        ("per_page: 100", "per_page: many", "E0621", "takes a whole number for this parameter, and this is `many`"),
        ("per_page: 100", "per_page: 1.5", "E0621", "takes a whole number for `per_page`, and this is `1.5`"),
        ("page: \"{page}\"", "page: 0", "E0622", "takes 1 at least, and `page` is 0"),
        ("sort: created_at", "sort: 5", "E0621", "no value `5`"),
        ("key: number", "key: tracking_number", "E0621", "`tracking_number` is the key, and the vendor's file has it as `readOnly`"),
        ("records: orders, filter: exact", "filter: exact", "E0604", "add `records: orders`"),
        ("Idempotency-Key", "Idempotency-Ky", "E0621", "did you mean `Idempotency-Key`?"),
    ] {
        assert!(description.contains(from), "{from}");
        write(&description.replacen(from, to, 1));
        let out = said(&["system", "import", "northbay", "--openapi", "api.yaml"]);
        assert!(out.contains(code) && out.contains(words), "{to}: {out}");
    }
    write(&description);
    assert!(!said(&["system", "import", "northbay", "--openapi", "api.yaml"]).contains("error"), "the example is clean");
    // A call that the last import did not need: the vendor's file is not to blame.
    write(&description.replacen("call: \"GET /orders/{id}\"", "call: \"GET /orders/{id}/full\"", 1));
    for command in [&["system", "check", "northbay"][..], &["system", "import", "northbay"][..]] {
        let out = said(command);
        assert!(out.contains("none of the calls that were imported") && out.contains("crossdock system import northbay --openapi FILE"), "{out}");
    }
    write(&description.replacen("system: northbay", "system: southbay", 1));
    let out = said(&["system", "check", "northbay"]);
    assert!(out.contains("E0601") && out.contains("its folder `northbay`"), "{out}");
}
