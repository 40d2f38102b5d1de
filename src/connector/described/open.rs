//! A connection of a described system: its settings held against what the description says of them, and its address.

use std::sync::Arc;

use http::HeaderValue;
use jiff::SignedDuration;
use url::Url;

use super::sign_in::SignIns;
use crate::connector::registry::{Settings, Unusable};
use crate::describe::model::{Limit as Limited, Object, Setting, SettingKind, Stream};
use crate::describe::{Described, Scope};
use crate::http::{Client, Clock, Limit, LimitKind as Kind, Rule, Transport, Window, address};
use crate::system;
use crate::value::Json;

/// What every part of the connector needs of its connection.
pub(super) struct Link {
    pub(super) of: &'static Described,
    pub(super) client: Client,
    /// The settings by name, as templates read them.
    pub(super) settings: Json,
    /// Where calls go, without a slash at the end.
    pub(super) base: Url,
    /// The description's own address, where another one is set: what stands there whole goes to the other one too.
    moved: bool,
    pub(super) sign_ins: SignIns,
}

impl Link {
    /// # Errors
    /// A setting is missing or cannot be used.
    pub(super) fn new(of: &'static Described, settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        if let Some(what) = not_yet(of) {
            return Err(Unusable {
                connection: settings.name.clone(),
                message: format!("is of the system `{}`, whose description needs {what}, which is not carried out yet", of.system.node),
                hint: "use another system, or a program version that carries it out".to_owned(),
            });
        }
        let values = values(of, settings)?;
        let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("setting", &values);
        let own = of.base.text(&scope).ok().flatten().unwrap_or_default();
        let given = settings.get(system::URL).map(str::trim);
        let unusable = |message: String, hint: String| Unusable { connection: settings.name.clone(), message, hint };
        let base = address(given.unwrap_or(&own)).map_err(|why| {
            let hint = format!("leave `url` out, or put `{own}` under `connections.{}`", settings.name);
            unusable(format!("has a `url` that {why}"), hint)
        })?;
        let hosts: Vec<String> = of.hosts.iter().filter_map(|host| host.text(&scope).ok().flatten()).collect();
        let host = base.host_str().unwrap_or_default();
        let moved = given.is_some_and(|given| given.trim_end_matches('/') != own.trim_end_matches('/'));
        if !moved && !hosts.iter().any(|known| known == host) {
            let hint = format!("hosts of {} are: {}", of.title, hosts.join(", "));
            return Err(unusable(format!("would send to `{host}`, which is no host of {}", of.title), hint));
        }
        let client = Client::new(transport, clock, Arc::new(limit(&of.limits)));
        let sign_ins = SignIns::new(of, &values).map_err(|name| {
            let hint = format!("put it under `connections.{}` as the system shows it", settings.name);
            unusable(format!("has a `{name}` that no header can hold"), hint)
        })?;
        Ok(Link { of, client, settings: values, base, moved, sign_ins })
    }

    /// What is provided at each place.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope::at(self.client.now()).with("setting", &self.settings)
    }

    /// The whole address of a path, or of an address of the description; none where that is no host of the system.
    pub(super) fn address(&self, path: &str) -> Option<String> {
        let base = self.base.as_str().trim_end_matches('/');
        if path.starts_with('/') {
            return Some(format!("{base}{path}"));
        }
        let url = Url::parse(path).ok()?;
        if self.moved {
            // The sandbox stands for all hosts of its system.
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            return Some(format!("{base}{}{query}", url.path()));
        }
        let scope = self.scope();
        let known = self.of.hosts.iter().filter_map(|host| host.text(&scope).ok().flatten()).any(|host| url.host_str() == Some(host.as_str()));
        (known && url.scheme() == "https" && url.username().is_empty()).then(|| url.into())
    }

    pub(super) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }
}

/// What a description needs that would be left out in silence: its connection is not opened. Where a single call needs more than is
/// carried out, that call is refused.
fn not_yet(of: &Described) -> Option<&'static str> {
    let any_object = |has: &dyn Fn(&Object) -> bool| of.objects.iter().any(has);
    let any_stream = |has: &dyn Fn(&Stream) -> bool| any_object(&|object| object.changes.iter().any(has));
    let needs = [
        (of.auth.sign.is_some(), "signed requests (`sign`)"),
        (!of.session.is_empty(), "a first call of each session (`session`)"),
        (any_object(&|object| !object.derive.is_empty()), "derived fields (`derive`)"),
        (any_stream(&|stream| !stream.shaped.is_empty()), "records of another list in its form (`as`)"),
        (any_stream(&|stream| stream.each.is_some()), "lists of lists (`each`)"),
        (any_object(&|object| object.writes.iter().any(|write| write.replaces.is_some())), "records that are replaced whole (`replaces`)"),
        (any_object(&|object| !object.included.is_empty()), "fields that are asked for only where they are read (`included`)"),
    ];
    needs.into_iter().find(|(needed, _)| *needed).map(|(_, what)| what)
}

