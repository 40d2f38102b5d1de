//! When a flow's source is polled, and how far it has been read.

use std::hash::{Hash as _, Hasher as _};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::{CallRequest, Engine, FlowState, Job, Polled};
use crate::base::bounds;
use crate::connector::Page;
use crate::fault::Fault;
use crate::ir::Schedule;
use crate::store::{Change, Checkpoint, Millis, Store, StoreResult};

/// Where a flow names no schedule: webhooks get lost, so it is polled all the same.
const EVERY: Millis = 15 * 60 * 1_000;
/// Records that wait to be mapped, above which no further page is asked for.
const BACKLOG: usize = 4_000;

#[derive(Debug)]
pub(super) struct StreamState {
    pub(super) name: String,
    overlap: SignedDuration,
    only_later: bool,
    state: Running,
    cursor: Option<String>,
    since: Option<Timestamp>,
    /// It was polled to its end at least once.
    pub(super) complete: bool,
    pages: Pages,
}

/// The pages of the poll under way. A source that gives the same ones for ever, or ever more, is told.
#[derive(Debug, Default)]
struct Pages {
    count: usize,
    /// By what they hold: how often each came.
    seen: rustc_hash::FxHashMap<u64, usize>,
}

impl Pages {
    /// Takes a page behind which there is another.
    fn take(&mut self, page: &Page) -> Result<(), Fault> {
        self.count += 1;
        let endless = |why: String| Err(Fault::rejected("pages", format!("it has too many pages: {why}"), None));
        if self.count > bounds::POLL_PAGES {
            return endless(format!("there are more than {}", bounds::POLL_PAGES));
        }
        if page.changes.is_empty() {
            return Ok(());
        }
        let mut hash = rustc_hash::FxHasher::default();
        for change in &page.changes {
            (&change.id, &change.stamp).hash(&mut hash);
        }
        // A page may come twice: a second with many records is read anew where some have left it meanwhile.
        let times = self.seen.entry(hash.finish()).or_default();
        *times += 1;
        if *times > bounds::SAME_PAGES {
            return endless(format!("the same page came {times} times, each time with the note that there are more"));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Running {
    No,
    /// The next page is to be asked for; `begins`: it is the first of the poll.
    Next {
        begins: bool,
    },
    Asked,
}

impl StreamState {
    pub(super) fn running(&self) -> bool {
        self.state != Running::No
    }

    /// A beginning that lies ahead was written by a clock that was wrong: nothing may be left out for it.
    pub(super) fn not_after(&mut self, now: Timestamp) {
        self.since = self.since.map(|since| since.min(now));
    }

    /// It is not read any more in this run.
    pub(super) fn give_up(&mut self) {
        self.state = Running::No;
    }
}

/// Under which name the store has when a flow was last polled to its end.
pub(super) fn polled(flow: &str) -> String {
    format!("polled {flow}")
}

/// When a flow was last polled to its end, as the store has it.
///
/// # Errors
/// The store refused.
pub(super) fn last_poll(store: &dyn Store, flow: &str) -> StoreResult<Option<Millis>> {
    Ok(store.meta(&polled(flow))?.and_then(|text| text.parse().ok()))
}

impl Engine<'_> {
    /// The streams of a flow as the store knows them.
    pub(super) fn poll_state(&self, at: usize, state: &mut FlowState) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let Some(connector) = self.world.connectors.get(&flow.source.connection) else { return Ok(()) };
        for stream in connector.streams(&self.source(at)) {
            let known = self.store.checkpoint(&flow.name, &stream.name)?;
            let overlap = flow.overlap.map_or(stream.overlap, SignedDuration::from_millis);
            state.streams.push(StreamState {
                name: stream.name,
                overlap: if self.settings.safety.overlap { overlap } else { SignedDuration::ZERO },
                only_later: stream.only_later,
                // A poll that was cut off goes on where it was.
                state: if known.as_ref().is_some_and(|known| known.more) { Running::Next { begins: false } } else { Running::No },
                complete: known.as_ref().is_some_and(|known| !known.more),
                since: known
                    .as_ref()
                    .filter(|known| known.cursor.is_none())
                    .and_then(|known| Timestamp::from_millisecond(known.at).ok())
                    .or(self.settings.since),
                cursor: known.and_then(|known| known.cursor),
                pages: Pages::default(),
            });
        }
        // A time that lies ahead was written by a clock that was wrong.
        state.last = last_poll(&*self.store, &flow.name)?.map(|last| last.min(self.millis()));
        state.streams.iter_mut().for_each(|stream| stream.not_after(self.now));
        state.next = Some(if self.settings.once { self.millis() } else { self.next_poll(at, state.last) });
        Ok(())
    }

    /// When a flow that was polled at `last` is polled next, by its schedules.
    pub(super) fn next_poll(&self, at: usize, last: Option<Millis>) -> Millis {
        let (flow, _) = self.flow(at);
        let schedules = self.settings.schedules.get(&flow.name).unwrap_or(&flow.schedules);
        next_run(schedules, last, self.millis())
    }

    pub(super) fn poll(&mut self) -> StoreResult<()> {
        let now = self.millis();
        for at in 0..self.flows.len() {
            let (flow, _) = self.flow(at);
            if !self.flows[at].on {
                continue;
            }
            if self.flows[at].next.is_some_and(|next| next <= now) && !self.flows[at].streams.iter().any(StreamState::running) {
                self.begin_poll(at)?;
            }
            // Where some records go first, the source is read to its end: they may stand on its last page.
            if self.flows[at].backlog > BACKLOG && flow.first_when.is_none() {
                continue;
            }
            for stream in 0..self.flows[at].streams.len() {
                let state = &mut self.flows[at].streams[stream];
                let Running::Next { begins } = state.state else { continue };
                state.state = Running::Asked;
                let ask = CallRequest::Changes {
                    flow: at,
                    stream: state.name.clone(),
                    cursor: state.cursor.clone(),
                    begins,
                    overlap: state.overlap,
                    since: state.since,
                };
                self.want(&flow.source.connection, ask, Job::Poll { flow: at, stream, begins });
            }
        }
        Ok(())
    }

    fn begin_poll(&mut self, at: usize) -> StoreResult<()> {
        let now = self.millis();
        let (flow, _) = self.flow(at);
        // Nothing of a flow that never ran is known, so what only matters later begins from here.
        let first = self.flows[at].streams.iter().filter(|stream| !stream.only_later).all(|stream| !stream.complete);
        let mut changes = Vec::new();
        for stream in &mut self.flows[at].streams {
            if first && stream.only_later {
                if stream.cursor.is_none() && !stream.complete {
                    stream.since = Some(self.now);
                    stream.complete = true;
                    changes.push(Change::Checkpoint(Checkpoint {
                        flow: flow.name.clone(),
                        stream: stream.name.clone(),
                        cursor: None,
                        more: false,
                        at: now,
                    }));
                }
                continue;
            }
            stream.state = Running::Next { begins: true };
            stream.pages = Pages::default();
        }
        self.flows[at].next = None;
        self.flows[at].progress = self.steady();
        self.flows[at].poll = Some((self.steady(), Polled { flow: flow.name.clone(), ..Polled::default() }));
        if !changes.is_empty() {
            self.keep(&changes)?;
        }
        Ok(())
    }

    /// A page of a poll: its records and its checkpoint are one commit.
    pub(super) fn page(&mut self, at: usize, stream: usize, begins: bool, page: Result<Page, Fault>) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        let page = match page {
            Ok(page) => page,
            Err(fault) => return self.page_failed(at, stream, begins, &fault),
        };
        if page.more
            && let Err(fault) = self.flows[at].streams[stream].pages.take(&page)
        {
            return self.page_failed(at, stream, begins, &fault);
        }
        let mut changes = Vec::new();
        self.flows[at].progress = self.steady();
        let state = &self.flows[at].streams[stream];
        let checkpoint = Checkpoint {
            flow: flow.name.clone(),
            stream: state.name.clone(),
            cursor: page.cursor.clone().or_else(|| state.cursor.clone()),
            more: page.more,
            at: self.millis(),
        };
        let moved = checkpoint.cursor.is_some() && (checkpoint.cursor != state.cursor || page.more);
        if self.settings.safety.checkpoints {
            let counted = self.arrive(at, page.changes, &mut changes)?;
            if let Some((_, poll)) = &mut self.flows[at].poll {
                poll.count(&counted);
            }
            self.can_read(at, &mut changes);
            if moved || !self.flows[at].streams[stream].complete {
                changes.push(Change::Checkpoint(checkpoint.clone()));
            }
            self.keep(&changes)?;
        } else {
            // The mistake that the simulation has to find: the checkpoint first, the records later.
            self.store.commit(&[Change::Checkpoint(checkpoint.clone())])?;
            self.arrive(at, page.changes, &mut changes)?;
            self.unsafe_later.push(changes);
        }
        let state = &mut self.flows[at].streams[stream];
        state.cursor = checkpoint.cursor;
        state.complete |= !page.more;
        state.state = if page.more { Running::Next { begins: false } } else { Running::No };
        self.gather(at, page.more);
        self.poll_ended(at)
    }

