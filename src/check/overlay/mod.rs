//! A client's overlay and its base become one tree.
//!
//! In: the trees as written. Out: for each file the tree that holds, spans still pointing into
//! the file that each part was written in. What an overlay does not name stays as the base says;
//! what it names and the base does not have is a mistake, so that an upgrade of the base never
//! changes a client without a word.
//!
//! How a part is known again: an item by kind and name, a value row by its left side, a rule by
//! its message, a field by its path, a `let` and a `match` by name, a `from` clause by kind, a
//! write by its `as` name or by operation and object, a route by its results and its rows by
//! their conditions. A new value row, rule or field goes behind the base's; a new routing row goes
//! before them, because there the first hit wins and the client's case is the special one.

mod flow;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::base::diag::Diagnostic;
use crate::base::{FileId, Span};
use crate::syntax::tree::{Expect, ExpectClauseKind, FieldRow, File, Item, ItemKind, RowValue, Rule, RuleKind, Section, SectionKind, Use, Values};

use super::Unit;
use super::error::items::{self as error, Absent};
use super::written::written;

/// One file with its base merged in.
#[derive(Debug, Clone, Default)]
pub(super) struct Merged {
    /// Its place in the list of units.
    pub(super) unit: usize,
    pub(super) file: FileId,
    /// The overlay's own edition, else the base's.
    pub(super) edition: Option<u32>,
    pub(super) items: Vec<Arc<Item>>,
    /// The overlay's own first, then those of its bases, with the unit that each brings in.
    pub(super) uses: Vec<(Use, Option<usize>)>,
    /// Its flows run: see [`Unit::runs`].
    pub(super) runs: bool,
    /// It runs, or a file that runs uses it: what it says is checked.
    pub(super) needed: bool,
    /// Some part of it, or its base, could not be read or found.
    pub(super) broken: bool,
}

/// Merges every file with its chain of bases, in the order of the units.
pub(super) fn merge(units: &[Unit], diags: &mut Vec<Diagnostic>) -> Vec<Merged> {
    let mut done: Vec<Option<Merged>> = vec![None; units.len()];
    for at in 0..units.len() {
        merged(at, units, &mut done, &mut Vec::new(), diags);
    }
    let mut all: Vec<Merged> = done.into_iter().flatten().collect();
    mark_needed(&mut all);
    all
}

/// The merged tree of one unit; bases first. A circle was reported and is cut here.
fn merged(at: usize, units: &[Unit], done: &mut Vec<Option<Merged>>, below: &mut Vec<usize>, diags: &mut Vec<Diagnostic>) -> Option<Merged> {
    if let Some(ready) = &done[at] {
        return Some(ready.clone());
    }
    if below.contains(&at) {
        return None;
    }
    let unit = &units[at];
    let tree = &unit.tree;
    let uses: Vec<(Use, Option<usize>)> = tree.uses.iter().cloned().zip(unit.uses.iter().copied().chain(std::iter::repeat(None))).collect();
    let mut own = Merged {
        unit: at,
        file: unit.file,
        edition: tree.edition.as_ref().map(|edition| edition.node),
        items: Vec::new(),
        broken: tree.broken || uses.iter().any(|(_, unit)| unit.is_none()),
        uses,
        runs: unit.runs,
        needed: unit.runs,
    };
    below.push(at);
    let base = unit.extends.filter(|base| *base < units.len()).and_then(|base| merged(base, units, done, below, diags));
    below.pop();
    match (base, &tree.extends) {
        (Some(base), extends) => {
            own.edition = own.edition.or(base.edition);
            own.broken |= base.broken;
            own.items = base.items;
            own.uses.extend(base.uses);
            let mut overlay = Overlay {
                extends: extends.as_ref().map(|path| path.span),
                // Where part of the base could not be read, what seems absent may just be unread.
                quiet: base.broken,
                diags,
            };
            overlay.items(&mut own.items, tree);
        }
        // The base is not there, which was reported: what is overridden can only be left out.
        (None, Some(_)) => {
            own.broken = true;
            own.items = tree.items.iter().filter(|item| item.overrides.is_none() && !matches!(item.kind, ItemKind::Remove { .. })).cloned().collect();
        }
        (None, None) => {
            for item in &tree.items {
                if let Some(at) = item.overrides {
                    diags.push(error::outside_overlay("override", at, false));
                    own.broken = true;
                } else if let ItemKind::Remove { kind, .. } = &item.kind {
                    diags.push(error::outside_overlay("remove", item.span.to(kind.span), false));
                } else {
                    stray_removes(item, false, diags);
                    own.items.push(item.clone());
                }
            }
        }
    }
    done[at] = Some(own.clone());
    Some(own)
}

