//! Templates, patterns, messages, and an expression in a few words.

use super::Reason;
use super::evaluator::{EvalError, Evaluated, Evaluator};
use super::reasons::limit;
use crate::ir::print;
use crate::ir::{Expr, Part, Pattern, Stop};
use crate::value::{MAX_TEXT, Value};

/// Characters of an expression that a trace shows.
const LONGEST_WORDS: usize = 120;

impl<'a> Evaluator<'a> {
    pub(super) fn template(&mut self, parts: &'a [Part], message: bool) -> Evaluated {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Expr(inner) => {
                    let value = self.eval(inner)?;
                    match value.printed() {
                        Some(printed) => text.push_str(&printed),
                        None if message => text.push_str("(none)"),
                        None => return Ok(Value::ABSENT),
                    }
                }
            }
            if text.len() > MAX_TEXT {
                return Err(limit(format!("a text is longer than {MAX_TEXT} bytes")));
            }
        }
        self.made(Value::text(text))
    }

    pub(super) fn matches(&mut self, value: &'a Expr, pattern: &'a Pattern) -> Evaluated {
        let value = self.eval(value)?;
        if value.is_missing() {
            return Ok(Value::Boolean(false));
        }
        match pattern {
            Pattern::Regex(pattern) => {
                let text = value.to_string();
                Ok(Value::Boolean(self.program.pattern(pattern).is_some_and(|regex| regex.is_match(&text))))
            }
            Pattern::Builtin { function, arguments } => {
                let mut values = vec![value];
                values.extend(self.all(arguments)?);
                Ok(Value::Boolean(matches!(self.call(*function, &values)?, Value::Boolean(true))))
            }
        }
    }

    /// The text of a message; one that cannot be made says why.
    pub(super) fn message(&mut self, message: &'a Expr) -> String {
        let more = self.more.len();
        let text = match self.eval(message) {
            Ok(value) => value.to_string(),
            Err(reason) => reason.message,
        };
        self.more.truncate(more);
        text
    }

    /// The reason that a review or a rejection of the author's gives.
    pub(super) fn stopped(&mut self, stop: &'a Stop, kind: &'static str) -> EvalError {
        let message = self.message(&stop.message);
        let before = stop.before.as_ref().and_then(|before| self.instant(before));
        Box::new(Reason { message, kind, review: stop.review, owner: stop.owner.clone(), before, field: None, place: Some(stop.place.clone()) })
    }

    /// A deadline; one that is missing or cannot be computed is none.
    pub(super) fn instant(&mut self, expr: &'a Expr) -> Option<jiff::Timestamp> {
        let more = self.more.len();
        let value = self.eval(expr);
        self.more.truncate(more);
        match value {
            Ok(Value::DateTime(instant)) => Some(instant),
            Ok(Value::Date(date)) => date.to_zoned(self.context.zone.clone()).ok().map(|zoned| zoned.timestamp()),
            _ => None,
        }
    }
}

/// An expression in a few words, for the trace.
pub(super) fn words(expr: &Expr) -> String {
    let words = print::of(expr);
    if words.chars().count() <= LONGEST_WORDS {
        return words;
    }
    words.chars().take(LONGEST_WORDS - 1).chain(std::iter::once('…')).collect()
}
