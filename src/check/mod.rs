//! Checks a mapping against the schemas of both its ends.
//!
//! In: the trees of all files as written, and a [`CheckEnvironment`] that knows schemas, names, tables and
//! parameters. Out: every mistake found, in the order of the text; and, if there is no error, a
//! typed mapping in which no name is left to look up.
//!
//! A mistake never hides the next one: an expression that cannot be given a kind gets
//! [`Kind::Any`](crate::value::Kind::Any) and checking goes on. Whether a *record* fits is not
//! decided here; that is for `eval`.

mod arithmetic;
mod assign;
mod body;
mod builtin_calls;
mod calls;
mod checker;
mod conditions;
mod doubts;
mod error;
mod expect;
mod expr;
mod extent;
mod facts;
mod flow;
mod functions;
mod items;
mod json_path;
mod key;
mod limits;
mod lint;
mod lists;
mod logic;
mod lookups;
mod matches;
mod overlay;
mod parameters;
mod paths;
pub use parameters::parameter_value;
pub use schedule::{LONGEST as LONGEST_STRETCH, cron};
mod route;
mod routes;
mod rules;
mod schedule;
mod scope;
mod sheet;
mod source;
mod table;
mod test_item;
#[cfg(test)]
mod tests;
mod values;
mod writes;
mod written;

use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic, Label};
use crate::base::{FileId, Sources, Spread, each, each_light};
use crate::ir;
use crate::schema::Schemas;
use crate::syntax::tree;

/// One file of the project, read, with the files that it names already found.
#[derive(Debug, Clone)]
pub struct Unit {
    pub file: FileId,
    pub tree: tree::File,
    /// For each of `tree.uses`, in order, the unit that it brings in; `None` was reported.
    pub uses: Vec<Option<usize>>,
    /// The unit that `extends` names.
    pub extends: Option<usize>,
    /// Its flows run in this project: it lies in it, and no overlay of the project extends it.
    pub runs: bool,
}

/// A value from `crossdock.yaml`, as its text stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub text: String,
    /// Where it stands, for a message.
    pub span: crate::base::Span,
}

/// What the checker asks of the outside.
pub trait CheckEnvironment: Schemas {
    /// The text of a table's file, named as the mapping file `from` names it; the path from the
    /// project's folder comes with it.
    ///
    /// # Errors
    /// What is wrong with the file, in words: it is not there, lies outside the project, is no text.
    fn table(&self, from: FileId, path: &str) -> Result<(String, Arc<str>), TableFault>;

    /// What stands between the cells of a table's file, where the project says it; the path is from the project's folder.
    fn separator(&self, _: &str) -> Option<u8> {
        None
    }

    /// A parameter's value in this environment.
    fn parameter(&self, name: &str) -> Option<Setting>;

    /// All names under `parameters:`.
    fn parameters(&self) -> Vec<(String, Setting)>;

    /// What `today` means.
    fn time_zone(&self) -> jiff::tz::TimeZone;

    /// Who does the checks of flows.
    fn spread(&self) -> &dyn Spread {
        &OneByOne
    }
}

struct OneByOne;

impl Spread for OneByOne {}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    #[error("there is no file `{0}`")]
    NotFound(String),
    #[error("`{0}` lies outside the project")]
    Outside(String),
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    /// What is wrong with it is told elsewhere.
    #[error("`{0}` cannot be read")]
    Told(String),
}

/// What the checker found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Present if no diagnostic is an error.
    pub mapping: Option<ir::Mapping>,
    /// In the order of files and text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks all files of a project together.
