//! The history of a day, judged by what Salesforce and ShipHero noted themselves.
//!
//! The laws say what the page of `salesforce-shiphero` promises. They know nothing of the engine, its store, or the mapping.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Map;

use crate::simulate::check::Finding;
use crate::simulate::history::{Follows, Past, as_it_is, decimal, in_order, text};
use crate::value::Json;

/// The account of the sandbox's user, whose stock is shown in Salesforce.
pub(super) const OWN_ACCOUNT: &str = "QWNjb3VudDo0MDg3";

/// A line of an order at Salesforce.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) quantity: Decimal,
}

/// What is known of a day.
pub(super) struct Hero {
    past: Past,
    /// Lines of Salesforce's orders, after the day.
    lines: BTreeMap<String, Vec<Line>>,
    /// ShipHero's stock by warehouse and SKU, after the day.
    stock: BTreeMap<String, Json>,
    /// Salesforce's other records by object and id, as its log leaves them.
    records: BTreeMap<(String, String), Map<String, Json>>,
}

impl Hero {
    pub(super) fn new(past: Past, lines: BTreeMap<String, Vec<Line>>, stock: BTreeMap<String, Json>) -> Self {
        let mut records: BTreeMap<(String, String), Map<String, Json>> = BTreeMap::new();
        for effect in &past.crm {
            let key = (effect.object.clone(), effect.id.clone());
            if effect.kind == "deleted" {
                records.remove(&key);
            } else if let Json::Object(fields) = &effect.fields {
                records.entry(key).or_default().extend(fields.clone());
            }
        }
        Hero { past, lines, stock, records }
    }

    /// Records of an object by a field of theirs that is a key.
    fn keyed<'h>(&'h self, object: &str, key: &str) -> BTreeMap<&'h str, Vec<&'h Map<String, Json>>> {
        let mut all: BTreeMap<&str, Vec<&Map<String, Json>>> = BTreeMap::new();
        for ((_, _), record) in self.records.iter().filter(|((of, _), _)| of == object) {
            if let Some(key) = record.get(key).and_then(Json::as_str) {
                all.entry(key).or_default().push(record);
            }
        }
        all
    }

    /// People at ShipHero took it into their own hands.
    fn in_hand(&self, key: &str) -> bool {
        self.past.of_key(key).any(|effect| !effect.by_api && matches!(effect.kind.as_str(), "canceled" | "deleted"))
    }

    /// Labels of an order that stand, in the order in which they were made: the shipment's id, and its tracking numbers.
    fn labels<'h>(&'h self, key: &'h str) -> Vec<(&'h str, String)> {
        let voided: BTreeSet<&str> = self.past.of_key(key).filter(|effect| effect.kind == "voided").map(|effect| effect.id.as_str()).collect();
        let made = self.past.of_key(key).filter(|effect| effect.kind == "label" && !voided.contains(effect.id.as_str()));
        made.map(|effect| {
            let numbers = effect.fields["tracking_numbers"].as_array().into_iter().flatten().filter_map(Json::as_str);
            (effect.id.as_str(), numbers.collect::<Vec<_>>().join(", "))
        })
        .collect()
    }

    /// Orders of the source that are at ShipHero, in nobody's hands: id, order, key, target.
    fn pairs(&self) -> impl Iterator<Item = (&String, &Json, String, &Json)> {
        self.past.orders().filter_map(|(id, order)| {
            let key = key_of(id);
            let target = self.past.target.get(&key).filter(|_| !self.in_hand(&key))?;
            Some((id, order, key, target))
        })
    }
}

fn key_of(order: &str) -> String {
    format!("sf-{order}")
}

fn is_open(target: &Json) -> bool {
    !matches!(text(target, "fulfillment_status"), "fulfilled" | "canceled" | "cancelled")
}

fn or_empty(value: &Json) -> Option<Json> {
    Some(if value.is_null() { Json::from("") } else { value.clone() })
}

/// Whether we hold it.
fn held(value: &Json) -> Option<Json> {
    Some(Json::Bool(value.as_str() == Some("On Hold")))
}

const FOLLOWED: [Follows; 3] = [
    Follows { target: "/packing_note", source: "/Package_Notes__c", turned: or_empty },
    Follows { target: "/shipping_address/city", source: "/ShippingCity", turned: as_it_is },
    Follows { target: "/holds/client_hold", source: "/Status", turned: held },
];

