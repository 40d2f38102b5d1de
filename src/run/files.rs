//! A flow over a file of records: lines in, payloads and rejections out, in the order of the input.
//!
//! Workers map chunks of whole lines in parallel. Each worker reads its own chunk, so that the data is still in the cache when it is
//! mapped. The worker that finishes the next chunk in input order writes it, and all finished chunks after it. Only a few chunks are in
//! memory, however long the file is.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::{Condvar, Mutex, PoisonError};

use serde::Serialize;
use serde_json::json;

use super::chunks::{Chunk, Cutter, Pool};
use crate::base::{bounds, locked};
use crate::eval::{Outcome, Payload, Verdict};
use crate::project::records::{self, RecordFault};
use crate::value::Json;
use crate::vm::{CompiledFlow, Form, MapStatus, Worker};

/// Why a run over a file ended before its end. What was written until then stays.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    #[error("the records cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("the output cannot be written: {0}")]
    Write(#[source] io::Error),
    /// One of its threads has panicked; the others end with it.
    #[error("a worker has stopped")]
    Worker,
}

/// Distinct reasons that a summary counts; the rest is counted together.
const REASONS: usize = 200;

/// Where what comes out goes.
pub trait Sink {
    /// Lines of payloads of one object (`wms.Order`), each with its line break.
    ///
    /// # Errors
    /// They cannot be written.
    fn payloads(&mut self, object: &str, lines: &[u8]) -> io::Result<()>;

    /// Lines of what was rejected, goes to review, or could not be read.
    ///
    /// # Errors
    /// They cannot be written.
    fn stopped(&mut self, lines: &[u8]) -> io::Result<()>;
}

/// What became of every record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub records: u64,
    pub ready: u64,
    pub review: u64,
    pub rejected: u64,
    pub not_eligible: u64,
    /// Lines that are no record.
    pub unreadable: u64,
    /// Records with a warning.
    pub warned: u64,
    /// Payloads by object.
    pub payloads: BTreeMap<String, u64>,
    /// How often each reason was given, by its message.
    pub reasons: BTreeMap<String, u64>,
}

impl Summary {
    fn add(&mut self, other: Summary) {
        self.records += other.records;
        self.ready += other.ready;
        self.review += other.review;
        self.rejected += other.rejected;
        self.not_eligible += other.not_eligible;
        self.unreadable += other.unreadable;
        self.warned += other.warned;
        for (object, count) in other.payloads {
            *self.payloads.entry(object).or_default() += count;
        }
        for (reason, count) in other.reasons {
            self.reason(reason, count);
        }
    }

    fn reason(&mut self, reason: String, count: u64) {
        if self.reasons.len() < REASONS || self.reasons.contains_key(&reason) {
            *self.reasons.entry(reason).or_default() += count;
        } else {
            *self.reasons.entry("(other reasons)".to_owned()).or_default() += count;
        }
    }
}

/// How payloads are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// The payload alone, as the target system takes it.
    Bodies,
    /// With the write, its operation and key around it.
    Envelopes,
}

struct Mapped {
    sequence: u64,
    /// Objects, and their payloads.
    objects: Vec<String>,
    payloads: Vec<Vec<u8>>,
    stopped: Vec<u8>,
    summary: Summary,
    bytes: u64,
}

/// How records are mapped.
#[derive(Clone, Copy)]
pub struct Mapper<'m> {
    /// The reference: it is called from several threads.
    pub map: &'m (dyn Fn(&Json) -> Outcome + Sync),
    /// The same flow, compiled; what it leaves goes to the reference.
    pub compiled: Option<&'m CompiledFlow<'m>>,
    pub lines: Lines,
    /// Lines that stand for records which could not be read, by their number in the input. They are told apart from the
    /// input's text, which may hold anything.
    pub unread: &'m BTreeMap<usize, RecordFault>,
}

/// Chunks for each worker that may wait for an earlier one.
const AHEAD: u64 = 3;

