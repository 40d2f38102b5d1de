//! Reads the YAML of a description by its keys: each is asked for once, and what nobody asked for is told.

use jiff::SignedDuration;

use super::text::{Filled, Formula, Path, Place, Template};
use super::{error, unsupported};
use crate::base::diag::Diagnostic;
use crate::base::{FileId, Span, Spanned};
use crate::yaml::{Entry, Node, Shape};

/// One of a closed list of words.
pub(super) trait Word: Copy + 'static {
    const ALL: &'static [(&'static str, Self)];
}

/// Reads one description, and keeps what is wrong with it.
pub(super) struct Reader<'t> {
    pub(super) file: FileId,
    pub(super) text: &'t str,
    pub(super) found: Vec<Diagnostic>,
    /// The settings' names.
    pub(super) settings: Vec<String>,
    /// Names that the description itself gives: in `let`, in `session`, in `with`.
    pub(super) given: Vec<String>,
    /// What is read and not carried out.
    pub(super) unsupported: Vec<Diagnostic>,
}

/// A block of names and values that is being read.
pub(super) struct Block<'n> {
    pub(super) span: Span,
    what: String,
    entries: &'n [Entry],
    asked: Vec<&'static str>,
}

impl<'n> Block<'n> {
    /// The value of a key. An empty one counts as not there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Keys that begin so, without that beginning: `query.where` as `where`.
    pub(super) fn behind(&mut self, beginning: &'static str) -> Vec<(Spanned<String>, &'n Node)> {
        self.asked.push(beginning);
        Vec::from_iter(self.entries.iter().filter_map(|entry| {
            let rest = entry.key.strip_prefix(beginning)?;
            Some((Spanned::new(rest.to_owned(), Span { file: self.span.file, start: narrow(entry.start), end: narrow(entry.end) }), &entry.value))
        }))
    }

    /// All entries, each of which is read by who asks.
    pub(super) fn all(&mut self) -> &'n [Entry] {
        self.asked.push("*");
        self.entries
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }
}

