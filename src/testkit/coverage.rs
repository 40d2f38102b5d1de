//! What no case has met: rules, value rows, routing rows.

use std::collections::BTreeSet;

use crate::eval::Met;
use crate::ir::{Mapping, Otherwise, Place, Rule, RuleKind, print};

/// What cases have met, by flow; value maps belong to all flows.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    met: BTreeSet<(String, Met)>,
}

/// One thing that can be met, and whether it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub place: Place,
    /// `rule "the ship-to street is missing" never fails`, `row "Draft" of order_status`
    pub text: String,
    pub met: bool,
}

impl Coverage {
    pub fn add(&mut self, flow: &str, met: &[Met]) {
        for one in met {
            self.met.insert((key(flow, one), one.clone()));
        }
    }

    /// Everything in the mapping that a case can meet, in the order of the text.
    pub fn items(&self, mapping: &Mapping) -> Vec<Item> {
        let mut items = Vec::new();
        let mut push = |flow: &str, met: Met, place: &Place, text: String| {
            let seen = self.met.contains(&(key(flow, &met), met));
            items.push(Item { place: place.clone(), text, met: seen });
        };
        for flow in &mapping.flows {
            walk(&flow.rules, &mut |rule, text| {
                push(&flow.name, Met::Rule { id: rule.id, held: true }, &rule.place, format!("{text}: no record passes it"));
                push(&flow.name, Met::Rule { id: rule.id, held: false }, &rule.place, format!("{text}: no record fails it"));
            });
            for (at, route) in flow.routes.iter().enumerate() {
                for (row, of) in route.rows.iter().enumerate() {
                    push(&flow.name, Met::RouteRow { route: at, row }, &of.place, format!("routing row `{}`", of.text));
                }
            }
        }
        for (map, values) in mapping.values.iter().enumerate() {
            let sides = [(false, &values.rows), (true, &values.back)];
            for (back, rows) in sides {
                for (row, of) in rows.iter().enumerate() {
                    let side = if back { "back " } else { "" };
                    let text = format!("row {side}{} of `{}`", print::literal(&of.from), values.name);
                    push("", Met::ValueRow { map, row, back }, &of.place, text);
                }
            }
            match &values.otherwise {
                Otherwise::Nothing => {}
                Otherwise::Value { place, .. } => push("", Met::ValueElse { map }, place, format!("`else` of `{}`", values.name)),
                Otherwise::Stop(stop) => push("", Met::ValueElse { map }, &stop.place, format!("`else` of `{}`", values.name)),
            }
        }
        items.sort();
        items
    }
}

fn key(flow: &str, met: &Met) -> String {
    match met {
        Met::Rule { .. } | Met::RouteRow { .. } => flow.to_owned(),
        Met::ValueRow { .. } | Met::ValueElse { .. } => String::new(),
    }
}

fn walk(rules: &[Rule], each: &mut dyn FnMut(&Rule, String)) {
    for rule in rules {
        match &rule.kind {
            RuleKind::Require { message, .. } => each(rule, format!("require {}", print::message(message))),
            RuleKind::Review { message, .. } => each(rule, format!("review {}", print::message(message))),
            RuleKind::Warn { message, .. } => each(rule, format!("warn {}", print::message(message))),
            RuleKind::Reconcile { message, .. } => each(rule, format!("reconcile {}", print::message(message))),
            RuleKind::Each { .. } | RuleKind::When { .. } => walk(rule.kind.inner(), each),
        }
    }
}
