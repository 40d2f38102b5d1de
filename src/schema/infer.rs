//! A schema from sample records.
//!
//! A field is what all its samples are: whole numbers are integers, numbers with a point decimals,
//! texts that are all dates are dates. What looks like a number but would lose something by being
//! one (`01234`) is text. A field that one record lacks may be missing. Nested objects get a
//! schema of their own, called after the field. Enumerations are not guessed.

use indexmap::IndexMap;

use super::object::{Access, Class, Field, Object, Write};
use crate::value::{Json, Kind, ObjectRef, Type, Wire};

/// What the samples say of one field.
#[derive(Debug, Clone, Default)]
struct Seen {
    present: usize,
    texts: usize,
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
pub fn infer<'a>(records: impl IntoIterator<Item = &'a Json>, name: &str, connection: &str) -> Vec<Object> {
    let mut seen = Seen::default();
    for record in records {
        look(&mut seen, record, 0);
    }
    let mut objects = Vec::new();
    build(&seen, name, connection, &mut objects);
    objects.reverse();
    objects
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
        Json::Object(fields) => {
            seen.objects += 1;
            seen.parents += 1;
            for (name, value) in fields {
                if depth < 64 {
                    look(seen.fields.entry(name.clone()).or_default(), value, depth + 1);
                }
            }
        }
    }
}

fn build(seen: &Seen, name: &str, connection: &str, objects: &mut Vec<Object>) {
    let mut fields = IndexMap::new();
    for (field, of) in &seen.fields {
        let kind = kind(of, &format!("{name}{}", title(field)), connection, objects);
        let write = Write { required: false, create: true, update: true, nullable: true };
        fields.insert(
            field.clone(),
            Field {
                kind,
                wire: Wire::Plain,
                readable: true,
                nullable: of.present < seen.parents,
                write,
                size: None,
                pattern: None,
                minimum: None,
                maximum: None,
                places: None,
                digits: None,
                max_items: None,
                class: Class::Personal,
                common: None,
                doc: String::new(),
            },
        );
    }
    objects.push(Object {
        system: "files".to_owned(),
        name: name.to_owned(),
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
        class: 2,
        events: Vec::new(),
    });
}

fn kind(seen: &Seen, name: &str, connection: &str, objects: &mut Vec<Object>) -> Kind {
    let forms = [seen.texts, seen.booleans, seen.integers + seen.decimals, seen.lists, seen.objects];
    if forms.iter().filter(|count| **count > 0).count() != 1 {
        // Never there, or of several forms.
        return if seen.present == 0 { Kind::Text } else { Kind::Json };
    }
    if seen.objects > 0 {
        build(seen, name, connection, objects);
        return Kind::Object(ObjectRef::new(connection, name));
    }
    if seen.lists > 0 {
        let of = seen.elements.as_deref().map_or(Kind::Json, |elements| kind(elements, name, connection, objects));
        return Kind::List(Box::new(Type::some(of)));
    }
    if seen.booleans > 0 {
        Kind::Boolean
    } else if seen.decimals > 0 {
        Kind::Decimal
    } else if seen.integers > 0 {
        Kind::Integer
    } else if seen.dates == seen.texts {
        Kind::Date
    } else if seen.datetimes == seen.texts {
        Kind::Datetime
    } else {
        Kind::Text
    }
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
        let objects = infer(&records, "Order", "in");
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
}
