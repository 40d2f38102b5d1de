//! Orders: polled by `modifyDate`, read by id, found by number, written by `orderKey`.

use std::collections::{BTreeMap, BTreeSet};

use super::ShipStation;
use super::lists::PAGE;
use super::pages::List;
use super::wire::{is_id, text};
use crate::connector::{Done, Found, Item, LookupRequest, Operation, Receipt, WriteRequest};
use crate::fault::Fault;
use crate::http::Call;
use crate::value::Json;

/// Keys that are looked for at once: however many they are, the list is gone through once.
pub(super) const KEYS: usize = 10_000;
/// How long it is taken for true that a key was in no order, in seconds. Nobody but we make orders under our keys.
const FRESH: i64 = 60;

/// The keys of all orders at a moment.
pub(super) struct Keys {
    at: jiff::Timestamp,
    keys: BTreeSet<String>,
}

/// Orders that are worth a list. A list may be some seconds older than the order itself, so few are read one by one.
const FEWEST: usize = 5;
/// Numbers that differ in so many last characters only are listed together, and the pages that this takes at the most: ten
/// digits at each place, a page of 500.
const NEIGHBORS: [(usize, usize); 3] = [(2, 1), (3, 2), (4, 20)];

pub(super) fn list() -> List {
    List {
        path: "/orders",
        key: "orders",
        stamp: "modifyDate",
        start: "modifyDateStart",
        end: "modifyDateEnd",
        sort: Some("ModifyDate"),
        by_stamp: true,
        more: Vec::new(),
        size: PAGE,
    }
}

impl ShipStation {
    /// An order by its id; `None` where there is none.
    pub(super) async fn order(&self, call: &Call, id: &str) -> Result<Option<Json>, Fault> {
        if !is_id(id) {
            return Ok(None);
        }
        let found = self.wire.get(call, &format!("/orders/{id}"), &[]).await?;
        Ok(found.filter(|order| text(order, "orderId").as_deref() == Some(id)))
    }

    pub(super) async fn find_orders(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        match field(ask)? {
            "orderId" => {
                let mut found = self.neighbors_of(call, ask).await?;
                let known: BTreeSet<String> = found.iter().map(|found| found.value.clone()).collect();
                for value in ask.values.iter().filter(|value| !known.contains(*value)) {
                    found.extend(self.order(call, value).await?.map(|record| Found { value: value.clone(), record: tidy(record) }));
                }
                Ok(found)
            }
            "orderNumber" => {
                let mut found = Vec::new();
                for value in ask.values {
                    // V1 finds what begins with it: `10` finds `10`, `100` and `1000`.
                    let query = [("orderNumber", value.clone())];
                    for record in self.whole(call, &super::lists::ORDERS, &query).await? {
                        if text(&record, "orderNumber").as_ref() == Some(value) {
                            found.push(Found { value: value.clone(), record: tidy(record) });
                        }
                    }
                }
                Ok(found)
            }
            field => {
                let wanted: BTreeSet<&String> = ask.values.iter().collect();
                // V1 keeps an `orderKey` to one order, so there is nothing more to see once all are found.
                let once = field == "orderKey";
                let found = self.scan(call, &super::lists::ORDERS, field, &wanted, once).await?;
                Ok(found.into_iter().map(|(value, record)| Found { value, record: tidy(record) }).collect())
            }
        }
    }

    /// Orders of one call whose numbers begin alike, as far as listing them takes fewer calls than reading each. One that has
    /// another number at the target is not among them.
    async fn neighbors_of(&self, call: &Call, ask: &LookupRequest<'_>) -> Result<Vec<Found>, Fault> {
        let Some(prefix) = shared_prefix(ask.companions).filter(|_| ask.values.len() > 1) else { return Ok(Vec::new()) };
        let wanted: BTreeSet<&String> = ask.values.iter().collect();
        let query = [("orderNumber", prefix)];
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        for page in 1.. {
            let listed = self.wire.list(call, "/orders", "orders", &query, page, PAGE).await?;
            for record in listed.records {
                if let Some(value) = text(&record, "orderId").filter(|value| wanted.contains(value)) {
                    found.insert(value.clone(), Found { value, record: tidy(record) });
                }
            }
            let left = wanted.len() - found.len();
            let pages = listed.total.unwrap_or(0).div_ceil(PAGE as u64).saturating_sub(page);
            if !listed.more || left == 0 || pages >= left as u64 {
                break;
            }
        }
        Ok(found.into_values().collect())
    }

