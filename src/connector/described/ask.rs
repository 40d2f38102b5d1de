//! One call: what it is made of, how it goes out, and its answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::answer::{Asked, Outcome};
use super::graphql::{self, Fields};
use super::open::Link;
use super::view;
use crate::describe::model::{Ask, Destination, Limit, Request};
use crate::describe::{Filled, Missing, Path, Piece, Scope, Template, printed};
use crate::fault::Fault;
use crate::http::{Call, Cost, Response, SecretParameters};
use crate::value::Json;
use crate::vm::slice;

/// What a call is made of, before it is sent: paging puts its own into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    method: http::Method,
    /// Behind the base, or a whole address; encoded.
    path: String,
    query: Vec<(String, Json)>,
    headers: Vec<(String, String)>,
    body: Option<Json>,
    /// Where it is not one unit of no operation in particular.
    cost: Option<Cost>,
}

/// An answer that says what was asked for.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body; empty where it is no UTF-8.
    text: String,
}

impl Answer {
    pub(super) fn of(response: Response) -> Self {
        let (head, bytes) = response.into_parts();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.into()).unwrap_or_default() }
    }

    /// The body; empty where it is no UTF-8.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the paths of a call are below: the answer, or the field of its document.
    pub(super) fn result<'a>(&'a self, ask: &Ask) -> Option<&'a str> {
        match &ask.request {
            Request::Rest { .. } => slice::value_at(self.text(), &[]),
            Request::GraphQl { field, .. } => slice::value_at(self.text(), &["data", &field.node]),
        }
    }

    /// What an answer has for a field of a document, by its place; it may be null.
    pub(super) fn field(&self, at: usize) -> Option<&str> {
        slice::value_at(self.text(), &["data", &graphql::alias(at)])
    }

    /// The result of a field of a document by its place; none where it has none.
    pub(super) fn aliased(&self, at: usize) -> Option<&str> {
        self.field(at).filter(|result| *result != "null")
    }

    /// The error of a field of a document by its place.
    pub(super) fn error_of(&self, at: usize) -> Option<Json> {
        let alias = graphql::alias(at);
        let errors = slice::value_at(self.text(), &["errors"]).and_then(slice::elements)?;
        let mut errors = errors.into_iter().filter_map(|error| serde_json::from_str::<Json>(error).ok());
        errors.find(|error| error["path"][0].as_str() == Some(&alias))
    }

    /// The headers by their names in small letters, as expressions read them.
    pub(super) fn headers(&self) -> Json {
        let text = |value: &HeaderValue| value.to_str().ok().map(Json::from);
        Json::Object(self.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect())
    }
}

impl Parts {
    /// Puts a value where paging has it. What stands there already is replaced.
    pub(super) fn put(&mut self, to: &Destination, value: Json) {
        match to {
            Destination::Query(name) => {
                self.query.retain(|(known, _)| known != name);
                self.query.push((name.clone(), value));
            }
            Destination::Header(name) => {
                self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                self.headers.push((name.clone(), printed(&value)));
            }
            Destination::Body(names) => put_below(self.body.get_or_insert(Json::Null), names, value),
            // Those stand in the document.
            Destination::Argument(_) | Destination::Field { .. } => {}
        }
    }

    /// How many records are asked for at most, where the query or the body says it.
    pub(super) fn most(&self) -> Option<u64> {
        let query: Json = Json::Object(self.query.iter().cloned().collect());
        most(&query).or_else(|| self.body.as_ref().and_then(most))
    }

    /// Leaves out what is asked for by the query.
    pub(super) fn without_query(&mut self) {
        self.query.clear();
    }

    /// The path, for messages.
    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

impl Link {
    /// What a call is made of.
    ///
    /// # Errors
    /// A value that it needs is missing, or cannot stand in a path.
    pub(super) fn parts(&self, ask: &Ask, scope: &Scope<'_>) -> Result<Parts, Fault> {
        let Request::Rest { method, path, query, body } = &ask.request else {
            // Of GraphQL: what the call itself names. What a record has is asked for by who knows the object.
            let mut fields = Fields::default();
            for path in ask.records.iter().chain(&ask.record).chain(&ask.select) {
                fields.path(path);
            }
            return self.document(ask, &[(None, self.arguments(ask, scope)?)], &fields);
        };
        let mut parts = Parts { method: method.clone(), path: encoded_path(path, scope)?, cost: self.cost(method, path), ..Parts::default() };
        for (name, value) in query {
            match value {
                // Each element by itself, under the same name.
                Filled::List(items) => {
                    for item in items {
                        parts.query.extend(item.fill(scope).map_err(incomplete)?.map(|value| (name.node.clone(), value)));
                    }
                }
                one => parts.query.extend(one.fill(scope).map_err(incomplete)?.map(|value| (name.node.clone(), value))),
            }
        }
        for (name, value) in self.of.headers.iter().chain(&ask.headers) {
            if let Some(value) = value.fill(scope).map_err(incomplete)? {
                parts.headers.push((name.node.clone(), printed(&value)));
            }
        }
        parts.body = match body {
            Some(body) => body.fill(scope).map_err(incomplete)?,
            None => None,
        };
        Ok(parts)
    }

