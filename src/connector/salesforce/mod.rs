//! Salesforce: REST API, sObject collections, Bulk API 2.0.
//!
//! What it can and cannot do stands in `README.md` beside this file.

mod auth;
mod bulk;
mod chain;
mod composite;
mod query;
pub mod soql;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::SignedDuration;

use self::auth::SignIn;
use super::registry::{Settings, Unusable};
use super::{
    Change, Connector, Found, Hint, LookupRequest, Page, Queries, ReadRequest, Reading, Receipt, Selection, Stream, WebhookRefusal, WebhookReply,
    WebhookRequest, WriteRequest,
};
use crate::fault::Fault;
use crate::http::{Answer, Call, Client, Clock, Limit, Request, Response, Transport};
use crate::schema::Named;
use crate::value::{Json, ObjectRef};

/// The system's name in `crossdock.yaml`.
pub(super) const SYSTEM: &str = "salesforce";

/// # Errors
/// As [`Salesforce::new`].
pub(super) fn open(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Connector>, Unusable> {
    Ok(Arc::new(Salesforce::new(settings, transport, clock)?))
}

/// Items in one call of the collections resource.
const COLLECTION: usize = 200;
/// What it takes at most for a commit to show under its stamp: a transaction's own length.
const LATE_COMMIT: SignedDuration = SignedDuration::from_mins(10);

pub struct Salesforce {
    client: Client,
    limit: Arc<Limit>,
    sign_in: SignIn,
    version: String,
    bulk_above: usize,
    /// Of the daily budget, how much may be used, in percent.
    percent: u64,
    used: AtomicU64,
    budget: AtomicU64,
    /// Records of a page: fewer where a page was longer than is taken.
    rows: AtomicUsize,
}

impl Salesforce {
    /// # Errors
    /// A setting is missing or cannot be understood.
    pub fn new(settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let limit = Arc::new(settings.limit());
        let wrong = |message: &str, hint: &str| Unusable { connection: settings.name.clone(), message: message.to_owned(), hint: hint.to_owned() };
        let number = |name: &str| {
            let text = settings.or_default(name);
            text.parse::<u64>().map_err(|_| wrong(&format!("has a `{name}` that is no number"), "write a whole number"))
        };
        let version = settings.or_default("api_version").to_owned();
        if version.strip_prefix('v').is_none_or(|number| number.parse::<f32>().is_err()) {
            return Err(wrong("has an `api_version` that is none", "write it as Salesforce does: v64.0"));
        }
        Ok(Salesforce {
            client: Client::new(transport, clock, Arc::clone(&limit)),
            limit,
            sign_in: SignIn::new(settings)?,
            version,
            bulk_above: usize::try_from(number("bulk_above")?).unwrap_or(usize::MAX),
            percent: number("budget_percent")?.clamp(1, 100),
            used: AtomicU64::new(0),
            budget: AtomicU64::new(0),
            rows: AtomicUsize::new(query::PAGE),
        })
    }

    /// Sends a request to the org, signed in; a session that has ended is renewed once.
    async fn send(&self, call: &Call, method: http::Method, path: &str, content: &str, body: Vec<u8>) -> Result<Response, Fault> {
        self.send_for(call, None, method, path, content, body).await
    }

    /// The same for an answer of a kind of its own.
    async fn send_for(
        &self,
        call: &Call,
        answer: Option<Answer>,
        method: http::Method,
        path: &str,
        content: &str,
        body: Vec<u8>,
    ) -> Result<Response, Fault> {
        let body = bytes::Bytes::from(body);
        let mut renewed = false;
        loop {
            let token = self.sign_in.token(&self.client).await?;
            let url = format!("{}{path}", token.instance);
            let mut request: Request = http::Request::builder()
                .method(method.clone())
                .uri(&url)
                .header("authorization", format!("Bearer {}", token.secret.reveal()))
                .header("content-type", content)
                .header("accept", if content == "text/csv" { "text/csv" } else { "application/json" })
                .body(body.clone())
                .map_err(|error| Fault::transient(format!("the request cannot be made: {error}")))?;
            if let Some(answer) = answer {
                request.extensions_mut().insert(answer);
            }
            let response = self.client.send(call, request).await?;
            self.count(&response);
            if response.status() == 401 && !renewed {
                renewed = true;
                self.sign_in.forget(&token).await;
                continue;
            }
            return Ok(response);
        }
    }

    /// Learns the day's budget from an answer, and stops before it is used up.
    fn count(&self, response: &Response) {
        let Some((used, budget)) = response.headers().get("sforce-limit-info").and_then(|value| wire::usage(value.to_str().ok()?)) else { return };
        self.used.store(used, Ordering::Relaxed);
        self.budget.store(budget, Ordering::Relaxed);
        if budget > 0 && used * 100 >= budget * self.percent {
            let now = self.client.now();
            // The budget is counted over the last 24 hours: it comes back little by little.
            self.limit.pause(now, now.checked_add(SignedDuration::from_mins(15)).ok());
        }
    }

    fn data(&self, rest: &str) -> String {
        format!("/services/data/{}/{rest}", self.version)
    }

    /// A read: its answer.
    async fn get(&self, call: &Call, path: &str) -> Result<Response, Fault> {
        let response = self.send(call, http::Method::GET, path, "application/json", Vec::new()).await.map_err(wire::passing)?;
        self.accepted(response, wire::Kind::Read)
    }

    /// A read: its answer as JSON.
    async fn read(&self, call: &Call, path: &str) -> Result<Json, Fault> {
        let response = self.get(call, path).await?;
        serde_json::from_slice(response.body()).map_err(|error| Fault::transient(format!("the answer is no JSON: {error}")))
    }

    /// An answer that is a success, or the fault that it means.
    fn accepted(&self, response: Response, kind: wire::Kind) -> Result<Response, Fault> {
        if response.status().is_success() {
            return Ok(response);
        }
        let fault = wire::refusal(&response, kind);
        if let Fault::Throttled { .. } = fault {
            let now = self.client.now();
            let until = self.limit.pause(now, None);
            return Err(Fault::Throttled { until: Some(until), reason: "the org's limit of calls is reached".to_owned() });
        }
        Err(fault)
    }
}

#[async_trait]
impl Connector for Salesforce {
    fn system(&self) -> &'static str {
        SYSTEM
    }

    fn limit(&self) -> &Limit {
        &self.limit
    }

    fn streams(&self, of: &Selection<'_>) -> Vec<Stream> {
        let stream = |name: String, only_later| Stream { name, overlap: LATE_COMMIT, only_later };
        let mut streams = vec![stream(of.object.object.clone(), false)];
        for child in soql::children(of) {
            streams.push(stream(child.object.clone(), true));
        }
        if !of.filter.is_empty() {
            streams.push(stream("left".to_owned(), true));
        }
        streams.push(stream("deleted".to_owned(), true));
        streams
    }

    async fn changes(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault> {
        self.page(call, ask).await
    }

    async fn fetch_by_id(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault> {
        self.records(call, of, ids).await
    }

    fn queries(&self, of: &Selection<'_>) -> Queries {
        Queries { records: soql::query(of), children: soql::child_queries(of) }
    }

    fn fetch_batch(&self, _of: &Selection<'_>) -> usize {
        // An id takes 25 characters in a URL; a query with long lists of fields takes half of it.
        300
    }

    async fn lookup(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        self.found(call, ask).await
    }

    fn read_cost(&self, _of: &Selection<'_>) -> Reading {
        Reading { page: query::PAGE, each: 0 }
    }

    fn lookup_batch(&self, _object: &ObjectRef, field: &[String]) -> usize {
        // Several queries go in one call, each as long as its URL may be. Ids are short; of other texts nobody knows how
        // long they are.
        if field.last().is_some_and(|name| name == "Id" || name.ends_with("Id")) { 2_000 } else { 1_000 }
    }

    async fn send(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        match batch.riders {
            Some(riders) => self.with_riders(call, batch, riders).await,
            None if batch.items.len() > self.bulk_above.max(COLLECTION) => self.in_bulk(call, batch).await,
            None => self.in_collections(call, batch).await,
        }
    }

    fn webhook(&self, _request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        Err("Salesforce sends no webhooks: its changes are polled".into())
    }

    async fn resolve_webhook(&self, _call: &Call, _of: &Selection<'_>, _hint: &Hint) -> Result<Page, Fault> {
        Ok(Page { changes: Vec::new(), cursor: None, more: false })
    }

    async fn reference_data(&self, call: &Call, kinds: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault> {
        let mut names = BTreeMap::new();
        let known = [
            ("User", "SELECT Id, Name FROM User WHERE IsActive = true ORDER BY Name"),
            ("Queue", "SELECT Id, Name FROM Group WHERE Type = 'Queue' ORDER BY Name"),
            ("RecordType", "SELECT Id, Name FROM RecordType WHERE IsActive = true ORDER BY Name"),
        ];
        for (kind, query) in known.into_iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(*kind)) {
            let rows = self.rows(call, "query", query).await?;
            let named = |row: &Json| Some(Named { name: row.get("Name")?.as_str()?.to_owned(), id: row.get("Id")?.clone() });
            names.insert(kind.to_owned(), rows.iter().filter_map(named).collect());
        }
        Ok(names)
    }

    async fn describe(&self, call: &Call, object: &str) -> Result<Option<Json>, Fault> {
        if !object.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || object.is_empty() {
            return Err(Fault::rejected("name", format!("`{object}` is no name of an object"), None));
        }
        let described = self.read(call, &self.data(&format!("sobjects/{object}/describe"))).await?;
        Ok(Some(wire::snapshot(&described)))
    }

    async fn check_connection(&self, call: &Call) -> Result<String, Fault> {
        let org = self.rows(call, "query", "SELECT Id, Name FROM Organization LIMIT 1").await?;
        let id = org.first().and_then(|org| org.get("Id")).and_then(Json::as_str).unwrap_or("(unknown)").to_owned();
        let (used, budget) = self.budget().unwrap_or((0, 0));
        Ok(format!("Salesforce org {id}, API {}, {used} of {budget} calls of the day used", self.version))
    }

    fn budget(&self) -> Option<(u64, u64)> {
        let budget = self.budget.load(Ordering::Relaxed);
        (budget > 0).then(|| (self.used.load(Ordering::Relaxed), budget))
    }
}
