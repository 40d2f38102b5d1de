//! Salesforce's REST API.
