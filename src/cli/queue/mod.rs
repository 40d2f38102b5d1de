//! `crossdock queue`: what somebody has to see, and what they decide.

mod decide;
mod list;
mod show;

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::project::context;
use super::when::When;
use super::{Exit, Failure, Out};
use crate::app::Context;
use crate::engine::mask;
use crate::store::{CODES, Exception, Store, Wanted};

/// List, show and decide the records that need a person
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    List(list::Args),
    Show(show::Args),
    Retry(decide::Retry),
    Approve(decide::Approve),
    Edit(decide::Edit),
    Discard(decide::Discard),
    Undo(decide::Undo),
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::List(args) => list::run(args, out),
        What::Show(args) => show::run(args, out),
        What::Retry(args) => decide::retry(args, out),
        What::Approve(args) => decide::approve(args, out),
        What::Edit(args) => decide::edit(args, out),
        What::Discard(args) => decide::discard(args, out),
        What::Undo(args) => decide::undo(args, out),
    }
}

#[derive(Debug, clap::Args)]
struct Project {
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

impl Project {
    fn open(&self, out: &mut Out) -> Result<Context, Failure> {
        context(self.project.as_ref(), self.env.as_deref(), out)
    }
}

/// Which exceptions are meant.
#[derive(Debug, clap::Args)]
struct Filters {
    /// Only those of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    #[arg(long, value_name = "CODE", help = format!("Only those with this code: {}", CODES.join(", ")))]
    code: Option<String>,
    /// Only those of this flow
    #[arg(long, value_name = "FLOW")]
    flow: Option<String>,
    /// Only those of this cause, by the id that `queue list` shows
    #[arg(long, value_name = "ID")]
    cause: Option<String>,
    /// Only those opened more than 2h or 7d ago, or before 2026-11-01
    #[arg(long, value_name = "TIME")]
    older_than: Option<When>,
    /// Only those whose deadline is within this time, or has passed: 2h, 1d
    #[arg(long, value_name = "TIME", value_parser = super::when::lasting)]
    due_within: Option<jiff::SignedDuration>,
}

impl Filters {
    fn any(&self) -> bool {
        self.owner.is_some()
            || self.code.is_some()
            || self.flow.is_some()
            || self.cause.is_some()
            || self.older_than.is_some()
            || self.due_within.is_some()
    }

    /// As the store is asked. A code, flow or cause that is not there is a mistake, not an empty answer.
    fn wanted(&self, context: &Context, store: &dyn Store) -> Result<Wanted, Failure> {
        let now = jiff::Timestamp::now();
        let causes = store.causes(&Wanted::default())?;
        if let Some(code) = self.code.as_deref().filter(|code| !CODES.contains(code)) {
            return Err(unknown("code", code, CODES.into_iter()));
        }
        if let Some(flow) = &self.flow {
            let flows: BTreeSet<&str> = context
                .project
                .plan()?
                .mapping
                .flows
                .iter()
                .map(|flow| flow.name.as_str())
                .chain(causes.iter().map(|cause| cause.flow.as_str()))
                .collect();
            if !flows.contains(flow.as_str()) {
                return Err(unknown("flow", flow, flows.into_iter()));
            }
        }
        if let Some(cause) = &self.cause {
            let known: BTreeSet<&str> = causes.iter().map(|cause| cause.id.as_str()).collect();
            if !known.contains(cause.as_str()) {
                return Err(unknown("cause", cause, known.into_iter()));
            }
        }
        Ok(Wanted {
            owner: self.owner.clone(),
            code: self.code.clone(),
            flow: self.flow.clone(),
            cause: self.cause.clone(),
            opened_by: self.older_than.map(|when| when.at(now).as_millisecond()),
            due_by: self.due_within.map(|within| now.checked_add(within).unwrap_or(jiff::Timestamp::MAX).as_millisecond()),
        })
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let failure = Failure::usage(format!("there is no {what} `{name}`"));
    let listed = if known.is_empty() { format!("no exception is open, so there is no {what}") } else { format!("there are {}", known.join(", ")) };
    match crate::base::nearest(name, known.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`? {listed}")),
        None => failure.hint(listed),
    }
}

/// The exceptions that a text names: by their number, or by what people call their record, its key or its id.
fn named(store: &dyn Store, text: &str) -> Result<Vec<Exception>, Failure> {
    if let Ok(id) = text.parse::<i64>()
        && text == id.to_string()
        && let Some(one) = store.exception(id)?
    {
        return Ok(vec![one]);
    }
    let mut found = Vec::new();
    for lane in store.search(text, 50)? {
        found.extend(store.exceptions_of(&lane.flow, &lane.key)?);
    }
    if found.is_empty() {
        return Err(Failure::usage(format!("there is no exception {}, and none is open of a record that is called so", mask::key(text, true)))
            .hint("crossdock queue list shows those that are open; crossdock trace shows one record's way"));
    }
    Ok(found)
}

/// The reasons of an exception without personal values.
pub(super) fn masked(context: &Context, store: &dyn Store, one: &Exception) -> Result<Vec<String>, Failure> {
    let words = masking(context, store, one)?;
    Ok(one.reasons.iter().map(|reason| words(&reason.message)).collect())
}

/// What takes the values of an exception's record out of words. Codes, numbers and the target's reason stay.
fn masking<'s>(context: &'s Context, store: &dyn Store, one: &Exception) -> Result<impl Fn(&str) -> String + 's, Failure> {
    let plan = context.project.plan()?;
    let lane = store.lane(&one.flow, &one.lane)?;
    let lanes = lane.map(|lane| mask::quotable(store, &lane)).transpose()?.unwrap_or_default();
    let mut entries = store.entries_of(&one.flow, &one.lane)?;
    // What a follow-up writes is the reason itself: it must not hide it.
    entries.retain(|entry| entry.after.is_none());
    let masks = mask::Mask::all(plan);
    Ok(move |words: &str| mask::of_record(&masks, plan, &lanes, &entries, words).text(words))
}
