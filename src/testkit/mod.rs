//! Test cases of a mapping: reading them, running them, what they cover.
//!
//! In: a plan, case files, fixtures. Out: for each case what differs, and what no case has met.
//! Cases run through the same `apply` that runs live.

pub mod accept;
pub mod cases;
pub mod checked;
pub mod compare;
pub mod coverage;
mod given;
mod node;
pub mod report;
pub mod runner;
pub mod signoff;

pub use cases::{Case, CaseFault};
pub use coverage::Coverage;
pub use node::Node;
pub use runner::{Bench, Difference, Ran};
