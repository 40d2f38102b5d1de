//! Named things of a connection, and the call that tells that it works.

use super::{Ask, Page};
use crate::base::Spanned;
use crate::describe::error;
use crate::describe::read::Reader;
use crate::describe::text::{Path, Place, Template};
use crate::yaml::Node;

/// Things of one kind: warehouses, carriers.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub kind: Spanned<String>,
    pub of: NamedOf,
    pub page: Option<Page>,
    /// It is asked for once for each thing of this kind.
    pub each: Option<Spanned<String>>,
    pub name: Option<Path>,
    pub id: Option<Path>,
    /// What tells two of one name apart.
    pub apart: Option<Path>,
    /// Fields of schemas that take the id of such a thing: `LineItem.warehouse_id`.
    pub fields: Vec<Spanned<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NamedOf {
    Ask(Ask),
    /// The records of an object.
    List(Spanned<String>),
    /// A file beside the description, where the vendor has none.
    Table {
        file: Spanned<String>,
        otherwise: Option<Spanned<String>>,
    },
}

/// A call that needs the credentials, and what is said when it succeeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    pub ask: Ask,
    pub say: Template,
}

impl Reader<'_> {
    pub(in crate::describe) fn names(&mut self, node: &Node) -> Vec<Named> {
        let Some(mut block) = self.block(node, "`names`") else { return Vec::new() };
        block.all().iter().filter_map(|entry| self.named(Spanned::new(entry.key.clone(), self.key_span(entry)), &entry.value)).collect()
    }

    fn named(&mut self, kind: Spanned<String>, node: &Node) -> Option<Named> {
        let mut block = self.block(node, format!("`names.{}`", kind.node))?;
        block.get("note");
        let of = if let Some(node) = block.get("list") {
            self.text(node, "list").map(NamedOf::List)
        } else if let Some(node) = block.get("table") {
            let otherwise = block.get("else").and_then(|node| self.text(node, "else"));
            self.text(node, "table").map(|file| NamedOf::Table { file, otherwise })
        } else {
            self.needs_ask(&mut block, Place::Names).map(NamedOf::Ask)
        };
        if let Some(NamedOf::Ask(Ask { record: Some(record), .. })) = &of {
            self.found.push(error::of_a_list(record.span, "a list of names"));
        }
        let page = block.get("page").and_then(|node| self.page(node));
        let each = block.get("each").and_then(|node| self.text(node, "each"));
        let is_table = matches!(of, Some(NamedOf::Table { .. }));
        let mut field = |reader: &mut Self, key, why| {
            let node = if is_table { block.get(key) } else { reader.need(&mut block, key, why) };
            node.and_then(|node| reader.path(node, key))
        };
        let name = field(self, "name", "nothing says what a mapping calls it");
        let id = field(self, "id", "nothing says what stands for it");
        let apart = block.get("apart").and_then(|node| self.path(node, "apart"));
        let fields = block.get("fields").map_or_else(Vec::new, |node| self.texts(node, "fields"));
        self.close(&block);
        Some(Named { kind, of: of?, page, each, name, id, apart, fields })
    }

    pub(in crate::describe) fn hello(&mut self, node: &Node) -> Option<Hello> {
        let mut block = self.block(node, "`hello`")?;
        let ask = self.needs_ask(&mut block, Place::Everywhere);
        let say = self.need(&mut block, "say", "nothing says what a person reads").and_then(|node| self.template(node, "say", Place::Hello));
        self.close(&block);
        Some(Hello { ask: ask?, say: say? })
    }
}
