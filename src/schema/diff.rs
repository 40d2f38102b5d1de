//! The differences between two states of an object: its snapshot, and the current description of the system.

use std::fmt;

use serde::Serialize;

use super::object::{Field, Object};
use crate::value::Kind;

/// One difference, as somebody who keeps a mapping wants to hear it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Absent where it is about the object as a whole.
    pub field: Option<String>,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum What {
    Added {
        kind: String,
        /// A create without it is refused.
        required: bool,
    },
    Removed {
        kind: String,
    },
    Retyped {
        was: String,
        is: String,
    },
    Values {
        added: Vec<String>,
        removed: Vec<String>,
    },
    /// Whether other values than the listed ones are taken.
    Open {
        is: bool,
    },
    /// Whether a create must have it.
    Required {
        is: bool,
    },
    /// Whether it may be missing in what the system gives.
    MayBeMissing {
        is: bool,
    },
    /// What can be written to it: `create`, `update`, `empty`.
    Writable {
        was: Vec<&'static str>,
        is: Vec<&'static str>,
    },
    /// Length, digits, decimal places.
    Limit {
        of: &'static str,
        was: Option<usize>,
        is: Option<usize>,
    },
    /// Whether a record is found by it, or kept to one.
    Key {
        of: &'static str,
        is: bool,
    },
    /// What can be done with records of the object.
    Access {
        was: Vec<&'static str>,
        is: Vec<&'static str>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.field.as_deref().unwrap_or("the object");
        let list = |words: &[&str]| if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
        let limit = |limit: &Option<usize>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        match &self.what {
            What::Added { kind, required: true } => write!(f, "+ {name}: {kind}, and a create must have it"),
            What::Added { kind, required: false } => write!(f, "+ {name}: {kind}"),
            What::Removed { kind } => write!(f, "- {name}: was {kind}"),
            What::Retyped { was, is } => write!(f, "~ {name}: was {was}, is {is}"),
            What::Values { added, removed } => {
                write!(f, "~ {name}: values")?;
                added.iter().try_for_each(|value| write!(f, " +`{value}`"))?;
                removed.iter().try_for_each(|value| write!(f, " -`{value}`"))
            }
            What::Open { is: true } => write!(f, "~ {name}: takes other values than the listed ones now"),
            What::Open { is: false } => write!(f, "~ {name}: takes only the listed values now"),
            What::Required { is: true } => write!(f, "~ {name}: a create must have it now"),
            What::Required { is: false } => write!(f, "~ {name}: a create may leave it out now"),
            What::MayBeMissing { is: true } => write!(f, "~ {name}: may be missing now"),
            What::MayBeMissing { is: false } => write!(f, "~ {name}: is always there now"),
            What::Writable { was, is } => write!(f, "~ {name}: could be written by {}, can be by {}", list(was), list(is)),
            What::Limit { of, was, is } => write!(f, "~ {name}: {of} was {}, is {}", limit(was), limit(is)),
            What::Key { of, is: true } => write!(f, "~ {name}: {of} now"),
            What::Key { of, is: false } => write!(f, "~ {name}: no longer {of}"),
            What::Access { was, is } => write!(f, "~ {name}: allowed {}, allows {}", list(was), list(is)),
        }
    }
}

/// What is other in `new` than in `old`, fields in the order of `new`, removed ones last. Words for people (labels,
/// help texts, the source) are not compared.
pub fn diff(old: &Object, new: &Object) -> Vec<Difference> {
    let mut out = Vec::new();
    let (was, is) = (allowed(old), allowed(new));
    if was != is {
        out.push(Difference { field: None, what: What::Access { was, is } });
    }
    for (name, field) in &new.fields {
        let mut say = |what| out.push(Difference { field: Some(name.clone()), what });
        match old.fields.get(name) {
            None => say(What::Added { kind: named(field), required: field.write.required }),
            Some(before) => compare(before, field, &mut say),
        }
        for (of, was, is) in [("a key that keeps records to one", &old.keys, &new.keys), ("searchable", &old.searchable, &new.searchable)] {
            if old.fields.contains_key(name) && was.contains(name) != is.contains(name) {
                say(What::Key { of, is: is.contains(name) });
            }
        }
    }
    let removed = old.fields.iter().filter(|(name, _)| !new.fields.contains_key(*name));
    out.extend(removed.map(|(name, field)| Difference { field: Some(name.clone()), what: What::Removed { kind: named(field) } }));
    out
}

fn allowed(object: &Object) -> Vec<&'static str> {
    let access = object.access;
    let words = [(access.read, "read"), (access.create, "create"), (access.update, "update"), (access.upsert, "upsert")];
    words.iter().filter(|(can, _)| *can).map(|(_, word)| *word).collect()
}

fn writable(field: &Field) -> Vec<&'static str> {
    let words = [(field.write.create, "create"), (field.write.update, "update"), (field.write.nullable, "empty")];
    let can = field.write.create || field.write.update;
    words.iter().filter(|(is, _)| *is && can).map(|(_, word)| *word).collect()
}

/// A field's kind in one word or two, the same for two enumerations.
fn named(field: &Field) -> String {
    word(&field.kind)
}

fn word(kind: &Kind) -> String {
    match kind {
        Kind::Enumeration(_) => "picklist".to_owned(),
        Kind::List(of) => format!("list of {}", word(&of.kind)),
        other => other.to_string(),
    }
}

