//! What is reached from an object or a record: what changed and what was deleted in a time, parents and children.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Salesforce;
use super::cell::{id_text, stamp, to_millisecond};
use super::id::Id;
use super::records::by_api;
use super::refusal::Refusal;
use super::soql::run::Printer;
use super::wire::{Answer, Ask};
use super::{given, store::Row};

/// How far back changes are told.
const DAYS: i64 = 30;

impl Salesforce {
    /// `/sobjects/{T}/updated` and `/deleted`.
    pub(super) fn replicated(&self, ask: &Ask<'_>, table: usize, deleted: bool, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["GET"])?;
        let time = |name: &str| {
            let text = ask.parameter(name).ok_or_else(|| Refusal::new("MISSING_ARGUMENT", format!("The {name} parameter is required")))?;
            // A plus that was not escaped came as a blank.
            let read = text.replace(' ', "+").parse::<Timestamp>();
            read.map_err(|_| Refusal::new("INVALID_REPLICATION_DATE", format!("{name} is no date and time of ISO 8601: {text}")))
        };
        let (start, end) = (time("start")?, time("end")?);
        if start >= end {
            return Err(Refusal::new("INVALID_REPLICATION_DATE", "startDate must chronologically precede the endDate"));
        }
        if start < now - SignedDuration::from_hours(24 * DAYS) {
            return Err(Refusal::new("INVALID_REPLICATION_DATE", format!("startDate cannot be more than {DAYS} days ago")));
        }
        let end = end.min(now);
        let id = |row: &u32| Id { table: u16::try_from(table).unwrap_or_default(), row: *row };
        let rows: Vec<(Id, &Row)> = self
            .store
            .stamped(table, start, end)
            .filter_map(|row| Some((id(&row), self.store.row(id(&row))?)))
            .filter(|(_, row)| row.deleted == deleted && row.stamp < end)
            .collect();
        let covered = stamp(to_millisecond(end));
        if !deleted {
            let ids: Vec<String> = rows.iter().map(|(id, _)| id_text(&self.store.catalog, *id)).collect();
            return Ok(Answer::json(200, &json!({ "ids": ids, "latestDateCovered": covered })));
        }
        let records = rows.iter().map(|(id, row)| json!({ "deletedDate": stamp(row.stamp), "id": id_text(&self.store.catalog, *id) }));
        Ok(Answer::json(
            200,
            &json!({
                "deletedRecords": records.collect::<Vec<_>>(), "earliestDateAvailable": stamp(self.options.start), "latestDateCovered": covered,
            }),
        ))
    }

    /// `/sobjects/{T}/{id}/{relation}`: a parent, or children.
    pub(super) fn related(&mut self, ask: &Ask<'_>, id: Id, relation: &str, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["GET", "PATCH", "DELETE"])?;
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[usize::from(id.table)];
        let row = self.store.row(id).filter(|row| !row.deleted).ok_or_else(Refusal::not_found)?;
        if let Some(parent) = of.parents.get(&relation.to_lowercase()) {
            let to =
                row.cell(parent.field).as_id().filter(|to| self.store.row(*to).is_some_and(|row| !row.deleted)).ok_or_else(Refusal::not_found)?;
            return match ask.method {
                http::Method::GET => self.fetched(ask, to),
                http::Method::DELETE => {
                    self.delete(to, by_api(now, None))?;
                    Ok(Answer::empty(204))
                }
                _ => {
                    let given = given::read(&self.store, usize::from(to.table), &ask.json()?, &[])?;
                    self.update(to, &given, by_api(now, None))?;
                    Ok(Answer::empty(204))
                }
            };
        }
        let child = of.children.iter().find(|child| child.name.eq_ignore_ascii_case(relation)).ok_or_else(Refusal::not_found)?;
        ask.only(&["GET"])?;
        let members = self.members(child.table, ask.parameter("fields"))?;
        let table = u16::try_from(child.table).unwrap_or_default();
        let live = |row: &u32| {
            let id = Id { table, row: *row };
            Some((id, self.store.row(id).filter(|row| !row.deleted)?))
        };
        let rows: Vec<(Id, &Row)> = self.store.pointing(child.table, child.field, id).iter().filter_map(live).collect();
        let printer = Printer { store: &self.store, version: &ask.version, deleted: false };
        let mut body = format!("{{\"done\":true,\"totalSize\":{},\"records\":[", rows.len()).into_bytes();
        for (at, (id, row)) in rows.into_iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            printer.record(id, row, &members, &mut body);
        }
        body.extend_from_slice(b"]}");
        Ok(Answer::printed(200, body))
    }
}
