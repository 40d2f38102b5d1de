//! `crossdock erase`: what is kept of one person, removed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::decision::decide;
use super::project::context;
use super::status::time;
use super::when::stamp;
use super::{Exit, Failure, Format, Out};
use crate::app::operator_client::signature;
use crate::app::{Access, Context};
use crate::engine::mask;
use crate::engine::queue::Decision;
use crate::store::{ERASED, Erasure, Lane, LaneState, Store};

const EXAMPLES: &str = "\
Examples:
  crossdock erase ada@example.com          shows what is kept of a person
  crossdock erase \"+1 512 555 0199\"        a telephone number, in any form
  crossdock erase \"Ada Lovelace\"           a name, a street, any other value
  crossdock erase 00000104 --linked        an order, and its shipments
  crossdock erase ada@example.com --yes    removes it

Nothing is sent to the systems. Hashes of keys stay, so that nothing is sent twice later. Erase the person at the systems \
first: a record that changes there after the erasure is read again.";

/// Show or remove what is kept of one person
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// An e-mail address, a telephone number, a name, an order's number, a record's id
    #[arg(value_name = "IDENTIFIER")]
    who: String,
    /// Include the records that belong to those that were found, such as the shipments of an order
    #[arg(long)]
    linked: bool,
    /// Remove it; without this option it is only shown
    #[arg(long)]
    yes: bool,
    /// Your name, for the proof that is kept; the login name by default
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The project's folder; by default that of the current folder
    #[arg(long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// The environment whose settings are used: those in crossdock.<ENV>.yaml replace those in crossdock.yaml
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// The form of the output: for people, or JSON for programs
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Records that are found by one name, or are linked with one record, at most.
const MOST: usize = 10_000;
/// Shorter identifiers stand in too much.
const SHORTEST: usize = 3;

pub(super) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    let name = args.who.trim();
    if name.chars().count() < SHORTEST {
        return Err(Failure::usage(format!("an identifier has {SHORTEST} characters or more")).hint("shorter ones stand in too many records"));
    }
    let context = context(args.project.as_ref(), args.env.as_deref(), out)?;
    let store = context.open_store(Access::Read)?;
    let (mut lanes, beside) = found(&context, &*store, name)?;
    let more = beside.len();
    if args.linked {
        lanes.extend(beside);
    }
    let who = store.fingerprint(format!("erasure {}", name.to_lowercase()).as_bytes());
    let before = store.erasures(Some(&who))?;
    let kept = lanes.iter().map(|lane| kept(&*store, lane)).collect::<Result<Vec<_>, _>>()?;
    if args.format == Format::Json {
        json(&lanes, &kept, &before, out)?;
    } else {
        tell(args, &lanes, &kept, &before, more, out)?;
    }
    if lanes.is_empty() {
        return Ok(Exit::Fine);
    }
    if !args.yes {
        out.note("nothing was removed; --yes removes it");
        return Ok(Exit::Fine);
    }
    let records = lanes.into_iter().map(|lane| (lane.flow, lane.key)).collect();
    drop(store);
    out.note("copies of the store that were made before hold the data still: make a new one and delete the older ones");
    decide(&context, Decision::Erase { records, who }, signature(args.by.as_ref(), None), "erased", out)
}

