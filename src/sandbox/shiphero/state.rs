//! What an account holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Map;

use super::{ids, time};
use crate::sandbox::kit::laws::Seen;
use crate::value::Json;

/// A client, or the warehouse that keeps the goods of clients.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) email: String,
    pub(super) name: String,
    /// The warehouse whose customer it is.
    pub(super) parent: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct Warehouse {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) identifier: String,
    pub(super) country: &'static str,
}

#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) weight: String,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// Of a kit: its parts, and how many of each.
    pub(super) parts: Vec<(String, i64)>,
    pub(super) has_lots: bool,
    pub(super) has_serials: bool,
}

/// What lies of a product in a warehouse.
#[derive(Debug, Clone)]
pub(super) struct Stock {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) sku: String,
    pub(super) warehouse: i64,
    pub(super) on_hand: i64,
    pub(super) allocated: i64,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) fields: Map<String, Json>,
    pub(super) sku: String,
    pub(super) quantity: i64,
    pub(super) shipped: i64,
    pub(super) canceled: bool,
    /// How many are set aside, and where.
    pub(super) allocated: i64,
    pub(super) warehouse: Option<i64>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) lots: Vec<Json>,
    pub(super) serials: Vec<String>,
}

impl Line {
    /// What is still to be shipped.
    pub(super) fn pending(&self) -> i64 {
        if self.canceled { 0 } else { (self.quantity - self.shipped).max(0) }
    }

    pub(super) fn backorder(&self) -> i64 {
        self.pending() - self.allocated
    }
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) fields: Map<String, Json>,
    pub(super) lines: Vec<Line>,
    pub(super) shipments: Vec<i64>,
    /// Where somebody said that it is to be shipped from.
    pub(super) warehouse: Option<i64>,
    pub(super) history: Vec<(i64, Timestamp, String)>,
}

impl Order {
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Json::as_str).unwrap_or_default()
    }

    pub(super) fn status(&self) -> &str {
        self.text("fulfillment_status")
    }

    /// Whether anything keeps it from being packed.
    pub(super) fn is_held(&self) -> bool {
        self.fields.get("holds").and_then(Json::as_object).is_some_and(|holds| holds.values().any(|hold| *hold == Json::Bool(true)))
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self.status(), "fulfilled" | "canceled" | "cancelled")
    }
}

#[derive(Debug, Clone)]
pub(super) struct Shipped {
    pub(super) id: i64,
    pub(super) line: i64,
    pub(super) label: Option<i64>,
    pub(super) quantity: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) id: i64,
    pub(super) fields: Map<String, Json>,
}

#[derive(Debug, Clone)]
pub(super) struct Shipment {
    pub(super) id: i64,
    pub(super) order: i64,
    pub(super) warehouse: i64,
    pub(super) created: Timestamp,
    pub(super) address: Json,
    pub(super) lines: Vec<Shipped>,
    pub(super) labels: Vec<Label>,
    pub(super) voided: bool,
    pub(super) off_shiphero: bool,
}

