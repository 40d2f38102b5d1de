//! What a run costs in calls, against the least that the systems' batch sizes allow: 5 % more at the most.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use crate::live::World;
use crossdock::connector::registry;
use crossdock::project::{Options, compile, templates};
use crossdock::run::cost_estimate::predicted;
use crossdock::sandbox::faults::Faults;
use crossdock::store::sqlite::{Mode, Sqlite};
use crossdock::store::{Exchange, Store as _};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Records of a page, items of a call: Salesforce's queries, ShipStation's lists and `createorders`, collections.
const QUERY_PAGE: usize = 2_000;
const LIST_PAGE: usize = 500;
const CREATE_ORDERS: usize = 100;
const COLLECTION: usize = 200;
/// Rows of one job in bulk.
const BULK: usize = 10_000;

/// What a run costs beside its records: a sign-in, the names of stores, warehouses and carriers (a call each), the empty page of
/// each other stream.
const BESIDE: usize = 7;

/// After this time what V1 holds is listed again.
const LISTED_ANEW: std::time::Duration = std::time::Duration::from_mins(1);

/// So many that 10,000 of them can be sent, and 10,000 shipped.
const ORDERS: usize = 11_400;

/// The most that a run may have in memory at once, in MB, without the program itself, of which a release has 25. It does not grow
/// with the number of records: what is read, mapped and sent at a time is bounded.
const MEMORY: u64 = 125;

