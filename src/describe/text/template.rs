//! Templates: texts with values in braces, and the trees of them that queries and bodies are.

use super::formula::within;
use super::{Formula, Path, Scope, printed};
use crate::base::diag::Diagnostic;
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::value::Json;

/// A text with values in it. A text without braces stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub pieces: Vec<Piece>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Text(String),
    Value {
        value: Formula,
        filter: Option<Filter>,
        /// `{x?}`: what it stands in is left out where there is none.
        optional: bool,
    },
}

/// What is done to a value on its way into a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Each in double quotes, with commas between: `"a", "b"`.
    Quoted,
    /// Double quotes and backslashes get a backslash: for a text inside of quotes.
    Escaped,
    /// With this between.
    Joined(String),
    /// An instant as Unix seconds.
    Unix,
    /// The ids of records.
    Ids,
    /// A list of objects with this one field.
    EachAs(String),
    /// Objects with these fields only.
    Only(Vec<String>),
}

/// The words of filters, for messages.
pub(in crate::describe) const FILTERS: &[&str] = &["quoted", "escaped", "joined", "unix", "ids", "each", "only"];

/// A value with templates in it: what a query, a body or an action is made from.
#[derive(Debug, Clone, PartialEq)]
pub enum Filled {
    Template(Template),
    /// A number, a truth value, or null: as it stands.
    Json(Json),
    List(Vec<Filled>),
    Map(Vec<(Spanned<String>, Filled)>),
}

impl Template {
    /// Reads a template. `known` tells whether a name is provided.
    ///
    /// # Errors
    /// What cannot be read, and names that are not provided.
    pub fn read(text: &str, span: Span, known: &dyn Fn(&Path) -> Result<(), Diagnostic>) -> Result<Self, Vec<Diagnostic>> {
        let mut pieces = Vec::new();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find('{').map(|open| at + open) {
            let Some(close) = closing(&text[open + 1..]).map(|close| open + 1 + close) else {
                return Err(vec![error::unreadable(within(span, text, open, open + 1), "a `{` is not closed")]);
            };
            if open > at {
                pieces.push(Piece::Text(text[at..open].to_owned()));
            }
            match piece(&text[open + 1..close], within(span, text, open + 1, close), known) {
                Ok(piece) => pieces.push(piece),
                Err(faults) => found.extend(faults),
            }
            at = close + 1;
        }
        if at < text.len() || pieces.is_empty() {
            pieces.push(Piece::Text(text[at..].to_owned()));
        }
        if found.is_empty() { Ok(Template { pieces, span }) } else { Err(found) }
    }

    /// The text, where no value stands in it.
    pub fn plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The values in it.
    pub fn values(&self) -> impl Iterator<Item = &Formula> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value { value, .. } => Some(value),
            Piece::Text(_) => None,
        })
    }

    /// What it gives: a value of its own type where it is one value alone, else a text. `None`: an optional value is missing.
    ///
    /// # Errors
    /// The value that is missing and is not optional.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Option<Json>, Missing> {
        if let [Piece::Value { value, filter, optional }] = self.pieces.as_slice() {
            return match value.value(scope) {
                Some(found) => Ok(Some(filter.as_ref().map_or_else(|| found.clone(), |filter| filter.apply(&found)))),
                None if *optional => Ok(None),
                None => Err(Missing(value.text.clone())),
            };
        }
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value { value, filter, optional } => match value.value(scope) {
                    Some(found) => out.push_str(&printed(&filter.as_ref().map_or_else(|| found.clone(), |filter| filter.apply(&found)))),
                    None if *optional => return Ok(None),
                    None => return Err(Missing(value.text.clone())),
                },
            }
        }
        Ok(Some(Json::String(out)))
    }

    /// What it gives, as a text.
    ///
    /// # Errors
    /// As [`Template::fill`].
    pub fn text(&self, scope: &Scope<'_>) -> Result<Option<String>, Missing> {
        Ok(self.fill(scope)?.map(|value| printed(&value)))
    }
}

/// A value that a template needs and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has no value")]
pub struct Missing(pub String);

