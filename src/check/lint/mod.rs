//! Doubts: what is no mistake, but somebody should look at.
//!
//! A correct file should be quiet. A doubt that rests on what is *not* there is kept back where
//! part of a file could not be read; one that rests on meaning, where anything is wrong at all.

mod context;
mod currency;
mod feeds;
mod flows;
mod groups;
mod lists;
mod maps;
#[cfg(test)]
mod tests;
mod unused;

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, each_light};
use crate::syntax::tree::{self, ItemKind, SectionKind};

use super::CheckEnvironment;
use super::overlay::Merged;
use super::scope::Scope;
use crate::ir;

/// All that is known when the checking is done.
pub(super) struct Input<'a> {
    pub(super) merged: &'a [Merged],
    pub(super) scope: &'a Scope<'a>,
    pub(super) environment: &'a dyn CheckEnvironment,
    /// The typed mapping, where there is no error.
    pub(super) mapping: Option<&'a ir::Mapping>,
}

pub(super) fn check(input: &Input<'_>, diags: &mut Vec<Diagnostic>) {
    unused::check(input, diags);
    let run: Vec<_> = input.merged.iter().filter(|merged| merged.runs).collect();
    let checked = each_light(input.environment.spread(), &run, |merged| {
        let mut diags = Vec::new();
        for item in &merged.items {
            if let ItemKind::Flow(flow) = &item.kind {
                lists::check(flow, &mut diags);
            }
        }
        diags
    });
    diags.extend(checked.into_iter().flatten());
    let Some(mapping) = input.mapping else { return };
    maps::check(input, mapping, diags);
    feeds::check(input, mapping, diags);
    let written: Vec<_> = input.scope.flows().collect();
    let checked = each_light(input.environment.spread(), &written, |found| {
        let mut diags = Vec::new();
        if let Some(typed) = mapping.flows.iter().find(|flow| flow.name == found.node.name.node) {
            flows::check(input, found.node, typed, input.merged[found.id.file].broken, &mut diags);
            context::check(found.node, typed, &mut diags);
        }
        diags
    });
    diags.extend(checked.into_iter().flatten());
    // Where the rules of a flow ask for the currency, a limit without one is meant for any of them.
    let asking: Vec<Span> = mapping.flows.iter().filter(|flow| currency::is_asked(flow)).filter_map(|flow| flow_span(input, &flow.name)).collect();
    diags.retain(|found| {
        let at = found.primary.span;
        found.code != Code::CurrencyUnclear || !asking.iter().any(|flow| flow.file == at.file && flow.start <= at.start && at.end <= flow.end)
    });
}

fn flow_span(input: &Input<'_>, name: &str) -> Option<Span> {
    let items = input.merged.iter().filter(|merged| merged.runs).flat_map(|merged| &merged.items);
    items.filter(|item| matches!(&item.kind, ItemKind::Flow(flow) if flow.name.node == name)).map(|item| item.span).next()
}

/// The writes of a list of sections, in the order of the text.
fn writes(sections: &[tree::Section]) -> impl Iterator<Item = &tree::Write> {
    sections.iter().filter_map(|section| match &section.kind {
        SectionKind::Write(write) => Some(write),
        _ => None,
    })
}
