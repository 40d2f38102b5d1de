//! Writes: items to calls, and each call's receipts.

use super::answer::{Asked, Outcome};
use super::ask::Parts;
use super::find::Reads;
use super::graphql::{self, Fields};
use crate::base::Spanned;
use crate::connector::{Done, Item, Receipt, WriteRequest};
use crate::describe::model::{Action, Actions, Ask, Batch, FieldOf, Lines, Matching, PartOf, Pick, Request, Results, Step, Write};
use crate::describe::{Formula, Path, PathStep, Scope};
use crate::fault::{Fault, Refusal};
use crate::system::Operation;
use crate::value::Json;

impl Reads<'_> {
    /// Sends a batch. The receipts are in the order of the items.
    pub(super) async fn write(&self, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let refused = |why: String| Fault::rejected("object", why, None);
        let write = self.link.of.write_for(self.object, batch.operation, batch.key_field);
        let write =
            write.ok_or_else(|| refused(format!("{} takes no {} of {}", self.link.of.title, batch.operation.word(), self.object.name.node)))?;
        if let Some(part) = &self.object.part_of {
            return Ok(self.parts_written(part, write, batch.items).await);
        }
        if matches!(write.actions, Some(Actions::List(_))) || matches!(write.batch, Batch::Groups { .. }) || !write.resolve.is_empty() {
            return Err(refused(format!("`{}` of {} is described in a way that is not supported yet", write.name.node, self.object.name.node)));
        }
        let own = without_other_key(write, batch);
        let items = own.as_deref().unwrap_or(batch.items);
        // What a step makes is not known to the next: sent again after a refusal in the middle, it would be made twice.
        if !write.steps.is_empty() && batch.operation != Operation::Update {
            return Err(refused(format!("`{}` of {} has steps, and only an update may have some", write.name.node, self.object.name.node)));
        }
        if !write.steps.is_empty() {
            return Ok(self.each(items, write, None).await);
        }
        let ask = write.ask.as_ref().ok_or_else(|| refused(format!("`{}` has no call", write.name.node)))?;
        match &write.batch {
            Batch::Together(most) if *most > 1 => self.together(write, ask, items).await,
            Batch::Aliases(most) if *most > 1 => self.aliased(write, ask, items).await,
            _ => Ok(self.each(items, write, Some(ask)).await),
        }
    }

    /// Each part by itself. Behind a refusal of the connection itself the others are not sent.
    async fn parts_written(&self, part: &PartOf, write: &Write, items: &[Item]) -> Vec<Receipt> {
        let mut receipts: Vec<Receipt> = Vec::with_capacity(items.len());
        for item in items {
            let receipt = match receipts.last().map(|last| &last.outcome) {
                Some(Err(fault @ (Fault::Throttled { .. } | Fault::Denied { .. }))) => Receipt { outcome: Err(fault.clone()) },
                _ => self.part(part, write, item).await.unwrap_or_else(|fault| Receipt { outcome: Err(fault) }),
            };
            receipts.push(receipt);
        }
        receipts
    }

    /// Each item by itself, in one call or in steps. Behind a refusal of the connection itself the others are not sent.
    async fn each(&self, items: &[Item], write: &Write, ask: Option<&Ask>) -> Vec<Receipt> {
        let mut receipts = Vec::with_capacity(items.len());
        let mut stopped: Option<Fault> = None;
        for item in items {
            let receipt = match &stopped {
                Some(fault) => Receipt { outcome: Err(fault.clone()) },
                None => {
                    let receipt = match ask {
                        Some(ask) => self.alone(write, ask, item).await,
                        None => self.stepped(write, item).await,
                    };
                    receipt.unwrap_or_else(|fault| Receipt { outcome: Err(fault) })
                }
            };
            if let Err(fault @ (Fault::Throttled { .. } | Fault::Denied { .. })) = &receipt.outcome {
                stopped = Some(fault.clone());
            }
            receipts.push(receipt);
        }
        receipts
    }

    /// What the templates of a write read.
    pub(super) fn scope<'s>(&'s self, item: &'s Item) -> Scope<'s> {
        let text = |text: &Option<String>| text.as_deref().map_or(Json::Null, Json::from);
        let scope = self.link.scope().with("item", &item.body).and("now", Json::from(self.link.client.now().to_string()));
        let scope = if item.key.is_some() { scope.and("key", text(&item.key)) } else { scope };
        if item.id.is_some() { scope.and("id", text(&item.id)) } else { scope }
    }

    /// The target's record, read just before, where the write says so.
    async fn target(&self, write: &Write, item: &Item) -> Result<Option<Json>, Fault> {
        if write.reads.as_ref().is_none_or(|reads| reads.node != "target") {
            return Ok(None);
        }
        let id =
            item.id.as_deref().ok_or_else(|| Fault::rejected("id", "the record's id is not known, and it is read before it is written", None))?;
        let absent = || Fault::rejected("absent", format!("{} has no {} `{id}`", self.link.of.title, self.object.name.node), None);
        self.fresh(id).await?.ok_or_else(absent).map(Some)
    }

    /// One item in one call.
    async fn alone(&self, write: &Write, ask: &Ask, item: &Item) -> Result<Receipt, Fault> {
        let target = self.target(write, item).await?;
        let mut scope = self.scope(item);
        if let Some(target) = &target {
            scope = scope.with("target", target);
        }
        if let Some(Actions::Fields(fields)) = &write.actions {
            let actions = actions(fields, &item.body, target.as_ref().unwrap_or(&Json::Null), None, &write.key, &scope)?;
            if actions.is_empty() {
                return Ok(unchanged(item));
            }
            scope = scope.and("actions", Json::Array(actions));
        }
        let parts = self.write_parts(write, ask, &scope)?;
        let mut receipts = self.sent(write, ask, &parts, std::slice::from_ref(item)).await?;
        receipts.pop().ok_or_else(|| Fault::ambiguous("there is no receipt"))
    }

    /// Several items in one call.
    async fn together(&self, write: &Write, ask: &Ask, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let bodies: Json = items.iter().map(|item| item.body.clone()).collect();
        let ids: Json = items.iter().map(|item| item.id.as_deref().map_or(Json::Null, Json::from)).collect();
        let now = Json::from(self.link.client.now().to_string());
        let scope = self.link.scope().with("items", &bodies).with("ids", &ids).with("now", &now);
        let sent = match self.write_parts(write, ask, &scope) {
            Ok(parts) => self.sent(write, ask, &parts, items).await,
            Err(fault) => Err(fault),
        };
        match sent {
            // One of them is to blame, which one is not said.
            Err(Fault::Rejected(refusal)) if items.len() > 1 => Err(Fault::BatchRefused(refusal)),
            sent => sent,
        }
    }

    pub(super) async fn sent(&self, write: &Write, ask: &Ask, parts: &Parts, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let asked = Asked { object: self.name(), write: true, aliases: false, several: items.len() > 1, proven: self.proven };
        self.note_written(items);
        let answer = self.link.carried_out(self.call, asked, ask, parts).await?.taken()?;
        Ok(self.link.receipts(write, items, &answer, answer.result(ask).unwrap_or_default()))
    }

    /// Before it is sent: whatever its outcome is, a list may show the records as they were.
    fn note_written(&self, items: &[Item]) {
        items.iter().filter_map(|item| item.id.as_deref()).for_each(|id| self.link.note_written(self.name(), id));
    }

    /// What a write's call is made of; of GraphQL it asks for what the receipt reads.
    pub(super) fn write_parts(&self, write: &Write, ask: &Ask, scope: &Scope<'_>) -> Result<Parts, Fault> {
        if matches!(ask.request, Request::Rest { .. }) {
            return self.link.parts(ask, scope);
        }
        self.link.document(ask, &[(None, self.link.arguments(ask, scope)?)], &self.told(write, ask))
    }

    /// The fields that a receipt reads: those of each result where the results stand, those of the whole answer where it stands.
    pub(super) fn told(&self, write: &Write, ask: &Ask) -> Fields {
        let mut fields = Fields::default();
        let Some(receipt) = &write.receipt else { return fields };
        let id = match &receipt.id {
            Some(Pick::Formula(id)) => Some(id),
            _ => None,
        };
        let formulas: Vec<&Formula> = receipt.ok.iter().chain(&receipt.refused).chain(id).collect();
        if let Request::GraphQl { field, .. } = &ask.request {
            for path in formulas.iter().flat_map(|formula| formula.asks("body")) {
                // What stands beside the field's own result is not asked for.
                if let [PathStep::Name(data), PathStep::Name(name), rest @ ..] = path.steps.as_slice()
                    && (data.as_str(), name) == ("data", &field.node)
                {
                    fields.path(&Path { steps: rest.to_vec(), span: path.span });
                }
            }
        }
        let at = match &receipt.results {
            Results::One(Some(at)) | Results::Items(at) | Results::Failures { at, .. } => fields.path(at),
            Results::One(None) | Results::Empty(_) => &mut fields,
        };
        if let Some(Pick::Path(id)) = &receipt.id {
            at.path(id);
        }
        for keep in &receipt.keep {
            at.field(&keep.node);
        }
        match &receipt.matching {
            Matching::By(ways) => {
                for way in ways.iter().filter(|way| !matches!(way.node.as_str(), "place" | "alias")) {
                    way.node.split('.').fold(&mut *at, |fields, name| fields.field(name));
                }
            }
            Matching::Fields(ways) => ways.iter().for_each(|(path, _)| {
                at.path(path);
            }),
            Matching::One => {}
        }
        if let Some(error) = &receipt.error {
            let field = error.field.as_ref().map(|field| match field {
                FieldOf::At(path) | FieldOf::FirstName { of: path, .. } => path,
            });
            let one = match &error.each {
                Some(each) => at.path(each),
                None => &mut *at,
            };
            for path in error.code.iter().chain(&error.message).chain(field).chain(error.more.iter().map(|(_, path)| path)) {
                one.path(path);
            }
        }
        for path in formulas.iter().flat_map(|formula| formula.asks("item")) {
            at.path(&path);
        }
        fields
    }

    /// Items as fields of one document, by alias. Each is carried out by itself; one that lacks a value is refused, and the others go.
    async fn aliased(&self, write: &Write, ask: &Ask, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let given: Vec<Result<Option<Json>, Fault>> = items.iter().map(|item| self.link.arguments(ask, &self.scope(item))).collect();
        let fields = given.iter().flatten().enumerate().map(|(at, given)| (Some(graphql::alias(at)), given.clone()));
        let fields: Vec<_> = fields.collect();
        let mut sent = 0;
        let answer = if fields.is_empty() {
            None
        } else {
            let parts = self.link.document(ask, &fields, &self.told(write, ask))?;
            let asked = Asked { object: self.name(), write: true, aliases: true, several: fields.len() > 1, proven: self.proven };
            self.note_written(items);
            match self.link.carried_out(self.call, asked, ask, &parts).await?.taken() {
                Ok(answer) => Some((answer, asked)),
                Err(Fault::Rejected(refusal)) if items.len() > 1 => return Err(Fault::BatchRefused(refusal)),
                Err(fault) => return Err(fault),
            }
        };
        let unsaid = || Fault::ambiguous("the answer tells nothing of it");
        let mut receipt = |(item, given): (&Item, Result<Option<Json>, Fault>)| {
            let (Some((answer, asked)), Ok(_)) = (&answer, &given) else { return Receipt { outcome: Err(given.err().unwrap_or_else(unsaid)) } };
            let at = sent;
            sent += 1;
            if let Some(result) = answer.aliased(at) {
                let mut receipts = self.link.receipts(write, std::slice::from_ref(item), answer, result);
                return receipts.pop().unwrap_or_else(|| Receipt { outcome: Err(unsaid()) });
            }
            let fault = match answer.error_of(at).map(|error| self.link.meaning_of_error(*asked, answer, &error)) {
                Some(Outcome::Refused(fault) | Outcome::Expired(fault)) => fault,
                Some(Outcome::Done(_) | Outcome::Absent) | None => unsaid(),
            };
            Receipt { outcome: Err(fault) }
        };
        Ok(items.iter().zip(given).map(&mut receipt).collect())
    }

    /// Several calls, each only where its fields are sent. All may be sent again, so that what fails in the middle is begun anew.
    async fn stepped(&self, write: &Write, item: &Item) -> Result<Receipt, Fault> {
        let target = self.target(write, item).await?;
        if let Some(field) = beside_steps(write, &item.body) {
            return Err(Fault::rejected("field", format!("`{field}` cannot be changed: no step writes it"), Some(field)));
        }
        let covered: Vec<&str> = write.steps.iter().flat_map(|step| &step.covers).map(|field| field.node.as_str()).collect();
        // All calls are made up before the first goes out: what cannot be sent is refused while nothing is done.
        let mut calls = Vec::with_capacity(write.steps.len());
        for step in &write.steps {
            let Some(part) = covered_by(step, &item.body, &covered) else { continue };
            let part = Item { body: part, ..item.clone() };
            let call = match (&step.ask, &step.lines) {
                (Some(ask), _) => {
                    let mut scope = self.scope(&part);
                    if let Some(target) = &target {
                        scope = scope.with("target", target);
                    }
                    StepCall::Ask(ask, self.write_parts(write, ask, &scope)?)
                }
                (None, Some(lines)) => StepCall::Lines(step, lines),
                (None, None) => return Err(Fault::rejected("step", format!("a step of {} has no call", self.object.name.node), None)),
            };
            calls.push((part, call));
        }
        let (mut last, mut done) = (None, false);
        for (part, call) in &calls {
            let mut tries = 0;
            let outcome = loop {
                let sent = match call {
                    StepCall::Ask(ask, parts) => self.sent(write, ask, parts, std::slice::from_ref(part)).await.map(|mut receipts| receipts.pop()),
                    StepCall::Lines(step, lines) => self.lines(write, step, lines, part, &mut done).await,
                };
                let outcome = sent.and_then(|receipt| receipt.map(|receipt| receipt.outcome).transpose());
                // The client waits until the system takes calls again.
                let is_passing = matches!(&outcome, Err(Fault::Throttled { .. } | Fault::Transient { .. }));
                if !(is_passing && done && tries < STEP_TRIES) {
                    break outcome;
                }
                tries += 1;
            };
            match outcome {
                Ok(Some(receipt)) => (last, done) = (Some(receipt), true),
                // No line differs.
                Ok(None) => {}
                Err(fault) => return Err(if done { half_done(fault) } else { fault }),
            }
        }
        Ok(last.map_or_else(|| unchanged(item), |done| Receipt { outcome: Ok(done) }))
    }
}

