//! What an edit does to records: the same records through two states of a mapping, and which edited line is behind
//! each difference.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::eval::{Outcome, Reason, Trace, Verdict};
use crate::ir::Place;
use crate::value::Json;

/// Lines that are not in both states: of the old files, and of the new ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edited {
    pub old: BTreeSet<(String, u32)>,
    pub new: BTreeSet<(String, u32)>,
    /// The edited line of the flow's `where`, and whether it stands in the old state.
    pub choice: Option<(Place, bool)>,
    /// Where a line's edit stands, if it is in another file: a value in `crossdock.yaml` is an edit of its parameter.
    pub elsewhere: BTreeMap<(String, u32), Place>,
}

impl Edited {
    /// Compares the lines of two states of the mapping files, by their names.
    pub fn of(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Self {
        let mut edited = Edited::default();
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let text = |of: &BTreeMap<String, String>| of.get(name).cloned().unwrap_or_default();
            let (was, is) = (text(old), text(new));
            for change in similar::TextDiff::from_lines(was.as_str(), is.as_str()).iter_all_changes() {
                let line = |at: Option<usize>| at.and_then(|at| u32::try_from(at + 1).ok()).map(|line| (name.clone(), line));
                match change.tag() {
                    similar::ChangeTag::Delete => edited.old.extend(line(change.old_index())),
                    similar::ChangeTag::Insert => edited.new.extend(line(change.new_index())),
                    similar::ChangeTag::Equal => {}
                }
            }
        }
        edited
    }

    /// A line that counts as edited in both states: that of a parameter whose value is another one. `said`: where the value stands.
    pub fn mark(&mut self, place: &Place, said: Option<Place>) {
        let line = (place.file.to_string(), place.line);
        self.elsewhere.extend(said.map(|said| (line.clone(), said)));
        self.old.insert(line.clone());
        self.new.insert(line);
    }

    /// Looks for an edited line of a `where`, from the line at which a flow begins in the new and in the old state.
    pub fn look_for_where(&mut self, (old, was): (&BTreeMap<String, String>, &Place), (new, is): (&BTreeMap<String, String>, &Place)) {
        let find = |texts: &BTreeMap<String, String>, lines: &BTreeSet<(String, u32)>, flow: &Place| {
            let text = texts.get(&*flow.file)?;
            // A flow begins with which records it takes; the sections behind it have a `where` of their own.
            let last =
                text.lines().enumerate().skip(flow.line as usize).find(|(_, line)| line.trim() == "}").map_or(u32::MAX, |(at, _)| at as u32 + 1);
            let own = lines.iter().filter(|(file, line)| **file == *flow.file && *line > flow.line && *line < last);
            let mut wheres = own.filter(|(_, line)| text.lines().nth(*line as usize - 1).is_some_and(|text| text.trim_start().starts_with("where ")));
            wheres.next().map(|(_, line)| Place::line(flow.file.clone(), *line))
        };
        let found = find(new, &self.new, is).map(|place| (place, false));
        self.choice = found.or_else(|| find(old, &self.old, was).map(|place| (place, true)));
    }

    fn choice(&self) -> Option<Cause> {
        self.choice.clone().map(|(place, removed)| Cause { place, edited: true, removed })
    }

    fn has(&self, new: bool, place: &Place) -> bool {
        let lines = if new { &self.new } else { &self.old };
        lines.contains(&(place.file.to_string(), place.line))
    }
}

/// One way in which records differ, with all the records that differ so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    pub kind: Kind,
    /// The line behind it: an edited one where one was on the way, else the field's or the rule's.
    pub file: Option<String>,
    pub line: Option<u32>,
    /// Whether that line was edited; otherwise the cause is elsewhere: a schema, a table, a parameter.
    pub edited: bool,
    /// The line stands in the old state: it is gone from the new one.
    pub removed: bool,
    /// `wms.Order.shipTo.city`, or the words of a reason.
    pub what: String,
    pub records: usize,
    pub example: Example,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Field,
    NewlyStopped,
    NewlyAccepted,
    /// It is stopped as before, with other reasons.
    OtherReasons,
    /// It goes out in other writes than before.
    Writes,
    NewlyEligible,
    NoLongerEligible,
}

impl Kind {
    pub fn words(self) -> &'static str {
        match self {
            Kind::Field => "payloads change",
            Kind::NewlyStopped => "are newly stopped",
            Kind::NewlyAccepted => "are newly accepted",
            Kind::OtherReasons => "are stopped for other reasons",
            Kind::Writes => "go out in other writes",
            Kind::NewlyEligible => "are newly eligible",
            Kind::NoLongerEligible => "are no longer eligible",
        }
    }
}

