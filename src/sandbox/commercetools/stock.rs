//! Inventory entries: one for each SKU and supply channel.

use jiff::Timestamp;
use serde_json::json;

use super::actions::set_custom;
use super::{Commercetools, Refused};
use crate::value::Json;

impl Commercetools {
    /// `POST /inventory`
    pub(super) fn new_entry(&mut self, draft: &Json, now: Timestamp) -> Result<Json, Refused> {
        let sku = draft["sku"].as_str().unwrap_or_default().to_owned();
        let channel = draft
            .get("supplyChannel")
            .filter(|channel| !channel.is_null())
            .map(|channel| self.referenced("channels", "channel", channel))
            .transpose()?;
        if let Some(key) = draft["key"].as_str()
            && self.laws().holds("inventory.key", "unique")
            && self.by("inventory", "key", key).is_some()
        {
            return Err(Refused::duplicate("key", key));
        }
        let same = |entry: &&Json| entry["sku"].as_str() == Some(&sku) && entry["supplyChannel"]["id"] == channel.clone().unwrap_or_default()["id"];
        if self.laws().holds("inventory.sku", "unique") && self.all("inventory").any(|entry| same(&entry)) {
            return Err(Refused::duplicate("sku", &sku));
        }
        let mut entry = json!({"sku": sku, "quantityOnStock": draft["quantityOnStock"], "availableQuantity": draft["quantityOnStock"]});
        for name in ["key", "minCartQuantity", "maxCartQuantity", "restockableInDays", "expectedDelivery"] {
            if !draft[name].is_null() {
                entry[name] = draft[name].clone();
            }
        }
        if let Some(channel) = channel {
            entry["supplyChannel"] = channel;
        }
        if !draft["custom"].is_null() {
            set_custom(self, &mut entry, &draft["custom"]["type"], draft["custom"].get("fields"))?;
        }
        let entry = self.put("inventory", entry, now);
        let id = entry["id"].as_str().unwrap_or_default().to_owned();
        self.effect(now, "created", "InventoryEntry", &id, draft["key"].as_str(), true, entry.clone());
        Ok(entry)
    }

    /// An action on an inventory entry.
    pub(super) fn on_entry(&mut self, entry: &mut Json, action: &Json) -> Result<(), Refused> {
        let (stock, available) = (entry["quantityOnStock"].as_i64().unwrap_or(0), entry["availableQuantity"].as_i64().unwrap_or(0));
        let reserved = stock - available;
        let mut set = |stock: i64| {
            entry["quantityOnStock"] = Json::from(stock);
            entry["availableQuantity"] = Json::from(stock - reserved);
        };
        let quantity = action["quantity"].as_i64().unwrap_or(0);
        match action["action"].as_str().unwrap_or_default() {
            "changeQuantity" => set(quantity),
            "addQuantity" => set(stock + quantity),
            "removeQuantity" => set(stock - quantity),
            "setExpectedDelivery" => entry["expectedDelivery"] = action["expectedDelivery"].clone(),
            "setRestockableInDays" => entry["restockableInDays"] = action["restockableInDays"].clone(),
            "setCustomType" => set_custom(self, entry, &action["type"], action.get("fields"))?,
            "setCustomField" => self.set_custom_field(entry, action)?,
            other => return Err(Refused::operation(format!("The sandbox does not carry `{other}` of inventory out."))),
        }
        super::actions::tidy(entry);
        Ok(())
    }
}
