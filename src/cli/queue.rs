//! `crossdock queue`: what somebody has to see, and what they decide.

use std::path::PathBuf;

use super::ask::decide;
use super::site::{Site, store_failure};
use super::status::time;
use super::{Exit, Failure, Format, Out};
use crate::base::bounds;
use crate::engine::mask;
use crate::engine::queue::Decision;
use crate::fault::file;
use crate::store::sqlite::Mode;
use crate::store::{Entry, EntryState, Exception, Store};
use crate::value::Json;

/// See and decide what the runtime cannot decide by itself
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    List(List),
    Show(Show),
    Retry(Chosen),
    Approve(Chosen),
    Edit(Edit),
    Discard(Discard),
}

#[derive(Debug, clap::Args)]
struct Project {
    /// The project's folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
}

impl Project {
    fn open(&self, out: &mut Out) -> Result<Site, Failure> {
        Site::open(self.project.as_ref(), self.env.as_deref(), out)
    }
}

const LIST: &str = "\
Examples:
  crossdock queue list                      what waits, the nearest deadline first
  crossdock queue list --owner finance      what waits for one of the mapping's owners
  crossdock queue list --code rejected      of one kind: review, rejected, refused, in_doubt, gone, exhausted, late
  crossdock queue list --all                what was decided already, too

Personal values are masked; `queue show ID --reveal` prints them.";

/// List the open exceptions
#[derive(Debug, clap::Args)]
#[command(after_help = LIST)]
struct List {
    #[command(flatten)]
    project: Project,
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    #[arg(long, value_name = "FLOW")]
    flow: Option<String>,
    /// Closed ones too
    #[arg(long)]
    all: bool,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

const SHOW: &str = "\
Examples:
  crossdock queue show 12               its reasons, the payload that waits, the next step
  crossdock queue show 12 --reveal      with personal values
  crossdock queue show 12 --payload     the payload alone, as `queue edit` takes it";

/// Show one exception: reasons, payload, next step
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW)]
struct Show {
    id: i64,
    #[command(flatten)]
    project: Project,
    /// Print personal values
    #[arg(long)]
    reveal: bool,
    /// The payload alone, whole
    #[arg(long)]
    payload: bool,
}

const CHOSEN: &str = "\
Examples:
  crossdock queue retry 12 13              reads the records again and maps them anew
  crossdock queue retry --code refused     all of one kind
  crossdock queue approve 12               sends the payload that waits
  crossdock queue approve --owner finance  all that wait for one owner";

/// Map again from the latest record, or send the payload that waits
#[derive(Debug, clap::Args)]
#[command(after_help = CHOSEN)]
struct Chosen {
    ids: Vec<i64>,
    #[command(flatten)]
    project: Project,
    /// All of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// All of this code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// All of this flow
    #[arg(long, value_name = "FLOW")]
    flow: Option<String>,
}

const EDIT: &str = "\
Examples:
  crossdock queue show 12 --payload > payload.json
  crossdock queue edit 12 --payload payload.json

The payload passes the last gate again. It is sent once; the next version of the record is mapped as ever.";

/// Send another payload in the waiting one's place, once
#[derive(Debug, clap::Args)]
#[command(after_help = EDIT)]
struct Edit {
    id: i64,
    #[command(flatten)]
    project: Project,
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
}

const DISCARD: &str = "\
Examples:
  crossdock queue discard 12 --reason \"shipped by hand\"
  crossdock queue discard --code gone --reason \"handled in ShipStation\"";

