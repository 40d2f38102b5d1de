//! ShipStation's API V1.
