//! A schema from sample records.
//!
//! A field is what all its samples are: whole numbers are integers, numbers with a point decimals,
//! texts that are all dates are dates. What looks like a number but would lose something by being
//! one (`01234`) is text. Nested objects get a schema of their own, called after the field; objects
//! of one form share one. Child records of Salesforce (`{"totalSize": …, "records": […]}`) are lists.
//! Enumerations are not guessed, except for the two words of a column of yes and no.

use std::sync::Arc;

use indexmap::IndexMap;

use super::object::{Access, Class, Field, Object};
use crate::system::Guarantee;
use crate::value::{Enumeration, Json, Kind, Known, ObjectRef, Type, WireEncoding};

/// How much samples are taken to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A schema that a person goes on with: that a field was in all samples does not mean that it always is.
    Draft,
    /// The same where every cell is a text, as in CSV: what all cells of a column look like is what it is.
    DraftOfTexts,
    /// What a run over just this file goes by.
    AsItIs,
}

/// What the samples say of one field.
#[derive(Debug, Clone, Default)]
struct Seen {
    present: usize,
    texts: usize,
    /// Texts that are numbers and lose nothing by being one: whole ones, and with a point.
    whole_texts: usize,
    decimal_texts: usize,
    /// Different texts, as far as there are few.
    words: Vec<String>,
    /// The object's own name, where the records say it (`attributes.type` of Salesforce).
    named: Option<String>,
    /// It is a list in Salesforce's wrapper.
    wrapped: bool,
    dates: usize,
    datetimes: usize,
    booleans: usize,
    integers: usize,
    decimals: usize,
    lists: usize,
    objects: usize,
    fields: IndexMap<String, Seen>,
    parents: usize,
    elements: Option<Box<Seen>>,
}

/// Schemas of the records (first) and of the objects inside them.
pub fn infer<'a>(records: impl IntoIterator<Item = &'a Json>, name: &str, connection: &str, reading: Reading) -> Vec<Object> {
    let mut seen = Seen::default();
    for record in records {
        look(&mut seen, record, 0);
    }
    let mut building = Building { connection, reading, objects: Vec::new(), names: Vec::new() };
    building.object(&seen, name);
    for (was, is) in std::mem::take(&mut building.names) {
        building.renamed(&was, &is);
    }
    building.objects.reverse();
    building.objects
}

/// A whole number or one with a point that reads back the same: `5`, `-2.50`, and not `01234`, `+5`, `1e3`.
fn numeric(text: &str) -> Option<bool> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than a number keeps are a code.
    let fits = plain(whole) && (whole == "0" || !whole.starts_with('0')) && whole.len() <= 15;
    match part {
        None => fits.then_some(false),
        Some(part) => (fits && plain(part) && part.len() <= 10).then_some(true),
    }
}

/// The records of a child relation in Salesforce's answers.
fn children(fields: &serde_json::Map<String, Json>) -> Option<&Vec<Json>> {
    let known = ["totalSize", "done", "records", "nextRecordsUrl"];
    let wrapped = fields.contains_key("records") && fields.keys().all(|name| known.contains(&name.as_str()));
    fields.get("records").filter(|_| wrapped).and_then(Json::as_array)
}

