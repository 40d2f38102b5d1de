//! What an answer means: the description's rules from the top, and what no rule names by its status.
//!
//! | answer | a read | a write |
//! | --- | --- | --- |
//! | 2xx with JSON, without | ok, transient | ok, ambiguous |
//! | 401; 403; 404; 429 | expired; denied; absent; throttled | expired; denied; rejected; throttled |
//! | 3xx | denied | ambiguous |
//! | other 4xx (408 as 5xx) | rejected | rejected |
//! | 5xx, and what got no answer | transient | ambiguous |
//! | a document with an error | transient | ambiguous |
//!
//! A write of several items whose effect nothing keeps to one is ambiguous at each 4xx but 401: some of the items may be done.
//!
//! A rule makes the outcome of a write no better than that without the vendor's words that nothing was done.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::ask::Answer;
use super::open::Link;
use super::view;
use crate::describe::model::{Answer as Rule, AnswerClass, Errors, FieldOf, Limit, Unit, Wait};
use crate::describe::{Formula, Path, PathStep, Scope, printed};
use crate::fault::{Fault, Refusal};
use crate::http::Response;
use crate::value::Json;
use crate::vm::slice;

/// The longest text of a refusal that is kept, in characters.
const LONGEST_REFUSAL: usize = 2000;

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) object: &'a str,
    pub(super) write: bool,
    /// It is a document of several fields by alias, each of which has an error of its own.
    pub(super) aliases: bool,
    /// It is a write of several items: some may be done where others are refused.
    pub(super) several: bool,
    /// It is a write that is known to have one effect, however it ends: the target keeps it to one, or it is found there.
    pub(super) proven: bool,
}

/// What an answer means for the call.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Answer),
    /// There is no such thing.
    Absent,
    /// The token is no longer good. Only where the fault says that nothing was done, the call may be sent again with another.
    Expired(Fault),
    Refused(Fault),
}

impl Outcome {
    /// The answer to a write.
    ///
    /// # Errors
    /// What it means, where it is not that the write was taken.
    pub(super) fn taken(self) -> Result<Answer, Fault> {
        match self {
            Outcome::Done(answer) => Ok(answer),
            // Only reads are answered so.
            Outcome::Absent => Err(Fault::ambiguous("the answer says that there is no such record")),
            Outcome::Refused(fault) | Outcome::Expired(fault) => Err(fault),
        }
    }
}

/// What is judged: an answer, or the error of one field of its document.
#[derive(Clone, Copy)]
struct Heard<'a> {
    answer: &'a Answer,
    asked: Asked<'a>,
    error: Option<&'a Json>,
}

impl Link {
    /// What an answer means.
    pub(super) fn meaning(&self, asked: Asked<'_>, response: Response) -> Outcome {
        let answer = Answer::of(response);
        self.heed(&answer);
        if asked.aliases && answer.status.is_success() && has_own_errors(&answer, asked.write) {
            return Outcome::Done(answer);
        }
        match self.refusal_of(Heard { answer: &answer, asked, error: None }) {
            None => Outcome::Done(answer),
            Some(refused) => refused,
        }
    }

    /// What the error of one field of a document means, by the same rules.
    pub(super) fn meaning_of_error(&self, asked: Asked<'_>, answer: &Answer, error: &Json) -> Outcome {
        let unknown = if asked.write { Fault::ambiguous } else { Fault::transient };
        self.refusal_of(Heard { answer, asked, error: Some(error) }).unwrap_or_else(|| Outcome::Refused(unknown("an error is called success")))
    }

