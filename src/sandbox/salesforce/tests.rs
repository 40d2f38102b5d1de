//! The org held against what the vendor's says and refuses: describes by recorded ones, the API call by call.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Options, Salesforce};
use crate::sandbox::{Act, System};
use crate::value::Json;

const RECORDED: &str = include_str!("described.json");

pub(super) struct Org {
    pub(super) system: Salesforce,
    token: String,
    pub(super) now: Timestamp,
}

impl Org {
    pub(super) fn new(options: Options) -> Self {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let system = Salesforce::new(Options { start: now, orders: 30, client_secret: Some("s3cret".into()), ..options });
        let mut org = Org { system, token: String::new(), now };
        org.sign_in();
        org
    }

    pub(super) fn sign_in(&mut self) {
        let (status, told) = self.form("grant_type=client_credentials&client_id=sandbox&client_secret=s3cret");
        assert_eq!(status, 200, "{told}");
        told["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// A call of any address, and the whole answer.
    pub(super) fn call(&mut self, method: &str, path: &str, body: &Json) -> crate::http::Response {
        let request =
            http::Request::builder().method(method).uri(format!("https://org{path}")).header("authorization", format!("Bearer {}", self.token));
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.system.handle(&request.header("content-type", "application/json").body(body).unwrap(), self.now)
    }

    pub(super) fn form(&mut self, form: &str) -> (u16, Json) {
        let request = http::Request::post("https://org/services/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
        let answer = self.system.handle(&request.body(Bytes::from(form.to_owned())).unwrap(), self.now);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    pub(super) fn raw(&mut self, method: &str, path: &str, content: &str, body: String) -> (u16, String) {
        let request = http::Request::builder().method(method).uri(format!("https://org/services/data/v64.0/{path}"));
        let request = request.header("authorization", format!("Bearer {}", self.token)).header("content-type", content);
        let answer = self.system.handle(&request.body(Bytes::from(body)).unwrap(), self.now);
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    }

    pub(super) fn ask(&mut self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.raw(method, path, "application/json", body);
        (status, if text.is_empty() { Json::Null } else { serde_json::from_str(&text).unwrap() })
    }

    pub(super) fn query(&mut self, soql: &str) -> (u16, Json) {
        let soql: String = form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        self.ask("GET", &format!("query?q={soql}"), &Json::Null)
    }

    pub(super) fn first(&mut self, soql: &str) -> Json {
        let (status, told) = self.query(soql);
        assert_eq!(status, 200, "{told}");
        told["records"][0].clone()
    }
}

pub(super) fn refusal(told: &Json) -> &str {
    told[0]["errorCode"].as_str().unwrap_or("-")
}

/// What differs between an answer and recorded ones: names that are not there, values of another type.
fn misfits(recorded: &Json, answer: &Json, at: &str, out: &mut Vec<String>) {
    let of = |value: &Json| match value {
        Json::Null => None,
        Json::Bool(_) => Some("boolean"),
        Json::Number(_) => Some("number"),
        Json::String(_) => Some("string"),
        Json::Array(_) => Some("array"),
        Json::Object(_) => Some("object"),
    };
    for (name, kinds) in recorded.as_object().unwrap() {
        match (answer.get(name), kinds.as_array().unwrap()) {
            (None, _) => out.push(format!("{at} lacks {name}")),
            (Some(value), kinds) => {
                if let Some(kind) = of(value).filter(|kind| !kinds.is_empty() && !kinds.iter().any(|known| known == kind)) {
                    out.push(format!("{at}.{name} is a {kind}"));
                }
            }
        }
    }
}

#[test]
fn describes_are_as_recorded_ones() {
    let recorded: Json = serde_json::from_str(RECORDED).unwrap();
    let mut org = Org::new(Options::default());
    let (status, all) = org.ask("GET", "sobjects", &Json::Null);
    assert_eq!(status, 200);
    let mut out = Vec::new();
    misfits(&recorded["list"], &all, "sobjects", &mut out);
    let listed = all["sobjects"].as_array().unwrap().clone();
    assert!(listed.len() >= 18);
    for one in &listed {
        let name = one["name"].as_str().unwrap();
        misfits(&recorded["listed"], one, name, &mut out);
        let (_, described) = org.ask("GET", &format!("sobjects/{name}/describe"), &Json::Null);
        misfits(&recorded["object"], &described, name, &mut out);
        for field in described["fields"].as_array().unwrap() {
            let at = format!("{name}.{}", field["name"].as_str().unwrap());
            misfits(&recorded["field"], field, &at, &mut out);
            let soap = recorded["soap"].get(field["type"].as_str().unwrap());
            if !soap.is_some_and(|known| known.as_array().unwrap().contains(&field["soapType"])) {
                out.push(format!("{at}: {} as {}", field["type"], field["soapType"]));
            }
            for value in field["picklistValues"].as_array().unwrap() {
                misfits(&recorded["value"], value, &at, &mut out);
            }
        }
        for child in described["childRelationships"].as_array().unwrap() {
            misfits(&recorded["child"], child, name, &mut out);
        }
    }
    out.sort();
    out.dedup();
    assert!(out.is_empty(), "{} misfits: {:#?}", out.len(), &out[..out.len().min(40)]);
}

#[test]
fn what_is_asked_is_answered_or_refused_as_the_vendor_does() {
    let mut org = Org::new(Options::default());
    let order =
        org.first("SELECT Id, OrderNumber, Account.Name, (SELECT Id, Quantity FROM OrderItems) FROM Order ORDER BY SystemModstamp, Id LIMIT 1");
    assert_eq!(order["attributes"]["type"], "Order");
    assert!(order["Account"]["Name"].is_string() && order["OrderItems"]["records"][0]["Quantity"].is_number());
    for (soql, code) in [
        ("SELECT Nothing FROM Order", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id FROM Order WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Order WHERE OrderNumber = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Order WHERE SystemModstamp > '2026'", "INVALID_FIELD"),
    ] {
        let (status, told) = org.query(soql);
        assert_eq!((status, refusal(&told)), (400, code), "{soql}: {told}");
    }
    assert_eq!(org.query(&format!("SELECT Id FROM Order WHERE Id IN ('{}')", "x".repeat(17_000))).0, 414);
    org.token = "another".into();
    let (status, told) = org.query("SELECT Id FROM Order");
    assert_eq!((status, refusal(&told)), (401, "INVALID_SESSION_ID"));
    assert_eq!(org.form("grant_type=client_credentials&client_id=sandbox&client_secret=wrong").0, 400);
}

#[test]
fn an_external_id_keeps_a_record_to_one() {
    let mut org = Org::new(Options::default());
    let order = org.first("SELECT Id FROM Order LIMIT 1")["Id"].clone();
    let (status, made) = org.ask("PATCH", "sobjects/Shipment__c/Shipment_Key__c/ss-1", &json!({"Order__c": order, "Status__c": "Shipped"}));
    assert_eq!((status, made["created"].clone()), (201, json!(true)), "{made}");
    let (status, again) = org.ask("PATCH", "sobjects/Shipment__c/Shipment_Key__c/SS-1", &json!({"Status__c": "Voided"}));
    assert_eq!((status, again["created"].clone(), again["id"].clone()), (200, json!(false), made["id"].clone()), "keys have no case");
    let (status, told) = org.ask("POST", "sobjects/Shipment__c", &json!({"Shipment_Key__c": "ss-1", "Order__c": order}));
    assert_eq!((status, refusal(&told)), (400, "DUPLICATE_VALUE"));
    let (status, told) = org.ask("PATCH", "sobjects/Shipment__c/Order__c/x", &json!({}));
    assert_eq!((status, refusal(&told)), (404, "NOT_FOUND"), "a field that is no external id");
}

#[test]
fn rows_of_a_collection_are_taken_one_by_one_or_all_together() {
    let mut org = Org::new(Options::default());
    let order = org.first("SELECT Id FROM Order LIMIT 1")["Id"].as_str().unwrap().to_owned();
    let row =
        |key: &str, status: &str| json!({"attributes": {"type": "Shipment__c"}, "Shipment_Key__c": key, "Order__c": order, "Status__c": status});
    let rows = |all: bool| json!({"allOrNone": all, "records": [row("a", "Shipped"), row("b", "No such status"), row("c", "Shipped")]});
    let (status, told) = org.ask("PATCH", "composite/sobjects/Shipment__c/Shipment_Key__c", &rows(true));
    let codes: Vec<&str> = told.as_array().unwrap().iter().map(|row| row["errors"][0]["statusCode"].as_str().unwrap_or("-")).collect();
    assert_eq!(
        (status, codes),
        (200, vec!["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "ALL_OR_NONE_OPERATION_ROLLED_BACK"])
    );
    assert_eq!(org.query("SELECT Id FROM Shipment__c").1["totalSize"], 0);
    let (_, told) = org.ask("PATCH", "composite/sobjects/Shipment__c/Shipment_Key__c", &rows(false));
    let done: Vec<bool> = told.as_array().unwrap().iter().map(|row| row["success"] == true).collect();
    assert_eq!(done, [true, false, true]);
    let many: Vec<Json> = (0..201).map(|at| row(&format!("m{at}"), "Shipped")).collect();
    let (status, _) = org.ask("POST", "composite/sobjects", &json!({"records": many}));
    assert_eq!(status, 400, "200 at the most");
}

#[test]
fn a_bulk_job_takes_its_time_and_tells_each_row() {
    let mut org = Org::new(Options::default());
    let order = org.first("SELECT Id FROM Order LIMIT 1")["Id"].as_str().unwrap().to_owned();
    let (_, job) = org.ask(
        "POST",
        "jobs/ingest",
        &json!({"object": "Shipment__c", "operation": "upsert", "externalIdFieldName": "Shipment_Key__c", "contentType": "CSV", "lineEnding": "LF"}),
    );
    let id = job["id"].as_str().unwrap().to_owned();
    let csv = format!("Shipment_Key__c,Order__c,Status__c\nb-1,{order},Shipped\nb-2,{order},Nonsense\n");
    assert_eq!(org.raw("PUT", &format!("jobs/ingest/{id}/batches"), "text/csv", csv).0, 201);
    let (_, told) = org.ask("PATCH", &format!("jobs/ingest/{id}"), &json!({"state": "UploadComplete"}));
    assert_eq!(told["state"], "UploadComplete");
    assert_eq!(org.query("SELECT Id FROM Shipment__c").1["totalSize"], 0, "not at once");
    org.now = org.now.checked_add(SignedDuration::from_mins(2)).unwrap();
    let (_, told) = org.ask("GET", &format!("jobs/ingest/{id}"), &Json::Null);
    assert_eq!(
        (told["state"].clone(), told["numberRecordsProcessed"].clone(), told["numberRecordsFailed"].clone()),
        (json!("JobComplete"), json!(2), json!(1))
    );
    let (_, done) = org.raw("GET", &format!("jobs/ingest/{id}/successfulResults"), "text/csv", String::new());
    let (_, failed) = org.raw("GET", &format!("jobs/ingest/{id}/failedResults"), "text/csv", String::new());
    assert!(done.starts_with("\"sf__Id\",\"sf__Created\",") && done.contains("b-1") && !done.contains("b-2"), "{done}");
    assert!(failed.contains("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST") && failed.contains("b-2"), "{failed}");
}

#[test]
fn a_change_commits_late_under_its_earlier_stamp() {
    let mut org = Org::new(Options { late_commit: SignedDuration::from_mins(5), ..Options::default() });
    let number = org.first("SELECT OrderNumber FROM Order WHERE Status = 'Activated' LIMIT 1")["OrderNumber"].as_str().unwrap().to_owned();
    let notes = format!("SELECT Package_Notes__c, SystemModstamp FROM Order WHERE OrderNumber = '{number}'");
    let made = org.now;
    org.system.act(&Act { verb: "change".into(), subject: number, settings: json!({"Package_Notes__c": "late"}) }, made).unwrap();
    assert_ne!(org.first(&notes)["Package_Notes__c"], "late");
    org.now = made.checked_add(SignedDuration::from_mins(5)).unwrap();
    let after = org.first(&notes);
    assert_eq!(after["Package_Notes__c"], "late");
    assert!(after["SystemModstamp"].as_str().unwrap().starts_with("2026-03-02T08:00:00"), "{after}");
}

#[test]
fn the_day_has_its_budget_and_a_session_its_end() {
    let mut org = Org::new(Options { daily_calls: Some(3), ..Options::default() });
    for _ in 0..3 {
        assert_eq!(org.query("SELECT Id FROM Order LIMIT 1").0, 200);
    }
    let (status, told) = org.query("SELECT Id FROM Order LIMIT 1");
    assert_eq!((status, refusal(&told)), (403, "REQUEST_LIMIT_EXCEEDED"));
    let mut org = Org::new(Options::default());
    org.system.act(&Act { verb: "expire".into(), subject: String::new(), settings: Json::Null }, org.now).unwrap();
    assert_eq!(org.query("SELECT Id FROM Order LIMIT 1").0, 401);
}

#[test]
fn an_administrator_changes_the_objects() {
    let mut org = Org::new(Options::default());
    let schema =
        |org: &mut Org, field: &str, settings: Json| org.system.act(&Act { verb: "schema".into(), subject: field.into(), settings }, org.now);
    schema(&mut org, "Order.Wrapping__c", json!({"length": "5"})).unwrap();
    schema(&mut org, "Order.Package_Notes__c", json!({"gone": "true"})).unwrap();
    assert!(schema(&mut org, "Order.Wrapping", json!({})).is_err() && schema(&mut org, "Nothing.X__c", json!({})).is_err());
    let id = org.first("SELECT Id, Wrapping__c FROM Order WHERE Status = 'Activated' LIMIT 1")["Id"].as_str().unwrap().to_owned();
    assert_eq!(org.ask("PATCH", &format!("sobjects/Order/{id}"), &json!({"Wrapping__c": "red"})).0, 204);
    assert_eq!(org.first(&format!("SELECT Wrapping__c FROM Order WHERE Id = '{id}'"))["Wrapping__c"], "red");
    let (status, told) = org.ask("PATCH", &format!("sobjects/Order/{id}"), &json!({"Wrapping__c": "golden"}));
    assert_eq!((status, refusal(&told)), (400, "STRING_TOO_LONG"));
    assert_eq!(org.query("SELECT Package_Notes__c FROM Order").0, 400);
}

/// Nothing of a refused act is done, and the org goes on as it was.
#[test]
fn what_no_administrator_can_do_is_refused() {
    let mut org = Org::new(Options::default());
    let before = org.query("SELECT Id, OrderNumber, Status, Gift__c FROM Order ORDER BY Id LIMIT 3");
    for (field, settings, says) in [
        ("Order.Id", json!({"gone": true}), "Order.Id is a standard field that each record has"),
        ("order.id", json!({"rename": "Key__c"}), "a standard field that each record has"),
        ("Order.OrderNumber", json!({"gone": true}), "a standard field that each record has"),
        ("Order.SystemModstamp", json!({"gone": true}), "a standard field that each record has"),
        ("Order.Status", json!({"gone": true}), "a standard field that each record has"),
        ("Order.Status", json!({"without": "Nowhere"}), "has no value `Nowhere`; there are: "),
        ("Order.Status", json!({"value": "Activated"}), "has the value `Activated` already"),
        ("Order.Gift__c", json!({"value": "Red"}), "Order.Gift__c is no picklist"),
        ("Order.Gift__c", json!({"length": 5}), "Order.Gift__c is no text"),
        ("Order.Gift_Message__c", json!({"length": 0}), "`0` is below 1"),
        ("Order.Gift_Message__c", json!({"rename": "Gift__c"}), "has a field `Gift__c` already"),
        ("Order.Gift_Message__c", json!({"rename": "Gift"}), "`Gift` is no name for a field"),
        ("Order.Gift_Message__c", json!({"gone": false}), "does not come back"),
        ("Order.New__c", json!({"length": 5, "value": "Red"}), "Order.New__c is no picklist"),
        ("Order.Gift_Message__c", json!({"color": "red"}), "there are: value, without, length, required, rename, gone"),
    ] {
        let act = Act { verb: "schema".into(), subject: field.into(), settings: settings.clone() };
        let said = org.system.act(&act, org.now).unwrap_err();
        assert!(said.contains(says), "{field} {settings}: {said}");
    }
    assert_eq!(org.query("SELECT Id, OrderNumber, Status, Gift__c FROM Order ORDER BY Id LIMIT 3"), before);
    assert_eq!(org.query("SELECT New__c FROM Order LIMIT 1").0, 400, "a refused act adds no field");
}

#[test]
fn it_answers_what_the_product_asks_of_an_org() {
    let mut org = Org::new(Options::default());
    for (query, rows) in [
        ("SELECT Id, Name FROM Organization LIMIT 1", 1),
        ("SELECT Id, Name FROM User WHERE IsActive = true ORDER BY Name", 3),
        ("SELECT Id, Name FROM Group WHERE Type = 'Queue' ORDER BY Name", 2),
        ("SELECT Id, Name FROM RecordType WHERE IsActive = true ORDER BY Name", 0),
    ] {
        let (status, found) = org.ask("GET", &format!("query?q={}", query.replace(' ', "+").replace('=', "%3D").replace('\'', "%27")), &Json::Null);
        assert_eq!((status, found["totalSize"].as_u64()), (200, Some(rows)), "{query}: {found}");
    }
}

/// An org with the objects of a client's own project: tests/sandbox/client-org.
#[test]
fn a_clients_own_objects_are_written_and_queried() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox/client-org/schemas/crm");
    let object = |name: &str| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        crate::schema::read(&text, "salesforce", name, "crm").unwrap()
    };
    let objects = ["Fulfillment_Request__c", "Fulfillment_Line__c", "Account"].map(object).into();
    let mut org = Org::new(Options { objects, ..Options::default() });
    let account = org.first("SELECT Id, Name FROM Account LIMIT 1");
    let body = json!({"Account__c": account["Id"], "Status__c": "Requested", "Ship_By__c": "2026-03-09"});
    let (status, made) = org.ask("PATCH", "sobjects/Fulfillment_Request__c/Request_Key__c/R-1", &body);
    assert_eq!(status, 201, "{made}");
    assert_eq!(org.ask("PATCH", "sobjects/Fulfillment_Request__c/Request_Key__c/R-1", &json!({"Status__c": "Packing"})).0, 200);
    let (status, told) = org.ask("PATCH", "sobjects/Fulfillment_Request__c/Request_Key__c/R-1", &json!({"Status__c": "Lost"}));
    assert_eq!((status, refusal(&told)), (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
    let product = org.first("SELECT Id FROM Product2 WHERE ProductCode = 'CUP-01'")["Id"].clone();
    let line = json!({"Fulfillment_Request__r": {"Request_Key__c": "R-1"}, "Product__c": product, "Quantity__c": 3});
    let (status, told) = org.ask("POST", "sobjects/Fulfillment_Line__c", &line);
    assert_eq!(status, 201, "{told}");
    let found = org.first(
        "SELECT Account__r.Name, Status__c, (SELECT Quantity__c, Product__r.ProductCode FROM Fulfillment_Lines__r) FROM Fulfillment_Request__c WHERE Request_Key__c = 'R-1'",
    );
    assert_eq!((&found["Account__r"]["Name"], &found["Status__c"]), (&account["Name"], &json!("Packing")));
    let line = &found["Fulfillment_Lines__r"]["records"][0];
    assert_eq!((line["Quantity__c"].as_f64(), &line["Product__r"]["ProductCode"]), (Some(3.0), &json!("CUP-01")));
    let (_, described) = org.ask("GET", "sobjects/Fulfillment_Line__c/describe", &Json::Null);
    let fields = described["fields"].as_array().unwrap();
    let lookup = fields.iter().find(|field| field["name"] == "Fulfillment_Request__c").unwrap();
    assert_eq!(
        (&lookup["type"], &lookup["referenceTo"], &lookup["relationshipName"]),
        (&json!("reference"), &json!(["Fulfillment_Request__c"]), &json!("Fulfillment_Request__r"))
    );
    let id = account["Id"].as_str().unwrap().to_owned();
    assert_eq!(org.ask("PATCH", &format!("sobjects/Account/{id}"), &json!({"Brand__c": "Harbour"})).0, 204);
    assert_eq!(org.ask("PATCH", &format!("sobjects/Account/{id}"), &json!({"Brand__c": "Nobody"})).0, 400);
    // Persons work with them as with any other.
    let act = Act { verb: "make".into(), subject: "Fulfillment_Request__c".into(), settings: json!({"Status__c": "Sent"}) };
    org.system.act(&act, org.now).unwrap();
}
