//! What people were told of a day: none of it lost, none of it too often, nothing personal in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::check::Finding;
use super::process::Sim;
use super::wire::locked;
use crate::engine::{Engine, Message};
use crate::sandbox::Effect;
use crate::store::RecordStage;
use crate::value::Json;

/// Two messages of one cause are at least so far apart.
const APART: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn check(sim: &Sim<'_>, engine: &Engine<'_>, messages: &[(Timestamp, Message)]) -> Vec<Finding> {
    let mut found = Vec::new();
    if sim.scenario.hazards.deaf {
        told_once_a_minute(messages, &mut found);
        none_is_lost(engine, messages, &mut found);
    }
    if sim.scenario.hazards.quotes {
        nothing_personal(sim, engine, messages, &mut found);
    }
    found
}

fn told_once_a_minute(messages: &[(Timestamp, Message)], found: &mut Vec<Finding>) {
    let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut in_order: Vec<&(Timestamp, Message)> = messages.iter().collect();
    in_order.sort_by_key(|(at, _)| *at);
    for (at, message) in in_order {
        if let Some(before) = last.insert(&message.cause, *at).filter(|before| at.duration_since(*before) < APART) {
            found.push(Finding::new("alerts", format!("{} was told at {before} and again at {at}", message.cause)));
        }
    }
}

/// What is open is known to whoever reads the channel, and nothing waits any more.
fn none_is_lost(engine: &Engine<'_>, messages: &[(Timestamp, Message)], found: &mut Vec<Finding>) {
    let mut newest: BTreeMap<&str, &(Timestamp, Message)> = BTreeMap::new();
    for told in messages {
        let known = newest.entry(&told.1.cause).or_insert(told);
        if told.0 >= known.0 {
            *known = told;
        }
    }
    let exceptions = engine.store().exceptions(true, 10_000).unwrap_or_default();
    for open in exceptions {
        let beginning = format!("exception {} {} {} ", open.flow, open.code, open.cause());
        let told = newest.iter().find(|(cause, _)| cause.starts_with(&beginning)).map(|(_, told)| *told);
        let opened = Timestamp::from_millisecond(open.opened).unwrap_or_default();
        if told.is_none_or(|(at, message)| *at < opened || message.status == "resolved") {
            found.push(Finding::new("alerts", format!("{} of {} {} is open since {opened}, and nobody was told", open.code, open.flow, open.lane)));
        }
    }
    for alert in engine.store().alerts().unwrap_or_default() {
        if alert.pending {
            found.push(Finding::new("alerts", format!("{} still waits to be told", alert.cause)));
        }
    }
}

/// Fields of the source whose values are a person's.
const PERSONAL: [&str; 8] =
    ["ShippingStreet", "BillingStreet", "BillToEmail__c", "Email__c", "Phone", "Email", "ShipToPhone__c", "BillToContactName__c"];

/// Values of persons that systems may quote: of what people made, and of what was sent.
fn canaries(crm: &[Effect], wms: &[Effect]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |text: &str| {
        all.extend(
            text.lines().map(|line| line.trim().to_lowercase()).filter(|line| line.len() >= 8 && line.contains(|c: char| c.is_alphanumeric())),
        );
    };
    for effect in crm {
        for name in PERSONAL {
            add(effect.fields.get(name).and_then(Json::as_str).unwrap_or_default());
        }
    }
    for effect in wms.iter().filter(|effect| effect.object == "Order") {
        for pointer in ["/shipTo/street1", "/shipTo/name", "/shipTo/phone", "/billTo/name", "/customerEmail"] {
            add(effect.fields.pointer(pointer).and_then(Json::as_str).unwrap_or_default());
        }
    }
    all
}

/// A text as it may have been written by a system that quotes: each form again as it was.
fn forms(text: &str) -> Vec<String> {
    let plain = text.to_lowercase();
    let unescaped = plain.replace("&amp;", "&").replace("&lt;", "<").replace("&quot;", "\"");
    let decoded: String = form_urlencoded::parse(plain.as_bytes()).map(|(name, value)| format!("{name} {value} ")).collect();
    vec![plain, unescaped, decoded]
}

fn nothing_personal(sim: &Sim<'_>, engine: &Engine<'_>, messages: &[(Timestamp, Message)], found: &mut Vec<Finding>) {
    let noted = |system: &super::wire::Shared| locked(system).system.effects().to_vec();
    let canaries = canaries(&noted(&sim.wire.crm), &noted(&sim.wire.wms));
    let mut texts: Vec<(String, String)> = messages
        .iter()
        .flat_map(|(at, message)| [(format!("an alert at {at}"), message.text.clone()), (format!("an alert at {at}"), message.message.clone())])
        .collect();
    // Lines of history are not sealed.
    for state in RecordStage::ALL {
        for lane in engine.store().in_state(None, state, 10_000).unwrap_or_default() {
            let events = engine.store().events(&lane.flow, &lane.key).unwrap_or_default();
            texts.extend(events.into_iter().map(|event| (format!("the history of {} {}", lane.flow, lane.key), event.text)));
        }
    }
    texts.extend(engine.failures().map(|words| ("a failure".to_owned(), words.to_owned())));
    for (place, text) in texts {
        let forms = forms(&text);
        if let Some(canary) = canaries.iter().find(|canary| forms.iter().any(|form| form.contains(canary.as_str()))) {
            found.push(Finding::new("personal", format!("{place} holds {canary:?}: {}", text.chars().take(200).collect::<String>())));
        }
    }
    found.truncate(10);
}
