//! Webhooks: unsigned, and with nothing in them but a URL.
//!
//! The URL would be fetched with the account's secret, so it is never fetched as given. It has to
//! name this connection, and a place and a batch that V1's webhooks name; the batch is all that is
//! kept of it, and the request is made from that anew, to the connection's own address.

use std::collections::BTreeMap;

use url::Url;

use super::ShipStation;
use super::auth::Account;
use super::lists::{FULFILLMENTS, ListEndpoint, ORDERS, SHIPMENTS};
use super::shipments::Wants;
use super::wire::{is_id, text};
use crate::connector::{Change, Hint, Page, Selection, State};
use crate::fault::Fault;
use crate::http::Call;

/// The longest body that is read, in bytes. V1's are below 300.
const LONGEST: usize = 64 << 10;
/// The longest URL. V1 says 200 characters.
const LONGEST_URL: usize = 1000;

/// What an event's URL points to.
fn book(event: &str) -> Option<&'static ListEndpoint> {
    match event {
        "ORDER_NOTIFY" | "ITEM_ORDER_NOTIFY" => Some(&ORDERS),
        "SHIP_NOTIFY" | "ITEM_SHIP_NOTIFY" => Some(&SHIPMENTS),
        "FULFILLMENT_SHIPPED" | "FULFILLMENT_REJECTED" => Some(&FULFILLMENTS),
        _ => None,
    }
}

/// Reads a webhook's body.
pub(super) fn hint(account: &Account, body: &[u8]) -> Result<Hint, String> {
    #[derive(serde::Deserialize)]
    struct Body {
        resource_url: String,
        resource_type: String,
    }
    if body.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let Body { resource_url, resource_type: event } =
        serde_json::from_slice(body).map_err(|_| "it is no JSON with `resource_url` and `resource_type`".to_owned())?;
    let book = book(&event).ok_or("its `resource_type` is no event of ShipStation")?;
    Ok(Hint { event, parameters: parameters(account, book, &resource_url)? })
}

fn parameters(account: &Account, book: &ListEndpoint, given: &str) -> Result<BTreeMap<String, String>, String> {
    if given.len() > LONGEST_URL {
        return Err(format!("its `resource_url` is longer than {LONGEST_URL} bytes"));
    }
    // Readers of URLs differ on these, and V1 has none of them before its parameters.
    let place = given.split('?').next().unwrap_or_default();
    let odd = |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '@' | '%' | '#');
    if place.contains(odd) || given.contains(|c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '#')) {
        return Err("its `resource_url` has characters that none of ShipStation's has".to_owned());
    }
    let url = Url::parse(given).map_err(|_| "its `resource_url` is no URL".to_owned())?;
    let host = url.host_str().unwrap_or_default();
    let known = Some(host) == account.url.host_str() || account.webhook_hosts.iter().any(|known| known == host);
    let same = url.scheme() == account.url.scheme() && url.port_or_known_default() == account.url.port_or_known_default();
    if !known || !same || !url.username().is_empty() || url.password().is_some() {
        return Err("its `resource_url` does not point to this connection's address".to_owned());
    }
    // Before it was read: `/x/../orders` is read as `/orders`.
    let path = place.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let base = account.url.path().trim_matches('/');
    let expected = if base.is_empty() { book.path.trim_start_matches('/').to_owned() } else { format!("{base}{}", book.path) };
    if path != expected {
        return Err("its `resource_url` does not point to what its `resource_type` says".to_owned());
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        let (name, fits) = match &*name {
            "batchId" => ("batchId", is_batch(&value)),
            "importBatch" => ("importBatch", is_batch(&value)),
            "storeID" | "storeId" => ("storeID", is_id(&value)),
            "includeShipmentItems" => ("includeShipmentItems", matches!(&*value.to_ascii_lowercase(), "true" | "false")),
            _ => continue,
        };
        if !fits {
            return Err(format!("its `{name}` has a form that ShipStation's has not"));
        }
        if parameters.insert(name.to_owned(), value.to_ascii_lowercase()).is_some() {
            return Err(format!("it names `{name}` twice"));
        }
    }
    // Without one, the URL stands for the whole account: a stranger could have it read again and again.
    if !parameters.contains_key("batchId") && !parameters.contains_key("importBatch") {
        return Err("its `resource_url` names no batch".to_owned());
    }
    Ok(parameters)
}