/// Maps every line of `input` on `workers` threads; `progress` hears of bytes and records that are done.
///
/// # Errors
/// The input cannot be read or the output cannot be written.
pub fn run(
    input: &mut (dyn BufRead + Send),
    mapper: Mapper<'_>,
    workers: usize,
    sink: &mut (dyn Sink + Send),
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Summary, Ended> {
    let workers = workers.max(1);
    let (chunks, pool) = (Pool::default(), Pool::default());
    let work = Work {
        mapper,
        chunks: &chunks,
        pool: &pool,
        cutter: Mutex::new(Cutter::new(input, &chunks)),
        written: Mutex::new(Written {
            sink,
            progress,
            pool: &pool,
            waiting: BTreeMap::new(),
            next: 0,
            most: AHEAD * workers as u64,
            summary: Summary::default(),
            ended: Ok(()),
            over: false,
        }),
        more_written: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(|| work.some());
        }
        work.some();
    });
    let written = work.written.into_inner().unwrap_or_else(PoisonError::into_inner);
    written.ended.map(|()| written.summary)
}

/// What the workers of a run share.
struct Work<'w> {
    mapper: Mapper<'w>,
    /// Buffers for what is read, and for what is made.
    chunks: &'w Pool,
    pool: &'w Pool,
    cutter: Mutex<Cutter<'w>>,
    written: Mutex<Written<'w>>,
    more_written: Condvar,
}

/// What was made, in the order of the input.
struct Written<'w> {
    sink: &'w mut (dyn Sink + Send),
    progress: &'w mut (dyn FnMut(u64, u64) + Send),
    pool: &'w Pool,
    /// What waits for earlier chunks.
    waiting: BTreeMap<u64, Mapped>,
    /// The chunk that is written next.
    next: u64,
    /// How far ahead of it others may be.
    most: u64,
    summary: Summary,
    ended: Result<(), Ended>,
    /// Nothing more is read or written.
    over: bool,
}

impl Work<'_> {
    /// Reads, maps and writes until there is no more.
    fn some(&self) {
        let _ends = Ends(self);
        let mut worker = self.mapper.compiled.map(CompiledFlow::worker);
        loop {
            let read = locked(&self.cutter).next();
            let made = match read {
                Ok(Some(chunk)) => {
                    let made = mapped(&chunk, self.mapper, worker.as_mut(), self.pool);
                    self.chunks.give(chunk.buffer);
                    made
                }
                Ok(None) => return,
                Err(error) => {
                    locked(&self.written).end(Ended::Read(error));
                    return;
                }
            };
            let mut written = locked(&self.written);
            while !written.over && made.sequence >= written.next + written.most {
                written = self.more_written.wait(written).unwrap_or_else(PoisonError::into_inner);
            }
            if written.over {
                return;
            }
            written.take(made);
            drop(written);
            self.more_written.notify_all();
        }
    }
}

impl Written<'_> {
    /// Writes what was made as soon as all before it was.
    fn take(&mut self, made: Mapped) {
        self.waiting.insert(made.sequence, made);
        while let Some(made) = self.waiting.remove(&self.next) {
            self.next += 1;
            if let Err(error) = self.write(made) {
                self.end(Ended::Write(error));
                return;
            }
        }
    }

    fn write(&mut self, made: Mapped) -> io::Result<()> {
        for (object, lines) in made.objects.iter().zip(&made.payloads).filter(|(_, lines)| !lines.is_empty()) {
            self.sink.payloads(object, lines)?;
        }
        if !made.stopped.is_empty() {
            self.sink.stopped(&made.stopped)?;
        }
        (self.progress)(made.bytes, made.summary.records);
        self.summary.add(made.summary);
        made.payloads.into_iter().for_each(|lines| self.pool.give(lines));
        Ok(())
    }

    /// The first reason to end counts.
    fn end(&mut self, why: Ended) {
        if !self.over {
            self.ended = Err(why);
        }
        self.over = true;
    }
}

/// Ends the run where a worker breaks: the others would wait for a chunk that does not come.
struct Ends<'r, 'w>(&'r Work<'w>);

impl Drop for Ends<'_, '_> {
    fn drop(&mut self) {
        let mut written = locked(&self.0.written);
        if std::thread::panicking() {
            written.end(Ended::Worker);
        }
        let over = written.over;
        drop(written);
        if over {
            self.0.more_written.notify_all();
        }
    }
}

