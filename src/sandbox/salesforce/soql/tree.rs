//! A query as it is written.

use super::dates::{DateFunction, DateLiteral};

/// `Account.Owner.Name`, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Path {
    pub(in super::super) steps: Vec<String>,
    pub(in super::super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Query {
    pub(in super::super) select: Vec<Select>,
    pub(in super::super) from: Path,
    pub(in super::super) alias: Option<String>,
    /// `FROM Contact c, c.Account a`: paths under names of their own.
    pub(in super::super) joined: Vec<(Path, String)>,
    pub(in super::super) scope: Option<(String, usize)>,
    pub(in super::super) filter: Option<Condition>,
    pub(in super::super) group: Option<Group>,
    pub(in super::super) having: Option<Condition>,
    pub(in super::super) order: Vec<Order>,
    pub(in super::super) limit: Option<u64>,
    pub(in super::super) offset: Option<(u64, usize)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Select {
    Value(Value, Option<String>),
    /// `COUNT()`
    Count,
    /// `FIELDS(ALL)`
    Fields(Fields, usize),
    Children(Box<Query>),
}

/// What is selected, compared, grouped by or sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Value {
    Field(Path),
    /// `toLabel(Status)`
    Label(Path),
    /// `CALENDAR_YEAR(CreatedDate)`
    Date(DateFunction, Path),
    /// `SUM(Amount)`
    Aggregate(Aggregate, Path),
    /// `GROUPING(LeadSource)`
    Grouping(Path),
}

impl Value {
    pub(in super::super) fn path(&self) -> &Path {
        match self {
            Value::Field(path) | Value::Label(path) | Value::Date(_, path) | Value::Aggregate(_, path) | Value::Grouping(path) => path,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Aggregate {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
}

impl Aggregate {
    pub(super) fn of(word: &str) -> Option<Aggregate> {
        Some(match word.to_ascii_uppercase().as_str() {
            "COUNT" => Aggregate::Count,
            "COUNT_DISTINCT" => Aggregate::CountDistinct,
            "SUM" => Aggregate::Sum,
            "AVG" => Aggregate::Avg,
            "MIN" => Aggregate::Min,
            "MAX" => Aggregate::Max,
            _ => return None,
        })
    }

    pub(in super::super) fn word(self) -> &'static str {
        match self {
            Aggregate::Count => "COUNT",
            Aggregate::CountDistinct => "COUNT_DISTINCT",
            Aggregate::Sum => "SUM",
            Aggregate::Avg => "AVG",
            Aggregate::Min => "MIN",
            Aggregate::Max => "MAX",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Group {
    pub(in super::super) by: Vec<Value>,
    pub(in super::super) totals: Totals,
}

/// Which totals stand beside the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Totals {
    None,
    /// Of each leading part of the keys.
    Rollup,
    /// Of each subset of the keys.
    Cube,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Fields {
    All,
    Standard,
    Custom,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Value, Compare, Literal),
    Like(Value, String),
    In {
        value: Value,
        not: bool,
        list: List,
    },
    /// `INCLUDES` and `EXCLUDES`, of fields that hold several values.
    Includes {
        value: Value,
        excludes: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum List {
    Values(Vec<Literal>),
    Query(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Literal {
    Null,
    Bool(bool),
    Text(String),
    /// A number, a date or an instant.
    Bare(String),
    /// `LAST_N_DAYS:7`
    Date(DateLiteral),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Order {
    pub(in super::super) value: Value,
    pub(in super::super) descending: bool,
    pub(in super::super) nulls_last: bool,
}
