//! How a system behaves, as `sandbox/<name>/laws.yaml` says it, in the server's words.
//!
//! Each law names what it is about and who says so: the vendor's sentence with its source, or `nobody`. What nobody proved stands under
//! `assumed`, with the other way that it could be: [`Laws::worlds`] has each of them. What more than one sandbox could need to keep a law
//! is a file of its own here, tested alone; the rest is the sandbox's.

mod calls;
mod credits;
mod delivers;
mod merge;
mod seen;
mod signed;
mod sorted;
#[cfg(test)]
mod tests;
mod token;
mod version;

use serde::Deserialize;

pub use calls::Window;
pub use credits::{Credits, Short};
pub use delivers::{Outbox, Sent};
pub use merge::{replace, set};
pub use seen::Seen;
pub use signed::signature;
pub use sorted::{Order, order};
pub use token::Tokens;
pub use version::is_current;

/// What a system does, one law each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Law {
    /// No two records have one value of a field.
    Unique { refuses: String },
    /// A write names the version that it is based on, and is refused where that is not the newest.
    Version { field: String, refuses: String },
    /// A write under a known key changes the record of that key, and makes one where there is none.
    Upsert { key: String },
    /// What a write does not name is lost, in these fields or, without any, in the whole record.
    Replace {
        #[serde(default)]
        fields: Vec<String>,
    },
    /// What a write does not name stays as it is.
    Set {},
    /// A record in one of these states is not changed by the API.
    Lock { field: String, values: Vec<String>, refuses: String },
    /// The items of a request are all carried out, or none of them.
    AllOrNone {},
    /// Each item of a request is carried out, or refused, by itself.
    EachByItself {},
    /// The lines of a write are added to those that are there.
    AppendsLines {},
    /// A token is taken for so long.
    TokenEnds { seconds: i64 },
    /// A list comes in this order; `-` in front of a field: the greatest first.
    Sorted { by: Vec<String> },
    /// What was changed shows in lists so much later.
    Lag { seconds: i64 },
    /// So many calls within so many seconds.
    Window { calls: u32, seconds: i64 },
    /// Calls cost credits: what a call may cost is asked for before, what it did cost is taken after.
    Credits { most: i64, each_second: i64, refuses: String },
    /// A webhook is signed.
    Signed { header: String, hash: String, print: String },
    /// These events are told to who asked for them.
    Delivers { events: Vec<String> },
    /// A page of a list has so many records, where a caller does not say how many.
    Pages { usual: usize },
    /// Something that is no other law: whether the system does it.
    Does { what: String },
}

impl Law {
    /// Its name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Law::Unique { .. } => "unique",
            Law::Version { .. } => "version",
            Law::Upsert { .. } => "upsert",
            Law::Replace { .. } => "replace",
            Law::Set {} => "set",
            Law::Lock { .. } => "lock",
            Law::AllOrNone {} => "all_or_none",
            Law::EachByItself {} => "each_by_itself",
            Law::AppendsLines {} => "appends_lines",
            Law::TokenEnds { .. } => "token_ends",
            Law::Sorted { .. } => "sorted",
            Law::Lag { .. } => "lag",
            Law::Window { .. } => "window",
            Law::Credits { .. } => "credits",
            Law::Signed { .. } => "signed",
            Law::Delivers { .. } => "delivers",
            Law::Pages { .. } => "pages",
            Law::Does { .. } => "does",
        }
    }
}

/// A law with what it is about, and who says so.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `orders`, `orders.order_number`, `order_update_tags`, `graphql`
    pub of: String,
    pub law: Law,
    /// The vendor's sentence, or `nobody`.
    pub says: String,
    /// Where it stands; needed where somebody says it.
    #[serde(default)]
    pub source: Option<String>,
}

/// A law that nobody proved.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumed {
    pub of: String,
    /// How it is taken to be; none: that there is no such law.
    #[serde(default)]
    pub law: Option<Law>,
    /// How it could be too; none: without such a law.
    #[serde(default)]
    pub also: Option<Law>,
    pub says: String,
    #[serde(default)]
    pub source: Option<String>,
}

/// Where an independent server or validator answers otherwise, and who is followed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    pub name: String,
    /// What it was asked.
    pub asked: String,
    pub differs: String,
    pub decided: String,
}

