//! What `crossdock system new` does: a draft of a system's description, from the vendor's API file or from sample records.
//!
//! A draft claims no more than the file says. What is guessed is marked `[K]` with its reason, what is not found stands behind `TODO`;
//! `crossdock system check` lists both until a person has taken them away.

mod found;
mod graphql;
mod head;
mod page;
mod rest;
mod samples;
pub(super) mod words;

use std::path::{Path, PathBuf};

pub(super) use self::page::TODO;

use self::found::Found;
use self::graphql::Connection;
use self::head::Access;
use self::page::Text;
use self::rest::Rest;
use super::folder::unreadable;
use super::system_import::{self, Vendor};
use super::{Failure, Folder, own_system};
use crate::apispec::{self, Style};
use crate::base::{Sources, bounds};
use crate::describe;
use crate::fault::file;
use crate::project;
use crate::project::config::{self, Config};
use crate::schema;
use crate::value::Json;
use crate::yaml;

/// What a draft is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The vendor's file.
    Api(Style, PathBuf),
    /// Files of sample records, by the objects that they are of.
    Samples(Vec<(String, PathBuf)>),
}

/// How one signs in, where the file does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    Bearer,
    Basic,
    /// A key in this header.
    Header(String),
    /// OAuth 2.0 with the client's own credentials; the address of the token.
    ClientCredentials(String),
}

/// What is wanted of a draft.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub name: String,
    pub title: Option<String>,
    /// The address of the API, where the file does not say it or names several.
    pub base: Option<String>,
    pub sign_in: Option<SignIn>,
    /// The objects; none: those that shops and warehouses speak of.
    pub objects: Vec<String>,
}

/// A source that was read: what there is to ask about.
pub struct Surveyed {
    source: Source,
    vendor: Option<Vendor>,
    /// The text of the vendor's file.
    text: String,
    access: Access,
    samples: Vec<schema::Object>,
}

impl Surveyed {
    /// Whether the file says where the system is.
    pub fn has_address(&self) -> bool {
        !self.access.servers.is_empty()
    }

    /// Whether the file says how one signs in.
    pub fn has_sign_in(&self) -> bool {
        self.access.schemes.iter().any(|kind| !matches!(kind, apispec::SchemeKind::Other(_)))
    }

    /// The objects that can be drafted.
    pub fn objects(&self) -> Vec<String> {
        match (&self.vendor, &self.source) {
            (Some(vendor), Source::Api(Style::OpenApi, _)) => found::lists(&vendor.api).into_iter().map(|found| found.name).collect(),
            (Some(vendor), _) => graphql::connections(&vendor.api).into_iter().map(|found| found.name).collect(),
            (None, Source::Samples(samples)) => samples.iter().map(|(object, _)| object.clone()).collect(),
            (None, Source::Api(..)) => Vec::new(),
        }
    }

    /// Those of them that are drafted where nobody chooses.
    pub fn usual(&self) -> Vec<String> {
        let all = self.objects();
        let speaks = |name: &String| {
            let plain = words::plain(name);
            words::COMMERCE.iter().any(|word| plain == *word || plain.ends_with(word))
        };
        let some: Vec<String> = all.iter().filter(|name| speaks(name)).cloned().collect();
        if some.is_empty() { all.into_iter().take(12).collect() } else { some }
    }
}

/// A draft: files by their names from the project's folder, and what is open in it.
#[derive(Debug)]
pub struct Draft {
    pub files: Vec<(PathBuf, String)>,
    pub objects: Vec<String>,
    /// Objects of the file that were not drafted.
    pub others: Vec<String>,
    pub guesses: usize,
    pub open: usize,
}

/// Whether a name can be that of a new system in a project.
///
/// # Errors
/// It is none, is taken by a system of the program, or the project has such a system.
pub fn is_free(root: &Path, name: &str) -> Result<(), Failure> {
    own_system::usable(name)?;
    let at = root.join("systems").join(name).join("system.yaml");
    // Also what cannot be followed: a link that leads nowhere.
    if at.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("there is a `{}` already", at.display()))
            .hint("nothing is written over it: delete it first, or take another name"));
    }
    if !root.join(config::FILE).exists() {
        return Ok(());
    }
    let config = Config::read(&Folder::open(root)?, None, &mut Sources::default(), &mut Vec::new());
    match config.connections.get(name) {
        Some(connection) if connection.system != name => Err(Failure::usage(format!(
            "there is a connection `{name}` already, of the system `{}`: the schemas of both would stand in `schemas/{name}`",
            connection.system
        ))
        .hint("give the new system another name")),
        _ => Ok(()),
    }
}

