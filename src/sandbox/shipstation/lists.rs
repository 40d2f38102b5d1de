//! What the account has: stores, warehouses, carriers with their services, tags.

use super::{Answered, Refused};
use crate::value::Json;

pub(super) const STORES: &[(i64, &str)] = &[(300_101, "Amazon US"), (300_102, "EU store"), (300_103, "US store")];
pub(super) const WAREHOUSES: &[(i64, &str, &str)] = &[(4_401, "Reno DC", "US"), (4_411, "Leeds DC", "GB"), (4_421, "Newark express", "US")];
/// Carriers, what they call themselves, their services.
pub(super) const CARRIERS: &[(&str, &str, &[&str])] = &[
    ("stamps_com", "Stamps.com", &["usps_priority_mail", "usps_ground_advantage", "usps_first_class_mail", "usps_priority_mail_express"]),
    ("ups", "UPS", &["ups_ground", "ups_2nd_day_air", "ups_next_day_air", "ups_standard", "ups_worldwide_expedited"]),
    ("fedex", "FedEx", &["fedex_ground", "fedex_2day", "fedex_international_economy", "fedex_priority_overnight"]),
    ("dhl_express", "DHL Express", &["dhl_express_worldwide", "dhl_express_1200"]),
    ("royal_mail", "Royal Mail", &["rm_tracked_24", "rm_tracked_48", "rm_special_delivery"]),
];
const TAGS: &[(i64, &str)] = &[(501, "Crossdock"), (502, "Hold for finance"), (503, "Fragile")];

/// When the account was set up.
const MADE: &str = "2025-09-01T08:00:00.000";

/// The one of a list whose field has a value.
pub(super) fn one(list: &Json, field: &str, value: &str) -> Answered {
    let number = value.parse::<i64>().ok();
    let is = |entry: &&Json| entry.get(field).is_some_and(|known| known.as_str() == Some(value) || (number.is_some() && known.as_i64() == number));
    let found = list.as_array().into_iter().flatten().find(is);
    found.cloned().ok_or_else(|| Refused::new(404, "The requested resource was not found."))
}

pub(super) fn stores() -> Json {
    let store = |(id, name): &(i64, &str)| {
        serde_json::json!({
            "storeId": id, "storeName": name, "marketplaceId": 0, "marketplaceName": "ShipStation", "accountName": null, "email": null,
            "integrationUrl": null, "active": true, "companyName": "", "phone": "", "publicEmail": "", "website": "",
            "refreshDate": MADE, "lastRefreshAttempt": MADE, "createDate": MADE, "modifyDate": MADE, "autoRefresh": false,
        })
    };
    STORES.iter().map(store).collect()
}

/// One store, which tells more than the list does.
pub(super) fn store(id: &str) -> Answered {
    let mut found = one(&stores(), "storeId", id)?;
    found["statusMappings"] = Json::Null;
    Ok(found)
}

pub(super) fn warehouses() -> Json {
    let warehouse = |(id, name, country): &(i64, &str, &str)| {
        let address = serde_json::json!({
            "name": name, "company": "", "street1": "1 Dock Road", "street2": "", "street3": "", "city": "", "state": "", "postalCode": "",
            "country": country, "phone": "", "residential": null, "addressVerified": null,
        });
        serde_json::json!({
            "warehouseId": id, "warehouseName": name, "originAddress": address, "returnAddress": address, "createDate": MADE, "isDefault": *id == 4_401,
        })
    };
    WAREHOUSES.iter().map(warehouse).collect()
}

pub(super) fn carriers() -> Json {
    let carrier = |(at, (code, name, _)): (usize, &(&str, &str, &[&str]))| serde_json::json!({"name": name, "code": code, "accountNumber": format!("SBX{at}"), "requiresFundedAccount": false, "balance": 0, "nickname": null, "shippingProviderId": 70 + at, "primary": true});
    CARRIERS.iter().enumerate().map(carrier).collect()
}

fn carrier(query: &[(String, String)]) -> Option<(&str, &'static [&'static str])> {
    let code = query.iter().find(|(name, _)| name == "carrierCode").map(|(_, code)| code.as_str())?;
    CARRIERS.iter().find(|(known, ..)| *known == code).map(|(.., services)| (code, *services))
}

pub(super) fn services(query: &[(String, String)]) -> Answered {
    let Some((code, services)) = carrier(query) else { return Err(Refused::of("carrierCode", "carrierCode is not one of the account's carriers.")) };
    let service = |service: &&str| serde_json::json!({"carrierCode": code, "code": service, "name": service.replace('_', " "), "domestic": true, "international": true});
    Ok(services.iter().map(service).collect())
}

pub(super) fn packages(query: &[(String, String)]) -> Answered {
    let Some((code, _)) = carrier(query) else { return Err(Refused::of("carrierCode", "carrierCode is not one of the account's carriers.")) };
    let package =
        |package: &&str| serde_json::json!({"carrierCode": code, "code": package, "name": package, "domestic": true, "international": true});
    Ok(["package", "parcel"].iter().map(package).collect())
}

pub(super) fn tags() -> Json {
    TAGS.iter().map(|(id, name)| serde_json::json!({"tagId": id, "name": name, "color": "#FFFFFF"})).collect()
}

pub(super) fn is_tag(id: i64) -> bool {
    TAGS.iter().any(|(known, _)| *known == id)
}
