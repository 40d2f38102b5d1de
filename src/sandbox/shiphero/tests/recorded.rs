//! Recorded answers of the real system: what the sandbox answers has each of their members, and costs what they cost.

use serde_json::json;

use super::*;

/// Where an answer lacks what a recorded one has, or has another kind of value. What was empty may hold something.
fn misfit(recorded: &Json, answer: &Json, at: &str) -> Option<String> {
    match (recorded, answer) {
        (Json::Object(members), Json::Object(found)) => members.iter().find_map(|(name, inner)| match found.get(name) {
            Some(value) => misfit(inner, value, &format!("{at}.{name}")),
            None => Some(format!("{at}.{name} is not there")),
        }),
        (Json::Array(items), Json::Array(found)) => match (items.first(), found.first()) {
            (Some(item), Some(first)) => misfit(item, first, &format!("{at}[0]")),
            _ => None,
        },
        (Json::Null, _) | (_, Json::Null) => None,
        (recorded, answer) if std::mem::discriminant(recorded) == std::mem::discriminant(answer) => None,
        (recorded, answer) => Some(format!("{at} is {answer}, where {recorded} was recorded")),
    }
}

fn read(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

const ORDER: &str = "id order_number partner_order_id fulfillment_status total_tax subtotal total_discounts total_price order_date updated_at email \
    account_id shipping_lines { title carrier method price } shipping_address { phone email address1 address2 city state country zip } \
    billing_address { phone email address1 address2 city state country zip } tags \
    line_items(first: 40) { edges { node { quantity id product_name sku fulfillment_status product { id name tags } } } } \
    holds { fraud_hold address_hold shipping_method_hold operator_hold payment_hold client_hold } currency hold_until_date tax_id tax_type";
const SHIPMENT: &str = "id order_id user_id warehouse_id pending_shipment_id picked_up needs_refund refunded delivered \
    address { name address1 address2 city state country zip phone } created_date \
    line_items(first: 10) { edges { node { id shipment_id shipping_label_id line_item_id quantity } } } \
    shipping_labels { id account_id shipment_id order_id box_id status tracking_number order_number order_account_id carrier shipping_name \
    shipping_method delivered picked_up refunded needs_refund partner_fulfillment_id full_size_to_print packing_slip warehouse warehouse_id \
    insurance_amount carrier_account_id source created_date tracking_url }";

fn by_number(number: &str) -> String {
    format!("{{ orders(order_number: \"{number}\") {{ request_id complexity data(first: 1) {{ edges {{ node {{ {ORDER} }} }} }} }} }}")
}

fn by_email(first: &str) -> String {
    format!("{{ orders(email: \"ada@example.com\") {{ request_id complexity data(first: {first}) {{ edges {{ node {{ {ORDER} }} }} }} }} }}")
}

fn shipments_of(id: &str) -> String {
    format!("{{ shipments(order_id: \"{id}\") {{ request_id complexity data {{ edges {{ node {{ {SHIPMENT} }} }} }} }} }}")
}

/// The cost of a recorded answer, which the sandbox's has to be equal to.
fn costs(answer: &Json) -> (Json, Json, Json) {
    let throttling = &answer["extensions"]["throttling"];
    (throttling["estimated_complexity"].clone(), throttling["cost"].clone(), throttling["cost_detail"].clone())
}

#[test]
fn answers_have_the_members_and_the_costs_of_recorded_ones() {
    let mut shop = Shop::new();
    let none = read(include_str!("../../../../sandbox/shiphero/recorded/look_up_order_by_order_num.no_orders_found.json"));
    let told = shop.ask(&by_number("MO1"), json!({}));
    assert_eq!((misfit(&none, &told, "answer"), costs(&told)), (None, costs(&none)));

    let mut with_all = order("MO1", &[("CUP-01", 1)]);
    with_all["billing_address"] = json!({"city": ""});
    with_all["shipping_lines"] = json!({"title": "Ground", "price": "0.00", "carrier": "ups", "method": "ups_ground"});
    let made = shop.data(CREATE, json!({"data": with_all}));
    let one = read(include_str!("../../../../sandbox/shiphero/recorded/look_up_order_by_order_num.success.json"));
    let told = shop.ask(&by_number("MO1"), json!({}));
    assert_eq!((misfit(&one, &told, "answer"), costs(&told)), (None, costs(&one)));

    // Five orders with ten lines, the newest first.
    let several = read(include_str!("../../../../sandbox/shiphero/recorded/look_up_orders_by_email.success.json"));
    for (number, count) in [("A", 1), ("B", 3), ("C", 1), ("D", 3), ("E", 2)] {
        let skus = ["CUP-01", "POT-01", "LAMP-9"];
        shop.order(number, &skus[..count].iter().map(|sku| (*sku, 1)).collect::<Vec<_>>());
    }
    let told = shop.ask(&by_email("5"), json!({}));
    assert_eq!((misfit(&several, &told, "answer"), costs(&told)), (None, costs(&several)));
    let ids = |answer: &Json| -> Vec<i64> {
        let edges = answer["data"]["orders"]["data"]["edges"].as_array().unwrap().clone();
        edges.iter().map(|edge| super::super::ids::read("Order", edge["node"]["id"].as_str().unwrap()).unwrap()).collect()
    };
    for answer in [&several, &told] {
        assert!(ids(answer).is_sorted_by(|one, other| one > other), "{:?}", ids(answer));
    }

    let empty = read(include_str!("../../../../sandbox/shiphero/recorded/track_shipments_by_order_id.no_shipments_found.json"));
    let id = made["order_create"]["order"]["id"].as_str().unwrap().to_owned();
    let told = shop.ask(&shipments_of(&id), json!({}));
    assert_eq!((misfit(&empty, &told, "answer"), costs(&told)), (None, costs(&empty)));
    shop.act("ship", "MO1", json!({})).unwrap();
    let shipped = read(include_str!("../../../../sandbox/shiphero/recorded/track_shipments_by_order_id.success.json"));
    let told = shop.ask(&shipments_of(&id), json!({}));
    assert_eq!((misfit(&shipped, &told, "answer"), costs(&told)), (None, costs(&shipped)));
}

/// Without what is made anew each time.
fn error(answer: &Json) -> Json {
    let mut error = answer["errors"][0].clone();
    error.as_object_mut().unwrap().remove("request_id").unwrap();
    error
}

#[test]
fn refusals_are_recorded_ones_to_the_word() {
    let mut shop = Shop::new();
    let negative = read(include_str!("../../../../sandbox/shiphero/recorded/look_up_order_by_order_num.success_with_errors.json"));
    let query = format!("{{ orders {{ request_id complexity data(first: -40) {{ edges {{ node {{ {ORDER} }} }} }} }} }}");
    let told = shop.ask(&query, json!({}));
    assert_eq!((error(&told), costs(&told), misfit(&negative, &told, "answer")), (error(&negative), costs(&negative), None));

    let unknown = read(include_str!("../../../../sandbox/shiphero/recorded/track_shipments_by_order_id.success_with_errors.json"));
    let query = "{ shipments(order_id: \"FAKE ORDER ID\") { request_id complexity data(first: 10) { edges { node { id } } } } }";
    let told = shop.ask(query, json!({}));
    assert_eq!((error(&told), costs(&told), misfit(&unknown, &told, "answer")), (error(&unknown), costs(&unknown), None));

    shop.wait(60);
    let short = read(include_str!("../../../../sandbox/shiphero/recorded/look_up_orders_by_email.success_with_errors.json"));
    let told = shop.ask("{ orders(email: \"a\") { data(first: 1000000) { edges { node { id } } } } }", json!({}));
    assert_eq!((error(&told), &told["data"], misfit(&short, &told, "answer")), (error(&short), &short["data"], None));
    assert_eq!(told["extensions"], short["extensions"], "it costs nothing of what is left");
}
