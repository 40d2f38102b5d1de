//! The demo of `commercetools-shipstation`: orders out by the location that packs, labels back as deliveries and parcels.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Args, act, copied, heading, made, number, quiet, say, text, under_way, waits};
use crate::app::folder::write_file;
use crate::app::process::{clock, runtime, transport};
use crate::cli::sandbox::{Plan, start_one};
use crate::cli::{Exit, Failure, Out};
use crate::sandbox::faults::Faults;
use crate::sandbox::server::Running;
use crate::sandbox::shipstation::Lists;
use crate::value::Json;

pub(super) fn told(args: &Args, faults: Faults, folder: &Path, out: &mut Out) -> Result<Exit, Failure> {
    let (clock, transport) = (clock(), transport()?);
    let runtime = runtime()?;
    copied("commercetools-shipstation", folder)?;
    let (objects, lists) = (Vec::new(), Lists::default());
    let plan = Plan { seed: args.seed, orders: args.orders, ports: (0, 0), faults, limits: false, autoship: None, objects, lists };
    let (shop, wms) = runtime.block_on(async {
        let shop = start_one("commercetools", 0, &plan, &clock, &transport).await?;
        Ok::<_, Failure>((shop, start_one("shipstation", 0, &plan, &clock, &transport).await?))
    })?;
    project(folder, &shop.url, &wms.url)?;
    let project = folder.display().to_string();
    heading(out, "1. two systems on this machine", "imitations of commercetools and ShipStation, with the HTTP interfaces of the vendors")?;
    out.line(format!("   commercetools  {}   {} orders wait", shop.url, args.orders))?;
    out.line(format!("   ShipStation    {}   0 orders", wms.url))?;

    // As it happens: somebody forgot a street.
    let wrong = mistake(&shop, args.orders)?;
    if let Some(number) = &wrong {
        out.line(format!("   in commercetools, order {number} has no street"))?;
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

    heading(out, "3. orders go out", "crossdock run: one ShipStation order for each location that packs")?;
    say(&["crossdock", "run", &project, "--env", "demo"], out)?;

    heading(out, "4. people work", "the warehouse buys labels; one order is canceled before its label; the street is added")?;
    let orders: Vec<String> = made(&wms).into_iter().filter(waits).filter_map(|effect| number(&effect)).collect();
    let (shipped, left) = orders.split_at(orders.len() / 2);
    for number in shipped {
        act(&wms, "ship", number, Json::Null)?;
    }
    out.line(format!("   ShipStation: {} labels bought", shipped.len()))?;
    // A part of a split order has the location behind its number, and no order of the shop is called so.
    if let Some(number) = left.iter().find(|number| act(&shop, "cancel", number, Json::Null).is_ok()) {
        out.line(format!("   commercetools: order {number} is canceled"))?;
    }
    if let Some(number) = &wrong {
        act(&shop, "fix", number, Json::Null)?;
        out.line(format!("   commercetools: order {number}, which was rejected, now has a street"))?;
    }

    heading(out, "5. labels come back as deliveries", "crossdock run, twice: only new and changed records are sent")?;
    for _ in 0..2 {
        say(&["crossdock", "run", &project, "--env", "demo"], out)?;
    }

    heading(out, "6. what a person has to decide", "crossdock queue list")?;
    say(&["crossdock", "queue", "list", "--project", &project, "--env", "demo"], out)?;

    if let Some(number) = wrong.as_ref().or(orders.first()) {
        heading(out, "7. the history of one order", &format!("crossdock trace {number}"))?;
        say(&["crossdock", "trace", number, "--project", &project, "--env", "demo"], out)?;
    }

    heading(out, "8. compared with the sandboxes' own logs", "they do not depend on what Crossdock says about itself")?;
    let status = quiet(&["crossdock", "status", &project, "--env", "demo", "--format", "json"])?;
    let fine = held(&shop, &wms, under_way(&status), out)?;
    Ok(if fine { Exit::Fine } else { Exit::Findings })
}

/// The sandboxes' addresses, as an environment.
fn project(folder: &Path, shop: &str, wms: &str) -> Result<(), Failure> {
    let sandbox = std::fs::read_to_string(folder.join("crossdock.sandbox.yaml")).map_err(|error| Failure::io(error.to_string()))?;
    let demo = sandbox.replace("http://127.0.0.1:8480", shop).replace("http://127.0.0.1:8462", wms).replace("sqlite:sandbox.db", "sqlite:demo.db");
    write_file(&folder.join("crossdock.demo.yaml"), demo.as_bytes())
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

/// What the systems themselves say was done. `under_way`: how many records are not at their end, as `crossdock status` says.
fn held(shop: &Running, wms: &Running, under_way: u64, out: &mut Out) -> Result<bool, Failure> {
    let (shop_effects, wms_effects) = (shop.locked().system.effects().to_vec(), wms.locked().system.effects().to_vec());
    let mut keys: Vec<_> = made(wms).into_iter().filter_map(|effect| effect.key).collect();
    keys.sort();
    let all = keys.len();
    keys.dedup();
    let labels: BTreeSet<String> = wms_effects.iter().filter(|effect| effect.kind == "label").map(|effect| format!("ss-{}", effect.id)).collect();
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
    out.line(format!("   {all} orders created in ShipStation, {} of them twice", all - keys.len()))?;
    out.line(format!(
        "   {} labels; {} deliveries in commercetools, {} of them twice, {lack} labels lack theirs",
        labels.len(),
        once.len(),
        deliveries.len() - once.len()
    ))?;
    out.line(format!("   {priced} changes of a price, a tax, a discount or a line in commercetools"))?;
    if under_way > 0 {
        out.line(format!("   still to be done by the next run: {under_way}, when an earlier request can no longer take effect"))?;
    }
    out.line(format!("   {} calls to commercetools, {} to ShipStation", shop.locked().system.calls(), wms.locked().system.calls()))?;
    let lack = u64::try_from(lack).unwrap_or(u64::MAX);
    Ok(keys.len() == all && deliveries.len() == once.len() && strange == 0 && priced == 0 && lack <= under_way)
}