pub fn check(units: &[Unit], sources: &Sources, environment: &dyn CheckEnvironment) -> Checked {
    let mut diagnostics = Vec::new();
    let merged = overlay::merge(units, &mut diagnostics);
    let scope = scope::Scope::build(&merged, sources, &mut diagnostics);
    let items = items::Items::new(&scope);
    let mapping = whole(&merged, items, sources, environment, &mut diagnostics);
    let failed = diagnostics.iter().any(Diagnostic::is_error);
    let mapping = (!failed).then_some(mapping);
    let input = lint::Input { merged: &merged, scope: &scope, environment, mapping: mapping.as_ref() };
    lint::check(&input, &mut diagnostics);
    // What is told of meaning can be a mistake too.
    let mapping = mapping.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    without_echoes(units, &mut diagnostics);
    in_order(&mut diagnostics);
    Checked { mapping, diagnostics }
}

/// Takes out what only follows from another mistake: in a file with statements that could not be read,
/// that something is not there; and a name that is not known, after the first time.
fn without_echoes(units: &[Unit], diagnostics: &mut Vec<Diagnostic>) {
    let broken = |found: &Diagnostic| units.iter().any(|unit| unit.file == found.primary.span.file && unit.tree.broken);
    let mut unknown = std::collections::BTreeSet::new();
    let torn = |found: &Diagnostic| units.iter().any(|unit| unit.file == found.primary.span.file && unit.tree.torn);
    let any_torn = units.iter().any(|unit| unit.tree.torn);
    let lost: std::collections::BTreeSet<&str> = units.iter().flat_map(|unit| &unit.tree.lost).map(String::as_str).collect();
    // `there is no … `name``: the name that the message is about.
    let about = |found: &Diagnostic| found.message.split('`').nth(1).unwrap_or("").to_owned();
    // Where a name is misspelt where it is given, a promise about its flow reads it in vain too.
    let given = |found: &&Diagnostic| found.code == Code::UnknownName && found.message.contains("is given here");
    let second = |found: &Diagnostic| found.message.split('`').nth(3).unwrap_or("").to_owned();
    let misspelt: std::collections::BTreeSet<String> = diagnostics.iter().filter(given).map(second).collect();
    let nameless: std::collections::BTreeSet<FileId> = diagnostics.iter().filter(given).map(|found| found.primary.span.file).collect();
    // Of an object that is not known no field is known, and so none of the values that a field takes.
    let without_object = |found: &&Diagnostic| matches!(found.code, Code::UnknownConnection | Code::UnknownObject) || given(found);
    let unknown_objects: std::collections::BTreeSet<FileId> =
        diagnostics.iter().filter(without_object).map(|found| found.primary.span.file).collect();
    let may_be_value = |found: &Diagnostic| found.help.iter().all(|help| help.edit.is_none()) && unknown_objects.contains(&found.primary.span.file);
    diagnostics.sort_by_key(|found| found.primary.span);
    diagnostics.retain(|found| match found.code {
        _ if torn(found) => false,
        Code::UnknownName | Code::UnknownFunction | Code::UnknownFlow | Code::UnknownWrite if any_torn || lost.contains(&*about(found)) => false,
        Code::RouteIncomplete
        | Code::RequiredFieldUnset
        | Code::ValuesNotCovered
        | Code::FlowIncomplete
        | Code::KeyMissing
        | Code::MayBeMissing
        | Code::KeyMayBeMissing
        | Code::MissingElements
        | Code::ResultMayBeMissing
        | Code::SectionOrder
        | Code::CreateNeedsUpsert
        | Code::DoubtUnsaid
        | Code::UnreachableRow
        | Code::KeyNotPerPart
        | Code::OverrideOfNothing
        | Code::RemoveOfNothing
        | Code::NeedsArgument => !broken(found),
        Code::UnknownWrite => !misspelt.contains(&about(found)),
        // An aggregate reads one value where the record that it goes over is not known.
        Code::ListMismatch => !nameless.contains(&found.primary.span.file),
        Code::NotInEnumeration => !misspelt.contains(&second(found)),
        Code::UnknownName if found.message.contains("is given here") => true,
        Code::UnknownName => {
            !misspelt.contains(&about(found)) && !may_be_value(found) && unknown.insert((found.primary.span.file, found.message.clone()))
        }
        _ => true,
    });
    together(diagnostics);
}

