//! The words of the language for what the tree holds: as a mapping, a plan and the logs spell them.

use super::{Arithmetic, Compare, ContextVar, Event, Policy, Schedule};
use crate::value::duration_text;

impl Policy {
    /// `once`, `if empty`, `clear`; nothing for what every row does.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Policy::Changed => None,
            Policy::Once => Some("once"),
            Policy::IfEmpty => Some("if empty"),
            Policy::Clear => Some("clear"),
        }
    }
}

impl Compare {
    /// `==`, `<=`
    pub fn sign(self) -> &'static str {
        match self {
            Compare::Equal => "==",
            Compare::NotEqual => "!=",
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
        }
    }
}

impl Arithmetic {
    /// `+`, `*`
    pub fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
        }
    }
}

impl ContextVar {
    /// `target`, `sent_at`
    pub fn name(self) -> &'static str {
        match self {
            ContextVar::Target => "target",
            ContextVar::Now => "now",
            ContextVar::Today => "today",
            ContextVar::Value => "value",
            ContextVar::Count => "count",
            ContextVar::Reasons => "reasons",
            ContextVar::Reached => "reached",
            ContextVar::Difference => "difference",
            ContextVar::SentAt => "sent_at",
        }
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Event::Fails => "fails",
            Event::IsRejected => "is rejected",
            Event::IsInReview => "is in review",
            Event::Succeeds => "succeeds",
            Event::IsGone => "is gone",
            Event::IsLate(delay) => return write!(f, "is late after {}", millis(*delay)),
        })
    }
}

impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Schedule::Every(every) => write!(f, "every {}", millis(*every)),
            Schedule::Daily { day, at, zone } => write!(f, "every {day} at {} in {zone}", at.strftime("%H:%M")),
            Schedule::Cron { cron, zone } => write!(f, "by cron `{cron}` in {zone}"),
        }
    }
}

/// A duration in milliseconds, as the language writes it: `5 minutes`.
pub fn millis(millis: i64) -> String {
    duration_text(jiff::SignedDuration::from_millis(millis))
}
