//! Memory for payloads. It is allocated before it is written, so that several pieces of a row are written at known offsets of one
//! array, and the length changes once.

use std::io;
use std::ops::Deref;

/// Bytes that are kept between records; more than a large payload needs is given back.
const KEPT: usize = 1024 * 1024;

/// What was written so far.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    /// Behind what was written stands anything.
    all: Vec<u8>,
    length: usize,
}

impl Bytes {
    /// Writes into an array that begins where the end is, and says how many of its bytes count.
    #[inline(always)]
    pub(super) fn with<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        loop {
            if let Some(place) = self.all.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut::<N>) {
                self.length += write(place);
                return;
            }
            self.room(N);
        }
    }

    /// Room for so many more.
    #[cold]
    #[inline(never)]
    fn room(&mut self, count: usize) {
        let wanted = self.length + count;
        if wanted > self.all.len() {
            self.all.resize((wanted + 1024).max(2 * self.all.len()), 0);
        }
    }

    #[inline]
    pub(super) fn extend_from_slice(&mut self, bytes: &[u8]) {
        if self.all.len() - self.length < bytes.len() {
            self.room(bytes.len());
        }
        let end = self.length + bytes.len();
        if let Some(place) = self.all.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
            self.length = end;
        }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        self.with::<1>(|place| {
            *place = [byte];
            1
        });
    }

    /// What stands at a place; none where nothing was written yet.
    #[inline(always)]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut u8> {
        if at < self.length { self.all.get_mut(at) } else { None }
    }

    #[inline(always)]
    pub(super) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
        if self.all.len() > KEPT {
            self.all = Vec::new();
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.all.get(..self.length).unwrap_or_default()
    }
}

impl io::Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_stands_there(pieces in proptest::collection::vec(("[a-z]{0,300}", 0_u8..4, 0_usize..20), 0..60)) {
            let (mut bytes, mut wanted) = (Bytes::default(), Vec::new());
            for (piece, how, count) in &pieces {
                match how {
                    0 => {
                        bytes.extend_from_slice(piece.as_bytes());
                        wanted.extend_from_slice(piece.as_bytes());
                    }
                    1 => {
                        bytes.push(b'-');
                        wanted.push(b'-');
                    }
                    2 => {
                        bytes.truncate(*count);
                        wanted.truncate(*count);
                    }
                    _ => {
                        bytes.with::<20>(|place| {
                            place.fill(b'+');
                            *count
                        });
                        wanted.extend(std::iter::repeat_n(b'+', *count));
                    }
                }
                prop_assert_eq!(&*bytes, wanted.as_slice());
            }
        }
    }
}
