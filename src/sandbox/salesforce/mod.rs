//! Salesforce's REST API, on this machine.
//!
//! `/services/oauth2/token`, and below `/services/data/vNN.N/`: queries, records, collections, composite, bulk ingest jobs,
//! descriptions and limits, with the vendor's semantics and words. One org with the objects of [`catalog`], orders that
//! [`seed`] makes up, and persons who do what [`act`] knows.
//!
//! Where the vendor does more, the sandbox refuses with 501 and says what it does not imitate, in the vendor's form ([`beyond`]).
//! What it leaves out: triggers, sharing, record types, several currencies, files, SOSL, and the parts of SOQL that [`soql`] names.

mod act;
#[cfg(test)]
mod api_tests;
mod batch;
mod beyond;
mod bulk;
mod bulk_query;
mod catalog;
mod cell;
mod columns;
mod composite;
mod describe;
mod given;
mod id;
mod places;
mod query;
mod records;
mod refusal;
mod related;
mod seed;
mod sign_in;
mod soql;
mod store;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use self::bulk::Jobs;
use self::bulk_query::QueryJobs;
use self::catalog::Catalog;
use self::cell::to_millisecond;
use self::id::Id;
use self::query::Cursors;
use self::refusal::Refusal;
use self::seed::Seeded;
use self::sign_in::Tokens;
use self::store::Store;
use self::wire::{Answer, Ask};
use super::rng::Rng;
use super::{Act, Delivery, Effect, System};
use crate::http::{Request, Response};
use crate::value::Json;

/// How an org is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// What sign-in gives as `instance_url`.
    pub base_url: String,
    /// Orders that are there from the beginning.
    pub orders: usize,
    pub seed: u64,
    /// When they were made: no stamp of them is later.
    pub start: Timestamp,
    /// Calls of the API within 24 hours; without it there is no limit.
    pub daily_calls: Option<u64>,
    /// A person's change shows up to so much later than its stamp says, and holds its record locked until then.
    pub late_commit: SignedDuration,
    /// Records of one page of a query.
    pub page: usize,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    /// PEM. With it a JWT must be signed (RS256) by its private key; without it the signature is not looked at.
    pub public_key: Option<String>,
    /// How often, in a thousand writes of the API, somebody else holds the record.
    pub locks_per_mille: u32,
    /// Objects of a project: its own ones, and what its org's others have beside the usual.
    pub objects: Vec<crate::schema::Object>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            base_url: "http://127.0.0.1:8461".to_owned(),
            orders: 100,
            seed: 7,
            start: Timestamp::UNIX_EPOCH,
            daily_calls: None,
            late_commit: SignedDuration::ZERO,
            page: 2000,
            client_id: Some("sandbox".to_owned()),
            client_secret: Some("sandbox".to_owned()),
            public_key: None,
            locks_per_mille: 0,
            objects: Vec::new(),
        }
    }
}

/// What the header names as the limit where there is none.
const NO_LIMIT: u64 = 15_000_000;
/// Longer addresses are refused, in bytes.
const LONGEST_URI: usize = 16_384;

/// An org.
pub struct Salesforce {
    options: Options,
    store: Store,
    dice: Rng,
    tokens: Tokens,
    cursors: Cursors,
    jobs: Jobs,
    query_jobs: QueryJobs,
    seeded: Seeded,
    /// The API's user, and a person.
    user: Id,
    person: Id,
    /// Validation rules: object and field to their message.
    rules: BTreeMap<(String, String), String>,
    effects: Vec<Effect>,
    calls: u64,
    /// Calls by the hour, of the last 24.
    usage: VecDeque<(i64, u64)>,
}

/// The products that the org sells: code, name, weight in grams. Who keeps them has them too.
pub fn products() -> impl Iterator<Item = (&'static str, &'static str, i64)> {
    places::PRODUCTS.iter().map(|(code, name, _, grams, _)| (*code, *name, *grams))
}

impl Salesforce {
    pub fn new(options: Options) -> Self {
        let catalog = if options.objects.is_empty() { Catalog::get() } else { Catalog::with(&options.objects) };
        let mut org = Salesforce {
            store: Store::new(catalog),
            dice: Rng::new(options.seed),
            tokens: Tokens::default(),
            cursors: Cursors::default(),
            jobs: Jobs::default(),
            query_jobs: QueryJobs::default(),
            seeded: Seeded::new(options.seed),
            user: Id { table: 0, row: 0 },
            person: Id { table: 0, row: 0 },
            rules: BTreeMap::new(),
            effects: Vec::new(),
            calls: 0,
            usage: VecDeque::new(),
            options,
        };
        org.plant();
        org
    }

    /// Lets everything happen that is due: late commits and bulk jobs, in the order of time.
    fn settle(&mut self, now: Timestamp) {
        loop {
            let commit = self.store.next_commit().filter(|at| *at <= now);
            let job = self.jobs.next_due().filter(|at| *at <= now);
            match (commit, job) {
                (Some(commit), Some(job)) if job < commit => self.run_job(job),
                (Some(commit), _) => self.store.commit_until(commit),
                (None, Some(job)) => self.run_job(job),
                (None, None) => return,
            }
        }
    }

    fn used(&mut self, now: Timestamp) -> u64 {
        let hour = now.as_second().div_euclid(3600);
        while self.usage.front().is_some_and(|(of, _)| *of <= hour - 24) {
            self.usage.pop_front();
        }
        self.usage.iter().map(|(_, calls)| calls).sum()
    }

