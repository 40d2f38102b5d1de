//! The history of a day, judged by what the two systems noted themselves: laws that know nothing of the engine, its store,
//! or the evaluation of mappings.
//!
//! The laws say in plain words what `salesforce-shipstation` promises. They are small, each stands alone, and each is held by
//! a test with a history that breaks it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::check::Finding;
use crate::sandbox::Effect;
use crate::value::Json;

/// What is known of a day without the engine.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// What Salesforce and ShipStation noted, in order.
    pub(super) crm: Vec<Effect>,
    pub(super) wms: Vec<Effect>,
    /// Requests that ShipStation carried out late: when, and when each was sent.
    pub(super) late: BTreeMap<Timestamp, Timestamp>,
    /// Salesforce's orders by their ids: before the day, and after it.
    pub(super) before: BTreeMap<String, Json>,
    pub(super) after: BTreeMap<String, Json>,
    /// ShipStation's orders by their keys, after the day.
    pub(super) target: BTreeMap<String, Json>,
    /// Numbers and ids of orders that somebody was told of, and when last.
    pub(super) told: BTreeMap<String, Timestamp>,
    /// Ids of orders about which a person decided: discarded, edited, approved.
    pub(super) decided: BTreeSet<String>,
}

/// Fields at the target, the fields of the source that they follow, and how.
pub(super) struct Follows {
    /// Its place at the target.
    pub(super) target: &'static str,
    /// Its place in the record of the source.
    pub(super) source: &'static str,
    /// What the source's value is at the target; `null` where the source has none. Without a value: it says nothing.
    pub(super) turned: fn(&Json) -> Option<Json>,
}

impl Follows {
    /// What a record of the source says.
    pub(super) fn says(&self, record: &Json) -> Option<Json> {
        (self.turned)(record.pointer(self.source).unwrap_or(&Json::Null))
    }

    /// What a change of the source says; none: nothing of this field.
    fn said(&self, change: &Json) -> Option<Option<Json>> {
        let name = self.source.trim_start_matches('/').split('/').next().unwrap_or_default();
        change.get(name).is_some().then(|| self.says(change))
    }
}

pub(super) fn as_it_is(value: &Json) -> Option<Json> {
    Some(value.clone()).filter(|value| !value.is_null())
}

/// The meaning of Salesforce's status for ShipStation.
fn status(value: &Json) -> Option<Json> {
    let word = match value.as_str()? {
        "On Hold" => "on_hold",
        "Activated" | "Ready to Ship" => "awaiting_shipment",
        "Cancelled" => "cancelled",
        _ => return None,
    };
    Some(Json::from(word))
}

const FOLLOWED: [Follows; 3] = [
    Follows { target: "/customerNotes", source: "/Package_Notes__c", turned: as_it_is },
    Follows { target: "/shipTo/city", source: "/ShippingCity", turned: as_it_is },
    Follows { target: "/orderStatus", source: "/Status", turned: status },
];

/// What ShipStation keeps of an order, and the mapping never writes, or writes once.
const OF_PEOPLE: [&str; 2] = ["tagIds", "internalNotes"];
/// What cannot be sent at all.
const OF_SHIPSTATION: &str = "holdUntilDate";

const LAWS: [fn(&Past, &mut Vec<Finding>); 8] = [
    one_order_for_one_record,
    nothing_is_lost,
    versions_in_order,
    no_label_after_a_cancellation,
    no_more_than_ordered,
    as_the_source_says,
    tracked_back,
    what_people_edited_stays,
];

/// Everything in a history that must not be.
pub(super) fn judge(past: &Past) -> Vec<Finding> {
    let mut found = Vec::new();
    for law in LAWS {
        law(past, &mut found);
    }
    found
}

fn key_of(order: &str) -> String {
    format!("sf-{order}")
}

pub(super) fn text<'j>(record: &'j Json, name: &str) -> &'j str {
    record.get(name).and_then(Json::as_str).unwrap_or_default()
}

pub(super) fn decimal(record: &Json, name: &str) -> Decimal {
    record.get(name).and_then(|value| value.to_string().parse().ok()).unwrap_or_default()
}

impl Past {
    pub(super) fn of_key<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Effect> {
        self.wms.iter().filter(move |effect| effect.key.as_deref() == Some(key))
    }

