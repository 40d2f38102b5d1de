//! Rate limits: how many calls a credential has left.
//!
//! One [`Limit`] is shared by all flows of one credential. It is asked before a call ([`Limit::ready_at`]), told when a call is sent
//! ([`Limit::take`]), and corrected by the answers of the system ([`Limit::seen`], [`Limit::told`], [`Limit::pause`]). A process that has
//! just started does not know how many calls of the window were used, so until the first answer it makes one call at a time. A system
//! may have several limits that hold together ([`Rule`]), and a bound on calls that are out at once ([`Limit::room`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Moment;
use super::quota::{Cost, Kind, Quota, Rule};

/// A fixed window: so many calls until it begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub calls: u32,
    pub length: SignedDuration,
}

/// The calls of one credential.
#[derive(Debug)]
pub struct Limit {
    state: Mutex<State>,
    /// How many calls may be out at once, and the places that are free.
    at_once: Option<(u32, Semaphore)>,
}

#[derive(Debug, Clone)]
struct State {
    /// Absent: the system has no window that is known before its answers.
    window: Option<Window>,
    left: u32,
    /// An answer has come since the process started, so `left` is more than a guess.
    known: bool,
    /// A call is out whose answer will tell.
    asking: bool,
    /// When the present window ends; absent before its first call.
    ends: Option<Timestamp>,
    /// The system said to wait (a 429, a daily budget that is used up).
    paused: Option<Timestamp>,
    /// Throttled in a row without having been told for how long.
    blind: u32,
    /// The latest time that anybody named.
    latest: Option<Timestamp>,
    /// By how much the wall clock is ahead of the steady one, in milliseconds.
    ahead: Option<i64>,
    /// Limits beside the window.
    quotas: Vec<Quota>,
}

/// How far the times that are named may lie apart, since several threads name them.
const APART: SignedDuration = SignedDuration::from_secs(5);

impl State {
    /// Follows a clock that was set back: what was to last a minute still lasts a minute.
    fn follow(&mut self, now: Timestamp) {
        let back = self.latest.map_or(SignedDuration::ZERO, |latest| latest.duration_since(now));
        if back > APART {
            let moved = |at: Timestamp| at.saturating_sub(back).unwrap_or(now);
            self.ends = self.ends.map(moved);
            self.paused = self.paused.map(moved);
            self.quotas.iter_mut().for_each(|quota| quota.moved(moved));
            self.latest = Some(now);
        }
        self.latest = self.latest.max(Some(now));
    }
}

impl Limit {
    pub fn new(window: Option<Window>) -> Self {
        let left = window.map_or(u32::MAX, |window| window.calls);
        Limit {
            state: Mutex::new(State {
                window,
                left,
                known: window.is_none(),
                asking: false,
                ends: None,
                paused: None,
                blind: 0,
                latest: None,
                ahead: None,
                quotas: Vec::new(),
            }),
            at_once: None,
        }
    }

    /// Several limits that hold together, and how many calls may be out at once. The first window of all calls is the one that
    /// [`Limit::seen`] corrects.
    pub fn of(mut rules: Vec<Rule>, at_once: Option<u32>) -> Self {
        let first = rules.iter().position(|rule| rule.operation.is_none() && matches!(rule.kind, Kind::Window(_)));
        let window = first.and_then(|first| match rules.remove(first).kind {
            Kind::Window(window) => Some(window),
            Kind::Bucket { .. } | Kind::Credits { .. } => None,
        });
        let limit = Limit::new(window);
        limit.state.lock().unwrap_or_else(PoisonError::into_inner).quotas = rules.into_iter().map(Quota::new).collect();
        let places = at_once.map(|most| (most.max(1), Semaphore::new(usize::try_from(most.max(1)).unwrap_or(1))));
        Limit { at_once: places, ..limit }
    }

    /// Waits until a call may be out beside those that are; it has its place until what is returned is dropped. `None`: there is
    /// no bound.
    pub async fn room(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.at_once.as_ref()?.1.acquire().await.ok()
    }

    /// The system said how many credits are left: of those of an operation, or of those of all calls.
    pub fn told(&self, now: Timestamp, operation: Option<&str>, left: u32) {
        self.state(now).quotas.iter_mut().for_each(|quota| quota.told(now, operation, left));
    }

