//! The template's orders out, written by hand: serde structs that borrow from the record, exact decimals, tables as
//! matches. As one would write it for this one client, and for speed.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// What a reader gives for a number: its digits.
pub trait Digits {
    fn digits(&self) -> &str;
}

impl Digits for &serde_json::value::RawValue {
    fn digits(&self) -> &str {
        self.get()
    }
}

impl Digits for sonic_rs::RawNumber {
    fn digits(&self) -> &str {
        self.as_str()
    }
}

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Order<'a, N> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    order_number: Cow<'a, str>,
    status: Cow<'a, str>,
    effective_date: Text<'a>,
    total_amount: N,
    description: Text<'a>,
    account: Option<Account<'a>>,
    bill_to_contact: Option<Contact<'a>>,
    ship_to_contact: Option<Contact<'a>>,
    billing_address: Option<Address<'a>>,
    shipping_address: Option<Address<'a>>,
    #[serde(rename = "Channel__c")]
    channel: Text<'a>,
    #[serde(rename = "Region__c")]
    region: Text<'a>,
    #[serde(rename = "Priority__c")]
    priority: Text<'a>,
    #[serde(rename = "Brand__c")]
    brand: Text<'a>,
    #[serde(rename = "Ship_By__c")]
    ship_by: Text<'a>,
    #[serde(rename = "Requested_Ship_Date__c")]
    requested_ship_date: Text<'a>,
    #[serde(rename = "Shipping_Service__c")]
    shipping_service: Text<'a>,
    #[serde(rename = "Shipping_Amount__c")]
    shipping_amount: Option<N>,
    #[serde(rename = "Tax_Amount__c")]
    tax_amount: Option<N>,
    #[serde(rename = "Package_Notes__c")]
    package_notes: Text<'a>,
    #[serde(rename = "Gift__c")]
    gift: Option<bool>,
    #[serde(rename = "Gift_Message__c")]
    gift_message: Text<'a>,
    #[serde(rename = "Tax_Id__c")]
    tax_id: Text<'a>,
    #[serde(rename = "Package_Length__c")]
    package_length: Option<N>,
    #[serde(rename = "Package_Width__c")]
    package_width: Option<N>,
    #[serde(rename = "Package_Height__c")]
    package_height: Option<N>,
    order_items: Option<Records<Line<'a, N>>>,
}

#[derive(Deserialize)]
struct Records<T> {
    records: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Account<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    phone: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contact<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    email: Text<'a>,
    phone: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address<'a> {
    #[serde(borrow)]
    street: Text<'a>,
    city: Text<'a>,
    postal_code: Text<'a>,
    country_code: Text<'a>,
    state: Text<'a>,
    state_code: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a, N> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    quantity: N,
    unit_price: N,
    product2: Option<Product<'a, N>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Product<'a, N> {
    #[serde(borrow)]
    name: Text<'a>,
    product_code: Text<'a>,
    #[serde(rename = "Weight__c")]
    weight: Option<N>,
    #[serde(rename = "Country_Of_Origin__c")]
    origin: Text<'a>,
    #[serde(rename = "Tariff_Code__c")]
    tariff: Text<'a>,
    #[serde(rename = "Customs_Description__c")]
    customs: Text<'a>,
}

// ---- what is sent ----

struct Number(Decimal);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

type Maybe<'r> = Option<Cow<'r, str>>;

macro_rules! sent {
    ($name:ident { $($field:ident: $of:ty),* $(,)? }) => {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct $name<'r> { $(#[serde(skip_serializing_if = "skip")] $field: $of,)* #[serde(skip)] of: std::marker::PhantomData<&'r ()> }
    };
}

trait Left {
    fn left(&self) -> bool {
        false
    }
}
impl<T> Left for Option<T> {
    fn left(&self) -> bool {
        self.is_none()
    }
}
impl Left for String {}
impl Left for &str {}
impl Left for u32 {}
impl Left for Number {}
impl<T> Left for Vec<T> {}
impl Left for Weight {}
impl Left for Party<'_> {}
impl Left for Advanced<'_> {}