/// A file of laws.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Laws {
    pub system: String,
    /// The vendor's files that say what requests and answers look like.
    pub forms: Vec<String>,
    pub laws: Vec<Line>,
    #[serde(default)]
    pub assumed: Vec<Assumed>,
    #[serde(default)]
    pub witnesses: Vec<Witness>,
}

impl Laws {
    /// Reads a file of laws.
    ///
    /// # Errors
    /// It cannot be read, a law has no source, or an assumption has no other way.
    pub fn read(text: &str) -> Result<Laws, String> {
        let laws: Laws = crate::yaml::typed(text).map_err(|error| error.to_string())?;
        let unsourced = laws.laws.iter().find(|line| line.says != "nobody" && line.source.is_none());
        if let Some(line) = unsourced {
            return Err(format!("the law {} of {} has a sentence, and no `source` where it stands", line.law.name(), line.of));
        }
        if let Some(line) = laws.laws.iter().find(|line| line.says == "nobody") {
            return Err(format!("nobody says the law {} of {}: it belongs under `assumed`, with how it could be too", line.law.name(), line.of));
        }
        if let Some(one) = laws.assumed.iter().find(|one| one.law == one.also) {
            return Err(format!("the assumption about {} has one way only", one.of));
        }
        Ok(laws)
    }

    /// The laws that hold where each assumption is right.
    pub fn held(&self) -> Held {
        self.world(None)
    }

    /// The laws of each world: that of [`Laws::held`], and one for each assumption in which it is wrong, with what differs.
    pub fn worlds(&self) -> Vec<(String, Held)> {
        let other = |(at, one): (usize, &Assumed)| {
            let name = |law: &Option<Law>| law.as_ref().map_or_else(|| "no law".to_owned(), |law| format!("{law:?}"));
            (format!("{}: {} in place of {}", one.of, name(&one.also), name(&one.law)), self.world(Some(at)))
        };
        let mut worlds = vec![("as assumed".to_owned(), self.held())];
        worlds.extend(self.assumed.iter().enumerate().map(other));
        worlds
    }

    fn world(&self, wrong: Option<usize>) -> Held {
        let said = self.laws.iter().map(|line| (line.of.clone(), line.law.clone()));
        let assumed = self.assumed.iter().enumerate().filter_map(|(at, one)| {
            let law = if wrong == Some(at) { &one.also } else { &one.law };
            Some((one.of.clone(), law.clone()?))
        });
        Held(said.chain(assumed).collect())
    }
}

/// The laws that hold in one world.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Held(Vec<(String, Law)>);

impl Held {
    /// The law of a name about something.
    pub fn law(&self, of: &str, name: &str) -> Option<&Law> {
        self.0.iter().find(|(known, law)| known == of && law.name() == name).map(|(_, law)| law)
    }

    pub fn holds(&self, of: &str, name: &str) -> bool {
        self.law(of, name).is_some()
    }

    /// Whether the system does something that has no law of its own.
    pub fn does(&self, of: &str, what: &str) -> bool {
        self.0.iter().any(|(known, law)| known == of && matches!(law, Law::Does { what: known } if known == what))
    }

    /// All of them, with what they are about.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Law)> {
        self.0.iter().map(|(of, law)| (of.as_str(), law))
    }

    /// Without the law at a place of [`Held::iter`]: what no test notices then is not tested.
    #[must_use]
    pub fn without(&self, at: usize) -> Held {
        let others = self.0.iter().enumerate().filter(|(place, _)| *place != at);
        Held(others.map(|(_, law)| law.clone()).collect())
    }

    /// With a law in place of the one of its name about the same.
    #[must_use]
    pub fn with(mut self, of: &str, law: Law) -> Held {
        self.0.retain(|(known, other)| known != of || other.name() != law.name());
        self.0.push((of.to_owned(), law));
        self
    }

    pub fn seconds(&self, of: &str, name: &str) -> jiff::SignedDuration {
        let seconds = match self.law(of, name) {
            Some(Law::Lag { seconds } | Law::TokenEnds { seconds }) => *seconds,
            _ => 0,
        };
        jiff::SignedDuration::from_secs(seconds)
    }
}
