//! A run with live reads and no writes, on a copy of the store: what would be sent is held against what the targets have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::exceptions::masked;
use super::run_once::{Request, Watching, drive};
use super::{Access, Context, Failure, Notices, VERSION};
use crate::engine::mask;
use crate::run::rehearsal::{Planned, Rehearsal};
use crate::store::cause::general;
use crate::store::{Counts, Exception, RecordStage, Store};

/// Examples that are named of each kind.
const EXAMPLES: usize = 3;

/// What a run would do.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsed {
    pub version: u32,
    pub summary: Summary,
    /// Every write, field by field.
    pub planned: Vec<Planned>,
    pub calls: Calls,
    /// What could not be read or reached, in words.
    pub failures: Vec<String>,
    /// It was stopped before it was done.
    #[serde(skip)]
    pub stopped: bool,
}

/// Calls to systems: those that were made to read, and those that it would take to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Calls {
    pub reads: u64,
    pub writes: u64,
}

/// What would follow, by kinds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub writes: Vec<Writes>,
    pub stopped: Vec<Stopped>,
    pub states: Vec<NotSent>,
}

/// Writes of one kind to one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Writes {
    pub object: String,
    /// `create`, `update`, or `unchanged`: the target holds just that already.
    pub action: &'static str,
    pub records: usize,
    pub examples: Vec<String>,
    /// Of an update: how many records change in each field.
    pub fields: BTreeMap<String, usize>,
}

/// Records that would wait for a person, for one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stopped {
    pub cause: String,
    pub flow: String,
    pub code: String,
    pub owner: Option<String>,
    pub records: usize,
    /// Masked.
    pub reasons: Vec<String>,
    pub examples: Vec<String>,
}

/// Records of a flow that would newly be in a state in which nothing of them is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotSent {
    pub flow: String,
    pub state: RecordStage,
    pub records: u64,
}

/// Runs on a copy of the store, which is removed afterwards; `reveal`: with personal values, which are masked otherwise.
///
/// # Errors
/// The store cannot be copied, or as [`run_once`](super::run_once::run_once).
pub fn rehearse(context: &Context, request: &Request, reveal: bool, watching: Watching<'_>, notices: Notices<'_>) -> Result<Rehearsed, Failure> {
    let made = jiff::Timestamp::now().as_nanosecond();
    let folder = std::env::temp_dir().join(format!("crossdock-rehearsal-{}-{made}", std::process::id()));
    let done = rehearse_in(&folder, context, request, reveal, watching, notices);
    // The copy has its key beside it: it is removed, whatever came of the run.
    let _ = std::fs::remove_dir_all(&folder);
    done
}

fn rehearse_in(
    folder: &Path,
    context: &Context,
    request: &Request,
    reveal: bool,
    watching: Watching<'_>,
    notices: Notices<'_>,
) -> Result<Rehearsed, Failure> {
    // It is new, and only this user's: what somebody else has put there is not used.
    let mut new = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut new, 0o700);
    new.create(folder).map_err(|error| Failure::io(format!("{}: {error}", folder.display())))?;
    let copy = context.store.copy_into(folder)?;
    let store = if request.recover { copy.recover()? } else { copy.open(Access::Write)? };
    let recovered = store.recovered();
    let before = store.counts()?;
    let known: BTreeSet<i64> = open_exceptions(&*store)?.iter().map(|one| one.id).collect();
    let rehearsal = Arc::new(Rehearsal::default());
    let driven = drive(context, request, store, recovered, Some(Arc::clone(&rehearsal)), watching, notices)?;
    let (mut planned, writes) = rehearsal.result();
    if !reveal {
        let masks = mask::Mask::all(context.project.plan()?);
        planned = planned.into_iter().map(|planned| planned.masked(&masks)).collect();
    }
    let copied = copy.open(Access::Read)?;
    let mut opened = open_exceptions(&*copied)?;
    opened.retain(|one| !known.contains(&one.id));
    let summary = Summary { writes: grouped(&planned), stopped: stopped(context, &*copied, &opened)?, states: not_sent(&before, &copied.counts()?) };
    Ok(Rehearsed {
        version: VERSION,
        summary,
        planned,
        calls: Calls { reads: driven.calls, writes },
        failures: driven.failures,
        stopped: driven.stopped,
    })
}

fn open_exceptions(store: &dyn Store) -> Result<Vec<Exception>, Failure> {
    Ok(store.exceptions(true, usize::MAX)?)
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

/// What a planned write is called.
pub fn name(planned: &Planned) -> &str {
    planned.key.as_deref().or(planned.id.as_deref()).unwrap_or("(no key)")
}

fn stopped(context: &Context, store: &dyn Store, opened: &[Exception]) -> Result<Vec<Stopped>, Failure> {
    let mut found: BTreeMap<String, Vec<&Exception>> = BTreeMap::new();
    for one in opened {
        found.entry(one.cause()).or_default().push(one);
    }
    let mut all = Vec::new();
    for (cause, ones) in found {
        let Some(first) = ones.first() else { continue };
        let mut reasons = masked(context, store, first)?;
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

fn not_sent(before: &Counts, after: &Counts) -> Vec<NotSent> {
    let silent = |state: RecordStage| matches!(state, RecordStage::Unchanged | RecordStage::NotEligible | RecordStage::Gone);
    after
        .iter()
        .filter(|((_, state), _)| silent(*state))
        .filter_map(|((flow, state), count)| {
            let records = count.checked_sub(before.get(&(flow.clone(), *state)).copied().unwrap_or(0)).filter(|new| *new > 0)?;
            Some(NotSent { flow: flow.clone(), state: *state, records })
        })
        .collect()
}
