//! Salesforce orders by the thousand: seeded, of every shape that a real org returns, good and bad.

use serde_json::{Value, json};

/// A small deterministic generator (SplitMix64, Steele et al. 2014): the same seed gives the same orders.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

type Place = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

/// street, city, postal code, country code, state, state code
const PLACES: &[Place] = &[
    ("1600 Amphitheatre Pkwy", "Mountain View", "94043", "US", Some("California"), Some("CA")),
    ("350 Fifth Ave\nFloor 21", "New York", "10118-0110", "US", Some("New York"), Some("NY")),
    ("PO Box 12", "Elko", "89801", "US", Some("Nev."), None),
    ("221B Baker Street", "London", "NW1 6XE", "GB", None, None),
    ("10 High St\nFlat 2\nRear entrance", "Leeds", "ls1 4dy", "GB", None, None),
    ("Müllerstraße 12", "Berlin", "13353", "DE", Some("Berlin"), None),
    ("7 rue de l'Église", "Lyon", "69002", "FR", None, None),
    ("290 Bremner Blvd", "Toronto", "M5V 3L9", "CA", Some("Ontario"), Some("ON")),
    ("11 York St", "Sydney", "2000", "AU", Some("New South Wales"), None),
    ("12 O'Connell Street", "Dublin", "D01 F5P2", "IE", None, None),
    ("1-7-1 Konan", "Tokyo", "108-0075", "JP", Some("Tokyo"), Some("13")),
    ("Av. Paulista, 1578", "São Paulo", "01310-200", "BR", Some("São Paulo"), Some("SP")),
];
const PRODUCTS: &[(&str, &str, Option<&str>)] = &[
    ("TENT-2P", "Two-person tent", Some("3.2")),
    ("BAG-DOWN", "Down sleeping bag", Some("1.1")),
    ("MAT-LITE", "Sleeping mat, light", Some("0.42")),
    ("CUP-01", "Stoneware cup", Some("0.35")),
    ("KIT-CAMP", "Camping set for two", Some("7.25")),
    ("KIT-TEA", "Tea set, 4 cups and pot", Some("2.3")),
    ("LAMP-9", "Reading lamp", Some("1.85")),
    ("ZZ-77", "Article without a mapping", None),
];
const PEOPLE: &[&str] = &["Alex Morgan", "Siân O'Neill", "Jürgen Groß", "山田 太郎", "Łukasz Żółć", "José da Silva", "Kim Lee"];

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn money(dice: &mut Dice, most: usize) -> String {
    format!("{}.{:02}", dice.below(most), dice.below(100))
}

fn address(dice: &mut Dice) -> Value {
    let (street, city, code, country, state, state_code) = PLACES[dice.below(PLACES.len())];
    let mut address = json!({
        "street": street, "city": city, "postalCode": code, "countryCode": country, "country": country,
        "state": state, "stateCode": state_code, "latitude": null, "longitude": null, "geocodeAccuracy": null,
    });
    // One in eight has something wrong with it.
    match dice.below(40) {
        0 => address["street"] = Value::Null,
        1 => address["city"] = json!("  "),
        2 => address["postalCode"] = Value::Null,
        3 => address["postalCode"] = json!("12"),
        4 => {
            address["countryCode"] = Value::Null;
        }
        5 => {
            address["state"] = Value::Null;
            address["stateCode"] = Value::Null;
        }
        _ => {}
    }
    address
}

fn contact(dice: &mut Dice) -> Value {
    if dice.once_in(12) {
        return Value::Null;
    }
    let name = dice.pick(PEOPLE);
    let email = match dice.below(20) {
        0 => json!("not an address"),
        1 => Value::Null,
        2 => json!(" Someone@Example.COM "),
        n => json!(format!("person{n}@example.com")),
    };
    let phone = if dice.once_in(6) { Value::Null } else { json!(format!("+1 775 555 {:04}", dice.below(10_000))) };
    json!({ "attributes": { "type": "Contact" }, "Id": "003000000000001AAA", "Name": name, "Email": email, "Phone": phone })
}

