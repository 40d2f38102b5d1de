//! Reads: no record is lost while a list is paged (D5), or because it shows late (D6), and a call for several records asks for all of
//! them.

use super::visit::{mentions, values};
use crate::base::Span;
use crate::base::diag::Diagnostic;
use crate::describe::error;
use crate::describe::model::{Ask, Batched, Described, Growth, Look, Object, Paging, Request, SettingKind, Stream};
use crate::describe::text::Path;

pub(super) fn streams(described: &Described, object: &Object, found: &mut Vec<Diagnostic>) {
    for stream in &object.changes {
        pages(stream, found);
        days(described, stream, found);
        late(stream, found);
    }
}

/// A call for several records sends all that they are asked for by: what it does not ask for would count as not there.
pub(super) fn batches(object: &Object, found: &mut Vec<Diagnostic>) {
    for get in &object.get {
        if let Look::Ask { ask, .. } = &get.look {
            several(ask, get.batch, "ids", &["id", "value"], get.span, found);
        }
    }
    for find in &object.find {
        if let Look::Ask { brings: Some(name), .. } = &find.look
            && !object.with.iter().any(|with| with.name.node == name.node)
        {
            let known: Vec<&str> = object.with.iter().map(|with| with.name.node.as_str()).collect();
            found.push(error::no_with(&name.node, name.span, &known));
        }
        match (&find.several, &find.look) {
            (Some(ask), _) | (None, Look::Ask { ask, .. }) => several(ask, find.batch, "values", &["value"], find.span, found),
            (None, _) => {}
        }
        // Beside a call for several, that of the look-up is for one.
        if let (Some(_), Look::Ask { ask, .. }) = (&find.several, &find.look) {
            for path in reads(ask, &["values"]) {
                found.push(error::of_several(&path.to_string(), path.span, false));
            }
        }
    }
}

fn reads<'a>(ask: &'a Ask, names: &'static [&'static str]) -> impl Iterator<Item = &'a Path> {
    values(ask).into_iter().flat_map(|value| &value.reads).filter(move |path| names.contains(&path.root()))
}

/// `all` is what the call has of several, and `one` what it has of one alone.
fn several(ask: &Ask, batch: Batched, all: &str, one: &'static [&'static str], span: Span, found: &mut Vec<Diagnostic>) {
    match batch {
        Batched::Aliases(2..) if matches!(ask.request, Request::Rest { .. }) => found.push(error::aliases_of_rest(span)),
        Batched::Together(most @ 2..) => {
            let alone: Vec<&Path> = reads(ask, one).collect();
            found.extend(alone.iter().map(|path| error::of_several(&path.to_string(), path.span, true)));
            if alone.is_empty() && !mentions(ask, "ids") && !mentions(ask, "values") {
                found.push(error::asks_for_none(all, most, span));
            }
            if ask.records.is_none() {
                found.push(error::needs_key("records", span, "a call for several records", "nothing says where their list stands"));
            }
        }
        Batched::Together(_) => found.extend(reads(ask, &["ids", "values"]).map(|path| error::of_one(&path.to_string(), path.span))),
        Batched::Aliases(_) => {}
    }
}

/// How far back a list is gone through is a number, also where a setting says it.
fn days(described: &Described, stream: &Stream, found: &mut Vec<Diagnostic>) {
    let Some(listed) = &stream.listed else { return };
    for path in listed.days.values().flat_map(|value| &value.reads).filter(|path| path.root() == "setting") {
        let setting = path.rest();
        let setting = setting.only().and_then(|name| described.setting(name));
        if let Some(setting) = setting.filter(|setting| !matches!(setting.kind, SettingKind::Integer { .. })) {
            found.push(error::no_number(&setting.name.node, path.span));
        }
    }
}

/// D5.
fn pages(stream: &Stream, found: &mut Vec<Diagnostic>) {
    if stream.until.is_some() && !mentions(&stream.ask, "until") {
        let help = "send it: `query: { before: \"{until}\" }` (GraphQL: `arguments`); or leave `until` out";
        found.push(error::pages_may_lose(stream.name.span, "`until` closes the window, and the call does not send `{until}`", help));
    }
    let Some(page) = &stream.page else {
        found.push(error::pages_may_lose(
            stream.name.span,
            "nothing says how its pages follow each other",
            "add `page`; a list that comes at once is `page: whole`",
        ));
        return;
    };
    if matches!(page.paging, Paging::Number { .. }) && page.more.is_none() && page.size.is_none() {
        let why = "nothing says which page is the last: a system that answers a number behind it with the last page again is read without end";
        let help = "add `size`: how many records make a full page; or `more`: where the answer says that there is another";
        found.push(error::pages_may_lose(page.span, why, help));
    }
    match &page.paging {
        Paging::Number { growth: Growth::Whole, .. } if page.total.is_none() => {
            let why = "what is taken out of the list while it is read moves others over the end of a page, and nothing says that it shrank";
            found.push(error::pages_may_lose(page.span, why, "add `total`: where the answer says how many there are in all"));
        }
        Paging::Number { growth: Growth::Unsaid, .. } => {
            let why = "a record that changes while its pages are read by number moves others over the end of a page";
            let help = "write `grows: true` if new records come at the end and none moves up, or `whole: true` with `total` for a small list that is read whole; else page by `keyset` or by `token`, which need another call";
            found.push(error::pages_may_lose(page.span, why, help));
        }
        Paging::Keyset { fields, asks } => {
            let is_asked = |name: &str| {
                let mut found = false;
                asks.iter().for_each(|(_, value)| {
                    value.templates(&mut |template| found |= template.values().any(|value| value.reads.iter().any(|path| path.root() == name)));
                });
                found
            };
            let names: &[&str] = if fields.len() > 1 { &["stamp", "id"] } else { &["id"] };
            if let Some(name) = names.iter().find(|name| !is_asked(name)) {
                let written: Vec<String> = fields.iter().map(ToString::to_string).collect();
                found.push(error::keyset_unused(page.span, name, &written.join(", ")));
            }
        }
        Paging::Token { .. } if stream.until.is_none() && stream.listed.is_none() => {
            let why = "what changes while its pages are read may move behind the token";
            found.push(error::pages_may_lose(page.span, why, "close the window: add `until: { lag: 30 s }` and send `{until}`"));
        }
        _ => {}
    }
}

/// D6.
fn late(stream: &Stream, found: &mut Vec<Diagnostic>) {
    let reads_all = matches!(stream.page.as_ref().map(|page| &page.paging), Some(Paging::Whole | Paging::Number { growth: Growth::Whole, .. }));
    if stream.listed.is_some() || reads_all {
        return;
    }
    if stream.overlap.is_zero() {
        let help = "add `overlap`: how long after its timestamp a change may appear at most";
        found.push(error::late_records(stream.name.span, "a change that appears after its timestamp is never read", help));
    }
    if !mentions(&stream.ask, "from") {
        let help = "send `{from}`, or say that it is read whole each time: `page: whole`";
        found.push(error::late_records(stream.name.span, "its call has no lower bound: each poll reads all records", help));
    }
}
