//! Global ids: the base64 of a kind and a number, beside which the API prints the number as `legacy_id`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::value::Json;

pub(super) const ACCOUNT: &str = "Account";
pub(super) const LABEL: &str = "ShippingLabel";
pub(super) const LINE: &str = "LineItem";
pub(super) const ORDER: &str = "Order";
pub(super) const PRODUCT: &str = "ProductInfo";
pub(super) const SHIPMENT: &str = "Shipment";
pub(super) const SHIPPED_LINE: &str = "ShippedLineItem";
pub(super) const STOCK: &str = "WarehouseProduct";
pub(super) const USER: &str = "User";
pub(super) const WAREHOUSE: &str = "Warehouse";
pub(super) const WEBHOOK: &str = "Webhook";

/// `T3JkZXI6NTU1MzAxNTAw`: `Order:555301500`
pub(super) fn printed(kind: &str, id: i64) -> String {
    STANDARD.encode(format!("{kind}:{id}"))
}

pub(super) fn json(kind: &str, id: i64) -> Json {
    Json::String(printed(kind, id))
}

/// The number of a global id of a kind.
pub(super) fn read(kind: &str, text: &str) -> Option<i64> {
    let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    decoded.strip_prefix(kind)?.strip_prefix(':')?.parse().ok()
}
