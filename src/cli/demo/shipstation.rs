//! The demo of `salesforce-shipstation`: orders out, labels, tracking numbers back.

use std::collections::BTreeSet;

use super::Script;
use super::stage::{Halt, Stage, act, created, effects, field, mistake};
use crate::cli::Failure;
use crate::sandbox::Effect;
use crate::value::Json;

pub(super) const SCRIPT: Script = Script { systems: ["salesforce", "shipstation"], play, held };

fn play(stage: &mut Stage<'_>) -> Result<Option<String>, Halt> {
    // As it happens: somebody forgot a street.
    let wrong = mistake(&stage.shop, stage.orders)?;
    if let Some(number) = &wrong {
        stage.line(format!("in Salesforce, order {number} has no street"))?;
    }
    stage.plan(goes_out)?;
    stage.heading("orders go out", "crossdock run")?;
    stage.pass()?;

    stage.heading("people work", "the warehouse ships some orders by itself; one is cancelled too late; the street is added")?;
    let orders: Vec<String> = created(&stage.wms).iter().filter(|effect| waits(effect)).filter_map(|effect| field(effect, "orderNumber")).collect();
    let by_hand = &orders[..orders.len() / 3];
    for number in by_hand {
        act(&stage.wms, "ship", number, Json::Null)?;
    }
    stage.line(format!("ShipStation: {} labels made by the warehouse", by_hand.len()))?;
    if let Some(first) = by_hand.first() {
        act(&stage.shop, "cancel", first, Json::Null)?;
        stage.line(format!("Salesforce: order {first} is cancelled after its label was made"))?;
    }
    if let Some(number) = &wrong {
        act(&stage.shop, "fix", number, Json::Null)?;
        stage.line(format!("Salesforce: order {number}, which was rejected, now has a street"))?;
    }

    stage.heading("labels are bought, tracking numbers come back", "crossdock run, three times: only new and changed records are sent")?;
    for _ in 0..3 {
        stage.pass()?;
    }
    Ok(wrong.as_ref().or(orders.last()).cloned())
}

/// What the systems themselves say was done. `under_way`: how many records are not at their end.
fn held(stage: &mut Stage<'_>, under_way: u64) -> Result<bool, Failure> {
    let once = stage.created_once()?;
    let labelled: Vec<Option<String>> = effects(&stage.wms).into_iter().filter(|effect| effect.kind == "label").map(|effect| effect.key).collect();
    let labels = labelled.len();
    let orders_with_two = labels - labelled.iter().flatten().collect::<BTreeSet<_>>().len();
    let has_number = |effect: &Effect| {
        effect.by_api && effect.object == "Order" && effect.fields.get("Tracking_Number__c").is_some_and(|number| !number.is_null())
    };
    let tracked: BTreeSet<String> = effects(&stage.shop).into_iter().filter(has_number).map(|effect| effect.id).collect();
    let lack = labels.saturating_sub(tracked.len());
    stage.line(format!("{labels} labels made, {orders_with_two} orders with two"))?;
    stage.line(format!("{} orders in Salesforce have their tracking number, {lack} lack it", tracked.len()))?;
    stage.ended(under_way)?;
    Ok(once && orders_with_two == 0 && tracked.len() <= labels && u64::try_from(lack).is_ok_and(|lack| lack <= under_way))
}

pub(super) fn waits(effect: &Effect) -> bool {
    field(effect, "orderStatus").as_deref() == Some("awaiting_shipment")
}

/// A planned write that somebody will pack.
fn goes_out(planned: &Json) -> bool {
    let fields = planned["fields"].as_array().into_iter().flatten();
    fields.into_iter().any(|field| field["field"] == "orderStatus" && field["then"] == "awaiting_shipment")
}
