//! Names and paths: what a bare name means where it stands, and the fields behind a dot.

use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, bounds};
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error;
use crate::check::extent::{Extent, Open, Unit, is_prose};
use crate::check::facts::{Presence, Why, present};
use crate::check::items::What;
use crate::check::key::{Key, Term};
use crate::ir::{ContextVar, Expr};
use crate::syntax::habits;
use crate::syntax::tree::{self, ExprKind};
use crate::value::{Kind, Literal, WireEncoding};

impl Checker<'_> {
    // ---- names

    pub(super) fn name(&mut self, name: &str, span: Span, want: Option<&Kind>) -> TypedExpr {
        let given = self.find(name).cloned();
        let value = match want {
            Some(Kind::Enumeration(of)) => of.resolve(name).map(|value| (Arc::clone(of), value.to_owned())),
            _ => None,
        };
        if let Some(binding) = given {
            if let Some((of, _)) = &value {
                self.report(error::names::ambiguous(name, span, binding.span, &of.name));
                return TypedExpr::erroneous(span);
            }
            if binding.grouped && self.grouped {
                self.report(error::names::ungrouped(name, span));
                return TypedExpr::erroneous(span);
            }
            if binding.many {
                self.report(
                    Diagnostic::new(Code::ResultMayBeMissing, span, format!("`{name}` is written once for each part, so it has no one result"))
                        .other(binding.span, "the write that is repeated"),
                );
                return TypedExpr::erroneous(span);
            }
            self.read += binding.weight;
            if self.read > bounds::READ_WEIGHT {
                return self.too_large(span);
            }
            if let Some(read) = self.names.iter_mut().rev().find(|known| known.name == name) {
                read.used = true;
            }
            self.discharge(&binding.obligations);
            self.reads.extend(binding.value.keys.iter().cloned());
            let mut typed = binding.value;
            typed.span = span;
            return typed;
        }
        if name == "index"
            && let Some((slot, _)) = self.index
        {
            self.index = Some((slot, true));
            return TypedExpr::new(Expr::Slot { slot, name: "index".into() }, Kind::Integer, vec![Key::slot(slot)], span);
        }
        if name == "target" {
            let Some(of) = self.target.clone() else {
                if !self.target_unknown {
                    self.report(error::names::no_target(span));
                }
                return TypedExpr::erroneous(span);
            };
            return TypedExpr::new(
                Expr::ContextVar(ContextVar::Target),
                Kind::Object(of),
                vec![Key::new(Term::ContextVar(ContextVar::Target))],
                span,
            );
        }
        if let Some(word) = self.context_vars.iter().rev().find(|word| word.name == name) {
            let kind = word.kind.clone();
            let key = Key::new(Term::ContextVar(word.var));
            let mut typed = TypedExpr::new(Expr::ContextVar(word.var), kind, vec![key.clone()], span);
            if let Kind::List(of) = &typed.kind {
                let element = if of.nullable { Presence::gap_of(Vec::new(), name, span, Why::Element) } else { Presence::Always };
                typed = typed.with_elements(vec![key.elements()], Vec::new(), element);
            }
            return typed;
        }
        if let Some(What::Parameter) = self.context.items.find(self.unit, &[tree::Name::new(name.to_owned(), span)]) {
            if let Some((of, _)) = &value {
                self.report(error::names::ambiguous(name, span, span, &of.name));
                return TypedExpr::erroneous(span);
            }
            let Some(parameter) = self.context.parameters.get(name) else { return TypedExpr::erroneous(span) };
            let mut typed =
                TypedExpr::new(Expr::Parameter(name.to_owned()), parameter.of.kind.clone(), vec![Key::new(Term::Parameter(name.to_owned()))], span);
            match &parameter.value {
                Literal::Text(text) => typed.longest = Some(text.chars().count()),
                Literal::Number(number) | Literal::Money(number) => {
                    typed.places = Some(number.normalize().scale());
                    typed.extent = Extent::exactly(*number);
                }
                _ => {}
            }
            return if parameter.of.nullable {
                let gap = Presence::gap_of(present(&typed.keys), name, span, Why::Declared);
                typed.present_if(gap)
            } else {
                typed
            };
        }
        if let Some((of, value)) = value {
            return TypedExpr::literal(Literal::Text(value), Kind::Enumeration(of), span);
        }
        let known = self.context.items.find(self.unit, &[tree::Name::new(name.to_owned(), span)]);
        if matches!(known, Some(What::Values(_) | What::Function(_) | What::Table(_))) {
            self.report(error::types::needs_argument(name, span));
            return TypedExpr::erroneous(span);
        }
        let diagnostic = self.unknown_name(name, span, want);
        let diagnostic = match self.in_unused_file(name) {
            Some((path, at)) if diagnostic.help.iter().all(|help| help.edit.is_none()) => error::names::in_unused_file(diagnostic, name, &path, at),
            _ => diagnostic,
        };
        self.report(diagnostic);
        TypedExpr::erroneous(span)
    }

    /// A bare name that means nothing: a field of a record without its record, a mistyped value of
    /// the enumeration that is wanted, or a mistyped name.
    pub(super) fn unknown_name(&self, name: &str, span: Span, want: Option<&Kind>) -> Diagnostic {
        for binding in &self.names {
            if let Kind::Object(of) = &binding.value.kind
                && self.object(of).is_some_and(|object| object.fields.contains_key(name))
            {
                return error::names::bare_field(name, span, &binding.name, of);
            }
        }
        if let Some(Kind::Enumeration(of)) = want {
            return error::names::unknown_value(name, span, of, None);
        }
        let mut known: Vec<&str> = self.names.iter().map(|binding| binding.name.as_str()).collect();
        if habits::is_nothing(name) {
            return error::names::nothing(name, span);
        }
        // A name of the language's own is quoted so, and nothing has this one.
        let written = self.context.sources.text(span);
        if let Some(text) = written.strip_prefix('`').and_then(|_| habits::back_ticks(written)) {
            return error::names::text_in_back_ticks(name, span, &text);
        }
        if let Some(ours) = habits::name(name) {
            return error::names::foreign_name(name, span, ours);
        }
        // What other tools call the record, where there is one only.
        let objects: Vec<&str> =
            self.names.iter().filter(|binding| matches!(binding.value.kind, Kind::Object(_))).map(|binding| binding.name.as_str()).collect();
        if let Some(record) = objects.first().filter(|_| habits::is_record(name)) {
            return error::names::foreign_name(name, span, record);
        }
        known.extend(self.context_vars.iter().map(|word| word.name));
        known.extend(self.context.parameters.keys().map(String::as_str));
        error::names::unknown(name, span, &known)
    }

    // ---- paths

    pub(super) fn field(&mut self, base: &tree::Expr, field: &tree::Name, span: Span) -> TypedExpr {
        let base_typed = self.expr(base, None);
        if let ExprKind::Field { base: owner, field: id } = base.kind.as_ref()
            && !matches!(base_typed.kind, Kind::Any | Kind::Object(_) | Kind::Row(_) | Kind::List(_) | Kind::Json)
            && let Some(relation) = self.relation_of(owner, &id.node)
        {
            self.report(error::names::through_relation(field, id.span, &id.node, &relation));
            return TypedExpr::erroneous(span);
        }
        self.field_of(base_typed, field, span)
    }

    /// The record beside an id: `Account__r` of `Account__c`, `Account` of `AccountId`.
    fn relation_of(&mut self, owner: &tree::Expr, id: &str) -> Option<String> {
        let Kind::Object(of) = self.silently(|checker| checker.expr(owner, None).kind) else { return None };
        let object = self.object(&of)?;
        let known = |name: String| object.fields.get(&name).filter(|field| field.readable && matches!(field.kind, Kind::Object(_))).map(|_| name);
        let custom = id.strip_suffix("__c").and_then(|name| known(format!("{name}__r")));
        custom
            .or_else(|| id.strip_suffix("Id").and_then(|name| known(name.to_owned())))
            .or_else(|| id.strip_suffix("_id").and_then(|name| known(name.to_owned())))
    }

    /// Records that this one holds, and lists of records, which have a field of a name.
    fn holders<'o>(&self, object: &'o crate::schema::Object, name: &str) -> (Vec<&'o str>, Vec<&'o str>) {
        let (mut inner, mut lists) = (Vec::new(), Vec::new());
        for (holder, field) in object.fields.iter().filter(|(_, field)| field.readable) {
            let (of, into) = match &field.kind {
                Kind::Object(of) => (of, &mut inner),
                Kind::List(element) => match &element.kind {
                    Kind::Object(of) => (of, &mut lists),
                    _ => continue,
                },
                _ => continue,
            };
            if self.object(of).is_some_and(|object| object.fields.get(name).is_some_and(|field| field.readable)) {
                into.push(holder.as_str());
            }
        }
        (inner, lists)
    }

    pub(super) fn field_of(&mut self, base: TypedExpr, field: &tree::Name, span: Span) -> TypedExpr {
        let name = field.node.as_str();
        let TypedExpr { expr: base, kind: base_kind, keys, presence, span: base_span, extent: Extent { table: base_table, .. }, .. } = base;
        let from_target = is_target(&base);
        let of_record = matches!(base_kind, Kind::Object(_)) && !from_target;
        let keys: Vec<Key> = keys.iter().map(|key| key.field(name)).collect();
        let make = |checker: &mut Self, kind: Kind, wire: WireEncoding, nullable: bool, why: Why, element_nullable: bool| {
            checker.reads.extend(keys.iter().cloned());
            let is_list = matches!(kind, Kind::List(_));
            let held = !nullable && !is_list && of_record;
            let expr = Expr::Field { base: Box::new(base), name: name.into(), kind: kind.clone(), wire, held };
            let mut typed = TypedExpr::new(expr, kind, keys.clone(), span);
            if is_list {
                let element = if element_nullable {
                    Presence::gap_of(Vec::new(), format!("an element of {}", checker.text(span)), span, Why::Element)
                } else {
                    Presence::Always
                };
                typed = typed.with_elements(keys.iter().map(Key::elements).collect(), Vec::new(), element);
            } else {
                let own = if nullable { Presence::gap(present(&keys), span, why) } else { Presence::Always };
                // Its own presence first: to require it is to require all on the way to it.
                typed.presence = Presence::all([own, presence]);
            }
            typed
        };
        match &base_kind {
            Kind::Any => TypedExpr::erroneous(span),
            Kind::Object(of) => {
                let Some(object) = self.object(of) else {
                    // A file of it that cannot be read is told as that.
                    if !self.context.environment.objects(&of.connection).contains(&of.object) {
                        let diagnostic = error::names::undescribed(of, base_span, field);
                        // Once is enough: all its fields have the one cause.
                        if !self.out.iter().any(|told| told.code == diagnostic.code && told.message == diagnostic.message) {
                            self.report(diagnostic);
                        }
                    }
                    return TypedExpr::erroneous(span);
                };
                let known = object.fields.get(name);
                let Some(schema) = known.filter(|field| field.readable) else {
                    let near = crate::base::nearest(name, object.fields.keys().map(String::as_str)).is_some();
                    let (inner, lists) = if known.is_some() || near { (Vec::new(), Vec::new()) } else { self.holders(&object, name) };
                    let diagnostic = if inner.is_empty() && lists.is_empty() {
                        error::names::unknown_source_field(of, &object, field, known.is_some())
                    } else {
                        let plain = Diagnostic::new(Code::UnknownSourceField, field.span, format!("`{of}` has no field `{name}`"));
                        error::names::in_another(plain, &self.text(base_span), field, &inner, &lists)
                    };
                    self.report(diagnostic);
                    return TypedExpr::erroneous(span);
                };
                let why = if from_target { Why::Target } else { Why::Field([&of.connection, ".", &of.object, ".", name].concat()) };
                let element_nullable = matches!(&schema.kind, Kind::List(element) if element.nullable);
                let mut typed = make(self, schema.given().clone(), schema.wire.clone(), schema.nullable || from_target, why, element_nullable);
                typed.longest = match schema.given() {
                    Kind::Text => schema.size.map(|size| size.max),
                    Kind::Enumeration(of) if !of.open => of.names().map(|name| name.chars().count()).max(),
                    Kind::Enumeration(_) => schema.size.map(|size| size.max),
                    _ => None,
                };
                typed.places = match schema.kind {
                    Kind::Integer => Some(0),
                    Kind::Decimal | Kind::Money | Kind::Weight | Kind::Length => schema.places,
                    _ => None,
                };
                typed.extent = extent_of(name, schema, &object, from_target);
                typed
            }
            Kind::Row(columns) => {
                let Some(column) = columns.iter().find(|column| column.name == name) else {
                    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                    self.report(error::names::unknown_column(field, &known));
                    return TypedExpr::erroneous(span);
                };
                let of = column.of.clone();
                let element_nullable = matches!(&of.kind, Kind::List(element) if element.nullable);
                let at = columns.iter().position(|column| column.name == name);
                let mut typed = make(self, of.kind, WireEncoding::Plain, of.nullable, Why::Declared, element_nullable).thing_of_its_name();
                if let Some((table, None)) = base_table {
                    typed.extent.table = Some((table, at));
                }
                typed
            }
            Kind::List(_) | Kind::Text | Kind::Enumeration(_)
                if matches!(field.node.to_lowercase().as_str(), "length" | "size" | "count" | "len") =>
            {
                let function = if matches!(base_kind, Kind::List(_)) { "count" } else { "length" };
                let write = format!("{function}({})", self.text(base_span));
                self.report(error::names::length_of(field, base_span, &base_kind, write));
                TypedExpr::erroneous(span)
            }
            other => {
                self.report(error::names::no_fields(field, base_span, other));
                TypedExpr::erroneous(span)
            }
        }
    }
}

/// What the schema says of the size of a field's values.
pub(super) fn extent_of(name: &str, field: &crate::schema::Field, object: &crate::schema::Object, target: bool) -> Extent {
    let unit = match &field.wire {
        WireEncoding::WeightNumber { unit } => Some(Unit::Weight(*unit)),
        WireEncoding::LengthNumber { unit } => Some(Unit::Length(*unit)),
        _ => None,
    };
    let unlimited = field.kind == Kind::Text && field.size.is_none() && !target;
    let open = match object.system.as_str() {
        _ if !unlimited => None,
        _ if is_prose(name) => Some(Open::Prose),
        "files" => Some(Open::File),
        _ => None,
    };
    Extent { low: field.minimum, high: field.maximum, unit, open, ..Extent::default() }
}

pub(super) fn is_target(expr: &Expr) -> bool {
    match expr {
        Expr::ContextVar(ContextVar::Target) => true,
        Expr::Field { base, .. } => is_target(base),
        _ => false,
    }
}
