//! A query bound to the catalog: names to places, literals to values of the fields they are compared with.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Trouble;
use super::compare::{self, Kind, parts};
use super::dates::DateFunction;
use super::group::{self, Grouped};
use super::names::Names;
use super::run;
use super::tree::{self, Compare, Condition, Fields, List, Literal, Select, Value};
use crate::sandbox::salesforce::catalog::{Field, Holds, Type};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::id::Id;
use crate::sandbox::salesforce::store::Store;

/// Salesforce skips at most so many rows.
const MOST_SKIPPED: u64 = 2000;

/// A query that can be run.
#[derive(Debug, Clone)]
pub(in super::super) struct Bound {
    pub(in super::super) table: usize,
    pub(in super::super) gives: Gives,
    pub(in super::super) test: Option<Test>,
    pub(in super::super) order: Vec<Key>,
    pub(in super::super) limit: Option<u64>,
    pub(in super::super) offset: u64,
}

/// What a query gives.
#[derive(Debug, Clone)]
pub(in super::super) enum Gives {
    Records(Vec<Out>),
    /// `COUNT()`: how many there are, and none of them.
    Size,
    Groups(Grouped),
}

/// One member of a record as it is printed. `key` is ready for JSON: `"Name":`.
#[derive(Debug, Clone)]
pub(in super::super) enum Out {
    Cell { key: Vec<u8>, field: usize },
    Address { key: Vec<u8>, field: usize, parts: Vec<(Vec<u8>, Option<usize>)> },
    Parent { key: Vec<u8>, name: String, field: usize, table: usize, out: Vec<Out> },
    Children { key: Vec<u8>, name: String, field: usize, query: Box<Bound> },
}

/// A field of the record or of a parent, and what a function makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Lookup {
    pub(in super::super) hops: Vec<usize>,
    pub(in super::super) field: usize,
    pub(in super::super) function: Option<DateFunction>,
}

impl Lookup {
    /// The record's own field, as it is.
    pub(super) fn own(&self) -> Option<usize> {
        (self.hops.is_empty() && self.function.is_none()).then_some(self.field)
    }
}

#[derive(Debug, Clone)]
pub(in super::super) struct Key {
    pub(in super::super) lookup: Lookup,
    pub(in super::super) descending: bool,
    pub(in super::super) nulls_last: bool,
}

/// A condition. `W` says what is held against it: a field of a record, or a number of a group's values.
#[derive(Debug, Clone)]
pub(in super::super) enum Test<W = Lookup> {
    And(Vec<Test<W>>),
    Or(Vec<Test<W>>),
    Not(Box<Test<W>>),
    Always(bool),
    IsNull(W),
    Compare(W, Compare, Cell),
    /// An id of another org: it has a place in the order of ids, and no record.
    BesideId(W, Compare, String),
    In(W, Set),
    Like(W, Vec<Part>),
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Set {
    pub(in super::super) null: bool,
    pub(in super::super) ids: BTreeSet<Id>,
    /// In small letters.
    pub(in super::super) texts: BTreeSet<Box<str>>,
    pub(in super::super) others: Vec<Cell>,
}

/// A part of a `LIKE` pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Part {
    Letter(char),
    One,
    Any,
}

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Asker<'a> {
    pub(in super::super) store: &'a Store,
    pub(in super::super) now: Timestamp,
    pub(in super::super) user: Id,
}

/// # Errors
/// A name that is not there, a value that does not fit, a limit that is passed.
pub(in super::super) fn bind(asker: Asker<'_>, query: &tree::Query) -> Result<Bound, Trouble> {
    let catalog = &*asker.store.catalog;
    let name = query.from.steps.join(".");
    let Some(table) = catalog.find(&name) else {
        if let Some(name) = crate::sandbox::salesforce::beyond::object(&name) {
            return Err(Trouble::new("INVALID_TYPE", format!("sObject type '{name}' is not imitated by the sandbox"), query.from.at));
        }
        return Err(Trouble::new(
            "INVALID_TYPE",
            format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the \
                 entity name. Please reference your WSDL or the describe call for the appropriate names."
            ),
            query.from.at,
        ));
    };
    Binder { asker, names: Names { catalog, table, query }, top: true }.query(query)
}

