//! `crossdock run` between systems: what it does, and what it says of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::site::{Live, Site, clock, live, transport};
use super::{Exit, Failure, Format, Out};
use crate::engine::{Engine, Recovered, Settings};
use crate::run::dry::Rehearsal;
use crate::store::Store;
use crate::store::sqlite::{Mode, Sqlite};

/// How a run between systems was asked for.
pub(super) struct Asked<'a> {
    pub(super) only: Vec<String>,
    pub(super) dry: bool,
    pub(super) recover: bool,
    pub(super) strict: bool,
    pub(super) format: Format,
    pub(super) since: Option<jiff::Timestamp>,
    pub(super) site: &'a Site,
}

/// One poll of each flow, to the end of what follows from it.
pub(super) fn once(asked: &Asked<'_>, out: &mut Out) -> Result<Exit, Failure> {
    if asked.dry {
        return rehearse(asked, out);
    }
    let (store, recovered) = asked.site.opened_to_run(asked.recover, out)?;
    let before = counts(&store)?;
    let began = Instant::now();
    let (failures, after, calls) = drive(asked, Box::new(store), recovered, None, out)?;
    let open = asked.site.opened(Mode::Read)?;
    let exceptions = open.exceptions(true, 1_000).map_err(|fault| super::site::store_failure(&fault))?;
    let moved = after.moved;
    if asked.format == Format::Json {
        let states: Vec<_> = after
            .counts
            .iter()
            .map(|((flow, state), count)| serde_json::json!({"flow": flow, "state": state.word(), "records": count, "before": before.get(&(flow.clone(), *state)).copied().unwrap_or(0)}))
            .collect();
        out.json(&serde_json::json!({
            "version": 1, "seconds": began.elapsed().as_secs_f64(), "calls": calls, "records": states, "exceptions": exceptions.len(), "failures": failures,
        }))?;
    } else {
        let counted = |n: u64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        out.line(format!("{} moved in {:.1} s, {}", counted(moved, "record"), began.elapsed().as_secs_f64(), counted(calls, "call")))?;
        super::status::table(&after.counts, out)?;
        for failure in &failures {
            out.note(format!("not read: {failure}"));
        }
        if after.waiting > 0 {
            out.line(format!("{} writes are in doubt or put off: the next run carries them on", after.waiting))?;
        }
        if !exceptions.is_empty() {
            let noun = if exceptions.len() == 1 { "record waits" } else { "records wait" };
            out.line(format!("{} {noun} for somebody: crossdock queue list", exceptions.len()))?;
        }
    }
    Ok(if !failures.is_empty() || (asked.strict && !exceptions.is_empty()) { Exit::Findings } else { Exit::Fine })
}

struct After {
    counts: crate::store::Counts,
    moved: u64,
    /// Writes that wait longer than a run does.
    waiting: usize,
}

fn counts(store: &dyn Store) -> Result<crate::store::Counts, Failure> {
    store.counts().map_err(|fault| super::site::store_failure(&fault))
}

fn drive(
    asked: &Asked<'_>,
    store: Box<dyn Store>,
    recovered: Option<Recovered>,
    rehearsal: Option<Arc<Rehearsal>>,
    out: &mut Out,
) -> Result<(Vec<String>, After, u64), Failure> {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    let mut last = Instant::now();
    let mut seen = |engine: &Engine<'_>| {
        if last.elapsed().as_millis() < 250 || bar.is_hidden() {
            return;
        }
        last = Instant::now();
        if let Ok(counts) = engine.store().counts() {
            let mut by_state: BTreeMap<&str, u64> = BTreeMap::new();
            counts.iter().for_each(|((_, state), count)| *by_state.entry(state.word()).or_default() += count);
            let text: Vec<String> = by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
            bar.set_message(text.join(", "));
            bar.tick();
        }
    };
    let settings =
        Settings { once: true, only: asked.only.clone(), since: asked.since, seed: u64::from(std::process::id()), recovered, ..Settings::default() };
    let mut counted = None;
    let mut moved = 0;
    let mut waiting = 0;
    let mut last_counts = |engine: &Engine<'_>| {
        seen(engine);
        moved = engine.moved();
        waiting = engine.waiting();
        if engine.done() {
            counted = engine.store().counts().ok();
        }
    };
    let failures = live(
        asked.site,
        store,
        Live { settings, rehearsal, transport: transport()?, clock: clock(), listening: &mut |_, _, _| Ok(()), seen: &mut last_counts },
        out,
    );
    bar.finish_and_clear();
    let (failures, calls) = failures?;
    Ok((failures, After { counts: counted.unwrap_or_default(), moved, waiting }, calls))
}

/// Live reads and no writes: on a copy of the store, what would be sent is held against what the targets have.
fn rehearse(asked: &Asked<'_>, out: &mut Out) -> Result<Exit, Failure> {
    let folder = std::env::temp_dir().join(format!("crossdock-rehearsal-{}", std::process::id()));
    let done = rehearse_in(asked, &folder, out);
    // What was copied is of no use any more; a folder that cannot be removed is sealed all the same.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

fn rehearse_in(asked: &Asked<'_>, folder: &std::path::Path, out: &mut Out) -> Result<Exit, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io(format!("{}: {error}", folder.display())))?;
    let copy = folder.join("store.db");
    if std::fs::metadata(&asked.site.store).is_ok_and(|file| file.len() > 0) {
        let original = asked.site.opened(Mode::Read)?;
        original.copy_to(&copy).map_err(|fault| super::site::store_failure(&fault))?;
    }
    for ending in [".key", ".marker"] {
        let beside = |path: &std::path::Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            std::path::PathBuf::from(name)
        };
        if beside(&asked.site.store).exists() {
            std::fs::copy(beside(&asked.site.store), beside(&copy)).map_err(|error| Failure::io(error.to_string()))?;
        }
    }
    let store: Sqlite = if asked.recover { super::site::recovered_store(&copy)? } else { super::site::open_store(&copy, Mode::Write)? };
    let recovered = store.recovered().map(|sent| Recovered { sent });
    let rehearsal = Arc::new(Rehearsal::default());
    let (failures, after, reads) = drive(asked, Box::new(store), recovered, Some(Arc::clone(&rehearsal)), out)?;
    let (planned, writes) = rehearsal.result();
    if asked.format == Format::Json {
        out.json(&serde_json::json!({"version": 1, "planned": planned, "calls": {"reads": reads, "writes": writes}, "failures": failures}))?;
    } else {
        let mask = |value: &crate::value::Json| {
            let text = value.to_string();
            if text.chars().count() > 60 { text.chars().take(57).chain("…".chars()).collect() } else { text }
        };
        for one in &planned {
            let name = one.key.as_deref().or(one.id.as_deref()).unwrap_or("(no key)");
            let state = match one.exists {
                Some(true) => "is there",
                Some(false) => "is new",
                None => "was not sent before",
            };
            out.line(format!("{} {} {name} ({state})", one.op, one.object))?;
            for field in &one.fields {
                match &field.now {
                    Some(now) => out.line(format!("    {}: {} -> {}", field.field, mask(now), mask(&field.then)))?,
                    None => out.line(format!("    {}: {}", field.field, mask(&field.then)))?,
                }
            }
        }
        super::status::table(&after.counts, out)?;
        out.line(format!("nothing was sent; it would take {writes} calls to write, and took {reads} to read"))?;
        failures.iter().for_each(|failure| out.note(format!("not read: {failure}")));
    }
    Ok(if failures.is_empty() { Exit::Fine } else { Exit::Findings })
}