impl Kind {
    /// So many records of the kind, in a sentence.
    pub fn told(self, records: usize) -> String {
        let (noun, be, go) = if records == 1 { ("record", "is", "goes") } else { ("records", "are", "go") };
        match self {
            Kind::Field => format!("{records} {noun} {be} sent with another payload"),
            Kind::NewlyStopped => format!("{records} {noun} {be} newly stopped"),
            Kind::NewlyAccepted => format!("{records} {noun} {be} newly accepted"),
            Kind::OtherReasons => format!("{records} {noun} {be} stopped for other reasons"),
            Kind::Writes => format!("{records} {noun} {go} out in other writes"),
            Kind::NewlyEligible => format!("{records} {noun} {be} newly eligible"),
            Kind::NoLongerEligible => format!("{records} {noun} {be} no longer eligible"),
        }
    }
}

/// One record of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    pub record: String,
    pub was: Option<Json>,
    pub is: Option<Json>,
}

/// All that an edit does.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    pub records: usize,
    /// Records of which nothing differs.
    pub same: usize,
    /// By kind: records that differ so.
    pub counts: BTreeMap<String, usize>,
    pub groups: Vec<Group>,
    #[serde(skip)]
    at: BTreeMap<(Kind, Option<String>, Option<u32>, bool, String), usize>,
}

impl Comparison {
    /// Takes one record's outcomes in, both with their trace.
    pub fn add(&mut self, record: &str, old: &Outcome, new: &Outcome, edited: &Edited) {
        self.records += 1;
        let mut kinds: BTreeSet<Kind> = BTreeSet::new();
        let stopped = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Rejected | Verdict::Review);
        let eligible = |outcome: &Outcome| outcome.verdict != Verdict::NotEligible;
        match (eligible(old), eligible(new)) {
            (false, false) => {}
            (false, true) => self.note(&mut kinds, Kind::NewlyEligible, record, edited.choice(), "the record", (None, None)),
            (true, false) => self.note(&mut kinds, Kind::NoLongerEligible, record, edited.choice(), "the record", (None, None)),
            (true, true) => {
                let mut behind: Option<Cause> = None;
                for (kind, gained, lost, is_new) in [(Kind::NewlyStopped, new, old, true), (Kind::NewlyAccepted, old, new, false)] {
                    let kind = if stopped(old) && stopped(new) { Kind::OtherReasons } else { kind };
                    for reason in gained.reasons.iter().filter(|reason| !lost.reasons.iter().any(|known| known.message == reason.message)) {
                        let cause = self::at(reason, gained, is_new, edited);
                        if behind.is_none() {
                            behind = cause.clone().filter(|cause| cause.edited);
                        }
                        self.note(&mut kinds, kind, record, cause, &reason.message, (None, None));
                    }
                }
                self.fields(&mut kinds, record, (old, new), edited, behind.as_ref());
            }
        }
        self.same += usize::from(kinds.is_empty());
        for kind in kinds {
            *self.counts.entry(kind.words().to_owned()).or_default() += 1;
        }
    }

    /// `behind`: the edited line behind a reason that only one state gives; what is written back of reasons has it for its cause.
    fn fields(&mut self, kinds: &mut BTreeSet<Kind>, record: &str, (old, new): (&Outcome, &Outcome), edited: &Edited, behind: Option<&Cause>) {
        let (was, is) = (writes(old), writes(new));
        let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for key in keys {
            let (was, is) = match (was.get(key), is.get(key)) {
                (Some(was), Some(is)) => (was, is),
                // Stopped or let through as a whole: that is told by its reasons.
                _ if old.verdict != new.verdict => continue,
                (was, is) => {
                    let what = if is.is_some() { format!("{key} is written now") } else { format!("{key} is not written any more") };
                    let place = was.or(is).and_then(|fields| fields.trace.first().map(|trace| trace.place.clone()));
                    self.note(kinds, Kind::Writes, record, place.map(|place| cause(&place, &[], is.is_some(), edited)), &what, (None, None));
                    continue;
                }
            };
            let names: BTreeSet<&String> = was.fields.keys().chain(is.fields.keys()).collect();
            for name in names.into_iter().filter(|name| was.fields.get(*name) != is.fields.get(*name)) {
                let steps = |write: &Write<'_>| write.trace.iter().find(|trace| trace.field == *name).map(|trace| (*trace).clone());
                let (before, after) = (steps(was), steps(is));
                let places = |trace: &Trace| trace.steps.iter().filter_map(|step| step.place.clone()).collect::<Vec<_>>();
                let mut found = after.as_ref().map(|trace| cause(&trace.place, &places(trace), true, edited));
                if found.as_ref().is_none_or(|found| !found.edited)
                    && let Some(trace) = &before
                {
                    let earlier = cause(&trace.place, &places(trace), false, edited);
                    if earlier.edited || found.is_none() {
                        found = Some(earlier);
                    }
                }
                let follows =
                    || old.follow_ups.iter().chain(&new.follow_ups).any(|payload| key.starts_with(&format!("{} {}", payload.object, payload.write)));
                if found.as_ref().is_none_or(|found| !found.edited) && behind.is_some() && follows() {
                    found = behind.cloned();
                }
                let what = format!("{}.{}", key.split(' ').next().unwrap_or_default(), plain(name));
                self.note(kinds, Kind::Field, record, found, &what, (was.fields.get(name).cloned(), is.fields.get(name).cloned()));
            }
        }
    }

    fn note(
        &mut self,
        kinds: &mut BTreeSet<Kind>,
        kind: Kind,
        record: &str,
        cause: Option<Cause>,
        what: &str,
        (was, is): (Option<Json>, Option<Json>),
    ) {
        kinds.insert(kind);
        let (file, line, edited, removed) = match cause {
            Some(cause) => (Some(cause.place.file.to_string()), Some(cause.place.line), cause.edited, cause.removed),
            None => (None, None, false, false),
        };
        let key = (kind, file.clone(), line, removed, what.to_owned());
        match self.at.get(&key).and_then(|at| self.groups.get_mut(*at)) {
            Some(group) if group.example.record == record => {}
            Some(group) => group.records += 1,
            None => {
                self.at.insert(key, self.groups.len());
                let example = Example { record: record.to_owned(), was, is };
                self.groups.push(Group { kind, file, line, edited, removed, what: what.to_owned(), records: 1, example });
            }
        }
    }
}

