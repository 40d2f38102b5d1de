//! The manifest of a system that is described (`systems/<system>/system.yaml`): it follows from the description, so that nothing is
//! said twice. The description as a whole is read by `describe`; here only what is known before anything is asked of the system.

use indexmap::IndexMap;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value as Json;

use super::manifest::{Kind, Manifest, Sandbox, Search, Setting};
use super::probed::{Probed, fingerprint};
use super::write::{Claims, Guarantee, Means, Operation, WriteRule};

/// The setting that names another address than the system's own: its sandbox.
pub const URL: &str = "url";

#[derive(Deserialize)]
struct Text {
    system: String,
    title: Option<String>,
    #[serde(default)]
    connections: Vec<String>,
    #[serde(default)]
    settings: IndexMap<String, Option<SettingText>>,
    base: String,
    #[serde(default)]
    webhooks: Json,
    #[serde(default)]
    objects: IndexMap<String, Json>,
    sandbox: Option<Sandbox>,
}

#[derive(Deserialize, Default)]
struct SettingText {
    #[serde(default)]
    secret: bool,
    #[serde(default)]
    optional: bool,
    #[serde(rename = "type", default)]
    kind: String,
    default: Option<Json>,
    example: Option<String>,
}

impl Manifest {
    /// The manifest of a system that comes with the program.
    ///
    /// # Errors
    /// It is no description. What is wrong with it in particular is told by `describe`.
    pub fn of_description(description: Json) -> Result<Self, String> {
        Self::held(description, &|_, _| None)
    }

    /// The manifest of a system that a project describes, for a connection. What it says of a write counts where a probe has seen it
    /// at the connection's host; without that, nobody knows what the system does with a write that is sent twice, and a person decides.
    ///
    /// # Errors
    /// As [`Manifest::of_description`].
    pub fn of_own(description: Json, probed: Option<&Probed>, host: Option<&str>) -> Result<Self, String> {
        let unseen = |write: &DescribedWrite, said: &Json| {
            let seen = probed.map(|probed| probed.seen_at(&write.object, &write.name, &fingerprint(said, &write.name))).unwrap_or_default();
            let here = host.is_some_and(|host| seen.contains(&host));
            let elsewhere = seen.into_iter().map(str::to_owned).collect();
            (!here).then(|| Claims { guarantee: write.means.guarantee(), host: host.map(str::to_owned), elsewhere })
        };
        // What comes with the program has a sandbox with it, a project's own has none.
        Self::held(description, &unseen).map(|manifest| Manifest { sandbox: None, ..manifest })
    }

