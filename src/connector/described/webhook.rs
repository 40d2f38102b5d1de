//! Webhooks: who sent one, and which records it is about. Nothing of its content is taken: a record is read anew.

use std::collections::BTreeMap;

use crate::connector::{Hint, WebhookRefusal, WebhookReply, WebhookRequest};
use crate::describe::Path;
use crate::describe::model::{Hint as Described, HintBy, IdForm, Object, Pointer, SignedPart, Verify, Webhooks};
use crate::http::Secret;
use crate::http::sign::{Digest, Hmac, Part, Print};
use crate::http::verify::Verification;
use crate::value::Json;

use super::open::Link;
use super::view;
use super::whole::is_id;

/// The longest body that is read, in bytes.
const LONGEST: usize = 512 << 10;

impl Link {
    /// What a webhook says has changed.
    ///
    /// # Errors
    /// It is not this system's, points elsewhere, or nothing proves its sender.
    pub(super) fn hints(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        request.posted()?;
        let Some(webhooks) = &self.of.webhooks else {
            return Err(WebhookRefusal::Malformed(format!("{} sends no webhooks", self.of.title)));
        };
        if request.body.len() > LONGEST {
            return Err(WebhookRefusal::Malformed(format!("it is longer than {LONGEST} bytes")));
        }
        self.verified(webhooks, request)?;
        let text = std::str::from_utf8(request.body).map_err(|_| "it is no text")?;
        let event = webhooks.event.as_ref().and_then(|event| view::text_at(text, event));
        let event = event.ok_or_else(|| format!("it has no `{}`", webhooks.event.as_ref().map_or_else(String::new, ToString::to_string)))?;
        for (path, setting) in &webhooks.owner {
            let own = self.scope().get(setting).map(|own| crate::describe::printed(&own));
            if view::text_at(text, path) != own {
                return Err(WebhookRefusal::Malformed(format!("its `{path}` is not that of this connection")));
            }
        }
        let mut hints = webhooks.hints.iter().filter(|hint| hint.event.node == event).peekable();
        if hints.peek().is_none() {
            return Err(WebhookRefusal::Malformed(format!("nothing is known of the event `{event}`")));
        }
        let mut found = Vec::new();
        for hint in hints {
            let object = self.of.object(&hint.object.node).ok_or("its object is not described")?;
            found.extend(self.pointed(webhooks, hint, object, text)?);
        }
        Ok(WebhookReply::Hints(found))
    }

    /// What proves the sender.
    fn verified(&self, webhooks: &Webhooks, request: &WebhookRequest<'_>) -> Result<(), WebhookRefusal> {
        let scope = self.scope();
        // A setting may hold several: each webhook has a secret of its own, and an old one is good until the new one is known to both.
        let secrets = |template: &crate::describe::Template| {
            let value = template.fill(&scope).ok().flatten();
            let texts: Vec<Json> = match value {
                Some(Json::Array(values)) => values,
                value => value.into_iter().collect(),
            };
            let found: Vec<Secret> = texts.iter().map(crate::describe::printed).filter(|text| !text.is_empty()).map(Secret::new).collect();
            if found.is_empty() { Err(WebhookRefusal::Unverified("the connection has no secret to verify it by".to_owned())) } else { Ok(found) }
        };
        let named = |name: &str| name.parse().map_err(|_| WebhookRefusal::Unverified(format!("`{name}` is no header")));
        let verifications: Vec<Verification> = match &webhooks.verify {
            // Nothing of it is believed: it only says where to look.
            Verify::None | Verify::FetchedKey => return Ok(()),
            Verify::Shared { header, secret: given } => {
                let header: http::HeaderName = named(header)?;
                secrets(given)?.into_iter().map(|secret| Verification::Shared { header: header.clone(), secret }).collect()
            }
            Verify::Hmac { hash, key, over, base64, header } => {
                let digest = match hash.node.as_str() {
                    "sha1" => Digest::Sha1,
                    "sha512" => Digest::Sha512,
                    _ => Digest::Sha256,
                };
                let mut parts = Vec::new();
                for part in over {
                    parts.push(match part {
                        SignedPart::Method => Part::Method,
                        SignedPart::Path => Part::Path,
                        SignedPart::Query => Part::Query,
                        SignedPart::Body => Part::Body,
                        SignedPart::Header(name) => Part::Header(named(name)?),
                        SignedPart::Setting(path) => {
                            Part::Secret(Secret::new(scope.get(path).map(|value| crate::describe::printed(&value)).unwrap_or_default()))
                        }
                        SignedPart::Text(text) => Part::Text(text.clone()),
                        SignedPart::Parameters { without, .. } => {
                            Part::SortedParameters { without: without.iter().map(|name| name.node.clone()).collect() }
                        }
                    });
                }
                let header: http::HeaderName = named(header)?;
                let print = if *base64 { Print::Base64 } else { Print::Hex };
                let signed = |key| {
                    let hmac = Hmac { digest, key, over: parts.clone(), print };
                    Verification::Signature { header: header.clone(), prefix: String::new(), hmac }
                };
                secrets(key)?.into_iter().map(signed).collect()
            }
        };
        let message = request.message();
        let mut checked = verifications.iter().map(|verification| verification.check(&message));
        let mut refused = match checked.next() {
            Some(Err(refused)) => refused,
            _ => return Ok(()),
        };
        for check in checked {
            match check {
                Ok(()) => return Ok(()),
                Err(other) => refused = other,
            }
        }
        Err(refused.into())
    }

