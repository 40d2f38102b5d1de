//! What became of each item of a write, from the answer to the call.
//!
//! What nobody says is in doubt: an item that the answer does not tell of, and a success without the id that it should name.

use regex::Regex;

use super::answer::{errors, refusal};
use super::ask::Answer;
use super::open::Link;
use super::view;
use crate::connector::{Done, Item, Receipt};
use crate::describe::model::{Matching, Pick, Receipt as Form, Results, Write};
use crate::describe::{Formula, Path, Scope, printed};
use crate::fault::{Fault, Refusal};
use crate::value::Json;

impl Link {
    /// The receipts of the items of one call, in their order. `result` is what the paths are below.
    pub(super) fn receipts(&self, write: &Write, items: &[Item], answer: &Answer, result: &str) -> Vec<Receipt> {
        let Some(form) = &write.receipt else {
            let unknown = || Err(Fault::ambiguous(format!("nothing says what {} answers to `{}`", self.of.title, write.name.node)));
            return items.iter().map(|_| Receipt { outcome: unknown() }).collect();
        };
        let outcome = |item: &Item, found: Option<&str>| self.outcome(form, item, found, answer);
        let outcomes: Vec<Result<Done, Fault>> = match &form.results {
            Results::Empty(status) => items
                .iter()
                .map(|item| {
                    let fits = status.is_none_or(|status| status == u64::from(answer.status.as_u16()));
                    if fits { outcome(item, Some("null")) } else { Err(unsaid("it was answered by another status than success has")) }
                })
                .collect(),
            Results::One(at) => {
                let found = match at {
                    Some(at) => view::slices(result, at).and_then(|found| found.first().copied()),
                    None => Some(result),
                };
                items.iter().map(|item| outcome(item, found.filter(|found| *found != "null" && !found.is_empty()))).collect()
            }
            Results::Items(at) => match view::records(result, Some(at)) {
                Some(results) => {
                    let matched = matched(&form.matching, items, &results);
                    items.iter().zip(matched).map(|(item, at)| outcome(item, at.and_then(|at| results.get(at).copied()))).collect()
                }
                None => items.iter().map(|_| Err(unsaid("its answer has no list of results"))).collect(),
            },
            Results::Failures(at) => {
                let failures = view::records(result, Some(at)).unwrap_or_default();
                // A failure that is of no item is of any of them.
                let matched = matched(&form.matching, items, &failures);
                let strange = failures.len() > matched.iter().flatten().count();
                items
                    .iter()
                    .zip(matched)
                    .map(|(item, at)| match at.and_then(|at| failures.get(at)) {
                        Some(failure) => Err(self.refused(form, failure)),
                        None if strange => Err(unsaid("its answer tells of a failure that is of no item")),
                        None => outcome(item, Some("null")),
                    })
                    .collect()
            }
        };
        outcomes.into_iter().map(|outcome| Receipt { outcome }).collect()
    }

    /// What a result says of its item.
    fn outcome(&self, form: &Form, item: &Item, found: Option<&str>, answer: &Answer) -> Result<Done, Fault> {
        let found = found.ok_or_else(|| unsaid("the answer tells nothing of it"))?;
        let json: Json = serde_json::from_str(found).map_err(|_| unsaid("what the answer tells of it cannot be read"))?;
        let scope = self.receipt_scope(item, &json, answer, [form.ok.as_ref(), form.refused.as_ref()].into_iter().flatten());
        if form.refused.as_ref().is_some_and(|refused| refused.holds(&scope)) {
            return Err(self.refused(form, found));
        }
        if form.ok.as_ref().is_some_and(|ok| !ok.holds(&scope)) {
            return Err(unsaid("the answer says neither that it was done nor that it was refused"));
        }
        let id = match &form.id {
            Some(Pick::Path(path)) => view::text_at(found, path),
            Some(Pick::Formula(formula)) => {
                formula.value(&self.receipt_scope(item, &json, answer, [formula])).map(|id| printed(&id)).filter(|id| !id.is_empty())
            }
            None => None,
        };
        if form.id.is_some() && id.is_none() && item.id.is_none() {
            return Err(unsaid("the answer names no record"));
        }
        Ok(Done { id: id.or_else(|| item.id.clone()), created: form.created.then_some(true), record: kept(form, json) })
    }

    /// The refusal of one item: its words speak of the moment where the description says so.
    fn refused(&self, form: &Form, result: &str) -> Fault {
        let of = form.error.as_ref().unwrap_or(&self.of.error);
        let mut refusal = refusal(of, result);
        if refusal.message.is_empty() {
            refusal.message = "no words".to_owned();
        }
        if refusal.code.is_empty() {
            refusal.code = "refused".to_owned();
        }
        let passes = form.passing.as_ref().is_some_and(|words| Regex::new(&words.node).is_ok_and(|words| words.is_match(&refusal.message)));
        if passes { Fault::ambiguous(refusal.message) } else { Fault::Rejected(refusal) }
    }

    fn receipt_scope<'a>(&'a self, item: &'a Item, found: &'a Json, answer: &Answer, formulas: impl IntoIterator<Item = &'a Formula>) -> Scope<'a> {
        let formulas: Vec<&Formula> = formulas.into_iter().collect();
        let reads = |root: &str| formulas.iter().any(|formula| formula.reads.iter().any(|path| path.root() == root));
        let mut scope = self.scope().with("item", found).with("sent", &item.body).and("status", Json::from(answer.status.as_u16()));
        scope = scope.and("key", item.key.as_deref().map_or(Json::Null, Json::from));
        if reads("header") {
            scope = scope.and("header", answer.headers());
        }
        if reads("body") {
            scope = scope.and("body", view::seen(answer.text(), "body", formulas.iter().copied()));
        }
        scope
    }

