//! Records and their states, their outgoing writes, and what targets are confirmed to hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Millis;
use crate::system::Guarantee;
use crate::value::{Json, RawRecord};

/// Where a record is in its flow. One row a lane, which is a flow and a key.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordState {
    pub flow: String,
    /// The record's id at its source.
    pub key: String,
    /// What people call it: an order's number.
    pub label: Option<String>,
    /// Grows with every arrival: lanes go in its order.
    pub arrived: i64,
    /// Goes before all other lanes.
    pub first: bool,
    pub state: RecordStage,
    /// While it is fetched again only to see whether it changed: how it had ended.
    pub was: Option<RecordStage>,
    /// Hash of the newest version's fields that the mapping reads.
    pub version: String,
    /// The newest version's stamp, as text that sorts.
    pub stamp: Option<String>,
    /// The version that was delivered last.
    pub delivered: Option<String>,
    /// Not before then: a retry, or an older request that may still be carried out.
    pub due: Millis,
    /// How often the present version was tried and put off.
    pub attempt: u32,
    /// Sealed. The newest version, kept until it is settled.
    pub body: Option<RawRecord>,
    /// Sealed. What its matches found, by their names, as long as its writes need it; under the empty name the targets
    /// that were read for writes that wait.
    pub matched: Option<Json>,
    /// In a grouped flow: the key of the group's lane that this record is counted in.
    pub group: Option<String>,
    /// Hash of the plan that mapped it last, or [`ERASED`].
    pub plan: Option<String>,
    /// What its newest version looked like at its source: eight bytes for the text of the record, and eight for each of its
    /// children's versions, so that what is listed again is told without reading it. Empty where it is not known.
    pub seen: Vec<u8>,
    /// Sealed. Why it was stopped.
    pub reasons: Vec<Reason>,
    pub updated: Millis,
}

impl RecordState {
    /// The newest version.
    pub fn record(&self) -> Option<&Json> {
        self.body.as_ref().map(RawRecord::json)
    }

    /// Whether a person had its data erased, and its source has not changed it since.
    pub fn is_erased(&self) -> bool {
        self.plan.as_deref() == Some(ERASED)
    }

    /// A lane of which nothing has arrived yet.
    pub fn new(flow: &str, key: &str, now: Millis) -> Self {
        RecordState {
            flow: flow.to_owned(),
            key: key.to_owned(),
            label: None,
            arrived: 0,
            first: false,
            state: RecordStage::Waiting,
            was: None,
            version: String::new(),
            stamp: None,
            delivered: None,
            due: 0,
            attempt: 0,
            body: None,
            matched: None,
            group: None,
            plan: None,
            seen: Vec::new(),
            reasons: Vec::new(),
            updated: now,
        }
    }
}

/// Stands for the plan of a record whose data was erased.
pub const ERASED: &str = "erased";

/// What has to be known of a lane to tell whether something that is listed is news.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub state: RecordStage,
    /// Its newest version was read.
    pub read: bool,
    pub stamp: Option<String>,
    /// See [`RecordState::seen`].
    pub seen: Vec<u8>,
}

/// The states of the first promise, and those on the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordStage {
    /// It is known that it changed; it has to be fetched.
    Fetch,
    /// To be mapped.
    Waiting,
    /// Its writes are on their way.
    Sending,
    /// The target has it.
    Delivered,
    /// It was delivered before, and nothing that is sent differs.
    Unchanged,
    /// The flow's `where` leaves it out, or a match says `skip`.
    NotEligible,
    /// By the mapping's rules.
    Rejected,
    /// A person must look.
    Review,
    /// The target refused it for good, or its outcome is in doubt and nobody may repeat it.
    Failed,
    /// It is gone from the source.
    Gone,
    /// A person decided that it is not sent.
    Discarded,
}

impl RecordStage {
    pub const ALL: [RecordStage; 11] = [
        RecordStage::Fetch,
        RecordStage::Waiting,
        RecordStage::Sending,
        RecordStage::Delivered,
        RecordStage::Unchanged,
        RecordStage::NotEligible,
        RecordStage::Rejected,
        RecordStage::Review,
        RecordStage::Failed,
        RecordStage::Gone,
        RecordStage::Discarded,
    ];

