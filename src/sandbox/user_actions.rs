//! What people and carriers can do in the sandboxes: one table, for the systems, the command's help and the book.

mod settings;

use std::fmt::Write as _;

pub use settings::{Holds, Setting, Takes, given, no_act};

/// One thing that can be done.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub verb: &'static str,
    /// What it is done to; empty if to nothing in particular.
    pub to: &'static str,
    /// The settings that it takes (`--set NAME=VALUE`).
    pub takes: Takes,
    pub does: &'static str,
}

const fn known(verb: &'static str, to: &'static str, takes: Takes, does: &'static str) -> Known {
    Known { verb, to, takes, does }
}

const fn set(name: &'static str, holds: Holds) -> Setting {
    Setting { name, holds, note: "" }
}

const fn noted(name: &'static str, holds: Holds, note: &'static str) -> Setting {
    Setting { name, holds, note }
}

const NOTHING: Takes = Takes::Settings(&[]);
const ORDER: &str = "an order";
/// What nothing needs to be named for: a number is given to what is made.
const NEW_ORDER: &str = "the number of the new order";
const PARCEL: &str = "a shipped order";
const SECRET: Takes = Takes::Settings(&[set("client_secret", Holds::Text)]);
const SCAN: Takes = Takes::Settings(&[set("detail", Holds::Text), set("at", Holds::Instant), set("city", Holds::Text)]);
const LABEL: Takes = Takes::Settings(&[
    set("trackingNumber", Holds::Text),
    set("shipDate", Holds::Day),
    set("carrierCode", Holds::Text),
    set("serviceCode", Holds::Text),
]);

/// What people do in Salesforce.
pub const SALESFORCE: [Known; 14] = [
    known("create", "", Takes::Fields("fields of the order"), "creates an order with two lines"),
    known(
        "change",
        "an order, a record's id, or `ORDER/2` for an order's second line",
        Takes::Fields("fields and their new values"),
        "edits a record",
    ),
    known("activate", ORDER, NOTHING, "sets its status to Activated"),
    known("cancel", ORDER, NOTHING, "sets its status to Cancelled"),
    known("delete", ORDER, NOTHING, "deletes it"),
    known("fix", ORDER, NOTHING, "corrects its address and its e-mail address"),
    known("make", "an object, such as `Account`", Takes::Fields("fields of the record"), "creates a record of any object"),
    known("show", "any record", NOTHING, "prints the fields that have a value"),
    known("win", "an account's id or e-mail address", Takes::Fields("fields of the opportunity"), "creates a won opportunity with two products"),
    known("lose", "an account's id or e-mail address", NOTHING, "its newest won opportunity is lost after all"),
    known("expire", "", NOTHING, "ends all access tokens"),
    known("rotate", "", SECRET, "replaces the client secret, and ends all access tokens"),
    known(
        "rule",
        "",
        Takes::Settings(&[set("object", Holds::Text), set("field", Holds::Text), set("message", Holds::Text)]),
        "adds a validation rule; without a message it removes the rule",
    ),
    known(
        "schema",
        "a field, such as `Order.Notes__c`",
        Takes::Settings(&[
            set("value", Holds::Text),
            set("without", Holds::Text),
            set("length", Holds::Number(1)),
            set("required", Holds::Truth),
            set("rename", Holds::Text),
            set("gone", Holds::Truth),
        ]),
        "an administrator adds or removes a picklist value, or changes, renames or removes a field; a custom field that is not there is created",
    ),
];

/// What people do in ShipStation, and what carriers report to it.
pub const SHIPSTATION: [Known; 23] = [
    known("create", NEW_ORDER, Takes::Fields("fields of the order"), "imports an order from a shop of its own"),
    known("ship", ORDER, LABEL, "makes a label"),
    known(
        "mark",
        ORDER,
        Takes::Settings(&[set("trackingNumber", Holds::Text), set("shipDate", Holds::Day), set("carrierCode", Holds::Text)]),
        "marks it as shipped elsewhere, without a label",
    ),
    known("ship_all", "", NOTHING, "makes a label for each order that awaits shipment"),
    known("parcel", PARCEL, LABEL, "makes another label for the rest of the order"),
    known("combine", ORDER, Takes::Settings(&[noted("with", Holds::Text, "the other order")]), "puts the lines of both into one parcel"),
    known("split", ORDER, NOTHING, "moves its last line into a new order"),
    known("cancel", ORDER, NOTHING, "cancels it"),
    known("reopen", "a cancelled order", NOTHING, "sets it back to awaiting shipment"),
    known("delete", ORDER, NOTHING, "deletes it"),
    known("hold", ORDER, Takes::Settings(&[noted("until", Holds::Day, "a date")]), "puts it on hold, for a week unless it says until when"),
    known("release", ORDER, NOTHING, "ends the hold"),
    known("change", ORDER, Takes::Fields("fields and their new values, also `orderStatus` and `shipTo.city`"), "edits it"),
    known("void", PARCEL, NOTHING, "voids its newest label"),
    known("backup", "", NOTHING, "keeps a copy of the account"),
    known("restore", "", NOTHING, "restores the account from that copy; ids are given again"),
    known("scan", PARCEL, SCAN, "the carrier reports that the parcel is in transit"),
    known("deliver", PARCEL, SCAN, "the carrier reports that it is delivered"),
    known("deliver_all", "", NOTHING, "delivers all parcels in transit"),
    known("delay", PARCEL, SCAN, "the carrier reports a delay"),
    known("fail", PARCEL, SCAN, "the carrier reports a failed delivery attempt"),
    known("lose", PARCEL, SCAN, "the carrier reports that the parcel is lost"),
    known("return", PARCEL, SCAN, "the carrier reports that the parcel goes back to its sender"),
];

