//! A system by its name, with what is known of it where a project describes it itself.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Manifest;

/// The system that a connection or an object is of. It is one that comes with the program, known by its name alone; or one that a
/// project describes in `systems/NAME/`: then its manifest goes with it, and no other project knows of it.
#[derive(Clone)]
pub struct SystemRef {
    name: Arc<str>,
    own: Option<Arc<Manifest>>,
}

impl SystemRef {
    /// A system that a project describes.
    pub fn own(name: &str, manifest: Manifest) -> Self {
        SystemRef { name: name.into(), own: Some(Arc::new(manifest)) }
    }

    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// A project describes it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// What is known of it; nothing of records in files.
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.own {
            Some(own) => Some(own),
            None => super::manifest(&self.name),
        }
    }
}

impl Deref for SystemRef {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl From<&str> for SystemRef {
    fn from(name: &str) -> Self {
        SystemRef { name: name.into(), own: None }
    }
}

impl From<&String> for SystemRef {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<&SystemRef> for SystemRef {
    fn from(known: &SystemRef) -> Self {
        known.clone()
    }
}

impl fmt::Display for SystemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for SystemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

/// In one project a name means one system.
impl PartialEq for SystemRef {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for SystemRef {}

impl PartialEq<str> for SystemRef {
    fn eq(&self, other: &str) -> bool {
        &*self.name == other
    }
}

impl PartialEq<&str> for SystemRef {
    fn eq(&self, other: &&str) -> bool {
        &*self.name == *other
    }
}

/// Only the name is written: who reads it knows the project.
impl Serialize for SystemRef {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for SystemRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(from).map(|name| (*name).into())
    }
}
