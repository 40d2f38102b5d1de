//! What people and carriers can do in the sandboxes: one table, for the systems, the command's help and the book.

use std::fmt::Write as _;

/// One thing that can be done.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub verb: &'static str,
    /// What it is done to; empty if to nothing in particular.
    pub to: &'static str,
    /// The settings that it takes (`--set NAME=VALUE`); empty if none.
    pub set: &'static str,
    pub does: &'static str,
}

const fn known(verb: &'static str, to: &'static str, set: &'static str, does: &'static str) -> Known {
    Known { verb, to, set, does }
}

const ORDER: &str = "an order";
const PARCEL: &str = "a shipped order";
const SCAN: &str = "`detail`, `at`, `city`";

/// What people do in Salesforce.
pub const SALESFORCE: [Known; 14] = [
    known("create", "", "fields of the order", "creates an order with two lines"),
    known("change", "an order, a record's id, or `ORDER/2` for an order's second line", "fields and their new values", "edits a record"),
    known("activate", ORDER, "", "sets its status to Activated"),
    known("cancel", ORDER, "", "sets its status to Cancelled"),
    known("delete", ORDER, "", "deletes it"),
    known("fix", ORDER, "", "corrects its address and its e-mail address"),
    known("make", "an object, such as `Account`", "fields of the record", "creates a record of any object"),
    known("show", "any record", "", "prints the fields that have a value"),
    known("win", "an account's id or e-mail address", "fields of the opportunity", "creates a won opportunity with two products"),
    known("lose", "an account's id or e-mail address", "", "its newest won opportunity is lost after all"),
    known("expire", "", "", "ends all access tokens"),
    known("rotate", "", "`client_secret`", "replaces the client secret, and ends all access tokens"),
    known("rule", "", "`object`, `field`, `message`", "adds a validation rule; without a message it removes the rule"),
    known(
        "schema",
        "a field, such as `Order.Notes__c`",
        "`value`, `without`, `length`, `required`, `rename`, `gone`",
        "an administrator adds or removes a picklist value, or changes, renames or removes a field; a custom field that is not there is created",
    ),
];

/// What people do in ShipStation, and what carriers report to it.
pub const SHIPSTATION: [Known; 23] = [
    known("create", "the number of the new order", "fields of the order", "imports an order from a shop of its own"),
    known("ship", ORDER, "`trackingNumber`, `shipDate`, `carrierCode`, `serviceCode`", "makes a label"),
    known("mark", ORDER, "`trackingNumber`, `shipDate`, `carrierCode`", "marks it as shipped elsewhere, without a label"),
    known("ship_all", "", "", "makes a label for each order that awaits shipment"),
    known("parcel", PARCEL, "as `ship`", "makes another label for the rest of the order"),
    known("combine", ORDER, "`with`: the other order", "puts the lines of both into one parcel"),
    known("split", ORDER, "", "moves its last line into a new order"),
    known("cancel", ORDER, "", "cancels it"),
    known("reopen", "a cancelled order", "", "sets it back to awaiting shipment"),
    known("delete", ORDER, "", "deletes it"),
    known("hold", ORDER, "`until`: a date", "puts it on hold, for a week unless it says until when"),
    known("release", ORDER, "", "ends the hold"),
    known("change", ORDER, "fields and their new values, also `orderStatus` and `shipTo.city`", "edits it"),
    known("void", PARCEL, "", "voids its newest label"),
    known("backup", "", "", "keeps a copy of the account"),
    known("restore", "", "", "restores the account from that copy; ids are given again"),
    known("scan", PARCEL, SCAN, "the carrier reports that the parcel is in transit"),
    known("deliver", PARCEL, SCAN, "the carrier reports that it is delivered"),
    known("deliver_all", "", "", "delivers all parcels in transit"),
    known("delay", PARCEL, SCAN, "the carrier reports a delay"),
    known("fail", PARCEL, SCAN, "the carrier reports a failed delivery attempt"),
    known("lose", PARCEL, SCAN, "the carrier reports that the parcel is lost"),
    known("return", PARCEL, SCAN, "the carrier reports that the parcel goes back to its sender"),
];

