//! A table's file, read and held against its columns.
//!
//! In: the table as written, the kinds of its columns, the file's cells. Out: typed rows. White space
//! around a cell is no part of it (a spreadsheet leaves it, and no key would match), but a cell of a
//! text column is never read as anything else: `01234` stays as it is. Lines in which all cells are
//! blank are no rows.

use std::collections::HashMap;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use crate::base::diag::Diagnostic;
use crate::syntax::tree;
use crate::value::{Kind, Literal, Type};

use super::error::tables as error;
use super::sheet::{Cells, Sheet};
use super::{CheckEnvironment, TableFault};
use crate::ir::{self, Place};

/// Checks a table. `sheet` is its file; `types` are those of the keys and then of the columns, as resolved.
pub(super) fn check(
    table: &tree::Table,
    doc: Option<&str>,
    sheet: Option<&Result<Sheet, TableFault>>,
    types: &[Type],
    place: Place,
    environment: &dyn CheckEnvironment,
    diags: &mut Vec<Diagnostic>,
) -> ir::Table {
    let written: Vec<&tree::TableColumn> = table.keys.iter().chain(&table.columns).collect();
    let mut typed = ir::Table {
        name: table.name.node.clone(),
        doc: doc.map(str::to_owned),
        path: table.path.as_ref().map(|path| path.node.clone()).unwrap_or_default(),
        keys: table.keys.iter().map(|key| key.name.node.clone()).collect(),
        columns: written.iter().zip(types).map(|(column, of)| ir::TableColumn { name: column.name.node.clone(), of: of.clone() }).collect(),
        many: table.many,
        rows: Vec::new(),
        lines: Vec::new(),
        place,
    };
    if table.keys.is_empty() {
        diags.push(error::no_key(&table.name));
    }
    let (Some(path), Some(sheet)) = (&table.path, sheet) else {
        diags.push(error::no_path(&table.name));
        return typed;
    };
    let sheet = match sheet {
        Ok(sheet) => sheet,
        Err(TableFault::Told(_)) => return typed,
        Err(fault) => {
            diags.push(error::no_file(&table.name, path.span, fault));
            return typed;
        }
    };
    typed.path.clone_from(&sheet.name);
    match &sheet.cells {
        Ok(cells) => {
            let mut reading = Reading { table, path, name: &sheet.name, written: &written, types, environment, diags };
            (typed.rows, typed.lines) = reading.rows(cells);
        }
        Err(fault) => diags.push(error::no_csv(&table.name, path.span, &sheet.name, fault)),
    }
    typed
}

