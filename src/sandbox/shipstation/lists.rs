//! What the account has: stores, warehouses, carriers with their services, tags.
//!
//! Without a project it is an account of the sandbox's own. Of a project it has what the project's `names.json` lists, kind by kind.

use std::collections::BTreeMap;

use super::{Answered, Refused};
use crate::schema::Named;
use crate::value::Json;

const STORES: &[(i64, &str)] = &[(300_101, "Amazon US"), (300_102, "EU store"), (300_103, "US store")];
const WAREHOUSES: &[(i64, &str, &str)] = &[(4_401, "Reno DC", "US"), (4_411, "Leeds DC", "GB"), (4_421, "Newark express", "US")];
/// Carriers, what they call themselves, their services.
const CARRIERS: &[(&str, &str, &[&str])] = &[
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

/// A carrier of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Carrier {
    code: String,
    name: String,
    /// Codes and names. Empty where nothing says which there are: then it takes each.
    services: Vec<(String, String)>,
}

/// What the account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    stores: Vec<(i64, String)>,
    /// With their countries.
    warehouses: Vec<(i64, String, String)>,
    carriers: Vec<Carrier>,
    tags: Vec<(i64, String)>,
}

impl Default for Lists {
    fn default() -> Self {
        let service = |code: &&str| ((*code).to_owned(), code.replace('_', " "));
        let carrier = |(code, name, services): &(&str, &str, &[&str])| Carrier {
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            services: services.iter().map(service).collect(),
        };
        Lists {
            stores: STORES.iter().map(|(id, name)| (*id, (*name).to_owned())).collect(),
            warehouses: WAREHOUSES.iter().map(|(id, name, country)| (*id, (*name).to_owned(), (*country).to_owned())).collect(),
            carriers: CARRIERS.iter().map(carrier).collect(),
            tags: TAGS.iter().map(|(id, name)| (*id, (*name).to_owned())).collect(),
        }
    }
}

impl Lists {
    /// The account of a project: by kind what its `names.json` lists (`Store`, `Warehouse`, `Carrier`, `Service`, `Tag`). A kind that it
    /// does not list is the sandbox's own.
    pub fn of(names: &BTreeMap<String, Vec<Named>>) -> Lists {
        let own = Lists::default();
        let numbered = |kind: &str| {
            let listed = names.get(kind)?.iter().filter_map(|named| Some((named.id.as_i64()?, named.name.clone()))).collect::<Vec<_>>();
            (!listed.is_empty()).then_some(listed)
        };
        let warehouse = |(id, name)| {
            let known = own.warehouses.iter().find(|(known, ..)| *known == id);
            (id, name, known.map_or_else(|| "US".to_owned(), |(.., country)| country.clone()))
        };
        let warehouses = numbered("Warehouse").map(|listed| listed.into_iter().map(warehouse).collect());
        Lists {
            warehouses: warehouses.unwrap_or_else(|| own.warehouses.clone()),
            carriers: carriers_of(names, &own),
            stores: numbered("Store").unwrap_or(own.stores),
            tags: numbered("Tag").unwrap_or(own.tags),
        }
    }

    pub(super) fn is_store(&self, id: i64) -> bool {
        self.stores.iter().any(|(known, _)| *known == id)
    }

    /// The store of an order that names none.
    pub(super) fn usual_store(&self) -> i64 {
        self.stores.first().map_or(0, |(id, _)| *id)
    }

    pub(super) fn is_warehouse(&self, id: i64) -> bool {
        self.warehouses.iter().any(|(known, ..)| *known == id)
    }

    pub(super) fn is_carrier(&self, code: &str) -> bool {
        self.carriers.iter().any(|carrier| carrier.code == code)
    }

    /// Whether a carrier of the account has a service.
    pub(super) fn is_service(&self, carrier: &str, service: &str) -> bool {
        let of = self.carriers.iter().find(|known| known.code == carrier);
        of.is_some_and(|carrier| !service.is_empty() && (carrier.services.is_empty() || carrier.services.iter().any(|(code, _)| code == service)))
    }

    pub(super) fn is_tag(&self, id: i64) -> bool {
        self.tags.iter().any(|(known, _)| *known == id)
    }

    pub(super) fn stores(&self) -> Json {
        let store = |(id, name): &(i64, String)| {
            serde_json::json!({
                "storeId": id, "storeName": name, "marketplaceId": 0, "marketplaceName": "ShipStation", "accountName": null, "email": null,
                "integrationUrl": null, "active": true, "companyName": "", "phone": "", "publicEmail": "", "website": "",
                "refreshDate": MADE, "lastRefreshAttempt": MADE, "createDate": MADE, "modifyDate": MADE, "autoRefresh": false,
            })
        };
        self.stores.iter().map(store).collect()
    }

    /// One store, which tells more than the list does.
    pub(super) fn store(&self, id: &str) -> Answered {
        let mut found = one(&self.stores(), "storeId", id)?;
        found["statusMappings"] = Json::Null;
        Ok(found)
    }

