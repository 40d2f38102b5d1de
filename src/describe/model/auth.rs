//! Sign-ins: what proves to a system who asks.

use jiff::SignedDuration;

use super::{Measure, Request};
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::{Block, Reader, Word};
use crate::describe::text::{Formula, Path, Place, Template};
use crate::yaml::{Node, Shape};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Auth {
    /// By name; one alone has none.
    pub sign_ins: Vec<(String, SignIn)>,
    /// The one of a call that names none.
    pub usual: Option<Spanned<String>>,
    /// What goes with each request: `header.authorization`, `query.app_key`.
    pub send: Vec<(Spanned<String>, Template)>,
    /// Which answers say that the token is no longer good.
    pub refresh: Option<Refresh>,
    pub sign: Option<Sign>,
    /// By how much our clock may differ, back and ahead.
    pub clock: Option<(SignedDuration, SignedDuration)>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SignIn {
    /// RFC 7617.
    Basic {
        name: Template,
        password: Template,
    },
    Header(Vec<(Spanned<String>, Template)>),
    Query(Vec<(Spanned<String>, Template)>),
    /// RFC 6749, RFC 7523.
    OAuth {
        grant: Grant,
        token: Template,
        client: Client,
        scope: Option<Template>,
        client_id: Template,
        client_secret: Template,
        refresh_token: Option<Template>,
    },
    /// Calls that give a token: the first, and one that renews it.
    Token {
        call: TokenCall,
        again: Option<TokenCall>,
        keep: Option<SignedDuration>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    ClientCredentials,
    RefreshToken,
    JwtBearer,
}

impl Word for Grant {
    const ALL: &'static [(&'static str, Self)] =
        &[("client_credentials", Grant::ClientCredentials), ("refresh_token", Grant::RefreshToken), ("jwt_bearer", Grant::JwtBearer)];
}

/// Where a client's own credentials go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    Basic,
    Body,
}

impl Word for Client {
    const ALL: &'static [(&'static str, Self)] = &[("basic", Client::Basic), ("body", Client::Body)];
}

