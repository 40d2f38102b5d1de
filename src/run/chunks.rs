//! Chunks of whole lines, cut from the input; their buffers are used again.

use std::io::{self, BufRead, Read as _};
use std::sync::Mutex;

/// Bytes of whole lines that a worker takes at once.
const CHUNK: usize = 256 * 1024;
/// A line longer than this is refused as a record (the language's limit on one).
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

/// Whole lines of the input.
pub(super) struct Chunk {
    /// Its place among the chunks, from 0.
    pub(super) sequence: u64,
    /// The number of its first line, from 1.
    pub(super) first_line: usize,
    pub(super) text: Vec<u8>,
    /// Where each line ends: at its line break, or at the end of the text.
    pub(super) ends: Vec<usize>,
}

/// Cuts the input into chunks of whole lines.
pub(super) struct Cutter<'i> {
    input: &'i mut (dyn BufRead + Send),
    /// What was read behind the last whole line.
    rest: Vec<u8>,
    ended: bool,
    pool: &'i Pool,
    /// The next chunk's.
    sequence: u64,
    line: usize,
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
    pub(super) fn new(input: &'i mut (dyn BufRead + Send), pool: &'i Pool) -> Self {
        Cutter { input, rest: Vec::new(), ended: false, pool, sequence: 0, line: 1 }
    }

    /// The next chunk; the last may lack its line break.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let mut ends: Vec<usize> = memchr::memchr_iter(b'\n', &text).collect();
        if text.last() != Some(&b'\n') {
            ends.push(text.len());
        }
        let chunk = Chunk { sequence: self.sequence, first_line: self.line, text, ends };
        self.sequence += 1;
        self.line += chunk.ends.len();
        Ok(Some(chunk))
    }

    fn text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = self.pool.take();
        text.append(&mut self.rest);
        loop {
            if !self.ended && text.len() < CHUNK {
                let most = CHUNK - text.len();
                self.some(&mut text, most)?;
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

    /// Reads so much more, straight to where it belongs; less at the end.
    fn some(&mut self, text: &mut Vec<u8>, most: usize) -> io::Result<()> {
        let read = (&mut *self.input).take(most as u64).read_to_end(text)?;
        self.ended = read < most;
        Ok(())
    }
}

fn skip_line(input: &mut (dyn BufRead + Send)) -> io::Result<()> {
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
