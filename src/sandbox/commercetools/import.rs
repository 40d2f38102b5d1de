//! `POST /orders/import`: an order made elsewhere, brought in whole.

use jiff::Timestamp;
use serde_json::json;

use super::actions::set_custom;
use super::{Commercetools, Refused, printed};
use crate::value::Json;

/// An amount as the API prints it.
pub(super) fn money(cents: i64, currency: &str) -> Json {
    let digits = if currency == "JPY" { 0 } else { 2 };
    json!({"type": "centPrecision", "currencyCode": currency, "centAmount": cents, "fractionDigits": digits})
}

/// An amount of a draft as the API prints it.
fn printed_money(draft: &Json) -> Json {
    money(draft["centAmount"].as_i64().unwrap_or(0), draft["currencyCode"].as_str().unwrap_or("EUR"))
}

impl Commercetools {
    pub(super) fn import(&mut self, draft: &Json, now: Timestamp) -> Result<Json, Refused> {
        let number = draft["orderNumber"].as_str();
        if let Some(number) = number
            && self.laws().holds("orders.orderNumber", "unique")
            && self.by("orders", "orderNumber", number).is_some()
        {
            return Err(Refused::duplicate("orderNumber", number));
        }
        let mut order = self.bare_order(now);
        for name in [
            "orderNumber",
            "purchaseOrderNumber",
            "customerId",
            "customerEmail",
            "billingAddress",
            "shippingAddress",
            "orderState",
            "shipmentState",
            "paymentState",
            "country",
            "inventoryMode",
            "taxRoundingMode",
            "taxCalculationMode",
            "completedAt",
        ] {
            if !draft[name].is_null() {
                order[name] = draft[name].clone();
            }
        }
        if draft["store"].is_object() {
            let store = self.referenced("stores", "store", &draft["store"])?;
            let key = self.resource("stores", store["id"].as_str().unwrap_or_default()).map(|store| store["key"].clone());
            order["store"] = json!({"typeId": "store", "key": key});
        }
        order["totalPrice"] = printed_money(&draft["totalPrice"]);
        let lines = draft["lineItems"].as_array().cloned().unwrap_or_default();
        order["lineItems"] = lines.iter().map(|line| self.imported_line(line)).collect::<Result<Vec<_>, _>>()?.into();
        if draft["shippingInfo"].is_object() {
            let info = &draft["shippingInfo"];
            let price = printed_money(&info["price"]);
            order["shippingInfo"] = json!({
                "shippingMethodName": info["shippingMethodName"], "price": price, "shippingRate": {"price": price, "tiers": []},
                "shippingMethodState": "MatchesCart", "deliveries": [],
            });
        }
        if draft["custom"].is_object() {
            set_custom(self, &mut order, &draft["custom"]["type"], draft["custom"].get("fields"))?;
        }
        let order = self.put("orders", order, now);
        let id = order["id"].as_str().unwrap_or_default().to_owned();
        self.effect(now, "created", "Order", &id, number, true, order.clone());
        Ok(order)
    }

    fn imported_line(&mut self, draft: &Json) -> Result<Json, Refused> {
        let quantity = draft["quantity"].as_i64().unwrap_or(1);
        let price = printed_money(&draft["price"]["value"]);
        let total = price["centAmount"].as_i64().unwrap_or(0) * quantity;
        let currency = price["currencyCode"].as_str().unwrap_or("EUR").to_owned();
        let mut line = self.bare_line(quantity, price, money(total, &currency));
        line["name"] = draft["name"].clone();
        line["variant"] = json!({"id": draft["variant"]["id"].as_i64().unwrap_or(1), "sku": draft["variant"]["sku"], "attributes": draft["variant"]["attributes"].as_array().cloned().unwrap_or_default()});
        for channel in ["supplyChannel", "distributionChannel"] {
            if draft[channel].is_object() {
                line[channel] = self.referenced("channels", "channel", &draft[channel])?;
            }
        }
        super::actions::tidy(&mut line["variant"]);
        Ok(line)
    }

    /// What every order has.
    pub(super) fn bare_order(&mut self, now: Timestamp) -> Json {
        let at = printed(now);
        json!({
            "id": self.id(), "version": 1, "createdAt": at, "lastModifiedAt": at, "orderState": "Open", "origin": "Customer", "shippingMode": "Single",
            "lineItems": [], "customLineItems": [], "shipping": [], "refusedGifts": [], "syncInfo": [], "returnInfo": [], "discountCodes": [],
            "directDiscounts": [], "itemShippingAddresses": [], "taxMode": "Platform", "taxRoundingMode": "HalfEven", "taxCalculationMode": "LineItemLevel",
            "inventoryMode": "None", "priceRoundingMode": "HalfEven",
        })
    }

    /// What every line has.
    pub(super) fn bare_line(&mut self, quantity: i64, price: Json, total: Json) -> Json {
        let initial = self.by("states", "key", "Initial").map(|state| state["id"].clone()).unwrap_or_default();
        json!({
            "id": self.id(), "productId": self.id(), "productType": {"typeId": "product-type", "id": self.id()},
            "price": {"id": self.id(), "value": price}, "quantity": quantity, "totalPrice": total, "discountedPricePerQuantity": [],
            "taxedPricePortions": [], "perMethodTaxRate": [], "priceMode": "Platform", "lineItemMode": "Standard",
            "state": [{"quantity": quantity, "state": {"typeId": "state", "id": initial}}],
        })
    }
}
