//! The templates of the CRM side: what people do in such a day, and what has to be true of the systems afterwards.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, json};

use super::check::{Finding, targets};
use super::orders::minutes;
use super::scenario::Scenario;
use super::wire::{Wire, locked};
use super::{parcels, promises};
use crate::sandbox::Act;
use crate::sandbox::rng::Rng;
use crate::value::Json;

/// Those who order; the first orders most.
const SHOPPERS: [&str; 4] = ["ada@example.com", "bo@example.com", "charly@example.com", "delilah@example.com"];

/// What people do, in order: when, at Salesforce or not, what.
pub(super) fn schedule(template: &str, dice: &mut Rng, scenario: Scenario, start: Timestamp) -> Vec<(Timestamp, bool, Act)> {
    let act = |verb: &str, subject: &str, settings: Json| Act { verb: verb.to_owned(), subject: subject.to_owned(), settings };
    let mut acts = Vec::new();
    // A share of the day, of sixty.
    let share = |dice: &mut Rng, of_sixty: u64| minutes(dice, of_sixty * scenario.minutes / 60);
    // Milestones are far apart.
    let orders = if template == "crm-milestones" { scenario.acts.max(36) } else { scenario.acts.max(14) };
    let today = start.strftime("%Y-%m-%d").to_string();
    let yesterday = (start - jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
    // Where there are very many orders, there are many who order.
    let crowd: Vec<String> = (0..if orders > 1_000 { orders / 4 } else { 0 }).map(|number| format!("shopper{number}@example.com")).collect();
    let known = SHOPPERS.iter().take(3).copied().chain(crowd.iter().skip(crowd.len() / 10).map(String::as_str));
    for (at, mail) in known.enumerate() {
        acts.push((
            start,
            true,
            act(
                "make",
                "Account",
                json!({
                    "Name": format!("Shopper {at}"), "Email__c": mail, "ShippingStreet": "1 Main Street", "ShippingCity": "Springfield",
                    "ShippingPostalCode": "62701", "ShippingStateCode": "IL", "ShippingCountryCode": "US",
                }),
            ),
        ));
    }
    for number in 0..orders {
        let name = format!("W-{number}");
        let mail = if let Some(mail) = crowd.get(dice.below(crowd.len().max(1) as u64) as usize).filter(|_| dice.below(100) > 0) {
            mail.as_str()
        } else if dice.below(2) == 0 {
            SHOPPERS[0]
        } else {
            SHOPPERS[1 + dice.below(3) as usize]
        };
        if dice.below(2) == 0 {
            let sold = json!({"Name": name, "StageName": "Closed Won", "CloseDate": today, "Order_Number__c": name});
            acts.push((start, true, act("make", "Opportunity", sold)));
        }
        let made = start + share(dice, 50);
        let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 1 + dice.below(3), "unitPrice": 50 + dice.below(50)});
        // People are known by their telephone too, so each has one of their own.
        let digits: String = mail.chars().filter(char::is_ascii_digit).collect();
        let phone = if digits.is_empty() { format!("+1 217 555 {:04}", mail.len()) } else { format!("+1 217 556 {digits:0>4}") };
        let to = json!({
            "name": format!("Sam {}", mail.split('@').next().unwrap_or_default()), "street1": "1 Main Street", "city": "Springfield", "state": "IL",
            "postalCode": "62701", "country": "US", "phone": phone, "addressVerified": "Address validated successfully",
        });
        let order = json!({"customerEmail": mail, "customerUsername": format!("u-{mail}"), "items": [item], "shipTo": to});
        acts.push((made, false, act("create", &name, order)));
        let later = |dice: &mut Rng| made + share(dice, 40);
        match dice.below(8) {
            0 => acts.push((later(dice), false, act("cancel", &name, Json::Null))),
            1 => acts.push((later(dice), false, act("change", &name, json!({"customerNotes": format!("note {}", dice.below(100))})))),
            2 | 3 => acts.push((later(dice), false, act("void", &name, Json::Null))),
            4 => {
                let won = later(dice);
                acts.push((won, true, act("win", mail, Json::Null)));
                if template == "crm-closed-won" && dice.below(3) == 0 {
                    acts.push((won + share(dice, 30), true, act("lose", mail, Json::Null)));
                }
            }
            // Some went out in earlier quarters, and are told only today.
            _ if template == "crm-shipping-history" && dice.below(2) == 0 => {
                let ago = [100, 130, 300][dice.below(3) as usize];
                let day = (start - jiff::SignedDuration::from_hours(24 * ago)).strftime("%Y-%m-%d").to_string();
                acts.push((later(dice), false, act("ship", &name, json!({"shipDate": day}))));
            }
            // Some that went out on the day before are told only today.
            _ if template == "crm-daily-summary" => acts.push((later(dice), false, act("ship", &name, json!({"shipDate": yesterday})))),
            _ => acts.push((later(dice), false, act("ship", &name, Json::Null))),
        }
    }
    // Carriers speak of every parcel once all is calm: what has a label then is told when it comes.
    let late = start + jiff::SignedDuration::from_mins(55 + scenario.minutes as i64);
    acts.extend((0..orders).map(|number| (late, false, act("scan", &format!("W-{number}"), Json::Null))));
    acts.sort_by_key(|(at, ..)| *at);
    acts
}

