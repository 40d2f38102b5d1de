//! A bound query over the store: which rows, in which order, and how they are printed.
//!
//! A condition that bounds the stamp, or names ids, references or indexed texts, is answered by an index; what
//! the index gives is then held against the whole condition.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use super::bind::{Bound, Gives, Key, Lookup, Out, Part, Set, Test};
use super::group::in_order as cells_in_order;
use super::tree::Compare;
use crate::sandbox::salesforce::catalog::Catalog;
use crate::sandbox::salesforce::cell::{Cell, id_text};
use crate::sandbox::salesforce::id::Id;
use crate::sandbox::salesforce::store::{Row, Store, small};

static NULL: Cell = Cell::Null;

/// The rows that a query finds, in its order, `LIMIT` and `OFFSET` done. `deleted`: those in the recycle bin too. `of`: only
/// the children of a record, by the field that points to it.
pub(in super::super) fn rows(store: &Store, query: &Bound, deleted: bool, of: Option<(usize, Id)>) -> Vec<u32> {
    // Of groups the limit is one of groups, and all rows go into them.
    let grouped = matches!(query.gives, Gives::Groups(_));
    let limit = query.limit.filter(|_| !grouped).map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let offset = if grouped { 0 } else { usize::try_from(query.offset).unwrap_or(usize::MAX) };
    if limit == 0 {
        return Vec::new();
    }
    let enough = limit.saturating_add(offset);
    let stamp = store.catalog.types[query.table].stamps.stamp;
    let candidates = match (of, &query.test) {
        (Some((field, parent)), _) => Some(store.pointing(query.table, field, parent).to_vec()),
        (None, Some(test)) => candidates(store, query.table, test),
        (None, None) => None,
    };
    let bounds = query.test.as_ref().zip(stamp).and_then(|(test, stamp)| bounds(test, stamp));
    let by_stamp = is_by_stamp(store, query);
    let mut found = Vec::new();
    let mut take = |row: u32| {
        if passes(store, query, deleted, row) {
            found.push(row);
        }
        found.len()
    };
    let sorted = match candidates {
        Some(rows) => {
            let sorted = is_by_id(store, query);
            for row in rows {
                if take(row) >= enough && sorted {
                    break;
                }
            }
            sorted
        }
        None if bounds.is_some() || by_stamp => {
            let (from, to) = bounds.unwrap_or((Timestamp::MIN, Timestamp::MAX));
            for row in store.stamped(query.table, from, to) {
                if take(row) >= enough && by_stamp {
                    break;
                }
            }
            by_stamp
        }
        None => {
            let sorted = is_by_id(store, query);
            for row in 1..=store.rows(query.table) {
                if take(row) >= enough && sorted {
                    break;
                }
            }
            sorted
        }
    };
    if !sorted {
        let table = u16::try_from(query.table).unwrap_or_default();
        found.sort_by(|a, b| in_order(store, &query.order, Id { table, row: *a }, Id { table, row: *b }));
    }
    found.truncate(enough);
    found.drain(..offset.min(found.len()));
    found
}

fn passes(store: &Store, query: &Bound, deleted: bool, row: u32) -> bool {
    let id = Id { table: u16::try_from(query.table).unwrap_or_default(), row };
    store.row(id).is_some_and(|row| {
        (deleted || !row.deleted) && query.test.as_ref().is_none_or(|test| holds(&store.catalog, test, &|lookup: &Lookup| value(store, row, lookup)))
    })
}

/// Whether the order asked for is that of the index by stamp: the stamp, and then the id or nothing.
fn is_by_stamp(store: &Store, query: &Bound) -> bool {
    let stamps = store.catalog.types[query.table].stamps;
    let plain = |key: &Key, field: Option<usize>| !key.descending && field.is_some() && key.lookup.own() == field;
    match query.order.as_slice() {
        [stamp] => plain(stamp, stamps.stamp),
        [stamp, id] => plain(stamp, stamps.stamp) && plain(id, stamps.id),
        _ => false,
    }
}

fn is_by_id(store: &Store, query: &Bound) -> bool {
    let id = store.catalog.types[query.table].stamps.id;
    match query.order.as_slice() {
        [] => true,
        [key] => !key.descending && id.is_some() && key.lookup.own() == id,
        _ => false,
    }
}

fn in_order(store: &Store, keys: &[Key], a: Id, b: Id) -> Ordering {
    let (Some(left), Some(right)) = (store.row(a), store.row(b)) else { return a.cmp(&b) };
    for key in keys {
        let order = cells_in_order(&value(store, left, &key.lookup), &value(store, right, &key.lookup), key.descending, key.nulls_last);
        if order.is_ne() {
            return order;
        }
    }
    a.cmp(&b)
}

