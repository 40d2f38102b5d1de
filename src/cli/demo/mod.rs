//! `crossdock demo`: the whole process against the sandbox, in a few seconds.

mod commercetools;
mod shiphero;

use std::path::Path;

use super::lines::wrapped;
use super::sandbox::{Plan, start};
use super::{Exit, Failure, Out};
use crate::app::folder::write_file;
use crate::app::process::{clock, runtime, transport};
use crate::project::templates::TEMPLATES;
use crate::sandbox::faults::Faults;
use crate::sandbox::server::Running;
use crate::sandbox::{Act, Effect, shipstation};
use crate::value::Json;

const EXAMPLES: &str = "\
Examples:
  crossdock demo                           40 orders
  crossdock demo --orders 500 --keep       keeps the project and its store
  crossdock demo --faults lost_reply=30    some answers are lost on the way
  crossdock demo --template salesforce-shiphero
  crossdock demo --template commercetools-shipstation

With --keep, look at the result with `crossdock status`, `trace` and `queue`.";

/// Run the whole process of a template in a sandbox: orders out, labels, tracking back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The template
    #[arg(long, value_name = "NAME", default_value = "salesforce-shipstation", value_parser = ["salesforce-shipstation", "salesforce-shiphero", "commercetools-shipstation"])]
    template: String,
    /// How many orders there are
    #[arg(long, default_value_t = 40)]
    orders: usize,
    /// The seed of the generated data: the same seed gives the same orders
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Faults of the network: `none`, `bad-day`, or a list such as lost_reply=30 (of 1,000 requests)
    #[arg(long, default_value = "none")]
    faults: String,
    /// Keep the project and its store afterwards
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let faults = Faults::parse(&args.faults).map_err(Failure::usage)?;
    let folder = std::env::temp_dir().join(format!("crossdock-demo-{}", std::process::id()));
    let done = match args.template.as_str() {
        "commercetools-shipstation" => commercetools::told(args, faults, &folder, out),
        "salesforce-shiphero" => shiphero::told(args, faults, &folder, out),
        _ => told(args, faults, &folder, out),
    };
    if args.keep {
        out.note(format!("its project and store: {}", folder.display()));
    } else {
        // A folder that cannot be removed holds nothing but invented data.
        let _ = std::fs::remove_dir_all(&folder);
    }
    done
}

