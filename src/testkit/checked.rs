//! Case files held against the mappings that they are about: their words, flows, objects, fields, and the files that they name.
//!
//! `test` runs cases; what is misspelt in one would there be a difference of payloads, or pass.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::cases::{self, Case, CaseFault};
use super::runner::NO_RECORD;
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Source, Sources, Span, nearest};
use crate::ir::{Flow, Mapping};
use crate::project::config::Config;
use crate::project::records::{self, Form};
use crate::project::{Absence, Compiled, Library};
use crate::schema::Object;
use crate::value::{Kind, ObjectRef, WireEncoding};
use crate::yaml::{self, Entry, Node, NotYaml, Shape, not_yaml};

const FILE: &[&str] = &["flow", "now", "cases"];
const CASE: &[&str] = &["name", "flow", "given", "expect"];
const GIVEN: &[&str] = &["record", "with", "matched", "target", "parameters", "now"];
const EXPECT: &[&str] = &["sent", "rejected", "review", "warned", "not_eligible", "follow_ups"];

/// What is known of the systems' objects: those that the mappings touch.
type Objects = BTreeMap<ObjectRef, Arc<Object>>;

/// A case file as read.
#[derive(Debug)]
struct CaseText {
    name: String,
    text: Result<Arc<str>, Absence>,
    node: Option<Result<Node, yaml::Unreadable>>,
    /// What would stop `test`.
    fault: Option<CaseFault>,
}

/// All case files of a project, and the files of records that they name.
#[derive(Debug, Default)]
pub struct CaseTexts {
    texts: Vec<CaseText>,
    fixtures: BTreeMap<String, Result<usize, String>>,
    /// Files that are there or are not, as far as they were asked for.
    there: BTreeMap<String, bool>,
}

/// Reads all case files of a project. It needs nothing of the mappings, and may run beside their check.
pub fn read_all(library: &dyn Library) -> CaseTexts {
    let mut files = library.list(".yaml");
    files.extend(library.list(".yml"));
    let cases = files.into_iter().filter(|name| name.starts_with("cases/") || name.contains("/cases/"));
    let there = There { library, known: RefCell::default() };
    let exists = |path: &str| there.exists(path);
    let read = |name: String| {
        let text = library.read(&name);
        let node = text.as_ref().ok().map(|text| yaml::read(text));
        let fault = text.as_ref().ok().and_then(|text| cases::read(&name, text, &exists).err());
        CaseText { name, text, node, fault }
    };
    let texts: Vec<CaseText> = cases.map(read).collect();
    let mut fixtures = BTreeMap::new();
    for case in &texts {
        let Some(Ok(node)) = &case.node else { continue };
        let given = node.get("cases").and_then(Node::elements).into_iter().flatten().filter_map(|case| case.get("given"));
        for node in given.flat_map(|given| [given.get("record"), given.get("target")]).flatten() {
            let Some(path) = node.text() else { continue };
            let place = cases::beside(&case.name, path, &exists);
            // How a CSV file is written is said by the project's file, which is read meanwhile.
            if Form::of(&place) != Form::Csv && exists(&place) {
                fixtures.entry(place).or_insert_with_key(|place| count(library, &Config::default(), place));
            }
        }
    }
    CaseTexts { texts, fixtures, there: there.known.into_inner() }
}

/// Which files are there: many cases name the same ones, and each look goes to the disk.
struct There<'a> {
    library: &'a dyn Library,
    known: RefCell<BTreeMap<String, bool>>,
}

impl There<'_> {
    fn exists(&self, path: &str) -> bool {
        if let Some(known) = self.known.borrow().get(path) {
            return *known;
        }
        let there = self.library.exists(path);
        self.known.borrow_mut().insert(path.to_owned(), there);
        there
    }
}

/// How many records are in a file, or why it cannot be read.
fn count(library: &dyn Library, config: &Config, path: &str) -> Result<usize, String> {
    records::fixture(library, config, path).map(|records| records.len())
}

