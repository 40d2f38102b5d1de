//! What a flow reads: the paths of its source's record, of matched records, and of the target.
//!
//! Names that stand for a path (a `let`, an element of a list, an argument of a function) are resolved to the path, so that only the
//! needed fields are fetched.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{
    Body, ContextVar, Expr, Flow, Generator, Let, MatchOutcome, Policy, Repeat, RouteOutcome, RowValue, Rule, RuleKind, Slot, Stop, Write, walk,
};
use crate::schema::Object;
use crate::value::{ObjectRef, WireEncoding};

#[derive(Debug, Default)]
pub(super) struct Reads {
    pub source: BTreeSet<Vec<String>>,
    pub matches: BTreeMap<String, BTreeSet<Vec<String>>>,
    pub targets: BTreeMap<String, BTreeSet<Vec<String>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    Source,
    Match(String),
    Target,
    /// Rows of a match for each element, by its name: they hold the element and what was found for it.
    Rows(String),
}

type Access = (Root, Vec<String>);

struct Finder<'s> {
    slots: BTreeMap<Slot, Vec<Access>>,
    /// Names of parts and groups: their `lines` and `items` are the elements of the list itself.
    parts: BTreeSet<Slot>,
    /// By the match's name: its element's name, and where elements come from.
    rows: BTreeMap<String, (String, Vec<Access>)>,
    found: Reads,
    write: String,
    object: &'s dyn Fn(&ObjectRef) -> Option<&'s Object>,
}

/// The fields of the source's record that a flow reads, or reads something in.
pub fn columns<'s>(flow: &Flow, object: &'s dyn Fn(&ObjectRef) -> Option<&'s Object>) -> BTreeSet<String> {
    of(flow, object).source.into_iter().filter_map(|path| path.into_iter().next()).collect()
}

pub(super) fn of<'s>(flow: &Flow, object: &'s dyn Fn(&ObjectRef) -> Option<&'s Object>) -> Reads {
    let mut finder =
        Finder { slots: BTreeMap::new(), parts: BTreeSet::new(), rows: BTreeMap::new(), found: Reads::default(), write: String::new(), object };
    finder.slots.insert(Flow::RECORD, vec![(Root::Source, Vec::new())]);
    for found in &flow.matches {
        finder.slots.insert(found.slot, vec![(Root::Match(found.name.clone()), Vec::new())]);
    }
    for found in &flow.matches {
        if let Some(each) = &found.each {
            finder.slots.insert(each.rows, vec![(Root::Rows(found.name.clone()), Vec::new())]);
        }
    }
    // A `let` may go by rows, and rows by a `let`: what elements are is told once all names are known.
    for _ in 0..2 {
        finder.lets(&flow.lets);
        for found in &flow.matches {
            if let Some(each) = &found.each {
                finder.generators(std::slice::from_ref(&each.generator));
                let elements = finder.resolve(&each.generator.list);
                finder.rows.insert(found.name.clone(), (each.generator.name.clone(), elements));
            }
        }
    }
    finder.flow(flow);
    for stamp in &flow.changed {
        finder.found.source.insert(stamp.clone());
    }
    let Reads { mut source, mut matches, mut targets } = finder.found;
    whole(&mut source);
    matches.values_mut().for_each(whole);
    targets.values_mut().for_each(whole);
    Reads { source, matches, targets }
}

/// A path that only leads to others is not read by itself.
fn whole(paths: &mut BTreeSet<Vec<String>>) {
    let all = paths.clone();
    paths.retain(|path| !path.is_empty() && !all.iter().any(|other| other.len() > path.len() && other.starts_with(path)));
}

