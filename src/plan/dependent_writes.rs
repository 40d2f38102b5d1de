//! Writes that can be sent in the call of an earlier write: they use nothing of its result but the id, as the whole value of a field.

use crate::ir::{Expr, Flow, Operation, RowValue, Write, walk};
use crate::value::ObjectRef;

/// What a write takes from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ride {
    /// The earlier write.
    pub on: String,
    /// The fields that its record's id goes to.
    pub fields: Vec<String>,
}

/// The earlier write of a flow whose call this one can go in, if the target takes that. `id_field`: the field of an
/// object that holds its id.
pub fn ride<'p>(flow: &Flow, write: &Write, id_field: impl Fn(&ObjectRef) -> Option<&'p str>) -> Option<Ride> {
    let whole = |write: &Write| write.repeat.is_none() && write.milestones.is_none();
    if write.op == Operation::Update || write.key.is_none() || !whole(write) {
        return None;
    }
    let results = || flow.writes.iter().take_while(|other| other.name != write.name).filter(|other| other.result.is_some());
    let mut reads = 0;
    walk::write(write, &mut |expr| {
        if let Expr::Slot { slot, .. } = expr {
            reads += usize::from(results().any(|other| other.result == Some(*slot)));
        }
    });
    results().find_map(|other| {
        let id = id_field(&other.object)?;
        if other.object.connection != write.object.connection || !whole(other) {
            return None;
        }
        let is_id = |value: &RowValue| match value {
            RowValue::Expr(expr) => matches!(uncoerced(expr), Expr::Field { base, name, .. }
                if **name == *id && matches!(&**base, Expr::Slot { slot, .. } if Some(*slot) == other.result)),
            RowValue::Object { .. } | RowValue::Clear => false,
        };
        let fields: Vec<String> = write.body.rows.iter().filter(|row| is_id(&row.value)).map(|row| row.name.clone()).collect();
        // Whatever else reads a result has to wait for it.
        (!fields.is_empty() && fields.len() == reads).then(|| Ride { on: other.name.clone(), fields })
    })
}

/// An expression without what its text is held to.
fn uncoerced(expr: &Expr) -> &Expr {
    match expr {
        Expr::Coerce { value, .. } => uncoerced(value),
        other => other,
    }
}
