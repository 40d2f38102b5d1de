//! Records by id, and by the value of a field.

use super::Ask;
use crate::base::{Span, Spanned};
use crate::describe::read::{Block, Reader};
use crate::describe::text::{Formula, Place, Template};
use crate::describe::{error, unsupported};
use crate::yaml::Node;

/// How records are read by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Get {
    /// Of ids that begin so; absent: of all others.
    pub prefix: Option<String>,
    pub look: Look,
    /// Ids in one call.
    pub batch: Batched,
    /// It is read no more.
    pub ended: Option<Formula>,
    pub span: Span,
}

/// How many go into one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batched {
    /// So many in one call.
    Together(u64),
    /// So many fields of one GraphQL document, by alias.
    Aliases(u64),
}

impl Batched {
    pub fn most(self) -> u64 {
        match self {
            Batched::Together(most) | Batched::Aliases(most) => most,
        }
    }
}

/// One way to look something up.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    Ask {
        ask: Ask,
        /// The answer may hold more than was asked for: each is compared.
        exact: bool,
        /// What the answer lacks, by the name of its field.
        put: Vec<(Spanned<String>, Template)>,
        /// Of those found only these.
        only: Option<Formula>,
        /// Which refusals say that there is none.
        absent: Option<Formula>,
        /// What is found is then read by its id.
        then_get: bool,
        /// What is found is what is read beside a record under this name.
        brings: Option<Spanned<String>>,
        /// Only for values of this form.
        form: Option<Spanned<String>>,
    },
    /// Several lists, whose records are all meant.
    All(Vec<Look>),
    /// Gone through, newest first.
    Scan(Scan),
    /// The value is the id.
    Get,
    /// In the object that it is part of.
    Parts,
    /// The list of all, which is small.
    Listed,
    /// It cannot be asked for, and nothing else is tried.
    Refused,
    /// A function of this program.
    Hook(Spanned<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    pub ask: Ask,
    /// How many pages; not found in them is then not known.
    pub pages: u64,
    /// One is enough.
    pub unique: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// Absent: any other field.
    pub field: Option<Spanned<String>>,
    pub look: Look,
    /// Values in one call.
    pub batch: Batched,
    /// The call for several values, where it is another than that for one. A value that it does not find is asked for by that one: a
    /// list may show late what is there.
    pub several: Option<Ask>,
    pub span: Span,
}

impl Find {
    /// The call by which several values are looked up.
    pub fn of_several(&self) -> Option<&Ask> {
        match (&self.several, &self.look, self.batch.most()) {
            (_, _, ..2) => None,
            (Some(ask), _, _) | (None, Look::Ask { ask, .. }, _) => Some(ask),
            (None, _, _) => None,
        }
    }
}

/// What is read beside a record, where a mapping reads what it brings.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    pub name: Spanned<String>,
    pub of: WithOf,
    /// Records of a page, where it makes pages smaller.
    pub page: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum WithOf {
    Ask(Ask),
    Find { object: Spanned<String>, by: Spanned<String>, value: Formula },
    Hook(Spanned<String>),
}

