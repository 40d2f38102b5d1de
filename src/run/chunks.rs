//! Chunks of whole lines: cut from the input, handed to whoever has time for them, their buffers used again.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::base::locked;

/// Bytes of whole lines that a worker takes at once.
const CHUNK: usize = 256 * 1024;
/// A line longer than this is refused as a record (the language's limit on one).
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

/// Whole lines of the input.
pub(super) struct Chunk {
    pub(super) sequence: u64,
    pub(super) first_line: usize,
    pub(super) text: Vec<u8>,
}

/// Chunks that nobody has taken yet.
#[derive(Default)]
pub(super) struct Queue {
    /// And whether there are no more to come.
    chunks: Mutex<(VecDeque<Chunk>, bool)>,
    changed: Condvar,
}

impl Queue {
    pub(super) fn give(&self, chunk: Chunk) {
        locked(&self.chunks).0.push_back(chunk);
        self.changed.notify_one();
    }

    fn end(&self) {
        locked(&self.chunks).1 = true;
        self.changed.notify_all();
    }

    /// The next chunk, if one is there.
    pub(super) fn take(&self) -> Option<Chunk> {
        locked(&self.chunks).0.pop_front()
    }

    /// The next chunk, as soon as it comes; none behind the last.
    pub(super) fn wait(&self) -> Option<Chunk> {
        let mut chunks = locked(&self.chunks);
        loop {
            if let Some(chunk) = chunks.0.pop_front() {
                return Some(chunk);
            }
            if chunks.1 {
                return None;
            }
            chunks = self.changed.wait(chunks).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Ends a queue when it goes, also where what held it has broken: nobody waits for chunks that do not come.
pub(super) struct Ends<'q>(pub(super) &'q Queue);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Cuts the input into chunks of whole lines.
pub(super) struct Cutter<'i> {
    input: &'i mut dyn BufRead,
    /// What was read behind the last whole line.
    rest: Vec<u8>,
    ended: bool,
    pool: &'i Pool,
}

/// Buffers of chunks that are done, to be used again: new ones cost the system a page at a time.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    pub(super) fn take(&self) -> Vec<u8> {
        let kept = self.0.lock().ok().and_then(|mut kept| kept.pop());
        kept.unwrap_or_else(|| Vec::with_capacity(CHUNK + 8 * 1024))
    }

    pub(super) fn give(&self, mut buffer: Vec<u8>) {
        // What an overlong line or a large output has made large is not kept.
        if buffer.capacity() <= 4 * CHUNK
            && let Ok(mut kept) = self.0.lock()
        {
            buffer.clear();
            kept.push(buffer);
        }
    }
}

impl<'i> Cutter<'i> {
    pub(super) fn new(input: &'i mut dyn BufRead, pool: &'i Pool) -> Self {
        Cutter { input, rest: Vec::new(), ended: false, pool }
    }

    /// The next chunk of whole lines; the last may lack its line break.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = self.pool.take();
        text.append(&mut self.rest);
        loop {
            while !self.ended && text.len() < CHUNK {
                self.some(&mut text, CHUNK)?;
            }
            if let Some(end) = memchr::memrchr(b'\n', &text) {
                self.rest = text.split_off(end + 1);
                return Ok(Some(text));
            }
            if self.ended && text.len() <= LONGEST {
                return Ok(if text.is_empty() { None } else { Some(text) });
            }
            // One line that is longer than a chunk.
            let mut end = None;
            while !self.ended && end.is_none() && text.len() <= LONGEST {
                let before = text.len();
                self.some(&mut text, CHUNK)?;
                end = memchr::memchr(b'\n', &text[before..]).map(|at| before + at);
            }
            if text.len() <= LONGEST || end.is_some_and(|end| end <= LONGEST) {
                continue;
            }
            // The rest of an overlong line is passed over; what is left of it is no JSON and is reported.
            match end {
                Some(end) => self.rest = text.split_off(end + 1),
                None if !self.ended => skip_line(self.input)?,
                None => {}
            }
            text.truncate(1024);
            text.push(b'\n');
            return Ok(Some(text));
        }
    }

    /// Reads more, as much as there is at hand.
    fn some(&mut self, text: &mut Vec<u8>, most: usize) -> io::Result<()> {
        let read = self.input.fill_buf()?;
        let length = read.len().min(most);
        text.extend_from_slice(&read[..length]);
        self.input.consume(length);
        self.ended = length == 0;
        Ok(())
    }
}

fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, done) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}
