//! `crossdock schema pull` and `crossdock schema diff`: the current schemas of the systems, compared with the snapshots.

use std::collections::BTreeMap;

use super::project::{ProjectArgs, at};
use super::{Exit, Failure, Format, Out};
use crate::app::schema_sync::{self, ObjectDrift, SchemaSync, Touching};
use crate::base::diag::render;

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
    #[command(flatten)]
    project: ProjectArgs,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn pull(args: &Pull, out: &mut Out) -> Result<Exit, Failure> {
    let Asked { objects, project: ProjectArgs { project, env }, .. } = &args.asked;
    let found = schema_sync::pull(&at(project.as_ref(), env.as_deref(), out), objects)?;
    tell(&found, args.asked.format, out)?;
    Ok(if found.is_broken() { Exit::Findings } else { Exit::Fine })
}

pub(super) fn diff(args: &Diff, out: &mut Out) -> Result<Exit, Failure> {
    let Asked { objects, project: ProjectArgs { project, env }, .. } = &args.asked;
    let found = schema_sync::compare(&at(project.as_ref(), env.as_deref(), out), objects)?;
    tell(&found, args.asked.format, out)?;
    Ok(if found.is_same() { Exit::Fine } else { Exit::Findings })
}

fn tell(found: &SchemaSync, format: Format, out: &mut Out) -> Result<(), Failure> {
    if format == Format::Json {
        return out.json(found);
    }
    for object in &found.objects {
        one(object, &found.selection.prefix, out)?;
    }
    for (name, lines) in &found.names {
        out.line(out.bold(&format!("{name}: names")))?;
        lines.iter().try_for_each(|line| out.line(format!("  {line}")))?;
    }
    for name in &found.undescribed {
        let own = found.compiled.config.connections.get(name).map(|connection| &connection.system).filter(|system| system.is_own());
        match own {
            Some(own) => {
                out.note(format!("{name} does not describe its objects: `crossdock system import {own}` derives them; its names were compared"))
            }
            None => out.note(format!("{name} does not describe its objects, so the schemas of Crossdock are used; its names were compared")),
        }
    }
    let noun = if found.compared == 1 { "object" } else { "objects" };
    out.line(format!("{} {noun} compared, {} changed", found.compared, found.changed))?;
    found.written.iter().try_for_each(|name| out.line(format!("wrote {name}")))?;
    for diagnostic in &found.found {
        out.line("")?;
        out.whole(render::terminal(diagnostic, found.selection.view(&found.compiled), out.look).trim_end())?;
    }
    if !found.found.is_empty() {
        let when = if found.written.is_empty() { "the mapping would newly have" } else { "the mapping newly has" };
        out.line("")?;
        out.line(format!("with these schemas {when} {}", render::summary(&found.found)))?;
    }
    Ok(())
}

fn one(object: &ObjectDrift, prefix: &str, out: &mut Out) -> Result<(), Failure> {
    let name = out.bold(&object.object);
    if object.absent {
        return out.line(format!("{name}: {}", out.red("the system has no such object, or does not show it to these credentials")));
    }
    if object.differences.is_empty() {
        return out.line(format!("{name}: as its standard schema; no snapshot yet"));
    }
    out.line(name)?;
    // What mappings use comes first. New fields that nobody reads are a list of names.
    let is_used = |one: &&Touching| one.difference.field.is_none() || !one.touches.is_empty();
    let (used, unused): (Vec<&Touching>, Vec<&Touching>) = object.differences.iter().partition(is_used);
    let (shown, named) = unused.split_at(if unused.len() > MOST_UNUSED { 0 } else { unused.len() });
    for Touching { difference, touches } in used.into_iter().chain(shown.iter().copied()) {
        out.line(format!("  {difference}"))?;
        // New things are used by nobody yet; a new value is met wherever its field is.
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if difference.field.is_some() {
            for used in touches {
                let place = format!("{prefix}{}:{}", used.file, used.line);
                places.entry(format!("{} by {}", used.how.word(), used.by)).or_default().push(place);
            }
        }
        for (what, at) in places {
            out.line(out.dim(&format!("      {what} ({})", at.join(", "))))?;
        }
    }
    if !named.is_empty() {
        let fields: Vec<&str> = named.iter().filter_map(|one| one.difference.field.as_deref()).collect();
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