/// How often a step is tried again where an earlier one is done.
const STEP_TRIES: usize = 3;

/// How a step is carried out.
enum StepCall<'w> {
    Ask(&'w Ask, Parts),
    Lines(&'w Step, &'w Lines),
}

/// The fault of a step where something of the item is done already: that nothing was is not said of the whole.
fn half_done(fault: Fault) -> Fault {
    match fault {
        Fault::Throttled { reason, .. } | Fault::Transient { reason, .. } | Fault::Denied { reason } => {
            Fault::ambiguous(format!("a part of it is done, and then: {reason}"))
        }
        Fault::Rejected(refusal) => Fault::Rejected(Refusal { partly: true, ..refusal }),
        Fault::Conflict { reason, .. } => Fault::Conflict { reason, partly: true },
        other => other,
    }
}

/// The items of an update without the field by which their records were found: it is in their bodies, and no change of theirs. None: they
/// are as they are.
fn without_other_key(write: &Write, batch: &WriteRequest<'_>) -> Option<Vec<Item>> {
    let by_field = !write.steps.is_empty() || matches!(write.actions, Some(Actions::Fields(_)));
    let field = batch.key_field.filter(|field| by_field && !write.key.iter().any(|key| key.node == *field))?;
    let without = |item: &Item| {
        let mut item = item.clone();
        if let Json::Object(fields) = &mut item.body
            && fields.get(field).is_some_and(|value| item.key.as_deref() == Some(crate::describe::printed(value).as_str()))
        {
            fields.remove(field);
        }
        item
    };
    (batch.operation == Operation::Update).then(|| batch.items.iter().map(without).collect())
}

