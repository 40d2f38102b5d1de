//! What became of each item of a write.

use super::{AnswerClass, Errors, Pick};
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::Reader;
use crate::describe::text::{Formula, Path, Place};
use crate::yaml::{Node, Shape};

#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    pub results: Results,
    pub matching: Matching,
    pub ok: Option<Formula>,
    pub refused: Option<Formula>,
    pub error: Option<Errors>,
    /// Words of a refusal that speak of the moment, not of the record.
    pub passing: Option<Spanned<String>>,
    pub id: Option<Pick>,
    /// The write made a record.
    pub created: bool,
    /// Fields of the result that later writes may read; empty: all but those of `drop`.
    pub keep: Vec<Spanned<String>>,
    pub drop: Vec<Spanned<String>>,
    /// Words of success that a person should read.
    pub warning: Option<Path>,
    /// What an item is of which nothing is said.
    pub missing: AnswerClass,
    pub span: Span,
}

/// Where the results stand in the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Results {
    /// The answer is the one result, or holds it there.
    One(Option<Path>),
    /// A list of results.
    Items(Path),
    /// Only what failed is listed; what is not listed succeeded.
    Failures {
        at: Path,
        /// The vendor says that an answer without the list is one in which nothing failed.
        absent_is_none: bool,
    },
    /// Success has no body; with this status, where one is named.
    Empty(Option<u64>),
}

/// How a result is found that belongs to an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Matching {
    /// Not said: there is one.
    One,
    /// By these fields, `place`, or `alias`, in this order.
    By(Vec<Spanned<String>>),
    /// A path of the result, and the field of the item that is the same.
    Fields(Vec<(Path, Spanned<String>)>),
}

impl Reader<'_> {
    pub(in crate::describe) fn receipt(&mut self, node: &Node) -> Option<Receipt> {
        let mut block = self.block(node, "the receipt")?;
        let results = if let Some(node) = block.get("items") {
            self.path(node, "items").map(Results::Items)
        } else if let Some(node) = block.get("failures") {
            let absent = block.get("absent").and_then(|node| self.text(node, "absent"));
            if let Some(absent) = absent.as_ref().filter(|absent| absent.node != "ok") {
                self.found.push(error::unknown_word(&absent.node, absent.span, "absent", &["ok"]));
            }
            self.path(node, "failures").map(|at| Results::Failures { at, absent_is_none: absent.is_some() })
        } else if block.get("empty").is_some_and(|node| self.flag(node, "empty")) {
            let status = block.get("status").and_then(|node| self.whole(node, "status"));
            Some(Results::Empty(status))
        } else {
            match block.get("at") {
                Some(node) => self.path(node, "at").map(|path| Results::One(Some(path))),
                None => Some(Results::One(None)),
            }
        };
        let matching = block.get("match").map_or(Matching::One, |node| match &node.shape {
            Shape::Map(entries) => {
                let fields = entries.iter().filter_map(|entry| {
                    let path = self.path_of(&Spanned::new(entry.key.clone(), self.key_span(entry)))?;
                    Some((path, self.text(&entry.value, "match")?))
                });
                Matching::Fields(fields.collect())
            }
            _ => Matching::By(self.fields(node, "match")),
        });
        let ok = block.get("ok").and_then(|node| self.condition(node, "ok", Place::Receipt));
        let refused = block.get("refused").and_then(|node| self.condition(node, "refused", Place::Receipt));
        let error = block.get("error").map(|node| self.errors(node));
        let passing = block.get("passing").and_then(|node| self.pattern(node, "passing"));
        let id = block.get("id").and_then(|node| self.pick(node, "id", Place::Receipt));
        let created = block.get("created").is_some_and(|node| self.flag(node, "created"));
        let keep = block.get("keep").map_or_else(Vec::new, |node| self.fields(node, "keep"));
        let drop = block.get("drop").map_or_else(Vec::new, |node| self.fields(node, "drop"));
        let warning = block.get("warning").and_then(|node| self.path(node, "warning"));
        let missing = block.get("missing").and_then(|node| self.word(node, "missing")).unwrap_or(AnswerClass::Ambiguous);
        // For people: what is seen later.
        block.get("later");
        self.close(&block);
        let span = self.span(node);
        Some(Receipt { results: results?, matching, ok, refused, error, passing, id, created, keep, drop, warning, missing, span })
    }

    /// A regular expression.
    pub(in crate::describe) fn pattern(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        let text = self.text(node, what)?;
        if let Err(fault) = regex::Regex::new(&text.node) {
            let why = fault.to_string();
            self.found.push(error::unreadable(text.span, why.lines().last().unwrap_or("it is no pattern")));
            return None;
        }
        Some(text)
    }
}
