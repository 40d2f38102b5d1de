//! Lists as a whole: the small ones that come at once, and the large ones gone through for what V1
//! cannot search for.

use std::collections::{BTreeMap, BTreeSet};

use super::ShipStation;
use super::orders::{field, tidy};
use super::pages::List;
use super::wire::{is_id, text};
use crate::base::bounds;
use crate::connector::{Change, Found, LookupRequest, State};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::{Json, RawRecord};

/// V1's largest page.
pub(super) const PAGE: usize = 500;
/// Pages that are gone through at most: a minute's calls.
const SCAN: u64 = 40;
/// Carriers that are asked for their services, each in a call of its own.
const CARRIERS: usize = 200;
/// How often a list is begun again that records have left meanwhile.
const TRIES: u32 = 3;

/// A list that is paged.
pub(super) struct ListEndpoint {
    pub(super) path: &'static str,
    pub(super) key: &'static str,
    pub(super) id: &'static str,
}

pub(super) const ORDERS: ListEndpoint = ListEndpoint { path: "/orders", key: "orders", id: "orderId" };
pub(super) const SHIPMENTS: ListEndpoint = ListEndpoint { path: "/shipments", key: "shipments", id: "shipmentId" };
pub(super) const FULFILLMENTS: ListEndpoint = ListEndpoint { path: "/fulfillments", key: "fulfillments", id: "fulfillmentId" };
const CUSTOMERS: ListEndpoint = ListEndpoint { path: "/customers", key: "customers", id: "customerId" };
const PRODUCTS: ListEndpoint = ListEndpoint { path: "/products", key: "products", id: "productId" };

impl ListEndpoint {
    /// The list read whole at each poll: V1 has no filter by what changed.
    pub(super) fn each_time(&self) -> List {
        List {
            path: self.path,
            key: self.key,
            stamp: "",
            start: "",
            end: "",
            sort: Some("CreateDate"),
            by_stamp: false,
            more: Vec::new(),
            size: PAGE,
        }
    }
}

/// Objects that are read only, and their lists.
pub(super) fn book(object: &str) -> Option<&'static ListEndpoint> {
    match object {
        "Customer" => Some(&CUSTOMERS),
        "Product" => Some(&PRODUCTS),
        _ => None,
    }
}

/// The name of the one stream of an object that is read only.
pub(super) fn stream(object: &str) -> Option<&'static str> {
    Some(match object {
        "Store" => "stores",
        "Warehouse" => "warehouses",
        "Carrier" => "carriers",
        "Service" => "services",
        "Package" => "packages",
        "Tag" => "tags",
        "Customer" => "customers",
        "Product" => "products",
        _ => return None,
    })
}

/// A record's id as the connector gives it. Carriers share codes of services, so theirs go with the carrier's.
pub(super) fn id(object: &str, record: &Json) -> Option<String> {
    match object {
        "Order" => text(record, "orderId"),
        "Shipment" => text(record, "shipmentId"),
        "Fulfillment" => text(record, "fulfillmentId"),
        "Store" => text(record, "storeId"),
        "Warehouse" => text(record, "warehouseId"),
        "Carrier" => text(record, "code"),
        "Service" | "Package" => Some(format!("{}/{}", text(record, "carrierCode")?, text(record, "code")?)),
        "Tag" => text(record, "tagId"),
        "Customer" => text(record, "customerId"),
        "Product" => text(record, "productId"),
        _ => None,
    }
}

impl ShipStation {
    /// A small list, whole.
    pub(super) async fn all(&self, call: &Call, object: &str) -> Result<Vec<Json>, Fault> {
        let per_carrier = match object {
            "Store" => return self.wire.array(call, "/stores", &[]).await,
            "Warehouse" => return self.wire.array(call, "/warehouses", &[]).await,
            "Carrier" => return self.wire.array(call, "/carriers", &[]).await,
            "Tag" => return self.wire.array(call, "/accounts/listtags", &[]).await,
            "Service" => "/carriers/listservices",
            "Package" => "/carriers/listpackages",
            other => return Err(unreadable(other)),
        };
        let mut all = Vec::new();
        let carriers = self.wire.array(call, "/carriers", &[]).await?;
        // An account may have several accounts of one carrier; their codes are one.
        let codes: BTreeSet<String> = carriers.iter().filter_map(|carrier| text(carrier, "code")).collect();
        if codes.len() > CARRIERS {
            return Err(Fault::transient(format!("V1 lists {} carriers: more than {CARRIERS} are not asked one by one", codes.len())));
        }
        for code in codes {
            all.extend(self.wire.array(call, per_carrier, &[("carrierCode", code)]).await?);
        }
        Ok(all)
    }

    /// Records of a read-only object by id.
    pub(super) async fn get_listed(&self, call: &Call, object: &str, ids: &[String]) -> Result<Vec<Change>, Fault> {
        let folder = match object {
            "Store" => "/stores",
            "Warehouse" => "/warehouses",
            "Customer" => "/customers",
            "Product" => "/products",
            _ => {
                let all = self.all(call, object).await?;
                let found = all.into_iter().filter(|record| id(object, record).is_some_and(|id| ids.contains(&id)));
                return found.map(|record| self.change(object, record)).collect();
            }
        };
        let mut found = Vec::new();
        for wanted in ids.iter().filter(|id| is_id(id)) {
            let record = self.wire.get(call, &format!("{folder}/{wanted}"), &[]).await?;
            if let Some(record) = record.filter(|record| id(object, record).as_ref() == Some(wanted)) {
                found.push(self.change(object, record)?);
            }
        }
        Ok(found)
    }

