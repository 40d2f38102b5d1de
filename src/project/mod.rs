//! A client's project: many files, connections, parameters; and the one door, [`compile`].

pub mod alerts;
pub mod allow;
pub mod config;
mod error;
mod load;
mod objects;
pub mod records;
pub mod retention;
pub mod templates;
mod texts;
mod world;
pub mod yaml;

pub use error::SYSTEMS;
pub use load::{Loaded, Options, Planned, load};
pub use objects::{Bad, draft, infer};
pub use texts::Texts;
pub use world::{Keeper, OVERLAY};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::diag::{Code, Diagnostic, render};
use crate::base::{FileId, Sources, Spread};
use crate::check::typed::Mapping;
use crate::check::{self, Unit};
use crate::plan::{self, Extent, Plan};
use crate::schema::Names;
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
    /// In the order of files and text, none twice.
    pub diagnostics: Vec<Diagnostic>,
    /// Warnings that the project allows, with its reasons.
    pub allowed: Vec<allow::Allowed>,
    /// Mapping files that were read.
    pub units: Vec<Unit>,
    /// What they mean, if no mapping has an error and no plan was made of it.
    pub mapping: Option<Mapping>,
}

impl Compiled {
    /// How many flows stand in the files that were read.
    pub fn flows(&self) -> usize {
        let flow = |item: &&Arc<Item>| matches!(item.kind, ItemKind::Flow(_));
        self.units.iter().flat_map(|unit| &unit.tree.items).filter(flow).count()
    }
}

/// Reads, checks and plans a project. It never stops at the first mistake.
pub fn compile(library: &dyn Library, options: &Options) -> Compiled {
    let Loaded { config, mut sources, units, mut diagnostics } = load(library, options);
    let unsettled = diagnostics.iter().any(|d| matches!(d.code, Code::BadProject | Code::UnknownSystem));
    let names: BTreeMap<ObjectRef, Arc<Names>>;
    let (plan, mapping, faults, with_schemas) = {
        let keeper = Keeper::new(library, &config, &sources);
        let checked = check::check(&units, &sources, &keeper);
        diagnostics.extend(checked.diagnostics);
        let extent = match options.planned {
            Planned::Nothing => None,
            Planned::Touched => Some(Extent::Touched),
            Planned::Whole => Some(Extent::Whole),
        };
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
        (plan, mapping, faults, with_schemas)
    };
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
        let echo = matches!(d.code, Code::UnknownFunction | Code::OverrideOfNothing | Code::RemoveOfNothing);
        !(echo && lacking.contains(&d.primary.span.file))
    });
    if !faults.is_empty() {
        sources = with_schemas;
        // Of an object that cannot be read every field is unknown: the cause is said, not its echoes.
        diagnostics.retain(|d| !load::echoes(d.code));
        diagnostics.extend(faults);
    }
    let allowed = allow::apply(&config.allow, &mut diagnostics, &units, &sources);
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    Compiled { allowed, config, names, plan: plan.filter(|_| !broken), diagnostics: render::sorted(diagnostics, &sources), units, mapping, sources }
}
