//! A flow over a file of records: what it reads, what it writes and where. Between systems: see `run_once`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::records::RecordsFile;
use super::{Failure, LoadedProject, matched};
use crate::eval::{Inputs, Outcome, apply, queries};
use crate::fault::file;
use crate::ir::Flow;
use crate::project::records::{self, Form, RecordFault};
use crate::run::files::{self, Lines, Mapper, Sink, Summary};
use crate::value::Json;
use crate::vm::CompiledFlow;

/// Bytes of a reader's own buffer. More than that at once is read past it, straight to where it belongs.
pub const READ: usize = 64 * 1024;

/// The file in the folder that is written to, for what was stopped.
const STOPPED: &str = "stopped.jsonl";

/// What is mapped, and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The flow; none where the project has just one.
    pub flow: Option<&'a str>,
    /// A file of records; none for that of the flow's `files` connection.
    pub records: Option<&'a str>,
    /// The folder to write to; none for the files of a `files` connection, and for the streams where an object has none.
    pub out: Option<&'a Path>,
    /// Records of the other side, among which matches look: `NAME=FILE`.
    pub matched: &'a [String],
    pub lines: Lines,
    /// Threads; one for each processor where it is not said.
    pub workers: Option<usize>,
    /// The run's now.
    pub now: jiff::Timestamp,
}

/// The streams of the process: records that come from there, payloads and stopped records that have no file.
pub struct Streams<'a> {
    /// Records as JSONL, in the place of a file.
    pub input: Option<Box<dyn BufRead + Send>>,
    pub output: &'a mut (dyn Sink + Send),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The length of the input in bytes, where it is known.
    Begun(Option<u64>),
    /// What has been mapped since it was told last.
    Mapped { bytes: u64, records: u64 },
}

/// What a run over a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RanFile {
    pub summary: Summary,
    /// What the records came from, as it was named.
    pub name: String,
    /// The files that were written.
    pub written: Vec<PathBuf>,
}

/// Whether a run of a flow, or of all, asks systems: it does unless a flow reads a file.
///
/// # Errors
/// The project has no plan.
pub fn between_systems(project: &LoadedProject, flow: Option<&str>) -> Result<bool, Failure> {
    let flows = &project.plan()?.mapping.flows;
    let named = flow.and_then(|name| flows.iter().find(|flow| flow.name == name));
    Ok(match named {
        Some(flow) => !project.reads_file(flow),
        None => !flows.iter().any(|flow| project.reads_file(flow)),
    })
}