/// What is named in many places and is not there is one mistake: the first place tells it, and names the others. A connection belongs to the
/// project, what a file uses to the file.
fn together(diagnostics: &mut Vec<Diagnostic>) {
    let mut first: std::collections::BTreeMap<(Option<FileId>, String), usize> = std::collections::BTreeMap::new();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for found in std::mem::take(diagnostics) {
        let file = match found.code {
            Code::UnknownConnection => None,
            Code::UnknownFunction => Some(found.primary.span.file),
            _ => {
                kept.push(found);
                continue;
            }
        };
        match first.entry((file, found.message.clone())) {
            std::collections::btree_map::Entry::Occupied(at) => {
                if let Some(told) = kept.get_mut(*at.get()) {
                    told.others.push(Label { span: found.primary.span, text: "used here too".to_owned() });
                }
            }
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(kept.len());
                kept.push(found);
            }
        }
    }
    *diagnostics = kept;
}

fn whole(
    merged: &[overlay::Merged],
    items: items::Items<'_>,
    sources: &Sources,
    environment: &dyn CheckEnvironment,
    diagnostics: &mut Vec<Diagnostic>,
) -> ir::Mapping {
    let mut context = checker::CheckContext {
        environment,
        sources,
        items,
        maps: Vec::new(),
        tables: Vec::new(),
        parameters: indexmap::IndexMap::new(),
        parameter_values: std::collections::HashMap::new(),
        broken: merged.iter().map(|file| file.broken).collect(),
    };
    parameters_of(&mut context, merged, diagnostics);
    context.tables = tables_of(&context, merged, diagnostics);
    let mut maps = Vec::new();
    for id in context.items.scope.all_values() {
        let found = context.items.scope.at(*id);
        if let tree::ItemKind::Values(values) = &found.node.kind {
            maps.push(values::check(&context, id.file, values, found.doc, diagnostics));
        }
    }
    context.maps = maps;
    diagnostics.extend(functions::check(&context));
    let mut flows = Vec::new();
    let written: Vec<_> = context.items.scope.flows().collect();
    let checked = each(environment.spread(), &written, |found| {
        let mut diagnostics = Vec::new();
        let flow = flow::check(&context, found.id.file, found.node, found.doc, &mut diagnostics);
        (flow, diagnostics)
    });
    for (flow, found) in checked {
        flows.extend(flow);
        diagnostics.extend(found);
    }
    let (expects, tests) = promises(&context, merged, &mut flows, diagnostics);
    ir::Mapping {
        edition: merged.iter().filter_map(|file| file.edition).max().unwrap_or(1),
        parameters: context.parameters,
        values: context.maps.into_iter().map(|map| map.map).collect(),
        tables: context.tables,
        flows: flows.into_iter().map(|checked| checked.flow).collect(),
        expects,
        tests,
    }
}

