//! What the checker may ask of a project: schemas, names of stores and warehouses, tables.
//!
//! Nothing is read before it is asked for: a client's org has hundreds of objects, a mapping
//! names five. A snapshot `schemas/<connection>/<Object>.json` comes before the system's standard
//! schema of that object.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use super::config::{Config, Connection};
use super::load::plain;
use super::objects::{Bad, offset};
use super::{Absence, Encoding, Library, NotText, columns, error, objects};
use crate::base::diag::{Code, Diagnostic};
use crate::base::{FileId, Source, Sources, Span, Spread, locked};
use crate::check::{CheckEnvironment, Setting, TableFault};
use crate::schema::{self, Named, Names, Object, Schemas};
use crate::system::SystemRef;
use crate::value::{Json, ObjectRef};

/// A project's files as a [`CheckEnvironment`]. What could not be read is kept for [`Keeper::faults`].
pub struct Keeper<'a> {
    library: &'a dyn Library,
    config: &'a Config,
    sources: &'a Sources,
    objects: Mutex<BTreeMap<ObjectRef, Option<Arc<Object>>>>,
    names: Mutex<BTreeMap<String, Option<Arc<NamesFile>>>>,
    /// The kinds of named things that were asked for, whether the project has names of them or not.
    asked_names: Mutex<BTreeSet<ObjectRef>>,
    faults: Mutex<Vec<Fault>>,
    /// CSV files without a schema whose first line was read as one heading.
    uncut: Mutex<Vec<Diagnostic>>,
    /// The project's files of schemas and names.
    listed: OnceLock<Vec<String>>,
}

/// How the name of a file ends that says more of an object than its system does; it stands beside the object's snapshot.
pub const OVERLAY: &str = ".overlay.json";

/// A file of the project that could not be understood.
#[derive(Debug, Clone)]
struct Fault {
    path: String,
    /// Absent if there is no text to point into.
    text: Option<Arc<str>>,
    at: usize,
    message: String,
    code: Code,
    help: Option<String>,
    near: Option<(usize, String)>,
    /// Where the project names the file, or its connection.
    named: Span,
    absence: Option<Absence>,
}

/// `names.json`: by kind of thing the names with their ids, and when they were pulled.
#[derive(Debug)]
struct NamesFile {
    kinds: BTreeMap<String, Arc<Names>>,
}

impl NamesFile {
    /// Field by field: a flattened struct would lose the digits of ids.
    fn read(text: &str) -> Result<Self, Bad> {
        let json: Json =
            serde_json::from_str(text).map_err(|e| Bad { at: offset(text, e.line(), e.column()), message: e.to_string(), near: None })?;
        let Json::Object(fields) = json else {
            return Err(Bad { at: 0, message: "an object is wanted: lists of names by kind of thing".into(), near: None });
        };
        let pulled = fields.get("pulled").and_then(Json::as_str).map(str::to_owned);
        let mut kinds = BTreeMap::new();
        for (kind, value) in fields.into_iter().filter(|(kind, _)| kind != "pulled") {
            let named = |entry: &Json| Some(Named { name: entry["name"].as_str()?.to_owned(), id: entry.get("id")?.clone() });
            let entries = value.as_array().and_then(|list| list.iter().map(named).collect::<Option<Vec<_>>>());
            let wrong =
                || Bad { at: text.find(&format!("\"{kind}\"")).unwrap_or(0), message: format!("`{kind}` is no list of {{ name, id }}"), near: None };
            let names = Names { pulled: pulled.clone(), names: entries.ok_or_else(wrong)? };
            kinds.insert(kind, Arc::new(names));
        }
        Ok(NamesFile { kinds })
    }
}

impl<'a> Keeper<'a> {
    pub fn new(library: &'a dyn Library, config: &'a Config, sources: &'a Sources) -> Self {
        Keeper {
            library,
            config,
            sources,
            objects: Mutex::default(),
            names: Mutex::default(),
            asked_names: Mutex::default(),
            faults: Mutex::default(),
            uncut: Mutex::default(),
            listed: OnceLock::new(),
        }
    }