fn mapped(chunk: &Chunk, mapper: Mapper<'_>, mut worker: Option<&mut Worker<'_, '_>>, pool: &Pool) -> Mapped {
    let objects: Vec<String> = mapper.compiled.map(|compiled| compiled.objects().to_vec()).unwrap_or_default();
    let mut counts = vec![0_u64; objects.len()];
    let mut out = Mapped {
        sequence: chunk.sequence,
        payloads: objects.iter().map(|_| pool.take()).map(emptied).collect(),
        objects,
        stopped: Vec::new(),
        summary: Summary::default(),
        bytes: chunk.length as u64,
    };
    let mut from = 0;
    for (number, end) in (chunk.first_line..).zip(&chunk.ends) {
        let bytes = &chunk.buffer[from..*end];
        from = end + 1;
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        out.summary.records += 1;
        // The quick reader says only whether; the other one says where.
        let text = simdutf8::basic::from_utf8(bytes);
        if let (Ok(text), Some(worker), false) = (text, worker.as_deref_mut(), chunk.overlong) {
            let form = if mapper.lines == Lines::Bodies { Form::Body } else { Form::Envelope };
            match worker.map(text, form, &mut out.payloads, |object| counts[object] += 1) {
                MapStatus::Ready { warned } => {
                    out.summary.ready += 1;
                    out.summary.warned += u64::from(warned);
                    continue;
                }
                MapStatus::NotEligible => {
                    out.summary.not_eligible += 1;
                    continue;
                }
                MapStatus::Stopped { warned } => {
                    let stopped = worker.stopped();
                    *(if stopped.is_review() { &mut out.summary.review } else { &mut out.summary.rejected }) += 1;
                    out.summary.warned += u64::from(warned);
                    stopped.messages().for_each(|message| out.summary.reason(message.to_owned(), 1));
                    stopped.write(number, &mut out.stopped);
                    continue;
                }
                MapStatus::Bailout => {}
            }
        }
        let record = match text {
            _ if chunk.overlong => Err((number, too_long())),
            Ok(line) => match mapper.unread.get(&number) {
                Some(fault) => Err((fault.line, fault.message.clone())),
                None => records::record(line, number).map_err(|fault| (fault.line, fault.message)),
            },
            Err(_) => Err((number, no_utf8(bytes))),
        };
        match record {
            Ok(record) => outcome(&mut out, number, &record, (mapper.map)(&record), mapper.lines),
            Err((number, message)) => {
                out.summary.unreadable += 1;
                out.summary.reason(message.split(" at line ").next().unwrap_or_default().to_owned(), 1);
                line(&mut out.stopped, &json!({ "line": number, "outcome": "unreadable", "reasons": [{ "message": message }] }));
            }
        }
    }
    for (object, count) in out.objects.iter().zip(counts).filter(|(_, count)| *count > 0) {
        *out.summary.payloads.entry(object.clone()).or_default() += count;
    }
    out
}

/// What is said of a line beyond the bound.
fn too_long() -> String {
    let most = bounds::Limit::Bytes(bounds::LINE);
    format!("this line is longer than {most}, the most that one record may take: it was left out. Is a line break missing between records?")
}

/// What is said of a line in another encoding.
fn no_utf8(bytes: &[u8]) -> String {
    let at = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
    let byte = bytes.get(at).copied().unwrap_or_default();
    format!("this is not UTF-8 (byte 0x{byte:02X} at {}): save the file as UTF-8, for example by   iconv -f WINDOWS-1252 -t UTF-8", at + 1)
}

fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer
}

