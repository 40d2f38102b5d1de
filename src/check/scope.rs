//! Which items each file sees, and which of them are used.
//!
//! A file sees its own items and those of the files that it `use`s: by their names, or behind the
//! name that `as` gives (`address.ship_address`). Parameters, value maps, tables and functions share
//! one space of names; flows, promises and tests have their own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::diag::Diagnostic;
use crate::base::{Sources, Span};
use crate::builtin;
use crate::syntax::tree::{Flow, Item, ItemKind, Parameter};

use super::error::items as error;
use super::overlay::{Merged, item_name, name_span, word};
use super::written::{type_written, written};

/// An item of the project: the merged file that it stands in, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ItemId {
    pub(super) file: usize,
    pub(super) item: usize,
}

/// An item that a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a, T> {
    pub(super) id: ItemId,
    pub(super) node: &'a T,
    pub(super) doc: Option<&'a str>,
}

#[derive(Debug, Clone, Copy)]
struct Visible {
    id: ItemId,
    /// The `use` of the file by which it came, counted in the file.
    by: Option<usize>,
}

pub(super) struct Scope<'a> {
    files: &'a [Merged],
    /// For each file, what its names stand for; `alias.name` for those behind a name.
    names: Vec<BTreeMap<String, Visible>>,
    values: Vec<ItemId>,
    tables: Vec<ItemId>,
    /// By file, what was read of its items and of its `use`s. Several flows are checked side by side.
    used: Vec<Vec<AtomicBool>>,
    used_imports: Vec<Vec<AtomicBool>>,
}

impl<'a> Scope<'a> {
    /// Reports names that are given twice, in the order of the files.
    pub(super) fn build(files: &'a [Merged], sources: &Sources, diags: &mut Vec<Diagnostic>) -> Self {
        let unused = |count: usize| (0..count).map(|_| AtomicBool::new(false)).collect();
        let used = files.iter().map(|merged| unused(merged.items.len())).collect();
        let used_imports = files.iter().map(|merged| unused(merged.uses.len())).collect();
        let mut scope = Scope { files, names: Vec::new(), values: Vec::new(), tables: Vec::new(), used, used_imports };
        for (file, merged) in files.iter().enumerate() {
            let mut own = Own::default();
            if merged.needed {
                own.read(file, merged, diags);
                scope.values.extend(ids(file, merged, |kind| matches!(kind, ItemKind::Values(_))));
                scope.tables.extend(ids(file, merged, |kind| matches!(kind, ItemKind::Table(_))));
            }
            scope.names.push(own.names);
        }
        for (file, merged) in files.iter().enumerate() {
            if merged.needed {
                scope.import(file, merged, sources, diags);
            }
        }
        scope.across(sources, diags);
        scope
    }

    /// Brings in what a file uses.
    fn import(&mut self, file: usize, merged: &Merged, sources: &Sources, diags: &mut Vec<Diagnostic>) {
        for (by, (using, unit)) in merged.uses.iter().enumerate() {
            let Some(from) = unit.and_then(|unit| self.files.iter().position(|other| other.unit == unit)) else { continue };
            let from_file = &self.files[from];
            for (item, it) in from_file.items.iter().enumerate().filter(|(_, it)| is_named(&it.kind)) {
                let plain = item_name(&it.kind);
                let name = match &using.alias {
                    Some(alias) => format!("{}.{plain}", alias.node),
                    None => plain.to_owned(),
                };
                let id = ItemId { file: from, item };
                let Some(had) = self.names[file].get(&name).copied() else {
                    self.names[file].insert(name, Visible { id, by: Some(by) });
                    continue;
                };
                // The same file used twice (by an overlay and its base) is no clash.
                if had.id == id || (had.id.file == file && had.by.is_none() && self.is_override_of(had.id, it)) {
                    continue;
                }
                let first = &self.files[had.id.file].items[had.id.item];
                let files = (file_name(sources, name_span(first)), file_name(sources, name_span(it)));
                let alias = last_part(&using.path.node);
                let place = using.alias.is_none().then_some(error::Use { span: using.span, alias: &alias });
                diags.push(error::import_clash(&name, using.path.span, name_span(first), name_span(it), (&files.0, &files.1), place.as_ref()));
            }
        }
    }

    /// Parameters may be declared in several files, in the same words.
    fn is_override_of(&self, own: ItemId, other: &Item) -> bool {
        match (&self.files[own.file].items[own.item].kind, &other.kind) {
            (ItemKind::Parameter(a), ItemKind::Parameter(b)) => parameter_text(a) == parameter_text(b),
            _ => false,
        }
    }

