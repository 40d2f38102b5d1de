//! Records as the API prints them. What is in a record's connections stands beside its fields, under names that no field has.

use serde_json::{Map, json};

use super::state::{Account, Handled, Hook, Label, Line, Order, Product, Shipment, Stock, StockChange, Warehouse};
use super::{ids, time};
use crate::value::Json;

pub(super) fn account(of: &Account, is_3pl: bool) -> Json {
    json!({
        "id": ids::printed(ids::ACCOUNT, of.id), "legacy_id": of.id, "email": of.email, "username": of.name, "status": "paid",
        "dynamic_slotting": true, "is_multi_warehouse": true, "is_3pl": is_3pl, "cycle_count_enabled": false, "ship_backorders": false,
    })
}

pub(super) fn warehouse(of: &Warehouse) -> Json {
    let address = json!({
        "name": of.identifier, "address1": "1 Dock Road", "address2": "", "city": "", "state": "", "country": of.country, "zip": "", "phone": "",
    });
    json!({
        "id": ids::printed(ids::WAREHOUSE, of.id), "legacy_id": of.id, "account_id": ids::printed(ids::ACCOUNT, of.account),
        "identifier": of.identifier, "dynamic_slotting": true, "invoice_email": "", "phone_number": "", "profile": "default", "address": address,
        "return_address": address, "company_name": "Sandbox", "company_alias": null,
    })
}

pub(super) fn product(of: &Product) -> Json {
    let parts: Vec<Json> = of
        .parts
        .iter()
        .map(|(sku, quantity)| json!({"id": null, "legacy_id": null, "account_id": ids::printed(ids::ACCOUNT, of.account), "sku": sku, "quantity": quantity}))
        .collect();
    json!({
        "id": ids::printed(ids::PRODUCT, of.id), "legacy_id": of.id, "account_id": ids::printed(ids::ACCOUNT, of.account), "name": of.name,
        "sku": of.sku, "barcode": of.sku, "country_of_manufacture": null,
        "dimensions": {"weight": of.weight, "height": "0.0000", "width": "0.0000", "length": "0.0000"},
        "tariff_code": null, "kit": !of.parts.is_empty(), "kit_build": false, "no_air": false, "final_sale": false, "customs_value": "0.00",
        "customs_description": null, "not_owned": false, "dropship": false, "needs_serial_number": of.has_serials, "thumbnail": null,
        "large_thumbnail": null, "created_at": time::json(of.created), "updated_at": time::json(of.updated), "product_note": null,
        "virtual": false, "ignore_on_invoice": false, "ignore_on_customs": false, "active": true, "needs_lot_tracking": of.has_lots,
        "images": [], "tags": [], "vendors": [], "kit_components": parts, "#account": of.account,
    })
}

pub(super) fn stock(of: &Stock, backorder: i64, warehouse: &str) -> Json {
    json!({
        "id": ids::printed(ids::STOCK, of.id), "legacy_id": of.id, "account_id": ids::printed(ids::ACCOUNT, of.account), "sku": of.sku,
        "warehouse_id": ids::printed(ids::WAREHOUSE, of.warehouse), "warehouse_identifier": warehouse, "price": "0.00", "value": "0.00",
        "value_currency": "USD", "on_hand": of.on_hand, "inventory_bin": "A1", "inventory_overstock_bin": null, "reserve_inventory": 0,
        "replenishment_level": 0, "reorder_amount": 0, "reorder_level": 0, "backorder": backorder, "allocated": of.allocated,
        "available": of.on_hand - of.allocated, "non_sellable_quantity": 0, "custom": false, "customs_value": "0.00",
        "created_at": time::json(of.created), "updated_at": time::json(of.updated), "sell_ahead": 0, "active": true,
        "#account": of.account, "#warehouse": of.warehouse,
    })
}

pub(super) fn order(of: &Order) -> Json {
    let mut out = Map::new();
    out.insert("id".to_owned(), ids::json(ids::ORDER, of.id));
    out.insert("legacy_id".to_owned(), Json::from(of.id));
    out.extend(of.fields.clone());
    out.insert("updated_at".to_owned(), time::json(of.updated));
    out.insert("#id".to_owned(), Json::from(of.id));
    out.insert("#lines".to_owned(), of.lines.iter().map(|of_line| line(of_line, of)).collect());
    out.insert("#shipments".to_owned(), Json::from(of.shipments.clone()));
    let history = |(id, at, words): &(i64, jiff::Timestamp, String)| {
        json!({
            "id": ids::printed("OrderHistory", *id), "legacy_id": id, "order_id": ids::printed(ids::ORDER, of.id), "user_id": null,
            "account_id": ids::printed(ids::ACCOUNT, of.account), "username": "Public API", "order_number": of.text("order_number"),
            "information": words, "created_at": time::json(*at), "#order": of.id,
        })
    };
    out.insert("order_history".to_owned(), of.history.iter().map(history).collect());
    out.insert("allocations".to_owned(), allocations(of));
    for name in ["authorizations", "returns", "rma_labels", "merged_orders"] {
        out.insert(name.to_owned(), json!([]));
    }
    Json::Object(out)
}

