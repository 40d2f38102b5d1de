//! Expressions: names, paths, operators. Each gets a kind, a formula of when it is present, and its
//! place in the typed tree. Calls and lists stand in `calls` and `lists`.

use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic};
use crate::base::{Span, bounds};
use crate::builtin::{self, BuiltinRef, Family};
use crate::check::env::{Env, Typed};
use crate::check::error;
use crate::check::extent::{ENDLESS, Extent, Open, Unit, is_prose};
use crate::check::facts::{Presence, Truths, Why, both};
use crate::check::items::What;
use crate::check::typed::{Compare, Expr, Part, Pattern, Word};
use crate::syntax::habits;
use crate::syntax::tree::{self, BinaryOp, ExprKind, TextPart};
use crate::value::{Enumeration, Kind, LengthUnit, Literal, ObjectRef, WeightUnit, Wire};

/// Levels of expressions inside expressions, those of called functions counted in.
const DEEPEST: usize = bounds::EXPRESSION_DEPTH;

impl Env<'_> {
    /// Checks an expression. `want` is the kind that its place takes, which gives bare names and
    /// literals their meaning; whether the kind fits is for the caller.
    pub(super) fn expr(&mut self, expr: &tree::Expr, want: Option<&Kind>) -> Typed {
        if self.depth >= DEEPEST {
            self.out.push(
                Diagnostic::new(Code::TooDeep, expr.span, format!("this is nested deeper than {DEEPEST} levels"))
                    .help("name the inner part by a `let`"),
            );
            return Typed::any(expr.span);
        }
        self.visited += 1;
        if self.visited > bounds::EXPRESSIONS {
            return self.too_large(expr.span);
        }
        self.depth += 1;
        let typed = self.expr_of(expr, want);
        self.depth -= 1;
        typed
    }

    /// What names and functions stand for has multiplied beyond what is taken. It is told once.
    pub(super) fn too_large(&mut self, span: Span) -> Typed {
        if !std::mem::replace(&mut self.too_large, true) {
            let at = self.calls.first().copied().unwrap_or(span);
            self.out.push(error::types::too_large(at));
        }
        Typed::any(span)
    }

    fn expr_of(&mut self, expr: &tree::Expr, want: Option<&Kind>) -> Typed {
        let span = expr.span;
        match expr.kind.as_ref() {
            ExprKind::Name(name) => self.name(name, span, want),
            ExprKind::Field { base, field } => self.field(base, field, span),
            ExprKind::Text(text) => self.text_literal(text, span, want),
            ExprKind::Number(number) => number_literal(*number, span),
            ExprKind::Boolean(truth) => Typed::literal(Literal::Boolean(*truth), Kind::Boolean, span),
            ExprKind::Time(time) => Typed::literal(Literal::Time(*time), Kind::Time, span),
            ExprKind::Quantity { number, unit } => self.quantity(*number, unit, span),
            ExprKind::Call { function, arguments } => self.call(function, None, arguments, span, want),
            ExprKind::Pipe { value, function, arguments } => self.call(function, Some(value), arguments, span, want),
            ExprKind::Fallback { value, fallback } => self.fallback(value, fallback, span, want),
            ExprKind::JsonPath { value, path } => self.json_path(value, path, span),
            ExprKind::Unit { value, unit } => self.unit(value, unit, span),
            ExprKind::Negate(value) => self.negate(value, span),
            ExprKind::Not(value) => self.not(value, span),
            ExprKind::Binary { op, left, right } => match op.node {
                BinaryOp::And | BinaryOp::Or => self.junction(op.node, left, right, span),
                BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Add | BinaryOp::Subtract => self.arithmetic(op, left, right, span, want),
                BinaryOp::Equal => self.compare(Compare::Equal, left, right, span),
                BinaryOp::NotEqual => self.compare(Compare::NotEqual, left, right, span),
                BinaryOp::Less => self.compare(Compare::Less, left, right, span),
                BinaryOp::LessOrEqual => self.compare(Compare::LessOrEqual, left, right, span),
                BinaryOp::Greater => self.compare(Compare::Greater, left, right, span),
                BinaryOp::GreaterOrEqual => self.compare(Compare::GreaterOrEqual, left, right, span),
            },
            ExprKind::In { value, list, negated } => self.is_in(value, list, *negated, span),
            ExprKind::Matches { value, pattern } => self.matches(value, pattern, span),
            ExprKind::IsPresent(value) => self.is_present(value, span),
            ExprKind::IsMissing(value) => self.is_missing(value, span),
            ExprKind::WasSent(value) => self.was_sent(value, span),
            ExprKind::Reaches { .. } => self.reaches_nowhere(span),
            ExprKind::If { condition, then, otherwise } => self.branch(condition, then, otherwise.as_ref(), span, want),
            ExprKind::Each { generators, condition, rows } => self.each(generators, condition.as_ref(), rows.as_deref(), span, want),
            ExprKind::Aggregate { function, value, generators, condition, arguments } => {
                self.aggregate(function, value, generators, condition.as_ref(), arguments, span)
            }
            ExprKind::Group { list, by } => self.group(list, by, span),
            ExprKind::Sort { list, by, descending } => self.sort(list, by.as_ref(), *descending, span),
            ExprKind::Distinct(list) => self.list_call("distinct", list, span),
            ExprKind::Flatten(list) => self.list_call("flatten", list, span),
            ExprKind::Object(rows) => self.object_literal(rows, span, want),
            ExprKind::List(items) => self.list_literal(items, span, want),
            ExprKind::Paren(inner) => self.brackets(inner, span, want),
            ExprKind::Broken => Typed::any(span),
        }
    }

    fn brackets(&mut self, inner: &tree::Expr, span: Span, want: Option<&Kind>) -> Typed {
        let mut typed = self.expr(inner, want);
        typed.span = span;
        typed
    }

    fn not(&mut self, value: &tree::Expr, span: Span) -> Typed {
        let value = self.condition(value);
        let mut typed = Typed::new(Expr::Not(Box::new(value.expr)), Kind::Boolean, vec![format!("not {}", value.keys[0])], span);
        typed.truths = value.truths.not();
        typed.present_if(value.presence)
    }

    fn is_missing(&mut self, value: &tree::Expr, span: Span) -> Typed {
        let present = self.is_present(value, span);
        let mut typed = Typed::new(Expr::Not(Box::new(present.expr)), Kind::Boolean, vec![format!("not {}", present.keys[0])], span);
        typed.truths = present.truths.not();
        typed
    }

    fn was_sent(&mut self, value: &tree::Expr, span: Span) -> Typed {
        let value = self.expr(value, None);
        let key = format!("sent {}", value.key());
        Typed::new(Expr::WasSent(Box::new(value.expr)), Kind::Boolean, vec![key], span)
    }

    fn reaches_nowhere(&mut self, span: Span) -> Typed {
        self.report(
            Diagnostic::new(Code::BadMilestone, span, "`reaches` stands only in the `when` of a create")
                .help("write `create … when count() reaches (10, 50)`"),
        );
        Typed::any(span)
    }

    // ---- names

    fn name(&mut self, name: &str, span: Span, want: Option<&Kind>) -> Typed {
        let given = self.find(name).cloned();
        let value = match want {
            Some(Kind::Enumeration(of)) => of.resolve(name).map(|value| (Arc::clone(of), value.to_owned())),
            _ => None,
        };
        if let Some(binding) = given {
            if let Some((of, _)) = &value {
                self.report(error::names::ambiguous(name, span, binding.span, &of.name));
                return Typed::any(span);
            }
            if binding.grouped && self.grouped {
                self.report(error::names::ungrouped(name, span));
                return Typed::any(span);
            }
            if binding.many {
                self.report(
                    Diagnostic::new(Code::ResultMayBeMissing, span, format!("`{name}` is written once for each part, so it has no one result"))
                        .other(binding.span, "the write that is repeated"),
                );
                return Typed::any(span);
            }
            self.read += binding.weight;
            if self.read > bounds::READ_WEIGHT {
                return self.too_large(span);
            }
            if let Some(read) = self.names.iter_mut().rev().find(|known| known.name == name) {
                read.used = true;
            }
            self.settle(&binding.owed);
            self.reads.extend(binding.value.keys.iter().cloned());
            let mut typed = binding.value;
            typed.span = span;
            return typed;
        }
        if name == "index"
            && let Some((slot, _)) = self.index
        {
            self.index = Some((slot, true));
            return Typed::new(Expr::Slot { slot, name: "index".into() }, Kind::Integer, vec![format!("#{}", slot.0)], span);
        }
        if name == "target" {
            let Some(of) = self.target.clone() else {
                self.report(error::names::no_target(span));
                return Typed::any(span);
            };
            return Typed::new(Expr::Word(Word::Target), Kind::Object(of), vec!["target".into()], span);
        }
        if let Some(word) = self.words.iter().rev().find(|word| word.name == name) {
            let kind = word.kind.clone();
            let mut typed = Typed::new(Expr::Word(word.word), kind, vec![name.to_owned()], span);
            if let Kind::List(of) = &typed.kind {
                let element = if of.nullable { Presence::gap_of(Vec::new(), name, span, Why::Element) } else { Presence::Always };
                typed = typed.with_elements(vec![format!("{name}[]")], Vec::new(), element);
            }
            return typed;
        }
        if let Some(What::Parameter) = self.run.items.find(self.unit, &[tree::Name::new(name.to_owned(), span)]) {
            if let Some((of, _)) = &value {
                self.report(error::names::ambiguous(name, span, span, &of.name));
                return Typed::any(span);
            }
            let Some(parameter) = self.run.parameters.get(name) else { return Typed::any(span) };
            let mut typed = Typed::new(Expr::Parameter(name.to_owned()), parameter.of.kind.clone(), vec![format!("parameter {name}")], span);
            match &parameter.value {
                Literal::Text(text) => typed.longest = Some(text.chars().count()),
                Literal::Number(number) | Literal::Money(number) => {
                    typed.places = Some(number.normalize().scale());
                    typed.extent = Extent::exactly(*number);
                }
                _ => {}
            }
            return if parameter.of.nullable {
                let gap = Presence::gap_of(typed.keys.clone(), name, span, Why::Declared);
                typed.present_if(gap)
            } else {
                typed
            };
        }
        if let Some((of, value)) = value {
            return Typed::literal(Literal::Text(value), Kind::Enumeration(of), span);
        }
        let known = self.run.items.find(self.unit, &[tree::Name::new(name.to_owned(), span)]);
        if matches!(known, Some(What::Values(_) | What::Function(_) | What::Table(_))) {
            self.report(error::types::needs_argument(name, span));
            return Typed::any(span);
        }
        let diagnostic = self.unknown_name(name, span, want);
        let diagnostic = match self.in_unused_file(name) {
            Some((path, at)) if diagnostic.help.iter().all(|help| help.edit.is_none()) => error::names::in_unused_file(diagnostic, name, &path, at),
            _ => diagnostic,
        };
        self.report(diagnostic);
        Typed::any(span)
    }

    /// A bare name that means nothing: a field of a record without its record, a mistyped value of
    /// the enumeration that is wanted, or a mistyped name.
    fn unknown_name(&self, name: &str, span: Span, want: Option<&Kind>) -> Diagnostic {
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
        if let Some(ours) = habits::name(name) {
            return error::names::foreign_name(name, span, ours);
        }
        known.extend(self.words.iter().map(|word| word.name));
        known.extend(self.run.parameters.keys().map(String::as_str));
        error::names::unknown(name, span, &known)
    }

    // ---- paths

    fn field(&mut self, base: &tree::Expr, field: &tree::Name, span: Span) -> Typed {
        let base_typed = self.expr(base, None);
        if let ExprKind::Field { base: owner, field: id } = base.kind.as_ref()
            && !matches!(base_typed.kind, Kind::Any | Kind::Object(_) | Kind::Row(_) | Kind::List(_) | Kind::Json)
            && let Some(relation) = self.relation_of(owner, &id.node)
        {
            self.report(error::names::through_relation(field, id.span, &id.node, &relation));
            return Typed::any(span);
        }
        self.field_of(base_typed, field, span)
    }

    /// The record beside an id: `Account__r` of `Account__c`, `Account` of `AccountId`.
    fn relation_of(&mut self, owner: &tree::Expr, id: &str) -> Option<String> {
        let Kind::Object(of) = self.quiet(|env| env.expr(owner, None).kind) else { return None };
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

    pub(super) fn field_of(&mut self, base: Typed, field: &tree::Name, span: Span) -> Typed {
        let name = field.node.as_str();
        let Typed { expr: base, kind: base_kind, keys, presence, span: base_span, extent: Extent { table: base_table, .. }, .. } = base;
        let from_target = is_target(&base);
        let of_record = matches!(base_kind, Kind::Object(_)) && !from_target;
        let keys: Vec<String> = keys.into_iter().map(|key| key + "." + name).collect();
        let make = |env: &mut Self, kind: Kind, wire: Wire, nullable: bool, why: Why, element_nullable: bool| {
            env.reads.extend(keys.iter().cloned());
            let is_list = matches!(kind, Kind::List(_));
            let held = !nullable && !is_list && of_record;
            let expr = Expr::Field { base: Box::new(base), name: name.into(), kind: kind.clone(), wire, held };
            let mut typed = Typed::new(expr, kind, keys.clone(), span);
            if is_list {
                let element = if element_nullable {
                    Presence::gap_of(Vec::new(), format!("an element of {}", env.text(span)), span, Why::Element)
                } else {
                    Presence::Always
                };
                typed = typed.with_elements(keys.into_iter().map(|key| key + "[]").collect(), Vec::new(), element);
            } else {
                let own = if nullable { Presence::gap(keys, span, why) } else { Presence::Always };
                // Its own presence first: to require it is to require all on the way to it.
                typed.presence = Presence::all([own, presence]);
            }
            typed
        };
        match &base_kind {
            Kind::Any => Typed::any(span),
            Kind::Object(of) => {
                let Some(object) = self.object(of) else {
                    // A file of it that cannot be read is told as that.
                    if !self.run.world.objects(&of.connection).contains(&of.object) {
                        let diagnostic = error::names::undescribed(of, base_span, field);
                        // Once is enough: all its fields have the one cause.
                        if !self.out.iter().any(|told| told.code == diagnostic.code && told.message == diagnostic.message) {
                            self.report(diagnostic);
                        }
                    }
                    return Typed::any(span);
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
                    return Typed::any(span);
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
                    return Typed::any(span);
                };
                let of = column.of.clone();
                let element_nullable = matches!(&of.kind, Kind::List(element) if element.nullable);
                let at = columns.iter().position(|column| column.name == name);
                let mut typed = make(self, of.kind, Wire::Plain, of.nullable, Why::Declared, element_nullable);
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
                Typed::any(span)
            }
            other => {
                self.report(error::names::no_fields(field, base_span, other));
                Typed::any(span)
            }
        }
    }

    // ---- literals

    fn text_literal(&mut self, text: &tree::TextLiteral, span: Span, want: Option<&Kind>) -> Typed {
        let Some(plain) = text.plain() else {
            self.looks_like_shell(text, span);
            return self.template(text, span, false);
        };
        match want {
            Some(Kind::Enumeration(of)) => match of.resolve(&plain) {
                Some(value) => Typed::literal(Literal::Text(value.to_owned()), Kind::Enumeration(Arc::clone(of)), span),
                None if of.open => {
                    self.report(error::names::not_known_value(&plain, span, of));
                    Typed::literal(Literal::Text(plain), Kind::Enumeration(Arc::clone(of)), span)
                }
                None => {
                    self.report(error::names::unknown_value(&plain, span, of, None));
                    Typed::any(span)
                }
            },
            Some(Kind::Reference(of)) => self.named(&plain, of, span),
            _ => {
                self.looks_like_code(text, &plain, span);
                Typed::literal(Literal::Text(plain), Kind::Text, span)
            }
        }
    }

    /// A named thing of a connection by a constant name, looked up in the snapshot.
    pub(super) fn named(&mut self, name: &str, of: &ObjectRef, span: Span) -> Typed {
        if let Some(names) = self.run.world.names(of) {
            match names.names.iter().filter(|known| known.name == name).count() {
                1 => {}
                0 => {
                    self.report(error::names::unknown_reference(name, span, of, &names));
                    return Typed::any(span);
                }
                _ => {
                    self.report(error::names::two_of_a_name(name, span, of));
                    return Typed::any(span);
                }
            }
        }
        let expr = Expr::Named { of: of.clone(), name: name.to_owned() };
        Typed::new(expr, Kind::Reference(of.clone()), vec![format!("{of} {name:?}")], span)
    }

    /// Text with expressions in it. In a message a missing part prints as `(none)`.
    pub(super) fn template(&mut self, text: &tree::TextLiteral, span: Span, message: bool) -> Typed {
        let mut parts = Vec::new();
        let mut presence = Vec::new();
        let (mut keys, mut longest, mut open) = (String::from("\""), Some(0_usize), None);
        for part in &text.parts {
            match part {
                TextPart::Text(text) => {
                    keys.push_str(text);
                    longest = longest.map(|sum| sum.saturating_add(text.chars().count()));
                    parts.push(Part::Text(text.clone()));
                }
                TextPart::Expr(expr) => {
                    let typed = self.expr(expr, None);
                    if matches!(typed.kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_)) {
                        self.report(error::types::not_printable(&typed));
                    }
                    keys.push_str(&format!("{{{}}}", typed.key()));
                    longest = longest.zip(typed.longest).map(|(sum, more)| sum.saturating_add(more));
                    // Of several texts together nobody has said how long they are; of one, its own field has.
                    open = open.or(typed.extent.open.filter(|open| *open != Open::File));
                    presence.push(typed.presence);
                    parts.push(Part::Expr(typed.expr));
                }
            }
        }
        keys.push('"');
        if let [Part::Text(text)] = parts.as_slice() {
            return Typed::literal(Literal::Text(text.clone()), Kind::Text, span);
        }
        let presence = if message { Presence::Always } else { Presence::all(presence) };
        let mut typed = Typed::new(Expr::Template { parts, message }, Kind::Text, vec![keys], span).present_if(presence);
        (typed.longest, typed.extent.open) = (longest, open);
        typed
    }

    /// A message for people: any value that prints, never missing.
    pub(super) fn message(&mut self, expr: &tree::Expr) -> Expr {
        if let ExprKind::Text(text) = expr.kind.as_ref() {
            return self.template(text, expr.span, true).expr;
        }
        let typed = self.expr(expr, None);
        if !matches!(typed.kind, Kind::Text | Kind::Any | Kind::Enumeration(_)) {
            self.report(error::types::mismatch(typed.span, &typed.kind, &Kind::Text));
        }
        Expr::Template { parts: vec![Part::Expr(typed.expr)], message: true }
    }

    fn quantity(&mut self, number: rust_decimal::Decimal, unit: &tree::Name, span: Span) -> Typed {
        if let Some(duration) = duration(number, &unit.node) {
            return Typed::literal(Literal::Duration(duration), Kind::Duration, span);
        }
        if let Some(unit) = WeightUnit::parse(&unit.node) {
            return Typed::literal(Literal::Weight(number, unit), Kind::Weight, span);
        }
        if let Some(unit) = LengthUnit::parse(&unit.node) {
            return Typed::literal(Literal::Length(number, unit), Kind::Length, span);
        }
        // Codes are written in capitals, so that `5 all` is no amount in Albanian lek.
        let code = builtin::currency_code(&unit.node).filter(|_| unit.node.bytes().all(|byte| byte.is_ascii_uppercase()));
        if let Some(code) = code {
            return Typed::literal(Literal::Amount(number, code.to_string()), Kind::Money, span);
        }
        self.report(error::names::unknown_unit(unit));
        Typed::any(span)
    }

    fn unit(&mut self, value: &tree::Expr, unit: &tree::Name, span: Span) -> Typed {
        let value = self.expr(value, None);
        let weight = WeightUnit::parse(&unit.node);
        let length = LengthUnit::parse(&unit.node);
        if weight.is_none() && length.is_none() {
            match habits::type_word(&unit.node) {
                Some(of) => {
                    let write = self.in_place(span, &format!("{} | {of}", self.text(value.span)));
                    self.report(
                        Diagnostic::new(Code::UnknownUnit, unit.span, format!("`{}` is no unit: a value is converted by a function", unit.node))
                            .mend(format!("write `{write}`"), span, write),
                    );
                }
                None => self.report(error::names::unknown_unit(unit)),
            }
            return Typed::any(span);
        }
        let kind = if weight.is_some() { Kind::Weight } else { Kind::Length };
        self.unit_by_name(&value, unit);
        match &value.kind {
            Kind::Integer | Kind::Decimal => {}
            Kind::Any => return Typed::any(span),
            Kind::Weight | Kind::Length => {
                self.report(error::types::has_a_unit(&value, &unit.node, kind == value.kind));
                return Typed::any(span);
            }
            other => {
                self.report(error::types::mismatch(value.span, other, &Kind::Decimal));
                return Typed::any(span);
            }
        }
        let keys = value.keys.iter().map(|key| format!("{key} as {}", unit.node)).collect();
        let boxed = Box::new(value.expr);
        let expr = match (weight, length) {
            (Some(unit), _) => Expr::Weigh { value: boxed, unit },
            (None, Some(unit)) => Expr::Measure { value: boxed, unit },
            // One of them is some: told above.
            (None, None) => return Typed::any(span),
        };
        let mut typed = Typed::new(expr, kind, keys, span).present_if(value.presence);
        (typed.places, typed.extent) = (value.places, Extent { unit: Unit::parse(&unit.node), ..value.extent });
        typed
    }

    fn negate(&mut self, value: &tree::Expr, span: Span) -> Typed {
        let value = self.expr(value, None);
        match &value.kind {
            Kind::Any => return value,
            Kind::Integer | Kind::Decimal | Kind::Money | Kind::Duration | Kind::Weight | Kind::Length => {}
            other => {
                self.report(error::types::mismatch(value.span, other, &Kind::Decimal));
                return Typed::any(span);
            }
        }
        if let Some(Literal::Number(number)) = value.literal_value() {
            return Typed::literal(Literal::Number(-*number), value.kind.clone(), span);
        }
        let keys = value.keys.iter().map(|key| format!("-{key}")).collect();
        let mut typed = Typed::new(Expr::Negate(Box::new(value.expr)), value.kind, keys, span).present_if(value.presence);
        (typed.places, typed.extent) = (value.places, value.extent.negated());
        typed
    }

    fn json_path(&mut self, value: &tree::Expr, path: &tree::Name, span: Span) -> Typed {
        let value = self.expr(value, None);
        match jsonpath_rust::parser::parse_json_path(&path.node) {
            Err(reason) => {
                self.report(Diagnostic::new(Code::BadJsonPath, path.span, "this JSONPath cannot be read").why(reason.to_string()));
                return Typed::any(span);
            }
            Ok(parsed) => {
                if let Some(of) = super::json_path::refused(&parsed) {
                    self.report(Diagnostic::new(Code::BadJsonPath, path.span, of.what).help(of.help));
                    return Typed::any(span);
                }
            }
        }
        if !matches!(value.kind, Kind::Json | Kind::Any | Kind::Object(_)) {
            self.report(Diagnostic::new(
                Code::BadJsonPath,
                value.span,
                format!("a JSONPath reads `json`, and this is {}", error::types::a(&value.kind)),
            ));
            return Typed::any(span);
        }
        let keys: Vec<String> = value.keys.iter().map(|key| format!("{key} $ {}", path.node)).collect();
        let kind = Kind::List(Box::new(crate::value::Type::some(Kind::Json)));
        let expr = Expr::JsonPath { value: Box::new(value.expr), path: path.node.clone() };
        let elements = keys.iter().map(|key| format!("{key}[]")).collect();
        Typed::new(expr, kind, keys, span).with_elements(elements, Vec::new(), Presence::Always)
    }

    // ---- choices

    fn fallback(&mut self, value: &tree::Expr, fallback: &tree::Expr, span: Span, want: Option<&Kind>) -> Typed {
        let left = self.expr(value, want);
        self.brackets_wanted(value, fallback, &left, span);
        let hint = want.cloned().or_else(|| hint(&left.kind, fallback));
        let right = self.expr(fallback, hint.as_ref());
        // A field that is always there by its schema may be blank all the same in what no system holds to it.
        let promised = self.is_only_promised(&left.expr);
        if !left.is_any() && left.presence.open(&self.facts).is_none() && !matches!(left.kind, Kind::List(_)) && !self.lenient && !promised {
            self.report(error::types::useless_fallback(&left, fallback.span, &self.text(left.span)));
        }
        let Some((left, right, kind)) = self.unify(left, right) else { return Typed::any(span) };
        let own = format!("{} ?? {}", left.key(), right.key());
        let presence = if right.presence.is_always() || left.presence.is_always() {
            Presence::Always
        } else {
            Presence::any(vec![left.presence.clone(), right.presence.clone()]).named(vec![own.clone()])
        };
        let expr = Expr::Fallback { value: Box::new(asked(left.expr.clone())), fallback: Box::new(right.expr.clone()) };
        let mut typed = Typed::new(expr, kind, vec![own.clone()], span).present_if(presence);
        typed.longest = left.longest.zip(right.longest).map(|(a, b)| a.max(b));
        typed.places = more_places(left.places, right.places);
        typed.extent = left.extent.either(&right.extent);
        if matches!(typed.kind, Kind::List(_)) {
            typed = typed.with_elements(vec![format!("{own}[]")], Vec::new(), Presence::all([left.element_presence(), right.element_presence()]));
        }
        typed
    }

    /// A field that its schema says is always there, of records that no system holds to their schema (files), or whose schema was inferred.
    fn is_only_promised(&self, expr: &Expr) -> bool {
        let mut expr = expr;
        while let Expr::Treat { value, .. } = expr {
            expr = value;
        }
        let Expr::Field { base, held: true, .. } = expr else { return false };
        let of = match base.as_ref() {
            Expr::Field { kind: Kind::Object(of), .. } => Some(of),
            Expr::Slot { slot, .. } => self.names.iter().find_map(|binding| match (&binding.value.expr, &binding.value.kind) {
                (Expr::Slot { slot: own, .. }, Kind::Object(of)) if own == slot => Some(of),
                _ => None,
            }),
            _ => None,
        };
        of.and_then(|of| self.object(of)).is_some_and(|object| object.system == "files" || object.source.contains("inferred"))
    }

    fn branch(&mut self, condition: &tree::Expr, then: &tree::Expr, otherwise: Option<&tree::Expr>, span: Span, want: Option<&Kind>) -> Typed {
        if let Some(nothing) = otherwise
            && let ExprKind::Name(name) = nothing.kind.as_ref()
            && habits::is_nothing(name)
            && self.find(name).is_none()
        {
            let tail = Span::new(span.file, then.span.end as usize, nothing.span.end as usize);
            self.report(error::names::nothing(name, nothing.span).mend("leave the `else` out", tail, ""));
            return Typed::any(span);
        }
        let condition = self.condition(condition);
        self.always_alike(&condition, "the other branch is never taken");
        let (yes, no) = (condition.truths.if_true.clone(), condition.truths.if_false.clone());
        let then = self.knowing(&yes, |env| {
            let mut typed = env.expr(then, want);
            typed.presence = typed.presence.under(&env.facts);
            typed
        });
        let hint = want.cloned().or_else(|| hint(&then.kind, otherwise?));
        let other = match otherwise {
            Some(otherwise) => self.knowing(&no, |env| {
                let mut typed = env.expr(otherwise, hint.as_ref());
                typed.presence = typed.presence.under(&env.facts);
                typed
            }),
            None => {
                let gap = Presence::gap(Vec::new(), span, Why::Declared);
                Typed::new(Expr::Literal(Literal::Missing), then.kind.clone(), vec!["missing".into()], span).present_if(gap)
            }
        };
        let Some((then, other, kind)) = self.unify(then, other) else { return Typed::any(span) };
        let key = format!("if {} then {} else {}", condition.key(), then.key(), other.key());
        let parts = Presence::all([then.presence.clone(), other.presence.clone()]);
        let presence = parts.named(vec![key.clone()]);
        let longest = then.longest.zip(other.longest).map(|(a, b)| a.max(b));
        let (longest, places, extent) = match otherwise {
            Some(_) => (longest, more_places(then.places, other.places), then.extent.either(&other.extent)),
            None => (then.longest, then.places, then.extent.clone()),
        };
        let elements = Presence::all([then.element_presence(), other.element_presence()]);
        let expr = Expr::If { condition: Box::new(condition.expr), then: Box::new(then.expr), otherwise: Box::new(other.expr) };
        let mut typed = Typed::new(expr, kind, vec![key.clone()], span).present_if(presence);
        (typed.longest, typed.places, typed.extent) = (longest, places, extent);
        if matches!(typed.kind, Kind::List(_)) {
            typed = typed.with_elements(vec![format!("{key}[]")], Vec::new(), elements);
            typed.presence = Presence::Always;
        }
        typed
    }

    /// Two branches of one value under one kind.
    fn unify(&mut self, left: Typed, right: Typed) -> Option<(Typed, Typed, Kind)> {
        if left.is_any() || right.is_any() {
            return None;
        }
        if left.kind == right.kind {
            let kind = left.kind.clone();
            return Some((left, right, kind));
        }
        let kind = match (&left.kind, &right.kind) {
            (Kind::Integer, Kind::Decimal) | (Kind::Decimal, Kind::Integer) => Kind::Decimal,
            (Kind::Money, Kind::Integer | Kind::Decimal) if right.literal_value().is_some() => Kind::Money,
            (Kind::Integer | Kind::Decimal, Kind::Money) if left.literal_value().is_some() => Kind::Money,
            (Kind::Text | Kind::Enumeration(_), Kind::Text | Kind::Enumeration(_)) => Kind::Text,
            (Kind::Row(_), Kind::Object(of)) | (Kind::Object(of), Kind::Row(_)) => Kind::Object(of.clone()),
            (Kind::List(a), Kind::List(b)) if fits(&b.kind, &a.kind) => left.kind.clone(),
            (Kind::List(a), Kind::List(b)) if fits(&a.kind, &b.kind) => right.kind.clone(),
            _ => {
                self.report(error::types::branches_differ(&left, &right));
                return None;
            }
        };
        Some((coerce(left, &kind), coerce(right, &kind), kind))
    }

    // ---- conditions

    /// An expression that must be true or false. What may be missing counts as false.
    pub(super) fn condition(&mut self, expr: &tree::Expr) -> Typed {
        let mut typed = self.expr(expr, None);
        match &typed.kind {
            Kind::Boolean => {
                let mut if_true = typed.known_if_present();
                if_true.append(&mut typed.truths.if_true);
                typed.truths.if_true = if_true;
                typed
            }
            Kind::Any => {
                self.poisoned = true;
                typed
            }
            other => {
                self.poisoned = true;
                self.report(error::types::not_a_condition(&typed, other, &self.text(typed.span)));
                Typed::any(expr.span)
            }
        }
    }

    /// A rule's `X`: true, or, of what is no boolean, present.
    pub(super) fn rule_condition(&mut self, expr: &tree::Expr) -> Typed {
        let typed = self.expr(expr, None);
        match &typed.kind {
            Kind::Boolean => {
                let mut typed = typed;
                let mut if_true = typed.known_if_present();
                if_true.append(&mut typed.truths.if_true);
                typed.truths.if_true = if_true;
                typed
            }
            Kind::Any => {
                self.poisoned = true;
                typed
            }
            _ => presence_of(typed, expr.span),
        }
    }

    fn is_present(&mut self, value: &tree::Expr, span: Span) -> Typed {
        let value = self.expr(value, None);
        if value.is_any() {
            return Typed::any(span);
        }
        presence_of(value, span)
    }

    fn junction(&mut self, op: BinaryOp, left: &tree::Expr, right: &tree::Expr, span: Span) -> Typed {
        let left = self.condition(left);
        let known = if op == BinaryOp::And { left.truths.if_true.clone() } else { left.truths.if_false.clone() };
        let right = self.knowing(&known, |env| env.condition(right));
        if left.is_any() || right.is_any() {
            return Typed::any(span);
        }
        let (a, b) = (&left.truths, &right.truths);
        let union = |x: &[String], y: &[String]| x.iter().chain(y).cloned().collect::<Vec<_>>();
        let truths = if op == BinaryOp::And {
            Truths {
                if_true: union(&a.if_true, &b.if_true),
                if_false: both(&a.if_false, &b.if_false),
                presence_only: a.presence_only && b.presence_only,
            }
        } else {
            Truths { if_true: both(&a.if_true, &b.if_true), if_false: union(&a.if_false, &b.if_false), presence_only: false }
        };
        let word = if op == BinaryOp::And { "and" } else { "or" };
        let key = format!("({} {word} {})", left.key(), right.key());
        let mut parts = Vec::new();
        for side in [left.expr, right.expr] {
            match (op, side) {
                (BinaryOp::And, Expr::And(inner)) | (BinaryOp::Or, Expr::Or(inner)) => parts.extend(inner),
                (_, other) => parts.push(other),
            }
        }
        let expr = if op == BinaryOp::And { Expr::And(parts) } else { Expr::Or(parts) };
        let mut typed = Typed::new(expr, Kind::Boolean, vec![key], span);
        typed.truths = truths;
        typed
    }

    fn compare(&mut self, op: Compare, left: &tree::Expr, right: &tree::Expr, span: Span) -> Typed {
        for (nothing, other) in [(right, left), (left, right)] {
            if let ExprKind::Name(name) = nothing.kind.as_ref()
                && habits::is_nothing(name)
                && self.find(name).is_none()
                && matches!(op, Compare::Equal | Compare::NotEqual)
            {
                let text = habits::bracketed(&self.text(other.span));
                self.expr(other, None);
                self.report(error::names::compared_with_nothing(name, nothing.span, span, &text, op == Compare::Equal));
                return Typed::any(span);
            }
        }
        // What stands on the other side gives a bare name or a text its meaning.
        let (left, right) = if self.wants_other_side(left) && !self.wants_other_side(right) {
            let right = self.expr(right, None);
            let left = self.expr(left, Some(&right.kind));
            (left, right)
        } else {
            let left = self.expr(left, None);
            let right = self.expr(right, Some(&left.kind));
            (left, right)
        };
        self.compare_typed(op, left, right, span)
    }

    pub(super) fn wants_other_side(&self, expr: &tree::Expr) -> bool {
        match expr.kind.as_ref() {
            ExprKind::Text(text) => text.plain().is_some(),
            ExprKind::Name(name) => {
                self.find(name).is_none()
                    && !self.run.parameters.contains_key(name)
                    && !self.words.iter().any(|word| word.name == name)
                    && !matches!(name.as_str(), "index" | "target")
            }
            ExprKind::Paren(inner) => self.wants_other_side(inner),
            _ => false,
        }
    }

    pub(super) fn compare_typed(&mut self, op: Compare, left: Typed, right: Typed, span: Span) -> Typed {
        let Some((left, right)) = self.comparable(left, right, span) else { return Typed::any(span) };
        let ordered = !matches!(op, Compare::Equal | Compare::NotEqual);
        if ordered && matches!(left.kind, Kind::Boolean | Kind::Enumeration(_) | Kind::Reference(_)) {
            self.report(error::types::no_order(&left, span));
            return Typed::any(span);
        }
        if left.kind == Kind::Money {
            self.currency_beside(&left, &right, span);
            self.currency_beside(&right, &left, span);
        }
        let truths = comparison_truths(op, &left, &right);
        let key = format!("({} {op:?} {})", left.key(), right.key());
        let expr = Expr::Compare { op, left: Box::new(left.expr), right: Box::new(right.expr) };
        let mut typed = Typed::new(expr, Kind::Boolean, vec![key], span);
        typed.truths = truths;
        typed
    }

    /// Both sides under one kind, or the report that they have none.
    pub(super) fn comparable(&mut self, left: Typed, right: Typed, span: Span) -> Option<(Typed, Typed)> {
        if left.is_any() || right.is_any() {
            return None;
        }
        let is_number = |typed: &Typed| matches!(typed.kind, Kind::Integer | Kind::Decimal);
        let pair = match (&left.kind, &right.kind) {
            (Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json, _) | (_, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Json) => {
                None
            }
            (a, b) if a == b => Some((left.clone(), right.clone())),
            (Kind::Text | Kind::Enumeration(_), Kind::Text | Kind::Enumeration(_)) => Some((left.clone(), right.clone())),
            _ if is_number(&left) && is_number(&right) => Some((left.clone(), right.clone())),
            (Kind::Money, _) if is_number(&right) && right.literal_value().is_some() => Some((left.clone(), coerce(right.clone(), &Kind::Money))),
            (_, Kind::Money) if is_number(&left) && left.literal_value().is_some() => Some((coerce(left.clone(), &Kind::Money), right.clone())),
            _ => None,
        };
        if pair.is_none() {
            let texts = [(left.span, self.text(left.span)), (right.span, self.text(right.span))];
            self.report(error::types::not_comparable(&left, &right, span, &texts));
        }
        pair
    }

    fn is_in(&mut self, value: &tree::Expr, list: &[tree::Expr], negated: bool, span: Span) -> Typed {
        let value = self.expr(value, None);
        let mut items = Vec::new();
        let mut keys = Vec::new();
        let mut failed = value.is_any();
        for item in list {
            let typed = self.expr(item, Some(&value.kind));
            // A list from elsewhere stands for its elements.
            match self.comparable(value.clone(), typed, item.span) {
                Some((_, item)) => {
                    keys.push(item.key().to_owned());
                    items.push(item.expr);
                }
                None => failed = true,
            }
        }
        if failed {
            return Typed::any(span);
        }
        let key = format!("({} in {})", value.key(), keys.join(","));
        let known = value.known_if_present();
        let expr = Expr::In { value: Box::new(value.expr), list: items };
        let truths = Truths { if_true: known, ..Truths::default() };
        let (expr, truths) = if negated { (Expr::Not(Box::new(expr)), truths.not()) } else { (expr, truths) };
        let mut typed = Typed::new(expr, Kind::Boolean, vec![format!("{negated}{key}")], span);
        typed.truths = truths;
        typed
    }

    fn matches(&mut self, value: &tree::Expr, pattern: &tree::Expr, span: Span) -> Typed {
        let value = self.expr(value, None);
        let Some((lowered, text)) = self.pattern(pattern) else { return Typed::any(span) };
        if !matches!(value.kind, Kind::Text | Kind::Enumeration(_) | Kind::Any) {
            self.report(error::types::mismatch(value.span, &value.kind, &Kind::Text));
            return Typed::any(span);
        }
        let mut known = value.known_if_present();
        known.push(format!("form {}", value.key()));
        let truths = Truths { if_true: known, ..Truths::default() };
        let key = format!("({} matches {text})", value.key());
        let expr = Expr::Matches { value: Box::new(value.expr), pattern: lowered };
        let mut typed = Typed::new(expr, Kind::Boolean, vec![key], span);
        typed.truths = truths;
        typed
    }

    fn pattern(&mut self, pattern: &tree::Expr) -> Option<(Pattern, String)> {
        let bad = |text: &str| Diagnostic::new(Code::BadPattern, pattern.span, text.to_owned());
        let (name, arguments) = match pattern.kind.as_ref() {
            ExprKind::Text(text) => {
                let Some(regex) = text.plain() else {
                    self.report(bad("a pattern is a literal, never a record's text").help("write the pattern in `'…'`"));
                    return None;
                };
                if let Err(reason) = regex::Regex::new(&regex) {
                    let reason = reason.to_string();
                    let last = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                    self.report(
                        bad("this pattern cannot be read").why(last).help("a sign that is meant as itself stands behind a `\\`: `\\[`, `\\.`, `\\(`"),
                    );
                    return None;
                }
                return Some((Pattern::Regex(regex.clone()), regex));
            }
            ExprKind::Paren(inner) => return self.pattern(inner),
            ExprKind::Name(name) => (name.clone(), &[][..]),
            ExprKind::Call { function, arguments } if function.len() == 1 => (function[0].node.clone(), arguments.as_slice()),
            ExprKind::Broken => return None,
            _ => {
                self.report(
                    bad("a pattern is a literal or one of the patterns that the language has").help("write it in `'…'`, as in `matches '[0-9]{5}'`"),
                );
                return None;
            }
        };
        let Some(builtin) = builtin::find(&name).filter(|builtin| builtin.family == Family::Patterns) else {
            let known: Vec<&str> = builtin::all().filter(|b| b.family == Family::Patterns).map(|b| b.name).collect();
            self.report(
                bad(&format!("there is no pattern `{name}`"))
                    .did_you_mean(&name, pattern.span, known.iter().copied())
                    .help(format!("the patterns are {}", known.join(", "))),
            );
            return None;
        };
        let arguments = self.arguments(builtin, 1, arguments, pattern.span)?;
        let text = format!("{name}({})", arguments.iter().map(|a| a.key().to_owned()).collect::<Vec<_>>().join(","));
        let arguments = arguments.into_iter().map(|argument| argument.expr).collect();
        Some((Pattern::Builtin { function: BuiltinRef(builtin), arguments }, text))
    }
}