/// What is kept of each record, and what was erased before.
fn tell(args: &Args, lanes: &[Lane], kept: &[Vec<(usize, &str)>], before: &[Erasure], more: usize, out: &mut Out) -> Result<(), Failure> {
    for erasure in before {
        let by = erasure.by.as_deref().unwrap_or("a person");
        let records = if erasure.records == 1 { "1 record".to_owned() } else { format!("{} records", erasure.records) };
        out.line(format!("{records} of {} were erased {} by {by}", mask::key(&args.who, true), time(erasure.at)))?;
    }
    if lanes.is_empty() {
        out.line(format!("nothing is kept of {}", mask::key(&args.who, true)))?;
        if before.is_empty() {
            out.note("name it as the systems write it: an e-mail address, a telephone number, a name, an order's number, a record's id");
        }
        return Ok(());
    }
    for (lane, kept) in lanes.iter().zip(kept) {
        let name = mask::key(lane.label.as_deref().unwrap_or(&lane.key), true);
        let what: Vec<String> = kept.iter().map(|(count, what)| counted(*count, what)).collect();
        let what = if what.is_empty() { "what it is called".to_owned() } else { what.join(", ") };
        out.line(format!("{} {name}, {}: {what}", lane.flow, lane.state.word().replace('_', " ")))?;
        match lane.state {
            LaneState::Rejected | LaneState::Review | LaneState::Failed => {
                out.line("    it waits for somebody: erased, it is discarded, and sent only if its source changes it")?;
            }
            state if !state.settled() => out.line("    it is on its way and goes on: it is left until it has settled")?,
            _ => {}
        }
    }
    if !args.linked && more > 0 {
        let (records, are) = if more == 1 { ("1 record".to_owned(), "is") } else { (format!("{more} records"), "are") };
        out.note(format!("{records} {are} linked with these and not among them: --linked takes them too"));
    }
    Ok(())
}

/// `2 lines of history`
fn counted(count: usize, what: &str) -> String {
    let (noun, rest) = what.split_once(" of ").map_or((what, String::new()), |(noun, rest)| (noun, format!(" of {rest}")));
    let many = match noun.strip_suffix('y') {
        _ if count == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    };
    format!("{count} {many}{rest}")
}

fn json(lanes: &[Lane], kept: &[Vec<(usize, &str)>], before: &[Erasure], out: &mut Out) -> Result<(), Failure> {
    let records: Vec<_> = lanes
        .iter()
        .zip(kept)
        .map(|(lane, kept)| {
            let kept: serde_json::Map<String, crate::value::Json> = kept.iter().map(|(count, what)| ((*what).to_owned(), (*count).into())).collect();
            let name = |text: &str| mask::key(text, true);
            serde_json::json!({
                "flow": lane.flow, "key": name(&lane.key), "label": lane.label.as_deref().map(name), "state": lane.state.word(),
                "settled": lane.state.settled(), "kept": kept,
            })
        })
        .collect();
    let before: Vec<_> = before.iter().map(|one| serde_json::json!({"at": stamp(one.at), "by": one.by, "records": one.records})).collect();
    out.json(&serde_json::json!({"version": 1, "records": records, "erased_before": before}))
}

/// How much is kept of a record, by kind.
fn kept(store: &dyn Store, lane: &Lane) -> Result<Vec<(usize, &'static str)>, Failure> {
    let counts = [
        (usize::from(lane.body.is_some()), "body"),
        (lane.reasons.len(), "reason"),
        (store.entries_of(&lane.flow, &lane.key)?.len(), "payload"),
        (store.exceptions_of(&lane.flow, &lane.key)?.len(), "open exception"),
        (store.decisions_of(&lane.flow, &lane.key)?.len(), "decision"),
        (store.events(&lane.flow, &lane.key)?.iter().filter(|event| event.kind != ERASED).count(), "line of history"),
        (store.links_of(&lane.flow, &lane.key)?.len(), "link"),
    ];
    Ok(counts.into_iter().filter(|(count, _)| *count > 0).collect())
}

