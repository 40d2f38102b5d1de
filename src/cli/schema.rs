//! `crossdock schema`: shows an object's schema, compares it with its system, and infers one from sample records.

use std::path::PathBuf;

use super::{Exit, Failure, Format, Out, schema_sync};
use crate::app::folder::select_if_any;
use crate::app::records::RecordsFile;
use crate::project::{self, Options};
use crate::schema::{self, Field, Object, Schemas as _};
use crate::value::{Kind, ObjectRef};

/// Show what the systems' objects look like
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Show(Show),
    Pull(schema_sync::Pull),
    Diff(schema_sync::Diff),
    Infer(Infer),
}

const SHOW: &str = "\
Examples:
  crossdock schema show                          connections and objects
  crossdock schema show crm.Order                the fields of an object
  crossdock schema show wms.Order.orderStatus    a field: values and limits";

/// Show an object's fields as a mapping sees them
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW)]
struct Show {
    /// connection.Object or connection.Object.field; without it, all objects are listed
    #[arg(value_name = "OBJECT")]
    object: Option<String>,
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

const INFER: &str = "\
Examples:
  crossdock schema infer skus.csv --name Sku > schemas/shop/Sku.json
  crossdock schema infer orders.jsonl --name Order --to schemas/shop

A record inside a record (a line of an order) gets a schema of its own; --to writes one file for each. The result is a draft: \
check which fields may be missing, and which are codes and not numbers (`01234` is read as text).";

/// Write a schema from sample records (.jsonl, .json, .csv)
#[derive(Debug, clap::Args)]
#[command(after_help = INFER)]
struct Infer {
    /// A file of sample records
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The object's name; by default that of the file
    #[arg(long)]
    name: Option<String>,
    /// Write <FOLDER>/<Object>.json for each object instead of printing
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::Show(args) => show(args, out),
        What::Pull(args) => schema_sync::pull(args, out),
        What::Diff(args) => schema_sync::diff(args, out),
        What::Infer(args) => infer(args, out),
    }
}

fn infer(args: &Infer, out: &mut Out) -> Result<Exit, Failure> {
    let file = args.file.display().to_string();
    let here = select_if_any(&[])?.into_iter().next().ok_or_else(|| Failure::usage("there is no folder here"))?;
    let config = project::load(&here.folder, &Options { only: Some(Vec::new()), ..Options::default() }).config;
    let records = RecordsFile::find_in(&here.folder, &config, &file);
    let text = records.text()?;
    let stem = args.file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let name = args.name.clone().unwrap_or(stem);
    let objects = project::draft(&file, &text, records.form.separator, &name, "files").map_err(|bad| {
        let line = text[..bad.at.min(text.len())].lines().count().max(1);
        Failure::io(format!("{file}:{line}: {bad}")).hint("records can be read from .jsonl (one in each line), .json (a list) or .csv")
    })?;
    let Some(folder) = &args.to else {
        if let Some(first) = objects.first() {
            out.json(&schema::to_json(first))?;
        }
        if objects.len() > 1 {
            let inner: Vec<&str> = objects[1..].iter().map(|o| o.name.as_str()).collect();
            out.note(format!("its records contain other records ({}): `--to FOLDER` writes a schema for each", inner.join(", ")));
        }
        return Ok(Exit::Fine);
    };
    let unwritten = |path: &std::path::Path, e: std::io::Error| Failure::io(format!("`{}` cannot be written: {e}", path.display()));
    std::fs::create_dir_all(folder).map_err(|e| unwritten(folder, e))?;
    for object in &objects {
        let path = folder.join(format!("{}.json", object.name));
        let json = serde_json::to_string_pretty(&schema::to_json(object)).unwrap_or_default();
        std::fs::write(&path, json + "\n").map_err(|e| unwritten(&path, e))?;
        out.line(format!("wrote {}", path.display()))?;
    }
    Ok(Exit::Fine)
}

