//! `/sobjects` and `/sobjects/{T}/describe`, in the form of a recorded describe.

use std::sync::OnceLock;

use serde_json::{Map, json};

use super::Salesforce;
use super::catalog::{Field, Holds, Text, Type};
use super::refusal::Refusal;
use super::soql::bind::is_filterable;
use super::wire::Answer;
use crate::value::Json;

impl Salesforce {
    pub(super) fn describe_all(&self, version: &str) -> Answer {
        let all: Vec<Json> = (0..self.store.catalog.types.len()).map(|table| self.described_in_short(table, version)).collect();
        Answer::json(200, &json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all }))
    }

    pub(super) fn described_in_short(&self, table: usize, version: &str) -> Json {
        let of = &self.store.catalog.types[table];
        let at = format!("/services/data/v{version}/sobjects/{}", of.name);
        json!({
            "activateable": false, "associateEntityType": null, "associateParentEntity": null, "deepCloneable": false, "isInterface": false,
            "createable": of.writable, "custom": of.name.ends_with("__c"), "customSetting": false, "deletable": of.writable,
            "deprecatedAndHidden": false, "feedEnabled": false, "hasSubtypes": false, "isSubtype": false, "keyPrefix": of.prefix, "label": of.label,
            "labelPlural": plural(&of.label), "layoutable": true, "mergeable": false, "mruEnabled": true, "name": of.name, "queryable": true,
            "replicateable": true, "retrieveable": true, "searchable": true, "triggerable": true, "undeletable": of.writable,
            "updateable": of.writable,
            "urls": { "sobject": at, "describe": format!("{at}/describe"), "rowTemplate": format!("{at}/{{ID}}") },
        })
    }

    pub(super) fn describe(&self, name: &str, version: &str) -> Result<Answer, Refusal> {
        let catalog = &self.store.catalog;
        let table = self.table(name)?;
        let of = &catalog.types[table];
        let mut json = self.described_in_short(table, version);
        json["fields"] =
            of.fields.iter().enumerate().filter(|(_, field)| !field.is_gone()).map(|(at, field)| self.described_field(of, at, field)).collect();
        let children = of.children.iter().map(|child| {
            let of = &catalog.types[child.table];
            json!({
                "cascadeDelete": matches!(child.name.as_str(), "OrderItems" | "OpportunityLineItems"), "childSObject": of.name, "deprecatedAndHidden": false,
                "field": of.fields[child.field].name, "junctionIdListNames": [], "junctionReferenceTo": [], "relationshipName": child.name,
                "restrictedDelete": of.fields[child.field].required,
            })
        });
        json["childRelationships"] = children.collect();
        json["recordTypeInfos"] = json!([]);
        json["actionOverrides"] = json!([]);
        json["namedLayoutInfos"] = json!([]);
        json["supportedScopes"] = json!([{ "label": format!("All {}", plural(&of.label)), "name": "everything" }]);
        for (name, value) in recorded()["objects"][of.name.as_str()]["object"].as_object().into_iter().flatten() {
            json[name] = value.clone();
        }
        for name in ["compactLayoutable", "searchLayoutable"] {
            if json.get(name).is_some() {
                continue;
            }
            json[name] = json!(true);
        }
        for name in [
            "defaultImplementation",
            "extendedBy",
            "extendsInterfaces",
            "implementedBy",
            "implementsInterfaces",
            "listviewable",
            "lookupLayoutable",
            "networkScopeFieldName",
        ] {
            json[name] = Json::Null;
        }
        Ok(Answer::json(200, &json))
    }

    fn described_field(&self, of: &Type, at: usize, field: &Field) -> Json {
        let (kind, soap, length) = match &field.holds {
            Holds::Id => ("id", "tns:ID", 18),
            Holds::Reference(_) => ("reference", "tns:ID", 18),
            Holds::Text(Text::Area, max) => ("textarea", "xsd:string", *max),
            Holds::Text(Text::Email, max) => ("email", "xsd:string", *max),
            Holds::Text(Text::Phone, max) => ("phone", "xsd:string", *max),
            Holds::Text(Text::Url, max) => ("url", "xsd:string", *max),
            Holds::Text(Text::String, max) => ("string", "xsd:string", *max),
            Holds::Boolean => ("boolean", "xsd:boolean", 0),
            Holds::Integer => ("int", "xsd:int", 0),
            Holds::Decimal => ("double", "xsd:double", 0),
            Holds::Currency => ("currency", "xsd:double", 0),
            Holds::Date => ("date", "xsd:date", 0),
            Holds::Datetime => ("datetime", "xsd:dateTime", 0),
            Holds::Picklist { .. } => ("picklist", "xsd:string", 255),
            Holds::Address(_) => ("address", "urn:address", 0),
        };
        let number = matches!(field.holds, Holds::Decimal | Holds::Currency);
        let filterable = is_filterable(field);
        let custom = field.name.ends_with("__c");
        let parent = of.parents.values().find(|parent| parent.field == at);
        let targets: &[usize] = match &field.holds {
            Holds::Reference(targets) => targets,
            _ => &[],
        };
        let targets: Vec<&str> = targets.iter().map(|table| self.store.catalog.types[*table].name.as_str()).collect();
        let values: Vec<Json> = match &field.holds {
            Holds::Picklist { values, .. } => values
                .iter()
                .map(|value| json!({ "active": true, "defaultValue": false, "label": value, "validFor": null, "value": value }))
                .collect(),
            _ => Vec::new(),
        };
        let compound = of.fields.iter().find(|whole| match &whole.holds {
            Holds::Address(parts) => parts.iter().any(|(_, part)| *part == Some(at)),
            _ => false,
        });
        let mut json = Map::new();
        let mut put = |name: &str, value: Json| json.insert(name.to_owned(), value);
        put("aggregatable", json!(filterable && !matches!(field.holds, Holds::Boolean)));
        put("aiPredictionField", json!(false));
        put("autoNumber", json!(field.name.ends_with("Number") && !field.create && matches!(field.holds, Holds::Text(..))));
        put("byteLength", json!(length * if matches!(field.holds, Holds::Id | Holds::Reference(_)) { 1 } else { 3 }));
        put("calculated", json!(false));
        put("calculatedFormula", Json::Null);
        put("cascadeDelete", json!(false));
        put("caseSensitive", json!(false));
        put("compoundFieldName", compound.map_or(Json::Null, |whole| json!(whole.name)));
        put("controllerName", Json::Null);
        put("createable", json!(field.create));
        put("custom", json!(custom));
        put("defaultValue", if matches!(field.holds, Holds::Boolean) { json!(false) } else { Json::Null });
        put("defaultValueFormula", Json::Null);
        // What a create may leave out although it cannot be empty has a default.
        put("defaultedOnCreate", json!(!field.nillable && !field.required));
        put("dependentPicklist", json!(false));
        put("deprecatedAndHidden", json!(false));
        for name in ["displayLocationInDecimal", "formulaTreatNullNumberAsZero", "highScaleNumber", "searchPrefilterable", "writeRequiresMasterRead"]
        {
            put(name, json!(false));
        }
        for name in ["filteredLookupInfo", "mask", "maskType"] {
            put(name, Json::Null);
        }
        put("digits", json!(if matches!(field.holds, Holds::Integer) { field.digits.unwrap_or(9) } else { 0 }));
        put("encrypted", json!(false));
        put("externalId", json!(field.external));
        put("extraTypeInfo", if matches!(field.holds, Holds::Text(Text::Area, _)) { json!("plaintextarea") } else { Json::Null });
        put("filterable", json!(filterable || matches!(field.holds, Holds::Address(_))));
        put("groupable", json!(filterable && !number && !matches!(field.holds, Holds::Datetime)));
        put("htmlFormatted", json!(false));
        put("idLookup", json!(field.lookup || matches!(field.holds, Holds::Id)));
        put("inlineHelpText", Json::Null);
        put("label", json!(field.label));
        put("length", json!(length));
        put("name", json!(field.name));
        put(
            "nameField",
            json!(
                matches!((of.name.as_str(), field.name.as_str()), ("Order", "OrderNumber") | ("Case", "CaseNumber"))
                    || (field.name == "Name" && of.name != "Order")
            ),
        );
        put("namePointing", json!(targets.len() > 1));
        put("nillable", json!(field.nillable));
        put("permissionable", json!(field.nillable && (field.create || field.update)));
        put("picklistValues", Json::Array(values));
        put("polymorphicForeignKey", json!(targets.len() > 1));
        put("precision", json!(if number { field.digits.unwrap_or(18) } else { 0 }));
        put("queryByDistance", json!(matches!(field.holds, Holds::Address(_))));
        put("referenceTargetField", Json::Null);
        put("referenceTo", json!(targets));
        put("relationshipName", parent.map_or(Json::Null, |parent| json!(parent.name)));
        put("relationshipOrder", Json::Null);
        put("restrictedDelete", json!(false));
        put("restrictedPicklist", json!(matches!(field.holds, Holds::Picklist { restricted: true, .. })));
        put("scale", json!(if number { field.places.unwrap_or(0) } else { 0 }));
        put("soapType", json!(soap));
        put("sortable", json!(filterable));
        put("type", json!(kind));
        put("unique", json!(field.unique));
        put("updateable", json!(field.update));
        tell(&of.name, &field.name, &mut json);
        Json::Object(json)
    }
}

