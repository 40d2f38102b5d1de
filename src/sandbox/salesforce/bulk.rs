//! Bulk API 2.0, ingest: a job, its CSV, and three lists of results.
//!
//! A job waits, runs for as long as its rows take, and is carried out as one moment at its end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use super::Salesforce;
use super::catalog::{Holds, Type};
use super::cell::{id_text, stamp};
use super::given::{self, Given};
use super::id::{self, Id};
use super::records::by_api;
use super::refusal::Refusal;
use super::wire::{Answer, Ask};
use crate::value::Json;

/// Salesforce takes so many bytes in one upload.
const LONGEST: usize = 150_000_000;
/// How long a job waits in the queue.
const QUEUED: SignedDuration = SignedDuration::from_secs(1);
/// What running one takes at least, and for each row.
const RUNNING: SignedDuration = SignedDuration::from_secs(2);
const ROW: SignedDuration = SignedDuration::from_millis(1);

const DELIMITERS: [(&str, u8); 6] = [("COMMA", b','), ("SEMICOLON", b';'), ("TAB", b'\t'), ("PIPE", b'|'), ("CARET", b'^'), ("BACKQUOTE", b'`')];

#[derive(Debug, Default)]
pub(super) struct Jobs {
    all: BTreeMap<u32, Job>,
    made: u32,
}

#[derive(Debug)]
struct Job {
    table: usize,
    operation: Operation,
    /// The external id field of an upsert.
    key: Option<usize>,
    delimiter: u8,
    ending: &'static str,
    version: String,
    state: State,
    created: Timestamp,
    changed: Timestamp,
    csv: Option<Vec<u8>>,
    rows: Vec<Row>,
    header: Vec<String>,
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Handed in; it runs until then.
    Handed(Timestamp, Timestamp),
    Complete,
    Aborted,
    Failed,
}

#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    result: Option<Result<(String, bool), (String, String)>>,
}

impl Jobs {
    /// When the next job is done.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = |job: &Job| match job.state {
            State::Handed(_, done) => Some(done),
            _ => None,
        };
        self.all.values().filter_map(due).min()
    }
}

impl Salesforce {
    /// `rest` is what stands behind `/jobs/ingest`.
    pub(super) fn jobs(&mut self, ask: &Ask<'_>, rest: &[&str], now: Timestamp) -> Result<Answer, Refusal> {
        let [text, rest @ ..] = rest else {
            ask.only(&["GET", "POST"])?;
            if ask.method == http::Method::POST {
                return self.new_job(ask, now);
            }
            let records: Vec<Json> = self.jobs.all.iter().map(|(number, job)| self.job_json(*number, job, now, false)).collect();
            return Ok(Answer::json(200, &json!({ "done": true, "records": records, "nextRecordsUrl": null })));
        };
        let number = id::read(text).filter(|(prefix, _)| *prefix == "750").and_then(|(_, number)| number);
        let number = number.filter(|number| self.jobs.all.contains_key(number)).ok_or_else(Refusal::not_found)?;
        match (ask.method.as_str(), rest) {
            ("GET", []) => {}
            ("PUT", ["batches"]) => self.upload(number, ask, now)?,
            ("PATCH", []) => self.hand_in(number, ask, now)?,
            ("DELETE", []) => {
                let state = self.jobs.all.get(&number).map(|job| job.state);
                if matches!(state, Some(State::Open | State::Handed(..))) {
                    return Err(Refusal::new("INVALIDJOBSTATE", "A job that is open or under way cannot be deleted"));
                }
                self.jobs.all.remove(&number);
                return Ok(Answer::empty(204));
            }
            ("GET", ["successfulResults"]) => return self.results(number, |row| matches!(row.result, Some(Ok(_)))),
            ("GET", ["failedResults"]) => return self.results(number, |row| matches!(row.result, Some(Err(_)))),
            ("GET", [name]) if name.eq_ignore_ascii_case("unprocessedrecords") => return self.results(number, |row| row.result.is_none()),
            _ => return Err(Refusal::not_found()),
        }
        if ask.method == http::Method::PUT {
            return Ok(Answer::empty(201));
        }
        let job = self.jobs.all.get(&number).ok_or_else(Refusal::not_found)?;
        Ok(Answer::json(200, &self.job_json(number, job, now, ask.method == http::Method::GET)))
    }

