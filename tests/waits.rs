//! Records that wait for reads that fail, and writes that are not sent over what is not known: both end, and both are told.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use crate::first::{crm_order, id, is, moment, number, page, wms_order};
use crossdock::connector::{Change, Done, Found, Item, Receipt, registry};
use crossdock::engine::{CallRequest, CallResponse, Effect, Engine, Reply, Settings, World};
use crossdock::eval::Program;
use crossdock::fault::{Fault, Refusal};
use crossdock::project::{Options, compile, templates};
use crossdock::store::sqlite::Sqlite;
use crossdock::store::{Alert, Exception};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

/// Both systems, answered at once; `answer` says what is answered otherwise.
struct Desk<'d, 'p> {
    engine: Engine<'p>,
    flows: Vec<String>,
    now: Timestamp,
    out: Vec<Effect>,
    pages: BTreeMap<String, Vec<Change>>,
    /// What was asked, and when.
    asked: Vec<(Timestamp, CallRequest)>,
    answer: Box<dyn FnMut(&CallRequest) -> Option<CallResponse> + 'd>,
}

impl Desk<'_, '_> {
    fn usual(&mut self, ask: &CallRequest) -> CallResponse {
        match ask {
            CallRequest::Changes { flow, .. } => page(self.pages.remove(&self.flows[*flow]), self.now),
            CallRequest::Get { .. } | CallRequest::Follow { .. } => panic!("nothing is read by its id here: {ask:?}"),
            CallRequest::Find { values, .. } => {
                CallResponse::Found(Ok(values.iter().map(|value| Found { value: value.clone(), record: wms_order(number(value)) }).collect()))
            }
            CallRequest::Present { .. } => CallResponse::Found(Ok(Vec::new())),
            CallRequest::Send { items, .. } => {
                let done = |item: &Item| {
                    let id = item.body.get("orderNumber").and_then(Json::as_str).and_then(|number| number.parse().ok()).unwrap_or(1);
                    Receipt { outcome: Ok(Done { id: Some(id.to_string()), created: Some(true), record: json!({"orderId": id}) }) }
                };
                CallResponse::Sent(Ok(items.iter().map(done).collect()))
            }
        }
    }

    /// A second goes by.
    fn turn(&mut self) {
        self.now += SignedDuration::from_secs(1);
        let mut replies = Vec::new();
        for effect in std::mem::take(&mut self.out) {
            let got = (self.answer)(&effect.ask).unwrap_or_else(|| self.usual(&effect.ask));
            replies.push(Reply { id: effect.id, exchanges: Vec::new(), got });
        }
        let step = self.engine.step(replies, moment(self.now)).unwrap();
        self.asked.extend(step.effects.iter().map(|effect| (self.now, effect.ask.clone())));
        self.out = step.effects;
    }

    fn turns(&mut self, turns: usize) {
        (0..turns).for_each(|_| self.turn());
    }

    /// When something was asked.
    fn when(&self, is: impl Fn(&CallRequest) -> bool) -> Vec<Timestamp> {
        self.asked.iter().filter(|(_, ask)| is(ask)).map(|(at, _)| *at).collect()
    }

    /// The open alerts that a record waits for its reads.
    fn told(&self) -> Vec<Alert> {
        let alerts = self.engine.store().alerts().unwrap();
        alerts.into_iter().filter(|alert| alert.kind == "cannot_look_up" && alert.closed.is_none()).collect()
    }

    fn stopped(&self) -> Vec<Exception> {
        self.engine.store().exceptions(true, 10).unwrap()
    }
}

/// Runs flows between systems that answer so.
fn at_desk<'d>(only: &[&str], answer: impl FnMut(&CallRequest) -> Option<CallResponse> + 'd, test: impl FnOnce(&mut Desk<'d, '_>)) {
    let texts = templates::project("salesforce-shipstation").unwrap();
    let compiled = compile(&texts, &Options { env: Some("sandbox".into()), ..Options::default() });
    let plan = compiled.plan.unwrap();
    let program = Program::new(&plan).unwrap();
    let connectors = plan.systems.iter().filter_map(|(name, system)| Some((name.clone(), registry::offline(name, system)?))).collect();
    let world = World { plan: &plan, program: &program, names: &compiled.names, connectors };
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let settings = Settings { only: only.iter().map(|flow| (*flow).to_owned()).collect(), ..Settings::default() };
    // A store in memory is known by its name as long as it is open.
    let name = format!("waits {}", std::thread::current().name().unwrap_or_default());
    let engine = Engine::start(world, Box::new(Sqlite::in_memory(&name.replace(':', "_")).unwrap()), settings, moment(now)).unwrap();
    let flows = plan.mapping.flows.iter().map(|flow| flow.name.clone()).collect();
    test(&mut Desk { engine, flows, now, out: Vec::new(), pages: BTreeMap::new(), asked: Vec::new(), answer: Box::new(answer) });
}

