//! The whole task (read, parse, map, validate, serialize, write), by the compiled mapping and by what one would write
//! instead, in one run: first that all give the same, then how long each takes. All read the same file, and write to the
//! same memory: a file that is written would be the disk's pace.
//!
//! `cargo run --release -- orders|shipments [RECORDS] [ROUNDS]`. For a profile or an instruction count:
//! `-- orders|shipments generate FILE RECORDS`, then `-- orders|shipments only NAME FILE TIMES`. VRL and jq take part with
//! the feature `others`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that cannot go on stops")]

mod orders;
#[cfg(feature = "others")]
mod others;
mod shipments;
mod tree;
mod typed;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crossdock::eval::{Inputs, Outcome, Program, Verdict, apply};
use crossdock::project::{Compiled, Options, Texts, compile};
use crossdock::run::files::{self, Lines, Mapper, Sink};
use crossdock::vm::{CompiledFlow, Form};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: &str = "2026-11-20T12:00:00Z";
/// What takes longer than this for all records needs no more rounds: noise adds little to it.
const LONG: Duration = Duration::from_millis(500);
const FEW: usize = 3;
/// What all others are compared with.
const REFERENCE: &str = "hand-written, serde_json";

fn texts(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, root, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), text));
        }
    }
}

/// The template's schemas and tables with the mapping that the hand-written programs carry out, as it stands beside them; or
/// with the one that is given.
fn project(mapping: Option<&str>) -> Compiled {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings/salesforce-shipstation");
    let mut found = Vec::new();
    texts(&root, &root, &mut found);
    found.retain(|(name, _)| !name.ends_with(".dock"));
    match mapping {
        Some(mapping) => found.push(("mapping.dock".to_owned(), mapping.to_owned())),
        None => found.extend([
            ("orders.dock".to_owned(), include_str!("../orders.dock").to_owned()),
            ("shared/address.dock".to_owned(), include_str!("../address.dock").to_owned()),
        ]),
    }
    compile(&Texts::new(found), &Options::default())
}

/// Where payloads go: it is there before a task begins, and takes no pages from the system while it runs.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Memory {
    fn again(&mut self) -> &mut Self {
        self.0.clear();
        self
    }
}

impl Sink for Memory {
    fn payloads(&mut self, _: &str, lines: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(lines);
        Ok(())
    }

    fn stopped(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that are read and written at once.
const BUFFER: usize = 64 * 1024;

/// A file of records, a line each.
struct Records {
    path: PathBuf,
    bytes: u64,
    /// A line's end near the middle.
    middle: u64,
}

impl Records {
    fn of(path: PathBuf) -> Self {
        let text = std::fs::read(&path).unwrap();
        let middle = text[..text.len() / 2].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Records { path, bytes: text.len() as u64, middle: middle as u64 }
    }

    fn open(&self) -> BufReader<File> {
        BufReader::with_capacity(BUFFER, File::open(&self.path).unwrap())
    }

    fn part(&self, from: u64, to: u64) -> BufReader<io::Take<File>> {
        let mut file = File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(from)).unwrap();
        BufReader::with_capacity(BUFFER, file.take(to - from))
    }

    /// Reads line by line, as one would by hand, and writes what was made of them.
    fn lines(&self, memory: &mut Memory, mut each: impl FnMut(&str, &mut Vec<u8>)) {
        let (mut input, mut line, mut out) = (self.open(), String::new(), Vec::with_capacity(BUFFER + 8 * 1024));
        while input.read_line(&mut line).unwrap() > 0 {
            each(line.trim_end(), &mut out);
            line.clear();
            if out.len() >= BUFFER {
                memory.0.extend_from_slice(&out);
                out.clear();
            }
        }
        memory.0.extend_from_slice(&out);
    }
}

/// Maps all records; the memory has the payloads, a line each.
type Task<'t> = Box<dyn Fn(&Records, &mut Memory) + 't>;

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.is_empty())
}

/// A payload by its values: digits without trailing zeros, fields in the order of their names.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(digits) => Value::String(digits.to_string().parse::<Decimal>().unwrap().normalize().to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Value::Object(fields) => {
            let sorted: BTreeMap<String, Value> = fields.into_iter().map(|(name, value)| (name, plain(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        other => other,
    }
}

/// Whether two payloads are the same to the cent: a float may lie on the other side of a half.
fn near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 0.011,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| near(a, b))),
        (a, b) => a == b,
    }
}

