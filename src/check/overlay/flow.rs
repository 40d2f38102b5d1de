//! The sections of an overlay's flow over those of its base.

use crate::base::Span;
use crate::syntax::tree::{
    Event, Flow, From, FromClauseKind, Match, MatchClauseKind, Remove, RemoveSubject, Route, RouteRow, Rule, Section, SectionKind, When, Write,
    WriteOp,
};

use super::super::error::items::{self as error, Absent};
use super::super::written::{spoken, written};
use super::{Overlay, same};

impl Overlay<'_> {
    pub(super) fn flow(&mut self, old: &mut Flow, new: &Flow) {
        let whole = old.name.span;
        self.sections(&mut old.sections, &new.sections, whole);
    }

    fn sections(&mut self, base: &mut Vec<Section>, new: &[Section], whole: Span) {
        // A `split` or an `each` belongs to the write behind it.
        let mut before: Vec<Section> = Vec::new();
        for section in new {
            match &section.kind {
                SectionKind::From(from) => match find(base, |kind| matches!(kind, SectionKind::From(_))) {
                    Some(SectionKind::From(had)) => overlay_from(had, from),
                    _ => base.insert(0, section.clone()),
                },
                SectionKind::Group(_) => match base.iter_mut().find(|had| matches!(had.kind, SectionKind::Group(_))) {
                    Some(had) => *had = section.clone(),
                    None => add(base, section.clone()),
                },
                SectionKind::Match(of) => match find(base, |kind| matches!(kind, SectionKind::Match(had) if had.name.node == of.name.node)) {
                    Some(SectionKind::Match(had)) => overlay_match(had, of),
                    _ => add(base, section.clone()),
                },
                SectionKind::Let(of) => match base.iter_mut().find(|had| matches!(&had.kind, SectionKind::Let(had) if had.name.node == of.name.node))
                {
                    Some(had) => *had = section.clone(),
                    None => add(base, section.clone()),
                },
                SectionKind::Validate(validate) => match find(base, |kind| matches!(kind, SectionKind::Validate(_))) {
                    Some(SectionKind::Validate(had)) => {
                        let mut rules = std::mem::take(&mut had.rules);
                        self.rules(&mut rules, &validate.rules, whole);
                        if let Some(SectionKind::Validate(had)) = find(base, |kind| matches!(kind, SectionKind::Validate(_))) {
                            had.rules = rules;
                        }
                    }
                    _ => add(base, section.clone()),
                },
                SectionKind::Route(route) => self.route(base, section, route),
                SectionKind::Split(_) | SectionKind::Repeat(_) => before.push(section.clone()),
                SectionKind::Write(write) => {
                    let before = std::mem::take(&mut before);
                    self.write(base, section, write, before, whole);
                }
                SectionKind::When(when) => match find(base, |kind| matches!(kind, SectionKind::When(had) if same_event(had, when))) {
                    Some(SectionKind::When(had)) => {
                        let at = had.subject.span;
                        let mut inner = std::mem::take(&mut had.sections);
                        self.sections(&mut inner, &when.sections, at);
                        if let Some(SectionKind::When(had)) = find(base, |kind| matches!(kind, SectionKind::When(had) if same_event(had, when))) {
                            had.sections = inner;
                        }
                    }
                    _ => add(base, section.clone()),
                },
                SectionKind::Remove(remove) => self.remove(base, remove, whole),
            }
        }
    }

    fn route(&mut self, base: &mut Vec<Section>, section: &Section, new: &Route) {
        let names = |route: &Route| route.names.iter().map(|name| name.name.node.clone()).collect::<Vec<_>>();
        let wanted = names(new);
        if let Some(SectionKind::Route(had)) = find(base, |kind| matches!(kind, SectionKind::Route(had) if names(had) == wanted)) {
            let at = had.names.first().map_or(section.span, |name| name.name.span);
            for (had, new) in had.names.iter_mut().zip(&new.names) {
                if new.of.is_some() {
                    had.of.clone_from(&new.of);
                }
            }
            for remove in &new.removes {
                if !take_row(had, remove) {
                    self.absent(row_absent(remove, &subject(remove), at, had));
                }
            }
            let mut place = 0;
            for row in &new.rows {
                match had.rows.iter().position(|old| same_row(old, row)) {
                    Some(at) => had.rows[at] = row.clone(),
                    None if row.condition.is_none() => had.rows.push(row.clone()),
                    None => {
                        had.rows.insert(place, row.clone());
                        place += 1;
                    }
                }
            }
            return;
        }
        // Other results: the whole table is another one.
        let overlaps = |kind: &SectionKind| matches!(kind, SectionKind::Route(had) if names(had).iter().any(|name| wanted.contains(name)));
        match base.iter_mut().find(|had| overlaps(&had.kind)) {
            Some(had) => *had = section.clone(),
            None => add(base, section.clone()),
        }
    }

    fn write(&mut self, base: &mut Vec<Section>, section: &Section, new: &Write, before: Vec<Section>, whole: Span) {
        let at = match fitting(base, new) {
            Fitting::One(at) => at,
            Fitting::Several(writes) => {
                self.diags.push(error::several_writes(&write_text(new), new.head, &writes));
                return;
            }
            // A write that says how it is kept to one is new; one that does not means the base's.
            Fitting::None if new.key.is_some() || new.of.is_some() => {
                let at = base.iter().position(|had| matches!(had.kind, SectionKind::When(_))).unwrap_or(base.len());
                base.splice(at..at, before.into_iter().chain([section.clone()]));
                return;
            }
            Fitting::None => {
                let known = writes(base);
                self.absent(Absent { removing: false, what: "write", name: &write_text(new), at: new.head, base: Some(whole), known });
                return;
            }
        };
        if section.doc.is_some() {
            base[at].doc.clone_from(&section.doc);
        }
        let mut had = match &base[at].kind {
            SectionKind::Write(had) => had.clone(),
            _ => return,
        };
        let head = had.head;
        had.name = new.name.clone().or(had.name);
        had.of = new.of.clone().or(had.of);
        had.key = new.key.clone().or(had.key);
        had.when = new.when.clone().or(had.when);
        had.in_doubt = new.in_doubt.clone().or(had.in_doubt);
        self.rows(&mut had.rows, &new.rows, head);
        for guard in &new.guards {
            match had.guards.iter_mut().find(|old| same(&old.condition, &guard.condition)) {
                Some(old) => *old = guard.clone(),
                None => had.guards.push(guard.clone()),
            }
        }
        base[at].kind = SectionKind::Write(had);
        if !before.is_empty() {
            let first = repeat_start(base, at);
            base.splice(first..at, before);
        }
    }

    /// `remove …` as a statement of a flow.
    fn remove(&mut self, base: &mut Vec<Section>, remove: &Remove, whole: Span) {
        let name = subject(remove);
        let taken = match (remove.what.node.as_str(), &remove.subject) {
            ("require" | "warn" | "review" | "reconcile", RemoveSubject::Message(_)) => {
                let mut lists: Vec<&mut Vec<Rule>> = base
                    .iter_mut()
                    .filter_map(|section| match &mut section.kind {
                        SectionKind::Validate(validate) => Some(&mut validate.rules),
                        _ => None,
                    })
                    .collect();
                self.remove_rule(&mut lists, remove, whole);
                base.retain(|section| !matches!(&section.kind, SectionKind::Validate(validate) if validate.rules.is_empty()));
                return;
            }
            ("let", _) => take(base, |kind| matches!(kind, SectionKind::Let(had) if had.name.node == name)),
            ("match", _) => take(base, |kind| matches!(kind, SectionKind::Match(had) if had.name.node == name)),
            ("route", _) => take(base, |kind| matches!(kind, SectionKind::Route(had) if had.names.iter().any(|n| n.name.node == name))),
            ("group", _) => take(base, |kind| matches!(kind, SectionKind::Group(_))),
            ("when", RemoveSubject::Condition(_)) | ("else", _) => base.iter_mut().any(|section| match &mut section.kind {
                SectionKind::Route(route) => take_row(route, remove),
                _ => false,
            }),
            ("when", _) => take(base, |kind| matches!(kind, SectionKind::When(had) if had.subject.node == name)),
            ("guard", RemoveSubject::Condition(condition)) => base.iter_mut().any(|section| match &mut section.kind {
                SectionKind::Write(write) => {
                    let before = write.guards.len();
                    write.guards.retain(|guard| !same(&guard.condition, condition));
                    write.guards.len() < before
                }
                _ => false,
            }),
            ("guard", _) => base.iter_mut().any(|section| match &mut section.kind {
                SectionKind::Write(write) => !std::mem::take(&mut write.guards).is_empty(),
                _ => false,
            }),
            (op @ ("create" | "update" | "upsert"), _) => {
                let fits = |write: &Write| {
                    op_word(write.op.node) == op
                        && match &remove.subject {
                            RemoveSubject::Object(object) => {
                                object.object.node == write.object.object.node && object.connection.node == write.object.connection.node
                            }
                            RemoveSubject::Name(name) => write.name.as_ref().is_some_and(|had| had.node == name.node),
                            _ => false,
                        }
                };
                let at = base.iter().position(|section| matches!(&section.kind, SectionKind::Write(write) if fits(write)));
                if let Some(at) = at {
                    let first = repeat_start(base, at);
                    base.drain(first..=at);
                }
                at.is_some()
            }
            _ => false,
        };
        if !taken {
            let known = alternatives(base, remove);
            self.absent(Absent { removing: true, what: &remove.what.node, name: &name, at: remove.span, base: Some(whole), known });
        }
    }
}

