//! `crossdock queue`: lists, shows and decides exceptions (records that need a person).

mod decide;
mod list;
mod show;

use super::when::When;
use super::{Exit, Failure, Out};
use crate::store::{CODES, Wanted};

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

    /// As the store is asked.
    fn wanted(&self) -> Wanted {
        let now = jiff::Timestamp::now();
        Wanted {
            owner: self.owner.clone(),
            code: self.code.clone(),
            flow: self.flow.clone(),
            cause: self.cause.clone(),
            opened_by: self.older_than.map(|when| when.at(now).as_millisecond()),
            due_by: self.due_within.map(|within| now.checked_add(within).unwrap_or(jiff::Timestamp::MAX).as_millisecond()),
        }
    }
}
