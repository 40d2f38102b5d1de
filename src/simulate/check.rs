//! What has to hold when everything has come to rest, looked at from the sandboxes' side.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::process::Sim;
use super::sides::{Commerce, Sides, Warehouse};
use super::wire::{Wire, connectors, finish, locked};
use super::{history, past};
use crate::connector::{ReadRequest, State};
use crate::engine::Engine;
use crate::eval::{Inputs, Verdict, apply};
use crate::http::{Call, Clock as _};
use crate::sandbox::Effect;
use crate::store::{EntryState, RecordStage};
use crate::value::Json;

/// Calls above a minute's limit that processes which start one after the other may make, until an answer tells them what is left.
const FIRST_CALLS: u32 = 4;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name.
    pub check: &'static str,
    pub what: String,
}

impl Finding {
    pub(super) fn new(check: &'static str, what: String) -> Self {
        Finding { check, what }
    }
}

pub(super) fn all(sim: &Sim<'_>, engine: &Engine<'_>, before: BTreeMap<String, Json>) -> Vec<Finding> {
    let (setup, wire, clock, per_minute) = (sim.setup, &sim.wire, &sim.clock, sim.scenario.per_minute);
    let mut found = Vec::new();
    let (wms_effects, crm_effects, complaints, most) = {
        let (crm, wms) = (locked(&wire.crm), locked(&wire.wms));
        (wms.system.effects().to_vec(), crm.system.effects().to_vec(), wms.system.protocol_violations(), wms.system.most_in_window())
    };
    // Of the other pairs the history is judged alone: their flows look targets up, which no evaluation by itself can.
    let is_evaluated = wire.sides == Sides { commerce: Commerce::Salesforce, warehouse: Warehouse::ShipStation };
    one_effect(is_evaluated, &wms_effects, &crm_effects, &mut found);
    if let Some(first) = complaints.first() {
        found.push(Finding::new("description", format!("the warehouse does not know what was sent: {first}")));
    }
    // A process that starts asks one call first, and those that die before they note what they used are followed by others that ask
    // too. Such calls are refused without harm.
    let unknown = if sim.deaths > 0 { FIRST_CALLS } else { 0 };
    if let Some(allowed) = per_minute.filter(|allowed| wire.sides.warehouse == Warehouse::ShipStation && most > *allowed + unknown) {
        found.push(Finding::new("limit", format!("{most} calls in one minute of ShipStation's {allowed}")));
    }
    settled(engine, &mut found);
    if sim.scenario.hazards.limits || sim.scenario.hazards.credentials {
        none_is_exhausted(engine, &mut found);
    }
    if let Some(flow) = setup.plan.mapping.flows.iter().position(|flow| is_evaluated && flow.name == "export_orders") {
        match orders(sim, flow) {
            Ok(orders) => at_the_target(sim, engine, flow, &orders, &mut found),
            Err(why) => found.push(Finding::new("simulation", why)),
        }
    }
    if is_evaluated && wms_effects.iter().any(|effect| effect.kind == "label") {
        tracked_back(sim, engine, &wms_effects, &mut found);
    }
    received_once(engine, &crm_effects, &mut found);
    match setup.template.as_str() {
        "salesforce-shipstation" => found.extend(history::judge(&past::of(sim, engine, before))),
        "commercetools-shipstation" => found.extend(super::commercetools::judge(&past::of(sim, engine, before))),
        "salesforce-shiphero" => found.extend(super::shiphero::judge(sim, past::of(sim, engine, before))),
        template => super::crm::check(template, wire, clock.truth(), &mut found),
    }
    found
}