fn skip<T: Left>(of: &T) -> bool {
    of.left()
}

sent!(Sent {
    order_key: String,
    order_number: &'r str,
    order_date: Option<String>,
    order_status: &'r str,
    ship_by_date: Option<String>,
    customer_username: Option<&'r str>,
    customer_email: Option<String>,
    bill_to: Party<'r>,
    ship_to: Party<'r>,
    items: Vec<Item<'r>>,
    amount_paid: Number,
    tax_amount: Option<Number>,
    shipping_amount: Option<Number>,
    weight: Weight,
    dimensions: Option<Dimensions<'r>>,
    requested_shipping_service: Option<&'r str>,
    carrier_code: Option<&'r str>,
    service_code: Option<&'r str>,
    package_code: Option<&'r str>,
    confirmation: &'r str,
    customer_notes: Option<&'r str>,
    internal_notes: Option<&'r str>,
    gift: Option<bool>,
    gift_message: Option<&'r str>,
    advanced_options: Advanced<'r>,
    international_options: Option<International<'r>>,
});
sent!(Party {
    name: Maybe<'r>,
    company: Maybe<'r>,
    street1: Option<&'r str>,
    street2: Option<&'r str>,
    street3: Option<&'r str>,
    city: Option<&'r str>,
    state: Option<&'r str>,
    postal_code: Maybe<'r>,
    country: Maybe<'r>,
    phone: Option<&'r str>,
});
sent!(Item {
    line_item_key: &'r str,
    sku: &'r str,
    name: Maybe<'r>,
    quantity: Number,
    unit_price: Number,
    weight: Option<Weight>,
});
#[derive(Serialize)]
struct Weight {
    value: Number,
    units: &'static str,
}
sent!(Dimensions {
    units: &'r str,
    length: Number,
    width: Number,
    height: Number,
});
sent!(Advanced {
    store_id: u32,
    warehouse_id: u32,
    source: Option<&'r str>,
    custom_field1: String,
    custom_field2: Option<&'r str>,
});
sent!(International {
    contents: &'r str,
    non_delivery: &'r str,
    customs_items: Vec<Customs<'r>>,
});
sent!(Customs {
    description: Maybe<'r>,
    quantity: Number,
    value: Number,
    harmonized_tariff_code: Option<&'r str>,
    country_of_origin: Option<&'r str>,
});

const OF: std::marker::PhantomData<&()> = std::marker::PhantomData;

// ---- the tables of the client ----

pub struct Sku {
    pub sku: &'static str,
    pub origin: &'static str,
    pub tariff: &'static str,
}

pub fn sku(code: &str) -> Option<Sku> {
    let (sku, origin, tariff) = match code {
        "TENT-2P" => ("WH-1001", "CN", "630622"),
        "BAG-DOWN" => ("WH-1002", "CN", "940430"),
        "MAT-LITE" => ("WH-1003", "VN", "940429"),
        "CUP-01" => ("01234", "GB", "691200"),
        "POT-01" => ("WH-2002", "GB", "691200"),
        "LAMP-9" => ("WH-3009", "DE", "940540"),
        _ => return None,
    };
    Some(Sku { sku, origin, tariff })
}

pub fn kit(code: &str) -> &'static [(&'static str, i64, i64)] {
    match code {
        "KIT-CAMP" => &[("TENT-2P", 1, 60), ("BAG-DOWN", 2, 15), ("MAT-LITE", 2, 5)],
        "KIT-TEA" => &[("CUP-01", 4, 10), ("POT-01", 1, 60)],
        _ => &[],
    }
}

