//! `crossdock system new`: drafts of real vendors' files, and what they say of what is known.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossdock::base::FileId;
use crossdock::describe::model::{Batch, Described, Growth, Look, Object, Paging, Request, Results};
use crossdock::describe::{self, Known, Piece};

use super::{book, run};

/// A draft of a file, as it was written and as it is read.
struct Draft {
    folder: tempfile::TempDir,
    text: String,
    described: Arc<Described>,
    said: String,
}

impl Draft {
    /// `file` goes into the project as `api.EXTENSION`.
    fn of(name: &str, file: &str, ending: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = format!("api.{ending}");
        std::fs::write(folder.path().join(&api), file).unwrap();
        let kind = if ending == "graphql" { "--graphql" } else { "--openapi" };
        let all: Vec<&str> = ["system", "new", name, kind, &api].into_iter().chain(arguments.iter().copied()).collect();
        let (code, said) = run(folder.path(), &all);
        assert_eq!(code, Some(0), "{said}");
        let text = std::fs::read_to_string(folder.path().join("systems").join(name).join("system.yaml")).unwrap();
        let known = Known::of(&text);
        let errors: Vec<String> = known.errors.iter().map(|error| format!("{} {}: {:?}", error.code, error.message, error.help.first())).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{text}");
        Draft { folder, text, described: known.described.unwrap(), said }
    }

    fn object(&self, name: &str) -> &Object {
        self.described.object(name).unwrap_or_else(|| panic!("no {name}: {}\n{}", self.said, self.text))
    }

