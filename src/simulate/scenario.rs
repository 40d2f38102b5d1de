//! What a run is: which template, how many records, which faults and hazards, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::check::Finding;
use super::profile::Profile;
use crate::engine::Safety;
use crate::plan::Plan;
use crate::project::{self, Library as _, Options, Texts, compile};
use crate::sandbox::faults::Faults;
use crate::sandbox::shipstation;
use crate::schema::{Named, Names, Object};
use crate::value::{Json, ObjectRef};

/// Acts above which a scenario is of volume.
pub(super) const VOLUME: usize = 1_000;

/// One mechanism of safety, switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    Settle,
    Overlap,
    Dedupe,
    Intents,
    LookUp,
    Lanes,
    Checkpoints,
    Fencing,
    /// A process whose store has failed ends, and the next one takes up from what is durable.
    Restart,
    /// A target is looked at before its first write.
    FirstLook,
    /// What is found after an outcome in doubt is compared with what was sent.
    Compare,
    /// What an older copy of the store says of targets is held against them.
    Recover,
    /// Records that write to one target are mapped one after the other.
    Serial,
    /// An update is laid over what its target holds.
    Keep,
    /// Waits go by a clock that nobody sets.
    Steady,
    /// An alert is told until its channel has taken it.
    Outbox,
    /// What a system says is told without the personal values that it quotes.
    Scrub,
    /// What is refused for a limit or a sign-in costs no record a try.
    Patience,
    /// Rows of the store have checksums.
    Checksums,
}

impl Off {
    /// Those that the gate holds by days of a profile. `Compare` and `Serial` have scenarios of their own (`alive.rs`).
    pub const ALL: [Off; 17] = [
        Off::Settle,
        Off::Overlap,
        Off::Dedupe,
        Off::Intents,
        Off::LookUp,
        Off::Lanes,
        Off::Checkpoints,
        Off::Fencing,
        Off::Restart,
        Off::FirstLook,
        Off::Recover,
        Off::Keep,
        Off::Steady,
        Off::Outbox,
        Off::Scrub,
        Off::Patience,
        Off::Checksums,
    ];

    /// Others that can be switched off.
    pub const OTHERS: [Off; 2] = [Off::Compare, Off::Serial];

    /// As it is named on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Off::Settle => "settle",
            Off::Overlap => "overlap",
            Off::Dedupe => "dedupe",
            Off::Intents => "intents",
            Off::LookUp => "look-up",
            Off::Lanes => "lanes",
            Off::Checkpoints => "checkpoints",
            Off::Fencing => "fencing",
            Off::Restart => "restart",
            Off::FirstLook => "first-look",
            Off::Compare => "compare",
            Off::Recover => "recover",
            Off::Serial => "serial",
            Off::Keep => "keep",
            Off::Steady => "steady",
            Off::Outbox => "outbox",
            Off::Scrub => "scrub",
            Off::Patience => "patience",
            Off::Checksums => "checksums",
        }
    }

    pub fn named(word: &str) -> Option<Off> {
        Off::ALL.into_iter().chain(Off::OTHERS).find(|off| off.word() == word)
    }

    pub(super) fn safety(off: Option<Off>) -> Safety {
        let mut safety = Safety::default();
        match off {
            Some(Off::Settle) => safety.settle = false,
            Some(Off::Overlap) => safety.overlap = false,
            Some(Off::Dedupe) => safety.dedupe = false,
            Some(Off::Intents) => safety.intents = false,
            Some(Off::LookUp) => safety.look_up = false,
            Some(Off::Lanes) => safety.lanes = false,
            Some(Off::Checkpoints) => safety.checkpoints = false,
            Some(Off::FirstLook) => safety.first_look = false,
            Some(Off::Compare) => safety.compare = false,
            Some(Off::Recover) => safety.recover = false,
            Some(Off::Serial) => safety.serial = false,
            Some(Off::Keep) => safety.keep = false,
            Some(Off::Outbox) => safety.outbox = false,
            Some(Off::Scrub) => safety.scrub = false,
            Some(Off::Patience) => safety.patience = false,
            Some(Off::Fencing | Off::Restart | Off::Steady | Off::Checksums) | None => {}
        }
        safety
    }
}

