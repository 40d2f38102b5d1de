//! Shared reads: flows of one object read the same pages and records at about the same time.
//!
//! A page is given to each flow once, so that a flow never gets a page again that it has read. A record is given only to flows that asked
//! before it was read, so that no flow gets one that is older than what it knew when it asked. A flow that asks while the call of
//! another is in flight waits for that call.
//!
//! Nothing is kept without a reader: pages that only one flow reads, or that every flow has received, are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use jiff::{SignedDuration, Timestamp};

use crate::connector::{Change, Page};
use crate::fault::Fault;

/// How long what was read is given to others.
const FRESH: SignedDuration = SignedDuration::from_secs(15);
/// Records that are kept at the most. More are read again, not kept.
const MOST: usize = 10_000;
/// The same of pages: the oldest goes first.
const MOST_PAGES: usize = 16;

/// Which page: connection, object, form of the records, stream, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    pub connection: String,
    pub object: String,
    pub form: String,
    pub stream: String,
    pub cursor: Option<String>,
    pub begins: bool,
    pub overlap: SignedDuration,
    pub since: Option<Timestamp>,
}

/// Which record: connection, object, form of the records, id.
pub type RecordKey = (String, String, String, String);

type Pages = Shared<BoxFuture<'static, Result<Page, Fault>>>;

struct Out {
    at: Timestamp,
    /// Flows that it was given to.
    given: BTreeSet<usize>,
    page: Pages,
}

/// What was read lately. It belongs to one process.
#[derive(Clone, Default)]
pub struct SharedReads {
    /// By flow: how many flows read the same, itself included.
    readers: Arc<Vec<usize>>,
    pages: Arc<Mutex<BTreeMap<PageKey, Out>>>,
    /// `None`: it was not there.
    records: Arc<Mutex<BTreeMap<RecordKey, (Timestamp, Option<Change>)>>>,
}

fn fresh(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.duration_since(at) <= FRESH
}

impl SharedReads {
    /// `readers`: for each flow, how many flows read the same as it does, itself included.
    pub fn between(readers: Vec<usize>) -> Self {
        SharedReads { readers: Arc::new(readers), ..SharedReads::default() }
    }

    /// Whether what a flow reads is read by others, too.
    pub fn has_others(&self, flow: usize) -> bool {
        self.readers.get(flow).is_some_and(|readers| *readers > 1)
    }

