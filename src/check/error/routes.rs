//! Mistakes about routes: rows that no record meets, records that meet no row.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::route::Left;
use crate::syntax::tree::Name;

fn results(names: &[&str]) -> String {
    format!("`{}`", names.join("`, `"))
}

/// A row behind one that catches every record.
pub(in crate::check) fn behind_all(names: &[&str], row: Span, first: Span, is_else: bool) -> Diagnostic {
    Diagnostic::new(Code::UnreachableRow, row, format!("a row of route {} can never be met", results(names)))
        .label("no record gets here")
        .other(first, if is_else { "`else` catches every record" } else { "this is true for every record" })
        .why("rows are read from top to bottom and the first hit wins: what this row says is never done")
        .help(if is_else { "put `else` last" } else { "put the row above, or take it out" })
}

/// The condition contradicts itself.
pub(in crate::check) fn never_true(names: &[&str], row: Span) -> Diagnostic {
    Diagnostic::new(Code::UnreachableRow, row, format!("a row of route {} can never be met", results(names)))
        .label("this is true for no record")
        .why("its parts contradict each other, so what the row says is never done")
        .help("if either of two values is meant, write `or`, or   in (\"UK\", \"EU\")")
}

/// Earlier rows catch all that this one would.
pub(in crate::check) fn caught_before(names: &[&str], row: Span, by: &[Span]) -> Diagnostic {
    let mut d =
        Diagnostic::new(Code::UnreachableRow, row, format!("a row of route {} can never be met", results(names))).label("no record gets here");
    let text = if by.len() == 1 { "this row catches all that it would" } else { "caught here in part" };
    for place in by.iter().take(3) {
        d = d.other(*place, text);
    }
    d.why("rows are read from top to bottom and the first hit wins: what this row says is never done")
        .help("put the narrower row above the wider one, or take it out")
}

/// Some records meet no row.
pub(in crate::check) fn incomplete(names: &[&str], at: Span, left: &Left) -> Diagnostic {
    let d = Diagnostic::new(Code::RouteIncomplete, at, format!("the rows of route {} do not cover every record", results(names)));
    let (d, why) = match left {
        Left::Values { field, values } => {
            let few: Vec<String> = values.iter().take(5).map(|value| format!("\"{value}\"")).collect();
            let more = if values.len() > 5 { format!(" and {} more", values.len() - 5) } else { String::new() };
            (d.label(format!("no row for {field} {}{more}", few.join(", "))), "a record with one of these values would have no result")
        }
        Left::Missing { field } => (d.label(format!("no row for a record without {field}")), "a record where it is missing would have no result"),
        Left::Rest => (d.label("no `else`"), "a record that meets none of the conditions would have no result"),
    };
    d.why(why).help("add a last row:   else -> …   or   else -> review \"no rule fits\"")
}

/// The names of a route's results stand in each other's place.
pub(in crate::check) fn names_swapped(first: &Name, second: &Name) -> Diagnostic {
    Diagnostic::new(Code::UnknownReference, first.span, format!("the results `{}` and `{}` are the wrong way round", first.node, second.node))
        .label("every row gives them in the other order")
        .mend(format!("write `{}, {}`", second.node, first.node), first.span.to(second.span), format!("{}, {}", second.node, first.node))
}

/// Two results of one row stand in each other's place.
pub(in crate::check) fn results_swapped(first: &Name, second: &Name, span: Span, texts: (&str, &str)) -> Diagnostic {
    let right = format!("{}, {}", texts.1, texts.0);
    Diagnostic::new(Code::UnknownReference, span, format!("the results `{}` and `{}` are the wrong way round in this row", first.node, second.node))
        .mend(format!("write `{right}`"), span, right)
}
