//! One record's write: what is refused, what the system fills in itself, what is noted as an effect.

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Map;

use super::Salesforce;
use super::catalog::{Field, Holds, Text, Type};
use super::cell::{Cell, id_text};
use super::given::{Given, New};
use super::id::{self, Id};
use super::refusal::Refusal;
use super::store::Row;
use crate::sandbox::Effect;
use crate::value::Json;

/// Who writes, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) now: Timestamp,
    pub(super) by_api: bool,
    /// When a person's change commits, where that is later.
    pub(super) commits: Option<Timestamp>,
    /// The caller's key, where it gave one.
    pub(super) key: Option<&'a str>,
}

/// Order statuses before activation.
const DRAFT: &str = "Draft";

impl Salesforce {
    /// # Errors
    /// Why the record is not taken, in the order Salesforce looks.
    pub(super) fn create(&mut self, table: usize, given: &[Given], writer: Writer<'_>) -> Result<Id, Refusal> {
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[table];
        if !of.writable {
            return Err(Refusal::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", format!("entity type cannot be inserted: {}", of.label)));
        }
        let user = self.who(writer);
        let mut row = self.blank(of, writer.now, user);
        let names = self.take(of, table, &mut row, given, None)?;
        let missing = |(at, field): &(usize, &Field)| field.create && !field.nillable && row.cell(*at).is_null() && field.required;
        let missing: Vec<String> = of.fields.iter().enumerate().filter(missing).map(|(_, field)| field.name.clone()).collect();
        if !missing.is_empty() {
            let mut refusal = Refusal::new("REQUIRED_FIELD_MISSING", format!("Required fields are missing: [{}]", missing.join(", ")));
            refusal.fields = missing;
            return Err(refusal);
        }
        self.orders_rules(of, &row, None)?;
        self.roll_lock("", writer)?;
        let id = self.store.allot(table).ok_or_else(|| Refusal::new("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"))?;
        row.set(of.stamps.id, Cell::Id(id));
        if let Some(owner) = of.stamps.owner.filter(|owner| row.cell(*owner).is_null()) {
            row.set(Some(owner), Cell::Id(user));
        }
        self.number(of, id, &mut row);
        self.derive(of, &mut row, writer.now, self.who(writer));
        self.note("created", of, id, &row, &names, writer);
        self.keep(id, row, writer);
        Ok(id)
    }

    /// # Errors
    /// As [`Salesforce::create`].
    pub(super) fn update(&mut self, id: Id, given: &[Given], writer: Writer<'_>) -> Result<(), Refusal> {
        let catalog = self.store.catalog.clone();
        let table = usize::from(id.table);
        let of = &catalog.types[table];
        let own = id_text(&catalog, id);
        if self.store.is_locked(id) && writer.by_api {
            return Err(locked(&own));
        }
        let Some((before, under_way)) = self.store.newest(id).map(|(row, commits)| (row.clone(), commits)) else {
            return Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"));
        };
        if before.deleted {
            return Err(Refusal::new("ENTITY_IS_DELETED", "entity is deleted"));
        }
        let mut row = before.clone();
        let names = self.take(of, table, &mut row, given, Some(id))?;
        self.orders_rules(of, &row, Some(id))?;
        self.roll_lock(&own, writer)?;
        touch(of, &mut row, writer.now, self.who(writer));
        self.derive(of, &mut row, writer.now, self.who(writer));
        self.note("updated", of, id, &row, &names, writer);
        let commits = match (writer.commits, under_way) {
            (Some(at), Some(before)) => Some(at.max(before)),
            (at, before) => at.or(before),
        };
        self.keep(id, row, Writer { commits, ..writer });
        Ok(())
    }

    /// Puts a record in the recycle bin, with what belongs to it.
    ///
    /// # Errors
    /// It is not there, or others need it.
    pub(super) fn delete(&mut self, id: Id, writer: Writer<'_>) -> Result<(), Refusal> {
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[usize::from(id.table)];
        let own = id_text(&catalog, id);
        if self.store.is_locked(id) && writer.by_api {
            return Err(locked(&own));
        }
        let Some((row, under_way)) = self.store.newest(id).map(|(row, commits)| (row.clone(), commits)) else {
            return Err(Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"));
        };
        if row.deleted {
            return Err(Refusal::new("ENTITY_IS_DELETED", "entity is deleted"));
        }
        if !of.writable {
            return Err(Refusal::new("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"));
        }
        let mut belonging = Vec::new();
        for child in &of.children {
            let needs = &catalog.types[child.table].fields[child.field];
            let rows = self.store.pointing(child.table, child.field, id).iter();
            let ids: Vec<Id> = rows
                .map(|row| Id { table: u16::try_from(child.table).unwrap_or_default(), row: *row })
                .filter(|id| self.store.row(*id).is_some_and(|row| !row.deleted))
                .collect();
            match (of.name.as_str(), child.name.as_str()) {
                ("Order", "OrderItems") | ("Opportunity", "OpportunityLineItems" | "OpportunityContactRoles") => belonging.extend(ids),
                _ if needs.required && !ids.is_empty() => {
                    let message =
                        format!("Your attempt to delete {own} could not be completed because it is associated with the following {}.", child.name);
                    return Err(Refusal::new("DELETE_FAILED", message));
                }
                _ => {}
            }
        }
        self.roll_lock(&own, writer)?;
        let commits = match (writer.commits, under_way) {
            (Some(at), Some(before)) => Some(at.max(before)),
            (at, before) => at.or(before),
        };
        for id in belonging.into_iter().chain([id]) {
            let of = &catalog.types[usize::from(id.table)];
            let Some((mut row, _)) = self.store.newest(id).map(|(row, commits)| (row.clone(), commits)) else { continue };
            row.deleted = true;
            row.set(of.stamps.deleted, Cell::Bool(true));
            touch(of, &mut row, writer.now, self.who(writer));
            self.note("deleted", of, id, &row, &[], writer);
            self.keep(id, row, Writer { commits, ..writer });
        }
        Ok(())
    }

    fn keep(&mut self, id: Id, row: Row, writer: Writer<'_>) {
        match writer.commits {
            Some(at) if at > writer.now => self.store.put_late(id, row, at),
            _ => self.store.put(id, row),
        }
    }

    fn note(&mut self, kind: &str, of: &Type, id: Id, row: &Row, fields: &[usize], writer: Writer<'_>) {
        let mut noted = Map::new();
        for field in fields {
            let mut json = Vec::new();
            row.cell(*field).print(&self.store.catalog, &mut json);
            noted.insert(of.fields[*field].name.clone(), serde_json::from_slice(&json).unwrap_or(Json::Null));
        }
        self.effects.push(Effect {
            at: writer.now,
            kind: kind.to_owned(),
            object: of.name.clone(),
            id: id_text(&self.store.catalog, id),
            key: writer.key.map(str::to_owned),
            by_api: writer.by_api,
            fields: Json::Object(noted),
        });
    }

    /// A record as it is before anything is given for it.
    pub(super) fn blank(&self, of: &Type, now: Timestamp, user: Id) -> Row {
        let mut row = Row { cells: vec![Cell::Null; of.fields.len()], stamp: now, deleted: false };
        for (at, field) in of.fields.iter().enumerate() {
            match (&field.holds, of.name.as_str(), field.name.as_str()) {
                (Holds::Boolean, ..) => row.cells[at] = Cell::Bool(false),
                (_, "Task", "Status") => row.cells[at] = Cell::text("Not Started"),
                (_, "Task" | "Event", "Priority") => row.cells[at] = Cell::text("Normal"),
                (_, "Case", "Status") => row.cells[at] = Cell::text("New"),
                (_, "Case", "Priority") => row.cells[at] = Cell::text("Medium"),
                (_, "Lead", "Status") => row.cells[at] = Cell::text("Open - Not Contacted"),
                (_, "Contract", "Status") => row.cells[at] = Cell::text(DRAFT),
                (_, "Order", "TotalAmount") => row.cells[at] = Cell::Number(Decimal::new(0, 2)),
                _ => {}
            }
        }
        row.set(of.stamps.created, Cell::Time(now));
        row.set(of.stamps.creator, Cell::Id(user));
        touch(of, &mut row, now, user);
        row
    }

    fn who(&self, writer: Writer<'_>) -> Id {
        if writer.by_api { self.user } else { self.person }
    }

    /// Puts what is given into the row; the places of the fields that were given.
    pub(super) fn take(&mut self, of: &Type, table: usize, row: &mut Row, given: &[Given], id: Option<Id>) -> Result<Vec<usize>, Refusal> {
        let read_only = |given: &&Given| {
            let field = &of.fields[given.field];
            if id.is_some() { !field.update } else { !field.create }
        };
        let read_only: Vec<String> = given.iter().filter(read_only).map(|given| of.fields[given.field].name.clone()).collect();
        if !read_only.is_empty() {
            let message = format!(
                "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your \
                 profile or permission set.",
                read_only.join(", ")
            );
            let mut refusal = Refusal::new("INVALID_FIELD_FOR_INSERT_UPDATE", message);
            refusal.fields = read_only;
            return Err(refusal);
        }
        for given in given {
            let cell = self.cell(of, table, given, id)?;
            let field = &of.fields[given.field];
            if cell.is_null() && !field.nillable {
                return Err(Refusal::new("REQUIRED_FIELD_MISSING", format!("Required fields are missing: [{}]", field.name)).of(&field.name));
            }
            row.set(Some(given.field), cell);
        }
        // A rule looks at the record when everything else is right.
        for given in given {
            let field = &of.fields[given.field].name;
            if let Some(message) = self.rules.get(&(of.name.clone(), field.clone())) {
                return Err(Refusal::new("FIELD_CUSTOM_VALIDATION_EXCEPTION", message.clone()).of(field));
            }
        }
        Ok(given.iter().map(|given| given.field).collect())
    }

    /// The value of one field, or why it is refused.
    fn cell(&self, of: &Type, table: usize, given: &Given, own: Option<Id>) -> Result<Cell, Refusal> {
        let field = &of.fields[given.field];
        let cell = match &given.value {
            New::Cell(cell) => cell.clone(),
            New::Id(text) => Cell::Id(self.reference(field, text)?),
            New::By { table, field, text } => {
                let target = &self.store.catalog.types[*table];
                let rows = self.store.texted(*table, *field, text).unwrap_or_default();
                let id = |row: &u32| Id { table: u16::try_from(*table).unwrap_or_default(), row: *row };
                let mut live = rows.iter().map(id).filter(|id| self.store.row(*id).is_some_and(|row| !row.deleted));
                let key = &target.fields[*field].name;
                match (live.next(), live.next()) {
                    (Some(id), None) => Cell::Id(id),
                    (None, _) => {
                        let message = format!("Foreign key external ID: {text} not found for field {key} in entity {}", target.name);
                        return Err(Refusal::new("INVALID_FIELD", message));
                    }
                    (Some(_), Some(_)) => {
                        let message =
                            format!("Foreign key external ID: {text} matches more than one record for field {key} in entity {}", target.name);
                        return Err(Refusal::new("DUPLICATE_EXTERNAL_ID", message));
                    }
                }
            }
        };
        match (&field.holds, cell) {
            (Holds::Text(kind, max), Cell::Text(text)) => {
                let length = text.chars().count();
                if length > *max {
                    let shown: String = text.chars().take(80).collect();
                    let message = format!("{}: data value too large: {shown} (max length={max})", field.label);
                    return Err(Refusal::new("STRING_TOO_LONG", message).of(&field.name));
                }
                if *kind == Text::Email && !is_email(&text) {
                    return Err(Refusal::new("INVALID_EMAIL_ADDRESS", format!("{}: invalid email address: {text}", field.label)).of(&field.name));
                }
                if field.unique
                    && let Some(other) = self.store.is_taken(table, given.field, &text, own)
                {
                    let message =
                        format!("duplicate value found: {} duplicates value on record with id: {}", field.name, id_text(&self.store.catalog, other));
                    return Err(Refusal::new("DUPLICATE_VALUE", message));
                }
                Ok(Cell::Text(text))
            }
            (Holds::Picklist { values, restricted }, Cell::Text(text)) => {
                if text.chars().count() > 255 {
                    return Err(Refusal::new("STRING_TOO_LONG", format!("{}: data value too large (max length=255)", field.label)).of(&field.name));
                }
                // Salesforce takes a value in any case and keeps its own spelling.
                match values.iter().find(|known| known.eq_ignore_ascii_case(&text)) {
                    Some(known) => Ok(Cell::text(known)),
                    None if *restricted => {
                        let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
                        Err(Refusal::new("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message).of(&field.name))
                    }
                    None => Ok(Cell::Text(text)),
                }
            }
            (Holds::Integer | Holds::Decimal | Holds::Currency, Cell::Number(number)) => {
                let places = field.places.unwrap_or(0);
                let number = match field.holds {
                    Holds::Integer => number,
                    _ if field.places.is_none() => number,
                    _ => number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero),
                };
                let most = field.digits.map_or(18, |digits| digits.saturating_sub(places));
                let whole = number.trunc().abs().to_string().len();
                if !number.trunc().is_zero() && whole > usize::try_from(most).unwrap_or(usize::MAX) {
                    let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
                    return Err(Refusal::new("NUMBER_OUTSIDE_VALID_RANGE", message).of(&field.name));
                }
                Ok(Cell::Number(number))
            }
            (_, cell) => Ok(cell),
        }
    }

    fn reference(&self, field: &Field, text: &str) -> Result<Id, Refusal> {
        let wrong = || Refusal::new("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", field.label)).of(&field.name);
        let dead = || Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").of(&field.name);
        let (prefix, number) = id::read(text).ok_or_else(wrong)?;
        let Holds::Reference(targets) = &field.holds else { return Err(wrong()) };
        let table = self.store.catalog.of_prefix(prefix);
        if !targets.is_empty() && !table.is_some_and(|table| targets.contains(&table)) {
            return Err(Refusal { code: "FIELD_INTEGRITY_EXCEPTION", ..wrong() });
        }
        let id = Id { table: u16::try_from(table.ok_or_else(dead)?).map_err(|_| dead())?, row: number.ok_or_else(dead)? };
        match self.store.row(id) {
            Some(row) if row.deleted => Err(Refusal::new("ENTITY_IS_DELETED", "entity is deleted").of(&field.name)),
            Some(_) if !targets.is_empty() => Ok(id),
            _ => Err(dead()),
        }
    }

    /// What Salesforce holds orders and their lines to, beyond their fields.
    fn orders_rules(&self, of: &Type, row: &Row, id: Option<Id>) -> Result<(), Refusal> {
        let own = |name: &str| of.field(name).map_or(&Cell::Null, |field| row.cell(field));
        match of.name.as_str() {
            "Order" => {
                let activated = own("Status").as_text().is_some_and(|status| status != DRAFT);
                let before = id.and_then(|id| self.store.row(id)).and_then(|row| row.cell(of.field("Status")?).as_text());
                let was_draft = before.is_none_or(|status| status == DRAFT);
                if !activated || !was_draft {
                    return Ok(());
                }
                let Some(id) = id else {
                    let message = "Choose a valid order status and save your changes. Ask your admin for details.";
                    return Err(Refusal::new("FAILED_ACTIVATION", message).of("Status"));
                };
                let items = of.children.iter().find(|child| child.name == "OrderItems");
                let lines = items.map_or(0, |items| self.store.pointing(items.table, items.field, id).len());
                if lines == 0 {
                    return Err(Refusal::new("FAILED_ACTIVATION", "An order must have at least one product.").of("Status"));
                }
                Ok(())
            }
            "OrderItem" if id.is_none() => {
                let parent = |name: &str, field: &str| {
                    let id = own(name).as_id()?;
                    let of = &self.store.catalog.types[usize::from(id.table)];
                    Some(self.store.row(id)?.cell(of.field(field)?).clone())
                };
                if parent("OrderId", "Pricebook2Id") != parent("PricebookEntryId", "Pricebook2Id") {
                    let message = "The pricebook entry is in a different pricebook than the one assigned to the order";
                    return Err(Refusal::new("FIELD_INTEGRITY_EXCEPTION", message).of("PricebookEntryId"));
                }
                if parent("OrderId", "StatusCode").is_some_and(|code| code.as_text() == Some("Activated")) {
                    let message = "You can't add products to an activated order.";
                    return Err(Refusal::new("FIELD_INTEGRITY_EXCEPTION", message).of("OrderId"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Numbers that the system gives out itself.
    pub(super) fn number(&self, of: &Type, id: Id, row: &mut Row) {
        for name in ["OrderNumber", "CaseNumber", "ContractNumber", "OrderItemNumber"] {
            if let Some(field) = of.field(name) {
                let width = if name == "OrderItemNumber" { 10 } else { 8 };
                row.set(Some(field), Cell::text(&format!("{:0width$}", id.row)));
            }
        }
    }

    /// Fields that follow from others.
    pub(super) fn derive(&self, of: &Type, row: &mut Row, now: Timestamp, user: Id) {
        let at = |name: &str| of.field(name);
        let text = |row: &Row, name: &str| at(name).and_then(|field| row.cell(field).as_text().map(str::to_owned));
        let of_parent = |row: &Row, by: &str, name: &str| {
            let id = row.cell(at(by)?).as_id()?;
            let parent = &self.store.catalog.types[usize::from(id.table)];
            Some(self.store.row(id)?.cell(parent.field(name)?).clone())
        };
        match of.name.as_str() {
            "Contact" | "Lead" => {
                let name = [text(row, "FirstName"), text(row, "LastName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
                row.set(at("Name"), Cell::text(&name));
            }
            "Order" => {
                let draft = text(row, "Status").as_deref() == Some(DRAFT);
                row.set(at("StatusCode"), Cell::text(if draft { DRAFT } else { "Activated" }));
                if !draft && at("ActivatedDate").is_some_and(|field| row.cell(field).is_null()) {
                    row.set(at("ActivatedDate"), Cell::Time(now));
                    row.set(at("ActivatedById"), Cell::Id(user));
                }
            }
            "OrderItem" | "OpportunityLineItem" => {
                let number = |row: &Row, name: &str| at(name).and_then(|field| row.cell(field).as_number());
                if let (Some(quantity), Some(price)) = (number(row, "Quantity"), number(row, "UnitPrice")) {
                    row.set(at("TotalPrice"), Cell::Number((quantity * price).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)));
                    row.set(at("AvailableQuantity"), Cell::Number(quantity));
                }
                if let Some(product) = of_parent(row, "PricebookEntryId", "Product2Id") {
                    row.set(at("Product2Id"), product);
                }
                if let Some(price) = of_parent(row, "PricebookEntryId", "UnitPrice") {
                    row.set(at("ListPrice"), price);
                }
            }
            "Case" => {
                let closed = text(row, "Status").as_deref() == Some("Closed");
                let was = at("IsClosed").is_some_and(|field| matches!(row.cell(field), Cell::Bool(true)));
                row.set(at("IsClosed"), Cell::Bool(closed));
                if closed != was {
                    row.set(at("ClosedDate"), if closed { Cell::Time(now) } else { Cell::Null });
                }
            }
            "Opportunity" => {
                let stage = text(row, "StageName").unwrap_or_default();
                row.set(at("IsClosed"), Cell::Bool(stage.starts_with("Closed")));
                row.set(at("IsWon"), Cell::Bool(stage == "Closed Won"));
            }
            "Task" => {
                let what = at("WhatId").and_then(|field| row.cell(field).as_id());
                let account = match what.map(|id| (id, self.store.catalog.types[usize::from(id.table)].name.as_str())) {
                    Some((id, "Account")) => Some(Cell::Id(id)),
                    Some(_) => of_parent(row, "WhatId", "AccountId"),
                    None => of_parent(row, "WhoId", "AccountId"),
                };
                row.set(at("AccountId"), account.unwrap_or_default());
                row.set(at("IsClosed"), Cell::Bool(text(row, "Status").as_deref() == Some("Completed")));
                row.set(at("IsHighPriority"), Cell::Bool(text(row, "Priority").as_deref() == Some("High")));
            }
            _ => {}
        }
    }

    /// Somebody else may hold the record just now.
    fn roll_lock(&mut self, record: &str, writer: Writer<'_>) -> Result<(), Refusal> {
        if writer.by_api && self.dice.hits(self.options.locks_per_mille) {
            return Err(locked(record));
        }
        Ok(())
    }
}

fn touch(of: &Type, row: &mut Row, now: Timestamp, user: Id) {
    row.stamp = now;
    row.set(of.stamps.stamp, Cell::Time(now));
    row.set(of.stamps.modified, Cell::Time(now));
    row.set(of.stamps.modifier, Cell::Id(user));
}

fn locked(record: &str) -> Refusal {
    let which = if record.is_empty() { String::new() } else { format!(" or 1 records: {record}") };
    Refusal::new("UNABLE_TO_LOCK_ROW", format!("unable to obtain exclusive access to this record{which}"))
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ', ',', '<', '>']);
    plain(local) && plain(host) && host.split('.').all(|label| !label.is_empty()) && host.contains('.')
}
