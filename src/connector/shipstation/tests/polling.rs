//! Lists that are read by their stamps, again and again.

use super::*;

#[tokio::test]
async fn a_list_is_read_by_the_stamp_and_goes_on_from_the_last_pages_end() {
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([
        orders(&[(1, "2026-11-18T08:00:00.5"), (2, "2026-11-18T08:00:10")], 1, 2),
        orders(&[(2, "2026-11-18T08:00:10"), (3, "2026-11-18T08:00:20.1230000")], 1, 1),
        orders(&[], 1, 0),
    ]);
    let first = page(&bench, &plan, "orders", None, true).await.unwrap();
    assert!(first.more);
    let second = page(&bench, &plan, "orders", first.cursor.as_deref(), false).await.unwrap();
    assert_eq!((ids(&second.changes), second.more), (vec!["2", "3"], false));
    assert_eq!(second.changes[1].stamp.as_deref(), Some("2026-11-18T16:00:20.123000000Z"));
    let cursor: Json = serde_json::from_str(second.cursor.as_deref().unwrap()).unwrap();
    let read = NOW.parse::<Timestamp>().unwrap().as_millisecond();
    assert_eq!(cursor, json!({ "seen": "2026-11-18T08:00:20.1230000", "told": { "steady": read } }), "in the source's own print");
    let third = page(&bench, &plan, "orders", second.cursor.as_deref(), true).await.unwrap();
    assert_eq!(third.cursor, second.cursor, "nothing new moves nothing");
    assert_eq!(
        bench.asked(),
        [
            "GET /orders?sortBy=ModifyDate&sortDir=ASC&page=1&pageSize=500",
            "GET /orders?sortBy=ModifyDate&sortDir=ASC&modifyDateStart=2026-11-18 08:00:09&page=1&pageSize=500",
            "GET /orders?sortBy=ModifyDate&sortDir=ASC&modifyDateStart=2026-11-18 07:55:20&page=1&pageSize=500",
        ]
    );
}

/// A list of orders that behaves as V1 says, in the test's own words, with small pages.
struct Shelf {
    orders: Mutex<Vec<(u64, String)>>,
    size: usize,
    /// After so many calls, these are modified.
    touch: Mutex<Vec<(usize, u64, String)>>,
    calls: Mutex<usize>,
}

#[async_trait]
impl Transport for Shelf {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        let query: BTreeMap<String, String> = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
        let plain = |text: &str| text.replace('T', " ");
        let within = |stamp: &str| {
            let stamp = plain(stamp);
            query.get("modifyDateStart").is_none_or(|start| stamp > *start) && query.get("modifyDateEnd").is_none_or(|end| stamp < *end)
        };
        let mut orders = self.orders.lock().unwrap();
        let mut found: Vec<(u64, String)> = orders.iter().filter(|(_, stamp)| within(stamp)).cloned().collect();
        found.sort_by_key(|(id, stamp)| (plain(stamp), *id));
        let page: usize = query["page"].parse().unwrap();
        let pages = found.len().div_ceil(self.size);
        let shown: Vec<Json> =
            found.iter().skip((page - 1) * self.size).take(self.size).map(|(id, stamp)| json!({ "orderId": id, "modifyDate": stamp })).collect();
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        for (at, id, stamp) in self.touch.lock().unwrap().iter() {
            if at == &*calls {
                orders.retain(|(known, _)| known != id);
                orders.push((*id, stamp.clone()));
            }
        }
        ok(json!({ "orders": shown, "total": found.len(), "page": page, "pages": pages }))
    }
}

/// Polls until there is no more, and gives the ids in the order they were seen, and how many calls it took.
async fn read_all(orders: Vec<(u64, String)>, size: usize, touch: Vec<(usize, u64, String)>) -> (Vec<String>, usize) {
    let shelf = Arc::new(Shelf { orders: Mutex::new(orders), size, touch: Mutex::new(touch), calls: Mutex::new(0) });
    let options = [("api_key", "k"), ("api_secret", "s")].into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    let settings = Settings { name: "wms".into(), system: "shipstation".into(), options };
    let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
    let shipstation = open(&settings, shelf.clone(), clock).unwrap();
    let plan = plan("Order", "\"x\"");
    let (mut seen, mut cursor, mut begins) = (Vec::new(), None::<String>, true);
    for _ in 0..500 {
        let ask = ReadRequest {
            selection: &source(&plan),
            stream: "orders",
            cursor: cursor.as_deref(),
            begins,
            overlap: SignedDuration::from_mins(5),
            since: None,
            now: NOW.parse().unwrap(),
        };
        let page = shipstation.changes(&Call::default(), &ask).await.unwrap();
        seen.extend(page.changes.into_iter().map(|change| change.id));
        (cursor, begins) = (page.cursor, false);
        if !page.more {
            let calls = *shelf.calls.lock().unwrap();
            return (seen, calls);
        }
    }
    panic!("the poll does not end: {cursor:?}");
}