fn look(seen: &mut Seen, value: &Json, depth: usize) {
    seen.present += usize::from(!value.is_null());
    match value {
        Json::Null => {}
        Json::Bool(_) => seen.booleans += 1,
        Json::Number(number) => {
            let text = number.to_string();
            if text.contains(['.', 'e', 'E']) { seen.decimals += 1 } else { seen.integers += 1 }
        }
        Json::String(text) => {
            if text.trim().is_empty() {
                seen.present -= 1;
                return;
            }
            seen.texts += 1;
            match numeric(text.trim()) {
                Some(false) => seen.whole_texts += 1,
                Some(true) => seen.decimal_texts += 1,
                None => {}
            }
            if seen.words.len() < 3 && !seen.words.contains(text) {
                seen.words.push(text.clone());
            }
            seen.dates += usize::from(text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10);
            seen.datetimes += usize::from(text.len() > 10 && text.parse::<jiff::Timestamp>().is_ok());
        }
        Json::Array(items) => {
            seen.lists += 1;
            let elements = seen.elements.get_or_insert_default();
            for item in items.iter().take(1000) {
                if depth < 64 {
                    look(elements, item, depth + 1);
                }
            }
        }
        Json::Object(fields) if children(fields).is_some() => {
            seen.wrapped = true;
            look(seen, &Json::Array(children(fields).cloned().unwrap_or_default()), depth);
            seen.present -= 1;
        }
        Json::Object(fields) => {
            seen.objects += 1;
            if let Some(named) = fields.get("attributes").and_then(|about| about.get("type")).and_then(Json::as_str) {
                seen.named = Some(named.to_owned());
            }
            seen.parents += 1;
            // What Salesforce says of a record beside its fields.
            let fields = fields.iter().filter(|(name, value)| !(*name == "attributes" && value.get("type").is_some()));
            for (name, value) in fields {
                if depth < 64 {
                    look(seen.fields.entry(name.clone()).or_default(), value, depth + 1);
                }
            }
        }
    }
}

struct Building<'c> {
    connection: &'c str,
    reading: Reading,
    objects: Vec<Object>,
    /// Objects that got another name: fields that are still being gathered have the old one.
    names: Vec<(String, String)>,
}

impl Building<'_> {
    /// Makes the schema of an object; gives its name, which may be that of another one of the same form.
    fn object(&mut self, seen: &Seen, name: &str) -> String {
        let mut fields = IndexMap::new();
        for (field, of) in &seen.fields {
            let (kind, wire) = self.kind(of, field, name);
            let nullable = self.reading != Reading::AsItIs || of.present < seen.parents;
            fields.insert(field.clone(), Field { wire, nullable, class: Class::Personal, ..Field::of(kind) });
        }
        let name = self.named(seen, name, &fields);
        if let Some(known) = self.objects.iter_mut().find(|object| object.name == name) {
            // Two samples of one form: each may have fields that the other lacks.
            for (field, of) in fields {
                known.fields.entry(field).or_insert(of);
            }
            return name;
        }
        self.objects.push(Object {
            system: "files".into(),
            name: name.clone(),
            source: "inferred from sample records".to_owned(),
            doc: String::new(),
            fields,
            access: Access { read: true, create: true, update: true, upsert: true },
            id: None,
            keys: Vec::new(),
            searchable: Vec::new(),
            stamp: None,
            name_field: None,
            parent: None,
            otherwise: Guarantee::Searchable,
            events: Vec::new(),
        });
        name
    }

    /// The name of an object: as its records call it, or that of one of the same form whose field ends in the same word
    /// (`ShippingAddress`, `BillingAddress`: both are an `Address`), or its own.
    fn named(&mut self, seen: &Seen, name: &str, fields: &IndexMap<String, Field>) -> String {
        if self.reading == Reading::AsItIs {
            return name.to_owned();
        }
        if let Some(named) = &seen.named {
            return named.clone();
        }
        let last = last_word(name).to_owned();
        let alike = |object: &Object| {
            let fits = |field: &String, of: &Field| object.fields.get(field).is_none_or(|known| known.kind == of.kind);
            let common = fields.keys().filter(|field| object.fields.contains_key(*field)).count();
            let smaller = fields.len().min(object.fields.len());
            common * 10 >= smaller * 6 && common > 0 && fields.iter().all(|(field, of)| fits(field, of))
        };
        match self.objects.iter_mut().find(|object| last_word(&object.name) == last && object.name != name && alike(object)) {
            Some(object) => {
                let (was, is) = (object.name.clone(), last);
                if was != is {
                    object.name.clone_from(&is);
                    self.names.push((was, is.clone()));
                }
                is
            }
            None => name.to_owned(),
        }
    }

    /// Fields of an object that got another name.
    fn renamed(&mut self, was: &str, is: &str) {
        fn within(kind: &mut Kind, was: &str, is: &str) {
            match kind {
                Kind::Object(of) if of.object == was => of.object = is.to_owned(),
                Kind::List(of) => within(&mut of.kind, was, is),
                _ => {}
            }
        }
        self.objects.iter_mut().flat_map(|object| object.fields.values_mut()).for_each(|field| within(&mut field.kind, was, is));
    }

    fn kind(&mut self, seen: &Seen, field: &str, parent: &str) -> (Kind, WireEncoding) {
        let plain = |kind: Kind| (kind, WireEncoding::Plain);
        let forms = [seen.texts, seen.booleans, seen.integers + seen.decimals, seen.lists, seen.objects];
        if forms.iter().filter(|count| **count > 0).count() != 1 {
            // Never there, or of several forms.
            return plain(if seen.present == 0 { Kind::Text } else { Kind::Json });
        }
        let name = if self.reading == Reading::AsItIs { format!("{parent}{}", title(field)) } else { self.free(&title(field), parent) };
        if seen.objects > 0 {
            let name = self.object(seen, &name);
            return plain(Kind::Object(ObjectRef::new(self.connection, name)));
        }
        if seen.lists > 0 {
            let of = match seen.elements.as_deref() {
                Some(elements) if elements.objects > 0 && elements.objects == elements.present => {
                    let single = if self.reading == Reading::AsItIs { name } else { singular(&name) };
                    let name = self.object(elements, &single);
                    Kind::Object(ObjectRef::new(self.connection, name))
                }
                Some(elements) => self.kind(elements, field, parent).0,
                None => Kind::Json,
            };
            let wire = if seen.wrapped { WireEncoding::Records } else { WireEncoding::Plain };
            return (Kind::List(Box::new(Type::some(of))), wire);
        }
        if seen.booleans > 0 {
            return plain(Kind::Boolean);
        }
        if seen.decimals > 0 {
            return plain(Kind::Decimal);
        }
        if seen.integers > 0 {
            return plain(Kind::Integer);
        }
        if self.reading == Reading::DraftOfTexts {
            if seen.whole_texts == seen.texts && !is_code(field) {
                return (Kind::Integer, WireEncoding::NumberText);
            }
            if seen.whole_texts + seen.decimal_texts == seen.texts && !is_code(field) {
                return (Kind::Decimal, WireEncoding::NumberText);
            }
            if let Some(words) = yes_and_no(&seen.words) {
                let values = words.into_iter().map(|value| Known { value, label: None }).collect();
                let name = format!("{}.{parent}.{field}", self.connection);
                return plain(Kind::Enumeration(Arc::new(Enumeration { name, values, open: true })));
            }
        }
        plain(if seen.dates == seen.texts {
            Kind::Date
        } else if seen.datetimes == seen.texts {
            Kind::Datetime
        } else {
            Kind::Text
        })
    }

    /// The name of a field's object: the field's own, unless another object has it already.
    fn free(&self, title: &str, parent: &str) -> String {
        let taken = title == parent || self.objects.iter().any(|object| object.name == title);
        if taken { format!("{parent}{title}") } else { title.to_owned() }
    }
}