    fn new_job(&mut self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, Refusal> {
        if ask.headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/")) {
            return Err(Refusal::not_imitated("a job that comes with its content (multipart)"));
        }
        let body = ask.json()?;
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let invalid = |message: String| Refusal::new("INVALIDJOB", message);
        let name = text("object").ok_or_else(|| invalid("a job names its object".to_owned()))?;
        let table = self.store.catalog.find(name).ok_or_else(|| invalid(format!("Object {name} is not supported")))?;
        let operation = match text("operation") {
            Some("insert") => Operation::Insert,
            Some("update") => Operation::Update,
            Some("upsert") => Operation::Upsert,
            Some("delete") => Operation::Delete,
            Some("hardDelete") => return Err(Refusal::not_imitated("the operation hardDelete")),
            other => return Err(invalid(format!("unknown operation {}", other.unwrap_or("null")))),
        };
        let key = match (operation, text("externalIdFieldName")) {
            (Operation::Upsert, Some(name)) => {
                let of = &self.store.catalog.types[table];
                let field = of.field(name).filter(|field| of.fields[*field].lookup);
                Some(field.ok_or_else(|| invalid(format!("Field name provided, {name} does not match an External ID for {}", of.name)))?)
            }
            (Operation::Upsert, None) => return Err(invalid("External ID was blank for an upsert".to_owned())),
            _ => None,
        };
        let delimiter = delimiter(text("columnDelimiter"))?;
        let ending = ending(text("lineEnding"))?;
        if !matches!(text("contentType").unwrap_or("CSV"), "CSV") {
            return Err(invalid("contentType is CSV".to_owned()));
        }
        self.jobs.made += 1;
        let number = self.jobs.made;
        let job = Job {
            table,
            operation,
            key,
            delimiter,
            ending,
            version: ask.version.clone(),
            state: State::Open,
            created: now,
            changed: now,
            csv: None,
            rows: Vec::new(),
            header: Vec::new(),
            error: None,
        };
        let answer = Answer::json(200, &self.job_json(number, &job, now, false));
        self.jobs.all.insert(number, job);
        Ok(answer)
    }

    fn upload(&mut self, number: u32, ask: &Ask<'_>, now: Timestamp) -> Result<(), Refusal> {
        let Some(job) = self.jobs.all.get_mut(&number) else { return Err(Refusal::not_found()) };
        if job.state != State::Open {
            return Err(Refusal::new("INVALIDJOBSTATE", "The job is not open"));
        }
        if job.csv.is_some() {
            let message = "Found multiple contents for job: please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only \
                           do 'PUT' once on a given Job.";
            return Err(Refusal::new("INVALIDJOBSTATE", message));
        }
        let kind = ask.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("text/csv");
        if !kind.starts_with("text/csv") {
            return Err(Refusal::new("UNSUPPORTED_MEDIA_TYPE", "the content of a job is text/csv"));
        }
        if ask.body.len() > LONGEST {
            return Err(Refusal::new("INVALIDJOB", "the content of a job is at most 150 MB"));
        }
        job.csv = Some(ask.body.to_vec());
        job.changed = now;
        Ok(())
    }

    fn hand_in(&mut self, number: u32, ask: &Ask<'_>, now: Timestamp) -> Result<(), Refusal> {
        let body = ask.json()?;
        let Some(job) = self.jobs.all.get_mut(&number) else { return Err(Refusal::not_found()) };
        let wrong = || Refusal::new("INVALIDJOBSTATE", "The job is in a state that does not allow this");
        match (body.get("state").and_then(Json::as_str), job.state) {
            (Some("UploadComplete"), State::Open) => {
                let read = read_csv(job.csv.as_deref().unwrap_or_default(), job.delimiter);
                let starts = now.saturating_add(QUEUED).unwrap_or(now);
                match read {
                    Ok((header, rows)) => {
                        let running = RUNNING.saturating_add(ROW * i32::try_from(rows.len()).unwrap_or(i32::MAX));
                        job.state = State::Handed(starts, starts.saturating_add(running).unwrap_or(starts));
                        job.header = header;
                        job.rows = rows.into_iter().map(|cells| Row { cells, result: None }).collect();
                    }
                    Err(message) => {
                        job.state = State::Failed;
                        job.error = Some(message);
                    }
                }
                job.csv = Some(Vec::new());
            }
            (Some("Aborted"), State::Open | State::Handed(..)) => {
                // Its rows are told as those that were not processed.
                if let Ok((header, rows)) = read_csv(job.csv.as_deref().unwrap_or_default(), job.delimiter) {
                    job.header = header;
                    job.rows = rows.into_iter().map(|cells| Row { cells, result: None }).collect();
                }
                job.state = State::Aborted;
            }
            _ => return Err(wrong()),
        }
        job.changed = now;
        Ok(())
    }