pub fn preset(service: &str, region: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match (service, region) {
        ("Standard", "US") => ("stamps_com", "usps_priority_mail", "package"),
        ("Standard", "CA") => ("ups", "ups_standard", "package"),
        ("Standard", "UK") => ("royal_mail", "rm_tracked_48", "parcel"),
        ("Standard", "EU") => ("dhl_express", "dhl_express_worldwide", "package"),
        ("Expedited", "US") => ("ups", "ups_2nd_day_air", "package"),
        ("Expedited", "UK") => ("royal_mail", "rm_tracked_24", "parcel"),
        ("Expedited", "EU") => ("dhl_express", "dhl_express_worldwide", "package"),
        ("Next Day", "US") => ("ups", "ups_next_day_air", "package"),
        ("Next Day", "UK") => ("dhl_express", "dhl_express_1200", "package"),
        ("Economy", "US") => ("stamps_com", "usps_ground_advantage", "package"),
        ("International", "US") => ("fedex", "fedex_international_economy", "package"),
        ("International", "UK") => ("dhl_express", "dhl_express_worldwide", "package"),
        _ => return None,
    })
}

pub fn state_code(state: &str, country: &str) -> Option<&'static str> {
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

pub fn is_country(code: &str) -> bool {
    matches!(code, "US" | "GB" | "DE" | "FR" | "CA" | "AU" | "IE" | "JP" | "BR")
}

pub fn is_postal_code(code: &str, country: &str) -> bool {
    let shape = |shape: &str| {
        code.len() == shape.len()
            && code.bytes().zip(shape.bytes()).all(|(c, s)| match s {
                b'9' => c.is_ascii_digit(),
                b'A' => c.is_ascii_alphabetic(),
                b'*' => c.is_ascii_alphanumeric(),
                s => c == s,
            })
    };
    match country {
        "US" => shape("99999") || shape("99999-9999"),
        "GB" => (5..=8).contains(&code.len()) && code.contains(' '),
        "DE" | "FR" => shape("99999"),
        "CA" => shape("A9A 9A9"),
        "AU" => shape("9999"),
        "IE" => shape("A99 ****"),
        "JP" => shape("999-9999"),
        "BR" => shape("99999-999"),
        _ => true,
    }
}

pub fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

fn said<'r>(text: &'r Text<'_>) -> Option<&'r str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

pub fn short(text: &str, most: usize) -> Cow<'_, str> {
    let text = text.trim_start();
    let cut = text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]);
    Cow::Borrowed(cut.trim_end())
}

pub fn street_line(street: Option<&str>, n: usize) -> Option<&str> {
    street?.lines().map(str::trim).filter(|line| !line.is_empty()).nth(n)
}

fn weight(kilos: Decimal) -> Weight {
    Weight { value: Number((kilos * Decimal::from(1000)).normalize()), units: "grams" }
}

pub fn start_of_day(date: &str, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.parse::<jiff::civil::Date>().ok()?.to_zoned(zone.clone()).ok()?.timestamp())
}

