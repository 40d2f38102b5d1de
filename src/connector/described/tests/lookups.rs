//! Look-ups of several values: in one list, or as fields of one document.

use serde_json::json;

use super::Shop;
use crate::connector::scripted::{answer, ok};
use crate::connector::{Connector as _, Item, LookupRequest, Operation, WriteRequest};
use crate::fault::Fault;
use crate::http::{Broken, Response};
use crate::value::{Json, ObjectRef};

impl Shop {
    /// What is found: the values, each with the id of its record.
    async fn look_up(&self, field: &str, values: &[&str]) -> Result<Vec<(String, String)>, Fault> {
        let of = ObjectRef::new("shop", "Order");
        let field = [field.to_owned()];
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let projection: Vec<Vec<String>> = self.reads.clone();
        let ask = LookupRequest { object: &of, schemas: &self.schemas, field: &field, values: &values, companions: &[], projection: &projection };
        let found = self.system.lookup(&self.call, &ask).await?;
        let mut found: Vec<_> = found.into_iter().map(|found| (found.value, found.record["id"].as_str().unwrap().to_owned())).collect();
        found.sort();
        Ok(found)
    }

    fn batch(&self, field: &str) -> usize {
        self.system.lookup_batch(&ObjectRef::new("shop", "Order"), &[field.to_owned()])
    }
}

fn pairs(found: &[(&str, &str)]) -> Vec<(String, String)> {
    found.iter().map(|(value, id)| ((*value).to_owned(), (*id).to_owned())).collect()
}

fn rows(of: &[(&str, &str)]) -> Result<Response, Broken> {
    ok(json!({"rows": of.iter().map(|(number, id)| json!({"number": number, "id": id})).collect::<Vec<Json>>()}))
}

const LISTED: &str = "objects:
  Order:
    get: { call: GET /o, query: { ids: '{ids | joined \",\"}' }, records: rows, batch: 20 }
    find:
      number: { call: GET /o, query: { numbers: '{values | joined \",\"}', limit: 4 }, records: rows, batch: 10 }
      note: { call: GET /o, query: { note: '{value}' }, records: rows }
";

#[tokio::test]
async fn several_values_are_one_call_and_each_record_is_that_of_the_value_it_holds() {
    let shop = Shop::rest(LISTED, [rows(&[("c", "3"), ("a", "1"), ("stranger", "9")]), rows(&[("a", "1")])]);
    assert_eq!((shop.batch("number"), shop.batch("note"), shop.batch("id"), shop.batch("none")), (10, 1, 20, 1));
    assert_eq!(shop.look_up("number", &["a", "b", "c"]).await.unwrap(), pairs(&[("a", "1"), ("c", "3")]));
    // Where nothing else is said, the id is that of `get`, as many as it takes.
    assert_eq!(shop.look_up("id", &["1", "2"]).await.unwrap(), pairs(&[("1", "1")]));
    assert_eq!(shop.asked(), ["/o numbers=a,b,c&limit=4", "/o ids=1,2"]);
}

#[tokio::test]
async fn an_answer_that_is_not_whole_or_is_refused_is_asked_again_for_half_of_the_values() {
    let full = rows(&[("a", "1"), ("a", "2"), ("b", "3"), ("b", "4")]);
    let shop = Shop::rest(LISTED, [full, rows(&[("a", "1"), ("a", "2")]), answer(400, &json!({})), rows(&[("b", "3")]), rows(&[])]);
    assert_eq!(shop.look_up("number", &["a", "b", "c"]).await.unwrap(), pairs(&[("a", "1"), ("a", "2"), ("b", "3")]));
    assert_eq!(
        shop.asked(),
        ["/o numbers=a,b,c&limit=4", "/o numbers=a&limit=4", "/o numbers=b,c&limit=4", "/o numbers=b&limit=4", "/o numbers=c&limit=4"]
    );
    // What one value alone is refused for is the fault of the look-up, and so is a full page of one.
    let shop = Shop::rest(LISTED, [answer(400, &json!({})), answer(400, &json!({}))]);
    assert!(matches!(shop.look_up("number", &["a", "b"]).await, Err(Fault::Rejected(_))));
    assert_eq!(shop.asked().len(), 2);
    let full = || rows(&[("a", "1"), ("a", "2"), ("a", "3"), ("a", "4")]);
    let shop = Shop::rest(LISTED, [full(), full()]);
    assert!(matches!(shop.look_up("number", &["a", "b"]).await, Err(Fault::Rejected(refusal)) if refusal.message.contains("more Order")));
    // A fault that passes is not asked about any further.
    let shop = Shop::rest(LISTED, [answer(500, &json!({}))]);
    assert!(matches!(shop.look_up("number", &["a", "b"]).await, Err(Fault::Transient { .. })));
    // A record that cannot be compared is nobody's.
    let shop = Shop::rest(LISTED, [ok(json!({"rows": [{"id": "1"}]})), ok(json!({"rows": [{"id": "1"}]}))]);
    assert!(matches!(shop.look_up("number", &["a", "b"]).await, Err(Fault::Rejected(refusal)) if refusal.message.contains("`number`")));
}

