//! What the checker may ask of a project: schemas, names of stores and warehouses, tables.
//!
//! Nothing is read before it is asked for: a client's org has hundreds of objects, a mapping
//! names five. A snapshot `schemas/<connection>/<Object>.json` comes before the system's standard
//! schema of that object.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::{Config, Connection};
use super::load::plain;
use super::{Absence, Library, error, objects};
use crate::base::diag::Diagnostic;
use crate::base::{FileId, Source, Sources, Span};
use crate::check::{Setting, TableFault, World};
use crate::schema::{self, Named, Names, Object, Schemas};
use crate::value::{Json, ObjectRef};

/// A project's files as a [`World`]. What could not be read is kept for [`Keeper::faults`].
pub struct Keeper<'a> {
    library: &'a dyn Library,
    config: &'a Config,
    sources: &'a Sources,
    objects: RefCell<BTreeMap<ObjectRef, Option<Arc<Object>>>>,
    names: RefCell<BTreeMap<String, Option<Arc<NamesFile>>>>,
    faults: RefCell<Vec<Fault>>,
}

/// A file of the project that could not be understood.
#[derive(Debug, Clone)]
struct Fault {
    path: String,
    /// Absent if there is no text to point into.
    text: Option<Arc<str>>,
    at: usize,
    message: String,
    /// Where the project names the file, or its connection.
    named: Span,
    absence: Option<Absence>,
}

/// `names.json`: when it was pulled, and by kind of thing the names with their ids.
#[derive(Debug)]
struct NamesFile {
    pulled: Option<String>,
    kinds: BTreeMap<String, Vec<Named>>,
}

impl NamesFile {
    /// Field by field: a flattened struct would lose the digits of ids.
    fn read(text: &str) -> Result<Self, (usize, String)> {
        let json: Json = serde_json::from_str(text).map_err(|e| (offset(text, e.line(), e.column()), e.to_string()))?;
        let Json::Object(fields) = json else { return Err((0, "an object is wanted, by kind of thing".into())) };
        let mut file = NamesFile { pulled: None, kinds: BTreeMap::new() };
        for (kind, value) in fields {
            if kind == "pulled" {
                file.pulled = value.as_str().map(str::to_owned);
                continue;
            }
            let named = |entry: &Json| Some(Named { name: entry["name"].as_str()?.to_owned(), id: entry.get("id")?.clone() });
            let entries = value.as_array().and_then(|list| list.iter().map(named).collect::<Option<Vec<_>>>());
            let wrong = || (text.find(&format!("\"{kind}\"")).unwrap_or(0), format!("`{kind}` is no list of {{ name, id }}"));
            file.kinds.insert(kind.clone(), entries.ok_or_else(wrong)?);
        }
        Ok(file)
    }
}

impl<'a> Keeper<'a> {
    pub fn new(library: &'a dyn Library, config: &'a Config, sources: &'a Sources) -> Self {
        Keeper {
            library,
            config,
            sources,
            objects: RefCell::default(),
            names: RefCell::default(),
            faults: RefCell::default(),
        }
    }

    /// What is wrong with files that were asked for; their texts are added to `sources`.
    pub fn faults(&self, sources: &mut Sources) -> Vec<Diagnostic> {
        let faults = self.faults.borrow();
        let diagnostic = |fault: &Fault| match &fault.text {
            Some(text) => {
                let file = sources.find(&fault.path).unwrap_or_else(|| sources.add(Source::new(&*fault.path, text.clone())));
                let line_end = text.get(fault.at..).and_then(|t| t.find('\n')).map_or(text.len(), |n| fault.at + n);
                error::bad_schema(Span::new(file, fault.at, line_end.max(fault.at)), &fault.path, &fault.message)
            }
            None => match &fault.absence {
                Some(absence) => error::absent_schema(fault.named, &fault.path, absence),
                None => error::bad_schema(fault.named, &fault.path, &fault.message),
            },
        };
        faults.iter().map(diagnostic).collect()
    }

    /// The names of all things of a connection, for a run.
    pub fn all_names(&self, connection: &str) -> Vec<(String, Arc<Names>)> {
        let Some(file) = self.names_file(connection) else { return Vec::new() };
        file.kinds.iter().map(|(kind, entries)| (kind.clone(), Arc::new(names(&file, entries)))).collect()
    }

    fn fault(&self, fault: Fault) {
        let mut faults = self.faults.borrow_mut();
        if !faults.iter().any(|f| f.path == fault.path) {
            faults.push(fault);
        }
    }

    fn unreadable(&self, path: &str, named: Span, absence: Absence) {
        let message = absence.to_string();
        self.fault(Fault { path: path.into(), text: None, at: 0, message, named, absence: Some(absence) });
    }

    fn find(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        let connection = self.config.connections.get(&of.connection)?;
        if connection.system == "files" {
            return self.file_object(connection, of);
        }
        let path = format!("schemas/{}/{}.json", of.connection, of.object);
        match self.library.read(&path) {
            Ok(text) => self.parsed(&connection.system, of, &path, text, connection.span),
            Err(Absence::NotFound) => objects::standard(&of.connection, &connection.system, &of.object),
            Err(absence) => {
                self.unreadable(&path, connection.span, absence);
                None
            }
        }
    }

