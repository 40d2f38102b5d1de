//! SOQL: text to tree ([`read`]), names to fields ([`bind`]), and over the store ([`run`]).
//!
//! The whole grammar of the SOQL reference is read. What is not carried out is refused by its name: "… is not imitated by the
//! sandbox". These are `TYPEOF`, `FORMAT`, `convertCurrency`, amounts with a currency, `DISTANCE`, data categories, scopes other
//! than `everything` and `mine`, and `UPDATE TRACKING` and `VIEWSTAT`. What the vendor refuses outside of Apex (bind variables,
//! `ALL ROWS`) is refused in its words. `FOR VIEW`, `FOR REFERENCE`, `FOR UPDATE` and `WITH SECURITY_ENFORCED` change nothing here:
//! nobody else is at work on the records, and the user sees all of them.

pub(super) mod bind;
mod compare;
pub(super) mod dates;
pub(super) mod group;
mod names;
mod read;
pub(super) mod run;
mod token;
pub(super) mod tree;

pub(super) use read::read;

use super::refusal::Refusal;

/// What is wrong with a query, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    code: &'static str,
    message: String,
    /// In characters from its begin.
    at: Option<usize>,
}

impl Trouble {
    fn new(code: &'static str, message: impl Into<String>, at: usize) -> Self {
        Trouble { code, message: message.into(), at: Some(at) }
    }

    fn malformed(message: impl Into<String>, at: usize) -> Self {
        Trouble::new("MALFORMED_QUERY", message, at)
    }

    /// The grammar has it, the sandbox does not.
    fn not_imitated(what: &str, at: usize) -> Self {
        Trouble::malformed(format!("{what} is not imitated by the sandbox"), at)
    }

    /// Without a place: of values and limits.
    fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Trouble { code, message: message.into(), at: None }
    }

    /// In Salesforce's words: the part of the query, a caret below the place, the message.
    pub(super) fn refusal(&self, query: &str) -> Refusal {
        let Some(at) = self.at else { return Refusal::new(self.code, self.message.clone()) };
        let letters: Vec<char> = query.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let at = at.min(letters.len());
        let (from, to) = (at.saturating_sub(28), (at + 28).min(letters.len()));
        let part: String = letters[from..to].iter().collect();
        let before: Vec<char> = query.chars().take(at).collect();
        let row = before.iter().filter(|letter| **letter == '\n').count() + 1;
        let column = before.iter().rev().take_while(|letter| **letter != '\n').count() + 1;
        let caret = " ".repeat(at - from);
        Refusal::new(self.code, format!("\n{part}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{}", self.message))
    }
}

#[cfg(test)]
mod tests;