/// Nothing differs: nothing is sent.
pub(super) fn unchanged(item: &Item) -> Receipt {
    Receipt { outcome: Ok(Done { id: item.id.clone(), created: Some(false), record: Json::Null }) }
}

/// The actions that changed fields become, in the order of the description. A change of one field of an object that its action takes whole
/// is laid over what the target holds. `by` names what the record is part of, and `key` what it is called: neither is a change.
pub(super) fn actions(
    of: &[Action],
    body: &Json,
    held: &Json,
    by: Option<&str>,
    key: &[Spanned<String>],
    scope: &Scope<'_>,
) -> Result<Vec<Json>, Fault> {
    let mut left = body.clone();
    for name in by.into_iter().chain(key.iter().map(|key| key.node.as_str())) {
        take(&mut left, &[name]);
    }
    let after = laid_over(Some(held), body);
    let mut found = Vec::new();
    for action in of {
        let is_each = matches!(action.path.steps.last(), Some(PathStep::Each));
        let names: Vec<&str> =
            action.path.steps.iter().filter_map(|step| if let PathStep::Name(name) = step { Some(name.as_str()) } else { None }).collect();
        let Some(value) = names.iter().try_fold(body, |value, name| value.get(name)) else { continue };
        let before = names.iter().try_fold(held, |value, name| value.get(name));
        let values: Vec<(&str, Json)> = match (is_each, value) {
            (false, value) => vec![(names.last().copied().unwrap_or_default(), laid_over(before, value))],
            (true, Json::Object(fields)) => fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect(),
            // Of a list each element is by itself.
            (true, Json::Array(items)) => items.iter().map(|value| (names.last().copied().unwrap_or_default(), value.clone())).collect(),
            (true, _) => continue,
        };
        for (name, value) in &values {
            let scope = scope.clone().with("value", value).and("name", Json::from(*name)).with("after", &after);
            found.extend(action.action.fill(&scope).map_err(super::ask::incomplete)?);
        }
        take(&mut left, &names);
    }
    match uncovered(&left, String::new()) {
        None => Ok(found),
        Some(field) => Err(Fault::rejected("field", format!("`{field}` cannot be changed: no action does it"), Some(field))),
    }
}

