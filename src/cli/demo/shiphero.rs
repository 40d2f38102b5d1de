//! The demo of `salesforce-shiphero`: orders out, picks, packages, shipments and stock back.

use std::collections::BTreeMap;

use super::Script;
use super::stage::{Halt, Stage, act, created, effects, field, mistake};
use crate::cli::Failure;
use crate::sandbox::Effect;
use crate::value::Json;

pub(super) const SCRIPT: Script = Script { systems: ["salesforce", "shiphero"], play, held };

fn play(stage: &mut Stage<'_>) -> Result<Option<String>, Halt> {
    // As it happens: somebody forgot a street.
    let wrong = mistake(&stage.shop, stage.orders)?;
    if let Some(number) = &wrong {
        stage.line(format!("in Salesforce, order {number} has no street"))?;
    }
    stage.plan(|_| true)?;
    stage.heading("orders go out, stock comes in", "crossdock run")?;
    stage.pass()?;

    stage.heading("people work", "the warehouse picks, packs and ships; goods of one order are gone; one is cancelled; the street is added")?;
    let orders: Vec<String> = created(&stage.wms).iter().filter_map(|effect| field(effect, "order_number")).collect();
    let (shipped, left) = orders.split_at(orders.len() / 3);
    let mut packed = 0;
    for number in shipped {
        // One that is held is not packed.
        if act(&stage.wms, "pick", number, Json::Null).is_ok() {
            act(&stage.wms, "pack", number, Json::Null)?;
            act(&stage.wms, "ship", number, Json::Null)?;
            packed += 1;
        }
    }
    stage.line(format!("ShipHero: {packed} orders picked, packed and shipped"))?;
    let is_open = |number: &&String| {
        let shown = act(&stage.wms, "show", number, Json::Null).unwrap_or_default();
        shown["fulfillment_status"] == "pending" && shown["holds"]["client_hold"] == false
    };
    let mut left = left.iter().filter(is_open).take(3).collect::<Vec<_>>().into_iter();
    if let Some(number) = left.next() {
        act(&stage.wms, "pick", number, Json::Null)?;
        stage.line(format!("ShipHero: order {number} is picked"))?;
    }
    if let Some(number) = left.next() {
        act(&stage.wms, "backorder", number, Json::Null)?;
        stage.line(format!("ShipHero: the goods of order {number} are gone"))?;
    }
    if let Some(number) = left.next() {
        act(&stage.shop, "cancel", number, Json::Null)?;
        stage.line(format!("Salesforce: order {number} is cancelled"))?;
    }
    if let Some(number) = &wrong {
        act(&stage.shop, "fix", number, Json::Null)?;
        act(&stage.shop, "change", number, serde_json::json!({"Fulfilment_Retry__c": true}))?;
        stage.line(format!("Salesforce: order {number}, which was rejected, now has a street, and its retry box is ticked"))?;
    }

    stage.heading("picks, packages, tracking numbers and stock come back", "crossdock run, twice: only new and changed records are sent")?;
    for _ in 0..2 {
        stage.pass()?;
    }
    Ok(wrong.as_ref().or(orders.last()).cloned())
}

/// The last value that a field of each record of an object was given, by the record's id.
fn last<'e>(effects: &'e [Effect], object: &str, field: &str) -> BTreeMap<&'e str, &'e Json> {
    let of = effects.iter().filter(|effect| effect.object == object);
    of.filter_map(|effect| Some((effect.id.as_str(), effect.fields.get(field)?))).collect()
}

/// What the systems themselves say was done. `under_way`: how many records are not at their end.
fn held(stage: &mut Stage<'_>, under_way: u64) -> Result<bool, Failure> {
    let created_once = stage.created_once()?;
    let (crm_effects, wms_effects) = (effects(&stage.shop), effects(&stage.wms));
    let numbers: Vec<&str> = wms_effects
        .iter()
        .filter(|effect| effect.kind == "label" && effect.object == "Shipment")
        .flat_map(|effect| effect.fields["tracking_numbers"].as_array().into_iter().flatten().filter_map(Json::as_str))
        .collect();
    let tracked: Vec<&str> = last(&crm_effects, "Shipment__c", "Tracking_Number__c").into_values().filter_map(Json::as_str).collect();
    let untracked = numbers.iter().filter(|number| !tracked.iter().any(|told| told.contains(**number))).count();
    let strange = tracked.iter().filter(|told| !told.split(", ").all(|told| numbers.contains(&told))).count();
    let statuses = last(&crm_effects, "Order", "Fulfilment_Status__c");
    let shown = |status: &str| statuses.values().filter(|known| known.as_str() == Some(status)).count();
    let stock = last(&crm_effects, "Stock__c", "On_Hand__c").len();
    let lack = u64::try_from(untracked).unwrap_or(u64::MAX);
    stage.line(format!("{} tracking numbers, {untracked} of them not in Salesforce, {strange} there that no label has", numbers.len()))?;
    let told = ["Shipped", "Picked", "Backordered", "Canceled"].map(|status| format!("{} {status}", shown(status)));
    stage.line(format!("statuses in Salesforce: {}", told.join(", ")))?;
    stage.line(format!("stock of {stock} SKUs and warehouses in Salesforce"))?;
    stage.ended(under_way)?;
    Ok(created_once && strange == 0 && stock > 0 && lack <= under_way)
}
