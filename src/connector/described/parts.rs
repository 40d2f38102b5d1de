//! Objects that are parts of others: a delivery of an order. A part is written by the update of what it is part of, under that one's
//! version, and whether it is there already is asked of what was read just before.
//!
//! A part's id names the record that it stands in: `ORDER/PART`. So it is found again where an item says no more of which order it is.

use super::find::Reads;
use super::write::{self, unchanged};
use crate::connector::{Done, Item, Receipt};
use crate::describe::model::{Actions, Object, PartOf, There, Write};
use crate::describe::{Filled, Path, PathStep, Scope};
use crate::fault::Fault;
use crate::value::Json;

/// How often a part is tried under another version, before the fault is the caller's.
const TRIES: usize = 5;

impl Reads<'_> {
    /// Writes one part.
    ///
    /// # Errors
    /// The record that it is part of is not known, is not there, or was changed again and again.
    pub(super) async fn part(&self, part: &PartOf, write: &Write, item: &Item) -> Result<Receipt, Fault> {
        let title = &self.link.of.title;
        let refused = |code: &str, why: String| Fault::rejected(code, why, None);
        let whole = self.link.of.object(&part.object.node);
        let whole = whole.ok_or_else(|| refused("object", format!("{title} has no object {}", part.object.node)))?;
        let update = whole.writes.iter().find(|write| write.name.node == "update" && write.ask.is_some());
        let update = update.ok_or_else(|| refused("object", format!("`{}` has no update that takes parts", whole.name.node)))?;
        let ask = update.ask.as_ref().ok_or_else(|| refused("object", format!("`update` of {} has no call", whole.name.node)))?;
        let (parent, known) = named(part, item).ok_or_else(|| {
            let by = part.by.as_ref().map_or("id", |by| by.node.as_str());
            Fault::rejected("id", format!("nothing says of which {} it is part", whole.name.node), Some(by.to_owned()))
        })?;
        let reads = Reads { object: whole, wanted: Vec::new(), ..*self };
        let mut last = None;
        for _ in 0..TRIES {
            let absent = || refused("absent", format!("{title} has no {} `{parent}`", whole.name.node));
            let record = reads.fresh(&parent).await?.ok_or_else(absent)?;
            let parts: Vec<&Json> = part.at.iter().flat_map(|path| each(&record, path)).collect();
            let own = |part: &&&Json| known.as_deref().is_some_and(|id| self.id_in(part).as_deref() == Some(id));
            let scope = self.scope(item).with("target", &record).with("parent", &record).and("id", Json::from(parent.as_str()));
            let there = parts.iter().find(own).copied().or_else(|| there(write, &parts, &scope));
            let is_change = write.name.node.split('_').next() == Some("update");
            let actions = match (there, &write.actions) {
                (Some(held), _) => match self.changes_of_part() {
                    Some(fields) if write.name.node != "create" => {
                        let mut body = differing(&item.body, held);
                        // What says only where the part is made is none of its own fields.
                        if let (Json::Object(fields_of_body), Some(places)) = (&mut body, places(write, fields)) {
                            fields_of_body.retain(|name, _| !places.contains(&name.as_str()) || held.get(name).is_some());
                        }
                        write::actions(fields, &body, held, part.by.as_ref().map(|by| by.node.as_str()), &write.key, &scope)?
                    }
                    _ => Vec::new(),
                },
                (None, Some(Actions::List(list))) => {
                    let fill = |action: &Filled| action.fill(&scope).map_err(super::ask::incomplete);
                    list.iter().filter_map(|action| fill(action).transpose()).collect::<Result<_, _>>()?
                }
                (None, _) if is_change => {
                    return Err(refused("absent", format!("the {} `{parent}` has no such {}", whole.name.node, self.object.name.node)));
                }
                (None, _) => Vec::new(),
            };
            if actions.is_empty() {
                let id = there.and_then(|part| self.id_in(part)).map(|id| format!("{parent}/{id}"));
                let receipt = unchanged(item);
                return Ok(Receipt { outcome: receipt.outcome.map(|done| Done { id: id.or(done.id), ..done }) });
            }
            let scope = scope.clone().and("actions", Json::Array(actions));
            let call = reads.write_parts(update, ask, &scope)?;
            // What is written is the record that it is part of: the answer names that one.
            let whole = Item { id: Some(parent.clone()), ..item.clone() };
            let sent = reads.sent(update, ask, &call, std::slice::from_ref(&whole)).await;
            match sent {
                Ok(mut receipts) => {
                    let receipt = receipts.pop().ok_or_else(|| Fault::ambiguous("there is no receipt"))?;
                    // The answer to it names the record that it is part of: the part's own id is made of both.
                    let name = known.clone().or_else(|| item.key.clone()).unwrap_or_default();
                    let id = Some(format!("{parent}/{name}"));
                    return Ok(Receipt { outcome: receipt.outcome.map(|_| Done { id, created: Some(there.is_none()), record: Json::Null }) });
                }
                Err(fault @ Fault::Conflict { .. }) => last = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        // Others write the same record all the time: what is sent later finds it at rest.
        Err(Fault::transient(last.map_or_else(String::new, |fault| fault.to_string())))
    }

    /// How fields of a part that is there are changed.
    fn changes_of_part(&self) -> Option<&[crate::describe::model::Action]> {
        let update = self.object.writes.iter().find(|write| write.name.node == "update")?;
        if let Some(Actions::Fields(fields)) = &update.actions { Some(fields) } else { None }
    }

    /// By what a part is called: its key, where its writes have one, or its id.
    fn id_in(&self, part: &Json) -> Option<String> {
        let key = key_of(self.object).and_then(|key| part.get(key)).or_else(|| part.get("id"));
        key.map(crate::describe::printed).filter(|id| !id.is_empty())
    }
}

/// The fields that the actions that make a part read, and none that changes it.
fn places<'w>(write: &'w Write, changes: &[crate::describe::model::Action]) -> Option<Vec<&'w str>> {
    let Some(Actions::List(list)) = &write.actions else { return None };
    let mut read = Vec::new();
    list.iter().for_each(|action| values(action, &mut read));
    let fields = read.into_iter().flat_map(|value| &value.reads).filter(|path| path.root() == "item").filter_map(|path| match path.steps.get(1) {
        Some(PathStep::Name(name)) => Some(name.as_str()),
        _ => None,
    });
    let changed = |name: &&str| changes.iter().any(|action| action.path.root() == *name);
    Some(fields.filter(|name| !changed(name)).collect())
}

