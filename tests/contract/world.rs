//! A connector over its sandbox in virtual time, with a wire that a test can meddle with.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use crossdock::connector::registry::{self, Settings};
use crossdock::connector::{Change, Connector, LookupRequest, ReadRequest, Receipt, Selection, State, Stream, WriteRequest};
use crossdock::fault::Fault;
use crossdock::http::{Broken, Call, Clock, Moment, Request, Response, Secret, Transport};
use crossdock::sandbox::{Act, System};
use crossdock::value::{Json, ObjectRef};
use jiff::{SignedDuration, Timestamp};

use super::systems::{Item, Subject, Write};

/// When each test begins.
pub const BEGIN: &str = "2026-11-18T08:00:00Z";

/// A clock that goes on by sleeping, and by what each request takes.
pub struct Ticking(Mutex<Timestamp>);

impl Ticking {
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn moment(&self) -> Moment {
        let wall = self.now();
        Moment { wall, steady: wall.as_millisecond(), boot: None }
    }

    async fn sleep(&self, time: Duration) {
        self.advance(SignedDuration::try_from(time).unwrap());
        tokio::task::yield_now().await;
    }
}

type Edit = Box<dyn FnOnce(Json) -> Json + Send>;

/// What happens to one request.
pub enum Meddling {
    /// It never arrives, and the caller knows: the connection was refused.
    Unsent,
    /// It never arrives; the connection breaks.
    LostRequest,
    /// It is carried out; the connection breaks.
    LostReply,
    /// The connection breaks; it is carried out when [`World::arrive`] says.
    Late,
    /// This is answered in its place: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// It is carried out, and this is answered.
    AnswerAfter(u16, String),
    /// It is carried out, and the answer ends in its middle.
    Cut,
    /// It is carried out, and its answer is another one.
    Edit(Edit),
}

/// Which requests a test means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Any,
    Write,
}

impl Of {
    fn is(self, request: &Request) -> bool {
        if is_sign_in(request.uri().path()) {
            return false;
        }
        let graphql = request.uri().path() == "/graphql";
        let writes = if graphql { is_mutation(request.body()) } else { request.method() != http::Method::GET };
        self == Of::Any || writes
    }
}

/// Whether a call gives a token.
pub fn is_sign_in(path: &str) -> bool {
    path.contains("/oauth") || path.contains("/auth/")
}

/// GraphQL is posted whether it reads or writes.
fn is_mutation(body: &[u8]) -> bool {
    let body: Json = serde_json::from_slice(body).unwrap();
    body["query"].as_str().is_some_and(|document| document.trim_start().starts_with("mutation"))
}

pub struct Wire {
    clock: Arc<Ticking>,
    pub system: Mutex<Box<dyn System>>,
    meddling: Mutex<VecDeque<(Of, Meddling)>>,
    late: Mutex<Vec<Request>>,
    /// Method and path of each request, in order.
    pub asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, Broken> {
        self.clock.advance(SignedDuration::from_millis(20));
        tokio::task::yield_now().await;
        self.asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let meddling = {
            let mut queue = self.meddling.lock().unwrap();
            let is = queue.front().is_some_and(|(of, _)| of.is(&request));
            is.then(|| queue.pop_front().unwrap().1)
        };
        let now = self.clock.now();
        let carried_out = || self.system.lock().unwrap().handle(&request, now);
        let lost = || Broken::Lost("the connection was lost".to_owned());
        match meddling {
            None => Ok(carried_out()),
            Some(Meddling::Unsent) => Err(Broken::NotSent("the connection was refused".to_owned())),
            Some(Meddling::LostRequest) => Err(lost()),
            Some(Meddling::LostReply) => {
                carried_out();
                Err(lost())
            }
            Some(Meddling::Late) => {
                self.late.lock().unwrap().push(request);
                Err(lost())
            }
            Some(Meddling::Answer(status, headers, body)) => Ok(answer(status, &headers, body)),
            Some(Meddling::AnswerAfter(status, body)) => {
                carried_out();
                Ok(answer(status, &[], body))
            }
            Some(Meddling::Cut) => Ok(carried_out().map(|body| body.slice(..body.len() / 2))),
            Some(Meddling::Edit(edit)) => Ok(carried_out().map(|body| edit(serde_json::from_slice(&body).unwrap()).to_string().into())),
        }
    }
}

