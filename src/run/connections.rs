//! From configured connections to connectors. Secrets are looked up here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thiserror::Error;

use crate::connector::Connectors;
use crate::connector::registry::{self, Settings, Unusable};
use crate::fault::Fault;
use crate::http::{Call, Clock, Secret, Transport};
use crate::ir::Expr;
use crate::ir::walk::each_expr;
use crate::plan::Plan;
use crate::project::config::{Config, Connection};
use crate::project::templates::TEMPLATES;
use crate::project::{Environment, Source, Unfilled, Unset, filled, no_source, source};
use crate::schema::Names;
use crate::value::{Kind, ObjectRef};
use crate::yaml::Node;

/// The text of a file that a project names, or why it cannot be had.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A setting that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Missing {
    #[error("{}", needed(.0))]
    Variables(Vec<Needed>),
    #[error("{path} cannot be read for `connections.{connection}.{option}`: {reason}")]
    File { path: String, connection: String, option: String, reason: String },
    #[error("{}", no_source(connection, option).0)]
    Shape { connection: String, option: String },
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl Missing {
    /// What to do about it in a project.
    pub fn hint(&self, config: &Config) -> String {
        match self {
            Missing::Variables(all) => {
                let names: BTreeSet<&str> = all.iter().map(|one| one.unset.name.as_str()).collect();
                let it = if names.len() == 1 { "it" } else { "them" };
                let sets: Vec<String> = names.iter().map(|name| format!("{name}=…")).collect();
                format!("set {it} in the environment: export {}; or rehearse against the sandbox: {}", sets.join(" "), demo(config))
            }
            Missing::File { .. } => "the path is relative to the project's folder".to_owned(),
            Missing::Shape { connection, option } => no_source(connection, option).1.to_owned(),
            Missing::Unusable(unusable) => unusable.hint.clone(),
        }
    }
}

/// The demo of a project's systems: that of the template between two of them.
fn demo(config: &Config) -> String {
    let systems: BTreeSet<&str> = config.connections.values().map(|connection| connection.system.as_str()).collect();
    let between = |name: &&str| systems.iter().any(|from| systems.iter().any(|to| format!("{from}-{to}") == **name));
    match TEMPLATES.iter().map(|(name, _)| *name).find(between) {
        Some(template) => format!("crossdock demo --template {template}"),
        None => "crossdock demo".to_owned(),
    }
}

/// A variable without a value, and the setting that needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub unset: Unset,
    pub connection: String,
    pub option: String,
}

