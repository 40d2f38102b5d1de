//! What becomes of a field where its source has nothing.

use super::sources::{Names, bare};
use crate::ir::print;
use crate::ir::{Compare, Expr, Flow, Operation, Otherwise, Policy, Row, RowValue, Rule, RuleKind, Write};
use crate::plan::Plan;
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
    // A list is told by its elements: without any it is sent as an empty one, unless a rule asks for some.
    if let Some(list) = list_of(expr, names) {
        return match wants_elements(&flow.rules, names, &list) {
            Some(why) => format!("the record is rejected: {}", message(why)),
            None => "an empty list is sent".to_owned(),
        };
    }
    // A missing value is met by the map's `else`.
    if let Expr::Values { map, back: false, .. } = bare(expr) {
        match plan.mapping.values.get(*map).map(|map| &map.otherwise) {
            Some(Otherwise::Stop(stop)) => return format!("{}: {}", super::make::stopped(stop), message(&stop.message)),
            Some(Otherwise::Value { to, .. }) => return format!("{} is sent instead", super::make::literal(to)),
            Some(Otherwise::Nothing) | None => {}
        }
    }
    if names.of_row(expr).is_empty() {
        return "does not depend on the record".to_owned();
    }
    let mut need = Need::default();
    need.of(&Asked { plan, flow, names }, expr, 0);
    let mut told: Vec<String> = Vec::new();
    for instead in &need.instead {
        told.push(if matches!(bare(expr), Expr::Fallback { .. }) {
            format!("{instead} is sent instead")
        } else {
            format!("{instead} is used instead")
        });
    }
    let then = if told.is_empty() { "" } else { "without that too, " };
    let open: Vec<&String> = need.open.iter().collect();
    if open.is_empty() {
        return if told.is_empty() { "the source always has it".to_owned() } else { told.join(", else ") };
    }
    let rejected: Vec<(&String, &Expr)> = open.iter().filter_map(|path| Some((*path, required(&flow.rules, names, path)?))).collect();
    let rest = if schema.is_some_and(|schema| schema.write.required) { "the record is rejected: the target requires it" } else { left(row, write) };
    let last = match rejected.as_slice() {
        [(_, one)] if open.len() == 1 => format!("the record is rejected: {}", message(one)),
        [] => rest.to_owned(),
        some => {
            let each: Vec<String> = some.iter().map(|(path, why)| format!("without {path} the record is rejected: {}", message(why))).collect();
            let rest = if some.len() == open.len() { String::new() } else { format!("; else {rest}") };
            format!("{}{rest}", each.join("; "))
        }
    };
    told.push(format!("{then}{last}"));
    told.join("; ")
}

/// What an expression's value rests on.
#[derive(Default)]
struct Need {
    /// Paths that may be missing, and without which there is no value.
    open: Vec<String>,
    /// What is taken where something is missing, as the author wrote it.
    instead: Vec<String>,
}

struct Asked<'a, 'f> {
    plan: &'a Plan,
    flow: &'f Flow,
    names: &'a Names<'f>,
}

impl Need {
    fn of(&mut self, asked: &Asked<'_, '_>, expr: &Expr, depth: u8) {
        // Names are made of names; the checker lets none go round, and this does not count on it.
        if depth > 32 {
            return;
        }
        match expr {
            Expr::Fallback { value, fallback } => {
                let mut first = Need::default();
                first.of(asked, value, depth + 1);
                self.instead.append(&mut first.instead);
                // A path that a rule requires above is there where this is reached.
                if first.open.iter().all(|path| required(&asked.flow.rules, asked.names, path).is_some()) && may_always_be_there(value) {
                    first.open.into_iter().for_each(|path| self.open(path));
                    return;
                }
                let said = print::within(&asked.plan.mapping, fallback);
                if !matches!(bare(fallback), Expr::Fallback { .. }) && !self.instead.contains(&said) {
                    self.instead.push(said);
                }
                self.of(asked, fallback, depth + 1);
            }
            // What a choice goes by decides; without it the other way is taken.
            Expr::If { then, otherwise, .. } => {
                self.of(asked, then, depth + 1);
                self.of(asked, otherwise, depth + 1);
            }
            Expr::Field { .. } => match asked.names.path_of(expr) {
                Some(path) => self.path(asked, path),
                None => self.parts(asked, expr, depth),
            },
            Expr::Slot { slot, .. } => match (asked.names.path_of(expr), asked.names.value_of(*slot)) {
                (Some(path), _) => self.path(asked, path),
                (None, Some(value)) => self.of(asked, value, depth + 1),
                (None, None) => {}
            },
            // A message and a map's `else` are met by what is missing, too; what they give is there.
            Expr::Template { message: true, .. } | Expr::Each { .. } => {}
            _ => self.parts(asked, expr, depth),
        }
    }