    /// Orders by keys that may be in none. V1 cannot search by the key. So its list is gone through, where it is short or
    /// the keys are many; otherwise each key is looked for by the number that its order is about to have.
    pub(super) async fn present_orders(&self, call: &Call, ask: &LookupRequest<'_>, bodies: &[Json]) -> Result<Vec<Found>, Fault> {
        let now = self.wire.client.now();
        let mut open: BTreeSet<&String> = ask.values.iter().collect();
        {
            let known = self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(known) = known.as_ref().filter(|known| now.duration_since(known.at).as_secs().abs() < FRESH)
                && open.iter().all(|key| !known.keys.contains(*key))
            {
                return Ok(Vec::new());
            }
        }
        let by_number: Vec<(&String, String)> =
            ask.values.iter().zip(bodies).filter_map(|(key, body)| Some((key, text(body, "orderNumber")?))).collect();
        let all_have_numbers = by_number.len() == ask.values.len();
        let (mut found, mut keys) = (Vec::new(), BTreeSet::new());
        // By what never changes, the newest first: what is new meanwhile is ours, or nobody's under such a key.
        let query = [("sortBy", "CreateDate".to_owned()), ("sortDir", "DESC".to_owned())];
        let mut page = 1;
        loop {
            let listed = self.wire.list(call, super::lists::ORDERS.path, super::lists::ORDERS.key, &query, page, PAGE).await?;
            let total = listed.total.and_then(|total| usize::try_from(total).ok()).unwrap_or_default();
            for record in listed.records {
                let Some(key) = text(&record, "orderKey") else { continue };
                if open.remove(&key) {
                    found.push(Found { value: key.clone(), record: tidy(record) });
                }
                keys.insert(key);
            }
            if !listed.more {
                *self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Keys { at: now, keys });
                return Ok(found);
            }
            if open.is_empty() {
                return Ok(found);
            }
            let pages = total.div_ceil(PAGE).saturating_sub(usize::try_from(page).unwrap_or(usize::MAX));
            if all_have_numbers {
                let numbers: Vec<Option<String>> =
                    by_number.iter().filter(|(key, _)| open.contains(key)).map(|(_, number)| Some(number.clone())).collect();
                let together = neighbors(&numbers);
                if together.iter().map(|part| part.calls).sum::<usize>() <= pages {
                    found.extend(self.present_by_number(call, &open, &numbers, &together).await?);
                    return Ok(found);
                }
            }
            page += 1;
        }
    }

    /// Orders under some keys, looked for by their numbers.
    async fn present_by_number(
        &self,
        call: &Call,
        keys: &BTreeSet<&String>,
        numbers: &[Option<String>],
        together: &[Together],
    ) -> Result<Vec<Found>, Fault> {
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        for part in together {
            let numbers: Vec<Option<String>> = part.places.iter().map(|place| numbers[*place].clone()).collect();
            let Some(prefix) = shared_prefix(&numbers) else { continue };
            // V1 finds what begins with it.
            for record in self.whole(call, &super::lists::ORDERS, &[("orderNumber", prefix)]).await? {
                if let Some(key) = text(&record, "orderKey").filter(|key| keys.contains(key)) {
                    found.insert(key.clone(), Found { value: key, record: tidy(record) });
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// `POST /orders/createorders`, for what is made and for what is changed alike.
    pub(super) async fn write_orders(&self, call: &Call, batch: &WriteRequest<'_>) -> Result<Vec<Receipt>, Fault> {
        let mut receipts: Vec<Option<Receipt>> = vec![None; batch.items.len()];
        let mut bodies = Vec::new();
        for (at, item) in batch.items.iter().enumerate() {
            match self.body(call, batch, item).await {
                Ok(body) => bodies.push((at, body)),
                // What it takes to send this item cannot be had now: the others need not wait for it.
                Err(fault @ Fault::Rejected(_)) => receipts[at] = Some(Receipt { outcome: Err(fault) }),
                Err(fault) => return Err(fault),
            }
        }
        if !bodies.is_empty() {
            let sent: Vec<&Json> = bodies.iter().map(|(_, body)| body).collect();
            let answer = self.wire.post(call, "/orders/createorders", &serde_json::json!(sent), sent.len()).await?;
            for ((at, _), outcome) in bodies.iter().zip(outcomes(&sent, &answer)) {
                receipts[*at] = Some(Receipt { outcome });
            }
        }
        let lost = || Receipt { outcome: Err(Fault::ambiguous("the answer does not name this order")) };
        Ok(receipts.into_iter().map(|receipt| receipt.unwrap_or_else(lost)).collect())
    }

    /// What is sent for an item. Without an `orderKey` V1 makes a new order, so an update has to have the target's own.
    async fn body(&self, call: &Call, batch: &WriteRequest<'_>, item: &Item) -> Result<Json, Fault> {
        let Json::Object(fields) = &item.body else { return Err(Fault::rejected("body", "an order is an object", None)) };
        let mut fields = fields.clone();
        let has_key = text(&item.body, "orderKey").is_some();
        if batch.operation == Operation::Update {
            if has_key {
                return Ok(Json::Object(fields));
            }
            let id = item.id.as_deref().ok_or_else(|| Fault::rejected("body", "an update names no order", None))?;
            let target = self.order(call, id).await?.ok_or_else(|| Fault::rejected("404", format!("there is no order {id}"), None))?;
            if text(&target, "orderKey").is_none() {
                return Err(Fault::rejected("body", format!("order {id} has no `orderKey`: sent without it, it would be made anew"), None));
            }
            return Ok(super::merge::merge(&target, &item.body));
        }
        if let (false, Some("orderKey"), Some(key)) = (has_key, batch.key_field, &item.key) {
            fields.insert("orderKey".to_owned(), Json::from(key.as_str()));
        }
        if batch.key_field == Some("orderKey") && fields.get("orderKey").and_then(Json::as_str).is_none_or(str::is_empty) {
            return Err(Fault::rejected("body", "it has no `orderKey`: sent again, it would be made twice", Some("orderKey".to_owned())));
        }
        Ok(Json::Object(fields))
    }
}

/// The field by which several orders are listed where each would be read by its id.
pub(super) fn companion(object: &str, field: &[String]) -> Option<&'static str> {
    matches!((object, field), ("Order", [field]) if field == "orderId").then_some("orderNumber")
}

/// Orders that are looked for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Together {
    /// Places in the list of numbers that was asked about.
    pub(super) places: Vec<usize>,
    /// Calls that it takes at the most.
    pub(super) calls: usize,
}

/// Numbers that are behind one list: `orderNumber` finds what begins with it. The fewest calls decide whether an order is
/// read by itself, or listed with those that differ from it in their last two, three or four characters. An order without a
/// number is read by itself.
pub(super) fn neighbors(numbers: &[Option<String>]) -> Vec<Together> {
    let mut parts: Vec<Together> = (0..numbers.len()).map(|place| Together { places: vec![place], calls: 1 }).collect();
    for (ending, pages) in NEIGHBORS {
        let mut by_prefix: BTreeMap<&str, Vec<Together>> = BTreeMap::new();
        let mut others = Vec::new();
        for part in parts {
            // What is together already begins alike, and so with what is shorter.
            let number = part.places.first().and_then(|place| numbers[*place].as_deref());
            match number.and_then(|number| prefix(number, ending)) {
                Some(prefix) => by_prefix.entry(prefix).or_default().push(part),
                None => others.push(part),
            }
        }
        for apart in by_prefix.into_values() {
            let (orders, calls) = apart.iter().fold((0, 0), |(orders, calls), part| (orders + part.places.len(), calls + part.calls));
            if orders < FEWEST || calls <= pages {
                others.extend(apart);
            } else {
                others.push(Together { places: apart.into_iter().flat_map(|part| part.places).collect(), calls: pages });
            }
        }
        parts = others;
    }
    parts.iter_mut().for_each(|part| part.places.sort_unstable());
    parts.sort_unstable_by(|a, b| a.places.cmp(&b.places));
    parts
}

/// A number without its last characters, where what is left still tells anything.
fn prefix(number: &str, ending: usize) -> Option<&str> {
    let (end, _) = number.char_indices().rev().nth(ending.checked_sub(1)?)?;
    Some(&number[..end]).filter(|prefix| prefix.chars().count() >= 3)
}

/// What all numbers begin with; nothing where one is not known.
fn shared_prefix(numbers: &[Option<String>]) -> Option<String> {
    let (first, rest) = numbers.split_first()?;
    let mut shared = first.as_deref()?;
    for number in rest {
        let number = number.as_deref()?;
        let same = shared.char_indices().zip(number.chars()).take_while(|((_, a), b)| a == b).count();
        shared = shared.char_indices().nth(same).map_or(shared, |(end, _)| &shared[..end]);
    }
    (!shared.is_empty()).then(|| shared.to_owned())
}

/// The field that is searched by.
pub(super) fn field<'a>(ask: &LookupRequest<'a>) -> Result<&'a str, Fault> {
    match ask.field {
        [field] => Ok(field),
        path => Err(Fault::rejected("find", format!("V1 cannot search {} by `{}`", ask.object, path.join(".")), None)),
    }
}

