//! Why a command could not do its work, and the exit codes.

use std::process::ExitCode;

/// How a command ends. The numbers are stable; `docs/reference/exit-codes.md` says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did its work, and nothing speaks against going on.
    Fine = 0,
    /// It did its work and found something: errors in a mapping, a failed case, a rejected
    /// record, a file that is not formatted.
    Findings = 1,
    /// The command was not understood, or asks for something that is not there.
    Usage = 2,
    /// A file could not be read or written.
    Io = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A command that could not do its work: what happened, what to do, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub message: String,
    pub hint: Option<String>,
    pub exit: Exit,
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { message: message.into(), hint: None, exit: Exit::Usage }
    }

    pub fn io(message: impl Into<String>) -> Self {
        Failure { message: message.into(), hint: None, exit: Exit::Io }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