/// Records of a person, and those that are linked with them.
fn found(context: &Context, store: &dyn Store, who: &str) -> Result<(Vec<Lane>, Vec<Lane>), Failure> {
    let mut keys: BTreeSet<(String, String)> = BTreeSet::new();
    for name in [who.to_owned(), who.to_lowercase()].into_iter().chain(crate::builtin::phone_spellings(who)) {
        keys.extend(store.search(&name, MOST)?.into_iter().map(|lane| (lane.flow, lane.key)));
        let group = crate::engine::group_key(&name, &|value| store.fingerprint(value));
        let grouped = context.project.plan()?.mapping.flows.iter().filter(|flow| flow.group.is_some());
        keys.extend(grouped.map(|flow| (flow.name.clone(), group.clone())));
    }
    let sought = Sought::of(who);
    keys.extend(store.mentioning(&|text| sought.is_in(text))?);
    let mut lanes = Vec::new();
    let mut beside = BTreeSet::new();
    for (flow, key) in &keys {
        let Some(lane) = store.lane(flow, key)? else { continue };
        // One that was erased before is kept as a hash and a state.
        if lane.is_erased() && kept(store, &lane)?.is_empty() {
            continue;
        }
        beside.extend(store.linked(flow, key, None, MOST)?);
        lanes.push(lane);
    }
    let mut others = Vec::new();
    for (flow, key) in beside.difference(&keys) {
        others.extend(store.lane(flow, key)?.filter(|lane| !lane.is_erased()));
    }
    Ok((lanes, others))
}

/// What stands for a person in a text: the identifier as a whole, in any letter case; a telephone number by its digits.
struct Sought {
    lower: String,
    /// The last ten digits, of a telephone number.
    number: Option<String>,
}

impl Sought {
    fn of(who: &str) -> Self {
        let digits: String = who.chars().filter(char::is_ascii_digit).collect();
        let plain = who.chars().all(|c| c.is_ascii_digit() || " -().+/".contains(c));
        // A plain number of digits may be an order's.
        let telephone = plain && digits.len() >= 7 && (digits.len() >= 10 || who.chars().any(|c| !c.is_ascii_digit()));
        let number = telephone.then(|| digits[digits.len().saturating_sub(10)..].to_owned());
        Sought { lower: who.to_lowercase(), number }
    }

    fn is_in(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let whole = |(at, found): (usize, &str)| {
            let before = lower[..at].chars().next_back();
            let mut after = lower[at + found.len()..].chars();
            let address = self.lower.contains('@');
            let part = |c: char| c.is_alphanumeric() || (address && "_%+".contains(c));
            let joined = |c: Option<char>, next: Option<char>| match c {
                Some(c) if part(c) => true,
                // A dot within an address, not the one at the end of a sentence.
                Some('.' | '-') => address && next.is_some_and(char::is_alphanumeric),
                _ => false,
            };
            let two_before = lower[..at].chars().rev().nth(1);
            !joined(before, two_before) && !joined(after.next(), after.next())
        };
        lower.match_indices(&self.lower).any(whole) || self.number.as_ref().is_some_and(|number| numbers(&lower).any(|run| run.ends_with(number)))
    }
}

/// Digits that stand together, but for what telephone numbers are written with.
fn numbers(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_ascii_digit() || " -().+/".contains(c))).map(|run| run.chars().filter(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use super::{Sought, counted};

    #[test]
    fn what_is_kept_is_counted_in_words() {
        for (count, what, told) in
            [(1, "body", "1 body"), (2, "body", "2 bodies"), (2, "line of history", "2 lines of history"), (0, "link", "0 links")]
        {
            assert_eq!(counted(count, what), told);
        }
    }

    #[test]
    fn an_identifier_is_found_as_a_whole() {
        for (who, text, is) in [
            ("Ada@Example.com", r#"{"email":"ada@example.COM"}"#, true),
            ("ada@example.com", "write to ada@example.com.", true),
            ("ada@example.com", "grada@example.com", false),
            ("ada@example.com", "x.ada@example.com", false),
            ("ada@example.com", "ada+1@example.com", false),
            ("ada@example.com", "ada@example.com.au", false),
            ("+1 512 555 0199", r#"{"phone":"(512) 555-0199"}"#, true),
            ("512-555-0199", "+15125550199", true),
            ("512-555-0199", "+15125550198", false),
            ("00000104", r#"{"OrderNumber":"00000104"}"#, true),
            ("00000104", "000001045", false),
            ("Ada Lovelace", "for ADA LOVELACE, at once", true),
            ("Ada Lovelace", "Nada Lovelace", false),
            ("Zoë", "zoë", true),
        ] {
            assert_eq!(Sought::of(who).is_in(text), is, "{who} in {text}");
        }
    }
}
