//! ShipStation, API V1.

mod client;

pub use client::ShipStation;
