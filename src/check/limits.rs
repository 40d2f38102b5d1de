//! Limits on the size of a value against its field. A literal, wherever it is in the value, is checked here and gives an error. Any
//! other value gives a warning if it may not fit. The final check applies the same limits to every payload.

use rust_decimal::Decimal;

use crate::base::Span;
use crate::check::assign::Target;
use crate::check::checker::{Checker, TypedExpr};
use crate::check::error::limits as error;
use crate::check::extent::{Open, Unit};
use crate::check::facts::Facts;
use crate::check::key::{Fact, Key};
use crate::ir::{Expr, Otherwise};
use crate::schema::{Field, SizeUnit};
use crate::syntax::tree::{self, ExprKind};
use crate::value::{Kind, Literal, ObjectRef, WireEncoding};

/// Shorter fields hold codes, and nobody cuts a code.
const SHORTEST_PROSE: usize = 8;

/// Into a field of so many characters goes what people write.
const SPACIOUS: usize = 4_000;

/// A literal that the value may be, and where it comes from.
struct Candidate<'l> {
    literal: &'l Literal,
    at: Span,
    from: From<'l>,
}

enum From<'l> {
    /// It stands here.
    Here,
    Parameter(&'l str),
    Map,
    Function,
    /// A line of a table's file.
    Row(&'l str, u32),
}

/// Whether a field holds its values to anything that depends on their size, or to known names.
fn is_limited(field: &Field) -> bool {
    field.size.is_some()
        || field.pattern.is_some()
        || field.minimum.is_some()
        || field.maximum.is_some()
        || field.places.is_some()
        || field.digits.is_some()
        || matches!(field.kind, Kind::Enumeration(_))
}

impl Checker<'_> {
    /// What depends on the size of a value.
    pub(super) fn limits(&mut self, typed: &TypedExpr, value: &tree::Expr, target: &Target<'_>) {
        if !is_limited(target.field) || matches!(target.field.kind, Kind::Reference(_)) {
            return;
        }
        let told = self.literals(&typed.expr, Some(value), value.span, target) | self.cells(typed.extent.table, value.span, target);
        if !told && typed.literal_value().is_none() {
            self.may_not_fit(typed, value, target);
        }
    }

    /// Every literal that the value may be; whether one of them does not fit.
    fn literals(&mut self, expr: &Expr, written: Option<&tree::Expr>, span: Span, target: &Target<'_>) -> bool {
        let written = written.map(plain);
        let at = written.map_or(span, |written| written.span);
        let context = self.context;
        match expr {
            Expr::Coerce { value, .. } => self.literals(value, written, span, target),
            Expr::Literal(literal) => {
                let here =
                    written.is_some_and(|written| matches!(written.kind.as_ref(), ExprKind::Text(_) | ExprKind::Number(_) | ExprKind::Negate(_)));
                let from = if here || self.calls.is_empty() && written.is_some() { From::Here } else { From::Function };
                self.candidate(&Candidate { literal, at, from }, target)
            }
            Expr::Parameter(name) => {
                let Some(parameter) = context.parameters.get(name) else { return false };
                let place = context.parameter_values.get(name).copied().unwrap_or(at);
                self.candidate(&Candidate { literal: &parameter.value, at: place, from: From::Parameter(name) }, target)
            }
            Expr::If { then, otherwise, .. } => {
                let (yes, no) = match written.map(|written| written.kind.as_ref()) {
                    Some(ExprKind::If { then, otherwise, .. }) => (Some(then), otherwise.as_ref()),
                    _ => (None, None),
                };
                self.literals(then, yes, at, target) | self.literals(otherwise, no, at, target)
            }
            Expr::Fallback { value, fallback } => {
                let (first, second) = match written.map(|written| written.kind.as_ref()) {
                    Some(ExprKind::Fallback { value, fallback }) => (Some(value), Some(fallback)),
                    _ => (None, None),
                };
                self.literals(value, first, at, target) | self.literals(fallback, second, at, target)
            }
            Expr::Bind { body, .. } => self.literals(body, None, at, target),
            Expr::Values { map, back: false, .. } => {
                // Values of an enumeration were held to it where the map stands.
                let Some(map) = context.maps.get(*map).filter(|map| !matches!(map.to, Kind::Enumeration(_))) else { return false };
                let mut told = false;
                let otherwise = match &map.map.otherwise {
                    Otherwise::Value { to, place } => Some((to, place)),
                    _ => None,
                };
                for (literal, place) in map.map.rows.iter().map(|row| (&row.to, &row.place)).chain(otherwise) {
                    let at = place.span.unwrap_or(at);
                    told |= self.candidate(&Candidate { literal, at, from: From::Map }, target);
                }
                told
            }
            Expr::Field { base, name, .. } => match base.as_ref() {
                Expr::Table { table, .. } if context.tables.get(*table).is_some_and(|table| !table.many) => {
                    let column = context.tables[*table].columns.iter().position(|column| *column.name == **name);
                    self.cells(Some((*table, column)), at, target)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// The cells of a table's column, of which the value is one.
    fn cells(&mut self, of: Option<(usize, Option<usize>)>, at: Span, target: &Target<'_>) -> bool {
        let context = self.context;
        let Some((Some(table), Some(column))) = of.map(|(table, column)| (context.tables.get(table), column)) else { return false };
        for (row, line) in table.rows.iter().zip(&table.lines) {
            if let Some(literal) = row.get(column)
                && self.candidate(&Candidate { literal, at, from: From::Row(&table.path, *line) }, target)
            {
                // The first of them shows what is wrong with the column.
                return true;
            }
        }
        false
    }

    fn candidate(&mut self, of: &Candidate<'_>, target: &Target<'_>) -> bool {
        let field = target.field;
        // What is written in the field's own place is read as one of its values.
        if let (Kind::Enumeration(known), Literal::Text(text)) = (&field.kind, of.literal)
            && !matches!(of.from, From::Here)
            && known.resolve(text).is_none_or(|value| value != text)
        {
            let names: Vec<&str> = known.names().collect();
            let told = error::not_a_name(of.at, &target.path(), text, &names, known.open);
            self.report(self.come_from(told, of, target));
            return true;
        }
        let Some(misfit) = misfit(field, of.literal) else { return false };
        let told = error::literal(of.at, &target.path(), &misfit.what, &misfit.limit);
        let told = match misfit.instead {
            Some(instead) if matches!(of.from, From::Here) => told.mend(format!("write a value that fits:   {instead}"), of.at, instead),
            _ => told.help("write a value that fits"),
        };
        self.report(self.come_from(told, of, target));
        true
    }

    /// Says by which way the literal comes to the field.
    fn come_from(&self, told: crate::base::diag::Diagnostic, of: &Candidate<'_>, target: &Target<'_>) -> crate::base::diag::Diagnostic {
        let into = format!("it goes into `{}` here", target.path());
        match of.from {
            From::Here | From::Function => told,
            From::Parameter(name) => told.other(target.span, format!("the parameter `{name}` goes into `{}` here", target.path())),
            From::Map => told.other(target.span, into),
            From::Row(file, line) => {
                let label = &told.primary.text;
                let label = if label.is_empty() { format!("{file}:{line}") } else { format!("{file}:{line}: {label}") };
                told.label(label)
            }
        }
    }

    // ---- what is no literal

    fn may_not_fit(&mut self, typed: &TypedExpr, value: &tree::Expr, target: &Target<'_>) {
        let field = target.field;
        let (path, text) = (target.path(), self.text(value.span));
        match &field.kind {
            Kind::Text => {
                if let Some(size) = field.size {
                    let known = bounds(&self.facts, typed, Fact::most_characters).min();
                    let longest = [typed.longest, known.and_then(|known| usize::try_from(known).ok())].into_iter().flatten().min();
                    match longest {
                        Some(longest) if longest > size.max => {
                            self.report(error::too_long(value.span, &path, Some(longest), size, &text));
                            return;
                        }
                        Some(_) => {}
                        None => match typed.extent.open {
                            // Nobody writes so much that it would not go in.
                            _ if size.max >= SPACIOUS => {}
                            Some(Open::File) if size.max < SHORTEST_PROSE => {}
                            Some(_) => {
                                self.report(error::too_long(value.span, &path, None, size, &text));
                                return;
                            }
                            None => {}
                        },
                    }
                }
                if let Some(pattern) = &field.pattern
                    && !self.has_form(typed, pattern)
                {
                    self.report(error::may_not_match(value.span, &path, pattern, &text));
                }
            }
            Kind::Integer | Kind::Decimal | Kind::Money => {
                if let (Some(has), Some(keeps)) = (typed.places, field.places)
                    && has > keeps
                    && field.kind != Kind::Integer
                {
                    self.report(error::too_many_places(value.span, &path, has, keeps, &text));
                }
                self.may_be_out_of_range(typed, value.span, target, &text);
            }
            Kind::Weight | Kind::Length => {
                let to = match &field.wire {
                    WireEncoding::WeightNumber { unit } => Unit::Weight(*unit),
                    WireEncoding::LengthNumber { unit } => Unit::Length(*unit),
                    _ => return,
                };
                if let (Some(keeps), Some(unit)) = (field.places, typed.extent.unit)
                    && let Some(has) = unit.places_in(typed.places, to).filter(|has| *has > keeps)
                {
                    let convert = if unit == to { String::new() } else { format!(" | to {}", to.word()) };
                    self.report(error::too_many_places_in(value.span, &path, has, keeps, &text, &convert));
                }
            }
            _ => {}
        }
    }

    fn may_be_out_of_range(&mut self, typed: &TypedExpr, at: Span, target: &Target<'_>, text: &str) {
        let field = target.field;
        let path = target.path();
        if let Some(most) = field.maximum {
            let high = bounds(&self.facts, typed, Fact::most).chain(typed.extent.high).min();
            if high.is_none_or(|high| high > most) {
                self.report(error::too_large(at, &path, most, high, text, field.minimum));
                return;
            }
        }
        if let Some(least) = field.minimum {
            let low = bounds(&self.facts, typed, Fact::least).chain(typed.extent.low).max();
            // Of a value that nothing is known of, nothing is said: most amounts are not negative.
            let doubtful = match low {
                Some(low) => low < least,
                None => typed.extent.signed,
            };
            if doubtful {
                self.report(error::too_small(at, &path, least, low, text));
            }
        }
    }

    /// A rule above holds the text to a form, or its own field has the same one.
    fn has_form(&self, typed: &TypedExpr, pattern: &str) -> bool {
        if typed.keys.iter().any(|key| self.facts.holds(&Fact::HasForm(key.clone()))) {
            return true;
        }
        let mut expr = &typed.expr;
        while let Expr::Coerce { value, .. } = expr {
            expr = value;
        }
        let Expr::Field { base, name, .. } = expr else { return false };
        let of = self.object_of(base);
        of.and_then(|of| self.object(&of)).and_then(|object| object.fields.get(name.as_ref())?.pattern.clone()).as_deref() == Some(pattern)
    }

    /// The object that an expression stands for.
    pub(super) fn object_of(&self, base: &Expr) -> Option<ObjectRef> {
        match base {
            Expr::Field { kind: Kind::Object(of), .. } => Some(of.clone()),
            Expr::Slot { name, .. } => self.find(name).and_then(|binding| match &binding.value.kind {
                Kind::Object(of) => Some(of.clone()),
                _ => None,
            }),
            _ => None,
        }
    }
}

/// The bounds of a kind that rules and conditions above give a value.
fn bounds<'f>(facts: &'f Facts, typed: &'f TypedExpr, of: fn(&Fact) -> Option<(&Key, Decimal)>) -> impl Iterator<Item = Decimal> + 'f {
    facts.since(0).iter().filter_map(of).filter(|(key, _)| typed.keys.contains(key)).map(|(_, bound)| bound)
}

fn plain(expr: &tree::Expr) -> &tree::Expr {
    match expr.kind.as_ref() {
        ExprKind::Paren(inner) => plain(inner),
        _ => expr,
    }
}

struct Misfit {
    what: String,
    limit: String,
    /// A literal that fits, as an author writes it.
    instead: Option<String>,
}

/// What is wrong with a literal in a field.
fn misfit(field: &Field, literal: &Literal) -> Option<Misfit> {
    match literal {
        Literal::Text(text) => {
            if let Some(size) = field.size {
                let length = match size.unit {
                    SizeUnit::Characters => text.chars().count(),
                    SizeUnit::Bytes => text.len(),
                    SizeUnit::Utf16 => text.encode_utf16().count(),
                };
                let what = format!("the text is {length} long");
                if length > size.max {
                    let cut: String = text.chars().take(size.max).collect();
                    let instead = (size.unit == SizeUnit::Characters && size.max > 0).then(|| quoted(cut.trim_end()));
                    return Some(Misfit { what, limit: format!("the field takes at most {}", size.max), instead });
                }
                if length < size.min {
                    return Some(Misfit { what, limit: format!("the field takes at least {}", size.min), instead: None });
                }
            }
            let pattern = field.pattern.as_ref()?;
            regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)).then(|| Misfit {
                what: format!("{text:?} has the wrong form"),
                limit: format!("the field takes texts like `{pattern}`"),
                instead: None,
            })
        }
        Literal::Number(number) | Literal::Money(number) => {
            if let Some(least) = field.minimum.filter(|least| number < least) {
                let (what, limit) = (format!("{number} is too small"), format!("the field takes {least} and more"));
                return Some(Misfit { what, limit, instead: Some(least.to_string()) });
            }
            if let Some(most) = field.maximum.filter(|most| number > most) {
                let (what, limit) = (format!("{number} is too large"), format!("the field takes {most} at most"));
                return Some(Misfit { what, limit, instead: Some(most.to_string()) });
            }
            if let Some(places) = field.places.filter(|places| number.normalize().scale() > *places) {
                let (what, limit) = (format!("{number} has too many decimal places"), format!("the field keeps {places}"));
                return Some(Misfit { what, limit, instead: Some(number.round_dp(places).to_string()) });
            }
            let whole = field.digits?.saturating_sub(field.places.unwrap_or(0)).min(28);
            let limit = (0..whole).try_fold(Decimal::ONE, |limit, _| limit.checked_mul(Decimal::TEN))?;
            (number.abs() >= limit).then(|| Misfit {
                what: format!("{number} has too many digits"),
                limit: format!("the field keeps {whole} before the point"),
                instead: None,
            })
        }
        _ => None,
    }
}

/// A text as an author writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '{' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
