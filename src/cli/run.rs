//! `crossdock run` over a file of records. Between systems: see `run_connected`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::project::load;
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::folder::unreadable;
use crate::app::run_once::Request;
use crate::app::{Context, LoadedProject, matched};
use crate::base::bounds;
use crate::eval::{Inputs, Outcome, apply, queries};
use crate::fault::file;
use crate::project::records::{self, Form, RecordFault};
use crate::run::files::{self, Lines, Mapper, Sink, Summary};
use crate::value::Json;
use crate::vm::CompiledFlow;

/// Bytes of a reader's own buffer. More than that at once is read past it, straight to where it belongs.
const READ: usize = 64 * 1024;

const EXAMPLES: &str = "\
Between systems:
  crossdock run                           all flows
  crossdock run --flow export_orders      one flow
  crossdock run --dry-run                 live reads, no writes
  crossdock run --since 2026-11-01        first run: only newer changes

Over a file of records:
  crossdock run --flow export_orders --records orders.jsonl --out out
  crossdock run --flow export_orders --records - < orders.jsonl > payloads.jsonl
  crossdock run --flow daily_orders       between two `files` connections

Between systems, each flow is polled once; the command finishes all resulting work and exits.

Over a file, payloads are written to one file for each object. `stopped.jsonl` has the records that were rejected, wait for a \
review or could not be read, with their reasons. A rejected record is a result, not an error: exit code 0 (1 with --strict). \
Exit code 1 if a line of the file could not be read.";

