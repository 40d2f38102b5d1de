//! Text to tree and back: the grammar (`grammar/crossdock.pest`), the tree, reading, printing.
//!
//! In: one file's text. Out: a [`tree::File`] and every statement that could not be read.
//! Nothing is resolved here; whether a name means something is for `check`.

mod foreign;
mod grammar;
pub mod habits;
mod outline;
mod print;
mod read;
mod token;
pub mod tree;
pub mod walk;

pub use print::format;
pub use read::{read, read_expr};

/// The newest edition of the language.
pub const EDITION: u32 = 1;