impl Reader<'_> {
    pub(in crate::describe) fn gets(&mut self, node: &Node) -> Vec<Get> {
        let Some(mut block) = self.block(node, "`get`") else { return Vec::new() };
        if ["call", "query", "scan", "hook"].iter().any(|key| block.has(key)) {
            return self.get_of(block, None).into_iter().collect();
        }
        let mut found = Vec::new();
        for entry in block.all() {
            let Some(inner) = self.block(&entry.value, format!("`get.{}`", entry.key)) else { continue };
            found.extend(self.get_of(inner, (entry.key != "else").then(|| entry.key.clone())));
        }
        found
    }

    fn get_of(&mut self, mut block: Block<'_>, prefix: Option<String>) -> Option<Get> {
        let batch = self.batched(&mut block);
        let ended = block.get("ended").and_then(|node| self.condition(node, "ended", Place::Record));
        let look = self.look(&mut block, Place::Get);
        self.close(&block);
        Some(Get { prefix, look: look?, batch, ended, span: block.span })
    }

    fn batched(&mut self, block: &mut Block<'_>) -> Batched {
        let Some(node) = block.get("batch") else { return Batched::Together(1) };
        if node.entries().is_none() {
            return Batched::Together(self.count(node, "batch").unwrap_or(1));
        }
        let Some(mut inner) = self.block(node, "`batch`") else { return Batched::Together(1) };
        let most =
            self.need(&mut inner, "aliases", "it is a number, or a block with a number of aliases").and_then(|node| self.count(node, "aliases"));
        self.close(&inner);
        Batched::Aliases(most.unwrap_or(1))
    }

    /// A number, a number of aliases, or a call for several values.
    fn find_batch(&mut self, block: &mut Block<'_>) -> (Batched, Option<Ask>) {
        let is_call = |node: &&Node| ["most", "call", "query"].iter().any(|key| node.get(key).is_some());
        let Some(node) = block.get("batch").filter(is_call) else { return (self.batched(block), None) };
        let Some(mut inner) = self.block(node, "`batch`") else { return (Batched::Together(1), None) };
        let most = self.need(&mut inner, "most", "nothing says how many values one call takes").and_then(|node| self.count(node, "most"));
        let ask = self.needs_ask(&mut inner, Place::Find);
        self.close(&inner);
        (Batched::Together(most.unwrap_or(1)), ask)
    }

    pub(in crate::describe) fn finds(&mut self, node: &Node) -> Vec<Find> {
        let Some(mut block) = self.block(node, "`find`") else { return Vec::new() };
        let mut found = Vec::new();
        for entry in block.all() {
            let field = (entry.key != "else").then(|| Spanned::new(entry.key.clone(), self.key_span(entry)));
            if let Some(word) = entry.value.text() {
                if let Some((_, what)) = unsupported::FINDS.iter().find(|(known, _)| *known == word) {
                    self.unsupported.push(error::unsupported_word(word, self.span(&entry.value), what));
                }
                let look = match word {
                    "parts" => Look::Parts,
                    "listed" => Look::Listed,
                    "refused" => Look::Refused,
                    _ => {
                        let span = self.span(&entry.value);
                        self.found.push(error::unknown_word(word, span, &entry.key, &["parts", "listed", "refused"]));
                        continue;
                    }
                };
                found.push(Find { field, look, batch: Batched::Together(1), several: None, span: self.span(&entry.value) });
                continue;
            }
            let Some(mut inner) = self.block(&entry.value, format!("`find.{}`", entry.key)) else { continue };
            let (batch, several) = self.find_batch(&mut inner);
            let look = self.look(&mut inner, Place::Find);
            self.close(&inner);
            found.extend(look.map(|look| Find { field, look, batch, several, span: inner.span }));
        }
        found
    }

    fn look(&mut self, block: &mut Block<'_>, place: Place) -> Option<Look> {
        if let Some(node) = block.get("hook") {
            return self.text(node, "hook").map(Look::Hook);
        }
        if let Some(node) = block.get("scan") {
            let mut inner = self.block(node, "`scan`")?;
            let ask = self.needs_ask(&mut inner, Place::Changes);
            let pages = self.need(&mut inner, "pages", "nothing says how far it is gone through").and_then(|node| self.whole(node, "pages"));
            let unique = inner.get("unique").is_some_and(|node| self.flag(node, "unique"));
            self.close(&inner);
            return Some(Look::Scan(Scan { ask: ask?, pages: pages?, unique }));
        }
        if let Some(node) = block.get("all") {
            let mut all = Vec::new();
            for item in node.elements().unwrap_or_default() {
                let Some(mut inner) = self.block(item, "a list of `all`") else { continue };
                all.extend(self.look(&mut inner, place));
                self.close(&inner);
            }
            return Some(Look::All(all));
        }
        if let Some(node) = block.get("in") {
            let text = self.text(node, "in")?;
            block.get("included");
            if text.node == "part_of" {
                return Some(Look::Parts);
            }
            self.found.push(error::unknown_word(&text.node, text.span, "in", &["part_of"]));
            return None;
        }
        let then = block.get("then").and_then(|node| self.text(node, "then"));
        if let Some(then) = then.as_ref().filter(|then| then.node != "get") {
            self.found.push(error::unknown_word(&then.node, then.span, "then", &["get"]));
        }
        if then.is_some() && !["call", "query"].iter().any(|key| block.has(key)) {
            return Some(Look::Get);
        }
        let ask = self.needs_ask(block, place);
        let filter = block.get("filter").and_then(|node| self.text(node, "filter"));
        if let Some(filter) = filter.as_ref().filter(|filter| filter.node != "exact") {
            self.found.push(error::unknown_word(&filter.node, filter.span, "filter", &["exact"]));
        }
        let put = block.get("put").map_or_else(Vec::new, |node| self.named_templates(node, "put", place));
        let only = block.get("where").and_then(|node| self.formula(node, "where", Place::Record));
        let absent = block.get("absent").and_then(|node| self.formula(node, "absent", Place::Answer));
        let form = block.get("only").and_then(|node| self.text(node, "only"));
        let brings = block.get("brings").and_then(|node| self.text(node, "brings"));
        // What the vendor says of it, for people.
        block.get("says");
        Some(Look::Ask { ask: ask?, exact: filter.is_some(), put, only, absent, then_get: then.is_some(), brings, form })
    }

    pub(in crate::describe) fn withs(&mut self, node: &Node) -> Vec<With> {
        let Some(mut block) = self.block(node, "`with`") else { return Vec::new() };
        let mut found = Vec::new();
        for entry in block.all() {
            let name = Spanned::new(entry.key.clone(), self.key_span(entry));
            let Some(mut inner) = self.block(&entry.value, format!("`with.{}`", entry.key)) else { continue };
            let page = inner.get("page").and_then(|node| self.whole(node, "page"));
            let of = if let Some(node) = inner.get("hook") {
                self.text(node, "hook").map(WithOf::Hook)
            } else if let Some(node) = inner.get("find") {
                let object = self.text(node, "find");
                let by = self.need(&mut inner, "by", "nothing says by which field").and_then(|node| self.text(node, "by"));
                let value = self
                    .need(&mut inner, "value", "nothing says which value is looked for")
                    .and_then(|node| self.formula(node, "value", Place::Record));
                object.zip(by).zip(value).map(|((object, by), value)| WithOf::Find { object, by, value })
            } else {
                self.needs_ask(&mut inner, Place::Get).map(WithOf::Ask)
            };
            self.close(&inner);
            found.extend(of.map(|of| With { name, of, page }));
        }
        found
    }
}