/// What people do in ShipHero's warehouse.
pub const SHIPHERO: [Known; 21] = [
    known("create", "the number of the new order", "fields of `order_create`", "imports an order from a shop of its own"),
    known("show", ORDER, "", "prints the order"),
    known("change", ORDER, "fields and their new values, also `shipping_address.city`", "edits it"),
    known("pick", ORDER, "", "picks what is set aside for it"),
    known("pack", ORDER, "", "packs it"),
    known("ship", ORDER, "`tracking_number`, `carrier`, `method`", "makes a label for everything that is set aside for it"),
    known("parcel", ORDER, "`sku`, `quantity`, and as `ship`", "ships a part of it: one line"),
    known("ship_all", "", "", "ships each order that is ready"),
    known("void", PARCEL, "", "voids its newest label; its goods are back"),
    known("hold", ORDER, "`hold`: `operator_hold`, `fraud_hold`, …", "puts it on hold"),
    known("release", ORDER, "`hold`", "ends the hold, or all of them"),
    known("cancel", ORDER, "`reason`", "cancels it"),
    known("delete", ORDER, "", "deletes it"),
    known("tag", ORDER, "`tag`", "adds a tag"),
    known("status", ORDER, "`status`", "sets a status of the account's own, such as `Tomorrow`"),
    known("backorder", ORDER, "", "finds that its goods are gone: it is on backorder"),
    known("restock", "a SKU", "`quantity`, `warehouse`, `account`", "goods arrive; orders that wait for them are served"),
    known("product", "a new SKU", "`name`, `grams`, `on_hand`, `parts`, `lots`, `serials`, `account`", "adds a product"),
    known("expire", "", "", "ends all access tokens"),
    known("rotate", "", "`password`, `refresh_token`", "replaces the password, and ends all access tokens"),
    known("drain", "", "", "uses all credits up: somebody else works with the account"),
];

/// What customers of a commercetools project do, and people in its Merchant Center.
pub const COMMERCETOOLS: [Known; 13] = [
    known("create", "the number of the new order", "fields of the order", "a customer orders"),
    known("show", ORDER, "", "prints the order"),
    known("change", ORDER, "fields and their new values, also `custom.fields.giftMessage`", "edits it"),
    known("confirm", ORDER, "", "sets its order state to Confirmed"),
    known("pay", ORDER, "", "it is paid, and ready to ship"),
    known("cancel", ORDER, "", "cancels it"),
    known("state", ORDER, "`to`: the key of a state", "moves it to a state of the project's own"),
    known("address", ORDER, "fields of the address", "changes its shipping address"),
    known("fix", ORDER, "", "corrects its shipping address"),
    known("delete", ORDER, "", "deletes it"),
    known("stock", "a SKU", "`quantity`, `channel`: the key of a supply channel", "stock is counted"),
    known("expire", "", "", "ends all access tokens"),
    known("rotate", "", "`client_secret`", "replaces the client secret, and ends all access tokens"),
];

/// The verbs of a table, for messages.
pub fn verbs(of: &[Known]) -> String {
    of.iter().map(|known| known.verb).collect::<Vec<_>>().join(", ")
}

/// The system that is meant by a verb alone.
pub fn system(verb: &str) -> &'static str {
    let has = |of: &[Known]| of.iter().any(|known| known.verb == verb);
    match verb {
        // Parcels are lost more often than opportunities.
        "lose" => "shipstation",
        _ if has(&SALESFORCE) => "salesforce",
        _ if has(&SHIPSTATION) => "shipstation",
        _ if has(&SHIPHERO) => "shiphero",
        _ if has(&COMMERCETOOLS) => "commercetools",
        _ => "salesforce",
    }
}

/// `docs/reference/sandbox-acts.md`, as the tables have it.
pub fn reference() -> String {
    let mut out = String::from(
        "# Acts of the sandbox\n\n\
         What people and carriers can do in a running sandbox: `crossdock sandbox act VERB [RECORD] [--set NAME=VALUE]`. An order is named by\n\
         its number, key or id. Some verbs exist at several systems; without `--system` they mean Salesforce, where it has them, and else\n\
         ShipStation; `lose` means ShipStation. A verb that only ShipHero or commercetools has means that one.\n\n\
         <!-- Written by the program from `src/sandbox/user_actions.rs`: `CROSSDOCK_ACCEPT=1 cargo nextest run --test all reference::` -->\n",
    );
    let tables = [
        ("Salesforce", &SALESFORCE[..]),
        ("ShipStation and its carriers", &SHIPSTATION[..]),
        ("ShipHero", &SHIPHERO[..]),
        ("commercetools", &COMMERCETOOLS[..]),
    ];
    for (title, of) in tables {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "\n## {title}\n\n| verb | record | settings | what it does |\n| --- | --- | --- | --- |");
        for known in of {
            let _ = writeln!(out, "| `{}` | {} | {} | {} |", known.verb, known.to, known.set, known.does);
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
    fn a_verb_alone_means_one_system() {
        for (verb, is) in [
            ("cancel", "salesforce"),
            ("create", "salesforce"),
            ("lose", "shipstation"),
            ("ship", "shipstation"),
            ("win", "salesforce"),
            ("restock", "shiphero"),
            ("stock", "commercetools"),
        ] {
            assert_eq!(system(verb), is, "{verb}");
        }
    }
}