    /// `unseen`: what is said of a write, by its object's description, and does not count, since nobody has seen it.
    fn held(description: Json, unseen: &dyn Fn(&DescribedWrite, &Json) -> Option<Claims>) -> Result<Self, String> {
        let text: Text = serde_json::from_value(description).map_err(|error| error.to_string())?;
        let mut settings: IndexMap<String, Setting> = IndexMap::new();
        for (name, said) in &text.settings {
            let none = SettingText::default();
            let said = said.as_ref().unwrap_or(&none);
            let kind = if said.kind == "integer" { Kind::Number } else { Kind::Text };
            let default = said.default.as_ref().map(plain);
            let needed = !said.optional && default.is_none();
            settings.insert(name.clone(), Setting { kind, secret: said.secret, needed, default, example: said.example.clone() });
        }
        let base = filled(&text.base, &settings);
        let is_fixed = base == text.base;
        let (default, example) = if is_fixed { (Some(base), None) } else { (None, Some(base)) };
        settings.insert(URL.to_owned(), Setting { kind: Kind::Address, secret: false, needed: false, default, example });
        let rule = |said: &Json, write: DescribedWrite| {
            let rule = write.rule()?;
            let claims = unseen(&write, said).filter(|claims| claims.guarantee < Guarantee::Unprotected);
            let guarantee = if claims.is_some() { Guarantee::Unprotected } else { rule.guarantee };
            Some(WriteRule { guarantee, claims, ..rule })
        };
        let rules =
            text.objects.iter().flat_map(|(object, said)| writes(object, said, &text.objects).into_iter().filter_map(|write| rule(said, write)));
        let writes: Vec<WriteRule> = rules.collect();
        let longest = writes.iter().filter_map(|rule| rule.settle).max().unwrap_or_default();
        Ok(Manifest {
            title: text.title.unwrap_or_else(|| text.system.clone()),
            connections: if text.connections.is_empty() { vec![text.system.clone()] } else { text.connections },
            settings,
            limits: Vec::new(),
            hosts: Vec::new(),
            sign_in: Vec::new(),
            events: text.webhooks.get("hint").and_then(Json::as_object).map(|hints| hints.keys().cloned().collect()).unwrap_or_default(),
            filters: None,
            texts: super::Texts::Exactly,
            search: Search::Declared,
            data_classes: super::DataClasses::InSchema,
            currency: None,
            describe: None,
            settle_minutes: u32::try_from(longest.as_secs().unsigned_abs().div_ceil(60)).unwrap_or(u32::MAX),
            writes,
            sandbox: text.sandbox,
        })
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text with settings in braces, each as people write it.
fn filled(text: &str, settings: &IndexMap<String, Setting>) -> String {
    settings.iter().fold(text.to_owned(), |text, (name, setting)| text.replace(&format!("{{setting.{name}}}"), setting.written().unwrap_or(name)))
}

/// The length of time that a description writes: `30 s`, `5 minutes`, `1 ms`, `27 days`.
pub fn duration(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis: i64 = match unit.trim() {
        "ms" => 1,
        "s" | "second" | "seconds" => 1_000,
        "minute" | "minutes" => 60_000,
        "hour" | "hours" => 3_600_000,
        "day" | "days" => 86_400_000,
        _ => return None,
    };
    Some(SignedDuration::from_millis(number.parse::<i64>().ok()?.checked_mul(millis)?))
}

/// How long a request may still be carried out where a description does not say it: as long as is waited where nothing is known.
const SETTLE: SignedDuration = SignedDuration::from_mins(10);

/// A write as its description says it: from this its class and all else follow that it is held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedWrite {
    pub object: String,
    /// `create`, `create_without_key`
    pub name: String,
    pub means: Means,
    /// The fields of its key.
    pub key: Vec<String>,
    /// The field by which what was made is found.
    pub field: Option<String>,
    /// How long a request may still be carried out, where it is said.
    pub settle: Option<SignedDuration>,
    /// `POST /orders`, `mutation order_create`
    pub call: Option<String>,
    /// Items in one call.
    pub batch: u64,
    pub replaces: bool,
    /// Fields that are objects, and take the place of what is there.
    pub together: Vec<String>,
    /// Of a part of another object: the fields of an item that its actions read. It is written by the update of what it is part of.
    pub part: Option<Vec<String>>,
}

impl DescribedWrite {
    /// What the write is held to; none where its name is that of no operation.
    pub fn rule(&self) -> Option<WriteRule> {
        let operation = Operation::of_word(self.name.split('_').next()?)?;
        // An update is of a record whose id is known, whatever field it was found by. What is made is known by its key: a flow with
        // another key would be looked for by a field that does not have it.
        let (key_fields, keyless) = match self.means {
            _ if operation == Operation::Update => (Vec::new(), true),
            Means::Mark => (self.field.iter().chain(self.key.iter().filter(|_| self.field.is_none())).cloned().collect(), self.key.is_empty()),
            Means::Key => (self.key.clone(), false),
            Means::Set | Means::Version | Means::Token => (self.key.clone(), self.part.is_none()),
            Means::None => (Vec::new(), true),
        };
        let one_key = if let [key] = self.key.as_slice() { Some(key.clone()) } else { None };
        Some(WriteRule {
            object: Some(self.object.clone()),
            operations: vec![operation],
            key: None,
            key_fields,
            keyless,
            settle: Some(self.settle(operation)),
            guarantee: self.means.guarantee(),
            claims: None,
            call: self.call.clone().unwrap_or_else(|| self.name.clone()),
            // A part is asked for in what it is part of.
            found_by: self.field.clone().or(one_key.clone()).filter(|_| self.part.is_none()),
            found_by_key: false,
            batch: usize::try_from(self.batch).unwrap_or(1),
            bulk: None,
            replaces: self.replaces,
            carries: false,
            // A part is made and changed as a whole: an action that says half of it is none.
            together: self
                .part
                .iter()
                .map(|fields| fields.iter().filter(|field| Some(*field) != one_key.as_ref()).cloned().collect())
                .chain(self.together.iter().map(|field| vec![field.clone()]))
                .collect(),
        })
    }

