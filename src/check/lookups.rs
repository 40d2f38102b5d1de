//! Whether a look-up can find anything: keys that a table's file has, rows for the values that come to a map, names
//! that a connection knows, patterns that a date can follow.

use std::collections::BTreeSet;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{Args, Builtin, Context};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::ir::{self, Expr, Otherwise, ValueMap};
use crate::value::{Kind, Literal, ObjectRef, Value};

/// Tables with more rows are not gone through for a doubt.
const MOST_ROWS: usize = 20_000;

impl Checker<'_> {
    /// The keys of a call of a table, held against its file.
    pub(super) fn keys_are_there(&mut self, table: &ir::Table, given: &[TypedExpr]) {
        if table.rows.is_empty() || table.rows.len() > MOST_ROWS || !self.calls.is_empty() {
            return;
        }
        let has = |column: usize, text: &str| table.rows.iter().any(|row| matches!(row.get(column), Some(Literal::Text(cell)) if cell == text));
        if given.len() == 2 && self.keys_stand_right(table, given, &has) {
            return;
        }
        for (column, key) in given.iter().enumerate() {
            let mut leaves = Vec::new();
            texts(&key.expr, &mut leaves);
            if let Some(text) = leaves.into_iter().find(|text| !has(column, text)) {
                let cells = cells_of(table, column);
                let near = matches!(key.literal_value(), Some(Literal::Text(_)))
                    .then(|| crate::base::nearest(text, cells.iter().copied()))
                    .flatten()
                    .map(str::to_owned);
                let at = self.literal_in(key.span, text);
                self.report(error::doubts::no_such_key(&table.name, &table.path, &table.keys[column], text, at, near.as_deref()));
            } else if let Some(values) = closed_values(&key.kind)
                && !matches!(key.expr, Expr::Literal(_))
                && !values.iter().any(|value| has(column, value))
            {
                let cells: Vec<&str> = cells_of(table, column).into_iter().collect();
                let source = self.text(key.span);
                self.report(error::doubts::no_row_fits("table", &table.name, &source, key.span, &cells, &values));
            }
        }
    }

    /// Reports two keys that stand the other way round.
    fn keys_stand_right(&mut self, table: &ir::Table, given: &[TypedExpr], has: &dyn Fn(usize, &str) -> bool) -> bool {
        let [first, second] = given else { return false };
        let literal = |typed: &TypedExpr| if let Some(Literal::Text(text)) = typed.literal_value() { Some(text.clone()) } else { None };
        // A literal that only the other column has, or names that say so on both sides.
        let by_value = |typed: &TypedExpr, own: usize, other: usize| literal(typed).map(|text| !has(own, &text) && has(other, &text));
        let values = [by_value(first, 0, 1), by_value(second, 1, 0)];
        let certain = values.contains(&Some(true)) && !values.contains(&Some(false));
        let named = || {
            let (Some(one), Some(two)) = (name_of(&first.expr), name_of(&second.expr)) else { return false };
            let (a, b) = (plain(&table.keys[0]), plain(&table.keys[1]));
            let alike = |name: &str, key: &str| name.contains(key) || key.contains(name);
            let (one, two) = (plain(one), plain(two));
            alike(&one, &b) && alike(&two, &a) && !alike(&one, &a) && !alike(&two, &b)
        };
        if !(certain || named()) {
            return false;
        }
        let context = self.context;
        let (one, two) = (context.sources.text(first.span), context.sources.text(second.span));
        let all = first.span.to(second.span);
        let between = context.sources.text(Span { start: first.span.end, end: second.span.start, ..all });
        // Behind a pipe the first key stands elsewhere, and cannot be moved by one edit.
        let swapped = format!("{two}{between}{one}");
        self.report(error::doubts::keys_swapped(&table.name, (&table.keys[0], &table.keys[1]), all, swapped, certain));
        true
    }

    /// Where a text stands inside an expression.
    fn literal_in(&self, within: Span, text: &str) -> Span {
        let written = self.context.sources.text(within);
        match written.find(&format!("\"{text}\"")) {
            Some(at) => Span::new(within.file, within.start as usize + at, within.start as usize + at + text.len() + 2),
            None => within,
        }
    }

    /// Reports a field beside the one that the map is for. False if there is nothing to report.
    pub(super) fn is_the_maps_own(&mut self, map: &ValueMap, typed: &TypedExpr) -> bool {
        let (Kind::Enumeration(from), Kind::Text) = (&map.from, &typed.kind) else { return false };
        let Expr::Field { base, name, .. } = &typed.expr else { return false };
        let of = match base.as_ref() {
            Expr::Field { kind: Kind::Object(of), .. } => Some(of.clone()),
            Expr::Slot { name, .. } => self.find(name).and_then(|binding| match &binding.value.kind {
                Kind::Object(of) => Some(of.clone()),
                _ => None,
            }),
            _ => None,
        };
        let Some((of, meant)) = of.and_then(|of| Some((of.clone(), from.name.strip_prefix(&format!("{of}."))?.to_owned()))) else { return false };
        let written = self.context.sources.text(typed.span);
        if meant == **name || !written.ends_with(&**name) || self.object(&of).is_none_or(|object| !object.fields.contains_key(&meant)) {
            return false;
        }
        let mended = format!("{}{meant}", &written[..written.len() - name.len()]);
        self.report(error::doubts::of_another_field(&map.name, &from.name, &format!("{of}.{name}"), typed.span, mended));
        true
    }

    /// A value map that has no row for anything that comes to it.
    pub(super) fn rows_can_match(&mut self, map: &ValueMap, typed: &TypedExpr) {
        if map.rows.is_empty() || typed.kind == map.from && !matches!(map.from, Kind::Text) || matches!(typed.expr, Expr::Literal(_)) {
            return;
        }
        let rows: Vec<&str> =
            map.rows.iter().filter_map(|row| if let Literal::Text(text) = &row.from { Some(text.as_str()) } else { None }).collect();
        let context = self.context;
        let values: Vec<&str> = match (&typed.kind, &typed.expr) {
            (Kind::Enumeration(of), _) => of.names().collect(),
            (_, Expr::Values { map, back: false, .. }) => {
                let Some(from) = context.maps.get(*map) else { return };
                let otherwise = if let Otherwise::Value { to, .. } = &from.map.otherwise { Some(to) } else { None };
                from.map
                    .rows
                    .iter()
                    .map(|row| &row.to)
                    .chain(otherwise)
                    .filter_map(|to| if let Literal::Text(text) = to { Some(text.as_str()) } else { None })
                    .collect()
            }
            _ => match typed.extent.table {
                Some((table, Some(column))) => match context.tables.get(table) {
                    Some(table) if table.rows.len() <= MOST_ROWS => cells_of(table, column).into_iter().collect(),
                    _ => return,
                },
                _ => return,
            },
        };
        if values.is_empty() || rows.is_empty() || rows.iter().any(|row| values.contains(row)) {
            return;
        }
        let source = self.text(typed.span);
        self.report(error::doubts::no_row_fits("value map", &map.name, &source, typed.span, &rows, &values));
    }

    /// A column of a table as names of a connection's things.
    pub(super) fn cells_are_names(&mut self, value: &TypedExpr, of: &ObjectRef) {
        let context = self.context;
        let Some((table, Some(column))) = value.extent.table else { return };
        let (Some(table), Some(names)) = (context.tables.get(table), context.environment.names(of)) else { return };
        if table.rows.len() > MOST_ROWS {
            return;
        }
        for (row, line) in table.rows.iter().zip(&table.lines) {
            if let Some(Literal::Text(text)) = row.get(column)
                && !names.names.iter().any(|known| known.name == *text)
            {
                let known: Vec<&str> = names.names.iter().map(|known| known.name.as_str()).collect();
                let what = format!("{} of {}", of.object.to_lowercase(), of.connection);
                let told = error::limits::not_a_name(value.span, &what, text, &known, true);
                let label = format!("{}:{line}: {}", table.path, told.primary.text);
                self.report(told.label(label));
                return;
            }
        }
    }

    /// A pattern by which no text can be read as a date: what it writes itself, it does not read again.
    pub(super) fn pattern_can_fit(&mut self, builtin: &'static Builtin, given: &[TypedExpr], span: Span) -> bool {
        let at = match builtin.name {
            "date" | "time" => 1,
            "datetime" => 2,
            _ => return true,
        };
        let Some(Literal::Text(pattern)) = given.get(at).and_then(TypedExpr::literal_value) else { return true };
        let Some(sample) = crate::builtin::date_sample(pattern) else { return true };
        let zone = given.get(1).filter(|_| at == 2).and_then(TypedExpr::literal_value).cloned();
        let mut values = vec![Value::text(sample)];
        if at == 2 {
            values.push(zone.as_ref().map_or(Value::ABSENT, Literal::to_value));
        }
        values.push(Value::text(pattern.clone()));
        let context = Context { now: jiff::Timestamp::UNIX_EPOCH, zone: self.context.environment.time_zone() };
        let reads = |values: &[Value]| (builtin.run)(&Args { values, context: &context }).is_ok_and(|value| !value.is_missing());
        if reads(&values) {
            return true;
        }
        let place = given[at].span;
        let told =
            Diagnostic::new(Code::WrongArgument, place, format!("no text can be read as {} by this pattern", error::types::a(&kind_of(builtin))))
                .why("the result would be missing for every record");
        let with_zone = at == 2 && zone.is_none() && {
            values[1] = Value::text("UTC");
            reads(&values)
        };
        self.report(if with_zone {
            let zone = context.zone.iana_name().unwrap_or("UTC").to_owned();
            told.label("tells no offset, and no time zone is said").mend(
                format!("say the zone that the texts are in:   zone: \"{zone}\""),
                place.after(),
                format!(", zone: \"{zone}\""),
            )
        } else {
            let wants = match builtin.name {
                "date" => "a date needs its year, month and day: `%Y`, `%m` and `%d`",
                "time" => "a time needs its hour and minute: `%H` and `%M`, or `%I`, `%M` and `%p`",
                _ => "an instant needs its date and time: `%Y-%m-%d %H:%M`, and `%:z` where the text has an offset",
            };
            told.help(wants)
        });
        let _ = span;
        false
    }
}

