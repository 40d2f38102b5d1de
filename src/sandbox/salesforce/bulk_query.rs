//! Bulk API 2.0, query: a job, and its CSV in pieces.
//!
//! What a job finds is fixed when it is made; it tells of it when it has run.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Salesforce;
use super::bulk::{delimiter, delimiter_name, ending};
use super::cell::{Cell, id_text, stamp};
use super::columns;
use super::id::{self, Id};
use super::refusal::Refusal;
use super::soql::bind::{Bound, Gives, Lookup, Out};
use super::soql::run;
use super::wire::{Answer, Ask};
use crate::value::Json;

/// When a job has left the queue, and when it is done.
const QUEUED: SignedDuration = SignedDuration::from_secs(1);
const DONE: SignedDuration = SignedDuration::from_secs(2);
/// Records of one piece, where none are asked for.
const PIECE: usize = 50_000;

#[derive(Debug, Default)]
pub(super) struct QueryJobs {
    all: BTreeMap<u32, Job>,
    made: u32,
}

#[derive(Debug)]
struct Job {
    object: String,
    deleted: bool,
    delimiter: u8,
    ending: &'static str,
    version: String,
    created: Timestamp,
    aborted: Option<Timestamp>,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Job {
    fn state(&self, now: Timestamp) -> &'static str {
        let age = now.duration_since(self.created);
        match self.aborted {
            Some(_) => "Aborted",
            None if age < QUEUED => "UploadComplete",
            None if age < DONE => "InProgress",
            None => "JobComplete",
        }
    }
}

impl Salesforce {
    /// `rest` is what stands behind `/jobs/query`.
    pub(super) fn query_jobs(&mut self, ask: &Ask<'_>, rest: &[&str], now: Timestamp) -> Result<Answer, Refusal> {
        let [text, rest @ ..] = rest else {
            ask.only(&["GET", "POST"])?;
            if ask.method == http::Method::POST {
                return self.new_query_job(ask, now);
            }
            let records: Vec<Json> = self.query_jobs.all.iter().map(|(number, job)| self.query_job_json(*number, job, now, false)).collect();
            return Ok(Answer::json(200, &json!({ "done": true, "records": records, "nextRecordsUrl": null })));
        };
        // Query jobs and ingest jobs are of one kind, and so their ids never are the same.
        let number = id::read(text).filter(|(prefix, _)| *prefix == "750").and_then(|(_, number)| number?.checked_sub(FIRST));
        let number = number.filter(|number| self.query_jobs.all.contains_key(number)).ok_or_else(Refusal::not_found)?;
        let wrong = |message: &str| Refusal::new("INVALIDJOBSTATE", message);
        let Some(job) = self.query_jobs.all.get_mut(&number) else { return Err(Refusal::not_found()) };
        match (ask.method.as_str(), rest) {
            ("GET", []) => {}
            ("PATCH", []) => match (ask.json()?.get("state").and_then(Json::as_str), job.state(now)) {
                (Some("Aborted"), "UploadComplete" | "InProgress") => job.aborted = Some(now),
                _ => return Err(wrong("The job is in a state that does not allow this")),
            },
            ("DELETE", []) => {
                if matches!(job.state(now), "UploadComplete" | "InProgress") {
                    return Err(wrong("A job that is open or under way cannot be deleted"));
                }
                self.query_jobs.all.remove(&number);
                return Ok(Answer::empty(204));
            }
            ("GET", ["results"]) => {
                if job.state(now) != "JobComplete" {
                    return Err(wrong("The results are there when the job is done"));
                }
                return piece(job, ask);
            }
            ("GET", ["resultPages"]) => return Err(Refusal::not_imitated("the parallel results of a query job")),
            _ => return Err(Refusal::not_found()),
        }
        let job = self.query_jobs.all.get(&number).ok_or_else(Refusal::not_found)?;
        Ok(Answer::json(200, &self.query_job_json(number, job, now, ask.method == http::Method::GET)))
    }

