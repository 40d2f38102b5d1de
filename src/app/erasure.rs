//! Erasing a person: shows or removes what is kept of them.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;

use super::operator_client::{Decided, decide};
use super::time::Rfc3339;
use super::{Access, Context, Failure, Notices, VERSION};
use crate::engine::mask;
use crate::engine::operator_commands::{Decision, Signature};
use crate::store::{ERASED, RecordStage, RecordState, Store};

/// Records that are found by one name, or are linked with one record, at most.
const MOST: usize = 10_000;
/// Shorter identifiers stand in too much.
const SHORTEST: usize = 3;

/// What is kept of a person, without what would name the person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    pub version: u32,
    pub records: Vec<KeptRecord>,
    /// What was erased before of the same identifier.
    pub erased_before: Vec<Erased>,
    /// How many records are linked with these and not among them.
    #[serde(skip)]
    pub linked: usize,
    /// The records themselves (flow and key).
    #[serde(skip)]
    keys: Vec<(String, String)>,
    /// The identifier's keyed hash.
    #[serde(skip)]
    who: String,
}

/// What is kept of one record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptRecord {
    pub flow: String,
    /// Masked.
    pub key: String,
    /// Masked.
    pub label: Option<String>,
    pub state: RecordStage,
    /// Nothing more happens to it by itself.
    pub settled: bool,
    /// How much of each kind: `body`, `reason`, `line of history`, ….
    pub kept: IndexMap<&'static str, usize>,
}

/// An erasure that was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Erased {
    pub at: Rfc3339,
    pub by: Option<String>,
    pub records: u64,
}

/// An identifier without the blanks around it.
///
/// # Errors
/// It is too short.
pub fn identifier(text: &str) -> Result<&str, Failure> {
    let name = text.trim();
    if name.chars().count() < SHORTEST {
        return Err(Failure::usage(format!("an identifier has {SHORTEST} characters or more")).hint("shorter ones match too many records"));
    }
    Ok(name)
}

/// What is kept of a person, found by an [`identifier`]; with `linked`, also of the records that are linked with those.
///
/// # Errors
/// The store cannot be opened or read.
pub fn kept(context: &Context, who: &str, linked: bool) -> Result<Kept, Failure> {
    let store = context.open_store(Access::Read)?;
    let (mut lanes, beside) = found(context, &*store, who)?;
    let left = if linked { 0 } else { beside.len() };
    if linked {
        lanes.extend(beside);
    }
    let hash = store.fingerprint(format!("erasure {}", who.to_lowercase()).as_bytes());
    let before = store.erasures(Some(&hash))?;
    let erased_before = before.into_iter().map(|one| Erased { at: Rfc3339(one.at), by: one.by, records: one.records }).collect();
    let records = lanes.iter().map(|lane| record(&*store, lane)).collect::<Result<Vec<_>, _>>()?;
    let keys = lanes.into_iter().map(|lane| (lane.flow, lane.key)).collect();
    Ok(Kept { version: VERSION, records, erased_before, linked: left, keys, who: hash })
}

/// Removes what is kept.
///
/// # Errors
/// As [`decide`].
pub fn erase(context: &Context, kept: Kept, signature: Signature, notices: Notices<'_>) -> Result<Decided, Failure> {
    decide(context, Decision::Erase { records: kept.keys, who: kept.who }, signature, notices)
}

fn record(store: &dyn Store, lane: &RecordState) -> Result<KeptRecord, Failure> {
    let name = |text: &str| mask::key(text, true);
    Ok(KeptRecord {
        flow: lane.flow.clone(),
        key: name(&lane.key),
        label: lane.label.as_deref().map(name),
        state: lane.state,
        settled: lane.state.settled(),
        kept: counts(store, lane)?,
    })
}

/// How much is kept of a record, by kind.
fn counts(store: &dyn Store, lane: &RecordState) -> Result<IndexMap<&'static str, usize>, Failure> {
    let counts = [
        ("body", usize::from(lane.body.is_some())),
        ("reason", lane.reasons.len()),
        ("payload", store.entries_of(&lane.flow, &lane.key)?.len()),
        ("open exception", store.exceptions_of(&lane.flow, &lane.key)?.len()),
        ("decision", store.decisions_of(&lane.flow, &lane.key)?.len()),
        ("line of history", store.events(&lane.flow, &lane.key)?.iter().filter(|event| event.kind != ERASED).count()),
        ("link", store.links_of(&lane.flow, &lane.key)?.len()),
    ];
    Ok(counts.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// Records of a person, and those that are linked with them.
fn found(context: &Context, store: &dyn Store, who: &str) -> Result<(Vec<RecordState>, Vec<RecordState>), Failure> {
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
        let Some(lane) = store.record(flow, key)? else { continue };
        // One that was erased before is kept as a hash and a state.
        if lane.is_erased() && counts(store, &lane)?.is_empty() {
            continue;
        }
        beside.extend(store.linked(flow, key, None, MOST)?);
        lanes.push(lane);
    }
    let mut others = Vec::new();
    for (flow, key) in beside.difference(&keys) {
        others.extend(store.record(flow, key)?.filter(|lane| !lane.is_erased()));
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
    use super::Sought;

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
