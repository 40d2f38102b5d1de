//! An order as V1 wants it for an update: whole, since what is not sent is lost, and with the ids of
//! its lines, since a line without one is a new line.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::wire::text;
use crate::schema::standard;
use crate::value::{Json, Kind};

/// By object: the fields that no write takes, and the objects that its other fields hold.
static ORDER: LazyLock<BTreeMap<String, Shape>> = LazyLock::new(|| {
    let mut shapes = BTreeMap::new();
    describe("Order", &mut shapes);
    shapes
});

#[derive(Debug, Default)]
struct Shape {
    read_only: Vec<String>,
    objects: BTreeMap<String, String>,
}

fn describe(name: &str, shapes: &mut BTreeMap<String, Shape>) {
    let Some(Ok(object)) = standard::object("shipstation", name, "") else { return };
    if shapes.contains_key(name) {
        return;
    }
    let mut shape = Shape::default();
    let mut inner = Vec::new();
    for (field, of) in &object.fields {
        if !of.write.create && !of.write.update {
            shape.read_only.push(field.clone());
        }
        let of = match &of.kind {
            Kind::List(of) => &of.kind,
            kind => kind,
        };
        if let Kind::Object(of) = of {
            shape.objects.insert(field.clone(), of.object.clone());
            inner.push(of.object.clone());
        }
    }
    shapes.insert(name.to_owned(), shape);
    inner.iter().for_each(|name| describe(name, shapes));
}

/// Lays changes over an order as V1 gave it.
///
/// - Fields that only V1 sets are left out (`orderId`, `createDate`, `modifyDate`, …), whoever names them.
/// - Fields that the changes do not name stay, in nested objects too; a null is sent as a null.
/// - `orderKey` stays the target's: another one would make another order.
/// - A list that the changes name replaces the target's. Its lines get the ids of the target's lines that they are,
///   and keep what the changes do not say of them: order items by `orderItemId`, `lineItemKey` (of several with one key, that with
///   the same SKU), or SKU and name;
///   customs items by `customsItemId` or description, and those that are left by their place.
/// - V1 cannot remove a customs item: one that the changes no longer name is sent with quantity and value 0, so that nothing is
///   declared that is not in the parcel.
pub fn merge(target: &Json, changes: &Json) -> Json {
    if !target.is_object() || !changes.is_object() {
        return writable(changes, "Order");
    }
    let mut merged = laid(&writable(target, "Order"), &writable(changes, "Order"));
    if text(target, "orderKey").is_some() {
        merged["orderKey"] = target["orderKey"].clone();
    }
    if let Some(items) = changes.get("items").and_then(Json::as_array) {
        merged["items"] = Json::Array(lines(lines_of(target, "/items"), items, &ITEMS));
    }
    if let Some(items) = changes.pointer("/internationalOptions/customsItems").and_then(Json::as_array) {
        merged["internationalOptions"]["customsItems"] = Json::Array(lines(lines_of(target, CUSTOMS_ITEMS), items, &CUSTOMS));
    }
    // Lines that the changes do not name keep their ids as well.
    if changes.get("items").is_none() && target.get("items").is_some_and(Json::is_array) {
        let own = lines_of(target, "/items");
        merged["items"] = Json::Array(own.iter().map(|line| with_id(writable(line, ITEMS.object), line, ITEMS.id)).collect());
    }
    merged
}

/// Where an order has its customs items.
const CUSTOMS_ITEMS: &str = "/internationalOptions/customsItems";

/// Whether V1 adds lines to an order by this body: customs items without an id are added to those that are there.
pub(super) fn adds_lines(body: &Json) -> bool {
    lines_of(body, CUSTOMS_ITEMS).iter().any(|line| text(line, CUSTOMS.id).is_none())
}

/// Customs items without those that declare nothing: what [`merge`] makes of items that were removed.
pub(super) fn declared(items: &Json) -> Json {
    let Json::Array(items) = items else { return items.clone() };
    Json::Array(items.iter().filter(|item| !declares_nothing(item)).cloned().collect())
}

fn declares_nothing(item: &Json) -> bool {
    item.get("quantity").and_then(Json::as_f64) == Some(0.0)
}