    fn new_query_job(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, Refusal> {
        let body = ask.json()?;
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let invalid = |message: &str| Refusal::new("INVALIDJOB", message);
        let deleted = match text("operation") {
            Some("query") => false,
            Some("queryAll") => true,
            _ => return Err(invalid("the operation of a query job is query or queryAll")),
        };
        if !matches!(text("contentType").unwrap_or("CSV"), "CSV") {
            return Err(invalid("contentType is CSV"));
        }
        let (delimiter, ending) = (delimiter(text("columnDelimiter"))?, ending(text("lineEnding"))?);
        let soql = text("query").ok_or_else(|| invalid("a query job needs its query"))?;
        // Whatever is wrong with a query, this API says it under one code.
        let query = self.bound(soql, now).map_err(|refusal| Refusal::new("API_ERROR", refusal.message))?;
        let columns = csv_columns(&query)?;
        let rows = run::rows(&self.store, &query, deleted, None);
        let table = u16::try_from(query.table).unwrap_or_default();
        let live = rows.iter().filter_map(|row| self.store.row(Id { table, row: *row }));
        let printed = live.map(|row| {
            let cell = |lookup: &Lookup| match run::cell(&self.store, row, lookup) {
                // Instants have a Z here.
                Cell::Time(time) => stamp(*time).replace("+0000", "Z"),
                cell => cell.plain(&self.store.catalog),
            };
            columns.iter().map(|(_, lookup)| cell(lookup)).collect()
        });
        let job = Job {
            object: self.store.catalog.types[query.table].name.clone(),
            deleted,
            delimiter,
            ending,
            version: ask.version.clone(),
            created: now,
            aborted: None,
            rows: printed.collect(),
            header: columns.iter().map(|(name, _)| name.clone()).collect(),
        };
        self.query_jobs.made += 1;
        let number = self.query_jobs.made;
        let answer = Answer::json(200, &self.query_job_json(number, &job, now, false));
        self.query_jobs.all.insert(number, job);
        Ok(answer)
    }

    fn query_job_json(&self, number: u32, job: &Job, now: Timestamp, full: bool) -> Json {
        let done = job.created.saturating_add(DONE).unwrap_or(job.created);
        let version: f64 = job.version.parse().unwrap_or(0.0);
        let state = job.state(now);
        let mut json = json!({
            "id": id::text("750", FIRST.saturating_add(number)), "operation": if job.deleted { "queryAll" } else { "query" }, "object": job.object,
            "createdById": id_text(&self.store.catalog, self.user), "createdDate": stamp(job.created),
            "systemModstamp": stamp(job.aborted.unwrap_or(done.min(now))), "state": state, "concurrencyMode": "Parallel", "contentType": "CSV",
            "apiVersion": version, "jobType": "V2Query", "lineEnding": job.ending, "columnDelimiter": delimiter_name(job.delimiter),
        });
        if full {
            let complete = state == "JobComplete";
            json["numberRecordsProcessed"] = json!(if complete { job.rows.len() } else { 0 });
            json["retries"] = json!(0);
            json["totalProcessingTime"] = json!(if complete { 1000 } else { 0 });
            json["isPkChunkingSupported"] = json!(true);
        }
        json
    }
}

/// Where the numbers of query jobs begin, behind those of ingest jobs.
const FIRST: u32 = 1 << 30;

/// The columns of the results. What the vendor takes in no bulk query is refused.
fn csv_columns(query: &Bound) -> Result<Vec<(String, Lookup)>, Refusal> {
    let refused = |message: &str| Err(Refusal::new("API_ERROR", message));
    let Gives::Records(out) = &query.gives else { return refused("Aggregate Relationships not supported in Bulk Query") };
    if query.offset > 0 {
        return refused("Offset is not supported in Bulk Query");
    }
    if out.iter().any(|out| matches!(out, Out::Children { .. })) {
        return refused("Nested queries are not supported in Bulk Query");
    }
    match columns::flat(out) {
        Some(columns) => Ok(columns),
        None => refused("Compound data not supported in Bulk Query"),
    }
}

/// One piece of the results, with where the next begins.
fn piece(job: &Job, ask: &Ask<'_>) -> Result<Answer, Refusal> {
    let number = |name: &str, usual: usize| match ask.parameter(name) {
        None | Some("") => Ok(usual),
        Some(text) => text.parse::<usize>().map_err(|_| Refusal::new("INVALIDJOB", format!("{name} is invalid: {text}"))),
    };
    let (from, most) = (number("locator", 0)?, number("maxRecords", PIECE)?.max(1));
    if from > job.rows.len() {
        return Err(Refusal::new("INVALIDJOB", format!("locator is invalid: {from}")));
    }
    let to = from.saturating_add(most).min(job.rows.len());
    let terminator = if job.ending == "CRLF" { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut out =
        csv::WriterBuilder::new().delimiter(job.delimiter).quote_style(csv::QuoteStyle::Always).terminator(terminator).from_writer(Vec::new());
    let broken = || Refusal::new("UNKNOWN_EXCEPTION", "the results cannot be written");
    out.write_record(&job.header).map_err(|_| broken())?;
    for row in job.rows.get(from..to).unwrap_or_default() {
        out.write_record(row).map_err(|_| broken())?;
    }
    let next = if to == job.rows.len() { "null".to_owned() } else { to.to_string() };
    let answer = Answer::csv(out.into_inner().map_err(|_| broken())?);
    Ok(answer.with("sforce-locator", next).with("sforce-numberofrecords", (to - from).to_string()))
}