    /// How long a request that was sent may still be carried out over a newer one.
    fn settle(&self, operation: Operation) -> SignedDuration {
        match (self.settle, self.means) {
            (Some(settle), _) => settle,
            // What comes late is refused: the version is another, the key is there already.
            (None, Means::Version) => SignedDuration::ZERO,
            (None, Means::Key) if operation == Operation::Create => SignedDuration::ZERO,
            (None, _) => SETTLE,
        }
    }
}

/// The writes of an object, as its description says them. `all` are the objects of the description.
fn writes(object: &str, said: &Json, all: &IndexMap<String, Json>) -> Vec<DescribedWrite> {
    let writes = said.get("writes").and_then(Json::as_object);
    // A part is written by the update of what it is part of, and held to what that one is.
    let whole = said.get("part_of").map(|part| {
        let of = part.get("object").and_then(Json::as_str).and_then(|name| all.get(name));
        of.and_then(|of| of.get("writes")?.get("update")).unwrap_or(&Json::Null)
    });
    writes.into_iter().flatten().map(|(name, write)| described(object, name, write, whole)).collect()
}

/// `whole`: the update of the object that this one is part of.
fn described(object: &str, name: &str, write: &Json, whole: Option<&Json>) -> DescribedWrite {
    let text = |json: Option<&Json>, name: &str| json.and_then(|json| json.get(name)).and_then(Json::as_str).map(str::to_owned);
    let call = |of: &Json| text(Some(of), "call").or_else(|| text(Some(of), "mutation").map(|field| format!("mutation {field}")));
    let guarantee = write.get("guarantee").or_else(|| whole?.get("guarantee"));
    let word = text(guarantee, "by");
    // Of several calls the one for what no other writes, or else the first.
    let steps = write.get("steps").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let rest = steps.iter().find(|step| text(Some(step), "covers").as_deref() == Some("rest"));
    let batch = write.get("batch");
    let batch = batch.and_then(|batch| batch.as_u64().or_else(|| batch.get("aliases")?.as_u64()).or_else(|| batch.get("in_group")?.as_u64()));
    let names = |value: &Json| match value {
        Json::Array(names) => names.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    };
    DescribedWrite {
        object: object.to_owned(),
        name: name.to_owned(),
        means: Means::ALL.iter().find(|(known, _)| Some(*known) == word.as_deref()).map_or(Means::None, |(_, means)| *means),
        key: write.get("key").map(names).unwrap_or_default(),
        field: text(guarantee, "field"),
        settle: text(guarantee, "settle").and_then(|text| duration(&text)),
        call: call(write).or_else(|| rest.into_iter().chain(steps).find_map(call)).or_else(|| whole.and_then(call)),
        batch: batch.unwrap_or(1).max(1),
        replaces: write.get("replaces").is_some_and(|replaces| *replaces != Json::Bool(false)),
        together: write.get("together").map(names).unwrap_or_default(),
        part: whole.map(|_| part_fields(write)),
    }
}

/// The fields of an item that the actions of a write read.
fn part_fields(write: &Json) -> Vec<String> {
    let text = write.get("actions").map(Json::to_string).unwrap_or_default();
    let name = |behind: &str| behind.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut fields: Vec<String> = text.split("{item.").skip(1).map(name).collect();
    fields.sort();
    fields.dedup();
    fields
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::super::{Asked, Guarantee};
    use super::*;

    const TEXT: &str = r#"
system: shop
title: A shop
settings: { region: { example: eu1 }, key: { secret: true }, days: { type: integer, default: 45 }, note: { optional: true } }
base: "https://api.{setting.region}.shop.example"
webhooks: { hint: { MADE: { object: Order, id: id } } }
sandbox: { port: 8470 }
objects:
  Order:
    writes:
      create: { key: number, call: POST /orders, batch: 100, guarantee: { by: key } }
      create_again: { call: POST /orders, guarantee: { by: mark, field: note, settle: 90 s } }
      update: { call: "POST /orders/{id}", guarantee: { by: version }, replaces: true, together: [address] }
      ship: { call: POST /ship }
  Note: { writes: { create: { mutation: note_create, batch: { aliases: 10 } } } }
  Parcel: { part_of: { object: Order, by: order, at: parcels }, writes: { upsert: { key: key, there: "any(p.key == item.key for p in parts)" } } }
"#;

    #[test]
    fn a_manifest_follows_from_a_description() {
        let manifest = Manifest::of_description(serde_yaml::from_str(TEXT).unwrap()).unwrap();
        let settings: Vec<_> = manifest.settings.iter().map(|(name, setting)| (name.as_str(), setting.needed, setting.written())).collect();
        let expected = [
            ("region", true, Some("eu1")),
            ("key", true, None),
            ("days", false, Some("45")),
            ("note", false, None),
            ("url", false, Some("https://api.eu1.shop.example")),
        ];
        assert_eq!(settings, expected);
        let rules: Vec<_> = manifest.writes.iter().map(|rule| (rule.operations[0], rule.guarantee, rule.batch, rule.replaces)).collect();
        let expected = [
            (Operation::Create, Guarantee::Idempotent, 100, false),
            (Operation::Create, Guarantee::Searchable, 1, false),
            (Operation::Update, Guarantee::Idempotent, 1, true),
            (Operation::Create, Guarantee::Unprotected, 10, false),
            (Operation::Upsert, Guarantee::Idempotent, 1, false),
        ];
        assert_eq!(rules, expected);
        // An object that takes the place of what is there is sent whole.
        assert_eq!(manifest.writes[2].together, [["address"]]);
        assert_eq!((manifest.events.clone(), manifest.sandbox.map(|sandbox| sandbox.port)), (vec!["MADE".to_owned()], Some(8470)));
        // Nothing is said of the note: as long as is waited where nothing is known.
        let settle: Vec<_> = manifest.writes.iter().filter_map(|rule| rule.settle).map(|settle| settle.as_secs()).collect();
        assert_eq!((settle, manifest.settle_minutes), (vec![0, 90, 0, 600, 0], 10));
        assert!(Manifest::of_description(serde_json::json!({"system": "x"})).is_err());
    }
    /// What is made is looked for by its key: a flow with another key is none of the write's, and gets no class from it.
    #[test]
    fn a_write_is_for_its_own_key_only() {
        let manifest = Manifest::of_description(serde_yaml::from_str(TEXT).unwrap()).unwrap();
        let fields = ["number", "note", "email"].map(str::to_owned);
        let rule = |object: &str, operation: Operation, key_field: Option<&str>| {
            let asked = Asked { object, operation, key_field, keys: &fields, searchable: &fields };
            manifest.write(&asked).map(|rule| (rule.guarantee, rule.found_by.as_deref()))
        };
        assert_eq!(rule("Order", Operation::Create, Some("number")), Some((Guarantee::Idempotent, Some("number"))));
        assert_eq!(rule("Order", Operation::Create, Some("note")), Some((Guarantee::Searchable, Some("note"))));
        assert_eq!(rule("Order", Operation::Create, None), Some((Guarantee::Searchable, Some("note"))));
        assert_eq!(rule("Order", Operation::Create, Some("email")), None, "it would be looked for by another field");
        let key_fields: Vec<&String> = manifest.rules("Order", Operation::Create).flat_map(|rule| &rule.key_fields).collect();
        assert_eq!(key_fields, ["number", "note"]);
        assert_eq!(rule("Parcel", Operation::Upsert, Some("key")), Some((Guarantee::Idempotent, None)));
        assert_eq!(rule("Parcel", Operation::Upsert, Some("note")), None);
        // An update is of a record that is found by any field.
        assert_eq!(rule("Order", Operation::Update, Some("email")), Some((Guarantee::Idempotent, None)));
        assert_eq!(rule("Note", Operation::Create, Some("email")), Some((Guarantee::Unprotected, None)), "nothing is promised");
    }
}
