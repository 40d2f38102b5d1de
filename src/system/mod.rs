//! The systems that Crossdock knows, and what is known of each before anything is asked of it.
//!
//! A system is a folder of `schemas/`: its manifest, `system.yaml`, and its objects' schemas; or of `systems/`: a description, from which
//! its manifest follows, with its schemas in `schemas/`. A project can have such folders of its own: its systems are known by their
//! [`SystemRef`]s only, and nowhere kept beside those of the program. This is the one place where settings, defaults, limits and the like are said; the checker, the plan, the connectors and the commands read it
//! here, and name no vendor themselves.

mod described;
mod manifest;
mod probed;
mod system_ref;
mod write;

use std::sync::LazyLock;

pub use described::{DescribedWrite, URL, duration};
pub use manifest::{DataClasses, Describe, Dialect, Kind, Limit, Manifest, Sandbox, Search, Setting, SignIn, Texts};
pub use probed::{Finding, Probed, ProbedHost, ProbedObject, ProbedWrite, fingerprint};
pub use system_ref::SystemRef;
pub use write::{Asked, Claims, Guarantee, KeyField, Means, Operation, WriteRule, by_class};

// `MANIFESTS` by system, and `SCHEMAS` by system and object: the texts of `schemas/`; `DESCRIPTIONS` by system: those of `systems/`.
// Gathered by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/systems.rs"));

/// The system of records in files. It has no manifest: there is nothing to connect to.
pub const FILES: &str = "files";

static READ: LazyLock<Vec<(&'static str, Manifest)>> = LazyLock::new(|| {
    let read = |(name, text): &(&'static str, &str)| {
        // The texts are part of the program, and a test reads each of them.
        let manifest = serde_yaml::from_str(text).unwrap_or_else(|error| unreachable!("the manifest of {name} cannot be read: {error}"));
        (*name, manifest)
    };
    let described = |(name, text): &(&'static str, &str)| {
        let manifest = serde_yaml::from_str(text)
            .map_err(|error| error.to_string())
            .and_then(Manifest::of_description)
            .unwrap_or_else(|error| unreachable!("the description of {name} cannot be read: {error}"));
        (*name, manifest)
    };
    let mut all: Vec<_> = MANIFESTS.iter().map(read).chain(DESCRIPTIONS.iter().map(described)).collect();
    all.sort_by_key(|(name, _)| *name);
    all
});

/// All systems with a manifest, by name.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Manifest)> {
    READ.iter().map(|(name, manifest)| (*name, manifest))
}

/// The manifest of a system; none for records in files, and for a system that there is not.
pub fn manifest(system: &str) -> Option<&'static Manifest> {
    all().find(|(name, _)| *name == system).map(|(_, manifest)| manifest)
}

/// What a connection's `system` can be.
pub fn names() -> Vec<&'static str> {
    all().map(|(name, _)| name).chain([FILES]).collect()
}

/// The system that describes its objects in a form.
pub fn that_describes(form: Describe) -> Option<(&'static str, &'static Manifest)> {
    all().find(|(_, manifest)| manifest.describe == Some(form))
}

/// The descriptions that come with the program: system, text.
pub fn descriptions() -> &'static [(&'static str, &'static str)] {
    DESCRIPTIONS
}

/// The schemas that come with the program: system, object, text.
pub fn schemas() -> &'static [(&'static str, &'static str, &'static str)] {
    SCHEMAS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_can_be_read() {
        assert_eq!(all().count(), MANIFESTS.len() + DESCRIPTIONS.len());
        for (name, manifest) in all() {
            assert!(!manifest.title.is_empty() && !manifest.connections.is_empty(), "{name}");
            for (setting, said) in &manifest.settings {
                let written = said.default.as_deref();
                let fits = match said.kind {
                    Kind::Text => true,
                    Kind::Number => written.is_none_or(|number| number.parse::<u64>().is_ok()),
                    Kind::Address => said.written().is_some_and(|address| address.starts_with("https://")),
                    Kind::Version => said.written().is_some_and(|version| version.starts_with('v')),
                };
                assert!(fits, "{name}: {setting}");
                assert!(!(said.secret && written.is_some()), "{name}: a secret has no default: {setting}");
            }
        }
    }

    #[test]
    fn no_two_systems_share_a_name_or_a_port() {
        let mut connections: Vec<&String> = all().flat_map(|(_, manifest)| &manifest.connections).collect();
        let mut ports: Vec<u16> = all().filter_map(|(_, manifest)| Some(manifest.sandbox?.port)).collect();
        let (named, answering) = (connections.len(), ports.len());
        connections.sort();
        connections.dedup();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!((connections.len(), ports.len()), (named, answering));
        assert!(manifest(FILES).is_none() && names().contains(&FILES));
    }
}
