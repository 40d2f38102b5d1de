//! A description held against the vendor's own file: each path, method, parameter, field, enumeration value and action that it
//! names is there, and each path into an answer leads somewhere.
//!
//! What is found on the way is kept: the operations that are used, by which a vendor's file is cut, and what is read and written of
//! each object, from which its schema is derived.

mod ask;
mod connection;
mod error;
mod form;
mod formula;
mod object;
mod reads;
mod sent;
mod writes;

pub use connection::BESIDE_DATA;
pub use form::Form;
pub use object::{ObjectForms, Sink, WriteForms};

use super::Described;
use super::model::Spec;
use crate::apispec::{ApiSpec, Used};
use crate::base::diag::Diagnostic;

/// One of the vendor's files, read.
#[derive(Debug, Clone, Copy)]
pub struct VendorFile<'a> {
    pub spec: &'a Spec,
    pub api: &'a ApiSpec,
    /// It is cut to the calls that were used when it was imported.
    pub is_cut: bool,
}

/// What a description says of a vendor's files.
#[derive(Debug)]
pub struct Survey<'a> {
    /// Names that the files do not have, and what they demand that is not said.
    pub found: Vec<Diagnostic>,
    /// What is read and written of each object, in the order of the description.
    pub objects: Vec<ObjectForms<'a>>,
    /// What is used of each file.
    pub used: Vec<Used>,
}

/// Holds a description against the vendor's files. With no file nothing is found.
pub fn survey<'a>(described: &'a Described, files: &[VendorFile<'a>]) -> Survey<'a> {
    let mut surveyor = Surveyor {
        described,
        files: files.to_vec(),
        found: Vec::new(),
        used: vec![Used::default(); files.len()],
        records: Vec::new(),
        errors: Form::default(),
    };
    let objects = if files.is_empty() { Vec::new() } else { surveyor.whole() };
    let mut found = surveyor.found;
    found.sort_by_key(|fault| (fault.primary.span.start, fault.primary.span.end, fault.message.clone()));
    found.dedup();
    Survey { found, objects, used: surveyor.used }
}

struct Surveyor<'a> {
    described: &'a Described,
    files: Vec<VendorFile<'a>>,
    found: Vec<Diagnostic>,
    used: Vec<Used>,
    /// What a record of each object is, as it is read.
    records: Vec<(&'a str, Form<'a>)>,
    /// The bodies of all errors of the operations used.
    errors: Form<'a>,
}
