//! The records, their indexes, transactions that can be taken back, and commits that come late.
//!
//! Queries see what is committed. A person's change may commit late: it has its stamp from when it was made, shows
//! only when it is committed, and holds its record locked until then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::catalog::{Catalog, Holds};
use super::cell::Cell;
use super::id::Id;

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) stamp: Timestamp,
    pub(super) deleted: bool,
}

impl Row {
    pub(super) fn cell(&self, field: usize) -> &Cell {
        self.cells.get(field).unwrap_or(&Cell::Null)
    }

    pub(super) fn set(&mut self, field: Option<usize>, cell: Cell) {
        let Some(field) = field else { return };
        if field >= self.cells.len() {
            // The field was added after the record.
            self.cells.resize(field + 1, Cell::Null);
        }
        self.cells[field] = cell;
    }
}

#[derive(Debug, Default)]
struct Slot {
    committed: Option<Row>,
    /// When the change that is under way commits.
    commits: Option<Timestamp>,
}

#[derive(Debug)]
struct Table {
    slots: Vec<Slot>,
    by_stamp: BTreeSet<(Timestamp, u32)>,
    /// For indexed text fields: the text in small letters to rows.
    texts: Vec<Option<BTreeMap<Box<str>, Vec<u32>>>>,
    /// For references: the record pointed to, to rows.
    references: Vec<Option<BTreeMap<Id, Vec<u32>>>>,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) catalog: Arc<Catalog>,
    tables: Vec<Table>,
    /// Changes under way by when they commit.
    late: BTreeMap<(Timestamp, Id), Row>,
    /// What was there before, for each transaction that runs, the innermost last.
    undo: Vec<Vec<(Id, Option<Row>)>>,
    totals: Option<Totals>,
}

/// Where the order's total is made from its lines.
#[derive(Debug, Clone, Copy)]
struct Totals {
    order: usize,
    total: usize,
    item: usize,
    of: usize,
    price: usize,
}

