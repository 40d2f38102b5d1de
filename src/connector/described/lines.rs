//! Lines of a record that are written by calls of their own: those that are new, those that differ, those that are gone.

use super::find::Reads;
use super::graphql::inner;
use crate::connector::{Item, Receipt, holds};
use crate::describe::model::{Ask, Lines, Step, Write};
use crate::describe::{Path, PathStep};
use crate::fault::Fault;
use crate::value::{Json, list_elements};

/// What has to be done to the lines of a record.
#[derive(Debug, Default, PartialEq)]
struct Differences {
    add: Vec<Json>,
    change: Vec<Json>,
    remove: Vec<Json>,
}

impl Reads<'_> {
    /// Carries out a step over lines: what is missing is added, what differs is changed, what is no longer sent is removed. `None`:
    /// nothing differs. What was done stays done (`done` says so), so that the step may be sent again.
    pub(super) async fn lines(&self, write: &Write, step: &Step, lines: &Lines, item: &Item, done: &mut bool) -> Result<Option<Receipt>, Fault> {
        let Some(field) = step.covers.first().map(|field| field.node.as_str()) else { return Ok(None) };
        let Some(Json::Array(sent)) = item.body.get(field) else { return Ok(None) };
        let unread = self.unread(field);
        let target = self.lines_of(item, field, lines, sent, &unread).await?;
        // A list, or a connection of GraphQL. What is not there is no empty list: all its lines would be added once more.
        let held = target.get(field).and_then(list_elements).map(|held| held.into_iter().cloned().collect::<Vec<Json>>());
        let held = held.ok_or_else(|| Fault::transient(format!("the answer of {} does not say which lines `{field}` has", self.link.of.title)))?;
        let differences = differences(lines, &held, sent, &unread);
        for (word, lines, is_said) in [
            ("added", &differences.add, step.add.is_some()),
            ("changed", &differences.change, step.change.is_some()),
            ("removed", &differences.remove, step.remove.is_some()),
        ] {
            if !lines.is_empty() && !is_said {
                let why = format!("a line of `{field}` cannot be {word}: no call does it");
                return Err(Fault::rejected("field", why, Some(field.to_owned())));
            }
        }
        let wanted = |line: &Json, once: Option<&crate::describe::Formula>| {
            once.is_none_or(|once| once.holds(&self.scope(item).with("line", line).with("target", &target)))
        };
        let mut last = None;
        if let (Some((ask, once)), false) = (&step.add, differences.add.is_empty()) {
            let add: Vec<Json> = differences.add.into_iter().filter(|line| wanted(line, once.as_ref())).collect();
            if !add.is_empty() {
                let receipt = self.line_call(write, ask, item, add).await?;
                *done |= receipt.outcome.is_ok();
                last = Some(receipt);
            }
        }
        for (ask, lines) in [(&step.change, differences.change), (&step.remove, differences.remove)] {
            if last.as_ref().is_some_and(|last: &Receipt| last.outcome.is_err()) {
                break;
            }
            if let (Some(ask), false) = (ask, lines.is_empty()) {
                let receipt = self.line_call(write, ask, item, lines).await?;
                *done |= receipt.outcome.is_ok();
                last = Some(receipt);
            }
        }
        Ok(last)
    }

    async fn line_call(&self, write: &Write, ask: &Ask, item: &Item, lines: Vec<Json>) -> Result<Receipt, Fault> {
        let scope = self.scope(item).and("lines", Json::Array(lines));
        let parts = self.write_parts(write, ask, &scope)?;
        let receipt = self.sent(write, ask, &parts, std::slice::from_ref(item)).await?.pop();
        receipt.ok_or_else(|| Fault::ambiguous("there is no receipt"))
    }

    /// Fields of a line that the system takes and does not show: they cannot be asked for, and whether they differ is not known.
    fn unread(&self, field: &str) -> Vec<&str> {
        let field = self.schemas.get(&self.of.to_string()).and_then(|schema| schema.fields.get(field));
        let line = field.and_then(|field| inner(field.gives.as_ref().unwrap_or(&field.kind), self.schemas));
        line.into_iter().flat_map(|line| &line.fields).filter(|(_, field)| !field.readable).map(|(name, _)| name.as_str()).collect()
    }

    /// The target's record with those fields of its lines that are sent.
    async fn lines_of(&self, item: &Item, field: &str, lines: &Lines, sent: &[Json], unread: &[&str]) -> Result<Json, Fault> {
        let id = item
            .id
            .as_deref()
            .ok_or_else(|| Fault::rejected("id", "the record's id is not known, and its lines are read before they are written", None))?;
        let names = sent.iter().filter_map(Json::as_object).flat_map(|line| line.keys().map(String::as_str));
        let names = names.filter(|name| !unread.contains(name));
        let named = lines.id.iter().chain(&lines.key).chain(&lines.same).map(|name| name.node.as_str());
        let mut wanted: Vec<Vec<String>> = names.chain(named).map(|name| vec![field.to_owned(), name.to_owned()]).collect();
        wanted.sort();
        wanted.dedup();
        let reads = Reads { wanted, ..*self };
        let absent = || Fault::rejected("absent", format!("{} has no {} `{id}`", self.link.of.title, self.object.name.node), None);
        reads.record(id).await?.ok_or_else(absent)
    }
}