    /// What is wrong with files that were asked for; their texts are added to `sources`.
    pub fn faults(&self, sources: &mut Sources) -> Vec<Diagnostic> {
        let faults = locked(&self.faults);
        let diagnostic = |fault: &Fault| match &fault.text {
            Some(text) => {
                let file = sources.find(&fault.path).unwrap_or_else(|| sources.add(Source::new(&*fault.path, text.clone())));
                let line_end = text.get(fault.at..).and_then(|t| t.find('\n')).map_or(text.len(), |n| fault.at + n);
                let span = Span::new(file, fault.at, line_end.max(fault.at));
                if let Some((length, near)) = &fault.near {
                    let span = Span::new(file, fault.at, fault.at + length);
                    let said = error::bad_schema(span, &fault.path, &fault.message);
                    return said.mend(format!("did you mean `{near}`?"), span, near.clone());
                }
                match &fault.help {
                    Some(help) => error::bad_text(fault.code, span, &fault.path, &fault.message, help),
                    None => error::bad_schema(span, &fault.path, &fault.message),
                }
            }
            None => match &fault.absence {
                Some(absence) => error::absent_schema(fault.named, &fault.path, absence),
                None => error::bad_schema(fault.named, &fault.path, &fault.message),
            },
        };
        faults.iter().map(diagnostic).chain(locked(&self.uncut).iter().cloned()).collect()
    }

    /// The names of all things of a connection, for a run.
    pub fn all_names(&self, connection: &str) -> Vec<(String, Arc<Names>)> {
        let Some(file) = self.names_file(connection) else { return Vec::new() };
        file.kinds.iter().map(|(kind, names)| (kind.clone(), Arc::clone(names))).collect()
    }

    /// The objects that were asked for and found.
    pub fn met(&self) -> BTreeMap<ObjectRef, Arc<Object>> {
        locked(&self.objects).iter().filter_map(|(of, object)| Some((of.clone(), object.clone()?))).collect()
    }

    /// The kinds of named things that the check asked for.
    pub fn asked_names(&self) -> BTreeSet<ObjectRef> {
        locked(&self.asked_names).clone()
    }

    fn fault(&self, fault: Fault) {
        let mut faults = locked(&self.faults);
        if !faults.iter().any(|f| f.path == fault.path) {
            faults.push(fault);
        }
    }

    fn unreadable<T>(&self, path: &str, named: Span, absence: Absence) -> Option<T> {
        let message = absence.to_string();
        if let Absence::NotText(not) = &absence {
            self.not_text(Code::BadSchema, path, named, not, message);
            return None;
        }
        self.fault(Fault {
            path: path.into(),
            text: None,
            at: 0,
            message,
            code: Code::BadSchema,
            help: None,
            near: None,
            named,
            absence: Some(absence),
        });
        None
    }

    fn not_text(&self, code: Code, path: &str, named: Span, not: &NotText, message: String) {
        let encoding = match not.encoding {
            Encoding::Utf16 => Some("utf-16"),
            Encoding::OneByte => Some("windows-1252"),
            Encoding::Nul | Encoding::Binary => None,
        };
        let help = match encoding.filter(|_| path.to_ascii_lowercase().ends_with(".csv")) {
            Some(encoding) => format!("name its encoding in crossdock.yaml:   csv: {{ {path}: {{ encoding: {encoding} }} }}   or {}", not.help()),
            None => not.help().to_owned(),
        };
        self.fault(Fault {
            path: path.into(),
            text: Some(not.text.clone()),
            at: not.at,
            message,
            code,
            help: Some(help),
            near: None,
            named,
            absence: None,
        });
    }

    fn bad<T>(&self, path: &str, text: Arc<str>, bad: Bad, named: Span) -> Option<T> {
        self.fault(Fault {
            path: path.into(),
            text: Some(text),
            at: bad.at,
            message: bad.message,
            code: Code::BadSchema,
            help: None,
            near: bad.near,
            named,
            absence: None,
        });
        None
    }

    fn find(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        let connection = self.config.connections.get(&of.connection)?;
        if connection.system == "files" {
            return self.file_object(connection, of);
        }
        let found = self.described(connection, of)?;
        let path = format!("schemas/{}/{}{OVERLAY}", of.connection, of.object);
        match self.library.read(&path) {
            Ok(text) => {
                let mut object = (*found).clone();
                match objects::lay_over(&mut object, &text, &of.connection) {
                    Ok(()) => Some(Arc::new(object)),
                    Err(bad) => self.bad(&path, text, bad, connection.span),
                }
            }
            Err(Absence::NotFound) => Some(found),
            Err(absence) => self.unreadable(&path, connection.span, absence),
        }
    }

