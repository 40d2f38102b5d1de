//! What `crossdock system import` does: a vendor's file, corrected and cut to what a description uses, and the schemas of its objects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::folder::unreadable;
use super::{Failure, own_system};
use crate::apispec::{self, ApiSpec, Origin, SpecError, Style};
use crate::base::diag::Diagnostic;
use crate::base::{Sources, bounds};
use crate::describe::against::{VendorFile, survey};
use crate::describe::{self, Described};
use crate::fault::file;
use crate::schema;
use crate::value::Json;
use crate::yaml;

/// A vendor's file, read: the model, and of OpenAPI the document that it was read from.
#[derive(Debug)]
pub struct Vendor {
    pub api: ApiSpec,
    /// It was imported before, and cut to the calls that were used then.
    pub is_cut: bool,
    pub document: Option<Json>,
}

/// What is written for a system, and what its description says that the vendor's file does not.
#[derive(Debug)]
pub struct Derived {
    /// The folder that holds `systems/` and `schemas/`.
    pub root: PathBuf,
    /// The cut file, as it is written: `spec.json` or `spec.graphql`.
    pub spec: String,
    pub style: Style,
    /// Schemas by object, as they are written.
    pub schemas: BTreeMap<String, String>,
    pub found: Vec<Diagnostic>,
    pub sources: Sources,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The folder that holds `systems/` and `schemas/`, or one in its project.
    pub root: PathBuf,
    pub name: String,
    /// The vendor's whole file; without it the cut one beside the description.
    pub vendor: Option<(Style, PathBuf)>,
    /// Where the whole file comes from.
    pub source: Option<String>,
}

/// Why a vendor's file cannot be read with its corrections.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotRead {
    pub error: SpecError,
    /// The place of the corrections that are to blame, where it is not the vendor's file.
    pub corrections: Option<usize>,
}

impl From<SpecError> for NotRead {
    fn from(error: SpecError) -> Self {
        NotRead { error, corrections: None }
    }
}

impl NotRead {
    /// What the command ends with. `file` is the vendor's, `corrections` are those that were given, in their order.
    pub(super) fn failure(self, file: &Path, corrections: &[PathBuf]) -> Failure {
        let path = self.corrections.and_then(|at| corrections.get(at)).map_or(file, PathBuf::as_path);
        let failure = Failure::findings(format!("{}: {}", path.display(), self.error));
        match self.error.help {
            Some(help) => failure.hint(help),
            None => failure,
        }
    }
}

/// Reads a vendor's file, with its corrections: of OpenAPI an overlay, of GraphQL extensions (`extend type Order { … }`).
///
/// # Errors
/// The file or its corrections cannot be read.
pub fn vendor(style: Style, text: &str, corrections: &[&str]) -> Result<Vendor, NotRead> {
    match style {
        Style::GraphQl => {
            let mut texts = vec![("the vendor's schema", text)];
            texts.extend(corrections.iter().map(|text| ("the corrections", *text)));
            Ok(Vendor { api: ApiSpec::graphql(&texts)?, is_cut: false, document: None })
        }
        Style::OpenApi => {
            let mut document = json(text)?;
            for (at, overlay) in corrections.iter().enumerate() {
                let corrected = json(overlay).and_then(|overlay| apispec::correct(&mut document, &overlay));
                corrected.map_err(|error| NotRead { error, corrections: Some(at) })?;
            }
            Ok(Vendor { api: ApiSpec::openapi(&document)?, is_cut: false, document: Some(document) })
        }
    }
}

/// JSON, or YAML as vendors' tools write it.
fn json(text: &str) -> Result<Json, SpecError> {
    if text.trim_start().starts_with('{') {
        let place = |error: serde_json::Error| SpecError {
            at: format!("line {}, column {}", error.line(), error.column()),
            reason: format!("this is no JSON: {error}"),
            help: None,
        };
        return serde_json::from_str(text).map_err(place);
    }
    let read = yaml::read(text).or_else(|error| match apispec::indented(text) {
        Some(indented) => yaml::read(&indented),
        None => Err(error),
    });
    read.map(|node| node.json()).map_err(|error| SpecError {
        at: format!("line {}", text[..error.at.min(text.len())].lines().count().max(1)),
        reason: format!("this is neither JSON nor YAML: {}", error.message),
        help: None,
    })
}