fn lines_of<'j>(record: &'j Json, path: &str) -> &'j [Json] {
    record.pointer(path).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// How the lines of a list are known.
struct Lines {
    object: &'static str,
    id: &'static str,
    /// The caller's own key of a line.
    key: Option<&'static str>,
    /// Fields that together say what it is.
    same: &'static [&'static str],
    /// Whether V1 keeps a line that is not sent, and adds one without an id: it does so with customs items; order items it
    /// replaces. Lines that are left over then take the places of those left over at the target, and what is still left there is
    /// emptied.
    kept: bool,
}

static ITEMS: Lines = Lines { object: "OrderItem", id: "orderItemId", key: Some("lineItemKey"), same: &["sku", "name"], kept: false };
static CUSTOMS: Lines = Lines { object: "CustomsItem", id: "customsItemId", key: None, same: &["description"], kept: true };

fn lines(own: &[Json], changed: &[Json], of: &Lines) -> Vec<Json> {
    let mut taken = vec![false; own.len()];
    let mut found: Vec<Option<usize>> = vec![None; changed.len()];
    let has = |line: &Json, name: &str| text(line, name).is_some();
    let equal = |one: &Json, other: &Json, name: &str| text(one, name) == text(other, name);
    let by_id = |one: &Json, other: &Json| has(one, of.id) && equal(one, other, of.id);
    let by_key = |one: &Json, other: &Json| of.key.is_some_and(|key| has(one, key) && equal(one, other, key));
    let by_what = |one: &Json, other: &Json| {
        let keys_differ = of.key.is_some_and(|key| has(one, key) && has(other, key));
        !keys_differ && of.same.iter().any(|name| has(one, name)) && of.same.iter().all(|name| equal(one, other, name))
    };
    // Parts of a kit have the key of its line in common.
    let by_key_and_what =
        |one: &Json, other: &Json| by_key(one, other) && of.same.first().is_some_and(|name| has(one, name) && equal(one, other, name));
    let ways: [&dyn Fn(&Json, &Json) -> bool; 4] = [&by_id, &by_key_and_what, &by_key, &by_what];
    for way in ways {
        // Those at their own place first: of two alike, each keeps its own id.
        for at in 0..changed.len().min(own.len()) {
            if found[at].is_none() && !taken[at] && way(&changed[at], &own[at]) {
                (found[at], taken[at]) = (Some(at), true);
            }
        }
        for at in 0..changed.len() {
            if found[at].is_none()
                && let Some(place) = (0..own.len()).find(|place| !taken[*place] && way(&changed[at], &own[*place]))
            {
                (found[at], taken[place]) = (Some(place), true);
            }
        }
    }
    let mut merged: Vec<Json> = Vec::new();
    for (at, line) in changed.iter().enumerate() {
        // Ids are the target's: what V1 does not know as a line's id would add one.
        let mut line = writable(line, of.object);
        if let Json::Object(fields) = &mut line {
            fields.shift_remove(of.id);
        }
        let left = || (0..own.len()).find(|place| of.kept && !taken[*place]);
        let line = match found[at] {
            Some(place) => with_id(laid(&writable(&own[place], of.object), &line), &own[place], of.id),
            None => match left() {
                Some(place) => {
                    taken[place] = true;
                    with_id(line, &own[place], of.id)
                }
                None => line,
            },
        };
        merged.push(line);
    }
    let left = own.iter().zip(taken).filter(|(_, taken)| of.kept && !taken);
    merged.extend(left.map(|(own, _)| emptied(own, of)));
    merged
}

/// A line of the target that is no longer wanted, and cannot be removed.
fn emptied(own: &Json, of: &Lines) -> Json {
    let mut line = with_id(writable(own, of.object), own, of.id);
    if let Json::Object(fields) = &mut line {
        for name in ["quantity", "value"] {
            fields.insert(name.to_owned(), Json::from(0));
        }
    }
    line
}

fn with_id(mut line: Json, own: &Json, id: &str) -> Json {
    if let (Json::Object(fields), Some(value)) = (&mut line, own.get(id).filter(|value| !value.is_null())) {
        fields.insert(id.to_owned(), value.clone());
    }
    line
}