    fn gather(&mut self, at: usize, more: bool) {
        let state = &mut self.flows[at];
        state.map |= state.gathering && !more;
        state.gathering = more;
    }

    fn poll_ended(&mut self, at: usize) -> StoreResult<()> {
        if self.flows[at].streams.iter().any(StreamState::running) {
            return Ok(());
        }
        let (flow, _) = self.flow(at);
        let now = self.millis();
        self.store.commit(&[Change::Meta { name: polled(&flow.name), value: now.to_string() }])?;
        self.flows[at].last = Some(now);
        if let Some((began, mut poll)) = self.flows[at].poll.take() {
            poll.took = self.steady() - began;
            self.polls.push(poll);
        }
        let next = if self.settings.once { None } else { Some(self.next_poll(at, Some(now))) };
        if flow.group.is_some() {
            // A poll that could not be read has brought nothing: what comes later is still what was there at the beginning.
            if self.flows[at].streams.iter().all(|stream| stream.complete) {
                self.first_poll_ended(at)?;
            }
            self.new_day(at)?;
            self.look_again(at)?;
            self.flows[at].map = true;
        }
        let state = &mut self.flows[at];
        state.next = match (state.next, next) {
            (Some(asked), Some(next)) => Some(asked.min(next)),
            (asked, next) => asked.or(next),
        };
        Ok(())
    }