    /// An object as its system describes it.
    fn described(&self, connection: &Connection, of: &ObjectRef) -> Option<Arc<Object>> {
        let path = format!("schemas/{}/{}.json", of.connection, of.object);
        match self.library.read(&path) {
            Ok(text) => self.parsed(&connection.system, of, &path, text, connection.span),
            Err(Absence::NotFound) if connection.system.is_own() => {
                // What was derived from the vendor's file serves every connection of the system.
                let path = format!("schemas/{}/{}.json", connection.system, of.object);
                match self.library.read(&path) {
                    Ok(text) => self.parsed(&connection.system, of, &path, text, connection.span),
                    Err(Absence::NotFound) => None,
                    Err(absence) => self.unreadable(&path, connection.span, absence),
                }
            }
            Err(Absence::NotFound) => {
                let standard = schema::standard::object(&connection.system, &of.object, &of.connection)?;
                // They come with the program, and a test of `schema` reads them all.
                standard.ok().map(Arc::new)
            }
            Err(absence) => self.unreadable(&path, connection.span, absence),
        }
    }

    fn parsed(&self, system: &SystemRef, of: &ObjectRef, path: &str, text: Arc<str>, named: Span) -> Option<Arc<Object>> {
        match objects::read(&text, system, &of.object, &of.connection) {
            Ok(object) => Some(Arc::new(object)),
            Err(bad) => self.bad(path, text, bad, named),
        }
    }

    /// An object of a `files` connection: by its schema's file, or as its data looks.
    fn file_object(&self, connection: &Connection, of: &ObjectRef) -> Option<Arc<Object>> {
        let Some(file) = connection.objects.get(&of.object) else {
            return self.inner_object(connection, of);
        };
        let (Setting { text: path, span }, given) = match &file.schema {
            Some(schema) => (schema, true),
            None => (&file.path, false),
        };
        let text = if given { self.library.read(path) } else { self.sample(path) };
        let text = match text {
            Ok(text) => text,
            Err(absence) => return self.unreadable(path, *span, absence),
        };
        if given {
            return self.parsed(&"files".into(), of, path, text, *span);
        }
        let separator = self.config.csv(path).separator;
        if let Some(wrong) = columns::one_heading(path, &text, separator) {
            locked(&self.uncut).push(error::wrong_columns(path, *span, path, &wrong));
            return None;
        }
        match objects::infer(path, &text, separator, &of.object, &of.connection) {
            Ok(inferred) => {
                let mut known = locked(&self.objects);
                for object in inferred {
                    known.insert(ObjectRef::new(of.connection.clone(), object.name.clone()), Some(Arc::new(object)));
                }
                known.get(of).cloned().flatten()
            }
            Err(bad) => self.bad(path, text, bad, *span),
        }
    }

    /// The beginning of a file of records. UTF-16 is told by its first bytes, as in a run.
    pub(super) fn sample(&self, path: &str) -> Result<Arc<str>, Absence> {
        let read = match self.config.csv(path).charset {
            Some(charset) => self.library.sample_in(path, charset),
            None => self.library.sample(path),
        };
        match read {
            Err(Absence::NotText(not)) if not.encoding == Encoding::Utf16 => Ok(not.text),
            read => read,
        }
    }

    /// Keeps that a file of records cannot be read, to be told with the other faults. `named` is the place that names it.
    pub(super) fn unreadable_records(&self, path: &str, named: Span, absence: Absence) {
        match absence {
            Absence::NotText(not) => {
                let message = Absence::NotText(not.clone()).to_string();
                self.not_text(Code::BadSchema, path, named, &not, message);
            }
            absence => {
                self.unreadable::<()>(path, named, absence);
            }
        }
    }

