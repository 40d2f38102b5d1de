//! Look-ups: of names, in value maps and in tables. And whether one can find anything: keys that a table's file has, rows for the values that come to a map, names
//! that a connection knows, patterns that a date can follow.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{Args, Builtin, Context};
use crate::check::builtin_calls::word_of;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::expr::{coerce, fits};
use crate::check::facts::{Presence, Why};
use crate::check::key::{Fact, Key, Step, Term};
use crate::ir::{self, Expr, Otherwise, ValueMap};
use crate::syntax::tree::{self, Argument};
use crate::value::{Column, Kind, Literal, ObjectRef, Type, Value};

/// Tables with more rows are not gone through for a doubt.
const MOST_ROWS: usize = 20_000;

impl Checker<'_> {
    /// A text of the record as the name of a thing: missing where there is none of that name.
    pub(super) fn look_up_name(&mut self, value: &tree::Expr, object: &tree::Name, connection: &str, span: Span) -> TypedExpr {
        let value = self.expr(value, None);
        let Some(of) = self.reference(&object.node, connection) else {
            self.report(error::names::unknown_connection(connection, span, self.context.environment));
            return TypedExpr::erroneous(span);
        };
        if !matches!(value.kind, Kind::Text | Kind::Enumeration(_) | Kind::Any) {
            self.report(error::types::mismatch(value.span, &value.kind, &Kind::Text));
            return TypedExpr::erroneous(span);
        }
        if let Some(Literal::Text(name)) = value.literal_value() {
            let name = name.clone();
            return self.named(&name, &of, value.span);
        }
        self.cells_are_names(&value, &of);
        let key = value.key().then(Step::NameOf(of.clone()));
        let own = Presence::gap(vec![Fact::Present(key.clone())], span, Why::Function(format!("{} of {connection}", object.node)));
        let presence = Presence::all([value.presence, own]);
        TypedExpr::new(Expr::LookUpName { of: of.clone(), value: Box::new(value.expr) }, Kind::Reference(of), vec![key], span).present_if(presence)
    }

    /// `store of wms`: the object of the connection whose names are meant.
    pub(super) fn reference(&self, object: &str, connection: &str) -> Option<ObjectRef> {
        if !self.context.environment.connections().iter().any(|known| known.name == connection) {
            return None;
        }
        let plain = |name: &str| name.to_lowercase().replace('_', "");
        let known = self.context.environment.objects(connection).into_iter().find(|name| plain(name) == plain(object));
        let name = known.unwrap_or_else(|| {
            let mut letters = object.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        });
        Some(ObjectRef::new(connection, name))
    }

    // ---- builtins

    pub(super) fn value_map(&mut self, id: usize, piped: Option<&tree::Expr>, arguments: &[Argument], span: Span) -> TypedExpr {
        let context = self.context;
        let Some(map) = context.maps.get(id) else { return TypedExpr::erroneous(span) };
        let name = map.map.name.clone();
        let mut rest = arguments;
        let value = match (piped, arguments) {
            (Some(value), _) => value,
            (None, [first, more @ ..]) => {
                rest = more;
                &first.value
            }
            (None, []) => {
                self.report(error::types::needs_argument(&name, span));
                return TypedExpr::erroneous(span);
            }
        };
        let back = match rest {
            [] => false,
            [word] if word_of(&word.value).as_deref() == Some("back") => true,
            [other, ..] => {
                self.report(
                    Diagnostic::new(Code::WrongArguments, other.value.span, format!("`{name}` is a value map and takes one value"))
                        .help("behind a value map stands at most the word `back`"),
                );
                return TypedExpr::erroneous(span);
            }
        };
        if back && !map.both_ways {
            self.report(
                Diagnostic::new(Code::WrongArgument, span, format!("`{name}` goes one way only"))
                    .help("write `<->` between its sides to use it both ways"),
            );
            return TypedExpr::erroneous(span);
        }
        let (from, to, total) = if back { (&map.to, &map.from, map.total_back) } else { (&map.from, &map.to, map.total) };
        let typed = self.expr(value, Some(from));
        if typed.is_erroneous() {
            return TypedExpr { kind: to.clone(), span, ..TypedExpr::erroneous(span) };
        }
        let taken = match (&typed.kind, from) {
            (Kind::Text, Kind::Enumeration(of)) => of.open || total,
            (Kind::Enumeration(a), Kind::Enumeration(b)) => a == b || b.open || a.names().all(|name| b.names().any(|known| known == name)),
            (kind, from) => fits(kind, from),
        };
        if !taken {
            self.report(error::types::wrong_map_argument(&name, from, &typed, &self.text(typed.span)));
            return TypedExpr::erroneous(span);
        }
        if !back && !self.is_the_maps_own(&map.map, &typed) {
            self.rows_can_match(&map.map, &typed);
        }
        let key = Key::new(Term::Values { map: id, back, value: typed.key() });
        // What comes from elsewhere than the map's own source may be no value of it.
        let own_source = typed.kind == *from || !matches!(from, Kind::Enumeration(_));
        let stops = !back && matches!(map.map.otherwise, Otherwise::Stop(_) | Otherwise::Value { .. });
        // Its `else` is met by a missing value, too.
        let mut presence = if stops { Vec::new() } else { vec![typed.presence.clone()] };
        if !(total && (own_source || stops)) {
            presence.push(Presence::gap(vec![Fact::Present(key.clone())], span, Why::Values(name)));
        }
        let mut out = TypedExpr::new(Expr::Values { map: id, back, value: Box::new(typed.expr) }, to.clone(), vec![key], span)
            .present_if(Presence::all(presence))
            .thing_of_its_name();
        if let Kind::Enumeration(of) = to {
            out.longest = of.names().map(|name| name.chars().count()).max().filter(|_| !of.open);
        } else if *to == Kind::Text && !back {
            let otherwise = if let Otherwise::Value { to, .. } = &map.map.otherwise { Some(to) } else { None };
            let texts = map.map.rows.iter().map(|row| &row.to).chain(otherwise);
            out.longest = texts.map(|to| if let Literal::Text(text) = to { text.chars().count() } else { 0 }).max();
        }
        out
    }

    pub(super) fn table_call(&mut self, id: usize, piped: Option<&tree::Expr>, arguments: &[Argument], span: Span) -> TypedExpr {
        let context = self.context;
        let Some(table) = context.tables.get(id) else { return TypedExpr::erroneous(span) };
        let wanted: Vec<(String, Type)> = table.keys.iter().zip(&table.columns).map(|(name, column)| (name.clone(), column.of.clone())).collect();
        let values: Vec<&tree::Expr> = piped.into_iter().chain(arguments.iter().map(|argument| &argument.value)).collect();
        if values.len() != wanted.len() {
            self.report(error::types::argument_count(&table.name, wanted.len(), values.len(), span));
            return TypedExpr::erroneous(span);
        }
        let mut keys = Vec::new();
        let mut names = Vec::new();
        let mut presence = Vec::new();
        let mut given = Vec::new();
        for (value, (name, of)) in values.iter().zip(&wanted) {
            let typed = self.expr(value, Some(&of.kind));
            if typed.is_erroneous() {
                return TypedExpr::erroneous(span);
            }
            if !fits(&typed.kind, &of.kind) {
                self.report(error::types::wrong_key(&table.name, name, &of.kind, &typed));
                return TypedExpr::erroneous(span);
            }
            names.push(typed.key());
            presence.push(typed.presence.clone());
            given.push(typed.clone());
            keys.push(coerce(typed, &of.kind).expr);
        }
        self.keys_are_there(table, &given);
        let columns: Vec<Column> = table.columns.iter().map(|column| Column { name: column.name.clone(), of: column.of.clone() }).collect();
        let row = Kind::Row(Arc::new(columns));
        let key = Key::new(Term::Table(id, names));
        let expr = Expr::Table { table: id, keys };
        if table.many {
            let elements = vec![key.elements()];
            let mut rows = TypedExpr::new(expr, Kind::List(Box::new(Type::some(row))), vec![key], span);
            rows.extent.table = Some((id, None));
            return rows.with_elements(elements, Vec::new(), Presence::Always);
        }
        let own = Presence::gap(vec![Fact::Present(key.clone())], span, Why::TableRow(table.name.clone()));
        presence.push(own);
        let mut typed = TypedExpr::new(expr, row, vec![key], span).present_if(Presence::all(presence));
        typed.extent.table = Some((id, None));
        typed
    }

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
