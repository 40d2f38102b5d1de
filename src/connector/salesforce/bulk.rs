//! Writing in bulk: one job of the Bulk API 2.0, its rows told one by one.
//!
//! A job that was closed may be carried out whatever happens to our connection, so everything after that is in doubt
//! until its results are read. Results are matched by id (updates), by the key (upserts), or by the row's own
//! content (creates), which Salesforce echoes.

use std::collections::HashMap;
use std::time::Duration;

use csv::StringRecord;

use super::write::native;
use super::{Salesforce, wire};
use crate::connector::{Done, Item, Operation, Receipt, WriteRequest};
use crate::fault::{Fault, Refusal};
use crate::http::{Answer, Call};
use crate::value::Json;

/// How long a job is waited for. Salesforce works at one for 5 minutes a batch, and tries again.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

impl Salesforce {
    pub(super) async fn in_bulk(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let columns = columns(batch);
        let csv = table(batch, &columns)?;
        let native = native(batch);
        let operation = match (batch.operation, native) {
            (Operation::Update, _) => "update",
            (_, Some(_)) => "upsert",
            (_, None) => "insert",
        };
        let mut job = serde_json::json!({"object": batch.object.object, "operation": operation, "contentType": "CSV", "lineEnding": "LF"});
        if let (Some(field), Json::Object(fields)) = (native, &mut job) {
            fields.insert("externalIdFieldName".to_owned(), Json::String(field.to_owned()));
        }
        // Until the job is closed nothing is done: whatever fails before may simply be sent again.
        let made = self
            .send(call, http::Method::POST, &self.data("jobs/ingest"), "application/json", job.to_string().into_bytes())
            .await
            .map_err(wire::passing)?;
        let made = self.accepted(made, wire::Kind::Read).map_err(whole)?;
        let made: Json = serde_json::from_slice(made.body()).map_err(|_| Fault::transient("the answer is no JSON"))?;
        let id = made.get("id").and_then(Json::as_str).filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric())).map(str::to_owned);
        let id = id.ok_or_else(|| Fault::transient("a job was made and has no id"))?;
        let sent = csv.len();
        let path = self.data(&format!("jobs/ingest/{id}/batches"));
        let put = self.send_for(call, Some(Answer::Upload), http::Method::PUT, &path, "text/csv", csv).await.map_err(wire::passing)?;
        self.accepted(put, wire::Kind::Read).map_err(whole)?;
        let close = br#"{"state":"UploadComplete"}"#.to_vec();
        let closed = self.send(call, http::Method::PATCH, &self.data(&format!("jobs/ingest/{id}")), "application/json", close).await?;
        self.accepted(closed, wire::Kind::Write)?;
        let ended = self.wait(call, &id).await?;
        let mut told = Told::default();
        for told_of in [Kind::Done, Kind::Failed, Kind::Left].into_iter().filter(|kind| ended.has(*kind, batch.items.len())) {
            self.results(call, &id, (told_of, sent), &mut |headers, row| told.note(batch, &columns, told_of, headers, row)).await?;
        }
        Ok(told.receipts(batch, &columns))
    }

    /// Waits until a job has come to an end, whichever.
    async fn wait(&self, call: &Call, id: &str) -> Result<Ended, Fault> {
        let mut waited = Duration::ZERO;
        let mut pause = Duration::from_secs(1);
        loop {
            self.client.sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(Duration::from_secs(20));
            match self.read(call, &self.data(&format!("jobs/ingest/{id}"))).await {
                Ok(job) => {
                    let number = |name: &str| job.get(name).and_then(Json::as_u64).and_then(|number| usize::try_from(number).ok());
                    let ended = |complete| Ended { complete, processed: number("numberRecordsProcessed"), failed: number("numberRecordsFailed") };
                    match job.get("state").and_then(Json::as_str) {
                        Some("JobComplete") => return Ok(ended(true)),
                        Some("Failed" | "Aborted") => return Ok(ended(false)),
                        _ => {}
                    }
                }
                // The job goes on by itself; a question that failed is asked again.
                Err(Fault::Transient { .. } | Fault::Throttled { .. }) => {}
                Err(fault) => return Err(Fault::ambiguous(fault.to_string())),
            }
            if waited > PATIENCE {
                return Err(Fault::ambiguous("the job has not ended in 30 minutes"));
            }
        }
    }

    /// Gives each row of one of a job's results, with the columns' names. They repeat what was sent: so many bytes.
    async fn results(
        &self,
        call: &Call,
        id: &str,
        (kind, sent): (Kind, usize),
        note: &mut (dyn FnMut(&StringRecord, &StringRecord) + Send),
    ) -> Result<(), Fault> {
        let path = self.data(&format!("jobs/ingest/{id}/{}", kind.resource()));
        for attempt in 1..=5_u32 {
            let answer = self.send_for(call, Some(Answer::Echo(sent)), http::Method::GET, &path, "text/csv", Vec::new()).await.map_err(wire::passing);
            match answer.and_then(|answer| self.accepted(answer, wire::Kind::Read)) {
                Ok(answer) => {
                    let unreadable = |error: csv::Error| Fault::ambiguous(format!("the results cannot be read: {error}"));
                    let mut reader = csv::Reader::from_reader(&answer.body()[..]);
                    let headers = reader.headers().map_err(unreadable)?.clone();
                    let mut row = StringRecord::new();
                    while reader.read_record(&mut row).map_err(unreadable)? {
                        note(&headers, &row);
                    }
                    return Ok(());
                }
                Err(Fault::Transient { .. } | Fault::Throttled { .. }) => self.client.sleep(Duration::from_secs(u64::from(attempt) * 2)).await,
                Err(fault) => return Err(Fault::ambiguous(fault.to_string())),
            }
        }
        Err(Fault::ambiguous("the results of the job cannot be fetched"))
    }
}