/// What the template may write at Salesforce; no names: all fields of the object.
const WRITES: [(&str, &[&str]); 4] = [
    (
        "Order",
        &[
            "Status",
            "Fulfilment_Error__c",
            "Fulfilment_Retry__c",
            "Fulfilment_Sent_At__c",
            "Fulfilment_Status__c",
            "Fulfilment_Id__c",
            "Fulfilment_Changed_At__c",
            "Backorder__c",
            "Serial_Numbers__c",
            "Picked_At__c",
            "Packed_At__c",
            "Carrier__c",
            "Service__c",
            "Tracking_Number__c",
            "Shipped_At__c",
        ],
    ),
    ("Task", &[]),
    ("Shipment__c", &[]),
    ("Stock__c", &[]),
];

const LAWS: [fn(&Hero, &mut Vec<Finding>); 15] = [
    one_order_for_one_record,
    nothing_is_lost,
    versions_in_order,
    as_the_source_says,
    lines_as_they_were_ordered,
    canceled_where_it_is_canceled,
    what_is_gone_is_canceled,
    writes_only_its_own,
    what_the_warehouse_set_stays,
    labels_come_back_once,
    orders_show_their_newest_parcel,
    statuses_are_those_of_shiphero,
    stock_is_as_it_lies,
    who_waits_has_one_task,
    retries_are_cleared,
];

/// Everything in a history that must not be.
pub(super) fn judge(hero: &Hero) -> Vec<Finding> {
    let mut found = Vec::new();
    for law in LAWS {
        law(hero, &mut found);
    }
    found
}

/// An order that nothing of the mapping stops.
fn is_plain(order: &Json) -> bool {
    let total = decimal(order, "TotalAmount");
    matches!(text(order, "Status"), "Activated" | "Ready to Ship" | "On Hold") && total >= Decimal::ZERO && total <= Decimal::from(20_000)
}

/// A record of the source is at most one order at ShipHero at a time: ShipHero itself takes any number.
fn one_order_for_one_record(hero: &Hero, found: &mut Vec<Finding>) {
    let mut there: BTreeMap<&str, &str> = BTreeMap::new();
    for effect in hero.past.wms.iter().filter(|effect| effect.object == "Order") {
        let Some(key) = effect.key.as_deref().filter(|key| key.starts_with("sf-")) else { continue };
        match effect.kind.as_str() {
            "created" => {
                if let Some(first) = there.insert(key, &effect.id) {
                    found.push(Finding::new("history: one order", format!("{key} was created as {first} and again as {}", effect.id)));
                }
                if effect.fields["fulfillment_status"] == "canceled" {
                    found.push(Finding::new("history: one order", format!("{key} was made only to be canceled")));
                }
            }
            "deleted" => {
                there.remove(key);
            }
            _ => {}
        }
    }
}

/// An order that may go is at ShipHero, or somebody knows of it.
fn nothing_is_lost(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for (id, order) in past.orders().filter(|(_, order)| is_plain(order)) {
        let key = key_of(id);
        if !past.target.contains_key(&key) && !past.known(id, order) && !hero.in_hand(&key) {
            found.push(Finding::new("history: lost", format!("{} is not at ShipHero, and nobody was told", text(order, "OrderNumber"))));
        }
    }
}

fn versions_in_order(hero: &Hero, found: &mut Vec<Finding>) {
    in_order(&hero.past, "sf-", &FOLLOWED, found);
}

/// After the day ShipHero holds what the source says, where nobody was told otherwise.
fn as_the_source_says(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for (_, order, key, target) in hero.pairs().filter(|(id, order, _, target)| is_plain(order) && is_open(target) && !past.known(id, order)) {
        for of in &FOLLOWED {
            let Some(says) = of.says(order).filter(|_| !past.is_of_people(&key, of.target)) else { continue };
            if target.pointer(of.target) != Some(&says) {
                let is = target.pointer(of.target).cloned().unwrap_or_default();
                found.push(Finding::new("history: stale", format!("{key}: {} is {is}, and the source says {says}", of.target)));
            }
        }
        // An address that is given takes the place of the whole one.
        if target.pointer("/shipping_address/address1").and_then(Json::as_str).is_none_or(str::is_empty) {
            found.push(Finding::new("history: stale", format!("{key} has lost its street: {}", target["shipping_address"])));
        }
        if text(target, "order_number") != text(order, "OrderNumber") {
            found.push(Finding::new("history: stale", format!("{key} is called {}", text(target, "order_number"))));
        }
    }
}