/// At most one effect for each key.
fn one_effect(with_people: bool, wms: &[Effect], crm: &[Effect], found: &mut Vec<Finding>) {
    let mut made: BTreeMap<(String, String), usize> = BTreeMap::new();
    for effect in wms.iter().chain(crm) {
        if effect.kind == "restored" {
            // What was made before its backup is there again, and what was made since is not.
            made.retain(|(object, _), _| object != "Order");
        }
        if effect.kind == "deleted"
            && let Some(key) = &effect.key
        {
            made.remove(&(effect.object.clone(), key.clone()));
        }
        if effect.kind != "created" || !effect.by_api {
            continue;
        }
        let mark = effect.key.clone().or_else(|| effect.fields.get("Crossdock_Key__c").and_then(Json::as_str).map(str::to_owned));
        if let Some(mark) = mark {
            *made.entry((effect.object.clone(), mark)).or_default() += 1;
        }
    }
    for ((object, key), times) in made {
        if times > 1 {
            found.push(Finding::new("one effect", format!("{object} {key} was created {times} times")));
        }
    }
    // A second label is a second parcel, and each of its lines shipped twice, unless the first was voided.
    let mut labels: BTreeMap<String, i64> = BTreeMap::new();
    for effect in wms.iter().filter(|effect| with_people || effect.by_api) {
        if effect.kind == "restored" {
            labels.clear();
        }
        let Some(key) = &effect.key else { continue };
        if effect.kind == "deleted" && !effect.by_api {
            // Who deletes a shipped order knows of its parcel.
            labels.remove(key);
        }
        let open = labels.entry(key.clone()).or_default();
        match effect.kind.as_str() {
            "label" => {
                *open += 1;
                if *open > 1 {
                    found.push(Finding::new("one effect", format!("{key} has {open} labels at once")));
                }
            }
            "voided" => *open -= 1,
            _ => {}
        }
    }
}

/// Nothing is on its way, and every record is in a state of the first promise.
fn settled(engine: &Engine<'_>, found: &mut Vec<Finding>) {
    match engine.store().counts() {
        Ok(counts) => {
            for ((flow, state), count) in counts {
                if !state.settled() {
                    found.push(Finding::new("settled", format!("{count} records of {flow} are {}", state.word())));
                }
            }
        }
        Err(fault) => found.push(Finding::new("store", fault.to_string())),
    }
    match engine.store().open_entries() {
        Ok(entries) => {
            for entry in entries.iter().filter(|entry| !matches!(entry.state, EntryState::Parked | EntryState::Refused | EntryState::Confirmed)) {
                found.push(Finding::new("settled", format!("{} of {} is {}", entry.write, entry.lane, entry.state.word())));
            }
        }
        Err(fault) => found.push(Finding::new("store", fault.to_string())),
    }
}

/// No person is asked about a record only because its system refused all calls for a while.
fn none_is_exhausted(engine: &Engine<'_>, found: &mut Vec<Finding>) {
    for open in engine.store().exceptions(true, 10_000).unwrap_or_default() {
        if open.code == "exhausted" {
            found.push(Finding::new("patience", format!("{} of {} was given up", open.lane, open.flow)));
        }
    }
}

/// All records of a flow's source, as they are now.
fn orders(sim: &Sim<'_>, flow: usize) -> Result<BTreeMap<String, Json>, String> {
    let clock = &sim.clock;
    let connectors = connectors(&sim.wire, clock, &sim.secret);
    let plan = sim.plan();
    let crm = connectors.get(sim.wire.sides.orders_from()).ok_or("no commerce side")?;
    let selection = plan.selection_of(flow, &[]);
    let mut cursor: Option<String> = None;
    let mut all = BTreeMap::new();
    for page in 0..1_000 {
        let ask = ReadRequest {
            selection: &selection,
            stream: "Order",
            cursor: cursor.as_deref(),
            begins: page == 0,
            overlap: SignedDuration::ZERO,
            since: None,
            now: clock.now(),
        };
        let got = finish(clock, crm.changes(&Call::default(), &ask)).ok_or("it hangs")?.map_err(|fault| fault.to_string())?;
        for change in got.changes {
            if let State::Upserted(record) = change.state {
                all.insert(change.id, record.json().clone());
            }
        }
        cursor = got.cursor;
        if !got.more {
            return Ok(all);
        }
    }
    Err("the pages do not end".to_owned())
}

