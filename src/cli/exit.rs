//! The exit codes.

use std::process::ExitCode;

use crate::app::Kind;

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

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Exit {
        match kind {
            Kind::Findings => Exit::Findings,
            Kind::Usage => Exit::Usage,
            Kind::Io => Exit::Io,
        }
    }
}