/// `recorded.json`, made by `derive.py` beside it.
fn recorded() -> &'static Json {
    static READ: OnceLock<Json> = OnceLock::new();
    // It comes with the program, and a test reads it.
    READ.get_or_init(|| serde_json::from_str(include_str!("recorded.json")).unwrap_or_default())
}

/// Lays what a recorded describe says of a standard field over what follows from the schema.
fn tell(object: &str, field: &str, json: &mut Map<String, Json>) {
    let own = &recorded()["objects"][object]["fields"][field];
    let Some(kind) = own["type"].as_str() else { return };
    let usual = recorded()["usual"][kind].as_object().into_iter().flatten();
    let own = own.as_object().into_iter().flatten();
    for (name, value) in usual.chain(own) {
        match name.as_str() {
            "labels" | "begins" => {
                for known in json.get_mut("picklistValues").and_then(Json::as_array_mut).into_iter().flatten() {
                    let own = known["value"].as_str().unwrap_or_default().to_owned();
                    if let Some(label) = value.get(&own) {
                        known["label"] = label.clone();
                    }
                    if value.as_array().is_some_and(|begins| begins.iter().any(|begins| *begins == own)) {
                        known["defaultValue"] = json!(true);
                    }
                }
            }
            _ => {
                json.insert(name.clone(), value.clone());
            }
        }
    }
}

fn plural(label: &str) -> String {
    match label.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{label}s"),
    }
}