/// Files that run, and all that they use, and so on.
fn mark_needed(all: &mut [Merged]) {
    let mut open: Vec<usize> = (0..all.len()).filter(|at| all[*at].needed).collect();
    while let Some(at) = open.pop() {
        let used: Vec<usize> = all[at].uses.iter().filter_map(|(_, unit)| *unit).collect();
        for unit in used {
            if let Some(next) = all.iter().position(|merged| merged.unit == unit).filter(|next| !all[*next].needed) {
                all[next].needed = true;
                open.push(next);
            }
        }
    }
}

/// One overlay being laid over its base.
struct Overlay<'d> {
    extends: Option<Span>,
    quiet: bool,
    diags: &'d mut Vec<Diagnostic>,
}

impl Overlay<'_> {
    fn items(&mut self, base: &mut Vec<Arc<Item>>, tree: &File) {
        for item in &tree.items {
            if let ItemKind::Remove { kind, name } = &item.kind {
                let found = base.iter().position(|old| word(&old.kind) == kind.node && item_name(&old.kind) == name.node);
                match found {
                    Some(at) => drop(base.remove(at)),
                    None => self.absent(Absent {
                        removing: true,
                        what: &kind.node,
                        name: &name.node,
                        at: name.span,
                        base: self.extends,
                        known: names(base, &kind.node),
                    }),
                }
                continue;
            }
            let found = base.iter_mut().find(|old| word(&old.kind) == word(&item.kind) && item_name(&old.kind) == item_name(&item.kind));
            match (found, item.overrides) {
                (Some(old), Some(_)) => self.item(Arc::make_mut(old), item),
                (Some(old), None) => {
                    self.diags.push(error::overlay_clash(word(&item.kind), item_name(&item.kind), name_span(item), item.span, name_span(old)));
                }
                (None, Some(_)) => {
                    let known = names(base, word(&item.kind));
                    self.absent(Absent {
                        removing: false,
                        what: word(&item.kind),
                        name: item_name(&item.kind),
                        at: name_span(item),
                        base: self.extends,
                        known,
                    });
                }
                (None, None) => {
                    stray_removes(item, true, self.diags);
                    base.push(item.clone());
                }
            }
        }
    }

    fn item(&mut self, old: &mut Item, new: &Item) {
        if new.doc.is_some() {
            old.doc.clone_from(&new.doc);
        }
        match (&mut old.kind, &new.kind) {
            (ItemKind::Parameter(old), ItemKind::Parameter(new)) => *old = new.clone(),
            (ItemKind::Function(old), ItemKind::Function(new)) => *old = new.clone(),
            (ItemKind::Test(old), ItemKind::Test(new)) => *old = new.clone(),
            (ItemKind::Table(old), ItemKind::Table(new)) => {
                if new.path.is_some() {
                    old.path.clone_from(&new.path);
                }
                if !new.keys.is_empty() || !new.columns.is_empty() {
                    old.keys.clone_from(&new.keys);
                    old.columns.clone_from(&new.columns);
                    old.many = new.many;
                }
            }
            (ItemKind::Values(old), ItemKind::Values(new)) => self.values(old, new),
            (ItemKind::Flow(old), ItemKind::Flow(new)) => self.flow(old, new),
            (ItemKind::Expect(old), ItemKind::Expect(new)) => expect(old, new),
            _ => {}
        }
    }

    fn values(&mut self, old: &mut Values, new: &Values) {
        if let (Some(from), Some(to)) = (&new.from, &new.to) {
            old.from = Some(from.clone());
            old.to = Some(to.clone());
            old.both_ways = new.both_ways;
        }
        for left in &new.removes {
            if !take_left(old, &super::written::spoken(left)) {
                let known = old.rows.iter().flat_map(|row| row.from.iter().map(super::written::spoken)).collect();
                let name = super::written::spoken(left);
                self.absent(Absent { removing: true, what: "row", name: &name, at: left.span, base: Some(old.name.span), known });
            }
        }
        for row in &new.rows {
            // The row stands where the first of those stood that it takes the place of.
            let place = old
                .rows
                .iter()
                .position(|had| had.from.iter().any(|left| row.from.iter().any(|l| super::written::spoken(l) == super::written::spoken(left))));
            for left in &row.from {
                take_left(old, &super::written::spoken(left));
            }
            let at = place.map_or(old.rows.len(), |at| at.min(old.rows.len()));
            old.rows.insert(at, row.clone());
        }
        if new.otherwise.is_some() {
            old.otherwise.clone_from(&new.otherwise);
        }
    }

    fn absent(&mut self, of: Absent<'_>) {
        if !self.quiet {
            self.diags.push(error::absent(of));
        }
    }
}