    pub fn word(self) -> &'static str {
        match self {
            RecordStage::Fetch => "fetch",
            RecordStage::Waiting => "waiting",
            RecordStage::Sending => "sending",
            RecordStage::Delivered => "delivered",
            RecordStage::Unchanged => "unchanged",
            RecordStage::NotEligible => "not_eligible",
            RecordStage::Rejected => "rejected",
            RecordStage::Review => "review",
            RecordStage::Failed => "failed",
            RecordStage::Gone => "gone",
            RecordStage::Discarded => "discarded",
        }
    }

    /// Nothing more happens to it by itself.
    pub fn settled(self) -> bool {
        !matches!(self, RecordStage::Fetch | RecordStage::Waiting | RecordStage::Sending)
    }
}

/// Why a record was stopped, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// `rule`, `value_map`, `target`, `in_doubt`, …
    pub kind: String,
    pub message: String,
    pub field: Option<String>,
    /// `orders.dock:12`
    pub place: Option<String>,
    pub owner: Option<String>,
    pub before: Option<Millis>,
    pub review: bool,
}

/// A write on its way: the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub id: i64,
    pub flow: String,
    /// The lane's key.
    pub lane: String,
    /// The lane's version that it was made of.
    pub version: String,
    /// The write's name in the mapping.
    pub write: String,
    /// Which follow-up it is (`succeeds`, `fails`, …); absent for a write of the flow itself.
    pub after: Option<String>,
    pub connection: String,
    pub object: String,
    /// `create`, `update`, `upsert`
    pub op: String,
    /// Sealed. The idempotency key.
    pub key: Option<String>,
    pub key_field: Option<String>,
    /// The target record's id, where it is known.
    pub target: Option<String>,
    /// What ensures that it has one effect at its target.
    #[serde(rename = "class", with = "crate::system::by_class")]
    pub guarantee: Guarantee,
    /// The mapping says `in doubt review`.
    pub review_doubt: bool,
    pub state: EntryState,
    pub first: bool,
    pub attempt: u32,
    pub due: Millis,
    /// When its newest intent was made durable.
    pub sent: Option<Millis>,
    /// The first time that its outcome was in doubt.
    pub doubted: Option<Millis>,
    /// Who sent it: the epoch of the intent.
    pub epoch: u64,
    /// Sealed. What is sent, before it is merged with what the target holds.
    pub body: Json,
    /// Sealed. What the target holds, where the write replaces.
    pub held: Option<Json>,
    /// SHA-256 over the body, in hex.
    pub hash: String,
    /// Sealed. What the target said of it, for later writes of the same record.
    pub result: Option<Json>,
    /// Sealed. The target's own words.
    pub error: Option<String>,
    pub plan: String,
    pub created: Millis,
    /// It waits for the id of another entry's record, and may go in the same call.
    pub rides: Option<Rides>,
}

impl Entry {
    /// Moves its times by as much as the wall clock was set.
    pub(crate) fn moved_by(&mut self, off: Millis) {
        self.due += off;
        self.created += off;
        self.sent = self.sent.map(|sent| sent + off);
        self.doubted = self.doubted.map(|doubted| doubted + off);
    }
}

/// What an entry takes from another one of its lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rides {
    /// The other entry.
    pub on: i64,
    /// The fields of the body that get the id of the other's record. They are absent until it is known.
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// To be sent when its batch is.
    Planned,
    /// The intent: durable before the first byte leaves.
    Sending,
    /// Whether it was done is not known: waits for its settle time and a look-up, or is sent again.
    Ambiguous,
    /// The target has it; kept until the record's other writes are done.
    Confirmed,
    /// The target refused it for good.
    Refused,
    /// Waits for a person.
    Parked,
    /// A newer version takes its place.
    Withdrawn,
}

impl EntryState {
    pub fn word(self) -> &'static str {
        match self {
            EntryState::Planned => "planned",
            EntryState::Sending => "sending",
            EntryState::Ambiguous => "ambiguous",
            EntryState::Confirmed => "confirmed",
            EntryState::Refused => "refused",
            EntryState::Parked => "parked",
            EntryState::Withdrawn => "withdrawn",
        }
    }
}

/// What is known of one record of a target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetState {
    pub connection: String,
    pub object: String,
    /// Hashed. The idempotency key, or `id:` and the record's id. Where a flow writes a record by both, `of:` and the
    /// record's id has the key in the place of the id.
    pub key: String,
    /// Sealed where it is a key.
    pub id: Option<String>,
    /// Keyed hashes of the fields as last confirmed, by field.
    pub fields: BTreeMap<String, String>,
    pub confirmed: Millis,
}
