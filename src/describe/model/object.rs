//! Objects: what is read of them and written to them.

use super::{Find, Get, Gone, Stream, With, Write};
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::Reader;
use crate::describe::text::{Filled, Formula, Path, Pattern, Place, Template};
use crate::yaml::Node;

#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    pub name: Spanned<String>,
    /// The object of its schema: its own name where nothing is said.
    pub schema: String,
    pub id: Id,
    pub stamp: Option<Path>,
    pub version: Option<Path>,
    /// How nested connections of GraphQL are asked for.
    pub selection: Vec<(Spanned<String>, Filled)>,
    pub changes: Vec<Stream>,
    pub gone: Option<Gone>,
    pub get: Vec<Get>,
    pub find: Vec<Find>,
    pub with: Vec<With>,
    pub derive: Vec<(Spanned<String>, Formula)>,
    pub writes: Vec<Write>,
    pub part_of: Option<PartOf>,
    /// What is asked for only where a mapping reads a field, by the field.
    pub included: Vec<(Spanned<String>, Spanned<String>)>,
    /// Parts of a flow's `where` that its list takes over.
    pub push: Vec<(Spanned<String>, Spanned<String>)>,
    pub span: Span,
}

/// A record's id.
#[derive(Debug, Clone, PartialEq)]
pub struct Id {
    pub form: IdForm,
    /// What a text has to match as a whole to be one: nothing else is put into a path, and none other is taken from a webhook.
    pub pattern: Option<Pattern>,
    /// Characters at the most.
    pub longest: Option<u64>,
}

/// Whether a text can be the name of an object or of a schema: a plain name, since a mapping writes it and a file is called by it.
pub fn is_object_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Where a record's id stands.
#[derive(Debug, Clone, PartialEq)]
pub enum IdForm {
    At(Path),
    /// Made of several fields.
    Of(Template),
}

/// The object is part of another: its writes are actions of that one's update.
#[derive(Debug, Clone, PartialEq)]
pub struct PartOf {
    pub object: Spanned<String>,
    /// The field of an item that has the id of the record that it is part of.
    pub by: Option<Spanned<String>>,
    pub at: Vec<Path>,
}

impl Reader<'_> {
    pub(in crate::describe) fn objects(&mut self, node: &Node) -> Vec<Object> {
        let Some(mut block) = self.block(node, "`objects`") else { return Vec::new() };
        block.all().iter().filter_map(|entry| self.object(Spanned::new(entry.key.clone(), self.key_span(entry)), &entry.value)).collect()
    }

    fn object(&mut self, name: Spanned<String>, node: &Node) -> Option<Object> {
        let mut block = self.block(node, format!("the object `{}`", name.node))?;
        let schema = block.get("schema").and_then(|node| self.text(node, "schema"));
        if let Some((named, what)) = [(Some(&name), "an object"), (schema.as_ref(), "a schema")]
            .into_iter()
            .filter_map(|(named, what)| Some((named?, what)))
            .find(|(named, _)| !is_object_name(&named.node))
        {
            self.found.push(error::no_object_name(&named.node, named.span, what));
            return None;
        }
        let schema = schema.map_or_else(|| name.node.clone(), |text| text.node);
        let id = match block.get("id") {
            Some(node) => self.id(node),
            None => Path::parse("id", name.span).ok().map(|path| Id { form: IdForm::At(path), pattern: None, longest: None }),
        };
        let stamp = block.get("stamp").and_then(|node| self.path(node, "stamp"));
        let version = block.get("version").and_then(|node| self.path(node, "version"));
        let selection = block.get("selection").map_or_else(Vec::new, |node| self.templates(node, "selection", Place::Everywhere));
        for (name, arguments) in &selection {
            let mut has_values = false;
            arguments.templates(&mut |template| has_values |= template.plain().is_none());
            if has_values {
                self.note("a call", "selection", name.span);
            }
        }
        let with = block.get("with").map_or_else(Vec::new, |node| self.withs(node));
        // What is read beside a record is known by its name wherever the record is.
        let given = self.given.len();
        self.given.extend(with.iter().map(|with| with.name.node.clone()));
        let derive = block.get("derive").and_then(Node::entries).unwrap_or_default();
        let derive = derive
            .iter()
            .filter_map(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.formula(&entry.value, "derive", Place::Record)?)))
            .collect();
        let changes = block.get("changes").map_or_else(Vec::new, |node| self.streams(node));
        let gone = self.gone(block.get("gone"));
        let get = block.get("get").map_or_else(Vec::new, |node| self.gets(node));
        let find = block.get("find").map_or_else(Vec::new, |node| self.finds(node));
        let writes = block.get("writes").map_or_else(Vec::new, |node| self.writes(node));
        self.given.truncate(given);
        let part_of = block.get("part_of").and_then(|node| {
            let mut inner = self.block(node, "`part_of`")?;
            let object = self.need(&mut inner, "object", "nothing says of which object it is part").and_then(|node| self.text(node, "object"));
            let by = inner.get("by").and_then(|node| self.field(node, "by"));
            let at = self.need(&mut inner, "at", "nothing says where it stands in it").map_or_else(Vec::new, |node| self.paths(node, "at"));
            self.close(&inner);
            Some(PartOf { object: object?, by, at })
        });
        let included = block.get("included").and_then(|node| node.get("when_read")).and_then(Node::entries).unwrap_or_default();
        let included = self.text_pairs(included, "included");
        let push = block.get("push").and_then(Node::entries).unwrap_or_default();
        let push = self.text_pairs(push, "push");
        self.close(&block);
        Some(Object {
            name,
            schema,
            id: id?,
            stamp,
            version,
            selection,
            changes,
            gone,
            get,
            find,
            with,
            derive,
            writes,
            part_of,
            included,
            push,
            span: block.span,
        })
    }

    fn id(&mut self, node: &Node) -> Option<Id> {
        let (node, pattern, longest) = match node.entries() {
            None => (node, None, None),
            Some(_) => {
                let mut block = self.block(node, "the id")?;
                let at = self.need(&mut block, "at", "nothing says where it stands");
                let pattern =
                    block.get("pattern").and_then(|node| self.pattern(node, "pattern")).and_then(|text| Pattern::read(&text.node, text.span).ok());
                let longest = block.get("longest").and_then(|node| self.whole(node, "longest"));
                self.close(&block);
                (at?, pattern, longest)
            }
        };
        let text = self.text(node, "id")?;
        let form = if text.node.contains('{') {
            // Its names are fields of the record.
            Template::read(&text.node, text.span, &|_| Ok(())).map_err(|faults| self.found.extend(faults)).ok().map(IdForm::Of)
        } else {
            self.path_of(&text).map(IdForm::At)
        };
        Some(Id { form: form?, pattern, longest })
    }

    fn text_pairs(&mut self, entries: &[crate::yaml::Entry], what: &str) -> Vec<(Spanned<String>, Spanned<String>)> {
        entries.iter().filter_map(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.text(&entry.value, what)?))).collect()
    }
}
