//! The connector against answers that are written down here: each test says what is asked and what comes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::json;

use super::Salesforce;
use crate::base::bounds;
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, answer, ok};
use crate::connector::{
    Connector, Guarantee, Item, LookupRequest, Operation, Page, ReadRequest, Receipt, Rider, Riders, Selection, State, WriteRequest,
};
use crate::fault::Fault;
use crate::http::{Broken, Call, Request, Response, Secret};
use crate::plan::Plan;
use crate::project::{Options, Texts, compile};
use crate::value::{Json, ObjectRef};

struct Bench {
    script: Arc<Script>,
    salesforce: Salesforce,
    call: Call,
}

impl Bench {
    /// Signed in by the first answer, which the tests do not name.
    fn new(answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        Self::with(&[], std::iter::once(signed_in("t0ken")).chain(answers))
    }

    fn with(more: &[(&str, &str)], answers: impl IntoIterator<Item = Result<Response, Broken>>) -> Self {
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let known = [("login", "https://test.salesforce.com"), ("client_id", "id"), ("client_secret", "s3cret")];
        let options: BTreeMap<String, Secret> = known.iter().chain(more).map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        let settings = Settings { name: "crm".into(), system: "salesforce".into(), options };
        let clock = Arc::new(Still(Mutex::new(NOW.parse().unwrap())));
        let salesforce = Salesforce::new(&settings, script.clone(), clock).unwrap();
        Bench { script, salesforce, call: Call::default() }
    }

    /// What was asked after the sign-in, with the query decoded.
    fn asked(&self) -> Vec<String> {
        let read = |request: &Request| {
            let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
            let query: Vec<String> = query.map(|(_, value)| value.into_owned()).collect();
            let path = request.uri().path().trim_start_matches("/services/data/v64.0/");
            format!("{} {path} {}", request.method(), query.join("&")).trim_end().to_owned()
        };
        assert!(self.script.answers.lock().unwrap().is_empty(), "an answer was not asked for");
        self.script.requests.lock().unwrap().iter().skip(1).map(read).collect()
    }

    fn body(&self, at: usize) -> Json {
        serde_json::from_slice(self.script.requests.lock().unwrap()[at + 1].body()).unwrap()
    }

    fn token(&self, at: usize) -> String {
        self.script.requests.lock().unwrap()[at].headers()["authorization"].to_str().unwrap().to_owned()
    }

    async fn page(&self, plan: &Plan, stream: &str, cursor: Option<&str>, begins: bool) -> Result<Page, Fault> {
        let overlap = SignedDuration::from_mins(10);
        let ask = ReadRequest { selection: &source(plan), stream, cursor, begins, overlap, since: None, now: NOW.parse().unwrap() };
        self.salesforce.changes(&self.call, &ask).await
    }

    async fn send(&self, plan: &Plan, operation: Operation, key_field: Option<&str>, items: &[Item]) -> Result<Vec<Receipt>, Fault> {
        let object = ObjectRef::new("crm", "Contact");
        let (schemas, now) = (&plan.objects, NOW.parse().unwrap());
        let batch = WriteRequest { object: &object, schemas, operation, key_field, items, riders: None, now };
        Connector::send(&self.salesforce, &self.call, &batch).await
    }

    /// Two contacts with riders, which are contacts too.
    async fn ride(&self, plan: &Plan, names: [&str; 2], riders: Vec<Rider>) -> Result<Vec<Receipt>, Fault> {
        let object = ObjectRef::new("crm", "Contact");
        let items = [item(None, Some("k0"), names[0]), item(None, Some("k1"), names[1])];
        let key_field = Some("Mail_Key__c");
        let riders = Riders { object: object.clone(), operation: Operation::Upsert, key_field: key_field.map(str::to_owned), items: riders };
        let (schemas, operation, now) = (&plan.objects, Operation::Upsert, NOW.parse().unwrap());
        let batch = WriteRequest { object: &object, schemas, operation, key_field, items: &items, riders: Some(&riders), now };
        Connector::send(&self.salesforce, &self.call, &batch).await
    }
}