fn order(number: usize, stamp: &str, note: &str) -> Change {
    let mut order = crm_order(number, "Activated", &format!("2026-11-20T{stamp}.000+0000"));
    order["Package_Notes__c"] = json!(note);
    order["Fulfilment_Error__c"] = json!("an old one");
    is(id(number), &format!("2026-11-20T{stamp}.000Z"), &order)
}

fn looks(ask: &CallRequest) -> bool {
    matches!(ask, CallRequest::Present { .. })
}

fn sends_to(ask: &CallRequest, connection: &str) -> bool {
    matches!(ask, CallRequest::Send { object, .. } if object.connection == connection)
}

#[test]
fn a_look_up_that_fails_again_and_again_is_asked_less_often_and_told() {
    let fails = std::cell::Cell::new(true);
    let answer = |ask: &CallRequest| (looks(ask) && fails.get()).then(|| CallResponse::Found(Err(Fault::transient("the search is down"))));
    at_desk(&["export_orders", "print_labels"], answer, |desk| {
        desk.pages.insert("export_orders".into(), vec![order(1, "08:00:00", "a")]);
        for _ in 0..600 {
            // All else works at that connection.
            desk.engine.poll_soon("print_labels");
            desk.turn();
        }
        let asked = desk.when(looks);
        assert!((7..=40).contains(&asked.len()), "{} in ten minutes", asked.len());
        let waits: Vec<i64> = asked.windows(2).map(|two| two[1].duration_since(two[0]).as_secs()).collect();
        assert!(waits[0] <= 5 && *waits.last().unwrap() >= 25, "{waits:?}");
        let told = desk.told();
        assert_eq!(told.len(), 1, "{:?}", desk.engine.store().alerts().unwrap());
        assert_eq!((told[0].count, told[0].subjects.as_slice()), (1, ["00000001".to_owned()].as_slice()));
        assert!(told[0].message.contains("`export_orders` cannot look up what its targets hold: the search is down"), "{told:?}");
        assert!(desk.engine.alive().troubles.iter().any(|trouble| trouble.contains("cannot look up")), "{:?}", desk.engine.alive());
        // It ends by itself.
        fails.set(false);
        desk.turns(90);
        assert_eq!(desk.told(), Vec::new());
        assert_eq!(desk.when(|ask| sends_to(ask, "wms")).len(), 1);
    });
}

/// An update that has waited is laid over what its target holds now. Where that cannot be read it is not sent over anything older.
#[test]
fn an_update_whose_target_cannot_be_read_is_not_sent_and_does_not_wait_for_ever() {
    for refused in [true, false] {
        // After the first update was put off for a while, reads fail.
        let (put_off, fails) = (std::cell::Cell::new(false), std::cell::Cell::new(true));
        let answer = |ask: &CallRequest| match ask {
            CallRequest::Send { object, items, .. } if object.connection == "wms" && !put_off.get() && items[0].id.is_some() => {
                put_off.set(true);
                let until = Some("2026-11-20T09:02:00Z".parse().unwrap());
                Some(CallResponse::Sent(Err(Fault::Throttled { until, reason: "slow down".into() })))
            }
            CallRequest::Find { .. } if put_off.get() && fails.get() => {
                let fault = if refused { Fault::rejected("no", "no such search", None) } else { Fault::transient("the search is down") };
                Some(CallResponse::Found(Err(fault)))
            }
            _ => None,
        };
        at_desk(&["export_orders", "print_labels"], answer, |desk| {
            desk.pages.insert("export_orders".into(), vec![order(1, "08:00:00", "a")]);
            desk.turns(30);
            desk.pages.insert("export_orders".into(), vec![order(1, "09:00:30", "b")]);
            desk.engine.poll_soon("export_orders");
            desk.turns(20);
            assert!(put_off.get(), "{:?}", desk.asked);
            let reads = |desk: &Desk<'_, '_>| desk.when(|ask| matches!(ask, CallRequest::Find { .. })).len();
            let before = (reads(desk), desk.when(|ask| sends_to(ask, "wms")).len());
            // All else works at that connection, and leaves it room.
            for turn in 0..900 {
                if turn % 10 == 0 {
                    desk.engine.poll_soon("print_labels");
                }
                desk.turn();
            }
            assert_eq!(desk.when(|ask| sends_to(ask, "wms")).len(), before.1, "nothing goes over what is not known");
            if refused {
                assert_eq!(reads(desk) - before.0, 6);
                let stopped = desk.stopped();
                assert!(stopped.len() == 1 && stopped[0].code == "refused", "{stopped:?}");
                assert!(stopped[0].reasons[0].message.contains("was not sent: no such search"), "{stopped:?}");
            } else {
                assert!((7..=60).contains(&(reads(desk) - before.0)), "{} reads", reads(desk) - before.0);
                assert_eq!((desk.told().len(), desk.stopped().len()), (1, 0));
                fails.set(false);
                desk.turns(90);
                assert_eq!((desk.told().len(), desk.when(|ask| sends_to(ask, "wms")).len()), (0, before.1 + 1));
            }
        });
    }
}