/// What stands there, for a message.
fn found_as(node: &Node) -> String {
    node.text().map_or_else(|| node.noun().to_owned(), |text| format!("`{text}`"))
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Reader<'_> {
    pub(super) fn span(&self, node: &Node) -> Span {
        Span::new(self.file, node.start, node.end)
    }

    pub(super) fn key_span(&self, entry: &Entry) -> Span {
        Span::new(self.file, entry.start, entry.end)
    }

    /// Where the text of a scalar begins and ends, without its quotes.
    fn inner(&self, node: &Node, text: &str) -> Span {
        let raw = self.text.get(node.start..node.end).unwrap_or_default();
        match raw.find(text) {
            Some(at) if at <= 1 => Span::new(self.file, node.start + at, node.start + at + text.len()),
            _ => self.span(node),
        }
    }

    /// Begins to read a block. `what` names it in messages: "the page".
    pub(super) fn block<'n>(&mut self, node: &'n Node, what: impl Into<String>) -> Option<Block<'n>> {
        let what = what.into();
        match &node.shape {
            Shape::Map(entries) => {
                for (entry, row) in unsupported::of_block(&what, entries) {
                    self.unsupported.push(error::unsupported(&entry.key, self.key_span(entry), row));
                }
                Some(Block { span: self.span(node), what, entries, asked: Vec::new() })
            }
            Shape::Nothing => Some(Block { span: self.span(node), what, entries: &[], asked: Vec::new() }),
            _ => {
                self.found.push(error::bad_form(self.span(node), &what, "a block of names and values", node.noun()));
                None
            }
        }
    }

    /// Tells of the keys of a block that nobody asked for.
    pub(super) fn close(&mut self, block: &Block<'_>) {
        if block.asked.contains(&"*") {
            return;
        }
        let known: Vec<&str> = block.asked.iter().copied().filter(|key| !key.ends_with('.')).collect();
        for entry in block.entries {
            let asked = block.asked.iter().any(|key| *key == entry.key || key.ends_with('.') && entry.key.starts_with(key));
            if !asked {
                let span = self.key_span(entry);
                self.found.push(error::unknown_key(&entry.key, span, &block.what, &known));
            }
        }
    }

    /// A key that has to be there.
    pub(super) fn need<'n>(&mut self, block: &mut Block<'n>, key: &'static str, why: &str) -> Option<&'n Node> {
        let found = block.get(key);
        if found.is_none() {
            let at = Span { end: block.span.end.min(block.span.start.saturating_add(1)), ..block.span };
            self.found.push(error::needs_key(key, at, &block.what, why));
        }
        found
    }

    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        match node.text() {
            Some(text) => Some(Spanned::new(text.to_owned(), self.inner(node, text))),
            None => {
                self.found.push(error::bad_form(self.span(node), what, "a text", node.noun()));
                None
            }
        }
    }

    /// One text, or a list of them.
    pub(super) fn texts(&mut self, node: &Node, what: &str) -> Vec<Spanned<String>> {
        match &node.shape {
            Shape::List(items) => items.iter().filter_map(|item| self.text(item, what)).collect(),
            _ => self.text(node, what).into_iter().collect(),
        }
    }

    pub(super) fn word<W: Word>(&mut self, node: &Node, what: &str) -> Option<W> {
        let text = self.text(node, what)?;
        let found = W::ALL.iter().find(|(word, _)| *word == text.node).map(|(_, word)| *word);
        if found.is_none() {
            let known: Vec<&str> = W::ALL.iter().map(|(word, _)| *word).collect();
            self.found.push(error::unknown_word(&text.node, text.span, what, &known));
        }
        found
    }

    pub(super) fn flag(&mut self, node: &Node, what: &str) -> bool {
        match node.text() {
            Some("true") => true,
            Some("false") => false,
            _ => {
                self.found.push(error::bad_form(self.span(node), what, "true or false", node.noun()));
                false
            }
        }
    }

    pub(super) fn whole(&mut self, node: &Node, what: &str) -> Option<u64> {
        let found = node.text().and_then(|text| text.replace('_', "").parse().ok());
        if found.is_none() {
            self.found.push(error::bad_form(self.span(node), what, "a whole number", &found_as(node)));
        }
        found
    }

    /// A whole number from 1.
    pub(super) fn count(&mut self, node: &Node, what: &str) -> Option<u64> {
        let found = node.text().and_then(|text| text.replace('_', "").parse().ok()).filter(|number| *number > 0);
        if found.is_none() {
            self.found.push(error::bad_form(self.span(node), what, "a whole number from 1", &found_as(node)));
        }
        found
    }

    pub(super) fn number(&mut self, node: &Node, what: &str) -> Option<f64> {
        let found = node.text().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite() && *number >= 0.0);
        if found.is_none() {
            self.found.push(error::bad_form(self.span(node), what, "a number", &found_as(node)));
        }
        found
    }

    /// `30 s`, `5 minutes`, `1 ms`, `27 days`.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<SignedDuration> {
        let found = node.text().and_then(crate::system::duration);
        if found.is_none() {
            let said = error::bad_form(self.span(node), what, "a length of time", &found_as(node));
            self.found.push(said.help("write a number and `ms`, `s`, `minutes`, `hours` or `days`: `30 s`, `5 minutes`"));
        }
        found
    }

    /// A length of time that is not nothing.
    pub(super) fn while_of(&mut self, node: &Node, what: &str) -> Option<SignedDuration> {
        let found = self.duration(node, what)?;
        if found.is_zero() {
            self.found.push(error::bad_form(self.span(node), what, "a length of time that is more than nothing", &found_as(node)));
            return None;
        }
        Some(found)
    }

    /// The name of a field, with dots between those that stand in each other.
    pub(super) fn field(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        let text = self.text(node, what)?;
        self.path_of(&text).map(|_| text)
    }

    /// One field, or a list of them.
    pub(super) fn fields(&mut self, node: &Node, what: &str) -> Vec<Spanned<String>> {
        self.texts(node, what).into_iter().filter_map(|text| self.path_of(&text).map(|_| text)).collect()
    }

    pub(super) fn path(&mut self, node: &Node, what: &str) -> Option<Path> {
        let text = self.text(node, what)?;
        self.path_of(&text)
    }

    pub(super) fn path_of(&mut self, text: &Spanned<String>) -> Option<Path> {
        Path::parse(&text.node, text.span).map_err(|why| self.found.push(error::unreadable(text.span, why))).ok()
    }

    /// One path, or a list of them.
    pub(super) fn paths(&mut self, node: &Node, what: &str) -> Vec<Path> {
        self.texts(node, what).iter().filter_map(|text| self.path_of(text)).collect()
    }

    pub(super) fn formula(&mut self, node: &Node, what: &str, place: Place) -> Option<Formula> {
        let text = self.text(node, what)?;
        let read = Formula::read(&text.node, text.span, &|path| self.knows(path, place));
        let formula = read.map_err(|faults| self.found.extend(faults)).ok()?;
        self.note_names([&formula], place);
        Some(formula)
    }

    /// An expression that is true or not.
    pub(super) fn condition(&mut self, node: &Node, what: &str, place: Place) -> Option<Formula> {
        let formula = self.formula(node, what, place)?;
        if !formula.is_condition() {
            self.found.push(error::no_condition(formula.span, what, &formula.text));
            return None;
        }
        Some(formula)
    }

    /// Notes names that the place knows and that have no value there.
    fn note_names<'f>(&mut self, formulas: impl IntoIterator<Item = &'f Formula>, place: Place) {
        let without_value = unsupported::names(place);
        for path in formulas.into_iter().flat_map(|formula| &formula.reads) {
            let root = path.root();
            if without_value.contains(&root) && !self.given.iter().any(|given| given == root) {
                self.unsupported.push(error::unsupported_name(&path.to_string(), path.span, place));
            }
        }
    }

    /// Notes a key that is not carried out, by its row.
    pub(super) fn note(&mut self, block: &str, key: &str, span: Span) {
        self.unsupported.extend(unsupported::row(block, key).map(|row| error::unsupported(key.trim_end_matches('.'), span, row)));
    }

    pub(super) fn template(&mut self, node: &Node, what: &str, place: Place) -> Option<Template> {
        let text = self.text(node, what)?;
        self.template_of(&text, place)
    }

    pub(super) fn template_of(&mut self, text: &Spanned<String>, place: Place) -> Option<Template> {
        let read = Template::read(&text.node, text.span, &|path| self.knows(path, place));
        let template = read.map_err(|faults| self.found.extend(faults)).ok()?;
        self.note_names(template.values(), place);
        Some(template)
    }

    /// A query, a body, an action: templates in a tree.
    pub(super) fn filled(&mut self, node: &Node, place: Place) -> Option<Filled> {
        Some(match &node.shape {
            Shape::Nothing => Filled::Json(crate::value::Json::Null),
            Shape::Scalar { quoted: false, .. } if !node.json().is_string() => Filled::Json(node.json()),
            Shape::Scalar { .. } => Filled::Template(self.template(node, "a value", place)?),
            Shape::List(items) => Filled::List(items.iter().filter_map(|item| self.filled(item, place)).collect()),
            Shape::Map(entries) => Filled::Map(
                entries
                    .iter()
                    .filter_map(|entry| {
                        if entry.key.contains(['{', '}']) {
                            let why = "a name stands as it is written: only what stands behind the colon may have values in braces";
                            self.found.push(error::unreadable(self.key_span(entry), why));
                            return None;
                        }
                        Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.filled(&entry.value, place)?))
                    })
                    .collect(),
            ),
        })
    }

    /// The entries of a block of templates: a query, headers.
    pub(super) fn templates(&mut self, node: &Node, what: &str, place: Place) -> Vec<(Spanned<String>, Filled)> {
        match node.entries() {
            Some(_) => match self.filled(node, place) {
                Some(Filled::Map(fields)) => fields,
                _ => Vec::new(),
            },
            None => {
                self.found.push(error::bad_form(self.span(node), what, "a block of names and values", node.noun()));
                Vec::new()
            }
        }
    }

    /// Whether a name is provided at a place.
    fn knows(&self, path: &Path, place: Place) -> Result<(), Diagnostic> {
        let root = path.root();
        if root == "setting" {
            return match path.steps.get(1) {
                Some(super::text::Step::Name(name)) if !self.settings.contains(name) => {
                    Err(error::no_setting(name, path.span, &self.settings.iter().map(String::as_str).collect::<Vec<_>>()))
                }
                _ => Ok(()),
            };
        }
        if root == "session"
            || place.provides().contains(&root)
            || unsupported::names(place).contains(&root)
            || self.given.iter().any(|given| given == root)
        {
            return Ok(());
        }
        let known: Vec<&str> = place.provides().iter().copied().chain(self.given.iter().map(String::as_str)).collect();
        Err(error::not_provided(&path.to_string(), root, path.span, place, &known, &self.settings))
    }
}
