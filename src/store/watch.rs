//! Timers: what is checked when its time comes.

use super::Millis;

/// A promise to be looked at when its time comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    pub what: Watched,
    pub flow: String,
    /// The record; of [`Watched::Settle`] the target's key.
    pub lane: String,
    /// When the record was sent.
    pub since: Millis,
    pub due: Millis,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// An `expect` by its name: whether it was met in time.
    Expectation(String),
    /// An `expect` that was not met in time: whether it is met after all.
    Unmet(String),
    /// A write that is not confirmed, after the milliseconds that a follow-up names.
    Late { write: String, after: Millis },
    /// The first record of a group leaves the group's window.
    Window,
    /// A target record that a request which came late may still change.
    Settle,
}

const SETTLE: &str = "settle";
const WINDOW: &str = "window";
const LATE: &str = "late ";
const UNMET: &str = "unmet ";
/// Stands before the name of an expectation that is called like one of the above.
const EXPECT: &str = "expect ";

impl Watched {
    /// As a store keeps it. The name of an expectation has no blank, nor has that of a write.
    pub fn text(&self) -> String {
        match self {
            Watched::Expectation(name) if [SETTLE, WINDOW].contains(&name.as_str()) => format!("{EXPECT}{name}"),
            Watched::Expectation(name) => name.clone(),
            Watched::Unmet(name) => format!("{UNMET}{name}"),
            Watched::Late { write, after } => format!("{LATE}{write} {after}"),
            Watched::Window => WINDOW.to_owned(),
            Watched::Settle => SETTLE.to_owned(),
        }
    }

    /// What [`Watched::text`] says.
    pub fn read(text: &str) -> Self {
        let late = || {
            let (write, after) = text.strip_prefix(LATE)?.split_once(' ')?;
            Some(Watched::Late { write: write.to_owned(), after: after.parse().ok()? })
        };
        let plain = || text.strip_prefix(EXPECT).filter(|name| [SETTLE, WINDOW].contains(name)).unwrap_or(text);
        match text {
            SETTLE => Watched::Settle,
            WINDOW => Watched::Window,
            _ => match text.strip_prefix(UNMET) {
                Some(name) => Watched::Unmet(name.to_owned()),
                None => late().unwrap_or_else(|| Watched::Expectation(plain().to_owned())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back() {
        let name = |name: &str| name.to_owned();
        for what in [
            Watched::Expectation(name("tracked")),
            Watched::Unmet(name("tracked")),
            Watched::Late { write: name("sent"), after: 3_600_000 },
            Watched::Window,
            Watched::Settle,
            // Expectations may have any name.
            Watched::Expectation(name("settle")),
            Watched::Expectation(name("window")),
            Watched::Expectation(name("late")),
            Watched::Expectation(name("unmet")),
            Watched::Expectation(name("expect")),
            Watched::Unmet(name("settle")),
            Watched::Unmet(name("window")),
        ] {
            assert_eq!(Watched::read(&what.text()), what, "{}", what.text());
        }
    }

    /// Older stores have these; what cannot be read stays what it is.
    #[test]
    fn the_texts_of_older_stores_stay_as_they_are() {
        for text in ["settle", "window", "tracked", "late sent 5", "unmet tracked", "late", "late sent", "late sent soon", "expect x", ""] {
            assert_eq!(Watched::read(text).text(), text);
        }
    }
}
