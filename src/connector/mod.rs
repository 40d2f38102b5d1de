//! What is known of one service only, a folder each.

pub mod salesforce;
