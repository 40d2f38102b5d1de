//! What may be written as it is, and is seldom meant: a stamp that does not move, a unit that a field's name
//! contradicts, a rule that a missing value silences, a text that looks like an expression.

use crate::base::Span;
use crate::builtin::{self, Builtin, Family};
use crate::check::assign::Target;
use crate::check::body::At;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error::doubts as error;
use crate::check::extent::Unit;
use crate::check::facts::Why;
use crate::ir::{self, Arithmetic, ContextVar, Expr, Operation, walk};
use crate::schema::Field;
use crate::syntax::tree::{self, BinaryOp, ExprKind, FieldRow, RowValue, TextLiteral, TextPart};
use crate::system::Search;
use crate::value::{Kind, Literal, ObjectRef, WireEncoding};

impl Checker<'_> {
    // ---- names

    /// Reports a name that a flow or a function gives, and that is a parameter too.
    pub(super) fn also_a_parameter(&mut self, name: &str, span: Span) -> bool {
        if !self.calls.is_empty() || !self.context.parameters.contains_key(name) || !self.context.items.names(self.unit).contains(&name) {
            return false;
        }
        let place = self.context.parameters.get(name).and_then(|parameter| parameter.place.span);
        self.report(error::also_a_parameter(name, span, place));
        true
    }

    // ---- stamps and searches

    /// A stamp that stays as it is while the record changes: when it was created, when it is due.
    pub(super) fn moves_with_changes(&mut self, record: &str, names: &[tree::Name], at: Span) {
        let Some((last, way)) = names.split_last() else { return };
        let Some(mut kind) = self.find(record).map(|binding| binding.value.kind.clone()) else { return };
        for name in way {
            let of = match kind {
                Kind::Object(of) => of,
                Kind::List(element) => match element.kind {
                    Kind::Object(of) => of,
                    _ => return,
                },
                _ => return,
            };
            let Some(next) = self.object(&of).and_then(|object| object.fields.get(&name.node).map(|field| field.kind.clone())) else { return };
            kind = next;
        }
        let of = match kind {
            Kind::Object(of) => of,
            Kind::List(element) => match element.kind {
                Kind::Object(of) => of,
                _ => return,
            },
            _ => return,
        };
        let Some(object) = self.object(&of) else { return };
        let name = last.node.as_str();
        if object.stamp.as_deref() == Some(name) || moves(name) {
            return;
        }
        let instead = object.stamp.clone().or_else(|| {
            let other = |(known, field): (&String, &Field)| (field.kind == Kind::Datetime && field.readable && moves(known)).then(|| known.clone());
            object.fields.iter().find_map(other).filter(|_| is_of_creation(name))
        });
        if let Some(instead) = instead {
            let way: String = way.iter().map(|name| format!(".{}", name.node)).collect();
            self.report(error::stamp_stays(name, is_of_creation(name), at, &format!("{record}{way}.{instead}")));
        }
    }

    /// A match by a field that the system cannot be asked for: every record of it would be read.
    pub(super) fn can_be_searched(&mut self, path: &[String], name: &str, at: Span) {
        let Some(Kind::Object(of)) = self.find(name).map(|binding| binding.value.kind.clone()) else { return };
        let Some(object) = self.object(&of) else { return };
        if object.system.manifest().is_none_or(|manifest| manifest.search != Search::Declared) {
            return;
        }
        let known = |field: &String| object.searchable.contains(field) || object.keys.contains(field) || object.id.as_ref() == Some(field);
        if let [field] = path
            && known(field)
        {
            return;
        }
        let fields: Vec<&str> = object.id.iter().chain(&object.keys).chain(&object.searchable).map(String::as_str).collect();
        self.report(error::not_searchable(&of, &path.join("."), &fields, at));
    }

    // ---- writes

    /// A guard that says nothing of the target.
    pub(super) fn guard_reads_target(&mut self, guard: &tree::Guard, condition: &TypedExpr) {
        if condition.is_erroneous() {
            return;
        }
        let mut reads = false;
        walk::expr(&condition.expr, &mut |expr| reads |= matches!(expr, Expr::ContextVar(ContextVar::Target)));
        if !reads {
            self.report(error::guard_without_target(guard.condition.span));
        }
    }

    /// A field that the target takes when a record is made, and refuses or ignores later.
    pub(super) fn taken_only_once(&mut self, row: &FieldRow, of: &ObjectRef, name: &str, field: &Field, at: At<'_>) {
        let only_created = field.write.create && !field.write.update;
        if at.op == Some(Operation::Upsert) && only_created && row.policy.is_none() && matches!(row.value, RowValue::Expr(_)) {
            self.report(error::set_only_once(of, name, row.span));
        }
    }

    /// What is told of a value where it goes into its field.
    pub(super) fn assigned(&mut self, typed: &TypedExpr, value: &tree::Expr, target: &Target<'_>) {
        self.drops_text(typed, value, target);
        if let Some(named) = unit_in(target.name)
            && matches!(target.field.kind, Kind::Integer | Kind::Decimal)
            && let Some(has) = typed.extent.unit.or_else(|| plain_field(&typed.expr).and_then(unit_in))
            && has != named
        {
            self.report(error::unit_differs(target.name, named.word(), has.word(), value.span, None));
        }
    }

    /// A text of several values into a field that may stay empty: where one of them is missing, all is.
    fn drops_text(&mut self, typed: &TypedExpr, value: &tree::Expr, target: &Target<'_>) {
        let ExprKind::Text(text) = strip(value).kind.as_ref() else { return };
        let parts: Vec<&tree::Expr> = text.parts.iter().filter_map(|part| if let TextPart::Expr(expr) = part { Some(expr) } else { None }).collect();
        if target.required || self.lenient || !self.calls.is_empty() || parts.len() < 2 || typed.presence.open(&self.facts).is_none() {
            return;
        }
        let mut missing: Vec<(&tree::Expr, Kind)> = Vec::new();
        for part in &parts {
            let typed = self.silently(|checker| checker.expr(part, None));
            if typed.presence.open(&self.facts).is_some() {
                missing.push((part, typed.kind));
            }
        }
        // Where every part may be missing, there may be nothing to say.
        let whole = strip(value).span;
        let (Some(source), false) = (self.context.sources.get(whole.file), missing.is_empty()) else { return };
        let mut mended = String::new();
        let mut at = whole.start;
        for (part, kind) in &missing {
            let end = part.span.end;
            let low = matches!(part.kind.as_ref(), ExprKind::If { .. } | ExprKind::Binary { .. });
            mended.push_str(source.text.get(at as usize..part.span.start as usize).unwrap_or_default());
            let own = source.text.get(part.span.start as usize..end as usize).unwrap_or_default();
            mended.push_str(&if low { format!("({own})") } else { own.to_owned() });
            mended.push_str(if matches!(kind, Kind::Text | Kind::Enumeration(_)) { " ?? \"\"" } else { " | text ?? \"\"" });
            at = end;
        }
        mended.push_str(source.text.get(at as usize..whole.end as usize).unwrap_or_default());
        let names: Vec<String> = missing.iter().map(|(part, _)| self.text(part.span)).collect();
        self.report(error::text_dropped(&target.path(), whole, &names, missing.first().map_or(whole, |(part, _)| part.span), mended));
    }

    fn currency_is_known(&self, typed: &TypedExpr, currency: &str) -> bool {
        typed.keys.iter().any(|key| key.holder().is_some_and(|holder| self.facts.has(&holder.field(currency))))
    }

    /// Money that has a currency of its own, beside a number that has none.
    pub(super) fn currency_beside(&mut self, money: &TypedExpr, other: &TypedExpr, at: Span) {
        let number = matches!(other.literal_value(), Some(Literal::Number(number) | Literal::Money(number)) if !number.is_zero());
        let parameter = match &other.expr {
            // Its value may say a currency.
            Expr::Parameter(name) => {
                self.context.parameters.get(name).filter(|parameter| !matches!(parameter.value, Literal::Amount(..))).map(|_| name.as_str())
            }
            _ => None,
        };
        let plain = number || parameter.is_some();
        let Some(Expr::Field { wire: WireEncoding::Amount { currency_field: Some(currency), .. }, .. }) = field_of(&money.expr) else { return };
        if plain && !self.currency_is_known(money, currency) {
            let text = self.text(money.span);
            let base = text.rsplit_once('.').map_or("", |(base, _)| base);
            let beside = self.text(other.span);
            self.report(error::currency_unsaid(&text, &format!("{base}.{currency}"), &beside, parameter, at));
        }
    }

    // ---- units

    /// `Weight_Lb__c as kg`
    pub(super) fn unit_by_name(&mut self, value: &TypedExpr, unit: &tree::Name) {
        let (Some(name), Some(said)) = (plain_field(&value.expr), Unit::parse(&unit.node)) else { return };
        if let Some(named) = unit_in(name).filter(|named| *named != said) {
            self.report(error::unit_differs(name, named.word(), said.word(), value.span.to(unit.span), Some(unit.span)));
        }
    }

    /// `units = inches` beside a number that its field calls centimetres.
    pub(super) fn units_beside(&mut self, rows: &[FieldRow], typed: &[ir::Row]) {
        let said = typed.iter().find_map(|row| match &row.value {
            ir::RowValue::Expr(Expr::Literal(Literal::Text(word))) if row.name.eq_ignore_ascii_case("units") => Unit::parse(word),
            _ => None,
        });
        let Some(said) = said else { return };
        for row in typed {
            let ir::RowValue::Expr(value) = &row.value else { continue };
            let Some((name, named)) = plain_field(value).and_then(|name| Some((name, unit_in(name)?))) else { continue };
            let written = rows.iter().find(|written| written.place.first().is_some_and(|place| place.node == row.name));
            if let (Some(FieldRow { value: RowValue::Expr(written), .. }), true) = (written, named != said) {
                self.report(error::unit_differs(name, named.word(), said.word(), written.span, None));
            }
        }
    }

    // ---- texts

    /// A text that stands for itself and looks like an expression.
    pub(super) fn looks_like_code(&mut self, text: &TextLiteral, plain: &str, at: Span) {
        if !self.calls.is_empty() || plain.len() > 200 || !plain.contains('.') {
            return;
        }
        if text.raw {
            let holds = |open: usize| plain[open + 1..].trim_start().split_once('.').is_some_and(|(name, rest)| self.is_path(name, rest));
            if plain.match_indices('{').any(|(open, _)| holds(open)) {
                self.report(error::looks_like_code(
                    plain,
                    at,
                    format!("\"{}\"", plain.replace('"', "\\\"")),
                    "a text in single quotes is taken as it stands",
                ));
            }
            return;
        }
        let inner = match plain.split_once('(') {
            Some((function, rest)) if builtin::find(function.trim()).is_some() && rest.trim_end().ends_with(')') => rest,
            _ => plain,
        };
        let Some((name, rest)) = inner.trim().split_once('.') else { return };
        let ends = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
        let tail = rest[ends..].trim_start();
        let operator = tail.is_empty() || ["|", "??", "+", "-", "*", "/", "==", "!=", ">", "<", ")", ","].iter().any(|sign| tail.starts_with(sign));
        if operator && self.is_path(name, &rest[..ends]) {
            self.report(error::looks_like_code(plain, at, plain.trim().to_owned(), "a text in quotes stands for itself"));
        }
    }

    /// `order` and `Notes`: a name that is given here, and a field of it.
    fn is_path(&self, name: &str, rest: &str) -> bool {
        let Some(binding) = self.find(name) else { return false };
        let field: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match &binding.value.kind {
            Kind::Object(of) => self.object(of).is_some_and(|object| object.fields.contains_key(&field)),
            _ => false,
        }
    }

    /// `"${order.Notes}"`: the sign before the hole would be sent.
    pub(super) fn looks_like_shell(&mut self, text: &TextLiteral, at: Span) {
        if !self.calls.is_empty() {
            return;
        }
        let mut before = None;
        for part in &text.parts {
            match part {
                TextPart::Text(text) => before = text.ends_with('$').then_some(text.as_str()),
                TextPart::Expr(expr) => {
                    let signed = before.take().is_some_and(|text| text == "$" || text.ends_with(" $"));
                    if signed
                        && !matches!(self.silently(|checker| checker.expr(expr, None)).kind, Kind::Money | Kind::Decimal | Kind::Integer | Kind::Any)
                    {
                        let written = self.context.sources.text(at);
                        let mended = written.replacen("${", "{", 1);
                        self.report(error::looks_like_code(
                            &format!("${{{}}}", self.text(expr.span)),
                            at,
                            mended,
                            "a value in a text is written `{…}`",
                        ));
                        return;
                    }
                }
            }
        }
    }

    // ---- rules

    pub(super) fn says_something(&mut self, rule: &tree::Rule, message: Option<&tree::Expr>, condition: &tree::Expr, word: &str) {
        if message.is_some() || matches!(condition.kind.as_ref(), ExprKind::Broken) {
            return;
        }
        let _ = rule;
        let text = self.text(condition.span);
        self.report(error::no_message(word, condition.span, &text, matches!(strip(condition).kind.as_ref(), ExprKind::Field { .. })));
    }

    /// A rule that does not fire where something that it compares is missing. `unless`: it fires where the condition
    /// does not hold.
    pub(super) fn not_silent(&mut self, rule: &tree::Rule, condition: &tree::Expr, typed: &TypedExpr, unless: bool) {
        if typed.is_erroneous() || self.lenient {
            return;
        }
        let review = matches!(rule.kind, tree::RuleKind::Review { .. });
        self.silenced(condition, !unless, review);
    }

    /// `fires`: where this holds, the rule fires.
    fn silenced(&mut self, condition: &tree::Expr, fires: bool, review: bool) {
        match condition.kind.as_ref() {
            ExprKind::Paren(inner) => self.silenced(inner, fires, review),
            ExprKind::Not(inner) => self.silenced(inner, !fires, review),
            ExprKind::Binary { op, left, right } if matches!(op.node, BinaryOp::And | BinaryOp::Or) => {
                self.silenced(left, fires, review);
                let truths = self.silently(|checker| checker.condition(left)).refinement;
                let known = if op.node == BinaryOp::And { truths.if_true } else { truths.if_false };
                self.with_facts(&known, |checker| checker.silenced(right, fires, review));
            }
            ExprKind::Binary { op, left, right }
                if fires && matches!(op.node, BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual) =>
            {
                let (one, other) = self.silently(|checker| (checker.expr(left, None), checker.expr(right, None)));
                let constant = |typed: &TypedExpr| {
                    typed.literal_value().is_some()
                        || matches!(&typed.expr, Expr::Parameter(_) | Expr::ContextVar(ContextVar::Now | ContextVar::Today))
                };
                let fields = !constant(&one) && !constant(&other);
                for (side, written) in [(&one, left), (&other, right)] {
                    let Some(gap) = side.presence.open(&self.facts) else { continue };
                    let counts = match &gap.why {
                        Why::TableRow(_) | Why::Values(_) | Why::Match | Why::Division => true,
                        Why::Function(name) => builtin::find(name).is_some_and(|builtin: &Builtin| builtin.family == Family::Conversions),
                        Why::Field(_) => fields,
                        _ => false,
                    };
                    if counts {
                        let (value, whole) = (self.text(written.span), self.text(condition.span));
                        self.report(error::may_be_silent(condition.span, written.span, &value, &whole, review));
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    /// A condition inside an expression that is the same for every record.
    pub(super) fn always_alike(&mut self, condition: &TypedExpr, what: &str) {
        let may_be = match &condition.expr {
            Expr::And(_) | Expr::Or(_) | Expr::Not(_) => true,
            Expr::Compare { left, right, .. } => {
                left == right || matches!(left.as_ref(), Expr::Call { .. }) || matches!(right.as_ref(), Expr::Call { .. })
            }
            _ => false,
        };
        if may_be
            && self.calls.is_empty()
            && !condition.is_erroneous()
            && let Some(truth) = super::logic::settled(&condition.expr)
        {
            self.report(crate::check::error::lints::constant(truth, condition.span, what));
        }
    }

    // ---- operators

    /// `a ?? b * c`: one reads it as `(a ?? b) * c`, and it is `a ?? (b * c)`.
    pub(super) fn brackets_wanted(&mut self, value: &tree::Expr, fallback: &tree::Expr, left: &TypedExpr, span: Span) {
        let context = self.context;
        let text =
            |from: u32, to: u32| context.sources.get(span.file).and_then(|source| source.text.get(from as usize..to as usize)).unwrap_or_default();
        let is_time = |checker: &mut Self, expr: &tree::Expr| {
            // `due ?? now + 2 days` is read in one way only.
            matches!(checker.silently(|checker| checker.expr(expr, None)).kind, Kind::Date | Kind::Datetime | Kind::Duration | Kind::Any)
        };
        if let ExprKind::Binary { op, .. } = fallback.kind.as_ref()
            && is_arithmetic(op.node)
        {
            if is_time(self, fallback) {
                return;
            }
            let first = first_operand(fallback).span.end;
            let close = format!("({}){}", text(span.start, first), text(first, span.end));
            let wide = format!("{}({})", text(span.start, fallback.span.start), text(fallback.span.start, span.end));
            self.report(error::brackets(span, op.span, close, wide));
            return;
        }
        if let ExprKind::Binary { op, left: first, right } = value.kind.as_ref()
            && matches!(op.node, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply)
            && !left.is_erroneous()
        {
            let zero = matches!(fallback.kind.as_ref(), ExprKind::Number(number) if number.is_zero());
            if op.node == BinaryOp::Multiply && zero {
                return;
            }
            let right_typed = self.silently(|checker| checker.expr(right, None));
            if is_time(self, value) || right_typed.is_erroneous() || right_typed.presence.open(&self.facts).is_none() {
                return;
            }
            let _ = first;
            let close = format!("{}({})", text(span.start, right.span.start), text(right.span.start, span.end));
            let wide = format!("({}){}", text(span.start, value.span.end), text(value.span.end, span.end));
            self.report(error::brackets(span, op.span, close, wide));
        }
    }
}

fn is_arithmetic(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide)
}

/// What stands first in a sum or a product.
fn first_operand(expr: &tree::Expr) -> &tree::Expr {
    match expr.kind.as_ref() {
        ExprKind::Binary { op, left, .. } if is_arithmetic(op.node) => first_operand(left),
        _ => expr,
    }
}

fn strip(expr: &tree::Expr) -> &tree::Expr {
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => strip(inner),
        _ => expr,
    }
}

/// A field that says when its record was last changed, by its name.
fn moves(name: &str) -> bool {
    let name = name.to_lowercase();
    ["modif", "stamp", "updat", "chang"].iter().any(|word| name.contains(word))
}

fn is_of_creation(name: &str) -> bool {
    let name = name.to_lowercase();
    ["creat", "placed", "ordered", "opened", "entered"].iter().any(|word| name.contains(word))
}

/// The field that an expression reads and hands on as it is, or but for its fallback.
fn field_of(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Field { .. } => Some(expr),
        Expr::Coerce { value, .. } | Expr::Fallback { value, .. } => field_of(value),
        Expr::Arithmetic { op: Arithmetic::Multiply, left, right } => field_of(left).or_else(|| field_of(right)),
        _ => None,
    }
}

fn plain_field(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Field { name, kind: Kind::Integer | Kind::Decimal, .. } => Some(name),
        Expr::Coerce { value, .. } | Expr::Fallback { value, .. } => plain_field(value),
        Expr::Arithmetic { op: Arithmetic::Multiply, left, right } => match (plain_field(left), plain_field(right)) {
            (Some(left), None) => Some(left),
            (None, Some(right)) => Some(right),
            (Some(left), Some(right)) => Some(if unit_in(left).is_some() { left } else { right }),
            (None, None) => None,
        },
        _ => None,
    }
}

/// The unit that a field's name ends in: `Weight_Lb__c`, `lengthCm`, `weight_kg`.
pub(super) fn unit_in(name: &str) -> Option<Unit> {
    let name = name.strip_suffix("__c").unwrap_or(name);
    let split = name.rfind('_').map(|at| at + 1).or_else(|| {
        let at = name.char_indices().filter(|(_, letter)| letter.is_uppercase()).map(|(at, _)| at).next_back()?;
        Some(at)
    })?;
    let word = name.get(split..)?.to_lowercase();
    if split == 0 {
        return None;
    }
    match word.as_str() {
        "in" => Unit::parse("inches"),
        word => Unit::parse(word),
    }
}
