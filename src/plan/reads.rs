//! What a flow reads: the paths of its source's record, of matched records, of the target.
//!
//! Names that only stand for a path (a `let`, an element of a list, a function's argument) are
//! followed back to it, so that just what is read has to be fetched.

use std::collections::{BTreeMap, BTreeSet};

use super::walk;
use crate::check::typed::{Body, Expr, Flow, Generator, MatchOutcome, Repeat, RouteOutcome, Row, RowValue, Rule, RuleKind, Slot, Word, Write};

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
}

type Access = (Root, Vec<String>);

struct Finder {
    slots: BTreeMap<Slot, Vec<Access>>,
    found: Reads,
    write: String,
}

pub(super) fn of(flow: &Flow) -> Reads {
    let mut finder = Finder { slots: BTreeMap::new(), found: Reads::default(), write: String::new() };
    finder.slots.insert(Flow::RECORD, vec![(Root::Source, Vec::new())]);
    for found in &flow.matches {
        finder.slots.insert(found.slot, vec![(Root::Match(found.name.clone()), Vec::new())]);
    }
    for found in &flow.lets {
        let access = finder.resolve(&found.value);
        finder.slots.insert(found.slot, access);
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

impl Finder {
    fn flow(&mut self, flow: &Flow) {
        flow.filter.iter().chain(&flow.first_when).for_each(|expr| self.visit(expr));
        flow.group.iter().for_each(|group| self.visit(&group.by));
        for found in &flow.matches {
            for key in &found.by {
                self.visit(&key.equals);
                self.record((Root::Match(found.name.clone()), key.field.clone()));
            }
            for outcome in [&found.none, &found.many] {
                if let MatchOutcome::Stop(stop) = outcome {
                    self.visit(&stop.message);
                }
            }
        }
        flow.lets.iter().for_each(|found| self.visit(&found.value));
        self.rules(&flow.rules);
        for row in flow.routes.iter().flat_map(|route| &route.rows) {
            row.condition.iter().for_each(|condition| self.visit(condition));
            match &row.outcome {
                RouteOutcome::Results(results) => results.iter().for_each(|result| self.visit(result)),
                RouteOutcome::Stop(stop) => self.visit(&stop.message),
            }
        }
        let after = flow.follow_ups.iter().flat_map(|after| &after.writes);
        flow.writes.iter().chain(after).for_each(|write| self.write(write));
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
            }
            None => {}
        }
        write.key.iter().for_each(|key| self.visit(&key.value));
        write.when.iter().for_each(|when| self.visit(when));
        write.milestones.iter().for_each(|milestones| self.visit(&milestones.value));
        self.body(&write.body);
        for guard in &write.guards {
            self.visit(&guard.condition);
            self.visit(&guard.otherwise.message);
            guard.otherwise.before.iter().for_each(|before| self.visit(before));
        }
    }

    fn body(&mut self, body: &Body) {
        self.rows(&body.rows);
    }

    fn rows(&mut self, rows: &[Row]) {
        for row in rows {
            match &row.value {
                RowValue::Expr(expr) => self.visit(expr),
                RowValue::Object { when, body, .. } => {
                    when.iter().for_each(|when| self.visit(when));
                    self.body(body);
                }
                RowValue::Clear => {}
            }
        }
    }

    fn rules(&mut self, rules: &[Rule]) {
        for rule in rules {
            match &rule.kind {
                RuleKind::Require { condition, message, .. } | RuleKind::Warn { condition, message, .. } => {
                    self.visit(condition);
                    self.visit(message);
                }
                RuleKind::Review { condition, message, before, .. } => {
                    self.visit(condition);
                    self.visit(message);
                    before.iter().for_each(|before| self.visit(before));
                }
                RuleKind::Reconcile { left, right, within, message, .. } => {
                    [left, right, message].into_iter().chain(within).for_each(|expr| self.visit(expr));
                }
                RuleKind::Each { generators, condition, rules, .. } => {
                    self.generators(generators);
                    condition.iter().for_each(|condition| self.visit(condition));
                    self.rules(rules);
                }
                RuleKind::When { condition, rules } => {
                    self.visit(condition);
                    self.rules(rules);
                }
            }
        }
    }

    fn generators(&mut self, generators: &[Generator]) {
        for generator in generators {
            self.visit(&generator.list);
            let access = self.resolve(&generator.list);
            self.slots.insert(generator.slot, access);
        }
    }

    fn record(&mut self, (root, path): Access) {
        match root {
            Root::Source => self.found.source.insert(path),
            Root::Match(name) => self.found.matches.entry(name).or_default().insert(path),
            Root::Target => self.found.targets.entry(self.write.clone()).or_default().insert(path),
        };
    }

    /// Notes every path that an expression reads.
    fn visit(&mut self, expr: &Expr) {
        match expr {
            Expr::Field { base, .. } => {
                for access in self.resolve(expr) {
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
            Expr::Bind { slot, value, body, .. } => {
                self.visit(value);
                let access = self.resolve(value);
                self.slots.insert(*slot, access);
                self.visit(body);
            }
            Expr::Each { generators, condition, body } => {
                self.generators(generators);
                condition.iter().for_each(|condition| self.visit(condition));
                self.visit(body);
            }
            Expr::Object { rows, .. } => self.rows(rows),
            Expr::Group { slot, list, by } | Expr::Sort { slot, list, by, .. } => {
                self.visit(list);
                let access = self.resolve(list);
                self.slots.insert(*slot, access);
                self.visit(by);
            }
            _ => {
                // The parts, each by itself: the walk is cut off behind the first level.
                let mut parts = Vec::new();
                direct(expr, &mut parts);
                parts.into_iter().for_each(|part| self.visit(part));
            }
        }
    }

    /// The places in records that an expression's value can be.
    fn resolve(&mut self, expr: &Expr) -> Vec<Access> {
        match expr {
            Expr::Slot { slot, .. } => self.slots.get(slot).cloned().unwrap_or_default(),
            Expr::Word(Word::Target) => vec![(Root::Target, Vec::new())],
            Expr::Field { base, name, .. } => {
                let split = matches!(&**name, "lines" | "items" | "key");
                self.resolve(base)
                    .into_iter()
                    .map(|(root, mut path)| {
                        // A part's lines are the list itself.
                        if !(split && matches!(**base, Expr::Slot { .. }) && !path.is_empty()) {
                            path.push(name.to_string());
                        }
                        (root, path)
                    })
                    .collect()
            }
            Expr::Bind { slot, value, body, .. } => {
                let access = self.resolve(value);
                self.slots.insert(*slot, access);
                self.resolve(body)
            }
            Expr::Each { generators, body, .. } => {
                for generator in generators {
                    let access = self.resolve(&generator.list);
                    self.slots.insert(generator.slot, access);
                }
                self.resolve(body)
            }
            Expr::Fallback { value: left, fallback: right } | Expr::If { then: left, otherwise: right, .. } => {
                let mut both = self.resolve(left);
                both.extend(self.resolve(right));
                both
            }
            Expr::Sort { list, .. } | Expr::Group { list, .. } => self.resolve(list),
            Expr::Call { arguments, .. } => arguments.first().map(|first| self.resolve(first)).unwrap_or_default(),
            Expr::Treat { value, .. } => self.resolve(value),
            _ => Vec::new(),
        }
    }
}

/// The parts of an expression, not their parts.
fn direct<'e>(expr: &'e Expr, parts: &mut Vec<&'e Expr>) {
    let mut all = Vec::new();
    walk::expr(expr, &mut |found| all.push(found));
    // The walk goes outer before inner: a part is direct if it is no part of a part seen before.
    let mut inner: BTreeSet<*const Expr> = BTreeSet::new();
    for found in all.into_iter().skip(1) {
        if inner.contains(&std::ptr::from_ref(found)) {
            continue;
        }
        parts.push(found);
        walk::expr(found, &mut |below| {
            inner.insert(std::ptr::from_ref(below));
        });
    }
}