fn show(args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    let paths: Vec<PathBuf> = args.project.iter().cloned().collect();
    for opened in select_if_any(&paths)? {
        let loaded = project::load(&opened.folder, &Options { only: Some(Vec::new()), ..Options::default() });
        if loaded.config.assumed {
            out.note(out.dim("no crossdock.yaml here: the standard schemas of the systems are shown"));
        }
        let keeper = project::Keeper::new(&opened.folder, &loaded.config, &loaded.sources);
        let Some(path) = &args.object else {
            overview(&keeper, args.format, out)?;
            continue;
        };
        let mut parts = path.splitn(3, '.');
        let (connection, object, field) = (parts.next().unwrap_or(""), parts.next(), parts.next());
        let known: Vec<String> = keeper.connections().into_iter().map(|c| c.name).collect();
        if !known.iter().any(|k| k == connection) {
            return Err(Failure::unknown("connection", connection, known.iter().map(String::as_str)));
        }
        let objects = keeper.objects(connection);
        let Some(name) = object else {
            return Err(Failure::usage("which object?").hint(format!("{connection} has: {}", objects.join(", "))));
        };
        let found = keeper.object(&ObjectRef::new(connection, name));
        let mut sources = loaded.sources.clone();
        if let Some(fault) = keeper.faults(&mut sources).first() {
            let (message, why) = (fault.message.clone(), fault.primary.text.clone());
            return Err(Failure::findings(message).hint(why));
        }
        let object = found.ok_or_else(|| Failure::unknown("object", name, objects.iter().map(String::as_str)))?;
        match (field, args.format) {
            (None, Format::Json) => out.json(&schema::to_json(&object))?,
            (None, Format::Human) => whole(&object, path, out)?,
            (Some(field), format) => {
                let names: Vec<String> = object.fields.keys().cloned().collect();
                let found = object.fields.get(field).ok_or_else(|| Failure::unknown("field", field, names.iter().map(String::as_str)))?;
                match format {
                    Format::Json => out.json(found)?,
                    Format::Human => one(path, found, out)?,
                }
            }
        }
    }
    Ok(Exit::Fine)
}

fn overview(keeper: &project::Keeper<'_>, format: Format, out: &mut Out) -> Result<(), Failure> {
    let all: Vec<_> = keeper.connections().into_iter().map(|c| (keeper.objects(&c.name), c)).collect();
    if format == Format::Json {
        let entry =
            |(objects, c): &(Vec<String>, schema::Connection)| serde_json::json!({ "connection": c.name, "system": c.system, "objects": objects });
        return out.json(&all.iter().map(entry).collect::<Vec<_>>());
    }
    for (objects, connection) in all {
        out.line(format!("{} {}", out.bold(&connection.name), out.dim(&format!("({})", connection.system))))?;
        for object in objects {
            let of = ObjectRef::new(connection.name.clone(), object);
            let Some(known) = keeper.object(&of) else { continue };
            out.line(format!("  {:<40} {}", of.to_string(), out.dim(&does(&known))))?;
        }
    }
    Ok(())
}

/// What a mapping can do with it: `read, create, update`.
fn does(object: &Object) -> String {
    let access = object.access;
    let words = [(access.read, "read"), (access.create, "create"), (access.update, "update"), (access.upsert, "upsert")];
    let words: Vec<&str> = words.iter().filter(|(can, _)| *can).map(|(_, word)| *word).collect();
    if words.is_empty() { "part of other objects".into() } else { words.join(", ") }
}

fn whole(object: &Object, path: &str, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("{}   {}", out.bold(path), out.dim(&does(object))))?;
    for text in [&object.doc, &object.source] {
        if !text.is_empty() {
            out.line(out.dim(text))?;
        }
    }
    if !object.keys.is_empty() {
        out.line(format!("key: {}", object.keys.join(", ")))?;
    }
    out.line("")?;
    let width = object.fields.keys().map(|name| name.chars().count()).max().unwrap_or(0).min(32);
    for (name, field) in &object.fields {
        let kind = kind(field);
        let notes = notes(field);
        out.line(format!("  {name:<width$}  {kind:<26}  {}", out.dim(&notes)).trim_end())?;
    }
    out.line("")?;
    out.line(out.dim("`?` may be missing when it is read; * is required to create a record; `known`: other values are taken too"))
}

fn kind(field: &Field) -> String {
    let missing = if field.nullable { "?" } else { "" };
    let name = match &field.kind {
        Kind::Enumeration(of) if of.open => format!("text{missing}, {} known", of.values.len()),
        Kind::Enumeration(of) => format!("one of {} values{missing}", of.values.len()),
        kind => format!("{kind}{missing}"),
    };
    format!("{name}{}", if field.write.required { " *" } else { "" })
}

fn notes(field: &Field) -> String {
    let mut notes = Vec::new();
    match (field.readable, field.write.create, field.write.update) {
        (false, _, _) => notes.push("only written".to_owned()),
        (true, false, false) => notes.push("only read".to_owned()),
        (true, true, false) => notes.push("set once, when created".to_owned()),
        (true, false, true) => notes.push("set by an update only".to_owned()),
        (true, true, true) => {}
    }
    if let Some(size) = field.size {
        notes.push(format!("up to {}", size.max));
    }
    if let Some(places) = field.places {
        notes.push(format!("{places} decimal places"));
    }
    notes.join(", ")
}

fn one(path: &str, field: &Field, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("{}   {}", out.bold(path), kind(field)))?;
    for text in [notes(field), field.doc.clone(), field.common.clone().map(|why| format!("commonly needed: {why}")).unwrap_or_default()] {
        if !text.is_empty() {
            out.line(text)?;
        }
    }
    if let Kind::Enumeration(of) = &field.kind {
        for known in &of.values {
            let label = known.label.as_ref().map(|l| out.dim(&format!("  {l}"))).unwrap_or_default();
            out.line(format!("  {}{label}", known.value))?;
        }
    }
    Ok(())
}
