//! The named things of an account: what a mapping calls by name and sends by id.

use std::collections::{BTreeMap, BTreeSet};

use super::ShipStation;
use super::wire::text;
use crate::fault::Fault;
use crate::http::Call;
use crate::schema::Named;
use crate::value::Json;

/// Kinds, and the fields with the name and the id. A carrier is called by its code: its name is what people see.
const KINDS: [(&str, &str, &str); 5] = [
    ("Store", "storeName", "storeId"),
    ("Warehouse", "warehouseName", "warehouseId"),
    ("Carrier", "code", "code"),
    ("Service", "name", "code"),
    ("Tag", "name", "tagId"),
];

impl ShipStation {
    pub(super) async fn named(&self, call: &Call, kinds: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        let mut names = BTreeMap::new();
        for (kind, name, id) in KINDS.into_iter().filter(|(kind, ..)| kinds.is_empty() || kinds.contains(*kind)) {
            let records = self.all(call, kind).await?;
            names.insert(kind.to_owned(), named(&records, name, id));
        }
        Ok(names)
    }
}

/// Each name once: where a second thing has the same, it is called with its carrier, or its id.
fn named(records: &[Json], name: &str, id: &str) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for record in records {
        let (Some(name), Some(id)) = (text(record, name), record.get(id).filter(|id| id.is_number() || id.is_string())) else { continue };
        if found.iter().any(|known| known.name == name && known.id == *id) {
            continue;
        }
        let apart = text(record, "carrierCode").or_else(|| Some(id.as_str().map_or_else(|| id.to_string(), str::to_owned)));
        let name = match apart {
            Some(apart) if found.iter().any(|known| known.name == name) => format!("{name} ({apart})"),
            _ => name,
        };
        if !found.iter().any(|known| known.name == name) {
            found.push(Named { name, id: id.clone() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_thing() {
        let records = [
            serde_json::json!({ "carrierCode": "ups", "code": "ups_ground", "name": "UPS Ground" }),
            serde_json::json!({ "carrierCode": "ups_walleted", "code": "ups_ground", "name": "UPS Ground" }),
            serde_json::json!({ "carrierCode": "other", "code": "ground", "name": "UPS Ground" }),
            serde_json::json!({ "carrierCode": "other", "code": null, "name": "Nothing" }),
        ];
        let found: Vec<(String, String)> = named(&records, "name", "code").into_iter().map(|n| (n.name, n.id.to_string())).collect();
        assert_eq!(found, [("UPS Ground".to_owned(), r#""ups_ground""#.to_owned()), ("UPS Ground (other)".to_owned(), r#""ground""#.to_owned())]);
    }
}
