//! What a value is called in facts.
//!
//! A key is a term over the places from which values come: the record, a name, a field of either, a call of a function on
//! one. Two expressions with the same key have the same value, so what is known of one is known of the other.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use crate::base::Span;
use crate::ir::{Arithmetic, Compare, ContextVar, Slot};
use crate::value::{Literal, ObjectRef};

/// The name of a value. Keys are made of keys, so they share their parts; two are compared by their digests.
#[derive(Debug, Clone)]
pub(super) struct Key(Arc<Node>);

#[derive(Debug)]
struct Node {
    digest: [u8; 16],
    /// Levels of keys inside this one.
    depth: u32,
    /// [`Term::Unknown`] of one that is too deep: it is known by its digest alone.
    term: Term,
}

/// Levels of keys in keys. A long row of names, each made of the one before, would be as deep as it is long.
const DEEPEST: u32 = 200;

/// What a key says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Term {
    /// After a mistake, and of a key that is too deep.
    Unknown,
    /// The value in a place of the frame: the record, a name, an element, an argument.
    Slot(Slot),
    ContextVar(ContextVar),
    Parameter(String),
    Literal(Literal),
    /// A constant name of a system's thing: a warehouse, a store.
    Named(ObjectRef, String),
    /// Something that is reached from another value alone.
    Behind(Key, Step),
    /// A form of expression that is known by its name and by its parts: `not`, `is present`, `sort`.
    Form(&'static str, Vec<Key>),
    Compare(Compare, Key, Key),
    Arithmetic(Arithmetic, Key, Key),
    In(Key, Vec<Key>),
    Matches(Key, Pattern),
    Template(Vec<Part>),
    /// A builtin's name, or that of a function of the mapping.
    Call(Function, Vec<Key>),
    Values {
        map: usize,
        back: bool,
        value: Key,
    },
    Table(usize, Vec<Key>),
    Each {
        slots: Vec<Slot>,
        condition: Option<Key>,
        body: Key,
    },
    /// An aggregate over the records of a group.
    Grouped {
        function: &'static str,
        value: Option<Key>,
        condition: Option<Key>,
    },
    /// An object that is built at a place of the mapping.
    Object(Span),
}

/// One step from a value to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Field(Arc<str>),
    /// Every element of a list.
    Elements,
    /// A number with a unit: `2 as kg`.
    Unit(String),
    JsonPath(String),
    /// The thing of a system that has this name.
    NameOf(ObjectRef),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Text(String),
    Value(Key),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    Regex(String),
    Builtin(&'static str, Vec<Key>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Function {
    Builtin(&'static str),
    /// Its place among the functions of the project.
    Own(usize),
}

impl Term {
    /// Levels of keys inside it.
    fn depth(&self) -> u32 {
        let of = |keys: &[Key]| keys.iter().map(|key| key.0.depth).max().unwrap_or(0);
        let maybe = |key: &Option<Key>| key.as_ref().map_or(0, |key| key.0.depth);
        match self {
            Term::Unknown | Term::Slot(_) | Term::ContextVar(_) | Term::Parameter(_) | Term::Literal(_) | Term::Named(..) | Term::Object(_) => 0,
            Term::Behind(one, _) | Term::Values { value: one, .. } | Term::Matches(one, Pattern::Regex(_)) => one.0.depth,
            Term::Compare(_, a, b) | Term::Arithmetic(_, a, b) => a.0.depth.max(b.0.depth),
            Term::In(one, more) | Term::Matches(one, Pattern::Builtin(_, more)) => one.0.depth.max(of(more)),
            Term::Call(_, all) | Term::Table(_, all) | Term::Form(_, all) => of(all),
            Term::Template(parts) => {
                let depth = |part: &Part| if let Part::Value(key) = part { key.0.depth } else { 0 };
                parts.iter().map(depth).max().unwrap_or(0)
            }
            Term::Each { condition, body, .. } => body.0.depth.max(maybe(condition)),
            Term::Grouped { value, condition, .. } => maybe(value).max(maybe(condition)),
        }
    }
}

impl Key {
    pub(super) fn new(term: Term) -> Self {
        let mut digest = Digested(Sha256::new());
        term.hash(&mut digest);
        let whole = digest.0.finalize();
        let digest = std::array::from_fn(|at| whole[at]);
        let depth = 1 + term.depth();
        let (depth, term) = if depth > DEEPEST { (0, Term::Unknown) } else { (depth, term) };
        Key(Arc::new(Node { digest, depth, term }))
    }

    pub(super) fn unknown() -> Self {
        Key::new(Term::Unknown)
    }

    pub(super) fn slot(slot: Slot) -> Self {
        Key::new(Term::Slot(slot))
    }

    /// An expression of a form that its name and its parts tell apart from all others.
    pub(super) fn form(name: &'static str, parts: impl IntoIterator<Item = Key>) -> Self {
        Key::new(Term::Form(name, parts.into_iter().collect()))
    }

    pub(super) fn call(function: &'static str, arguments: Vec<Key>) -> Self {
        Key::new(Term::Call(Function::Builtin(function), arguments))
    }

    pub(super) fn term(&self) -> &Term {
        &self.0.term
    }

    pub(super) fn then(&self, step: Step) -> Self {
        Key::new(Term::Behind(self.clone(), step))
    }

    pub(super) fn field(&self, name: &str) -> Self {
        self.then(Step::Field(name.into()))
    }

    /// Every element of the list that this names.
    pub(super) fn elements(&self) -> Self {
        self.then(Step::Elements)
    }

    /// What the value is a field of.
    pub(super) fn holder(&self) -> Option<&Key> {
        match self.term() {
            Term::Behind(holder, Step::Field(_)) => Some(holder),
            _ => None,
        }
    }

    /// The one argument of a call of a builtin.
    pub(super) fn argument_of(&self, function: &str) -> Option<&Key> {
        match self.term() {
            Term::Call(Function::Builtin(name), arguments) if *name == function => match arguments.as_slice() {
                [one] => Some(one),
                _ => None,
            },
            _ => None,
        }
    }

    /// The steps from `base` to this, if it is reached from there.
    pub(super) fn behind(&self, base: &Key) -> Option<Tail> {
        let mut steps = Vec::new();
        let mut at = self;
        while at != base {
            let Term::Behind(before, step) = at.term() else { return None };
            steps.push(step.clone());
            at = before;
        }
        steps.reverse();
        Some(Tail(steps))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.digest == other.0.digest
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0.digest);
    }
}

