//! The fault kit: how a network and a vendor fail, decided by a seed.
//!
//! [`Faulty`] puts it in front of a [`System`]: what the caller sees, what is carried out all the same, and when.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::rng::Rng;
use super::{Delivery, System};
use crate::base::nearest;
use crate::http::{Request, Response};

/// How often each fault happens, of a thousand requests (or webhooks).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The request never arrives; the caller's connection breaks.
    pub lost_request: u32,
    /// It is carried out; the answer is lost.
    pub lost_reply: u32,
    /// The caller sees a time-out; it is carried out later.
    pub late: u32,
    /// How many seconds later at most; 0 for two minutes. No rate.
    pub late_seconds: u32,
    /// A 503, and nothing done.
    pub refused_before: u32,
    /// It is carried out, and answered by a gateway's 502.
    pub broken_after: u32,
    /// It is carried out, and the answer is cut in the middle.
    pub truncated: u32,
    /// The vendor says that its limit is reached.
    pub throttled: u32,
    /// The answer takes up to ten seconds.
    pub slow: u32,
    /// An error that quotes the whole request: its path, its headers, its body, each time in another form. Nothing is done.
    pub quoted: u32,
    pub hook_lost: u32,
    pub hook_doubled: u32,
    /// A webhook comes up to a minute late.
    pub hook_late: u32,
}

impl Faults {
    /// All of them, as a bad day has them.
    pub const BAD_DAY: Faults = Faults {
        lost_request: 20,
        lost_reply: 30,
        late: 20,
        late_seconds: 120,
        refused_before: 20,
        broken_after: 15,
        truncated: 15,
        throttled: 15,
        slow: 50,
        quoted: 0,
        hook_lost: 100,
        hook_doubled: 100,
        hook_late: 100,
    };

