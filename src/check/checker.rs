//! Where an expression stands: the names it can read, what is known, what is reported and how.

use std::cell::RefCell;
use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Sources, Span, bounds};
use crate::check::CheckEnvironment;
use crate::check::error;
use crate::check::extent::Extent;
use crate::check::facts::{Facts, Presence, Refinement, Told, Ways};
use crate::check::items::Items;
use crate::check::key::{Fact, Key, Tail, Term};
use crate::ir::{self, ContextVar, Expr, Place, Slot};
use crate::schema::Object;
use crate::value::{Kind, Literal, ObjectRef};

/// What all parts of one check share: the project's environment, and the items that were checked before.
pub(super) struct CheckContext<'a> {
    pub environment: &'a dyn CheckEnvironment,
    pub sources: &'a Sources,
    pub items: Items<'a>,
    pub maps: Vec<Map>,
    pub tables: Vec<ir::Table>,
    pub parameters: indexmap::IndexMap<String, ir::Parameter>,
    /// Where the value of each stands: in crossdock.yaml, or as its default.
    pub parameter_values: std::collections::HashMap<String, Span>,
    /// By unit: some statement of the file could not be read.
    pub broken: Vec<bool>,
}

/// A checked value map.
pub(super) struct Map {
    pub map: ir::ValueMap,
    pub from: Kind,
    pub to: Kind,
    /// Every value of the source has an outcome.
    pub total: bool,
    pub both_ways: bool,
    pub total_back: bool,
}

/// A checked expression.
#[derive(Debug, Clone)]
pub(super) struct TypedExpr {
    pub expr: Expr,
    pub kind: Kind,
    pub presence: Presence,
    /// What this value is called in facts; any of them names it, the first is the narrowest.
    pub keys: Vec<Key>,
    pub span: Span,
    pub refinement: Refinement,
    /// Of a list.
    pub elements: Option<Arc<Elements>>,
    /// The longest text that it can be, where that is known.
    pub longest: Option<usize>,
    /// Decimal places, where they are known.
    pub places: Option<u32>,
    pub extent: Extent,
}

#[derive(Debug, Clone)]
pub(super) struct Elements {
    pub keys: Vec<Key>,
    /// What is known to be there of every element: the steps to it from the element.
    pub facts: Vec<Tail>,
    pub presence: Presence,
    /// Lists that have as many elements as this one.
    pub sources: Vec<Key>,
}

impl TypedExpr {
    pub(super) fn new(expr: Expr, kind: Kind, keys: Vec<Key>, span: Span) -> Self {
        TypedExpr {
            expr,
            kind,
            presence: Presence::Always,
            keys,
            span,
            refinement: Refinement::default(),
            elements: None,
            longest: None,
            places: None,
            extent: Extent::default(),
        }
    }

    /// After a mistake.
    pub(super) fn erroneous(span: Span) -> Self {
        TypedExpr::new(Expr::Literal(Literal::Missing), Kind::Any, vec![Key::unknown()], span)
    }

    pub(super) fn literal(literal: Literal, kind: Kind, span: Span) -> Self {
        let key = Key::new(Term::Literal(literal.clone()));
        let mut typed = TypedExpr::new(Expr::Literal(literal), kind, vec![key], span);
        if let Expr::Literal(Literal::Text(text)) = &typed.expr {
            typed.longest = Some(text.chars().count());
        }
        if let Expr::Literal(Literal::Number(number) | Literal::Money(number)) = &typed.expr {
            typed.places = Some(number.normalize().scale());
            typed.extent = Extent::exactly(*number);
        }
        typed
    }

    #[must_use]
    pub(super) fn present_if(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self
    }

    pub(super) fn key(&self) -> Key {
        self.keys.first().cloned().unwrap_or_else(Key::unknown)
    }

    pub(super) fn is_erroneous(&self) -> bool {
        self.kind == Kind::Any
    }

    pub(super) fn literal_value(&self) -> Option<&Literal> {
        match &self.expr {
            Expr::Literal(literal) if self.kind != Kind::Any => Some(literal),
            Expr::Coerce { value, .. } => match value.as_ref() {
                Expr::Literal(literal) => Some(literal),
                _ => None,
            },
            _ => None,
        }
    }

    /// The facts that follow from its being there.
    pub(super) fn known_if_present(&self) -> Vec<Fact> {
        let mut out = vec![Fact::Present(self.key())];
        self.presence.implies(&mut out);
        out
    }
}

