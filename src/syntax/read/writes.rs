//! Writes and their rows.

use super::super::grammar::Rule as G;
use super::super::outline::{Range, Statement, first_word};
use super::super::tree::{Expr, FieldRow, Guard, InDoubt, Key, Name, Policy, RowValue, Write, WriteOp};
use super::flow::name_behind;
use super::{Reader, mistake, parts};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, Spanned};
use crate::value::{LengthUnit, WeightUnit, seconds_of};

/// The name behind an `as` at the end of a condition, where it is no unit and no currency.
fn unit_that_is_a_name(condition: &Expr) -> Option<Name> {
    let mut ends = condition.clone();
    let name = name_behind(&mut ends)?;
    let word = name.node.as_str();
    let is_unit = WeightUnit::parse(word).is_some()
        || LengthUnit::parse(word).is_some()
        || seconds_of(word).is_some()
        || (word.len() == 3 && word.chars().all(|letter| letter.is_ascii_uppercase()));
    (!is_unit).then_some(name)
}

impl<'t> Reader<'t> {
    pub(super) fn write(&mut self, statement: &Statement) -> Option<Write> {
        let head = self.head(G::write_head, statement);
        self.no_tail(statement);
        self.block_wanted(statement, true);
        let (rows, guards) = statement.block.as_ref().map(|block| self.rows(&block.statements)).unwrap_or_default();
        let (pair, base) = head?;
        let mut op = Spanned::new(WriteOp::Update, statement.head.span(self.file));
        let (mut object, mut of, mut key, mut name, mut when, mut in_doubt) = (None, None, None, None, None, None);
        // `of name` and `as name` are told apart by the word before them.
        let mut word = G::kw_as;
        for part in pair.into_inner() {
            match part.as_rule() {
                rule @ (G::kw_of | G::kw_as) => word = rule,
                G::write_op => {
                    let span = self.span(&part, base);
                    let node = match part.as_str().trim() {
                        "create" => WriteOp::Create,
                        "upsert" => WriteOp::Upsert,
                        _ => WriteOp::Update,
                    };
                    op = Spanned::new(node, span);
                }
                G::object_path => object = self.object_path(part, base),
                G::name if word == G::kw_of => of = Some(self.name(&part, base)),
                G::name => name = Some(self.name(&part, base)),
                G::write_key => {
                    let span = self.span(&part, base);
                    let mut field = None;
                    let mut value = None;
                    for inner in parts(part) {
                        if inner.as_rule() == G::field {
                            field = Some(self.name(&inner, base));
                        } else {
                            let mut read = self.expr(inner, base);
                            name = name_behind(&mut read).or(name);
                            value = Some(read);
                        }
                    }
                    key = value.map(|value| Key { field, value, span });
                }
                G::expr => {
                    let behind = self.span(&part, base);
                    let mut condition = self.expr(part, base);
                    if let Some(misplaced) = unit_that_is_a_name(&condition).filter(|_| name.is_none()) {
                        self.name_behind_when(&misplaced, behind);
                        name = name_behind(&mut condition);
                    }
                    when = Some(condition);
                }
                G::in_doubt => {
                    let span = self.span(&part, base);
                    let look = parts(part).next().is_some_and(|inner| inner.as_rule() == G::look_up);
                    in_doubt = Some(Spanned::new(if look { InDoubt::LookUp } else { InDoubt::Review }, span));
                }
                _ => {}
            }
        }
        let head = statement.head.span(self.file);
        Some(Write { op, object: object?, of, key, name, when, in_doubt, rows, guards, head })
    }

    /// `when … as sent`: the name of a write stands before its condition.
    fn name_behind_when(&mut self, name: &Name, condition: Span) {
        let (start, end) = (condition.start as usize, condition.end as usize);
        let text = self.slice(Range { start, end });
        let before = text.get(..(name.span.start as usize).saturating_sub(start)).unwrap_or(text).trim_end();
        let before = before.strip_suffix("as").unwrap_or(before).trim_end();
        // From the word `when` to the name.
        let head = self.slice(Range { start: 0, end: start }).trim_end();
        let whole = Span::new(self.file, head.len().saturating_sub("when".len()), end);
        let mended = format!("as {} when {before}", name.node);
        self.found.push(mistake::name_behind_when(name.span, whole, mended));
    }

    /// The rows of a write, a nested object or an `each`, and the guards among them.
    pub(super) fn rows(&mut self, statements: &[Statement]) -> (Vec<FieldRow>, Vec<Guard>) {
        let mut rows = Vec::new();
        let mut guards = Vec::new();
        for statement in statements {
            let text = self.slice(statement.head);
            let mut inner = statement.clone();
            let mut word = first_word(text);
            let rest = text[word.len()..].trim_start();
            let is_field = rest.starts_with('=') || rest.starts_with('.');
            if word == "override" && !is_field {
                inner.head.start += text.len() - rest.len();
                word = first_word(rest);
            }
            let statement = &inner;
            match word {
                "guard" if !is_field => guards.extend(self.guard(statement)),
                _ => rows.extend(self.row(statement)),
            }
        }
        (rows, guards)
    }