/// Run flows once, between systems or over a file of records
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The project's folder; by default that of the current folder
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The flow. Between systems: several, separated by commas; all of them by default
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// The records, in the form of the flow's source: JSONL, JSON or CSV; `-` for the standard input
    #[arg(long, value_name = "FILE")]
    records: Option<String>,
    /// The folder to write to; without it, payloads go to the standard output
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Between systems: poll each flow once, finish all resulting work, then exit (the default)
    #[arg(long)]
    once: bool,
    /// Between systems: read, map and compare, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Between systems: continue with an older copy of the store, or with a new one after it was lost. Each record is compared
    /// with its target before it is written
    #[arg(long)]
    recover: bool,
    /// With --dry-run: show every write, field by field
    #[arg(long, requires = "dry_run")]
    all: bool,
    /// With --dry-run: print personal values, which are masked by default
    #[arg(long, requires = "dry_run")]
    reveal: bool,
    /// Between systems, at the first run of a flow: leave out records that changed earlier than 7d ago, or than 2026-11-01
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Over a file: records of the other side for a match: NAME=FILE; the match searches them by its keys
    #[arg(long, value_name = "NAME=FILE", requires = "records")]
    matched: Vec<String>,
    /// Write each payload with its operation and key around it
    #[arg(long)]
    envelopes: bool,
    /// Count rejected records as findings: exit code 1
    #[arg(long)]
    strict: bool,
    /// The number of threads; by default one for each processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// The time to use as `now`, instead of the current time
    #[arg(long, value_name = "TIME")]
    now: Option<When>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let ready = load(args.path.as_ref(), args.env.as_deref(), out)?;
    if between_systems(args, &ready)? {
        let context = Context::of(ready)?;
        let only = context.project.flows_named(args.flow.as_slice())?;
        let asked = super::run_connected::Asked {
            request: Request { only, recover: args.recover, since: args.since.map(|since| since.at(jiff::Timestamp::now())) },
            all: args.all,
            reveal: args.reveal,
            strict: args.strict,
            format: args.format,
            context: &context,
        };
        if args.dry_run {
            return super::rehearse::rehearse(&asked, out);
        }
        return super::run_connected::once(&asked, out);
    }
    let flow = ready.flow(args.flow.as_deref())?;
    if flow.group.is_some() {
        return Err(Failure::usage(format!("`{}` groups records, and a file is mapped record by record", flow.name))
            .hint("preview one group: crossdock preview with a file of its records"));
    }
    let load = |path: &str| -> Result<Vec<Json>, Failure> {
        let text = file::read_text(Path::new(path), bounds::WHOLE_FILE).map_err(|error| unreadable(Path::new(path), &error))?;
        crate::app::records::parse(path, &text)
    };
    let given = matched::given(&args.matched, flow, &load)?;
    let ungiven: Vec<&str> = flow.matches.iter().map(|found| found.name.as_str()).filter(|name| !given.has(name)).collect();
    if !ungiven.is_empty() {
        let wanted: Vec<String> = ungiven.iter().map(|name| format!("--matched {name}=FILE")).collect();
        return Err(Failure::usage(format!("`{}` looks up records of another system: {}", flow.name, ungiven.join(", ")))
            .hint(format!("name files of such records; the match searches them by its keys: {}", wanted.join(" "))));
    }
    let program = ready.program()?;
    let Input { name, reader: mut input, length, unread } = source(args, &ready, flow)?;
    let now = args.now.map_or_else(jiff::Timestamp::now, |now| now.at(jiff::Timestamp::now()));
    let map = |record: &Json| -> Outcome {
        let inputs = Inputs::of(record, now, &ready.compiled.names);
        if flow.matches.is_empty() {
            return apply(&program, flow, &inputs);
        }
        let (matched, _) = queries::find(&program, flow, &inputs, &given);
        apply(&program, flow, &Inputs { matched: &matched, ..inputs })
    };
    // What cannot be lowered goes by the reference evaluator alone: the same result, slower.
    let flat = CompiledFlow::new(program.plan(), flow, &ready.compiled.names, now).ok();
    let mut sink = Files::new(args, &ready, flow)?;
    let bar = bar(length);
    let lines = if args.envelopes { Lines::Envelopes } else { Lines::Bodies };
    let workers = args.workers.map_or_else(|| std::thread::available_parallelism().map_or(1, Into::into), usize::from);
    let mut records = 0;
    let summary =
        files::run(&mut *input, Mapper { map: &map, flat: flat.as_ref(), lines, unread: &unread }, workers, &mut sink, &mut |bytes, more| {
            records += more;
            bar.inc(bytes);
            bar.set_message(format!("{records} records"));
        })
        .and_then(|summary| sink.close().map(|()| summary).map_err(files::Ended::Write))
        .map_err(|ended| match ended {
            files::Ended::Read(error) => Failure::io(format!("{name}: {error}")),
            files::Ended::Write(error) => Failure::io(format!("the output of {name} cannot be written: {error}")),
            files::Ended::Worker => Failure::io(format!("{name}: {ended}")),
        })?;
    bar.finish_and_clear();
    if args.format == Format::Json && args.out.is_some() {
        out.json(&summary)?;
    } else {
        tell(&summary, &sink, out);
    }
    if summary.records == 0 {
        out.note(format!("warning: {name} holds no record"));
    } else if summary.unreadable == summary.records && args.records.as_deref() == Some("-") {
        out.note("the standard input is read as JSONL, one record on each line: name a file to read .json or .csv");
    }
    let bad = summary.unreadable > 0 || (args.strict && summary.rejected > 0);
    Ok(if bad { Exit::Findings } else { Exit::Fine })
}

/// Whether systems are asked, and not a file.
fn between_systems(args: &Args, ready: &LoadedProject) -> Result<bool, Failure> {
    if args.records.is_some() || args.out.is_some() {
        return Ok(false);
    }
    if args.once || args.dry_run {
        return Ok(true);
    }
    let flows = &ready.plan()?.mapping.flows;
    let named = args.flow.as_deref().and_then(|name| flows.iter().find(|flow| flow.name == name));
    Ok(match named {
        Some(flow) => !ready.reads_file(flow),
        None => !flows.iter().any(|flow| ready.reads_file(flow)),
    })
}

