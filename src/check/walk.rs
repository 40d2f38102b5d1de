//! Every expression inside an expression.

use crate::syntax::tree::{Argument, Expr, ExprKind, FieldRow, Generator, RowValue, TextPart};

/// Calls `f` with the expression and all inside it, outer ones first.
pub(super) fn exprs<'t>(expr: &'t Expr, f: &mut dyn FnMut(&'t Expr)) {
    f(expr);
    match expr.kind.as_ref() {
        ExprKind::Name(_) | ExprKind::Number(_) | ExprKind::Boolean(_) | ExprKind::Time(_) | ExprKind::Quantity { .. } | ExprKind::Broken => {}
        ExprKind::Field { base, .. } => exprs(base, f),
        ExprKind::Text(text) => {
            for part in &text.parts {
                if let TextPart::Expr(expr) = part {
                    exprs(expr, f);
                }
            }
        }
        ExprKind::Call { arguments, .. } => all(arguments, f),
        ExprKind::Pipe { value, arguments, .. } => {
            exprs(value, f);
            all(arguments, f);
        }
        ExprKind::Fallback { value, fallback } => {
            exprs(value, f);
            exprs(fallback, f);
        }
        ExprKind::JsonPath { value, .. }
        | ExprKind::Unit { value, .. }
        | ExprKind::Negate(value)
        | ExprKind::Not(value)
        | ExprKind::IsPresent(value)
        | ExprKind::IsMissing(value)
        | ExprKind::WasSent(value)
        | ExprKind::Distinct(value)
        | ExprKind::Flatten(value)
        | ExprKind::Paren(value) => exprs(value, f),
        ExprKind::Binary { left, right, .. } => {
            exprs(left, f);
            exprs(right, f);
        }
        ExprKind::In { value, list, .. } => {
            exprs(value, f);
            list.iter().for_each(|item| exprs(item, f));
        }
        ExprKind::Matches { value, pattern } => {
            exprs(value, f);
            exprs(pattern, f);
        }
        ExprKind::Reaches { value, thresholds } => {
            exprs(value, f);
            thresholds.iter().for_each(|item| exprs(item, f));
        }
        ExprKind::If { condition, then, otherwise } => {
            exprs(condition, f);
            exprs(then, f);
            if let Some(otherwise) = otherwise {
                exprs(otherwise, f);
            }
        }
        ExprKind::Each { generators, condition, rows } => {
            ranges(generators, condition.as_ref(), f);
            if let Some(rows) = rows {
                fields(rows, f);
            }
        }
        ExprKind::Aggregate { value, generators, condition, arguments, .. } => {
            ranges(generators, condition.as_ref(), f);
            exprs(value, f);
            all(arguments, f);
        }
        ExprKind::Group { list, by } => {
            exprs(&list.list, f);
            exprs(by, f);
        }
        ExprKind::Sort { list, by, .. } => {
            exprs(&list.list, f);
            if let Some(by) = by {
                exprs(by, f);
            }
        }
        ExprKind::Object(rows) => fields(rows, f),
        ExprKind::List(items) => items.iter().for_each(|item| exprs(item, f)),
    }
}

/// The same for all values of rows, nested ones too.
pub(super) fn fields<'t>(rows: &'t [FieldRow], f: &mut dyn FnMut(&'t Expr)) {
    for row in rows {
        match &row.value {
            RowValue::Expr(expr) => exprs(expr, f),
            RowValue::Object { when, rows } => {
                if let Some(when) = when {
                    exprs(when, f);
                }
                fields(rows, f);
            }
            RowValue::Clear | RowValue::Remove => {}
        }
    }
}

fn ranges<'t>(generators: &'t [Generator], condition: Option<&'t Expr>, f: &mut dyn FnMut(&'t Expr)) {
    generators.iter().for_each(|generator| exprs(&generator.list, f));
    if let Some(condition) = condition {
        exprs(condition, f);
    }
}

fn all<'t>(arguments: &'t [Argument], f: &mut dyn FnMut(&'t Expr)) {
    arguments.iter().for_each(|argument| exprs(&argument.value, f));
}