/// What people do in ShipHero's warehouse.
pub const SHIPHERO: [Known; 21] = [
    known("create", NEW_ORDER, Takes::Fields("fields of `order_create`"), "imports an order from a shop of its own"),
    known("show", ORDER, NOTHING, "prints the order"),
    known("change", ORDER, Takes::Fields("fields and their new values, also `shipping_address.city`"), "edits it"),
    known("pick", ORDER, NOTHING, "picks what is set aside for it"),
    known("pack", ORDER, NOTHING, "packs it"),
    known(
        "ship",
        ORDER,
        Takes::Settings(&[set("tracking_number", Holds::Text), set("carrier", Holds::Text), set("method", Holds::Text)]),
        "makes a label for everything that is set aside for it",
    ),
    known(
        "parcel",
        ORDER,
        Takes::Settings(&[
            set("sku", Holds::Text),
            set("quantity", Holds::Number(1)),
            set("tracking_number", Holds::Text),
            set("carrier", Holds::Text),
            set("method", Holds::Text),
        ]),
        "ships a part of it: one line",
    ),
    known("ship_all", "", NOTHING, "ships each order that is ready"),
    known("void", PARCEL, NOTHING, "voids its newest label; its goods are back"),
    known("hold", ORDER, Takes::Settings(&[noted("hold", Holds::Text, "`operator_hold`, `fraud_hold`, …")]), "puts it on hold"),
    known("release", ORDER, Takes::Settings(&[set("hold", Holds::Text)]), "ends the hold, or all of them"),
    known("cancel", ORDER, Takes::Settings(&[set("reason", Holds::Text)]), "cancels it"),
    known("delete", ORDER, NOTHING, "deletes it"),
    known("tag", ORDER, Takes::Settings(&[set("tag", Holds::Text)]), "adds a tag"),
    known("status", ORDER, Takes::Settings(&[set("status", Holds::Text)]), "sets a status of the account's own, such as `Tomorrow`"),
    known("backorder", ORDER, NOTHING, "finds that its goods are gone: it is on backorder"),
    known(
        "restock",
        "a SKU",
        Takes::Settings(&[set("quantity", Holds::Number(1)), set("warehouse", Holds::Text), set("account", Holds::Number(1))]),
        "goods arrive; orders that wait for them are served",
    ),
    known(
        "product",
        "a new SKU",
        Takes::Settings(&[
            set("name", Holds::Text),
            set("grams", Holds::Number(0)),
            set("on_hand", Holds::Number(0)),
            noted("parts", Holds::Counts, "such as `{\"CUP-01\": 2}`"),
            set("lots", Holds::Truth),
            set("serials", Holds::Truth),
            set("account", Holds::Number(1)),
        ]),
        "adds a product",
    ),
    known("expire", "", NOTHING, "ends all access tokens"),
    known(
        "rotate",
        "",
        Takes::Settings(&[set("password", Holds::Text), set("refresh_token", Holds::Text)]),
        "replaces the password, and ends all access tokens",
    ),
    known("drain", "", NOTHING, "uses all credits up: somebody else works with the account"),
];

/// What customers of a commercetools project do, and people in its Merchant Center.
pub const COMMERCETOOLS: [Known; 13] = [
    known("create", NEW_ORDER, Takes::Fields("fields of the order"), "a customer orders"),
    known("show", ORDER, NOTHING, "prints the order"),
    known("change", ORDER, Takes::Fields("fields and their new values, also `custom.fields.giftMessage`"), "edits it"),
    known("confirm", ORDER, NOTHING, "sets its order state to Confirmed"),
    known("pay", ORDER, NOTHING, "it is paid, and ready to ship"),
    known("cancel", ORDER, NOTHING, "cancels it"),
    known("state", ORDER, Takes::Settings(&[noted("to", Holds::Text, "the key of a state")]), "moves it to a state of the project's own"),
    known("address", ORDER, Takes::Fields("fields of the address"), "changes its shipping address"),
    known("fix", ORDER, NOTHING, "corrects its shipping address"),
    known("delete", ORDER, NOTHING, "deletes it"),
    known(
        "stock",
        "a SKU",
        Takes::Settings(&[set("quantity", Holds::Number(0)), noted("channel", Holds::Text, "the key of a supply channel")]),
        "stock is counted",
    ),
    known("expire", "", NOTHING, "ends all access tokens"),
    known("rotate", "", SECRET, "replaces the client secret, and ends all access tokens"),
];