fn signed_in(token: &str) -> Result<Response, Broken> {
    ok(json!({"access_token": token, "instance_url": "https://acme.my.salesforce.com"}))
}

fn refused(status: u16, code: &str) -> Result<Response, Broken> {
    answer(status, &json!([{"message": "in words", "errorCode": code}]))
}

fn rows(records: Json) -> Result<Response, Broken> {
    ok(json!({"totalSize": 1, "done": true, "records": records}))
}

fn csv(text: &str) -> Result<Response, Broken> {
    Ok(http::Response::builder().status(200).body(Bytes::from(text.to_owned())).unwrap())
}

fn contact(id: &str, stamp: &str) -> Json {
    json!({"attributes": {"type": "Contact"}, "Id": id, "SystemModstamp": stamp, "LastName": "Lovelace"})
}

const CONTACT: &str = r#"{ "name": "Contact", "createable": true, "updateable": true, "queryable": true, "fields": [
  { "name": "Id", "type": "id", "filterable": true },
  { "name": "SystemModstamp", "type": "datetime" },
  { "name": "Mail_Key__c", "type": "string", "length": 80, "nillable": true, "createable": true, "updateable": true, "externalId": true, "unique": true },
  { "name": "LastName", "type": "string", "length": 80, "nillable": true, "createable": true, "updateable": true },
  { "name": "Level__c", "type": "string", "length": 80, "nillable": true, "createable": true, "updateable": true }
], "childRelationships": [] }"#;

fn plan() -> Plan {
    let config = "connections:\n  crm: { system: salesforce }\n";
    let mapping = r#"edition 1
flow f {
  from crm.Contact as contact {
    where contact.Level__c == "gold"
    changed contact.SystemModstamp overlap 10 minutes
    every 5 minutes
  }
  update crm.Contact of contact { LastName = contact.LastName }
}
"#;
    let texts = Texts::new([("crossdock.yaml", config), ("schemas/crm/Contact.json", CONTACT), ("f.dock", mapping)]);
    let compiled = compile(&texts, &Options::default());
    compiled.plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn source(plan: &Plan) -> Selection<'_> {
    plan.selection_of(0, &[])
}

fn lookup<'a>(plan: &'a Plan, object: &'a ObjectRef, field: &'a [String], values: &'a [String], projection: &'a [Vec<String>]) -> LookupRequest<'a> {
    LookupRequest { object, schemas: &plan.objects, field, values, companions: &[], projection }
}

fn item(id: Option<&str>, key: Option<&str>, name: &str) -> Item {
    Item { id: id.map(str::to_owned), key: key.map(str::to_owned), body: json!({"LastName": name}) }
}

fn rider(on: usize, key: &str, name: &str) -> Rider {
    Rider { item: item(None, Some(key), name), on, fields: vec!["Level__c".to_owned()] }
}

fn told(receipts: &[Receipt]) -> Vec<String> {
    let word = |receipt: &Receipt| match &receipt.outcome {
        Ok(done) => format!("{} {:?}", done.id.as_deref().unwrap_or("-"), done.created),
        Err(fault) => format!("{}: {fault}", fault.class()),
    };
    receipts.iter().map(word).collect()
}

// ---- the sign-in ----

#[tokio::test]
async fn a_session_that_ended_is_renewed_once() {
    let bench = Bench::new([refused(401, "INVALID_SESSION_ID"), signed_in("next"), rows(json!([{"Id": "00D1"}]))]);
    bench.salesforce.check_connection(&bench.call).await.unwrap();
    assert_eq!((bench.token(1), bench.token(3)), ("Bearer t0ken".to_owned(), "Bearer next".to_owned()));

    let bench = Bench::new([refused(401, "INVALID_SESSION_ID"), signed_in("next"), refused(401, "INVALID_SESSION_ID")]);
    let fault = bench.salesforce.check_connection(&bench.call).await.unwrap_err();
    assert_eq!(fault.class(), "denied", "{fault}");
    assert_eq!(bench.asked().len(), 3, "nobody signs in again and again");
}

