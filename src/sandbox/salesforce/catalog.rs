//! The objects of the org: what the schema files say, made ready for writes, queries and describes.
//!
//! The six objects of the template project are as its snapshots have them, with their custom fields; the others are
//! the standard schemas. The org has state and country picklists: a compound address has codes, and so there
//! are fields that take them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::schema::{self, Object, standard};
use crate::value::Kind;

/// All objects. Their places are the tables of [`super::id::Id`].
#[derive(Debug, Clone)]
pub(super) struct Catalog {
    pub(super) types: Vec<Type>,
    by_name: BTreeMap<String, usize>,
}

/// One object.
#[derive(Debug, Clone)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) prefix: &'static str,
    pub(super) label: String,
    pub(super) writable: bool,
    pub(super) fields: Vec<Field>,
    by_name: BTreeMap<String, usize>,
    /// The records that a record points to, by the relation's name in small letters.
    pub(super) parents: BTreeMap<String, Parent>,
    pub(super) children: Vec<Child>,
    pub(super) stamps: Stamps,
}

/// Where the fields stand that the system itself keeps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamps {
    pub(super) id: Option<usize>,
    pub(super) deleted: Option<usize>,
    pub(super) stamp: Option<usize>,
    pub(super) created: Option<usize>,
    pub(super) creator: Option<usize>,
    pub(super) modified: Option<usize>,
    pub(super) modifier: Option<usize>,
    pub(super) owner: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Parent {
    pub(super) name: String,
    /// The field that holds the reference.
    pub(super) field: usize,
    pub(super) table: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Child {
    /// The relation's name: `OrderItems`.
    pub(super) name: String,
    pub(super) table: usize,
    /// The child's field that points to this record.
    pub(super) field: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) holds: Holds,
    pub(super) nillable: bool,
    pub(super) create: bool,
    pub(super) update: bool,
    /// A create must name it.
    pub(super) required: bool,
    pub(super) digits: Option<u32>,
    pub(super) places: Option<u32>,
    pub(super) external: bool,
    pub(super) unique: bool,
    /// It is looked up by an index: external ids, `idLookup` fields, numbers that the system gives.
    pub(super) indexed: bool,
    /// An upsert may go by it.
    pub(super) lookup: bool,
}

