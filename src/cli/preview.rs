//! `crossdock preview`: what would be sent for some records, and why.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ready::Ready;
use super::when::When;
use super::{Exit, Failure, Format, Out};
use crate::apply::aside::{self, LeftOut};
use crate::apply::{Inputs, Outcome, Payload, Reason, Verdict, apply};
use crate::base::bounds;
use crate::check::typed::{self, Flow, Row, RowValue, Write};
use crate::fault::file;
use crate::project::records;
use crate::run::files::whole;
use crate::spec::judge;
use crate::value::Json;

const EXAMPLES: &str = "\
Examples:
  crossdock preview --flow export_orders fixtures/uk-order.json
  crossdock preview --flow export_orders orders.jsonl               a table, one line a record
  crossdock preview --flow export_orders orders.jsonl --key 801x0   one record of many, by id or key
  crossdock preview --flow export_orders fixtures/uk-order.json --why shipTo.street1

Nothing is sent. Exit code 1 if a record is rejected.";

/// Show what would be sent for some records, and why
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A file of records: JSON, JSONL or CSV
    #[arg(value_name = "RECORDS")]
    records: String,
    /// The flow; it need not be named where the project has one
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// The project's folder
    #[arg(long, value_name = "PATH")]
    project: Option<PathBuf>,
    /// Only the record with this id, or whose write has this key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Say why a field has its value; without a field, say it of all
    #[arg(long, value_name = "FIELD", num_args = 0..=1, default_missing_value = "")]
    why: Option<String>,
    /// What a match finds: NAME=FILE
    #[arg(long, value_name = "NAME=FILE")]
    matched: Vec<String>,
    /// The record as the target holds it now
    #[arg(long, value_name = "FILE")]
    target: Option<String>,
    /// The run's now, instead of the clock's
    #[arg(long, value_name = "TIME")]
    now: Option<When>,
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    // A record named from outside the project tells where the project is.
    let beside = PathBuf::from(&args.records);
    let beside = beside.parent().filter(|folder| !folder.as_os_str().is_empty() && folder.is_dir()).map(PathBuf::from);
    let ready = Ready::open_for(args.project.as_ref().or(beside.as_ref()), args.flow.as_deref(), args.env.as_deref(), out)?;
    let flow = ready.flow(args.flow.as_deref())?;
    let program = ready.program()?;
    let load = |path: &str| -> Result<Vec<Json>, Failure> {
        let text = match file::read_text(std::path::Path::new(path), bounds::WHOLE_FILE) {
            Ok(text) => text.into(),
            Err(_) => ready.text(path)?,
        };
        records::read(path, &text).map_err(|fault| Failure::usage(format!("{path}:{}: {}", fault.line, fault.message)))
    };
    let mut given = load(&args.records)?;
    let mut matched = BTreeMap::new();
    for pair in &args.matched {
        let (name, path) = pair
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{pair}` names no match")).hint("write --matched order=fixtures/order.json"))?;
        matched.insert(name.to_owned(), load(path)?);
    }
    let target = args.target.as_deref().map(load).transpose()?.and_then(|found| found.into_iter().next());
    let targets: BTreeMap<String, Json> =
        target.iter().flat_map(|target| flow.writes.iter().map(|write| (write.name.clone(), target.clone()))).collect();
    let results = BTreeMap::new();
    let group = if flow.group.is_some() { std::mem::take(&mut given) } else { Vec::new() };
    if flow.group.is_some() {
        given = group.first().cloned().into_iter().collect();
    }
    let now = args.now.map_or_else(jiff::Timestamp::now, |now| now.at(jiff::Timestamp::now()));
    let mut outcomes: Vec<(Json, Outcome)> = Vec::new();
    for record in given {
        let inputs = Inputs {
            record: &record,
            group: &group,
            was_of_group: None,
            now,
            matched: &matched,
            targets: &targets,
            results: &results,
            names: &ready.compiled.names,
            trace: args.why.is_some(),
        };
        let outcome = apply(&program, flow, &inputs);
        if args.key.as_ref().is_none_or(|key| has_key(&record, &outcome, key)) {
            outcomes.push((record, outcome));
        }
    }
    if outcomes.is_empty() {
        let message =
            args.key.as_ref().map_or_else(|| format!("`{}` holds no record", args.records), |key| format!("no record has the id or key `{key}`"));
        return Err(Failure::usage(message));
    }
    if args.format == Format::Json {
        let all: Vec<Json> = outcomes.iter().map(|(record, outcome)| json(record, outcome)).collect();
        out.json(&all)?;
    } else if let [(record, outcome)] = outcomes.as_slice() {
        match (&args.why, outcome.verdict) {
            (Some(_), Verdict::NotEligible) => {
                let inputs = Inputs {
                    record,
                    group: &group,
                    was_of_group: None,
                    now,
                    matched: &matched,
                    targets: &targets,
                    results: &results,
                    names: &ready.compiled.names,
                    trace: false,
                };
                left_out(&aside::left_out(&program, flow, &inputs), id(record).unwrap_or("record"), out)?;
            }
            (Some(field), _) => explain(outcome, flow, field, out)?,
            (None, _) => one(record, outcome, out)?,
        }
    } else {
        table(&outcomes, out)?;
    }
    let rejected = outcomes.iter().any(|(_, outcome)| outcome.verdict == Verdict::Rejected);
    Ok(if rejected { Exit::Findings } else { Exit::Fine })
}

fn id(record: &Json) -> Option<&str> {
    ["Id", "id", "orderId", "orderNumber", "shipmentId"].iter().find_map(|name| record.get(name)).and_then(Json::as_str)
}

fn has_key(record: &Json, outcome: &Outcome, key: &str) -> bool {
    let named = ["Id", "id", "OrderNumber", "orderNumber"].iter().any(|name| record.get(name).and_then(Json::as_str) == Some(key));
    named || outcome.payloads.iter().any(|payload| payload.key.as_deref() == Some(key))
}

fn json(record: &Json, outcome: &Outcome) -> Json {
    let mut whole = serde_json::to_value(outcome).unwrap_or(Json::Null);
    whole["id"] = id(record).map_or(Json::Null, Json::from);
    whole
}

fn verdict(outcome: &Outcome, out: &Out) -> String {
    let word = judge::words(outcome.verdict);
    match outcome.verdict {
        Verdict::Ready => out.green(word),
        Verdict::Rejected => out.red(word),
        Verdict::Review => out.cyan(word),
        Verdict::NotEligible => out.dim(word),
    }
}

/// Why the flow leaves a record out.
fn left_out(why: &[LeftOut], name: &str, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("{} not eligible", out.bold(name)))?;
    for one in why {
        match one {
            LeftOut::Filter(condition, reads) => {
                out.line(format!("  where {condition}   does not hold"))?;
                for read in reads {
                    out.line(format!(
                        "    read  {} = {}{}",
                        read.path,
                        read.value,
                        read.missing.map(|word| format!(" ({word})")).unwrap_or_default()
                    ))?;
                }
            }
            LeftOut::Match(name, place, 0) => {
                let place = out.dim(&format!("{}:{}", place.file, place.line));
                out.line(format!("  match `{name}` found no record, and says `none -> skip`  {place}"))?;
                out.line(format!("    help  name what it would find: --matched {name}=FILE"))?;
            }
            LeftOut::Match(name, place, count) => {
                let place = out.dim(&format!("{}:{}", place.file, place.line));
                out.line(format!("  match `{name}` found {count} records, and says `many -> skip`  {place}"))?;
            }
            LeftOut::Group => out.line("  it has no value for the group")?,
        }
    }
    Ok(())
}

fn one(record: &Json, outcome: &Outcome, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("{} {}", out.bold(id(record).unwrap_or("record")), verdict(outcome, out)))?;
    for route in &outcome.routes {
        let results: Vec<String> = route.results.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let place = out.dim(&format!("{}:{} {}", route.place.file, route.place.line, route.text));
        out.line(format!("  route    {}  {place}", results.join(", ")))?;
    }
    for reason in &outcome.reasons {
        out.line(format!("  {}   {}", if reason.review { out.cyan("review") } else { out.red("reason") }, told(reason, out)))?;
    }
    for reason in &outcome.warnings {
        out.line(format!("  warning  {}", told(reason, out)))?;
    }
    for payload in &outcome.payloads {
        show(payload, "", out)?;
    }
    for payload in &outcome.follow_ups {
        show(payload, "then ", out)?;
    }
    Ok(())
}

fn told(reason: &Reason, out: &Out) -> String {
    let owner = reason.owner.as_ref().map(|owner| format!(" for {owner}")).unwrap_or_default();
    let place = reason.place.as_ref().map(|place| out.dim(&format!("  {}:{}", place.file, place.line))).unwrap_or_default();
    format!("{}{owner}{place}", reason.message)
}

fn show(payload: &Payload, before: &str, out: &mut Out) -> Result<(), Failure> {
    let op = format!("{:?}", payload.op).to_lowercase();
    let id = payload.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    out.line(format!("\n{}", out.bold(&format!("{before}{op} {}{id}", payload.object))))?;
    out.json(&whole(payload))
}

/// Where a field is set that is not there, and why it is not: the rows that name it, or what it is part of.
fn rows_of<'f>(flow: &'f Flow, field: &str) -> Vec<(&'f Write, &'f Row, Vec<&'f Row>)> {
    fn visit<'f>(body: &'f typed::Body, path: &str, above: &mut Vec<&'f Row>, found: &mut Vec<(&'f Row, Vec<&'f Row>)>) {
        for row in &body.rows {
            let rest = match path.strip_prefix(row.name.as_str()) {
                Some("") => "",
                Some(rest) if rest.starts_with(['.', '[']) => rest.split_once('.').map_or("", |(_, rest)| rest),
                _ => continue,
            };
            match &row.value {
                RowValue::Object { body, .. } if !rest.is_empty() => {
                    above.push(row);
                    visit(body, rest, above, found);
                    above.pop();
                }
                // A whole value that holds the field.
                _ => found.push((row, above.clone())),
            }
        }
    }
    let mut all = Vec::new();
    for write in flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)) {
        let mut found = Vec::new();
        visit(&write.body, field, &mut Vec::new(), &mut found);
        all.extend(found.into_iter().map(|(row, above)| (write, row, above)));
    }
    all
}

/// Says why a field that a row names is not there.
fn explain_absence(outcome: &Outcome, flow: &Flow, field: &str, out: &mut Out) -> Result<bool, Failure> {
    let rows = rows_of(flow, field);
    for (write, row, above) in &rows {
        let place = |place: &typed::Place| format!("{}:{}", place.file, place.line);
        out.line(format!("{} = {}  {}", out.bold(field), out.dim("not set"), out.dim(&place(&row.place))))?;
        let made = outcome.payloads.iter().chain(&outcome.follow_ups).any(|payload| payload.write == write.name);
        if !made {
            let why = match outcome.verdict {
                Verdict::Rejected => "nothing is written: the record is rejected",
                _ => "its write does not apply to this record",
            };
            out.line(format!("    {why}  {}", out.dim(&place(&write.place))))?;
            continue;
        }
        for object in above.iter().copied().chain([*row]) {
            if let RowValue::Object { when: Some(when), .. } = &object.value {
                let condition = crate::plan::text::of(when);
                out.line(format!("    `{}` is set only when {condition}: it does not hold  {}", object.name, out.dim(&place(&object.place))))?;
            }
        }
    }
    Ok(!rows.is_empty())
}

fn explain(outcome: &Outcome, flow: &Flow, field: &str, out: &mut Out) -> Result<(), Failure> {
    // The outcome itself may be asked for by its name.
    let asked = matches!(field, "review" | "rejected" | "reasons" | "warned");
    if asked && !outcome.trace.iter().any(|trace| trace.field == field) {
        let reasons = if field == "warned" { &outcome.warnings } else { &outcome.reasons };
        if reasons.is_empty() {
            out.line(format!("no rule, match, route or guard of the flow says `{field}` for this record"))?;
        }
        for reason in reasons {
            out.line(format!("{}  {}", reason.kind, told(reason, out)))?;
        }
        return Ok(());
    }
    let found: Vec<_> = outcome
        .trace
        .iter()
        .filter(|trace| {
            field.is_empty() || trace.field == field || trace.field.starts_with(&format!("{field}.")) || trace.field.starts_with(&format!("{field}["))
        })
        .collect();
    if found.is_empty() {
        if explain_absence(outcome, flow, field, out)? {
            return Ok(());
        }
        let near = crate::base::nearest(field, outcome.trace.iter().map(|trace| trace.field.as_str()));
        let failure = Failure::usage(format!("no row of the mapping sets `{field}`"));
        return Err(match near {
            Some(near) => failure.hint(format!("did you mean {near}?")),
            None => failure,
        });
    }
    for trace in found {
        let value = trace.value.as_ref().map_or_else(|| out.dim("not set"), Json::to_string);
        let place = out.dim(&format!("{}:{}", trace.place.file, trace.place.line));
        out.line(format!("{} = {value}  {place}", out.bold(&trace.field)))?;
        for read in &trace.reads {
            let missing = read.missing.map(|word| format!(" ({word})")).unwrap_or_default();
            out.line(format!("    read  {} = {}{missing}", read.path, read.value))?;
        }
        for step in &trace.steps {
            let place = step.place.as_ref().map(|place| out.dim(&format!("  {}:{}", place.file, place.line))).unwrap_or_default();
            // A step stays on its line, whatever line breaks its values have.
            out.line(format!("    then  {}{place}", step.text.replace('\n', "\\n")))?;
        }
    }
    Ok(())
}

fn table(outcomes: &[(Json, Outcome)], out: &mut Out) -> Result<(), Failure> {
    let mut rows = comfy_table::Table::new();
    rows.load_style(comfy_table::presets::NOTHING);
    rows.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    rows.set_header(["record", "outcome", "key", "route", "why"]);
    for (record, outcome) in outcomes {
        let first = outcome.payloads.first();
        let route = outcome.routes.iter().flat_map(|route| route.results.iter().map(|(_, value)| value.as_str())).collect::<Vec<_>>().join(", ");
        let why = outcome.reasons.iter().chain(&outcome.warnings).map(|reason| reason.message.as_str()).collect::<Vec<_>>().join("; ");
        let key = first.and_then(|payload| payload.key.as_deref()).unwrap_or("");
        rows.add_row([id(record).unwrap_or(""), judge::words(outcome.verdict), key, &route, &why]);
    }
    for line in rows.to_string().lines() {
        out.line(line.trim_end())?;
    }
    let count = |verdict: Verdict| outcomes.iter().filter(|(_, outcome)| outcome.verdict == verdict).count();
    out.line(format!(
        "{} records: {} to send, {} to review, {} rejected, {} not eligible",
        outcomes.len(),
        count(Verdict::Ready),
        count(Verdict::Review),
        count(Verdict::Rejected),
        count(Verdict::NotEligible)
    ))
}
