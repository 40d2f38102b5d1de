//! Writes: items to calls, and each call's receipts.

use super::answer::{Asked, Outcome};
use super::ask::Parts;
use super::find::Reads;
use super::graphql::{self, Fields};
use crate::connector::{Item, Receipt, WriteRequest};
use crate::describe::model::{Ask, Batch, Request, Step, Write};
use crate::describe::{Path, Scope};
use crate::fault::Fault;
use crate::system::Operation;
use crate::value::{Json, RawRecord};

/// Whether a write of the description is one of an operation: `create`, or `create_without_key`.
fn is_of(write: &Write, operation: Operation) -> bool {
    write.name.node.split('_').next() == Some(operation.word())
}

impl Reads<'_> {
    /// The write that a request is held to: one whose key it has, before one without.
    pub(super) fn write_of(&self, operation: Operation, key_field: Option<&str>) -> Option<&Write> {
        let mut of = self.object.writes.iter().filter(|write| is_of(write, operation));
        let keyed = |write: &&Write| key_field.is_some_and(|field| write.key.iter().any(|key| key.node == field));
        of.clone().find(keyed).or_else(|| of.clone().find(|write| write.key.is_empty())).or_else(|| of.next())
    }

    /// Sends a batch. The receipts are in the order of the items.
    pub(super) async fn write(&self, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let refused = |why: String| Fault::rejected("object", why, None);
        let write = self.write_of(batch.operation, batch.key_field);
        let write = write.ok_or_else(|| refused(format!("{} takes no {} of {}", self.link.of.title, batch.operation.word(), self.object.name.node)))?;
        if self.object.part_of.is_some() || write.actions.is_some() || matches!(write.batch, Batch::Groups { .. }) || !write.resolve.is_empty() {
            return Err(refused(format!("`{}` of {} is described in a way that is not carried out yet", write.name.node, self.object.name.node)));
        }
        if !write.steps.is_empty() {
            return Ok(self.each(batch.items, async |item| self.stepped(write, item).await).await);
        }
        let ask = write.ask.as_ref().ok_or_else(|| refused(format!("`{}` has no call", write.name.node)))?;
        match &write.batch {
            Batch::Together(most) if *most > 1 => self.together(write, ask, batch.items).await,
            Batch::Aliases(most) if *most > 1 => self.aliased(write, ask, batch.items).await,
            _ => Ok(self.each(batch.items, async |item| self.alone(write, ask, item).await).await),
        }
    }

    /// One call for each item. Behind a refusal of the connection itself the others are not sent.
    async fn each(&self, items: &[Item], one: impl AsyncFn(&Item) -> Result<Receipt, Fault>) -> Vec<Receipt> {
        let mut receipts = Vec::with_capacity(items.len());
        let mut stopped: Option<Fault> = None;
        for item in items {
            let receipt = match &stopped {
                Some(fault) => Receipt { outcome: Err(fault.clone()) },
                None => one(item).await.unwrap_or_else(|fault| Receipt { outcome: Err(fault) }),
            };
            if let Err(fault @ (Fault::Throttled { .. } | Fault::Denied { .. })) = &receipt.outcome {
                stopped = Some(fault.clone());
            }
            receipts.push(receipt);
        }
        receipts
    }

    /// What the templates of a write read.
    fn scope<'s>(&'s self, item: &'s Item) -> Scope<'s> {
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
        let id = item.id.as_deref().ok_or_else(|| Fault::rejected("id", "the record's id is not known, and it is read before it is written", None))?;
        let found = self.by_id(&[id.to_owned()], &super::find::Beside::new()).await?;
        match found.into_iter().next().map(|change| change.state) {
            Some(crate::connector::State::Upserted(record)) => Ok(Some(RawRecord::read(&record))),
            _ => Err(Fault::rejected("absent", format!("{} has no {} `{id}`", self.link.of.title, self.object.name.node), None)),
        }
    }

    /// One item in one call.
    async fn alone(&self, write: &Write, ask: &Ask, item: &Item) -> Result<Receipt, Fault> {
        let target = self.target(write, item).await?;
        let mut scope = self.scope(item);
        if let Some(target) = &target {
            scope = scope.with("target", target);
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
        let parts = self.write_parts(write, ask, &scope)?;
        match self.sent(write, ask, &parts, items).await {
            // One of them is to blame, which one is not said.
            Err(Fault::Rejected(refusal)) if items.len() > 1 => Err(Fault::BatchRefused(refusal)),
            sent => sent,
        }
    }

    async fn sent(&self, write: &Write, ask: &Ask, parts: &Parts, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let asked = Asked { object: &self.object.name.node, write: true, aliases: false };
        match self.link.carried_out(self.call, asked, ask, parts).await? {
            Outcome::Done(answer) => {
                let result = answer.result(ask).unwrap_or_default();
                Ok(self.link.receipts(write, items, &answer, result))
            }
            Outcome::Absent => Err(Fault::rejected("absent", "there is no such record", None)),
            Outcome::Refused(fault) | Outcome::Expired(fault) => Err(fault),
        }
    }

    /// What a write's call is made of; of GraphQL it asks for what the receipt reads.
    fn write_parts(&self, write: &Write, ask: &Ask, scope: &Scope<'_>) -> Result<Parts, Fault> {
        if matches!(ask.request, Request::Rest { .. }) {
            return self.link.parts(ask, scope);
        }
        self.link.document(ask, &[(None, self.link.arguments(ask, scope)?)], &self.told(write))
    }

    /// The fields that a receipt reads.
    fn told(&self, write: &Write) -> Fields {
        let mut fields = Fields::default();
        let Some(receipt) = &write.receipt else { return fields };
        let at = match &receipt.results {
            crate::describe::model::Results::One(Some(at)) => fields.path(at),
            _ => &mut fields,
        };
        if let Some(crate::describe::model::Pick::Path(id)) = &receipt.id {
            at.path(id);
        }
        for keep in &receipt.keep {
            at.field(&keep.node);
        }
        for formula in receipt.ok.iter().chain(&receipt.refused) {
            formula.reads.iter().filter(|path| path.root() == "item").map(Path::rest).for_each(|path| drop(at.path(&path)));
        }
        fields
    }

    /// Items as fields of one document, by alias. Each is carried out by itself.
    async fn aliased(&self, write: &Write, ask: &Ask, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let mut fields = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            fields.push((Some(graphql::alias(at)), self.link.arguments(ask, &self.scope(item))?));
        }
        let parts = self.link.document(ask, &fields, &self.told(write))?;
        let asked = Asked { object: &self.object.name.node, write: true, aliases: true };
        let answer = match self.link.carried_out(self.call, asked, ask, &parts).await? {
            Outcome::Done(answer) => answer,
            Outcome::Absent => return Err(Fault::ambiguous("the answer is that of no document")),
            Outcome::Refused(Fault::Rejected(refusal)) if items.len() > 1 => return Err(Fault::BatchRefused(refusal)),
            Outcome::Refused(fault) | Outcome::Expired(fault) => return Err(fault),
        };
        let receipt = |(at, item): (usize, &Item)| match answer.aliased(at) {
            Some(result) => {
                let mut receipts = self.link.receipts(write, std::slice::from_ref(item), &answer, result);
                receipts.pop().unwrap_or(Receipt { outcome: Err(Fault::ambiguous("there is no receipt")) })
            }
            None => {
                let fault = answer.error_of(at).map_or_else(|| Fault::ambiguous("the answer tells nothing of it"), |error| self.link.of_error(&error));
                Receipt { outcome: Err(fault) }
            }
        };
        Ok(items.iter().enumerate().map(receipt).collect())
    }

    /// Several calls, each only where its fields are sent. All may be sent again, so that what fails in the middle is begun anew.
    async fn stepped(&self, write: &Write, item: &Item) -> Result<Receipt, Fault> {
        let target = self.target(write, item).await?;
        let covered: Vec<&str> = write.steps.iter().flat_map(|step| &step.covers).map(|field| field.node.as_str()).collect();
        let mut last = None;
        for step in &write.steps {
            let Some(part) = covered_by(step, &item.body, &covered) else { continue };
            let part = Item { body: part, ..item.clone() };
            let receipt = match &step.ask {
                Some(ask) => {
                    let mut scope = self.scope(&part);
                    if let Some(target) = &target {
                        scope = scope.with("target", target);
                    }
                    let parts = self.write_parts(write, ask, &scope)?;
                    self.sent(write, ask, &parts, std::slice::from_ref(&part)).await?.pop()
                }
                None => {
                    let why = format!("the lines of {} are described in a way that is not carried out yet", self.object.name.node);
                    return Err(Fault::rejected("lines", why, None));
                }
            };
            let receipt = receipt.ok_or_else(|| Fault::ambiguous("there is no receipt"))?;
            if receipt.outcome.is_err() {
                return Ok(receipt);
            }
            last = Some(receipt);
        }
        // Nothing differs: nothing is sent.
        Ok(last.unwrap_or(Receipt { outcome: Ok(crate::connector::Done { id: item.id.clone(), created: Some(false), record: Json::Null }) }))
    }
}

/// The fields of a body that a step writes; none where the body has none of them.
fn covered_by(step: &Step, body: &Json, covered: &[&str]) -> Option<Json> {
    let Json::Object(fields) = body else { return None };
    let of_step = |name: &str| {
        let named = step.covers.iter().any(|field| field.node == name);
        named || (step.covers.is_empty() && !covered.contains(&name))
    };
    let part: serde_json::Map<String, Json> = fields.iter().filter(|(name, _)| of_step(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    (!part.is_empty()).then_some(Json::Object(part))
}
