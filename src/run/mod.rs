//! Runs flows: over files ([`files`]), and between systems ([`live`]).

pub mod alerts;
pub mod calls;
pub mod carry;
mod chunks;
pub mod connections;
pub mod dry;
pub mod files;
pub mod live;
pub mod sample;
pub mod schemas;
pub mod shared;