#[tokio::test]
async fn a_refused_sign_in_says_why_and_holds_no_secret() {
    let bench = Bench::with(&[], [answer(400, &json!({"error": "invalid_client", "error_description": "invalid client credentials"}))]);
    let fault = bench.salesforce.check_connection(&bench.call).await.unwrap_err();
    assert_eq!(fault.to_string(), "the sign-in was refused: invalid_client: invalid client credentials");
    let bench = Bench::with(&[], [ok(json!({"access_token": "t", "instance_url": "https://evil.org"}))]);
    assert!(bench.salesforce.check_connection(&bench.call).await.unwrap_err().to_string().contains("none of Salesforce's"));
}

/// Nobody was refused: the next try may get the whole answer. A page of something else is no token.
#[tokio::test]
async fn a_sign_in_whose_answer_was_cut_short_is_tried_again() {
    for (answered, class) in [(r#"{"access_token": "t"#, "transient"), ("", "transient"), ("<html>sign in</html>", "denied"), ("{}", "denied")] {
        let bench = Bench::with(&[], [csv(answered)]);
        let fault = bench.salesforce.check_connection(&bench.call).await.unwrap_err();
        assert_eq!(fault.class(), class, "{answered}: {fault}");
    }
}

// ---- reading ----

#[tokio::test]
async fn a_poll_reads_what_the_mapping_needs_and_goes_on_by_stamp_and_id() {
    let plan = plan();
    let bench = Bench::new([
        rows(json!([contact("0031", "2026-11-18T19:00:00.000+0000"), contact("0032", "2026-11-18T19:00:01.000+0000")])),
        rows(json!([])),
    ]);
    let page = bench.page(&plan, "Contact", None, true).await.unwrap();
    assert!(!page.more);
    assert_eq!(page.changes.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["0031", "0032"]);
    assert_eq!(page.changes[0].stamp.as_deref(), Some("2026-11-18T19:00:00Z"));
    // The next poll begins before it, by the overlap; within a poll it goes on behind the last record.
    let next = bench.page(&plan, "Contact", page.cursor.as_deref(), true).await.unwrap();
    assert_eq!(next.cursor, page.cursor, "a poll that found nothing stays where it was");
    let asked = bench.asked();
    assert_eq!(
        asked[0],
        "GET query SELECT Id, LastName, Level__c, SystemModstamp FROM Contact WHERE Level__c = 'gold' ORDER BY SystemModstamp, Id LIMIT 2000"
    );
    assert!(asked[1].contains("Level__c = 'gold' AND SystemModstamp >= 2026-11-18T18:50:01.000Z ORDER BY"), "{}", asked[1]);

    let bench = Bench::new([rows(json!([]))]);
    bench.page(&plan, "Contact", page.cursor.as_deref(), false).await.unwrap();
    let asked = bench.asked();
    assert!(
        asked[0].contains("(SystemModstamp > 2026-11-18T19:00:01.000Z OR (SystemModstamp = 2026-11-18T19:00:01.000Z AND Id > '0032'))"),
        "{}",
        asked[0]
    );
}

#[tokio::test]
async fn deleted_records_and_those_that_left_the_filter_are_streams_of_their_own() {
    let plan = plan();
    let bench = Bench::new([
        rows(json!([{"Id": "0031", "SystemModstamp": "2026-11-18T19:00:00.000+0000"}])),
        rows(json!([{"Id": "0032", "SystemModstamp": "2026-11-18T19:00:00.000+0000"}])),
    ]);
    let names: Vec<String> = bench.salesforce.streams(&source(&plan)).into_iter().map(|stream| stream.name).collect();
    assert_eq!(names, ["Contact", "left", "deleted"]);
    let gone = bench.page(&plan, "deleted", None, true).await.unwrap();
    let left = bench.page(&plan, "left", None, true).await.unwrap();
    assert_eq!((&gone.changes[0].state, &left.changes[0].state), (&State::Gone, &State::LeftFilter));
    let asked = bench.asked();
    assert!(asked[0].starts_with("GET queryAll ") && asked[0].contains("IsDeleted = true"), "{}", asked[0]);
    assert!(asked[1].contains("(NOT (Level__c = 'gold'))"), "{}", asked[1]);
}

#[tokio::test]
async fn an_answer_goes_on_in_its_own_org_only() {
    let plan = plan();
    let first = |next: &str| ok(json!({"done": false, "nextRecordsUrl": next, "records": [contact("0031", "2026-11-18T19:00:00.000+0000")]}));
    let bench = Bench::new([first("/services/data/v64.0/query/01g-2000"), rows(json!([contact("0032", "2026-11-18T19:00:01.000+0000")]))]);
    let page = bench.page(&plan, "Contact", None, true).await.unwrap();
    assert_eq!((page.changes.len(), bench.asked()[1].as_str()), (2, "GET query/01g-2000"));
    for foreign in ["https://evil.org/services/data/v64.0/query/1", "//evil.org/x", ""] {
        let bench = Bench::new([first(foreign)]);
        assert_eq!(bench.page(&plan, "Contact", None, true).await.unwrap_err().class(), "transient", "{foreign}");
    }
    let bench = Bench::new([ok(json!({"unexpected": true}))]);
    assert_eq!(bench.page(&plan, "Contact", None, true).await.unwrap_err().class(), "transient", "an answer without records is none that is empty");
}

#[tokio::test]
async fn many_values_are_looked_up_in_one_call_and_matched_without_case() {
    let plan = plan();
    let object = ObjectRef::new("crm", "Contact");
    let values: Vec<String> = (0..1_000).map(|at| format!("Person{at:04}@example.com")).collect();
    let part = |records: Json| json!({"body": {"done": true, "records": records}, "httpStatusCode": 200, "referenceId": "q"});
    let row = |key: &str| json!({"Id": "0031", "Mail_Key__c": key});
    let bench = Bench::new([ok(json!({"compositeResponse": [
        part(json!([row("person0000@EXAMPLE.com")])), part(json!([])), part(json!([row("PERSON0999@example.com"), row("stranger@example.com")]))
    ]}))]);
    let (field, projection) = (["Mail_Key__c".to_owned()], [vec!["Id".to_owned()]]);
    let ask = lookup(&plan, &object, &field, &values, &projection);
    let found = bench.salesforce.lookup(&bench.call, &ask).await.unwrap();
    assert_eq!(found.iter().map(|found| found.value.as_str()).collect::<Vec<_>>(), ["Person0000@example.com", "Person0999@example.com"]);
    assert_eq!(bench.asked(), ["POST composite"]);
    for request in bench.body(0)["compositeRequest"].as_array().unwrap() {
        assert!(request["url"].as_str().unwrap().len() < 16_000);
    }

    // One of several that fails leaves the whole question open: what was not found is not known not to be there.
    let failed = json!({"body": [{"message": "busy", "errorCode": "SERVER_UNAVAILABLE"}], "httpStatusCode": 503, "referenceId": "q"});
    let bench = Bench::new([ok(json!({"compositeResponse": [part(json!([])), failed, part(json!([]))]}))]);
    assert_eq!(bench.salesforce.lookup(&bench.call, &ask).await.unwrap_err().class(), "transient");
}

#[tokio::test]
async fn what_is_no_id_is_not_asked_for() {
    let plan = plan();
    let object = ObjectRef::new("crm", "Contact");
    let find = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let values = find(&["amz-114-7", "0035g00000AAA01AAA", "manual-17"]);
    let bench = Bench::new([rows(json!([]))]);
    let (field, projection) = (["Id".to_owned()], [vec!["LastName".to_owned()]]);
    let ask = lookup(&plan, &object, &field, &values, &projection);
    bench.salesforce.lookup(&bench.call, &ask).await.unwrap();
    assert!(bench.asked()[0].ends_with("WHERE Id IN ('0035g00000AAA01AAA')"), "{}", bench.asked()[0]);
    let values = find(&["amz-114-7"]);
    let bench = Bench::with(&[], []);
    let ask = LookupRequest { values: &values, ..ask };
    assert!(bench.salesforce.lookup(&bench.call, &ask).await.unwrap().is_empty(), "nothing is asked at all");
}

#[tokio::test]
async fn a_value_is_data_and_no_part_of_the_query() {
    let plan = plan();
    let object = ObjectRef::new("crm", "Contact");
    let bench = Bench::new([rows(json!([]))]);
    let values = ["x' OR Name != '\\".to_owned()];
    let (field, projection) = (["Mail_Key__c".to_owned()], [vec!["Id".to_owned()]]);
    let ask = lookup(&plan, &object, &field, &values, &projection);
    bench.salesforce.lookup(&bench.call, &ask).await.unwrap();
    assert!(bench.asked()[0].ends_with(r"WHERE Mail_Key__c IN ('x\' OR Name != \'\\')"), "{}", bench.asked()[0]);
}

// ---- writing ----

#[tokio::test]
async fn what_takes_an_id_goes_in_the_call_that_makes_the_record() {
    let plan = plan();
    let part = |status: u16, body: Json| json!({"body": body, "httpStatusCode": status, "referenceId": "r"});
    let done = |id: &str| json!({"id": id, "success": true, "created": true, "errors": []});
    let refused = json!({"success": false, "errors": [{"statusCode": "STRING_TOO_LONG", "message": "too long"}]});
    let halted = json!([{"errorCode": "PROCESSING_HALTED", "message": "Invalid reference specified."}]);
    let both = |first: Json, second: Json| ok(json!({"compositeResponse": [first, second]}));

    let bench = Bench::new([both(part(200, json!([done("0031"), done("0032")])), part(200, json!([done("0033"), refused])))]);
    let receipts = bench.ride(&plan, ["Ada", "Bob"], vec![rider(1, "k2", "Cy"), rider(0, "k3", "Di")]).await.unwrap();
    assert_eq!(told(&receipts), ["0031 Some(true)", "0032 Some(true)", "0033 Some(true)", "rejected: too long"]);
    assert_eq!(bench.asked(), ["POST composite"]);
    let sent = bench.body(0);
    let parts = sent["compositeRequest"].as_array().unwrap();
    assert_eq!((sent["allOrNone"].clone(), parts.len()), (json!(false), 2));
    for part in parts {
        assert_eq!((&part["method"], &part["url"]), (&json!("PATCH"), &json!("/services/data/v64.0/composite/sobjects/Contact/Mail_Key__c")));
    }
    let levels: Vec<&Json> = parts[1]["body"]["records"].as_array().unwrap().iter().map(|record| &record["Level__c"]).collect();
    assert_eq!(levels, [&json!("@{made[1].id}"), &json!("@{made[0].id}")]);

    // One record was not made: nothing that refers to the records was carried out.
    let bench = Bench::new([both(part(200, json!([done("0031"), refused])), part(400, halted))]);
    let receipts = bench.ride(&plan, ["Ada", "Bob"], vec![rider(0, "k2", "Cy")]).await.unwrap();
    assert_eq!(told(&receipts)[0], "0031 Some(true)");
    assert_eq!(told(&receipts)[1..], ["rejected: too long", "transient: the batch was refused: Invalid reference specified."]);

    // The first part as a whole is the call as a whole; of the second one, its riders alone are in doubt.
    let error = json!([{"errorCode": "JSON_PARSER_ERROR", "message": "bad"}]);
    let bench = Bench::new([both(part(400, error.clone()), part(400, error.clone()))]);
    assert_eq!(bench.ride(&plan, ["Ada", "Bob"], vec![rider(0, "k2", "Cy")]).await.unwrap_err().class(), "rejected");
    let bench = Bench::new([both(part(200, json!([done("0031"), done("0032")])), part(503, error))]);
    let receipts = bench.ride(&plan, ["Ada", "Bob"], vec![rider(0, "k2", "Cy")]).await.unwrap();
    assert!(told(&receipts)[2].starts_with("ambiguous"), "{receipts:?}");
    let bench = Bench::new([ok(json!({"compositeResponse": []}))]);
    assert_eq!(bench.ride(&plan, ["Ada", "Bob"], vec![rider(0, "k2", "Cy")]).await.unwrap_err().class(), "ambiguous");

    // A text that would be taken for a reference goes where it is not.
    let bench = Bench::new([ok(json!([done("0031"), done("0032")]))]);
    let receipts = bench.ride(&plan, ["Ada", "@{made[0].id}"], vec![rider(0, "k2", "Cy")]).await.unwrap();
    assert_eq!(bench.asked(), ["PATCH composite/sobjects/Contact/Mail_Key__c"]);
    assert!(told(&receipts)[2].starts_with("transient"), "{receipts:?}");
}

#[tokio::test]
async fn each_row_of_a_collection_has_its_own_outcome() {
    let plan = plan();
    let bench = Bench::new([ok(json!([
        {"id": "0031", "success": true, "errors": [], "created": true},
        {"success": false, "errors": [{"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["LastName"]}]},
        {"success": false, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}]},
        {"success": false, "errors": [{"statusCode": "DUPLICATE_EXTERNAL_ID", "message": "more than one record found", "fields": []}]},
        {"id": "0035", "success": true, "errors": [], "created": false}
    ]))]);
    let items: Vec<Item> = (1..=5).map(|at| item(None, Some(&format!("k{at}")), "Ada")).collect();
    let receipts = bench.send(&plan, Operation::Upsert, Some("Mail_Key__c"), &items).await.unwrap();
    assert_eq!(
        told(&receipts),
        ["0031 Some(true)", "rejected: too long", "transient: locked", "rejected: more than one record found", "0035 Some(false)"]
    );
    assert_eq!(bench.asked(), ["PATCH composite/sobjects/Contact/Mail_Key__c"]);
    let sent = bench.body(0);
    assert_eq!((sent["allOrNone"].clone(), sent["records"][0]["Mail_Key__c"].clone()), (json!(false), json!("k1")));
    assert_eq!(sent["records"][0]["attributes"], json!({"type": "Contact"}));
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_in_doubt() {
    let plan = plan();
    let items = [item(Some("0031"), None, "Ada"), item(Some("0032"), None, "Grace")];
    for (answered, class) in [
        (ok(json!([{"id": "0031", "success": true, "errors": []}])), "ambiguous"),
        (ok(json!({"no": "list"})), "ambiguous"),
        (answer(500, &json!([])), "ambiguous"),
        (Err(Broken::Lost("the connection".to_owned())), "ambiguous"),
        (refused(400, "JSON_PARSER_ERROR"), "rejected"),
        (refused(403, "REQUEST_LIMIT_EXCEEDED"), "throttled"),
    ] {
        let bench = Bench::new([answered]);
        assert_eq!(bench.send(&plan, Operation::Update, None, &items).await.unwrap_err().class(), class);
    }
    // A result that says nothing is its row's doubt, not its neighbours'.
    let bench = Bench::new([ok(json!([{"id": "0031"}, {"id": "0032", "success": true, "errors": []}]))]);
    let receipts = bench.send(&plan, Operation::Update, None, &items).await.unwrap();
    assert_eq!((receipts[0].outcome.as_ref().unwrap_err().class(), receipts[1].outcome.is_ok()), ("ambiguous", true));
}

#[tokio::test]
async fn many_rows_go_in_one_job_and_each_is_told() {
    let plan = plan();
    let items: Vec<Item> = (0..300).map(|at| item(None, Some(&format!("k{at}")), &format!("Ada \"{at}\",\nLovelace"))).collect();
    let mut done = String::from("\"sf__Id\",\"sf__Created\",Mail_Key__c,LastName\n");
    (0..298).rev().for_each(|at| done.push_str(&format!("003{at:04},{},k{at},x\n", at % 2 == 0)));
    let job = |state: &str| json!({"id": "750x", "state": state, "numberRecordsProcessed": 299, "numberRecordsFailed": 1});
    let answers = |ends: &str| {
        vec![
            signed_in("t"),
            ok(job("Open")),
            answer(201, &json!({})),
            ok(job("UploadComplete")),
            ok(job("InProgress")),
            ok(job(ends)),
            csv(&done),
            csv("\"sf__Id\",\"sf__Error\",Mail_Key__c,LastName\n\"\",\"STRING_TOO_LONG:too long:LastName --\",k298,x\n"),
            csv("Mail_Key__c,LastName\nk299,x\n"),
        ]
    };
    let bench = Bench::with(&[("bulk_above", "200")], answers("Failed"));
    let receipts = bench.send(&plan, Operation::Upsert, Some("Mail_Key__c"), &items).await.unwrap();
    let told = told(&receipts);
    assert_eq!((told[0].as_str(), told[297].as_str()), ("0030000 Some(true)", "0030297 Some(false)"));
    assert!(told[298].starts_with("rejected: ") && told[299].starts_with("transient: "), "{:?}", &told[298..]);
    let asked = bench.asked();
    assert_eq!(asked[..3], ["POST jobs/ingest", "PUT jobs/ingest/750x/batches", "PATCH jobs/ingest/750x"]);
    assert_eq!(bench.body(0)["externalIdFieldName"], "Mail_Key__c");
    let sent = bench.script.requests.lock().unwrap()[2].body().clone();
    let mut reader = csv::Reader::from_reader(&sent[..]);
    assert_eq!(reader.headers().unwrap(), vec!["Mail_Key__c", "LastName"]);
    assert_eq!(reader.records().next().unwrap().unwrap(), vec!["k0", "Ada \"0\",\nLovelace"]);
}

#[tokio::test]
async fn a_job_is_asked_only_for_results_that_it_has() {
    let plan = plan();
    let items: Vec<Item> = (0..201).map(|at| item(None, Some(&format!("k{at}")), "Ada")).collect();
    let mut done = String::from("sf__Id,sf__Created,Mail_Key__c\n");
    (0..201).for_each(|at| done.push_str(&format!("003{at},true,k{at}\n")));
    let whole = json!({"id": "750x", "state": "JobComplete", "numberRecordsProcessed": 201, "numberRecordsFailed": 0});
    let bench = Bench::with(
        &[("bulk_above", "200")],
        [signed_in("t"), ok(json!({"id": "750x"})), answer(201, &json!({})), ok(json!({})), ok(whole), csv(&done)],
    );
    let receipts = bench.send(&plan, Operation::Upsert, Some("Mail_Key__c"), &items).await.unwrap();
    assert!(receipts.iter().all(|receipt| receipt.outcome.is_ok()));
    assert_eq!(bench.asked().last().unwrap(), "GET jobs/ingest/750x/successfulResults");
}

#[tokio::test]
async fn a_job_that_was_closed_without_an_answer_is_in_doubt_and_one_that_was_not_is_not() {
    let plan = plan();
    let items: Vec<Item> = (0..201).map(|at| item(None, Some(&format!("k{at}")), "Ada")).collect();
    let lost = || Err(Broken::Lost("the connection".to_owned()));
    for (answers, class) in [
        (vec![signed_in("t"), lost()], "transient"),
        (vec![signed_in("t"), ok(json!({"id": "750x"})), lost()], "transient"),
        (vec![signed_in("t"), ok(json!({"id": "750x"})), answer(201, &json!({})), lost()], "ambiguous"),
    ] {
        let bench = Bench::with(&[("bulk_above", "200")], answers);
        assert_eq!(bench.send(&plan, Operation::Upsert, Some("Mail_Key__c"), &items).await.unwrap_err().class(), class);
    }
}

// ---- the budget ----

#[tokio::test]
async fn the_days_budget_is_never_used_up() {
    let plan = plan();
    let used = |used: u32| {
        let body = json!({"done": true, "records": []}).to_string();
        Ok(http::Response::builder().status(200).header("Sforce-Limit-Info", format!("api-usage={used}/1000")).body(Bytes::from(body)).unwrap())
    };
    let bench = Bench::new([used(900), used(950)]);
    bench.page(&plan, "Contact", None, true).await.unwrap();
    assert_eq!(bench.salesforce.budget(), Some((900, 1_000)));
    bench.page(&plan, "Contact", None, true).await.unwrap();
    let now: jiff::Timestamp = NOW.parse().unwrap();
    assert!(bench.salesforce.limit().ready_at(now) > now, "at 95 % nothing more is asked, but by and by");
}

// ---- descriptions ----

#[tokio::test]
async fn an_object_that_is_not_there_is_told_and_a_name_is_no_path() {
    let bench = Bench::new([ok(json!({"name": "Contact", "label": "Contact", "fields": [{"name": "Id", "type": "id", "layout": "x"}], "urls": {}}))]);
    let described = bench.salesforce.describe(&bench.call, "Contact").await.unwrap().unwrap();
    assert_eq!(described["fields"], json!([{"name": "Id", "type": "id"}]), "what is only for layout is not kept");
    let bench = Bench::new([refused(404, "NOT_FOUND")]);
    assert!(
        matches!(bench.salesforce.describe(&bench.call, "Nothing__c").await.unwrap_err(), Fault::Rejected(refusal) if refusal.code == "NOT_FOUND")
    );
    let bench = Bench::with(&[], []);
    assert!(bench.salesforce.describe(&bench.call, "../limits").await.is_err());
}

/// An answer that never ends is a fault of the connection, however it goes on.
#[tokio::test]
async fn a_chain_of_answers_ends() {
    let plan = plan();
    let row =
        |n: usize, pad: usize| json!({"Id": format!("003x{n:014}"), "SystemModstamp": "2026-11-18T19:00:00.000+0000", "LastName": "x".repeat(pad)});
    let more =
        |n: usize, next: &str| ok(json!({"done": false, "nextRecordsUrl": format!("/services/data/v64.0/query/{next}"), "records": [row(n, 10)]}));
    let why = |page: Result<Page, Fault>| match page {
        Err(Fault::Transient { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let bench = Bench::new([more(0, "a"), more(1, "b"), more(2, "a")]);
    assert!(why(bench.page(&plan, "Contact", None, true).await).contains("where it was before"));

    let bench = Bench::new((0..bounds::CHAIN_ANSWERS).map(|n| more(n, &format!("next-{n}"))));
    assert!(why(bench.page(&plan, "Contact", None, true).await).contains("more than 500 answers"));

    let bench = Bench::new([ok(json!({"done": false, "nextRecordsUrl": "/services/data/v64.0/query/a", "records": []}))]);
    assert!(why(bench.page(&plan, "Contact", None, true).await).contains("no records"));

    let rows: Vec<Json> = (0..2_001).map(|n| row(n, 1)).collect();
    let bench = Bench::new([ok(json!({"done": true, "records": rows}))]);
    assert!(why(bench.page(&plan, "Contact", None, true).await).contains("2000 records that were asked for"));

    // Long rows: the next try asks for fewer.
    let long: Vec<_> = (0..4)
        .map(|n| ok(json!({"done": false, "nextRecordsUrl": format!("/services/data/v64.0/query/{n}"), "records": [row(n, 13 << 20)]})))
        .collect();
    let bench = Bench::new(long.into_iter().chain([ok(json!({"done": true, "records": []}))]));
    assert!(why(bench.page(&plan, "Contact", None, true).await).contains("longer than 48 MB"));
    bench.page(&plan, "Contact", None, true).await.unwrap();
    let asked = bench.asked();
    assert!(asked[0].ends_with("LIMIT 2000") && asked.last().unwrap().ends_with("LIMIT 250"), "{asked:?}");
}

#[test]
fn each_write_says_what_it_is_held_to() {
    let mut object = crate::schema::standard::object("salesforce", "Contact", "crm").unwrap().unwrap();
    (object.keys, object.searchable) = (vec!["Mail_Key__c".to_owned()], vec!["Email".to_owned()]);
    let write = |op, key| {
        let write = crate::connector::Write::of(&object, op, key).unwrap();
        assert_eq!((write.batch, write.replaces, write.carries), (super::COLLECTION, false, true));
        (write.guarantee, write.found_by)
    };
    let by = |field: &str| Some(field.to_owned());
    assert_eq!(write(Operation::Update, Some("Mail_Key__c")), (Guarantee::Idempotent, by("Id")));
    for op in [Operation::Create, Operation::Upsert] {
        assert_eq!(write(op, Some("Mail_Key__c")), (Guarantee::Idempotent, by("Mail_Key__c")), "the org keeps it to one");
        assert_eq!(write(op, Some("Email")), (Guarantee::Searchable, by("Email")));
        assert_eq!(write(op, Some("Description")), (Guarantee::Unprotected, by("Description")), "nobody can be asked for it");
        assert_eq!(write(op, None), (Guarantee::Unprotected, by("Id")));
    }
}
