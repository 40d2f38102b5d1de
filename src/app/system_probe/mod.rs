//! What `crossdock system probe` does: asks a real system whether it is as its description says, and writes down what it found.
//!
//! The questions are asked by the connector itself, over a transport that shows each call to a person before it is sent. So what is
//! probed is what runs. Writes are tried only if that is asked for; each test record is marked by its key.

mod ask;
mod print;
mod reads;
mod writes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

pub use self::ask::{Asks, Consent, Shown};

use self::ask::{Asking, KnownCalls};
use super::folder::unreadable;
use super::loaded_project::{ProjectAt, secret_file};
use super::process::{clock, runtime, transport, variable};
use super::{Failure, own_system};
use crate::base::bounds;
use crate::base::diag::Diagnostic;
use crate::connector::Connector;
use crate::connector::registry::{self, Settings};
use crate::describe::{Described, Known};
use crate::fault::{Fault, file};
use crate::http::{Call, Clock, Transport};
use crate::project::config::Connection;
use crate::project::{Compiled, Keeper, Options, Planned, compile};
use crate::run::connections;
use crate::schema::{Object, Schemas as _};
use crate::system::{Finding, Probed, ProbedHost, ProbedObject, URL};
use crate::value::{Json, ObjectRef};
use crate::yaml;

/// What is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    pub at: ProjectAt<'a>,
    /// The system: the name of its folder.
    pub name: String,
    /// The connection that is asked, where several are of the system.
    pub connection: Option<String>,
    /// Only these objects.
    pub objects: Vec<String>,
    /// Writes are tried, too.
    pub writes: bool,
    /// Records that are sent where writes are tried, by their objects.
    pub records: BTreeMap<String, Json>,
}

/// What a probe found.
#[derive(Debug)]
pub struct Found {
    pub found: ProbedHost,
    /// `systems/NAME/probe.yaml`, from the project's folder.
    pub file: PathBuf,
    /// The same, from the current folder.
    pub at: PathBuf,
    /// Its text from now on; none where nothing was learnt, and it stays as it is.
    pub text: Option<String>,
    /// Test records that the system has now: `Order crossdock-probe-…`.
    pub left_behind: Vec<String>,
    pub calls: usize,
    /// A person did not allow a call.
    pub declined: bool,
}

impl Found {
    /// Whether the system could be asked, as far as it was allowed.
    pub fn was_answered(&self) -> bool {
        self.declined || self.text.is_some()
    }

    /// Whether something is not as the description says.
    pub fn contradicts(&self) -> bool {
        let reads = self.found.connection.values().chain(self.found.objects.values().flat_map(|object| object.reads.values()));
        let writes = self.found.objects.values().flat_map(|object| object.writes.values());
        reads.map(|finding| finding.holds).chain(writes.map(|write| write.holds)).any(|holds| holds == Some(false))
    }
}

/// What all questions need.
struct Probe<'p> {
    connector: &'p dyn Connector,
    asking: &'p Asking,
    described: &'p Described,
    connection: &'p str,
    schemas: &'p BTreeMap<String, Object>,
    clock: &'p dyn Clock,
    call: Call,
}

impl Probe<'_> {
    /// What a fault tells: that the system is not as described, or nothing, since nobody answered.
    fn told_by(&self, fault: &Fault) -> Option<bool> {
        let nothing = matches!(fault, Fault::Transient { .. } | Fault::Throttled { .. } | Fault::Ambiguous { .. });
        if nothing || self.asking.declined() { None } else { Some(false) }
    }

    fn of(&self, object: &str) -> ObjectRef {
        ObjectRef::new(self.connection, object)
    }
}

/// Asks the system.
///
/// # Errors
/// There is no such system in the project, its description has an error, or a setting is missing.
pub fn probe(asked: &Asked<'_>, consent: Consent) -> Result<Found, Failure> {
    let selection = asked.at.selection()?;
    own_system::is_there(&selection.folder, &asked.name)?;
    let compiled = compile(&selection.folder, &Options { env: asked.at.env.map(str::to_owned), only: None, planned: Planned::Nothing });
    let (name, connection, known) = chosen(asked, &compiled)?;
    let described = known.described.as_ref().ok_or_else(|| refused(&known.errors, &asked.name))?;
    if !known.errors.is_empty() {
        return Err(refused(&known.errors, &asked.name));
    }
    if let Some(stranger) = asked.objects.iter().chain(asked.records.keys()).find(|object| described.object(object).is_none()) {
        return Err(Failure::unknown("object", stranger, described.objects.iter().map(|object| object.name.node.as_str())));
    }
    let folder = selection.folder.root().join("systems").join(&asked.name);
    let mut kept = before(&folder.join("probe.yaml"))?;
    let settings = connections::settings(name, connection, &secret_file(&selection.folder), &variable)
        .map_err(|missing| Failure::usage(missing.to_string()).hint(missing.hint(&compiled.config)))?;
    let asking = Arc::new(Asking::new(transport()?, KnownCalls::of(described, &settings), consent));
    let clock = clock();
    let connector = registry::open_own(known, &settings, Arc::clone(&asking) as Arc<dyn Transport>, Arc::clone(&clock))
        .map_err(|unusable| Failure::usage(unusable.to_string()).hint(unusable.hint))?;
    let schemas = schemas(&selection.folder, &compiled, name);
    let probe = Probe {
        connector: connector.as_ref(),
        asking: &asking,
        described,
        connection: name,
        schemas: &schemas,
        clock: clock.as_ref(),
        call: Call::default(),
    };
    let (found, left_behind) = runtime()?.block_on(all(&probe, asked, &known.said));
    let found = ProbedHost { host: host(described, &settings), ..found };
    kept.system.clone_from(&asked.name);
    // Whoever learnt nothing leaves what is there.
    let text = found.tells().then(|| {
        // What was not allowed to be asked says nothing of the system.
        kept.learn(if asking.declined() { found.clone().told() } else { found.clone() });
        print::text(&kept)
    });
    let file = Path::new("systems").join(&asked.name).join("probe.yaml");
    Ok(Found { at: folder.join("probe.yaml"), file, found, text, left_behind, calls: asking.count(), declined: asking.declined() })
}