    pub(super) async fn find_listed(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let (object, field) = (ask.object.object.as_str(), field(ask)?);
        let wanted: BTreeSet<&String> = ask.values.iter().collect();
        let Some(book) = book(object) else {
            let all = self.all(call, object).await?;
            let found = all.into_iter().filter_map(|record| {
                let value = text(&record, field).filter(|value| wanted.contains(value))?;
                Some(Found { value, record })
            });
            return Ok(found.collect());
        };
        let mut found = Vec::new();
        if (object, field) == ("Product", "sku") {
            for value in wanted {
                for record in self.whole(call, book, &[("sku", value.clone()), ("showInactive", "true".to_owned())]).await? {
                    if text(&record, "sku").as_ref() == Some(value) {
                        found.push(Found { value: value.clone(), record });
                    }
                }
            }
        } else {
            let records = self.scan(call, book, field, &wanted, field == book.id).await?;
            found.extend(records.into_iter().map(|(value, record)| Found { value, record }));
        }
        Ok(found)
    }

    /// All records that a search gives, each once.
    pub(super) async fn whole(&self, call: &Call, book: &ListEndpoint, query: &[(&str, String)]) -> Result<Vec<Json>, Fault> {
        let mut seen = BTreeSet::new();
        let mut records = Vec::new();
        let before = call.answered();
        for page in 1..=SCAN {
            let listed = self.wire.list(call, book.path, book.key, query, page, PAGE).await?;
            let known = records.len();
            // What is new moves others to the next page, where they come again.
            records.extend(listed.records.into_iter().filter(|record| text(record, book.id).is_none_or(|id| seen.insert(id))));
            if !listed.more {
                return Ok(records);
            }
            if records.len() == known {
                return Err(Fault::transient(format!("V1 gives the same page of `{}` again and says that there are more", book.path)));
            }
            if call.answered() - before > bounds::CHAIN_BYTES {
                return Err(Fault::transient(format!("one search of `{}` gives more than {} MB", book.path, bounds::CHAIN_BYTES >> 20)));
            }
        }
        Err(Fault::rejected("find", format!("V1 gives more than {} records for one search of `{}`", SCAN as usize * PAGE, book.path), None))
    }

    /// Goes through a list, newest first, for records with one of the values; with `once`, until each value is found.
    ///
    /// # Errors
    /// A value was not found, and the list is longer than is gone through: then it is not known not to be there.
    pub(super) async fn scan(
        &self,
        call: &Call,
        book: &ListEndpoint,
        field: &str,
        wanted: &BTreeSet<&String>,
        once: bool,
    ) -> Result<Vec<(String, Json)>, Fault> {
        // By what never changes: sorted by `ModifyDate`, a record that changes meanwhile would jump over the page being read.
        let query = [("sortBy", "CreateDate".to_owned()), ("sortDir", "DESC".to_owned())];
        let mut found: BTreeMap<String, (String, Json)> = BTreeMap::new();
        let (mut page, mut total, mut tries) = (1, None, 0);
        while page <= SCAN {
            let listed = self.wire.list(call, book.path, book.key, &query, page, PAGE).await?;
            if matches!((total, listed.total), (Some(before), Some(now)) if now < before) {
                // Records were deleted, and others moved up over the page's edge.
                tries += 1;
                if tries >= TRIES {
                    return Err(Fault::transient(format!("`{}` changes faster than it can be read", book.path)));
                }
                (page, total) = (1, listed.total);
                continue;
            }
            total = listed.total;
            for record in listed.records {
                let value = text(&record, field).filter(|value| wanted.contains(value));
                if let (Some(value), Some(id)) = (value, text(&record, book.id)) {
                    found.insert(id, (value, record));
                }
            }
            let values: BTreeSet<&String> = found.values().map(|(value, _)| value).collect();
            if !listed.more || (once && values.len() == wanted.len()) {
                return Ok(found.into_values().collect());
            }
            page += 1;
        }
        let message = format!("V1 cannot search `{}` by `{field}`, and it is not among the newest {}", book.path, SCAN as usize * PAGE);
        Err(Fault::rejected("find", message, Some(field.to_owned())))
    }

    /// A record as a change, by its own stamp.
    pub(super) fn change(&self, object: &str, record: Json) -> Result<Change, Fault> {
        let Some(id) = id(object, &record) else { return Err(Fault::transient(format!("V1 gave a {object} without an id"))) };
        let stamp = match object {
            "Shipment" | "Fulfillment" => "createDate",
            _ => "modifyDate",
        };
        let stamp = record.get(stamp).and_then(Json::as_str).and_then(|text| self.pacific.stamp(text));
        Ok(Change { id, stamp, state: State::Upserted(RawRecord::of(&tidy(record))) })
    }
}

pub(super) fn unreadable(object: &str) -> Fault {
    Fault::rejected("object", format!("V1 has no list of {object}"), None)
}