/// Every record that is eligible is at the target as it now is, or somebody is told why not.
fn at_the_target(sim: &Sim<'_>, engine: &Engine<'_>, flow: usize, orders: &BTreeMap<String, Json>, found: &mut Vec<Finding>) {
    let clock = &sim.clock;
    let flow = &sim.plan().mapping.flows[flow];
    let there = targets(&sim.wire, clock.truth());
    let in_hand = in_hand(&sim.wire);
    for (id, record) in orders {
        let inputs = Inputs::of(record, clock.now(), sim.names());
        let outcome = apply(sim.program(), flow, &inputs);
        let number = record.get("OrderNumber").and_then(Json::as_str).unwrap_or(id);
        let lane = match engine.store().record(&flow.name, id) {
            Ok(Some(lane)) => lane,
            Ok(None) => {
                found.push(Finding::new("lost", format!("{number} was never taken in")));
                continue;
            }
            Err(fault) => {
                found.push(Finding::new("store", fault.to_string()));
                continue;
            }
        };
        // Somebody is told, or has decided already.
        // Its row was damaged: it is put aside until somebody asks for it again.
        let damaged = lane.state == RecordStage::Failed && lane.reasons.iter().any(|reason| reason.kind == "damaged");
        let decided = sim.decided.contains(&(flow.name.clone(), id.clone()));
        let open = engine.store().exceptions_of(&flow.name, id).map(|open| !open.is_empty()).unwrap_or(false) || decided;
        match outcome.verdict {
            Verdict::Ready => {
                // No write applies: it is left to the warehouse.
                let Some(payload) = outcome.payloads.first() else { continue };
                let key = payload.key.clone().unwrap_or_default();
                if in_hand.contains(&key) {
                    continue;
                }
                let Some(target) = there.get(&key) else {
                    if !open {
                        found.push(Finding::new("lost", format!("{number} is not at the target, and nobody is told ({})", lane.state.word())));
                    }
                    continue;
                };
                // What people did there since (a shipment, an edit) is theirs; a shipped order is locked.
                let status = target.get("orderStatus").and_then(Json::as_str).unwrap_or_default();
                let wanted = Some(&payload.body);
                let shipped = status == "shipped";
                for field in ["orderNumber", "customerNotes", "orderStatus"] {
                    let sent = wanted.and_then(|wanted| wanted.get(field));
                    let same = sent.is_none_or(|sent| target.get(field) == Some(sent));
                    if !same && !shipped && !open {
                        let is = target.get(field).cloned().unwrap_or_default();
                        found.push(Finding::new(
                            "stale",
                            format!("{number}: {field} is {is} at the target, and {} at the source", sent.cloned().unwrap_or_default()),
                        ));
                    }
                }
                let city = |body: Option<&Json>| body.and_then(|body| body.pointer("/shipTo/city")).cloned();
                if city(wanted) != city(Some(target)) && !shipped && !open {
                    found.push(Finding::new("stale", format!("{number}: the city at the target is not that of the source")));
                }
                // A repeat of a write must not declare goods twice at customs. The lines of a label that is made stay as they were.
                let declared =
                    |body: Option<&Json>| body.and_then(|body| body.pointer("/internationalOptions/customsItems")?.as_array().map(Vec::len));
                if let (Some(sent), Some(is)) = (declared(wanted), declared(Some(target)))
                    && is > sent
                {
                    found.push(Finding::new("customs", format!("{number} has {is} customs lines, and the source {sent}")));
                }
                let cancelled = wanted.and_then(|wanted| wanted.get("orderStatus")).and_then(Json::as_str) == Some("cancelled");
                if cancelled && shipped && !open {
                    found.push(Finding::new("silent", format!("{number} was cancelled after its label was made, and nobody is told")));
                }
            }
            // A person may have seen the rejection, and discarded the record.
            Verdict::Rejected if !open || !(lane.state == RecordStage::Rejected || (decided && lane.state == RecordStage::Discarded) || damaged) => {
                found.push(Finding::new("silent", format!("{number} is rejected by the mapping, and {} in the store", lane.state.word())));
            }
            Verdict::Review if !open => {
                found.push(Finding::new("silent", format!("{number} waits for a person, and nobody is told ({})", lane.state.word())));
            }
            _ => {}
        }
    }
}

/// Orders of which people at the target made what they are, by their keys.
fn in_hand(wire: &std::sync::Arc<Wire>) -> BTreeSet<String> {
    let wms = locked(&wire.wms);
    let restored = wms.system.effects().iter().any(|effect| effect.kind == "restored");
    // What the vendor has lost is lost: whoever brings an account back looks at its orders.
    let of_people = |effect: &&Effect| effect.object == "Order" && (restored || !effect.by_api && effect.kind != "created");
    let by_people = wms.system.effects().iter().filter(of_people);
    by_people.filter_map(|effect| effect.key.clone()).collect()
}

