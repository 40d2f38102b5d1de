//! What a write to a system is held to.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Manifest;

/// What ensures that a write has one effect, from the best on. The book and `crossdock plan` call it by its class, G0 to G3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// The write can be sent again: the target keeps its key to one record, or it sets values of a record that is named.
    Idempotent,
    /// The target recognizes what is sent again for some hours.
    Token,
    /// The record is found again by a search, and sent again only if it is not there.
    Searchable,
    /// Nothing tells whether it was carried out: a person decides.
    Unprotected,
}

impl Guarantee {
    /// The guarantee class: 0 to 3.
    pub fn class(self) -> u8 {
        match self {
            Guarantee::Idempotent => 0,
            Guarantee::Token => 1,
            Guarantee::Searchable => 2,
            Guarantee::Unprotected => 3,
        }
    }

    /// The guarantee of a class; a number that is none has no guarantee.
    pub fn of_class(class: u64) -> Self {
        match class {
            0 => Guarantee::Idempotent,
            1 => Guarantee::Token,
            2 => Guarantee::Searchable,
            _ => Guarantee::Unprotected,
        }
    }
}

impl std::fmt::Display for Guarantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "G{}", self.class())
    }
}

/// By what one key has one effect, as a description names it. The class follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// A key that we choose, in the payload or the path.
    Key,
    /// The id in the call, and absolute values.
    Set,
    /// The version that was read.
    Version,
    /// A token that the system knows again for some hours.
    Token,
    /// A field by which what was made is found.
    Mark,
    None,
}

impl Means {
    /// The means by the words that descriptions have for them.
    pub const ALL: &'static [(&'static str, Means)] = &[
        ("key", Means::Key),
        ("set", Means::Set),
        ("version", Means::Version),
        ("token", Means::Token),
        ("mark", Means::Mark),
        ("none", Means::None),
    ];

    /// What the means gives. A class is never declared.
    pub fn guarantee(self) -> Guarantee {
        match self {
            Means::Key | Means::Set | Means::Version => Guarantee::Idempotent,
            Means::Token => Guarantee::Token,
            Means::Mark => Guarantee::Searchable,
            Means::None => Guarantee::Unprotected,
        }
    }

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, means)| *means == self).map_or("", |(word, _)| word)
    }
}

/// A guarantee by the number of its class, as plans have it.
pub mod by_class {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Guarantee;

    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(guarantee: &Guarantee, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u8(guarantee.class())
    }

    /// # Errors
    /// It is no number.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Guarantee, D::Error> {
        u64::deserialize(from).map(Guarantee::of_class)
    }
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Op")]
pub enum Operation {
    Create,
    Update,
    Upsert,
}

impl Operation {
    pub const ALL: [Operation; 3] = [Operation::Create, Operation::Update, Operation::Upsert];

    /// `create`, `update`, `upsert`
    pub fn word(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Upsert => "upsert",
        }
    }

    /// The operation that is spelled so.
    pub fn of_word(word: &str) -> Option<Self> {
        Operation::ALL.into_iter().find(|op| op.word() == word)
    }
}

/// A way to write, and what it is held to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteRule {
    /// The object that it is for; none: all.
    #[serde(default)]
    pub object: Option<String>,
    pub operations: Vec<Operation>,
    /// What the field of the write's key has to be; none: anything, and also no field at all.
    #[serde(default)]
    pub key: Option<KeyField>,
    /// The fields that the write's key may go to, where it is for these only; empty: for any.
    #[serde(skip)]
    pub key_fields: Vec<String>,
    /// Where it is for some fields only: it is also for a write without a key.
    #[serde(skip)]
    pub keyless: bool,
    /// How long a request that was sent may still be carried out, where the manifest's own time is another.
    #[serde(skip)]
    pub settle: Option<SignedDuration>,
    pub guarantee: Guarantee,
    /// What its description says, where that is more and nobody has seen the system keep it: a probe tells.
    #[serde(skip)]
    pub claims: Option<Claims>,
    /// The call, for people: `POST /orders/createorders`.
    pub call: String,
    /// The field by which the target's record is found before an update, and after an ambiguous outcome.
    pub found_by: Option<String>,
    /// It is found by the field of the write's key, where the write has one.
    #[serde(default)]
    pub found_by_key: bool,
    /// Items in one call.
    pub batch: usize,
    /// Items above which the system has a way of its own for bulk, in one batch of up to so many.
    #[serde(default)]
    pub bulk: Option<usize>,
    /// Fields that are not sent are lost at the target.
    #[serde(default)]
    pub replaces: bool,
    /// A call can carry, beside its items, writes that take the ids of the records that it makes.
    #[serde(default)]
    pub carries: bool,
    /// Fields that have a meaning only together (a carrier and its service): where one of them is sent, those of its group that the
    /// mapping sets are sent, too.
    #[serde(default)]
    pub together: Vec<Vec<String>>,
}

