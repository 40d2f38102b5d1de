//! Cases as text: a mapping, and under a line the mistakes that are expected in it.
//!
//! A case begins with `=== its name`. A line `# ^^^^ error E0204: words` under a line of the
//! mapping says that this is found there; the words may be a part of the headline, of the label or
//! of a help. What is found and not expected fails the case, and the other way round. A case
//! without `edition` is a piece of a flow from `crm.Order`; top-level items may stand before a
//! line `~~~`.

mod printed;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::diag::{Diagnostic, Severity};
use crate::base::{FileId, Source, Sources, Span};
use crate::check::{CheckEnvironment, Checked, Setting, TableFault, Unit, check};
use crate::schema::{Catalog, Connection, Names, Object, Schemas};
use crate::syntax;
use crate::value::ObjectRef;

/// The client of the template, in memory.
struct Client {
    catalog: Catalog,
}

impl Client {
    fn new() -> Self {
        let connection = |name: &str, system: &str| Connection { name: name.into(), system: system.into() };
        let mut catalog = Catalog::new(vec![
            connection("crm", "salesforce"),
            connection("wms", "shipstation"),
            connection("hero", "shiphero"),
            connection("ct", "commercetools"),
        ]);
        let folder = root().join("mappings/salesforce-shipstation/schemas");
        let mut files: Vec<PathBuf> = fs::read_dir(folder.join("crm")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            catalog.put_text("crm", &name, &fs::read_to_string(&file).unwrap()).unwrap();
        }
        let names: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join("wms/names.json")).unwrap()).unwrap();
        for (kind, list) in names.as_object().unwrap() {
            if list.is_array() {
                let mut list = list.clone();
                if kind == "Store" {
                    let twin = |id: u32| serde_json::json!({ "name": "Twin", "id": id });
                    list.as_array_mut().unwrap().extend([twin(1), twin(2)]);
                }
                let known = Names { pulled: names["pulled"].as_str().map(str::to_owned), names: serde_json::from_value(list).unwrap() };
                catalog.put_names(ObjectRef::new("wms", kind.as_str()), known);
            }
        }
        Client { catalog }
    }
}

impl Schemas for Client {
    fn connections(&self) -> Vec<Connection> {
        self.catalog.connections()
    }
    fn object(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        self.catalog.object(of)
    }
    fn objects(&self, connection: &str) -> Vec<String> {
        self.catalog.objects(connection)
    }
    fn names(&self, of: &ObjectRef) -> Option<Arc<Names>> {
        self.catalog.names(of)
    }
    fn has_names(&self, connection: &str) -> bool {
        self.catalog.has_names(connection)
    }
}