    /// What is judged, where it is not what was asked for.
    fn refusal_of(&self, heard: Heard<'_>) -> Option<Outcome> {
        let Heard { answer, asked, .. } = heard;
        let (rule, said) = self.class_of(heard);
        let nothing_done = rule.is_some_and(|rule| rule.nothing_done.is_some()) || self.is_before_execution(answer);
        // Of a document that has a result beside its error something was carried out.
        let splits = heard.error.is_none() && (asked.several || (self.of.graphql.is_some() && has_results(answer)));
        let class = match said {
            Said::Rule(class) if asked.write => no_better(class, answer.status, nothing_done, splits),
            Said::Status(_) if is_open(answer.status, asked) => AnswerClass::Ambiguous,
            Said::Rule(class) | Said::Status(class) => class,
        };
        let reason = || self.refusal(heard, rule).message;
        let told = || {
            let told = format!("{} answered {}: {}", self.of.title, answer.status.as_u16(), reason());
            match said {
                _ if answer.status.is_redirection() => format!("{told}; it may have been done, and the connection's `url` may not be where it is"),
                Said::Status(_) if is_open(answer.status, asked) => {
                    format!(
                        "{told}; some of its items may be done: no rule under `answers` of the description says that nothing was (`nothing_done`)"
                    )
                }
                _ => told,
            }
        };
        let fault = match class {
            AnswerClass::Ok => return None,
            AnswerClass::Absent if !asked.write => return Some(Outcome::Absent),
            AnswerClass::Absent | AnswerClass::Rejected | AnswerClass::Exists => Fault::Rejected(self.refusal(heard, rule)),
            AnswerClass::Expired => return Some(Outcome::Expired(Fault::Denied { reason: reason() })),
            AnswerClass::Throttled => {
                let until = self.wait(rule, heard);
                let until = self.client.limit_now().pause(self.client.now(), until);
                Fault::Throttled { until: Some(until), reason: reason() }
            }
            AnswerClass::Denied if answer.status.is_redirection() => {
                // No redirect is followed: the credential would go with it.
                let reason = format!("{} answered {}: the connection's `url` is not where it is", self.of.title, answer.status);
                Fault::Denied { reason }
            }
            AnswerClass::Denied => Fault::Denied { reason: reason() },
            AnswerClass::Conflict => Fault::conflict(reason()),
            AnswerClass::Transient => Fault::transient(told()),
            // A token that ended is renewed for the next call, though this one is not sent again.
            AnswerClass::Ambiguous if asked.write && said == Said::Rule(AnswerClass::Expired) => {
                return Some(Outcome::Expired(Fault::ambiguous(told())));
            }
            AnswerClass::Ambiguous if asked.write => {
                if matches!(said, Said::Rule(AnswerClass::Throttled) | Said::Status(AnswerClass::Throttled)) {
                    // The limit is reached all the same.
                    let until = self.wait(rule, heard);
                    self.client.limit_now().pause(self.client.now(), until);
                }
                Fault::ambiguous(told())
            }
            // A read that was not answered has changed nothing.
            AnswerClass::Ambiguous => Fault::transient(told()),
        };
        Some(Outcome::Refused(fault))
    }

    /// What the description says of what is judged, with the rule; or else what its status says.
    fn class_of(&self, heard: Heard<'_>) -> (Option<&Rule>, Said) {
        let Heard { answer, asked, error } = heard;
        let of_object = |rule: &&Rule| rule.on.is_empty() || rule.on.iter().any(|on| on.node == asked.object);
        let rule = self.of.answers.iter().filter(of_object).find(|rule| rule.when.holds(&self.scope_of(heard, &[&rule.when])));
        if let Some(rule) = rule {
            return (Some(rule), Said::Rule(rule.is));
        }
        let refresh = self.of.auth.refresh.as_ref().map(|refresh| &refresh.when);
        if refresh.is_some_and(|when| when.holds(&self.scope_of(heard, &[when]))) {
            return (None, Said::Rule(AnswerClass::Expired));
        }
        let class = match error {
            Some(_) if asked.write => AnswerClass::Ambiguous,
            Some(_) => AnswerClass::Transient,
            None => self.usual(answer, asked),
        };
        (None, Said::Status(class))
    }

    /// A GraphQL document that was refused before any of it was carried out: its answer has errors and no `data` at all (GraphQL
    /// specification of October 2021, 7.1).
    fn is_before_execution(&self, answer: &Answer) -> bool {
        let at = |name: &str| slice::value_at(answer.text(), &[name]);
        self.of.graphql.is_some()
            && answer.status.is_success()
            && at("data").is_none()
            && at("errors").and_then(slice::elements).is_some_and(|errors| !errors.is_empty())
    }

