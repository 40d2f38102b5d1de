//! Expressions of the mapping language over untyped JSON.
//!
//! The grammar and the evaluator are the language's own. What differs is what a name is: not a field of a schema, but a path into what the
//! place provides. Each path is one slot of the expression, so that only what is read is turned into values.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::{Path, Step};
use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::builtin::{self, BuiltinRef, Gives, Takes};
use crate::describe::error;
use crate::eval;
use crate::ir::{Arithmetic, Compare, Expr, Generator, Part, Pattern, Slot};
use crate::syntax::tree::{self, BinaryOp, ExprKind, TextPart};
use crate::value::{Json, Kind, Literal, Missing, Value, WireEncoding, json};

/// What a place provides while something is evaluated.
#[derive(Clone, Default)]
pub struct Scope<'a> {
    names: Vec<(&'a str, Cow<'a, Json>)>,
    pub now: Timestamp,
}

impl<'a> Scope<'a> {
    pub fn at(now: Timestamp) -> Self {
        Scope { names: Vec::new(), now }
    }

    /// Another name; one that was given before is covered.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: &'a Json) -> Self {
        self.names.push((name, Cow::Borrowed(value)));
        self
    }

    /// The same for a value that is made here.
    #[must_use]
    pub fn and(mut self, name: &'a str, value: Json) -> Self {
        self.names.push((name, Cow::Owned(value)));
        self
    }

    /// The value that a path leads to: a list, where it leads to several. An explicit null is a value; `None`: there is none.
    pub fn get(&self, path: &Path) -> Option<Cow<'_, Json>> {
        let (_, base) = self.names.iter().rev().find(|(name, _)| *name == path.root())?;
        if path.steps.len() == 1 {
            return Some(Cow::Borrowed(base));
        }
        let rest = path.rest();
        if rest.is_many() { Some(Cow::Owned(rest.all(base).into_iter().cloned().collect())) } else { rest.get(base).map(Cow::Borrowed) }
    }
}

/// An expression, ready to be evaluated. Where it is no more than a path, the value is handed on as it is.
#[derive(Clone)]
pub struct Formula {
    /// As it is written.
    pub text: String,
    pub span: Span,
    /// The paths that it reads, in the order of their slots.
    pub reads: Vec<Path>,
    /// What it reads of the elements of lists, as paths through those lists.
    through: Vec<Path>,
    run: Option<Arc<eval::Formula>>,
}

impl std::fmt::Debug for Formula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.text)
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.span) == (&other.text, other.span)
    }
}

impl Formula {
    /// Reads an expression. `span` is where its text stands; `known` are the names that the place provides.
    ///
    /// # Errors
    /// What cannot be read, and names that are not provided.
    pub fn read(text: &str, span: Span, known: &dyn Fn(&Path) -> Result<(), Diagnostic>) -> Result<Self, Vec<Diagnostic>> {
        if let Ok(path) = Path::parse(text, span)
            && matches!(path.steps.first(), Some(Step::Name(_)))
            && !matches!(text.trim(), "true" | "false")
        {
            known(&path).map_err(|fault| vec![fault])?;
            return Ok(Formula { text: text.trim().to_owned(), span, reads: vec![path], through: Vec::new(), run: None });
        }
        let tree = crate::syntax::read_expr(span.file, text)
            .map_err(|faults| faults.into_iter().map(|fault| moved(fault, span, text)).collect::<Vec<_>>())?;
        let mut lowering = Lowering { span, text, known, reads: Vec::new(), through: Vec::new(), bound: Vec::new(), elements: 0, found: Vec::new() };
        let expr = lowering.expr(&tree);
        let Lowering { reads, through, elements, found, .. } = lowering;
        if !found.is_empty() {
            return Err(found);
        }
        // The slots of elements stand behind those of paths, whose number is known only now.
        let given = u32::try_from(reads.len()).unwrap_or(u32::MAX);
        let mut expr = expr;
        settle(&mut expr, given);
        let run =
            eval::Formula::new(expr, given, given.saturating_add(elements)).map_err(|fault| vec![error::unreadable(span, &fault.to_string())])?;
        Ok(Formula { text: text.trim().to_owned(), span, reads, through, run: Some(Arc::new(run)) })
    }

