//! The project as it begins: channels, stores, states and types as an integration for shipping sets them up, stock, and orders with lines.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::import::money;
use super::{Commercetools, printed};
use crate::value::Json;

/// Street, number, postal code, city, state, country.
type Place = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>, &'static str);

const PLACES: [Place; 8] = [
    ("Harbor Street", "12", "04101", "Portland", Some("ME"), "US"),
    ("Mission Street", "1560", "94103", "San Francisco", Some("CA"), "US"),
    ("Congress Avenue", "98", "78701", "Austin", Some("TX"), "US"),
    ("Kearny Street", "401", "94108", "San Francisco", Some("CA"), "US"),
    ("Torstraße", "140", "10119", "Berlin", None, "DE"),
    ("Rue Oberkampf", "21", "75011", "Paris", None, "FR"),
    ("Corn Street", "9", "BS1 1HT", "Bristol", None, "GB"),
    ("Queen Street West", "310", "M5V 2A4", "Toronto", Some("ON"), "CA"),
];
const FIRST: [&str; 8] = ["Ada", "Grace", "Ines", "Mateo", "Zoë", "Björn", "Amara", "Li"];
const LAST: [&str; 8] = ["Meyer", "O'Connor", "Nakamura", "Dupont", "Okafor", "Lindqvist", "Alvarez", "Wu"];
const SERVICES: [&str; 4] = ["Standard", "Standard", "Express", "Overnight"];
const NOTES: [&str; 3] = ["Leave with the neighbor", "Ring twice", "Back door, please"];

/// Key, roles.
const CHANNELS: [(&str, &str); 5] = [
    ("warehouse-east", "InventorySupply"),
    ("warehouse-west", "InventorySupply"),
    ("warehouse-eu", "InventorySupply"),
    ("web", "ProductDistribution"),
    ("fulfillment", "OrderExport"),
];
/// Key, supply channels.
const STORES: [(&str, &[&str]); 2] = [("us-store", &["warehouse-east", "warehouse-west"]), ("eu-store", &["warehouse-eu"])];
/// Key, type, whether it is the first, what it may go on to; none: anything.
const STATES: [(&str, &str, bool, Option<&[&str]>); 9] = [
    ("Initial", "LineItemState", true, None),
    ("line-shipped", "LineItemState", false, None),
    ("received", "OrderState", true, Some(&["ready-to-ship", "on-hold", "canceled"])),
    ("ready-to-ship", "OrderState", false, Some(&["partially-shipped", "shipped", "on-hold", "canceled"])),
    ("on-hold", "OrderState", false, Some(&["ready-to-ship", "canceled"])),
    ("partially-shipped", "OrderState", false, Some(&["shipped"])),
    ("shipped", "OrderState", false, Some(&["delivered", "ready-to-ship"])),
    ("delivered", "OrderState", false, Some(&[])),
    ("canceled", "OrderState", false, Some(&[])),
];
/// The custom fields of an order, with their types.
const FIELDS: [(&str, &str); 8] = [
    ("deliveryInstructions", "String"),
    ("giftMessage", "String"),
    ("shipBy", "DateTime"),
    ("addressStatus", "String"),
    ("addressMessage", "String"),
    ("fulfillmentStatus", "String"),
    ("fulfillmentError", "String"),
    ("fulfillmentOrder", "String"),
];

fn localized(text: &str) -> Json {
    json!({"en": text})
}