    /// What an answer means that no rule names.
    fn usual(&self, answer: &Answer, asked: Asked<'_>) -> AnswerClass {
        let unknown = if asked.write { AnswerClass::Ambiguous } else { AnswerClass::Transient };
        match answer.status {
            status if status.is_success() => {
                let is_json = slice::value_at(answer.text(), &[]).is_some();
                // Success of a write may have no body: its receipt says whether that is so.
                let is_empty = asked.write && answer.text().trim().is_empty();
                let has_errors = || {
                    self.of.graphql.is_some() && slice::value_at(answer.text(), &["errors"]).is_some_and(|errors| errors != "null" && errors != "[]")
                };
                if (is_json || is_empty) && !has_errors() { AnswerClass::Ok } else { unknown }
            }
            StatusCode::UNAUTHORIZED => AnswerClass::Expired,
            StatusCode::FORBIDDEN => AnswerClass::Denied,
            // That a write is redirected is said after it as well as before.
            status if status.is_redirection() => {
                if asked.write {
                    AnswerClass::Ambiguous
                } else {
                    AnswerClass::Denied
                }
            }
            StatusCode::NOT_FOUND => AnswerClass::Absent,
            StatusCode::TOO_MANY_REQUESTS => AnswerClass::Throttled,
            StatusCode::REQUEST_TIMEOUT => unknown,
            status if status.is_client_error() => AnswerClass::Rejected,
            _ => unknown,
        }
    }

    /// What expressions on an answer read, as far as they read it.
    fn scope_of<'a>(&'a self, heard: Heard<'_>, formulas: &[&Formula]) -> Scope<'a> {
        let Heard { answer, asked, error } = heard;
        let reads = |root: &str| formulas.iter().any(|formula| formula.reads.iter().any(|path| path.root() == root));
        let mut scope =
            self.scope().and("status", Json::from(answer.status.as_u16())).and("asked", Json::from(if asked.write { "write" } else { "read" }));
        if reads("header") {
            scope = scope.and("header", answer.headers());
        }
        if reads("body") {
            scope = scope.and("body", view::seen(answer.text(), "body", formulas.iter().copied()));
        }
        if reads("error") {
            // The first error of an answer, with its code, message and field under these names.
            let found = match error {
                Some(error) => errors(&self.of_one(), &error.to_string()),
                None => errors(&self.of.error, answer.text()),
            };
            scope = scope.and("error", found.into_iter().next().unwrap_or_default());
        }
        if reads("message") {
            scope = scope.and("message", Json::from(self.refusal(heard, None).message));
        }
        for name in ["data", "errors", "extensions"] {
            if reads(name) {
                let deep = formulas.iter().any(|formula| formula.reads.iter().any(|path| path.root() == name && path.steps.len() > 1));
                let value = slice::value_at(answer.text(), &[name]);
                let value = value
                    .map_or(Json::Null, |value| if deep || name != "data" { serde_json::from_str(value).unwrap_or_default() } else { there(value) });
                scope = scope.and(name, value);
            }
        }
        for (name, path) in &self.of.lets {
            if reads(&name.node) {
                scope = scope.and(&name.node, view::json_at(answer.text(), path).unwrap_or_default());
            }
        }
        scope
    }

    /// Where one error by itself has its words.
    fn of_one(&self) -> Errors {
        Errors { each: None, ..self.of.error.clone() }
    }

    /// The words of a refusal.
    fn refusal(&self, heard: Heard<'_>, rule: Option<&Rule>) -> Refusal {
        let status = heard.answer.status;
        let mut refusal = match heard.error {
            Some(error) => refusal(&self.of_one(), &error.to_string()),
            None => refusal(&self.of.error, heard.answer.text()),
        };
        if refusal.message.is_empty() {
            let words = if heard.error.is_some() { None } else { status.canonical_reason() };
            refusal.message = words.unwrap_or("no words").to_owned();
        }
        if refusal.code.is_empty() {
            refusal.code = if heard.error.is_some() { "refused".to_owned() } else { status.as_u16().to_string() };
        }
        if let Some(hint) = rule.and_then(|rule| rule.hint.as_ref()) {
            refusal.message = format!("{} ({hint})", refusal.message);
        }
        refusal
    }

    /// Until when a system at its limit is left alone, where anything says so.
    fn wait(&self, rule: Option<&Rule>, heard: Heard<'_>) -> Option<Timestamp> {
        let now = self.client.now();
        match rule.and_then(|rule| rule.wait.as_ref()) {
            Some(Wait::Seconds(formula)) => {
                let value = formula.value(&self.scope_of(heard, &[formula]))?;
                // `45` or `45 seconds`.
                let text = printed(&value);
                seconds_from(now, text.split_whitespace().next()?.parse().ok()?)
            }
            Some(Wait::Until(formula)) => {
                let until: Timestamp = printed(&formula.value(&self.scope_of(heard, &[formula]))?).parse().ok()?;
                seconds_from(now, until.duration_since(now).as_secs_f64())
            }
            Some(Wait::Limit) | None => self.told_wait(heard.answer, now),
        }
    }

