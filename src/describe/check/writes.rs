//! Writes: a means has what it needs (D1), a mark is found again (D3), items of a batch are told apart (D4), steps can be repeated (D7).

use jiff::SignedDuration;

use super::visit::{mentions, values};
use crate::base::Spanned;
use crate::base::diag::Diagnostic;
use crate::describe::error;
use crate::describe::model::{AnswerClass, Batch, Described, Guarantee, Look, Matching, Means, Object, Pick, Request, Results, Write};
use crate::describe::text::Formula;
use crate::syntax::tree::{BinaryOp, Expr, ExprKind};
use crate::system::Operation;

/// The shortest time in which a request may still be carried out: that of a call, with what a search needs to show it.
const SETTLE: SignedDuration = SignedDuration::from_mins(1);

/// A write is one that mappings have, it has a call, and the call reads what is there.
pub(super) fn call(object: &Object, write: &Write, found: &mut Vec<Diagnostic>) {
    let (word, suffix) = write.name.node.split_once('_').map_or((write.name.node.as_str(), None), |(word, suffix)| (word, Some(suffix)));
    if Operation::of_word(word).is_none() || suffix == Some("") {
        found.push(error::unknown_write(&write.name.node, write.name.span));
        return;
    }
    let Some(ask) = &write.ask else {
        // A part is written by the update of what it is part of.
        if object.part_of.is_none() && write.steps.is_empty() {
            let why = "nothing says how it is sent (GraphQL: `mutation`)";
            found.push(error::needs_key("call", write.name.span, &format!("the write `{}`", write.name.node), why));
        }
        return;
    };
    if object.part_of.is_none() && word != "update" && !["item", "items", "actions", "key"].iter().any(|name| mentions(ask, name)) {
        found.push(error::sends_nothing(&write.name.node, matches!(ask.request, Request::GraphQl { .. }), write.name.span));
        return;
    }
    let several = matches!(write.batch, Batch::Together(2..));
    if matches!(write.batch, Batch::Groups { .. }) {
        return;
    }
    let without_value: &[&str] = if several { &["item", "id", "key", "target", "actions"] } else { &["items", "ids"] };
    for path in values(ask).into_iter().flat_map(|value| &value.reads).filter(|path| without_value.contains(&path.root())) {
        found.push(error::of_batch(&path.to_string(), path.span, several));
    }
}

/// D1 and D3.
pub(super) fn guarantee(described: &Described, object: &Object, write: &Write, found: &mut Vec<Diagnostic>) {
    let Some(guarantee) = &write.guarantee else {
        // A part is written by the update of what it is part of, and held to what that one is.
        if object.part_of.is_none() {
            found.push(error::no_guarantee(&write.name.node, write.name.span));
        } else if write.there.is_none() && write.name.node != "update" {
            let why = "after a conflict nothing tells whether the part is there already";
            found.push(error::means_lacks(&write.name.node, "there", write.name.span, why));
        }
        return;
    };
    let means = guarantee.by.node;
    let mut lacks = |what: &str, why: &str| found.push(error::means_lacks(means.word(), what, guarantee.by.span, why));
    if means != Means::None && guarantee.source.is_none() {
        lacks("source", "somebody has to say where the vendor promises it");
    }
    match means {
        Means::Key if write.key.is_empty() => lacks("key", "nothing says which field the system keeps to one record"),
        Means::Set if !names_its_record(write) => lacks("id", "the call names no record: it has neither `{id}` nor the fields of its `key`"),
        Means::Version => {
            if write.reads.is_none() {
                lacks("reads", "the version is that of the record as it was read just before");
            }
            let of_object = |on: &[Spanned<String>]| on.is_empty() || on.iter().any(|on| on.node == object.name.node);
            if !described.answers.iter().any(|rule| rule.is == AnswerClass::Conflict && of_object(&rule.on)) {
                lacks("is: conflict", "no rule under `answers` says which answer means a conflict");
            }
            if !write.ask.as_ref().is_some_and(|ask| mentions(ask, "target") || mentions(ask, "parent")) {
                lacks("target.version", "the call does not send the version that was read");
            }
        }
        Means::Mark => mark(object, write, guarantee, found),
        // A token is not carried out, which is told.
        Means::Token | Means::Key | Means::Set | Means::None => {}
    }
}