    pub(super) fn warehouses(&self) -> Json {
        let usual = self.warehouses.first().map(|(id, ..)| *id);
        let warehouse = |(id, name, country): &(i64, String, String)| {
            let address = serde_json::json!({
                "name": name, "company": "", "street1": "1 Dock Road", "street2": "", "street3": "", "city": "", "state": "", "postalCode": "",
                "country": country, "phone": "", "residential": null, "addressVerified": null,
            });
            serde_json::json!({
                "warehouseId": id, "warehouseName": name, "originAddress": address, "returnAddress": address, "createDate": MADE,
                "isDefault": Some(*id) == usual,
            })
        };
        self.warehouses.iter().map(warehouse).collect()
    }

    pub(super) fn carriers(&self) -> Json {
        let carrier = |(at, carrier): (usize, &Carrier)| {
            serde_json::json!({
                "name": carrier.name, "code": carrier.code, "accountNumber": format!("SBX{at}"), "requiresFundedAccount": false, "balance": 0,
                "nickname": null, "shippingProviderId": 70 + at, "primary": true,
            })
        };
        self.carriers.iter().enumerate().map(carrier).collect()
    }

    fn carrier(&self, query: &[(String, String)]) -> Result<&Carrier, Refused> {
        let code = query.iter().find(|(name, _)| name == "carrierCode").map(|(_, code)| code.as_str());
        let found = self.carriers.iter().find(|known| Some(known.code.as_str()) == code);
        found.ok_or_else(|| Refused::of("carrierCode", "carrierCode is not one of the account's carriers."))
    }

    pub(super) fn services(&self, query: &[(String, String)]) -> Answered {
        let carrier = self.carrier(query)?;
        let service = |(code, name): &(String, String)| serde_json::json!({"carrierCode": carrier.code, "code": code, "name": name, "domestic": true, "international": true});
        Ok(carrier.services.iter().map(service).collect())
    }

    pub(super) fn packages(&self, query: &[(String, String)]) -> Answered {
        let code = &self.carrier(query)?.code;
        let package =
            |package: &&str| serde_json::json!({"carrierCode": code, "code": package, "name": package, "domestic": true, "international": true});
        Ok(["package", "parcel"].iter().map(package).collect())
    }

    pub(super) fn tags(&self) -> Json {
        self.tags.iter().map(|(id, name)| serde_json::json!({"tagId": id, "name": name, "color": "#FFFFFF"})).collect()
    }
}

/// The carriers of a project. A service is of the carrier that the sandbox knows it by, else of the one whose code it begins with.
fn carriers_of(names: &BTreeMap<String, Vec<Named>>, own: &Lists) -> Vec<Carrier> {
    let listed: Vec<&str> = names.get("Carrier").into_iter().flatten().filter_map(|named| named.id.as_str()).collect();
    let known = |code: &str| own.carriers.iter().find(|carrier| carrier.code == code).cloned();
    let unknown = |code: &str| Carrier { code: code.to_owned(), name: code.to_owned(), services: Vec::new() };
    let mut carriers: Vec<Carrier> =
        if listed.is_empty() { own.carriers.clone() } else { listed.into_iter().map(|code| known(code).unwrap_or_else(|| unknown(code))).collect() };
    let services: Vec<(&str, &str)> =
        names.get("Service").into_iter().flatten().filter_map(|named| Some((named.id.as_str()?, named.name.as_str()))).collect();
    if services.is_empty() {
        return carriers;
    }
    carriers.iter_mut().for_each(|carrier| carrier.services.clear());
    for (code, name) in services {
        let of = own.carriers.iter().find(|carrier| carrier.services.iter().any(|(known, _)| known == code)).map(|carrier| &carrier.code);
        let begins = |carrier: &&mut Carrier| code.starts_with(&carrier.code);
        let place = match carriers.iter_mut().find(|carrier| Some(&carrier.code) == of) {
            Some(carrier) => Some(carrier),
            None => carriers.iter_mut().filter(begins).max_by_key(|carrier| carrier.code.len()),
        };
        if let Some(carrier) = place {
            carrier.services.push((code.to_owned(), name.to_owned()));
        }
    }
    carriers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_what_the_project_lists() {
        let named = |name: &str, id: Json| Named { name: name.to_owned(), id };
        let names = BTreeMap::from([
            ("Store".to_owned(), vec![named("Web", 7.into())]),
            ("Carrier".to_owned(), vec![named("ups", "ups".into()), named("gls", "gls".into()), named("other", "other".into())]),
            ("Service".to_owned(), vec![named("UPS Ground", "ups_ground".into()), named("GLS Business", "gls_business".into())]),
        ]);
        let lists = Lists::of(&names);
        assert!(lists.is_store(7) && !lists.is_store(300_101) && lists.usual_store() == 7);
        assert!(lists.is_warehouse(4_401), "what the project does not list is the sandbox's own");
        assert!(lists.is_service("gls", "gls_business") && lists.is_service("ups", "ups_ground"));
        assert!(!lists.is_service("ups", "ups_2nd_day_air") && !lists.is_service("fedex", "fedex_ground"));
        assert!(lists.is_service("other", "anything"), "nothing says which services it has");
        assert_eq!(Lists::of(&BTreeMap::new()), Lists::default());
    }
}
