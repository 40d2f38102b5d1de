//! The audit trail: what was sent and answered, masked.

use serde::Serialize;

use super::time::Rfc3339;
use super::{Access, Context, Failure, VERSION};
use crate::store::{Exchange, Part};
use crate::value::Json;

/// The newest calls that wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calls {
    pub version: u32,
    pub calls: Vec<Call>,
}

/// A call: when, to whom, what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    pub id: i64,
    pub at: Rfc3339,
    pub connection: String,
    pub method: String,
    pub path: String,
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// Why there was no answer.
    pub broken: Option<String>,
    pub plan: String,
    /// What was sent and answered of each record.
    pub records: Vec<Exchanged>,
    /// What an older version kept of a whole batch, which cannot be cut by records.
    #[serde(skip)]
    pub whole: Exchanged,
}

/// What was sent and answered of a record, masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exchanged {
    pub flow: String,
    pub key: String,
    pub request: Option<Body>,
    pub response: Option<Body>,
}

/// A body: JSON where it is JSON, else its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(pub String);

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<Json>(&self.0) {
            Ok(json) => json.serialize(serializer),
            Err(_) => serializer.serialize_str(&self.0),
        }
    }
}

/// The newest calls, newest first.
///
/// # Errors
/// The store cannot be opened or read.
pub fn newest(context: &Context, count: usize) -> Result<Calls, Failure> {
    let store = context.open_store(Access::Read)?;
    Ok(Calls { version: VERSION, calls: store.exchanges(count)?.into_iter().map(|one| call(one, &|_| true)).collect() })
}

/// One call by its number.
///
/// # Errors
/// There is no such call, or the store cannot be opened or read.
pub fn one(context: &Context, id: i64) -> Result<Call, Failure> {
    let store = context.open_store(Access::Read)?;
    let found = store.exchange(id)?.ok_or_else(|| Failure::usage(format!("there is no call {id}")))?;
    Ok(call(found, &|_| true))
}

/// The view of a call, with some of its records.
pub(super) fn call(one: Exchange, of: &dyn Fn(&Part) -> bool) -> Call {
    let records = one
        .parts
        .into_iter()
        .filter(|part| of(part))
        .map(|part| Exchanged { flow: part.flow, key: part.lane, request: part.request.map(Body), response: part.response.map(Body) })
        .collect();
    Call {
        id: one.id,
        at: Rfc3339(one.at),
        connection: one.connection,
        method: one.method,
        path: one.path,
        status: one.status,
        took_ms: one.took,
        broken: one.broken,
        plan: one.plan,
        records,
        whole: Exchanged { request: one.request.map(Body), response: one.response.map(Body), ..Exchanged::default() },
    }
}
