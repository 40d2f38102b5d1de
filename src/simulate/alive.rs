//! Clocks that are set, systems that stop, channels that take no alert: by the same engine, in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::disk::Wear;
use super::process::{Process, Sim};
use super::scenario::{Off, Scenario, Setup};
use super::sides::{CRM, Sides, WMS};
use super::time::Virtual;
use super::wire::{Shared, Wire, locked};
use crate::engine::{Message, Polled, Raise};
use crate::eval::Program;
use crate::sandbox::faults::{FaultKit, Faults, Faulty};
use crate::sandbox::rng::Rng;
use crate::sandbox::{Act, salesforce, shipstation};
use crate::store::Entry;
use crate::store::sqlite::Sqlite;

/// A day in virtual time, with what was told and polled on it by all processes.
struct Day<'p> {
    clock: Virtual,
    crm: Shared,
    wms: Shared,
    sim: Sim<'p>,
    process: Option<Process<'p>>,
    told: Vec<(Timestamp, Message)>,
    polls: Vec<(Timestamp, Polled)>,
    skew: SignedDuration,
    deaf: bool,
    _anchor: Sqlite,
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Runs `what` on a day with some orders, polled once a minute.
fn on_a_day(name: &str, what: impl FnOnce(&mut Day<'_>)) {
    on_a_day_without(None, name, what);
}

/// The same, with one mechanism of safety switched off.
fn on_a_day_without(off: Option<Off>, name: &str, what: impl FnOnce(&mut Day<'_>)) {
    on_a_day_of("salesforce-shipstation", off, name, what);
}

/// The same, with the flows of a template.
fn on_a_day_of(template: &str, off: Option<Off>, name: &str, what: impl FnOnce(&mut Day<'_>)) {
    let setup = Setup::of(template).unwrap();
    let program = Program::new(&setup.plan).unwrap();
    let start: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    let clock = Virtual::new(start);
    let crm = salesforce::Salesforce::new(salesforce::Options { base_url: CRM.to_owned(), orders: 5, start, ..salesforce::Options::default() });
    let wms = shipstation::ShipStation::new(shipstation::Options { base_url: WMS.to_owned(), ..shipstation::Options::default() });
    let crm: Shared = Arc::new(Mutex::new(Faulty::new(Box::new(crm), FaultKit::new(1, Faults::default()))));
    let wms: Shared = Arc::new(Mutex::new(Faulty::new(Box::new(wms), FaultKit::new(2, Faults::default()))));
    let wire = Arc::new(Wire::new(clock.clone(), Sides::of(template), Arc::clone(&crm), Arc::clone(&wms), start));
    let scenario = Scenario { off, poll: Some(60), faults: Faults::default(), kills: 0, ..Scenario::small(1) };
    let name = format!("alive{}{name}", std::process::id());
    let anchor = Sqlite::in_memory(&name).unwrap();
    let sim = Sim {
        setup: &setup,
        program: &program,
        next: None,
        released: false,
        secret: "sandbox".to_owned(),
        scenario,
        clock: clock.clone(),
        wire,
        wear: Wear::new(1, 0),
        name,
        deaths: 0,
        immortal: true,
        told: BTreeMap::new(),
        decided: BTreeSet::new(),
        recovered: None,
    };
    let mut day =
        Day { clock, crm, wms, sim, process: None, told: Vec::new(), polls: Vec::new(), skew: SignedDuration::ZERO, deaf: false, _anchor: anchor };
    day.start();
    day.goes_on(minutes(10));
    what(&mut day);
}

impl Day<'_> {
    fn start(&mut self) {
        self.process = Some(self.sim.start(&mut Rng::new(1)).unwrap());
    }

    /// The process is killed: what it had out is lost.
    fn dies(&mut self) {
        self.process = None;
        self.clock.forget();
    }

    /// Sets the wall clock.
    fn set_clock(&mut self, by: SignedDuration) {
        self.skew += by;
        self.clock.skew(self.skew);
    }

    fn goes_on(&mut self, time: SignedDuration) {
        let until = self.clock.truth() + time;
        while self.clock.truth() < until {
            let now = self.clock.truth();
            locked(&self.crm).tick(now);
            locked(&self.wms).tick(now);
            let Some(process) = &mut self.process else {
                self.clock.set(until);
                continue;
            };
            process.deaf = self.deaf;
            let moved = process.step(&self.clock).unwrap();
            self.told.append(&mut process.messages);
            self.polls.append(&mut process.polls);
            if moved {
                continue;
            }
            let soon = now + SignedDuration::from_millis(1);
            let next = [process.wake.map(|wake| wake.max(soon)), self.clock.next(), Some(until)];
            self.clock.set(next.into_iter().flatten().filter(|at| *at > now).min().unwrap());
        }
    }

    fn faults(&self, faults: Faults) {
        locked(&self.crm).kit.set(faults);
        locked(&self.wms).kit.set(faults);
    }

    /// When a flow's polls ended after some moment.
    fn polled(&self, flow: &str, after: Timestamp) -> Vec<Timestamp> {
        self.polls.iter().filter(|(at, poll)| *at > after && poll.flow == flow).map(|(at, _)| *at).collect()
    }

    fn told(&self, after: Timestamp) -> Vec<(Timestamp, &str, &str, u64)> {
        let told = self.told.iter().filter(|(at, _)| *at >= after);
        told.map(|(at, message)| (*at, message.kind.as_str(), message.status, message.count)).collect()
    }

    fn act(&self, verb: &str, subject: &str) {
        let act = Act { verb: verb.to_owned(), subject: subject.to_owned(), settings: serde_json::json!({}) };
        locked(&self.crm).system.act(&act, self.clock.truth()).unwrap();
    }
}

/// Ten minutes, an hour, thirty days, back and ahead.
fn steps() -> Vec<SignedDuration> {
    [10, 60, 30 * 24 * 60].into_iter().flat_map(|count| [minutes(-count), minutes(count)]).collect()
}

#[test]
fn a_clock_that_is_set_delays_nothing_and_is_told_once() {
    for (at, by) in steps().into_iter().enumerate() {
        on_a_day(&format!("live{at}"), |day| {
            let before = day.clock.truth();
            day.set_clock(by);
            day.act("create", "");
            day.goes_on(minutes(30));
            let polls = day.polled("export_orders", before);
            assert!(polls.len() >= 28, "{by}: {polls:?}");
            assert!(polls[0].duration_since(before) <= SignedDuration::from_secs(75), "{by}: {before} {polls:?}");
            let new = day.polls.iter().any(|(at, poll)| *at > before && poll.flow == "export_orders" && poll.new + poll.listed > 0);
            assert!(new, "{by}: the order that was made meanwhile is read");
            let told = day.told(before);
            assert_eq!(told.len(), 1, "{by}: {told:?}");
            assert_eq!((told[0].1, told[0].3), ("clock", 1));
        });
    }
}

#[test]
fn a_clock_that_is_set_while_nothing_runs_delays_nothing_either() {
    for (at, by) in steps().into_iter().enumerate() {
        on_a_day(&format!("restart{at}"), |day| {
            day.dies();
            let before = day.clock.truth();
            day.set_clock(by);
            day.start();
            day.goes_on(minutes(20));
            let polls = day.polled("export_orders", before);
            assert!(polls.len() >= 18 && polls[0].duration_since(before) <= SignedDuration::from_secs(75), "{by}: {before} {polls:?}");
            let told = day.told(before);
            assert!(told.len() == 1 && told[0].1 == "clock", "{by}: {told:?}");
            // It is set right again: that is told, and nothing waits either.
            let again = day.clock.truth();
            day.set_clock(-by);
            day.goes_on(minutes(10));
            let polls = day.polled("export_orders", again);
            assert!(polls.len() >= 9 && polls[0].duration_since(again) <= SignedDuration::from_secs(75), "{by}: {again} {polls:?}");
            assert_eq!(day.told(again).len(), 1, "{by}");
        });
    }
}

#[test]
fn what_waits_lasts_as_long_as_before_whatever_the_clock_says() {
    for (at, by) in steps().into_iter().enumerate() {
        on_a_day(&format!("waits{at}"), |day| {
            // The answers of writes are lost: their outcome is in doubt, and waits.
            day.faults(Faults { lost_reply: 1_000, ..Faults::default() });
            day.act("create", "");
            day.goes_on(minutes(4));
            let open = |day: &Day<'_>| day.process.as_ref().unwrap().engine.store().open_entries().unwrap();
            let waits = |day: &Day<'_>, skew: SignedDuration| -> Vec<(i64, i64)> {
                let now = (day.clock.truth() + skew).as_millisecond();
                open(day).iter().map(|entry| (entry.id, entry.due - now)).collect()
            };
            day.dies();
            day.start();
            day.goes_on(SignedDuration::from_secs(1));
            let (before, calls) = (waits(day, day.skew), day.polls.len());
            day.set_clock(by);
            day.goes_on(SignedDuration::from_millis(1_000));
            let after = waits(day, day.skew);
            for (id, wait) in &before {
                let Some((_, now)) = after.iter().find(|(other, _)| other == id) else { continue };
                assert!(*wait < 2_000 || (wait - now - 1_000).abs() < 1_500, "{by}: {id} waited {wait} ms and now {now} ms, {calls}");
            }
        });
    }
}

#[test]
fn a_system_that_throttles_for_ever_is_told_and_the_end_of_it_too() {
    on_a_day("throttled", |day| {
        let before = day.clock.truth();
        day.faults(Faults { throttled: 1_000, ..Faults::default() });
        day.goes_on(minutes(10));
        let told = day.told(before);
        let budget = told.iter().find(|(_, kind, ..)| *kind == "budget").unwrap_or_else(|| panic!("{told:?}"));
        assert!(budget.0.duration_since(before) <= minutes(5), "{told:?}");
        let process = day.process.as_ref().unwrap();
        assert!(!process.engine.alive().troubles.is_empty());
        let calm = day.clock.truth();
        day.faults(Faults::default());
        day.goes_on(minutes(20));
        assert!(day.told(calm).iter().any(|(_, kind, status, _)| *kind == "budget" && *status == "resolved"), "{:?}", day.told(calm));
        assert!(day.process.as_ref().unwrap().engine.alive().troubles.is_empty());
    });
}

#[test]
fn a_system_that_is_down_is_told_once_a_minute_at_most() {
    on_a_day("down", |day| {
        let before = day.clock.truth();
        day.faults(Faults { refused_before: 1_000, ..Faults::default() });
        day.goes_on(minutes(15));
        let told = day.told(before);
        assert!(told.iter().any(|(at, kind, ..)| *kind == "connection" && at.duration_since(before) <= minutes(5)), "{told:?}");
        each_cause_at_most_once_a_minute(day);
        assert!(told.iter().all(|(_, kind, ..)| *kind == "connection"), "one cause is told, not what follows from it: {told:?}");
    });
}

fn each_cause_at_most_once_a_minute(day: &Day<'_>) {
    let mut last = std::collections::BTreeMap::new();
    for (at, message) in &day.told {
        if let Some(before) = last.insert(message.cause.clone(), *at) {
            assert!(at.duration_since(before) >= minutes(1), "{} at {before} and {at}", message.cause);
        }
    }
}

#[test]
fn no_alert_is_lost_over_deaths_and_a_channel_that_takes_nothing() {
    on_a_day("outbox", |day| {
        let before = day.clock.truth();
        day.deaf = true;
        day.faults(Faults { refused_before: 1_000, ..Faults::default() });
        day.goes_on(minutes(3));
        day.faults(Faults::default());
        day.goes_on(minutes(3));
        // It has ended before anybody could be told, and the process dies again and again.
        for _ in 0..20 {
            day.dies();
            day.start();
            day.goes_on(SignedDuration::from_secs(7));
        }
        assert!(day.told(before).is_empty());
        assert!(day.process.as_ref().unwrap().engine.alive().alerts_undelivered > 0);
        day.deaf = false;
        day.goes_on(minutes(3));
        let told = day.told(before);
        let causes: std::collections::BTreeSet<&str> = day.told.iter().map(|(_, message)| message.cause.as_str()).collect();
        assert!(causes.contains("connection crm") && told.iter().all(|(_, _, status, _)| *status == "resolved"), "{told:?}");
        each_cause_at_most_once_a_minute(day);
        day.goes_on(minutes(3));
        assert_eq!(day.process.as_ref().unwrap().engine.store().alerts().unwrap(), Vec::new(), "what is over is forgotten");
    });
}

/// A thousand processes are killed: between two steps, while a message is on its way, and after the channel has taken one that
/// nobody has noted. The channel is down half of the time.
#[test]
fn no_alert_is_lost_over_a_thousand_kills() {
    on_a_day("kills", |day| {
        let mut dice = Rng::new(0x1000);
        let mut raised: BTreeMap<String, (Timestamp, String)> = BTreeMap::new();
        let mut died_telling = 0;
        for kill in 0..1_000 {
            let process = day.process.as_mut().unwrap();
            for _ in 0..dice.below(3) {
                let (cause, message) = (format!("trial {}", dice.below(12)), format!("kill {kill}"));
                let raise = Raise {
                    cause: cause.clone(),
                    kind: "connection",
                    subject: cause.clone(),
                    message: message.clone(),
                    lasting: true,
                    ..Raise::default()
                };
                process.engine.note_alert(raise, false).unwrap();
                process.wake = None;
                raised.insert(cause, (day.clock.truth(), message));
            }
            if dice.below(20) == 0 {
                day.deaf = !day.deaf;
            }
            let until = day.clock.truth() + SignedDuration::from_millis(dice.below(9_000) as i64);
            process.dies_telling = dice.below(2) == 0;
            process.deaf = day.deaf;
            while day.clock.truth() < until {
                let now = day.clock.truth();
                let moved = process.step(&day.clock);
                day.told.append(&mut process.messages);
                match moved {
                    Ok(true) => {}
                    Ok(false) => {
                        let next = [process.wake, day.clock.next(), Some(until)];
                        day.clock.set(next.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(until));
                    }
                    Err(_) => {
                        died_telling += 1;
                        break;
                    }
                }
            }
            day.dies();
            day.start();
        }
        day.deaf = false;
        day.goes_on(minutes(5));
        assert!(died_telling > 20 && raised.len() == 12, "{died_telling} died telling");
        for (cause, (at, message)) in &raised {
            let told = day.told.iter().rev().find(|(_, told)| told.cause == *cause).unwrap_or_else(|| panic!("{cause} was never told"));
            assert!(told.0 >= *at && told.1.message == *message, "{cause}: {message} at {at}, and told was {told:?}");
        }
        each_cause_at_most_once_a_minute(day);
    });
}

/// An order is in ShipStation, and the answer is lost; a person there cancels it before it is sent again. What is found is not what was
/// sent: the order is mapped again, based on what is there. Without the comparison it counts as delivered.
#[test]
fn what_is_found_after_an_outcome_in_doubt_is_compared() {
    for off in [None, Some(Off::Compare)] {
        on_a_day_without(off, &format!("compare{}", off.is_some()), |day| {
            let made = |day: &Day<'_>| -> Vec<String> {
                locked(&day.wms).system.effects().iter().filter(|effect| effect.kind == "created").filter_map(|effect| effect.key.clone()).collect()
            };
            let before = made(day);
            // Half of all answers are lost: those of the look-ups before a first write come through in the end, and some of the writes' do not.
            locked(&day.wms).kit.set(Faults { lost_reply: 500, ..Faults::default() });
            let in_doubt = |day: &Day<'_>| {
                let store = day.process.as_ref().unwrap().engine.store();
                let done = store.in_state(Some("export_orders"), crate::store::RecordStage::Delivered, 100).unwrap();
                made(day).into_iter().find(|key| !before.contains(key) && done.iter().all(|lane| format!("sf-{}", lane.key) != *key))
            };
            let mut key = None;
            for second in 0..1_800 {
                if second % 120 == 0 {
                    day.act("create", "");
                }
                day.goes_on(SignedDuration::from_secs(1));
                key = in_doubt(day);
                if key.is_some() {
                    break;
                }
            }
            let key = key.expect("an order is made, and its answer lost");
            let cancel = Act { verb: "cancel".to_owned(), subject: key.clone(), settings: crate::value::Json::Null };
            let now = day.clock.truth();
            locked(&day.wms).system.act(&cancel, now).unwrap();
            day.faults(Faults::default());
            day.goes_on(minutes(30));
            let store = day.process.as_ref().unwrap().engine.store();
            let events = store.events("export_orders", key.trim_start_matches("sf-")).unwrap();
            let told: Vec<&str> = events.iter().map(|event| event.text.as_str()).collect();
            // Nobody is asked: Salesforce was told of the cancellation meanwhile, and both sides agree.
            let compared = told.iter().any(|text| text.contains("with other values in orderStatus"));
            assert_eq!(compared, off.is_none(), "{off:?}: {told:#?}");
        });
    }
}