    /// People at the target took it into their own hands.
    fn in_hand(&self, key: &str) -> bool {
        self.of_key(key).any(|effect| !effect.by_api && matches!(effect.kind.as_str(), "cancelled" | "deleted" | "reopened" | "combined" | "split"))
            || self.wms.iter().any(|effect| effect.kind == "restored")
    }

    /// Orders of the source as they are after the day, without those that were deleted.
    pub(super) fn orders(&self) -> impl Iterator<Item = (&String, &Json)> {
        let deleted: BTreeSet<&str> =
            self.crm.iter().filter(|effect| effect.object == "Order" && effect.kind == "deleted").map(|effect| effect.id.as_str()).collect();
        self.after.iter().filter(move |(id, _)| !deleted.contains(id.as_str()))
    }

    /// Somebody knows of it: an alert, an error at the record, a decision.
    pub(super) fn known(&self, id: &str, order: &Json) -> bool {
        !text(order, "Fulfilment_Error__c").is_empty() || self.was_told(id, order) || self.decided.contains(id)
    }

    /// Somebody was told of it as it is now: since people last changed it at its source.
    fn was_told(&self, id: &str, order: &Json) -> bool {
        self.was_told_of(id, text(order, "OrderNumber"))
    }

    /// The same of an order by its number.
    pub(super) fn was_told_of(&self, id: &str, number: &str) -> bool {
        let changed = self.changed(id);
        [number, id].into_iter().filter_map(|name| self.told.get(name)).any(|told| changed.is_none_or(|changed| *told >= changed))
    }

    /// When people last gave a field of an order at the source another value.
    fn changed(&self, id: &str) -> Option<Timestamp> {
        let mut held = self.before.get(id).and_then(Json::as_object).cloned().unwrap_or_default();
        let mut changed = None;
        for effect in self.crm.iter().filter(|effect| effect.id == id) {
            let fields = effect.fields.as_object().cloned().unwrap_or_default();
            let other = fields.iter().any(|(name, value)| held.get(name).unwrap_or(&Json::Null) != value);
            if !effect.by_api && (other || effect.kind != "updated") {
                changed = Some(effect.at);
            }
            held.extend(fields);
        }
        changed
    }

    /// Whether people at the target gave a field the value that it has. A write of ours that carries it along does not change it.
    pub(super) fn is_of_people(&self, key: &str, pointer: &str) -> bool {
        let (mut holds, mut of_people) = (None, false);
        for effect in self.of_key(key).filter(|effect| effect.object == "Order") {
            let Some(value) = effect.fields.pointer(pointer).filter(|value| !value.is_null()) else { continue };
            if holds != Some(value) {
                (holds, of_people) = (Some(value), !effect.by_api);
            }
        }
        of_people
    }

    /// What a field of an order held, in order, and since when.
    fn values(&self, id: &str, of: &Follows) -> Vec<(Timestamp, Option<Json>)> {
        let begins = self.before.get(id).map(|order| (Timestamp::MIN, of.says(order)));
        let mut all: Vec<(Timestamp, Option<Json>)> = begins.into_iter().collect();
        for effect in self.crm.iter().filter(|effect| effect.object == "Order" && effect.id == id) {
            match of.said(&effect.fields) {
                Some(value) => all.push((effect.at, value)),
                None if all.is_empty() => all.push((effect.at, of.says(&Json::Null))),
                None => {}
            }
        }
        all
    }
}

/// An order that nothing of the mapping stops: no value that a person has to look at, no place where it goes by hand.
fn is_plain(order: &Json) -> bool {
    let total = decimal(order, "TotalAmount");
    let by_hand = text(order, "Channel__c") == "Wholesale" && text(order, "Brand__c") == "South";
    order.get("Status").and_then(status).is_some() && total >= Decimal::ZERO && total <= Decimal::from(20_000) && !by_hand
}

/// A record of the source is at most one order at the target at a time.
fn one_order_for_one_record(past: &Past, found: &mut Vec<Finding>) {
    let mut there: BTreeMap<&str, &str> = BTreeMap::new();
    for effect in &past.wms {
        if effect.kind == "restored" {
            there.clear();
        }
        let Some(key) = effect.key.as_deref().filter(|key| effect.object == "Order" && key.starts_with("sf-")) else { continue };
        match effect.kind.as_str() {
            "created" => {
                if let Some(first) = there.insert(key, &effect.id) {
                    found.push(Finding::new("history: one order", format!("{key} was created as {first} and again as {}", effect.id)));
                }
            }
            "deleted" => {
                there.remove(key);
            }
            _ => {}
        }
    }
}