/// Maps all records of a file.
///
/// # Errors
/// There is no such flow, it maps groups, a match has no file, or a file cannot be read or written. A record that is rejected, and a line
/// that is no record, are counted and do not stop the run.
pub fn run_file(
    project: &LoadedProject,
    request: &Request<'_>,
    streams: Streams<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<RanFile, Failure> {
    let flow = project.flow(request.flow)?;
    if flow.group.is_some() {
        return Err(Failure::usage(format!("`{}` groups records, and a file is mapped record by record", flow.name))
            .hint("preview one group: crossdock preview with a file of its records"));
    }
    let given = matched::given(request.matched, flow, &|path: &str| project.records(path))?;
    let ungiven: Vec<&str> = flow.matches.iter().map(|found| found.name.as_str()).filter(|name| !given.has(name)).collect();
    if !ungiven.is_empty() {
        let wanted: Vec<String> = ungiven.iter().map(|name| format!("--matched {name}=FILE")).collect();
        return Err(Failure::usage(format!("`{}` looks up records of another system: {}", flow.name, ungiven.join(", ")))
            .hint(format!("name files of such records; the match searches them by its keys: {}", wanted.join(" "))));
    }
    let program = project.program()?;
    let Streams { input, output } = streams;
    let Input { name, place, reader: mut input, length, unread } = match input {
        Some(input) => Input::lines("standard input".to_owned(), None, input, None)?,
        None => source(project, request.records, flow)?,
    };
    let names = &project.compiled.names;
    let map = |record: &Json| -> Outcome {
        let inputs = Inputs::of(record, request.now, names);
        if flow.matches.is_empty() {
            return apply(&program, flow, &inputs);
        }
        let (matched, _) = queries::find(&program, flow, &inputs, &given);
        apply(&program, flow, &Inputs { matched: &matched, ..inputs })
    };
    // What cannot be compiled goes by the reference evaluator alone: the same result, slower.
    let compiled = CompiledFlow::new(program.plan(), flow, names, request.now).ok();
    let mut sink = Files::new(project, request.out, flow, place.as_deref(), output)?;
    let workers = request.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let mapper = Mapper { map: &map, compiled: compiled.as_ref(), lines: request.lines, unread: &unread };
    progress(Progress::Begun(length));
    let summary = files::run(&mut *input, mapper, workers, &mut sink, &mut |bytes, records| progress(Progress::Mapped { bytes, records }))
        .and_then(|summary| sink.close().map(|()| summary).map_err(files::Ended::Write))
        .map_err(|ended| match ended {
            files::Ended::Read(error) => Failure::io(format!("{name}: {error}")),
            files::Ended::Write(error) => Failure::io(format!("the output of {name} cannot be written: {error}")),
            files::Ended::Worker => Failure::io(format!("{name}: {ended}")),
        })?;
    Ok(RanFile { summary, name, written: sink.open.into_keys().collect() })
}

/// Records as lines of JSON.
struct Input {
    name: String,
    /// The file that is read.
    place: Option<PathBuf>,
    reader: Box<dyn BufRead + Send>,
    /// In bytes, where it is known.
    length: Option<u64>,
    /// Lines that stand for rows which could not be read, and why.
    unread: BTreeMap<usize, RecordFault>,
}

impl Input {
    fn lines(name: String, place: Option<PathBuf>, input: Box<dyn BufRead + Send>, length: Option<u64>) -> Result<Self, Failure> {
        let reader = file::in_utf8(input).map_err(|error| Failure::io(format!("{name}: {error}")))?;
        Ok(Input { name, place, reader, length, unread: BTreeMap::new() })
    }
}

fn source(project: &LoadedProject, records: Option<&str>, flow: &Flow) -> Result<Input, Failure> {
    let of = &flow.source;
    let configured = project.compiled.config.connections.get(&of.connection).and_then(|connection| connection.objects.get(&of.object));
    let of = match (records, configured) {
        (Some(path), _) => RecordsFile::find(project, path),
        (None, Some(object)) => RecordsFile::at(project, &object.path.text, project.folder().reach(&object.path.text)?),
        (None, None) => {
            return Err(Failure::usage(format!("`{}` is a system, and no file of its records is given", of.connection))
                .hint("name one: --records orders.jsonl"));
        }
    };
    let name = of.name.clone();
    let file = file::open(&of.place).map_err(|error| of.unreadable(&error).hint("to read what another program writes: --records -"))?;
    if Form::of(&name) == Form::JsonLines {
        let length = file.metadata().ok().map(|about| about.len());
        return Input::lines(name, Some(of.place), Box::new(BufReader::with_capacity(READ, file)), length);
    }
    // Other forms have no lines to stream by: they are read whole.
    let text = of.text()?;
    project.hold_headings(flow, &of, &text)?;
    let failed = |fault: RecordFault| Failure::io(format!("{name}:{}: {}", fault.line, fault.message));
    let (mut lines, mut unread) = (String::new(), BTreeMap::new());
    // A row of a table that cannot be read is told by its line, and the others go on, as for JSON lines.
    let rows = match Form::of(&name) {
        Form::Csv => records::rows(&text, of.form.separator).map_err(failed)?,
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
    Ok(Input { name, place: Some(of.place), reader: Box::new(io::Cursor::new(lines)), length: None, unread })
}

/// One file for each object's payloads, one for what was stopped.
struct Files<'a> {
    folder: Option<PathBuf>,
    /// Where a `files` connection says that its object's records go.
    configured: BTreeMap<String, PathBuf>,
    open: BTreeMap<PathBuf, BufWriter<File>>,
    /// For what has no file.
    streams: &'a mut (dyn Sink + Send),
}

impl<'a> Files<'a> {
    fn new(
        project: &LoadedProject,
        folder: Option<&Path>,
        flow: &Flow,
        read: Option<&Path>,
        streams: &'a mut (dyn Sink + Send),
    ) -> Result<Self, Failure> {
        if let Some(folder) = folder {
            if folder.exists() && !folder.is_dir() {
                return Err(Failure::usage(format!("`{}` is a file, and --out names the folder to write to", folder.display()))
                    .hint("name a folder, such as --out out; each object's payloads are a file in it"));
            }
            std::fs::create_dir_all(folder).map_err(|error| Failure::io(format!("{} cannot be made: {error}", folder.display())))?;
        }
        let mut configured = BTreeMap::new();
        for (name, connection) in &project.compiled.config.connections {
            for (object, file) in &connection.objects {
                configured.insert(format!("{name}.{object}"), project.folder().reach(&file.path.text)?);
            }
        }
        let files = Files { folder: folder.map(Path::to_owned), configured, open: BTreeMap::new(), streams };
        // What a run writes replaces what was there: never what it reads, or what the project is made of.
        let read = read.and_then(|path| path.canonicalize().ok());
        let objects = flow.writes.iter().map(|write| write.object.to_string());
        for path in objects.filter_map(|object| files.path(&object)).chain(folder.map(|folder| folder.join(STOPPED))) {
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

    /// Where an object's payloads go; none for the streams.
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

impl Sink for Files<'_> {
    fn payloads(&mut self, object: &str, lines: &[u8]) -> io::Result<()> {
        match self.path(object) {
            Some(path) => self.write(&path, lines),
            None => self.streams.payloads(object, lines),
        }
    }

    fn stopped(&mut self, lines: &[u8]) -> io::Result<()> {
        match &self.folder {
            Some(folder) => self.write(&folder.join(STOPPED), lines),
            None => self.streams.stopped(lines),
        }
    }
}