/// Rows of a table of the template under a key.
fn rows<'t>(table: &'t str, key: &'t str) -> impl Iterator<Item = Vec<&'t str>> {
    table.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>()).filter(move |cells| cells.first() == Some(&key))
}

/// What a line is packed as: our id of it, and how many pieces.
fn packed_as(line: &Line) -> Vec<(String, Decimal)> {
    let bundles = include_str!("../../../mappings/salesforce-shiphero/tables/bundles.csv");
    let units = include_str!("../../../mappings/salesforce-shiphero/tables/units.csv");
    let number = |text: Option<&&str>| text.and_then(|text| text.parse::<Decimal>().ok()).unwrap_or(Decimal::ONE);
    let parts: Vec<(String, Decimal)> = rows(bundles, &line.code)
        .map(|cells| (format!("{}/{}", line.id, cells.get(1).copied().unwrap_or_default()), (line.quantity * number(cells.get(2))).normalize()))
        .collect();
    if !parts.is_empty() {
        return parts;
    }
    let pieces = rows(units, &line.code).next().map_or(Decimal::ONE, |cells| number(cells.get(2)));
    vec![(line.id.clone(), (line.quantity * pieces).normalize())]
}

/// Each line is at ShipHero once, with its pieces. ShipHero adds lines without looking, so one may stand there twice: then somebody is told.
fn lines_as_they_were_ordered(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for (id, order, key, target) in hero.pairs().filter(|(id, order, _, _)| !past.known(id, order)) {
        let mut there: BTreeMap<&str, (usize, Decimal)> = BTreeMap::new();
        for line in target["#lines"].as_array().into_iter().flatten() {
            let line_of = there.entry(text(line, "partner_line_item_id")).or_default();
            *line_of = (line_of.0 + 1, line_of.1 + decimal(line, "quantity"));
        }
        for (line, _) in there.iter().filter(|(_, (times, _))| *times > 1) {
            found.push(Finding::new("history: lines", format!("{key} has the line {line} twice")));
        }
        if !is_plain(order) || !is_open(target) {
            continue;
        }
        let lines = hero.lines.get(id).map(Vec::as_slice).unwrap_or_default();
        let wanted: BTreeMap<String, Decimal> = lines.iter().filter(|line| line.quantity > Decimal::ZERO).flat_map(packed_as).collect();
        let is: BTreeMap<String, Decimal> = there.into_iter().map(|(line, (_, quantity))| (line.to_owned(), quantity.normalize())).collect();
        if wanted != is {
            found.push(Finding::new("history: lines", format!("{key} was ordered as {wanted:?}, and is {is:?} at ShipHero")));
        }
    }
}

/// What is canceled at Salesforce is canceled at ShipHero, or shipped; and we cancel nothing else.
fn canceled_where_it_is_canceled(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for (id, order, key, target) in hero.pairs() {
        let (cancelled, status) = (text(order, "Status") == "Cancelled", text(target, "fulfillment_status"));
        if cancelled && status != "canceled" && !past.known(id, order) {
            found.push(Finding::new("history: cancellation", format!("{key} was cancelled, and is {status} at ShipHero, and nobody is told")));
        }
        let ours = past.of_key(&key).any(|effect| effect.by_api && effect.kind == "canceled");
        let was = |of: &Json| text(of, "Status") == "Cancelled" || text(of, "Status") == "Draft";
        let ever = past.before.get(id).is_some_and(was) || past.crm.iter().any(|effect| effect.id == *id && was(&effect.fields));
        if ours && !ever {
            found.push(Finding::new("history: cancellation", format!("{key} was canceled at ShipHero, and never at Salesforce")));
        }
    }
}

/// An order that is deleted at Salesforce is not packed any more.
fn what_is_gone_is_canceled(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for effect in past.crm.iter().filter(|effect| effect.object == "Order" && effect.kind == "deleted") {
        let key = key_of(&effect.id);
        let Some(target) = past.target.get(&key).filter(|_| !hero.in_hand(&key)) else { continue };
        let told = past.told.contains_key(&effect.id) || past.told.contains_key(text(target, "order_number"));
        if is_open(target) && !told && !past.decided.contains(&effect.id) {
            let status = text(target, "fulfillment_status");
            found.push(Finding::new("history: cancellation", format!("{key} was deleted, and is {status} at ShipHero, and nobody is told")));
        }
    }
}

