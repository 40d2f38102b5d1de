//! Mistakes about tables: the file, its columns, its cells, its keys.

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, separator_help};
use crate::check::TableFault;
use crate::syntax::tree::{Name, TypeExpr};

/// The file is not there, lies outside, or cannot be read.
pub(in crate::check) fn no_file(table: &Name, at: Span, fault: &TableFault) -> Diagnostic {
    let why = format!("every look-up in `{}` needs the file when the mapping is checked", table.node);
    match fault {
        TableFault::NotFound(path) => Diagnostic::new(Code::TableMissing, at, format!("table `{}` has no file", table.node))
            .label(format!("there is no file {path}"))
            .why(why)
            .help(format!("put the file at {path}, or write the path from the mapping file's folder or the project's")),
        TableFault::Outside(path) => {
            Diagnostic::new(Code::OutsideProject, at, format!("the file of table `{}` lies outside the project", table.node))
                .label(format!("{path} is not in the project's folder"))
                .why("a mapping reads only what is checked in with it: elsewhere the file would be another or none")
                .help("copy the file into the project, such as into tables/")
        }
        TableFault::Told(path) => Diagnostic::new(Code::TableMissing, at, format!("`{path}` cannot be read")),
        TableFault::Unreadable { path, reason } => {
            Diagnostic::new(Code::TableMissing, at, format!("the file of table `{}` cannot be read", table.node))
                .label(format!("{path}: {reason}"))
                .why(why)
                .help("save it as CSV in UTF-8, or name its encoding under `csv` in crossdock.yaml")
        }
    }
}

pub(in crate::check) fn no_path(table: &Name) -> Diagnostic {
    Diagnostic::new(Code::TableMissing, table.span, format!("table `{}` names no file", table.node))
        .label("no `from \"…\"`")
        .why("a table's rows come from a CSV file of the project")
        .help(format!("write   table {} from \"tables/{}.csv\" {{ … }}", table.node, table.node))
}

pub(in crate::check) fn no_key(table: &Name) -> Diagnostic {
    Diagnostic::new(Code::ColumnMissing, table.span, format!("table `{}` has no key", table.node))
        .label("no column is marked `key`")
        .why("without a key no row of it can be looked up")
        .help("write `key` before the column by which rows are found")
}

/// No heading is one of the table's: the file is another, or its cells are separated by another sign.
pub(in crate::check) fn no_headings(table: &Name, at: Span, path: &str, headers: &[String], columns: &[&str], separator: Option<u8>) -> Diagnostic {
    let line = headers.join(", ");
    let d = Diagnostic::new(Code::ColumnMissing, at, format!("the file of table `{}` has none of its columns: {}", table.node, columns.join(", ")))
        .label(if headers.is_empty() { "the file is empty".to_owned() } else { format!("line 1 of {path} is: {line}") })
        .why("every look-up would find nothing");
    let other = match headers {
        [heading] => separator_help(path, heading, columns.iter().copied(), separator),
        _ => None,
    };
    d.help(other.unwrap_or_else(|| format!("the first line of {path} has the headings; write it there, or name the right file")))
}

/// Only the headings are there.
pub(in crate::check) fn no_rows(table: &Name, at: Span, path: &str) -> Diagnostic {
    Diagnostic::new(Code::NoRowFits, at, format!("the file of table `{}` has headings and no row", table.node))
        .label(format!("{path} ends behind its first line"))
        .why("every look-up finds nothing")
        .help(format!("write the rows into {path}, or name the file that has them"))
}

pub(in crate::check) fn no_column(table: &Name, column: &str, at: Span, of: Span, path: &str, headers: &[String], renamed: bool) -> Diagnostic {
    let shown = if headers.is_empty() { "the file is empty".to_owned() } else { format!("line 1 of {path} has: {}", headers.join(", ")) };
    let d = Diagnostic::new(Code::ColumnMissing, at, format!("the file of table `{}` has no column `{column}`", table.node))
        .label(shown)
        .why("every row would lack this value");
    match crate::base::nearest(column, headers.iter().map(String::as_str)) {
        Some(near) if renamed => d.mend(format!("did you mean \"{near}\"?"), at, format!("\"{near}\"")),
        Some(near) => {
            d.mend(format!("the file calls it \"{near}\": add   from \"{near}\"   behind the column's type"), of.after(), format!(" from \"{near}\""))
        }
        None => d.help(format!("add the column to {path}, or say its heading:   {column}: text from \"Heading\"")),
    }
}