#[derive(Clone)]
struct Cause {
    place: Place,
    edited: bool,
    removed: bool,
}

/// The first edited line on a value's way, or its field's own.
fn cause(place: &Place, steps: &[Place], new: bool, edited: &Edited) -> Cause {
    let on_the_way = steps.iter().chain([place]).find(|place| edited.has(new, place));
    let place = on_the_way.unwrap_or(place);
    let said = edited.elsewhere.get(&(place.file.to_string(), place.line)).filter(|_| on_the_way.is_some());
    // What stands elsewhere stands there after the edit too.
    Cause { place: said.unwrap_or(place).clone(), edited: on_the_way.is_some(), removed: !new && said.is_none() }
}

fn at(reason: &Reason, outcome: &Outcome, new: bool, edited: &Edited) -> Option<Cause> {
    let place = reason.place.as_ref()?;
    let behind = outcome.decisions.iter().filter(|decision| decision.place == *place).flat_map(|decision| decision.behind.iter().cloned());
    Some(cause(place, &behind.collect::<Vec<_>>(), new, edited))
}

/// `items[0].sku` and `items[3].sku` are one field to a reader.
fn plain(field: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in field.chars() {
        match c {
            '[' => {
                inside = true;
                out.push_str("[]");
            }
            ']' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

struct Write<'o> {
    fields: BTreeMap<String, Json>,
    trace: Vec<&'o Trace>,
}

/// By object, write and key: the fields of each payload by their paths.
fn writes(outcome: &Outcome) -> BTreeMap<String, Write<'_>> {
    let payloads = outcome.payloads.iter().chain(&outcome.follow_ups);
    payloads
        .map(|payload| {
            let mut fields = BTreeMap::new();
            flatten(&payload.body, String::new(), &mut fields);
            let trace = outcome.trace.iter().filter(|trace| trace.write == payload.write).collect();
            let key = payload.key.as_ref().or(payload.id.as_ref()).map_or("", String::as_str);
            (format!("{} {} {key}", payload.object, payload.write).trim_end().to_owned(), Write { fields, trace })
        })
        .collect()
}

fn flatten(value: &Json, path: String, out: &mut BTreeMap<String, Json>) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(inner, path, out);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (index, inner) in items.iter().enumerate() {
                flatten(inner, format!("{path}[{index}]"), out);
            }
        }
        value => {
            out.insert(path, value.clone());
        }
    }
}
