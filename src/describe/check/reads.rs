//! Streams: no record is lost while a list is paged (D5), or because it shows late (D6).

use crate::base::diag::Diagnostic;
use crate::describe::error;
use crate::describe::model::{Growth, Object, Paging, Stream};

pub(super) fn streams(object: &Object, found: &mut Vec<Diagnostic>) {
    for stream in &object.changes {
        pages(stream, found);
        late(stream, found);
    }
}

/// D5.
fn pages(stream: &Stream, found: &mut Vec<Diagnostic>) {
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
        let help = "add `overlap`: how long after its stamp a change may show at most";
        found.push(error::late_records(stream.name.span, "a change that shows after its stamp is never read", help));
    }
    let has_bound = super::visit::mentions(&stream.ask, "from");
    if !has_bound {
        let help = "send `{from}`, or say that it is read whole each time: `page: whole`";
        found.push(error::late_records(stream.name.span, "its call has no lower bound: each poll reads all records", help));
    }
}