/// A name that was given.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub name: String,
    pub span: Span,
    pub value: TypedExpr,
    /// What must hold where the name is read, found when its value was checked.
    pub obligations: Arc<Vec<Obligation>>,
    /// The record of a grouped flow.
    pub grouped: bool,
    /// A write that is repeated has many results.
    pub many: bool,
    /// How much is copied where it is read.
    pub weight: usize,
    /// Something reads it.
    pub used: bool,
}

/// A presence that a checked value rests on, and what to say where it does not hold.
#[derive(Debug, Clone)]
pub(super) struct Obligation {
    pub presence: Presence,
    pub diagnostic: Diagnostic,
}

/// A word that this place provides.
#[derive(Debug, Clone)]
pub(super) struct Provided {
    pub var: ContextVar,
    pub name: &'static str,
    pub kind: Kind,
}

/// The checker of one flow, one value map, one function.
pub(super) struct Checker<'a> {
    pub context: &'a CheckContext<'a>,
    pub out: Vec<Diagnostic>,
    /// Whose items are visible.
    pub unit: usize,
    pub names: Vec<Binding>,
    pub facts: Facts,
    pub slots: u32,
    pub context_vars: Vec<Provided>,
    /// `target` can be read: the record of this object.
    pub target: Option<ObjectRef>,
    /// What is written is not known, which was reported: so is its record at the target.
    pub target_unknown: bool,
    /// `index`, the innermost.
    pub index: Option<(Slot, bool)>,
    /// The flow is grouped, and this is outside an aggregate.
    pub grouped: bool,
    /// The call of a function whose body is being checked, outermost first.
    pub calls: Vec<Span>,
    /// Names of the functions being checked, for recursion.
    pub inside: Vec<usize>,
    /// Inside a call of a function that says no type: only the place of the call can tell what is
    /// wrong with its fields.
    pub speaks: bool,
    /// A function's own check: what may be missing is told at its calls.
    pub lenient: bool,
    /// Inside a `let`: what cannot be told before its name is read.
    pub obligations: Option<Vec<Obligation>>,
    /// The keys of the list that was ranged over last.
    pub ranged: Vec<Key>,
    /// Bodies of functions that were inlined: calls of calls multiply.
    pub inlined: usize,
    /// Levels of expressions around this one.
    pub depth: usize,
    /// Expressions that were checked, those of called functions at each call.
    pub visited: usize,
    /// The weight of all names that were read, and of all that are held.
    pub read: usize,
    pub held: usize,
    /// One of them is too large, which was told.
    pub too_large: bool,
    /// The keys of everything read.
    pub reads: Vec<Key>,
    /// A condition could not be read or resolved: what it would have made certain is not known, and nobody is told that it
    /// may be missing.
    pub poisoned: bool,
    /// By call, outermost first: the parameters with the texts that are given for them.
    pub given: Vec<Vec<(String, String)>>,
    /// Where a rule of the flow can be written, and the text before and behind it.
    pub validate: Option<(Span, String, String)>,
    /// Names that a rule can read.
    pub flow_names: Vec<String>,
    /// Objects that the environment was asked for: it has one lock for all that are checked side by side.
    object_cache: RefCell<Vec<(ObjectRef, Option<Arc<Object>>)>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(context: &'a CheckContext<'a>, unit: usize) -> Self {
        Checker {
            context,
            out: Vec::new(),
            unit,
            names: Vec::new(),
            facts: Facts::default(),
            slots: 1,
            context_vars: vec![
                Provided { var: ContextVar::Now, name: "now", kind: Kind::Datetime },
                Provided { var: ContextVar::Today, name: "today", kind: Kind::Date },
            ],
            target: None,
            target_unknown: false,
            index: None,
            grouped: false,
            calls: Vec::new(),
            inside: Vec::new(),
            speaks: false,
            lenient: false,
            obligations: None,
            ranged: Vec::new(),
            inlined: 0,
            depth: 0,
            visited: 0,
            read: 0,
            held: 0,
            too_large: false,
            reads: Vec::new(),
            poisoned: false,
            given: Vec::new(),
            validate: None,
            flow_names: Vec::new(),
            object_cache: RefCell::default(),
        }
    }

    /// Reports a mistake. Inside an inlined function only what its arguments cause is news; the
    /// rest was said where the function stands.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.calls.is_empty() || self.speaks || matches!(diagnostic.code, Code::Recursion) {
            self.out.push(diagnostic);
        }
    }

    /// Says that a value must be there, and what to say where it may not be.
    pub(super) fn require_present(&mut self, presence: &Presence, say: impl FnOnce(&Told<'_>) -> Diagnostic) {
        if self.lenient || self.poisoned {
            return;
        }
        let Some(gap) = presence.open(&self.facts) else { return };
        let here = self.calls.is_empty() && gap.name.is_none();
        let text = self.as_called(gap.name.clone().unwrap_or_else(|| self.text(gap.span)));
        let ways = Ways { require: self.rule_for(&text) };
        let mut diagnostic = say(&Told { text, why: &gap.why, span: here.then_some(gap.span), ways });
        let primary = diagnostic.primary.span;
        let inside = gap.span.file == primary.file && primary.start <= gap.span.start && gap.span.end <= primary.end;
        if !inside && gap.span != crate::base::Span::default() {
            diagnostic = diagnostic.other(gap.span, "it comes from here");
        }
        if let Some(call) = self.calls.first().copied() {
            let inner = std::mem::replace(&mut diagnostic.primary.span, call);
            if inner != call {
                let text = std::mem::replace(&mut diagnostic.primary.text, "in this call".into());
                diagnostic.others.insert(0, crate::base::diag::Label { span: inner, text });
            }
        }
        if let Some(owed) = &mut self.obligations {
            owed.push(Obligation { presence: presence.under(&self.facts), diagnostic });
        } else {
            self.out.push(diagnostic);
        }
    }

    /// A path as the caller of the functions around it writes it: `c.Email` of `f(order.Contact)` is `order.Contact.Email`.
    fn as_called(&self, mut text: String) -> String {
        for (depth, parameters) in self.given.iter().enumerate().rev() {
            if depth >= self.calls.len() {
                continue;
            }
            let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
            let Some((_, argument)) = parameters.iter().find(|(name, _)| *name == text[..end]) else { break };
            text = format!("{}{}", crate::syntax::habits::bracketed(argument), &text[end..]);
        }
        text
    }

    /// Where a rule on a value of the flow can be written, if the value is a path from one of the flow's own names.
    fn rule_for(&self, text: &str) -> Option<(Span, String, String)> {
        let (at, before, behind) = self.validate.clone()?;
        let root = text.split('.').next().unwrap_or("");
        let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        (plain && self.flow_names.iter().any(|name| name == root)).then_some((at, before, behind))
    }

    /// `text ?? fallback` for a value of a kind, with the place that it replaces; `gap` is the part that may be missing.
    pub(super) fn with_fallback(&self, value: Span, gap: Option<Span>, kind: &Kind) -> Option<(Span, String)> {
        if !self.calls.is_empty() {
            return None;
        }
        let source = self.context.sources.get(value.file)?;
        let inside = |gap: &Span| gap.file == value.file && value.start <= gap.start && gap.end <= value.end && *gap != value;
        if let Some(gap) = gap.filter(inside) {
            // A part of a sum or a product counts as nothing where it is missing.
            let before = source.text.get(value.start as usize..gap.start as usize)?.trim_end();
            let behind = source.text.get(gap.end as usize..value.end as usize)?.trim_start();
            let sign = |c: char| matches!(c, '+' | '-' | '*' | '/');
            if before.ends_with(sign) || behind.starts_with(sign) {
                return Some((gap, format!("({} ?? 0)", self.text(gap))));
            }
        }
        let fallback = match kind {
            Kind::Text => "\"-\"".to_owned(),
            Kind::Integer | Kind::Decimal => "0".to_owned(),
            Kind::Money => "0.00".to_owned(),
            Kind::Boolean => "false".to_owned(),
            Kind::Date => "today".to_owned(),
            Kind::Datetime => "now".to_owned(),
            Kind::Weight => "0 kg".to_owned(),
            Kind::Length => "0 cm".to_owned(),
            Kind::Enumeration(of) => {
                let first = of.names().next()?;
                let bare = first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                    && first.starts_with(|c: char| c.is_ascii_lowercase());
                if bare && self.find(first).is_none() { first.to_owned() } else { format!("\"{first}\"") }
            }
            _ => return None,
        };
        let text = self.text(value);
        let low =
            ["if ", "each ", "not "].iter().any(|word| text.starts_with(word)) || [" and ", " or ", " == "].iter().any(|word| text.contains(word));
        let left = if low { format!("({text})") } else { text };
        Some((value, self.in_place(value, &format!("{left} ?? {fallback}"))))
    }

    /// What a name's value rests on has to hold where the name is read.
    pub(super) fn discharge(&mut self, owed: &[Obligation]) {
        if self.lenient || self.poisoned {
            return;
        }
        for one in owed {
            if one.presence.open(&self.facts).is_none() {
                continue;
            }
            match &mut self.obligations {
                // The same name read twice owes the same once.
                Some(list) => {
                    let known = |other: &Obligation| {
                        other.diagnostic.code == one.diagnostic.code
                            && other.diagnostic.primary.span == one.diagnostic.primary.span
                            && other.diagnostic.others.len() == one.diagnostic.others.len()
                    };
                    if !list.iter().any(known) {
                        list.push(one.clone());
                    }
                }
                None => self.out.push(one.diagnostic.clone()),
            }
        }
    }

    pub(super) fn slot(&mut self) -> Slot {
        let slot = Slot(self.slots);
        self.slots += 1;
        slot
    }

    pub(super) fn object(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        let mut met = self.object_cache.borrow_mut();
        if let Some((_, object)) = met.iter().find(|(known, _)| known == of) {
            return object.clone();
        }
        let object = self.context.environment.object(of);
        met.push((of.clone(), object.clone()));
        object
    }

    pub(super) fn text(&self, span: Span) -> String {
        let text = self.context.sources.text(span).trim();
        // Mostly single blanks stand between the words.
        let bytes = text.as_bytes();
        let plain = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') && !bytes.windows(2).any(|two| two == b"  ");
        if plain { text.to_owned() } else { text.split_whitespace().collect::<Vec<_>>().join(" ") }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        place(self.context.sources, span)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Binding> {
        self.names.iter().rev().find(|binding| binding.name == name)
    }

    /// Gives a name to a value that stands in `slot`.
    pub(super) fn bind(&mut self, name: &str, span: Span, slot: Slot, value: TypedExpr) {
        if self.also_a_parameter(name, span) {
            return self.bind_quietly(name, span, slot, TypedExpr::erroneous(span), Vec::new());
        }
        if let Some(before) = self.names.iter().find(|binding| binding.name == name) {
            let diagnostic = error::names::given_twice(name, span, before.span);
            self.report(diagnostic);
            return self.bind_quietly(name, span, slot, TypedExpr::erroneous(span), Vec::new());
        }
        self.bind_quietly(name, span, slot, value, Vec::new());
    }

    pub(super) fn bind_quietly(&mut self, name: &str, span: Span, slot: Slot, mut value: TypedExpr, mut owed: Vec<Obligation>) {
        let mut weight = value.presence.weight(bounds::NAME_WEIGHT) + owed.iter().map(|one| one.presence.weight(bounds::NAME_WEIGHT)).sum::<usize>();
        self.held += weight;
        if weight > bounds::NAME_WEIGHT || self.held > bounds::HELD_WEIGHT {
            value = self.too_large(span);
            (owed, weight) = (Vec::new(), 1);
        }
        value.expr = Expr::Slot { slot, name: name.into() };
        self.names.push(Binding {
            name: name.to_owned(),
            span,
            value,
            obligations: Arc::new(owed),
            grouped: false,
            many: false,
            weight,
            used: false,
        });
    }

    /// Runs `f` with words that only this place provides.
    pub(super) fn with_context_vars<T>(&mut self, words: &[(ContextVar, &'static str, Kind)], f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.context_vars.len();
        self.context_vars.extend(words.iter().map(|(word, name, kind)| Provided { var: *word, name, kind: kind.clone() }));
        let out = f(self);
        self.context_vars.truncate(before);
        out
    }

    /// Runs `f` where more is known, and forgets it again.
    pub(super) fn with_facts<T>(&mut self, facts: &[Fact], f: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.facts.mark();
        self.facts.extend(facts);
        let out = f(self);
        self.facts.reset(mark);
        out
    }

    /// Runs `f` with names that are gone after it.
    pub(super) fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let (names, mark, index) = (self.names.len(), self.facts.mark(), self.index);
        let out = f(self);
        self.names.truncate(names);
        self.facts.reset(mark);
        self.index = index;
        out
    }
}

pub(super) fn place(sources: &Sources, span: Span) -> Place {
    match sources.get(span.file) {
        Some(source) => Place { file: source.name.as_str().into(), line: source.position(span.start).line, span: Some(span) },
        None => Place::line("", 0),
    }
}
