//! What befalls a day beside the network's faults and the deaths of the process, each at its time.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::orders::minutes;
use super::scenario::Scenario;
use super::shiphero;
use super::sides::{Sides, Warehouse};
use crate::engine::Engine;
use crate::engine::operator_commands::{Decision, Signature};
use crate::sandbox::Act;
use crate::sandbox::rng::Rng;
use crate::store::{EntryState, StoreResult};
use crate::value::Json;

/// One thing that befalls the process or the people around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hazard {
    /// The machine's clock is set: so far from the truth it is from now on. The process goes on, or is started anew.
    Clock { off: SignedDuration, restart: bool },
    /// Somebody decides something; the number says what.
    People(u64),
    /// The process is started anew with the next version of the mapping, and all records are mapped again by it.
    Release,
    /// The process is started anew with the secret that Salesforce's connection has from now on.
    Secret(String),
    /// The systems refuse every call for their limits; or no more.
    Limits(bool),
    /// A person copies the store.
    Copy,
    /// The store is lost; the newest copy of it is brought back, or none.
    Older,
    /// A page of the store's file tears: from now on nothing can be written to it, and no process starts on it.
    Tear,
    /// A bit of the store flips; the number says which.
    Flip(u64),
    /// The channel of alerts takes nothing; or all again.
    Deaf(bool),
}

/// The hazards of a day in order, and what they do at the systems.
pub(super) fn timetable(sides: Sides, scenario: &Scenario, start: Timestamp) -> (Vec<(Timestamp, Hazard)>, Vec<(Timestamp, bool, Act)>) {
    let dice = &mut Rng::new(scenario.seed ^ 0x4a2a_12d5);
    let (mut hazards, mut acts) = (Vec::new(), Vec::new());
    let of = scenario.hazards;
    let span = scenario.minutes;
    let within = |dice: &mut Rng| start + minutes(dice, span - 5);
    if of.clocks {
        for _ in 0..2 + dice.below(4) {
            let (hour, day) = (60 * 60, 24 * 60 * 60);
            let off = [-10 * 60, 10 * 60, -hour, hour, -30 * day, 30 * day, 90, -90, 0][dice.below(9) as usize];
            hazards.push((within(dice), Hazard::Clock { off: SignedDuration::from_secs(off), restart: dice.below(2) == 0 }));
        }
    }
    if of.people {
        hazards.extend((0..14).map(|_| (start + minutes(dice, span + 25), Hazard::People(dice.roll()))));
    }
    if of.release {
        let gone = within(dice);
        acts.push((gone, true, act("schema", "Order.Gift_Message__c", json!({"gone": true}))));
        hazards.push((gone + minutes(dice, 20), Hazard::Release));
    }
    if of.credentials {
        let mut rotations: Vec<(Timestamp, String)> =
            (0..1 + dice.below(2)).map(|turn| (within(dice), format!("rotated-{turn}-{:x}", dice.roll()))).collect();
        rotations.sort();
        for (at, secret) in &rotations {
            acts.push((*at, true, act("rotate", "", json!({"client_secret": secret}))));
        }
        for (at, _) in &rotations {
            let configured = *at + minutes(dice, 15);
            // Whoever configures a secret takes the one that is right by then.
            let newest = rotations.iter().rev().find(|(rotated, _)| *rotated <= configured);
            hazards.extend(newest.map(|(_, secret)| (configured, Hazard::Secret(secret.clone()))));
        }
        acts.extend((0..3).map(|_| (within(dice), true, act("expire", "", Json::Null))));
    }
    if of.limits {
        let at = start + minutes(dice, span / 2);
        hazards.push((at, Hazard::Limits(true)));
        hazards.push((at + SignedDuration::from_mins(10) + minutes(dice, span / 3), Hazard::Limits(false)));
    }
    if of.warehouse {
        acts.extend((0..10).map(|_| {
            let at = within(dice);
            (at, false, at_the_warehouse(sides, dice, scenario.orders))
        }));
    }
    if of.older {
        // Without a copy all is lost.
        let (lost, copies) = (start + SignedDuration::from_mins(15) + minutes(dice, span - 25), 2 * (scenario.seed % 2));
        hazards.extend((0..copies).map(|_| (start + minutes(dice, 15), Hazard::Copy)));
        // On some days it was a torn page, which ended the process; a person comes some minutes later.
        if scenario.seed % 8 == 4 || scenario.seed % 16 == 11 {
            hazards.push((lost - SignedDuration::from_mins(1) - minutes(dice, 8), Hazard::Tear));
        }
        hazards.push((lost, Hazard::Older));
    }
    if of.flips {
        hazards.extend((0..8).map(|_| (start + minutes(dice, span), Hazard::Flip(dice.roll()))));
    }
    if of.deaf {
        for _ in 0..3 {
            let at = start + minutes(dice, span - 10);
            hazards.push((at, Hazard::Deaf(true)));
            hazards.push((at + SignedDuration::from_mins(2) + minutes(dice, 10), Hazard::Deaf(false)));
        }
    }
    if of.target {
        let backup = start + SignedDuration::from_mins(5) + minutes(dice, span / 3);
        acts.push((backup, false, act("backup", "", Json::Null)));
        acts.push((backup + SignedDuration::from_mins(3) + minutes(dice, span / 2), false, act("restore", "", Json::Null)));
        let number = |dice: &mut Rng| sides.number(1 + dice.below(scenario.orders.max(1) as u64));
        acts.extend((0..4).map(|_| (within(dice), false, act("split", &number(dice), Json::Null))));
        acts.extend((0..3).map(|_| (within(dice), false, act("combine", &number(dice), json!({"with": number(dice)})))));
        acts.extend((0..3).map(|_| (within(dice), false, at_the_warehouse(sides, dice, scenario.orders))));
    }
    if of.numbers {
        // A shop of the warehouse's own has given the same number.
        acts.extend((0..3).map(|shop| {
            let number = sides.number(1 + dice.below(scenario.orders.max(1) as u64));
            let key = format!("shop-{shop}-{number}");
            let own = if sides.warehouse == Warehouse::ShipHero { json!({"partner_order_id": key}) } else { json!({"orderKey": key}) };
            (within(dice), false, act("create", &number, own))
        }));
    }
    hazards.sort_by_key(|(at, _)| *at);
    acts.sort_by_key(|(at, ..)| *at);
    (hazards, acts)
}

