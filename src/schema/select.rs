//! Which records of an object are read, and which of their fields.

use std::collections::BTreeMap;

use super::Object;
use crate::value::{Literal, ObjectRef};

/// The steps from a record to a field: `["OrderItems", "Quantity"]`.
pub type FieldPath = Vec<String>;

/// What is read of an object: the form in which a flow's source is described to the system that holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection<'a> {
    pub object: &'a ObjectRef,
    /// Schemas by `connection.Object`: that of the object, and those of the objects inside it.
    pub schemas: &'a BTreeMap<String, Object>,
    /// The fields to read, also inside lists and related records. A path may occur twice.
    pub projection: Vec<&'a [String]>,
    /// Conditions that all have to hold, of those that the system can apply itself. The flow applies its whole filter again.
    pub filter: Vec<Condition>,
    /// The stamps that show a change: the record's own, and those of its child records (`["OrderItems", "SystemModstamp"]`).
    pub stamps: &'a [FieldPath],
}

impl<'a> Selection<'a> {
    /// The schema of the object; none where the system has no such object.
    pub fn schema(&self) -> Option<&'a Object> {
        self.schemas.get(&self.object.to_string())
    }

    /// Whether a field of the record is read, or something inside it.
    pub fn reads(&self, field: &str) -> bool {
        self.projection.iter().any(|path| path.first().is_none_or(|first| first == field))
    }
}

/// A condition on the fields of a record, as a system's own query can say it. A field's path goes through related records, never
/// through a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Each of them holds.
    All(Vec<Condition>),
    /// At least one of them holds.
    Any(Vec<Condition>),
    Present(FieldPath),
    Missing(FieldPath),
    OneOf {
        field: FieldPath,
        values: Vec<Literal>,
    },
    Compare {
        field: FieldPath,
        comparison: Comparison,
        value: Literal,
    },
}

/// How a field is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
