//! Salesforce.

use crossdock::sandbox::salesforce;

use super::*;

pub static SALESFORCE: Subject = Subject {
    name: "salesforce",
    system: "salesforce",
    options: &[("login", "https://crm.salesforce.com"), ("client_id", "sandbox"), ("client_secret", "sandbox")],
    sandbox: |setup| {
        Box::new(salesforce::Salesforce::new(salesforce::Options {
            base_url: "https://crm.salesforce.com".to_owned(),
            orders: 0,
            start: BEGIN.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_hours(48),
            late_commit: setup.lag,
            ..salesforce::Options::default()
        }))
    },
    reads: Reads {
        object: "Account",
        projection: &["Id", "Name", "SystemModstamp"],
        stamp: Some("SystemModstamp"),
        make: |world, n| text(&world.act("make", "Account", json!({"Name": format!("n-{n}")})), "id"),
        touch: |world, id, content| {
            world.act("change", id, json!({"Name": content}));
        },
        remove: |world, id| {
            world.act("delete", id, json!({}));
        },
        tells_gone: Some("deleted"),
        content: |record| text(record, "Name"),
        is_late: true,
        expire: Some("expire"),
    },
    writes: &[
        Write {
            name: "upsert by a key that the org keeps to one record",
            object: "Account",
            operation: Operation::Upsert,
            key_field: Some("Crossdock_Key__c"),
            item: |_, n| keyed(format!("k-{n}"), json!({"Name": format!("a-{n}")})),
            refused: too_long,
            done: |world, item| {
                let key = item.key.clone().unwrap();
                effects(world, |effect| effect.kind == "created" && effect.object == "Account" && effect.fields["Crossdock_Key__c"] == *key)
            },
            searched: Some(|item| ("Crossdock_Key__c", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
        Write {
            name: "update of a record that is named",
            object: "Account",
            operation: Operation::Update,
            key_field: None,
            item: |world, n| {
                let id = text(&world.act("make", "Account", json!({"Name": format!("old-{n}")})), "id");
                Item { key: None, id: Some(id), body: json!({"Name": format!("new-{n}")}) }
            },
            refused: too_long,
            done: |world, item| usize::from(world.act("show", item.id.as_deref().unwrap(), json!({}))["Name"] == item.body["Name"]),
            searched: None,
            results: "",
            by_key: false,
        },
        Write {
            name: "create under a key that is only searched by",
            object: "Task",
            operation: Operation::Create,
            key_field: Some("Crossdock_Key__c"),
            item: |_, n| keyed(format!("t-{n}"), json!({"Subject": format!("s-{n}")})),
            refused: |item| item.body["Subject"] = json!("x".repeat(300)),
            done: |world, item| {
                let key = item.key.clone().unwrap();
                effects(world, |effect| effect.kind == "created" && effect.object == "Task" && effect.fields["Crossdock_Key__c"] == *key)
            },
            searched: Some(|item| ("Crossdock_Key__c", item.key.clone().unwrap())),
            results: "",
            by_key: false,
        },
        Write {
            name: "create without a key",
            object: "Account",
            operation: Operation::Create,
            key_field: None,
            item: |_, n| Item { key: None, id: None, body: json!({"Name": format!("free-{n}")}) },
            refused: too_long,
            done: |world, item| {
                effects(world, |effect| effect.kind == "created" && effect.object == "Account" && effect.fields["Name"] == item.body["Name"])
            },
            searched: None,
            results: "",
            by_key: false,
        },
    ],
    hooks: None,
    refused_until: None,
};

fn too_long(item: &mut Item) {
    item.body["Name"] = json!("x".repeat(300));
}