/// An order that may go is at the target, or somebody knows of it.
fn nothing_is_lost(past: &Past, found: &mut Vec<Finding>) {
    for (id, order) in past.orders().filter(|(_, order)| is_plain(order)) {
        let key = key_of(id);
        if !past.target.contains_key(&key) && !past.known(id, order) && !past.in_hand(&key) {
            found.push(Finding::new("history: lost", format!("{} is not at the target, and nobody was told", text(order, "OrderNumber"))));
        }
    }
}

fn versions_in_order(past: &Past, found: &mut Vec<Finding>) {
    in_order(past, "sf-", &FOLLOWED, found);
}

/// What is written to the target is the source's value of then or of later, never an earlier one. Keys begin with `prefix`; what follows a
/// `/` in them tells the parts of one order apart.
pub(super) fn in_order(past: &Past, prefix: &str, followed: &[Follows], found: &mut Vec<Finding>) {
    let keys: BTreeSet<&str> = past.wms.iter().filter_map(|effect| effect.key.as_deref().filter(|key| key.starts_with(prefix))).collect();
    for key in keys {
        let id = key.trim_start_matches(prefix).split('/').next().unwrap_or_default();
        if past.decided.contains(id) {
            continue;
        }
        in_order_of(past, key, id, followed, found);
    }
}

fn in_order_of(past: &Past, key: &str, id: &str, followed: &[Follows], found: &mut Vec<Finding>) {
    for of in followed {
        let values = past.values(id, of);
        let (mut at, mut holds): (usize, Option<&Json>) = (0, None);
        // What an account holds that was brought back from its backup, nobody has noted.
        let restored = past.wms.iter().find(|effect| effect.kind == "restored").map_or(Timestamp::MAX, |effect| effect.at);
        for effect in past.of_key(key).filter(|effect| effect.object == "Order" && effect.at < restored) {
            let Some(sent) = effect.fields.pointer(of.target).filter(|sent| !sent.is_null()) else { continue };
            let same = holds == Some(sent);
            holds = Some(sent);
            if same || !effect.by_api {
                continue;
            }
            let later = values.iter().skip(at).position(|(since, value)| *since <= effect.at && value.as_ref() == Some(sent));
            match later {
                Some(steps) => at += steps,
                None => found.push(Finding::new(
                    "history: order of versions",
                    format!("{key}: {} became {sent} at {}, which the source did not say then or later", of.target, effect.at),
                )),
            }
        }
    }
}

/// What is cancelled at the target gets no label.
fn no_label_after_a_cancellation(past: &Past, found: &mut Vec<Finding>) {
    let mut cancelled: BTreeSet<&str> = BTreeSet::new();
    for effect in &past.wms {
        if effect.kind == "restored" {
            cancelled.clear();
        }
        let Some(key) = effect.key.as_deref() else { continue };
        match effect.kind.as_str() {
            "cancelled" => {
                cancelled.insert(key);
            }
            "reopened" | "deleted" => {
                cancelled.remove(key);
            }
            "label" | "marked_shipped" if cancelled.contains(key) => {
                found.push(Finding::new("history: cancellation", format!("{key} got a label after it was cancelled")));
            }
            _ => {}
        }
    }
}

/// A label ships all lines of its order: two that stand ship each of them twice. Labels that people make are theirs.
fn no_more_than_ordered(past: &Past, found: &mut Vec<Finding>) {
    let mut standing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for effect in &past.wms {
        if effect.kind == "restored" {
            standing.clear();
        }
        let Some(key) = effect.key.as_deref() else { continue };
        let labels = standing.entry(key).or_default();
        match effect.kind.as_str() {
            // Who deletes a shipped order knows of its parcel.
            "deleted" if !effect.by_api => labels.clear(),
            "label" => {
                labels.insert(&effect.id);
                if labels.len() > 1 && effect.by_api {
                    found.push(Finding::new("history: shipped twice", format!("{key} has {} labels at once", labels.len())));
                }
            }
            "voided" => {
                labels.remove(effect.id.as_str());
            }
            _ => {}
        }
    }
}