    /// The time that the limit's own headers name; else that of `Retry-After` (RFC 9110, 10.2.3), in seconds.
    fn told_wait(&self, answer: &Answer, now: Timestamp) -> Option<Timestamp> {
        let told = self.of.limits.iter().find_map(|limit| match limit {
            Limit::Window { told, .. } | Limit::Bucket { told, .. } => Some(told),
            _ => None,
        });
        let named = told.into_iter().flatten().filter(|(name, _)| ["resets_in", "or"].contains(&name.node.as_str()));
        let seconds = named.filter_map(|(_, measure)| {
            let number: f64 = number_at(answer, &measure.path)?;
            match measure.unit {
                Unit::UnixSeconds => Some(number - now.as_second() as f64),
                Unit::Milliseconds => Some(number / 1_000.0),
                Unit::Seconds | Unit::One => Some(number),
            }
        });
        let seconds = seconds.into_iter().next().or_else(|| answer.headers.get("retry-after")?.to_str().ok()?.trim().parse().ok())?;
        seconds_from(now, seconds)
    }

    /// What an answer says of the limits.
    fn heed(&self, answer: &Answer) {
        let now = self.client.now();
        for limit in &self.of.limits {
            if let Limit::Credits(credits) = limit {
                let left = credits.told.iter().find(|(name, _)| name.node == "left").and_then(|(_, measure)| number_at(answer, &measure.path));
                if let Some(left) = left.filter(|left| (0.0..1e9).contains(left)) {
                    self.client.limit_now().told(now, None, left as u32);
                }
                continue;
            }
            let Limit::Window { told, .. } = limit else { continue };
            let number = |name: &str| {
                let (_, measure) = told.iter().find(|(known, _)| known.node == name)?;
                number_at(answer, &measure.path).filter(|number| (0.0..1e9).contains(number))
            };
            if let (Some(calls), Some(left), Some(resets)) = (number("calls"), number("left"), number("resets_in")) {
                self.client.limit_now().seen(now, calls as u32, left as u32, SignedDuration::from_secs(resets as i64));
            }
        }
    }
}

/// Whether each error of a document with aliases is that of one of them, by its path. Of a write with some results it is enough that
/// there are some: those were carried out, and what the errors leave open is in doubt.
fn has_own_errors(answer: &Answer, write: bool) -> bool {
    if slice::value_at(answer.text(), &["data"]).is_none_or(|data| !data.starts_with('{')) {
        return false;
    }
    let errors = slice::value_at(answer.text(), &["errors"]).and_then(slice::elements).unwrap_or_default();
    let is_of_one = |error: &&str| {
        let path = slice::value_at(error, &["path"]).and_then(slice::elements).unwrap_or_default();
        path.first().is_some_and(|alias| slice::string(alias).is_some())
    };
    errors.iter().all(is_of_one) || (write && has_results(answer))
}

/// Whether a field of a document has a result.
fn has_results(answer: &Answer) -> bool {
    let data = slice::value_at(answer.text(), &["data"]).and_then(|data| serde_json::from_str::<Json>(data).ok());
    data.as_ref().and_then(Json::as_object).is_some_and(|data| data.values().any(|value| !value.is_null()))
}

/// Who says what an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// The description, by a rule or by when a token is renewed.
    Rule(AnswerClass),
    /// Its status.
    Status(AnswerClass),
}

/// Whether a refusal that no rule names leaves open what was done. Nobody vouches for how a client's own system takes several items: it may
/// carry out some of them before it refuses one. Only a call without a credential that is good was not looked at (RFC 9110, 15.5.2).
fn is_open(status: StatusCode, asked: Asked<'_>) -> bool {
    asked.write && asked.several && !asked.proven && status.is_client_error() && status != StatusCode::UNAUTHORIZED
}

/// The class that a rule names for a write, as far as it can be believed. After success, a redirect, and a failure of the system, the write
/// may have been done whatever the rule says, unless the vendor says that nothing was. What was not answered with success was not done by
/// anybody's words. Of several items, and of a
/// document with a result (`splits`), a refusal at success need not be that of the whole.
fn no_better(class: AnswerClass, status: StatusCode, nothing_done: bool, splits: bool) -> AnswerClass {
    let failed = status.is_server_error() || status.is_redirection() || status == StatusCode::REQUEST_TIMEOUT;
    match class {
        AnswerClass::Ok if !status.is_success() => AnswerClass::Ambiguous,
        AnswerClass::Ok | AnswerClass::Ambiguous => class,
        _ if nothing_done => class,
        AnswerClass::Rejected | AnswerClass::Absent | AnswerClass::Exists if status.is_success() && !splits => class,
        _ if failed || status.is_success() => AnswerClass::Ambiguous,
        class => class,
    }
}

