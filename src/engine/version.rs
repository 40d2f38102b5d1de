//! A record's version: the hash of the fields that the mapping reads.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::ir::{Expr, Flow, walk};
use crate::plan::FlowPlan;
use crate::schema::{Class, Object};
use crate::store::{RecordStage, RecordState};
use crate::value::{Json, connection_nodes, list_elements};

/// The version of a record that is read and mapped again when its writes are done, whatever its source shows until then.
pub(super) const AGAIN: &str = "?";

/// Marks a version as one that is mapped again when its source shows it again, though nothing in it has changed.
pub(super) fn to_look_again(version: &str) -> String {
    match version.starts_with(AGAIN) {
        true => version.to_owned(),
        false => format!("{AGAIN}{version}"),
    }
}

/// Whether a record was stopped because a match found nothing: what it belongs to may be there when its source shows it again.
pub(super) fn waits_for_a_match(lane: &RecordState) -> bool {
    matches!(lane.state, RecordStage::Review | RecordStage::Rejected) && lane.version.starts_with(AGAIN)
}

/// The stamps of a flow's record that its expressions read.
fn named_stamps(flow: &Flow) -> BTreeSet<Vec<String>> {
    let mut named = BTreeSet::new();
    walk::flow_exprs(flow, &mut |expr| {
        if let Expr::Field { base, name, .. } = expr
            && matches!(&**base, Expr::Slot { slot, .. } if *slot == Flow::RECORD)
        {
            named.insert(vec![name.to_string()]);
        }
    });
    named.retain(|path| flow.changed.contains(path));
    named
}

/// The paths that count, as a tree.
#[derive(Debug, Default)]
pub(super) struct Read {
    inner: BTreeMap<String, Read>,
}

impl Read {
    /// What a flow reads, without the stamps that only say when: a write-back of ours moves them too. A stamp that the mapping
    /// itself reads says more: a record that was changed and changed back is not what it was.
    pub(super) fn of(flow: &Flow, reads: &FlowPlan) -> Self {
        let mut root = Read::default();
        // A group's window counts by the stamp.
        let by_stamp = flow.group.as_ref().is_some_and(|group| group.stamp.is_some());
        let named = named_stamps(flow);
        for path in reads.reads.iter().filter(|path| by_stamp || !flow.changed.contains(path) || named.contains(*path)) {
            let mut at = &mut root;
            for step in path {
                at = at.inner.entry(step.clone()).or_default();
            }
        }
        root
    }

    pub(super) fn version(&self, record: &Json) -> String {
        let mut text = Vec::with_capacity(1024);
        self.write(record, &mut text);
        Sha256::digest(&text)[..12].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The record with only the fields that count: what is kept of it for as long as its group is.
    pub(super) fn kept(&self, record: &Json) -> Json {
        match record {
            Json::Array(items) => Json::Array(items.iter().map(|item| self.kept(item)).collect()),
            Json::Object(fields) if !self.inner.is_empty() => {
                let mut kept = serde_json::Map::new();
                for (name, value) in fields {
                    match self.inner.get(name) {
                        Some(inner) => {
                            kept.insert(name.clone(), inner.kept(value));
                        }
                        // A child list as Salesforce gives it, or as GraphQL does.
                        None if matches!(name.as_str(), "records" | "edges" | "node") => {
                            kept.insert(name.clone(), self.kept(value));
                        }
                        None => {}
                    }
                }
                Json::Object(kept)
            }
            other => other.clone(),
        }
    }

    /// What is null is not there. Each part ends in a byte that JSON text cannot hold, so that no two
    /// records read alike.
    fn write(&self, json: &Json, out: &mut Vec<u8>) {
        match json {
            // A child list as Salesforce gives it, or a plain one.
            Json::Array(items) => {
                for item in items {
                    self.write(item, out);
                    out.push(0x01);
                }
            }
            // A connection of GraphQL: its cursors are no part of the record.
            connection
                if !self.inner.contains_key("edges")
                    && let Some(nodes) = connection_nodes(connection) =>
            {
                for node in nodes {
                    self.write(node, out);
                    out.push(0x01);
                }
            }
            Json::Object(fields) if !self.inner.is_empty() => {
                for (name, inner) in &self.inner {
                    match fields.get(name) {
                        None | Some(Json::Null) => {}
                        Some(value) => {
                            out.extend_from_slice(name.as_bytes());
                            out.push(0x02);
                            inner.write(value, out);
                            out.push(0x03);
                        }
                    }
                }
                // No order is promised of them: one that is another is no change.
                if let Some(Json::Array(records)) = fields.get("records") {
                    let mut records: Vec<&Json> = records.iter().collect();
                    records.sort_by_key(|record| record.get("Id").and_then(Json::as_str));
                    for record in records {
                        self.write(record, out);
                        out.push(0x01);
                    }
                }
            }
            // Writing to a vector does not fail.
            other => {
                let _ = serde_json::to_writer(out, other);
            }
        }
    }
}

/// What a listed record looks like at its source, before it is read.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Differs where other fields count: what looks the same is then another version.
    salt: Vec<u8>,
    /// Lists of children whose changes are polled: the list, the child's id field and its stamp.
    lists: Vec<(String, String, String)>,
}

