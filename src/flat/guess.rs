//! What is expected in a record: records of one source have the same keys in the same order, and many the same values.

use super::shape::NodeId;
use super::window::Word;

/// A key that is expected next.
#[derive(Debug)]
pub(super) struct Guess {
    /// `,"name":`, and without the comma that of the first in its object.
    pub(super) key: Word,
    pub(super) meaning: Meaning,
    /// Of a key that is not read: an object or a list that was its value. Many such are the same in every record.
    pub(super) value: Option<Box<Word>>,
    /// The same: the keys of the objects in it.
    pub(super) inside: Vec<Guess>,
}

impl Guess {
    /// `"name":`
    pub(super) fn name(&self) -> &[u8] {
        let key = self.key.bytes();
        key.strip_prefix(b",").unwrap_or(key)
    }
}

/// What a key is to the shape.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    Unread,
    /// A text, and its slot.
    Text(u32),
    Number(u32),
    /// A text, a number or a boolean.
    Scalar(u32),
    /// An object, or a list of such.
    Inner(NodeId),
}

/// What one thread has learned of the records that it has read.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    /// By node: the keys of its object in the last records, in their order.
    pub(super) by_node: Vec<Vec<Guess>>,
    /// How many keys are guessed.
    pub(super) count: usize,
}

/// Bytes of a value that is guessed.
pub(super) const LONGEST_GUESS: usize = 64;
/// Keys of one object that are guessed.
pub(super) const MOST_GUESSES: usize = 512;
/// Keys that are guessed altogether.
pub(super) const MOST_OF_ALL: usize = 16 * 1024;