/// A batch that is refused takes time: what was read for its updates is old when its halves go.
#[test]
fn the_halves_of_a_refused_batch_are_read_again_before_they_go() {
    let sent = std::cell::Cell::new(0);
    let answer = |ask: &CallRequest| match ask {
        CallRequest::Send { object, items, .. } if object.connection == "wms" && items.len() == 2 && items[0].id.is_some() => {
            sent.set(sent.get() + 1);
            let refusal = Refusal { code: "400".into(), message: "one of them".into(), field: None, partly: false };
            Some(CallResponse::Sent(Err(Fault::BatchRefused(refusal))))
        }
        _ => None,
    };
    at_desk(&["export_orders"], answer, |desk| {
        desk.pages.insert("export_orders".into(), vec![order(1, "08:00:00", "a"), order(2, "08:00:00", "a")]);
        desk.turns(30);
        desk.pages.insert("export_orders".into(), vec![order(1, "09:00:30", "b"), order(2, "09:00:30", "b")]);
        desk.engine.poll_soon("export_orders");
        let of_two = |ask: &CallRequest| matches!(ask, CallRequest::Send { object, items, .. } if object.connection == "wms" && items.len() == 2);
        for _ in 0..30 {
            desk.turn();
            // The refusal takes its time.
            if sent.get() == 0 && desk.out.iter().any(|effect| of_two(&effect.ask)) {
                desk.now += SignedDuration::from_secs(10);
            }
        }
        assert_eq!(sent.get(), 1, "{:?}", desk.asked);
        let refused = desk.asked.iter().rposition(|(_, ask)| of_two(ask)).unwrap();
        let is_wms =
            |ask: &CallRequest| matches!(ask, CallRequest::Find { object, .. } | CallRequest::Send { object, .. } if object.connection == "wms");
        let then: Vec<&CallRequest> = desk.asked[refused + 1..].iter().map(|(_, ask)| ask).filter(|ask| is_wms(ask)).collect();
        let sends: Vec<usize> =
            then.iter().filter_map(|ask| if let CallRequest::Send { items, .. } = ask { Some(items.len()) } else { None }).collect();
        assert_eq!(sends, [1, 1], "{then:?}");
        assert!(matches!(then[0], CallRequest::Find { .. }), "{then:?}");
    });
}

/// What a write-back tells of has happened, whoever changes its record at the same time.
#[test]
fn a_write_back_that_meets_a_conflict_is_sent_again() {
    let conflicts = std::cell::Cell::new(2);
    let answer = |ask: &CallRequest| {
        let meets = sends_to(ask, "crm") && conflicts.get() > 0;
        meets.then(|| {
            conflicts.set(conflicts.get() - 1);
            CallResponse::Sent(Ok(vec![Receipt { outcome: Err(Fault::conflict("somebody else was faster")) }]))
        })
    };
    at_desk(&["export_orders"], answer, |desk| {
        desk.pages.insert("export_orders".into(), vec![order(1, "08:00:00", "a")]);
        desk.turns(120);
        assert_eq!(conflicts.get(), 0);
        let sent: Vec<Json> = desk
            .asked
            .iter()
            .filter_map(|(_, ask)| {
                if let CallRequest::Send { object, items, .. } = ask { (object.connection == "crm").then(|| items[0].body.clone()) } else { None }
            })
            .collect();
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert!(sent.iter().all(|body| *body == sent[0]), "{sent:?}");
        assert_eq!(desk.stopped(), Vec::new());
    });
}
