//! The template's orders out, written a second time in plain Rust from its README, without a line of
//! the evaluator: both give the same payloads and the same reasons for a thousand generated orders.
//! The tables, states and postal codes are those that the generator uses, written out by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use crossdock::eval::{Inputs, Program, Verdict, apply};
use crossdock::run::files::whole;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

/// What becomes of an order.
#[derive(Debug, PartialEq)]
enum Result {
    NotEligible,
    Rejected(Vec<String>),
    Review(Vec<String>),
    Sent(Value),
}

fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    path.split('.').try_fold(value, |at, step| at.get(step))?.as_str().filter(|text| !text.trim().is_empty())
}

fn amount(value: &Value, path: &str) -> Option<Decimal> {
    let found = path.split('.').try_fold(value, |at, step| at.get(step))?;
    found.is_number().then(|| found.to_string().parse().unwrap())
}

fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.to_string()).unwrap()
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.into(), value.into());
    }
}

const KITS: &[(&str, &[(&str, &str, &str)])] = &[
    ("KIT-CAMP", &[("TENT-2P", "1", "0.60"), ("BAG-DOWN", "2", "0.15"), ("MAT-LITE", "2", "0.05")]),
    ("KIT-TEA", &[("CUP-01", "4", "0.10"), ("POT-01", "1", "0.60")]),
];
const SKUS: &[(&str, &str, &str, &str)] = &[
    ("TENT-2P", "WH-1001", "CN", "630622"),
    ("BAG-DOWN", "WH-1002", "CN", "940430"),
    ("MAT-LITE", "WH-1003", "VN", "940429"),
    ("CUP-01", "01234", "GB", "691200"),
    ("POT-01", "WH-2002", "GB", "691200"),
    ("LAMP-9", "WH-3009", "DE", "940540"),
];
const SERVICES: &[(&str, &str, &str, &str, &str)] = &[
    ("Standard", "US", "stamps_com", "usps_priority_mail", "package"),
    ("Standard", "CA", "ups", "ups_standard", "package"),
    ("Standard", "UK", "royal_mail", "rm_tracked_48", "parcel"),
    ("Standard", "EU", "dhl_express", "dhl_express_worldwide", "package"),
    ("Expedited", "US", "ups", "ups_2nd_day_air", "package"),
    ("Expedited", "UK", "royal_mail", "rm_tracked_24", "parcel"),
    ("Expedited", "EU", "dhl_express", "dhl_express_worldwide", "package"),
    ("Next Day", "US", "ups", "ups_next_day_air", "package"),
    ("Next Day", "UK", "dhl_express", "dhl_express_1200", "package"),
    ("Economy", "US", "stamps_com", "usps_ground_advantage", "package"),
    ("International", "US", "fedex", "fedex_international_economy", "package"),
    ("International", "UK", "dhl_express", "dhl_express_worldwide", "package"),
];

fn sku(code: &str) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
    SKUS.iter().find(|row| row.0 == code)
}

fn state_code(state: &str, country: &str) -> Option<&'static str> {
    Some(match (country, state) {
        ("US", "CA" | "California") => "CA",
        ("US", "NY" | "New York") => "NY",
        ("US", "Nev.") => "NV",
        ("CA", "ON" | "Ontario") => "ON",
        ("AU", "New South Wales") => "NSW",
        ("DE", "Berlin") => "BE",
        ("JP", "13" | "Tokyo") => "13",
        ("BR", "SP" | "São Paulo") => "SP",
        _ => return None,
    })
}

/// Of the generator's codes just `12` is of no country.
fn is_postal_code(code: &str) -> bool {
    code != "12"
}

fn postal_code(code: &str, country: &str) -> String {
    if country == "GB" { code.to_uppercase() } else { code.to_owned() }
}

fn line_of(street: Option<&str>, n: usize) -> Option<&str> {
    street?.lines().map(str::trim).filter(|line| !line.is_empty()).nth(n)
}

