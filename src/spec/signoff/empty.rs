//! What becomes of a field where its source has nothing.

use super::sources::{Names, bare};
use crate::check::typed::{Expr, Flow, Op, Otherwise, Policy, Row, RowValue, Rule, RuleKind, Write};
use crate::plan::{Plan, text};
use crate::schema::Field;
use crate::value::{Kind, ObjectRef};

pub(super) fn words<'f>(
    plan: &Plan,
    flow: &'f Flow,
    names: &Names<'f>,
    write: &Write,
    row: &'f Row,
    schema: Option<&Field>,
    message: &dyn Fn(&Expr) -> String,
) -> String {
    let expr = match &row.value {
        RowValue::Expr(expr) => expr,
        RowValue::Object { .. } | RowValue::Clear => return "always emptied".to_owned(),
    };
    if let Expr::Fallback { fallback, .. } = bare(expr) {
        return format!("{} is sent instead", text::within(&plan.mapping, fallback));
    }
    // A missing value is met by the map's `else`.
    if let Expr::Values { map, back: false, .. } = bare(expr) {
        match plan.mapping.values.get(*map).map(|map| &map.otherwise) {
            Some(Otherwise::Stop(stop)) => return format!("{}: {}", super::make::stopped(stop), message(&stop.message)),
            Some(Otherwise::Value { to, .. }) => return format!("{} is sent instead", super::make::literal(to)),
            Some(Otherwise::Nothing) | None => {}
        }
    }
    let sources = names.of_row(expr);
    if sources.is_empty() {
        return "does not depend on the record".to_owned();
    }
    let open: Vec<&String> = sources.iter().filter(|path| !always_there(plan, flow, path)).collect();
    if open.is_empty() {
        return "the source always has it".to_owned();
    }
    let rejected: Vec<(&String, &Expr)> = open.iter().filter_map(|path| Some((*path, required(&flow.rules, names, path)?))).collect();
    match rejected.as_slice() {
        [(_, one)] if open.len() == 1 => return format!("the record is rejected: {}", message(one)),
        [] => {}
        some => {
            let told: Vec<String> = some.iter().map(|(path, why)| format!("without {path} the record is rejected: {}", message(why))).collect();
            let rest = if some.len() == open.len() { String::new() } else { format!("; else {}", left(row, write)) };
            return format!("{}{rest}", told.join("; "));
        }
    }
    if schema.is_some_and(|schema| schema.write.required) {
        return "the record is rejected: the target requires it".to_owned();
    }
    left(row, write).to_owned()
}

pub(super) const STAYS: &str = "it is not sent; what the target has stays";

fn left(row: &Row, write: &Write) -> &'static str {
    match (row.policy, write.op) {
        (Policy::Clear, _) => "it is emptied at the target",
        (_, Op::Create) | (Policy::Once, _) => "it is not set",
        (Policy::IfEmpty, _) => "it is not sent",
        (Policy::Changed, _) => STAYS,
    }
}

/// The message of the first rule that rejects a record in which a path is missing.
fn required<'f>(rules: &'f [Rule], names: &Names<'f>, path: &str) -> Option<&'f Expr> {
    rules.iter().find_map(|rule| match &rule.kind {
        RuleKind::Require { condition, message, .. } => {
            // Other conditions may hold without it.
            let asked = match bare(condition) {
                Expr::IsPresent(value) | Expr::Matches { value, .. } => names.path_of(bare(value))?,
                _ => return None,
            };
            (asked == path).then_some(message)
        }
        // What is asked of each element is said of the element's own fields.
        RuleKind::Each { generators, rules, .. } => {
            let mut inside = names.clone();
            inside.elements(generators);
            required(rules, &inside, path)
        }
        _ => None,
    })
}

/// Whether the systems say that a path is never empty.
fn always_there(plan: &Plan, flow: &Flow, path: &str) -> bool {
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let object: Option<&ObjectRef> = if first == flow.source_name {
        Some(&flow.source)
    } else {
        flow.matches.iter().find(|found| found.name == first && !optional(found)).map(|found| &found.object)
    };
    let Some(mut object) = object else { return false };
    for step in steps {
        let Some(field) = plan.objects.get(&object.to_string()).and_then(|of| of.fields.get(step)) else { return false };
        if field.nullable {
            return false;
        }
        match &field.kind {
            Kind::Object(of) => object = of,
            Kind::List(of) => match &of.kind {
                Kind::Object(of) => object = of,
                _ => return true,
            },
            _ => return true,
        }
    }
    true
}

fn optional(found: &crate::check::typed::Match) -> bool {
    use crate::check::typed::MatchOutcome;
    matches!(found.none, MatchOutcome::Create | MatchOutcome::Continue)
}
