//! The schemas that come with the program, from `schemas/`: read for a connection.

use super::error::SchemaError;
use super::object::Object;
use super::read;
use crate::system;

/// The names of a system's standard objects.
pub fn objects(system: &str) -> impl Iterator<Item = &'static str> + use<> {
    let system = system.to_owned();
    system::schemas().iter().filter(move |(of, _, _)| *of == system).map(|(_, name, _)| *name)
}

/// A standard schema, read for a connection.
pub fn object(system: &str, name: &str, connection: &str) -> Option<Result<Object, SchemaError>> {
    let (_, _, text) = system::schemas().iter().find(|(of, object, _)| *of == system && *object == name)?;
    Some(read::read(text, system, name, connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::to_json;
    use crate::system::{Guarantee, Operation};

    #[test]
    fn every_standard_schema_can_be_read_and_printed_back() {
        for (system, name, text) in system::schemas() {
            let object = object(system, name, "c").unwrap().unwrap_or_else(|error| panic!("{system}/{name}: {error}"));
            let printed: serde_json::Value = to_json(&object);
            let again = read::read(&printed.to_string(), *system, name, "c").unwrap();
            assert_eq!(object, again, "{system}/{name}");
            let _ = text;
        }
    }

    #[test]
    fn every_object_that_a_field_names_is_there() {
        for (system, name, _) in system::schemas() {
            let object = object(system, name, "c").unwrap().unwrap();
            for (field, of) in &object.fields {
                if let Some(target) = target(&of.kind) {
                    assert!(objects(system).any(|known| known == target), "{system}/{name}.{field} names {target}");
                }
            }
        }
    }

    /// Of a system with rules for writes, `x-class` of a schema says nothing else than the rules do of its best key-less create.
    #[test]
    fn the_manifest_and_the_schemas_agree_on_writes() {
        for (system, name, _) in system::schemas() {
            let object = object(system, name, "c").unwrap().unwrap();
            for key in &object.keys {
                for operation in [Operation::Create, Operation::Upsert] {
                    let allowed = if operation == Operation::Create { object.access.create } else { object.access.upsert };
                    let rule = object.write_rule(operation, Some(key)).map(|rule| rule.guarantee);
                    assert!(!allowed || rule == Some(Guarantee::Idempotent), "{system}/{name}: {operation:?} by {key}: {rule:?}");
                }
            }
            let access = object.access;
            for (operation, allowed) in [(Operation::Create, access.create), (Operation::Update, access.update), (Operation::Upsert, access.upsert)] {
                let mut keys = object.key_fields(operation).into_iter().map(Some).chain([None]);
                let ruled = keys.any(|key| object.takes_by(operation, key));
                assert!(!allowed || ruled, "{system}/{name} takes {}, and no rule of the manifest says how", operation.word());
            }
        }
    }

    fn target(kind: &crate::value::Kind) -> Option<&str> {
        match kind {
            crate::value::Kind::Object(of) => Some(&of.object),
            crate::value::Kind::List(of) => target(&of.kind),
            _ => None,
        }
    }
}