/// The verbs of a table, for messages.
pub fn verbs(of: &[Known]) -> String {
    of.iter().map(|known| known.verb).collect::<Vec<_>>().join(", ")
}

/// Each system with its title and what is done in it, the one first that a verb alone means.
pub const SYSTEMS: [(&str, &str, &[Known]); 4] = [
    ("salesforce", "Salesforce", &SALESFORCE),
    ("shipstation", "ShipStation", &SHIPSTATION),
    ("shiphero", "ShipHero", &SHIPHERO),
    ("commercetools", "commercetools", &COMMERCETOOLS),
];

/// The systems that have a verb; the first one is meant where several are there.
pub fn systems(verb: &str) -> Vec<&'static str> {
    let has = |of: &[Known]| of.iter().any(|known| known.verb == verb);
    let mut all: Vec<_> = SYSTEMS.iter().filter(|(.., of)| has(of)).map(|(system, ..)| *system).collect();
    // Parcels are lost more often than opportunities.
    if verb == "lose" {
        all.sort_by_key(|system| *system != "shipstation");
    }
    all
}

/// What a verb is at a system.
pub fn find(system: &str, verb: &str) -> Option<&'static Known> {
    let (.., of) = SYSTEMS.iter().find(|(name, ..)| *name == system)?;
    of.iter().find(|known| known.verb == verb)
}

/// `docs/reference/sandbox-acts.md`, as the tables have it.
pub fn reference() -> String {
    let mut out = String::from(
        "# Acts of the sandbox\n\n\
         What people and carriers can do in a running sandbox: `crossdock sandbox act VERB [RECORD] [--set NAME=VALUE]`. An order is named by\n\
         its number, key or id. Some verbs exist at several systems: without `--system` they mean the first of Salesforce, ShipStation, ShipHero\n\
         and commercetools that has the verb and runs on its usual port; `lose` means ShipStation before Salesforce. A setting that a verb does\n\
         not take is refused.\n\n\
         <!-- Written by the program from `src/sandbox/user_actions.rs`: `CROSSDOCK_ACCEPT=1 cargo nextest run --test all reference::` -->\n",
    );
    for (system, title, of) in SYSTEMS {
        let title = if system == "shipstation" { "ShipStation and its carriers" } else { title };
        // Writing to a text cannot fail.
        let _ = writeln!(out, "\n## {title}\n\n| verb | record | settings | what it does |\n| --- | --- | --- | --- |");
        for known in of {
            let _ = writeln!(out, "| `{}` | {} | {} | {} |", known.verb, known.to, known.takes, known.does);
        }
    }
    out.push_str(
        "\n`detail` is any `status_detail_code` of ShipStation's V2 description, `at` the time of the event, `city` its place.\n\
         A `change` at Salesforce to a record's id works for every object.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Act, System, commercetools, salesforce, shiphero, shipstation};
    use super::*;

    /// What a system says to an act without a record and settings. It is carried out, or refused for what it lacks.
    fn said(system: &mut dyn System, verb: &str) -> String {
        let act = Act { verb: verb.to_owned(), subject: String::new(), settings: crate::value::Json::Null };
        system.act(&act, jiff::Timestamp::UNIX_EPOCH).err().unwrap_or_default()
    }

    #[test]
    fn each_act_of_the_tables_is_known_and_no_other() {
        let mut crm = salesforce::Salesforce::new(salesforce::Options::default());
        let mut wms = shipstation::ShipStation::new(shipstation::Options::default());
        let mut hero = shiphero::ShipHero::new(shiphero::Options::default());
        let mut shop = commercetools::Commercetools::new(commercetools::Options::default());
        let systems: [(&mut dyn System, &[Known]); 4] =
            [(&mut crm, &SALESFORCE), (&mut wms, &SHIPSTATION), (&mut hero, &SHIPHERO), (&mut shop, &COMMERCETOOLS)];
        for (system, of) in systems {
            for known in of {
                let said = said(system, known.verb);
                assert!(!said.contains("has no act"), "{}: {said}", known.verb);
            }
            let said = said(system, "juggle");
            assert!(said.contains("has no act `juggle`") && said.contains(&verbs(of)), "{said}");
        }
    }

    #[test]
    fn a_verb_alone_means_the_systems_that_have_it() {
        for (verb, are) in [
            ("cancel", &["salesforce", "shipstation", "shiphero", "commercetools"][..]),
            ("fix", &["salesforce", "commercetools"]),
            ("lose", &["shipstation", "salesforce"]),
            ("ship", &["shipstation", "shiphero"]),
            ("win", &["salesforce"]),
            ("stock", &["commercetools"]),
            ("juggle", &[]),
        ] {
            assert_eq!(systems(verb), are, "{verb}");
        }
    }
}
