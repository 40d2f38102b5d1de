//! `crossdock trace`: one order's whole way, through both systems, as a timeline.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::lines::{Columns, wrapped};
use super::project::context;
use super::status::time;
use super::when::stamp;
use super::{Exit, Failure, Format, Out};
use crate::app::Access;
use crate::store::{Event, Lane, LaneState, Store, Watched};

const EXAMPLES: &str = "\
Examples:
  crossdock trace 00000104              by order number
  crossdock trace FR-000001             by the name field of a custom object
  crossdock trace 8015g0000000068AAA    by id or key, at either system
  crossdock trace ada@example.com       a group, by its value
  crossdock trace 00000104 --requests   with the requests and answers, masked

Records of other flows that belong to it, such as its shipments, are part of the same timeline.";

/// Show the history of one record
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The number, name, id or key of the record
    #[arg(value_name = "KEY")]
    key: String,
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Also print the requests and answers of this record, masked
    #[arg(long)]
    requests: bool,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let context = context(args.project.as_ref(), args.env.as_deref(), out)?;
    let store = context.open_store(Access::Read)?;
    let mut lanes: Vec<Lane> = store.search(&args.key, 50)?;
    // A group is known by its value: an e-mail address, an account.
    for name in std::iter::once(args.key.clone()).chain(crate::builtin::phone_spellings(&args.key)) {
        let group = crate::engine::group_key(&name, &|value| store.fingerprint(value));
        for flow in context.project.plan()?.mapping.flows.iter().filter(|flow| flow.group.is_some()) {
            lanes.extend(store.lane(&flow.name, &group)?);
        }
    }
    if lanes.is_empty() {
        return Err(Failure::usage(format!("no record is called {}", crate::engine::mask::key(&args.key, true)))
            .hint("name it by its number, its id, or its key at the other system"));
    }
    let hits = lanes.len();
    // What belongs together through what was matched and written.
    let mut known: BTreeSet<(String, String)> = lanes.iter().map(|lane| (lane.flow.clone(), lane.key.clone())).collect();
    let mut at = 0;
    while at < lanes.len() && lanes.len() < MOST_TOLD {
        for (flow, key) in store.linked(&lanes[at].flow, &lanes[at].key, None, MOST_TOLD - lanes.len())? {
            if known.insert((flow.clone(), key.clone()))
                && let Some(lane) = store.lane(&flow, &key)?
            {
                lanes.push(lane);
            }
        }
        at += 1;
    }
    let mut events: Vec<Event> = Vec::new();
    for lane in &lanes {
        events.extend(store.events(&lane.flow, &lane.key)?);
    }
    events.sort_by_key(|event| event.at);
    let alone = apart(&*store, &lanes[..hits])?;
    let mut decisions = Vec::new();
    for lane in &lanes {
        decisions.extend(store.decisions_of(&lane.flow, &lane.key)?);
    }
    if args.format == Format::Json {
        let records: Vec<_> = lanes
            .iter()
            .map(|lane| serde_json::json!({"flow": lane.flow, "key": lane.key, "label": lane.label, "state": lane.state.word(), "plan": lane.plan, "due": (!lane.state.settled() && lane.due > 0).then(|| time(lane.due))}))
            .collect();
        let mut told = Vec::new();
        for event in &events {
            let mut line = serde_json::json!({
                "at": time(event.at), "flow": event.flow, "key": event.lane, "kind": event.kind, "text": event.text, "exchange": event.exchange,
            });
            if let (true, Some(id)) = (args.requests, event.exchange)
                && let Some(exchange) = store.exchange(id)?
            {
                line["request"] = super::audit::exchange_json(&exchange, &|part| part.flow == event.flow && part.lane == event.lane);
            }
            told.push(line);
        }
        let decisions: Vec<_> = decisions
            .iter()
            .filter_map(|one| Some((one, one.decided.as_ref()?)))
            .map(|(one, decided)| {
                serde_json::json!({
                    "exception": one.id, "flow": one.flow, "key": one.lane, "what": decided.what, "by": decided.by, "reason": decided.why,
                    "at": stamp(decided.at),
                })
            })
            .collect();
        out.json(&serde_json::json!({"version": 1, "records": records, "decisions": decisions, "events": told}))?;
        return Ok(Exit::Fine);
    }
    let width = out.columns();
    if alone > MOST_APART {
        return list(args, &lanes[..hits], alone, out);
    }
    for lane in &lanes {
        let plan = match &lane.plan {
            Some(_) if lane.is_erased() => ", and what was kept of it was erased".to_owned(),
            Some(plan) => format!(", mapped by plan {plan}"),
            None => String::new(),
        };
        let label = lane.label.as_deref().unwrap_or("-");
        let told = format!("{} {label} ({}) is {}{plan}", lane.flow, lane.key, lane.state.word().replace('_', " "));
        for (at, line) in wrapped(&told, 4, width).into_iter().enumerate() {
            out.line(if at == 0 { line.trim_start() } else { &line })?;
        }
        if matches!(lane.state, LaneState::Waiting | LaneState::Fetch) && lane.due > jiff::Timestamp::now().as_millisecond() {
            for line in wrapped(&format!("is taken up at {}: {}", time(lane.due), super::status::PUT_OFF), 4, width) {
                out.line(line)?;
            }
        }
        for exception in store.exceptions_of(&lane.flow, &lane.key)? {
            out.line(format!("    waits for somebody: crossdock queue show {}", exception.id))?;
        }
        for one in decisions.iter().filter(|one| one.flow == lane.flow && one.lane == lane.key) {
            let Some(decided) = &one.decided else { continue };
            let by = decided.by.as_deref().unwrap_or("a person");
            let why = decided.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            for line in wrapped(&format!("exception {} was {} by {by}, {}{why}", one.id, decided.what, time(decided.at)), 4, width) {
                out.line(line)?;
            }
        }
        for watch in store.watches_of(&lane.flow, &lane.key)? {
            let due = time(watch.due);
            out.line(match &watch.what {
                Watched::Expectation(name) => format!("    `{name}` is due by {due}"),
                Watched::Unmet(name) => format!("    `{name}` was not met in time; the next look is at {due}"),
                Watched::Late { write, .. } => format!("    `{write}` is late if it is not confirmed by {due}"),
                Watched::Window => format!("    a record leaves the group's window at {due}"),
                Watched::Settle => continue,
            })?;
        }
    }
    let wide = lanes.iter().map(|lane| lane.flow.chars().count()).max().unwrap_or(0).min(24);
    let mut day = String::new();
    for event in &events {
        let at = time(event.at);
        let (date, clock) = at.split_once(' ').unwrap_or(("", &at));
        if date != day {
            out.line("")?;
            out.line(out.bold(date))?;
            date.clone_into(&mut day);
        }
        let exchange = event.exchange.map(|id| format!(" [{id}]")).unwrap_or_default();
        let flow = super::lines::cut(&event.flow, wide);
        let head = format!("{clock}  {flow:<wide$}  {:<11} ", event.kind.replace('_', " "));
        let indent = head.chars().count();
        let mut lines = wrapped(&format!("{}{exchange}", event.text), indent, width).into_iter();
        out.line(format!("{head}{}", lines.next().unwrap_or_default().trim_start()))?;
        for line in lines {
            out.line(line)?;
        }
        if args.requests
            && let Some(id) = event.exchange
            && let Some(exchange) = store.exchange(id)?
        {
            super::audit::exchange(&exchange, &|part| part.flow == event.flow && part.lane == event.lane, out)?;
            if exchange.request.is_some() {
                out.line(format!("    an older version kept its batch as a whole: crossdock audit show {id}"))?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// Records that are told together, at most.
const MOST_TOLD: usize = 200;

/// Records that have nothing to do with each other, above which they are only listed.
const MOST_APART: usize = 5;

/// How many of some records have nothing to do with each other; of so few that all are told, how many there are.
fn apart(store: &dyn Store, hits: &[Lane]) -> Result<usize, Failure> {
    if hits.len() <= MOST_APART {
        return Ok(hits.len());
    }
    let name = |lane: &Lane| (lane.flow.clone(), lane.key.clone());
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut count = 0;
    for hit in hits {
        if seen.contains(&name(hit)) {
            continue;
        }
        count += 1;
        let mut next = vec![name(hit)];
        while let Some(one) = next.pop().filter(|_| seen.len() < 1_000) {
            if seen.insert(one.clone()) {
                next.extend(store.linked(&one.0, &one.1, None, MOST_TOLD)?);
            }
        }
    }
    Ok(count)
}

/// Several records are called so: which they are.
fn list(args: &Args, hits: &[Lane], alone: usize, out: &mut Out) -> Result<Exit, Failure> {
    out.line(format!("{alone} records are called {}; name one by its key:", crate::engine::mask::key(&args.key, true)))?;
    out.line("")?;
    let mut table = Columns::new(&["key", "flow", "state", "changed"], 1);
    for lane in hits {
        table.row(vec![lane.key.clone(), lane.flow.clone(), lane.state.word().replace('_', " "), time(lane.updated)]);
    }
    let (header, rows) = table.lines(out.columns());
    out.line(out.bold(&header))?;
    rows.into_iter().try_for_each(|row| out.line(row))?;
    Ok(Exit::Fine)
}