    /// What has to be one over all files that run: flows, and what a parameter is.
    fn across(&self, sources: &Sources, diags: &mut Vec<Diagnostic>) {
        let mut flows: BTreeMap<&str, Span> = BTreeMap::new();
        let mut parameters: BTreeMap<&str, &Parameter> = BTreeMap::new();
        for merged in self.files.iter().filter(|merged| merged.needed) {
            for item in &merged.items {
                match &item.kind {
                    ItemKind::Flow(flow) if merged.runs => match flows.get(flow.name.node.as_str()) {
                        // Two of one file were reported there.
                        Some(first) if first.file != flow.name.span.file => {
                            diags.push(error::duplicate_flow(&flow.name, *first, &sources.place(*first)));
                        }
                        Some(_) => {}
                        None => drop(flows.insert(&flow.name.node, flow.name.span)),
                    },
                    ItemKind::Parameter(parameter) => match parameters.get(parameter.name.node.as_str()) {
                        Some(first) if parameter_text(first) != parameter_text(parameter) && first.name.span.file != parameter.name.span.file => {
                            diags.push(error::parameters_differ(&parameter.name, first.name.span, &sources.place(first.name.span)));
                        }
                        Some(_) => {}
                        None => drop(parameters.insert(&parameter.name.node, parameter)),
                    },
                    _ => {}
                }
            }
        }
    }

    /// What a name stands for in a file: one name, or two behind a `use … as`. It counts as used.
    pub(super) fn item(&self, file: usize, path: &[&str]) -> Option<Found<'a, Item>> {
        let names = self.names.get(file)?;
        let visible = match path {
            [name] => *names.get(*name)?,
            _ => *names.get(&path.join("."))?,
        };
        self.use_item(visible.id);
        if let Some(by) = visible.by {
            mark(&self.used_imports, file, by);
        }
        Some(self.at(visible.id))
    }

    /// What stands at an id.
    pub(super) fn at(&self, id: ItemId) -> Found<'a, Item> {
        let node = &self.files[id.file].items[id.item];
        Found { id, node, doc: node.doc.as_deref() }
    }

    /// All flows that run, in the order of the files.
    pub(super) fn flows(&self) -> impl Iterator<Item = Found<'a, Flow>> + '_ {
        self.files.iter().enumerate().filter(|(_, merged)| merged.runs).flat_map(|(file, merged)| {
            merged.items.iter().enumerate().filter_map(move |(item, it)| match &it.kind {
                ItemKind::Flow(node) => Some(Found { id: ItemId { file, item }, node, doc: it.doc.as_deref() }),
                _ => None,
            })
        })
    }

    /// Every name that a file sees, for the nearest one; those behind an `as` with it.
    pub(super) fn names(&self, file: usize) -> Vec<&str> {
        self.names.get(file).map(|names| names.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// All value maps that are checked; the place here is the one in the typed mapping.
    pub(super) fn all_values(&self) -> &[ItemId] {
        &self.values
    }

    pub(super) fn all_tables(&self) -> &[ItemId] {
        &self.tables
    }

    pub(super) fn values_index(&self, id: ItemId) -> Option<usize> {
        self.values.iter().position(|known| *known == id)
    }

    pub(super) fn table_index(&self, id: ItemId) -> Option<usize> {
        self.tables.iter().position(|known| *known == id)
    }

    pub(super) fn use_item(&self, id: ItemId) {
        mark(&self.used, id.file, id.item);
    }

    pub(super) fn is_used(&self, id: ItemId) -> bool {
        is_marked(&self.used, id.file, id.item)
    }

    /// Whether something came in by the `use` at this place of the file and was read.
    pub(super) fn is_import_used(&self, file: usize, by: usize) -> bool {
        is_marked(&self.used_imports, file, by)
    }

    pub(super) fn files(&self) -> &'a [Merged] {
        self.files
    }
}

fn mark(used: &[Vec<AtomicBool>], file: usize, at: usize) {
    // Read before writing, to avoid cache-line contention between threads.
    if let Some(used) = used.get(file).and_then(|file| file.get(at)).filter(|used| !used.load(Ordering::Relaxed)) {
        used.store(true, Ordering::Relaxed);
    }
}

fn is_marked(used: &[Vec<AtomicBool>], file: usize, at: usize) -> bool {
    used.get(file).and_then(|file| file.get(at)).is_some_and(|used| used.load(Ordering::Relaxed))
}

/// The names that one file gives by itself.
#[derive(Default)]
struct Own {
    names: BTreeMap<String, Visible>,
}

impl Own {
    fn read(&mut self, file: usize, merged: &Merged, diags: &mut Vec<Diagnostic>) {
        let mut apart: BTreeMap<(&str, &str), Span> = BTreeMap::new();
        for (item, it) in merged.items.iter().enumerate() {
            let (kind, name, span) = (word(&it.kind), item_name(&it.kind), name_span(it));
            let spanned = crate::base::Spanned::new(name.to_owned(), span);
            if !is_named(&it.kind) {
                match apart.get(&(kind, name)) {
                    Some(first) => diags.push(error::duplicate(kind, &spanned, *first)),
                    None => drop(apart.insert((kind, name), span)),
                }
                continue;
            }
            if let Some(first) = self.names.get(name) {
                diags.push(error::duplicate(kind, &spanned, name_span(&merged.items[first.id.item])));
                continue;
            }
            if !matches!(it.kind, ItemKind::Parameter(_)) && builtin::find(name).is_some() {
                diags.push(error::builtin_name(kind, &spanned));
            }
            self.names.insert(name.to_owned(), Visible { id: ItemId { file, item }, by: None });
        }
    }
}

