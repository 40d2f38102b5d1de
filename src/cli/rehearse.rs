//! `crossdock run --dry-run`: live reads and no writes; prints what would be written.

use super::lines::{Columns, counted, wrapped};
use super::project::remark;
use super::run_connected::{Asked, watched};
use super::{Exit, Failure, Format, Out};
use crate::app::rehearsal::{self, Calls, Summary, name};
use crate::run::rehearsal::Planned;
use crate::value::Json;

/// Fields that are named as those that change.
const FIELDS: usize = 6;

/// Says what a run would do.
pub(super) fn rehearse(asked: &Asked<'_>, out: &mut Out) -> Result<Exit, Failure> {
    let rehearsed = watched(|watching| rehearsal::rehearse(asked.context, &asked.request, asked.reveal, watching, &mut remark(out)))?;
    if asked.format == Format::Json {
        out.json(&rehearsed)?;
    } else {
        if asked.all {
            each(&rehearsed.planned, out)?;
        }
        tell(&rehearsed.summary, out)?;
        if asked.all && !asked.reveal {
            out.note("personal values are masked; --reveal prints them");
        }
        let hint = if asked.all || rehearsed.planned.is_empty() { "" } else { "; --all shows each write, field by field" };
        let calls = |n: u64| counted(n, "call");
        let Calls { reads, writes } = rehearsed.calls;
        let told = format!("nothing was sent: writing would take {}, and reading took {}{hint}", calls(writes), calls(reads));
        wrapped(&told, 0, out.columns()).into_iter().try_for_each(|line| out.line(line))?;
        rehearsed.failures.iter().for_each(|failure| out.note(format!("not read: {failure}")));
    }
    Ok(if rehearsed.failures.is_empty() && !rehearsed.stopped { Exit::Fine } else { Exit::Findings })
}

fn tell(summary: &Summary, out: &mut Out) -> Result<(), Failure> {
    if summary.writes.iter().all(|writes| writes.action == "unchanged") {
        out.line("nothing would be sent")?;
    } else {
        out.line(out.bold("would be sent"))?;
    }
    for writes in summary.writes.iter().filter(|writes| writes.action != "unchanged") {
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
    let same: usize = summary.writes.iter().filter(|writes| writes.action == "unchanged").map(|writes| writes.records).sum();
    if same > 0 {
        out.line(format!("  {:<7} {same:>6}  the targets have these values already", "same"))?;
    }
    if !summary.stopped.is_empty() {
        out.line(out.bold("would wait for a person"))?;
        let mut table = Columns::new(&["cause", "records", "code", "flow", "owner"], 3);
        for one in &summary.stopped {
            let owner = one.owner.clone().unwrap_or_else(|| "-".to_owned());
            table.row(vec![one.cause.clone(), one.records.to_string(), one.code.clone(), one.flow.clone(), owner]);
        }
        let (header, rows) = table.lines(out.columns().saturating_sub(2));
        out.line(format!("  {header}"))?;
        for (one, row) in summary.stopped.iter().zip(rows) {
            out.line(format!("  {row}"))?;
            for reason in &one.reasons {
                below(reason, 12, out)?;
            }
            below(&examples(&one.examples, one.records), 12, out)?;
        }
    }
    if !summary.states.is_empty() {
        out.line(out.bold("would not be sent"))?;
        for state in &summary.states {
            out.line(format!("  {:>6}  {} of {}", state.records, state.state.word().replace('_', " "), state.flow))?;
        }
    }
    Ok(())
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
