//! Exceptions: records that need a person, by cause or one by one, and decisions about them.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::folder::unreadable;
use super::rule_words::of_the_rule;
use super::time::{Rfc3339, UtcTime};
use super::{Access, Context, Failure, OpenedStore, VERSION};
use crate::base::bounds;
use crate::engine::mask;
use crate::engine::operator_commands::to_edit;
use crate::fault::file;
use crate::store::cause::general;
use crate::store::{CODES, Cause, Entry, EntryState, Exception, Millis, Store, Wanted};
use crate::value::Json;

/// Exceptions that are listed one by one, at most.
const MOST: usize = 100_000;
/// Records that are named as examples of a cause.
const EXAMPLES: usize = 3;

/// The exceptions of a project, read beside a running process.
pub struct Exceptions<'a> {
    context: &'a Context,
    store: OpenedStore,
    /// What ages are told against.
    now: Millis,
}

/// All that `queue list` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    pub version: u32,
    /// How many are open.
    pub open: u64,
    pub causes: Vec<OfCause>,
    pub exceptions: Vec<Row>,
}

/// Open exceptions of one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfCause {
    pub cause: String,
    pub flow: String,
    pub code: String,
    pub owner: Option<String>,
    pub open: u64,
    /// When the oldest was opened.
    pub oldest: Rfc3339,
    pub age_seconds: Millis,
    /// The earliest deadline.
    pub before: Option<Rfc3339>,
    /// Masked, without what differs from record to record.
    pub reasons: Vec<String>,
    /// The oldest exception.
    pub example: i64,
    /// Some of the records.
    #[serde(skip)]
    pub examples: Vec<Named>,
}

/// An exception by its number and what people call its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub id: i64,
    pub name: String,
}

/// One exception in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub id: i64,
    pub cause: String,
    pub flow: String,
    pub key: String,
    pub label: Option<String>,
    pub code: String,
    /// Masked.
    pub reasons: Vec<String>,
    pub owner: Option<String>,
    pub before: Option<UtcTime>,
    pub opened: UtcTime,
    pub age_seconds: Millis,
    pub closed: Option<UtcTime>,
    pub closed_by: Option<String>,
    pub decided: Option<Decided>,
    /// What to do about it.
    pub next: String,
    /// A payload waits, or was refused: `queue show` prints it.
    pub payload: bool,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decided {
    pub what: String,
    pub by: Option<String>,
    pub reason: Option<String>,
    pub at: Rfc3339,
}

/// One exception, with its payloads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    pub version: u32,
    pub id: i64,
    pub cause: String,
    pub code: String,
    pub flow: String,
    pub key: String,
    pub label: Option<String>,
    pub owner: Option<String>,
    pub opened: UtcTime,
    pub before: Option<UtcTime>,
    pub closed: Option<UtcTime>,
    pub closed_by: Option<String>,
    pub decided: Option<Decided>,
    pub reasons: Vec<Reason>,
    /// The payloads that wait, or were refused.
    pub payloads: Vec<Payload>,
    pub next: String,
}

/// Several exceptions of one record, where it is named and not one of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeveralShown {
    pub version: u32,
    pub exceptions: Vec<Shown>,
}

impl SeveralShown {
    pub fn of(exceptions: Vec<Shown>) -> Self {
        SeveralShown { version: VERSION, exceptions }
    }
}

/// Why a record was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub kind: String,
    pub message: String,
    pub field: Option<String>,
    pub place: Option<String>,
}

/// A payload that waits, or was refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    pub write: String,
    pub op: String,
    /// With its connection.
    pub object: String,
    pub key: Option<String>,
    pub state: EntryState,
    pub body: Json,
}

/// Exceptions that a filter selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    pub causes: Vec<Cause>,
    pub ids: Vec<i64>,
}

impl<'a> Exceptions<'a> {
    /// # Errors
    /// The store cannot be opened.
    pub fn open(context: &'a Context) -> Result<Self, Failure> {
        Ok(Exceptions { context, store: context.open_store(Access::Read)?, now: jiff::Timestamp::now().as_millisecond() })
    }