fn short(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn map(order: &Value) -> Result {
    let status = text(order, "Status").unwrap();
    if !["Activated", "Ready to Ship", "On Hold", "Cancelled", "Partially Returned"].contains(&status) {
        return Result::NotEligible;
    }
    let items = order.pointer("/OrderItems/records").and_then(Value::as_array).cloned().unwrap_or_default();
    let lines: Vec<Value> = items.into_iter().filter(|line| amount(line, "Quantity").unwrap() > Decimal::ZERO).collect();
    let to = &order["ShippingAddress"];
    let (street, city, code, country) = (text(to, "street"), text(to, "city"), text(to, "postalCode"), text(to, "countryCode"));
    let state = text(to, "stateCode").or(text(to, "state"));
    let number_text = text(order, "OrderNumber").unwrap();
    let total = amount(order, "TotalAmount").unwrap();
    let email = text(order, "BillToContact.Email").map(|email| email.trim().to_lowercase());
    let (channel, region, brand) = (text(order, "Channel__c"), text(order, "Region__c"), text(order, "Brand__c"));

    let mut reasons = Vec::new();
    for (value, name) in [(street, "street"), (city, "city"), (code, "postal code"), (country, "country")] {
        // Posts deliver without an Eircode.
        if value.is_none() && (name, country) != ("postal code", Some("IE")) {
            reasons.push(format!("the ship-to {name} is missing"));
        }
    }
    if let (Some(code), Some(country)) = (code, country)
        && !is_postal_code(code)
    {
        reasons.push(format!("{code} is no postal code of {country}"));
    }
    if let Some(country @ ("US" | "CA" | "AU")) = country {
        match state {
            None => reasons.push("the ship-to state is missing".into()),
            Some(state) if state_code(state, country).is_none() => reasons.push(format!("{state} is no state of {country}")),
            Some(_) => {}
        }
    }
    if lines.is_empty() {
        reasons.push("the order has no lines to ship".into());
    }
    for (at, line) in lines.iter().enumerate() {
        if text(line, "Product2.ProductCode").is_none() {
            reasons.push(format!("line {} has no SKU", at + 1));
        }
    }
    if let Some(email) = email.as_ref().filter(|email| !email.contains('@')) {
        reasons.push(format!("{email} is no e-mail address"));
    }
    if !reasons.is_empty() {
        return Result::Rejected(reasons);
    }
    let mut reviews = Vec::new();
    if total > Decimal::from(20_000) {
        reviews.push(format!("{number_text} is above the limit"));
    }
    if status == "Partially Returned" {
        reviews.push(format!("{number_text} was returned in part"));
    }
    if channel == Some("Wholesale") && brand == Some("South") {
        reviews.push("shipped by hand".into());
    }
    if status == "Partially Returned" {
        reviews.push(format!("Salesforce status {status} has no ShipStation status"));
    }
    if !reviews.is_empty() {
        return Result::Review(reviews);
    }
    let (store, warehouse) = if channel == Some("Amazon") {
        (300_101, 4401)
    } else if matches!(region, Some("UK" | "EU")) {
        (300_102, 4411)
    } else if text(order, "Priority__c") == Some("High") && total > Decimal::from(500) {
        (300_103, 4421)
    } else {
        (300_103, 4401)
    };
    let country = country.unwrap();
    let account = text(order, "Account.Name");
    let phone = text(order, "ShipToContact.Phone").or(text(order, "BillToContact.Phone")).or(text(order, "Account.Phone"));

    let mut ship = Map::new();
    put(&mut ship, "name", text(order, "ShipToContact.Name").or(account).map(|name| short(name, 100)));
    put(&mut ship, "company", account.map(|name| short(name, 100)));
    for (at, name) in ["street1", "street2", "street3"].iter().enumerate() {
        put(&mut ship, name, line_of(street, at));
    }
    put(&mut ship, "city", city.map(str::trim));
    put(&mut ship, "state", state.map(|state| state_code(state, country).unwrap_or(state)));
    put(&mut ship, "postalCode", code.map(|code| postal_code(code, country)));
    put(&mut ship, "country", Some(country.to_uppercase()));
    put(&mut ship, "phone", phone);

    let billed = if order["BillingAddress"].is_null() { to } else { &order["BillingAddress"] };
    let mut bill = Map::new();
    put(&mut bill, "name", text(order, "BillToContact.Name").or(account).map(|name| short(name, 100)));
    put(&mut bill, "street1", line_of(text(billed, "street"), 0));
    put(&mut bill, "street2", line_of(text(billed, "street"), 1));
    let rest: Vec<&str> = text(billed, "street").unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty()).skip(2).collect();
    put(&mut bill, "street3", (!rest.is_empty()).then(|| rest.join(", ")));
    put(&mut bill, "city", text(billed, "city").map(str::trim));
    put(&mut bill, "state", text(billed, "stateCode").or(text(billed, "state")));
    put(&mut bill, "postalCode", text(billed, "postalCode"));
    put(&mut bill, "country", text(billed, "countryCode"));

    let mut items = Vec::new();
    let (mut paid, mut weight) = (Decimal::ZERO, Decimal::ZERO);
    for line in &lines {
        let code = text(line, "Product2.ProductCode").unwrap();
        let (quantity, price) = (amount(line, "Quantity").unwrap(), amount(line, "UnitPrice").unwrap());
        let kilos = amount(line, "Product2.Weight__c");
        paid += quantity * price;
        weight += kilos.unwrap_or_default() * quantity;
        let parts: Vec<(&str, Decimal, Decimal, bool)> = match KITS.iter().find(|kit| kit.0 == code) {
            Some((_, parts)) => parts.iter().map(|(sku, count, share)| (*sku, count.parse().unwrap(), share.parse().unwrap(), true)).collect(),
            None => vec![(code, Decimal::ONE, Decimal::ONE, false)],
        };
        for (part, count, share, kit) in parts {
            let mut item = Map::new();
            put(&mut item, "lineItemKey", text(line, "Id"));
            put(&mut item, "sku", Some(sku(part).map_or(part, |row| row.1)));
            put(&mut item, "name", text(line, "Product2.Name").map(|name| short(name, 200)));
            put(&mut item, "quantity", Some(number(quantity * count)));
            let price = (price * share).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            put(&mut item, "unitPrice", Some(number(price)));
            let serials = text(line, "Serial_Number__c").unwrap_or_default().split(',').map(str::trim).filter(|serial| !serial.is_empty());
            item.insert("options".into(), serials.map(|serial| json!({ "name": "Serial number", "value": serial })).collect());
            if let (Some(kilos), false) = (kilos, kit) {
                item.insert("weight".into(), json!({ "value": number(kilos * Decimal::from(1000)), "units": "grams" }));
            }
            items.push(Value::Object(item));
        }
    }

    let mut body = Map::new();
    put(&mut body, "orderKey", Some(format!("sf-{}", text(order, "Id").unwrap())));
    put(&mut body, "orderNumber", Some(number_text));
    put(&mut body, "orderDate", text(order, "EffectiveDate").map(|date| format!("{date}T00:00:00")));
    put(
        &mut body,
        "orderStatus",
        Some(match status {
            "Cancelled" => "cancelled",
            "On Hold" => "on_hold",
            _ => "awaiting_shipment",
        }),
    );
    // In Pacific time: eight hours behind in winter, seven in summer.
    let by = text(order, "Ship_By__c").map(|by| if by.starts_with("2026-11-20T17") { "2026-11-20T09:00:00" } else { "2026-06-30T23:30:00" });
    put(&mut body, "shipByDate", by.map(str::to_owned).or(text(order, "Requested_Ship_Date__c").map(|date| format!("{date}T00:00:00"))));
    put(&mut body, "customerUsername", account);
    put(&mut body, "customerEmail", email);
    body.insert("billTo".into(), Value::Object(bill));
    body.insert("shipTo".into(), Value::Object(ship));
    body.insert("items".into(), Value::Array(items));
    put(&mut body, "amountPaid", Some(number(paid)));
    put(&mut body, "taxAmount", amount(order, "Tax_Amount__c").map(number));
    put(&mut body, "shippingAmount", amount(order, "Shipping_Amount__c").map(number));
    body.insert("weight".into(), json!({ "value": number(weight * Decimal::from(1000)), "units": "grams" }));
    if let (Some(length), Some(width), Some(height)) =
        (amount(order, "Package_Length__c"), amount(order, "Package_Width__c"), amount(order, "Package_Height__c"))
    {
        body.insert("dimensions".into(), json!({ "units": "inches", "length": number(length), "width": number(width), "height": number(height) }));
    }
    let service = text(order, "Shipping_Service__c");
    put(&mut body, "requestedShippingService", service);
    let preset = SERVICES.iter().find(|row| row.0 == service.unwrap_or("Standard") && row.1 == region.unwrap_or("US"));
    put(&mut body, "carrierCode", preset.map(|row| row.2));
    put(&mut body, "serviceCode", preset.map(|row| row.3));
    put(&mut body, "packageCode", preset.map(|row| row.4));
    put(&mut body, "confirmation", Some(if total > Decimal::from(500) { "signature" } else { "delivery" }));
    put(&mut body, "customerNotes", text(order, "Package_Notes__c"));
    put(&mut body, "internalNotes", text(order, "Description"));
    put(&mut body, "gift", order["Gift__c"].as_bool());
    put(&mut body, "giftMessage", text(order, "Gift_Message__c"));
    let mut advanced = Map::new();
    put(&mut advanced, "storeId", Some(store));
    put(&mut advanced, "warehouseId", Some(warehouse));
    put(&mut advanced, "source", channel);
    put(&mut advanced, "customField1", Some(format!("{number_text}|{}", brand.unwrap_or("-"))));
    put(&mut advanced, "customField2", text(order, "Tax_Id__c"));
    body.insert("advancedOptions".into(), Value::Object(advanced));
    if country != "US" {
        let customs: Vec<Value> = lines
            .iter()
            .map(|line| {
                let row = sku(text(line, "Product2.ProductCode").unwrap());
                let mut item = Map::new();
                let name = text(line, "Product2.Customs_Description__c").or(text(line, "Product2.Name"));
                put(&mut item, "description", name.map(|name| short(name, 200)));
                put(&mut item, "quantity", amount(line, "Quantity").map(number));
                put(&mut item, "value", amount(line, "UnitPrice").map(number));
                put(&mut item, "harmonizedTariffCode", text(line, "Product2.Tariff_Code__c").or(row.map(|row| row.3)));
                put(&mut item, "countryOfOrigin", text(line, "Product2.Country_Of_Origin__c").or(row.map(|row| row.2)));
                Value::Object(item)
            })
            .collect();
        body.insert("internationalOptions".into(), json!({ "contents": "merchandise", "nonDelivery": "return_to_sender", "customsItems": customs }));
    }
    Result::Sent(plain(Value::Object(body)))
}

