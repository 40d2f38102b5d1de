//! What became of each item of a write, from the answer to the call.
//!
//! What nobody says is in doubt: an item that the answer does not tell of, a success without the id that it should name, and an answer
//! without the list of what failed.

use std::collections::BTreeMap;

use regex::Regex;

use super::answer::{error_in, refusal};
use super::ask::Answer;
use super::open::Link;
use super::view;
use crate::connector::{Done, Item, Receipt};
use crate::describe::model::{Matching, Pick, Receipt as Form, Results, Write};
use crate::describe::{Formula, Path, Scope, printed};
use crate::fault::Fault;
use crate::value::Json;

/// What an answer says of one item.
struct Told<'a> {
    /// The item's own result.
    result: &'a str,
    answer: &'a Answer,
    /// It is the only item of its call: what is said of the whole is said of it.
    alone: bool,
}

impl Link {
    /// The receipts of the items of one call, in their order. `result` is what the paths are below.
    pub(super) fn receipts(&self, write: &Write, items: &[Item], answer: &Answer, result: &str) -> Vec<Receipt> {
        let Some(form) = &write.receipt else {
            let unknown = || Err(Fault::ambiguous(format!("nothing says what {} answers to `{}`", self.of.title, write.name.node)));
            return items.iter().map(|_| Receipt { outcome: unknown() }).collect();
        };
        let key = if let [key] = write.key.as_slice() { Some(key.node.as_str()) } else { None };
        let alone = items.len() == 1;
        let outcome = |item: &Item, result: Option<&str>| match result {
            Some(result) => self.outcome(form, item, &Told { result, answer, alone }),
            None => Err(unsaid("the answer tells nothing of it")),
        };
        let all_unsaid = |why: &str| items.iter().map(|_| Err(unsaid(why))).collect();
        let outcomes: Vec<Result<Done, Fault>> = match &form.results {
            Results::Empty(status) => {
                let fits = status.is_none_or(|status| status == u64::from(answer.status.as_u16()));
                // What stands in a body is said to be success only by `ok`.
                let is_silent = answer.text().trim().is_empty() || form.ok.is_some();
                match (fits, is_silent) {
                    (true, true) => items.iter().map(|item| outcome(item, Some("null"))).collect(),
                    (true, false) => all_unsaid("its answer has a body, and success has none"),
                    (false, _) => all_unsaid("it was answered by another status than success has"),
                }
            }
            Results::One(_) if !alone => all_unsaid("its answer has one result for several items"),
            Results::One(at) => {
                let found = match at {
                    Some(at) => view::slices(result, at).and_then(|found| found.first().copied()),
                    None => Some(result),
                };
                items.iter().map(|item| outcome(item, found.filter(|found| *found != "null" && !found.is_empty()))).collect()
            }
            Results::Items(at) => match view::records(result, Some(at)) {
                Some(results) => {
                    let matched = matched(&form.matching, key, items, &results);
                    items.iter().zip(matched).map(|(item, at)| outcome(item, at.and_then(|at| results.get(at).copied()))).collect()
                }
                None => all_unsaid("its answer has no list of results"),
            },
            Results::Failures { at, absent_is_none } => {
                let failures = match view::records(result, Some(at)) {
                    Some(failures) => failures,
                    // That nothing failed is said by an empty list, or by none where the vendor says so.
                    None if *absent_is_none && lacks(result, at) => Vec::new(),
                    None => return items.iter().map(|_| Receipt { outcome: Err(unsaid("its answer has no list of what failed")) }).collect(),
                };
                // A failure that is of no item is of any of them.
                let matched = matched(&form.matching, key, items, &failures);
                let strange = failures.len() > matched.iter().flatten().count();
                let of_item = |(item, at): (&Item, Option<usize>)| match at.and_then(|at| failures.get(at)) {
                    Some(failure) => Err(self.refused(form, &Told { result: failure, answer, alone })),
                    None if strange => Err(unsaid("its answer tells of a failure that is of no item")),
                    None => outcome(item, Some("null")),
                };
                items.iter().zip(matched).map(of_item).collect()
            }
        };
        outcomes.into_iter().map(|outcome| Receipt { outcome }).collect()
    }