    /// The fault that a GraphQL error of one field means, by the rules of answers.
    pub(super) fn of_error(&self, error: &Json) -> Fault {
        let text = error.to_string();
        let form = crate::describe::model::Errors { each: None, ..self.of.error.clone() };
        let named = errors(&form, &text).into_iter().next().unwrap_or_default();
        let mut refusal = refusal(&form, &text);
        if refusal.message.is_empty() {
            refusal.message = "no words".to_owned();
        }
        let scope = self
            .scope()
            .with("error", &named)
            .and("asked", Json::from("write"))
            .and("status", Json::from(200))
            .and("message", Json::from(refusal.message.as_str()));
        let rule = self.of.answers.iter().find(|rule| {
            let known = rule.when.reads.iter().all(|path| ["error", "status", "asked", "message"].contains(&path.root()));
            known && rule.when.holds(&scope)
        });
        match rule.map(|rule| rule.is) {
            Some(
                crate::describe::model::AnswerClass::Rejected
                | crate::describe::model::AnswerClass::Absent
                | crate::describe::model::AnswerClass::Exists,
            ) => Fault::Rejected(Refusal { code: if refusal.code.is_empty() { "refused".to_owned() } else { refusal.code }, ..refusal }),
            Some(crate::describe::model::AnswerClass::Conflict) => Fault::Conflict { reason: refusal.message },
            // Only with the vendor's words that nothing was done.
            Some(crate::describe::model::AnswerClass::Throttled) if rule.is_some_and(|rule| rule.nothing_done.is_some()) => {
                Fault::Throttled { until: Some(self.client.limit_now().pause(self.client.now(), None)), reason: refusal.message }
            }
            _ => Fault::ambiguous(refusal.message),
        }
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

/// The text at a path, both as they are written.
fn at(path: &str, of: &str) -> Option<String> {
    Path::parse(path, crate::base::Span::default()).ok().and_then(|path| view::text_at(of, &path))
}

/// For each item the place of its result: by the first of the ways under which it is the only one.
fn matched(matching: &Matching, items: &[Item], results: &[&str]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; items.len()];
    let mut taken = vec![false; results.len()];
    let by_values =
        |found: &mut Vec<Option<usize>>, taken: &mut Vec<bool>, sent: &dyn Fn(&Item) -> Option<String>, told: &dyn Fn(&str) -> Option<String>| {
            let told: Vec<Option<String>> = results.iter().map(|result| told(result)).collect();
            for (at, item) in items.iter().enumerate().filter(|(at, _)| found[*at].is_none()).collect::<Vec<_>>() {
                let Some(value) = sent(item) else { continue };
                let mut same = (0..results.len()).filter(|result| !taken[*result] && told[*result].as_deref() == Some(value.as_str()));
                // Two results of one value say of none of them whose it is; so do two items.
                let alone = items.iter().filter(|other| sent(other).as_deref() == Some(value.as_str())).count() == 1;
                if let (Some(result), None, true) = (same.next(), same.next(), alone) {
                    (found[at], taken[result]) = (Some(result), true);
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
            for way in ways {
                if way.node == "place" {
                    // Only where as many results came as items went, and a result names no item by itself.
                    let names = |result: &str| ways.iter().any(|way| way.node != "place" && self::at(&way.node, result).is_some());
                    if results.len() == items.len() {
                        for at in 0..items.len() {
                            if found[at].is_none() && !taken[at] && !names(results[at]) {
                                (found[at], taken[at]) = (Some(at), true);
                            }
                        }
                    }
                    continue;
                }
                let name = way.node.as_str();
                by_values(&mut found, &mut taken, &|item| at(name, &item.body.to_string()).or_else(|| item.key.clone()), &|result| at(name, result));
            }
        }
        Matching::Fields(fields) => {
            for (path, field) in fields {
                let told = |result: &str| view::text_at(result, path);
                by_values(&mut found, &mut taken, &|item| at(&field.node, &item.body.to_string()).or_else(|| item.key.clone()), &told);
            }
        }
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
        assert_eq!(matched(&by(&["number", "place"]), &items, &shuffled), [Some(1), Some(2), Some(0)]);
        let lacking = [r#"{"number":"c"}"#, r#"{"number":"a"}"#];
        assert_eq!(matched(&by(&["number", "place"]), &items, &lacking), [Some(1), None, Some(0)]);
        // Without the number the place tells, as long as none is lacking.
        let bare = ["{}", r#"{"number":"b"}"#, "{}"];
        assert_eq!(matched(&by(&["number", "place"]), &items, &bare), [Some(0), Some(1), Some(2)]);
        assert_eq!(matched(&by(&["number", "place"]), &items, &["{}", "{}"]), [None, None, None]);
        // A result of a stranger is put to nobody's account.
        let strange = [r#"{"number":"a"}"#, r#"{"number":"x"}"#, r#"{"number":"c"}"#];
        assert_eq!(matched(&by(&["number", "place"]), &items, &strange), [Some(0), None, Some(2)]);
        // Two of one value are nobody's.
        let twice = [r#"{"number":"a"}"#, r#"{"number":"a"}"#];
        assert_eq!(matched(&by(&["number"]), &items, &twice), [None, None, None]);
    }
}