/// A digest as what a term is hashed into: what it says is read as a whole, with the lengths of its texts.
struct Digested(Sha256);

impl Hasher for Digested {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let whole = self.0.clone().finalize();
        u64::from_le_bytes(std::array::from_fn(|at| whole[at]))
    }
}

/// The steps from one value to another; none: the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tail(Vec<Step>);

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn begins_with_field(&self) -> bool {
        matches!(self.0.first(), Some(Step::Field(_)))
    }

    /// The value that lies these steps behind another.
    pub(super) fn from(&self, base: &Key) -> Key {
        self.0.iter().fold(base.clone(), |key, step| key.then(step.clone()))
    }
}

/// Something that is known of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    Present(Key),
    /// A list has an element.
    NonEmpty(Key),
    NonZero(Key),
    /// A rule or a condition holds the text to a pattern.
    HasForm(Key),
    /// The number is at least, or at most, this.
    AtLeast(Key, Decimal),
    AtMost(Key, Decimal),
    /// The text has at most so many characters.
    Short(Key, Decimal),
}

impl Fact {
    /// The value that is known to be there.
    pub(super) fn present(&self) -> Option<&Key> {
        match self {
            Fact::Present(key) => Some(key),
            _ => None,
        }
    }

    /// A number, and what it is at least.
    pub(super) fn least(&self) -> Option<(&Key, Decimal)> {
        match self {
            Fact::AtLeast(key, least) => Some((key, *least)),
            _ => None,
        }
    }

    /// A number, and what it is at most.
    pub(super) fn most(&self) -> Option<(&Key, Decimal)> {
        match self {
            Fact::AtMost(key, most) => Some((key, *most)),
            _ => None,
        }
    }

    /// A text, and how many characters it has at most.
    pub(super) fn most_characters(&self) -> Option<(&Key, Decimal)> {
        match self {
            Fact::Short(key, most) => Some((key, *most)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_it_says() {
        let record = || Key::slot(Slot(0));
        assert_eq!(record().field("Name"), record().field("Name"));
        assert_ne!(record().field("Name"), Key::slot(Slot(1)).field("Name"));
        assert_ne!(record().field("a").field("b"), record().field("a.b"));
        // Texts do not run into one another.
        let list = |texts: &[&str]| Key::form("list", texts.iter().map(|text| Key::new(Term::Parameter((*text).to_owned()))));
        assert_ne!(list(&["ab", "c"]), list(&["a", "bc"]));
        assert_ne!(Key::new(Term::Template(vec![Part::Text("{#0}".into())])), Key::new(Term::Template(vec![Part::Value(record())])));
        let text = |text: &str| Key::new(Term::Literal(Literal::Text(text.into())));
        assert_ne!(text("1"), Key::new(Term::Literal(Literal::Number(Decimal::ONE))));
    }

    #[test]
    fn what_lies_behind_an_element_lies_behind_every_element() {
        let (line, lines) = (Key::slot(Slot(7)), Key::slot(Slot(0)).field("Lines").elements());
        let weight = line.field("Product").field("Weight").then(Step::Unit("kg".into()));
        let tail = weight.behind(&line).unwrap();
        assert_eq!(tail.from(&lines), lines.field("Product").field("Weight").then(Step::Unit("kg".into())));
        assert!(tail.begins_with_field() && line.behind(&line).unwrap().is_empty());
        assert_eq!(weight.behind(&Key::slot(Slot(8))), None);
        // A sum of two elements is no step from one of them.
        assert_eq!(Key::new(Term::Arithmetic(Arithmetic::Add, line.clone(), line.clone())).behind(&line), None);
    }

    /// Keys that double with each step stay small, and are compared in no time.
    #[test]
    fn keys_that_double_are_shared() {
        let doubled = || (0..10_000).fold(Key::slot(Slot(1)), |key, _| Key::new(Term::Arithmetic(Arithmetic::Add, key.clone(), key)));
        assert_eq!(doubled(), doubled());
    }
}