/// What is set aside for an order, by warehouse.
fn allocations(of: &Order) -> Json {
    let mut warehouses: Vec<i64> = of.lines.iter().filter(|line| line.allocated > 0).filter_map(|line| line.warehouse).collect();
    warehouses.sort_unstable();
    warehouses.dedup();
    let order = ids::printed(ids::ORDER, of.id);
    let at = |warehouse: i64| {
        let line = |line: &Line| {
            json!({
                "order_id": order, "warehouse_id": ids::printed(ids::WAREHOUSE, warehouse), "allocated_at": time::json(line.updated),
                "line_item_id": ids::printed(ids::LINE, line.id), "sku": line.sku, "quantity_allocated": line.allocated, "is_kit_component": false,
                "allocation_reference": null,
            })
        };
        let lines: Vec<Json> = of.lines.iter().filter(|line| line.allocated > 0 && line.warehouse == Some(warehouse)).map(line).collect();
        json!({
            "order_id": order, "warehouse_id": ids::printed(ids::WAREHOUSE, warehouse), "allocated_at": time::json(of.updated),
            "allocation_reference": null, "line_items": lines,
        })
    };
    warehouses.into_iter().map(at).collect()
}

pub(super) fn line(of: &Line, order: &Order) -> Json {
    let status = match (of.canceled, of.pending()) {
        (true, _) => "canceled",
        (_, 0) => "fulfilled",
        _ => "pending",
    };
    let mut out = json!({
        "id": ids::printed(ids::LINE, of.id), "legacy_id": of.id, "sku": of.sku, "partner_line_item_id": null, "quantity": of.quantity, "price": "0",
        "product_name": null, "option_title": null, "fulfillment_status": status, "quantity_pending_fulfillment": of.pending(),
        "quantity_shipped": of.shipped, "warehouse": null, "quantity_allocated": of.allocated, "backorder_quantity": of.backorder(),
        "custom_options": null, "custom_barcode": null, "eligible_for_return": true, "customs_value": null, "locked_to_warehouse_id": null,
        "subtotal": null, "barcode": of.sku, "created_at": time::json(of.created), "updated_at": time::json(of.updated),
        "order_id": ids::printed(ids::ORDER, order.id), "promotion_discount": null, "tote_picks": [], "#account": order.account,
        "shipped_line_item_lots": of.lots,
    });
    let serials: Vec<Json> = of
        .serials
        .iter()
        .map(|serial| {
            json!({
                "id": null, "legacy_id": null, "line_item_id": ids::printed(ids::LINE, of.id), "serial_number": serial, "scanned": true,
                "created_at": time::json(of.updated), "updated_at": time::json(of.updated),
            })
        })
        .collect();
    out["serial_numbers"] = Json::Array(serials);
    if let Json::Object(out) = &mut out {
        out.extend(of.fields.clone());
    }
    out
}

pub(super) fn shipment(of: &Shipment) -> Json {
    let id = ids::printed(ids::SHIPMENT, of.id);
    let line = |line: &super::state::Shipped| {
        json!({
            "id": ids::printed(ids::SHIPPED_LINE, line.id), "legacy_id": line.id, "line_item_id": ids::printed(ids::LINE, line.line),
            "shipment_id": id, "shipping_label_id": line.label.map(|label| ids::printed(ids::LABEL, label)), "quantity": line.quantity,
            "#line": line.line, "#order": of.order,
        })
    };
    let lines: Vec<Json> = of.lines.iter().map(line).collect();
    let labels: Vec<Json> = of.labels.iter().map(|of_label| label(of_label, of, &lines)).collect();
    json!({
        "id": id, "legacy_id": of.id, "order_id": ids::printed(ids::ORDER, of.order), "user_id": ids::printed(ids::USER, 321_759),
        "warehouse_id": ids::printed(ids::WAREHOUSE, of.warehouse), "pending_shipment_id": ids::printed("PendingShipment", of.id),
        "address": of.address, "profile": "default", "picked_up": null, "needs_refund": null,
        "refunded": if of.voided { Json::Bool(true) } else { Json::Null }, "delivered": null, "dropshipment": false,
        "shipped_off_shiphero": of.off_shiphero, "completed": true, "created_date": time::json(of.created), "shipping_labels": labels,
        "#lines": lines, "#order": of.order, "#warehouse": of.warehouse,
    })
}