/// `expect` and `test` items of the files that run: both are about flows.
fn promises(
    context: &checker::CheckContext<'_>,
    merged: &[overlay::Merged],
    flows: &mut [flow::Checked],
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<ir::Expect>, Vec<ir::Test>) {
    let (mut expects, mut tests) = (Vec::new(), Vec::new());
    let known: Vec<String> = context.items.scope.flows().map(|found| found.node.name.node.clone()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for (file, one) in merged.iter().enumerate().filter(|(_, one)| one.runs) {
        for item in &one.items {
            let tree::ItemKind::Expect(expect) = &item.kind else { continue };
            let of = expect.clauses.iter().find_map(|clause| match &clause.kind {
                tree::ExpectClauseKind::For(name) => Some(name.node.as_str()),
                _ => None,
            });
            let place = checker::place(context.sources, expect.name.span);
            let mut record = flow::Record::new(context, file, flows.iter_mut().find(|flow| Some(flow.flow.name.as_str()) == of));
            expects.extend(expect::check(expect, &known, place, &mut record, diagnostics));
            diagnostics.extend(record.done());
        }
    }
    let of: Vec<test_item::FlowOf<'_>> = flows.iter().map(|checked| flow_of(&checked.flow)).collect();
    for one in merged.iter().filter(|one| one.runs) {
        let name = context.sources.get(one.file).map_or("", |source| source.name.as_str());
        for item in &one.items {
            let tree::ItemKind::Test(test) = &item.kind else { continue };
            // A flow that could not be checked is known by name only, and said what is wrong with it.
            let broken = test.clauses.iter().any(|clause| matches!(&clause.kind, tree::TestClauseKind::Flow(flow) if known.contains(&flow.node.as_str()) && !of.iter().any(|of| of.name == flow.node)));
            if !broken {
                let place = checker::place(context.sources, test.name.span);
                tests.extend(test_item::check(test, &of, name, place, context.environment, diagnostics));
            }
        }
    }
    (expects, tests)
}

fn flow_of(flow: &ir::Flow) -> test_item::FlowOf<'_> {
    let later = flow.follow_ups.iter().flat_map(|follow_up| &follow_up.writes);
    test_item::FlowOf {
        name: &flow.name,
        source: flow.source.clone(),
        matches: flow.matches.iter().map(|found| found.name.as_str()).collect(),
        writes: flow.writes.iter().chain(later).map(|write| write.object.clone()).collect(),
    }
}

fn parameters_of(context: &mut checker::CheckContext<'_>, merged: &[overlay::Merged], diagnostics: &mut Vec<Diagnostic>) {
    let mut parameters = indexmap::IndexMap::new();
    let mut places = std::collections::HashMap::new();
    for (file, merged) in merged.iter().enumerate().filter(|(_, merged)| merged.needed) {
        for item in &merged.items {
            if let tree::ItemKind::Parameter(parameter) = &item.kind
                && !parameters.contains_key(&parameter.name.node)
            {
                let setting = context.environment.parameter(&parameter.name.node).map(|setting| setting.span);
                let value = setting.or(parameter.default.as_ref().map(|default| default.span));
                places.extend(value.map(|span| (parameter.name.node.clone(), span)));
                parameters::check(context, file, parameter, &mut parameters, diagnostics);
            }
        }
    }
    context.parameters = parameters;
    context.parameter_values = places;
}

fn tables_of(context: &checker::CheckContext<'_>, merged: &[overlay::Merged], diagnostics: &mut Vec<Diagnostic>) -> Vec<ir::Table> {
    let sheets = sheet::Sheets::default();
    let checked = each_light(context.environment.spread(), context.items.scope.all_tables(), |id| {
        let found = context.items.scope.at(*id);
        let tree::ItemKind::Table(written) = &found.node.kind else { return (None, Vec::new()) };
        let mut checker = checker::Checker::new(context, id.file);
        let types: Vec<_> = written.keys.iter().chain(&written.columns).map(|column| checker.type_expr(&column.of)).collect();
        let mut diagnostics = checker.out;
        let file = merged.get(id.file).map_or(FileId(0), |merged| merged.file);
        let place = checker::place(context.sources, written.name.span);
        let name = context.sources.get(file).map_or("", |source| source.name.as_str());
        let sheet = written.path.as_ref().map(|path| sheets.of(context.environment, file, name, &path.node));
        let table = table::check(written, found.doc, sheet.as_deref(), &types, place, context.environment, &mut diagnostics);
        (Some(table), diagnostics)
    });
    let mut tables = Vec::new();
    for (table, found) in checked {
        tables.extend(table);
        diagnostics.extend(found);
    }
    tables
}

/// In the order of files and text, each said once.
fn in_order(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
    let mut said = std::collections::HashSet::new();
    diagnostics.retain(|diagnostic| said.insert((diagnostic.code, diagnostic.primary.span, diagnostic.message.clone())));
}
