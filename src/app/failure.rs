//! The failure of a command: what happened, and what to do.

use serde::Serialize;

use crate::base::nearest;

/// As many names as a hint lists.
const LISTED: usize = 30;

/// What kind of failure it is. The command line makes its exit code from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The project has errors: what was asked for was not begun.
    Findings,
    /// The request was not understood, or asks for something that is not there.
    Usage,
    /// A file, the store or a system could not be read or written.
    Io,
}

/// A command that could not do its work: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct Failure {
    pub message: String,
    pub hint: Option<String>,
    pub kind: Kind,
}

impl Failure {
    pub fn findings(message: impl Into<String>) -> Self {
        Failure { message: message.into(), hint: None, kind: Kind::Findings }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Failure { message: message.into(), hint: None, kind: Kind::Usage }
    }

    pub fn io(message: impl Into<String>) -> Self {
        Failure { message: message.into(), hint: None, kind: Kind::Io }
    }

    /// Something was named that is not there: the nearest of what is known, or all of it where that is short.
    pub fn unknown<'k>(what: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let failure = Failure::usage(format!("there is no {what} `{name}`"));
        match nearest(name, known.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() || known.len() > LISTED => failure,
            None => failure.hint(format!("there are: {}", known.join(", "))),
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