#[derive(Debug, Clone, PartialEq)]
pub struct TokenCall {
    pub request: Request,
    pub token: Path,
    /// Where the token that renews it stands.
    pub refresh: Option<Path>,
    pub ends: Option<Measure>,
    /// It carries the signature too.
    pub signed: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Refresh {
    pub when: Formula,
    pub times: u64,
}

/// A signature of each request.
#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    pub hash: Spanned<String>,
    pub key: Template,
    pub over: Vec<SignedPart>,
    pub base64: bool,
    /// Where it goes: `query.sign`, `header.x-signature`.
    pub to: Spanned<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SignedPart {
    Method,
    Path,
    /// As it stands behind the `?`.
    Query,
    Body,
    Header(String),
    Setting(Path),
    Text(String),
    /// The parameters sorted by name, each as a template of `name` and `value`, without some.
    Parameters {
        each: Template,
        without: Vec<Spanned<String>>,
    },
}

const KINDS: &[&str] = &["basic", "header", "query", "oauth", "password", "token"];

impl Reader<'_> {
    pub(in crate::describe) fn auth(&mut self, node: &Node) -> Auth {
        let mut auth = Auth { span: self.span(node), ..Auth::default() };
        let Some(mut block) = self.block(node, "`auth`") else { return auth };
        auth.send = block.get("send").map_or_else(Vec::new, |node| self.named_templates(node, "send", Place::Sent));
        auth.refresh = block.get("refresh").filter(|node| node.entries().is_some()).and_then(|node| self.refresh(node));
        auth.sign = block.get("sign").and_then(|node| self.sign(node));
        auth.clock = block.get("clock").and_then(|node| self.clock(node));
        auth.usual = block.get("as").and_then(|node| self.text(node, "as"));
        // A token of its own for some calls: read, and not carried out yet.
        block.get("scoped");
        if KINDS.iter().any(|kind| block.has(kind)) {
            auth.sign_ins.extend(self.sign_in(&mut block).map(|sign_in| (String::new(), sign_in)));
            self.close(&block);
            return auth;
        }
        if let Some(entry) = node.entries().unwrap_or_default().iter().find(|entry| entry.key.eq_ignore_ascii_case("bearer")) {
            self.found.push(error::bearer(self.key_span(entry)));
            return auth;
        }
        let known = ["send", "refresh", "sign", "clock", "as", "scoped"];
        for entry in block.all().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let Some(mut inner) = self.block(&entry.value, format!("the sign-in `{}`", entry.key)) else { continue };
            auth.sign_ins.extend(self.sign_in(&mut inner).map(|sign_in| (entry.key.clone(), sign_in)));
            self.close(&inner);
        }
        if auth.sign_ins.is_empty() {
            let why = "no sign-in is named: `basic`, `header`, `query`, `oauth`, `password` or `token`";
            self.found.push(error::needs_key("header", auth.span, "`auth`", why));
        }
        auth
    }

    fn sign_in(&mut self, block: &mut Block<'_>) -> Option<SignIn> {
        if let Some(node) = block.get("basic") {
            let mut inner = self.block(node, "`basic`")?;
            let name = self.need(&mut inner, "name", "a name goes before the password").and_then(|node| self.template(node, "name", Place::Auth));
            let password =
                self.need(&mut inner, "password", "a password goes behind the name").and_then(|node| self.template(node, "password", Place::Auth));
            self.close(&inner);
            return Some(SignIn::Basic { name: name?, password: password? });
        }
        if let Some(node) = block.get("header") {
            return Some(SignIn::Header(self.named_templates(node, "header", Place::Auth)));
        }
        if let Some(node) = block.get("query") {
            return Some(SignIn::Query(self.named_templates(node, "query", Place::Auth)));
        }
        if let Some(node) = block.get("oauth") {
            let grant = self.word(node, "oauth");
            let token =
                self.need(block, "token", "nothing says where the token is asked for").and_then(|node| self.template(node, "token", Place::Auth));
            let client = block.get("client").map_or(Some(Client::Basic), |node| self.word(node, "client"));
            let scope = block.get("scope").and_then(|node| self.template(node, "scope", Place::Auth));
            block.get("also");
            let client_id = self.credential(block, "client_id");
            let client_secret = self.credential(block, "client_secret");
            let why = "nothing says which token renews the first one";
            let refresh_token = match grant {
                Some(Grant::RefreshToken) => self.need(block, "refresh_token", why),
                _ => block.get("refresh_token"),
            };
            let refresh_token = refresh_token.and_then(|node| self.template(node, "refresh_token", Place::Auth));
            return Some(SignIn::OAuth {
                grant: grant?,
                token: token?,
                client: client?,
                scope,
                client_id: client_id?,
                client_secret: client_secret?,
                refresh_token,
            });
        }
        let call = block.get("password").or_else(|| block.get("token"));
        let call = call.and_then(|node| self.token_call(node));
        let again = block.get("again").and_then(|node| self.token_call(node));
        let keep = block.get("keep").and_then(|node| self.duration(node, "keep"));
        Some(SignIn::Token { call: call?, again, keep })
    }

    /// A part of the client's own credentials: as it is written, or the setting of its name.
    fn credential(&mut self, block: &mut Block<'_>, name: &'static str) -> Option<Template> {
        if !block.has(name) && self.settings.iter().any(|setting| setting == name) {
            block.get(name);
            return Template::read(&format!("{{setting.{name}}}"), block.span, &|_| Ok(())).ok();
        }
        let why = format!("there is no setting `{name}`, and nothing else says the client's own credentials");
        self.need(block, name, &why).and_then(|node| self.template(node, name, Place::Auth))
    }

    fn token_call(&mut self, node: &Node) -> Option<TokenCall> {
        let mut block = self.block(node, "the call for a token")?;
        let ask = self.needs_ask(&mut block, Place::Token);
        let token = self.need(&mut block, "token", "nothing says where the token stands in the answer").and_then(|node| self.path(node, "token"));
        let refresh = block.get("refresh").and_then(|node| self.path(node, "refresh"));
        let ends = block.get("ends").or_else(|| block.get("ends_in")).and_then(|node| self.measure(node, "ends"));
        let signed = block.get("signed").is_none_or(|node| self.flag(node, "signed"));
        self.close(&block);
        Some(TokenCall { request: ask?.request, token: token?, refresh, ends, signed })
    }

    fn refresh(&mut self, node: &Node) -> Option<Refresh> {
        let mut block = self.block(node, "`refresh`")?;
        let when = self
            .need(&mut block, "when", "nothing says which answers ask for a new token")
            .and_then(|node| self.condition(node, "when", Place::Answer));
        let times = block.get("times").and_then(|node| self.whole(node, "times")).unwrap_or(1);
        self.close(&block);
        Some(Refresh { when: when?, times })
    }

    fn clock(&mut self, node: &Node) -> Option<(SignedDuration, SignedDuration)> {
        let mut block = self.block(node, "`clock`")?;
        let back = block.get("back").and_then(|node| self.duration(node, "back"));
        let ahead = block.get("ahead").and_then(|node| self.duration(node, "ahead"));
        self.close(&block);
        Some((back?, ahead?))
    }

    fn sign(&mut self, node: &Node) -> Option<Sign> {
        let mut block = self.block(node, "`sign`")?;
        let hash = self.need(&mut block, "hmac", "nothing says which hash is used").and_then(|node| self.hash(node));
        let key = self.need(&mut block, "key", "nothing says what the key is").and_then(|node| self.template(node, "key", Place::Auth));
        let over = self.need(&mut block, "over", "nothing says what is signed").map_or_else(Vec::new, |node| self.signed_parts(node));
        let base64 = self.printed_as_base64(&mut block);
        let to = self.need(&mut block, "to", "nothing says where the signature goes").and_then(|node| self.text(node, "to"));
        self.close(&block);
        Some(Sign { hash: hash?, key: key?, over, base64, to: to? })
    }

    pub(in crate::describe) fn hash(&mut self, node: &Node) -> Option<Spanned<String>> {
        const HASHES: &[&str] = &["sha1", "sha256", "sha512"];
        let text = self.text(node, "hmac")?;
        if HASHES.contains(&text.node.as_str()) {
            return Some(text);
        }
        self.found.push(error::unknown_word(&text.node, text.span, "hmac", HASHES));
        None
    }

    pub(in crate::describe) fn printed_as_base64(&mut self, block: &mut Block<'_>) -> bool {
        match block.get("print").and_then(|node| self.text(node, "print")) {
            Some(text) if text.node == "base64" => true,
            Some(text) if text.node != "hex" => {
                self.found.push(error::unknown_word(&text.node, text.span, "print", &["hex", "base64"]));
                false
            }
            _ => false,
        }
    }

    pub(in crate::describe) fn signed_parts(&mut self, node: &Node) -> Vec<SignedPart> {
        let Shape::List(items) = &node.shape else {
            self.found.push(error::bad_form(self.span(node), "over", "a list of parts", node.noun()));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.signed_part(item)).collect()
    }

    fn signed_part(&mut self, node: &Node) -> Option<SignedPart> {
        if let Some(text) = node.get("text") {
            return self.text(text, "text").map(|text| SignedPart::Text(text.node));
        }
        if node.entries().is_some() {
            let mut block = self.block(node, "the signed parameters")?;
            if let Some(sorted) = block.get("parameters").and_then(|node| self.text(node, "parameters"))
                && sorted.node != "sorted"
            {
                self.found.push(error::unknown_word(&sorted.node, sorted.span, "parameters", &["sorted"]));
            }
            let each =
                self.need(&mut block, "as", "nothing says how a parameter is written").and_then(|node| self.template(node, "as", Place::Signature));
            let without = block.get("without").map_or_else(Vec::new, |node| self.texts(node, "without"));
            self.close(&block);
            return Some(SignedPart::Parameters { each: each?, without });
        }
        let text = self.text(node, "over")?;
        Some(match text.node.as_str() {
            "method" => SignedPart::Method,
            "path" => SignedPart::Path,
            "query" => SignedPart::Query,
            "body" => SignedPart::Body,
            name if name.starts_with("header.") => SignedPart::Header(name["header.".len()..].to_owned()),
            // A setting that there is not is told as anywhere.
            name if name.starts_with("setting.") => {
                self.formula(node, "over", Place::Auth)?;
                SignedPart::Setting(self.path(node, "over")?)
            }
            "url" => {
                self.note("what is signed", "url", text.span);
                return None;
            }
            name if name.starts_with("query.") => {
                self.note("what is signed", "query.", text.span);
                return None;
            }
            // What stands between parts; letters would be a part's name that is written wrong.
            sign if !sign.chars().any(char::is_alphanumeric) => SignedPart::Text(sign.to_owned()),
            other => {
                self.found.push(error::unknown_signed_part(other, text.span));
                return None;
            }
        })
    }
}