struct Reading<'a> {
    table: &'a tree::Table,
    path: &'a crate::base::Spanned<String>,
    name: &'a str,
    written: &'a [&'a tree::TableColumn],
    types: &'a [Type],
    environment: &'a dyn CheckEnvironment,
    diags: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    /// The rows, and the line of each.
    fn rows(&mut self, cells: &Cells) -> (Vec<Vec<Literal>>, Vec<u32>) {
        let Cells { headers, rows: records } = cells;
        let Some(at) = self.columns(headers) else { return (Vec::new(), Vec::new()) };
        if records.is_empty() {
            self.diags.push(error::no_rows(&self.table.name, self.path.span, self.name));
        }
        let mut bad: Vec<Bad> = self.written.iter().map(|_| Bad::default()).collect();
        let mut ragged: Vec<(u64, usize)> = Vec::new();
        let mut rows = Vec::new();
        let mut lines = Vec::new();
        for (line, record) in records {
            let line = *line;
            if record.len() != headers.len() {
                ragged.push((line, record.len()));
                continue;
            }
            rows.push(
                at.iter()
                    .enumerate()
                    .map(|(column, cell)| {
                        let cell = record.get(*cell).unwrap_or("").trim();
                        self.cell(column, cell).unwrap_or_else(|wrong| {
                            bad[column].cells.push((line, wrong));
                            bad[column].filled |= !cell.is_empty();
                            Literal::Missing
                        })
                    })
                    .collect::<Vec<Literal>>(),
            );
            lines.push(line);
        }
        if let Some((line, has)) = ragged.first() {
            self.diags.push(error::ragged(&self.table.name, self.path.span, self.name, *line, *has, headers.len(), ragged.len() - 1));
        }
        let clean = bad.iter().all(|bad| bad.cells.is_empty());
        for (column, bad) in self.written.iter().zip(bad).filter(|(_, bad)| !bad.cells.is_empty()) {
            self.diags.push(error::bad_cells(&error::BadCells {
                table: &self.table.name,
                column: &column.name,
                of: &column.of,
                path: self.name,
                cells: bad.cells,
                // A key has to be there.
                blank: !bad.filled && !self.table.keys.iter().any(|key| key.name.node == column.name.node),
            }));
        }
        if clean && !self.table.many && !self.table.keys.is_empty() {
            self.keys(&rows, &lines);
        }
        (rows, lines.into_iter().map(|line| u32::try_from(line).unwrap_or(u32::MAX)).collect())
    }

    /// Where each column stands in the file; `None` if one is not there.
    fn columns(&mut self, headers: &[String]) -> Option<Vec<usize>> {
        let mut at = Vec::new();
        let mut whole = true;
        let names: Vec<&str> = self.written.iter().map(|column| column.header.as_ref().map_or(&*column.name.node, |header| &*header.node)).collect();
        let near = |header: &String| crate::base::nearest(header, names.iter().copied()).is_some();
        if names.len() > 1 && !headers.iter().any(near) {
            self.diags.push(error::no_headings(&self.table.name, self.path.span, self.name, headers, &names, self.environment.separator(self.name)));
            return None;
        }
        for (column, of) in self.written.iter().zip(self.types) {
            let wanted = column.header.as_ref().map_or(&column.name.node, |header| &header.node);
            let span = column.header.as_ref().map_or(column.name.span, |header| header.span);
            if !is_cell(&of.kind) {
                self.diags.push(error::not_a_cell(&column.name, &column.of));
                whole = false;
            }
            let exact: Vec<usize> = headers.iter().enumerate().filter(|(_, header)| *header == wanted).map(|(i, _)| i).collect();
            match exact.as_slice() {
                [one] => at.push(*one),
                [] => {
                    self.diags.push(error::no_column(&self.table.name, wanted, span, column.of.span, self.name, headers, column.header.is_some()));
                    whole = false;
                }
                _ => {
                    self.diags.push(error::two_columns(&self.table.name, wanted, span, self.name));
                    whole = false;
                }
            }
        }
        whole.then_some(at)
    }

    /// A cell as the column's kind, or what is wrong with it.
    fn cell(&self, column: usize, cell: &str) -> Result<Literal, String> {
        let of = &self.types[column];
        let is_key = column < self.table.keys.len();
        if cell.is_empty() {
            return if of.nullable && !is_key { Ok(Literal::Missing) } else { Err("is blank".to_owned()) };
        }
        let no = |what: &str| format!("\"{}\" is no {what}", short(cell));
        match &of.kind {
            Kind::Text | Kind::Any | Kind::Json => Ok(Literal::Text(cell.to_owned())),
            Kind::Integer => number(cell).filter(Decimal::is_integer).map(|n| Literal::Number(n.normalize())).ok_or_else(|| no("whole number")),
            Kind::Decimal => number(cell).map(Literal::Number).ok_or_else(|| decimal_hint(cell, "number")),
            Kind::Money => number(cell).map(Literal::Money).ok_or_else(|| decimal_hint(cell, "amount")),
            Kind::Boolean => match cell.to_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Literal::Boolean(true)),
                "false" | "no" | "0" => Ok(Literal::Boolean(false)),
                _ => Err(format!("{} (true or false)", no("boolean"))),
            },
            Kind::Date => Date::from_str(cell)
                .ok()
                .filter(|_| cell.len() == 10)
                .map(Literal::Date)
                .ok_or_else(|| format!("{} (such as 2026-03-01)", no("date"))),
            Kind::Time => Time::from_str(cell).map(Literal::Time).map_err(|_| format!("{} (such as 14:30)", no("time"))),
            Kind::Datetime => {
                Timestamp::from_str(cell).map(Literal::Datetime).map_err(|_| format!("{} (such as 2026-03-01T14:30:00Z)", no("datetime with a zone")))
            }
            Kind::Enumeration(known) => match known.resolve(cell) {
                Some(value) => Ok(Literal::Text(value.to_owned())),
                None if known.open => Ok(Literal::Text(cell.to_owned())),
                None => Err(match crate::base::nearest(cell, known.names()) {
                    Some(near) => format!("{}; did you mean \"{near}\"?", no(&format!("value of {}", known.name))),
                    None => no(&format!("value of {}", known.name)),
                }),
            },
            Kind::Reference(thing) => match self.environment.names(thing) {
                Some(names) if !names.names.iter().any(|named| named.name == cell) => {
                    Err(match crate::base::nearest(cell, names.names.iter().map(|named| named.name.as_str())) {
                        Some(near) => {
                            format!("{}; did you mean \"{near}\"?", no(&format!("{} of {}", thing.object.to_lowercase(), thing.connection)))
                        }
                        None => no(&format!("{} of {}", thing.object.to_lowercase(), thing.connection)),
                    })
                }
                None if self.environment.has_names(&thing.connection) => Err(format!(
                    "{}: schemas/{}/names.json has none",
                    no(&format!("{} of {}", thing.object.to_lowercase(), thing.connection)),
                    thing.connection
                )),
                _ => Ok(Literal::Text(cell.to_owned())),
            },
            // Reported with the column.
            _ => Ok(Literal::Missing),
        }
    }

    fn keys(&mut self, rows: &[Vec<Literal>], lines: &[u64]) {
        let wide = self.table.keys.len();
        let mut seen: HashMap<&[Literal], Vec<u64>> = HashMap::new();
        let mut order: Vec<&[Literal]> = Vec::new();
        for (row, line) in rows.iter().zip(lines) {
            let key = &row[..wide.min(row.len())];
            let had = seen.entry(key).or_default();
            if had.is_empty() {
                order.push(key);
            }
            had.push(*line);
        }
        let twice: Vec<error::Twice> = order
            .iter()
            .filter_map(|key| {
                let lines = seen.get(key).filter(|lines| lines.len() > 1)?;
                Some(error::Twice { key: key.iter().map(shown).collect::<Vec<_>>().join(", "), lines: lines.clone() })
            })
            .collect();
        if !twice.is_empty() {
            let at = self.table.keys[0].name.span;
            self.diags.push(error::duplicate_keys(&self.table.name, at, self.name, &twice));
        }
    }
}

