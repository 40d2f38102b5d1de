//! How an engine runs: once or by its schedules, how long it waits, and the mechanisms of safety that a simulation can switch off.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::retention::Retention;
use crate::store::Millis;

/// What the safety of a run rests on. All are on; the simulation shows that it fails without any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// After an ambiguous outcome, wait until a late request must have been carried out.
    pub settle: bool,
    /// A poll begins a while before where the last one ended.
    pub overlap: bool,
    /// A version that equals the newest of its lane, or is older, is dropped.
    pub dedupe: bool,
    /// Intents are durable before the first byte leaves.
    pub intents: bool,
    /// After an ambiguous outcome of a write without a key, look it up before it is sent again.
    pub look_up: bool,
    /// One version of a lane at a time.
    pub lanes: bool,
    /// A checkpoint moves only with its page's records.
    pub checkpoints: bool,
    /// What a target holds under a key that was never confirmed is looked at before the first write.
    pub first_look: bool,
    /// What is found after an outcome in doubt is compared with what was sent.
    pub compare: bool,
    /// After an older copy of the store is brought back, nothing that it says of targets is taken for true until it was read.
    pub recover: bool,
    /// Records that write one target's record are mapped one after the other.
    pub serial: bool,
    /// An update is laid over what its target holds, where its target would lose what is not sent.
    pub keep: bool,
    /// A message about an alert is done only when its channel has taken it.
    pub outbox: bool,
    /// What a system says is told without the personal values that it quotes.
    pub scrub: bool,
    /// A call that was refused for a limit, or for a sign-in, costs the records that it was for no try.
    pub patience: bool,
}

impl Default for Safety {
    fn default() -> Self {
        Safety {
            settle: true,
            overlap: true,
            dedupe: true,
            intents: true,
            look_up: true,
            lanes: true,
            checkpoints: true,
            first_look: true,
            compare: true,
            recover: true,
            serial: true,
            keep: true,
            outbox: true,
            scrub: true,
            patience: true,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// Poll each flow once, finish all resulting work, then end. Otherwise: by the schedules.
    pub once: bool,
    /// Only these flows; empty: all.
    pub only: Vec<String>,
    /// Schedules that replace those of the mapping, by flow.
    pub schedules: BTreeMap<String, Vec<crate::ir::Schedule>>,
    /// For the spread of retries: the same seed gives the same waits.
    pub seed: u64,
    pub safety: Safety,
    /// Where a flow has never run: nothing older than this is fetched.
    pub since: Option<Timestamp>,
    /// Records that are mapped in one step.
    pub step: usize,
    /// Only decisions are carried out: nothing is read, mapped or sent.
    pub idle: bool,
    /// An older copy of the store was brought back, or it was lost: what is not known any more may have been sent until then.
    pub recovered: Option<Recovered>,
    /// How often what people asked for beside this process is looked at, in milliseconds.
    pub controls: Millis,
    /// How long what a person decided waits before it is carried out, in milliseconds: so long it can be taken back.
    pub undo: Millis,
    /// How often the engine looks whether everything moves, in milliseconds.
    pub look: Millis,
    /// How long what is kept is kept; absent: for ever.
    pub retention: Option<Retention>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            once: false,
            only: Vec::new(),
            schedules: BTreeMap::new(),
            seed: 0,
            safety: Safety::default(),
            since: None,
            step: 250,
            idle: false,
            recovered: None,
            controls: 500,
            undo: 10_000,
            look: 5_000,
            retention: None,
        }
    }
}

/// What is known of the store that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// When it sent last, as far as the outcome is open: that request may still be carried out. 0: none is open.
    pub sent: Millis,
    /// When it sent last at all: a search need not find yet what that made. 0: nothing is known of.
    pub last: Millis,
}