/// One order, as a REST query with parents and child records gives it.
pub(crate) fn order(dice: &mut Dice, n: usize) -> Value {
    let mut lines = Vec::new();
    let count = if dice.once_in(25) { 0 } else { 1 + dice.below(5) };
    for line in 0..count {
        let (code, name, weight) = PRODUCTS[dice.below(PRODUCTS.len())];
        let code = if dice.once_in(40) { Value::Null } else { json!(code) };
        let product = if dice.once_in(60) {
            Value::Null
        } else {
            json!({
                "attributes": { "type": "Product2" }, "Id": "01t000000000001AAA", "Name": name, "ProductCode": code,
                "Weight__c": weight.map_or(Value::Null, number), "Country_Of_Origin__c": null, "Tariff_Code__c": null,
                "Customs_Description__c": if dice.once_in(5) { json!("Goods") } else { Value::Null },
            })
        };
        let quantity = if dice.once_in(15) { "0".to_owned() } else { format!("{}", 1 + dice.below(9)) };
        lines.push(json!({
            "attributes": { "type": "OrderItem" }, "Id": format!("802{n:09}{line:03}AAA"), "Quantity": number(&quantity),
            "UnitPrice": number(&money(dice, 400)), "Warehouse__c": null, "SystemModstamp": "2026-11-18T09:30:00.000+0000",
            "Product2": product,
        }));
    }
    let text = |dice: &mut Dice, of: &[&str]| if dice.once_in(4) { Value::Null } else { json!(dice.pick(of)) };
    let shipping = if dice.once_in(40) { Value::Null } else { address(dice) };
    let billing = if dice.once_in(3) { Value::Null } else { address(dice) };
    let package = dice.once_in(5);
    let size = |dice: &mut Dice| if package { number(&format!("{}.{}", 1 + dice.below(30), dice.below(10))) } else { Value::Null };
    json!({
        "attributes": { "type": "Order" }, "Id": format!("801{n:012}AAA"), "OrderNumber": format!("{n:08}"),
        "Status": dice.pick(&["Activated", "Activated", "Activated", "Ready to Ship", "On Hold", "Cancelled", "Draft", "Partially Returned"]),
        "EffectiveDate": format!("2026-{:02}-{:02}", 1 + dice.below(12), 1 + dice.below(28)),
        "EndDate": null, "TotalAmount": number(&money(dice, 30_000)),
        "Description": text(dice, &["VIP", "second order", "   "]),
        "Account": { "attributes": { "type": "Account" }, "Name": dice.pick(&["Nordlicht Outdoor GmbH", "Harbour Tea Ltd", "株式会社テスト"]),
                     "Phone": text(dice, &["+1 775 555 0100"]) },
        "BillToContact": contact(dice), "ShipToContact": contact(dice),
        "BillingAddress": billing, "ShippingAddress": shipping,
        "Channel__c": text(dice, &["Web", "Amazon", "Wholesale", "eBay"]),
        "Region__c": text(dice, &["US", "UK", "EU", "CA", "APAC", "LATAM"]),
        "Priority__c": text(dice, &["Low", "Normal", "High"]), "Brand__c": text(dice, &["North", "South"]),
        "Ship_By__c": text(dice, &["2026-11-20T17:00:00.000+0000", "2026-07-01T06:30:00.000+0000"]),
        "Requested_Ship_Date__c": text(dice, &["2026-12-01", "2026-03-29"]),
        "Shipping_Service__c": text(dice, &["Standard", "Expedited", "Next Day", "Economy", "International"]),
        "Shipping_Amount__c": number(&money(dice, 30)), "Tax_Amount__c": number(&money(dice, 90)),
        "Package_Notes__c": text(dice, &["Leave with the neighbour", "ring twice"]), "Notes__c": null,
        "Gift__c": dice.once_in(7), "Gift_Message__c": text(dice, &["Happy birthday, Zoë! 🎂"]), "Tax_Id__c": text(dice, &["IOSS IM2760000742"]),
        "Package_Length__c": size(dice), "Package_Width__c": size(dice), "Package_Height__c": size(dice),
        "SystemModstamp": "2026-11-18T09:30:00.000+0000",
        "OrderItems": if lines.is_empty() { Value::Null } else { json!({ "totalSize": lines.len(), "done": true, "records": lines }) },
    })
}

pub(crate) fn orders(seed: u64, count: usize) -> Vec<Value> {
    let mut dice = Dice::new(seed);
    (0..count).map(|n| order(&mut dice, n + 1)).collect()
}
