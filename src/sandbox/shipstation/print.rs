//! What answers hold: every field that the description names, with the vendor's nulls and defaults where nothing was
//! sent.

use rust_decimal::Decimal;
use serde_json::{Map, json};

use super::{Order, ShipStation, Shipment, time};
use crate::value::Json;

/// Lays what is there over the defaults.
fn over(defaults: Json, held: Option<&Json>) -> Json {
    let (Json::Object(mut out), held) = (defaults, held.and_then(Json::as_object)) else { return Json::Null };
    for (name, value) in held.into_iter().flatten() {
        out.insert(name.clone(), value.clone());
    }
    Json::Object(out)
}

fn address(held: Option<&Json>) -> Json {
    let defaults = json!({
        "name": null, "company": null, "street1": null, "street2": null, "street3": null, "city": null, "state": null, "postalCode": null,
        "country": null, "phone": null, "residential": null, "addressVerified": null,
    });
    over(defaults, held)
}

fn item(held: &Json) -> Json {
    let defaults = json!({
        "orderItemId": null, "lineItemKey": null, "sku": null, "name": null, "imageUrl": null, "weight": null, "quantity": 0, "unitPrice": null,
        "taxAmount": null, "shippingAmount": null, "warehouseLocation": null, "options": [], "productId": null, "fulfillmentSku": null,
        "adjustment": false, "upc": null, "createDate": null, "modifyDate": null,
    });
    over(defaults, Some(held))
}

/// A line of an order as its shipment tells it.
pub(super) fn shipped_item(line: &Json) -> Json {
    let get = |name: &str| line.get(name).cloned().unwrap_or_default();
    let names = [
        "orderItemId",
        "lineItemKey",
        "sku",
        "name",
        "imageUrl",
        "weight",
        "quantity",
        "unitPrice",
        "warehouseLocation",
        "options",
        "productId",
        "fulfillmentSku",
    ];
    Json::Object(names.into_iter().map(|name| (name.to_owned(), get(name))).collect())
}

/// A day as fulfillments tell it: with the time at which it begins.
fn midnight(day: &Json) -> Json {
    match day.as_str() {
        Some(day) if day.len() == 10 => Json::String(format!("{day}T00:00:00.0000000")),
        _ => day.clone(),
    }
}

fn amount(value: Option<&Json>) -> Decimal {
    match value {
        Some(Json::Number(number)) => number.to_string().parse().unwrap_or_default(),
        Some(Json::String(text)) => text.parse().unwrap_or_default(),
        _ => Decimal::ZERO,
    }
}

fn number(amount: Decimal) -> Json {
    amount.normalize().to_string().parse::<serde_json::Number>().map_or(Json::from(0), Json::Number)
}

/// Lines, tax, shipping.
fn total(order: &Order) -> Decimal {
    let items = order.body.get("items").and_then(Json::as_array).into_iter().flatten();
    let lines: Decimal = items.map(|item| amount(item.get("quantity")) * amount(item.get("unitPrice"))).sum();
    lines + amount(order.body.get("taxAmount")) + amount(order.body.get("shippingAmount"))
}

