//! What is known of one service only, a folder each, behind one trait.
//!
//! A connector knows its system's bodies, pages and refusals. It does not decide: when to call, what to do
//! after a failure, and what a record becomes is for the engine. It keeps no state but its sign-in and its
//! limit, so it can be dropped at any moment without anything being lost.

pub mod described;
pub mod holds;
pub mod registry;
mod request;
pub mod salesforce;
#[cfg(test)]
mod scripted;
pub mod shipstation;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

pub use self::request::{LookupRequest, ReadRequest, WriteRequest};
pub use self::webhook::{Hint, WebhookRefusal, WebhookReply, WebhookRequest};
use crate::fault::Fault;
use crate::http::{Call, Limit};
pub use crate::schema::{Comparison, Condition, Selection};
use crate::schema::{Named, Object};
pub use crate::system::{Guarantee, Operation};
use crate::value::{Json, ObjectRef, RawRecord};

/// One system behind one set of credentials.
#[async_trait]
pub trait Connector: Send + Sync {
    /// `salesforce`, `shipstation`.
    fn system(&self) -> &str;

    /// The calls that its credential has left, shared by all flows.
    fn limit(&self) -> &Limit;

    /// Where the changes of a flow's source are found: each is polled with a cursor of its own. The first
    /// is the source itself; others bring what it does not show (changed children, voided shipments).
    fn streams(&self, of: &Selection<'_>) -> Vec<Stream>;

    /// One page of a stream. Paged by key and not by offset wherever the system allows it.
    async fn changes(&self, call: &Call, ask: &ReadRequest<'_>) -> Result<Page, Fault>;

    /// Records of the flow's source by id, in the form of [`Connector::changes`]; one that is not there any more
    /// is absent from the answer. At most [`Connector::fetch_batch`] ids.
    async fn fetch_by_id(&self, call: &Call, of: &Selection<'_>, ids: &[String]) -> Result<Vec<Change>, Fault>;

    /// In which form the records of a flow's source are read. Flows of one object with the same form can share what is read;
    /// absent where each flow's reads are its own.
    fn form(&self, of: &Selection<'_>) -> Option<String> {
        let _ = of;
        None
    }

    /// What is asked for a flow's source in the system's own language, for people; nothing where it has none.
    fn queries(&self, of: &Selection<'_>) -> Queries {
        let _ = of;
        Queries::default()
    }

    /// How many ids one [`Connector::fetch_by_id`] takes in one call.
    fn fetch_batch(&self, of: &Selection<'_>) -> usize;

    /// What reading a flow's source costs: records of one page, and calls for each record beside its page.
    fn read_cost(&self, of: &Selection<'_>) -> Reading;

    /// Records of an object whose field equals one of the values, exactly. Each answer names its value.
    /// At most [`Connector::lookup_batch`] values.
    async fn lookup(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault>;

    /// How many values one [`Connector::lookup`] takes in one call.
    fn lookup_batch(&self, object: &ObjectRef, field: &[String]) -> usize;

    /// A field of an object's records by which several of them can be listed in one call, where `field` can be asked for one
    /// record at a time only. Its values, as far as they are known, are given as [`LookupRequest::companions`].
    fn companion(&self, object: &ObjectRef, field: &[String]) -> Option<&'static str> {
        let _ = (object, field);
        None
    }

    /// How values are distributed over calls of [`Connector::lookup`]: places in `values`, each once. `companions` is as long as
    /// `values`, or empty.
    fn lookup_groups(&self, object: &ObjectRef, field: &[String], values: &[String], companions: &[Option<String>]) -> Vec<Vec<usize>> {
        let _ = companions;
        let places: Vec<usize> = (0..values.len()).collect();
        places.chunks(self.lookup_batch(object, field).max(1)).map(<[usize]>::to_vec).collect()
    }

    /// What a write to an object is held to, as the system's manifest says. `key_field` is the field that the write's key goes
    /// to.
    fn write(&self, object: &Object, operation: Operation, key_field: Option<&str>) -> Option<Write> {
        Write::of(object, operation, key_field)
    }

    /// Sends a batch: one operation on one object, at most [`Write::batch`] items. The receipts are in the
    /// order of the items, one each, matched by key as well as by position; those of the riders follow. A rider that
    /// was not carried out because of an item or of another rider is [`Fault::Transient`].
    ///
    /// # Errors
    /// A fault of the whole call. [`Fault::Ambiguous`] is then every item's.
    async fn send(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault>;

    /// What a webhook says has changed, read without trusting it: a URL in it is never fetched as given.
    ///
    /// # Errors
    /// Why it is refused: it is not this system's, points elsewhere, or nothing proves its sender.
    fn webhook(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal>;

    /// Fetches what a hint points to: records of the flow's source.
    async fn resolve_webhook(&self, call: &Call, of: &Selection<'_>, hint: &Hint) -> Result<Page, Fault>;

    /// The named things of the connection (stores, warehouses, carriers), of the kinds asked for; all that it has
    /// where none is named.
    async fn reference_data(&self, call: &Call, kinds: &std::collections::BTreeSet<String>) -> Result<BTreeMap<String, Vec<Named>>, Fault>;

    /// An object's description as the system gives it, in the form that `schemas/` keeps. `None`: the system has
    /// no description of itself.
    async fn describe(&self, call: &Call, object: &str) -> Result<Option<Json>, Fault>;

    /// One cheap call that needs the credentials: who we are there, in one line.
    async fn check_connection(&self, call: &Call) -> Result<String, Fault>;

    /// Whether a write that is sent twice has another effect than one that is sent once, although its key keeps the record to one:
    /// where the system adds some lines of the record to those that are there. Its outcome is then looked up before it is retried.
    fn repeat_adds(&self, object: &ObjectRef, body: &Json) -> bool {
        let _ = (object, body);
        false
    }

    /// What is sent for an update of an object whose write [replaces](Write::replaces): the changes laid over the
    /// target's record. Here field by field, at the top only; a system that knows more of its records does more.
    fn merge(&self, object: &ObjectRef, target: &Json, changes: &Json) -> Json {
        let _ = object;
        match (target, changes) {
            (Json::Object(target), Json::Object(changes)) => {
                let mut merged = target.clone();
                merged.extend(changes.iter().map(|(name, value)| (name.clone(), value.clone())));
                Json::Object(merged)
            }
            _ => changes.clone(),
        }
    }

    /// Whether a leaf of the target's record holds what a write sends for it. `held` is absent where the record has no such
    /// field. A system whose records go on by themselves takes for the same what is only a later stage of it.
    fn holds(&self, object: &ObjectRef, path: &str, held: Option<&Json>, sent: &Json) -> bool {
        let _ = (object, path);
        holds::same(held, sent)
    }

    /// What the target holds under keys that this store has never confirmed, before they are written for the first time.
    /// `bodies` are what is about to be written, one for each value, without objects and lists in them: a system that cannot search
    /// by the key finds by them where to look. At most [`Connector::present_batch`] values.
    async fn present(&self, call: &Call, ask: &LookupRequest<'_>, bodies: &[Json]) -> Result<Vec<Found>, Fault> {
        let _ = bodies;
        self.lookup(call, ask).await
    }

    /// How many values one [`Connector::present`] takes in one call.
    fn present_batch(&self, object: &ObjectRef, field: &[String]) -> usize {
        self.lookup_batch(object, field)
    }

    /// What the daily budget of calls looks like, where the system has one: used and in all.
    fn budget(&self) -> Option<(u64, u64)> {
        None
    }
}

/// Queries as they are sent, but for their bounds in time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queries {
    /// That for the records themselves.
    pub records: Option<String>,
    /// Those for changes that do not move a record's own stamp.
    pub children: Vec<String>,
}

/// What reading a source costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub page: usize,
    pub each: usize,
}

/// One place to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// `orders`, `OrderItem`, `voids`: stable, since checkpoints are kept by it.
    pub name: String,
    /// Where the flow names no overlap: what it takes at most for a late commit to show.
    pub overlap: SignedDuration,
    /// It only matters once the flow has run: changes to children of records that were all fetched are no news.
    pub only_later: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub changes: Vec<Change>,
    /// Where the next page begins, or the next poll. In the source's own print, never rounded.
    pub cursor: Option<String>,
    /// There is another page now.
    pub more: bool,
}

/// A record that the source has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The record's id at the source: the key of its lane.
    pub id: String,
    /// The source's own stamp, in a form that sorts as text (RFC 3339 in UTC); absent where it has none. A source
    /// that [lists](State::Listed) marks by it what has ended.
    pub stamp: Option<String>,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The record as the mapping reads it.
    Upserted(RawRecord),
    /// It is known that it changed; it has to be fetched.
    Touched,
    /// A child of it was listed with this [version](part). It has to be fetched, unless it was read with it.
    Part(u64),
    /// It no longer passes the conditions that the source applies; its own stamp tells whether that is news.
    LeftFilter,
    /// It is there, and whether it changed is not told: it is fetched, unless it has ended with this stamp.
    Listed,
    /// It was deleted, or voided.
    Gone,
    /// It is there, and cannot be read as a whole: why so. A record that is read by its id fails with it, and no other does.
    Refused(Fault),
}

/// A child's version: a hash of its id and its stamp, both as the source prints them.
pub fn part(id: &str, stamp: &str) -> u64 {
    use sha2::Digest as _;
    let digest = sha2::Sha256::new().chain_update(id).chain_update([0]).chain_update(stamp).finalize();
    u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub value: String,
    pub record: Json,
}

/// What a write is held to, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// What ensures that it has one effect.
    pub guarantee: Guarantee,
    /// Items in one call.
    pub batch: usize,
    /// Items above which the system has a way of its own for bulk, in one batch of up to so many.
    pub bulk: Option<usize>,
    /// How long a request that was sent may still be carried out, and its effect be invisible to a search.
    pub settle: SignedDuration,
    /// Fields that are not sent are lost at the target: an update sends the record as it is, with what differs.
    pub replaces: bool,
    /// The field by which the target's record is found before an update, and after an ambiguous outcome.
    pub found_by: Option<String>,
    /// A call can carry, beside its items, writes that take the ids of the records that it makes.
    pub carries: bool,
    /// The call, for people: `POST /orders/createorders`.
    pub call: String,
}

impl Write {
    /// What the manifest of the object's system says of a write.
    pub fn of(object: &Object, operation: Operation, key_field: Option<&str>) -> Option<Self> {
        let rule = object.write_rule(operation, key_field)?;
        let usual = object.system.manifest()?.settle_minutes;
        Some(Write {
            guarantee: rule.guarantee,
            batch: rule.batch,
            bulk: rule.bulk,
            settle: rule.settle.unwrap_or_else(|| SignedDuration::from_mins(usual.into())),
            replaces: rule.replaces,
            found_by: key_field.filter(|_| rule.found_by_key).map(str::to_owned).or_else(|| rule.found_by.clone()),
            carries: rule.carries,
            call: rule.call.clone(),
        })
    }
}

/// Writes that go in the call of others, and take the ids of their records: one operation on one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Riders {
    pub object: ObjectRef,
    pub operation: Operation,
    pub key_field: Option<String>,
    pub items: Vec<Rider>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rider {
    pub item: Item,
    /// The place in the batch of the item whose id it takes.
    pub on: usize,
    /// The fields that get it.
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The idempotency key, where the write has one.
    pub key: Option<String>,
    /// The id of the target's record, where it is known.
    pub id: Option<String>,
    /// What is sent. Where the write replaces, already merged with what the target holds.
    pub body: Json,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub outcome: Result<Done, Fault>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The record's id at the target.
    pub id: Option<String>,
    /// Whether the call made it; absent where the target does not say.
    pub created: Option<bool>,
    /// What the target says of it, for later writes that read the result. Null: what was sent, with its id.
    pub record: Json,
}

/// The connectors of a project, by connection.
pub type Connectors = BTreeMap<String, Arc<dyn Connector>>;
