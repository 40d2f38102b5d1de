//! Expressions: their forms, and the one place that knows their parts.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Flow, Row, RowValue, Slot};
use crate::builtin::BuiltinRef;
use crate::value::{Kind, LengthUnit, Literal, ObjectRef, WeightUnit, WireEncoding};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    pub slot: Slot,
    pub name: String,
    pub list: Expr,
    /// Keeps the element before it where the list is empty (the slot is then missing).
    pub optional: bool,
    /// Where `index` is read: counts from 1.
    pub index: Option<Slot>,
}

/// Words that a place provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContextVar {
    Target,
    Now,
    Today,
    Value,
    Count,
    Reasons,
    Reached,
    Difference,
    SentAt,
}

/// An expression. Missing operands follow section 5 of the language: arithmetic, templates and
/// first arguments pass them on; comparisons other than `==` and `!=` are false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    Literal(Literal),
    /// A name's value: the record, a match, a `let`, an element, an argument, a route's result.
    Slot {
        slot: Slot,
        name: Arc<str>,
    },
    #[serde(rename = "word")]
    ContextVar(ContextVar),
    Parameter(String),
    /// A field of a record, a row or a built object. Reading a missing base gives missing.
    Field {
        base: Box<Expr>,
        name: Arc<str>,
        kind: Kind,
        wire: WireEncoding,
        /// The schema says that it is always there: a blank is a rejection, unless the mapping asks whether it is there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        held: bool,
    },
    /// A value computed once and read by its slot in `body`: an argument of an inlined function.
    Bind {
        slot: Slot,
        name: Arc<str>,
        value: Box<Expr>,
        body: Box<Expr>,
    },
    Call {
        function: BuiltinRef,
        arguments: Vec<Expr>,
    },
    /// A value map, `back` by its way back.
    Values {
        map: usize,
        back: bool,
        value: Box<Expr>,
    },
    /// A row of a table that may be missing, or the list of rows.
    Table {
        table: usize,
        keys: Vec<Expr>,
    },
    /// Missing where a part is missing, unless it is a `message`: there it prints `(none)`.
    Template {
        parts: Vec<Part>,
        message: bool,
    },
    Fallback {
        value: Box<Expr>,
        fallback: Box<Expr>,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Negate(Box<Expr>),
    Compare {
        op: Compare,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
    },
    Matches {
        value: Box<Expr>,
        pattern: Pattern,
    },
    IsPresent(Box<Expr>),
    WasSent(Box<Expr>),
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// A list: for each combination of elements for which the condition holds, the body's value.
    Each {
        generators: Vec<Generator>,
        condition: Option<Box<Expr>>,
        body: Box<Expr>,
    },
    /// A target or function object built from rows.
    Object {
        rows: Vec<Row>,
        object: Option<ObjectRef>,
    },
    /// Rows with `key` and `items` in the order of first appearance.
    Group {
        slot: Slot,
        list: Box<Expr>,
        by: Box<Expr>,
    },
    Sort {
        slot: Slot,
        list: Box<Expr>,
        by: Box<Expr>,
        descending: bool,
    },
    /// An aggregate over the records of a group: each record stands in [`Flow::RECORD`].
    Grouped {
        function: BuiltinRef,
        value: Option<Box<Expr>>,
        condition: Option<Box<Expr>>,
        arguments: Vec<Expr>,
    },
    JsonPath {
        value: Box<Expr>,
        path: String,
    },
    /// `2 as kg`: a number becomes a weight or a length.
    Weigh {
        value: Box<Expr>,
        unit: WeightUnit,
    },
    Measure {
        value: Box<Expr>,
        unit: LengthUnit,
    },
    /// A named thing by a constant name; gone from the snapshot: a built-in rejection.
    Named {
        of: ObjectRef,
        name: String,
    },
    /// A named thing by a text of the record: missing where there is none of that name.
    LookUpName {
        of: ObjectRef,
        value: Box<Expr>,
    },
    /// The value under another kind, where only how it is treated changes: text of an enumeration
    /// as text, money as a plain amount, an integer as a decimal.
    #[serde(rename = "treat")]
    Coerce {
        value: Box<Expr>,
        kind: Kind,
    },
    List(Vec<Expr>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Text(String),
    Expr(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    /// Missing where the divisor is 0.
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    /// The comparison that says the same with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Compare::Less => Compare::Greater,
            Compare::LessOrEqual => Compare::GreaterOrEqual,
            Compare::Greater => Compare::Less,
            Compare::GreaterOrEqual => Compare::LessOrEqual,
            same => same,
        }
    }
}