/// Orders are changed until an update of one is lost on its way to ShipStation. The requests that follow are lost as often.
fn an_update_is_lost(day: &mut Day<'_>) -> Entry {
    locked(&day.wms).kit.set(Faults { lost_request: 700, ..Faults::default() });
    for second in 0..3_600 {
        if second % 300 == 0 {
            for number in 1..=5 {
                let settings = serde_json::json!({"ShippingCity": format!("Town {second}")});
                let now = day.clock.truth();
                let act = Act { verb: "change".to_owned(), subject: format!("{number:08}"), settings };
                // One that was rejected or is gone is no trial.
                let _ = locked(&day.crm).system.act(&act, now);
            }
        }
        day.goes_on(SignedDuration::from_secs(1));
        let open = day.process.as_ref().unwrap().engine.store().open_entries().unwrap();
        let lost = open.into_iter().find(|entry| entry.flow == "export_orders" && entry.target.is_some() && entry.doubted.is_some());
        if let Some(lost) = lost {
            return lost;
        }
    }
    panic!("no update was lost")
}

/// An update is lost, and before it is retried somebody at the warehouse changes another field of the order: the
/// repeat keeps it. Laid over what the target held before the first try, it would take it away.
#[test]
fn what_is_entered_between_two_tries_stays() {
    use serde_json::json;
    for off in [None, Some(Off::LookUp)] {
        on_a_day_without(off, &format!("between{}", off.is_some()), |day| {
            let lost = an_update_is_lost(day);
            let key = lost.key.unwrap();
            let now = day.clock.truth();
            let change = Act { verb: "change".to_owned(), subject: key.clone(), settings: json!({"internalNotes": "mind the dog"}) };
            locked(&day.wms).system.act(&change, now).unwrap();
            day.faults(Faults::default());
            day.goes_on(minutes(30));
            let now = day.clock.truth();
            let held = super::check::targets(&day.sim.wire, now).remove(&key).unwrap();
            assert_eq!(held["internalNotes"] == json!("mind the dog"), off.is_none(), "{off:?}: {held}");
        });
    }
}

