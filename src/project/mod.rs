//! A client's project: many files, connections, parameters; and the one door, [`compile`].

pub mod alerts;
pub mod allow;
pub mod columns;
pub mod config;
mod csv_form;
mod environment;
mod error;
mod load;
mod objects;
mod own_systems;
pub mod records;
pub mod retention;
pub mod schedule;
mod settings;
pub mod templates;
mod texts;

pub use csv_form::CsvForm;
pub use environment::{Keeper, OVERLAY};
pub use load::{Loaded, Options, Planned, load};
pub use objects::{Bad, draft, infer};
pub use own_systems::{described, name_fault};
pub use settings::{Environment, Source, Unfilled, Unset, filled, no_source, source};
pub use texts::Texts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic, Edit, render};
use crate::base::{Charset, FileId, Sources, Spread};
use crate::check::{self, Unit};
use crate::ir::Mapping;
use crate::plan::{self, Extent, Plan};
use crate::schema::{Names, Object};
use crate::syntax::tree::{Item, ItemKind};
use crate::value::ObjectRef;

/// Everything that a compilation asks of the outside. The command line keeps it over a folder,
/// tests over a map of texts.
pub trait Library: Spread {
    /// The text of a file, named from the project's folder with `/`.
    ///
    /// # Errors
    /// [`Absence`] says whether it is not there, lies outside, or cannot be read.
    fn read(&self, path: &str) -> Result<Arc<str>, Absence>;

    /// The beginning of a file of records: whole records, enough to tell what they look like.
    ///
    /// # Errors
    /// As [`Library::read`].
    fn sample(&self, path: &str) -> Result<Arc<str>, Absence> {
        self.read(path)
    }

    /// As [`Library::read`], of a file in another encoding.
    ///
    /// # Errors
    /// As [`Library::read`].
    fn read_in(&self, path: &str, _: Charset) -> Result<Arc<str>, Absence> {
        self.read(path)
    }

    /// As [`Library::sample`], of a file in another encoding.
    ///
    /// # Errors
    /// As [`Library::read`].
    fn sample_in(&self, path: &str, _: Charset) -> Result<Arc<str>, Absence> {
        self.sample(path)
    }

    /// Whether there is such a file.
    fn exists(&self, path: &str) -> bool {
        !matches!(self.read(path), Err(Absence::NotFound))
    }

    /// The value of a variable of the environment. It tells where a connection leads; a secret is not asked for.
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    /// All files of the project whose names end so (`.dock`), sorted, from the project's folder.
    fn list(&self, ending: &str) -> Vec<String>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    #[error("there is no such file")]
    NotFound,
    #[error("it lies outside the project's folder")]
    Outside,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("{}", .0.words())]
    NotText(NotText),
}

/// A file that is no text in UTF-8, as far as it can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    pub encoding: Encoding,
    /// What it says if it is read by that encoding.
    pub text: Arc<str>,
    /// The first byte of `text` that would be another in UTF-8.
    pub at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf16,
    /// Latin-1 or the like: one byte a sign.
    OneByte,
    /// UTF-8 with a NUL in it, as a disk that was full or a copy that broke off leaves it.
    Nul,
    Binary,
}