/// Cuts a vendor's file to what a description uses, and derives the schemas of its objects.
///
/// # Errors
/// What is cut cannot be read again, since a reference in it leads nowhere.
pub fn derive(described: &Described, vendor: &Vendor, origin: &Origin) -> Result<(String, BTreeMap<String, String>, Vec<Diagnostic>), SpecError> {
    let default = unnamed(described);
    let spec = described.specs.first().unwrap_or(&default);
    let whole = survey(described, &[VendorFile { spec, api: &vendor.api, is_cut: vendor.is_cut }]);
    let used = whole.used.into_iter().next().unwrap_or_default();
    let (text, cut) = match &vendor.document {
        Some(document) => {
            let cut = apispec::cut_openapi(document, &used, origin)?;
            let text = serde_json::to_string_pretty(&cut).unwrap_or_default() + "\n";
            (text, Vendor { api: ApiSpec::openapi(&cut)?, is_cut: true, document: Some(cut) })
        }
        None => {
            let cut = vendor.api.cut_graphql(&used, origin);
            let api = ApiSpec::graphql(&[("the cut schema", &cut)])?;
            (cut, Vendor { api, is_cut: true, document: None })
        }
    };
    let again = survey(described, &[VendorFile { spec, api: &cut.api, is_cut: true }]);
    let title = if cut.api.title.is_empty() { &described.title } else { &cut.api.title };
    let source = format!("{title}: {} ({})", origin.source, origin.retrieved);
    let objects = describe::schemas::schemas(described, &again, &source);
    let mut found = whole.found;
    for field in described.names.iter().flat_map(|named| &named.fields) {
        let is = |(object, name): (&str, &str)| objects.iter().any(|known| known.name == object && known.fields.contains_key(name));
        if !field.node.split_once('.').is_some_and(is) {
            found.push(describe::no_field_of_names(&field.node, field.span));
        }
    }
    let print = |object: &schema::Object| serde_json::to_string_pretty(&schema::to_json(object)).unwrap_or_default() + "\n";
    let schemas = objects.iter().map(|object| (object.name.clone(), print(object))).collect();
    Ok((text, schemas, found))
}

/// The vendor's file of a description that names none.
pub(super) fn unnamed(described: &Described) -> describe::model::Spec {
    describe::model::Spec {
        form: describe::model::SpecForm::OpenApi,
        file: described.system.clone(),
        prefix: None,
        base: None,
        corrections: None,
        extra: None,
    }
}

