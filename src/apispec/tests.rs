//! The model and its questions, over small descriptions.

use super::*;
use crate::value::Json;

fn api(text: &str) -> ApiSpec {
    let json: Json = serde_json::from_str(text).unwrap();
    ApiSpec::openapi(&json).unwrap_or_else(|error| unreachable!("{error}"))
}

const ORDERS: &str = r##"{
  "openapi": "3.0.0",
  "info": { "title": "Warehouse", "version": "1" },
  "servers": [{ "url": "https://{region}.example.com/wms/v1", "variables": { "region": { "default": "eu" } } }],
  "paths": {
    "/{account}/orders": {
      "parameters": [{ "name": "account", "in": "path", "required": true, "schema": { "type": "string" } }],
      "get": {
        "operationId": "listOrders",
        "parameters": [
          { "name": "sort", "in": "query", "schema": { "type": "array", "items": { "type": "string", "enum": ["asc", "desc"] } } },
          { "$ref": "#/components/parameters/trace" }
        ],
        "responses": {
          "200": { "description": "", "headers": { "X-Left": { "schema": { "type": "integer" } } }, "content": {
            "application/xml": { "schema": { "type": "string" } },
            "application/json": { "schema": { "type": "object", "required": ["results"], "properties": { "results": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } } } } } } },
          "4XX": { "$ref": "#/components/responses/Failed" }
        }
      },
      "post": {
        "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Update" } } } },
        "responses": { "201": { "description": "" }, "default": { "$ref": "#/components/responses/Failed" } }
      }
    },
    "/{account}/orders/order-number={number}": { "get": { "responses": {} } }
  },
  "components": {
    "parameters": { "trace": { "name": "X-Trace", "in": "header", "required": true, "schema": { "type": "string" } } },
    "responses": { "Failed": { "description": "", "content": { "application/problem+json": { "schema": { "type": "object", "properties": {
      "errors": { "type": "array", "items": { "type": "object", "properties": { "code": { "type": "string" } } } } } } } } } },
    "schemas": {
      "Base": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "readOnly": true } } },
      "Order": { "allOf": [ { "$ref": "#/components/schemas/Base" }, { "type": "object", "required": ["number"], "properties": {
        "number": { "type": "string", "maxLength": 20 },
        "parent": { "$ref": "#/components/schemas/Order" },
        "state": { "allOf": [ { "$ref": "#/components/schemas/State" } ], "description": "where it is" },
        "note": { "type": "string", "nullable": true },
        "ship": { "anyOf": [ { "$ref": "#/components/schemas/Base" }, { "type": "null" } ] },
        "custom": { "type": "object", "additionalProperties": { "type": "number" } },
        "free": { "type": "object" } } } ] },
      "State": { "type": "string", "enum": ["open", "on_hold"] },
      "Update": { "type": "object", "required": ["version", "actions"], "properties": {
        "version": { "type": "integer" }, "actions": { "type": "array", "items": { "$ref": "#/components/schemas/Action" } } } },
      "Action": { "type": "object", "required": ["action"], "properties": { "action": { "type": "string" } },
        "discriminator": { "propertyName": "action", "mapping": { "addDelivery": "#/components/schemas/AddDelivery", "setState": "#/components/schemas/SetState" } } },
      "AddDelivery": { "allOf": [ { "$ref": "#/components/schemas/Action" }, { "type": "object", "properties": { "items": { "type": "array", "items": { "type": "string" } } } } ] },
      "SetState": { "allOf": [ { "$ref": "#/components/schemas/Action" }, { "type": "object", "required": ["state"], "properties": { "state": { "$ref": "#/components/schemas/State" } } } ] }
    }
  }
}"##;

#[test]
fn a_call_is_found_whatever_its_parameters_are_called() {
    let api = api(ORDERS);
    assert_eq!(api.base_path, "/wms/v1");
    assert_eq!(api.call(Method::Get, "/orders", "/{projectKey}").unwrap().name, "listOrders");
    assert_eq!(api.call(Method::Get, "/wms/v1/{a}/orders", "").unwrap().name, "listOrders");
    assert_eq!(
        api.call(Method::Get, "/orders/order-number={value | escaped}", "/{account}").unwrap().path,
        "/{account}/orders/order-number={number}"
    );
    let unknown = api.call(Method::Get, "/oders", "/{account}").unwrap_err();
    assert_eq!(unknown.help().as_deref(), Some("did you mean `GET /orders`?"));
    let other = api.call(Method::Put, "/orders", "/{account}").unwrap_err();
    assert_eq!(other.help().as_deref(), Some("this path takes GET, POST"));
    assert!(api.call(Method::Get, "/orders/order-nummer={value}", "/{account}").is_err());
}

