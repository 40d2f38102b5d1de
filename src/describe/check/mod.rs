//! What has to hold within a description, whatever the vendor's file says: the rules D1 to D9.
//!
//! A description that is read says what it means; whether that is safe is asked here. A class is never declared: it follows from the means,
//! and a means without what it needs is none.

mod connection;
mod reads;
#[cfg(test)]
mod tests;
mod visit;
mod writes;

use super::error;
use super::model::Described;
use crate::base::diag::Diagnostic;

/// What is wrong within a description, and what it rests on.
pub fn check(described: &Described) -> Vec<Diagnostic> {
    let mut found = described.unsupported.clone();
    connection::answers(described, &mut found);
    connection::sign_ins(described, &mut found);
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
    found.sort_by_key(|fault| (fault.primary.span.start, fault.code));
    found
}
