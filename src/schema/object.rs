//! What is known of one object of a system.

use indexmap::IndexMap;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::system::{self, Asked, Guarantee, KeyField, Operation, SystemRef, WriteRule};
use crate::value::{Json, Kind, ObjectRef, WireEncoding};

/// One object: an order, a shipment, an address inside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// `shipstation`, `salesforce`, `files`.
    #[schemars(with = "String")]
    pub system: SystemRef,
    /// As an author writes it behind the connection: `Order`.
    pub name: String,
    /// Where it comes from: the description it was derived from, or when it was pulled.
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub doc: String,
    /// Fields in the system's order.
    pub fields: IndexMap<String, Field>,
    /// Whether a record of it can be fetched, created, updated by itself. An address cannot.
    pub access: Access,
    /// The field that holds a record's id.
    #[serde(default)]
    pub id: Option<String>,
    /// Fields by which the system keeps a record to one (ShipStation `orderKey`, a Salesforce
    /// external id that is unique), first the one to prefer.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Fields by which a record can be searched for exactly.
    #[serde(default)]
    pub searchable: Vec<String>,
    /// The field that moves with every change of the record.
    #[serde(default)]
    pub stamp: Option<String>,
    /// The field that people know a record by: an order's number, a custom object's name.
    #[serde(default)]
    pub name_field: Option<String>,
    /// The relation of a child record to its parent, for the stamps of children (`OrderId`).
    #[serde(default)]
    pub parent: Option<String>,
    /// What a create and an upsert are held to where the system's manifest says nothing. With a key that the system itself keeps
    /// to one record they are idempotent. [`Object::guarantee`] tells what holds.
    #[serde(rename = "class", with = "system::by_class")]
    #[schemars(with = "u8")]
    pub otherwise: Guarantee,
    /// Webhook events of the system that hint at it.
    #[serde(default)]
    pub events: Vec<String>,
}

impl Object {
    /// The field that names the currency of its records' amounts where the account has several, and that the schema does not list.
    pub fn unlisted_currency(&self) -> Option<&str> {
        let name = self.system.manifest()?.currency.as_deref()?;
        (!self.fields.contains_key(name)).then_some(name)
    }

    /// The way in which its system takes a write of it; none where the system has no manifest, or takes no such write.
    pub fn write_rule(&self, operation: Operation, key_field: Option<&str>) -> Option<&WriteRule> {
        let asked = Asked { object: &self.name, operation, key_field, keys: &self.keys, searchable: &self.searchable };
        self.system.manifest()?.write(&asked)
    }

    /// Whether its system takes such a write of it, by one key or another.
    pub fn takes(&self, operation: Operation) -> bool {
        let allowed = match operation {
            Operation::Create => self.access.create,
            Operation::Update => self.access.update,
            Operation::Upsert => self.access.upsert || self.access.create,
        };
        allowed && self.system.manifest().is_none_or(|manifest| manifest.rules(&self.name, operation).next().is_some())
    }

    /// Whether its system takes such a write of it by this key.
    pub fn takes_by(&self, operation: Operation, key_field: Option<&str>) -> bool {
        self.takes(operation) && (self.system.manifest().is_none() || self.write_rule(operation, key_field).is_some())
    }

    /// The fields that the key of such a write may go to, where its system does not take each key.
    pub fn key_fields(&self, operation: Operation) -> Vec<&str> {
        let Some(manifest) = self.system.manifest() else { return Vec::new() };
        let mut fields = Vec::new();
        for rule in manifest.rules(&self.name, operation) {
            let keys = match rule.key {
                Some(KeyField::Unique) => &self.keys,
                Some(KeyField::Searchable) => &self.searchable,
                None => &rule.key_fields,
            };
            fields.extend(keys.iter().map(String::as_str));
        }
        fields
    }

    /// What stands for it that a write of it has one effect: what its system's manifest says; of a system without one what the
    /// schema says.
    pub fn guarantee(&self, operation: Operation, key_field: Option<&str>) -> Guarantee {
        if let Some(rule) = self.write_rule(operation, key_field) {
            return rule.guarantee;
        }
        // A key that none of its writes is for protects nothing.
        if !self.key_fields(operation).is_empty() {
            return Guarantee::Unprotected;
        }
        let native = key_field.is_some_and(|field| self.keys.iter().any(|key| key == field));
        if operation == Operation::Update || native { Guarantee::Idempotent } else { self.otherwise }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// A flow can read it (`from`, `match`).
    pub read: bool,
    pub create: bool,
    pub update: bool,
    /// A create or an update of it by a key in one call.
    pub upsert: bool,
}

/// One field of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// What it takes.
    pub kind: Kind,
    /// What it gives, where that is more: a system may answer with values that it does not take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<Kind>,
    #[serde(default)]
    pub wire: WireEncoding,
    /// It stands in what the system gives.
    pub readable: bool,
    /// It may be missing in what the system gives.
    pub nullable: bool,
    pub write: Write,
    /// Limits that a payload is held to by the final check.
    #[serde(default)]
    pub size: Option<Size>,
    #[serde(default)]
    pub pattern: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub minimum: Option<Decimal>,
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub maximum: Option<Decimal>,
    /// Decimal places that the system keeps.
    #[serde(default)]
    pub places: Option<u32>,
    /// Digits in all that the system keeps.
    #[serde(default)]
    pub digits: Option<u32>,
    /// Elements of a list.
    #[serde(default)]
    pub max_items: Option<usize>,
    #[serde(default)]
    pub class: Class,
    /// Its texts are ids of these named things, such as the code of a carrier: a mapping may write a thing by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<ObjectRef>,
    /// The system's documentation or practice says that most writes need it: why.
    #[serde(default)]
    pub common: Option<String>,
    #[serde(default)]
    pub doc: String,
    /// What people see of it in the system, where it is not its name: `Ship To Postal Code`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

impl Field {
    /// A field of which nothing but its kind is known: it can be read and written, may be missing, and has no limits.
    pub fn of(kind: Kind) -> Self {
        Field {
            kind,
            gives: None,
            wire: WireEncoding::Plain,
            readable: true,
            nullable: true,
            write: Write { required: false, create: true, update: true, nullable: true },
            size: None,
            pattern: None,
            minimum: None,
            maximum: None,
            places: None,
            digits: None,
            max_items: None,
            class: Class::Business,
            names: None,
            common: None,
            label: String::new(),
            doc: String::new(),
        }
    }

    /// The kind of what the system gives.
    pub fn given(&self) -> &Kind {
        self.gives.as_ref().unwrap_or(&self.kind)
    }
}

/// What the system takes in this field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Write {
    /// A create without it is refused.
    pub required: bool,
    pub create: bool,
    pub update: bool,
    /// An explicit `null` empties it.
    pub nullable: bool,
}

/// How long a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    #[serde(default)]
    pub min: usize,
    pub max: usize,
    #[serde(default)]
    pub unit: SizeUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SizeUnit {
    #[default]
    Characters,
    Bytes,
    Utf16,
}

/// How a value is treated in logs and stores. Unknown counts as personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Public,
    Business,
    #[default]
    Personal,
    Secret,
}

/// The named things of one kind that a connection has: its stores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Names {
    /// When the snapshot was taken, as it says itself.
    #[serde(default)]
    pub pulled: Option<String>,
    pub names: Vec<Named>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    pub name: String,
    /// The id in payloads: a number or a text.
    pub id: Json,
}
