//! A project that is held as texts: for tests, editors and examples.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Absence, Library};
use crate::base::Spread;

/// Files by their names.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    files: BTreeMap<String, Arc<str>>,
}

impl Texts {
    pub fn new<N: Into<String>, T: Into<Arc<str>>>(files: impl IntoIterator<Item = (N, T)>) -> Self {
        Texts { files: files.into_iter().map(|(name, text)| (name.into(), text.into())).collect() }
    }

    /// Adds a file, or replaces the one of that name.
    pub fn put(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) {
        self.files.insert(name.into(), text.into());
    }
}

impl Spread for Texts {}

impl Library for Texts {
    fn read(&self, path: &str) -> Result<Arc<str>, Absence> {
        if path.starts_with("../") || path == ".." || path.starts_with('/') {
            return Err(Absence::Outside);
        }
        self.files.get(path).cloned().ok_or(Absence::NotFound)
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn list(&self, ending: &str) -> Vec<String> {
        self.files.keys().filter(|name| name.ends_with(ending)).cloned().collect()
    }
}
