//! Makes a store with many records, to measure commands on: `cargo run --release --example large_store -- FILE [RECORDS]`.
//!
//! Each record was delivered: a lane, what was confirmed of its target, three lines of history, three links. One in a
//! hundred has a call of its own in the audit trail, one in three hundred waits for a person with its record kept.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it stops where it cannot go on, and says what it made")]

use std::path::Path;

use crossdock::store::sqlite::{Mode, Sqlite};
use crossdock::store::{Change, Event, Exception, Exchange, Link, Part, Reason, RecordStage, RecordState, Store as _, TargetState};
use crossdock::value::RawRecord;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "large.db".to_owned());
    let records: i64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let mut store = Sqlite::open(Path::new(&path), None, Mode::Write).unwrap();
    let mut changes = Vec::new();
    for at in 0..records {
        record(&mut store, at, &mut changes);
        if changes.len() > 20_000 || at + 1 == records {
            store.commit(&changes).unwrap();
            changes.clear();
        }
    }
    drop(store);
    println!("{records} records in {} MB", std::fs::metadata(&path).unwrap().len() >> 20);
}

fn record(store: &mut Sqlite, at: i64, changes: &mut Vec<Change>) {
    let (flow, when) = ("export_orders", 1_767_225_600_000 + at * 500);
    let (key, order) = (format!("8015g{at:013}"), format!("{}", 900_000_000 + at));
    let waits = at % 300 == 0;
    let body = serde_json::json!({
        "Id": key, "OrderNumber": format!("{at:08}"), "Status": "Activated", "EffectiveDate": "2026-03-02", "ShippingStreet": format!("{at} High St"),
        "ShippingCity": "Reno", "ShippingPostalCode": format!("{:05}", at % 99_999), "ShippingCountry": "US", "TotalAmount": at % 900,
        "OrderItems": {"records": [{"Id": format!("8025g{at:013}"), "Quantity": 2, "UnitPrice": 19.5, "Product2": {"StockKeepingUnit": "SKU-1"}}]},
    });
    let reason = Reason {
        kind: "rule".to_owned(),
        message: "the postal code is not one of its country".to_owned(),
        field: Some("shipTo.postalCode".to_owned()),
        place: Some("orders.dock:40".to_owned()),
        owner: Some("ops".to_owned()),
        before: None,
        review: false,
    };
    changes.push(Change::Record(RecordState {
        label: Some(format!("{at:08}")),
        arrived: at + 1,
        state: if waits { RecordStage::Rejected } else { RecordStage::Delivered },
        version: format!("{:032x}", at * 7),
        stamp: Some("2026-03-02T10:00:00.000+0000".to_owned()),
        delivered: (!waits).then(|| format!("{:032x}", at * 7)),
        plan: Some("0123456789ab".to_owned()),
        body: waits.then(|| RawRecord::of(&body)),
        reasons: if waits { vec![reason.clone()] } else { Vec::new() },
        ..RecordState::new(flow, &key, when)
    }));
    let event = |kind: &str, text: String| {
        Change::Event(Event { at: when, flow: flow.to_owned(), lane: key.clone(), kind: kind.to_owned(), text, exchange: None })
    };
    changes.push(event("received", "a new version was read from its source".to_owned()));
    let link = |object: &str, id: &str| Change::Link(Link { flow: flow.to_owned(), lane: key.clone(), object: object.to_owned(), id: id.to_owned() });
    changes.push(link("crm.Order", &key));
    if waits {
        changes.push(event("rejected", "the postal code is not one of its country".to_owned()));
        changes.push(Change::Exception(Exception {
            id: store.next_id().unwrap(),
            flow: flow.to_owned(),
            lane: key.clone(),
            label: Some(format!("{at:08}")),
            code: "rejected".to_owned(),
            reasons: vec![reason],
            next: "mend the record at its source: the next version goes through by itself".to_owned(),
            owner: Some("ops".to_owned()),
            before: None,
            parked: false,
            opened: when,
            closed: None,
            closed_by: None,
            decided: None,
        }));
        return;
    }
    changes.extend([link("wms.Order", &format!("sf-{key}")), link("wms.Order", &order)]);
    changes.push(event("sent", format!("upsert wms.Order sf-{key}")));
    changes.push(event("confirmed", format!("upsert wms.Order sf-{key} was created")));
    let fields =
        ["orderNumber", "orderStatus", "orderDate", "shipTo", "billTo", "items", "amountPaid", "carrierCode", "serviceCode", "advancedOptions"];
    changes.push(Change::Target(TargetState {
        connection: "wms".to_owned(),
        object: "Order".to_owned(),
        key: format!("sf-{key}"),
        id: Some(order),
        fields: fields.iter().map(|name| ((*name).to_owned(), format!("{:016x}", at * 31))).collect(),
        confirmed: when,
    }));
    if at % 100 == 0 {
        changes.push(Change::Exchange(Exchange {
            id: store.next_id().unwrap(),
            at: when,
            connection: "wms".to_owned(),
            method: "POST".to_owned(),
            path: "/orders/createorders".to_owned(),
            status: Some(200),
            took: 400,
            request: None,
            response: None,
            broken: None,
            plan: "0123456789ab".to_owned(),
            parts: (at..at + 100)
                .map(|of| Part {
                    flow: flow.to_owned(),
                    lane: format!("8015g{of:013}"),
                    request: Some(body.to_string()),
                    response: Some("{\"success\":true}".to_owned()),
                })
                .collect(),
        }));
    }
}