/// A pick or a pack, as the lists of a day have them.
#[derive(Debug, Clone)]
pub(super) struct Handled {
    pub(super) id: i64,
    pub(super) order: i64,
    pub(super) line: Option<i64>,
    pub(super) quantity: i64,
    pub(super) at: Timestamp,
    pub(super) warehouse: i64,
    pub(super) shipment: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct StockChange {
    pub(super) account: i64,
    pub(super) warehouse: i64,
    pub(super) sku: String,
    pub(super) before: i64,
    pub(super) change: i64,
    pub(super) reason: String,
    pub(super) at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hook {
    pub(super) id: i64,
    pub(super) account: i64,
    pub(super) name: String,
    pub(super) shop: String,
    pub(super) url: String,
    pub(super) secret: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) accounts: Vec<Account>,
    pub(super) warehouses: Vec<Warehouse>,
    pub(super) products: BTreeMap<(i64, String), Product>,
    pub(super) stock: BTreeMap<i64, Seen<Stock>>,
    pub(super) stock_of: BTreeMap<(i64, String), Vec<i64>>,
    pub(super) stock_updated: BTreeSet<(Timestamp, i64)>,
    pub(super) orders: BTreeMap<i64, Seen<Arc<Order>>>,
    pub(super) by_number: BTreeSet<(String, i64)>,
    pub(super) by_partner: BTreeSet<(String, i64)>,
    pub(super) by_updated: BTreeSet<(Timestamp, i64)>,
    pub(super) order_of_line: BTreeMap<i64, i64>,
    /// Open orders that wait for a product.
    pub(super) waiting: BTreeMap<(i64, String), BTreeSet<i64>>,
    pub(super) shipments: BTreeMap<i64, Seen<Arc<Shipment>>>,
    pub(super) shipped_at: BTreeSet<(Timestamp, i64)>,
    pub(super) picks: Vec<Handled>,
    pub(super) packs: Vec<Handled>,
    pub(super) stock_changes: Vec<StockChange>,
    pub(super) hooks: Vec<Hook>,
    next: i64,
}

/// The goods of an account, as it is set up.
#[derive(Debug, Clone)]
pub struct Goods {
    pub sku: String,
    pub name: String,
    pub grams: i64,
    /// In each warehouse.
    pub on_hand: i64,
    /// Of a kit: its parts.
    pub parts: Vec<(String, i64)>,
    pub has_lots: bool,
    pub has_serials: bool,
}

impl Goods {
    pub fn new(sku: &str, name: &str, grams: i64, on_hand: i64) -> Self {
        Goods { sku: sku.to_owned(), name: name.to_owned(), grams, on_hand, parts: Vec::new(), has_lots: false, has_serials: false }
    }
}

/// The account that signs in.
pub(super) const OWN: i64 = 4_087;
/// Its customers, where it is a warehouse for others.
const CUSTOMERS: [(i64, &str, &str); 2] = [(4_222, "northwind@example.com", "Northwind"), (4_223, "fabrikam@example.com", "Fabrikam")];
const WAREHOUSES: [(i64, &str, &str); 2] = [(7_145, "Primary", "US"), (7_146, "Leeds", "GB")];

impl State {
    pub(super) fn new(email: &str, is_3pl: bool, goods: &[Goods], now: Timestamp) -> Self {
        let mut state = State { next: 555_300_000, ..State::default() };
        state.accounts.push(Account { id: OWN, email: email.to_owned(), name: "Sandbox".to_owned(), parent: None });
        for (id, email, name) in CUSTOMERS.into_iter().filter(|_| is_3pl) {
            state.accounts.push(Account { id, email: email.to_owned(), name: name.to_owned(), parent: Some(OWN) });
        }
        for (id, identifier, country) in WAREHOUSES {
            state.warehouses.push(Warehouse { id, account: OWN, identifier: identifier.to_owned(), country });
        }
        for account in state.accounts.iter().map(|account| account.id).collect::<Vec<_>>() {
            for goods in goods {
                state.add_product(account, goods, now);
            }
        }
        state
    }

    pub(super) fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    /// A product of an account, with what lies of it in each warehouse.
    pub(super) fn add_product(&mut self, account: i64, goods: &Goods, now: Timestamp) {
        let now = time::whole(now);
        let id = self.id();
        let product = Product {
            id,
            account,
            sku: goods.sku.clone(),
            name: goods.name.clone(),
            // Pounds, as an account of the United States has them.
            weight: format!("{:.4}", goods.grams as f64 / 453.592_37),
            created: now,
            updated: now,
            parts: goods.parts.clone(),
            has_lots: goods.has_lots,
            has_serials: goods.has_serials,
        };
        let key = (account, goods.sku.clone());
        self.products.insert(key.clone(), product);
        for warehouse in self.warehouses.iter().map(|warehouse| warehouse.id).collect::<Vec<_>>() {
            let id = self.id();
            let sku = goods.sku.clone();
            let stock = Stock { id, account, sku, warehouse, on_hand: goods.on_hand, allocated: 0, created: now, updated: now };
            self.stock_updated.insert((now, id));
            self.stock.insert(id, Seen::new(stock, now, jiff::SignedDuration::ZERO));
            self.stock_of.entry(key.clone()).or_default().push(id);
        }
    }