/// One object over another, field by field; lists and scalars replace.
fn laid(under: &Json, over: &Json) -> Json {
    let (Json::Object(under), Json::Object(over)) = (under, over) else { return over.clone() };
    let mut merged = under.clone();
    for (name, value) in over {
        let value = merged.get(name).map_or_else(|| value.clone(), |under| laid(under, value));
        merged.insert(name.clone(), value);
    }
    Json::Object(merged)
}

/// A record without what only V1 sets. Fields that no schema names stay.
fn writable(record: &Json, object: &str) -> Json {
    let Json::Object(fields) = record else { return record.clone() };
    let Some(shape) = ORDER.get(object) else { return record.clone() };
    let kept = fields.iter().filter(|(name, _)| !shape.read_only.iter().any(|field| field == *name));
    let inner = |name: &String, value: &Json| match (shape.objects.get(name), value) {
        (Some(of), Json::Array(items)) => Json::Array(items.iter().map(|item| writable(item, of)).collect()),
        (Some(of), value) => writable(value, of),
        (None, value) => value.clone(),
    };
    Json::Object(kept.map(|(name, value)| (name.clone(), inner(name, value))).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn target() -> Json {
        json!({
            "orderId": 7, "orderNumber": "1", "orderKey": "sf-1", "createDate": "2026-01-01T00:00:00", "orderTotal": 12.50,
            "orderStatus": "awaiting_shipment", "customerNotes": null, "amountPaid": serde_json::from_str::<Json>("12.50").unwrap(),
            "shipTo": { "name": "A", "company": "B", "addressVerified": "verified" },
            "weight": { "value": 3, "units": "ounces", "WeightUnits": 1 },
            "items": [
                { "orderItemId": 11, "lineItemKey": "a", "sku": "X", "name": "x", "quantity": 1, "productId": 5, "createDate": "2026-01-01T00:00:00" },
                { "orderItemId": 12, "lineItemKey": null, "sku": "Y", "name": "y", "quantity": 1 },
                { "orderItemId": 13, "lineItemKey": null, "sku": "Y", "name": "y", "quantity": 2 },
            ],
            "internationalOptions": { "contents": "merchandise", "customsItems": [
                { "customsItemId": 21, "description": "shoe", "quantity": 1 },
                { "customsItemId": 22, "description": "sock", "quantity": 2 },
            ] },
            "advancedOptions": { "storeId": 3, "customField1": "c", "mergedOrSplit": false },
        })
    }

    fn ids(merged: &Json, list: &str, id: &str) -> Vec<Json> {
        merged.pointer(list).unwrap().as_array().unwrap().iter().map(|line| line.get(id).cloned().unwrap_or(Json::Null)).collect()
    }

    #[test]
    fn what_is_not_named_stays_and_what_only_v1_sets_goes() {
        let merged =
            merge(&target(), &json!({ "orderStatus": "on_hold", "orderKey": "other", "orderId": 9, "advancedOptions": { "customField1": null } }));
        assert_eq!(merged["orderStatus"], "on_hold");
        assert_eq!(merged["orderKey"], "sf-1");
        assert_eq!(merged["shipTo"], json!({ "name": "A", "company": "B" }));
        assert_eq!(merged["advancedOptions"], json!({ "storeId": 3, "customField1": null }));
        assert_eq!(merged["amountPaid"].to_string(), "12.50");
        for gone in ["orderId", "createDate", "orderTotal"] {
            assert!(merged.get(gone).is_none(), "{gone}");
        }
        assert_eq!(ids(&merged, "/items", "orderItemId"), [json!(11), json!(12), json!(13)]);
        assert!(merged.pointer("/items/0/createDate").is_none());
    }

    #[test]
    fn lines_keep_their_ids_and_new_ones_have_none() {
        let merged = merge(
            &target(),
            &json!({ "items": [
            { "sku": "Z", "name": "z", "quantity": 4 },
            { "sku": "Y", "name": "y", "quantity": 1 },
            { "lineItemKey": "a", "sku": "X2", "quantity": 3 },
            { "sku": "Y", "name": "y", "quantity": 9 },
        ] }),
        );
        assert_eq!(ids(&merged, "/items", "orderItemId"), [Json::Null, json!(12), json!(11), json!(13)]);
        assert_eq!(merged["items"][2]["productId"], 5, "what the changes do not say of a line stays");
        assert_eq!(merged["items"][2]["sku"], "X2");
    }

    #[test]
    fn parts_of_a_kit_with_one_key_stay_what_they_are() {
        let part = |id: u32, sku: &str| json!({ "orderItemId": id, "lineItemKey": "kit", "sku": sku, "name": sku, "warehouseLocation": format!("shelf {sku}") });
        let target = json!({ "orderId": 7, "orderKey": "sf-1", "items": [
            { "orderItemId": 10, "lineItemKey": "gone", "sku": "O" }, part(11, "A"), part(12, "B"), part(13, "C"),
        ] });
        let sent = |sku: &str| json!({ "lineItemKey": "kit", "sku": sku, "name": sku, "quantity": 2 });
        for order in [["A", "B", "C"], ["C", "A", "B"]] {
            let merged = merge(&target, &json!({ "items": (order.map(sent)) }));
            for item in merged["items"].as_array().unwrap() {
                assert_eq!(item["warehouseLocation"], format!("shelf {}", item["sku"].as_str().unwrap()), "{merged}");
                assert_eq!(item["orderItemId"], 11 + ["A", "B", "C"].iter().position(|sku| item["sku"] == *sku).unwrap());
            }
        }
        // One of them was exchanged for another product: it takes the line that is left.
        let merged = merge(&target, &json!({ "items": (["D", "C", "B"].map(sent)) }));
        assert_eq!(ids(&merged, "/items", "orderItemId"), [json!(11), json!(13), json!(12)]);
    }

    #[test]
    fn customs_items_are_changed_and_not_added() {
        let merged = merge(
            &target(),
            &json!({ "internationalOptions": { "customsItems": [
            { "description": "sock", "quantity": 5 }, { "description": "boot", "quantity": 1 }, { "description": "hat", "quantity": 1 },
        ] } }),
        );
        assert_eq!(ids(&merged, "/internationalOptions/customsItems", "customsItemId"), [json!(22), json!(21), Json::Null]);
        assert_eq!(merged["internationalOptions"]["contents"], "merchandise");
    }

    #[test]
    fn customs_items_that_are_no_longer_wanted_declare_nothing() {
        let one = json!({ "internationalOptions": { "customsItems": [{ "description": "sock", "quantity": 2, "value": 5 }] } });
        let merged = merge(&target(), &one);
        let items = &merged["internationalOptions"]["customsItems"];
        assert_eq!(
            *items,
            json!([
                { "customsItemId": 22, "description": "sock", "quantity": 2, "value": 5 },
                { "customsItemId": 21, "description": "shoe", "quantity": 0, "value": 0 },
            ])
        );
        assert_eq!(declared(items).as_array().unwrap().len(), 1);
        // What comes anew takes the place of the one that was emptied.
        let two = json!({ "internationalOptions": { "customsItems": [
            { "description": "sock", "quantity": 2 }, { "description": "hat", "quantity": 1, "value": 9 },
        ] } });
        let merged = merge(&merged, &two);
        assert_eq!(ids(&merged, "/internationalOptions/customsItems", "customsItemId"), [json!(22), json!(21)]);
        assert_eq!(merged["internationalOptions"]["customsItems"][1]["quantity"], 1);
        let none = merge(&target(), &json!({ "internationalOptions": { "customsItems": [] } }));
        assert_eq!(none["internationalOptions"]["customsItems"].as_array().unwrap().iter().filter(|item| item["quantity"] != 0).count(), 0);
    }

    fn line() -> impl Strategy<Value = Json> {
        (proptest::option::of(1..6u32), proptest::option::of("[ab]"), "[xy]", proptest::option::of("[de]"), 0..3u32).prop_map(|(id, key, sku, name, quantity)| {
            json!({ "orderItemId": id, "customsItemId": id, "lineItemKey": key, "sku": sku, "name": name, "description": name, "quantity": quantity })
        })
    }

    fn numbered(mut lines: Vec<Json>) -> Vec<Json> {
        for (at, line) in lines.iter_mut().enumerate() {
            line["orderItemId"] = json!(at + 100);
            line["customsItemId"] = json!(at + 100);
        }
        lines
    }

    fn scalar() -> impl Strategy<Value = Json> {
        prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), any::<i64>().prop_map(Json::from), "[a-z]{0,3}".prop_map(Json::from)]
    }

    fn order() -> impl Strategy<Value = Json> {
        let fields = ["orderNumber", "orderKey", "customerNotes", "gift", "orderId", "modifyDate", "userId", "ofNoSchema"];
        let top = proptest::collection::btree_map(proptest::sample::select(fields.to_vec()), scalar(), 0..6);
        let inner = proptest::collection::btree_map(proptest::sample::select(vec!["customField1", "source", "mergedIds"]), scalar(), 0..3);
        let lists = (proptest::option::of(proptest::collection::vec(line(), 0..5)), proptest::option::of(proptest::collection::vec(line(), 0..5)));
        (top, proptest::option::of(inner), lists).prop_map(|(top, inner, (items, customs))| {
            let mut order = json!(top);
            if let Some(inner) = inner {
                order["advancedOptions"] = json!(inner);
            }
            if let Some(items) = items {
                order["items"] = json!(items);
            }
            if let Some(customs) = customs {
                order["internationalOptions"] = json!({ "customsItems": customs });
            }
            order
        })
    }

    fn at_target(mut order: Json) -> Json {
        for path in ["/items", "/internationalOptions/customsItems"] {
            if let Some(Json::Array(lines)) = order.pointer_mut(path) {
                *lines = numbered(std::mem::take(lines));
            }
        }
        order
    }

    proptest! {
        #[test]
        fn nothing_that_can_be_written_is_lost(target in order().prop_map(at_target), changes in order()) {
            let merged = merge(&target, &changes);
            for (name, value) in target.as_object().unwrap() {
                let named = changes.get(name).is_some();
                let read_only = ["orderId", "modifyDate", "userId"].contains(&name.as_str());
                if read_only {
                    prop_assert!(merged.get(name).is_none());
                } else if !named && !value.is_object() && name != "items" {
                    prop_assert_eq!(merged.get(name), Some(value));
                }
            }
            for name in ["customField1", "source"] {
                let path = format!("/advancedOptions/{name}");
                if let (Some(value), None) = (target.pointer(&path), changes.pointer(&path)) {
                    prop_assert_eq!(merged.pointer(&path), Some(value));
                }
            }
            for (name, value) in changes.as_object().unwrap() {
                if ["orderNumber", "customerNotes", "gift", "ofNoSchema"].contains(&name.as_str()) {
                    prop_assert_eq!(merged.get(name), Some(value));
                }
            }
        }

        #[test]
        fn no_line_is_doubled(target in order().prop_map(at_target), changes in order()) {
            let merged = merge(&target, &changes);
            for (path, id) in [("/items", "orderItemId"), ("/internationalOptions/customsItems", "customsItemId")] {
                let before = lines_of(&target, path);
                let asked = changes.pointer(path).and_then(Json::as_array);
                let after = lines_of(&merged, path);
                // V1 keeps a customs item that is not sent.
                let least = if id == "customsItemId" { before.len() } else { 0 };
                prop_assert_eq!(after.len(), asked.map_or(before.len(), |asked| asked.len().max(least)));
                if let (Some(asked), "customsItemId") = (asked, id) {
                    let wanted = asked.iter().filter(|line| !declares_nothing(line)).count();
                    prop_assert_eq!(after.iter().filter(|line| !declares_nothing(line)).count(), wanted);
                }
                let given: Vec<String> = after.iter().filter_map(|line| text(line, id)).collect();
                let mut once = given.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(once.len(), given.len(), "no id stands twice");
                prop_assert!(given.iter().all(|given| before.iter().any(|line| text(line, id).as_ref() == Some(given))));
                if id == "customsItemId" && asked.is_some() {
                    prop_assert_eq!(given.len(), before.len(), "none is added while one is left");
                }
            }
        }

        #[test]
        fn merging_again_changes_nothing(target in order().prop_map(at_target), changes in order()) {
            let once = merge(&target, &changes);
            prop_assert_eq!(merge(&once, &changes), once);
        }
    }
}
