//! Limits: they are kept, and a call that is refused for them has done nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossdock::fault::Fault;
use crossdock::http::Clock as _;
use jiff::SignedDuration;

use super::systems::Subject;
use super::world::{Meddling, Of, Setup, World};
use super::writes::refused as refused_write;

/// A window of the system is never asked for more than it has, also by two flows at once.
pub async fn a_window_is_never_overrun(subject: &'static Subject) {
    let most = 5;
    let world = World::new(subject, Setup { per_minute: Some(most), ..Setup::default() });
    let stream = world.streams().remove(0);
    let began = world.clock.now();
    let refused = AtomicUsize::new(0);
    let flow = async || {
        let mut done = 0;
        for _ in 0..100 {
            let read = world.poll(&stream, &mut None, |_| {}).await;
            // The system may refuse what it had not told of before: then it is waited for.
            match read {
                Ok(_) => done += 1,
                Err(fault) => {
                    assert_eq!(fault.class(), "throttled", "{}: {fault}", subject.name);
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
            if done == 8 {
                return;
            }
        }
        panic!("{}: of 100 polls {done} were answered", subject.name);
    };
    futures::future::join(flow(), flow()).await;
    let waited = world.clock.now().duration_since(began);
    if subject.system == "shipstation" {
        // It tells what is left with each answer: nothing is refused.
        assert_eq!(refused.load(Ordering::Relaxed), 0, "{}", subject.name);
        let most_in_window = world.wire.system.lock().unwrap().most_in_window();
        assert!(most_in_window <= most, "{}: {most_in_window} calls in one window of {most}", subject.name);
    }
    // Salesforce has a limit of the day, and commercetools publishes none.
    if !["salesforce", "commercetools"].contains(&subject.system) {
        assert!(waited >= SignedDuration::from_secs(120), "{}: 16 calls of 5 a minute took {waited:#}", subject.name);
    }
}

/// A refusal with a time is waited for until then, one without longer each time; nothing was done.
pub async fn a_refusal_for_the_limit_has_done_nothing(subject: &'static Subject) {
    let (status, body, headers) = World::new(subject, Setup::default()).wire.system.lock().unwrap().throttled();
    let refused = |more: Option<(&'static str, &str)>| {
        let headers = headers.iter().filter(|(name, _)| more.is_none() && !name.eq_ignore_ascii_case("retry-after"));
        let headers = headers.map(|(name, value)| (*name, (*value).to_owned())).chain(more.map(|(name, value)| (name, value.to_owned())));
        Meddling::Answer(status, headers.collect(), body.to_string())
    };
    let until = |fault: Fault| match fault {
        Fault::Throttled { until, .. } => until,
        other => panic!("{}: {other:?}", subject.name),
    };
    // Reads: without a time, twice, then with one.
    let world = World::new(subject, Setup::default());
    let stream = world.streams().remove(0);
    let mut waits = Vec::new();
    for _ in 0..2 {
        world.meddle(Of::Any, refused(None));
        let fault = world.poll(&stream, &mut None, |_| {}).await.unwrap_err();
        let now = world.clock.now();
        let told = until(fault);
        let ready = world.connector.limit().ready_at(now);
        assert!(ready > now && told.is_none_or(|told| told <= ready), "{}: {told:?} {ready}", subject.name);
        waits.push(ready.duration_since(now));
    }
    if let Some(told) = subject.refused_until {
        assert_eq!(waits, [SignedDuration::from_secs(told); 2], "{}: its words say until when", subject.name);
    } else if headers.is_empty() || subject.system == "salesforce" {
        assert!(waits[1] > waits[0], "{}: {waits:?}", subject.name);
    }
    if status == 429 {
        world.meddle(Of::Any, refused(Some(("retry-after", "37"))));
        let told = until(world.poll(&stream, &mut None, |_| {}).await.unwrap_err()).unwrap();
        let wait = told.duration_since(world.clock.now());
        assert!((SignedDuration::from_secs(36)..=SignedDuration::from_secs(37)).contains(&wait), "{}: {wait:#}", subject.name);
    }
    assert!(world.poll(&stream, &mut None, |_| {}).await.is_ok(), "{}: it goes on by itself", subject.name);
    for write in subject.writes {
        let world = World::new(subject, Setup::default());
        let item = (write.item)(&world, 1);
        world.meddle(Of::Write, refused(None));
        until(refused_write(world.send(write, std::slice::from_ref(&item)).await, write.name));
        assert_eq!((write.done)(&world, &item), 0, "{}, {}", subject.name, write.name);
        world.send(write, std::slice::from_ref(&item)).await.unwrap();
        assert_eq!((write.done)(&world, &item), 1, "{}, {}", subject.name, write.name);
    }
}