    /// An object inside the records of another: its schema lies beside the other's, or was
    /// inferred with it.
    fn inner_object(&self, connection: &Connection, of: &ObjectRef) -> Option<Arc<Object>> {
        for (name, file) in &connection.objects {
            let Some(schema) = &file.schema else {
                self.object(&ObjectRef::new(of.connection.clone(), name.clone()));
                continue;
            };
            let path = plain(&schema.text, &format!("{}.json", of.object))?;
            if let Ok(text) = self.library.read(&path) {
                return self.parsed(&"files".into(), of, &path, text, schema.span);
            }
        }
        locked(&self.objects).get(of).cloned().flatten()
    }

    fn names_file(&self, connection: &str) -> Option<Arc<NamesFile>> {
        if let Some(known) = locked(&self.names).get(connection) {
            return known.clone();
        }
        let path = format!("schemas/{connection}/names.json");
        let named = self.config.connections.get(connection).map_or_else(Span::default, |c| c.span);
        let read = match self.library.read(&path) {
            Ok(text) => match NamesFile::read(&text) {
                Ok(file) => Some(Arc::new(file)),
                Err(bad) => self.bad(&path, text, bad, named),
            },
            Err(Absence::NotFound) => None,
            Err(absence) => self.unreadable(&path, named, absence),
        };
        locked(&self.names).insert(connection.to_owned(), read.clone());
        read
    }
}

impl Schemas for Keeper<'_> {
    fn connections(&self) -> Vec<schema::Connection> {
        self.config.connections()
    }

    fn object(&self, of: &ObjectRef) -> Option<Arc<Object>> {
        if let Some(known) = locked(&self.objects).get(of) {
            return known.clone();
        }
        let found = self.find(of);
        locked(&self.objects).insert(of.clone(), found.clone());
        found
    }

    fn objects(&self, connection: &str) -> Vec<String> {
        let Some(known) = self.config.connections.get(connection) else { return Vec::new() };
        if known.system == "files" {
            return known.objects.keys().cloned().collect();
        }
        let folder = format!("schemas/{connection}/");
        let of_system = known.system.is_own().then(|| format!("schemas/{}/", known.system));
        let mut all: Vec<String> =
            if known.system.is_own() { Vec::new() } else { schema::standard::objects(&known.system).map(str::to_owned).collect() };
        for path in self.listed.get_or_init(|| self.library.list(".json")) {
            let inside = path.strip_prefix(&folder).or_else(|| path.strip_prefix(of_system.as_deref()?));
            let Some(name) = inside.and_then(|n| n.strip_suffix(".json")) else { continue };
            if name != "names" && !name.contains(['/', '.']) && !all.iter().any(|known| known == name) {
                all.push(name.to_owned());
            }
        }
        all.sort();
        all
    }

    fn names(&self, of: &ObjectRef) -> Option<Arc<Names>> {
        locked(&self.asked_names).insert(of.clone());
        let file = self.names_file(&of.connection)?;
        // `a store of wms` finds `Store`.
        file.kinds.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(&of.object)).map(|(_, names)| Arc::clone(names))
    }

    fn has_names(&self, connection: &str) -> bool {
        self.names_file(connection).is_some()
    }
}