#[derive(Default)]
struct Bad {
    cells: Vec<(u64, String)>,
    /// Some of them holds something.
    filled: bool,
}

fn number(cell: &str) -> Option<Decimal> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    Decimal::from_str_exact(cell).ok()
}

fn decimal_hint(cell: &str, what: &str) -> String {
    let hint = if cell.contains(',') { " (written with a point: 12.50)" } else { "" };
    format!("\"{}\" is no {what}{hint}", short(cell))
}

fn is_cell(kind: &Kind) -> bool {
    !matches!(kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Duration | Kind::Weight | Kind::Length | Kind::Json)
}

fn short(cell: &str) -> String {
    if cell.chars().count() <= 30 { cell.to_owned() } else { format!("{}…", cell.chars().take(29).collect::<String>()) }
}

fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => format!("\"{}\"", short(text)),
        Literal::Number(number) | Literal::Money(number) => number.to_string(),
        Literal::Boolean(truth) => truth.to_string(),
        Literal::Date(date) => date.to_string(),
        Literal::Time(time) => time.to_string(),
        Literal::Datetime(instant) => instant.to_string(),
        _ => "(none)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::FileId;
    use crate::base::diag::Code;
    use crate::check::Setting;
    use crate::check::sheet::Sheets;
    use crate::schema::{Connection, Named, Names, Object, Schemas};
    use crate::value::ObjectRef;

    struct OneFile(&'static str);

    impl Schemas for OneFile {
        fn connections(&self) -> Vec<Connection> {
            Vec::new()
        }
        fn object(&self, _: &ObjectRef) -> Option<Arc<Object>> {
            None
        }
        fn objects(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
        fn names(&self, _: &ObjectRef) -> Option<Arc<Names>> {
            Some(Arc::new(Names { pulled: None, names: vec![Named { name: "Reno DC".into(), id: 1.into() }] }))
        }
    }

    impl CheckEnvironment for OneFile {
        fn table(&self, _: FileId, path: &str) -> Result<(String, Arc<str>), TableFault> {
            if self.0 == "-" { Err(TableFault::NotFound(path.into())) } else { Ok((path.into(), self.0.into())) }
        }
        fn parameter(&self, _: &str) -> Option<Setting> {
            None
        }
        fn parameters(&self) -> Vec<(String, Setting)> {
            Vec::new()
        }
        fn time_zone(&self) -> jiff::tz::TimeZone {
            jiff::tz::TimeZone::UTC
        }
    }

    fn read(columns: &str, types: &[Type], text: &'static str) -> (Vec<Vec<Literal>>, Vec<Diagnostic>) {
        let (tree, found) = crate::syntax::read(FileId(0), &format!("edition 1\ntable kits from \"kits.csv\" {{\n{columns}\n}}\n"));
        assert!(found.is_empty(), "{found:#?}");
        let tree::ItemKind::Table(table) = &tree.items[0].kind else { panic!("a table") };
        let mut diags = Vec::new();
        let place = Place::line("a.dock", 2);
        let environment = OneFile(text);
        let sheet = table.path.as_ref().map(|path| Sheets::default().of(&environment, FileId(0), "a.dock", &path.node));
        let typed = check(table, None, sheet.as_deref(), types, place, &environment, &mut diags);
        (typed.rows, diags)
    }

    fn codes(diags: &[Diagnostic]) -> Vec<Code> {
        diags.iter().map(|d| d.code).collect()
    }

    fn text() -> Type {
        Type::some(Kind::Text)
    }

    #[test]
    fn a_spreadsheets_file_is_read_as_it_comes() {
        let (rows, diags) = read(
            "key zip: text\nmany name: text, quantity: integer?",
            &[text(), text(), Type::maybe(Kind::Integer)],
            "\u{feff}zip,quantity,name\r\n01234, 2 ,\"Mug, blue\"\r\n01234,,\"6\"\" plate\"\r\n,,\r\n",
        );
        assert!(diags.is_empty(), "{diags:?}");
        assert_eq!(
            rows,
            [
                vec![Literal::Text("01234".into()), Literal::Text("Mug, blue".into()), Literal::Number(2.into())],
                vec![Literal::Text("01234".into()), Literal::Text("6\" plate".into()), Literal::Missing],
            ]
        );
    }

    #[test]
    fn a_heading_near_to_the_column_is_offered() {
        let (_, diags) = read("key kit_sku: text", &[text()], "Kit SKU\nA\n");
        assert_eq!(codes(&diags), [Code::ColumnMissing]);
        assert!(diags[0].help[0].text.contains("from \"Kit SKU\""), "{diags:?}");
    }

    #[test]
    fn cells_that_do_not_fit_are_one_message_a_column_with_their_lines() {
        let (_, diags) = read("key sku: text\nquantity: integer", &[text(), Type::some(Kind::Integer)], "sku,quantity\nA,1.5\nB,\nC,3\n");
        assert_eq!(codes(&diags), [Code::TableValue]);
        assert!(diags[0].primary.text.contains("line 2: \"1.5\" is no whole number; line 3: is blank"), "{diags:?}");
    }

    #[test]
    fn a_key_twice_is_refused_unless_the_table_has_many() {
        let (_, diags) = read("key sku: text\nn: integer", &[text(), Type::some(Kind::Integer)], "sku,n\nA,1\nB,1\nA,2\n");
        assert_eq!(codes(&diags), [Code::DuplicateKey]);
        assert!(diags[0].primary.text.contains("\"A\" in lines 2 and 4"), "{diags:?}");
        let (rows, diags) = read("key sku: text\nmany n: integer", &[text(), Type::some(Kind::Integer)], "sku,n\nA,1\nB,1\nA,2\n");
        assert!(diags.is_empty() && rows.len() == 3);
    }

    #[test]
    fn a_file_that_is_not_there_and_an_empty_one() {
        assert_eq!(codes(&read("key sku: text", &[text()], "-").1), [Code::TableMissing]);
        assert_eq!(codes(&read("key sku: text", &[text()], "").1), [Code::ColumnMissing]);
        let (rows, diags) = read("key sku: text", &[text()], "sku\n");
        assert!(rows.is_empty());
        assert_eq!(codes(&diags), [Code::NoRowFits]);
        // Lines without a cell are no rows.
        assert_eq!(codes(&read("key sku: text\nn: text", &[text(), text()], "sku,n\n,\n\n").1), [Code::NoRowFits]);
    }

    #[test]
    fn lines_out_of_their_columns_and_unknown_names() {
        let (_, diags) = read("key sku: text\nn: text", &[text(), text()], "sku,n\nA,1,2\n");
        assert_eq!(codes(&diags), [Code::TableValue]);
        let (_, diags) =
            read("key w: a warehouse of wms", &[Type::some(Kind::Reference(ObjectRef::new("wms", "Warehouse")))], "w\nReno DC\nReno CD\n");
        assert!(diags[0].primary.text.contains("did you mean \"Reno DC\""), "{diags:?}");
    }

    #[test]
    fn semicolons_stand_between_cells_where_a_comma_is_a_decimal_sign() {
        let (rows, diags) = read("key sku: text\np: decimal", &[text(), Type::some(Kind::Decimal)], "sku;p\nA;1.50\n");
        assert!(diags.is_empty(), "{diags:?}");
        assert_eq!(rows[0][1], Literal::Number(Decimal::new(150, 2)));
        let (rows, diags) = read("key sku: text\np: decimal", &[text(), Type::some(Kind::Decimal)], "sep=;\r\nsku;p\r\nA;1.50\r\n");
        assert!(diags.is_empty() && rows.len() == 1, "{diags:?}");
        let (_, diags) = read("key sku: text\np: decimal", &[text(), Type::some(Kind::Decimal)], "sep=;\nsku;p\nA\n");
        assert!(diags[0].message.contains("line 3") && diags[0].help[0].text.contains("left out"), "{diags:?}");
    }
}