    fn settings(&self) -> Vec<&str> {
        self.described.settings.iter().map(|setting| setting.name.node.as_str()).collect()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn repository(path: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn id(object: &Object) -> String {
    match &object.id.form {
        describe::model::IdForm::At(path) => path.to_string(),
        other => format!("{other:?}"),
    }
}

fn call(request: &Request) -> String {
    match request {
        Request::Rest { method, path, query, .. } => {
            let names: Vec<&str> = query.iter().map(|(name, _)| name.node.as_str()).collect();
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value { value, .. } => format!("{{{}}}", value.text),
            };
            let path: String = path.pieces.iter().map(piece).collect();
            format!("{method} {path} {}", names.join(","))
        }
        Request::GraphQl { field, .. } => field.node.clone(),
    }
}

/// The book's example: all that it says of itself is found in its file.
#[test]
fn a_draft_of_the_books_example_is_checked_and_imported() {
    let draft = Draft::of("northbay", &book("api.yaml"), "yaml", &["--base-url", "https://api.northbay.example", "--sign-in", "bearer"]);
    let order = draft.object("Order");
    assert_eq!(
        (draft.settings(), id(order), order.stamp.as_ref().unwrap().to_string()),
        (vec!["token"], "number".to_owned(), "updated_at".to_owned())
    );
    let stream = &order.changes[0];
    let page = stream.page.as_ref().unwrap();
    assert!(
        matches!(&page.paging, Paging::Number { growth: Growth::Grows, number } if number.to.node == "query.page" && number.from == 1),
        "{page:?}"
    );
    assert!(stream.listed.is_some() && draft.text.contains("record.status in (\"shipped\", \"cancelled\")"), "{}", draft.text);
    let create = &order.writes[0];
    assert!(matches!(create.batch, Batch::Together(50)) && create.key[0].node == "number", "{create:?}");
    let receipt = create.receipt.as_ref().unwrap();
    assert!(matches!(&receipt.results, Results::Items(at) if at.to_string() == "results") && receipt.ok.is_some() && receipt.refused.is_some());
    assert!(draft.text.contains("headers: { Idempotency-Key: \"{items.0.number} {now}\" }"), "{}", draft.text);
    assert!(matches!(&order.find[0].look, Look::Ask { exact: true, .. }) && order.find[0].field.as_ref().unwrap().node == "number");
    // Nobody has said what a second order with the number becomes.
    assert!(
        draft.text.contains("guarantee: { by: none }")
            && draft.text.contains("TODO: what does the system do with a second record with the same `number`?")
    );
    let (code, out) = run(draft.path(), &["system", "import", "northbay", "--openapi", "systems/northbay/api.yaml"]);
    assert!(code == Some(0) && draft.path().join("schemas/northbay/Order.json").is_file(), "{out}");
    let (code, out) = run(draft.path(), &["system", "check", "northbay"]);
    assert!(code == Some(0) && out.contains("W0551") && out.contains("0 errors"), "{out}");
    let open = draft.text.matches("# TODO:").count();
    assert_eq!(out.matches("the draft leaves this open").count(), open, "each TODO is listed: {out}");
    // Nothing is written over, and no name of the program is taken.
    let (code, out) = run(draft.path(), &["system", "new", "northbay", "--openapi", "api.yaml"]);
    assert!(code != Some(0) && out.contains("already"), "{out}");
    let (code, out) = run(draft.path(), &["system", "new", "shipstation", "--openapi", "api.yaml"]);
    assert!(code != Some(0) && out.contains("comes with Crossdock"), "{out}");
}

#[test]
fn a_draft_of_shipstation_v2_knows_its_labels() {
    let draft = Draft::of("v2", &repository("systems/shipstation-v2/spec.json"), "json", &["--sign-in", "header:API-Key"]);
    assert!(
        draft.text.contains("base: \"https://api.shipstation.com\"") && draft.text.contains("hosts: [\"api.shipstation.com\"]"),
        "{}",
        draft.text
    );
    let label = draft.object("Label");
    assert_eq!(id(label), "label_id");
    let stream = &label.changes[0];
    assert_eq!(stream.ask.records.as_ref().unwrap().to_string(), "labels");
    let asked = call(&stream.ask.request);
    assert!(["page", "created_at_start", "sort_by", "sort_dir", "page_size"].iter().all(|name| asked.contains(name)), "{asked}");
    assert!(matches!(&stream.page.as_ref().unwrap().paging, Paging::Number { growth: Growth::Grows, .. }));
    assert!(matches!(&label.get[0].look, Look::Ask { ask, .. } if call(&ask.request).contains("/v2/labels/{id}")), "{:?}", label.get);
    assert!(label.find.iter().any(|find| find.field.as_ref().is_some_and(|field| field.node == "tracking_number")));
    assert!(draft.text.contains("each: errors") && draft.text.contains("error_code"), "{}", draft.text);
}

#[test]
fn a_draft_of_commercetools_knows_its_region_and_its_project() {
    let draft = Draft::of(
        "ct",
        &repository("systems/commercetools/spec.json"),
        "json",
        &["--sign-in", "oauth:https://auth.europe-west1.gcp.commercetools.com/oauth/token"],
    );
    assert_eq!(draft.settings(), ["region", "project_key", "client_id", "client_secret"]);
    assert!(draft.text.contains("base: \"https://api.{setting.region}.commercetools.com/{setting.project_key}\""), "{}", draft.text);
    assert!(draft.text.contains("prefix: \"/{projectKey}\""), "{}", draft.text);
    for name in ["Order", "Customer"] {
        let object = draft.object(name);
        assert_eq!((id(object), object.stamp.as_ref().unwrap().to_string()), ("id".to_owned(), "lastModifiedAt".to_owned()));
        assert_eq!(object.changes[0].ask.records.as_ref().unwrap().to_string(), "results");
    }
    let page = draft.object("Order").changes[0].page.as_ref().unwrap();
    assert!(matches!(&page.paging, Paging::Number { number, .. } if number.records && number.to.node == "query.offset"), "{page:?}");
    assert!(
        draft
            .object("Order")
            .writes
            .iter()
            .any(|write| write.name.node == "create" && write.ask.as_ref().is_some_and(|ask| call(&ask.request).contains("/orders/import"))),
        "{}",
        draft.text
    );
}

#[test]
fn a_draft_of_shiphero_knows_its_connections() {
    let draft = Draft::of(
        "hero",
        &repository("systems/shiphero/spec.graphql"),
        "graphql",
        &["--base-url", "https://public-api.shiphero.com", "--objects", "Order"],
    );
    let order = draft.object("Order");
    let stream = &order.changes[0];
    assert_eq!(
        (call(&stream.ask.request), id(order), order.stamp.as_ref().unwrap().to_string()),
        ("orders".to_owned(), "id".to_owned(), "updated_at".to_owned())
    );
    assert_eq!(stream.ask.records.as_ref().unwrap().to_string(), "data.edges.*.node");
    let paging = &stream.page.as_ref().unwrap().paging;
    assert!(
        matches!(paging, Paging::Token { token, to, .. } if token.to_string() == "data.pageInfo.endCursor" && to.node == "data.after"),
        "{paging:?}"
    );
    assert!(stream.until.is_some() && draft.text.contains("updated_from: \"{from}\", updated_to: \"{until}\""), "{}", draft.text);
    assert!(matches!(&order.get[0].look, Look::Ask { ask, .. } if call(&ask.request) == "order"));
    let create = order.writes.iter().find(|write| write.name.node == "create").unwrap();
    assert_eq!((call(&create.ask.as_ref().unwrap().request), create.key[0].node.as_str()), ("order_create".to_owned(), "partner_order_id"));
    // What it sends is held against the vendor's own schema.
    let (code, out) = run(draft.path(), &["system", "import", "hero", "--graphql", "systems/hero/api.graphql"]);
    assert!(code == Some(0) && draft.path().join("schemas/hero/Order.json").is_file(), "{out}");
}

#[test]
fn a_draft_of_sample_records_has_schemas_and_leaves_the_calls_open() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("orders.json"),
        r#"[{"number": "A-1", "updated_at": "2026-11-18T09:00:00Z", "lines": [{"sku": "T", "quantity": 2}]}]"#,
    )
    .unwrap();
    let arguments = ["system", "new", "acme", "--sample", "Order=orders.json", "--base-url", "https://api.acme.example", "--sign-in", "header:X-Key"];
    let (code, out) = run(folder.path(), &arguments);
    assert_eq!(code, Some(0), "{out}");
    let text = std::fs::read_to_string(folder.path().join("systems/acme/system.yaml")).unwrap();
    let (described, found) = describe::read(FileId::default(), &text);
    assert!(found.is_empty() && described.is_some(), "{found:?}\n{text}");
    assert!(text.contains("id: number") && text.contains("stamp: updated_at") && text.contains("X-Key: \"{setting.api_key}\""), "{text}");
    assert!(folder.path().join("schemas/acme/Order.json").is_file());
}