/// One heading stands twice.
pub(in crate::check) fn two_columns(table: &Name, column: &str, at: Span, path: &str) -> Diagnostic {
    Diagnostic::new(Code::ColumnMissing, at, format!("the file of table `{}` has two columns `{column}`", table.node))
        .label(format!("stands twice in line 1 of {path}"))
        .why("which of the two a look-up gives would hang on their order")
        .help("give one of them another heading")
}

/// Cells of one column that do not fit, first ones first.
pub(in crate::check) struct BadCells<'a> {
    pub(in crate::check) table: &'a Name,
    pub(in crate::check) column: &'a Name,
    pub(in crate::check) of: &'a TypeExpr,
    pub(in crate::check) path: &'a str,
    /// The line and what is wrong with it.
    pub(in crate::check) cells: Vec<(u64, String)>,
    /// All are blank.
    pub(in crate::check) blank: bool,
}

pub(in crate::check) fn bad_cells(of: &BadCells<'_>) -> Diagnostic {
    let kind = super::super::written::type_written(of.of);
    let message = match of.cells.as_slice() {
        [(line, wrong)] => format!("{} line {line}: {wrong}", of.path),
        many => format!("{} cells of {} do not fit column `{}`", many.len(), of.path, of.column.node),
    };
    let lines: Vec<String> = of.cells.iter().take(3).map(|(line, wrong)| format!("line {line}: {wrong}")).collect();
    let more = if of.cells.len() > 3 { format!("; and {} more", of.cells.len() - 3) } else { String::new() };
    let d = Diagnostic::new(Code::TableValue, of.of.span, message)
        .label(format!("{}{more}", lines.join("; ")))
        .why(format!("a look-up in `{}` that meets such a row could give no {kind}", of.table.node));
    if of.blank {
        d.mend("fill the cells in, or let the column be empty", of.of.span, format!("{kind}?"))
    } else {
        d.help("mend the cells in the file, or give the column another type")
    }
}

/// A column's type is none that a cell can hold.
pub(in crate::check) fn not_a_cell(column: &Name, of: &TypeExpr) -> Diagnostic {
    let kind = super::super::written::type_written(of);
    Diagnostic::new(Code::TableValue, of.span, format!("column `{}` cannot hold {kind}", column.node))
        .label("a cell of a CSV file is one plain value")
        .help("a column is text, integer, decimal, money, boolean, date, time, datetime, a value of a field, or a named thing such as   a warehouse of wms")
}

/// Lines with more or fewer cells than the headings.
pub(in crate::check) fn ragged(table: &Name, at: Span, path: &str, line: u64, has: usize, wants: usize, more: usize) -> Diagnostic {
    let rest = if more > 0 { format!(" ({more} more lines differ too)") } else { String::new() };
    Diagnostic::new(Code::TableValue, at, format!("{path} line {line} has {has} cells where the headings are {wants}{rest}"))
        .label(format!("read by table `{}`", table.node))
        .why("a cell that is out of its column would be taken for another value")
        .help(if has < wants {
            "a cell is left out: write all of them, an empty one as nothing between two separators; or a quote is not closed on an earlier line"
        } else {
            "put quotes around a cell that holds the separator:   \"Mug, blue\""
        })
}

/// The CSV text itself cannot be read.
pub(in crate::check) fn no_csv(table: &Name, at: Span, path: &str, reason: &str) -> Diagnostic {
    Diagnostic::new(Code::TableMissing, at, format!("the file of table `{}` cannot be read as CSV", table.node))
        .label(format!("{path}: {reason}"))
        .help("save it as CSV in UTF-8, with commas between cells")
}

pub(in crate::check) struct Twice {
    pub(in crate::check) key: String,
    pub(in crate::check) lines: Vec<u64>,
}

/// Keys that stand in more than one row.
pub(in crate::check) fn duplicate_keys(table: &Name, at: Span, path: &str, keys: &[Twice]) -> Diagnostic {
    let lines = |twice: &Twice| twice.lines.iter().take(4).map(u64::to_string).collect::<Vec<_>>().join(" and ");
    let message = match keys {
        [one] => format!("{path} has key {} twice", one.key),
        many => format!("{path} has {} keys twice", many.len()),
    };
    let shown: Vec<String> = keys.iter().take(3).map(|twice| format!("{} in lines {}", twice.key, lines(twice))).collect();
    let more = if keys.len() > 3 { ", …" } else { "" };
    Diagnostic::new(Code::DuplicateKey, at, message)
        .label(format!("{}{more}", shown.join("; ")))
        .why(format!("`{}` gives one row for a key; which of the two would hang on their order", table.node))
        .help("take one of the lines out, or write `many` before the columns to get all of a key's rows")
}