/// The same, but the target refuses to be read before the repeat: what it holds is not known, so a person decides. Sent as it was
/// made, the repeat would take back what others have entered.
#[test]
fn a_repeat_whose_target_cannot_be_read_waits_for_a_person() {
    use crate::engine::operator_commands::{Decision, Signature};
    on_a_day("refused_base", |day| {
        let lost = an_update_is_lost(day);
        let sent = |day: &Day<'_>| {
            let key = lost.key.as_deref();
            locked(&day.wms).system.effects().iter().filter(|effect| effect.by_api && effect.key.as_deref() == key).count()
        };
        let before = sent(day);
        // Every call is refused now, the reading of the order too; some refusals pass and are tried again.
        locked(&day.wms).kit.set(Faults { quoted: 1000, ..Faults::default() });
        let asked = |day: &Day<'_>| {
            let found = day.process.as_ref().unwrap().engine.store().exceptions_of(&lost.flow, &lost.lane).unwrap();
            found.into_iter().find(|one| one.closed.is_none())
        };
        for _ in 0..120 {
            day.goes_on(SignedDuration::from_secs(5));
            if asked(day).is_some() {
                break;
            }
        }
        let one = asked(day).expect("a person is asked");
        assert_eq!(one.code, "in_doubt", "{one:?}");
        assert_eq!(sent(day), before);
        day.faults(Faults::default());
        day.goes_on(minutes(10));
        assert_eq!(sent(day), before, "it waits for the person");
        let engine = &mut day.process.as_mut().unwrap().engine;
        engine.decide(&Decision::Approve { ids: vec![one.id] }, &Signature::default()).unwrap();
        // The decision is in the store: a process that is started now does not ask the person again.
        let waits = engine.store().entries_of(&lost.flow, &lost.lane).unwrap();
        assert!(
            waits.iter().any(|entry| entry.state == crate::store::EntryState::Planned) && waits.iter().all(|entry| entry.doubted.is_none()),
            "{waits:?}"
        );
        day.goes_on(minutes(30));
        assert!(sent(day) > before && asked(day).is_none(), "{:?}", asked(day));
    });
}