/// Whether a call names the record whose values it sets.
fn names_its_record(write: &Write) -> bool {
    let asks = write.ask.iter().chain(write.steps.iter().flat_map(|step| step.ask.iter().chain(&step.change).chain(&step.remove)));
    let named = |ask| {
        let reads = || values(ask).into_iter().flat_map(|value| &value.reads);
        // A whole item names its record where it has the key, and is none that is made.
        let has_key = !write.key.is_empty() && !write.name.node.starts_with("create");
        let whole = reads().any(|path| path.root() == "id" || has_key && (path.root() == "items" || path.to_string() == "item"));
        let keyed = !write.key.is_empty() && write.key.iter().all(|key| reads().any(|path| path.to_string() == format!("item.{}", key.node)));
        whole || keyed
    };
    let mut asks = asks.peekable();
    asks.peek().is_some() && asks.all(named)
}

/// D3: what was made is found again, and only that.
fn mark(object: &Object, write: &Write, guarantee: &Guarantee, found: &mut Vec<Diagnostic>) {
    let at = guarantee.by.span;
    let Some(field) = &guarantee.field else {
        found.push(error::means_lacks("mark", "field", at, "nothing says by which field what was made is found"));
        return;
    };
    if !write.key.is_empty() && !write.key.iter().any(|key| key.node == field.node) {
        let keys: Vec<String> = write.key.iter().map(|key| format!("`{}`", key.node)).collect();
        let why = format!("the key is {}, and what was made is looked for by `{}`", keys.join(" and "), field.node);
        found.push(error::mark_unsure(
            field.span,
            &why,
            "let `key` and `field` be the same; where many records can have the field, write `by: none`",
        ));
    }
    match guarantee.settle {
        None => found.push(error::means_lacks("mark", "settle", at, "nothing says how long a request may still take effect")),
        Some(settle) if settle < SETTLE => found.push(error::mark_unsure(at, "`settle` is shorter than a call may take", "put a minute at least")),
        Some(_) => {}
    }
    let find = object.find.iter().find(|find| find.field.as_ref().is_some_and(|known| known.node == field.node));
    match find.map(|find| &find.look) {
        None => {
            let help = format!("add `{}` under `find` of {}", field.node, object.name.node);
            found.push(error::mark_unsure(field.span, &format!("nothing finds {} by `{}`", object.name.node, field.node), &help));
        }
        Some(Look::Ask { ask, exact, put, .. }) => {
            let by_path = matches!(&ask.request, crate::describe::model::Request::Rest { path, .. } if path.values().any(|value| value.reads.iter().any(|read| read.root() == "value")));
            let puts = put.iter().any(|(name, _)| name.node == field.node);
            if !(*exact || by_path || puts) {
                let why = format!("the `find` by `{}` may give others too", field.node);
                found.push(error::mark_unsure(field.span, &why, "add `filter: exact` to it"));
            }
        }
        Some(Look::Refused) => found.push(error::mark_unsure(field.span, "this field cannot be asked for", "name another field")),
        Some(_) => {}
    }
    if write.receipt.as_ref().is_none_or(|receipt| receipt.id.is_none()) {
        found.push(error::mark_unsure(at, "the receipt has no `id`: what is found cannot be told to be what was made", "add `id` to the receipt"));
    }
}

/// D4: each item of a batch is told by itself.
pub(super) fn batch(object: &Object, write: &Write, found: &mut Vec<Diagnostic>) {
    let Some(receipt) = &write.receipt else {
        if write.batch.most() > 1 {
            found.push(error::batch_unmatched(write.name.span, "a batch has no receipt", "add `receipt` with `items` and `match`"));
        } else if object.part_of.is_none() && (write.ask.is_some() || !write.steps.is_empty()) {
            let why = "nothing says what became of an item: each write would stay in doubt";
            let help = "for example `receipt: { id: id }`; of an answer without a body `receipt: { empty: true }`";
            found.push(error::needs_key("receipt", write.name.span, &format!("the write `{}`", write.name.node), why).help(help));
        }
        return;
    };
    if receipt.missing != AnswerClass::Ambiguous {
        let why = format!("an item of which nothing is said is called {}", receipt.missing.word());
        found.push(error::batch_unmatched(receipt.span, &why, "leave `missing` out: what nobody says is in doubt"));
    }
    let no_body = match &receipt.results {
        Results::Empty(_) => Some("a success without a body"),
        Results::Failures { .. } => Some("a list of what failed"),
        Results::One(_) | Results::Items(_) => None,
    };
    if let (Some(what), Some(Pick::Path(id))) = (no_body, &receipt.id) {
        let why = format!("{what} has no `{id}` of what was written: each success would be in doubt");
        found.push(error::batch_unmatched(id.span, &why, "leave `id` out, or take it from `header` or `key`"));
    }
    if matches!(receipt.results, Results::Items(_)) && receipt.ok.is_none() && receipt.refused.is_none() && receipt.id.is_none() {
        let help = "add `ok` or `refused` with a condition on the result, or the `id` that only a success has";
        found.push(error::batch_unmatched(receipt.span, "nothing says which results are refusals", help));
    }
    if write.batch.most() <= 1 {
        return;
    }
    match &receipt.matching {
        Matching::One => found.push(error::batch_unmatched(receipt.span, "nothing says which result is of which item", "add `match: [field]`")),
        Matching::By(by) if by.iter().all(|by| by.node == "place") => {
            let help = "name a field of the result that is that of the item before `place`";
            found.push(error::batch_unmatched(receipt.span, "results are assigned by their position alone, which nothing promises", help));
        }
        Matching::By(_) | Matching::Fields(_) => {}
    }
    if matches!(write.batch, Batch::Together(_)) && matches!(receipt.results, Results::One(_)) {
        found.push(error::batch_unmatched(receipt.span, "one result stands for a batch", "say where the results are: `items`, or `failures`"));
    }
}