/// Dates without the time of day that V1 gives some with; the schema's are dates.
pub(super) fn tidy(mut record: Json) -> Json {
    for field in ["shipDate", "holdUntilDate"] {
        if let Some(Json::String(text)) = record.get_mut(field)
            && let Some((date, _)) = text.split_once(['T', ' '])
            && date.parse::<jiff::civil::Date>().is_ok()
        {
            *text = date.to_owned();
        }
    }
    record
}

/// What became of each order that was sent. Results are matched by `orderKey`, then by their place; what the answer
/// does not name may have been done.
fn outcomes(sent: &[&Json], answer: &Json) -> Vec<Result<Done, Fault>> {
    let results: &[Json] = answer.get("results").and_then(Json::as_array).map_or(&[], Vec::as_slice);
    let mut used = vec![false; results.len()];
    let mut places: Vec<Option<usize>> = vec![None; sent.len()];
    // By key: the one at the same place first, where a key stands twice.
    for (at, body) in sent.iter().enumerate() {
        let Some(key) = text(body, "orderKey") else { continue };
        let is = |place: usize| text(&results[place], "orderKey").as_ref() == Some(&key);
        let place = if at < results.len() && is(at) { Some(at) } else { (0..results.len()).find(|place| !used[*place] && is(*place)) };
        if let Some(place) = place.filter(|place| !used[*place]) {
            used[place] = true;
            places[at] = Some(place);
        }
    }
    // By place: only where nothing says that the results stand in another order.
    let in_place = results.len() == sent.len() && places.iter().enumerate().all(|(at, place)| place.is_none_or(|place| place == at));
    if in_place {
        for (at, body) in sent.iter().enumerate() {
            let result = &results[at];
            let (key, number) = (text(result, "orderKey"), text(result, "orderNumber"));
            let own = text(body, "orderKey");
            // A success that names nothing is nobody's.
            let named = number.is_some() || result.get("success") == Some(&Json::Bool(false));
            let agrees = named && (key.is_none() || own.is_none()) && number.is_none_or(|number| Some(number) == text(body, "orderNumber"));
            if places[at].is_none() && !used[at] && agrees {
                used[at] = true;
                places[at] = Some(at);
            }
        }
    }
    places.into_iter().map(|place| place.map_or_else(missing, |place| outcome(&results[place]))).collect()
}

