//! The demo of `salesforce-shiphero`: orders out, picks, packages, shipments and stock back.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Args, act, copied, heading, mistake, quiet, say, text, under_way};
use crate::app::folder::write_file;
use crate::app::process::{clock, runtime, transport};
use crate::cli::sandbox::{Plan, objects_in, start_one};
use crate::cli::{Exit, Failure, Out};
use crate::sandbox::Effect;
use crate::sandbox::faults::Faults;
use crate::sandbox::server::Running;
use crate::sandbox::shipstation::Lists;
use crate::value::Json;

/// ShipHero's lists are read up to one second before now.
const CLOSED: std::time::Duration = std::time::Duration::from_millis(1_200);

pub(super) fn told(args: &Args, faults: Faults, folder: &Path, out: &mut Out) -> Result<Exit, Failure> {
    let (clock, transport) = (clock(), transport()?);
    let runtime = runtime()?;
    copied("salesforce-shiphero", folder)?;
    let objects = objects_in(&folder.join("schemas/crm"), "crm")?;
    let plan = Plan { seed: args.seed, orders: args.orders, ports: (0, 0), faults, limits: false, autoship: None, objects, lists: Lists::default() };
    let (crm, wms) = runtime.block_on(async {
        let crm = start_one("salesforce", 0, &plan, &clock, &transport).await?;
        Ok::<_, Failure>((crm, start_one("shiphero", 0, &plan, &clock, &transport).await?))
    })?;
    project(folder, &crm.url, &wms.url)?;
    let project = folder.display().to_string();
    heading(out, "1. two systems on this machine", "imitations of Salesforce and ShipHero, with the HTTP interfaces of the vendors")?;
    out.line(format!("   Salesforce  {}   {} orders wait", crm.url, args.orders))?;
    out.line(format!("   ShipHero    {}   0 orders", wms.url))?;

    // As it happens: somebody forgot a street.
    let wrong = mistake(&crm, args.orders)?;
    if let Some(number) = &wrong {
        out.line(format!("   in Salesforce, order {number} has no street"))?;
    }

    heading(out, "2. what would happen", "crossdock run --dry-run: live reads, nothing is sent")?;
    let planned = quiet(&["crossdock", "run", &project, "--env", "demo", "--flow", "export_orders", "--dry-run", "--format", "json"])?;
    let sends = planned["planned"].as_array().map_or(0, Vec::len);
    out.line(format!("   {sends} writes in {} calls; first of them:", planned["calls"]["writes"]))?;
    if let Some(first) = planned["planned"].as_array().and_then(|all| all.iter().find(|one| one["object"] == "wms.Order")) {
        out.line(format!("   {} {} {}", text(&first["op"]), text(&first["object"]), text(&first["key"])))?;
        for field in first["fields"].as_array().into_iter().flatten().take(4) {
            out.line(format!("      {}: {}", text(&field["field"]), field["then"]))?;
        }
    }

    heading(out, "3. orders go out, stock comes in", "crossdock run")?;
    say(&["crossdock", "run", &project, "--env", "demo"], out)?;

    heading(out, "4. people work", "the warehouse picks, packs and ships; goods of one order are gone; one is cancelled; the street is added")?;
    let orders: Vec<String> = made(&wms).iter().filter_map(number).collect();
    let (shipped, left) = orders.split_at(orders.len() / 3);
    let mut packed = 0;
    for number in shipped {
        // One that is held is not packed.
        if act(&wms, "pick", number, Json::Null).is_ok() {
            act(&wms, "pack", number, Json::Null)?;
            act(&wms, "ship", number, Json::Null)?;
            packed += 1;
        }
    }
    out.line(format!("   ShipHero: {packed} orders picked, packed and shipped"))?;
    let mut left = left.iter().filter(|number| {
        let shown = act(&wms, "show", number, Json::Null).unwrap_or_default();
        shown["fulfillment_status"] == "pending" && shown["holds"]["client_hold"] == false
    });
    if let Some(number) = left.next() {
        act(&wms, "pick", number, Json::Null)?;
        out.line(format!("   ShipHero: order {number} is picked"))?;
    }
    if let Some(number) = left.next() {
        act(&wms, "backorder", number, Json::Null)?;
        out.line(format!("   ShipHero: the goods of order {number} are gone"))?;
    }
    if let Some(number) = left.next() {
        act(&crm, "cancel", number, Json::Null)?;
        out.line(format!("   Salesforce: order {number} is cancelled"))?;
    }
    if let Some(number) = &wrong {
        act(&crm, "fix", number, Json::Null)?;
        act(&crm, "change", number, serde_json::json!({"Fulfilment_Retry__c": true}))?;
        out.line(format!("   Salesforce: order {number}, which was rejected, now has a street, and its retry box is ticked"))?;
    }

    heading(out, "5. picks, packages, tracking numbers and stock come back", "crossdock run, twice: only new and changed records are sent")?;
    for _ in 0..2 {
        std::thread::sleep(CLOSED);
        say(&["crossdock", "run", &project, "--env", "demo"], out)?;
    }

    heading(out, "6. what a person has to decide", "crossdock queue list")?;
    say(&["crossdock", "queue", "list", "--project", &project, "--env", "demo"], out)?;

    if let Some(number) = wrong.as_ref().or(orders.last()) {
        heading(out, "7. the history of one order", &format!("crossdock trace {number}"))?;
        say(&["crossdock", "trace", number, "--project", &project, "--env", "demo"], out)?;
    }

    heading(out, "8. compared with the sandboxes' own logs", "they do not depend on what Crossdock says about itself")?;
    let status = quiet(&["crossdock", "status", &project, "--env", "demo", "--format", "json"])?;
    let fine = held(&crm, &wms, under_way(&status), out)?;
    Ok(if fine { Exit::Fine } else { Exit::Findings })
}

