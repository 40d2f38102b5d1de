//! JSON strings: each text is escaped once, and most need no escaping.

use wide::{u8x16, u8x32};

use super::bytes::Bytes;
use super::simd::{WIDTH, append, special};

/// Writes a text, whose first quote stands there, as JSON.
#[inline(always)]
pub(super) fn push_text(text: &[u8], record: &[u8], out: &mut Bytes) {
    push_part(text, record, out);
    out.push(b'"');
}

/// Writes a part of a text as JSON. What is a part of the record, and was not decoded, stands there as it has to.
#[inline(always)]
pub(super) fn push_part(text: &[u8], record: &[u8], out: &mut Bytes) {
    let start = (text.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
    if start < record.len() {
        append(record, start, start + text.len(), out);
    } else {
        unquoted(text, out);
    }
}

/// The first and the last eight bytes of a text of at most sixteen that stands in JSON as it is; of a shorter one all that
/// there are.
#[inline(always)]
pub(super) fn ends(text: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) if text.len() <= 16 => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        (Some(_), _) => return None,
        _ => {
            let of = |at: usize| text.get(at).map(|byte| u64::from(*byte) << (8 * at));
            let (middle, end) = (text.len() / 2, text.len().checked_sub(1)?);
            let all = match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
                (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (text.len() - 4)),
                _ => of(0)? | of(middle)? | of(end)?,
            };
            (all, all)
        }
    };
    // What is not there is no control character.
    let blank = u64::MAX.checked_shl(8 * text.len() as u32).unwrap_or(0) & 0x2020_2020_2020_2020;
    let both = u128::from(first | blank) | u128::from(last | blank) << 64;
    (!any_special(both.to_le_bytes())).then_some((first, last))
}

/// Whether a text stands in JSON as it is.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<WIDTH>(), bytes.last_chunk::<WIDTH>()) {
        let mut windows = bytes.chunks_exact(WIDTH).skip(1);
        return special(u8x32::new(*first)) | special(u8x32::new(*last)) == 0
            && windows.all(|chunk| chunk.try_into().is_ok_and(|chunk| special(u8x32::new(chunk)) == 0));
    }
    // Some bytes in the middle may be looked at twice.
    match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        (Some(first), Some(last)) => !any_special(*first) && !any_special(*last),
        _ => bytes.is_empty() || ends(bytes).is_some(),
    }
}

/// Whether a byte is `"`, `\` or below 0x20.
#[inline(always)]
fn any_special(bytes: [u8; 16]) -> bool {
    let all = u8x16::new(bytes);
    let control = all.min(u8x16::splat(0x1F)).simd_eq(all);
    (all.simd_eq(u8x16::splat(b'"')) | all.simd_eq(u8x16::splat(b'\\')) | control).to_bitmask() != 0
}

/// Writes a text as JSON, as serde_json does.
#[inline]
pub(super) fn quote(bytes: &[u8], out: &mut Bytes) {
    out.push(b'"');
    unquoted(bytes, out);
    out.push(b'"');
}

/// The same without its quotes.
#[inline(never)]
fn unquoted(bytes: &[u8], out: &mut Bytes) {
    if is_plain(bytes) {
        append(bytes, 0, bytes.len(), out);
    } else {
        escape(bytes, out);
    }
}

#[inline(never)]
fn escape(bytes: &[u8], out: &mut Bytes) {
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => *byte,
            0x08 => b'b',
            0x09 => b't',
            0x0A => b'n',
            0x0C => b'f',
            0x0D => b'r',
            0..=0x1F => b'u',
            _ => continue,
        };
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        from = at + 1;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_quoted_as_serde_json_does(text in "[\\x00-\\x7f\\u{80}-\\u{ffff}]{0,90}|[ -~]{0,17}") {
            if let Some((first, last)) = ends(text.as_bytes()) {
                let (bytes, length) = (text.as_bytes(), text.len());
                prop_assert!(is_plain(bytes) && length <= 16);
                let (first, last) = (first.to_le_bytes(), last.to_le_bytes());
                prop_assert_eq!(first.get(..length.min(8)), bytes.get(..length.min(8)));
                let wanted = if length < 8 { Some(&first) } else { bytes.last_chunk() };
                prop_assert_eq!(Some(&last), wanted);
            } else {
                prop_assert!(text.is_empty() || text.len() > 16 || !is_plain(text.as_bytes()));
            }
            let mut out = Bytes::default();
            quote(text.as_bytes(), &mut out);
            prop_assert_eq!(String::from_utf8(out.to_vec()).unwrap_or_default(), serde_json::Value::from(text).to_string());
        }
    }
}