fn missing(seen: &[String], wanted: impl IntoIterator<Item = u64>) -> Vec<u64> {
    wanted.into_iter().filter(|id| !seen.contains(&id.to_string())).collect()
}

/// An account that is polled again and again, by a clock that can be set on.
struct Account {
    shelf: Arc<Shelf>,
    clock: Arc<Still>,
    shipstation: Arc<dyn Connector>,
    cursor: Option<String>,
}

impl Account {
    fn of(orders: Vec<(u64, String)>, size: usize) -> Self {
        let shelf = Arc::new(Shelf { orders: Mutex::new(orders), size, touch: Mutex::new(Vec::new()), calls: Mutex::new(0) });
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let shipstation = Self::open(&shelf, &clock);
        Account { shelf, clock, shipstation, cursor: None }
    }

    fn open(shelf: &Arc<Shelf>, clock: &Arc<Still>) -> Arc<dyn Connector> {
        let options = [("api_key", "k"), ("api_secret", "s")].into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
        let settings = Settings { name: "wms".into(), system: "shipstation".into(), options };
        open(&settings, shelf.clone(), clock.clone()).unwrap()
    }

    /// A process begins.
    fn opened(&mut self) {
        self.shipstation = Self::open(&self.shelf, &self.clock);
    }

    /// Some minutes later.
    fn later(&self, minutes: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    }

    fn add(&self, id: u64, stamp: &str) {
        self.shelf.orders.lock().unwrap().push((id, stamp.to_owned()));
    }

    /// A poll to its end: the ids, and how many calls it took.
    async fn poll(&mut self, overlap: i64) -> (Vec<String>, usize) {
        let plan = plan("Order", "\"x\"");
        let (before, mut seen, mut begins) = (*self.shelf.calls.lock().unwrap(), Vec::new(), true);
        loop {
            let now = *self.clock.0.lock().unwrap();
            let overlap = SignedDuration::from_mins(overlap);
            let ask = ReadRequest { selection: &source(&plan), stream: "orders", cursor: self.cursor.as_deref(), begins, overlap, since: None, now };
            let page = self.shipstation.changes(&Call::default(), &ask).await.unwrap();
            seen.extend(page.changes.into_iter().map(|change| change.id));
            (self.cursor, begins) = (page.cursor, false);
            if !page.more {
                return (seen, *self.shelf.calls.lock().unwrap() - before);
            }
        }
    }
}

/// The clock of V1 shows 12:00 at the beginning.
#[tokio::test]
async fn an_account_in_which_nothing_changes_is_read_in_one_call() {
    let orders = (1..=60).map(|id| (id, format!("2026-11-18T11:59:{:02}", id - 1))).collect();
    let mut account = Account::of(orders, 10);
    assert!(account.poll(5).await.0.len() >= 60);
    // Within the overlap something may show late.
    account.later(4);
    account.add(61, "2026-11-18T11:59:30.5");
    let (seen, calls) = account.poll(5).await;
    assert!(seen.contains(&"61".to_owned()) && calls > 5, "{calls}");
    account.later(1);
    assert!(account.poll(5).await.1 > 5, "the overlap and a minute have not passed");
    account.later(1);
    assert!(account.poll(5).await.1 > 5, "this one is the last");
    account.later(5);
    assert_eq!(account.poll(5).await, (Vec::new(), 1));
    // The process ends and begins again; what it knew is in its checkpoint.
    account.opened();
    account.later(5);
    assert_eq!(account.poll(5).await, (Vec::new(), 1));
    // 12:17. What shows late by less than the overlap is older than the last poll, and is seen.
    account.add(62, "2026-11-18T12:12:30");
    account.later(1);
    assert_eq!(account.poll(5).await.0, ["62"]);
    account.add(63, "2026-11-18T12:15:00");
    account.add(64, "2026-11-18T12:11:00");
    account.later(1);
    assert_eq!(account.poll(5).await.0, ["64", "62", "63"], "after something new, the overlap is read again");
    // Whoever asks for a longer overlap gets it.
    account.later(30);
    account.poll(5).await;
    account.later(30);
    assert_eq!(account.poll(5).await, (Vec::new(), 1));
    let (seen, _) = account.poll(10).await;
    assert_eq!(seen, ["64", "62", "63"]);
}

/// Stamps to the minute only, and a change in the minute of the newest one.
#[tokio::test]
async fn a_coarse_stamp_hides_nothing() {
    let mut account = Account::of(vec![(1, "2026-11-18T11:59:00".to_owned())], 10);
    for minute in 0..20 {
        let stamp = format!("2026-11-18T12:{minute:02}:00");
        // Half a minute behind the poll before, with the stamp of the minute that it lies in.
        account.add(100 + minute, &stamp);
        let (seen, _) = account.poll(1).await;
        assert!(seen.contains(&(100 + minute).to_string()), "{minute}: {seen:?}");
        account.add(200 + minute, &stamp);
        account.later(1);
        let (seen, _) = account.poll(1).await;
        assert!(seen.contains(&(200 + minute).to_string()), "{minute}: {seen:?}");
    }
}