/// Runs a flow and gives the calls that both systems counted, and the most that the process had in memory, in MB (0: not known).
fn measured(world: &World, flow: &str) -> (usize, u64) {
    let before = world.calls();
    let printed = world.folder.path().join("printed");
    let mut run = world
        .crossdock()
        .args(["run", "--flow", flow, "--format", "json", "--env", "live"])
        .stdout(std::fs::File::create(&printed).unwrap())
        .spawn()
        .unwrap();
    let mut most = 0;
    let status = loop {
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
        most = held(run.id()).unwrap_or(0).max(most);
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let printed = std::fs::read(printed).unwrap();
    assert_eq!(status.code(), Some(0), "{}", String::from_utf8_lossy(&printed));
    assert!(serde_json::from_slice::<Json>(&printed).is_ok());
    (usize::try_from(world.calls() - before).unwrap(), most)
}

/// What a process has in memory now, without what it shares with its file. Linux tells it; elsewhere nothing does.
fn held(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn calls(world: &World, flow: &str) -> usize {
    measured(world, flow).0
}

fn exchanges(world: &World) -> Vec<Exchange> {
    Sqlite::open(&world.store(), None, Mode::Read).unwrap().exchanges(usize::MAX).unwrap()
}

/// How many calls were made of each kind after one.
fn by_kind(exchanges: &[Exchange], after: i64) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for call in exchanges.iter().filter(|call| call.id > after) {
        let path = call.path.split(['?', ' ']).next().unwrap_or_default();
        *kinds.entry(format!("{} {path}", call.method)).or_default() += 1;
    }
    kinds
}

fn most(least: usize) -> usize {
    least + (least / 20).max(1)
}

#[test]
fn calls_are_few() {
    let world = World::start(ORDERS, Faults::default());
    let began = std::time::Instant::now();
    let (out, memory) = measured(&world, "export_orders");
    let took = began.elapsed();
    assert!(memory <= MEMORY, "{memory} MB for orders out");
    let sent = world.wms_effects().len();
    assert!(sent >= 10_000, "{sent}");
    let told = world.crm_effects().iter().filter(|effect| effect.by_api && effect.object == "Order").count();
    let least = ORDERS.div_ceil(QUERY_PAGE) + sent.div_ceil(CREATE_ORDERS) + told.div_ceil(COLLECTION);
    // What is known of V1's orders is asked for again after a minute, three lists for a page of orders at the most: a machine that
    // is slow takes more of them. What is written does not depend on it.
    let again = if took > LISTED_ANEW { 3 * ORDERS.div_ceil(LIST_PAGE) } else { 0 };
    assert!(out <= most(least) + BESIDE + again, "{out} calls for {ORDERS} orders in {took:?}, and {least} would do");
    let written = exchanges(&world).len();
    let least = sent.div_ceil(CREATE_ORDERS) + told.div_ceil(COLLECTION);
    assert!(written <= most(least) + BESIDE, "{written} writes for {ORDERS} orders, and {least} would do: {:#?}", by_kind(&exchanges(&world), 0));

    world.wms_act("ship_all", "").unwrap();
    let shipped = world.wms_effects().iter().filter(|effect| effect.kind == "label").count();
    let before = world.crm.locked().system.calls();
    let before_back = exchanges(&world).first().map_or(0, |last| last.id);
    let began = std::time::Instant::now();
    let (back, memory_back) = measured(&world, "import_shipments");
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    assert!(memory_back <= MEMORY, "{memory_back} MB for shipments back");
    assert!(shipped >= 10_000, "{shipped}");
    // Two jobs in bulk: make, fill, close, and two lists of results. How often one looks how they are doing is told by
    // how long they take, and not by their size.
    let looks = |exchange: &Exchange| exchange.method == "GET" && exchange.path.contains("/jobs/ingest/") && !exchange.path.ends_with("Results/");
    let exchanges = exchanges(&world);
    let looked = exchanges.iter().filter(|exchange| looks(exchange)).count();
    assert!(looked >= 2, "{:?}", exchanges.iter().map(|exchange| &exchange.path).collect::<Vec<_>>());
    let back = back - looked;
    // What is more than a job holds goes by a call.
    let (jobs, rest) = (shipped / BULK, (shipped % BULK).div_ceil(COLLECTION));
    // Nothing waits for a full job longer than a minute: a machine that needs more sends in between what it has.
    let early = 2 * minutes * 2_000_usize.div_ceil(COLLECTION);
    let least = shipped.div_ceil(LIST_PAGE) + shipped.div_ceil(QUERY_PAGE) + 2 * (5 * jobs + rest) + early;
    assert!(back <= most(least) + BESIDE, "{back} calls for {shipped} shipments, and {least} would do: {:#?}", by_kind(&exchanges, before_back));
    // Here too without the looks: a machine that is slow takes more of them.
    let to_crm = usize::try_from(world.crm.locked().system.calls() - before).unwrap() - looked;
    assert!(to_crm <= 20 + early, "{to_crm} calls to Salesforce by the bulk API, and {looked} looks");
    println!(
        "out: {out} calls, {memory} MB, {sent} sent, {told} told; back: {memory_back} MB, {back} calls and {looked} looks, {shipped} shipped, {to_crm} to Salesforce"
    );
}

/// The same without the bulk API: two writes for each of 10,000 shipments.
#[test]
fn collections_are_full() {
    let world = World::start(ORDERS, Faults::default());
    let environment = world.folder.path().join("crossdock.live.yaml");
    let text = std::fs::read_to_string(&environment).unwrap();
    std::fs::write(&environment, text.replace("client_id: sandbox", "client_id: sandbox, bulk_above: 1000000")).unwrap();
    calls(&world, "export_orders");
    world.wms_act("ship_all", "").unwrap();
    let before = world.crm.locked().system.calls();
    calls(&world, "import_shipments");
    let shipped = world.wms_effects().iter().filter(|effect| effect.kind == "label").count();
    assert!(shipped >= 10_000, "{shipped}");
    let to_crm = usize::try_from(world.crm.locked().system.calls() - before).unwrap();
    assert!(to_crm <= 110, "{to_crm} calls to Salesforce for {shipped} shipments");
    // `plan` says so before: what it tells is the most, where each key of a match has to be tried, without the sign-in.
    let texts = templates::project("salesforce-shipstation").unwrap();
    let plan = compile(&texts, &Options::default()).plan.unwrap();
    let (flow, reads) = plan.mapping.flows.iter().zip(&plan.flows).find(|(flow, _)| flow.name == "import_shipments").unwrap();
    let connectors = [("crm", "salesforce"), ("wms", "shipstation")];
    let connectors = connectors.into_iter().map(|(name, system)| (name.to_owned(), registry::offline(name, system).unwrap())).collect();
    let told = predicted(&plan, flow, reads, &connectors, shipped);
    let most = told.iter().filter(|calls| calls.connection == "crm").map(|calls| calls.calls).sum::<usize>();
    let least = most - told.iter().filter(|calls| calls.what.contains("OrderNumber")).map(|calls| calls.calls).sum::<usize>();
    assert!((least..=most + 1).contains(&to_crm), "{to_crm} calls, and {least} to {most} were told: {told:?}");
    println!("{to_crm} calls to Salesforce by collections, {shipped} shipped");
}

/// An idle poll costs its pages: what is listed again is told from what was read, lines of orders included.
#[test]
fn what_has_not_changed_is_not_read_again() {
    let world = World::start(3_000, Faults::default());
    calls(&world, "export_orders");
    let lines = world.crm_effects().iter().filter(|effect| effect.object == "OrderItem" && !effect.by_api).count();
    let pages = 3_000_usize.div_ceil(QUERY_PAGE) + lines.max(6_000).div_ceil(QUERY_PAGE) + 1;
    for run in 1..=2 {
        let (again, memory) = measured(&world, "export_orders");
        assert!(again <= pages + BESIDE, "run {run}: {again} calls for {pages} pages");
        assert!(memory <= MEMORY, "run {run}: {memory} MB");
        println!("run {run}: {again} calls, {memory} MB");
    }
}

/// Orders are read at the target before they are changed there: those with neighboring numbers by one list.
#[test]
fn changed_orders_are_read_together() {
    let world = World::start(1_000, Faults::default());
    calls(&world, "export_orders");
    // Orders that are there: one that becomes eligible by its change is looked for first, which costs calls of its own.
    let mut there: Vec<String> =
        world.wms_effects().iter().filter_map(|effect| Some(effect.fields.get("orderNumber")?.as_str()?.to_owned())).collect();
    there.sort();
    for number in there.iter().filter(|number| number.as_str() >= "00000300").take(100) {
        world.crm_act("change", number, serde_json::json!({"ShippingCity": "Leeds"})).unwrap();
    }
    let (sent, before) = (world.wms_effects().len(), exchanges(&world).first().map_or(0, |last| last.id));
    let changed = calls(&world, "export_orders");
    assert!(world.wms_effects().len() >= sent + 80, "their changes arrived");
    let of_run: Vec<String> = exchanges(&world).iter().filter(|call| call.id > before).map(|call| format!("{} {}", call.method, call.path)).collect();
    // The sign-in, and the names of stores, warehouses and carriers, are asked for once a run, whatever has changed.
    let beside = 1 + 3;
    assert!(changed <= 12 + beside, "{changed} calls for 100 changed orders: {of_run:#?}");
}

/// Flows of one object read it once for all of them.
#[test]
fn flows_of_one_object_share_their_reads() {
    let world = World::of("crm-customers", 0, Faults::default(), "5 minutes");
    for number in 0..20 {
        world.wms_act_with("create", &format!("W-{number}"), serde_json::json!({"customerEmail": format!("a{number}@example.com")})).unwrap();
    }
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let before = world.wms.locked().system.calls();
    assert_eq!(world.command(&["run"]).status.code(), Some(0));
    let both = world.wms.locked().system.calls() - before;
    let before = world.wms.locked().system.calls();
    assert_eq!(world.command(&["run", "--flow", "customers"]).status.code(), Some(0));
    let one = world.wms.locked().system.calls() - before;
    assert_eq!(both, one, "two flows of `Order` cost as many calls as one");
}
