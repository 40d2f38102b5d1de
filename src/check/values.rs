//! Value maps: every row against both enumerations, and what no row covers.

use std::collections::HashMap;

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::checker::{CheckContext, Checker, Map};
use crate::check::error;
use crate::ir::{ContextVar, Otherwise, ValueMap, ValueRow};
use crate::syntax::tree::{self, ElseOutcome, ExprKind, TypeExpr, TypeKind};
use crate::value::{Enumeration, Kind, Literal};

/// Checks one value map.
pub(super) fn check(context: &CheckContext<'_>, unit: usize, values: &tree::Values, doc: Option<&str>, out: &mut Vec<Diagnostic>) -> Map {
    let mut checker = Checker::new(context, unit);
    let map = checker.value_map_item(values, doc);
    out.append(&mut checker.out);
    map
}

/// Which side of a map a literal stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    From,
    To,
}

impl Checker<'_> {
    /// What a field gives, by the kind that it takes: more values than those, where its schema says so.
    fn given_of(&self, kind: Kind) -> Kind {
        let Kind::Enumeration(of) = &kind else { return kind };
        let mut parts = of.name.splitn(3, '.');
        let (Some(connection), Some(object), Some(field)) = (parts.next(), parts.next(), parts.next()) else { return kind };
        let object = self.object(&crate::value::ObjectRef { connection: connection.to_owned(), object: object.to_owned() });
        match object.as_ref().and_then(|object| object.fields.get(field)).and_then(|field| field.gives.clone()) {
            Some(given @ Kind::Enumeration(_)) => given,
            _ => kind,
        }
    }

    fn value_map_item(&mut self, values: &tree::Values, doc: Option<&str>) -> Map {
        let mut side = |side: &Option<TypeExpr>| side.as_ref().map_or(Kind::Any, |of| self.type_expr(of).kind);
        let (mut from, mut to) = (side(&values.from), side(&values.to));
        if is_swapped(values, &from, &to)
            && let (Some(left), Some(right)) = (&values.from, &values.to)
        {
            self.report(error::values::swapped(values, left, right, (&path_text(left), &path_text(right))));
            // It is read as it was meant, so that its rows and what uses it are not told too.
            std::mem::swap(&mut from, &mut to);
        }
        let from = self.given_of(from);
        let mut rows: Vec<(ValueRow, Span)> = Vec::new();
        let mut backs: HashMap<String, Span> = HashMap::new();
        let mut back: Vec<ValueRow> = Vec::new();
        for row in &values.rows {
            self.row(values, row, (&from, &to), &mut rows, &mut back, &mut backs);
        }
        let otherwise = self.otherwise(values, &from, &to);
        let total = self.covered(values, &from, &rows, &otherwise);
        let rows: Vec<ValueRow> = rows.into_iter().map(|(row, _)| row).collect();
        let total_back = match &to {
            Kind::Enumeration(of) if !of.open => of.names().all(|name| back.iter().any(|row| row.from == Literal::Text(name.to_owned()))),
            _ => false,
        };
        let place = self.place(values.name.span);
        Map {
            map: ValueMap {
                name: values.name.node.clone(),
                doc: doc.map(str::to_owned),
                from: from.clone(),
                to: to.clone(),
                rows,
                back,
                otherwise,
                place,
            },
            from,
            to,
            total,
            both_ways: values.both_ways,
            total_back,
        }
    }

    fn row(
        &mut self,
        values: &tree::Values,
        row: &tree::ValueRow,
        (from, to): (&Kind, &Kind),
        rows: &mut Vec<(ValueRow, Span)>,
        back: &mut Vec<ValueRow>,
        backs: &mut HashMap<String, Span>,
    ) {
        let right = self.value_literal(&row.to, to, Side::To, values);
        let mut lefts: Vec<Literal> = Vec::new();
        let place = self.place(row.span);
        for left in &row.from {
            let Some(literal) = self.value_literal(left, from, Side::From, values) else { continue };
            if let Some((_, first)) = rows.iter().find(|(known, _)| known.from == literal) {
                let diagnostic =
                    Diagnostic::new(Code::DuplicateRow, left.span, format!("`{}` has two rows for {}", values.name.node, self.text(left.span)))
                        .other(*first, "the first row")
                        .why("the second row would never be met")
                        .help("take one of the two rows out");
                self.report(diagnostic);
                continue;
            }
            lefts.push(literal.clone());
            if let Some(right) = &right {
                rows.push((ValueRow { from: literal, to: right.clone(), place: place.clone() }, left.span));
            }
        }
        let Some(right) = right else { return };
        if !values.both_ways {
            if let Some(word) = &row.back {
                self.report(
                    Diagnostic::new(Code::NotOneToOne, word.span, "`back` has a meaning only in a two-way map").help("write `<->` between the sides"),
                );
            }
            return;
        }
        let shown = format!("{right:?}");
        if let Some(first) = backs.get(&shown) {
            let diagnostic = Diagnostic::new(
                Code::NotOneToOne,
                row.to.span,
                format!("{} stands in two rows, so its way back is not clear", self.text(row.to.span)),
            )
            .other(*first, "the first row")
            .help("put both left sides into one row, with `back` and the value that wins");
            self.report(diagnostic);
            return;
        }
        backs.insert(shown, row.to.span);
        let wins = match (&row.back, lefts.as_slice()) {
            (Some(wins), _) => match self.value_literal(wins, from, Side::From, values) {
                Some(literal) if lefts.contains(&literal) => literal,
                Some(_) => {
                    self.report(Diagnostic::new(Code::NotOneToOne, wins.span, "`back` names one of the values on the left of its row"));
                    return;
                }
                None => return,
            },
            (None, [one]) => one.clone(),
            (None, []) => return,
            (None, [one, ..]) => {
                let text = row.from.first().map_or_else(String::new, |first| self.text(first.span));
                let _ = one;
                self.report(
                    Diagnostic::new(
                        Code::NotOneToOne,
                        row.span,
                        format!("several values become {}, so its way back is not clear", self.text(row.to.span)),
                    )
                    .mend("say which one wins", row.to.span.after(), format!(" back {text}")),
                );
                return;
            }
        };
        back.push(ValueRow { from: right, to: wins, place });
    }

    /// A literal of one side's kind.
    fn value_literal(&mut self, expr: &tree::Expr, kind: &Kind, side: Side, values: &tree::Values) -> Option<Literal> {
        if let Kind::Enumeration(of) = kind {
            let name = match expr.kind.as_ref() {
                ExprKind::Name(name) => Some(name.clone()),
                ExprKind::Text(text) => text.plain(),
                _ => None,
            };
            let Some(name) = name else {
                self.not_a_literal(expr);
                return None;
            };
            return self.known_value(&name, expr.span, of, side, values);
        }
        let wanted = if matches!(kind, Kind::Reference(_)) { Kind::Text } else { kind.clone() };
        if let (Kind::Reference(of), ExprKind::Text(text)) = (kind, expr.kind.as_ref()) {
            let name = text.plain()?;
            let of = of.clone();
            let typed = self.named(&name, &of, expr.span);
            return (!typed.is_erroneous()).then_some(Literal::Text(name));
        }
        let typed = self.expr(expr, Some(&wanted));
        if typed.is_erroneous() {
            return None;
        }
        let Some(literal) = typed.literal_value().cloned() else {
            self.not_a_literal(expr);
            return None;
        };
        if *kind != Kind::Any
            && !crate::check::expr::fits(&typed.kind, kind)
            && !matches!((&typed.kind, kind), (Kind::Integer | Kind::Decimal, Kind::Money))
        {
            self.report(error::types::mismatch(expr.span, &typed.kind, kind));
            return None;
        }
        Some(literal)
    }

    fn not_a_literal(&mut self, expr: &tree::Expr) {
        if !matches!(expr.kind.as_ref(), ExprKind::Broken) {
            self.report(
                Diagnostic::new(Code::TypeMismatch, expr.span, "a row of a value map holds literal values")
                    .help("what is computed belongs into a field row or a function"),
            );
        }
    }

    fn known_value(&mut self, name: &str, span: Span, of: &Enumeration, side: Side, values: &tree::Values) -> Option<Literal> {
        if let Some(value) = of.resolve(name) {
            return Some(Literal::Text(value.to_owned()));
        }
        if of.open {
            self.report(error::names::not_known_value(name, span, of));
            return Some(Literal::Text(name.to_owned()));
        }
        let (code, other) = match side {
            Side::From => (Code::UnknownSourceValue, values.from.as_ref()),
            Side::To => (Code::UnknownTargetValue, values.to.as_ref()),
        };
        let mut diagnostic = error::names::unknown_value(name, span, of, Some(code));
        if let Some(other) = other {
            diagnostic = diagnostic.other(other.span, "the values of this field");
        }
        let why = match side {
            Side::From => "no record has this value, so the row would never be met",
            Side::To => "the target would refuse a record with this value",
        };
        self.report(diagnostic.why(why));
        None
    }

    fn otherwise(&mut self, values: &tree::Values, from: &Kind, to: &Kind) -> Otherwise {
        let Some(otherwise) = &values.otherwise else { return Otherwise::Nothing };
        let place = self.place(otherwise.span);
        match &otherwise.outcome {
            ElseOutcome::Value(value) => match self.value_literal(value, to, Side::To, values) {
                Some(literal) => Otherwise::Value { to: literal, place },
                None => Otherwise::Value { to: Literal::Missing, place },
            },
            ElseOutcome::Stop(stop) => {
                let kind = if *from == Kind::Any { Kind::Text } else { from.clone() };
                match self.with_context_vars(&[(ContextVar::Value, "value", kind)], |checker| checker.stop(stop)) {
                    Some(stop) => Otherwise::Stop(stop),
                    None => Otherwise::Nothing,
                }
            }
        }
    }

    /// Whether every value of the source has an outcome; a closed enumeration without `else` has to.
    fn covered(&mut self, values: &tree::Values, from: &Kind, rows: &[(ValueRow, Span)], otherwise: &Otherwise) -> bool {
        let broken = self.context.broken.get(self.unit).copied().unwrap_or(false);
        let Kind::Enumeration(of) = from else { return *otherwise != Otherwise::Nothing };
        let left: Vec<&str> = of.names().filter(|name| !rows.iter().any(|(row, _)| row.from == Literal::Text((*name).to_owned()))).collect();
        let at = values.from.as_ref().map_or(values.name.span, |from| from.span);
        let failed = rows.len() < values.rows.iter().map(|row| row.from.len()).sum::<usize>();
        match otherwise {
            Otherwise::Nothing if values.otherwise.is_some() => true,
            Otherwise::Nothing => {
                if !of.open && !left.is_empty() && !broken && !failed {
                    let side = |side: &Option<TypeExpr>| side.as_ref().map(path_text).unwrap_or_default();
                    self.report(error::values::not_covered(values, &left, at, &side(&values.from), &side(&values.to)));
                }
                !of.open
            }
            // Which known values it catches is a doubt, told when it is known what flows fetch.
            _ => true,
        }
    }
}

/// Whether every value of the rows is known to the other side and not to its own.
fn is_swapped(values: &tree::Values, from: &Kind, to: &Kind) -> bool {
    let (Kind::Enumeration(from), Kind::Enumeration(to)) = (from, to) else { return false };
    let word = |expr: &tree::Expr| match expr.kind.as_ref() {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Text(text) => text.plain(),
        _ => None,
    };
    let fits = |expr: &tree::Expr, own: &Enumeration, other: &Enumeration| {
        word(expr).is_some_and(|name| own.names().all(|known| known != name) && other.resolve(&name).is_some())
    };
    let lefts = values.rows.iter().flat_map(|row| &row.from);
    let rights = values.rows.iter().map(|row| &row.to);
    !values.rows.is_empty() && lefts.into_iter().all(|left| fits(left, from, to)) && rights.into_iter().all(|right| fits(right, to, from))
}

fn path_text(of: &TypeExpr) -> String {
    match &of.kind {
        TypeKind::Path(path) => path.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join("."),
        TypeKind::Word(word) => word.node.clone(),
        _ => String::new(),
    }
}