impl CheckEnvironment for Keeper<'_> {
    fn table(&self, from: FileId, path: &str) -> Result<(String, Arc<str>), TableFault> {
        let beside = self.sources.get(from).map_or("", |s| s.name.as_str());
        let Some(near) = plain(beside, path) else { return Err(TableFault::Outside(path.to_owned())) };
        // Beside the mapping file first, then from the project's folder, where `tables/` lies.
        let read = |path: &str| match self.config.csv(path).charset {
            Some(charset) => self.library.read_in(path, charset),
            None => self.library.read(path),
        };
        let (path, read) = match read(&near) {
            Err(Absence::NotFound) => match plain("", path).map(|far| (read(&far), far)) {
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
            Err(Absence::NotText(not)) => {
                let message = Absence::NotText(not.clone()).to_string();
                self.not_text(Code::TableMissing, &path, Span::default(), &not, message);
                Err(TableFault::Told(path))
            }
        }
    }

    fn separator(&self, path: &str) -> Option<u8> {
        self.config.csv(path).separator
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

    fn spread(&self) -> &dyn Spread {
        self.library
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Options, Texts, load};

    const CONFIG: &str = "connections:
  crm: { system: salesforce }
  wms: { system: shipstation }
  shop:
    system: files
    objects:
      Order: data/orders.jsonl
      Sku: { path: data/skus.csv, schema: schemas/shop/Sku.json }
";

    fn asked(texts: &Texts, ask: impl FnOnce(&Keeper<'_>)) -> Vec<Diagnostic> {
        let loaded = load(texts, &Options::default());
        assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
        let keeper = Keeper::new(texts, &loaded.config, &loaded.sources);
        ask(&keeper);
        keeper.faults(&mut loaded.sources.clone())
    }

    fn of(path: &str) -> ObjectRef {
        let (connection, object) = path.split_once('.').unwrap();
        ObjectRef::new(connection, object)
    }

    #[test]
    fn standards_snapshots_and_samples_are_found() {
        let texts = Texts::new([
            ("crossdock.yaml", CONFIG),
            ("schemas/wms/names.json", r#"{ "pulled": "2026-11-18", "Store": [{ "name": "Amazon US", "id": 4401 }] }"#),
            ("data/orders.jsonl", "{\"id\": \"1\", \"zip\": \"01234\", \"lines\": [{ \"sku\": \"A\" }]}\n"),
        ]);
        let faults = asked(&texts, |keeper| {
            assert!(keeper.object(&of("crm.Order")).unwrap().fields.contains_key("OrderNumber"));
            assert!(keeper.object(&of("wms.Order")).unwrap().fields.contains_key("orderKey"));
            assert!(keeper.object(&of("crm.Ordr")).is_none());
            assert_eq!(keeper.object(&of("shop.Order")).unwrap().fields["zip"].kind.to_string(), "text");
            let stores = keeper.names(&of("wms.store")).unwrap();
            assert_eq!((stores.names[0].name.as_str(), stores.names[0].id.to_string().as_str()), ("Amazon US", "4401"));
            assert!(keeper.names(&of("wms.warehouse")).is_none());
            assert!(keeper.has_names("wms") && !keeper.has_names("crm"));
            assert!(keeper.objects("crm").contains(&"Account".to_owned()));
        });
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn what_cannot_be_read_is_said_once_and_where() {
        let texts = Texts::new([
            ("crossdock.yaml", CONFIG),
            ("schemas/crm/Order.json", "{ \"fields\": [\n"),
            ("schemas/wms/names.json", r#"{ "Store": [{ "nam": "Amazon US" }] }"#),
        ]);
        let faults = asked(&texts, |keeper| {
            assert!(keeper.object(&of("crm.Order")).is_none());
            assert!(keeper.object(&of("crm.Order")).is_none());
            assert!(keeper.names(&of("wms.store")).is_none());
            assert!(keeper.object(&of("shop.Sku")).is_none());
        });
        assert_eq!(faults.iter().map(|d| d.code).collect::<Vec<_>>(), vec![Code::BadSchema; 3], "{faults:?}");
        assert!(faults[1].primary.text.contains("`Store`"), "{faults:?}");
    }

    #[test]
    fn nothing_is_read_that_nobody_asks_for() {
        let texts = Texts::new([("crossdock.yaml", CONFIG), ("schemas/crm/Order.json", "broken")]);
        assert!(asked(&texts, |keeper| assert!(keeper.object(&of("crm.Account")).is_some())).is_empty());
    }

    #[test]
    fn tables_lie_beside_the_mapping_or_in_the_projects_folder() {
        let texts =
            Texts::new([("crossdock.yaml", CONFIG), ("flows/orders.dock", "edition 1\n"), ("flows/own.csv", "a\n"), ("tables/kits.csv", "b\n")]);
        let loaded = load(&texts, &Options::default());
        let keeper = Keeper::new(&texts, &loaded.config, &loaded.sources);
        let from = loaded.sources.find("flows/orders.dock").unwrap();
        assert_eq!(keeper.table(from, "own.csv").unwrap().0, "flows/own.csv");
        assert_eq!(keeper.table(from, "tables/kits.csv").unwrap().0, "tables/kits.csv");
        assert_eq!(keeper.table(from, "../../x.csv"), Err(TableFault::Outside("../../x.csv".into())));
        assert_eq!(keeper.table(from, "no.csv"), Err(TableFault::NotFound("flows/no.csv".into())));
    }
}