impl NotText {
    /// Looks at bytes that are no UTF-8, or that hold signs of no text.
    pub fn of(bytes: &[u8]) -> Self {
        let nulls = bytes.iter().take(256).filter(|byte| **byte == 0).count();
        let marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        if marked || nulls * 3 >= bytes.len().min(256) && nulls > 0 {
            let big = bytes.starts_with(&[0xfe, 0xff]) || !marked && bytes.first() == Some(&0);
            let units =
                bytes.chunks_exact(2).map(|two| if big { u16::from_be_bytes([two[0], two[1]]) } else { u16::from_le_bytes([two[0], two[1]]) });
            let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).filter(|c| *c != '\u{feff}').collect();
            return NotText { encoding: Encoding::Utf16, text: text.into(), at: 0 };
        }
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        if let Some(at) = bytes.iter().position(|byte| *byte == 0).filter(|_| valid == bytes.len()) {
            return NotText { encoding: Encoding::Nul, text: String::from_utf8_lossy(bytes).into(), at };
        }
        let encoding = if nulls > 0 { Encoding::Binary } else { Encoding::OneByte };
        // What comes before is UTF-8 as it stands; behind it each byte is a sign.
        let (before, behind) = bytes.split_at(valid);
        let mut text = String::from_utf8_lossy(before).into_owned();
        text.extend(behind.iter().map(|byte| char::from(*byte)));
        NotText { encoding, text: text.into(), at: valid }
    }

    fn words(&self) -> &'static str {
        match self.encoding {
            Encoding::Utf16 => "it is written in UTF-16, and a text of the project is in UTF-8",
            Encoding::OneByte => "here stands a sign in another encoding (Latin-1 or Windows-1252), and a text of the project is in UTF-8",
            Encoding::Nul => "here stands a NUL character, which no text holds",
            Encoding::Binary => "it is no text",
        }
    }

    /// How to save it anew.
    pub fn help(&self) -> &'static str {
        match self.encoding {
            Encoding::Utf16 => {
                "save it as UTF-8: in an editor by “Save with encoding”, in Excel as “CSV UTF-8”, or `iconv -f UTF-16 -t UTF-8 old > new`"
            }
            Encoding::OneByte => {
                "save it as UTF-8: in an editor by “Save with encoding”, in Excel as “CSV UTF-8”, or `iconv -f WINDOWS-1252 -t UTF-8 old > new`"
            }
            Encoding::Nul => "take it out; the file may be damaged: compare it with its last version",
            Encoding::Binary => "name a file of text: a spreadsheet is saved as “CSV UTF-8”",
        }
    }
}

/// What a compilation gives.
#[derive(Debug)]
pub struct Compiled {
    pub config: config::Config,
    pub sources: Sources,
    /// Present if no diagnostic is an error, and a plan was asked for.
    pub plan: Option<Plan>,
    /// The named things of all connections (stores, warehouses), as of their snapshots.
    pub names: BTreeMap<ObjectRef, Arc<Names>>,
    /// The kinds of named things that the mapping speaks of, also where the project has no names of them.
    pub asked_names: BTreeSet<ObjectRef>,
    /// In the order of files and text, none twice.
    pub diagnostics: Vec<Diagnostic>,
    /// Warnings that the project allows, with its reasons.
    pub allowed: Vec<allow::Allowed>,
    /// Mapping files that were read.
    pub units: Vec<Unit>,
    /// What they mean, if no mapping has an error and no plan was made of it.
    pub mapping: Option<Mapping>,
    /// The objects that the check has looked at.
    pub objects: BTreeMap<ObjectRef, Arc<Object>>,
}

impl Compiled {
    /// Adds errors that were found beside the mappings. Doubts come when there is no error.
    pub fn refuse(&mut self, errors: Vec<Diagnostic>) {
        if errors.is_empty() {
            return;
        }
        self.diagnostics.retain(Diagnostic::is_error);
        self.diagnostics.extend(errors);
        self.diagnostics = render::sorted(std::mem::take(&mut self.diagnostics), &self.sources);
    }

    /// How many flows stand in the files that were read.
    pub fn flows(&self) -> usize {
        let flow = |item: &&Arc<Item>| matches!(item.kind, ItemKind::Flow(_));
        self.units.iter().flat_map(|unit| &unit.tree.items).filter(flow).count()
    }
}

