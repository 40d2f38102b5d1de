//! `preview --why`: why a field has its value or is missing, why a rule fired or did not, which routing row was used, why a
//! write does not apply, why a record is not eligible.

use crate::app::matched;
use crate::app::preview::{Previewed, left_out_text};
use crate::base::nearest;
use crate::cli::{Failure, Out};
use crate::eval::queries::LeftOut;
use crate::eval::{Answer, Decided, Decision, Outcome, Read, Verdict};
use crate::ir::print;
use crate::ir::{Expr, Flow, Place, Route, RouteOutcome, Row, RowValue, Rule, RuleKind, Write};
use crate::plan::Plan;
use crate::testkit::signoff::built;
use crate::value::Json;

/// What is asked about.
pub(super) struct About<'a> {
    pub(super) seen: &'a Previewed,
    pub(super) flow: &'a Flow,
    pub(super) plan: &'a Plan,
}

/// Answers `--why WHAT`.
///
/// # Errors
/// Nothing in the flow is called so.
pub(super) fn explain(about: &About<'_>, what: &str, out: &mut Out) -> Result<(), Failure> {
    let outcome = &about.seen.outcome;
    if outcome.verdict == Verdict::NotEligible {
        for one in &about.seen.left_out {
            left_out(one, out)?;
        }
        return Ok(());
    }
    if fields(outcome, what, out)? || reasons(outcome, what, out)? || routes(about, what, out)? || rules(about, what, out)? {
        return Ok(());
    }
    if writes(about, what, out)? || absent(about, what, out)? || line(about, what, out)? {
        return Ok(());
    }
    let failure = Failure::usage(format!("no field, rule, route or write of `{}` is called `{what}`", about.flow.name));
    let hint = near(about, what).map_or_else(
        || {
            "--why takes a field, a route's result, words of a rule's message, a write, a line such as orders.dock:56, `rules`, `route` or `review`"
                .to_owned()
        },
        |near| format!("did you mean {near}?"),
    );
    Err(failure.hint(hint))
}

fn near<'a>(about: &'a About<'_>, what: &str) -> Option<&'a str> {
    let traced = about.seen.outcome.trace.iter().map(|trace| trace.field.as_str());
    let results = about.flow.routes.iter().flat_map(|route| &route.results).map(|result| result.name.as_str());
    nearest(what, traced.chain(results).chain(about.flow.writes.iter().map(|write| write.name.as_str())))
}

fn at(place: &Place, out: &Out) -> String {
    out.dim(&format!("{}:{}", place.file, place.line))
}

fn read_lines(reads: &[Read], out: &mut Out) -> Result<(), Failure> {
    for read in reads {
        let missing = read.missing.map(|word| format!(" ({word})")).unwrap_or_default();
        out.line(format!("    read  {} = {}{missing}", read.path, read.value))?;
    }
    Ok(())
}

// ---- fields that have a value ----

fn fields(outcome: &Outcome, what: &str, out: &mut Out) -> Result<bool, Failure> {
    let within = |field: &str| field.strip_prefix(what).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let found: Vec<_> = outcome.trace.iter().filter(|trace| what.is_empty() || within(&trace.field)).collect();
    // A field that is there but was not set may be under a condition that does not hold: that is told with the rows.
    if found.is_empty() {
        return Ok(false);
    }
    for trace in found {
        let value = trace.value.as_ref().map_or_else(|| out.dim("not set"), Json::to_string);
        out.line(format!("{} = {value}  {}", out.bold(&trace.field), at(&trace.place, out)))?;
        read_lines(&trace.reads, out)?;
        for step in trace.steps.iter().filter(|step| !step.text.is_empty()) {
            let place = step.place.as_ref().map(|place| format!("  {}", at(place, out))).unwrap_or_default();
            // A step stays on its line, whatever line breaks its values have.
            out.line(format!("    then  {}{place}", step.text.replace('\n', "\\n")))?;
        }
    }
    Ok(true)
}

// ---- the outcome itself ----