    /// Carries out the job that is done at `at`.
    pub(super) fn run_job(&mut self, at: Timestamp) {
        let due = |job: &Job| matches!(job.state, State::Handed(_, done) if done == at);
        let Some(number) = self.jobs.all.iter().find(|(_, job)| due(job)).map(|(number, _)| *number) else { return };
        let Some(mut job) = self.jobs.all.remove(&number) else { return };
        let catalog = self.store.catalog.clone();
        let of = &catalog.types[job.table];
        if let Some(stranger) = job.header.iter().find(|column| !is_column(of, column, &catalog)) {
            job.error = Some(format!("InvalidBatch : Field name not found : {stranger}"));
            job.state = State::Failed;
        } else {
            for at_row in 0..job.rows.len() {
                let result = self.run_row(&job, of, &job.rows[at_row].cells, at);
                job.rows[at_row].result = Some(match result {
                    Ok((id, created)) => Ok((id_text(&catalog, id), created)),
                    Err(refusal) => {
                        let id = job.header.iter().position(|column| column.eq_ignore_ascii_case("Id")).map(|at| job.rows[at_row].cells[at].clone());
                        Err((id.unwrap_or_default(), refusal.csv()))
                    }
                });
            }
            job.state = State::Complete;
        }
        job.changed = at;
        self.jobs.all.insert(number, job);
    }

    fn run_row(&mut self, job: &Job, of: &Type, cells: &[String], at: Timestamp) -> Result<(Id, bool), Refusal> {
        let mut own = None;
        let mut key = None;
        let mut body = Map::new();
        for (column, cell) in job.header.iter().zip(cells) {
            // An empty cell says nothing; `#N/A` empties the field.
            if cell.is_empty() {
                continue;
            }
            if column.eq_ignore_ascii_case("Id") {
                own = Some(cell.clone());
            } else if job.key.is_some_and(|key| of.fields[key].name.eq_ignore_ascii_case(column)) {
                key = Some(cell.clone());
            } else if let Some((relation, field)) = column.split_once('.') {
                let value = if cell == "#N/A" { Json::Null } else { json!({ field: cell }) };
                body.insert(relation.to_owned(), value);
            } else {
                body.insert(column.clone(), value(of, column, cell));
            }
        }
        let given: Vec<Given> = given::read(&self.store, job.table, &body, &[])?;
        let record = |org: &Self| -> Result<Id, Refusal> {
            let text = own.as_deref().ok_or_else(|| Refusal::new("MISSING_ARGUMENT", "Id not specified"))?;
            let (prefix, row) = id::read(text).ok_or_else(|| Refusal::new("MALFORMED_ID", format!("malformed id {text}")).of("Id"))?;
            let dead = || Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
            let id = Id { table: u16::try_from(job.table).unwrap_or_default(), row: row.filter(|_| prefix == of.prefix).ok_or_else(dead)? };
            org.store.newest(id).map(|_| id).ok_or_else(dead)
        };
        match (job.operation, job.key) {
            (Operation::Insert, _) => Ok((self.create(job.table, &given, by_api(at, None))?, true)),
            (Operation::Update, _) => {
                let id = record(self)?;
                self.update(id, &given, by_api(at, None)).map(|()| (id, false))
            }
            (Operation::Delete, _) => {
                let id = record(self)?;
                self.delete(id, by_api(at, None)).map(|()| (id, false))
            }
            (Operation::Upsert, Some(field)) => {
                let name = &of.fields[field].name;
                let key = key.ok_or_else(|| Refusal::new("MISSING_ARGUMENT", format!("{name} not specified")).of(name))?;
                self.upsert(job.table, field, &key, given, at)
            }
            (Operation::Upsert, None) => Err(Refusal::new("INVALIDJOB", "External ID was blank for an upsert")),
        }
    }

    fn results(&self, number: u32, wanted: impl Fn(&Row) -> bool) -> Result<Answer, Refusal> {
        let job = self.jobs.all.get(&number).ok_or_else(Refusal::not_found)?;
        if matches!(job.state, State::Open | State::Handed(..)) {
            return Err(Refusal::new("INVALIDJOBSTATE", "The results are there when the job is done"));
        }
        let mut out = csv::WriterBuilder::new().delimiter(job.delimiter).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        let rows: Vec<&Row> = job.rows.iter().filter(|row| wanted(row)).collect();
        let own: &[&str] = match rows.first().map(|row| &row.result) {
            Some(Some(Ok(_))) => &["sf__Id", "sf__Created"],
            Some(Some(Err(_))) => &["sf__Id", "sf__Error"],
            _ => &[],
        };
        let broken = |_| Refusal::new("UNKNOWN_EXCEPTION", "the results cannot be written");
        out.write_record(own.iter().copied().chain(job.header.iter().map(String::as_str))).map_err(broken)?;
        for row in rows {
            let mut cells: Vec<&str> = Vec::new();
            match &row.result {
                Some(Ok((id, created))) => cells.extend([id.as_str(), if *created { "true" } else { "false" }]),
                Some(Err((id, error))) => cells.extend([id.as_str(), error.as_str()]),
                None => {}
            }
            out.write_record(cells.into_iter().chain(row.cells.iter().map(String::as_str))).map_err(broken)?;
        }
        let bytes = out.into_inner().map_err(|_| Refusal::new("UNKNOWN_EXCEPTION", "the results cannot be written"))?;
        Ok(Answer::csv(bytes))
    }

