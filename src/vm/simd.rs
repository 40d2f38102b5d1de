//! SIMD windows: thirty-two bytes at a time.

use wide::u8x32;

use super::bytes::Bytes;

/// Bytes of a window.
pub(super) const WIDTH: usize = 32;

/// The bytes that begin at a place; none near the end.
#[inline(always)]
pub(super) fn load(bytes: &[u8], at: usize) -> Option<u8x32> {
    bytes.get(at..).and_then(<[u8]>::first_chunk::<WIDTH>).map(|chunk| u8x32::new(*chunk))
}

/// A bit for each byte that a JSON text does not hold as it is: `"`, `\`, and what is below 0x20.
#[inline(always)]
pub(super) fn special(window: u8x32) -> u32 {
    let quote = window.simd_eq(u8x32::splat(b'"'));
    let escape = window.simd_eq(u8x32::splat(b'\\'));
    let control = window.min(u8x32::splat(0x1F)).simd_eq(window);
    (quote | escape | control).to_bitmask()
}

/// Appends some of the bytes. A few are copied in one piece of a fixed length, and cut.
#[inline(always)]
pub(super) fn append(bytes: &[u8], from: usize, to: usize, out: &mut Bytes) {
    match bytes.get(from..).and_then(<[u8]>::first_chunk::<WIDTH>) {
        Some(chunk) if to - from <= WIDTH => out.with(|place| {
            *place = *chunk;
            to - from
        }),
        _ => out.extend_from_slice(bytes.get(from..to).unwrap_or_default()),
    }
}

/// Bytes that are expected, as far as they fit into a window.
#[derive(Debug)]
pub(super) struct Prefix {
    first: [u8; WIDTH],
    /// A bit for each of them.
    mask: u32,
    length: u32,
}

impl Prefix {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut first = [0; WIDTH];
        first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let mask = 1_u32.checked_shl(bytes.len() as u32).map_or(u32::MAX, |above| above.wrapping_sub(1));
        Prefix { first, mask, length: bytes.len() as u32 }
    }

    /// What stands behind them; none where something else begins there. `whole`: all of them.
    #[inline(always)]
    pub(super) fn behind<'b, 'w>(&self, rest: &'b [u8], whole: impl Fn() -> &'w [u8]) -> Option<&'b [u8]> {
        let Some(window) = rest.first_chunk() else { return slowly(rest, whole()) };
        if u8x32::new(*window).simd_eq(u8x32::new(self.first)).to_bitmask() & self.mask != self.mask {
            // A jump that is foreseen, where a choice between two values would have to be waited for.
            return unexpected();
        }
        let length = self.length as usize;
        if length > WIDTH { slowly(rest, whole()) } else { rest.get(length..) }
    }
}

/// The same with all of them.
#[derive(Debug)]
pub(super) struct Expected {
    prefix: Prefix,
    bytes: Box<[u8]>,
}

impl Expected {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Expected { prefix: Prefix::new(bytes), bytes: bytes.into() }
    }

    #[inline(always)]
    pub(super) fn behind<'b>(&self, rest: &'b [u8]) -> Option<&'b [u8]> {
        self.prefix.behind(rest, || &self.bytes)
    }
}

#[cold]
#[inline(never)]
fn slowly<'b>(rest: &'b [u8], bytes: &[u8]) -> Option<&'b [u8]> {
    rest.strip_prefix(bytes)
}

#[cold]
fn unexpected<T>() -> Option<T> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_special_byte_is_seen(bytes in proptest::collection::vec(any::<u8>(), 32..64), at in 0_usize..64) {
            let wanted = bytes.get(at..at + WIDTH).map(|window| {
                window.iter().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..=0x1F)).fold(0_u32, |mask, (bit, _)| mask | 1 << bit)
            });
            prop_assert_eq!(load(&bytes, at).map(special), wanted);
        }

        #[test]
        fn a_word_stands_where_its_bytes_do(prefix in "[ab]{0,40}", text in "[ab]{0,90}", at in 0_usize..90) {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            prop_assert_eq!(Expected::new(prefix.as_bytes()).behind(rest), rest.strip_prefix(prefix.as_bytes()));
        }
    }
}