    fn state(&self, now: Timestamp) -> MutexGuard<'_, State> {
        // The state is whole after each statement, so a panic elsewhere leaves nothing half done.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.follow(now);
        state
    }

    /// Follows a wall clock that was set: a window that had half a minute left has it still.
    pub fn follow(&self, moment: &Moment) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ahead = moment.wall.as_millisecond().saturating_sub(moment.steady);
        let set = SignedDuration::from_millis(state.ahead.map_or(0, |known| ahead.saturating_sub(known)));
        if state.ahead.is_none() || set.abs() > APART {
            let moved = |at: Timestamp| at.saturating_add(set).unwrap_or(moment.wall);
            state.ends = state.ends.map(moved);
            state.paused = state.paused.map(moved);
            state.latest = state.latest.map(moved);
            state.quotas.iter_mut().for_each(|quota| quota.moved(moved));
            state.ahead = Some(ahead);
        }
    }

    /// When the next call may go out: `now`, or later.
    pub fn ready_at(&self, now: Timestamp) -> Timestamp {
        self.ready_for(now, &Cost::CALL)
    }

    /// The same for a call of a cost of its own.
    pub fn ready_for(&self, now: Timestamp, cost: &Cost) -> Timestamp {
        let state = self.state(now);
        let open = match (state.window, state.ends) {
            (Some(_), Some(ends)) if state.left == 0 && ends > now => ends,
            _ => now,
        };
        let open = state.quotas.iter().fold(open, |open, quota| open.max(quota.ready_at(now, cost)));
        state.paused.map_or(open, |paused| open.max(paused)).max(now)
    }

    /// How many calls may go out now, before an answer says otherwise.
    pub fn left(&self, now: Timestamp) -> u32 {
        if self.ready_at(now) > now {
            return 0;
        }
        let state = self.state(now);
        let at_once = self.at_once.as_ref().map_or(u32::MAX, |(most, _)| *most);
        let beside = state.quotas.iter().fold(at_once, |least, quota| least.min(quota.left(now)));
        beside.min(match (state.window, state.ends) {
            (None, _) => u32::MAX,
            _ if !state.known => u32::from(!state.asking),
            (Some(window), Some(ends)) if ends <= now => window.calls,
            (Some(window), None) => window.calls,
            (Some(_), Some(_)) => state.left,
        })
    }

    /// A call goes out.
    pub fn take(&self, now: Timestamp) {
        self.take_for(now, &Cost::CALL);
    }

    /// The same of a call of a cost of its own.
    pub fn take_for(&self, now: Timestamp, cost: &Cost) {
        let mut state = self.state(now);
        state.quotas.iter_mut().for_each(|quota| quota.take(now, cost));
        let Some(window) = state.window else { return };
        if state.ends.is_none_or(|ends| ends <= now) {
            state.left = window.calls;
            state.ends = Some(add(now, window.length));
        }
        state.left = state.left.saturating_sub(1);
        state.asking |= !state.known;
    }

    /// What was asked by a call that went out has come back, or never will. `done`: the system did what was asked, so that
    /// one that says nothing of its limit is taken at its word.
    pub fn answered(&self, now: Timestamp, done: bool) {
        let mut state = self.state(now);
        state.asking = false;
        state.known |= done;
    }

    /// When the present window ends and how many calls it has left, where that is known.
    pub fn window(&self, now: Timestamp) -> Option<(Timestamp, u32)> {
        let state = self.state(now);
        state.window?;
        state.ends.filter(|ends| state.known && *ends > now).map(|ends| (ends, state.left))
    }

    /// The system said how many calls are left, and when its window begins anew.
    pub fn seen(&self, now: Timestamp, calls: u32, left: u32, resets_in: SignedDuration) {
        let mut state = self.state(now);
        // A credential that may do more than was assumed: what was assumed to be left says nothing.
        let more = state.window.is_some_and(|window| calls > window.calls);
        state.window = Some(Window { calls, length: state.window.map_or(resets_in, |window| window.length) });
        let ends = add(now, resets_in);
        // Answers come out of order: within one window the least is true.
        let same = state.ends.is_some_and(|known| (known.duration_since(ends)).abs() < SignedDuration::from_secs(2));
        state.left = if same && !more { state.left.min(left) } else { left };
        state.ends = Some(ends);
        (state.known, state.asking) = (true, false);
        state.blind = 0;
    }

    /// The system refused a call for its limit. Without a time it is backed off from, longer each time.
    pub fn pause(&self, now: Timestamp, until: Option<Timestamp>) -> Timestamp {
        let mut state = self.state(now);
        let until = until.unwrap_or_else(|| {
            state.blind = (state.blind + 1).min(8);
            add(now, SignedDuration::from_secs(1 << state.blind))
        });
        let until = state.paused.map_or(until, |paused| paused.max(until));
        state.paused = Some(until);
        until
    }
}