    pub(super) fn account(&self, id: i64) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The warehouses that keep an account's goods.
    pub(super) fn warehouses_of(&self, account: i64) -> impl Iterator<Item = &Warehouse> {
        let keeper = self.account(account).and_then(|account| account.parent).unwrap_or(account);
        self.warehouses.iter().filter(move |warehouse| warehouse.account == keeper)
    }

    pub(super) fn warehouse(&self, id: i64) -> Option<&Warehouse> {
        self.warehouses.iter().find(|warehouse| warehouse.id == id)
    }

    pub(super) fn order(&self, id: i64) -> Option<&Arc<Order>> {
        self.orders.get(&id).map(Seen::newest)
    }

    pub(super) fn shipment(&self, id: i64) -> Option<&Arc<Shipment>> {
        self.shipments.get(&id).map(Seen::newest)
    }

    pub(super) fn stock_at(&self, account: i64, sku: &str, warehouse: i64) -> Option<&Stock> {
        let all = self.stock_of.get(&(account, sku.to_owned()))?;
        all.iter().filter_map(|id| self.stock.get(id)).map(Seen::newest).find(|stock| stock.warehouse == warehouse)
    }
}

/// A field of an order that a caller may leave out, as it is then.
pub(super) fn fresh_order(account: i64) -> Map<String, Json> {
    let mut fields = Map::new();
    for (value, names) in FRESH {
        // The table has JSON only.
        let value: Json = serde_json::from_str(value).unwrap_or_default();
        fields.extend(names.iter().map(|name| ((*name).to_owned(), value.clone())));
    }
    fields.insert("account_id".to_owned(), ids::json(ids::ACCOUNT, account));
    let holds = HOLDS.map(|name| (name.to_owned(), Json::Bool(false)));
    fields.insert("holds".to_owned(), Json::Object(holds.into_iter().collect()));
    fields
}

pub(super) const HOLDS: [&str; 6] = ["fraud_hold", "address_hold", "shipping_method_hold", "operator_hold", "payment_hold", "client_hold"];

/// What the fields of a new order are where a caller says nothing.
const FRESH: &[(&str, &[&str])] = &[
    (
        "null",
        &[
            "order_number",
            "partner_order_id",
            "shop_name",
            "order_date",
            "box_name",
            "custom_invoice_url",
            "gift_note",
            "packing_note",
            "required_ship_date",
            "shipping_lines",
            "shipping_address",
            "billing_address",
            "third_party_shipper",
            "expected_weight_in_oz",
            "currency",
            "hold_until_date",
            "incoterms",
            "tax_id",
            "tax_type",
            "dry_ice_weight_in_lbs",
            "ftr_exemption",
        ],
    ),
    (
        "false",
        &[
            "auto_print_return_label",
            "flagged",
            "saturday_delivery",
            "ignore_address_validation_errors",
            "skip_address_validation",
            "priority_flag",
            "gift_invoice",
            "allow_partial",
            "require_signature",
            "adult_signature_required",
            "alcohol",
            "insurance",
            "has_dry_ice",
            "allow_split",
            "address_is_business",
        ],
    ),
    ("\"0\"", &["total_tax", "subtotal", "total_discounts", "total_price"]),
    ("\"pending\"", &["fulfillment_status"]),
    ("\"default\"", &["profile"]),
    ("\"api\"", &["source"]),
    ("\"0.00\"", &["insurance_amount"]),
    ("\"\"", &["email"]),
    ("0", &["allocation_priority"]),
    ("[]", &["tags"]),
];
