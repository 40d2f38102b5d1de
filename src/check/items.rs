//! What a name means in an expression, as places in the lists that the typed mapping holds.

use crate::check::scope::{ItemId, Scope};
use crate::syntax::tree::{Function, ItemKind, Name};

/// An item that an expression can name, by its place among all of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Values(usize),
    Table(usize),
    Function(usize),
    Parameter,
}

pub(super) struct Items<'a> {
    pub scope: &'a Scope<'a>,
    /// Functions with the file that each stands in.
    pub functions: Vec<(usize, &'a Function)>,
    ids: Vec<ItemId>,
}

impl<'a> Items<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        let mut functions = Vec::new();
        let mut ids = Vec::new();
        for (file, merged) in scope.files().iter().enumerate().filter(|(_, merged)| merged.needed) {
            for (item, it) in merged.items.iter().enumerate() {
                if let ItemKind::Function(function) = &it.kind {
                    functions.push((file, function));
                    ids.push(ItemId { file, item });
                }
            }
        }
        Items { scope, functions, ids }
    }

    /// What a name means in a file: `name`, or `alias.name`. It counts as used.
    pub(super) fn find(&self, file: usize, path: &[Name]) -> Option<What> {
        let path: Vec<&str> = path.iter().map(|name| name.node.as_str()).collect();
        let found = self.scope.item(file, &path)?;
        match &found.node.kind {
            ItemKind::Values(_) => self.scope.values_index(found.id).map(What::Values),
            ItemKind::Table(_) => self.scope.table_index(found.id).map(What::Table),
            ItemKind::Function(_) => self.ids.iter().position(|id| *id == found.id).map(What::Function),
            ItemKind::Parameter(_) => Some(What::Parameter),
            _ => None,
        }
    }

    /// Every name that a file sees, for suggestions.
    pub(super) fn names(&self, file: usize) -> Vec<&str> {
        self.scope.names(file)
    }
}