    /// The records that an event names.
    fn pointed(&self, webhooks: &Webhooks, hint: &Described, object: &Object, text: &str) -> Result<Vec<Hint>, WebhookRefusal> {
        let made = |name: String, value: String| Hint { event: hint.event.node.clone(), parameters: BTreeMap::from([(name, value)]) };
        if let Some(pointer) = &webhooks.pointer {
            let parameters = self.taken_apart(pointer, text)?;
            if let HintBy::Id(path) = &hint.by {
                let id = parameters.get(&path.to_string()).filter(|id| is_id(&object.id, id));
                let id = id.ok_or_else(|| format!("its `{}` names no {}", pointer.url, object.name.node))?;
                return Ok(vec![made(id_name(object), id.clone())]);
            }
            return Err("what it points to is not supported yet".into());
        }
        let places = match &hint.each {
            Some(each) => view::records(text, Some(each)).ok_or_else(|| format!("it has no `{each}`"))?,
            None => vec![text],
        };
        let value = |place: &str, path: &Path| view::text_at(place, path).ok_or_else(|| format!("it has no `{path}`"));
        places
            .into_iter()
            .map(|place| match &hint.by {
                HintBy::Id(path) => {
                    let id = value(place, path)?;
                    if is_id(&object.id, &id) { Ok(made(id_name(object), id)) } else { Err(format!("its `{path}` is no id").into()) }
                }
                HintBy::Find { field, value: path } => Ok(made(field.node.clone(), value(place, path)?)),
                HintBy::Call(_) => Err("what it points to is not supported yet".into()),
            })
            .collect()
    }

    /// Takes a URL apart that is never fetched: the values of the names in its path.
    fn taken_apart(&self, pointer: &Pointer, text: &str) -> Result<BTreeMap<String, String>, WebhookRefusal> {
        let url = view::text_at(text, &pointer.url).ok_or_else(|| format!("it has no `{}`", pointer.url))?;
        let elsewhere = || WebhookRefusal::Malformed(format!("its `{}` does not point to where this connection's records are", pointer.url));
        let mut rest = url.strip_prefix(self.base.as_str().trim_end_matches('/')).ok_or_else(elsewhere)?;
        let path = pointer.path.as_ref().ok_or_else(elsewhere)?;
        let mut found = BTreeMap::new();
        let mut form = path.node.as_str();
        while let Some((before, behind)) = form.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or_else(elsewhere)?;
            rest = rest.strip_prefix(before).ok_or_else(elsewhere)?;
            // A value is one piece of the path, of signs that are not encoded.
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(rest.len());
            found.insert(name.to_owned(), rest[..end].to_owned());
            (rest, form) = (&rest[end..], behind);
        }
        if rest == form { Ok(found) } else { Err(elsewhere()) }
    }
}

/// The name of a hint's parameter that holds a record's id.
pub(super) fn id_name(object: &Object) -> String {
    match &object.id.form {
        IdForm::At(path) => path.to_string(),
        IdForm::Of(_) => "id".to_owned(),
    }
}
