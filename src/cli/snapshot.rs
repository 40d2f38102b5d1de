//! `crossdock schema pull` and `crossdock schema diff`: the current schemas of the systems, compared with the snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::check::view;
use super::{Exit, Failure, Format, Out};
use crate::app::Folder;
use crate::app::context::secret_file;
use crate::app::folder::{Selection, select};
use crate::app::process::{clock, runtime, transport, variable};
use crate::base::diag::{Diagnostic, render};
use crate::connector::Connector;
use crate::fault::Fault;
use crate::http::{Call, Clock as _, SystemClock};
use crate::plan::{Use, uses};
use crate::project::{Absence, Compiled, Keeper, Library, Options, compile};
use crate::run::connections;
use crate::run::schemas::{self, Drift, Fetched, State};
use crate::schema::Named;
use crate::schema::diff::Difference;
use crate::system;
use crate::value::ObjectRef;

const PULL: &str = "\
Examples:
  crossdock schema pull                  all objects that the project uses
  crossdock schema pull crm              one connection
  crossdock schema pull crm.Invoice__c   one object; mappings can use it then

Writes schemas/<connection>/<Object>.json and names.json, lists what has changed, and checks the mapping against it. Data \
classes, patterns and limits that were added to a snapshot by hand are kept. Exit code 1 if the mapping has errors \
afterwards.";

/// Fetch the schemas and names of the systems, and write them as snapshots
#[derive(Debug, clap::Args)]
#[command(after_help = PULL)]
pub(super) struct Pull {
    #[command(flatten)]
    asked: Asked,
}

const DIFF: &str = "\
Examples:
  crossdock schema diff
  crossdock schema diff crm.Order --format json

Lists what the systems have changed since the snapshots were pulled, and the lines of the mapping that use it. Nothing is \
written. Exit code 1 if something differs. `serve` does the same once a day, and raises an alert.";

/// Compare the systems with the snapshots
#[derive(Debug, clap::Args)]
#[command(after_help = DIFF)]
pub(super) struct Diff {
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, clap::Args)]
struct Asked {
    /// Connections, or objects as connection.Object; all of them by default
    #[arg(value_name = "OBJECT")]
    objects: Vec<String>,
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// What the systems say today, beside what the project keeps.
struct Today {
    opened: Selection,
    compiled: Compiled,
    uses: Vec<Use>,
    fetched: Vec<Fetched>,
    drift: Vec<Drift>,
    /// By connection: the named things that are other than in the snapshot, whole.
    names: BTreeMap<String, BTreeMap<String, Vec<Named>>>,
    /// Connections that do not describe themselves.
    silent: Vec<String>,
}

pub(super) fn pull(args: &Pull, out: &mut Out) -> Result<Exit, Failure> {
    let today = ask(&args.asked)?;
    let mut written = Vec::new();
    for (name, text) in texts(&today) {
        let path = today.opened.folder.reach(&name)?;
        let unwritten = |error: std::io::Error| Failure::io(format!("`{}` cannot be written: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(unwritten)?;
        }
        std::fs::write(&path, &text).map_err(unwritten)?;
        written.push(name);
    }
    let after = compile(&today.opened.folder, &options(&args.asked));
    tell(&today, &after, &args.asked, &written, out)?;
    let broken = today.drift.iter().any(|drift| drift.absent) || after.diagnostics.iter().any(Diagnostic::is_error);
    Ok(if broken { Exit::Findings } else { Exit::Fine })
}

pub(super) fn diff(args: &Diff, out: &mut Out) -> Result<Exit, Failure> {
    let today = ask(&args.asked)?;
    let over = Over { folder: &today.opened.folder, texts: texts(&today).into_iter().map(|(name, text)| (name, text.into())).collect() };
    let after = compile(&over, &options(&args.asked));
    tell(&today, &after, &args.asked, &[], out)?;
    let same = today.drift.iter().all(Drift::is_none) && today.names.is_empty();
    Ok(if same { Exit::Fine } else { Exit::Findings })
}

fn options(asked: &Asked) -> Options {
    Options { env: asked.env.clone(), ..Options::default() }
}

fn ask(asked: &Asked) -> Result<Today, Failure> {
    let paths: Vec<PathBuf> = asked.project.iter().cloned().collect();
    let opened = select(&paths)?.into_iter().next().ok_or_else(|| Failure::usage("there is no project here"))?;
    let compiled = compile(&opened.folder, &options(asked));
    let wanted: Vec<(&str, Option<&str>)> = asked
        .objects
        .iter()
        .map(|name| name.split_once('.').map_or((name.as_str(), None), |(connection, object)| (connection, Some(object))))
        .collect();
    let known: Vec<&String> = compiled.config.connections.iter().filter(|(_, c)| c.system != "files").map(|(name, _)| name).collect();
    if let Some((stranger, _)) = wanted.iter().find(|(name, _)| !known.iter().any(|known| known == name)) {
        let names: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        return Err(Failure::usage(format!("there is no connection `{stranger}` to a system")).hint(format!("there are: {}", names.join(", "))));
    }
    let chosen: BTreeSet<String> =
        known.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|(of, _)| of == *name)).map(|name| (*name).clone()).collect();
    let (transport, clock) = (transport()?, clock());
    let connectors = connections::open(&compiled.config, &chosen, &secret_file(&opened.folder), &variable, &transport, &clock)
        .map_err(|missing| Failure::usage(missing.to_string()).hint(missing.hint()))?;
    let runtime = runtime()?;
    let mut today = Today {
        uses: compiled.plan.as_ref().map(uses).unwrap_or_default(),
        opened,
        compiled,
        fetched: Vec::new(),
        drift: Vec::new(),
        names: BTreeMap::new(),
        silent: Vec::new(),
    };
    let keeper = Keeper::new(&today.opened.folder, &today.compiled.config, &today.compiled.sources);
    for (name, connector) in &connectors {
        let connector: &Arc<dyn Connector> = connector;
        let failed = |fault: Fault| Failure::io(format!("{name} did not answer: {fault}")).hint("crossdock doctor checks each connection");
        let mut objects: BTreeSet<ObjectRef> =
            wanted.iter().filter(|(of, _)| of == name).filter_map(|(of, object)| Some(ObjectRef::new(*of, (*object)?))).collect();
        let whole = objects.is_empty();
        if whole {
            objects = schemas::objects(name, &today.uses, &keeper, &today.opened.folder);
        }
        match runtime.block_on(schemas::fetch(connector.as_ref(), &objects, &keeper)).map_err(failed)? {
            Some(fetched) => {
                today.drift.extend(schemas::drift(&fetched, &keeper, &today.opened.folder));
                today.fetched.extend(fetched);
            }
            None => today.silent.push(name.clone()),
        }
        if whole {
            let kept: BTreeMap<String, Vec<Named>> = keeper.all_names(name).into_iter().map(|(kind, names)| (kind, names.names.clone())).collect();
            let named = wanted.iter().any(|(of, _)| of == name);
            let Some(kinds) = kinds(connector.as_ref(), name, &kept, today.compiled.plan.as_ref(), named) else { continue };
            let mut names = kept.clone();
            names.extend(runtime.block_on(connector.names(&Call::default(), &kinds)).map_err(failed)?);
            if names != kept {
                today.names.insert(name.clone(), names);
            }
        }
    }
    Ok(today)
}