    /// `full`: with what one job tells, and a list of them and a change do not.
    fn job_json(&self, number: u32, job: &Job, now: Timestamp, full: bool) -> Json {
        let id = id::text("750", number);
        let state = match job.state {
            State::Open => "Open",
            State::Handed(starts, _) if now < starts => "UploadComplete",
            State::Handed(..) => "InProgress",
            State::Complete => "JobComplete",
            State::Aborted => "Aborted",
            State::Failed => "Failed",
        };
        let of = &self.store.catalog.types[job.table];
        let operation = match job.operation {
            Operation::Insert => "insert",
            Operation::Update => "update",
            Operation::Upsert => "upsert",
            Operation::Delete => "delete",
        };
        let version: f64 = job.version.parse().unwrap_or(0.0);
        let mut json = json!({
            "id": id, "operation": operation, "object": of.name, "createdById": id_text(&self.store.catalog, self.user),
            "createdDate": stamp(job.created), "systemModstamp": stamp(job.changed), "state": state, "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": version, "jobType": "V2Ingest", "lineEnding": job.ending, "columnDelimiter": delimiter_name(job.delimiter),
            "contentUrl": format!("services/data/v{}/jobs/ingest/{id}/batches", job.version),
        });
        if let Some(key) = job.key {
            json["externalIdFieldName"] = json!(of.fields[key].name);
        }
        if full {
            let done = job.rows.iter().filter(|row| row.result.is_some()).count();
            let failed = job.rows.iter().filter(|row| matches!(row.result, Some(Err(_)))).count();
            let took = if done == 0 { 0 } else { RUNNING.as_millis() };
            for (name, number) in [
                ("numberRecordsProcessed", done as i128),
                ("numberRecordsFailed", failed as i128),
                ("retries", 0),
                ("totalProcessingTime", took),
                ("apiActiveProcessingTime", took / 2),
                ("apexProcessingTime", 0),
            ] {
                json[name] = json!(i64::try_from(number).unwrap_or(i64::MAX));
            }
        }
        if let Some(error) = &job.error {
            json["errorMessage"] = json!(error);
        }
        json
    }
}

/// Between the cells of a row, by the name of the API.
pub(super) fn delimiter(name: Option<&str>) -> Result<u8, Refusal> {
    let name = name.unwrap_or("COMMA");
    let known = DELIMITERS.iter().find(|(known, _)| *known == name).map(|(_, byte)| *byte);
    known.ok_or_else(|| Refusal::new("INVALIDJOB", format!("unknown columnDelimiter {name}")))
}

pub(super) fn delimiter_name(delimiter: u8) -> &'static str {
    DELIMITERS.iter().find(|(_, byte)| *byte == delimiter).map_or("COMMA", |(name, _)| name)
}

pub(super) fn ending(name: Option<&str>) -> Result<&'static str, Refusal> {
    let name = name.unwrap_or("LF");
    let known = ["LF", "CRLF"].into_iter().find(|known| *known == name);
    known.ok_or_else(|| Refusal::new("INVALIDJOB", format!("unknown lineEnding {name}")))
}

fn is_column(of: &Type, column: &str, catalog: &super::catalog::Catalog) -> bool {
    match column.split_once('.') {
        Some((relation, field)) => of.parents.get(&relation.to_lowercase()).is_some_and(|parent| catalog.types[parent.table].field(field).is_some()),
        None => of.field(column).is_some(),
    }
}

/// A cell as JSON would have it.
fn value(of: &Type, column: &str, cell: &str) -> Json {
    if cell == "#N/A" {
        return Json::Null;
    }
    match of.field(column).map(|field| &of.fields[field].holds) {
        Some(Holds::Boolean) => match cell.to_ascii_lowercase().as_str() {
            "true" | "1" => Json::Bool(true),
            "false" | "0" => Json::Bool(false),
            _ => json!(cell),
        },
        _ => json!(cell),
    }
}

fn read_csv(text: &[u8], delimiter: u8) -> Result<(Vec<String>, Vec<Vec<String>>), String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let header = reader.headers().map_err(|error| format!("InvalidBatch : {error}"))?.iter().map(str::to_owned).collect::<Vec<_>>();
    if header.iter().all(String::is_empty) {
        return Err("InvalidBatch : the content is empty".to_owned());
    }
    let rows = reader.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect()));
    Ok((header, rows.collect::<Result<_, _>>().map_err(|error| format!("InvalidBatch : {error}"))?))
}