/// Items that an expression can name.
fn is_named(kind: &ItemKind) -> bool {
    matches!(kind, ItemKind::Parameter(_) | ItemKind::Values(_) | ItemKind::Table(_) | ItemKind::Function(_))
}

fn ids(file: usize, merged: &Merged, fits: fn(&ItemKind) -> bool) -> Vec<ItemId> {
    let all = merged.items.iter().enumerate().filter(|(_, it)| fits(&it.kind));
    all.map(|(item, _)| ItemId { file, item }).collect()
}

fn parameter_text(parameter: &Parameter) -> String {
    format!("{} = {}", type_written(&parameter.of), parameter.default.as_ref().map(written).unwrap_or_default())
}

fn file_name(sources: &Sources, span: Span) -> String {
    sources.get(span.file).map_or_else(|| "another file".to_owned(), |file| file.name.clone())
}

/// `shared/address` → `address`, as a name.
fn last_part(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or(path);
    let last = last.strip_suffix(".dock").unwrap_or(last);
    last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::super::overlay::merge;
    use super::*;
    use crate::base::Source;
    use crate::base::diag::Code;

    /// Files by name and text; a `use` finds the file of its path.
    fn project(files: &[(&str, &str)]) -> (Vec<Merged>, Sources) {
        let mut sources = Sources::default();
        let trees: Vec<_> = files
            .iter()
            .map(|(name, text)| {
                let file = sources.add(Source::new(*name, *text));
                let (tree, found) = crate::syntax::read(file, text);
                assert!(found.is_empty(), "{found:#?}");
                (file, tree)
            })
            .collect();
        let find = |path: &str| files.iter().position(|(name, _)| *name == format!("{path}.dock"));
        let units: Vec<Unit> = trees
            .into_iter()
            .map(|(file, tree)| {
                let uses = tree.uses.iter().map(|using| find(&using.path.node)).collect();
                Unit { file, uses, extends: None, runs: true, tree }
            })
            .collect();
        (merge(&units, &mut Vec::new()), sources)
    }

    fn found(files: &[(&str, &str)]) -> Vec<Code> {
        let (merged, sources) = project(files);
        let mut diags = Vec::new();
        Scope::build(&merged, &sources, &mut diags);
        diags.iter().map(|d| d.code).collect()
    }

    const ADDRESS: &str = "edition 1\nfunction ship_address(x: text) -> text = x\n";

    #[test]
    fn a_used_files_items_are_seen_by_name_or_behind_one() {
        let (merged, sources) = project(&[
            ("address.dock", ADDRESS),
            ("plain.dock", "edition 1\nuse \"address\"\n"),
            ("named.dock", "edition 1\nuse \"address\" as a\n"),
        ]);
        let mut diags = Vec::new();
        let scope = Scope::build(&merged, &sources, &mut diags);
        assert!(diags.is_empty(), "{diags:?}");
        assert!(scope.item(1, &["ship_address"]).is_some());
        assert!(scope.item(2, &["ship_address"]).is_none());
        assert!(!scope.is_import_used(2, 0));
        let found = scope.item(2, &["a", "ship_address"]).unwrap();
        assert!(scope.is_import_used(2, 0) && scope.is_used(found.id));
    }

    #[test]
    fn a_name_given_twice_in_a_file_is_a_mistake() {
        assert_eq!(
            found(&[("a.dock", "edition 1\nfunction f(x: text) -> text = x\ntable f from \"f.csv\" { key a: text }\n")]),
            [Code::DuplicateItem]
        );
    }

    #[test]
    fn two_used_files_with_one_name_clash() {
        let both = "edition 1\nuse \"address\"\nuse \"other\"\n";
        assert_eq!(found(&[("address.dock", ADDRESS), ("other.dock", ADDRESS), ("main.dock", both)]), [Code::ImportClash]);
        let apart = "edition 1\nuse \"address\"\nuse \"other\" as o\n";
        assert_eq!(found(&[("address.dock", ADDRESS), ("other.dock", ADDRESS), ("main.dock", apart)]), []);
    }

    #[test]
    fn a_flow_has_its_name_alone_in_the_project() {
        let flow = "edition 1\nflow export {\n  from crm.Order as order { every 5 minutes }\n}\n";
        assert_eq!(found(&[("a.dock", flow), ("b.dock", flow)]), [Code::DuplicateItem]);
    }

    #[test]
    fn a_parameter_may_be_said_twice_in_the_same_words() {
        let a = "edition 1\nparameter limit: integer = 5\n";
        assert_eq!(found(&[("a.dock", a), ("b.dock", a)]), []);
        assert_eq!(found(&[("a.dock", a), ("b.dock", "edition 1\nparameter limit: integer = 6\n")]), [Code::DuplicateItem]);
    }
}
