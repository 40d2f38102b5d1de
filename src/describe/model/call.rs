//! One call: of REST, or a field of a GraphQL document.

use http::Method;

use crate::base::Spanned;
use crate::describe::read::{Block, Reader};
use crate::describe::text::{Filled, Formula, Path, Place, Template};
use crate::describe::{error, unsupported};
use crate::yaml::{Node, Shape};

/// A call, and where the records stand in its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    pub request: Request,
    pub headers: Vec<(Spanned<String>, Filled)>,
    /// Where the list of records stands; absent: the answer is the list.
    pub records: Option<Path>,
    /// Where the one record stands; absent: the answer is the record.
    pub record: Option<Path>,
    /// Where what counts stands in each record or result.
    pub at: Option<Path>,
    /// Of GraphQL: other fields that are asked for.
    pub select: Vec<Path>,
    /// The sign-in of this call, or the stream in whose form its records are.
    pub by: Option<Spanned<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Rest {
        method: Method,
        /// Behind the base, or a whole address.
        path: Template,
        query: Vec<(Spanned<String>, Filled)>,
        body: Option<Filled>,
    },
    /// A field of `query` or `mutation`. What its answer says of paths is below the field.
    GraphQl {
        mutation: bool,
        field: Spanned<String>,
        arguments: Option<Filled>,
        /// The field of the result that is a connection, with `edges.node` below.
        connection: Option<Path>,
        /// How many records of the connection are asked for, where no page says it.
        first: Option<u64>,
    },
}

/// A value that is a path below what is at hand, or an expression over what the place provides.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    Path(Path),
    Formula(Formula),
}

impl Reader<'_> {
    /// The call of a block, where it has one: `call`, or `query` or `mutation` of GraphQL.
    pub(in crate::describe) fn ask(&mut self, block: &mut Block<'_>, place: Place) -> Option<Ask> {
        let by = block.get("as").filter(|node| node.text().is_some()).and_then(|node| self.text(node, "as"));
        let headers = block.get("headers").map_or_else(Vec::new, |node| self.templates(node, "headers", place));
        let records = block.get("records").and_then(|node| self.path(node, "records"));
        let record = block.get("record").and_then(|node| self.path(node, "record"));
        if let (Some(record), Some(_)) = (&record, &records) {
            self.found.push(error::record_and_records(record.span));
        }
        let at = block.get("at").and_then(|node| self.path(node, "at"));
        if let Some(at) = &at {
            self.note("a call", "at", at.span);
        }
        let select = block.get("select").map_or_else(Vec::new, |node| self.paths(node, "select"));
        let [call, mutation, query, body, arguments, connection] =
            ["call", "mutation", "query", "body", "arguments", "connection"].map(|key| block.get(key));
        let request = if let Some(call) = call {
            let (method, path) = self.method_and_path(call, place)?;
            let query = query.map_or_else(Vec::new, |node| self.templates(node, "query", place));
            let body = body.and_then(|node| self.filled(node, place));
            Request::Rest { method, path, query, body }
        } else {
            let (field, mutation) = match (mutation, query) {
                (Some(node), _) => (self.text(node, "mutation")?, true),
                (None, Some(node)) if node.text().is_some() => (self.text(node, "query")?, false),
                // A query of parameters, and no call that it goes with.
                (None, _) => return None,
            };
            let arguments = arguments.and_then(|node| self.filled(node, place));
            let connection = connection.and_then(|node| self.path(node, "connection"));
            let first = block.get("first").and_then(|node| self.count(node, "first"));
            if let Some((name, _)) = headers.first() {
                self.note("a call", "headers", name.span);
            }
            Request::GraphQl { mutation, field, arguments, connection, first }
        };
        Some(Ask { request, headers, records, record, at, select, by })
    }

    /// The same where there has to be one.
    pub(in crate::describe) fn needs_ask(&mut self, block: &mut Block<'_>, place: Place) -> Option<Ask> {
        let before = self.found.len();
        let found = self.ask(block, place);
        if found.is_none() && self.found.len() == before {
            let what = block.what().to_owned();
            self.found.push(error::needs_key("call", block.span, &what, "nothing says what is asked of the system (GraphQL: `query` or `mutation`)"));
        }
        found
    }

    /// `GET /orders/{id}`
    pub(in crate::describe) fn method_and_path(&mut self, node: &Node, place: Place) -> Option<(Method, Template)> {
        let text = self.text(node, "call")?;
        let (word, rest) = text.node.split_once(' ').unwrap_or((&text.node, ""));
        let method = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].contains(&word).then(|| Method::from_bytes(word.as_bytes()).ok()).flatten();
        let path = rest.trim();
        let Some(method) = method.filter(|_| path.starts_with('/') || path.starts_with("https://")) else {
            let said = error::bad_value(text.span, format!("`{}` is no call", text.node), "write a method and a path: `GET /orders/{id}`");
            self.found.push(said);
            return None;
        };
        let start = text.span.start + u32::try_from(text.node.len() - rest.trim_start().len()).unwrap_or(0);
        let span = crate::base::Span { start: start.min(text.span.end), ..text.span };
        let path = self.template_of(&Spanned::new(path.to_owned(), span), place)?;
        Some((method, path))
    }

    /// A path below what is at hand, or an expression where it begins with what the place provides, or is more than a path.
    pub(in crate::describe) fn pick(&mut self, node: &Node, what: &str, place: Place) -> Option<Pick> {
        let text = self.text(node, what)?;
        match Path::parse(&text.node, text.span) {
            Ok(path)
                if !place.provides().contains(&path.root())
                    && !unsupported::names(place).contains(&path.root())
                    && !["setting", "session"].contains(&path.root()) =>
            {
                Some(Pick::Path(path))
            }
            _ => self.formula(node, what, place).map(Pick::Formula),
        }
    }

    /// Entries that are one text or one template each: `put`, `for`.
    pub(in crate::describe) fn named_templates(&mut self, node: &Node, what: &str, place: Place) -> Vec<(Spanned<String>, Template)> {
        let Shape::Map(entries) = &node.shape else {
            self.found.push(error::bad_form(self.span(node), what, "a block of names and values", node.noun()));
            return Vec::new();
        };
        entries
            .iter()
            .filter_map(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.template(&entry.value, what, place)?)))
            .collect()
    }
}