/// Adds what is wrong with the cases to what was found. A project with an error is left as it is: its flows are not known.
pub fn check(library: &dyn Library, cases: &CaseTexts, compiled: &mut Compiled) {
    if compiled.diagnostics.iter().any(Diagnostic::is_error) {
        return;
    }
    let mut found = Vec::new();
    let mut sources = compiled.sources.clone();
    {
        let mapping = compiled.mapping.as_ref().or(compiled.plan.as_ref().map(|plan| &plan.mapping));
        let Some(mapping) = mapping else { return };
        let there = There { library, known: RefCell::new(cases.there.clone()) };
        let fixtures = Fixtures { there, config: &compiled.config, read: RefCell::new(cases.fixtures.clone()) };
        for case in &cases.texts {
            file(case, mapping, &compiled.objects, &fixtures, &mut sources, &mut found);
        }
        let exists = |path: &str| fixtures.there.exists(path);
        for test in &mapping.tests {
            item(&cases::of_item(test, &exists), &fixtures, &sources, &mut found);
        }
    }
    if !found.is_empty() {
        compiled.sources = sources;
        compiled.refuse(found);
    }
}

/// The files of records that cases name, each read once.
struct Fixtures<'a> {
    there: There<'a>,
    config: &'a Config,
    /// How many records are in each, or why it cannot be read.
    read: RefCell<BTreeMap<String, Result<usize, String>>>,
}

impl Fixtures<'_> {
    /// Why a file cannot be used; `None` where it can. `one`: it has to have a record.
    fn fault(&self, path: &str, one: bool) -> Option<String> {
        let mut read = self.read.borrow_mut();
        let known = read.entry(path.to_owned()).or_insert_with(|| count(self.there.library, self.config, path));
        match known {
            Ok(0) if one => Some(format!("`{path}` {NO_RECORD}")),
            Ok(_) => None,
            Err(reason) => Some(format!("`{path}` cannot be read as records: {reason}")),
        }
    }
}

/// The files that a `test` of a mapping names.
fn item(case: &Case, fixtures: &Fixtures<'_>, sources: &Sources, found: &mut Vec<Diagnostic>) {
    let Some(file) = sources.find(&case.file) else { return };
    let line = sources.get(file).map(|source| source.span_of_line(case.line)).unwrap_or_default();
    let mut paths = vec![(&case.given.record, true)];
    paths.extend(case.given.matched.iter().map(|(_, path)| path).chain(&case.given.target).map(|path| (path, false)));
    // One that is not there was told with the mapping.
    let fault = paths.into_iter().filter(|(path, _)| fixtures.there.exists(path)).find_map(|(path, one)| fixtures.fault(path, one));
    found.extend(fault.map(|fault| Diagnostic::new(Code::BadCase, Span::new(file, line.0, line.1), fault)));
}

fn file(case: &CaseText, mapping: &Mapping, objects: &Objects, fixtures: &Fixtures<'_>, sources: &mut Sources, found: &mut Vec<Diagnostic>) {
    let text = match &case.text {
        Ok(text) => text,
        Err(Absence::NotText(not)) => {
            let file = sources.add(Source::new(&*case.name, not.text.clone()));
            let said = Diagnostic::new(Code::BadCase, Span::new(file, not.at, not.at + 1), format!("`{}` cannot be read as text", case.name));
            found.push(said.label(Absence::NotText(not.clone()).to_string()).help(not.help()));
            return;
        }
        Err(absence) => {
            let file = sources.add(Source::new(&*case.name, ""));
            found.push(Diagnostic::new(Code::BadCase, Span::new(file, 0, 0), format!("`{}` cannot be read", case.name)).label(absence.to_string()));
            return;
        }
    };
    let id = sources.add(Source::new(&*case.name, text.clone()));
    let before = found.len();
    let mut cases = Cases { file: id, name: &case.name, mapping, objects, fixtures, found };
    match &case.node {
        Some(Ok(node)) => cases.whole(node),
        Some(Err(fault)) => cases.unreadable(text, fault),
        None => {}
    }
    // What stops `test` stops the check, if it is none of the above.
    if let Some(fault) = case.fault.as_ref().filter(|_| found.len() == before) {
        let line = sources.get(id).map(|source| source.span_of_line(fault.line)).unwrap_or_default();
        found.push(Diagnostic::new(Code::BadCase, Span::new(id, line.0, line.1), fault.message.clone()));
    }
}