    /// What a result says of its item.
    fn outcome(&self, form: &Form, item: &Item, told: &Told<'_>) -> Result<Done, Fault> {
        let json: Json = serde_json::from_str(told.result).map_err(|_| unsaid("what the answer tells of it cannot be read"))?;
        if form.refused.as_ref().is_some_and(|refused| refused.holds(&self.receipt_scope(form, item, &json, told, refused, told.alone))) {
            return Err(self.refused(form, told));
        }
        // An error of the whole answer refuses no single item of it, and none is done while there is one.
        if form.ok.as_ref().is_some_and(|ok| !ok.holds(&self.receipt_scope(form, item, &json, told, ok, true))) {
            return Err(unsaid("the answer says neither that it was done nor that it was refused"));
        }
        let id = match &form.id {
            Some(Pick::Path(path)) => view::text_at(told.result, path),
            Some(Pick::Formula(formula)) => {
                let id = formula.value(&self.receipt_scope(form, item, &json, told, formula, true));
                id.map(|id| printed(&id)).filter(|id| !id.is_empty())
            }
            None => None,
        };
        match (&id, &item.id) {
            (None, _) if form.id.is_some() => return Err(unsaid("the answer names no record")),
            (Some(named), Some(known)) if named != known => {
                return Err(unsaid(&format!("the answer names the record `{named}`, and `{known}` was to be written")));
            }
            _ => {}
        }
        Ok(Done { id: id.or_else(|| item.id.clone()), created: form.created.then_some(true), record: kept(form, json) })
    }

    /// The refusal of one item: its words speak of the moment where the description says so.
    fn refused(&self, form: &Form, told: &Told<'_>) -> Fault {
        let of = form.error.as_ref().unwrap_or(&self.of.error);
        let mut refusal = refusal(of, told.result);
        if refusal.message.is_empty() && refusal.code.is_empty() && told.alone && form.error.is_none() {
            refusal = super::answer::refusal(of, told.answer.text());
        }
        if refusal.message.is_empty() {
            refusal.message = "no words".to_owned();
        }
        if refusal.code.is_empty() {
            refusal.code = "refused".to_owned();
        }
        let passes = form.passing.as_ref().is_some_and(|words| Regex::new(&words.node).is_ok_and(|words| words.is_match(&refusal.message)));
        if passes { Fault::ambiguous(refusal.message) } else { Fault::Rejected(refusal) }
    }

    /// What an expression of a receipt reads. `whole`: an error that the answer tells of the whole counts, too.
    fn receipt_scope<'a>(&'a self, form: &Form, item: &'a Item, found: &'a Json, told: &Told<'_>, formula: &'a Formula, whole: bool) -> Scope<'a> {
        let reads = |root: &str| formula.reads.iter().any(|path| path.root() == root);
        let mut scope = self.scope().with("item", found).with("sent", &item.body).and("status", Json::from(told.answer.status.as_u16()));
        scope = scope.and("key", item.key.as_deref().map_or(Json::Null, Json::from));
        if reads("header") {
            scope = scope.and("header", told.answer.headers());
        }
        if reads("body") {
            scope = scope.and("body", view::seen(told.answer.text(), "body", [formula]));
        }
        if reads("error") {
            let own = error_in(form.error.as_ref().unwrap_or(&self.of.error), told.result);
            let error = own.or_else(|| error_in(&self.of.error, told.answer.text()).filter(|_| whole && form.error.is_none()));
            scope = scope.and("error", error.unwrap_or_default());
        }
        scope
    }
}

fn unsaid(why: &str) -> Fault {
    Fault::ambiguous(why)
}

/// What later writes may read of a result.
fn kept(form: &Form, found: Json) -> Json {
    let Json::Object(mut fields) = found else { return Json::Null };
    if !form.keep.is_empty() {
        fields.retain(|name, _| form.keep.iter().any(|keep| keep.node == *name));
    }
    fields.retain(|name, _| !form.drop.iter().any(|drop| drop.node == *name));
    if fields.is_empty() { Json::Null } else { Json::Object(fields) }
}

/// Whether an answer is an object in which a list is not there, and nothing else stands in its place.
fn lacks(result: &str, at: &Path) -> bool {
    result.starts_with('{') && view::slices(result, at).is_none_or(|found| found.iter().all(|value| *value == "null"))
}

/// The text of a field of an item, by its path as it is written; for the field of the write's key it is the key.
fn sent(item: &Item, field: &str, key: Option<&str>) -> Option<String> {
    let path = Path::parse(field, crate::base::Span::default()).ok()?;
    let value = path.get(&item.body).filter(|value| !value.is_object() && !value.is_array() && !value.is_null());
    value.map(printed).filter(|text| !text.is_empty()).or_else(|| item.key.clone().filter(|_| key == Some(field)))
}

