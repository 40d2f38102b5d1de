//! What the connector itself reads of a record is asked for, also where no mapping reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use regex::Regex;
use serde_json::json;

use super::super::{DescribedSystem, graphql};
use super::{Shop, ids};
use crate::connector::registry::Settings;
use crate::connector::scripted::{NOW, Script, Still, ok};
use crate::connector::{Connector as _, ReadRequest, Selection, State};
use crate::describe::model::{IdForm, Look, Paging};
use crate::describe::{self, Described, Formula};
use crate::http::{Call, Secret};
use crate::schema::{Object, standard};
use crate::value::{Json, ObjectRef};

fn opened(of: &Arc<Described>, script: Arc<Script>) -> DescribedSystem {
    let value = |example: Option<&str>| Secret::new(example.unwrap_or("x"));
    let options = of.settings.iter().map(|setting| (setting.name.node.clone(), value(setting.example.as_deref()))).collect();
    let settings = Settings { name: "c".into(), system: of.system.node.as_str().into(), options };
    DescribedSystem::new(of, &settings, script, Arc::new(Still(Mutex::new(NOW.parse().unwrap())))).unwrap()
}

fn schemas_of(system: &str) -> BTreeMap<String, Object> {
    standard::objects(system).map(|name| (format!("c.{name}"), standard::object(system, name, "c").unwrap().unwrap())).collect()
}