pub fn in_zone(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// What became of an order.
pub enum Fate {
    Sent,
    NotEligible,
    Stopped,
}

/// Maps one order and appends its payload.
pub fn map<N: Digits>(order: &Order<'_, N>, zone: &TimeZone, out: &mut Vec<u8>) -> Option<Fate> {
    let amount = |of: &N| Decimal::from_str_exact(of.digits()).ok();
    let maybe = |of: &Option<N>| of.as_ref().and_then(amount);
    let status = match &*order.status {
        "Activated" | "Ready to Ship" => "awaiting_shipment",
        "On Hold" => "on_hold",
        "Cancelled" => "cancelled",
        "Partially Returned" => return Some(Fate::Stopped),
        _ => return Some(Fate::NotEligible),
    };
    let total = amount(&order.total_amount)?;
    let none = Address { street: None, city: None, postal_code: None, country_code: None, state: None, state_code: None };
    let to = order.shipping_address.as_ref().unwrap_or(&none);
    let (street, city, code, country) = (said(&to.street), said(&to.city), said(&to.postal_code), said(&to.country_code));
    let (Some(street), Some(city), Some(code), Some(country)) = (street, city, code, country) else { return Some(Fate::Stopped) };
    let state = said(&to.state_code).or(said(&to.state));
    if !is_country(country) || !is_postal_code(code, country) {
        return Some(Fate::Stopped);
    }
    if matches!(country, "US" | "CA" | "AU") && state.and_then(|state| state_code(state, country)).is_none() {
        return Some(Fate::Stopped);
    }
    let records = order.order_items.as_ref().map(|items| items.records.as_slice()).unwrap_or_default();
    let lines: Vec<&Line<'_, N>> = records.iter().filter(|line| amount(&line.quantity).is_some_and(|quantity| quantity > Decimal::ZERO)).collect();
    let product_code = |line: &Line<'_, N>| line.product2.as_ref().and_then(|product| said(&product.product_code)).is_some();
    if lines.is_empty() || !lines.iter().all(|line| product_code(line)) {
        return Some(Fate::Stopped);
    }
    let bill_contact = order.bill_to_contact.as_ref();
    let ship_contact = order.ship_to_contact.as_ref();
    let email = bill_contact.and_then(|contact| said(&contact.email)).map(|email| email.trim().to_lowercase());
    if email.as_ref().is_some_and(|email| !is_email(email)) {
        return Some(Fate::Stopped);
    }
    if total < Decimal::ZERO || total > Decimal::from(20_000) {
        return Some(Fate::Stopped);
    }
    let (channel, region, brand) = (said(&order.channel), said(&order.region), said(&order.brand));
    if channel == Some("Wholesale") && brand == Some("South") {
        return Some(Fate::Stopped);
    }
    let high = total > Decimal::from(500);
    let (store_id, warehouse_id) = if channel == Some("Amazon") {
        (300_101, 4401)
    } else if matches!(region, Some("UK" | "EU")) {
        (300_102, 4411)
    } else if said(&order.priority) == Some("High") && high {
        (300_103, 4421)
    } else {
        (300_103, 4401)
    };
    let account = order.account.as_ref().and_then(|account| said(&account.name));
    let phone = ship_contact.and_then(|contact| said(&contact.phone));
    let phone = phone.or_else(|| bill_contact.and_then(|contact| said(&contact.phone)));
    let phone = phone.or_else(|| order.account.as_ref().and_then(|account| said(&account.phone)));

    let (mut paid, mut kilos) = (Decimal::ZERO, Decimal::ZERO);
    let mut items = Vec::with_capacity(lines.len() + 2);
    let mut customs = Vec::new();
    for line in &lines {
        let product = line.product2.as_ref()?;
        let code = said(&product.product_code)?;
        let (quantity, price, weighs) = (amount(&line.quantity)?, amount(&line.unit_price)?, maybe(&product.weight));
        paid += quantity * price;
        kilos += weighs.unwrap_or_default() * quantity;
        let name = || said(&product.name).map(|name| short(name, 200));
        let item = |sku, quantity: Decimal, price: Decimal, weight| Item {
            line_item_key: &line.id,
            sku,
            name: name(),
            quantity: Number(quantity.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).normalize()),
            unit_price: Number(price.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)),
            weight,
            of: OF,
        };
        let parts = kit(code);
        if parts.is_empty() {
            items.push(item(sku(code).map_or(code, |row| row.sku), quantity, price, weighs.map(weight)));
        }
        for (part, count, share) in parts {
            let sku = sku(part).map_or(*part, |row| row.sku);
            items.push(item(sku, quantity * Decimal::from(*count), price * Decimal::new(*share, 2), None));
        }
        if country != "US" {
            let row = sku(code);
            let description = said(&product.customs).or(said(&product.name)).map(|text| short(text, 200));
            customs.push(Customs {
                description,
                quantity: Number(quantity),
                value: Number(price),
                harmonized_tariff_code: said(&product.tariff).or(row.as_ref().map(|row| row.tariff)),
                country_of_origin: said(&product.origin).or(row.as_ref().map(|row| row.origin)),
                of: OF,
            });
        }
    }
    let in_zone = |instant: Timestamp| in_zone(instant, zone);
    let day = |date: &str| start_of_day(date, zone).map(in_zone);
    let service = said(&order.shipping_service);
    let preset = preset(service.unwrap_or("Standard"), region.unwrap_or("US"));
    let bill = order.billing_address.as_ref().unwrap_or(to);
    let bill_name = bill_contact.and_then(|contact| said(&contact.name)).or(account);
    let ship_name = ship_contact.and_then(|contact| said(&contact.name)).or(account);
    let upper = |text: &'_ str| text.bytes().any(|byte| byte.is_ascii_lowercase());
    let dimensions = match (maybe(&order.package_length), maybe(&order.package_width), maybe(&order.package_height)) {
        (Some(length), Some(width), Some(height)) => {
            Some(Dimensions { units: "inches", length: Number(length), width: Number(width), height: Number(height), of: OF })
        }
        _ => None,
    };
    let sent = Sent {
        order_key: format!("sf-{}", order.id),
        order_number: &order.order_number,
        order_date: said(&order.effective_date).and_then(day),
        order_status: status,
        ship_by_date: match said(&order.ship_by) {
            Some(instant) => instant.parse().ok().map(in_zone),
            None => said(&order.requested_ship_date).and_then(day),
        },
        customer_username: account,
        customer_email: email,
        bill_to: Party {
            name: bill_name.map(|name| short(name, 100)),
            company: None,
            street1: street_line(said(&bill.street), 0),
            street2: street_line(said(&bill.street), 1),
            street3: None,
            city: said(&bill.city).map(str::trim),
            state: said(&bill.state_code).or(said(&bill.state)),
            postal_code: said(&bill.postal_code).map(Cow::Borrowed),
            country: said(&bill.country_code).map(Cow::Borrowed),
            phone: None,
            of: OF,
        },
        ship_to: Party {
            name: ship_name.map(|name| short(name, 100)),
            company: account.map(|name| short(name, 100)),
            street1: street_line(Some(street), 0),
            street2: street_line(Some(street), 1),
            street3: street_line(Some(street), 2),
            city: Some(city.trim()),
            state: state.map(|state| state_code(state, country).unwrap_or(state)),
            postal_code: Some(if upper(code) && country == "GB" { Cow::Owned(code.to_uppercase()) } else { Cow::Borrowed(code) }),
            country: Some(if upper(country) { Cow::Owned(country.to_uppercase()) } else { Cow::Borrowed(country) }),
            phone,
            of: OF,
        },
        items,
        amount_paid: Number(paid.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)),
        tax_amount: maybe(&order.tax_amount).map(Number),
        shipping_amount: maybe(&order.shipping_amount).map(Number),
        weight: weight(kilos),
        dimensions,
        requested_shipping_service: service,
        carrier_code: preset.map(|preset| preset.0),
        service_code: preset.map(|preset| preset.1),
        package_code: preset.map(|preset| preset.2),
        confirmation: if high { "signature" } else { "delivery" },
        customer_notes: said(&order.package_notes),
        internal_notes: said(&order.description),
        gift: order.gift,
        gift_message: said(&order.gift_message),
        advanced_options: Advanced {
            store_id,
            warehouse_id,
            source: channel,
            custom_field1: format!("{}|{}", order.order_number, brand.unwrap_or("-")),
            custom_field2: said(&order.tax_id),
            of: OF,
        },
        international_options: (country != "US").then_some(International {
            contents: "merchandise",
            non_delivery: "return_to_sender",
            customs_items: customs,
            of: OF,
        }),
        of: OF,
    };
    serde_json::to_writer(&mut *out, &sent).ok()?;
    out.push(b'\n');
    Some(Fate::Sent)
}