/// A job that could not be made refuses all of its rows at once.
fn whole(fault: Fault) -> Fault {
    match fault {
        Fault::Rejected(refusal) => Fault::BatchRefused(refusal),
        fault => fault,
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    complete: bool,
    /// Failed ones included.
    processed: Option<usize>,
    failed: Option<usize>,
}

impl Ended {
    /// Whether one of its results has rows, as far as its numbers say.
    fn has(self, kind: Kind, sent: usize) -> bool {
        let whole = self.complete && self.processed == Some(sent);
        match kind {
            Kind::Done => !(whole && self.failed == Some(sent)),
            Kind::Failed => !(whole && self.failed == Some(0)),
            Kind::Left => !whole,
        }
    }
}

/// The three results of a job.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Done,
    Failed,
    /// The job ended before these rows.
    Left,
}

impl Kind {
    fn resource(self) -> &'static str {
        match self {
            Kind::Done => "successfulResults",
            Kind::Failed => "failedResults",
            Kind::Left => "unprocessedrecords",
        }
    }
}

type Outcome = Result<(Option<String>, Option<bool>), Fault>;

/// What a job says of its rows, by what a row is known again.
#[derive(Default)]
struct Told(HashMap<String, Vec<Outcome>>);

impl Told {
    fn note(&mut self, batch: &WriteRequest<'_>, columns: &[String], kind: Kind, headers: &StringRecord, row: &StringRecord) {
        let cell = |name: &str| headers.iter().position(|header| header == name).and_then(|at| row.get(at));
        let outcome = match kind {
            Kind::Done => Ok((cell("sf__Id").filter(|id| !id.is_empty()).map(str::to_owned), cell("sf__Created").map(|created| created == "true"))),
            Kind::Failed => Err(failure(cell("sf__Error").unwrap_or(""))),
            Kind::Left => Err(Fault::transient("the job ended before this row")),
        };
        // Most marks are of one row.
        self.0.entry(mark(batch, columns, &cell)).or_insert_with(|| Vec::with_capacity(1)).push(outcome);
    }

    fn receipts(mut self, batch: &WriteRequest<'_>, columns: &[String]) -> Vec<Receipt> {
        let receipt = |item: &Item| {
            let cells = cells(batch, item, columns);
            let cell = |name: &str| columns.iter().position(|column| column == name).and_then(|at| cells.get(at)).map(String::as_str);
            let outcome = match self.0.get_mut(&mark(batch, columns, &cell)).and_then(Vec::pop) {
                Some(Ok((id, created))) => {
                    // What was sent is at hand where it was sent from: so many copies of it are not held here.
                    Ok(Done { record: Json::Null, id: id.or_else(|| item.id.clone()), created })
                }
                Some(Err(fault)) => Err(fault),
                None => Err(Fault::ambiguous("the job's results do not speak of it")),
            };
            Receipt { outcome }
        };
        batch.items.iter().map(receipt).collect()
    }
}

/// By what a row is known again: its id, its key, or all that it holds.
fn mark<'c>(batch: &WriteRequest<'_>, columns: &[String], cell: &dyn Fn(&str) -> Option<&'c str>) -> String {
    match (batch.operation, native(batch)) {
        (Operation::Update, _) => cell("Id").or_else(|| cell("sf__Id")).unwrap_or_default().to_owned(),
        (_, Some(field)) => cell(field).unwrap_or_default().to_owned(),
        (_, None) => columns.iter().map(|column| cell(column).unwrap_or_default()).collect::<Vec<_>>().join("\u{1f}"),
    }
}

/// `REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --`
fn failure(text: &str) -> Fault {
    let (code, rest) = text.split_once(':').unwrap_or(("UNKNOWN", text));
    let (message, field) = match rest.rsplit_once(':') {
        Some((message, field)) => (message, field.trim_end_matches("--").trim()),
        None => (rest, ""),
    };
    let error = serde_json::json!({"statusCode": code, "message": message});
    match wire::row(&error) {
        Fault::Rejected(refusal) => Fault::Rejected(Refusal { field: (!field.is_empty()).then(|| field.to_owned()), ..refusal }),
        fault => fault,
    }
}

/// All fields that some item sets, the key's or the id's first.
fn columns(batch: &WriteRequest<'_>) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    match (batch.operation, batch.key_field) {
        (Operation::Update, _) => columns.push("Id".to_owned()),
        (_, Some(field)) => columns.push(field.to_owned()),
        (_, None) => {}
    }
    for item in batch.items {
        for (name, _) in item.body.as_object().into_iter().flatten() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    columns
}

fn cells(batch: &WriteRequest<'_>, item: &Item, columns: &[String]) -> Vec<String> {
    let cell = |name: &String| {
        if batch.operation == Operation::Update && name == "Id" {
            return item.id.clone().unwrap_or_default();
        }
        if batch.operation != Operation::Update && Some(name.as_str()) == batch.key_field {
            return item.key.clone().unwrap_or_default();
        }
        match item.body.get(name) {
            // An empty cell leaves the field as it is; this empties it.
            Some(Json::Null) => "#N/A".to_owned(),
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    };
    columns.iter().map(cell).collect()
}

fn table(batch: &WriteRequest<'_>, columns: &[String]) -> Result<Vec<u8>, Fault> {
    let wrong = |error: csv::Error| Fault::rejected("csv", error.to_string(), None);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(columns).map_err(wrong)?;
    for item in batch.items {
        writer.write_record(cells(batch, item, columns)).map_err(wrong)?;
    }
    writer.into_inner().map_err(|error| Fault::rejected("csv", error.to_string(), None))
}