impl Typed {
    #[must_use]
    pub(super) fn with_elements(mut self, keys: Vec<String>, facts: Vec<String>, presence: Presence) -> Self {
        self.elements = Some(std::sync::Arc::new(crate::check::env::Elements { keys, facts, presence, sources: Vec::new() }));
        self
    }

    pub(super) fn element_presence(&self) -> Presence {
        self.elements.as_ref().map_or(Presence::Always, |elements| elements.presence.clone())
    }
}

/// `x is present`, with what it tells.
fn presence_of(value: Typed, span: Span) -> Typed {
    let key = format!("({} is present)", value.key());
    let mut known = value.known_if_present();
    if matches!(value.kind, Kind::List(_)) {
        known.push(format!("nonempty {}", value.key()));
    }
    let mut typed = Typed::new(Expr::IsPresent(Box::new(asked(value.expr))), Kind::Boolean, vec![key], span);
    typed.truths = Truths { if_true: known, if_false: Vec::new(), presence_only: true };
    typed
}

/// What the kind of one branch makes of the other; a text that is no value of an enumeration is text.
fn hint(kind: &Kind, other: &tree::Expr) -> Option<Kind> {
    match (kind, other.kind.as_ref()) {
        (Kind::Enumeration(of), ExprKind::Text(text)) if text.plain().is_none_or(|text| of.resolve(&text).is_none()) => None,
        (Kind::Enumeration(_) | Kind::Reference(_), _) => Some(kind.clone()),
        _ => None,
    }
}