fn missing() -> Result<Done, Fault> {
    Err(Fault::ambiguous("the answer does not name this order"))
}

fn outcome(result: &Json) -> Result<Done, Fault> {
    match result.get("success") {
        Some(Json::Bool(true)) => {
            let id = text(result, "orderId").filter(|id| is_id(id) && id != "0");
            let kept = ["orderId", "orderNumber", "orderKey"];
            let record = kept.iter().filter_map(|name| Some(((*name).to_owned(), result.get(*name)?.clone()))).collect();
            // V1 does not say whether it made the order or found it.
            Ok(Done { id, created: None, record: Json::Object(record) })
        }
        Some(Json::Bool(false)) => {
            let words = text(result, "errorMessage").unwrap_or_else(|| "V1 gave no reason".to_owned());
            Err(if passing(&words) { Fault::transient(words) } else { Fault::rejected("createorders", words, None) })
        }
        _ => Err(Fault::ambiguous("the answer does not say whether the order was taken")),
    }
}

/// Whether a refusal speaks of the moment and not of the order.
pub(super) fn passing(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["timeout", "time-out", "timed out", "try again", "deadlock", "temporarily", "too many requests"].iter().any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(all: impl IntoIterator<Item = u32>) -> Vec<Option<String>> {
        all.into_iter().map(|number| Some(format!("{number:08}"))).collect()
    }

    fn calls(numbers: &[Option<String>]) -> usize {
        neighbors(numbers).iter().map(|together| together.calls).sum()
    }

    #[test]
    fn orders_are_listed_where_that_takes_fewer_calls() {
        assert_eq!(calls(&numbers([7, 8, 9])), 3, "few are read one by one: a list may be older");
        assert_eq!(calls(&numbers(300..400)), 1);
        assert_eq!(calls(&numbers(300..410)), 2);
        assert_eq!(calls(&numbers((0..1_000).step_by(10))), 2, "ten pages of a hundred are two of five hundred");
        assert_eq!(calls(&numbers((0..10_000).step_by(100))), 20);
        assert_eq!(calls(&numbers((0..1_000_000).step_by(10_000))), 100, "there is no list that they are near each other in");
        let mixed = [Some("A-1".to_owned()), None, Some(String::new()), Some("Ü-00017".to_owned())];
        assert_eq!(calls(&mixed), 4);
    }

    proptest! {
        /// Each order is in one group, which its numbers begin alike in, and no grouping costs more than one call each.
        #[test]
        fn groups_are_whole(all in proptest::collection::vec(proptest::option::of("[0-9A]{0,7}|[0-9]{5}ü"), 0..120)) {
            let together = neighbors(&all);
            let mut places: Vec<usize> = together.iter().flat_map(|part| part.places.clone()).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..all.len()).collect::<Vec<_>>());
            prop_assert!(calls(&all) <= all.len());
            for part in together.iter().filter(|part| part.places.len() > 1) {
                let numbers: Vec<_> = part.places.iter().map(|place| all[*place].clone()).collect();
                prop_assert!(shared_prefix(&numbers).is_some_and(|prefix| prefix.chars().count() >= 3));
            }
        }
    }
}
