//! The manifest of a system that is described (`systems/<system>/system.yaml`): it follows from the description, so that nothing is
//! said twice. The description as a whole is read by `describe`; here only what is known before anything is asked of the system.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::manifest::{Kind, Manifest, Sandbox, Search, Setting};
use super::write::{Guarantee, KeyField, Operation, WriteRule};

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
    /// # Errors
    /// The text is no description. What is wrong with it in particular is told by `describe`.
    pub(super) fn of_description(text: &str) -> Result<Self, String> {
        let text: Text = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
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
        let writes: Vec<(WriteRule, Option<u32>)> = text.objects.iter().flat_map(|(object, said)| rules(object, said, &text.objects)).collect();
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
            settle_minutes: writes.iter().filter_map(|(_, settle)| *settle).max().unwrap_or(0),
            writes: writes.into_iter().map(|(rule, _)| rule).collect(),
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

/// The seconds of `5 minutes`.
fn seconds(text: &str) -> Option<u32> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let each = match unit.trim() {
        "s" | "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(each)
}

/// What the writes of an object are held to, and for how many minutes each may still be under way.
fn rules(object: &str, said: &Json, all: &IndexMap<String, Json>) -> Vec<(WriteRule, Option<u32>)> {
    let writes = said.get("writes").and_then(Json::as_object);
    // A part is written by the update of what it is part of, and held to what that one is.
    let whole = said.get("part_of").and_then(|part| all.get(part.get("object")?.as_str()?)?.get("writes")?.get("update"));
    writes.into_iter().flatten().filter_map(|(name, write)| rule(object, name, write, whole)).collect()
}

/// `whole`: the update of the object that this one is part of.
fn rule(object: &str, name: &str, write: &Json, whole: Option<&Json>) -> Option<(WriteRule, Option<u32>)> {
    // `create_without_key` is another way to create.
    let operation = Operation::of_word(name.split_once('_').map_or(name, |(word, _)| word))?;
    let guarantee = write.get("guarantee").or_else(|| whole?.get("guarantee"));
    let means = guarantee.and_then(|guarantee| guarantee.get("by")).and_then(Json::as_str);
    let text = |json: Option<&Json>, name: &str| json.and_then(|json| json.get(name)).and_then(Json::as_str).map(str::to_owned);
    let (class, key) = match means.unwrap_or("none") {
        "key" => (Guarantee::Idempotent, (operation != Operation::Update).then_some(KeyField::Unique)),
        "set" | "version" => (Guarantee::Idempotent, None),
        "token" => (Guarantee::Token, None),
        "mark" => (Guarantee::Searchable, (operation != Operation::Update && write.get("key").is_some()).then_some(KeyField::Searchable)),
        _ => (Guarantee::Unprotected, None),
    };
    let call = text(Some(write), "call").or_else(|| text(Some(write), "mutation").map(|field| format!("mutation {field}")));
    let first_step = write.get("steps").and_then(|steps| steps.as_array()?.last()).and_then(|step| text(Some(step), "mutation"));
    let batch = write.get("batch");
    let batch = batch.and_then(Json::as_u64).or_else(|| batch?.get("aliases")?.as_u64()).or_else(|| batch?.get("in_group")?.as_u64());
    let call = call.or_else(|| text(whole, "call"));
    // A part is asked for in what it is part of.
    let found_by = text(guarantee, "field").or_else(|| text(Some(write), "key")).filter(|_| whole.is_none());
    let settle = text(guarantee, "settle").and_then(|text| seconds(&text)).map(|seconds| seconds.div_ceil(60));
    let rule = WriteRule {
        object: Some(object.to_owned()),
        operations: vec![operation],
        key,
        guarantee: class,
        call: call.or_else(|| first_step.map(|field| format!("mutation {field}"))).unwrap_or_else(|| name.to_owned()),
        found_by,
        found_by_key: false,
        batch: batch.and_then(|batch| usize::try_from(batch).ok()).unwrap_or(1),
        bulk: None,
        replaces: write.get("replaces").is_some_and(|replaces| *replaces != Json::Bool(false)),
        carries: false,
        // A part is made and changed as a whole: an action that says half of it is none.
        together: if whole.is_some() { vec![part_fields(write, key_name(write))] } else { Vec::new() },
    };
    Some((rule, settle))
}

fn key_name(write: &Json) -> Option<&str> {
    write.get("key").and_then(Json::as_str)
}

/// The fields of an item that the actions of a write read, without its key.
fn part_fields(write: &Json, key: Option<&str>) -> Vec<String> {
    let text = write.get("actions").map(Json::to_string).unwrap_or_default();
    let name = |behind: &str| behind.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut fields: Vec<String> = text.split("{item.").skip(1).map(name).filter(|name| Some(name.as_str()) != key).collect();
    fields.sort();
    fields.dedup();
    fields
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
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
      update: { call: "POST /orders/{id}", guarantee: { by: version }, replaces: true }
      ship: { call: POST /ship }
  Note: { writes: { create: { mutation: note_create, batch: { aliases: 10 } } } }
  Parcel: { part_of: { object: Order, by: order, at: parcels }, writes: { upsert: { key: key, there: "any(p.key == item.key for p in parts)" } } }
"#;

    #[test]
    fn a_manifest_follows_from_a_description() {
        let manifest = Manifest::of_description(TEXT).unwrap();
        let settings: Vec<_> = manifest.settings.iter().map(|(name, setting)| (name.as_str(), setting.needed, setting.written())).collect();
        let expected = [
            ("region", true, Some("eu1")),
            ("key", true, None),
            ("days", false, Some("45")),
            ("note", false, None),
            ("url", false, Some("https://api.eu1.shop.example")),
        ];
        assert_eq!(settings, expected);
        let rules: Vec<_> = manifest.writes.iter().map(|rule| (rule.operations[0], rule.key, rule.guarantee, rule.batch, rule.replaces)).collect();
        let expected = [
            (Operation::Create, Some(KeyField::Unique), Guarantee::Idempotent, 100, false),
            (Operation::Create, None, Guarantee::Searchable, 1, false),
            (Operation::Update, None, Guarantee::Idempotent, 1, true),
            (Operation::Create, None, Guarantee::Unprotected, 10, false),
            (Operation::Upsert, None, Guarantee::Idempotent, 1, false),
        ];
        assert_eq!(rules, expected);
        assert_eq!(
            (manifest.settle_minutes, manifest.events, manifest.sandbox.map(|sandbox| sandbox.port)),
            (2, vec!["MADE".to_owned()], Some(8470))
        );
        assert!(Manifest::of_description("system: x").is_err());
    }
}