fn same(name: &str, found: &[u8], wanted: &[u8]) {
    let by_floats = ["VRL", "jaq"].contains(&name);
    let read = |bytes: &[u8]| -> Vec<Value> { lines(std::str::from_utf8(bytes).unwrap()).map(|line| serde_json::from_str(line).unwrap()).collect() };
    let (found, wanted) = (read(found), read(wanted));
    assert_eq!(found.len(), wanted.len(), "{name}");
    for (found, wanted) in found.into_iter().zip(wanted) {
        if by_floats {
            assert!(near(&found, &wanted), "{name}: {found}\n{wanted}");
        } else {
            assert_eq!(plain(found), plain(wanted), "{name}");
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map(String::as_str);
    let number = |at: usize, otherwise: usize| arguments.get(at).and_then(|argument| argument.parse().ok()).unwrap_or(otherwise);
    let with_orders = word(0) != Some("shipments");
    let (records, rounds) = if word(1) == Some("generate") { (number(3, 2_000), 0) } else { (number(1, 20_000), number(2, 7)) };

    let compiled = project((!with_orders).then_some(include_str!("../shipped.dock")));
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let name = if with_orders { "export_orders" } else { "shipped" };
    let flow = plan.mapping.flows.iter().find(|flow| flow.name == name).unwrap();
    let now = NOW.parse().unwrap();
    let (matched, none) = (BTreeMap::new(), BTreeMap::new());
    let map = |record: &Value| -> Outcome {
        let (matched, targets, results, names) = (&matched, &none, &none, &compiled.names);
        apply(&program, flow, &Inputs { record, group: &[], was_of_group: None, now, matched, targets, results, names, trace: false })
    };
    let flat = CompiledFlow::new(plan, flow, &compiled.names, now).unwrap();
    let fate = |record: &Value| match map(record).verdict {
        Verdict::Ready => "ready",
        Verdict::NotEligible => "not eligible",
        _ => "stopped",
    };
    let generated = || if with_orders { orders::orders(1, records, fate) } else { shipments::shipments(1, records) };
    if word(1) == Some("generate") {
        std::fs::write(word(2).expect("a file"), generated()).unwrap();
        return;
    }
    let own = (word(1) != Some("only")).then(|| {
        let path = std::env::temp_dir().join(format!("crossdock-compare-{}.jsonl", std::process::id()));
        std::fs::write(&path, generated()).unwrap();
        Own(path)
    });
    let input = Records::of(own.as_ref().map_or_else(|| word(3).expect("a file").into(), |own| own.0.clone()));

    let run = |flat: Option<&CompiledFlow<'_>>, workers: usize, input: &mut (dyn BufRead + Send), memory: &mut Memory| {
        let mapper = Mapper { map: &map, flat, lines: Lines::Bodies, unread: &BTreeMap::new() };
        files::run(input, mapper, workers, memory, &mut |_, _| {}).unwrap();
    };
    let by_files = |flat: Option<&CompiledFlow<'_>>, workers: usize, input: &Records, memory: &mut Memory| run(flat, workers, &mut input.open(), memory);
    let another = Mutex::new(Memory::default());
    let mut tasks: Vec<(&str, Task<'_>)> = vec![
        ("crossdock", Box::new(|input, memory| by_files(Some(&flat), 1, input, memory))),
        (
            "floor: crossdock, the compiled flow alone",
            Box::new(|input, memory| {
                let (mut worker, mut made) = (flat.worker(), vec![Vec::new()]);
                input.lines(memory, |line, out| {
                    std::mem::swap(out, &mut made[0]);
                    worker.map(line, Form::Body, &mut made, |_| {});
                    std::mem::swap(out, &mut made[0]);
                });
            }),
        ),
        ("crossdock, two workers", Box::new(|input, memory| by_files(Some(&flat), 2, input, memory))),
        (
            // What the machine gives for two of its cores.
            "floor: two runs with half of the records each, side by side",
            Box::new(|input, memory| {
                let mut another = another.lock().unwrap();
                let another = another.again();
                std::thread::scope(|scope| {
                    scope.spawn(|| run(Some(&flat), 1, &mut input.part(0, input.middle), memory));
                    run(Some(&flat), 1, &mut input.part(input.middle, input.bytes), another);
                });
            }),
        ),
        ("crossdock, the reference evaluator", Box::new(|input, memory| by_files(None, 1, input, memory))),
    ];
    if with_orders {
        tasks.extend(by_hand_orders());
    } else {
        tasks.extend(by_hand_shipments());
    }
    tasks.push((
        "floor: serde_json::Value, read and written",
        Box::new(|input, memory| {
            input.lines(memory, |line, out| {
                let value: Value = serde_json::from_str(line).unwrap();
                serde_json::to_writer(out, &value).unwrap();
            });
        }),
    ));
    tasks.push((
        "floor: copied",
        Box::new(|input, memory| {
            input.lines(memory, |line, out| {
                out.extend_from_slice(line.as_bytes());
                out.push(b'\n');
            });
        }),
    ));
    let mut memory = Memory(Vec::with_capacity(input.bytes as usize));
    if word(1) == Some("only") {
        let (_, task) = tasks.iter().find(|(name, _)| Some(*name) == word(2)).expect("a task of this name");
        for _ in 0..number(4, 1) {
            task(&input, memory.again());
        }
        println!("{} bytes", memory.0.len());
        return;
    }
    let mut wanted = Memory::default();
    by_files(None, 1, &input, &mut wanted);
    let wanted = wanted.0;
    for (name, task) in tasks.iter().filter(|(name, _)| !name.starts_with("floor")) {
        task(&input, memory.again());
        same(name, &memory.0, &wanted);
    }
    println!("{records} records of {} bytes, {} payloads", input.bytes as usize / records, lines(std::str::from_utf8(&wanted).unwrap()).count());
    let mut best = vec![Duration::MAX; tasks.len()];
    for round in 0..rounds {
        for ((_, task), best) in tasks.iter().zip(&mut best) {
            if round >= FEW && *best > LONG {
                continue;
            }
            let memory = memory.again();
            let begun = Instant::now();
            task(&input, memory);
            std::hint::black_box(&memory.0);
            *best = begun.elapsed().min(*best);
        }
    }
    let micros = |took: &Duration| took.as_secs_f64() * 1e6 / records as f64;
    let reference = tasks.iter().position(|(name, _)| *name == REFERENCE).unwrap();
    for ((name, _), took) in tasks.iter().zip(&best) {
        println!("| {name} | {:.2} | {:.2} |", micros(took), micros(&best[reference]) / micros(took));
    }
}

/// A file that was made for this run.
struct Own(PathBuf);

impl Drop for Own {
    fn drop(&mut self) {
        // It lies in a folder for what may be lost.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn by_hand_orders<'t>() -> Vec<(&'static str, Task<'t>)> {
    let zone = || TimeZone::get("America/Los_Angeles").unwrap();
    let (one, other, third) = (zone(), zone(), zone());
    #[allow(unused_mut, reason = "a feature adds to it")]
    let mut tasks: Vec<(&str, Task<'t>)> = vec![
        (
            REFERENCE,
            Box::new(move |input, memory| {
                input.lines(memory, |line, out| {
                    let order: typed::Order<'_, &serde_json::value::RawValue> = serde_json::from_str(line).unwrap();
                    typed::map(&order, &one, out).unwrap();
                });
            }),
        ),
        (
            "hand-written, sonic-rs",
            Box::new(move |input, memory| {
                input.lines(memory, |line, out| {
                    let order: typed::Order<'_, sonic_rs::RawNumber> = sonic_rs::from_str(line).unwrap();
                    typed::map(&order, &other, out).unwrap();
                });
            }),
        ),
        (
            "serde_json::Value by hand",
            Box::new(move |input, memory| {
                input.lines(memory, |line, out| {
                    let order: Value = serde_json::from_str(line).unwrap();
                    if let Some(made) = tree::map(&order, &third) {
                        serde_json::to_writer(&mut *out, &made).unwrap();
                        out.push(b'\n');
                    }
                });
            }),
        ),
    ];
    #[cfg(feature = "others")]
    {
        tasks.push(("VRL", others::vrl()));
        // jq knows no zone but the environment's.
        if std::env::var("TZ").is_ok_and(|zone| zone == "America/Los_Angeles") {
            tasks.push(("jaq", others::jaq()));
        }
    }
    tasks
}

fn by_hand_shipments<'t>() -> Vec<(&'static str, Task<'t>)> {
    vec![
        (
            REFERENCE,
            Box::new(|input, memory| {
                input.lines(memory, |line, out| {
                    let shipment: shipments::Shipment<'_> = serde_json::from_str(line).unwrap();
                    shipments::map(&shipment, out);
                });
            }),
        ),
        (
            "hand-written, sonic-rs",
            Box::new(|input, memory| {
                input.lines(memory, |line, out| {
                    let shipment: shipments::Shipment<'_> = sonic_rs::from_str(line).unwrap();
                    shipments::map(&shipment, out);
                });
            }),
        ),
    ]
}