fn outcome(out: &mut Mapped, number: usize, record: &Json, outcome: Outcome, lines: Lines) {
    let summary = &mut out.summary;
    summary.warned += u64::from(!outcome.warnings.is_empty());
    match outcome.verdict {
        Verdict::NotEligible => summary.not_eligible += 1,
        Verdict::Ready => {
            summary.ready += 1;
            for payload in &outcome.payloads {
                let object = payload.object.to_string();
                *summary.payloads.entry(object.clone()).or_default() += 1;
                let place = out.objects.iter().position(|known| *known == object).unwrap_or_else(|| {
                    out.objects.push(object);
                    out.payloads.push(Vec::new());
                    out.objects.len() - 1
                });
                let buffer = &mut out.payloads[place];
                match lines {
                    Lines::Bodies => line(buffer, &whole(payload)),
                    Lines::Envelopes => line(buffer, &envelope(payload)),
                }
            }
        }
        Verdict::Review | Verdict::Rejected => {
            *(if outcome.verdict == Verdict::Review { &mut summary.review } else { &mut summary.rejected }) += 1;
            for reason in &outcome.reasons {
                summary.reason(reason.message.clone(), 1);
            }
            line(&mut out.stopped, &stopped(number, record, &outcome));
        }
    }
}

/// What is told of a record that goes to review or is rejected. `number`: its line.
pub fn stopped(number: usize, record: &Json, outcome: &Outcome) -> Json {
    let word = if outcome.verdict == Verdict::Review { "review" } else { "rejected" };
    let id = record.get("Id").or_else(|| record.get("id"));
    let mut stopped = json!({ "line": number, "outcome": word, "id": id, "reasons": outcome.reasons });
    if !outcome.payloads.is_empty() {
        stopped["payloads"] = outcome.payloads.iter().map(envelope).collect();
    }
    if !outcome.follow_ups.is_empty() {
        stopped["follow_ups"] = outcome.follow_ups.iter().map(envelope).collect();
    }
    stopped
}

/// The body with its key in the key's field, as the system takes it.
pub fn whole(payload: &Payload) -> Json {
    match (&payload.body, &payload.key_field, &payload.key) {
        (Json::Object(body), Some(field), Some(key)) if !body.contains_key(field) => {
            let mut fields = serde_json::Map::with_capacity(body.len() + 1);
            fields.insert(field.clone(), Json::String(key.clone()));
            fields.extend(body.clone());
            Json::Object(fields)
        }
        (body, _, _) => body.clone(),
    }
}

fn envelope(payload: &Payload) -> Json {
    json!({ "op": payload.op.word(), "object": payload.object.to_string(), "key": payload.key, "id": payload.id, "body": whole(payload) })
}

/// A JSON value and a line break. Writing to memory does not fail.
fn line(buffer: &mut Vec<u8>, json: &Json) {
    let _ = serde_json::to_writer(&mut *buffer, json);
    let _ = buffer.write_all(b"\n");
}

#[cfg(test)]
mod tests {
    use super::super::chunks::LONGEST;
    use super::*;
    use crate::ir::Operation;
    use crate::value::ObjectRef;

    #[derive(Default)]
    struct Memory {
        payloads: Vec<u8>,
        stopped: Vec<u8>,
    }

    impl Sink for Memory {
        fn payloads(&mut self, _: &str, lines: &[u8]) -> io::Result<()> {
            self.payloads.extend_from_slice(lines);
            Ok(())
        }

        fn stopped(&mut self, lines: &[u8]) -> io::Result<()> {
            self.stopped.extend_from_slice(lines);
            Ok(())
        }
    }

    fn echo(record: &Json) -> Outcome {
        Outcome {
            verdict: Verdict::Ready,
            reasons: vec![],
            warnings: vec![],
            payloads: vec![Payload {
                write: "w".into(),
                op: Operation::Create,
                object: ObjectRef::new("out", "Thing"),
                key: None,
                key_field: None,
                id: None,
                body: record.clone(),
                policies: BTreeMap::new(),
                waits_for: vec![],
                rides: None,
            }],
            follow_ups: vec![],
            routes: vec![],
            met: vec![],
            trace: vec![],
            decisions: vec![],
        }
    }

    static NONE: BTreeMap<usize, RecordFault> = BTreeMap::new();
    const ECHO: Mapper<'_> = Mapper { map: &echo, compiled: None, lines: Lines::Bodies, unread: &NONE };

    fn all(input: &str, workers: usize) -> (Summary, Memory) {
        let mut sink = Memory::default();
        let summary = run(&mut input.as_bytes(), ECHO, workers, &mut sink, &mut |_, _| {}).unwrap();
        (summary, sink)
    }