    /// The time that ages are told against.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// How many are open.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open_count(&self) -> Result<u64, Failure> {
        Ok(self.store.open_exceptions()?)
    }

    /// A filter that names only what is there: a code, flow or cause that is not is a mistake, not an empty answer.
    ///
    /// # Errors
    /// One of them is not there, or the store cannot be read.
    pub fn checked(&self, wanted: Wanted) -> Result<Wanted, Failure> {
        let causes = self.store.causes(&Wanted::default())?;
        if let Some(code) = wanted.code.as_deref().filter(|code| !CODES.contains(code)) {
            return Err(unknown("code", code, CODES.into_iter()));
        }
        if let Some(flow) = &wanted.flow {
            let flows = self.context.project.plan()?.mapping.flows.iter().map(|flow| flow.name.as_str());
            let flows: BTreeSet<&str> = flows.chain(causes.iter().map(|cause| cause.flow.as_str())).collect();
            if !flows.contains(flow.as_str()) {
                return Err(unknown("flow", flow, flows.into_iter()));
            }
        }
        if let Some(cause) = &wanted.cause {
            let known: BTreeSet<&str> = causes.iter().map(|cause| cause.id.as_str()).collect();
            if !known.contains(cause.as_str()) {
                return Err(unknown("cause", cause, known.into_iter()));
            }
        }
        Ok(wanted)
    }

    /// The open exceptions by cause, the earliest deadline first, then the oldest.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn by_cause(&self, wanted: &Wanted) -> Result<Vec<OfCause>, Failure> {
        self.store.causes(wanted)?.into_iter().map(|cause| self.of_cause(cause)).collect()
    }

    fn of_cause(&self, cause: Cause) -> Result<OfCause, Failure> {
        let wanted = Wanted {
            owner: cause.owner.clone(),
            code: Some(cause.code.clone()),
            flow: Some(cause.flow.clone()),
            cause: Some(cause.id.clone()),
            ..Wanted::default()
        };
        let found = self.store.wanted(&wanted, false, EXAMPLES)?;
        let mapping = &self.context.project.plan()?.mapping;
        let mut reasons = Vec::new();
        if let Some(first) = found.first() {
            for (reason, text) in first.reasons.iter().zip(masked(self.context, &*self.store, first)?) {
                let place = reason.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
                // Of several records only what they share is said: the rule's own words, or those of this one without its values.
                let shared = || of_the_rule(mapping, &cause.flow, &reason.message).unwrap_or_else(|| general(&text));
                let text = if cause.count > 1 { shared() } else { text };
                reasons.push(format!("{text}{place}"));
            }
            reasons.dedup();
        }
        let named = |one: Exception| Named { id: one.id, name: one.label.unwrap_or(one.lane) };
        Ok(OfCause {
            cause: cause.id,
            flow: cause.flow,
            code: cause.code,
            owner: cause.owner,
            open: cause.count,
            oldest: Rfc3339(cause.oldest),
            age_seconds: (self.now - cause.oldest) / 1_000,
            before: cause.before.map(Rfc3339),
            reasons,
            example: cause.example,
            examples: found.into_iter().map(named).collect(),
        })
    }

    /// The exceptions one by one, the earliest deadline first, then the oldest; with `closed`, decided ones too.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn rows(&self, wanted: &Wanted, closed: bool) -> Result<Vec<Row>, Failure> {
        self.store.wanted(wanted, closed, MOST)?.into_iter().map(|one| self.row(one)).collect()
    }

    fn row(&self, one: Exception) -> Result<Row, Failure> {
        let payload = one.closed.is_none() && !to_edit(&self.store.entries_of(&one.flow, &one.lane)?).is_empty();
        Ok(Row {
            id: one.id,
            cause: one.cause(),
            reasons: masked(self.context, &*self.store, &one)?,
            decided: decided(&one),
            flow: one.flow,
            key: one.lane,
            label: one.label,
            code: one.code,
            owner: one.owner,
            before: one.before.map(UtcTime),
            opened: UtcTime(one.opened),
            age_seconds: (self.now - one.opened) / 1_000,
            closed: one.closed.map(UtcTime),
            closed_by: one.closed_by,
            next: one.next,
            payload,
        })
    }

    /// Both lists.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self, wanted: &Wanted, closed: bool) -> Result<Listed, Failure> {
        let causes = self.by_cause(wanted)?;
        let open = causes.iter().map(|cause| cause.open).sum();
        Ok(Listed { version: VERSION, open, causes, exceptions: self.rows(wanted, closed)? })
    }

    /// The exceptions that a text names: by their number, or by what people call their record, its key or its id.
    ///
    /// # Errors
    /// It names none, or the store cannot be read.
    pub fn named(&self, text: &str) -> Result<Vec<Exception>, Failure> {
        if let Ok(id) = text.parse::<i64>()
            && text == id.to_string()
            && let Some(one) = self.store.exception(id)?
        {
            return Ok(vec![one]);
        }
        let mut found = Vec::new();
        for lane in self.store.search(text, 50)? {
            found.extend(self.store.exceptions_of(&lane.flow, &lane.key)?);
        }
        if found.is_empty() {
            return Err(Failure::usage(format!("there is no exception {}, and no record of that name has an open one", mask::key(text, true)))
                .hint("crossdock queue list shows the open exceptions; crossdock trace shows the history of one record"));
        }
        Ok(found)
    }

    /// The one exception that a text names.
    ///
    /// # Errors
    /// It names none or several, or the store cannot be read.
    pub fn one(&self, text: &str) -> Result<Exception, Failure> {
        let mut found = self.named(text)?;
        if found.len() > 1 {
            return Err(several(text, &found));
        }
        found.pop().ok_or_else(|| Failure::usage("there is no such exception"))
    }

    /// The open exceptions that a filter selects, to be decided together.
    ///
    /// # Errors
    /// There is none, or the store cannot be read.
    pub fn select(&self, wanted: &Wanted) -> Result<Selected, Failure> {
        let causes = self.store.causes(wanted)?;
        let ids: Vec<i64> = self.store.wanted(wanted, false, MOST)?.iter().map(|one| one.id).collect();
        if ids.is_empty() {
            return Err(Failure::usage("no open exception fits").hint("crossdock queue list shows them by cause"));
        }
        Ok(Selected { causes, ids })
    }

    /// An exception with its reasons and payloads; `reveal`: with personal values.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn show(&self, one: &Exception, reveal: bool) -> Result<Shown, Failure> {
        let entries = self.store.entries_of(&one.flow, &one.lane)?;
        let words = masking(self.context, &*self.store, one)?;
        let reason = |reason: &crate::store::Reason| Reason {
            kind: reason.kind.clone(),
            message: if reveal { reason.message.clone() } else { words(&reason.message) },
            field: reason.field.clone(),
            place: reason.place.clone(),
        };
        let payloads = to_edit(&entries).into_iter().map(|entry| self.payload(entry, reveal)).collect::<Result<Vec<_>, _>>()?;
        Ok(Shown {
            version: VERSION,
            id: one.id,
            cause: one.cause(),
            code: one.code.clone(),
            flow: one.flow.clone(),
            key: one.lane.clone(),
            label: one.label.clone(),
            owner: one.owner.clone(),
            opened: UtcTime(one.opened),
            before: one.before.map(UtcTime),
            closed: one.closed.map(UtcTime),
            closed_by: one.closed_by.clone(),
            decided: decided(one),
            reasons: one.reasons.iter().map(reason).collect(),
            payloads,
            next: one.next.clone(),
        })
    }

    fn payload(&self, entry: &Entry, reveal: bool) -> Result<Payload, Failure> {
        let mask = mask::Mask::of(self.context.project.plan()?, &entry.connection);
        let of_person = |key: &String| mask.is_of_person(Some(&entry.object), &entry.body, key);
        let shown = entry.key_field.as_ref().is_none_or(|field| mask.shows(&entry.object, std::slice::from_ref(field)))
            && !entry.key.as_ref().is_some_and(of_person);
        Ok(Payload {
            write: entry.write.clone(),
            op: entry.op.clone(),
            object: format!("{}.{}", entry.connection, entry.object),
            key: entry.key.as_deref().map(|key| if reveal { key.to_owned() } else { mask::key(key, shown) }),
            state: entry.state,
            body: if reveal { entry.body.clone() } else { mask.json(Some(&entry.object), &entry.body) },
        })
    }

    /// The one payload that waits or was refused, as an edit takes it; `write`: which one, where there are several.
    ///
    /// # Errors
    /// There is none, or there are several, or the store cannot be read.
    pub fn payload_to_edit(&self, one: &Exception, write: Option<&str>, reveal: bool) -> Result<Json, Failure> {
        let entries = self.store.entries_of(&one.flow, &one.lane)?;
        let open = to_edit(&entries);
        let fits: Vec<&&Entry> = open.iter().filter(|entry| write.is_none_or(|write| entry.write == write)).collect();
        match fits.as_slice() {
            [entry] => Ok(self.payload(entry, reveal)?.body),
            [] if open.is_empty() => Err(Failure::usage("it has no payload that waits or was refused").hint(one.next.clone())),
            _ => {
                let writes: Vec<&str> = open.iter().map(|entry| entry.write.as_str()).collect();
                Err(Failure::usage("it has several payloads").hint(format!("name one: --write {}", writes.join(", --write "))))
            }
        }
    }
}

