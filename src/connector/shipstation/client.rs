//! Placeholder.

use std::sync::Arc;

use crate::connector::registry::{Settings, Unusable};
use crate::http::{Clock, Transport};

pub struct ShipStation;

impl ShipStation {
    pub fn new(_settings: &Settings, _transport: Arc<dyn Transport>, _clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        todo!()
    }
}