/// After the day the target holds what the source says, where nobody was told otherwise.
fn as_the_source_says(past: &Past, found: &mut Vec<Finding>) {
    for (id, order) in past.orders().filter(|(id, order)| is_plain(order) && !past.known(id, order)) {
        let key = key_of(id);
        let Some(target) = past.target.get(&key).filter(|target| text(target, "orderStatus") != "shipped" && !past.in_hand(&key)) else { continue };
        // Nothing of it is shipped, and ShipStation takes no change of it.
        if text(order, "Status") == "Cancelled" && text(target, "orderStatus") == "cancelled" {
            continue;
        }
        for of in &FOLLOWED {
            let Some(says) = of.says(order) else { continue };
            // What people at the target changed last is theirs, until the source says something else.
            if past.is_of_people(&key, of.target) {
                continue;
            }
            if target.pointer(of.target) != Some(&says) {
                let is = target.pointer(of.target).cloned().unwrap_or_default();
                found.push(Finding::new("history: stale", format!("{key}: {} is {is}, and the source says {says}", of.target)));
            }
        }
        if text(target, "orderNumber") != text(order, "OrderNumber") {
            found.push(Finding::new("history: stale", format!("{key} is called {}", text(target, "orderNumber"))));
        }
    }
}

/// The number of a label that stands is at its order, and the label has a row of its own.
fn tracked_back(past: &Past, found: &mut Vec<Finding>) {
    let mut standing: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for effect in &past.wms {
        let Some(id) = effect.key.as_deref().and_then(|key| key.strip_prefix("sf-")) else { continue };
        match effect.kind.as_str() {
            "label" => {
                standing.entry(id).or_default().insert(&effect.id, text(&effect.fields, "trackingNumber"));
            }
            "voided" => {
                standing.entry(id).or_default().remove(effect.id.as_str());
            }
            _ => {}
        }
    }
    let rows: BTreeMap<&str, &Effect> = past
        .crm
        .iter()
        .filter(|effect| effect.object == "Shipment__c")
        .filter_map(|effect| Some((effect.fields.get("Shipment_Key__c").and_then(Json::as_str).or(effect.key.as_deref())?, effect)))
        .collect();
    for (id, labels) in standing {
        let Some(order) = past.after.get(id) else { continue };
        if labels.is_empty() || past.decided.contains(id) || past.in_hand(&key_of(id)) {
            continue;
        }
        let told = past.told.contains_key(text(order, "OrderNumber"));
        let held = text(order, "Tracking_Number__c");
        if !labels.values().any(|number| *number == held) && !told {
            found.push(Finding::new("history: not tracked", format!("{} shows {held:?}, and its labels are {labels:?}", text(order, "OrderNumber"))));
        }
        for label in labels.keys() {
            if !rows.contains_key(format!("ss-{label}").as_str()) && !told {
                found.push(Finding::new("history: not tracked", format!("the label {label} of {} has no row", text(order, "OrderNumber"))));
            }
        }
    }
}