enum Fitting {
    One(usize),
    Several(Vec<Span>),
    None,
}

/// Which of the base's writes an overlay's write means: the one of its `as` name, else the one of
/// its operation and object.
fn fitting(base: &[Section], new: &Write) -> Fitting {
    let all = || {
        base.iter().enumerate().filter_map(|(at, section)| match &section.kind {
            SectionKind::Write(write) => Some((at, write)),
            _ => None,
        })
    };
    if let Some(name) = &new.name
        && let Some((at, _)) = all().find(|(_, had)| had.name.as_ref().is_some_and(|had| had.node == name.node))
    {
        return Fitting::One(at);
    }
    let alike: Vec<(usize, &Write)> = all()
        .filter(|(_, had)| had.op.node == new.op.node && object_text(had) == object_text(new))
        // A name that differs says that it is another write.
        .filter(|(_, had)| new.name.is_none() || had.name.is_none())
        .collect();
    match alike.as_slice() {
        [] => Fitting::None,
        [(at, _)] => Fitting::One(*at),
        several => Fitting::Several(several.iter().map(|(_, write)| write.head).collect()),
    }
}

/// Where the `split` or `each` sections before a write begin.
fn repeat_start(sections: &[Section], at: usize) -> usize {
    let prefix = sections[..at].iter().rev().take_while(|section| matches!(section.kind, SectionKind::Split(_) | SectionKind::Repeat(_)));
    at - prefix.count()
}