fn answer(status: u16, headers: &[(&'static str, String)], body: String) -> Response {
    let response = headers.iter().fold(http::Response::builder().status(status), |response, (name, value)| response.header(*name, value));
    response.body(Bytes::from(body)).unwrap()
}

/// How a sandbox is set up.
#[derive(Clone, Copy, Default)]
pub struct Setup {
    /// A change shows up to so much later than its stamp says.
    pub lag: SignedDuration,
    /// Calls a minute; none: as many as come.
    pub per_minute: Option<u32>,
}

pub struct World {
    pub subject: &'static Subject,
    pub wire: Arc<Wire>,
    pub clock: Arc<Ticking>,
    pub connector: Arc<dyn Connector>,
    pub call: Call,
}

impl World {
    pub fn new(subject: &'static Subject, setup: Setup) -> Self {
        let clock = Arc::new(Ticking(Mutex::new(BEGIN.parse().unwrap())));
        let wire = Arc::new(Wire {
            clock: Arc::clone(&clock),
            system: Mutex::new((subject.sandbox)(setup)),
            meddling: Mutex::default(),
            late: Mutex::default(),
            asked: Mutex::default(),
        });
        let options = subject.options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        let settings = Settings { name: "c".to_owned(), system: subject.system.to_owned(), options };
        let connector = registry::open(&settings, Arc::clone(&wire) as Arc<dyn Transport>, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        World { subject, wire, clock, connector, call: Call::default() }
    }

    pub fn meddle(&self, of: Of, meddling: Meddling) {
        self.wire.meddling.lock().unwrap().push_back((of, meddling));
    }

    /// Whether all that was to be meddled with came to pass.
    pub fn meddled(&self) -> bool {
        self.wire.meddling.lock().unwrap().is_empty()
    }

    /// What was held back on the wire is carried out now.
    pub fn arrive(&self) -> usize {
        let late = std::mem::take(&mut *self.wire.late.lock().unwrap());
        for request in &late {
            self.wire.system.lock().unwrap().handle_late(request, self.clock.now());
        }
        late.len()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub fn act(&self, verb: &str, subject: &str, settings: Json) -> Json {
        let act = Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
        let done = self.wire.system.lock().unwrap().act(&act, self.clock.now());
        done.unwrap_or_else(|why| panic!("{verb} {subject}: {why}"))
    }

    // ---- reading ----

    /// Reads a stream from its cursor to its end; `between` is done after each page that is not the last.
    pub async fn poll(&self, stream: &Stream, at: &mut Option<String>, mut between: impl FnMut(usize)) -> Result<Vec<Change>, Fault> {
        let (mut changes, mut begins) = (Vec::new(), true);
        let of = ObjectRef::new("c", self.subject.reads.object);
        for page in 1..200 {
            let selection = Selection { object: &of, ..self.subject.selection() };
            let ask = ReadRequest {
                selection: &selection,
                stream: &stream.name,
                cursor: at.as_deref(),
                begins,
                overlap: stream.overlap,
                since: Some(BEGIN.parse().unwrap()),
                now: self.clock.now(),
            };
            let read = self.connector.changes(&self.call, &ask).await?;
            begins = false;
            *at = read.cursor;
            changes.extend(read.changes);
            if !read.more {
                return Ok(changes);
            }
            between(page);
        }
        panic!("{}: the pages do not end", self.subject.name);
    }

    pub fn streams(&self) -> Vec<Stream> {
        let of = ObjectRef::new("c", self.subject.reads.object);
        self.connector.streams(&Selection { object: &of, ..self.subject.selection() })
    }

    pub async fn get(&self, ids: &[String]) -> Vec<Change> {
        let of = ObjectRef::new("c", self.subject.reads.object);
        let selection = Selection { object: &of, ..self.subject.selection() };
        let mut found = Vec::new();
        for ids in ids.chunks(self.connector.fetch_batch(&selection).max(1)) {
            found.extend(self.connector.fetch_by_id(&self.call, &selection, ids).await.unwrap());
        }
        found
    }

    /// What changes say of each record, the last word of each: its content, or `gone`. What is only named is fetched.
    pub async fn told(&self, changes: Vec<Change>) -> Vec<(String, Option<String>)> {
        let mut told = Vec::new();
        let mut named = Vec::new();
        for change in changes {
            match change.state {
                State::Upserted(body) => told.push((change.id, Some((self.subject.reads.content)(&body.read())))),
                State::Gone => told.push((change.id, None)),
                State::Touched | State::Part(_) | State::LeftFilter | State::Listed | State::Refused(_) => named.push(change.id),
            }
        }
        for change in self.get(&named).await {
            if let State::Upserted(body) = change.state {
                told.push((change.id, Some((self.subject.reads.content)(&body.read()))));
            }
        }
        told
    }

    // ---- writing ----

    pub async fn send(&self, write: &Write, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let object = ObjectRef::new("c", write.object);
        let batch = WriteRequest {
            object: &object,
            schemas: self.subject.schemas(),
            operation: write.operation,
            key_field: write.key_field,
            items,
            riders: None,
            now: self.clock.now(),
        };
        Connector::send(&*self.connector, &self.call, &batch).await
    }

    /// How many records a search finds for an item.
    pub async fn find(&self, write: &Write, field: &str, value: &str) -> usize {
        let object = ObjectRef::new("c", write.object);
        let (field, values) = ([field.to_owned()], [value.to_owned()]);
        // As the engine asks: for what it compares.
        let fields = [field.to_vec()];
        let ask =
            LookupRequest { object: &object, schemas: self.subject.schemas(), field: &field, values: &values, companions: &[], projection: &fields };
        self.connector.lookup(&self.call, &ask).await.unwrap().len()
    }

    /// Whether an item that is sent twice has another effect than one that is sent once.
    pub fn repeat_adds(&self, write: &Write, item: &Item) -> bool {
        self.connector.repeat_adds(&ObjectRef::new("c", write.object), &item.body)
    }

    /// What the connector says that a write is held to.
    pub fn held_to(&self, write: &Write) -> crossdock::connector::Write {
        let schema = &self.subject.schemas()[&format!("c.{}", write.object)];
        self.connector.write(schema, write.operation, write.key_field).unwrap()
    }
}