/// What a field of a record or of a parent holds. A parent that is gone has nothing.
pub(in super::super) fn cell<'s>(store: &'s Store, row: &'s Row, lookup: &Lookup) -> &'s Cell {
    let mut row = row;
    for hop in &lookup.hops {
        match row.cell(*hop).as_id().and_then(|id| store.row(id)).filter(|row| !row.deleted) {
            Some(parent) => row = parent,
            None => return &NULL,
        }
    }
    row.cell(lookup.field)
}

/// The same, with what a function makes of it.
pub(super) fn value<'s>(store: &'s Store, row: &'s Row, lookup: &Lookup) -> Cow<'s, Cell> {
    let cell = cell(store, row, lookup);
    match lookup.function {
        Some(function) => Cow::Owned(function.apply(cell)),
        None => Cow::Borrowed(cell),
    }
}

/// Whether a condition holds of what `read` gives.
pub(super) fn holds<'r, W>(catalog: &Catalog, test: &Test<W>, read: &impl Fn(&W) -> Cow<'r, Cell>) -> bool {
    match test {
        Test::And(parts) => parts.iter().all(|part| holds(catalog, part, read)),
        Test::Or(parts) => parts.iter().any(|part| holds(catalog, part, read)),
        Test::Not(inner) => !holds(catalog, inner, read),
        Test::Always(truth) => *truth,
        Test::IsNull(what) => read(what).is_null(),
        Test::Compare(what, op, value) => read(what).compare(value).is_some_and(|order| stands(*op, order)),
        Test::BesideId(what, op, text) => read(what).as_id().is_some_and(|id| {
            let own = id_text(catalog, id);
            stands(*op, own.get(..15).unwrap_or(&own).cmp(text))
        }),
        Test::In(what, set) => contains(set, &read(what)),
        Test::Like(what, pattern) => read(what).as_text().is_some_and(|text| like(text, pattern)),
    }
}

fn stands(op: Compare, order: Ordering) -> bool {
    match op {
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
        Compare::Less => order.is_lt(),
        Compare::LessOrEqual => order.is_le(),
        Compare::Greater => order.is_gt(),
        Compare::GreaterOrEqual => order.is_ge(),
    }
}

fn contains(set: &Set, cell: &Cell) -> bool {
    match cell {
        Cell::Null => set.null,
        Cell::Id(id) => set.ids.contains(id),
        Cell::Text(text) => set.texts.contains(&small(text)),
        other => set.others.iter().any(|known| known.compare(other) == Some(Ordering::Equal)),
    }
}

/// One pass, going back only to the last `%`.
fn like(text: &str, pattern: &[Part]) -> bool {
    let letters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut at, mut part) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < letters.len() {
        match pattern.get(part) {
            Some(Part::Any) => {
                back = Some((at, part + 1));
                part += 1;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
            }
            Some(Part::Letter(letter)) if letters.get(at) == Some(letter) => {
                at += 1;
                part += 1;
            }
            _ => match back {
                Some((from, behind)) => {
                    back = Some((from + 1, behind));
                    (at, part) = (from + 1, behind);
                }
                None => return false,
            },
        }
    }
    pattern[part..].iter().all(|part| *part == Part::Any)
}

/// Rows that an index gives for a condition, by number: all that fulfil it are among them. `None`: no index helps.
fn candidates(store: &Store, table: usize, test: &Test) -> Option<Vec<u32>> {
    let own = Lookup::own;
    let is_id = |field: usize| store.catalog.types[table].stamps.id == Some(field);
    let of_id = |field: usize, id: Id| -> Vec<u32> {
        if is_id(field) { if usize::from(id.table) == table { vec![id.row] } else { Vec::new() } } else { store.pointing(table, field, id).to_vec() }
    };
    match test {
        Test::And(parts) => parts.iter().filter_map(|part| candidates(store, table, part)).min_by_key(Vec::len),
        Test::Or(parts) => {
            let parts: Option<Vec<Vec<u32>>> = parts.iter().map(|part| candidates(store, table, part)).collect();
            Some(united(parts?))
        }
        Test::Always(false) => Some(Vec::new()),
        Test::Compare(lookup, Compare::Equal, Cell::Id(id)) => Some(of_id(own(lookup)?, *id)),
        Test::Compare(lookup, Compare::Equal, Cell::Text(text)) => Some(store.texted(table, own(lookup)?, text)?.to_vec()),
        Test::In(lookup, set) if !set.null && set.others.is_empty() => {
            let field = own(lookup)?;
            let mut parts: Vec<Vec<u32>> = set.ids.iter().map(|id| of_id(field, *id)).collect();
            for text in &set.texts {
                parts.push(store.texted(table, field, text)?.to_vec());
            }
            Some(united(parts))
        }
        _ => None,
    }
}

