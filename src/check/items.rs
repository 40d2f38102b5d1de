//! The items of all files, and which of them a file sees.

use std::collections::HashMap;

use crate::check::Unit;
use crate::syntax::tree::{Function, Item, ItemKind, Name};

/// An item that an expression can name, by its place among all of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Values(usize),
    Table(usize),
    Function(usize),
    Parameter(usize),
}

#[derive(Debug, Default)]
pub(super) struct Items {
    units: Vec<Visible>,
    /// Functions with the unit that each stands in.
    pub functions: Vec<(usize, Function)>,
    pub parameters: Vec<String>,
}

#[derive(Debug, Default)]
struct Visible {
    own: HashMap<String, What>,
    uses: Vec<(Option<String>, usize)>,
}

impl Items {
    /// `items` are those of each unit after overlays were merged. Values, tables and functions are
    /// counted over all units in their order.
    pub fn new(units: &[Unit], items: &[Vec<Item>]) -> Self {
        let mut all = Items::default();
        let (mut values, mut tables) = (0, 0);
        for (at, (unit, items)) in units.iter().zip(items).enumerate() {
            let mut visible = Visible::default();
            for item in items {
                let (name, what) = match &item.kind {
                    ItemKind::Values(of) => {
                        values += 1;
                        (&of.name, What::Values(values - 1))
                    }
                    ItemKind::Table(of) => {
                        tables += 1;
                        (&of.name, What::Table(tables - 1))
                    }
                    ItemKind::Function(of) => {
                        all.functions.push((at, of.clone()));
                        (&of.name, What::Function(all.functions.len() - 1))
                    }
                    ItemKind::Parameter(of) => {
                        let known = all.parameters.iter().position(|name| *name == of.name.node);
                        let id = known.unwrap_or_else(|| {
                            all.parameters.push(of.name.node.clone());
                            all.parameters.len() - 1
                        });
                        (&of.name, What::Parameter(id))
                    }
                    _ => continue,
                };
                visible.own.entry(name.node.clone()).or_insert(what);
            }
            for (used, target) in unit.tree.uses.iter().zip(&unit.uses) {
                if let Some(target) = target {
                    visible.uses.push((used.alias.as_ref().map(|alias| alias.node.clone()), *target));
                }
            }
            if let Some(base) = unit.extends {
                visible.uses.push((None, base));
            }
            all.units.push(visible);
        }
        all
    }

    /// What a name means in a unit: `name`, or `alias.name`.
    pub fn find(&self, unit: usize, path: &[Name]) -> Option<What> {
        match path {
            [name] => self.plain(unit, &name.node, 0),
            [alias, name] => {
                let visible = self.units.get(unit)?;
                let (_, target) = visible.uses.iter().find(|(known, _)| known.as_ref() == Some(&alias.node))?;
                self.plain(*target, &name.node, 0)
            }
            _ => None,
        }
    }

    fn plain(&self, unit: usize, name: &str, depth: usize) -> Option<What> {
        let visible = self.units.get(unit)?;
        if let Some(what) = visible.own.get(name) {
            return Some(*what);
        }
        if depth > 16 {
            return None;
        }
        visible.uses.iter().filter(|(alias, _)| alias.is_none()).find_map(|(_, used)| self.plain(*used, name, depth + 1))
    }

    /// Every name that a unit sees, for suggestions.
    pub fn names(&self, unit: usize) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect(unit, 0, &mut names);
        names.sort_unstable();
        names
    }

    fn collect<'a>(&'a self, unit: usize, depth: usize, names: &mut Vec<&'a str>) {
        let Some(visible) = self.units.get(unit) else { return };
        names.extend(visible.own.keys().map(String::as_str));
        if depth < 16 {
            for (_, used) in visible.uses.iter().filter(|(alias, _)| alias.is_none()) {
                self.collect(*used, depth + 1, names);
            }
        }
    }
}
