//! `GROUP BY`, aggregates and `HAVING`: bound to the catalog, and carried out over rows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::Trouble;
use super::bind::{Binder, Bound, Lookup, Test, key};
use super::compare::Kind;
use super::run;
use super::tree::{self, Aggregate, Condition, Select, Totals, Value};
use crate::sandbox::salesforce::catalog::Holds;
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::id::Id;
use crate::sandbox::salesforce::store::{Row, Store};

/// Fields that a query groups by, at most, where it makes totals too.
const MOST_TOTALED: usize = 3;
/// Decimal places of an average.
const PLACES: u32 = 12;

static NUMBER: Holds = Holds::Integer;
static DECIMAL: Holds = Holds::Decimal;

#[derive(Debug, Clone)]
pub(in super::super) struct Grouped {
    keys: Vec<Lookup>,
    totals: Totals,
    /// What is known of a group, by number.
    measures: Vec<Measure>,
    /// What is printed: `"expr0":`, and the measure.
    pub(in super::super) out: Vec<Column>,
    having: Option<Test<usize>>,
    order: Vec<(usize, bool, bool)>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Column {
    pub(in super::super) name: String,
    /// As the query has it: `count(Id)`.
    pub(in super::super) shown: String,
    pub(in super::super) aggregate: bool,
    key: Vec<u8>,
    measure: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Measure {
    Key(usize),
    /// 1 in a total over the key, else 0.
    Grouping(usize),
    Aggregate(Aggregate, Lookup),
}

pub(super) fn bind(binder: &Binder<'_>, query: &tree::Query) -> Result<Grouped, Trouble> {
    let by = query.group.as_ref().map_or(&[][..], |group| &group.by);
    let totals = query.group.as_ref().map_or(Totals::None, |group| group.totals);
    if totals != Totals::None && by.len() > MOST_TOTALED {
        return Err(Trouble::malformed(format!("at most {MOST_TOTALED} fields are grouped by ROLLUP or CUBE"), query.from.at));
    }
    let mut keys = Vec::new();
    for value in by {
        let (lookup, kind) = binder.names.operand(value)?;
        let groupable = !matches!(kind.holds, Holds::Datetime | Holds::Decimal | Holds::Currency) && kind.filterable;
        if !groupable {
            return Err(Trouble::malformed(format!("field '{}' can not be grouped in a query call", kind.name), value.path().at));
        }
        keys.push(lookup);
    }
    let mut all = Measures { binder, keys: &keys, measures: Vec::new() };
    let mut out: Vec<Column> = Vec::new();
    let mut unnamed = 0;
    for select in &query.select {
        let Select::Value(value, alias) = select else {
            return Err(Trouble::malformed("Grouped query cannot use a subquery, FIELDS() or COUNT()", query.from.at));
        };
        let (measure, kind) = all.measure(value)?;
        let path = value.path().steps.join(".");
        let (usual, shown) = match value {
            Value::Field(_) | Value::Label(_) => (kind.name.to_owned(), path),
            Value::Aggregate(aggregate, _) => (format!("expr{unnamed}"), format!("{}({path})", aggregate.word().to_lowercase())),
            Value::Date(..) | Value::Grouping(_) => (format!("expr{unnamed}"), path),
        };
        if alias.is_none() && !matches!(value, Value::Field(_) | Value::Label(_)) {
            unnamed += 1;
        }
        let name = alias.clone().unwrap_or(usual);
        if out.iter().any(|known| known.name.eq_ignore_ascii_case(&name)) {
            return Err(Trouble::malformed(format!("duplicate alias: {name}"), value.path().at));
        }
        out.push(Column { key: key(&name), name, shown, aggregate: matches!(value, Value::Aggregate(..)), measure });
    }
    let having = query.having.as_ref().map(|having| all.having(having)).transpose()?;
    let order =
        query.order.iter().map(|order| Ok((all.measure(&order.value)?.0, order.descending, order.nulls_last))).collect::<Result<_, Trouble>>()?;
    let measures = all.measures;
    Ok(Grouped { keys, totals, measures, out, having, order })
}

struct Measures<'m, 'b> {
    binder: &'m Binder<'b>,
    keys: &'m [Lookup],
    measures: Vec<Measure>,
}

impl<'b> Measures<'_, 'b> {
    fn measure(&mut self, value: &Value) -> Result<(usize, Kind<'b>), Trouble> {
        let path = value.path();
        let key = |lookup: &Lookup| {
            let known = self.keys.iter().position(|key| key == lookup);
            known.ok_or_else(|| Trouble::malformed(format!("Field must be grouped or aggregated: {}", path.steps.join(".")), path.at))
        };
        let (measure, kind) = match value {
            Value::Field(_) | Value::Label(_) | Value::Date(..) => {
                let (lookup, kind) = self.binder.names.operand(value)?;
                (Measure::Key(key(&lookup)?), kind)
            }
            Value::Grouping(path) => {
                let (lookup, kind) = self.binder.names.lookup(path)?;
                (Measure::Grouping(key(&lookup)?), Kind { holds: &NUMBER, ..kind })
            }
            Value::Aggregate(aggregate, path) => {
                let (lookup, kind) = self.binder.names.lookup(path)?;
                let number = matches!(kind.holds, Holds::Integer | Holds::Decimal | Holds::Currency);
                let (fits, holds) = match aggregate {
                    Aggregate::Count | Aggregate::CountDistinct => (kind.filterable, &NUMBER),
                    Aggregate::Sum | Aggregate::Avg => (number, &DECIMAL),
                    Aggregate::Min | Aggregate::Max => {
                        (kind.filterable && !matches!(kind.holds, Holds::Boolean | Holds::Id | Holds::Reference(_)), kind.holds)
                    }
                };
                if !fits {
                    let message = format!("field {} does not support aggregate operator {}", kind.name, aggregate.word());
                    return Err(Trouble::malformed(message, path.at));
                }
                (Measure::Aggregate(*aggregate, lookup), Kind { holds, filterable: true, ..kind })
            }
        };
        let known = self.measures.iter().position(|known| *known == measure).unwrap_or_else(|| {
            self.measures.push(measure);
            self.measures.len() - 1
        });
        Ok((known, kind))
    }

    fn having(&mut self, condition: &Condition) -> Result<Test<usize>, Trouble> {
        Ok(match condition {
            Condition::And(parts) => Test::And(parts.iter().map(|part| self.having(part)).collect::<Result<_, _>>()?),
            Condition::Or(parts) => Test::Or(parts.iter().map(|part| self.having(part)).collect::<Result<_, _>>()?),
            Condition::Not(inner) => Test::Not(Box::new(self.having(inner)?)),
            Condition::Compare(value, ..) | Condition::Like(value, _) | Condition::In { value, .. } | Condition::Includes { value, .. } => {
                let (measure, kind) = self.measure(value)?;
                self.binder.leaf(condition, measure, &kind)?
            }
        })
    }
}

/// The groups that a query finds, in its order, `LIMIT` and `OFFSET` done: what is known of each.
pub(in super::super) fn groups(store: &Store, query: &Bound, grouped: &Grouped, rows: &[u32]) -> Vec<Vec<Cell>> {
    let table = u16::try_from(query.table).unwrap_or_default();
    let rows: Vec<&Row> = rows.iter().filter_map(|row| store.row(Id { table, row: *row })).collect();
    // Which keys are totaled over, as bits, and the keys' texts; what is absent sorts first.
    let mut found: BTreeMap<(u32, Vec<Option<String>>), (Vec<Cell>, Vec<&Row>)> = BTreeMap::new();
    for row in &rows {
        let cells: Vec<Cell> = grouped.keys.iter().map(|lookup| run::value(store, row, lookup).into_owned()).collect();
        for totaled in grouped.sets() {
            let kept = |at: usize| totaled & (1 << at) == 0;
            let text = |(at, cell): (usize, &Cell)| (kept(at) && !cell.is_null()).then(|| cell.plain(&store.catalog).to_lowercase());
            let entry = found.entry((totaled, cells.iter().enumerate().map(text).collect())).or_insert_with(|| {
                let own = cells.iter().enumerate().map(|(at, cell)| if kept(at) { cell.clone() } else { Cell::Null });
                (own.collect(), Vec::new())
            });
            entry.1.push(row);
        }
    }
    if grouped.keys.is_empty() && found.is_empty() {
        // Without keys all rows are one group, also where there are none.
        found.insert((0, Vec::new()), (Vec::new(), Vec::new()));
    }
    let mut groups: Vec<(u32, Vec<Cell>, Vec<Cell>)> = found
        .into_iter()
        .map(|((totaled, _), (keys, rows))| {
            let cells: Vec<Cell> = grouped.measures.iter().map(|measure| measure.of(store, totaled, &keys, &rows)).collect();
            (totaled, keys, cells)
        })
        .filter(|(_, _, cells)| {
            grouped.having.as_ref().is_none_or(|having| run::holds(&store.catalog, having, &|at: &usize| std::borrow::Cow::Borrowed(&cells[*at])))
        })
        .collect();
    groups.sort_by(|(left_totaled, left_keys, left), (right_totaled, right_keys, right)| {
        let asked = grouped.order.iter().map(|(at, descending, nulls_last)| in_order(&left[*at], &right[*at], *descending, *nulls_last));
        let usual = left_keys.iter().zip(right_keys).enumerate().map(|(at, (left, right))| {
            // A total stands behind what it is the total of.
            let totals = [left_totaled, right_totaled].map(|totaled| totaled >> at & 1);
            totals[0].cmp(&totals[1]).then_with(|| in_order(left, right, false, false))
        });
        asked.chain(usual).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
    groups.into_iter().skip(offset).take(limit).map(|(_, _, cells)| cells).collect()
}

impl Grouped {
    /// Which keys are totaled over, set by set, as bits.
    fn sets(&self) -> Vec<u32> {
        let keys = u32::try_from(self.keys.len()).unwrap_or(0);
        match self.totals {
            Totals::None => vec![0],
            Totals::Rollup => (0..=keys).map(|kept| ((1 << keys) - 1) & !((1 << kept) - 1)).collect(),
            Totals::Cube => (0..1 << keys).collect(),
        }
    }

    /// One group as an answer has it.
    pub(in super::super) fn print(&self, store: &Store, cells: &[Cell], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"attributes\":{\"type\":\"AggregateResult\"}");
        for column in &self.out {
            out.push(b',');
            out.extend_from_slice(&column.key);
            cells[column.measure].print(&store.catalog, out);
        }
        out.push(b'}');
    }
}

impl Measure {
    fn of(&self, store: &Store, totaled: u32, keys: &[Cell], rows: &[&Row]) -> Cell {
        match self {
            Measure::Key(at) => keys[*at].clone(),
            Measure::Grouping(at) => Cell::Number(Decimal::from(totaled >> at & 1)),
            Measure::Aggregate(aggregate, lookup) => {
                let cells = rows.iter().map(|row| run::value(store, row, lookup)).filter(|cell| !cell.is_null());
                let numbers = |cells: Vec<_>| cells.into_iter().filter_map(|cell: std::borrow::Cow<'_, Cell>| cell.as_number()).collect::<Vec<_>>();
                match aggregate {
                    Aggregate::Count => Cell::Number(Decimal::from(cells.count())),
                    Aggregate::CountDistinct => {
                        let known: BTreeSet<String> = cells.map(|cell| cell.plain(&store.catalog).to_lowercase()).collect();
                        Cell::Number(Decimal::from(known.len()))
                    }
                    Aggregate::Sum => match numbers(cells.collect()) {
                        none if none.is_empty() => Cell::Null,
                        numbers => numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number)).map_or(Cell::Null, Cell::Number),
                    },
                    Aggregate::Avg => {
                        let numbers = numbers(cells.collect());
                        let sum = numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number));
                        let average = sum.and_then(|sum| sum.checked_div(Decimal::from(numbers.len())));
                        average.map_or(Cell::Null, |average| Cell::Number(average.round_dp(PLACES).normalize()))
                    }
                    Aggregate::Min => {
                        cells.min_by(|left, right| left.compare(right).unwrap_or(Ordering::Equal)).map_or(Cell::Null, |cell| cell.into_owned())
                    }
                    Aggregate::Max => {
                        cells.max_by(|left, right| left.compare(right).unwrap_or(Ordering::Equal)).map_or(Cell::Null, |cell| cell.into_owned())
                    }
                }
            }
        }
    }
}

pub(super) fn in_order(left: &Cell, right: &Cell, descending: bool, nulls_last: bool) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) if nulls_last => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, true) if nulls_last => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => {
            let order = left.compare(right).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
    }
}