/// No result is both a success and a refusal.
pub(super) fn told_apart(write: &Write, found: &mut Vec<Diagnostic>) {
    let Some((ok, refused)) = write.receipt.as_ref().and_then(|receipt| receipt.ok.as_ref().zip(receipt.refused.as_ref())) else { return };
    let words = |formula: &Formula| formula.text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words(ok) == words(refused) {
        found.push(error::both_done_and_refused(refused.span, &format!("both are `{}`", words(ok))));
    } else if let (Some((path, done)), Some((of, not_done))) = (one_of(ok), one_of(refused))
        && path == of
        && let Some(word) = done.iter().find(|word| not_done.contains(word))
    {
        found.push(error::both_done_and_refused(refused.span, &format!("`{path}` may be `{word}`")));
    }
}

/// The values of which a path is one, where a condition says no more than that.
fn one_of(formula: &Formula) -> Option<(String, Vec<String>)> {
    let expr = crate::syntax::read_expr(formula.span.file, &formula.text).ok()?;
    let word = |expr: &Expr| match expr.kind.as_ref() {
        ExprKind::Name(word) => Some(word.clone()),
        ExprKind::Text(text) => text.plain(),
        ExprKind::Number(number) => Some(number.to_string()),
        ExprKind::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    };
    let (value, list) = match expr.kind.as_ref() {
        ExprKind::Binary { op, left, right } if op.node == BinaryOp::Equal => (left, std::slice::from_ref(right)),
        ExprKind::In { value, list, negated: false } => (value, list.as_slice()),
        _ => return None,
    };
    if !matches!(value.kind.as_ref(), ExprKind::Name(_) | ExprKind::Field { .. }) {
        return None;
    }
    let [path] = formula.reads.as_slice() else { return None };
    Some((path.to_string(), list.iter().map(word).collect::<Option<_>>()?))
}

/// D7: every step may be sent again.
pub(super) fn steps(write: &Write, found: &mut Vec<Diagnostic>) {
    if write.steps.is_empty() {
        return;
    }
    let name = &write.name;
    if name.node.split('_').next() != Some("update") {
        let help = "make the record by one call, and write the rest in an `update`";
        found.push(error::not_repeatable(name.span, &format!("`{}` has steps, and the second does not know what the first made", name.node), help));
    }
    if let Some(guarantee) = write.guarantee.as_ref().filter(|guarantee| !matches!(guarantee.by.node, Means::Set | Means::None)) {
        let why = format!("steps are sent again one by one, which `{}` does not allow", guarantee.by.node.word());
        found.push(error::not_repeatable(guarantee.by.span, &why, "send absolute values, and write `by: set`; or write it by one call"));
    }
    for step in &write.steps {
        match (&step.ask, &step.lines) {
            (None, None) => {
                let help = "add `call` or `mutation`; where it writes lines: `lines: { key: … }` with `add`, `change` and `remove`";
                found.push(error::not_repeatable(step.span, "a step has neither a call nor `lines`", help));
            }
            (Some(_), Some(_)) => {
                let help = "leave one of them out: lines are written by `add`, `change` and `remove`";
                found.push(error::not_repeatable(step.span, "a step has a call and `lines`", help));
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        if let Some((_, None)) = &step.add {
            let help = "add `once`: a condition on the target's record under which the line is not there yet";
            found.push(error::not_repeatable(step.span, "lines that are added again would be there twice", help));
        }
    }
    let rest = write.steps.iter().filter(|step| step.covers.is_empty()).count();
    if rest > 1 {
        let help = "name the fields of one of them in `covers`";
        found.push(error::not_repeatable(name.span, "two steps write all that no other step does", help));
    }
}
