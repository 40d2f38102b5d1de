//! Pages of a list: none is left out, and the next poll begins where all was read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use serde_json::json;

use super::{Shop, ids};
use crate::connector::scripted::ok;
use crate::connector::{Connector as _, Page, State};
use crate::fault::Fault;
use crate::http::{Broken, Response};
use crate::value::{Json, ObjectRef};

/// An order of a list, by its id and the time of day of its stamp.
fn order(id: &str, at: &str) -> Json {
    json!({"id": id, "at": format!("2026-11-18T{at}Z")})
}

fn rows(rows: &[Json], more: Json) -> Result<Response, Broken> {
    let mut page = json!({"rows": rows});
    page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(page)
}

/// A stream `orders` of REST, with what a test says of its page.
fn stream(page: &str, more: &str) -> String {
    format!(
        "objects:\n  Order:\n    stamp: at\n    changes:\n      - {{ name: orders, call: GET /o, query: {{ from: '{{from}}' }}, records: rows, page: {page}, overlap: 1 minute{more} }}\n"
    )
}

fn from(asked: &[String]) -> Vec<&str> {
    asked.iter().map(|asked| asked.split("from=").nth(1).unwrap().split('&').next().unwrap()).collect()
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_last() {
    let described = stream("{ token: next, to: query.after }", ", until: { lag: 30 s }");
    let pages = [rows(&[], json!({"next": "b"})), rows(&[order("1", "19:00:00")], json!({"next": "c"})), rows(&[], json!({}))];
    let shop = Shop::rest(&described, pages);
    let first = shop.page(None, true).await.unwrap();
    let second = shop.page(Some(&first), false).await.unwrap();
    let third = shop.page(Some(&second), false).await.unwrap();
    assert_eq!((first.more, second.more, third.more), (true, true, false));
    assert_eq!(ids(&second.changes), ["1"]);
    assert!(shop.asked()[1].ends_with("&after=b") && shop.asked()[2].ends_with("&after=c"));
    // A page without records that leads to itself has no way on: it is told, and not asked for for ever.
    let shop = Shop::rest(&described, [rows(&[], json!({"next": "b"})), rows(&[], json!({"next": "b"}))]);
    let first = shop.page(None, true).await.unwrap();
    assert!(matches!(shop.page(Some(&first), false).await, Err(Fault::Transient { reason, .. }) if reason.contains("no way on")));
}

/// A poll that broke off has not read what its last pages hold: the next one begins where it began.
#[tokio::test]
async fn a_poll_that_broke_off_is_begun_anew() {
    let window = ", until: { lag: 30 s }";
    for (page, until) in [
        ("{ token: next, to: query.after }", window),
        ("{ token: next, to: query.after }", ""),
        ("{ number: { to: query.page, from: 1 }, grows: true, size: 2 }", ""),
        ("{ keyset: [at, id], size: 2, query.behind: '{stamp} {id}' }", ""),
    ] {
        let last = |orders: &[Json]| rows(orders, json!({}));
        let full = || rows(&[order("2", "19:00:00"), order("3", "19:00:00")], json!({"next": "b"}));
        let shop = Shop::rest(&stream(page, until), [full(), last(&[order("1", "18:00:00")]), full(), last(&[order("4", "19:30:00")]), last(&[])]);
        // The first poll of all breaks off, too.
        let broken = shop.page(None, true).await.unwrap();
        let whole = shop.page(Some(&broken), true).await.unwrap();
        let broken = shop.page(Some(&whole), true).await.unwrap();
        assert!(broken.more && !whole.more, "{page}");
        let whole = shop.page(Some(&broken), true).await.unwrap();
        shop.page(Some(&whole), true).await.unwrap();
        let (first, then, last) = match until {
            "" => ("2026-11-01T00:00:00Z", "2026-11-18T17:55:00Z", "2026-11-18T19:25:00Z"),
            _ => ("2026-11-01T00:00:00Z", "2026-11-18T19:54:30Z", "2026-11-18T19:54:30Z"),
        };
        assert_eq!(from(&shop.asked()), [first, first, then, then, last], "{page}");
    }
}

/// A token may be a place in the list: a record that changes leaves its place, and the next one would be left out.
#[tokio::test]
async fn a_list_by_its_stamp_is_gone_on_from_the_last_stamp() {
    let described = stream("{ token: next, to: query.after, by_stamp: at }", ", until: { lag: 30 s }");
    let page = |orders: &[(&str, &str)], next: Json| {
        let orders: Vec<Json> = orders.iter().map(|(id, at)| order(id, at)).collect();
        rows(&orders, json!({"next": next}))
    };
    async fn read(shop: &Shop) -> Vec<String> {
        let mut at = shop.page(None, true).await.unwrap();
        let mut read: Vec<String> = ids(&at.changes).iter().map(|id| (*id).to_owned()).collect();
        while at.more {
            at = shop.page(Some(&at), false).await.unwrap();
            read.extend(ids(&at.changes).iter().map(|id| (*id).to_owned()));
        }
        read
    }
    let bounds = |shop: &Shop| -> Vec<String> {
        let asked = shop.asked();
        from(&asked).iter().zip(&asked).map(|(from, asked)| format!("{from} {}", asked.split("after=").nth(1).unwrap_or(""))).collect()
    };
    // `1` changes after the first page: `3` moves to where the token does not lead.
    let shop = Shop::rest(
        &described,
        [
            page(&[("1", "18:00:00"), ("2", "18:00:01")], json!("2")),
            page(&[("2", "18:00:01"), ("3", "18:00:02")], json!("2")),
            page(&[("3", "18:00:02")], Json::Null),
        ],
    );
    assert_eq!(read(&shop).await, ["1", "2", "2", "3", "3"]);
    assert_eq!(bounds(&shop), ["2026-11-01T00:00:00Z ", "2026-11-18T18:00:01Z ", "2026-11-18T18:00:02Z "]);
    // A page of one stamp is gone on from by token, and once more where it became shorter.
    let full = || page(&[("1", "18:00:00"), ("2", "18:00:00")], json!("2"));
    let shop = Shop::rest(
        &described,
        [
            full(),
            full(),
            // `1` has changed, and `3` stands where it is not asked for.
            page(&[("4", "18:00:00"), ("5", "18:00:03")], Json::Null),
            page(&[("2", "18:00:00"), ("3", "18:00:00")], json!("2")),
            page(&[("4", "18:00:00"), ("5", "18:00:03")], Json::Null),
        ],
    );
    assert_eq!(read(&shop).await, ["1", "2", "1", "2", "4", "5", "2", "3", "4", "5"]);
    let at = "2026-11-18T18:00:00Z";
    assert_eq!(bounds(&shop), ["2026-11-01T00:00:00Z ".to_owned(), format!("{at} "), format!("{at} 2"), format!("{at} "), format!("{at} 2")]);
    // The same where the last page by token is an empty one: it says no more than that no page is behind it.
    let none = || page(&[], Json::Null);
    let shop = Shop::rest(&described, [full(), full(), none(), page(&[("2", "18:00:00"), ("3", "18:00:00")], json!("2")), none()]);
    assert_eq!(read(&shop).await, ["1", "2", "1", "2", "2", "3"]);
    assert_eq!(bounds(&shop), ["2026-11-01T00:00:00Z ".to_owned(), format!("{at} "), format!("{at} 2"), format!("{at} "), format!("{at} 2")]);
    // Nothing of the stamp is left, or nothing was there at all.
    let shop = Shop::rest(&described, [full(), full(), none(), none()]);
    assert_eq!(read(&shop).await, ["1", "2", "1", "2"]);
    let shop = Shop::rest(&described, [page(&[], json!("b")), page(&[], json!("c")), none()]);
    assert_eq!(read(&shop).await, Vec::<String>::new());
    assert_eq!(shop.asked().len(), 3);
    // A list that does not come in that order is gone through by its tokens.
    let shop = Shop::rest(&described, [page(&[("1", "18:00:05"), ("2", "18:00:00")], json!("2")), page(&[("3", "18:00:02")], Json::Null)]);
    assert_eq!(read(&shop).await, ["1", "2", "3"]);
    assert_eq!(bounds(&shop), ["2026-11-01T00:00:00Z ", "2026-11-01T00:00:00Z 2"]);
}

/// Where "from" may mean "after", a page begins a grain before its stamp. A second that fills a page leads on all the same.
#[tokio::test]
async fn a_full_second_before_the_last_stamp_is_gone_through() {
    let described = format!("time: {{ bound: unknown }}\n{}", stream("{ token: next, to: query.after, by_stamp: at }", ""));
    let page = |ids: [&str; 2], at: &str, next: Json| rows(&ids.map(|id| order(id, at)), json!({"next": next}));
    let first = || page(["1", "2"], "18:00:00", json!("2"));
    let then = |next: Json| page(["3", "4"], "18:00:01", next);
    let answers = [
        first(),
        first(),
        then(json!("4")),
        first(),
        then(json!("4")),
        // From the second one on: the first is there once more.
        first(),
        then(Json::Null),
        first(),
        then(Json::Null),
    ];
    let shop = Shop::rest(&described, answers);
    let mut at = shop.page(None, true).await.unwrap();
    let mut pages = 1;
    while at.more {
        at = shop.page(Some(&at), false).await.unwrap();
        pages += 1;
    }
    assert_eq!(pages, 9);
    let asked = shop.asked();
    let from = from(&asked);
    assert_eq!((from[1], from[5], from[8]), ("2026-11-18T17:59:59Z", "2026-11-18T18:00:00Z", "2026-11-18T18:00:00Z"));
}

/// Polls that bring nothing leave the lower bound where it is.
#[tokio::test]
async fn a_quiet_list_is_not_read_further_and_further_back() {
    let shop = Shop::rest(
        &stream("whole", ""),
        [rows(&[order("1", "19:00:00")], json!({})), rows(&[], json!({})), rows(&[], json!({})), rows(&[], json!({}))],
    );
    let mut known: Option<Page> = None;
    for _ in 0..4 {
        known = Some(shop.page(known.as_ref(), true).await.unwrap());
    }
    assert_eq!(from(&shop.asked()), ["2026-11-01T00:00:00Z", "2026-11-18T18:55:00Z", "2026-11-18T18:55:00Z", "2026-11-18T18:55:00Z"]);
}

#[tokio::test]
async fn only_the_lists_own_stamp_moves_the_next_poll() {
    let described = stream("whole", ", gone: { when: record.voided_at is present, stamp: voided_at }");
    let mut voided = order("2", "18:00:00");
    voided["voided_at"] = json!("2026-11-18T19:59:00Z");
    // A record that is dated ahead hides nothing either.
    let ahead = json!({"id": "3", "at": "2031-01-01T00:00:00Z"});
    let shop = Shop::rest(&described, [rows(&[order("1", "17:00:00"), voided], json!({})), rows(&[ahead], json!({})), rows(&[], json!({}))]);
    let first = shop.page(None, true).await.unwrap();
    assert_eq!((&first.changes[1].state, first.changes[1].stamp.as_deref()), (&State::Gone, Some("2026-11-18T19:59:00.000000Z")));
    let second = shop.page(Some(&first), true).await.unwrap();
    shop.page(Some(&second), true).await.unwrap();
    assert_eq!(from(&shop.asked())[1..], ["2026-11-18T17:55:00Z", "2026-11-18T19:55:00Z"]);
}

#[tokio::test]
async fn pages_by_number_go_on_until_one_is_not_full() {
    let two = [order("1", "18:00:00"), order("2", "18:00:00")];
    // Nothing says how many make a page, or whether there is another.
    let shop = Shop::rest(
        &stream("{ number: { to: query.page, from: 1 }, grows: true }", ""),
        [rows(&two, json!({})), rows(&two[..1], json!({})), rows(&[], json!({}))],
    );
    let first = shop.page(None, true).await.unwrap();
    let second = shop.page(Some(&first), false).await.unwrap();
    let third = shop.page(Some(&second), false).await.unwrap();
    assert_eq!((first.more, second.more, third.more), (true, true, false));
    assert!((1..=3).all(|page| shop.asked()[page - 1].ends_with(&format!("&page={page}"))), "{:?}", shop.asked());
    let shop =
        Shop::rest(&stream("{ number: { to: query.page, from: 1 }, grows: true, size: 2 }", ""), [rows(&two, json!({})), rows(&two[..1], json!({}))]);
    let first = shop.page(None, true).await.unwrap();
    assert!(first.more && !shop.page(Some(&first), false).await.unwrap().more);
}

/// What is taken out of a list moves others over the end of a page.
#[tokio::test]
async fn a_list_that_is_read_whole_is_read_again_when_it_shrinks() {
    let described = stream("{ number: { to: query.page, from: 1 }, whole: true, size: 2, total: total }", "");
    let shop = Shop::rest(
        &described,
        [
            rows(&[order("1", "18:00:00"), order("2", "18:00:00")], json!({"total": 3})),
            rows(&[], json!({"total": 2})),
            rows(&[order("2", "18:00:00"), order("3", "18:00:00")], json!({"total": 2})),
            rows(&[], json!({"total": 2})),
        ],
    );
    let mut known = shop.page(None, true).await.unwrap();
    let mut read: Vec<String> = Vec::new();
    loop {
        read.extend(ids(&known.changes).iter().map(|id| (*id).to_owned()));
        if !known.more {
            break;
        }
        known = shop.page(Some(&known), false).await.unwrap();
    }
    assert_eq!(read, ["1", "2", "2", "3"]);
    let pages: Vec<String> = shop.asked().iter().map(|asked| asked.rsplit('=').next().unwrap().to_owned()).collect();
    assert_eq!(pages, ["1", "2", "1", "2"]);
}

#[tokio::test]
async fn a_start_that_stands_in_the_call_is_moved_on() {
    for query in ["offset: 0", "offset: '{page}'"] {
        let described = format!(
            "objects:\n  Order:\n    changes:\n      - {{ name: orders, call: GET /o, query: {{ {query}, limit: 1 }}, records: rows, page: {{ number: {{ to: query.offset, counts: records }}, grows: true, size: 1 }} }}\n"
        );
        let shop = Shop::rest(&described, [rows(&[order("1", "18:00:00")], json!({})), rows(&[], json!({}))]);
        let first = shop.page(None, true).await.unwrap();
        assert!(!shop.page(Some(&first), false).await.unwrap().more);
        let asked = shop.asked();
        assert!(asked[0].contains("offset=0") && asked[1].contains("offset=1") && !asked[1].contains("offset=0"), "{query}: {asked:?}");
    }
}

#[tokio::test]
async fn paging_goes_wherever_the_description_has_it() {
    // Inside of a body, and beside what stands there.
    let described = "objects:\n  Order:\n    changes:\n      - { name: orders, call: POST /o, body: { page: { size: 1, number: 0 } }, records: rows, page: { number: { to: body.page.number, from: 0 }, grows: true, size: 1 } }\n";
    let shop = Shop::rest(described, [rows(&[order("1", "18:00:00")], json!({})), rows(&[], json!({}))]);
    let first = shop.page(None, true).await.unwrap();
    shop.page(Some(&first), false).await.unwrap();
    assert_eq!(shop.asked(), [r#"/o {"page":{"size":1,"number":0}}"#, r#"/o {"page":{"size":1,"number":1}}"#].map(|asked| asked.to_owned()));
    // With a token of REST its size.
    let described = stream("{ token: next, to: query.after, size: query.limit, most: 7 }", ", until: { lag: 30 s }");
    let shop = Shop::rest(&described, [rows(&[], json!({}))]);
    shop.page(None, true).await.unwrap();
    assert!(shop.asked()[0].ends_with("&limit=7"));
    // Arguments of the call's own field.
    for (to, argument) in [
        ("after", r#"first: 2, after: "b""#),
        ("arguments.after", r#"first: 2, after: "b""#),
        ("arguments.page.after", r#"first: 2, page: {after: "b"}"#),
    ] {
        let described = format!(
            "objects:\n  Order:\n    changes:\n      - {{ name: orders, query: orders, arguments: {{ first: 2 }}, records: rows, page: {{ token: next, to: {to} }} }}\n"
        );
        let page = |next: Json| ok(json!({"data": {"orders": {"rows": [], "next": next}}}));
        let shop = Shop::graphql(&described, [page(json!("b")), page(Json::Null)]).reading(&[&["id"]]);
        let first = shop.page(None, true).await.unwrap();
        assert!(first.more && !shop.page(Some(&first), false).await.unwrap().more);
        assert_eq!(shop.asked()[1], format!("query {{ orders({argument}) {{ rows {{ id }} next }} }}"));
    }
    // What has no place in the call is told where it is written.
    for (call, to) in [("call: GET /o", "cursor"), ("call: GET /o", "arguments.page"), ("call: GET /o", "data.after"), ("query: orders", "a..b")] {
        let text = format!(
            "system: shop\nhosts: [x.example]\nbase: https://x.example\ngraphql: /graphql\nobjects:\n  Order:\n    changes:\n      - {{ name: orders, {call}, records: rows, page: {{ token: next, to: {to} }} }}\n"
        );
        let found = crate::describe::read(crate::base::FileId::default(), &text).1;
        assert!(found.iter().any(|found| found.message.contains(&format!("`{to}` is no place in the call"))), "{to}: {found:#?}");
    }
}

/// How a system sorts texts is not known: a list that is sorted by them is gone on with, and one whose stamps go back is not.
#[tokio::test]
async fn only_what_has_an_order_of_its_own_is_held_to_it() {
    let described = stream("{ keyset: [at, id], size: 3, query.behind: '{stamp} {id}' }", "");
    let shop = Shop::rest(&described, [rows(&[order("10", "18:00:00"), order("9", "18:00:00"), order("B", "18:00:00.5")], json!({}))]);
    assert_eq!(ids(&shop.page(None, true).await.unwrap().changes), ["10", "9", "B"]);
    // Of one instant in two prints the later does not stand before the earlier.
    let shop = Shop::rest(&described, [rows(&[order("1", "18:00:00.5"), order("2", "18:00:00")], json!({}))]);
    assert!(matches!(shop.page(None, true).await, Err(Fault::Rejected(refusal)) if refusal.message.contains("order that it was asked for")));
    let shop = Shop::rest(&described, [rows(&[order("1", "18:00:00"), order("2", "18:00:00.5")], json!({}))]);
    assert!(shop.page(None, true).await.is_ok());
    let by_number = "objects:\n  Order:\n    changes:\n      - { name: orders, call: GET /o, records: rows, page: { keyset: [id], size: 2, query.behind: '{id}' } }\n";
    let shop = Shop::rest(by_number, [rows(&[json!({"id": 10}), json!({"id": 9})], json!({}))]);
    assert!(shop.page(None, true).await.is_err());
    let shop = Shop::rest(by_number, [rows(&[json!({"id": 9}), json!({"id": 10})], json!({}))]);
    assert!(shop.page(None, true).await.unwrap().more);
    // Where the next page would begin has to be there.
    let shop = Shop::rest(&described, [rows(&[order("1", "18:00:00"), order("2", "18:00:00"), json!({"id": "3"})], json!({}))]);
    assert!(
        matches!(shop.page(None, true).await, Err(Fault::Rejected(refusal)) if refusal.message == "Order `3` has no `at`, and the next page begins behind it")
    );
}

#[tokio::test]
async fn stamps_sort_as_texts_and_one_that_is_none_is_told_with_its_record() {
    let at = |at: &str| json!({"id": at, "at": at});
    let prints = ["2026-11-18T19:00:49Z", "2026-11-18T19:00:49.5Z", "2026-11-18T19:00:49.512345678Z", "2026-11-18T21:00:50+02:00", "1795028451"];
    let shop = Shop::rest(&stream("whole", ""), [rows(&prints.map(at), json!({}))]);
    let page = shop.page(None, true).await.unwrap();
    let stamps: Vec<&str> = page.changes.iter().map(|change| change.stamp.as_deref().unwrap()).collect();
    assert!(stamps.is_sorted() && stamps.iter().all(|stamp| stamp.len() == stamps[0].len()), "{stamps:?}");
    let shop = Shop::rest(&stream("whole", ""), [rows(&[at("yesterday")], json!({}))]);
    let fault = shop.page(None, true).await.unwrap_err();
    assert!(
        matches!(&fault, Fault::Rejected(refusal) if refusal.message == "`at` of Order `yesterday` is `yesterday`, which is no instant"),
        "{fault:?}"
    );
    // None at all is no fault.
    let shop = Shop::rest(&stream("whole", ""), [rows(&[json!({"id": "1"}), json!({"id": "2", "at": null})], json!({}))]);
    assert_eq!(shop.page(None, true).await.unwrap().changes.len(), 2);
}

/// What is read beside a record does not come with a list: each record is fetched.
#[tokio::test]
async fn a_record_that_is_read_with_more_than_its_list_has_is_fetched() {
    let described = "objects:\n  Order:\n    changes:\n      - { name: orders, call: GET /o, records: rows, page: whole }\n    get: { call: 'GET /o/{id}' }\n    with: { notes: { call: 'GET /o/{id}/notes' } }\n";
    let page = || rows(&[order("1", "18:00:00")], json!({}));
    let shop = Shop::rest(described, [page(), ok(json!({"id": "1"})), ok(json!({"text": "x"}))]).reading(&[&["notes", "text"]]);
    let listed = shop.page(None, true).await.unwrap();
    assert_eq!(listed.changes[0].state, State::Listed);
    let fetched = shop.fetched(&ids(&listed.changes)).await.unwrap();
    let State::Upserted(record) = &fetched[0].state else { panic!("{fetched:?}") };
    assert_eq!(record.read(), json!({"id": "1", "notes": {"text": "x"}}));
    // Who reads nothing of it takes the record from the list.
    let shop = Shop::rest(described, [page()]).reading(&[&["id"]]);
    assert!(matches!(shop.page(None, true).await.unwrap().changes[0].state, State::Upserted(_)));
}

/// A page of GraphQL has what one flow asked for: another that reads more does not share it.
#[test]
fn flows_share_pages_only_where_they_ask_for_the_same() {
    let described = "objects:\n  Order:\n    changes:\n      - { name: orders, query: orders, records: rows, page: whole }\n";
    let of = ObjectRef::new("shop", "Order");
    let form = |described: &str, graphql: bool, reads: &[&[&str]]| {
        let shop = if graphql { Shop::graphql(described, []) } else { Shop::rest(described, []) }.reading(reads);
        shop.system.form(&shop.selection(&of)).unwrap()
    };
    assert_ne!(form(described, true, &[&["id"]]), form(described, true, &[&["id"], &["email"]]));
    assert_ne!(form(described, true, &[]), form(described, true, &[&["id"]]));
    assert_eq!(form(described, true, &[&["a"], &["b"]]), form(described, true, &[&["b"], &["a"], &["a"]]));
    let rest = stream("whole", "");
    assert_eq!(form(&rest, false, &[&["id"]]), form(&rest, false, &[&["email"]]), "of REST a record comes whole");
}

/// This machine's clock is ahead for a while. What changes by the system's clock after a poll is read by the next one.
#[tokio::test]
async fn a_poll_reads_no_further_than_the_systems_own_clock() {
    let dated = |orders: &[Json], date: &'static str| {
        rows(orders, json!({})).map(|mut response| {
            response.headers_mut().insert("date", http::HeaderValue::from_static(date));
            response
        })
    };
    let described = stream("whole", ", until: { lag: 30 s }");
    // The clock of a test stands at 20:00:00 of the 18th: the system is two days behind it, and then is not.
    let answers = [dated(&[order("1", "17:00:00")], "Mon, 16 Nov 2026 20:00:00 GMT"), dated(&[], "Wed, 18 Nov 2026 20:00:01 GMT"), dated(&[], "")];
    let shop = Shop::rest(&described, answers);
    let first = shop.page(None, true).await.unwrap();
    let second = shop.page(Some(&first), true).await.unwrap();
    shop.page(Some(&second), true).await.unwrap();
    assert_eq!(from(&shop.asked())[1..], ["2026-11-16T19:55:00Z", "2026-11-18T19:54:30Z"]);
    // A poll that began in the future has read nothing: the next one begins where the last one that read something ended.
    let oldest = stream("whole", ", until: { lag: 30 s }, oldest: 1 day");
    let shop = Shop::rest(&oldest, [dated(&[], "Mon, 16 Nov 2026 20:00:00 GMT"), dated(&[], "Mon, 16 Nov 2026 20:05:00 GMT"), dated(&[], "")]);
    let first = shop.page(None, true).await.unwrap();
    assert!(!first.cursor.as_deref().unwrap().contains("\"read\""), "{first:?}");
}
