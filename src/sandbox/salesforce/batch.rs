//! `/composite/batch`, `/composite/tree/{T}` and `/composite/graph`.

use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::{Map, json};

use super::Salesforce;
use super::cell::id_text;
use super::given;
use super::id::Id;
use super::records::by_api;
use super::refusal::Refusal;
use super::wire::{Answer, Ask};
use crate::value::Json;

/// Requests of one batch.
const MOST: usize = 25;
/// Records of all trees together, how deep they go, and of how many objects they are.
const MOST_RECORDS: usize = 200;
const DEEPEST: usize = 5;
const MOST_TYPES: usize = 5;
/// Graphs of one call, and requests of all of them.
const MOST_GRAPHS: usize = 75;
const MOST_NODES: usize = 500;

/// A record of a tree that was put in, or why not.
struct Planted {
    reference: String,
    done: Result<Id, Refusal>,
}

impl Salesforce {
    pub(super) fn batch(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["POST"])?;
        let body = ask.json()?;
        let Some(Json::Array(parts)) = body.get("batchRequests") else {
            return Err(Refusal::new("JSON_PARSER_ERROR", "The request needs batchRequests"));
        };
        if parts.is_empty() || parts.len() > MOST {
            return Err(Refusal::new("LIMIT_EXCEEDED", format!("A batch has 1 to {MOST} requests, not {}.", parts.len())));
        }
        let halts = body.get("haltOnError").and_then(Json::as_bool).unwrap_or(false);
        let mut failed = false;
        let mut results = Vec::new();
        for part in parts {
            let (status, result) = if failed && halts {
                (412, Refusal::new("BATCH_PROCESSING_HALTED", "Batch processing halted per request.").body())
            } else {
                match self.batched(part, now) {
                    Ok(answer) if answer.body.is_empty() => (answer.status, Json::Null),
                    Ok(answer) => (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Json::Null)),
                    Err(refusal) => (refusal.status, refusal.body()),
                }
            };
            failed |= status >= 400;
            results.push(json!({ "statusCode": status, "result": result }));
        }
        Ok(Answer::json(200, &json!({ "hasErrors": failed, "results": results })))
    }

    fn batched(&mut self, part: &Json, now: Timestamp) -> Result<Answer, Refusal> {
        let text = |name: &str| part.get(name).and_then(Json::as_str).unwrap_or("");
        // `v64.0/sobjects/…`; the whole path is taken too.
        let url = text("url").trim_start_matches('/');
        let url = format!("/services/data/{}", url.strip_prefix("services/data/").unwrap_or(url));
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let method = Method::from_bytes(text("method").as_bytes()).map_err(|_| Refusal::new("INVALID_INPUT", "a subrequest needs a method"))?;
        let body = part.get("richInput").filter(|body| !body.is_null()).map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let headers = HeaderMap::new();
        let ask = Ask::of(method, path, query, &headers, &body)?;
        match ask.steps.first().map(String::as_str) {
            Some("composite" | "jobs") => Err(Refusal::new("INVALID_INPUT", format!("{path} is no resource that a batch takes"))),
            _ => self.carry_out(&ask, now),
        }
    }

    /// Records with their children, all of them or none.
    pub(super) fn tree(&mut self, ask: &Ask<'_>, of: &str, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["POST"])?;
        let table = self.table(of)?;
        let body = ask.json()?;
        let Some(Json::Array(records)) = body.get("records") else {
            return Err(Refusal::new("JSON_PARSER_ERROR", "The request needs a list of records"));
        };
        let noted = self.effects.len();
        self.store.begin();
        let mut planted = Vec::new();
        let mut types = vec![table];
        let grown = self.grow(records, table, None, 1, &mut planted, &mut types, now);
        let known = |at: usize| planted[..at].iter().any(|before: &Planted| before.reference == planted[at].reference);
        let twice = (0..planted.len()).find(|at| known(*at)).map(|at| {
            let message = format!("Duplicate ReferenceId provided in the request: {}", planted[at].reference);
            Refusal::new("INVALID_INPUT", message)
        });
        let failed = grown.is_err() || twice.is_some() || planted.iter().any(|one| one.done.is_err());
        if failed {
            self.store.roll_back();
            self.effects.truncate(noted);
        } else {
            self.store.commit();
        }
        grown?;
        if let Some(twice) = twice {
            return Err(twice);
        }
        // Of a tree that failed only what failed is told.
        let results: Vec<Json> = planted
            .into_iter()
            .filter(|one| one.done.is_err() == failed)
            .map(|one| match one.done {
                Ok(id) => json!({ "referenceId": one.reference, "id": id_text(&self.store.catalog, id) }),
                Err(refusal) => json!({ "referenceId": one.reference, "errors": [refusal.row()] }),
            })
            .collect();
        Ok(Answer::json(if failed { 400 } else { 201 }, &json!({ "hasErrors": failed, "results": results })))
    }

    #[expect(clippy::too_many_arguments, reason = "where in the tree it is, and what is gathered on the way")]
    fn grow(
        &mut self,
        records: &[Json],
        table: usize,
        parent: Option<(usize, Id)>,
        depth: usize,
        planted: &mut Vec<Planted>,
        types: &mut Vec<usize>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let limit = |message: String| Refusal::new("LIMIT_EXCEEDED", message);
        if depth > DEEPEST {
            return Err(limit(format!("A tree is at most {DEEPEST} levels deep.")));
        }
        if !types.contains(&table) {
            types.push(table);
        }
        if types.len() > MOST_TYPES {
            return Err(limit(format!("A tree has records of at most {MOST_TYPES} objects.")));
        }
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[table];
        for record in records {
            if planted.len() >= MOST_RECORDS {
                return Err(limit(format!("A call has at most {MOST_RECORDS} records in its trees.")));
            }
            let Json::Object(record) = record else { return Err(Refusal::new("JSON_PARSER_ERROR", "Each record is a JSON object")) };
            let attribute = |name: &str| record.get("attributes").and_then(|attributes| attributes.get(name)).and_then(Json::as_str);
            let reference = attribute("referenceId").filter(|reference| !reference.is_empty());
            let Some(reference) = reference.map(str::to_owned) else {
                return Err(Refusal::new("INVALID_INPUT", "Each record needs a referenceId in its attributes"));
            };
            if attribute("type").is_some_and(|name| !name.eq_ignore_ascii_case(&of.name)) {
                return Err(Refusal::new("INVALID_INPUT", format!("The record {reference} is no {}", of.name)));
            }
            let child = |name: &str| of.children.iter().find(|child| child.name.eq_ignore_ascii_case(name));
            let (below, own): (Vec<_>, Vec<_>) = record.iter().partition(|(name, value)| child(name).is_some() && value.get("records").is_some());
            let own: Map<String, Json> = own.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            let done = given::read(&self.store, table, &own, &[]).and_then(|mut given| {
                given.extend(parent.map(|(field, to)| given::Given { field, value: given::New::Id(id_text(&catalog, to)) }));
                self.create(table, &given, by_api(now, None))
            });
            let id = done.as_ref().ok().copied();
            planted.push(Planted { reference, done });
            let Some(id) = id else { continue };
            for (name, value) in below {
                let (Some(child), Some(Json::Array(records))) = (child(name), value.get("records")) else {
                    return Err(Refusal::new("JSON_PARSER_ERROR", format!("{name} needs a list of records")));
                };
                self.grow(records, child.table, Some((child.field, id)), depth + 1, planted, types, now)?;
            }
        }
        Ok(())
    }

    /// Composite requests, each graph all or nothing.
    pub(super) fn graph(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["POST"])?;
        let body = ask.json()?;
        let Some(Json::Array(graphs)) = body.get("graphs") else { return Err(Refusal::new("JSON_PARSER_ERROR", "The request needs graphs")) };
        let nodes = |graph: &Json| graph.get("compositeRequest").and_then(Json::as_array).cloned().unwrap_or_default();
        if graphs.len() > MOST_GRAPHS || graphs.iter().map(|graph| nodes(graph).len()).sum::<usize>() > MOST_NODES {
            let message = format!("A call has at most {MOST_GRAPHS} graphs with {MOST_NODES} requests in all.");
            return Err(Refusal::new("LIMIT_EXCEEDED", message));
        }
        let mut answers = Vec::new();
        for graph in graphs {
            let id = graph.get("graphId").and_then(Json::as_str).unwrap_or("");
            if id.is_empty() || graphs.iter().filter(|other| other.get("graphId").and_then(Json::as_str) == Some(id)).count() > 1 {
                return Err(Refusal::new("INVALID_INPUT", format!("graphId is missing or used twice: '{id}'")));
            }
        }
        for graph in graphs {
            let (done, failed) = self.all_parts(&nodes(graph), true, &ask.version, now)?;
            answers.push(json!({ "graphId": graph["graphId"], "graphResponse": { "compositeResponse": done }, "isSuccessful": !failed }));
        }
        Ok(Answer::json(200, &json!({ "graphs": answers })))
    }
}
