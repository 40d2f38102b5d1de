//! `commercetools-shipstation`: what customers and people do in a day, and what has to be true afterwards.

mod acts;
mod laws;

pub(super) use self::acts::schedule;
pub(super) use self::laws::{judge, order_of};
