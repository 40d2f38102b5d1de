//! `crossdock run`: its arguments, and what it prints of a run over a file. Between systems: see `run_connected`.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use super::project::load;
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::app::run_files::{self, Progress, RanFile, Streams};
use crate::app::run_once::Request;
use crate::app::{Context, LoadedProject};
use crate::run::files::{Lines, Sink, Summary};

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
    let request = run_files::Request {
        flow: args.flow.as_deref(),
        records: args.records.as_deref(),
        out: args.out.as_deref(),
        matched: &args.matched,
        lines: if args.envelopes { Lines::Envelopes } else { Lines::Bodies },
        workers: args.workers.map(usize::from),
        now: args.now.map_or_else(jiff::Timestamp::now, |now| now.at(jiff::Timestamp::now())),
    };
    let dash = args.records.as_deref() == Some("-");
    let input = dash.then(|| -> Box<dyn BufRead + Send> { Box::new(BufReader::with_capacity(run_files::READ, io::stdin())) });
    // Drawn only where the standard error is a terminal.
    let bar = ProgressBar::no_length();
    let mut records = 0;
    let ran = run_files::run_file(&ready, &request, Streams { input, output: &mut Standard }, &mut |progress| match progress {
        Progress::Begun(length) => begin(&bar, length),
        Progress::Mapped { bytes, records: more } => {
            records += more;
            bar.inc(bytes);
            bar.set_message(format!("{records} records"));
        }
    })?;
    bar.finish_and_clear();
    let RanFile { summary, name, written } = &ran;
    if args.format == Format::Json && args.out.is_some() {
        out.json(summary)?;
    } else {
        tell(summary, written, out);
    }
    if summary.records == 0 {
        out.note(format!("warning: {name} holds no record"));
    } else if summary.unreadable == summary.records && dash {
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
    run_files::between_systems(ready, args.flow.as_deref())
}

fn begin(bar: &ProgressBar, length: Option<u64>) {
    if let Some(length) = length {
        bar.set_length(length);
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3}%  {bytes_per_sec:>12}  {msg}  {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
}

/// Payloads on the standard output, what was stopped on the standard error.
struct Standard;

impl Sink for Standard {
    fn payloads(&mut self, _: &str, lines: &[u8]) -> io::Result<()> {
        unless_closed(io::stdout().lock().write_all(lines))
    }

    fn stopped(&mut self, lines: &[u8]) -> io::Result<()> {
        unless_closed(io::stderr().lock().write_all(lines))
    }
}

/// A reader that has seen enough (`| head`) is no trouble: what the records come to is counted all the same.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

fn tell(summary: &Summary, written: &[PathBuf], out: &mut Out) {
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
    for path in written {
        out.note(format!("written: {}", path.display()));
    }
}