/// What befalls a day beside the network's faults and deaths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hazards {
    /// The machine's clock is set.
    pub clocks: bool,
    /// Commits of the store fail.
    pub disk: bool,
    /// People decide about what is open.
    pub people: bool,
    /// A field is gone, and a new version of the mapping is released.
    pub release: bool,
    /// Secrets are rotated, and tokens end.
    pub credentials: bool,
    /// Others work at the target.
    pub warehouse: bool,
    /// Every call is refused for its limit, for a long time.
    pub limits: bool,
    /// Another shop of the warehouse gives its orders the numbers that ours have.
    pub numbers: bool,
    /// Most processes that were thought dead go on.
    pub zombies: bool,
    /// Orders are on hold, and change again and again.
    pub restless: bool,
    /// Orders are cancelled soon after they were made, by people who change their minds, and the warehouse ships at once.
    pub hasty: bool,
    /// An older copy of the store is brought back, or the store is lost.
    pub older: bool,
    /// Bits of the store flip.
    pub flips: bool,
    /// The target is brought back from its backup, its ids are used again, its orders are combined and split.
    pub target: bool,
    /// The channel of alerts takes nothing for a while, again and again.
    pub deaf: bool,
    /// What systems say is searched for what is personal.
    pub quotes: bool,
}

/// The day on which most scenarios take place: no day of any note.
const USUAL: Timestamp = Timestamp::constant(1_772_438_400, 0);

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub seed: u64,
    /// What the day is made for: it names the scenario, and changes nothing by itself.
    pub profile: Profile,
    /// When the day begins.
    pub start: Timestamp,
    /// How long people work and faults last.
    pub minutes: u64,
    pub hazards: Hazards,
    /// Orders that are there at the beginning.
    pub orders: usize,
    /// What people do while the faults are on.
    pub acts: usize,
    pub faults: Faults,
    /// Deaths of the process.
    pub kills: usize,
    pub off: Option<Off>,
    /// Calls a minute of ShipStation.
    pub per_minute: Option<u32>,
    /// Seconds between two polls of the orders, instead of the mapping's five minutes.
    pub poll: Option<i64>,
    /// Tell each record's way in the report.
    pub story: bool,
}

impl Scenario {
    /// A small world on a bad day.
    pub fn small(seed: u64) -> Self {
        Scenario {
            seed,
            profile: Profile::Small,
            start: USUAL,
            minutes: 60,
            hazards: Hazards::default(),
            orders: 6,
            acts: 14,
            faults: Faults::BAD_DAY,
            kills: 4,
            off: None,
            per_minute: Some(40),
            poll: None,
            story: false,
        }
    }

    /// Orders of [`Scenario::large`].
    pub const LARGE: u64 = 500;

    /// Many orders on a bad day, ShipStation's limit out of the way: batches, pages and queues are full.
    pub fn large(seed: u64) -> Self {
        Scenario { profile: Profile::Large, orders: 500, acts: 125, per_minute: None, ..Scenario::small(seed) }
    }

    /// So many shipments of many shoppers on a bad day, for templates that sum them up.
    pub fn volume(seed: u64, shipments: usize) -> Self {
        Scenario { acts: shipments, per_minute: None, ..Scenario::small(seed) }
    }

    /// Few orders, each changed often, over a network that delays and loses: where a mechanism of safety that is
    /// missing shows soonest.
    pub fn rough(seed: u64) -> Self {
        let faults = Faults { late: 150, late_seconds: 290, lost_reply: 80, slow: 50, ..Faults::default() };
        Scenario { profile: Profile::Rough, orders: 3, acts: 60, faults, kills: 8, poll: Some(45), ..Scenario::small(seed) }
    }
}

/// The template, compiled once for all runs.
pub struct Setup {
    pub(super) template: String,
    pub(super) plan: Plan,
    pub(super) names: BTreeMap<ObjectRef, Arc<Names>>,
    /// The objects of the template's Salesforce org, where they are not those that the sandbox has by itself.
    pub(super) objects: Vec<Object>,
    /// What the template's ShipStation account has.
    pub(super) lists: shipstation::Lists,
    /// The version of the mapping that is released in the midst of a day.
    pub(super) next: Option<Next>,
}

/// Another version of the mapping.
pub(super) struct Next {
    pub(super) plan: Plan,
    pub(super) names: BTreeMap<ObjectRef, Arc<Names>>,
}