/// What a write in doubt has set is not in the org any more when it is looked up: the org refuses the question. A person is asked,
/// and nothing waits for ever.
#[test]
fn a_look_up_that_is_refused_is_told() {
    use serde_json::json;
    on_a_day("refused_look_up", |day| {
        let store = |day: &Day<'_>| day.process.as_ref().unwrap().engine.store().open_entries().unwrap();
        locked(&day.crm).kit.set(Faults { lost_request: 600, ..Faults::default() });
        let mut doubted = None;
        for second in 0..3_600 {
            if second % 120 == 0 {
                // Without an address it is rejected, and why is written back to it.
                let now = day.clock.truth();
                let order = json!({"ShippingStreet": null, "ShippingCity": null, "BillingStreet": null});
                let _ = locked(&day.crm).system.act(&Act { verb: "create".to_owned(), subject: String::new(), settings: order }, now);
            }
            day.goes_on(SignedDuration::from_secs(1));
            doubted = store(day).into_iter().find(|entry| entry.after.is_some() && entry.doubted.is_some());
            if doubted.is_some() {
                break;
            }
        }
        let entry = doubted.expect("a write-back is lost");
        let gone = Act { verb: "schema".to_owned(), subject: "Order.Fulfilment_Error__c".to_owned(), settings: json!({"gone": true}) };
        let now = day.clock.truth();
        locked(&day.crm).system.act(&gone, now).unwrap();
        day.faults(Faults::default());
        day.goes_on(minutes(60));
        assert!(store(day).iter().all(|open| open.id != entry.id || open.state == crate::store::EntryState::Parked), "it still waits");
        let process = day.process.as_ref().unwrap();
        let asked = process.engine.store().exceptions_of(&entry.flow, &entry.lane).unwrap();
        assert!(asked.iter().any(|one| one.code == "in_doubt"), "{asked:?}");
    });
}

