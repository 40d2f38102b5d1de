//! Described systems against answers that are written down: a file for each, and one for what became of writes.

mod commercetools;
mod shiphero;
mod shipstation_v2;
mod writes;
