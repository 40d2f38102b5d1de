//! A planted secret and planted personal data: nowhere in the store's files, in logs, or in what is printed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use crossdock::sandbox::faults::Faults;
use serde_json::json;

use crate::live::{PLANTED_SECRET, SECRET, World};
use crossdock::project::templates::TEMPLATES;

const STREET: &str = "77 Zanzibar Plantation Way";
const CITY: &str = "Quxborough";
const NOTE: &str = "ring Wilhelmina Plumtree at the back door";

#[test]
fn nothing_planted_is_found_anywhere() {
    let world = World::start(6, Faults { lost_reply: 60, truncated: 30, ..Faults::default() });
    let mine = json!({"ShippingStreet": STREET, "ShippingCity": CITY, "Package_Notes__c": NOTE});
    world.crm_act("create", "", mine.clone()).unwrap();
    // One that the mapping rejects by a reason that quotes the record.
    world
        .crm_act("create", "", json!({"ShippingStreet": STREET, "ShippingCity": CITY, "ShippingPostalCode": "PLANTED-ZIP", "Package_Notes__c": NOTE}))
        .unwrap();
    // One whose write-back the org refuses, in words that quote it.
    world.crm_act("rule", "", json!({"object": "Order", "field": "Tracking_Number__c", "message": format!("{CITY} is closed")})).unwrap();
    let mut printed = String::new();
    let mut say = |arguments: &[&str]| {
        let output = world.command(arguments);
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
    };
    let mut serve = world.serve();
    world.listening();
    std::thread::sleep(Duration::from_secs(6));
    world.wms_act("ship_all", "").unwrap();
    std::thread::sleep(Duration::from_secs(4));
    world.terminate(&mut serve);
    say(&["run"]);
    say(&["status"]);
    say(&["queue", "list"]);
    for id in 1..60 {
        say(&["queue", "show", &id.to_string()]);
    }
    say(&["trace", "00000007", "--requests"]);
    say(&["trace", "00000008", "--requests"]);
    say(&["audit", "show"]);
    say(&["doctor"]);
    assert!(world.log().len() > 100, "there is too little to look through");
    nowhere("salesforce-shipstation", &world, &printed, &[PLANTED_SECRET, SECRET, STREET, CITY, NOTE, "Wilhelmina", "PLANTED-ZIP"]);
}