/// The larger number of places; one that does not end is that, whatever the other is.
fn more_places(left: Option<u32>, right: Option<u32>) -> Option<u32> {
    match (left, right) {
        (Some(ENDLESS), _) | (_, Some(ENDLESS)) => Some(ENDLESS),
        (left, right) => left.zip(right).map(|(a, b)| a.max(b)),
    }
}

/// What the schema says of the size of a field's values.
fn extent_of(name: &str, field: &crate::schema::Field, object: &crate::schema::Object, target: bool) -> Extent {
    let unit = match &field.wire {
        Wire::WeightNumber { unit } => Some(Unit::Weight(*unit)),
        Wire::LengthNumber { unit } => Some(Unit::Length(*unit)),
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

fn number_literal(number: rust_decimal::Decimal, span: Span) -> Typed {
    let kind = if number.scale() == 0 { Kind::Integer } else { Kind::Decimal };
    Typed::literal(Literal::Number(number), kind, span)
}

fn is_target(expr: &Expr) -> bool {
    match expr {
        Expr::Word(Word::Target) => true,
        Expr::Field { base, .. } => is_target(base),
        _ => false,
    }
}

/// What a comparison says of its sides: present where it holds, and of a number, that it is not 0
/// and a counted list that it is not empty.
fn comparison_truths(op: Compare, left: &Typed, right: &Typed) -> Truths {
    let mut truths = Truths::default();
    let sides = [(left, right, op), (right, left, mirrored(op))];
    for (one, other, op) in sides {
        let mut known = Vec::new();
        match op {
            Compare::Equal | Compare::NotEqual if other.presence.is_always() => known = one.known_if_present(),
            Compare::Equal | Compare::NotEqual => {}
            _ => known = one.known_if_present(),
        }
        match op {
            Compare::NotEqual => truths.if_false.extend(known),
            _ => truths.if_true.extend(known),
        }
        let Some(Literal::Number(limit) | Literal::Money(limit)) = other.literal_value() else { continue };
        bounds_of(op, one, *limit, &mut truths);
        let zero = limit.is_zero();
        let excludes_zero = match op {
            Compare::Equal => !zero,
            Compare::NotEqual => zero,
            Compare::Greater => !limit.is_sign_negative() || zero,
            Compare::GreaterOrEqual => limit.is_sign_positive() && !zero,
            Compare::Less => limit.is_sign_negative() || zero,
            Compare::LessOrEqual => limit.is_sign_negative() && !zero,
        };
        let found = |out: &mut Vec<String>| {
            out.push(format!("nonzero {}", one.key()));
            if let Some(list) = counted(&one.expr, one.key()) {
                out.push(format!("nonempty {list}"));
            }
        };
        if excludes_zero {
            found(&mut truths.if_true);
        } else if op == Compare::Equal && zero {
            found(&mut truths.if_false);
        }
    }
    truths
}

/// Between which numbers a value lies where a comparison holds, or where it does not; of `length(x)`, how long `x` is.
fn bounds_of(op: Compare, one: &Typed, limit: rust_decimal::Decimal, truths: &mut Truths) {
    let whole = one.kind == Kind::Integer;
    let step = rust_decimal::Decimal::ONE;
    let below = if whole { limit - step } else { limit };
    let above = if whole { limit + step } else { limit };
    let text = one.key().strip_prefix("length(").and_then(|rest| rest.strip_suffix(')'));
    let mut add = |holds: bool, word: &str, number: rust_decimal::Decimal| {
        let facts = if holds { &mut truths.if_true } else { &mut truths.if_false };
        facts.push(format!("{word} {} {number}", one.key()));
        if let (Some(text), "high") = (text, word) {
            facts.push(format!("short {text} {number}"));
        }
    };
    match op {
        Compare::Equal => {
            add(true, "high", limit);
            add(true, "low", limit);
        }
        Compare::NotEqual => {}
        Compare::Less => {
            add(true, "high", below);
            add(false, "low", limit);
        }
        Compare::LessOrEqual => {
            add(true, "high", limit);
            add(false, "low", above);
        }
        Compare::Greater => {
            add(true, "low", above);
            add(false, "high", limit);
        }
        Compare::GreaterOrEqual => {
            add(true, "low", limit);
            add(false, "high", below);
        }
    }
}

/// The key of the list in `count(list)`.
fn counted<'k>(expr: &Expr, key: &'k str) -> Option<&'k str> {
    match expr {
        Expr::Call { function, .. } if function.0.name == "count" => key.strip_prefix("count(").and_then(|rest| rest.strip_suffix(')')),
        _ => None,
    }
}