/// A column whose numbers are names: a postal code, a telephone number, an id.
fn is_code(field: &str) -> bool {
    let name: String = field.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let ends = [
        "id",
        "code",
        "zip",
        "postcode",
        "postalcode",
        "phone",
        "mobile",
        "fax",
        "sku",
        "ean",
        "upc",
        "gtin",
        "number",
        "no",
        "nr",
        "barcode",
        "serial",
        "key",
        "reference",
        "ref",
        "tracking",
    ];
    ends.iter().any(|end| name.ends_with(end))
}

/// The words of a column that says yes or no.
fn yes_and_no(words: &[String]) -> Option<Vec<String>> {
    let pairs = [("true", "false"), ("yes", "no"), ("y", "n")];
    let is = |(yes, no): &(&str, &str)| words.iter().all(|word| word.trim().eq_ignore_ascii_case(yes) || word.trim().eq_ignore_ascii_case(no));
    (!words.is_empty() && pairs.iter().any(is)).then(|| words.to_vec())
}

/// `ShippingAddress` ends in `Address`.
fn last_word(name: &str) -> &str {
    let start = name.char_indices().rev().find(|(_, c)| c.is_uppercase()).map_or(0, |(at, _)| at);
    &name[start..]
}

/// `OrderItems` holds an `OrderItem`.
fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let kept = name.ends_with("ss") || name.ends_with("us");
    name.strip_suffix('s').filter(|stem| !kept && !stem.is_empty()).unwrap_or(name).to_owned()
}

