//! What customers and people in the Merchant Center do.

use jiff::Timestamp;
use serde_json::json;

use super::{Commercetools, FORMS, printed};
use crate::sandbox::Act;
use crate::sandbox::kit::rest::{Mismatch, Why};
use crate::sandbox::user_actions::{self, COMMERCETOOLS};
use crate::value::Json;

impl Commercetools {
    pub(super) fn carry_act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        let act = &user_actions::given(act, "commercetools", &COMMERCETOOLS)?;
        let settings = &act.settings;
        match act.verb.as_str() {
            "create" => {
                let mut own = settings.as_object().cloned().unwrap_or_default();
                if !act.subject.is_empty() {
                    if self.by("orders", "orderNumber", &act.subject).is_some() {
                        return Err(format!("there is an order {} already", act.subject));
                    }
                    own.insert("orderNumber".to_owned(), Json::from(act.subject.as_str()));
                }
                let own = Json::Object(own);
                is_of_its_form(&own, &[])?;
                let order = self.customer_orders(&own, now);
                let (id, number) = (order["id"].as_str().unwrap_or_default().to_owned(), order["orderNumber"].as_str().map(str::to_owned));
                self.effect(now, "created", "Order", &id, number.as_deref(), false, order.clone());
                Ok(order)
            }
            "expire" => {
                self.tokens.end();
                Ok(json!({}))
            }
            "rotate" => {
                let secret = settings["client_secret"].as_str().ok_or("say the new secret: --set client_secret=…")?;
                self.options.client_secret = secret.to_owned();
                self.tokens.end();
                Ok(json!({}))
            }
            "stock" => self.counted(&act.subject, settings, now),
            verb @ ("show" | "change" | "confirm" | "cancel" | "pay" | "state" | "address" | "fix" | "delete") => {
                let order = self.by("orders", "orderNumber", &act.subject).or_else(|| self.resource("orders", &act.subject));
                let order = order.cloned().ok_or_else(|| format!("there is no order `{}`: name one by its number or its id", act.subject))?;
                self.on_an_order(verb, order, settings, now)
            }
            other => Err(user_actions::no_act(other, "commercetools", &COMMERCETOOLS)),
        }
    }

    fn on_an_order(&mut self, verb: &str, before: Json, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let mut order = before.clone();
        let known = mismatches(&before);
        match verb {
            "show" => return Ok(order),
            "delete" => {
                let id = order["id"].as_str().unwrap_or_default().to_owned();
                self.resources.entry("orders").or_default().remove(&id);
                let number = order["orderNumber"].as_str().map(str::to_owned);
                self.numbers.retain(|_, known| *known != id);
                self.effect(now, "deleted", "Order", &id, number.as_deref(), false, json!({}));
                return Ok(json!({"id": id}));
            }
            "change" => {
                for (path, value) in settings.as_object().into_iter().flatten() {
                    let (last, before) = path.rsplit_once('.').map_or((path.as_str(), ""), |(before, last)| (last, before));
                    let mut at = &mut order;
                    for name in before.split('.').filter(|name| !name.is_empty()) {
                        at = match name.parse::<usize>() {
                            Ok(place) => at.get_mut(place).ok_or_else(|| format!("the order has no `{path}`"))?,
                            Err(_) if at.is_object() || at.is_null() => &mut at[name],
                            Err(_) => return Err(format!("the order has no `{path}`")),
                        };
                    }
                    if !(at.is_object() || at.is_null()) {
                        return Err(format!("the order has no `{path}`"));
                    }
                    at[last] = value.clone();
                    super::actions::tidy(at);
                }
            }
            "confirm" => order["orderState"] = Json::from("Confirmed"),
            "cancel" => {
                order["orderState"] = Json::from("Cancelled");
                order["state"] = self.state("canceled");
            }
            "pay" => {
                order["paymentState"] = Json::from("Paid");
                order["state"] = self.state("ready-to-ship");
            }
            "state" => {
                let key = settings["to"].as_str().ok_or("say which state by its key: --set to=shipped")?;
                let keys = || self.all("states").filter_map(|state| state["key"].as_str()).collect::<Vec<_>>().join(", ");
                self.by("states", "key", key).ok_or_else(|| format!("there is no state `{key}`; there are: {}", keys()))?;
                order["state"] = self.state(key);
            }
            "address" => {
                for (name, value) in settings.as_object().into_iter().flatten() {
                    order["shippingAddress"][name] = value.clone();
                }
                super::actions::tidy(&mut order["shippingAddress"]);
            }
            _ => {
                let address = &mut order["shippingAddress"];
                for (name, value) in [
                    ("streetName", "Harbor Street"),
                    ("streetNumber", "12"),
                    ("postalCode", "04101"),
                    ("city", "Portland"),
                    ("state", "ME"),
                    ("country", "US"),
                ] {
                    address[name] = Json::from(value);
                }
            }
        }
        is_of_its_form(&order, &known)?;
        let after = self.change("orders", order, 1, now);
        self.told("orders", &before, &after, &[], false, now);
        Ok(after)
    }

    /// Stock is counted.
    fn counted(&mut self, sku: &str, settings: &Json, now: Timestamp) -> Result<Json, String> {
        let keys = |kind: &str| self.all(kind).filter_map(|one| one["key"].as_str()).collect::<Vec<_>>().join(", ");
        let channel = settings["channel"].as_str().unwrap_or("warehouse-east");
        let channel =
            self.by("channels", "key", channel).ok_or_else(|| format!("there is no channel `{channel}`; there are: {}", keys("channels")))?["id"]
                .clone();
        let quantity = settings["quantity"].as_i64().ok_or("say how many are counted: --set quantity=12")?;
        let entry = self.all("inventory").find(|entry| entry["sku"].as_str() == Some(sku) && entry["supplyChannel"]["id"] == channel);
        let before = entry.cloned().ok_or_else(|| format!("there is no stock of `{sku}` in that channel"))?;
        let mut after = before.clone();
        (after["quantityOnStock"], after["availableQuantity"]) = (Json::from(quantity), Json::from(quantity));
        after["lastModifiedAt"] = Json::from(printed(now));
        let after = self.change("inventory", after, 1, now);
        self.told("inventory", &before, &after, &[], false, now);
        Ok(after)
    }
}

/// Where an order, or a part of one, is not what the vendor's file says of it.
fn mismatches(order: &Json) -> Vec<Mismatch> {
    FORMS.named("Order").map(|form| FORMS.mismatches(form, order)).unwrap_or_default()
}

/// Whether an order, or a part of one, is what the vendor's file says of it, apart from what was known before. Requests count on it.
fn is_of_its_form(order: &Json, known: &[Mismatch]) -> Result<(), String> {
    let wrong = |one: &Mismatch| !matches!(one.why, Why::Missing) && known.iter().all(|known| known.at != one.at);
    match mismatches(order).into_iter().find(wrong) {
        Some(mismatch) => Err(format!("an order cannot be like that: {mismatch}")),
        None => Ok(()),
    }
}