/// Which kinds of named things are fetched: those that are kept or spoken of; all, where somebody named a connection
/// that has no description, or the mapping cannot be read yet. `None`: none.
fn kinds(
    connector: &dyn Connector,
    name: &str,
    kept: &BTreeMap<String, Vec<Named>>,
    plan: Option<&crate::plan::Plan>,
    named: bool,
) -> Option<BTreeSet<String>> {
    let mut kinds: BTreeSet<String> = kept.keys().cloned().collect();
    kinds.extend(plan.into_iter().flat_map(connections::named).filter(|of| of.connection == name).map(|of| of.object));
    let describes_itself = system::manifest(connector.system()).is_some_and(|manifest| manifest.describe.is_some());
    let whole = !describes_itself && (named || plan.is_none());
    (!kinds.is_empty() || whole).then_some(kinds)
}

/// The snapshots that are to be written, by their names from the project's folder.
fn texts(today: &Today) -> Vec<(String, String)> {
    let now = SystemClock.now();
    let changed = today.fetched.iter().zip(&today.drift).filter(|(_, drift)| drift.unknown || !drift.differences.is_empty());
    let objects = changed.filter_map(|(found, _)| match &found.state {
        State::Is(object) => Some((schemas::path(&found.of), schemas::text(object, now))),
        State::Absent => None,
    });
    let names = today.names.iter().map(|(connection, names)| (format!("schemas/{connection}/names.json"), schemas::names_text(names, now)));
    objects.chain(names).collect()
}

fn tell(today: &Today, after: &Compiled, asked: &Asked, written: &[String], out: &mut Out) -> Result<(), Failure> {
    let same = |a: &Diagnostic, b: &Diagnostic| a.code == b.code && a.message == b.message;
    let new: Vec<Diagnostic> = after.diagnostics.iter().filter(|d| !today.compiled.diagnostics.iter().any(|known| same(known, d))).cloned().collect();
    if asked.format == Format::Json {
        let touched = |drift: &Drift| -> Vec<serde_json::Value> {
            let each = |difference| serde_json::json!({ "difference": difference, "touches": drift.touches(difference, &today.uses) });
            drift.differences.iter().map(each).collect()
        };
        let objects: Vec<_> = today
            .drift
            .iter()
            .filter(|drift| !drift.is_none() || drift.unknown)
            .map(|drift| serde_json::json!({ "object": drift.object.to_string(), "absent": drift.absent, "unknown": drift.unknown, "differences": touched(drift) }))
            .collect();
        return out.json(&serde_json::json!({
            "version": 1, "objects": objects, "names": names_told(today), "written": written,
            "check": render::json(&new, view(&today.opened, after)),
        }));
    }
    for drift in &today.drift {
        one(drift, today, out)?;
    }
    for (name, lines) in names_told(today) {
        out.line(out.bold(&format!("{name}: names")))?;
        lines.iter().try_for_each(|line| out.line(format!("  {line}")))?;
    }
    for name in &today.silent {
        out.note(format!("{name} does not describe its objects, so the schemas of Crossdock are used; its names were compared"));
    }
    let changed = today.drift.iter().filter(|drift| !drift.is_none()).count();
    let noun = if today.drift.len() == 1 { "object" } else { "objects" };
    out.line(format!("{} {noun} compared, {changed} changed", today.drift.len()))?;
    written.iter().try_for_each(|name| out.line(format!("wrote {name}")))?;
    for diagnostic in &new {
        out.line("")?;
        out.line(render::terminal(diagnostic, view(&today.opened, after), out.look).trim_end())?;
    }
    if !new.is_empty() {
        let when = if written.is_empty() { "the mapping would newly have" } else { "the mapping newly has" };
        out.line("")?;
        out.line(format!("with these schemas {when} {}", render::summary(&new)))?;
    }
    Ok(())
}

