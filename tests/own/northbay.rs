//! Northbay, the warehouse of the book's example: a small server of its own, which knows nothing of Crossdock. It speaks HTTP over
//! plain sockets, keeps an order number to one order, and logs what was asked of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value as Json, json};

pub(crate) const TOKEN: &str = "n0rthbay-t0ken-of-a-test";

/// How the server treats what it is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// The next so many batches are carried out, and the connection breaks before the answer.
    pub(crate) lost_replies: usize,
    /// An order number is not kept to one order: each batch makes new ones.
    pub(crate) doubles: bool,
    /// `created_from` is ignored.
    pub(crate) ignores_from: bool,
    /// The list is in another order each time.
    pub(crate) unsorted: bool,
    /// Every SKU that begins so is refused.
    pub(crate) unknown_sku: Option<String>,
    /// What was made is in the lists after so many more calls only.
    pub(crate) shows_after: usize,
    /// Each page is the first one.
    pub(crate) one_page: bool,
    /// A look-up by number finds the orders whose number begins so, too.
    pub(crate) loose: bool,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) manners: Manners,
    /// As they were made, and after how many calls each shows in lists.
    pub(crate) orders: Vec<Json>,
    shown_from: Vec<usize>,
    /// `GET /orders?page=1`
    pub(crate) calls: Vec<String>,
    /// Bodies of the batches, as they came.
    pub(crate) batches: Vec<Json>,
    pub(crate) keys: Vec<String>,
}

pub(crate) struct Northbay {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Northbay {
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { manners, ..State::default() }));
        let shared = Arc::clone(&state);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || answer(&stream, &state));
            }
        });
        Northbay { url, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// An order that is there from the beginning.
    pub(crate) fn put(&self, number: &str, sku: &str, quantity: u64) {
        let mut state = self.state();
        let at = state.orders.len();
        state.orders.push(order(number, &json!([{"sku": sku, "quantity": quantity}]), at));
        state.shown_from.push(0);
    }

    pub(crate) fn numbers(&self) -> Vec<String> {
        self.state().orders.iter().map(|order| order["number"].as_str().unwrap().to_owned()).collect()
    }
}

/// Each was made a minute after the one before, in the last days.
fn order(number: &str, lines: &Json, at: usize) -> Json {
    let made = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48) + jiff::SignedDuration::from_mins(i64::try_from(at).unwrap());
    let made = made.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({"number": number, "status": "open", "created_at": made, "updated_at": made, "lines": lines})
}

struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn read(stream: &TcpStream) -> Option<(String, Self)> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let url = url::Url::parse(&format!("http://northbay{target}")).ok()?;
        let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Some((format!("{method} {target}"), Asked { method, path: url.path().to_owned(), query, headers, body }))
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>) {
    let Some((line, asked)) = Asked::read(stream) else { return };
    let mut state = state.lock().unwrap();
    state.calls.push(line);
    let Some((status, body)) = state.answer(&asked) else {
        // The reply is lost.
        let _ = stream.shutdown(std::net::Shutdown::Both);
        return;
    };
    let body = body.to_string();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let mut out = stream;
    let _ = out.write_all(text.as_bytes());
}

fn refused(status: u16, code: &str, message: &str) -> Option<(u16, Json)> {
    Some((status, json!({"code": code, "message": message})))
}

impl State {
    /// None: no answer arrives.
    fn answer(&mut self, asked: &Asked) -> Option<(u16, Json)> {
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refused(401, "unauthorized", "the token is not known");
        }
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/orders") => Some((200, self.list(asked))),
            ("POST", "/orders/batch") => self.batch(asked),
            ("GET", path) if path.starts_with("/orders/") => {
                let number = path.trim_start_matches("/orders/");
                match self.shown().into_iter().find(|order| order["number"] == number) {
                    Some(order) => Some((200, order)),
                    None => refused(404, "not_found", "there is no such order"),
                }
            }
            _ => refused(404, "no_route", "there is no such call"),
        }
    }

    fn shown(&self) -> Vec<Json> {
        let now = self.calls.len();
        self.orders.iter().zip(&self.shown_from).filter(|(_, from)| now >= **from).map(|(order, _)| order.clone()).collect()
    }

    fn list(&self, asked: &Asked) -> Json {
        let mut orders = self.shown();
        if let Some(number) = asked.parameter("number") {
            let is = |found: &str| if self.manners.loose { found.starts_with(number) } else { found == number };
            orders.retain(|order| order["number"].as_str().is_some_and(is));
        }
        if let Some(from) = asked.parameter("created_from").filter(|_| !self.manners.ignores_from) {
            let from: jiff::Timestamp = from.parse().unwrap();
            orders.retain(|order| order["created_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() >= from);
        }
        if self.manners.unsorted {
            orders.reverse();
        }
        let number = |name: &str, otherwise| asked.parameter(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(otherwise);
        let asked_page = if self.manners.one_page { 1 } else { number("page", 1).max(1) };
        let (page, size) = (asked_page, number("per_page", 20).clamp(1, 100));
        let pages = orders.len().div_ceil(size).max(1);
        let part: Vec<Json> = orders.into_iter().skip((page - 1) * size).take(size).collect();
        json!({"orders": part, "page": page, "pages": pages})
    }

    fn batch(&mut self, asked: &Asked) -> Option<(u16, Json)> {
        let Some(key) = asked.header("idempotency-key").filter(|key| !key.is_empty()).map(str::to_owned) else {
            return refused(400, "invalid_batch", "Idempotency-Key is missing");
        };
        let Ok(body) = serde_json::from_slice::<Json>(&asked.body) else { return refused(400, "invalid_batch", "this is no JSON") };
        let Some(orders) = body["orders"].as_array().filter(|orders| (1..=50).contains(&orders.len())).cloned() else {
            return refused(400, "invalid_batch", "a batch has 1 to 50 orders");
        };
        self.keys.push(key);
        self.batches.push(body);
        let results: Vec<Json> = orders.iter().map(|order| self.made(order)).collect();
        if self.manners.lost_replies > 0 {
            self.manners.lost_replies -= 1;
            return None;
        }
        Some((200, json!({"results": results})))
    }

    fn made(&mut self, given: &Json) -> Json {
        let Some(number) = given["number"].as_str() else {
            return json!({"number": null, "status": "rejected", "error": {"code": "no_number", "message": "number is missing"}});
        };
        let rejected = |code: &str, message: String| json!({"number": number, "status": "rejected", "error": {"code": code, "message": message}});
        let prefix = self.manners.unknown_sku.clone();
        let unknown = |line: &Json| prefix.as_deref().is_some_and(|prefix| line["sku"].as_str().is_some_and(|sku| sku.starts_with(prefix)));
        if let Some(line) = given["lines"].as_array().into_iter().flatten().find(|line| unknown(line)) {
            return rejected("unknown_sku", format!("the SKU {} is not known", line["sku"]));
        }
        if !self.manners.doubles && self.orders.iter().any(|order| order["number"] == number) {
            return rejected("duplicate_number", format!("there is an order {number}"));
        }
        let made = order(number, &given["lines"], self.orders.len());
        self.orders.push(made);
        self.shown_from.push(self.calls.len() + self.manners.shows_after);
        json!({"number": number, "status": "created"})
    }
}
