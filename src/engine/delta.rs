//! What differs from what the target was last confirmed to hold.

use std::collections::BTreeMap;

use crate::store::Store;
use crate::value::Json;

/// Keyed hashes of a body's fields.
pub(super) fn hashes(store: &dyn Store, body: &Json) -> BTreeMap<String, String> {
    let fields = body.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), store.fingerprint(value.to_string().as_bytes()))).collect()
}

/// The fields of a body whose values are not the confirmed ones. `held` is the record as it was just read,
/// for fields that were never confirmed.
pub(super) fn differing(store: &dyn Store, body: &Json, confirmed: &BTreeMap<String, String>, held: Option<&Json>) -> Vec<String> {
    let fields = body.as_object().into_iter().flatten();
    let differs = |(name, value): &(&String, &Json)| match confirmed.get(*name) {
        Some(known) => *known != store.fingerprint(value.to_string().as_bytes()),
        None => match held.and_then(|held| held.get(*name)) {
            Some(held) => !same(held, value),
            None => true,
        },
    };
    fields.filter(differs).map(|(name, _)| name.clone()).collect()
}

/// Numbers are the same by their value, texts by their characters.
fn same(held: &Json, sent: &Json) -> bool {
    match (held, sent) {
        (Json::Number(a), Json::Number(b)) => {
            let parse = |number: &serde_json::Number| number.to_string().parse::<rust_decimal::Decimal>().ok();
            matches!((parse(a), parse(b)), (Some(a), Some(b)) if a == b)
        }
        (Json::String(a), Json::Null) | (Json::Null, Json::String(a)) => a.is_empty(),
        (a, b) => a == b,
    }
}