fn one(drift: &Drift, today: &Today, out: &mut Out) -> Result<(), Failure> {
    let name = drift.object.to_string();
    if drift.absent {
        return out.line(format!("{}: {}", out.bold(&name), out.red("the system has no such object, or does not show it to these credentials")));
    }
    if drift.differences.is_empty() {
        return if drift.unknown { out.line(format!("{}: as its standard schema; no snapshot yet", out.bold(&name))) } else { Ok(()) };
    }
    out.line(out.bold(&name))?;
    // What mappings use comes first. New fields that nobody reads are a list of names.
    let is_used = |difference: &&Difference| difference.field.is_none() || !drift.touches(difference, &today.uses).is_empty();
    let (used, unused): (Vec<&Difference>, Vec<&Difference>) = drift.differences.iter().partition(is_used);
    let (shown, named) = unused.split_at(if unused.len() > MOST_UNUSED { 0 } else { unused.len() });
    for difference in used.into_iter().chain(shown.iter().copied()) {
        out.line(format!("  {difference}"))?;
        // New things are used by nobody yet; a new value is met wherever its field is.
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if difference.field.is_some() {
            for used in drift.touches(difference, &today.uses) {
                places
                    .entry(format!("{} by {}", used.how.word(), used.by))
                    .or_default()
                    .push(format!("{}{}:{}", today.opened.prefix, used.file, used.line));
            }
        }
        for (what, at) in places {
            out.line(out.dim(&format!("      {what} ({})", at.join(", "))))?;
        }
    }
    if !named.is_empty() {
        let fields: Vec<&str> = named.iter().filter_map(|difference| difference.field.as_deref()).collect();
        let more = if fields.len() > SHOWN_UNUSED { format!(", and {} more", fields.len() - SHOWN_UNUSED) } else { String::new() };
        let shown = fields.iter().take(SHOWN_UNUSED).copied().collect::<Vec<_>>().join(", ");
        out.line(out.dim(&format!("  {} differences of fields that no mapping uses: {shown}{more}", named.len())))?;
    }
    Ok(())
}

/// Differences that no mapping is touched by: more than these are named on one line.
const MOST_UNUSED: usize = 10;
/// Fields that such a line names.
const SHOWN_UNUSED: usize = 12;

/// By connection: what is other in its names.
fn names_told(today: &Today) -> BTreeMap<String, Vec<String>> {
    let keeper = Keeper::new(&today.opened.folder, &today.compiled.config, &today.compiled.sources);
    let mut told = BTreeMap::new();
    for (connection, names) in &today.names {
        let mut lines = Vec::new();
        let kept: BTreeMap<String, Vec<Named>> = keeper.all_names(connection).into_iter().map(|(kind, names)| (kind, names.names.clone())).collect();
        for (kind, now) in names {
            let before = kept.get(kind).map_or(&[][..], Vec::as_slice);
            let line = |mark: &str, named: &Named| format!("{mark} {kind} {} ({})", named.name, named.id);
            lines.extend(now.iter().filter(|named| !before.contains(named)).map(|named| line("+", named)));
            lines.extend(before.iter().filter(|named| !now.contains(named)).map(|named| line("-", named)));
        }
        if lines.is_empty() {
            lines.push("the same, in another order".to_owned());
        }
        told.insert(connection.clone(), lines);
    }
    told
}

/// The project's folder with some files laid over it.
struct Over<'a> {
    folder: &'a Folder,
    texts: BTreeMap<String, Arc<str>>,
}

impl crate::base::Spread for Over<'_> {
    fn spread(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        self.folder.spread(count, job);
    }
}

impl Library for Over<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, Absence> {
        self.texts.get(path).map_or_else(|| self.folder.read(path), |text| Ok(Arc::clone(text)))
    }

    fn list(&self, ending: &str) -> Vec<String> {
        let mut all: BTreeSet<String> = self.folder.list(ending).into_iter().collect();
        all.extend(self.texts.keys().filter(|name| name.ends_with(ending)).cloned());
        all.into_iter().collect()
    }
}