impl Field {
    /// Whether an administrator has taken it away. Its place stays, since records are kept by places.
    pub(super) fn is_gone(&self) -> bool {
        self.name.is_empty()
    }
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum Holds {
    Id,
    Reference(Vec<usize>),
    Text(Text, usize),
    Boolean,
    Integer,
    Decimal,
    Currency,
    Date,
    Datetime,
    Picklist {
        values: Vec<String>,
        restricted: bool,
    },
    /// A compound address: its parts and where they stand.
    Address(Vec<(&'static str, Option<usize>)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    String,
    /// Above 255 characters it is a long one, which no condition takes.
    Area,
    Email,
    Phone,
    Url,
}

/// The object, its prefix, and what it looks like in this org, where that is not the standard.
const OBJECTS: &[(&str, &str, Option<&str>)] = &[
    ("Account", "001", Some(include_str!("org/Account.json"))),
    ("Asset", "02i", None),
    ("Case", "500", Some(include_str!("org/Case.json"))),
    ("Contact", "003", Some(include_str!("org/Contact.json"))),
    ("Contract", "800", None),
    ("Event", "00U", None),
    ("Group", "00G", None),
    ("Lead", "00Q", None),
    ("Opportunity", "006", Some(include_str!("org/Opportunity.json"))),
    ("OpportunityContactRole", "00K", None),
    ("OpportunityLineItem", "00k", Some(include_str!("org/OpportunityLineItem.json"))),
    ("Order", "801", Some(include_str!("org/Order.json"))),
    ("OrderItem", "802", Some(include_str!("org/OrderItem.json"))),
    ("Pricebook2", "01s", None),
    ("PricebookEntry", "01u", None),
    ("Product2", "01t", Some(include_str!("org/Product2.json"))),
    ("Shipment__c", "a01", Some(include_str!("org/Shipment__c.json"))),
    ("Task", "00T", Some(include_str!("org/Task.json"))),
    ("User", "005", None),
    // What the org says of itself: `doctor` asks for it, and for the kinds that its objects' records are of.
    ("Organization", "00D", Some(include_str!("org/Organization.json"))),
    ("RecordType", "012", Some(include_str!("org/RecordType.json"))),
];

/// Child relations whose field is not named after the parent.
const CHILD_FIELDS: &[(&str, &str, &str)] = &[
    ("Account", "ChildAccounts", "ParentId"),
    ("Account", "ProvidedAssets", "AssetProvidedById"),
    ("Account", "ServicedAssets", "AssetServicedById"),
    ("Asset", "ChildAssets", "ParentId"),
    ("Case", "Cases", "ParentId"),
    ("Contact", "ContractsSigned", "CustomerSignedId"),
    ("Event", "RecurringEvents", "RecurrenceActivityId"),
    ("Order", "Orders", "OriginalOrderId"),
    ("OrderItem", "ChildOrderItems", "OriginalOrderItemId"),
    ("Product2", "Cases", "ProductId"),
    ("Task", "RecurringTasks", "RecurrenceActivityId"),
];

/// References to several objects.
const WHO: &[&str] = &["Contact", "Lead"];
const WHAT: &[&str] = &["Account", "Opportunity", "Order", "Case", "Asset", "Contract", "Product2"];

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::build(own())));

/// Prefixes of the ids of objects that a project brings: `a02`, `a03`, …
static PREFIXES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let digit = |at: usize| char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[at % 62]);
    (2..2_000).map(|at| format!("a{}{}", digit(at / 62), digit(at))).collect()
});

/// The objects of the org, with the prefixes of their ids.
fn own() -> Vec<(&'static str, Object)> {
    OBJECTS
        .iter()
        .filter_map(|(name, prefix, text)| {
            let object = match text {
                Some(text) => schema::read(text, "salesforce", name, "crm"),
                None => standard::object("salesforce", name, "crm")?,
            };
            // They are the program's own files: a test holds that every one can be read.
            Some((*prefix, object.ok()?))
        })
        .collect()
}

impl Catalog {
    /// Read once a process.
    pub(super) fn get() -> Arc<Catalog> {
        Arc::clone(&CATALOG)
    }

    /// The org with the objects of a project: its own ones are added, and of those that the org has too each field is the project's.
    pub(super) fn with(objects: &[Object]) -> Arc<Catalog> {
        let mut all = own();
        for object in objects {
            if let Some((_, known)) = all.iter_mut().find(|(_, known)| known.name.eq_ignore_ascii_case(&object.name)) {
                known.fields.extend(object.fields.clone());
                known.keys.extend(object.keys.iter().filter(|key| !known.keys.contains(key)).cloned().collect::<Vec<_>>());
                known.searchable.extend(object.searchable.iter().filter(|name| !known.searchable.contains(name)).cloned().collect::<Vec<_>>());
            } else if let Some(prefix) = PREFIXES.get(all.len().saturating_sub(OBJECTS.len())) {
                all.push((prefix, object.clone()));
            }
        }
        Arc::new(Catalog::build(all))
    }

