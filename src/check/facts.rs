//! What is known to be present, and what must be for an expression to have a value.
//!
//! Whether a value may be missing is a formula, not a flag: `order.BillToContact.Email` is there if
//! the contact is and its e-mail is. The formula is made once, where the expression is checked, and
//! asked against the facts of each place that uses it; so a `let` above a `require` is known to be
//! present below it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::check::key::{Fact, Key};

/// Present if …
#[derive(Debug, Clone)]
pub(super) enum Presence {
    Always,
    /// … this is known.
    Gap(Arc<Gap>),
    All(Vec<Presence>),
    Any(Vec<Presence>),
    /// … the whole is known by one of its own names, or what it rests on is.
    Named(Vec<Key>, Box<Presence>),
}

/// A place where a value may be missing.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    /// Any of these facts closes it.
    pub closed_by: Vec<Fact>,
    /// What the value is called, where that is not what stands at its place.
    pub name: Option<String>,
    pub span: Span,
    pub why: Why,
}

/// A gap as a message speaks of it.
#[derive(Debug)]
pub(super) struct Told<'g> {
    /// The value as the author writes it: `order.BillToContact.Email`.
    pub text: String,
    pub why: &'g Why,
    /// Where it stands, if that can be edited: not in the body of a function.
    pub span: Option<Span>,
    /// What to write, so that it is there.
    pub ways: Ways,
}

/// The texts that close a gap, with their places.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// A rule in `validate`: where to write it, and the text before and behind `require X "…"`.
    pub require: Option<(Span, String, String)>,
}

/// Why a value may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The schema says so: `crm.Contact.Email`.
    Field(String),
    /// A field of the record as the target holds it.
    Target,
    TableRow(String),
    /// A value map without `else`.
    Values(String),
    /// A function that may leave nothing.
    Function(String),
    Division,
    /// The list may be empty.
    Empty,
    /// No such record may have been found.
    Match,
    /// The write may not have been sent.
    Result,
    /// `optional y in ys`, or an element of a list of `T?`.
    Element,
    /// A parameter or a branch that is declared `T?`.
    Declared,
}

impl Presence {
    /// The value that stands at a place may be missing.
    pub(super) fn gap(closed_by: Vec<Fact>, span: Span, why: Why) -> Self {
        Presence::Gap(Arc::new(Gap { closed_by, name: None, span, why }))
    }

    /// The same of a value that has a name.
    pub(super) fn gap_of(closed_by: Vec<Fact>, name: impl Into<String>, span: Span, why: Why) -> Self {
        Presence::Gap(Arc::new(Gap { closed_by, name: Some(name.into()), span, why }))
    }