#[test]
fn what_a_draft_lacks_is_asked_for_by_an_option() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), book("api.yaml")).unwrap();
    std::fs::write(
        folder.path().join("empty.yaml"),
        "openapi: 3.0.0\ninfo: { title: E, version: '1' }\nservers: [{ url: https://e.example }]\npaths: {}\n",
    )
    .unwrap();
    for (arguments, wanted) in [
        (&["acme"][..], "--openapi FILE"),
        (&["acme", "--openapi", "api.yaml"], "--base-url"),
        (&["acme", "--openapi", "api.yaml", "--base-url", "http://x.example"], "https://"),
        (&["acme", "--openapi", "api.yaml", "--base-url", "https://x.example", "--sign-in", "magic"], "header:NAME"),
        (&["acme", "--openapi", "api.yaml", "--base-url", "https://x.example", "--objects", "Ordr"], "Order"),
        (&["acme", "--openapi", "empty.yaml"], "--sample"),
        (&["Acme", "--openapi", "api.yaml"], "small letters"),
        (&["acme", "--openapi", "nosuch.yaml"], "nosuch.yaml"),
        (&["acme", "--sample", "orders.json"], "Order=orders.json"),
    ] {
        let all: Vec<&str> = ["system", "new"].into_iter().chain(arguments.iter().copied()).collect();
        let (code, out) = run(folder.path(), &all);
        assert!(code.is_some_and(|code| code > 1) && out.contains(wanted), "{arguments:?}: {code:?} {out}");
        assert!(!folder.path().join("systems").exists(), "nothing is written: {arguments:?}");
    }
}

