//! GraphQL as a server has it: a request's document is validated whole against the vendor's schema, and executed.
//!
//! Which documents are refused is held against graphql-js (`tests/clients/graphql-js.mjs`).

mod connection;
mod execute;
mod forms;
#[cfg(test)]
mod tests;

pub use connection::{Page, page};
pub use execute::{Call, Execution, Resolver};
pub use forms::{Document, Forms, Problem};
