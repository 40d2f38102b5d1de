//! What the columns of a query are: the answer to `columns=true`, and the head of a bulk query's CSV.

use serde_json::json;

use super::catalog::{Catalog, Holds, Type};
use super::soql::bind::{Bound, Gives, Lookup, Out};
use crate::value::Json;

pub(super) fn metadata(catalog: &Catalog, query: &Bound) -> Json {
    let of = &catalog.types[query.table];
    let columns: Vec<Json> = match &query.gives {
        Gives::Records(out) => out.iter().map(|out| column(catalog, of, out)).collect(),
        Gives::Size => Vec::new(),
        Gives::Groups(grouped) => {
            let column = |name: &str, shown: &str, aggregate: bool| {
                json!({
                    "aggregate": aggregate, "apexType": null, "booleanType": false, "columnName": name, "custom": false, "displayName": shown,
                    "foreignKeyName": null, "insertable": false, "joinColumns": [], "numberType": aggregate, "textType": !aggregate, "updatable": false,
                })
            };
            grouped.out.iter().map(|known| column(&known.name, if known.aggregate { &known.shown } else { &known.name }, known.aggregate)).collect()
        }
    };
    let id_selected = match &query.gives {
        Gives::Records(out) => out.iter().any(|out| matches!(out, Out::Cell { field, .. } if Some(*field) == of.stamps.id)),
        _ => false,
    };
    json!({
        "columnMetadata": columns, "entityName": of.name, "groupBy": matches!(query.gives, Gives::Groups(_)), "idSelected": id_selected,
        "keyPrefix": of.prefix,
    })
}

fn column(catalog: &Catalog, of: &Type, out: &Out) -> Json {
    let of_field = |key: &[u8], field: usize| {
        let name = named(key);
        let field = &of.fields[field];
        let apex = match &field.holds {
            Holds::Id | Holds::Reference(_) => "Id",
            Holds::Text(..) | Holds::Picklist { .. } => "String",
            Holds::Boolean => "Boolean",
            Holds::Integer => "Integer",
            Holds::Decimal | Holds::Currency => "Double",
            Holds::Date => "Date",
            Holds::Datetime => "Datetime",
            Holds::Address(_) => "System.Address",
        };
        json!({
            "aggregate": false, "apexType": apex, "booleanType": apex == "Boolean", "columnName": name, "custom": field.name.ends_with("__c"),
            "displayName": name, "foreignKeyName": null, "insertable": field.create, "joinColumns": [],
            "numberType": matches!(apex, "Integer" | "Double"), "textType": matches!(apex, "Id" | "String"), "updatable": field.update,
        })
    };
    let joined = |name: &str, aggregate: bool, foreign: Json, custom: bool, columns: Vec<Json>| {
        json!({
            "aggregate": aggregate, "apexType": null, "booleanType": false, "columnName": name, "custom": custom, "displayName": name,
            "foreignKeyName": foreign, "insertable": false, "joinColumns": columns, "numberType": false, "textType": false, "updatable": false,
        })
    };
    match out {
        Out::Cell { key, field } | Out::Address { key, field, .. } => of_field(key, *field),
        Out::Parent { name, field, table, out, .. } => {
            let columns = out.iter().map(|out| column(catalog, &catalog.types[*table], out)).collect();
            joined(name, false, json!(of.fields[*field].name), name.ends_with("__r"), columns)
        }
        Out::Children { name, query, .. } => {
            let columns = match &query.gives {
                Gives::Records(out) => out.iter().map(|out| column(catalog, &catalog.types[query.table], out)).collect(),
                _ => Vec::new(),
            };
            joined(name, true, Json::Null, name.ends_with("__r"), columns)
        }
    }
}

/// `"Name":` is the member `Name`.
fn named(key: &[u8]) -> String {
    String::from_utf8_lossy(key).trim_end_matches(':').trim_matches('"').to_owned()
}

/// The columns of a CSV, in which members of parents stand as `Account.Name`. `None`: it has members that no CSV holds.
pub(super) fn flat(out: &[Out]) -> Option<Vec<(String, Lookup)>> {
    let mut columns = Vec::new();
    for out in out {
        match out {
            Out::Cell { key, field } => columns.push((named(key), Lookup { hops: Vec::new(), field: *field, function: None })),
            Out::Parent { name, field, out, .. } => {
                for (inner, lookup) in flat(out)? {
                    let hops = std::iter::once(*field).chain(lookup.hops).collect();
                    columns.push((format!("{name}.{inner}"), Lookup { hops, ..lookup }));
                }
            }
            Out::Address { .. } | Out::Children { .. } => return None,
        }
    }
    Some(columns)
}