/// The calls that the system takes from one credential. A refusal without a time is waited for longer each time, whether or not the
/// description says so.
fn limit(limits: &[Limited]) -> Limit {
    let whole = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let each = |rate: f64| SignedDuration::from_secs_f64((1.0 / rate).clamp(0.000_001, 86_400.0));
    let rule = |limit: &Limited| match limit {
        Limited::Window { calls, length, .. } => Some(Rule { operation: None, kind: Kind::Window(Window { calls: whole(*calls), length: *length }) }),
        Limited::Daily { calls } => {
            Some(Rule { operation: None, kind: Kind::Window(Window { calls: whole(*calls), length: SignedDuration::from_hours(24) }) })
        }
        Limited::Bucket { rate, burst, of, .. } if *rate > 0.0 => {
            // What holds for each operation by itself holds for all together, at the least.
            let operation = of.as_ref().filter(|of| of.node != "operation").map(|of| of.node.clone());
            Some(Rule { operation, kind: Kind::Bucket { burst: whole(*burst), refill: each(*rate) } })
        }
        Limited::Credits(credits) if credits.each_second > 0 => {
            Some(Rule { operation: None, kind: Kind::Bucket { burst: whole(credits.most), refill: each(credits.each_second as f64) } })
        }
        Limited::Bucket { .. } | Limited::Credits(_) | Limited::AtOnce { .. } | Limited::Blind => None,
    };
    let at_once = limits.iter().find_map(|limit| if let Limited::AtOnce { calls } = limit { Some(whole(*calls)) } else { None });
    Limit::of(limits.iter().filter_map(rule).collect(), at_once)
}

/// The settings' values, held against the description.
fn values(of: &Described, settings: &Settings) -> Result<Json, Unusable> {
    let mut values = serde_json::Map::new();
    for setting in &of.settings {
        let name = setting.name.node.as_str();
        let given = match settings.get(name).map(str::trim).filter(|text| !text.is_empty()).or(setting.default.as_deref()) {
            Some(given) => given,
            None if setting.optional => continue,
            None if settings.get(name).is_some() => return Err(unusable(settings, setting, None)),
            None => return Err(settings.need(name).err().unwrap_or_else(|| unusable(settings, setting, None))),
        };
        let value = value(setting, given).ok_or_else(|| unusable(settings, setting, Some(given)))?;
        values.insert(name.to_owned(), value);
    }
    Ok(Json::Object(values))
}

/// A setting's value; none where its text is none.
fn value(setting: &Setting, given: &str) -> Option<Json> {
    if let Some(pattern) = &setting.pattern
        && !regex::Regex::new(&format!("^(?:{})$", pattern.node)).is_ok_and(|pattern| pattern.is_match(given))
    {
        return None;
    }
    if !setting.values.is_empty() {
        return setting.values.iter().find(|(word, _)| word == given).map(|(_, value)| Json::from(value.as_str()));
    }
    if setting.list {
        return Some(given.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()).map(Json::from).collect());
    }
    match setting.kind {
        SettingKind::Integer { from, to } => given.parse::<u64>().ok().filter(|number| (from..=to).contains(number)).map(Json::from),
        // Whatever it is used for: a sign that no header takes is none of a key, a name or an id.
        SettingKind::Text => HeaderValue::from_str(given).is_ok().then(|| Json::from(given)),
    }
}

/// A setting's text is not repeated where it is a secret.
fn unusable(settings: &Settings, setting: &Setting, given: Option<&str>) -> Unusable {
    let name = &setting.name.node;
    let message = match given.filter(|_| !setting.secret) {
        Some(given) => format!("has `{name}: {given}`"),
        None => format!("has a `{name}` that cannot be used"),
    };
    let hint = match (&setting.kind, setting.values.is_empty()) {
        (SettingKind::Integer { from, to }, _) => format!("put a whole number from {from} to {to}"),
        (_, false) => format!("put one of: {}", setting.values.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ")),
        _ => match &setting.example {
            Some(example) => format!("write it as `{example}`"),
            None => format!("put it under `connections.{}` as the system shows it", settings.name),
        },
    };
    Unusable { connection: settings.name.clone(), message, hint }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use crate::base::FileId;

    /// What would be left out in silence is not opened at all.
    #[test]
    fn a_description_that_needs_more_is_not_opened() {
        let read = |text: &str| crate::describe::read(FileId::default(), text).0.unwrap();
        assert_eq!(not_yet(&read(include_str!("../../../tests/corpus/descriptions/shiphero.yaml"))), None);
        assert_eq!(not_yet(&read(include_str!("../../../systems/commercetools/system.yaml"))), None);
        let signed = not_yet(&read(include_str!("../../../tests/corpus/descriptions/tiktok-shop.yaml")));
        assert_eq!(signed, Some("signed requests (`sign`)"));
        assert!(not_yet(&read(include_str!("../../../tests/corpus/descriptions/shipstation.yaml"))).is_some());
        assert!(not_yet(&read(include_str!("../../../tests/corpus/descriptions/ebay.yaml"))).is_some());
    }
}
