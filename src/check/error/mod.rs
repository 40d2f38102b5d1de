//! What the checker says: one function a mistake, in files by what the mistake is about.

pub(super) mod doubts;
pub(super) mod feeds;
pub(super) mod fields;
pub(super) mod flows;
pub(super) mod items;
pub(super) mod limits;
pub(super) mod lints;
pub(super) mod names;
pub(super) mod presence;
pub(super) mod routes;
pub(super) mod schedules;
pub(super) mod sections;
pub(super) mod tables;
pub(super) mod types;
pub(super) mod values;