/// At Salesforce only the fields that the page names; at ShipHero only our own orders, and no goods and no parcels.
fn writes_only_its_own(hero: &Hero, found: &mut Vec<Finding>) {
    let mut others: BTreeSet<String> = BTreeSet::new();
    for effect in hero.past.crm.iter().filter(|effect| effect.by_api) {
        let Some((_, fields)) = WRITES.iter().find(|(object, _)| *object == effect.object) else {
            others.insert(format!("{} {} was {}", effect.object, effect.id, effect.kind));
            continue;
        };
        let named = effect.fields.as_object().into_iter().flat_map(Map::keys);
        others.extend(named.filter(|name| !fields.is_empty() && !fields.contains(&name.as_str())).map(|name| format!("{}.{name}", effect.object)));
    }
    for effect in hero.past.wms.iter().filter(|effect| effect.by_api && effect.object != "Webhook") {
        let is_ours = effect.object == "Order" && effect.key.as_deref().is_some_and(|key| key.starts_with("sf-"));
        if !is_ours || effect.kind == "deleted" {
            others.insert(format!("{} {:?} was {}", effect.object, effect.key, effect.kind));
        }
    }
    found.extend(others.into_iter().map(|other| Finding::new("ownership", format!("the template wrote what is not its own: {other}"))));
}

/// Other holds than the client's are the warehouse's, and so are its statuses.
fn what_the_warehouse_set_stays(hero: &Hero, found: &mut Vec<Finding>) {
    let mut holds: BTreeMap<&str, Map<String, Json>> = BTreeMap::new();
    for effect in hero.past.wms.iter().filter(|effect| effect.object == "Order") {
        let Some(key) = effect.key.as_deref() else { continue };
        if effect.by_api && effect.kind == "status" {
            found.push(Finding::new("history: ownership", format!("{key} was set to {} by the API", effect.fields["fulfillment_status"])));
        }
        // What an update names, and what a change of holds leaves.
        let Some(after) = effect.fields.get("holds").and_then(Json::as_object) else { continue };
        let known = holds.entry(key).or_default();
        for (name, value) in after.iter().filter(|(name, _)| *name != "client_hold") {
            let before = known.get(name).unwrap_or(&Json::Bool(false));
            if effect.by_api && before != value {
                found.push(Finding::new("history: ownership", format!("{key}: {name} was {before}, and the API made it {value} at {}", effect.at)));
            }
            known.insert(name.clone(), value.clone());
        }
    }
}

/// Each label has a row of its own, once; that of a voided one says so.
fn labels_come_back_once(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    let rows = hero.keyed("Shipment__c", "Shipment_Key__c");
    let deleted: BTreeSet<&str> = past.crm.iter().filter(|effect| effect.kind == "deleted").map(|effect| effect.id.as_str()).collect();
    for effect in past.wms.iter().filter(|effect| effect.kind == "label") {
        let Some(order) = effect.key.as_deref().and_then(|key| key.strip_prefix("sf-")).filter(|order| !deleted.contains(order)) else { continue };
        let number = past.after.get(order).map(|order| text(order, "OrderNumber")).unwrap_or_default();
        let told = past.told.contains_key(number) || past.told.contains_key(&effect.id) || past.decided.contains(&effect.id);
        let is_voided = past.wms.iter().any(|other| other.kind == "voided" && other.id == effect.id);
        match rows.get(format!("sh-{}", effect.id).as_str()).map(Vec::as_slice) {
            // One that was voided before anybody saw it needs none.
            None if is_voided || told => {}
            None => found.push(Finding::new("history: not tracked", format!("the label {} of {number} has no row", effect.id))),
            Some([row]) => {
                let (is, wanted) = (row.get("Status__c").and_then(Json::as_str).unwrap_or_default(), if is_voided { "Voided" } else { "Shipped" });
                if is != wanted && !is_voided && !told {
                    found.push(Finding::new("promise", format!("the label {} of {number} is {wanted}, and its row says {is:?}", effect.id)));
                }
                let numbers = effect.fields["tracking_numbers"].as_array().into_iter().flatten().filter_map(Json::as_str);
                let (held, numbers) =
                    (row.get("Tracking_Number__c").and_then(Json::as_str).unwrap_or_default(), numbers.collect::<Vec<_>>().join(", "));
                if !is_voided && held != numbers && !told {
                    found.push(Finding::new("promise", format!("the label {} has the number {numbers}, and its row says {held:?}", effect.id)));
                }
            }
            Some(rows) => found.push(Finding::new("one effect", format!("the label {} of {number} has {} rows", effect.id, rows.len()))),
        }
    }
}

