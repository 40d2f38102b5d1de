//! A connection of a described system: its settings held against what the description says of them, and its address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::sign_in::SignIns;
use crate::connector::registry::{Settings, Unusable};
use crate::describe::model::{Limit as Limited, Object, Setting, SettingKind};
use crate::describe::{Described, Known, Scope};
use crate::http::{Client, Clock, Limit, LimitKind as Kind, Rule, Transport, Window, address};
use crate::system;
use crate::value::Json;

/// What every part of the connector needs of its connection.
pub(super) struct Link {
    pub(super) of: Arc<Described>,
    pub(super) client: Client,
    /// The settings by name, as templates read them.
    pub(super) settings: Json,
    /// Where calls go, without a slash at the end.
    pub(super) base: Url,
    /// The description's own address, where another one is set: what stands there whole goes to the other one too.
    moved: bool,
    pub(super) sign_ins: SignIns,
    /// Of instants without an offset.
    pub(super) zone: TimeZone,
    /// When records were written last, by object and id: for a while lists may still show what was before.
    written: Mutex<BTreeMap<(String, String), Timestamp>>,
}

/// For how long a record that was written may be shown by lists as it was, at the most.
const LONGEST_LAG: SignedDuration = SignedDuration::from_mins(10);

impl Link {
    /// # Errors
    /// A setting is missing or cannot be used.
    pub(super) fn new(of: Arc<Described>, settings: &Settings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let values = values(&of, settings)?;
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
        let sign_ins = SignIns::new(&of, &values).map_err(|name| {
            let hint = format!("put it under `connections.{}` as the system shows it", settings.name);
            unusable(format!("has a `{name}` that no header can hold"), hint)
        })?;
        let zone = super::stamp::zone_of(&of);
        Ok(Link { of, client, settings: values, base, moved, sign_ins, zone, written: Mutex::default() })
    }

    /// What is provided at each place.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope::at(self.client.now()).with("setting", &self.settings)
    }

    /// Notes that a record is written now.
    pub(super) fn note_written(&self, object: &str, id: &str) {
        let now = self.client.now();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|_, at| now.duration_since(*at) < LONGEST_LAG);
        written.insert((object.to_owned(), id.to_owned()), now);
    }

    /// Whether a record was written so lately that a list may show it as it was.
    pub(super) fn is_just_written(&self, object: &Object, id: &str) -> bool {
        let lag = object.changes.iter().map(|stream| stream.overlap).max().unwrap_or_default().min(LONGEST_LAG);
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let at = written.get(&(object.name.node.clone(), id.to_owned()));
        at.is_some_and(|at| self.client.now().duration_since(*at) <= lag)
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

/// The description that a connection is opened with. One that has errors is not opened: what it says and is not carried out would be left
/// out, and what is wrong in it would be told by the system, call after call.
///
/// # Errors
/// There is none, or it has errors.
pub(super) fn usable<'k>(known: Option<&'k Known>, settings: &Settings) -> Result<&'k Arc<Described>, Unusable> {
    let system = &settings.system;
    let unusable = |message: String, hint: String| Unusable { connection: settings.name.clone(), message, hint };
    let known = known.ok_or_else(|| {
        let names: Vec<String> = system::names().iter().map(|name| format!("`{name}`")).collect();
        unusable(format!("is of the system `{system}`, which is not described"), format!("systems are: {}", names.join(", ")))
    })?;
    if let Some(error) = known.errors.first() {
        let help = error.help.first().map(|help| format!("; {}", help.text)).unwrap_or_default();
        let more = if known.errors.len() > 1 { format!(" ({} more errors)", known.errors.len() - 1) } else { String::new() };
        let hint = format!("`crossdock system check {system}` shows each with its place; `crossdock explain {}`{help}", error.code);
        return Err(unusable(format!("is of the system `{system}`, whose description has an error: {}{more}", error.message), hint));
    }
    known.described.as_ref().ok_or_else(|| unusable(format!("is of the system `{system}`, whose description is empty"), String::new()))
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
            Some(Rule { operation: None, kind: Kind::Credits { most: whole(credits.most), refill: each(credits.each_second as f64) } })
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

    fn settings() -> Settings {
        Settings { name: "shop".into(), system: "tiktok-shop".into(), options: std::collections::BTreeMap::new() }
    }

    /// What would be left out in silence is not opened at all, and the refusal says what it is.
    #[test]
    fn a_description_with_an_error_is_not_opened() {
        let signed = Known::of(include_str!("../../../tests/corpus/descriptions/tiktok-shop.yaml"));
        let refused = usable(Some(&signed), &settings()).unwrap_err();
        assert!(refused.message.contains("`portal` is not supported: ") && refused.message.contains(" more errors)"), "{refused:?}");
        assert!(refused.hint.contains("crossdock explain E0619"), "{refused:?}");
        for draft in
            [include_str!("../../../tests/corpus/descriptions/shipstation.yaml"), include_str!("../../../tests/corpus/descriptions/ebay.yaml")]
        {
            assert!(usable(Some(&Known::of(draft)), &settings()).is_err());
        }
        let unread = usable(Some(&Known::of("system: [a]")), &settings()).unwrap_err();
        assert!(unread.message.contains("whose description has an error"), "{unread:?}");
        let none = usable(None, &settings()).unwrap_err();
        assert!(none.hint.contains("`shipstation-v2`"), "{none:?}");
        let v2 = crate::describe::known("shipstation-v2");
        assert!(usable(v2, &settings()).is_ok());
    }
}
