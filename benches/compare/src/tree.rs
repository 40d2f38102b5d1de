//! The template's orders out by `serde_json::Value`: read whole, looked into by keys, a new one built and written. As a
//! script would do it.

use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use crate::typed::{in_zone, is_country, is_email, is_postal_code, kit, preset, short, sku, start_of_day, state_code, street_line};

fn said<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str().filter(|text| !text.trim().is_empty())
}

fn amount(value: &Value, name: &str) -> Option<Decimal> {
    match value.get(name)? {
        Value::Number(number) => Decimal::from_str_exact(&number.to_string()).ok(),
        _ => None,
    }
}

fn number(amount: Decimal) -> Value {
    Value::Number(amount.to_string().parse().expect("digits are a number"))
}

fn weight(kilos: Decimal) -> Value {
    json!({"value": number((kilos * Decimal::from(1000)).normalize()), "units": "grams"})
}

/// Without fields that have no value.
fn set(fields: Value) -> Value {
    match fields {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

/// Maps one order; none where it is stopped, or is none of the flow's.
pub fn map(order: &Value, zone: &TimeZone) -> Option<Value> {
    let status = match said(order, "Status")? {
        "Activated" | "Ready to Ship" => "awaiting_shipment",
        "On Hold" => "on_hold",
        "Cancelled" => "cancelled",
        _ => return None,
    };
    let total = amount(order, "TotalAmount")?;
    let to = &order["ShippingAddress"];
    let (street, city, code, country) = (said(to, "street")?, said(to, "city")?, said(to, "postalCode")?, said(to, "countryCode")?);
    let state = said(to, "stateCode").or(said(to, "state"));
    if !is_country(country) || !is_postal_code(code, country) {
        return None;
    }
    if matches!(country, "US" | "CA" | "AU") && state.and_then(|state| state_code(state, country)).is_none() {
        return None;
    }
    let none = Vec::new();
    let records = order["OrderItems"]["records"].as_array().unwrap_or(&none);
    let lines: Vec<&Value> = records.iter().filter(|line| amount(line, "Quantity").is_some_and(|quantity| quantity > Decimal::ZERO)).collect();
    if lines.is_empty() || !lines.iter().all(|line| said(&line["Product2"], "ProductCode").is_some()) {
        return None;
    }
    let (bill_contact, ship_contact, account) = (&order["BillToContact"], &order["ShipToContact"], &order["Account"]);
    let email = said(bill_contact, "Email").map(|email| email.trim().to_lowercase());
    if email.as_ref().is_some_and(|email| !is_email(email)) || total < Decimal::ZERO || total > Decimal::from(20_000) {
        return None;
    }
    let (channel, region, brand) = (said(order, "Channel__c"), said(order, "Region__c"), said(order, "Brand__c"));
    if channel == Some("Wholesale") && brand == Some("South") {
        return None;
    }
    let high = total > Decimal::from(500);
    let (store, warehouse) = if channel == Some("Amazon") {
        (300_101, 4401)
    } else if matches!(region, Some("UK" | "EU")) {
        (300_102, 4411)
    } else if said(order, "Priority__c") == Some("High") && high {
        (300_103, 4421)
    } else {
        (300_103, 4401)
    };
    let company = said(account, "Name");
    let phone = said(ship_contact, "Phone").or(said(bill_contact, "Phone")).or(said(account, "Phone"));

    let (mut paid, mut kilos) = (Decimal::ZERO, Decimal::ZERO);
    let (mut items, mut customs) = (Vec::new(), Vec::new());
    for line in lines {
        let product = &line["Product2"];
        let code = said(product, "ProductCode")?;
        let (quantity, price, weighs) = (amount(line, "Quantity")?, amount(line, "UnitPrice")?, amount(product, "Weight__c"));
        paid += quantity * price;
        kilos += weighs.unwrap_or_default() * quantity;
        let item = |sku: &str, quantity: Decimal, price: Decimal, weighs: Option<Decimal>| {
            set(json!({
                "lineItemKey": said(line, "Id"), "sku": sku, "name": said(product, "Name").map(|name| short(name, 200)),
                "quantity": number(quantity.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).normalize()),
                "unitPrice": number(price.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)),
                "weight": weighs.map(weight),
            }))
        };
        let parts = kit(code);
        if parts.is_empty() {
            items.push(item(sku(code).map_or(code, |row| row.sku), quantity, price, weighs));
        }
        for (part, count, share) in parts {
            items.push(item(sku(part).map_or(*part, |row| row.sku), quantity * Decimal::from(*count), price * Decimal::new(*share, 2), None));
        }
        if country != "US" {
            let row = sku(code);
            customs.push(set(json!({
                "description": said(product, "Customs_Description__c").or(said(product, "Name")).map(|text| short(text, 200)),
                "quantity": number(quantity), "value": number(price),
                "harmonizedTariffCode": said(product, "Tariff_Code__c").or(row.as_ref().map(|row| row.tariff)),
                "countryOfOrigin": said(product, "Country_Of_Origin__c").or(row.as_ref().map(|row| row.origin)),
            })));
        }
    }
    let day = |date: &str| start_of_day(date, zone).map(|instant| in_zone(instant, zone));
    let service = said(order, "Shipping_Service__c");
    let preset = preset(service.unwrap_or("Standard"), region.unwrap_or("US"));
    let bill = if order["BillingAddress"].is_object() { &order["BillingAddress"] } else { to };
    let party = |address: &Value, name: Option<&str>| -> Map<String, Value> {
        let street = said(address, "street");
        let fields = set(json!({
            "name": name.map(|name| short(name, 100)), "street1": street_line(street, 0), "street2": street_line(street, 1),
            "city": said(address, "city").map(str::trim), "state": said(address, "stateCode").or(said(address, "state")),
            "postalCode": said(address, "postalCode"), "country": said(address, "countryCode"),
        }));
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    };
    let bill_to = party(bill, said(bill_contact, "Name").or(company));
    let mut ship_to = party(to, said(ship_contact, "Name").or(company));
    let upper = |text: &str| Value::from(text.to_uppercase());
    let state = state.map(|state| Value::from(state_code(state, country).unwrap_or(state)));
    let more = [
        ("company", company.map(|name| Value::from(short(name, 100)))),
        ("street3", street_line(Some(street), 2).map(Value::from)),
        ("city", Some(Value::from(city.trim()))),
        ("state", state),
        ("postalCode", Some(if country == "GB" { upper(code) } else { Value::from(code) })),
        ("country", Some(upper(country))),
        ("phone", phone.map(Value::from)),
    ];
    ship_to.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let sizes = [amount(order, "Package_Length__c"), amount(order, "Package_Width__c"), amount(order, "Package_Height__c")];
    let dimensions = match sizes {
        [Some(length), Some(width), Some(height)] => {
            Some(json!({"units": "inches", "length": number(length), "width": number(width), "height": number(height)}))
        }
        _ => None,
    };
    let ship_by = match said(order, "Ship_By__c") {
        Some(instant) => instant.parse().ok().map(|instant| in_zone(instant, zone)),
        None => said(order, "Requested_Ship_Date__c").and_then(day),
    };
    let numbers = |name: &str| amount(order, name).map(number);
    Some(set(json!({
        "orderKey": format!("sf-{}", said(order, "Id")?), "orderNumber": said(order, "OrderNumber"),
        "orderDate": said(order, "EffectiveDate").and_then(day), "orderStatus": status, "shipByDate": ship_by,
        "customerUsername": company, "customerEmail": email, "billTo": bill_to, "shipTo": ship_to, "items": items,
        "amountPaid": number(paid.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)),
        "taxAmount": numbers("Tax_Amount__c"), "shippingAmount": numbers("Shipping_Amount__c"), "weight": weight(kilos), "dimensions": dimensions,
        "requestedShippingService": service, "carrierCode": preset.map(|preset| preset.0), "serviceCode": preset.map(|preset| preset.1),
        "packageCode": preset.map(|preset| preset.2), "confirmation": if high { "signature" } else { "delivery" },
        "customerNotes": said(order, "Package_Notes__c"), "internalNotes": said(order, "Description"), "gift": order.get("Gift__c"),
        "giftMessage": said(order, "Gift_Message__c"),
        "advancedOptions": set(json!({
            "storeId": store, "warehouseId": warehouse, "source": channel,
            "customField1": format!("{}|{}", said(order, "OrderNumber")?, brand.unwrap_or("-")), "customField2": said(order, "Tax_Id__c"),
        })),
        "internationalOptions": (country != "US").then(|| json!({"contents": "merchandise", "nonDelivery": "return_to_sender", "customsItems": customs})),
    })))
}