    /// `lost_reply=50,late=20`; `none`; `bad-day`.
    ///
    /// # Errors
    /// What cannot be understood, in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => return Ok(Faults::default()),
            "bad-day" => return Ok(Faults::BAD_DAY),
            _ => {}
        }
        let names = Faults::names();
        let mut given: BTreeMap<&str, u32> = BTreeMap::new();
        for part in text.split(',') {
            let part = part.trim();
            let (name, rate) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is no fault: write name=N, of a thousand requests; or `none`, or `bad-day`"))?;
            let (name, rate) = (name.trim(), rate.trim());
            if !names.iter().any(|known| known == name) {
                let near = nearest(name, names.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`? "));
                return Err(format!("there is no fault `{name}`: {}there are {}", near.unwrap_or_default(), names.join(", ")));
            }
            let rate = rate.parse().map_err(|_| format!("`{rate}` of `{name}` is no number from 0 to 1000"))?;
            if given.insert(name, rate).is_some() {
                return Err(format!("`{name}` is there twice"));
            }
        }
        let json = serde_json::to_value(given).map_err(|error| error.to_string())?;
        serde_json::from_value::<Faults>(json).map_err(|error| error.to_string())?.checked()
    }

    /// Rates that can be kept: one request has one fate.
    ///
    /// # Errors
    /// A rate is above a thousand, or several are together.
    pub fn checked(self) -> Result<Self, String> {
        let f = self;
        let of_requests = [f.lost_request, f.lost_reply, f.late, f.refused_before, f.broken_after, f.truncated, f.throttled, f.slow, f.quoted];
        let all: u64 = of_requests.iter().map(|rate| u64::from(*rate)).sum();
        if all > 1_000 {
            return Err(format!("{all} of 1000 requests would have a fault: together the rates are at most 1000"));
        }
        if let Some(rate) = [f.hook_lost, f.hook_doubled, f.hook_late].into_iter().find(|rate| *rate > 1_000) {
            return Err(format!("{rate} of 1000 webhooks would have a fault: a rate is at most 1000"));
        }
        if f.late_seconds > 3_600 {
            return Err(format!("`{}` of `late_seconds` is no number of seconds up to 3600", f.late_seconds));
        }
        Ok(self)
    }

    /// The names of all settings.
    fn names() -> Vec<String> {
        let all = serde_json::to_value(Faults::default()).ok();
        all.and_then(|all| Some(all.as_object()?.keys().cloned().collect())).unwrap_or_default()
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultOutcome {
    Do,
    LoseRequest,
    LoseReply,
    Late(SignedDuration),
    RefuseBefore,
    BreakAfter,
    Truncate,
    Throttle,
    Slow(SignedDuration),
    /// In which form the request is quoted.
    Quote(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookFate {
    Deliver,
    Lose,
    Double,
    Late(SignedDuration),
}

#[derive(Debug, Clone)]
pub struct FaultKit {
    dice: Rng,
    faults: Faults,
}

impl FaultKit {
    pub fn new(seed: u64, faults: Faults) -> Self {
        FaultKit { dice: Rng::new(seed ^ 0xfa17), faults }
    }

    pub fn set(&mut self, faults: Faults) {
        self.faults = faults;
    }

    pub fn fate(&mut self, request: &Request) -> FaultOutcome {
        let f = self.faults;
        let sign_in = request.uri().path().ends_with("/oauth2/token");
        let choices = [
            (f.lost_request, FaultOutcome::LoseRequest),
            (f.lost_reply, FaultOutcome::LoseReply),
            (if sign_in { 0 } else { f.late }, FaultOutcome::Late(SignedDuration::ZERO)),
            (f.refused_before, FaultOutcome::RefuseBefore),
            (f.broken_after, FaultOutcome::BreakAfter),
            (f.truncated, FaultOutcome::Truncate),
            (f.throttled, FaultOutcome::Throttle),
            (f.slow, FaultOutcome::Slow(SignedDuration::ZERO)),
            (f.quoted, FaultOutcome::Quote(0)),
        ];
        let mut at = self.dice.below(1_000);
        for (rate, fate) in choices {
            if at < u64::from(rate) {
                return match fate {
                    FaultOutcome::Late(_) => {
                        let most = if f.late_seconds == 0 { 120 } else { u64::from(f.late_seconds) };
                        FaultOutcome::Late(self.dice.millis(1_000.min(most * 1_000), most * 1_000))
                    }
                    FaultOutcome::Slow(_) => FaultOutcome::Slow(self.dice.millis(200, 10_000)),
                    FaultOutcome::Quote(_) => FaultOutcome::Quote(self.dice.below(QUOTES)),
                    fate => fate,
                };
            }
            at -= u64::from(rate);
        }
        FaultOutcome::Do
    }

    pub fn hook(&mut self) -> HookFate {
        let f = self.faults;
        if self.dice.hits(f.hook_lost) {
            HookFate::Lose
        } else if self.dice.hits(f.hook_doubled) {
            HookFate::Double
        } else if self.dice.hits(f.hook_late) {
            HookFate::Late(self.dice.millis(1_000, 60_000))
        } else {
            HookFate::Deliver
        }
    }
}

/// What the caller of a request gets.
#[derive(Debug)]
pub enum Seen {
    Answer {
        response: Response,
        after: SignedDuration,
    },
    /// The connection breaks after so long.
    Nothing {
        after: SignedDuration,
    },
}

/// A request that is on its way.
struct Late {
    sent: Timestamp,
    request: Request,
}

/// A system behind a network that fails.
pub struct Faulty {
    pub system: Box<dyn System>,
    pub kit: FaultKit,
    /// Requests that are still on their way, by when they arrive.
    late: BTreeMap<(Timestamp, u64), Late>,
    /// When each late request was carried out, and when it was sent.
    carried_out: BTreeMap<Timestamp, Timestamp>,
    hooks: BTreeMap<(Timestamp, u64), Delivery>,
    count: u64,
}

impl Faulty {
    pub fn new(system: Box<dyn System>, kit: FaultKit) -> Self {
        Faulty { system, kit, late: BTreeMap::new(), carried_out: BTreeMap::new(), hooks: BTreeMap::new(), count: 0 }
    }

    pub fn receive(&mut self, request: Request, now: Timestamp) -> Seen {
        let mut seen = self.seen(request, now);
        if let Seen::Answer { response, .. } = &mut seen {
            super::date(response, now);
        }
        seen
    }

    fn seen(&mut self, request: Request, now: Timestamp) -> Seen {
        self.tick(now);
        let soon = SignedDuration::from_millis(20);
        let answer = |response| Seen::Answer { response, after: soon };
        match self.kit.fate(&request) {
            FaultOutcome::Do => answer(self.system.handle(&request, now)),
            FaultOutcome::LoseRequest => Seen::Nothing { after: soon },
            FaultOutcome::LoseReply => {
                self.system.handle(&request, now);
                Seen::Nothing { after: SignedDuration::from_secs(5) }
            }
            FaultOutcome::Late(by) => {
                self.count += 1;
                self.late.insert((now.saturating_add(by).unwrap_or(now), self.count), Late { sent: now, request });
                Seen::Nothing { after: soon }
            }
            FaultOutcome::RefuseBefore => answer(page(503, "<html><body>Service Unavailable</body></html>")),
            FaultOutcome::BreakAfter => {
                self.system.handle(&request, now);
                answer(page(502, "<html><body>Bad Gateway</body></html>"))
            }
            FaultOutcome::Truncate => {
                let mut response = self.system.handle(&request, now);
                let half = response.body().len() / 2;
                *response.body_mut() = response.body().slice(..half);
                answer(response)
            }
            FaultOutcome::Throttle => answer(throttled(&*self.system)),
            FaultOutcome::Quote(form) => answer(quoted(&*self.system, &request, form)),
            FaultOutcome::Slow(by) => Seen::Answer { response: self.system.handle(&request, now), after: by },
        }
    }

    /// Carries out what has arrived by now.
    pub fn tick(&mut self, now: Timestamp) {
        while let Some(((at, _), _)) = self.late.first_key_value() {
            if *at > now {
                break;
            }
            if let Some(((at, _), Late { sent, request })) = self.late.pop_first() {
                self.system.handle_late(&request, at);
                self.carried_out.insert(at, sent);
            }
        }
    }

    /// When each late request was carried out, and when it was sent.
    pub fn carried_out_late(&self) -> &BTreeMap<Timestamp, Timestamp> {
        &self.carried_out
    }

    /// Webhooks that arrive by now.
    pub fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        for delivery in self.system.deliveries(now) {
            let (copies, by) = match self.kit.hook() {
                HookFate::Lose => (0, SignedDuration::ZERO),
                HookFate::Deliver => (1, SignedDuration::ZERO),
                HookFate::Double => (2, SignedDuration::ZERO),
                HookFate::Late(by) => (1, by),
            };
            for _ in 0..copies {
                self.count += 1;
                self.hooks.insert((now.saturating_add(by).unwrap_or(now), self.count), delivery.clone());
            }
        }
        let mut due = Vec::new();
        while self.hooks.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            due.extend(self.hooks.pop_first().map(|(_, delivery)| delivery));
        }
        due
    }

    /// When the next request or webhook that is on its way arrives.
    pub fn next(&self) -> Option<Timestamp> {
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        let hook = self.hooks.first_key_value().map(|((at, _), _)| *at);
        late.into_iter().chain(hook).min()
    }
}

/// How many forms [`quoted`] has.
const QUOTES: u64 = 12;

/// An error that says what it was sent, as systems with debugging left on do.
fn quoted(system: &dyn System, request: &Request, form: u64) -> Response {
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let headers: Vec<String> =
        request.headers().iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))).collect();
    let plain = format!("cannot process {} {} [{}] {body}", request.method(), request.uri(), headers.join("; "));
    let words = match form % 4 {
        0 => plain,
        1 => plain.to_uppercase(),
        2 => form_urlencoded::byte_serialize(plain.as_bytes()).collect(),
        _ => plain.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
    };
    let status = [500, 400, 401][(form / 4 % 3) as usize];
    let (body, kind) = match form % 4 {
        3 => (format!("<html><body><pre>{words}</pre></body></html>"), "text/html"),
        _ => (system.error(&words).to_string(), "application/json"),
    };
    let mut response = page(status, "");
    *response.body_mut() = body.into();
    response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
    response
}

fn page(status: u16, body: &'static str) -> Response {
    let mut response = http::Response::new(bytes::Bytes::from_static(body.as_bytes()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/html"));
    response
}

fn throttled(system: &dyn System) -> Response {
    let (status, body, headers) = system.throttled();
    let mut response = page(status, "");
    *response.body_mut() = body.to_string().into();
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        response.headers_mut().insert(*name, http::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn faults_are_read_from_flags() {
        assert_eq!(Faults::parse("lost_reply=50, late=20").unwrap(), Faults { lost_reply: 50, late: 20, ..Faults::default() });
        assert_eq!(Faults::parse("none").unwrap(), Faults::default());
        for (wrong, says) in [
            ("", "or `none`, or `bad-day`"),
            ("lost", "write name=N"),
            ("lost_reply=x", "`x` of `lost_reply` is no number"),
            ("lost_reply=-1", "is no number"),
            ("lost_reply=1001", "1001 of 1000 requests"),
            ("lost_reply=600,slow=600", "together the rates are at most 1000"),
            ("hook_lost=1001", "1001 of 1000 webhooks"),
            ("late_seconds=9999", "is no number of seconds"),
            ("lost_reply=1,lost_reply=2", "`lost_reply` is there twice"),
            ("lost_replies=3", "did you mean `lost_reply`? there are "),
            ("bad-day,late=5", "`bad-day` is no fault"),
        ] {
            let said = Faults::parse(wrong).unwrap_err();
            assert!(said.contains(says), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_seed_decides() {
        let request = http::Request::get("/orders").body(bytes::Bytes::new()).unwrap();
        let run = |seed| {
            let mut kit = FaultKit::new(seed, Faults::BAD_DAY);
            (0..500).map(|_| kit.fate(&request)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let met = run(3);
        assert!(met.contains(&FaultOutcome::LoseReply) && met.contains(&FaultOutcome::Do));
        let mut kit = FaultKit::new(1, Faults::default());
        assert!((0..100).all(|_| kit.fate(&request) == FaultOutcome::Do));
    }
}
