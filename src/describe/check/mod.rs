//! What has to hold within a description, whatever the vendor's file says: the rules D1 to D9.
//!
//! A description that is read says what it means; whether that is safe is asked here. A class is never declared: it follows from the means,
//! and a means without what it needs is none.

mod connection;
mod credentials;
mod reads;
#[cfg(test)]
mod tests;
mod visit;
mod writes;

use super::error;
use super::model::{Described, Object};
use crate::base::Span;
use crate::base::diag::Diagnostic;

/// What is wrong within a description, and what it rests on.
pub fn check(described: &Described) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    connection::answers(described, &mut found);
    connection::sign_ins(described, &mut found);
    connection::secrets(described, &mut found);
    credentials::credentials(described, &mut found);
    connection::hosts(described, &mut found);
    connection::webhooks(described, &mut found);
    for object in &described.objects {
        reads::streams(described, object, &mut found);
        reads::batches(object, &mut found);
        for write in &object.writes {
            writes::call(object, write, &mut found);
            writes::guarantee(described, object, write, &mut found);
            writes::batch(object, write, &mut found);
            writes::told_apart(write, &mut found);
            writes::steps(write, &mut found);
        }
    }
    let beginnings = beginnings(described);
    found.retain(|fault| !rests_on_what_is_broken(described, &beginnings, fault.primary.span));
    found.extend(described.unsupported.iter().cloned());
    found.extend(described.assumed.iter().map(|assumed| error::assumed(&assumed.node, assumed.span)));
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    found
}

/// Where each stream and each write begins, and each object. A block's own span is that of its beginning only.
fn beginnings(described: &Described) -> Vec<u32> {
    let of = |object: &Object| {
        let streams = object.changes.iter().map(|stream| stream.span.start.min(stream.name.span.start));
        streams.chain(object.writes.iter().map(|write| write.name.span.start)).chain([object.name.span.start]).collect::<Vec<_>>()
    };
    let mut found: Vec<u32> = described.objects.iter().flat_map(of).collect();
    found.sort_unstable();
    found
}

/// Whether something stands in a stream or a write of which a part could not be read: what is missed there may be what was not read.
fn rests_on_what_is_broken(described: &Described, beginnings: &[u32], at: Span) -> bool {
    let part = |span: Span| beginnings.partition_point(|begins| *begins <= span.start);
    part(at) > 0 && described.broken.iter().any(|broken| part(*broken) == part(at))
}
