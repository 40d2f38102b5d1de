//! Each query of `queries.txt` is answered or refused as the file says.

use crate::sandbox::salesforce::Options;
use crate::sandbox::salesforce::tests::Org;
use crate::value::Json;

const QUERIES: &str = include_str!("queries.txt");

fn outcome(org: &mut Org, query: &str) -> String {
    let (status, told) = org.query(query);
    match status {
        200 => told["totalSize"].to_string(),
        _ => {
            let message = told[0]["message"].as_str().unwrap_or_default();
            format!("{}: {}", told[0]["errorCode"].as_str().unwrap_or_default(), message.rsplit('\n').next().unwrap_or_default())
        }
    }
}

#[test]
fn queries_are_answered_or_refused_as_the_file_says() {
    let mut org = Org::new(Options::default());
    let mut checked = 0;
    let mut wrong = Vec::new();
    for line in QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expected, query) = line.split_once(" | ").unwrap();
        let found = outcome(&mut org, query);
        // Messages may be cut off in the file.
        if found != expected && expected.strip_suffix('…').is_none_or(|begin| !found.starts_with(begin)) {
            wrong.push(format!("{found} | {query}"));
        }
        checked += 1;
    }
    assert!(checked >= 150, "{checked}");
    assert!(wrong.is_empty(), "{} queries have another outcome:\n{}", wrong.len(), wrong.join("\n"));
}

fn groups(org: &mut Org, query: &str) -> Vec<Json> {
    let (status, mut told) = org.query(query);
    assert_eq!(status, 200, "{told}");
    let groups = told["records"].as_array_mut().unwrap();
    for group in groups.iter_mut() {
        let attributes = group.as_object_mut().unwrap().remove("attributes").unwrap();
        assert_eq!(attributes["type"], "AggregateResult");
    }
    std::mem::take(groups)
}

/// Groups and their totals add up to what the records say themselves.
#[test]
fn groups_are_what_their_records_are() {
    let mut org = Org::new(Options::default());
    let (_, all) = org.query("SELECT Status, Channel__c, TotalAmount, EffectiveDate FROM Order");
    let records = all["records"].as_array().unwrap().clone();
    let amount = |record: &Json| record["TotalAmount"].as_f64().unwrap();
    for group in
        groups(&mut org, "SELECT Status, COUNT(Id) n, SUM(TotalAmount) s, AVG(TotalAmount) a, MIN(EffectiveDate) d FROM Order GROUP BY Status")
    {
        let own: Vec<&Json> = records.iter().filter(|record| record["Status"] == group["Status"]).collect();
        let sum: f64 = own.iter().map(|record| amount(record)).sum();
        assert_eq!(group["n"].as_u64(), Some(own.len() as u64));
        assert!((group["s"].as_f64().unwrap() - sum).abs() < 1e-6 && (group["a"].as_f64().unwrap() - sum / own.len() as f64).abs() < 1e-6, "{group}");
        assert_eq!(group["d"].as_str(), own.iter().filter_map(|record| record["EffectiveDate"].as_str()).min());
    }
    let rolled = groups(
        &mut org,
        "SELECT Status, Channel__c, GROUPING(Status) g, GROUPING(Channel__c) h, COUNT(Id) n FROM Order GROUP BY ROLLUP(Status, Channel__c)",
    );
    let total = |of: &dyn Fn(&&Json) -> bool| rolled.iter().filter(of).map(|group| group["n"].as_u64().unwrap()).sum::<u64>();
    let level = |g: u64, h: u64| total(&move |group: &&Json| (group["g"].as_u64(), group["h"].as_u64()) == (Some(g), Some(h)));
    assert_eq!((level(0, 0), level(0, 1), level(1, 1), level(1, 0)), (30, 30, 30, 0));
    assert_eq!(rolled.last().unwrap()["n"], 30, "the total of all stands at the end");
    let cubed = groups(&mut org, "SELECT Status, Channel__c, GROUPING(Status) g, COUNT(Id) n FROM Order GROUP BY CUBE(Status, Channel__c)");
    assert!(cubed.iter().any(|group| group["g"] == 1 && !group["Channel__c"].is_null()), "a cube has totals over the first key, too");
}

/// A date literal and its days in figures find the same.
#[test]
fn a_date_literal_is_its_days() {
    let mut org = Org::new(Options::default());
    for (literal, figures) in [
        ("CreatedDate = TODAY", "CreatedDate >= 2026-03-02T00:00:00Z AND CreatedDate < 2026-03-03T00:00:00Z"),
        ("CreatedDate != TODAY", "NOT (CreatedDate >= 2026-03-02T00:00:00Z AND CreatedDate < 2026-03-03T00:00:00Z)"),
        ("EffectiveDate < TODAY", "EffectiveDate < 2026-03-02"),
        ("EffectiveDate <= YESTERDAY", "EffectiveDate < 2026-03-02"),
        ("EffectiveDate > N_DAYS_AGO:2", "EffectiveDate >= 2026-03-01"),
        ("EffectiveDate = LAST_N_DAYS:2", "EffectiveDate >= 2026-02-28 AND EffectiveDate <= 2026-03-02"),
        ("EffectiveDate = LAST_MONTH", "EffectiveDate >= 2026-02-01 AND EffectiveDate <= 2026-02-28"),
        ("EffectiveDate IN (TODAY, N_DAYS_AGO:3)", "EffectiveDate IN (2026-03-02, 2026-02-27)"),
    ] {
        let ids = |org: &mut Org, condition: &str| {
            let (status, told) = org.query(&format!("SELECT Id FROM Order WHERE {condition} ORDER BY Id"));
            assert_eq!(status, 200, "{condition}: {told}");
            told["records"].clone()
        };
        let (by_literal, by_figures) = (ids(&mut org, literal), ids(&mut org, figures));
        assert_eq!(by_literal, by_figures, "{literal}");
    }
    // On the next day yesterday's orders are no longer today's.
    let before = org.query("SELECT COUNT() FROM Order WHERE CreatedDate = TODAY").1["totalSize"].clone();
    org.now = org.now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
    org.sign_in();
    let (_, after) = org.query("SELECT COUNT() FROM Order WHERE CreatedDate = YESTERDAY");
    assert_eq!(
        (before, &org.query("SELECT COUNT() FROM Order WHERE CreatedDate = TODAY").1["totalSize"]),
        (after["totalSize"].clone(), &Json::from(0))
    );
}