/// Looks through the store's files, the log, what alerts said and what was printed, in every case and without separators.
fn nowhere(of: &str, world: &World, printed: &str, planted: &[&str]) {
    let mut files = vec![("what was printed".to_owned(), printed.as_bytes().to_vec())];
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("live.db") || name.ends_with(".log") {
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
    assert!(files.len() >= 3 && printed.len() > 1_000, "there is too little to look through: {printed}");
    let plain = |bytes: &[u8]| -> Vec<u8> { bytes.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect() };
    for (name, bytes) in &files {
        let looked = plain(bytes);
        for what in planted {
            let sought = plain(what.as_bytes());
            let found = looked.windows(sought.len()).position(|part| part == sought);
            let around = found.map(|at| String::from_utf8_lossy(&looked[at.saturating_sub(100)..(at + 80).min(looked.len())]).into_owned());
            assert!(found.is_none(), "{of}: `{what}` stands in {name}: …{}…", around.unwrap_or_default());
        }
    }
}

const MAIL: &str = "canary.quillfeather@zephyrmail.example";
const PERSON: &str = "Canary Quillfeather";
const PHONE: &str = "+1 512 867 5309";

/// What is planted, whole and in parts that are long enough to tell.
const CANARIES: [&str; 13] =
    [PLANTED_SECRET, SECRET, STREET, CITY, NOTE, MAIL, PERSON, PHONE, "Quillfeather", "zephyrmail", "Zanzibar", "Wilhelmina", "8675309"];

#[test]
fn canaries_are_nowhere_for_every_template() {
    std::thread::scope(|scope| {
        let runs: Vec<_> = TEMPLATES
            .iter()
            .map(|(template, _)| *template)
            // Files on one machine: see below.
            .filter(|template| *template != "files-demo")
            .map(|template| scope.spawn(move || canaries(template)))
            .collect();
        let quoted = runs.into_iter().map(|run| run.join().unwrap()).filter(|quoted| *quoted).count();
        assert!(quoted >= 3, "errors that quote their request were told of in {quoted} templates only");
    });
}

/// Orders of one person, from the CRM to the warehouse and back, on a day when errors quote what they were sent.
/// Whether something was taken out of what was told.
fn canaries(template: &str) -> bool {
    let world = World::of(template, 3, Faults::default(), "1 second");
    let folder = world.folder.path();
    let told = folder.join("alerts.log");
    let config = std::fs::read_to_string(folder.join("crossdock.live.yaml")).unwrap();
    let alerts = format!("alerts: {{ command: [sh, -c, \"cat >> {}\"] }}\n", told.display());
    std::fs::write(folder.join("crossdock.live.yaml"), format!("{config}{alerts}")).unwrap();
    let account = json!({"Name": PERSON, "Email__c": MAIL, "Phone": PHONE});
    let _ = world.crm_act("make", "Account", account);
    let _ = world.crm_act("make", "Contact", json!({"LastName": PERSON, "Email": MAIL, "Phone": PHONE}));
    let mut printed = String::new();
    let mut printed_by_server = String::new();
    let mut say = |arguments: &[&str]| {
        let output = world.command(arguments);
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
    };
    say(&["run", "--dry-run", "--all"]);
    say(&["run"]);
    plant(&world, template);
    world.set_faults(Faults { quoted: 400, lost_reply: 30, truncated: 30, ..Faults::default() });
    let mut serve = world.serve();
    world.listening();
    std::thread::sleep(Duration::from_secs(5));
    let _ = world.wms_act("ship_all", "");
    std::thread::sleep(Duration::from_secs(4));
    for path in ["/metrics", "/ready", "/health"] {
        printed_by_server.push_str(&asked(world.port, path));
    }
    world.set_faults(Faults { quoted: 1_000, ..Faults::default() });
    std::thread::sleep(Duration::from_secs(2));
    say(&["doctor"]);
    world.set_faults(Faults { quoted: 100, ..Faults::default() });
    std::thread::sleep(Duration::from_secs(3));
    world.terminate(&mut serve);
    world.set_faults(Faults::default());
    say(&["run"]);
    for arguments in [
        &["status"][..],
        &["queue", "list"],
        &["queue", "list", "--all", "--format", "json"],
        &["doctor"],
        &["plan"],
        &["audit", "show"],
        &["audit", "show", "--format", "json"],
        &["run", "--dry-run", "--all"],
        &["run", "--dry-run", "--format", "json"],
        &["store", "check"],
        &["erase", MAIL],
        &["erase", PERSON],
        &["erase", PHONE, "--format", "json"],
        &["queue", "show", MAIL],
    ] {
        say(arguments);
    }
    for id in 1..40 {
        say(&["queue", "show", &id.to_string()]);
        say(&["queue", "show", &id.to_string(), "--payload"]);
    }
    for key in [MAIL, "00000001", "W-1", "00000004", "CT-00001"] {
        say(&["trace", key, "--requests"]);
        say(&["trace", key, "--requests", "--format", "json"]);
    }
    printed.push_str(&printed_by_server);
    assert!(printed.contains("crossdock_"), "no metrics were read");
    let calls = world.calls();
    assert!(calls > 5, "{template} has hardly asked anything: {calls}");
    nowhere(template, &world, &printed, &CANARIES);
    world.log().contains("•••") || printed.contains("•••")
}

/// Orders and parcels of one person, made in the systems of a template and changed there. What one of them does not know it refuses.
fn plant(world: &World, template: &str) {
    let place = json!({"ShippingStreet": STREET, "ShippingCity": CITY, "Package_Notes__c": NOTE, "Description": NOTE});
    let buyer = json!({"firstName": "Canary", "lastName": "Quillfeather", "streetName": STREET, "city": CITY, "email": MAIL, "phone": PHONE});
    let mut bought = json!({"customerEmail": MAIL, "shippingAddress": buyer, "billingAddress": buyer});
    bought["shippingAddress"]["country"] = json!("US");
    for number in 1..=3 {
        let parcel = format!("T{number:09}");
        let _ = world.crm_act("change", &format!("{number:08}"), place.clone());
        let _ = world.crm_act("create", "", place.clone());
        let _ = world.crm_act("change", &format!("{number:08}"), json!({"Tracking_Number__c": parcel}));
        // Orders of a shop: one that is refused for its address, and one that is sent.
        let _ = world.crm_act("create", &format!("CT-9000{number}"), bought.clone());
        let _ = world.crm_act("address", &format!("CT-0000{number}"), buyer.clone());
        let _ = world.crm_act("change", &format!("CT-0000{number}"), json!({"customerEmail": MAIL, "custom.fields.deliveryInstructions": NOTE}));
        let to = json!({"name": PERSON, "street1": STREET, "city": CITY, "state": "TX", "postalCode": "78701", "country": "US", "phone": PHONE});
        let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 60});
        let to_hero = json!({"first_name": "Canary", "last_name": "Quillfeather", "address1": STREET, "city": CITY, "state": "TX", "zip": "78701",
            "country": "US", "phone": PHONE, "email": MAIL});
        let order = json!({"customerEmail": MAIL, "customerUsername": PERSON, "shipTo": to, "billTo": to, "customerNotes": NOTE, "items": [item]});
        let order_of_hero = json!({"email": MAIL, "shipping_address": to_hero, "packing_note": NOTE});
        let of_wms = if template == "salesforce-shiphero" { order_of_hero } else { order };
        let _ = world.wms_act_with("create", &format!("W-{number}"), of_wms);
        let _ = world.wms_act_with("ship", &format!("W-{number}"), json!({"trackingNumber": parcel}));
        let _ = world.wms_act("scan", &format!("W-{number}"));
    }
    // It is where it was planted: on both sides, or the test looks for what is nowhere.
    for effects in [world.crm_effects(), world.wms_effects()] {
        let held = serde_json::to_string(&effects).unwrap();
        assert!(held.contains(STREET), "{template}: nothing is planted in a system: {held}");
    }
}