impl Filter {
    fn apply(&self, value: &Json) -> Json {
        let items = || match value {
            Json::Array(items) => items.iter().collect::<Vec<_>>(),
            other => vec![other],
        };
        match self {
            Filter::Quoted => {
                let quoted = |item: &&Json| format!("\"{}\"", escaped(&printed(item)));
                Json::String(items().iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
            Filter::Escaped => Json::String(escaped(&printed(value))),
            Filter::Joined(by) => Json::String(items().into_iter().map(printed).collect::<Vec<_>>().join(by)),
            Filter::Unix => printed(value).parse::<jiff::Timestamp>().map_or_else(|_| value.clone(), |at| Json::from(at.as_second())),
            Filter::Ids => items().into_iter().map(|item| item.get("id").unwrap_or(item).clone()).collect(),
            Filter::EachAs(name) => items().into_iter().map(|item| Json::Object([(name.clone(), item.clone())].into_iter().collect())).collect(),
            Filter::Only(names) => {
                let only = |item: &Json| match item {
                    Json::Object(fields) => Json::Object(
                        fields.iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| (name.clone(), value.clone())).collect(),
                    ),
                    other => other.clone(),
                };
                match value {
                    Json::Array(items) => items.iter().map(only).collect(),
                    one => only(one),
                }
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

impl Filled {
    /// What it gives. A field whose value is missing and optional is left out; so is an element of a list.
    ///
    /// # Errors
    /// A value that is missing and is not optional.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<Option<Json>, Missing> {
        match self {
            Filled::Template(template) => template.fill(scope),
            Filled::Json(json) => Ok(Some(json.clone())),
            Filled::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    out.extend(item.fill(scope)?);
                }
                Ok(Some(Json::Array(out)))
            }
            Filled::Map(fields) => {
                let mut out = serde_json::Map::new();
                for (name, value) in fields {
                    match (name.node.as_str(), value.fill(scope)?) {
                        // Whatever else the item has.
                        (SPREAD, Some(Json::Object(more))) => out.extend(more),
                        (_, Some(value)) => {
                            out.insert(name.node.clone(), value);
                        }
                        (_, None) => {}
                    }
                }
                Ok(Some(Json::Object(out)))
            }
        }
    }

    /// The templates in it.
    pub fn templates<'f>(&'f self, see: &mut dyn FnMut(&'f Template)) {
        match self {
            Filled::Template(template) => see(template),
            Filled::Json(_) => {}
            Filled::List(items) => items.iter().for_each(|item| item.templates(see)),
            Filled::Map(fields) => fields.iter().for_each(|(_, value)| value.templates(see)),
        }
    }
}

/// The name under which the fields of another object are put among those of a body.
const SPREAD: &str = "...";

/// Where the brace that is open is closed: braces and quotes inside count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (_, Some(open)) => quote = (c != open).then_some(open),
            ('"' | '\'', None) => quote = Some(c),
            ('{', None) => depth += 1,
            ('}', None) if depth == 0 => return Some(at),
            ('}', None) => depth -= 1,
            _ => {}
        }
    }
    None
}

fn piece(text: &str, span: Span, known: &dyn Fn(&Path) -> Result<(), Diagnostic>) -> Result<Piece, Vec<Diagnostic>> {
    let (text, optional) = match text.trim_end().strip_suffix('?') {
        Some(before) if !before.ends_with('?') => (before, true),
        _ => (text, false),
    };
    let narrow = |text: &str| Span { end: span.start.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX)).min(span.end), ..span };
    let (value, filter) = match text.rsplit_once('|').map(|(before, behind)| (before, filter(behind))) {
        Some((before, Some(filter))) => (before, Some(filter)),
        _ => (text, None),
    };
    let lead = value.len() - value.trim_start().len();
    let at = narrow(value);
    let at = Span { start: at.start.saturating_add(u32::try_from(lead).unwrap_or(0)).min(at.end), ..at };
    let value = value.trim();
    let at = Span { end: at.start.saturating_add(u32::try_from(value.len()).unwrap_or(u32::MAX)).min(at.end), ..at };
    if value.is_empty() {
        return Err(vec![error::unreadable(span, "nothing stands between the braces")]);
    }
    // A pipe that is no filter may be one of the language's functions.
    Formula::read(value, at, known).map(|value| Piece::Value { value, filter, optional }).map_err(|mut faults| {
        if let Some((_, behind)) = text.rsplit_once('|')
            && let Some(word) = behind.split_whitespace().next()
            && let Some(near) = crate::base::nearest(word, FILTERS.iter().copied())
            && let Some(fault) = faults.first_mut()
        {
            fault.help.push(crate::base::diag::Help { text: format!("did you mean the filter `{near}`?"), edit: None });
        }
        faults
    })
}