const BOTH: &str = "objects:
  Order:
    changes: [{ name: orders, call: GET /o, query: { since: '{from}' }, records: rows, page: { keyset: [id], query.after: '{id}' }, overlap: 1 minute }]
    find:
      number: { call: 'GET /o/{value}', batch: { most: 10, call: GET /o, query: { numbers: '{values | joined \",\"}' }, records: rows } }
    writes:
      update: { call: 'PUT /o/{id}', body: '{item}', guarantee: { by: set, source: x }, receipt: { empty: true } }
";

#[tokio::test]
async fn what_a_list_may_show_late_is_asked_for_by_itself() {
    let one = |number: &str, id: &str| ok(json!({"number": number, "id": id}));
    let absent = || answer(404, &json!({}));
    let list = || rows(&[("a", "1"), ("b", "2")]);
    let shop = Shop::rest(BOTH, [list(), absent(), answer(204, &Json::Null), list(), one("b", "2"), one("a", "1")]);
    assert_eq!(shop.batch("number"), 10);
    // One is not in the list: the call for one says that it is not there.
    assert_eq!(shop.look_up("number", &["a", "b", "c"]).await.unwrap(), pairs(&[("a", "1"), ("b", "2")]));
    // One was written just before: the list may show it as it was.
    let items = [Item { key: None, id: Some("2".to_owned()), body: json!({"note": "x"}) }];
    let (of, schemas, now) = (ObjectRef::new("shop", "Order"), std::collections::BTreeMap::new(), crate::connector::scripted::NOW.parse().unwrap());
    let (operation, key_field) = (Operation::Update, None);
    let batch = WriteRequest { object: &of, schemas: &schemas, operation, key_field, items: &items, riders: None, now };
    shop.system.send(&shop.call, &batch).await.unwrap();
    assert_eq!(shop.look_up("number", &["a", "b"]).await.unwrap(), pairs(&[("a", "1"), ("b", "2")]));
    // One alone is asked for by the call for one.
    assert_eq!(shop.look_up("number", &["a"]).await.unwrap(), pairs(&[("a", "1")]));
    assert_eq!(shop.asked(), ["/o numbers=a,b,c", "/o/c ", r#"/o/2 {"note":"x"}"#, "/o numbers=a,b", "/o/b ", "/o/a "]);
}

#[tokio::test]
async fn several_values_are_fields_of_one_document() {
    let described = "answers: [{ when: 'error.code == gone', is: absent }]
error: { each: errors, code: code, message: message }
objects:
  Order:
    find:
      id: { query: order, arguments: { id: '{value}' }, record: data, batch: { aliases: 3 } }
      number: { query: orders, arguments: { number: '{value}' }, records: data.edges.*.node, batch: { aliases: 3 } }
";
    let node = |id: &str, number: &str| json!({"node": {"id": id, "number": number}});
    let list = |edges: &[Json], more: bool| json!({"data": {"edges": edges, "pageInfo": {"hasNextPage": more}}});
    let error = json!([{"code": "gone", "message": "no", "path": ["a1"]}]);
    let shop = Shop::graphql(
        described,
        [
            ok(json!({"data": {"a0": {"data": {"id": "A"}}, "a1": null, "a2": {"data": null}}, "errors": error})),
            ok(json!({"data": {"a0": list(&[node("A", "1"), node("B", "10")], false), "a1": list(&[], false)}})),
            ok(json!({"data": {"a0": list(&[node("A", "1")], true), "a1": list(&[], false)}})),
            ok(json!({"data": {"a0": list(&[], false), "a1": null}})),
        ],
    )
    .reading(&[&["id"]]);
    assert_eq!((shop.batch("id"), shop.batch("number")), (3, 3));
    assert_eq!(shop.look_up("id", &["A", "B", "C"]).await.unwrap(), pairs(&[("A", "A")]));
    assert_eq!(shop.look_up("number", &["1", "2"]).await.unwrap(), pairs(&[("1", "A")]));
    // More than one page, and a list that is not there, are no answer.
    assert!(matches!(shop.look_up("number", &["1", "2"]).await, Err(Fault::Rejected(_))));
    assert!(matches!(shop.look_up("number", &["1", "2"]).await, Err(Fault::Transient { reason, .. }) if reason.contains("`data.edges.*.node`")));
    let asked = shop.asked();
    assert_eq!(asked[0], r#"query { a0: order(id: "A") { data { id } } a1: order(id: "B") { data { id } } a2: order(id: "C") { data { id } } }"#);
    let orders =
        |at: usize| format!("a{at}: orders(number: \"{}\") {{ data {{ edges {{ node {{ id number }} }} pageInfo {{ hasNextPage }} }} }}", at + 1);
    assert_eq!(asked[1], format!("query {{ {} {} }}", orders(0), orders(1)));
}