    fn parts(&mut self, asked: &Asked<'_, '_>, expr: &Expr, depth: u8) {
        expr.parts(&mut |part| self.of(asked, part, depth + 1));
    }

    fn path(&mut self, asked: &Asked<'_, '_>, path: String) {
        if !always_there(asked.plan, asked.flow, &path) {
            self.open(path);
        }
    }

    fn open(&mut self, path: String) {
        if !self.open.contains(&path) {
            self.open.push(path);
        }
    }
}

/// Whether a value is there wherever what it reads is: a path itself, and no conversion that may fail.
fn may_always_be_there(value: &Expr) -> bool {
    matches!(bare(value), Expr::Field { .. } | Expr::Slot { .. })
}

/// The list whose elements an expression goes through.
fn list_of<'e>(expr: &'e Expr, names: &Names<'e>) -> Option<Expr> {
    match bare(expr) {
        Expr::Each { generators, .. } => generators.first().map(|first| first.list.clone()),
        Expr::Slot { slot, .. } => names.value_of(*slot).and_then(|value| list_of(value, names)).map(|_| bare(expr).clone()),
        other => other.reordered().and_then(|list| list_of(list, names).or_else(|| Some(list.clone()))),
    }
}

/// The message of the first rule that rejects a record in which a list has no elements: `count(lines) > 0`.
fn wants_elements<'f>(rules: &'f [Rule], names: &Names<'f>, list: &Expr) -> Option<&'f Expr> {
    let same = |of: &Expr| {
        let (of, list) = (bare(of), bare(list));
        of == list || names.path_of(of).is_some_and(|path| names.path_of(list) == Some(path))
    };
    let counted = |expr: &Expr| match bare(expr) {
        Expr::Call { function, arguments } => {
            let asks = matches!(function.0.name, "count" | "any" | "first" | "last");
            asks && arguments.first().is_some_and(|first| {
                same(first) || matches!(bare(first), Expr::Each { generators, .. } if generators.iter().any(|one| same(&one.list)))
            })
        }
        _ => false,
    };
    rules.iter().find_map(|rule| match &rule.kind {
        RuleKind::Require { condition, message, .. } => {
            let asked = match bare(condition) {
                Expr::Compare { op: Compare::Greater | Compare::GreaterOrEqual | Compare::NotEqual, left, .. } => counted(left),
                Expr::Compare { op: Compare::Less | Compare::LessOrEqual, right, .. } => counted(right),
                whole => whole.asked().map_or_else(|| counted(whole), |inner| counted(inner) || same(inner)),
            };
            asked.then_some(message)
        }
        _ => None,
    })
}

pub(super) const STAYS: &str = "it is not sent; what the target has stays";

fn left(row: &Row, write: &Write) -> &'static str {
    match (row.policy, write.op) {
        (Policy::Clear, _) => "it is emptied at the target",
        (_, Operation::Create) | (Policy::Once, _) => "it is not set",
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
                Expr::Matches { value, .. } => Some(&**value),
                condition => condition.asked(),
            };
            let asked = names.path_of(bare(asked?))?;
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

fn optional(found: &crate::ir::Match) -> bool {
    use crate::ir::MatchOutcome;
    matches!(found.none, MatchOutcome::Create | MatchOutcome::Continue)
}