fn mirrored(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::LessOrEqual => Compare::GreaterOrEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterOrEqual => Compare::LessOrEqual,
        same => same,
    }
}

/// The length of `3 days`; `None` where the word is no span of time.
pub(super) fn duration(number: rust_decimal::Decimal, unit: &str) -> Option<jiff::SignedDuration> {
    use rust_decimal::prelude::ToPrimitive;
    let seconds = match unit {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        "week" | "weeks" => 604_800,
        _ => return None,
    };
    let milliseconds = number.checked_mul(rust_decimal::Decimal::from(seconds * 1_000))?.to_i64()?;
    Some(jiff::SignedDuration::from_millis(milliseconds))
}

/// A value of `kind` can stand where `wanted` is taken.
pub(super) fn fits(kind: &Kind, wanted: &Kind) -> bool {
    match (kind, wanted) {
        (Kind::Any, _) | (_, Kind::Any) => true,
        (Kind::Enumeration(_), Kind::Text) | (Kind::Integer, Kind::Decimal) => true,
        (Kind::Enumeration(a), Kind::Enumeration(b)) => a == b || within(a, b),
        (Kind::List(a), Kind::List(b)) => fits(&a.kind, &b.kind),
        (a, b) => a == b,
    }
}

/// Every value of `inner` is one of `outer`.
pub(super) fn within(inner: &Enumeration, outer: &Enumeration) -> bool {
    outer.open || (!inner.open && inner.names().all(|name| outer.names().any(|known| known == name)))
}

