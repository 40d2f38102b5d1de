//! Doubts about value maps: known values that an `else` catches, rows that no flow can meet. What a
//! flow's `where` leaves out cannot come, and is neither.

use std::collections::{BTreeMap, HashMap};

use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, each_light};
use crate::syntax::tree::{ItemKind, Values};
use crate::value::{Kind, Literal};

use super::super::error::{lints as error, values};
use super::super::logic;
use super::super::written::spoken;
use super::Input;
use crate::ir::{self, Expr, Otherwise, walk};

pub(super) fn check(input: &Input<'_>, mapping: &ir::Mapping, diags: &mut Vec<Diagnostic>) {
    let uses = uses(input, mapping);
    let written = written_maps(input);
    for (at, map) in mapping.values.iter().enumerate() {
        // By its place: two files may each have a map of one name.
        let Some(place) = map.place.span else { continue };
        let Some(tree) = written.get(&(place.file, map.name.as_str())) else { continue };
        let Kind::Enumeration(known) = &map.from else { continue };
        if !matches!(map.otherwise, Otherwise::Nothing) {
            let fetched = uses.get(&at).and_then(|uses| uses.as_ref());
            let comes = |value: &str| fetched.is_none_or(|fetched| fetched.iter().any(|f| f == value));
            let has = |value: &str| map.rows.iter().any(|row| matches!(&row.from, Literal::Text(text) if text == value));
            let caught: Vec<&str> = known.names().filter(|value| !has(value) && comes(value)).collect();
            // What comes to a map of another field was told there.
            let strange = diags.iter().any(|told| told.code == Code::NoRowFits && told.message.starts_with(&format!("`{}` ", map.name)));
            if let (false, Some(otherwise), Some(from)) = (caught.is_empty() || strange, &tree.otherwise, &tree.from) {
                diags.push(values::else_catches(otherwise.span, &caught, from.span));
            }
            // A row that no record meets. Without an `else`, a closed enumeration has to have it.
            if let Some(fetched) = fetched {
                for row in &tree.rows {
                    let never =
                        |from: &crate::syntax::tree::Expr| known.resolve(&spoken(from)).is_some_and(|value| !fetched.iter().any(|f| f == value));
                    for from in row.from.iter().filter(|from| never(from)) {
                        diags.push(error::row_never_met(&map.name, &spoken(from), from.span));
                    }
                }
            }
        }
    }
}

/// The maps as they are written, by their file and name.
fn written_maps<'a>(input: &Input<'a>) -> HashMap<(FileId, &'a str), &'a Values> {
    let found = input.scope.all_values().iter().filter_map(|id| match &input.scope.at(*id).node.kind {
        ItemKind::Values(values) => Some(((values.name.span.file, values.name.node.as_str()), values)),
        _ => None,
    });
    found.collect()
}

/// For each map that is used, the values that can come to it; `None` where that cannot be told.
type Uses = BTreeMap<usize, Option<Vec<String>>>;

fn uses(input: &Input<'_>, mapping: &ir::Mapping) -> Uses {
    let mut all = Uses::new();
    for of in each_light(input.environment.spread(), &mapping.flows, uses_of) {
        of.into_iter().for_each(|(map, fetched)| note(&mut all, map, fetched));
    }
    all
}

fn uses_of(flow: &ir::Flow) -> Uses {
    let mut all = Uses::new();
    let cases = flow.filter.iter().map(logic::cases).collect::<Option<Vec<_>>>().unwrap_or_default();
    walk::flow_exprs(flow, &mut |expr| {
        let Expr::Values { map, back: false, value } = expr else { return };
        // One conjunct that says nothing else than what a path's value may be.
        let held = |path: &str| {
            cases.iter().find_map(|cases| {
                let words: Option<Vec<_>> = cases.iter().map(|case| case.only(path)).collect();
                words.filter(|words| !words.is_empty()).map(|words| words.into_iter().flatten().cloned().collect::<Vec<String>>())
            })
        };
        note(&mut all, *map, given(value, &held));
    });
    all
}

/// The texts that an expression can give; `held` says those of a path. `None` where that cannot be told.
fn given(value: &Expr, held: &dyn Fn(&str) -> Option<Vec<String>>) -> Option<Vec<String>> {
    let both = |one: &Expr, other: &Expr| Some([given(one, held)?, given(other, held)?].concat());
    match value {
        Expr::Literal(Literal::Text(text)) => Some(vec![text.clone()]),
        Expr::Literal(Literal::Missing) => Some(Vec::new()),
        Expr::If { then, otherwise, .. } => both(then, otherwise),
        Expr::Fallback { value, fallback } => both(value, fallback),
        _ => held(&logic::path(value)?),
    }
}

/// Adds what can come to a map: where one use cannot tell, none can.
fn note(all: &mut Uses, map: usize, fetched: Option<Vec<String>>) {
    match (all.entry(map).or_insert_with(|| Some(Vec::new())), fetched) {
        (Some(had), Some(fetched)) => had.extend(fetched),
        (entry, _) => *entry = None,
    }
}
