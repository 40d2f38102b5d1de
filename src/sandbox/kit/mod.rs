//! The kit that sandboxes of described systems are made from.
//!
//! A sandbox has three sources, and a system's description is none of them: the vendor's file says which requests there are and what an
//! answer looks like ([`graphql`], [`rest`]); `sandbox/<name>/laws.yaml` says how the system behaves ([`laws`]), each law with the vendor's sentence,
//! or with the note that nobody says it; recorded answers are what answers are held against. A law that nobody proved is run both ways:
//! a connector has to be right in each world.

pub mod graphql;
pub mod laws;
pub mod rest;
