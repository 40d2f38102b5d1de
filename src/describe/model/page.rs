//! How a list comes in pages, and why none is lost while records change.

use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::{Block, Reader};
use crate::describe::text::{Filled, Path, Place};
use crate::project::yaml::Node;

use super::Pick;

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub paging: Paging,
    /// Whether there is another page.
    pub more: Option<Pick>,
    /// How many records there are in all.
    pub total: Option<Path>,
    /// Records of a full page, where the call says it.
    pub size: Option<u64>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Paging {
    /// Asked for "after this one": what a page after the first is asked for instead, by where it goes.
    Keyset { fields: Vec<Path>, asks: Vec<(Spanned<String>, Filled)> },
    /// The answer gives a token for the next.
    Token {
        token: Path,
        /// Where it goes: `query.paginationToken`, `data.after`.
        to: Spanned<String>,
        /// Nothing else may be asked for beside the token.
        alone: bool,
        /// Where the size goes, and its most.
        size: Option<Spanned<String>>,
        most: Option<u64>,
        /// What the list is sorted by, where that can be asked for.
        sort: Option<Spanned<String>>,
    },
    /// Each page is the first behind the last stamp; a full second is read by number.
    ByStamp { stamp: Path, bounds: Vec<Spanned<String>>, number: Option<Number> },
    /// Windows of time, halved until one page holds them.
    Window { bounds: Vec<Spanned<String>>, number: Option<Number> },
    /// By number: of a list that only grows at its end, or of one that is read whole again when it shrinks.
    Number { number: Number, growth: Growth },
    /// It comes at once.
    Whole,
}

/// Why no record is lost between pages that are asked for by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// New ones come at the end, and nothing moves up.
    Grows,
    /// It is read whole, and again when its total falls.
    Whole,
    Unsaid,
}

/// Where the number of a page goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    pub to: Spanned<String>,
    /// Of the first page.
    pub from: u64,
    /// It counts records, not pages.
    pub records: bool,
}

impl Reader<'_> {
    pub(in crate::describe) fn page(&mut self, node: &Node) -> Option<Page> {
        let span = self.span(node);
        if node.text().is_some() {
            let text = self.text(node, "page")?;
            if text.node == "whole" {
                return Some(Page { paging: Paging::Whole, more: None, total: None, size: None, span });
            }
            self.found.push(error::unknown_word(&text.node, text.span, "page", &["whole"]));
            return None;
        }
        let mut block = self.block(node, "the page")?;
        let more = block.get("more").and_then(|node| self.pick(node, "more", Place::Page));
        let total = block.get("total").and_then(|node| self.path(node, "total"));
        // A number is the size; a text says where it goes.
        let size = block.get("size").filter(|node| node.text().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit())));
        let size = size.and_then(|node| self.whole(node, "size"));
        let paging = self.paging(&mut block, size);
        self.close(&block);
        Some(Page { paging: paging?, more, total, size, span })
    }

    fn paging(&mut self, block: &mut Block<'_>, size: Option<u64>) -> Option<Paging> {
        if let Some(node) = block.get("keyset") {
            let fields = self.paths(node, "keyset");
            let asks = ["query.", "body.", "arguments."].into_iter().flat_map(|beginning| {
                block.behind(beginning).into_iter().map(move |(name, node)| (name.map(|name| format!("{beginning}{name}")), node)).collect::<Vec<_>>()
            });
            let asks: Vec<_> = asks.collect();
            let asks = asks.into_iter().filter_map(|(name, node)| Some((name, self.filled(node, Place::Keyset)?))).collect();
            return Some(Paging::Keyset { fields, asks });
        }
        if let Some(node) = block.get("token") {
            let token = self.path(node, "token");
            let to = self.need(block, "to", "nothing says where the token goes").and_then(|node| self.text(node, "to"));
            let alone = block.get("alone").is_some_and(|node| self.flag(node, "alone"));
            let size = block.get("size").filter(|_| size.is_none()).and_then(|node| self.text(node, "size"));
            let most = block.get("most").and_then(|node| self.whole(node, "most"));
            let sort = block.get("sort").and_then(|node| self.text(node, "sort"));
            return Some(Paging::Token { token: token?, to: to?, alone, size, most, sort });
        }
        if let Some(node) = block.get("by_stamp") {
            let stamp = self.path(node, "by_stamp");
            let bounds = self.need(block, "bounds", "nothing says where the bounds go").map_or_else(Vec::new, |node| self.texts(node, "bounds"));
            let number = self.number_of(block);
            return Some(Paging::ByStamp { stamp: stamp?, bounds, number });
        }
        if let Some(node) = block.get("window") {
            let bounds = self.texts(node, "window");
            let number = self.number_of(block);
            return Some(Paging::Window { bounds, number });
        }
        let number = self.number_of(block);
        let grows = block.get("grows").map(|node| self.flag(node, "grows"));
        let whole = block.get("whole").map(|node| self.flag(node, "whole"));
        match (number, grows, whole) {
            (Some(number), Some(true), _) => Some(Paging::Number { number, growth: Growth::Grows }),
            (Some(number), _, Some(true)) => Some(Paging::Number { number, growth: Growth::Whole }),
            (Some(number), ..) => Some(Paging::Number { number, growth: Growth::Unsaid }),
            (None, _, Some(true)) => Some(Paging::Whole),
            (None, ..) => {
                let why = "nothing says how the next page is asked for: by `keyset`, `token`, `by_stamp`, `window` or `number`";
                self.found.push(error::needs_key("number", block.span, "the page", why));
                None
            }
        }
    }

    fn number_of(&mut self, block: &mut Block<'_>) -> Option<Number> {
        let mut inner = self.block(block.get("number")?, "the number of a page")?;
        let to = self.need(&mut inner, "to", "nothing says where the number goes").and_then(|node| self.text(node, "to"));
        let from = inner.get("from").and_then(|node| self.whole(node, "from"));
        let counts = inner.get("counts").and_then(|node| self.text(node, "counts"));
        if let Some(counts) = counts.as_ref().filter(|counts| counts.node != "records") {
            self.found.push(error::unknown_word(&counts.node, counts.span, "counts", &["records"]));
        }
        self.close(&inner);
        Some(Number { to: to?, from: from.unwrap_or_else(|| u64::from(counts.is_none())), records: counts.is_some() })
    }
}