/// `187980859`, or `1ab23c4d-12ab-1abc-a1bc-a12b12cdabcd`.
fn is_batch(text: &str) -> bool {
    let uuid = || {
        let parts: Vec<&str> = text.split('-').collect();
        parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    is_id(text) || uuid()
}

impl ShipStation {
    /// Fetches the batch that a hint names.
    pub(super) async fn follow_hint(&self, call: &Call, of: &Selection<'_>, hint: &Hint) -> Result<Page, Fault> {
        let object = of.object.object.as_str();
        let book = book(&hint.event).ok_or_else(|| Fault::rejected("hint", format!("`{}` is no event of ShipStation", hint.event), None))?;
        let wants = Wants::of(of);
        let mut query = Vec::new();
        for (name, value) in &hint.parameters {
            let fits = match name.as_str() {
                "batchId" | "importBatch" => is_batch(value),
                "storeID" => is_id(value),
                _ => false,
            };
            if fits {
                query.push((name.as_str(), value.clone()));
            }
        }
        if query.iter().all(|(name, _)| *name == "storeID") {
            return Err(Fault::rejected("hint", "it names no batch", None));
        }
        let items = wants.items() && object == "Shipment" && book.path == SHIPMENTS.path;
        if book.path == SHIPMENTS.path && (items || hint.parameters.get("includeShipmentItems").is_some_and(|value| value == "true")) {
            query.push(("includeShipmentItems", "true".to_owned()));
        }
        let records = self.whole(call, book, &query).await?;
        let changes = match (object, book.path) {
            ("Order", "/orders") | ("Fulfillment", "/fulfillments") => {
                records.into_iter().map(|record| self.change(object, record)).collect::<Result<_, _>>()?
            }
            ("Shipment", "/shipments") => self.read_shipments(call, records, wants).await?,
            ("Shipment", "/fulfillments") => self.read_fulfillments(call, records, wants).await?,
            // What was shipped has changed its order.
            ("Order", _) => {
                let ids: std::collections::BTreeSet<String> = records.iter().filter_map(|record| text(record, "orderId")).collect();
                ids.into_iter().map(|id| Change { id, stamp: None, state: State::Touched }).collect()
            }
            _ => return Err(Fault::rejected("hint", format!("`{}` says nothing of {}", hint.event, of.object), None)),
        };
        Ok(Page { changes, cursor: None, more: false })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::connector::registry::Settings;
    use crate::http::Secret;

    #[test]
    fn the_events_of_the_manifest_are_those_that_are_read() {
        let events = &crate::system::manifest("shipstation").unwrap().events;
        assert_eq!(events.len(), 6);
        assert!(events.iter().all(|event| book(event).is_some()));
    }

    fn account(more: &[(&str, &str)]) -> Account {
        let mut options: BTreeMap<String, Secret> = BTreeMap::new();
        for (name, value) in [("api_key", "k"), ("api_secret", "s")].iter().chain(more) {
            options.insert((*name).to_owned(), Secret::new(*value));
        }
        Account::new(&Settings { name: "wms".into(), system: "shipstation".into(), options }).unwrap()
    }

    fn read(url: &str, event: &str) -> Result<Hint, String> {
        hint(&account(&[]), serde_json::json!({ "resource_url": url, "resource_type": event }).to_string().as_bytes())
    }

    #[test]
    fn nothing_is_kept_but_known_parameters() {
        let hint =
            read("https://ssapi.shipstation.com/shipments?batchId=123&includeShipmentItems=False&page=9&next=https%3A%2F%2Fevil", "SHIP_NOTIFY");
        let hint = hint.unwrap();
        assert_eq!(hint.event, "SHIP_NOTIFY");
        let kept: Vec<(&str, &str)> = hint.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(kept, [("batchId", "123"), ("includeShipmentItems", "false")]);
        let import = read("https://ssapi.shipstation.com:443/orders?storeID=7&importBatch=1ab23c4d-12ab-1abc-a1bc-a12b12cdabcd", "ORDER_NOTIFY");
        assert_eq!(import.unwrap().parameters.len(), 2);
        assert!(read("https://ssapi.shipstation.com/fulfillments?batchId=5", "FULFILLMENT_SHIPPED").is_ok());
    }

    #[test]
    fn what_points_elsewhere_is_refused() {
        for url in [
            "https://evil.example/shipments?batchId=1",
            "http://ssapi.shipstation.com/shipments?batchId=1",
            "https://ssapi.shipstation.com@evil.example/shipments?batchId=1",
            "https://key:secret@ssapi.shipstation.com/shipments?batchId=1",
            "https://ssapi.shipstation.com.evil.example/shipments?batchId=1",
            "https://ssapi.shipstation.com%2eevil.example/shipments?batchId=1",
            "https://ssapi.shipstation.com:444/shipments?batchId=1",
            "https://ssapi6.shipstation.com/shipments?batchId=1",
            "https://ssapi.shipstation.com\\@evil.example/shipments?batchId=1",
            "https:\\\\ssapi.shipstation.com/shipments?batchId=1",
            "https://ssapi.shipstation.com/shipments/../accounts/listtags?batchId=1",
            "https://ssapi.shipstation.com/x/../shipments?batchId=1",
            "https://ssapi.shipstation.com/x/%2e%2e/shipments?batchId=1",
            "https://ssapi.shipstation.com//shipments?batchId=1",
            "https://ssapi.shipstation.com/./shipments?batchId=1",
            "https://ssapi.shipstation.com/orders?batchId=1",
            "https://ssapi.shipstation.com/%73hipments?batchId=1",
            "https://ssapi.shipstation.com/shipments#?batchId=1",
            "https://ssapi.shipstation.com/shipments?batchId=1#x",
            "https://ssapi.shipstation.com/ship\tments?batchId=1",
            " https://ssapi.shipstation.com/shipments?batchId=1",
            "//ssapi.shipstation.com/shipments?batchId=1",
            "file:///shipments?batchId=1",
            "https://ѕsapi.shipstation.com/shipments?batchId=1",
            "https://ssapi.shipstation.com/shipments",
            "https://ssapi.shipstation.com/shipments?storeID=1",
            "https://ssapi.shipstation.com/shipments?batchId=1&batchId=2",
            "https://ssapi.shipstation.com/shipments?batchId=1%26orderId=2",
            "https://ssapi.shipstation.com/shipments?batchId=1%0d%0aHost:%20evil",
            "https://ssapi.shipstation.com/shipments?batchId=-1",
            "https://ssapi.shipstation.com/shipments?batchId=12345678901234567890",
            "https://ssapi.shipstation.com/shipments?batchId=",
            "https://ssapi.shipstation.com/shipments?batchId=1&includeShipmentItems=1",
            "",
        ] {
            assert!(read(url, "SHIP_NOTIFY").is_err(), "{url}");
        }
        assert!(read(&format!("https://ssapi.shipstation.com/shipments?batchId=1&x={}", "a".repeat(1000)), "SHIP_NOTIFY").is_err());
    }

    #[test]
    fn what_is_no_webhook_of_shipstation_is_refused() {
        let account = account(&[]);
        let good = r#"{"resource_url":"https://ssapi.shipstation.com/orders?importBatch=1","resource_type":"ORDER_NOTIFY"}"#;
        assert!(hint(&account, good.as_bytes()).is_ok());
        for body in
            ["", "[]", "null", "{}", r#"{"resource_url":1,"resource_type":"ORDER_NOTIFY"}"#, &good.replace("ORDER_NOTIFY", "DELETE_ALL"), "\u{0}"]
        {
            assert!(hint(&account, body.as_bytes()).is_err(), "{body}");
        }
        assert!(hint(&account, &[0xff, 0xfe]).is_err());
        assert!(hint(&account, format!("{good}{}", " ".repeat(LONGEST)).as_bytes()).is_err());
        assert!(hint(&account, &b"[".repeat(60_000)).is_err());
    }

    #[test]
    fn other_hosts_are_taken_only_where_the_connection_names_them() {
        let account = account(&[("webhook_hosts", "ssapi6.shipstation.com, ssapi7.shipstation.com")]);
        let body = |host: &str| format!(r#"{{"resource_url":"https://{host}/shipments?batchId=1","resource_type":"SHIP_NOTIFY"}}"#);
        assert!(hint(&account, body("ssapi6.shipstation.com").as_bytes()).is_ok());
        assert!(hint(&account, body("ssapi8.shipstation.com").as_bytes()).is_err());
    }

    #[test]
    fn an_address_below_a_path_and_on_this_machine_has_its_own() {
        let account = account(&[("url", "http://127.0.0.1:4010/ss/")]);
        let body = |url: &str| format!(r#"{{"resource_url":"{url}?batchId=1","resource_type":"SHIP_NOTIFY"}}"#);
        assert!(hint(&account, body("http://127.0.0.1:4010/ss/shipments").as_bytes()).is_ok());
        assert!(hint(&account, body("http://127.0.0.1:4010/shipments").as_bytes()).is_err());
        assert!(hint(&account, body("http://127.0.0.1:4011/ss/shipments").as_bytes()).is_err());
    }
}
