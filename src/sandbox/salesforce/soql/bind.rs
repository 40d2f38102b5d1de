//! Names of a query to places in the catalog, literals to values of the fields they are compared with.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Trouble;
use super::run;
use super::tree::{self, Compare, Condition, Fields, List, Literal, Path, Select};
use crate::sandbox::salesforce::catalog::{Catalog, Field, Holds, Type};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::id::{self, Id};
use crate::sandbox::salesforce::store::{Store, small};

/// Parents of parents, at most.
const FARTHEST: usize = 5;
/// Salesforce skips at most so many rows.
const MOST_SKIPPED: u64 = 2000;

/// A query that can be run.
#[derive(Debug, Clone)]
pub(in super::super) struct Bound {
    pub(in super::super) table: usize,
    pub(in super::super) out: Vec<Out>,
    pub(in super::super) counts: Counts,
    pub(in super::super) test: Option<Test>,
    pub(in super::super) order: Vec<Key>,
    pub(in super::super) limit: Option<u64>,
    pub(in super::super) offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Counts {
    No,
    Rows,
    /// Names, and the fields whose values are counted.
    Fields(Vec<(String, Lookup)>),
}

/// One member of a record as it is printed. `key` is ready for JSON: `"Name":`.
#[derive(Debug, Clone)]
pub(in super::super) enum Out {
    Cell { key: Vec<u8>, field: usize },
    Address { key: Vec<u8>, parts: Vec<(Vec<u8>, Option<usize>)> },
    Parent { key: Vec<u8>, name: String, field: usize, out: Vec<Out> },
    Children { key: Vec<u8>, field: usize, query: Box<Bound> },
}

/// A field of the record or of a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Lookup {
    pub(in super::super) hops: Vec<usize>,
    pub(in super::super) field: usize,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Key {
    pub(in super::super) lookup: Lookup,
    pub(in super::super) descending: bool,
    pub(in super::super) nulls_last: bool,
}

#[derive(Debug, Clone)]
pub(in super::super) enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Always(bool),
    IsNull(Lookup),
    Compare(Lookup, Compare, Cell),
    /// An id of another org: it has a place in the order of ids, and no record.
    BesideId(Lookup, Compare, String),
    In(Lookup, Set),
    Like(Lookup, Vec<Part>),
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

/// # Errors
/// A name that is not there, a value that does not fit, a limit that is passed.
pub(in super::super) fn bind(store: &Store, query: &tree::Query) -> Result<Bound, Trouble> {
    let catalog = &*store.catalog;
    let name = query.from.steps.join(".");
    let Some(table) = catalog.find(&name) else {
        return Err(Trouble::new(
            "INVALID_TYPE",
            format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the \
                 entity name. Please reference your WSDL or the describe call for the appropriate names."
            ),
            query.from.at,
        ));
    };
    Binder { store, catalog, table, alias: query.alias.as_deref(), top: true }.query(query)
}

struct Binder<'a> {
    store: &'a Store,
    catalog: &'a Catalog,
    table: usize,
    alias: Option<&'a str>,
    /// Not within an `OR` or a `NOT`: only there may a subquery stand.
    top: bool,
}

