//! Which rows of a decision table a record can meet, and whether every record meets one.

use crate::base::Span;
use crate::base::diag::Diagnostic;
use crate::syntax::tree;

use super::error::routes as error;
use super::logic::{self, Case};
use crate::ir::{self, print};

/// Checks a route whose rows are typed, one for each row as written.
///
/// `never_missing` says whether a value that a condition looks at is always there.
pub(super) fn check(written: &tree::Route, typed: &ir::Route, at: Span, never_missing: &dyn Fn(&ir::Expr) -> bool, diags: &mut Vec<Diagnostic>) {
    let conditions: Vec<Option<&ir::Expr>> = typed.rows.iter().map(|row| row.condition.as_ref()).collect();
    let places: Vec<Span> = written.rows.iter().map(|row| row.condition.as_ref().map_or(row.span, |condition| condition.span)).collect();
    if conditions.len() != places.len() {
        // A row was left out with a message of its own.
        return;
    }
    let names: Vec<&str> = written.names.iter().map(|name| name.name.node.as_str()).collect();
    let mut earlier: Vec<(usize, Vec<Case>)> = Vec::new();
    let mut whole: Option<usize> = None;
    for (row, condition) in conditions.iter().enumerate() {
        if let Some(first) = whole {
            let is_else = conditions[first].is_none();
            diags.push(error::behind_all(&names, places[row], places[first], is_else));
            continue;
        }
        let Some(condition) = condition else {
            whole = Some(row);
            continue;
        };
        let Some(cases) = logic::cases(condition) else { continue };
        if cases.is_empty() {
            diags.push(error::never_true(&names, places[row]));
            continue;
        }
        if let Some(mut by) = caught(&cases, &earlier) {
            by.sort_unstable();
            by.dedup();
            let by: Vec<Span> = by.into_iter().map(|row| places[row]).collect();
            diags.push(error::caught_before(&names, places[row], &by));
            continue;
        }
        if logic::constant(condition) == Some(true) {
            whole = Some(row);
        }
        earlier.push((row, cases));
    }
    if whole.is_none()
        && !written.rows.is_empty()
        && let Some(left) = uncovered(&conditions, &earlier, never_missing)
    {
        diags.push(error::incomplete(&names, at, &left));
    }
}

/// The earlier rows that together catch every case of a later one.
fn caught(cases: &[Case], earlier: &[(usize, Vec<Case>)]) -> Option<Vec<usize>> {
    let by = |case: &Case| earlier.iter().find(|(_, had)| had.iter().any(|had| case.implies(had))).map(|(row, _)| *row);
    let mut rows = Vec::new();
    for case in cases {
        match by(case) {
            Some(row) => rows.push(row),
            // Not one row alone, but perhaps one for each word.
            None => {
                let apart = case.apart();
                if apart.len() < 2 {
                    return None;
                }
                for one in &apart {
                    rows.push(by(one)?);
                }
            }
        }
    }
    Some(rows)
}

/// What no row catches; `None` where all is covered.
pub(super) enum Left {
    /// These values of a field (its text as an author reads it).
    Values { field: String, values: Vec<String> },
    /// All is covered but a missing value of the field.
    Missing { field: String },
    /// Whatever the conditions leave.
    Rest,
}

fn uncovered(conditions: &[Option<&ir::Expr>], rows: &[(usize, Vec<Case>)], never_missing: &dyn Fn(&ir::Expr) -> bool) -> Option<Left> {
    let mut looked = Vec::new();
    conditions.iter().flatten().for_each(|condition| values(condition, &mut looked));
    for value in looked {
        let (Some(path), Some(known)) = (logic::path(value), logic::closed(value)) else { continue };
        let met = |case: Case| rows.iter().flat_map(|(_, cases)| cases).any(|row| case.implies(row));
        let left: Vec<String> = known.iter().filter(|word| !met(Case::word(&path, word))).cloned().collect();
        if left.len() == known.len() {
            continue;
        }
        let missing = !never_missing(value) && !met(Case::missing(&path));
        let field = print::path(value);
        return match (left.is_empty(), missing) {
            (true, false) => None,
            (true, true) => Some(Left::Missing { field }),
            (false, _) => Some(Left::Values { field, values: left }),
        };
    }
    Some(Left::Rest)
}