fn reasons(outcome: &Outcome, what: &str, out: &mut Out) -> Result<bool, Failure> {
    if !matches!(what, "review" | "rejected" | "reasons" | "warned") {
        return Ok(false);
    }
    let reasons = if what == "warned" { &outcome.warnings } else { &outcome.reasons };
    let wanted = |reason: &crate::eval::Reason| match what {
        "review" => reason.review,
        "rejected" => !reason.review,
        _ => true,
    };
    let found: Vec<_> = reasons.iter().filter(|reason| wanted(reason)).collect();
    if found.is_empty() {
        out.line(format!("nothing in the flow says `{what}` for this record; `--why rules` shows what each rule found"))?;
    }
    for reason in found {
        out.line(format!("{}  {}", reason.kind, super::told(reason, out)))?;
        // What the condition behind it has read.
        let behind = reason.place.as_ref().and_then(|place| outcome.decisions.iter().find(|decision| decision.place == *place && fired(decision)));
        if let Some(decision) = behind {
            out.line(format!("    {}", decision.condition))?;
            read_lines(&decision.reads, out)?;
        }
    }
    Ok(true)
}

/// Whether a condition was met in the way that gives a reason.
fn fired(decision: &Decision) -> bool {
    match decision.what {
        Decided::Require | Decided::Reconcile => decision.answer == Answer::DoesNotHold,
        _ => decision.answer == Answer::Holds,
    }
}

// ---- routes ----

fn routes(about: &About<'_>, what: &str, out: &mut Out) -> Result<bool, Failure> {
    let asked = |route: &&Route| what == "route" || route.results.iter().any(|result| result.name == what);
    let found: Vec<&Route> = about.flow.routes.iter().filter(asked).collect();
    for route in &found {
        let names: Vec<&str> = route.results.iter().map(|result| result.name.as_str()).collect();
        out.line(format!("{}  {}", out.bold(&format!("route {}", names.join(", "))), at(&route.place, out)))?;
        let mut taken = false;
        for row in &route.rows {
            let asked = about.seen.outcome.decisions.iter().find(|one| one.what == Decided::RouteRow && one.place == row.place);
            match asked {
                Some(decision) if decision.answer == Answer::Holds => {
                    let gives = match &row.outcome {
                        RouteOutcome::Results(results) => {
                            results.iter().map(|one| print::within(&about.plan.mapping, one)).collect::<Vec<_>>().join(", ")
                        }
                        RouteOutcome::Stop(stop) => {
                            format!("{} {}", if stop.review { "review" } else { "reject" }, print::within(&about.plan.mapping, &stop.message))
                        }
                    };
                    out.line(format!("  {}  {} -> {gives}  {}", out.green("taken"), row.text, at(&row.place, out)))?;
                    read_lines(&decision.reads, out)?;
                    taken = true;
                }
                Some(decision) => {
                    out.line(format!("  no     {}  {}", row.text, at(&row.place, out)))?;
                    if let Answer::Unknown(why) = &decision.answer {
                        out.line(format!("    {why}"))?;
                    }
                    read_lines(&decision.reads, out)?;
                }
                None if taken => out.line(out.dim(&format!("  below  {}  {}:{}", row.text, row.place.file, row.place.line)))?,
                None => out.line(format!("  {}  {}  {}", out.dim("not asked"), row.text, at(&row.place, out)))?,
            }
        }
    }
    if !found.is_empty() && about.seen.outcome.decisions.iter().all(|one| one.what != Decided::RouteRow) {
        out.line(format!("  {}", stopped_before(about)))?;
    }
    Ok(!found.is_empty())
}

/// Why the sections behind the matches were not reached.
fn stopped_before(about: &About<'_>) -> String {
    let by_match = about.seen.outcome.reasons.iter().find(|reason| reason.kind == "match");
    by_match
        .map_or_else(|| "the record was stopped before this".to_owned(), |reason| format!("the record was stopped before this: {}", reason.message))
}

// ---- rules ----

/// A rule, and what stands around it.
struct Found<'f> {
    rule: &'f Rule,
    around: Vec<&'f Rule>,
}

fn all_rules<'f>(rules: &'f [Rule], around: &mut Vec<&'f Rule>, found: &mut Vec<Found<'f>>) {
    for rule in rules {
        match &rule.kind {
            RuleKind::Each { rules, .. } | RuleKind::When { rules, .. } => {
                around.push(rule);
                all_rules(rules, around, found);
                around.pop();
            }
            _ => found.push(Found { rule, around: around.clone() }),
        }
    }
}