    /// What it reads below a name, down to the last field: `labels.*.status` of `any(l.status == void for l in record.labels)`.
    pub fn asks(&self, root: &str) -> Vec<Path> {
        let names = |path: &Path| path.steps.iter().filter(|step| matches!(step, Step::Name(_))).cloned().collect::<Vec<_>>();
        let all: Vec<Path> = self.reads.iter().chain(&self.through).filter(|path| path.root() == root).map(Path::rest).collect();
        // A list of whose elements something is read is no more than the way there.
        let leads_on = |path: &Path| {
            let way = names(path);
            all.iter().map(names).any(|other| other.len() > way.len() && other.starts_with(&way))
        };
        let mut asked: Vec<Path> = Vec::new();
        for path in all.iter().filter(|path| !path.steps.is_empty() && !leads_on(path)) {
            if !asked.iter().any(|known| names(known) == names(path)) {
                asked.push(path.clone());
            }
        }
        asked
    }

    /// Whether it may be true: a comparison, a truth value, a path to one.
    pub fn is_condition(&self) -> bool {
        self.run.is_none() || crate::syntax::read_expr(self.span.file, &self.text).is_ok_and(|tree| gives_truth(&tree))
    }

    /// The path that it is, where it is no more.
    pub fn path(&self) -> Option<&Path> {
        if self.run.is_none() { self.reads.first() } else { None }
    }

    /// Its value; absent where there is none.
    pub fn value(&self, scope: &Scope<'_>) -> Option<Json> {
        let Some(run) = &self.run else { return self.reads.first().and_then(|path| scope.get(path)).map(Cow::into_owned) };
        let values = self.reads.iter().map(|path| scope.get(path).map_or(Value::ABSENT, |json| natural(&json))).collect();
        // A number that is too large, or a list that is too long, is no value.
        run.value(values, scope.now).ok().filter(|value| !value.is_missing()).map(|value| json::to_json(&value))
    }

    /// Whether it is true. What is missing is not.
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        self.value(scope) == Some(Json::Bool(true))
    }
}

/// Whether an expression may give true.
fn gives_truth(expr: &tree::Expr) -> bool {
    let function = |name: &str| {
        let truth = |kind: &Kind| matches!(kind, Kind::Boolean | Kind::Json | Kind::Any);
        builtin::find(name).is_none_or(|builtin| match &builtin.gives {
            Gives::Kind(kind) | Gives::Maybe(kind) => truth(kind),
            Gives::First | Gives::MaybeFirst | Gives::Element | Gives::MaybeElement => true,
            Gives::List(_) => false,
        })
    };
    match expr.kind.as_ref() {
        ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Boolean(_) | ExprKind::Not(_) | ExprKind::In { .. } | ExprKind::Matches { .. } => true,
        ExprKind::IsPresent(_) | ExprKind::IsMissing(_) => true,
        ExprKind::Binary { op, left, right } => match op.node {
            BinaryOp::And | BinaryOp::Or => gives_truth(left) && gives_truth(right),
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => false,
            _ => true,
        },
        ExprKind::Paren(inner) => gives_truth(inner),
        ExprKind::Fallback { value, fallback } => gives_truth(value) && gives_truth(fallback),
        ExprKind::If { then, otherwise, .. } => gives_truth(then) && otherwise.as_ref().is_none_or(gives_truth),
        ExprKind::Call { function: names, .. } | ExprKind::Pipe { function: names, .. } => names.last().is_some_and(|name| function(&name.node)),
        ExprKind::Aggregate { function: name, .. } => function(&name.node),
        _ => false,
    }
}

/// JSON as the values of the language that it looks like. Null and blank texts are missing, as in mappings.
fn natural(of: &Json) -> Value {
    match of {
        Json::Null => Value::Missing(Missing::Null),
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => json::digits(&number.to_string()).map_or_else(|| Value::text(number.to_string()), Value::Number),
        Json::String(text) if text.trim().is_empty() => Value::Missing(Missing::Blank),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(natural).collect()),
        Json::Object(fields) => {
            Value::Object(Arc::new(fields.iter().map(|(name, value)| (name.clone(), natural(value))).collect::<IndexMap<_, _>>()))
        }
    }
}

/// A diagnostic of the expression's own text, at the place of the text in the file.
fn moved(mut fault: Diagnostic, span: Span, text: &str) -> Diagnostic {
    // The pages of the language's own codes show statements of mappings.
    fault.code = Code::BadExpression;
    fault.help.retain(|help| help.edit.is_some() || !help.text.contains("crossdock explain"));
    let shift = |at: Span| within(span, text, at.start as usize, at.end as usize);
    fault.primary.span = shift(fault.primary.span);
    fault.others.iter_mut().for_each(|label| label.span = shift(label.span));
    for edit in fault.help.iter_mut().filter_map(|help| help.edit.as_mut()) {
        edit.span = shift(edit.span);
    }
    fault
}