/// Decide that a record is not sent, and why
#[derive(Debug, clap::Args)]
#[command(after_help = DISCARD)]
struct Discard {
    #[command(flatten)]
    chosen: Chosen,
    #[arg(long)]
    reason: String,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    match &args.what {
        What::List(args) => list(args, out),
        What::Show(args) => show(args, out),
        What::Retry(args) => {
            let site = args.project.open(out)?;
            let ids = chosen(&site, args)?;
            decide(&site, &Decision::Retry { ids }, "to be mapped again", out)
        }
        What::Approve(args) => {
            let site = args.project.open(out)?;
            let ids = chosen(&site, args)?;
            decide(&site, &Decision::Approve { ids }, "approved", out)
        }
        What::Edit(args) => {
            let site = args.project.open(out)?;
            let text = file::read_text(&args.payload, bounds::WHOLE_FILE).map_err(|error| super::folder::unreadable(&args.payload, &error))?;
            let payload: Json =
                serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{} is no JSON: {error}", args.payload.display())))?;
            decide(&site, &Decision::Edit { id: args.id, payload }, "edited", out)
        }
        What::Discard(args) => {
            let site = args.chosen.project.open(out)?;
            let ids = chosen(&site, &args.chosen)?;
            decide(&site, &Decision::Discard { ids, reason: args.reason.clone() }, "discarded", out)
        }
    }
}

/// The exceptions that are meant: those named, or all that fit the filters.
fn chosen(site: &Site, args: &Chosen) -> Result<Vec<i64>, Failure> {
    if !args.ids.is_empty() {
        return Ok(args.ids.clone());
    }
    if args.owner.is_none() && args.code.is_none() && args.flow.is_none() {
        return Err(Failure::usage("name exceptions by their numbers, or by --owner, --code or --flow").hint("crossdock queue list shows them"));
    }
    let store = site.opened(Mode::Read)?;
    let open = store.exceptions(true, 100_000).map_err(|fault| store_failure(&fault))?;
    let fits = |one: &Exception| fits(one, args.owner.as_deref(), args.code.as_deref(), args.flow.as_deref());
    let ids: Vec<i64> = open.iter().filter(|one| fits(one)).map(|one| one.id).collect();
    if ids.is_empty() { Err(Failure::usage("no open exception is of that kind")) } else { Ok(ids) }
}

fn fits(one: &Exception, owner: Option<&str>, code: Option<&str>, flow: Option<&str>) -> bool {
    owner.is_none_or(|owner| one.owner.as_deref() == Some(owner))
        && code.is_none_or(|code| one.code == code)
        && flow.is_none_or(|flow| one.flow == flow)
}

fn list(args: &List, out: &mut Out) -> Result<Exit, Failure> {
    let site = args.project.open(out)?;
    let store = site.opened(Mode::Read)?;
    let mut found = store.exceptions(!args.all, 100_000).map_err(|fault| store_failure(&fault))?;
    found.retain(|one| fits(one, args.owner.as_deref(), args.code.as_deref(), args.flow.as_deref()));
    let words = |one: &Exception| masked(&site, &store, one);
    if args.format == Format::Json {
        let mut all = Vec::new();
        for one in &found {
            all.push(serde_json::json!({
                "id": one.id, "flow": one.flow, "key": one.lane, "label": one.label, "code": one.code, "reasons": words(one)?, "owner": one.owner,
                "before": one.before.map(time), "opened": time(one.opened), "closed": one.closed.map(time), "closed_by": one.closed_by,
                "next": one.next, "payload": one.parked,
            }));
        }
        out.json(&serde_json::json!({"version": 1, "exceptions": all}))?;
        return Ok(Exit::Fine);
    }
    for one in &found {
        let owner = one.owner.as_ref().map(|owner| format!(" for {owner}")).unwrap_or_default();
        let before = one.before.map(|before| format!(" before {}", time(before))).unwrap_or_default();
        let closed = one.closed_by.as_ref().map(|by| format!(" [{by}]")).unwrap_or_default();
        out.line(format!("{:>5}  {:<9} {:<12} {}{owner}{before}{closed}", one.id, one.code, one.label.as_deref().unwrap_or(&one.lane), one.flow))?;
        for reason in words(one)? {
            out.line(format!("       {reason}"))?;
        }
    }
    if found.is_empty() {
        out.line("nobody has to look at anything")?;
    }
    Ok(Exit::Fine)
}