    fn count(&mut self, now: Timestamp) {
        let hour = now.as_second().div_euclid(3600);
        match self.usage.back_mut() {
            Some((of, calls)) if *of == hour => *calls += 1,
            _ => self.usage.push_back((hour, 1)),
        }
    }

    fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        let whole = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        if whole.len() > LONGEST_URI {
            return Answer::refused(&Refusal::new("URI_TOO_LONG", "The URI is too long"), false);
        }
        let path = request.uri().path();
        match path.trim_end_matches('/') {
            "/services/oauth2/token" => return self.sign_in(request, now),
            "/services/oauth2/revoke" => return self.revoke(request),
            "/services/data" => return wire::versions(),
            _ => {}
        }
        if let Some(refusal) = beyond::service(path) {
            return Answer::refused(&refusal, false);
        }
        let max = self.options.daily_calls.unwrap_or(NO_LIMIT);
        let answer = self.signed_in(request, path, now, max);
        let used = self.used(now).min(max);
        answer.with("sforce-limit-info", format!("api-usage={used}/{max}"))
    }

    fn signed_in(&mut self, request: &Request, path: &str, now: Timestamp, max: u64) -> Answer {
        let writes = request.method() != http::Method::GET;
        let refused = |refusal: &Refusal| Answer::refused(refusal, writes);
        let token = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
        let token = token.strip_prefix("Bearer ").or_else(|| token.strip_prefix("OAuth ")).unwrap_or("");
        if !self.tokens.is_good(token, now) {
            return refused(&Refusal::new("INVALID_SESSION_ID", "Session expired or invalid"));
        }
        if self.used(now) >= max {
            return refused(&Refusal::new("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
        }
        self.count(now);
        if path == "/services/oauth2/userinfo" {
            return self.user_info();
        }
        if let Some(rest) = path.strip_prefix("/id/") {
            return self.identity(rest, now);
        }
        let ask = Ask::of(request.method().clone(), path, request.uri().query().unwrap_or(""), request.headers(), request.body());
        match ask.and_then(|ask| self.carry_out(&ask, now)) {
            Ok(answer) => answer,
            Err(refusal) => refused(&refusal),
        }
    }

    /// One request below `/services/data/vNN.N/`.
    fn carry_out(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, Refusal> {
        let steps: Vec<&str> = ask.steps.iter().map(String::as_str).collect();
        match steps.as_slice() {
            [] | [""] => Ok(wire::resources(&ask.version, &self.identity_url())),
            ["query", rest @ ..] => self.query(ask, rest, false, now),
            ["queryAll", rest @ ..] => self.query(ask, rest, true, now),
            ["sobjects"] => ask.only(&["GET"]).map(|()| self.describe_all(&ask.version)),
            ["sobjects", of, "describe"] => ask.only(&["GET"]).and_then(|()| self.describe(of, &ask.version)),
            ["sobjects", of, rest @ ..] => self.records(ask, of, rest, now),
            ["composite"] => self.composite(ask, now),
            ["composite", "batch"] => self.batch(ask, now),
            ["composite", "graph"] => self.graph(ask, now),
            ["composite", "tree", of] => self.tree(ask, of, now),
            ["composite", "sobjects", rest @ ..] => self.collection(ask, rest, now),
            ["jobs", "ingest", rest @ ..] => self.jobs(ask, rest, now),
            ["jobs", "query", rest @ ..] => self.query_jobs(ask, rest, now),
            ["limits", "recordCount"] => {
                ask.only(&["GET"])?;
                Ok(self.record_count(ask))
            }
            ["limits"] => {
                ask.only(&["GET"])?;
                let max = self.options.daily_calls.unwrap_or(NO_LIMIT);
                let left = max.saturating_sub(self.used(now));
                Ok(wire::limits(max, left))
            }
            steps => Err(beyond::resource(steps)),
        }
    }

    /// `/limits/recordCount?sObjects=Account,Contact`
    fn record_count(&self, ask: &Ask<'_>) -> Answer {
        let wanted = ask.parameter("sObjects").unwrap_or("");
        let types = self.store.catalog.types.iter().enumerate();
        let asked = types.filter(|(_, of)| wanted.is_empty() || wanted.split(',').any(|name| name.trim().eq_ignore_ascii_case(&of.name)));
        let counts: Vec<Json> = asked.map(|(table, of)| serde_json::json!({ "count": self.store.live(table).count(), "name": of.name })).collect();
        Answer::json(200, &serde_json::json!({ "sObjects": counts }))
    }
}

impl System for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn error(&self, words: &str) -> Json {
        serde_json::json!([{"message": words, "errorCode": "UNKNOWN_EXCEPTION"}])
    }

    fn throttled(&self) -> (u16, Json, &'static [(&'static str, &'static str)]) {
        (403, serde_json::json!([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]), &[])
    }

    fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        self.calls += 1;
        let now = to_millisecond(now);
        self.settle(now);
        let mut response = self.answer(request, now).into_response();
        super::date(&mut response, now);
        response
    }

    fn act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String> {
        let now = to_millisecond(now);
        self.settle(now);
        self.carry_act(act, now)
    }

    /// Salesforce sends no webhooks.
    fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.settle(to_millisecond(now));
        Vec::new()
    }

    fn effects(&self) -> &[Effect] {
        &self.effects
    }

    fn calls(&self) -> u64 {
        self.calls
    }
}