/// In the night in which an hour comes twice, the second one's changes have stamps that look older.
#[tokio::test]
async fn the_hour_that_comes_twice_is_not_left_out() {
    let mut account = Account::of(vec![(1, "2026-11-01T01:50:00".to_owned())], 10);
    for _ in 0..4 {
        account.poll(5).await;
        account.later(5);
    }
    account.add(2, "2026-11-01T01:10:00");
    assert!(account.poll(5).await.0.contains(&"2".to_owned()));
}

#[tokio::test]
async fn records_of_one_second_are_all_seen() {
    let mut orders: Vec<(u64, String)> = (1..=12).map(|id| (id, "2026-11-18T08:00:10".to_owned())).collect();
    orders.extend((13..=16).map(|id| (id, format!("2026-11-18T08:00:{id}"))));
    let (seen, calls) = read_all(orders, 3, Vec::new()).await;
    assert_eq!(missing(&seen, 1..=16), Vec::<u64>::new());
    assert!(calls < 30, "{calls}");
}

#[tokio::test]
async fn records_that_change_while_they_are_read_hide_no_others() {
    // After each of the first calls a record that was already seen goes to the end, and all behind it move up.
    for spread in [false, true] {
        let stamp = |id: u64| if spread { format!("2026-11-18T08:{:02}:00", id) } else { "2026-11-18T08:00:10".to_owned() };
        let orders: Vec<(u64, String)> = (1..=20).map(|id| (id, stamp(id))).collect();
        let touch = (1..=6).map(|at| (at, at as u64, format!("2026-11-18T09:00:{at:02}"))).collect();
        let (seen, _) = read_all(orders, 3, touch).await;
        assert_eq!(missing(&seen, 1..=20), Vec::<u64>::new(), "spread: {spread}");
    }
}

#[tokio::test]
async fn the_hour_that_comes_twice_hides_no_records() {
    let stamps = ["00:59:59", "01:10:00", "01:10:00", "01:20:00", "01:50:00", "01:59:59", "02:00:00", "02:00:01", "02:30:00"];
    let orders: Vec<(u64, String)> = (1..).zip(stamps).map(|(id, time)| (id, format!("2026-11-01T{time}"))).collect();
    let (seen, _) = read_all(orders, 2, Vec::new()).await;
    assert_eq!(missing(&seen, 1..=9), Vec::<u64>::new());

    // A poll that ended in the first of the two begins before both.
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([orders_of_none()]);
    page(&bench, &plan, "orders", Some(r#"{"seen":"2026-11-01T01:50:00"}"#), true).await.unwrap();
    assert!(bench.asked()[0].contains("modifyDateStart=2026-11-01 00:55:00"), "{:?}", bench.asked());
}

fn orders_of_none() -> Result<Response, Broken> {
    orders(&[], 1, 0)
}

#[tokio::test]
async fn a_full_page_is_asked_behind_where_v1_does_not_count_its_pages() {
    let plan = plan("Order", "\"x\"");
    let all: Vec<(u64, &str)> = (1..=500).map(|id| (id, "2026-11-18T08:00:10")).collect();
    let bench = Bench::new([orders(&all, 1, 0)]);
    assert!(page(&bench, &plan, "orders", None, true).await.unwrap().more);
}

#[tokio::test]
async fn a_checkpoint_that_is_none_is_said_so() {
    let plan = plan("Order", "\"x\"");
    let bench = Bench::new([]);
    let fault = page(&bench, &plan, "orders", Some("yesterday"), true).await.unwrap_err();
    assert!(fault.to_string().contains("checkpoint of `orders`"), "{fault}");
}

#[tokio::test]
async fn a_flow_that_never_ran_asks_for_nothing_older_than_it() {
    let plan = plan("Shipment", "\"x\"");
    let bench = Bench::new([ok(json!({ "shipments": [], "total": 0, "page": 1, "pages": 0 }))]);
    let ask = ReadRequest {
        selection: &source(&plan),
        stream: "voids",
        cursor: None,
        begins: true,
        overlap: SignedDuration::from_mins(5),
        since: Some("2026-11-18T19:00:00Z".parse().unwrap()),
        now: NOW.parse().unwrap(),
    };
    let page = bench.shipstation.changes(&bench.call, &ask).await.unwrap();
    assert_eq!(page.cursor.as_deref(), Some(r#"{"seen":"2026-11-18T11:00:00"}"#));
    assert_eq!(bench.asked(), ["GET /shipments?sortBy=CreateDate&sortDir=ASC&voidDateStart=2026-11-18 10:55:00&page=1&pageSize=500"]);
}
