//! Salesforce.

pub mod soql;