/// Derives what stands in `systems/NAME` and `schemas/NAME` from the description and the vendor's file.
///
/// # Errors
/// There is no description, or no vendor's file; one of them cannot be read.
pub fn import(asked: &Asked) -> Result<Derived, Failure> {
    let own = own_system::read(&asked.root, &asked.name)?;
    let (folder, mut found) = (own.folder, own.known.errors);
    let sources = own.sources;
    let read = |path: &Path| file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error));
    let Some(described) = own.known.described else {
        return Ok(Derived { root: own.root, spec: String::new(), style: Style::OpenApi, schemas: BTreeMap::new(), found, sources });
    };
    found.extend(missing_corrections(&described, &folder));
    if described.specs.len() > 1 {
        return Err(Failure::usage(format!("`{}` has several vendor's files", asked.name)).hint("only systems with one file can be imported yet"));
    }
    let cut = [(Style::OpenApi, folder.join("spec.json")), (Style::GraphQl, folder.join("spec.graphql"))];
    let known = cut.iter().find(|(_, path)| path.is_file());
    let origin = match (&asked.source, known) {
        (None, Some((style, path))) if asked.vendor.is_none() => origin_of(*style, &read(path)?),
        (said, _) => {
            let name = asked.vendor.as_ref().and_then(|(_, path)| path.file_name()).map(|name| name.to_string_lossy().into_owned());
            let today = jiff::Timestamp::now().to_string();
            Origin { source: said.clone().or(name).unwrap_or_default(), retrieved: today.split('T').next().unwrap_or("").to_owned() }
        }
    };
    let (style, path) = match (&asked.vendor, known) {
        (Some((style, path)), _) | (None, Some((style, path))) => (*style, path.clone()),
        (None, None) => {
            let hint = "pass the vendor's file: `--openapi FILE` or `--graphql FILE`";
            return Err(Failure::usage(format!("there is no file of the vendor in `{}`", folder.display())).hint(hint));
        }
    };
    // What is cut has been corrected.
    let (mut corrections, mut beside) = (Vec::new(), Vec::new());
    if asked.vendor.is_some() {
        if let Some(path) = corrections_of(&described, &folder, style) {
            corrections.push(read(&path)?);
            beside.push(path);
        }
        if style == Style::GraphQl {
            corrections.extend(described.specs.iter().filter_map(|spec| spec.extra.as_ref()).map(|extra| extra.node.clone()));
        }
    }
    let texts: Vec<&str> = corrections.iter().map(String::as_str).collect();
    let mut read = vendor(style, &read(&path)?, &texts).map_err(|error| error.failure(&path, &beside))?;
    read.is_cut = asked.vendor.is_none();
    let (spec, schemas, differs) = derive(&described, &read, &origin).map_err(|error| NotRead::from(error).failure(&path, &beside))?;
    found.extend(differs);
    Ok(Derived { root: own.root, spec, style, schemas, found, sources })
}

/// The corrections of a vendor's file: those that the description names, else what lies beside it under the usual name.
fn corrections_of(described: &Described, folder: &Path, style: Style) -> Option<PathBuf> {
    let usual = if style == Style::GraphQl { "corrections.graphql" } else { "corrections.yaml" };
    let named = described.specs.first().and_then(|spec| spec.corrections.as_ref()).map(|named| named.node.as_str());
    Some(folder.join(named.unwrap_or(usual))).filter(|path| path.is_file())
}

/// Corrections that a description names and that do not lie beside it.
pub(super) fn missing_corrections(described: &Described, folder: &Path) -> Vec<Diagnostic> {
    let named = described.specs.iter().filter_map(|spec| spec.corrections.as_ref());
    named.filter(|named| !folder.join(&named.node).is_file()).map(|named| describe::no_such_file(&named.node, named.span)).collect()
}

/// The origin that a cut file names.
pub(super) fn origin_of(style: Style, text: &str) -> Origin {
    let of = |name: &str| match style {
        Style::GraphQl => text.lines().find_map(|line| line.strip_prefix(&format!("# {name}: "))).unwrap_or_default().to_owned(),
        Style::OpenApi => {
            let json: Json = serde_json::from_str(text).unwrap_or_default();
            json["info"][format!("x-{name}")].as_str().unwrap_or_default().to_owned()
        }
    };
    Origin { source: of("source"), retrieved: of("retrieved") }
}

/// The files of a system, by their names from the root.
pub fn files(asked: &Asked, derived: &Derived) -> Vec<(PathBuf, String)> {
    let spec = if derived.style == Style::GraphQl { "spec.graphql" } else { "spec.json" };
    let mut files = vec![(Path::new("systems").join(&asked.name).join(spec), derived.spec.clone())];
    let folder = Path::new("schemas").join(&asked.name);
    files.extend(derived.schemas.iter().map(|(object, text)| (folder.join(format!("{object}.json")), text.clone())));
    files
}

/// Schemas of the system's folder that are derived from nothing any more: their object is gone, or is called otherwise now.
pub fn left_over(asked: &Asked, derived: &Derived) -> Vec<PathBuf> {
    let folder = Path::new("schemas").join(&asked.name);
    let all = std::fs::read_dir(derived.root.join(&folder)).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // Overlays and names stand beside the schemas.
    let is_left = |object: &str| object != "names" && !object.contains('.') && !derived.schemas.contains_key(object);
    let mut left: Vec<PathBuf> = all.filter(|name| name.strip_suffix(".json").is_some_and(is_left)).map(|name| folder.join(name)).collect();
    left.sort();
    left
}
