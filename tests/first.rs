//! What a mapping marks `first when` goes before all other work of its connections, of whatever flow: counted in calls.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, VecDeque};

use crossdock::connector::{Change, Done, Found, Page, Receipt, State, registry};
use crossdock::engine::{CallRequest, CallResponse, Effect, Engine, Reply, Settings, World};
use crossdock::eval::Program;
use crossdock::project::{Options, compile, templates};
use crossdock::store::sqlite::Sqlite;
use crossdock::value::{ObjectRef, RawRecord};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

/// Orders that wait for a label, and new orders that arrive with the cancellation.
const OTHERS: usize = 400;

fn fixture(path: &str) -> Json {
    serde_json::from_str(&std::fs::read_to_string(crate::common::template().join("fixtures").join(path)).unwrap()).unwrap()
}

pub(crate) fn id(number: usize) -> String {
    format!("801{number:012}AAA")
}

pub(crate) fn crm_order(number: usize, status: &str, stamp: &str) -> Json {
    let mut order = fixture("us-order.json");
    order["Id"] = json!(id(number));
    order["OrderNumber"] = json!(format!("{number:08}"));
    order["Status"] = json!(status);
    order["SystemModstamp"] = json!(stamp);
    order
}

pub(crate) fn wms_order(number: usize) -> Json {
    let mut order = fixture("shipments/waiting-order.json");
    order["orderId"] = json!(number);
    order["orderKey"] = json!(format!("sf-{}", id(number)));
    order["orderNumber"] = json!(format!("{number:08}"));
    order
}

/// The number of an order, from its key or its id at either system.
pub(crate) fn number(value: &str) -> usize {
    value.trim_start_matches("sf-").trim_start_matches("801").trim_end_matches('A').parse().unwrap()
}

/// What a poll brings: all that there is.
pub(crate) fn page(changes: Option<Vec<Change>>, now: Timestamp) -> CallResponse {
    CallResponse::Page(Ok(Page { changes: changes.unwrap_or_default(), cursor: Some(now.to_string()), more: false }))
}

pub(crate) fn object(connection: &str) -> ObjectRef {
    ObjectRef::new(connection, "Order")
}

/// Both systems, answered by hand, one call after the other in the order in which they were begun.
struct Desk<'p> {
    engine: Engine<'p>,
    flows: Vec<String>,
    now: Timestamp,
    out: VecDeque<Effect>,
    /// What the next poll of a flow brings.
    pages: BTreeMap<String, Vec<Change>>,
    /// What was begun at ShipStation.
    begun: Vec<CallRequest>,
    made: usize,
}

impl Desk<'_> {
    fn answer(&mut self, ask: &CallRequest) -> CallResponse {
        match ask {
            CallRequest::Changes { flow, .. } => page(self.pages.remove(&self.flows[*flow]), self.now),
            CallRequest::Get { .. } | CallRequest::Follow { .. } => panic!("nothing is read by its id here: {ask:?}"),
            CallRequest::Find { object, values, .. } => {
                let record = |value: &String| match object.connection.as_str() {
                    "crm" => crm_order(number(value), "Activated", "2026-11-20T08:00:00.000+0000"),
                    _ => wms_order(number(value)),
                };
                CallResponse::Found(Ok(values.iter().map(|value| Found { value: value.clone(), record: record(value) }).collect()))
            }
            // Nothing of it is there before its first write.
            CallRequest::Present { .. } => CallResponse::Found(Ok(Vec::new())),
            CallRequest::Send { items, object, .. } => {
                let receipts = items.iter().map(|item| {
                    self.made += 1;
                    let own = item.body.get("orderNumber").and_then(Json::as_str).and_then(|number| number.parse::<usize>().ok());
                    let id = own.unwrap_or(100_000 + self.made);
                    let record = if object.object == "Label" { json!({"shipmentId": id}) } else { json!({"orderId": id}) };
                    Receipt { outcome: Ok(Done { id: Some(id.to_string()), created: Some(true), record }) }
                });
                CallResponse::Sent(Ok(receipts.collect()))
            }
        }
    }

    /// Answers the call that was begun first, and begins what follows. False: nothing was out.
    fn turn(&mut self) -> bool {
        self.now += SignedDuration::from_millis(200);
        let replies = match self.out.pop_front() {
            Some(effect) => vec![Reply { id: effect.id, exchanges: Vec::new(), got: self.answer(&effect.ask) }],
            None => Vec::new(),
        };
        let answered = !replies.is_empty();
        let step = self.engine.step(replies, moment(self.now)).unwrap();
        self.begun.extend(step.effects.iter().filter(|effect| effect.connection == "wms").map(|effect| effect.ask.clone()));
        self.out.extend(step.effects);
        answered || !self.out.is_empty()
    }

    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        for _ in 0..20_000 {
            if done(self) {
                return;
            }
            self.turn();
        }
        panic!("it never came to that: {} begun", self.begun.len());
    }
}