/// The warehouse's orders by their keys, as they are now.
pub(super) fn targets(wire: &std::sync::Arc<Wire>, now: Timestamp) -> BTreeMap<String, Json> {
    if wire.sides.warehouse == Warehouse::ShipHero {
        return super::shiphero::targets(&wire.wms, now);
    }
    let mut all = BTreeMap::new();
    // Beyond any lag of a search, and outside of any minute that callers have used up.
    let mut at = now + SignedDuration::from_mins(10);
    for page in 1..=10_000 {
        let request = http::Request::get(format!("https://ssapi.shipstation.com/orders?pageSize=500&page={page}"))
            .header("authorization", "Basic c2FuZGJveDpzYW5kYm94")
            .body(bytes::Bytes::new());
        let Ok(request) = request else { break };
        let answer = locked(&wire.wms).system.handle(&request, at);
        at += SignedDuration::from_secs(2);
        let body: Json = serde_json::from_slice(answer.body()).unwrap_or_default();
        let orders = body.get("orders").and_then(Json::as_array).cloned().unwrap_or_default();
        if orders.is_empty() {
            break;
        }
        for order in orders {
            if let Some(key) = order.get("orderKey").and_then(Json::as_str) {
                all.insert(key.to_owned(), order.clone());
            }
        }
    }
    all
}

/// Every shipment that stands is written back to its order, or somebody is told.
fn tracked_back(sim: &Sim<'_>, engine: &Engine<'_>, wms: &[Effect], found: &mut Vec<Finding>) {
    let Some(flow) = sim.setup.plan.mapping.flows.iter().find(|flow| flow.name == "import_shipments") else { return };
    let voided: BTreeSet<&str> = wms.iter().filter(|effect| effect.kind == "voided").map(|effect| effect.id.as_str()).collect();
    let mut by_order: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for effect in wms.iter().filter(|effect| effect.kind == "label" && !voided.contains(effect.id.as_str())) {
        let tracking = effect.fields.get("trackingNumber").and_then(Json::as_str).unwrap_or_default().to_owned();
        let order = effect.key.as_deref().unwrap_or_default().trim_start_matches("sf-").to_owned();
        by_order.entry(order).or_default().push((effect.id.clone(), tracking));
    }
    let (held, in_hand) = (tracking(&sim.wire), in_hand(&sim.wire));
    for (order, shipments) in by_order {
        let open = shipments.iter().any(|(id, _)| engine.store().exceptions_of(&flow.name, id).is_ok_and(|open| !open.is_empty()));
        let Some(number) = held.get(&order).filter(|_| !in_hand.contains(&format!("sf-{order}"))) else { continue };
        if !shipments.iter().any(|(_, tracking)| tracking == number) && !open {
            found.push(Finding::new("lost", format!("the tracking number of {order} did not come back ({number:?})")));
        }
    }
}

/// Tracking numbers in Salesforce by order.
fn tracking(wire: &std::sync::Arc<Wire>) -> BTreeMap<String, String> {
    let Some(effects) = Some(locked(&wire.crm).system.effects().to_vec()) else { return BTreeMap::new() };
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for effect in effects.into_iter().filter(|effect| effect.object == "Order") {
        if effect.kind == "deleted" {
            gone.insert(effect.id.clone());
        }
        held.entry(effect.id.clone()).or_default();
        if let Some(number) = effect.fields.get("Tracking_Number__c") {
            held.insert(effect.id, number.as_str().unwrap_or_default().to_owned());
        }
    }
    held.retain(|id, _| !gone.contains(id));
    held
}

/// A version is taken in once, however often it is read.
fn received_once(engine: &Engine<'_>, crm: &[Effect], found: &mut Vec<Finding>) {
    let mut changes: BTreeMap<&str, usize> = BTreeMap::new();
    // A write-back is a change of the record too.
    for effect in crm.iter().filter(|effect| matches!(effect.object.as_str(), "Order" | "OrderItem")) {
        // A line's change is its order's.
        let of = effect.fields.get("OrderId").and_then(Json::as_str).unwrap_or(&effect.id);
        *changes.entry(of).or_default() += 1;
    }
    let lines: usize = crm.iter().filter(|effect| effect.object == "OrderItem" && !effect.by_api).count();
    let states = RecordStage::ALL;
    for state in states {
        for lane in engine.store().in_state(Some("export_orders"), state, 10_000).unwrap_or_default() {
            let received =
                engine.store().events(&lane.flow, &lane.key).map_or(0, |events| events.iter().filter(|event| event.kind == "received").count());
            // A record that changes while it is read is read once more.
            let most = 4 + 2 * lines + 2 * changes.get(lane.key.as_str()).copied().unwrap_or(0);
            if received > most {
                found.push(Finding::new("dedupe", format!("{} was taken in {received} times and changed at most {most} times", lane.key)));
            }
        }
    }
}