fn overlay_from(old: &mut From, new: &From) {
    old.object = new.object.clone();
    if new.name.is_some() {
        old.name.clone_from(&new.name);
    }
    let given: Vec<&str> = new.clauses.iter().map(|clause| clause_word(&clause.kind)).collect();
    old.clauses.retain(|clause| !given.contains(&clause_word(&clause.kind)));
    old.clauses.extend(new.clauses.iter().cloned());
}

/// `every` is one kind, however it is said.
fn clause_word(kind: &FromClauseKind) -> &'static str {
    match kind {
        FromClauseKind::Where(_) => "where",
        FromClauseKind::Changed { .. } => "changed",
        FromClauseKind::FirstWhen(_) => "first when",
        FromClauseKind::EveryDuration(_) | FromClauseKind::EveryDay { .. } | FromClauseKind::EveryCron { .. } => "every",
        FromClauseKind::Webhook(_) => "on webhook",
        FromClauseKind::KeepBlank => "keep blank",
        FromClauseKind::IncludingHistory => "including history",
    }
}

fn overlay_match(old: &mut Match, new: &Match) {
    old.object = new.object.clone();
    if new.each.is_some() {
        old.each.clone_from(&new.each);
    }
    let kind = |clause: &MatchClauseKind| std::mem::discriminant(clause);
    old.clauses.retain(|had| !new.clauses.iter().any(|clause| kind(&clause.kind) == kind(&had.kind)));
    // The keys stand before what none and many mean, whichever of them is new.
    old.clauses.extend(new.clauses.iter().cloned());
    old.clauses.sort_by_key(|clause| match clause.kind {
        MatchClauseKind::By(_) => 0,
        MatchClauseKind::None(_) => 1,
        MatchClauseKind::Many(_) => 2,
    });
}

