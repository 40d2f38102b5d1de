//! What a day is made for: ordinary trouble, one kind of hazard, or one mechanism of safety.

use jiff::Timestamp;

use super::scenario::{Hazards, Off, Scenario};
use crate::sandbox::faults::Faults;
use crate::sandbox::rng::Rng;

/// A kind of day. The seed decides what exactly happens in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// No faults and no deaths.
    Calm,
    /// A small org on a bad day.
    Small,
    /// Few orders, each changed often, over a worse network.
    Rough,
    /// 500 orders: batches, pages and queues are full.
    Large,
    /// Other years and seasons, days on which clocks change, the year's end, the leap day, days longer than 24 hours.
    Calendar,
    /// The clock of the machine is wrong by minutes, hours or 30 days, and is set, while the process runs and while it is down.
    Clocks,
    /// Commits of the store fail: not done, done all the same, the disk is full, the database is locked.
    Disk,
    /// People decide in the midst: approve, edit, retry, discard, rewind, replay.
    People,
    /// A field disappears from the source, and a new version of the mapping is released.
    Release,
    /// Secrets are rotated, and tokens end.
    Credentials,
    /// Other people work at the target: they edit, hold, cancel, re-open, delete and ship orders.
    Warehouse,
    /// Another shop of the warehouse gives its orders the numbers that ours have.
    Numbers,
    /// Limits of calls that do not end for a long time.
    Limits,
    /// Changes come one upon the other while requests are late: made for the order of versions.
    Lanes,
    /// Processes take over from each other while the old ones go on: made for the epoch.
    Takeovers,
    /// The process dies again and again while answers are slow: made for intents.
    Deaths,
    /// An older copy of the store is brought back, or the store is lost, while others work at the target.
    Older,
    /// Bits of the store flip.
    Flips,
    /// The target is brought back from its backup and gives its ids again; its orders are combined and split.
    Restored,
    /// The channel of alerts is down again and again, and processes die.
    Alerts,
    /// Systems quote in their refusals what they were sent.
    Quotes,
    /// Requests are lost while orders are cancelled and shipped: made for what is found after an outcome in doubt.
    Doubts,
}

impl Profile {
    pub const ALL: [Profile; 22] = [
        Profile::Calm,
        Profile::Small,
        Profile::Rough,
        Profile::Large,
        Profile::Calendar,
        Profile::Clocks,
        Profile::Disk,
        Profile::People,
        Profile::Release,
        Profile::Credentials,
        Profile::Warehouse,
        Profile::Numbers,
        Profile::Limits,
        Profile::Lanes,
        Profile::Takeovers,
        Profile::Deaths,
        Profile::Older,
        Profile::Flips,
        Profile::Restored,
        Profile::Alerts,
        Profile::Quotes,
        Profile::Doubts,
    ];

