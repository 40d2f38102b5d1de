//! Described systems against answers that are written down: a file for each.

mod shipstation_v2;
