//! Records by id and by a field: whole, none of them taken for gone that is there, and none kept that is gone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use serde_json::json;

use super::{Shop, ids};
use crate::connector::scripted::{answer, ok};
use crate::connector::{Change, Connector as _, LookupRequest, State};
use crate::fault::Fault;
use crate::http::{Broken, Response};
use crate::value::{Json, ObjectRef};

fn record(change: &Change) -> Json {
    let State::Upserted(record) = &change.state else { panic!("{change:?}") };
    record.read()
}

fn data(data: Json) -> Result<Response, Broken> {
    ok(json!({"data": data}))
}

/// Orders of GraphQL, three in a document.
const ALIASES: &str = "answers: [{ when: error.code == 5, is: absent }, { when: error.code == 3, is: rejected }]
error: { each: errors, code: code, message: message }
objects:
  Order:
    get: { query: order, arguments: { id: '{id}' }, record: data, batch: { aliases: 3 } }
";

#[tokio::test]
async fn one_record_that_is_missing_does_not_make_the_others_missing() {
    let error = |code: u64, path: Option<&str>| match path {
        Some(path) => json!({"code": code, "message": "no", "path": [path]}),
        None => json!({"code": code, "message": "no"}),
    };
    let one = |id: &str| data(json!({"order": {"data": {"id": id}}}));
    let refused = |code: u64| ok(json!({"data": {"order": null}, "errors": [error(code, None)]}));
    // An error of nobody in particular: each is asked for by itself.
    let all = || ok(json!({"data": {"a0": null, "a1": null, "a2": null}, "errors": [error(5, None)]}));
    let shop = Shop::graphql(ALIASES, [all(), one("A"), refused(5), one("C")]).reading(&[&["id"]]);
    assert_eq!(ids(&shop.fetched(&["A", "B", "C"]).await.unwrap()), ["A", "C"]);
    // An error of one of them is its own: only what is absent is gone.
    let found = json!({"data": {"id": "A"}});
    let mixed = || ok(json!({"data": {"a0": found, "a1": null, "a2": null}, "errors": [error(3, Some("a1")), error(5, Some("a2"))]}));
    let shop = Shop::graphql(ALIASES, [mixed()]).reading(&[&["id"]]);
    let fetched = shop.fetched(&["A", "B", "C"]).await.unwrap();
    assert_eq!(ids(&fetched), ["A", "B"]);
    assert!(matches!(&fetched[1].state, State::Refused(Fault::Rejected(refusal)) if refusal.message == "no"), "{fetched:?}");
    // An error that nothing names says nothing of any of them.
    let shop = Shop::graphql(ALIASES, [ok(json!({"data": {"a0": found, "a1": null}, "errors": [error(99, Some("a1"))]}))]).reading(&[&["id"]]);
    assert!(matches!(shop.fetched(&["A", "B"]).await, Err(Fault::Transient { .. })));
    // Null without an error: it is not there.
    let shop = Shop::graphql(ALIASES, [data(json!({"a0": found, "a1": null, "a2": {"data": null}}))]).reading(&[&["id"]]);
    assert_eq!(ids(&shop.fetched(&["A", "B", "C"]).await.unwrap()), ["A"]);
    // What an answer does not tell of is not gone.
    for answer in [json!({"a0": found}), json!({"a0": found, "a1": {}})] {
        let shop = Shop::graphql(ALIASES, [data(answer)]).reading(&[&["id"]]);
        assert!(matches!(shop.fetched(&["A", "B"]).await, Err(Fault::Transient { .. })));
    }
}