/// So many seconds later: at least one, and not more than a day. What says more is no number of seconds.
fn seconds_from(now: Timestamp, seconds: f64) -> Option<Timestamp> {
    let millis = (seconds.clamp(1.0, 86_400.0) * 1_000.0) as i64;
    now.checked_add(SignedDuration::from_millis(millis)).ok()
}

/// A number that an answer says: in a header, or in its body.
fn number_at(answer: &Answer, path: &Path) -> Option<f64> {
    if path.root() == "header" {
        let PathStep::Name(name) = path.steps.get(1)? else { return None };
        return answer.headers.get(name.as_str())?.to_str().ok()?.trim().parse().ok();
    }
    view::text_at(answer.text(), path)?.parse().ok()
}

/// Something is there, whatever it is.
fn there(value: &str) -> Json {
    if value == "null" { Json::Null } else { Json::Bool(true) }
}

/// The errors of a text, each with its code, message and field under these names.
pub(super) fn errors(form: &Errors, text: &str) -> Vec<Json> {
    let found: Vec<Json> = match &form.each {
        Some(each) => match view::records(text, Some(each)) {
            Some(errors) => errors.into_iter().map(|error| serde_json::from_str(error).unwrap_or_default()).collect(),
            // One error where a list of them is usual.
            None => view::json_at(text, each).filter(Json::is_object).into_iter().collect(),
        },
        None => serde_json::from_str(text).into_iter().collect(),
    };
    found.into_iter().filter(Json::is_object).map(|error| named(form, error)).collect()
}

/// The first error of a text, where it tells of one. Where no list of errors is named, the text is one if it has a code or words.
pub(super) fn error_in(form: &Errors, text: &str) -> Option<Json> {
    let says = |error: &Json, path: &Path| path.all(error).into_iter().any(|value| !value.is_null() && value.as_str() != Some(""));
    errors(form, text).into_iter().find(|error| form.each.is_some() || form.code.iter().chain(&form.message).any(|path| says(error, path)))
}

fn named(form: &Errors, mut error: Json) -> Json {
    let at = |path: &Path| path.all(&error).into_iter().find(|value| !value.is_null()).cloned();
    let words = form.message.iter().find_map(|path| {
        let found: Vec<String> = path.all(&error).into_iter().flat_map(texts).collect();
        (!found.is_empty()).then(|| Json::from(found.join("; ")))
    });
    let field = form.field.as_ref().and_then(|field| match field {
        FieldOf::At(path) => at(path),
        FieldOf::FirstName { of, without_before } => {
            let name = of.get(&error)?.as_object()?.keys().next()?.as_str();
            let name = without_before.as_deref().and_then(|sign| name.split_once(sign)).map_or(name, |(_, rest)| rest);
            Some(Json::from(name))
        }
    });
    let more: Vec<(String, Json)> = form.more.iter().filter_map(|(name, path)| Some((name.node.clone(), at(path)?))).collect();
    let named = [("code".to_owned(), form.code.as_ref().and_then(at)), ("message".to_owned(), words), ("field".to_owned(), field)];
    if let Json::Object(fields) = &mut error {
        fields.extend(more);
        fields.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }
    error
}

/// The texts of a value: itself, or its elements.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::String(text) if !text.trim().is_empty() => vec![text.clone()],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The words of what is refused, as far as they are where the description says. The code and the message may be empty.
pub(super) fn refusal(form: &Errors, text: &str) -> Refusal {
    let errors = errors(form, text);
    let said = |name: &str| errors.iter().find_map(|error| error.get(name)).map(printed).filter(|text| !text.is_empty());
    let mut words: Vec<String> = errors.iter().filter_map(|error| error.get("message")).map(printed).filter(|text| !text.is_empty()).collect();
    if words.is_empty() {
        words.extend(form.otherwise.as_ref().and_then(|path| view::text_at(text, path)));
    }
    Refusal {
        code: said("code").unwrap_or_default(),
        message: words.join("; ").chars().take(LONGEST_REFUSAL).collect(),
        partly: false,
        field: said("field"),
    }
}