struct Cases<'a, 'f> {
    file: FileId,
    name: &'a str,
    mapping: &'a Mapping,
    objects: &'a Objects,
    fixtures: &'a Fixtures<'a>,
    found: &'f mut Vec<Diagnostic>,
}

impl Cases<'_, '_> {
    fn unreadable(&mut self, text: &str, fault: &yaml::Unreadable) {
        let said = NotYaml { code: Code::BadCase, file: self.file, message: "the case file is not readable as YAML" };
        let findings = |text: &str| usize::from(cases::read("", text, &|_| true).is_err());
        let said = not_yaml(&said, text, fault, &findings);
        self.found.push(said);
    }

    fn key(&self, entry: &Entry) -> Span {
        Span::new(self.file, entry.start, entry.end)
    }

    fn span(&self, node: &Node) -> Span {
        Span::new(self.file, node.start, node.end)
    }

    /// Says that a word is none of those that can stand here.
    fn unknown(&mut self, what: &str, word: &str, at: Span, known: &[&str]) {
        let said = Diagnostic::new(Code::BadCase, at, what.to_owned());
        let said = match nearest(word, known.iter().copied()) {
            Some(near) => said.mend(format!("did you mean `{near}`?"), at, near),
            None if known.is_empty() => said.help("take it out"),
            None => said.help(format!("there is {}", some(known))),
        };
        self.found.push(said);
    }

