//! The two systems of a template: which they are, how they are before a day, and how connectors reach them.

use std::sync::{Arc, LazyLock, Mutex};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::scenario::{Scenario, Setup, VOLUME};
use super::wire::{Shared, locked};
use crate::connector::registry::Settings as Connection;
use crate::http::{Request, Secret};
use crate::sandbox::faults::{FaultKit, Faults, Faulty};
use crate::sandbox::kit::laws::Held;
use crate::sandbox::rng::Rng;
use crate::sandbox::{System, commercetools, salesforce, shiphero, shipstation};
use crate::value::Json;

/// Where the systems answer. commercetools and ShipHero answer where their descriptions say.
pub(super) const CRM: &str = "https://crm.salesforce.com";
pub(super) const WMS: &str = "https://ssapi.shipstation.com";
const TRACKING: &str = "https://api.shipstation.com";
const HERO: &str = "https://public-api.shiphero.com";

/// Where orders come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commerce {
    Salesforce,
    Commercetools,
}

/// Where orders are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Warehouse {
    ShipStation,
    ShipHero,
}

/// The two systems between which a template works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) commerce: Commerce,
    pub(super) warehouse: Warehouse,
}

/// Each world of ShipHero: as it is assumed to be, and with one assumption wrong.
static HERO_WORLDS: LazyLock<Vec<Held>> = LazyLock::new(|| shiphero::LAWS.worlds().into_iter().map(|(_, held)| held).collect());
/// The same of commercetools.
static SHOP_WORLDS: LazyLock<Vec<Held>> = LazyLock::new(|| commercetools::LAWS.worlds().into_iter().map(|(_, held)| held).collect());

/// The world of a day: every other one is as it is assumed to be.
fn world(worlds: &[Held], seed: u64) -> Held {
    let at = if seed.is_multiple_of(2) { 0 } else { (seed / 2) as usize % worlds.len().max(1) };
    worlds.get(at).cloned().unwrap_or_default()
}

impl Sides {
    pub(super) fn of(template: &str) -> Sides {
        let commerce = if template.starts_with("commercetools-") { Commerce::Commercetools } else { Commerce::Salesforce };
        let warehouse = if template.ends_with("-shiphero") { Warehouse::ShipHero } else { Warehouse::ShipStation };
        Sides { commerce, warehouse }
    }

    /// The two systems as they are before the day.
    pub(super) fn begin(self, setup: &Setup, scenario: &Scenario, start: Timestamp) -> (Shared, Shared) {
        let commerce: Box<dyn System> = match self.commerce {
            Commerce::Salesforce => Box::new(salesforce::Salesforce::new(salesforce::Options {
                base_url: CRM.to_owned(),
                orders: scenario.orders,
                seed: scenario.seed,
                start,
                late_commit: SignedDuration::from_secs(90),
                // Few records are many pages; many records are as they come.
                page: if scenario.acts > VOLUME { 2_000 } else { 7 },
                locks_per_mille: if scenario.faults == Faults::default() { 0 } else { 20 },
                objects: setup.objects.clone(),
                ..salesforce::Options::default()
            })),
            Commerce::Commercetools => Box::new(commercetools::Commercetools::new(commercetools::Options {
                laws: world(&SHOP_WORLDS, scenario.seed),
                orders: scenario.orders,
                seed: scenario.seed,
                start,
                goods: salesforce::products().map(|(sku, name, grams)| (sku.to_owned(), name.to_owned(), grams)).collect(),
                ..commercetools::Options::default()
            })),
        };
        let autoship = Some(SignedDuration::from_mins(if scenario.hazards.hasty { 3 } else { 25 }));
        let warehouse: Box<dyn System> = match self.warehouse {
            Warehouse::ShipStation => Box::new(shipstation::ShipStation::new(shipstation::Options {
                base_url: WMS.to_owned(),
                per_minute: scenario.per_minute,
                search_lag: SignedDuration::from_secs(20),
                autoship,
                label_race: SignedDuration::from_mins(6),
                seed: scenario.seed,
                lists: setup.lists.clone(),
                ..shipstation::Options::default()
            })),
            Warehouse::ShipHero => Box::new(shiphero::ShipHero::new(shiphero::Options {
                laws: world(&HERO_WORLDS, scenario.seed),
                is_3pl: scenario.seed.is_multiple_of(3),
                no_limits: scenario.per_minute.is_none(),
                goods: goods(scenario.seed),
                seed: scenario.seed,
                start,
                autoship,
                ..shiphero::Options::default()
            })),
        };
        let kit = |salt| FaultKit::new(scenario.seed ^ salt, scenario.faults);
        (Arc::new(Mutex::new(Faulty::new(commerce, kit(1)))), Arc::new(Mutex::new(Faulty::new(warehouse, kit(2)))))
    }

    /// Whether a host is one of the commerce side; none: it is no host here.
    pub(super) fn is_commerce(self, host: &str) -> Option<bool> {
        let (commerce, warehouse) = match (self.commerce, self.warehouse) {
            (Commerce::Salesforce, Warehouse::ShipStation) => ("salesforce.com", "shipstation.com"),
            (Commerce::Salesforce, Warehouse::ShipHero) => ("salesforce.com", "shiphero.com"),
            (Commerce::Commercetools, Warehouse::ShipStation) => ("commercetools.com", "shipstation.com"),
            (Commerce::Commercetools, Warehouse::ShipHero) => ("commercetools.com", "shiphero.com"),
        };
        if host.ends_with(commerce) { Some(true) } else { host.ends_with(warehouse).then_some(false) }
    }