pub(super) struct Binder<'a> {
    pub(super) asker: Asker<'a>,
    pub(super) names: Names<'a>,
    /// Not within an `OR` or a `NOT`: only there may a subquery stand.
    top: bool,
}

impl<'a> Binder<'a> {
    fn of(&self) -> &'a Type {
        &self.names.catalog.types[self.names.table]
    }

    fn query(&mut self, query: &tree::Query) -> Result<Bound, Trouble> {
        let grouped = query.group.is_some() || query.select.iter().any(|select| matches!(select, Select::Value(Value::Aggregate(..), _)));
        let gives = if grouped {
            Gives::Groups(group::bind(self, query)?)
        } else if query.select == [Select::Count] {
            Gives::Size
        } else {
            Gives::Records(self.selected(query)?)
        };
        let mut tests: Vec<Test> = Vec::new();
        if let Some((scope, at)) = &query.scope {
            tests.extend(self.scope(scope, *at)?);
        }
        if let Some(filter) = &query.filter {
            tests.push(self.condition(filter)?);
        }
        let test = match tests.len() {
            0 | 1 => tests.pop(),
            _ => Some(Test::And(tests)),
        };
        let order = if grouped { Vec::new() } else { query.order.iter().map(|order| self.key(order)).collect::<Result<_, _>>()? };
        let offset = query.offset.map_or(0, |(offset, _)| offset);
        if offset > MOST_SKIPPED {
            return Err(Trouble::plain("NUMBER_OUTSIDE_VALID_RANGE", format!("Maximum SOQL offset allowed is {MOST_SKIPPED}")));
        }
        Ok(Bound { table: self.names.table, gives, test, order, limit: query.limit, offset })
    }

    fn selected(&self, query: &tree::Query) -> Result<Vec<Out>, Trouble> {
        let mut out = Vec::new();
        for select in &query.select {
            match select {
                Select::Value(Value::Field(path), None) => self.names.select(path, None, &mut out)?,
                Select::Value(Value::Label(path), alias) => self.names.select(path, alias.as_deref(), &mut out)?,
                Select::Value(Value::Field(path), Some(_)) => {
                    return Err(Trouble::malformed("only aggregate expressions use field aliasing", path.at));
                }
                Select::Value(value, _) => {
                    let path = value.path();
                    return Err(Trouble::malformed(format!("Field must be grouped or aggregated: {}", path.steps.join(".")), path.at));
                }
                Select::Count => return Err(Trouble::malformed("COUNT() must be the only element in the select list", query.from.at)),
                Select::Fields(which, at) => self.fields(*which, *at, query.limit, &mut out)?,
                Select::Children(children) => self.children(children, query, &mut out)?,
            }
        }
        Ok(out)
    }

    /// `USING SCOPE mine`
    fn scope(&self, scope: &str, at: usize) -> Result<Option<Test>, Trouble> {
        const OTHERS: &[&str] = &["delegated", "team", "my_territory", "my_team_territory", "mine_and_my_groups", "mineandmygroups", "allprivate"];
        match scope.to_ascii_lowercase().as_str() {
            "everything" => Ok(None),
            "mine" => match self.of().stamps.owner {
                Some(field) => Ok(Some(Test::Compare(Lookup { hops: Vec::new(), field, function: None }, Compare::Equal, Cell::Id(self.asker.user)))),
                None => Err(Trouble::malformed("filterScope mine is not supported by the object", at)),
            },
            other if OTHERS.contains(&other) => Err(Trouble::not_imitated(&format!("USING SCOPE {scope}"), at)),
            _ => Err(Trouble::malformed(format!("Invalid scope: {scope}"), at)),
        }
    }

    fn fields(&self, which: Fields, at: usize, limit: Option<u64>, out: &mut Vec<Out>) -> Result<(), Trouble> {
        if which != Fields::Standard && limit.is_none_or(|limit| limit > 200) {
            return Err(Trouble::malformed("The SOQL FIELDS function must have a LIMIT of at most 200", at));
        }
        for (field, of) in self.of().fields.iter().enumerate().filter(|(_, of)| !of.is_gone()) {
            let custom = of.name.ends_with("__c");
            if which == Fields::All || custom == (which == Fields::Custom) {
                out.push(member(self.of(), field));
            }
        }
        Ok(())
    }

    fn children(&self, query: &tree::Query, outer: &tree::Query, out: &mut Vec<Out>) -> Result<(), Trouble> {
        // The relationship may be named behind the object: `FROM Account.Contacts`.
        let steps = match query.from.steps.as_slice() {
            [first, rest @ ..] if !rest.is_empty() && self.names.is_self(first, outer.alias.as_deref()) => rest,
            steps => steps,
        };
        let name = steps.join(".");
        let Some(child) = self.of().children.iter().find(|child| child.name.eq_ignore_ascii_case(&name)) else {
            return Err(Trouble::new(
                "INVALID_TYPE",
                format!(
                    "Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to \
                     append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
                ),
                query.from.at,
            ));
        };
        let names = Names { catalog: self.names.catalog, table: child.table, query };
        let bound = Binder { asker: self.asker, names, top: true }.query(query)?;
        if !matches!(bound.gives, Gives::Records(_)) {
            return Err(Trouble::malformed("Aggregate functions are not supported in a subquery", query.from.at));
        }
        out.push(Out::Children { key: key(&child.name), name: child.name.clone(), field: child.field, query: Box::new(bound) });
        Ok(())
    }

    fn key(&self, order: &tree::Order) -> Result<Key, Trouble> {
        let (lookup, kind) = self.names.operand(&order.value)?;
        if !kind.filterable {
            return Err(Trouble::new("INVALID_FIELD", format!("field '{}' can not be sorted in a query call", kind.name), order.value.path().at));
        }
        Ok(Key { lookup, descending: order.descending, nulls_last: order.nulls_last })
    }

    fn below(&mut self, condition: &Condition) -> Result<Test, Trouble> {
        let before = std::mem::replace(&mut self.top, false);
        let test = self.condition(condition);
        self.top = before;
        test
    }

    fn condition(&mut self, condition: &Condition) -> Result<Test, Trouble> {
        Ok(match condition {
            Condition::And(parts) => Test::And(parts.iter().map(|part| self.condition(part)).collect::<Result<_, _>>()?),
            Condition::Or(parts) => Test::Or(parts.iter().map(|part| self.below(part)).collect::<Result<_, _>>()?),
            Condition::Not(inner) => Test::Not(Box::new(self.below(inner)?)),
            Condition::In { value, not, list: List::Query(query) } => {
                if !self.top {
                    return Err(Trouble::malformed("Semi join sub-selects are only allowed at the top level WHERE expressions", value.path().at));
                }
                let (lookup, _) = self.filtered(value)?;
                let test = Test::In(lookup, self.joined(query)?);
                if *not { Test::Not(Box::new(test)) } else { test }
            }
            Condition::Compare(value, ..) | Condition::Like(value, _) | Condition::In { value, .. } | Condition::Includes { value, .. } => {
                let (lookup, kind) = self.filtered(value)?;
                self.leaf(condition, lookup, &kind)?
            }
        })
    }

    /// A condition on one value, which is neither a subquery nor made of others.
    pub(super) fn leaf<W: Clone>(&self, condition: &Condition, what: W, kind: &Kind<'_>) -> Result<Test<W>, Trouble> {
        let catalog = self.names.catalog;
        Ok(match condition {
            Condition::Compare(value, op, literal) => compare::compare(catalog, kind, what, *op, literal, (self.asker.now, value.path().at))?,
            Condition::Like(value, pattern) => {
                if !matches!(kind.holds, Holds::Text(..) | Holds::Picklist { .. }) {
                    let message = format!("invalid operator on {} field", compare::wants(kind.holds).to_lowercase());
                    return Err(Trouble::new("INVALID_QUERY_FILTER_OPERATOR", message, value.path().at));
                }
                Test::Like(what, parts(pattern))
            }
            Condition::In { value, not, list: List::Values(values) } => {
                let at = value.path().at;
                let (dates, others): (Vec<&Literal>, Vec<&Literal>) = values.iter().partition(|literal| matches!(literal, Literal::Date(_)));
                let mut tests = Vec::new();
                if !others.is_empty() || dates.is_empty() {
                    tests.push(Test::In(what.clone(), compare::set(catalog, kind, &others, at)?));
                }
                for date in dates {
                    tests.push(compare::compare(catalog, kind, what.clone(), Compare::Equal, date, (self.asker.now, at))?);
                }
                let test = if tests.len() == 1 { tests.swap_remove(0) } else { Test::Or(tests) };
                if *not { Test::Not(Box::new(test)) } else { test }
            }
            Condition::Includes { value, excludes } => {
                let _ = excludes;
                let message = "'INCLUDES' or 'EXCLUDES' operators only valid on multipicklist field";
                return Err(Trouble::new("INVALID_QUERY_FILTER_OPERATOR", message, value.path().at));
            }
            Condition::In { value, .. } => {
                return Err(Trouble::malformed("Semi join sub-selects are only allowed at the top level WHERE expressions", value.path().at));
            }
            Condition::And(_) | Condition::Or(_) | Condition::Not(_) => return Err(Trouble::malformed("a condition on one field is wanted", 0)),
        })
    }

    fn filtered(&self, value: &Value) -> Result<(Lookup, Kind<'a>), Trouble> {
        if let Value::Aggregate(..) | Value::Grouping(_) = value {
            return Err(Trouble::malformed("Aggregate functions are not allowed in a WHERE clause: use HAVING", value.path().at));
        }
        let (lookup, kind) = self.names.operand(value)?;
        if !kind.filterable {
            return Err(Trouble::new("INVALID_FIELD", format!("field '{}' can not be filtered in a query call", kind.name), value.path().at));
        }
        Ok((lookup, kind))
    }

    /// The ids that a subquery finds.
    fn joined(&self, query: &tree::Query) -> Result<Set, Trouble> {
        let [Select::Value(Value::Field(path), None)] = query.select.as_slice() else {
            return Err(Trouble::malformed("a semi join sub-select selects one field", query.from.at));
        };
        let store = self.asker.store;
        let bound = bind(self.asker, query)?;
        let names = Names { catalog: self.names.catalog, table: bound.table, query };
        let (lookup, _) = names.lookup(path)?;
        let mut set = Set::default();
        for row in run::rows(store, &bound, false, None) {
            let Some(row) = store.row(Id { table: u16::try_from(bound.table).unwrap_or_default(), row }) else { continue };
            match run::cell(store, row, &lookup) {
                Cell::Id(id) => {
                    set.ids.insert(*id);
                }
                Cell::Null => {}
                _ => return Err(Trouble::malformed("a semi join sub-select selects an id", path.at)),
            }
        }
        Ok(set)
    }
}

/// Compound addresses and long text areas no condition takes.
pub(in super::super) fn is_filterable(field: &Field) -> bool {
    !matches!(field.holds, Holds::Address(_) | Holds::Text(_, 256..))
}

pub(super) fn key(name: &str) -> Vec<u8> {
    format!("\"{name}\":").into_bytes()
}

pub(in super::super) fn member(of: &Type, field: usize) -> Out {
    named_member(of, field, &of.fields[field].name)
}

pub(super) fn named_member(of: &Type, field: usize, name: &str) -> Out {
    match &of.fields[field].holds {
        Holds::Address(parts) => Out::Address { key: key(name), field, parts: parts.iter().map(|(part, at)| (key(part), *at)).collect() },
        _ => Out::Cell { key: key(name), field },
    }
}