/// Which lines are which: by their id, by their key, by the fields that are the same in one line. What is not read tells no difference.
fn differences(lines: &Lines, held: &[Json], sent: &[Json], unread: &[&str]) -> Differences {
    let mut taken = vec![false; held.len()];
    let text = |line: &Json, name: &str| {
        let path = Path { steps: name.split('.').map(|name| PathStep::Name(name.to_owned())).collect(), span: crate::base::Span::default() };
        path.get(line).filter(|value| !holds::is_blank(value)).map(crate::describe::printed)
    };
    let id = lines.id.as_ref().map_or("id", |id| id.node.as_str());
    let mut found = Differences::default();
    for line in sent {
        let by_name = |name: &str, taken: &[bool]| {
            let value = text(line, name)?;
            (0..held.len()).find(|at| !taken[*at] && text(&held[*at], name).as_deref() == Some(value.as_str()))
        };
        let by_same = |taken: &[bool]| {
            let same = |at: &usize| !lines.same.is_empty() && lines.same.iter().all(|name| text(&held[*at], &name.node) == text(line, &name.node));
            (0..held.len()).find(|at| !taken[*at] && same(at))
        };
        let place = by_name(id, &taken).or_else(|| lines.key.as_ref().and_then(|key| by_name(&key.node, &taken))).or_else(|| by_same(&taken));
        let Some(place) = place else {
            found.add.push(line.clone());
            continue;
        };
        taken[place] = true;
        let mut shown = line.clone();
        if let Json::Object(fields) = &mut shown {
            fields.retain(|name, _| !unread.contains(&name.as_str()));
        }
        if !holds::same(Some(&held[place]), &shown) {
            let mut changed = line.clone();
            if let (Json::Object(fields), Some(known)) = (&mut changed, held[place].get(id)) {
                fields.insert(id.to_owned(), known.clone());
            }
            found.change.push(changed);
        }
    }
    found.remove = held.iter().zip(taken).filter(|(_, taken)| !taken).map(|(line, _)| line.clone()).collect();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::{Span, Spanned};

    #[test]
    fn lines_are_told_by_id_then_by_key_and_each_once() {
        let name = |name: &str| Some(Spanned::new(name.to_owned(), Span::default()));
        let lines = Lines { list: None, id: name("id"), key: name("key"), same: Vec::new(), by_place: false };
        let held = [json!({"id": "1", "key": "a", "n": 1}), json!({"id": "2", "key": "b", "n": 2}), json!({"id": "3", "key": "c", "n": 3})];
        let sent = [json!({"key": "b", "n": 5}), json!({"key": "a", "n": 1}), json!({"key": "d", "n": 4}), json!({"key": "a", "n": 1})];
        let found = differences(&lines, &held, &sent, &[]);
        assert_eq!(found.add, [json!({"key": "d", "n": 4}), json!({"key": "a", "n": 1})]);
        assert_eq!(found.change, [json!({"id": "2", "key": "b", "n": 5})]);
        assert_eq!(found.remove, [held[2].clone()]);
        assert_eq!(differences(&lines, &held, &held, &[]), Differences::default());
        // What the system takes and does not show makes no line another one.
        let placed =
            [json!({"key": "a", "n": 1, "place": "x"}), json!({"key": "b", "n": 2, "place": "y"}), json!({"key": "c", "n": 4, "place": "y"})];
        let found = differences(&lines, &held, &placed, &["place"]);
        assert_eq!((found.add, found.remove), (Vec::new(), Vec::new()));
        assert_eq!(found.change, [json!({"id": "3", "key": "c", "n": 4, "place": "y"})]);
    }
}
