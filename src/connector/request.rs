//! What a connector is asked, in its own words: no mapping, no plan, no checker behind it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Item, Riders};
use crate::schema::{FieldPath, Object, Selection};
use crate::system::Operation;
use crate::value::ObjectRef;

/// Asks for one page of a stream of changes.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    /// The object, its projection, and the filter that the system applies.
    pub selection: &'a Selection<'a>,
    /// The name of a [stream](super::Stream).
    pub stream: &'a str,
    /// As the last page gave it; absent at the very first.
    pub cursor: Option<&'a str>,
    /// The first page of a new poll: it begins `overlap` before the cursor. Otherwise it goes on behind the cursor.
    pub begins: bool,
    pub overlap: SignedDuration,
    /// Where there is no cursor yet: nothing older is asked for.
    pub since: Option<Timestamp>,
    pub now: Timestamp,
}

/// Asks for the records of an object in which a field has one of some values.
#[derive(Debug, Clone, Copy)]
pub struct LookupRequest<'a> {
    pub object: &'a ObjectRef,
    /// Schemas by `connection.Object`, as far as they are known.
    pub schemas: &'a BTreeMap<String, Object>,
    pub field: &'a [String],
    pub values: &'a [String],
    /// For each value: what its record's [companion](super::Connector::companion) field is thought to hold. Empty: nothing is
    /// known. It only says where to look: a record counts by its `field` alone.
    pub companions: &'a [Option<String>],
    /// The fields to read. Empty: the whole record, as far as the system gives it.
    pub projection: &'a [FieldPath],
}

impl<'a> LookupRequest<'a> {
    /// The schema of the object, where it is known.
    pub fn schema(&self) -> Option<&'a Object> {
        self.schemas.get(&self.object.to_string())
    }
}

/// Asks for one batch of writes: one operation on one object.
#[derive(Debug, Clone, Copy)]
pub struct WriteRequest<'a> {
    pub object: &'a ObjectRef,
    /// Schemas by `connection.Object`, as far as they are known.
    pub schemas: &'a BTreeMap<String, Object>,
    pub operation: Operation,
    /// The field that the items' keys go to.
    pub key_field: Option<&'a str>,
    pub items: &'a [Item],
    /// Only where the write [carries](super::Write::carries) some.
    pub riders: Option<&'a Riders>,
    pub now: Timestamp,
}

impl<'a> WriteRequest<'a> {
    /// The schema of the object, where it is known.
    pub fn schema(&self) -> Option<&'a Object> {
        self.schemas.get(&self.object.to_string())
    }
}