impl Store {
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        let table = |of: &super::catalog::Type| Table {
            slots: Vec::new(),
            by_stamp: BTreeSet::new(),
            texts: of.fields.iter().map(|field| field.indexed.then(BTreeMap::new)).collect(),
            references: of.fields.iter().map(|field| matches!(field.holds, Holds::Reference(_)).then(BTreeMap::new)).collect(),
        };
        let tables = catalog.types.iter().map(table).collect();
        let totals = || {
            let (order, item) = (catalog.find("Order")?, catalog.find("OrderItem")?);
            let items = &catalog.types[item];
            Some(Totals {
                order,
                total: catalog.types[order].field("TotalAmount")?,
                item,
                of: items.field("OrderId")?,
                price: items.field("TotalPrice")?,
            })
        };
        let totals = totals();
        Store { catalog, tables, late: BTreeMap::new(), undo: Vec::new(), totals }
    }

    /// A new field of an object, empty in every record.
    pub(super) fn add_field(&mut self, table: usize, name: &str) -> usize {
        self.tables[table].texts.push(None);
        self.tables[table].references.push(None);
        Arc::make_mut(&mut self.catalog).types[table].add(name)
    }

    /// A committed record, deleted ones included.
    pub(super) fn row(&self, id: Id) -> Option<&Row> {
        self.tables.get(usize::from(id.table))?.slots.get(usize::try_from(id.row).ok()?.checked_sub(1)?)?.committed.as_ref()
    }

    /// The committed records of an object that are not deleted.
    pub(super) fn live(&self, table: usize) -> impl Iterator<Item = (Id, &Row)> {
        let of = u16::try_from(table).unwrap_or_default();
        let slots = self.tables.get(table).map_or(&[][..], |table| &table.slots);
        slots.iter().enumerate().filter_map(move |(at, slot)| {
            let row = slot.committed.as_ref().filter(|row| !row.deleted)?;
            Some((Id { table: of, row: u32::try_from(at + 1).ok()? }, row))
        })
    }

    /// Whether a change of it is under way.
    pub(super) fn is_locked(&self, id: Id) -> bool {
        self.slot(id).is_some_and(|slot| slot.commits.is_some())
    }

    fn slot(&self, id: Id) -> Option<&Slot> {
        self.tables.get(usize::from(id.table))?.slots.get(usize::try_from(id.row).ok()?.checked_sub(1)?)
    }

    /// The newest state of a record, committed or under way, and when the latter commits.
    pub(super) fn newest(&self, id: Id) -> Option<(&Row, Option<Timestamp>)> {
        let slot = self.slot(id)?;
        match slot.commits {
            Some(at) => Some((self.late.get(&(at, id))?, Some(at))),
            None => Some((slot.committed.as_ref()?, None)),
        }
    }

    /// An id for a new record.
    pub(super) fn allot(&mut self, table: usize) -> Option<Id> {
        let slots = &mut self.tables.get_mut(table)?.slots;
        slots.push(Slot::default());
        Some(Id { table: u16::try_from(table).ok()?, row: u32::try_from(slots.len()).ok()? })
    }

    /// Puts a record in, new or changed.
    pub(super) fn put(&mut self, id: Id, row: Row) {
        let before = self.swap(id, Some(row));
        if let Some(undo) = self.undo.last_mut() {
            undo.push((id, before));
        }
        self.add_up(id);
    }

    /// Puts a record in that commits at `at`. A second change under way joins the first one's transaction.
    pub(super) fn put_late(&mut self, id: Id, row: Row, at: Timestamp) {
        let Some(slot) = self.slot_mut(id) else { return };
        let before = slot.commits.replace(at);
        if let Some(before) = before {
            self.late.remove(&(before, id));
        }
        self.late.insert((at, id), row);
    }

    /// When the next change commits.
    pub(super) fn next_commit(&self) -> Option<Timestamp> {
        self.late.first_key_value().map(|((at, _), _)| *at)
    }

    /// Commits what is due.
    pub(super) fn commit_until(&mut self, now: Timestamp) {
        while self.next_commit().is_some_and(|at| at <= now) {
            let Some(((_, id), row)) = self.late.pop_first() else { return };
            if let Some(slot) = self.slot_mut(id) {
                slot.commits = None;
            }
            self.put(id, row);
        }
    }

    pub(super) fn begin(&mut self) {
        self.undo.push(Vec::new());
    }

    pub(super) fn commit(&mut self) {
        let done = self.undo.pop().unwrap_or_default();
        if let Some(outer) = self.undo.last_mut() {
            outer.extend(done);
        }
    }

    /// Takes back everything since [`Store::begin`]. Ids that were given out stay used, as at Salesforce.
    pub(super) fn roll_back(&mut self) {
        for (id, before) in self.undo.pop().unwrap_or_default().into_iter().rev() {
            self.swap(id, before);
        }
    }

    fn slot_mut(&mut self, id: Id) -> Option<&mut Slot> {
        self.tables.get_mut(usize::from(id.table))?.slots.get_mut(usize::try_from(id.row).ok()?.checked_sub(1)?)
    }

    /// Exchanges a committed row and moves the indexes.
    fn swap(&mut self, id: Id, row: Option<Row>) -> Option<Row> {
        let table = self.tables.get_mut(usize::from(id.table))?;
        let slot = table.slots.get_mut(usize::try_from(id.row).ok()?.checked_sub(1)?)?;
        let before = slot.committed.take();
        let stamps = |row: &Option<Row>| row.as_ref().map(|row| row.stamp);
        if stamps(&before) != stamps(&row) {
            if let Some(stamp) = stamps(&before) {
                table.by_stamp.remove(&(stamp, id.row));
            }
            if let Some(stamp) = stamps(&row) {
                table.by_stamp.insert((stamp, id.row));
            }
        }
        let (old, new) = (before.as_ref(), row.as_ref());
        for (field, index) in table.texts.iter_mut().enumerate() {
            let Some(index) = index else { continue };
            let text = |row: Option<&Row>| row.and_then(|row| row.cell(field).as_text().map(small));
            move_entry(index, text(old), text(new), id.row);
        }
        for (field, index) in table.references.iter_mut().enumerate() {
            let Some(index) = index else { continue };
            let target = |row: Option<&Row>| row.and_then(|row| row.cell(field).as_id());
            move_entry(index, target(old), target(new), id.row);
        }
        slot.committed = row;
        before
    }

    /// An order's total follows its lines, and does not move the order's stamp.
    fn add_up(&mut self, id: Id) {
        let Some(totals) = self.totals.filter(|totals| totals.item == usize::from(id.table)) else { return };
        let Some(order) = self.row(id).and_then(|row| row.cell(totals.of).as_id()) else { return };
        let lines = self.pointing(totals.item, totals.of, order);
        let amounts = lines.iter().filter_map(|line| self.row(Id { table: id.table, row: *line })).filter(|row| !row.deleted);
        let total: Decimal = amounts.filter_map(|row| row.cell(totals.price).as_number()).sum();
        let order = Id { table: u16::try_from(totals.order).unwrap_or_default(), row: order.row };
        if let Some(commits) = self.slot(order).and_then(|slot| slot.commits)
            && let Some(row) = self.late.get_mut(&(commits, order))
        {
            row.set(Some(totals.total), Cell::Number(total));
        }
        let Some(mut row) = self.row(order).cloned() else { return };
        if row.cell(totals.total).as_number() == Some(total) {
            return;
        }
        row.set(Some(totals.total), Cell::Number(total));
        let before = self.swap(order, Some(row));
        if let Some(undo) = self.undo.last_mut() {
            undo.push((order, before));
        }
    }

    /// Records whose change is under way.
    pub(super) fn under_way(&self) -> impl Iterator<Item = (Id, &Row)> {
        self.late.iter().map(|((_, id), row)| (*id, row))
    }

    /// All rows that were given out, by number.
    pub(super) fn rows(&self, table: usize) -> u32 {
        self.tables.get(table).map_or(0, |table| u32::try_from(table.slots.len()).unwrap_or(u32::MAX))
    }

    /// Rows of a table whose stamp lies within the bounds, by stamp and id.
    pub(super) fn stamped(&self, table: usize, from: Timestamp, to: Timestamp) -> impl Iterator<Item = u32> + '_ {
        let range = (from <= to).then(|| self.tables.get(table).map(|table| table.by_stamp.range((from, 0)..=(to, u32::MAX))));
        range.flatten().into_iter().flatten().map(|(_, row)| *row)
    }

    /// Rows that point to a record by a field.
    pub(super) fn pointing(&self, table: usize, field: usize, to: Id) -> &[u32] {
        let index = self.tables.get(table).and_then(|table| table.references.get(field)).and_then(Option::as_ref);
        index.and_then(|index| index.get(&to)).map_or(&[], Vec::as_slice)
    }

    /// Rows by an indexed text, whatever its case. `None`: the field has no index.
    pub(super) fn texted(&self, table: usize, field: usize, text: &str) -> Option<&[u32]> {
        let index = self.tables.get(table)?.texts.get(field)?.as_ref()?;
        Some(index.get(&small(text)).map_or(&[], Vec::as_slice))
    }

    /// Whether a unique text is taken by another record that is not deleted, one that is being made included.
    pub(super) fn is_taken(&self, table: usize, field: usize, text: &str, by_other_than: Option<Id>) -> Option<Id> {
        let id = |row: &u32| Id { table: u16::try_from(table).unwrap_or_default(), row: *row };
        let committed =
            self.texted(table, field, text)?.iter().map(id).find(|id| self.row(*id).is_some_and(|row| !row.deleted) && Some(*id) != by_other_than);
        committed.or_else(|| {
            let same = |row: &Row| row.cell(field).as_text().is_some_and(|own| super::cell::without_case(own, text).is_eq());
            let under_way = self.late.iter().find(|((_, id), row)| usize::from(id.table) == table && Some(*id) != by_other_than && same(row));
            under_way.map(|((_, id), _)| *id)
        })
    }
}

/// The form in which texts are found.
pub(super) fn small(text: &str) -> Box<str> {
    text.to_lowercase().into_boxed_str()
}

fn move_entry<K: Ord>(index: &mut BTreeMap<K, Vec<u32>>, old: Option<K>, new: Option<K>, row: u32) {
    if old == new {
        return;
    }
    if let Some(old) = old
        && let Some(rows) = index.get_mut(&old)
    {
        rows.retain(|known| *known != row);
        if rows.is_empty() {
            index.remove(&old);
        }
    }
    if let Some(new) = new {
        let rows = index.entry(new).or_default();
        let at = rows.partition_point(|known| *known < row);
        rows.insert(at, row);
    }
}
