//! Items, names and imports that nothing uses.

use std::collections::BTreeSet;

use crate::base::diag::Diagnostic;
use crate::base::each_light;
use crate::syntax::tree::{ExpectClauseKind, ExprKind, Flow, Item, ItemKind, Name, RouteOutcome, SectionKind, TestClauseKind};
use crate::syntax::walk;

use super::super::error::{feeds, lints as error};
use super::super::overlay::{Merged, item_name, name_span, word};
use super::super::scope::ItemId;
use super::Input;

pub(super) fn check(input: &Input<'_>, diags: &mut Vec<Diagnostic>) {
    let spread = input.environment.spread();
    let needed: Vec<_> = input.merged.iter().enumerate().filter(|(_, merged)| merged.needed).collect();
    each_light(spread, &needed, |(file, merged)| merged.items.iter().for_each(|item| mark(input, *file, item)));
    // A statement that could not be read may be the one that uses it.
    if input.merged.iter().any(|merged| merged.needed && merged.broken) {
        return;
    }
    let run: Vec<_> = input.merged.iter().enumerate().filter(|(_, merged)| merged.runs).collect();
    let checked = each_light(spread, &run, |(file, merged)| {
        let (file, mut diags) = (*file, Vec::new());
        // A file without a flow is kept for others, perhaps of another project.
        let flows = merged.items.iter().any(|item| matches!(item.kind, ItemKind::Flow(_)));
        for (item, it) in merged.items.iter().enumerate() {
            // What an overlay's base brings is not the client's to take out.
            let own = name_span(it).file == merged.file;
            if own && flows && is_kept_for_use(&it.kind) && !input.scope.is_used(ItemId { file, item }) {
                diags.push(error::unused(word(&it.kind), item_name(&it.kind), name_span(it), it.span));
            }
            if let ItemKind::Flow(flow) = &it.kind {
                lets(flow, merged.file, &mut diags);
            }
        }
        for (by, (using, unit)) in merged.uses.iter().enumerate() {
            let used =
                || input.scope.is_import_used(file, by) || input.merged.iter().any(|other| Some(other.unit) == *unit && watches(merged, other));
            if using.span.file == merged.file && unit.is_some() && !used() {
                diags.push(error::unused_import(&using.path.node, using.path.span, using.span));
            }
        }
        diags
    });
    diags.extend(checked.into_iter().flatten());
}

fn is_kept_for_use(kind: &ItemKind) -> bool {
    matches!(kind, ItemKind::Parameter(_) | ItemKind::Values(_) | ItemKind::Table(_) | ItemKind::Function(_))
}

/// A promise or a test of this file is about a flow of the other.
fn watches(file: &Merged, other: &Merged) -> bool {
    let has = |name: &Name| other.items.iter().any(|item| matches!(&item.kind, ItemKind::Flow(flow) if flow.name.node == name.node));
    file.items.iter().any(|item| match &item.kind {
        ItemKind::Expect(expect) => expect.clauses.iter().any(|clause| match &clause.kind {
            ExpectClauseKind::For(flow) | ExpectClauseKind::Seen { flow, .. } => has(flow),
            _ => false,
        }),
        ItemKind::Test(test) => test.clauses.iter().any(|clause| matches!(&clause.kind, TestClauseKind::Flow(flow) if has(flow))),
        _ => false,
    })
}

/// Marks all that an item names as used.
fn mark(input: &Input<'_>, file: usize, item: &Item) {
    walk::item(item, &mut |expr| match expr.kind.as_ref() {
        ExprKind::Name(name) => drop(input.scope.item(file, &[name])),
        ExprKind::Call { function, .. } | ExprKind::Pipe { function, .. } => {
            let path: Vec<&str> = function.iter().map(|name| name.node.as_str()).collect();
            // A recursive function is not used by that.
            if item_name(&item.kind) != path.join(".") {
                input.scope.item(file, &path);
            }
        }
        // `address.limit`: a parameter behind a `use … as`.
        ExprKind::Field { base, field } => {
            if let ExprKind::Name(name) = base.kind.as_ref() {
                input.scope.item(file, &[name, &field.node]);
            }
        }
        _ => {}
    });
}

/// `let`s that no other section reads.
fn lets(flow: &Flow, file: crate::base::FileId, diags: &mut Vec<Diagnostic>) {
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for section in &flow.sections {
        walk::section(section, &mut |expr| {
            if let ExprKind::Name(name) = expr.kind.as_ref() {
                read.insert(name);
            }
        });
    }
    for section in &flow.sections {
        if let SectionKind::Route(route) = &section.kind {
            let sends = route.rows.iter().any(|row| matches!(row.outcome, RouteOutcome::Results(_)));
            let own = route.names.iter().map(|result| &result.name).filter(|name| sends && name.span.file == file);
            let unread: Vec<&Name> = own.filter(|name| !read.contains(name.node.as_str())).collect();
            if let Some(first) = unread.first() {
                let names: Vec<&str> = unread.iter().map(|name| name.node.as_str()).collect();
                diags.push(feeds::result_unread(&names, first.span, route.names.len() == unread.len()));
            }
        }
        if let SectionKind::Let(of) = &section.kind
            && of.name.span.file == file
            && !read.contains(of.name.node.as_str())
        {
            diags.push(error::unused("let", &of.name.node, of.name.span, section.span));
        }
    }
}