#[test]
fn parameters_stand_in_their_place() {
    let api = api(ORDERS);
    let list = api.call(Method::Get, "/orders", "/{a}").unwrap();
    assert!(list.parameter(Place::Query, "sort").is_ok());
    assert!(list.parameter(Place::Header, "x-trace").unwrap().required);
    assert_eq!(list.parameter(Place::Query, "sorr").unwrap_err().nearest.as_deref(), Some("sort"));
    assert!(list.parameter(Place::Header, "sort").is_err());
    let sort = list.parameter(Place::Query, "sort").unwrap().ty;
    assert!(api.accepts(sort, "asc").is_ok());
    assert_eq!(api.accepts(sort, "descc").unwrap_err().nearest.as_deref(), Some("desc"));
    assert_eq!(list.demanded().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>(), ["account", "X-Trace"]);
    assert!(list.answer(200).unwrap().headers.contains_key("X-Left"));
}

#[test]
fn paths_lead_through_references_lists_maps_and_forms() {
    let api = api(ORDERS);
    let list = api.call(Method::Get, "/orders", "/{a}").unwrap();
    let body = list.success().unwrap();
    for path in [
        "results",
        "results.*.id",
        "results.0.number",
        "results.*.parent.parent.parent.number",
        "results.*.state",
        "results.*.ship.id",
        "results.*.custom.weight",
        "results.*.free.anything.below",
    ] {
        assert!(api.walk(body, path).is_ok(), "{path}: {:?}", api.walk(body, path));
    }
    assert!(api.walk(body, "results.*.note").unwrap().nullable);
    assert!(!api.walk(body, "results.*.number").unwrap().nullable);
    assert!(api.walk(body, "results.*.ship").unwrap().nullable);
    assert_eq!(api.walk(body, "result").unwrap_err().nearest.as_deref(), Some("results"));
    assert!(api.walk(body, "results.id").unwrap_err().help().unwrap().contains("`*`"));
    assert!(api.walk(body, "results.*.number.x").unwrap_err().help().unwrap().contains("a text"));
    let failed = list.answer(409).unwrap().body.unwrap();
    assert!(api.walk(failed, "errors.0.code").is_ok());
    assert!(api.walk(failed, "errors.0.cod").is_err());
    let state = api.walk(body, "results.*.state").unwrap();
    assert!(api.accepts(state.types[0], "on_hold").is_ok() && api.accepts(state.types[0], "held").is_err());
}

#[test]
fn a_base_with_forms_knows_them_and_a_form_is_not_its_own_base() {
    let api = api(ORDERS);
    let update = api.call(Method::Post, "/orders", "/{a}").unwrap().body.as_ref().unwrap().ty;
    assert_eq!(api.required(update), ["version", "actions"]);
    let action = api.walk(update, "actions.*").unwrap().types[0];
    assert_eq!(api.discriminator(action), Some("action"));
    let set = api.form_of(action, "setState").unwrap();
    assert_eq!(api.required(set), ["action", "state"]);
    assert!(api.walk(set, "items").is_err(), "a form has its own fields only");
    assert!(api.walk(action, "items.*").is_ok(), "of the base it is not known which form it is");
    assert_eq!(api.form_of(action, "addDelivry").unwrap_err().nearest.as_deref(), Some("addDelivery"));
}