    fn guard(&mut self, statement: &Statement) -> Option<Guard> {
        self.block_wanted(statement, false);
        let (pair, base) = self.head(G::guard_stmt, statement)?;
        let span = self.span(&pair, base);
        let mut inner = parts(pair);
        let condition = self.expr(inner.next()?, base);
        let otherwise = inner.next().map(|stop| self.stop(stop, base));
        if otherwise.is_none() {
            self.found.push(Diagnostic::new(Code::Unreadable, span.after(), "a guard says what happens where it does not hold").mend(
                "write `else review \"…\"` or `else reject \"…\"`",
                span.after(),
                " else review \"…\"",
            ));
            self.broken = true;
        }
        Some(Guard { condition, otherwise, span })
    }

    fn row(&mut self, statement: &Statement) -> Option<FieldRow> {
        let text = self.slice(statement.head);
        let word = first_word(text);
        let rest = text[word.len()..].trim_start();
        let is_field = rest.starts_with('=') || rest.starts_with('.') || rest.is_empty() || rest.starts_with("when ");
        let end = if statement.block.is_some() { statement.tail.start } else { statement.head.end };
        let span = Span::new(self.file, statement.head.start, end.max(statement.head.end));
        let said = statement.head.span(self.file);
        let made = |place: Vec<Name>, value: RowValue, policy: Option<Spanned<Policy>>| FieldRow {
            doc: statement.doc.clone(),
            place,
            value,
            policy,
            span,
            head: said,
        };
        if matches!(word, "clear" | "remove") && !is_field {
            self.block_wanted(statement, false);
            let (rule, value) = if word == "clear" { (G::clear_row, RowValue::Clear) } else { (G::remove_row, RowValue::Remove) };
            let (pair, base) = self.head(rule, statement)?;
            let place = self.place(parts(pair).next()?, base);
            return Some(made(place, value, None));
        }
        // `name { … }` and `name when c { … }` have no `=` before their block.
        let nested = statement.block.is_some() && !has_equals(text);
        if nested {
            let (pair, base) = self.head(G::object_head, statement)?;
            self.no_tail(statement);
            let mut inner = parts(pair).filter(|part| part.as_rule() != G::kw_when);
            let place = self.place(inner.next()?, base);
            let when = inner.next().map(|expr| self.expr(expr, base));
            let block = statement.block.as_ref()?;
            let (rows, guards) = self.rows(&block.statements);
            for guard in guards {
                self.found.push(Diagnostic::new(Code::Misplaced, guard.span, "a `guard` stands in a write, beside its rows"));
                self.broken = true;
            }
            return Some(made(place, RowValue::Object { when, rows }, None));
        }
        let (pair, base) = self.head(G::row, statement)?;
        let head = self.span(&pair, base);
        let mut place = Vec::new();
        let mut value = None;
        let mut policy = None;
        for part in parts(pair) {
            match part.as_rule() {
                G::path => place = self.place(part, base),
                G::policy => policy = Some(self.policy(&part, base)),
                _ => value = Some(self.expr(part, base)),
            }
        }
        let value = self.with_block(statement, value, head)?;
        let (value, behind) = self.tail(statement, value);
        Some(made(place, RowValue::Expr(value), policy.or(behind)))
    }

    fn place(&mut self, pair: pest::iterators::Pair<'t, G>, base: usize) -> Vec<Name> {
        parts(pair).map(|name| self.name(&name, base)).collect()
    }

    fn policy(&mut self, pair: &pest::iterators::Pair<'t, G>, base: usize) -> Spanned<Policy> {
        let node = match pair.as_str().trim() {
            "once" => Policy::Once,
            "clear" => Policy::Clear,
            _ => Policy::IfEmpty,
        };
        Spanned::new(node, self.span(pair, base))
    }

    /// What stands behind a value's block: pipes, a policy.
    pub(super) fn tail(&mut self, statement: &Statement, value: Expr) -> (Expr, Option<Spanned<Policy>>) {
        if statement.tail.is_empty() || statement.broken {
            return (value, None);
        }
        let base = statement.tail.start;
        let Some(pair) = self.sentence(G::row_tail, statement.tail) else { return (value, None) };
        let mut policy = None;
        let mut steps = Vec::new();
        for part in parts(pair) {
            if part.as_rule() == G::policy {
                policy = Some(self.policy(&part, base));
            } else {
                steps.push(part);
            }
        }
        (self.pipe_steps(value, steps.into_iter(), base), policy)
    }
}

/// Whether a row's head sets a field: a `=` by itself, outside texts.
fn has_equals(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'=') => {
                let before = at.checked_sub(1).map(|at| bytes[at]);
                let pair = bytes.get(at + 1) == Some(&b'=') || matches!(before, Some(b'=' | b'!' | b'<' | b'>'));
                if !pair {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}
