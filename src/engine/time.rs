//! The engine's time: it advances with the monotonic clock, and follows the wall clock if that was set.
//!
//! A wait (a poll, a retry, a settle time, a pause) is stored as the time at which it ends. If the wall clock is set by an hour, these
//! times are moved by an hour too, in memory and in the store, so that waits stay as long as they were. So stored times are never
//! later than now, and a wrong clock delays a poll by at most one poll.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alerts::Raise;
use super::{Engine, Job, outbox, poll};
use crate::http::Moment;
use crate::ir::Deadline;
use crate::store::{Change, Checkpoint, Millis, RecordStage, RecordState, Store, StoreResult, Watch, Watched};

/// How far the wall clock may be from where the steady one says that it should be, before its being set is
/// followed. A clock that is kept right by small steps stays below.
const DRIFT: Millis = 1_000;
/// A clock that was set by so much is told.
const TOLD: Millis = 60_000;
/// How often the present time is noted in the store, at least, while the engine runs.
const NOTED: Millis = 30_000;
/// Under which name.
const CLOCK: &str = "clock";

/// Both clocks as the store has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    wall: Millis,
    steady: Millis,
    boot: Option<u64>,
}

/// How the engine's time goes.
#[derive(Debug)]
pub(crate) struct Time {
    /// Where both clocks were when the wall clock was last believed.
    wall: Millis,
    believed: Millis,
    /// The steady clock now.
    pub(super) now: Millis,
    boot: Option<u64>,
    /// When the time was noted in the store, by the steady clock.
    noted: Option<Millis>,
}

impl Time {
    pub(super) fn new(moment: &Moment) -> Self {
        Time { wall: moment.wall.as_millisecond(), believed: moment.steady, now: moment.steady, boot: moment.boot, noted: None }
    }

    /// By how much the wall clock was set since the last moment, and what time it is.
    fn advance(&mut self, moment: &Moment) -> (Millis, Millis) {
        self.now = self.now.max(moment.steady);
        let expected = self.wall.saturating_add(self.now - self.believed);
        let wall = moment.wall.as_millisecond();
        let off = wall.saturating_sub(expected);
        if (-DRIFT..0).contains(&off) {
            return (0, expected);
        }
        (self.wall, self.believed) = (wall, self.now);
        if (0..=DRIFT).contains(&off) { (0, wall) } else { (off, wall) }
    }

    fn noted(&self, now: Millis) -> Noted {
        Noted { wall: now, steady: self.now, boot: self.boot }
    }
}

/// By how much the wall clock was set while no process ran, as far as that can be told: exactly within one boot of the
/// machine, otherwise only that it was set back.
pub(super) fn set_meanwhile(store: &dyn Store, moment: &Moment) -> StoreResult<Millis> {
    let noted: Option<Noted> = store.meta(CLOCK)?.and_then(|text| serde_json::from_str(&text).ok());
    let Some(noted) = noted else { return Ok(0) };
    let wall = moment.wall.as_millisecond();
    let off = if noted.boot.is_some() && noted.boot == moment.boot && moment.steady >= noted.steady {
        wall.saturating_sub(noted.wall.saturating_add(moment.steady - noted.steady))
    } else {
        wall.saturating_sub(noted.wall).min(0)
    };
    Ok(if off.abs() > DRIFT { off } else { 0 })
}