    fn page_failed(&mut self, at: usize, stream: usize, begins: bool, fault: &Fault) -> StoreResult<()> {
        let (flow, _) = self.flow(at);
        // What is there already does not wait for a source that fails.
        self.gather(at, false);
        if fault.may_pass() && !(self.settings.once && matches!(fault, Fault::Denied { .. })) {
            self.flows[at].streams[stream].state = Running::Next { begins };
            return Ok(());
        }
        let name = self.flows[at].streams[stream].name.clone();
        self.flows[at].streams[stream].state = Running::No;
        let message = format!("`{}` cannot read {} ({name}): {fault}", flow.name, flow.source);
        self.failures.insert(message.clone());
        if let Some((_, poll)) = &mut self.flows[at].poll {
            poll.failed = Some(message.clone());
        }
        self.cannot_read(at, message)?;
        self.poll_ended(at)?;
        if !self.settings.once {
            self.flows[at].next = Some(self.millis() + 5 * 60 * 1_000);
        }
        Ok(())
    }
}

/// When a flow runs next: the earliest of its schedules after its last run. One that was missed while the
/// process was down is made up once.
pub fn next_run(schedules: &[Schedule], last: Option<Millis>, now: Millis) -> Millis {
    let Some(last) = last else { return now };
    let after = |schedule: &Schedule| match schedule {
        Schedule::Every(every) => Some(last + every),
        Schedule::Daily { day, at, zone } => daily(day, *at, zone, last),
        Schedule::Cron { cron, zone } => by_cron(cron, zone, last),
    };
    schedules.iter().filter_map(after).min().unwrap_or(last + EVERY)
}