fn title(field: &str) -> String {
    let mut letters = field.chars().filter(|c| c.is_alphanumeric());
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn zips_stay_text_and_what_one_record_lacks_may_be_missing() {
        let records = [
            json!({"zip": "01234", "qty": 2, "price": 1.50, "when": "2026-03-01", "to": {"city": "X"}, "lines": [{"sku": "a"}]}),
            json!({"zip": "90210", "qty": 3, "price": 2, "when": "2026-03-02", "to": {"city": null}, "lines": []}),
        ];
        let objects = infer(&records, "Order", "in", Reading::AsItIs);
        let order = &objects[0];
        assert_eq!(order.fields["zip"].kind, Kind::Text);
        assert_eq!(order.fields["qty"].kind, Kind::Integer);
        assert_eq!(order.fields["price"].kind, Kind::Decimal);
        assert_eq!(order.fields["when"].kind, Kind::Date);
        assert!(!order.fields["zip"].nullable);
        let city = objects.iter().find(|object| object.name == "OrderTo").unwrap();
        assert!(city.fields["city"].nullable);
        assert!(objects.iter().any(|object| object.name == "OrderLines"));
    }

    #[test]
    fn a_draft_claims_nothing_that_samples_cannot_say() {
        let records = [json!({"a": 1, "b": "x"}), json!({"a": 2, "b": "y"})];
        let objects = infer(&records, "Order", "in", Reading::Draft);
        assert!(objects[0].fields.values().all(|field| field.nullable));
    }

    /// Child records, types by their own names, and one type for two fields of one form.
    #[test]
    fn answers_of_salesforce_are_understood() {
        let address = json!({"street": "1 Main", "city": "Reno", "postalCode": "89501"});
        let record = json!({
            "attributes": {"type": "Order", "url": "/x"},
            "Id": "8015g0000000001AAA",
            "ShippingAddress": address, "BillingAddress": {"street": "2 High", "city": "Leeds", "postalCode": "LS1", "state": "x"},
            "Account": {"attributes": {"type": "Account", "url": "/y"}, "Name": "Acme"},
            "OrderItems": {"totalSize": 1, "done": true, "records": [
                {"attributes": {"type": "OrderItem"}, "Quantity": 2.0, "Product2": {"attributes": {"type": "Product2"}, "Name": "Tea"}}
            ]},
        });
        let objects = infer([&record], "Order", "crm", Reading::Draft);
        let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, ["Order", "OrderItem", "Product2", "Account", "Address"]);
        let order = &objects[0];
        assert!(!order.fields.contains_key("attributes"));
        assert_eq!(order.fields["OrderItems"].wire, WireEncoding::Records);
        assert_eq!(order.fields["OrderItems"].kind.to_string(), "list of crm.OrderItem");
        for field in ["ShippingAddress", "BillingAddress"] {
            assert_eq!(order.fields[field].kind.to_string(), "crm.Address", "{field}");
        }
        assert!(objects[4].fields.contains_key("state"), "what only one of them has belongs to the form, too");
    }

    #[test]
    fn columns_of_texts_are_what_all_their_cells_are() {
        let row = |qty: &str, price: &str, zip: &str, code: &str, day: &str, paid: &str| json!({"Qty": qty, "Price": price, "Zip": zip, "Code": code, "Day": day, "Paid": paid});
        let rows = [row("2", "1.50", "01234", "7", "2026-03-01", "true"), row("10", "2", "90210", "8", "2026-03-02", "false")];
        let object = &infer(&rows, "Row", "in", Reading::DraftOfTexts)[0];
        let kinds: Vec<String> = ["Qty", "Price", "Zip", "Code", "Day"].iter().map(|name| object.fields[*name].kind.to_string()).collect();
        assert_eq!(kinds, ["integer", "decimal", "text", "text", "date"]);
        assert_eq!(object.fields["Qty"].wire, WireEncoding::NumberText);
        assert!(matches!(&object.fields["Paid"].kind, Kind::Enumeration(of) if of.names().eq(["true", "false"])));
    }
}