/// A change over what the target holds: of an object its other fields stay.
fn laid_over(held: Option<&Json>, change: &Json) -> Json {
    match (held, change) {
        (Some(Json::Object(held)), Json::Object(change)) => {
            let mut whole = held.clone();
            for (name, value) in change {
                let value = laid_over(held.get(name), value);
                whole.insert(name.clone(), value);
            }
            Json::Object(whole)
        }
        (_, change) => change.clone(),
    }
}

/// Takes a field out.
fn take(from: &mut Json, names: &[&str]) {
    let Some((last, before)) = names.split_last() else { return };
    if let Some(Json::Object(fields)) = before.iter().try_fold(from, |value, name| value.get_mut(name)) {
        fields.remove(*last);
    }
}

/// The first field that is left with a value.
fn uncovered(left: &Json, path: String) -> Option<String> {
    match left {
        Json::Object(fields) => {
            fields.iter().find_map(|(name, value)| uncovered(value, if path.is_empty() { name.clone() } else { format!("{path}.{name}") }))
        }
        _ => Some(path),
    }
}

/// The first field of a body that no step writes.
fn beside_steps(write: &Write, body: &Json) -> Option<String> {
    let is_written = |name: &str| write.steps.iter().any(|step| step.covers.is_empty() || step.covers.iter().any(|field| field.node == name));
    body.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| !is_written(name)).cloned()
}

/// The fields of a body that a step writes; none where the body has none of them.
fn covered_by(step: &Step, body: &Json, covered: &[&str]) -> Option<Json> {
    let Json::Object(fields) = body else { return None };
    let of_step = |name: &str| {
        let named = step.covers.iter().any(|field| field.node == name);
        named || (step.covers.is_empty() && !covered.contains(&name))
    };
    let part: serde_json::Map<String, Json> =
        fields.iter().filter(|(name, _)| of_step(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    (!part.is_empty()).then_some(Json::Object(part))
}