/// The values that a condition compares.
fn values<'e>(condition: &'e ir::Expr, into: &mut Vec<&'e ir::Expr>) {
    match condition {
        ir::Expr::And(all) | ir::Expr::Or(all) => all.iter().for_each(|one| values(one, into)),
        ir::Expr::Not(one) => values(one, into),
        ir::Expr::Compare { left, right, .. } => into.extend([left.as_ref(), right.as_ref()]),
        ir::Expr::In { value, .. } => into.push(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::FileId;
    use crate::base::diag::Code;
    use crate::ir::{Compare, Expr, Place, RouteOutcome, Slot};
    use crate::syntax::tree::{ExprKind, ItemKind, SectionKind};
    use crate::value::{Enumeration, Kind, Known, Literal, WireEncoding};

    /// Reads rows such as `when order.R == "UK" -> "a"`; a field `R` is one of UK, EU, US.
    fn found(rows: &str, never_missing: bool) -> Vec<Diagnostic> {
        let text = format!("edition 1\nflow f {{\n  from crm.Order as order {{ every 5 minutes }}\n  route store {{\n{rows}\n  }}\n}}\n");
        let (tree, found) = crate::syntax::read(FileId(0), &text);
        assert!(found.is_empty(), "{found:#?}");
        let ItemKind::Flow(flow) = &tree.items[0].kind else { panic!("a flow") };
        let SectionKind::Route(route) = &flow.sections[1].kind else { panic!("a route") };
        let place = Place::line("a.dock", 1);
        let rows = route.rows.iter().map(|row| ir::RouteRow {
            condition: row.condition.as_ref().map(typed),
            text: String::new(),
            outcome: RouteOutcome::Results(Vec::new()),
            place: place.clone(),
        });
        let typed = ir::Route { results: Vec::new(), rows: rows.collect(), place: place.clone() };
        let mut diags = Vec::new();
        check(route, &typed, flow.name.span, &|_| never_missing, &mut diags);
        diags
    }

    fn typed(expr: &tree::Expr) -> Expr {
        match expr.kind.as_ref() {
            ExprKind::Name(name) => Expr::Slot { slot: Slot(0), name: name.as_str().into() },
            ExprKind::Field { base, field } => {
                let known = ["UK", "EU", "US"].map(|value| Known { value: value.into(), label: None });
                let kind = if field.node == "R" {
                    Kind::Enumeration(Arc::new(Enumeration { name: "R".into(), values: known.into(), open: false }))
                } else {
                    Kind::Text
                };
                Expr::Field { base: Box::new(typed(base)), name: field.node.as_str().into(), kind, wire: WireEncoding::Plain, held: false }
            }
            ExprKind::Text(text) => Expr::Literal(Literal::Text(text.plain().unwrap())),
            ExprKind::Binary { op, left, right } if op.node == tree::BinaryOp::And => Expr::And(vec![typed(left), typed(right)]),
            ExprKind::Binary { left, right, .. } => Expr::Compare { op: Compare::Equal, left: Box::new(typed(left)), right: Box::new(typed(right)) },
            ExprKind::IsMissing(value) => Expr::Not(Box::new(Expr::IsPresent(Box::new(typed(value))))),
            ExprKind::In { value, list, .. } => Expr::In { value: Box::new(typed(value)), list: list.iter().map(typed).collect() },
            ExprKind::Paren(inner) => typed(inner),
            other => panic!("not read here: {other:?}"),
        }
    }

    fn codes(rows: &str) -> Vec<Code> {
        found(rows, true).iter().map(|d| d.code).collect()
    }

    #[test]
    fn rows_that_are_all_met_are_quiet() {
        assert_eq!(codes("when order.R == \"UK\" and order.C == \"A\" -> \"a\"\nwhen order.R == \"UK\" -> \"b\"\nelse -> \"c\""), []);
        assert_eq!(codes("when order.R in (\"UK\", \"EU\") -> \"a\"\nwhen order.R == \"US\" -> \"b\""), []);
    }

    #[test]
    fn a_row_that_earlier_ones_catch_is_an_error() {
        let wide = found("when order.R in (\"UK\", \"EU\") -> \"a\"\nwhen order.R == \"EU\" and order.C == \"A\" -> \"b\"\nelse -> \"c\"", true);
        assert_eq!(wide.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::UnreachableRow]);
        assert_eq!(wide[0].others.len(), 1);
        // Two rows together.
        let both =
            found("when order.R == \"UK\" -> \"a\"\nwhen order.R == \"EU\" -> \"b\"\nwhen order.R in (\"UK\", \"EU\") -> \"c\"\nelse -> \"d\"", true);
        assert_eq!(both[0].others.len(), 2);
        assert_eq!(codes("else -> \"a\"\nwhen order.R == \"EU\" -> \"b\""), [Code::UnreachableRow]);
        assert_eq!(codes("when order.R == \"EU\" and order.R == \"UK\" -> \"a\"\nelse -> \"b\""), [Code::UnreachableRow]);
    }

    #[test]
    fn an_enumeration_has_to_be_covered() {
        let left = found("when order.R in (\"UK\", \"EU\") -> \"a\"", true);
        assert_eq!(left[0].code, Code::RouteIncomplete);
        assert!(left[0].primary.text.contains("\"US\""));
        assert_eq!(codes("when order.C == \"A\" -> \"a\""), [Code::RouteIncomplete]);
        let missing = found("when order.R in (\"UK\", \"EU\", \"US\") -> \"a\"", false);
        assert!(missing[0].primary.text.contains("without order.R"));
        assert_eq!(found("when order.R in (\"UK\", \"EU\", \"US\") -> \"a\"\nwhen order.R is missing -> \"b\"", false), []);
    }
}
