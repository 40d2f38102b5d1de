//! What has to hold within a description, whatever the vendor's file says: the rules D1 to D9.
//!
//! A description that is read says what it means; whether that is safe is asked here. A class is never declared: it follows from the means,
//! and a means without what it needs is none.

mod connection;
mod reads;
mod writes;

use super::error;
use super::model::{Ask, Described, Look, Request};
use super::text::{Filled, Formula, Template};
use crate::base::diag::Diagnostic;

/// What is wrong within a description, and what it rests on.
pub fn check(described: &Described) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    connection::answers(described, &mut found);
    connection::secrets(described, &mut found);
    connection::hosts(described, &mut found);
    connection::webhooks(described, &mut found);
    for object in &described.objects {
        reads::streams(object, &mut found);
        for write in &object.writes {
            writes::guarantee(described, object, write, &mut found);
            writes::batch(write, &mut found);
            writes::steps(write, &mut found);
        }
    }
    found.extend(described.assumed.iter().map(|assumed| error::assumed(&assumed.node, assumed.span)));
    found.extend(described.hooks.iter().map(|hook| error::hook(&hook.name.node, hook.name.span)));
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    found
}

/// The templates of a call.
fn templates<'a>(ask: &'a Ask, see: &mut dyn FnMut(&'a Template)) {
    match &ask.request {
        Request::Rest { path, query, body, .. } => {
            see(path);
            query.iter().for_each(|(_, value)| value.templates(see));
            body.iter().for_each(|body| body.templates(see));
        }
        Request::GraphQl { arguments, .. } => arguments.iter().for_each(|arguments| arguments.templates(see)),
    }
    ask.headers.iter().for_each(|(_, value): &(_, Filled)| value.templates(see));
}

/// The values that a call reads.
fn values(ask: &Ask) -> Vec<&Formula> {
    let mut found = Vec::new();
    templates(ask, &mut |template| found.extend(template.values()));
    found
}

/// Whether a call reads a name, or something below it.
fn mentions(ask: &Ask, root: &str) -> bool {
    values(ask).iter().any(|value| value.reads.iter().any(|path| path.root() == root))
}

/// The calls of a look-up.
fn calls<'a>(look: &'a Look, see: &mut dyn FnMut(&'a Ask)) {
    match look {
        Look::Ask { ask, .. } => see(ask),
        Look::Scan(scan) => see(&scan.ask),
        Look::All(all) => all.iter().for_each(|look| calls(look, see)),
        Look::Get | Look::Parts | Look::Listed | Look::Refused | Look::Hook(_) => {}
    }
}
