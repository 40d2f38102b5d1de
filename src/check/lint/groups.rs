//! Groups by a text that the other side compares without case.
//!
//! `Ada@Example.com` and `ada@example.com` are two groups. Where they look for their record in a system that compares texts without
//! case, or write under a key that it compares so, both arrive at one record, and the last one wins.

use crate::base::diag::Diagnostic;
use crate::syntax::tree::{self, SectionKind};
use crate::system::Texts;
use crate::value::Kind;

use super::super::error::lints as error;
use super::Input;
use crate::ir::{self, Expr, walk};

pub(super) fn check(input: &Input<'_>, tree: &tree::Flow, flow: &ir::Flow, diags: &mut Vec<Diagnostic>) {
    let Some(group) = &flow.group else { return };
    if !has_case(&group.by) {
        return;
    }
    let reads = |expr: &Expr| {
        let mut found = false;
        walk::expr(expr, &mut |expr| found |= matches!(expr, Expr::Slot { slot, .. } if *slot == group.slot));
        found
    };
    let caseless = |connection: &str, object: &str| {
        let of = crate::value::ObjectRef { connection: connection.to_owned(), object: object.to_owned() };
        input.environment.object(&of).is_some_and(|object| object.system.manifest().is_some_and(|manifest| manifest.texts == Texts::WithoutCase))
    };
    let matched =
        flow.matches.iter().find(|of| caseless(&of.object.connection, &of.object.object) && of.by.iter().any(|key| plain(&key.equals, group)));
    let written = || {
        let sent = |write: &&ir::Write| caseless(&write.object.connection, &write.object.object);
        flow.writes.iter().find(|write| sent(write) && write.key.as_ref().is_some_and(|key| reads(&key.value)))
    };
    let place = match (matched, written()) {
        (Some(of), _) => format!("`{}` is matched by it without case", of.name),
        (None, Some(write)) => format!("the key of `{}` is compared without case", write.name),
        (None, None) => return,
    };
    let at = tree.sections.iter().find_map(|section| match &section.kind {
        SectionKind::Group(of) => Some(of.by.span),
        _ => None,
    });
    if let Some(at) = at {
        diags.push(error::group_case(&group.name, &place, at));
    }
}

/// The group's value as it is, or through functions that keep its case.
fn plain(expr: &Expr, group: &ir::Group) -> bool {
    match expr {
        Expr::Slot { slot, .. } => *slot == group.slot,
        Expr::Coerce { value, .. } => plain(value, group),
        // Written small in the match, two groups look for the same record all the more.
        Expr::Call { arguments, .. } => arguments.first().is_some_and(|first| plain(first, group)),
        _ => false,
    }
}

/// Whether a text may come in small letters and in capitals: one that people write.
fn has_case(expr: &Expr) -> bool {
    match expr {
        Expr::Field { kind, .. } => *kind == Kind::Text,
        Expr::Coerce { value, .. } => has_case(value),
        Expr::Call { function, .. }
            if matches!(function.0.name, "lower" | "upper" | "slug" | "phone_e164" | "e164" | "country_code" | "digits_only") =>
        {
            false
        }
        Expr::Call { arguments, .. } => arguments.first().is_some_and(has_case),
        Expr::Fallback { value, fallback } => has_case(value) || has_case(fallback),
        Expr::If { then, otherwise, .. } => has_case(then) || has_case(otherwise),
        Expr::Bind { body, .. } => has_case(body),
        _ => false,
    }
}
