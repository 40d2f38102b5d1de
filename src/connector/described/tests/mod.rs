//! Described systems against answers that are written down: a file for each.

mod commercetools;
mod shiphero;
mod shipstation_v2;
