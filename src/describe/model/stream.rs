//! Streams of changes: each list that is polled.

use jiff::SignedDuration;

use super::{Ask, Page};
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::Reader;
use crate::describe::text::{Formula, Path, Place, Template};
use crate::yaml::{Node, Shape};

#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Checkpoints are kept by it.
    pub name: Spanned<String>,
    pub ask: Ask,
    pub page: Option<Page>,
    /// What makes up for records that show late.
    pub overlap: SignedDuration,
    pub until: Option<Until>,
    /// Nothing older is asked for.
    pub oldest: Option<SignedDuration>,
    /// It only matters once the flow has run.
    pub only_later: bool,
    pub gone: Option<Gone>,
    pub skip: Option<Formula>,
    /// Fields of a record of another list under which it becomes one of this object: templates, and expressions.
    pub shaped: Vec<(Spanned<String>, Shaped)>,
    /// A list that does not say what changed.
    pub listed: Option<Listed>,
    /// The stamp of its records, where it is another than the object's.
    pub stamp: Option<Path>,
    /// It is asked for once for each record of this object.
    pub each: Option<Spanned<String>>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Shaped {
    Template(Template),
    Formula(Formula),
}

/// Which of its records are gone, and where the stamp of that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Gone {
    /// Absent: all of them.
    pub when: Option<Formula>,
    pub stamp: Option<Path>,
}

/// A closed upper bound: what changes meanwhile comes in the next poll.
#[derive(Debug, Clone, PartialEq)]
pub struct Until {
    pub lag: SignedDuration,
    /// The bound itself does not belong to what is given.
    pub open: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// How far back it is gone through.
    pub days: Template,
    pub every: Option<SignedDuration>,
    /// It is read no more.
    pub ended: Option<Formula>,
}

impl Reader<'_> {
    pub(in crate::describe) fn streams(&mut self, node: &Node) -> Vec<Stream> {
        let Shape::List(items) = &node.shape else {
            self.found.push(error::bad_form(self.span(node), "changes", "a list of streams", node.noun()));
            return Vec::new();
        };
        let streams: Vec<Stream> = items.iter().filter_map(|item| self.stream(item)).collect();
        for (at, stream) in streams.iter().enumerate() {
            if streams[..at].iter().any(|other| other.name.node == stream.name.node) {
                let help = "checkpoints are kept by the name: give each its own";
                self.found.push(error::bad_value(stream.name.span, format!("two streams are called `{}`", stream.name.node), help));
            }
        }
        streams
    }

    fn stream(&mut self, node: &Node) -> Option<Stream> {
        let mut block = self.block(node, "a stream")?;
        let name = self.need(&mut block, "name", "checkpoints are kept by it").and_then(|node| self.text(node, "name"));
        let shaped = block.get("as").filter(|node| node.entries().is_some()).map_or_else(Vec::new, |node| self.shaped(node));
        let ask = self.needs_ask(&mut block, Place::Changes);
        if let Some(record) = ask.as_ref().and_then(|ask| ask.record.as_ref()) {
            self.found.push(error::of_a_list(record.span, "a stream"));
        }
        let page = block.get("page").and_then(|node| self.page(node));
        let overlap = block.get("overlap").and_then(|node| self.duration(node, "overlap")).unwrap_or(SignedDuration::ZERO);
        let until = block.get("until").and_then(|node| {
            let mut inner = self.block(node, "`until`")?;
            let lag = self.need(&mut inner, "lag", "nothing says how far behind now the bound is").and_then(|node| self.duration(node, "lag"));
            let open = inner.get("open").is_some_and(|node| self.flag(node, "open"));
            // A field of the answer that says the bound that was taken: read, and not needed where the bound is closed.
            inner.get("say");
            self.close(&inner);
            Some(Until { lag: lag?, open })
        });
        let oldest = block.get("oldest").and_then(|node| self.duration(node, "oldest"));
        let only_later = block.get("only_later").is_some_and(|node| self.flag(node, "only_later"));
        let gone = self.gone(block.get("gone"));
        let skip = block.get("skip").and_then(|node| self.condition(node, "skip", Place::Record));
        let listed = block.get("listed").and_then(|node| {
            let mut inner = self.block(node, "`listed`")?;
            let days = self
                .need(&mut inner, "days", "nothing says how far back it is gone through")
                .and_then(|node| self.template(node, "days", Place::Everywhere));
            if let Some(days) = days.as_ref().filter(|days| days.plain().is_some_and(|text| !text.parse().is_ok_and(|days: u64| days > 0))) {
                let found = format!("`{}`", days.plain().unwrap_or_default());
                self.found.push(error::bad_form(days.span, "days", "a whole number from 1, or a setting of `type: integer`", &found));
            }
            let every = inner.get("every").and_then(|node| self.duration(node, "every"));
            let ended = inner.get("ended").and_then(|node| self.condition(node, "ended", Place::Record));
            self.close(&inner);
            Some(Listed { days: days?, every, ended })
        });
        let stamp = block.get("stamp").and_then(|node| self.path(node, "stamp"));
        let each = block.get("each").and_then(|node| self.text(node, "each"));
        self.close(&block);
        if let (Some(page), Some(ask)) = (&page, &ask) {
            self.page_fits(page, &ask.request);
        }
        let span = self.span(node);
        Some(Stream { name: name?, ask: ask?, page, overlap, until, oldest, only_later, gone, skip, shaped, listed, stamp, each, span })
    }

    pub(in crate::describe) fn gone(&mut self, node: Option<&Node>) -> Option<Gone> {
        let node = node?;
        if node.entries().is_some() {
            let mut block = self.block(node, "`gone`")?;
            let when = self.need(&mut block, "when", "nothing says which are gone").and_then(|node| self.condition(node, "when", Place::Record));
            let stamp = block.get("stamp").and_then(|node| self.path(node, "stamp"));
            self.close(&block);
            return Some(Gone { when: Some(when?), stamp });
        }
        if node.text() == Some("true") {
            return Some(Gone { when: None, stamp: None });
        }
        self.condition(node, "gone", Place::Record).map(|when| Gone { when: Some(when), stamp: None })
    }

    fn shaped(&mut self, node: &Node) -> Vec<(Spanned<String>, Shaped)> {
        let entries = node.entries().unwrap_or_default();
        entries
            .iter()
            .filter_map(|entry| {
                let name = Spanned::new(entry.key.clone(), self.key_span(entry));
                // A text with braces is a template, any other an expression.
                let value = if entry.value.text().is_some_and(|text| text.contains('{')) {
                    Shaped::Template(self.template(&entry.value, "as", Place::Record)?)
                } else {
                    Shaped::Formula(self.formula(&entry.value, "as", Place::Record)?)
                };
                Some((name, value))
            })
            .collect()
    }
}
