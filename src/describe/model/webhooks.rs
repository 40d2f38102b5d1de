//! Webhooks: who sent one, what it says has changed, and how they are ordered.

use jiff::SignedDuration;

use super::{Ask, Gone, SignedPart};
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::{Block, Reader};
use crate::describe::text::{Filled, Formula, Path, Place, Template};
use crate::yaml::Node;

#[derive(Debug, Clone, PartialEq)]
pub struct Webhooks {
    pub verify: Verify,
    pub event: Option<Path>,
    /// What tells doubles.
    pub once: Option<Path>,
    /// Whose it is: a path of it, and the setting that it has to be.
    pub owner: Vec<(Path, Path)>,
    pub hints: Vec<Hint>,
    pub pointer: Option<Pointer>,
    /// The status of what is taken, and the time in which it has to be.
    pub status: u64,
    pub within: Option<SignedDuration>,
    pub register: Option<Register>,
    /// Asks whether the address is ours: not carried out yet.
    pub challenge: Option<Filled>,
    /// They come by a queue: not carried out yet.
    pub queue: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Verify {
    /// Nothing of it is believed.
    None,
    Hmac {
        hash: Spanned<String>,
        key: Template,
        over: Vec<SignedPart>,
        base64: bool,
        header: String,
    },
    Shared {
        header: String,
        secret: Template,
    },
    /// By a key that is fetched from the vendor: not carried out; nothing of the webhook is believed.
    FetchedKey,
}

/// What an event says has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    pub event: Spanned<String>,
    pub object: Spanned<String>,
    /// It has one for each of these.
    pub each: Option<Path>,
    pub by: HintBy,
    /// What is read beside the record is read first, and tells whether it is gone, or none of the object's.
    pub first: Option<Spanned<String>>,
    pub gone: Option<Gone>,
    pub skip: Option<Formula>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum HintBy {
    /// Where the record's id stands; of a pointer, the name in its path.
    Id(Path),
    /// The field that it is looked up by, and where its value stands.
    Find { field: Spanned<String>, value: Path },
    /// The list that the pointer's parameters are asked of, in the form of a stream.
    Call(Ask),
}

/// A URL that is taken apart and never fetched as given.
#[derive(Debug, Clone, PartialEq)]
pub struct Pointer {
    pub url: Path,
    /// Hosts that it may name beside the connection's own: a setting with a list.
    pub hosts: Option<Template>,
    /// Its path, with names in braces.
    pub path: Option<Spanned<String>>,
    /// Its parameters, and the form of each.
    pub parameters: Vec<(Spanned<String>, Spanned<String>)>,
    /// One of these has to be there.
    pub one_of: Vec<Spanned<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Register {
    pub make: Option<Ask>,
    pub remove: Option<Ask>,
    pub list: Option<Ask>,
}

impl Reader<'_> {
    /// `none`: the system sends none, or none that is read.
    pub(in crate::describe) fn webhooks(&mut self, node: &Node) -> Option<Webhooks> {
        if let Some(word) = node.text() {
            if word != "none" {
                let span = self.span(node);
                self.found.push(error::unknown_word(word, span, "webhooks", &["none"]));
            }
            return None;
        }
        let mut block = self.block(node, "`webhooks`")?;
        let queue = block.get("queue").is_some();
        let verify = match block.get("verify") {
            Some(node) => self.verify(node).unwrap_or(Verify::None),
            None => {
                if !queue {
                    self.found.push(error::needs_key(
                        "verify",
                        block.span,
                        "`webhooks`",
                        "nothing says what proves the sender; `none`: nothing does",
                    ));
                }
                Verify::None
            }
        };
        // Where the secret comes from.
        block.get("secret");
        let mut path = |reader: &mut Self, key| block.get(key).and_then(|node| reader.path(node, key));
        let (event, once) = (path(self, "event"), path(self, "once"));
        let owner = block.get("for").and_then(Node::entries).unwrap_or_default();
        let owner = owner
            .iter()
            .filter_map(|entry| {
                let path = self.path_of(&Spanned::new(entry.key.clone(), self.key_span(entry)))?;
                self.formula(&entry.value, "for", Place::Everywhere)?;
                Some((path, self.path(&entry.value, "for")?))
            })
            .collect();
        let pointer = block.get("pointer").and_then(|node| self.pointer(node));
        let hints = block.get("hint").and_then(Node::entries).unwrap_or_default();
        let hints = hints.iter().filter_map(|entry| self.hint(Spanned::new(entry.key.clone(), self.key_span(entry)), &entry.value)).collect();
        let (status, within) = block.get("answer").map_or((200, None), |node| self.acknowledged(node));
        let register = block.get("register").and_then(|node| self.register(node));
        let challenge = block.get("challenge").and_then(|node| self.filled(node, Place::Webhook));
        self.close(&block);
        Some(Webhooks { verify, event, once, owner, hints, pointer, status, within, register, challenge, queue, span: block.span })
    }

