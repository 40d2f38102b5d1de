//! From a plan to the document: what each field, rule, route and map says, in the author's words where there are any.

use std::collections::BTreeMap;

use super::sources::Names;
use super::{
    About, Document, Example, FORM, FieldPart, FlowPart, Named, PromisePart, ReasonPart, RoutePart, Setting, TablePart, ValuesPart, WritePart, empty,
    examples, meaning, sources,
};
use crate::ir::{
    Deadline, Event, Expect, Expr, Flow, Guard, InDoubt, Match, MatchOutcome, Otherwise, Place, Repeat, Route, RouteOutcome, RouteRow, Row, RowValue,
    Rule, RuleKind, Schedule, Stop, Table, ValueMap, Write, millis, print, walk,
};
use crate::plan::Plan;
use crate::system::Guarantee;
use crate::value::{Kind, Literal, ObjectRef, Value};

/// Makes the document. `files`: the texts of the mapping files, by the names that places have.
pub fn document(about: About<'_>, plan: &Plan, files: &BTreeMap<String, String>, examples: &[Example]) -> Document {
    let maker = Maker { plan, files, examples };
    let mapping = &plan.mapping;
    Document {
        version: FORM,
        project: about.project.to_owned(),
        environment: about.environment.map(str::to_owned),
        made: about.made.to_string(),
        plan: plan.hash().to_owned(),
        time_zone: plan.time_zone.clone(),
        parameters: mapping
            .parameters
            .iter()
            .map(|(name, parameter)| Named { name: name.clone(), is: literal(&parameter.value), place: place(&parameter.place) })
            .collect(),
        flows: mapping.flows.iter().map(|flow| maker.flow(flow)).collect(),
        values: mapping.values.iter().map(|map| maker.values(map)).collect(),
        tables: mapping.tables.iter().map(table).collect(),
        promises: mapping.expects.iter().map(|expect| maker.promise(expect)).collect(),
        meaning: meaning::of(mapping),
    }
}

/// A table as its file has it, with the columns that the mapping declares.
fn table(of: &Table) -> TablePart {
    let cell = |cell: &Literal| if matches!(cell, Literal::Missing) { String::new() } else { literal(cell) };
    TablePart {
        name: of.name.clone(),
        about: of.doc.clone(),
        path: of.path.clone(),
        keys: of.keys.len(),
        columns: of.columns.iter().map(|column| column.name.clone()).collect(),
        rows: of.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
    }
}

struct Maker<'a> {
    plan: &'a Plan,
    files: &'a BTreeMap<String, String>,
    examples: &'a [Example],
}

