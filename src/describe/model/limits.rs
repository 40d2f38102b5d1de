//! The calls that a system takes from one credential. All limits hold together.

use jiff::SignedDuration;

use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::Reader;
use crate::describe::text::Path;
use crate::yaml::{Node, Shape};

#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// So many calls in each such time. `told`: what the answers say of it, by its name.
    Window {
        calls: u64,
        length: SignedDuration,
        told: Vec<(Spanned<String>, Measure)>,
    },
    /// So many at once, and one more each so often, for one operation or for each by itself.
    Bucket {
        rate: f64,
        burst: u64,
        of: Option<Spanned<String>>,
        told: Vec<(Spanned<String>, Measure)>,
    },
    Daily {
        calls: u64,
    },
    AtOnce {
        calls: u64,
    },
    /// A refusal without a time is waited for longer each time.
    Blind,
    Credits(Credits),
}

/// Calls have a cost, which is known roughly before and exactly after.
#[derive(Debug, Clone, PartialEq)]
pub struct Credits {
    /// What the account holds until an answer says otherwise.
    pub most: u64,
    pub each_second: u64,
    /// The part of `most` that a page may cost.
    pub page_at_most: f64,
    pub told: Vec<(Spanned<String>, Measure)>,
    pub span: Span,
}

/// A number in an answer, with its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub path: Path,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count.
    One,
    Seconds,
    Milliseconds,
    /// Seconds since 1970: an instant.
    UnixSeconds,
}

impl Reader<'_> {
    pub(in crate::describe) fn limits(&mut self, node: &Node) -> Vec<Limit> {
        let Shape::List(items) = &node.shape else {
            self.found.push(error::bad_form(self.span(node), "limits", "a list", node.noun()));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.limit(item)).collect()
    }

    fn limit(&mut self, node: &Node) -> Option<Limit> {
        let mut block = self.block(node, "a limit")?;
        block.get("note");
        let holder = if block.has("bucket") { "the `told` of a bucket" } else { "the `told` of a window" };
        let beside = block.get("told").map_or_else(Vec::new, |node| self.told(node, holder));
        let limit = if let Some(node) = block.get("window") {
            let mut inner = self.block(node, "a window")?;
            let calls = self.need(&mut inner, "calls", "a window has so many calls").and_then(|node| self.count(node, "calls"));
            let length = self.need(&mut inner, "length", "a window has a length").and_then(|node| self.while_of(node, "length"));
            self.close(&inner);
            Some(Limit::Window { calls: calls?, length: length?, told: beside })
        } else if let Some(node) = block.get("bucket") {
            let mut inner = self.block(node, "a bucket")?;
            let rate = self.need(&mut inner, "rate", "a bucket fills at a rate of calls each second").and_then(|node| self.rate(node, "rate"));
            let burst = self.need(&mut inner, "burst", "a bucket holds so many calls").and_then(|node| self.count(node, "burst"));
            let of = inner.get("for").and_then(|node| self.text(node, "for"));
            let mut told = inner.get("told").map_or_else(Vec::new, |node| self.told(node, holder));
            told.extend(beside);
            self.close(&inner);
            Some(Limit::Bucket { rate: rate?, burst: burst?, of, told })
        } else if let Some(node) = block.get("daily") {
            let mut inner = self.block(node, "a daily limit")?;
            let calls = self.need(&mut inner, "calls", "a day has so many calls").and_then(|node| self.count(node, "calls"));
            self.close(&inner);
            Some(Limit::Daily { calls: calls? })
        } else if let Some(node) = block.get("at_once") {
            Some(Limit::AtOnce { calls: self.count(node, "at_once")? })
        } else if let Some(node) = block.get("blind") {
            self.flag(node, "blind").then_some(Limit::Blind)
        } else if let Some(node) = block.get("credits") {
            self.credits(node).map(Limit::Credits)
        } else {
            let known = ["window", "bucket", "daily", "at_once", "blind", "credits"];
            match block.all().first() {
                Some(entry) => self.found.push(error::unknown_key(&entry.key, self.key_span(entry), "a limit", &known)),
                None => self.found.push(error::needs_key("window", block.span, "a limit", "it says nothing")),
            }
            None
        };
        self.close(&block);
        limit
    }

    /// A number above 0.
    fn rate(&mut self, node: &Node, what: &str) -> Option<f64> {
        let found = self.number(node, what)?;
        if found == 0.0 {
            self.found.push(error::bad_form(self.span(node), what, "a number above 0", "`0`"));
            return None;
        }
        Some(found)
    }

    fn credits(&mut self, node: &Node) -> Option<Credits> {
        let mut block = self.block(node, "credits")?;
        let most = self.need(&mut block, "most", "an account holds so many credits").and_then(|node| self.count(node, "most"));
        let each = self.need(&mut block, "each_second", "credits come back at a rate").and_then(|node| self.count(node, "each_second"));
        if let Some(estimate) = block.get("estimate").and_then(|node| self.text(node, "estimate"))
            && estimate.node != "nested_first"
        {
            self.found.push(error::unknown_word(&estimate.node, estimate.span, "estimate", &["nested_first"]));
        }
        let page_at_most = block.get("page_at_most").and_then(|node| self.rate(node, "page_at_most")).unwrap_or(1.0);
        let told = block.get("told").map_or_else(Vec::new, |node| self.told(node, "the `told` of credits"));
        self.close(&block);
        Some(Credits { most: most?, each_second: each?, page_at_most, told, span: self.span(node) })
    }

    fn told(&mut self, node: &Node, of: &str) -> Vec<(Spanned<String>, Measure)> {
        const KNOWN: &[&str] = &["calls", "left", "resets_in", "or", "rate", "most", "each_second", "cost"];
        let mut found = Vec::new();
        let Some(mut block) = self.block(node, of) else { return found };
        for entry in block.all() {
            let span = self.key_span(entry);
            if !KNOWN.contains(&entry.key.as_str()) {
                self.found.push(error::unknown_key(&entry.key, span, of, KNOWN));
                continue;
            }
            found.extend(self.measure(&entry.value, "told").map(|measure| (Spanned::new(entry.key.clone(), span), measure)));
        }
        found
    }

    /// `header.retry-after s`, `data.expires unix s`, `extensions.cost`
    pub(in crate::describe) fn measure(&mut self, node: &Node, what: &str) -> Option<Measure> {
        let text = self.text(node, what)?;
        let (path, unit) = text.node.split_once(' ').map_or((text.node.as_str(), ""), |(path, unit)| (path, unit.trim()));
        let unit = match unit {
            "" => Unit::One,
            "s" => Unit::Seconds,
            "ms" => Unit::Milliseconds,
            "unix s" => Unit::UnixSeconds,
            other => {
                self.found.push(error::unknown_word(other, text.span, "the unit", &["s", "ms", "unix s"]));
                return None;
            }
        };
        let span = Span { end: text.span.start + u32::try_from(path.len()).unwrap_or(0), ..text.span };
        let path = self.path_of(&Spanned::new(path.to_owned(), span))?;
        Some(Measure { path, unit })
    }
}