fn message(rule: &Rule) -> Option<&Expr> {
    match &rule.kind {
        RuleKind::Require { message, .. }
        | RuleKind::Review { message, .. }
        | RuleKind::Warn { message, .. }
        | RuleKind::Reconcile { message, .. } => Some(message),
        RuleKind::Each { .. } | RuleKind::When { .. } => None,
    }
}

fn rules(about: &About<'_>, what: &str, out: &mut Out) -> Result<bool, Failure> {
    let mut all = Vec::new();
    all_rules(&about.flow.rules, &mut Vec::new(), &mut all);
    let words = what.to_lowercase();
    let said = |found: &Found<'_>| message(found.rule).map(|message| print::within(&about.plan.mapping, message)).unwrap_or_default();
    // A message may stand in a rule as its author wrote it, or as the record got it.
    let reached = |found: &Found<'_>| {
        let reasons = about.seen.outcome.reasons.iter().chain(&about.seen.outcome.warnings);
        reasons.filter(|reason| reason.place.as_ref() == Some(&found.rule.place)).any(|reason| reason.message.to_lowercase().contains(&words))
    };
    let asked: Vec<&Found<'_>> = all
        .iter()
        .filter(|found| {
            what == "rules" || at_place(&found.rule.place, what) || words.len() > 2 && (said(found).to_lowercase().contains(&words) || reached(found))
        })
        .collect();
    for found in &asked {
        rule(about, found, &said(found), out)?;
    }
    if what == "rules" && asked.is_empty() {
        out.line(format!("`{}` has no rules", about.flow.name))?;
        return Ok(true);
    }
    Ok(!asked.is_empty())
}