impl CheckEnvironment for Client {
    fn table(&self, _: FileId, path: &str) -> Result<(String, Arc<str>), TableFault> {
        match path {
            "tables/kits.csv" => Ok((path.into(), "kit_sku,sku,quantity\nKIT-1,SKU-1,2\nKIT-1,SKU-2,1\n".into())),
            "tables/one.csv" => Ok((path.into(), "sku,bin\nSKU-1,A1\n".into())),
            other => Err(TableFault::NotFound(other.into())),
        }
    }
    fn parameter(&self, name: &str) -> Option<Setting> {
        self.parameters().into_iter().find(|(known, _)| known == name).map(|(_, setting)| setting)
    }
    fn parameters(&self) -> Vec<(String, Setting)> {
        let at = Span::new(FileId(9), 0, 1);
        vec![
            ("default_warehouse".into(), Setting { text: "Reno DC".into(), span: at }),
            ("bad_count".into(), Setting { text: "many".into(), span: at }),
        ]
    }
    fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::UTC
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A mapping as text, checked.
fn checked(text: &str) -> (Checked, Sources) {
    let mut sources = Sources::default();
    let file = sources.add(Source::new("case.dock", text));
    let (tree, unread) = syntax::read(file, text);
    let uses = vec![None; tree.uses.len()];
    let unit = Unit { file, tree, uses, extends: None, runs: true };
    let mut checked = check(&[unit], &sources, &Client::new());
    checked.diagnostics.extend(unread);
    (checked, sources)
}

/// A piece of a flow, made a whole file.
fn whole(text: &str) -> String {
    if text.contains("edition 1") {
        return text.to_owned();
    }
    let (items, flow) = text.split_once("~~~\n").unwrap_or(("", text));
    let from = if flow.trim_start().starts_with("from ") { "" } else { "from crm.Order as order { every 5 minutes }\n" };
    format!("edition 1\n{items}flow f {{\n{from}{flow}\n}}\n")
}

#[derive(Debug)]
struct Expected {
    line: u32,
    columns: (u32, u32),
    severity: Severity,
    code: String,
    words: String,
    met: bool,
}

fn expectations(text: &str) -> Vec<Expected> {
    let mut out = Vec::new();
    let mut line = 0;
    for (at, written) in text.lines().enumerate() {
        let Some(start) = written.find('^').filter(|_| written.trim_start().starts_with('#')) else {
            line = at as u32 + 1;
            continue;
        };
        let carets = written[start..].chars().take_while(|c| *c == '^').count();
        let (start, carets) = (u32::try_from(start).unwrap(), u32::try_from(carets).unwrap());
        let first = if start == 1 { 1 } else { start + 1 };
        let rest = written[start as usize + carets as usize..].trim();
        let (severity, rest) = rest.split_once(' ').expect("a severity");
        let (code, words) = rest.split_once(':').unwrap_or((rest, ""));
        let severity = if severity == "error" { Severity::Error } else { Severity::Warning };
        out.push(Expected { line, columns: (first, start + carets), severity, code: code.trim().into(), words: words.trim().into(), met: false });
    }
    out
}

fn met(expected: &Expected, found: &Diagnostic, sources: &Sources) -> bool {
    let source = sources.get(found.primary.span.file).unwrap();
    let start = source.position(found.primary.span.start);
    let all: Vec<&str> = [found.message.as_str(), found.primary.text.as_str()]
        .into_iter()
        .chain(found.why.as_deref())
        .chain(found.help.iter().map(|help| help.text.as_str()))
        .chain(found.help.iter().filter_map(|help| help.edit.as_ref()).map(|edit| edit.replacement.as_str()))
        .collect();
    found.code.number() == expected.code
        && found.severity == expected.severity
        && start.line == expected.line
        && (expected.columns.0..=expected.columns.1).contains(&start.column)
        && (expected.words.is_empty() || all.iter().any(|text| text.contains(&expected.words)))
}

fn shown(found: &Diagnostic, sources: &Sources) -> String {
    let position = sources.get(found.primary.span.file).map(|source| source.position(found.primary.span.start));
    let place = position.map_or_else(String::new, |p| format!("{}:{}", p.line, p.column));
    let help: Vec<String> = found.help.iter().map(|help| help.text.clone()).collect();
    format!("{place} {} {} ({}) [{}]", found.code, found.message, found.primary.text, help.join(" | "))
}

/// What is wrong with a case, or nothing.
fn run(text: &str) -> Option<String> {
    let text = whole(text);
    let mut expected = expectations(&text);
    let (checked, sources) = checked(&text);
    let strict = text.contains("# strict") || expected.iter().any(|one| one.severity == Severity::Warning);
    let mut wrong = Vec::new();
    for found in &checked.diagnostics {
        match expected.iter_mut().find(|one| !one.met && met(one, found, &sources)) {
            Some(one) => one.met = true,
            // Doubts are not every case's subject.
            None if found.severity == Severity::Warning && !strict => {}
            None if found.severity == Severity::Warning && matches!(found.code.number(), "W0501" | "W0503" | "W0504" | "W0509" | "W0510") => {}
            None => wrong.push(format!("  not expected: {}", shown(found, &sources))),
        }
    }
    wrong.extend(expected.iter().filter(|one| !one.met).map(|one| format!("  not found: {one:?}")));
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

fn cases(file: &str) {
    let text = fs::read_to_string(root().join("src/check/tests/cases").join(file)).unwrap();
    let only = std::env::var("CASE").ok();
    let mut failed = Vec::new();
    for case in text.split("=== ").skip(1) {
        let (name, body) = case.split_once('\n').unwrap();
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        if let Some(wrong) = run(body) {
            failed.push(format!("{name}\n{wrong}"));
        }
    }
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

macro_rules! files {
    ($($name:ident)*) => { $(#[test] fn $name() { cases(concat!(stringify!($name), ".cases")); })* };
}

files! { samples presence names fields values calls flows writes routes functions }

#[test]
fn a_checked_mapping_survives_its_plan() {
    let text = fs::read_to_string(root().join("src/check/tests/cases/samples.cases")).unwrap();
    for case in text.split("=== ").skip(1) {
        let (name, body) = case.split_once('\n').unwrap();
        let (checked, sources) = checked(&whole(body));
        let said: Vec<String> = checked.diagnostics.iter().filter(|d| d.is_error()).map(|d| shown(d, &sources)).collect();
        let mapping = checked.mapping.unwrap_or_else(|| panic!("{name}: {said:?}"));
        let json = serde_json::to_string(&mapping).unwrap();
        let back: crate::ir::Mapping = serde_json::from_str(&json).unwrap();
        assert_eq!(back, crate::ir::Mapping { tests: Vec::new(), ..mapping }, "{name}");
    }
}

/// Texts that a person would hardly write end all the same, and soon.
#[test]
fn deep_and_many_calls_end() {
    // Unoptimised frames are large, and the stack of a test is small.
    std::thread::Builder::new().stack_size(32 << 20).spawn(deep_and_many_calls).unwrap().join().unwrap();
}

/// Names that are made of names multiply what is known of them; it is told, and neither time nor memory goes beyond bounds.
#[test]
fn names_that_multiply_are_told() {
    let begun = std::time::Instant::now();
    let lets = |rows: &dyn Fn(usize) -> String, times: usize| (1..=times).map(rows).collect::<String>();
    let end = |name: &str| format!("update crm.Order of order {{ Description = {name} }}");
    let codes = |text: &str| {
        let (checked, _) = checked(&whole(text));
        checked.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.code.number().to_owned()).collect::<Vec<_>>()
    };
    // The same name twice: nothing more is known of it.
    for (first, times) in [("order.Id", 24), ("order.PoNumber", 24), ("order.PoNumber", 400)] {
        let text =
            format!("let a0 = {first}\n{}{}", lets(&|n| format!("let a{n} = \"{{a{}}}{{a{}}}\"\n", n - 1, n - 1), times), end(&format!("a{times}")));
        assert_eq!(codes(&text), Vec::<String>::new(), "{first} {times}");
    }
    // Each made of two others, by whatever joins them.
    let both = [("\"{x}{y}\"", "\"{y}{x}\""), ("x ?? y", "y ?? x"), ("if x == \"1\" then x else y", "if y == \"1\" then y else x")];
    for (one, other) in both {
        let row = |n: usize| {
            let named = |text: &str| text.replace('x', &format!("a{}", n - 1)).replace('y', &format!("b{}", n - 1));
            format!("let a{n} = {}\nlet b{n} = {}\n", named(one), named(other))
        };
        let text = format!("let a0 = order.PoNumber\nlet b0 = order.Description\n{}{}", lets(&row, 40), end("\"{a40}{b40}\""));
        let found = codes(&text);
        assert!(found.len() < 20, "{one}: {found:?}");
    }
    // Functions, whose arguments are made of their arguments.
    let functions: String = (1..30).map(|n| format!("function f{n}(x: text) -> text = f{}(\"{{x}}{{x}}\")\n", n - 1)).collect();
    let text = format!("function f0(x: text) -> text = x\n{functions}~~~\n{}", end("f29(order.Id)"));
    assert!(codes(&text).len() < 5);
    // A long body that is called often.
    let body = vec!["{x}"; 2_000].concat();
    let calls = (0..2_000).map(|n| format!("let c{n} = f(order.Id)\n")).collect::<String>();
    let found = codes(&format!("function f(x: text) -> text = \"{body}\"\n~~~\n{calls}{}", end("c0")));
    assert!(found.contains(&"E0119".to_owned()), "{found:?}");
    // Names without end that each are large.
    let wide = (0..9).map(|n| format!("let p{n} = order.PoNumber | without prefix \"{n}\"\n")).collect::<String>();
    let all = (0..9).map(|n| format!("{{p{n}}}")).collect::<String>();
    let many = lets(&|n| format!("let m{n} = \"{{m{}}}{all}\"\n", n - 1), 3_000);
    let found = codes(&format!("{wide}let m0 = order.PoNumber\n{many}{}", end("m3000")));
    assert!(found.iter().all(|code| code == "E0119"), "{found:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{:?}", begun.elapsed());
}

fn deep_and_many_calls() {
    let deep = |open: &str, close: &str, inner: &str, times: usize| format!("{}{inner}{}", open.repeat(times), close.repeat(times));
    for expr in [
        deep("trim(", ")", "order.Id", 100),
        deep("(order.PoNumber ?? ", ")", "order.Id", 100),
        deep("sum(x for x in ", ")", "order.OrderItems", 60),
        deep("if order.PoNumber is present then order.Id else (", ")", "order.Id", 100),
        deep("not (", ")", "true", 100),
    ] {
        let (checked, _) = checked(&whole(&format!("let a = {expr}\nupdate crm.Order of order {{ Description = \"{{a}}\" }}")));
        assert!(checked.diagnostics.len() < 200);
    }
    let steps = format!("order.Id{}", " | trim".repeat(120));
    let (deepest, _) = checked(&whole(&format!("update crm.Order of order {{ Description = {steps} }}")));
    assert!(deepest.diagnostics.iter().any(|d| d.code.number() == "E0003"));
    let functions: String = (0..30).map(|n| format!("function f{n}(t: text) -> text = \"{{f{}(t)}}{{f{}(t)}}\"\n", n + 1, n + 1)).collect();
    let text = format!("{functions}function f30(t: text) -> text = t\n~~~\nupdate crm.Order of order {{ Description = f0(order.Id) }}");
    let (checked, sources) = checked(&whole(&text));
    assert!(
        checked.diagnostics.iter().any(|d| d.code.number() == "E0113"),
        "{:?}",
        checked.diagnostics.iter().map(|d| shown(d, &sources)).collect::<Vec<_>>()
    );
}