/// What a description says of a write, and no probe has seen at the connection's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub guarantee: Guarantee,
    /// The connection's host; none where it is not known, since a variable of the environment has no value.
    pub host: Option<String>,
    /// Other hosts, at which a probe has seen it.
    pub elsewhere: Vec<String>,
}

impl Claims {
    /// Who has seen it, and where, behind "which": "no probe has seen".
    pub fn seen(&self) -> String {
        match (self.elsewhere.as_slice(), &self.host) {
            ([], _) => "no probe has seen".to_owned(),
            (known, Some(host)) => format!("a probe has seen at {}, and not at {host}", known.join(", ")),
            (known, None) => {
                format!(
                    "a probe has seen at {}; where this connection leads is not known, since a variable of its settings has no value",
                    known.join(", ")
                )
            }
        }
    }
}

/// What a key's field is to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyField {
    /// The target keeps it to one record by itself: it stands in the schema's `x-keys`.
    Unique,
    /// It stands in the schema's `x-searchable`.
    Searchable,
}

/// A write, as a rule is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub object: &'a str,
    pub operation: Operation,
    /// The field that the write's key goes to.
    pub key_field: Option<&'a str>,
    /// The fields that the target keeps to one record by itself, and those that it searches by.
    pub keys: &'a [String],
    pub searchable: &'a [String],
}

impl WriteRule {
    fn is_for(&self, object: &str, operation: Operation) -> bool {
        self.object.as_ref().is_none_or(|of| of == object) && self.operations.contains(&operation)
    }

    /// Whether it is for a write.
    pub fn fits(&self, asked: &Asked<'_>) -> bool {
        let among = |fields: &[String]| asked.key_field.is_some_and(|key| fields.iter().any(|field| field == key));
        self.is_for(asked.object, asked.operation)
            && match self.key {
                None => true,
                Some(KeyField::Unique) => among(asked.keys),
                Some(KeyField::Searchable) => among(asked.searchable),
            }
            && (self.key_fields.is_empty() || among(&self.key_fields) || (self.keyless && asked.key_field.is_none()))
    }
}

impl Manifest {
    /// The first rule that a write fits; none where the system takes no such write.
    pub fn write(&self, asked: &Asked<'_>) -> Option<&WriteRule> {
        self.writes.iter().find(|rule| rule.fits(asked))
    }

    /// The rules for an operation on an object, whatever field its key goes to; none where the system takes no such write.
    pub fn rules(&self, object: &str, operation: Operation) -> impl Iterator<Item = &WriteRule> {
        self.writes.iter().filter(move |rule| rule.is_for(object, operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_and_its_guarantee_are_the_same() {
        for class in 0..=3_u8 {
            assert_eq!(Guarantee::of_class(class.into()).class(), class);
        }
        assert_eq!(Guarantee::of_class(9), Guarantee::Unprotected);
        assert!(Guarantee::Idempotent < Guarantee::Unprotected);
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let manifest: Manifest = serde_yaml::from_str(
            "title: A\nconnections: [a]\nsettings: {}\nwrites:\n\
             - { object: Order, operations: [create], key: unique, guarantee: idempotent, call: PUT, batch: 9 }\n\
             - { object: Order, operations: [create], key: searchable, guarantee: searchable, call: POST, batch: 1 }\n\
             - { operations: [create], guarantee: unprotected, call: POST, batch: 1 }\n",
        )
        .unwrap();
        let keys = ["key".to_owned()];
        let searchable = ["number".to_owned()];
        let rule = |object: &str, operation, key_field| {
            let asked = Asked { object, operation, key_field, keys: &keys, searchable: &searchable };
            manifest.write(&asked).map(|rule| rule.guarantee)
        };
        assert_eq!(rule("Order", Operation::Create, Some("key")), Some(Guarantee::Idempotent));
        assert_eq!(rule("Order", Operation::Create, Some("number")), Some(Guarantee::Searchable));
        assert_eq!(rule("Order", Operation::Create, Some("note")), Some(Guarantee::Unprotected));
        assert_eq!(rule("Order", Operation::Create, None), Some(Guarantee::Unprotected));
        assert_eq!(rule("Label", Operation::Create, Some("key")), Some(Guarantee::Unprotected));
        assert_eq!(rule("Order", Operation::Update, Some("key")), None);
    }

    #[test]
    fn an_operation_is_read_by_the_word_that_it_is_written_by() {
        for op in Operation::ALL {
            assert_eq!(Operation::of_word(op.word()), Some(op));
        }
        assert_eq!(Operation::of_word("Create"), None);
    }
}