impl ShipStation {
    pub(super) fn print(&self, order: &Order) -> Json {
        let held = |name: &str| order.body.get(name).filter(|value| !value.is_null());
        let or_null = |name: &str| held(name).cloned().unwrap_or_default();
        let or_zero = |name: &str| held(name).cloned().unwrap_or_else(|| Json::from(0));
        let mut out: Map<String, Json> = Map::new();
        for name in [
            "orderDate",
            "paymentDate",
            "shipByDate",
            "customerId",
            "customerUsername",
            "customerEmail",
            "customerNotes",
            "internalNotes",
            "giftMessage",
            "paymentMethod",
            "requestedShippingService",
            "carrierCode",
            "serviceCode",
            "packageCode",
            "holdUntilDate",
            "dimensions",
            "tagIds",
            "userId",
        ] {
            out.insert(name.to_owned(), or_null(name));
        }
        let shipped = self.account.of_order.get(&order.id).and_then(|all| all.last()).and_then(|id| self.account.shipments.get(id));
        let shipped = shipped.filter(|_| order.status == "shipped").and_then(|shipment| shipment.body.get("shipDate")).cloned();
        let items: Vec<Json> = held("items").and_then(Json::as_array).into_iter().flatten().map(item).collect();
        let mut options = over(
            json!({
                "warehouseId": null, "nonMachinable": false, "saturdayDelivery": false, "containsAlcohol": false, "mergedOrSplit": false,
                "mergedIds": [], "parentId": null, "storeId": order.store, "customField1": null, "customField2": null, "customField3": null,
                "source": null, "billToParty": null, "billToAccount": null, "billToPostalCode": null, "billToCountryCode": null,
            }),
            held("advancedOptions"),
        );
        options["storeId"] = json!(order.store);
        for (name, value) in [
            ("orderId", json!(order.id)),
            ("orderNumber", json!(order.number)),
            ("orderKey", json!(order.key)),
            ("createDate", json!(time::printed(order.created))),
            ("modifyDate", json!(time::printed(order.modified))),
            ("orderStatus", json!(order.status)),
            ("billTo", address(held("billTo"))),
            ("shipTo", address(held("shipTo"))),
            ("items", Json::Array(items)),
            ("orderTotal", number(total(order))),
            ("amountPaid", or_zero("amountPaid")),
            ("taxAmount", or_zero("taxAmount")),
            ("shippingAmount", or_zero("shippingAmount")),
            ("gift", held("gift").cloned().unwrap_or(Json::Bool(false))),
            ("confirmation", held("confirmation").cloned().unwrap_or_else(|| json!("none"))),
            ("shipDate", shipped.unwrap_or_default()),
            ("weight", over(json!({"value": 0, "units": "ounces"}), held("weight"))),
            ("insuranceOptions", over(json!({"provider": null, "insureShipment": false, "insuredValue": 0}), held("insuranceOptions"))),
            ("internationalOptions", over(json!({"contents": null, "customsItems": null, "nonDelivery": null}), held("internationalOptions"))),
            ("advancedOptions", options),
            ("externallyFulfilled", json!(false)),
            ("externallyFulfilledBy", Json::Null),
        ] {
            out.insert(name.to_owned(), value);
        }
        Json::Object(out)
    }

    pub(super) fn print_shipment(&self, shipment: &Shipment, items: bool) -> Json {
        let order = self.account.orders.get(&shipment.order);
        let mut out = Map::new();
        for (name, value) in [
            ("shipmentId", json!(shipment.id)),
            ("orderId", json!(shipment.order)),
            ("orderKey", json!(order.map(|order| &order.key))),
            ("userId", Json::Null),
            ("orderNumber", json!(order.map(|order| &order.number))),
            ("customerEmail", order.and_then(|order| order.body.get("customerEmail")).cloned().unwrap_or_default()),
            ("createDate", json!(time::printed(shipment.created))),
            ("voided", json!(shipment.voided.is_some())),
            ("voidDate", json!(shipment.voided.map(time::printed))),
            ("dimensions", Json::Null),
            ("insuranceOptions", Json::Null),
            ("advancedOptions", Json::Null),
            ("labelData", Json::Null),
            ("formData", Json::Null),
        ] {
            out.insert(name.to_owned(), value);
        }
        for (name, value) in &shipment.body {
            let value = match name.as_str() {
                "shipmentItems" if !items => Json::Null,
                "shipTo" => address(Some(value)),
                _ => value.clone(),
            };
            out.insert(name.clone(), value);
        }
        Json::Object(out)
    }

    pub(super) fn print_fulfillment(&self, shipment: &Shipment) -> Json {
        let order = self.account.orders.get(&shipment.order);
        let get = |name: &str| shipment.body.get(name).cloned().unwrap_or_default();
        json!({
            "fulfillmentId": shipment.id, "orderId": shipment.order, "orderNumber": order.map(|order| &order.number),
            "userId": null, "customerEmail": order.and_then(|order| order.body.get("customerEmail")), "trackingNumber": get("trackingNumber"),
            "createDate": time::printed(shipment.created), "shipDate": midnight(&get("shipDate")), "voidDate": null, "deliveryDate": null,
            "carrierCode": get("carrierCode"), "fulfillmentProviderCode": null, "fulfillmentServiceCode": null, "fulfillmentFee": 0,
            "voidRequested": false, "voided": false, "marketplaceNotified": get("marketplaceNotified"), "notifyErrorMessage": null,
            "shipTo": address(shipment.body.get("shipTo")),
        })
    }
}