/// A stretch of a text that stands at a place in the file. Where its length there is another one (it has escapes), it is the whole.
pub(super) fn within(span: Span, text: &str, start: usize, end: usize) -> Span {
    if (span.end - span.start) as usize != text.len() {
        return span;
    }
    let base = span.start as usize;
    Span::new(span.file, base + start.min(text.len()), base + end.min(text.len()))
}

/// Slots of elements are counted from here while the number of paths is not known.
const ELEMENT: u32 = 1 << 20;

fn settle(expr: &mut Expr, given: u32) {
    let place = |slot: &mut Slot| {
        if slot.0 >= ELEMENT {
            slot.0 = slot.0 - ELEMENT + given;
        }
    };
    match expr {
        Expr::Slot { slot, .. } | Expr::Sort { slot, .. } | Expr::Group { slot, .. } | Expr::Bind { slot, .. } => place(slot),
        Expr::Each { generators, .. } => generators.iter_mut().for_each(|generator| place(&mut generator.slot)),
        _ => {}
    }
    expr.parts_mut(&mut |part| settle(part, given));
}

struct Lowering<'k> {
    span: Span,
    text: &'k str,
    known: &'k dyn Fn(&Path) -> Result<(), Diagnostic>,
    reads: Vec<Path>,
    through: Vec<Path>,
    /// Names of elements, with their slots, and where their list stands.
    bound: Vec<(String, Slot, Option<Path>)>,
    elements: u32,
    found: Vec<Diagnostic>,
}

