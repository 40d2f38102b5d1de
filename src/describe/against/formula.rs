//! Expressions: what they read is there, and what they compare it with is one of its values.

use super::form::Form;
use super::{Surveyor, error};
use crate::base::{Span, nearest};
use crate::describe::text::{Formula, Piece, Template};
use crate::syntax::tree::{Argument, BinaryOp, Expr, ExprKind, TextPart};

/// What is known of the names of a place.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    names: Vec<(String, Form<'a>)>,
    /// Fields of an item beside those of the object: the keys of a write, what `put`, `derive` and `with` bring.
    pub(super) also: Vec<String>,
}

impl<'a> Names<'a> {
    #[must_use]
    pub(super) fn with(mut self, name: &str, form: &Form<'a>) -> Self {
        self.names.push((name.to_owned(), form.clone()));
        self
    }

    fn get(&self, name: &str) -> Option<&Form<'a>> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, form)| form)
    }
}

impl<'a> Surveyor<'a> {
    pub(super) fn formula(&mut self, formula: &Formula, names: &Names<'a>) {
        // What cannot be read has been told by the reader of descriptions.
        let Ok(tree) = crate::syntax::read_expr(formula.span.file, &formula.text) else { return };
        let mut names = names.clone();
        self.expr(&tree, formula.span, &mut names);
    }

    pub(super) fn template(&mut self, template: &Template, names: &Names<'a>) {
        for piece in &template.pieces {
            if let Piece::Value { value, .. } = piece {
                self.formula(value, names);
            }
        }
    }

    fn expr(&mut self, expr: &Expr, span: Span, names: &mut Names<'a>) -> Form<'a> {
        let unknown = Form::default();
        match expr.kind.as_ref() {
            ExprKind::Name(name) => return names.get(name).cloned().unwrap_or_default(),
            ExprKind::Field { base, field } => {
                let below = self.expr(base, span, names);
                if below.is_unknown() {
                    return unknown;
                }
                let also = matches!(base.kind.as_ref(), ExprKind::Name(_)) && names.also.contains(&field.node);
                return match below.step(&field.node) {
                    Ok(form) => form,
                    Err(_) if also => unknown,
                    Err(lost) => {
                        self.found.push(error::not_in_file(&lost, span));
                        unknown
                    }
                };
            }
            ExprKind::Paren(inner) | ExprKind::Distinct(inner) | ExprKind::Flatten(inner) => return self.expr(inner, span, names),
            ExprKind::Binary { op, left, right } => {
                self.expr(left, span, names);
                self.expr(right, span, names);
                if matches!(op.node, BinaryOp::Equal | BinaryOp::NotEqual) {
                    self.compared(left, right, span, names);
                    self.compared(right, left, span, names);
                }
            }
            ExprKind::In { value, list, .. } => {
                self.expr(value, span, names);
                for item in list {
                    self.expr(item, span, names);
                    self.compared(value, item, span, names);
                }
            }
            ExprKind::Aggregate { value, generators, condition, arguments, .. } => {
                let depth = names.names.len();
                for generator in generators {
                    let list = self.expr(&generator.list, span, names);
                    names.names.push((generator.name.node.clone(), list.item()));
                }
                if let Some(condition) = condition {
                    self.expr(condition, span, names);
                }
                self.expr(value, span, names);
                names.names.truncate(depth);
                self.arguments(arguments, span, names);
            }
            ExprKind::Call { arguments, .. } => self.arguments(arguments, span, names),
            ExprKind::Pipe { value, arguments, .. } => {
                self.expr(value, span, names);
                self.arguments(arguments, span, names);
            }
            ExprKind::Fallback { value, fallback } => {
                let form = self.expr(value, span, names);
                self.expr(fallback, span, names);
                return form;
            }
            ExprKind::Negate(inner) | ExprKind::Not(inner) | ExprKind::IsPresent(inner) | ExprKind::IsMissing(inner) => {
                self.expr(inner, span, names);
            }
            ExprKind::If { condition, then, otherwise } => {
                for part in [Some(condition), Some(then), otherwise.as_ref()].into_iter().flatten() {
                    self.expr(part, span, names);
                }
            }
            ExprKind::Matches { value, .. } => {
                self.expr(value, span, names);
            }
            ExprKind::List(items) => {
                for item in items {
                    self.expr(item, span, names);
                }
            }
            ExprKind::Text(text) => {
                for part in &text.parts {
                    if let TextPart::Expr(inner) = part {
                        self.expr(inner, span, names);
                    }
                }
            }
            _ => {}
        }
        unknown
    }

    fn arguments(&mut self, arguments: &[Argument], span: Span, names: &mut Names<'a>) {
        for argument in arguments {
            self.expr(&argument.value, span, names);
        }
    }

    /// A value that is compared with a word: it has to be one that it can have.
    fn compared(&mut self, value: &Expr, with: &Expr, span: Span, names: &mut Names<'a>) {
        let word = match with.kind.as_ref() {
            ExprKind::Name(name) if names.get(name).is_none() && !matches!(name.as_str(), "missing" | "true" | "false") => name.clone(),
            ExprKind::Text(text) => match text.plain() {
                Some(plain) => plain,
                None => return,
            },
            _ => return,
        };
        let ExprKind::Field { base, field } = value.kind.as_ref() else { return };
        let before = self.found.len();
        let below = self.expr(base, span, names);
        let form = below.step(&field.node).unwrap_or_default();
        // What is wrong with the value itself is told once.
        self.found.truncate(before);
        match form.accepts(&word).and_then(|()| below.tells(&field.node, &word)) {
            Ok(()) => self.use_forms(&below, &field.node, &word),
            Err(unknown) => self.found.push(error::not_in_file(&unknown, span)),
        }
    }

    /// `{item.x}`: a field of the object, or one that the call has here under this name.
    pub(super) fn item_read(&mut self, path: &[String], sink: Option<&str>, object: &Form<'a>, names: &Names<'a>, span: Span) {
        let Some(name) = path.first().map(String::as_str) else { return };
        if sink == Some(name) || object.is_unknown() || names.also.iter().any(|also| also == name) {
            return;
        }
        if let Ok(mut form) = object.step(name) {
            for word in &path[1..] {
                match form.step(word) {
                    Ok(below) => form = below,
                    Err(unknown) if !form.is_unknown() => return self.found.push(error::not_in_file(&unknown, span)),
                    Err(_) => return,
                }
            }
            return;
        }
        let near = nearest(name, object.names().into_iter().chain(sink));
        self.found.push(error::no_item(name, near, span));
    }
}
