//! Target fields: unknown, not written, unset, set twice.

use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};
use crate::check::error::names::{other_fields, some};
use crate::ir::Operation;
use crate::schema::{Field, Object};
use crate::syntax::tree::Name;
use crate::value::{Kind, ObjectRef};

pub(in crate::check) fn unknown_target(of: &ObjectRef, object: &Object, name: &Name) -> Diagnostic {
    let known = object.fields.iter().filter(|(_, field)| field.write.create || field.write.update).map(|(name, _)| name.as_str());
    let diagnostic = Diagnostic::new(Code::UnknownTargetField, name.span, format!("`{of}` has no field `{}`", name.node));
    other_fields(diagnostic, of, object, name, known.collect())
}

pub(in crate::check) fn not_writable(of: &ObjectRef, name: &Name, field: &Field, op: Option<Operation>) -> Diagnostic {
    let never = !field.write.create && !field.write.update;
    let text = match op {
        _ if never => format!("`{of}.{}` cannot be written", name.node),
        Some(Operation::Update) => format!("`{of}.{}` can be set only when the record is created", name.node),
        _ => format!("`{of}.{}` cannot be set when the record is created", name.node),
    };
    Diagnostic::new(Code::NotWritable, name.span, text)
        .why("the system sets it by itself, and refuses or ignores what is sent")
        .help("take the row out, or set a field that the system takes")
}

pub(in crate::check) fn required_unset(of: &ObjectRef, missing: &[&str], head: Span, system: &str) -> Diagnostic {
    let text = match missing {
        [one] => format!("`{of}.{one}` is required and not set"),
        more => format!("`{of}` has required fields that are not set: {}", some(more, 8)),
    };
    let rows: Vec<String> = missing.iter().take(4).map(|name| format!("{name} = …")).collect();
    Diagnostic::new(Code::RequiredFieldUnset, head, text)
        .why(format!("{system} would refuse every record"))
        .help(format!("add   {}", rows.join("   ")))
}

pub(in crate::check) fn set_twice(of: &ObjectRef, name: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::FieldSetTwice, second, format!("`{of}.{name}` is set twice")).other(first, "set here first").help("leave one of them out")
}

pub(in crate::check) fn cannot_clear(of: &ObjectRef, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::CannotClear, span, format!("`{of}.{name}` takes no empty value"))
        .why("the target would refuse or ignore the null")
        .help("leave `clear` out: a value gone at the source then stays at the target")
}

pub(in crate::check) fn not_an_object(of: &ObjectRef, name: &str, span: Span, kind: &Kind) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NotAnObject, span, format!("`{of}.{name}` is {} and has no fields", super::types::a(kind)));
    if matches!(kind, Kind::List(_)) {
        diagnostic.help(format!("write `{name} = each x in … {{ … }}`"))
    } else {
        diagnostic.help(format!("write `{name} = …`"))
    }
}
