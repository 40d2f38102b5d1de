//! What a run costs in calls, against the least that the systems' batch sizes allow: 5 % more at the most.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

mod live;

use crossdock::sandbox::faults::Faults;
use live::World;
use serde_json::Value as Json;

/// Records of a page, items of a call: Salesforce's queries, ShipStation's lists and `createorders`, collections.
const QUERY_PAGE: usize = 2_000;
const LIST_PAGE: usize = 500;
const CREATE_ORDERS: usize = 100;
const COLLECTION: usize = 200;

/// Runs a flow and gives the calls that both systems counted.
fn calls(world: &World, flow: &str) -> usize {
    let before = world.calls();
    let run = world.command(&["run", "--flow", flow, "--format", "json"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(serde_json::from_slice::<Json>(&run.stdout).is_ok());
    usize::try_from(world.calls() - before).unwrap()
}

fn most(least: usize) -> usize {
    least + (least / 20).max(1)
}

#[test]
fn calls_are_few() {
    let orders = 3_000;
    let world = World::start(orders, Faults::default());
    let out = calls(&world, "export_orders");
    // What a run costs where there is nothing to do: the sign-in, the names, one empty page of each stream.
    let idle = calls(&world, "export_orders");
    let sent = world.wms_effects().len();
    assert!(sent > orders * 4 / 5, "{sent}");
    let told = world.crm_effects().iter().filter(|effect| effect.by_api && effect.object == "Order").count();
    // The last records of the first run are within the overlap, and are read once more.
    let least = idle + (orders.div_ceil(QUERY_PAGE) - 1) + sent.div_ceil(CREATE_ORDERS) + told.div_ceil(COLLECTION);
    assert!(out <= most(least), "{out} calls for {orders} orders, and {least} would do");

    world.wms_act("ship_all", "").unwrap();
    let shipped = world.wms_effects().iter().filter(|effect| effect.kind == "label").count();
    let back = calls(&world, "import_shipments");
    let idle = calls(&world, "import_shipments");
    assert!(shipped > 2_000, "{shipped}");
    // Two jobs in bulk: make, fill, close, three looks while it is worked at, and its results.
    let least = idle + (shipped.div_ceil(LIST_PAGE) - 1) + shipped.div_ceil(QUERY_PAGE) + 2 * 7;
    assert!(back <= most(least), "{back} calls for {shipped} shipments, and {least} would do");
}
