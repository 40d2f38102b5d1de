//! Removes the personal values of a request from everything that comes back from a system.
//!
//! The faults of a call, its path and its bodies pass through here before the engine sees them. A batch is cut into its items, so that
//! what is kept of one record contains nothing of another.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Mask, Masked, path};
use crate::connector::{Item, Receipt};
use crate::engine::{CallRequest, CallResponse};
use crate::fault::{Fault, Refusal};
use crate::http::Exchange;
use crate::http::redact::{self, Redactor};
use crate::value::Json;

/// The longest answer to a whole batch that is kept with each of its items, in characters.
const LONGEST_SHARED: usize = 2_000;

/// What was sent and answered of one item of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedPart {
    /// Its place among the items of the batch, then those that ride on them.
    pub(in crate::engine) item: usize,
    pub(in crate::engine) request: Option<String>,
    pub(in crate::engine) response: Option<String>,
}

/// What one call was asked for, for the words that come back.
pub struct Quotes<'a> {
    mask: &'a Mask,
    ask: &'a CallRequest,
    /// The values of all items of the batch, without the words that they are made of.
    all: OnceCell<Redactor>,
}

impl<'a> Quotes<'a> {
    pub fn of(mask: &'a Mask, ask: &'a CallRequest) -> Self {
        Quotes { mask, ask, all: OnceCell::new() }
    }

    /// The items of a batch with their objects, and those that ride on them.
    fn items(&self) -> Vec<(&'a str, &'a Item, Option<&'a str>)> {
        let CallRequest::Send { object, key_field, items, riders, .. } = self.ask else { return Vec::new() };
        let own = items.iter().map(|item| (object.object.as_str(), item, key_field.as_deref()));
        let rode = riders
            .iter()
            .flat_map(|riders| riders.items.iter().map(|rider| (riders.object.object.as_str(), &rider.item, riders.key_field.as_deref())));
        own.chain(rode).collect()
    }

    fn tell(&self, (object, item, key_field): (&str, &Item, Option<&str>), words: bool, to: &mut Redactor) {
        self.mask.tell(Some(object), &item.body, words, to);
        match (&item.key, key_field) {
            (Some(key), Some(field)) if !self.mask.shows(object, &[field.to_owned()]) => to.personal(key, words),
            (Some(key), _) if super::key(key, true) != *key || self.mask.is_of_person(Some(object), &item.body, key) => to.personal(key, words),
            (Some(key), _) if words => to.business(key),
            _ => {}
        }
        if let (Some(id), true) = (&item.id, words) {
            to.business(id);
        }
    }

    /// What one item's words may quote.
    fn one(&self, item: (&str, &Item, Option<&str>)) -> Redactor {
        let mut redactor = Redactor::default();
        self.tell(item, true, &mut redactor);
        redactor
    }

    /// What words about the whole call may quote.
    fn all(&self) -> &Redactor {
        self.all.get_or_init(|| {
            let mut redactor = Redactor::default();
            let items = self.items();
            let alone = items.len() == 1;
            items.into_iter().for_each(|item| self.tell(item, alone, &mut redactor));
            if let CallRequest::Find { object, field, values, .. } = self.ask {
                let shown = self.mask.shows(&object.object, field);
                let personal = values.iter().filter(|value| !shown || super::key(value, true) != **value);
                personal.for_each(|value| redactor.personal(value, true));
            }
            redactor
        })
    }

    /// Takes what the request held out of what came back in words.
    pub fn clean(&self, got: &mut CallResponse) {
        match got {
            CallResponse::Page(Err(fault)) | CallResponse::Records(Err(fault)) | CallResponse::Found(Err(fault)) | CallResponse::Sent(Err(fault)) => {
                words(fault, &[self.all()])
            }
            CallResponse::Sent(Ok(receipts)) => {
                let items = self.items();
                for (at, receipt) in receipts.iter_mut().enumerate() {
                    let Err(fault) = &mut receipt.outcome else { continue };
                    match items.get(at) {
                        Some(item) => words(fault, &[&self.one(*item), self.all()]),
                        None => words(fault, &[self.all()]),
                    }
                }
            }
            CallResponse::Page(Ok(_)) | CallResponse::Records(Ok(_)) | CallResponse::Found(Ok(_)) => {}
        }
    }

