//! The health of a connection: calls in flight, pauses after failures, and when it can be used again.

use super::{CallRequest, CallResponse, Effect, Engine, Job, Pass};
use crate::fault::Fault;
use crate::store::{Millis, StoreResult};

/// Calls of one connection that are out at once, at most.
const MOST_OUT: u32 = 4;
/// Failures in a row after which somebody is told.
const TELL_AFTER: u32 = 4;

#[derive(Debug, Default)]
pub(crate) struct ConnectionHealth {
    pub(super) out: u32,
    /// Not used before then.
    pub(super) paused: Millis,
    /// Whole calls that failed in a row.
    pub(super) failures: u32,
    /// Since when no call has succeeded though one was tried, or work waited: by the steady clock.
    pub(super) failing: Option<Millis>,
    /// When a call last succeeded, by the steady clock.
    pub(super) succeeded: Option<Millis>,
    /// What the newest failure was, and its words.
    pub(super) trouble: Option<(Trouble, String)>,
    /// A run that is to end does not wait for it any more.
    pub(super) given_up: bool,
    /// The end of the newest window of calls that was noted to be nearly used up.
    pub(super) used_until: Millis,
}

/// How a connection fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It cannot be reached, or answers with errors.
    Down,
    /// The sign-in is refused.
    Denied,
    /// The limit of calls is reached.
    Throttled,
}

impl Engine<'_> {
    /// Whether a call may go out now.
    pub(super) fn open(&self, connection: &str) -> bool {
        let Some(line) = self.connections.get(connection) else { return false };
        let Some(connector) = self.world.connectors.get(connection) else { return false };
        !line.given_up && line.paused <= self.millis() && line.out < MOST_OUT && connector.limit().left(self.now) > line.out
    }

    /// When a connection that has nothing out can be used again.
    pub(super) fn opens(&self, connection: &str) -> Option<Millis> {
        let line = self.connections.get(connection)?;
        if line.out > 0 {
            // What is out comes back and wakes the engine by itself.
            return None;
        }
        let limit = self.world.connectors.get(connection)?.limit().ready_at(self.now).as_millisecond();
        Some(limit.max(line.paused).max(self.millis() + 1))
    }

    /// Learns from how a call ended.
    pub(super) fn heard(&mut self, connection: &str, got: &CallResponse) -> StoreResult<()> {
        let fault = match got {
            CallResponse::Page(Err(fault)) | CallResponse::Records(Err(fault)) | CallResponse::Found(Err(fault)) | CallResponse::Sent(Err(fault)) => {
                Some(fault)
            }
            _ => None,
        };
        let (now, steady, seed, once) = (self.millis(), self.steady(), self.settings.seed, self.settings.once);
        let Some(line) = self.connections.get_mut(connection) else { return Ok(()) };
        let trouble = match fault {
            Some(Fault::Transient { reason, .. } | Fault::Ambiguous { reason }) => {
                line.failures += 1;
                line.paused = line.paused.max(now + backoff(line.failures, seed ^ u64::from(line.failures)));
                (Trouble::Down, reason)
            }
            Some(Fault::Denied { reason }) => {
                line.failures += 1;
                // A run that is to end asks once more and gives it up.
                line.paused = line.paused.max(now + if once { 5_000 } else { 60_000 });
                (Trouble::Denied, reason)
            }
            Some(Fault::Throttled { until, reason }) => {
                line.paused = line.paused.max(until.map_or(now, |until| until.as_millisecond()));
                (Trouble::Throttled, reason)
            }
            _ => {
                line.failures = 0;
                line.failing = None;
                line.trouble = None;
                line.succeeded = Some(steady);
                return self.works_again(connection);
            }
        };
        line.failing = line.failing.or(Some(steady));
        line.trouble = Some((trouble.0, trouble.1.clone()));
        let tell = trouble.0 == Trouble::Denied || line.failures == TELL_AFTER;
        if tell { self.connection_fails(connection) } else { Ok(()) }
    }

    /// Asks for a call, as soon as its connection allows it. What goes first waits only for what went first before it.
    pub(super) fn want(&mut self, connection: &str, ask: CallRequest, job: Job) {
        if self.given_up(connection) {
            self.dropped(&job);
            return;
        }
        let mut queue = self.pending_calls.remove(connection).unwrap_or_default();
        let at = if self.is_first(&job) { queue.iter().position(|(_, other)| !self.is_first(other)) } else { None };
        queue.insert(at.unwrap_or(queue.len()), (ask, job));
        self.pending_calls.insert(connection.to_owned(), queue);
    }

    /// Whether a call is for what goes first: its look-ups, and the reads that tell of it.
    fn is_first(&self, job: &Job) -> bool {
        let tells = |at: &usize| self.flow(*at).0.first_when.is_some();
        match job {
            Job::Poll { flow, .. } | Job::Fetch { flow, .. } | Job::Follow { flow, .. } => tells(flow),
            Job::Match { first, .. } | Job::Target { first, .. } => *first,
            // An update waits for it and nothing else.
            Job::Base { .. } => true,
            Job::LookUp { entries } => entries.iter().any(|entry| entry.first),
            Job::Send { out, .. } => out.has_first(),
        }
    }

    pub(super) fn start_wants(&mut self, pass: Pass, effects: &mut Vec<Effect>) {
        let connections: Vec<String> = self.pending_calls.iter().filter(|(_, queue)| !queue.is_empty()).map(|(name, _)| name.clone()).collect();
        for connection in connections {
            while self.open(&connection) {
                let next = self.pending_calls.get(&connection).and_then(|queue| queue.front());
                if pass == Pass::First && !next.is_some_and(|(_, job)| self.is_first(job)) {
                    break;
                }
                let Some((ask, job)) = self.pending_calls.get_mut(&connection).and_then(std::collections::VecDeque::pop_front) else { break };
                effects.push(self.begin(&connection, ask, job));
            }
        }
    }

    /// Gives a call its number; from here it is out.
    pub(super) fn begin(&mut self, connection: &str, ask: CallRequest, job: Job) -> Effect {
        let id = self.next_job;
        self.next_job += 1;
        self.jobs.insert(id, (connection.to_owned(), job));
        if let Some(line) = self.connections.get_mut(connection) {
            line.out += 1;
        }
        Effect { id, connection: connection.to_owned(), ask }
    }
}

/// Milliseconds to wait before another try: doubled each time up to 15 minutes, spread over the upper half
/// so that many do not come back at once.
pub(super) fn backoff(attempt: u32, salt: u64) -> Millis {
    const FIRST: u64 = 1_000;
    const LONGEST: u64 = 15 * 60 * 1_000;
    let whole = (FIRST << attempt.clamp(1, 20).saturating_sub(1)).min(LONGEST);
    // splitmix64: the spread needs no secret, only to differ.
    let mut x = salt.wrapping_add(u64::from(attempt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 31;
    (whole / 2 + x % (whole / 2 + 1)) as Millis
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn waits_grow_to_a_limit() {
        for attempt in 1..40 {
            let wait = backoff(attempt, 7);
            assert!((500..=900_000).contains(&wait), "{wait}");
            assert_eq!(wait, backoff(attempt, 7));
        }
        assert!(backoff(1, 3) <= 1_000 && backoff(30, 3) >= 450_000);
    }
}