impl Binder<'_> {
    fn of(&self) -> &Type {
        &self.catalog.types[self.table]
    }

    fn query(&mut self, query: &tree::Query) -> Result<Bound, Trouble> {
        let mut out = Vec::new();
        let mut counted = Vec::new();
        let mut counts = Counts::No;
        for select in &query.select {
            match select {
                Select::Field(path) => self.select(path, &mut out)?,
                Select::Count if query.select.len() == 1 => counts = Counts::Rows,
                Select::Count => return Err(Trouble::malformed("COUNT() must be the only element in the select list", query.from.at)),
                Select::CountOf(path, alias) => {
                    let name = alias.clone().unwrap_or_else(|| format!("expr{}", counted.len()));
                    counted.push((name, self.lookup(path)?.0));
                }
                Select::Fields(which, at) => self.fields(*which, *at, query.limit, &mut out)?,
                Select::Children(children) => self.children(children, &mut out)?,
            }
        }
        if !counted.is_empty() {
            if !out.is_empty() {
                return Err(Trouble::malformed("Grouped query cannot use a field that is not grouped", query.from.at));
            }
            counts = Counts::Fields(counted);
        }
        let test = query.filter.as_ref().map(|filter| self.condition(filter)).transpose()?;
        let order = query.order.iter().map(|order| self.key(order)).collect::<Result<_, _>>()?;
        let offset = query.offset.map_or(0, |(offset, _)| offset);
        if offset > MOST_SKIPPED {
            return Err(Trouble::plain("NUMBER_OUTSIDE_VALID_RANGE", format!("Maximum SOQL offset allowed is {MOST_SKIPPED}")));
        }
        Ok(Bound { table: self.table, out, counts, test, order, limit: query.limit, offset })
    }

    /// The relations on the way, and what the last step names.
    fn walk<'p>(&self, path: &'p Path) -> Result<(Vec<(String, usize, usize)>, usize, &'p str), Trouble> {
        let mut steps = path.steps.as_slice();
        if let [first, rest @ ..] = steps
            && !rest.is_empty()
            && (self.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(first)) || self.of().name.eq_ignore_ascii_case(first))
            && (self.alias.is_some() || !self.of().parents.contains_key(&first.to_lowercase()))
        {
            steps = rest;
        }
        let Some((last, relations)) = steps.split_last() else { return Err(Trouble::malformed("a field is missing", path.at)) };
        if relations.len() > FARTHEST {
            return Err(Trouble::malformed(format!("a path goes over at most {FARTHEST} relationships"), path.at));
        }
        let mut hops = Vec::new();
        let mut table = self.table;
        for relation in relations {
            let Some(parent) = self.catalog.types[table].parents.get(&relation.to_lowercase()) else {
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
        Ok((hops, table, last))
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

    fn lookup(&self, path: &Path) -> Result<(Lookup, usize), Trouble> {
        let (hops, table, last) = self.walk(path)?;
        let field = self.column(table, last, path.at)?;
        Ok((Lookup { hops: hops.into_iter().map(|(_, field, _)| field).collect(), field }, table))
    }

    fn select(&self, path: &Path, out: &mut Vec<Out>) -> Result<(), Trouble> {
        let (hops, table, last) = self.walk(path)?;
        let field = self.column(table, last, path.at)?;
        let mut here = out;
        for (name, by, _) in hops {
            let known = here.iter().position(|out| matches!(out, Out::Parent { name: known, .. } if *known == name));
            let at = known.unwrap_or_else(|| {
                here.push(Out::Parent { key: key(&name), name, field: by, out: Vec::new() });
                here.len() - 1
            });
            let Some(Out::Parent { out, .. }) = here.get_mut(at) else { return Err(Trouble::malformed("a relationship is missing", path.at)) };
            here = out;
        }
        let member = member(&self.catalog.types[table], field);
        let own = |out: &Out| matches!(out, Out::Cell { key, .. } | Out::Address { key, .. } if *key == self::key(&self.catalog.types[table].fields[field].name));
        if here.iter().any(own) {
            return Err(Trouble::malformed(format!("duplicate field selected: {}", path.steps.join(".")), path.at));
        }
        here.push(member);
        Ok(())
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

    fn children(&self, query: &tree::Query, out: &mut Vec<Out>) -> Result<(), Trouble> {
        let name = query.from.steps.join(".");
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
        let mut binder = Binder { store: self.store, catalog: self.catalog, table: child.table, alias: query.alias.as_deref(), top: true };
        let bound = binder.query(query)?;
        if bound.counts != Counts::No {
            return Err(Trouble::malformed("Aggregate functions are not supported in a subquery", query.from.at));
        }
        out.push(Out::Children { key: key(&child.name), field: child.field, query: Box::new(bound) });
        Ok(())
    }

    fn key(&self, order: &tree::Order) -> Result<Key, Trouble> {
        let (lookup, table) = self.lookup(&order.path)?;
        let field = &self.catalog.types[table].fields[lookup.field];
        if !is_filterable(field) {
            return Err(Trouble::new("INVALID_FIELD", format!("field '{}' can not be sorted in a query call", field.name), order.path.at));
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
            Condition::Compare(path, op, literal) => {
                let (lookup, field) = self.filtered(path)?;
                compare(self.catalog, field, lookup, *op, literal, path.at)?
            }
            Condition::Like(path, pattern) => {
                let (lookup, field) = self.filtered(path)?;
                if !matches!(field.holds, Holds::Text(..) | Holds::Picklist { .. }) {
                    return Err(Trouble::new("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field".to_owned(), path.at));
                }
                Test::Like(lookup, parts(pattern))
            }
            Condition::In { path, not, list } => {
                let (lookup, field) = self.filtered(path)?;
                let set = match list {
                    List::Values(values) => set(self.catalog, field, values, path.at)?,
                    List::Query(query) if self.top => self.joined(query)?,
                    List::Query(_) => {
                        return Err(Trouble::malformed("Semi join sub-selects are only allowed at the top level WHERE expressions", path.at));
                    }
                };
                let test = Test::In(lookup, set);
                if *not { Test::Not(Box::new(test)) } else { test }
            }
        })
    }

    fn filtered(&self, path: &Path) -> Result<(Lookup, &Field), Trouble> {
        let (lookup, table) = self.lookup(path)?;
        let field = &self.catalog.types[table].fields[lookup.field];
        if !is_filterable(field) {
            return Err(Trouble::new("INVALID_FIELD", format!("field '{}' can not be filtered in a query call", field.name), path.at));
        }
        Ok((lookup, field))
    }

    /// The ids that a subquery finds.
    fn joined(&self, query: &tree::Query) -> Result<Set, Trouble> {
        let [Select::Field(path)] = query.select.as_slice() else {
            return Err(Trouble::malformed("a semi join sub-select selects one field", query.from.at));
        };
        let bound = bind(self.store, query)?;
        let binder = Binder { store: self.store, catalog: self.catalog, table: bound.table, alias: query.alias.as_deref(), top: true };
        let (lookup, _) = binder.lookup(path)?;
        let mut set = Set::default();
        for row in run::rows(self.store, &bound, false, None) {
            let Some(row) = self.store.row(Id { table: u16::try_from(bound.table).unwrap_or_default(), row }) else { continue };
            match run::cell(self.store, row, &lookup) {
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

fn key(name: &str) -> Vec<u8> {
    format!("\"{name}\":").into_bytes()
}

pub(in super::super) fn member(of: &Type, field: usize) -> Out {
    let name = &of.fields[field].name;
    match &of.fields[field].holds {
        Holds::Address(parts) => Out::Address { key: key(name), parts: parts.iter().map(|(part, at)| (key(part), *at)).collect() },
        _ => Out::Cell { key: key(name), field },
    }
}

fn wrong(field: &Field, wants: &str, at: usize) -> Trouble {
    let quotes = if wants == "string" || wants == "reference" { "should be enclosed in quotes" } else { "should not be enclosed in quotes" };
    Trouble::new("INVALID_FIELD", format!("value of filter criterion for field '{}' must be of type {wants} and {quotes}", field.name), at)
}

/// An id in a condition: a record of the org, or where it would stand.
enum Meant {
    Record(Id),
    Elsewhere(String),
}

fn meant(catalog: &Catalog, text: &str) -> Result<Meant, Trouble> {
    let Some((prefix, number)) = id::read(text) else {
        return Err(Trouble::plain("INVALID_QUERY_FILTER_OPERATOR", format!("invalid ID field: {text}")));
    };
    let record = || Some(Id { table: u16::try_from(catalog.of_prefix(prefix)?).ok()?, row: number.filter(|number| *number > 0)? });
    Ok(record().map_or_else(|| Meant::Elsewhere(text.get(..15).unwrap_or(text).to_owned()), Meant::Record))
}

fn value(field: &Field, literal: &Literal, at: usize) -> Result<Cell, Trouble> {
    let wants = match &field.holds {
        Holds::Id | Holds::Reference(_) => "reference",
        Holds::Text(..) | Holds::Picklist { .. } | Holds::Address(_) => "string",
        Holds::Boolean => "boolean",
        Holds::Integer => "int",
        Holds::Decimal | Holds::Currency => "double",
        Holds::Date => "date",
        Holds::Datetime => "dateTime",
    };
    let found = match (literal, wants) {
        (Literal::Text(text), "string") => Some(Cell::Text(text.as_str().into())),
        (Literal::Bool(truth), "boolean") => Some(Cell::Bool(*truth)),
        (Literal::Bare(text), "int" | "double") => {
            let text = text.strip_prefix('+').unwrap_or(text);
            text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text)).ok().map(Cell::Number)
        }
        (Literal::Bare(text), "date") => (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(Cell::Date),
        (Literal::Bare(text), "dateTime") => text.contains('T').then(|| text.parse::<Timestamp>().ok()).flatten().map(Cell::Time),
        _ => None,
    };
    found.ok_or_else(|| wrong(field, wants, at))
}

fn compare(catalog: &Catalog, field: &Field, lookup: Lookup, op: Compare, literal: &Literal, at: usize) -> Result<Test, Trouble> {
    let not = |test: Test| Test::Not(Box::new(test));
    Ok(match (&field.holds, literal, op) {
        (_, Literal::Null, Compare::Equal) => Test::IsNull(lookup),
        (_, Literal::Null, Compare::NotEqual) => not(Test::IsNull(lookup)),
        (_, Literal::Null, _) => Test::Always(false),
        (Holds::Boolean, _, Compare::Less | Compare::LessOrEqual | Compare::Greater | Compare::GreaterOrEqual) => {
            return Err(Trouble::new("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on boolean field".to_owned(), at));
        }
        (Holds::Id | Holds::Reference(_), Literal::Text(text), _) => match (meant(catalog, text)?, op) {
            (Meant::Record(id), Compare::NotEqual) => not(Test::Compare(lookup, Compare::Equal, Cell::Id(id))),
            // Ids of different objects sort by their text.
            (Meant::Record(_), _) if is_order(op) => Test::BesideId(lookup, op, text.get(..15).unwrap_or(text).to_owned()),
            (Meant::Record(id), _) => Test::Compare(lookup, op, Cell::Id(id)),
            (Meant::Elsewhere(_), Compare::Equal) => Test::Always(false),
            (Meant::Elsewhere(_), Compare::NotEqual) => Test::Always(true),
            (Meant::Elsewhere(text), _) => Test::BesideId(lookup, op, text),
        },
        // A missing value is not equal to any, so it passes.
        (_, _, Compare::NotEqual) => not(Test::Compare(lookup, Compare::Equal, value(field, literal, at)?)),
        _ => Test::Compare(lookup, op, value(field, literal, at)?),
    })
}

fn is_order(op: Compare) -> bool {
    !matches!(op, Compare::Equal | Compare::NotEqual)
}

fn set(catalog: &Catalog, field: &Field, literals: &[Literal], at: usize) -> Result<Set, Trouble> {
    let mut set = Set::default();
    for literal in literals {
        match (&field.holds, literal) {
            (_, Literal::Null) => set.null = true,
            (Holds::Id | Holds::Reference(_), Literal::Text(text)) => {
                if let Meant::Record(id) = meant(catalog, text)? {
                    set.ids.insert(id);
                }
            }
            _ => match value(field, literal, at)? {
                Cell::Text(text) => {
                    set.texts.insert(small(&text));
                }
                other => set.others.push(other),
            },
        }
    }
    Ok(set)
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => parts.push(Part::Any),
            '_' => parts.push(Part::One),
            // The reader leaves a backslash only before these two.
            '\\' => match letters.next() {
                Some(escaped @ ('%' | '_')) => parts.push(Part::Letter(escaped)),
                Some(other) => parts.extend([Part::Letter('\\'), Part::Letter(other)]),
                None => parts.push(Part::Letter('\\')),
            },
            letter => parts.extend(letter.to_lowercase().map(Part::Letter)),
        }
    }
    parts
}
