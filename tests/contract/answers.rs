//! What answers mean that are none of the system's own: for a read nothing was done, a write is in doubt.

use crossdock::fault::Fault;

use super::systems::Subject;
use super::world::{Meddling, Of, Setup, World, is_sign_in};

const PAGE: &str = "<!DOCTYPE html><html><body>Bad gateway</body></html>";

/// What is answered, and the class of the fault: of a read, of a write.
fn cases() -> Vec<(&'static str, Meddling, &'static str, &'static str)> {
    let answer = |status, body: &str| Meddling::Answer(status, Vec::new(), body.to_owned());
    let redirect = |status| Meddling::Answer(status, vec![("location", "https://elsewhere.example/".to_owned())], String::new());
    vec![
        ("the connection is refused", Meddling::Unsent, "transient", "transient"),
        ("the request is lost", Meddling::LostRequest, "transient", "ambiguous"),
        ("the reply is lost", Meddling::LostReply, "transient", "ambiguous"),
        ("500 without a body", answer(500, ""), "transient", "ambiguous"),
        ("502 with a page", answer(502, PAGE), "transient", "ambiguous"),
        ("503 with JSON", answer(503, r#"{"message":"down"}"#), "transient", "ambiguous"),
        ("504 that is no JSON", answer(504, "upstream timed out"), "transient", "ambiguous"),
        ("408", answer(408, ""), "transient", "ambiguous"),
        ("200 with a page", answer(200, PAGE), "transient", "ambiguous"),
        ("200 without a body", answer(200, ""), "transient", "ambiguous"),
        ("200 with another JSON", answer(200, r#"{"ok":true}"#), "transient", "ambiguous"),
        ("200 with null", answer(200, "null"), "transient", "ambiguous"),
        ("a whole answer that was made and lost behind a gateway", Meddling::AnswerAfter(502, PAGE.to_owned()), "transient", "ambiguous"),
        ("an answer that is cut", Meddling::Cut, "transient", "ambiguous"),
        ("301", redirect(301), "denied", "ambiguous"),
        ("302", redirect(302), "denied", "ambiguous"),
        ("307", redirect(307), "denied", "ambiguous"),
        ("308", redirect(308), "denied", "ambiguous"),
        ("403 with a page", answer(403, PAGE), "denied", "denied"),
    ]
}

pub async fn a_read_that_got_no_answer_has_done_nothing(subject: &'static Subject) {
    for (name, meddling, read, _) in cases() {
        let world = World::new(subject, Setup::default());
        world.wait(1);
        let id = (subject.reads.make)(&world, 1);
        world.wait(1);
        world.meddle(Of::Any, meddling);
        let stream = world.streams().remove(0);
        let (mut at, asked) = (None, || world.wire.asked.lock().unwrap().iter().filter(|asked| !is_sign_in(asked)).count());
        let fault = world.poll(&stream, &mut at, |_| {}).await.map(|changes| changes.len()).unwrap_err();
        assert_eq!(fault.class(), read, "{}: {name}: {fault}", subject.name);
        assert!(world.meddled());
        // A redirect is not followed, and the credential goes nowhere else.
        assert_eq!(asked(), 1, "{}: {name}", subject.name);
        assert_eq!(at, None);
        world.wait(120);
        let changes = world.poll(&stream, &mut at, |_| {}).await.unwrap();
        assert_eq!(changes.into_iter().map(|change| change.id).collect::<Vec<_>>(), [id], "{}: {name}", subject.name);
    }
}

pub async fn a_write_that_got_no_answer_is_in_doubt(subject: &'static Subject) {
    for write in subject.writes {
        for (name, meddling, _, class) in cases() {
            let world = World::new(subject, Setup::default());
            let item = (write.item)(&world, 1);
            world.meddle(Of::Write, meddling);
            let fault = match world.send(write, std::slice::from_ref(&item)).await {
                Err(fault) => fault,
                Ok(mut receipts) => receipts.remove(0).outcome.map(|done| panic!("{}, {}: {name}: {done:?}", subject.name, write.name)).unwrap_err(),
            };
            assert_eq!(fault.class(), class, "{}, {}: {name}: {fault}", subject.name, write.name);
            assert!(world.meddled());
            if !matches!(fault, Fault::Ambiguous { .. }) {
                assert_eq!((write.done)(&world, &item), 0, "{}, {}: {name}: it is said that nothing was done", subject.name, write.name);
            }
        }
    }
}