/// Records as lines of JSON.
struct Input {
    name: String,
    reader: Box<dyn BufRead + Send>,
    /// In bytes, where it is known.
    length: Option<u64>,
    /// Lines that stand for rows which could not be read, and why.
    unread: BTreeMap<usize, RecordFault>,
}

impl Input {
    fn lines(name: String, input: Box<dyn BufRead + Send>, length: Option<u64>) -> Result<Self, Failure> {
        let reader = file::in_utf8(input).map_err(|error| Failure::io(format!("{name}: {error}")))?;
        Ok(Input { name, reader, length, unread: BTreeMap::new() })
    }
}

fn source(args: &Args, ready: &LoadedProject, flow: &crate::ir::Flow) -> Result<Input, Failure> {
    let of = &flow.source;
    let configured = ready.compiled.config.connections.get(&of.connection).and_then(|connection| connection.objects.get(&of.object));
    let (name, path) = match (&args.records, configured) {
        (Some(dash), _) if dash == "-" => {
            return Input::lines("standard input".to_owned(), Box::new(BufReader::with_capacity(READ, io::stdin())), None);
        }
        (Some(path), _) => (path.clone(), PathBuf::from(path)),
        (None, Some(object)) => (object.path.text.clone(), ready.selection.folder.reach(&object.path.text)?),
        (None, None) => {
            return Err(Failure::usage(format!("`{}` is a system, and no file of its records is given", of.connection))
                .hint("name one: --records orders.jsonl"));
        }
    };
    let unread = |error: io::Error| unreadable(&path, &error).hint("to read what another program writes: --records -");
    let file = file::open(&path).map_err(unread)?;
    let length = file.metadata().ok().map(|about| about.len());
    if Form::of(&name) == Form::JsonLines {
        return Input::lines(name, Box::new(BufReader::with_capacity(READ, file)), length);
    }
    // Other forms have no lines to stream by: they are read whole.
    let text = file::read_text(&path, bounds::WHOLE_FILE)
        .map_err(|error| unreadable(&path, &error).hint("use JSONL for large files: one record in each line"))?;
    ready.hold_headings(flow, &name, &text)?;
    let failed = |fault: RecordFault| Failure::io(format!("{name}:{}: {}", fault.line, fault.message));
    let (mut lines, mut unread) = (String::new(), BTreeMap::new());
    // A row of a table that cannot be read is told by its line, and the others go on, as for JSON lines.
    let rows = match Form::of(&name) {
        Form::Csv => records::rows(&text).map_err(failed)?,
        _ => records::read(&name, &text).map_err(failed)?.into_iter().map(Ok).collect(),
    };
    for (at, row) in rows.into_iter().enumerate() {
        match row {
            Ok(record) => lines.push_str(&record.to_string()),
            Err(fault) => {
                // It is no JSON, whatever reads it.
                lines.push('!');
                unread.insert(at + 1, fault);
            }
        }
        lines.push('\n');
    }
    Ok(Input { name, reader: Box::new(io::Cursor::new(lines)), length: None, unread })
}

