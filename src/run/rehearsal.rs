//! Dry run: live reads, no writes. The engine runs on a copy of the store, and what it would send is compared with what the target has
//! now.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Serialize;

use crate::connector::{Connector, Done, Item, LookupRequest, Operation, Receipt};
use crate::engine::mask::{self, Mask};
use crate::http::Call;
use crate::plan::Plan;
use crate::value::{Json, ObjectRef};

/// Collects what would be sent.
#[derive(Debug, Default)]
pub struct Rehearsal {
    sends: Mutex<Vec<Planned>>,
    calls: Mutex<u64>,
}

/// One write that would be sent.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// `wms.Order`
    pub object: String,
    /// `create`, `update`, `upsert`
    pub op: &'static str,
    pub key: Option<String>,
    /// The field that the key is of.
    #[serde(skip)]
    pub key_field: Option<String>,
    pub id: Option<String>,
    /// Whether the target has it already; unknown where it could not be read.
    pub exists: Option<bool>,
    /// The fields that would change: what is there, and what would be.
    pub fields: Vec<Difference>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    pub field: String,
    pub now: Option<Json>,
    pub then: Json,
}

impl Rehearsal {
    /// What would be sent, in the order of the batches; and in how many calls.
    pub fn result(&self) -> (Vec<Planned>, u64) {
        let sends = std::mem::take(&mut *self.sends.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        (sends, *self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Counts the calls of a batch. What rides on it costs none.
    pub(super) fn count(&self, calls: usize) {
        *self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += calls as u64;
    }

    #[expect(clippy::too_many_arguments, reason = "a batch, and by what its targets are read")]
    pub(super) async fn note(
        &self,
        call: &Call,
        plan: &Plan,
        connector: &dyn Connector,
        object: &ObjectRef,
        operation: Operation,
        key_field: Option<&str>,
        items: &[Item],
    ) -> Vec<Receipt> {
        let schema = plan.objects.get(&object.to_string());
        let id_field = schema.and_then(|schema| schema.id.clone()).unwrap_or_else(|| "id".to_owned());
        let searched = schema.map(|schema| schema.searchable.clone()).unwrap_or_default();
        let mut planned = Vec::with_capacity(items.len());
        for item in items {
            // By its id where that is known; else by its key, where the target can be searched for it.
            let by = match (&item.id, &item.key, key_field) {
                (Some(id), _, _) => Some((id_field.clone(), id.clone())),
                (None, Some(key), Some(field)) if searched.iter().any(|known| known == field) && operation != Operation::Create => {
                    Some((field.to_owned(), key.clone()))
                }
                _ => None,
            };
            let held = match by {
                Some((field, value)) if planned.len() < MOST_READ => {
                    let path: Vec<String> = field.split('.').map(str::to_owned).collect();
                    let fields: Vec<Vec<String>> = item.body.as_object().into_iter().flatten().map(|(name, _)| vec![name.clone()]).collect();
                    let schemas = &plan.objects;
                    let ask = LookupRequest { object, schemas, field: &path, values: &[value], companions: &[], projection: &fields };
                    connector.lookup(call, &ask).await.ok().map(|found| found.into_iter().next().map(|found| found.record))
                }
                _ => None,
            };
            planned.push(Planned { key_field: key_field.map(str::to_owned), ..planned_of(connector, object, operation, item, held) });
        }
        let receipts = planned
            .iter()
            .map(|planned| {
                let id = planned.id.clone().or_else(|| planned.key.clone());
                let mut record = serde_json::Map::new();
                record.extend(id.clone().map(|id| (id_field.clone(), Json::String(id))));
                Receipt { outcome: Ok(Done { id: planned.id.clone(), created: planned.exists.map(|exists| !exists), record: Json::Object(record) }) }
            })
            .collect();
        self.sends.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(planned);
        receipts
    }
}

/// Targets of one batch that are read to compare: a rehearsal shall not use up the day's calls.
const MOST_READ: usize = 20;

impl Planned {
    /// The same with only what everybody may see.
    pub fn masked(mut self, masks: &BTreeMap<String, Mask>) -> Self {
        let unknown = Mask::default();
        let (connection, object) = self.object.split_once('.').unwrap_or((&self.object, ""));
        let mask = masks.get(connection).unwrap_or(&unknown);
        let shown = self.key_field.as_ref().is_none_or(|field| mask.shows(object, std::slice::from_ref(field)));
        // A field is held against the whole record: a key may be made of an address that stands in another field.
        let whole = |of: &dyn Fn(&Difference) -> Option<Json>| -> Json {
            Json::Object(self.fields.iter().filter_map(|one| Some((one.field.clone(), of(one)?))).collect())
        };
        let (now, then) = (whole(&|one| one.now.clone()), whole(&|one| Some(one.then.clone())));
        let of_person = self.key.as_ref().is_some_and(|key| mask.is_of_person(Some(object), &then, key));
        self.key = self.key.map(|key| mask::key(&key, shown && !of_person));
        let (now, then) = (mask.json(Some(object), &now), mask.json(Some(object), &then));
        for difference in &mut self.fields {
            difference.then = then.get(&difference.field).cloned().unwrap_or(Json::Null);
            difference.now = now.get(&difference.field).cloned();
        }
        self
    }
}

/// What of a value would change: what is there, and what would be. What the target has beside what is sent (ids of its own, what it
/// has derived) does not change, and is left out.
fn changed(connector: &dyn Connector, object: &ObjectRef, path: &str, now: Option<&Json>, then: &Json) -> Option<(Option<Json>, Json)> {
    let now = now.filter(|now| !now.is_null());
    if now == Some(then) || connector.holds(object, path, now, then) {
        return None;
    }
    match (now, then) {
        // A number means nothing without its unit.
        (Some(Json::Object(held)), Json::Object(sent)) if !sent.contains_key("units") => {
            let (mut before, mut after) = (serde_json::Map::new(), serde_json::Map::new());
            for (name, then) in sent {
                let Some((now, then)) = changed(connector, object, &format!("{path}.{name}"), held.get(name), then) else { continue };
                before.extend(now.map(|now| (name.clone(), now)));
                after.insert(name.clone(), then);
            }
            (!after.is_empty()).then_some((Some(Json::Object(before)), Json::Object(after)))
        }
        (Some(Json::Array(held)), Json::Array(sent)) => {
            let named = |name: &String| sent.iter().any(|item| item.get(name.as_str()).is_some());
            let kept = |item: &Json| match item {
                Json::Object(fields) => {
                    Json::Object(fields.iter().filter(|(name, _)| named(name)).map(|(name, value)| (name.clone(), value.clone())).collect())
                }
                other => other.clone(),
            };
            Some((Some(Json::Array(held.iter().map(kept).collect())), then.clone()))
        }
        _ => Some((now.cloned(), then.clone())),
    }
}

fn planned_of(connector: &dyn Connector, object: &ObjectRef, operation: Operation, item: &Item, held: Option<Option<Json>>) -> Planned {
    let now = held.as_ref().and_then(Option::as_ref);
    let fields = item.body.as_object().into_iter().flatten().filter_map(|(name, then)| {
        let (now, then) = changed(connector, object, name, now.and_then(|now| now.get(name)), then)?;
        Some(Difference { field: name.clone(), now, then })
    });
    Planned {
        object: object.to_string(),
        op: match operation {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Upsert => "upsert",
        },
        key: item.key.clone(),
        key_field: None,
        id: item.id.clone(),
        exists: held.as_ref().map(Option::is_some),
        fields: fields.collect(),
    }
}