/// Records of the org by object and id, as its log leaves them.
fn records(wire: &Wire) -> BTreeMap<(String, String), Map<String, Json>> {
    let mut all: BTreeMap<(String, String), Map<String, Json>> = BTreeMap::new();
    for effect in locked(&wire.crm).system.effects() {
        let key = (effect.object.clone(), effect.id.clone());
        if effect.kind == "deleted" {
            all.remove(&key);
        } else if let Json::Object(fields) = &effect.fields {
            all.entry(key).or_default().extend(fields.clone());
        }
    }
    all
}

pub(super) fn text<'j>(record: &'j Map<String, Json>, name: &str) -> &'j str {
    record.get(name).and_then(Json::as_str).unwrap_or_default()
}

pub(super) fn number(value: Option<&Json>) -> Decimal {
    value.and_then(|value| value.to_string().trim_matches('"').parse::<Decimal>().ok()).unwrap_or_default().normalize()
}

/// A moment's day in a zone.
fn day_in(zone: &str, at: Timestamp) -> String {
    jiff::tz::TimeZone::get(zone).map(|zone| at.to_zoned(zone).date().to_string()).unwrap_or_default()
}

/// What has to be true after a day of a template.
pub(super) fn check(template: &str, wire: &std::sync::Arc<Wire>, now: Timestamp, found: &mut Vec<Finding>) {
    let orders = targets(wire, now);
    let records = records(wire);
    let noted = |system: &super::wire::Shared| locked(system).system.effects().to_vec();
    let (crm, wms) = (noted(&wire.crm), noted(&wire.wms));
    // Records as a person sees them: those that were there before the day too.
    let show = |id: &str| {
        let act = Act { verb: "show".to_owned(), subject: id.to_owned(), settings: Json::Null };
        locked(&wire.crm).system.act(&act, now).ok()
    };
    promises::check(template, &promises::Day::new(&records, &orders, &crm, &wms, &show, now), found);
    if parcels::TEMPLATES.contains(&template) {
        return parcels::check(template, wire, &records, found);
    }
    let of = |object: &'static str| records.iter().filter(move |((kind, _), _)| kind == object).map(|((_, id), record)| (id.as_str(), record));
    let mails: BTreeMap<&str, Vec<&Json>> = orders.values().fold(BTreeMap::new(), |mut all, order| {
        all.entry(order["customerEmail"].as_str().unwrap_or_default()).or_default().push(order);
        all
    });
    let shipped =
        |mail: &str| -> Vec<&Json> { mails.get(mail).into_iter().flatten().copied().filter(|order| order["orderStatus"] == "shipped").collect() };
    match template {
        "crm-shipping-history" => {
            for (id, account) in of("Account").filter(|(_, account)| !text(account, "Email__c").is_empty()) {
                let orders = shipped(text(account, "Email__c"));
                // An account of which nothing was ever shipped is not touched.
                if orders.is_empty() && !account.contains_key("Orders_Shipped__c") {
                    continue;
                }
                let total: Decimal = orders.iter().map(|order| number(order.get("orderTotal"))).sum();
                for (name, is) in [("Orders_Shipped__c", Decimal::from(orders.len())), ("Lifetime_Value__c", total.normalize())] {
                    let held = number(account.get(name));
                    if held != is {
                        found.push(Finding::new("roll-up", format!("{id}: {name} is {held}, and its orders say {is}")));
                    }
                }
            }
        }
        "crm-daily-summary" => {
            let ago = |hours: i64| day_in("Europe/London", now - jiff::SignedDuration::from_hours(hours));
            // Until the run at two o'clock a summary may still be the one of the night before.
            let (newest, last) = (ago(24), ago(26));
            for (id, account) in of("Account").filter(|(_, account)| !text(account, "Email__c").is_empty()) {
                let orders: Vec<&Json> = shipped(text(account, "Email__c"));
                let yesterday = if text(account, "Summary_Date__c") == last { &last } else { &newest };
                let counted: Vec<&&Json> = orders.iter().filter(|order| order["shipDate"] == yesterday.as_str()).collect();
                if orders.is_empty() {
                    continue;
                }
                let value: Decimal = counted.iter().map(|order| number(order.get("orderTotal"))).sum();
                for (name, is) in [("Orders_Yesterday__c", Decimal::from(counted.len())), ("Value_Yesterday__c", value.normalize())] {
                    let held = number(account.get(name));
                    if held != is || text(account, "Summary_Date__c") != yesterday.as_str() {
                        found.push(Finding::new("roll-up", format!("{id}: {name} is {held}, and its orders say {is}")));
                    }
                }
            }
        }
        "crm-milestones" => {
            for mail in SHOPPERS.iter().take(3) {
                let reached = shipped(mail).len();
                let has = of("Task").any(|(_, task)| text(task, "Crossdock_Key__c") == format!("milestone/{mail}/10"));
                if reached >= 10 && !has {
                    found.push(Finding::new("lost", format!("{mail} has {reached} orders, and there is no task")));
                }
            }
        }
        "crm-customers" => {
            for mail in mails.keys().filter(|mail| !mail.is_empty()) {
                for object in ["Contact", "Account"] {
                    let field = if object == "Contact" { "Email" } else { "Email__c" };
                    let count = of(object).filter(|(_, record)| text(record, field) == *mail).count();
                    if count != 1 {
                        found.push(Finding::new("one effect", format!("{mail} has {count} records of {object}")));
                    }
                }
                let account = of("Account").find(|(_, account)| text(account, "Email__c") == *mail);
                let contact = of("Contact").find(|(_, contact)| text(contact, "Email") == *mail);
                if let (Some((id, account)), Some((_, contact))) = (account, contact) {
                    if text(contact, "AccountId") != id {
                        found.push(Finding::new(
                            "one effect",
                            format!("the contact of {mail} is of {}, and its account is {id}", text(contact, "AccountId")),
                        ));
                    }
                    // Those that people made keep the name that they gave them.
                    if let Some(at) = SHOPPERS.iter().take(3).position(|known| known == mail)
                        && text(account, "Name") != format!("Shopper {at}")
                    {
                        found.push(Finding::new("ownership", format!("the account of {mail} is called {} now", text(account, "Name"))));
                    }
                }
                let counted = of("Contact").find(|(_, contact)| text(contact, "Email") == *mail).map(|(_, contact)| number(contact.get("Orders__c")));
                let is = mails[mail].iter().filter(|order| matches!(order["orderStatus"].as_str(), Some("awaiting_shipment" | "shipped"))).count();
                if is > 0 && counted.is_some_and(|counted| counted != Decimal::from(is)) {
                    found.push(Finding::new("roll-up", format!("{mail}: {counted:?} orders, and there are {is}")));
                }
            }
        }
        "crm-shipped-opportunity" => {
            let said: Vec<String> = locked(&wire.wms)
                .system
                .effects()
                .iter()
                .filter(|effect| effect.kind == "tracked")
                .filter_map(|effect| effect.fields["trackingNumber"].as_str().map(str::to_owned))
                .collect();
            for (id, sold) in of("Opportunity").filter(|(_, sold)| said.iter().any(|number| number == text(sold, "Tracking_Number__c"))) {
                if text(sold, "Estimated_Delivery__c").is_empty() {
                    found.push(Finding::new("lost", format!("{id}: its carrier has said when it comes, and it does not know")));
                }
            }
            for (id, sold) in of("Opportunity").filter(|(_, sold)| !text(sold, "Order_Number__c").is_empty()) {
                let is = orders
                    .values()
                    .find(|order| order["orderNumber"] == text(sold, "Order_Number__c"))
                    .is_some_and(|order| order["orderStatus"] == "shipped");
                let told = text(sold, "StageName") == "Shipped" && !text(sold, "Tracking_Number__c").is_empty();
                if is != told {
                    found.push(Finding::new("lost", format!("{id}: shipped is {is}, and its stage is {}", text(sold, "StageName"))));
                }
            }
        }
        "crm-closed-won" => {
            for (id, won) in of("Opportunity").filter(|(_, won)| !text(won, "AccountId").is_empty() && text(won, "StageName") == "Closed Won") {
                let address = of("Account").find(|(account, _)| *account == text(won, "AccountId"));
                let whole = address.is_some_and(|(_, account)| !text(account, "ShippingStreet").is_empty());
                if whole && !orders.contains_key(&format!("opp-{id}")) {
                    found.push(Finding::new("lost", format!("{id} was won, and is no order")));
                }
            }
        }
        _ => {}
    }
}