impl Engine<'_> {
    /// Milliseconds by the steady clock.
    pub(super) fn steady(&self) -> Millis {
        self.time.now
    }

    /// Goes on to a moment.
    pub(super) fn advance_to(&mut self, moment: &Moment) -> StoreResult<()> {
        let (off, now) = self.time.advance(moment);
        let before = self.millis();
        self.now = Timestamp::from_millisecond(now).unwrap_or(moment.wall);
        if off == 0 {
            return Ok(());
        }
        self.move_waits(off);
        self.clock_was_set(off, before)?;
        self.watch_at = self.store.next_watch()?;
        Ok(())
    }

    /// The change that notes the time, where that is due.
    pub(super) fn note_time(&mut self, changes: &mut Vec<Change>) {
        if self.time.noted.is_some_and(|at| self.time.now < at + NOTED) {
            return;
        }
        self.time.noted = Some(self.time.now);
        // A number or nothing: it is always JSON.
        let value = serde_json::to_string(&self.time.noted(self.millis())).unwrap_or_default();
        changes.push(Change::Meta { name: CLOCK.to_owned(), value });
    }

    /// Moves what the store has by as much as the wall clock was set, and tells it once.
    pub(super) fn clock_was_set(&mut self, off: Millis, before: Millis) -> StoreResult<()> {
        let now = self.millis();
        self.hold_dropping();
        let expects = &self.world.plan.mapping.expects;
        let is_fixed = |watch: &Watch| match &watch.what {
            Watched::Window => true,
            Watched::Expectation(name) => expects.iter().any(|expect| expect.name == *name && matches!(expect.deadline, Deadline::Before(_))),
            Watched::Unmet(_) | Watched::Late { .. } | Watched::Settle => false,
        };
        let from = now.min(before);
        let mut changes = Vec::new();
        for mut entry in self.store.open_entries()? {
            entry.moved_by(off);
            changes.push(outbox::moved(&entry));
        }
        for watch in self.store.watches(Millis::MAX, usize::MAX)?.into_iter().filter(|watch| !is_fixed(watch)) {
            changes.push(Change::Watch(Watch { since: watch.since + off, due: watch.due + off, ..watch }));
        }
        // Where nothing was read yet, a stream begins at the time that stands there.
        for checkpoint in self.store.checkpoints()?.into_iter().filter(|known| known.cursor.is_none() && known.at > from) {
            changes.push(Change::Checkpoint(Checkpoint { at: checkpoint.at + off, ..checkpoint }));
        }
        for flow in &self.world.plan.mapping.flows {
            for state in [RecordStage::Waiting, RecordStage::Fetch, RecordStage::Sending] {
                let waiting = self.store.in_state(Some(&flow.name), state, usize::MAX)?;
                changes.extend(
                    waiting.into_iter().filter(|lane| lane.due > from).map(|lane| Change::Record(RecordState { due: lane.due + off, ..lane })),
                );
            }
        }
        for flow in &self.world.plan.mapping.flows {
            if let Some(last) = poll::last_poll(&*self.store, &flow.name)? {
                changes.push(Change::Meta { name: poll::polled(&flow.name), value: last.saturating_add(off).min(now).to_string() });
            }
        }
        self.move_lost(off, &mut changes)?;
        if off.abs() >= TOLD {
            let way = if off < 0 { "back" } else { "ahead" };
            let message = format!("this machine's clock was set {way} by {}; waits stay as long as they were", words(off.abs()));
            let raise = Raise { cause: "clock".to_owned(), kind: "clock", subject: "clock".to_owned(), message, lasting: false, ..Raise::default() };
            self.raise(raise, &mut changes)?;
        }
        self.time.noted = None;
        self.note_time(&mut changes);
        // What is in memory was moved already.
        self.store.commit(&changes)
    }

    /// Moves what waits in memory.
    fn move_waits(&mut self, off: Millis) {
        let now = self.millis();
        self.later = self.later.iter().map(|(due, id)| (due + off, *id)).collect();
        self.open_entries.moved_by(off);
        for (_, job) in self.jobs.values_mut() {
            match job {
                Job::Send { out, riders, .. } => {
                    out.moved_by(off);
                    riders.iter_mut().for_each(|entry| entry.moved_by(off));
                }
                Job::LookUp { entries } => entries.iter_mut().for_each(|entry| entry.moved_by(off)),
                _ => {}
            }
        }
        self.unsettled.values_mut().chain(self.held_off.values_mut()).for_each(|until| *until += off);
        self.connections.values_mut().for_each(|line| (line.paused, line.used_until) = (line.paused + off, 0));
        self.controls_at += off;
        for at in 0..self.flows.len() {
            let next = self.flows[at].next.map(|next| next + off);
            let state = &mut self.flows[at];
            state.last = state.last.map(|last| (last + off).min(now));
            state.look = state.look.map(|look| look + off);
            state.streams.iter_mut().for_each(|stream| stream.not_after(self.now));
            // Times of the day are the wall clock's; what somebody asked for stays as soon as it was.
            let last = state.last;
            let scheduled = if self.settings.once { None } else { last.map(|last| self.next_poll(at, Some(last))) };
            self.flows[at].next = next.map(|next| scheduled.map_or(next, |scheduled| next.min(scheduled)));
        }
        self.move_alerts(off);
    }
}

/// A length of time for people, by its largest unit or two.
pub(super) fn words(millis: Millis) -> String {
    let minutes = millis / 60_000;
    let counted = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match minutes {
        0 => counted(millis / 1_000, "second"),
        1..=119 => counted(minutes, "minute"),
        120..=2_879 => counted(minutes / 60, "hour"),
        _ => counted(minutes / 1_440, "day"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn moment(wall: Millis, steady: Millis) -> Moment {
        Moment { wall: Timestamp::from_millisecond(wall).unwrap(), steady, boot: Some(1) }
    }

    #[test]
    fn time_goes_on_by_the_steady_clock_and_follows_a_clock_that_is_set() {
        let mut time = Time::new(&moment(1_000_000, 50));
        assert_eq!(time.advance(&moment(1_010_400, 10_050)), (0, 1_010_400), "a clock that drifts was not set");
        assert_eq!(time.advance(&moment(1_010_100, 10_150)), (0, 1_010_500), "and nothing goes back for it");
        assert_eq!(time.advance(&moment(1_010_100, 9_000)), (0, 1_010_500), "nor for a steady clock that is none");
        let day = 86_400_000;
        assert_eq!(time.advance(&moment(1_011_400 + day, 11_050)), (day, 1_011_400 + day));
        assert_eq!(time.advance(&moment(1_012_400 + day, 12_050)), (0, 1_012_400 + day));
        assert_eq!(time.advance(&moment(1_013_400, 13_050)), (-day, 1_013_400));
    }

    #[test]
    fn lengths_of_time_are_read_at_a_glance() {
        let told = [5_000, 60_000, 600_000, 3_600_000, 7_200_000, 2_592_000_000].map(words);
        assert_eq!(told, ["5 seconds", "1 minute", "10 minutes", "60 minutes", "2 hours", "30 days"]);
    }
}
