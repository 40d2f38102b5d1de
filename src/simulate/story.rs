//! A run told for people: each record's way, and what was done to the systems.

use jiff::Timestamp;

use super::wire::{Shared, locked};
use crate::engine::Engine;

/// Every record's way, and what was done to the systems.
pub(super) fn story(engine: &Engine<'_>, crm: &Shared, wms: &Shared) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for state in crate::store::RecordStage::ALL {
        for lane in engine.store().in_state(None, state, 1_000).unwrap_or_default() {
            line(format!("{} {} {:?} is {}", lane.flow, lane.key, lane.label, state.word()));
            for event in engine.store().events(&lane.flow, &lane.key).unwrap_or_default() {
                let at = Timestamp::from_millisecond(event.at).unwrap_or_default();
                line(format!("    {at} {} {}", event.kind, event.text));
            }
        }
    }
    for system in [crm, wms] {
        for effect in locked(system).system.effects() {
            let who = if effect.by_api { "api" } else { "person" };
            line(format!(
                "{} {who} {} {} {} {:?} {}",
                effect.at,
                effect.kind,
                effect.object,
                effect.id,
                effect.key,
                effect.fields.to_string().chars().take(200).collect::<String>()
            ));
        }
    }
    out
}
