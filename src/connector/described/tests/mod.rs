//! Described systems against answers that are written down: a file for each, and some for what holds of any of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod commercetools;
mod lookups;
mod needs;
mod northbay;
mod paging;
mod records;
mod shiphero;
mod shipstation_v2;
mod writes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::DescribedSystem;
use crate::base::FileId;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still};
use crate::connector::{Change, Connector as _, Page, ReadRequest, Selection};
use crate::fault::Fault;
use crate::http::{Broken, Call, Response};
use crate::schema::{FieldPath, Object};
use crate::value::{Json, ObjectRef};

/// A connection `shop` of a system that a test describes for itself.
struct Shop {
    script: Arc<Script>,
    system: DescribedSystem,
    call: Call,
    schemas: BTreeMap<String, Object>,
    /// What is read of a record; empty: all of it.
    reads: Vec<FieldPath>,
}

impl Shop {
    /// `described`: what stands behind the address, which is REST at `https://x.example`.
    fn rest(described: &str, answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        Shop::of(&format!("system: shop\nhosts: [x.example]\nbase: https://x.example\nauth: {{ header: {{ x-key: key }} }}\n{described}"), answers)
    }

    fn graphql(described: &str, answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        Shop::rest(&format!("graphql: /graphql\n{described}"), answers)
    }

    fn of(description: &str, answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let (described, found) = crate::describe::read(FileId::default(), description);
        assert!(found.is_empty(), "{found:#?}");
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let settings = Settings { name: "shop".into(), system: "shop".into(), options: BTreeMap::new() };
        let described = Arc::new(described.unwrap());
        let system = DescribedSystem::new(&described, &settings, script.clone(), clock).unwrap();
        Shop { script, system, call: Call::default(), schemas: BTreeMap::new(), reads: Vec::new() }
    }

    fn reading(mut self, paths: &[&[&str]]) -> Self {
        self.reads = paths.iter().map(|path| path.iter().map(|name| (*name).to_owned()).collect()).collect();
        self
    }

    /// With a schema of an object, by its properties.
    fn knowing(mut self, object: &str, properties: &str) -> Self {
        let text = format!(r#"{{ "title": "{object}", "type": "object", "properties": {{ {properties} }} }}"#);
        self.schemas.insert(format!("shop.{object}"), crate::schema::read(&text, "shop", object, "shop").unwrap());
        self
    }

    fn selection<'s>(&'s self, of: &'s ObjectRef) -> Selection<'s> {
        Selection { object: of, schemas: &self.schemas, projection: self.reads.iter().map(Vec::as_slice).collect(), filter: Vec::new(), stamps: &[] }
    }

    /// A page of `orders`, behind an overlap of five minutes.
    async fn page(&self, cursor: Option<&Page>, begins: bool) -> Result<Page, Fault> {
        let of = ObjectRef::new("shop", "Order");
        let now: Timestamp = NOW.parse().unwrap();
        let cursor = cursor.and_then(|page| page.cursor.as_deref());
        let since = Some("2026-11-01T00:00:00Z".parse().unwrap());
        let selection = &self.selection(&of);
        let ask = ReadRequest { selection, stream: "orders", cursor, begins, overlap: SignedDuration::from_mins(5), since, now };
        self.system.changes(&self.call, &ask).await
    }

    async fn fetched(&self, ids: &[&str]) -> Result<Vec<Change>, Fault> {
        let of = ObjectRef::new("shop", "Order");
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.system.fetch_by_id(&self.call, &self.selection(&of), &ids).await
    }

    /// What was asked, in its order: the address behind the host, and the document or body.
    fn asked(&self) -> Vec<String> {
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        let requests = self.script.requests.lock().unwrap();
        let of = |request: &http::Request<bytes::Bytes>| {
            let body: Json = serde_json::from_slice(request.body()).unwrap_or_default();
            let query: Vec<String> =
                form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).map(|(name, value)| format!("{name}={value}")).collect();
            match (body["query"].as_str(), body.is_null()) {
                (Some(document), _) => document.to_owned(),
                (None, true) => format!("{} {}", request.uri().path(), query.join("&")),
                (None, false) => format!("{} {}{body}", request.uri().path(), query.join("&")),
            }
        };
        requests.iter().map(of).collect()
    }
}

/// The ids of changes.
fn ids(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.id.as_str()).collect()
}