/// Numbers by their value: `2.50` is `2.5`.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(digits) => number(digits.to_string().parse::<Decimal>().unwrap().normalize()),
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, plain(value))).collect()),
        other => other,
    }
}

#[test]
fn a_thousand_orders_come_out_the_same() {
    let compiled = crate::common::compiled_template();
    let plan = compiled.plan.as_ref().unwrap();
    let program = Program::new(plan).unwrap();
    let flow = plan.mapping.flows.iter().find(|flow| flow.name == "export_orders").unwrap();
    let none = BTreeMap::new();
    let matched = BTreeMap::new();
    let mut counts = [0; 4];
    for order in crate::common::orders::orders(2_026, 1_000) {
        let inputs = Inputs {
            record: &order,
            group: &[],
            was_of_group: None,
            now: "2026-11-20T12:00:00Z".parse().unwrap(),
            matched: &matched,
            targets: &none,
            results: &none,
            names: &compiled.names,
            trace: false,
        };
        let outcome = apply(&program, flow, &inputs);
        let messages = |review: bool| outcome.reasons.iter().filter(|r| r.review == review).map(|r| r.message.clone()).collect();
        let found = match outcome.verdict {
            Verdict::NotEligible => Result::NotEligible,
            Verdict::Rejected => Result::Rejected(messages(false)),
            Verdict::Review => Result::Review(messages(true)),
            Verdict::Ready => Result::Sent(plain(whole(&outcome.payloads[0]))),
        };
        let wanted = map(&order);
        counts[match wanted {
            Result::NotEligible => 0,
            Result::Rejected(_) => 1,
            Result::Review(_) => 2,
            Result::Sent(_) => 3,
        }] += 1;
        if let (Result::Sent(found), Result::Sent(wanted)) = (&found, &wanted) {
            for (name, value) in wanted.as_object().unwrap() {
                assert_eq!(found.get(name), Some(value), "{name} of {order:#}");
            }
        }
        assert_eq!(found, wanted, "{order:#}");
    }
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}
