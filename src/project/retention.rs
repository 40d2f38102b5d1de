//! `retention:` of the project file: for how many days the runtime keeps what it knows, by class of data.

use std::collections::BTreeMap;

use super::config::{Config, Reader};
use super::error;
use crate::base::Span;
use crate::plan::Plan;
use crate::yaml::Node;

/// A class of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Calls, and what they sent and answered of each record.
    Requests,
    /// Records that have ended: their bodies, matches and reasons.
    Bodies,
    /// The lines of records' histories.
    History,
    /// Exceptions that are closed, and what was decided.
    Exceptions,
    /// The other systems' keys and ids by which a record is found.
    Links,
    /// What people call a record.
    Labels,
}

/// A hundred years.
const MOST_DAYS: u32 = 36_500;

impl Kind {
    pub const ALL: [Kind; 6] = [Kind::Requests, Kind::Bodies, Kind::History, Kind::Exceptions, Kind::Links, Kind::Labels];

    pub fn word(self) -> &'static str {
        match self {
            Kind::Requests => "requests",
            Kind::Bodies => "bodies",
            Kind::History => "history",
            Kind::Exceptions => "exceptions",
            Kind::Links => "links",
            Kind::Labels => "labels",
        }
    }

    /// Days where a project says nothing.
    pub fn days(self) -> u32 {
        match self {
            Kind::Requests | Kind::Bodies => 30,
            Kind::History | Kind::Exceptions => 90,
            Kind::Links | Kind::Labels => 365,
        }
    }

    /// A class that follows from the calls of a connection, not from the records of a flow.
    pub fn is_of_connection(self) -> bool {
        self == Kind::Requests
    }
}

/// Days by class; `None`: for ever.
pub type Days = BTreeMap<Kind, Option<u32>>;

/// Reads `{ requests: 30, links: forever }`. Mistakes are pushed with their places; what can be used is used.
pub(super) fn read(node: &Node, what: &str, reader: &mut Reader<'_>) -> Days {
    let known: Vec<&str> = Kind::ALL.into_iter().map(Kind::word).collect();
    let mut days = Days::new();
    for entry in reader.block(node, what) {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == entry.key) else {
            let at = Span::new(reader.file, entry.start, entry.end);
            reader.found.push(error::unknown_key(&entry.key, at, &format!("`{what}`"), &known));
            continue;
        };
        let name = format!("{what}.{}", entry.key);
        let Some(said) = reader.setting(&entry.value, &name) else { continue };
        match (said.text.as_str(), said.text.parse::<u32>()) {
            ("forever", _) => {
                days.insert(kind, None);
            }
            (_, Ok(count)) if count <= MOST_DAYS => {
                days.insert(kind, Some(count));
            }
            (text, _) => {
                let wanted = format!("a number of days (0 to {MOST_DAYS}) or `forever`");
                reader.found.push(error::wrong_shape(said.span, &name, &wanted, &format!("`{text}`")));
            }
        }
    }
    days
}

/// How long each class of data is kept where neither flow nor connection is known: as the project says, else the defaults.
pub fn of_project(config: &Config) -> Days {
    Kind::ALL.into_iter().map(|kind| (kind, config.retention.get(&kind).copied().unwrap_or(Some(kind.days())))).collect()
}

/// How long each class of data of a connection is kept: as the connection says, else the project, else the defaults.
pub fn of_connection(config: &Config, connection: &str) -> Days {
    let mut days = of_project(config);
    days.extend(config.connections.get(connection).iter().flat_map(|connection| connection.retention.iter().map(|(kind, days)| (*kind, *days))));
    days
}

/// How long each class of data of a flow is kept: the shortest time of its connections.
pub fn of_flow(config: &Config, plan: &Plan, flow: &str) -> Days {
    let mut days = Days::new();
    let Some(flow) = plan.mapping.flows.iter().find(|known| known.name == flow) else { return days };
    let writes = flow.writes.iter().chain(flow.follow_ups.iter().flat_map(|after| &after.writes)).map(|write| &write.object);
    for object in std::iter::once(&flow.source).chain(flow.matches.iter().map(|found| &found.object)).chain(writes) {
        for (kind, of) in of_connection(config, &object.connection) {
            let known = days.entry(kind).or_insert(of);
            *known = match (*known, of) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    days
}

/// Days in words.
pub fn told(days: &Days) -> String {
    let told = |(kind, days): (&Kind, &Option<u32>)| match days {
        Some(days) => format!("{} {days}", kind.word()),
        None => format!("{} forever", kind.word()),
    };
    days.iter().map(told).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::base::Sources;
    use crate::base::diag::Diagnostic;
    use crate::project::Texts;
    use crate::project::config::FILE;

    fn config(text: &str) -> (Config, Vec<Diagnostic>, Sources) {
        let (mut sources, mut found) = (Sources::default(), Vec::new());
        let library = Texts::new([(FILE, text)]);
        let config = Config::read(&library, None, &mut sources, &mut found);
        (config, found, sources)
    }

    #[test]
    fn a_connection_says_more_than_the_project_and_that_more_than_the_defaults() {
        let (config, found, _) = config(
            "connections:\n  amazon: { system: salesforce, retention: { bodies: 7, links: forever } }\n  wms: { system: shipstation }\n\
             retention: { bodies: 20, history: 10 }\n",
        );
        assert!(found.is_empty(), "{found:?}");
        let of = |connection: &str| told(&of_connection(&config, connection));
        assert_eq!(of("amazon"), "requests 30, bodies 7, history 10, exceptions 90, links forever, labels 365");
        assert_eq!(of("wms"), "requests 30, bodies 20, history 10, exceptions 90, links 365, labels 365");
        assert!(config.connections["amazon"].options.is_empty(), "they are none of the system's own options");
    }

    #[test]
    fn a_wrong_time_is_told_with_its_place() {
        for (text, at, help) in [
            ("retention: { bodies: 30 days }\n", "30 days", "forever"),
            ("retention: { body: 30 }\n", "body", "bodies"),
            ("retention: { links: -1 }\n", "-1", "0 to 36500"),
            ("retention: { links: 36501 }\n", "36501", "0 to 36500"),
            ("retention: 30\n", "30", "block"),
            ("connections:\n  crm: { system: salesforce, retention: { labels: [1] } }\n", "[", "one value"),
        ] {
            let (_, found, sources) = config(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            let told = format!("{:?}", found[0]);
            assert_eq!(sources.text(found[0].primary.span), at, "{text}: {told}");
            assert!(told.contains(help), "{text}: {told}");
        }
    }
}