    pub(super) fn all(parts: impl IntoIterator<Item = Presence>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Presence::Always => {}
                Presence::All(inner) => inner.into_iter().for_each(|part| part.joins(&mut kept)),
                other => other.joins(&mut kept),
            }
        }
        match kept.len() {
            0 => Presence::Always,
            1 => kept.swap_remove(0),
            _ => Presence::All(kept),
        }
    }

    /// Adds it to others, unless the last of them says the same: `{a}{a}` is there if `a` is.
    fn joins(self, kept: &mut Vec<Presence>) {
        let same = kept.iter().rev().take(8).any(|known| match (known, &self) {
            (Presence::Gap(a), Presence::Gap(b)) => Arc::ptr_eq(a, b),
            (Presence::Named(a, _), Presence::Named(b, _)) => a == b,
            _ => false,
        });
        if !same {
            kept.push(self);
        }
    }

    /// How many parts it has, as far as they are to be counted.
    pub(super) fn weight(&self, most: usize) -> usize {
        fn count(of: &Presence, left: &mut usize) {
            if *left == 0 {
                return;
            }
            *left -= 1;
            match of {
                Presence::Always | Presence::Gap(_) => {}
                Presence::All(parts) | Presence::Any(parts) => parts.iter().for_each(|part| count(part, left)),
                Presence::Named(_, inner) => count(inner, left),
            }
        }
        let mut left = most + 1;
        count(self, &mut left);
        most + 1 - left
    }

    pub(super) fn any(parts: Vec<Presence>) -> Self {
        if parts.iter().any(|part| matches!(part, Presence::Always)) {
            return Presence::Always;
        }
        Presence::Any(parts)
    }

    /// A value that has names of its own beside those of its parts.
    pub(super) fn named(self, keys: Vec<Key>) -> Self {
        if self.is_always() { self } else { Presence::Named(keys, Box::new(self)) }
    }

    pub(super) fn is_always(&self) -> bool {
        matches!(self, Presence::Always)
    }

    /// The first gap that the facts leave open.
    pub(super) fn open(&self, facts: &Facts) -> Option<Arc<Gap>> {
        match self {
            Presence::Always => None,
            Presence::Gap(gap) => (!gap.is_closed(facts)).then(|| Arc::clone(gap)),
            Presence::All(parts) => parts.iter().find_map(|part| part.open(facts)),
            Presence::Named(keys, _) if keys.iter().any(|key| facts.has(key)) => None,
            Presence::Named(_, inner) => inner.open(facts),
            Presence::Any(parts) => {
                let mut first = None;
                for part in parts {
                    let gap = part.open(facts)?;
                    first.get_or_insert(gap);
                }
                first
            }
        }
    }

    /// The formula that is left where these facts hold.
    pub(super) fn under(&self, facts: &Facts) -> Presence {
        match self {
            Presence::Always => Presence::Always,
            Presence::Gap(gap) if gap.is_closed(facts) => Presence::Always,
            Presence::Gap(_) => self.clone(),
            Presence::All(parts) => Presence::all(parts.iter().map(|part| part.under(facts))),
            Presence::Any(parts) => Presence::any(parts.iter().map(|part| part.under(facts)).collect()),
            Presence::Named(keys, _) if keys.iter().any(|key| facts.has(key)) => Presence::Always,
            Presence::Named(keys, inner) => inner.under(facts).named(keys.clone()),
        }
    }

    /// What follows from its being present.
    pub(super) fn implies(&self, out: &mut Vec<Fact>) {
        match self {
            Presence::Always | Presence::Any(_) => {}
            Presence::Gap(gap) => out.extend(gap.closed_by.first().cloned()),
            Presence::All(parts) => parts.iter().for_each(|part| part.implies(out)),
            Presence::Named(keys, inner) => {
                out.extend(keys.first().cloned().map(Fact::Present));
                inner.implies(out);
            }
        }
    }
}

impl Gap {
    fn is_closed(&self, facts: &Facts) -> bool {
        self.closed_by.iter().any(|fact| facts.holds(fact))
    }
}

/// That each of these is present.
pub(super) fn present(keys: &[Key]) -> Vec<Fact> {
    keys.iter().cloned().map(Fact::Present).collect()
}

/// What is known here.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    known: FxHashMap<Fact, usize>,
    log: Vec<Fact>,
}

impl Facts {
    pub(super) fn holds(&self, fact: &Fact) -> bool {
        self.known.contains_key(fact)
    }

    /// The value is known to be there.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.holds(&Fact::Present(key.clone()))
    }

    pub(super) fn add(&mut self, fact: Fact) {
        *self.known.entry(fact.clone()).or_insert(0) += 1;
        self.log.push(fact);
    }

    pub(super) fn extend(&mut self, facts: &[Fact]) {
        facts.iter().for_each(|fact| self.add(fact.clone()));
    }

    /// To come back to.
    pub(super) fn mark(&self) -> usize {
        self.log.len()
    }

    /// Forgets what was learned since.
    pub(super) fn reset(&mut self, mark: usize) {
        for fact in self.log.drain(mark..) {
            if let Some(count) = self.known.get_mut(&fact) {
                *count -= 1;
                if *count == 0 {
                    self.known.remove(&fact);
                }
            }
        }
    }

    /// What was learned since.
    pub(super) fn since(&self, mark: usize) -> &[Fact] {
        &self.log[mark.min(self.log.len())..]
    }
}

/// What a condition says when it holds, and when it does not.
#[derive(Debug, Clone, Default)]
pub(super) struct Refinement {
    pub if_true: Vec<Fact>,
    pub if_false: Vec<Fact>,
    /// It tests presence and nothing else: where it fails, something is missing.
    pub presence_only: bool,
}

impl Refinement {
    pub(super) fn not(self) -> Self {
        Refinement { if_true: self.if_false, if_false: self.if_true, presence_only: false }
    }
}

/// What is in both.
pub(super) fn both(left: &[Fact], right: &[Fact]) -> Vec<Fact> {
    left.iter().filter(|fact| right.contains(fact)).cloned().collect()
}
