//! What reading by the generic connector costs beside mapping: a page of a list goes from the bytes of the answer to records with id and
//! stamp. Beside it the way over trees: the page is parsed, and each record of it is printed again.
//!
//! `cargo bench --bench reading` prints medians for one record.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on stops")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use crossdock::base::FileId;
use crossdock::connector::described::DescribedSystem;
use crossdock::connector::registry::Settings;
use crossdock::connector::{Connector as _, ReadRequest, Selection};
use crossdock::http::{Broken, Call, Request, Response, SystemClock, Transport};
use crossdock::value::ObjectRef;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

/// Records of one page.
const RECORDS: usize = 500;

const DESCRIPTION: &str = "system: shop
hosts: [x.example]
base: https://x.example
auth: { header: { x-key: key } }
objects:
  Order:
    stamp: lastModifiedAt
    changes:
      - name: orders
        call: GET /orders
        query: { from: '{from}', limit: 500 }
        records: results
        page: { keyset: [lastModifiedAt, id], size: 500, query.behind: '{stamp} {id}' }
        overlap: 1 minute
";

/// Always the same answer.
struct Same(Bytes);

#[async_trait]
impl Transport for Same {
    async fn send(&self, _: Request) -> Result<Response, Broken> {
        Ok(http::Response::new(self.0.clone()))
    }
}

/// A page of orders of some three kilobytes each.
fn page() -> Bytes {
    let orders = common::orders::orders(1, RECORDS);
    let record = |(at, order): (usize, &_)| {
        let text = format!("{order}");
        let copies: Vec<Value> = std::iter::repeat_n(serde_json::from_str(&text).unwrap(), 3_000 / text.len() + 1).collect();
        json!({"id": format!("{at:036}"), "version": 1, "lastModifiedAt": "2026-11-18T19:00:00.000Z", "orders": copies})
    };
    json!({"limit": RECORDS, "count": RECORDS, "results": orders.iter().enumerate().map(record).collect::<Vec<_>>()}).to_string().into()
}

#[divan::bench]
fn by_the_generic_connector(bencher: Bencher<'_, '_>) {
    let described = crossdock::describe::read(FileId::default(), DESCRIPTION).0.unwrap();
    let settings = Settings { name: "shop".into(), system: "shop".into(), options: BTreeMap::new() };
    let system = DescribedSystem::new(&Arc::new(described), &settings, Arc::new(Same(page())), Arc::new(SystemClock)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (of, schemas, call) = (ObjectRef::new("shop", "Order"), BTreeMap::new(), Call::default());
    let selection = &Selection { object: &of, schemas: &schemas, projection: Vec::new(), filter: Vec::new(), stamps: &[] };
    let now: Timestamp = "2026-11-18T20:00:00Z".parse().unwrap();
    let ask = ReadRequest { selection, stream: "orders", cursor: None, begins: true, overlap: SignedDuration::ZERO, since: None, now };
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let page = runtime.block_on(system.changes(&call, &ask)).unwrap();
        assert_eq!(page.changes.len(), RECORDS);
        black_box(page)
    });
}

#[divan::bench]
fn over_trees(bencher: Bencher<'_, '_>) {
    let bytes = page();
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        let records = page["results"].as_array().unwrap();
        let read: Vec<(String, String, String)> = records
            .iter()
            .map(|record| (record["id"].as_str().unwrap().to_owned(), record["lastModifiedAt"].as_str().unwrap().to_owned(), record.to_string()))
            .collect();
        black_box(read)
    });
}