/// For each item the place of its result: by the first of the ways under which it is the only one. `key` is the field that the items'
/// keys go to.
fn matched(matching: &Matching, key: Option<&str>, items: &[Item], results: &[&str]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; items.len()];
    let mut taken = vec![false; results.len()];
    // The results that say by a field whose they are.
    let mut named = vec![false; results.len()];
    let mut by_field = |field: &str, path: &Path| {
        let told: Vec<Option<String>> = results.iter().map(|result| view::text_at(result, path)).collect();
        named.iter_mut().zip(&told).for_each(|(named, told)| *named |= told.is_some());
        let sent: Vec<Option<String>> = items.iter().map(|item| sent(item, field, key)).collect();
        // Two results of one value say of none of them whose it is; so do two items.
        let open_results = told.iter().enumerate().filter(|(at, _)| !taken[*at]);
        let results = places(open_results.filter_map(|(at, told)| Some((told.as_deref()?, at))));
        let items = places(sent.iter().enumerate().filter_map(|(at, sent)| Some((sent.as_deref()?, at))));
        for (value, items) in items {
            if let ([item], Some([result])) = (items.as_slice(), results.get(value).map(Vec::as_slice))
                && found[*item].is_none()
            {
                (found[*item], taken[*result]) = (Some(*result), true);
            }
        }
    };
    match matching {
        Matching::One => {
            if let ([_], [_]) = (items, results) {
                found[0] = Some(0);
            }
        }
        Matching::By(ways) => {
            for way in ways.iter().filter(|way| way.node != "place") {
                if let Ok(path) = Path::parse(&way.node, way.span) {
                    by_field(&way.node, &path);
                }
            }
            // The place tells only where as many results came as items went, and no result shows that they are in another order.
            let in_order = results.len() == items.len() && (0..results.len()).all(|at| !named[at] || found[at] == Some(at));
            if in_order && ways.iter().any(|way| way.node == "place") {
                found = (0..items.len()).map(|at| found[at].or_else(|| (!named[at]).then_some(at))).collect();
            }
        }
        Matching::Fields(fields) => {
            for (path, field) in fields {
                by_field(&field.node, path);
            }
        }
    }
    found
}

/// The places of each value.
fn places<'v>(values: impl Iterator<Item = (&'v str, usize)>) -> BTreeMap<&'v str, Vec<usize>> {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (value, at) in values {
        found.entry(value).or_default().push(at);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Span, Spanned};
    use serde_json::json;

    fn by(ways: &[&str]) -> Matching {
        Matching::By(ways.iter().map(|way| Spanned::new((*way).to_owned(), Span::default())).collect())
    }

    fn item(number: &str) -> Item {
        Item { key: Some(number.to_owned()), id: None, body: json!({"number": number}) }
    }

    #[test]
    fn results_are_told_by_their_keys_and_by_place_only_where_nothing_else_can_be() {
        let items = [item("a"), item("b"), item("c")];
        let shuffled = [r#"{"number":"c"}"#, r#"{"number":"a"}"#, r#"{"number":"b"}"#];
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &shuffled), [Some(1), Some(2), Some(0)]);
        let lacking = [r#"{"number":"c"}"#, r#"{"number":"a"}"#];
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &lacking), [Some(1), None, Some(0)]);
        // Without the number the place tells, as long as none is lacking.
        let bare = ["{}", r#"{"number":"b"}"#, "{}"];
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &bare), [Some(0), Some(1), Some(2)]);
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &["{}", "{}"]), [None, None, None]);
        // A result of a stranger is put to nobody's account.
        let strange = [r#"{"number":"a"}"#, r#"{"number":"x"}"#, r#"{"number":"c"}"#];
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &strange), [Some(0), None, Some(2)]);
        // The order was shown to be another one: what names nothing is of nobody.
        let moved = [r#"{"number":"b"}"#, "{}", "{}"];
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &moved), [None, Some(0), None]);
        assert_eq!(matched(&by(&["place", "number"]), None, &items, &moved), [None, Some(0), None], "whatever way is named first");
        let strange = [r#"{"number":"a"}"#, r#"{"number":"x"}"#, "{}"];
        assert_eq!(matched(&by(&["number", "place"]), None, &items, &strange), [Some(0), None, None]);
        // The key is that of its own field, and of no other.
        let keyed = [Item { body: json!({}), ..item("a") }];
        assert_eq!(matched(&by(&["number"]), Some("number"), &keyed, &[r#"{"number":"a"}"#]), [Some(0)]);
        assert_eq!(matched(&by(&["sku"]), Some("number"), &keyed, &[r#"{"sku":"a"}"#]), [None]);
        // Two of one value are nobody's.
        let twice = [r#"{"number":"a"}"#, r#"{"number":"a"}"#];
        assert_eq!(matched(&by(&["number"]), None, &items, &twice), [None, None, None]);
    }
}