#[tokio::test]
async fn a_record_by_alias_is_made_as_one_by_itself_is() {
    let described = "time: { zone: UTC, without_offset: UTC }
objects:
  Order:
    get: { query: order, arguments: { id: '{id}' }, record: data, batch: { aliases: 3 }, put: { number: '{id}' } }
";
    let one = |id: &str| json!({"data": {"id": id, "at": "2026-11-18T19:00:00"}});
    let refused_all = || answer(400, &json!({}));
    let shop = Shop::graphql(
        described,
        [data(json!({"a0": one("A"), "a1": one("B")})), refused_all(), data(json!({"order": one("A")})), data(json!({"order": {"data": null}}))],
    );
    let shop = shop.knowing("Order", r#""id": { "type": "string" }, "at": { "type": "string", "format": "date-time" }"#);
    let several = shop.fetched(&["A", "B"]).await.unwrap();
    let alone = shop.fetched(&["A", "B"]).await.unwrap();
    assert_eq!(record(&several[0]), json!({"id": "A", "at": "2026-11-18T19:00:00Z", "number": "A"}));
    assert_eq!(record(&several[0]), record(&alone[0]));
}

#[tokio::test]
async fn ids_of_different_kinds_are_read_by_calls_of_their_own() {
    let described = "objects:
  Order:
    get:
      se-: { call: GET /new, query: { ids: '{ids | joined \",\"}' }, records: rows, batch: 10 }
      else: { call: GET /old, query: { ids: '{ids | joined \",\"}' }, records: rows, batch: 10 }
";
    let rows = |ids: &[&str]| ok(json!({"rows": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()}));
    let shop = Shop::rest(described, [rows(&["se-1", "se-3"]), rows(&["2", "4"])]);
    let mut fetched: Vec<String> = ids(&shop.fetched(&["se-1", "2", "se-3", "4"]).await.unwrap()).iter().map(|id| (*id).to_owned()).collect();
    fetched.sort();
    assert_eq!(fetched, ["2", "4", "se-1", "se-3"]);
    assert_eq!(shop.asked(), ["/new ids=se-1,se-3", "/old ids=2,4"]);
}

#[tokio::test]
async fn what_is_gone_in_a_list_is_gone_where_it_is_read_by_itself() {
    let described = "objects:
  Order:
    stamp: at
    changes:
      - { name: orders, call: GET /o, records: rows, page: whole, skip: 'record.kind == test' }
    gone: { when: 'record.voided == true', stamp: voided_at }
    get: { call: GET /o, query: { ids: '{ids | joined \",\"}' }, records: rows, batch: 10 }
    find: { number: { call: GET /o, query: { number: '{value}' }, records: rows, filter: exact } }
";
    let rows = json!({"rows": [
        {"id": "1", "at": "2026-11-18T19:00:00Z", "number": "n"},
        {"id": "2", "at": "2026-11-18T19:00:00Z", "number": "n", "voided": true, "voided_at": "2026-11-18T19:30:00Z"},
        {"id": "3", "at": "2026-11-18T19:00:00Z", "number": "n", "kind": "test"},
    ]});
    let shop = Shop::rest(described, [ok(rows.clone()), ok(rows.clone()), ok(rows)]);
    let fetched = shop.fetched(&["1", "2", "3"]).await.unwrap();
    assert_eq!(ids(&fetched), ["1", "2"]);
    assert!(matches!(fetched[0].state, State::Upserted(_)));
    assert_eq!((&fetched[1].state, fetched[1].stamp.as_deref()), (&State::Gone, Some("2026-11-18T19:30:00.000000Z")));
    let page = shop.page(None, true).await.unwrap();
    assert_eq!((ids(&page.changes), &page.changes[1].state), (vec!["1", "2"], &State::Gone));
    // Who looks something up finds what there was, too: a record that is void was made.
    let of = ObjectRef::new("shop", "Order");
    let (field, values) = (["number".to_owned()], ["n".to_owned()]);
    let ask = LookupRequest { object: &of, schemas: &shop.schemas, field: &field, values: &values, companions: &[], projection: &[] };
    assert_eq!(shop.system.lookup(&shop.call, &ask).await.unwrap().len(), 3);
}

/// Orders with a nested connection.
const NESTED: &str = "objects:
  Order:
    stamp: at
    selection: { lines: { first: 2 }, labels: { first: 5 } }
    changes:
      - { name: orders, query: orders, records: rows, page: whole }
    get: { query: order, arguments: { id: '{id}' }, record: data, batch: { aliases: 3 } }
    find: { number: { query: orders, arguments: { number: '{value}' }, records: rows, filter: exact } }
";

fn lines(skus: &[&str], next: Option<&str>) -> Json {
    let edges: Vec<Json> = skus.iter().map(|sku| json!({"node": {"sku": sku}})).collect();
    json!({"edges": edges, "pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}})
}

fn with_lines(id: &str, lines: Json) -> Json {
    json!({"id": id, "at": "2026-11-18T19:00:00Z", "number": id, "lines": lines})
}

fn skus(change: &Change) -> Vec<String> {
    record(change)["lines"]["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["sku"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_connection_in_a_record_is_read_to_its_end() {
    let one = |record: Json| data(json!({"order": {"data": record}}));
    let shop = Shop::graphql(
        NESTED,
        [
            data(json!({"orders": {"rows": [with_lines("A", lines(&["1", "2"], Some("c2"))), with_lines("B", lines(&["1"], None))]}})),
            data(json!({"a0": {"data": with_lines("A", lines(&["1", "2"], Some("c2")))}})),
            one(with_lines("A", lines(&["3", "4"], Some("c4")))),
            one(with_lines("A", lines(&["5"], None))),
        ],
    );
    let shop = shop.reading(&[&["lines", "sku"]]);
    // What the list has of it is not the record: it is read by its id.
    let page = shop.page(None, true).await.unwrap();
    assert!(matches!((&page.changes[0].state, &page.changes[1].state), (State::Listed, State::Upserted(_))), "{page:?}");
    let fetched = shop.fetched(&["A"]).await.unwrap();
    assert_eq!(skus(&fetched[0]), ["1", "2", "3", "4", "5"]);
    assert_eq!(record(&fetched[0])["lines"]["pageInfo"]["hasNextPage"], false);
    let order = |arguments: &str| {
        format!(
            r#"query {{ order(id: "A") {{ data {{ at id lines({arguments}) {{ edges {{ node {{ sku }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"#
        )
    };
    let asked = shop.asked();
    assert_eq!(asked[0], "query { orders { rows { lines(first: 2) { edges { node { sku } } pageInfo { hasNextPage endCursor } } at id } } }");
    assert_eq!(asked[2..], [order(r#"first: 2, after: "c2""#), order(r#"first: 2, after: "c4""#)]);
}

#[tokio::test]
async fn a_record_is_never_taken_without_the_rest_of_its_lines() {
    let cut = |id: &str| with_lines(id, lines(&["1", "2"], Some("c2")));
    let whole = |id: &str| with_lines(id, lines(&["1"], None));
    // By alias only the one that is cut is read on.
    let rest = data(json!({"order": {"data": with_lines("A", lines(&["3"], None))}}));
    let shop = Shop::graphql(NESTED, [data(json!({"a0": {"data": cut("A")}, "a1": {"data": whole("B")}})), rest]).reading(&[&["lines", "sku"]]);
    let fetched = shop.fetched(&["A", "B"]).await.unwrap();
    assert_eq!((skus(&fetched[0]).len(), skus(&fetched[1]).len()), (3, 1));
    // It changed between its pages: it is read again later.
    let mut changed = with_lines("A", lines(&["3"], None));
    changed["at"] = json!("2026-11-18T19:30:00Z");
    let one = |record: Json| data(json!({"order": {"data": record}}));
    let first = || data(json!({"a0": {"data": cut("A")}}));
    let shop = Shop::graphql(NESTED, [first(), one(changed)]).reading(&[&["lines", "sku"]]);
    assert!(matches!(shop.fetched(&["A"]).await, Err(Fault::Transient { reason, .. }) if reason.contains("changed while")));
    // No cursor leads on, the same page comes again, or what is cut stands inside of a list: the record alone is told of.
    let blind = with_lines("A", json!({"edges": [], "pageInfo": {"hasNextPage": true}}));
    let mut inner = whole("A");
    inner["lines"]["edges"][0]["node"]["labels"] = lines(&[], Some("c"));
    for (record, why) in [(blind, "no `endCursor`"), (inner, "`lines.edges.*.node.labels` of Order `A`")] {
        let shop = Shop::graphql(NESTED, [data(json!({"a0": {"data": record}, "a1": {"data": whole("B")}}))]).reading(&[&["lines", "sku"]]);
        let fetched = shop.fetched(&["A", "B"]).await.unwrap();
        assert!(matches!(&fetched[0].state, State::Refused(Fault::Rejected(refusal)) if refusal.message.contains(why)), "{fetched:?}");
        assert!(matches!(fetched[1].state, State::Upserted(_)));
    }
    let shop = Shop::graphql(NESTED, [first(), one(cut("A"))]).reading(&[&["lines", "sku"]]);
    assert!(shop.fetched(&["A"]).await.is_err());
    // Looked up by a field it is whole, too.
    let list = data(json!({"orders": {"rows": [cut("A")]}}));
    let shop = Shop::graphql(NESTED, [list, one(cut("A")), one(with_lines("A", lines(&["3"], None)))]);
    let of = ObjectRef::new("shop", "Order");
    let (field, values, projection) = (["number".to_owned()], ["A".to_owned()], [vec!["lines".to_owned(), "sku".to_owned()]]);
    let ask = LookupRequest { object: &of, schemas: &shop.schemas, field: &field, values: &values, companions: &[], projection: &projection };
    let found = shop.system.lookup(&shop.call, &ask).await.unwrap();
    assert_eq!(found[0].record["lines"]["edges"].as_array().unwrap().len(), 3);
}

/// Of REST a record that is refused by itself is told of by itself.
#[tokio::test]
async fn one_record_that_is_refused_does_not_stop_the_others() {
    let described = "objects:\n  Order:\n    get: { call: 'GET /o/{id}' }\n";
    let shop = Shop::rest(described, [answer(400, &json!({})), ok(json!({"id": "B"})), answer(404, &json!({}))]);
    let fetched = shop.fetched(&["A", "B", "C"]).await.unwrap();
    assert_eq!(ids(&fetched), ["A", "B"]);
    assert!(matches!((&fetched[0].state, &fetched[1].state), (State::Refused(_), State::Upserted(_))));
}

/// A time that nobody waits for is no time: a refusal is waited for a day at the most, and a second at the least.
#[tokio::test]
async fn a_refusal_is_not_waited_for_without_end() {
    let described = "answers: [{ when: status == 429, is: throttled, until: body.until }]\nobjects:\n  Order:\n    get: { call: 'GET /o/{id}' }\n";
    for (said, waited) in [("2199-01-01T00:00:00Z", 86_400), ("2026-11-18T20:00:30Z", 30), ("2001-01-01T00:00:00Z", 1)] {
        let shop = Shop::rest(described, [answer(429, &json!({"until": said}))]);
        let fault = shop.fetched(&["A"]).await.unwrap_err();
        let until = crate::connector::scripted::NOW.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(waited);
        assert!(matches!(fault, Fault::Throttled { until: Some(at), .. } if at == until), "{said}: {fault:?}");
    }
}
