//! Chunks of whole lines from the input; their buffers are reused.

use std::io::{self, BufRead};
use std::sync::Mutex;

use crate::base::bounds;

/// Bytes of whole lines that a worker takes at once.
const CHUNK: usize = 256 * 1024;
/// A line longer than this is refused as a record (the language's limit on one).
pub(super) const LONGEST: usize = bounds::LINE;

/// Whole lines of the input.
pub(super) struct Chunk {
    /// Its place among the chunks, from 0.
    pub(super) sequence: u64,
    /// The number of its first line, from 1.
    pub(super) first_line: usize,
    /// The text, and behind it what the buffer held before.
    pub(super) buffer: Vec<u8>,
    /// Where each line ends: at its line break, or at the end of the text.
    pub(super) ends: Vec<usize>,
    /// Bytes of the text.
    pub(super) length: usize,
    /// Its one line is longer than a line may be; only the beginning of it is here.
    pub(super) overlong: bool,
}

/// Cuts the input into chunks of whole lines.
pub(super) struct Cutter<'i> {
    input: &'i mut (dyn BufRead + Send),
    /// What was read behind the last whole line.
    rest: Vec<u8>,
    ended: bool,
    /// The line that was cut last is longer than a line may be.
    overlong: bool,
    pool: &'i Pool,
    /// The next chunk's.
    sequence: u64,
    line: usize,
}

/// Buffers that are done, to be used again: new ones cost the system a page at a time.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    /// A buffer, as it was given back.
    pub(super) fn take(&self) -> Vec<u8> {
        let kept = self.0.lock().ok().and_then(|mut kept| kept.pop());
        kept.unwrap_or_else(|| Vec::with_capacity(CHUNK + 8 * 1024))
    }

    pub(super) fn give(&self, buffer: Vec<u8>) {
        // What an overlong line or a large output has made large is not kept.
        if buffer.capacity() <= 4 * CHUNK
            && let Ok(mut kept) = self.0.lock()
        {
            kept.push(buffer);
        }
    }
}

impl<'i> Cutter<'i> {
    pub(super) fn new(input: &'i mut (dyn BufRead + Send), pool: &'i Pool) -> Self {
        Cutter { input, rest: Vec::new(), ended: false, overlong: false, pool, sequence: 0, line: 1 }
    }

    /// The next chunk; the last may lack its line break.
    ///
    /// # Errors
    /// The input cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let mut buffer = self.pool.take();
        self.overlong = false;
        let length = self.text(&mut buffer)?;
        let Some(text) = buffer.get(..length).filter(|text| !text.is_empty()) else { return Ok(None) };
        let mut ends: Vec<usize> = memchr::memchr_iter(b'\n', text).collect();
        if text.last() != Some(&b'\n') {
            ends.push(length);
        }
        let chunk = Chunk { sequence: self.sequence, first_line: self.line, buffer, ends, length, overlong: self.overlong };
        self.sequence += 1;
        self.line += chunk.ends.len();
        Ok(Some(chunk))
    }

    /// Reads whole lines into a buffer: how many bytes of it they are.
    fn text(&mut self, text: &mut Vec<u8>) -> io::Result<usize> {
        let mut used = self.rest.len();
        room(text, used);
        text[..used].copy_from_slice(&self.rest);
        self.rest.clear();
        loop {
            self.some(text, &mut used, CHUNK)?;
            if let Some(end) = memchr::memrchr(b'\n', &text[..used]) {
                self.rest.extend_from_slice(&text[end + 1..used]);
                return Ok(end + 1);
            }
            if self.ended && used <= LONGEST {
                return Ok(used);
            }
            // One line that is longer than a chunk.
            let mut end = None;
            while !self.ended && end.is_none() && used <= LONGEST {
                let before = used;
                self.some(text, &mut used, before + CHUNK)?;
                end = memchr::memchr(b'\n', &text[before..used]).map(|at| before + at);
            }
            if used <= LONGEST || end.is_some_and(|end| end <= LONGEST) {
                continue;
            }
            // The rest of an overlong line is passed over. What is left of it stands for it, and is reported.
            self.overlong = true;
            match end {
                Some(end) => self.rest.extend_from_slice(&text[end + 1..used]),
                None if !self.ended => skip_line(self.input)?,
                None => {}
            }
            text[1024] = b'\n';
            return Ok(1025);
        }
    }

    /// Reads until so many bytes are used, straight to where they belong; fewer at the end.
    fn some(&mut self, text: &mut Vec<u8>, used: &mut usize, wanted: usize) -> io::Result<()> {
        room(text, wanted);
        while !self.ended && *used < wanted {
            match self.input.read(&mut text[*used..wanted]) {
                Ok(0) => self.ended = true,
                Ok(read) => *used += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Makes a buffer as long. One that was used before is, and needs no zeros.
fn room(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0);
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