/// The names behind dots, as the text of a condition has them: without what the reader of descriptions makes of it.
fn names_in(condition: &Formula) -> Vec<String> {
    let bare = Regex::new(r#""[^"]*"|'[^']*'"#).unwrap().replace_all(&condition.text, "").into_owned();
    Regex::new(r"\.([A-Za-z_]\w*)").unwrap().captures_iter(&bare).map(|found| found[1].to_owned()).collect()
}

#[test]
fn each_name_that_a_description_reads_of_a_record_is_in_the_document() {
    let (mut asked, mut lacking) = (0, Vec::new());
    for (system, _) in crate::system::descriptions() {
        let of = describe::known(system).unwrap().described.as_ref().unwrap();
        if of.graphql.is_none() {
            continue;
        }
        let (opened, schemas, call) = (opened(of, Arc::default()), schemas_of(system), Call::default());
        for object in &of.objects {
            let name = ObjectRef::new("c", object.name.node.as_str());
            // A mapping that reads nothing that the description does.
            let reads = opened.reads(&call, &name, &schemas, vec![vec!["legacy_id".to_owned()]]).unwrap();
            let looks = object.get.iter().map(|get| &get.look).chain(object.find.iter().map(|find| &find.look));
            let looks = looks.filter_map(|look| if let Look::Ask { ask, only, .. } = look { Some((ask, only)) } else { None });
            let mut names: BTreeSet<String> = BTreeSet::new();
            let mut conditions: Vec<&Formula> = looks.clone().filter_map(|(_, only)| only.as_ref()).collect();
            conditions.extend(object.get.iter().filter_map(|get| get.ended.as_ref()));
            conditions.extend(object.gone.iter().filter_map(|gone| gone.when.as_ref()));
            for stream in &object.changes {
                conditions.extend(stream.gone.iter().filter_map(|gone| gone.when.as_ref()).chain(&stream.skip));
                conditions.extend(stream.listed.iter().filter_map(|listed| listed.ended.as_ref()));
                names.extend(stream.stamp.iter().chain(stream.gone.iter().filter_map(|gone| gone.stamp.as_ref())).map(ToString::to_string));
                if let Some(Paging::Keyset { fields, .. }) = stream.page.as_ref().map(|page| &page.paging) {
                    names.extend(fields.iter().map(ToString::to_string));
                }
            }
            names.extend(conditions.into_iter().flat_map(names_in));
            names.extend(object.stamp.iter().chain(&object.version).map(ToString::to_string));
            if let IdForm::At(id) = &object.id.form {
                names.insert(id.to_string());
            }
            for ask in object.changes.iter().map(|stream| &stream.ask).chain(looks.map(|(ask, _)| ask)) {
                let document = graphql::document(ask, &[(None, None)], &reads.fields(ask, reads.record_fields()));
                let words: BTreeSet<&str> = document.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
                for name in names.iter().flat_map(|name| name.split('.')) {
                    asked += 1;
                    if !words.contains(name) {
                        lacking.push(format!("{system} {}: `{name}` in {document}", object.name.node));
                    }
                }
            }
            for write in &object.writes {
                let (Some(ask), Some(receipt)) = (&write.ask, &write.receipt) else { continue };
                let document = graphql::document(ask, &[(None, None)], &reads.told(write, ask));
                for name in receipt.ok.iter().chain(&receipt.refused).flat_map(names_in) {
                    asked += 1;
                    if !document.contains(&name) {
                        lacking.push(format!("{system} {}: `{name}` in {document}", object.name.node));
                    }
                }
            }
        }
    }
    assert!(asked > 30, "{asked}");
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// Labels that are void are seen by a flow that reads their tracking numbers only.
#[tokio::test]
async fn a_shipment_whose_labels_are_void_is_gone_whatever_a_mapping_reads() {
    let of = describe::known("shiphero").unwrap().described.as_ref().unwrap();
    let label = |status: &str| json!({"tracking_number": "1Z", "status": status});
    let node = |id: &str, labels: Json| json!({"node": {"id": id, "created_date": "2026-11-18T19:00:00", "delivered": null, "refunded": null, "shipping_labels": labels}});
    let edges = [node("S1", json!([label("void"), label("voided")])), node("S2", json!([label("void"), label("created")]))];
    let list = json!({"data": {"shipments": {"data": {"pageInfo": {"hasNextPage": false}, "edges": edges}}}});
    let script =
        Arc::new(Script { answers: Mutex::new([ok(json!({"access_token": "t", "expires_in": 99_999})), ok(list)].into()), ..Script::default() });
    let system = opened(of, script.clone());
    let (schemas, object) = (schemas_of("shiphero"), ObjectRef::new("c", "Shipment"));
    let reads = [vec!["order_id".to_owned()], vec!["shipping_labels".to_owned(), "tracking_number".to_owned()]];
    let selection =
        Selection { object: &object, schemas: &schemas, projection: reads.iter().map(Vec::as_slice).collect(), filter: Vec::new(), stamps: &[] };
    let now = NOW.parse().unwrap();
    let ask =
        ReadRequest { selection: &selection, stream: "again", cursor: None, begins: true, overlap: jiff::SignedDuration::ZERO, since: None, now };
    let page = system.changes(&Call::default(), &ask).await.unwrap();
    let gone: Vec<bool> = page.changes.iter().map(|change| change.state == State::Gone).collect();
    assert_eq!((ids(&page.changes), gone), (vec!["S1", "S2"], vec![true, false]));
    let document = String::from_utf8_lossy(script.requests.lock().unwrap()[1].body()).into_owned();
    assert!(document.contains("shipping_labels { tracking_number status }"), "{document}");
}

/// What a condition reads of a call beside the record is read, though no mapping does.
#[tokio::test]
async fn what_a_condition_reads_beside_a_record_is_read() {
    let described = "objects:
  Order:
    get: { call: 'GET /o/{id}' }
    with: { track: { call: 'GET /o/{id}/track' } }
    gone: 'record.track.state == \"withdrawn\"'
";
    let order = || ok(json!({"id": "1", "number": "a"}));
    let shop = Shop::rest(described, [order(), ok(json!({"state": "withdrawn"})), order(), ok(json!({"state": "open"}))]).reading(&[&["number"]]);
    assert_eq!(shop.fetched(&["1"]).await.unwrap()[0].state, State::Gone);
    assert!(matches!(shop.fetched(&["1"]).await.unwrap()[0].state, State::Upserted(_)));
    assert_eq!(shop.asked(), ["/o/1 ", "/o/1/track ", "/o/1 ", "/o/1/track "]);
}