    fn build(objects: Vec<(&'static str, Object)>) -> Catalog {
        let by_name: BTreeMap<String, usize> = objects.iter().enumerate().map(|(at, (_, object))| (object.name.to_lowercase(), at)).collect();
        let mut types: Vec<Type> = objects.iter().map(|(prefix, object)| plain(object, prefix, &by_name)).collect();
        for at in 0..types.len() {
            types[at].children = children(&objects[at].1, &types, &by_name);
        }
        Catalog { types, by_name }
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    pub(super) fn of_prefix(&self, prefix: &str) -> Option<usize> {
        self.types.iter().position(|of| of.prefix == prefix)
    }
}

impl Type {
    /// A field that an administrator added: a text that may be empty.
    pub(super) fn add(&mut self, name: &str) -> usize {
        let text = text(name, 255);
        self.by_name.insert(name.to_lowercase(), self.fields.len());
        self.fields.push(Field {
            name: name.to_owned(),
            label: spaced(name.trim_end_matches("__c")),
            holds: text,
            nillable: true,
            create: true,
            update: true,
            required: false,
            digits: None,
            places: None,
            external: false,
            unique: false,
            indexed: false,
            lookup: false,
        });
        self.fields.len() - 1
    }

    /// Gives a field another name; without one it is gone: [`Field::is_gone`].
    pub(super) fn rename(&mut self, field: usize, name: &str) {
        self.by_name.retain(|_, at| *at != field);
        if !name.is_empty() {
            self.by_name.insert(name.to_lowercase(), field);
        }
        name.clone_into(&mut self.fields[field].name);
    }

    /// A field by its name, whatever the case of its letters.
    pub(super) fn field(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_lowercase()).copied()
    }
}

fn plain(object: &Object, prefix: &'static str, tables: &BTreeMap<String, usize>) -> Type {
    let mut fields: Vec<Field> = Vec::new();
    let mut addresses = Vec::new();
    let target = |relation: &str| match object.fields.get(relation).map(|field| &field.kind) {
        Some(Kind::Object(of)) => tables.get(&of.object.to_lowercase()).copied(),
        _ => None,
    };
    // `AccountId` with `Account`, and of an administrator's own lookups `Order__c` with `Order__r`.
    let relation = |name: &str| match (name.strip_suffix("Id"), name.strip_suffix("__c")) {
        (Some(parent), _) => target(parent),
        (None, Some(own)) => target(&format!("{own}__r")),
        _ => None,
    };
    for (name, field) in &object.fields {
        let holds = match &field.kind {
            Kind::List(_) => continue,
            Kind::Object(of) if of.object == "Address" => {
                addresses.push(fields.len());
                Holds::Address(Vec::new())
            }
            Kind::Object(_) => continue,
            Kind::Boolean => Holds::Boolean,
            Kind::Integer => Holds::Integer,
            Kind::Decimal => Holds::Decimal,
            Kind::Money => Holds::Currency,
            Kind::Date => Holds::Date,
            Kind::Datetime => Holds::Datetime,
            Kind::Enumeration(of) => Holds::Picklist { values: of.names().map(str::to_owned).collect(), restricted: !of.open },
            _ if object.id.as_deref() == Some(name) => Holds::Id,
            _ if name.ends_with("__c") && relation(name).is_some() => Holds::Reference(relation(name).into_iter().collect()),
            _ if field.size.is_none() && name.ends_with("Id") && name != "ExternalId" => {
                let several = |names: &[&str]| names.iter().filter_map(|name| tables.get(&name.to_lowercase()).copied()).collect();
                Holds::Reference(match (name.as_str(), relation(name)) {
                    // What queues may own.
                    ("OwnerId", Some(_)) if matches!(object.name.as_str(), "Case" | "Lead") => several(&["User", "Group"]),
                    (_, Some(table)) => vec![table],
                    ("WhoId", None) => several(WHO),
                    ("WhatId", None) => several(WHAT),
                    ("RecurrenceActivityId", None) => several(&[&object.name]),
                    // Record types, data sources: the org has none.
                    _ => Vec::new(),
                })
            }
            _ => text(name, field.size.map_or(255, |size| size.max)),
        };
        let searchable = object.searchable.contains(name) && !matches!(holds, Holds::Id);
        let external = searchable && name.ends_with("__c");
        fields.push(Field {
            name: name.clone(),
            label: if field.doc.is_empty() { spaced(name) } else { field.doc.clone() },
            nillable: field.write.nullable || (field.nullable && !field.write.create && !field.write.update),
            create: field.write.create,
            update: field.write.update,
            required: field.write.required,
            digits: field.digits,
            places: field.places,
            external,
            unique: object.keys.contains(name),
            indexed: searchable || matches!(name.as_str(), "OrderNumber" | "ProductCode"),
            lookup: searchable,
            holds,
        });
    }
    let codes = addresses.iter().flat_map(|at| {
        let prefix = fields[*at].name.trim_end_matches("Address").to_owned();
        ["StateCode", "CountryCode"].map(|code| format!("{prefix}{code}"))
    });
    for name in codes.collect::<Vec<_>>() {
        if object.fields.contains_key(&name) {
            continue;
        }
        fields.push(Field {
            label: spaced(&name),
            holds: Holds::Text(Text::String, 10),
            nillable: true,
            create: object.access.create,
            update: object.access.update,
            required: false,
            digits: None,
            places: None,
            external: false,
            unique: false,
            indexed: false,
            lookup: false,
            name,
        });
    }
    let by_name: BTreeMap<String, usize> = fields.iter().enumerate().map(|(at, field)| (field.name.to_lowercase(), at)).collect();
    for at in addresses {
        let prefix = fields[at].name.trim_end_matches("Address").to_lowercase();
        let part = |name: &'static str| (name, by_name.get(&format!("{prefix}{}", name.to_lowercase())).copied());
        let parts =
            ["city", "country", "countryCode", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "stateCode", "street"].map(part);
        fields[at].holds = Holds::Address(parts.into());
    }
    let parents = object
        .fields
        .iter()
        .filter_map(|(name, field)| {
            let Kind::Object(of) = &field.kind else { return None };
            let name_in_small = name.to_lowercase();
            let reference = match name_in_small.strip_suffix("__r") {
                Some(own) => format!("{own}__c"),
                None => format!("{name_in_small}id"),
            };
            let field = *by_name.get(&reference)?;
            Some((name.to_lowercase(), Parent { name: name.clone(), field, table: *tables.get(&of.object.to_lowercase())? }))
        })
        .collect();
    let at = |name: &str| by_name.get(&name.to_lowercase()).copied();
    let stamps = Stamps {
        id: at("Id"),
        deleted: at("IsDeleted"),
        stamp: at("SystemModstamp"),
        created: at("CreatedDate"),
        creator: at("CreatedById"),
        modified: at("LastModifiedDate"),
        modifier: at("LastModifiedById"),
        owner: at("OwnerId"),
    };
    let (name, label) = (object.name.clone(), if object.doc.is_empty() { spaced(&object.name) } else { object.doc.clone() });
    Type { name, prefix, label, writable: object.access.create, fields, by_name, parents, children: Vec::new(), stamps }
}

fn children(object: &Object, types: &[Type], tables: &BTreeMap<String, usize>) -> Vec<Child> {
    let this = tables.get(&object.name.to_lowercase());
    let child = |(name, field): (&String, &schema::Field)| {
        let Kind::List(of) = &field.kind else { return None };
        let Kind::Object(of) = &of.kind else { return None };
        let table = *tables.get(&of.object.to_lowercase())?;
        let known = CHILD_FIELDS.iter().find(|(parent, relation, _)| *parent == object.name && relation == name);
        let own = format!("{}Id", object.name);
        let field = match (known, name.as_str(), object.name.as_str()) {
            (Some((_, _, field)), _, _) => field,
            (None, "Tasks" | "Events", "Contact" | "Lead") => "WhoId",
            (None, "Tasks" | "Events", of) if of != "Account" => "WhatId",
            _ => own.as_str(),
        };
        let child = types.get(table)?;
        // An administrator's own relation goes through the lookup of the child that leads here. One through a field that the child's
        // schema does not have cannot be followed.
        let leads_here = |field: &Field| matches!(&field.holds, Holds::Reference(to) if Some(to.as_slice()) == this.map(std::slice::from_ref));
        let field = if name.ends_with("__r") { child.fields.iter().position(leads_here)? } else { child.field(field)? };
        Some(Child { name: name.clone(), table, field })
    };
    object.fields.iter().filter_map(child).collect()
}

fn text(name: &str, max: usize) -> Holds {
    let kind = match name {
        _ if max > 255 || name.ends_with("Street") => Text::Area,
        "Email" | "Email__c" => Text::Email,
        "Website" => Text::Url,
        "Fax" => Text::Phone,
        _ if name.ends_with("Phone") => Text::Phone,
        _ if name.ends_with("Url") => Text::Url,
        _ => Text::String,
    };
    Holds::Text(kind, max)
}

/// `ShippingPostalCode` → `Shipping Postal Code`, as labels are by default.
fn spaced(name: &str) -> String {
    let mut label = String::new();
    for letter in name.trim_end_matches("__c").chars() {
        match letter {
            '_' => label.push(' '),
            letter if letter.is_ascii_uppercase() && label.chars().last().is_some_and(|last| last.is_ascii_lowercase()) => {
                label.push(' ');
                label.push(letter);
            }
            letter => label.push(letter),
        }
    }
    label
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn every_object_is_there_with_what_the_system_keeps() {
        let catalog = Catalog::get();
        let names: Vec<&str> = catalog.types.iter().map(|of| of.name.as_str()).collect();
        assert_eq!(names, OBJECTS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>());
        for of in &catalog.types {
            assert!(of.stamps.id.is_some(), "{}", of.name);
            assert!(matches!(of.name.as_str(), "User" | "Group") || of.stamps.stamp.is_some(), "{}", of.name);
        }
    }

    #[test]
    fn a_project_brings_its_own_objects_and_fields() {
        let read = |name: &str, text: &str| schema::read(text, "salesforce", name, "crm").unwrap();
        let request = read("Fulfillment_Request__c", include_str!("../../../tests/sandbox/client-org/schemas/crm/Fulfillment_Request__c.json"));
        let line = read("Fulfillment_Line__c", include_str!("../../../tests/sandbox/client-org/schemas/crm/Fulfillment_Line__c.json"));
        let account = read("Account", include_str!("../../../tests/sandbox/client-org/schemas/crm/Account.json"));
        let catalog = Catalog::with(&[request, line, account]);
        let request = &catalog.types[catalog.find("Fulfillment_Request__c").unwrap()];
        let line = &catalog.types[catalog.find("fulfillment_line__c").unwrap()];
        assert_eq!((request.prefix, line.prefix), ("a02", "a03"));
        let lines = request.children.iter().find(|child| child.name == "Fulfillment_Lines__r").unwrap();
        assert_eq!(catalog.types[lines.table].fields[lines.field].name, "Fulfillment_Request__c");
        let account = &catalog.types[catalog.find("Account").unwrap()];
        assert_eq!(request.parents["account__r"].table, catalog.find("Account").unwrap());
        assert!(line.parents.contains_key("product__r") && account.field("Brand__c").is_some() && account.field("BillingCity").is_some());
        let Holds::Picklist { values, restricted } = &request.fields[request.field("Status__c").unwrap()].holds else { panic!("no picklist") };
        assert!(*restricted && values == &["Requested", "Packing", "Sent"]);
    }

    #[test]
    fn relations_lead_both_ways() {
        let catalog = Catalog::get();
        let order = &catalog.types[catalog.find("order").unwrap()];
        let items = order.children.iter().find(|child| child.name == "OrderItems").unwrap();
        assert_eq!(catalog.types[items.table].fields[items.field].name, "OrderId");
        let contact = &order.parents["billtocontact"];
        assert_eq!((order.fields[contact.field].name.as_str(), catalog.types[contact.table].name.as_str()), ("BillToContactId", "Contact"));
        let Holds::Address(parts) = &order.fields[order.field("ShippingAddress").unwrap()].holds else { panic!("no address") };
        assert!(parts.iter().all(|(_, at)| at.is_some()), "{parts:?}");
    }
}