pub(crate) fn is(id: String, stamp: &str, record: &Json) -> Change {
    Change { id, stamp: Some(stamp.to_owned()), state: State::Upserted(RawRecord::of(record)) }
}

fn labels(desk: &Desk<'_>) -> usize {
    desk.begun.iter().filter(|ask| matches!(ask, CallRequest::Send { object, .. } if object.object == "Label")).count()
}

fn cancelled(ask: &CallRequest) -> bool {
    matches!(ask, CallRequest::Send { object: of, items, .. } if *of == object("wms") && items.iter().any(|item| item.body["orderStatus"] == "cancelled"))
}

#[test]
fn a_cancellation_passes_all_that_waits_at_its_connection() {
    let texts = templates::project("salesforce-shipstation").unwrap();
    let compiled = compile(&texts, &Options { env: Some("sandbox".into()), ..Options::default() });
    let plan = compiled.plan.unwrap();
    let program = Program::new(&plan).unwrap();
    let connectors = plan.systems.iter().filter_map(|(name, system)| Some((name.clone(), registry::offline(name, system)?))).collect();
    let world = World { plan: &plan, program: &program, names: &compiled.names, connectors };
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let settings = Settings { only: vec!["export_orders".into(), "print_labels".into()], ..Settings::default() };
    let engine = Engine::start(world, Box::new(Sqlite::in_memory("first").unwrap()), settings, moment(now)).unwrap();
    let flows = plan.mapping.flows.iter().map(|flow| flow.name.clone()).collect();
    let mut desk = Desk { engine, flows, now, out: VecDeque::new(), pages: BTreeMap::new(), begun: Vec::new(), made: 0 };

    // One order is delivered.
    desk.pages
        .insert("export_orders".into(), vec![is(id(1), "2026-11-20T08:00:00.000Z", &crm_order(1, "Activated", "2026-11-20T08:00:00.000+0000"))]);
    desk.until(|desk| desk.begun.iter().any(|ask| matches!(ask, CallRequest::Send { object: of, .. } if *of == object("wms"))));
    while desk.turn() {}

    // Hundreds of labels wait at the same connection, each a call; some have gone.
    let waiting = (1_000..1_000 + OTHERS).map(|number| is(number.to_string(), "2026-11-20T08:30:00.000Z", &wms_order(number))).collect();
    desk.pages.insert("print_labels".into(), waiting);
    desk.engine.poll_soon("print_labels");
    desk.until(|desk| labels(desk) >= 20);
    assert!(labels(&desk) < 40, "most labels wait still");

    // Now it is cancelled, behind hundreds of new orders in the same page.
    let stamp = "2026-11-20T09:30:00.000Z";
    let mut page: Vec<Change> =
        (2_000..2_000 + OTHERS).map(|number| is(id(number), stamp, &crm_order(number, "Activated", "2026-11-20T09:30:00.000+0000"))).collect();
    page.push(is(id(1), stamp, &crm_order(1, "Cancelled", "2026-11-20T09:30:00.000+0000")));
    desk.pages.insert("export_orders".into(), page);
    desk.engine.poll_soon("export_orders");
    desk.until(|desk| desk.pages.is_empty());
    let (before, since) = (desk.begun.len(), desk.now);
    desk.until(|desk| desk.begun.iter().any(cancelled));
    let passed = desk.begun.iter().position(cancelled).unwrap() - before;
    let took = desk.now.duration_since(since);
    // It is read at its target, and sent: what was out already comes back, and hardly anything else is begun.
    assert!(passed <= 6, "{passed} calls were begun before the cancellation");
    assert!(took < SignedDuration::from_secs(5), "it took {took:#}");
    assert!(labels(&desk) < OTHERS / 2, "the labels wait for it");
}

/// Both clocks of a machine whose wall clock nobody sets.
pub(crate) fn moment(now: jiff::Timestamp) -> crossdock::http::Moment {
    crossdock::http::Moment { wall: now, steady: now.as_millisecond(), boot: None }
}