fn rule(about: &About<'_>, found: &Found<'_>, said: &str, out: &mut Out) -> Result<(), Failure> {
    let (word, fires) = match &found.rule.kind {
        RuleKind::Require { .. } => ("require", false),
        RuleKind::Reconcile { .. } => ("reconcile", false),
        RuleKind::Review { .. } => ("review", true),
        _ => ("warn", true),
    };
    out.line(format!("{} {said}  {}", out.bold(word), at(&found.rule.place, out)))?;
    let asked: Vec<&Decision> = about.seen.outcome.decisions.iter().filter(|decision| decision.place == found.rule.place).collect();
    if asked.is_empty() {
        return out.line(format!("    {}", not_asked(about, found)));
    }
    for decision in asked {
        let of = if decision.element.is_empty() {
            String::new()
        } else {
            format!("element {}: ", decision.element.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
        };
        let told = match &decision.answer {
            Answer::Holds if fires => out.red(&format!("fires: {} holds", decision.condition)),
            Answer::DoesNotHold if fires => format!("does not fire: {} does not hold", decision.condition),
            Answer::Holds => format!("does not fire: {} holds", decision.condition),
            Answer::DoesNotHold => out.red(&format!("fires: {} does not hold", decision.condition)),
            Answer::Silent(place) => format!("reports nothing: the rule at {}:{} has failed for the same cause", place.file, place.line),
            Answer::Unknown(why) => format!("is not known: {why}"),
        };
        out.line(format!("    {of}{told}"))?;
        read_lines(&decision.reads, out)?;
    }
    Ok(())
}

/// Why a rule was not asked at all.
fn not_asked(about: &About<'_>, found: &Found<'_>) -> String {
    for outer in &found.around {
        match &outer.kind {
            RuleKind::When { condition, .. } => {
                let decided = about.seen.outcome.decisions.iter().find(|one| one.what == Decided::Rules && one.place == outer.place);
                if let Some(Decision { answer: Answer::DoesNotHold, reads, .. }) = decided {
                    let read: Vec<String> = reads.iter().map(|read| format!("{} = {}", read.path, read.value)).collect();
                    let read = if read.is_empty() { String::new() } else { format!(" ({})", read.join(", ")) };
                    let condition = print::within(&about.plan.mapping, condition);
                    return format!(
                        "not evaluated: it is inside `when {condition}`, which does not hold{read}  {}:{}",
                        outer.place.file, outer.place.line
                    );
                }
            }
            RuleKind::Each { generators, .. } => {
                let lists: Vec<String> = generators.iter().map(|one| print::within(&about.plan.mapping, &one.list)).collect();
                return format!("not evaluated: {} has no elements", lists.join(", "));
            }
            _ => {}
        }
    }
    stopped_before(about)
}

// ---- writes ----

fn writes(about: &About<'_>, what: &str, out: &mut Out) -> Result<bool, Failure> {
    let mut found = false;
    for write in about.flow.writes.iter().filter(|write| write.name == what || at_place(&write.place, what)) {
        found = true;
        why_write(about, write, out)?;
    }
    Ok(found)
}

fn why_write(about: &About<'_>, write: &Write, out: &mut Out) -> Result<(), Failure> {
    let made = about.seen.outcome.payloads.iter().filter(|payload| payload.write == write.name).count();
    out.line(format!("{}  {}", out.bold(&write.name), at(&write.place, out)))?;
    let decided: Vec<&Decision> = about.seen.outcome.decisions.iter().filter(|one| one.what == Decided::Write && one.place == write.place).collect();
    for decision in &decided {
        let holds = if decision.answer == Answer::Holds { "holds" } else { "does not hold" };
        out.line(format!("    when {}   {holds}", decision.condition))?;
        read_lines(&decision.reads, out)?;
    }
    match (made, about.seen.outcome.verdict) {
        (_, Verdict::Rejected) => out.line("    nothing is written: the record is rejected"),
        (0, _) if decided.is_empty() && write.repeat.is_some() => out.line("    nothing is written: there is no element to write for"),
        (0, _) if decided.is_empty() && write.milestones.is_some() => out.line("    nothing is written: no threshold is reached"),
        (0, _) if decided.is_empty() => out.line(format!("    nothing is written: {}", stopped_before(about))),
        (0, _) => out.line("    nothing is written"),
        (1, _) => out.line("    it applies: one payload"),
        (many, _) => out.line(format!("    it applies: {many} payloads")),
    }
}

/// Says of a record that is through and gives no payload why each of its writes does not apply.
pub(super) fn nothing_written(outcome: &Outcome, flow: &Flow, out: &mut Out) -> Result<(), Failure> {
    out.line("  no write of the flow applies to this record:")?;
    for write in &flow.writes {
        let decided = outcome.decisions.iter().find(|one| one.what == Decided::Write && one.place == write.place);
        let why = match decided {
            Some(decision) => format!("`when {}` does not hold", decision.condition),
            None if write.milestones.is_some() => "no threshold is reached".to_owned(),
            None if write.repeat.is_some() => "there is no element to write for".to_owned(),
            None => "it was not reached".to_owned(),
        };
        out.line(format!("  {}: {why}  {}", write.name, at(&write.place, out)))?;
        if let Some(decision) = decided {
            read_lines(&decision.reads, out)?;
        }
    }
    Ok(())
}

// ---- fields that are not there ----

/// A row that names a field, or what it is part of.
struct Named<'f> {
    write: &'f Write,
    row: &'f Row,
    /// Objects around it, outermost first.
    above: Vec<&'f Row>,
}

/// Where a field is set that is not there.
fn rows_of<'f>(flow: &'f Flow, field: &str) -> Vec<Named<'f>> {
    fn visit<'f>(write: &'f Write, rows: &'f [Row], path: &str, above: &mut Vec<&'f Row>, found: &mut Vec<Named<'f>>) {
        for row in rows {
            let rest = match path.strip_prefix(row.name.as_str()) {
                Some("") => "",
                Some(rest) if rest.starts_with(['.', '[']) => rest.split_once('.').map_or("", |(_, rest)| rest),
                _ => continue,
            };
            let inner = match &row.value {
                RowValue::Object { body, .. } => Some(body.rows.as_slice()),
                RowValue::Expr(expr) => built(expr),
                RowValue::Clear => None,
            };
            match inner {
                Some(rows) if !rest.is_empty() => {
                    above.push(row);
                    visit(write, rows, rest, above, found);
                    above.pop();
                }
                // A whole value that holds the field.
                _ => found.push(Named { write, row, above: above.clone() }),
            }
        }
    }
    let mut found = Vec::new();
    for write in flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)) {
        visit(write, &write.body.rows, field, &mut Vec::new(), &mut found);
    }
    found
}