/// A client's own mapping whose keys are made of telephone numbers, against a target that quotes them in its refusals.
#[test]
fn canaries_are_nowhere_where_keys_are_telephone_numbers() {
    let world = World::of("crm-customers", 1, Faults::default(), "1 second");
    let mapping = world.folder.path().join("customers.dock");
    let text = std::fs::read_to_string(&mapping).unwrap();
    let keyed = text
        .replace("\"ss-{email}\"", "\"tel/{order.shipTo.phone}\"")
        .replace("    require name ", "    require order.shipTo.phone \"order {order.orderNumber} has no telephone number\"\n    require name ");
    assert_eq!(keyed.matches("tel/").count(), 2, "the template has other keys");
    std::fs::write(&mapping, keyed).unwrap();
    let order = |number: &str| {
        let to = json!({"name": PERSON, "street1": STREET, "city": CITY, "state": "TX", "postalCode": "78701", "country": "US", "phone": PHONE});
        let item = json!({"lineItemKey": "1", "sku": "TEA-1", "name": "Green tea", "quantity": 2, "unitPrice": 60});
        let order = json!({"customerEmail": MAIL, "customerUsername": PERSON, "shipTo": to, "customerNotes": NOTE, "items": [item]});
        world.wms_act_with("create", number, order).unwrap();
    };
    order("W-1");
    let mut printed = String::new();
    let mut say = |arguments: &[&str]| {
        let output = world.command(arguments);
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
        output.status.code()
    };
    say(&["run", "--dry-run", "--all"]);
    assert_eq!(say(&["run"]), Some(0));
    assert!(world.crm_effects().iter().filter(|effect| effect.by_api).count() >= 2, "nothing was made");
    // Refused in words that quote the key.
    world
        .crm_act("rule", "", json!({"object": "Contact", "field": "MailingCity", "message": format!("tel/{PHONE} is a duplicate of {PERSON}")}))
        .unwrap();
    order("W-2");
    say(&["run"]);
    for arguments in [
        &["trace", PHONE, "--requests"][..],
        &["trace", &format!("tel/{PHONE}"), "--requests", "--format", "json"],
        &["trace", "W-1", "--requests"],
        &["trace", "W-2", "--requests"],
        &["queue", "list"],
        &["queue", "list", "--all", "--format", "json"],
        &["queue", "show", "W-2"],
        &["queue", "show", "W-2", "--format", "json"],
        &["audit", "show", "--format", "json"],
        &["status"],
        &["doctor"],
        &["erase", PHONE],
    ] {
        say(arguments);
    }
    assert_eq!(say(&["trace", PHONE]), Some(0), "it is found by the number");
    nowhere("crm-customers by telephone", &world, &printed, &CANARIES);
}

/// What the server answers to a GET.
fn asked(port: u16, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}

/// Flows between files: what they write are the files themselves. What is said of them names nobody.
#[test]
fn canaries_are_nowhere_but_in_the_files_of_a_flow_between_files() {
    let folder = crate::common::copied("files-demo");
    let orders = folder.path().join("data/orders.csv");
    let text = std::fs::read_to_string(&orders).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let row = |street: &str| {
        let cell = |name: &&str| match *name {
            "buyer" => PERSON,
            "email" => MAIL,
            "street" => street,
            "city" => CITY,
            "country" => "US",
            "postcode" => "78701",
            "qty" | "weight_kg" => "1",
            "speed" => "standard",
            _ => "1",
        };
        header.iter().map(cell).collect::<Vec<_>>().join(",")
    };
    std::fs::write(&orders, format!("{}\n{}\n{}\n", text.trim_end(), row(STREET), row(""))).unwrap();
    let mut printed = String::new();
    for arguments in
        [&["check"][..], &["plan"], &["run"], &["run", "--out", "made", "--records", "data/orders.csv"], &["status"], &["queue", "list"], &["doctor"]]
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_crossdock"))
            .current_dir(folder.path())
            .args(arguments)
            .envs([crate::common::WIDE])
            .output()
            .unwrap();
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    assert!(printed.contains("the street is missing"), "{printed}");
    for what in CANARIES {
        assert!(!printed.to_lowercase().contains(&what.to_lowercase()), "`{what}` is printed: {printed}");
    }
    let made = std::fs::read_to_string(folder.path().join("out/parcels.jsonl")).unwrap_or_default();
    assert!(made.contains(PERSON), "the files themselves have it: {made}");
}