    /// As it is named on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Profile::Calm => "calm",
            Profile::Small => "small",
            Profile::Rough => "rough",
            Profile::Large => "large",
            Profile::Calendar => "calendar",
            Profile::Clocks => "clocks",
            Profile::Disk => "disk",
            Profile::People => "people",
            Profile::Release => "release",
            Profile::Credentials => "credentials",
            Profile::Warehouse => "warehouse",
            Profile::Numbers => "numbers",
            Profile::Limits => "limits",
            Profile::Lanes => "lanes",
            Profile::Takeovers => "takeovers",
            Profile::Deaths => "deaths",
            Profile::Older => "older",
            Profile::Flips => "flips",
            Profile::Restored => "restored",
            Profile::Alerts => "alerts",
            Profile::Quotes => "quotes",
            Profile::Doubts => "doubts",
        }
    }

    pub fn named(word: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.word() == word)
    }

    /// The day of a seed.
    pub fn day(self, seed: u64) -> Scenario {
        let none = Hazards::default();
        let small = Scenario { profile: self, ..Scenario::small(seed) };
        let with = |hazards: Hazards| Scenario { hazards, ..small };
        match self {
            Profile::Calm => Scenario { faults: Faults::default(), kills: 0, ..small },
            Profile::Small => small,
            Profile::Rough => Scenario::rough(seed),
            Profile::Large => Scenario::large(seed),
            Profile::Calendar => {
                let mut dice = Rng::new(seed ^ 0xca1e);
                let minutes = [60, 60, 180, 15 * 60, 27 * 60][dice.below(5) as usize];
                Scenario { start: beginning(&mut dice), minutes, acts: if minutes > 600 { 24 } else { 14 }, ..small }
            }
            Profile::Clocks => {
                let hazards = Hazards { clocks: true, ..none };
                // Half of the days over a worse network, where much waits for its time.
                if seed.is_multiple_of(2) { with(hazards) } else { Scenario { profile: self, kills: 3, acts: 40, hazards, ..Scenario::rough(seed) } }
            }
            Profile::Disk => Scenario { kills: 0, ..with(Hazards { disk: true, ..none }) },
            Profile::People => with(Hazards { people: true, ..none }),
            Profile::Release => Scenario { minutes: 90, ..with(Hazards { release: true, ..none }) },
            Profile::Credentials => with(Hazards { credentials: true, ..none }),
            Profile::Warehouse => Scenario { acts: 20, ..with(Hazards { warehouse: true, ..none }) },
            Profile::Numbers => with(Hazards { numbers: true, ..none }),
            Profile::Limits => Scenario { minutes: 120, ..with(Hazards { limits: true, ..none }) },
            Profile::Lanes => {
                let faults = Faults { late: 350, late_seconds: 290, lost_reply: 50, ..Faults::default() };
                Scenario { orders: 3, acts: 70, faults, kills: 2, poll: Some(45), ..with(Hazards { restless: true, ..none }) }
            }
            Profile::Deaths => {
                let faults = Faults { slow: 600, lost_reply: 30, ..Faults::default() };
                Scenario { orders: 12, faults, kills: 60, poll: Some(45), ..small }
            }
            Profile::Older => {
                let older = Hazards { older: true, warehouse: true, ..none };
                match seed % 2 {
                    0 => Scenario { acts: 20, kills: 2, ..with(older) },
                    // Few orders that change again and again: what a copy was about to send is old when it is brought back.
                    _ => Scenario { orders: 3, acts: 60, kills: 0, poll: Some(45), ..with(Hazards { restless: true, warehouse: false, ..older }) },
                }
            }
            Profile::Flips => with(Hazards { flips: true, ..none }),
            Profile::Restored => Scenario { acts: 20, ..with(Hazards { target: true, ..none }) },
            Profile::Alerts => Scenario { acts: 24, kills: 10, ..with(Hazards { deaf: true, ..none }) },
            Profile::Quotes => Scenario { faults: Faults { quoted: 80, ..Faults::BAD_DAY }, ..with(Hazards { quotes: true, ..none }) },
            Profile::Doubts => {
                let faults = Faults { lost_request: 500, lost_reply: 30, ..Faults::default() };
                Scenario { orders: 4, acts: 60, faults, kills: 0, poll: Some(45), ..with(Hazards { hasty: true, ..none }) }
            }
            Profile::Takeovers => Scenario { kills: 14, hazards: Hazards { zombies: true, ..none }, ..small },
        }
    }
}

impl Off {
    /// The kind of day that is made for it: where it is missing, this shows it soonest.
    pub fn profile(self) -> Profile {
        match self {
            Off::Settle | Off::Overlap | Off::Dedupe | Off::LookUp | Off::Checkpoints => Profile::Rough,
            Off::Intents => Profile::Deaths,
            Off::Lanes => Profile::Lanes,
            Off::Fencing => Profile::Takeovers,
            Off::Restart => Profile::Disk,
            Off::FirstLook | Off::Recover => Profile::Older,
            Off::Compare => Profile::Doubts,
            Off::Serial => Profile::Rough,
            Off::Keep => Profile::Warehouse,
            Off::Steady => Profile::Clocks,
            Off::Outbox => Profile::Alerts,
            Off::Scrub => Profile::Quotes,
            Off::Patience => Profile::Limits,
            Off::Checksums => Profile::Flips,
        }
    }
}

/// Days on which calendars have something to say, and some on which they have not.
const BEGINNINGS: [&str; 14] = [
    "2026-03-02T08:00:00Z",
    // Clocks go forward in Europe, and in the United States.
    "2026-03-29T00:20:00Z",
    "2026-03-08T09:10:00Z",
    // And back.
    "2026-10-25T00:20:00Z",
    "2026-11-01T08:15:00Z",
    // The year ends, here and in Los Angeles.
    "2026-12-31T23:20:00Z",
    "2028-01-01T07:30:00Z",
    // A leap day begins, ends, and is none.
    "2028-02-28T23:30:00Z",
    "2028-02-29T20:00:00Z",
    "2027-02-28T23:40:00Z",
    // Summer, before and after now.
    "2024-07-15T14:00:00Z",
    "2031-06-30T22:45:00Z",
    "2025-09-30T23:05:00Z",
    "2029-12-24T12:00:00Z",
];

fn beginning(dice: &mut Rng) -> Timestamp {
    let text = BEGINNINGS[dice.below(BEGINNINGS.len() as u64) as usize];
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_day_has_a_name_of_its_own() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.word()), Some(profile));
        }
        assert_eq!(Profile::named("sunny"), None);
    }

    #[test]
    fn every_beginning_is_a_moment() {
        for text in BEGINNINGS {
            assert!(text.parse::<Timestamp>().is_ok(), "{text}");
        }
    }
}