    /// The operation of a call, where a limit is of it.
    fn cost(&self, method: &http::Method, path: &Template) -> Option<Cost> {
        let named = |limit: &Limit| matches!(limit, Limit::Bucket { of: Some(of), .. } if is_operation(&of.node, method, path));
        let of = self.of.limits.iter().find(|limit| named(limit))?;
        let Limit::Bucket { of: Some(of), .. } = of else { return None };
        Some(Cost { operation: of.node.clone().into(), units: 1 })
    }

    /// The arguments of a GraphQL call.
    ///
    /// # Errors
    /// A value that it needs is missing, or a field's name is none.
    pub(super) fn arguments(&self, ask: &Ask, scope: &Scope<'_>) -> Result<Option<Json>, Fault> {
        let Request::GraphQl { arguments: Some(arguments), .. } = &ask.request else { return Ok(None) };
        let filled = arguments.fill(scope).map_err(incomplete)?;
        // The names of a record's fields are a stranger's: one that is no name would be read as a part of the document.
        match filled.as_ref().and_then(graphql::no_name) {
            Some(name) => Err(Fault::rejected("request", format!("`{name}` is no name that a field of GraphQL can have"), Some(name.to_owned()))),
            None => Ok(filled),
        }
    }

    /// A GraphQL document as a call: a field for each alias, with what is asked for below it.
    ///
    /// # Errors
    /// The description has no address of GraphQL.
    pub(super) fn document(&self, ask: &Ask, fields: &[(Option<String>, Option<Json>)], below: &Fields) -> Result<Parts, Fault> {
        let path = self.of.graphql.as_ref().ok_or_else(|| Fault::rejected("request", "the description has no `graphql`", None))?;
        let text = graphql::document(ask, fields, below);
        let most = self.of.limits.iter().find_map(|limit| if let Limit::Credits(credits) = limit { Some(credits.most) } else { None });
        let units = below.cost().max(1).saturating_mul(fields.len() as u64);
        let units = most.map_or(1, |most| units.min(most));
        let body = Json::Object([("query".to_owned(), Json::from(text))].into_iter().collect());
        let cost = Cost { operation: "".into(), units: u32::try_from(units).unwrap_or(u32::MAX) };
        Ok(Parts { method: http::Method::POST, path: path.node.clone(), body: Some(body), cost: Some(cost), ..Parts::default() })
    }

    /// Reads: `None` where the system says that there is no such thing.
    ///
    /// # Errors
    /// What the answer means, where it is not what was asked for.
    pub(super) async fn read_parts(&self, call: &Call, object: &str, ask: &Ask, parts: &Parts) -> Result<Option<Answer>, Fault> {
        let asked = Asked { object, write: false, aliases: false, several: false, proven: false };
        match self.carried_out(call, asked, ask, parts).await? {
            Outcome::Done(answer) => Ok(Some(answer)),
            Outcome::Absent => Ok(None),
            Outcome::Refused(fault) | Outcome::Expired(fault) => Err(fault),
        }
    }

    /// Sends a call, with a new token where the one that it had is no longer good.
    ///
    /// # Errors
    /// It got no answer, or no token.
    pub(super) async fn carried_out(&self, call: &Call, asked: Asked<'_>, ask: &Ask, parts: &Parts) -> Result<Outcome, Fault> {
        let by = ask.by.as_ref().map(|by| by.node.as_str());
        let mut renewed = 0;
        loop {
            let proof = self.proof(by).await?;
            let request = self.request(parts, &proof)?;
            let answer = match self.client.send(call, request).await {
                Ok(answer) => answer,
                // A read that got no answer changed nothing.
                Err(Fault::Ambiguous { reason }) if !asked.write => return Err(Fault::transient(reason)),
                Err(fault) => return Err(fault),
            };
            let outcome = self.meaning(asked, answer);
            let most = self.of.auth.refresh.as_ref().map_or(1, |refresh| refresh.times);
            if let Outcome::Expired(fault) = &outcome
                && renewed < most
            {
                let is_renewed = self.forget(&proof).await;
                // A write that may have been done is not sent again.
                if is_renewed && !matches!(fault, Fault::Ambiguous { .. }) {
                    renewed += 1;
                    continue;
                }
            }
            return Ok(outcome);
        }
    }