fn absent(about: &About<'_>, what: &str, out: &mut Out) -> Result<bool, Failure> {
    let rows = rows_of(about.flow, what);
    for Named { write, row, above } in &rows {
        out.line(format!("{} = {}  {}", out.bold(what), out.dim("not set"), at(&row.place, out)))?;
        let outcome = &about.seen.outcome;
        let made = outcome.payloads.iter().chain(&outcome.follow_ups).any(|payload| payload.write == write.name);
        if !made {
            match outcome.verdict {
                Verdict::Rejected => out.line(format!("    nothing is written: the record is rejected  {}", at(&write.place, out)))?,
                _ if about.flow.writes.iter().any(|own| own.name == write.name && own.place == write.place) => why_write(about, write, out)?,
                _ => out.line(format!("    it belongs to a follow-up, which depends on the result of a write  {}", at(&write.place, out)))?,
            }
            continue;
        }
        let mut told = false;
        for object in above.iter().copied().chain([*row]) {
            let decided =
                outcome.decisions.iter().find(|one| one.what == Decided::Object && one.place == object.place && one.answer != Answer::Holds);
            if let (RowValue::Object { when: Some(_), .. }, Some(decision)) = (&object.value, decided) {
                out.line(format!("    `{}` is set only when {}: it does not hold  {}", object.name, decision.condition, at(&object.place, out)))?;
                read_lines(&decision.reads, out)?;
                told = true;
            }
        }
        if !told && above.iter().any(|row| matches!(&row.value, RowValue::Expr(expr) if is_list(expr))) {
            out.line("    the list that it belongs to has no elements")?;
        } else if !told {
            out.line("    no field of its object has a value")?;
        }
    }
    if rows.is_empty() && about.flow.writes.iter().any(|write| is_field(about, write, what)) {
        out.line(format!("no row of `{}` sets `{what}`", about.flow.name))?;
        return Ok(true);
    }
    Ok(!rows.is_empty())
}

fn is_list(expr: &Expr) -> bool {
    match expr {
        Expr::Coerce { value, .. } => is_list(value),
        Expr::Each { .. } => true,
        _ => false,
    }
}

/// Whether the target of a write has such a field, though no row sets it.
fn is_field(about: &About<'_>, write: &Write, what: &str) -> bool {
    let first = what.split(['.', '[']).next().unwrap_or(what);
    about.plan.objects.get(&write.object.to_string()).is_some_and(|object| object.fields.contains_key(first))
}

// ---- lines ----

/// `orders.dock:56` or `56`.
fn at_place(place: &Place, what: &str) -> bool {
    match what.rsplit_once(':') {
        Some((file, line)) => line.parse() == Ok(place.line) && (*place.file == *file || place.file.ends_with(&format!("/{file}"))),
        None => what.parse() == Ok(place.line),
    }
}

/// What stands on a line, where it is neither a rule nor a write: rows of fields, of routes, and matches.
fn line(about: &About<'_>, what: &str, out: &mut Out) -> Result<bool, Failure> {
    let mut told = false;
    for trace in about.seen.outcome.trace.iter().filter(|trace| at_place(&trace.place, what)) {
        told |= fields(&about.seen.outcome, &trace.field, out)?;
    }
    for route in &about.flow.routes {
        if at_place(&route.place, what) || route.rows.iter().any(|row| at_place(&row.place, what)) {
            told |= routes(about, route.results.first().map_or("route", |result| result.name.as_str()), out)?;
        }
    }
    for found in about.flow.matches.iter().filter(|found| found.name == what || at_place(&found.place, what)) {
        told = true;
        match about.seen.sought.iter().find(|sought| sought.name == found.name) {
            Some(sought) => out.line(matched::text(sought))?,
            None => {
                out.line(format!("no records of {} were given for `{}`", found.object, found.name))?;
                out.line(format!("    help  name some: --matched {}=FILE", found.name))?;
            }
        }
    }
    Ok(told)
}

// ---- records that are left out ----

pub(super) fn left_out(one: &LeftOut, out: &mut Out) -> Result<(), Failure> {
    match one {
        LeftOut::Filter(condition, reads) => {
            out.line(format!("  where {condition}   does not hold"))?;
            read_lines(reads, out)
        }
        LeftOut::Match(name, place, count) => {
            out.line(format!("  {}  {}", left_out_text(one), at(place, out)))?;
            if *count == 0 { out.line(format!("    help  name what it would find: --matched {name}=FILE")) } else { Ok(()) }
        }
        LeftOut::Group => out.line("  it has no value for the group"),
    }
}