#[test]
fn version_2_has_bodies_and_forms_among_its_parameters() {
    let api = api(r##"{ "swagger": "2.0", "info": {}, "basePath": "/v0/", "paths": {
        "/orders/{id}/confirm": { "post": { "consumes": ["application/json"], "parameters": [
            { "name": "id", "in": "path", "type": "string", "required": true },
            { "name": "mode", "in": "query", "type": "string", "enum": ["check"] },
            { "name": "body", "in": "body", "required": true, "schema": { "$ref": "#/definitions/Confirm" } } ],
          "responses": { "200": { "description": "", "schema": { "$ref": "#/definitions/Done" }, "headers": { "x-rate": { "type": "string" } } } } } },
        "/upload": { "post": { "parameters": [ { "name": "file", "in": "formData", "type": "file", "required": true } ], "responses": {} } } },
      "definitions": { "Confirm": { "type": "object", "required": ["at"], "properties": { "at": { "type": "string", "format": "date-time" } } },
        "Done": { "properties": { "ok": { "type": "boolean" } } } } }"##);
    let confirm = api.call(Method::Post, "/v0/orders/{order}/confirm", "").unwrap();
    assert_eq!(api.required(confirm.body.as_ref().unwrap().ty), ["at"]);
    assert!(api.walk(confirm.success().unwrap(), "ok").is_ok());
    assert!(api.accepts(confirm.parameter(Place::Query, "mode").unwrap().ty, "chek").is_err());
    let upload = api.call(Method::Post, "/upload", "").unwrap().body.as_ref().unwrap();
    assert_eq!(api.required(upload.ty), ["file"]);
}