    /// Whether the input or the output is at fault is told apart.
    #[test]
    fn what_cannot_be_read_or_written_ends_the_run() {
        struct Full;
        impl Sink for Full {
            fn payloads(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
                Err(io::Error::other("full"))
            }
            fn stopped(&mut self, _: &[u8]) -> io::Result<()> {
                Ok(())
            }
        }
        struct Gone;
        impl io::Read for Gone {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let input: String = (0..3_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(900))).collect();
        for workers in [1, 2, 4] {
            let ended = run(&mut input.as_bytes(), ECHO, workers, &mut Full, &mut |_, _| {});
            assert!(matches!(ended, Err(Ended::Write(_))), "{workers}: {ended:?}");
            let ended = run(&mut io::BufReader::new(Gone), ECHO, workers, &mut Memory::default(), &mut |_, _| {});
            assert!(matches!(ended, Err(Ended::Read(_))), "{workers}: {ended:?}");
        }
    }

    /// A run that has broken ends, and does not wait for what will not come.
    #[test]
    fn a_worker_that_breaks_ends_the_run() {
        let breaks = |record: &Json| if record["n"] == 1_500 { panic!("broken on purpose") } else { echo(record) };
        let input: String = (0..3_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(900))).collect();
        for workers in [1, 2, 4] {
            let mapper = Mapper { map: &breaks, ..ECHO };
            let run = || run(&mut input.as_bytes(), mapper, workers, &mut Memory::default(), &mut |_, _| {});
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err(), "{workers}");
        }
    }

    #[test]
    fn output_keeps_the_order_of_the_input() {
        let input: String = (0..20_000).map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(n % 97))).collect();
        let (summary, sink) = all(&input, 3);
        assert_eq!(summary.records, 20_000);
        assert_eq!(String::from_utf8(sink.payloads).unwrap(), input);
    }

    #[test]
    fn a_line_that_is_no_record_is_reported_and_the_rest_goes_on() {
        let (summary, sink) = all("{\"a\":1}\nnot json\n[2]\n\n{\"a\":3}", 2);
        assert_eq!((summary.records, summary.ready, summary.unreadable), (4, 2, 2));
        let lines = String::from_utf8(sink.stopped).unwrap();
        assert!(lines.contains("\"line\":2") && lines.contains("\"line\":3"), "{lines}");
    }

    /// A row of a table that could not be read is told by its own line, and no text of the input can pretend to be one.
    #[test]
    fn what_could_not_be_read_before_is_told_by_its_fault() {
        let unread = BTreeMap::from([(2, RecordFault { line: 7, message: "this row has 1 cell".into() })]);
        let mut sink = Memory::default();
        let input = "{}\n!\n\u{0}1\u{0}Ada\n";
        let summary = run(&mut input.as_bytes(), Mapper { unread: &unread, ..ECHO }, 1, &mut sink, &mut |_, _| {}).unwrap();
        assert_eq!((summary.ready, summary.unreadable), (1, 2));
        let lines = String::from_utf8(sink.stopped).unwrap();
        assert!(lines.contains("\"line\":7") && lines.contains("this row has 1 cell") && lines.contains("\"line\":3"), "{lines}");
        assert!(!lines.contains("Ada") && !summary.reasons.keys().any(|reason| reason.contains("Ada")), "{lines}");
    }

    #[test]
    fn an_overlong_line_is_refused_and_the_next_is_read() {
        let input = format!("{{\"a\":\"{}\"}}\n{{\"a\":2}}\n", "x".repeat(LONGEST + 10));
        let (summary, sink) = all(&input, 2);
        let told = String::from_utf8(sink.stopped).unwrap();
        assert_eq!((summary.ready, summary.unreadable), (1, 1));
        assert!(told.contains("\"line\":1") && told.contains("longer than 16 MB"), "{told}");
        assert!(summary.reasons.keys().all(|reason| !reason.contains("JSON")), "{summary:?}");
    }

    #[test]
    fn an_empty_file_is_no_records() {
        assert_eq!(all("", 2).0, Summary::default());
    }
}
