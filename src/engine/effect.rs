//! Effects: the calls that the engine asks for, and their results.

use jiff::{SignedDuration, Timestamp};

use super::alerts::Message;
use super::mask::Masked;
use crate::connector::{Change, Found, Hint, Item, Page, Receipt, Riders};
use crate::fault::Fault;
use crate::ir::Operation;
use crate::value::ObjectRef;

/// One thing to do on one connection. Its [`Reply`] names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    pub id: u64,
    pub connection: String,
    pub ask: CallRequest,
}

#[derive(Debug, Clone, PartialEq)]
pub enum CallRequest {
    /// One page of a stream of a flow's source.
    Changes { flow: usize, stream: String, cursor: Option<String>, begins: bool, overlap: SignedDuration, since: Option<Timestamp> },
    /// Records of a flow's source by id, as they are at `asked` or later.
    Get { flow: usize, ids: Vec<String>, asked: Timestamp },
    /// What a webhook pointed to.
    Follow { flow: usize, hint: Hint },
    /// Records of another side.
    Find { object: ObjectRef, field: Vec<String>, values: Vec<String>, companions: Vec<Option<String>>, fields: Vec<Vec<String>> },
    /// Records of a target that this store has never confirmed, before they are written for the first time. `bodies`: what is
    /// about to be written, one for each value.
    Present { object: ObjectRef, field: Vec<String>, values: Vec<String>, fields: Vec<Vec<String>>, bodies: Vec<crate::value::Json> },
    /// A batch whose intents are durable.
    Send { object: ObjectRef, op: Operation, key_field: Option<String>, items: Vec<Item>, riders: Option<Riders> },
}

/// What came of an effect.
#[derive(Debug)]
pub struct Reply {
    /// The effect's.
    pub id: u64,
    /// What went over the wire, masked. Reads are counted by them, and keep nothing.
    pub exchanges: Vec<Masked>,
    pub got: CallResponse,
}

#[derive(Debug)]
pub enum CallResponse {
    Page(Result<Page, Fault>),
    Records(Result<Vec<Change>, Fault>),
    Found(Result<Vec<Found>, Fault>),
    Sent(Result<Vec<Receipt>, Fault>),
}

/// What one poll of a flow came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polled {
    pub flow: String,
    /// Records that its pages brought.
    pub read: u64,
    /// Of them: those with news.
    pub new: u64,
    /// Of them: those that are as they were.
    pub unchanged: u64,
    /// Of them: those of which only a change is known, so that they are read on their own.
    pub listed: u64,
    pub calls: u64,
    /// Milliseconds, waits for the connection included.
    pub took: i64,
    /// Why it broke off, where it did.
    pub failed: Option<String>,
}

impl Polled {
    /// Adds what one page came to.
    pub(super) fn count(&mut self, page: &Polled) {
        self.read += page.read;
        self.new += page.new;
        self.unchanged += page.unchanged;
        self.listed += page.listed;
    }
}

/// What one step of the engine gives.
#[derive(Debug, Default)]
pub struct Step {
    pub effects: Vec<Effect>,
    /// Messages to carry to the channels; each is answered by [`super::Engine::told`].
    pub alerts: Vec<Message>,
    /// Polls that have ended, for the log.
    pub polls: Vec<Polled>,
    /// In how long the engine wants to be asked again at the latest; `None`: only when something comes back.
    pub wake: Option<SignedDuration>,
}