impl Commercetools {
    pub(super) fn plant(&mut self) {
        let start = self.options.start;
        let before = start.checked_sub(SignedDuration::from_hours(1)).unwrap_or(start);
        for (at, (key, role)) in CHANNELS.into_iter().enumerate() {
            // The same in each project, so that a template's tables can name them.
            let id = format!("c4a22e10-0000-4000-8000-{:012}", at + 1);
            self.put("channels", json!({"id": id, "key": key, "roles": [role], "name": localized(key)}), before);
        }
        for (key, supplies) in STORES {
            let supplies: Vec<Json> =
                supplies.iter().filter_map(|key| Some(json!({"typeId": "channel", "id": self.by("channels", "key", key)?["id"]}))).collect();
            let store = json!({
                "key": key, "name": localized(key), "languages": ["en"], "countries": [], "distributionChannels": [], "supplyChannels": supplies, "productSelections": [],
            });
            self.put("stores", store, before);
        }
        for (key, kind, initial, _) in STATES {
            let built_in = key == "Initial";
            self.put("states", json!({"key": key, "type": kind, "initial": initial, "builtIn": built_in, "name": localized(key)}), before);
        }
        for (key, _, _, next) in STATES {
            let Some(next) = next else { continue };
            let next: Vec<Json> =
                next.iter().filter_map(|key| Some(json!({"typeId": "state", "id": self.by("states", "key", key)?["id"]}))).collect();
            if let Some(mut state) = self.by("states", "key", key).cloned() {
                state["transitions"] = Json::from(next);
                self.change("states", state, 1, before);
            }
        }
        let fields: Vec<Json> = FIELDS
            .iter()
            .map(|(name, kind)| json!({"name": name, "type": {"name": kind}, "label": localized(name), "required": false, "inputHint": "SingleLine"}))
            .collect();
        let ty = json!({"key": "fulfillment", "name": localized("Fulfillment"), "resourceTypeIds": ["order"], "fieldDefinitions": fields});
        self.put("types", ty, before);
        for (sku, _, _) in self.options.goods.clone() {
            for channel in ["warehouse-east", "warehouse-west", "warehouse-eu"] {
                let stock = 40 + i64::try_from(self.rng.below(60)).unwrap_or(0);
                let supply = json!({"typeId": "channel", "id": self.by("channels", "key", channel).map(|channel| channel["id"].clone())});
                let key = format!("{sku}-{channel}");
                self.put(
                    "inventory",
                    json!({"key": key, "sku": sku, "supplyChannel": supply, "quantityOnStock": stock, "availableQuantity": stock}),
                    before,
                );
            }
        }
        let orders = self.options.orders;
        for number in 0..orders {
            // Several share a stamp, as an import leaves them.
            let age = i64::try_from((orders - 1 - number) / 5).unwrap_or(0);
            let at = start.checked_sub(SignedDuration::from_secs(age)).unwrap_or(start);
            self.customer_orders(&Json::Null, at);
        }
    }

