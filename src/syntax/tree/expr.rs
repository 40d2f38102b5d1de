//! Expressions: their forms, and the one place that knows their parts.

use rust_decimal::Decimal;

use super::{FieldRow, Name, RowValue};
use crate::base::{Span, Spanned};

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: Box<ExprKind>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `order`, `on_hold`: a bare name.
    Name(String),
    /// `order.ShippingAddress.street`: base and the field behind it.
    Field {
        base: Expr,
        field: Name,
    },
    Text(TextLiteral),
    /// `12`, `5.00`: the digits as written count (`5.00` is a decimal).
    Number(Decimal),
    Boolean(bool),
    /// `02:00`
    Time(jiff::civil::Time),
    /// `3 days`, `10 minutes`, `2.5 kg`: a number and a word; which of duration and quantity is for `check`.
    Quantity {
        number: Decimal,
        unit: Name,
    },
    /// `kits(line.Product2.ProductCode)`, `address.ship_address(x, name: y)`; the function's path has one
    /// name, or two behind a `use … as`.
    Call {
        function: Vec<Name>,
        arguments: Vec<Argument>,
    },
    /// `x | truncate 30`: `arguments` are those written behind the name.
    Pipe {
        value: Expr,
        function: Vec<Name>,
        arguments: Vec<Argument>,
    },
    /// `a ?? b`
    Fallback {
        value: Expr,
        fallback: Expr,
    },
    /// `order.metadata $ "$.tax"`
    JsonPath {
        value: Expr,
        path: Spanned<String>,
    },
    /// `x as kg`
    Unit {
        value: Expr,
        unit: Name,
    },
    Negate(Expr),
    Not(Expr),
    Binary {
        op: Spanned<BinaryOp>,
        left: Expr,
        right: Expr,
    },
    In {
        value: Expr,
        list: Vec<Expr>,
        negated: bool,
    },
    /// `x matches '[0-9]{5}'` or `x matches postal_code(y)`
    Matches {
        value: Expr,
        pattern: Expr,
    },
    IsPresent(Expr),
    IsMissing(Expr),
    WasSent(Expr),
    /// `count() reaches (10, 50, 100)`
    Reaches {
        value: Expr,
        thresholds: Vec<Expr>,
    },
    If {
        condition: Expr,
        then: Expr,
        otherwise: Option<Expr>,
    },
    /// `each x in xs, optional y in ys where c { rows }`, or without a body: the elements.
    Each {
        generators: Vec<Generator>,
        condition: Option<Expr>,
        rows: Option<Vec<FieldRow>>,
    },
    /// `sum(e for x in xs where c)`, `count(xs)` is a [`ExprKind::Call`]. `arguments` stand behind the
    /// generators: `join(x.Name for x in xs, ", ")`.
    Aggregate {
        function: Name,
        value: Expr,
        generators: Vec<Generator>,
        condition: Option<Expr>,
        arguments: Vec<Argument>,
    },
    /// `group xs by e`, with `group x in xs by x.Warehouse__c`
    Group {
        list: GroupList,
        by: Expr,
    },
    /// `sort xs by e`, `sort x in xs by e descending`
    Sort {
        list: GroupList,
        by: Option<Expr>,
        descending: bool,
    },
    Distinct(Expr),
    Flatten(Expr),
    /// A record body: `{ street1 = …  city = … }`, of a function or an argument.
    Object(Vec<FieldRow>),
    /// `(a, b)` where a list literal is taken.
    List(Vec<Expr>),
    /// `( e )`, kept so that a rule's brackets and a formatter's are known.
    Paren(Expr),
    /// What could not be read inside an otherwise readable statement.
    Broken,
}

/// A list that is grouped or sorted, with the name of its element where one is given. Without a
/// name the element is read by `it`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupList {
    pub name: Option<Name>,
    pub list: Expr,
}

/// `line in lines`, `optional part in kits(…)`
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    pub name: Name,
    pub list: Expr,
    pub optional: bool,
    pub span: Span,
}

/// An argument, perhaps named: `name: x`. A bare word behind a pipe (`round 2 half up`,
/// `to ounces`) is a [`ExprKind::Name`].
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    pub name: Option<Name>,
    pub value: Expr,
}