/// The value under another kind that it fits.
pub(super) fn coerce(mut typed: Typed, kind: &Kind) -> Typed {
    if typed.kind == *kind || typed.is_any() {
        return typed;
    }
    let scalar = !matches!(kind, Kind::List(_) | Kind::Object(_) | Kind::Row(_) | Kind::Any);
    match (&typed.expr, kind) {
        (Expr::Literal(Literal::Number(number)), Kind::Money) => typed.expr = Expr::Literal(Literal::Money(*number)),
        (Expr::Literal(_), _) => {}
        _ if scalar => typed.expr = Expr::Treat { value: Box::new(typed.expr), kind: kind.clone() },
        _ => {}
    }
    typed.kind = kind.clone();
    typed
}

/// An expression of which the mapping asks whether it is there: what stands on the way to it may be blank, whatever the schema says.
pub(super) fn asked(mut expr: Expr) -> Expr {
    fn ask(expr: &mut Expr) {
        match expr {
            Expr::Field { base, held, .. } => {
                *held = false;
                ask(base);
            }
            Expr::Treat { value, .. }
            | Expr::Negate(value)
            | Expr::Values { value, .. }
            | Expr::JsonPath { value, .. }
            | Expr::Weigh { value, .. }
            | Expr::Measure { value, .. }
            | Expr::LookUpName { value, .. } => ask(value),
            Expr::Call { arguments, .. } | Expr::Table { keys: arguments, .. } => arguments.iter_mut().for_each(ask),
            Expr::Bind { value, body, .. } => [value, body].into_iter().for_each(|expr| ask(expr)),
            Expr::Fallback { value, fallback } => [value, fallback].into_iter().for_each(|expr| ask(expr)),
            Expr::If { then, otherwise, .. } => [then, otherwise].into_iter().for_each(|expr| ask(expr)),
            Expr::Arithmetic { left, right, .. } => [left, right].into_iter().for_each(|expr| ask(expr)),
            Expr::Template { parts, .. } => {
                for part in parts {
                    if let crate::check::typed::Part::Expr(expr) = part {
                        ask(expr);
                    }
                }
            }
            _ => {}
        }
    }
    ask(&mut expr);
    expr
}