fn filter(text: &str) -> Option<Filter> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim()));
    let quoted = |text: &str| {
        let inner = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
            .or_else(|| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')));
        inner.map(str::to_owned)
    };
    match word {
        "quoted" if rest.is_empty() => Some(Filter::Quoted),
        "escaped" if rest.is_empty() => Some(Filter::Escaped),
        "unix" if rest.is_empty() => Some(Filter::Unix),
        "ids" if rest.is_empty() => Some(Filter::Ids),
        "joined" => quoted(rest).map(Filter::Joined),
        "each" => rest.strip_prefix("as ").map(|name| Filter::EachAs(name.trim().to_owned())),
        "only" if !rest.is_empty() => Some(Filter::Only(rest.split(',').map(|name| name.trim().to_owned()).collect())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use serde_json::json;

    use super::*;
    use crate::base::FileId;

    fn template(text: &str) -> Result<Template, Vec<Diagnostic>> {
        let known = |path: &Path| if path.root().starts_with('x') { Ok(()) } else { Err(error::unreadable(path.span, "unknown")) };
        Template::read(text, Span::new(FileId(0), 100, 100 + text.len()), &known)
    }

    fn filled(text: &str, scope: &Scope<'_>) -> Json {
        template(text).unwrap().fill(scope).unwrap().unwrap()
    }

    #[test]
    fn a_value_alone_keeps_its_type_and_in_a_text_it_is_printed() {
        let at = json!("2026-11-18T20:00:00Z");
        let ids = json!(["a", "b\"c"]);
        let scope = Scope::default().and("x", json!({"n": 12, "t": "a\"b", "null": null})).with("xs", &ids).with("xat", &at);
        for (text, is) in [
            ("plain", json!("plain")),
            ("", json!("")),
            ("{x.n}", json!(12)),
            ("{ x.n }", json!(12)),
            ("n={x.n}&t={x.t}", json!("n=12&t=a\"b")),
            ("t = \"{x.t | escaped}\"", json!("t = \"a\\\"b\"")),
            ("id in ({xs | quoted})", json!("id in (\"a\", \"b\\\"c\")")),
            ("{xs | joined ','}", json!("a,b\"c")),
            ("{xs | each as sku}", json!([{"sku": "a"}, {"sku": "b\"c"}])),
            ("{x | only n}", json!({"n": 12})),
            ("{xat | unix}", json!(1_795_032_000)),
            ("{count(xs)} things", json!("2 things")),
            ("{x.null}", json!(null)),
            ("{xs}", ids.clone()),
        ] {
            assert_eq!(filled(text, &scope), is, "{text}");
        }
        assert_eq!(template("a{x.no?}").unwrap().fill(&scope), Ok(None));
        assert_eq!(template("a{x.no}").unwrap().fill(&scope), Err(Missing("x.no".to_owned())));
        assert_eq!(template("{x.no ?? x.t}").unwrap().fill(&scope), Ok(Some(json!("a\"b"))));
    }

    #[test]
    fn a_body_leaves_out_what_is_optional_and_spreads_an_item() {
        let map = |fields: Vec<(&str, &str)>| {
            Filled::Map(
                fields
                    .into_iter()
                    .map(|(name, text)| (Spanned::new(name.to_owned(), Span::default()), Filled::Template(template(text).unwrap())))
                    .collect(),
            )
        };
        let scope = Scope::default().and("x", json!({"a": 1, "b": 2}));
        let body = map(vec![("id", "{x.a}"), ("no", "{x.no?}"), ("...", "{x}")]);
        assert_eq!(body.fill(&scope).unwrap().unwrap(), json!({"id": 1, "a": 1, "b": 2}));
        assert!(map(vec![("no", "{x.no}")]).fill(&scope).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_place() {
        let place = |text: &str| {
            let fault = template(text).unwrap_err().remove(0);
            (fault.primary.span.start - 100, fault.primary.span.end - 100)
        };
        assert_eq!(place("ab{y.c}d"), (3, 6));
        assert_eq!(place("{x.a} and { yes? }"), (12, 15));
        assert_eq!(place("ab{x"), (2, 3));
        assert_eq!(place("a{}"), (2, 2));
    }
}
