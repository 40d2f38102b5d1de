//! A plan prepared for evaluation: patterns compiled, value maps and tables indexed, once for all records.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use regex::Regex;
use thiserror::Error;

use crate::ir::walk::each_expr;
use crate::ir::{Expr, Pattern};
use crate::plan::Plan;
use crate::schema::Object;
use crate::value::{Literal, ObjectRef, Value, compare};

/// A plan with all that is compiled once. It can be shared between threads.
#[derive(Debug)]
pub struct Program<'p> {
    pub(super) plan: &'p Plan,
    pub(super) zone: TimeZone,
    patterns: HashMap<&'p str, Regex>,
    paths: HashMap<&'p str, Path>,
    maps: Vec<Map>,
    tables: Vec<HashMap<String, Vec<Value>>>,
}

/// A value map's rows by what they are met by.
#[derive(Debug, Default)]
struct Map {
    forth: HashMap<String, (usize, Value)>,
    back: HashMap<String, (usize, Value)>,
}

/// A JSONPath: a plain chain of names and places is walked by hand, which is many times faster.
#[derive(Debug)]
pub(super) enum Path {
    Plain(Vec<Step>),
    Query(Box<JpQuery>),
}

#[derive(Debug)]
pub(super) enum Step {
    Name(String),
    At(usize),
}

/// Why a plan cannot run. The checker lets none of these through: a plan from elsewhere may hold one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unusable {
    #[error("`{0}` is no time zone")]
    Zone(String),
    #[error("`{pattern}` is no pattern: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error("`{path}` is no JSONPath: {reason}")]
    Path { path: String, reason: String },
}

impl<'p> Program<'p> {
    /// The zone of the project, which tells when a day begins.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// # Errors
    /// The plan holds a zone, a pattern or a path that cannot be used.
    pub fn new(plan: &'p Plan) -> Result<Self, Unusable> {
        let zone = TimeZone::get(&plan.time_zone).map_err(|_| Unusable::Zone(plan.time_zone.clone()))?;
        let mut patterns = HashMap::new();
        let mut paths = HashMap::new();
        let mut fault = None;
        each_expr(&plan.mapping, &mut |expr| match expr {
            Expr::Matches { pattern: Pattern::Regex(pattern), .. } if !patterns.contains_key(pattern.as_str()) => {
                match Regex::new(&format!("^(?:{pattern})$")) {
                    Ok(regex) => {
                        patterns.insert(pattern.as_str(), regex);
                    }
                    Err(error) => fault = Some(Unusable::Pattern { pattern: pattern.clone(), reason: error.to_string() }),
                }
            }
            Expr::JsonPath { path, .. } if !paths.contains_key(path.as_str()) => match compile(path) {
                Ok(compiled) => {
                    paths.insert(path.as_str(), compiled);
                }
                Err(reason) => fault = Some(Unusable::Path { path: path.clone(), reason }),
            },
            _ => {}
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        let rows = |rows: &[crate::ir::ValueRow]| {
            let entries = rows.iter().enumerate().rev();
            entries.map(|(at, row)| (compare::key(&row.from.to_value()), (at, row.to.to_value()))).collect()
        };
        let maps = plan.mapping.values.iter().map(|map| Map { forth: rows(&map.rows), back: rows(&map.back) }).collect();
        let tables = plan.mapping.tables.iter().map(table).collect();
        Ok(Program { plan, zone, patterns, paths, maps, tables })
    }

    pub fn plan(&self) -> &'p Plan {
        self.plan
    }

    pub(super) fn object(&self, of: &ObjectRef) -> Option<&'p Object> {
        self.plan.objects.get(&of.to_string())
    }

    pub(super) fn pattern(&self, pattern: &str) -> Option<&Regex> {
        self.patterns.get(pattern)
    }

    pub(super) fn path(&self, path: &str) -> Option<&Path> {
        self.paths.get(path)
    }

    /// The row that a value meets, and what it gives.
    pub(super) fn map_row(&self, map: usize, back: bool, value: &Value) -> Option<&(usize, Value)> {
        let map = self.maps.get(map)?;
        let side = if back { &map.back } else { &map.forth };
        side.get(&compare::key(value))
    }

    /// The rows that a table has for some keys.
    pub(super) fn table_rows(&self, table: usize, keys: &[Value]) -> &[Value] {
        self.tables.get(table).and_then(|rows| rows.get(&table_key(keys))).map_or(&[], Vec::as_slice)
    }
}

fn table(table: &crate::ir::Table) -> HashMap<String, Vec<Value>> {
    let mut rows: HashMap<String, Vec<Value>> = HashMap::new();
    // The columns of a row, the keys' first.
    let names: Vec<&String> = table.columns.iter().map(|column| &column.name).collect();
    for row in &table.rows {
        let values: Vec<Value> = row.iter().map(Literal::to_value).collect();
        let key = table_key(&values[..table.keys.len().min(values.len())]);
        let fields = names.iter().map(|name| (*name).clone()).zip(values).collect();
        rows.entry(key).or_default().push(Value::Object(std::sync::Arc::new(fields)));
    }
    rows
}

fn table_key(keys: &[Value]) -> String {
    keys.iter().map(compare::key).collect::<Vec<_>>().join("\u{1f}")
}

fn compile(path: &str) -> Result<Path, String> {
    match plain(path) {
        Some(steps) => Ok(Path::Plain(steps)),
        None => parse_json_path(path).map(|query| Path::Query(Box::new(query))).map_err(|error| error.to_string()),
    }
}

/// `$.a.b[0]['c d']` as steps; `None` where the path is more than that.
fn plain(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
            if end == 0 || name.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            steps.push(Step::Name(name[..end].to_owned()));
            rest = &name[end..];
        } else {
            let inner = rest.strip_prefix('[')?;
            let end = inner.find(']')?;
            let quoted = inner[..end].strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
            match quoted {
                Some(name) if !name.contains(['\\', '\'', '"']) => steps.push(Step::Name(name.to_owned())),
                Some(_) => return None,
                None => steps.push(Step::At(inner[..end].parse().ok()?)),
            }
            rest = &inner[end + 1..];
        }
    }
    Some(steps)
}
