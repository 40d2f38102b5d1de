//! How a list comes in pages, and why none is lost while records change.

use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::{Block, Reader};
use crate::describe::text::{Filled, Path, Place};
use crate::yaml::Node;

use super::{Pick, Request};

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
        /// The stamp that the list is sorted by: each page begins at the last one of the page before, and a token leads only through
        /// records of one stamp.
        by_stamp: Option<Path>,
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

/// Where paging puts a value into a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `query.page`
    Query(String),
    /// `header.range`
    Header(String),
    /// `body.paging.number`
    Body(Vec<String>),
    /// Of GraphQL: an argument of the call's own field, or a field of it: `after`, `arguments.page.number`.
    Argument(Vec<String>),
    /// Of GraphQL: an argument of a field of the answer: `data.after`.
    Field { field: Vec<String>, argument: String },
}

impl Destination {
    /// Reads a place as a description names it; none where a call of this kind has no such place.
    pub fn parse(text: &str, request: &Request) -> Option<Self> {
        let names = |text: &str| {
            let names: Vec<String> = text.split('.').map(str::to_owned).collect();
            names.iter().all(|name| !name.is_empty()).then_some(names)
        };
        let (root, rest) = text.split_once('.').unwrap_or((text, ""));
        match (request, root) {
            (Request::Rest { .. }, "query") if !rest.is_empty() => Some(Destination::Query(rest.to_owned())),
            (Request::Rest { .. }, "header" | "headers") if !rest.is_empty() => Some(Destination::Header(rest.to_owned())),
            (Request::Rest { .. }, "body") => names(rest).map(Destination::Body),
            (Request::Rest { .. }, _) => None,
            (Request::GraphQl { .. }, "arguments") => names(rest).map(Destination::Argument),
            (Request::GraphQl { .. }, _) => {
                let mut names = names(text)?;
                let argument = names.pop()?;
                Some(if names.is_empty() { Destination::Argument(vec![argument]) } else { Destination::Field { field: names, argument } })
            }
        }
    }

    /// What the call itself has there.
    pub fn value<'r>(&self, request: &'r Request) -> Option<&'r Filled> {
        let below = |filled: &'r Filled, names: &[String]| {
            names.iter().try_fold(filled, |filled, name| match filled {
                Filled::Map(fields) => fields.iter().find(|(known, _)| known.node == *name).map(|(_, value)| value),
                _ => None,
            })
        };
        match (self, request) {
            (Destination::Query(name), Request::Rest { query, .. }) => query.iter().find(|(known, _)| known.node == *name).map(|(_, value)| value),
            (Destination::Body(names), Request::Rest { body: Some(body), .. }) => below(body, names),
            (Destination::Argument(names), Request::GraphQl { arguments: Some(arguments), .. }) => below(arguments, names),
            _ => None,
        }
    }
}

impl Page {
    /// What it reads of an answer.
    pub fn reads(&self) -> Vec<Path> {
        let mut paths: Vec<Path> = match &self.more {
            Some(Pick::Path(more)) => vec![more.clone()],
            Some(Pick::Formula(more)) => more.asks("body"),
            None => Vec::new(),
        };
        if let Paging::Token { token, .. } = &self.paging {
            paths.insert(0, token.clone());
        }
        paths.extend(self.total.clone());
        paths
    }

    /// The places that it puts something into.
    fn places(&self) -> Vec<&Spanned<String>> {
        match &self.paging {
            Paging::Keyset { asks, .. } => asks.iter().map(|(to, _)| to).collect(),
            Paging::Token { to, size, .. } => std::iter::once(to).chain(size).collect(),
            Paging::Number { number, .. } => vec![&number.to],
            Paging::ByStamp { number, .. } | Paging::Window { number, .. } => number.iter().map(|number| &number.to).collect(),
            Paging::Whole => Vec::new(),
        }
    }
}

impl Reader<'_> {
    /// Whether all that paging puts into a call has a place there.
    pub(in crate::describe) fn page_fits(&mut self, page: &Page, request: &Request) {
        for to in page.places() {
            if Destination::parse(&to.node, request).is_none() {
                let help = match request {
                    Request::Rest { .. } => "write `query.NAME`, `body.PATH` or `header.NAME`",
                    Request::GraphQl { .. } => "write the argument's name, `arguments.PATH`, or `FIELD.ARGUMENT` of a field of the answer",
                };
                self.found.push(error::bad_value(to.span, format!("`{}` is no place in the call", to.node), help));
            }
        }
        // Of REST a list is sorted by what its query says.
        if let (Paging::Token { sort: Some(sort), to, .. }, request) = (&page.paging, request)
            && !matches!(Destination::parse(&to.node, request), Some(Destination::Field { .. }) | None)
        {
            let help = "write what the list is sorted by where the call takes it: `query: { sort: … }`, `arguments: { sort: … }`";
            self.found.push(error::bad_value(
                sort.span,
                "`sort` stands beside a token that is an argument of a field of the answer, and here it is none".to_owned(),
                help,
            ));
        }
    }

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
        // A number is the size; a text says where it goes, of pages by a token.
        let size = block.get("size");
        let is_number = size.is_some_and(|node| node.text().is_some_and(|text| text.parse::<f64>().is_ok()));
        let is_place = !is_number && block.has("token");
        let size = size.filter(|_| !is_place).and_then(|node| self.count(node, "size"));
        let paging = self.paging(&mut block, is_place);
        self.close(&block);
        Some(Page { paging: paging?, more, total, size, span })
    }

    fn paging(&mut self, block: &mut Block<'_>, size_is_place: bool) -> Option<Paging> {
        if let Some(node) = block.get("keyset") {
            let fields = self.paths(node, "keyset");
            let asks = ["query.", "body.", "arguments."].into_iter().flat_map(|beginning| {
                block.behind(beginning).into_iter().map(move |(name, node)| (name.map(|name| format!("{beginning}{name}")), node)).collect::<Vec<_>>()
            });
            let asks: Vec<_> = asks.collect();
            let asks = asks.into_iter().filter_map(|(name, node)| Some((name, self.filled(node, Place::Keyset)?))).collect();
            if node.elements().is_some_and(<[Node]>::is_empty) {
                let why = "nothing says behind which record the next page begins";
                self.found.push(error::none_named(
                    "keyset",
                    self.span(node),
                    why,
                    "name the fields that the list is sorted by: `keyset: [updated_at, id]`",
                ));
                return None;
            }
            return Some(Paging::Keyset { fields, asks });
        }
        if let Some(node) = block.get("token") {
            let token = self.path(node, "token");
            let to = self.need(block, "to", "nothing says where the token goes").and_then(|node| self.text(node, "to"));
            let alone = block.get("alone").is_some_and(|node| self.flag(node, "alone"));
            let size = block.get("size").filter(|_| size_is_place).and_then(|node| self.text(node, "size"));
            let most = block.get("most").and_then(|node| self.count(node, "most"));
            let sort = block.get("sort").and_then(|node| self.text(node, "sort"));
            let by_stamp = block.get("by_stamp").and_then(|node| self.path(node, "by_stamp"));
            return Some(Paging::Token { token: token?, to: to?, alone, size, most, sort, by_stamp });
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
            // What is wrong with it has been told.
            (None, ..) if block.has("number") => None,
            (None, ..) => {
                let why = "nothing says how the next page is asked for: by `keyset`, `token` or `number`; a list that comes at once is `page: whole`";
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
