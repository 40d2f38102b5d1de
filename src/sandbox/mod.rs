//! The systems themselves, on this machine: they speak the vendors' HTTP protocols, keep state, and refuse what
//! the vendors would refuse.
//!
//! A [`System`] is a value: a request and the time go in, an answer comes out. [`server`] puts it on loopback;
//! the simulator calls it directly. Nothing in here knows the engine, and each system keeps a log of its own of
//! what was done to it, which the checks compare with.

pub mod commercetools;
pub mod faults;
pub mod kit;
pub mod rng;
pub mod salesforce;
pub mod server;
pub mod shiphero;
pub mod shipstation;
pub mod user_actions;

use jiff::Timestamp;
use serde::Serialize;

use crate::http::{Request, Response};
use crate::value::Json;

/// Dates an answer by the sandbox's clock, with whole seconds, as servers do (RFC 9110, 6.6.1).
fn date(response: &mut Response, now: Timestamp) {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
    if let Some(date) = date.ok().and_then(|date| http::HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(http::header::DATE, date);
    }
}

/// One system with its state. Deterministic: the same requests at the same times give the same answers.
pub trait System: Send {
    /// `salesforce`, `shipstation`
    fn name(&self) -> &'static str;

    /// Answers a request to the vendor's API. The host of its URL does not matter. The request is carried out at `now`.
    fn handle(&mut self, request: &Request, now: Timestamp) -> Response;

    /// What a person does at the system: `ship`, `cancel`, `deliver`, with the order's number or key and settings.
    ///
    /// # Errors
    /// Why it cannot be done, in one sentence.
    fn act(&mut self, act: &Act, now: Timestamp) -> Result<Json, String>;

    /// Webhooks that are to be delivered by now, each once. Lost and doubled ones are the fault kit's matter.
    fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery>;

    /// The body of an error in the system's own form.
    fn error(&self, words: &str) -> Json;

    /// What it answers where its limit of calls is used up: a status, a body, and headers.
    fn throttled(&self) -> (u16, Json, &'static [(&'static str, &'static str)]);

    /// What was done to the system, in order. Reads are no effects.
    fn effects(&self) -> &[Effect];

    /// Calls of the API so far, refused ones included.
    fn calls(&self) -> u64;

    /// What callers sent that the vendor's description does not know.
    fn protocol_violations(&self) -> Vec<String> {
        Vec::new()
    }

    /// The most calls that were made in one window of the limit, where there is one: without those that came late.
    fn most_in_window(&self) -> u32 {
        0
    }

    /// Carries out a request that the network has held back: its caller waits for no answer any more.
    fn handle_late(&mut self, request: &Request, now: Timestamp) -> Response {
        self.handle(request, now)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct Act {
    /// `ship`, `cancel`, `deliver`, `create`, `change`, `delete`, …
    pub verb: String,
    /// The order's number, key or id; empty where the verb needs none.
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub settings: Json,
}

/// A webhook on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// One change that a call, or a person, made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// `created`, `updated`, `deleted`, `label`, `shipped`, …
    pub kind: String,
    /// `Order`
    pub object: String,
    pub id: String,
    /// The caller's key, where it gave one.
    pub key: Option<String>,
    /// Whether the API did it, or a person at the system.
    pub by_api: bool,
    /// Fields as they are after it, those that were changed.
    pub fields: Json,
}

fn text<S: serde::Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(at)
}