/// An order shows the newest of its labels that stand; none, where none stands, or where the newest one was voided.
fn orders_show_their_newest_parcel(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for (id, order) in past.orders() {
        let (key, number) = (key_of(id), text(order, "OrderNumber"));
        if past.decided.contains(id) || past.told.contains_key(number) || past.of_key(&key).all(|effect| effect.kind != "label") {
            continue;
        }
        let held = text(order, "Tracking_Number__c");
        let labels = hero.labels(&key);
        let voids_after = |label: &str| {
            let made = past.of_key(&key).position(|effect| effect.kind == "label" && effect.id == label);
            past.of_key(&key).skip(made.unwrap_or(0)).any(|effect| effect.kind == "voided")
        };
        match labels.last() {
            Some((label, _)) if held.is_empty() && voids_after(label) => {}
            Some((_, newest)) if held != newest => {
                found.push(Finding::new("promise", format!("{number} shows {held:?}, and its labels are {labels:?}")));
            }
            None if !held.is_empty() => found.push(Finding::new("promise", format!("{number} shows {held:?}, and has no label that stands"))),
            _ => {}
        }
    }
}

/// What Salesforce shows of an order is what it is at ShipHero.
fn statuses_are_those_of_shiphero(hero: &Hero, found: &mut Vec<Finding>) {
    let past = &hero.past;
    for (id, order, key, target) in hero.pairs() {
        let number = text(order, "OrderNumber");
        if past.decided.contains(id) || past.told.contains_key(number) {
            continue;
        }
        let handled = |kind: &str| past.of_key(&key).any(|effect| effect.kind == kind);
        let lines = || target["#lines"].as_array().into_iter().flatten();
        let some = |field: &str| lines().any(|line| decimal(line, field) > Decimal::ZERO);
        let holds = ["operator_hold", "payment_hold", "fraud_hold", "address_hold"];
        let (held, status) = (text(order, "Fulfilment_Status__c"), text(target, "fulfillment_status"));
        let may: &[&str] = match status {
            "canceled" | "cancelled" => &["Canceled"],
            "fulfilled" => &["Shipped"],
            _ if some("quantity_shipped") => &["Partially shipped"],
            _ if holds.iter().any(|hold| target["holds"][hold] == true) => &["On hold"],
            _ if some("backorder_quantity") => &["Backordered"],
            _ if handled("packed") => &["In ShipHero", "Picked", "Packed"],
            _ if handled("picked") => &["In ShipHero", "Picked"],
            _ => &["In ShipHero"],
        };
        if !may.contains(&held) {
            found.push(Finding::new("promise", format!("{number} is {status} at ShipHero, and Salesforce shows {held:?}, not {may:?}")));
        }
        if text(order, "Fulfilment_Id__c") != text(target, "id") {
            let is = text(order, "Fulfilment_Id__c");
            found.push(Finding::new("promise", format!("{number} is {} at ShipHero, and Salesforce shows {is:?}", text(target, "id"))));
        }
        if status == "fulfilled" && matches!(text(order, "Status"), "Activated" | "Ready to Ship") && !past.known(id, order) {
            found.push(Finding::new("promise", format!("{number} is shipped, and its status is {}", text(order, "Status"))));
        }
        for (kind, field) in [("picked", "Picked_At__c"), ("packed", "Packed_At__c")] {
            if handled(kind) && text(order, field).is_empty() {
                found.push(Finding::new("promise", format!("{number} was {kind}, and has no {field}")));
            }
        }
        let waits: Vec<String> = lines()
            .filter(|line| decimal(line, "backorder_quantity") > Decimal::ZERO)
            .map(|line| format!("{} × {}", decimal(line, "backorder_quantity").normalize(), text(line, "sku")))
            .collect();
        let waits = waits.join(", ");
        if is_open(target) && text(order, "Backorder__c") != waits {
            found.push(Finding::new("promise", format!("{number} waits for {waits:?}, and shows {:?}", text(order, "Backorder__c"))));
        }
        let serials: Vec<&str> = lines()
            .flat_map(|line| line["serial_numbers"].as_array().into_iter().flatten())
            .filter_map(|serial| serial["serial_number"].as_str())
            .collect();
        let (is, wanted) = (text(order, "Serial_Numbers__c"), serials.join(", "));
        if is != wanted && wanted.len() < 1_000 {
            found.push(Finding::new("promise", format!("{number} has the serial numbers {wanted:?}, and shows {is:?}")));
        }
    }
}

