//! Writes: the call, the means by which one key has one effect, and how changes become what is sent.

use jiff::SignedDuration;

use super::{Ask, Receipt};
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::{Block, Reader, Word};
use crate::describe::text::{Filled, Formula, Place};
pub use crate::system::Means;
use crate::yaml::{Node, Shape};

#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// `create`, `update`, `upsert`, or a name of its own.
    pub name: Spanned<String>,
    /// The fields that are the key.
    pub key: Vec<Spanned<String>>,
    /// Fields that have to be there beside it.
    pub needs: Vec<Spanned<String>>,
    /// Absent where its parts say it: in `steps`, or in the object that it is part of.
    pub ask: Option<Ask>,
    pub batch: Batch,
    /// How the items of a group are put together.
    pub each: Option<Filled>,
    /// All parts of a group have to be named, by this field.
    pub whole: Option<Spanned<String>>,
    pub resolve: Vec<Resolve>,
    /// What is read just before.
    pub reads: Option<Spanned<String>>,
    pub replaces: Option<Replaces>,
    /// Fields that are objects, and take the place of what is there: all that the mapping says of one is sent, or nothing.
    pub together: Vec<Spanned<String>>,
    /// Bounds of one call, or of a time, by their names.
    pub most: Vec<(Spanned<String>, Spanned<String>)>,
    pub guarantee: Option<Guarantee>,
    pub receipt: Option<Receipt>,
    pub actions: Option<Actions>,
    /// Asked of what was read, where the outcome is not known: then it is done.
    pub there: Option<There>,
    pub steps: Vec<Step>,
    /// What codes of refusals mean, for people.
    pub refused: Vec<(Spanned<String>, Spanned<String>)>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum There {
    When(Formula),
    /// Another look-up, and what holds of what it finds.
    Find {
        object: Spanned<String>,
        by: Spanned<String>,
        when: Formula,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Batch {
    Together(u64),
    Aliases(u64),
    Groups { by: Spanned<String>, groups: u64, then: Option<Spanned<String>>, in_group: u64 },
}

impl Batch {
    /// Items in one call.
    pub fn most(&self) -> u64 {
        match self {
            Batch::Together(most) | Batch::Aliases(most) => *most,
            Batch::Groups { groups, in_group, .. } => groups.saturating_mul(*in_group),
        }
    }
}

/// An id that is looked up, so that the mapping need not know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolve {
    pub field: Spanned<String>,
    pub find: Spanned<String>,
    pub by: Spanned<String>,
    pub at: Option<crate::describe::text::Path>,
    pub keep: Option<SignedDuration>,
}

/// What is not sent is lost: changes are laid over the target's record.
#[derive(Debug, Clone, PartialEq)]
pub struct Replaces {
    /// How the record is read before.
    pub read: Option<Spanned<String>>,
    pub keep: Vec<Spanned<String>>,
    pub lines: Vec<Lines>,
}

/// Which line is which.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    pub list: Option<Spanned<String>>,
    pub id: Option<Spanned<String>>,
    pub key: Option<Spanned<String>>,
    /// Fields that are the same in one line.
    pub same: Vec<Spanned<String>>,
    pub by_place: bool,
}

/// By what one key has one effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarantee {
    pub by: Spanned<Means>,
    /// The vendor's words.
    pub says: Option<Spanned<String>>,
    /// Where they stand.
    pub source: Option<Spanned<String>>,
    pub field: Option<Spanned<String>>,
    pub settle: Option<SignedDuration>,
    pub same: Option<Formula>,
    /// The code by which a conflict is told.
    pub refused: Option<Spanned<String>>,
    /// Of a token: for how many hours it is known.
    pub hours: Option<u64>,
    /// Of a token: where it goes.
    pub to: Option<Spanned<String>>,
    /// Of a token: what holds when its hours are over.
    pub then: Option<Spanned<Means>>,
    pub span: Span,
}

impl Word for Means {
    const ALL: &'static [(&'static str, Self)] = Means::ALL;
}

#[derive(Debug, Clone, PartialEq)]
pub enum Actions {
    /// Each changed field becomes an action; `*` is each field below.
    Fields(Vec<Action>),
    /// What a part becomes as a whole.
    List(Vec<Filled>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    pub path: crate::describe::text::Path,
    pub action: Filled,
}

/// One of several calls of a write, sent only where its fields differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The fields that it writes; none: all that no other step does.
    pub covers: Vec<Spanned<String>>,
    pub ask: Option<Ask>,
    pub lines: Option<Lines>,
    pub add: Option<(Ask, Option<Formula>)>,
    pub change: Option<Ask>,
    pub remove: Option<Ask>,
    pub span: Span,
}