    /// The exchanges of a call as they may be kept. `got`: what came of it, cleaned already.
    pub fn exchanges(&self, exchanges: Vec<Exchange>, got: &CallResponse) -> Vec<Masked> {
        let items = self.items();
        let mut parts: Vec<Vec<MaskedPart>> = exchanges.iter().map(|exchange| self.parts(&items, exchange)).collect();
        if let (false, Some(last)) = (items.is_empty(), exchanges.iter().rposition(|exchange| exchange.method != http::Method::GET)) {
            self.complete(&items, &mut parts, last, got);
        }
        let masked = |(exchange, parts): (Exchange, Vec<MaskedPart>)| Masked {
            at: exchange.at,
            method: exchange.method.to_string(),
            path: self.path(&exchange.path),
            status: exchange.status,
            took: exchange.took,
            broken: exchange.broken.as_deref().map(redact::shapes),
            parts,
        };
        exchanges.into_iter().zip(parts).map(masked).collect()
    }

    /// A path may name a record by its key.
    fn path(&self, full: &str) -> String {
        let kept = path(full);
        // The path of a batch names none of its records.
        if self.items().len() == 1 { self.all().text(&kept) } else { redact::shapes(&kept) }
    }

    /// What an exchange says of each item.
    fn parts(&self, items: &[(&str, &Item, Option<&str>)], exchange: &Exchange) -> Vec<MaskedPart> {
        let Some(request) = text_of(&exchange.request) else { return self.within(items, exchange) };
        let response = text_of(&exchange.response);
        let mut out = Vec::new();
        let mut next = 0;
        for (records, answers) in lists(request, response) {
            for (at, record) in records.iter().enumerate() {
                let Some(record) = tree_of(record.get()) else { continue };
                let found = (next..items.len()).chain(0..next).find(|item| fits(&record, items[*item].1));
                let Some(item) = found else { continue };
                next = item + 1;
                // Most answers hold no words.
                let redactor = OnceCell::new();
                let quoted = |text: &str| redactor.get_or_init(|| self.one(items[item])).text(text);
                let answer = answers.as_ref().and_then(|answers| tree_of(answers.get(at)?.get()));
                let response = answer.map(|answer| {
                    let plain = answer.get("success").or_else(|| answer.get("errors")).is_some();
                    self.mask.answer(if plain { None } else { Some(items[item].0) }, &answer, &quoted).to_string()
                });
                let request = self.mask.answer(Some(items[item].0), &record, &quoted).to_string();
                out.push(MaskedPart { item, request: Some(request), response });
            }
        }
        let response = || response.and_then(tree_of);
        if out.is_empty()
            && let ([item], Some(request)) = (items, tree_of(request))
        {
            let quoted = |text: &str| self.all().text(text);
            let response = response().map(|answer| self.mask.answer(Some(item.0), &answer, &quoted).to_string()).or_else(|| self.length(exchange));
            out.push(MaskedPart { item: 0, request: Some(self.mask.answer(Some(item.0), &request, &quoted).to_string()), response });
        } else if out.iter().any(|part| part.response.is_none()) {
            // One answer to all of them.
            let shared = match response() {
                Some(answer) => Some(self.mask.answer(None, &answer, &|text| self.all().text(text)).to_string())
                    .filter(|text| text.chars().count() <= LONGEST_SHARED),
                None => self.length(exchange),
            };
            out.iter_mut().filter(|part| part.response.is_none()).for_each(|part| part.response.clone_from(&shared));
        }
        out
    }

    /// A read within a write: of the one record that is written.
    fn within(&self, items: &[(&str, &Item, Option<&str>)], exchange: &Exchange) -> Vec<MaskedPart> {
        // Most reads are of no write, and of thousands of records: their answers are not looked at.
        let ([item], true) = (items, exchange.request.is_empty()) else { return Vec::new() };
        let Ok(answer) = serde_json::from_slice::<Json>(&exchange.response) else { return Vec::new() };
        let response = self.mask.answer(Some(item.0), &answer, &|text| self.all().text(text)).to_string();
        vec![MaskedPart { item: 0, request: None, response: Some(response) }]
    }

    fn length(&self, exchange: &Exchange) -> Option<String> {
        (!exchange.response.is_empty()).then(|| format!("({} bytes that are no JSON)", exchange.response.len()))
    }