/// Several exceptions where one was to be named.
pub fn several(name: &str, found: &[Exception]) -> Failure {
    let ids: Vec<String> = found.iter().map(|one| format!("{} ({} of {})", one.id, one.code, one.flow)).collect();
    Failure::usage(format!("several exceptions are open of {}", mask::key(name, true))).hint(format!("name one by its number: {}", ids.join(", ")))
}

/// Reads a payload that a person has edited.
///
/// # Errors
/// The file cannot be read, is no JSON object, or holds masked values.
pub fn edited_payload(path: &Path) -> Result<Json, Failure> {
    let start = "start from `crossdock queue show ID --payload --reveal`";
    let text = file::read_text(path, bounds::WHOLE_FILE).map_err(|error| unreadable(path, &error))?;
    let payload: Json = serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{} is not valid JSON: {error}", path.display())))?;
    if !payload.is_object() {
        return Err(Failure::usage(format!("{} has no payload: a payload is a JSON object `{{ … }}`", path.display())).hint(start));
    }
    if text.contains(mask::MASKED) {
        return Err(Failure::usage(format!("{} contains masked values ({})", path.display(), mask::MASKED)).hint(start));
    }
    Ok(payload)
}

fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let failure = Failure::unknown(what, name, known.iter().copied());
    if known.is_empty() { failure.hint(format!("no exception is open, so there is no {what}")) } else { failure }
}