impl Maker<'_> {
    fn text(&self, expr: &Expr) -> String {
        print::within(&self.plan.mapping, expr)
    }

    /// A message without its quotes.
    fn words(&self, message: &Expr) -> String {
        self.text(message).trim_matches('"').to_owned()
    }

    /// The author's words behind `name =`, in one line; of a plan whose text is not at hand, the rule as it was understood.
    fn written(&self, at: &Place, name: &str, expr: &Expr) -> String {
        let text = at.span.and_then(|span| self.files.get(&*at.file)?.get(span.start as usize..span.end as usize));
        let words =
            text.map(|text| text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>().join(" "));
        let rest = words.as_ref().and_then(|words| words.strip_prefix(name)).map(str::trim_start);
        rest.and_then(|rest| rest.strip_prefix('=')).map_or_else(|| self.text(expr), |rest| rest.trim().to_owned())
    }

    fn flow(&self, flow: &Flow) -> FlowPart {
        let names = Names::of(flow);
        let mut reasons = Vec::new();
        for found in &flow.matches {
            let looked = format!("{} is looked for as `{}`", found.object, found.name);
            self.outcome(&found.none, &format!("{looked}, and there is none"), &mut reasons);
            self.outcome(&found.many, &format!("{looked}, and there are several"), &mut reasons);
        }
        self.rules(&flow.rules, "", &mut reasons);
        for route in &flow.routes {
            for row in &route.rows {
                if let RouteOutcome::Stop(stop) = &row.outcome {
                    reasons.push(self.stop(stop, &row.text));
                }
            }
        }
        let mut writes: Vec<WritePart> = flow.writes.iter().map(|write| self.write(flow, &names, write, None, &mut reasons)).collect();
        for after in &flow.follow_ups {
            let subject = after.write.as_deref().unwrap_or(&flow.source_name);
            let events: Vec<String> = after.events.iter().map(Event::to_string).collect();
            let told = format!("{subject} {}", events.join(" or "));
            writes.extend(after.writes.iter().map(|write| self.write(flow, &names, write, Some(told.clone()), &mut reasons)));
        }
        let mut maps = std::collections::BTreeSet::new();
        walk::flow_exprs(flow, &mut |expr| {
            if let Expr::Values { map, back: false, .. } = expr {
                maps.insert(*map);
            }
        });
        for map in maps.into_iter().filter_map(|map| self.plan.mapping.values.get(map)) {
            if let Otherwise::Stop(stop) = &map.otherwise {
                reasons.push(self.stop(stop, &format!("`{}` has no row for the value", map.name)));
            }
        }
        let mut when: Vec<String> = flow.schedules.iter().map(Schedule::to_string).collect();
        when.extend(flow.webhooks.iter().map(|event| format!("when {} tells: {event}", flow.source.connection)));
        let mut matches = Vec::new();
        for found in &flow.matches {
            let keys: Vec<String> = found.by.iter().map(|key| format!("{} == {}", key.field.join("."), self.text(&key.equals))).collect();
            let each = found.each.as_ref().map(|each| format!("for each {} in {}: ", each.generator.name, self.text(&each.generator.list)));
            let is = format!("{}{}{}", each.unwrap_or_default(), keys.join(", else by "), self.unless_one(found));
            matches.push(Named { name: format!("{} ({})", found.name, found.object), is, place: place(&found.place) });
        }
        let lets = flow.lets.iter().map(|found| Named {
            name: found.name.clone(),
            is: self.written(&found.place, &found.name, &found.value),
            place: place(&found.place),
        });
        FlowPart {
            name: flow.name.clone(),
            about: flow.doc.clone(),
            source: flow.source.to_string(),
            when,
            eligible: flow.filter.iter().map(|condition| self.text(condition)).collect(),
            matches,
            lets: lets.collect(),
            settings: self.settings(flow),
            routes: flow.routes.iter().map(|route| self.route(route)).collect(),
            writes,
            reasons,
        }
    }

    /// What becomes of a record where a match finds none or several; what stops it stands among the reasons.
    fn unless_one(&self, found: &Match) -> String {
        let told = |what: &str, outcome: &MatchOutcome| match outcome {
            MatchOutcome::Skip => format!("; {what}: the record is left out"),
            MatchOutcome::Create => format!("; {what}: it is made"),
            MatchOutcome::Continue => format!("; {what}: the rest goes on without it"),
            MatchOutcome::Stop(_) => String::new(),
        };
        format!("{}{}", told("if there is none", &found.none), told("if there are several", &found.many))
    }

    fn settings(&self, flow: &Flow) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut say = |word: &str, is: String| settings.push(Setting { word: word.to_owned(), is });
        if let Some(group) = &flow.group {
            let window = group.window.map(|window| format!(", over the last {}", millis(window))).unwrap_or_default();
            say("Grouped by", format!("{} as {}{window}", self.text(&group.by), group.name));
        }
        if let Some(first) = &flow.first_when {
            say("Goes first", format!("when {}", self.text(first)));
        }
        if flow.keep_blank {
            say("Blank texts", "are values".to_owned());
        }
        if flow.including_history {
            say("Milestones", "that are already passed count too".to_owned());
        }
        settings
    }

    fn promise(&self, expect: &Expect) -> PromisePart {
        let by = match &expect.deadline {
            Deadline::Within(within) => format!("within {}", millis(*within)),
            Deadline::Before(before) => format!("before {}", self.text(before)),
        };
        let which = expect.filter.as_ref().map(|filter| format!(" where {}", self.text(filter))).unwrap_or_default();
        PromisePart {
            name: expect.name.clone(),
            about: expect.title.clone(),
            is: format!(
                "each record of {}{which} is seen by {} {by}, else {}",
                expect.flow,
                expect.seen,
                if expect.review { DECIDES } else { "alert" }
            ),
            message: self.words(&expect.message),
            owner: expect.owner.clone(),
            place: place(&expect.place),
        }
    }

    fn route(&self, route: &Route) -> RoutePart {
        let row = |row: &RouteRow| {
            let results = match &row.outcome {
                RouteOutcome::Results(results) => results.iter().map(|result| self.words(result)).collect(),
                RouteOutcome::Stop(stop) => vec![format!("{}: {}", stopped(stop), self.words(&stop.message))],
            };
            (row.text.clone(), results)
        };
        RoutePart { results: route.results.iter().map(|result| result.name.clone()).collect(), rows: route.rows.iter().map(row).collect() }
    }

    fn write<'f>(&self, flow: &'f Flow, names: &Names<'f>, write: &'f Write, after: Option<String>, reasons: &mut Vec<ReasonPart>) -> WritePart {
        let mut fields = Vec::new();
        self.rows(flow, names, write, (&write.body.object, &write.body.rows), "", &mut fields);
        for Guard { condition, otherwise, .. } in &write.guards {
            reasons.push(self.stop(otherwise, &format!("the target's record is there, and not: {}", self.text(condition))));
        }
        let key = write.key.as_ref().map(|key| match &key.field {
            Some(field) => format!("{field} = {}", self.text(&key.value)),
            None => self.text(&key.value),
        });
        let guarantee = match (write.guarantee, write.key.as_ref().is_some_and(|key| key.native), &write.in_doubt) {
            (Guarantee::Idempotent, true, _) => "the target itself keeps it to one, by the key".to_owned(),
            (Guarantee::Idempotent, ..) => "repeated, it has one effect".to_owned(),
            (_, _, Some(InDoubt::Review)) => "sent once; where the outcome is not known, a person decides".to_owned(),
            (Guarantee::Unprotected, ..) => "sent once; the target cannot be asked whether it has it".to_owned(),
            _ => "sent once; where the outcome is not known, it is looked up before it is sent again".to_owned(),
        };
        WritePart {
            name: format!("{} {}", write.op.word(), write.object),
            after,
            condition: write.when.as_ref().map(|when| self.text(when)),
            key,
            guarantee,
            repeat: self.repeat(write),
            fields,
        }
    }

    /// For what a write is made several times for one record.
    fn repeat(&self, write: &Write) -> Option<String> {
        let mut told = Vec::new();
        match &write.repeat {
            Some(Repeat::Each { generators }) => {
                let lists: Vec<String> = generators.iter().map(|one| format!("each {} in {}", one.name, self.text(&one.list))).collect();
                told.push(format!("once for {}", lists.join(", ")));
            }
            Some(Repeat::Split { generator, by, .. }) => {
                told.push(format!("once for each {} of {} in {}", self.text(by), generator.name, self.text(&generator.list)));
            }
            None => {}
        }
        if let Some(milestones) = &write.milestones {
            let thresholds: Vec<String> = milestones.thresholds.iter().map(literal).collect();
            told.push(format!("once each time {} reaches {}", self.text(&milestones.value), thresholds.join(", ")));
        }
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn rows<'f>(
        &self,
        flow: &'f Flow,
        names: &Names<'f>,
        write: &'f Write,
        (object, rows): (&'f ObjectRef, &'f [Row]),
        path: &str,
        fields: &mut Vec<FieldPart>,
    ) {
        for row in rows {
            let field = if path.is_empty() { row.name.clone() } else { format!("{path}.{}", row.name) };
            match &row.value {
                RowValue::Object { when, body, .. } => {
                    let first = fields.len();
                    self.rows(flow, names, write, (&body.object, &body.rows), &field, fields);
                    if let Some(when) = when {
                        let only = format!("; only when {}", self.text(when));
                        fields.iter_mut().skip(first).for_each(|field| field.rule.push_str(&only));
                    }
                }
                RowValue::Clear => fields.push(self.field(flow, names, write, object, &field, row, None)),
                RowValue::Expr(expr) => {
                    let (built, within) = match sources::bare(expr) {
                        Expr::Each { body, .. } => (sources::built(body), format!("{field}[]")),
                        other => (sources::built(other), field.clone()),
                    };
                    // An object that a function builds is told by its fields; of a list the rule says which elements it has.
                    if built.is_none() || within != field {
                        fields.push(self.field(flow, names, write, object, &field, row, Some(expr)));
                    }
                    if let Some((rows, object)) = built {
                        self.rows(flow, &names.with(expr), write, (object, rows), &within, fields);
                    }
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a field, and where it stands")]
    fn field<'f>(
        &self,
        flow: &'f Flow,
        names: &Names<'f>,
        write: &'f Write,
        object: &ObjectRef,
        field: &str,
        row: &'f Row,
        expr: Option<&'f Expr>,
    ) -> FieldPart {
        let schema = self.plan.objects.get(&object.to_string()).and_then(|object| object.fields.get(&row.name));
        let takes = schema.map_or_else(String::new, |schema| {
            let mut takes = kind(&schema.kind);
            if let Some(size) = &schema.size {
                takes = format!("{takes}, up to {} characters", size.max);
            }
            if schema.write.required { format!("{takes}; required") } else { takes }
        });
        let mut rule = expr.map_or_else(|| "(emptied)".to_owned(), |expr| self.written(&row.place, &row.name, expr));
        // Where it was not taken from the author's own line.
        if let Some(policy) = row.policy.word().filter(|policy| !rule.ends_with(policy) && expr.is_some()) {
            rule = format!("{rule} {policy}");
        }
        let label = schema.map(|schema| schema.label.clone()).filter(|label| !label.is_empty());
        FieldPart {
            field: field.to_owned(),
            label,
            takes,
            sources: expr.map(|expr| names.of_row(expr)).unwrap_or_default(),
            rule,
            empty: {
                let words = empty::words(self.plan, flow, names, write, row, schema, &|message| self.words(message));
                // A list is sent as a whole.
                if field.contains("[]") { words.replace(empty::STAYS, "it is left out") } else { words }
            },
            example: if expr.is_some_and(|expr| matches!(sources::bare(expr), Expr::Each { .. })) {
                None
            } else {
                examples::shown(self.examples, flow, write, field, &row.place)
            },
            place: place(&row.place),
        }
    }

    fn rules(&self, rules: &[Rule], within: &str, reasons: &mut Vec<ReasonPart>) {
        for rule in rules {
            let mut add = |what: &str, when: String, message: &Expr, owner: &Option<String>| {
                let when = if within.is_empty() { when } else { format!("{within}: {when}") };
                let (what, message, owner) = (what.to_owned(), self.words(message), owner.clone());
                reasons.push(ReasonPart { what, when, message, owner, place: place(&rule.place) });
            };
            match &rule.kind {
                RuleKind::Require { condition, message, owner } => add(REJECTED, format!("not: {}", self.text(condition)), message, owner),
                RuleKind::Review { condition, message, owner, before } => {
                    let before = before.as_ref().map(|before| format!("; to be decided before {}", self.text(before))).unwrap_or_default();
                    add(DECIDES, format!("{}{before}", self.text(condition)), message, owner);
                }
                RuleKind::Warn { condition, message, owner } => add("warning", self.text(condition), message, owner),
                RuleKind::Reconcile { left, right, within: tolerance, message, owner } => {
                    let by = tolerance.as_ref().map(|by| format!(" by more than {}", self.text(by))).unwrap_or_default();
                    add(REJECTED, format!("{} differs from {}{by}", self.text(left), self.text(right)), message, owner);
                }
                RuleKind::Each { generators, condition, rules, .. } => {
                    let of = generators.iter().map(|one| format!("each {} in {}", one.name, self.text(&one.list))).collect::<Vec<_>>().join(", ");
                    let which = condition.as_ref().map(|condition| format!(" where {}", self.text(condition))).unwrap_or_default();
                    self.rules(rules, &inside(within, &format!("{of}{which}")), reasons);
                }
                RuleKind::When { condition, rules } => self.rules(rules, &inside(within, &self.text(condition)), reasons),
            }
        }
    }

    fn outcome(&self, outcome: &MatchOutcome, when: &str, reasons: &mut Vec<ReasonPart>) {
        if let MatchOutcome::Stop(stop) = outcome {
            reasons.push(self.stop(stop, when));
        }
    }

    fn stop(&self, stop: &Stop, when: &str) -> ReasonPart {
        let (what, message) = (stopped(stop).to_owned(), self.words(&stop.message));
        let before = stop.before.as_ref().map(|before| format!("; to be decided before {}", self.text(before))).unwrap_or_default();
        ReasonPart { what, when: format!("{when}{before}"), message, owner: stop.owner.clone(), place: place(&stop.place) }
    }

    fn values(&self, map: &ValueMap) -> ValuesPart {
        let otherwise = match &map.otherwise {
            Otherwise::Nothing => "nothing".to_owned(),
            Otherwise::Value { to, .. } => literal(to),
            Otherwise::Stop(stop) => format!("{}: {}", stopped(stop), self.words(&stop.message)),
        };
        ValuesPart {
            name: map.name.clone(),
            about: map.doc.clone(),
            from: map.from.to_string(),
            to: map.to.to_string(),
            rows: map.rows.iter().map(|row| (literal(&row.from), literal(&row.to))).chain(wins(map)).collect(),
            otherwise,
            place: place(&map.place),
        }
    }
}

/// Of a map that goes both ways: which of several left sides a right side gives on the way back.
fn wins(map: &ValueMap) -> Vec<(String, String)> {
    let several = |back: &&crate::ir::ValueRow| map.rows.iter().filter(|row| row.to == back.from).count() > 1;
    map.back.iter().filter(several).map(|back| (format!("back: {}", literal(&back.from)), literal(&back.to))).collect()
}

/// A condition inside another.
fn inside(outer: &str, inner: &str) -> String {
    if outer.is_empty() { inner.to_owned() } else { format!("{outer}: {inner}") }
}

const REJECTED: &str = "rejected";
const DECIDES: &str = "a person decides";

pub(super) fn stopped(stop: &Stop) -> &'static str {
    if stop.review { DECIDES } else { REJECTED }
}

/// A kind, an enumeration by its values.
fn kind(of: &Kind) -> String {
    match of {
        Kind::Enumeration(of) => {
            let names: Vec<&str> = of.names().take(SHOWN_VALUES).collect();
            let more = if of.names().nth(SHOWN_VALUES).is_some() { ", …" } else { "" };
            format!("{}: {}{more}", if of.open { "text, such as" } else { "one of" }, names.join(", "))
        }
        other => other.to_string(),
    }
}

/// Values of an enumeration that are named.
const SHOWN_VALUES: usize = 8;

fn place(of: &Place) -> String {
    format!("{}:{}", of.file, of.line)
}

pub(super) fn literal(of: &Literal) -> String {
    match of.to_value() {
        Value::Text(text) => text.to_string(),
        value => value.to_string(),
    }
}