/// Two orders of one shopper, the second to a friend: the contact is the first one's, and keeps its name. Mapped side by side, both
/// find no contact, and the second overwrites what may only be set where nothing is.
#[test]
fn records_that_write_to_one_target_are_mapped_one_after_the_other() {
    use serde_json::json;
    for off in [None, Some(Off::Serial)] {
        on_a_day_of("crm-customers", off, &format!("serial{}", off.is_some()), |day| {
            for (number, name) in [("W-1", "Ada Lovelace"), ("W-2", "Mum Babbage")] {
                let to = json!({"name": name, "street1": "1 High Street", "city": "Cork", "postalCode": "T12", "country": "IE"});
                let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Tea", "quantity": 1, "unitPrice": 5});
                let settings = json!({"customerEmail": "ada@example.com", "shipTo": to, "items": [item]});
                let now = day.clock.truth();
                locked(&day.wms).system.act(&Act { verb: "create".to_owned(), subject: number.to_owned(), settings }, now).unwrap();
            }
            day.goes_on(minutes(60));
            let crm = locked(&day.crm);
            let written = crm.system.effects().iter().filter(|effect| effect.by_api && effect.object == "Contact");
            let names: Vec<_> = written.filter_map(|effect| effect.fields.get("LastName")).collect();
            assert_eq!(names == [&json!("Lovelace")], off.is_none(), "{off:?}: {names:?}");
        });
    }
}

#[test]
fn an_unchanged_record_is_no_new_version() {
    on_a_day("unchanged", |day| {
        day.goes_on(minutes(60));
        let store = day.process.as_ref().unwrap().engine.store();
        for state in crate::store::RecordStage::ALL {
            for lane in store.in_state(Some("export_orders"), state, 100).unwrap() {
                let versions = store.events(&lane.flow, &lane.key).unwrap().iter().filter(|event| event.kind == "received").count();
                assert!(versions <= 3, "{} was received {versions} times", lane.key);
            }
        }
    });
}