/// Each stock of our account has one row, which says what lies there. How many of it orders wait for changes with the orders, and no list
/// of ShipHero says when.
fn stock_is_as_it_lies(hero: &Hero, found: &mut Vec<Finding>) {
    let rows = hero.keyed("Stock__c", "Stock_Key__c");
    for (key, stock) in &hero.stock {
        let Some([row]) = rows.get(key.as_str()).map(Vec::as_slice) else {
            let count = rows.get(key.as_str()).map_or(0, Vec::len);
            found.push(Finding::new("promise", format!("the stock {key} has {count} rows")));
            continue;
        };
        for (field, of) in [("On_Hand__c", "on_hand"), ("Allocated__c", "allocated"), ("Available__c", "available")] {
            let is = row.get(field).map(ToString::to_string).and_then(|text| text.parse::<Decimal>().ok());
            if is != Some(decimal(stock, of)) {
                found.push(Finding::new("promise", format!("{of} of {key} is {}, and its row says {is:?}", stock[of])));
            }
        }
    }
    for key in rows.keys().filter(|key| !hero.stock.contains_key(**key)) {
        found.push(Finding::new("ownership", format!("there is a row of the stock {key}, which is not our account's")));
    }
}

/// An order that waits for goods has one task, and none has two.
fn who_waits_has_one_task(hero: &Hero, found: &mut Vec<Finding>) {
    let tasks = hero.keyed("Task", "Crossdock_Key__c");
    for (key, tasks) in tasks.iter().filter(|(_, tasks)| tasks.len() > 1) {
        found.push(Finding::new("one effect", format!("{key} has {} tasks", tasks.len())));
    }
    for (id, order, _, target) in hero.pairs().filter(|(_, _, _, target)| is_open(target)) {
        let waits = target["#lines"].as_array().into_iter().flatten().any(|line| decimal(line, "backorder_quantity") > Decimal::ZERO);
        let (number, known) = (text(order, "OrderNumber"), hero.past.decided.contains(id));
        if waits && !known && !hero.past.told.contains_key(number) && !tasks.contains_key(format!("backorder/{}", text(target, "id")).as_str()) {
            found.push(Finding::new("promise", format!("{number} waits for goods, and there is no task")));
        }
    }
}

/// The statuses of orders that the template reads.
const READ: [&str; 6] = ["Activated", "Ready to Ship", "On Hold", "Cancelled", "Partially Returned", "Shipped"];

/// The retry box is cleared after each attempt, and what stops an order stands beside it.
fn retries_are_cleared(hero: &Hero, found: &mut Vec<Finding>) {
    for (id, order) in hero.past.orders().filter(|(_, order)| READ.contains(&text(order, "Status"))) {
        if order.get("Fulfilment_Retry__c") == Some(&Json::Bool(true)) && !hero.past.decided.contains(id) {
            found.push(Finding::new("promise", format!("{} has its retry box ticked still", text(order, "OrderNumber"))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_packed_as_its_parts_and_a_box_as_its_pieces() {
        let line = |code: &str, quantity: i64| Line { id: "L".to_owned(), code: code.to_owned(), quantity: Decimal::from(quantity) };
        assert_eq!(packed_as(&line("CUP-01", 3)), [("L".to_owned(), Decimal::from(3))]);
        assert_eq!(packed_as(&line("CUP-BOX", 2)), [("L".to_owned(), Decimal::from(12))]);
        let parts = packed_as(&line("KIT-TEA", 2));
        assert_eq!(parts, [("L/CUP-01".to_owned(), Decimal::from(8)), ("L/POT-01".to_owned(), Decimal::from(2))]);
    }
}