/// What people set at the target, and the mapping does not own, is as they left it. One case is left out, because no caller can prevent
/// it: ShipStation replaces whole orders and has no conditional update, so a request that was sent before the edit and arrives after it
/// overwrites the edit.
fn what_people_edited_stays(past: &Past, found: &mut Vec<Finding>) {
    let mut set: BTreeMap<(&str, &str), (Timestamp, &Json)> = BTreeMap::new();
    for (key, target) in &past.target {
        let by_people = |effect: &&Effect| effect.object == "Order" && !effect.by_api && effect.fields.get(OF_SHIPSTATION).is_some();
        let last = past.of_key(key).filter(by_people).last();
        if let Some(held) = last.and_then(|effect| effect.fields.get(OF_SHIPSTATION))
            && target.get(OF_SHIPSTATION) != Some(held)
            && !past.in_hand(key)
        {
            found.push(Finding::new("history: ownership", format!("{key}: people set {OF_SHIPSTATION} to {held}, and it is gone")));
        }
    }
    for effect in &past.wms {
        if effect.kind == "restored" {
            set.clear();
        }
        let Some(key) = effect.key.as_deref().filter(|_| effect.object == "Order") else { continue };
        if effect.kind == "deleted" {
            set.retain(|(of, _), _| *of != key);
        }
        for name in OF_PEOPLE {
            match effect.fields.get(name) {
                Some(value) if !effect.by_api => {
                    set.insert((key, name), (effect.at, value));
                }
                sent if effect.by_api && effect.kind == "updated" => {
                    if let Some((at, value)) = set.get(&(key, name))
                        && sent != Some(*value)
                    {
                        let was_on_its_way = past.late.get(&effect.at).is_some_and(|sent| sent < at);
                        if !was_on_its_way {
                            let message = format!("{key}: people set {name} to {value} at {at}, and it was overwritten at {}", effect.at);
                            found.push(Finding::new("history: ownership", message));
                        }
                        set.remove(&(key, name));
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use serde_json::json;

    use super::*;

    fn effect(minute: u32, kind: &str, object: &str, id: &str, by_api: bool, fields: Json) -> Effect {
        let at = format!("2026-03-02T08:{minute:02}:00Z").parse().unwrap();
        Effect { at, kind: kind.to_owned(), object: object.to_owned(), id: id.to_owned(), key: Some("sf-801".to_owned()), by_api, fields }
    }

    fn sent(minute: u32, kind: &str, notes: &str) -> Effect {
        effect(minute, kind, "Order", "1", true, json!({"orderStatus": "awaiting_shipment", "customerNotes": notes, "shipTo": {"city": "York"}}))
    }

    fn said(minute: u32, notes: &str) -> Effect {
        Effect { key: None, ..effect(minute, "updated", "Order", "801", false, json!({"Package_Notes__c": notes})) }
    }

    fn order(notes: &str) -> Json {
        json!({"OrderNumber": "00000001", "Status": "Activated", "ShippingCity": "York", "TotalAmount": 10, "Package_Notes__c": notes})
    }

    fn target(notes: &str) -> Json {
        json!({"orderNumber": "00000001", "orderStatus": "awaiting_shipment", "shipTo": {"city": "York"}, "customerNotes": notes})
    }

    /// A day on which all went well: an order with a note that was changed once, and its label.
    fn good() -> Past {
        let one = |id: &str, value: Json| BTreeMap::from([(id.to_owned(), value)]);
        let row = Effect { key: None, ..effect(40, "created", "Shipment__c", "a01", true, json!({"Shipment_Key__c": "ss-9"})) };
        let mut after = order("b");
        after["Tracking_Number__c"] = json!("T9");
        let mut shipped = target("b");
        shipped["orderStatus"] = json!("shipped");
        Past {
            crm: vec![said(10, "b"), row],
            wms: vec![sent(5, "created", "a"), sent(15, "updated", "b"), effect(30, "label", "Shipment", "9", true, json!({"trackingNumber": "T9"}))],
            before: one("801", order("a")),
            after: one("801", after),
            target: one("sf-801", shipped),
            ..Past::default()
        }
    }

    fn broken(past: &Past) -> Vec<&'static str> {
        let mut laws: Vec<&str> = judge(past).iter().map(|finding| finding.check).collect();
        laws.dedup();
        laws
    }

    #[test]
    fn a_good_day_breaks_no_law() {
        assert_eq!(judge(&good()), []);
    }

    #[test]
    fn a_second_order_of_one_record_is_found() {
        let mut past = good();
        past.wms.push(Effect { id: "2".to_owned(), ..sent(20, "created", "b") });
        assert_eq!(broken(&past), ["history: one order"]);
        // Where people deleted the first one, it is none.
        past.wms.insert(2, effect(16, "deleted", "Order", "1", false, Json::Null));
        assert_eq!(broken(&past), [""; 0]);
    }

    #[test]
    fn a_record_that_is_nowhere_is_found() {
        let mut past = good();
        (past.wms, past.target) = (Vec::new(), BTreeMap::new());
        assert_eq!(broken(&past), ["history: lost"]);
        let mut told = Past { told: BTreeMap::from([("00000001".to_owned(), Timestamp::MAX)]), ..good() };
        (told.wms, told.target) = (Vec::new(), BTreeMap::new());
        assert_eq!(broken(&told), [""; 0]);
        // Where people deleted it at its source, nothing is missing.
        past.crm.push(Effect { key: None, ..effect(50, "deleted", "Order", "801", false, Json::Null) });
        assert_eq!(broken(&past), [""; 0]);
    }

    #[test]
    fn an_older_version_on_a_newer_one_is_found() {
        let mut past = good();
        past.wms.insert(2, sent(20, "updated", "a"));
        past.wms.insert(3, sent(25, "updated", "b"));
        assert_eq!(broken(&past), ["history: order of versions"]);
        // What the source says twice may be sent twice.
        past.crm.insert(1, said(16, "a"));
        past.crm.insert(2, said(21, "b"));
        assert_eq!(broken(&past), [""; 0]);
    }

    #[test]
    fn a_value_that_the_source_never_had_is_found() {
        let mut past = good();
        past.wms[1].fields["shipTo"]["city"] = json!("Leeds");
        assert_eq!(broken(&past), ["history: order of versions"]);
    }

    #[test]
    fn a_label_of_a_cancelled_order_is_found() {
        let mut past = good();
        past.wms.insert(2, effect(20, "cancelled", "Order", "1", false, Json::Null));
        assert_eq!(broken(&past), ["history: cancellation"]);
    }

    #[test]
    fn a_second_label_is_found() {
        let mut past = good();
        past.wms.push(effect(33, "label", "Shipment", "10", true, json!({"trackingNumber": "T10"})));
        past.crm.push(Effect { key: None, ..effect(41, "created", "Shipment__c", "a02", true, json!({"Shipment_Key__c": "ss-10"})) });
        assert_eq!(broken(&past), ["history: shipped twice"]);
        past.wms.insert(3, effect(31, "voided", "Shipment", "9", false, Json::Null));
        past.after.get_mut("801").unwrap()["Tracking_Number__c"] = json!("T10");
        assert_eq!(broken(&past), [""; 0]);
    }

    #[test]
    fn a_target_that_is_behind_is_found() {
        for (pointer, value) in [("/customerNotes", "a"), ("/shipTo/city", "Leeds"), ("/orderStatus", "on_hold"), ("/orderNumber", "7")] {
            let mut past = good();
            past.wms.pop();
            let mut behind = target("b");
            *behind.pointer_mut(pointer).unwrap() = json!(value);
            past.target.insert("sf-801".to_owned(), behind);
            assert_eq!(broken(&past), ["history: stale"], "{pointer}");
        }
    }

    #[test]
    fn what_people_set_at_the_target_is_theirs_also_where_a_later_write_carries_it_along() {
        let mut past = good();
        past.wms.pop();
        past.wms.insert(1, effect(7, "updated", "Order", "1", false, json!({"orderStatus": "on_hold"})));
        past.wms[2].fields["orderStatus"] = json!("on_hold");
        let mut held = target("b");
        held["orderStatus"] = json!("on_hold");
        past.target.insert("sf-801".to_owned(), held);
        past.crm.pop();
        assert_eq!(broken(&past), [""; 0]);
        // Where nobody there set it, it is an old value.
        past.wms.remove(1);
        assert_eq!(broken(&past), ["history: order of versions", "history: stale"]);
    }

    #[test]
    fn a_label_that_did_not_come_back_is_found() {
        let mut past = good();
        past.after.get_mut("801").unwrap()["Tracking_Number__c"] = json!("T8");
        assert_eq!(broken(&past), ["history: not tracked"]);
        let mut past = good();
        past.crm.pop();
        assert_eq!(broken(&past), ["history: not tracked"]);
    }

    #[test]
    fn an_edit_of_people_that_was_overwritten_is_found() {
        let mut past = good();
        past.wms.insert(1, effect(7, "updated", "Order", "1", false, json!({"tagIds": [7]})));
        assert_eq!(broken(&past), ["history: ownership"]);
        // It was sent after the edit, or before it: only the first could have been prevented.
        let minute = |minute: u32| -> Timestamp { format!("2026-03-02T08:{minute:02}:00Z").parse().unwrap() };
        past.late.insert(past.wms[2].at, minute(8));
        assert_eq!(broken(&past), ["history: ownership"]);
        past.late.insert(past.wms[2].at, minute(6));
        assert_eq!(broken(&past), [""; 0]);
        past.late.clear();
        past.wms[2].fields["tagIds"] = json!([7]);
        assert_eq!(broken(&past), [""; 0]);
        past.wms.insert(1, effect(7, "updated", "Order", "1", false, json!({"holdUntilDate": "2026-04-01"})));
        assert_eq!(broken(&past), ["history: ownership"]);
        past.target.get_mut("sf-801").unwrap()["holdUntilDate"] = json!("2026-04-01");
        assert_eq!(broken(&past), [""; 0]);
    }
}