    /// Items that no body tells apart, as in a file for bulk: what was to be sent, and what came of it.
    fn complete(&self, items: &[(&str, &Item, Option<&str>)], parts: &mut [Vec<MaskedPart>], last: usize, got: &CallResponse) {
        let mut told = vec![false; items.len()];
        parts.iter().flatten().filter(|part| part.request.is_some()).for_each(|part| told[part.item] = true);
        let Some(list) = parts.get_mut(last) else { return };
        for (at, item) in items.iter().enumerate().filter(|(at, _)| !told[*at]) {
            let response = match got {
                CallResponse::Sent(Ok(receipts)) => receipts.get(at).map(|Receipt { outcome }| match outcome {
                    Ok(done) => serde_json::json!({"id": done.id, "created": done.created}).to_string(),
                    Err(fault) => serde_json::json!({"error": fault.to_string()}).to_string(),
                }),
                _ => None,
            };
            list.push(MaskedPart { item: at, request: Some(self.mask.json(Some(item.0), &item.1.body).to_string()), response });
        }
    }
}

/// A body that is JSON.
fn text_of(body: &[u8]) -> Option<&str> {
    serde_json::from_slice::<&RawValue>(body).ok().map(RawValue::get)
}

fn tree_of(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

/// The texts of a list's elements.
fn elements(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// The text of an object's field.
fn field<'j>(text: &'j str, name: &str) -> Option<&'j str> {
    serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(text).ok()?.get(name).map(|value| value.get())
}

/// The texts of a list's elements, and of their answers where there are as many.
type Listed<'j> = (Vec<&'j RawValue>, Option<Vec<&'j RawValue>>);

/// The lists of records in a request, each with the list of their answers. They stay text: a batch as a tree takes twenty
/// times as much, and each of its records is looked at by itself.
fn lists<'j>(request: &'j str, response: Option<&'j str>) -> Vec<Listed<'j>> {
    let list = |text: &'j str, name: &str| elements(text).or_else(|| elements(field(text, name)?));
    let answers = |text: Option<&'j str>, count: usize| list(text?, "results").filter(|list| list.len() == count);
    if let Some(parts) = field(request, "compositeRequest").and_then(elements) {
        let told = response.and_then(|response| field(response, "compositeResponse")).and_then(elements);
        let part = |(at, part): (usize, &&'j RawValue)| {
            let records = list(field(part.get(), "body")?, "records")?;
            let answer = told.as_ref().and_then(|told| field(told.get(at)?.get(), "body"));
            let answers = answers(answer, records.len());
            Some((records, answers))
        };
        return parts.iter().enumerate().filter_map(part).collect();
    }
    let with_answers = |records: Vec<&'j RawValue>| {
        let answers = answers(response, records.len());
        (records, answers)
    };
    list(request, "records").map(with_answers).into_iter().collect()
}

/// Whether a record in a request is what was to be sent of an item.
fn fits(record: &Json, item: &Item) -> bool {
    match &item.body {
        Json::Object(fields) if !fields.is_empty() => fields.iter().all(|(name, value)| record.get(name) == Some(value)),
        _ => record.as_object().is_some_and(|fields| {
            let named = |name: &Option<String>| name.as_ref().is_some_and(|name| fields.values().any(|value| value.as_str() == Some(name)));
            named(&item.id) || named(&item.key)
        }),
    }
}

