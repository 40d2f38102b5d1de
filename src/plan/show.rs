//! A plan as people read it.

use std::fmt::Write as _;

use super::{FlowPlan, Plan};
use crate::ir::{
    Event, Flow, InDoubt, MatchKey, MatchOutcome, Operation, Policy, Repeat, RouteOutcome, Row, RowValue, Rule, RuleKind, Write, millis, print,
};
use crate::schema::Spelling;
use crate::system::Guarantee;

/// The steps of a flow, one a line, in the order in which a record meets them. `query` is what the
/// source is asked, in its own language; `children` is asked for changes that do not move its stamp.
pub fn flow(plan: &Plan, flow: &Flow, reads: &FlowPlan, query: Option<&str>, children: &[String]) -> String {
    let mut out = String::new();
    let mut line = |label: &str, text: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(out, "  {label:<10} {}", wrap(text));
    };
    let system = plan.systems.get(&flow.source.connection).map_or("", String::as_str);
    line("from", &format!("{} as {} ({system})", flow.source, flow.source_name));
    for schedule in &flow.schedules {
        line("", &schedule.to_string());
    }
    for event in &flow.webhooks {
        line("", &format!("on webhook {event}"));
    }
    if !flow.changed.is_empty() {
        let stamps: Vec<String> = flow.changed.iter().map(|path| path.join(".")).collect();
        let overlap = flow.overlap.map(|overlap| format!(", {} again each time", millis(overlap))).unwrap_or_default();
        line("changed", &format!("by {}{overlap}", stamps.join(", ")));
    }
    for (at, condition) in flow.filter.iter().enumerate() {
        let by = if reads.pushed_down.contains(&at) { &flow.source.connection } else { "here" };
        line(if at == 0 { "where" } else { "" }, &format!("{by}: {}", print::within(&plan.mapping, condition)));
    }
    if let Some(first) = &flow.first_when {
        line("first", &format!("when {}", print::within(&plan.mapping, first)));
    }
    let fields: Vec<String> = reads.reads.iter().map(|path| path.join(".")).collect();
    line("reads", &fields.join(", "));
    if let Some(query) = query {
        line("asks", query);
    }
    for query in children {
        line("also", query);
    }
    if let Some(group) = &flow.group {
        line("group", &format!("by {}", group.name));
    }
    for found in &flow.matches {
        // What is compared by its meaning is said.
        let key = |key: &MatchKey| {
            let how = match key.field.last().and_then(|name| Spelling::of(name)) {
                Some(Spelling::Email) => " (letter case does not count)",
                Some(Spelling::Phone) => " (as telephone numbers, however they are written)",
                None => "",
            };
            format!("{}{how}", key.field.join("."))
        };
        let keys: Vec<String> = found.by.iter().map(key).collect();
        line(
            "match",
            &format!(
                "{} as {}{} by {}; none: {}; many: {}",
                found.object,
                found.name,
                found
                    .each
                    .as_ref()
                    .map(|each| format!(
                        " for each {} in {}, all values in one look-up,",
                        each.generator.name,
                        print::within(&plan.mapping, &each.generator.list)
                    ))
                    .unwrap_or_default(),
                keys.join(", then "),
                outcome(&found.none),
                outcome(&found.many)
            ),
        );
    }
    if !flow.rules.is_empty() {
        let mut counts = [0_usize; 4];
        count(&flow.rules, &mut counts);
        let words = ["require", "review", "warn", "reconcile"];
        let text: Vec<String> = counts.iter().zip(words).filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        line("validate", &text.join(", "));
    }
    for route in &flow.routes {
        let names: Vec<&str> = route.results.iter().map(|result| result.name.as_str()).collect();
        line("route", &format!("{}: {}", names.join(", "), counted(route.rows.len(), "row")));
        for row in &route.rows {
            let result = match &row.outcome {
                RouteOutcome::Results(_) => "",
                RouteOutcome::Stop(stop) if stop.review => " -> review",
                RouteOutcome::Stop(_) => " -> reject",
            };
            line("", &format!("line {}: {}{result}", row.place.line, row.text));
        }
    }
    for write in &flow.writes {
        write_lines(plan, write, &mut line);
    }
    for after in &flow.follow_ups {
        let events: Vec<String> = after.events.iter().map(Event::to_string).collect();
        line("when", &format!("{} {}", after.write.as_deref().unwrap_or(&flow.source_name), events.join(" or ")));
        for write in &after.writes {
            write_lines(plan, write, &mut line);
        }
    }
    let mut writes = flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes));
    if writes.any(|write| write.op != Operation::Create) {
        line("gone", "a value gone at the source stays at the target, unless its row says `clear`");
    }
    out
}