/// What a text must match as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// A regular expression of linear time; it has to match the whole text.
    Regex(String),
    /// A builtin of the family of patterns; the text is its first argument, these are the others.
    Builtin { function: BuiltinRef, arguments: Vec<Expr> },
}

/// What a slot holds inside the expression that fills it.
#[derive(Debug, Clone, Copy)]
pub enum Bound<'e> {
    /// The value of an expression: an argument of an inlined function.
    Value(&'e Expr),
    /// One element of a list at a time.
    Element(&'e Expr),
}

impl<'e> Bound<'e> {
    /// The value, or the list whose elements it is.
    pub fn source(self) -> &'e Expr {
        match self {
            Bound::Value(source) | Bound::Element(source) => source,
        }
    }
}

/// Hands out the direct parts of an expression, in the order in which they are evaluated. Written once, for shared and for
/// exclusive references.
macro_rules! parts {
    ($expr:expr, $each:ident, $iter:ident, $rows:path) => {
        match $expr {
            Expr::Literal(_) | Expr::Slot { .. } | Expr::ContextVar(_) | Expr::Parameter(_) | Expr::Named { .. } => {}
            Expr::Field { base: inner, .. }
            | Expr::Values { value: inner, .. }
            | Expr::Negate(inner)
            | Expr::Not(inner)
            | Expr::IsPresent(inner)
            | Expr::WasSent(inner)
            | Expr::JsonPath { value: inner, .. }
            | Expr::Weigh { value: inner, .. }
            | Expr::Measure { value: inner, .. }
            | Expr::LookUpName { value: inner, .. }
            | Expr::Coerce { value: inner, .. } => $each(inner),
            Expr::Bind { value: left, body: right, .. }
            | Expr::Fallback { value: left, fallback: right }
            | Expr::Arithmetic { left, right, .. }
            | Expr::Compare { left, right, .. }
            | Expr::Group { list: left, by: right, .. }
            | Expr::Sort { list: left, by: right, .. } => {
                $each(left);
                $each(right);
            }
            Expr::Call { arguments: parts, .. } | Expr::Table { keys: parts, .. } | Expr::And(parts) | Expr::Or(parts) | Expr::List(parts) => {
                for part in parts.$iter() {
                    $each(part);
                }
            }
            Expr::Template { parts, .. } => {
                for part in parts.$iter() {
                    if let Part::Expr(inner) = part {
                        $each(inner);
                    }
                }
            }
            Expr::In { value, list } => {
                $each(value);
                for part in list.$iter() {
                    $each(part);
                }
            }
            Expr::Matches { value, pattern } => {
                $each(value);
                if let Pattern::Builtin { arguments, .. } = pattern {
                    for part in arguments.$iter() {
                        $each(part);
                    }
                }
            }
            Expr::If { condition, then, otherwise } => {
                $each(condition);
                $each(then);
                $each(otherwise);
            }
            Expr::Each { generators, condition, body } => {
                for Generator { list, .. } in generators.$iter() {
                    $each(list);
                }
                for condition in condition.$iter() {
                    $each(condition);
                }
                $each(body);
            }
            Expr::Object { rows, .. } => $rows(rows, $each),
            Expr::Grouped { value, condition, arguments, .. } => {
                for part in value.$iter().chain(condition) {
                    $each(part);
                }
                for part in arguments.$iter() {
                    $each(part);
                }
            }
        }
    };
}

/// The same for rows, and for those of the objects in them.
macro_rules! row_parts {
    ($rows:expr, $each:ident, $iter:ident, $inner:path) => {
        for Row { value, .. } in $rows.$iter() {
            match value {
                RowValue::Expr(value) => $each(value),
                RowValue::Object { when, body, .. } => {
                    for when in when.$iter() {
                        $each(when);
                    }
                    let Body { rows, .. } = body;
                    $inner(rows, $each);
                }
                RowValue::Clear => {}
            }
        }
    };
}

/// Calls `each` on the expressions of rows, not on their parts.
pub fn rows<'e>(of: &'e [Row], each: &mut dyn FnMut(&'e Expr)) {
    row_parts!(of, each, iter, rows);
}

fn rows_mut(of: &mut [Row], each: &mut dyn FnMut(&mut Expr)) {
    row_parts!(of, each, iter_mut, rows_mut);
}