fn same_event(a: &When, b: &When) -> bool {
    let events = |when: &When| {
        let mut all: Vec<String> = when
            .events
            .iter()
            .map(|event| match &event.node {
                Event::Fails => "fails".to_owned(),
                Event::IsRejected => "is rejected".to_owned(),
                Event::IsInReview => "is in review".to_owned(),
                Event::Succeeds => "succeeds".to_owned(),
                Event::IsGone => "is gone".to_owned(),
                Event::IsLate(after) => format!("is late after {}", written(after)),
            })
            .collect();
        all.sort();
        all
    };
    a.subject.node == b.subject.node && events(a) == events(b)
}

fn same_row(a: &RouteRow, b: &RouteRow) -> bool {
    match (&a.condition, &b.condition) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    }
}

fn take_row(route: &mut Route, remove: &Remove) -> bool {
    let before = route.rows.len();
    match &remove.subject {
        RemoveSubject::Condition(condition) => route.rows.retain(|row| !row.condition.as_ref().is_some_and(|had| same(had, condition))),
        _ if remove.what.node == "else" => route.rows.retain(|row| row.condition.is_some()),
        _ => {}
    }
    route.rows.len() < before
}

fn row_absent<'a>(remove: &Remove, name: &'a str, base: Span, route: &Route) -> Absent<'a> {
    let known = route.rows.iter().filter_map(|row| row.condition.as_ref()).map(written).collect();
    Absent { removing: true, what: "routing row", name, at: remove.span, base: Some(base), known }
}

fn subject(remove: &Remove) -> String {
    match &remove.subject {
        RemoveSubject::Message(message) => spoken(message),
        RemoveSubject::Name(name) => name.node.clone(),
        RemoveSubject::Object(object) => format!("{}.{}", object.connection.node, object.object.node),
        RemoveSubject::Condition(condition) => written(condition),
        RemoveSubject::Nothing => String::new(),
    }
}

/// What the base has of the kind that was to be removed.
fn alternatives(base: &[Section], remove: &Remove) -> Vec<String> {
    let each = base.iter().filter_map(|section| match (&section.kind, remove.what.node.as_str()) {
        (SectionKind::Let(had), "let") => Some(had.name.node.clone()),
        (SectionKind::Match(had), "match") => Some(had.name.node.clone()),
        (SectionKind::Route(had), "route") => had.names.first().map(|name| name.name.node.clone()),
        (SectionKind::When(had), "when") => Some(had.subject.node.clone()),
        (SectionKind::Write(had), "create" | "update" | "upsert") if op_word(had.op.node) == remove.what.node => Some(object_text(had)),
        _ => None,
    });
    each.collect()
}

fn writes(base: &[Section]) -> Vec<String> {
    base.iter()
        .filter_map(|section| match &section.kind {
            SectionKind::Write(write) => Some(write_text(write)),
            _ => None,
        })
        .collect()
}

fn write_text(write: &Write) -> String {
    format!("{} {}", op_word(write.op.node), object_text(write))
}

fn object_text(write: &Write) -> String {
    format!("{}.{}", write.object.connection.node, write.object.object.node)
}

pub(super) fn op_word(op: WriteOp) -> &'static str {
    match op {
        WriteOp::Create => "create",
        WriteOp::Update => "update",
        WriteOp::Upsert => "upsert",
    }
}

/// Puts a new section at its place: the order in which a record meets them.
fn add(base: &mut Vec<Section>, section: Section) {
    let rank = |kind: &SectionKind| match kind {
        SectionKind::From(_) => 0,
        SectionKind::Group(_) => 1,
        SectionKind::Match(_) => 2,
        SectionKind::Let(_) => 3,
        SectionKind::Validate(_) => 4,
        SectionKind::Route(_) => 5,
        SectionKind::Split(_) | SectionKind::Repeat(_) | SectionKind::Write(_) => 6,
        SectionKind::When(_) | SectionKind::Remove(_) => 7,
    };
    let own = rank(&section.kind);
    let at = base.iter().rposition(|had| rank(&had.kind) <= own).map_or(0, |at| at + 1);
    base.insert(at, section);
}

fn find(base: &mut [Section], fits: impl Fn(&SectionKind) -> bool) -> Option<&mut SectionKind> {
    base.iter_mut().map(|section| &mut section.kind).find(|kind| fits(kind))
}

fn take(base: &mut Vec<Section>, fits: impl Fn(&SectionKind) -> bool) -> bool {
    match base.iter().position(|section| fits(&section.kind)) {
        Some(at) => {
            base.remove(at);
            true
        }
        None => false,
    }
}
