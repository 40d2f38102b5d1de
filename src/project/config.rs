//! `crossdock.yaml`: connections, parameters, time zone, and what the runtime needs.
//!
//! An environment (`--env staging`) lays `crossdock.staging.yaml` over it: a connection's
//! options, a parameter or a setting that stands there replaces the one of that name here.
//! `${SECRET}` is kept as written; nothing is looked up before a run.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::tz::TimeZone;

use super::alerts::Alerts;
use super::allow::Allowance;
use super::csv_form::{self, CsvFile, CsvForm};
use super::own_systems::{self, Own, OwnSystems};
use super::retention::{self, Days};
use super::{Absence, Library, error, settings};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Source, Sources, Span, nearest};
use crate::check::Setting;
use crate::describe::Known;
use crate::system::SystemRef;
use crate::yaml::{self, Entry, Node};
use crate::{schema, system};

pub const FILE: &str = "crossdock.yaml";

#[derive(Debug, Clone)]
pub struct Config {
    /// No `crossdock.yaml` was found, and connections are assumed.
    pub assumed: bool,
    /// A connection could not be read, which was told: what uses it cannot be checked.
    pub lacking: bool,
    pub connections: IndexMap<String, Connection>,
    pub parameters: IndexMap<String, Setting>,
    pub time_zone: TimeZone,
    /// The zone by its name.
    pub zone: String,
    pub store: Option<Setting>,
    /// Where alerts go beside the log.
    pub alerts: Alerts,
    /// How often `serve` holds the snapshots against their systems; `off` for never.
    pub schema_drift: Option<Setting>,
    /// Warnings that the project lives with.
    pub allow: Vec<Allowance>,
    /// CSV files that are written in another way than most.
    pub csv: Vec<CsvFile>,
    /// By flow: what replaces its own schedule.
    pub schedules: IndexMap<String, Setting>,
    /// For how many days what is kept is kept, where it is said.
    pub retention: Days,
    /// The systems that the project describes, as far as connections name them.
    own_systems: OwnSystems,
    /// Flows and parameters that the files name, with their places.
    named_flows: Vec<(String, Span)>,
    named_parameters: Vec<(String, Span)>,
}

/// One connection as configured. The system is a known one.
#[derive(Debug, Clone)]
pub struct Connection {
    pub system: SystemRef,
    /// Of a system that the project describes: its description.
    pub described: Option<Arc<Known>>,
    /// Where its name stands.
    pub span: Span,
    /// All but `system`, as written.
    pub options: IndexMap<String, Node>,
    /// Where each of them stands.
    pub places: IndexMap<String, Span>,
    /// What a `files` connection keeps, by object.
    pub objects: IndexMap<String, FileObject>,
    /// For how many days its data is kept, where it is said.
    pub retention: Days,
}

impl Connection {
    fn of(system: SystemRef, described: Option<Arc<Known>>, span: Span) -> Self {
        Connection { system, described, span, options: IndexMap::new(), places: IndexMap::new(), objects: IndexMap::new(), retention: Days::new() }
    }
}

/// An object of a `files` connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileObject {
    /// From the project's folder; `.jsonl`, `.json` or `.csv`.
    pub path: Setting,
    /// Its schema's file; where none is named, it is inferred from the data.
    pub schema: Option<Setting>,
}

const SETTINGS: &[&str] = &["connections", "parameters", "time_zone", "store", "alerts", "schedules", "schema_drift", "retention", "csv", "allow"];
/// Those of them that hold names of the project's own.
const BLOCKS: &[&str] = &["connections", "parameters", "schedules"];
const FILE_SETTINGS: &[&str] = &["path", "schema"];

