//! What is said where a description and the vendor's file differ.

use crate::apispec::Unknown;
use crate::base::Span;
use crate::base::diag::{Code, Diagnostic};

/// A name that the vendor's file does not have.
pub(super) fn not_in_file(unknown: &Unknown, span: Span) -> Diagnostic {
    let said = Diagnostic::new(Code::NotInFile, span, format!("the vendor's file has no {} `{}`", unknown.what, unknown.name));
    match unknown.help() {
        Some(help) => said.help(help),
        None => said.help("correct the name; where the vendor's file is wrong, correct that with an overlay (`corrections`)"),
    }
}

/// A call that the cut file does not have: it may stand in the vendor's whole file.
pub(super) fn not_in_cut(unknown: &Unknown, span: Span, system: &str) -> Diagnostic {
    let said = Diagnostic::new(Code::NotInFile, span, format!("`{}` is none of the calls that were imported", unknown.name))
        .why("the file beside the description has only the calls that were used at the last import")
        .help(format!("import the vendor's whole file again: `crossdock system import {system} --openapi FILE`"));
    match unknown.help() {
        Some(help) => said.help(help),
        None => said,
    }
}

/// The vendor's file demands a name that is not said.
pub(super) fn demanded(what: &str, name: &str, of: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::FileDemands, span, format!("{of} demands the {what} `{name}`"))
        .why("the system would refuse the call")
        .help(format!("add `{name}`; where the vendor's file is wrong, correct that with an overlay (`corrections`)"))
}

/// A value of another type than the vendor's file has.
pub(super) fn other_type(what: &str, takes: &str, value: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NotInFile, span, format!("the vendor's file takes {takes} for {what}, and this is `{value}`"))
        .why("the system would refuse the call")
        .help(format!("write {takes}; where the vendor's file is wrong, correct that with an overlay (`corrections`)"))
}

/// Less than the vendor's file takes.
pub(super) fn too_few(number: &str, least: &str, what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::FileDemands, span, format!("the vendor's file takes {least} at least, and {what} is {number}"))
        .why("the system would refuse the call")
        .help(format!("write {least} or more; where the vendor's file is wrong, correct that with an overlay (`corrections`)"))
}

/// A key that the system gives itself.
pub(super) fn key_is_read_only(key: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NotInFile, span, format!("`{key}` is the key, and the vendor's file has it as `readOnly`"))
        .why("the system gives it itself: what is sent of it has no effect, and finds nothing again")
        .help("name a field as `key` that the call may send; where the vendor's file is wrong, correct that with an overlay (`corrections`)")
}

/// More than the vendor's file takes.
pub(super) fn too_many(number: u64, most: u64, what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::FileDemands, span, format!("the vendor's file takes {most} at most, and {what} is {number}"))
        .why("the system would refuse the call, or give less than was asked for")
        .help(format!("write {most}; where the vendor's file is wrong, correct that with an overlay (`corrections`)"))
}

/// A value of the item that is neither a field of the object nor what it is put into.
pub(super) fn no_item(name: &str, near: Option<&str>, span: Span) -> Diagnostic {
    let said = Diagnostic::new(Code::NotInFile, span, format!("the object has no field `{name}`, and the call has none of this name here"));
    match near {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said.help("an item has the fields of its object, and those that its calls take"),
    }
}

/// An answer that holds a list of records, where one record is expected.
pub(super) fn needs_records(object: &str, list: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::NeedsKey, span, format!("the call needs `records`: its answer is no {object}, and has a list of them"))
        .why("the answer as a whole would be taken for the record")
        .help(format!("add `records: {list}`"))
}

/// An object of the description itself.
pub(super) fn no_object(name: &str, near: Option<&str>, span: Span) -> Diagnostic {
    let said = Diagnostic::new(Code::NotInFile, span, format!("the description has no object `{name}`"));
    match near {
        Some(near) => said.help(format!("did you mean `{near}`?")),
        None => said.help("name one of `objects`"),
    }
}