    fn verify(&mut self, node: &Node) -> Option<Verify> {
        if let Some(word) = node.text() {
            if word == "none" {
                return Some(Verify::None);
            }
            let span = self.span(node);
            self.found.push(error::unknown_word(word, span, "verify", &["none"]));
            return None;
        }
        let mut block = self.block(node, "`verify`")?;
        block.get("note");
        block.get("bad");
        let verify = if let Some(node) = block.get("hmac") {
            let hash = self.hash(node);
            let key = self.need(&mut block, "key", "nothing says what the key is").and_then(|node| self.template(node, "key", Place::Auth));
            let over = self.need(&mut block, "over", "nothing says what is signed").map_or_else(Vec::new, |node| self.signed_parts(node));
            let base64 = self.printed_as_base64(&mut block);
            let header = self.header(&mut block);
            Some(Verify::Hmac { hash: hash?, key: key?, over, base64, header: header? })
        } else if let Some(node) = block.get("shared") {
            let mut inner = self.block(node, "`shared`")?;
            let header = self.header(&mut inner);
            let secret =
                self.need(&mut inner, "secret", "nothing says what both sides know").and_then(|node| self.template(node, "secret", Place::Auth));
            self.close(&inner);
            Some(Verify::Shared { header: header?, secret: secret? })
        } else if block.get("fetched_key").is_some() {
            Some(Verify::FetchedKey)
        } else {
            self.found.push(error::needs_key("hmac", block.span, "`verify`", "no kind is named: `none`, `hmac`, `shared`, `fetched_key`"));
            None
        };
        self.close(&block);
        verify
    }

    /// `in: header.x-signature`
    fn header(&mut self, block: &mut Block<'_>) -> Option<String> {
        let text = self.need(block, "in", "nothing says in which header it comes").and_then(|node| self.text(node, "in"))?;
        match text.node.strip_prefix("header.") {
            Some(name) => Some(name.to_owned()),
            None => {
                self.found.push(error::bad_value(text.span, format!("`{}` is no header", text.node), "write `header.` and its name"));
                None
            }
        }
    }

    fn pointer(&mut self, node: &Node) -> Option<Pointer> {
        let mut block = self.block(node, "`pointer`")?;
        let url = self.need(&mut block, "url", "nothing says where the URL stands").and_then(|node| self.path(node, "url"));
        let hosts = block.get("hosts").and_then(|node| self.template(node, "hosts", Place::Everywhere));
        let path = block.get("path").and_then(|node| self.text(node, "path"));
        let parameters = block.get("parameters").and_then(Node::entries).unwrap_or_default();
        let parameters = parameters
            .iter()
            .filter_map(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.text(&entry.value, "parameters")?)))
            .collect();
        let one_of = block.get("one_of").map_or_else(Vec::new, |node| self.texts(node, "one_of"));
        self.close(&block);
        Some(Pointer { url: url?, hosts, path, parameters, one_of })
    }

    fn hint(&mut self, event: Spanned<String>, node: &Node) -> Option<Hint> {
        let mut block = self.block(node, format!("the hint `{}`", event.node))?;
        let object = self.need(&mut block, "object", "nothing says of which object it is").and_then(|node| self.text(node, "object"));
        let each = block.get("each").and_then(|node| self.path(node, "each"));
        let by = if let Some(node) = block.get("id") {
            self.path(node, "id").map(HintBy::Id)
        } else if let Some(node) = block.get("find") {
            let mut pairs = node.entries().unwrap_or_default().iter();
            let pair = pairs.next().and_then(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.path(&entry.value, "find")?)));
            pair.map(|(field, value)| HintBy::Find { field, value })
        } else {
            let before = self.found.len();
            let ask = self.ask(&mut block, Place::Find);
            if ask.is_none() && self.found.len() == before {
                self.found.push(error::needs_key("id", block.span, &format!("the hint `{}`", event.node), "nothing says which record it is"));
            }
            ask.map(HintBy::Call)
        };
        let first = block.get("first").and_then(|node| self.text(node, "first"));
        let given = self.given.len();
        self.given.extend(first.iter().map(|first| first.node.clone()));
        let gone = self.gone(block.get("gone"));
        let skip = block.get("skip").and_then(|node| self.formula(node, "skip", Place::Record));
        self.given.truncate(given);
        self.close(&block);
        Some(Hint { event, object: object?, each, by: by?, first, gone, skip })
    }

    fn acknowledged(&mut self, node: &Node) -> (u64, Option<SignedDuration>) {
        let Some(mut block) = self.block(node, "`answer`") else { return (200, None) };
        let status = block.get("status").and_then(|node| self.whole(node, "status")).unwrap_or(200);
        block.get("body");
        let within = block.get("within").and_then(|node| self.duration(node, "within"));
        self.close(&block);
        (status, within)
    }

    fn register(&mut self, node: &Node) -> Option<Register> {
        let mut block = self.block(node, "`register`")?;
        let mut call = |reader: &mut Self, key| {
            let mut inner = reader.block(block.get(key)?, format!("`{key}`"))?;
            let ask = reader.needs_ask(&mut inner, Place::Webhook);
            inner.get("id");
            inner.get("secret");
            reader.close(&inner);
            ask
        };
        let register = Register { make: call(self, "make"), remove: call(self, "remove"), list: call(self, "list") };
        self.close(&block);
        Some(register)
    }
}