pub(super) fn add(at: Timestamp, time: SignedDuration) -> Timestamp {
    at.saturating_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap_or(Timestamp::MAX)
    }

    #[test]
    fn a_window_is_used_up_and_begins_anew() {
        let limit = Limit::new(Some(Window { calls: 2, length: SignedDuration::from_secs(60) }));
        limit.answered(at(0), true);
        assert_eq!(limit.left(at(0)), 2);
        limit.take(at(0));
        limit.take(at(1));
        assert_eq!((limit.left(at(2)), limit.ready_at(at(2))), (0, at(60)));
        assert_eq!(limit.left(at(60)), 2);
        limit.take(at(61));
        assert_eq!(limit.left(at(62)), 1);
    }

    #[test]
    fn until_an_answer_tells_what_is_left_one_call_is_out_at_a_time() {
        let limit = Limit::new(Some(Window { calls: 40, length: SignedDuration::from_secs(60) }));
        assert_eq!((limit.left(at(0)), limit.window(at(0))), (1, None));
        limit.take(at(0));
        assert_eq!(limit.left(at(0)), 0);
        // It was lost, or what stands before the system answered in its place.
        limit.answered(at(1), false);
        assert_eq!((limit.left(at(1)), limit.window(at(1))), (1, None));
        limit.take(at(1));
        limit.seen(at(2), 40, 3, SignedDuration::from_secs(20));
        limit.answered(at(2), true);
        assert_eq!((limit.left(at(2)), limit.window(at(2))), (3, Some((at(22), 3))));
        // A system that says nothing of its limit is taken to have what is documented.
        let silent = Limit::new(Some(Window { calls: 40, length: SignedDuration::from_secs(60) }));
        silent.take(at(0));
        silent.answered(at(1), true);
        assert_eq!(silent.left(at(1)), 39);
    }

    #[test]
    fn a_higher_limit_than_assumed_counts_at_once() {
        let limit = Limit::new(Some(Window { calls: 40, length: SignedDuration::from_secs(60) }));
        limit.take(at(0));
        limit.seen(at(0), 200, 199, SignedDuration::from_secs(60));
        assert_eq!(limit.left(at(1)), 199);
    }

    #[test]
    fn what_the_system_says_counts() {
        let limit = Limit::new(None);
        assert_eq!(limit.left(at(0)), u32::MAX);
        limit.seen(at(0), 40, 3, SignedDuration::from_secs(20));
        limit.seen(at(0), 40, 5, SignedDuration::from_secs(20));
        assert_eq!(limit.left(at(1)), 3, "an answer that came late does not give calls back");
        limit.seen(at(1), 40, 0, SignedDuration::from_secs(19));
        assert_eq!(limit.ready_at(at(2)), at(20));
        assert_eq!(limit.pause(at(2), Some(at(90))), at(90));
        assert_eq!(limit.ready_at(at(30)), at(90));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let limit = Limit::new(Some(Window { calls: 1, length: SignedDuration::from_secs(60) }));
        limit.take(at(3_600));
        assert_eq!(limit.ready_at(at(3_610)), at(3_660));
        // An hour back: fifty seconds are left as before.
        assert_eq!(limit.ready_at(at(10)), at(60));
        limit.pause(at(20), Some(at(90)));
        assert_eq!(limit.ready_at(at(20 - 600)), at(90 - 600));
    }

    #[test]
    fn a_clock_that_is_set_ahead_gives_no_calls_back() {
        let limit = Limit::new(Some(Window { calls: 1, length: SignedDuration::from_secs(60) }));
        let follow = |wall: i64, steady: i64| limit.follow(&Moment { wall: at(wall), steady: steady * 1_000, boot: None });
        follow(0, 0);
        limit.answered(at(0), true);
        limit.take(at(0));
        follow(3_610, 10);
        assert_eq!((limit.left(at(3_610)), limit.ready_at(at(3_610))), (0, at(3_660)));
        follow(20, 20);
        assert_eq!((limit.left(at(20)), limit.ready_at(at(20))), (0, at(60)));
    }

    #[test]
    fn a_refusal_without_a_time_is_backed_off_from() {
        let limit = Limit::new(None);
        let first = limit.pause(at(0), None);
        let second = limit.pause(first, None);
        assert!(second.duration_since(first) > first.duration_since(at(0)));
    }
}
