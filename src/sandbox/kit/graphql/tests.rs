#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Map, json};

use super::*;
use crate::value::Json;

const SCHEMA: &str = "
type Query { shop(id: ID!): Shop things(kind: Kind = SMALL, like: Like): [Thing] }
type Shop { name: String things(first: Int, after: String, last: Int, before: String): ThingConnection }
type ThingConnection { pageInfo: PageInfo! edges: [ThingEdge]! }
type ThingEdge { node: Thing cursor: String! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
interface Thing { name: String }
type Cup implements Thing { name: String size: Int }
enum Kind { SMALL LARGE }
input Like { name: String! sizes: [Int] weight: Float = 1.5 }
";

#[derive(Debug)]
struct Shops;

impl Resolver for Shops {
    fn field(&self, of: &str, body: &Json, field: &str, arguments: &Map<String, Json>) -> Result<Json, String> {
        match (of, field) {
            ("Shop", "things") => page(&["a", "b", "c"], Page { arguments, usual: 2 }, |name| json!({"name": name})),
            _ => Ok(body.get(field).cloned().unwrap_or_default()),
        }
    }
}

fn asked(query: &str, variables: Json) -> Result<Json, String> {
    let forms = Forms::read(&[("schema", SCHEMA), ("more", "extend type Shop { city: String }")]).unwrap();
    let document =
        forms.document(query).map_err(|problems| problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))?;
    let operation = document.operation(None).map_err(|problem| problem.message)?;
    let given = variables.as_object().cloned().unwrap_or_default();
    let filled = forms.variables(operation, &given).map_err(|problem| problem.message)?;
    let execution = Execution::new(&forms, &document, filled);
    let mut out = Map::new();
    for call in execution.calls(operation) {
        let body = json!({"name": "Tea", "city": "Leeds", "asked": call.arguments});
        let body = if call.field == "things" { json!([{"name": call.arguments.to_owned()}]) } else { body };
        let mut items = 0;
        out.insert(call.key.to_owned(), execution.answer(&body, &call, &Shops, &mut items)?);
        out.insert("items".to_owned(), json!(items));
    }
    Ok(Json::Object(out))
}

#[test]
fn what_is_selected_is_answered() {
    let query = "query Q($id: ID!, $with: Boolean!) { one: shop(id: $id) { ...F town: city @include(if: $with) name @skip(if: $with) __typename } } fragment F on Shop { name }";
    let told = asked(query, json!({"id": 7, "with": true})).unwrap();
    assert_eq!(told, json!({"one": {"name": "Tea", "town": "Leeds", "__typename": "Shop"}, "items": 0}));
}

#[test]
fn arguments_have_their_defaults_and_lists_their_one_item() {
    let told = asked("{ things(like: {name: \"cup\", sizes: 3}) { name } }", json!({})).unwrap();
    assert_eq!(told["things"][0]["name"], json!({"kind": "SMALL", "like": {"name": "cup", "sizes": [3], "weight": 1.5}}));
    let told = asked("query($like: Like, $kind: Kind) { things(like: $like, kind: $kind) { name } }", json!({"like": {"name": "x"}})).unwrap();
    assert_eq!(told["things"][0]["name"], json!({"kind": "SMALL", "like": {"name": "x", "weight": 1.5}}));
}

#[test]
fn pages_go_by_cursors() {
    let names = |told: &Json| {
        told["shop"]["things"]["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let ask = |arguments: &str| {
        let query = format!(
            "{{ shop(id: 1) {{ things{arguments} {{ pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ name }} }} }} }} }}"
        );
        asked(&query, json!({}))
    };
    let told = ask("(first: 1)").unwrap();
    let info =
        json!({"hasNextPage": true, "hasPreviousPage": false, "startCursor": "YXJyYXljb25uZWN0aW9uOjA=", "endCursor": "YXJyYXljb25uZWN0aW9uOjA="});
    assert_eq!((names(&told), &told["items"], &told["shop"]["things"]["pageInfo"]), ("a".to_owned(), &json!(1), &info));
    for (arguments, expected, next) in [
        ("", "ab", true),
        ("(first: 2, after: \"YXJyYXljb25uZWN0aW9uOjA=\")", "bc", false),
        ("(first: 9, after: \"YXJyYXljb25uZWN0aW9uOjk5\")", "", false),
        ("(last: 1)", "c", false),
        ("(last: 1, before: \"YXJyYXljb25uZWN0aW9uOjE=\")", "a", false),
        ("(first: 0)", "", true),
        ("(first: 1, after: \"nonsense\")", "a", true),
    ] {
        let told = ask(arguments).unwrap();
        assert_eq!((names(&told).as_str(), &told["shop"]["things"]["pageInfo"]["hasNextPage"]), (expected, &json!(next)), "{arguments}");
    }
    assert_eq!(ask("(first: -1)").unwrap_err(), "first and last can't be negative values");
}

#[test]
fn a_document_or_variables_that_do_not_fit_are_refused() {
    for (query, variables, why) in [
        ("{ shop(id: 1) { nam } }", json!({}), "nam"),
        ("{ shop { name } }", json!({}), "id"),
        ("{ shop(id: 1) }", json!({}), "subselection"),
        ("{ things(like: {name: \"a\", nam: 1}) { name } }", json!({}), "nam"),
        ("{ things(like: {sizes: [1]}) { name } }", json!({}), "name"),
        ("{ things(kind: HUGE) { name } }", json!({}), "HUGE"),
        ("{ things(like: {name: \"a\", name: \"b\"}) { name } }", json!({}), "only one input field named \"name\""),
        ("query($l: [Like] = [{name: \"a\", name: \"b\"}]) { things(like: {name: \"a\"}) { name } }", json!({}), "l"),
        ("query($like: Like!) { things(like: $like) { name } }", json!({}), "like"),
        ("query($like: Like!) { things(like: $like) { name } }", json!({"like": {"sizes": [1]}}), "name"),
        ("query($like: Like!) { things(like: $like) { name } }", json!({"like": {"name": "a", "other": 1}}), "other"),
        ("query($like: Like!) { things(like: $like) { name } }", json!({"like": {"name": 3}}), "name"),
        ("query A { shop(id: 1) { name } } query B { shop(id: 1) { name } }", json!({}), "operation"),
        ("{ shop(id: 1) { name }", json!({}), "expected"),
    ] {
        let told = asked(query, variables).unwrap_err();
        assert!(told.contains(why), "{query}: {told}");
    }
    assert!(Forms::read(&[("broken", "type Query { a: Missing }")]).unwrap_err().contains("Missing"));
}