/// Takes one left side out of a value map; a row without one goes.
fn take_left(values: &mut Values, left: &str) -> bool {
    let before: usize = values.rows.iter().map(|row| row.from.len()).sum();
    for row in &mut values.rows {
        row.from.retain(|from| super::written::spoken(from) != left);
    }
    values.rows.retain(|row| !row.from.is_empty());
    values.rows.iter().map(|row| row.from.len()).sum::<usize>() < before
}

fn expect(old: &mut Expect, new: &Expect) {
    if new.title.is_some() {
        old.title.clone_from(&new.title);
    }
    let kind = |clause: &ExpectClauseKind| std::mem::discriminant(clause);
    for clause in &new.clauses {
        old.clauses.retain(|had| kind(&had.kind) != kind(&clause.kind));
        old.clauses.push(clause.clone());
    }
}

/// The word that an item begins with.
pub(super) fn word(kind: &ItemKind) -> &'static str {
    match kind {
        ItemKind::Parameter(_) => "parameter",
        ItemKind::Values(_) => "values",
        ItemKind::Table(_) => "table",
        ItemKind::Function(_) => "function",
        ItemKind::Flow(_) => "flow",
        ItemKind::Expect(_) => "expect",
        ItemKind::Test(_) => "test",
        ItemKind::Remove { .. } => "remove",
    }
}

pub(super) fn item_name(kind: &ItemKind) -> &str {
    match kind {
        ItemKind::Parameter(it) => &it.name.node,
        ItemKind::Values(it) => &it.name.node,
        ItemKind::Table(it) => &it.name.node,
        ItemKind::Function(it) => &it.name.node,
        ItemKind::Flow(it) => &it.name.node,
        ItemKind::Expect(it) => &it.name.node,
        ItemKind::Test(it) => &it.name.node,
        ItemKind::Remove { name, .. } => &name.node,
    }
}

pub(super) fn name_span(item: &Item) -> Span {
    match &item.kind {
        ItemKind::Parameter(it) => it.name.span,
        ItemKind::Values(it) => it.name.span,
        ItemKind::Table(it) => it.name.span,
        ItemKind::Function(it) => it.name.span,
        ItemKind::Flow(it) => it.name.span,
        ItemKind::Expect(it) => it.name.span,
        ItemKind::Test(it) => it.name.span,
        ItemKind::Remove { name, .. } => name.span,
    }
}

fn names(items: &[Arc<Item>], kind: &str) -> Vec<String> {
    items.iter().filter(|item| word(&item.kind) == kind).map(|item| item_name(&item.kind).to_owned()).collect()
}

/// `remove` inside an item that overrides nothing.
fn stray_removes(item: &Item, inside_new: bool, diags: &mut Vec<Diagnostic>) {
    let mut at = Vec::new();
    match &item.kind {
        ItemKind::Values(values) => at.extend(values.removes.iter().map(|left| left.span)),
        ItemKind::Flow(flow) => in_sections(&flow.sections, &mut at),
        _ => {}
    }
    diags.extend(at.into_iter().map(|at| error::outside_overlay("remove", at, inside_new)));
}

fn in_sections(sections: &[Section], at: &mut Vec<Span>) {
    for section in sections {
        match &section.kind {
            SectionKind::Remove(remove) => at.push(remove.span),
            SectionKind::Validate(validate) => in_rules(&validate.rules, at),
            SectionKind::Route(route) => at.extend(route.removes.iter().map(|remove| remove.span)),
            SectionKind::Write(write) => in_rows(&write.rows, at),
            SectionKind::When(when) => in_sections(&when.sections, at),
            _ => {}
        }
    }
}

fn in_rules(rules: &[Rule], at: &mut Vec<Span>) {
    for rule in rules {
        match &rule.kind {
            RuleKind::Remove(remove) => at.push(remove.span),
            RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } => in_rules(rules, at),
            _ => {}
        }
    }
}

fn in_rows(rows: &[FieldRow], at: &mut Vec<Span>) {
    for row in rows {
        match &row.value {
            RowValue::Remove => at.push(row.span),
            RowValue::Object { rows, .. } => in_rows(rows, at),
            _ => {}
        }
    }
}

/// Two expressions that say the same.
fn same(a: &crate::syntax::tree::Expr, b: &crate::syntax::tree::Expr) -> bool {
    written(a) == written(b)
}
