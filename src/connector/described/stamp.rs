//! Instants as a system prints them, and as it takes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::open::Link;
use crate::describe::model::Zone;
use crate::value::Json;

/// An instant as a text that sorts: RFC 3339 in UTC, always with microseconds. What is finer is cut off.
pub(super) fn sortable(at: Timestamp) -> String {
    format!("{at:.6}")
}

impl Link {
    /// An instant as the system prints it; none where it is none.
    pub(super) fn instant(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(at);
        }
        if let Ok(seconds) = text.parse::<i64>() {
            return Timestamp::from_second(seconds).ok();
        }
        let local: DateTime = text.replace(' ', "T").parse().ok()?;
        local.to_zoned(self.zone.clone()).ok().map(|at| at.timestamp())
    }

    /// An instant as the system takes it. It is never later than the instant itself.
    pub(super) fn bound(&self, at: Timestamp) -> Json {
        let time = &self.of.time;
        let print = time.print.as_ref().map(|print| print.node.as_str());
        match print {
            Some("unix s") => Json::from(at.as_second()),
            Some(print) => {
                let zone = if matches!(time.zone, Zone::WallClock(_)) { self.zone.clone() } else { TimeZone::UTC };
                Json::from(at.to_zoned(zone).strftime(print).to_string())
            }
            None => Json::from(at.to_string()),
        }
    }
}

/// The zone of instants without an offset: that of the system's wall clock, or the one that the description names for them.
pub(super) fn zone_of(of: &crate::describe::Described) -> TimeZone {
    let named = match (&of.time.zone, &of.time.without_offset) {
        (Zone::WallClock(zone), _) | (Zone::Utc, Some(zone)) => Some(zone.node.as_str()),
        (Zone::Utc, None) => None,
    };
    named.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
}
