//! Names of a query to fields of the catalog.

use super::Trouble;
use super::bind::{Lookup, Out, is_filterable, key, named_member};
use super::compare::Kind;
use super::dates::DateFunction;
use super::tree::{Path, Query, Value};
use crate::sandbox::salesforce::catalog::{Catalog, Holds};

/// Parents of parents, at most.
const FARTHEST: usize = 5;

static NUMBER: Holds = Holds::Integer;
static DAY: Holds = Holds::Date;

/// An object of the catalog, as a query names it.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) table: usize,
    pub(super) query: &'a Query,
}

/// A relation on the way: its name, the field that holds it, and where it leads.
type Hop = (String, usize, usize);

impl<'a> Names<'a> {
    /// Whether a step names the object itself.
    pub(super) fn is_self(&self, step: &str, alias: Option<&str>) -> bool {
        let of = &self.catalog.types[self.table];
        alias.is_some_and(|alias| alias.eq_ignore_ascii_case(step)) || of.name.eq_ignore_ascii_case(step)
    }

    /// The steps of a path from the object, with aliases of relationships put in.
    fn steps<'p>(&'p self, path: &'p Path) -> Vec<&'p str> {
        let mut steps: Vec<&str> = path.steps.iter().map(String::as_str).collect();
        // An alias may stand in another one's path, and each but once.
        for _ in 0..self.query.joined.len() {
            let Some((meant, _)) = self.query.joined.iter().find(|(_, alias)| steps.len() > 1 && alias.eq_ignore_ascii_case(steps[0])) else { break };
            steps.splice(0..1, meant.steps.iter().map(String::as_str));
        }
        let alias = self.query.alias.as_deref();
        let of = &self.catalog.types[self.table];
        if let [first, _, ..] = steps.as_slice()
            && self.is_self(first, alias)
            && (alias.is_some() || !of.parents.contains_key(&first.to_lowercase()))
        {
            steps.remove(0);
        }
        steps
    }

    /// The relations on the way, the object they lead to, and its field.
    fn walk(&self, path: &Path) -> Result<(Vec<Hop>, usize, usize), Trouble> {
        let steps = self.steps(path);
        let Some((last, relations)) = steps.split_last() else { return Err(Trouble::malformed("a field is missing", path.at)) };
        if relations.len() > FARTHEST {
            return Err(Trouble::malformed(format!("a path goes over at most {FARTHEST} relationships"), path.at));
        }
        let mut hops = Vec::new();
        let mut table = self.table;
        for relation in relations {
            let of = &self.catalog.types[table];
            let Some(parent) = of.parents.get(&relation.to_lowercase()) else {
                // The vendor follows it to whatever object it points to.
                if of.field(&format!("{relation}Id")).is_some_and(|field| matches!(of.fields[field].holds, Holds::Reference(_))) {
                    return Err(Trouble::not_imitated(&format!("the relationship {relation} of {}", of.name), path.at));
                }
                return Err(Trouble::new(
                    "INVALID_FIELD",
                    format!(
                        "Didn't understand relationship '{relation}' in field path. If you are attempting to use a custom relationship, be sure to \
                         append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
                    ),
                    path.at,
                ));
            };
            hops.push((parent.name.clone(), parent.field, parent.table));
            table = parent.table;
        }
        let field = self.column(table, last, path.at)?;
        Ok((hops, table, field))
    }

    fn column(&self, table: usize, name: &str, at: usize) -> Result<usize, Trouble> {
        let of = &self.catalog.types[table];
        of.field(name).ok_or_else(|| {
            Trouble::new(
                "INVALID_FIELD",
                format!(
                    "No such column '{name}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom \
                     field name. Please reference your WSDL or the describe call for the appropriate names.",
                    of.name
                ),
                at,
            )
        })
    }

    pub(super) fn lookup(&self, path: &Path) -> Result<(Lookup, Kind<'a>), Trouble> {
        let (hops, table, field) = self.walk(path)?;
        let of = &self.catalog.types[table].fields[field];
        let kind = Kind { name: &of.name, holds: &of.holds, filterable: is_filterable(of) };
        Ok((Lookup { hops: hops.into_iter().map(|(_, field, _)| field).collect(), field, function: None }, kind))
    }

    /// A field, or a function of one.
    pub(super) fn operand(&self, value: &Value) -> Result<(Lookup, Kind<'a>), Trouble> {
        let path = value.path();
        let (mut lookup, kind) = self.lookup(path)?;
        match value {
            Value::Field(_) | Value::Label(_) => Ok((lookup, kind)),
            Value::Date(function, _) => {
                let fits = match kind.holds {
                    Holds::Datetime => true,
                    Holds::Date => !function.needs_time(),
                    _ => false,
                };
                if !fits {
                    return Err(Trouble::new("INVALID_FIELD", format!("field '{}' is no argument of a date function", kind.name), path.at));
                }
                lookup.function = Some(*function);
                let holds = if *function == DateFunction::DayOnly { &DAY } else { &NUMBER };
                Ok((lookup, Kind { name: kind.name, holds, filterable: true }))
            }
            Value::Aggregate(..) | Value::Grouping(_) => {
                Err(Trouble::malformed(format!("Ordered field must be grouped or aggregated: {}", path.steps.join(".")), path.at))
            }
        }
    }

    pub(super) fn select(&self, path: &Path, alias: Option<&str>, out: &mut Vec<Out>) -> Result<(), Trouble> {
        let (hops, table, field) = self.walk(path)?;
        let mut here = out;
        for (name, by, to) in hops {
            let known = here.iter().position(|out| matches!(out, Out::Parent { name: known, .. } if *known == name));
            let at = known.unwrap_or_else(|| {
                here.push(Out::Parent { key: key(&name), name, field: by, table: to, out: Vec::new() });
                here.len() - 1
            });
            let Some(Out::Parent { out, .. }) = here.get_mut(at) else { return Err(Trouble::malformed("a relationship is missing", path.at)) };
            here = out;
        }
        let of = &self.catalog.types[table];
        let name = alias.unwrap_or(&of.fields[field].name);
        let taken = key(name);
        let own = |out: &Out| matches!(out, Out::Cell { key, .. } | Out::Address { key, .. } if *key == taken);
        if here.iter().any(own) {
            return Err(Trouble::malformed(format!("duplicate field selected: {}", path.steps.join(".")), path.at));
        }
        here.push(named_member(of, field, name));
        Ok(())
    }
}
