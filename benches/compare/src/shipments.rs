//! The second task: ShipStation shipments of about 900 bytes to updates of Salesforce records; the records, and the same
//! written by hand.

use serde::{Deserialize, Serialize};
use serde_json::json;

#[path = "../../../tests/common/orders.rs"]
#[allow(dead_code, reason = "of the tests' generator only the dice")]
mod generated;

use generated::Dice;

/// So many shipments, a line each; one in twelve was voided.
pub fn shipments(seed: u64, count: usize) -> String {
    let mut dice = Dice::new(seed);
    let mut text = String::new();
    for at in 0..count {
        let number = dice.below(10_000_000);
        let items: Vec<_> = (0..1 + dice.below(2))
            .map(|_| json!({"orderItemId": dice.below(1_000_000), "lineItemKey": format!("802{:012}AAA", dice.below(1_000_000)), "sku": "LAMP-9", "name": "Reading lamp", "quantity": 1 + dice.below(4), "unitPrice": 61.64}))
            .collect();
        let shipment = json!({
            "shipmentId": 33_000_000 + at, "orderId": number, "orderKey": format!("sf-801{number:012}AAA"), "userId": null,
            "customerEmail": format!("person{}@example.com", dice.below(100_000)), "orderNumber": format!("{number:08}"),
            "createDate": format!("2026-11-{:02}T09:30:00.0000000", 1 + dice.below(28)), "shipDate": format!("2026-11-{:02}", 1 + dice.below(28)),
            "shipmentCost": 12.5, "insuranceCost": 0, "trackingNumber": format!("1Z999AA1{:010}", dice.below(1_000_000_000)), "isReturnLabel": false,
            "batchNumber": null, "carrierCode": dice.pick(&["ups", "stamps_com", "fedex", "ups_walleted"]),
            "serviceCode": dice.pick(&["ups_ground", "ups_2nd_day_air", "usps_priority_mail"]), "packageCode": "package", "confirmation": "delivery",
            "warehouseId": 4401, "voided": at % 12 == 0, "voidDate": null, "marketplaceNotified": false, "notifyErrorMessage": null,
            "shipTo": {"name": "Zoë Müller", "company": null, "street1": "12 High Street", "street2": null, "city": "Berlin", "state": "BE", "postalCode": "13353", "country": "DE"},
            "weight": {"value": 1850, "units": "grams"}, "shipmentItems": items,
        });
        text.push_str(&shipment.to_string());
        text.push('\n');
    }
    text
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment<'a> {
    shipment_id: u64,
    carrier_code: Option<&'a str>,
    service_code: Option<&'a str>,
    tracking_number: Option<&'a str>,
    ship_date: Option<&'a str>,
    voided: bool,
}

#[derive(Serialize)]
struct Update<'a> {
    #[serde(rename = "Shipment_Key__c")]
    key: String,
    #[serde(rename = "Carrier__c")]
    carrier: &'a str,
    #[serde(rename = "Service__c", skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(rename = "Tracking_Number__c", skip_serializing_if = "Option::is_none")]
    tracking: Option<&'a str>,
    #[serde(rename = "Shipped_At__c", skip_serializing_if = "Option::is_none")]
    shipped: Option<String>,
    #[serde(rename = "Status__c")]
    status: &'a str,
}

/// Maps one shipment and appends its update; nothing where it was voided, or its carrier is not known.
pub fn map(shipment: &Shipment<'_>, out: &mut Vec<u8>) -> Option<()> {
    if shipment.voided {
        return None;
    }
    let said = |text: Option<&'_ str>| text.is_some_and(|text| !text.trim().is_empty());
    let carrier = match shipment.carrier_code? {
        "stamps_com" => "USPS",
        "ups" | "ups_walleted" => "UPS",
        "fedex" => "FedEx",
        _ => return None,
    };
    let shipped = shipment.ship_date.filter(|date| said(Some(date)));
    if shipped.is_some_and(|date| date.parse::<jiff::civil::Date>().is_err()) {
        return None;
    }
    let update = Update {
        key: format!("ss-{}", shipment.shipment_id),
        carrier,
        service: shipment.service_code.filter(|text| said(Some(text)) && text.chars().count() <= 255),
        tracking: shipment.tracking_number.filter(|text| said(Some(text)) && text.chars().count() <= 255),
        shipped: shipped.map(|date| format!("{date}T00:00:00Z")),
        status: "Shipped",
    };
    serde_json::to_writer(&mut *out, &update).ok()?;
    out.push(b'\n');
    Some(())
}
