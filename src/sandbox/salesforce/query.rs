//! `/query`, `/queryAll`, and the pages behind the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::Salesforce;
use super::columns;
use super::id;
use super::refusal::Refusal;
use super::soql::bind::{Asker, Bound, Gives, bind};
use super::soql::group;
use super::soql::run::{self, Printer};
use super::wire::{Answer, Ask};

/// Open queries that are kept; the oldest goes first.
const OPEN: usize = 50;
/// Groups of one answer: there are no pages of groups.
const MOST_GROUPS: usize = 2000;

/// Results that are fetched page by page. Which records they hold is fixed when the query is made.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    open: BTreeMap<u32, Arc<Cursor>>,
    made: u32,
}

#[derive(Debug)]
struct Cursor {
    query: Bound,
    rows: Vec<u32>,
    deleted: bool,
    page: usize,
}

impl Salesforce {
    pub(super) fn query(&mut self, ask: &Ask<'_>, rest: &[&str], deleted: bool, now: Timestamp) -> Result<Answer, Refusal> {
        ask.only(&["GET"])?;
        match rest {
            [] => {
                if ask.parameter("explain").is_some() {
                    return Err(Refusal::not_imitated("the explanation of a query (`explain`)"));
                }
                let text = ask.parameter("q").ok_or_else(|| Refusal::new("MALFORMED_QUERY", "SOQL query string is required"))?;
                self.first_page(text, ask, deleted, now)
            }
            [locator] => {
                let wrong = || Refusal::new("INVALID_QUERY_LOCATOR", "invalid query locator");
                let (cursor, offset) = locator.split_once('-').ok_or_else(wrong)?;
                let number = id::read(cursor).filter(|(prefix, _)| *prefix == "01g").and_then(|(_, number)| number).ok_or_else(wrong)?;
                let offset = offset.parse().map_err(|_| wrong())?;
                let cursor = Arc::clone(self.cursors.open.get(&number).ok_or_else(wrong)?);
                if offset > cursor.rows.len() {
                    return Err(wrong());
                }
                Ok(self.page(&cursor, number, offset, ask))
            }
            _ => Err(Refusal::not_found()),
        }
    }

    /// A query of the API's user.
    pub(super) fn bound(&self, text: &str, now: Timestamp) -> Result<Bound, Refusal> {
        let asker = Asker { store: &self.store, now, user: self.user };
        super::soql::read(text).and_then(|query| bind(asker, &query)).map_err(|trouble| trouble.refusal(text))
    }

    fn first_page(&mut self, text: &str, ask: &Ask<'_>, deleted: bool, now: Timestamp) -> Result<Answer, Refusal> {
        let query = self.bound(text, now)?;
        // What the columns are, and no records: the command-line tool asks for it.
        if ask.parameter("columns").is_some_and(|truth| truth.eq_ignore_ascii_case("true")) {
            return Ok(Answer::json(200, &columns::metadata(&self.store.catalog, &query)));
        }
        let rows = run::rows(&self.store, &query, deleted, None);
        match &query.gives {
            Gives::Records(_) => {}
            Gives::Size => return Ok(Answer::json(200, &json!({ "totalSize": rows.len(), "done": true, "records": [] }))),
            Gives::Groups(grouped) => {
                let groups = group::groups(&self.store, &query, grouped, &rows);
                if groups.len() > MOST_GROUPS {
                    let message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch";
                    return Err(Refusal::new("EXCEEDED_ID_LIMIT", message));
                }
                let mut body = format!("{{\"totalSize\":{},\"done\":true,\"records\":[", groups.len()).into_bytes();
                for (at, cells) in groups.iter().enumerate() {
                    if at > 0 {
                        body.push(b',');
                    }
                    grouped.print(&self.store, cells, &mut body);
                }
                body.extend_from_slice(b"]}");
                return Ok(Answer::printed(200, body));
            }
        }
        let cursor = Cursor { query, rows, deleted, page: self.page_size(ask)? };
        if cursor.rows.len() <= cursor.page {
            return Ok(self.page(&cursor, 0, 0, ask));
        }
        self.cursors.made += 1;
        let number = self.cursors.made;
        let cursor = Arc::new(cursor);
        self.cursors.open.insert(number, Arc::clone(&cursor));
        if self.cursors.open.len() > OPEN {
            self.cursors.open.pop_first();
        }
        Ok(self.page(&cursor, number, 0, ask))
    }

    /// `Sforce-Query-Options: batchSize=200`
    fn page_size(&self, ask: &Ask<'_>) -> Result<usize, Refusal> {
        let most = self.options.page.max(1);
        let header = ask.headers.get("sforce-query-options").and_then(|value| value.to_str().ok()).unwrap_or("");
        let Some(size) = header.split(',').find_map(|option| option.trim().strip_prefix("batchSize=")) else { return Ok(most) };
        let size: usize = size.parse().map_err(|_| Refusal::new("INVALID_QUERY_OPTIONS", format!("batchSize is no number: {size}")))?;
        if !(200..=2000).contains(&size) {
            return Err(Refusal::new("INVALID_BATCH_SIZE", "Batch size must be between 200 and 2000"));
        }
        Ok(size.min(most))
    }

    fn page(&self, cursor: &Cursor, number: u32, offset: usize, ask: &Ask<'_>) -> Answer {
        let end = offset.saturating_add(cursor.page).min(cursor.rows.len());
        let rows = cursor.rows.get(offset..end).unwrap_or_default();
        let done = end == cursor.rows.len();
        let mut body = Vec::with_capacity(256 + rows.len() * 1024);
        body.extend_from_slice(format!("{{\"totalSize\":{},\"done\":{done},", cursor.rows.len()).as_bytes());
        if !done {
            let resource = if cursor.deleted { "queryAll" } else { "query" };
            let locator = id::text("01g", number);
            body.extend_from_slice(format!("\"nextRecordsUrl\":\"/services/data/v{}/{resource}/{locator}-{end}\",", ask.version).as_bytes());
        }
        body.extend_from_slice(b"\"records\":[");
        Printer { store: &self.store, version: &ask.version, deleted: cursor.deleted }.records(&cursor.query, rows, &mut body);
        body.extend_from_slice(b"]}");
        Answer::printed(200, body)
    }
}