    /// The connections as they are configured now. `secret` is that of the commerce side; `hooks` are those of webhooks.
    pub(super) fn connections(self, secret: &str, hooks: &str) -> Vec<Connection> {
        let connection = |name: &str, system: &str, options: &[(&str, &str)]| Connection {
            name: name.to_owned(),
            system: system.to_owned(),
            options: options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect(),
        };
        let commerce = match self.commerce {
            Commerce::Salesforce => connection("crm", "salesforce", &[("login", CRM), ("client_id", "sandbox"), ("client_secret", secret)]),
            Commerce::Commercetools => {
                let client = [("region", "europe-west1.gcp"), ("project", "sandbox"), ("client_id", "sandbox"), ("client_secret", secret)];
                connection("shop", "commercetools", &client)
            }
        };
        let mut all = vec![commerce];
        match self.warehouse {
            Warehouse::ShipStation => {
                all.push(connection("wms", "shipstation", &[("url", WMS), ("api_key", "sandbox"), ("api_secret", "sandbox")]));
                all.push(connection("tracking", "shipstation-v2", &[("url", TRACKING), ("api_key", "sandbox")]));
            }
            Warehouse::ShipHero => {
                all.push(connection("wms", "shiphero", &[("username", HERO_USER), ("password", "sandbox"), ("webhook_secret", hooks)]));
            }
        }
        all
    }

    /// The connection from which orders come.
    pub(super) fn orders_from(self) -> &'static str {
        match self.commerce {
            Commerce::Salesforce => "crm",
            Commerce::Commercetools => "shop",
        }
    }

    /// The number of an order by its place, from 1.
    pub(super) fn number(self, place: u64) -> String {
        match self.commerce {
            Commerce::Salesforce => format!("{place:08}"),
            Commerce::Commercetools => format!("CT-{place:05}"),
        }
    }

    /// Subscribes this program to what the warehouse tells. Gives the secrets that its webhooks are signed with.
    pub(super) fn subscribe(self, wms: &Shared, now: Timestamp) -> String {
        match self.warehouse {
            Warehouse::ShipStation => {
                subscribe_at_shipstation(wms, now);
                String::new()
            }
            Warehouse::ShipHero => subscribe_at_shiphero(wms, now).join(" "),
        }
    }
}

const HERO_USER: &str = "sandbox@example.com";

/// What lies in each of ShipHero's warehouses: of one product there is little.
fn goods(seed: u64) -> Vec<shiphero::Goods> {
    let mut dice = Rng::new(seed ^ 0x600d5);
    let scarce = dice.below(salesforce::products().count() as u64) as usize;
    let mut all: Vec<shiphero::Goods> = salesforce::products()
        .enumerate()
        .map(|(at, (sku, name, grams))| shiphero::Goods::new(sku, name, grams, if at == scarce { 3 } else { 1_000 }))
        .collect();
    // What has serial numbers.
    if let Some(one) = all.iter_mut().find(|goods| goods.sku == "LAMP-9") {
        one.has_serials = true;
    }
    all
}

fn subscribe_at_shipstation(wms: &Shared, now: Timestamp) {
    let first = br#"{"target_url":"https://crossdock.example/hook/wms","event":"SHIP_NOTIFY"}"#;
    let second = br#"{"url":"https://crossdock.example/hook/tracking","event":"track"}"#;
    let first = http::Request::post(format!("{WMS}/webhooks/subscribe")).body(bytes::Bytes::from_static(first));
    let second = http::Request::post(format!("{TRACKING}/v2/environment/webhooks")).body(bytes::Bytes::from_static(second));
    for mut request in [first, second].into_iter().flatten() {
        request.headers_mut().insert("authorization", http::HeaderValue::from_static("Basic c2FuZGJveDpzYW5kYm94"));
        request.headers_mut().insert("api-key", http::HeaderValue::from_static("sandbox"));
        locked(wms).system.handle(&request, now);
    }
}

const HERO_EVENTS: [&str; 7] =
    ["Shipment Update", "Order Canceled", "Order Allocated", "Order Deallocated", "Order Packed Out", "Inventory Update", "Inventory Change"];

fn subscribe_at_shiphero(wms: &Shared, now: Timestamp) -> Vec<String> {
    let token = hero_token(wms, now);
    let document = "mutation($data: CreateWebhookInput!) { webhook_create(data: $data) { webhook { shared_signature_secret } } }";
    let secrets = HERO_EVENTS.iter().filter_map(|event| {
        let data = json!({"name": event, "url": "https://crossdock.example/hook/wms", "shop_name": "api"});
        let answer = hero_asked(wms, &token, document, &json!({"data": data}), now);
        answer.pointer("/data/webhook_create/webhook/shared_signature_secret").and_then(Json::as_str).map(str::to_owned)
    });
    secrets.collect()
}

fn posted(wms: &Shared, path: &str, token: &str, body: &Json, now: Timestamp) -> Json {
    let mut request = Request::new(bytes::Bytes::from(body.to_string()));
    *request.method_mut() = http::Method::POST;
    if let Ok(uri) = format!("{HERO}{path}").parse() {
        *request.uri_mut() = uri;
    }
    if let Ok(value) = http::HeaderValue::from_str(&format!("Bearer {token}")) {
        request.headers_mut().insert("authorization", value);
    }
    let answer = locked(wms).system.handle(&request, now);
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

/// A token of ShipHero, as a person who looks at the account has one.
pub(super) fn hero_token(wms: &Shared, now: Timestamp) -> String {
    let answer = posted(wms, "/auth/token", "", &json!({"username": HERO_USER, "password": "sandbox"}), now);
    answer["access_token"].as_str().unwrap_or_default().to_owned()
}

/// Asks ShipHero a document.
pub(super) fn hero_asked(wms: &Shared, token: &str, document: &str, variables: &Json, now: Timestamp) -> Json {
    posted(wms, "/graphql", token, &json!({"query": document, "variables": variables}), now)
}