#[test]
fn version_3_1_writes_null_among_the_types() {
    let api = api(r##"{ "openapi": "3.1.0", "info": {}, "paths": {}, "components": { "schemas": {
        "A": { "type": ["object", "null"], "properties": { "b": { "type": ["string", "null"], "format": "date" }, "c": { "const": "x" }, "d": { "type": ["integer", "string"] } } } } } }"##);
    let a = api.named_type("A").unwrap();
    assert!(api.ty(a).nullable);
    let fields = api.fields(a).unwrap();
    assert!(fields.fields["b"].nullable);
    assert_eq!(api.ty(fields.fields["b"].ty).format.as_deref(), Some("date"));
    assert!(api.accepts(fields.fields["c"].ty, "y").is_err());
    assert_eq!(api.ty(fields.fields["d"].ty).shape, Shape::Any);
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    let said = |text: &str| ApiSpec::openapi(&serde_json::from_str(text).unwrap()).map(|_| ()).unwrap_err();
    assert!(said("{}").reason.contains("no OpenAPI description"));
    assert!(said(r#"{ "openapi": "4.0.0" }"#).help.unwrap().contains("3.1"));
    assert!(said(r#"{ "openapi": "3.0.0" }"#).reason.contains("`paths`"));
    let lost = said(r##"{ "openapi": "3.0.0", "paths": { "/a": { "get": { "responses": { "200": { "$ref": "#/components/responses/no" } } } } } }"##);
    assert_eq!((lost.at.as_str(), lost.reason.as_str()), ("/paths/~1a/get/responses/200", "the reference `#/components/responses/no` leads nowhere"));
    let other = said(r#"{ "openapi": "3.0.0", "paths": { "/a": { "get": { "responses": { "200": { "$ref": "answers.yaml#/no" } } } } } }"#);
    assert!(other.help.unwrap().contains("bundle"));
    let circle = said(r##"{ "openapi": "3.0.0", "paths": { "/a": { "$ref": "#/paths/~1a" } } }"##);
    assert!(circle.reason.contains("back to itself"));
}

const SHOP: &str = r#"
schema { query: Root mutation: Change }
scalar ISODateTime
enum Kind { GIFT, SALE }
interface Node { id: ID! }
type Order implements Node { id: ID!, kind: Kind, lines(first: Int, after: String): LineConnection, made: ISODateTime!, tags: [String!]! }
type LineConnection { edges: [LineEdge]!, pageInfo: PageInfo! }
type LineEdge { node: Line, cursor: String! }
type Line { sku: String!, order: Order }
type PageInfo { hasNextPage: Boolean!, endCursor: String }
union Thing = Order | Line
input OrderInput { number: String!, lines: [LineInput!], kind: Kind = SALE }
input LineInput { sku: String!, quantity: Int! }
type Root { orders(number: String, first: Int! = 10, updated: ISODateTime!): [Order!]!, node(id: ID!): Node, things: [Thing] }
type Change { order_create(data: OrderInput!): Order }
"#;

#[test]
fn graphql_fields_are_operations_with_arguments() {
    let api = ApiSpec::graphql(&[("shop.graphql", SHOP)]).unwrap();
    let orders = api.field(Method::Query, "orders").unwrap();
    assert_eq!(orders.demanded().map(|argument| argument.name.as_str()).collect::<Vec<_>>(), ["updated"]);
    assert_eq!(orders.parameter(Place::Argument, "nummber").unwrap_err().nearest.as_deref(), Some("number"));
    let body = orders.success().unwrap();
    for path in ["*.id", "*.lines.edges.*.node.sku", "*.lines.edges.0.node.order.kind", "*.lines.pageInfo.endCursor", "*.tags.*"] {
        assert!(api.walk(body, path).is_ok(), "{path}");
    }
    assert_eq!(api.walk(body, "*.lines.edges.*.nod").unwrap_err().nearest.as_deref(), Some("node"));
    assert!(!api.walk(body, "*.made").unwrap().nullable && api.walk(body, "*.kind").unwrap().nullable);
    let kind = api.walk(body, "*.kind").unwrap().types[0];
    assert_eq!(api.accepts(kind, "GIF").unwrap_err().nearest.as_deref(), Some("GIFT"));
    let create = api.field(Method::Mutation, "order_create").unwrap();
    let data = create.parameter(Place::Argument, "data").unwrap().ty;
    assert_eq!(api.required(data), ["number"]);
    assert!(api.walk(data, "lines.*.quantity").is_ok());
    assert_eq!(api.field(Method::Query, "order_create").unwrap_err().help().as_deref(), Some("it is a mutation"));
    let things = api.field(Method::Query, "things").unwrap().success().unwrap();
    assert!(api.walk(things, "*.sku").is_ok() && api.walk(things, "*.kind").is_ok() && api.walk(things, "*.skuu").is_err());
}

#[test]
fn a_graphql_schema_is_corrected_by_extensions() {
    let api = ApiSpec::graphql(&[("shop.graphql", SHOP), ("corrections.graphql", "extend type Order { updated_at: ISODateTime }")]).unwrap();
    assert!(api.walk(api.named_type("Order").unwrap(), "updated_at").is_ok());
    let wrong = ApiSpec::graphql(&[("shop.graphql", SHOP), ("corrections.graphql", "extend type Oder { a: Int }")]).map(|_| ()).unwrap_err();
    assert!(wrong.reason.contains("Oder"), "{wrong}");
}

#[test]
fn graphql_documents_are_validated_whole() {
    let api = ApiSpec::graphql(&[("shop.graphql", SHOP)]).unwrap();
    let right = "query($from: ISODateTime!) { orders(updated: $from) { id lines(first: 5) { edges { node { sku } } } } }";
    assert_eq!(api.faults_of_document(right), []);
    for (broken, words) in [
        ("query($from: ISODateTime!) { orders(updated: $from) { idd } }", "idd"),
        ("query($from: ISODateTime!) { orders(updated: $from, numbr: \"1\") { id } }", "numbr"),
        ("{ orders { id } }", "updated"),
        ("query($from: ISODateTime) { orders(updated: $from) { id } }", "from"),
        ("query($from: ISODateTime!) { orders(updated: $from) }", "subselection"),
        ("mutation { order_create(data: { number: 5 }) { id } }", "String"),
        ("query($unused: Int) { things { ... on Line { sku } } }", "unused"),
        ("{ orders(updated: \"x\") { id { a } } }", "must not have subselections"),
        ("{ orders(", ""),
    ] {
        let faults = api.faults_of_document(broken);
        assert!(faults.iter().any(|fault| fault.reason.contains(words)), "{broken}: {faults:?}");
    }
}

/// What is taken for anything would be checked against nothing.
#[test]
fn a_type_that_there_is_not_is_told_with_its_place() {
    for (word, wanted) in [("strng", "did you mean `string`?"), ("timestamp", "types are: string")] {
        let text = format!(
            r#"{{ "openapi": "3.0.0", "info": {{}}, "paths": {{}}, "components": {{ "schemas": {{ "A": {{ "properties": {{ "b": {{ "type": "{word}" }} }} }} }} }} }}"#
        );
        let error = ApiSpec::openapi(&serde_json::from_str(&text).unwrap()).unwrap_err();
        assert_eq!(error.at, "/components/schemas/A/properties/b/type");
        assert!(error.reason.contains(word) && error.help.as_deref().unwrap().contains(wanted), "{error:?}");
    }
}