/// Reads, checks and plans a project. It never stops at the first mistake.
pub fn compile(library: &dyn Library, options: &Options) -> Compiled {
    let Loaded { config, mut sources, units, mut diagnostics } = load(library, options);
    let read = diagnostics.len();
    let unsettled = diagnostics.iter().any(|d| matches!(d.code, Code::BadProject | Code::UnknownSystem));
    let names: BTreeMap<ObjectRef, Arc<Names>>;
    let (plan, mapping, faults, with_schemas, objects, asked_names) = {
        let keeper = Keeper::new(library, &config, &sources);
        let checked = check::check(&units, &sources, &keeper);
        diagnostics.extend(checked.diagnostics);
        let extent = match options.planned {
            Planned::Nothing => None,
            Planned::Touched => Some(Extent::Touched),
            Planned::Whole => Some(Extent::Whole),
        };
        if let Some(mapping) = &checked.mapping {
            diagnostics.extend(columns::check(&keeper, &config, mapping));
        }
        let (plan, mapping) = match (checked.mapping, extent) {
            (Some(mapping), Some(extent)) if !diagnostics.iter().any(Diagnostic::is_error) => {
                (Some(plan::build(mapping, &keeper, &config.zone, extent)), None)
            }
            (mapping, _) => (None, mapping),
        };
        let of = |connection: &str, kind: String| ObjectRef::new(connection, kind);
        names = config
            .connections
            .keys()
            .flat_map(|connection| keeper.all_names(connection).into_iter().map(move |(kind, names)| (of(connection, kind), names)))
            .collect();
        let mut with_schemas = sources.clone();
        let faults = keeper.faults(&mut with_schemas);
        (plan, mapping, faults, with_schemas, keeper.met(), keeper.asked_names())
    };
    if config.lacking {
        // Of a connection that could not be read nothing is known: what uses it would only repeat the cause.
        diagnostics.truncate(read);
    }
    // A parameter's value stands under a name that is misspelt.
    let about = |d: &Diagnostic| d.message.split('`').nth(1).unwrap_or("").to_owned();
    let misspelt = diagnostics.iter().filter(|d| d.code == Code::BadProject && d.message.starts_with("no mapping declares"));
    let misspelt: Vec<String> = misspelt.map(about).collect();
    if !misspelt.is_empty() {
        // Where a field takes one of some values, a name that is not known is told as a value.
        let value = |d: &Diagnostic| d.message.split('`').nth(3).unwrap_or("").to_owned();
        diagnostics.retain(|d| match d.code {
            Code::ParameterUnset => false,
            Code::UnknownName => !misspelt.contains(&about(d)),
            Code::NotInEnumeration => !misspelt.contains(&value(d)),
            _ => true,
        });
    }
    if unsettled {
        // A connection or parameter that could not be read is unknown wherever it is used.
        diagnostics.retain(|d| !matches!(d.code, Code::UnknownConnection | Code::ParameterUnset));
    }
    // What a file that is not there would have brought in is unknown in the file that names it.
    let lacking: Vec<FileId> = diagnostics
        .iter()
        .filter(|d| matches!(d.code, Code::FileNotFound | Code::OutsideProject | Code::ImportCycle))
        .map(|d| d.primary.span.file)
        .collect();
    diagnostics.retain(|d| {
        // A name with a likely correction is a mistake of its own, unless that is the same name in the file that is not found.
        let own = |edit: &Edit| edit.replacement != about(d);
        let unknown = d.code == Code::UnknownName && !d.help.iter().any(|help| help.edit.as_ref().is_some_and(own));
        let echo = unknown || matches!(d.code, Code::UnknownFunction | Code::OverrideOfNothing | Code::RemoveOfNothing);
        !(echo && lacking.contains(&d.primary.span.file))
    });
    if !faults.is_empty() {
        sources = with_schemas;
        // Of an object that cannot be read every field is unknown: the cause is said, not its echoes.
        diagnostics.retain(|d| !load::echoes(d.code));
        diagnostics.extend(faults);
    }
    let allowed = allow::apply(&config.allow, &mut diagnostics, &units, &sources, options.only.is_none());
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    if broken {
        // Doubts come when there is no error: what could not be read would be in doubt everywhere.
        diagnostics.retain(Diagnostic::is_error);
    }
    Compiled {
        allowed,
        config,
        names,
        asked_names,
        plan: plan.filter(|_| !broken),
        diagnostics: render::sorted(diagnostics, &sources),
        units,
        mapping,
        sources,
        objects,
    }
}
