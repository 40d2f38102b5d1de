//! Vendors' API descriptions as one model: OpenAPI 2.0, 3.0 and 3.1, and GraphQL schemas.
//!
//! A description of a system is held against it, and schemas of objects are derived from it. The room reads values that are already
//! JSON; YAML is read by whoever has the file. It knows nothing of any system.

mod access;
mod cut;
mod error;
mod graphql;
mod json_schema;
mod layout;
mod model;
mod openapi;
mod overlay;
mod pointer;
mod questions;
#[cfg(test)]
mod tests;

pub use access::{Scheme, SchemeKind, Server, schemes, servers};
pub use cut::{Origin, Used};
pub use error::SpecError;
pub use layout::indented;
pub use model::{
    Answer, ApiSpec, Body, Discriminator, Fields, Limits, Method, Operation, Others, Parameter, Place, Property, Shape, Style, Type, TypeId,
};
pub use questions::{Found, Unknown};

use crate::value::Json;

impl ApiSpec {
    /// Reads an OpenAPI document.
    ///
    /// # Errors
    /// It is no OpenAPI document of version 2 or 3, or a reference in it leads nowhere.
    pub fn openapi(document: &Json) -> Result<ApiSpec, SpecError> {
        openapi::read(document)
    }

    /// Reads a GraphQL schema: the vendor's text, and texts that correct it (`extend type Order { … }`), each with a name.
    ///
    /// # Errors
    /// A text is no GraphQL, or together they are no valid schema.
    pub fn graphql(texts: &[(&str, &str)]) -> Result<ApiSpec, SpecError> {
        graphql::read(texts)
    }

    /// A GraphQL schema cut to what is used, as SDL; empty where the API is not GraphQL.
    pub fn cut_graphql(&self, used: &Used, origin: &Origin) -> String {
        cut::graphql(self, used, origin)
    }
}

/// Changes an OpenAPI document as an overlay of corrections says (OpenAPI Overlay 1.0).
///
/// # Errors
/// The overlay has not the form of one, an action has no reason, or its target finds nothing.
pub fn correct(document: &mut Json, overlay: &Json) -> Result<(), SpecError> {
    overlay::apply(document, overlay)
}

/// An OpenAPI document cut to what is used.
///
/// # Errors
/// A reference leads nowhere.
pub fn cut_openapi(document: &Json, used: &Used, origin: &Origin) -> Result<Json, SpecError> {
    cut::openapi(document, used, origin)
}