    /// Pages and records that are kept for other flows.
    pub fn kept(&self) -> (usize, usize) {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner).len();
        (pages, self.records.lock().unwrap_or_else(PoisonError::into_inner).len())
    }

    /// The page that another flow has read or is reading, or `read` itself. Faults are given to those who wait, and not kept.
    pub async fn page(
        &self,
        key: PageKey,
        flow: usize,
        now: Timestamp,
        read: impl Future<Output = Result<Page, Fault>> + Send + 'static,
    ) -> Result<Page, Fault> {
        if !self.has_others(flow) {
            return read.await;
        }
        let page = {
            let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.retain(|_, out| fresh(out.at, now));
            match pages.get_mut(&key).filter(|out| !out.given.contains(&flow)) {
                Some(out) => {
                    out.given.insert(flow);
                    let page = out.page.clone();
                    if self.readers.get(flow).is_some_and(|readers| out.given.len() >= *readers) {
                        // Those who wait for it have it; nobody else will ask.
                        pages.remove(&key);
                    }
                    page
                }
                None => {
                    let page = read.boxed().shared();
                    let oldest = pages.iter().min_by_key(|(_, out)| out.at).map(|(key, _)| key.clone());
                    if let Some(oldest) = oldest.filter(|_| pages.len() >= MOST_PAGES) {
                        pages.remove(&oldest);
                    }
                    pages.insert(key.clone(), Out { at: now, given: BTreeSet::from([flow]), page: page.clone() });
                    page
                }
            }
        };
        let got = page.clone().await;
        if got.is_err() {
            let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            if pages.get(&key).is_some_and(|out| out.page.ptr_eq(&page)) {
                pages.remove(&key);
            }
        }
        got
    }

    /// Of some records those that were read since `asked`, with `None` for one that was not there; the others are missing.
    pub fn records(&self, keys: &[RecordKey], asked: Timestamp, now: Timestamp) -> BTreeMap<RecordKey, Option<Change>> {
        let known = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |key: &RecordKey| known.get(key).filter(|(at, _)| *at >= asked && fresh(*at, now)).map(|(_, change)| (key.clone(), change.clone()));
        keys.iter().filter_map(of).collect()
    }

    /// Notes what a call that began at `at` has read.
    pub fn note(&self, read: impl IntoIterator<Item = (RecordKey, Option<Change>)>, at: Timestamp) {
        let mut known = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (known, _)| fresh(*known, at));
        for (key, change) in read {
            if known.len() < MOST {
                known.insert(key, (at, change));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::connector::State;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn key(cursor: &str) -> PageKey {
        PageKey {
            connection: "wms".into(),
            object: "Shipment".into(),
            form: String::new(),
            stream: "shipments".into(),
            cursor: Some(cursor.into()),
            begins: true,
            overlap: SignedDuration::ZERO,
            since: None,
        }
    }

    #[tokio::test]
    async fn each_flow_is_given_a_page_once() {
        let (shared, reads) = (SharedReads::between(vec![4; 4]), Arc::new(AtomicUsize::new(0)));
        let ask = |flow, cursor: &str, seconds| {
            let reads = Arc::clone(&reads);
            let read = async move {
                reads.fetch_add(1, Ordering::Relaxed);
                Ok(Page { changes: Vec::new(), cursor: None, more: false })
            };
            shared.page(key(cursor), flow, at(seconds), read)
        };
        for flow in 0..4 {
            ask(flow, "a", 0).await.unwrap();
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        ask(2, "a", 1).await.unwrap();
        assert_eq!(reads.load(Ordering::Relaxed), 2, "a flow that asks again wants to know what is new");
        ask(0, "b", 1).await.unwrap();
        ask(1, "b", 60).await.unwrap();
        ask(3, "b", 20).await.unwrap();
        assert_eq!(reads.load(Ordering::Relaxed), 5, "neither another page nor an old one, nor one of a clock that was ahead");
    }

    #[tokio::test]
    async fn a_page_is_kept_for_those_who_were_not_given_it_and_for_nobody_else() {
        let shared = SharedReads::between(vec![1, 2, 2]);
        let ask = |flow, cursor: &str, seconds| {
            shared.page(key(cursor), flow, at(seconds), async { Ok(Page { changes: Vec::new(), cursor: None, more: true }) })
        };
        ask(0, "a", 0).await.unwrap();
        assert_eq!(shared.kept(), (0, 0), "one flow alone reads it");
        ask(1, "b", 0).await.unwrap();
        assert_eq!(shared.kept(), (1, 0));
        ask(2, "b", 0).await.unwrap();
        assert_eq!(shared.kept(), (0, 0), "both have it");
        for page in 0..100 {
            ask(1, &page.to_string(), 1).await.unwrap();
        }
        assert_eq!(shared.kept(), (MOST_PAGES, 0), "a flow that is far ahead fills no memory");
        shared.note([(("wms".into(), "Shipment".into(), String::new(), "1".into()), None)], at(1));
        shared.note([], at(60));
        assert_eq!(shared.kept().1, 0, "what is old is let go");
    }

    #[tokio::test]
    async fn a_fault_is_not_kept() {
        let shared = SharedReads::between(vec![2; 2]);
        let failed = shared.page(key("a"), 0, at(0), async { Err(Fault::transient("down")) }).await;
        assert!(failed.is_err());
        let page = Page { changes: Vec::new(), cursor: None, more: false };
        assert_eq!(shared.page(key("a"), 1, at(0), async move { Ok(page) }).await.map(|page| page.more), Ok(false));
    }

    #[test]
    fn nobody_gets_a_record_that_was_read_before_they_asked() {
        let shared = SharedReads::between(vec![2; 2]);
        let key = |id: &str| ("wms".to_owned(), "Shipment".to_owned(), String::new(), id.to_owned());
        let change = Change { id: "1".into(), stamp: None, state: State::Gone };
        shared.note([(key("1"), Some(change.clone())), (key("2"), None)], at(10));
        let keys = [key("1"), key("2"), key("3")];
        assert_eq!(shared.records(&keys, at(10), at(12)), BTreeMap::from([(key("1"), Some(change)), (key("2"), None)]));
        assert!(shared.records(&keys, at(11), at(12)).is_empty());
        assert!(shared.records(&keys, at(5), at(60)).is_empty() && shared.records(&keys, at(5), at(9)).is_empty());
    }
}