/// Schemas are written below `schemas/`, whatever a description and a vendor's file call what they are of.
#[test]
fn an_import_writes_nothing_outside_of_the_project() {
    for (from, to) in [("  Order:\n", "  Order:\n    schema: ../../../Order\n"), ("  Order:\n", "  \"../../../Order\":\n")] {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        std::fs::create_dir_all(project.join("systems/northbay")).unwrap();
        let text = book("systems/northbay/system.yaml");
        assert!(text.contains(from));
        std::fs::write(project.join("systems/northbay/system.yaml"), text.replacen(from, to, 1)).unwrap();
        std::fs::write(project.join("api.yaml"), book("api.yaml")).unwrap();
        let (code, out) = run(&project, &["system", "check", "northbay"]);
        assert!(code == Some(1) && out.contains("`../../../Order` is no name of"), "{out}");
        let (code, out) = run(&project, &["system", "import", "northbay", "--openapi", "api.yaml"]);
        assert!(code == Some(1) && out.contains("`../../../Order` is no name of"), "{out}");
        let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["project"], "{out}");
        assert!(!project.join("Order.json").exists(), "{out}");
    }
}

/// A list whose path lacks what most paths begin with.
#[test]
fn a_list_outside_of_the_common_beginning_is_drafted() {
    let item = r#"{"type": "object", "properties": {"id": {"type": "string"}, "number": {"type": "string"}}}"#;
    let list = format!(
        r#"{{"responses": {{"200": {{"description": "ok", "content": {{"application/json": {{"schema": {{"type": "array", "items": {item}}}}}}}}}}}}}"#
    );
    let made =
        format!(r#"{{"requestBody": {{"content": {{"application/json": {{"schema": {item}}}}}}}, "responses": {{"201": {{"description": "ok"}}}}}}"#);
    let bare = r#"{"responses": {"200": {"description": "ok"}}}"#;
    let four = format!(r#"{{"get": {bare}, "put": {bare}, "patch": {bare}, "delete": {bare}}}"#);
    let api = format!(
        r#"{{"openapi": "3.0.0", "info": {{"title": "A", "version": "1"}}, "servers": [{{"url": "https://api.example.com"}}],
            "paths": {{"/{{projectKeyLong}}/b": {four}, "/{{projectKeyLong}}/c": {four}, "/orders": {{"get": {list}, "post": {made}}}}}}}"#
    );
    let draft = Draft::of("short", &api, "json", &["--sign-in", "bearer"]);
    assert!(draft.object("Order").writes.iter().any(|write| write.name.node == "create"), "{}", draft.text);
}

/// An OpenAPI file whose names, titles and values would break YAML, an expression or a template.
fn awkward() -> serde_json::Value {
    let text = serde_json::json!({"type": "string"});
    let item = serde_json::json!({"type": "object", "properties": {
        "@id": text, "id": text, "hydra:member": text, "no": text, "on": text, "null": text, "a: b": text, "updated-at": text,
        "status": {"type": "string", "enum": ["sh\nip'ped", "closed\"", "delivered"]},
    }});
    let parameter = |name: &str| serde_json::json!({"in": "query", "name": name, "schema": text, "required": name.starts_with("x")});
    let mut demanded = parameter("x: \"y\"");
    demanded["schema"]["enum"] = serde_json::json!(["a: \"b\\\n"]);
    let list = serde_json::json!({"type": "object", "properties": {"on:data": text, "data": {"type": "array", "items": item}, "total": {"type": "integer"}}});
    let answer = |schema: &serde_json::Value| serde_json::json!({"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}});
    serde_json::json!({
        "openapi": "3.0.0",
        "info": {"title": "Shop \\ \"x\"\nhosts: [evil.example] # {a}", "version": "1"},
        "servers": [{"url": "https://api.x.example/v1"}],
        "security": [{"one": []}],
        "components": {"securitySchemes": {"one": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {"a\nb": ""}}}}}},
        "paths": {
            "/orders": {
                "get": {"parameters": [parameter("page[number]"), parameter("page[size]"), demanded], "responses": answer(&list)},
                "post": {
                    "parameters": [{"in": "header", "name": "Idempotency-Key", "required": true, "schema": text}],
                    "requestBody": {"content": {"application/json": {"schema": item}}}, "responses": answer(&item)
                }
            },
            "/orders/{id}": {"get": {"responses": answer(&item)}, "put": {"requestBody": {"content": {"application/json": {"schema": item}}}, "responses": answer(&item)}}
        }
    })
}