impl Expr {
    /// Calls `each` on the direct parts, not on their parts, in the order in which they are evaluated.
    pub fn parts<'e>(&'e self, each: &mut dyn FnMut(&'e Expr)) {
        parts!(self, each, iter, rows);
    }

    /// The same, to change them.
    pub fn parts_mut(&mut self, each: &mut dyn FnMut(&mut Expr)) {
        parts!(self, each, iter_mut, rows_mut);
    }

    /// The slots that this expression itself fills for its parts, outer ones first.
    pub fn bound<'e>(&'e self, each: &mut dyn FnMut(Slot, Bound<'e>)) {
        match self {
            Expr::Bind { slot, value, .. } => each(*slot, Bound::Value(value)),
            Expr::Each { generators, .. } => generators.iter().for_each(|of| each(of.slot, Bound::Element(&of.list))),
            Expr::Group { slot, list, .. } | Expr::Sort { slot, list, .. } => each(*slot, Bound::Element(list)),
            _ => {}
        }
    }

    /// The parts of which one is the value of the whole, or has it inside: what it chooses from, converts, or gives in another order.
    pub fn passes_on(&self) -> Vec<&Expr> {
        match self {
            Expr::Fallback { value: one, fallback: other } | Expr::If { then: one, otherwise: other, .. } => vec![one, other],
            Expr::Bind { body: one, .. }
            | Expr::Each { body: one, .. }
            | Expr::Coerce { value: one, .. }
            | Expr::Group { list: one, .. }
            | Expr::Sort { list: one, .. } => vec![one],
            Expr::Call { arguments, .. } => arguments.first().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The list of which the value has all elements, in another order.
    pub fn reordered(&self) -> Option<&Expr> {
        match self {
            Expr::Sort { list, .. } => Some(list),
            _ => None,
        }
    }

    /// Whether it is the record of the flow's source.
    pub fn is_record(&self) -> bool {
        matches!(self, Expr::Slot { slot, .. } if *slot == Flow::RECORD)
    }

    /// Whether it is true or false by its form.
    pub fn is_condition(&self) -> bool {
        matches!(
            self,
            Expr::Compare { .. }
                | Expr::And(_)
                | Expr::Or(_)
                | Expr::Not(_)
                | Expr::In { .. }
                | Expr::Matches { .. }
                | Expr::IsPresent(_)
                | Expr::WasSent(_)
        )
    }

    /// The value that a condition asks for by itself: `x` of `x is present`.
    pub fn asked(&self) -> Option<&Expr> {
        match self {
            Expr::IsPresent(value) => Some(value),
            _ => None,
        }
    }

    /// `x is present`
    pub fn is_present(self) -> Expr {
        Expr::IsPresent(Box::new(self))
    }

    /// A value without the conversions that only change how it is treated.
    pub fn uncoerced(&self) -> &Expr {
        match self {
            Expr::Coerce { value, .. } => value.uncoerced(),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk;
    use super::*;

    fn slot(at: u32) -> Expr {
        Expr::Slot { slot: Slot(at), name: "x".into() }
    }

    /// `if not (x0 is present) then sort x1 by x2 else (x3, "{x4}")`
    fn nested() -> Expr {
        Expr::If {
            condition: Box::new(Expr::Not(Box::new(slot(0).is_present()))),
            then: Box::new(Expr::Sort { slot: Slot(9), list: Box::new(slot(1)), by: Box::new(slot(2)), descending: false }),
            otherwise: Box::new(Expr::List(vec![
                slot(3),
                Expr::Template { parts: vec![Part::Text("-".into()), Part::Expr(slot(4))], message: false },
            ])),
        }
    }

    #[test]
    fn every_part_is_met_once_in_the_order_of_evaluation() {
        let whole = nested();
        let mut met = Vec::new();
        walk::expr(&whole, &mut |part| {
            if let Expr::Slot { slot, .. } = part {
                met.push(slot.0);
            }
        });
        assert_eq!(met, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn parts_can_be_changed_where_they_stand() {
        fn shift(expr: &mut Expr) {
            if let Expr::Slot { slot, .. } = expr {
                slot.0 += 10;
            }
            expr.parts_mut(&mut shift);
        }
        let mut whole = nested();
        shift(&mut whole);
        let mut met = Vec::new();
        walk::expr(&whole, &mut |part| met.extend(if let Expr::Slot { slot, .. } = part { Some(slot.0) } else { None }));
        assert_eq!(met, [10, 11, 12, 13, 14]);
    }
}