/// Takes values out of all that a fault says.
fn words(fault: &mut Fault, redactors: &[&Redactor]) {
    let clean = |text: &mut String| redactors.iter().for_each(|redactor| *text = redactor.text(text));
    match fault {
        Fault::Throttled { reason, .. }
        | Fault::Transient { reason, .. }
        | Fault::Conflict { reason, .. }
        | Fault::Denied { reason }
        | Fault::Ambiguous { reason } => clean(reason),
        Fault::Rejected(Refusal { code, message, field, .. }) | Fault::BatchRefused(Refusal { code, message, field, .. }) => {
            clean(message);
            clean(code);
            field.iter_mut().for_each(clean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Operation;
    use crate::value::ObjectRef;
    use serde_json::json;

    fn ask(items: Vec<Item>) -> CallRequest {
        CallRequest::Send {
            object: ObjectRef::new("wms", "Order"),
            op: Operation::Upsert,
            key_field: Some("orderKey".to_owned()),
            items,
            riders: None,
        }
    }

    fn item(key: &str, name: &str) -> Item {
        Item {
            key: Some(key.to_owned()),
            id: None,
            body: json!({"orderKey": key, "carrierCode": "foo", "shipTo": {"name": name, "street1": "9 Elm"}}),
        }
    }

    fn exchange(request: &Json, response: &str) -> Exchange {
        Exchange {
            at: jiff::Timestamp::UNIX_EPOCH,
            method: http::Method::POST,
            path: "/orders/createorders".to_owned(),
            request: request.to_string().into_bytes().into(),
            status: Some(200),
            response: response.to_owned().into_bytes().into(),
            broken: None,
            took: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn a_batch_is_cut_by_its_items() {
        let mask = super::super::tests::mask();
        let items = vec![item("sf-1", "Jo Bloggs"), item("sf-2", "Wilhelmina Plumtree")];
        let request = json!([items[1].body, items[0].body]);
        let response = json!({"hasErrors": true, "results": [
            {"orderKey": "sf-2", "success": false, "errorMessage": "no WILHELMINA at 9 Elm; carrier code 'foo' is not valid"},
            {"orderKey": "sf-1", "success": true, "errorMessage": null},
        ]});
        let ask = ask(items);
        let masked = Quotes::of(&mask, &ask).exchanges(vec![exchange(&request, &response.to_string())], &CallResponse::Sent(Ok(Vec::new())));
        let parts = &masked[0].parts;
        assert_eq!(parts.iter().map(|part| part.item).collect::<Vec<_>>(), [1, 0], "by what they hold, not by their place");
        assert_eq!(
            parts[0].response.as_deref(),
            Some(r#"{"orderKey":"sf-2","success":false,"errorMessage":"no ••• at •••; carrier code 'foo' is not valid"}"#)
        );
        assert_eq!(parts[1].request.as_deref(), Some(r#"{"orderKey":"sf-1","carrierCode":"foo","shipTo":{"name":"•••","street1":"•••"}}"#));
    }

    #[test]
    fn a_fault_says_nothing_of_the_request() {
        let mask = super::super::tests::mask();
        let ask = ask(vec![item("sf-1", "Jo Bloggs"), item("sf-2", "Wilhelmina Plumtree")]);
        let quotes = Quotes::of(&mask, &ask);
        let refusal = Refusal {
            code: "400".into(),
            message: "Jo Bloggs, Wilhelmina Plumtree: carrier code 'foo' is not valid".into(),
            field: None,
            partly: false,
        };
        let mut got = CallResponse::Sent(Err(Fault::BatchRefused(refusal)));
        quotes.clean(&mut got);
        let CallResponse::Sent(Err(fault)) = got else { panic!("it is another thing now") };
        assert_eq!(fault.to_string(), "the batch was refused: •••: carrier code 'foo' is not valid");
        let said = |text: &str| Receipt { outcome: Err(Fault::ambiguous(text)) };
        let mut got = CallResponse::Sent(Ok(vec![said("bloggs of WILHELMINA PLUMTREE"), said("Plumtree, Bearer abcdefgh")]));
        quotes.clean(&mut got);
        let CallResponse::Sent(Ok(receipts)) = got else { panic!("it is another thing now") };
        let words: Vec<String> = receipts.into_iter().filter_map(|receipt| receipt.outcome.err()).map(|fault| fault.to_string()).collect();
        assert_eq!(words, ["the outcome is not known: ••• of •••", "the outcome is not known: •••, Bearer •••"]);
    }

    #[test]
    fn what_goes_in_a_file_is_told_by_its_items() {
        let mask = super::super::tests::mask();
        let ask = ask(vec![item("sf-1", "Jo Bloggs"), item("sf-2", "Ann Smith")]);
        let mut csv = exchange(&Json::Null, "");
        csv.request = "orderKey,name\nsf-1,Jo Bloggs\n".into();
        let receipts = vec![Receipt { outcome: Err(Fault::transient("not now")) }, Receipt { outcome: Err(Fault::transient("nor now")) }];
        let masked = Quotes::of(&mask, &ask).exchanges(vec![csv], &CallResponse::Sent(Ok(receipts)));
        assert_eq!(masked[0].parts.len(), 2);
        assert!(masked[0].parts.iter().all(|part| part.request.as_deref().is_some_and(|text| text.contains("sf-") && !text.contains("Jo"))));
        assert_eq!(masked[0].parts[1].response.as_deref(), Some(r#"{"error":"nor now"}"#));
    }
}
