//! The systems that the contract is held over: how each is set up, what people do in it, what is written to it.

mod commercetools;
mod salesforce;
mod shiphero;
mod shipstation;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crossdock::connector::{Operation, Selection};
use crossdock::sandbox::System;
use crossdock::schema::{FieldPath, Object, read, standard};
use crossdock::value::Json;
use serde_json::json;

pub use crossdock::connector::Item;

use super::world::{BEGIN, Setup, World};

pub use self::commercetools::COMMERCETOOLS;
pub use self::salesforce::SALESFORCE;
pub use self::shiphero::SHIPHERO;
pub use self::shipstation::{SHIPSTATION, SHIPSTATION_V2};

pub struct Subject {
    pub name: &'static str,
    pub system: &'static str,
    pub options: &'static [(&'static str, &'static str)],
    pub sandbox: fn(Setup) -> Box<dyn System>,
    pub reads: Reads,
    pub writes: &'static [Write],
    pub hooks: Option<Hooks>,
    /// Seconds that the body of a refusal for the limit names; none where it names none.
    pub refused_until: Option<i64>,
}

/// An object that is read.
pub struct Reads {
    pub object: &'static str,
    projection: &'static [&'static str],
    stamp: Option<&'static str>,
    /// Makes a record, and gives its id.
    pub make: fn(&World, usize) -> String,
    /// Changes a record's content.
    pub touch: fn(&World, &str, &str),
    pub remove: fn(&World, &str),
    /// The stream that tells of records that were removed; none where the system tells nothing of them.
    pub tells_gone: Option<&'static str>,
    /// What [`Reads::touch`] changes.
    pub content: fn(&Json) -> String,
    /// A change may show after another with a later stamp, and is missed without the overlap of the stream.
    pub is_late: bool,
    /// The act that ends the session.
    pub expire: Option<&'static str>,
}

/// A write that the system takes.
pub struct Write {
    pub name: &'static str,
    pub object: &'static str,
    pub operation: Operation,
    pub key_field: Option<&'static str>,
    /// An item, and what has to be there for it.
    pub item: fn(&World, usize) -> Item,
    /// Makes of an item one that the system refuses.
    pub refused: fn(&mut Item),
    /// How often what the item asks for was done.
    pub done: fn(&World, &Item) -> usize,
    /// By what the effect is searched for; none where it cannot be.
    pub searched: Option<fn(&Item) -> (&'static str, String)>,
    /// The list of an answer that tells of each item: a JSON pointer.
    pub results: &'static str,
    /// An answer's list may come in another order, and is told by its keys.
    pub by_key: bool,
}

/// Webhooks of a system.
pub struct Hooks {
    /// Subscribes an address.
    pub subscribe: fn(&World),
    /// Makes something happen that is told, and gives the record's id.
    pub happens: fn(&World) -> String,
    /// Bodies that are not this system's, or point elsewhere.
    pub forged: &'static [&'static str],
    /// Deliveries prove their sender.
    pub signed: bool,
}

impl Subject {
    /// Everything of a selection but its object.
    pub fn selection(&'static self) -> Selection<'static> {
        static NONE: OnceLock<crossdock::value::ObjectRef> = OnceLock::new();
        static STAMPS: OnceLock<BTreeMap<&'static str, Vec<FieldPath>>> = OnceLock::new();
        static PATHS: OnceLock<BTreeMap<&'static str, Vec<FieldPath>>> = OnceLock::new();
        let each = |of: fn(&'static Subject) -> Vec<FieldPath>| ALL.iter().map(|subject| (subject.name, of(subject))).collect();
        let stamps = STAMPS.get_or_init(|| each(|subject| subject.reads.stamp.iter().map(|name| vec![(*name).to_owned()]).collect()));
        let paths = PATHS.get_or_init(|| each(|subject| subject.reads.projection.iter().map(|name| vec![(*name).to_owned()]).collect()));
        Selection {
            object: NONE.get_or_init(|| crossdock::value::ObjectRef::new("c", "")),
            schemas: self.schemas(),
            projection: paths[self.name].iter().map(Vec::as_slice).collect(),
            filter: Vec::new(),
            stamps: &stamps[self.name],
        }
    }

    pub fn schemas(&self) -> &'static BTreeMap<String, Object> {
        static READ: OnceLock<BTreeMap<&'static str, BTreeMap<String, Object>>> = OnceLock::new();
        let all = READ.get_or_init(|| {
            let org = [
                ("Account", include_str!("../../../src/sandbox/salesforce/org/Account.json")),
                ("Task", include_str!("../../../src/sandbox/salesforce/org/Task.json")),
            ];
            let org = org.map(|(name, text)| (format!("c.{name}"), read(text, "salesforce", name, "c").unwrap()));
            let known = |system: &str| -> BTreeMap<String, Object> {
                standard::objects(system).map(|name| (format!("c.{name}"), standard::object(system, name, "c").unwrap().unwrap())).collect()
            };
            let described = ["commercetools", "shiphero", "shipstation", "shipstation-v2"].map(|system| (system, known(system)));
            described.into_iter().chain([("salesforce", org.into())]).collect()
        });
        &all[self.system]
    }
}

pub static ALL: [&Subject; 5] = [&COMMERCETOOLS, &SALESFORCE, &SHIPHERO, &SHIPSTATION, &SHIPSTATION_V2];

fn text(record: &Json, field: &str) -> String {
    match &record[field] {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What was done to a system that a test counts.
fn effects(world: &World, is: impl Fn(&crossdock::sandbox::Effect) -> bool) -> usize {
    world.wire.system.lock().unwrap().effects().iter().filter(|effect| is(effect)).count()
}

fn keyed(key: String, body: Json) -> Item {
    Item { key: Some(key), id: None, body }
}