fn values<'f>(of: &'f Filled, found: &mut Vec<&'f crate::describe::Formula>) {
    match of {
        Filled::Template(template) => found.extend(template.values()),
        Filled::List(items) => items.iter().for_each(|item| values(item, found)),
        Filled::Map(fields) => fields.iter().for_each(|(_, value)| values(value, found)),
        Filled::Json(_) => {}
    }
}

fn key_of(object: &Object) -> Option<&str> {
    object.writes.iter().find_map(|write| write.key.first()).map(|key| key.node.as_str())
}

/// The record that an item is part of, and by what the part is called, where it is known already.
fn named(part: &PartOf, item: &Item) -> Option<(String, Option<String>)> {
    let id = item.id.as_deref().and_then(|id| id.split_once('/'));
    let said = part.by.as_ref().and_then(|by| item.body.get(&by.node)).map(crate::describe::printed).filter(|id| !id.is_empty());
    match (id, said) {
        (Some((parent, own)), None) => Some((parent.to_owned(), Some(own.to_owned()))),
        (Some((parent, own)), Some(said)) if said == parent => Some((said, Some(own.to_owned()))),
        (_, said) => said.map(|said| (said, None)),
    }
}

/// The part that is there already.
fn there<'j>(write: &Write, parts: &[&'j Json], scope: &Scope<'_>) -> Option<&'j Json> {
    let Some(There::When(formula)) = &write.there else { return None };
    parts.iter().copied().find(|part| {
        let one = Json::Array(vec![(*part).clone()]);
        formula.holds(&scope.clone().and("parts", one))
    })
}

/// The values that a path leads to; a list at its end is its elements.
fn each<'j>(record: &'j Json, path: &Path) -> Vec<&'j Json> {
    let mut found = vec![record];
    for step in &path.steps {
        found = match step {
            PathStep::Name(name) => found.into_iter().filter_map(|value| value.get(name)).collect(),
            PathStep::At(at) => found.into_iter().filter_map(|value| value.get(*at)).collect(),
            PathStep::Each => found.into_iter().filter_map(Json::as_array).flatten().collect(),
        };
    }
    found.into_iter().flat_map(|value| value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())).collect()
}

/// The fields of an item that a part does not have just so.
fn differing(body: &Json, held: &Json) -> Json {
    let fields = body.as_object().into_iter().flatten();
    Json::Object(fields.filter(|(name, value)| !covers(held.get(*name), value)).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Whether what is held has all of what is wanted: the system adds to it what it gives itself.
fn covers(held: Option<&Json>, wanted: &Json) -> bool {
    match (held, wanted) {
        (None, wanted) => wanted.is_null(),
        (Some(Json::Object(held)), Json::Object(wanted)) => wanted.iter().all(|(name, value)| covers(held.get(name), value)),
        (Some(Json::Array(held)), Json::Array(wanted)) => {
            held.len() == wanted.len() && held.iter().zip(wanted).all(|(held, wanted)| covers(Some(held), wanted))
        }
        (Some(held), wanted) => held == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_system_adds_to_a_part_is_no_difference() {
        let held = json!({"key": "a", "id": "1", "items": [{"id": "l", "quantity": 2}], "parcels": [{"id": "p", "key": "a", "trackingData": {"carrier": "UPS"}}]});
        assert_eq!(
            differing(&json!({"items": [{"id": "l", "quantity": 2}], "parcels": [{"key": "a", "trackingData": {"carrier": "UPS"}}]}), &held),
            json!({})
        );
        assert_eq!(differing(&json!({"items": [{"id": "l", "quantity": 1}]}), &held), json!({"items": [{"id": "l", "quantity": 1}]}));
        assert_eq!(differing(&json!({"items": [], "address": {"city": "X"}}), &held), json!({"items": [], "address": {"city": "X"}}));
    }
}
