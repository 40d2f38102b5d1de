//! What a description says of a system as a whole, and the order in which it is read.

use jiff::SignedDuration;

use super::{Answer, Auth, Errors, Hello, Limit, Named, Object, Webhooks};
use crate::base::diag::Diagnostic;
use crate::base::{Span, Spanned};
use crate::describe::error;
use crate::describe::read::Reader;
use crate::describe::text::{Filled, Path, Place, Scope, Template};
use crate::value::Json;
use crate::yaml::Node;

/// A system, as it is described.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    pub system: Spanned<String>,
    pub title: String,
    /// What connections of it are called where nothing else is said.
    pub connections: Vec<String>,
    pub specs: Vec<Spec>,
    pub settings: Vec<Setting>,
    /// Nothing is sent elsewhere.
    pub hosts: Vec<Template>,
    pub base: Template,
    /// The path of GraphQL, behind the base.
    pub graphql: Option<Spanned<String>>,
    pub headers: Vec<(Spanned<String>, Filled)>,
    pub auth: Auth,
    /// What a first call brings, by its name.
    pub session: Vec<Spanned<String>>,
    pub time: TimeForm,
    pub limits: Vec<Limit>,
    pub answers: Vec<Answer>,
    pub error: Errors,
    /// Names for paths of an answer.
    pub lets: Vec<(Spanned<String>, Path)>,
    pub objects: Vec<Object>,
    pub names: Vec<Named>,
    pub webhooks: Option<Webhooks>,
    pub hello: Option<Hello>,
    pub hooks: Vec<Hook>,
    /// Where the text says `[K]`: what somebody still has to confirm.
    pub assumed: Vec<Spanned<String>>,
    /// Where it could not be read. What rests on that is not held to the rules: one cause is told once.
    pub broken: Vec<Span>,
    /// What it says and the connector does not carry out.
    pub unsupported: Vec<Diagnostic>,
}

impl Described {
    /// The settings' values, as far as they are given or have a default, without holding them to what the description asks of them.
    pub fn values(&self, given: &dyn Fn(&str) -> Option<String>) -> Json {
        let value = |setting: &Setting| {
            let name = setting.name.node.as_str();
            let given = given(name).map(|given| given.trim().to_owned()).filter(|given| !given.is_empty()).or_else(|| setting.default.clone())?;
            let value = setting.values.iter().find(|(word, _)| *word == given).map_or(given.as_str(), |(_, value)| value.as_str());
            Some((name.to_owned(), Json::from(value)))
        };
        Json::Object(self.settings.iter().filter_map(value).collect())
    }

    /// The system's own address; none where a setting in it has no value.
    pub fn address(&self, values: &Json) -> Option<String> {
        self.base.text(&Scope::at(jiff::Timestamp::UNIX_EPOCH).with("setting", values)).ok().flatten()
    }
}

/// The vendor's own file.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub form: SpecForm,
    pub file: Spanned<String>,
    /// What stands before each of its paths, and is in the base here.
    pub prefix: Option<String>,
    /// What stands before each of its paths, and is not in the file.
    pub base: Option<String>,
    pub corrections: Option<Spanned<String>>,
    /// GraphQL that the file lacks.
    pub extra: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecForm {
    OpenApi,
    GraphQl,
    /// The vendor's own form.
    Portal,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub name: Spanned<String>,
    pub secret: bool,
    pub optional: bool,
    pub kind: SettingKind,
    /// A regular expression that the whole text matches.
    pub pattern: Option<Spanned<String>>,
    /// Words, and what each stands for.
    pub values: Vec<(String, String)>,
    pub default: Option<String>,
    pub example: Option<String>,
    /// Several, separated.
    pub list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    Text,
    /// A whole number within bounds.
    Integer {
        from: u64,
        to: u64,
    },
}