    fn parsed(&self, system: &str, of: &ObjectRef, path: &str, text: Arc<str>, named: Span) -> Option<Arc<Object>> {
        match objects::read(&of.connection, system, &of.object, &text) {
            Ok(object) => Some(Arc::new(object)),
            Err(bad) => {
                let at = offset(&text, bad.line, bad.column);
                self.fault(Fault { path: path.into(), text: Some(text), at, message: bad.message, named, absence: None });
                None
            }
        }
    }

    /// An object of a `files` connection: by its schema's file, or as its data looks.
    fn file_object(&self, connection: &Connection, of: &ObjectRef) -> Option<Arc<Object>> {
        let file = connection.objects.get(&of.object)?;
        if let Some(Setting { text: path, span }) = &file.schema {
            return match self.library.read(path) {
                Ok(text) => self.parsed("files", of, path, text, *span),
                Err(absence) => {
                    self.unreadable(path, *span, absence);
                    None
                }
            };
        }
        let Setting { text: path, span } = &file.path;
        match self.library.read(path) {
            Ok(text) => match objects::infer(&of.connection, &of.object, path, &text) {
                Ok(object) => Some(Arc::new(object)),
                Err(bad) => {
                    let at = offset(&text, bad.line, bad.column);
                    self.fault(Fault {
                        path: path.clone(),
                        text: Some(text),
                        at,
                        message: bad.message,
                        named: *span,
                        absence: None,
                    });
                    None
                }
            },
            Err(absence) => {
                self.unreadable(path, *span, absence);
                None
            }
        }
    }

    fn names_file(&self, connection: &str) -> Option<Arc<NamesFile>> {
        if let Some(known) = self.names.borrow().get(connection) {
            return known.clone();
        }
        let path = format!("schemas/{connection}/names.json");
        let named = self.config.connections.get(connection).map_or_else(Span::default, |c| c.span);
        let read = match self.library.read(&path) {
            Ok(text) => match NamesFile::read(&text) {
                Ok(file) => Some(Arc::new(file)),
                Err((at, message)) => {
                    self.fault(Fault { path, text: Some(text), at, message, named, absence: None });
                    None
                }
            },
            Err(Absence::NotFound) => None,
            Err(absence) => {
                self.unreadable(&path, named, absence);
                None
            }
        };
        self.names.borrow_mut().insert(connection.to_owned(), read.clone());
        read
    }
}

fn names(file: &NamesFile, named: &[Named]) -> Names {
    Names { pulled: file.pulled.clone(), names: named.to_vec() }
}

/// The byte of a line and column (both from 1), as readers of JSON count them.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Schemas for Keeper<'_> {
    fn connections(&self) -> Vec<schema::Connection> {
        self.config.connections()
    }

    fn object(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        if let Some(known) = self.objects.borrow().get(of) {
            return known.clone();
        }
        let found = self.find(of);
        self.objects.borrow_mut().insert(of.clone(), found.clone());
        found
    }

    fn objects(&self, connection: &str) -> Vec<String> {
        let Some(known) = self.config.connections.get(connection) else { return Vec::new() };
        if known.system == "files" {
            return known.objects.keys().cloned().collect();
        }
        let folder = format!("schemas/{connection}/");
        let mut all: Vec<String> = objects::standard_names(&known.system);
        for path in self.library.list(".json") {
            let Some(name) = path.strip_prefix(&folder).and_then(|n| n.strip_suffix(".json")) else { continue };
            if name != "names" && !name.contains('/') && !all.iter().any(|known| known == name) {
                all.push(name.to_owned());
            }
        }
        all.sort();
        all
    }

    fn names(&self, of: &ObjectRef) -> Option<Arc<Names>> {
        let file = self.names_file(&of.connection)?;
        // `a store of wms` finds `Store`.
        let (_, entries) = file.kinds.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(&of.object))?;
        Some(Arc::new(names(&file, entries)))
    }
}

impl World for Keeper<'_> {
    fn table(&self, from: FileId, path: &str) -> Result<(String, Arc<str>), TableFault> {
        let beside = self.sources.get(from).map_or("", |s| s.name.as_str());
        let Some(near) = plain(beside, path) else { return Err(TableFault::Outside(path.to_owned())) };
        // Beside the mapping file first, then from the project's folder, where `tables/` lies.
        let (path, read) = match self.library.read(&near) {
            Err(Absence::NotFound) => match plain("", path).map(|far| (self.library.read(&far), far)) {
                Some((Ok(text), far)) => (far, Ok(text)),
                _ => (near, Err(Absence::NotFound)),
            },
            read => (near, read),
        };
        match read {
            Ok(text) => Ok((path, text)),
            Err(Absence::NotFound) => Err(TableFault::NotFound(path)),
            Err(Absence::Outside) => Err(TableFault::Outside(path)),
            Err(Absence::Unreadable(reason)) => Err(TableFault::Unreadable { path, reason }),
        }
    }

    fn parameter(&self, name: &str) -> Option<Setting> {
        self.config.parameters.get(name).cloned()
    }

    fn parameters(&self) -> Vec<(String, Setting)> {
        self.config.parameters.iter().map(|(name, setting)| (name.clone(), setting.clone())).collect()
    }

    fn time_zone(&self) -> jiff::tz::TimeZone {
        self.config.time_zone.clone()
    }
}