    fn request(&self, parts: &Parts, proof: &super::sign_in::Proof) -> Result<crate::http::Request, Fault> {
        let unsent = |error: String| Fault::rejected("request", format!("it cannot be put into a request: {error}"), None);
        let mut target = self.address(&parts.path).ok_or_else(|| unsent(format!("`{}` is no address of {}", parts.path, self.of.title)))?;
        let mut pairs: Vec<(&str, String)> = parts.query.iter().map(|(name, value)| (name.as_str(), in_query(value))).collect();
        pairs.extend(proof.query.iter().map(|(name, value)| (name.as_str(), value.clone())));
        if !pairs.is_empty() {
            let sign = if target.contains('?') { '&' } else { '?' };
            target = format!("{target}{sign}{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish());
        }
        let mut request = http::Request::builder().method(parts.method.clone()).uri(target).header(header::ACCEPT, "application/json");
        if parts.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = parts.body.as_ref().map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut request = request.body(body).map_err(|error| unsent(error.to_string()))?;
        for (name, value) in &parts.headers {
            let name: http::HeaderName = name.parse().map_err(|error: http::header::InvalidHeaderName| unsent(error.to_string()))?;
            request.headers_mut().insert(name, HeaderValue::from_str(value).map_err(|error| unsent(error.to_string()))?);
        }
        request.headers_mut().extend(proof.headers.clone());
        if !proof.query.is_empty() {
            request.extensions_mut().insert(SecretParameters(proof.query.iter().map(|(name, _)| name.clone()).collect()));
        }
        if let Some(cost) = &parts.cost {
            request.extensions_mut().insert(cost.clone());
        }
        Ok(request)
    }

    /// The records of an answer's list.
    ///
    /// # Errors
    /// The answer has no such list.
    pub(super) fn records<'a>(&self, ask: &Ask, parts: &Parts, answer: &'a Answer) -> Result<Vec<&'a str>, Fault> {
        let found = answer.result(ask).and_then(|result| view::records(result, ask.records.as_ref()));
        found.ok_or_else(|| self.no_list(ask, parts))
    }

    /// The one record of a result.
    ///
    /// # Errors
    /// The result has no such record.
    pub(super) fn record<'a>(&self, ask: &Ask, parts: &Parts, result: Option<&'a str>) -> Result<&'a str, Fault> {
        let record = result.and_then(|result| view::at(result, ask.record.as_ref()));
        record.filter(|record| record.starts_with('{')).ok_or_else(|| self.no_record(ask, parts))
    }

    pub(super) fn no_list(&self, ask: &Ask, parts: &Parts) -> Fault {
        self.not_as_described(ask, parts, "list", "records", ask.records.as_ref())
    }

    pub(super) fn no_record(&self, ask: &Ask, parts: &Parts) -> Fault {
        self.not_as_described(ask, parts, "record", "record", ask.record.as_ref())
    }

    /// It may be an error page of something between: it is asked again.
    fn not_as_described(&self, ask: &Ask, parts: &Parts, what: &str, key: &str, at: Option<&Path>) -> Fault {
        let asked = match &ask.request {
            Request::Rest { method, .. } => format!("{method} {}", parts.path),
            Request::GraphQl { field, .. } => field.node.clone(),
        };
        let title = &self.of.title;
        Fault::transient(match at {
            Some(at) => format!("the answer of {title} to `{asked}` has no {what} at `{at}` (the key `{key}` of the description)"),
            None => format!("the answer of {title} to `{asked}` is no {what} (the description has no key `{key}`)"),
        })
    }
}

/// How many records some parameters ask for at most, by the names that APIs have for it.
pub(super) fn most(given: &Json) -> Option<u64> {
    const NAMES: [&str; 12] =
        ["limit", "first", "pageSize", "page_size", "pagesize", "perPage", "per_page", "size", "count", "maxResults", "max_results", "$top"];
    NAMES.iter().filter_map(|name| given.get(*name)).find_map(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

/// Puts a value under names that stand in each other. What is no object becomes one.
pub(super) fn put_below(json: &mut Json, names: &[String], value: Json) {
    let Some((name, rest)) = names.split_first() else {
        *json = value;
        return;
    };
    if !json.is_object() {
        *json = Json::Object(serde_json::Map::new());
    }
    if let Json::Object(fields) = json {
        put_below(fields.entry(name.clone()).or_insert(Json::Null), rest, value);
    }
}

/// Whether a call is the operation that a limit names: `GET /orders/{orderId}`, whatever its parameters are called.
fn is_operation(named: &str, method: &http::Method, path: &Template) -> bool {
    let Some((word, form)) = named.split_once(' ') else { return false };
    let mut rest = form;
    for piece in &path.pieces {
        let behind = match piece {
            Piece::Text(text) => rest.strip_prefix(text.as_str()),
            Piece::Value { .. } => rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(_, rest)| rest),
        };
        match behind {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    word == method.as_str() && rest.is_empty()
}

/// A value in a query: a list with commas between.
fn in_query(value: &Json) -> String {
    match value {
        Json::Array(items) => items.iter().map(printed).collect::<Vec<_>>().join(","),
        other => printed(other),
    }
}

/// A value that a template needs and that is not there.
pub(super) fn incomplete(missing: Missing) -> Fault {
    Fault::rejected("request", format!("the request cannot be made: {missing}"), None)
}

/// A path whose values are each one piece of it: none leads out of its place.
fn encoded_path(path: &Template, scope: &Scope<'_>) -> Result<String, Fault> {
    let mut out = String::new();
    for piece in &path.pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Value { value, .. } => {
                let text = value.value(scope).map(|value| printed(&value)).unwrap_or_default();
                if text.is_empty() || text == "." || text == ".." {
                    return Err(incomplete(Missing(value.text.clone())));
                }
                for byte in text.bytes() {
                    match byte {
                        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
                        _ => out.push_str(&format!("%{byte:02X}")),
                    }
                }
            }
        }
    }
    Ok(out)
}
