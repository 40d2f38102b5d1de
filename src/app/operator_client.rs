//! Carries out people's decisions: asks the running process to do it, or does it here if none runs.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::process::login;
use super::run_connected::{ConnectedRun, run_connected};
use super::{Access, Context, Failure, Notices, OpenedStore};
use crate::engine::Settings;
use crate::engine::operator_commands::{Answer, Decision, Signature, Signed};
use crate::run::live::Message;
use crate::store::StoreFault;

/// How long a running process is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    #[serde(flatten)]
    pub answer: Answer,
    /// Who carries it out.
    pub by: CarriedOutBy,
    /// Whether it sets records free to be sent, which an undo takes back until it is carried out.
    pub sets_free: bool,
}

/// Who carries a decision out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CarriedOutBy {
    /// The process that has the store: ten seconds later.
    RunningProcess,
    /// The next `run` or `serve`.
    NextRun,
}

/// A signature with the name that was given, or that of the login.
pub fn signature(by: Option<&String>, why: Option<&String>) -> Signature {
    Signature { by: by.cloned().or_else(login), why: why.cloned() }
}

/// Has a decision carried out. Where no process runs, what follows of it is done by the next `run` or `serve`.
///
/// # Errors
/// There is no flow of the name, the store cannot be opened, or the process that has it does not answer.
pub fn decide(context: &Context, decision: Decision, signature: Signature, notices: Notices<'_>) -> Result<Decided, Failure> {
    if let Decision::Replay { flow, .. } | Decision::Rewind { flow, .. } | Decision::Poll { flow } = &decision {
        context.project.flow(Some(flow))?;
    }
    let signed = Signed { decision, signature };
    let (answer, by) = match context.store.open(Access::Write) {
        Ok(store) => (here(context, store, &signed, notices)?, CarriedOutBy::NextRun),
        Err(StoreFault::InUse { .. }) => (there(context, &signed)?, CarriedOutBy::RunningProcess),
        Err(fault) => return Err(fault.into()),
    };
    let sets_free = matches!(signed.decision, Decision::Retry { .. } | Decision::Approve { .. } | Decision::Edit { .. });
    Ok(Decided { answer, by, sets_free })
}

fn there(context: &Context, signed: &Signed) -> Result<Answer, Failure> {
    let store = context.open_store(Access::Read)?;
    let body = serde_json::to_value(signed).map_err(|error| Failure::usage(error.to_string()))?;
    let id = store.ask(&body, jiff::Timestamp::now().as_millisecond())?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
        if let Some(answer) = store.answer(id)? {
            return serde_json::from_value(answer).map_err(|error| Failure::io(error.to_string()));
        }
    }
    Err(Failure::io(format!(
        "the running process has not answered within {} seconds; it carries the decision out when it answers",
        PATIENCE.as_secs()
    ))
    .hint("crossdock status shows whether it is working"))
}

fn here(context: &Context, store: OpenedStore, signed: &Signed, notices: Notices<'_>) -> Result<Answer, Failure> {
    // Connections are opened, as in a run, but nothing is asked of them.
    let mut answer = None;
    let settings = Settings { once: true, idle: true, ..Settings::default() };
    run_connected(
        context,
        store,
        ConnectedRun {
            settings,
            rehearsal: None,
            listening: &mut |door, _, handle| {
                let (send, receive) = tokio::sync::oneshot::channel();
                if door.send(Message::Decide { signed: signed.clone(), answer: send }).is_err() {
                    return Err(Failure::io("the engine has ended"));
                }
                let door = door.clone();
                let (tell, told) = std::sync::mpsc::channel();
                handle.spawn(async move {
                    let _ = tell.send(receive.await);
                    let _ = door.send(Message::Stop);
                });
                answer = Some(told);
                Ok(())
            },
            seen: &mut |_| {},
        },
        notices,
    )?;
    match answer.and_then(|told| told.recv_timeout(PATIENCE).ok()) {
        Some(Ok(answer)) => Ok(answer),
        _ => Err(Failure::io("the engine gave no answer")),
    }
}