fn needed(all: &[Needed]) -> String {
    match all {
        [Needed { unset, connection, option }] => format!("{unset}, and `connections.{connection}.{option}` needs it"),
        all => {
            let each = |one: &Needed| format!("{} (`connections.{}.{}`)", one.unset, one.connection, one.option);
            format!("{} variables of the environment have no value: {}", all.len(), all.iter().map(each).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Opens the connectors of the connections that a plan uses. All variables that have no value are told at once.
///
/// # Errors
/// A secret is missing, or a connection's settings are not what its system needs.
pub fn open(
    config: &Config,
    used: &BTreeSet<String>,
    files: Files<'_>,
    environment: Environment<'_>,
    transport: &Arc<dyn Transport>,
    clock: &Arc<dyn Clock>,
) -> Result<Connectors, Missing> {
    let (mut known, mut unset) = (Vec::new(), Vec::new());
    for (name, connection) in config.connections.iter().filter(|(name, connection)| used.contains(*name) && connection.system != "files") {
        match settings(name, connection, files, environment) {
            Ok(settings) => known.push(settings),
            Err(Missing::Variables(more)) => unset.extend(more),
            Err(other) => return Err(other),
        }
    }
    if !unset.is_empty() {
        return Err(Missing::Variables(unset));
    }
    let mut connectors = Connectors::new();
    for settings in known {
        let (transport, clock) = (Arc::clone(transport), Arc::clone(clock));
        let connector = match config.connections.get(&settings.name).and_then(|connection| connection.described.as_ref()) {
            Some(known) => registry::open_own(known, &settings, transport, clock),
            None => registry::open(&settings, transport, clock),
        };
        connectors.insert(settings.name.clone(), connector.map_err(|unusable| from_environment(unusable, config))?);
    }
    Ok(connectors)
}

/// What cannot be used may not stand in the project's file: then it is said which variable it came from.
fn from_environment(mut unusable: Unusable, config: &Config) -> Unusable {
    let options = config.connections.get(&unusable.connection).map(|connection| &connection.options);
    for (option, node) in options.into_iter().flatten() {
        let text = node.text().unwrap_or_default();
        if unusable.message.contains(&format!("`{option}`"))
            && let Some(name) = text.split_once("${").and_then(|(_, rest)| rest.split_once('}')).map(|(name, _)| name)
        {
            unusable.hint.push_str(&format!("; its value comes from the variable `{name}`"));
        }
    }
    unusable
}

/// The settings of one connection, secrets looked up.
///
/// # Errors
/// As [`open`].
pub fn settings(name: &str, connection: &Connection, files: Files<'_>, environment: Environment<'_>) -> Result<Settings, Missing> {
    let (mut options, mut unset) = (BTreeMap::new(), Vec::new());
    for (option, node) in &connection.options {
        match value(name, option, node, files, environment) {
            Ok(text) => {
                options.insert(option.clone(), Secret::new(text));
            }
            Err(Missing::Variables(more)) => unset.extend(more),
            Err(other) => return Err(other),
        }
    }
    if !unset.is_empty() {
        return Err(Missing::Variables(unset));
    }
    Ok(Settings { name: name.to_owned(), system: connection.system.to_string(), options })
}

fn value(connection: &str, option: &str, node: &Node, files: Files<'_>, environment: Environment<'_>) -> Result<String, Missing> {
    let unset = |Unfilled(all): Unfilled| {
        let of = |unset| Needed { unset, connection: connection.to_owned(), option: option.to_owned() };
        Missing::Variables(all.into_iter().map(of).collect())
    };
    match source(node) {
        Some(Source::Text(text)) => filled(text, environment).map_err(unset),
        Some(Source::File(path)) => {
            let path = filled(path, environment).map_err(unset)?;
            files(&path).map_err(|reason| Missing::File { path, connection: connection.to_owned(), option: option.to_owned(), reason })
        }
        None => Err(Missing::Shape { connection: connection.to_owned(), option: option.to_owned() }),
    }
}

/// The connections that a plan's flows read or write; with `only`, those of these flows.
pub fn used(plan: &Plan, only: &[String]) -> BTreeSet<String> {
    let flows = plan.mapping.flows.iter().filter(|flow| only.is_empty() || only.contains(&flow.name));
    let objects = flows.flat_map(|flow| {
        let writes = flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)).map(|write| &write.object);
        std::iter::once(&flow.source).chain(flow.matches.iter().map(|found| &found.object)).chain(writes)
    });
    objects.map(|object| object.connection.clone()).collect()
}

/// The named things (stores, warehouses) that a plan speaks of.
pub fn named(plan: &Plan) -> BTreeSet<ObjectRef> {
    let mut found = BTreeSet::new();
    each_expr(&plan.mapping, &mut |expr| match expr {
        Expr::Named { of, .. } | Expr::LookUpName { of, .. } | Expr::Coerce { kind: Kind::Reference(of), .. } => {
            found.insert(of.clone());
        }
        _ => {}
    });
    // What a table names has to be there too.
    for column in plan.mapping.tables.iter().flat_map(|table| &table.columns) {
        if let Kind::Reference(of) = &column.of.kind {
            found.insert(of.clone());
        }
    }
    for parameter in plan.mapping.parameters.values() {
        if let Kind::Reference(of) = &parameter.of.kind {
            found.insert(of.clone());
        }
    }
    found
}

/// Brings the named things that a plan speaks of up to date, as a run begins. What cannot be fetched stays as the
/// snapshot has it, and the fault is told.
pub async fn refresh_names(plan: &Plan, connectors: &Connectors, names: &mut BTreeMap<ObjectRef, Arc<Names>>) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    let mut by_connection: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for of in named(plan) {
        by_connection.entry(of.connection).or_default().insert(of.object);
    }
    for (connection, kinds) in by_connection {
        let Some(connector) = connectors.get(&connection) else { continue };
        match connector.reference_data(&Call::default(), &kinds).await {
            Ok(found) => {
                for (kind, named) in found {
                    let pulled = Some("now".to_owned());
                    names.insert(ObjectRef::new(connection.clone(), kind), Arc::new(Names { pulled, names: named }));
                }
            }
            Err(fault) => faults.push((connection, fault)),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Unfilled, Unset, filled};

    #[test]
    fn the_demo_is_that_of_the_projects_systems() {
        let of = |name: &str| {
            let texts = crate::project::templates::project(name).unwrap();
            let (mut sources, mut found) = (crate::base::Sources::default(), Vec::new());
            super::demo(&crate::project::config::Config::read(&texts, None, &mut sources, &mut found))
        };
        let between: Vec<&str> = super::TEMPLATES.iter().map(|(name, _)| *name).filter(|name| of(name).ends_with(name)).collect();
        assert_eq!(between.len(), 3, "{between:?}");
        assert_eq!(of("files-demo"), "crossdock demo");
    }

    #[test]
    fn names_are_replaced_and_one_that_is_not_set_is_told() {
        let environment = |name: &str| (name == "KEY").then(|| "a$b".to_owned());
        assert_eq!(filled("x-${KEY}-y", &environment), Ok("x-a$b-y".to_owned()));
        let unset = |name: &str, empty| Unset { name: name.to_owned(), empty };
        assert_eq!(filled("${OTHER}", &environment), Err(Unfilled(vec![unset("OTHER", false)])));
        assert_eq!(filled("plain ${", &environment), Ok("plain ${".to_owned()));
    }
}