impl Finder<'_> {
    fn flow(&mut self, flow: &Flow) {
        flow.filter.iter().chain(&flow.first_when).for_each(|expr| self.visit(expr));
        flow.group.iter().flat_map(|group| std::iter::once(&group.by).chain(&group.stamp)).for_each(|of| self.visit(of));
        for found in &flow.matches {
            for key in &found.by {
                self.visit(&key.equals);
                self.record((Root::Match(found.name.clone()), key.field.clone()));
            }
            for outcome in [&found.none, &found.many] {
                if let MatchOutcome::Stop(stop) = outcome {
                    self.stop(stop);
                }
            }
        }
        self.rules(&flow.rules);
        for row in flow.routes.iter().flat_map(|route| &route.rows) {
            row.condition.iter().for_each(|condition| self.visit(condition));
            match &row.outcome {
                RouteOutcome::Results(results) => results.iter().for_each(|result| self.visit(result)),
                RouteOutcome::Stop(stop) => self.stop(stop),
            }
        }
        flow.writes.iter().for_each(|write| self.write(write));
        for after in &flow.follow_ups {
            self.lets(&after.lets);
            after.writes.iter().for_each(|write| self.write(write));
        }
    }

    fn lets(&mut self, lets: &[Let]) {
        for found in lets {
            self.visit(&found.value);
            self.name(found.slot, &found.value);
        }
    }

    fn stop(&mut self, stop: &Stop) {
        self.visit(&stop.message);
        stop.before.iter().for_each(|before| self.visit(before));
    }

    /// A slot stands for what an expression gives.
    fn name(&mut self, slot: Slot, value: &Expr) {
        let access = self.resolve(value);
        if self.is_part(value) {
            self.parts.insert(slot);
        }
        self.slots.insert(slot, access);
    }

    /// Whether elements of a list are groups with `key` and `items`.
    fn is_part(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Group { .. } => true,
            Expr::Slot { slot, .. } => self.parts.contains(slot),
            _ => expr.passes_on().into_iter().any(|part| self.is_part(part)),
        }
    }

    fn write(&mut self, write: &Write) {
        self.write.clone_from(&write.name);
        match &write.repeat {
            Some(Repeat::Each { generators }) => self.generators(generators),
            Some(Repeat::Split { generator, by, part }) => {
                self.generators(std::slice::from_ref(generator));
                self.visit(by);
                // `part.lines` are elements of the list.
                let access = self.resolve(&generator.list);
                self.slots.insert(*part, access);
                self.parts.insert(*part);
            }
            None => {}
        }
        // An update is addressed by the record's id.
        if let (Some(of), Some(id)) = (write.of, (self.object)(&write.object).and_then(|object| object.id.clone())) {
            for (root, mut path) in self.slots.get(&of).cloned().unwrap_or_default() {
                path.push(id.clone());
                self.record((root, path));
            }
        }
        write.key.iter().for_each(|key| self.visit(&key.value));
        write.when.iter().for_each(|when| self.visit(when));
        write.milestones.iter().for_each(|milestones| self.visit(&milestones.value));
        walk::row_parts(&write.body.rows, &mut |part| self.visit(part));
        self.if_empty(&write.body, &[]);
        for guard in &write.guards {
            self.visit(&guard.condition);
            self.stop(&guard.otherwise);
        }
    }

    /// `if empty` looks at what the target holds.
    fn if_empty(&mut self, body: &Body, path: &[String]) {
        for row in &body.rows {
            let here: Vec<String> = path.iter().cloned().chain(std::iter::once(row.name.clone())).collect();
            match &row.value {
                RowValue::Object { body, .. } => self.if_empty(body, &here),
                _ if row.policy == Policy::IfEmpty => self.record((Root::Target, here)),
                _ => {}
            }
        }
    }

    fn rules(&mut self, rules: &[Rule]) {
        for rule in rules {
            if let RuleKind::Each { generators, .. } = &rule.kind {
                self.names(generators);
            }
            rule.kind.parts(&mut |part| self.visit(part));
            self.rules(rule.kind.inner());
        }
    }

    fn generators(&mut self, generators: &[Generator]) {
        self.names(generators);
        generators.iter().for_each(|generator| self.visit(&generator.list));
    }

    fn names(&mut self, generators: &[Generator]) {
        generators.iter().for_each(|generator| self.name(generator.slot, &generator.list));
    }

    fn record(&mut self, (root, path): Access) {
        match root {
            Root::Source => self.found.source.insert(path),
            Root::Match(name) => self.found.matches.entry(name).or_default().insert(path),
            Root::Target => self.found.targets.entry(self.write.clone()).or_default().insert(path),
            // Rows are made here: what is read is read of what they hold.
            Root::Rows(_) => false,
        };
    }

    /// Notes every path that an expression reads.
    fn visit(&mut self, expr: &Expr) {
        match expr {
            Expr::Field { base, wire, .. } => {
                for access in self.resolve(expr) {
                    // An amount is read with the record's currency.
                    if let (WireEncoding::Amount { currency_field: Some(currency), unlisted: false, .. }, Some((_, holder))) =
                        (wire, access.1.split_last())
                    {
                        let path = holder.iter().cloned().chain(std::iter::once(currency.clone())).collect();
                        self.record((access.0.clone(), path));
                    }
                    self.record(access);
                }
                // Inside a path's beginning there may be more (a table's keys, a function's arguments).
                let mut base = base;
                while let Expr::Field { base: inner, .. } = &**base {
                    base = inner;
                }
                if !matches!(**base, Expr::Slot { .. }) {
                    self.visit(base);
                }
            }
            Expr::Slot { .. } => {
                for access in self.resolve(expr) {
                    self.record(access);
                }
            }
            _ => {
                expr.bound(&mut |slot, held| self.name(slot, held.source()));
                expr.parts(&mut |part| self.visit(part));
            }
        }
    }

    /// The places in records that an expression's value can be.
    fn resolve(&mut self, expr: &Expr) -> Vec<Access> {
        match expr {
            Expr::Slot { slot, .. } => self.slots.get(slot).cloned().unwrap_or_default(),
            Expr::ContextVar(ContextVar::Target) => vec![(Root::Target, Vec::new())],
            Expr::Field { base, name, .. } => {
                let access = self.resolve(base);
                if self.is_part(base) {
                    return if &**name == "key" { Vec::new() } else { access };
                }
                let mut found = Vec::new();
                for (root, mut path) in access {
                    match (root, path.is_empty()) {
                        (Root::Rows(of), true) => match self.rows.get(&of) {
                            Some((element, elements)) if **element == **name => found.extend(elements.iter().cloned()),
                            Some(_) => found.push((Root::Match(of), Vec::new())),
                            // A `let` that goes by rows stands before it is known what their elements are: it is visited again.
                            None => {}
                        },
                        (root, _) => {
                            path.push(name.to_string());
                            found.push((root, path));
                        }
                    }
                }
                found
            }
            _ => {
                expr.bound(&mut |slot, held| self.name(slot, held.source()));
                expr.passes_on().into_iter().flat_map(|part| self.resolve(part)).collect()
            }
        }
    }
}
