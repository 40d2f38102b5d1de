//! The data class of a field whose schema does not state one: by its type, then by the words of its name.
//!
//! A Salesforce describe has no data classes, and certainly not for a client's own fields. This is the one place that derives
//! them; `docs/schema-format.md` has the rules in words. `x-data-class` in a schema or an overlay takes precedence. Without any
//! indication, a field is personal.

use super::{Class, Field};
use crate::system::{DataClasses, SystemRef};
use crate::value::Kind;

/// Words of a name behind which stands a person.
const PERSONAL: &[&str] = &[
    "address",
    "age",
    "attn",
    "attention",
    "bank",
    "billing",
    "birth",
    "birthdate",
    "birthday",
    "cell",
    "city",
    "comment",
    "comments",
    "company",
    "contact",
    "customer",
    "county",
    "description",
    "dob",
    "email",
    "fax",
    "firstname",
    "fullname",
    "gender",
    "gift",
    "greeting",
    "iban",
    "instruction",
    "instructions",
    "ip",
    "lastname",
    "latitude",
    "login",
    "longitude",
    "mail",
    "message",
    "middlename",
    "mobile",
    "name",
    "nickname",
    "note",
    "notes",
    "passport",
    "person",
    "phone",
    "photo",
    "postal",
    "postcode",
    "recipient",
    "remark",
    "remarks",
    "salutation",
    "shipping",
    "signature",
    "ssn",
    "state",
    "street",
    "suffix",
    "tax",
    "telephone",
    "title",
    "user",
    "username",
    "vat",
    "zip",
];
/// Words of a name behind which stands the business: they count where no word of a person is beside them.
const BUSINESS: &[&str] = &[
    "account",
    "batch",
    "brand",
    "carrier",
    "category",
    "channel",
    "class",
    "code",
    "color",
    "count",
    "currency",
    "department",
    "dimension",
    "erp",
    "external",
    "fulfillment",
    "hazmat",
    "id",
    "identifier",
    "incoterm",
    "integration",
    "invoice",
    "item",
    "key",
    "kit",
    "line",
    "location",
    "lot",
    "method",
    "model",
    "no",
    "num",
    "number",
    "order",
    "origin",
    "package",
    "packaging",
    "parcel",
    "payment",
    "po",
    "priority",
    "product",
    "project",
    "quantity",
    "reference",
    "ref",
    "region",
    "sales",
    "serial",
    "service",
    "shipment",
    "size",
    "sku",
    "source",
    "stage",
    "status",
    "store",
    "style",
    "sync",
    "tag",
    "terms",
    "tracking",
    "type",
    "unit",
    "upc",
    "version",
    "warehouse",
    "weight",
];
/// What the systems themselves say of a record: no person's words, whatever else is in the name.
const OF_SYSTEMS: &[&str] = &["error", "errors", "failure", "reason", "result"];
/// Words that only tell whose it is: a customer's number is a number.
const WHOSE: &[&str] = &["billing", "company", "contact", "customer", "shipping", "user", "tax"];
/// Standard objects of which a name is none of a person.
const OF_THINGS: &[&str] = &["Product2", "Pricebook2", "PricebookEntry", "RecordType", "Organization", "Location", "CurrencyType", "OrderItem"];