/// Whether a text can be the address of an API or of a call for a token: `https://api.example.com/v1`.
///
/// # Errors
/// It is none, or one that a description cannot name.
pub fn address(text: &str) -> Result<(), Failure> {
    let wrong = |why: &str| {
        Err(Failure::usage(format!("`{}` cannot be used: {why}", page::one_line(text))).hint("write it as in https://api.example.com/v1"))
    };
    if !text.starts_with("https://") {
        return wrong("an address begins with https://");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'{' | b'}' | b'<' | b'>' | b'`')) {
        return wrong("it has signs that no address has");
    }
    let Ok(url) = url::Url::parse(text) else { return wrong("this is no URL") };
    match () {
        () if !url.username().is_empty() || url.password().is_some() || text.contains('@') => {
            wrong("a name and a password are settings, and stand in no address")
        }
        () if url.query().is_some() || url.fragment().is_some() => wrong("it has more than a host and a path"),
        () if url.port().is_some() => wrong("a description names hosts without a port"),
        () => Ok(()),
    }
}

/// Reads a source.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn survey(source: Source) -> Result<Surveyed, Failure> {
    let read = |path: &Path| file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error));
    match &source {
        Source::Api(style, path) => {
            let text = read(path)?;
            let vendor = system_import::vendor(*style, &text, &[]).map_err(|error| error.failure(path, &[]))?;
            let nothing = Json::Null;
            let document = vendor.document.as_ref().unwrap_or(&nothing);
            let schemes = apispec::schemes(document).into_iter().map(|scheme| scheme.kind).collect();
            let access = Access { servers: apispec::servers(document), schemes };
            Ok(Surveyed { source, vendor: Some(vendor), text, access, samples: Vec::new() })
        }
        Source::Samples(all) => {
            let mut samples = Vec::new();
            for (at, (object, path)) in all.iter().enumerate() {
                if !describe::is_object_name(object) {
                    return Err(Failure::usage(format!("`{object}` is no name of an object"))
                        .hint("a letter first, then letters, digits and `_`: --sample SalesOrder=orders.json"));
                }
                if path.as_os_str().is_empty() {
                    return Err(Failure::usage(format!("no file of samples of `{object}` is named")).hint("--sample Order=orders.json"));
                }
                if all[..at].iter().any(|(known, _)| known == object) {
                    return Err(Failure::usage(format!("samples of `{object}` are given twice")).hint("put all of its records into one file"));
                }
                let text = read(path)?;
                let name = path.to_string_lossy();
                let inferred = project::draft(&name, &text, None, object, "").map_err(|bad| {
                    Failure::usage(format!("{name}: {bad}")).hint("a list of JSON records, a JSON record in each line, or CSV with a header")
                })?;
                samples.extend(inferred);
            }
            Ok(Surveyed { source, vendor: None, text: String::new(), access: Access { servers: Vec::new(), schemes: Vec::new() }, samples })
        }
    }
}

