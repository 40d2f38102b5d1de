//! Value maps that leave values out, or catch them.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::error::names::some;
use crate::syntax::tree::{TypeExpr, Values};

/// The rows fit the sides the other way round.
pub(in crate::check) fn swapped(values: &Values, from: &TypeExpr, to: &TypeExpr, texts: (&str, &str)) -> Diagnostic {
    let arrow = if values.both_ways { "<->" } else { "->" };
    let right = format!("{} {arrow} {}", texts.1, texts.0);
    Diagnostic::new(Code::UnknownSourceValue, from.span, format!("the sides of `{}` are the wrong way round", values.name.node))
        .label(format!("the values on the left are those of `{}`", texts.1))
        .mend(format!("write `{right}`"), from.span.to(to.span), right)
}

pub(in crate::check) fn not_covered(values: &Values, left: &[&str], at: Span, from: &str, to: &str) -> Diagnostic {
    let quoted: Vec<String> = left.iter().map(|name| format!("\"{name}\"")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    let count = if left.len() == 1 { "a value".to_owned() } else { format!("{} values", left.len()) };
    let rows: Vec<String> = left.iter().take(3).map(|name| format!("\"{name}\" -> …")).collect();
    Diagnostic::new(
        Code::ValuesNotCovered,
        at,
        format!("{count} of `{from}` {} no row in `{}`", if left.len() == 1 { "has" } else { "have" }, values.name.node),
    )
    .label(format!("no row for {}", some(&quoted, 6)))
    .why(format!("a record with one of these would be sent without `{to}`"))
    .help(format!("add rows:   {}", rows.join("   ")))
    .help("or   else review \"{value} is not mapped\"")
}

pub(in crate::check) fn else_catches(at: Span, left: &[&str], from: Span) -> Diagnostic {
    let quoted: Vec<String> = left.iter().map(|name| format!("\"{name}\"")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    Diagnostic::new(Code::ElseCatches, at, format!("`else` catches {} known {}", left.len(), if left.len() == 1 { "value" } else { "values" }))
        .label(some(&quoted, 6))
        .other(from, "the values of this field")
        .why("this may be meant; a value that was forgotten looks the same")
}
