//! What an answer means: rules that are tried from the top, and where words, code and field of an error stand.

use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::{Reader, Word};
use crate::describe::text::{Formula, Path, Place};
use crate::yaml::{Node, Shape};

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub when: Formula,
    pub is: AnswerClass,
    /// Of `throttled`: for how long.
    pub wait: Option<Wait>,
    /// Of `exists`: the field whose value is there already.
    pub by: Option<Formula>,
    /// What a person reads.
    pub hint: Option<String>,
    /// The vendor's words that nothing was done.
    pub nothing_done: Option<Spanned<String>>,
    /// Of these objects only; empty: of all.
    pub on: Vec<Spanned<String>>,
    pub span: Span,
}

/// How long a system that is at its limit is left alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// As the limit's own `told` says, or longer each time.
    Limit,
    /// So many seconds: a number, or a text of digits.
    Seconds(Formula),
    /// Until this instant.
    Until(Formula),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerClass {
    Ok,
    Throttled,
    Transient,
    Conflict,
    Exists,
    Absent,
    Rejected,
    Denied,
    /// The token: once anew, and once again.
    Expired,
    Ambiguous,
}

impl AnswerClass {
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, class)| *class == self).map_or("", |(word, _)| word)
    }
}

impl Word for AnswerClass {
    const ALL: &'static [(&'static str, Self)] = &[
        ("ok", AnswerClass::Ok),
        ("throttled", AnswerClass::Throttled),
        ("transient", AnswerClass::Transient),
        ("conflict", AnswerClass::Conflict),
        ("exists", AnswerClass::Exists),
        ("absent", AnswerClass::Absent),
        ("rejected", AnswerClass::Rejected),
        ("denied", AnswerClass::Denied),
        ("expired", AnswerClass::Expired),
        ("ambiguous", AnswerClass::Ambiguous),
    ];
}

/// Where an answer says what is wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Errors {
    /// The list of errors; absent: the answer itself is one.
    pub each: Option<Path>,
    pub code: Option<Path>,
    /// The first of these that is there.
    pub message: Vec<Path>,
    pub field: Option<FieldOf>,
    /// The message of an answer that has no list.
    pub otherwise: Option<Path>,
    /// Other members of an error that rules read.
    pub more: Vec<(Spanned<String>, Path)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FieldOf {
    At(Path),
    /// The first name of an object, without what stands before the first of a sign: `order.name` is `name`.
    FirstName {
        of: Path,
        without_before: Option<String>,
    },
}

impl Reader<'_> {
    pub(in crate::describe) fn answers(&mut self, node: &Node) -> Vec<Answer> {
        let Shape::List(items) = &node.shape else {
            self.found.push(error::bad_form(self.span(node), "answers", "a list of rules", node.noun()));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.answer(item)).collect()
    }

    fn answer(&mut self, node: &Node) -> Option<Answer> {
        let mut block = self.block(node, "a rule for answers")?;
        let when = self.need(&mut block, "when", "nothing says which answers it is for").and_then(|node| self.condition(node, "when", Place::Answer));
        let is = self.need(&mut block, "is", "nothing says what the answer means").and_then(|node| self.word(node, "is"));
        let wait = match (block.get("for"), block.get("until")) {
            (Some(node), _) if node.text() == Some("limit") => Some(Wait::Limit),
            (Some(node), _) => self.formula(node, "for", Place::Answer).map(Wait::Seconds),
            (None, Some(node)) => self.formula(node, "until", Place::Answer).map(Wait::Until),
            (None, None) => None,
        };
        let by = block.get("by").and_then(|node| self.formula(node, "by", Place::Answer));
        let hint = block.get("hint").and_then(|node| self.text(node, "hint")).map(|text| text.node);
        let nothing_done = block.get("nothing_done").and_then(|node| self.text(node, "nothing_done"));
        let on = block.get("on").map_or_else(Vec::new, |node| self.texts(node, "on"));
        self.close(&block);
        Some(Answer { when: when?, is: is?, wait, by, hint, nothing_done, on, span: self.span(node) })
    }

    pub(in crate::describe) fn errors(&mut self, node: &Node) -> Errors {
        let Some(mut block) = self.block(node, "`error`") else { return Errors::default() };
        let mut errors = Errors {
            each: block.get("each").and_then(|node| self.path(node, "each")),
            code: block.get("code").and_then(|node| self.path(node, "code")),
            message: block.get("message").map_or_else(Vec::new, |node| self.paths(node, "message")),
            field: None,
            otherwise: block.get("else").and_then(|node| self.path(node, "else")),
            more: Vec::new(),
        };
        errors.field = block.get("field").and_then(|node| match node.entries() {
            None => self.path(node, "field").map(FieldOf::At),
            Some(_) => {
                let mut inner = self.block(node, "`field`")?;
                let of =
                    self.need(&mut inner, "first_name_in", "nothing says where the name stands").and_then(|node| self.path(node, "first_name_in"));
                let without = inner.get("without").and_then(|node| self.text(node, "without"));
                self.close(&inner);
                // `before "."`
                let without_before = without.and_then(|text| text.node.strip_prefix("before ").map(|sign| sign.trim_matches('"').to_owned()));
                Some(FieldOf::FirstName { of: of?, without_before })
            }
        });
        for name in ["more", "category"] {
            if let Some(node) = block.get(name) {
                let span = self.span(node);
                errors.more.extend(self.path(node, name).map(|path| (Spanned::new(name.to_owned(), span), path)));
            }
        }
        self.close(&block);
        errors
    }
}