fn daily(day: &str, at: jiff::civil::Time, zone: &str, last: Millis) -> Option<Millis> {
    let zone = TimeZone::get(zone).ok()?;
    let last = Timestamp::from_millisecond(last).ok()?.to_zoned(zone.clone());
    (0..8).find_map(|days| {
        let date = last.date().checked_add(days.days()).ok()?;
        let weekday = format!("{:?}", date.weekday()).to_lowercase();
        // A time that daylight saving leaves out is the one an hour later; one that comes twice is the first.
        let run = date.to_datetime(at).to_zoned(zone.clone()).ok()?;
        (run > last && (day == "day" || weekday == day)).then(|| run.timestamp().as_millisecond())
    })
}

fn by_cron(cron: &str, zone: &str, last: Millis) -> Option<Millis> {
    let zone = TimeZone::get(zone).ok()?;
    let pattern: croner::Cron = cron.parse().ok()?;
    let last = Timestamp::from_millisecond(last).ok()?.to_zoned(zone);
    Some(pattern.find_next_occurrence(&last, false).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn ms(text: &str) -> Millis {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn a_poll_has_an_end() {
        let page = |ids: &[usize]| Page {
            changes: ids
                .iter()
                .map(|id| crate::connector::Change { id: id.to_string(), stamp: None, state: crate::connector::State::Touched })
                .collect(),
            cursor: None,
            more: true,
        };
        let mut pages = Pages::default();
        for at in 0..bounds::POLL_PAGES {
            pages.take(&page(&[at, at + 1])).unwrap();
        }
        assert!(pages.take(&page(&[1])).is_err());
        let mut pages = Pages::default();
        let taken = (0..100).filter(|at| pages.take(&page(&[at % 2])).is_ok()).count();
        assert_eq!(taken, 2 * bounds::SAME_PAGES);
        assert!(Pages::default().take(&page(&[])).is_ok());
    }

    #[test]
    fn a_missed_run_is_made_up_once() {
        let every = [Schedule::Every(300_000)];
        assert_eq!(next_run(&every, None, 77), 77);
        assert_eq!(next_run(&every, Some(1_000), 2_000), 301_000);
        let nightly = [Schedule::Daily { day: "day".into(), at: jiff::civil::time(2, 0, 0, 0), zone: "Europe/London".into() }];
        let (last, now) = (ms("2026-06-01T02:00:00Z"), ms("2026-06-05T09:00:00Z"));
        assert_eq!(next_run(&nightly, Some(last), now), ms("2026-06-02T01:00:00Z"));
        assert_eq!(next_run(&nightly, Some(now), now), ms("2026-06-06T01:00:00Z"));
        let monday = [Schedule::Daily { day: "monday".into(), at: jiff::civil::time(2, 0, 0, 0), zone: "UTC".into() }];
        assert_eq!(next_run(&monday, Some(now), now), ms("2026-06-08T02:00:00Z"));
    }

    #[test]
    fn cron_counts_in_its_zone() {
        let cron = [Schedule::Cron { cron: "30 6 * * *".into(), zone: "Europe/London".into() }];
        assert_eq!(next_run(&cron, Some(ms("2026-06-05T09:00:00Z")), 0), ms("2026-06-06T05:30:00Z"));
        assert_eq!(next_run(&cron, Some(ms("2026-12-05T09:00:00Z")), 0), ms("2026-12-06T06:30:00Z"));
    }
}
