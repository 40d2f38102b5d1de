//! The same engine, connectors and store as in a live run, under a seeded scheduler, against the sandbox behind a network
//! that fails; and checks over the sandbox's own log.
//!
//! One seed is one run, to the byte: what happens, in which order, and which faults. [`run`] gives the findings; a
//! mechanism of safety that is switched off ([`Off`]) has to give some.

mod channel;
mod check;
mod commercetools;
mod crm;
mod disk;
mod hazards;
mod history;
mod keeping;
mod orders;
mod parcels;
mod past;
mod process;
mod profile;
mod promises;
mod replay;
mod scenario;
mod shiphero;
mod sides;
mod story;
mod time;
mod wire;
mod world;

#[cfg(test)]
mod alive;

pub use check::Finding;
pub use profile::Profile;
pub use scenario::{Hazards, Off, Report, Scenario, Setup};
pub use time::Virtual;
pub use world::run;
