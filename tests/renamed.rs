//! A template in an org that calls its fields otherwise: what `check` says is enough to mend it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use crossdock::project::templates::project;
use crossdock::project::{Compiled, Options, Texts, compile};

/// The template's files, with the names of the org's fields replaced in its snapshots.
fn org(template: &str, renamed: &[(&str, &str, &str)]) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let (_, all) = crossdock::project::templates::TEMPLATES.iter().find(|(name, _)| *name == template).unwrap();
    for (path, bytes) in *all {
        files.insert((*path).to_owned(), std::str::from_utf8(bytes).unwrap().to_owned());
    }
    assert!(project(template).is_some());
    for (object, old, new) in renamed {
        let path = format!("schemas/crm/{object}.json");
        let text = files.get_mut(&path).unwrap_or_else(|| panic!("{template} has no {path}"));
        assert!(text.contains(&format!("\"{old}\"")), "{object} has no {old}");
        *text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
    }
    files
}

fn check(files: &BTreeMap<String, String>) -> Compiled {
    compile(&Texts::new(files.iter().map(|(name, text)| (name.clone(), text.clone()))), &Options::default())
}

/// Does what the messages say, edit by edit, until there is no error; gives how many edits it took.
fn follow(files: &mut BTreeMap<String, String>) -> usize {
    for edits in 0..60 {
        let compiled = check(files);
        let Some(error) = compiled.diagnostics.iter().find(|found| found.is_error()) else { return edits };
        let edit = error.help.iter().find_map(|help| help.edit.as_ref());
        let edit = edit.unwrap_or_else(|| panic!("`{}` names no edit: {:#?}", error.message, error.help));
        let name = compiled.sources.get(edit.span.file).unwrap().name.clone();
        let text = files.get_mut(&name).unwrap();
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.replacement);
    }
    panic!("60 edits did not mend it");
}

#[test]
fn what_check_says_mends_a_template_for_an_org_that_calls_its_fields_otherwise() {
    let mut files = org(
        "crm-exceptions",
        &[
            ("Case", "Incident__c", "Parcel_Incident__c"),
            ("Case", "Order_Value__c", "Value_Of_Order__c"),
            ("Case", "Last_Event__c", "Last_Carrier_Event__c"),
            ("Case", "Order_Number__c", "OrderNumber__c"),
            ("Order", "Tracking_Number__c", "Parcel_Tracking__c"),
        ],
    );
    let edits = follow(&mut files);
    // One for each place that names a field: both flows of cases do.
    assert!((5..=20).contains(&edits), "{edits} edits");
    for (old, new) in [("Incident__c", "Parcel_Incident__c"), ("Order_Value__c", "Value_Of_Order__c"), ("Last_Event__c", "Last_Carrier_Event__c")] {
        let text = files["exceptions.dock"].replace(new, "");
        assert!(text.len() < files["exceptions.dock"].len() && !text.contains(old), "{old} was to become {new}");
    }
    let mut files = org(
        "crm-shipped-opportunity",
        &[
            ("Opportunity", "Order_Number__c", "Commerce_Order_Number__c"),
            ("Opportunity", "Shipped_At__c", "Shipped_On__c"),
            ("Opportunity", "Carrier__c", "Shipping_Carrier__c"),
        ],
    );
    follow(&mut files);
}

#[test]
fn a_name_that_is_like_no_other_is_answered_with_the_fields_of_the_org() {
    let files = org("crm-exceptions", &[("Case", "Last_Event__c", "Zuletzt__c")]);
    let compiled = check(&files);
    let said: Vec<&str> =
        compiled.diagnostics.iter().filter(|found| found.is_error()).flat_map(|found| found.help.iter().map(|help| help.text.as_str())).collect();
    assert!(said.iter().any(|text| text.contains("`crm.Case` has of its own") && text.contains("Zuletzt__c")), "{said:#?}");
}
