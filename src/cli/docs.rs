//! `crossdock docs`: the sign-off document for a client.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::project::load;
use super::test::all_cases;
use super::{Exit, Failure, Out};
use crate::app::LoadedProject;
use crate::app::folder::unreadable;
use crate::apply::{Inputs, apply, aside};
use crate::base::bounds;
use crate::fault::file;
use crate::project::{Library as _, records};
use crate::spec::signoff::{self, About, Document, Example};
use crate::spec::{Bench, judge};

const EXAMPLES: &str = "\
Examples:
  crossdock docs          writes signoff/mapping.html and signoff/mapping.xlsx
  crossdock docs --sign   keeps this state as the one that was signed
  crossdock docs --records export_orders=orders.jsonl
                          takes the examples from real records

The document shows each target field with its source, rule, example and what happens when the source is empty; value maps, \
routes and reasons; what has changed since the last sign-off; and the hash of the plan. Examples come from the project's \
cases. Those from real records contain personal values. Nothing is sent.";

/// The name under which a signed state is kept.
const SIGNED: &str = "signed.json";

/// Write the sign-off document, as a page and as a workbook
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Where to write it; by default `signoff` in the project's folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Records to take examples from: FLOW=FILE
    #[arg(long, value_name = "FLOW=FILE")]
    records: Vec<String>,
    /// Keep this state as the one that was signed
    #[arg(long)]
    sign: bool,
    /// The date on the document, instead of today
    #[arg(long, value_name = "DATE")]
    date: Option<jiff::civil::Date>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let ready = load(args.path.as_ref(), args.env.as_deref(), out)?;
    let plan = ready.plan()?;
    let root = std::path::absolute(ready.selection.folder.root()).map_err(|error| Failure::io(error.to_string()))?;
    let name = root.file_name().map_or_else(|| "mapping".to_owned(), |name| name.to_string_lossy().into_owned());
    let about = About { project: &name, environment: args.env.as_deref(), made: args.date.unwrap_or_else(|| jiff::Zoned::now().date()) };
    let document = signoff::document(about, plan, &ready.mappings()?, &examples(&ready, &args.records)?);

    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => ready.selection.folder.reach("signoff")?,
    };
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io(format!("{} cannot be made: {error}", folder.display())))?;
    let signed = folder.join(SIGNED);
    let old: Option<Document> = match file::read_text(&signed, bounds::WHOLE_FILE) {
        Ok(text) => Some(serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{} is not a signed state: {error}", signed.display()))
                .hint("restore it from version control; or remove it, and sign the current state with `crossdock docs --sign`")
        })?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable(&signed, &error)),
    };
    let changes = old.as_ref().map(|old| signoff::changes(old, &document));
    let since = old.as_ref().zip(changes.as_deref());
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| Failure::io(format!("{} cannot be written: {error}", path.display())))?;
        Ok::<PathBuf, Failure>(path)
    };
    let json = serde_json::to_string_pretty(&document).map_err(|error| Failure::io(error.to_string()))? + "\n";
    let workbook = signoff::xlsx(&document, since).map_err(|error| Failure::usage(format!("it does not fit into a workbook: {error}")))?;
    for (name, bytes) in [("mapping.html", signoff::html(&document, since).into_bytes()), ("mapping.xlsx", workbook)] {
        out.line(format!("wrote {}", write(name, &bytes)?.display()))?;
    }
    match &changes {
        None if args.sign => {}
        None => out.line("no state is signed yet: `crossdock docs --sign` keeps this one, to compare with later")?,
        Some(changes) if changes.is_empty() => {
            out.line("nothing has changed since the last sign-off")?;
            if old.as_ref().is_some_and(|old| old.plan != document.plan) {
                out.line(out.dim("the hash of the plan has changed: lines have moved, or a schema was pulled again. `--sign` keeps the new hash"))?;
            }
        }
        Some(changes) => {
            let day = old.as_ref().map_or("", |old| &old.made);
            let count = if changes.len() == 1 { "1 change".to_owned() } else { format!("{} changes", changes.len()) };
            out.line(format!("{count} since the sign-off of {day}:"))?;
            for change in changes {
                out.line(format!("  {}", out.bold(&change.at)))?;
                out.line(format!("    {}", out.red(&format!("- {}", change.was.as_deref().unwrap_or("(new)")))))?;
                out.line(format!("    {}", out.green(&format!("+ {}", change.is.as_deref().unwrap_or("(gone)")))))?;
            }
        }
    }
    if args.sign {
        out.line(format!("signed: {}", write(SIGNED, json.as_bytes())?.display()))?;
    }
    Ok(Exit::Fine)
}

/// What the project's cases, or the records that are named, give.
fn examples(ready: &LoadedProject, given: &[String]) -> Result<Vec<Example>, Failure> {
    let program = ready.program()?;
    let folder = &ready.selection.folder;
    let mut examples = Vec::new();
    let mut shown: BTreeMap<String, ()> = BTreeMap::new();
    for pair in given {
        let wrong = || Failure::usage(format!("`{pair}` names no flow and file")).hint("write --records export_orders=orders.jsonl");
        let (name, path) = pair.split_once('=').ok_or_else(wrong)?;
        let flow = ready.flow(Some(name))?;
        let text = ready.text(path)?;
        let records = records::read(path, &text).map_err(|fault| Failure::usage(format!("{path}:{}: {}", fault.line, fault.message)))?;
        for (at, record) in records.iter().take(MOST).enumerate() {
            let group: &[_] = if flow.group.is_some() { &records } else { &[] };
            let inputs = Inputs { group, trace: true, ..Inputs::of(record, jiff::Timestamp::now(), &ready.compiled.names) };
            examples.push(Example { flow: name.to_owned(), record: format!("{path}, record {}", at + 1), outcome: apply(&program, flow, &inputs) });
        }
        shown.insert(name.to_owned(), ());
    }
    let bench = Bench {
        plan: ready.plan()?,
        map: &|flow, inputs| apply(&program, flow, &Inputs { trace: true, ..*inputs }),
        find: &|flow, inputs, given| aside::find(&program, flow, inputs, given),
        file: &|path| folder.read(path).map_err(|absence| absence.to_string()),
        names: &ready.compiled.names,
    };
    for case in all_cases(ready)?.into_iter().filter(|case| !shown.contains_key(&case.flow)) {
        if let Some(outcome) = judge::run(&case, &bench).outcome {
            examples.push(Example { flow: case.flow.clone(), record: format!("case: {}", case.name), outcome });
        }
    }
    Ok(examples)
}

/// Records that are gone through for examples.
const MOST: usize = 1_000;
