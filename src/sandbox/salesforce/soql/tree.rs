//! A query as it is written.

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
    pub(in super::super) filter: Option<Condition>,
    pub(in super::super) order: Vec<Order>,
    pub(in super::super) limit: Option<u64>,
    pub(in super::super) offset: Option<(u64, usize)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Select {
    Field(Path),
    /// `COUNT()`
    Count,
    /// `COUNT(Id) n`: records that have the field, under a name.
    CountOf(Path, Option<String>),
    /// `FIELDS(ALL)`
    Fields(Fields, usize),
    Children(Box<Query>),
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
    Compare(Path, Compare, Literal),
    Like(Path, String),
    In { path: Path, not: bool, list: List },
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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Order {
    pub(in super::super) path: Path,
    pub(in super::super) descending: bool,
    pub(in super::super) nulls_last: bool,
}
