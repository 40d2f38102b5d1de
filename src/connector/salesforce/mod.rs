//! Salesforce.

mod client;
pub mod soql;

pub use client::Salesforce;