/// Writes a draft.
///
/// # Errors
/// An object is not in the file, or nothing says where the system is.
pub fn draft(surveyed: &Surveyed, wanted: &Wanted) -> Result<Draft, Failure> {
    if wanted.base.is_none() && !surveyed.has_address() {
        return Err(Failure::usage("nothing says where the system is").hint("pass its address: --base-url https://api.example.com"));
    }
    let all = surveyed.objects();
    if let Some(stranger) = wanted.objects.iter().find(|name| !all.contains(name)) {
        return Err(Failure::unknown("object with a list", stranger, all.iter().map(String::as_str)));
    }
    let objects = if wanted.objects.is_empty() { surveyed.usual() } else { wanted.objects.clone() };
    if objects.is_empty() {
        let why = match &surveyed.vendor {
            Some(vendor) if !head::has_answers(&vendor.api) => "none of its calls says what its answer holds",
            _ => "no call of it gives a list of records",
        };
        return Err(Failure::usage(format!("nothing can be drafted from this file: {why}"))
            .hint("describe sample records instead: --sample Order=orders.json"));
    }
    let mut out = Text::default();
    let api = surveyed.vendor.as_ref().map(|vendor| &vendor.api);
    let said = wanted.title.clone().or_else(|| api.map(|api| api.title.clone())).map(|title| page::one_line(&title));
    let title = said.filter(|title| !title.is_empty()).unwrap_or_else(|| wanted.name.clone());
    let head = |spec: Option<&str>, prefix: &str, graphql: bool, out: &mut Text| {
        head::write(wanted, api, &surveyed.access, &head::Head { title: &title, spec, prefix, graphql }, out);
    };
    let mut files = Vec::new();
    let folder = Path::new("systems").join(&wanted.name);
    match (&surveyed.source, api) {
        (Source::Api(Style::OpenApi, path), Some(api)) => {
            let prefix = found::prefix(api);
            let file = file_name(path);
            let spec = if prefix.is_empty() {
                format!("{{ openapi: {} }}", yaml::quoted(&file))
            } else {
                format!("{{ openapi: {}, prefix: {} }}", yaml::quoted(&file), yaml::in_quotes(&prefix))
            };
            head(Some(&spec), &prefix, false, &mut out);
            out.line(0, "objects:");
            let lists: Vec<Found<'_>> = found::lists(api).into_iter().filter(|found| objects.contains(&found.name)).collect();
            let rest = Rest { api, prefix: &prefix };
            for found in &lists {
                rest.object(found, &mut out);
            }
            if let Some(first) = lists.first() {
                let call = format!("GET {}", first.list.path.strip_prefix(&prefix).unwrap_or(&first.list.path));
                let size = found::parameter(first.list, words::SIZE);
                head::hello(&yaml::quoted(&call), size.map(|name| (name, "1")), &title, &mut out);
            }
            files.push((folder.join(&file), surveyed.text.clone()));
        }
        (Source::Api(Style::GraphQl, path), Some(api)) => {
            let file = file_name(path);
            head(Some(&format!("{{ graphql: {} }}", yaml::quoted(&file))), "", true, &mut out);
            out.line(0, "objects:");
            let connections: Vec<Connection<'_>> = graphql::connections(api).into_iter().filter(|found| objects.contains(&found.name)).collect();
            for found in &connections {
                graphql::object(api, found, &mut out);
            }
            out.todo(0, "hello: which query shows that the sign-in works, and changes nothing?");
            files.push((folder.join(&file), surveyed.text.clone()));
        }
        _ => {
            head(None, "", false, &mut out);
            out.line(0, "objects:");
            let drafted = surveyed.samples.iter().filter(|sample| objects.contains(&sample.name));
            drafted.for_each(|sample| samples::object(sample, &mut out));
            for sample in &surveyed.samples {
                let text = serde_json::to_string_pretty(&schema::to_json(sample)).unwrap_or_default() + "\n";
                files.push((Path::new("schemas").join(&wanted.name).join(format!("{}.json", sample.name)), text));
            }
        }
    }
    let text = out.done();
    let (guesses, open) = (text.matches("# [K] guessed").count(), text.matches(&format!("# {TODO}")).count());
    files.insert(0, (folder.join("system.yaml"), text));
    files.insert(1, (folder.join("README.md"), readme(wanted, &title, surveyed)));
    let others = all.into_iter().filter(|name| !objects.contains(name)).collect();
    Ok(Draft { files, objects, others, guesses, open })
}

/// The name of the vendor's file beside the description. Names of the cut file, which `system import` writes, are not free.
fn file_name(path: &Path) -> String {
    match path.file_name().map(|name| name.to_string_lossy().into_owned()) {
        Some(name) if !["spec.json", "spec.graphql", "system.yaml", "probe.yaml", "README.md"].contains(&name.as_str()) => name,
        Some(name) => format!("api.{}", name.rsplit('.').next().unwrap_or("json")),
        None => "api.json".to_owned(),
    }
}

/// What a person who takes the project over has to know of the system.
fn readme(wanted: &Wanted, title: &str, surveyed: &Surveyed) -> String {
    let name = &wanted.name;
    let import = match &surveyed.source {
        Source::Api(Style::OpenApi, path) => format!("crossdock system import {name} --openapi systems/{name}/{}", file_name(path)),
        Source::Api(Style::GraphQl, path) => format!("crossdock system import {name} --graphql systems/{name}/{}", file_name(path)),
        Source::Samples(_) => "(its schemas were inferred from sample records: correct them by hand)".to_owned(),
    };
    format!(
        "# {title}\n\n`system.yaml` describes this system for Crossdock. It was drafted by `crossdock system new`; each guess in it is marked `[K]`, each\n\
         open question `TODO`.\n\n| step | command |\n| --- | --- |\n| what is left to confirm | `crossdock system check {name}` |\n\
         | the schemas of its objects | `{import}` |\n| what the real system does | `crossdock system probe {name}` |\n\n\
         A connection to it in `crossdock.yaml`: `wms: {{ system: {name}, … }}`, with the settings that `system.yaml` names.\n"
    )
}