fn united(parts: Vec<Vec<u32>>) -> Vec<u32> {
    let mut rows = parts.concat();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// Between which stamps all rows lie that fulfil a condition; `None` where it does not say.
fn bounds(test: &Test, stamp: usize) -> Option<(Timestamp, Timestamp)> {
    match test {
        Test::And(parts) => {
            parts.iter().filter_map(|part| bounds(part, stamp)).reduce(|(from, to), (later, sooner)| (from.max(later), to.min(sooner)))
        }
        Test::Or(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(|part| bounds(part, stamp)).collect();
            all?.into_iter().reduce(|(from, to), (sooner, later)| (from.min(sooner), to.max(later)))
        }
        Test::Compare(lookup, op, Cell::Time(time)) if lookup.own() == Some(stamp) => Some(match op {
            Compare::Equal => (*time, *time),
            Compare::Less | Compare::LessOrEqual => (Timestamp::MIN, *time),
            Compare::Greater | Compare::GreaterOrEqual => (*time, Timestamp::MAX),
            Compare::NotEqual => return None,
        }),
        _ => None,
    }
}

/// How records are printed.
pub(in super::super) struct Printer<'s> {
    pub(in super::super) store: &'s Store,
    /// `62.0`
    pub(in super::super) version: &'s str,
    pub(in super::super) deleted: bool,
}

impl Printer<'_> {
    /// A record with its attributes.
    pub(in super::super) fn record(&self, id: Id, row: &Row, members: &[Out], out: &mut Vec<u8>) {
        let of = &self.store.catalog.types[usize::from(id.table)];
        let own = id_text(&self.store.catalog, id);
        for part in
            ["{\"attributes\":{\"type\":\"", &of.name, "\",\"url\":\"/services/data/v", self.version, "/sobjects/", &of.name, "/", &own, "\"}"]
        {
            out.extend_from_slice(part.as_bytes());
        }
        for member in members {
            out.push(b',');
            self.member(id, row, member, out);
        }
        out.push(b'}');
    }

    fn member(&self, id: Id, row: &Row, member: &Out, out: &mut Vec<u8>) {
        let catalog = &self.store.catalog;
        match member {
            Out::Cell { key, field } => {
                out.extend_from_slice(key);
                row.cell(*field).print(catalog, out);
            }
            Out::Address { key, parts, .. } => {
                out.extend_from_slice(key);
                let cells = || parts.iter().map(|(key, field)| (key, field.map_or(&NULL, |field| row.cell(field))));
                if cells().all(|(_, cell)| cell.is_null()) {
                    out.extend_from_slice(b"null");
                    return;
                }
                for (at, (key, cell)) in cells().enumerate() {
                    out.push(if at == 0 { b'{' } else { b',' });
                    out.extend_from_slice(key);
                    cell.print(catalog, out);
                }
                out.push(b'}');
            }
            Out::Parent { key, field, out: members, .. } => {
                out.extend_from_slice(key);
                let parent = row.cell(*field).as_id().and_then(|id| Some((id, self.store.row(id)?))).filter(|(_, row)| self.deleted || !row.deleted);
                match parent {
                    Some((id, row)) => self.record(id, row, members, out),
                    None => out.extend_from_slice(b"null"),
                }
            }
            Out::Children { key, field, query, .. } => {
                out.extend_from_slice(key);
                let found = rows(self.store, query, self.deleted, Some((*field, id)));
                if found.is_empty() {
                    out.extend_from_slice(b"null");
                    return;
                }
                out.extend_from_slice(format!("{{\"totalSize\":{},\"done\":true,\"records\":[", found.len()).as_bytes());
                self.records(query, &found, out);
                out.extend_from_slice(b"]}");
            }
        }
    }

    /// Records with commas between them. Those that are gone meanwhile are left out.
    pub(in super::super) fn records(&self, query: &Bound, rows: &[u32], out: &mut Vec<u8>) {
        let table = u16::try_from(query.table).unwrap_or_default();
        let Gives::Records(members) = &query.gives else { return };
        let mut first = true;
        for row in rows {
            let id = Id { table, row: *row };
            let Some(row) = self.store.row(id).filter(|row| self.deleted || !row.deleted) else { continue };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            self.record(id, row, members, out);
        }
    }
}