/// The reasons of an exception without personal values.
fn masked(site: &Site, store: &dyn Store, one: &Exception) -> Result<Vec<String>, Failure> {
    let personal = personal(site, store, one)?;
    Ok(one.reasons.iter().map(|reason| words(reason, &personal)).collect())
}

/// A reason without personal values. A target's own words may quote whatever it holds: only their code is shown.
fn words(reason: &crate::store::Reason, personal: &std::collections::BTreeSet<String>) -> String {
    if reason.kind == "target" {
        let code = reason.message.rsplit_once('(').map_or("", |(_, code)| code.trim_end_matches(')'));
        return format!("the target refused it: {code} (`queue show --reveal` prints its words)");
    }
    mask::scrub(&reason.message, personal)
}

fn personal(site: &Site, store: &dyn Store, one: &Exception) -> Result<std::collections::BTreeSet<String>, Failure> {
    let plan = site.ready.plan()?;
    let mut personal = std::collections::BTreeSet::new();
    let lane = store.lane(&one.flow, &one.lane).map_err(|fault| store_failure(&fault))?;
    let source = plan.mapping.flows.iter().find(|flow| flow.name == one.flow).map(|flow| flow.source.connection.clone());
    if let (Some(body), Some(source)) = (lane.as_ref().and_then(crate::store::Lane::record), source) {
        mask::Mask::of(plan, &source).personal(body, &mut personal);
    }
    for entry in store.entries_of(&one.flow, &one.lane).map_err(|fault| store_failure(&fault))? {
        // What a follow-up writes is the reason itself: it must not hide it.
        if entry.after.is_some() {
            continue;
        }
        mask::Mask::of(plan, &entry.connection).personal(&entry.body, &mut personal);
    }
    Ok(personal)
}

fn show(args: &Show, out: &mut Out) -> Result<Exit, Failure> {
    let site = args.project.open(out)?;
    let store = site.opened(Mode::Read)?;
    let one = store.exception(args.id).map_err(|fault| store_failure(&fault))?;
    let one =
        one.ok_or_else(|| Failure::usage(format!("there is no exception {}", args.id)).hint("crossdock queue list shows those that are open"))?;
    let entries: Vec<Entry> = store.entries_of(&one.flow, &one.lane).map_err(|fault| store_failure(&fault))?;
    let parked: Vec<&Entry> = entries.iter().filter(|entry| entry.state == EntryState::Parked).collect();
    if args.payload {
        let entry = parked.first().ok_or_else(|| Failure::usage("no payload waits; mend what the reason names, then retry"))?;
        out.json(&entry.body)?;
        return Ok(Exit::Fine);
    }
    let plan = site.ready.plan()?;
    let personal = if args.reveal { std::collections::BTreeSet::new() } else { personal(&site, &store, &one)? };
    out.line(format!("{} {} of {} ({})", one.code, one.label.as_deref().unwrap_or(&one.lane), one.flow, one.lane))?;
    out.line(format!("opened   {}", time(one.opened)))?;
    if let Some(before) = one.before {
        out.line(format!("before   {}", time(before)))?;
    }
    if let Some(owner) = &one.owner {
        out.line(format!("owner    {owner}"))?;
    }
    for reason in &one.reasons {
        let place = reason.place.as_ref().map(|place| format!("  ({place})")).unwrap_or_default();
        let field = reason.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        let said = if args.reveal { reason.message.clone() } else { words(reason, &personal) };
        out.line(format!("reason   {field}{said}{place}"))?;
    }
    for entry in parked {
        out.line(format!("payload  {} {}.{} {}", entry.op, entry.connection, entry.object, entry.key.as_deref().unwrap_or_default()))?;
        let body = if args.reveal { entry.body.clone() } else { mask::Mask::of(plan, &entry.connection).json(&entry.body) };
        out.json(&body)?;
    }
    match (&one.closed, &one.closed_by) {
        (Some(closed), Some(by)) => out.line(format!("closed   {} {by}", time(*closed)))?,
        _ => out.line(format!("next     {}", one.next))?,
    }
    Ok(Exit::Fine)
}