/// By template: what the next version of orders out does otherwise. It does without a field of the source, and marks what it sends.
const RELEASED: [(&str, &[(&str, &str)]); 3] = [
    (
        "salesforce-shipstation",
        &[
            ("    giftMessage              = order.Gift_Message__c\n", ""),
            ("      source       = order.Channel__c\n", "      source       = order.Channel__c\n      customField3 = \"second version\"\n"),
        ],
    ),
    (
        "commercetools-shipstation",
        &[
            ("    giftMessage              = fields.giftMessage\n", ""),
            ("      customField1 = order.orderNumber\n", "      customField1 = order.orderNumber\n      customField3 = \"second version\"\n"),
        ],
    ),
    (
        "salesforce-shiphero",
        &[
            ("    gift_note = order.Gift_Message__c ?? \"\"\n", ""),
            ("    gift_invoice = order.Gift__c\n", "    gift_invoice = order.Gift__c\n    box_name = \"second version\"\n"),
        ],
    ),
];

impl Setup {
    /// Orders out, labels and shipments back.
    ///
    /// # Errors
    /// As [`Setup::of`].
    pub fn new() -> Result<Self, String> {
        Setup::of("salesforce-shipstation")
    }

    /// A template that comes with the program.
    ///
    /// # Errors
    /// There is none of that name, or it does not pass `check`: the words of its first mistake.
    pub fn of(template: &str) -> Result<Self, String> {
        let texts = project::templates::project(template).ok_or_else(|| format!("there is no template `{template}`"))?;
        Setup::with(template, &texts)
    }

    /// A template with texts of its own.
    pub(super) fn with(template: &str, texts: &Texts) -> Result<Self, String> {
        let (plan, names) = compiled(texts)?;
        let released = RELEASED.iter().find(|(known, _)| *known == template);
        let next = match (texts.read("orders.dock"), released) {
            (Ok(orders), Some((_, changes))) => {
                let mut orders = orders.to_string();
                for (now, then) in *changes {
                    if !orders.contains(now) {
                        return Err(format!("the template has no line `{}` that the next version could change", now.trim()));
                    }
                    orders = orders.replace(now, then);
                }
                let mut texts = texts.clone();
                texts.put("orders.dock", orders);
                let (plan, names) = compiled(&texts)?;
                Some(Next { plan, names })
            }
            _ => None,
        };
        let objects = if template == "salesforce-shiphero" { objects(texts)? } else { Vec::new() };
        let lists = if template == "commercetools-shipstation" { lists(texts)? } else { shipstation::Lists::default() };
        Ok(Setup { template: template.to_owned(), plan, names, objects, lists, next })
    }
}

/// The snapshots of a template's Salesforce org.
fn objects(texts: &Texts) -> Result<Vec<Object>, String> {
    let mut objects = Vec::new();
    for path in texts.list(".json") {
        let Some(name) = path.strip_prefix("schemas/crm/").and_then(|name| name.strip_suffix(".json")) else { continue };
        let text = texts.read(&path).map_err(|error| format!("{path}: {error}"))?;
        objects.push(crate::schema::read(&text, "salesforce", name, "crm").map_err(|error| format!("{path}: {error}"))?);
    }
    Ok(objects)
}

/// The names of a template's ShipStation account.
fn lists(texts: &Texts) -> Result<shipstation::Lists, String> {
    let path = "schemas/wms/names.json";
    let text = texts.read(path).map_err(|error| format!("{path}: {error}"))?;
    let kinds: BTreeMap<String, Json> = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    let mut all = BTreeMap::new();
    for (kind, listed) in kinds.into_iter().filter(|(kind, _)| kind != "pulled") {
        all.insert(kind, serde_json::from_value::<Vec<Named>>(listed).map_err(|error| format!("{path}: {error}"))?);
    }
    Ok(shipstation::Lists::of(&all))
}

fn compiled(texts: &Texts) -> Result<(Plan, BTreeMap<ObjectRef, Arc<Names>>), String> {
    // As the template is rehearsed: in its environment of the sandbox.
    let env = Some("sandbox".to_owned()).filter(|env| texts.read(&format!("crossdock.{env}.yaml")).is_ok());
    let compiled = compile(texts, &Options { env, ..Options::default() });
    let first = compiled.diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(|diagnostic| diagnostic.message.clone());
    match compiled.plan {
        Some(plan) => Ok((plan, compiled.names)),
        None => Err(first.unwrap_or_else(|| "the template has no plan".to_owned())),
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// SHA-256 over the whole way of the run.
    pub trace: String,
    /// Records that were delivered.
    pub delivered: u64,
    /// Calls of both systems.
    pub calls: u64,
    /// How much virtual time it took.
    pub took: SignedDuration,
    pub deaths: u32,
    /// Each record's way, for people who look for a mistake.
    pub story: String,
}
