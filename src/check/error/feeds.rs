//! What flows of one project do to each other.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};

pub(in crate::check) fn leaves_where(record: &str, field: &str, values: &[String], other: &str, at: Span, from: Option<Span>) -> Diagnostic {
    let values = values.join(", ");
    let d = Diagnostic::new(Code::LeavesWhere, at, format!("flow `{other}` sets {field} to {values}, and this leaves such records out"))
        .label(format!("not {values}"))
        .why(format!("each {record} that gets it after it was sent counts as gone, as if it had been taken back"))
        .help(format!("let it stay:   add {values} to the values of {record}.{field} here"))
        .help(format!("or let `{other}` write a field of its own"));
    match from {
        Some(from) => d.other(from, "set here"),
        None => d,
    }
}

pub(in crate::check) fn grows(record: &str, field: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::FeedsItself, at, format!("`{field}` is made of itself, and grows with every poll"))
        .label(format!("reads {record}.{field} and writes it"))
        .why("the update changes the record, so that the flow reads it again, and changes it again")
        .help("compute it from other fields, or write it only once:   if empty")
}

pub(in crate::check) fn feeds_itself(flows: &[&str], record: &str, at: Span) -> Diagnostic {
    let text = match flows {
        [one] => format!("flow `{one}` reads the records that it makes"),
        more => format!("flows {} make records for each other", more.iter().map(|flow| format!("`{flow}`")).collect::<Vec<_>>().join(" and ")),
    };
    Diagnostic::new(Code::FeedsItself, at, text)
        .label("makes a record that is read again")
        .why("each new record makes the next one, without end")
        .help(format!("leave out what was made here:   where {record}.… is missing, by a field that this write sets"))
        .help("or update a record that a `match` finds, instead of making one")
}

pub(in crate::check) fn result_unread(names: &[&str], at: Span, alone: bool) -> Diagnostic {
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let name = names.first().copied().unwrap_or_default();
    let d = Diagnostic::new(Code::Unused, at, format!("nothing reads what the route decides as {listed}"))
        .label("decided, and never used")
        .why("the rows look as if they sent records their ways, and send none");
    let d = d.help(format!("write it into a field:   … = {name}"));
    if alone { d.help("or take the route out") } else { d.help("or take it out of the route and of each row") }
}
