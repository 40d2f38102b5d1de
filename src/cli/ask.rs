//! Decisions of people, carried out: by the process that runs, or here where none does.

use std::time::{Duration, Instant};

use super::site::{Live, Site, clock, live, open_store, store_failure, transport};
use super::{Exit, Failure, Out};
use crate::engine::Settings;
use crate::engine::queue::{Answer, Decision, Signature, Signed};
use crate::store::StoreFault;
use crate::store::sqlite::{Mode, Sqlite};

/// How long a running process is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Has a decision carried out and says what came of it. Where no process runs, what follows of it is done by the
/// next `run` or `serve`. `done`: the word for what was done, after the number of records.
pub(super) fn decide(site: &Site, decision: Decision, signature: Signature, done: &str, out: &mut Out) -> Result<Exit, Failure> {
    let signed = Signed { decision, signature };
    let key = super::site::variable(super::site::STORE_KEY).map(crate::http::Secret::new);
    let (answer, by_another) = match Sqlite::open(&site.store, key.as_ref(), Mode::Write) {
        Ok(store) => (here(site, store, &signed, out)?, false),
        Err(StoreFault::InUse { .. }) => (there(site, &signed)?, true),
        Err(fault) => return Err(store_failure(&fault)),
    };
    for why in &answer.not {
        out.note(why);
    }
    if answer.done > 0 {
        let records = if answer.done == 1 { "1".to_owned() } else { answer.done.to_string() };
        let set_free = matches!(signed.decision, Decision::Retry { .. } | Decision::Approve { .. } | Decision::Edit { .. });
        let next = match (by_another, set_free) {
            (_, false) => "",
            (true, true) => "; it is carried out in ten seconds, until then `crossdock queue undo` takes it back",
            (false, true) => "; the next `crossdock run` or `serve` carries it on, until then `crossdock queue undo` takes it back",
        };
        out.line(format!("{records} {done}{next}"))?;
    }
    Ok(if answer.not.is_empty() { Exit::Fine } else { Exit::Findings })
}

fn there(site: &Site, signed: &Signed) -> Result<Answer, Failure> {
    let store = open_store(&site.store, Mode::Read)?;
    let body = serde_json::to_value(signed).map_err(|error| Failure::usage(error.to_string()))?;
    let id = store.ask(&body, jiff::Timestamp::now().as_millisecond()).map_err(|fault| store_failure(&fault))?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
        if let Some(answer) = store.answer(id).map_err(|fault| store_failure(&fault))? {
            return serde_json::from_value(answer).map_err(|error| Failure::io(error.to_string()));
        }
    }
    Err(Failure::io("the running process has not answered in 15 seconds; it will carry it out when it does")
        .hint("crossdock status shows whether it moves"))
}

fn here(site: &Site, store: Sqlite, signed: &Signed, out: &mut Out) -> Result<Answer, Failure> {
    // Connections are opened, as in a run, but nothing is asked of them.
    let mut answer = None;
    let settings = Settings { once: true, only: Vec::new(), idle: true, ..Settings::default() };
    let wanted = signed.clone();
    let mut failure = None;
    live(
        site,
        Box::new(store),
        Live {
            settings,
            rehearsal: None,
            transport: transport()?,
            clock: clock(),
            listening: &mut |door, _, handle| {
                let (send, receive) = tokio::sync::oneshot::channel();
                if door.send(crate::run::live::Message::Decide { signed: wanted.clone(), answer: send }).is_err() {
                    failure = Some("the engine has ended");
                }
                let door = door.clone();
                let (tell, told) = std::sync::mpsc::channel();
                handle.spawn(async move {
                    let _ = tell.send(receive.await);
                    let _ = door.send(crate::run::live::Message::Stop);
                });
                answer = Some(told);
                Ok(())
            },
            seen: &mut |_| {},
        },
        out,
    )?;
    if let Some(why) = failure {
        return Err(Failure::io(why));
    }
    match answer.and_then(|told| told.recv_timeout(PATIENCE).ok()) {
        Some(Ok(answer)) => Ok(answer),
        _ => Err(Failure::io("the engine gave no answer")),
    }
}

/// The name that the person at this terminal is known by.
pub(super) fn login() -> Option<String> {
    ["LOGNAME", "USER", "USERNAME"].into_iter().find_map(super::site::variable).filter(|name| !name.trim().is_empty())
}

/// The name that was given, or that of the login.
pub(super) fn signature(by: Option<&String>) -> Signature {
    Signature { by: by.cloned().or_else(login), why: None }
}
