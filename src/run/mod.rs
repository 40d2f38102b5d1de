//! Runs flows: over files ([`files`]), and between systems ([`live`]).

pub mod alerts;
mod chunks;
pub mod connections;
pub mod cost_estimate;
pub mod executor;
pub mod files;
pub mod live;
pub mod rehearsal;
pub mod sample;
pub mod schemas;
pub mod shared;