fn compare(old: &Field, new: &Field, say: &mut impl FnMut(What)) {
    let (was, is) = (named(old), named(new));
    if was != is || (old.wire != new.wire) {
        say(What::Retyped { was, is });
    }
    if let (Some(was), Some(is)) = (values(&old.kind), values(&new.kind)) {
        let other = |of: &crate::value::Enumeration, than: &crate::value::Enumeration| {
            let known: std::collections::BTreeSet<&str> = than.names().collect();
            of.names().filter(|name| !known.contains(name)).map(str::to_owned).collect::<Vec<_>>()
        };
        let (added, removed) = (other(is, was), other(was, is));
        if !added.is_empty() || !removed.is_empty() {
            say(What::Values { added, removed });
        }
        if was.open != is.open {
            say(What::Open { is: is.open });
        }
    }
    if old.write.required != new.write.required {
        say(What::Required { is: new.write.required });
    }
    if old.nullable != new.nullable {
        say(What::MayBeMissing { is: new.nullable });
    }
    let (was, is) = (writable(old), writable(new));
    if was != is {
        say(What::Writable { was, is });
    }
    let number = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    for (of, was, is) in [
        ("the longest text", old.size.map(|size| size.max), new.size.map(|size| size.max)),
        ("the number of digits", number(old.digits), number(new.digits)),
        ("the number of decimal places", number(old.places), number(new.places)),
    ] {
        if was != is {
            say(What::Limit { of, was, is });
        }
    }
}

fn values(kind: &Kind) -> Option<&crate::value::Enumeration> {
    match kind {
        Kind::Enumeration(of) => Some(of),
        Kind::List(of) => values(&of.kind),
        _ => None,
    }
}

/// What a system does not say of its object is kept from what is known: how a field's values are treated, what a
/// create is held to, how children lead to their parent.
pub fn keep(new: &mut Object, known: &Object) {
    new.otherwise = known.otherwise;
    if new.parent.is_none() {
        new.parent.clone_from(&known.parent);
    }
    if new.events.is_empty() {
        new.events.clone_from(&known.events);
    }
    for (name, field) in &mut new.fields {
        let Some(known) = known.fields.get(name) else { continue };
        field.class = known.class;
        if field.common.is_none() {
            field.common.clone_from(&known.common);
        }
        if field.pattern.is_none() {
            field.pattern.clone_from(&known.pattern);
        }
        field.minimum = field.minimum.or(known.minimum);
        field.maximum = field.maximum.or(known.maximum);
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn object(fields: &str) -> Object {
        let text = format!(r#"{{ "name": "Order", "createable": true, "updateable": true, "fields": [{fields}] }}"#);
        read(&text, "salesforce", "Order", "crm").unwrap()
    }

    fn told(old: &str, new: &str) -> Vec<String> {
        diff(&object(old), &object(new)).iter().map(ToString::to_string).collect()
    }

    const STATUS: &str = r#"{ "name": "Status", "type": "picklist", "restrictedPicklist": true, "createable": true, "updateable": true,
        "picklistValues": [{ "value": "New", "active": true }, { "value": "Sent", "active": true }] }"#;

    #[test]
    fn the_same_is_no_difference() {
        assert_eq!(told(STATUS, STATUS), Vec::<String>::new());
    }

    #[test]
    fn each_kind_of_change_is_told() {
        let more = STATUS.replace(
            "{ \"value\": \"Sent\", \"active\": true }",
            "{ \"value\": \"Sent\", \"active\": false }, { \"value\": \"Partially Returned\", \"active\": true }",
        );
        assert_eq!(told(STATUS, &more), ["~ Status: values +`Partially Returned` -`Sent`"]);
        assert_eq!(
            told(STATUS, &STATUS.replace("\"restrictedPicklist\": true", "\"restrictedPicklist\": false")),
            ["~ Status: takes other values than the listed ones now"]
        );
        let text = r#"{ "name": "Notes__c", "type": "string", "length": 80, "nillable": true, "createable": true, "updateable": true }"#;
        assert_eq!(told(text, &text.replace("80", "40")), ["~ Notes__c: the longest text was 80, is 40"]);
        assert_eq!(
            told(text, &text.replace("string", "double").replace("\"length\": 80, ", "")),
            ["~ Notes__c: was text, is decimal", "~ Notes__c: the longest text was 80, is none"]
        );
        assert_eq!(
            told(text, &text.replace("\"nillable\": true", "\"nillable\": false")),
            [
                "~ Notes__c: a create must have it now",
                "~ Notes__c: is always there now",
                "~ Notes__c: could be written by create, update, empty, can be by create, update"
            ]
        );
        assert_eq!(told(STATUS, &format!("{STATUS}, {text}")), ["+ Notes__c: text"]);
        assert_eq!(told(&format!("{STATUS}, {text}"), STATUS), ["- Notes__c: was text"]);
        let key = text.replace("\"type\"", "\"externalId\": true, \"unique\": true, \"type\"");
        assert_eq!(told(text, &key), ["~ Notes__c: a key that keeps records to one now", "~ Notes__c: searchable now"]);
    }

    #[test]
    fn what_a_system_does_not_say_is_kept() {
        let mut known = object(STATUS);
        known.parent = Some("OrderId".into());
        known.fields["Status"].class = super::super::Class::Public;
        let mut new = object(STATUS);
        keep(&mut new, &known);
        assert_eq!((new.parent.as_deref(), new.fields["Status"].class), (Some("OrderId"), super::super::Class::Public));
    }
}