#[test]
fn a_draft_can_be_read_whatever_the_vendors_names_are() {
    let draft = Draft::of("awkward", &awkward().to_string(), "json", &[]);
    assert_eq!(draft.described.title, "Shop \\ \"x\" hosts: [evil.example] # {a}");
    assert!(draft.text.contains("hosts: [\"api.x.example\"]"), "{}", draft.text);
    assert!(draft.text.contains("token: \"https://api.x.example/oauth/token\""), "{}", draft.text);
    assert_eq!(id(draft.object("Order")), "id");
    let title = Draft::of("titled", &book("api.yaml"), "yaml", &["--base-url", "https://a.example", "--title", "\"x\nhosts: [evil.example]"]);
    assert_eq!(title.described.title, "\"x hosts: [evil.example]");
}

#[test]
fn what_no_draft_can_be_made_of_is_a_mistake_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), book("api.yaml")).unwrap();
    std::fs::write(folder.path().join("a.json"), "[{\"id\": \"1\"}]").unwrap();
    let api = ["system", "new", "wms", "--openapi", "api.yaml"];
    for url in [
        "http://a.example",
        "https://",
        "https://user:pw@a.example",
        "https://user@a.example",
        "https://a.example/v1?b=c",
        "https://a.example/v1#d",
        "https://127.0.0.1:9",
        "https://a.example:8443",
        "https://a.example/\"x",
        "https://a.example/\nhosts: [b]",
        "https://a b.example",
        "https://a.example/{x}",
    ] {
        let (code, out) = run(folder.path(), &[&api[..], &["--base-url", url]].concat());
        assert_eq!(code, Some(2), "{url}: {out}");
        assert!(out.contains("cannot be used") && out.contains("https://api.example.com/v1"), "{url}: {out}");
        let (code, out) = run(folder.path(), &[&api[..], &["--base-url", "https://a.example", "--sign-in", &format!("oauth:{url}")]].concat());
        assert_eq!(code, Some(2), "{url}: {out}");
    }
    for samples in [
        &["../x=a.json"][..],
        &["../../../x=a.json"],
        &["=a.json"],
        &["Or der=a.json"],
        &["Ö=a.json"],
        &["3PL=a.json"],
        &["Order="],
        &["Order=a.json", "Order=a.json"],
    ] {
        let mut all = vec!["system", "new", "wms", "--base-url", "https://a.example", "--sign-in", "bearer"];
        samples.iter().for_each(|sample| all.extend(["--sample", sample]));
        let (code, out) = run(folder.path(), &all);
        assert_eq!(code, Some(2), "{samples:?}: {out}");
    }
    for name in ["-x", "--x"] {
        let (code, out) = run(folder.path(), &["system", "new", "--openapi", "api.yaml", "--base-url", "https://a.example", "--", name]);
        assert!(code == Some(2) && out.contains("is no name of a system"), "{name}: {out}");
    }
    assert!(!folder.path().join("systems").exists() && !folder.path().join("schemas").exists(), "nothing was written");
    // Nothing is half written: what is there is seen first.
    let readme = folder.path().join("systems/wms/README.md");
    std::fs::create_dir_all(readme.parent().unwrap()).unwrap();
    std::fs::write(&readme, "mine").unwrap();
    let (code, out) = run(folder.path(), &[&api[..], &["--base-url", "https://a.example", "--sign-in", "bearer"]].concat());
    assert!(code == Some(2) && out.contains("README.md` already"), "{out}");
    assert!(!folder.path().join("systems/wms/system.yaml").exists(), "{out}");
}

/// Schemas that nothing is derived from any more are told: mappings would be checked against them.
#[test]
fn the_schema_of_an_object_that_was_renamed_is_told() {
    let project = super::Project::new(super::Manners::default());
    let text = project.read("systems/northbay/system.yaml");
    project.write("schemas/northbay/Order.overlay.json", "{}");
    project.write("systems/northbay/system.yaml", &text.replacen("  Order:\n", "  Sale:\n", 1));
    let (_, out) = project.crossdock(&["system", "import", "northbay", "--openapi", "api.yaml"]);
    assert!(out.contains("wrote schemas/northbay/Sale.json"), "{out}");
    assert!(out.contains("schemas/northbay/Order.json: the description has no such object any more") && !out.contains("overlay"), "{out}");
}