fn act(verb: &str, subject: &str, settings: Json) -> Act {
    Act { verb: verb.to_owned(), subject: subject.to_owned(), settings }
}

/// What others do to an order in the warehouse.
fn at_the_warehouse(sides: Sides, dice: &mut Rng, orders: usize) -> Act {
    let order = sides.number(1 + dice.below(orders.max(1) as u64));
    if sides.warehouse == Warehouse::ShipHero {
        return shiphero::at_the_warehouse(dice, &order);
    }
    match dice.below(13) {
        0 | 1 => act("change", &order, json!({"tagIds": [1 + dice.below(900)]})),
        2 | 3 => act("change", &order, json!({"holdUntilDate": format!("2026-04-{:02}", 1 + dice.below(28))})),
        4 => act("change", &order, json!({"customerNotes": format!("by hand {}", dice.below(1_000))})),
        10 => act("change", &order, json!({"internalNotes": format!("by hand {}", dice.below(1_000))})),
        5 => act("hold", &order, Json::Null),
        6 => act("release", &order, Json::Null),
        7 => act("cancel", &order, Json::Null),
        8 => act("reopen", &order, Json::Null),
        9 => act("delete", &order, Json::Null),
        _ => act("ship", &order, Json::Null),
    }
}

/// What a person does with what is open: the flow and the record that it is about, where it changes what is sent.
pub(super) fn decide(engine: &mut Engine<'_>, dice: &mut Rng, now: Timestamp) -> StoreResult<Option<(String, String)>> {
    let open = engine.store().exceptions(true, 1_000)?;
    let flows: Vec<String> = engine.store().checkpoints()?.into_iter().map(|checkpoint| checkpoint.flow).collect();
    if open.is_empty() || dice.below(3) == 0 {
        let Some(flow) = flows.get(dice.below(flows.len() as u64) as usize).cloned() else { return Ok(None) };
        let back = 1 + dice.below(90) as i64;
        let decision = match dice.below(3) {
            0 => Decision::Replay { flow, keys: Vec::new(), since: None },
            1 => Decision::Rewind { flow, stream: None, to: now.as_millisecond() - back * 60_000 },
            _ => Decision::Poll { flow },
        };
        engine.decide(&decision, &Signature::default())?;
        return Ok(None);
    }
    let one = open[dice.below(open.len() as u64) as usize].clone();
    let ids = vec![one.id];
    let parked = engine.store().entries_of(&one.flow, &one.lane)?.into_iter().find(|entry| entry.state == EntryState::Parked);
    let decision = match (dice.below(5), parked) {
        (0 | 1, _) | (3 | 4, None) => Decision::Retry { ids },
        (2, _) => Decision::Discard { ids, reason: "a person said so".to_owned() },
        (3, _) => Decision::Approve { ids },
        (_, Some(entry)) => {
            let mut payload = entry.body;
            if let Json::Object(fields) = &mut payload
                && fields.contains_key("customerNotes")
            {
                fields.insert("customerNotes".to_owned(), Json::from("edited by a person"));
            }
            Decision::Edit { id: one.id, payload, write: None }
        }
        (_, None) => Decision::Retry { ids },
    };
    let retried = matches!(decision, Decision::Retry { .. });
    let answer = engine.decide(&decision, &Signature::default())?;
    Ok((answer.done > 0 && !retried).then_some((one.flow, one.lane)))
}