    /// What a customer orders, with fields of its own.
    pub(super) fn customer_orders(&mut self, own: &Json, now: Timestamp) -> Json {
        self.numbered += 1;
        let number = self.numbered;
        let mut pick = |below: usize| usize::try_from(self.rng.below(below as u64)).unwrap_or(0);
        let (place, first, last) = (PLACES[pick(PLACES.len())], FIRST[pick(FIRST.len())], LAST[pick(LAST.len())]);
        let (service, noted, gift, two_supplies, mistaken, unpaid) = (SERVICES[pick(4)], pick(10), pick(8), pick(3) == 0, pick(30), pick(20) == 0);
        let count = 1 + pick(3.min(self.options.goods.len().max(1)));
        let picked: Vec<(usize, i64)> = (0..count).map(|_| (pick(self.options.goods.len().max(1)), 1 + pick(3) as i64)).collect();
        let (street, house, postal, city, state, country) = place;
        let (currency, store) = if matches!(country, "US" | "CA") { ("USD", "us-store") } else { ("EUR", "eu-store") };
        let mut address = json!({
            "country": country, "firstName": first, "lastName": last, "streetName": street, "streetNumber": house, "postalCode": postal, "city": city,
            "email": format!("{}.{}@example.com", first.to_lowercase().replace('ë', "e").replace('ö', "o"), number), "phone": "+1 555 010 0199",
        });
        if let Some(state) = state {
            address["state"] = Json::from(state);
        }
        match mistaken {
            0 => drop(address.as_object_mut().and_then(|fields| fields.remove("streetName"))),
            1 => drop(address.as_object_mut().and_then(|fields| fields.remove("postalCode"))),
            _ => {}
        }
        let email = address["email"].clone();
        let customer = self.customer(email.as_str().unwrap_or_default(), first, last, number, now);
        let home = if store == "eu-store" {
            "warehouse-eu"
        } else if state == Some("CA") {
            "warehouse-west"
        } else {
            "warehouse-east"
        };
        let mut lines = Vec::new();
        let mut total = 0;
        for (at, (good, quantity)) in picked.into_iter().enumerate() {
            let Some((sku, name, grams)) = self.options.goods.get(good).cloned() else { continue };
            let cents = 1_250 + 250 * i64::try_from(good).unwrap_or(0);
            let mut line = self.bare_line(quantity, money(cents, currency), money(cents * quantity, currency));
            total += cents * quantity;
            line["name"] = localized(&name);
            line["variant"] = json!({"id": 1, "sku": sku, "attributes": [{"name": "weight", "value": grams}]});
            let supply = if two_supplies && at > 0 && store == "us-store" { "warehouse-west" } else { home };
            line["supplyChannel"] = json!({"typeId": "channel", "id": self.by("channels", "key", supply).map(|channel| channel["id"].clone())});
            lines.push(line);
        }
        let shipping = if service == "Standard" { 490 } else { 1_490 };
        let mut order = self.bare_order(now);
        let net = total + shipping;
        let tax = net * 19 / 100;
        let rate = json!({"name": "standard", "amount": 0.19, "includedInPrice": false, "country": country});
        for (name, value) in [
            ("orderNumber", Json::from(format!("CT-{number:05}"))),
            ("customerId", customer["id"].clone()),
            ("customerEmail", email),
            ("shippingAddress", address.clone()),
            ("billingAddress", address),
            ("country", Json::from(country)),
            ("locale", Json::from("en")),
            ("store", json!({"typeId": "store", "key": store})),
            ("lineItems", Json::from(lines)),
            ("totalPrice", money(net + tax, currency)),
            (
                "taxedPrice",
                json!({
                    "totalNet": money(net, currency), "totalGross": money(net + tax, currency), "totalTax": money(tax, currency),
                    "taxPortions": [{"name": "standard", "rate": 0.19, "amount": money(tax, currency)}],
                }),
            ),
            (
                "shippingInfo",
                json!({
                    "shippingMethodName": service, "price": money(shipping, currency), "shippingRate": {"price": money(shipping, currency), "tiers": []},
                    "taxRate": rate, "shippingMethodState": "MatchesCart", "deliveries": [],
                }),
            ),
            ("orderState", Json::from("Confirmed")),
            ("paymentState", Json::from(if unpaid { "Pending" } else { "Paid" })),
            ("state", self.state(if unpaid { "received" } else { "ready-to-ship" })),
        ] {
            order[name] = value;
        }
        let mut fields = serde_json::Map::new();
        if noted < NOTES.len() {
            fields.insert("deliveryInstructions".to_owned(), Json::from(NOTES[noted]));
        }
        if gift == 0 {
            fields.insert("giftMessage".to_owned(), Json::from("Happy birthday, Zoë! 🎂"));
        }
        let ty = self.by("types", "key", "fulfillment").map(|ty| ty["id"].clone());
        order["custom"] = json!({"type": {"typeId": "type", "id": ty}, "fields": fields});
        for (name, value) in own.as_object().into_iter().flatten() {
            order[name.as_str()] = value.clone();
        }
        super::actions::tidy(&mut order);
        order["cart"] = json!({"typeId": "cart", "id": self.ordered_cart(&order, now)});
        self.put("orders", order, now)
    }

    /// A reference to a state by its key.
    pub(super) fn state(&self, key: &str) -> Json {
        json!({"typeId": "state", "id": self.by("states", "key", key).map(|state| state["id"].clone())})
    }

    fn customer(&mut self, email: &str, first: &str, last: &str, number: usize, now: Timestamp) -> Json {
        let customer = json!({
            "email": email, "firstName": first, "lastName": last, "customerNumber": format!("C-{number}"), "addresses": [], "shippingAddressIds": [],
            "billingAddressIds": [], "isEmailVerified": true, "customerGroupAssignments": [], "stores": [], "authenticationMode": "Password",
        });
        self.put("customers", customer, now)
    }

    /// The cart that an order was made from.
    fn ordered_cart(&mut self, order: &Json, now: Timestamp) -> Json {
        let mut cart = json!({"id": self.id(), "cartState": "Ordered", "createdAt": printed(now)});
        let same = [
            "customerId",
            "customerEmail",
            "store",
            "lineItems",
            "customLineItems",
            "totalPrice",
            "taxedPrice",
            "taxMode",
            "priceRoundingMode",
            "taxRoundingMode",
            "taxCalculationMode",
            "inventoryMode",
            "billingAddress",
            "shippingAddress",
            "shippingMode",
            "shipping",
            "shippingInfo",
            "itemShippingAddresses",
            "discountCodes",
            "directDiscounts",
            "refusedGifts",
            "country",
            "locale",
            "origin",
        ];
        for name in same {
            if !order[name].is_null() {
                cart[name] = order[name].clone();
            }
        }
        self.put("carts", cart, now)["id"].clone()
    }
}
