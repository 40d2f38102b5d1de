//! What persons do in the org.
//!
//! `sandbox::acts` has the table of them. A `schema` act that names a custom field which is not there creates it, as a text. An order is named
//! by its number or its id.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use super::Salesforce;
use super::catalog::Holds;
use super::cell::{Cell, id_text, without_case};
use super::given;
use super::id::{self, Id};
use super::places::PLACES;
use super::refusal::Refusal;
use super::seed::{self, Draft};
use super::store::Row;
use super::write::Writer;
use crate::sandbox::user_actions::{self, SALESFORCE};
use crate::sandbox::{Act, Effect};
use crate::value::Json;

impl Salesforce {
    pub(super) fn carry_act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        let act = &user_actions::given(act, "Salesforce", &SALESFORCE)?;
        let empty = Map::new();
        let settings = act.settings.as_object().unwrap_or(&empty);
        match act.verb.as_str() {
            "create" => self.create_order(settings, now),
            "change" => self.change(&act.subject, settings, now),
            "activate" => self.change(&act.subject, &status("Activated"), now),
            "cancel" => self.change(&act.subject, &status("Cancelled"), now),
            "delete" => {
                let id = self.subject(&act.subject)?;
                let writer = self.person_at(now);
                self.delete(id, writer).map_err(|refusal| refusal.message)?;
                Ok(json!({ "id": id_text(&self.store.catalog, id) }))
            }
            "fix" => self.fix(&act.subject, now),
            "expire" => {
                self.tokens.expire();
                Ok(json!({}))
            }
            "rotate" => {
                let secret = settings.get("client_secret").and_then(Json::as_str).ok_or("say the new secret: --set client_secret=…")?;
                self.options.client_secret = Some(secret.to_owned());
                self.tokens.expire();
                Ok(json!({}))
            }
            "rule" => self.rule(settings),
            "show" => self.show(&act.subject),
            "make" => self.make(&act.subject, settings, now),
            "win" => self.win(&act.subject, settings, now),
            "lose" => self.lose(&act.subject, now),
            "schema" => self.alter(&act.subject, settings),
            other => Err(user_actions::no_act(other, "Salesforce", &SALESFORCE)),
        }
    }

    /// A record as a person sees it: its fields that hold something.
    fn show(&self, subject: &str) -> Result<Json, String> {
        let id = self.subject(subject)?;
        let catalog = &self.store.catalog;
        let of = &catalog.types[usize::from(id.table)];
        let (row, _) = self.store.newest(id).ok_or_else(|| format!("there is no record `{subject}`"))?;
        let fields = of.fields.iter().enumerate().filter(|(at, field)| !field.is_gone() && !row.cell(*at).is_null());
        let told = fields.filter_map(|(at, field)| {
            let mut json = Vec::new();
            row.cell(at).print(catalog, &mut json);
            Some((field.name.clone(), serde_json::from_slice(&json).ok()?))
        });
        Ok(Json::Object(told.collect()))
    }

    fn make(&mut self, object: &str, settings: &Map<String, Json>, now: Timestamp) -> Result<Json, String> {
        let table = self.store.catalog.find(object).ok_or_else(|| format!("there is no object `{object}`"))?;
        let given = given::read(&self.store, table, settings, &[]).map_err(|refusal| refusal.message)?;
        // Committed at once: what is made next may point to it.
        let writer = Writer { now, by_api: false, commits: None, key: None };
        let id = self.create(table, &given, writer).map_err(|refusal| refusal.message)?;
        Ok(json!({ "id": id_text(&self.store.catalog, id) }))
    }

    /// The account of an e-mail address, or of an id.
    fn account_of(&self, subject: &str) -> Result<Id, String> {
        let catalog = &self.store.catalog;
        let accounts = catalog.find("Account").ok_or("there are no accounts")?;
        let mail = catalog.types[accounts].field("Email__c");
        let of_mail = self.store.live(accounts).find(|(_, row)| mail.is_some_and(|mail| row.cell(mail).as_text() == Some(subject)));
        match of_mail {
            Some((account, _)) => Ok(account),
            None => self.subject(subject),
        }
    }

    /// What was sold is lost after all.
    fn lose(&mut self, subject: &str, now: Timestamp) -> Result<Json, String> {
        let account = self.account_of(subject)?;
        let catalog = self.store.catalog.clone();
        let table = catalog.find("Opportunity").ok_or("there are no opportunities")?;
        let of = &catalog.types[table];
        let won = |row: &Row| {
            let is = |name: &str| of.field(name).map(|at| row.cell(at));
            is("AccountId").and_then(Cell::as_id) == Some(account) && is("StageName").and_then(Cell::as_text) == Some("Closed Won")
        };
        let newest = self.store.live(table).filter(|(_, row)| won(row)).map(|(id, _)| id).last().ok_or("nothing was won of it")?;
        let lost = Map::from_iter([("StageName".to_owned(), json!("Closed Lost"))]);
        self.change(&id_text(&catalog, newest), &lost, now)
    }

    /// Somebody sells: an opportunity of an account, closed and won, with lines.
    fn win(&mut self, subject: &str, settings: &Map<String, Json>, now: Timestamp) -> Result<Json, String> {
        let catalog = self.store.catalog.clone();
        let accounts = catalog.find("Account").ok_or("there are no accounts")?;
        let account = self.account_of(subject)?;
        let (_, name) = self.store.newest(account).map_or((account, String::new()), |(row, _)| {
            let name = catalog.types[accounts].field("Name").and_then(|at| row.cell(at).as_text()).unwrap_or("");
            (account, name.to_owned())
        });
        let mut fields = json!({
            "AccountId": id_text(&catalog, account), "Name": format!("{name}: an order"), "StageName": "Closed Won",
            "CloseDate": now.strftime("%Y-%m-%d").to_string(), "Amount": 100,
        });
        if let Json::Object(fields) = &mut fields {
            fields.extend(settings.clone());
        }
        let made = self.make("Opportunity", fields.as_object().unwrap_or(&Map::new()), now)?;
        for (product, entry, price) in self.seeded.two_products() {
            let line = json!({
                "OpportunityId": made["id"], "PricebookEntryId": id_text(&catalog, entry), "Product2Id": id_text(&catalog, product),
                "Quantity": 2, "UnitPrice": price,
            });
            self.make("OpportunityLineItem", line.as_object().unwrap_or(&Map::new()), now)?;
        }
        Ok(made)
    }

    /// What an administrator does to a field. All of it is done, or nothing.
    fn alter(&mut self, subject: &str, settings: &Map<String, Json>) -> Result<Json, String> {
        let (object, name) = subject.split_once('.').ok_or_else(|| "name the field as Object.Field".to_owned())?;
        let table = self.store.catalog.find(object).ok_or_else(|| format!("there is no object `{object}`"))?;
        let known = self.store.catalog.types[table].field(name);
        if known.is_none() && !is_custom(name) {
            return Err(format!("there is no field `{subject}`, and a new one ends in __c"));
        }
        // A field that is to be added is a text that may be empty.
        let mut of = self.store.catalog.types[table].clone();
        let field = known.unwrap_or_else(|| of.add(name));
        let is_kept = !is_custom(name) && !of.fields[field].nillable;
        for (setting, value) in settings {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_set = *value == Json::Bool(true);
            let is_taken = of.field(&text).is_some_and(|other| other != field);
            match (setting.as_str(), &mut of.fields[field].holds) {
                ("rename" | "gone" | "required", _) if is_kept => {
                    let why = "a standard field that each record has; Salesforce lets nobody rename, hide or clear it";
                    return Err(format!("{subject} is {why}: name a custom field, or a standard one that may be empty"));
                }
                ("value", Holds::Picklist { values, .. }) if values.contains(&text) => {
                    return Err(format!("{subject} has the value `{text}` already"));
                }
                ("value", Holds::Picklist { values, .. }) => values.push(text),
                ("without", Holds::Picklist { values, .. }) if !values.contains(&text) => {
                    return Err(format!("{subject} has no value `{text}`; there are: {}", values.join(", ")));
                }
                ("without", Holds::Picklist { values, .. }) => values.retain(|known| *known != text),
                ("value" | "without", _) => return Err(format!("{subject} is no picklist")),
                ("length", Holds::Text(_, length)) => *length = text.parse().map_err(|_| format!("`{text}` is no length"))?,
                ("length", _) => return Err(format!("{subject} is no text")),
                ("required", _) => {
                    of.fields[field].required = is_set;
                    of.fields[field].nillable = !is_set;
                }
                ("rename", _) if is_taken => return Err(format!("{object} has a field `{text}` already")),
                ("rename", _) if !is_custom(&text) => {
                    return Err(format!("`{text}` is no name for a field: a name is of letters, digits and `_`, and ends in __c"));
                }
                ("rename", _) => of.rename(field, &text),
                ("gone", _) if is_set => of.rename(field, ""),
                ("gone", _) => return Err("a field that is gone does not come back: add it anew by its name".to_owned()),
                _ => return Err(format!("nothing is done to {subject} by `{setting}`")),
            }
        }
        if known.is_none() {
            self.store.add_field(table, name);
        }
        let told = json!({ "object": of.name, "field": of.fields[field].name, "made": known.is_none() });
        std::sync::Arc::make_mut(&mut self.store.catalog).types[table] = of;
        Ok(told)
    }

    /// A person's change commits at once, or up to the set time later.
    fn person_at(&mut self, now: Timestamp) -> Writer<'static> {
        let most = u64::try_from(self.options.late_commit.as_millis()).unwrap_or(0);
        let late = if most == 0 { 0 } else { self.dice.below(most + 1) };
        let late = SignedDuration::from_millis(i64::try_from(late).unwrap_or(0));
        Writer { now, by_api: false, commits: now.checked_add(late).ok().filter(|at| *at > now), key: None }
    }

    /// The record that an act is about.
    fn subject(&self, text: &str) -> Result<Id, String> {
        let unknown = || format!("there is no record `{text}`");
        if let Some((order, line)) = text.split_once('/') {
            let order = self.subject(order)?;
            let of = &self.store.catalog.types[usize::from(order.table)];
            let items = of.children.iter().find(|child| child.name == "OrderItems").ok_or_else(unknown)?;
            let lines = self.store.pointing(items.table, items.field, order);
            let at: usize = line.parse().map_err(|_| unknown())?;
            let row = at.checked_sub(1).and_then(|at| lines.get(at)).ok_or_else(unknown)?;
            return Ok(Id { table: u16::try_from(items.table).map_err(|_| unknown())?, row: *row });
        }
        if let Some((prefix, row)) = id::read(text) {
            let table = self.store.catalog.of_prefix(prefix).ok_or_else(unknown)?;
            let id = Id { table: u16::try_from(table).map_err(|_| unknown())?, row: row.ok_or_else(unknown)? };
            return self.store.newest(id).map(|_| id).ok_or_else(unknown);
        }
        let table = self.store.catalog.find("Order").ok_or_else(unknown)?;
        let number = self.store.catalog.types[table].field("OrderNumber").ok_or_else(unknown)?;
        let committed = self.store.texted(table, number, text).and_then(<[u32]>::first).copied();
        let committed = committed.and_then(|row| Some(Id { table: u16::try_from(table).ok()?, row }));
        let same =
            |(id, row): &(Id, &Row)| usize::from(id.table) == table && row.cell(number).as_text().is_some_and(|own| without_case(own, text).is_eq());
        committed.or_else(|| self.store.under_way().find(same).map(|(id, _)| id)).ok_or_else(unknown)
    }

    fn create_order(&mut self, settings: &Map<String, Json>, now: Timestamp) -> Result<Json, String> {
        let catalog = self.store.catalog.clone();
        let (Some(orders), Some(items)) = (catalog.find("Order"), catalog.find("OrderItem")) else { return Err("there are no orders".to_owned()) };
        let of = &catalog.types[orders];
        let given = given::read(&self.store, orders, settings, &[]).map_err(|refusal| refusal.message)?;
        let account = usize::try_from(self.seeded.dice.below(self.accounts() as u64)).unwrap_or(0);
        let Draft { mut order, lines, .. } = self.draft(account, now, None, false);
        let writer = self.person_at(now);
        self.take(of, orders, &mut order, &given, None).map_err(|refusal| refusal.message)?;
        self.derive(of, &mut order, now, self.person);
        let total = lines.iter().filter_map(|line| line.cell(catalog.types[items].field("TotalPrice")?).as_number()).sum();
        order.set(of.field("TotalAmount"), Cell::Number(total));
        let full = || "no more orders fit in".to_owned();
        let (id, order) = self.named(orders, order).ok_or_else(full)?;
        let number = of.field("OrderNumber").map(|field| order.cell(field).plain(&catalog)).unwrap_or_default();
        self.noted("created", orders, id, &order, writer);
        self.commit_by(id, order, writer);
        for mut line in lines {
            line.set(catalog.types[items].field("OrderId"), Cell::Id(id));
            let (id, line) = self.named(items, line).ok_or_else(full)?;
            self.noted("created", items, id, &line, writer);
            self.commit_by(id, line, writer);
        }
        Ok(json!({ "id": id_text(&catalog, id), "OrderNumber": number }))
    }

    fn commit_by(&mut self, id: Id, row: Row, writer: Writer<'_>) {
        match writer.commits {
            Some(at) => self.store.put_late(id, row, at),
            None => self.store.put(id, row),
        }
    }

    /// Notes a new record with all it holds.
    fn noted(&mut self, kind: &str, table: usize, id: Id, row: &Row, writer: Writer<'_>) {
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[table];
        let mut fields = Map::new();
        for (at, field) in of.fields.iter().enumerate().filter(|(at, field)| field.create && !row.cell(*at).is_null()) {
            let mut json = Vec::new();
            row.cell(at).print(&catalog, &mut json);
            fields.insert(field.name.clone(), serde_json::from_slice(&json).unwrap_or(Json::Null));
        }
        self.effects.push(Effect {
            at: writer.now,
            kind: kind.to_owned(),
            object: of.name.clone(),
            id: id_text(&catalog, id),
            key: None,
            by_api: false,
            fields: Json::Object(fields),
        });
    }

    fn change(&mut self, subject: &str, settings: &Map<String, Json>, now: Timestamp) -> Result<Json, String> {
        let id = self.subject(subject)?;
        if settings.is_empty() {
            return Err("a change names a field and its new value".to_owned());
        }
        let said = |refusal: Refusal| refusal.message;
        let given = given::read(&self.store, usize::from(id.table), settings, &[]).map_err(said)?;
        let writer = self.person_at(now);
        self.update(id, &given, writer).map_err(said)?;
        Ok(json!({ "id": id_text(&self.store.catalog, id) }))
    }

    /// Gives an order a whole address and a right e-mail address.
    fn fix(&mut self, subject: &str, now: Timestamp) -> Result<Json, String> {
        let id = self.subject(subject)?;
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[usize::from(id.table)];
        if of.name != "Order" {
            return Err(format!("`{subject}` is no order"));
        }
        let (order, _) = self.store.newest(id).ok_or_else(|| format!("there is no record `{subject}`"))?;
        let text = |name: &str| of.field(name).and_then(|field| order.cell(field).as_text()).unwrap_or("").to_owned();
        let (country, region, city) = (text("ShippingCountryCode"), text("Region__c"), text("ShippingCity"));
        let right = PLACES.iter().find(|place| place.code == country && place.city == city);
        let near = right.or_else(|| PLACES.iter().find(|place| place.code == country)).or_else(|| PLACES.iter().find(|place| place.region == region));
        let place = near.unwrap_or(&PLACES[0]);
        let street = match text("ShippingStreet") {
            none if none.is_empty() => seed::street(&mut self.seeded.dice),
            street => street,
        };
        let (state, state_code) = place.state.map_or((Json::Null, Json::Null), |(state, code)| (json!(state), json!(code)));
        let fields = json!({
            "ShippingStreet": street, "ShippingCity": place.city, "ShippingPostalCode": place.postal, "ShippingState": state,
            "ShippingStateCode": state_code, "ShippingCountry": place.country, "ShippingCountryCode": place.code,
        });
        let contact = of.field("BillToContactId").and_then(|field| self.store.newest(id).and_then(|(order, _)| order.cell(field).as_id()));
        if let Some(contact) = contact {
            let contacts = &catalog.types[usize::from(contact.table)];
            let email = self.store.newest(contact).and_then(|(row, _)| row.cell(contacts.field("Email")?).as_text().map(str::to_owned));
            if email.is_some_and(|email| !email.contains('@')) {
                let right = json!({ "Email": format!("fixed{}@example.com", contact.row) });
                self.change(&id_text(&catalog, contact), right.as_object().unwrap_or(&Map::new()), now)?;
            }
        }
        self.change(subject, fields.as_object().unwrap_or(&Map::new()), now)
    }

    fn rule(&mut self, settings: &Map<String, Json>) -> Result<Json, String> {
        let text = |name: &str| settings.get(name).and_then(Json::as_str);
        let (Some(object), Some(field)) = (text("object"), text("field")) else { return Err("a rule names its object and its field".to_owned()) };
        let table = self.store.catalog.find(object).ok_or_else(|| format!("there is no object `{object}`"))?;
        let of = &self.store.catalog.types[table];
        let field = of.field(field).ok_or_else(|| format!("{object} has no field `{field}`"))?;
        let key = (of.name.clone(), of.fields[field].name.clone());
        match text("message") {
            Some(message) => self.rules.insert(key, message.to_owned()),
            None => self.rules.remove(&key),
        };
        Ok(json!({}))
    }
}

/// Whether a name is one that an administrator can give a field.
fn is_custom(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.strip_suffix("__c").is_some_and(|stem| stem.starts_with(|c: char| c.is_ascii_alphabetic()) && stem.chars().all(allowed))
}

fn status(word: &str) -> Map<String, Json> {
    Map::from_iter([("Status".to_owned(), json!(word))])
}