fn label(of: &Label, shipment: &Shipment, lines: &[Json]) -> Json {
    let id = ids::printed(ids::LABEL, of.id);
    let inside: Vec<Json> = lines.iter().filter(|line| line["shipping_label_id"] == *id).cloned().collect();
    let mut out = json!({
        "id": id, "legacy_id": of.id, "account_id": null, "shipment_id": ids::printed(ids::SHIPMENT, shipment.id),
        "order_id": ids::printed(ids::ORDER, shipment.order), "box_id": null, "status": "valid", "tracking_number": "", "order_number": null,
        "order_account_id": null, "carrier": null, "shipping_name": null, "shipping_method": null, "cost": "0.00", "box_code": null,
        "device_id": null, "delivered": null, "picked_up": null, "refunded": null, "needs_refund": null, "profile": "default",
        "partner_fulfillment_id": null, "full_size_to_print": null, "packing_slip": null, "warehouse": null,
        "warehouse_id": shipment.warehouse.to_string(), "insurance_amount": "0.00", "carrier_account_id": null, "source": null,
        "created_date": time::json(shipment.created), "dimensions": null, "label": null, "address": shipment.address, "#lines": inside,
        "#order": shipment.order,
    });
    if let Json::Object(out) = &mut out {
        out.extend(of.fields.clone());
        let tracking = out.get("tracking_number").and_then(Json::as_str).unwrap_or_default();
        out.insert("tracking_url".to_owned(), Json::String(format!("https://www.google.com/search?q={tracking}")));
    }
    out
}

pub(super) fn hook(of: &Hook) -> Json {
    json!({
        "id": ids::printed(ids::WEBHOOK, of.id), "legacy_id": of.id, "account_id": ids::printed(ids::ACCOUNT, of.account), "shop_name": of.shop,
        "name": of.name, "url": of.url, "source": "api", "shared_signature_secret": null,
    })
}

pub(super) fn pick(of: &Handled, order: &Order) -> Json {
    let line = order.lines.iter().find(|line| Some(line.id) == of.line);
    json!({
        "id": ids::printed("Pick", of.id), "legacy_id": of.id, "user_id": ids::printed(ids::USER, 321_759), "tote_id": null,
        "line_item_id": of.line.map(|line| ids::printed(ids::LINE, line)), "pending_shipment_line_item_id": null, "location_id": null,
        "warehouse_id": ids::printed(ids::WAREHOUSE, of.warehouse), "order_id": ids::printed(ids::ORDER, of.order),
        "order_number": order.text("order_number"), "user_first_name": "Sam", "user_last_name": "Picker", "inventory_bin": "A1",
        "sku": line.map(|line| line.sku.clone()), "quantity": of.quantity, "picked_quantity": of.quantity, "pick_type": "single",
        "barcode_scanned": null, "created_at": time::json(of.at), "#order": of.order, "#line": of.line,
    })
}

pub(super) fn pack(of: &Handled, order: &Order) -> Json {
    json!({
        "id": ids::printed("Package", of.id), "legacy_id": of.id, "shipment_id": of.shipment.map(|id| ids::printed(ids::SHIPMENT, id)),
        "warehouse_id": ids::printed(ids::WAREHOUSE, of.warehouse), "order_id": ids::printed(ids::ORDER, of.order),
        "order_number": order.text("order_number"), "user_id": ids::printed(ids::USER, 321_759), "user_first_name": "Sam",
        "user_last_name": "Packer", "total_items": of.quantity, "unique_items": order.lines.len(), "barcodes_scanned": of.quantity,
        "created_at": time::json(of.at), "#order": of.order, "#shipment": of.shipment,
    })
}

pub(super) fn stock_change(of: &StockChange) -> Json {
    json!({
        "user_id": ids::printed(ids::USER, 321_759), "account_id": ids::printed(ids::ACCOUNT, of.account),
        "warehouse_id": ids::printed(ids::WAREHOUSE, of.warehouse), "sku": of.sku, "previous_on_hand": of.before, "change_in_on_hand": of.change,
        "reason": of.reason, "cycle_counted": false, "location_id": null, "created_at": time::json(of.at), "location": null,
    })
}