/// Bytes of each part of [`crate::store::RecordState::seen`].
const MARK: usize = 8;

impl Look {
    pub(super) fn of(flow: &Flow, read: &Read, child_id: impl Fn(&str) -> Option<String>) -> Self {
        let list = |path: &Vec<String>| match path.as_slice() {
            [list, stamp] => Some((list.clone(), child_id(list)?, stamp.clone())),
            _ => None,
        };
        Look { salt: format!("{read:?}").into_bytes(), lists: flow.changed.iter().filter_map(list).collect() }
    }

    fn text(&self, text: &str) -> [u8; MARK] {
        let digest = Sha256::new().chain_update(&self.salt).chain_update(text).finalize();
        std::array::from_fn(|at| digest[at])
    }

    /// What is kept of a record that was read.
    pub(super) fn seen(&self, text: &str, record: &Json) -> Vec<u8> {
        let mut seen = self.text(text).to_vec();
        for (list, id, stamp) in &self.lists {
            for child in record.get(list).and_then(list_elements).into_iter().flatten() {
                if let (Some(id), Some(stamp)) = (child.get(id).and_then(Json::as_str), child.get(stamp).and_then(Json::as_str)) {
                    seen.extend(crate::connector::part(id, stamp).to_le_bytes());
                }
            }
        }
        seen
    }

    /// Whether a record's text is the one that was read.
    pub(super) fn same(&self, text: &str, seen: &[u8]) -> bool {
        seen.get(..MARK).is_some_and(|known| known == self.text(text))
    }

    /// Whether a child's version was there when the record was read.
    pub(super) fn has(part: u64, seen: &[u8]) -> bool {
        seen.chunks_exact(MARK).skip(1).any(|known| known == part.to_le_bytes())
    }
}

/// Fields that people know an order by.
const ORDER_NUMBERS: [&str; 3] = ["OrderNumber", "orderNumber", "order_number"];
/// Fields that people know a record by, where its schema names none.
const NUMBERS: [&str; 8] = ["OrderNumber", "orderNumber", "order_number", "CaseNumber", "trackingNumber", "tracking_number", "Number", "number"];

/// The field that people know an object's records by. A name that may be a person's is kept out of what is not sealed.
pub(super) fn name_field(object: &Object) -> Option<String> {
    let name = object.name_field.as_ref()?;
    let field = object.fields.get(name)?;
    matches!(field.class, Class::Public | Class::Business).then(|| name.clone())
}