    /// The entries of a block whose names are known; others are told.
    fn block<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Vec<&'n Entry> {
        let Some(entries) = node.entries() else {
            if node.shape != Shape::Nothing {
                let at = self.span(node);
                self.found.push(
                    Diagnostic::new(Code::BadCase, at, format!("`{what}` is a block of names and values, and this is {}", node.noun()))
                        .help(format!("write {}", some(known))),
                );
            }
            return Vec::new();
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let at = self.key(entry);
            self.unknown(&format!("a case has no `{}` in `{what}`", entry.key), &entry.key, at, known);
        }
        entries.iter().filter(|entry| known.contains(&entry.key.as_str())).collect()
    }

    /// Says that a block has no entry of a name that it has to have.
    fn lacks(&mut self, node: &Node, whole: &str, name: &str, help: &str) {
        let entries = node.entries();
        if node.shape != Shape::Nothing && entries.is_none_or(|entries| entries.iter().any(|entry| entry.key == name)) {
            // It is no block, which was told.
            return;
        }
        let at = entries.and_then(<[Entry]>::first).map_or_else(|| self.span(node), |first| self.key(first));
        self.found.push(Diagnostic::new(Code::BadCase, at, format!("{whole} has no `{name}`")).help(help));
    }

    fn whole(&mut self, node: &Node) {
        let mut usual = None;
        let mut cases: &[Node] = &[];
        self.lacks(node, "the case file", "cases", "write `cases:`, and below it each case: `- name: …`; `crossdock explain E0411` shows the form");
        let mut named = false;
        for entry in self.block(node, "the file", FILE) {
            match entry.key.as_str() {
                "flow" => {
                    named = true;
                    usual = self.flow(&entry.value);
                }
                "now" => self.time(&entry.value),
                _ => match entry.value.elements() {
                    Some(list) => cases = list,
                    None => {
                        let at = self.key(entry);
                        self.found.push(Diagnostic::new(Code::BadCase, at, "`cases` is a list").help("each case begins with `- name: …`"));
                    }
                },
            }
        }
        for case in cases {
            self.case(case, usual, named);
        }
    }

    fn flow(&mut self, node: &Node) -> Option<usize> {
        let name = node.text()?;
        if let Some(at) = self.mapping.flows.iter().position(|flow| flow.name == name) {
            return Some(at);
        }
        let known: Vec<&str> = self.mapping.flows.iter().map(|flow| flow.name.as_str()).collect();
        let at = self.span(node);
        self.unknown(&format!("there is no flow `{name}`"), name, at, &known);
        None
    }

    fn time(&mut self, node: &Node) {
        if let Some(text) = node.text()
            && text.parse::<jiff::Timestamp>().is_err()
        {
            let at = self.span(node);
            let said = Diagnostic::new(Code::BadCase, at, format!("`{text}` is no time"));
            let day = text.get(..10).and_then(|day| day.parse::<jiff::civil::Date>().ok());
            self.found.push(match day {
                Some(day) => said.mend(format!("write `{day}T12:00:00Z`"), at, format!("{day}T12:00:00Z")),
                None => said.help("write it as 2026-03-01T12:00:00Z"),
            });
        }
    }

    /// `named`: the file names a flow for its cases.
    fn case(&mut self, node: &Node, usual: Option<usize>, named: bool) {
        let before = self.found.len();
        let entries = self.block(node, "a case", CASE);
        self.lacks(node, "the case", "name", "say in a few words what it shows: `name: …`");
        self.lacks(node, "the case", "given", "write the record that it begins with: `given: { record: fixtures/order.json }`");
        if !named {
            self.lacks(node, "the case", "flow", "write `flow: name` at the top of the file");
        }
        let own = entries.iter().find(|entry| entry.key == "flow").map(|entry| &entry.value);
        let flow = match own {
            Some(own) => self.flow(own),
            None => usual,
        };
        let mapping = self.mapping;
        let flow = flow.and_then(|at| mapping.flows.get(at));
        for entry in entries {
            match entry.key.as_str() {
                "given" => self.given(&entry.value, flow),
                "expect" => self.expect(&entry.value, flow),
                _ => {}
            }
        }
        // One mistake of a case may show in several of its words: the first is the cause.
        self.found.truncate(before + 1);
    }

    fn given(&mut self, node: &Node, flow: Option<&Flow>) {
        self.lacks(node, "`given`", "record", "name the file of the record: `record: fixtures/order.json`");
        for entry in self.block(node, "given", GIVEN) {
            match entry.key.as_str() {
                "record" => self.path(&entry.value, true),
                "target" => self.path(&entry.value, false),
                "now" => self.time(&entry.value),
                "with" => {
                    if let (Some(flow), Some(fields)) = (flow, entry.value.entries()) {
                        let of = flow.source.clone();
                        fields.iter().for_each(|field| self.field(field, &of));
                    }
                }
                "matched" => {
                    for matched in entry.value.entries().unwrap_or_default() {
                        let known: Vec<&str> = flow.map(|flow| flow.matches.iter().map(|found| found.name.as_str()).collect()).unwrap_or_default();
                        if flow.is_some() && !known.contains(&matched.key.as_str()) {
                            let at = self.key(matched);
                            self.unknown(&format!("the flow has no match `{}`", matched.key), &matched.key, at, &known);
                        }
                        self.path(&matched.value, false);
                    }
                }
                _ => {
                    for parameter in entry.value.entries().unwrap_or_default() {
                        let known: Vec<&str> = self.mapping.parameters.keys().map(String::as_str).collect();
                        if !known.contains(&parameter.key.as_str()) {
                            let at = self.key(parameter);
                            self.unknown(&format!("no mapping declares the parameter `{}`", parameter.key), &parameter.key, at, &known);
                        }
                    }
                }
            }
        }
    }

    /// A file of records that a case names: beside it, or from the project's folder. `one`: it has to have a record.
    fn path(&mut self, node: &Node, one: bool) {
        let Some(path) = node.text() else { return };
        let there = &self.fixtures.there;
        let place = cases::beside(self.name, path, &|path| there.exists(path));
        if there.exists(&place) {
            let at = self.span(node);
            let said = self.fixtures.fault(&place, one).map(|fault| Diagnostic::new(Code::BadCase, at, fault));
            self.found.extend(said);
            return;
        }
        let ending = path.rsplit_once('.').map_or(".json", |(_, ending)| ending);
        let all = there.library.list(&format!(".{}", ending.trim_start_matches('.')));
        let known: Vec<&str> = all.iter().map(String::as_str).collect();
        let at = self.span(node);
        let said = Diagnostic::new(Code::BadCase, at, format!("there is no file `{path}`"));
        self.found.push(match nearest(path, known.iter().copied()) {
            Some(near) => said.mend(format!("did you mean `{near}`?"), at, near),
            None => said.help("paths begin at the case file's folder, or at the project's"),
        });
    }

    fn expect(&mut self, node: &Node, flow: Option<&Flow>) {
        for entry in self.block(node, "expect", EXPECT) {
            let writes: Vec<&ObjectRef> = match (flow, entry.key.as_str()) {
                (Some(flow), "sent") => flow.writes.iter().map(|write| &write.object).collect(),
                (Some(flow), "follow_ups") => flow.follow_ups.iter().flat_map(|after| &after.writes).map(|write| &write.object).collect(),
                _ => continue,
            };
            let names: Vec<String> = writes.iter().map(ToString::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for object in entry.value.entries().unwrap_or_default() {
                let Some(of) = writes.iter().find(|of| of.to_string() == object.key).map(|of| (*of).clone()) else {
                    let at = self.key(object);
                    self.unknown(&format!("the flow writes no `{}`", object.key), &object.key, at, &names);
                    continue;
                };
                let payloads: Vec<&Node> = match object.value.elements() {
                    Some(list) => list.iter().collect(),
                    None => vec![&object.value],
                };
                for payload in payloads {
                    payload.entries().unwrap_or_default().iter().for_each(|field| self.field(field, &of));
                }
            }
        }
    }

    /// A field of an object, and the fields inside it.
    fn field(&mut self, entry: &Entry, of: &ObjectRef) {
        let Some(mut object) = self.objects.get(of).cloned() else { return };
        let (mut of, mut inner, mut wire) = (of.clone(), None, WireEncoding::Plain);
        let parts: Vec<&str> = entry.key.split('.').collect();
        for (depth, part) in parts.iter().enumerate() {
            let Some(field) = object.fields.get(*part) else {
                // A part of a compound field stands for the compound: `ShippingPostalCode`. An amount may say its currency.
                if is_part(&object, part) || object.unlisted_currency() == Some(*part) {
                    return;
                }
                let known: Vec<String> = object.fields.keys().cloned().collect();
                let before = parts[..depth].iter().map(|part| format!("{part}.")).collect::<String>();
                let known: Vec<String> = known.iter().map(|name| format!("{before}{name}")).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let at = self.key(entry);
                self.unknown(&format!("`{of}` has no field `{part}`"), &entry.key, at, &known);
                return;
            };
            inner = object_of(&field.kind);
            wire = field.wire.clone();
            match inner.as_ref().and_then(|next| self.objects.get(next).map(|found| (next.clone(), Arc::clone(found)))) {
                Some((next, found)) => (of, object) = (next, found),
                None if depth + 1 < parts.len() => return,
                None => {}
            }
        }
        let Some(inner) = inner else { return };
        let nodes: Vec<&Node> = match &entry.value.shape {
            Shape::List(nodes) => nodes.iter().collect(),
            // Children as the system gives them, in what is around them.
            _ if wire == WireEncoding::Records => entry.value.get("records").and_then(Node::elements).into_iter().flatten().collect(),
            _ if wire == WireEncoding::Connection => {
                entry.value.get("edges").and_then(Node::elements).into_iter().flatten().filter_map(|edge| edge.get("node")).collect()
            }
            _ => vec![&entry.value],
        };
        for node in nodes {
            node.entries().unwrap_or_default().iter().for_each(|field| self.field(field, &inner));
        }
    }
}

fn object_of(kind: &Kind) -> Option<ObjectRef> {
    match kind {
        Kind::Object(of) => Some(of.clone()),
        Kind::List(of) => object_of(&of.kind),
        _ => None,
    }
}

/// `ShippingPostalCode` is a part of `ShippingAddress`.
fn is_part(object: &Object, name: &str) -> bool {
    let parts = ["Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode", "Latitude", "Longitude", "GeocodeAccuracy"];
    let compound =
        |field: &String| field.strip_suffix("Address").and_then(|prefix| name.strip_prefix(prefix)).is_some_and(|part| parts.contains(&part));
    object.fields.keys().any(compound)
}

fn some(known: &[&str]) -> String {
    let shown: Vec<&str> = known.iter().take(8).copied().collect();
    let more = if known.len() > shown.len() { format!(" and {} more", known.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