impl Lowering<'_> {
    fn at(&self, span: Span) -> Span {
        within(self.span, self.text, span.start as usize, span.end as usize)
    }

    fn refuse(&mut self, span: Span, why: &str) -> Expr {
        self.found.push(error::unreadable(self.at(span), why));
        Expr::Literal(Literal::Missing)
    }

    fn boxed(&mut self, expr: &tree::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn expr(&mut self, expr: &tree::Expr) -> Expr {
        match expr.kind.as_ref() {
            ExprKind::Name(_) | ExprKind::Field { .. } => self.path(expr),
            ExprKind::Text(text) => match text.plain() {
                Some(plain) => Expr::Literal(Literal::Text(plain)),
                None => {
                    let parts = text.parts.iter().map(|part| match part {
                        TextPart::Text(text) => Part::Text(text.clone()),
                        TextPart::Expr(inner) => Part::Expr(self.expr(inner)),
                    });
                    Expr::Template { parts: parts.collect(), message: false }
                }
            },
            ExprKind::Number(number) => Expr::Literal(Literal::Number(*number)),
            ExprKind::Boolean(truth) => Expr::Literal(Literal::Boolean(*truth)),
            ExprKind::Time(time) => Expr::Literal(Literal::Time(*time)),
            ExprKind::Call { function, arguments } => self.call(function, None, arguments, expr.span),
            ExprKind::Pipe { value, function, arguments } => self.call(function, Some(value), arguments, expr.span),
            ExprKind::Fallback { value, fallback } => Expr::Fallback { value: self.boxed(value), fallback: Box::new(self.word_or(fallback)) },
            ExprKind::Negate(inner) => Expr::Negate(self.boxed(inner)),
            ExprKind::Not(inner) => Expr::Not(self.boxed(inner)),
            ExprKind::Binary { op, left, right } => self.binary(op.node, left, right),
            ExprKind::In { value, list, negated } => {
                let value = self.boxed(value);
                let is = Expr::In { value, list: list.iter().map(|item| self.word_or(item)).collect() };
                if *negated { Expr::Not(Box::new(is)) } else { is }
            }
            ExprKind::Matches { value, pattern } => {
                let value = self.boxed(value);
                match plain(pattern) {
                    Some(pattern) => Expr::Matches { value, pattern: Pattern::Regex(pattern) },
                    None => self.refuse(pattern.span, "a pattern is a text in quotes"),
                }
            }
            ExprKind::IsPresent(inner) => self.expr(inner).is_present(),
            ExprKind::IsMissing(inner) => Expr::Not(Box::new(self.expr(inner).is_present())),
            ExprKind::If { condition, then, otherwise } => Expr::If {
                condition: self.boxed(condition),
                then: Box::new(self.word_or(then)),
                otherwise: Box::new(otherwise.as_ref().map_or(Expr::Literal(Literal::Missing), |otherwise| self.word_or(otherwise))),
            },
            ExprKind::Aggregate { function, value, generators, condition, arguments } => {
                let depth = self.bound.len();
                let mut lists = Vec::new();
                for of in generators {
                    let from = self.source(&of.list);
                    let list = self.expr(&of.list);
                    let slot = Slot(ELEMENT + self.elements);
                    self.elements += 1;
                    self.bound.push((of.name.node.clone(), slot, from));
                    lists.push(Generator { slot, name: of.name.node.clone(), list, optional: of.optional, index: None });
                }
                let condition = condition.as_ref().map(|condition| self.boxed(condition));
                let body = self.boxed(value);
                self.bound.truncate(depth);
                let list = Expr::Each { generators: lists, condition, body };
                self.function(&function.node, function.span, Some(list), arguments, expr.span)
            }
            ExprKind::List(items) => Expr::List(items.iter().map(|item| self.word_or(item)).collect()),
            ExprKind::Paren(inner) => self.expr(inner),
            ExprKind::Distinct(inner) => {
                let list = self.expr(inner);
                self.function("distinct", inner.span, Some(list), &[], expr.span)
            }
            ExprKind::Flatten(inner) => {
                let list = self.expr(inner);
                self.function("flatten", inner.span, Some(list), &[], expr.span)
            }
            ExprKind::Quantity { .. }
            | ExprKind::JsonPath { .. }
            | ExprKind::Unit { .. }
            | ExprKind::WasSent(_)
            | ExprKind::Reaches { .. }
            | ExprKind::Each { .. }
            | ExprKind::Group { .. }
            | ExprKind::Sort { .. }
            | ExprKind::Object(_) => self.refuse(expr.span, "this form of expression is one of mappings only"),
            ExprKind::Broken => self.refuse(expr.span, "it cannot be read"),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &tree::Expr, right: &tree::Expr) -> Expr {
        let compare = |op| move |lowering: &mut Self| Expr::Compare { op, left: lowering.boxed(left), right: Box::new(lowering.word_or(right)) };
        let arithmetic = |op| move |lowering: &mut Self| Expr::Arithmetic { op, left: lowering.boxed(left), right: lowering.boxed(right) };
        match op {
            BinaryOp::And => Expr::And(vec![self.expr(left), self.expr(right)]),
            BinaryOp::Or => Expr::Or(vec![self.expr(left), self.expr(right)]),
            BinaryOp::Equal => compare(Compare::Equal)(self),
            BinaryOp::NotEqual => compare(Compare::NotEqual)(self),
            BinaryOp::Less => compare(Compare::Less)(self),
            BinaryOp::LessOrEqual => compare(Compare::LessOrEqual)(self),
            BinaryOp::Greater => compare(Compare::Greater)(self),
            BinaryOp::GreaterOrEqual => compare(Compare::GreaterOrEqual)(self),
            BinaryOp::Add => arithmetic(Arithmetic::Add)(self),
            BinaryOp::Subtract => arithmetic(Arithmetic::Subtract)(self),
            BinaryOp::Multiply => arithmetic(Arithmetic::Multiply)(self),
            BinaryOp::Divide => arithmetic(Arithmetic::Divide)(self),
        }
    }

    /// A value that may also be a bare word: the right side of a comparison, an item of a list, a result of `if`.
    fn word_or(&mut self, expr: &tree::Expr) -> Expr {
        match expr.kind.as_ref() {
            ExprKind::Name(name) if name == "missing" => Expr::Literal(Literal::Missing),
            ExprKind::Name(name) if !self.is_known(name) => Expr::Literal(Literal::Text(name.clone())),
            _ => self.expr(expr),
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.bound.iter().any(|(bound, ..)| bound == name)
            || (self.known)(&Path { steps: vec![Step::Name(name.to_owned())], span: Span::default() }).is_ok()
    }

    /// A name with fields behind it: one slot, or fields of an element.
    fn path(&mut self, expr: &tree::Expr) -> Expr {
        let mut names = Vec::new();
        let mut inner = expr;
        loop {
            match inner.kind.as_ref() {
                ExprKind::Field { base, field } => {
                    names.push(field.node.clone());
                    inner = base;
                }
                ExprKind::Name(name) => {
                    names.push(name.clone());
                    break;
                }
                // Of what a function gives: `first(shops).name`.
                _ => {
                    let base = self.expr(inner);
                    names.reverse();
                    self.reads_through(self.source(inner), &names);
                    return names.into_iter().fold(base, field);
                }
            }
        }
        names.reverse();
        if let Some((_, slot, from)) = self.bound.iter().rev().find(|(bound, ..)| *bound == names[0]).cloned() {
            let base = Expr::Slot { slot, name: names[0].as_str().into() };
            self.reads_through(each_of(from), &names[1..]);
            return names.into_iter().skip(1).fold(base, field);
        }
        let path = Path { steps: names.into_iter().map(Step::Name).collect(), span: self.at(expr.span) };
        if let Err(fault) = (self.known)(&path) {
            self.found.push(fault);
        }
        let place = self.reads.iter().position(|read| read.steps == path.steps).unwrap_or_else(|| {
            self.reads.push(path.clone());
            self.reads.len() - 1
        });
        Expr::Slot { slot: Slot(u32::try_from(place).unwrap_or(u32::MAX)), name: path.to_string().into() }
    }

    /// Notes fields of what an expression takes from a path.
    fn reads_through(&mut self, from: Option<Path>, names: &[String]) {
        let Some(mut path) = from else { return };
        path.steps.extend(names.iter().cloned().map(Step::Name));
        if !self.through.iter().any(|known| known.steps == path.steps) {
            self.through.push(path);
        }
    }

    /// Where the value of an expression comes from, or its elements do: the path of what it begins with.
    fn source(&self, expr: &tree::Expr) -> Option<Path> {
        match expr.kind.as_ref() {
            ExprKind::Name(name) => match self.bound.iter().rev().find(|(bound, ..)| bound == name) {
                Some((.., from)) => each_of(from.clone()),
                None => Some(Path { steps: vec![Step::Name(name.clone())], span: self.at(expr.span) }),
            },
            ExprKind::Field { base, field } => {
                let mut path = self.source(base)?;
                path.steps.push(Step::Name(field.node.clone()));
                Some(path)
            }
            ExprKind::Paren(inner) | ExprKind::Distinct(inner) | ExprKind::Flatten(inner) => self.source(inner),
            ExprKind::Pipe { value, .. } | ExprKind::Fallback { value, .. } => self.source(value),
            ExprKind::Call { arguments, .. } => self.source(&arguments.first()?.value),
            _ => None,
        }
    }

    fn call(&mut self, function: &[tree::Name], piped: Option<&tree::Expr>, arguments: &[tree::Argument], span: Span) -> Expr {
        let [name] = function else { return self.refuse(span, "a description calls the language's own functions only") };
        let piped = piped.map(|value| self.expr(value));
        self.function(&name.node, name.span, piped, arguments, span)
    }

    fn function(&mut self, name: &str, at: Span, first: Option<Expr>, arguments: &[tree::Argument], span: Span) -> Expr {
        let Some(builtin) = builtin::find(name) else {
            let names: Vec<&str> = builtin::all().map(|builtin| builtin.name).collect();
            self.found.push(error::no_function(name, self.at(at), &names));
            return Expr::Literal(Literal::Missing);
        };
        let mut given: Vec<Expr> = first.into_iter().collect();
        // Words stand side by side: `round 2 half up`.
        let mut words: Vec<String> = Vec::new();
        for argument in arguments {
            let takes = builtin.takes.get(given.len()).map(|param| &param.takes);
            match (takes, plain(&argument.value)) {
                (Some(Takes::Words(_)), Some(word)) => words.push(word),
                _ => given.push(self.expr(&argument.value)),
            }
        }
        if !words.is_empty() {
            given.push(Expr::Literal(Literal::Text(words.join(" "))));
        }
        let needed = builtin.takes.iter().filter(|param| !param.optional).count();
        if given.len() < needed || given.len() > builtin.takes.len() {
            return self.refuse(span, &format!("`{name}` is given {} values, and takes {needed} to {}", given.len(), builtin.takes.len()));
        }
        Expr::Call { function: BuiltinRef(builtin), arguments: given }
    }
}

fn each_of(list: Option<Path>) -> Option<Path> {
    list.map(|mut path| {
        path.steps.push(Step::Each);
        path
    })
}

fn field(base: Expr, name: String) -> Expr {
    Expr::Field { base: Box::new(base), name: name.into(), kind: Kind::Json, wire: WireEncoding::Plain, held: false }
}

/// The text of a literal or of a bare word.
fn plain(expr: &tree::Expr) -> Option<String> {
    match expr.kind.as_ref() {
        ExprKind::Text(text) => text.plain(),
        ExprKind::Name(word) => Some(word.clone()),
        ExprKind::Paren(inner) => plain(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use serde_json::json;

    use super::*;
    use crate::base::FileId;

    fn read(text: &str) -> Result<Formula, Vec<Diagnostic>> {
        let span = Span::new(FileId(0), 0, text.len());
        let known =
            |path: &Path| if ["record", "status", "asked"].contains(&path.root()) { Ok(()) } else { Err(error::unreadable(path.span, "unknown")) };
        Formula::read(text, span, &known)
    }

    fn value(text: &str, record: Json) -> Option<Json> {
        read(text).unwrap().value(&Scope::default().and("record", record).and("status", json!(409)).and("asked", json!("write")))
    }

    #[test]
    fn what_is_asked_for_is_each_field_down_to_the_last() {
        for (text, paths) in [
            ("record.state", vec!["state"]),
            ("count(record.labels) > 0 and all(l.status in (void) for l in record.labels)", vec!["labels.*.status"]),
            ("count(record.labels) > 0", vec!["labels"]),
            ("any(p.done == true for b in record.boxes, p in b.parts where b.kind == x)", vec!["boxes.*.parts.*.done", "boxes.*.kind"]),
            ("any(t == red for t in record.tags)", vec!["tags"]),
            ("first(record.labels).status == void", vec!["labels.status"]),
            ("any(e.node.sku == a for e in record.lines.edges) or record.n is missing", vec!["n", "lines.edges.*.node.sku"]),
            ("status == 409", vec![]),
        ] {
            let mut asked: Vec<String> = read(text).unwrap().asks("record").iter().map(Path::to_string).collect();
            let mut paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
            asked.sort();
            paths.sort();
            assert_eq!(asked, paths, "{text}");
        }
    }

    #[test]
    fn paths_words_and_missing_values_are_as_in_mappings() {
        let parcel = || json!({"state": "done", "blank": " ", "none": null, "n": 12.50, "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]});
        for (text, holds) in [
            ("record.state == done", true),
            ("record.state == \"done\" and status == 409", true),
            ("asked == write or record.n == 1", true),
            ("record.blank is missing and record.none is missing and record.other is missing", true),
            ("record.n > 12 and record.n <= 12.5", true),
            ("record.state in (open, done)", true),
            ("record.state not in (open, done)", false),
            ("any(l.sku == b for l in record.lines)", true),
            ("all(l.n > 1 for l in record.lines)", false),
            ("not any(l.sku == c for l in record.lines where l.n > 1)", true),
            ("count(record.lines) == 2", true),
            ("record.state matches \"d.*\"", true),
            ("record.other > 3", false),
        ] {
            assert_eq!(value(text, parcel()), Some(json!(holds)), "{text}");
        }
        assert_eq!(value("record.lines", parcel()), Some(parcel()["lines"].clone()), "a path hands on what is there");
        assert_eq!(value("if record.state == done then shipped else record.state", parcel()), Some(json!("shipped")));
        assert_eq!(value("record.other ?? record.state", parcel()), Some(json!("done")));
        assert_eq!(value("first(record.lines).sku", parcel()), Some(json!("a")));
        assert_eq!(value("last(record.way | split \"/\")", json!({"way": "/a/b/17"})), Some(json!("17")));
        assert_eq!(value("0 - record.id", json!({"id": 7})), Some(json!(-7)));
        assert_eq!(value("record.other", parcel()), None);
    }

    #[test]
    fn names_that_are_not_provided_and_forms_of_mappings_are_told_at_their_place() {
        let place = |text: &str| {
            let faults = read(text).unwrap_err();
            (faults[0].primary.span.start, faults[0].primary.span.end)
        };
        assert_eq!(place("status == 1 and recrod.state == 2"), (16, 28));
        assert_eq!(place("recrod.state"), (0, 12));
        assert_eq!(place("3 days == 2"), (0, 6));
        assert_eq!(place("cuont(record.lines) == 1"), (0, 5));
        assert!(read("record.state ==").is_err());
        assert!(read("record.state matches \"([\"").is_err());
    }
}