/// Text: pieces between `{…}`, escapes resolved. `'…'` has one piece and is `raw`.
#[derive(Debug, Clone, PartialEq)]
pub struct TextLiteral {
    pub parts: Vec<TextPart>,
    pub raw: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    Text(String),
    Expr(Expr),
}

impl TextLiteral {
    /// The text, where it holds no expression.
    pub fn plain(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                TextPart::Text(text) => Some(text.as_str()),
                TextPart::Expr(_) => None,
            })
            .collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Multiply,
    Divide,
    Add,
    Subtract,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

impl Expr {
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Expr { kind: Box::new(kind), span }
    }

    /// Calls `each` on the direct parts, not on their parts, in the order in which they are evaluated.
    pub fn parts<'t>(&'t self, each: &mut dyn FnMut(&'t Expr)) {
        match self.kind.as_ref() {
            ExprKind::Name(_) | ExprKind::Number(_) | ExprKind::Boolean(_) | ExprKind::Time(_) | ExprKind::Quantity { .. } | ExprKind::Broken => {}
            ExprKind::Text(text) => text.parts.iter().for_each(|part| {
                if let TextPart::Expr(inner) = part {
                    each(inner);
                }
            }),
            ExprKind::Field { base: value, .. }
            | ExprKind::JsonPath { value, .. }
            | ExprKind::Unit { value, .. }
            | ExprKind::Negate(value)
            | ExprKind::Not(value)
            | ExprKind::IsPresent(value)
            | ExprKind::IsMissing(value)
            | ExprKind::WasSent(value)
            | ExprKind::Distinct(value)
            | ExprKind::Flatten(value)
            | ExprKind::Paren(value) => each(value),
            ExprKind::Call { arguments, .. } => arguments.iter().for_each(|argument| each(&argument.value)),
            ExprKind::Pipe { value, arguments, .. } => {
                each(value);
                arguments.iter().for_each(|argument| each(&argument.value));
            }
            ExprKind::Fallback { value: left, fallback: right }
            | ExprKind::Binary { left, right, .. }
            | ExprKind::Matches { value: left, pattern: right }
            | ExprKind::Group { list: GroupList { list: left, .. }, by: right } => {
                each(left);
                each(right);
            }
            ExprKind::In { value, list: more, .. } | ExprKind::Reaches { value, thresholds: more } => {
                each(value);
                more.iter().for_each(each);
            }
            ExprKind::If { condition, then, otherwise } => [condition, then].into_iter().chain(otherwise).for_each(each),
            ExprKind::Each { generators, condition, rows } => {
                generators.iter().map(|generator| &generator.list).chain(condition).for_each(&mut *each);
                rows.iter().for_each(|rows| row_parts(rows, each));
            }
            ExprKind::Aggregate { value, generators, condition, arguments, .. } => {
                generators.iter().map(|generator| &generator.list).chain(condition).for_each(&mut *each);
                each(value);
                arguments.iter().for_each(|argument| each(&argument.value));
            }
            ExprKind::Sort { list, by, .. } => std::iter::once(&list.list).chain(by).for_each(each),
            ExprKind::Object(rows) => row_parts(rows, each),
            ExprKind::List(items) => items.iter().for_each(each),
        }
    }

    /// The part with which the text of the expression ends, to which a block of rows behind it belongs.
    pub fn last_mut(&mut self) -> Option<&mut Expr> {
        match &mut *self.kind {
            ExprKind::Fallback { fallback: last, .. }
            | ExprKind::If { otherwise: Some(last), .. }
            | ExprKind::If { then: last, otherwise: None, .. }
            | ExprKind::Distinct(last)
            | ExprKind::Flatten(last)
            | ExprKind::Not(last)
            | ExprKind::Sort { list: GroupList { list: last, .. }, by: None, .. } => Some(last),
            _ => None,
        }
    }
}

/// Calls `each` on the expressions of rows, those of nested objects too, not on their parts.
pub fn row_parts<'t>(of: &'t [FieldRow], each: &mut dyn FnMut(&'t Expr)) {
    for row in of {
        match &row.value {
            RowValue::Expr(value) => each(value),
            RowValue::Object { when, rows } => {
                when.iter().for_each(&mut *each);
                row_parts(rows, each);
            }
            RowValue::Clear | RowValue::Remove => {}
        }
    }
}
