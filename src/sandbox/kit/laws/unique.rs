//! `unique`: no two records have one value.

use std::collections::BTreeMap;

/// Which record has each value.
#[derive(Debug, Clone, Default)]
pub struct Unique<Id>(BTreeMap<String, Id>);

impl<Id: Clone + PartialEq> Unique<Id> {
    /// Gives a value to a record, which lets go of the one that it had.
    ///
    /// # Errors
    /// Another record has it.
    pub fn claim(&mut self, value: &str, id: &Id) -> Result<(), Id> {
        match self.0.get(value) {
            Some(other) if other != id => Err(other.clone()),
            _ => {
                self.free(id);
                self.0.insert(value.to_owned(), id.clone());
                Ok(())
            }
        }
    }

    /// The record that has a value.
    pub fn of(&self, value: &str) -> Option<&Id> {
        self.0.get(value)
    }

    /// A record has none any more.
    pub fn free(&mut self, id: &Id) {
        self.0.retain(|_, known| known != id);
    }
}