fn kind_of(builtin: &Builtin) -> Kind {
    match builtin.name {
        "date" => Kind::Date,
        "time" => Kind::Time,
        _ => Kind::Datetime,
    }
}

/// The texts that stand in an expression as its value.
fn texts<'e>(expr: &'e Expr, into: &mut Vec<&'e str>) {
    match expr {
        Expr::Literal(Literal::Text(text)) => into.push(text),
        Expr::Coerce { value, .. } => texts(value, into),
        Expr::Fallback { value, fallback } => [value, fallback].into_iter().for_each(|one| texts(one, into)),
        Expr::If { then, otherwise, .. } => [then, otherwise].into_iter().for_each(|one| texts(one, into)),
        _ => {}
    }
}

fn cells_of(table: &ir::Table, column: usize) -> BTreeSet<&str> {
    table.rows.iter().filter_map(|row| if let Some(Literal::Text(text)) = row.get(column) { Some(text.as_str()) } else { None }).collect()
}

fn closed_values(kind: &Kind) -> Option<Vec<&str>> {
    match kind {
        Kind::Enumeration(of) if !of.open => Some(of.names().collect()),
        _ => None,
    }
}

/// The name that a key's value goes by.
fn name_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Field { name, .. } | Expr::Slot { name, .. } => Some(name),
        Expr::Coerce { value, .. } | Expr::Fallback { value, .. } => name_of(value),
        Expr::Call { arguments, .. } => name_of(arguments.first()?),
        _ => None,
    }
}

fn plain(name: &str) -> String {
    name.trim_end_matches("__c").chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
