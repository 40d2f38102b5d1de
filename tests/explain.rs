//! Every code has a page, and the page is true: its failing mapping gives just that code, its
//! mended one gives no error.
//!
//! A page's mappings are compiled in a project like the template's, with its snapshots. A page
//! may bring files of its own: a fence "yaml crossdock.yaml" or "csv tables/kits.csv", with "fails" or
//! "mended" behind it where the file itself is what is mended.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use crossdock::base::diag::render::{Look, View, terminal};
use crossdock::base::diag::{Code, Diagnostic, Severity};
use crossdock::base::{Source, Sources, Span, Spanned};
use crossdock::describe::against::{VendorFile, survey};
use crossdock::describe::model::{Spec, SpecForm};
use crossdock::project::{Options, Texts, compile};

const CONFIG: &str = "connections:\n  crm: { system: salesforce }\n  wms: { system: shipstation }\ntime_zone: Europe/London\n";

/// What compiling a mapping cannot give: test cases are read by the test command, and there is no
/// older edition than the first.
const ELSEWHERE: [Code; 2] = [Code::BadCase, Code::OlderEdition];

struct Page {
    title: String,
    fails: String,
    mended: String,
    /// The examples are descriptions of systems, not mappings.
    described: bool,
    files: Vec<(String, String)>,
}

fn page(code: Code) -> Page {
    let mut page = Page { title: String::new(), fails: String::new(), mended: String::new(), described: false, files: Vec::new() };
    let mut fence: Option<(String, String)> = None;
    for line in code.page().lines() {
        match (&mut fence, line.strip_prefix("```")) {
            (None, Some(opened)) => fence = Some((opened.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => {
                let Some((kind, text)) = fence.take() else { continue };
                match kind.as_str() {
                    "dock fails" => page.fails = text,
                    "dock mended" => page.mended = text,
                    "yaml description fails" => (page.fails, page.described) = (text, true),
                    "yaml description mended" => (page.mended, page.described) = (text, true),
                    other => page.files.extend(other.split_once(' ').map(|(_, file)| (file.to_owned(), text))),
                }
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("# ") {
                    page.title = title.to_owned();
                }
            }
        }
    }
    page
}

/// The template's snapshots, as files of a project.
fn snapshots() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/salesforce-shipstation");
    let mut files = Vec::new();
    for connection in ["crm", "wms"] {
        let Ok(entries) = std::fs::read_dir(root.join("schemas").join(connection)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((format!("schemas/{connection}/{name}"), std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    files
}

/// What is said of an example.
struct Said {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

fn compiled(mapping: &str, which: &str, page: &Page, snapshots: &[(String, String)]) -> Said {
    if page.described {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("system.yaml", mapping));
        let (described, mut diagnostics) = crossdock::describe::read(file, mapping);
        // The rules are asked of what could be read as a whole.
        if diagnostics.is_empty() {
            diagnostics.extend(described.iter().flat_map(crossdock::describe::check));
        }
        if let (Some(described), Some((_, vendor))) = (&described, page.files.iter().find(|(name, _)| name == "openapi.json")) {
            let api = crossdock::apispec::ApiSpec::openapi(&serde_json::from_str(vendor).unwrap()).unwrap();
            let spec = Spec {
                form: SpecForm::OpenApi,
                file: Spanned::new(String::new(), Span::default()),
                prefix: None,
                base: None,
                corrections: None,
                extra: None,
            };
            diagnostics.extend(survey(described, &[VendorFile { spec: &spec, api: &api, is_cut: false }]).found);
        }
        return Said { diagnostics, sources };
    }
    let mut texts = Texts::new(snapshots.iter().cloned());
    texts.put("crossdock.yaml", CONFIG);
    for (name, text) in &page.files {
        match name.split_once(' ') {
            None => texts.put(name.clone(), text.as_str()),
            Some((name, only)) if only == which => texts.put(name, text.as_str()),
            Some(_) => {}
        }
    }
    texts.put("page.dock", mapping);
    let compiled = compile(&texts, &Options::default());
    Said { diagnostics: compiled.diagnostics, sources: compiled.sources }
}

fn shown(compiled: &Said) -> String {
    compiled.diagnostics.iter().map(|d| terminal(d, View::new(&compiled.sources), Look::PLAIN)).collect()
}

fn codes(diagnostics: &[Diagnostic], severity: Severity) -> BTreeSet<Code> {
    diagnostics.iter().filter(|d| d.severity == severity).map(|d| d.code).collect()
}

#[test]
fn every_page_has_its_codes_title_and_two_examples() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let page = page(*code);
        if page.title != format!("{code}: {}", code.title()) {
            wrong.push(format!("{code}: the title is `{}`", page.title));
        }
        if page.fails.is_empty() || page.mended.is_empty() {
            wrong.push(format!("{code}: an example is missing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_failing_example_gives_just_its_code_and_the_mended_one_none() {
    let snapshots = snapshots();
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let page = page(*code);
        if page.fails.is_empty() || ELSEWHERE.contains(code) {
            continue;
        }
        // What the page can only hint at.
        let fails = page.fails.replace("# … and many thousand lines more\n", &"# one line more\n".repeat(100_000));
        let failed = compiled(&fails, "fails", &page, &snapshots);
        let (errors, warnings) = (codes(&failed.diagnostics, Severity::Error), codes(&failed.diagnostics, Severity::Warning));
        let just = match code.severity() {
            Severity::Error => errors == BTreeSet::from([*code]),
            Severity::Warning => errors.is_empty() && warnings.contains(code),
        };
        if !just {
            wrong.push(format!("{code}: its failing example gives\n{}", shown(&failed)));
        }
        let mended = compiled(&page.mended, "mended", &page, &snapshots);
        let left = codes(&mended.diagnostics, Severity::Error);
        if !left.is_empty() || mended.diagnostics.iter().any(|d| d.code == *code) {
            wrong.push(format!("{code}: its mended example gives\n{}", shown(&mended)));
        }
    }
    assert!(wrong.is_empty(), "{} pages are wrong\n\n{}", wrong.len(), wrong.join("\n"));
}