fn bar(length: Option<u64>) -> ProgressBar {
    // Hidden by itself where the standard error is no terminal.
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = ProgressStyle::with_template("{bar:30} {percent:>3}%  {bytes_per_sec:>12}  {msg}  {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// The file in the folder of `--out` for what was stopped.
const STOPPED: &str = "stopped.jsonl";

/// One file for each object's payloads, one for what was stopped.
struct Files {
    folder: Option<PathBuf>,
    /// Where a `files` connection says that its object's records go.
    configured: BTreeMap<String, PathBuf>,
    open: BTreeMap<PathBuf, BufWriter<File>>,
}

impl Files {
    fn new(args: &Args, ready: &LoadedProject, flow: &crate::ir::Flow) -> Result<Self, Failure> {
        if let Some(folder) = &args.out {
            if folder.exists() && !folder.is_dir() {
                return Err(Failure::usage(format!("`{}` is a file, and --out names the folder to write to", folder.display()))
                    .hint("name a folder, such as --out out; each object's payloads are a file in it"));
            }
            std::fs::create_dir_all(folder).map_err(|error| Failure::io(format!("{} cannot be made: {error}", folder.display())))?;
        }
        let mut configured = BTreeMap::new();
        for (name, connection) in &ready.compiled.config.connections {
            for (object, file) in &connection.objects {
                configured.insert(format!("{name}.{object}"), ready.selection.folder.reach(&file.path.text)?);
            }
        }
        let files = Files { folder: args.out.clone(), configured, open: BTreeMap::new() };
        // What a run writes replaces what was there: never what it reads, or what the project is made of.
        let read = args.records.as_deref().and_then(|path| Path::new(path).canonicalize().ok());
        let objects = flow.writes.iter().map(|write| write.object.to_string());
        for path in objects.filter_map(|object| files.path(&object)).chain(args.out.iter().map(|folder| folder.join(STOPPED))) {
            let place = path.canonicalize().ok();
            let own = path.extension().is_some_and(|ending| ["dock", "yaml", "yml", "lock"].iter().any(|own| ending.eq_ignore_ascii_case(own)));
            if place.is_some() && place == read {
                return Err(Failure::usage(format!("`{}` would be written and is what this run reads", path.display()))
                    .hint("name another folder with --out"));
            }
            if own {
                return Err(Failure::usage(format!("`{}` would be written, and is a file of the project", path.display()))
                    .hint("records are written as JSONL: name a .jsonl file as the object's `path`"));
            }
        }
        Ok(files)
    }

    /// Where an object's payloads go; none for the standard output.
    fn path(&self, object: &str) -> Option<PathBuf> {
        match &self.folder {
            Some(folder) => Some(folder.join(format!("{object}.jsonl"))),
            None => self.configured.get(object).cloned(),
        }
    }

    fn write(&mut self, path: &Path, lines: &[u8]) -> io::Result<()> {
        if !self.open.contains_key(path) {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            self.open.insert(path.to_path_buf(), BufWriter::new(File::create(path)?));
        }
        match self.open.get_mut(path) {
            Some(file) => file.write_all(lines),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        self.open.values_mut().try_for_each(|file| file.flush())
    }
}

impl Sink for Files {
    fn payloads(&mut self, object: &str, lines: &[u8]) -> io::Result<()> {
        match self.path(object) {
            Some(path) => self.write(&path, lines),
            None => io::stdout().lock().write_all(lines),
        }
    }

    fn stopped(&mut self, lines: &[u8]) -> io::Result<()> {
        match &self.folder {
            Some(folder) => self.write(&folder.join(STOPPED), lines),
            None => io::stderr().lock().write_all(lines),
        }
    }
}

fn tell(summary: &Summary, sink: &Files, out: &mut Out) {
    let Summary { records, ready, review, rejected, not_eligible, unreadable, warned, .. } = summary;
    out.note(format!(
        "{records} records: {ready} to send, {review} to review, {rejected} rejected, {not_eligible} not eligible, {unreadable} unreadable"
    ));
    if *warned > 0 {
        out.note(format!("{warned} of them with a warning"));
    }
    for (object, count) in &summary.payloads {
        out.note(format!("  {count:>8}  {object}"));
    }
    let mut reasons: Vec<_> = summary.reasons.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    if !reasons.is_empty() {
        out.note("why records were stopped:");
    }
    for (reason, count) in reasons.iter().take(12) {
        out.note(format!("  {count:>8}  {reason}"));
    }
    if reasons.len() > 12 {
        out.note(format!("            and {} other reasons", reasons.len() - 12));
    }
    for path in sink.open.keys() {
        out.note(format!("written: {}", path.display()));
    }
}