impl Default for Config {
    fn default() -> Self {
        Config {
            assumed: false,
            lacking: false,
            connections: IndexMap::new(),
            parameters: IndexMap::new(),
            time_zone: TimeZone::UTC,
            zone: "UTC".into(),
            store: None,
            alerts: Alerts::default(),
            schema_drift: None,
            allow: Vec::new(),
            csv: Vec::new(),
            schedules: IndexMap::new(),
            retention: Days::new(),
            own_systems: OwnSystems::default(),
            named_flows: Vec::new(),
            named_parameters: Vec::new(),
        }
    }
}

impl Config {
    /// What is said of how a CSV file is written: a path from the project's folder, or of a file elsewhere.
    pub fn csv(&self, path: &str) -> CsvForm {
        csv_form::of(&self.csv, path)
    }

    /// For mapping files without a project.
    pub fn assumed() -> Self {
        let named = system::all().flat_map(|(system, manifest)| manifest.connections.iter().map(move |name| (name, system)));
        let connections = named.map(|(name, system)| (name.clone(), Connection::of(system.into(), None, Span::default()))).collect();
        Config { assumed: true, connections, ..Config::default() }
    }

    /// Reads the project's file and the environment's over it. Mistakes are pushed to `found`;
    /// what can be used is used.
    pub fn read(library: &dyn Library, env: Option<&str>, sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Config {
        let mut config = Config::default();
        match library.read(FILE) {
            Ok(text) => config.lay(FILE, &text, library, sources, found),
            Err(Absence::NotFound) => config = Config::assumed(),
            Err(Absence::NotText(not)) => {
                config.lacking = true;
                let file = sources.add(Source::new(FILE, not.text.clone()));
                found.push(error::not_text(Code::BadProject, FILE, file, &not));
            }
            Err(absence) => {
                config.lacking = true;
                let file = sources.add(Source::new(FILE, ""));
                found.push(error::unreadable(FILE, Span::new(file, 0, 0), &absence).why(absence.to_string()));
            }
        }
        if let Some(env) = env {
            let name = format!("crossdock.{env}.yaml");
            match library.read(&name) {
                Ok(text) => {
                    config.assumed = false;
                    config.lay(&name, &text, library, sources, found);
                }
                Err(Absence::NotText(not)) => {
                    let file = sources.add(Source::new(&*name, not.text.clone()));
                    found.push(error::not_text(Code::BadProject, &name, file, &not));
                }
                Err(_) => found.push(error::no_environment(env, &environments(library))),
            }
        }
        for (name, connection) in &mut config.connections {
            // Where it leads is known when all of its settings are.
            config.own_systems.settle(connection, library);
            if connection.system != name.as_str() && library.exists(&own_systems::path(name)) {
                found.push(error::like_own_system(name, connection.span));
            }
        }
        let zone = config.zone.clone();
        found.extend(config.store.as_ref().and_then(settings::store));
        found.extend(config.schema_drift.as_ref().and_then(|setting| settings::drift(setting, &zone)));
        found.extend(config.schedules.iter().filter_map(|(flow, setting)| settings::schedule_of(&format!("schedules.{flow}"), setting, &zone)));
        // Not in the frame of another message either.
        found.iter().flat_map(|one| &one.hidden).for_each(|secret| sources.hide(*secret));
        config
    }

    /// What the project's file names of its mappings and they do not have: flows under `schedules`, parameters.
    pub(super) fn hold_against(&self, flows: &[&str], parameters: &[&str], found: &mut Vec<Diagnostic>) {
        for (flow, at) in self.named_flows.iter().filter(|(flow, _)| !flows.contains(&flow.as_str())) {
            found.push(error::settings::unknown_flow(flow, *at, flows));
        }
        for (name, at) in self.named_parameters.iter().filter(|(name, _)| !parameters.contains(&name.as_str())) {
            let unset: Vec<&str> = parameters.iter().copied().filter(|known| !self.parameters.contains_key(*known)).collect();
            found.push(error::settings::unknown_parameter(name, *at, &unset, parameters));
        }
    }

    /// Holds what is said of CSV files against the files that there are.
    pub(super) fn hold_csv(&mut self, library: &dyn Library, found: &mut Vec<Diagnostic>) {
        if self.csv.is_empty() {
            return;
        }
        let mut files = library.list(".csv");
        files.extend(library.list(".tsv"));
        files.extend(self.connections.values().flat_map(|connection| connection.objects.values()).map(|object| object.path.text.clone()));
        csv_form::hold_against(&mut self.csv, &files, found);
    }

    /// For the checker.
    pub fn connections(&self) -> Vec<schema::Connection> {
        let connection = |(name, c): (&String, &Connection)| schema::Connection { name: name.clone(), system: c.system.to_string() };
        self.connections.iter().map(connection).collect()
    }

    fn lay(&mut self, name: &str, text: &str, library: &dyn Library, sources: &mut Sources, found: &mut Vec<Diagnostic>) {
        let file = sources.add(Source::new(name, text));
        let node = match yaml::read(text) {
            Ok(node) => node,
            Err(unreadable) => {
                self.lacking = true;
                let findings = |text: &str| {
                    let mut found = Vec::new();
                    let Ok(node) = yaml::read(text) else { return usize::MAX };
                    self.clone().settings(name, &node, file, &mut found);
                    // A setting of the project that stands in another's block would pass for a parameter or a flow.
                    let blocks = node.entries().unwrap_or_default().iter().filter_map(|entry| entry.value.entries());
                    found.len() + blocks.flatten().filter(|entry| SETTINGS.contains(&entry.key.as_str())).count()
                };
                found.push(yaml::not_yaml(&error::no_yaml_of(file), text, &unreadable, &findings));
                return;
            }
        };
        if node.shape == yaml::Shape::Nothing {
            return;
        }
        self.own_systems.read(&node, file, library, sources, found);
        let before = found.len();
        self.settings(name, &node, file, found);
        // A text can be YAML and not what was meant: `crm:{ … }` is one text.
        if found.len() > before
            && let Some(mistake) = yaml::mistake(text)
        {
            found.truncate(before);
            self.lacking = true;
            found.push(yaml::mistaken(&error::no_yaml_of(file), mistake));
        }
    }

    fn settings(&mut self, name: &str, node: &Node, file: FileId, found: &mut Vec<Diagnostic>) {
        let mut reader = Reader { file, found };
        let whole = format!("`{name}`");
        let mut rest = reader.block(node, name);
        while let Some((entry, behind)) = rest.split_first() {
            let Entry { key, start, end, value } = entry;
            let at = Span::new(file, *start, *end);
            let astray = |next: &Entry| nearest(&next.key, SETTINGS.iter().copied()).is_none();
            rest = BLOCKS.contains(&key.as_str()).then(|| self.indented(entry, behind, &astray, &mut reader)).flatten().unwrap_or(behind);
            match key.as_str() {
                "connections" => {
                    // What is said of its form is the cause of whatever is missing.
                    self.lacking |= value.entries().is_none() && value.shape != yaml::Shape::Nothing;
                    let mut rest = reader.block(value, key);
                    while let Some((entry, behind)) = rest.split_first() {
                        rest = match self.indented(entry, behind, &|next| next.value.text().is_some(), &mut reader) {
                            Some(rest) => rest,
                            None => {
                                self.connection(entry, &mut reader);
                                behind
                            }
                        };
                    }
                }
                "parameters" => {
                    for entry in reader.block(value, key) {
                        let setting = reader.setting(&entry.value, &format!("parameters.{}", entry.key));
                        self.named_parameters.push((entry.key.clone(), Span::new(file, entry.start, entry.end)));
                        self.parameters.extend(setting.map(|s| (entry.key.clone(), s)));
                    }
                }
                "schedules" => {
                    for entry in reader.block(value, key) {
                        let setting = reader.setting(&entry.value, &format!("schedules.{}", entry.key));
                        self.named_flows.push((entry.key.clone(), Span::new(file, entry.start, entry.end)));
                        self.schedules.extend(setting.map(|s| (entry.key.clone(), s)));
                    }
                }
                "time_zone" => {
                    if let Some(zone) = reader.setting(value, key) {
                        match TimeZone::get(&zone.text) {
                            Ok(known) => (self.time_zone, self.zone) = (known, zone.text),
                            Err(_) => reader.found.push(error::unknown_zone(&zone.text, zone.span)),
                        }
                    }
                }
                "store" => self.store = reader.setting(value, key).or(self.store.take()),
                "alerts" => self.alerts = Alerts::read(value, &mut reader),
                "retention" => self.retention.extend(retention::read(value, key, &mut reader)),
                "schema_drift" => self.schema_drift = reader.setting(value, key).or(self.schema_drift.take()),
                "csv" => self.csv = csv_form::read(value, std::mem::take(&mut self.csv), &mut reader),
                "allow" => self.allow.extend(super::allow::read(value, &mut reader)),
                _ if value.get("system").is_some() => {
                    self.lacking = true;
                    reader.found.push(error::connection_outside(key, at));
                }
                _ => {
                    // Without its connections nothing of the project can be checked.
                    self.lacking |= nearest(key, SETTINGS.iter().copied()) == Some("connections");
                    reader.found.push(error::unknown_key(key, at, &whole, SETTINGS));
                }
            }
        }
    }

    /// What stands behind an entry that is empty, and behind what follows it and belongs in it: that is told once. `None` where
    /// nothing does.
    fn indented<'n>(&mut self, entry: &Entry, behind: &'n [Entry], belongs: &dyn Fn(&Entry) -> bool, reader: &mut Reader<'_>) -> Option<&'n [Entry]> {
        let count = behind.iter().take_while(|next| belongs(next)).count();
        let (inner, rest) = behind.split_at(count);
        if entry.value.shape != yaml::Shape::Nothing || inner.is_empty() {
            return None;
        }
        self.lacking = true;
        let names: Vec<&str> = inner.iter().map(|entry| entry.key.as_str()).collect();
        reader.found.push(error::not_indented(&entry.key, Span::new(reader.file, entry.start, entry.end), &names));
        Some(rest)
    }

    fn connection(&mut self, entry: &Entry, reader: &mut Reader<'_>) {
        let at = Span::new(reader.file, entry.start, entry.end);
        let name = &entry.key;
        let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_') && name.starts_with(char::is_alphabetic);
        if !plain {
            self.lacking = true;
            reader.found.push(error::bad_name(name, at));
            return;
        }
        let options = reader.block(&entry.value, &format!("connections.{name}"));
        let said = options.iter().find(|e| e.key == "system").map(|e| &e.value);
        let before = self.connections.get(name);
        let system = match (said, before) {
            (Some(node), _) => match reader.setting(node, "system") {
                Some(system) if system::names().contains(&system.text.as_str()) => (SystemRef::from(&system.text), None),
                Some(system) => match self.own_systems.get(&system.text) {
                    Some(Own::Usable(system, own)) => (system.clone(), Some(Arc::clone(&own.known))),
                    own => {
                        self.lacking = true;
                        // What is wrong with a description that is there was told at its place.
                        if own.is_none() {
                            reader.found.push(error::unknown_system(&system.text, system.span, self.own_systems.names()));
                        }
                        return;
                    }
                },
                None => {
                    self.lacking = true;
                    return;
                }
            },
            (None, Some(before)) => (before.system.clone(), before.described.clone()),
            (None, None) => {
                self.lacking = true;
                if entry.value.entries().is_some() || entry.value.shape == yaml::Shape::Nothing {
                    reader.found.push(error::no_system(name, at));
                }
                return;
            }
        };
        // In an environment's file only what differs has to be said.
        let (system, described) = system;
        let mut connection = before.cloned().filter(|b| b.system == system).unwrap_or_else(|| Connection::of(system, described, at));
        if connection.system == "files" {
            reader.files(name, options, &mut connection, at);
        }
        settings::connection(name, &connection.system, options, reader.file, reader.found);
        for option in options.iter().filter(|o| o.key != "system") {
            if option.key == "retention" {
                connection.retention.extend(retention::read(&option.value, &format!("connections.{name}.retention"), reader));
                continue;
            }
            connection.options.insert(option.key.clone(), option.value.clone());
            connection.places.insert(option.key.clone(), reader.span(&option.value));
        }
        self.connections.insert(name.clone(), connection);
    }
}

/// The names of the project's environments.
fn environments(library: &dyn Library) -> Vec<String> {
    let name = |path: &String| path.strip_prefix("crossdock.")?.strip_suffix(".yaml").map(str::to_owned);
    library.list(".yaml").iter().filter_map(name).collect()
}

pub(super) struct Reader<'a> {
    pub(super) file: FileId,
    pub(super) found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn span(&self, node: &Node) -> Span {
        Span::new(self.file, node.start, node.end)
    }