fn told(args: &Args, faults: Faults, folder: &Path, out: &mut Out) -> Result<Exit, Failure> {
    let (clock, transport) = (clock(), transport()?);
    let runtime = runtime()?;
    let plan = Plan {
        seed: args.seed,
        orders: args.orders,
        ports: (0, 0),
        faults,
        limits: false,
        autoship: None,
        objects: Vec::new(),
        lists: shipstation::Lists::default(),
    };
    let (crm, wms) = runtime.block_on(start(&plan, &clock, &transport))?;
    project(folder, &crm.url, &wms.url)?;
    let project = folder.display().to_string();
    heading(out, "1. two systems on this machine", "imitations of Salesforce and ShipStation, with the HTTP interfaces of the vendors")?;
    out.line(format!("   Salesforce   {}   {} orders wait", crm.url, args.orders))?;
    out.line(format!("   ShipStation  {}   0 orders", wms.url))?;

    // As it happens: somebody forgot a street.
    let wrong = mistake(&crm, args.orders)?;
    if let Some(number) = &wrong {
        out.line(format!("   in Salesforce, order {number} has no street"))?;
    }

    heading(out, "2. what would happen", "crossdock run --dry-run: live reads, nothing is sent")?;
    let planned = quiet(&["crossdock", "run", &project, "--env", "demo", "--flow", "export_orders", "--dry-run", "--format", "json"])?;
    let sends = planned["planned"].as_array().map_or(0, Vec::len);
    out.line(format!("   {sends} writes in {} calls; first of them:", planned["calls"]["writes"]))?;
    if let Some(first) = planned["planned"].as_array().and_then(|all| all.iter().find(|one| goes_out(one))) {
        out.line(format!("   {} {} {}", text(&first["op"]), text(&first["object"]), text(&first["key"])))?;
        for field in first["fields"].as_array().into_iter().flatten().take(4) {
            out.line(format!("      {}: {}", text(&field["field"]), field["then"]))?;
        }
    }

    heading(out, "3. orders go out", "crossdock run")?;
    say(&["crossdock", "run", &project, "--env", "demo"], out)?;

    heading(out, "4. people work", "the warehouse ships some orders by itself; one is cancelled too late; the street is added")?;
    let orders: Vec<String> = made(&wms).into_iter().filter(waits).filter_map(|effect| number(&effect)).collect();
    let by_hand = &orders[..orders.len() / 3];
    for number in by_hand {
        act(&wms, "ship", number, Json::Null)?;
    }
    out.line(format!("   ShipStation: {} labels made by the warehouse", by_hand.len()))?;
    if let Some(first) = by_hand.first() {
        act(&crm, "cancel", first, Json::Null)?;
        out.line(format!("   Salesforce: order {first} is cancelled after its label was made"))?;
    }
    if let Some(number) = &wrong {
        act(&crm, "fix", number, Json::Null)?;
        out.line(format!("   Salesforce: order {number}, which was rejected, now has a street"))?;
    }

    heading(out, "5. labels are bought, tracking numbers come back", "crossdock run, three times: only new and changed records are sent")?;
    for _ in 0..3 {
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

fn heading(out: &mut Out, title: &str, what: &str) -> Result<(), Failure> {
    out.line("")?;
    let lines = wrapped(&format!("── {title} ── {what}"), 0, out.columns().saturating_sub(3));
    lines.into_iter().enumerate().try_for_each(|(at, line)| out.line(if at == 0 { line } else { format!("   {line}") }))
}

/// A project made of the template, with the sandboxes' addresses.
fn project(folder: &Path, crm: &str, wms: &str) -> Result<(), Failure> {
    copied("salesforce-shipstation", folder)?;
    let environment = format!(
        "connections:\n  crm: {{ login: \"{crm}\", client_id: sandbox, client_secret: sandbox }}\n  wms: {{ url: \"{wms}\", api_key: sandbox, api_secret: sandbox }}\nstore: sqlite:demo.db\nparameters:\n  print_labels: true\n"
    );
    // The real one's key file is not there, and not needed.
    let base = std::fs::read_to_string(folder.join("crossdock.yaml")).unwrap_or_default();
    let base: String = base.lines().map(|line| line.replace(", private_key: { file: crm.pem }", "")).map(|line| format!("{line}\n")).collect();
    write_file(&folder.join("crossdock.yaml"), base.as_bytes())?;
    write_file(&folder.join("crossdock.demo.yaml"), environment.as_bytes())
}

/// The files of a template, written into a folder.
fn copied(template: &str, folder: &Path) -> Result<(), Failure> {
    let (_, files) = TEMPLATES.iter().find(|(name, _)| *name == template).ok_or_else(|| Failure::usage("the template is not there"))?;
    files.iter().try_for_each(|(path, bytes)| write_file(&folder.join(path), bytes))
}

/// Runs a command as one would type it.
fn say(command: &[&str], out: &mut Out) -> Result<(), Failure> {
    super::dispatch(command, out).map(|_| ())
}

/// Runs a command for its JSON.
fn quiet(command: &[&str]) -> Result<Json, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::io(error.to_string()))?;
    let output = std::process::Command::new(program).args(&command[1..]).output().map_err(|error| Failure::io(error.to_string()))?;
    serde_json::from_slice(&output.stdout).map_err(|_| Failure::io(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or("-")
}

fn act(system: &Running, verb: &str, subject: &str, settings: Json) -> Result<Json, Failure> {
    let act = Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
    system.locked().system.act(&act, jiff::Timestamp::now()).map_err(Failure::usage)
}

fn made(wms: &Running) -> Vec<Effect> {
    wms.locked().system.effects().iter().filter(|effect| effect.kind == "created" && effect.object == "Order").cloned().collect()
}

/// What people call the order of an effect.
fn number(effect: &Effect) -> Option<String> {
    effect.fields.get("orderNumber").and_then(Json::as_str).map(str::to_owned)
}

fn waits(effect: &Effect) -> bool {
    effect.fields.get("orderStatus").and_then(Json::as_str) == Some("awaiting_shipment")
}

/// A planned write that somebody will pack.
fn goes_out(planned: &Json) -> bool {
    let fields = planned["fields"].as_array().into_iter().flatten();
    planned["object"] == "wms.Order" && fields.into_iter().any(|field| field["field"] == "orderStatus" && field["then"] == "awaiting_shipment")
}

/// Empties the street of an order that would go out; gives its number.
fn mistake(crm: &Running, orders: usize) -> Result<Option<String>, Failure> {
    for number in (1..=orders).map(|number| format!("{number:08}")) {
        let order = act(crm, "show", &number, Json::Null)?;
        if order["Status"] == "Activated" && order["ShippingStreet"].is_string() && order["Shipping_Service__c"].is_string() {
            act(crm, "change", &number, serde_json::json!({"ShippingStreet": null}))?;
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Records whose write is not known to be done: one waits until an earlier request can no longer take effect, and `run` ends before.
fn under_way(status: &Json) -> u64 {
    let open = |one: &&Json| one["state"] == "sending" || one["state"] == "waiting";
    status["records"].as_array().into_iter().flatten().filter(open).filter_map(|one| one["records"].as_u64()).sum()
}

/// What the systems themselves say was done. `under_way`: how many records are not at their end, as `crossdock status` says.
fn held(crm: &Running, wms: &Running, under_way: u64, out: &mut Out) -> Result<bool, Failure> {
    let wms_effects = wms.locked().system.effects().to_vec();
    let crm_effects = crm.locked().system.effects().to_vec();
    let orders = made(wms);
    let mut keys: Vec<_> = orders.iter().filter_map(|effect| effect.key.clone()).collect();
    keys.sort();
    let all = keys.len();
    keys.dedup();
    let labels = wms_effects.iter().filter(|effect| effect.kind == "label").count();
    let mut labelled: Vec<_> = wms_effects.iter().filter(|effect| effect.kind == "label").filter_map(|effect| effect.key.clone()).collect();
    labelled.sort();
    labelled.dedup();
    let tracked: std::collections::BTreeSet<&str> = crm_effects
        .iter()
        .filter(|effect| effect.by_api && effect.object == "Order" && effect.fields.get("Tracking_Number__c").is_some_and(|number| !number.is_null()))
        .map(|effect| effect.id.as_str())
        .collect();
    let lack = labels.saturating_sub(tracked.len());
    let fine = keys.len() == all && labelled.len() == labels && tracked.len() <= labels && u64::try_from(lack).is_ok_and(|lack| lack <= under_way);
    out.line(format!("   {all} orders created in ShipStation, {} of them twice", all - keys.len()))?;
    out.line(format!("   {labels} labels made, {} orders with two", labels - labelled.len()))?;
    out.line(format!("   {} orders in Salesforce have their tracking number, {lack} lack it", tracked.len()))?;
    if under_way > 0 {
        out.line(format!("   still to be done by the next run: {under_way}, when an earlier request can no longer take effect"))?;
    }
    out.line(format!("   {} calls to Salesforce, {} to ShipStation", crm.locked().system.calls(), wms.locked().system.calls()))?;
    Ok(fine)
}