/// What people call a record: by its schema's name field, or one of the common numbers, its own or that of the order that it is of.
pub(super) fn label(record: &Json, name_field: Option<&str>) -> Option<String> {
    let of = |record: &Json, name: &str| match record.get(name)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let own = name_field.into_iter().chain(NUMBERS).find_map(|name| of(record, name));
    own.or_else(|| ORDER_NUMBERS.iter().find_map(|name| of(record.get("order")?, name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use serde_json::json;

    fn read(paths: &[&[&str]]) -> Read {
        let mut root = Read::default();
        for path in paths {
            let mut at = &mut root;
            for step in *path {
                at = at.inner.entry((*step).to_owned()).or_default();
            }
        }
        root
    }

    #[test]
    fn a_record_is_called_by_its_schemas_name_field() {
        let request = json!({"Id": "a0B1", "Name": "FR-000001", "Number": 7});
        assert_eq!(label(&request, Some("Name")).as_deref(), Some("FR-000001"));
        assert_eq!(label(&request, None).as_deref(), Some("7"));
        assert_eq!(label(&json!({"Name": "", "OrderNumber": "00000012"}), Some("Name")).as_deref(), Some("00000012"));
        assert_eq!(label(&json!({"Id": "a0B1"}), Some("Name")), None);
        assert_eq!(label(&json!({"id": "T3JkZXI6MQ==", "order_number": "00000012"}), None).as_deref(), Some("00000012"));
        assert_eq!(label(&json!({"id": "U2hp", "order": {"order_number": "00000012", "id": "x"}}), None).as_deref(), Some("00000012"));
        let describe = |name_field: &str, number: bool| {
            let text = json!({"name": "Freight__c", "fields": [
                {"name": "Id", "type": "id"},
                {"name": name_field, "type": "string", "nameField": true, "autoNumber": number},
            ]});
            crate::schema::read(&text.to_string(), "salesforce", "Freight__c", "crm").unwrap()
        };
        assert_eq!(name_field(&describe("Name", true)).as_deref(), Some("Name"));
        assert_eq!(name_field(&describe("Request_No__c", true)).as_deref(), Some("Request_No__c"));
        assert_eq!(name_field(&describe("Name", false)), None, "a text may be a person's name");
    }

    #[test]
    fn lines_in_a_connection_count_and_its_cursors_do_not() {
        let order = |quantity: u64, cursor: &str| {
            let edges = json!([{"cursor": cursor, "node": {"sku": "a", "quantity": quantity, "updated_at": cursor}}, {"node": {"sku": "b"}}]);
            json!({"id": "1", "lines": {"edges": edges, "pageInfo": {"hasNextPage": false, "endCursor": cursor}}})
        };
        for paths in [&["lines", "quantity"] as &[&str], &["lines"]] {
            let read = read(&[paths]);
            assert_ne!(read.version(&order(1, "x")), read.version(&order(2, "x")), "{paths:?}");
        }
        let named = read(&[&["lines", "quantity"], &["lines", "sku"]]);
        assert_eq!(named.version(&order(1, "x")), named.version(&order(1, "y")));
        assert_eq!(named.kept(&order(1, "x")), json!({"lines": {"edges": [{"node": {"sku": "a", "quantity": 1}}, {"node": {"sku": "b"}}]}}));
        // A field of that name is one like any other.
        let own = read(&[&["edges"]]);
        assert_ne!(own.version(&json!({"edges": [{"node": 1, "w": 1}]})), own.version(&json!({"edges": [{"node": 1, "w": 2}]})));
    }

    #[test]
    fn only_what_is_read_counts() {
        let read = read(&[&["Status"], &["Account", "Name"], &["Items", "Quantity"]]);
        let record = json!({"Status": "Open", "Stamp": 1, "Account": {"Name": "A", "X": 1}, "Items": [{"Quantity": 1, "Y": 2}, {"Quantity": 2}]});
        let same = json!({"Account": {"Name": "A"}, "Items": [{"Quantity": 1}, {"Quantity": 2}], "Status": "Open", "Stamp": 2, "Z": null});
        assert_eq!(read.version(&record), read.version(&same));
        for other in [
            json!({"Status": "Shut", "Account": {"Name": "A"}, "Items": [{"Quantity": 1}, {"Quantity": 2}]}),
            json!({"Status": "Open", "Account": {"Name": "A"}, "Items": [{"Quantity": 2}, {"Quantity": 1}]}),
            json!({"Status": "Open", "Account": {"Name": "A"}, "Items": [{"Quantity": 1}]}),
            json!({"Status": "Open", "Account": {"Name": null}, "Items": [{"Quantity": 1}, {"Quantity": 2}]}),
        ] {
            assert_ne!(read.version(&record), read.version(&other), "{other}");
        }
    }

    /// A query promises no order of child records: read again, they may come in another one.
    #[test]
    fn child_records_in_another_order_are_no_new_version() {
        let read = read(&[&["Status"], &["Items", "Quantity"]]);
        let of = |items: Json| json!({"Status": "Open", "Items": {"totalSize": 2, "done": true, "records": items}});
        let (a, b) = (json!({"Id": "8021", "Quantity": 1}), json!({"Id": "8022", "Quantity": 2}));
        assert_eq!(read.version(&of(json!([a, b]))), read.version(&of(json!([b, a]))));
        let swapped = json!([{"Id": "8021", "Quantity": 2}, {"Id": "8022", "Quantity": 1}]);
        assert_ne!(read.version(&of(json!([a, b]))), read.version(&of(swapped)));
    }
}