/// The sandboxes' addresses, as an environment.
fn project(folder: &Path, crm: &str, wms: &str) -> Result<(), Failure> {
    let sandbox = std::fs::read_to_string(folder.join("crossdock.sandbox.yaml")).map_err(|error| Failure::io(error.to_string()))?;
    let demo = sandbox.replace("http://127.0.0.1:8461", crm).replace("http://127.0.0.1:8463", wms).replace("sqlite:sandbox.db", "sqlite:demo.db");
    write_file(&folder.join("crossdock.demo.yaml"), demo.as_bytes())
}

fn made(wms: &Running) -> Vec<Effect> {
    wms.locked().system.effects().iter().filter(|effect| effect.kind == "created" && effect.object == "Order").cloned().collect()
}

fn number(effect: &Effect) -> Option<String> {
    effect.fields.get("order_number").and_then(Json::as_str).map(str::to_owned)
}

/// The last value that a field of each record of an object was given, by the record's id.
fn last<'e>(effects: &'e [Effect], object: &str, field: &str) -> BTreeMap<&'e str, &'e Json> {
    let of = effects.iter().filter(|effect| effect.object == object);
    of.filter_map(|effect| Some((effect.id.as_str(), effect.fields.get(field)?))).collect()
}

/// What the systems themselves say was done. `under_way`: how many records are not at their end, as `crossdock status` says.
fn held(crm: &Running, wms: &Running, under_way: u64, out: &mut Out) -> Result<bool, Failure> {
    let (crm_effects, wms_effects) = (crm.locked().system.effects().to_vec(), wms.locked().system.effects().to_vec());
    let mut keys: Vec<_> = made(wms).into_iter().filter_map(|effect| effect.key).collect();
    keys.sort();
    let all = keys.len();
    keys.dedup();
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
    out.line(format!("   {all} orders created in ShipHero, {} of them twice", all - keys.len()))?;
    out.line(format!("   {} tracking numbers, {untracked} of them not in Salesforce, {strange} there that no label has", numbers.len()))?;
    let told = ["Shipped", "Picked", "Backordered", "Canceled"].map(|status| format!("{} {status}", shown(status)));
    out.line(format!("   statuses in Salesforce: {}", told.join(", ")))?;
    out.line(format!("   stock of {stock} SKUs and warehouses in Salesforce"))?;
    if under_way > 0 {
        out.line(format!("   still to be done by the next run: {under_way}, when an earlier request can no longer take effect"))?;
    }
    out.line(format!("   {} calls to Salesforce, {} to ShipHero", crm.locked().system.calls(), wms.locked().system.calls()))?;
    Ok(keys.len() == all && strange == 0 && stock > 0 && lack <= under_way)
}