/// What was found before.
fn before(path: &Path) -> Result<Probed, Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(Probed::default());
    }
    let text = file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error))?;
    yaml::typed(&text).map_err(|error| {
        let line = text.get(..error.at).unwrap_or_default().lines().count().max(1);
        Failure::usage(format!("`{}` cannot be read: line {line}: {error}", path.display()))
            .hint("a probe adds to what was found before: mend the file, or delete it if nothing in it counts any more")
    })
}

/// The host that the connection leads to.
fn host(described: &Described, settings: &Settings) -> String {
    let given = |name: &str| settings.get(name).map(str::to_owned);
    let address = given(URL).or_else(|| described.address(&described.values(&given)));
    let host = address.and_then(|address| Some(url::Url::parse(address.trim()).ok()?.host_str()?.to_owned()));
    host.unwrap_or_default()
}

/// Puts all questions.
async fn all(probe: &Probe<'_>, asked: &Asked<'_>, description: &Json) -> (ProbedHost, Vec<String>) {
    let mut connection = IndexMap::new();
    let hello = probe.connector.check_connection(&probe.call).await;
    let is_in = hello.is_ok();
    let finding = match hello {
        Ok(said) => Finding { holds: Some(true), found: said },
        Err(fault) => Finding { holds: probe.told_by(&fault), found: fault.to_string() },
    };
    connection.insert("sign_in".to_owned(), finding);
    let (mut objects, mut left_behind) = (IndexMap::new(), Vec::new());
    // Whoever is not let in learns nothing more.
    let wanted = probe.described.objects.iter().filter(|object| is_in && (asked.objects.is_empty() || asked.objects.contains(&object.name.node)));
    for object in wanted {
        if probe.asking.declined() {
            break;
        }
        let mut found = ProbedObject { reads: reads::of(probe, object).await, ..ProbedObject::default() };
        if asked.writes && !probe.asking.declined() {
            let record = asked.records.get(&object.name.node);
            found.writes = writes::of(probe, object, &description["objects"][&object.name.node], record, &mut left_behind).await;
        }
        objects.insert(object.name.node.clone(), found);
    }
    let at = probe.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    (ProbedHost { host: String::new(), at, connection, objects }, left_behind)
}

/// The connection that is asked.
fn chosen<'c>(asked: &Asked<'_>, compiled: &'c Compiled) -> Result<(&'c str, &'c Connection, &'c Known), Failure> {
    let system = &asked.name;
    let of = compiled.config.connections.iter().filter(|(_, connection)| connection.system == system.as_str());
    let all: Vec<(&str, &Connection, &Known)> =
        of.filter_map(|(name, connection)| Some((name.as_str(), connection, connection.described.as_deref()?))).collect();
    let names: Vec<&str> = all.iter().map(|(name, _, _)| *name).collect();
    if let Some(wanted) = &asked.connection {
        return all
            .iter()
            .find(|(name, _, _)| name == wanted)
            .copied()
            .ok_or_else(|| Failure::unknown("connection of this system", wanted, names.iter().copied()));
    }
    match all.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::usage(format!("no connection is of the system `{system}`")).hint(format!(
            "add one to crossdock.yaml: `connections: {{ wms: {{ system: {system}, … }} }}`, with the settings that its description names"
        ))),
        _ => {
            Err(Failure::usage(format!("several connections are of the system `{system}`: {}", names.join(", "))).hint("name one with --connection"))
        }
    }
}

fn refused(errors: &[Diagnostic], name: &str) -> Failure {
    let first = errors.first().map_or("it is empty", |error| error.message.as_str());
    Failure::usage(format!("the description of `{name}` has an error: {first}")).hint(format!("crossdock system check {name}"))
}

/// The schemas of a connection's objects.
fn schemas(folder: &super::Folder, compiled: &Compiled, connection: &str) -> BTreeMap<String, Object> {
    let keeper = Keeper::new(folder, &compiled.config, &compiled.sources);
    let all = keeper.objects(connection).into_iter().map(|name| ObjectRef::new(connection, name));
    all.filter_map(|of| Some((of.to_string(), (*keeper.object(&of)?).clone()))).collect()
}