/// The class of a described field. `kind`: the type in the describe; `own`: a client's own field (`__c`).
pub(super) fn class(object: &str, name: &str, kind: &str, numbered: bool, encrypted: bool) -> Class {
    match kind {
        "encryptedstring" => return Class::Secret,
        _ if encrypted => return Class::Secret,
        "email" | "phone" | "address" | "location" | "base64" => return Class::Personal,
        "id" | "reference" | "picklist" | "multipicklist" | "boolean" | "currency" | "percent" | "datetime" | "time" => return Class::Business,
        _ if numbered => return Class::Business,
        _ => {}
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let personal = words.iter().any(|word| PERSONAL.contains(&word.as_str()) && !WHOSE.contains(&word.as_str()));
    match kind {
        // A date or a number is a person's only if its name says so.
        "date" | "double" | "int" | "long" => {
            let of_person =
                words.iter().any(|word| ["birth", "birthdate", "birthday", "dob", "age", "phone", "mobile", "ssn"].contains(&word.as_str()));
            if of_person { Class::Personal } else { Class::Business }
        }
        _ if has(OF_SYSTEMS) => Class::Business,
        _ if name == "Name" && OF_THINGS.contains(&object) => Class::Business,
        _ if personal => Class::Personal,
        _ if has(BUSINESS) => Class::Business,
        _ => Class::Personal,
    }
}

/// Whether the fields of a system are classed so.
pub(super) fn by_name(system: &SystemRef) -> bool {
    system.manifest().is_some_and(|manifest| manifest.data_classes == DataClasses::ByName)
}

/// The class of a field of a snapshot that says none.
pub fn of_field(object: &str, name: &str, field: &Field) -> Class {
    let kind = match &field.kind {
        Kind::Text | Kind::Json | Kind::Any | Kind::Row(_) => "string",
        Kind::Integer | Kind::Decimal | Kind::Weight | Kind::Length | Kind::Duration => "double",
        Kind::Date => "date",
        Kind::Money => "currency",
        Kind::Boolean => "boolean",
        Kind::Time | Kind::Datetime => "datetime",
        Kind::Enumeration(_) => "picklist",
        Kind::Reference(_) => "reference",
        // What stands in it has classes of its own.
        Kind::List(_) | Kind::Object(_) => "reference",
    };
    class(object, name, kind, false, false)
}

/// `ShippingStreet`, `Gift_Message__c`: the words of a name, in small letters.
fn words(name: &str) -> Vec<String> {
    let name = name.strip_suffix("__c").unwrap_or(name);
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            before = '_';
            continue;
        }
        let begins = before == '_' || (c.is_uppercase() && !before.is_uppercase()) || (c.is_ascii_digit() != before.is_ascii_digit());
        match words.last_mut() {
            Some(word) if !begins => word.extend(c.to_lowercase()),
            _ => words.push(c.to_lowercase().collect()),
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_hidden_and_business_is_shown() {
        let business = [
            ("FR_Order__c", "Project_Code__c", "string"),
            ("FR_Order__c", "PO_Number__c", "string"),
            ("FR_Order__c", "Customer_Number__c", "string"),
            ("Order", "Tracking_Number__c", "string"),
            ("Order", "Fulfillment_Error__c", "textarea"),
            ("Order", "PoNumber", "string"),
            ("Order", "CarrierService__c", "string"),
            ("Product2", "Name", "string"),
            ("Product2", "StockKeepingUnit", "string"),
            ("Kit__c", "SKU__c", "string"),
            ("Kit__c", "Weight__c", "double"),
            ("Order", "EffectiveDate", "date"),
            ("Order", "Status", "picklist"),
        ];
        let personal = [
            ("Order", "ShippingStreet", "textarea"),
            ("Order", "Gift_Message__c", "textarea"),
            ("Order", "Package_Notes__c", "textarea"),
            ("Order", "Recipient_Name__c", "string"),
            ("Order", "Phone_Number__c", "string"),
            ("Order", "Delivery_Instructions__c", "string"),
            ("FR_Order__c", "Ship_To__c", "string"),
            ("Order", "Whatever__c", "string"),
            ("Contact", "Name", "string"),
            ("Contact", "Birthdate", "date"),
            ("Contact", "Email", "email"),
            ("Order", "Description", "textarea"),
            ("Order", "Tax_Id_Name__c", "string"),
        ];
        for (object, name, kind) in business {
            assert_eq!(class(object, name, kind, false, false), Class::Business, "{object}.{name}");
        }
        for (object, name, kind) in personal {
            assert_eq!(class(object, name, kind, false, false), Class::Personal, "{object}.{name}");
        }
        assert_eq!(class("FR_Order__c", "Name", "string", true, false), Class::Business, "a number that the org counts up");
        assert_eq!(class("Account", "Token__c", "encryptedstring", false, false), Class::Secret);
    }
}
