//! The rows of a target object: which fields are set, by what, and which are left out.

use indexmap::IndexMap;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::assign::Target;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::facts::Presence;
use crate::check::key::{Key, Term};
use crate::ir::{self, Body, Expr, Operation, Policy};
use crate::schema::Field;
use crate::syntax::tree::{self, FieldRow, RowValue};
use crate::value::{Column, Kind, ObjectRef, Type};

/// Where the rows stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'k> {
    /// `None` inside a record: its parts are whole, whatever is done with the record.
    pub op: Option<Operation>,
    /// The field that the key goes into.
    pub key: Option<&'k str>,
    /// What lacks a field: the write's head, the nested object's name.
    pub head: Span,
}

impl At<'_> {
    fn whole(&self) -> bool {
        self.op != Some(Operation::Update)
    }

    fn writable(&self, field: &Field) -> bool {
        match self.op {
            Some(Operation::Create) => field.write.create,
            Some(Operation::Update) => field.write.update,
            Some(Operation::Upsert) | None => field.write.create || field.write.update,
        }
    }
}

impl Checker<'_> {
    /// `{ … }` as a value: the target object that is wanted here, else a record of its own.
    pub(super) fn object_literal(&mut self, rows: &[FieldRow], span: Span, want: Option<&Kind>) -> TypedExpr {
        if let Some(Kind::Object(of)) = want {
            let body = self.body(of, rows, At { op: None, key: None, head: span });
            let kind = Kind::Object(of.clone());
            return TypedExpr::new(Expr::Object { rows: body.rows, object: Some(of.clone()) }, kind, vec![Key::new(Term::Object(span))], span);
        }
        let mut columns: Vec<Column> = Vec::new();
        let mut out = Vec::new();
        for row in rows {
            let Some(name) = row.place.first() else { continue };
            let typed = match &row.value {
                RowValue::Expr(value) => self.expr(value, None),
                RowValue::Object { rows, .. } => self.object_literal(rows, row.span, None),
                RowValue::Clear | RowValue::Remove => continue,
            };
            if columns.iter().any(|column| column.name == name.node) {
                self.report(Diagnostic::new(Code::FieldSetTwice, name.span, format!("`{}` is set twice", name.node)));
                continue;
            }
            let nullable = typed.presence.open(&self.facts).is_some();
            columns.push(Column { name: name.node.clone(), of: Type { kind: typed.kind, nullable } });
            out.push(ir::Row {
                name: name.node.clone(),
                value: ir::RowValue::Expr(typed.expr),
                policy: Policy::Changed,
                place: self.place(row.head),
            });
        }
        TypedExpr::new(Expr::Object { rows: out, object: None }, Kind::Row(columns.into()), vec![Key::new(Term::Object(span))], span)
            .present_if(Presence::Always)
    }

    /// The rows of a target object.
    pub(super) fn body(&mut self, of: &ObjectRef, rows: &[FieldRow], at: At<'_>) -> Body {
        let Some(object) = self.object(of) else {
            return Body { object: of.clone(), rows: Vec::new() };
        };
        let mut groups: IndexMap<&str, Vec<&FieldRow>> = IndexMap::new();
        for row in rows {
            if let Some(first) = row.place.first() {
                groups.entry(first.node.as_str()).or_default().push(row);
            }
        }
        let mut out = Vec::new();
        for (name, rows) in &groups {
            let first = &rows[0].place[0];
            let Some(field) = object.fields.get(*name) else {
                self.report(error::fields::unknown_target(of, &object, first));
                // The value may hold a mistake of its own.
                for row in rows {
                    if let RowValue::Expr(value) = &row.value {
                        let _ = self.expr(value, None);
                    }
                }
                continue;
            };
            if !at.writable(field) {
                self.report(error::fields::not_writable(of, first, field, at.op));
                continue;
            }
            if let (Some(key), Some(_)) = (at.key.filter(|key| key == name), at.op) {
                self.report(error::doubts::key_set_again(of, key, rows[0].span, at.head));
                continue;
            }
            if let Some(row) = self.field_group(of, name, field, rows, at) {
                out.push(row);
            }
        }
        if at.whole() && !self.context.broken.get(self.unit).copied().unwrap_or(false) {
            let missing: Vec<&str> = object
                .fields
                .iter()
                .filter(|(name, field)| field.write.required && !groups.contains_key(name.as_str()) && at.key != Some(name.as_str()))
                .map(|(name, _)| name.as_str())
                .collect();
            if !missing.is_empty() {
                self.report(error::fields::required_unset(of, &missing, at.head, &object.system));
            }
        }
        self.units_beside(rows, &out);
        Body { object: of.clone(), rows: out }
    }

    /// All rows for one field: one, or several that each set a part of it.
    fn field_group(&mut self, of: &ObjectRef, name: &str, field: &Field, rows: &[&FieldRow], at: At<'_>) -> Option<ir::Row> {
        let whole: Vec<&&FieldRow> = rows.iter().filter(|row| row.place.len() == 1).collect();
        if rows.len() > 1 && !whole.is_empty() {
            let (one, two) = (rows[0], rows[1]);
            self.report(error::fields::set_twice(of, name, two.place[0].span, one.place[0].span));
            return None;
        }
        let row = rows[0];
        let first = &row.place[0];
        let place = self.place(row.head);
        if row.place.len() > 1 {
            let inner: Vec<FieldRow> = rows.iter().map(|row| FieldRow { place: row.place[1..].to_vec(), ..(*row).clone() }).collect();
            let value = self.nested(of, name, field, None, &inner, first)?;
            return Some(ir::Row { name: name.to_owned(), value, policy: Policy::Changed, place });
        }
        let policy = self.policy(row, of, name, field, at);
        self.taken_only_once(row, of, name, field, at);
        let value = match &row.value {
            RowValue::Expr(value) => {
                let required = field.write.required && at.whole();
                let target = Target { object: of, name, field, span: first.span, required };
                let before = self.target_reads(at);
                let expr = self.assign(value, &target);
                self.restore_target(before);
                ir::RowValue::Expr(expr?)
            }
            RowValue::Object { when, rows } => self.nested(of, name, field, when.as_ref(), rows, first)?,
            RowValue::Clear => {
                if !field.write.nullable {
                    self.report(error::fields::cannot_clear(of, name, row.span));
                }
                ir::RowValue::Clear
            }
            RowValue::Remove => return None,
        };
        Some(ir::Row { name: name.to_owned(), value, policy, place })
    }

    /// A create has no record to look at.
    fn target_reads(&mut self, at: At<'_>) -> Option<ObjectRef> {
        let before = self.target.clone();
        if at.op == Some(Operation::Create) {
            self.target = None;
        }
        before
    }

    fn restore_target(&mut self, before: Option<ObjectRef>) {
        self.target = before;
    }

    fn policy(&mut self, row: &FieldRow, of: &ObjectRef, name: &str, field: &Field, at: At<'_>) -> Policy {
        let Some(policy) = &row.policy else { return Policy::Changed };
        match policy.node {
            tree::Policy::Once => {
                if at.op == Some(Operation::Update) {
                    self.report(
                        Diagnostic::new(Code::OnceInUpdate, policy.span, "`once` sets a field when a record is created, and an update creates none")
                            .help("write `if empty` to fill it without overwriting, or leave the word out"),
                    );
                }
                Policy::Once
            }
            tree::Policy::IfEmpty => Policy::IfEmpty,
            tree::Policy::Clear => {
                if !field.write.nullable {
                    self.report(error::fields::cannot_clear(of, name, policy.span));
                }
                Policy::Clear
            }
        }
    }

    fn nested(
        &mut self,
        of: &ObjectRef,
        name: &str,
        field: &Field,
        when: Option<&tree::Expr>,
        rows: &[FieldRow],
        first: &tree::Name,
    ) -> Option<ir::RowValue> {
        let Kind::Object(inner) = &field.kind else {
            self.report(error::fields::not_an_object(of, name, first.span, &field.kind));
            return None;
        };
        let when = when.map(|when| self.condition(when));
        if let Some(when) = &when {
            self.always_alike(when, "the object is always sent, or never");
        }
        if let (Some(when), true) = (&when, field.write.required) {
            self.report(
                Diagnostic::new(Code::MayBeMissing, when.span, format!("`{of}.{name}` is required, so it cannot depend on a condition"))
                    .why("a record for which the condition does not hold would be refused"),
            );
        }
        let known = when.as_ref().map(|when| when.refinement.if_true.clone()).unwrap_or_default();
        let inner = inner.clone();
        let body = self.with_facts(&known, |checker| checker.body(&inner, rows, At { op: None, key: None, head: first.span }));
        Some(ir::RowValue::Object { when: when.map(|when| when.expr), optional: !field.write.required, body })
    }
}