/// How instants are written.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeForm {
    pub zone: Zone,
    /// A strftime pattern, or `unix s`; absent: RFC 3339.
    pub print: Option<Spanned<String>>,
    /// The smallest step.
    pub grain: SignedDuration,
    /// Whether a lower bound belongs to what is given is not known: it is asked for one grain earlier.
    pub bound_unknown: bool,
    /// Instants of its records without an offset are in this zone.
    pub without_offset: Option<Spanned<String>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Zone {
    Utc,
    /// The clock on a wall of this zone: without an offset.
    WallClock(Spanned<String>),
}

/// A Rust function that the description names.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    pub name: Spanned<String>,
    pub why: Option<String>,
}

impl Described {
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name.node == name)
    }

    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name.node == name)
    }
}

impl Reader<'_> {
    pub(in crate::describe) fn described(&mut self, node: &Node) -> Option<Described> {
        let mut block = self.block(node, "the description")?;
        let system = self.need(&mut block, "system", "it is known by its name").and_then(|node| self.text(node, "system"));
        let title = block.get("title").and_then(|node| self.text(node, "title")).map(|text| text.node);
        if let Some(edition) = block.get("edition").and_then(|node| Some((self.whole(node, "edition")?, self.span(node))))
            && edition.0 != 1
        {
            self.found.push(error::bad_value(edition.1, format!("edition {} is not known", edition.0), "write `edition: 1`"));
        }
        let connections = block.get("connections").map_or_else(Vec::new, |node| self.texts(node, "connections"));
        let specs = block.get("specs").and_then(Node::elements).unwrap_or_default().iter().filter_map(|node| self.spec(node)).collect();
        let settings: Vec<Setting> =
            block.get("settings").and_then(Node::entries).unwrap_or_default().iter().filter_map(|entry| self.setting(entry)).collect();
        self.settings = settings.iter().map(|setting| setting.name.node.clone()).collect();
        let lets = block.get("let").and_then(Node::entries).unwrap_or_default();
        let lets: Vec<_> =
            lets.iter().filter_map(|entry| Some((Spanned::new(entry.key.clone(), self.key_span(entry)), self.path(&entry.value, "let")?))).collect();
        self.given.extend(lets.iter().map(|(name, _)| name.node.clone()));
        let hosts = self.need(&mut block, "hosts", "nothing is sent to a host that is not named");
        if let Some(node) = hosts.filter(|node| node.elements().is_none()) {
            let said = error::bad_form(self.span(node), "hosts", "a list of names", node.noun());
            self.found.push(said.help(format!("write `hosts: [\"{}\"]`", node.text().unwrap_or("api.shop.example").trim_start_matches("https://"))));
        }
        if let Some(node) = hosts.filter(|node| node.elements().is_some_and(<[Node]>::is_empty)) {
            let why = "nothing is sent to a host that is not named";
            self.found.push(error::none_named("hosts", self.span(node), why, "name the host of `base`: `hosts: [\"api.shop.example\"]`"));
        }
        let hosts =
            hosts.and_then(Node::elements).unwrap_or_default().iter().filter_map(|node| self.template(node, "hosts", Place::Everywhere)).collect();
        let base = self.need(&mut block, "base", "nothing says where the system is").and_then(|node| self.template(node, "base", Place::Everywhere));
        let graphql = block.get("graphql").and_then(|node| self.text(node, "graphql"));
        let headers = block.get("headers").map_or_else(Vec::new, |node| self.templates(node, "headers", Place::Everywhere));
        let auth = self.need(&mut block, "auth", "nothing says how it is signed in").map(|node| self.auth(node)).unwrap_or_default();
        // A first call of a session: its parts are read, and it is not carried out yet.
        let session = block.get("session").and_then(Node::entries).unwrap_or_default();
        let session = session.iter().map(|entry| Spanned::new(entry.key.clone(), self.key_span(entry))).collect();
        let time = block.get("time").and_then(|node| self.time(node)).unwrap_or_else(TimeForm::usual);
        let limits = block.get("limits").map_or_else(Vec::new, |node| self.limits(node));
        let answers = block.get("answers").map_or_else(Vec::new, |node| self.answers(node));
        let error = block.get("error").map(|node| self.errors(node)).unwrap_or_default();
        let objects = self.need(&mut block, "objects", "nothing is read or written").map_or_else(Vec::new, |node| self.objects(node));
        let names = block.get("names").map_or_else(Vec::new, |node| self.names(node));
        let webhooks = block.get("webhooks").and_then(|node| self.webhooks(node));
        let hello = block.get("hello").and_then(|node| self.hello(node));
        let hooks = block.get("hooks").and_then(Node::elements).unwrap_or_default().iter().filter_map(|node| self.hook(node)).collect();
        // What the notation cannot say of the system: for people.
        block.get("cannot_say");
        // Where its sandbox answers: of the manifest.
        block.get("sandbox");
        self.close(&block);
        let system = system?;
        let title = title.unwrap_or_else(|| system.node.clone());
        let connections = if connections.is_empty() { vec![system.node.clone()] } else { connections.into_iter().map(|name| name.node).collect() };
        let assumed = self.assumed();
        Some(Described {
            system,
            title,
            connections,
            specs,
            settings,
            hosts,
            base: base?,
            graphql,
            headers,
            auth,
            session,
            time,
            limits,
            answers,
            error,
            lets,
            objects,
            names,
            webhooks,
            hello,
            hooks,
            assumed,
            broken: self.found.iter().map(|fault| fault.primary.span).collect(),
            unsupported: std::mem::take(&mut self.unsupported),
        })
    }

    fn spec(&mut self, node: &Node) -> Option<Spec> {
        let mut block = self.block(node, "a file of the vendor")?;
        block.get("note");
        let forms = [("openapi", SpecForm::OpenApi), ("graphql", SpecForm::GraphQl), ("portal", SpecForm::Portal)];
        let found = forms.into_iter().find_map(|(key, form)| Some((form, block.get(key)?)));
        let mut text = |reader: &mut Self, key| block.get(key).and_then(|node| reader.text(node, key));
        let (prefix, base) = (text(self, "prefix").map(|text| text.node), text(self, "base").map(|text| text.node));
        let (corrections, extra) = (text(self, "corrections"), text(self, "extra"));
        self.close(&block);
        let Some((form, file)) = found else {
            self.found.push(error::needs_key("openapi", block.span, "a file of the vendor", "no form is named: `openapi`, `graphql` or `portal`"));
            return None;
        };
        Some(Spec { form, file: self.text(file, "the file")?, prefix, base, corrections, extra })
    }

    fn setting(&mut self, entry: &crate::yaml::Entry) -> Option<Setting> {
        let name = Spanned::new(entry.key.clone(), self.key_span(entry));
        let mut block = self.block(&entry.value, format!("the setting `{}`", entry.key))?;
        let mut flag = |reader: &mut Self, key| block.get(key).is_some_and(|node| reader.flag(node, key));
        let (secret, optional, list) = (flag(self, "secret"), flag(self, "optional"), flag(self, "list"));
        let whole = |reader: &mut Self, block: &mut crate::describe::read::Block<'_>, key| block.get(key).and_then(|node| reader.whole(node, key));
        let (from, to) = (whole(self, &mut block, "from"), whole(self, &mut block, "to"));
        let kind = match block.get("type").and_then(|node| self.text(node, "type")) {
            Some(text) if text.node == "integer" => SettingKind::Integer { from: from.unwrap_or(0), to: to.unwrap_or(u64::MAX) },
            Some(text) if text.node != "text" => {
                self.found.push(error::unknown_word(&text.node, text.span, "type", &["text", "integer"]));
                SettingKind::Text
            }
            _ => SettingKind::Text,
        };
        let pattern = block.get("pattern").and_then(|node| self.pattern(node, "pattern"));
        let values = block.get("values").map_or_else(Vec::new, |node| match node.entries() {
            Some(entries) => entries.iter().filter_map(|entry| Some((entry.key.clone(), self.text(&entry.value, "values")?.node))).collect(),
            None => self.texts(node, "values").into_iter().map(|text| (text.node.clone(), text.node)).collect(),
        });
        let mut text = |reader: &mut Self, key| block.get(key).and_then(|node| reader.text(node, key)).map(|text| text.node);
        let (default, example) = (text(self, "default"), text(self, "example"));
        self.close(&block);
        if let (Some(default), Some(node)) = (&default, entry.value.get("default")) {
            let takes = match kind {
                SettingKind::Integer { from, to } if default.parse::<u64>().is_ok_and(|number| (from..=to).contains(&number)) => None,
                SettingKind::Integer { from, to } => Some(format!("a whole number from {from} to {to}")),
                SettingKind::Text if !values.is_empty() && !values.iter().any(|(word, _)| word == default) => {
                    Some(format!("one of: {}", values.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ")))
                }
                SettingKind::Text => pattern.as_ref().and_then(|pattern| {
                    let whole = regex::Regex::new(&format!("^(?:{})$", pattern.node)).ok()?;
                    (!whole.is_match(default)).then(|| format!("what matches `{}`", pattern.node))
                }),
            };
            self.found.extend(takes.map(|takes| error::bad_default(&name.node, default, self.span(node), &takes)));
        }
        Some(Setting { name, secret, optional, kind, pattern, values, default, example, list })
    }

    fn time(&mut self, node: &Node) -> Option<TimeForm> {
        let mut block = self.block(node, "`time`")?;
        let usual = TimeForm::usual();
        let zone = match (block.get("wall_clock"), block.get("zone")) {
            (Some(node), _) => self.zone_name(node).map(Zone::WallClock),
            (None, Some(node)) if node.text() == Some("UTC") => Some(Zone::Utc),
            (None, Some(node)) => self.zone_name(node).map(Zone::WallClock),
            (None, None) => Some(Zone::Utc),
        };
        let print = block.get("print").and_then(|node| self.text(node, "print"));
        let grain = block.get("grain").and_then(|node| self.duration(node, "grain")).unwrap_or(usual.grain);
        let bound_unknown = block.get("bound").is_some_and(|node| match self.text(node, "bound") {
            Some(text) if text.node == "unknown" => true,
            Some(text) => {
                self.found.push(error::unknown_word(&text.node, text.span, "bound", &["unknown"]));
                false
            }
            None => false,
        });
        let without_offset = block.get("without_offset").and_then(|node| self.zone_name(node));
        self.close(&block);
        Some(TimeForm { zone: zone?, print, grain, bound_unknown, without_offset })
    }

    fn zone_name(&mut self, node: &Node) -> Option<Spanned<String>> {
        let text = self.text(node, "the zone")?;
        if crate::builtin::is_zone(&text.node) {
            return Some(text);
        }
        self.found.push(error::bad_value(text.span, format!("`{}` is no time zone", text.node), "write its name: `America/Los_Angeles`, or `UTC`"));
        None
    }

    fn hook(&mut self, node: &Node) -> Option<Hook> {
        let mut block = self.block(node, "a hook")?;
        let name = self.need(&mut block, "name", "it is known by its name").and_then(|node| self.text(node, "name"));
        let why = block.get("why").and_then(|node| self.text(node, "why")).map(|text| text.node);
        block.get("lines");
        self.close(&block);
        Some(Hook { name: name?, why })
    }

    /// The lines that say `[K]`.
    fn assumed(&self) -> Vec<Spanned<String>> {
        let mut at = 0;
        let mut found = Vec::new();
        // The comment at the head of the file says what the marks mean.
        let mut is_head = true;
        for line in self.text.split_inclusive('\n') {
            is_head &= line.trim().is_empty() || line.trim_start().starts_with('#');
            if is_head {
                at += line.len();
                continue;
            }
            if let Some(mark) = line.find("[K]") {
                let said = line.find('#').filter(|hash| *hash < mark).map_or(line, |hash| &line[hash + 1..]);
                found.push(Spanned::new(said.trim().to_owned(), Span::new(self.file, at + mark, at + mark + "[K]".len())));
            }
            at += line.len();
        }
        found
    }
}

impl TimeForm {
    /// RFC 3339 in UTC, by the second.
    pub fn usual() -> Self {
        TimeForm { zone: Zone::Utc, print: None, grain: SignedDuration::from_secs(1), bound_unknown: false, without_offset: None }
    }
}