fn decided(one: &Exception) -> Option<Decided> {
    let decided = one.decided.as_ref()?;
    Some(Decided { what: decided.what.clone(), by: decided.by.clone(), reason: decided.why.clone(), at: Rfc3339(decided.at) })
}

/// The reasons of an exception without personal values.
///
/// # Errors
/// The store cannot be read.
pub fn masked(context: &Context, store: &dyn Store, one: &Exception) -> Result<Vec<String>, Failure> {
    let words = masking(context, store, one)?;
    Ok(one.reasons.iter().map(|reason| words(&reason.message)).collect())
}

/// What takes the values of an exception's record out of words. Codes, numbers and the target's reason stay.
fn masking<'c>(context: &'c Context, store: &dyn Store, one: &Exception) -> Result<impl Fn(&str) -> String + 'c, Failure> {
    let plan = context.project.plan()?;
    let lane = store.record(&one.flow, &one.lane)?;
    let lanes = lane.map(|lane| mask::quotable(store, &lane)).transpose()?.unwrap_or_default();
    let mut entries = store.entries_of(&one.flow, &one.lane)?;
    // What a follow-up writes is the reason itself: it must not hide it.
    entries.retain(|entry| entry.after.is_none());
    let masks = mask::Mask::all(plan);
    Ok(move |words: &str| mask::of_record(&masks, plan, &lanes, &entries, words).text(words))
}
