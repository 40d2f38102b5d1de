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

/// The text of each statement's head by the line where it begins, from 1, in one line: for people who read a part of a
/// file.
pub fn heads(text: &str) -> std::collections::BTreeMap<u32, String> {
    let mut found = std::collections::BTreeMap::new();
    let breaks: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
    let mut open = outline::outline(crate::base::FileId::default(), text, &mut Vec::new()).statements;
    while let Some(statement) = open.pop() {
        let head = text.get(statement.head.start..statement.head.end).unwrap_or_default();
        let blank = head.len() - head.trim_start().len();
        let line = breaks.partition_point(|at| *at < statement.head.start + blank) + 1;
        let words: Vec<&str> = head.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        found.entry(u32::try_from(line).unwrap_or(u32::MAX)).or_insert_with(|| words.join(" "));
        open.extend(statement.block.into_iter().flat_map(|block| block.statements));
    }
    found
}