impl Reader<'_> {
    pub(in crate::describe) fn writes(&mut self, node: &Node) -> Vec<Write> {
        let Some(mut block) = self.block(node, "`writes`") else { return Vec::new() };
        block.all().iter().filter_map(|entry| self.write(Spanned::new(entry.key.clone(), self.key_span(entry)), &entry.value)).collect()
    }

    fn write(&mut self, name: Spanned<String>, node: &Node) -> Option<Write> {
        let mut block = self.block(node, format!("the write `{}`", name.node))?;
        // A merge key of YAML: its entries stand here as they would there.
        if let Some(entry) = block.get("<<") {
            return self.write(name, entry);
        }
        let mut texts = |reader: &mut Self, key| block.get(key).map_or_else(Vec::new, |node| reader.fields(node, key));
        let key = texts(self, "key");
        let needs = texts(self, "needs");
        let together = texts(self, "together");
        let ask = self.ask(&mut block, Place::Write);
        let batch = self.batch(&mut block);
        let each = block.get("each").and_then(|node| self.filled(node, Place::Write));
        let whole = block.get("whole").and_then(|node| self.text(node, "whole"));
        let resolve = block.get("resolve").map_or_else(Vec::new, |node| self.resolve(node));
        let reads = block.get("reads").and_then(|node| self.text(node, "reads"));
        if let Some(reads) = reads.as_ref().filter(|reads| !["target", "parent"].contains(&reads.node.as_str())) {
            self.found.push(error::unknown_word(&reads.node, reads.span, "reads", &["target", "parent"]));
        }
        let replaces = block.get("replaces").and_then(|node| self.replaces(node));
        let most = self.pairs(&mut block, "most");
        let refused = self.pairs(&mut block, "refused");
        let guarantee = block.get("guarantee").and_then(|node| self.guarantee(node));
        let receipt = block.get("receipt").and_then(|node| self.receipt(node));
        let actions = block.get("actions").and_then(|node| self.actions(node));
        let there = block.get("there").and_then(|node| self.there(node));
        let steps =
            block.get("steps").map_or_else(Vec::new, |node| node.elements().unwrap_or_default().iter().filter_map(|step| self.step(step)).collect());
        self.close(&block);
        let span = block.span;
        Some(Write {
            name,
            key,
            needs,
            ask,
            batch,
            each,
            whole,
            resolve,
            reads,
            replaces,
            together,
            most,
            guarantee,
            receipt,
            actions,
            there,
            steps,
            refused,
            span,
        })
    }

    /// A block of texts by name.
    fn pairs(&mut self, block: &mut Block<'_>, key: &'static str) -> Vec<(Spanned<String>, Spanned<String>)> {
        let Some(entries) = block.get(key).and_then(Node::entries) else { return Vec::new() };
        entries.iter().filter_map(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.text(&entry.value, key)?))).collect()
    }

    fn batch(&mut self, block: &mut Block<'_>) -> Batch {
        let Some(node) = block.get("batch") else { return Batch::Together(1) };
        if node.entries().is_none() {
            return Batch::Together(self.count(node, "batch").unwrap_or(1));
        }
        let Some(mut inner) = self.block(node, "`batch`") else { return Batch::Together(1) };
        let batch = if let Some(node) = inner.get("aliases") {
            Batch::Aliases(self.count(node, "aliases").unwrap_or(1))
        } else {
            let by = self.need(&mut inner, "group_by", "it is a number, `aliases`, or items in groups").and_then(|node| self.text(node, "group_by"));
            let groups = inner.get("groups").and_then(|node| self.whole(node, "groups")).unwrap_or(1).max(1);
            let then = inner.get("then").and_then(|node| self.text(node, "then"));
            let in_group = inner.get("in_group").and_then(|node| self.whole(node, "in_group")).unwrap_or(1).max(1);
            by.map_or(Batch::Together(1), |by| Batch::Groups { by, groups, then, in_group })
        };
        self.close(&inner);
        batch
    }

    fn resolve(&mut self, node: &Node) -> Vec<Resolve> {
        let mut found = Vec::new();
        for entry in node.entries().unwrap_or_default() {
            let field = Spanned::new(entry.key.clone(), self.key_span(entry));
            let Some(mut block) = self.block(&entry.value, "`resolve`") else { continue };
            let find = self.need(&mut block, "find", "nothing says where it is looked up").and_then(|node| self.text(node, "find"));
            let by = self.need(&mut block, "by", "nothing says by which field").and_then(|node| self.text(node, "by"));
            let at = block.get("at").and_then(|node| self.path(node, "at"));
            let keep = block.get("keep").and_then(|node| self.duration(node, "keep"));
            self.close(&block);
            found.extend(find.zip(by).map(|(find, by)| Resolve { field, find, by, at, keep }));
        }
        found
    }

    fn replaces(&mut self, node: &Node) -> Option<Replaces> {
        if node.text().is_some() {
            return self.flag(node, "replaces").then_some(Replaces { read: None, keep: Vec::new(), lines: Vec::new() });
        }
        let mut block = self.block(node, "`replaces`")?;
        let read = block.get("read").and_then(|node| match node.get("find") {
            Some(find) => self.text(find, "find"),
            None => self.text(node, "read"),
        });
        let keep = block.get("keep").map_or_else(Vec::new, |node| self.fields(node, "keep"));
        let lines = block.get("lines").and_then(Node::elements).unwrap_or_default().iter().filter_map(|node| self.lines(node)).collect();
        self.close(&block);
        Some(Replaces { read, keep, lines })
    }

    fn lines(&mut self, node: &Node) -> Option<Lines> {
        let mut block = self.block(node, "`lines`")?;
        let mut text = |reader: &mut Self, key| block.get(key).and_then(|node| reader.field(node, key));
        let (list, id, key) = (text(self, "list"), text(self, "id"), text(self, "key"));
        let same = block.get("same").map_or_else(Vec::new, |node| self.fields(node, "same"));
        let by_place = block.get("by_place").is_some_and(|node| self.flag(node, "by_place"));
        self.close(&block);
        Some(Lines { list, id, key, same, by_place })
    }

    fn guarantee(&mut self, node: &Node) -> Option<Guarantee> {
        let mut block = self.block(node, "the guarantee")?;
        let by = self.need(&mut block, "by", "nothing says by what means one key has one effect");
        let by = by.and_then(|node| Some(Spanned::new(self.word(node, "by")?, self.span(node))));
        let mut text = |reader: &mut Self, key| block.get(key).and_then(|node| reader.text(node, key));
        let (says, source) = (text(self, "says"), text(self, "source"));
        let (refused, to) = (text(self, "refused"), text(self, "to"));
        let field = block.get("field").and_then(|node| self.field(node, "field"));
        let settle = block.get("settle").and_then(|node| self.duration(node, "settle"));
        let same = block.get("same").and_then(|node| self.condition(node, "same", Place::There));
        let hours = block.get("hours").and_then(|node| self.whole(node, "hours"));
        let then = block.get("then").and_then(|node| Some(Spanned::new(self.word(node, "then")?, self.span(node))));
        self.close(&block);
        Some(Guarantee { by: by?, says, source, field, settle, same, refused, hours, to, then, span: block.span })
    }

    fn actions(&mut self, node: &Node) -> Option<Actions> {
        Some(match &node.shape {
            Shape::List(items) => Actions::List(items.iter().filter_map(|item| self.filled(item, Place::Action)).collect()),
            Shape::Map(entries) => Actions::Fields(
                entries
                    .iter()
                    .filter_map(|entry| {
                        let path = self.path_of(&Spanned::new(entry.key.clone(), self.key_span(entry)))?;
                        Some(Action { path, action: self.filled(&entry.value, Place::Action)? })
                    })
                    .collect(),
            ),
            _ => {
                self.found.push(error::bad_form(self.span(node), "actions", "a block by field, or a list", node.noun()));
                return None;
            }
        })
    }

    fn there(&mut self, node: &Node) -> Option<There> {
        if node.entries().is_none() {
            return self.condition(node, "there", Place::There).map(There::When);
        }
        let mut block = self.block(node, "`there`")?;
        let object = self.need(&mut block, "find", "nothing says what is looked up").and_then(|node| self.text(node, "find"));
        let by = self.need(&mut block, "by", "nothing says by which field").and_then(|node| self.text(node, "by"));
        let when = self.need(&mut block, "when", "nothing says what has to hold").and_then(|node| self.condition(node, "when", Place::There));
        self.close(&block);
        Some(There::Find { object: object?, by: by?, when: when? })
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        let mut block = self.block(node, "a step")?;
        let covers = self.need(&mut block, "covers", "nothing says which fields it writes").map_or_else(Vec::new, |node| self.fields(node, "covers"));
        let covers = if covers.iter().any(|field| field.node == "rest") { Vec::new() } else { covers };
        let ask = self.ask(&mut block, Place::Write);
        let lines = block.get("lines").and_then(|node| self.lines(node));
        let mut inner = |reader: &mut Self, key| {
            let mut inner = reader.block(block.get(key)?, format!("`{key}`"))?;
            let ask = reader.needs_ask(&mut inner, Place::Write);
            let once = inner.get("once").and_then(|node| reader.condition(node, "once", Place::Line));
            reader.close(&inner);
            Some((ask?, once))
        };
        let add = inner(self, "add");
        let change = inner(self, "change").map(|(ask, _)| ask);
        let remove = inner(self, "remove").map(|(ask, _)| ask);
        self.close(&block);
        Some(Step { covers, ask, lines, add, change, remove, span: block.span })
    }
}
