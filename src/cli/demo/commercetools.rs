//! The demo of `commercetools-shipstation`: orders out by the location that packs, labels back as deliveries and parcels.

use std::collections::BTreeSet;

use super::Script;
use super::shipstation::waits;
use super::stage::{Halt, Stage, act, created, effects, field};
use crate::cli::Failure;
use crate::sandbox::server::Running;
use crate::value::Json;

pub(super) const SCRIPT: Script = Script { systems: ["commercetools", "shipstation"], play, held };

fn play(stage: &mut Stage<'_>) -> Result<Option<String>, Halt> {
    // As it happens: somebody forgot a street.
    let wrong = mistake(&stage.shop, stage.orders)?;
    if let Some(number) = &wrong {
        stage.line(format!("in commercetools, order {number} has no street"))?;
    }
    stage.plan(|_| true)?;
    stage.heading("orders go out", "crossdock run: one ShipStation order for each location that packs")?;
    stage.pass()?;

    stage.heading("people work", "the warehouse buys labels; one order is canceled before its label; the street is added")?;
    let orders: Vec<String> = created(&stage.wms).iter().filter(|effect| waits(effect)).filter_map(|effect| field(effect, "orderNumber")).collect();
    let (shipped, left) = orders.split_at(orders.len() / 2);
    for number in shipped {
        act(&stage.wms, "ship", number, Json::Null)?;
    }
    stage.line(format!("ShipStation: {} labels bought", shipped.len()))?;
    // A part of a split order has the location behind its number, and no order of the shop is called so.
    if let Some(number) = left.iter().find(|number| act(&stage.shop, "cancel", number, Json::Null).is_ok()) {
        stage.line(format!("commercetools: order {number} is canceled"))?;
    }
    if let Some(number) = &wrong {
        act(&stage.shop, "fix", number, Json::Null)?;
        stage.line(format!("commercetools: order {number}, which was rejected, now has a street"))?;
    }

    stage.heading("labels come back as deliveries", "crossdock run, twice: only new and changed records are sent")?;
    for _ in 0..2 {
        stage.pass()?;
    }
    Ok(wrong.as_ref().or(orders.first()).cloned())
}

/// Empties the street of an order that would go out; gives its number.
fn mistake(shop: &Running, orders: usize) -> Result<Option<String>, Failure> {
    for number in (1..=orders).map(|number| format!("CT-{number:05}")) {
        let order = act(shop, "show", &number, Json::Null)?;
        if order["paymentState"] == "Paid" && order["shippingAddress"]["streetName"].is_string() && order["shippingAddress"]["postalCode"].is_string()
        {
            act(shop, "address", &number, serde_json::json!({"streetName": null}))?;
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// What the systems themselves say was done. `under_way`: how many records are not at their end.
fn held(stage: &mut Stage<'_>, under_way: u64) -> Result<bool, Failure> {
    let created_once = stage.created_once()?;
    let shop_effects = effects(&stage.shop);
    let labels: BTreeSet<String> =
        effects(&stage.wms).iter().filter(|effect| effect.kind == "label").map(|effect| format!("ss-{}", effect.id)).collect();
    let of = |object: &'static str| -> Vec<String> {
        let made = shop_effects.iter().filter(move |effect| effect.kind == "created" && effect.object == object && effect.by_api);
        made.filter_map(|effect| effect.key.clone()).collect()
    };
    let (deliveries, parcels) = (of("Delivery"), of("Parcel"));
    let once: BTreeSet<&String> = deliveries.iter().collect();
    let lack = labels.iter().filter(|label| !once.contains(label) || !parcels.contains(label)).count();
    let strange = once.iter().filter(|key| !labels.contains(**key)).count();
    let prices = ["totalPrice", "taxedPrice", "lineItems", "discountCodes"];
    let priced = shop_effects.iter().filter(|effect| effect.by_api && prices.iter().any(|name| effect.fields.get(name).is_some())).count();
    let (all, twice) = (once.len(), deliveries.len() - once.len());
    stage.line(format!("{} labels; {all} deliveries in commercetools, {twice} of them twice, {lack} labels lack theirs", labels.len()))?;
    stage.line(format!("{priced} changes of a price, a tax, a discount or a line in commercetools"))?;
    stage.ended(under_way)?;
    Ok(created_once && twice == 0 && strange == 0 && priced == 0 && u64::try_from(lack).is_ok_and(|lack| lack <= under_way))
}