    pub(super) fn block<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        if node.shape == yaml::Shape::Nothing {
            return &[];
        }
        node.entries().unwrap_or_else(|| {
            self.found.push(error::wrong_shape(self.span(node), what, "a block of names and values", node.noun()));
            &[]
        })
    }

    pub(super) fn setting(&mut self, node: &Node, what: &str) -> Option<Setting> {
        match node.text() {
            Some(text) => Some(Setting { text: text.to_owned(), span: self.span(node) }),
            None => {
                self.found.push(error::wrong_shape(self.span(node), what, "one value", node.noun()));
                None
            }
        }
    }

    /// `objects: { Order: { path: …, schema: … } }`, or `object: Order` with `path` beside it.
    fn files(&mut self, name: &str, options: &[Entry], connection: &mut Connection, at: Span) {
        let get = |key: &str| options.iter().find(|e| e.key == key).map(|e| &e.value);
        if let Some(object) = get("object").and_then(|node| self.setting(node, "object")) {
            self.file_object(&object.text, options, &["system", "object", "objects", "path", "schema"], connection, at);
        }
        if let Some(node) = get("objects") {
            for entry in self.block(node, &format!("connections.{name}.objects")) {
                let at = Span::new(self.file, entry.start, entry.end);
                if let Some(path) = entry.value.text() {
                    let path = Setting { text: path.to_owned(), span: self.span(&entry.value) };
                    connection.objects.insert(entry.key.clone(), FileObject { path, schema: None });
                    continue;
                }
                let inner = self.block(&entry.value, &entry.key);
                self.file_object(&entry.key, inner, FILE_SETTINGS, connection, at);
            }
        }
        if connection.objects.is_empty() && get("objects").is_none() && get("object").is_none() {
            self.found.push(error::files_without_path(name, at).why("a `files` connection without files has no object to map"));
        }
    }

    fn file_object(&mut self, object: &str, entries: &[Entry], known: &[&str], connection: &mut Connection, at: Span) {
        let mut path = None;
        let mut schema = None;
        for entry in entries {
            match entry.key.as_str() {
                "path" => path = self.setting(&entry.value, "path"),
                "schema" => schema = self.setting(&entry.value, "schema"),
                key if known.contains(&key) => {}
                key => {
                    let at = Span::new(self.file, entry.start, entry.end);
                    self.found.push(error::unknown_key(key, at, &format!("`{object}`"), FILE_SETTINGS));
                }
            }
        }
        match path {
            Some(path) => {
                connection.objects.insert(object.to_owned(), FileObject { path, schema });
            }
            None => self.found.push(error::files_without_path(object, at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Texts;

    fn read(texts: &[(&str, &str)], env: Option<&str>) -> (Config, Vec<Diagnostic>, Sources) {
        let library = Texts::new(texts.iter().copied());
        let (mut sources, mut found) = (Sources::default(), Vec::new());
        let config = Config::read(&library, env, &mut sources, &mut found);
        (config, found, sources)
    }

    const WHOLE: &str = r#"
connections:
  crm: { system: salesforce, login: "${CRM_LOGIN_URL}", private_key: { file: crm.pem } }
  wms: { system: shipstation, api_key: "${SS_KEY}" }
  in:
    system: files
    objects:
      Order: { path: data/orders.jsonl, schema: data/order.json }
      Sku: data/skus.csv
parameters: { default_warehouse: "Reno DC", postcode: 01234, rate: 1.10, country: NO }
time_zone: Europe/London
store: sqlite:crossdock.db
"#;

    #[test]
    fn a_whole_file_is_read_and_its_texts_are_kept() {
        let (config, found, _) = read(&[(FILE, WHOLE)], None);
        assert!(found.is_empty(), "{found:?}");
        let parameters: Vec<_> = config.parameters.iter().map(|(n, s)| (n.as_str(), s.text.as_str())).collect();
        assert_eq!(parameters, [("default_warehouse", "Reno DC"), ("postcode", "01234"), ("rate", "1.10"), ("country", "NO")]);
        assert_eq!(config.connections["crm"].options["login"].text(), Some("${CRM_LOGIN_URL}"));
        assert_eq!(config.connections["in"].objects["Order"].schema.as_ref().unwrap().text, "data/order.json");
        assert_eq!(config.connections["in"].objects["Sku"].path.text, "data/skus.csv");
        assert_eq!(config.zone, "Europe/London");
    }

    #[test]
    fn an_environment_says_only_what_differs() {
        let production = "connections:\n  wms: { api_key: \"${LIVE_KEY}\" }\nparameters:\n  default_warehouse: Leeds DC\n";
        let (config, found, _) = read(&[(FILE, WHOLE), ("crossdock.production.yaml", production)], Some("production"));
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(config.connections["wms"].options["api_key"].text(), Some("${LIVE_KEY}"));
        assert_eq!(config.parameters["default_warehouse"].text, "Leeds DC");
        assert_eq!(config.parameters["rate"].text, "1.10");
        let (_, found, _) = read(&[(FILE, WHOLE), ("crossdock.production.yaml", "")], Some("staging"));
        assert!(found[0].help[0].text.contains("production"), "{found:?}");
    }

    #[test]
    fn each_mistake_is_said_where_it_stands() {
        let cases = [
            ("connection: {}\n", "connection", Code::BadProject, "connections"),
            ("connections:\n  crm: { system: salesfroce }\n", "salesfroce", Code::UnknownSystem, "salesforce"),
            ("connections:\n  crm: { login: x }\n", "crm", Code::BadProject, "add `system"),
            ("connections:\n  my-crm: { system: salesforce }\n", "my-crm", Code::BadProject, "crm.Order"),
            ("time_zone: Europe/Lodon\n", "Europe/Lodon", Code::BadProject, "Europe/London"),
            ("parameters: { a: [1] }\n", "[", Code::BadProject, ""),
            ("connections:\n  f: { system: files, objects: { O: { pth: a.csv, path: b.csv } } }\n", "pth", Code::BadProject, "path"),
        ];
        for (text, at, code, help) in cases {
            let (_, found, sources) = read(&[(FILE, text)], None);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].code, code, "{text}");
            assert_eq!(sources.text(found[0].primary.span), at, "{text}");
            assert!(help.is_empty() || found[0].help[0].text.contains(help), "{text}: {:?}", found[0].help);
        }
    }

    #[test]
    fn a_project_file_that_is_no_yaml_is_one_error() {
        let (_, found, _) = read(&[(FILE, "connections: [\n")], None);
        assert_eq!(found.len(), 1);
        let (config, found, _) = read(&[], None);
        assert!(config.assumed && found.is_empty() && config.connections["wms"].system == "shipstation");
    }
}
