//! What the checker says: one function a mistake, in files by what the mistake is about.

pub(super) mod items;
pub(super) mod lints;
pub(super) mod routes;
pub(super) mod schedules;
pub(super) mod tables;
