//! The rest of the API held against what the vendor's clients expect: sign-in, identity, relations, replication, composite
//! resources, bulk queries, describes; and what is not imitated says so.

use jiff::SignedDuration;
use serde_json::json;

use super::tests::{Org, refusal};
use super::{Options, beyond};
use crate::sandbox::System;
use crate::value::Json;

fn body(answer: &crate::http::Response) -> Json {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

fn header<'a>(answer: &'a crate::http::Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[test]
fn versions_are_listed_without_a_token_and_others_are_not_there() {
    let mut org = Org::new(Options::default());
    let request = http::Request::get("https://org/services/data/").body(bytes::Bytes::new()).unwrap();
    let answer = org.system.handle(&request, org.now);
    let listed = body(&answer);
    assert_eq!((answer.status().as_u16(), listed[0]["version"].as_str()), (200, Some("31.0")));
    for one in listed.as_array().unwrap() {
        assert_eq!(org.call("GET", one["url"].as_str().unwrap(), &Json::Null).status(), 200, "{one}");
    }
    for version in ["v30.0", "v69.0", "v64", "v64.1", "64.0", "vx.0"] {
        assert_eq!(org.call("GET", &format!("/services/data/{version}/sobjects"), &Json::Null).status(), 404, "{version}");
    }
}

#[test]
fn who_signs_in_is_told_who_it_is() {
    let mut org = Org::new(Options::default());
    let (_, told) = org.form("grant_type=client_credentials&client_id=sandbox&client_secret=s3cret");
    for member in ["access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"] {
        assert!(told[member].is_string(), "{member}: {told}");
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s3cret");
    let signed = format!("{}{}", told["id"].as_str().unwrap(), told["issued_at"].as_str().unwrap());
    let signature = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, told["signature"].as_str().unwrap()).unwrap();
    assert!(ring::hmac::verify(&key, signed.as_bytes(), &signature).is_ok());
    let path = told["id"].as_str().unwrap().trim_start_matches("http://127.0.0.1:8461").to_owned();
    let identity = body(&org.call("GET", &path, &Json::Null));
    assert_eq!((&identity["id"], identity["organization_id"].as_str()), (&told["id"], Some("00D5g0000000001EAA")));
    assert_eq!(org.call("GET", "/id/00D5g0000000001EAA/0055g0000000009AAA", &Json::Null).status(), 403);
    let info = body(&org.call("GET", "/services/oauth2/userinfo", &Json::Null));
    assert_eq!((&info["user_id"], &info["sub"], info["urls"]["rest"].is_string()), (&identity["user_id"], &told["id"], true));
    let organization = org.first("SELECT Id FROM Organization")["Id"].clone();
    assert_eq!(organization.as_str().map(|id| &id[..15]), Some("00D5g0000000001"));
    let (status, told) =
        org.form("grant_type=password&client_id=sandbox&client_secret=s3cret&username=integration@sandbox.example.com&password=sandboxTOKEN");
    assert_eq!(status, 200, "{told}");
    let (status, denied) =
        org.form("grant_type=password&client_id=sandbox&client_secret=s3cret&username=integration@sandbox.example.com&password=other");
    assert_eq!((status, denied["error"].as_str()), (400, Some("invalid_grant")));
    // A token that is revoked ends.
    let token = told["access_token"].as_str().unwrap().to_owned();
    let revoke = |org: &mut Org, token: &str| {
        let request = http::Request::post("https://org/services/oauth2/revoke").body(bytes::Bytes::from(format!("token={token}"))).unwrap();
        org.system.handle(&request, org.now).status().as_u16()
    };
    assert_eq!((revoke(&mut org, &token), revoke(&mut org, &token)), (200, 400));
}

#[test]
fn what_is_not_imitated_says_so_by_name() {
    let mut org = Org::new(Options::default());
    for path in [
        "search?q=FIND+{x}",
        "parameterizedSearch?q=x",
        "tooling/query?q=SELECT+Id+FROM+ApexClass",
        "analytics/reports",
        "chatter/feeds",
        "ui-api/records/x",
        "wave",
        "recent",
        "tabs",
        "theme",
        "actions/standard",
        "process/rules",
        "connect/organization",
        "query?explain=SELECT+Id+FROM+Order",
        "graphql",
        "sobjects/Account/describe/layouts",
        "sobjects/Account/describe/compactLayouts",
        "sobjects/Account/listviews",
        "sobjects/Campaign",
        "sobjects/WorkOrder/describe",
        "event/eventSchema/x",
        "jobs/other",
    ] {
        let answer = org.call("GET", &format!("/services/data/v64.0/{path}"), &Json::Null);
        let told = body(&answer);
        assert_eq!((answer.status().as_u16(), refusal(&told)), (501, "NOT_IMITATED"), "{path}: {told}");
        assert!(told[0]["message"].as_str().unwrap().ends_with("is not imitated by the sandbox"), "{path}: {told}");
    }
    for path in ["/services/Soap/u/64.0", "/services/async/64.0/job", "/services/apexrest/x", "/cometd/64.0", "/services/oauth2/authorize"] {
        assert_eq!(org.call("POST", path, &Json::Null).status(), 501, "{path}");
    }
    for path in ["nonsense", "sobjects/Nonsense", "sobjects/Nonsense/describe"] {
        let (status, told) = org.ask("GET", path, &Json::Null);
        assert_eq!((status, refusal(&told)), (404, "NOT_FOUND"), "{path}");
    }
    assert!(beyond::object("Account").is_some());
}

#[test]
fn a_word_in_place_of_an_id_is_taken_for_a_field() {
    let mut org = Org::new(Options::default());
    let contact = org.first("SELECT Id FROM Contact LIMIT 1")["Id"].as_str().unwrap().to_owned();
    for (path, status, code, words) in [
        ("sobjects/Account/Nonsense", 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Nonsense"),
        ("sobjects/Account/Nonsense/5", 404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Nonsense"),
        ("sobjects/Account/001000000000001AAB", 400, "MALFORMED_ID", "malformed id 001000000000001AAB"),
        (&format!("sobjects/Account/{contact}"), 404, "NOT_FOUND", "The requested resource does not exist"),
        ("sobjects/Account/001000000000001AAA", 404, "NOT_FOUND", "The requested resource does not exist"),
    ] {
        let (found, told) = org.ask("GET", path, &Json::Null);
        assert_eq!((found, refusal(&told), told[0]["message"].as_str()), (status, code, Some(words)), "{path}");
    }
}

#[test]
fn relations_lead_to_parents_and_children() {
    let mut org = Org::new(Options::default());
    let order = org.first("SELECT Id, AccountId, Account.Name FROM Order LIMIT 1");
    let id = order["Id"].as_str().unwrap().to_owned();
    let (status, account) = org.ask("GET", &format!("sobjects/Order/{id}/Account?fields=Name"), &Json::Null);
    assert_eq!((status, &account["Name"], &account["Id"]), (200, &order["Account"]["Name"], &order["AccountId"]));
    let (status, items) = org.ask("GET", &format!("sobjects/Order/{id}/OrderItems"), &Json::Null);
    let (_, queried) = org.query(&format!("SELECT Id FROM OrderItem WHERE OrderId = '{id}'"));
    assert_eq!((status, &items["totalSize"], &items["done"]), (200, &queried["totalSize"], &json!(true)));
    let account = order["AccountId"].as_str().unwrap().to_owned();
    assert_eq!(org.ask("PATCH", &format!("sobjects/Order/{id}/Account"), &json!({"Phone": "1"})).0, 204);
    assert_eq!(org.first(&format!("SELECT Phone FROM Account WHERE Id = '{account}'"))["Phone"], "1");
    assert_eq!(org.ask("GET", &format!("sobjects/Order/{id}/Nothing"), &Json::Null).0, 404);
    let (status, told) = org.ask("GET", &format!("sobjects/Order/{id}/OrderItems?fields=Nothing"), &Json::Null);
    assert_eq!((status, refusal(&told)), (400, "INVALID_FIELD"));
}

#[test]
fn changes_and_deletions_of_a_time_are_told() {
    let mut org = Org::new(Options::default());
    org.now = org.now.checked_add(SignedDuration::from_mins(10)).unwrap();
    let (_, made) = org.ask("POST", "sobjects/Account", &json!({"Name": "New"}));
    let (_, gone) = org.ask("POST", "sobjects/Account", &json!({"Name": "Gone"}));
    assert_eq!(org.ask("DELETE", &format!("sobjects/Account/{}", gone["id"].as_str().unwrap()), &Json::Null).0, 204);
    org.now = org.now.checked_add(SignedDuration::from_mins(10)).unwrap();
    let (from, to) = ("2026-03-02T08:05:00%2B00:00", "2026-03-02T08:30:00Z");
    let (status, updated) = org.ask("GET", &format!("sobjects/Account/updated?start={from}&end={to}"), &Json::Null);
    assert_eq!((status, &updated["ids"], updated["latestDateCovered"].as_str()), (200, &json!([made["id"]]), Some("2026-03-02T08:20:00.000+0000")));
    let (status, deleted) = org.ask("GET", &format!("sobjects/Account/deleted/?start={from}&end={to}"), &Json::Null);
    assert_eq!((status, &deleted["deletedRecords"][0]["id"], deleted["deletedRecords"].as_array().unwrap().len()), (200, &gone["id"], 1));
    for query in
        ["start=2026-03-02T09:00:00Z&end=2026-03-02T08:00:00Z", "start=soon&end=later", "start=2020-01-01T00:00:00Z&end=2026-03-02T08:00:00Z"]
    {
        let (status, told) = org.ask("GET", &format!("sobjects/Account/updated?{query}"), &Json::Null);
        assert_eq!((status, refusal(&told)), (400, "INVALID_REPLICATION_DATE"), "{query}");
    }
    assert_eq!(org.ask("GET", "sobjects/Account/updated", &Json::Null).0, 400);
}

#[test]
fn references_and_duplicates_are_refused_in_the_vendors_codes() {
    let mut org = Org::new(Options::default());
    let contact = org.first("SELECT Id FROM Contact LIMIT 1")["Id"].clone();
    let (status, told) = org.ask("POST", "sobjects/Contact", &json!({"LastName": "X", "AccountId": contact}));
    assert_eq!((status, refusal(&told), &told[0]["fields"]), (400, "FIELD_INTEGRITY_EXCEPTION", &json!(["AccountId"])));
    let (status, told) = org.ask("POST", "sobjects/Contact", &json!({"LastName": "X", "AccountId": "nonsense"}));
    assert_eq!((status, refusal(&told), &told[0]["fields"]), (400, "MALFORMED_ID", &json!(["AccountId"])));
    let order = org.first("SELECT Id FROM Order LIMIT 1")["Id"].clone();
    for status in [201, 400] {
        let (found, told) = org.ask("POST", "sobjects/Shipment__c", &json!({"Order__c": order, "Shipment_Key__c": "twice"}));
        assert_eq!(found, status, "{told}");
        if status == 400 {
            assert_eq!((refusal(&told), &told[0]["fields"]), ("DUPLICATE_VALUE", &json!([])));
        }
    }
}

#[test]
fn a_batch_answers_for_each_request_and_may_halt() {
    let mut org = Org::new(Options::default());
    let id = org.first("SELECT Id FROM Account LIMIT 1")["Id"].as_str().unwrap().to_owned();
    let requests = json!([
        {"method": "PATCH", "url": format!("v64.0/sobjects/Account/{id}"), "richInput": {"Phone": "7"}},
        {"method": "GET", "url": format!("v64.0/sobjects/Account/{id}?fields=Phone")},
        {"method": "GET", "url": "v64.0/sobjects/Account/Nonsense"},
        {"method": "GET", "url": "v64.0/limits"},
    ]);
    let (status, told) = org.ask("POST", "composite/batch", &json!({"batchRequests": requests}));
    let codes: Vec<u64> = told["results"].as_array().unwrap().iter().map(|one| one["statusCode"].as_u64().unwrap()).collect();
    assert_eq!((status, &told["hasErrors"], codes), (200, &json!(true), vec![204, 200, 404, 200]));
    assert_eq!((&told["results"][0]["result"], &told["results"][1]["result"]["Phone"]), (&Json::Null, &json!("7")));
    let (_, told) = org.ask("POST", "composite/batch", &json!({"haltOnError": true, "batchRequests": requests}));
    assert_eq!((&told["results"][3]["statusCode"], refusal(&told["results"][3]["result"])), (&json!(412), "BATCH_PROCESSING_HALTED"));
    let (status, told) = org.ask("POST", "composite/batch", &json!({"batchRequests": vec![requests[3].clone(); 26]}));
    assert_eq!((status, refusal(&told)), (400, "LIMIT_EXCEEDED"));
}

#[test]
fn a_tree_is_planted_whole_or_not_at_all() {
    let mut org = Org::new(Options::default());
    let tree = |last: &str| {
        json!({"records": [{
            "attributes": {"type": "Account", "referenceId": "a"}, "Name": "Tree",
            "Contacts": {"records": [
                {"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "One"},
                {"attributes": {"type": "Contact", "referenceId": "c2"}, "LastName": last, "Email": "two@example.com"},
            ]},
        }]})
    };
    let (status, told) = org.ask("POST", "composite/tree/Account", &tree("Two"));
    assert_eq!((status, &told["hasErrors"]), (201, &json!(false)), "{told}");
    let references: Vec<&str> = told["results"].as_array().unwrap().iter().map(|one| one["referenceId"].as_str().unwrap()).collect();
    assert_eq!(references, ["a", "c1", "c2"]);
    let account = told["results"][0]["id"].as_str().unwrap();
    assert_eq!(org.query(&format!("SELECT Id FROM Contact WHERE AccountId = '{account}'")).1["totalSize"], 2);
    let before = org.query("SELECT COUNT() FROM Account").1["totalSize"].clone();
    let (status, told) = org.ask("POST", "composite/tree/Account", &tree(""));
    assert_eq!((status, &told["hasErrors"]), (400, &json!(true)));
    assert_eq!(told["results"].as_array().unwrap().len(), 1, "only what failed: {told}");
    assert_eq!(
        (&told["results"][0]["referenceId"], told["results"][0]["errors"][0]["statusCode"].as_str()),
        (&json!("c2"), Some("REQUIRED_FIELD_MISSING"))
    );
    assert_eq!(org.query("SELECT COUNT() FROM Account").1["totalSize"], before);
    let one = |reference: &str| json!({"attributes": {"type": "Account", "referenceId": reference}, "Name": "x"});
    for (records, code) in [
        (json!([one("a"), one("a")]), "INVALID_INPUT"),
        (json!([{"Name": "x"}]), "INVALID_INPUT"),
        (json!((0..201).map(|at| one(&at.to_string())).collect::<Vec<_>>()), "LIMIT_EXCEEDED"),
    ] {
        let (status, told) = org.ask("POST", "composite/tree/Account", &json!({"records": records}));
        assert_eq!((status, refusal(&told)), (400, code));
    }
    assert_eq!(org.query("SELECT COUNT() FROM Account").1["totalSize"], before, "nothing of what was refused stays");
}

#[test]
fn each_graph_is_all_or_nothing_and_composite_answers_have_a_location() {
    let mut org = Org::new(Options::default());
    let made = |name: &str| {
        json!([
            {"method": "POST", "url": "/services/data/v64.0/sobjects/Account", "referenceId": "a", "body": {"Name": "Graph"}},
            {"method": "POST", "url": "/services/data/v64.0/sobjects/Contact", "referenceId": "c", "body": {"LastName": name, "AccountId": "@{a.id}"}},
        ])
    };
    let (status, told) = org.ask(
        "POST",
        "composite/graph",
        &json!({"graphs": [{"graphId": "1", "compositeRequest": made("x")}, {"graphId": "2", "compositeRequest": made("")}]}),
    );
    assert_eq!(status, 200, "{told}");
    assert_eq!((&told["graphs"][0]["isSuccessful"], &told["graphs"][1]["isSuccessful"]), (&json!(true), &json!(false)));
    assert_eq!(told["graphs"][1]["graphResponse"]["compositeResponse"][0]["httpStatusCode"], 400);
    assert_eq!(org.query("SELECT Id FROM Account WHERE Name = 'Graph'").1["totalSize"], 1);
    let (status, told) =
        org.ask("POST", "composite/graph", &json!({"graphs": [{"graphId": "1", "compositeRequest": []}, {"graphId": "1", "compositeRequest": []}]}));
    assert_eq!((status, refusal(&told)), (400, "INVALID_INPUT"));
    let (_, told) = org.ask("POST", "composite", &json!({"compositeRequest": made("y")}));
    let first = &told["compositeResponse"][0];
    assert_eq!(first["httpHeaders"]["Location"], format!("/services/data/v64.0/sobjects/Account/{}", first["body"]["id"].as_str().unwrap()));
}

#[test]
fn a_collection_changes_its_object_ten_times_at_most() {
    let mut org = Org::new(Options::default());
    let mixed = |changes: usize| {
        let one = |at: usize| match at % 2 {
            0 => json!({"attributes": {"type": "Account"}, "Name": "x"}),
            _ => json!({"attributes": {"type": "Contact"}, "LastName": "x"}),
        };
        json!({"records": (0..changes).map(one).collect::<Vec<_>>()})
    };
    assert_eq!(org.ask("POST", "composite/sobjects", &mixed(10)).0, 200);
    let (status, told) = org.ask("POST", "composite/sobjects", &mixed(11));
    assert_eq!((status, refusal(&told)), (400, "LIMIT_EXCEEDED"));
    assert!(told[0]["message"].as_str().unwrap().contains("10 chunks"));
}

#[test]
fn the_columns_of_a_query_are_told() {
    let mut org = Org::new(Options::default());
    let columns = |org: &mut Org, soql: &str| {
        let soql: String = form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        let (status, told) = org.ask("GET", &format!("query?q={soql}&columns=true"), &Json::Null);
        assert_eq!(status, 200, "{told}");
        told
    };
    let told = columns(&mut org, "SELECT Id, TotalAmount, Account.Name, (SELECT Quantity FROM OrderItems) FROM Order");
    let of =
        |told: &Json| told["columnMetadata"].as_array().unwrap().iter().map(|one| one["columnName"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(of(&told), ["Id", "TotalAmount", "Account", "OrderItems"]);
    assert_eq!((told["entityName"].as_str(), &told["idSelected"], told["keyPrefix"].as_str()), (Some("Order"), &json!(true), Some("801")));
    assert_eq!(
        (&told["columnMetadata"][1]["numberType"], &told["columnMetadata"][2]["joinColumns"][0]["columnName"]),
        (&json!(true), &json!("Name"))
    );
    assert_eq!(
        (&told["columnMetadata"][3]["aggregate"], &told["columnMetadata"][3]["joinColumns"][0]["columnName"]),
        (&json!(true), &json!("Quantity"))
    );
    let told = columns(&mut org, "SELECT Status, COUNT(Id) FROM Order GROUP BY Status");
    assert_eq!(
        (of(&told), &told["columnMetadata"][1]["displayName"], &told["groupBy"]),
        (vec!["Status".into(), "expr0".into()], &json!("count(Id)"), &json!(true))
    );
}

#[test]
fn a_bulk_query_is_told_piece_by_piece() {
    let mut org = Org::new(Options::default());
    let soql = "SELECT Id, Name, CreatedDate, Owner.Name FROM Account ORDER BY Id";
    let (status, job) =
        org.ask("POST", "jobs/query", &json!({"operation": "query", "query": soql, "columnDelimiter": "SEMICOLON", "lineEnding": "CRLF"}));
    assert_eq!((status, job["state"].as_str(), job["object"].as_str()), (200, Some("UploadComplete"), Some("Account")), "{job}");
    let path = format!("/services/data/v64.0/jobs/query/{}", job["id"].as_str().unwrap());
    let results = |org: &mut Org, query: &str| org.call("GET", &format!("{path}/results{query}"), &Json::Null);
    assert_eq!(results(&mut org, "").status(), 400, "not at once");
    org.now = org.now.checked_add(SignedDuration::from_secs(5)).unwrap();
    let told = body(&org.call("GET", &path, &Json::Null));
    assert_eq!((told["state"].as_str(), &told["numberRecordsProcessed"]), (Some("JobComplete"), &json!(6)));
    let (mut locator, mut lines) = ("?maxRecords=4".to_owned(), 0);
    loop {
        let answer = results(&mut org, &locator);
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(text.starts_with("\"Id\";\"Name\";\"CreatedDate\";\"Owner.Name\"\r\n"), "{text}");
        assert!(text.contains("2026-03-02T07:00:00.000Z"), "{text}");
        lines += text.lines().count() - 1;
        assert_eq!(header(&answer, "sforce-numberofrecords"), (text.lines().count() - 1).to_string());
        match header(&answer, "sforce-locator") {
            "null" => break,
            next => locator = format!("?maxRecords=4&locator={next}"),
        }
    }
    assert_eq!(lines, 6);
    assert_eq!(org.call("DELETE", &path, &Json::Null).status(), 204);
    for soql in [
        "SELECT Nothing FROM Account",
        "SELECT COUNT(Id) FROM Account",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT BillingAddress FROM Account",
    ] {
        let (status, told) = org.ask("POST", "jobs/query", &json!({"operation": "query", "query": soql}));
        assert_eq!((status, refusal(&told)), (400, "API_ERROR"), "{soql}");
    }
    let (_, job) = org.ask("POST", "jobs/query", &json!({"operation": "queryAll", "query": "SELECT Id FROM Account"}));
    let path = format!("jobs/query/{}", job["id"].as_str().unwrap());
    let (status, told) = org.ask("PATCH", &path, &json!({"state": "Aborted"}));
    assert_eq!((status, told["state"].as_str()), (200, Some("Aborted")));
    let (_, all) = org.ask("GET", "jobs/query", &Json::Null);
    assert_eq!(all["records"].as_array().unwrap().len(), 1);
}

#[test]
fn an_open_job_tells_its_numbers_and_an_aborted_one_its_rows() {
    let mut org = Org::new(Options::default());
    let (_, job) = org.ask("POST", "jobs/ingest", &json!({"object": "Account", "operation": "insert"}));
    let path = format!("jobs/ingest/{}", job["id"].as_str().unwrap());
    let (_, told) = org.ask("GET", &path, &Json::Null);
    for name in ["numberRecordsProcessed", "numberRecordsFailed", "retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"] {
        assert_eq!(told[name], 0, "{name}");
    }
    assert_eq!(org.raw("PUT", &format!("{path}/batches"), "text/csv", "Name\nOne\nTwo\n".to_owned()).0, 201);
    assert_eq!(org.ask("PATCH", &path, &json!({"state": "Aborted"})).1["state"], "Aborted");
    for name in ["unprocessedrecords", "unprocessedRecords"] {
        let (status, rows) = org.raw("GET", &format!("{path}/{name}"), "text/csv", String::new());
        assert_eq!((status, rows.as_str()), (200, "\"Name\"\n\"One\"\n\"Two\"\n"));
    }
}

/// What the schema files cannot say is told as recorded describes have it.
#[test]
fn describes_say_what_recorded_ones_say() {
    let recorded: Json = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let mut org = Org::new(Options::default());
    let (mut checked, mut wrong) = (0, Vec::new());
    for (name, one) in recorded["objects"].as_object().unwrap() {
        let (status, told) = org.ask("GET", &format!("sobjects/{name}/describe"), &Json::Null);
        assert_eq!(status, 200, "{name}");
        for (attribute, value) in one["object"].as_object().unwrap() {
            if told[attribute] != *value {
                wrong.push(format!("{name}.{attribute}: {} for {value}", told[attribute]));
            }
        }
        for field in told["fields"].as_array().unwrap() {
            let Some(own) = one["fields"].get(field["name"].as_str().unwrap()) else { continue };
            for (attribute, usual) in recorded["usual"][own["type"].as_str().unwrap()].as_object().unwrap() {
                let value = own.get(attribute).unwrap_or(usual);
                if field[attribute] != *value {
                    wrong.push(format!("{name}.{}.{attribute}: {} for {value}", field["name"], field[attribute]));
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 4000 && wrong.is_empty(), "{checked}: {wrong:?}");
    let (_, told) = org.ask("GET", "sobjects/Case/describe", &Json::Null);
    let status = told["fields"].as_array().unwrap().iter().find(|field| field["name"] == "Status").unwrap();
    assert_eq!(
        (status["defaultValue"].as_str(), &status["picklistValues"][0]["defaultValue"], &status["defaultedOnCreate"]),
        (Some("New"), &json!(true), &json!(true))
    );
    let (_, told) = org.ask("GET", "sobjects/Shipment__c/describe", &Json::Null);
    assert_eq!((&told["custom"], &told["fields"].as_array().unwrap().iter().any(|field| field["custom"] == true)), (&json!(true), &true));
}
