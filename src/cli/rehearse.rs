//! `crossdock run --dry-run`: live reads and no writes; prints what would be written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::lines::{Columns, wrapped};
use super::live::{Asked, Drove, drive};
use super::{Exit, Failure, Format, Out};
use crate::app::Access;
use crate::app::exceptions::masked;
use crate::engine::mask;
use crate::run::dry::{Planned, Rehearsal};
use crate::store::cause::general;
use crate::store::{Counts, Exception, LaneState, Store};
use crate::value::Json;

/// Examples that are named of each kind.
const EXAMPLES: usize = 3;
/// Fields that are named as those that change.
const FIELDS: usize = 6;

/// Runs on a copy of the store: what would be sent is held against what the targets have.
pub(super) fn rehearse(asked: &Asked<'_>, out: &mut Out) -> Result<Exit, Failure> {
    let folder = std::env::temp_dir().join(format!("crossdock-rehearsal-{}", std::process::id()));
    let done = rehearse_in(asked, &folder, out);
    // What was copied is of no use any more; a folder that cannot be removed is sealed all the same.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

fn rehearse_in(asked: &Asked<'_>, folder: &Path, out: &mut Out) -> Result<Exit, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io(format!("{}: {error}", folder.display())))?;
    let copy = asked.context.store.copy_into(folder)?;
    let store = if asked.recover { copy.recover()? } else { copy.open(Access::Write)? };
    let recovered = store.recovered();
    let before = store.counts()?;
    let known: BTreeSet<i64> = open_exceptions(&*store)?.iter().map(|one| one.id).collect();
    let rehearsal = Arc::new(Rehearsal::default());
    let Drove { failures, after, calls: reads, stopped: early } = drive(asked, store, recovered, Some(Arc::clone(&rehearsal)), out)?;
    let (mut planned, writes) = rehearsal.result();
    if !asked.reveal {
        let masks = mask::Mask::all(asked.context.project.plan()?);
        planned = planned.into_iter().map(|planned| planned.masked(&masks)).collect();
    }
    let copied = copy.open(Access::Read)?;
    let mut opened = open_exceptions(&*copied)?;
    opened.retain(|one| !known.contains(&one.id));
    let summary = Summary { writes: grouped(&planned), stopped: stopped(asked, &*copied, &opened)?, states: states(&before, &after.counts) };
    if asked.format == Format::Json {
        out.json(&serde_json::json!({
            "version": 1, "summary": summary, "planned": planned, "calls": {"reads": reads, "writes": writes}, "failures": failures,
        }))?;
    } else {
        if asked.all {
            each(&planned, out)?;
        }
        summary.tell(out)?;
        if asked.all && !asked.reveal {
            out.note("personal values are masked; --reveal prints them");
        }
        let hint = if asked.all || planned.is_empty() { "" } else { "; --all shows each write, field by field" };
        let calls = |n: u64| format!("{n} call{}", if n == 1 { "" } else { "s" });
        let told = format!("nothing was sent: writing would take {}, and reading took {}{hint}", calls(writes), calls(reads));
        wrapped(&told, 0, out.columns()).into_iter().try_for_each(|line| out.line(line))?;
        failures.iter().for_each(|failure| out.note(format!("not read: {failure}")));
    }
    Ok(if failures.is_empty() && !early { Exit::Fine } else { Exit::Findings })
}

fn open_exceptions(store: &dyn Store) -> Result<Vec<Exception>, Failure> {
    Ok(store.exceptions(true, usize::MAX)?)
}

/// What would follow, by kinds.
#[derive(Debug, Serialize)]
struct Summary {
    writes: Vec<Writes>,
    stopped: Vec<Stopped>,
    states: Vec<State>,
}

/// Writes of one kind to one object.
#[derive(Debug, Serialize)]
struct Writes {
    object: String,
    /// `create`, `update`, or `unchanged`: the target holds just that already.
    action: &'static str,
    records: usize,
    examples: Vec<String>,
    /// Of an update: how many records change in each field.
    fields: BTreeMap<String, usize>,
}

/// Records that would wait for a person, for one cause.
#[derive(Debug, Serialize)]
struct Stopped {
    cause: String,
    flow: String,
    code: String,
    owner: Option<String>,
    records: usize,
    reasons: Vec<String>,
    examples: Vec<String>,
}

/// Records of a flow that would newly be in a state in which nothing of them is sent.
#[derive(Debug, Serialize)]
struct State {
    flow: String,
    state: &'static str,
    records: u64,
}

fn grouped(planned: &[Planned]) -> Vec<Writes> {
    let mut found: BTreeMap<(&str, &'static str), Writes> = BTreeMap::new();
    for one in planned {
        let action = match one.exists {
            Some(true) if one.fields.is_empty() => "unchanged",
            Some(true) => "update",
            Some(false) => "create",
            None if one.op == "update" || one.id.is_some() => "update",
            None => "create",
        };
        let writes = found.entry((&one.object, action)).or_insert_with(|| Writes {
            object: one.object.clone(),
            action,
            records: 0,
            examples: Vec::new(),
            fields: BTreeMap::new(),
        });
        writes.records += 1;
        if writes.examples.len() < EXAMPLES {
            writes.examples.push(name(one).to_owned());
        }
        if action == "update" {
            for field in &one.fields {
                *writes.fields.entry(field.field.clone()).or_default() += 1;
            }
        }
    }
    found.into_values().collect()
}

fn name(planned: &Planned) -> &str {
    planned.key.as_deref().or(planned.id.as_deref()).unwrap_or("(no key)")
}

fn stopped(asked: &Asked<'_>, store: &dyn Store, opened: &[Exception]) -> Result<Vec<Stopped>, Failure> {
    let mut found: BTreeMap<String, Vec<&Exception>> = BTreeMap::new();
    for one in opened {
        found.entry(one.cause()).or_default().push(one);
    }
    let mut all = Vec::new();
    for (cause, ones) in found {
        let Some(first) = ones.first() else { continue };
        let mut reasons = masked(asked.context, store, first)?;
        if ones.len() > 1 {
            reasons = reasons.iter().map(|reason| general(reason)).collect();
        }
        reasons.dedup();
        all.push(Stopped {
            cause,
            flow: first.flow.clone(),
            code: first.code.clone(),
            owner: first.owner.clone(),
            records: ones.len(),
            reasons,
            examples: ones.iter().take(EXAMPLES).map(|one| one.label.clone().unwrap_or_else(|| one.lane.clone())).collect(),
        });
    }
    all.sort_by(|a, b| b.records.cmp(&a.records).then(a.cause.cmp(&b.cause)));
    Ok(all)
}

fn states(before: &Counts, after: &Counts) -> Vec<State> {
    let silent = |state: LaneState| matches!(state, LaneState::Unchanged | LaneState::NotEligible | LaneState::Gone);
    after
        .iter()
        .filter(|((_, state), _)| silent(*state))
        .filter_map(|((flow, state), count)| {
            let new = count.checked_sub(before.get(&(flow.clone(), *state)).copied().unwrap_or(0)).filter(|new| *new > 0)?;
            Some(State { flow: flow.clone(), state: state.word(), records: new })
        })
        .collect()
}

impl Summary {
    fn tell(&self, out: &mut Out) -> Result<(), Failure> {
        if self.writes.iter().all(|writes| writes.action == "unchanged") {
            out.line("nothing would be sent")?;
        } else {
            out.line(out.bold("would be sent"))?;
        }
        for writes in self.writes.iter().filter(|writes| writes.action != "unchanged") {
            out.line(format!("  {:<7} {:>6}  {}", writes.action, writes.records, writes.object))?;
            below(&examples(&writes.examples, writes.records), 18, out)?;
            let mut fields: Vec<(&String, &usize)> = writes.fields.iter().collect();
            fields.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            if !fields.is_empty() {
                let named: Vec<String> = fields.iter().take(FIELDS).map(|(field, count)| format!("{field} ({count})")).collect();
                let more = fields.len().saturating_sub(FIELDS);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                below(&format!("changes {}{more}", named.join(", ")), 18, out)?;
            }
        }
        let same: usize = self.writes.iter().filter(|writes| writes.action == "unchanged").map(|writes| writes.records).sum();
        if same > 0 {
            out.line(format!("  {:<7} {same:>6}  the targets have these values already", "same"))?;
        }
        if !self.stopped.is_empty() {
            out.line(out.bold("would wait for a person"))?;
            let mut table = Columns::new(&["cause", "records", "code", "flow", "owner"], 3);
            for one in &self.stopped {
                let owner = one.owner.clone().unwrap_or_else(|| "-".to_owned());
                table.row(vec![one.cause.clone(), one.records.to_string(), one.code.clone(), one.flow.clone(), owner]);
            }
            let (header, rows) = table.lines(out.columns().saturating_sub(2));
            out.line(format!("  {header}"))?;
            for (one, row) in self.stopped.iter().zip(rows) {
                out.line(format!("  {row}"))?;
                for reason in &one.reasons {
                    below(reason, 12, out)?;
                }
                below(&examples(&one.examples, one.records), 12, out)?;
            }
        }
        if !self.states.is_empty() {
            out.line(out.bold("would not be sent"))?;
            for state in &self.states {
                out.line(format!("  {:>6}  {} of {}", state.records, state.state.replace('_', " "), state.flow))?;
            }
        }
        Ok(())
    }
}

/// A paragraph under an indent.
fn below(text: &str, indent: usize, out: &mut Out) -> Result<(), Failure> {
    wrapped(text, indent, out.columns()).into_iter().try_for_each(|line| out.line(line))
}

fn examples(names: &[String], of: usize) -> String {
    let more = of.saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Every write, field by field.
fn each(planned: &[Planned], out: &mut Out) -> Result<(), Failure> {
    let short = |value: &Json| super::lines::cut(&value.to_string(), 60);
    for one in planned {
        let state = match one.exists {
            Some(true) => "is there",
            Some(false) => "is new",
            None => "was not sent before",
        };
        below(&format!("{} {} {} ({state})", one.op, one.object, name(one)), 0, out)?;
        for field in &one.fields {
            let told = match &field.now {
                Some(now) => format!("{}: {} -> {}", field.field, short(now), short(&field.then)),
                None => format!("{}: {}", field.field, short(&field.then)),
            };
            below(&told, 4, out)?;
        }
    }
    Ok(())
}