fn write_lines(plan: &Plan, write: &Write, line: &mut dyn FnMut(&str, &str)) {
    let repeat = match &write.repeat {
        None => String::new(),
        Some(Repeat::Each { .. }) => ", one for each element".to_owned(),
        Some(Repeat::Split { .. }) => ", one for each part".to_owned(),
    };
    let name = if write.name.contains(' ') { String::new() } else { format!(" as {}", write.name) };
    line(write.op.word(), &format!("{}{name}, {}{repeat}", write.object, counted(write.body.rows.len(), "field")));
    if let Some(when) = &write.when {
        line("", &format!("when {}", print::within(&plan.mapping, when)));
    }
    let object = plan.objects.get(&write.object.to_string());
    let rule = object.and_then(|object| object.write_rule(write.op, write.key.as_ref().and_then(|key| key.field.as_deref())));
    let claims = rule.and_then(|rule| rule.claims.as_ref());
    if let Some(key) = &write.key {
        let value = print::within(&plan.mapping, &key.value);
        let field = key.field.as_deref().unwrap_or("Crossdock's store");
        let native = if key.native && claims.is_none() { ", enforced by the system itself" } else { "" };
        line("", &format!("key in {field} = {value}{native}"));
    }
    let doubt = match write.in_doubt {
        Some(InDoubt::LookUp) => "; if the answer is lost: look up, then accept or send again",
        Some(InDoubt::Review) => "; if the answer is lost: a person decides",
        None if write.guarantee == Guarantee::Unprotected => "; if the answer is lost: a person decides",
        None => "; if the answer is lost: sent again, one effect",
    };
    line("", &format!("guarantee {}{doubt}", write.guarantee));
    if let (Some(claims), Some(object)) = (claims, object) {
        let command = format!("crossdock system probe {} --connection {} --writes", object.system, write.object.connection);
        line("", &format!("{} by its description, which {}: {command}", claims.guarantee, claims.seen()));
    }
    let mut policies = Vec::new();
    rows(&write.body.rows, "", &mut policies);
    if !policies.is_empty() {
        line("", &policies.join("; "));
    }
    if !write.guards.is_empty() {
        line("", &format!("{} on the target, which is read first", counted(write.guards.len(), "guard")));
    }
}

fn rows(found: &[Row], path: &str, policies: &mut Vec<String>) {
    for row in found {
        let place = if path.is_empty() { row.name.clone() } else { format!("{path}.{}", row.name) };
        match row.policy {
            Policy::Changed => {}
            Policy::Once => policies.push(format!("{place} once")),
            Policy::IfEmpty => policies.push(format!("{place} if empty")),
            Policy::Clear => policies.push(format!("{place} cleared where empty")),
        }
        if let RowValue::Object { body, .. } = &row.value {
            rows(&body.rows, &place, policies);
        }
    }
}

fn count(rules: &[Rule], counts: &mut [usize; 4]) {
    for rule in rules {
        match &rule.kind {
            RuleKind::Require { .. } => counts[0] += 1,
            RuleKind::Review { .. } => counts[1] += 1,
            RuleKind::Warn { .. } => counts[2] += 1,
            RuleKind::Reconcile { .. } => counts[3] += 1,
            RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } => count(rules, counts),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn outcome(outcome: &MatchOutcome) -> &'static str {
    match outcome {
        MatchOutcome::Skip => "skip",
        MatchOutcome::Create => "create",
        MatchOutcome::Continue => "continue",
        MatchOutcome::Stop(stop) if stop.review => "review",
        MatchOutcome::Stop(_) => "reject",
    }
}

/// How wide a line may be behind its label: with it, 80 columns.
const WIDTH: usize = 67;

/// Long lines in pieces, indented as the first.
fn wrap(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push_str("\n             ");
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out
}
