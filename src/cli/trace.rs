//! `crossdock trace`: one order's whole way, through both systems, as a timeline.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::site::{Site, store_failure};
use super::status::time;
use super::{Exit, Failure, Format, Out};
use crate::store::sqlite::Mode;
use crate::store::{Event, Lane, Store as _};

const EXAMPLES: &str = "\
Examples:
  crossdock trace 00000104              by its order number
  crossdock trace 8015g0000000068AAA    by its id, or by the key or id that it has at the other system
  crossdock trace ada@example.com       a group, by the value that it is grouped by
  crossdock trace 00000104 --requests   with what was sent and answered, masked

Records of other flows that belong to it (its shipments) are told in the same line of time.";

/// Tell an order's whole way
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A number, a key or an id
    #[arg(value_name = "KEY")]
    key: String,
    /// The project's folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// Print the requests and answers too
    #[arg(long)]
    requests: bool,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let site = Site::open(args.project.as_ref(), args.env.as_deref(), out)?;
    let store = site.opened(Mode::Read)?;
    let wrong = |fault| store_failure(&fault);
    let mut lanes: Vec<Lane> = store.search(&args.key, 50).map_err(wrong)?;
    // A group is known by its value: an e-mail address, an account.
    let group = crate::engine::group_key(&args.key, &|value| store.fingerprint(value));
    for flow in site.ready.plan()?.mapping.flows.iter().filter(|flow| flow.group.is_some()) {
        lanes.extend(store.lane(&flow.name, &group).map_err(wrong)?);
    }
    if lanes.is_empty() {
        return Err(Failure::usage(format!("no record is called {}", args.key)).hint("name it by its number, its id, or its key at the other system"));
    }
    // What belongs together through what was matched and written.
    let mut known: BTreeSet<(String, String)> = lanes.iter().map(|lane| (lane.flow.clone(), lane.key.clone())).collect();
    let mut at = 0;
    while at < lanes.len() && lanes.len() < 200 {
        for (flow, key) in store.linked(&lanes[at].flow, &lanes[at].key).map_err(wrong)? {
            if known.insert((flow.clone(), key.clone()))
                && let Some(lane) = store.lane(&flow, &key).map_err(wrong)?
            {
                lanes.push(lane);
            }
        }
        at += 1;
    }
    let mut events: Vec<Event> = Vec::new();
    for lane in &lanes {
        events.extend(store.events(&lane.flow, &lane.key).map_err(wrong)?);
    }
    events.sort_by_key(|event| event.at);
    if args.format == Format::Json {
        let records: Vec<_> = lanes
            .iter()
            .map(|lane| serde_json::json!({"flow": lane.flow, "key": lane.key, "label": lane.label, "state": lane.state.word(), "plan": lane.plan}))
            .collect();
        let events: Vec<_> = events
            .iter()
            .map(|event| serde_json::json!({"at": time(event.at), "flow": event.flow, "key": event.lane, "kind": event.kind, "text": event.text, "exchange": event.exchange}))
            .collect();
        out.json(&serde_json::json!({"version": 1, "records": records, "events": events}))?;
        return Ok(Exit::Fine);
    }
    for lane in &lanes {
        let plan = lane.plan.as_ref().map(|plan| format!(", mapped by plan {plan}")).unwrap_or_default();
        out.line(format!("{} {} ({}) is {}{plan}", lane.flow, lane.label.as_deref().unwrap_or("-"), lane.key, lane.state.word().replace('_', " ")))?;
        for exception in store.exceptions_of(&lane.flow, &lane.key).map_err(wrong)? {
            out.line(format!("    waits for somebody: crossdock queue show {}", exception.id))?;
        }
        for watch in store.watches_of(&lane.flow, &lane.key).map_err(wrong)? {
            out.line(format!("    `{}` is looked at {}", watch.name, time(watch.due)))?;
        }
    }
    out.line("")?;
    let wide = lanes.iter().map(|lane| lane.flow.len()).max().unwrap_or(0);
    for event in &events {
        let exchange = event.exchange.map(|id| format!("  [{id}]")).unwrap_or_default();
        out.line(format!("{}  {:<wide$}  {:<11} {}{exchange}", time(event.at), event.flow, event.kind.replace('_', " "), event.text))?;
        if args.requests
            && let Some(id) = event.exchange
            && let Some(exchange) = store.exchange(id).map_err(wrong)?
        {
            super::audit::exchange(&exchange, out)?;
        }
    }
    Ok(Exit::Fine)
}
